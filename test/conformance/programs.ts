/** Programs of a Linux system under `unikernel exec` and here: same output (standard error with it), same exit status. */

import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { findProgram } from '../../src/build/toolchain.node';
import { type ProgramCase, programCases } from './programs-cases';
import { type ConformanceResult, type Tally } from './result';

const cli = path.resolve(__dirname, '../../dist/cli.js');
const FOLDER = '/tmp/case';
const ENVIRONMENT = { PATH: '/usr/bin:/bin', HOME: FOLDER, LC_ALL: 'C', TZ: 'UTC' };
const SIGNALS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGPIPE: 13,
  SIGTERM: 15,
  SIGUSR1: 10,
};
const SECONDS = 300;

interface End {
  readonly status: number;
  readonly output: string;
}

/** Runs the cases whose names match. */
export function runPrograms(pattern = /./): ConformanceResult {
  const groups = new Map<string, Tally>();
  const failures: string[] = [];
  const skipped: string[] = [];
  if (process.platform !== 'linux' || process.arch !== 'x64') return { missing: 'it needs Linux on x86-64', groups, failures, skipped };
  if (!existsSync(cli)) return { missing: 'there is no dist/cli.js; run npm run build', groups, failures, skipped };
  const loader = process.env['UNIKERNEL_LOADER'];
  for (const each of programCases) {
    if (!pattern.test(each.name)) continue;
    const group = each.name.replace(/:.*/, '');
    const tally: Tally = groups.get(group) ?? { passed: 0, failed: 0, skipped: 0 };
    groups.set(group, tally);
    const missing = each.programs.filter((name) => findProgram(name, ENVIRONMENT) === undefined);
    if (missing.length > 0) {
      tally.skipped++;
      skipped.push(`${each.name}: not installed: ${missing.join(', ')}`);
      continue;
    }
    const fault = compare(each, loader);
    if (fault === undefined) tally.passed++;
    else {
      tally.failed++;
      failures.push(`${each.name}: ${fault}`);
    }
  }
  return { groups, failures, skipped };
}

/** What differs, or nothing. */
function compare(each: ProgramCase, loader: string | undefined): string | undefined {
  const dir = mkdtempSync(path.join(tmpdir(), 'programs-'));
  try {
    const here = native(each);
    const there = guest(each, `${dir}/root`, loader);
    const [wanted, got] = [here, there].map(({ output }) => output.split('\n')) as [string[], string[]];
    const line = wanted.findIndex((text, i) => text !== got[i]);
    const at = line >= 0 ? line : wanted.length === got.length ? -1 : wanted.length;
    if (at >= 0)
      return `line ${at + 1} is ${JSON.stringify(got[at])}, here ${JSON.stringify(wanted[at])}; status ${there.status}, here ${here.status}`;
    return there.status === here.status ? undefined : `status ${there.status}, here ${here.status}`;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function argumentsOf({ programs, command }: ProgramCase): [string, ...string[]] {
  const program = typeof command === 'string' ? (programs[0] === 'bash' ? 'bash' : 'dash') : programs[0]!;
  return [`/usr/bin/${program}`, ...(typeof command === 'string' ? ['-c', command] : command)];
}

/** In an empty folder of the same name as in the guest: programs print it. */
function native(each: ProgramCase): End {
  const [program, ...args] = argumentsOf(each);
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  try {
    const script = ['-c', 'exec "$0" "$@" 2>&1', program, ...args];
    const r = spawnSync('/bin/sh', script, { cwd: FOLDER, env: ENVIRONMENT, input: each.input ?? '', timeout: SECONDS * 1000 });
    return { status: r.status ?? 128 + (SIGNALS[r.signal ?? ''] ?? 0), output: r.stdout.toString('latin1') };
  } finally {
    rmSync(FOLDER, { recursive: true, force: true });
  }
}

function guest(each: ProgramCase, root: string, loader: string | undefined): End {
  mkdirSync(root + FOLDER, { recursive: true });
  for (const name of new Set([...each.programs, 'dash'])) install(name, root);
  install('dash', root, 'sh');
  for (const folder of each.folders ?? []) if (existsSync(folder)) copy(folder, root);
  const env = Object.entries(ENVIRONMENT).flatMap(([k, v]) => ['--env', `${k}=${v}`]);
  const own = loader === undefined ? [] : ['--loader', loader];
  const argv = [cli, 'exec', ...own, '--root', root, '--cwd', FOLDER, '--timeout', String(SECONDS), ...env, ...argumentsOf(each)];
  const r = spawnSync(process.execPath, argv, { input: each.input ?? '', maxBuffer: 1 << 26 });
  return { status: r.status ?? -1, output: r.stdout.toString('latin1') + r.stderr.toString('latin1') };
}

/** Puts a program with its libraries into the root, at /usr/bin. */
function install(name: string, root: string, as = name): void {
  const found = realpathSync(findProgram(name, ENVIRONMENT)!);
  for (const folder of ['usr/bin', 'usr/lib']) mkdirSync(`${root}/${folder}`, { recursive: true });
  cpSync(found, `${root}/usr/bin/${as}`);
  if (!existsSync(`${root}/bin`)) {
    mkdirSync(`${root}/bin`);
    cpSync(realpathSync('/bin/dash'), `${root}/bin/sh`);
  }
  libraries(found, root);
}

function libraries(file: string, root: string): void {
  for (const [, library] of spawnSync('ldd', [file], { encoding: 'utf8' }).stdout.matchAll(/(\/\S+) \(/g)) {
    if (existsSync(root + library!)) continue;
    mkdirSync(path.dirname(root + library!), { recursive: true });
    cpSync(realpathSync(library!), root + library!);
  }
}

/** Copies what lies at a path of this system, and the libraries of what is loaded from there; caches and tests are left out. */
function copy(from: string, root: string): void {
  const left = /\/(__pycache__|test|tests|idlelib|tkinter|lib2to3|ensurepip|dist-packages)$|\.(a|pyc)$/;
  cpSync(from, root + from, { recursive: true, dereference: true, filter: (file) => !left.test(file) });
  if (!statSync(from).isDirectory()) return libraries(from, root);
  for (const name of readdirSync(from, { recursive: true, encoding: 'utf8' }))
    if (/\.so(\.|$)/.test(name) && readFileSync(`${from}/${name}`).subarray(0, 4).toString('latin1') === '\x7fELF')
      libraries(`${from}/${name}`, root);
}
