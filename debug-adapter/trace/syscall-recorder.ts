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
  /** See `Cpu.readPointer`: addresses as numbers. */
  readPointer(linear: number): number | undefined;
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
const syscallBytes = 2;
/** Where the general registers hold what. */
const accumulator = 0;
const stackPointer = 4;
const instructionPointer = 16;
/** RDI, RSI, RDX, R10, R8, R9 of the instruction; a direct call has RCX for R10. */
const argumentPlaces: Readonly<Record<SyscallPath, readonly number[]>> = { binary: [7, 6, 2, 10, 8, 9], 'compiled-in': [7, 6, 2, 1, 8, 9] };
/** Calls open at one return address; more are calls that never came back. */
const mostOpenPerSite = 256;

interface OpenCall {
  readonly sequence: number;
  readonly path: SyscallPath;
  readonly row: SyscallRow | undefined;
  readonly plan: Plan;
  /** Empty where nothing is to be looked at once the call returns. */
  readonly args: readonly bigint[];
  readonly thread: number;
  /** RSP that the caller has once the call is over. */
  readonly stack: number;
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

/** Addresses are numbers with a sign here, exact for every canonical one: they are compared and looked up far sooner than big integers. */
const numberOf = (address: bigint): number => Number(BigInt.asIntN(64, address));
const addressOf = (number: number): bigint => BigInt.asUintN(64, BigInt(number));

/** Calls that make a new descriptor of one that is there. */
const duplicating: readonly string[] = ['dup', 'dup2', 'dup3'];

export class SyscallRecorder {
  /** Paths by descriptor, as they were opened. */
  private readonly paths = new Map<number, Uint8Array>();
  /** Open calls by return address; each address that was ever returned to has a probe. */
  private readonly open = new Map<number, OpenCall[]>();
  private readonly plans = new Map<SyscallRow, Plan>();
  /** The general registers in halves. */
  private readonly registers: Int32Array;
  /** Innermost open call by thread. */
  private readonly byThread = new Map<number, OpenCall>();
  private readonly probed: bigint[] = [];
  private readonly currentThread: number | undefined;
  private readonly read: MemoryReader;
  /** The hook that was there before. */
  private readonly before: (() => 'stop' | undefined) | undefined;
  /** Where the newest call began: its hook may come again when the guest was stopped there. */
  private newestStart = -1;
  private newestRip = 0;
  /** Called when a call was recorded, at its beginning and at its end, with its number. */
  onEvent: ((sequence: number, phase: 'begin' | 'end', number: number) => void) | undefined;

  constructor(
    private readonly cpu: TracedCpu,
    private readonly now: () => number,
    private readonly ring: EventRing,
    symbols: TracedSymbols | undefined,
  ) {
    this.read = (address, length) => cpu.readMemory(address, length);
    const { buffer, byteOffset, byteLength } = cpu.generalRegisters;
    this.registers = new Int32Array(buffer, byteOffset, byteLength / 4);
    const current = symbols?.symbolsNamed(currentThreadSymbol)[0]?.address;
    this.currentThread = current === undefined ? undefined : numberOf(current);
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
      const entry = numberOf(symbol.address);
      cpu.setProbe(symbol.address, () => this.onHandler(row, entry));
    }
  }

  /** Takes hooks and probes away. */
  close(): void {
    if (this.before === undefined) delete this.cpu.hooks.syscall;
    else this.cpu.hooks.syscall = this.before;
    for (const address of [...this.probed, ...[...this.open.keys()].map(addressOf)]) this.cpu.setProbe(address, undefined);
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
      const row = syscallByNumber(event.number);
      const call = { sequence, path, row, plan: this.planFor(row), args, thread: numberOf(thread), stack: numberOf(stack) };
      this.follow(call, numberOf(caller));
    }
  }

  private planFor(row: SyscallRow | undefined): Plan {
    if (row === undefined) return noPlan;
    let plan = this.plans.get(row);
    if (plan === undefined) this.plans.set(row, (plan = planOf(row)));
    return plan;
  }

  private thread(): number {
    return this.currentThread === undefined ? 0 : (this.cpu.readPointer(this.currentThread) ?? 0);
  }

  /** A register as a number with its sign. */
  private register(place: number): number {
    const { registers } = this;
    return registers[place * 2 + 1]! * 0x1_0000_0000 + (registers[place * 2]! >>> 0);
  }

  /** A `syscall` instruction is about to run. */
  private onInstruction(): undefined {
    if (this.cpu.replaying === true) return;
    const rip = this.register(instructionPointer);
    const number = this.registers[accumulator]!;
    this.begin('binary', syscallByNumber(number), number, rip, rip + syscallBytes, this.register(stackPointer));
  }

  /** A handler of the shim was entered, by a direct call or from the binary path's dispatcher. */
  private onHandler(row: SyscallRow, rip: number): undefined {
    if (this.cpu.replaying === true) return;
    const outer = this.byThread.size === 0 ? undefined : this.byThread.get(this.thread());
    // The call's own handler, or one system call made by another's handler: one event.
    if (outer?.path === 'binary' && outer.row?.result !== 'never') return;
    const stack = this.register(stackPointer) + 8;
    if (outer !== undefined) {
      // A compiled-in call whose frame is gone was left without a return.
      const abandoned = outer.path === 'compiled-in' && outer.stack < stack;
      if (outer.row?.result === 'never') {
        // Its own handler; whatever comes after that is another thread at the same address.
        this.byThread.delete(outer.thread);
        if (outer.row === row) return;
      } else if (!abandoned) return;
    }
    const returnAddress = this.cpu.readPointer(stack - 8);
    if (returnAddress === undefined) return;
    this.begin('compiled-in', row, row.number, rip, returnAddress, stack);
  }

  private begin(path: SyscallPath, row: SyscallRow | undefined, number: number, rip: number, returnAddress: number, stack: number): void {
    const start = this.cpu.retiredCount;
    if (this.newestStart === start && this.newestRip === rip) return;
    this.newestStart = start;
    this.newestRip = rip;
    const { registers } = this;
    const places = argumentPlaces[path];
    const plan = this.planFor(row);
    const thread = this.thread();
    const sequence = this.ring.beginSyscall(path, number, registers, places, start, this.now(), rip, thread, returnAddress, stack);
    const args = plan.idle ? noArguments : places.map((place) => this.cpu.generalRegisters[place]!);
    const call: OpenCall = { sequence, path, row, plan, args, thread, stack };
    if (plan.before.length > 0) this.capture(call, plan.before, undefined);
    this.onEvent?.(sequence, 'begin', number);
    this.follow(call, returnAddress);
  }

  /** Waits for the call's return. */
  private follow(call: OpenCall, returnAddress: number): void {
    const never = call.row?.result === 'never';
    if (call.path === 'binary' || !never) this.byThread.set(call.thread, call);
    if (never) return;
    let calls = this.open.get(returnAddress);
    if (calls === undefined) {
      const made: OpenCall[] = [];
      this.open.set(returnAddress, (calls = made));
      this.cpu.setProbe(addressOf(returnAddress), () => this.onReturn(made));
    }
    calls.push(call);
    if (calls.length > mostOpenPerSite) calls.shift();
  }

  /** Execution reached an address that some call returns to. */
  private onReturn(calls: OpenCall[]): undefined {
    if (this.cpu.replaying === true || calls.length === 0) return;
    const stack = this.register(stackPointer);
    let index = calls.length - 1;
    while (index >= 0 && calls[index]!.stack !== stack) index--;
    if (index < 0) return;
    const call = calls[index]!;
    if (index === calls.length - 1) calls.pop();
    else calls.splice(index, 1);
    if (this.byThread.get(call.thread) === call) this.byThread.delete(call.thread);
    this.ring.endSyscall(call.sequence, this.registers, this.cpu.retiredCount, this.now());
    const { plan } = call;
    if (!plan.idle) {
      const result = BigInt.asIntN(64, this.cpu.generalRegisters[accumulator]!);
      if (plan.after.length > 0) this.capture(call, plan.after, result);
      if (plan.descriptor) this.noteDescriptor(call, result);
    }
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
