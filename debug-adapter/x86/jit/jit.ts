/** The translating tier: notices hot code, compiles regions of it, enters them by RIP, and drops them when their code or mapping changes. */

import { type Insn } from '../decoder';
import { Attention, Scratch } from '../interp-abi';
import { Mode, State } from '../state';
import { Beside, type Made, type Ordered } from './beside';
import { CodeMap, rangeOf } from './code-map';
import { type CompiledRegion, compileRegion, type RegionCode } from './compile';
import { highOf, keyOf, lowOf } from './discover';
import { buildDispatcher, countedJumps, Dispatched } from './dispatcher';
import { type Discovered, isLarger, RegionFinder, type Wanted } from './finder';
import { FloatConstants } from './float';
import { Gathering } from './gathering';
import { Heat } from './heat';
import { type JitHost } from './host';
import { InPlaceRecords } from './in-place';
import { againOf, Lessons } from './lessons';
import { currentRegion } from './onward';
import { RecalledRegions } from './recalled';
import { keyOfInsn, RegionExit } from './region-abi';
import { assembleRegions, runtimeNames } from './region-module';
import { holdsMore, Installed, RegionStore, touches } from './region-store';
import { WaitingList } from './waiting-list';
import { PageTables } from './window';
import { Windows } from './windows';

/** How a run of regions ended. */
export type JitOutcome =
  /** Neither a region nor a block of the interpreter is known at RIP, or the budget does not suffice for the block. */
  | 'miss'
  /** RIP and budget are exact, and the interpreter has to do the next instruction. */
  | 'interpret'
  /** The interpreter has just left; what it left with is in the state block. */
  | 'interpreted'
  /** Something has to be looked at before the next instruction. */
  | 'look'
  /** Regions ran up to a block that the budget does not suffice for. */
  | 'budget';

/** Regions that wait for others before they are compiled together, and samples for which they do, or one by itself does. */
const mostAtOnce = 64;
const mostWaits = 48;
const fewWaits = 12;
/** Times that code is looked for before the loop in WebAssembly is made. */
const patience = 20_000;
/** Runs of a block that make it the start of a region, those that let it be part of one, and the latter where another thread does the work. */
const manyRuns = 1000;
const someRuns = 200;
const someRunsBeside = 60;
/** Regions compiled here before the other thread is asked, which short runs need not start, and regions in one order. */
const firstHere = 12;
const mostInOrder = 24;
/** Entries of a region by the dispatcher before it is made again with more code in it; the same where all is translated. */
const manyEntries = 60_000;
const manyEntriesEager = 50;
const PAGE = 4096;

/** Regions are made of 64-bit code that nothing looks at one by one. */
const isTranslated = (mode: number): boolean => (mode & (Mode.long | Mode.step | Mode.fpuTrap)) === Mode.long;

/** In the place of the region that ran last. */
const noRegion = -1;

export class Jit {
  readonly #host: JitHost;
  readonly #map: CodeMap;
  readonly #windows: Windows;
  /** Made once it pays: a guest that just says hello ends before that. */
  #dispatch: ((interpret: number) => number) | undefined;
  #patience: number;
  readonly #heat: Heat;
  readonly #store: RegionStore;
  readonly #beside: Beside;
  readonly #gathering: Gathering;
  readonly #wanted = new WaitingList();
  /** Samples since the first of them. */
  #waited = 0;
  readonly #finder: RegionFinder;
  readonly #lessons: Lessons;
  readonly #recalled: RecalledRegions | undefined;
  /** Of what is kept: addresses of regions that others took the place of. */
  readonly #superseded = new Map<number, number>();
  readonly #records = new InPlaceRecords();
  /** Since the start: regions compiled, those of them for the window, those found to be entered often, runs of regions, and how those ended. */
  readonly statistics = {
    compiled: 0,
    windowed: 0,
    broadened: 0,
    failed: 0,
    instructions: 0,
    runs: 0,
    sideExits: 0,
    misses: 0,
    indirect: 0,
    dropped: 0,
    beside: 0,
    recalled: 0,
    gathered: 0,
  };

  constructor(host: JitHost) {
    this.#host = host;
    this.#heat = new Heat(host.eager);
    this.#patience = host.eager ? 0 : patience;
    this.#isWide = host.kept?.isThere === true;
    FloatConstants.write(host.view);
    const tables = new PageTables(host.u32, host.ramSize);
    this.#map = new CodeMap(host.u8, host.i32, host.ramSize, tables);
    this.#store = new RegionStore(host.i32);
    const instantiate = (module: WebAssembly.Module): WebAssembly.Exports => this.#instantiate(module);
    this.#gathering = new Gathering(host.compiler, {
      store: this.#store,
      i32: host.i32,
      eager: host.eager,
      instantiate,
      gathered: (count) => (this.statistics.gathered += count),
    });
    this.#beside = new Beside(host.compiler, host.model, host.kept?.name, this.#map, this.#store, {
      instantiate,
      compiled: (one, compiled, place, code) => {
        if (this.#isOvertaken(one)) return;
        this.statistics.beside++;
        this.#install({ ...one, window: undefined }, compiled, place, code);
      },
      failed: (key) => {
        this.statistics.failed++;
        this.#heat.giveUp(key, this.#map.pageOf(key));
      },
    });
    this.#windows = new Windows(host, tables, this.#store, () => [
      ...host.codePages(),
      ...this.#store.codePages(),
      ...this.#beside.codePages(),
    ]);
    this.#lessons = new Lessons(host, this.#heat, this.#windows, {
      make: (list) => {
        if (!this.#isBeside || host.eager || list.some(({ windowed }) => windowed)) return this.#compileAll(list);
        for (const one of list) this.#wanted.add(one);
        this.#compileWanted();
      },
      makeNew: (key) => {
        this.#compileNew(key, this.#mode);
      },
      has: (key) => this.has(key),
    });
    this.#finder = new RegionFinder(host, this.#map, this.#store, this.#heat, this.#lessons.indirect, {
      isWorthIt: (key) =>
        host.eager ||
        this.#lessons.isWorthIt(key) ||
        host.runsOf(this.#mode, key) >= (this.#isBeside ? someRunsBeside : someRuns) ||
        this.has(key),
      has: (key) => this.has(key),
      isOrdered: (key) => this.#beside.has(key),
      windowFor: (key) => (this.#windows.mayUse(key) ? this.#windows.find() : undefined),
      drop: (region) => {
        this.#drop(region);
      },
      failed: () => {
        this.statistics.failed++;
      },
    });
    this.#stale = true;
    this.#recalled = RecalledRegions.for(host, this.#store, this.#map, {
      instantiate,
      arrived: (keys, first, end) => {
        this.#gathering.together(first, end);
        for (const key of keys) if (host.runsOf(this.#mode, key) > 0) this.#recall(key);
      },
    });
  }

  /** Is there a region that begins at this address in the current mode? */
  has(key: number): boolean {
    return this.#store.entered(key)?.mode === this.#mode;
  }

  hasCode(page: number): boolean {
    return this.#store.hasCode(page) || this.#beside.hasCode(page);
  }

  /** Translations changed: nothing may run before what regions take for granted was looked at again. */
  get #stale(): boolean {
    return (this.#host.i32[Scratch.attention >> 2]! & Attention.stale) !== 0;
  }
  set #stale(stale: boolean) {
    if (stale) this.#host.i32[Scratch.attention >> 2]! |= Attention.stale;
    else this.#host.i32[Scratch.attention >> 2]! &= ~Attention.stale;
  }

  /** The region that ran last, if it is known still. */
  get #current(): Installed | undefined {
    return this.#store.at(this.#host.i32[currentRegion >> 2]!);
  }

  get #mode(): number {
    return this.#host.i32[State.mode >> 2]!;
  }

  get #rip(): number {
    return keyOf(this.#host.i32[State.rip >> 2]!, this.#host.i32[(State.rip + 4) >> 2]!);
  }

  #makeDispatcher(): (interpret: number) => number {
    const { memory, runtime } = this.#host;
    const { exports } = new WebAssembly.Instance(
      new WebAssembly.Module(buildDispatcher(this.#host.eager ? manyEntriesEager : manyEntries)),
      {
        env: { memory, regions: this.#store.table, enter: runtime['enter']! },
      },
    );
    return exports['dispatch'] as (interpret: number) => number;
  }

  /** Runs code of both tiers from RIP on, as long as all that it takes is known. */
  run(): JitOutcome {
    if (this.#dispatch === undefined && this.#store.size === 0 && this.#patience-- > 0) return 'miss';
    const dispatch = (this.#dispatch ??= this.#makeDispatcher());
    let interpret = 0;
    let ran = false;
    for (;;) {
      if (this.#stale) this.#revalidate();
      const status = dispatch(interpret);
      this.statistics.runs++;
      switch (status) {
        case Dispatched.miss:
          if (this.#isCachedAgain()) continue;
          this.statistics.misses++;
          return ran ? 'interpret' : 'miss';
        case Dispatched.interpreted:
        case RegionExit.interpreter:
          return 'interpreted';
        case RegionExit.budget:
          return 'budget';
        case Dispatched.look:
          return 'look';
        case Dispatched.end:
          if (this.#isCachedAgain()) break;
          this.statistics.misses++;
          return 'interpret';
        case Dispatched.interpret:
          this.statistics.misses++;
          return 'interpret';
        case Dispatched.hotRegion:
          this.statistics.broadened += this.#lessons.entered(this.#current) ? 1 : 0;
          break;
        case Dispatched.hotMiss:
          if (!this.#isCachedAgain()) this.#lessons.missing(this.#current, this.#rip);
          break;
        case RegionExit.indirect:
          this.statistics.indirect++;
          this.#lessons.jumped(this.#current, this.#rip);
          break;
        case RegionExit.precision: {
          const region = this.#current!;
          this.#lessons.precisionChanged();
          this.#drop(region);
          this.#compileAll([againOf(region)]);
          break;
        }
        default:
          this.#sideExit(status - RegionExit.sites);
          interpret = 1;
          ran = true;
          continue;
      }
      interpret = 0;
      ran = true;
    }
  }

  /** A region was left at one of its sites: the state goes there. */
  #sideExit(number: number): void {
    const { i32 } = this.#host;
    this.statistics.sideExits++;
    const region = this.#current!;
    const { key, remaining, why } = region.sites[number]!;
    i32[State.rip >> 2] = lowOf(key);
    i32[(State.rip + 4) >> 2] = highOf(key);
    i32[State.budget >> 2] = i32[State.budget >> 2]! + remaining;
    this.#lessons.left(region, number, why);
  }

  /** A slice of so many instructions ended at RIP: what is found often is compiled, and regions that go on and on are made again for the window. */
  sample(slice: number): void {
    const mode = this.#mode;
    if (!isTranslated(mode)) return;
    this.#recalled?.sampled();
    this.#gathering.sampled();
    if (this.#isBeside) for (const hot of this.#host.hotBlocks(mode)) this.#compileNew(hot, mode);
    const waits = this.#wanted.size > 1 ? mostWaits : fewWaits;
    if (this.#wanted.size > 0 && (++this.#waited >= waits || (this.#isBeside && this.#beside.isIdle))) this.#compileWanted();
    this.#isStuck = this.#host.i32[currentRegion >> 2] === noRegion;
    this.#host.i32[currentRegion >> 2] = noRegion;
    const key = this.#rip;
    const region = this.#store.entered(key);
    if (region?.mode === mode) this.#lessons.stayed(region, slice);
    else if (this.#heat.sampled(key, this.#isBeside) && (this.#host.eager || this.#host.runsOf(mode, key) >= manyRuns))
      this.#compileNew(key, mode);
  }

  /** Was no region entered since the sample before? */
  #isStuck = false;

  /** Is there another thread that compiles what is found now? */
  get #isBeside(): boolean {
    return this.#beside.isThere && (this.statistics.compiled >= firstHere || this.#isWide || this.#host.eager);
  }

  /** The guest reaches further than its window: its regions go by the TLB, and there will be many of them. */
  #isWide: boolean;

  /** Compiles code that is found often outside of regions. */
  #compileNew(key: number, mode: number): void {
    // There is nothing to be won where it has been tried.
    if (this.#beside.has(key) || this.#beside.has(this.#finder.startOf(key))) return;
    if (this.#store.resumed(key)?.mode === mode || this.#heat.isHopeless(key, () => this.#map.pageOf(key))) return;
    if (this.#recalled?.isComing(key) === true || this.#recall(key) || this.#recall(this.#finder.startOf(key))) return;
    if (this.#wanted.size === 0) this.#waited = 0;
    if (this.statistics.compiled === 0) this.#beside.prepare();
    // Tests have both kinds.
    const windowed = this.#host.eager && (key & 2) === 0;
    this.#wanted.add({ key, mode, windowed, again: false, stuck: this.#isStuck && this.#isInside(key) });
    if (this.#host.eager || (!this.#isBeside && this.#wanted.size >= mostAtOnce)) this.#compileWanted();
  }

  #compileWanted(): void {
    if (!this.#isBeside) {
      const wanted = this.#takeWanted(Infinity);
      // To find out how far the guest reaches is dear.
      if (wanted.length === 0) return;
      const windowed = this.#windows.holdsAll();
      this.#isWide = !windowed;
      if (!this.#isBeside) return this.#compileAll(windowed ? wanted.map((one) => ({ ...one, windowed })) : wanted);
      for (const one of wanted) this.#wanted.add(one);
    }
    if (this.#beside.isFull) return;
    this.#waited = 0;
    this.#compileAll(this.#takeWanted(mostInOrder));
  }

  /** Up to so many that are wanted still. */
  #takeWanted(most: number): Wanted[] {
    const mode = this.#mode;
    return this.#wanted.take(
      most,
      (key) => this.#host.runsOf(mode, key),
      (one) => one.mode === mode && (one.again || (!this.has(one.key) && !this.#isPassed(one))),
    );
  }

  /** Is this in the middle of a region, and not often what a region was left for? Such a place soon leads to an entry, if it does: a loop of its own goes on and on. */
  #isPassed({ key, stuck }: Wanted): boolean {
    if (this.#host.eager || this.#lessons.wasMissed(key) || stuck === true) return false;
    if (!this.#isInside(key)) return false;
    this.#heat.cool(key);
    return true;
  }

  /** Does a region of the current mode hold the code at this address? */
  #isInside(key: number): boolean {
    const physical = this.#map.at(key);
    const mode = this.#mode;
    for (const region of this.#store.onPage(Math.floor(physical / PAGE)))
      if (region.mode === mode && touches(region, physical, 1)) return true;
    return false;
  }

  /** Compiles regions of the current mode into one module: beside this thread, or, where they are for the window, here. */
  #compileAll(list: readonly Wanted[]): void {
    const beside = this.#isBeside && !list.some(({ windowed }) => windowed);
    if (beside && this.#beside.isFull) {
      for (const wanted of list) this.#wanted.add(wanted);
      return;
    }
    if (!this.#store.hasRoomFor(list.length)) this.flush();
    if (this.#stale) this.#revalidate();
    const inside = new Set<number>();
    const isOpen = ({ key }: Wanted): boolean => {
      if (beside && this.#beside.has(key)) return false;
      if (!inside.has(key) || this.#lessons.wasMissed(key)) return true;
      // It is in one that was made just before, which is entered at the next of its loops.
      this.#heat.cool(key);
      return false;
    };
    const found: Discovered[] = [];
    for (const one of this.#finder.all(list, isOpen)) {
      if (!isLarger(one)) {
        this.#settled(one.wanted.key);
        continue;
      }
      found.push(one);
      for (const { insns } of one.region.blocks) for (const insn of insns) inside.add(keyOfInsn(insn));
    }
    if (beside) this.#order(found);
    else this.#compileHere(found);
  }

  /** Nothing more was found for the region of this address. */
  #settled(key: number): void {
    const region = this.#store.entered(key);
    if (region?.entry === key) region.settled = true;
  }

  #compileHere(found: readonly Discovered[]): void {
    const made = found.flatMap((one) => {
      const compiled = this.#translate(one);
      return compiled === undefined ? [] : [{ ...one, compiled }];
    });
    if (made.length === 0) return;
    const first = this.#store.reserve(made.length);
    let module: WebAssembly.Module;
    try {
      const bodies = made.map(({ compiled }) => compiled);
      module = new WebAssembly.Module(assembleRegions(bodies, first));
    } catch {
      this.statistics.failed++;
      for (const { wanted } of made) this.#heat.giveUp(wanted.key, this.#map.pageOf(wanted.key));
      return;
    }
    const functions = this.#instantiate(module);
    made.forEach(({ wanted, region, compiled, window }, number) => {
      const installed = this.#install(
        { ...wanted, broad: wanted.broad === true, region, ranges: this.#map.note(region.blocks.map(rangeOf)), window },
        compiled,
        first + number,
        functions[number]!,
      );
      installed.early = window !== undefined && !wanted.again;
    });
  }

  /** The interpreter has come to code that it had not met before. */
  met(key: number): void {
    if (this.#recalled !== undefined) this.#recall(key);
  }

  /** Takes the region that was kept for an address, if the code is the same. @returns whether there is one now */
  #recall(key: number): boolean {
    const mode = this.#mode;
    if (this.#recalled === undefined || !isTranslated(mode) || this.has(key)) return false;
    if (this.#stale) this.#revalidate();
    const found = this.#recalled.take(key, mode);
    if (found === undefined) return false;
    this.#lessons.learn(found.kept);
    this.#install(found.made, found.kept.code, found.place, found.function, true).settled = found.kept.settled;
    this.statistics.recalled++;
    return true;
  }

  /** Has what was translated in this run kept for later ones. */
  async keep(): Promise<void> {
    const { compiler, kept, model } = this.#host;
    if (kept === undefined || this.statistics.beside === 0) return;
    const superseded = [...this.#superseded].map(([key, mode]) => ({ key, mode }));
    const settled = [...this.#store.all()].filter((region) => region.settled).map(({ entry, mode }) => ({ key: entry, mode }));
    await compiler?.keep?.({ keptAs: kept.name, model, superseded, settled }).catch(() => {
      // The thread has ended: what it did not write is translated again.
    });
  }

  /** Has another thread compile regions, whose code is watched until then. */
  #order(found: readonly Discovered[]): void {
    const list = found.map(({ wanted: { key, mode, broad = false }, region }): Ordered => ({
      key,
      mode,
      broad,
      region,
      ranges: this.#map.note(region.blocks.map(rangeOf)),
    }));
    this.#beside.order(list, {
      precision: this.#lessons.precision,
      unordinary: this.#lessons.unordinary,
      alone: this.#lessons.alone,
      recordOf: (insn, mode, remaining) => this.#recordOf(insn, mode, remaining),
    });
    for (const { region } of list) {
      for (const page of region.pages) {
        this.#host.protect(page);
        this.codeAppeared(page);
      }
    }
  }

  /** Was a region made for an address, and for the window, while one that goes by the TLB was on its way? */
  #isOvertaken({ key, mode }: Ordered): boolean {
    const there = this.#store.entered(key);
    return there?.entry === key && there.mode === mode && there.window !== undefined;
  }

  /** The functions of a module of regions. */
  #instantiate(module: WebAssembly.Module): WebAssembly.Exports {
    const { memory, observe, tell } = this.#host;
    const own: Readonly<Record<string, WebAssembly.ImportValue>> = { ...this.#host.runtime, observe, tell };
    const runtime = Object.fromEntries(runtimeNames.map((name) => [name, own[name]!]));
    return new WebAssembly.Instance(module, { env: { memory }, runtime }).exports;
  }

  /** A direct call leads to this address. */
  callSeen(key: number): void {
    this.#finder.callSeen(key);
  }

  #translate({ wanted, region, window }: Discovered): CompiledRegion | undefined {
    const { key, mode } = wanted;
    const memory = { window, isAlone: (at: number) => this.#lessons.alone.has(at) };
    const { precision } = this.#lessons;
    const floats = precision && { precision, isUnordinary: (at: number) => this.#lessons.unordinary.has(at) };
    try {
      const compiled = compileRegion(region, mode, memory, floats, (insn, remaining) => this.#recordOf(insn, mode, remaining));
      if (compiled !== undefined) return compiled;
    } catch {
      // Whatever the guest's code does to the compiler, the interpreter can run it.
      this.statistics.failed++;
    }
    this.#heat.giveUp(key, this.#map.pageOf(key));
    return undefined;
  }

  #recordOf(insn: Insn, mode: number, remaining: number): number {
    const at = this.#records.allocate();
    return at === 0 ? 0 : this.#host.placeRecord(keyOfInsn(insn), mode, remaining, at);
  }

  /** @param recalled others of its code were of use beside it */
  #install(made: Made, compiled: RegionCode, place: number, code: WebAssembly.ExportValue, recalled = false): Installed {
    const host = this.#host;
    const { key, mode, region, ranges, window, broad } = made;
    const grown = this.#store.entered(key)?.grown ?? 0;
    for (const old of [this.#store.entered(key), this.#store.resumed(key)]) if (old !== undefined) this.#supersede(old);
    this.#superseded.delete(key);
    const { pages, open } = region;
    const blocks = region.blocks.map((block) => block.key);
    const foreseen = new Set(region.blocks.flatMap(({ end }) => (end.kind === 'indirect' ? end.candidates : [])));
    const installed = new Installed({ entry: key, mode, window, ranges, pages, open, broad, blocks, foreseen }, compiled);
    installed.grown = grown;
    for (const { key: at } of recalled ? [] : region.blocks) {
      const other = this.#store.entered(at);
      if (other?.entry === at && holdsMore(installed, other) && !this.#isNeeded(at, region)) this.#supersede(other);
    }
    if (window !== undefined && !this.usesWindows) host.windowUsed();
    const added = this.#store.add(installed, place, code);
    host.i32[countedJumps >> 2] = 0;
    for (const page of added.pages) {
      host.protect(page);
      this.codeAppeared(page);
    }
    for (const entry of added.entries) host.claim(mode, entry);
    this.statistics.compiled++;
    if (window !== undefined) this.statistics.windowed++;
    this.statistics.instructions += compiled.instructions;
    return installed;
  }

  /** Do other places than those in a region, which has the code there as well, lead to this address? */
  #isNeeded(at: number, { blocks, entries }: Made['region']): boolean {
    if (entries.includes(at)) return false;
    return this.#host.eager || this.#lessons.isLedTo(at) || blocks.some(({ end }) => end.kind === 'call' && end.to === at);
  }

  #drop(region: Installed): void {
    if (region.dead) return;
    this.statistics.dropped++;
    this.#store.drop(region);
  }

  /** Another region takes the place of this one, in later runs too. */
  #supersede(region: Installed): void {
    if (this.#host.kept !== undefined) this.#superseded.set(region.entry, region.mode);
    this.#drop(region);
  }

  /** Drops every region. */
  flush(): void {
    const hadAny = this.#store.size > 0;
    this.#store.clear();
    this.#beside.clear();
    this.#gathering.clear();
    this.#wanted.clear();
    this.#map.clear();
    this.#lessons.clear();
    this.#heat.clear();
    this.#records.clear();
    this.#host.recordsCleared();
    if (this.#host.kept?.isThere === true || this.statistics.beside > 0) this.#recalled?.beginLater(hadAny);
    this.#stale = true;
  }

  /** Code in [physical, physical + length) changes. */
  invalidate(physical: number, length: number): void {
    for (let page = Math.floor(physical / PAGE); page <= Math.floor((physical + length - 1) / PAGE); page++) {
      for (const region of [...this.#store.onPage(page)]) if (touches(region, physical, length)) this.#drop(region);
      this.#heat.pageWritten(page);
    }
    this.#beside.invalidate(physical, length);
  }

  /** Another region took the place in the cache of the one that begins at RIP. */
  #isCachedAgain(): boolean {
    return this.#store.cacheAgain(this.#rip, this.#mode);
  }

  /** A probe was set or removed at an address. */
  dropAt(key: number): void {
    const physical = this.#map.at(key);
    if (physical >= 0) this.invalidate(physical, 1);
    else this.flush();
  }

  // Translations.

  /** Page tables or permissions changed: nothing may be assumed of them before they were looked at again. */
  translationsChanged(): void {
    this.#stale = true;
  }

  /** The translation of one page changed. */
  pageChanged(linear: bigint): void {
    if (this.#map.has(Number(linear >> 12n))) this.#stale = true;
    if (this.#windows.reach(linear)) this.#stale = true;
  }

  /** There is code in a physical page now: stores to it must be seen. */
  codeAppeared(page: number): void {
    if (this.#windows.write(page)) this.#stale = true;
  }

  /** Are there regions that store without the TLB? */
  get usesWindows(): boolean {
    return this.#store.windowed.size > 0;
  }

  /** The TLB knows no page for writing any more: that regions are left for those tells nothing of them. */
  writesForgotten(): void {
    for (const region of this.#store.all()) region.forgetReach();
  }

  set windowOff(off: boolean) {
    if (off !== this.#windows.off) this.flush();
    this.#windows.off = off;
  }

  /** Regions stay only where their code is mapped as it was, and where the window that they know still is one. */
  #revalidate(): void {
    this.#stale = false;
    const { moved, mostStay } = this.#map.forgetMoved();
    if (!mostStay) {
      this.flush();
      this.#stale = false;
      return;
    }
    for (const physical of moved) this.invalidate(physical, PAGE);
    for (const region of this.#windows.broken()) this.#drop(region);
  }
}
