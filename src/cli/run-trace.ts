/** `--trace`: hooks of the machine to lines of text, written between slices. */
import { type Bus, type BusAccess } from '../../debug-adapter/machine/bus';
import { type PcMachine } from '../../debug-adapter/machine/machine';
import { SymbolFile } from '../../debug-adapter/symbols/api';
import { formatEvent } from '../../debug-adapter/trace/decode';
import { EventKind, EventRing } from '../../debug-adapter/trace/ring';
import { SyscallRecorder } from '../../debug-adapter/trace/syscall-recorder';
import { type RunIo } from './io';
import { type RunOptions } from './run-options';

/** Records waiting to be written before they are written in the middle of a slice. */
const mostPending = 2048;

export interface RunTrace {
  /** Writes what has happened since the last time. */
  drain(): void;
  /** Writes the rest, with calls that never returned, and detaches. */
  close(): void;
}

/** Attaches the traces that the options ask for. Throws an Error for people where a file cannot be read. */
export function startTrace(options: RunOptions, io: RunIo, machine: PcMachine, bus: Bus): RunTrace {
  const { cpu, clock } = machine;
  const ring = new EventRing();
  const lines: string[] = [];
  /** Sequence numbers of events that are complete, or lines that are text already. */
  let pending: (number | string)[] = [];
  const unfinished = new Set<number>();
  const chunks: string[] = [];
  const push = (entry: number | string): void => {
    pending.push(entry);
    if (pending.length >= mostPending) drain();
  };
  const drain = (): void => {
    for (const entry of pending) {
      const event = typeof entry === 'number' ? ring.read(entry) : undefined;
      const line = typeof entry === 'string' ? entry : event === undefined ? undefined : formatEvent(event);
      if (line !== undefined) lines.push(line);
    }
    pending = [];
    if (lines.length === 0) return;
    const text = `${lines.join('\n')}\n`;
    lines.length = 0;
    if (options.traceOut === undefined) io.stderr(text);
    else chunks.push(text);
  };
  const has = (kind: (typeof options.trace)[number]): boolean => options.trace.includes(kind);
  const rip = (): bigint => cpu.getRegister('rip') ?? 0n;
  const add = (kind: EventKind, number: number, value: bigint, from: bigint): void => {
    ring.add(kind, number, value, from, cpu.retired, clock.now(), rip());
    push(ring.head - 1);
  };

  let recorder: SyscallRecorder | undefined;
  if (has('syscalls')) {
    recorder = new SyscallRecorder(cpu, () => clock.now(), ring, openSymbols(options, io));
    recorder.onEvent = (sequence, phase) => {
      const event = ring.read(sequence);
      if (phase === 'begin') {
        unfinished.add(sequence);
        // One that never returns is told at once: the guest may end in it.
        if (event?.kind === 'syscall' && (event.number === 60 || event.number === 231)) {
          unfinished.delete(sequence);
          push(sequence);
        }
      } else if (unfinished.delete(sequence)) push(sequence);
    };
  }
  if (has('tls')) cpu.hooks.segmentBase = (segment, from, to) => add(EventKind.segmentBase, segment === 'fs' ? 4 : 5, to, from);
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
      for (const sequence of unfinished) push(sequence);
      drain();
      recorder?.close();
      delete cpu.hooks.segmentBase;
      delete cpu.hooks.exception;
      delete cpu.hooks.interrupt;
      delete cpu.hooks.interruptReturn;
      bus.trace = undefined;
      if (options.traceOut !== undefined) io.writeFile(options.traceOut, new TextEncoder().encode(chunks.join('')));
    },
  };
}

function openSymbols(options: RunOptions, io: RunIo): SymbolFile | undefined {
  const path = options.symbols ?? (io.fileKind(`${options.image}.dbg`) === 'file' ? `${options.image}.dbg` : undefined);
  return path === undefined ? undefined : SymbolFile.open(io.readFile(path), { name: path });
}

function formatAccess(access: BusAccess): string {
  const width = access.size * 2;
  const value = `0x${access.value.toString(16).padStart(width, '0')}`;
  const place = access.space === 'port' ? `port 0x${access.address.toString(16)}` : `0x${access.address.toString(16)}`;
  return `${access.write ? 'write' : 'read '} ${place} ${access.write ? '<-' : '->'} ${value} (${access.device ?? 'absent'})`;
}
