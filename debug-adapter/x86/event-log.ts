/**
 * What translated code notes of system calls, passed addresses and segment bases without calling out of it: records in the linear memory that are read in bulk, where whoever is
 * told of such things does not need to know at once.
 */
import { type CpuHooks, type DrainedLog, type EventLog, type FollowedArgument, type FollowedCall } from './api';
import { Layout, Seg, SegField, State } from './state';

/** Where the records, the words of slots and the table of calls lie: above the records of regions' instructions; what calls point to is copied elsewhere. */
export const LogArea = {
  start: 0x7c_0000,
  end: 0x7d_0000,
  /** u8 by number of a system call: bytes of its record, and whether its end is of interest (1) where it has not failed. */
  sizes: 0x7d_0000,
  marks: 0x7d_0200,
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
const overshoot = 32;
/** Longer strings are told at once, read by TypeScript. */
const mostString = 512;

/**
 * Byte offsets in the records, which are those that the trace keeps (trace/packed.ts): memory that falls out of the caches is what a trace costs, so they are as short as they can be, and no longer than
 * their arguments need. The first i32 is a `LogKind`, with the number of a call from bit `numberShift` on.
 */
export const LogCall = {
  /** i32: instructions since the run began, and nanoseconds since `DrainedLog.bases` that were not instructions'; the same at the call's return. */
  start: 4,
  startCharged: 8,
  end: 12,
  /** i64: RAX when the call returns. */
  result: 16,
  endCharged: 24,
  /** i32: lower halves. */
  rip: 28,
  stack: 32,
  /** i64 each: RDI, RSI, RDX, R10, R8, R9. */
  args: 36,
} as const;
/** i32: upper halves of RIP and RSP of calls; i64: the sampled word: for all records that follow. */
export const LogContext = { ripHigh: 4, stackHigh: 8, thread: 12, size: 20 } as const;
/** RIP and the bases are i64; the bases are there only where they are not those of the newest record that has them. */
export const LogBase = { start: 4, charged: 8, rip: 12, short: 20, value: 20, from: 28, size: 36 } as const;
/** i32 the slot; i64 RAX and RSP. */
export const LogPass = { start: 4, charged: 8, slot: 12, result: 16, stack: 24, size: 32 } as const;
export const numberShift = 23;
/** The longest record with a context in front. */
const mostRecord = 128;

/** Kinds of records: of the trace's, with its flags from bit 16 on, and some of their own. */
export const LogKind = {
  openCall: 1,
  wholeCall: 1 | (2 << 16),
  /** Added to a call's: a block of bytes was copied when it was made, and when it returned. */ before: 32 << 16,
  after: 64 << 16,
  base: 2,
  /** The bases are those of the newest record that has them, or these the other way round. */ sameBase: 251,
  swappedBase: 252,
  context: 253,
  /** Added to those of bases: whose block it is. */ ofKernel: 8 << 16,
  ofApplication: 16 << 16,
  pass: 255,
} as const;

/** Above the scratch fields of the interpreter and the regions. */
const fields = State.scratch + 0x100;
export const LogState = {
  /** i32: where the next record goes, and from where on there is no room; 0 there: nothing may be noted. For calls there is none somewhat sooner: a log is read at the least cost while none is open. */
  head: fields,
  limit: fields + 4,
  callLimit: fields + 148,
  /** i32: host address of the word that is noted with each record. */
  sampleAt: fields + 8,
  /** i32: the record of the newest call, as long as that is open; or 0. */
  openCall: fields + 12,
  /** i64: the sampled word during whose newest call passing handlers says nothing; all ones: none. */
  inside: fields + 16,
  /** i64: the sampled word that `besideAt` (i32, a host address) goes with. */
  besideOf: fields + 24,
  besideAt: fields + 32,
  /** i32: instructions since the run began where no budget is left. */
  origin: fields + 36,
  /** f64: retired instructions when the run began. */
  base: fields + 40,
  /** i32: nanoseconds of virtual time that were not instructions', since `DrainedLog.bases`. */
  charged: fields + 48,
  /** i32: where the next block of bytes goes. */
  bytesHead: fields + 52,
  /** i32: not 0 where a call was noted while another one that was noted was open. */
  nested: fields + 56,
  /** i32: not 0 where an address was passed. */
  passed: fields + 60,
  /** i32: records but contexts; contexts; calls whose ends are of interest. */
  count: fields + 64,
  contexts: fields + 68,
  marked: fields + 72,
  /** i32: the newest call, or 0. */
  lastCall: fields + 76,
  /** i64: what the newest context was written for: the sampled word, RIP and RSP. */
  contextOf: fields + 80,
  contextRip: fields + 88,
  contextStack: fields + 96,
  /** i64: where the open call returns to, with which RSP, and the sampled word that it was made with. */
  returnsTo: fields + 104,
  openStack: fields + 112,
  openOf: fields + 120,
  /** i64: the bases of the newest record that has them. */
  baseValue: fields + 128,
  baseFrom: fields + 136,
  /** i32: not 0 where there is such a record. */
  hasBases: fields + 144,
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

/** No call begins behind it. */
const callsEnd = LogArea.end - 2048;
/** Nanoseconds that may be charged while a log fills. */
const mostCharged = 2 ** 31 - 1;
/** Fields that are 0 while there are no records. */
const emptied = [
  LogState.openCall,
  LogState.nested,
  LogState.passed,
  LogState.count,
  LogState.contexts,
  LogState.marked,
  LogState.lastCall,
  LogState.hasBases,
] as const;

/** No sampled word is this. */
const nobody = -1n;

export class Log implements EventLog {
  readonly halves: Int32Array;
  readonly bytes: Uint8Array;
  readonly firstBytes = LogArea.bytes;
  readonly unpackedAt = Layout.logUnpacked;
  reader: EventLog['reader'];
  /** Nanoseconds that were not instructions', now and when the log was empty. */
  #charged = 0;
  #chargedBase = 0;
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
    for (const field of emptied) this.halves[field >> 2] = 0;
    this.#words[LogState.contextOf >> 3] = nobody;
    this.#chargedBase = this.#charged;
    this.halves[LogState.charged >> 2] = 0;
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
    halves[LogState.limit >> 2] = at === undefined ? 0 : LogArea.end - mostRecord;
    halves[LogState.callLimit >> 2] = at === undefined ? 0 : callsEnd;
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
      this.bytes[LogArea.sizes + number] = LogCall.args + (followed?.arguments ?? 0) * 8;
      this.bytes[LogArea.marks + number] = followed?.isMarked === true ? 1 : 0;
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
      bytes[at + PlanEntry.argument] = LogCall.args + index * 8;
      bytes[at + PlanEntry.count] = count === undefined ? 0 : LogCall.args + count * 8;
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
    const more = nanoseconds - this.#chargedBase;
    // Who writes down what happens has those that were noted before in front of it.
    if (this.halves[LogState.head >> 2] !== LogArea.start && (!apart || more < 0 || more > mostCharged)) this.drain();
    this.#charged = nanoseconds;
    if (this.halves[LogState.head >> 2] === LogArea.start) this.#chargedBase = nanoseconds;
    this.halves[LogState.charged >> 2] = nanoseconds - this.#chargedBase;
  }

  #set(field: number, value: number): void {
    this.halves[field >> 2] = value | 0;
    this.halves[(field >> 2) + 1] = Math.floor(value / 0x1_0000_0000);
  }

  /** Reads the records if there is no room for more. @returns whether there is room now that was not there */
  makeRoom(): boolean {
    const { halves } = this;
    if (halves[LogState.head >> 2]! < callsEnd && halves[LogState.bytesHead >> 2]! < LogArea.bytesEnd - fullBytes) return false;
    this.drain();
    return true;
  }

  drain(): void {
    const { halves } = this;
    const end = halves[LogState.head >> 2]!;
    if (end === LogArea.start) return;
    const drained: DrainedLog = {
      from: LogArea.start,
      to: end,
      bytesTo: halves[LogState.bytesHead >> 2]!,
      count: halves[LogState.count >> 2]!,
      // With none, all of them are of bases and of calls that are over.
      isWhole: (halves[LogState.openCall >> 2]! | halves[LogState.nested >> 2]! | halves[LogState.passed >> 2]!) === 0,
      isPlain: halves[LogState.contexts >> 2]! <= 1 && halves[LogState.marked >> 2] === 0,
      lastCall: halves[LogState.lastCall >> 2]!,
      bases: { instructions: this.#floats[LogState.base >> 3]!, charged: this.#chargedBase },
    };
    this.#empty();
    this.reader?.(drained);
  }
}

/** FS.base in the state block. */
export const fsBaseAt = State.seg + Seg.FS * SegField.size + SegField.base;
