/** `unikernel build`: builds a project, by our builder for applications of the starter pool, by Unikraft's own make for all others. */

import { join } from 'node:path';
import { type MakeBuildResult } from '../build/make/make-build.node';
import { TARGETS } from '../build/pool-targets';
import { type PoolBuildOptions, type PoolBuildResult } from '../build/pool-build.node';
import { type BuildProblem, formatProblem } from '../build/problems';
import { buildFolder, unchangedBuild, unchangedResult } from '../build/stamp.node';
import { loadCompiled } from '../../debug-adapter/compiled-bundle.node';
import { faultSentence, readCommandLine } from './arguments';
import { type CliIo } from './io';

const HELP = `Usage: unikernel build [DIR] [options]

Builds the project in DIR (default: the working directory): an application of the
starter pool, or, by Unikraft's own make, one on a Unikraft tree (a Kraftfile, a
Makefile that names UK_ROOT, or catalog-core's layout). The configuration is the
target's .config, or is made from its defconfig or Kraftfile. In the starter pool,
libraries and root file system are the Kraftfile's, too.

  --target NAME   what the image is for; see --targets. Starter pool: may be given again
                    ${Object.entries(TARGETS)
                      .map(([name, t]) => `${name.padEnd(12)} ${t.title}`)
                      .join('\n                    ')}
  --targets       lists the targets of the project
  --output DIR    build folder
  --name NAME     name of the images
  --jobs N        compilers at a time
  --quiet         only problems
  --json          the result as JSON on standard output
  --help          this text
On the starter pool:
  --rootfs PATH   folder or cpio archive of the root file system, instead of the Kraftfile's
  --pool DIR      folder of the library pool
  --library DIR   folder of a further library; may be given again
  --linker NAME   own (default), or ld for GNU ld
  --prebuilt      link the libraries as they come compiled, and compile nothing;
                  the default where there is no compiler
On a Unikraft tree:
  --root DIR      the core, where it is not found (UK_ROOT)
  --do ACTION     configure, fetch, prepare, build (default), clean, properclean,
                  or a library's name, such as libukboot, to make it alone
  --reconfigure   makes the configuration anew from the defconfig or Kraftfile

Exit status: 0 built, 1 not built, 2 wrong arguments, 130 cancelled.
`;

/** What is to be built, and how. */
export interface BuildArguments {
  readonly dir: string;
  readonly targets: readonly string[];
  readonly libraries: readonly string[];
  readonly value: (option: string) => string | undefined;
  readonly flags: ReadonlySet<string>;
}

const VALUED = ['--target', '--output', '--name', '--pool', '--library', '--linker', '--jobs', '--rootfs', '--root', '--do'];
const FLAGS = ['--json', '--quiet', '--targets', '--reconfigure', '--prebuilt'];

/** Arguments, or a sentence that says what is wrong with them. */
function readArguments(argv: readonly string[]): BuildArguments | string {
  const line = readCommandLine(argv, { valued: VALUED, flags: FLAGS });
  if ('fault' in line) return faultSentence(line);
  const [dir = '.', other] = line.words;
  if (other !== undefined) return `Only one folder can be built; there are ${dir} and ${other}.`;
  const linker = line.value('--linker');
  if (linker !== undefined && linker !== 'own' && linker !== 'ld') return `--linker is own or ld, not ${linker}.`;
  const jobs = line.value('--jobs');
  if (jobs !== undefined && !/^[1-9]\d{0,3}$/.test(jobs)) return `--jobs is a number from 1 on, not ${jobs}.`;
  return { dir, targets: line.all('--target'), libraries: line.all('--library'), value: line.value, flags: line.flags };
}

/** A path from the working directory. */
export function absolute(path: string, cwd: string): string {
  const full = /^([A-Za-z]:)?[\\/]/.test(path) ? path : `${cwd}/${path}`;
  const parts: string[] = [];
  for (const part of full.replaceAll('\\', '/').split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.' && (part !== '' || parts.length === 0)) parts.push(part);
  }
  return parts.join('/') || '/';
}

/** Runs the command; resolves to the exit status. */
export async function buildCommand(argv: readonly string[], io: CliIo): Promise<number> {
  if (argv.includes('--help') || argv.includes('-h')) {
    io.stdout(HELP);
    return 0;
  }
  const args = readArguments(argv);
  if (typeof args === 'string') return usage(io, args);
  const dir = absolute(args.dir, io.cwd);
  const started = process.uptime();
  const options = poolOptions(dir, args, io);
  // Most builds are made again and again: what finds and builds projects is not even loaded where nothing has changed.
  const plain =
    !['--targets', '--reconfigure'].some((f) => args.flags.has(f)) && !['--root', '--do'].some((o) => args.value(o) !== undefined);
  const known = plain ? unchangedBuild(options, buildFolder(options)) : undefined;
  if (known) return reportBuild(unchangedResult(known), 0, 1000 * (process.uptime() - started), args, io);
  loadCompiled(join(__dirname, 'cli-build-run.js'));
  return (await import('./build-run')).runBuild(dir, args, options, io);
}

/** What the command line says to the builder of the starter pool. */
function poolOptions(dir: string, { value, flags, targets, libraries }: BuildArguments, io: CliIo): PoolBuildOptions {
  const at = (option: string): string | undefined => {
    const path = value(option);
    return path === undefined ? undefined : absolute(path, io.cwd);
  };
  const [pool, build, rootfs] = ['--pool', '--output', '--rootfs'].map(at);
  const [name, jobs] = ['--name', '--jobs'].map(value);
  return {
    app: dir,
    env: { ...io.env },
    linker: value('--linker') === 'ld' ? 'ld' : 'own',
    ...(flags.has('--prebuilt') && { prebuilt: 'always' as const }),
    libraries: libraries.map((l) => absolute(l, io.cwd)),
    ...(targets.length > 0 && { targets }),
    ...(pool !== undefined && { pool }),
    ...(build !== undefined && { build }),
    ...(rootfs !== undefined && { rootfs }),
    ...(name !== undefined && { name }),
    ...(jobs !== undefined && { jobs: Number(jobs) }),
  };
}

/** Says what is wrong with a command line. */
export function usage(io: CliIo, what: string): number {
  io.stderr(`unikernel build: ${what} See unikernel build --help.\n`);
  return 2;
}

/** Says how a build ended. */
export function reportBuild(
  result: PoolBuildResult | MakeBuildResult,
  status: number,
  time: number,
  { flags }: BuildArguments,
  io: CliIo,
): number {
  const ms = Math.round(time);
  const { ok, images, problems, compiled } = result;
  const linked = 'linked' in result ? result.linked : compiled > 0;
  const command = 'command' in result ? result.command : undefined;
  if (flags.has('--json')) {
    io.stdout(`${JSON.stringify({ ok, images, problems, compiled, linked, command, ms })}\n`);
    return status;
  }
  for (const p of problems) io.stderr(`${describe(p)}\n`);
  if (!ok) {
    io.stderr('unikernel build: the image was not built.\n');
    return status;
  }
  for (const { image } of images) io.stdout(`${image}\n`);
  if (!flags.has('--quiet')) io.stderr(`${compiled === 0 && !linked ? 'Nothing to do' : 'Built'} in ${ms} ms.\n`);
  return status;
}

function describe(p: BuildProblem): string {
  return p.path === '' ? `${p.severity}: ${p.message}` : formatProblem(p);
}

/** Runs something that Ctrl-C, and whoever ends this process, breaks off in good order. */
export async function cancellable<T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const cancel = new AbortController();
  const stop = (): void => cancel.abort();
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const each of signals) process.on(each, stop);
  try {
    return await run(cancel.signal);
  } finally {
    for (const each of signals) process.off(each, stop);
  }
}
