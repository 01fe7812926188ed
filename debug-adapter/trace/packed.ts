/** Records as the processor's translated code writes them (`LogRecord` of x86/event-log.ts): short, one behind the other, and read only when somebody looks. */
import { argumentCount, EventKind, Flag, fsNumber, RecordField, recordBytes } from './records';
import { syscallByNumber } from './syscalls/table';

/**
 * Byte offsets in the record of a call, all of whose words are i32 but for those that are said to be i64. The first has the kind, the flags from bit 16 on and the number from bit 23 on. Counts of
 * instructions and nanoseconds that were charged are differences to those that all records of a log have in common (`PackedBases`); of addresses the upper halves are in the context in front.
 */
export const PackedCall = {
  start: 4,
  startCharged: 8,
  end: 12,
  /** i64 */ result: 16,
  endCharged: 24,
  rip: 28,
  stack: 32,
  /** i64 each, as many as the call has. */ args: 36,
} as const;
/** What holds for records from here on. */
export const PackedContext = { ripHigh: 4, stackHigh: 8, /** i64 */ thread: 12, size: 20 } as const;
/** A change of FS.base; the two bases are there only where they are not those of the newest change that has them. */
export const PackedBase = {
  start: 4,
  charged: 8,
  /** i64 */ rip: 12,
  short: 20,
  /** i64 */ value: 20,
  /** i64 */ from: 28,
  size: 36,
} as const;
/** Code of a slot is passed. */
export const PackedPass = { start: 4, charged: 8, slot: 12, /** i64 */ result: 16, /** i64 */ stack: 24, size: 32 } as const;

/** Kinds of records besides `EventKind.syscall` and `EventKind.segmentBase`. */
export const PackedKind = {
  /** A change of FS.base with the bases of the newest one that has them, and with these the other way round. */
  sameBase: 251,
  swappedBase: 252,
  context: 253,
  pass: 255,
} as const;
export const numberShift = 23;
const flagsMask = 0x7f_0000;
/** Numbers of calls that are noted are below this. */
export const mostNoted = 512;

/** What all records of a log count from: retired instructions, and nanoseconds of virtual time that were not instructions'. */
export interface PackedBases {
  readonly instructions: number;
  readonly charged: number;
}

/** Bytes of a log at which the newest context is, and the newest change with its bases; -1 for none. */
export interface PackedBefore {
  readonly context: number;
  readonly pair: number;
}
export const nothingBefore: PackedBefore = { context: -1, pair: -1 };

/** How many arguments of a call are kept. */
export const argumentsOf = (number: number): number => Math.min(syscallByNumber(number)?.args.length ?? argumentCount, argumentCount);

let counts: Uint8Array | undefined;
/** The same by number of all that are noted. */
const argumentCounts = (): Uint8Array => (counts ??= Uint8Array.from({ length: mostNoted }, (_, number) => argumentsOf(number)));

/** Goes through packed records one by one. */
export class PackedReader {
  readonly #counts = argumentCounts();
  /** Where the record is that was come to last, and what is behind it; in bytes. */
  at = 0;
  next = 0;
  /** Its kind: a call's, `segmentBase` whichever way that is written, or `pass`. */
  kind = 0;
  flags = 0;
  /** Where the newest context is, and the newest change with its bases; or -1. */
  #context = -1;
  #pair = -1;
  #end = 0;
  #bases: PackedBases = { instructions: 0, charged: 0 };
  #words: Int32Array = new Int32Array(0);

  /** Begins at byte `from` of a log, and ends at byte `to`. @param before where what holds for the first event is, if that is in front of it */
  begin(words: Int32Array, from: number, to: number, bases: PackedBases, before: PackedBefore = nothingBefore): this {
    this.#words = words;
    this.at = -1;
    this.next = from;
    this.#end = to;
    this.#bases = bases;
    this.#context = before.context;
    this.#pair = before.pair;
    return this;
  }

  /** Goes to the next event; false at the end. */
  advance(): boolean {
    const words = this.#words;
    while (this.next < this.#end) {
      const at = this.next;
      const word = words[at >> 2]!;
      const kind = word & 0xff;
      this.at = at;
      this.flags = word & flagsMask;
      this.kind = kind;
      switch (kind) {
        case PackedKind.context:
          this.#context = at;
          this.next = at + PackedContext.size;
          continue;
        case EventKind.syscall:
          this.next = at + PackedCall.args + this.#counts[word >>> numberShift]! * 8;
          return true;
        case PackedKind.pass:
          this.next = at + PackedPass.size;
          return true;
        case EventKind.segmentBase:
          this.#pair = at;
          this.next = at + PackedBase.size;
          return true;
        default:
          this.kind = EventKind.segmentBase;
          this.next = at + PackedBase.short;
          return true;
      }
    }
    return false;
  }

  /** Goes to the call at a place, with the context that was come to last. */
  goTo(at: number): void {
    const word = this.#words[at >> 2]!;
    this.at = at;
    this.kind = word & 0xff;
    this.flags = word & flagsMask;
  }

  /** Is it a change of bases, or a call that is over? */
  get isWhole(): boolean {
    return this.kind === EventKind.segmentBase || (this.flags & (Flag.completed << 16)) !== 0;
  }

  /** Number of the call. */
  get number(): number {
    return this.#words[this.at >> 2]! >>> numberShift;
  }

  /** See `PackedBefore`. */
  get context(): number {
    return this.#context;
  }

  get pair(): number {
    return this.#pair;
  }

  get thread(): number {
    return this.#signed(this.#context + PackedContext.thread);
  }

  get rip(): number {
    return this.kind === EventKind.syscall
      ? this.#words[(this.#context + PackedContext.ripHigh) >> 2]! * 0x1_0000_0000 + (this.#words[(this.at + PackedCall.rip) >> 2]! >>> 0)
      : this.#signed(this.at + PackedBase.rip);
  }

  get start(): number {
    return this.#bases.instructions + this.#unsigned(PackedCall.start);
  }

  /** Of a call that is over. */
  get end(): number {
    return this.#bases.instructions + this.#unsigned(PackedCall.end);
  }

  /** Writes the event as a whole record of the ring. @param at in bytes */
  unpack(halves: Int32Array, floats: Float64Array, at: number): void {
    const { kind } = this;
    const words = this.#words;
    const { charged } = this.#bases;
    halves[at >> 2] = kind | this.flags;
    const start = this.start;
    floats[(at + RecordField.startInstruction) >> 3] = start;
    floats[(at + RecordField.startTime) >> 3] = start + (charged + this.#unsigned(PackedCall.startCharged));
    const to = at >> 2;
    const from = this.at >> 2;
    if (kind === PackedKind.pass) {
      halves[to + RecordField.number / 4] = words[from + PackedPass.slot / 4]!;
      this.#copy(halves, to + RecordField.result / 4, from + PackedPass.result / 4);
      floats[(at + RecordField.stack) >> 3] = this.#signed(this.at + PackedPass.stack);
      return;
    }
    floats[(at + RecordField.thread) >> 3] = this.thread;
    floats[(at + RecordField.rip) >> 3] = this.rip;
    if (kind === EventKind.segmentBase) {
      const pair = this.#pair >> 2;
      const swapped = (words[from]! & 0xff) === PackedKind.swappedBase;
      halves[to + RecordField.number / 4] = fsNumber;
      this.#copy(halves, to + RecordField.result / 4, pair + (swapped ? PackedBase.from : PackedBase.value) / 4);
      this.#copy(halves, to + RecordField.args / 4, pair + (swapped ? PackedBase.value : PackedBase.from) / 4);
      return;
    }
    this.#unpackCall(halves, floats, at);
  }

  #unpackCall(halves: Int32Array, floats: Float64Array, at: number): void {
    const words = this.#words;
    const to = at >> 2;
    const from = this.at >> 2;
    const { number, end } = this;
    const count = this.#counts[number]!;
    halves[to + RecordField.number / 4] = number;
    floats[(at + RecordField.caller) >> 3] = this.rip + syscallBytes;
    floats[(at + RecordField.stack) >> 3] =
      words[(this.#context + PackedContext.stackHigh) >> 2]! * 0x1_0000_0000 + this.#unsigned(PackedCall.stack);
    for (let i = 0; i < argumentCount; i++) {
      const place = to + RecordField.args / 4 + i * 2;
      if (i < count) this.#copy(halves, place, from + PackedCall.args / 4 + i * 2);
      else halves[place] = halves[place + 1] = 0;
    }
    if ((this.flags & (Flag.completed << 16)) === 0) return;
    this.#copy(halves, to + RecordField.result / 4, from + PackedCall.result / 4);
    floats[(at + RecordField.endInstruction) >> 3] = end;
    floats[(at + RecordField.endTime) >> 3] = end + (this.#bases.charged + this.#unsigned(PackedCall.endCharged));
  }

  /** A word of 64 bits. */
  #copy(halves: Int32Array, to: number, from: number): void {
    halves[to] = this.#words[from]!;
    halves[to + 1] = this.#words[from + 1]!;
  }

  #unsigned(field: number): number {
    return this.#words[(this.at + field) >> 2]! >>> 0;
  }

  #signed(at: number): number {
    return this.#words[(at + 4) >> 2]! * 0x1_0000_0000 + (this.#words[at >> 2]! >>> 0);
  }
}

/** Length of the `syscall` instruction. */
const syscallBytes = 2;

/** Unpacks all that is left, from byte `at` on. @returns where they end */
export function unpackAll(reader: PackedReader, halves: Int32Array, floats: Float64Array, at: number): number {
  let to = at;
  for (; reader.advance(); to += recordBytes) reader.unpack(halves, floats, to);
  return to;
}
