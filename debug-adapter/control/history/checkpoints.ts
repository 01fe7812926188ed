/** Checkpoints of one machine: processor and device state whole, memory as the pages that changed since the checkpoint before. */
import { type Cpu } from '../../x86/api';
import { type PcMachine } from '../../machine/machine';
import { type MachineMemory } from '../../machine/memory';
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
  /** Page number to slot, for pages that differ from the checkpoint before, or from zeros where it is full. */
  readonly pages: Map<number, number>;
  full: boolean;
}

/** Where a snapshot says how many bytes of memory it is of. */
const ramLengthOffset = 8;
/** What a checkpoint takes beside its pages: objects, and an entry of a map. */
const checkpointOverhead = 512;
const entryOverhead = 40;

/** Pages that are looked at in one go where they were zeros. */
const mostZeros = 256;

/** Checkpoints in order of time; the first one, at the start of history, stays until history is made to begin later. */
export class Checkpoints {
  readonly #list: Checkpoint[] = [];
  readonly #hash: PageHash;
  readonly #store: PageStore;
  readonly #pageCount: number;
  /** Slots of all pages at checkpoint `#tableOf`. */
  readonly #table: Uint32Array;
  #tableOf: Checkpoint | undefined;
  #overhead = 0;
  #complete = false;

  /**
   * @param machine stands at the start of history.
   * @param pristine makes memory like that which the machine began with, and as large: that at the start is taken from it, once somebody goes there. To look through memory
   * that was never touched takes tens of milliseconds, for which no guest should have to wait before it starts.
   * @param touchedPages knows what memory was never touched, and need not be looked through, where the host can tell.
   */
  constructor(
    private readonly machine: PcMachine,
    private readonly pristine: () => MachineMemory,
    private readonly touchedPages?: FindTouchedPages,
  ) {
    this.#pageCount = machine.ram.length / pageBytes;
    this.#table = new Uint32Array(this.#pageCount);
    this.#hash = new PageHash(machine.ram, machine.memory, touchedPages);
    this.#store = new PageStore();
    this.#list.push({
      at: Number(machine.cpu.retired),
      cursor: machine.cursor,
      core: saveSnapshot(coreOf(machine)),
      pages: new Map(),
      full: true,
    });
  }

  get list(): readonly Checkpoint[] {
    return this.#list;
  }

  /** Bytes that all of them take. */
  get bytes(): number {
    return this.#store.bytes + this.#overhead;
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
    const previous = index <= 0 && !this.#complete ? undefined : this.#list[index];
    const next = this.#list[index + 1];
    this.#fillTable(previous);
    this.#hash.look();
    const pages = new Map<number, number>();
    for (let page = this.#nextChange(0); page < this.#pageCount; page = this.#nextChange(page + 1)) {
      const known = this.#table[page]!;
      const slot = this.#slotFor(page, next);
      pages.set(page, slot);
      // What the next checkpoint has from before is no longer what comes right before it.
      if (next?.full === false && !next.pages.has(page)) {
        next.pages.set(page, this.#store.share(known));
        this.#overhead += entryOverhead;
      }
      this.#table[page] = slot;
    }
    const made: Checkpoint = {
      at,
      cursor: this.machine.cursor,
      core: saveSnapshot(coreOf(this.machine)),
      pages,
      full: previous === undefined,
    };
    this.#list.splice(index + 1, 0, made);
    this.#overhead += overheadOf(made);
    this.#tableOf = made;
    return made;
  }

  /** Puts the machine into the state of checkpoint `index`. Code is dropped only where memory differs. */
  restore(index: number): void {
    const checkpoint = this.#list[index];
    if (checkpoint === undefined) throw new RangeError(`no checkpoint ${index}`);
    const { machine } = this;
    this.#fillTable(checkpoint);
    if (hasEnded(machine)) reviveMachine(machine, checkpoint.core);
    this.#hash.look();
    for (let page = this.#nextChange(0); page < this.#pageCount; page = this.#nextChange(page + 1)) {
      this.#store.load(machine.ram, this.#table[page]!, page);
      machine.cpu.invalidateCode(page * pageBytes, pageBytes);
    }
    const core = coreOf(machine, takingOver(machine.cpu));
    restoreSnapshot(core, checkpoint.core);
    machine.cursor = Math.min(core.cursor, machine.journalled.end);
  }

  /** Makes `restore` of checkpoint `index` quick: what is there only once somebody goes back is made now, and memory that was never touched is touched. */
  *warm(index: number): Generator<void, void, void> {
    this.#fillTable(this.#list[index]);
    yield;
    this.#hash.look();
    for (let page = this.#nextChange(0); page < this.#pageCount; page = this.#nextChange(page + 1));
  }

  /** Forgets everything and begins anew with the state that the machine is in. */
  restart(): void {
    for (let index = this.#list.length - 1; index > 0; index--) this.remove(index);
    for (const slot of this.#list[0]?.pages.values() ?? []) this.#store.release(slot);
    this.#list.length = 0;
    this.#overhead = 0;
    this.#complete = true;
    this.#tableOf = undefined;
    this.take();
  }

  /** Forgets checkpoints after `count` instructions, and those that know journal entries which are no more. */
  dropAfter(count: number, journalLength: number): void {
    for (let index = this.#list.length - 1; index > 0; index--) {
      const { at, cursor } = this.#list[index]!;
      if (at > count || cursor > journalLength) this.remove(index);
    }
  }

  /** History begins at checkpoint `index` from now on: those before it are forgotten. */
  beginAt(index: number): void {
    const checkpoint = this.#list[index];
    if (index <= 0 || checkpoint === undefined) return;
    this.#fillTable(checkpoint);
    const pages = new Map<number, number>();
    this.#table.forEach((slot, page) => {
      if (slot !== zeroSlot) pages.set(page, this.#store.share(slot));
    });
    const begun: Checkpoint = { ...checkpoint, pages, full: true };
    for (const old of this.#list.splice(0, index + 1, begun)) {
      this.#overhead -= overheadOf(old);
      for (const slot of old.pages.values()) this.#store.release(slot);
    }
    this.#overhead += overheadOf(begun);
    this.#tableOf = begun;
  }

  /** Forgets one checkpoint, whose pages go over to the next where that has none of its own. Never the first. */
  remove(index: number): void {
    const checkpoint = this.#list[index];
    if (index <= 0 || checkpoint === undefined) return;
    const next = this.#list[index + 1];
    this.#overhead -= overheadOf(checkpoint);
    for (const [page, slot] of checkpoint.pages) {
      if (next === undefined || next.full || next.pages.has(page)) this.#store.release(slot);
      else {
        next.pages.set(page, slot);
        this.#overhead += entryOverhead;
      }
    }
    if (next !== undefined) next.full ||= checkpoint.full;
    this.#list.splice(index, 1);
    if (this.#tableOf === checkpoint) this.#tableOf = undefined;
  }

  /** The first page from `page` on whose content is not that of its slot in the table; the number of pages where there is none. Its hash is at hand then. */
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

  /** Copies the pages of the first checkpoint, if that has not been done yet. */
  #completeFirst(): void {
    const [first] = this.#list;
    if (this.#complete || first === undefined) return;
    this.#complete = true;
    const { ram, memory } = this.pristine();
    const hash = new PageHash(ram, memory, this.touchedPages);
    hash.look();
    for (let page = hash.skipZeros(0, this.#pageCount); page < this.#pageCount; page = hash.skipZeros(page + 1, this.#pageCount))
      if (!hash.same(page, this.#store.hashes, zeroSlot)) first.pages.set(page, this.#store.add(ram, page, hash));
    this.#overhead += overheadOf(first);
  }

  #fillTable(checkpoint: Checkpoint | undefined): void {
    if (checkpoint !== undefined && this.#tableOf === checkpoint) return;
    this.#table.fill(zeroSlot);
    this.#tableOf = checkpoint;
    if (checkpoint === undefined) return;
    const index = this.#list.indexOf(checkpoint);
    let from = index;
    while (!this.#list[from]!.full) from--;
    if (from === 0) this.#completeFirst();
    for (const each of this.#list.slice(from, index + 1)) {
      for (const [page, slot] of each.pages) this.#table[page] = slot;
    }
  }
}

const overheadOf = ({ core, pages }: Checkpoint): number => checkpointOverhead + core.length + pages.size * entryOverhead;

/** The machine without its memory, as the snapshot format sees it. */
function coreOf(machine: PcMachine, cpu: Cpu = machine.cpu): Stateful {
  const { memory, clock, random, devices, cursor } = machine;
  return { cpu, memory, ram: new Uint8Array(0), clock, random, devices, cursor };
}

/** A processor that can take over a state block while it keeps code whose bytes are still the same. */
interface ResumingCpu extends Cpu {
  stateReplaced?(): void;
}

/** The processor as restoring a snapshot needs it. The changed pages have been told of already. */
function takingOver(cpu: ResumingCpu): Cpu {
  if (cpu.stateReplaced === undefined) {
    // What the processor keeps beside its state block goes by a reset.
    cpu.reset();
    return cpu;
  }
  return { invalidate: () => cpu.stateReplaced?.(), invalidateCode: () => undefined } as Pick<Cpu, 'invalidate' | 'invalidateCode'> as Cpu;
}

/** Whether the guest ended its run: then a run comes back at once, at whatever limit. */
export const hasEnded = (machine: PcMachine): boolean => machine.run(machine.cpu.retired).kind === 'exit';

/** Only a restored snapshot lets an ended machine run again; its memory comes back empty. */
function reviveMachine(machine: PcMachine, core: Uint8Array): void {
  const snapshot = core.slice();
  new DataView(snapshot.buffer, snapshot.byteOffset).setUint32(ramLengthOffset, machine.ram.length, true);
  machine.restore(snapshot);
}
