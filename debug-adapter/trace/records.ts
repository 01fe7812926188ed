/** Records of events as the ring keeps those that somebody writes one by one; what translated code notes is packed (packed.ts) until somebody looks. */

/** Bytes of one record, and what lies where in it. Addresses, instruction counts and times are floats: a store each, and exact (see `Cpu.readPointer`). */
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
/** Arguments of a system call. */
export const argumentCount = 6;

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
/** In the upper half of the first word. */
export const Flag = { compiledIn: 1, completed: 2, dropped: 4, kernel: 8, application: 16, before: 32, after: 64 } as const;

/** Of the first word of a call: there is a block of what arguments pointed to when it was made, and when it returned. */
export const notedBefore = Flag.before << 16;
export const notedAfter = Flag.after << 16;
/** First word of the record of a call by the instruction that is over and of which nothing is captured. */
export const wholeCall = EventKind.syscall | (Flag.completed << 16);
