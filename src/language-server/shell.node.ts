/** Runs the commands of `$(shell,…)` on this machine, with a time limit. */
import { spawnSync } from 'node:child_process';

const longestRun = 3000;

/** A command's output; undefined where it could not be run or took too long. */
export function runShell(command: string, cwd: string, environment: Readonly<Record<string, string | undefined>>): string | undefined {
  const result = spawnSync('/bin/sh', ['-c', command], {
    cwd,
    env: { ...process.env, ...environment },
    encoding: 'utf8',
    timeout: longestRun,
    maxBuffer: 1 << 20,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return result.error ? undefined : result.stdout;
}
