/** Builds from prebuilt objects where a plan is kept for the build: texts, link, images, and nothing else is done or loaded. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { type BuiltImage, fault, stopFault, writeImage, writeLinked } from './image-files.node';
import { linkStep } from './link-step';
import { type PoolBuildOptions, type PoolBuildResult, type PoolOrder } from './pool-build.node';
import { Prebuilt, PREBUILT_BUILD, PREBUILT_POOL } from './prebuilt.node';
import { findPlan, KEPT_INDEX, KEPT_PARTS, KEPT_TEXTS, type KeptPlan } from './prebuilt-plans.node';
import { type BuildProblem } from './problems';
import { stampBuild } from './stamp.node';
import { candidates } from './toolchain.node';

/** Builds; undefined where no plan is kept for this, or a compiler is to be used. */
export async function buildKept(order: PoolOrder, options: PoolBuildOptions): Promise<PoolBuildResult | undefined> {
  const { files, pool, app, build, libraries, targets, asked, name, rootfs, objects } = order;
  const compiler = options.prebuilt === 'never' || (options.prebuilt !== 'always' && candidates(options.env).next().done !== true);
  const special = options.planned === true || options.linker === 'ld' || options.prefixMap !== undefined;
  if (compiler || special || libraries.length > 0 || rootfs !== undefined || name !== basename(app)) return undefined;
  const prebuilt = Prebuilt.open(objects);
  const plan = prebuilt && findPlan(objects, { folders: { pool, build }, app, targets, asked: asked.text }, files);
  if (!plan) return undefined;
  const problems: BuildProblem[] = [];
  let images: BuiltImage[] = [];
  try {
    if (!options.signal?.aborted) images = await run(plan, prebuilt, order, options, problems);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    problems.push(stopFault(error, build));
  } finally {
    prebuilt.close();
  }
  if (options.signal?.aborted) problems.push(fault('The build was cancelled.'));
  const ok = !problems.some((p) => p.severity === 'error');
  const { command } = order.project;
  if (ok) {
    for (const path of [...prebuilt.files, ...[KEPT_INDEX, KEPT_PARTS, KEPT_TEXTS].map((name) => `${objects}/${name}`)]) files.note(path);
    const linked = [plan.link.output, plan.link.map, ...images.flatMap((i) => [i.image, i.symbols])];
    const made = [...plan.writes.map(([path]) => path), ...linked, `${build}/config`];
    stampBuild({ options, build, files, toolchain: undefined, made, rootfs, result: { problems, images, command } });
  }
  return { ok, problems, images: ok ? images : [], compiled: 0, linked: ok, plan: undefined, command };
}

/** Writes all files of the build. Result: the images; none where the link failed. */
async function run(
  { config, writes, link, images, objects }: KeptPlan,
  prebuilt: Prebuilt,
  { files, pool, build }: PoolOrder,
  options: PoolBuildOptions,
  problems: BuildProblem[],
): Promise<BuiltImage[]> {
  for (const [path, text] of [...writes, [`${build}/config`, config] as const]) {
    if (files.readText(path) === text) continue;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  options.progress?.('LD', basename(link.output));
  const folders = [
    [PREBUILT_POOL, pool],
    [PREBUILT_BUILD, build],
  ] as const;
  const { first } = prebuilt;
  const result = linkStep(link, {
    read: (path) => prebuilt.read(objects.get(path)!),
    first: { name: first, bytes: prebuilt.read(first) },
    folders,
  });
  if (result.problems.length > 0) problems.push(...(await import('./link/sources')).withSources(result.problems, folders));
  const { bytes } = result;
  if (!bytes) return [];
  writeLinked(link, bytes, result, build);
  return images.map((step) => {
    options.progress?.('IMAGE', basename(step.image));
    writeImage(step, bytes);
    return { target: step.target, image: step.image, symbols: step.symbols };
  });
}
