/** Counts of system calls as `strace -c` makes them, with the guest's time and instructions. */
import { type TraceEvent } from './ring';
import { syscallByNumber } from './syscalls/table';

/** One call's row. Times are the guest's nanoseconds from call to return, of the calls that returned. */
export interface SyscallSummary {
  readonly name: string;
  readonly calls: number;
  readonly errors: number;
  readonly nanoseconds: number;
  /** Share of all nanoseconds, 0 to 1. */
  readonly share: number;
  readonly instructions: number;
}

/** Rows by time, longest first; equal times by count. */
export function summarize(events: Iterable<TraceEvent>): readonly SyscallSummary[] {
  const rows = new Map<string, { calls: number; errors: number; nanoseconds: number; instructions: number }>();
  let total = 0;
  for (const event of events) {
    if (event.kind !== 'syscall') continue;
    const name = syscallByNumber(event.number)?.name ?? `syscall_${event.number}`;
    let row = rows.get(name);
    if (row === undefined) rows.set(name, (row = { calls: 0, errors: 0, nanoseconds: 0, instructions: 0 }));
    row.calls++;
    if (event.result !== undefined && event.result < 0n && event.result >= -4095n) row.errors++;
    if (event.endTime !== undefined) {
      row.nanoseconds += event.endTime - event.time;
      total += event.endTime - event.time;
    }
    if (event.end !== undefined) row.instructions += Number(event.end - event.start);
  }
  return [...rows]
    .map(([name, row]) => ({ name, ...row, share: total === 0 ? 0 : row.nanoseconds / total }))
    .sort((a, b) => b.nanoseconds - a.nanoseconds || b.calls - a.calls || (a.name < b.name ? -1 : 1));
}
