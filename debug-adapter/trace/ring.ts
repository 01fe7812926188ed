/**
 * The event ring: binary records, and an arena (arena.ts) of captured memory, written on the machine's thread without making strings or objects, read by whoever wants to look. What translated code notes
 * stays packed (packed.ts), a log at a time, and is unpacked where somebody looks.
 */

import { Arena, type ArgumentCapture, type Capture } from './arena';
import { argumentsOf, type PackedBases, type PackedBefore, PackedReader, unpackAll } from './packed';
import { Chunk, RecordStore } from './record-store';
import { argumentCount, EventKind, Flag, notedAfter, notedBefore, RecordField, recordBytes } from './records';

/** Records of a session: some 17 MB at most, and as much again of what arguments pointed to. */
export const defaultCapacity = 131_072;
const arenaBytesPerRecord = 192;

export type Phase = 'before' | 'after';

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

/** Events in a row. */
interface Part {
  readonly first: number;
  count: number;
  /** Number of the first one in the store of whole records; of no meaning with `packed`. */
  readonly index: number;
  readonly packed: PackedPart | undefined;
}

/** Where events of a log are: the log's place in its arena, and bytes there; and where the first block of bytes is that they have, NaN for none. */
interface PackedPart extends PackedBefore {
  readonly place: number;
  readonly from: number;
  readonly to: number;
  readonly blocks: number;
  readonly bases: PackedBases;
  readonly hasCalls: boolean;
}

/** A log of packed records. */
export interface PackedLog {
  readonly words: Int32Array;
  /** Bytes from which to which the records are, and the blocks of bytes. */
  readonly from: number;
  readonly to: number;
  readonly blocksFrom: number;
  readonly blocksTo: number;
  /** How many records: no more of them become events. */
  readonly count: number;
  readonly bases: PackedBases;
}

/** Events in a row of a log, all of which are of changed bases or of calls that are over; bytes of it. */
export interface PackedRun extends PackedBefore {
  readonly from: number;
  readonly to: number;
  /** Where the first block of bytes of its calls is, or would be. */
  readonly blocks: number;
  readonly count: number;
  /** The newest call, or 0. */
  readonly lastCall: number;
}

/** A log that the ring has copied, with the places of the copies. */
export interface KeptLog {
  readonly log: PackedLog;
  readonly place: number;
  readonly blocks: number;
}

const addressOf = (number: number): bigint => (number >= 0 ? BigInt(number) : BigInt.asUintN(64, BigInt(number)));
const numberOf = (address: bigint): number => Number(BigInt.asIntN(64, address));

/** Copies a record with the places of what its arguments pointed to. */
function copyRecord(from: Chunk, at: number, to: Chunk, place: number): void {
  const words = recordBytes / 4;
  to.halves.set(from.halves.subarray(at * words, (at + 1) * words), place * words);
  if ((from.halves[at * words]! & (notedBefore | notedAfter)) !== 0) to.places.set(from.places.subarray(at * 2, at * 2 + 2), place * 2);
}

/** The newest `capacity` events. Sequence numbers count from 0 and never repeat. */
export class EventRing {
  /** From the one with the oldest event on. */
  readonly #parts: Part[] = [];
  readonly #store: RecordStore;
  readonly #packed: Arena;
  readonly #arena: Arena;
  readonly #reader = new PackedReader();
  /** The packed part that was looked at last, unpacked. */
  #opened: { readonly part: Part; readonly chunk: Chunk } | undefined;
  /** Where the event is that was looked for last: which one of the chunk's records. */
  #chunk!: Chunk;
  #place = 0;
  /** Sequence number that the next event gets. */
  head = 0;
  descriptors: DescriptorPaths | undefined;
  /** The newest event that never was: history took another way before it. */
  #newestGone = -1;

  /** @param capacity records, each of 128 bytes at most and what its arguments point to. */
  constructor(readonly capacity = defaultCapacity) {
    this.#store = new RecordStore(capacity);
    this.#packed = new Arena(Infinity, capacity);
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
    const sequence = this.#begin(EventKind.syscall, path === 'compiled-in' ? Flag.compiledIn : 0, number, start, time);
    const { halves, floats } = this.#chunk;
    const at = this.#place * recordBytes;
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
    if (list.length > 0 && this.#find(sequence)) this.#keep(phase, this.#arena.write(list, sequence));
  }

  /** The same of a block of bytes in `source`, at byte `at`. */
  captureBlock(sequence: number, phase: Phase, source: Int32Array, at: number): void {
    if (this.#find(sequence)) this.#keep(phase, this.#arena.copy(source, at, source[at >> 2]!, sequence));
  }

  /** The event that was found has a block there. */
  #keep(phase: Phase, place: number): void {
    const { halves, places } = this.#chunk;
    const word = (this.#place * recordBytes) >> 2;
    halves[word] = halves[word]! | (Flag[phase] << 16);
    places[this.#place * 2 + (phase === 'before' ? 0 : 1)] = place;
  }

  /**
   * Takes over blocks of bytes that lie one behind the other in `source`, from byte `from` on and all in front of `to`: those of `count` whole records from `sequence` on, which say what they have.
   * @returns where they end
   */
  appendBlocks(sequence: number, count: number, source: Int32Array, from: number, to: number): number {
    const arena = this.#arena;
    // Copied as one, each is as far from the first as it was.
    const asOne = arena.hasRoom(to - from);
    const shift = arena.next - from;
    let at = from;
    const { index: firstIndex, first: firstOfPart } = this.#partOf(sequence);
    for (let done = 0; done < count;) {
      const index = firstIndex + (sequence + done - firstOfPart);
      const run = this.#store.runLength(index, count - done);
      const { halves, places } = this.#store.chunk(index);
      let place = this.#store.placeIn(index);
      for (let i = 0; i < run; i++, place++) {
        const flags = halves[(place * recordBytes) >> 2]!;
        if ((flags & notedBefore) !== 0) {
          const length = source[at >> 2]!;
          places[place * 2] = asOne ? at + shift : arena.copy(source, at, length, sequence + done + i);
          at += length;
        }
        if ((flags & notedAfter) !== 0) {
          const length = source[at >> 2]!;
          places[place * 2 + 1] = asOne ? at + shift : arena.copy(source, at, length, sequence + done + i);
          at += length;
        }
      }
      done += run;
    }
    if (asOne) arena.copy(source, from, at - from, sequence + count - 1);
    return at;
  }

  /** What argument `index` pointed to, as far as that was kept and is still there. */
  captured(sequence: number, index: number): Capture | undefined {
    return this.#find(sequence) ? this.#captures()[index] : undefined;
  }

  /** Of the event that was found. */
  #captures(): (Capture | undefined)[] {
    const captures: (Capture | undefined)[] = [undefined, undefined, undefined, undefined, undefined, undefined];
    const { halves } = this.#chunk;
    const word = halves[(this.#place * recordBytes) >> 2]!;
    if ((word & (notedBefore | notedAfter)) === 0) return captures;
    const { places } = this.#chunk;
    if ((word & notedBefore) !== 0) this.#arena.read(places[this.#place * 2]!, captures);
    if ((word & notedAfter) !== 0) this.#arena.read(places[this.#place * 2 + 1]!, captures);
    return captures;
  }

  /** Instructions retired when the oldest event that is here began, or fewer; 0 where there is none. */
  get oldestStart(): number {
    const part = this.#parts[0];
    if (part === undefined) return 0;
    if (part.packed !== undefined) return part.packed.bases.instructions;
    this.#find(this.tail);
    return this.#chunk.floats[(this.#place * recordBytes + RecordField.startInstruction) >> 3]!;
  }

  /**
   * @param registers what holds the result, in halves of 64-bit words: word `place`.
   * @param time virtual time of the return, nanoseconds.
   */
  endSyscall(sequence: number, registers: Int32Array, end: number, time = 0, place = 0): void {
    if (!this.#find(sequence)) return;
    const { halves, floats } = this.#chunk;
    const at = this.#place * recordBytes;
    // Flags are the upper half of the first four bytes.
    halves[at >> 2] = halves[at >> 2]! | (Flag.completed << 16);
    halves[(at + RecordField.result) >> 2] = registers[place * 2]!;
    halves[(at + RecordField.result + 4) >> 2] = registers[place * 2 + 1]!;
    floats[(at + RecordField.endInstruction) >> 3] = end;
    floats[(at + RecordField.endTime) >> 3] = time;
  }

  /**
   * Takes over whole records as they are from `words`, from word `from` on.
   * @returns the sequence number of the first
   */
  append(words: Int32Array, from: number, count: number): number {
    const first = this.#extend(count);
    this.#store.copy(words, from, count);
    return first;
  }

  /** Copies a log as it is, of which runs become events. */
  keep(log: PackedLog): KeptLog {
    const { words, from, to, blocksFrom, blocksTo, count } = log;
    const last = this.head + count - 1;
    const place = this.#packed.copy(words, from, to - from, last);
    const blocks = blocksTo > blocksFrom ? this.#arena.copy(words, blocksFrom, blocksTo - blocksFrom, last) : NaN;
    return { log, place, blocks };
  }

  /**
   * Takes over a run of the newest log that was kept.
   * @returns the sequence number of its first event
   */
  appendRun({ log, place, blocks }: KeptLog, run: PackedRun): number {
    const first = this.head;
    const { count, lastCall } = run;
    const offset = (at: number): number => (at < 0 ? at : at - log.from);
    const packed = {
      place,
      from: offset(run.from),
      to: offset(run.to),
      context: offset(run.context),
      pair: offset(run.pair),
      blocks: blocks + (run.blocks - log.blocksFrom),
      bases: log.bases,
      hasCalls: lastCall !== 0,
    };
    this.#parts.push({ first, count, index: 0, packed });
    this.head = first + count;
    this.#dropParts();
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
    this.#begin(kind, owner === undefined ? 0 : Flag[owner], number, Number(start), time);
    const { view, floats } = this.#chunk;
    const at = this.#place * recordBytes;
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
    this.#unpackAfter(moment);
    for (let sequence = this.head - 1; sequence >= this.tail; sequence--) {
      const part = this.#partOf(sequence);
      if (part.packed !== undefined) {
        // All of it was before.
        sequence = part.first;
        continue;
      }
      this.#find(sequence);
      const { view, floats } = this.#chunk;
      const at = this.#place * recordBytes;
      const flags = view.getUint16(at + RecordField.flags, true);
      const start = floats[(at + RecordField.startInstruction) >> 3]!;
      // A hook comes again when the guest goes on from the very instruction; the probe of a function does not.
      if (start > moment || (start === moment && (flags & Flag.compiledIn) === 0)) {
        view.setUint16(at + RecordField.flags, flags | Flag.dropped, true);
        this.#newestGone = Math.max(this.#newestGone, sequence);
      } else if ((flags & Flag.completed) !== 0 && floats[(at + RecordField.endInstruction) >> 3]! > moment)
        view.setUint16(at + RecordField.flags, flags & ~(Flag.completed | Flag.after), true);
    }
  }

  /** Makes whole records of packed ones that a change of history at a moment is about, and of all that follow them. */
  #unpackAfter(moment: number): void {
    let from = this.#parts.length;
    for (let i = from - 1; i >= 0; i--) {
      const part = this.#parts[i]!;
      if (part.packed === undefined) continue;
      if (this.#isAfter(part.packed, moment)) from = i;
      // Bases may change while a call of an earlier part goes on, but no other call of such a part begins.
      else if (part.packed.hasCalls) break;
    }
    const parts = this.#parts.splice(from);
    if (parts.length === 0) return;
    const first = Math.max(parts[0]!.first, this.tail);
    const count = this.head - first;
    const copies = new Chunk(count);
    for (const part of parts)
      for (let sequence = Math.max(part.first, first); sequence < part.first + part.count; sequence++) {
        this.#open(part, sequence);
        copyRecord(this.#chunk, this.#place, copies, sequence - first);
      }
    this.#opened = undefined;
    // In the place of those that were whole before.
    this.#store.next = parts.find(({ packed }) => packed === undefined)?.index ?? this.#store.next;
    const index = this.#store.next;
    this.#parts.push({ first, count, index, packed: undefined });
    this.#store.next += count;
    for (let i = 0; i < count; i++) copyRecord(copies, i, this.#store.chunk(index + i), this.#store.placeIn(index + i));
  }

  /** Does any event of a packed part begin at a moment or after it, or end after it? */
  #isAfter(part: PackedPart, moment: number): boolean {
    const reader = this.#read(part);
    while (reader.advance()) if (reader.start >= moment || (reader.kind === EventKind.syscall && reader.end > moment)) return true;
    return false;
  }

  #read({ place, from, to, bases, context, pair }: PackedPart): PackedReader {
    const { words, at } = this.#packed.locate(place)!;
    const there = (offset: number): number => (offset < 0 ? offset : at + offset);
    return this.#reader.begin(words, there(from), there(to), bases, { context: there(context), pair: there(pair) });
  }

  /** Is every event between `tail` and `head` there? */
  get isWhole(): boolean {
    return this.#newestGone < this.tail;
  }

  /** Is the event there? */
  has(sequence: number): boolean {
    if (!this.#holds(sequence)) return false;
    const part = this.#partOf(sequence);
    if (part.packed !== undefined) return true;
    this.#open(part, sequence);
    return (this.#chunk.view.getUint16(this.#place * recordBytes + RecordField.flags, true) & Flag.dropped) === 0;
  }

  /** The event, or undefined where it is gone or has not been. Of a call's arguments those that it does not have are 0. */
  read(sequence: number): TraceEvent | undefined {
    if (!this.#find(sequence)) return undefined;
    const at = this.#place * recordBytes;
    const { view, floats, halves, words } = this.#chunk;
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
    const args = [0n, 0n, 0n, 0n, 0n, 0n];
    for (let i = argumentsOf(number) - 1; i >= 0; i--) args[i] = words[first + i]!;
    const captures = this.#captures();
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

  /** Begins a whole record, and finds it. */
  #begin(kind: EventKind, flags: number, number: number, start: number, time: number): number {
    const sequence = this.#extend(1);
    const index = this.#store.next++;
    this.#chunk = this.#store.chunk(index);
    this.#place = this.#store.placeIn(index);
    const { halves, floats } = this.#chunk;
    const at = this.#place * recordBytes;
    halves[(at + RecordField.kind) >> 2] = kind | (flags << 16);
    halves[(at + RecordField.number) >> 2] = number;
    floats[(at + RecordField.startInstruction) >> 3] = start;
    floats[(at + RecordField.startTime) >> 3] = time;
    return sequence;
  }

  /** Whole records are about to be put into the store; answers the sequence number of the first. */
  #extend(count: number): number {
    const first = this.head;
    const newest = this.#parts[this.#parts.length - 1];
    if (newest === undefined || newest.packed !== undefined) this.#parts.push({ first, count, index: this.#store.next, packed: undefined });
    else newest.count += count;
    this.head = first + count;
    this.#dropParts();
    return first;
  }

  #dropParts(): void {
    const parts = this.#parts;
    const { tail } = this;
    while (parts[0]!.first + parts[0]!.count <= tail) parts.shift();
  }

  #holds(sequence: number): boolean {
    return sequence >= this.tail && sequence < this.head;
  }

  /** Finds an event; false where it is not here. */
  #find(sequence: number): boolean {
    if (!this.#holds(sequence)) return false;
    this.#open(this.#partOf(sequence), sequence);
    return true;
  }

  /** The part with an event that is here. */
  #partOf(sequence: number): Part {
    const parts = this.#parts;
    const newest = parts[parts.length - 1]!;
    if (sequence >= newest.first) return newest;
    const opened = this.#opened?.part;
    if (opened !== undefined && sequence >= opened.first && sequence < opened.first + opened.count) return opened;
    let low = 0;
    for (let high = parts.length - 1; low < high;) {
      const middle = (low + high + 1) >> 1;
      if (parts[middle]!.first <= sequence) low = middle;
      else high = middle - 1;
    }
    return parts[low]!;
  }

  #open(part: Part, sequence: number): void {
    if (part.packed === undefined) {
      const index = part.index + (sequence - part.first);
      this.#chunk = this.#store.chunk(index);
      this.#place = this.#store.placeIn(index);
      return;
    }
    if (this.#opened?.part !== part) this.#opened = { part, chunk: this.#unpack(part.packed, part.count) };
    this.#chunk = this.#opened.chunk;
    this.#place = sequence - part.first;
  }

  #unpack(packed: PackedPart, count: number): Chunk {
    const last = this.#opened?.chunk;
    const chunk = last !== undefined && last.records >= count ? last : new Chunk(count);
    const { halves, floats } = chunk;
    unpackAll(this.#read(packed), halves, floats, 0);
    if (Number.isNaN(packed.blocks)) return chunk;
    const { places } = chunk;
    for (let i = 0, block = packed.blocks; i < count; i++) {
      const word = halves[(i * recordBytes) >> 2]!;
      for (const [phase, flag] of [notedBefore, notedAfter].entries()) {
        if ((word & flag) === 0) continue;
        places[i * 2 + phase] = block;
        block += this.#arena.lengthAt(block);
      }
    }
    return chunk;
  }
}
