/** Regions of earlier runs of the same guest: they come from the thread that compiles, and wait until the guest gets to the code that they were made of. */

import { type KeptRegions } from '../api';
import { type CompileService } from '../default-compiler';
import { Telling } from '../event-log';
import { type Made } from './beside';
import { type CodeMap } from './code-map';
import { type JitHost } from './host';
import { type KeptCode } from './kept';
import { type RegionStore } from './region-store';

/** Regions that come at once: the first are there sooner the fewer they are, and to go on from one to another is fast only within one module. */
const firstAtOnce = 32;
const mostAtOnce = 512;
/** Samples until all are asked for again after the machine's regions were given up. */
const patience = 20;
/** Times that the code at an address is compared with what was kept of it: what is not mapped yet may be soon. */
const mostLooks = 8;
const PAGE = 4096;

/** A region that waits for its code. */
interface Waiting {
  readonly kept: KeptCode;
  /** Its place in the table. */
  readonly place: number;
  readonly function: WebAssembly.ExportValue;
  looks: number;
}

/** What is told. */
interface RecallEvents {
  instantiate(module: WebAssembly.Module): WebAssembly.Exports;
  /** Regions for these addresses have come, with the places of the module's functions: the first, and the one after them. */
  arrived(keys: readonly number[], first: number, end: number): void;
}

export class RecalledRegions {
  /** By the addresses at which they are entered, and the one that each was made for. */
  readonly #waiting = new Map<number, Waiting>();
  /** Where the code of those begins that will come. */
  readonly #coming = new Set<number>();
  /** Counts the times that all were asked for: only answers to the last are of use. */
  #current = 0;
  /** Samples until then, or -1. */
  #patience = -1;

  private constructor(
    private readonly service: CompileService,
    private readonly kept: KeptRegions,
    private readonly host: JitHost,
    private readonly store: RegionStore,
    private readonly map: CodeMap,
    private readonly events: RecallEvents,
  ) {}

  /** Undefined where nothing is kept. */
  static for(host: JitHost, store: RegionStore, map: CodeMap, events: RecallEvents): RecalledRegions | undefined {
    const { kept, compiler } = host;
    if (kept === undefined || compiler === undefined) return undefined;
    if (kept.isThere) compiler.prepare?.();
    return new RecalledRegions(compiler, kept, host, store, map, events);
  }

  /** All places in the table are given up: those that wait have to be asked for again. @param hadAny there were regions: that may soon happen once more */
  beginLater(hadAny: boolean): void {
    this.#clear();
    this.#patience = hadAny ? patience : 0;
  }

  #clear(): void {
    this.#waiting.clear();
    this.#coming.clear();
    this.#current++;
  }

  /** The machine runs. */
  sampled(): void {
    if (this.#patience < 0 || this.#patience-- > 0) return;
    this.#clear();
    this.#ask(this.#current).catch(() => {
      // Without the thread nothing is kept either.
    });
  }

  /** Will a region come that is entered at this address? */
  isComing(key: number): boolean {
    return this.#coming.has(key);
  }

  /** Asks for all of them, some after others. */
  async #ask(beginning: number): Promise<void> {
    const known = await this.service.known?.({ keptAs: this.kept.name, model: this.host.model });
    if (known === undefined || beginning !== this.#current) return;
    for (const key of known.entries) this.#coming.add(key);
    try {
      await this.#askOn(beginning);
    } finally {
      // What has not come by now, if only because the thread has ended, is compiled anew.
      if (beginning === this.#current) this.#coming.clear();
    }
  }

  async #askOn(beginning: number): Promise<void> {
    for (let isLast = false, most = firstAtOnce; !isLast; most = mostAtOnce) {
      const first = this.store.reserve(most);
      const answer = await this.service.recall?.({ keptAs: this.kept.name, model: this.host.model, owner: this.store.owner, first, most });
      if (beginning !== this.#current || answer?.module === undefined) return;
      const functions = this.events.instantiate(answer.module);
      const arrived = answer.regions.flatMap((kept, number) => {
        const waiting = { kept, place: first + number, function: functions[number]!, looks: 0 };
        for (const key of kept.entries) if (!this.#waiting.has(key)) this.#waiting.set(key, waiting);
        this.#waiting.set(kept.key, waiting);
        return [kept.key, ...kept.entries];
      });
      for (const key of arrived) this.#coming.delete(key);
      this.events.arrived(arrived, first, first + answer.regions.length);
      ({ isLast } = answer);
    }
  }

  /** Takes a region that is entered at this address, if there is one and the guest has its code there: as it goes to its place, with its records made. */
  take(entered: number, mode: number): (Waiting & { readonly made: Made }) | undefined {
    const waits = this.#waiting.get(entered);
    if (waits?.kept.mode !== mode) return undefined;
    const { key, blocks, entries, open, records, broad } = waits.kept;
    const isOvertaken = key !== entered && this.store.entered(key)?.entry === key;
    const isThere = !isOvertaken && this.#isThere(waits.kept);
    if (isOvertaken || isThere || ++waits.looks >= mostLooks) this.#forget(waits);
    if (!isThere || !this.store.hasRoomFor(1)) return undefined;
    const ranges = this.map.note(blocks.map(({ key: at, code }) => ({ key: at, length: code.length })));
    const pages = new Set(ranges.flatMap(([start, end]) => [Math.floor(start / PAGE), Math.floor((end - 1) / PAGE)]));
    for (const { key: at, remaining, address } of records) this.host.placeRecord(at, mode, remaining, address);
    return { ...waits, made: { key, mode, broad, region: { blocks, entries, open, pages }, ranges, window: undefined } };
  }

  #forget(waits: Waiting): void {
    for (const key of [waits.kept.key, ...waits.kept.entries]) if (this.#waiting.get(key) === waits) this.#waiting.delete(key);
  }

  /** Does its code stand where it was, with nobody to be told of what runs there? Those that are kept tell nobody. */
  #isThere({ blocks }: KeptCode): boolean {
    const { host } = this;
    return (
      this.map.holdsCode(blocks) &&
      blocks.every(
        ({ key, code, end }) =>
          (code.length === 0 || !host.probedWithin(key, code.length)) &&
          (end.kind !== 'indirect' || end.next === undefined || host.tellingAt(end.next) === Telling.none),
      )
    );
  }
}
