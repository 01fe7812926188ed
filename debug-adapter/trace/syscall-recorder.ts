/** Watches a machine for system calls on both paths of Unikraft's shim, and writes them into the ring. */
import { captureArgument, isCaptured, type MemoryReader } from './capture';
import { type EventRing, type SyscallPath } from './ring';
import { type SyscallRow } from './syscalls/row';
import { syscallByName, syscallRows } from './syscalls/table';

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

/** Calls that make a new descriptor of one that is there. */
const duplicating: readonly string[] = ['dup', 'dup2', 'dup3'];

/** What there is to do for the calls of a number. */
class CallKind {
  /** Indices of arguments to look at before and after the call. */
  readonly before: readonly number[];
  readonly after: readonly number[];
  /** It opens, closes or copies a descriptor. */
  readonly descriptor: boolean;
  /** None of it: the arguments are not looked at. */
  readonly idle: boolean;
  readonly returns: boolean;

  constructor(readonly row: SyscallRow | undefined) {
    const args = row?.args ?? [];
    const followed = [...args.keys()].filter((index) => {
      const { kind, filled } = args[index]!;
      return kind === 'fd' || kind === 'dirfd' || isCaptured(kind, filled);
    });
    this.before = followed.filter((index) => !args[index]!.filled);
    this.after = followed.filter((index) => args[index]!.filled || args[index]!.kind === 'pollfd');
    this.descriptor = row !== undefined && (row.name === 'close' || duplicating.includes(row.name) || row.result === 'fd');
    this.idle = followed.length === 0 && !this.descriptor;
    this.returns = row?.result !== 'never';
  }
}

const noKind = new CallKind(undefined);
const noArguments: readonly bigint[] = [];

/** What is known of a thread that made a call. */
interface Thread {
  /** Its control block, 0 where there is none. */
  readonly address: number;
  /** Its innermost open call. */
  open: OpenCall | undefined;
}

/** A call that has not returned; filled anew for the next one at its place. */
class OpenCall {
  sequence = 0;
  path: SyscallPath = 'binary';
  kind = noKind;
  /** Empty where nothing is to be looked at once the call returns. */
  args = noArguments;
  thread: Thread = { address: 0, open: undefined };
  /** RSP that the caller has once the call is over. */
  stack = 0;
}

/** An address that calls return to, with those that are open, newest last: the first `depth` of the list. */
class Site {
  depth = 0;
  readonly calls: OpenCall[] = [];

  constructor(readonly address: number) {}

  /** A place for one more. */
  push(): OpenCall {
    if (this.depth === mostOpenPerSite) this.remove(0);
    return (this.calls[this.depth++] ??= new OpenCall());
  }

  /** The newest call of a caller whose stack is at `stack`, or -1. */
  indexOf(stack: number): number {
    let index = this.depth - 1;
    while (index >= 0 && this.calls[index]!.stack !== stack) index--;
    return index;
  }

  remove(index: number): void {
    this.depth--;
    if (index < this.depth) this.calls.splice(index, 1);
  }
}

/** Sites found again without a search; a power of two. */
const recentSites = 256;
const recentPlace = (address: number): number => (address ^ (address / 0x100)) & (recentSites - 1);

/** Addresses are numbers with a sign here, exact for every canonical one: they are compared and looked up far sooner than big integers. */
const numberOf = (address: bigint): number => Number(BigInt.asIntN(64, address));
const addressOf = (number: number): bigint => BigInt.asUintN(64, BigInt(number));

export class SyscallRecorder {
  /** Paths by descriptor, as they were opened. */
  private readonly paths = new Map<number, Uint8Array>();
  /** By return address; each address that was ever returned to has a probe. */
  private readonly sites = new Map<number, Site>();
  private readonly recent: (Site | undefined)[] = new Array<Site | undefined>(recentSites).fill(undefined);
  /** By number. */
  private readonly kinds: CallKind[] = [];
  private readonly threads = new Map<number, Thread>();
  /** The one that made the newest call. */
  private newestThread: Thread | undefined;
  /** The general registers in halves. */
  private readonly registers: Int32Array;
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
    for (const row of syscallRows()) this.kinds[row.number] = new CallKind(row);
    for (const symbol of symbols?.searchSymbols(handlerPattern, 1000) ?? []) {
      if (symbol.kind !== 'function') continue;
      const row = syscallByName(symbol.name.slice(handlerPrefix.length));
      if (row === undefined) continue;
      this.probed.push(symbol.address);
      const entry = numberOf(symbol.address);
      cpu.setProbe(symbol.address, () => this.onHandler(row.number, entry));
    }
  }

  /** Takes hooks and probes away. */
  close(): void {
    if (this.before === undefined) delete this.cpu.hooks.syscall;
    else this.cpu.hooks.syscall = this.before;
    for (const address of [...this.probed, ...[...this.sites.keys()].map(addressOf)]) this.cpu.setProbe(address, undefined);
  }

  /** The guest goes another way from instruction count `moment` on: calls that were open then are open again, later ones never were. */
  forgetAfter(moment: number): void {
    this.ring.forgetAfter(moment);
    for (const site of this.sites.values()) site.depth = 0;
    for (const thread of this.threads.values()) thread.open = undefined;
    this.newestStart = -1;
    for (let sequence = this.ring.tail; sequence < this.ring.head; sequence++) {
      const event = this.ring.read(sequence);
      if (event?.kind !== 'syscall' || event.result !== undefined) continue;
      const { path, args, stack, caller } = event;
      const thread = this.threadAt(numberOf(event.thread));
      this.follow(sequence, path, this.kindOf(event.number), args, thread, numberOf(stack), numberOf(caller));
    }
  }

  private kindOf(number: number): CallKind {
    return this.kinds[number] ?? noKind;
  }

  /** The thread that runs. */
  private thread(): Thread {
    const address = this.currentThread === undefined ? 0 : (this.cpu.readPointer(this.currentThread) ?? 0);
    const newest = this.newestThread;
    return newest?.address === address ? newest : (this.newestThread = this.threadAt(address));
  }

  private threadAt(address: number): Thread {
    let thread = this.threads.get(address);
    if (thread === undefined) this.threads.set(address, (thread = { address, open: undefined }));
    return thread;
  }

  private siteAt(address: number): Site {
    const place = recentPlace(address);
    const recent = this.recent[place];
    if (recent?.address === address) return recent;
    let site = this.sites.get(address);
    if (site === undefined) {
      const made = (site = new Site(address));
      this.sites.set(address, made);
      this.cpu.setProbe(addressOf(address), () => this.onReturn(made));
    }
    this.recent[place] = site;
    return site;
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
    this.begin('binary', this.registers[accumulator * 2]!, this.thread(), rip, rip + syscallBytes, this.register(stackPointer));
  }

  /** The handler of call `number` was entered, by a direct call or from the binary path's dispatcher. */
  private onHandler(number: number, rip: number): undefined {
    if (this.cpu.replaying === true) return;
    const thread = this.thread();
    const outer = thread.open;
    // The call's own handler, or one system call made by another's handler: one event.
    if (outer?.path === 'binary' && outer.kind.returns) return;
    const stack = this.register(stackPointer) + 8;
    if (outer !== undefined) {
      // A compiled-in call whose frame is gone was left without a return.
      const abandoned = outer.path === 'compiled-in' && outer.stack < stack;
      if (!outer.kind.returns) {
        // Its own handler; whatever comes after that is another thread at the same address.
        thread.open = undefined;
        if (outer.kind.row?.number === number) return;
      } else if (!abandoned) return;
    }
    const returnAddress = this.cpu.readPointer(stack - 8);
    if (returnAddress === undefined) return;
    this.begin('compiled-in', number, thread, rip, returnAddress, stack);
  }

  private begin(path: SyscallPath, number: number, thread: Thread, rip: number, returnAddress: number, stack: number): void {
    const start = this.cpu.retiredCount;
    if (this.newestStart === start && this.newestRip === rip) return;
    this.newestStart = start;
    this.newestRip = rip;
    const { registers } = this;
    const places = argumentPlaces[path];
    const kind = this.kindOf(number);
    const sequence = this.ring.beginSyscall(path, number, registers, places, start, this.now(), rip, thread.address, returnAddress, stack);
    const args = kind.idle ? noArguments : places.map((place) => this.cpu.generalRegisters[place]!);
    if (kind.before.length > 0) this.capture(sequence, kind, kind.before, args, undefined);
    this.onEvent?.(sequence, 'begin', number);
    this.follow(sequence, path, kind, args, thread, stack, returnAddress);
  }

  /** Waits for the call's return. */
  private follow(
    sequence: number,
    path: SyscallPath,
    kind: CallKind,
    args: readonly bigint[],
    thread: Thread,
    stack: number,
    returnAddress: number,
  ): void {
    const call = kind.returns ? this.siteAt(returnAddress).push() : new OpenCall();
    call.sequence = sequence;
    call.path = path;
    call.kind = kind;
    call.args = args;
    call.thread = thread;
    call.stack = stack;
    // A direct call that never returns has no handler to come.
    if (path === 'binary' || kind.returns) thread.open = call;
  }

  /** Execution reached an address that some call returns to. */
  private onReturn(site: Site): undefined {
    if (site.depth === 0 || this.cpu.replaying === true) return;
    const index = site.indexOf(this.register(stackPointer));
    if (index < 0) return;
    const call = site.calls[index]!;
    site.remove(index);
    const { sequence, kind, args, thread } = call;
    if (thread.open === call) thread.open = undefined;
    this.ring.endSyscall(sequence, this.registers, this.cpu.retiredCount, this.now());
    if (!kind.idle) {
      const result = BigInt.asIntN(64, this.cpu.generalRegisters[accumulator]!);
      if (kind.after.length > 0) this.capture(sequence, kind, kind.after, args, result);
      if (kind.descriptor) this.noteDescriptor(sequence, kind, args, result);
    }
    this.onEvent?.(sequence, 'end', kind.row?.number ?? -1);
  }

  /** Keeps what a descriptor was opened for, until it is closed. */
  private noteDescriptor(sequence: number, { row }: CallKind, args: readonly bigint[], result: bigint): void {
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
  private capture(
    sequence: number,
    { row }: CallKind,
    indices: readonly number[],
    args: readonly bigint[],
    result: bigint | undefined,
  ): void {
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
