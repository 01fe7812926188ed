/**
 * Regions of many modules are gathered into one when much time goes by on the way from one to another: V8 changes modules slowly, and the code of one module lies close
 * together. What they do stays the same; each has a new place in the table, and the old modules are given up.
 */

import { type CompileService } from '../default-compiler';
import { EntryCounts } from './dispatcher';
import { type Installed, type RegionStore } from './region-store';

/** Samples between looks at what was entered. */
const samplesBetween = 128;
/** Regions in one module; fewer are not worth it. */
const mostRegions = 2500;
const leastRegions = 8;
/**
 * Regions that move at one look: V8 has to see again how hot each is before it optimises it, and is busy for a second or more with all of them, while what has not moved runs
 * as fast as before.
 */
const movesAtOnce = 128;
/** Entries by the dispatcher of a region that is taken along. */
const someEntries = 64;
/**
 * Entries of regions outside of the module, for each instruction of those that would be in it, before it is made: V8 optimises the code once more, which takes some
 * 15 us for each instruction, and an entry from another module costs some 40 ns more.
 */
const entriesForOne = 400;
/** The same where all is translated. */
const eagerly = { samplesBetween: 2, leastRegions: 1, someEntries: 1, entriesForOne: 0.01, movesAtOnce: 2 } as const;

interface GatheringHost {
  readonly store: RegionStore;
  readonly i32: Int32Array;
  readonly eager: boolean;
  instantiate(module: WebAssembly.Module): WebAssembly.Exports;
  /** So many regions are in one module now. */
  gathered(count: number): void;
}

export class Gathering {
  /** Places of the regions of the module that holds most: the first, and the one after them. */
  #first = 0;
  #end = 0;
  #samples = 0;
  #isComing = false;
  /** Regions that have not moved yet, the next one last, and their functions. */
  readonly #waiting: { readonly region: Installed; readonly place: number; readonly code: WebAssembly.ExportValue }[] = [];
  /** Counts the times that all regions were given up: an answer to a question from before is of no use. */
  #age = 0;
  /** The thread has no code of these. */
  readonly #lacking = new WeakSet<Installed>();
  readonly #terms: Readonly<Record<keyof typeof eagerly, number>>;

  constructor(
    private readonly service: CompileService | undefined,
    private readonly host: GatheringHost,
  ) {
    this.#terms = host.eager ? eagerly : { samplesBetween, leastRegions, someEntries, entriesForOne, movesAtOnce };
  }

  /** All regions are given up. */
  clear(): void {
    this.#first = this.#end = 0;
    this.#isComing = false;
    this.#waiting.length = 0;
    this.#age++;
  }

  /** Regions at these places are of one module. */
  together(first: number, end: number): void {
    if (end - first > this.#end - this.#first) [this.#first, this.#end] = [first, end];
  }

  /** The machine runs. */
  sampled(): void {
    if (this.service?.gather === undefined || ++this.#samples < this.#terms.samplesBetween || this.#isComing) return;
    this.#samples = 0;
    if (this.#waiting.length > 0) return this.#move();
    const regions = this.#entered();
    if (regions !== undefined) void this.#gather(regions);
  }

  /** The regions that would be in the module, those that are entered most first; undefined where it is not worth making. */
  #entered(): Installed[] | undefined {
    const { store } = this.host;
    const { leastRegions: least, someEntries: some, entriesForOne: forOne } = this.#terms;
    let outside = 0;
    let instructions = 0;
    const found: { readonly region: Installed; readonly entries: number }[] = [];
    for (const region of store.all()) {
      const entries = this.#entriesOf(region);
      if (region.window !== undefined || entries < some || this.#lacking.has(region)) continue;
      found.push({ region, entries });
      instructions += region.instructions;
      if (region.index < this.#first || region.index >= this.#end) outside += entries;
    }
    if (found.length < least || outside < instructions * forOne || !store.hasPlacesFor(found.length)) return undefined;
    found.sort((one, other) => other.entries - one.entries);
    return found.slice(0, mostRegions).map(({ region }) => region);
  }

  #entriesOf({ index }: Installed): number {
    return this.host.i32[(EntryCounts.address >> 2) + index]! >>> 0;
  }

  async #gather(regions: readonly Installed[]): Promise<void> {
    const { store } = this.host;
    const age = this.#age;
    this.#isComing = true;
    const first = store.reserve(regions.length);
    const places = Int32Array.from(regions, ({ index }) => index);
    try {
      const answer = await this.service?.gather?.({ owner: store.owner, places, first });
      if (answer === undefined || age !== this.#age) return;
      this.#isComing = false;
      this.#take(regions, answer.numbers, answer.module, first);
    } catch {
      // Without the thread all stays as it is.
    }
  }

  /** @param numbers of their functions in the module, or -1 */
  #take(regions: readonly Installed[], numbers: Int32Array, module: WebAssembly.Module | undefined, first: number): void {
    const functions = module && this.host.instantiate(module);
    regions.forEach((region, i) => {
      const number = numbers[i]!;
      if (functions === undefined || number < 0) this.#lacking.add(region);
      else this.#waiting.push({ region, place: first + number, code: functions[number]! });
    });
    this.#waiting.reverse();
    this.#first = first;
    this.#end = first + regions.length;
  }

  #move(): void {
    const moved = this.#waiting.splice(-this.#terms.movesAtOnce).filter(({ region }) => !region.dead);
    for (const { region, place, code } of moved.reverse()) this.host.store.move(region, place, code);
    this.host.gathered(moved.length);
  }
}
