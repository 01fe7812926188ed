/** A real program of much code on our machine and on QEMU: sqlite under Unikraft's ELF loader inserts and queries 20,000 rows. From the start of the process to the last row. */

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** What the program prints last. */
const lastLine = '9|10004000.0';
const seconds = 300;
/** Runs whose translations the measured one finds. */
const earlierRuns = 3;
const append = 'vfs.fstab=[ "initrd0:/:extract::ramfs=1:" ] -- /sqlite3 /x.db ".read /script.sql"';

/** CPU time of all threads and time that passed, milliseconds. */
export interface Taken {
  readonly cpu: number;
  readonly wall: number;
}

/** CPU time of a process with all its threads, in milliseconds (proc(5): utime and stime, in ticks of 10 ms). */
export function processTime(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** Runs a guest until it has printed the last line; undefined where it never does. @param cache folder for what later runs use: then the process may end by itself */
function until(program: string, args: readonly string[], cache?: string): Promise<Taken | undefined> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const env = cache === undefined ? process.env : { ...process.env, XDG_CACHE_HOME: cache };
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'ignore'], env });
    const timer = setTimeout(() => child.kill('SIGKILL'), seconds * 1000);
    let end = '';
    let taken: Taken | undefined;
    child.stdout.on('data', (data: Buffer) => {
      end = (end + data.toString('latin1')).slice(-4096);
      if (taken !== undefined || !end.includes(lastLine)) return;
      taken = { cpu: processTime(child.pid!), wall: performance.now() - start };
      child.kill(cache === undefined ? 'SIGKILL' : 'SIGINT');
    });
    child.on('error', reject);
    child.on('close', () => {
      clearTimeout(timer);
      resolve(taken);
    });
  });
}

/** Our times with the translator, with what it kept of earlier runs, and without it, and QEMU's; undefined where the image is not there. */
export async function sqlite(
  cli: string,
  hasQemu: boolean,
): Promise<Readonly<Record<'jit' | 'kept' | 'interpreter' | 'tcg', Taken | undefined>> | undefined> {
  const images = path.join(process.env['UNIKERNEL_SUITES'] ?? '', 'images');
  // QEMU before 8.0 has no RDSEED, which the ordinary loader asks for.
  const [kernel, initrd] = [path.join(images, 'elfloader-norand'), path.join(images, 'initrd/sqlite.cpio')];
  if (![kernel, initrd, cli].every((file) => existsSync(file))) return undefined;
  const command = ['run', kernel, '--initrd', initrd, '--memory', '256', '--append', append];
  const ours = (jit: string): Promise<Taken | undefined> => until(cli, [...command, '--jit', jit, '--keep', 'off']);
  const cache = mkdtempSync(path.join(tmpdir(), 'unikernel-cache-'));
  const again = async (): Promise<Taken | undefined> => {
    try {
      for (let earlier = 0; earlier < earlierRuns; earlier++) await until(cli, command, cache);
      return await until(cli, command, cache);
    } finally {
      rmSync(cache, { recursive: true, force: true });
    }
  };
  const machine = ['-accel', 'tcg', '-cpu', 'max', '-m', '256', '-nographic', '-no-reboot'];
  return {
    jit: await ours('on'),
    kept: await again(),
    interpreter: await ours('off'),
    tcg: hasQemu ? await until('qemu-system-x86_64', [...machine, '-kernel', kernel, '-initrd', initrd, '-append', append]) : undefined,
  };
}
