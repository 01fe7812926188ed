/** The guest's threads, as its scheduler has them: read from memory by symbols and DWARF types, whatever the version of Unikraft. */
import { type CompilationUnit, type SymbolFile } from '../symbols/api';
import { type GuestAccess, readPointerVariable } from './access';
import { savedRegisters } from './saved-context';
import { Layout, Structure } from './structure';

export type ThreadState = 'running' | 'runnable' | 'sleeping' | 'blocked' | 'exited' | 'idle';

/** One `struct uk_thread`. Addresses are 0 where the thread has no such thing. */
export interface GuestThread {
  /** Address of its control block: the thread's identity while it lives. */
  readonly address: bigint;
  readonly name: string;
  readonly state: ThreadState;
  /** It is the one that the processor runs. */
  readonly current: boolean;
  /** Names of the flags that are set, as the header has them without their prefix. */
  readonly flags: readonly string[];
  readonly scheduler: bigint;
  /** Where a thread that does not run goes on. */
  readonly ip: bigint;
  readonly sp: bigint;
  readonly auxsp: bigint;
  /** Thread pointer that is active when it goes on, and Unikraft's own. */
  readonly tlsp: bigint;
  readonly uktlsp: bigint;
  /** Area that its extended registers are saved in. */
  readonly ectx: bigint;
  /** Lowest address of its stack, where the scheduler allocated it. */
  readonly stack: bigint;
  readonly auxStack: bigint;
  readonly tlsArea: bigint;
  /** Virtual time at which it is to wake, nanoseconds, or undefined for none. */
  readonly wakeup: bigint | undefined;
  /** Time that it ran so far, nanoseconds. */
  readonly executed: bigint;
}

/** A scheduler's queues: control blocks in the order of their turn. */
export interface SchedulerQueues {
  readonly address: bigint;
  /** Its kind, after its structure. */
  readonly kind: string;
  readonly run: readonly bigint[];
  readonly sleep: readonly bigint[];
  readonly exited: readonly bigint[];
}

export interface ThreadList {
  readonly threads: readonly GuestThread[];
  /** What could not be read, in sentences. */
  readonly notes: readonly string[];
}

/** A list longer than this is taken for a corrupted one. */
const mostThreads = 4096;
const mostSchedulers = 64;

/** Flags of the headers: their names are the same in all versions, their values are not. */
const flagNames = ['ECTX', 'AUXSP', 'UKTLS', 'RUNNABLE', 'EXITED', 'QUEUEABLE'] as const;
/** Values where the image was built without macros (-g2): Unikraft since 0.12, and the starter pool, whose threads have no destructor. */
const upstreamFlags: Readonly<Record<string, bigint>> = { ECTX: 1n, AUXSP: 2n, UKTLS: 4n, RUNNABLE: 8n, EXITED: 16n, QUEUEABLE: 32n };
const poolFlags: Readonly<Record<string, bigint>> = { RUNNABLE: 1n, EXITED: 2n };

/** Reads the threads of one image; keeps what only the symbols decide. */
export class ThreadReader {
  readonly #thread: Layout | undefined;
  readonly #scheduler: Layout | undefined;
  readonly #cooperative: Layout | undefined;
  readonly #flags: ReadonlyMap<string, bigint>;

  constructor(private readonly guest: GuestAccess) {
    const { kernel } = guest;
    this.#thread = Layout.of(kernel, 'uk_thread');
    this.#scheduler = Layout.of(kernel, 'uk_sched');
    this.#cooperative = Layout.of(kernel, 'schedcoop');
    this.#flags = this.#thread === undefined ? new Map() : flagValues(kernel, this.#thread);
  }

  /** Whether the image has a scheduler whose threads can be told apart. */
  get available(): boolean {
    return this.#thread !== undefined && this.guest.kernel.symbolsNamed('__uk_sched_thread_current').length > 0;
  }

  /** The control block of the running thread; undefined before the scheduler runs. */
  current(): bigint | undefined {
    const address = readPointerVariable(this.guest, '__uk_sched_thread_current');
    return address === 0n ? undefined : address;
  }

  /** All threads: the running one first, then by scheduler in the order of their creation, idle threads and exited ones last. */
  list(): ThreadList {
    const notes: string[] = [];
    const threads = new Map<bigint, GuestThread>();
    if (this.#thread === undefined) return { threads: [], notes };
    const current = this.current();
    if (current !== undefined) this.#add(threads, current, current, undefined, notes);
    const seen = new Set<bigint>();
    const late: (() => void)[] = [];
    let scheduler = readPointerVariable(this.guest, 'uk_sched_head') ?? 0n;
    while (scheduler !== 0n && this.#scheduler !== undefined) {
      if (seen.has(scheduler) || seen.size >= mostSchedulers) {
        notes.push(`The list of schedulers does not end: it comes back to 0x${scheduler.toString(16)}.`);
        break;
      }
      seen.add(scheduler);
      const structure = new Structure(this.guest, this.#scheduler, scheduler);
      this.#walk(structure, 'thread_list', current, threads, notes);
      late.push(() => {
        this.#idle(scheduler0, current, threads, notes);
        this.#walk(structure, 'exited_threads', current, threads, notes);
      });
      const scheduler0 = scheduler;
      const next = structure.integer('next');
      if (next === undefined && this.#scheduler.has('next')) notes.push(`The scheduler at 0x${scheduler.toString(16)} cannot be read.`);
      scheduler = next ?? 0n;
    }
    for (const add of late) add();
    return { threads: [...threads.values()], notes };
  }

  /** The queues of every scheduler, where its structure is known: the cooperative one's, and what all have. */
  queues(): readonly SchedulerQueues[] {
    const schedulers: SchedulerQueues[] = [];
    const base = this.#cooperative?.offsetOf('sched');
    let address = readPointerVariable(this.guest, 'uk_sched_head') ?? 0n;
    while (address !== 0n && this.#scheduler !== undefined && schedulers.length < mostSchedulers) {
      const structure = new Structure(this.guest, this.#scheduler, address);
      const cooperative =
        this.#cooperative === undefined || base === undefined
          ? undefined
          : new Structure(this.guest, this.#cooperative, address - BigInt(base));
      schedulers.push({
        address,
        kind: cooperative === undefined ? 'scheduler' : 'cooperative',
        run: cooperative === undefined ? [] : this.#queue(cooperative, 'run_queue', 'queue'),
        sleep: cooperative === undefined ? [] : this.#queue(cooperative, 'sleep_queue', 'queue'),
        exited: this.#queue(structure, 'exited_threads', 'thread_list'),
      });
      const next = structure.integer('next') ?? 0n;
      if (schedulers.some((each) => each.address === next)) break;
      address = next;
    }
    return schedulers;
  }

  /** Control blocks on a list, linked by a member. */
  #queue(owner: Structure, list: string, link: string): bigint[] {
    const found: bigint[] = [];
    let address = owner.integer(`${list}.tqh_first`) ?? 0n;
    while (address !== 0n && this.#thread !== undefined && found.length < mostThreads && !found.includes(address)) {
      found.push(address);
      address = new Structure(this.guest, this.#thread, address).integer(`${link}.tqe_next`) ?? 0n;
    }
    return found;
  }

  /** One thread by its address, or undefined where there is none to read. */
  read(address: bigint): GuestThread | undefined {
    return this.#read(address, this.current(), false);
  }

  /** Registers of a thread that does not run, by DWARF number with the pc under 16. */
  savedRegisters(thread: GuestThread): Map<number, bigint> {
    return savedRegisters(this.guest, thread.ip, thread.sp);
  }

  #walk(scheduler: Structure, list: string, current: bigint | undefined, threads: Map<bigint, GuestThread>, notes: string[]): void {
    const next = this.#thread?.offsetOf('thread_list.tqe_next');
    let address = scheduler.integer(`${list}.tqh_first`) ?? 0n;
    const seen = new Set<bigint>();
    while (address !== 0n && next !== undefined) {
      if (seen.has(address) || seen.size >= mostThreads) {
        notes.push(`The scheduler's list of threads does not end: it comes back to 0x${address.toString(16)}.`);
        return;
      }
      seen.add(address);
      if (!threads.has(address) && !this.#add(threads, address, current, undefined, notes)) return;
      address = new Structure(this.guest, this.#thread!, address).integer('thread_list.tqe_next') ?? 0n;
    }
  }

  /** The idle thread lies inside the cooperative scheduler, or is one of its own. */
  #idle(scheduler: bigint, current: bigint | undefined, threads: Map<bigint, GuestThread>, notes: string[]): void {
    const cooperative = this.#cooperative;
    const inner = cooperative?.place('idle');
    const base = cooperative?.offsetOf('sched');
    if (cooperative === undefined || inner === undefined || base === undefined) return;
    const address = scheduler - BigInt(base) + BigInt(inner.offset);
    // The scheduler's list may hold it too; what matters is that it is known for what it is.
    threads.delete(address);
    this.#add(threads, address, current, 'idle', notes);
  }

  #add(
    threads: Map<bigint, GuestThread>,
    address: bigint,
    current: bigint | undefined,
    role: 'idle' | undefined,
    notes: string[],
  ): boolean {
    const thread = this.#read(address, current, role === 'idle');
    if (thread === undefined) {
      notes.push(`The thread at 0x${address.toString(16)} cannot be read: the list of threads is damaged there.`);
      return false;
    }
    threads.set(address, thread);
    return true;
  }

  #read(address: bigint, current: bigint | undefined, idle: boolean): GuestThread | undefined {
    if (this.#thread === undefined) return undefined;
    const structure = new Structure(this.guest, this.#thread, address);
    const flags = structure.integer('flags');
    const ip = structure.integer('ctx.ip');
    if (flags === undefined || ip === undefined) return undefined;
    const named = [...this.#flags].filter(([, bit]) => (flags & bit) !== 0n).map(([name]) => name);
    const wakeup = structure.integer('wakeup_time') ?? 0n;
    const pointer = (path: string): bigint => structure.integer(path) ?? 0n;
    const isCurrent = address === current;
    return {
      address,
      name: structure.text('name') ?? `thread 0x${address.toString(16)}`,
      state: stateOf(named, isCurrent, idle, wakeup),
      current: isCurrent,
      flags: named,
      scheduler: pointer('sched'),
      ip,
      sp: pointer('ctx.sp'),
      auxsp: pointer('auxsp'),
      tlsp: pointer('tlsp'),
      uktlsp: pointer('uktlsp'),
      ectx: pointer('ectx'),
      stack: pointer('_mem.stack'),
      auxStack: pointer('_mem.auxstack'),
      tlsArea: pointer('_mem.uktls'),
      wakeup: wakeup === 0n ? undefined : wakeup,
      executed: pointer('exec_time'),
    };
  }
}

function stateOf(flags: readonly string[], current: boolean, idle: boolean, wakeup: bigint): ThreadState {
  if (flags.includes('EXITED')) return 'exited';
  if (current) return 'running';
  if (idle) return 'idle';
  if (flags.includes('RUNNABLE')) return 'runnable';
  return wakeup !== 0n ? 'sleeping' : 'blocked';
}

/** Bits of the flags: from the macros where the DWARF has them, else by which layout it is. */
function flagValues(kernel: SymbolFile, thread: Layout): ReadonlyMap<string, bigint> {
  const units = kernel
    .units()
    .filter(({ library }) => /sched/.test(library))
    .slice(0, 8);
  const known = thread.has('dtor') ? upstreamFlags : poolFlags;
  const flags = new Map<string, bigint>();
  for (const name of flagNames) {
    const value = macroValue(kernel, `UK_THREADF_${name}`, units) ?? known[name];
    if (value !== undefined) flags.set(name, value);
  }
  return flags;
}

/** A macro that is a number, in parentheses or not. */
function macroValue(kernel: SymbolFile, name: string, units: readonly CompilationUnit[]): bigint | undefined {
  for (const unit of units) {
    const body = kernel.macroNamed(name, unit)?.body;
    const digits = body === undefined ? null : /^\(?\s*(0x[0-9a-f]+|\d+)[ul]*\s*\)?$/i.exec(body.trim());
    if (digits !== null) return BigInt(digits[1]!);
  }
  return undefined;
}
