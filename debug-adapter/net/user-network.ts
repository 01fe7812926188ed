/** A network for the guest without any rights on the host, as QEMU's user mode: 10.0.2.0/24 with a gateway, a name server, and the host's sockets behind them. */
import { type HostNetwork } from './host';
import {
  buildFrame,
  buildIpv4,
  buildTcp,
  buildUdp,
  EtherType,
  type Ipv4,
  ipv4,
  ipv4Text,
  parseIpv4,
  parseTcp,
  parseUdp,
  Protocol,
  TcpFlag,
  type TcpSegment,
} from './packet';
import { answerArp, answerDhcp, answerEcho, arpRequest, buildDnsAnswer, parseDnsQuestion } from './services';
import { TcpConnection, type TcpPorts } from './tcp';

export interface HostForward {
  readonly protocol: 'tcp' | 'udp';
  /** Address of the host to listen at. */
  readonly address: string;
  readonly port: number;
  readonly guestPort: number;
}

export interface UserNetworkOptions {
  readonly forwards: readonly HostForward[];
  /** Whether the guest may open connections to the host and beyond. */
  readonly outgoing: boolean;
}

const gateway = ipv4('10.0.2.2');
const nameServer = ipv4('10.0.2.3');
const guestAddress = ipv4('10.0.2.15');
const mask = ipv4('255.255.255.0');
const gatewayMac = Uint8Array.of(0x52, 0x55, 10, 0, 2, 2);
const broadcastMac: Uint8Array = new Uint8Array(6).fill(0xff);
/** Connections and datagram flows at a time; a guest that opens more is refused. */
const mostConnections = 4096;
const mostFlows = 256;
const flowIdle = 60_000;
const firstEphemeral = 49_152;

interface Flow {
  readonly socket: ReturnType<HostNetwork['datagrams']>;
  expire: () => void;
}

export class UserNetwork {
  private readonly connections = new Map<string, TcpConnection>();
  private readonly flows = new Map<string, Flow>();
  private readonly stops: (() => void)[] = [];
  private guestMac: Uint8Array = broadcastMac;
  private guest = guestAddress;
  private identification = 1;
  private sequence = 1;
  private ephemeral = firstEphemeral;

  /**
   * @param send gives a frame to the guest.
   * @param failed tells people of a forward that cannot be set up.
   */
  constructor(
    private readonly host: HostNetwork | undefined,
    private readonly options: UserNetworkOptions,
    private readonly send: (frame: Uint8Array) => void,
    failed: (message: string) => void,
  ) {
    for (const forward of options.forwards) {
      if (host === undefined) {
        failed('Ports cannot be forwarded here: this host has no sockets.');
        break;
      }
      if (forward.protocol === 'udp') {
        failed(`Forwarding UDP port ${forward.port} is not possible: only TCP is forwarded.`);
        continue;
      }
      this.stops.push(host.listen(forward.address, forward.port, (connection) => this.openToGuest(connection, forward.guestPort), failed));
    }
  }

  close(): void {
    for (const stop of this.stops) stop();
    for (const connection of [...this.connections.values()]) connection.abort();
    for (const flow of [...this.flows.values()]) flow.expire();
  }

  /** A frame that the guest sent. */
  receive(frame: Uint8Array): void {
    if (frame.length < 14) return;
    const type = (frame[12]! << 8) | frame[13]!;
    const payload = frame.subarray(14);
    if (type === EtherType.arp) this.receiveArp(payload);
    else if (type === EtherType.ipv4) {
      this.guestMac = frame.slice(6, 12);
      this.receiveIpv4(payload);
    }
  }

  private receiveArp(packet: Uint8Array): void {
    const answer = answerArp(packet, [gateway, nameServer], gatewayMac);
    if (answer === undefined) return;
    if (answer.sender.address !== 0) {
      this.guestMac = answer.sender.mac;
      this.guest = answer.sender.address;
    }
    if (answer.reply !== undefined) this.send(buildFrame(answer.sender.mac, gatewayMac, EtherType.arp, answer.reply));
  }

  private sendIpv4(source: Ipv4, destination: Ipv4, protocol: number, payload: Uint8Array): void {
    const packet = buildIpv4({ source, destination, protocol, payload }, this.identification++);
    this.send(buildFrame(this.guestMac, gatewayMac, EtherType.ipv4, packet));
  }

  private receiveIpv4(bytes: Uint8Array): void {
    const packet = parseIpv4(bytes);
    if (packet === undefined) return;
    const { source, destination, payload } = packet;
    switch (packet.protocol) {
      case Protocol.icmp: {
        const reply = destination === gateway || destination === nameServer ? answerEcho(payload) : undefined;
        if (reply !== undefined) this.sendIpv4(destination, source, Protocol.icmp, reply);
        break;
      }
      case Protocol.udp: {
        const datagram = parseUdp(payload);
        if (datagram === undefined) break;
        if (datagram.destinationPort === 67) this.receiveDhcp(datagram.payload);
        else if (destination === nameServer && datagram.destinationPort === 53)
          this.receiveDns(source, datagram.sourcePort, datagram.payload);
        else this.relayDatagram(source, datagram.sourcePort, destination, datagram.destinationPort, datagram.payload);
        break;
      }
      case Protocol.tcp: {
        const segment = parseTcp(payload);
        if (segment !== undefined) this.receiveTcp(source, destination, segment);
        break;
      }
      default:
    }
  }

  private receiveDhcp(message: Uint8Array): void {
    const reply = answerDhcp(message, { client: guestAddress, server: gateway, mask, router: gateway, dns: nameServer });
    if (reply === undefined) return;
    const destination = ipv4('255.255.255.255');
    const payload = buildUdp({ sourcePort: 67, destinationPort: 68, payload: reply }, gateway, destination);
    const packet = buildIpv4({ source: gateway, destination, protocol: Protocol.udp, payload }, this.identification++);
    this.send(buildFrame(broadcastMac, gatewayMac, EtherType.ipv4, packet));
  }

  private receiveDns(source: Ipv4, port: number, query: Uint8Array): void {
    const question = parseDnsQuestion(query);
    if (question === undefined) return;
    const request = query.slice();
    const reply = (addresses: readonly Ipv4[], error: number): void => {
      const payload = buildDnsAnswer(request, question, addresses, error);
      this.sendIpv4(nameServer, source, Protocol.udp, buildUdp({ sourcePort: 53, destinationPort: port, payload }, nameServer, source));
    };
    if (!this.options.outgoing || this.host === undefined) reply([], 5);
    else if (question.type !== 1) reply([], 0);
    else {
      void this.host.resolve(question.name).then(
        (addresses) => reply(addresses.map(ipv4), addresses.length === 0 ? 3 : 0),
        () => reply([], 3),
      );
    }
  }

  /** Where an address of the guest's view lies for the host: the gateway is the host itself. */
  private hostAddress(address: Ipv4): string {
    return address === gateway ? '127.0.0.1' : ipv4Text(address);
  }

  private relayDatagram(source: Ipv4, sourcePort: number, destination: Ipv4, port: number, payload: Uint8Array): void {
    if (!this.options.outgoing || this.host === undefined) return;
    const key = `${source}:${sourcePort}`;
    let flow = this.flows.get(key);
    if (flow === undefined) {
      if (this.flows.size >= mostFlows) return;
      const socket = this.host.datagrams((bytes, address, from) => {
        const origin = address === '127.0.0.1' ? gateway : ipv4(address);
        this.sendIpv4(
          origin,
          source,
          Protocol.udp,
          buildUdp({ sourcePort: from, destinationPort: sourcePort, payload: bytes }, origin, source),
        );
      });
      flow = { socket, expire: () => undefined };
      this.flows.set(key, flow);
      const cancel = this.host.timer(flowIdle, () => flow!.expire());
      flow.expire = () => {
        cancel();
        socket.close();
        this.flows.delete(key);
      };
    }
    flow.socket.send(payload.slice(), this.hostAddress(destination), port);
  }

  private key(remote: Ipv4, remotePort: number, guestPort: number): string {
    return `${remote}:${remotePort}:${guestPort}`;
  }

  private tcpPorts(remote: Ipv4, remotePort: number, guest: Ipv4, guestPort: number, key: string): TcpPorts {
    return {
      send: (segment) =>
        this.sendIpv4(
          remote,
          guest,
          Protocol.tcp,
          buildTcp({ ...segment, sourcePort: remotePort, destinationPort: guestPort }, remote, guest),
        ),
      timer: (milliseconds, callback) => this.host!.timer(milliseconds, callback),
      closed: () => void this.connections.delete(key),
    };
  }

  private receiveTcp(source: Ipv4, destination: Ipv4, segment: TcpSegment): void {
    const key = this.key(destination, segment.destinationPort, segment.sourcePort);
    const known = this.connections.get(key);
    if (known !== undefined) {
      known.receive(segment);
      return;
    }
    if ((segment.flags & TcpFlag.rst) !== 0) return;
    const isOpening = (segment.flags & (TcpFlag.syn | TcpFlag.ack)) === TcpFlag.syn;
    const { host } = this;
    if (!isOpening || !this.options.outgoing || host === undefined || this.connections.size >= mostConnections) {
      this.refuse(source, destination, segment);
      return;
    }
    const ports = this.tcpPorts(destination, segment.destinationPort, source, segment.sourcePort, key);
    const connection = TcpConnection.fromGuest(ports, segment, this.nextSequence(), (events) =>
      host.connect(this.hostAddress(destination), segment.destinationPort, events),
    );
    this.connections.set(key, connection);
  }

  /** RST for a segment that belongs to nothing (RFC 9293, 3.5.2). */
  private refuse(source: Ipv4, destination: Ipv4, segment: TcpSegment): void {
    const acknowledged = (segment.flags & TcpFlag.ack) !== 0;
    const length = segment.payload.length + ((segment.flags & TcpFlag.syn) !== 0 ? 1 : 0) + ((segment.flags & TcpFlag.fin) !== 0 ? 1 : 0);
    const reply: TcpSegment = {
      sourcePort: segment.destinationPort,
      destinationPort: segment.sourcePort,
      sequence: acknowledged ? segment.acknowledgment : 0,
      acknowledgment: acknowledged ? 0 : (segment.sequence + length) >>> 0,
      flags: acknowledged ? TcpFlag.rst : TcpFlag.rst | TcpFlag.ack,
      window: 0,
      mss: undefined,
      payload: new Uint8Array(0),
    };
    this.sendIpv4(destination, source, Protocol.tcp, buildTcp(reply, destination, source));
  }

  private nextSequence(): number {
    this.sequence = (this.sequence + 64_000) >>> 0;
    return this.sequence;
  }

  private openToGuest(connection: Parameters<typeof TcpConnection.toGuest>[1], guestPort: number): TcpConnection {
    // The guest may not have been heard of yet: its card answers to any frame, but its stack wants to know the gateway.
    if (this.guestMac === broadcastMac)
      this.send(buildFrame(broadcastMac, gatewayMac, EtherType.arp, arpRequest(gatewayMac, gateway, this.guest)));
    let port = this.ephemeral;
    let key = this.key(gateway, port, guestPort);
    for (let tries = 0; this.connections.has(key) && tries < 0x4000; tries++) {
      port = port >= 0xffff ? firstEphemeral : port + 1;
      key = this.key(gateway, port, guestPort);
    }
    this.ephemeral = port >= 0xffff ? firstEphemeral : port + 1;
    const opened = TcpConnection.toGuest(this.tcpPorts(gateway, port, this.guest, guestPort, key), connection, this.nextSequence());
    this.connections.set(key, opened);
    return opened;
  }
}
