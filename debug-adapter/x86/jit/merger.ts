/** Puts the regions of many modules into one, where they go on in each other without the dispatcher: as soon as what the ways between modules have cost would have paid for it. */

import { RegionCounts, transitions } from './onward';
import { assembleRegions } from './region-module';
import { type Installed, type RegionStore } from './region-store';

/**
 * Regions entered by the dispatcher for each instruction that a merge compiles anew: entering one that way costs some 60 ns, an instruction some 5 us here
 * and 30 us on another thread. That would be 300; but where two cores are all there is, V8's optimising of the new module takes time from the machine for
 * many seconds (nginx: a tenth for twenty seconds, for a twentieth gained afterwards), so only what runs for minutes is merged.
 */
const pays = 2000;
/** Entered that often for each of its instructions, a region takes part. */
const takesPart = 50;
/** Regions entered between two looks. */
const lookEvery = 200_000;
/** The same where tests want to see it happen. */
const eagerly = { pays: 1, takesPart: 0, lookEvery: 40 } as const;

export class Merger {
  readonly #limits: { readonly pays: number; readonly takesPart: number; readonly lookEvery: number };
  /** Of the merge that is under way: what was dropped since began another one. */
  #generation = 0;
  #busy = false;

  constructor(
    private readonly i32: Int32Array,
    private readonly store: RegionStore,
    private readonly instantiate: (module: WebAssembly.Module) => WebAssembly.Exports,
    private readonly eager: boolean,
  ) {
    this.#limits = eager ? eagerly : { pays, takesPart, lookEvery };
  }

  /** All regions were dropped. */
  forget(): void {
    this.#generation++;
    this.#busy = false;
    this.i32[transitions >> 2] = 0;
  }

  /** Merges regions where that pays: at once where code is translated eagerly, else as soon as V8 has compiled them in the background. */
  consider(): void {
    if (this.i32[transitions >> 2]! < this.#limits.lookEvery || this.#busy) return;
    this.i32[transitions >> 2] = 0;
    const regions: Installed[] = [];
    let price = 0;
    let entered = 0;
    for (const region of this.store.live) {
      const times = this.i32[(RegionCounts.address >> 2) + region.index]!;
      if (!region.merged && times < region.instructions * this.#limits.takesPart) continue;
      regions.push(region);
      price += region.instructions;
      entered += times;
    }
    if (entered >= price * this.#limits.pays) this.#merge(regions);
  }

  #merge(regions: readonly Installed[]): void {
    if (regions.length < 2 || !this.store.hasPlacesFor(regions.length)) return;
    const first = this.store.reserve(regions.length);
    const bytes = assembleRegions(
      regions.map(({ body }) => body),
      first,
    );
    if (this.eager) {
      this.#move(regions, first, new WebAssembly.Module(bytes));
      return;
    }
    this.#busy = true;
    const generation = this.#generation;
    WebAssembly.compile(bytes).then(
      (module) => {
        if (generation !== this.#generation) return;
        this.#busy = false;
        this.#move(regions, first, module);
      },
      () => {
        // Engines may refuse for want of memory; the regions stay as they are, and no other attempt is made.
      },
    );
  }

  #move(regions: readonly Installed[], first: number, module: WebAssembly.Module): void {
    const functions = this.instantiate(module);
    regions.forEach((region, number) => {
      if (region.dead) return;
      region.merged = true;
      this.store.move(region, first + number, functions[number]!);
    });
  }
}
