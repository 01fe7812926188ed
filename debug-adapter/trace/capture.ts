/** Which memory behind an argument is kept when a system call happens: raw bytes only, formatted when somebody looks. */
import { captureLimit } from './ring';
import { type SyscallArgument, type SyscallRow } from './syscalls/row';
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

const followedKinds: readonly string[] = ['path', 'str', 'strings', 'iovec', 'bytes', 'pollfd', 'sockaddr'];

/** Whether there is ever something to keep for an argument of this kind. */
export function isCaptured(kind: string, filled: boolean): boolean {
  if (followedKinds.includes(kind)) return true;
  // A number itself, unless the kernel fills it in.
  return (filled || (kind !== 'int' && kind !== 'long')) && structureBytes(kind) !== undefined;
}

/** Bytes (with whether there was more) to keep for argument `index`, or undefined where nothing is to be kept. */
export function captureArgument(
  row: SyscallRow,
  index: number,
  args: readonly bigint[],
  result: bigint | undefined,
  read: MemoryReader,
): { readonly bytes: Uint8Array; readonly truncated: boolean } | undefined {
  const argument = row.args[index]!;
  const address = args[index]!;
  if (address === 0n) return undefined;
  const length = followedBytes(row, argument, args, result);
  switch (argument.kind) {
    case 'path':
    case 'str':
      return readString(address, read);
    case 'strings':
      return readStrings(address, read);
    case 'iovec':
      return { bytes: readVector(address, Number(BigInt.asUintN(31, length)), result, argument.filled, read), truncated: false };
    case 'bytes':
    case 'pollfd':
    case 'sockaddr': {
      const limit = BigInt(argument.kind === 'bytes' ? bufferBytes : argument.kind === 'pollfd' ? mostElements * 8 : 128);
      const wanted = Number(length < limit ? length : limit);
      return { bytes: wanted <= 0 ? new Uint8Array(0) : read(address, wanted), truncated: length > limit };
    }
    default: {
      const size = isCaptured(argument.kind, argument.filled) ? structureBytes(argument.kind) : undefined;
      return size === undefined ? undefined : { bytes: read(address, Math.min(size, captureLimit)), truncated: false };
    }
  }
}

/** Bytes (elements for a vector) that an argument's count says. */
function followedBytes(row: SyscallRow, argument: SyscallArgument, args: readonly bigint[], result: bigint | undefined): bigint {
  if (argument.kind === 'sockaddr' && argument.count === undefined) return 28n;
  const counter = row.args.findIndex((other) => other.name === argument.count);
  if (counter < 0) return 0n;
  const count = args[counter]! & 0x7fff_ffffn;
  if (argument.kind === 'pollfd') return count * 8n;
  // What the kernel filled in is as long as the result says.
  if (argument.kind === 'bytes' && argument.filled && result !== undefined && row.result === 'size') return result < count ? result : count;
  return count;
}

function readString(address: bigint, read: MemoryReader): { readonly bytes: Uint8Array; readonly truncated: boolean } {
  for (let length = firstStringBytes; ; length = captureLimit + 1) {
    const bytes = read(address, length);
    const end = bytes.indexOf(0);
    if (end >= 0) return { bytes: bytes.subarray(0, end), truncated: false };
    if (length > captureLimit || bytes.length < length) return { bytes: bytes.subarray(0, captureLimit), truncated: true };
  }
}

/** Strings one after another, a zero after each. */
function readStrings(address: bigint, read: MemoryReader): { readonly bytes: Uint8Array; readonly truncated: boolean } {
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

function readVector(address: bigint, count: number, result: bigint | undefined, filled: boolean, read: MemoryReader): Uint8Array {
  const table = read(address, Math.min(count, mostElements) * 16);
  const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
  const out = new Uint8Array((table.length / 16) * (pieceHeader + bufferBytes));
  const outView = new DataView(out.buffer);
  let used = 0;
  let left = filled && result !== undefined ? (result < 0n ? 0n : result) : undefined;
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
