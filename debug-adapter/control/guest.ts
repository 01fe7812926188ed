/** The guest's threads as the debugger shows them: small numbers for their addresses, their stacks, what they wait for, and whose TLS is where. */
import { type GuestAccess } from '../guest/access';
import { type AllocatorList, readAllocators } from '../guest/allocators';
import { readTests, type TestSuite } from '../guest/tests';
import { type ExtendedRegister, readExtendedContext } from '../guest/extended-context';
import { Layout, Structure } from '../guest/structure';
import { type GuestThread, type ThreadList, ThreadReader } from '../guest/threads';
import { dwarfRegisterName, type SymbolFile, typeName, type Variable } from '../symbols/api';
import { syscallByNumber } from '../trace/syscalls/table';
import { type SourceLocation, type ThreadInfo } from './api';
import { textOf } from './expr/rows';
import { hex, laneKinds, readLanes, x87Text } from './registers';
import { type Target } from './target';
import { evaluationContext, type StackFrame, walkStack, walkStackFrom } from './unwind';
import { type ValueNode } from './value-node';
import { waitingFor } from './waiting';

/** Id of the processor before threads exist, and then of the first thread. */
const processorThread = 1;
/** Frames looked at to say where a thread stands. */
const framesForPlace = 24;

export interface GuestTlsBlock {
  readonly owner: 'kernel' | 'application';
  readonly pointer: bigint;
  readonly active: boolean;
  readonly base?: bigint;
  readonly size?: number;
}

export interface GuestTlsVariable {
  readonly name: string;
  readonly value: string;
  readonly type: string;
  readonly address: bigint;
}

/** A scheduler's queues: ids of threads in the order of their turn. */
export interface GuestQueues {
  readonly kind: string;
  readonly run: readonly number[];
  readonly sleep: readonly number[];
  readonly exited: readonly number[];
}

/** A thread with what the debugger knows beyond the scheduler. */
export interface GuestThreadDetails {
  readonly id: number;
  readonly thread: GuestThread;
  readonly pc: bigint;
  readonly sp: bigint;
  readonly where?: string;
  readonly location?: SourceLocation;
  readonly syscall?: string;
  /** What it waits for, of a thread that does not run and could not. */
  readonly waitsFor?: string;
  /** What was saved of its extended registers when it was switched away from. */
  readonly extended: readonly ExtendedRegister[];
  readonly tls: readonly GuestTlsBlock[];
}

export class GuestModel {
  readonly #reader: ThreadReader | undefined;
  readonly #access: GuestAccess | undefined;
  #callContext: Layout | undefined;
  readonly #ids = new Map<bigint, number>();
  /** Names by address, of threads that have ended too: recorded events still speak of them. */
  readonly #names = new Map<bigint, string>();

  constructor(private readonly target: Target) {
    const [kernel] = target.symbolFiles;
    if (kernel === undefined) return;
    const access: GuestAccess = {
      kernel,
      readMemory: (address, length) => target.machine.cpu.readMemory(address, length),
      register: (name) => target.register(name),
    };
    this.#access = access;
    const reader = new ThreadReader(access);
    if (reader.available) this.#reader = reader;
    target.threadPointerOf = (file) => this.#threadPointer(file, this.#current());
  }

  /** Threads in the scheduler's order; none where there is no scheduler or it does not run yet. */
  list(): ThreadList {
    const reader = this.#reader;
    if (reader?.current() === undefined) return { threads: [], notes: [] };
    const list = reader.list();
    for (const { address, name } of list.threads) this.#names.set(address, name);
    return list;
  }

  /** The schedulers' queues by the threads' ids. */
  queues(): readonly GuestQueues[] {
    return (this.#reader?.queues() ?? []).map(({ kind, run, sleep, exited }) => {
      const ids = (addresses: readonly bigint[]): number[] => addresses.map((address) => this.#id(address));
      return { kind, run: ids(run), sleep: ids(sleep), exited: ids(exited) };
    });
  }

  allocators(): AllocatorList {
    return this.#access === undefined ? { allocators: [], counted: false } : readAllocators(this.#access);
  }

  /** Results of the tests that are built into the image. */
  tests(): readonly TestSuite[] {
    return this.#access === undefined ? [] : readTests(this.#access);
  }

  /** Numbers, names and states of the threads; none where there are no threads. */
  summaries(): readonly { readonly id: number; readonly name: string; readonly state: GuestThread['state'] }[] {
    return this.list().threads.map(({ address, name, state }) => ({ id: this.#id(address), name, state }));
  }

  /** What a thread that does not run will go on with: registers by DWARF number as far as they were saved, and FS base. Undefined for any other number. */
  savedRegisters(id: number): { readonly registers: ReadonlyMap<number, bigint>; readonly threadPointer: bigint } | undefined {
    const thread = this.#waiting(id);
    if (thread === undefined || this.#reader === undefined) return undefined;
    return { registers: this.#reader.savedRegisters(thread), threadPointer: thread.tlsp };
  }

  /** The protocol's list: the processor where there are no threads. */
  infos(): readonly ThreadInfo[] {
    const { threads } = this.list();
    if (threads.length === 0) return [{ id: processorThread, name: 'CPU 0' }];
    return threads.map((thread) => ({
      id: this.#id(thread.address),
      name: thread.current ? thread.name : `${thread.name} (${thread.state})`,
    }));
  }

  /** Id of the thread that the processor runs. */
  currentId(): number {
    const current = this.#reader?.current();
    return current === undefined ? processorThread : this.#id(current);
  }

  /** How recorded events call a thread. */
  traceThread(address: bigint): { readonly id: number; readonly name: string } {
    if (address === 0n) return { id: processorThread, name: 'CPU 0' };
    if (!this.#names.has(address)) {
      const name = this.#reader?.read(address)?.name;
      if (name !== undefined) this.#names.set(address, name);
    }
    return { id: this.#id(address), name: this.#names.get(address) ?? `thread 0x${address.toString(16)}` };
  }

  /** Frames of a thread, innermost first; of the processor where the id is not that of another thread. */
  frames(id: number, limit?: number): readonly StackFrame[] {
    const thread = this.#waiting(id);
    const frames =
      thread === undefined ? walkStack(this.target, limit) : walkStackFrom(this.target, this.#reader!.savedRegisters(thread), limit);
    let application: bigint | undefined;
    return withBoundaries(frames)
      .slice(0, limit)
      .map((frame) => {
        if (syscallEntry.test(frame.name)) application = this.#interruptedThreadPointer(frame) ?? application;
        const ofProgram = frame.symbols !== undefined && frame.symbols !== this.target.symbolFiles[0];
        const own = ofProgram && application !== undefined ? application : undefined;
        if (own === undefined && thread === undefined) return frame;
        return { ...frame, threadPointer: own ?? this.#threadPointer(frame.symbols, thread) };
      });
  }

  /** The program's thread pointer while the kernel serves its system call: the entry saved it where its stack pointer stood when it called on. */
  #interruptedThreadPointer(entry: StackFrame): bigint | undefined {
    const [kernel] = this.target.symbolFiles;
    const address = entry.registers.get(RSP);
    if (kernel === undefined || address === undefined || entry.origin === 'pc') return undefined;
    this.#callContext ??= Layout.of(kernel, 'uk_syscall_ctx');
    const path = this.#callContext === undefined ? undefined : savedThreadPointers.find((each) => this.#callContext!.has(each));
    if (path === undefined) return undefined;
    const readMemory = (at: bigint, length: number): Uint8Array => this.target.machine.cpu.readMemory(at, length);
    return new Structure({ readMemory }, this.#callContext!, address).integer(path);
  }

  /** All threads with their places. `syscallOf` tells the open system call of a thread, by its address. */
  details(syscallOf: (address: bigint) => string | undefined): {
    readonly threads: readonly GuestThreadDetails[];
    readonly notes: readonly string[];
  } {
    const { threads, notes } = this.list();
    return { threads: threads.map((thread) => this.#describe(thread, syscallOf(thread.address))), notes };
  }

  /** Thread-local variables of a thread's blocks, by the symbol files that describe them. */
  tls(id: number | undefined): readonly (GuestTlsBlock & { readonly variables: readonly GuestTlsVariable[] })[] {
    const thread = this.#threadOf(id) ?? this.#current();
    const blocks =
      thread === undefined ? this.#processorTls() : this.#blocks(thread, this.frames(this.#id(thread.address), framesForPlace));
    return blocks.map((block) => ({
      ...block,
      variables: this.#variables(block),
    }));
  }

  #describe(thread: GuestThread, syscall: string | undefined): GuestThreadDetails {
    const id = this.#id(thread.address);
    const frames = this.frames(id, framesForPlace);
    const [innermost] = frames;
    const place = thread.current ? innermost : (frames.find((frame) => !this.#isScheduling(frame)) ?? innermost);
    const outer = place === undefined ? undefined : frames.slice(frames.indexOf(place) + 1).find(({ origin }) => origin !== 'inlined');
    const waits = thread.state === 'blocked' || thread.state === 'sleeping' ? waitingFor(this.target, frames) : undefined;
    const position = place?.symbolic?.position;
    const location =
      place === undefined ? undefined : position === undefined ? this.target.location(place.lookup) : this.target.present(position);
    return {
      id,
      thread,
      pc: innermost?.pc ?? thread.ip,
      sp: innermost?.registers.get(7) ?? thread.sp,
      tls: this.#blocks(thread, frames),
      extended: this.extendedRegisters(thread),
      ...(waits === undefined ? {} : { waitsFor: waits }),
      ...(place === undefined ? {} : { where: outer === undefined ? place.name : `${place.name} from ${outer.name}` }),
      ...(location === undefined ? {} : { location }),
      ...(syscall === undefined ? {} : { syscall }),
    };
  }

  /** Of a thread that does not run; none of one that has no area of its own. */
  extendedRegisters(thread: GuestThread): readonly ExtendedRegister[] {
    if (thread.current || thread.ectx === 0n || this.#access === undefined || !thread.flags.includes('ECTX')) return [];
    return readExtendedContext(this.#access, thread.ectx);
  }

  /** The same for a thread by its number. */
  extendedRegistersOf(id: number): readonly ExtendedRegister[] {
    const thread = this.#waiting(id);
    return thread === undefined ? [] : this.extendedRegisters(thread);
  }

  /** Frames of the switch itself say nothing about what a thread waits for. */
  #isScheduling(frame: StackFrame): boolean {
    const library = frame.symbols?.unitAt(frame.lookup)?.library ?? '';
    return (
      /^ukarch_|^_ctx_/.test(frame.name) ||
      /^lib(uksched|ukschedcoop)$|^(uksched|ukschedcoop)$/.test(library) ||
      /^uk_(sched|thread)_|^schedcoop_/.test(frame.name)
    );
  }

  /** @param frames of the thread, by which the block of a program is found that the kernel serves just now. */
  #blocks(thread: GuestThread, frames: readonly StackFrame[] = []): GuestTlsBlock[] {
    // The control block of the running thread is stale: FS is what holds.
    const active = thread.current ? this.target.register('fs_base') : thread.tlsp;
    const blocks: GuestTlsBlock[] = [];
    const [kernel] = this.target.symbolFiles;
    if (thread.uktlsp !== 0n) blocks.push(this.#block('kernel', thread.uktlsp, active === thread.uktlsp, kernel));
    const inside = active === 0n || active === thread.uktlsp;
    const entry = inside ? frames.find((frame) => syscallEntry.test(frame.name)) : undefined;
    const own = inside ? (entry === undefined ? undefined : this.#interruptedThreadPointer(entry)) : active;
    if (own !== undefined && own !== 0n && own !== thread.uktlsp)
      blocks.push(this.#block('application', own, !inside, this.target.symbolFiles[1]));
    return blocks;
  }

  #processorTls(): GuestTlsBlock[] {
    const pointer = this.target.register('fs_base');
    return pointer === 0n ? [] : [this.#block('kernel', pointer, true, this.target.symbolFiles[0])];
  }

  #block(owner: GuestTlsBlock['owner'], pointer: bigint, active: boolean, file: SymbolFile | undefined): GuestTlsBlock {
    const base = file === undefined ? undefined : this.target.tlsBlockBase(file, pointer);
    const size = file?.tls()?.size;
    return { owner, pointer, active, ...(base === undefined ? {} : { base }), ...(size === undefined ? {} : { size }) };
  }

  #variables(block: GuestTlsBlock): GuestTlsVariable[] {
    const [kernel, ...programs] = this.target.symbolFiles;
    const files = block.owner === 'kernel' ? (kernel === undefined ? [] : [kernel]) : programs;
    return files.flatMap((file) => {
      const base = this.target.tlsBlockBase(file, block.pointer);
      return base === undefined ? [] : this.#variablesOf(file, base);
    });
  }

  #variablesOf(file: SymbolFile, base: bigint): GuestTlsVariable[] {
    const frame = { lookup: 0n, registers: new Map<number, bigint>(), cfa: undefined, symbols: file };
    const context = { ...evaluationContext(this.target, frame), tlsBase: () => base };
    return file.threadLocals().flatMap((variable: Variable) => {
      const location = file.locate(variable, context);
      if (location.kind !== 'memory') return [];
      const value = textOf(this.target, { type: variable.type, location }, { hex: false }, 0);
      return [{ name: variable.name, value, type: typeName(variable.type), address: location.address }];
    });
  }

  /** Thread pointer for a file's thread-local variables: Unikraft's own block for the kernel, the other one for a program. */
  #threadPointer(file: SymbolFile | undefined, thread: GuestThread | undefined): bigint | undefined {
    if (thread === undefined) return undefined;
    const blocks = this.#blocks(thread);
    const owner = file === this.target.symbolFiles[0] ? 'kernel' : 'application';
    return blocks.find((block) => block.owner === owner)?.pointer;
  }

  #current(): GuestThread | undefined {
    const address = this.#reader?.current();
    return address === undefined ? undefined : this.#reader?.read(address);
  }

  /** The thread of an id, unless the processor runs it. */
  #waiting(id: number): GuestThread | undefined {
    const thread = this.#threadOf(id);
    return thread?.current === false ? thread : undefined;
  }

  #threadOf(id: number | undefined): GuestThread | undefined {
    if (id === undefined) return undefined;
    for (const [address, each] of this.#ids) if (each === id) return this.#reader?.read(address);
    return undefined;
  }

  #id(address: bigint): number {
    let id = this.#ids.get(address);
    if (id === undefined) this.#ids.set(address, (id = this.#ids.size + processorThread));
    return id;
  }
}

/** Where a program's `syscall` instruction enters the kernel. */
const syscallEntry = /^_ukplat_syscall(\+|$)/;
const RAX = 0;
const RSP = 7;
/** Where `struct uk_syscall_ctx` keeps the program's FS base: since Unikraft 0.17, and before. */
const savedThreadPointers: readonly string[] = ['execenv.sysctx.fsbase', 'sysregs.fsbase', 'sysctx.fsbase'];

/** A frame that is only a label goes between the kernel's entry and the code that made the system call or was interrupted. */
function withBoundaries(frames: readonly StackFrame[]): readonly StackFrame[] {
  return frames.flatMap((frame, index) => {
    const caller = frames[index + 1];
    const text = caller === undefined ? undefined : boundary(frame, caller);
    if (caller === undefined || text === undefined) return [frame];
    const origin = syscallEntry.test(frame.name) ? 'syscall' : 'interrupt';
    return [frame, { ...caller, name: text, origin, symbols: undefined, symbolic: undefined, physical: undefined }];
  });
}

/** What lies between a frame and its caller, where that is not a call. */
function boundary(frame: StackFrame, caller: StackFrame): string | undefined {
  if (syscallEntry.test(frame.name)) {
    // The entry's call frame information gives the number back where it was in RAX.
    const number = caller.registers.get(RAX);
    const row = number === undefined ? undefined : syscallByNumber(Number(BigInt.asIntN(32, number)));
    return `system call${row === undefined ? '' : `: ${row.name}`}`;
  }
  if (frame.origin === 'inlined' || frame.physical?.caller?.exact !== true) return undefined;
  const [, kind, which] = /^(cpu_irq|asm_trap)_(\w+)/.exec(frame.name) ?? [];
  if (which === undefined) return 'interrupt';
  return kind === 'cpu_irq' ? `interrupt: IRQ ${which}` : `exception: ${which.replaceAll('_', ' ')}`;
}

/** Registers of a frame of a thread that does not run, as far as they were saved. @param extended what the switch saved besides. */
export function savedRegisterNodes(target: Target, frame: StackFrame, extended: readonly ExtendedRegister[]): readonly ValueNode[] {
  const general = [...frame.registers]
    .sort(([a], [b]) => a - b)
    .flatMap(([number, value]) => {
      const name = dwarfRegisterName(number);
      if (name === undefined) return [];
      const text = `0x${value.toString(16).padStart(16, '0')}`;
      const known = target.symbolsAt(value)?.symbolAt(value) !== undefined;
      const node: ValueNode = { name, text: known ? `${text} <${target.describe(value)}>` : text, type: 'unsigned long' };
      return [node];
    });
  return [...general, ...extended.map((register) => savedNode(register))];
}

/** An extended register as its group shows it, with a vector's lanes. */
function savedNode({ name, bytes }: ExtendedRegister): ValueNode {
  const whole = bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
  const text = hex(whole, bytes.length * 8);
  if (bytes.length === 10) return { name, text: `${x87Text(bytes)} [${text}]`, type: 'long double' };
  if (bytes.length < 16) return { name, text, type: `uint${bytes.length * 8}_t` };
  const children = (): readonly ValueNode[] =>
    laneKinds.map((kind) => ({ name: kind.name, text: `{${readLanes(bytes, kind, false).join(', ')}}`, type: kind.name }));
  return { name, text, type: 'uint128_t', named: laneKinds.length, children };
}
