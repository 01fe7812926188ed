/**
 * Checkpoints of one machine: processor and device state whole, memory as the pages that changed since the checkpoint before. The processor tells of the first store to each page before it happens: only
 * then its content is copied, for the checkpoint that it has been so since. Where that cannot be told any longer, all memory is looked through, and copied at once.
 */
import { type Cpu, type StoreFollower } from '../../x86/api';
import { type PcMachine } from '../../machine/machine';
import { restoreSnapshot, saveSnapshot, type Stateful } from '../../machine/snapshot';
import { type FindTouchedPages, PageHash, pageBytes } from './page-hash';
import { PageStore, zeroSlot } from './page-store';

/** A state that can be gone back to. */
export interface Checkpoint {
  /** Instructions retired. */
  readonly at: number;
  /** Journal entries that had been applied. */
  readonly cursor: number;
  /** Everything but memory, in the machine's own format. */
  readonly core: Uint8Array;
  /** Page number to slot, for pages that differ from the checkpoint before. In the first one: for all that are known (see `Checkpoints.#unknown`). */
  readonly pages: Map<number, number>;
}

/** What a checkpoint takes beside its pages: objects, and an entry of a map. */
const checkpointOverhead = 512;
const entryOverhead = 40;

/** Pages that are looked at in one go where they were zeros. */
const mostZeros = 256;
/** In the place of a slot: nothing was ever stored to the page, which is in RAM as it was when history began. */
const unstored = 0xffff_ffff;
/** In the place of a slot: the page is in RAM as it was at this checkpoint, and is copied before something is stored to it. */
const inMemory = 0xffff_fffe;
/** What a page that has to be copied costs, in such that need only be looked at. */
const copyWork = 6;

/** Checkpoints in order of time; the first one, at the start of history, stays until history is made to begin later. */
export class Checkpoints implements StoreFollower {
  readonly #list: Checkpoint[] = [];
  readonly #hash: PageHash;
  readonly #store: PageStore;
  readonly #pageCount: number;
  /** Slots of all pages at checkpoint `#tableOf`; RAM differs from them in no other pages than those of `#suspects`, as long as stores are told of. */
  #table: Uint32Array;
  #tableOf!: Checkpoint;
  /** Another table, to make one in. */
  #spare: Uint32Array;
  #suspects: number[] = [];
  #isTold = false;
  /** Whose page is `inMemory`: one checkpoint's for each page. */
  readonly #owners = new Map<number, Checkpoint>();
  /** What pages are that the first checkpoint does not have: zeros, once all others were copied. */
  #unknown: number = unstored;
  #overhead = 0;
  /** Pages looked at or copied on behalf of history while the guest ran, since `takeWork` was called. */
  #work = 0;

  /**
   * @param machine stands at the start of history.
   * @param touchedPages knows what memory was never touched, and need not be looked through, where the host can tell.
   */
  constructor(
    private readonly machine: PcMachine,
    touchedPages?: FindTouchedPages,
  ) {
    this.#pageCount = machine.ram.length / pageBytes;
    this.#table = new Uint32Array(this.#pageCount);
    this.#spare = new Uint32Array(this.#pageCount);
    this.#hash = new PageHash(machine.ram, machine.memory, touchedPages);
    this.#store = new PageStore();
    this.#begin();
  }

  #begin(): void {
    const { machine } = this;
    const first = {
      at: Number(machine.cpu.retired),
      cursor: machine.cursor,
      core: saveSnapshot(coreOf(machine)),
      pages: new Map<number, number>(),
    };
    this.#list.push(first);
    this.#overhead = overheadOf(first);
    this.#unknown = unstored;
    this.#table.fill(unstored);
    this.#agree(first);
    // Stores that nobody will tell of may change any page: all have to be known.
    if (!this.#isTold) this.lost();
  }

  get list(): readonly Checkpoint[] {
    return this.#list;
  }

  /** Bytes that all of them take. */
  get bytes(): number {
    return this.#store.bytes + this.#owners.size * pageBytes + this.#overhead;
  }

  /** Pages that the guest had to wait for while it ran, since the last call. */
  takeWork(): number {
    const work = this.#work;
    this.#work = 0;
    return work;
  }

  firstStore(page: number): void {
    this.#work++;
    this.#suspects.push(page);
    this.#settle(page);
  }

  lost(): void {
    this.#isTold = false;
    for (const page of [...this.#owners.keys()]) this.#settle(page);
    if (this.#unknown === zeroSlot) return;
    this.#hash.look();
    for (
      let page = this.#hash.skipZeros(0, this.#pageCount);
      page < this.#pageCount;
      page = this.#hash.skipZeros(page + 1, this.#pageCount)
    ) {
      if (this.#table[page] === unstored) this.#settle(page);
    }
    this.#unknown = zeroSlot;
    this.#table.forEach((slot, page) => {
      if (slot === unstored) this.#table[page] = zeroSlot;
    });
  }

  /** Index of the newest checkpoint at or before `count` instructions; -1 where there is none. */
  indexBefore(count: number): number {
    let low = 0;
    let high = this.#list.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#list[middle]!.at <= count) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** Takes one of the state that the machine is in. A checkpoint of the same moment is replaced, as a debugger may have changed the state. */
  take(): Checkpoint {
    const at = Number(this.machine.cpu.retired);
    const same = this.indexBefore(at);
    if (same > 0 && this.#list[same]!.at === at) this.remove(same);
    const index = this.indexBefore(at);
    // The start of history stays as it is: journal entries of that moment come after it.
    if (index === 0 && this.#list[0]!.at === at) return this.#list[0]!;
    const next = this.#list[index + 1];
    this.#turnTable(this.#list[index]!);
    const pages = new Map<number, number>();
    const made: Checkpoint = { at, cursor: this.machine.cursor, core: saveSnapshot(coreOf(this.machine)), pages };
    this.#eachChange((page) => {
      const known = this.#table[page]!;
      const slot = this.#isTold ? inMemory : this.#slotFor(page, next);
      if (slot === inMemory) {
        // It may have been so at a later one, too.
        this.#settle(page);
        this.#owners.set(page, made);
      }
      pages.set(page, slot);
      // What the next checkpoint has from before is no longer what comes right before it.
      if (next?.pages.has(page) === false) {
        next.pages.set(page, this.#store.share(known));
        this.#overhead += entryOverhead;
      }
      this.#table[page] = slot;
    });
    this.#list.splice(index + 1, 0, made);
    this.#overhead += overheadOf(made);
    this.#agree(made);
    return made;
  }

  /** Puts the machine into the state of checkpoint `index`. Code is dropped only where memory differs. */
  restore(index: number): void {
    const checkpoint = this.#list[index];
    if (checkpoint === undefined) throw new RangeError(`no checkpoint ${index}`);
    const { machine } = this;
    this.#turnTable(checkpoint);
    if (hasEnded(machine)) machine.revive();
    this.#eachChange((page) => {
      this.#settle(page);
      machine.cpu.invalidateCode(page * pageBytes, pageBytes);
      this.#store.load(machine.ram, this.#table[page]!, page);
    });
    // Whoever requests an interrupt does it again when its state is put back.
    machine.cpu.setInterruptLine(false);
    const core = coreOf(machine, keepingCode(machine.cpu));
    restoreSnapshot(core, checkpoint.core);
    machine.cursor = Math.min(core.cursor, machine.journalled.end);
    this.#agree(checkpoint);
    this.#work = 0;
  }

  /** Forgets everything and begins anew with the state that the machine is in. */
  restart(): void {
    for (const each of this.#list) for (const [page, slot] of each.pages) this.#release(each, page, slot);
    this.#list.length = 0;
    this.#begin();
  }

  /** Forgets checkpoints after `count` instructions, and those that know journal entries which are no more. */
  dropAfter(count: number, journalLength: number): void {
    const isDropped = ({ at, cursor }: Checkpoint): boolean => at > count || cursor > journalLength;
    const last = this.#list.findLast((each, index) => index === 0 || !isDropped(each))!;
    if (this.#tableOf !== last && isDropped(this.#tableOf)) this.#turnTable(last);
    for (let index = this.#list.length - 1; index > 0; index--) if (isDropped(this.#list[index]!)) this.remove(index);
  }

  /** History begins at checkpoint `index` from now on: those before it are forgotten. */
  beginAt(index: number): void {
    const checkpoint = this.#list[index];
    if (index <= 0 || checkpoint === undefined) return;
    this.#turnTable(checkpoint);
    const pages = new Map<number, number>();
    const begun: Checkpoint = { ...checkpoint, pages };
    this.#table.forEach((slot, page) => {
      if (slot === this.#unknown) return;
      pages.set(page, slot);
      if (slot === inMemory) this.#owners.set(page, begun);
      else this.#store.share(slot);
    });
    for (const old of this.#list.splice(0, index + 1, begun)) {
      this.#overhead -= overheadOf(old);
      for (const [page, slot] of old.pages) this.#release(old, page, slot);
    }
    this.#overhead += overheadOf(begun);
    this.#tableOf = begun;
  }

  /** Forgets one checkpoint, whose pages go over to the next where that has none of its own. Never the first. */
  remove(index: number): void {
    const checkpoint = this.#list[index];
    if (index <= 0 || checkpoint === undefined) return;
    // The table is one of a checkpoint that is there: of others, slots may be used again.
    if (this.#tableOf === checkpoint) this.#turnTable(this.#list[index - 1]!);
    const next = this.#list[index + 1];
    this.#overhead -= overheadOf(checkpoint);
    for (const [page, slot] of checkpoint.pages) {
      if (next === undefined || next.pages.has(page)) this.#release(checkpoint, page, slot);
      else {
        next.pages.set(page, slot);
        if (slot === inMemory) this.#owners.set(page, next);
        this.#overhead += entryOverhead;
      }
    }
    this.#list.splice(index, 1);
  }

  /** Calls `changed` for each page whose content is not that of its slot in the table. */
  #eachChange(changed: (page: number) => void): void {
    if (this.#isTold) {
      for (const page of this.#suspects) {
        const slot = this.#table[page]!;
        if (slot !== inMemory && !this.#hash.same(page, this.#store.hashes, slot)) changed(page);
      }
      return;
    }
    this.#hash.look();
    for (let page = this.#nextChange(0); page < this.#pageCount; page = this.#nextChange(page + 1)) changed(page);
  }

  /** The first page from `page` on whose content is not that of its slot in the table; the number of pages where there is none. */
  #nextChange(page: number): number {
    const count = this.#pageCount;
    let at = page;
    while (at < count) {
      const slot = this.#table[at]!;
      if (slot === zeroSlot) {
        const most = Math.min(count, at + mostZeros);
        let end = at + 1;
        while (end < most && this.#table[end] === zeroSlot) end++;
        at = this.#hash.skipZeros(at, end);
        if (at === end) continue;
      }
      if (!this.#hash.same(at, this.#store.hashes, slot)) return at;
      at++;
    }
    return count;
  }

  /** A slot with the content of a page of RAM, that of the next checkpoint where it is the same. */
  #slotFor(page: number, next: Checkpoint | undefined): number {
    if (this.#hash.same(page, this.#store.hashes, zeroSlot)) return zeroSlot;
    const later = next?.pages.get(page);
    if (later !== undefined && later !== zeroSlot && this.#hash.same(page, this.#store.hashes, later)) return this.#store.share(later);
    return this.#store.add(this.machine.ram, page, this.#hash);
  }

  /** A page is about to change: copies it for the checkpoint that has it in memory only. That is the first one where nothing was ever stored to it: it was so at all of them. */
  #settle(page: number): void {
    const isUnstored = this.#table[page] === unstored;
    const owner = isUnstored ? this.#list[0]! : this.#owners.get(page);
    if (owner === undefined) return;
    if (isUnstored) this.#overhead += entryOverhead;
    this.#owners.delete(page);
    const slot = this.#hash.isZero(page) ? zeroSlot : this.#slotFor(page, undefined);
    if (slot !== zeroSlot) this.#work += copyWork;
    owner.pages.set(page, slot);
    if (isUnstored || this.#table[page] === inMemory) this.#table[page] = slot;
  }

  /** A checkpoint no longer needs what it has of a page. */
  #release(checkpoint: Checkpoint, page: number, slot: number): void {
    if (slot !== inMemory) this.#store.release(slot);
    else if (this.#owners.get(page) === checkpoint) this.#owners.delete(page);
  }

  /** Makes the table that of another checkpoint, which RAM may differ from wherever the tables do. */
  #turnTable(checkpoint: Checkpoint): void {
    if (this.#tableOf === checkpoint) return;
    const before = this.#table;
    const table = this.#spare;
    table.fill(this.#unknown);
    for (const each of this.#list.slice(0, this.#list.indexOf(checkpoint) + 1)) for (const [page, slot] of each.pages) table[page] = slot;
    if (this.#isTold) for (let page = 0; page < table.length; page++) if (table[page] !== before[page]) this.#suspects.push(page);
    this.#table = table;
    this.#spare = before;
    this.#tableOf = checkpoint;
  }

  /** RAM is as the table says, which is that of `checkpoint`. */
  #agree(checkpoint: Checkpoint): void {
    this.#tableOf = checkpoint;
    this.#suspects = [];
    this.#isTold = this.machine.cpu.followStores(this);
  }
}

const overheadOf = ({ core, pages }: Checkpoint): number => checkpointOverhead + core.length + pages.size * entryOverhead;

/** The machine without its memory, as the snapshot format sees it. */
function coreOf(machine: PcMachine, cpu: Cpu = machine.cpu): Stateful {
  const { memory, clock, random, devices, cursor } = machine;
  return { cpu, memory, ram: new Uint8Array(0), clock, random, devices, cursor };
}

/** The processor as restoring a snapshot needs it: of pages that changed it has been told. */
const keepingCode = (cpu: Cpu): Cpu =>
  ({ invalidate: () => cpu.stateReplaced(), invalidateCode: () => undefined }) as Pick<Cpu, 'invalidate' | 'invalidateCode'> as Cpu;

/** Whether the guest ended its run: then a run comes back at once, at whatever limit. */
export const hasEnded = (machine: PcMachine): boolean => machine.run(machine.cpu.retired).kind === 'exit';
