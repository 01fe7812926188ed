/** The thread that compiles regions beside the machine's: from an order to a module whose functions V8 has compiled once. */

import { opcodeTable } from '../isa/all';
import { Decoder } from '../decoder';
import { type CompileAnswer, type CompileOrder, fulfil } from './order';
import { assembleRegions, runtimeNames } from './region-module';

/** Functions of all types that regions import, which no run on an empty state block gets to. */
const nothing = Object.fromEntries(runtimeNames.map((name) => [name, () => 0]));

/** Answers orders. One per thread. */
export class RegionCompiler {
  readonly #decoder = new Decoder(opcodeTable);
  readonly #memory = new WebAssembly.Memory({ initial: 1024 });

  compile({ model, first, regions }: CompileOrder): CompileAnswer {
    const compiled = regions.map((order) => fulfil(order, model, this.#decoder));
    const bodies = compiled.flatMap((region) => region ?? []);
    const codes = compiled.map((region) => region && { entries: region.entries, sites: region.sites, instructions: region.instructions });
    if (bodies.length === 0) return { module: undefined, regions: codes };
    try {
      const module = new WebAssembly.Module(assembleRegions(bodies, first));
      this.#warmUp(module);
      return { module, regions: codes };
    } catch {
      return { module: undefined, regions: codes };
    }
  }

  /** Without a budget a region leaves as soon as it is entered; V8 has compiled it then, on this thread and for all. */
  #warmUp(module: WebAssembly.Module): void {
    const { exports } = new WebAssembly.Instance(module, { env: { memory: this.#memory }, runtime: nothing });
    for (const run of Object.values(exports)) if (typeof run === 'function') (run as (entry: number) => number)(0);
  }
}
