/** Runs a plan: compilers in parallel, and nothing that is up to date. */

import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { writeCpio } from './cpio';
import { readTree } from './cpio.node';
import { type BuiltImage, fault, stopFault, writeImage, writeLinked } from './image-files.node';
import { ldScript } from './link/layout';
import { type LinkSources, linkStep } from './link-step';
import { type BuildPlan, type CompileStep, type ImageStep, type LinkStep, type WriteStep } from './plan';
import { type BuildProblem, parseProblems } from './problems';
import { type BuildState, hashOf } from './state.node';
import { findProgram } from './toolchain.node';

/** How to run a plan. */
export interface RunOptions {
  /** Compilers at a time; default: as many as there are processors. */
  readonly jobs?: number;
  readonly linker: 'own' | 'ld';
  /** The folder that compilers run in; default: the plan's. */
  readonly directory?: string;
  readonly env: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
  /** Objects that need not be compiled, instead of a compiler. */
  readonly prebuilt?: PrebuiltUse;
  /** A folder to pack as the images' initial RAM disk, or an archive to take as it is. */
  readonly rootfs?: string;
  /** Told before each step that is done. */
  readonly progress?: (verb: string, what: string) => void;
}

/** Objects in place of a compiler. */
export interface PrebuiltUse {
  /** Name of the object for a step, a hash of its content; undefined where there is none. */
  readonly find: (step: CompileStep) => string | undefined;
  /** Bytes of a named object. */
  readonly read: (name: string) => Uint8Array;
  /** Name of the object that comes before all others in a link. */
  readonly first: string;
  /** How debug information in them names folders, and what these are: [in the objects, here]. */
  readonly folders: readonly (readonly [string, string])[];
  /** Why nothing is compiled, and what to do; follows the name of a source that would have to be. */
  readonly reason: string;
}

/** What a run did. */
export interface RunResult {
  readonly ok: boolean;
  readonly problems: readonly BuildProblem[];
  readonly images: readonly BuiltImage[];
  readonly compiled: number;
  readonly linked: boolean;
}

/** Runs the steps of a plan. Never rejects: faults are problems. */
export async function runPlan(plan: BuildPlan, state: BuildState, given: RunOptions): Promise<RunResult> {
  const options = { directory: plan.directory, ...given };
  const problems: BuildProblem[] = [...plan.problems];
  const images: BuiltImage[] = [];
  let compiled = 0;
  let linked = false;
  const failed = (): boolean => problems.some((p) => p.severity === 'error');
  try {
    if (!failed()) {
      for (const step of plan.steps) if (step.kind === 'write') writeText(step, state);
      const compiles = plan.steps.filter((s): s is CompileStep => s.kind === 'compile');
      const { prebuilt } = options;
      const objects = prebuilt && findObjects(compiles, prebuilt, problems);
      if (!objects) compiled = await compileAll(compiles, state, options, problems);
      const initrd = options.rootfs === undefined || failed() ? undefined : packRootfs(options.rootfs, plan.directory, state, options);
      for (const step of plan.steps) {
        if (failed() || options.signal?.aborted) break;
        if (step.kind === 'link') linked = await link(step, state, options, problems, objects);
        else if (step.kind === 'image') images.push({ ...image(step, state, options), ...(initrd !== undefined && { initrd }) });
      }
    }
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    problems.push(stopFault(error, options.directory));
  }
  if (options.signal?.aborted) problems.push(fault('The build was cancelled.'));
  try {
    state.save();
  } catch (error) {
    problems.push({
      ...fault(`The record of this build could not be written, so the next one does again what this one did: ${String(error)}`),
      severity: 'warning',
    });
  }
  return { ok: !failed(), problems, images: failed() ? [] : images, compiled, linked };
}

/** Leaves a file alone that has this text already, so that what depends on it stays up to date. */
export function writeText(step: WriteStep, state: BuildState): void {
  if (state.fileHash(step.output) === hashOf(step.text)) return;
  mkdirSync(dirname(step.output), { recursive: true });
  writeFileSync(step.output, step.text);
  state.changed(step.output);
}

/** Runs the compilers that are needed, several at a time; faults go to `problems`. Result: how many ran. */
export async function compileAll(
  steps: readonly CompileStep[],
  state: BuildState,
  options: RunOptions,
  problems: BuildProblem[],
): Promise<number> {
  const stale: { step: CompileStep; key: string }[] = [];
  for (const step of steps) {
    const key = hashOf(step.argv.join('\0'));
    const log = state.upToDate(step.object, key);
    if (log === undefined) stale.push({ step, key });
    else if (log !== '') problems.push(...parseProblems(log, 'gcc'));
  }
  for (const dir of new Set(stale.map(({ step }) => dirname(step.object)))) mkdirSync(dir, { recursive: true });
  const queue = stale.values();
  const worker = async (): Promise<void> => {
    for (const { step, key } of queue) {
      if (options.signal?.aborted) return;
      options.progress?.(
        /\.[sS]$/.test(step.source) ? 'AS' : 'CC',
        `${step.library}: ${step.source.slice(step.source.lastIndexOf('/') + 1)}`,
      );
      const started = Date.now();
      const { code, output } = await execute(step.argv, options);
      problems.push(...parseProblems(output, 'gcc'));
      if (code === 0) state.done(step.object, key, readDependencies(step), [step.object], output, started);
      else if (!options.signal?.aborted && !parseProblems(output, 'gcc').some((p) => p.severity === 'error'))
        problems.push(fault(`${step.argv[0]} ended with status ${code}: ${output.trim() || 'it said nothing'}`, step.source));
    }
  };
  await Promise.all(Array.from({ length: Math.min(options.jobs ?? availableParallelism(), stale.length) }, worker));
  return stale.length;
}

/** Files that a compilation read. */
export function readDependencies(step: CompileStep): string[] {
  try {
    return dependenciesOf(readFileSync(step.depFile, 'utf8'));
  } catch {
    return [step.source];
  }
}

/** Files that a dependency file names (make's syntax with escaped blanks). */
export function dependenciesOf(text: string): string[] {
  const body = text.replace(/\\\r?\n/g, ' ').replace(/^[^\n]*?:(?=\s)/, '');
  return (body.match(/(?:\\.|[^\s\\])+/g) ?? []).map((word) => word.replace(/\\(.)/g, '$1').replace(/\$\$/g, '$'));
}

/** Prebuilt objects by the name that the plan has for them. */
function findObjects(steps: readonly CompileStep[], prebuilt: PrebuiltUse, problems: BuildProblem[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const step of steps) {
    const path = prebuilt.find(step);
    if (path !== undefined) found.set(step.object, path);
    else problems.push(fault(`${step.source.slice(step.source.lastIndexOf('/') + 1)} of ${step.library} ${prebuilt.reason}`, step.source));
  }
  return found;
}

async function link(
  step: LinkStep,
  state: BuildState,
  options: RunOptions,
  problems: BuildProblem[],
  prebuilt: ReadonlyMap<string, string> | undefined,
): Promise<boolean> {
  const all = step.groups.flatMap((g) => g.objects);
  // Names of prebuilt objects are hashes of them: what they hold need not be looked at again.
  const objects = all.filter((path) => !prebuilt?.has(path));
  const key = hashOf(JSON.stringify([step, options.linker, options.prebuilt?.folders, prebuilt && [...prebuilt.values()]]));
  if (state.upToDate(step.output, key) !== undefined) return false;
  const started = Date.now();
  options.progress?.('LD', step.output.slice(step.output.lastIndexOf('/') + 1));
  if (options.linker === 'own') {
    const result = linkStep(step, inputsOf(options, prebuilt));
    // The reader of debug information is needed for faults alone.
    if (result.problems.length > 0)
      problems.push(...(await import('./link/sources')).withSources(result.problems, options.prebuilt?.folders));
    if (!result.bytes) return false;
    writeLinked(step, result.bytes, result, options.directory ?? '');
    state.done(step.output, key, objects, [step.output, step.map], '', started);
    return true;
  }
  const first = prebuilt && extract(all, step, inputsOf(options, prebuilt));
  const script = `${step.output}.lds`;
  writeFileSync(script, ldScript(step.layout));
  const ld = findProgram('ld', options.env);
  if (!ld) {
    problems.push(fault('There is no GNU ld on this machine; leave out --linker ld.'));
    return false;
  }
  const gc = step.gcSections ? ['--gc-sections', ...step.entries.flatMap((e) => ['-u', e])] : [];
  const argv: [string, ...string[]] = [
    ld,
    '-nostdlib',
    '-static',
    '--build-id=none',
    '--no-warn-rwx-segments',
    '-z',
    'noexecstack',
    ...gc,
    '-e',
    step.entries[0] ?? '0',
    '-T',
    script,
    '-o',
    step.output,
    ...(first ?? []),
    ...all,
  ];
  const { code, output } = await execute(argv, options);
  const found = parseProblems(output, 'ld');
  problems.push(...found);
  if (code === 0) {
    state.done(step.output, key, objects, [step.output], output, started);
    return true;
  }
  if (!found.some((p) => p.severity === 'error')) problems.push(fault(`ld ended with status ${code}: ${output.trim()}`));
  return false;
}

/** Where a link's objects come from. */
function inputsOf({ prebuilt: use }: RunOptions, prebuilt: ReadonlyMap<string, string> | undefined): LinkSources {
  if (!use || !prebuilt) return { read: (path) => readFileSync(path) };
  return {
    read: (path) => (prebuilt.has(path) ? use.read(prebuilt.get(path)!) : readFileSync(path)),
    first: { name: use.first, bytes: use.read(use.first) },
    folders: use.folders,
  };
}

/** Puts prebuilt objects where the plan has them, for a linker that reads files. Result: what comes before them. */
function extract(objects: readonly string[], step: LinkStep, { read, first }: LinkSources): string[] {
  for (const path of objects) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, read(path));
  }
  if (!first) return [];
  writeFileSync(`${step.output}.strings.o`, first.bytes);
  return [`${step.output}.strings.o`];
}

/** The archive of a root file system; written again only where a name, a mode, a link or a file's content has changed. */
function packRootfs(source: string, build: string, state: BuildState, options: RunOptions): string {
  if (!statSync(source).isDirectory()) return source;
  const output = `${build}/initrd.cpio`;
  const entries = readTree(source);
  const key = hashOf(JSON.stringify(entries.map((e) => [e.path, e.kind, e.mode, e.kind === 'symlink' ? hashOf(e.data) : ''])));
  if (state.upToDate(output, key) !== undefined) return output;
  const started = Date.now();
  options.progress?.('CPIO', output.slice(output.lastIndexOf('/') + 1));
  writeFileSync(output, writeCpio(entries));
  const inputs = entries.filter((e) => e.kind === 'file').map((e) => `${source}/${e.path}`);
  state.done(output, key, inputs, [output], '', started);
  return output;
}

function image(step: ImageStep, state: BuildState, options: RunOptions): BuiltImage {
  const result = { target: step.target, image: step.image, symbols: step.symbols };
  const key = hashOf(JSON.stringify(step));
  if (state.upToDate(step.image, key) !== undefined) return result;
  const started = Date.now();
  options.progress?.('IMAGE', step.image.slice(step.image.lastIndexOf('/') + 1));
  writeImage(step, readFileSync(step.input));
  state.done(step.image, key, [step.input], [step.image, step.symbols], '', started);
  return result;
}

/** Runs a program; stdout and stderr together. A cancelled run ends the whole process group. What starts processes is loaded where one is started. */
async function execute(argv: readonly [string, ...string[]], options: RunOptions): Promise<{ code: number; output: string }> {
  const { runProgram } = await import('./process.node.js');
  const parts: string[] = [];
  const end = await runProgram(argv, {
    directory: options.directory ?? '.',
    env: options.env,
    output: (text) => parts.push(text),
    ...(options.signal && { signal: options.signal }),
  });
  return { code: end.code, output: parts.join('') + (end.fault ?? '') };
}
