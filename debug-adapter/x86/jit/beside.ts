/** Regions that another thread compiles: what is asked of it, what becomes of their code meanwhile, and what may still be used when it answers. */

import { type CpuModel } from '../api';
import { type Insn } from '../decoder';
import { type CompileService } from '../default-compiler';
import { type CodeMap } from './code-map';
import { type RegionCode } from './compile';
import { type Region, type RegionBlock } from './discover';
import { type Precision } from './float';
import { type CompileAnswer, orderOf } from './order';
import { type WindowMapping } from './region-abi';
import { type RegionStore } from './region-store';

/** Orders that are on their way at once: one that is worked at, and one so that there is no pause after it. */
const mostOrders = 2;

/** A region to be compiled. */
export interface Ordered {
  readonly key: number;
  readonly mode: number;
  readonly region: Region;
  /** Physical ranges of its code: start and end. */
  readonly ranges: readonly (readonly [number, number])[];
  /** See `Wanted`. */
  readonly broad: boolean;
}

/** What is known of a region whose code has been compiled. */
export interface Made extends Omit<Ordered, 'region'> {
  readonly region: Pick<Region, 'entries' | 'pages' | 'open'> & { readonly blocks: readonly Pick<RegionBlock, 'key' | 'end'>[] };
  readonly window: WindowMapping | undefined;
}

/** What regions are compiled by. */
export interface OrderTerms {
  readonly precision: Precision | undefined;
  /** Instructions that compute with numbers out of the ordinary. */
  readonly unordinary: ReadonlySet<number>;
  /** Instructions whose accesses go by the TLB by themselves. */
  readonly alone: ReadonlySet<number>;
  recordOf(insn: Insn, mode: number, remaining: number): number;
}

/** What is told when an order has been answered. */
export interface BesideHost {
  instantiate(module: WebAssembly.Module): WebAssembly.Exports;
  /** A region is there, and its code has not changed since. */
  compiled(one: Ordered, compiled: RegionCode, place: number, code: WebAssembly.ExportValue): void;
  /** A region cannot be compiled. */
  failed(key: number): void;
}

export class Beside {
  #service: CompileService | undefined;
  readonly #orders = new Set<readonly Ordered[]>();
  /** Where the regions of all orders begin. */
  readonly #keys = new Set<number>();
  readonly #stale = new Set<Ordered>();

  constructor(
    service: CompileService | undefined,
    private readonly model: CpuModel,
    private readonly keptAs: string | undefined,
    private readonly map: CodeMap,
    private readonly store: RegionStore,
    private readonly host: BesideHost,
  ) {
    this.#service = service;
  }

  /** Is there a thread that can be asked? */
  get isThere(): boolean {
    return this.#service !== undefined;
  }

  /** Orders will come. */
  prepare(): void {
    this.#service?.prepare?.();
  }

  /** Has it enough to do? */
  get isFull(): boolean {
    return this.#orders.size >= mostOrders;
  }

  get isIdle(): boolean {
    return this.#orders.size === 0;
  }

  has(key: number): boolean {
    return this.#keys.has(key);
  }

  hasCode(page: number): boolean {
    for (const order of this.#orders) if (order.some(({ region }) => region.pages.has(page))) return true;
    return false;
  }

  codePages(): Iterable<number> {
    return [...this.#orders].flat().flatMap(({ region }) => [...region.pages]);
  }

  /** Has regions compiled into one module. */
  order(list: readonly Ordered[], { recordOf, ...terms }: OrderTerms): void {
    const service = this.#service;
    if (service === undefined || list.length === 0) return;
    const regions = list.map(({ key, mode, region, broad }) =>
      orderOf(
        region,
        { key, mode, broad, ...terms },
        {
          recordOf: (insn, remaining) => recordOf(insn, mode, remaining),
          copyCode: (range) => this.map.copy(range),
        },
      ),
    );
    const first = this.store.reserve(regions.length);
    this.#orders.add(list);
    for (const { key } of list) this.#keys.add(key);
    service.compile({ model: this.model, owner: this.store.owner, first, regions, keptAs: this.keptAs }).then(
      (answer) => {
        this.#take(list, answer, first);
      },
      () => {
        this.#service = undefined;
        this.#done(list);
      },
    );
  }

  /** @returns whether the order's regions may still be used */
  #done(list: readonly Ordered[]): boolean {
    if (!this.#orders.delete(list)) return false;
    for (const { key } of list) this.#keys.delete(key);
    return true;
  }

  #take(list: readonly Ordered[], { module, regions }: CompileAnswer, first: number): void {
    if (!this.#done(list)) return;
    const functions = module && this.host.instantiate(module);
    let number = 0;
    list.forEach((one, i) => {
      const compiled = regions[i];
      const isStale = this.#stale.delete(one);
      if (compiled === undefined || functions === undefined) {
        if (!isStale) this.host.failed(one.key);
        return;
      }
      const place = number++;
      if (!isStale) this.host.compiled(one, compiled, first + place, functions[place]!);
    });
  }

  /** Code in [physical, physical + length) changes. */
  invalidate(physical: number, length: number): void {
    for (const order of this.#orders) {
      for (const one of order) if (one.ranges.some(([start, end]) => start < physical + length && end > physical)) this.#stale.add(one);
    }
  }

  /** Nothing that was asked for is of use any more. */
  clear(): void {
    this.#orders.clear();
    this.#keys.clear();
    this.#stale.clear();
  }
}
