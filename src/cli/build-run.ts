/** The part of `unikernel build` that builds: projects on a Unikraft tree by its make, applications of the starter pool by our builder. */

import { availableParallelism } from 'node:os';
import { makeBuild, type MakeAction } from '../build/make/make-build.node';
import { TARGETS } from '../build/pool-targets';
import { buildPool, type PoolBuildOptions } from '../build/pool-build.node';
import { SeenFiles } from '../build/stamp.node';
import { findProjects, makeProject, type Project, withTarget } from '../project/projects';
import { absolute, type BuildArguments, reportBuild, usage } from './build';
import { type CliIo } from './io';

/** Finds out who builds a folder, and has it built; resolves to the exit status. */
export async function runBuild(dir: string, args: BuildArguments, options: PoolBuildOptions, io: CliIo): Promise<number> {
  const root = args.value('--root') ?? io.env['UK_ROOT'] ?? '';
  const files = new SeenFiles();
  // A pool that is named is what the application is for, wherever UK_ROOT points.
  const named = args.value('--pool') !== undefined;
  const project = named ? undefined : makeProjectOf(files, dir, root === '' ? '' : absolute(root, io.cwd));
  if (args.flags.has('--targets')) {
    const names = project?.targets.map(({ name }) => name) ?? Object.keys(TARGETS);
    io.stdout(args.flags.has('--json') ? `${JSON.stringify(names)}\n` : names.map((name) => `${name}\n`).join(''));
    return 0;
  }
  if (project) return buildByMake(project, args, io);
  const onlyMake = args.flags.has('--reconfigure') ? '--reconfigure' : args.value('--do') !== undefined ? '--do' : undefined;
  if (onlyMake !== undefined) return usage(io, `${onlyMake} is for projects on a Unikraft tree, and none was found in ${dir}.`);
  return buildByUs(args, { ...options, files }, io);
}

/** The project that upstream's make builds; undefined for applications of the starter pool, and where there is no project. */
function makeProjectOf(files: SeenFiles, dir: string, root: string): Project | undefined {
  const [project] = findProjects({ files, folders: [dir], candidates: [dir], root, starterPool: undefined });
  return project?.folder === dir && project.builder === 'make' ? project : undefined;
}

async function buildByMake(found: Project, args: BuildArguments, io: CliIo): Promise<number> {
  const { value, flags, targets } = args;
  if (targets.length > 1) return usage(io, 'a project on a Unikraft tree is built for one target at a time.');
  const [wanted] = targets;
  if (wanted !== undefined && !found.targets.some(({ name }) => name === wanted))
    return usage(io, `There is no target ${wanted}; there are ${found.targets.map(({ name }) => name).join(', ')}.`);
  const project = withTarget(found, wanted);
  const action = actionOf(value('--do') ?? 'build');
  if (action === undefined) return usage(io, `--do is an action or a library's name, not ${value('--do')!}.`);
  const output = value('--output');
  const name = value('--name');
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
      jobs: Number(value('--jobs') ?? availableParallelism()),
      env: { ...io.env },
      signal,
      ...(!quiet && { output: (text: string) => io.stderr(text) }),
    }),
  );
  const status = result.cancelled ? 130 : result.ok ? 0 : 1;
  // What make and the compilers said stands above already.
  const said = quiet ? result.problems : result.problems.filter(({ source }) => source === 'build');
  return reportBuild({ ...result, problems: flags.has('--json') ? result.problems : said }, status, performance.now() - started, args, io);
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

async function buildByUs(args: BuildArguments, options: PoolBuildOptions, io: CliIo): Promise<number> {
  const { flags, targets } = args;
  const unknown = targets.find((t) => !Object.hasOwn(TARGETS, t));
  if (unknown !== undefined) return usage(io, `There is no target ${unknown}; there are ${Object.keys(TARGETS).join(' and ')}.`);
  const started = performance.now();
  const quiet = flags.has('--quiet') || flags.has('--json');
  const result = await cancellable((signal) =>
    buildPool({
      ...options,
      signal,
      ...(!quiet && { progress: (verb: string, what: string) => io.stderr(`  ${verb.padEnd(6)}${what}\n`) }),
    }),
  );
  return reportBuild(result, result.ok ? 0 : 1, performance.now() - started, args, io);
}
