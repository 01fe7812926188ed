/** Recorded system calls as the text that `strace -f -tt` writes (strace(1)): one line a call, with the thread's number and the time of day. */
import { formatSyscall } from '../decode';
import { type TraceEvent } from '../ring';

/** How the exporters call a thread, by the address of its control block. */
export interface TraceThread {
  readonly id: number;
  readonly name: string;
}

const nanosecondsPerDay = 86_400_000_000_000;

/** `12:34:56.123456` of a time of day in nanoseconds. */
export function timeOfDay(nanoseconds: number): string {
  const micro = Math.floor((nanoseconds % nanosecondsPerDay) / 1000);
  const pad = (value: number, digits = 2): string => String(value).padStart(digits, '0');
  return `${pad(Math.floor(micro / 3_600_000_000))}:${pad(Math.floor(micro / 60_000_000) % 60)}:${pad(Math.floor(micro / 1_000_000) % 60)}.${pad(micro % 1_000_000, 6)}`;
}

/** One line, without its end. `start` is the time of day at reset in nanoseconds. */
export function straceLine(event: TraceEvent, thread: TraceThread, start = 0): string | undefined {
  if (event.kind !== 'syscall') return undefined;
  return `${String(thread.id).padEnd(5)} ${timeOfDay(start + event.time)} ${formatSyscall(event)}`;
}

/** The whole trace. Events other than system calls have no line in this format. */
export function toStrace(events: Iterable<TraceEvent>, threadOf: (address: bigint) => TraceThread, start = 0): string {
  const lines: string[] = [];
  for (const event of events) {
    const line = straceLine(event, threadOf(event.thread), start);
    if (line !== undefined) lines.push(line);
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}
