/** Where the guest's code lies in physical memory: the mapping of the pages that regions were made from, on which they rely as long as it stays. */

import { Cr4 } from '../control-bits';
import { Layout, Mode, State } from '../state';
import { highOf, lowOf, type RegionBlock } from './discover';
import { isAccessed, type PageTables } from './window';

const PAGE = 4096;

/** A piece of code: the key of where it begins, and its bytes. */
export interface CodeRange {
  readonly key: number;
  readonly length: number;
}

export class CodeMap {
  /** Linear page number -> physical address. */
  readonly #pages = new Map<number, number>();

  constructor(
    private readonly u8: Uint8Array,
    private readonly i32: Int32Array,
    private readonly ramSize: number,
    private readonly tables: PageTables,
  ) {}

  /** Physical address of a code byte in the current mode, or -1 where it cannot be fetched. Halves of the linear address. */
  physical(low: number, high: number): number {
    if (high < 0 || high >= 0x8000) return -1;
    const linear = high * 0x1_0000_0000 + (low >>> 0);
    const leaf = this.tables.leaf(linear);
    if (leaf === undefined || !isAccessed(leaf) || !leaf.executable) return -1;
    const user = (this.i32[State.mode >> 2]! & Mode.user) !== 0;
    // A page of the other privilege: supervisor code for the user, user code with SMEP.
    if (user ? !leaf.user : leaf.user && (this.i32[State.cr4 >> 2]! & Cr4.SMEP) !== 0) return -1;
    const physical = leaf.physical + (linear - leaf.linear);
    return physical + PAGE <= this.ramSize ? physical : -1;
  }

  /** Physical address of the byte at a key, or -1. */
  at(key: number): number {
    return this.physical(lowOf(key), highOf(key));
  }

  /** Number of the physical page at a key, or -1. */
  pageOf(key: number): number {
    return Math.floor(this.at(key) / PAGE);
  }

  /** Does a region have code in this linear page? */
  has(page: number): boolean {
    return this.#pages.has(page);
  }

  /** Remembers how the pages of a region's code are mapped. @returns the physical ranges of its blocks */
  note(blocks: readonly CodeRange[]): [number, number][] {
    const ranges: [number, number][] = [];
    for (const block of blocks) {
      for (const { key, length } of pieces(block)) {
        const page = Math.floor(key / PAGE);
        let physical = this.#pages.get(page);
        if (physical === undefined) this.#pages.set(page, (physical = this.at(page * PAGE)));
        const start = physical + (key - page * PAGE);
        const last = ranges.at(-1);
        if (last?.[1] === start) last[1] += length;
        else ranges.push([start, start + length]);
      }
    }
    return ranges;
  }

  /** A copy of code that was noted. */
  copy(range: CodeRange): Uint8Array {
    const copy = new Uint8Array(range.length);
    let at = 0;
    for (const { key, length } of pieces(range)) {
      const page = Math.floor(key / PAGE);
      const from = Layout.ramBase + this.#pages.get(page)! + (key - page * PAGE);
      copy.set(this.u8.subarray(from, from + length), at);
      at += length;
    }
    return copy;
  }

  /** Do these pieces of code stand at their addresses now, where they can be fetched? What was noted is taken to hold. */
  holdsCode(list: readonly { readonly key: number; readonly code: Uint8Array }[]): boolean {
    let page = -1;
    let start = -1;
    for (const { key, code } of list) {
      for (let at = 0; at < code.length; at++) {
        const linear = key + at;
        if (at === 0 || linear % PAGE === 0) {
          if (Math.floor(linear / PAGE) !== page) {
            page = Math.floor(linear / PAGE);
            start = this.#pages.get(page) ?? this.at(page * PAGE);
          }
          if (start < 0) return false;
        }
        if (this.u8[Layout.ramBase + start + (linear - page * PAGE)] !== code[at]) return false;
      }
    }
    return true;
  }

  /** Forgets the pages that are no longer mapped as was noted. @returns the physical addresses that were, and whether most of all stay */
  forgetMoved(): { readonly moved: number[]; readonly mostStay: boolean } {
    const moved: number[] = [];
    const { size } = this.#pages;
    for (const [page, physical] of this.#pages) {
      if (this.at(page * PAGE) === physical) continue;
      moved.push(physical);
      this.#pages.delete(page);
    }
    return { moved, mostStay: moved.length * 4 <= size };
  }

  clear(): void {
    this.#pages.clear();
  }
}

/** The pieces of code that lie in one page each. */
function pieces({ key, length }: CodeRange): CodeRange[] {
  const found: CodeRange[] = [];
  for (let at = key; at < key + length;) {
    const end = Math.min(key + length, (Math.floor(at / PAGE) + 1) * PAGE);
    found.push({ key: at, length: end - at });
    at = end;
  }
  return found;
}

/** The code of a block of a region. */
export const rangeOf = ({ key, insns }: RegionBlock): CodeRange => ({ key, length: insns.reduce((sum, { length }) => sum + length, 0) });
