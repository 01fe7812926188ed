/** Runs a program of the host in a process group of its own, so that cancelling ends everything that it has started. */
import { spawn } from 'node:child_process';

/** How to run a program. */
export interface RunProgram {
  readonly directory: string;
  readonly env: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
  /** What it writes, stdout and stderr in the order in which it comes. */
  readonly output: (text: string) => void;
}

/** How a program ended. */
export interface ProgramEnd {
  /** Exit status; 127 where the program could not be started, 128 + n after signal n. */
  readonly code: number;
  readonly cancelled: boolean;
  /** Why it could not be started. */
  readonly fault?: string;
}

/** How long a group may take to end by itself, in milliseconds, before it is made to. */
const grace = 3000;
const signalNumbers: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };

/** Runs it to its end; never rejects. Where there are no process groups (Windows), only the program itself is ended. */
export function runProgram(argv: readonly [string, ...string[]], options: RunProgram): Promise<ProgramEnd> {
  const { signal } = options;
  if (signal?.aborted) return Promise.resolve({ code: 130, cancelled: true });
  return new Promise((resolve) => {
    const group = process.platform !== 'win32';
    const child = spawn(argv[0], argv.slice(1), {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: group,
      cwd: options.directory,
      // Messages in other languages match no pattern.
      env: { ...options.env, LC_ALL: 'C' },
    });
    let cancelled = false;
    let timer: NodeJS.Timeout | undefined;
    const kill = (how: NodeJS.Signals): void => {
      try {
        if (group && child.pid !== undefined) process.kill(-child.pid, how);
        else child.kill(how);
      } catch {
        // Gone already.
      }
    };
    const cancel = (): void => {
      cancelled = true;
      kill('SIGTERM');
      timer = setTimeout(() => kill('SIGKILL'), grace);
    };
    signal?.addEventListener('abort', cancel, { once: true });
    child.stdout.setEncoding('utf8').on('data', options.output);
    child.stderr.setEncoding('utf8').on('data', options.output);
    let ended = false;
    const finish = (end: ProgramEnd): void => {
      if (ended) return;
      ended = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', cancel);
      // What outlived its leader has no one to wait for it.
      if (cancelled) kill('SIGKILL');
      resolve(end);
    };
    child.on('error', (error) => finish({ code: 127, cancelled, fault: `${argv[0]} cannot be run: ${error.message}` }));
    child.on('close', (code, how) => finish({ code: code ?? 128 + (signalNumbers[how ?? ''] ?? 0), cancelled }));
  });
}
