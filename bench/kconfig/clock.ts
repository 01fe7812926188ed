/** CPU time instead of time on the wall, so that a machine that does other work as well gives figures that mean something. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Milliseconds of CPU that this process's main thread has used; where the system does not count them, of all its threads. */
export function mainThreadCpu(): number {
  try {
    return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6;
  } catch {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  }
}

/** Milliseconds of main-thread CPU for each of `rounds` runs. The clock may tick only every 4 ms: use enough rounds. */
export function cpuOf(rounds: number, work: (round: number) => void): number {
  const start = mainThreadCpu();
  for (let round = 0; round < rounds; round++) work(round);
  return (mainThreadCpu() - start) / rounds;
}

export function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1]!;
}

/** What is below it in `share` (0 to 1) of all cases. */
export function percentile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}

export interface ProcessTime {
  /** CPU of the process, its threads and its children, in milliseconds. */
  readonly cpuMs: number;
  readonly stdout: string;
}

/** Runs a command to its end. */
export function timeProcess(command: readonly string[], cwd: string, environment: Readonly<Record<string, string>> = {}): ProcessTime {
  const result = spawnSync('/bin/bash', ['-c', '"$@" 2>/dev/null; status=$?; times >&2; exit $status', 'bash', ...command], {
    cwd,
    env: { ...process.env, ...environment, LC_ALL: 'C' },
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  });
  if (result.status !== 0) throw new Error(`${command.join(' ')} fails: ${result.stderr}`);
  const children = result.stderr.trim().split('\n').at(-1)!;
  let cpuMs = 0;
  for (const [, minutes, seconds] of children.matchAll(/(\d+)m([\d.]+)s/g)) cpuMs += (Number(minutes) * 60 + Number(seconds)) * 1000;
  return { cpuMs, stdout: result.stdout };
}
