/** A look into the TLBs that generated code uses, for helpers that move more than a few bytes. */

import { Layout } from './state';

const mask = Layout.tlbEntries - 1;

/**
 * The offset in linear memory of `size` bytes at a linear address, when they lie in one page of RAM that the TLB (`Layout.tlbRead` or `tlbWrite`) holds: that
 * page may be accessed straight away, without watchpoints or decoded code to think of. -1 otherwise. `u32` views the whole memory.
 */
export function cachedHost(u32: Uint32Array, table: number, linear: bigint, size: number): number {
  return cachedHostOf(u32, table, Number(linear & 0xffff_ffffn), Number(linear >> 32n), size);
}

/** The same for an address in its halves, both unsigned. */
export function cachedHostOf(u32: Uint32Array, table: number, low: number, high: number, size: number): number {
  const at = (table >> 2) + ((low >>> 12) & mask) * 4;
  if (u32[at] !== (low & 0xffff_f000) >>> 0 || u32[at + 1] !== high || (low & 0xfff) + size > 4096) return -1;
  return (low + u32[at + 2]!) >>> 0;
}
