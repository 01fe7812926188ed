/** The guest's end of the virtual wire, for tests of the network: takes frames apart, and speaks just enough TCP. */
import {
  buildFrame,
  buildIpv4,
  buildTcp,
  buildUdp,
  checksum,
  EtherType,
  ipv4,
  parseIpv4,
  parseTcp,
  parseUdp,
  Protocol,
  TcpFlag,
  type TcpSegment,
} from '../../../debug-adapter/net/packet';
import { type ConnectionEvents, type HostConnection, type HostNetwork } from '../../../debug-adapter/net/host';
import { UserNetwork, type UserNetworkOptions } from '../../../debug-adapter/net/user-network';

export const guestMac = Uint8Array.of(0x52, 0x54, 0, 0x12, 0x34, 0x56);
export const guestAddress = ipv4('10.0.2.15');
export const gateway = ipv4('10.0.2.2');

/** A host whose sockets are arrays, and whose time the test moves. */
export class FakeHost implements HostNetwork {
  readonly opened: {
    readonly address: string;
    readonly port: number;
    readonly events: ConnectionEvents;
    readonly connection: FakeConnection;
  }[] = [];
  accept: ((connection: HostConnection) => ConnectionEvents) | undefined;
  stopped = 0;
  readonly sent: { readonly bytes: Uint8Array; readonly address: string; readonly port: number }[] = [];
  private timers: { at: number; callback: () => void }[] = [];
  private now = 0;

  connect(address: string, port: number, events: ConnectionEvents): HostConnection {
    const connection = new FakeConnection();
    this.opened.push({ address, port, events, connection });
    return connection;
  }

  listen(_address: string, _port: number, accept: (connection: HostConnection) => ConnectionEvents): () => void {
    this.accept = accept;
    return () => this.stopped++;
  }

  received: ((bytes: Uint8Array, address: string, port: number) => void) | undefined;
  datagrams(received: (bytes: Uint8Array, address: string, port: number) => void): {
    send: (bytes: Uint8Array, address: string, port: number) => void;
    close: () => void;
  } {
    this.received = received;
    return { send: (bytes, address, port) => void this.sent.push({ bytes, address, port }), close: () => undefined };
  }

  resolve(name: string): Promise<readonly string[]> {
    return Promise.resolve(name === 'example.org' ? ['1.2.3.4', '5.6.7.8'] : []);
  }

  timer(milliseconds: number, callback: () => void): () => void {
    const timer = { at: this.now + milliseconds, callback };
    this.timers.push(timer);
    return () => (this.timers = this.timers.filter((t) => t !== timer));
  }

  pass(milliseconds: number): void {
    const end = this.now + milliseconds;
    for (;;) {
      const next = this.timers.filter((t) => t.at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.now = next.at;
      this.timers = this.timers.filter((t) => t !== next);
      next.callback();
    }
    this.now = end;
  }
}

export class FakeConnection implements HostConnection {
  written = '';
  backlog = 0;
  hasEnded = false;
  destroyed = false;
  pauses = 0;
  write(bytes: Uint8Array): void {
    this.written += Buffer.from(bytes).toString('latin1');
  }
  end(): void {
    this.hasEnded = true;
  }
  destroy(): void {
    this.destroyed = true;
  }
  pause(): void {
    this.pauses++;
  }
  resume(): void {
    this.pauses--;
  }
}

/** A network with its guest. */
export class Wire {
  readonly host = new FakeHost();
  readonly frames: Uint8Array[] = [];
  readonly failures: string[] = [];
  readonly network: UserNetwork;

  constructor(options: Partial<UserNetworkOptions> = {}) {
    this.network = new UserNetwork(
      this.host,
      { forwards: [], outgoing: false, ...options },
      (frame) => this.frames.push(frame),
      (message) => this.failures.push(message),
    );
  }

  sendIpv4(destination: number, protocol: number, payload: Uint8Array): void {
    const packet = buildIpv4({ source: guestAddress, destination, protocol, payload }, 1);
    this.network.receive(buildFrame(Uint8Array.of(0x52, 0x55, 10, 0, 2, 2), guestMac, EtherType.ipv4, packet));
  }

  sendUdp(destination: number, sourcePort: number, destinationPort: number, payload: Uint8Array): void {
    this.sendIpv4(destination, Protocol.udp, buildUdp({ sourcePort, destinationPort, payload }, guestAddress, destination));
  }

  sendTcp(destination: number, segment: Partial<TcpSegment> & Pick<TcpSegment, 'sourcePort' | 'destinationPort' | 'flags'>): void {
    const whole = { sequence: 0, acknowledgment: 0, window: 0xffff, mss: undefined, payload: new Uint8Array(0), ...segment };
    this.sendIpv4(destination, Protocol.tcp, buildTcp(whole, guestAddress, destination));
  }

  /** TCP segments that reached the guest since the last call; every checksum is verified. */
  tcp(): readonly TcpSegment[] {
    return this.take(Protocol.tcp).map((payload) => parseTcp(payload)!);
  }

  udp(): readonly { readonly sourcePort: number; readonly destinationPort: number; readonly payload: Uint8Array }[] {
    return this.take(Protocol.udp).map((payload) => parseUdp(payload)!);
  }

  take(protocol: number): readonly Uint8Array[] {
    const out: Uint8Array[] = [];
    for (const frame of this.frames.splice(0)) {
      if (((frame[12]! << 8) | frame[13]!) !== EtherType.ipv4) continue;
      const header = frame.subarray(14, 34);
      if (checksum(header) !== 0) throw new Error('wrong IPv4 checksum');
      const packet = parseIpv4(frame.subarray(14))!;
      if (packet.protocol !== protocol) continue;
      if (protocol !== Protocol.icmp) {
        const pseudo =
          (packet.source >>> 16) +
          (packet.source & 0xffff) +
          (packet.destination >>> 16) +
          (packet.destination & 0xffff) +
          protocol +
          packet.payload.length;
        if (checksum(packet.payload, pseudo) !== 0) throw new Error('wrong checksum');
      }
      out.push(packet.payload);
    }
    return out;
  }
}

export { TcpFlag };
