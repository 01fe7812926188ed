/** Builds the example that the package carries: an image with symbols and the sources that they name, at paths relative to their folder. */

import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { buildPool, type PoolBuildResult } from './pool-build.node';
import { formatProblem } from './problems';
import { type CompileStep } from './plan';
import { dependenciesOf } from './runner.node';

const APP = 'hello';

/**
 * Makes `outDir` (e.g. dist/examples/hello): `hello_qemu-x86_64`, its `.dbg`, and below `library-pool/` and `libsyscall_shim/` the sources.
 * The names in the debug information are relative to `outDir`, wherever that is moved to. `root` is the repository.
 * @throws Error with all problems where the build fails, e.g. without a compiler.
 */
export async function buildExample(root: string, outDir: string): Promise<PoolBuildResult> {
  const out = resolve(outDir).replaceAll('\\', '/');
  const pool = `${resolve(root).replaceAll('\\', '/')}/library-pool`;
  const build = `${resolve(root).replaceAll('\\', '/')}/out/examples/${APP}`;
  const result = await buildPool({
    app: `${pool}/app/${APP}`,
    pool,
    build,
    env: process.env,
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
  const sources = new Set(
    result.plan.steps.filter((s): s is CompileStep => s.kind === 'compile').flatMap((s) => dependenciesOf(readFileSync(s.depFile, 'utf8'))),
  );
  for (const source of sources) {
    const name = source.startsWith(`${pool}/`)
      ? `library-pool/${source.slice(pool.length + 1)}`
      : source.startsWith(`${build}/`)
        ? source.slice(build.length + 1)
        : undefined;
    if (name === undefined) continue;
    mkdirSync(dirname(`${out}/${name}`), { recursive: true });
    copyFileSync(source, `${out}/${name}`);
  }
  // The descriptions of all libraries, so that the example can be configured and built again.
  for (const name of descriptions(pool)) {
    mkdirSync(dirname(`${out}/library-pool/${name}`), { recursive: true });
    copyFileSync(`${pool}/${name}`, `${out}/library-pool/${name}`);
  }
  return result;
}

/** Paths below the pool of what describes its libraries and its one application. */
function descriptions(pool: string): string[] {
  return readdirSync(pool, { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll('\\', '/'))
    .filter(
      (name) =>
        /(\.uk|(^|\/)version\.mk|(^|\/)defconfig)$/.test(name) &&
        !name.includes('/build/') &&
        (!name.startsWith('app/') || name.startsWith(`app/${APP}/`)),
    );
}
