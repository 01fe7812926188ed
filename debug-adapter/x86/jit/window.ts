/** Finds the stretch of linear memory that maps onto RAM without a seam, so that regions may reach it without the TLB. */

import { Layout, State } from '../state';
import { type WindowMapping } from './region-abi';

/** Page table entry bits (SDM vol. 3A, table 4-20). */
const Entry = { present: 1, write: 2, user: 4, accessed: 0x20, dirty: 0x40, large: 0x80 } as const;
const PAGE = 4096;
/** Longest access of generated code, bytes. */
const longestAccess = 64;
/** Page table entries looked at before the search gives up. */
const mostEntries = 80_000;

/** One leaf of the page tables: what maps a linear address. */
export interface Leaf {
  /** First physical and linear address of the page. */
  readonly physical: number;
  readonly linear: number;
  readonly size: number;
  /** Bits of `Entry`, those of permissions combined over all levels. */
  readonly flags: number;
  readonly executable: boolean;
  readonly user: boolean;
}

/** Reads 4-level page tables without side effects. Linear addresses below 2^47 only. */
export class PageTables {
  readonly #u32: Uint32Array;

  constructor(
    u32: Uint32Array,
    private readonly ramSize: number,
  ) {
    this.#u32 = u32;
  }

  #entry(table: number, index: number): { low: number; high: number } | undefined {
    const at = table + index * 8;
    if (at + 8 > this.ramSize) return undefined;
    const word = (Layout.ramBase + at) >>> 2;
    return { low: this.#u32[word]!, high: this.#u32[word + 1]! };
  }

  /** The leaf over a linear address, or undefined where none is present. */
  leaf(linear: number): Leaf | undefined {
    let table = (this.#u32[State.cr3 >> 2]! & 0xfffff000) >>> 0;
    let flags: number = Entry.write | Entry.user;
    let executable = true;
    for (let shift = 39; shift >= 12; shift -= 9) {
      const entry = this.#entry(table, Math.floor(linear / 2 ** shift) & 511);
      if (entry === undefined || (entry.low & Entry.present) === 0) return undefined;
      flags &= entry.low | ~(Entry.write | Entry.user);
      if ((entry.high & 0x8000_0000) !== 0) executable = false;
      const base = (entry.high & 0xfffff) * 2 ** 32 + ((entry.low & 0xfffff000) >>> 0);
      if (shift === 12 || (shift <= 30 && (entry.low & Entry.large) !== 0)) {
        const size = 2 ** shift;
        const physical = Math.floor(base / size) * size;
        return {
          physical,
          linear: Math.floor(linear / size) * size,
          size,
          executable,
          user: (flags & Entry.user) !== 0,
          flags: flags | (entry.low & (Entry.accessed | Entry.dirty)),
        };
      }
      if ((entry.low & Entry.accessed) === 0) return undefined;
      table = base;
    }
    return undefined;
  }
}

/** True where a leaf may be read, or executed, without the processor touching its entry. */
export const isAccessed = (leaf: Leaf): boolean => (leaf.flags & Entry.accessed) !== 0;

/**
 * The mapping around that of `anchor`: the longest stretch of it that may be read, and that may be written; undefined where there is none.
 * @param user the accesses are those of CPL 3.
 * @param hasCode stores to this physical page must be seen.
 */
export function findWindow(
  tables: PageTables,
  ramSize: number,
  anchor: number,
  user: boolean,
  hasCode: (page: number) => boolean,
): WindowMapping | undefined {
  const first = tables.leaf(anchor);
  if (first === undefined || first.physical >= ramSize) return undefined;
  const offset = first.physical - first.linear;
  const pages = Math.floor(ramSize / PAGE);
  /** By physical page: 1 may be read, 2 may be written. */
  const access = new Uint8Array(pages);
  let left = mostEntries;
  const mark = (from: number, step: 1 | -1): void => {
    let linear = from;
    while (left-- > 0 && linear >= 0 && linear < 2 ** 47) {
      const leaf = tables.leaf(linear);
      if (leaf === undefined || leaf.physical - leaf.linear !== offset || leaf.physical >= ramSize) return;
      const readable = isAccessed(leaf) && (!user || (leaf.flags & Entry.user) !== 0);
      const writable = readable && (leaf.flags & (Entry.write | Entry.dirty)) === (Entry.write | Entry.dirty);
      if (readable) access.fill(writable ? 3 : 1, leaf.physical / PAGE, Math.min(pages, (leaf.physical + leaf.size) / PAGE));
      linear = step > 0 ? leaf.linear + leaf.size : leaf.linear - 1;
    }
  };
  mark(first.linear, 1);
  mark(first.linear - 1, -1);
  for (let page = 0; page < pages; page++) if (access[page] === 3 && hasCode(page)) access[page] = 1;
  const read = longestRun(access, 1);
  const write = longestRun(access, 2);
  return {
    delta: (Layout.ramBase + offset) | 0,
    readStart: BigInt(read.start * PAGE - offset),
    readLength: lengthOf(read),
    writeStart: BigInt(write.start * PAGE - offset),
    writeLength: lengthOf(write),
  };
}

/** Does code that was made for one mapping hold in another? */
export function covers(outer: WindowMapping | undefined, inner: WindowMapping): boolean {
  return (
    outer?.delta === inner.delta &&
    contains(outer.readStart, outer.readLength, inner.readStart, inner.readLength) &&
    contains(outer.writeStart, outer.writeLength, inner.writeStart, inner.writeLength)
  );
}

/** Is the range [start, start + length) empty or within the outer one? */
function contains(outerStart: bigint, outerLength: bigint, start: bigint, length: bigint): boolean {
  return length === 0n || (outerStart <= start && outerStart + outerLength >= start + length);
}

/** May the code of this mapping write to the physical page? */
export function writes(window: WindowMapping, page: number): boolean {
  const first = (((Number(BigInt.asUintN(32, window.writeStart)) + window.delta) >>> 0) - Layout.ramBase) / PAGE;
  return page >= first && page < first + (Number(window.writeLength) + longestAccess) / PAGE;
}

/** May it reach this linear page? */
export function reaches(window: WindowMapping, linear: bigint): boolean {
  const within = (start: bigint, length: bigint): boolean =>
    linear >= start - BigInt(PAGE) && linear < start + length + BigInt(longestAccess);
  return within(window.readStart, window.readLength) || within(window.writeStart, window.writeLength);
}

function longestRun(access: Uint8Array, bit: number): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (let page = 0; page <= access.length; page++) {
    if (page < access.length && (access[page]! & bit) !== 0) continue;
    if (page - start > best.length) best = { start, length: page - start };
    start = page + 1;
  }
  return best;
}

/** Addresses at which an access may begin, whatever its length. */
const lengthOf = (run: { length: number }): bigint => BigInt(Math.max(0, run.length * PAGE - longestAccess + 1));
