/** The event ring: fixed-size binary records, written on the machine's thread without making strings or objects, read by whoever wants to look. */

/** Bytes of one record, and within it. */
const recordBytes = 512;
const Field = {
  kind: 0,
  flags: 4,
  startInstruction: 8,
  endInstruction: 16,
  startTime: 24,
  thread: 32,
  rip: 40,
  number: 48,
  result: 56,
  args: 64,
  caller: 112,
  endTime: 120,
  captures: 128,
} as const;
const captureBytes = 64;
/** Bytes of memory that one argument's capture holds. */
export const captureLimit = captureBytes - 4;
const absent = 0xffff;

export const EventKind = { syscall: 1, segmentBase: 2, exception: 3, interrupt: 4, interruptReturn: 5, extendedState: 6 } as const;
export type EventKind = (typeof EventKind)[keyof typeof EventKind];

const Flag = { compiledIn: 1, completed: 2 } as const;

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
}

export interface Capture {
  readonly bytes: Uint8Array;
  /** Memory went on beyond what was kept. */
  readonly truncated: boolean;
}

/** Any other event. `value` and `from` by kind: the new and old base; the error code; the area's address. */
export interface OtherEvent {
  readonly kind: 'segmentBase' | 'exception' | 'interrupt' | 'interruptReturn' | 'extendedState';
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
}

export type TraceEvent = SyscallEvent | OtherEvent;

const otherNames: Readonly<Record<number, OtherEvent['kind']>> = {
  [EventKind.segmentBase]: 'segmentBase',
  [EventKind.exception]: 'exception',
  [EventKind.interrupt]: 'interrupt',
  [EventKind.interruptReturn]: 'interruptReturn',
  [EventKind.extendedState]: 'extendedState',
};

/** The newest `capacity` events. Sequence numbers count from 0 and never repeat. */
export class EventRing {
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  /** Sequence number that the next event gets. */
  head = 0;

  /** @param capacity records of 512 bytes. */
  constructor(readonly capacity = 8192) {
    this.bytes = new Uint8Array(capacity * recordBytes);
    this.view = new DataView(this.bytes.buffer);
  }

  /** Sequence number of the oldest event that is still here. */
  get tail(): number {
    return Math.max(0, this.head - this.capacity);
  }

  private offset(sequence: number): number {
    return (sequence % this.capacity) * recordBytes;
  }

  private holds(sequence: number): boolean {
    return sequence >= this.tail && sequence < this.head;
  }

  private open(kind: EventKind, start: bigint, time: number, rip: bigint): number {
    const sequence = this.head++;
    const at = this.offset(sequence);
    this.bytes.fill(0, at, at + Field.captures);
    this.view.setUint32(at + Field.kind, kind, true);
    this.view.setBigUint64(at + Field.startInstruction, start, true);
    this.view.setFloat64(at + Field.startTime, time, true);
    this.view.setBigUint64(at + Field.rip, BigInt.asUintN(64, rip), true);
    return sequence;
  }

  /** Records a call that begins. Answers its sequence number, for `endSyscall`. */
  beginSyscall(
    path: SyscallPath,
    number: number,
    args: readonly bigint[],
    start: bigint,
    time: number,
    rip: bigint,
    thread: bigint,
    caller = 0n,
  ): number {
    const sequence = this.open(EventKind.syscall, start, time, rip);
    const at = this.offset(sequence);
    this.view.setUint32(at + Field.flags, path === 'compiled-in' ? Flag.compiledIn : 0, true);
    this.view.setBigUint64(at + Field.thread, thread, true);
    this.view.setBigUint64(at + Field.caller, BigInt.asUintN(64, caller), true);
    this.view.setBigInt64(at + Field.number, BigInt(number), true);
    for (let i = 0; i < 6; i++) {
      this.view.setBigUint64(at + Field.args + i * 8, args[i] ?? 0n, true);
      this.view.setUint16(at + Field.captures + i * captureBytes, absent, true);
    }
    return sequence;
  }

  /** Keeps what argument `index` points to. No effect once the record has been overwritten. */
  capture(sequence: number, index: number, bytes: Uint8Array, truncated: boolean): void {
    if (!this.holds(sequence)) return;
    const at = this.offset(sequence) + Field.captures + index * captureBytes;
    const kept = bytes.subarray(0, captureLimit);
    this.view.setUint16(at, kept.length, true);
    this.view.setUint16(at + 2, truncated || kept.length < bytes.length ? 1 : 0, true);
    this.bytes.set(kept, at + 4);
  }

  /** @param time virtual time of the return, nanoseconds. */
  endSyscall(sequence: number, result: bigint, end: bigint, time = 0): void {
    if (!this.holds(sequence)) return;
    const at = this.offset(sequence);
    this.view.setUint32(at + Field.flags, this.view.getUint32(at + Field.flags, true) | Flag.completed, true);
    this.view.setBigInt64(at + Field.result, BigInt.asIntN(64, result), true);
    this.view.setBigUint64(at + Field.endInstruction, end, true);
    this.view.setFloat64(at + Field.endTime, time, true);
  }

  /** Records any other event. */
  add(kind: EventKind, number: number, value: bigint, from: bigint, start: bigint, time: number, rip: bigint, thread = 0n): void {
    const at = this.offset(this.open(kind, start, time, rip));
    this.view.setBigInt64(at + Field.number, BigInt(number), true);
    this.view.setBigUint64(at + Field.result, BigInt.asUintN(64, value), true);
    this.view.setBigUint64(at + Field.args, BigInt.asUintN(64, from), true);
    this.view.setBigUint64(at + Field.thread, thread, true);
  }

  /** The event, or undefined where it is gone or has not been. */
  read(sequence: number): TraceEvent | undefined {
    if (!this.holds(sequence)) return undefined;
    const at = this.offset(sequence);
    const { view } = this;
    const kind = view.getUint32(at + Field.kind, true);
    const start = view.getBigUint64(at + Field.startInstruction, true);
    const time = view.getFloat64(at + Field.startTime, true);
    const rip = view.getBigUint64(at + Field.rip, true);
    const number = Number(view.getBigInt64(at + Field.number, true));
    const thread = view.getBigUint64(at + Field.thread, true);
    if (kind !== EventKind.syscall) {
      const name = otherNames[kind];
      if (name === undefined) return undefined;
      const value = view.getBigUint64(at + Field.result, true);
      return { kind: name, sequence, number, value, from: view.getBigUint64(at + Field.args, true), start, time, thread, rip };
    }
    const flags = view.getUint32(at + Field.flags, true);
    const completed = (flags & Flag.completed) !== 0;
    return {
      kind: 'syscall',
      sequence,
      path: (flags & Flag.compiledIn) !== 0 ? 'compiled-in' : 'binary',
      number,
      args: Array.from({ length: 6 }, (_, i) => view.getBigUint64(at + Field.args + i * 8, true)),
      result: completed ? view.getBigInt64(at + Field.result, true) : undefined,
      captures: Array.from({ length: 6 }, (_, i) => this.readCapture(at + Field.captures + i * captureBytes)),
      start,
      end: completed ? view.getBigUint64(at + Field.endInstruction, true) : undefined,
      time,
      endTime: completed ? view.getFloat64(at + Field.endTime, true) : undefined,
      thread,
      rip,
      caller: view.getBigUint64(at + Field.caller, true),
    };
  }

  private readCapture(at: number): Capture | undefined {
    const length = this.view.getUint16(at, true);
    if (length === absent) return undefined;
    return { bytes: this.bytes.slice(at + 4, at + 4 + length), truncated: this.view.getUint16(at + 2, true) !== 0 };
  }
}
