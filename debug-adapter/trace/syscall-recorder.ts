/** Watches a machine for system calls on both paths of Unikraft's shim, and writes them into the ring. */
import { captureArgument, type MemoryReader } from './capture';
import { type EventRing, type SyscallPath } from './ring';
import { type SyscallRow } from './syscalls/row';
import { syscallByName, syscallByNumber } from './syscalls/table';

/** What the recorder needs of a processor. */
export interface TracedCpu {
  readonly retired: bigint;
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
const binaryRegisters = ['rdi', 'rsi', 'rdx', 'r10', 'r8', 'r9'] as const;
const callRegisters = ['rdi', 'rsi', 'rdx', 'rcx', 'r8', 'r9'] as const;
/** Calls open at one return address; more are calls that never came back. */
const mostOpenPerSite = 256;

interface OpenCall {
  readonly sequence: number;
  readonly path: SyscallPath;
  readonly row: SyscallRow | undefined;
  readonly args: readonly bigint[];
  readonly thread: bigint;
  /** RSP that the caller has once the call is over. */
  readonly stack: bigint;
}

/** Calls that make a new descriptor of one that is there. */
const duplicating: readonly string[] = ['dup', 'dup2', 'dup3'];

export class SyscallRecorder {
  /** Paths by descriptor, as they were opened. */
  private readonly paths = new Map<number, Uint8Array>();
  /** Open calls by return address. */
  private readonly open = new Map<bigint, OpenCall[]>();
  /** Return addresses with a probe. */
  private readonly returns = new Set<bigint>();
  /** Innermost open call by thread. */
  private readonly byThread = new Map<bigint, OpenCall>();
  private readonly probed: bigint[] = [];
  private readonly currentThread: bigint | undefined;
  private readonly read: MemoryReader;
  /** The hook that was there before. */
  private readonly before: (() => 'stop' | undefined) | undefined;
  /** Where the newest call began: its hook may come again when the guest was stopped there. */
  private newest: { readonly start: bigint; readonly rip: bigint } | undefined;
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
    for (const address of [...this.probed, ...this.returns]) this.cpu.setProbe(address, undefined);
  }

  /** The guest goes another way from instruction count `moment` on: calls that were open then are open again, later ones never were. */
  forgetAfter(moment: bigint): void {
    this.ring.forgetAfter(moment);
    this.open.clear();
    this.byThread.clear();
    this.newest = undefined;
    for (let sequence = this.ring.tail; sequence < this.ring.head; sequence++) {
      const event = this.ring.read(sequence);
      if (event?.kind !== 'syscall' || event.result !== undefined) continue;
      const { path, args, thread, stack, caller } = event;
      this.follow({ sequence, path, row: syscallByNumber(event.number), args, thread, stack }, caller);
    }
  }

  private register(name: string): bigint {
    return this.cpu.getRegister(name) ?? 0n;
  }

  private thread(): bigint {
    if (this.currentThread === undefined) return 0n;
    const bytes = this.read(this.currentThread, 8);
    return bytes.length < 8 ? 0n : new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  }

  /** A `syscall` instruction is about to run. */
  private onInstruction(): undefined {
    if (this.cpu.replaying === true) return;
    const rip = this.register('rip');
    const row = syscallByNumber(Number(BigInt.asIntN(32, this.register('rax'))));
    const number = row?.number ?? Number(BigInt.asIntN(32, this.register('rax')));
    this.begin('binary', row, number, binaryRegisters, rip, rip + syscallBytes, this.register('rsp'));
  }

  /** A handler of the shim was entered, by a direct call or from the binary path's dispatcher. */
  private onHandler(row: SyscallRow, rip: bigint): undefined {
    if (this.cpu.replaying === true) return;
    const stack = this.register('rsp') + 8n;
    const outer = this.byThread.get(this.thread());
    if (outer !== undefined) {
      // The call's own handler, or one system call made by another's handler: one event. A compiled-in call whose frame is gone was left without a return.
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
    this.begin('compiled-in', row, row.number, callRegisters, rip, returnAddress, stack);
  }

  private begin(
    path: SyscallPath,
    row: SyscallRow | undefined,
    number: number,
    registers: readonly string[],
    rip: bigint,
    returnAddress: bigint,
    stack: bigint,
  ): void {
    const start = this.cpu.retired;
    if (this.newest?.start === start && this.newest.rip === rip) return;
    this.newest = { start, rip };
    const args = registers.map((name) => this.register(name));
    const thread = this.thread();
    const sequence = this.ring.beginSyscall(path, number, args, start, this.now(), rip, thread, returnAddress, stack);
    const call: OpenCall = { sequence, path, row, args, thread, stack };
    this.capture(call, undefined);
    this.onEvent?.(sequence, 'begin', number);
    this.follow(call, returnAddress);
  }

  /** Waits for the call's return. */
  private follow(call: OpenCall, returnAddress: bigint): void {
    const never = call.row?.result === 'never';
    if (call.path === 'binary' || !never) this.byThread.set(call.thread, call);
    if (never) return;
    let calls = this.open.get(returnAddress);
    if (calls === undefined) this.open.set(returnAddress, (calls = []));
    if (!this.returns.has(returnAddress)) {
      this.returns.add(returnAddress);
      this.cpu.setProbe(returnAddress, () => this.onReturn(returnAddress));
    }
    calls.push(call);
    if (calls.length > mostOpenPerSite) calls.shift();
  }

  /** Execution reached an address that some call returns to. */
  private onReturn(address: bigint): undefined {
    if (this.cpu.replaying === true) return;
    const calls = this.open.get(address);
    if (calls === undefined || calls.length === 0) return;
    const stack = this.register('rsp');
    const index = calls.findLastIndex((call) => call.stack === stack);
    if (index < 0) return;
    const [call] = calls.splice(index, 1);
    if (this.byThread.get(call!.thread) === call) this.byThread.delete(call!.thread);
    const result = this.register('rax');
    this.ring.endSyscall(call!.sequence, result, this.cpu.retired, this.now());
    this.capture(call!, BigInt.asIntN(64, result));
    this.noteDescriptor(call!, BigInt.asIntN(64, result));
    this.onEvent?.(call!.sequence, 'end', call!.row?.number ?? -1);
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
  private capture(call: OpenCall, result: bigint | undefined): void {
    if (call.row === undefined) return;
    call.row.args.forEach((argument, index) => {
      if (argument.filled !== (result !== undefined) && !(argument.kind === 'pollfd' && result !== undefined)) return;
      const behind =
        argument.kind === 'fd' || argument.kind === 'dirfd' ? this.paths.get(Number(BigInt.asIntN(32, call.args[index]!))) : undefined;
      if (behind !== undefined) return this.ring.capture(call.sequence, index, behind, false);
      const captured = captureArgument(call.row!, index, call.args, result, this.read);
      if (captured !== undefined) this.ring.capture(call.sequence, index, captured.bytes, captured.truncated);
    });
  }
}
