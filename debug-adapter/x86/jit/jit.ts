/** The translating tier: notices hot code, compiles regions of it, enters them by RIP, and drops them when their code or mapping changes. */

import { Cr4 } from '../control-bits';
import { type Decoder, type Insn } from '../decoder';
import { type Row } from '../isa/table';
import { Mode, State } from '../state';
import { type CompiledRegion, compileRegion, runtimeNames } from './compile';
import { discover, keyOf, lowOf, highOf, type Region } from './discover';
import { buildDispatcher, cacheIndex, currentRegion, dispatchEnd, dispatchMiss, IndirectCounts, RegionCache } from './dispatcher';
import { precisionOf } from './float';
import { InPlaceRecords } from './in-place';
import { type ExitSite, RegionExit, RegionState, type WindowMapping } from './region-abi';
import { clearWindow, findWindow, isAccessed, PageTables } from './window';

/** What the JIT needs of the processor around it. */
export interface JitHost {
  readonly memory: WebAssembly.Memory;
  readonly view: DataView;
  readonly u8: Uint8Array;
  readonly u32: Uint32Array;
  readonly i32: Int32Array;
  readonly ramSize: number;
  readonly decoder: Decoder;
  /** The interpreter's runtime functions, by name. */
  readonly runtime: WebAssembly.Exports;
  available(row: Row): boolean;
  /** Is there a probe, and is it to be asked by the loop, or does it only look on? */
  probeAt(key: number): 'stops' | 'observes' | undefined;
  /** Tells the observer of the address in RIP; answers 1 where the loop has to look at things again, else 0. */
  readonly observe: () => number;
  /** Does the interpreter hold code of this physical page? */
  hasCode(page: number): boolean;
  /** Stores to this physical page must be seen from now on. */
  protect(page: number): void;
  /** Writes the records of one instruction at an address (see `BlockCache.single`); answers the one to enter. */
  placeRecord(insn: Insn, mode: number, remaining: number, at: number): number;
  /** All records that were placed are given up. */
  recordsCleared(): void;
  /** The interpreter must not run through this address without asking. */
  claim(key: number): void;
  /** Compile what is seen once: for tests. */
  readonly eager: boolean;
}

/** How a run of regions ended. */
export type JitOutcome =
  /** Nothing ran: there is no region here. */
  | 'miss'
  /** Regions ran; RIP and budget are exact, and the interpreter has to do the next instruction. */
  | 'interpret'
  /** The interpreter has just left a record that a region had it do; what it left with is in the state block. */
  | 'interpreted'
  /** Regions ran up to a block that the budget does not suffice for. */
  | 'budget';

interface Installed {
  readonly index: number;
  readonly entry: number;
  readonly entries: readonly number[];
  readonly sites: readonly ExitSite[];
  readonly mode: number;
  /** The mapping that it was made for. */
  readonly window: WindowMapping | undefined;
  /** Exits by site, of accesses beyond the window, and their sum. */
  readonly exits: Map<number, number>;
  beyond: number;
  /** Physical ranges of its code: start and end. */
  readonly ranges: readonly (readonly [number, number])[];
  readonly pages: ReadonlySet<number>;
  readonly blocks: readonly number[];
  dead: boolean;
  /** Indirect jumps out of it, and whether it knows fewer of their targets than were met. */
  unforeseen: number;
  stale: boolean;
}

/** Samples of one address after which it is compiled. */
const hotSamples = 12;
/** Samples of one address that stands inside of a region already. */
const hotInside = 32;
/** A target that was met so often goes into a region along with a hot one. */
const warmTarget = 6;
const mostTargets = 40;
/** Indirect jumps out of a region before it is made again with their targets in it. */
const someIndirect = 4;
/** Accesses of a region beyond the window before it is made again, and those of one instruction for it to go by the TLB then. */
const manyExits = 32;
const someExits = 2;
/** Times that a region is made again for that before all of its accesses go by the TLB. */
const mostBeyond = 2;
/** Changes of the range that may be read before regions go without. */
const mostWindowChanges = 24;
/** Changes of the range that may be written before regions take it from the state block. */
const mostWriteChanges = 6;
/** Times that MXCSR was found changed before regions no longer rely on it. */
const mostPrecisionChanges = 200;
const mostRegions = 3000;
const PAGE = 4096;

/** Is the range [start, start + length) within the outer one? */
function contains(outerStart: bigint, outerLength: bigint, start: bigint, length: bigint): boolean {
  return outerStart <= start && outerStart + outerLength >= start + length;
}

/** Regions are made of 64-bit code that nothing looks at one by one. */
const isTranslated = (mode: number): boolean => (mode & (Mode.long | Mode.step | Mode.fpuTrap)) === Mode.long;

export class Jit {
  readonly #host: JitHost;
  readonly #tables: PageTables;
  readonly #table = new WebAssembly.Table({ element: 'anyfunc', initial: 64 });
  readonly #dispatch: () => number;
  readonly #regions: (Installed | undefined)[] = [];
  readonly #byEntry = new Map<number, Installed>();
  /** Regions whose first instruction is the interpreter's, by its address: they are entered after it alone, and compiling that address again brings nothing. */
  readonly #resumeOnly = new Map<number, Installed>();
  readonly #byPage = new Map<number, Set<Installed>>();
  readonly #samples = new Map<number, number>();
  /** Addresses at which no region begins, as what stands there does not compile; by physical page, -1 where there was none. */
  readonly #hopeless = new Map<number, Set<number>>();
  /** Entry of a region -> times that it was made again to fit better. */
  readonly #remade = new Map<number, number>();
  /** Indirect jump -> places it was seen to go to often. */
  readonly #observed = new Map<number, number[]>();
  readonly #records = new InPlaceRecords();
  #window: WindowMapping | undefined;
  #windowStale = true;
  /** Nothing may bypass the TLB, e.g. while memory is watched. */
  #windowOff = false;
  /** The mapping does not keep still: accesses go by the TLB for good. */
  #windowFutile = false;
  #windowChanges = 0;
  /** The same for the range that may be written, and what follows from it. */
  #writeChanges = 0;
  #writesVary = false;
  /** Instructions whose accesses go by the TLB. */
  readonly #byTlb = new Set<number>();
  /** Entries of regions that reach all over the memory. */
  readonly #roaming = new Set<number>();
  /** Linear page number -> physical address of the pages whose code is in regions. */
  readonly #codePages = new Map<number, number>();
  /** Regions met with another MXCSR than they were made for. */
  #precisionChanges = 0;
  /** Addresses of the blocks in regions, with the number of regions. */
  readonly #inside = new Map<number, number>();
  /** Since the start: regions compiled, runs of regions, and how those ended. */
  readonly statistics = { compiled: 0, failed: 0, instructions: 0, runs: 0, sideExits: 0, misses: 0, indirect: 0, dropped: 0, windows: 0 };

  constructor(host: JitHost) {
    this.#host = host;
    this.#tables = new PageTables(host.u32, host.ramSize);
    const instance = new WebAssembly.Instance(new WebAssembly.Module(buildDispatcher()), {
      env: { memory: host.memory, regions: this.#table },
    });
    this.#dispatch = instance.exports['dispatch'] as () => number;
    this.#clearCache();
  }

  /** Is there a region that begins at this address in the current mode? */
  has(key: number): boolean {
    return this.#byEntry.get(key)?.mode === this.#mode;
  }

  hasCode(page: number): boolean {
    return this.#byPage.has(page);
  }

  get #mode(): number {
    return this.#host.i32[State.mode >> 2]!;
  }

  /** Runs regions from RIP on as long as there are any. */
  run(): JitOutcome {
    if (this.#byEntry.size === 0) return 'miss';
    const { i32 } = this.#host;
    let ran = false;
    for (;;) {
      if (this.#windowStale) this.#findWindow();
      const status = this.#dispatch();
      if (status === dispatchMiss && !ran) return 'miss';
      if (status === dispatchMiss || status === dispatchEnd) {
        if (this.#isCachedAgain()) continue;
        this.statistics.misses++;
        return 'interpret';
      }
      ran = true;
      this.statistics.runs++;
      if (status === RegionExit.budget) return 'budget';
      if (status === RegionExit.interpreter) return 'interpreted';
      if (status === RegionExit.indirect) {
        this.#noteIndirect();
        continue;
      }
      if (status === RegionExit.precision) {
        const region = this.#regions[i32[currentRegion >> 2]!]!;
        this.#precisionChanges++;
        this.#drop(region);
        this.#compile(region.entry, region.mode);
        continue;
      }
      this.statistics.sideExits++;
      const region = this.#regions[i32[currentRegion >> 2]!]!;
      const number = status - RegionExit.sites;
      const site = region.sites[number]!;
      if (site.window) this.#noteBeyond(region, number);
      i32[State.rip >> 2] = lowOf(site.key);
      i32[(State.rip + 4) >> 2] = highOf(site.key);
      i32[State.budget >> 2] = i32[State.budget >> 2]! + site.remaining;
      return 'interpret';
    }
  }

  /** The interpreter was found at RIP: code that is found often is compiled. */
  sample(): void {
    const mode = this.#mode;
    if (!isTranslated(mode)) return;
    const key = keyOf(this.#host.i32[State.rip >> 2]!, this.#host.i32[(State.rip + 4) >> 2]!);
    const count = (this.#samples.get(key) ?? 0) + 1;
    this.#samples.set(key, count);
    if ((!this.#host.eager && count < (this.#inside.has(key) ? hotInside : hotSamples)) || this.#isServed(key, mode)) return;
    this.#compile(key, mode);
    if (this.#samples.size > 50_000) this.#samples.clear();
  }

  /** Is there nothing to be won by compiling this address? */
  #isServed(key: number, mode: number): boolean {
    return this.has(key) || this.#resumeOnly.get(key)?.mode === mode || this.#isHopeless(key);
  }

  #compile(key: number, mode: number): void {
    if (this.#regions.length >= mostRegions) this.flush();
    if (this.#windowStale) this.#findWindow();
    const host = this.#host;
    let region: Region;
    let compiled: CompiledRegion | undefined;
    let module: WebAssembly.Module | undefined;
    const mapping = this.#windowOff || this.#windowFutile ? undefined : this.#window;
    const roams = this.#roaming.has(key);
    const window = mapping && { ...mapping, byTlb: (at: number) => roams || this.#byTlb.has(at) };
    const precision = this.#precisionChanges > mostPrecisionChanges ? undefined : precisionOf(host.i32[State.mxcsr >> 2]!);
    try {
      region = discover(key, mode, host.u8, host.decoder, this.#source, this.#observed);
      compiled = compileRegion(region, mode, window, precision, (insn, remaining) => {
        const at = this.#records.allocate();
        return at === 0 ? 0 : host.placeRecord(insn, mode, remaining, at);
      });
      module = compiled && new WebAssembly.Module(compiled.binary);
    } catch {
      // Whatever the guest's code does to the compiler, the interpreter can run it.
      this.statistics.failed++;
      return this.#giveUp(key);
    }
    if (compiled === undefined || module === undefined) return this.#giveUp(key);
    const runtime = Object.fromEntries(runtimeNames.map((name) => [name, name === 'observe' ? host.observe : host.runtime[name]!]));
    const instance = new WebAssembly.Instance(module, { env: { memory: host.memory }, runtime });
    for (const old of [this.#byEntry.get(key), this.#resumeOnly.get(key)]) if (old !== undefined) this.#drop(old);
    const ranges = region.blocks
      .flatMap((block) => block.insns.map((insn) => [this.#source.physical(insn.ripLow, insn.ripHigh), insn.length] as const))
      .map(([start, length]) => [start, start + length] as const);
    const installed: Installed = {
      index: this.#regions.length,
      entry: key,
      entries: compiled.entries,
      sites: compiled.sites,
      mode,
      window: mapping,
      exits: new Map(),
      beyond: 0,
      blocks: region.blocks.map((block) => block.key),
      ranges,
      pages: region.pages,
      dead: false,
      unforeseen: 0,
      stale: false,
    };
    this.#regions.push(installed);
    for (const { insns } of region.blocks) {
      for (const { ripLow, ripHigh } of insns) {
        const page = Math.floor(keyOf(ripLow, ripHigh) / PAGE);
        if (!this.#codePages.has(page)) this.#codePages.set(page, this.#source.physical(ripLow & -PAGE, ripHigh));
      }
    }
    for (const block of installed.blocks) this.#inside.set(block, (this.#inside.get(block) ?? 0) + 1);
    if (installed.index >= this.#table.length) this.#table.grow(256);
    this.#table.set(installed.index, instance.exports['region']);
    for (const page of region.pages) {
      const list = this.#byPage.get(page);
      if (list === undefined) {
        this.#byPage.set(page, new Set([installed]));
        host.protect(page);
        this.#windowStale = true;
      } else list.add(installed);
    }
    compiled.entries.forEach((entry, number) => {
      if (this.#byEntry.has(entry)) return;
      this.#byEntry.set(entry, installed);
      this.#cache(entry, mode, installed.index, number);
      host.claim(entry);
    });
    if (!compiled.entries.includes(key)) this.#resumeOnly.set(key, installed);
    this.statistics.compiled++;
    this.statistics.instructions += compiled.instructions;
  }

  readonly #source = {
    physical: (low: number, high: number): number => {
      if (high < 0 || high >= 0x8000) return -1;
      const linear = high * 0x1_0000_0000 + (low >>> 0);
      const leaf = this.#tables.leaf(linear);
      if (leaf === undefined || !isAccessed(leaf) || !leaf.executable) return -1;
      // A page of the other privilege: supervisor code for the user, user code with SMEP.
      if ((this.#mode & Mode.user) !== 0 ? !leaf.user : leaf.user && (this.#host.i32[State.cr4 >> 2]! & Cr4.SMEP) !== 0) return -1;
      const physical = leaf.physical + (linear - leaf.linear);
      return physical + PAGE <= this.#host.ramSize ? physical : -1;
    },
    hasProbe: (key: number): boolean => this.#host.probeAt(key) === 'stops',
    isObserved: (key: number): boolean => this.#host.probeAt(key) === 'observes',
    available: (row: Row): boolean => this.#host.available(row),
  };

  // The cache from RIP to region.

  #cache(key: number, mode: number, index: number, entry: number): void {
    const { i32 } = this.#host;
    const at = (RegionCache.address + cacheIndex(lowOf(key))) >> 2;
    i32[at] = lowOf(key);
    i32[at + 1] = highOf(key) ^ ((mode | 0x100) << 16);
    i32[at + 2] = index;
    i32[at + 3] = entry;
  }

  #clearCache(): void {
    this.#host.i32.fill(-1, RegionCache.address >> 2, (RegionCache.address >> 2) + RegionCache.entries * 4);
  }

  #drop(region: Installed): void {
    if (region.dead) return;
    region.dead = true;
    this.statistics.dropped++;
    const { i32 } = this.#host;
    for (const entry of region.entries) {
      if (this.#byEntry.get(entry) !== region) continue;
      this.#byEntry.delete(entry);
      const at = (RegionCache.address + cacheIndex(lowOf(entry))) >> 2;
      if (i32[at + 2] === region.index) i32.fill(-1, at, at + 4);
    }
    if (this.#resumeOnly.get(region.entry) === region) this.#resumeOnly.delete(region.entry);
    for (const page of region.pages) {
      const list = this.#byPage.get(page);
      list?.delete(region);
      if (list?.size === 0) this.#byPage.delete(page);
    }
    this.#table.set(region.index, null);
    for (const block of region.blocks) {
      const count = this.#inside.get(block)! - 1;
      if (count > 0) this.#inside.set(block, count);
      else this.#inside.delete(block);
    }
  }

  /** Drops every region. */
  flush(): void {
    for (const region of this.#byEntry.values()) region.dead = true;
    this.#byEntry.clear();
    this.#resumeOnly.clear();
    this.#byPage.clear();
    this.#inside.clear();
    this.#codePages.clear();
    this.#regions.length = 0;
    this.#samples.clear();
    this.#hopeless.clear();
    this.#remade.clear();
    this.#records.clear();
    this.#host.recordsCleared();
    this.#clearCache();
    this.translationsChanged();
  }

  /** Code in [physical, physical + length) changes. */
  invalidate(physical: number, length: number): void {
    for (let page = Math.floor(physical / PAGE); page <= Math.floor((physical + length - 1) / PAGE); page++) {
      for (const region of [...(this.#byPage.get(page) ?? [])]) {
        if (region.ranges.some(([start, end]) => start < physical + length && end > physical)) this.#drop(region);
      }
      this.#hopeless.delete(page);
    }
  }

  /** Another region took the place in the cache of the one that begins at RIP. */
  #isCachedAgain(): boolean {
    const mode = this.#mode;
    const key = keyOf(this.#host.i32[State.rip >> 2]!, this.#host.i32[(State.rip + 4) >> 2]!);
    const found = this.#byEntry.get(key);
    if (found?.mode !== mode) return false;
    this.#cache(key, mode, found.index, found.entries.indexOf(key));
    return true;
  }

  #giveUp(key: number): void {
    const page = this.#pageOf(key);
    const keys = this.#hopeless.get(page);
    if (keys === undefined) this.#hopeless.set(page, new Set([key]));
    else keys.add(key);
  }

  #isHopeless(key: number): boolean {
    return this.#hopeless.size > 0 && this.#hopeless.get(this.#pageOf(key))?.has(key) === true;
  }

  #pageOf(key: number): number {
    return Math.floor(this.#source.physical(lowOf(key), highOf(key)) / PAGE);
  }

  /** Is this the time to make a region again that was left `exits` times for the same reason? Each time it has to be worth four times as much. */
  #isWorthRemaking(region: Installed, exits: number, first: number): boolean {
    if (region.dead) return false;
    const times = this.#remade.get(region.entry) ?? 0;
    if (exits < first * 4 ** times) return false;
    this.#remade.set(region.entry, times + 1);
    return true;
  }

  /** A probe was set or removed at an address. */
  dropAt(key: number): void {
    const physical = this.#source.physical(lowOf(key), highOf(key));
    if (physical >= 0) this.invalidate(physical, 1);
    else this.flush();
  }

  // Direct access to memory.

  /** Page tables or permissions changed: nothing may be assumed of them before they were looked at again. */
  translationsChanged(): void {
    this.#windowStale = true;
    clearWindow(this.#host.view);
  }

  /** The translation of one page changed. */
  pageChanged(linear: bigint): void {
    const { view } = this.#host;
    if (this.#codePages.has(Number(linear >> 12n))) {
      this.translationsChanged();
      return;
    }
    const start = view.getBigUint64(RegionState.readStart, true);
    const length = view.getBigUint64(RegionState.readLength, true);
    if (linear >= start - 4096n && linear < start + length + 4096n) this.translationsChanged();
  }

  /** More pages became accessible, or code appeared in one: the ranges are looked for again at the next chance. */
  refreshWindow(): void {
    this.translationsChanged();
  }

  set windowOff(off: boolean) {
    if (off !== this.#windowOff) this.flush();
    this.#windowOff = off;
    this.translationsChanged();
  }

  #findWindow(): void {
    this.#checkCode();
    this.#windowStale = false;
    this.statistics.windows++;
    const host = this.#host;
    if (this.#windowOff || this.#windowFutile) {
      clearWindow(host.view);
      return;
    }
    const anchor = host.view.getBigUint64(State.gpr + 4 * 8, true);
    const linear = anchor < 1n << 47n ? Number(anchor) : 0;
    const found = findWindow(
      this.#tables,
      host.view,
      host.ramSize,
      linear,
      (this.#mode & Mode.user) !== 0,
      (page) => host.hasCode(page) || this.#byPage.has(page),
    );
    const old = this.#window;
    if (found !== undefined && old !== undefined && found.delta === old.delta) {
      const reads = contains(found.readStart, found.readLength, old.readStart, old.readLength);
      if (reads && (old.writesVary || contains(found.writeStart, found.writeLength, old.writeStart, old.writeLength))) {
        // The guest has touched more pages: regions to come may reach them too.
        if (found.readLength !== old.readLength || found.writeLength !== old.writeLength)
          this.#window = { ...found, writesVary: old.writesVary };
        return;
      }
      // Code keeps coming up where data was.
      if (reads && ++this.#writeChanges > mostWriteChanges) this.#writesVary = true;
    }
    if (old !== undefined) {
      // Regions have the old ranges in their code.
      const range = [RegionState.readStart, RegionState.readLength, RegionState.writeStart, RegionState.writeLength].map(
        (field) => [field, host.view.getBigUint64(field, true)] as const,
      );
      this.flush();
      this.#windowStale = false;
      for (const [field, value] of range) host.view.setBigUint64(field, value, true);
      if (++this.#windowChanges > mostWindowChanges) this.#windowFutile = true;
    }
    this.#window = this.#windowFutile || found === undefined ? undefined : { ...found, writesVary: this.#writesVary };
    if (this.#window === undefined) clearWindow(host.view);
  }

  /** Regions stay only where their code is mapped as it was. */
  #checkCode(): void {
    for (const [page, physical] of this.#codePages) {
      const high = Math.floor(page / 0x10_0000);
      if (this.#source.physical((page << 12) | 0, high) === physical) continue;
      this.flush();
      return;
    }
  }

  /** An access went beyond the window: those that do so more than once go by the TLB when the region is made again. */
  #noteBeyond(region: Installed, number: number): void {
    region.exits.set(number, (region.exits.get(number) ?? 0) + 1);
    if (!this.#isWorthRemaking(region, ++region.beyond, manyExits)) return;
    this.#findWindow();
    // It may just have been made before the guest touched the pages that it goes to.
    if (region.window !== this.#window) return this.#compile(region.entry, region.mode);
    if (this.#remade.get(region.entry)! > mostBeyond) this.#roaming.add(region.entry);
    else for (const [site, times] of region.exits) if (times >= someExits) this.#byTlb.add(region.sites[site]!.key);
    this.#compile(region.entry, region.mode);
  }

  #noteIndirect(): void {
    this.statistics.indirect++;
    const { view } = this.#host;
    const siteKey = keyOf(view.getInt32(RegionState.indirectSite, true), view.getInt32(RegionState.indirectSite + 4, true));
    const target = keyOf(view.getInt32(State.rip, true), view.getInt32(State.rip + 4, true));
    const found = [target];
    const { i32 } = this.#host;
    const counts = IndirectCounts.address >> 2;
    for (let at = counts; at < counts + IndirectCounts.entries * 4; at += 4) {
      if (i32[at] !== lowOf(siteKey) || i32[at + 2]! < warmTarget) continue;
      found.push(keyOf(i32[at + 1]!, highOf(target)));
    }
    const observed = this.#observed.get(siteKey) ?? [];
    const more = [...new Set([...observed, ...found])].slice(0, mostTargets);
    if (more.length > observed.length) this.#observed.set(siteKey, more);
    const region = this.#regions[view.getInt32(currentRegion, true)];
    if (region === undefined) return;
    region.unforeseen++;
    if (more.length > observed.length) region.stale = true;
    if (region.stale && this.#isWorthRemaking(region, region.unforeseen, someIndirect)) this.#compile(region.entry, region.mode);
  }
}
