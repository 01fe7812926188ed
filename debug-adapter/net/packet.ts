/** Ethernet, IPv4, UDP and TCP headers: reading with bounds checks, writing with checksums (RFC 791, 768, 9293). */

export const EtherType = { ipv4: 0x0800, arp: 0x0806 } as const;
export const Protocol = { icmp: 1, tcp: 6, udp: 17 } as const;
export const TcpFlag = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16 } as const;

/** An IPv4 address as a number. */
export type Ipv4 = number;

export function ipv4(text: string): Ipv4 {
  return text.split('.').reduce((value, part) => value * 256 + Number(part), 0);
}

export function ipv4Text(address: Ipv4): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
}

export interface Ipv4Packet {
  readonly source: Ipv4;
  readonly destination: Ipv4;
  readonly protocol: number;
  readonly payload: Uint8Array;
}

export interface UdpDatagram {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly payload: Uint8Array;
}

export interface TcpSegment {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly sequence: number;
  readonly acknowledgment: number;
  readonly flags: number;
  readonly window: number;
  /** Maximum segment size option, where it is there. */
  readonly mss: number | undefined;
  readonly payload: Uint8Array;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** One's complement sum of 16-bit words, not yet inverted. */
function sum(bytes: Uint8Array, start = 0): number {
  let total = start;
  for (let i = 0; i + 1 < bytes.length; i += 2) total += (bytes[i]! << 8) | bytes[i + 1]!;
  if ((bytes.length & 1) !== 0) total += bytes[bytes.length - 1]! << 8;
  while (total > 0xffff) total = (total & 0xffff) + Math.floor(total / 0x1_0000);
  return total;
}

export function checksum(bytes: Uint8Array, start = 0): number {
  return ~sum(bytes, start) & 0xffff;
}

/** Sum of the pseudo header that UDP and TCP checksums cover. */
function pseudoSum(source: Ipv4, destination: Ipv4, protocol: number, length: number): number {
  return (source >>> 16) + (source & 0xffff) + (destination >>> 16) + (destination & 0xffff) + protocol + length;
}

/** Undefined for what is not a whole, unfragmented IPv4 packet. */
export function parseIpv4(bytes: Uint8Array): Ipv4Packet | undefined {
  if (bytes.length < 20 || bytes[0]! >> 4 !== 4) return undefined;
  const view = viewOf(bytes);
  const header = (bytes[0]! & 15) * 4;
  const total = view.getUint16(2);
  if (header < 20 || total < header || total > bytes.length) return undefined;
  if ((view.getUint16(6) & 0x3fff) !== 0) return undefined;
  return { source: view.getUint32(12), destination: view.getUint32(16), protocol: bytes[9]!, payload: bytes.subarray(header, total) };
}

export function buildIpv4(packet: Ipv4Packet, identification: number): Uint8Array {
  const bytes = new Uint8Array(20 + packet.payload.length);
  const view = viewOf(bytes);
  bytes[0] = 0x45;
  view.setUint16(2, bytes.length);
  view.setUint16(4, identification & 0xffff);
  view.setUint16(6, 0x4000);
  bytes[8] = 64;
  bytes[9] = packet.protocol;
  view.setUint32(12, packet.source);
  view.setUint32(16, packet.destination);
  view.setUint16(10, checksum(bytes.subarray(0, 20)));
  bytes.set(packet.payload, 20);
  return bytes;
}

export function parseUdp(bytes: Uint8Array): UdpDatagram | undefined {
  if (bytes.length < 8) return undefined;
  const view = viewOf(bytes);
  const length = view.getUint16(4);
  if (length < 8 || length > bytes.length) return undefined;
  return { sourcePort: view.getUint16(0), destinationPort: view.getUint16(2), payload: bytes.subarray(8, length) };
}

export function buildUdp(datagram: UdpDatagram, source: Ipv4, destination: Ipv4): Uint8Array {
  const bytes = new Uint8Array(8 + datagram.payload.length);
  const view = viewOf(bytes);
  view.setUint16(0, datagram.sourcePort);
  view.setUint16(2, datagram.destinationPort);
  view.setUint16(4, bytes.length);
  bytes.set(datagram.payload, 8);
  const check = checksum(bytes, pseudoSum(source, destination, Protocol.udp, bytes.length));
  // Zero means that there is none.
  view.setUint16(6, check === 0 ? 0xffff : check);
  return bytes;
}

export function parseTcp(bytes: Uint8Array): TcpSegment | undefined {
  if (bytes.length < 20) return undefined;
  const view = viewOf(bytes);
  const header = (bytes[12]! >> 4) * 4;
  if (header < 20 || header > bytes.length) return undefined;
  let mss: number | undefined;
  for (let at = 20; at < header;) {
    const kind = bytes[at]!;
    if (kind === 0) break;
    if (kind === 1) {
      at++;
      continue;
    }
    const length = bytes[at + 1] ?? 0;
    if (length < 2 || at + length > header) break;
    if (kind === 2 && length === 4) mss = view.getUint16(at + 2);
    at += length;
  }
  return {
    sourcePort: view.getUint16(0),
    destinationPort: view.getUint16(2),
    sequence: view.getUint32(4),
    acknowledgment: view.getUint32(8),
    flags: bytes[13]! & 0x3f,
    window: view.getUint16(14),
    mss,
    payload: bytes.subarray(header),
  };
}

export function buildTcp(segment: TcpSegment, source: Ipv4, destination: Ipv4): Uint8Array {
  const header = segment.mss === undefined ? 20 : 24;
  const bytes = new Uint8Array(header + segment.payload.length);
  const view = viewOf(bytes);
  view.setUint16(0, segment.sourcePort);
  view.setUint16(2, segment.destinationPort);
  view.setUint32(4, segment.sequence >>> 0);
  view.setUint32(8, segment.acknowledgment >>> 0);
  bytes[12] = (header / 4) << 4;
  bytes[13] = segment.flags;
  view.setUint16(14, segment.window);
  if (segment.mss !== undefined) {
    view.setUint16(20, 0x0204);
    view.setUint16(22, segment.mss);
  }
  bytes.set(segment.payload, header);
  view.setUint16(16, checksum(bytes, pseudoSum(source, destination, Protocol.tcp, bytes.length)));
  return bytes;
}

/** A frame, padded to what Ethernet asks for. */
export function buildFrame(destination: Uint8Array, source: Uint8Array, type: number, payload: Uint8Array): Uint8Array {
  const frame = new Uint8Array(Math.max(60, 14 + payload.length));
  frame.set(destination, 0);
  frame.set(source, 6);
  frame[12] = type >> 8;
  frame[13] = type & 0xff;
  frame.set(payload, 14);
  return frame;
}
