/** Watches a machine for system calls on both paths of Unikraft's shim, and writes them into the ring. */
import { type Capture, readBlock } from './arena';
import { captureArgument, type Followed, followedArgument, type MemoryReader } from './capture';
import { Descriptors } from './descriptors';
import { type NotedBlocks, type NotedCalls, type NotedEvents, type NotedLog } from './noted-events';
import { argumentsOf } from './packed';
import { argumentCount, notedAfter, notedBefore, RecordField, recordBytes, wholeCall } from './records';
import { type EventRing, type Phase, type SyscallPath } from './ring';
import { type SyscallArgument, type SyscallRow } from './syscalls/row';
import { syscallByName, syscallRows } from './syscalls/table';

/** What the processor copies by itself. */
type NotedArgument = Followed & { readonly kind: 'string' | 'bytes' | 'vector' };
interface NotedKind {
  readonly before: readonly NotedArgument[];
  readonly after: readonly NotedArgument[];
  readonly arguments: number;
  readonly isMarked: boolean;
}

type SyscallHook = (() => 'stop' | undefined) | undefined;

/** See `EventLog` of the processor: what it notes of calls and returns by itself, to be read later. */
export interface TracedLog extends NotedLog {
  sample(linear: number | undefined): void;
  noteCalls(hook: SyscallHook, follow: (number: number) => NotedKind | undefined): void;
  readMemory(linear: bigint, length: number): Uint8Array;
  slot(): number;
  setAwaited(slot: number, awaited: boolean, atOnce: boolean): void;
  settleInside(sample: number): void;
  settleOutside(): void;
}

/** What the recorder needs of a processor. */
export interface TracedCpu {
  readonly retiredCount: number;
  /** See `Cpu.generalRegisters`. */
  readonly generalRegisters: BigUint64Array;
  readonly hooks: { syscall?: SyscallHook };
  readonly log?: TracedLog | undefined;
  /** See `Cpu.readPointer`: addresses as numbers. */
  readPointer(linear: number): number | undefined;
  readMemory(linear: bigint, length: number): Uint8Array;
  setProbe(address: bigint, probe: SyscallHook, observes?: boolean, telling?: number): void;
  /** What happens at so many retired instructions has happened before and is recorded already. */
  isReplay?(retired: number): boolean;
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
/** First word of the record of a call that is open (see `wholeCall`). */
const openCall = 1;
/** Length of the `syscall` instruction. */
const syscallBytes = 2;
/** `Telling` of a handler's probe: of no interest while its thread is inside a call by the instruction. */
const unlessInside = 2;
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
  /** What to keep of memory before and after the call. */
  readonly before: readonly Followed[];
  readonly after: readonly Followed[];
  /** Indices of arguments that are descriptors. */
  readonly descriptors: readonly number[];
  /** It opens, closes or copies a descriptor. */
  readonly changesDescriptors: boolean;
  /** The arguments are not looked at once the call is over. */
  readonly idle: boolean;
  readonly returns: boolean;

  constructor(readonly row: SyscallRow | undefined) {
    const args = row?.args ?? [];
    const indices = [...args.keys()];
    const followed = (which: (argument: SyscallArgument) => boolean): readonly Followed[] =>
      row === undefined ? [] : indices.flatMap((index) => (which(args[index]!) ? (followedArgument(row, index) ?? []) : []));
    this.before = followed(({ filled }) => !filled);
    this.after = followed(({ filled, kind }) => filled || kind === 'pollfd');
    this.descriptors = indices.filter((index) => args[index]!.kind === 'fd' || args[index]!.kind === 'dirfd');
    this.changesDescriptors = row !== undefined && (row.name === 'close' || duplicating.includes(row.name) || row.result === 'fd');
    this.idle = this.after.length === 0 && !this.changesDescriptors;
    this.returns = row?.result !== 'never';
  }

  /** What the processor may do by itself; undefined where it has to tell of such a call at once. */
  get noted(): NotedKind | undefined {
    const { before, after, returns, changesDescriptors: isMarked, row } = this;
    if (!returns || !before.every(isNoted) || !after.every(isNoted)) return undefined;
    return { before, after, arguments: row === undefined ? argumentCount : argumentsOf(row.number), isMarked };
  }
}

const isNoted = (followed: Followed): followed is NotedArgument => followed.kind !== 'strings';

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
  /** Open calls after which memory is looked at: their returns must be told at once. */
  private lookedAt = 0;
  /** Of the log; 0 where there is none. */
  slot = 0;

  constructor(
    readonly address: number,
    private readonly log: TracedLog | undefined,
  ) {}

  get isFull(): boolean {
    return this.depth === mostOpenPerSite;
  }

  /** A place for one more. */
  push(kind: CallKind): OpenCall {
    if (this.isFull) this.remove(0);
    if (kind.after.length > 0) this.lookedAt++;
    const call = (this.calls[this.depth++] ??= new OpenCall());
    this.settle();
    return call;
  }

  /** The newest call of a caller whose stack is at `stack`, or -1. */
  indexOf(stack: number): number {
    let index = this.depth - 1;
    while (index >= 0 && this.calls[index]!.stack !== stack) index--;
    return index;
  }

  remove(index: number): void {
    if (this.calls[index]!.kind.after.length > 0) this.lookedAt--;
    this.depth--;
    this.settle();
    // The place that is free goes behind those in use.
    if (index < this.depth) this.calls.splice(this.depth, 0, ...this.calls.splice(index, 1));
  }

  clear(): void {
    this.depth = 0;
    this.lookedAt = 0;
    this.settle();
  }

  private settle(): void {
    this.log?.setAwaited(this.slot, this.depth > 0, this.lookedAt > 0);
  }
}

/** Sites found again without a search; a power of two. */
const recentSites = 256;
const recentPlace = (address: number): number => (address ^ (address / 0x100)) & (recentSites - 1);

/** Addresses are numbers with a sign here, exact for every canonical one: they are compared and looked up far sooner than big integers. */
const numberOf = (address: bigint): number => Number(BigInt.asIntN(64, address));
const addressOf = (number: number): bigint => BigInt.asUintN(64, BigInt(number));

export class SyscallRecorder implements NotedCalls {
  private readonly descriptors: Descriptors;
  /** By return address; each address that was ever returned to has a probe. */
  private readonly sites = new Map<number, Site>();
  /** The same by slot of the log. */
  private readonly bySlot: (Site | undefined)[] = [];
  /** How many of them have room for no more open calls. */
  private fullSites = 0;
  private readonly recent: (Site | undefined)[] = new Array<Site | undefined>(recentSites).fill(undefined);
  /** By number. */
  private readonly kinds: CallKind[] = [];
  readonly marked: Uint8Array;
  private readonly threads = new Map<number, Thread>();
  /** The one that made the newest call. */
  private newestThread: Thread | undefined;
  /** Memory in halves of 64-bit words, and which word of it is RAX. */
  private readonly words: Int32Array;
  private readonly live: number;
  private readonly log: TracedLog | undefined;
  private readonly probed: bigint[] = [];
  private readonly currentThread: number | undefined;
  private readonly read: MemoryReader;
  /** The hook that was there before. */
  private readonly before: (() => 'stop' | undefined) | undefined;
  /** Where the newest call began: its hook may come again when the guest was stopped there. */
  private newestStart = -1;
  private newestRip = 0;
  /** Where a return was seen last: its probe may be told again. */
  private newestReturn = -1;
  /** Called when a call was recorded, at its beginning and at its end, or once if it was over before anything else happened; with its number. */
  onEvent: ((sequence: number, phase: 'begin' | 'end' | 'whole', number: number) => void) | undefined;

  constructor(
    private readonly cpu: TracedCpu,
    /** Virtual time, nanoseconds. */
    private readonly now: () => number,
    private readonly ring: EventRing,
    symbols: TracedSymbols | undefined,
    /** What the processor notes by itself; without it, all is told at once. */
    private readonly noted?: NotedEvents,
  ) {
    this.descriptors = new Descriptors(() => ring.oldestStart);
    ring.descriptors = {
      of: (number) => this.kindOf(number).descriptors,
      at: (descriptor, moment) => this.descriptors.at(descriptor, moment),
    };
    const { buffer, byteOffset } = cpu.generalRegisters;
    this.words = new Int32Array(buffer);
    this.live = byteOffset >> 3;
    const current = symbols?.symbolsNamed(currentThreadSymbol)[0]?.address;
    this.currentThread = current === undefined ? undefined : numberOf(current);
    const before = (this.before = cpu.hooks.syscall);
    const hook = (): 'stop' | undefined => {
      const verdict = before?.();
      this.onInstruction();
      return verdict;
    };
    cpu.hooks.syscall = hook;
    for (const row of syscallRows()) this.kinds[row.number] = new CallKind(row);
    this.marked = Uint8Array.from(this.kinds, (kind: CallKind | undefined) => (kind?.changesDescriptors === true ? 1 : 0));
    const log = (this.log = before === undefined && noted !== undefined ? cpu.log : undefined);
    this.read = (address, length) => (log ?? cpu).readMemory(address, length);
    if (log !== undefined) noted!.calls = this;
    log?.sample(this.currentThread);
    log?.noteCalls(hook, (number) => this.kindOf(number).noted);
    for (const symbol of symbols?.searchSymbols(handlerPattern, 1000) ?? []) {
      if (symbol.kind !== 'function') continue;
      const row = syscallByName(symbol.name.slice(handlerPrefix.length));
      if (row === undefined) continue;
      this.probed.push(symbol.address);
      const entry = numberOf(symbol.address);
      cpu.setProbe(symbol.address, () => this.onHandler(row.number, entry), true, log === undefined ? undefined : unlessInside);
    }
  }

  /** Takes hooks and probes away. */
  close(): void {
    this.log?.drain();
    this.log?.sample(undefined);
    if (this.before === undefined) delete this.cpu.hooks.syscall;
    else this.cpu.hooks.syscall = this.before;
    for (const address of [...this.probed, ...[...this.sites.keys()].map(addressOf)]) this.cpu.setProbe(address, undefined);
  }

  /** The guest goes another way from instruction count `moment` on: calls that were open then are open again, later ones never were. */
  forgetAfter(moment: number): void {
    this.log?.drain();
    this.log?.settleOutside();
    this.ring.forgetAfter(moment);
    this.descriptors.forgetAfter(moment);
    for (const site of this.sites.values()) site.clear();
    this.fullSites = 0;
    for (const thread of this.threads.values()) thread.open = undefined;
    this.newestStart = -1;
    this.newestReturn = -1;
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
    return this.threadOf(this.currentThread === undefined ? 0 : (this.cpu.readPointer(this.currentThread) ?? 0));
  }

  private threadOf(address: number): Thread {
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
      const { log } = this;
      const made = (site = new Site(address, log));
      this.sites.set(address, made);
      if (log !== undefined) {
        made.slot = log.slot();
        this.bySlot[made.slot] = made;
      }
      this.cpu.setProbe(addressOf(address), () => this.onReturn(made), true, log === undefined ? undefined : made.slot);
    }
    this.recent[place] = site;
    return site;
  }

  /** A word of memory as a number with its sign. */
  private word(place: number): number {
    const { words } = this;
    return words[place * 2 + 1]! * 0x1_0000_0000 + (words[place * 2]! >>> 0);
  }

  private register(place: number): number {
    return this.word(this.live + place);
  }

  private isReplay(retired: number): boolean {
    return this.cpu.isReplay?.(retired) === true;
  }

  /** A `syscall` instruction is about to run. */
  private onInstruction(): undefined {
    this.log?.drain();
    const { retiredCount } = this.cpu;
    if (this.isReplay(retiredCount)) return;
    const rip = this.register(instructionPointer);
    const number = this.words[(this.live + accumulator) * 2]!;
    const thread = this.thread();
    this.begin('binary', number, thread, rip, rip + syscallBytes, this.register(stackPointer), retiredCount);
    if (this.kindOf(number).returns) this.log?.settleInside(thread.address);
    else this.log?.settleOutside();
  }

  call(at: number, { before, after }: NotedBlocks): void {
    const { words } = this;
    const noted = this.noted!;
    const [start, rip, stack] = [
      noted.number(at, RecordField.startInstruction),
      noted.number(at, RecordField.rip),
      noted.number(at, RecordField.stack),
    ];
    const returnAddress = noted.number(at, RecordField.caller);
    const isOver = (words[at >> 2]! & ~(notedBefore | notedAfter)) === wholeCall;
    if (!this.isReplay(start) && this.isNew(start, rip)) {
      const number = words[(at + RecordField.number) >> 2]!;
      const kind = this.kindOf(number);
      words[at >> 2] = openCall;
      const sequence = this.ring.append(words, at >> 2, 1);
      if (before !== 0) this.ring.captureBlock(sequence, 'before', words, before);
      this.onEvent?.(sequence, 'begin', number);
      const thread = this.threadOf(noted.number(at, RecordField.thread));
      this.follow(sequence, 'binary', kind, kind.idle ? noArguments : this.argumentsAt(at), thread, stack, returnAddress);
    }
    if (isOver)
      this.end(
        this.siteAt(returnAddress),
        stack,
        noted.number(at, RecordField.endInstruction),
        noted.number(at, RecordField.endTime),
        at + RecordField.result,
        after,
      );
  }

  /** The arguments of the record of a call. */
  private argumentsAt(at: number): readonly bigint[] {
    const { words } = this;
    return argumentPlaces.binary.map((_, index) => {
      const place = (at + RecordField.args + index * 8) >> 2;
      return (BigInt(words[place + 1]! >>> 0) << 32n) | BigInt(words[place]! >>> 0);
    });
  }

  pass(at: number): void {
    const noted = this.noted!;
    const site = this.bySlot[this.words[(at + RecordField.number) >> 2]!]!;
    const [retired, time] = [noted.number(at, RecordField.startInstruction), noted.number(at, RecordField.startTime)];
    if (site.depth > 0) this.end(site, noted.number(at, RecordField.stack), retired, time, at + RecordField.result);
  }

  isSingle(start: number, rip: number): boolean {
    // Where calls were left open over and over, and where the hook was told of one before the guest was stopped there.
    return this.fullSites > 0 || (this.newestStart === start && this.newestRip === rip);
  }

  wholeCalls(at: number, sequence: number, count: number, open: boolean): void {
    const noted = this.noted!;
    const last = at + (count - 1) * recordBytes;
    for (let record = at, event = sequence; record <= last; record += recordBytes, event++) {
      this.returned(noted.number(record, RecordField.thread));
      if (record < last || !open) this.finished(record, event, 'whole');
      else this.onEvent?.(event, 'begin', this.words[(record + RecordField.number) >> 2]!);
    }
    this.reached(
      noted.number(last, RecordField.startInstruction),
      noted.number(last, RecordField.rip),
      noted.number(last, RecordField.endInstruction),
    );
  }

  returned(thread: number): void {
    this.threadOf(thread).open = undefined;
  }

  reached(start: number, rip: number, end: number): void {
    this.newestStart = start;
    this.newestRip = rip;
    this.newestReturn = end;
  }

  ended(at: number, sequence: number, before: number): void {
    this.finished(at, sequence, 'end', before);
  }

  /** The call of the record at `at` is over. @param before see `NotedCalls.ended` */
  private finished(at: number, sequence: number, phase: 'end' | 'whole', before = 0): void {
    const { words } = this;
    const number = words[(at + RecordField.number) >> 2]!;
    const kind = this.kindOf(number);
    if (kind.changesDescriptors) {
      const result = this.word((at + RecordField.result) >> 3);
      if (result >= 0)
        this.noteDescriptor(sequence, kind, this.argumentsAt(at), result, this.noted!.number(at, RecordField.endInstruction), before);
    }
    this.onEvent?.(sequence, phase, number);
  }

  /** The handler of call `number` was entered, by a direct call or from the binary path's dispatcher. */
  private onHandler(number: number, rip: number): undefined {
    this.log?.drain();
    const { retiredCount } = this.cpu;
    if (this.isReplay(retiredCount)) return;
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
    this.begin('compiled-in', number, thread, rip, returnAddress, stack, retiredCount);
    this.log?.settleOutside();
  }

  private begin(path: SyscallPath, number: number, thread: Thread, rip: number, returnAddress: number, stack: number, start: number): void {
    if (!this.isNew(start, rip)) return;
    const places = argumentPlaces[path];
    const kind = this.kindOf(number);
    const { words, live } = this;
    const time = this.now();
    const sequence = this.ring.beginSyscall(path, number, words, places, start, time, rip, thread.address, returnAddress, stack, live);
    const looksAt = kind.before.length > 0 || !kind.idle;
    const args = looksAt ? places.map((place) => this.cpu.generalRegisters[place]!) : noArguments;
    if (kind.before.length > 0) this.capture(sequence, 'before', kind.before, args, undefined);
    this.onEvent?.(sequence, 'begin', number);
    this.follow(sequence, path, kind, args, thread, stack, returnAddress);
  }

  /** Is this not the call that was begun last? */
  private isNew(start: number, rip: number): boolean {
    if (this.newestStart === start && this.newestRip === rip) return false;
    this.newestStart = start;
    this.newestRip = rip;
    return true;
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
    const site = kind.returns ? this.siteAt(returnAddress) : undefined;
    if (site?.isFull === true) this.fullSites--;
    const call = site?.push(kind) ?? new OpenCall();
    if (site?.isFull === true) this.fullSites++;
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
    this.log?.drain();
    this.log?.settleOutside();
    if (site.depth === 0) return;
    const place = (this.live + accumulator) * 8;
    this.end(site, this.register(stackPointer), this.cpu.retiredCount, this.now(), place);
  }

  /**
   * @param result where the result is, in bytes.
   * @param block where what came out was noted, if it was.
   */
  private end(site: Site, stack: number, retired: number, time: number, result: number, block = 0): void {
    if (this.newestReturn === retired || this.isReplay(retired)) return;
    const index = site.indexOf(stack);
    if (index < 0) return;
    this.newestReturn = retired;
    const call = site.calls[index]!;
    if (site.isFull) this.fullSites--;
    site.remove(index);
    const { sequence, kind, args, thread } = call;
    if (thread.open === call) thread.open = undefined;
    this.ring.endSyscall(sequence, this.words, retired, time, result >> 3);
    if (block !== 0) this.ring.captureBlock(sequence, 'after', this.words, block);
    else if (kind.after.length > 0)
      this.capture(sequence, 'after', kind.after, args, BigInt.asIntN(64, this.cpu.generalRegisters[accumulator]!));
    if (kind.changesDescriptors) this.noteDescriptor(sequence, kind, args, this.word(result >> 3), retired);
    this.onEvent?.(sequence, 'end', kind.row?.number ?? -1);
  }

  /** Keeps what a descriptor was opened for, until it is closed. @param before see `NotedCalls.ended` */
  private noteDescriptor(sequence: number, { row }: CallKind, args: readonly bigint[], result: number, moment: number, before = 0): void {
    if (row === undefined || result < 0) return;
    const { descriptors } = this;
    const first = descriptorOf(args[0] ?? 0n);
    if (row.name === 'close') descriptors.set(first, moment, undefined);
    else if (duplicating.includes(row.name)) descriptors.set(result, moment, descriptors.at(first, moment));
    else if (row.result === 'fd') {
      const index = row.args.findIndex(({ kind }) => kind === 'path');
      const path = index < 0 ? new TextEncoder().encode(`${row.name}:[${result}]`) : this.captured(sequence, index, before)?.bytes;
      if (path !== undefined) descriptors.set(result, moment, path);
    }
  }

  private captured(sequence: number, index: number, before: number): Capture | undefined {
    if (before === 0) return this.ring.captured(sequence, index);
    const captures: (Capture | undefined)[] = [];
    readBlock(this.words, this.log!.bytes, before, captures);
    return captures[index];
  }

  /** Keeps what arguments point to: before the call what goes in, after it what came out. */
  private capture(sequence: number, phase: Phase, list: readonly Followed[], args: readonly bigint[], result: bigint | undefined): void {
    const captured = list.flatMap((followed) => {
      const capture = captureArgument(followed, args, result, this.read);
      return capture === undefined ? [] : { index: followed.index, ...capture };
    });
    this.ring.capture(sequence, phase, captured);
  }
}

const descriptorOf = (argument: bigint): number => Number(BigInt.asIntN(32, argument));
