/**
 * What translated code notes of system calls, passed addresses and segment bases without calling out of it: records in the linear memory that are read in bulk, where whoever is
 * told of such things does not need to know at once.
 */
import { type CpuHooks, type EventLog } from './api';
import { Layout, Seg, SegField, State } from './state';

/** Where the records, the words of slots and the table of calls lie: above the records of regions' instructions. */
export const LogArea = {
  start: 0x7c_0000,
  end: 0x7f_0000,
  /** i32 by slot: not 0 where passing its address must be told at once. */
  slots: 0x7f_0000,
  mostSlots: 4096,
  /** One byte by number of a system call: not 0 where it must be told at once. */
  calls: 0x7f_4000,
  mostCalls: 512,
} as const;

/**
 * Byte offsets in a record, which is that of the trace's ring (trace/ring.ts): what was noted is copied there as it is. Numbers of 64 bits are floats, which are exact for canonical addresses and for
 * counts.
 */
export const LogRecord = {
  /** i32: a `LogKind`. */
  kind: 0,
  /** i32: the number of the call, of the segment, or of the slot. */
  number: 4,
  /** Retired instructions and virtual time (nanoseconds) at the event, and at a call's return. */
  start: 8,
  end: 16,
  startTime: 24,
  endTime: 120,
  /** The sampled word. */
  sample: 32,
  rip: 40,
  rsp: 48,
  /** u64: RAX when an address is passed or a call returns; the new base. */
  result: 56,
  /** u64 each: RDI, RSI, RDX, R10, R8, R9; the old base. */
  args: 64,
  /** Address that a call returns to. */
  caller: 112,
  size: 128,
} as const;

/** Kinds of records: of the ring's, with its flags in the upper half, and one that is only read. */
export const LogKind = {
  openCall: 1,
  wholeCall: 1 | (2 << 16),
  base: 2,
  /** Added to `base`: whose block it is. */ ofKernel: 8 << 16,
  ofApplication: 16 << 16,
  pass: 255,
} as const;

/** Above the scratch fields of the interpreter and the regions. */
const fields = State.scratch + 0x100;
export const LogState = {
  /** i32: where the next record goes, and from where on there is no room; 0 there: nothing may be noted. */
  head: fields,
  limit: fields + 4,
  /** i32: host address of the word that is noted with each record. */
  sampleAt: fields + 8,
  /** i32: the record of the newest call, as long as that is open; or 0. */
  openCall: fields + 12,
  /** i64: the sampled word during whose newest call passing handlers says nothing; all ones: none. */
  inside: fields + 16,
  /** i64: the sampled word that `besideAt` (i32, a host address) goes with. */
  besideOf: fields + 24,
  besideAt: fields + 32,
  /** f64: retired instructions where no budget is left. */
  origin: fields + 40,
  /** f64: nanoseconds of virtual time that were not instructions'. */
  charged: fields + 48,
} as const;

/** How a probe that looks on is told by translated code. */
export const Telling = {
  none: 0,
  /** By a call out of it. */ atOnce: 1,
  /** Likewise, but not while `LogState.inside` is the sampled word. */ unlessInside: 2,
  /** From here on: by a record with this slot, where the slot's word is 0. */ slots: 3,
} as const;

/** No sampled word is this. */
const nobody = -1n;

export class Log implements EventLog {
  readonly halves: Int32Array;
  reader: ((from: number, to: number) => void) | undefined;
  readonly #bytes: Uint8Array;
  readonly #words: BigInt64Array;
  readonly #floats: Float64Array;
  #nextSlot: number = Telling.slots;
  #calls: CpuHooks['syscall'];
  #bases: CpuHooks['fsBase'];
  #sampled: number | undefined;

  /** @param hostOf host address of a 64-bit word of RAM at a linear address, or undefined. */
  constructor(
    buffer: ArrayBufferLike,
    private readonly hostOf: (linear: number) => number | undefined,
  ) {
    this.halves = new Int32Array(buffer);
    this.#bytes = new Uint8Array(buffer);
    this.#words = new BigInt64Array(buffer, 0, Layout.ramBase >> 3);
    this.#floats = new Float64Array(buffer, 0, Layout.ramBase >> 3);
  }

  /** After the state block was cleared, or all of it has become another. */
  reset(): void {
    this.halves[LogState.head >> 2] = LogArea.start;
    this.halves[LogState.openCall >> 2] = 0;
    this.settleOutside();
    this.translationsChanged();
  }

  /** Linear addresses may lead elsewhere now. */
  translationsChanged(): void {
    const { halves } = this;
    const at = this.#sampled === undefined ? State.zero : this.hostOf(this.#sampled);
    halves[LogState.sampleAt >> 2] = at ?? State.zero;
    halves[LogState.limit >> 2] = at === undefined ? 0 : LogArea.end;
    this.#words[LogState.besideOf >> 3] = nobody;
  }

  sample(linear: number | undefined): void {
    this.drain();
    this.#sampled = linear;
    this.settleOutside();
    this.translationsChanged();
  }

  noteCalls(hook: CpuHooks['syscall'], atOnce: (number: number) => boolean): void {
    this.#calls = hook;
    for (let number = 0; number < LogArea.mostCalls; number++) this.#bytes[LogArea.calls + number] = atOnce(number) ? 1 : 0;
  }

  noteBases(hook: CpuHooks['fsBase']): void {
    this.#bases = hook;
  }

  /** May this hook be told later? */
  laterCalls(hook: CpuHooks['syscall']): boolean {
    return hook !== undefined && hook === this.#calls;
  }

  laterBases(hook: CpuHooks['fsBase']): boolean {
    return hook !== undefined && hook === this.#bases;
  }

  slot(): number {
    if (this.#nextSlot === LogArea.mostSlots) return Telling.atOnce;
    this.setBusy(this.#nextSlot, false);
    return this.#nextSlot++;
  }

  setBusy(slot: number, busy: boolean): void {
    this.halves[(LogArea.slots >> 2) + slot] = busy ? 1 : 0;
  }

  settleInside(sample: number): void {
    this.#set(LogState.inside, sample);
  }

  settleOutside(): void {
    this.#words[LogState.inside >> 3] = nobody;
  }

  setBeside(sample: number, linear: number | undefined): void {
    const at = linear === undefined ? State.zero : this.hostOf(linear);
    if (at === undefined) return;
    this.#set(LogState.besideOf, sample);
    this.halves[LogState.besideAt >> 2] = at;
  }

  setCharged(nanoseconds: number): void {
    // Who writes down what happens has those that were noted before in front of it.
    if (this.halves[LogState.head >> 2] !== LogArea.start) this.drain();
    this.#floats[LogState.charged >> 3] = nanoseconds;
  }

  #set(field: number, value: number): void {
    this.halves[field >> 2] = value | 0;
    this.halves[(field >> 2) + 1] = Math.floor(value / 0x1_0000_0000);
  }

  drain(): void {
    const { halves } = this;
    const end = halves[LogState.head >> 2]!;
    if (end === LogArea.start) return;
    halves[LogState.head >> 2] = LogArea.start;
    halves[LogState.openCall >> 2] = 0;
    this.reader?.(LogArea.start, end);
  }
}

/** FS.base in the state block. */
export const fsBaseAt = State.seg + Seg.FS * SegField.size + SegField.base;
