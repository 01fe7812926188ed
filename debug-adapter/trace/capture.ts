/** Which memory behind an argument is kept when a system call happens: raw bytes only, formatted when somebody looks. */
import { captureLimit } from './ring';
import { type SyscallArgument, type SyscallRow } from './syscalls/row';
import { structureBytes } from './syscalls/structures';

/** Copies guest memory by linear address; shorter where a page is unmapped. */
export type MemoryReader = (address: bigint, length: number) => Uint8Array;

/** Pieces of an I/O vector that are kept: u32 length, then bytes; an element each. */
export const vectorPieces = 2;
export const vectorPieceBytes = captureLimit / vectorPieces;

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
      const wanted = Number(length < BigInt(captureLimit) ? length : BigInt(captureLimit));
      return { bytes: wanted <= 0 ? new Uint8Array(0) : read(address, wanted), truncated: length > BigInt(captureLimit) };
    }
    default: {
      // A number itself, unless the kernel fills it in.
      if (!argument.filled && (argument.kind === 'int' || argument.kind === 'long')) return undefined;
      const size = structureBytes(argument.kind);
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
  const bytes = read(address, captureLimit + 1);
  const end = bytes.indexOf(0);
  return end >= 0 ? { bytes: bytes.subarray(0, end), truncated: false } : { bytes: bytes.subarray(0, captureLimit), truncated: true };
}

/** Strings one after another, a zero after each. */
function readStrings(address: bigint, read: MemoryReader): { readonly bytes: Uint8Array; readonly truncated: boolean } {
  const out = new Uint8Array(captureLimit);
  let used = 0;
  for (let i = 0n; i < 16n; i++) {
    const word = read(address + i * 8n, 8);
    if (word.length < 8) break;
    const pointer = new DataView(word.buffer, word.byteOffset, 8).getBigUint64(0, true);
    if (pointer === 0n) return { bytes: out.subarray(0, used), truncated: false };
    const { bytes, truncated } = readString(pointer, read);
    if (truncated || used + bytes.length + 1 > captureLimit) break;
    out.set(bytes, used);
    used += bytes.length + 1;
  }
  return { bytes: out.subarray(0, used), truncated: true };
}

function readVector(address: bigint, count: number, result: bigint | undefined, filled: boolean, read: MemoryReader): Uint8Array {
  const pieces = Math.min(count, vectorPieces);
  const table = read(address, pieces * 16);
  const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
  const out = new Uint8Array(vectorPieceBytes * pieces);
  const outView = new DataView(out.buffer);
  let left = filled && result !== undefined ? (result < 0n ? 0n : result) : undefined;
  for (let i = 0; i < pieces && (i + 1) * 16 <= table.length; i++) {
    const length = view.getBigUint64(i * 16 + 8, true);
    const present = left === undefined || length < left ? length : left;
    if (left !== undefined) left -= present;
    outView.setUint32(i * vectorPieceBytes, Number(length & 0xffff_ffffn), true);
    const kept = Number(present < BigInt(vectorPieceBytes - 4) ? present : BigInt(vectorPieceBytes - 4));
    if (kept > 0) out.set(read(view.getBigUint64(i * 16, true), kept), i * vectorPieceBytes + 4);
  }
  return out;
}
