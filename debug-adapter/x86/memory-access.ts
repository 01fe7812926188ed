/** Guest memory as the processor accesses it: the TLBs that generated code reads, their slow path, page crossing, device memory, watchpoints, and stores to code. */

import { type CpuBus, type StoreFollower, type Watchpoint } from './api';
import { type CpuContext, Vector, fault } from './context';
import { Cr4 } from './control-bits';
import { TlbJournals } from './interp-abi';
import { translate } from './mmu';
import { Layout, Mode, Seg, State } from './state';
import { cachedHost, cachedHostOf } from './tlb';

const PAGE = 4096;
const PAGE_BITS = 12n;
const TWO_32 = 0x1_0000_0000;
const TLB_MASK = Layout.tlbEntries - 1;
const JOURNAL_LIMIT = 0x4000;
const U64 = (1n << 64n) - 1n;

/** Where, in words, the count of a TLB's journal and the journal itself lie. */
const counterOf = (write: boolean): number => (TlbJournals.counts >> 2) + (write ? 1 : 0);
const journalOf = (write: boolean): number => (TlbJournals.read >> 2) + (write ? TlbJournals.entries : 0);

/** An access that met a watchpoint. */
export interface WatchHit {
  readonly id: number;
  readonly address: bigint;
  readonly size: number;
  readonly write: boolean;
}

/** What happens outside of memory on some accesses. */
export interface AccessEvents {
  /** Code in [physical, physical + length) is about to change. */
  codeWritten(physical: number, length: number): void;
  /** A watched range was touched: stop after this instruction. */
  watchHit(hits: readonly WatchHit[]): void;
  hasCode(page: number): boolean;
  /** Code translations are gone. */
  codeUnmapped(): void;
}

/** A range that stops: of the debugger (id >= 0) or of the debug registers (id < 0). */
type Watch = Watchpoint;

export class MemoryAccess {
  readonly #cpu: CpuContext;
  readonly #bus: CpuBus;
  readonly #events: AccessEvents;
  readonly #u32: Uint32Array;
  readonly #view: DataView;
  readonly #u8: Uint8Array;
  readonly #ramSize: number;
  /** Linear page number -> physical address of the page, for fetches. */
  readonly #fetch = new Map<number, number>();
  #watches: readonly Watch[] = [];
  readonly #watchedPages = new Set<number>();
  /** The store in the bounce buffer: linear address and size, or size 0. */
  #pendingAddress = 0n;
  #pendingSize = 0;
  /** Of a store into two pages of RAM: where its parts go, as host addresses, and the size of the first; or size 0. */
  #pendingHosts: readonly [number, number] = [0, 0];
  #follower: StoreFollower | undefined;
  /** By page: 0 where the next store has to be told of. */
  readonly #told: Uint8Array;
  #pendingFirst = 0;

  constructor(cpu: CpuContext, bus: CpuBus, events: AccessEvents) {
    this.#cpu = cpu;
    this.#bus = bus;
    this.#events = events;
    this.#u32 = cpu.u32;
    this.#view = cpu.view;
    this.#u8 = cpu.u8;
    this.#ramSize = cpu.ramSize;
    this.#told = new Uint8Array(Math.ceil(cpu.ramSize / PAGE)).fill(1);
    this.#view.setBigUint64(TlbJournals.ram, BigInt(cpu.ramSize), true);
    // All-zero memory is an empty TLB but for what may look up page 0, whose tag is 0: its own entry, and that of an access which wraps from the last page.
    for (const base of [Layout.tlbRead, Layout.tlbWrite]) {
      for (const entry of [0, TLB_MASK]) this.#u32[(base >> 2) + entry * 4] = 0xffffffff;
    }
  }

  get #user(): boolean {
    return (this.#u32[State.mode >> 2]! & Mode.user) !== 0;
  }

  get #long(): boolean {
    return (this.#u32[State.mode >> 2]! & Mode.long) !== 0;
  }

  // TLBs.

  /** Remembers the translation of a page; the address is given in its halves. */
  #fill(write: boolean, low: number, high: number, physicalPage: number): void {
    const u32 = this.#u32;
    const page = (low & 0xffff_f000) >>> 0;
    const at = ((write ? Layout.tlbWrite : Layout.tlbRead) >> 2) + ((page >>> 12) & TLB_MASK) * 4;
    u32[at] = page;
    u32[at + 1] = high;
    u32[at + 2] = (Layout.ramBase + physicalPage - page) >>> 0;
    const counter = counterOf(write);
    const count = u32[counter]!;
    if (count === TlbJournals.entries) return;
    u32[journalOf(write) + count] = at;
    u32[counter] = count + 1;
  }

  /** Entries of a TLB, in words, that were filled since it was flushed; not all of them where those are very many. */
  #filled(write: boolean): Uint32Array {
    const journal = journalOf(write);
    return this.#u32.subarray(journal, journal + this.#u32[counterOf(write)]!);
  }

  #flushOne(write: boolean): void {
    const u32 = this.#u32;
    const count = u32[counterOf(write)]!;
    if (count > JOURNAL_LIMIT) {
      const base = (write ? Layout.tlbWrite : Layout.tlbRead) >> 2;
      u32.fill(0xffffffff, base, base + Layout.tlbEntries * 4);
    } else {
      const journal = journalOf(write);
      for (let i = 0; i < count; i++) u32[u32[journal + i]!] = 0xffffffff;
    }
    u32[counterOf(write)] = 0;
  }

  flush(): void {
    this.#flushOne(false);
    this.#flushOne(true);
    this.#fetch.clear();
    this.#events.codeUnmapped();
  }

  /** Linear addresses, below 2^47, of the pages that may be written, or read, straight away: where the guest has reached since the last flush. */
  reached(access: 'read' | 'write'): number[] {
    return Array.from(this.#filled(access === 'write')).flatMap((at) => {
      const [low, high] = [this.#u32[at]!, this.#u32[at + 1]!];
      return (low & (PAGE - 1)) === 0 && high < 0x8000 ? [high * TWO_32 + low] : [];
    });
  }

  flushPage(linear: bigint): void {
    const low = Number(linear & 0xfffff000n);
    const at = ((low >>> 12) & TLB_MASK) * 4;
    this.#u32[(Layout.tlbRead >> 2) + at] = 0xffffffff;
    this.#u32[(Layout.tlbWrite >> 2) + at] = 0xffffffff;
    if (this.#fetch.delete(Number(linear >> PAGE_BITS))) this.#events.codeUnmapped();
  }

  /** Forgets write translations of a physical page: its stores must be seen. */
  protect(page: number): void {
    // As long as it says so, no write translation of the page has been remembered.
    if (this.#u8[Layout.codeMap + page] === 1) return;
    this.#u8[Layout.codeMap + page] = 1;
    const host = Layout.ramBase + page * PAGE;
    const filled = this.#filled(true);
    if (filled.length > JOURNAL_LIMIT) {
      this.#flushOne(true);
      return;
    }
    for (const at of filled) {
      if ((this.#u32[at + 2]! + this.#u32[at]!) >>> 0 === host) this.#u32[at] = 0xffffffff;
    }
  }

  /** See `Cpu.followStores`. */
  followStores(follower: StoreFollower): void {
    this.#follower = follower;
    this.#told.fill(0);
    // As if there were code everywhere: the first write translation of each page is made here.
    this.#u8.fill(1, Layout.codeMap, Layout.codeMap + this.#told.length);
    this.#flushOne(true);
  }

  /** There will be stores that are not seen. */
  loseStores(): void {
    const follower = this.#follower;
    this.#follower = undefined;
    this.#told.fill(1);
    follower?.lost();
  }

  /** Something is about to be stored to bytes of RAM, or may be. */
  noteStore(physical: number, length: number): void {
    if (this.#follower === undefined) return;
    for (let page = Math.floor(physical / PAGE); page * PAGE < physical + length; page++) this.#noteStoreTo(page);
  }

  #noteStoreTo(page: number): void {
    if (this.#told[page] !== 0) return;
    this.#told[page] = 1;
    this.#follower?.firstStore(page);
  }

  setWatches(list: readonly Watch[]): void {
    this.#watches = list;
    this.#u32[TlbJournals.off >> 2] = list.length > 0 ? 1 : 0;
    this.#watchedPages.clear();
    for (const watch of list) {
      const last = (watch.address + BigInt(watch.length - 1)) >> PAGE_BITS;
      for (let page = watch.address >> PAGE_BITS; page <= last && this.#watchedPages.size < 0x10000; page++)
        this.#watchedPages.add(Number(page));
    }
    this.#flushOne(false);
    this.#flushOne(true);
  }

  #checkWatches(linear: bigint, size: number, write: boolean, read: boolean): void {
    const end = linear + BigInt(size);
    const hits: WatchHit[] = [];
    for (const watch of this.#watches) {
      if (linear >= watch.address + BigInt(watch.length) || end <= watch.address) continue;
      if (write && watch.access !== 'read') hits.push({ id: watch.id, address: linear, size, write: true });
      else if (read && watch.access !== 'write') hits.push({ id: watch.id, address: linear, size, write: false });
    }
    if (hits.length > 0) this.#events.watchHit(hits);
  }

  // Translation.

  /** Physical address for a fetch. Linear address in halves. */
  fetchPhysical(low: number, high: number): number {
    const page = (high >>> 0) * 0x10_0000 + (low >>> 12);
    let physical = this.#fetch.get(page);
    if (physical === undefined) {
      // The whole address: a fault leaves it in CR2.
      physical = translate(this.#cpu, low >>> 0, high >>> 0, 'execute', this.#user, false) - (low & (PAGE - 1));
      if (physical + PAGE > this.#ramSize) this.#cpu.unsupported('Instructions are fetched from an address where there is no RAM.');
      this.#fetch.set(page, physical);
    }
    return physical + (low & (PAGE - 1));
  }

  /** The address is given in its halves, both unsigned. */
  #canonical(low: number, high: number, size: number, segment: number): void {
    if (!this.#long) return;
    const top = (high | 0) >> 15;
    // Only an access across the last byte of a half can leave it.
    if ((top === 0 || top === -1) && low + size <= TWO_32) return;
    const lastHigh = low + size - 1 < TWO_32 ? high : (high + 1) >>> 0;
    const lastTop = (lastHigh | 0) >> 15;
    if ((top === 0 || top === -1) && (lastTop === 0 || lastTop === -1)) return;
    fault(segment === Seg.SS ? Vector.SS : Vector.GP, 0);
  }

  /**
   * Translates one page's access and fills a TLB where later accesses may go straight. Answers the physical address of the byte.
   * @param system a supervisor access whatever the CPL: nothing is remembered of it.
   */
  #translate(linear: bigint, write: boolean, system: boolean): number {
    return this.#translateHalves(Number(linear & 0xffff_ffffn), Number((linear >> 32n) & 0xffff_ffffn), write, system);
  }

  #translateHalves(low: number, high: number, write: boolean, system: boolean): number {
    const physical = translate(this.#cpu, low, high, write ? 'write' : 'read', this.#user && !system, system);
    const page = physical - (low & (PAGE - 1));
    if (write && page + PAGE <= this.#ramSize) this.#noteStoreTo(page / PAGE);
    if (
      page + PAGE <= this.#ramSize &&
      !system &&
      (this.#watchedPages.size === 0 || !this.#watchedPages.has(high * 0x10_0000 + (low >>> 12)))
    ) {
      if (write) {
        if (this.#events.hasCode(page / PAGE)) return physical;
        // There may have been some.
        this.#u8[Layout.codeMap + page / PAGE] = 0;
      }
      this.#fill(write, low, high, page);
    }
    return physical;
  }

  /**
   * The slow path of generated code: host address for `size` bytes at a linear address, or the bounce buffer. Throws GuestFault.
   * @param access 0 read, 1 write, 2 both.
   * @param whole the caller goes on to the end of the page: answers the bounce buffer where that is not plain memory.
   */
  slow(linear: bigint, size: number, access: number, segment: number, whole: boolean): number {
    const low = Number(linear & 0xffff_ffffn);
    const high = Number((linear >> 32n) & 0xffff_ffffn);
    this.#canonical(low, high, size, segment);
    const write = access !== 0;
    const inPage = low & (PAGE - 1);
    const watched =
      this.#watchedPages.size > 0 &&
      (this.#watchedPages.has(Number(linear >> PAGE_BITS)) || this.#watchedPages.has(Number((linear + BigInt(size - 1)) >> PAGE_BITS)));
    if (inPage + size <= PAGE) {
      const physical = this.#translateHalves(low, high, write, false);
      const page = physical - inPage;
      if (page + PAGE <= this.#ramSize) {
        if (whole) {
          if (watched) return State.bounce;
          if (write && this.#events.hasCode(page / PAGE)) this.#events.codeWritten(page, PAGE);
          return Layout.ramBase + physical;
        }
        if (watched) this.#checkWatches(linear, size, write, access !== 1);
        if (write && this.#events.hasCode(page / PAGE)) this.#events.codeWritten(physical, size);
        return Layout.ramBase + physical;
      }
    } else if (this.#long && !watched && !whole && this.#across(low, high, size, access)) {
      return State.bounce;
    } else if (write) {
      // Both pages must be writable before anything is stored.
      this.#translate(linear, true, false);
      this.#translate(this.#wrap((linear | 0xfffn) + 1n), true, false);
    }
    if (whole) return State.bounce;
    if (access !== 1) {
      for (let i = 0; i < size; i += 8) {
        const part = Math.min(8, size - i);
        const value = this.#readParts(this.#wrap(linear + BigInt(i)), part, write, false);
        for (let k = 0; k < part; k++) this.#u8[State.bounce + i + k] = Number((value >> BigInt(8 * k)) & 0xffn);
      }
    }
    if (watched) this.#checkWatches(linear, size, write, access !== 1);
    if (write) {
      this.#pendingAddress = linear;
      this.#pendingSize = size;
      this.#pendingFirst = 0;
    }
    return State.bounce;
  }

  /**
   * An access across the end of a page of RAM into another one, by way of the bounce buffer. Throws GuestFault.
   * @returns whether it is one: otherwise nothing was done but to translate.
   */
  #across(low: number, high: number, size: number, access: number): boolean {
    const write = access !== 0;
    const first = PAGE - (low & (PAGE - 1));
    const end = low + first;
    const here = this.#hostOf(low, high, write);
    const there = this.#hostOf(end >>> 0, end < TWO_32 ? high : (high + 1) >>> 0, write);
    if (here < 0 || there < 0) return false;
    if (access !== 1) {
      for (let i = 0; i < first; i++) this.#u8[State.bounce + i] = this.#u8[here + i]!;
      for (let i = first; i < size; i++) this.#u8[State.bounce + i] = this.#u8[there + i - first]!;
    }
    if (write) {
      this.#pendingHosts = [here, there];
      this.#pendingFirst = first;
      this.#pendingSize = size;
    }
    return true;
  }

  /** Host address of a byte of RAM, or -1 for others. */
  #hostOf(low: number, high: number, write: boolean): number {
    const cached = cachedHostOf(this.#u32, write ? Layout.tlbWrite : Layout.tlbRead, low, high, 1);
    if (cached >= 0) return cached;
    const physical = this.#translateHalves(low, high, write, false);
    return physical - (low & (PAGE - 1)) + PAGE <= this.#ramSize ? Layout.ramBase + physical : -1;
  }

  #wrap(linear: bigint): bigint {
    return this.#long ? linear & U64 : linear & 0xffffffffn;
  }

  /** Carries out the store that generated code left in the bounce buffer. */
  commit(): void {
    const size = this.#pendingSize;
    if (size === 0) return;
    this.#pendingSize = 0;
    const first = this.#pendingFirst;
    if (first > 0) {
      const [here, there] = this.#pendingHosts;
      this.#store(here, State.bounce, first);
      this.#store(there, State.bounce + first, size - first);
      return;
    }
    for (let i = 0; i < size; i += 8) {
      const part = Math.min(8, size - i);
      let value = 0n;
      for (let k = part - 1; k >= 0; k--) value = (value << 8n) | BigInt(this.#u8[State.bounce + i + k]!);
      this.#writeParts(this.#wrap(this.#pendingAddress + BigInt(i)), part, value, false);
    }
  }

  /** Moves what lies within a page of RAM from the bounce buffer to where it goes, all by their host addresses. */
  #store(to: number, from: number, size: number): void {
    const physical = to - Layout.ramBase;
    if (this.#events.hasCode(Math.floor(physical / PAGE))) this.#events.codeWritten(physical, size);
    for (let i = 0; i < size; i++) this.#u8[to + i] = this.#u8[from + i]!;
  }

  /** Reads up to 8 bytes that may cross a page or be a device's. */
  #readParts(linear: bigint, size: number, forWrite: boolean, system: boolean): bigint {
    const inPage = Number(linear & 0xfffn);
    if (inPage + size <= PAGE) return this.readPhysicalBytes(this.#translate(linear, forWrite, system), size);
    const first = PAGE - inPage;
    const low = this.readPhysicalBytes(this.#translate(linear, forWrite, system), first);
    const high = this.readPhysicalBytes(this.#translate(this.#wrap(linear + BigInt(first)), forWrite, system), size - first);
    return low | (high << BigInt(8 * first));
  }

  #writeParts(linear: bigint, size: number, value: bigint, system: boolean): void {
    const inPage = Number(linear & 0xfffn);
    if (inPage + size <= PAGE) {
      this.writePhysicalBytes(this.#translate(linear, true, system), size, value);
      return;
    }
    const first = PAGE - inPage;
    const low = this.#translate(linear, true, system);
    const high = this.#translate(this.#wrap(linear + BigInt(first)), true, system);
    this.writePhysicalBytes(low, first, value & ((1n << BigInt(8 * first)) - 1n));
    this.writePhysicalBytes(high, size - first, value >> BigInt(8 * first));
  }

  /** 1..8 bytes of physical memory within one page. */
  readPhysicalBytes(physical: number, size: number): bigint {
    if (physical + size <= this.#ramSize) {
      const at = Layout.ramBase + physical;
      switch (size) {
        case 8:
          return this.#view.getBigUint64(at, true);
        case 4:
          return BigInt(this.#view.getUint32(at, true));
        case 2:
          return BigInt(this.#view.getUint16(at, true));
        case 1:
          return BigInt(this.#u8[at]!);
        default: {
          let value = 0n;
          for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.#u8[at + i]!);
          return value;
        }
      }
    }
    let value = 0n;
    let done = 0;
    while (done < size) {
      const part = devicePart(physical + done, size - done);
      value |= BigInt.asUintN(part * 8, this.#bus.mmioRead(physical + done, part)) << BigInt(8 * done);
      done += part;
    }
    return value;
  }

  writePhysicalBytes(physical: number, size: number, value: bigint): void {
    if (physical + size <= this.#ramSize) {
      const page = Math.floor(physical / PAGE);
      this.#noteStoreTo(page);
      if (this.#events.hasCode(page)) this.#events.codeWritten(physical, size);
      const at = Layout.ramBase + physical;
      switch (size) {
        case 8:
          this.#view.setBigUint64(at, value, true);
          return;
        case 4:
          this.#view.setUint32(at, Number(value & 0xffffffffn), true);
          return;
        default:
          for (let i = 0; i < size; i++) this.#u8[at + i] = Number((value >> BigInt(8 * i)) & 0xffn);
          return;
      }
    }
    let done = 0;
    while (done < size) {
      const part = devicePart(physical + done, size - done);
      this.#bus.mmioWrite(physical + done, part, BigInt.asUintN(part * 8, value >> BigInt(8 * done)));
      done += part;
    }
  }

  // Accesses of helpers.

  /** Is a supervisor access whatever the CPL another than an ordinary one would be now? Only SMAP tells them apart at CPL 0. */
  #isApart(system: boolean): boolean {
    return system && (this.#user || (this.#u32[State.cr4 >> 2]! & Cr4.SMAP) !== 0);
  }

  read(linear: bigint, size: number, system: boolean): bigint {
    const apart = this.#isApart(system);
    if (!apart) {
      const host = cachedHost(this.#u32, Layout.tlbRead, linear, size);
      if (host >= 0) return this.readPhysicalBytes(host - Layout.ramBase, size);
    }
    if (!system) this.#canonical(Number(linear & 0xffff_ffffn), Number((linear >> 32n) & 0xffff_ffffn), size, Seg.DS);
    const value = this.#readParts(linear, size, false, apart);
    if (this.#watches.length > 0) this.#checkWatches(linear, size, false, true);
    return value;
  }

  write(linear: bigint, size: number, value: bigint, system: boolean): void {
    const apart = this.#isApart(system);
    if (!apart) {
      const host = cachedHost(this.#u32, Layout.tlbWrite, linear, size);
      if (host >= 0) {
        this.writePhysicalBytes(host - Layout.ramBase, size, BigInt.asUintN(size * 8, value));
        return;
      }
    }
    if (!system) this.#canonical(Number(linear & 0xffff_ffffn), Number((linear >> 32n) & 0xffff_ffffn), size, Seg.DS);
    this.#writeParts(linear, size, BigInt.asUintN(size * 8, value), apart);
    if (this.#watches.length > 0) this.#checkWatches(linear, size, true, false);
  }

  /** Checks every page of a range without touching it. */
  probe(linear: bigint, length: number, write: boolean): void {
    if (cachedHost(this.#u32, write ? Layout.tlbWrite : Layout.tlbRead, linear, length) >= 0) return;
    this.#canonical(Number(linear & 0xffff_ffffn), Number((linear >> 32n) & 0xffff_ffffn), length, Seg.DS);
    this.#translate(linear, write, false);
    const last = linear + BigInt(length - 1);
    for (let page = (linear | 0xfffn) + 1n; page <= last; page += BigInt(PAGE)) this.#translate(this.#wrap(page), write, false);
  }
}

/** Largest power of two up to 8 that divides the address and fits. */
function devicePart(address: number, rest: number): number {
  let part = 8;
  while (part > rest || address % part !== 0) part >>= 1;
  return part;
}
