/** Builds a project on an upstream Unikraft tree by its own make: configure, fetch, prepare, build, one library, clean. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseDotConfig } from '../../kconfig/dotconfig/read';
import { configurePool } from '../../pool/configuration';
import { upperName } from '../../pool/makefile';
import { type Files } from '../../shared/files';
import { NodeFiles } from '../../shared/files.node';
import { type BuildProblem } from '../problems';
import { runProgram } from '../process.node';
import { findProgram } from '../toolchain.node';
import { makeArguments, unusablePath, type MakeProject } from './command';
import { compileCommand, compileCommandsText, type CompileCommand } from './compile-commands';
import { MakeProgress, readStep, type MakeStep } from './progress';
import { missingPrograms, parseMakeOutput } from './problems';

/** What to do; `library` makes the object of one library alone. */
export type MakeAction = 'configure' | 'fetch' | 'prepare' | 'build' | 'clean' | 'properclean' | { readonly library: string };

/** What a configuration that is not there yet is made from. */
export interface MakeSeed {
  readonly path: string;
  /** In the form of a defconfig. */
  readonly text: string;
  /** The line of `path`, from 1, on which an option is chosen. */
  lineOf(symbol: string): number;
}

export interface MakeBuildOptions {
  readonly project: MakeProject;
  readonly action: MakeAction;
  readonly seed?: MakeSeed | undefined;
  /** Makes the configuration from the seed even where there is one. */
  readonly reconfigure?: boolean;
  /** Recipes at a time. */
  readonly jobs: number;
  readonly env: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal | undefined;
  /** What make and its programs write, as it comes. */
  readonly output?: (text: string) => void;
  /** Told of each step; `part` is how much of the build is done, 0 to 1, where that can be known. */
  readonly progress?: (step: MakeStep, part: number | undefined) => void;
}

export interface MakeBuildResult {
  readonly ok: boolean;
  readonly cancelled: boolean;
  readonly problems: readonly BuildProblem[];
  readonly images: readonly { readonly target: string; readonly image: string; readonly symbols: string }[];
  /** Source files that were compiled. */
  readonly compiled: number;
}

/** What is chosen where neither a configuration nor a seed is there: without a platform nothing would be built. */
const defaultSeed = 'CONFIG_ARCH_X86_64=y\nCONFIG_PLAT_KVM=y\nCONFIG_KVM_VMM_QEMU=y\n';
const imageName = /_((?:qemu|fc|kvm|firecracker|xen)-(?:x86_64|arm64|arm))$/;
/** Folders of a build that hold no objects of their own. */
const noObjects: ReadonlySet<string> = new Set(['origin', 'kconfig', 'include']);

/** Runs an action to its end. Never rejects: faults are problems. */
export async function makeBuild(options: MakeBuildOptions): Promise<MakeBuildResult> {
  const { project, action } = options;
  const refused = firstObstacle(options);
  if (refused !== undefined) return failure(refused.message, refused.path);
  const build = new MakeBuild(options);
  try {
    if (action === 'clean' || action === 'properclean') {
      if (existsSync(project.build)) await build.make([action]);
      return build.result();
    }
    mkdirSync(project.build, { recursive: true });
    mkdirSync(dirname(project.config), { recursive: true });
    await build.configure();
    if (action !== 'configure' && build.isWell) {
      build.countObjects();
      await build.make([typeof action === 'object' ? `${project.build}/${action.library}.o` : action === 'build' ? 'all' : action]);
      build.writeCompileCommands();
    }
    build.cleanUp();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return failure(`The build stopped: ${error.message}`, project.build);
  }
  return build.result();
}

function failure(message: string, path = ''): MakeBuildResult {
  const problem: BuildProblem = { path, line: 1, column: 1, severity: 'error', message, source: 'build' };
  return { ok: false, cancelled: false, problems: [problem], images: [], compiled: 0 };
}

/** What makes running make pointless, said before it is run. */
function firstObstacle({ project, env }: MakeBuildOptions): { readonly message: string; readonly path: string } | undefined {
  const { base, app, libraries, platforms = [], build } = project;
  const tree = existsSync(`${base}/Makefile`) && existsSync(`${base}/Config.uk`);
  if (!tree) return { message: `There is no Unikraft core in ${base}: it needs the files Makefile and Config.uk.`, path: base };
  const missing = [app, ...libraries, ...platforms].find((folder) => !existsSync(folder));
  if (missing !== undefined)
    return { message: `The folder ${missing} does not exist. Fetch it, or take it out of the project.`, path: missing };
  const unusable = unusablePath(project);
  if (unusable !== undefined) return { message: unusable, path: app };
  // Kconfig's own program is compiled once for a build folder.
  const once = existsSync(`${build}/kconfig/conf`) ? [] : ['flex', 'bison'];
  const compiler = env['COMPILER'] ?? `${env['CROSS_COMPILE'] ?? ''}gcc`;
  const absent = ['make', compiler.split('/').at(-1) === 'gcc' ? compiler : 'gcc', 'python3', ...once].filter(
    (name) => !findProgram(name, env),
  );
  return absent.length === 0 ? undefined : { message: missingPrograms(absent), path: '' };
}

class MakeBuild {
  private readonly problems: BuildProblem[] = [];
  private readonly files: Files = new NodeFiles();
  private cancelled = false;
  private failed = false;
  private progress = new MakeProgress(0, 0);
  /** Steps in the order in which they were announced; of those at the end, some may not be finished. */
  private readonly steps: MakeStep[] = [];

  constructor(private readonly options: MakeBuildOptions) {}

  get isWell(): boolean {
    return !this.failed && !this.cancelled;
  }

  /** Runs make for some goals and keeps what went wrong. */
  async make(goals: readonly string[], defconfig?: string): Promise<void> {
    const { project, jobs, env, signal, output, progress } = this.options;
    const parallel = goals.some((goal) => !/config$|clean$/.test(goal));
    const argv = ['make', ...makeArguments(project, goals, { ...(parallel && { jobs }), ...(defconfig !== undefined && { defconfig }) })];
    let text = '';
    let open = '';
    const read = (part: string): void => {
      text += part;
      output?.(part);
      const lines = (open + part).split('\n');
      open = lines.pop()!;
      for (const line of lines) {
        const step = readStep(line);
        if (!step) continue;
        this.steps.push(step);
        const done = this.progress.take(step);
        progress?.(step, done);
      }
    };
    const end = await runProgram(argv as [string, ...string[]], { directory: project.base, env, ...(signal && { signal }), output: read });
    this.cancelled ||= end.cancelled;
    if (end.cancelled) return;
    // Where make is content, nothing that was said is an error.
    const found = parseMakeOutput(text).filter(({ severity }) => end.code !== 0 || severity !== 'error');
    this.problems.push(...found.filter((each) => !this.problems.some((known) => JSON.stringify(known) === JSON.stringify(each))));
    if (end.code === 0) return;
    this.failed = true;
    if (!found.some(({ severity }) => severity === 'error'))
      this.problem(end.fault ?? `make ended with status ${end.code}: ${text.trim().split('\n').at(-1) ?? 'it said nothing'}`);
  }

  private problem(message: string, path = '', line = 1, severity: BuildProblem['severity'] = 'error'): void {
    this.problems.push({ path, line, column: 1, severity, message, source: 'build' });
  }

  /** Makes the configuration from the seed, or completes the one that is there. */
  async configure(): Promise<void> {
    const { project, seed, reconfigure } = this.options;
    if (existsSync(project.config) && !(reconfigure === true && seed)) return this.make(['olddefconfig']);
    const file = `${project.build}/seed.defconfig`;
    const text = seed?.text ?? defaultSeed;
    writeFileSync(file, text);
    await this.make(['defconfig'], file);
    if (this.isWell && seed) this.reportDropped(seed);
  }

  /** make drops in silence what no option takes; a person should know. */
  private reportDropped(seed: MakeSeed): void {
    const now = new Map(
      parseDotConfig(readFileSync(this.options.project.config, 'utf8'), 'CONFIG_').assignments.map(({ name, value }) => [name, value]),
    );
    const wanted = new Map(parseDotConfig(seed.text, 'CONFIG_').assignments.map(({ name, value }) => [name, value]));
    for (const [name, value] of wanted) {
      const got = now.get(name);
      if (got === value || ((value === undefined || value === 'n') && got === undefined)) continue;
      const why = now.has(name)
        ? `it is ${got ?? 'n'} in the configuration: what it depends on is not set, or another option decides it`
        : 'no option of this tree has that name, or what it depends on is not set';
      this.problem(`CONFIG_${name}=${value ?? 'n'} has no effect: ${why}.`, seed.path, seed.lineOf(name), 'warning');
    }
  }

  /** Reads from the makefiles how many objects the image has, and from the build folder how many are there. */
  countObjects(): void {
    const { project, progress } = this.options;
    if (!progress) return;
    const { enabled, make } = configurePool(this.files, { ...project }, readFileSync(project.config, 'utf8'));
    const total = enabled
      .map((library) => upperName(library))
      .reduce((sum, name) => sum + make.words(`${name}_SRCS`).length + make.words(`${name}_SRCS-y`).length, 0);
    this.progress = new MakeProgress(total, this.commandFiles().filter((file) => existsSync(file.slice(0, -'.cmd'.length))).length);
  }

  /** The `.cmd` files of all objects that are compiled. */
  private commandFiles(): string[] {
    const found: string[] = [];
    const walk = (folder: string, depth: number): void => {
      for (const entry of readdirSync(folder, { withFileTypes: true })) {
        const path = `${folder}/${entry.name}`;
        if (entry.isDirectory() && depth < 12 && !noObjects.has(entry.name)) walk(path, depth + 1);
        // What lies in the build folder itself was linked, not compiled.
        else if (depth > 0 && entry.name.endsWith('.o.cmd')) found.push(path);
      }
    };
    walk(this.options.project.build, 0);
    return found;
  }

  /** Keeps compile_commands.json up to date; untouched where it says the same already. */
  writeCompileCommands(): void {
    const { base, build } = this.options.project;
    const commands = this.commandFiles().flatMap((file): CompileCommand[] => {
      const command = compileCommand(readFileSync(file, 'utf8'), base);
      return command ? [command] : [];
    });
    const path = `${build}/compile_commands.json`;
    const text = compileCommandsText(commands);
    if (commands.length > 0 && this.files.readText(path) !== text) writeFileSync(path, text);
  }

  /** Removes what a broken-off build may have left half made, so that the next one does not take it for whole. */
  cleanUp(): void {
    if (this.isWell) return;
    const { build } = this.options.project;
    const last = new Map(this.steps.filter(({ library }) => library !== undefined).map((step) => [step.library!, step]));
    for (const { verb, library, what } of last.values()) {
      const folder = `${build}/${library!}`;
      if (/^(UNTAR|UNZIP|PATCH|GIT)$/.test(verb)) {
        for (const name of ['origin', '.origin', '.patched']) rmSync(`${folder}/${name}`, { recursive: true, force: true });
        if (/^(UNTAR|UNZIP)$/.test(verb) && this.failed) this.setAside(folder, what);
      } else if (verb === 'WGET' && this.cancelled) rmSync(this.archiveOf(folder, what), { force: true });
      else if (/^(SHA\d+|MD5)$/.test(verb) && this.failed) this.setAside(folder, what);
    }
    if (this.failed) this.reportUnfetched();
    if (!this.cancelled) return;
    // With -j, any of the last ones may be cut off.
    for (const { library, what } of this.steps.slice(-this.options.jobs - 1))
      if (/\.o$/.test(what)) rmSync(library === undefined ? `${build}/${what}` : `${build}/${library}/${what}`, { force: true });
  }

  private archiveOf(folder: string, address: string): string {
    const [first = ''] = address.split(' ');
    return `${folder}/${first.slice(first.lastIndexOf('/') + 1)}`;
  }

  /** make goes on after a download that failed, and then complains of the archive; what is wrong is that there is none. */
  private reportUnfetched(): void {
    for (const { verb, library, what } of this.steps) {
      if (verb !== 'WGET' || library === undefined) continue;
      const archive = this.archiveOf(`${this.options.project.build}/${library}`, what);
      if (existsSync(archive)) continue;
      const consequences = this.problems.filter(
        ({ path, message }) => path === archive || message.includes(archive) || message.includes(`${library}/.`),
      );
      for (const each of consequences) this.problems.splice(this.problems.indexOf(each), 1);
      this.problem(`${what.split(' ')[0]!} could not be fetched. Is there a network? A copy put at ${archive} is used as it is.`, archive);
    }
  }

  /** A damaged archive would be taken as it is by every build to come. */
  private setAside(folder: string, name: string): void {
    const archive = `${folder}/${name}`;
    if (!existsSync(archive)) return;
    renameSync(archive, `${archive}.damaged`);
    this.problem(`The archive ${archive} is damaged; it was set aside as ${name}.damaged, and the next build fetches it again.`, archive);
  }

  result(): MakeBuildResult {
    const { build } = this.options.project;
    if (this.cancelled) this.problem('The build was cancelled.');
    const ok = this.isWell;
    const names = ok && existsSync(build) ? readdirSync(build) : [];
    const images = names.flatMap((name) => {
      const target = imageName.exec(name)?.[1];
      const image = `${build}/${name}`;
      return target === undefined || !statSync(image).isFile() ? [] : [{ target, image, symbols: `${image}.dbg` }];
    });
    return { ok, cancelled: this.cancelled, problems: this.problems, images, compiled: this.progress.count };
  }
}
