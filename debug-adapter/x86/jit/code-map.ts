/** Where the guest's code lies in physical memory: the mapping of the pages that regions were made from, on which they rely as long as it stays. */

import { Cr4 } from '../control-bits';
import { type Insn } from '../decoder';
import { Layout, Mode, State } from '../state';
import { crossesPage, highOf, keyOf, lowOf, type Region, secondPage } from './discover';
import { isAccessed, type PageTables } from './window';

const PAGE = 4096;

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

  /** Remembers how the pages of a region's code are mapped. @returns the physical ranges of its instructions */
  note({ blocks }: Region): [number, number][] {
    const ranges: [number, number][] = [];
    const note = (low: number, high: number, length: number): void => {
      const page = Math.floor(keyOf(low, high) / PAGE);
      let physical = this.#pages.get(page);
      if (physical === undefined) this.#pages.set(page, (physical = this.physical(low & -PAGE, high)));
      const start = physical + (low & (PAGE - 1));
      const last = ranges.at(-1);
      if (last?.[1] === start) last[1] += length;
      else ranges.push([start, start + length]);
    };
    for (const { insns } of blocks) for (const insn of insns) pieces(insn, note);
    return ranges;
  }

  /** Copies the code of an instruction of a region that was noted. */
  readonly copy = (insn: Insn, to: Uint8Array, at: number): void => {
    let next = at;
    pieces(insn, (low, high, length) => {
      const from = Layout.ramBase + this.#pages.get(Math.floor(keyOf(low, high) / PAGE))! + (low & (PAGE - 1));
      for (let i = 0; i < length; i++) to[next++] = this.u8[from + i]!;
    });
  };

  /** Is all that was noted mapped as it was? */
  get holds(): boolean {
    for (const [page, physical] of this.#pages) {
      if (this.physical((page << 12) | 0, Math.floor(page / 0x10_0000)) !== physical) return false;
    }
    return true;
  }

  clear(): void {
    this.#pages.clear();
  }
}

/** The pages that an instruction lies in: where in them, and how much. */
function pieces(insn: Insn, each: (low: number, high: number, length: number) => void): void {
  if (!crossesPage(insn)) {
    each(insn.ripLow, insn.ripHigh, insn.length);
    return;
  }
  const here = PAGE - (insn.ripLow & (PAGE - 1));
  each(insn.ripLow, insn.ripHigh, here);
  const [low, high] = secondPage(insn);
  each(low, high, insn.length - here);
}
