/** Installs the tracers of a session and turns what they record into lines as it happens; ready for the views that read the ring itself. */
import { formatEvent, formatSyscall } from '../trace/decode';
import { EventKind, EventRing } from '../trace/ring';
import { SyscallRecorder, type TracedCpu } from '../trace/syscall-recorder';
import { type ProbeRegistration } from '../machine/probes';
import { type TraceKind } from './api';
import { type Target } from './target';

/** FS and GS as the ring numbers segments. */
const segmentNumber = { fs: 4, gs: 5 } as const;

export interface Tracers {
  readonly ring: EventRing;
  close(): void;
}

/** Traces `kinds` on the target; `line` gets one line an event, a system call's when it returns. */
export function attachTracers(target: Target, kinds: readonly TraceKind[], line: (text: string) => void): Tracers {
  const ring = new EventRing();
  const { cpu, clock } = target.machine;
  const closers: (() => void)[] = [];

  if (kinds.includes('syscalls')) {
    const [symbols] = target.symbolFiles;
    const recorder = new SyscallRecorder(sharedProbes(target), () => clock.now(), ring, symbols);
    recorder.onEvent = (sequence, phase) => {
      const event = ring.read(sequence);
      if (event?.kind === 'syscall' && (phase === 'end' || event.result === undefined) && (phase === 'end' || neverReturns(event.number)))
        line(formatSyscall(event));
    };
    closers.push(() => recorder.close());
  }
  const currentThread = target.symbolFiles[0]?.symbolsNamed('__uk_sched_thread_current')[0]?.address;
  const record = (kind: EventKind, number: number, value: bigint, from: bigint): void => {
    const sequence = ring.head;
    const thread = currentThread === undefined ? 0n : (target.readInteger(currentThread, 8) ?? 0n);
    ring.add(kind, number, value, from, cpu.retired, clock.now(), target.pc, thread);
    const event = ring.read(sequence);
    if (event !== undefined) line(formatEvent(event, (address) => target.describe(address)));
  };
  const { hooks } = cpu;
  if (kinds.includes('tls')) {
    hooks.segmentBase = (segment, from, to) => {
      if (segment === 'fs' && from !== to) record(EventKind.segmentBase, segmentNumber[segment], to, from);
    };
  }
  if (kinds.includes('extendedState'))
    hooks.extendedState = (kind, address) => record(EventKind.extendedState, kind === 'save' ? 0 : 1, address, 0n);
  if (kinds.includes('interrupts')) {
    const { interrupt } = hooks;
    hooks.interrupt = (vector) => {
      record(EventKind.interrupt, vector, 0n, 0n);
      return interrupt?.(vector);
    };
  }
  return { ring, close: () => closers.forEach((close) => close()) };
}

/** exit, exit_group: their line cannot wait for a return. */
const neverReturns = (number: number): boolean => number === 60 || number === 231;

/** The processor as a tracer sees it, with its probes in the table that breakpoints use too. */
function sharedProbes(target: Target): TracedCpu {
  const { cpu } = target.machine;
  const registrations = new Map<bigint, ProbeRegistration>();
  return {
    get retired() {
      return cpu.retired;
    },
    hooks: cpu.hooks,
    getRegister: (name) => cpu.getRegister(name),
    readMemory: (linear, length) => cpu.readMemory(linear, length),
    setProbe: (address, probe) => {
      registrations.get(address)?.remove();
      registrations.delete(address);
      if (probe !== undefined) registrations.set(address, target.probes.add(address, probe));
    },
  };
}
