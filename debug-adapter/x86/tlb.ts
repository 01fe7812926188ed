/** A look into the TLBs that generated code uses, for helpers that move more than a few bytes. */

import { Layout } from './state';

const mask = Layout.tlbEntries - 1;

/**
 * The offset in linear memory of `size` bytes at a linear address, when they lie in one page of RAM that the TLB (`Layout.tlbRead` or `tlbWrite`) holds: that
 * page may be accessed straight away, without watchpoints or decoded code to think of. -1 otherwise. `u32` views the whole memory.
 */
export function cachedHost(u32: Uint32Array, table: number, linear: bigint, size: number): number {
  // Exact for every canonical address, and the upper half of no other one is that of a page that is known.
  const address = Number(BigInt.asIntN(64, linear));
  return cachedHostOf(u32, table, address >>> 0, Math.floor(address / 0x1_0000_0000) >>> 0, size);
}

/** The same for an address in its halves, both unsigned. */
export function cachedHostOf(u32: Uint32Array, table: number, low: number, high: number, size: number): number {
  const at = (table >> 2) + ((low >>> 12) & mask) * 4;
  if (u32[at] !== (low & 0xffff_f000) >>> 0 || u32[at + 1] !== high || (low & 0xfff) + size > 4096) return -1;
  return (low + u32[at + 2]!) >>> 0;
}
