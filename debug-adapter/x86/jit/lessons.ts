/** What runs of regions tell of the guest's code, and which regions are worth being made again with it. */

import { State } from '../state';
import { type Wanted } from './finder';
import { type Precision, precisionOf } from './float';
import { type Heat } from './heat';
import { type JitHost } from './host';
import { IndirectTargets } from './indirect-targets';
import { type KeptCode } from './kept';
import { type ExitReason } from './region-abi';
import { type Installed } from './region-store';
import { covers } from './window';
import { type Windows } from './windows';

/** Indirect jumps out of a region before it is made again with their targets in it. */
const someIndirect = 4;
/** Instructions of slices that ended in a region before it is made again for the window, and how many more for each of its own; the same where all is translated. */
const longRun = 800_000;
const longRunForOne = 100_000;
const longEager = 1500;
/** Times that a region is made again with code in it that it was often left for and that had not run enough before. */
const mostGrowth = 3;
/** Exits of a region for accesses beyond the window, or numbers out of the ordinary, before it is made again. */
const manyExits = 32;
/** The same for accesses beyond the page of others, which pages that the TLB does not know yet look like. */
const manyApart = 256;
/** Times that a region is made again for that before all of its accesses go by the TLB. */
const mostBeyond = 2;
/** Times that MXCSR was found changed before regions no longer rely on it. */
const mostPrecisionChanges = 200;

/** Who makes regions. */
export interface Maker {
  make(list: readonly Wanted[]): void;
  /** One at an address of the current mode at which there is none. */
  makeNew(key: number): void;
  /** Is there a region that is entered at this address? */
  has(key: number): boolean;
}

/** A region once more, by what is known by now. */
export const againOf = ({ entry, mode, window, broad }: Installed): Wanted => ({
  key: entry,
  mode,
  windowed: window !== undefined,
  again: true,
  broad,
});

export class Lessons {
  readonly indirect: IndirectTargets;
  /** Instructions whose accesses go by the TLB, by themselves. */
  readonly alone = new Set<number>();
  /** Instructions that compute with numbers out of the ordinary. */
  readonly unordinary = new Set<number>();
  /** Addresses that regions were often left for. */
  readonly #missed = new Set<number>();
  /** Where blocks begin that ran often in an earlier run. */
  readonly #ranBefore = new Set<number>();
  /** Regions met with another MXCSR than they were made for. */
  #precisionChanges = 0;

  constructor(
    private readonly host: JitHost,
    private readonly heat: Heat,
    private readonly windows: Windows,
    private readonly maker: Maker,
  ) {
    this.indirect = new IndirectTargets(host.i32);
  }

  /** All regions are given up. */
  clear(): void {
    this.#missed.clear();
  }

  /** Were regions often left for this address? */
  wasMissed(key: number): boolean {
    return this.#missed.has(key);
  }

  /** Do regions lead to this address, other than by direct calls that any of them shows? */
  isLedTo(key: number): boolean {
    return this.#missed.has(key) || this.indirect.isTarget(key);
  }

  /** Has the code at this address been seen to run often, though not by the interpreter? */
  isWorthIt(key: number): boolean {
    return this.#missed.has(key) || this.#ranBefore.has(key);
  }

  /** What regions may take for granted of MXCSR. */
  get precision(): Precision | undefined {
    const { eager, i32 } = this.host;
    return this.#precisionChanges > mostPrecisionChanges && !eager ? undefined : precisionOf(i32[State.mxcsr >> 2]!);
  }

  precisionChanged(): void {
    this.#precisionChanges++;
  }

  /** What an earlier run told of the code of a region counts in this one too. */
  learn({ blocks, alone, unordinary }: KeptCode): void {
    for (const at of alone) this.alone.add(at);
    for (const at of unordinary) this.unordinary.add(at);
    for (const { key, last, end } of blocks) {
      this.#ranBefore.add(key);
      if (end.kind === 'indirect') this.indirect.learn(last, end.candidates);
    }
  }

  /** A slice ended in a region: one that goes on for long is worth being made for the window, or again with what is known by now of where its code leads. */
  stayed(region: Installed, slice: number): void {
    if ((region.window !== undefined && !region.early) || !this.windows.mayUse(region.entry)) return;
    region.heat += slice;
    if (region.heat < (this.host.eager ? longEager : longRun + region.instructions * longRunForOne)) return;
    region.heat = -Infinity;
    const wanted = { ...againOf(region), windowed: true };
    if (region.early) {
      region.early = false;
      this.maker.make([{ ...wanted, more: region.instructions }]);
    } else if (this.windows.isWide(this.windows.find())) this.maker.make([wanted]);
  }

  /** Regions, this one last, were often left for an address at which there is none. */
  missing(region: Installed | undefined, key: number): void {
    this.#missed.add(key);
    if (region?.open.has(key) !== true || region.grown === mostGrowth) return this.maker.makeNew(key);
    if (region.dead) return;
    region.grown++;
    this.maker.make([againOf(region)]);
  }

  /** A region is entered over and over again: it is worth having more of what it leads to in it. @returns whether it is looked for */
  entered(region: Installed | undefined): boolean {
    if (region === undefined || region.dead || region.settled || region.window !== undefined) return false;
    this.maker.make([{ ...againOf(region), more: region.instructions, broad: true }]);
    return true;
  }

  /** A region was left at one of its sites. */
  left(region: Installed, site: number, why: ExitReason): void {
    region.exits.set(site, (region.exits.get(site) ?? 0) + 1);
    if (why === 'unordinary') this.#unordinaryMet(region);
    else if (region.window === undefined) this.#apart(region);
    else this.#beyond(region);
  }

  /** Accesses were not where others of their block are: those that do so more than once go by the TLB by themselves. */
  #apart(region: Installed): void {
    region.beyond++;
    if (region.dead || !this.heat.isWorthParting(region.entry, region.beyond, manyApart)) return;
    const apart = region.leftOften('reach');
    for (const key of apart) this.alone.add(key);
    if (apart.length > 0) this.maker.make([againOf(region)]);
  }

  /** Accesses went beyond the window: the same with those. */
  #beyond(region: Installed): void {
    if (!this.#isWorthRemaking(region, ++region.beyond, manyExits)) return;
    const window = this.windows.find();
    // It may just have been made before the guest touched the pages that it goes to.
    if (window === undefined || covers(region.window, window)) {
      if (this.heat.remade(region.entry) > mostBeyond) this.windows.roaming.add(region.entry);
      else for (const key of region.leftOften('reach')) this.alone.add(key);
    }
    this.maker.make([againOf(region)]);
  }

  /** Numbers were out of the ordinary: instructions that meet such more than once are done with more care when the region is made again. */
  #unordinaryMet(region: Installed): void {
    if (!this.#isWorthRemaking(region, ++region.unordinary, manyExits)) return;
    for (const key of region.leftOften('unordinary')) this.unordinary.add(key);
    this.maker.make([againOf(region)]);
  }

  /** An indirect jump out of a region was counted, to `target`. */
  jumped(region: Installed | undefined, target: number): void {
    const isNew = this.indirect.note();
    // Made again, it would lead to another region there as before.
    if (region === undefined || (this.maker.has(target) && !region.blocks.includes(target))) return;
    region.unforeseen++;
    // It may have been on its way when that became known.
    if (isNew || !region.foreseen.has(target)) region.stale = true;
    if (region.stale && this.#isWorthRemaking(region, region.unforeseen, someIndirect)) this.maker.make([againOf(region)]);
  }

  #isWorthRemaking(region: Installed, exits: number, first: number): boolean {
    return !region.dead && this.heat.isWorthRemaking(region.entry, exits, first);
  }
}
