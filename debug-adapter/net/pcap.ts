/** Captures frames in libpcap's classic file format, with nanosecond time stamps. */

const magicNanoseconds = 0xa1b2_3c4d;
const linkEthernet = 1;
const snapLength = 0x4_0000;

/** The file's header. */
export function pcapHeader(): Uint8Array {
  const bytes = new Uint8Array(24);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, magicNanoseconds, true);
  view.setUint16(4, 2, true);
  view.setUint16(6, 4, true);
  view.setUint32(16, snapLength, true);
  view.setUint32(20, linkEthernet, true);
  return bytes;
}

/** @param time nanoseconds of virtual time. */
export function pcapRecord(frame: Uint8Array, time: number): Uint8Array {
  const bytes = new Uint8Array(16 + frame.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, Math.floor(time / 1e9), true);
  view.setUint32(4, time % 1e9, true);
  view.setUint32(8, frame.length, true);
  view.setUint32(12, frame.length, true);
  bytes.set(frame, 16);
  return bytes;
}
