import assert from 'node:assert/strict';
import { parseNetwork } from '../../../debug-adapter/net/options';
import { buildFrame, checksum, EtherType, ipv4, Protocol, type TcpSegment } from '../../../debug-adapter/net/packet';
import { pcapHeader, pcapRecord } from '../../../debug-adapter/net/pcap';
import { arpRequest } from '../../../debug-adapter/net/services';
import { FakeConnection, gateway, guestAddress, guestMac, TcpFlag, Wire } from './guest';

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const bytesOf = (value: string): Uint8Array => new Uint8Array(Buffer.from(value, 'latin1'));

describe('services of the network', () => {
  it('answers ARP for the gateway and the name server only', () => {
    const wire = new Wire();
    for (const [address, answered] of [
      ['10.0.2.2', true],
      ['10.0.2.3', true],
      ['10.0.2.9', false],
    ] as const) {
      wire.frames.length = 0;
      wire.network.receive(
        buildFrame(new Uint8Array(6).fill(255), guestMac, EtherType.arp, arpRequest(guestMac, guestAddress, ipv4(address))),
      );
      assert.equal(wire.frames.length, answered ? 1 : 0, address);
      if (answered) {
        const reply = wire.frames[0]!;
        assert.deepEqual([...reply.subarray(0, 6)], [...guestMac]);
        assert.equal(new DataView(reply.buffer).getUint32(14 + 14), ipv4(address));
      }
    }
  });

  it('answers pings of the gateway', () => {
    const wire = new Wire();
    const echo = Uint8Array.of(8, 0, 0, 0, 0x12, 0x34, 0, 1, ...bytesOf('hello'));
    const check = checksum(echo);
    echo[2] = check >> 8;
    echo[3] = check & 255;
    wire.sendIpv4(gateway, Protocol.icmp, echo);
    const [reply] = wire.take(Protocol.icmp);
    assert.equal(reply![0], 0);
    assert.equal(checksum(reply!), 0);
    assert.equal(text(reply!.subarray(8)), 'hello');
    wire.sendIpv4(ipv4('8.8.8.8'), Protocol.icmp, echo);
    assert.equal(wire.take(Protocol.icmp).length, 0);
  });

  it('leases 10.0.2.15 by DHCP', () => {
    const wire = new Wire();
    const message = (type: number, requested?: string): Uint8Array => {
      const bytes = new Uint8Array(260);
      const view = new DataView(bytes.buffer);
      bytes.set([1, 1, 6, 0, 0xde, 0xad, 0xbe, 0xef]);
      bytes.set(guestMac, 28);
      view.setUint32(236, 0x6382_5363);
      bytes.set([53, 1, type], 240);
      if (requested !== undefined) {
        bytes.set([50, 4], 243);
        view.setUint32(245, ipv4(requested));
        bytes[249] = 255;
      } else bytes[243] = 255;
      return bytes;
    };
    const ask = (type: number, requested?: string): { type: number; address: number } => {
      wire.sendUdp(ipv4('255.255.255.255'), 68, 67, message(type, requested));
      const [reply] = wire.udp();
      assert.equal(reply!.destinationPort, 68);
      assert.deepEqual([...reply!.payload.subarray(4, 8)], [0xde, 0xad, 0xbe, 0xef]);
      return { type: reply!.payload[242]!, address: new DataView(reply!.payload.buffer, reply!.payload.byteOffset).getUint32(16) };
    };
    assert.deepEqual(ask(1), { type: 2, address: guestAddress });
    assert.deepEqual(ask(3, '10.0.2.15'), { type: 5, address: guestAddress });
    assert.equal(ask(3, '10.0.2.99').type, 6);
  });

  it('answers names where outgoing traffic is allowed, and refuses otherwise', async () => {
    const query = (name: string): Uint8Array =>
      Uint8Array.of(
        0x12,
        0x34,
        1,
        0,
        0,
        1,
        0,
        0,
        0,
        0,
        0,
        0,
        ...name.split('.').flatMap((label) => [label.length, ...bytesOf(label)]),
        0,
        0,
        1,
        0,
        1,
      );
    const ask = async (outgoing: boolean, name: string): Promise<Uint8Array> => {
      const wire = new Wire({ outgoing });
      wire.sendUdp(ipv4('10.0.2.3'), 5000, 53, query(name));
      await new Promise((resolve) => setImmediate(resolve));
      return wire.udp()[0]!.payload;
    };
    const answer = await ask(true, 'example.org');
    assert.equal(answer[7], 2);
    assert.deepEqual([...answer.subarray(-4)], [5, 6, 7, 8]);
    assert.equal((await ask(true, 'nowhere.example'))[3]! & 15, 3);
    assert.equal((await ask(false, 'example.org'))[3]! & 15, 5);
  });

  it('relays datagrams where that is allowed', () => {
    const wire = new Wire({ outgoing: true });
    wire.sendUdp(gateway, 4000, 123, bytesOf('time?'));
    assert.equal(wire.host.sent[0]!.address, '127.0.0.1');
    wire.host.received!(bytesOf('now'), '127.0.0.1', 123);
    const [reply] = wire.udp();
    assert.equal(text(reply!.payload), 'now');
    assert.equal(reply!.destinationPort, 4000);
    const closed = new Wire();
    closed.sendUdp(gateway, 4000, 123, bytesOf('time?'));
    assert.equal(closed.host.sent.length, 0);
  });
});

describe('TCP', () => {
  const client = { sourcePort: 3000, destinationPort: 80 };

  /** Opens a connection from the guest. */
  function open(): { wire: Wire; socket: FakeConnection; events: Wire['host']['opened'][0]['events']; sequence: number; expected: number } {
    const wire = new Wire({ outgoing: true });
    wire.sendTcp(gateway, { ...client, sequence: 1000, flags: TcpFlag.syn, mss: 1000 });
    const { connection, events } = wire.host.opened[0]!;
    assert.equal(wire.tcp().length, 0, 'nothing is promised before the host has connected');
    events.connected();
    const [synAck] = wire.tcp();
    assert.equal(synAck!.flags, TcpFlag.syn | TcpFlag.ack);
    assert.equal(synAck!.acknowledgment, 1001);
    wire.sendTcp(gateway, { ...client, sequence: 1001, acknowledgment: synAck!.sequence + 1, flags: TcpFlag.ack });
    return { wire, socket: connection, events, sequence: 1001, expected: synAck!.sequence + 1 };
  }

  it('is refused where outgoing connections are not allowed', () => {
    const wire = new Wire();
    wire.sendTcp(gateway, { ...client, sequence: 7, flags: TcpFlag.syn });
    const [reply] = wire.tcp();
    assert.equal(reply!.flags, TcpFlag.rst | TcpFlag.ack);
    assert.equal(reply!.acknowledgment, 8);
    assert.equal(wire.host.opened.length, 0);
  });

  it('carries data both ways, and closes', () => {
    const { wire, socket, events, sequence, expected } = open();
    wire.sendTcp(gateway, { ...client, sequence, acknowledgment: expected, flags: TcpFlag.ack | TcpFlag.psh, payload: bytesOf('GET /') });
    assert.equal(socket.written, 'GET /');
    events.data(bytesOf('x'.repeat(2500)));
    const segments = wire.tcp();
    assert.equal(segments[0]!.acknowledgment, sequence + 5);
    assert.deepEqual(
      segments.map((s) => s.payload.length),
      [1000, 1000, 500],
    );
    wire.sendTcp(gateway, { ...client, sequence: sequence + 5, acknowledgment: expected + 2500, flags: TcpFlag.ack });
    events.ended();
    const fin = wire.tcp().at(-1)!;
    assert.equal(fin.flags & TcpFlag.fin, TcpFlag.fin);
    wire.sendTcp(gateway, { ...client, sequence: sequence + 5, acknowledgment: expected + 2501, flags: TcpFlag.fin | TcpFlag.ack });
    assert.equal(wire.tcp().at(-1)!.acknowledgment, sequence + 6);
    assert.ok(socket.hasEnded);
    assert.ok(!socket.destroyed);
  });

  it('acknowledges along with an answer, every second segment at once, and the others soon', () => {
    const { wire, events, sequence, expected } = open();
    let at = sequence;
    const send = (): void => {
      wire.sendTcp(gateway, { ...client, sequence: at, acknowledgment: expected, flags: TcpFlag.ack, payload: bytesOf('ten bytes.') });
      at += 10;
    };
    const acknowledged = (): number[] => wire.tcp().map((segment) => segment.acknowledgment - sequence);
    wire.tcp();
    send();
    assert.deepEqual(acknowledged(), []);
    send();
    assert.deepEqual(acknowledged(), [20]);
    send();
    events.data(bytesOf('answer'));
    assert.deepEqual(acknowledged(), [30]);
    wire.host.pass(5);
    assert.deepEqual(acknowledged(), []);
    send();
    wire.host.pass(5);
    assert.deepEqual(acknowledged(), [40]);
  });

  it('keeps to the window of the guest, and probes a closed one', () => {
    const { wire, events, sequence, expected } = open();
    wire.sendTcp(gateway, { ...client, sequence, acknowledgment: expected, flags: TcpFlag.ack, window: 300 });
    events.data(bytesOf('y'.repeat(1000)));
    assert.deepEqual(
      wire.tcp().map((s) => s.payload.length),
      [300],
    );
    wire.sendTcp(gateway, { ...client, sequence, acknowledgment: expected + 300, flags: TcpFlag.ack, window: 0 });
    assert.equal(wire.tcp().length, 0);
    wire.host.pass(1000);
    assert.equal(wire.tcp()[0]!.payload.length, 1);
    wire.sendTcp(gateway, { ...client, sequence, acknowledgment: expected + 301, flags: TcpFlag.ack, window: 5000 });
    assert.equal(
      wire.tcp().reduce((sum, s) => sum + s.payload.length, 0),
      699,
    );
  });

  it('sends again what is not acknowledged', () => {
    const { wire, events, sequence, expected } = open();
    events.data(bytesOf('lost'));
    wire.tcp();
    wire.host.pass(400);
    const [again] = wire.tcp();
    assert.equal(text(again!.payload), 'lost');
    assert.equal(again!.sequence >>> 0, expected >>> 0);
    wire.sendTcp(gateway, { ...client, sequence, acknowledgment: expected + 4, flags: TcpFlag.ack });
    wire.host.pass(5000);
    assert.equal(wire.tcp().length, 0);
  });

  it('takes segments that overlap or come twice only once', () => {
    const { wire, socket, sequence, expected } = open();
    const send = (offset: number, payload: string): void =>
      wire.sendTcp(gateway, {
        ...client,
        sequence: sequence + offset,
        acknowledgment: expected,
        flags: TcpFlag.ack,
        payload: bytesOf(payload),
      });
    send(0, 'abc');
    send(0, 'abc');
    send(1, 'bcd');
    send(10, 'far');
    assert.equal(socket.written, 'abcd');
    assert.equal(wire.tcp().at(-1)!.acknowledgment, sequence + 4);
  });

  it('tells the guest when the host drops the connection, and the host when the guest does', () => {
    const first = open();
    first.events.closed();
    assert.equal(first.wire.tcp().at(-1)!.flags & TcpFlag.rst, TcpFlag.rst);
    const second = open();
    second.wire.sendTcp(gateway, { ...client, sequence: second.sequence, flags: TcpFlag.rst });
    assert.ok(second.socket.destroyed);
  });

  it('pauses a host that is faster than the guest', () => {
    const { wire, socket, events, sequence, expected } = open();
    for (let i = 0; i < 5; i++) events.data(new Uint8Array(65_536));
    assert.equal(socket.pauses, 1);
    let acknowledged = 0;
    for (let turn = 0; turn < 200 && acknowledged < 5 * 65_536; turn++) {
      for (const segment of wire.tcp()) acknowledged += segment.payload.length;
      wire.sendTcp(gateway, { ...client, sequence, acknowledgment: (expected + acknowledged) >>> 0, flags: TcpFlag.ack });
    }
    assert.equal(acknowledged, 5 * 65_536);
    assert.equal(socket.pauses, 0);
  });

  it('forwards connections of the host to the guest', () => {
    const wire = new Wire({ forwards: [{ protocol: 'tcp', address: '127.0.0.1', port: 8080, guestPort: 80 }] });
    const socket = new FakeConnection();
    const events = wire.host.accept!(socket);
    events.data(bytesOf('early'));
    const syn = wire.tcp().at(-1)!;
    assert.equal(syn.flags, TcpFlag.syn);
    assert.equal(syn.destinationPort, 80);
    const reply = (segment: Partial<TcpSegment> & Pick<TcpSegment, 'flags'>): void =>
      wire.sendTcp(gateway, { sourcePort: 80, destinationPort: syn.sourcePort, ...segment });
    reply({ flags: TcpFlag.syn | TcpFlag.ack, sequence: 500, acknowledgment: syn.sequence + 1, mss: 1460 });
    const [ack, data] = wire.tcp();
    assert.equal(ack!.acknowledgment, 501);
    assert.equal(text(data!.payload), 'early');
    reply({ flags: TcpFlag.ack, sequence: 501, acknowledgment: syn.sequence + 6, payload: bytesOf('answer') });
    assert.equal(socket.written, 'answer');
    wire.network.close();
    assert.equal(wire.host.stopped, 1);
    assert.ok(socket.destroyed);
  });

  it('survives frames of nonsense', () => {
    const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
    let state = seed | 1;
    const random = (n: number): number => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return (state >>> 0) % n;
    };
    const { wire } = open();
    wire.sendTcp(gateway, { ...client, sequence: 1001, flags: TcpFlag.ack, payload: bytesOf('seed') });
    const template = buildFrame(guestMac, guestMac, EtherType.ipv4, new Uint8Array(60));
    for (let i = 0; i < 20_000; i++) {
      const frame = random(2) === 0 ? template.slice(0, random(75)) : Uint8Array.from({ length: random(200) }, () => random(256));
      if (frame.length > 34) {
        frame.set([0x08, random(2) === 0 ? 0 : 6, 0x45, 0, 0, random(90)], 12);
        frame[23] = [1, 6, 17][random(3)]!;
        for (let n = random(12); n > 0; n--) frame[24 + random(frame.length - 24)] = random(256);
      }
      try {
        wire.network.receive(frame);
      } catch (error) {
        assert.fail(`seed ${seed}, frame ${i}: ${String((error as Error).stack)}`);
      }
    }
  });
});

describe('the description of a network', () => {
  it('is read', () => {
    assert.deepEqual(parseNetwork('user,hostfwd=tcp:127.0.0.1:8080-:80,hostfwd=tcp::1-10.0.2.15:2,restrict=off,pcap=x.pcap'), {
      forwards: [
        { protocol: 'tcp', address: '127.0.0.1', port: 8080, guestPort: 80 },
        { protocol: 'tcp', address: '127.0.0.1', port: 1, guestPort: 2 },
      ],
      outgoing: true,
      pcap: 'x.pcap',
    });
    assert.deepEqual(parseNetwork('user'), { forwards: [], outgoing: false });
  });

  it('is refused with a reason', () => {
    for (const wrong of ['tap', 'user,hostfwd=8080:80', 'user,what', 'user,hostfwd=tcp::99999-:80', 'user,restrict=maybe'])
      assert.ok('error' in parseNetwork(wrong), wrong);
  });
});

describe('pcap', () => {
  it('has libpcap’s layout', () => {
    const header = new DataView(pcapHeader().buffer);
    assert.equal(header.getUint32(0, true), 0xa1b2_3c4d);
    assert.equal(header.getUint32(20, true), 1);
    const record = new DataView(pcapRecord(new Uint8Array(60), 3_000_000_007).buffer);
    assert.deepEqual([record.getUint32(0, true), record.getUint32(4, true), record.getUint32(8, true), record.byteLength], [3, 7, 60, 76]);
  });
});
