/**
 * Takes over what the processor's translated code noted by itself (see `EventLog` in x86/api.ts): packed records that the ring keeps as they are. Where somebody wants to know of each, or there is more to
 * do than to keep them, they are unpacked, and the recorder of system calls matches returns.
 */
import { nothingBefore, type PackedBases, type PackedBefore, PackedCall, PackedReader, unpackAll } from './packed';
import { EventKind, notedAfter, notedBefore, RecordField, recordBytes, wholeCall } from './records';
import { type EventRing, type KeptLog, type PackedRun } from './ring';

/** What is read of the processor's log. */
export interface NotedLog {
  /** Memory that the records lie in. */
  readonly halves: Int32Array;
  readonly bytes: Uint8Array;
  /** Where the first block of bytes is that calls of the records point to (`Bytes` of x86/event-log.ts); those of later ones follow it. */
  readonly firstBytes: number;
  /** Where records may be unpacked. */
  readonly unpackedAt: number;
  reader: ((part: NotedPart) => void) | undefined;
  drain(): void;
}

/** Records to be read, from one place in memory to another (see `DrainedLog` in x86/api.ts). */
export interface NotedPart {
  readonly from: number;
  readonly to: number;
  /** Their blocks of bytes are in front of it. */
  readonly bytesTo: number;
  readonly count: number;
  /** All are of bases and of calls that are over. */
  readonly isWhole: boolean;
  /** Their calls are of one thread, and none of `NotedCalls.marked` has succeeded. */
  readonly isPlain: boolean;
  /** The newest call, or 0. */
  readonly lastCall: number;
  readonly bases: PackedBases;
}

/** Where the bytes are that a call points to, as they were when it was made and when it returned; 0 for none. */
export interface NotedBlocks {
  before: number;
  after: number;
}

/** Who is told of calls and returns among what was noted. */
export interface NotedCalls {
  /** A call that is open, or one to be looked at by itself; `at` is the place in memory of its unpacked record, bytes. */
  call(at: number, blocks: Readonly<NotedBlocks>): void;
  /** Calls from record `at` on that are over, in the ring from `sequence` on; with `open`, the end of the last one is told by `ended`. */
  wholeCalls(at: number, sequence: number, count: number, open: boolean): void;
  /** @param before where what the call pointed to is when it was made; 0: the ring has it */
  ended(at: number, sequence: number, before: number): void;
  /** By number: not 0 for calls whose ends are told even where nobody wants to know of each, unless they have failed. */
  readonly marked: Uint8Array;
  /** Calls of a thread have returned; the thread is named as in records. */
  returned(thread: number): void;
  /** All calls are in the ring up to that which began at instruction count `start` at `rip`, and was over at `end`. */
  reached(start: number, rip: number, end: number): void;
  /** Code that has the slot's observer is passed. */
  pass(at: number): void;
  /** Has this one to be looked at by itself? */
  isSingle(start: number, rip: number): boolean;
}

/** Where events of a log begin, and the first block of bytes of its calls, or where that would be. */
interface Rest extends PackedBefore {
  readonly from: number;
  readonly blocks: number;
}

/** Kind of records that are not the ring's. */
const passed = 255;
/** Shorter runs of events between others are unpacked. */
const fewKept = 32;

export class NotedEvents {
  readonly #halves: Int32Array;
  readonly #floats: Float64Array;
  calls: NotedCalls | undefined;
  /** Where the next record's block of bytes is. */
  #bytesAt = 0;
  readonly #reader = new PackedReader();
  readonly #walker = new PackedReader();
  readonly #blocks: NotedBlocks = { before: 0, after: 0 };
  /** A call that was over only after what follows it, or 0, and its number in the ring. */
  #open = 0;
  #openSequence = 0;
  /** Told of a change of a segment's base that was recorded. */
  onBase: ((sequence: number) => void) | undefined;
  /** Does anybody want to know of each event as it comes? */
  isFollowed: () => boolean = () => true;

  constructor(
    readonly log: NotedLog,
    private readonly ring: EventRing,
    /** Has what happened at so many retired instructions happened before? */
    private readonly isReplay: (retired: number) => boolean,
  ) {
    this.#halves = log.halves;
    this.#floats = new Float64Array(log.halves.buffer, 0, Math.floor(log.halves.byteLength / 8));
    log.reader = (part) => {
      this.#read(part);
    };
  }

  close(): void {
    this.log.drain();
    this.log.reader = undefined;
  }

  number(at: number, field: number): number {
    return this.#floats[(at + field) >> 3]!;
  }

  /** Finds the blocks of a record, which come in the order of the records. */
  #blocksOf(word: number): NotedBlocks {
    const blocks = this.#blocks;
    blocks.before = (word & notedBefore) === 0 ? 0 : this.#nextBlock();
    blocks.after = (word & notedAfter) === 0 ? 0 : this.#nextBlock();
    return blocks;
  }

  #nextBlock(): number {
    const at = this.#bytesAt;
    this.#bytesAt = at + this.#halves[at >> 2]!;
    return at;
  }

  #read(part: NotedPart): void {
    const { from, to, bytesTo, count, lastCall } = part;
    const { firstBytes } = this.log;
    const reader = this.#reader.begin(this.#halves, from, to, part.bases);
    if (!reader.advance()) return;
    const isFollowed = this.isFollowed();
    const all = { from, blocks: firstBytes, ...nothingBefore };
    if (isFollowed || !this.#mayKeep(reader.start, reader.rip)) this.#readRest(part, all, to, bytesTo, isFollowed);
    else if (part.isWhole) this.#keep(part, this.#copy(part), { ...all, to, count, lastCall });
    else this.#keepRuns(part, all);
  }

  /** May events be kept packed from the one on that began there? */
  #mayKeep(start: number, rip: number): boolean {
    return !this.isReplay(start) && this.calls?.isSingle(start, rip) !== true;
  }

  #copy({ from, to, bytesTo, count, bases }: NotedPart): KeptLog {
    return this.ring.keep({ words: this.#halves, from, to, blocksFrom: this.log.firstBytes, blocksTo: bytesTo, count, bases });
  }

  /** Keeps packed what is between calls that are open and slots that were passed, where that is long enough; reads the rest. */
  #keepRuns(part: NotedPart, all: Rest): void {
    const { to, bases } = part;
    const walker = this.#walker.begin(this.#halves, part.from, to, bases);
    let kept: KeptLog | undefined;
    let rest = all;
    let { blocks } = all;
    let hasMore = walker.advance();
    while (hasMore) {
      const { at: from, context, pair, start, rip } = walker;
      const first = blocks;
      let count = 0;
      let lastCall = 0;
      for (; hasMore && walker.isWhole; hasMore = walker.advance()) {
        count++;
        if (walker.kind !== EventKind.syscall) continue;
        lastCall = walker.at;
        blocks = this.#behindBlocks(walker.flags, blocks);
      }
      if (count >= fewKept) {
        this.#readRest(part, rest, from, first, false);
        rest = { from, blocks: first, context, pair };
        if (this.#mayKeep(start, rip)) {
          const end = hasMore ? walker.at : to;
          this.#keep(part, (kept ??= this.#copy(part)), { ...rest, to: end, count, lastCall });
          rest = { from: end, blocks, context: walker.context, pair: walker.pair };
        }
      }
      if (!hasMore) break;
      blocks = this.#behindBlocks(walker.flags, blocks);
      hasMore = walker.advance();
    }
    this.#readRest(part, rest, to, part.bytesTo, false);
  }

  #behindBlocks(flags: number, at: number): number {
    this.#bytesAt = at;
    this.#blocksOf(flags);
    return this.#bytesAt;
  }

  /** Unpacks events of a log up to `to`, whose blocks of bytes are in front of `bytesTo`, and reads them. */
  #readRest({ bases }: NotedPart, rest: Rest, to: number, bytesTo: number, isFollowed: boolean): void {
    if (rest.from === to) return;
    const { unpackedAt } = this.log;
    const reader = this.#reader.begin(this.#halves, rest.from, to, bases, rest);
    const end = unpackAll(reader, this.#halves, this.#floats, unpackedAt);
    this.#bytesAt = rest.blocks;
    this.#readUnpacked(unpackedAt, end, bytesTo, isFollowed);
  }

  /** Nobody wants to know of events that the ring keeps as they are, but for what later ones depend on. */
  #keep({ bases, isPlain }: NotedPart, kept: KeptLog, run: PackedRun): void {
    const sequence = this.ring.appendRun(kept, run);
    const { calls } = this;
    if (calls === undefined || run.lastCall === 0) return;
    const reader = this.#reader.begin(this.#halves, run.from, run.to, bases, run);
    if (isPlain) {
      reader.advance();
      calls.returned(reader.thread);
      reader.goTo(run.lastCall);
    } else this.#settlePacked(reader, run, sequence, calls);
    calls.reached(reader.start, reader.rip, reader.end);
  }

  /** Goes through packed records, the first of which is that of event `sequence`, up to the newest call. */
  #settlePacked(reader: PackedReader, { blocks, lastCall }: PackedRun, sequence: number, calls: NotedCalls): void {
    const halves = this.#halves;
    const { marked } = calls;
    this.#bytesAt = blocks;
    let context = -1;
    let thread: number | undefined;
    for (let event = sequence; reader.at !== lastCall && reader.advance(); event++) {
      if (reader.kind !== EventKind.syscall) continue;
      if (reader.context !== context) {
        context = reader.context;
        const own = reader.thread;
        if (own !== thread) calls.returned((thread = own));
      }
      const { before } = this.#blocksOf(reader.flags);
      if (marked[reader.number] === 0 || halves[(reader.at + PackedCall.result + 4) >> 2]! < 0) continue;
      const { unpackedAt } = this.log;
      reader.unpack(halves, this.#floats, unpackedAt);
      calls.ended(unpackedAt, event, before);
    }
  }

  #readUnpacked(from: number, to: number, bytesTo: number, isFollowed: boolean): void {
    const halves = this.#halves;
    this.#open = 0;
    for (let at = from; at < to;) {
      // Runs of calls that are over and of changed bases go into the ring as a whole.
      let next = at;
      let flags = 0;
      for (; next < to; next += recordBytes) {
        const word = halves[next >> 2]!;
        if ((word & ~(notedBefore | notedAfter)) !== wholeCall && (word & 0xff) !== EventKind.segmentBase) break;
        flags |= word;
      }
      if (next > at && !this.isReplay(this.number(at, RecordField.startInstruction)) && !this.#isSingle(at)) {
        const count = (next - at) / recordBytes;
        const sequence = this.ring.append(halves, at >> 2, count);
        if ((flags & (notedBefore | notedAfter)) !== 0)
          this.#bytesAt = this.ring.appendBlocks(sequence, count, halves, this.#bytesAt, bytesTo);
        if (isFollowed) this.#tell(at, next, to, sequence);
        else this.#settle(at, next, sequence);
        at = next;
        continue;
      }
      this.#endBefore(at);
      const word = halves[at >> 2]!;
      const kind = word & 0xff;
      if (kind === EventKind.segmentBase) {
        if (!this.isReplay(this.number(at, RecordField.startInstruction))) this.onBase?.(this.ring.append(halves, at >> 2, 1));
      } else if (kind === passed) this.calls?.pass(at);
      else {
        const blocks = this.#blocksOf(word);
        this.calls?.call(at, blocks);
      }
      at += recordBytes;
    }
    if (this.#open !== 0) this.calls?.ended(this.#open, this.#openSequence, 0);
  }

  #isSingle(at: number): boolean {
    return this.calls?.isSingle(this.number(at, RecordField.startInstruction), this.number(at, RecordField.rip)) === true;
  }

  /** Nobody wants to know of records up to `next`, which are in the ring from `sequence` on, but for what later ones depend on. */
  #settle(from: number, next: number, sequence: number): void {
    const { calls } = this;
    if (calls === undefined) return;
    const halves = this.#halves;
    const { marked } = calls;
    let thread: number | undefined;
    let last = -1;
    for (let at = from; at < next; at += recordBytes) {
      if ((halves[at >> 2]! & 0xff) !== EventKind.syscall) continue;
      last = at;
      const own = this.number(at, RecordField.thread);
      if (own !== thread) calls.returned((thread = own));
      if (marked[halves[(at + RecordField.number) >> 2]!] !== 0 && halves[(at + RecordField.result + 4) >> 2]! >= 0)
        calls.ended(at, sequence + (at - from) / recordBytes, 0);
    }
    if (last >= 0)
      calls.reached(
        this.number(last, RecordField.startInstruction),
        this.number(last, RecordField.rip),
        this.number(last, RecordField.endInstruction),
      );
  }

  /** Tells of records up to `next`, which are in the ring from `sequence` on; more records come up to `to`. */
  #tell(from: number, next: number, to: number, sequence: number): void {
    const halves = this.#halves;
    for (let at = from; at < next;) {
      this.#endBefore(at);
      const first = sequence + (at - from) / recordBytes;
      if ((halves[at >> 2]! & 0xff) === EventKind.segmentBase) {
        this.onBase?.(first);
        at += recordBytes;
        continue;
      }
      let last = at;
      while (last + recordBytes < next && (halves[(last + recordBytes) >> 2]! & 0xff) === EventKind.syscall) last += recordBytes;
      const count = (last - at) / recordBytes + 1;
      const after = last + recordBytes;
      const isOpen = after < to && this.number(after, RecordField.startInstruction) < this.number(last, RecordField.endInstruction);
      if (isOpen) {
        this.#open = last;
        this.#openSequence = first + count - 1;
      }
      this.calls?.wholeCalls(at, first, count, isOpen);
      at = after;
    }
  }

  /** Tells of the call that was over before this record, if there is one. */
  #endBefore(at: number): void {
    if (this.#open === 0 || this.number(at, RecordField.startInstruction) < this.number(this.#open, RecordField.endInstruction)) return;
    this.calls?.ended(this.#open, this.#openSequence, 0);
    this.#open = 0;
  }
}
