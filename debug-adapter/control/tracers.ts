/** Installs the tracers of a session and turns what they record into lines as it happens; ready for the views that read the ring itself. */
import { Layout } from '../guest/structure';
import { formatEvent, formatSyscall } from '../trace/decode';
import { NotedEvents } from '../trace/noted-events';
import { EventKind, fsNumber } from '../trace/records';
import { EventRing, type Owner } from '../trace/ring';
import { SyscallRecorder, type TracedCpu } from '../trace/syscall-recorder';
import { type ProbeRegistration } from '../machine/probes';
import { type TraceKind } from './api';
import { type Target } from './target';

export interface Tracers {
  readonly ring: EventRing;
  /** The newest system call of the ring as a line, or an empty text. */
  lastCall(): string;
  /** The guest goes another way from instruction count `moment` on. */
  forgetAfter(moment: number): void;
  close(): void;
}

/**
 * Traces `kinds` on the target; `line` gets one line an event, a system call's when it returns, unless `wanted` says that there are lines enough: the ring
 * has the event all the same. What is replayed was recorded before, and is not again.
 */
export function attachTracers(
  target: Target,
  kinds: readonly TraceKind[],
  line: (text: string) => void,
  wanted: () => boolean = () => true,
): Tracers {
  const ring = new EventRing();
  const { machine } = target;
  const { cpu, clock } = machine;
  const { log } = cpu;
  const noted = log && new NotedEvents(log, ring, (retired) => machine.isReplay(retired));
  if (noted !== undefined) noted.isFollowed = wanted;
  const closers: (() => void)[] = [];
  let recorder: SyscallRecorder | undefined;

  if (kinds.includes('syscalls')) {
    const [symbols] = target.symbolFiles;
    recorder = new SyscallRecorder(sharedProbes(target), () => clock.now(), ring, symbols, noted);
    recorder.onEvent = (sequence, phase, number) => {
      // Reading an event back costs more than recording it.
      if ((phase === 'begin' && !neverReturns(number)) || !wanted()) return;
      const event = ring.read(sequence);
      if (event?.kind === 'syscall') line(formatSyscall(event));
    };
  }
  const owners = new Owners(target);
  const record = (kind: EventKind, number: number, value: bigint, from: bigint, owner?: Owner): void => {
    // Events of all kinds are in the order in which they happened.
    log?.drain();
    if (machine.replaying) return;
    const sequence = ring.head;
    ring.add(kind, number, value, from, cpu.retiredCount, clock.now(), target.pc, owners.thread, owner);
    tell(sequence);
  };
  const tell = (sequence: number): void => {
    const event = wanted() ? ring.read(sequence) : undefined;
    if (event !== undefined) line(formatEvent(event, (address) => target.describe(address)));
  };
  const { hooks } = cpu;
  if (kinds.includes('tls')) {
    const onBase = (from: bigint, to: bigint): void => {
      record(EventKind.segmentBase, fsNumber, to, from, owners.ofBlock(to));
      owners.noteBlock();
    };
    hooks.fsBase = onBase;
    log?.sample(owners.currentThread);
    log?.noteBases(onBase);
    if (noted !== undefined) noted.onBase = tell;
    const observed = owners.watchSwitches((from, to) => record(EventKind.threadSwitch, 0, to, from));
    if (observed !== undefined) closers.push(() => observed.remove());
  }
  if (kinds.includes('extendedState'))
    hooks.extendedState = (kind, address) => record(EventKind.extendedState, kind === 'save' ? 0 : 1, address, 0n, owners.ofArea(address));
  if (kinds.includes('interrupts')) {
    const { interrupt, exception, interruptReturn } = hooks;
    hooks.interrupt = (vector) => {
      record(EventKind.interrupt, vector, 0n, 0n);
      return interrupt?.(vector);
    };
    hooks.exception = (vector, errorCode) => {
      record(EventKind.exception, vector, BigInt(errorCode ?? 0), 0n);
      return exception?.(vector, errorCode);
    };
    hooks.interruptReturn = () => {
      record(EventKind.interruptReturn, 0, 0n, 0n);
      interruptReturn?.();
    };
  }
  return {
    ring,
    lastCall: () => {
      for (let sequence = ring.head - 1; sequence >= ring.tail; sequence--) {
        const event = ring.read(sequence);
        if (event?.kind === 'syscall') return formatSyscall(event);
      }
      return '';
    },
    forgetAfter: (moment) => {
      if (recorder === undefined) ring.forgetAfter(moment);
      else recorder.forgetAfter(moment);
    },
    close: () => {
      recorder?.close();
      noted?.close();
      closers.forEach((close) => close());
    },
  };
}

/** exit, exit_group: their line cannot wait for a return. */
const neverReturns = (number: number): boolean => number === 60 || number === 231;

/** Whose thread-local block or saved registers an address is, by the running thread's control block; reads a word or two of the guest an event. */
class Owners {
  readonly #current: bigint | undefined;
  readonly #layout: Layout | undefined;
  /** Where the thread-local block of a thread is named in its control block. */
  readonly #blockAt: number | undefined;

  constructor(private readonly target: Target) {
    const [kernel] = target.symbolFiles;
    this.#current = kernel?.symbolsNamed('__uk_sched_thread_current')[0]?.address;
    this.#layout = kernel === undefined ? undefined : Layout.of(kernel, 'uk_thread');
    this.#blockAt = this.#layout?.offsetOf('uktlsp');
  }

  /** Where the scheduler says which thread runs. */
  get currentThread(): number | undefined {
    return this.#current === undefined ? undefined : Number(BigInt.asIntN(64, this.#current));
  }

  /** What tells the owners of blocks while this thread runs is noted with each change from now on. */
  noteBlock(): void {
    const { log } = this.target.machine.cpu;
    if (log === undefined) return;
    const thread = Number(BigInt.asIntN(64, this.thread));
    log.setBeside(thread, this.#blockAt === undefined || thread === 0 ? undefined : thread + this.#blockAt);
  }

  /** Address of the running thread's control block, 0 where there is none. */
  get thread(): bigint {
    return this.#current === undefined ? 0n : (this.target.readInteger(this.#current, 8) ?? 0n);
  }

  ofBlock(pointer: bigint): Owner | undefined {
    const own = this.#member(this.#blockAt);
    return own === undefined || own === 0n ? undefined : own === pointer ? 'kernel' : 'application';
  }

  /** A thread's own area is for switches between threads; any other is of a system call on its way in or out. */
  ofArea(address: bigint): Owner | undefined {
    const own = this.#member(this.#layout?.offsetOf('ectx'));
    return own === undefined ? undefined : own === address ? 'kernel' : 'application';
  }

  /** Tells each switch from one thread to another; undefined where the image has no scheduler. The two contexts lie within the control blocks (ctx.S). */
  watchSwitches(told: (from: bigint, to: bigint) => void): ProbeRegistration | undefined {
    const { target } = this;
    const address = target.symbolFiles[0]?.symbolsNamed('ukarch_ctx_switch')[0]?.address;
    const context = this.#layout?.offsetOf('ctx');
    if (address === undefined || context === undefined) return undefined;
    return target.probes.observe(address, () => told(target.register('rdi') - BigInt(context), target.register('rsi') - BigInt(context)));
  }

  #member(offset: number | undefined): bigint | undefined {
    const { thread } = this;
    return offset === undefined || thread === 0n ? undefined : this.target.readInteger(thread + BigInt(offset), 8);
  }
}

/** The processor as a tracer sees it, with its probes in the table that breakpoints use too. */
function sharedProbes(target: Target): TracedCpu {
  const { machine } = target;
  const { cpu } = machine;
  const registrations = new Map<bigint, ProbeRegistration>();
  return {
    get retiredCount() {
      return cpu.retiredCount;
    },
    generalRegisters: cpu.generalRegisters,
    isReplay: (retired) => machine.isReplay(retired),
    hooks: cpu.hooks,
    log: cpu.log,
    readPointer: (linear) => cpu.readPointer(linear),
    readMemory: (linear, length) => cpu.readMemory(linear, length),
    setProbe: (address, probe, _observes, telling) => {
      registrations.get(address)?.remove();
      registrations.delete(address);
      if (probe !== undefined)
        registrations.set(
          address,
          target.probes.observe(address, () => void probe(), telling),
        );
    },
  };
}
