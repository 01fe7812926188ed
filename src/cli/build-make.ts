/** The part of `unikernel build` for projects on a Unikraft tree: finds out whether a folder is one, and has Unikraft's make build it. */

import { availableParallelism } from 'node:os';
import { makeBuild, type MakeAction } from '../build/make/make-build.node';
import { findProjects, makeProject, type Project, withTarget } from '../project/projects';
import { type Files } from '../shared/files';
import { absolute, type BuildArguments, cancellable, reportBuild, usage } from './build';
import { type CliIo } from './io';

/** The project that upstream's make builds; undefined for applications of the starter pool, and where there is no project. `root`: a core, or empty. */
export function makeProjectOf(files: Files, dir: string, root: string): Project | undefined {
  const [project] = findProjects({ files, folders: [dir], candidates: [dir], root, starterPool: undefined });
  return project?.folder === dir && project.builder === 'make' ? project : undefined;
}

/** Builds it, or does with it what the command line says; resolves to the exit status. */
export async function buildByMake(found: Project, args: BuildArguments, io: CliIo): Promise<number> {
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
