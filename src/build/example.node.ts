/** Builds the example that the package carries: an image with symbols and the sources that they name, at paths relative to their folder. */

import { copyFileSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type BuildPlan } from './plan';
import { buildPool } from './pool-build.node';
import { formatProblem } from './problems';

const APP = 'hello';

/**
 * Makes `outDir` (e.g. dist/examples/hello): `hello_qemu-x86_64`, its `.dbg`, and below `library-pool/` and `libsyscall_shim/` the sources.
 * The names in the debug information are relative to `outDir`, wherever that is moved to. `root` is the repository.
 * `prebuilt` is the folder that makePrebuilt() has made.
 * @throws Error with all problems where the build fails.
 */
export async function buildExample(root: string, outDir: string, prebuilt: string): Promise<void> {
  const { pool, build, out, plan } = await buildInto(root, APP, outDir, prebuilt);
  // The generated sources, and the whole pool with the one application, so that the example can be configured and built again.
  for (const step of plan.steps) {
    if (step.kind !== 'write' || !step.output.startsWith(`${build}/`)) continue;
    const to = `${out}/${step.output.slice(build.length + 1)}`;
    mkdirSync(dirname(to), { recursive: true });
    writeFileSync(to, step.text);
  }
  for (const name of poolFiles(pool)) {
    mkdirSync(dirname(`${out}/library-pool/${name}`), { recursive: true });
    copyFileSync(`${pool}/${name}`, `${out}/library-pool/${name}`);
  }
}

/** Makes `outDir` with the unikernel that runs Linux programs, and its symbols. @throws as buildExample() does. */
export async function buildLoader(root: string, outDir: string, prebuilt: string): Promise<void> {
  await buildInto(root, 'elfloader', outDir, prebuilt);
}

/** Builds an application of the pool, and puts its images into a folder of their own. */
async function buildInto(
  root: string,
  app: string,
  outDir: string,
  prebuilt: string,
): Promise<{ pool: string; build: string; out: string; plan: BuildPlan }> {
  const out = resolve(outDir).replaceAll('\\', '/');
  const pool = `${resolve(root).replaceAll('\\', '/')}/library-pool`;
  const build = `${resolve(root).replaceAll('\\', '/')}/out/examples/${app}`;
  const result = await buildPool({
    app: `${pool}/app/${app}`,
    pool,
    build,
    env: process.env,
    prebuilt: 'always',
    prebuiltFolder: resolve(prebuilt),
    planned: true,
    prefixMap: [
      [pool, 'library-pool'],
      [build, '.'],
    ],
  });
  if (!result.ok || !result.plan) throw new Error(result.problems.map(formatProblem).join('\n'));
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  for (const { image, symbols } of result.images)
    for (const path of [image, symbols]) copyFileSync(path, `${out}/${path.slice(path.lastIndexOf('/') + 1)}`);
  return { pool, build, out, plan: result.plan };
}

/** Paths below the pool of its libraries and the one application. */
function poolFiles(pool: string): string[] {
  return readdirSync(pool, { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => !name.includes('/build/') && (!name.startsWith('app/') || name.startsWith(`app/${APP}/`)))
    .filter((name) => statSync(`${pool}/${name}`).isFile());
}
