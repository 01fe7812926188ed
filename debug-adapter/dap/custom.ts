/** Requests beyond the protocol: the shapes that the adapter and the extension share. Addresses and counts wider than 53 bits are hexadecimal or decimal strings. */

/** An argument-less request's arguments. */
type None = undefined;

/** A place in a source file, line and column from 1. */
export interface SourcePlace {
  readonly path: string;
  readonly line: number;
  readonly column: number;
}

/** A guest thread as the scheduler has it. */
export interface ThreadDetails {
  /** The protocol's id of the thread. */
  readonly id: number;
  readonly name: string;
  readonly state: 'running' | 'runnable' | 'sleeping' | 'blocked' | 'exited' | 'idle';
  readonly current: boolean;
  /** What it waits for or where it stands, in words, e.g. `uk_semaphore_down from uk_boot_entry`. */
  readonly where?: string;
  readonly place?: SourcePlace;
  /** The system call that it is in, decoded. */
  readonly syscall?: string;
  /** Address of its control block. */
  readonly address: string;
  readonly flags: readonly string[];
  /** Guest time at which it wakes, nanoseconds. */
  readonly wakeup?: number;
  /** Guest time that it ran, nanoseconds. */
  readonly executed: number;
  readonly pc: string;
  readonly sp: string;
  readonly stack?: string;
  readonly auxStack?: string;
  readonly extendedState?: string;
  /** What it waits for, where its frames tell. */
  readonly waitsFor?: string;
  /** What was saved there of registers that are not 0, as numbers. */
  readonly extendedRegisters?: readonly { readonly name: string; readonly value: string }[];
  readonly tls: readonly TlsBlock[];
}

/** A thread-local block of a thread. */
export interface TlsBlock {
  readonly owner: 'kernel' | 'application';
  /** The thread pointer: what FS holds while the block is in use. */
  readonly pointer: string;
  /** FS holds it now, or will when the thread goes on. */
  readonly active: boolean;
  /** Start and size in bytes, where the symbols tell. */
  readonly base?: string;
  readonly size?: number;
}

export interface ThreadsAnswer {
  readonly threads: readonly ThreadDetails[];
  /** What could not be read, e.g. of a damaged list. */
  readonly notes: readonly string[];
  /** False where the image has no scheduler: the one row is the processor. */
  readonly scheduler: boolean;
  /** Ids of threads in the order of their turn. */
  readonly queues: readonly {
    readonly kind: string;
    readonly run: readonly number[];
    readonly sleep: readonly number[];
    readonly exited: readonly number[];
  }[];
}

/** An allocator of the guest; sizes in bytes. */
export interface AllocatorDetails {
  readonly address: string;
  readonly kind: string;
  readonly isDefault: boolean;
  readonly total?: number;
  readonly free?: number;
  readonly statistics?: {
    readonly allocations: number;
    readonly frees: number;
    readonly live: number;
    readonly used: number;
    readonly mostUsed: number;
    readonly failures: number;
  };
}

export interface AllocatorsAnswer {
  readonly allocators: readonly AllocatorDetails[];
  /** The image keeps statistics (CONFIG_LIBUKALLOC_IFSTATS). */
  readonly counted: boolean;
}

export type TestState = 'passed' | 'failed' | 'not run';

/** Tests that are built into the image, with their results so far. */
export interface TestsAnswer {
  readonly suites: readonly {
    readonly name: string;
    readonly state: TestState;
    readonly cases: readonly {
      readonly name: string;
      readonly state: TestState;
      readonly description?: string;
      readonly place?: SourcePlace;
      /** Lines of the assertions that failed. */
      readonly failedLines: readonly number[];
      readonly assertions: number;
      readonly passed: number;
    }[];
  }[];
}

export interface TlsVariable {
  readonly name: string;
  readonly value: string;
  readonly type: string;
  readonly address: string;
}

export interface TlsAnswer {
  readonly blocks: readonly (TlsBlock & { readonly variables: readonly TlsVariable[] })[];
}

export interface SyscallsArguments {
  /** First sequence number wanted; before the oldest one kept, that one. Default: the last `limit` ones. */
  readonly from?: number;
  /** At most so many events (default 200, at most 5000). */
  readonly limit?: number;
  /** See trace/filter.ts: names, %classes, -ERRNO, thread:NAME, failed, binary, native, tls, ectx, irq. */
  readonly filter?: string;
}

/** One decoded event. */
export interface EventDetails {
  readonly sequence: number;
  readonly kind: 'syscall' | 'segmentBase' | 'exception' | 'interrupt' | 'interruptReturn' | 'extendedState' | 'threadSwitch';
  /** The whole line, as strace has it. */
  readonly text: string;
  /** Virtual time in nanoseconds, and instructions retired, when it happened. */
  readonly time: number;
  readonly instruction: string;
  readonly thread: { readonly id: number; readonly name: string };
  readonly address: string;
  /** Of a system call. */
  readonly name?: string;
  readonly classes?: readonly string[];
  readonly path?: 'binary' | 'compiled-in';
  readonly result?: string;
  readonly failed?: boolean;
  /** From call to return, nanoseconds; absent while the call is open. */
  readonly duration?: number;
}

export interface SyscallsAnswer {
  readonly events: readonly EventDetails[];
  /** Sequence number to ask from next. */
  readonly next: number;
  /** Oldest sequence number that is still kept, and how many events happened in all. */
  readonly oldest: number;
  readonly total: number;
}

export interface TraceRowsArguments {
  readonly filter?: string;
  /** First row wanted, 0 the oldest that is kept; beyond the last row: the last ones. */
  readonly start: number;
  readonly count: number;
}

/** A window of the rows that a filter lets through. */
export interface TraceRowsAnswer {
  readonly start: number;
  readonly events: readonly EventDetails[];
  readonly total: number;
  /** Rows that matched and are no longer kept: row numbers have shrunk by these. */
  readonly dropped: number;
  /** Events in all, and those that are no longer kept. */
  readonly recorded: number;
  readonly lost: number;
  /** Not all events were looked through yet: ask again. */
  readonly partial: boolean;
}

export interface SummaryAnswer {
  readonly rows: readonly {
    readonly name: string;
    readonly calls: number;
    readonly errors: number;
    readonly nanoseconds: number;
    readonly share: number;
    readonly instructions: number;
  }[];
}

/** Every request with its arguments and its answer's body. */
export interface CustomRequests {
  'unikernel/threads': [None, ThreadsAnswer];
  'unikernel/allocators': [None, AllocatorsAnswer];
  'unikernel/tests': [None, TestsAnswer];
  'unikernel/tls': [{ readonly threadId?: number } | undefined, TlsAnswer];
  'unikernel/syscalls': [SyscallsArguments | undefined, SyscallsAnswer];
  'unikernel/traceRows': [TraceRowsArguments, TraceRowsAnswer];
  'unikernel/syscallSummary': [{ readonly filter?: string } | undefined, SummaryAnswer];
  /** Where the code that made a recorded call is. */
  'unikernel/eventPlace': [{ readonly sequence: number }, { readonly function?: string; readonly place?: SourcePlace }];
  'unikernel/exportTrace': [{ readonly format: 'strace' | 'chrome'; readonly filter?: string }, { readonly text: string }];
}

/** A step backwards beyond the protocol's own. */
export interface ReverseArguments {
  readonly threadId?: number;
  readonly granularity?: 'statement' | 'line' | 'instruction';
}

/** A moment to go to: exactly one of these. */
export interface SeekArguments {
  /** Instructions retired, decimal. */
  readonly instruction?: string;
  /** A byte of the console's output, counted from 0: the instruction that wrote it. */
  readonly consoleOffset?: number;
  /** An event of the trace: where it began. */
  readonly traceSequence?: number;
}

/** A place in memory: an address with a number of bytes, or a variable of a group or an expression. */
export interface SeekWriteArguments {
  readonly address?: string;
  readonly bytes?: number;
  readonly variablesReference?: number;
  readonly name?: string;
  readonly frameId?: number;
}

export interface ConsoleLinesAnswer {
  readonly lines: readonly { readonly offset: number; readonly text: string }[];
}

/** What is recorded of the guest's past. Instruction counts are decimal strings. */
export interface HistoryAnswer {
  readonly start: string;
  readonly end: string;
  readonly position: string;
  /** The guest stands before the end of what is recorded. */
  readonly inPast: boolean;
  readonly checkpoints: readonly string[];
  /** Bytes of checkpoints, and the most that they may be. */
  readonly memory: number;
  readonly budget: number;
  /** Bytes of console output so far. */
  readonly consoleBytes: number;
  readonly journalEntries: number;
}

/** Requests of time travel. Those that move the guest are answered at once; a stopped event tells where it arrived. */
export interface HistoryRequests {
  'unikernel/reverseNext': [ReverseArguments | undefined, void];
  /** As reverseNext, but into functions that have line numbers, from their ends. */
  'unikernel/reverseIn': [ReverseArguments | undefined, void];
  /** Before the call of the current function. */
  'unikernel/reverseOut': [ReverseArguments | undefined, void];
  'unikernel/seek': [SeekArguments, void];
  /** Back to the instruction that wrote a place last: a variable as dataBreakpointInfo names it, or bytes at an address. */
  'unikernel/seekWrite': [SeekWriteArguments, void];
  /** The newest lines of the console's output that have `search` in them, with what to give to seek as `consoleOffset`. */
  'unikernel/consoleLines': [{ readonly search?: string; readonly limit?: number } | undefined, ConsoleLinesAnswer];
  'unikernel/history': [None, HistoryAnswer];
  /** The session in base64, for a file. */
  'unikernel/saveSession': [None, { readonly data: string }];
}
