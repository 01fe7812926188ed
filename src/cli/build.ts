/** `unikernel build`: builds a project, by our builder for applications of the starter pool, by Unikraft's own make for all others. */

import { availableParallelism } from 'node:os';
import { makeBuild, type MakeAction, type MakeBuildResult } from '../build/make/make-build.node';
import { TARGETS } from '../build/plan';
import { buildPool, type PoolBuildResult } from '../build/pool-build.node';
import { type BuildProblem, formatProblem } from '../build/problems';
import { findProjects, makeProject, withTarget, type Project } from '../project/projects';
import { NodeFiles } from '../shared/files.node';
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

interface Arguments {
  readonly dir: string;
  readonly targets: readonly string[];
  readonly libraries: readonly string[];
  readonly values: ReadonlyMap<string, string>;
  readonly flags: ReadonlySet<string>;
}

const VALUED = ['--target', '--output', '--name', '--pool', '--library', '--linker', '--jobs', '--rootfs', '--root', '--do'];
const FLAGS = ['--json', '--quiet', '--targets', '--reconfigure', '--prebuilt'];

/** Arguments, or a sentence that says what is wrong with them. */
function readArguments(argv: readonly string[]): Arguments | string {
  const values = new Map<string, string>();
  const targets: string[] = [];
  const libraries: string[] = [];
  const flags = new Set<string>();
  let dir: string | undefined;
  for (let i = 0; i < argv.length; i++) {
    const [option, inline] = argv[i]!.startsWith('--')
      ? (argv[i]!.split(/=(.*)/s, 2) as [string, string | undefined])
      : [argv[i]!, undefined];
    if (VALUED.includes(option)) {
      const value = inline ?? argv[++i];
      if (value === undefined) return `${option} needs a value.`;
      if (option === '--target') targets.push(value);
      else if (option === '--library') libraries.push(value);
      else values.set(option, value);
    } else if (FLAGS.includes(option)) flags.add(option);
    else if (option.startsWith('-')) return `There is no option ${option}.`;
    else if (dir !== undefined) return `Only one folder can be built; there are ${dir} and ${option}.`;
    else dir = option;
  }
  const linker = values.get('--linker');
  if (linker !== undefined && linker !== 'own' && linker !== 'ld') return `--linker is own or ld, not ${linker}.`;
  const jobs = values.get('--jobs');
  if (jobs !== undefined && !/^[1-9]\d{0,3}$/.test(jobs)) return `--jobs is a number from 1 on, not ${jobs}.`;
  return { dir: dir ?? '.', targets, libraries, values, flags };
}

function absolute(path: string, cwd: string): string {
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
  const root = args.values.get('--root') ?? io.env['UK_ROOT'] ?? '';
  const project = makeProjectOf(dir, root === '' ? '' : absolute(root, io.cwd));
  if (args.flags.has('--targets')) {
    const names = project?.targets.map(({ name }) => name) ?? Object.keys(TARGETS);
    io.stdout(args.flags.has('--json') ? `${JSON.stringify(names)}\n` : names.map((name) => `${name}\n`).join(''));
    return 0;
  }
  if (project) return buildByMake(project, args, io);
  const onlyMake = args.flags.has('--reconfigure') ? '--reconfigure' : args.values.has('--do') ? '--do' : undefined;
  if (onlyMake !== undefined) return usage(io, `${onlyMake} is for projects on a Unikraft tree, and none was found in ${dir}.`);
  return buildByUs(dir, args, io);
}

function usage(io: CliIo, what: string): number {
  io.stderr(`unikernel build: ${what} See unikernel build --help.\n`);
  return 2;
}

/** The project that upstream's make builds; undefined for applications of the starter pool, and where there is no project. */
function makeProjectOf(dir: string, root: string): Project | undefined {
  const files = new NodeFiles();
  const [project] = findProjects({ files, folders: [dir], candidates: [dir], root, starterPool: undefined });
  return project?.folder === dir && project.builder === 'make' ? project : undefined;
}

async function buildByMake(found: Project, args: Arguments, io: CliIo): Promise<number> {
  const { values, flags, targets } = args;
  if (targets.length > 1) return usage(io, 'a project on a Unikraft tree is built for one target at a time.');
  const [wanted] = targets;
  if (wanted !== undefined && !found.targets.some(({ name }) => name === wanted))
    return usage(io, `There is no target ${wanted}; there are ${found.targets.map(({ name }) => name).join(', ')}.`);
  const project = withTarget(found, wanted);
  const action = actionOf(values.get('--do') ?? 'build');
  if (action === undefined) return usage(io, `--do is an action or a library's name, not ${values.get('--do')!}.`);
  const output = values.get('--output');
  const name = values.get('--name');
  const started = performance.now();
  const quiet = flags.has('--quiet') || flags.has('--json');
  const result = await cancellable((signal) =>
    makeBuild({
      project: {
        ...makeProject(project),
        ...(output !== undefined && { build: absolute(output, io.cwd) }),
        ...(name !== undefined && { name }),
      },
      action,
      seed: project.target?.seed,
      reconfigure: flags.has('--reconfigure'),
      jobs: Number(values.get('--jobs') ?? availableParallelism()),
      env: { ...io.env },
      signal,
      ...(!quiet && { output: (text: string) => io.stderr(text) }),
    }),
  );
  const status = result.cancelled ? 130 : result.ok ? 0 : 1;
  // What make and the compilers said stands above already.
  const said = quiet ? result.problems : result.problems.filter(({ source }) => source === 'build');
  return report({ ...result, problems: flags.has('--json') ? result.problems : said }, status, performance.now() - started, args, io);
}

/** Runs something that Ctrl-C, and whoever ends this process, breaks off in good order. */
async function cancellable<T>(run: (signal: AbortSignal) => Promise<T>): Promise<T> {
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

function actionOf(text: string): MakeAction | undefined {
  switch (text) {
    case 'configure':
    case 'fetch':
    case 'prepare':
    case 'build':
    case 'clean':
    case 'properclean':
      return text;
    default:
      return /^(lib|app)[\w-]+$/.test(text) ? { library: text } : undefined;
  }
}

async function buildByUs(dir: string, args: Arguments, io: CliIo): Promise<number> {
  const { values, flags, targets, libraries } = args;
  const unknown = targets.find((t) => !Object.hasOwn(TARGETS, t));
  if (unknown !== undefined) return usage(io, `There is no target ${unknown}; there are ${Object.keys(TARGETS).join(' and ')}.`);
  const at = (path: string | undefined): string | undefined => (path === undefined ? undefined : absolute(path, io.cwd));
  const started = performance.now();
  const [pool, build, name, jobs, rootfs] = ['--pool', '--output', '--name', '--jobs', '--rootfs'].map((o) => values.get(o));
  const quiet = flags.has('--quiet') || flags.has('--json');
  const result = await cancellable((signal) =>
    buildPool({
      app: dir,
      env: { ...io.env },
      linker: values.get('--linker') === 'ld' ? 'ld' : 'own',
      ...(flags.has('--prebuilt') && { prebuilt: 'always' as const }),
      libraries: libraries.map((l) => absolute(l, io.cwd)),
      signal,
      ...(targets.length > 0 && { targets }),
      ...(pool !== undefined && { pool: at(pool)! }),
      ...(build !== undefined && { build: at(build)! }),
      ...(rootfs !== undefined && { rootfs: at(rootfs)! }),
      ...(name !== undefined && { name }),
      ...(jobs !== undefined && { jobs: Number(jobs) }),
      ...(!quiet && { progress: (verb: string, what: string) => io.stderr(`  ${verb.padEnd(6)}${what}\n`) }),
    }),
  );
  return report(result, result.ok ? 0 : 1, performance.now() - started, args, io);
}

/** Says how a build ended. */
function report(result: PoolBuildResult | MakeBuildResult, status: number, time: number, { flags }: Arguments, io: CliIo): number {
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
