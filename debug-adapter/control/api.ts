/** The debugger as the protocol side sees it: plain data in, plain data out, so that it can cross from the machine's worker. */
import { type CpuModel } from '../x86/api';
import { type Disk, type PlainDevice } from '../machine/extra-devices';
import { type Supplement } from '../symbols/api';
import { type SyscallSummary } from '../trace/summary';
import { type AllocatorList } from '../guest/allocators';
import { type TestCase, type TestSuite } from '../guest/tests';
import { type GuestQueues, type GuestThreadDetails, type GuestTlsBlock, type GuestTlsVariable } from './guest';
import { type ConsoleLine } from './history/console-marks';
import { type JumpTarget } from './jumps';
import { type TracePage, type TraceRows } from './trace-log';

/** A file with the symbols of a program of the initial RAM disk, for one that is stripped there. */
export interface ProgramSymbols {
  /** Path of the program in the RAM disk, without a leading slash; empty where the RAM disk is the program. */
  readonly path: string;
  /** Path of the file. */
  readonly name: string;
  /** Undefined where the program holds its symbols itself, and shares part of them with others. */
  readonly bytes?: Uint8Array;
  readonly supplement?: Supplement;
}

/** What to boot and how. Files were read by whoever calls: the debugger touches no file. */
export interface LaunchOptions {
  readonly imageName: string;
  readonly image: Uint8Array;
  /** The `.dbg` beside the image, or the image itself. */
  readonly symbols?: { readonly name: string; readonly bytes: Uint8Array; readonly supplement?: Supplement };
  readonly initrd?: Uint8Array;
  /** Path of the RAM disk, by which what was translated of the guest is found again. */
  readonly initrdName?: string;
  /** What lies apart from the RAM disk for programs in it. */
  readonly programSymbols?: readonly ProgramSymbols[];
  readonly commandLine: string;
  /** Bytes. */
  readonly memory: number;
  readonly cpuModel: CpuModel;
  readonly clock: 'real' | 'skip';
  /** The network, as net/options.ts describes it; without it there is no network card. */
  readonly network?: string;
  readonly disks?: readonly Disk[];
  readonly devices?: readonly PlainDevice[];
  readonly stopOnEntry: boolean;
  /** When the guest that has ended is kept, stopped, so that one can go back from there: never, where it failed, or always. */
  readonly stopAtEnd: 'never' | 'failure' | 'always';
  /** Most bytes of checkpoints to go back to (default 256 MiB). */
  readonly historyBytes?: number;
  readonly trace: readonly TraceKind[];
  /** Prefixes to rewrite in the paths that the DWARF records. */
  readonly sourceMap: readonly { readonly from: string; readonly to: string }[];
}

export type TraceKind = 'syscalls' | 'tls' | 'extendedState' | 'interrupts';

/** Answer to a launch: what is worth telling although it booted. */
export interface LaunchResult {
  readonly warnings: readonly string[];
}

export type Granularity = 'statement' | 'line' | 'instruction';

/** A moment in history: a number of instructions retired, or the instruction that wrote a byte of the console's output. */
export type SeekPlace = { readonly instruction: number } | { readonly consoleOffset: number };

/** What is recorded of the guest's past; counts are of retired instructions. */
export interface HistoryStatus {
  readonly start: number;
  readonly end: number;
  readonly position: number;
  readonly inPast: boolean;
  readonly checkpoints: readonly number[];
  /** Bytes of checkpoints, and the most that they may be. */
  readonly memory: number;
  readonly budget: number;
  /** Bytes of console output so far. */
  readonly consoleBytes: number;
  readonly journalEntries: number;
}

/** A breakpoint as asked for; texts are the protocol's. */
export interface BreakpointOptions {
  readonly condition?: string;
  readonly hitCondition?: string;
  readonly logMessage?: string;
  /** One of `breakpointModes`. */
  readonly mode?: string;
}
export interface SourceBreakpointRequest extends BreakpointOptions {
  readonly line: number;
  readonly column?: number;
}
export interface FunctionBreakpointRequest extends BreakpointOptions {
  readonly name: string;
}
export interface InstructionBreakpointRequest extends BreakpointOptions {
  readonly address: bigint;
}
export interface DataBreakpointRequest extends BreakpointOptions {
  readonly place: DataPlace;
  readonly access: 'read' | 'write' | 'readWrite';
}

/** What a data breakpoint watches: bytes of memory, or a register by name. */
export type DataPlace = { readonly address: bigint; readonly length: number } | { readonly register: string };

/** How a breakpoint behaves beyond its conditions. */
export const breakpointModes = {
  /** Goes away after the first stop. */
  once: 'once',
  /** Of written data: stops only where the bytes are other ones afterwards. */
  change: 'change',
} as const;

export interface SourceLocation {
  readonly path: string;
  readonly line: number;
  readonly column: number;
}

/** What became of a breakpoint. */
export interface BreakpointStatus {
  readonly id: number;
  readonly verified: boolean;
  readonly message?: string;
  readonly location?: SourceLocation;
  readonly address?: bigint;
}

export interface ExceptionFilter {
  readonly filter: string;
  readonly condition?: string;
}

export interface ThreadInfo {
  readonly id: number;
  readonly name: string;
}

/** What a frame's name is to tell beside the function. */
export interface FrameFormat {
  readonly hex?: boolean;
  readonly parameters?: boolean;
  readonly parameterTypes?: boolean;
  readonly parameterNames?: boolean;
  readonly parameterValues?: boolean;
  readonly line?: boolean;
  readonly module?: boolean;
}

export interface FrameInfo {
  readonly id: number;
  readonly name: string;
  readonly address: bigint;
  readonly location?: SourceLocation;
  readonly library?: string;
  /** How the frame was found: exactly, by the frame pointer, or guessed from the stack's contents; `tail-call` is of a function that is gone already. */
  readonly origin: 'pc' | 'cfi' | 'frame-pointer' | 'inlined' | 'tail-call' | 'interrupt' | 'syscall' | 'guess';
}

export interface ScopeInfo {
  readonly name: string;
  readonly kind: 'arguments' | 'locals' | 'registers' | 'globals' | 'returnValue';
  readonly handle: number;
  readonly count?: number;
  readonly expensive: boolean;
}

/** One row of the Variables view. */
export interface VariableInfo {
  readonly name: string;
  readonly value: string;
  readonly type?: string;
  /** Handle of the children, 0 where there are none. */
  readonly handle: number;
  /** Children by index, where the value is an array. */
  readonly indexed?: number;
  readonly named?: number;
  readonly memory?: bigint;
  readonly evaluateName?: string;
  /** Where the variable is declared, and what a pointer to code points to. */
  readonly declaration?: SourceLocation;
  readonly pointsTo?: SourceLocation;
  readonly readOnly: boolean;
  /** Changed since the last stop. */
  readonly changed: boolean;
}

export interface DisassembledInstruction {
  readonly address: bigint;
  readonly bytes: Uint8Array;
  readonly text: string;
  readonly symbol?: string;
  readonly location?: SourceLocation;
  readonly valid: boolean;
}

export interface ModuleInfo {
  readonly id: string;
  readonly name: string;
  readonly path?: string;
  readonly range?: { readonly low: bigint; readonly high: bigint };
  readonly size?: number;
  /** Names of the sections that its code lies in. */
  readonly sections?: readonly string[];
  readonly symbolStatus: string;
}

export type StopKind =
  | 'entry'
  | 'step'
  | 'breakpoint'
  | 'function breakpoint'
  | 'instruction breakpoint'
  | 'data breakpoint'
  | 'pause'
  | 'exception'
  | 'goto'
  | 'exit'
  | 'restart';

/** What happens on the machine's side. */
export type DebuggerEvent =
  | {
      readonly kind: 'stopped';
      readonly reason: StopKind;
      readonly threadId: number;
      readonly description?: string;
      readonly text?: string;
      readonly breakpoints: readonly number[];
    }
  | { readonly kind: 'continued'; readonly threadId: number; readonly alone?: boolean }
  /** Bytes that the guest wrote to its console. */
  | { readonly kind: 'console'; readonly bytes: Uint8Array }
  /** A finished line about the guest: a traced syscall, a log point, a warning. */
  | {
      readonly kind: 'message';
      readonly category: 'trace' | 'log' | 'warning' | 'error';
      readonly text: string;
      readonly location?: SourceLocation;
    }
  | { readonly kind: 'breakpoint'; readonly status: BreakpointStatus; readonly gone?: boolean }
  /** The guest's state was edited: bytes at an address, or something else. */
  | { readonly kind: 'edited'; readonly memory?: { readonly address: bigint; readonly length: number } }
  /** Symbols of a program that the guest loaded were added. */
  | { readonly kind: 'symbols'; readonly name: string; readonly hasDwarf: boolean }
  /** The share of a search for functions that is done, 0 to 1. */
  | { readonly kind: 'search'; readonly share: number }
  | { readonly kind: 'exited'; readonly code: number; readonly description: string };

/** Statistics of the run so far. */
export interface RunStatistics {
  readonly instructions: bigint;
  /** Nanoseconds of the guest's time. */
  readonly virtualTime: number;
}

export interface ExceptionDetails {
  readonly id: string;
  readonly description: string;
  readonly details: string;
}

/** The methods; every one may throw a CodedError whose message is for people. */
export interface DebuggerApi {
  launch(options: LaunchOptions): Promise<LaunchResult>;
  /** Begins execution after the breakpoints were set. */
  start(): void;
  /** For a client that comes to a machine that is there already: tells of its stop or its end again. */
  report(): void;
  /** A client leaves the machine: its breakpoints and filters go, and the guest runs on where `resume` is set, else it stands. */
  detach(resume: boolean): void;
  /** Runs the guest on; with `alone` only the running thread, whose id it must be. */
  resume(alone?: number): void;
  pause(): void;
  /** Steps; `into` is the id of one of `stepInTargets`, `alone` the thread that is to run alone. */
  step(kind: 'over' | 'in' | 'out', granularity: Granularity, options?: { readonly into?: number; readonly alone?: number }): void;
  /** Calls left in the line at which a frame stands; none but in the innermost. */
  stepInTargets(frameId: number): readonly JumpTarget[];
  gotoTargets(path: string, line: number, column: number | undefined): readonly JumpTarget[];
  /** Goes on from another place, without running what lies between. */
  goto(threadId: number, targetId: number): void;
  /** Goes back to the moment at which a frame's function was entered. */
  restartFrame(frameId: number): void;
  /** Steps backwards: one instruction or line, over calls or into them; `out` ends before the call of the function. */
  stepBack(kind: 'back' | 'over' | 'in' | 'out', granularity: Granularity): void;
  /** Goes back to the last stop that the breakpoints and filters set now would have caused. */
  reverseContinue(): void;
  seek(place: SeekPlace | { readonly traceSequence: number }): void;
  /** Goes back to the last instruction that wrote any of `length` bytes at a linear address. */
  seekWrite(address: bigint, length: number): void;
  /** The newest `limit` lines of the console's output that have `search` in them, with the offsets of their first bytes. */
  consoleLines(search: string, limit: number): readonly ConsoleLine[];
  history(): HistoryStatus;
  /** Everything that another machine needs to repeat this session. */
  saveSession(): Uint8Array;
  /** Instead of `start`: lets a saved session of the same launch happen again, and stops where its user stood. */
  openSession(bytes: Uint8Array): void;
  setSourceBreakpoints(path: string, requests: readonly SourceBreakpointRequest[]): readonly BreakpointStatus[];
  /** Large files take seconds: other calls are answered meanwhile, and `search` events tell how far it is. */
  setFunctionBreakpoints(requests: readonly FunctionBreakpointRequest[]): Promise<readonly BreakpointStatus[]>;
  /** A search for functions that is under way ends with what it has found so far. */
  cancelSearch(): void;
  setInstructionBreakpoints(requests: readonly InstructionBreakpointRequest[]): readonly BreakpointStatus[];
  setDataBreakpoints(requests: readonly DataBreakpointRequest[]): readonly BreakpointStatus[];
  setExceptionFilters(filters: readonly ExceptionFilter[]): readonly BreakpointStatus[];
  breakpointLocations(path: string, fromLine: number, toLine: number): readonly SourceLocation[];
  threads(): readonly ThreadInfo[];
  stack(
    threadId: number,
    start: number,
    levels: number,
    format?: FrameFormat,
  ): { readonly frames: readonly FrameInfo[]; readonly total: number };
  scopes(frameId: number): readonly ScopeInfo[];
  variables(handle: number, start?: number, count?: number, hex?: boolean): readonly VariableInfo[];
  setVariable(handle: number, name: string, value: string): VariableInfo;
  evaluate(expression: string, frameId: number | undefined, hex: boolean): VariableInfo;
  /** Runs a line of the debug console where it is a command; undefined where it is an expression. */
  command(line: string, frameId: number | undefined): string | undefined;
  setExpression(expression: string, value: string, frameId: number | undefined): VariableInfo;
  completions(
    text: string,
    column: number,
    frameId: number | undefined,
  ): readonly { readonly label: string; readonly kind: 'variable' | 'register' | 'function' | 'field' | 'type' }[];
  /** Where a variable of a group, or an expression, lies in memory; undefined where it does not. */
  dataPlace(name: string, handle: number | undefined, frameId: number | undefined): DataPlace | undefined;
  readMemory(address: bigint, length: number): Uint8Array;
  writeMemory(address: bigint, bytes: Uint8Array): number;
  /** Exactly `count` entries, `offset` instructions (which may be negative) from `address`. */
  disassemble(address: bigint, offset: number, count: number): readonly DisassembledInstruction[];
  modules(): readonly ModuleInfo[];
  /** Sources of the image and the programs; the MD5 of their text where the build recorded it. */
  loadedSources(): readonly { readonly path: string; readonly md5?: string }[];
  exceptionInfo(): ExceptionDetails | undefined;
  /** The guest's threads with where they stand; none where the image has no scheduler. May be asked while it runs. */
  guestThreads(): {
    readonly threads: readonly GuestThreadDetails[];
    readonly notes: readonly string[];
    readonly queues: readonly GuestQueues[];
  };
  guestAllocators(): AllocatorList;
  /** Results of the tests that are built into the image, with where each test's function is. */
  guestTests(): readonly (Omit<TestSuite, 'cases'> & { readonly cases: readonly (TestCase & { readonly location?: SourceLocation })[] })[];
  /** Thread-local blocks, with their variables, of a thread (default: the running one). */
  guestTls(threadId: number | undefined): readonly (GuestTlsBlock & { readonly variables: readonly GuestTlsVariable[] })[];
  /** Recorded events from sequence number `from` on, or the newest `limit` ones. */
  traceEvents(from: number | undefined, limit: number, filter: string): TracePage;
  /** A window of the rows that a filter lets through. */
  traceRows(filter: string, start: number, count: number): TraceRows;
  traceSummary(filter: string): readonly SyscallSummary[];
  /** The code that made a recorded system call. */
  tracePlace(sequence: number): { readonly function?: string; readonly location?: SourceLocation };
  exportTrace(format: 'strace' | 'chrome', filter: string): string;
  consoleInput(text: string): void;
  statistics(): RunStatistics;
  /** Ends the run; the worker may be ended after it. */
  terminate(): void | Promise<void>;
}
