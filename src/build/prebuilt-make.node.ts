/** Compiles the starter pool's libraries for the configurations that people start from, so that images can be made without a compiler. */

import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { NodeFiles } from '../shared/files.node';
import { type AskedConfiguration, askedConfiguration, overlayConfigs } from './configuration';
import { configure } from './configure';
import { type BuildPlan, type CompileStep, planBuild } from './plan';
import { TARGETS } from './pool-targets';
import {
  PREBUILT_BUILD,
  PREBUILT_PACK,
  PREBUILT_POOL,
  PREBUILT_VERSION,
  type PrebuiltIndex,
  prebuiltToolchain,
  toPortable,
} from './prebuilt.node';
import { PlanRecorder, WatchedFiles } from './prebuilt-record.node';
import { shareDebugTables } from './prebuilt-share.node';
import { type PrebuiltPlaces, type PrebuiltUnit, PrebuiltUnits, toReal, unitId, unitsPath } from './prebuilt-units.node';
import { type BuildProblem, formatProblem } from './problems';
import { compileAll, readDependencies, writeText } from './runner.node';
import { BuildState, hashOf } from './state.node';
import { noCompilerMessage } from './toolchain';
import { findToolchain } from './toolchain-probe.node';
import { compilerNames } from './toolchain.node';

/** Options besides the defaults that a package carries objects for; each is tried alone over each application. */
const VARIATIONS = [
  'CONFIG_OPTIMIZE_NONE=y',
  'CONFIG_OPTIMIZE_SIZE=y',
  'CONFIG_OPTIMIZE_DEADELIM=y',
  'CONFIG_LIBUKSCHED=y',
  'CONFIG_LIBSYSCALL_SHIM_HANDLER=y',
  '# CONFIG_LIBUKBOOT_BANNER is not set',
  '# CONFIG_PC_BOOT_LXBOOT is not set',
  '# CONFIG_APPHELLO_BINARY is not set',
];

/**
 * Makes `outDir` (e.g. dist/prebuilt): objects and their index; `all` adds the variations. `root` is the repository.
 * @throws Error with all problems where something does not compile, e.g. without a compiler.
 */
export async function makePrebuilt(root: string, outDir: string, all: boolean): Promise<void> {
  const base = resolve(root).replaceAll('\\', '/');
  const pool = `${base}/library-pool`;
  const out = resolve(outDir).replaceAll('\\', '/');
  const state = new BuildState(mkdirFor(`${base}/out/prebuilt/.state.json`));
  const found = findToolchain(process.env, state.toolchain);
  if (!found) throw new Error(noCompilerMessage(compilerNames(process.env), process.platform));
  state.toolchain = found;

  const units = new PrebuiltUnits({});
  const { kind, version } = found.toolchain;
  const objects = new Map<string, string>();
  const plans = new PlanRecorder();
  for (const app of readdirSync(`${pool}/app`).sort(largestFirst)) {
    for (const variation of ['', ...(all ? VARIATIONS : [])]) {
      const build = `${base}/out/prebuilt/${app}${variation === '' ? '' : `-${hashOf(variation).replace(/\W/g, '').slice(0, 8)}`}`;
      const made = { pool, app: `${pool}/app/${app}`, build };
      const files = new NodeFiles();
      const { config, problems } = configure({ files, ...made, asked: askedConfiguration(files, made.app, '', variation) });
      const plan = planBuild({
        files,
        ...made,
        config,
        toolchain: found.toolchain,
        targets: Object.entries(TARGETS).flatMap(([name, t]) => (config.values.get(t.option) === 'y' ? [name] : [])),
        prefixMap: [
          [pool, PREBUILT_POOL],
          [build, PREBUILT_BUILD],
        ],
      });
      const faults: BuildProblem[] = [...problems, ...plan.problems];
      for (const step of plan.steps) if (step.kind === 'write') writeText(step, state);
      units.forget();
      const places: PrebuiltPlaces = { files, pool, build, config };
      const missing = plan.steps.filter((s): s is CompileStep => s.kind === 'compile' && units.find(s, places) === undefined);
      await compileAll(missing, state, { linker: 'own', env: process.env, directory: build }, faults);
      if (faults.some((p) => p.severity === 'error')) throw new Error(faults.map(formatProblem).join('\n'));
      for (const step of missing) {
        const unit = unitFor(units.units, step, places);
        const name = objectName(readFileSync(step.object));
        unit.objects[units.key(step, unit, places)] = name;
        objects.set(name, step.object);
      }
      for (const targets of [undefined, ...Object.keys(TARGETS).map((t) => [t])])
        keepPlan(plans, units, made, variation, targets, prebuiltToolchain({ kind, version }));
    }
  }
  state.save();
  writePack(out, { kind, version }, units, plans, objects);
}

/** Writes down the plan that a build without a compiler has for an application. */
function keepPlan(
  plans: PlanRecorder,
  units: PrebuiltUnits,
  made: { readonly pool: string; readonly app: string; readonly build: string },
  variation: string,
  targets: readonly string[] | undefined,
  toolchain: ReturnType<typeof prebuiltToolchain>,
): void {
  const files = new WatchedFiles(new NodeFiles());
  const extra = (targets ?? []).map((t) => `CONFIG_${TARGETS[t]!.option}=y`);
  const asked: AskedConfiguration = askedConfiguration(new NodeFiles(), made.app, '', [variation, ...extra].join('\n'));
  const { config, text, problems } = configure({ files, ...made, asked });
  const plan: BuildPlan = planBuild({ files, ...made, config, toolchain, ...(targets && { targets }) });
  if (problems.length > 0 || plan.problems.length > 0) return;
  const objects = new Map<string, string>();
  for (const step of plan.steps) {
    if (step.kind !== 'compile') continue;
    const found = units.find(step, { files, pool: made.pool, build: made.build, config });
    if (!found) return;
    objects.set(step.object, found.name);
    for (const file of found.unit.files) files.readText(toReal(file, made));
  }
  // Once as somebody writes it, once as the configuration editor leaves it.
  const questions = [asked.text, overlayConfigs([text, ...extra])].map((each) => ({ app: made.app, targets, asked: each }));
  plans.add({ questions, folders: made, plan, config: text, files, objects });
}

/** Writes the folder whole or not at all. `objects` has the path of each object by its name. */
function writePack(
  out: string,
  toolchain: PrebuiltIndex['toolchain'],
  { units }: PrebuiltUnits,
  plans: PlanRecorder,
  objects: ReadonlyMap<string, string>,
): void {
  const inputs = [...objects].map(([name, path]) => ({ name, bytes: readFileSync(path) }));
  const ofPlace = (text: string): boolean => [PREBUILT_POOL, PREBUILT_BUILD].some((folder) => text.startsWith(folder));
  const shared = shareDebugTables(inputs, ofPlace);
  const first = objectName(shared.first);
  const places: Record<string, [number, number]> = {};
  const parts: Uint8Array[] = [];
  let length = 0;
  for (const { name, bytes } of [...shared.objects, { name: first, bytes: shared.first }]) {
    places[name] = [length, bytes.length];
    parts.push(bytes);
    length += bytes.length;
  }
  const temporary = `${out}.new`;
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(temporary, { recursive: true });
  writeFileSync(`${temporary}/${PREBUILT_PACK}`, Buffer.concat(parts));
  const index: PrebuiltIndex = { version: PREBUILT_VERSION, toolchain, places, first };
  writeFileSync(`${temporary}/index.json`, JSON.stringify(index));
  writeFileSync(unitsPath(temporary), JSON.stringify(units));
  plans.write(temporary);
  rmSync(out, { recursive: true, force: true });
  renameSync(temporary, out);
}

function objectName(bytes: Uint8Array): string {
  return hashOf(bytes).replace(/\W/g, '').slice(0, 20);
}

/** The loader has most libraries: what it compiles serves the others. */
function largestFirst(a: string, b: string): number {
  return Number(b === 'elfloader') - Number(a === 'elfloader') || (a < b ? -1 : 1);
}

function mkdirFor(path: string): string {
  mkdirSync(dirname(path), { recursive: true });
  return path;
}

/** The record that a step's object belongs to. What a source names decides which headers it reads, so a record's list is complete for its key. */
function unitFor(units: Record<string, PrebuiltUnit[]>, step: CompileStep, places: PrebuiltPlaces): PrebuiltUnit {
  const header = `${places.build}/include/uk/bits/config.h`;
  const read = readDependencies(step).filter((p) => p !== header && (p.startsWith(`${places.pool}/`) || p.startsWith(`${places.build}/`)));
  const named = read.flatMap((path) => [...readFileSync(path, 'utf8').matchAll(/\bCONFIG_([A-Za-z0-9_]+)/g)].map((m) => m[1]!));
  const symbols = [...new Set(named)].sort();
  const files = read.map((p) => toPortable(p, places)).sort();
  const list = (units[unitId(step, places)] ??= []);
  const known = list.find((u) => u.symbols.join() === symbols.join() && u.files.join() === files.join());
  if (known) return known;
  const made: PrebuiltUnit = { symbols, files, objects: {} };
  list.push(made);
  return made;
}
