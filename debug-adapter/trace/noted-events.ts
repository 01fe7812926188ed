/** Takes over what the processor's translated code noted by itself (see `EventLog` in x86/api.ts): records that the ring keeps as they are, and returns that the recorder of system calls matches. */
import { EventKind, type EventRing, RecordField, recordBytes, wholeCall } from './ring';

/** What is read of the processor's log. */
export interface NotedLog {
  /** Memory that the records lie in. */
  readonly halves: Int32Array;
  reader: ((from: number, to: number) => void) | undefined;
  drain(): void;
}

/** Who is told of calls and returns among what was noted. */
export interface NotedCalls {
  /** A call that is open, or one to be looked at by itself; `at` is its place in memory, bytes. */
  call(at: number): void;
  /** Calls from record `at` on that are over, in the ring from `sequence` on; with `open`, the end of the last one is told by `ended`. */
  wholeCalls(at: number, sequence: number, count: number, open: boolean): void;
  ended(at: number, sequence: number): void;
  /** Code that has the slot's observer is passed. */
  pass(at: number): void;
  /** Has this one to be looked at by itself? */
  isSingle(at: number): boolean;
}

/** Kind of records that are not the ring's. */
const passed = 255;

export class NotedEvents {
  readonly #halves: Int32Array;
  readonly #floats: Float64Array;
  calls: NotedCalls | undefined;
  /** Told of a change of a segment's base that was recorded. */
  onBase: ((sequence: number) => void) | undefined;

  constructor(
    readonly log: NotedLog,
    private readonly ring: EventRing,
    /** Has what happened at so many retired instructions happened before? */
    private readonly isReplay: (retired: number) => boolean,
  ) {
    this.#halves = log.halves;
    this.#floats = new Float64Array(log.halves.buffer, 0, Math.floor(log.halves.byteLength / 8));
    log.reader = (from, to) => {
      this.#read(from, to);
    };
  }

  close(): void {
    this.log.drain();
    this.log.reader = undefined;
  }

  number(at: number, field: number): number {
    return this.#floats[(at + field) >> 3]!;
  }

  #read(from: number, to: number): void {
    const halves = this.#halves;
    /** A call that was over only after what follows it, and its number in the ring. */
    let open = 0;
    let openSequence = 0;
    for (let at = from; at < to;) {
      if (open !== 0 && this.number(at, RecordField.startInstruction) >= this.number(open, RecordField.endInstruction)) {
        this.calls?.ended(open, openSequence);
        open = 0;
      }
      // Runs of calls that are over go into the ring as a whole.
      let next = at;
      while (next < to && halves[next >> 2] === wholeCall) next += recordBytes;
      if (next > at && !this.isReplay(this.number(at, RecordField.startInstruction)) && this.calls?.isSingle(at) !== true) {
        const count = (next - at) / recordBytes;
        const sequence = this.ring.append(halves, at >> 2, count);
        const last = next - recordBytes;
        if (next < to && this.number(next, RecordField.startInstruction) < this.number(last, RecordField.endInstruction)) {
          open = last;
          openSequence = sequence + count - 1;
        }
        this.calls?.wholeCalls(at, sequence, count, open !== 0);
        at = next;
        continue;
      }
      const kind = halves[at >> 2]! & 0xff;
      if (kind === EventKind.segmentBase) {
        if (!this.isReplay(this.number(at, RecordField.startInstruction))) this.onBase?.(this.ring.append(halves, at >> 2, 1));
      } else if (kind === passed) this.calls?.pass(at);
      else this.calls?.call(at);
      at += recordBytes;
    }
    if (open !== 0) this.calls?.ended(open, openSequence);
  }
}
