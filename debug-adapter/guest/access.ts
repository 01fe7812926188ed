/** What this folder may ask of the machine and its symbols, and integers of guest memory read through it; nothing here ever writes. */
import { type SymbolFile } from '../symbols/api';

/** A stopped machine with its kernel's symbols. */
export interface GuestAccess {
  /** The kernel's own symbol file. */
  readonly kernel: SymbolFile;
  /** Bytes at a linear address, fewer where a page is unmapped. */
  readMemory(address: bigint, length: number): Uint8Array;
  /** A register by name, e.g. `fs_base`. */
  register(name: string): bigint;
}

/** Characters read of a string that a thread or a file is named by. */
const longestName = 256;

/** A little-endian unsigned integer, or undefined where it is not all mapped. */
export function readUnsigned(guest: Pick<GuestAccess, 'readMemory'>, address: bigint, bytes: number): bigint | undefined {
  const data = guest.readMemory(BigInt.asUintN(64, address), bytes);
  if (data.length < bytes) return undefined;
  return data.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

/** A zero-terminated string; undefined where it is not mapped, not terminated within `limit` bytes, or not text. */
export function readText(guest: Pick<GuestAccess, 'readMemory'>, address: bigint, limit = longestName): string | undefined {
  if (address === 0n) return undefined;
  const bytes = guest.readMemory(address, limit);
  const end = bytes.indexOf(0);
  if (end < 0) return undefined;
  const text = new TextDecoder('utf-8').decode(bytes.subarray(0, end));
  return /[\0-\x1f\x7f\ufffd]/.test(text) ? undefined : text;
}

/** The value of the kernel's pointer-sized variable of this name (its first element, for an array by processor). */
export function readPointerVariable(guest: GuestAccess, name: string): bigint | undefined {
  const symbol = guest.kernel.symbolsNamed(name).find(({ kind }) => kind === 'data');
  return symbol === undefined ? undefined : readUnsigned(guest, symbol.address, 8);
}
