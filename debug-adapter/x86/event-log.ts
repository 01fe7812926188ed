/**
 * What translated code notes of system calls, passed addresses and segment bases without calling out of it: records in the linear memory that are read in bulk, where whoever is
 * told of such things does not need to know at once.
 */
import { type CpuHooks, type EventLog, type FollowedArgument, type FollowedCall } from './api';
import { Layout, Seg, SegField, State } from './state';

/** Where the records, the words of slots and the table of calls lie: above the records of regions' instructions; what calls point to is copied elsewhere. */
export const LogArea = {
  start: 0x7c_0000,
  end: 0x7d_0000,
  /** i32 by slot: a `SlotState`. */
  slots: 0x7f_0000,
  mostSlots: 4096,
  /** Two i32 by number of a system call: the plan of what is copied when it is made, and when it returns; 0: nothing, `atOnce`: it must be told at once. */
  calls: 0x7f_4000,
  mostCalls: 512,
  /** Lists of `PlanEntry`, each behind an i32: the most bytes that it copies. */
  plans: 0x7f_5000,
  plansEnd: 0x7f_b000,
  /** By linear page: i64 its address, i32 what is added to the low half of an address for the host's. */
  pages: 0x7f_b000,
  mostPages: 1024,
  /** 16 bytes: an element of an I/O vector. */
  scratch: 0x7f_f000,
  /** What calls point to, in the order of their records: see `Bytes`. */
  bytes: Layout.logBytes,
  bytesEnd: Layout.logBytesEnd,
} as const;

/** What is to be done where the address of a slot is passed. */
export const SlotState = {
  /** Nothing: nobody waits for it but calls that were noted since. */ idle: 0,
  /** It is told at once. */ busy: 1,
  /** It is noted. */ awaited: 2,
} as const;

/** In the table of calls: may not be noted. */
export const atOnce = -1;

/** Fields of what is to be copied for one argument. */
export const PlanEntry = {
  /** u8: a `PlanKind`. */
  kind: 0,
  /** u8: where in the record the argument is. */
  argument: 1,
  /** u8: where in the record its count is, or 0. */
  count: 2,
  /** u8: not 0 where no more is there than the call's result says. */
  byResult: 3,
  /** i32: bytes of each that is counted; without a count, of all. */
  scale: 4,
  /** i32: the most bytes that are copied; elements, of an I/O vector. */
  most: 8,
  size: 16,
} as const;
export const PlanKind = { end: 0, string: 1, bytes: 2, vector: 3 } as const;

/**
 * A block of bytes: an i32, its length with this; then for each argument an i32, the place in the record (8 bits), whether there was more (8 bits) and the number of bytes, and these, up to a multiple of
 * four. An I/O vector's are for each element a u32, its length, a u8, how many bytes of it follow, and those.
 */
export const Bytes = { header: 4, argument: 4, piece: 5 } as const;
/** Bytes that copies may write beyond their end. */
const overshoot = 8;
/** Longer strings are told at once, read by TypeScript. */
const mostString = 512;

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
  /** Added to a call's: a block of bytes was copied when it was made, and when it returned. */ before: 32 << 16,
  after: 64 << 16,
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
  /** i32: where the next block of bytes goes. */
  bytesHead: fields + 56,
  /** i32: not 0 where a call was noted while another one that was noted was open. */
  nested: fields + 60,
} as const;

/** How a probe that looks on is told by translated code. */
export const Telling = {
  none: 0,
  /** By a call out of it. */ atOnce: 1,
  /** Likewise, but not while `LogState.inside` is the sampled word. */ unlessInside: 2,
  /** From here on: by a record with this slot, where the slot's word is 0. */ slots: 3,
} as const;

/** Where no more is left for bytes, a call may have found that too little. */
const fullBytes = 0x4000;

/** No sampled word is this. */
const nobody = -1n;

export class Log implements EventLog {
  readonly halves: Int32Array;
  readonly bytes: Uint8Array;
  readonly firstBytes = LogArea.bytes;
  reader: EventLog['reader'];
  readonly #words: BigInt64Array;
  readonly #floats: Float64Array;
  #nextSlot: number = Telling.slots;
  #calls: CpuHooks['syscall'];
  #bases: CpuHooks['fsBase'];
  #sampled: number | undefined;
  /** Places of pages that are remembered. */
  readonly #pages: number[] = [];

  /**
   * @param hostOf host address of a 64-bit word of RAM at a linear address, or undefined.
   * @param hostOfPage the same of a page's first byte, by any address in it.
   * @param read see `Cpu.readMemory`.
   */
  constructor(
    buffer: ArrayBufferLike,
    private readonly hostOf: (linear: number) => number | undefined,
    private readonly hostOfPage: (linear: bigint) => number | undefined,
    private readonly read: (linear: bigint, length: number) => Uint8Array,
  ) {
    this.halves = new Int32Array(buffer);
    this.bytes = new Uint8Array(buffer);
    this.#words = new BigInt64Array(buffer, 0, Layout.ramBase >> 3);
    this.#floats = new Float64Array(buffer, 0, Layout.ramBase >> 3);
  }

  /** After the state block was cleared, or all of it has become another. */
  reset(): void {
    this.#empty();
    for (let place = 0; place < LogArea.mostPages; place++) this.#forgetPage(place);
    this.settleOutside();
    this.translationsChanged();
  }

  #empty(): void {
    this.halves[LogState.head >> 2] = LogArea.start;
    this.halves[LogState.bytesHead >> 2] = LogArea.bytes;
    this.halves[LogState.openCall >> 2] = 0;
    this.halves[LogState.nested >> 2] = 0;
  }

  #forgetPage(place: number): void {
    // No page is there.
    this.halves[(LogArea.pages >> 2) + place * 4] = -1;
  }

  /** Linear addresses may lead elsewhere now. */
  translationsChanged(): void {
    const { halves } = this;
    const at = this.#sampled === undefined ? State.zero : this.hostOf(this.#sampled);
    halves[LogState.sampleAt >> 2] = at ?? State.zero;
    halves[LogState.limit >> 2] = at === undefined ? 0 : LogArea.end;
    this.#words[LogState.besideOf >> 3] = nobody;
    for (const place of this.#pages) this.#forgetPage(place);
    this.#pages.length = 0;
  }

  readMemory(linear: bigint, length: number): Uint8Array {
    const end = linear + BigInt(length);
    for (let page = BigInt.asUintN(64, linear & ~0xfffn); page < end; page += 4096n) this.#rememberPage(page);
    return this.read(linear, length);
  }

  #rememberPage(page: bigint): void {
    const place = Number((page >> 12n) & BigInt(LogArea.mostPages - 1));
    const [low, high] = [Number(page & 0xffff_ffffn) | 0, Number(page >> 32n) | 0];
    const { halves } = this;
    const at = (LogArea.pages >> 2) + place * 4;
    if (halves[at] === low && halves[at + 1] === high) return;
    const host = this.hostOfPage(page);
    if (host === undefined) return;
    halves[at] = low;
    halves[at + 1] = high;
    halves[at + 2] = host - low;
    this.#pages.push(place);
  }

  sample(linear: number | undefined): void {
    this.drain();
    this.#sampled = linear;
    this.settleOutside();
    this.translationsChanged();
  }

  noteCalls(hook: CpuHooks['syscall'], follow: (number: number) => FollowedCall | undefined): void {
    this.#calls = hook;
    let free: number = LogArea.plans;
    const plan = (list: readonly FollowedArgument[]): number => {
      if (list.length === 0) return 0;
      if (free + (list.length + 1) * PlanEntry.size + Bytes.header > LogArea.plansEnd) return atOnce;
      const at = free;
      free = this.#writePlan(at, list);
      return at;
    };
    for (let number = 0; number < LogArea.mostCalls; number++) {
      const followed = follow(number);
      const [before, after] = followed === undefined ? [atOnce, 0] : [plan(followed.before), plan(followed.after)];
      const at = (LogArea.calls >> 2) + number * 2;
      this.halves[at] = after === atOnce ? atOnce : before;
      this.halves[at + 1] = after === atOnce ? 0 : after;
    }
  }

  /** @returns where it ends */
  #writePlan(plan: number, list: readonly FollowedArgument[]): number {
    const { halves, bytes } = this;
    let most: number = Bytes.header;
    let at = plan + Bytes.header;
    for (const { index, kind, count, byResult, scale, most: limit } of list) {
      const copied = kind === 'string' ? Math.min(limit, mostString) : limit;
      bytes[at + PlanEntry.kind] = PlanKind[kind];
      bytes[at + PlanEntry.argument] = LogRecord.args + index * 8;
      bytes[at + PlanEntry.count] = count === undefined ? 0 : LogRecord.args + count * 8;
      bytes[at + PlanEntry.byResult] = byResult ? 1 : 0;
      halves[(at + PlanEntry.scale) >> 2] = scale;
      halves[(at + PlanEntry.most) >> 2] = copied;
      most += Bytes.argument + overshoot + (kind === 'vector' ? copied * (Bytes.piece + scale) : copied);
      at += PlanEntry.size;
    }
    halves[plan >> 2] = most;
    halves[at >> 2] = PlanKind.end;
    return at + Bytes.header;
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
    this.setAwaited(this.#nextSlot, false, false);
    return this.#nextSlot++;
  }

  setAwaited(slot: number, awaited: boolean, busy: boolean): void {
    this.halves[(LogArea.slots >> 2) + slot] = busy ? SlotState.busy : awaited ? SlotState.awaited : SlotState.idle;
  }

  /** Is the sampled word the one that `settleInside` or a noted call named? */
  get isInside(): boolean {
    const { halves } = this;
    const sampled = halves[LogState.sampleAt >> 2]! >> 2;
    const inside = LogState.inside >> 2;
    return halves[sampled] === halves[inside] && halves[sampled + 1] === halves[inside + 1];
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

  setCharged(nanoseconds: number, apart: boolean): void {
    // Who writes down what happens has those that were noted before in front of it.
    if (!apart && this.halves[LogState.head >> 2] !== LogArea.start) this.drain();
    this.#floats[LogState.charged >> 3] = nanoseconds;
  }

  #set(field: number, value: number): void {
    this.halves[field >> 2] = value | 0;
    this.halves[(field >> 2) + 1] = Math.floor(value / 0x1_0000_0000);
  }

  /** Reads the records if there is no room for more. @returns whether there is room now that was not there */
  makeRoom(): boolean {
    const { halves } = this;
    if (halves[LogState.head >> 2]! < LogArea.end && halves[LogState.bytesHead >> 2]! < LogArea.bytesEnd - fullBytes) return false;
    this.drain();
    return true;
  }

  drain(): void {
    const { halves } = this;
    const end = halves[LogState.head >> 2]!;
    if (end === LogArea.start) return;
    const bytesEnd = halves[LogState.bytesHead >> 2]!;
    this.#empty();
    this.reader?.(LogArea.start, end, bytesEnd);
  }
}

/** FS.base in the state block. */
export const fsBaseAt = State.seg + Seg.FS * SegField.size + SegField.base;
