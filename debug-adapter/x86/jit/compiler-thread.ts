/** The thread that compiles regions beside the machine's: from an order to a module whose functions V8 has compiled once; and it keeps regions for later runs. */

import { opcodeTable } from '../isa/all';
import { Decoder } from '../decoder';
import { Rec } from '../shape';
import { SINGLE_RECORDS } from '../blocks';
import { Bodies } from './bodies';
import { type RegionBody } from './compile';
import { recalledRecords } from './in-place';
import { KeptGuest, type KeptStorage, placed } from './kept';
import {
  type CompileAnswer,
  type CompileOrder,
  fulfil,
  type GatherAnswer,
  type GatherOrder,
  type KeepOrder,
  type KnownAnswer,
  type KnownOrder,
  type RecallAnswer,
  type RecallOrder,
} from './order';
import { assembleNothing, assembleRegions } from './region-module';

/** Milliseconds after an order until what is kept is written, with what came meanwhile: a guest may run on for days, or be ended at any time. */
const patience = 2000;

/** What the thread is asked to do, and what it answers. */
export type Task =
  | { readonly kind: 'compile'; readonly order: CompileOrder }
  | { readonly kind: 'known'; readonly order: KnownOrder }
  | { readonly kind: 'recall'; readonly order: RecallOrder }
  | { readonly kind: 'gather'; readonly order: GatherOrder }
  | { readonly kind: 'keep'; readonly order: KeepOrder };
export type TaskAnswer<K extends Task['kind']> = {
  compile: CompileAnswer;
  known: KnownAnswer;
  recall: RecallAnswer;
  gather: GatherAnswer;
  keep: undefined;
}[K];

/** How far the regions of a guest have been recalled: how many of them, and where the interpreter's records of the next ones go. */
interface Recalling {
  from: number;
  record: number;
}

/** Answers orders. One per thread. */
export class RegionCompiler {
  readonly #decoder = new Decoder(opcodeTable);
  readonly #memory = new WebAssembly.Memory({ initial: 1024 });
  /** In the place of what regions call, which no run on an empty state block gets to. */
  readonly #nothing = new WebAssembly.Instance(new WebAssembly.Module(assembleNothing())).exports;
  readonly #guests = new Map<string, KeptGuest>();
  readonly #recalling = new Map<string, Recalling>();
  readonly #bodies = new Bodies();
  #waiting: { unref?(): void } | undefined;

  /** @param storage absent where nothing is kept */
  constructor(private readonly storage?: KeptStorage) {}

  do(task: Task): TaskAnswer<Task['kind']> {
    switch (task.kind) {
      case 'compile':
        return this.compile(task.order);
      case 'known':
        return this.known(task.order);
      case 'recall':
        return this.recall(task.order);
      case 'gather':
        return this.gather(task.order);
      case 'keep':
        return this.keep(task.order);
    }
  }

  compile({ model, owner, first, regions, keptAs }: CompileOrder): CompileAnswer {
    const compiled = regions.map((order) => fulfil(order, model, this.#decoder));
    const bodies = compiled.flatMap((region) => region ?? []);
    const codes = compiled.map((region) => region && { entries: region.entries, sites: region.sites, instructions: region.instructions });
    const module = this.#moduleOf(bodies, first);
    this.#bodies.add(owner, first, bodies);
    const guest = module && this.#guest(keptAs);
    if (guest !== undefined) {
      regions.forEach((order, i) => {
        const region = compiled[i];
        if (region !== undefined) guest.note(order, model, region);
      });
      this.#saveSoon();
    }
    return { module, regions: codes };
  }

  /** What is kept; recalling begins with the first of it. */
  known({ keptAs, model }: KnownOrder): KnownAnswer {
    this.#recalling.set(keptAs, { from: 0, record: recalledRecords.start });
    const all = this.#guest(keptAs)?.all(model) ?? [];
    return { entries: Float64Array.from(all.flatMap(({ key, entries }) => [key, ...entries])) };
  }

  /** Some more of the regions that are kept. */
  recall({ keptAs, model, owner, first, most }: RecallOrder): RecallAnswer {
    const all = this.#guest(keptAs)?.all(model) ?? [];
    const at = this.#recalling.get(keptAs) ?? { from: 0, record: recalledRecords.start };
    const regions = [];
    for (const kept of all.slice(at.from, at.from + most)) {
      if (at.record + kept.records.length * SINGLE_RECORDS * Rec.size > recalledRecords.end) break;
      regions.push(
        placed(kept, () => {
          at.record += SINGLE_RECORDS * Rec.size;
          return at.record - SINGLE_RECORDS * Rec.size;
        }),
      );
    }
    at.from += regions.length;
    const bodies = regions.map(({ body }) => body);
    const module = this.#moduleOf(bodies, first);
    this.#bodies.add(owner, first, bodies);
    if (module === undefined) return { module, regions: [], isLast: true };
    return { module, regions: regions.map(({ kept }) => kept), isLast: at.from >= all.length };
  }

  /** Regions of several modules in one. */
  gather({ owner, places, first }: GatherOrder): GatherAnswer {
    const bodies: RegionBody[] = [];
    const numbers = places.map((place) => {
      const body = this.#bodies.at(owner, place);
      return body === undefined ? -1 : bodies.push(body) - 1;
    });
    const module = this.#moduleOf(bodies, first);
    this.#bodies.add(owner, first, bodies);
    return { module, numbers };
  }

  /** The run is over, or pauses: what is kept is written. */
  keep({ keptAs, model, superseded, settled }: KeepOrder): undefined {
    const guest = this.#guest(keptAs);
    guest?.forget(model, superseded);
    guest?.settle(model, settled);
    guest?.save();
  }

  #guest(name: string | undefined): KeptGuest | undefined {
    if (name === undefined || this.storage === undefined) return undefined;
    let guest = this.#guests.get(name);
    if (guest === undefined) this.#guests.set(name, (guest = new KeptGuest(this.storage, name)));
    return guest;
  }

  #saveSoon(): void {
    if (this.#waiting !== undefined) return;
    this.#waiting = setTimeout(() => {
      this.#waiting = undefined;
      for (const guest of this.#guests.values()) guest.save();
    }, patience);
    this.#waiting.unref?.();
  }

  /** Undefined where there is nothing to enter, or the engine refused. */
  #moduleOf(bodies: readonly RegionBody[], first: number): WebAssembly.Module | undefined {
    if (bodies.length === 0) return undefined;
    try {
      const module = new WebAssembly.Module(assembleRegions(bodies, first));
      this.#warmUp(module);
      return module;
    } catch {
      return undefined;
    }
  }

  /** Without a budget a region leaves as soon as it is entered; V8 has compiled it then, on this thread and for all. */
  #warmUp(module: WebAssembly.Module): void {
    const { exports } = new WebAssembly.Instance(module, { env: { memory: this.#memory }, runtime: this.#nothing });
    for (const run of Object.values(exports)) if (typeof run === 'function') (run as (entry: number) => number)(0);
  }
}
