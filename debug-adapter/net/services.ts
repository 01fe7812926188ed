/** The services of the virtual network that need no host: ARP, ICMP echo, DHCP, and the form of DNS answers (RFC 826, 792, 2131, 1035). */
import { checksum, type Ipv4 } from './packet';

/** Answers an ARP request for one of `addresses`; undefined for anything else. Also tells whose address it was that asked. */
export function answerArp(
  packet: Uint8Array,
  addresses: readonly Ipv4[],
  mac: Uint8Array,
): { readonly reply: Uint8Array | undefined; readonly sender: { readonly mac: Uint8Array; readonly address: Ipv4 } } | undefined {
  if (packet.length < 28) return undefined;
  const view = new DataView(packet.buffer, packet.byteOffset, packet.byteLength);
  if (view.getUint16(0) !== 1 || view.getUint16(2) !== 0x0800 || packet[4] !== 6 || packet[5] !== 4) return undefined;
  const sender = { mac: packet.slice(8, 14), address: view.getUint32(14) };
  const wanted = view.getUint32(24);
  if (view.getUint16(6) !== 1 || !addresses.includes(wanted)) return { reply: undefined, sender };
  const reply = packet.slice(0, 28);
  const out = new DataView(reply.buffer);
  out.setUint16(6, 2);
  reply.set(mac, 8);
  out.setUint32(14, wanted);
  reply.set(sender.mac, 18);
  out.setUint32(24, sender.address);
  return { reply, sender };
}

/** Asks who has `target`. */
export function arpRequest(mac: Uint8Array, own: Ipv4, target: Ipv4): Uint8Array {
  const packet = new Uint8Array(28);
  const view = new DataView(packet.buffer);
  view.setUint16(0, 1);
  view.setUint16(2, 0x0800);
  packet[4] = 6;
  packet[5] = 4;
  view.setUint16(6, 1);
  packet.set(mac, 8);
  view.setUint32(14, own);
  view.setUint32(24, target);
  return packet;
}

/** The reply to an echo request. */
export function answerEcho(packet: Uint8Array): Uint8Array | undefined {
  if (packet.length < 8 || packet[0] !== 8) return undefined;
  const reply = packet.slice();
  reply[0] = 0;
  reply[2] = 0;
  reply[3] = 0;
  const check = checksum(reply);
  reply[2] = check >> 8;
  reply[3] = check & 0xff;
  return reply;
}

export interface Lease {
  readonly client: Ipv4;
  readonly server: Ipv4;
  readonly mask: Ipv4;
  readonly router: Ipv4;
  readonly dns: Ipv4;
}

const magicCookie = 0x6382_5363;
const leaseSeconds = 86_400;
const Message = { discover: 1, offer: 2, request: 3, ack: 5, nak: 6 } as const;
const Option = { mask: 1, router: 3, dns: 6, requested: 50, leaseTime: 51, type: 53, server: 54, end: 255 } as const;

/** Answers DISCOVER with OFFER, and REQUEST with ACK, or NAK where another address is asked for. */
export function answerDhcp(message: Uint8Array, lease: Lease): Uint8Array | undefined {
  if (message.length < 240 || message[0] !== 1) return undefined;
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  if (view.getUint32(236) !== magicCookie) return undefined;
  let type: number | undefined;
  let requested = view.getUint32(12);
  for (let at = 240; at < message.length && message[at] !== Option.end;) {
    if (message[at] === 0) {
      at++;
      continue;
    }
    const length = message[at + 1] ?? 0;
    if (at + 2 + length > message.length) break;
    if (message[at] === Option.type && length === 1) type = message[at + 2];
    if (message[at] === Option.requested && length === 4) requested = view.getUint32(at + 2);
    at += 2 + length;
  }
  if (type !== Message.discover && type !== Message.request) return undefined;
  const refused = type === Message.request && requested !== 0 && requested !== lease.client;
  const reply = new Uint8Array(300);
  const out = new DataView(reply.buffer);
  reply.set(message.subarray(0, 240));
  reply[0] = 2;
  out.setUint32(16, refused ? 0 : lease.client);
  out.setUint32(20, lease.server);
  let at = 240;
  const option = (code: number, ...bytes: number[]): void => {
    reply.set([code, bytes.length, ...bytes], at);
    at += 2 + bytes.length;
  };
  const word = (value: number): number[] => [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
  option(Option.type, refused ? Message.nak : type === Message.discover ? Message.offer : Message.ack);
  option(Option.server, ...word(lease.server));
  if (!refused) {
    option(Option.leaseTime, ...word(leaseSeconds));
    option(Option.mask, ...word(lease.mask));
    option(Option.router, ...word(lease.router));
    option(Option.dns, ...word(lease.dns));
  }
  reply[at] = Option.end;
  return reply;
}

export interface DnsQuestion {
  readonly name: string;
  /** 1 is A. */
  readonly type: number;
  /** Bytes of header and question. */
  readonly end: number;
}

/** The only question of a query. */
export function parseDnsQuestion(query: Uint8Array): DnsQuestion | undefined {
  if (query.length < 12) return undefined;
  const view = new DataView(query.buffer, query.byteOffset, query.byteLength);
  if ((view.getUint16(2) & 0xf800) !== 0 || view.getUint16(4) !== 1) return undefined;
  const labels: string[] = [];
  let at = 12;
  for (;;) {
    const length = query[at];
    if (length === undefined || length > 63 || at + 1 + length > query.length || at > 12 + 255) return undefined;
    at++;
    if (length === 0) break;
    labels.push(String.fromCharCode(...query.subarray(at, at + length)));
    at += length;
  }
  if (at + 4 > query.length) return undefined;
  return { name: labels.join('.'), type: view.getUint16(at), end: at + 4 };
}

/** An answer with these addresses, or the error code: 0 none, 3 no such name, 4 not implemented, 5 refused. */
export function buildDnsAnswer(query: Uint8Array, question: DnsQuestion, addresses: readonly Ipv4[], error: number): Uint8Array {
  const kept = addresses.slice(0, 16);
  const bytes = new Uint8Array(question.end + kept.length * 16);
  const view = new DataView(bytes.buffer);
  bytes.set(query.subarray(0, question.end));
  view.setUint16(2, 0x8180 | error);
  view.setUint16(6, kept.length);
  view.setUint32(8, 0);
  kept.forEach((address, index) => {
    const at = question.end + index * 16;
    view.setUint16(at, 0xc00c);
    view.setUint16(at + 2, 1);
    view.setUint16(at + 4, 1);
    view.setUint32(at + 6, 60);
    view.setUint16(at + 10, 4);
    view.setUint32(at + 12, address);
  });
  return bytes;
}
