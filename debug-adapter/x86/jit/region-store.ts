/** The regions that there are: their functions in the table that the dispatcher calls by, and where they are found by address, by physical page and in the cache from RIP. */

import { type RegionCode } from './compile';
import { highOf, lowOf } from './discover';
import { EntryCounts, MissCounts } from './dispatcher';
import { cacheIndex, RegionCache } from './onward';
import { type ExitReason, type ExitSite, type WindowMapping } from './region-abi';

/** Regions that are there at once; those that were dropped keep their places in the table too. */
const mostRegions = 3000;
const mostPlaces = 30_000;

/** Exits of one instruction for it to be done another way when its region is made again. */
const someExits = 2;

/** What is known of a region beside its code. */
export interface RegionFacts {
  readonly entry: number;
  readonly mode: number;
  /** The mapping that it was made for; undefined where all accesses go by the TLB. */
  readonly window: WindowMapping | undefined;
  /** Physical ranges of its code: start and end. */
  readonly ranges: readonly (readonly [number, number])[];
  readonly pages: ReadonlySet<number>;
  /** Addresses that it leads to and that had not run enough when it was made. */
  readonly open: ReadonlySet<number>;
  /** Where its blocks begin. */
  readonly blocks: readonly number[];
  /** Where its indirect jumps may go to, as far as was known when it was made. */
  readonly foreseen: ReadonlySet<number>;
  /** It was made with what it leads to in it. */
  readonly broad: boolean;
}

/** A region, and what its runs have told so far. */
export class Installed {
  readonly entry: number;
  readonly mode: number;
  readonly window: WindowMapping | undefined;
  readonly ranges: readonly (readonly [number, number])[];
  readonly pages: ReadonlySet<number>;
  readonly open: ReadonlySet<number>;
  readonly blocks: readonly number[];
  readonly foreseen: ReadonlySet<number>;
  readonly broad: boolean;
  readonly entries: readonly number[];
  readonly sites: readonly ExitSite[];
  readonly instructions: number;
  /** Place in the table. */
  index = -1;
  dead = false;
  /** Exits by site, of accesses beyond the window and numbers out of the ordinary, and the sums of both. */
  readonly exits = new Map<number, number>();
  beyond = 0;
  unordinary = 0;
  /** Instructions of the slices that ended in it. */
  heat = 0;
  /** It was made for the window as soon as it was found, before much was known of where its code leads. */
  early = false;
  /** Indirect jumps out of it, and whether it knows fewer of their targets than were met. */
  unforeseen = 0;
  stale = false;
  /** Times that it was made again with some of `open` in it. */
  grown = 0;
  /** There is no more to be had in it, in this run or an earlier one. */
  settled = false;

  constructor(facts: RegionFacts, compiled: RegionCode) {
    this.entry = facts.entry;
    this.mode = facts.mode;
    this.window = facts.window;
    this.ranges = facts.ranges;
    this.pages = facts.pages;
    this.open = facts.open;
    this.blocks = facts.blocks;
    this.foreseen = facts.foreseen;
    this.broad = facts.broad;
    this.entries = compiled.entries;
    this.sites = compiled.sites;
    this.instructions = compiled.instructions;
  }

  /** What it was left for because of where its accesses went counts no longer. */
  forgetReach(): void {
    if (this.beyond === 0 || this.window !== undefined) return;
    this.beyond = 0;
    this.sites.forEach(({ why }, number) => {
      if (why === 'reach') this.exits.delete(number);
    });
  }

  /** Instructions before which it was left more than once for one reason. */
  leftOften(why: ExitReason): number[] {
    return this.sites.flatMap((site, number) => (site.why === why && (this.exits.get(number) ?? 0) >= someExits ? site.key : []));
  }
}

/** Tables of this thread that there have been. */
let tables = 0;

export class RegionStore {
  /** Tells the places of this table, until it is cleared, from those of others. */
  owner = ++tables;
  readonly table = new WebAssembly.Table({ element: 'anyfunc', initial: 64 });
  readonly #places: (Installed | undefined)[] = [];
  readonly #live = new Set<Installed>();
  readonly #byEntry = new Map<number, Installed>();
  /** Regions whose first instruction is the interpreter's, by its address: they are entered after it alone, and compiling that address again brings nothing. */
  readonly #resumeOnly = new Map<number, Installed>();
  readonly #byPage = new Map<number, Set<Installed>>();
  /** Address of a block -> regions that have it. */
  readonly #holders = new Map<number, number>();
  /** Regions that reach memory through a window. */
  readonly windowed = new Set<Installed>();

  /** The cache has entries of regions. */
  #cached: boolean;

  constructor(private readonly i32: Int32Array) {
    // Memory that nobody has used yet has 0 there.
    this.#cached = i32[(RegionCache.address >> 2) + 1] !== 0;
    this.#clearCache();
  }

  get size(): number {
    return this.#live.size;
  }

  /** Those that are there. */
  all(): Iterable<Installed> {
    return this.#live;
  }

  /** Is there room for so many more regions? */
  hasRoomFor(count: number): boolean {
    return this.#live.size + count <= mostRegions && this.#places.length + count <= mostPlaces;
  }

  /** May so many functions more have places, and as many again? */
  hasPlacesFor(count: number): boolean {
    return this.#places.length + 2 * count <= mostPlaces;
  }

  at(place: number): Installed | undefined {
    return this.#places[place];
  }

  /** The region that is entered at an address. */
  entered(key: number): Installed | undefined {
    return this.#byEntry.get(key);
  }

  /** The region that was made for an address, though it cannot be entered there. */
  resumed(key: number): Installed | undefined {
    return this.#resumeOnly.get(key);
  }

  /** Has a region a block that begins at this address? */
  holds(key: number): boolean {
    return this.#holders.has(key);
  }

  hasCode(page: number): boolean {
    return this.#byPage.has(page);
  }

  codePages(): Iterable<number> {
    return this.#byPage.keys();
  }

  onPage(page: number): Iterable<Installed> {
    return this.#byPage.get(page) ?? [];
  }

  /** Keeps places for so many functions. @returns the first */
  reserve(count: number): number {
    const first = this.#places.length;
    this.#places.length += count;
    return first;
  }

  /**
   * Adds a region at a place that was reserved.
   * @returns the entries that lead to it now, and the pages that had no code before.
   */
  add(region: Installed, place: number, code: WebAssembly.ExportValue): { entries: number[]; pages: number[] } {
    this.#live.add(region);
    this.#put(region, place, code);
    this.i32[(EntryCounts.address >> 2) + place] = 0;
    if (region.window !== undefined) this.windowed.add(region);
    const pages = [...region.pages].filter((page) => !this.#byPage.has(page));
    for (const page of region.pages) {
      const list = this.#byPage.get(page);
      if (list === undefined) this.#byPage.set(page, new Set([region]));
      else list.add(region);
    }
    for (const key of region.blocks) this.#holders.set(key, (this.#holders.get(key) ?? 0) + 1);
    const entries = region.entries.filter((entry) => {
      const other = this.#byEntry.get(entry);
      return other === undefined || holdsMore(region, other);
    });
    for (const entry of entries) {
      this.#byEntry.set(entry, region);
      this.#cache(entry, region);
    }
    if (!region.entries.includes(region.entry)) this.#resumeOnly.set(region.entry, region);
    return { entries, pages };
  }

  /** Another function does the same as a region's did: it is at a place that was reserved, where it is found from now on. */
  move(region: Installed, place: number, code: WebAssembly.ExportValue): void {
    const old = region.index;
    this.#put(region, place, code);
    const counts = EntryCounts.address >> 2;
    this.i32[counts + place] = this.i32[counts + old]!;
    for (const entry of region.entries) {
      const at = (RegionCache.address + cacheIndex(lowOf(entry))) >> 2;
      if (this.#byEntry.get(entry) === region && this.i32[at + 2] === old) this.#cache(entry, region);
    }
    this.table.set(old, null);
  }

  #put(region: Installed, place: number, code: WebAssembly.ExportValue): void {
    if (place >= this.table.length) this.table.grow(Math.max(256, place + 1 - this.table.length));
    this.table.set(place, code);
    this.#places[place] = region;
    region.index = place;
  }

  drop(region: Installed): void {
    if (region.dead) return;
    region.dead = true;
    this.#live.delete(region);
    for (const entry of region.entries) {
      if (this.#byEntry.get(entry) !== region) continue;
      this.#byEntry.delete(entry);
      const at = (RegionCache.address + cacheIndex(lowOf(entry))) >> 2;
      if (this.i32[at + 2] === region.index) this.i32.fill(-1, at, at + 4);
    }
    if (this.#resumeOnly.get(region.entry) === region) this.#resumeOnly.delete(region.entry);
    for (const page of region.pages) {
      const list = this.#byPage.get(page);
      list?.delete(region);
      if (list?.size === 0) this.#byPage.delete(page);
    }
    for (const key of region.blocks) {
      const left = this.#holders.get(key)! - 1;
      if (left === 0) this.#holders.delete(key);
      else this.#holders.set(key, left);
    }
    this.windowed.delete(region);
    this.table.set(region.index, null);
  }

  /** Drops every region. */
  clear(): void {
    for (const region of this.#live) {
      region.dead = true;
      this.table.set(region.index, null);
    }
    this.#live.clear();
    this.#byEntry.clear();
    this.#resumeOnly.clear();
    this.#byPage.clear();
    this.#holders.clear();
    this.windowed.clear();
    this.owner = ++tables;
    this.#places.length = 0;
    this.#clearCache();
  }

  /** Puts the region of an address back into the cache, where another one took its place. @returns whether there is one */
  cacheAgain(key: number, mode: number): boolean {
    const found = this.#byEntry.get(key);
    if (found?.mode !== mode) return false;
    this.#cache(key, found);
    return true;
  }

  #cache(key: number, region: Installed): void {
    const { i32 } = this;
    this.#cached = true;
    const at = (RegionCache.address + cacheIndex(lowOf(key))) >> 2;
    i32[at] = lowOf(key);
    i32[at + 1] = highOf(key) ^ ((region.mode | 0x100) << 16);
    i32[at + 2] = region.index;
    i32[at + 3] = region.entries.indexOf(key);
  }

  #clearCache(): void {
    // A mebibyte is not touched before it has to be: no address with its mode tag is 0, but one that is not canonical could be in the first place.
    const first = RegionCache.address >> 2;
    this.i32.fill(-1, first, first + (this.#cached ? RegionCache.entries * 4 : 4));
    this.#cached = false;
    this.i32.fill(0, MissCounts.address >> 2, (MissCounts.address >> 2) + MissCounts.entries * 2);
  }
}

/** Is a region the better one to enter at an address that another one has, too? */
export const holdsMore = (region: Installed, other: Installed): boolean =>
  region.mode === other.mode && (region.window !== undefined || other.window === undefined) && region.instructions > other.instructions;

/** Is some of the code within [start, start + length) of physical memory? */
export const touches = (region: Installed, start: number, length: number): boolean =>
  region.ranges.some(([from, to]) => from < start + length && to > start);
