/** The event ring: fixed-size binary records, and an arena (arena.ts) of captured memory, written on the machine's thread without making strings or objects, read by whoever wants to look. */

import { Arena, type ArgumentCapture, type Capture } from './arena';

/** Bytes of one record, and what lies where in it: the processor's translated code writes such ones, too (`LogRecord` of x86/event-log.ts). Addresses, instruction counts and times are floats: a store each, and exact (see `Cpu.readPointer`). */
export const recordBytes = 128;
export const RecordField = {
  kind: 0,
  flags: 2,
  number: 4,
  startInstruction: 8,
  endInstruction: 16,
  startTime: 24,
  thread: 32,
  rip: 40,
  stack: 48,
  result: 56,
  args: 64,
  caller: 112,
  endTime: 120,
} as const;
const argumentCount = 6;
/** Records are allocated in pieces as they are needed. */
const recordsPerChunk = 1024;
/** Records of a session: some 17 MB, and as much again of what arguments pointed to. */
export const defaultCapacity = 131_072;
const arenaBytesPerRecord = 192;

export const EventKind = {
  syscall: 1,
  segmentBase: 2,
  exception: 3,
  interrupt: 4,
  interruptReturn: 5,
  extendedState: 6,
  threadSwitch: 7,
} as const;
export type EventKind = (typeof EventKind)[keyof typeof EventKind];

/** FS, as segment registers are numbered. */
export const fsNumber = 4;
const Flag = { compiledIn: 1, completed: 2, dropped: 4, kernel: 8, application: 16, before: 32, after: 64 } as const;

/** Of the first word of a call: there is a block of what arguments pointed to when it was made, and when it returned. */
export const notedBefore = Flag.before << 16;
export const notedAfter = Flag.after << 16;
export type Phase = 'before' | 'after';

/** First word of the record of a call by the instruction that is over and of which nothing is captured. */
export const wholeCall = EventKind.syscall | (Flag.completed << 16);

/** Whose thread-local block or extended registers an event is about. */
export type Owner = 'kernel' | 'application';

/** How a system call was made: a `syscall` instruction, or a direct call of the shim's function. */
export type SyscallPath = 'binary' | 'compiled-in';

/** A system call as it was recorded. */
export interface SyscallEvent {
  readonly kind: 'syscall';
  readonly sequence: number;
  readonly path: SyscallPath;
  readonly number: number;
  readonly args: readonly bigint[];
  /** Signed; undefined until the call returns. */
  readonly result: bigint | undefined;
  /** What the arguments pointed to, where that was kept; at most `captureLimit` bytes each. */
  readonly captures: readonly (Capture | undefined)[];
  /** Instructions retired at the call and at its return. */
  readonly start: bigint;
  readonly end: bigint | undefined;
  /** Virtual time of the call and of its return, nanoseconds. */
  readonly time: number;
  readonly endTime: number | undefined;
  /** Address of the thread's control block, 0 where there is none. */
  readonly thread: bigint;
  /** Address of the `syscall` instruction, or of the function called. */
  readonly rip: bigint;
  /** Address that the call returns to, 0 where it is not known. */
  readonly caller: bigint;
  /** RSP that the caller has once the call is over. */
  readonly stack: bigint;
}

/** Any other event. `value` and `from` by kind: the new and old base; the error code; the area's address; the threads that go on and that stood back. */
export interface OtherEvent {
  readonly kind: 'segmentBase' | 'exception' | 'interrupt' | 'interruptReturn' | 'extendedState' | 'threadSwitch';
  readonly sequence: number;
  /** Segment (4 FS, 5 GS), vector, or 0 save and 1 restore. */
  readonly number: number;
  readonly value: bigint;
  readonly from: bigint;
  readonly start: bigint;
  readonly time: number;
  /** Address of the running thread's control block, 0 where there is none. */
  readonly thread: bigint;
  readonly rip: bigint;
  /** Whose block FS points to from here on, or whose registers are saved or restored; where that is known. */
  readonly owner?: Owner;
}

export type TraceEvent = SyscallEvent | OtherEvent;

const otherNames: Readonly<Record<number, OtherEvent['kind']>> = {
  [EventKind.segmentBase]: 'segmentBase',
  [EventKind.exception]: 'exception',
  [EventKind.interrupt]: 'interrupt',
  [EventKind.interruptReturn]: 'interruptReturn',
  [EventKind.extendedState]: 'extendedState',
  [EventKind.threadSwitch]: 'threadSwitch',
};

/** What descriptors among arguments were opened for. */
export interface DescriptorPaths {
  /** Which arguments of a call are descriptors. */
  of(number: number): readonly number[];
  /** @param moment retired instructions at the call */
  at(descriptor: number, moment: number): Uint8Array | undefined;
}

/** Some records in one buffer, as its readers and writers take them. */
class Chunk {
  readonly view: DataView;
  /** Words of registers go from one array to the other in halves, as they are: no big integers are made. */
  readonly halves: Int32Array;
  readonly floats: Float64Array;
  readonly words: BigUint64Array;
  private placeList: Float64Array | undefined;

  /** Places in the arena, two a record: of what arguments pointed to before the call, and after it. Made when the first of its calls has any. */
  get places(): Float64Array {
    return (this.placeList ??= new Float64Array(this.records * 2));
  }

  constructor(private readonly records: number) {
    const buffer = new ArrayBuffer(records * recordBytes);
    this.view = new DataView(buffer);
    this.halves = new Int32Array(buffer);
    this.floats = new Float64Array(buffer);
    this.words = new BigUint64Array(buffer);
  }
}

const addressOf = (number: number): bigint => (number >= 0 ? BigInt(number) : BigInt.asUintN(64, BigInt(number)));
const numberOf = (address: bigint): number => Number(BigInt.asIntN(64, address));

/** The newest `capacity` events. Sequence numbers count from 0 and never repeat. */
export class EventRing {
  readonly #chunks: (Chunk | undefined)[] = [];
  readonly #arena: Arena;
  /** Sequence number that the next event gets. */
  head = 0;
  descriptors: DescriptorPaths | undefined;
  /** The newest event that never was: history took another way before it. */
  #newestGone = -1;

  /** @param capacity records, each of 128 bytes and what its arguments point to. */
  constructor(readonly capacity = defaultCapacity) {
    this.#arena = new Arena(capacity * arenaBytesPerRecord, capacity);
  }

  /** Sequence number of the oldest event that is still here. */
  get tail(): number {
    return Math.max(0, this.head - this.capacity);
  }

  /**
   * Records a call that begins, at instruction `start`. Addresses are numbers (see `Cpu.readPointer`). Answers its sequence number, for `endSyscall`.
   * @param registers what holds the general registers, in halves of 64-bit words.
   * @param places which of its words hold the arguments, from word `base` on.
   */
  beginSyscall(
    path: SyscallPath,
    number: number,
    registers: Int32Array,
    places: readonly number[],
    start: number,
    time: number,
    rip: number,
    thread: number,
    caller = 0,
    stack = 0,
    base = 0,
  ): number {
    const sequence = this.#open(EventKind.syscall, path === 'compiled-in' ? Flag.compiledIn : 0, number, start, time);
    const { halves, floats } = this.#chunk(sequence);
    const at = this.#offset(sequence);
    floats[(at + RecordField.rip) >> 3] = rip;
    floats[(at + RecordField.thread) >> 3] = thread;
    floats[(at + RecordField.caller) >> 3] = caller;
    floats[(at + RecordField.stack) >> 3] = stack;
    const args = (at + RecordField.args) >> 2;
    for (let i = 0; i < argumentCount; i++) {
      const place = (base + places[i]!) * 2;
      halves[args + i * 2] = registers[place]!;
      halves[args + i * 2 + 1] = registers[place + 1]!;
    }
    return sequence;
  }

  /** Keeps what arguments point to before a call, or after it. No effect once the record has been overwritten. */
  capture(sequence: number, phase: Phase, list: readonly ArgumentCapture[]): void {
    if (list.length > 0 && this.#holds(sequence)) this.#keep(sequence, phase, this.#arena.write(list, sequence));
  }

  /** The same of a block of bytes in `source`, at byte `at`. */
  captureBlock(sequence: number, phase: Phase, source: Int32Array, at: number): void {
    if (this.#holds(sequence)) this.#keep(sequence, phase, this.#arena.copy(source, at, source[at >> 2]!, sequence));
  }

  #keep(sequence: number, phase: Phase, place: number): void {
    const { halves, places } = this.#chunk(sequence);
    const word = this.#offset(sequence) >> 2;
    halves[word] = halves[word]! | (Flag[phase] << 16);
    places[this.#placeIndex(sequence) + (phase === 'before' ? 0 : 1)] = place;
  }

  /**
   * Takes over blocks of bytes that lie one behind the other in `source`, from byte `from` on and all in front of `to`: those of `count` records from `sequence` on, which say what they have.
   * @returns where they end
   */
  appendBlocks(sequence: number, count: number, source: Int32Array, from: number, to: number): number {
    const arena = this.#arena;
    // Copied as one, each is as far from the first as it was.
    const asOne = arena.hasRoom(to - from);
    const shift = arena.next - from;
    let at = from;
    for (let done = 0; done < count;) {
      const first = sequence + done;
      const run = this.#runLength(first, count - done);
      const { halves, places } = this.#chunk(first);
      let word = this.#offset(first) >> 2;
      let index = this.#placeIndex(first);
      for (let i = 0; i < run; i++, word += recordBytes / 4, index += 2) {
        const flags = halves[word]!;
        if ((flags & notedBefore) !== 0) {
          const length = source[at >> 2]!;
          places[index] = asOne ? at + shift : arena.copy(source, at, length, first + i);
          at += length;
        }
        if ((flags & notedAfter) !== 0) {
          const length = source[at >> 2]!;
          places[index + 1] = asOne ? at + shift : arena.copy(source, at, length, first + i);
          at += length;
        }
      }
      done += run;
    }
    if (asOne) arena.copy(source, from, at - from, sequence + count - 1);
    return at;
  }

  /** How many of `count` records from `sequence` on lie one behind the other. */
  #runLength(sequence: number, count: number): number {
    const place = sequence % this.capacity;
    return Math.min(count, recordsPerChunk - (place % recordsPerChunk), this.capacity - place);
  }

  /** What argument `index` pointed to, as far as that was kept and is still there. */
  captured(sequence: number, index: number): Capture | undefined {
    return this.#holds(sequence) ? this.#captures(sequence)[index] : undefined;
  }

  #captures(sequence: number): (Capture | undefined)[] {
    const captures: (Capture | undefined)[] = [undefined, undefined, undefined, undefined, undefined, undefined];
    const { halves, places } = this.#chunk(sequence);
    const word = halves[this.#offset(sequence) >> 2]!;
    const index = this.#placeIndex(sequence);
    if ((word & notedBefore) !== 0) this.#arena.read(places[index]!, captures);
    if ((word & notedAfter) !== 0) this.#arena.read(places[index + 1]!, captures);
    return captures;
  }

  /** Instructions retired when the oldest event that is here began; 0 where there is none. */
  get oldestStart(): number {
    return this.head === 0 ? 0 : this.#chunk(this.tail).floats[(this.#offset(this.tail) + RecordField.startInstruction) >> 3]!;
  }

  /**
   * @param registers what holds the result, in halves of 64-bit words: word `place`.
   * @param time virtual time of the return, nanoseconds.
   */
  endSyscall(sequence: number, registers: Int32Array, end: number, time = 0, place = 0): void {
    if (!this.#holds(sequence)) return;
    const { halves, floats } = this.#chunk(sequence);
    const at = this.#offset(sequence);
    // Flags are the upper half of the first four bytes.
    halves[at >> 2] = halves[at >> 2]! | (Flag.completed << 16);
    halves[(at + RecordField.result) >> 2] = registers[place * 2]!;
    halves[(at + RecordField.result + 4) >> 2] = registers[place * 2 + 1]!;
    floats[(at + RecordField.endInstruction) >> 3] = end;
    floats[(at + RecordField.endTime) >> 3] = time;
  }

  /**
   * Takes over records as they are from `words`, from word `from` on.
   * @returns the sequence number of the first
   */
  append(words: Int32Array, from: number, count: number): number {
    const first = this.head;
    for (let done = 0; done < count;) {
      const sequence = first + done;
      const run = this.#runLength(sequence, count - done);
      const { halves } = this.#chunkFor(sequence);
      const source = from + done * (recordBytes / 4);
      const to = this.#offset(sequence) >> 2;
      const length = run * (recordBytes / 4);
      if (run > 2) halves.set(words.subarray(source, source + length), to);
      else for (let i = 0; i < length; i++) halves[to + i] = words[source + i]!;
      done += run;
    }
    this.head = first + count;
    return first;
  }

  /** Records any other event. */
  add(
    kind: EventKind,
    number: number,
    value: bigint,
    from: bigint,
    start: bigint | number,
    time: number,
    rip: bigint,
    thread = 0n,
    owner?: Owner,
  ): void {
    const sequence = this.#open(kind, owner === undefined ? 0 : Flag[owner], number, Number(start), time);
    const { view, floats } = this.#chunk(sequence);
    const at = this.#offset(sequence);
    floats[(at + RecordField.rip) >> 3] = numberOf(rip);
    floats[(at + RecordField.thread) >> 3] = numberOf(thread);
    view.setBigUint64(at + RecordField.result, BigInt.asUintN(64, value), true);
    view.setBigUint64(at + RecordField.args, BigInt.asUintN(64, from), true);
  }

  /**
   * The guest goes another way from `moment` (instructions) on: later events never were, and calls that returned later are open again. Numbers of events
   * that are gone stay gone.
   */
  forgetAfter(moment: number): void {
    for (let sequence = this.head - 1; sequence >= this.tail; sequence--) {
      const { view, floats } = this.#chunk(sequence);
      const at = this.#offset(sequence);
      const flags = view.getUint16(at + RecordField.flags, true);
      const start = floats[(at + RecordField.startInstruction) >> 3]!;
      // A hook comes again when the guest goes on from the very instruction; the probe of a function does not.
      if (start > moment || (start === moment && (flags & Flag.compiledIn) === 0)) this.#drop(view, sequence, flags);
      else if ((flags & Flag.completed) !== 0 && floats[(at + RecordField.endInstruction) >> 3]! > moment)
        view.setUint16(at + RecordField.flags, flags & ~(Flag.completed | Flag.after), true);
    }
  }

  #drop(view: DataView, sequence: number, flags: number): void {
    view.setUint16(this.#offset(sequence) + RecordField.flags, flags | Flag.dropped, true);
    this.#newestGone = Math.max(this.#newestGone, sequence);
  }

  /** Is every event between `tail` and `head` there? */
  get isWhole(): boolean {
    return this.#newestGone < this.tail;
  }

  /** Is the event there? */
  has(sequence: number): boolean {
    return (
      this.#holds(sequence) && (this.#chunk(sequence).view.getUint16(this.#offset(sequence) + RecordField.flags, true) & Flag.dropped) === 0
    );
  }

  /** The event, or undefined where it is gone or has not been. */
  read(sequence: number): TraceEvent | undefined {
    if (!this.#holds(sequence)) return undefined;
    const at = this.#offset(sequence);
    const { view, floats, halves, words } = this.#chunk(sequence);
    const kind = view.getUint8(at + RecordField.kind);
    const flags = view.getUint16(at + RecordField.flags, true);
    if ((flags & Flag.dropped) !== 0) return undefined;
    const float = (field: number): number => floats[(at + field) >> 3]!;
    const start = BigInt(float(RecordField.startInstruction));
    const time = float(RecordField.startTime);
    const rip = addressOf(float(RecordField.rip));
    const number = view.getInt32(at + RecordField.number, true);
    const thread = addressOf(float(RecordField.thread));
    if (kind !== EventKind.syscall) {
      const name = otherNames[kind];
      if (name === undefined) return undefined;
      const value = view.getBigUint64(at + RecordField.result, true);
      const owner = (flags & Flag.kernel) !== 0 ? 'kernel' : (flags & Flag.application) !== 0 ? 'application' : undefined;
      const from = view.getBigUint64(at + RecordField.args, true);
      return { kind: name, sequence, number, value, from, start, time, thread, rip, ...(owner === undefined ? {} : { owner }) };
    }
    const completed = (flags & Flag.completed) !== 0;
    const first = (at + RecordField.args) >> 3;
    const args = [words[first]!, words[first + 1]!, words[first + 2]!, words[first + 3]!, words[first + 4]!, words[first + 5]!];
    const captures = this.#captures(sequence);
    if (this.descriptors !== undefined)
      for (const index of this.descriptors.of(number)) {
        const bytes = this.descriptors.at(halves[(first + index) * 2]!, float(RecordField.startInstruction));
        if (bytes !== undefined) captures[index] = { bytes, truncated: false };
      }
    return {
      kind: 'syscall',
      sequence,
      path: (flags & Flag.compiledIn) !== 0 ? 'compiled-in' : 'binary',
      number,
      args,
      result: completed ? view.getBigInt64(at + RecordField.result, true) : undefined,
      captures,
      start,
      end: completed ? BigInt(float(RecordField.endInstruction)) : undefined,
      time,
      endTime: completed ? float(RecordField.endTime) : undefined,
      thread,
      rip,
      caller: addressOf(float(RecordField.caller)),
      stack: addressOf(float(RecordField.stack)),
    };
  }

  #open(kind: EventKind, flags: number, number: number, start: number, time: number): number {
    const sequence = this.head++;
    const { halves, floats } = this.#chunkFor(sequence);
    const at = this.#offset(sequence);
    halves[(at + RecordField.kind) >> 2] = kind | (flags << 16);
    halves[(at + RecordField.number) >> 2] = number;
    floats[(at + RecordField.startInstruction) >> 3] = start;
    floats[(at + RecordField.startTime) >> 3] = time;
    return sequence;
  }

  #chunk(sequence: number): Chunk {
    return this.#chunks[this.#chunkOf(sequence)]!;
  }

  /** Likewise, for a record that is to be written. */
  #chunkFor(sequence: number): Chunk {
    return (this.#chunks[this.#chunkOf(sequence)] ??= new Chunk(Math.min(recordsPerChunk, this.capacity)));
  }

  #chunkOf(sequence: number): number {
    return Math.floor((sequence % this.capacity) / recordsPerChunk);
  }

  #offset(sequence: number): number {
    return ((sequence % this.capacity) % recordsPerChunk) * recordBytes;
  }

  #placeIndex(sequence: number): number {
    return ((sequence % this.capacity) % recordsPerChunk) * 2;
  }

  #holds(sequence: number): boolean {
    return sequence >= this.tail && sequence < this.head;
  }
}
