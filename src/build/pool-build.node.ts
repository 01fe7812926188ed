/** Builds a pool application from start to end: configuration, plan, run. */

import { existsSync, mkdirSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { kraftfileNames } from '../kraftfile/schema';
import { type AskedConfiguration, askedConfiguration } from './configuration';
import { type BuildPlan } from './plan';
import { TARGETS } from './pool-targets';
import { buildKept } from './prebuilt-build.node';
import { type BuildProblem } from './problems';
import { type Project } from './project';
import { type RunResult } from './runner.node';
import { buildFolder, SeenFiles, unchangedBuild, unchangedResult } from './stamp.node';

/** What to build. Relative paths start from the process's folder. */
export interface PoolBuildOptions {
  /** Folder of the application. */
  readonly app: string;
  /** Folder of the pool; default: the one that the application lies in, else the one that comes with the product. */
  readonly pool?: string;
  readonly libraries?: readonly string[];
  /** Default: `build` in the application's folder. */
  readonly build?: string;
  readonly name?: string;
  readonly targets?: readonly string[];
  readonly linker?: 'own' | 'ld';
  readonly jobs?: number;
  readonly env: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
  readonly progress?: (verb: string, what: string) => void;
  readonly prefixMap?: readonly (readonly [string, string])[];
  /** Whether the libraries that come compiled with the product are used: where there is no compiler (default), always, or never. */
  readonly prebuilt?: 'missing' | 'always' | 'never';
  /** Where these are; default: beside the program. */
  readonly prebuiltFolder?: string;
  /** A folder or cpio archive, instead of the one that the Kraftfile names. */
  readonly rootfs?: string;
  /** What has been read already to decide that this is to be built; default: nothing. */
  readonly files?: SeenFiles;
  /** The plan is wanted even where there is nothing to do. */
  readonly planned?: boolean;
  /** Told before what makes plans is loaded. */
  readonly planning?: () => void;
}

/** The result of a run, and the plan that was run: undefined where nothing has changed, or there was none. */
export interface PoolBuildResult extends RunResult {
  readonly plan: BuildPlan | undefined;
  /** What the Kraftfile gives as the command: the program and its arguments. */
  readonly command: readonly string[];
}

/** A build of which everything is known but the plan; paths are absolute. */
export interface PoolOrder {
  readonly files: SeenFiles;
  readonly pool: string;
  readonly app: string;
  readonly build: string;
  readonly libraries: readonly string[];
  readonly project: Project;
  readonly targets: readonly string[];
  readonly asked: AskedConfiguration;
  /** Of the images. */
  readonly name: string;
  readonly rootfs: string | undefined;
  /** The folder of prebuilt objects. */
  readonly objects: string;
}

function slashes(path: string): string {
  return resolve(path).replaceAll('\\', '/');
}

/** What the Kraftfile says; what reads it is loaded only where there is one. */
async function projectOf(files: SeenFiles, app: string): Promise<Project> {
  const path = kraftfileNames.map((name) => `${app}/${name}`).find((each) => files.kind(each) === 'file');
  return path === undefined ? NO_KRAFTFILE : (await import('./project')).readProject(files, app, path);
}

const NO_KRAFTFILE: Project = {
  name: undefined,
  options: () => '',
  libraries: [],
  targets: [],
  rootfs: undefined,
  command: [],
  problems: [],
};

/** Whether a folder is laid out as a pool. */
export function isPool(dir: string): boolean {
  return ['Config.uk', 'Makefile.uk', 'lib', 'plat', 'arch', 'include'].every((name) => existsSync(`${dir}/${name}`));
}

/** The pool that an application lies in, else the one beside the program. */
export function findPool(app: string): string | undefined {
  for (let dir = dirname(slashes(app)); ; dir = dirname(dir)) {
    if (isPool(dir)) return dir;
    if (dir === dirname(dir)) break;
  }
  return ['../library-pool', '../../library-pool'].map((up) => slashes(`${__dirname}/${up}`)).find(isPool);
}

/** The prebuilt objects beside the program: from dist/ as from src/build/. */
function ownPrebuilt(): string {
  return ['prebuilt', '../../dist/prebuilt'].map((p) => slashes(`${__dirname}/${p}`)).find((p) => existsSync(p)) ?? 'prebuilt';
}

/** A build that did not begin. */
export function failure(message: string, path: string): PoolBuildResult {
  const problem: BuildProblem = { path, line: 1, column: 1, severity: 'error', message, source: 'build' };
  return { ok: false, problems: [problem], images: [], compiled: 0, linked: false, plan: undefined, command: [] };
}

/** Builds. Never rejects: faults are problems. */
export async function buildPool(options: PoolBuildOptions): Promise<PoolBuildResult> {
  const app = slashes(options.app);
  if (!existsSync(app)) return failure(`There is no folder ${app}.`, app);
  for (const name of ['Makefile.uk', 'Config.uk'])
    if (!existsSync(`${app}/${name}`)) {
      // Whoever has one of these, and no more, is looking for a core.
      const forCore = [...kraftfileNames, 'Makefile'].map((file) => `${app}/${file}`).find((file) => existsSync(file));
      if (forCore !== undefined)
        return failure(
          `There is no Unikraft core to build ${app} on. Put one into .unikraft/unikraft or workdir/unikraft there (kraft and catalog-core do), or name it with UK_ROOT or --root.`,
          forCore,
        );
      return failure(
        `${app} is not a pool application: it has no ${name}. It needs a Makefile.uk that names its sources and a Config.uk.`,
        app,
      );
    }
  const pool = options.pool === undefined ? findPool(app) : slashes(options.pool);
  if (pool === undefined || !isPool(pool))
    return failure(`${pool ?? 'Nothing above the application'} is not a library pool; name its folder with --pool.`, app);

  const build = buildFolder(options);
  const known = options.planned ? undefined : unchangedBuild(options, build);
  if (known) return unchangedResult(known);
  try {
    mkdirSync(build, { recursive: true });
  } catch (error) {
    return failure(`The build folder cannot be made: ${String(error)}`, build);
  }
  const files = options.files ?? new SeenFiles();
  const project = await projectOf(files, app);
  if (project.problems.some((p) => p.severity === 'error')) return { ...failure('', app), problems: project.problems };
  const libraries = [...new Set([...project.libraries, ...(options.libraries ?? []).map(slashes)])];
  for (const library of libraries) {
    const fault = !existsSync(library) ? 'does not exist' : existsSync(`${library}/Makefile.uk`) ? '' : 'has no Makefile.uk';
    if (fault !== '')
      return failure(
        `The library folder ${library} ${fault}: nothing of it can be built. Name the folder that holds its Makefile.uk.`,
        library,
      );
  }
  const targets = options.targets ?? project.targets;
  const extra = targets.map((t) => (TARGETS[t] ? `CONFIG_${TARGETS[t].option}=y` : '')).join('\n');
  const order: PoolOrder = {
    files,
    pool,
    app,
    build,
    libraries,
    project,
    targets,
    asked: askedConfiguration(files, app, project.options(targets[0]), extra),
    name: options.name ?? project.name ?? basename(app),
    rootfs: options.rootfs === undefined ? project.rootfs : slashes(options.rootfs),
    objects: options.prebuiltFolder ?? ownPrebuilt(),
  };
  const kept = await buildKept(order, options);
  if (kept) return kept;
  options.planning?.();
  return (await import('./plan-and-run.node.js')).planAndRun(order, options);
}
