/** `--trace`: hooks of the machine to lines of text, written between slices. */
import { type Bus, type BusAccess } from '../../debug-adapter/machine/bus';
import { type PcMachine } from '../../debug-adapter/machine/machine';
import { ThreadReader } from '../../debug-adapter/guest/threads';
import { type SymbolFile } from '../../debug-adapter/symbols/api';
import { formatEvent } from '../../debug-adapter/trace/decode';
import { ChromeWriter } from '../../debug-adapter/trace/export/chrome';
import { toCounts } from '../../debug-adapter/trace/export/counts';
import { StraceWriter, type TraceThread } from '../../debug-adapter/trace/export/strace';
import { NotedEvents } from '../../debug-adapter/trace/noted-events';
import { EventKind } from '../../debug-adapter/trace/records';
import { EventRing, type SyscallEvent } from '../../debug-adapter/trace/ring';
import { summarize } from '../../debug-adapter/trace/summary';
import { SyscallRecorder } from '../../debug-adapter/trace/syscall-recorder';
import { type RunIo } from './io';
import { type RunOptions } from './run-options';
import { type StraceRun } from './strace';
import { openSymbolFile } from './symbols';

/** Records waiting to be written before they are written in the middle of a slice. */
const mostPending = 2048;

/** What is to be written of an event. */
const Phase = { whole: 0, begin: 1, end: 2 } as const;
const phases = 4;

export interface RunTrace {
  /** Writes what has happened since the last time. */
  drain(): void;
  /** Writes the rest, with calls that never returned, and detaches. */
  close(): void;
}

/** Attaches the traces that the options ask for. Throws an Error for people where a file cannot be read. */
export function startTrace(options: RunOptions, io: RunIo, machine: PcMachine, bus: Bus, strace?: StraceRun): RunTrace {
  const { cpu, clock } = machine;
  const ring = new EventRing();
  const lines: string[] = [];
  /** Sequence numbers of events, times `phases`, with a `Phase`; or lines that are text already. */
  let pending: (number | string)[] = [];
  const unfinished = new Set<number>();
  const chunks: string[] = [];
  const format = strace === undefined ? formatOf(options.traceOut) : 'strace';
  const symbols = openSymbols(options, io);
  const threadOf = threadNames(machine, symbols);
  const document = new ChromeWriter(threadOf);
  const push = (entry: number | string): void => {
    pending.push(entry);
    if (pending.length >= mostPending) drain();
  };
  const pushEvent = (sequence: number, phase: number = Phase.whole): void => {
    push(sequence * phases + phase);
  };
  const calls = new StraceWriter(threadOf, (line) => lines.push(line), strace?.lines);
  /** Calls that are over, where counts are wanted. */
  const counted: SyscallEvent[] = [];
  const onlyPrograms = strace?.native === 'auto' && symbols !== undefined && symbols.symbolsNamed('elf_ctx_init').length > 0;
  const isTraced = (event: SyscallEvent): boolean => !(onlyPrograms && event.path === 'compiled-in');
  const writeCall = (event: SyscallEvent, phase: number): void => {
    if (!isTraced(event) || (strace?.accepts(event) ?? true) === false) return;
    const never = neverReturns(event.number);
    const ends = phase !== Phase.begin;
    if (strace !== undefined && strace.counts !== 'none' && (ends || never)) counted.push({ ...event, captures: [] });
    if (strace?.counts === 'only') return;
    // Whether a call is wanted may be known only once it is over.
    if (strace?.late === true && !never ? ends : phase === Phase.whole) return calls.whole(event);
    if (ends) calls.end(event);
    else if (strace?.late !== true || never) calls.begin(event);
  };
  const drain = (): void => {
    for (const entry of pending) {
      const event = typeof entry === 'number' ? ring.read(Math.floor(entry / phases)) : undefined;
      if (event?.kind === 'syscall' && format === 'strace') {
        writeCall(event, (entry as number) % phases);
        continue;
      }
      if (format === 'chrome') {
        if (event !== undefined) document.add(event);
        continue;
      }
      const text = event === undefined || format === 'strace' ? undefined : formatEvent(event);
      const line = typeof entry === 'string' ? entry : text;
      if (line !== undefined) lines.push(line);
    }
    pending = [];
    flush();
  };
  const flush = (): void => {
    if (lines.length === 0) return;
    const text = `${lines.join('\n')}\n`;
    lines.length = 0;
    if (options.traceOut === undefined) io.stderr(text);
    else chunks.push(text);
  };
  const has = (kind: (typeof options.trace)[number]): boolean => options.trace.includes(kind);
  const rip = (): bigint => cpu.getRegister('rip') ?? 0n;
  const add = (kind: EventKind, number: number, value: bigint, from: bigint): void => {
    cpu.log?.drain();
    ring.add(kind, number, value, from, cpu.retired, clock.now(), rip(), current?.() ?? 0n);
    pushEvent(ring.head - 1);
  };

  const current = currentThread(machine, symbols);
  let recorder: SyscallRecorder | undefined;
  if (has('syscalls')) {
    recorder = new SyscallRecorder(cpu, () => clock.now(), ring, symbols, cpu.log && new NotedEvents(cpu.log, ring, () => false));
    recorder.onEvent = (sequence, phase, number) => {
      if (format === 'strace') {
        // What was over before anything else happened is looked at once.
        if (phase === 'whole') pushEvent(sequence, Phase.whole);
        else if (phase === 'begin') pushEvent(sequence, Phase.begin);
        else if (pending.at(-1) === sequence * phases + Phase.begin) pending[pending.length - 1] = sequence * phases + Phase.whole;
        else pushEvent(sequence, Phase.end);
      } else if (phase === 'whole') {
        pushEvent(sequence);
      } else if (phase === 'end') {
        if (unfinished.delete(sequence)) pushEvent(sequence);
      } else if (neverReturns(number)) {
        // One that never returns is told at once: the guest may end in it.
        pushEvent(sequence);
      } else unfinished.add(sequence);
    };
  }
  if (has('tls')) {
    cpu.hooks.fsBase = (from, to) => add(EventKind.segmentBase, 4, to, from);
    cpu.hooks.gsBase = (from, to) => add(EventKind.segmentBase, 5, to, from);
  }
  if (has('exceptions')) {
    cpu.hooks.exception = (vector, errorCode) => {
      add(EventKind.exception, vector, BigInt(errorCode ?? 0), 0n);
      return undefined;
    };
  }
  if (has('interrupts')) {
    cpu.hooks.interrupt = (vector) => {
      add(EventKind.interrupt, vector, 0n, 0n);
      return undefined;
    };
    cpu.hooks.interruptReturn = () => add(EventKind.interruptReturn, 0, 0n, 0n);
  }
  if (has('ports')) bus.trace = (access) => push(`${formatAccess(access)} at 0x${rip().toString(16)}`);

  return {
    drain,
    close() {
      for (const sequence of unfinished) pushEvent(sequence);
      drain();
      calls.close();
      if (strace !== undefined && strace.counts !== 'none') lines.push(toCounts(summarize(counted)).trimEnd());
      flush();
      recorder?.close();
      delete cpu.hooks.fsBase;
      delete cpu.hooks.gsBase;
      delete cpu.hooks.exception;
      delete cpu.hooks.interrupt;
      delete cpu.hooks.interruptReturn;
      bus.trace = undefined;
      if (options.traceOut === undefined) return;
      const text = format === 'chrome' ? document.finish(options.image) : chunks.join('');
      io.writeFile(options.traceOut, new TextEncoder().encode(text));
    },
  };
}

/** exit and exit_group. */
const neverReturns = (number: number): boolean => number === 60 || number === 231;

/** `.json`: Chrome's trace format; `.strace`: as `strace -f -tt` prints; anything else: lines as they come. */
function formatOf(path: string | undefined): 'chrome' | 'strace' | 'lines' {
  return path?.endsWith('.json') === true ? 'chrome' : path?.endsWith('.strace') === true ? 'strace' : 'lines';
}

/** Reads the running thread's address, where the image has a scheduler. */
function currentThread({ cpu }: PcMachine, symbols: SymbolFile | undefined): (() => bigint) | undefined {
  const address = symbols?.symbolsNamed('__uk_sched_thread_current')[0]?.address;
  if (address === undefined) return undefined;
  return () => {
    const bytes = cpu.readMemory(address, 8);
    return bytes.length < 8 ? 0n : new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  };
}

/** Numbers and names of threads by address; a name is read when the thread is first heard of. */
function threadNames({ cpu }: PcMachine, symbols: SymbolFile | undefined): (address: bigint) => TraceThread {
  const access = {
    readMemory: (address: bigint, length: number) => cpu.readMemory(address, length),
    register: (name: string) => cpu.getRegister(name) ?? 0n,
  };
  let reader: ThreadReader | undefined;
  const known = new Map<bigint, TraceThread>();
  return (address) => {
    let thread = known.get(address);
    if (thread === undefined) {
      if (address !== 0n && symbols !== undefined) reader ??= new ThreadReader({ ...access, kernel: symbols });
      const name = address === 0n ? 'CPU 0' : (reader?.read(address)?.name ?? `thread 0x${address.toString(16)}`);
      known.set(address, (thread = { id: known.size + 1, name }));
    }
    return thread;
  };
}

function openSymbols(options: RunOptions, io: RunIo): SymbolFile | undefined {
  const path = options.symbols ?? (io.fileKind(`${options.image}.dbg`) === 'file' ? `${options.image}.dbg` : undefined);
  return path === undefined ? undefined : openSymbolFile(io, path);
}

function formatAccess(access: BusAccess): string {
  const width = access.size * 2;
  const value = `0x${access.value.toString(16).padStart(width, '0')}`;
  const place = access.space === 'port' ? `port 0x${access.address.toString(16)}` : `0x${access.address.toString(16)}`;
  return `${access.write ? 'write' : 'read '} ${place} ${access.write ? '<-' : '->'} ${value} (${access.device ?? 'absent'})`;
}
