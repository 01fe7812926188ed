/** Builds a pool application by a plan made for it: configuration, plan, run; with a compiler, or from prebuilt objects. */

import { writeFileSync } from 'node:fs';
import { configure } from './configure';
import { planBuild } from './plan';
import { failure, type PoolBuildOptions, type PoolBuildResult, type PoolOrder } from './pool-build.node';
import { Prebuilt, PREBUILT_BUILD, PREBUILT_POOL } from './prebuilt.node';
import { type PrebuiltPlaces, PrebuiltUnits, unitsPath } from './prebuilt-units.node';
import { type PrebuiltUse, runPlan } from './runner.node';
import { stampBuild } from './stamp.node';
import { BuildState } from './state.node';
import { noCompilerMessage } from './toolchain';
import { findToolchain } from './toolchain-probe.node';
import { compilerNames } from './toolchain.node';

/** Builds. Never rejects: faults are problems. */
export async function planAndRun(order: PoolOrder, options: PoolBuildOptions): Promise<PoolBuildResult> {
  const { files, pool, app, build, libraries, project, targets, asked, name, rootfs, objects } = order;
  const configured = configure({ files, pool, app, build, libraries, asked });
  if (configured.problems.some((p) => p.severity === 'error')) return { ...failure('', app), problems: configured.problems };

  const state = new BuildState(`${build}/.state.json`);
  const found = options.prebuilt === 'always' ? undefined : findToolchain(options.env, state.toolchain);
  const missing = noCompilerMessage(compilerNames(options.env), process.platform);
  const prebuilt = found || options.prebuilt === 'never' ? undefined : Prebuilt.open(objects);
  const toolchain = found?.toolchain ?? prebuilt?.toolchain;
  if (!toolchain) return failure(missing, app);
  const units = prebuilt && PrebuiltUnits.open(objects);
  state.toolchain = found;
  const plan = planBuild({
    files,
    pool,
    app,
    libraries,
    build,
    config: configured.config,
    toolchain,
    name,
    ...(targets.length > 0 && { targets }),
    ...(options.prefixMap && { prefixMap: options.prefixMap }),
  });
  const config = `${build}/config`;
  if (files.readText(config) !== configured.text) writeFileSync(config, configured.text);
  const places: PrebuiltPlaces = { files, pool, build, config: configured.config };
  const result = await runPlan(plan, state, {
    linker: options.linker ?? 'own',
    env: options.env,
    ...(rootfs !== undefined && { rootfs }),
    ...(prebuilt && units && { prebuilt: prebuiltUse(prebuilt, units, places, options, missing) }),
    ...(options.jobs !== undefined && { jobs: options.jobs }),
    ...(options.signal && { signal: options.signal }),
    ...(options.progress && { progress: options.progress }),
  });
  prebuilt?.close();
  const problems = [...configured.problems, ...result.problems];
  const { command } = project;
  if (result.ok) {
    const { inputs, outputs } = state.taken;
    const texts = plan.steps.flatMap((s) => (s.kind === 'write' ? [s.output] : []));
    const compared = prebuilt && units ? [...prebuilt.files, unitsPath(objects), ...units.compared] : [];
    for (const path of [...inputs, ...compared, ...(rootfs === undefined ? [] : [rootfs])]) files.note(path);
    const made = [...outputs, ...texts, config];
    stampBuild({ options, build, files, toolchain: found, made, rootfs, result: { problems, images: result.images, command } });
  }
  return { ...result, problems, plan, command };
}

function prebuiltUse(
  prebuilt: Prebuilt,
  units: PrebuiltUnits,
  places: PrebuiltPlaces,
  options: PoolBuildOptions,
  missing: string,
): PrebuiltUse {
  const named = new Map(options.prefixMap ?? []);
  return {
    find: (step) => units.find(step, places)?.name,
    read: (name) => prebuilt.read(name),
    first: prebuilt.first,
    folders: [
      [PREBUILT_POOL, named.get(places.pool) ?? places.pool],
      [PREBUILT_BUILD, named.get(places.build) ?? places.build],
    ],
    reason:
      options.prebuilt === 'always'
        ? 'does not come compiled with these options, and no compiler is to be used.'
        : `has to be compiled: only the pool's own libraries come compiled, and these for the usual options. ${missing}`,
  };
}
