/** Which memory behind an argument is kept when a system call happens: raw bytes only, formatted when somebody looks. */
import { type Capture, captureLimit } from './arena';
import { type SyscallRow } from './syscalls/row';
import { structureBytes } from './syscalls/structures';

/** Copies guest memory by linear address; shorter where a page is unmapped. */
export type MemoryReader = (address: bigint, length: number) => Uint8Array;

/** Bytes kept of a buffer: twice what strace shows. */
const bufferBytes = 64;
/** Elements kept of a vector or a list of descriptors, strings of an argument vector, and bytes of each. */
const mostElements = 32;
const mostStrings = 64;
/** Most strings are shorter than this; the rest is read only where there is more. */
const firstStringBytes = 96;

/** A piece of an I/O vector, as it is kept: its length (u32), the number of bytes kept (u8), and these. */
export const pieceHeader = 5;

/** What is kept of an argument; strings of a vector of them are too much for whoever copies without looking. */
export interface Followed {
  readonly index: number;
  readonly kind: 'string' | 'bytes' | 'vector' | 'strings';
  /** Which argument says how much there is. */
  readonly count: number | undefined;
  /** There is no more than the call's result. */
  readonly byResult: boolean;
  /** Bytes of each that is counted, of an element of a vector at most; without a count, of all. */
  readonly scale: number;
  /** Bytes that are kept at most, or elements of a vector. */
  readonly most: number;
}

/** What is kept of the memory behind argument `index`, or undefined where it is not followed. */
export function followedArgument(row: SyscallRow, index: number): Followed | undefined {
  const { kind, filled, count: counter } = row.args[index]!;
  const counting = row.args.findIndex(({ name }) => name === counter);
  const count = counting < 0 ? undefined : counting;
  const plain = { index, kind: 'bytes', count: undefined, byResult: false } as const;
  switch (kind) {
    case 'path':
    case 'str':
      return { ...plain, kind: 'string', scale: 1, most: captureLimit };
    case 'strings':
      return { ...plain, kind: 'strings', scale: 1, most: captureLimit };
    case 'iovec':
      return { ...plain, kind: 'vector', count, byResult: filled, scale: bufferBytes, most: mostElements };
    case 'bytes':
      return { ...plain, count, byResult: filled && row.result === 'size', scale: count === undefined ? 0 : 1, most: bufferBytes };
    case 'pollfd':
      return { ...plain, count, scale: count === undefined ? 0 : 8, most: mostElements * 8 };
    case 'sockaddr':
      return { ...plain, count, scale: count === undefined ? 28 : 1, most: 128 };
    default: {
      // A number itself, unless the kernel fills it in.
      const size = filled || (kind !== 'int' && kind !== 'long') ? structureBytes(kind) : undefined;
      return size === undefined ? undefined : { ...plain, scale: size, most: captureLimit };
    }
  }
}

/** Bytes (with whether there was more) to keep for an argument, or undefined where it points nowhere. */
export function captureArgument(
  followed: Followed,
  args: readonly bigint[],
  result: bigint | undefined,
  read: MemoryReader,
): Capture | undefined {
  const address = args[followed.index]!;
  if (address === 0n) return undefined;
  const count = followed.count === undefined ? undefined : args[followed.count]! & 0x7fff_ffffn;
  switch (followed.kind) {
    case 'string':
      return readString(address, read);
    case 'strings':
      return readStrings(address, read);
    case 'vector':
      return { bytes: readVector(address, Number(count ?? 0n), followed.byResult ? result : undefined, read), truncated: false };
    case 'bytes': {
      let length = (count ?? 1n) * BigInt(followed.scale);
      if (followed.byResult && result !== undefined && result < length) length = result;
      const limit = BigInt(followed.most);
      const wanted = Number(length < limit ? length : limit);
      return { bytes: wanted <= 0 ? new Uint8Array(0) : read(address, wanted), truncated: length > limit };
    }
  }
}

function readString(address: bigint, read: MemoryReader): Capture {
  for (let length = firstStringBytes; ; length = captureLimit + 1) {
    const bytes = read(address, length);
    const end = bytes.indexOf(0);
    if (end >= 0) return { bytes: bytes.subarray(0, end), truncated: false };
    if (length > captureLimit || bytes.length < length) return { bytes: bytes.subarray(0, captureLimit), truncated: true };
  }
}

/** Strings one after another, a zero after each. */
function readStrings(address: bigint, read: MemoryReader): Capture {
  const out: number[] = [];
  for (let i = 0; i < mostStrings; i++) {
    const word = read(address + BigInt(i * 8), 8);
    if (word.length < 8) break;
    const pointer = new DataView(word.buffer, word.byteOffset, 8).getBigUint64(0, true);
    if (pointer === 0n) return { bytes: Uint8Array.from(out), truncated: false };
    const { bytes, truncated } = readString(pointer, read);
    if (truncated || out.length + bytes.length + 1 > captureLimit) break;
    out.push(...bytes, 0);
  }
  return { bytes: Uint8Array.from(out), truncated: true };
}

/** @param filled bytes that the kernel has filled in, one element after the other; undefined where that is not how it is. */
function readVector(address: bigint, count: number, filled: bigint | undefined, read: MemoryReader): Uint8Array {
  const table = read(address, Math.min(count, mostElements) * 16);
  const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
  const out = new Uint8Array((table.length / 16) * (pieceHeader + bufferBytes));
  const outView = new DataView(out.buffer);
  let used = 0;
  let left = filled !== undefined && filled < 0n ? 0n : filled;
  for (let at = 0; at + 16 <= table.length; at += 16) {
    const length = view.getBigUint64(at + 8, true);
    const present = left === undefined || length < left ? length : left;
    if (left !== undefined) left -= present;
    const wanted = Number(present < BigInt(bufferBytes) ? present : BigInt(bufferBytes));
    const bytes = wanted > 0 ? read(view.getBigUint64(at, true), wanted) : new Uint8Array(0);
    outView.setUint32(used, Number(length & 0xffff_ffffn), true);
    out[used + 4] = bytes.length;
    out.set(bytes, used + pieceHeader);
    used += pieceHeader + bytes.length;
  }
  return out.subarray(0, used);
}
