/** Counts of system calls as the table that `strace -c` prints (strace(1)). */
import { type SyscallSummary } from '../summary';

const rule = '------ ----------- ----------- --------- --------- ----------------';

/** The table with its total. Times are the guest's. */
export function toCounts(rows: readonly SyscallSummary[]): string {
  const line = (share: number, nanoseconds: number, calls: number, errors: number, name: string): string =>
    [
      (share * 100).toFixed(2).padStart(6),
      (nanoseconds / 1e9).toFixed(6).padStart(11),
      String(Math.round(nanoseconds / 1000 / Math.max(calls, 1))).padStart(11),
      String(calls).padStart(9),
      (errors === 0 ? '' : String(errors)).padStart(9),
      name,
    ].join(' ');
  const sum = (of: (row: SyscallSummary) => number): number => rows.reduce((total, row) => total + of(row), 0);
  const total = line(
    rows.length === 0 ? 0 : 1,
    sum(({ nanoseconds }) => nanoseconds),
    sum(({ calls }) => calls),
    sum(({ errors }) => errors),
    'total',
  );
  return [
    '% time     seconds  usecs/call     calls    errors syscall',
    rule,
    ...rows.map(({ share, nanoseconds, calls, errors, name }) => line(share, nanoseconds, calls, errors, name)),
    rule,
    total,
    '',
  ].join('\n');
}
