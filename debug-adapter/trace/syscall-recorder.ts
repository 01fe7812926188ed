/** Watches a machine for system calls on both paths of Unikraft's shim, and writes them into the ring. */
import { captureArgument, isCaptured, type MemoryReader } from './capture';
import { type EventRing, type SyscallPath } from './ring';
import { type SyscallRow } from './syscalls/row';
import { syscallByName, syscallByNumber } from './syscalls/table';

/** What the recorder needs of a processor. */
export interface TracedCpu {
  readonly retiredCount: number;
  /** See `Cpu.generalRegisters`. */
  readonly generalRegisters: BigUint64Array;
  readonly hooks: { syscall?: (() => 'stop' | undefined) | undefined };
  getRegister(name: string): bigint | undefined;
  readMemory(linear: bigint, length: number): Uint8Array;
  setProbe(address: bigint, probe: (() => 'stop' | undefined) | undefined): void;
  /** What happens has happened before and is recorded already. */
  readonly replaying?: boolean;
}

/** What the recorder needs of symbols. */
export interface TracedSymbols {
  searchSymbols(pattern: RegExp, limit?: number): readonly { readonly name: string; readonly kind: string; readonly address: bigint }[];
  symbolsNamed(name: string): readonly { readonly address: bigint }[];
}

/** Handlers of the compiled-in path: raw results, without the context-aware forms that only these call. */
const handlerPattern = /^uk_syscall_r_(?!e_)/;
const handlerPrefix = 'uk_syscall_r_';
/** The scheduler's pointer to the running thread. */
const currentThreadSymbol = '__uk_sched_thread_current';
/** Length of the `syscall` instruction. */
const syscallBytes = 2n;
/** Where the general registers hold what; RCX of a direct call is R10 of the instruction. */
const accumulator = 0;
const stackPointer = 4;
const [argument0, argument1, argument2, argument3, argument4, argument5] = [7, 6, 2, 10, 8, 9];
const argument3OfCall = 1;
/** Calls open at one return address; more are calls that never came back. */
const mostOpenPerSite = 256;

interface OpenCall {
  readonly sequence: number;
  readonly path: SyscallPath;
  readonly row: SyscallRow | undefined;
  /** Empty where nothing is to be looked at once the call returns. */
  readonly args: readonly bigint[];
  readonly thread: bigint;
  /** RSP that the caller has once the call is over. */
  readonly stack: bigint;
}

/** What there is to do for the calls of a row besides recording them. */
interface Plan {
  /** Indices of arguments to look at before and after the call. */
  readonly before: readonly number[];
  readonly after: readonly number[];
  /** It opens, closes or copies a descriptor. */
  readonly descriptor: boolean;
  /** None of it: the arguments are not looked at. */
  readonly idle: boolean;
}
const noPlan: Plan = { before: [], after: [], descriptor: false, idle: true };
const noArguments: readonly bigint[] = [];

function planOf(row: SyscallRow): Plan {
  const indices = [...row.args.keys()].filter((index) => {
    const { kind, filled } = row.args[index]!;
    return kind === 'fd' || kind === 'dirfd' || isCaptured(kind, filled);
  });
  const before = indices.filter((index) => !row.args[index]!.filled);
  const after = indices.filter((index) => row.args[index]!.filled || row.args[index]!.kind === 'pollfd');
  const descriptor = row.name === 'close' || duplicating.includes(row.name) || row.result === 'fd';
  return { before, after, descriptor, idle: before.length === 0 && after.length === 0 && !descriptor };
}

/** Calls that make a new descriptor of one that is there. */
const duplicating: readonly string[] = ['dup', 'dup2', 'dup3'];

export class SyscallRecorder {
  /** Paths by descriptor, as they were opened. */
  private readonly paths = new Map<number, Uint8Array>();
  /** Open calls by return address; each address that was ever returned to has a probe. */
  private readonly open = new Map<bigint, OpenCall[]>();
  private readonly plans = new Map<SyscallRow, Plan>();
  /** The arguments of the call that begins. */
  private readonly args = new BigUint64Array(6);
  /** Innermost open call by thread. */
  private readonly byThread = new Map<bigint, OpenCall>();
  private readonly probed: bigint[] = [];
  private readonly currentThread: bigint | undefined;
  private readonly read: MemoryReader;
  /** The hook that was there before. */
  private readonly before: (() => 'stop' | undefined) | undefined;
  /** Where the newest call began: its hook may come again when the guest was stopped there. */
  private newestStart = -1;
  private newestRip = 0n;
  /** Called when a call was recorded, at its beginning and at its end, with its number. */
  onEvent: ((sequence: number, phase: 'begin' | 'end', number: number) => void) | undefined;

  constructor(
    private readonly cpu: TracedCpu,
    private readonly now: () => number,
    private readonly ring: EventRing,
    symbols: TracedSymbols | undefined,
  ) {
    this.read = (address, length) => cpu.readMemory(address, length);
    this.currentThread = symbols?.symbolsNamed(currentThreadSymbol)[0]?.address;
    const before = (this.before = cpu.hooks.syscall);
    cpu.hooks.syscall = () => {
      const verdict = before?.();
      this.onInstruction();
      return verdict;
    };
    for (const symbol of symbols?.searchSymbols(handlerPattern, 1000) ?? []) {
      if (symbol.kind !== 'function') continue;
      const row = syscallByName(symbol.name.slice(handlerPrefix.length));
      if (row === undefined) continue;
      this.probed.push(symbol.address);
      cpu.setProbe(symbol.address, () => this.onHandler(row, symbol.address));
    }
  }

  /** Takes hooks and probes away. */
  close(): void {
    if (this.before === undefined) delete this.cpu.hooks.syscall;
    else this.cpu.hooks.syscall = this.before;
    for (const address of [...this.probed, ...this.open.keys()]) this.cpu.setProbe(address, undefined);
  }

  /** The guest goes another way from instruction count `moment` on: calls that were open then are open again, later ones never were. */
  forgetAfter(moment: bigint): void {
    this.ring.forgetAfter(moment);
    for (const calls of this.open.values()) calls.length = 0;
    this.byThread.clear();
    this.newestStart = -1;
    for (let sequence = this.ring.tail; sequence < this.ring.head; sequence++) {
      const event = this.ring.read(sequence);
      if (event?.kind !== 'syscall' || event.result !== undefined) continue;
      const { path, args, thread, stack, caller } = event;
      this.follow({ sequence, path, row: syscallByNumber(event.number), args, thread, stack }, caller);
    }
  }

  private planFor(row: SyscallRow | undefined): Plan {
    if (row === undefined) return noPlan;
    let plan = this.plans.get(row);
    if (plan === undefined) this.plans.set(row, (plan = planOf(row)));
    return plan;
  }

  private thread(): bigint {
    if (this.currentThread === undefined) return 0n;
    const bytes = this.read(this.currentThread, 8);
    return bytes.length < 8 ? 0n : new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  }

  /** A `syscall` instruction is about to run. */
  private onInstruction(): undefined {
    if (this.cpu.replaying === true) return;
    const rip = this.cpu.getRegister('rip') ?? 0n;
    const registers = this.cpu.generalRegisters;
    const number = Number(BigInt.asIntN(32, registers[accumulator]!));
    this.begin('binary', syscallByNumber(number), number, argument3, rip, rip + syscallBytes, registers[stackPointer]!);
  }

  /** A handler of the shim was entered, by a direct call or from the binary path's dispatcher. */
  private onHandler(row: SyscallRow, rip: bigint): undefined {
    if (this.cpu.replaying === true) return;
    const outer = this.byThread.size === 0 ? undefined : this.byThread.get(this.thread());
    // The call's own handler, or one system call made by another's handler: one event.
    if (outer?.path === 'binary' && outer.row?.result !== 'never') return;
    const stack = this.cpu.generalRegisters[stackPointer]! + 8n;
    if (outer !== undefined) {
      // A compiled-in call whose frame is gone was left without a return.
      const abandoned = outer.path === 'compiled-in' && outer.stack < stack;
      if (outer.row?.result === 'never') {
        // Its own handler; whatever comes after that is another thread at the same address.
        this.byThread.delete(outer.thread);
        if (outer.row === row) return;
      } else if (!abandoned) return;
    }
    const word = this.read(stack - 8n, 8);
    if (word.length < 8) return;
    const returnAddress = new DataView(word.buffer, word.byteOffset, 8).getBigUint64(0, true);
    this.begin('compiled-in', row, row.number, argument3OfCall, rip, returnAddress, stack);
  }

  private begin(
    path: SyscallPath,
    row: SyscallRow | undefined,
    number: number,
    fourth: number,
    rip: bigint,
    returnAddress: bigint,
    stack: bigint,
  ): void {
    const start = this.cpu.retiredCount;
    if (this.newestStart === start && this.newestRip === rip) return;
    this.newestStart = start;
    this.newestRip = rip;
    const registers = this.cpu.generalRegisters;
    const { args } = this;
    args[0] = registers[argument0]!;
    args[1] = registers[argument1]!;
    args[2] = registers[argument2]!;
    args[3] = registers[fourth]!;
    args[4] = registers[argument4]!;
    args[5] = registers[argument5]!;
    const plan = this.planFor(row);
    const thread = this.thread();
    const sequence = this.ring.beginSyscall(path, number, args, start, this.now(), rip, thread, returnAddress, stack);
    const call: OpenCall = { sequence, path, row, args: plan.idle ? noArguments : [...args], thread, stack };
    if (plan.before.length > 0) this.capture(call, plan.before, undefined);
    this.onEvent?.(sequence, 'begin', number);
    this.follow(call, returnAddress);
  }

  /** Waits for the call's return. */
  private follow(call: OpenCall, returnAddress: bigint): void {
    const never = call.row?.result === 'never';
    if (call.path === 'binary' || !never) this.byThread.set(call.thread, call);
    if (never) return;
    let calls = this.open.get(returnAddress);
    if (calls === undefined) {
      const made: OpenCall[] = [];
      this.open.set(returnAddress, (calls = made));
      this.cpu.setProbe(returnAddress, () => this.onReturn(made));
    }
    calls.push(call);
    if (calls.length > mostOpenPerSite) calls.shift();
  }

  /** Execution reached an address that some call returns to. */
  private onReturn(calls: OpenCall[]): undefined {
    if (this.cpu.replaying === true || calls.length === 0) return;
    const registers = this.cpu.generalRegisters;
    const stack = registers[stackPointer]!;
    let index = calls.length - 1;
    while (index >= 0 && calls[index]!.stack !== stack) index--;
    if (index < 0) return;
    const call = calls[index]!;
    if (index === calls.length - 1) calls.pop();
    else calls.splice(index, 1);
    if (this.byThread.get(call.thread) === call) this.byThread.delete(call.thread);
    const result = registers[accumulator]!;
    this.ring.endSyscall(call.sequence, result, this.cpu.retiredCount, this.now());
    const plan = this.planFor(call.row);
    if (plan.after.length > 0) this.capture(call, plan.after, BigInt.asIntN(64, result));
    if (plan.descriptor) this.noteDescriptor(call, BigInt.asIntN(64, result));
    this.onEvent?.(call.sequence, 'end', call.row?.number ?? -1);
  }

  /** Keeps what a descriptor was opened for, until it is closed. */
  private noteDescriptor({ row, args, sequence }: OpenCall, result: bigint): void {
    if (row === undefined || result < 0n) return;
    const fd = Number(result);
    const first = Number(BigInt.asIntN(32, args[0] ?? 0n));
    if (row.name === 'close') this.paths.delete(first);
    else if (duplicating.includes(row.name)) {
      const path = this.paths.get(first);
      if (path === undefined) this.paths.delete(fd);
      else this.paths.set(fd, path);
    } else if (row.result === 'fd') {
      const index = row.args.findIndex(({ kind }) => kind === 'path');
      const event = index < 0 ? undefined : this.ring.read(sequence);
      const path = event?.kind === 'syscall' ? event.captures[index]?.bytes : new TextEncoder().encode(`${row.name}:[${fd}]`);
      if (path !== undefined) this.paths.set(fd, path);
    }
  }

  /** Keeps what arguments point to: before the call what goes in, after it what came out. */
  private capture({ row, args, sequence }: OpenCall, indices: readonly number[], result: bigint | undefined): void {
    if (row === undefined) return;
    for (const index of indices) {
      const { kind } = row.args[index]!;
      const behind = kind === 'fd' || kind === 'dirfd' ? this.paths.get(Number(BigInt.asIntN(32, args[index]!))) : undefined;
      if (behind !== undefined) {
        this.ring.capture(sequence, index, behind, false);
        continue;
      }
      const captured = captureArgument(row, index, args, result, this.read);
      if (captured !== undefined) this.ring.capture(sequence, index, captured.bytes, captured.truncated);
    }
  }
}
