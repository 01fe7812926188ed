/** The part of `unikernel build` that builds applications of the starter pool by our builder, and hands on what Unikraft's make builds. */

import { join } from 'node:path';
import { TARGETS } from '../build/pool-targets';
import { buildPool, isPool, type PoolBuildOptions } from '../build/pool-build.node';
import { SeenFiles } from '../build/stamp.node';
import { kraftfileNames } from '../kraftfile/schema';
import { absolute, type BuildArguments, cancellable, reportBuild, usage } from './build';
import { loadCompiled } from '../../debug-adapter/compiled-bundle.node';
import { type CliIo } from './io';

/** Finds out who builds a folder, and has it built; resolves to the exit status. */
export async function runBuild(dir: string, args: BuildArguments, options: PoolBuildOptions, io: CliIo): Promise<number> {
  const root = args.value('--root') ?? io.env['UK_ROOT'] ?? '';
  const files = new SeenFiles();
  // A pool that is named is what the application is for, wherever UK_ROOT points.
  const named = args.value('--pool') !== undefined;
  const make = named || isPlainApplication(files, dir) ? undefined : await import('./build-make');
  const project = make?.makeProjectOf(files, dir, root === '' ? '' : absolute(root, io.cwd));
  if (args.flags.has('--targets')) {
    const names = project?.targets.map(({ name }) => name) ?? Object.keys(TARGETS);
    io.stdout(args.flags.has('--json') ? `${JSON.stringify(names)}\n` : names.map((name) => `${name}\n`).join(''));
    return 0;
  }
  if (make && project) return make.buildByMake(project, args, io);
  const onlyMake = args.flags.has('--reconfigure') ? '--reconfigure' : args.value('--do') !== undefined ? '--do' : undefined;
  if (onlyMake !== undefined) return usage(io, `${onlyMake} is for projects on a Unikraft tree, and none was found in ${dir}.`);
  return buildByUs(args, { ...options, files }, io);
}

/** Whether a folder is an application in a starter pool that says nothing of another core, so that no project need be looked for. */
function isPlainApplication(files: SeenFiles, dir: string): boolean {
  const apps = dir.slice(0, dir.lastIndexOf('/'));
  if (!apps.endsWith('/app') || !isPool(apps.slice(0, -'/app'.length))) return false;
  return [...kraftfileNames, 'Makefile'].every((name) => files.kind(`${dir}/${name}`) === undefined);
}

async function buildByUs(args: BuildArguments, options: PoolBuildOptions, io: CliIo): Promise<number> {
  const { flags, targets } = args;
  const unknown = targets.find((t) => !Object.hasOwn(TARGETS, t));
  if (unknown !== undefined) return usage(io, `There is no target ${unknown}; there are ${Object.keys(TARGETS).join(' and ')}.`);
  const started = process.uptime();
  const quiet = flags.has('--quiet') || flags.has('--json');
  const result = await cancellable((signal) =>
    buildPool({
      ...options,
      signal,
      planning: () => loadCompiled(join(__dirname, 'cli-build-plan.js')),
      ...(!quiet && { progress: (verb: string, what: string) => io.stderr(`  ${verb.padEnd(6)}${what}\n`) }),
    }),
  );
  return reportBuild(result, result.ok ? 0 : 1, 1000 * (process.uptime() - started), args, io);
}
