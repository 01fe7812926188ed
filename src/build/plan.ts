/** The plan of a build of a pool application: from Makefile.uk files and a configuration to steps, as data; nothing is run here. */

import { type Files } from '../shared/files';
import { type MakeLibrary, type MakeProblem, type MakeResult, readMakefiles, upperName } from '../pool/makefile';
import { type Configuration, configurationHeader } from './configuration';
import { type ImageLayout, PC_LAYOUT } from './link/layout';
import { type BootProtocol, DEFAULT_TARGET, TARGETS } from './pool-targets';
import { type BuildProblem } from './problems';
import { readProvidedSyscalls, readSyscallNumbers, syscallFiles } from './syscall-tables';
import { type Toolchain } from './toolchain';

/** Writes a file whose text the plan knows. */
export interface WriteStep {
  readonly kind: 'write';
  readonly output: string;
  readonly text: string;
}

/** Compiles or assembles one source file. */
export interface CompileStep {
  readonly kind: 'compile';
  readonly library: string;
  readonly source: string;
  readonly object: string;
  /** Where the compiler notes the headers that it read. */
  readonly depFile: string;
  /** The program and its arguments. */
  readonly argv: readonly [string, ...string[]];
}

/** Objects of one library; symbols that it does not export stay its own. */
export interface LinkGroup {
  readonly library: string;
  readonly objects: readonly string[];
  /** Undefined: everything is exported. */
  readonly exports?: readonly string[];
}

/** Links everything into one executable with symbols. */
export interface LinkStep {
  readonly kind: 'link';
  readonly groups: readonly LinkGroup[];
  readonly layout: ImageLayout;
  readonly gcSections: boolean;
  /** Entry points; kept, as nothing refers to them. */
  readonly entries: readonly string[];
  readonly output: string;
  /** Where each input went, as JSON (`LinkedPiece[]`), for reports of sizes. */
  readonly map: string;
}

/** Makes the bootable image of a target, and the file with symbols beside it. */
export interface ImageStep {
  readonly kind: 'image';
  readonly target: string;
  readonly protocol: BootProtocol;
  readonly entry: string;
  readonly input: string;
  readonly image: string;
  readonly symbols: string;
}

export type BuildStep = WriteStep | CompileStep | LinkStep | ImageStep;

/** A whole build. */
export interface BuildPlan {
  readonly steps: readonly BuildStep[];
  readonly libraries: readonly MakeLibrary[];
  /** The folder that compilers run in: it is what relative names in debug information start from. */
  readonly directory: string;
  readonly problems: readonly BuildProblem[];
  /** Files that the plan was made from. */
  readonly inputs: readonly string[];
}

/** What to build, with what. All paths are absolute and `/`-separated. */
export interface PlanInput {
  readonly files: Files;
  /** Folder of the pool (Makefile.uk, lib, plat, arch). */
  readonly pool: string;
  /** Folder of the application. */
  readonly app: string;
  /** Folders of further libraries. */
  readonly libraries?: readonly string[];
  readonly build: string;
  /** Of the images; default: the application folder's name. */
  readonly name?: string;
  readonly config: Configuration;
  readonly toolchain: Toolchain;
  readonly targets?: readonly string[];
  /** Folders that debug information names otherwise: [folder, name]. */
  readonly prefixMap?: readonly (readonly [string, string])[];
}

/** Version of a pool by its version.mk, e.g. `0.1.0`. */
export function poolVersion(files: Files, pool: string): { full: string; codename: string } {
  const text = files.readText(`${pool}/version.mk`) ?? '';
  const field = (name: string): string => new RegExp(`^${name}\\s*[:?]?=\\s*(\\S*)`, 'm').exec(text)?.[1] ?? '';
  return {
    full: `${field('UK_VERSION') || '0'}.${field('UK_SUBVERSION') || '0'}${field('UK_EXTRAVERSION')}`,
    codename: field('UK_CODENAME'),
  };
}

/** Variables of a makefile run: the configuration and the folders. */
export function makeVariables(input: Pick<PlanInput, 'files' | 'pool' | 'app' | 'build' | 'config'>): Map<string, string> {
  const version = poolVersion(input.files, input.pool);
  const variables = new Map<string, string>();
  for (const [name, value] of input.config.values) variables.set(`CONFIG_${name}`, value);
  const own: readonly (readonly [string, string])[] = [
    ['CONFIG_UK_BASE', input.pool],
    ['CONFIG_UK_APP', input.app],
    ['CONFIG_UK_ARCH', 'x86_64'],
    ['UK_BASE', input.pool],
    ['UK_FULLVERSION', version.full],
    ['UK_CODENAME', version.codename],
    ['BUILD_DIR', input.build],
  ];
  for (const [name, value] of own) variables.set(name, value);
  return variables;
}

/** Makes the plan. Faults that make a build impossible are among the problems as errors; then there are no steps. */
export function planBuild(input: PlanInput): BuildPlan {
  return planFrom(input, readPool(input));
}

/** Reads all Makefile.uk files of a build. */
export function readPool(input: Pick<PlanInput, 'files' | 'pool' | 'app' | 'build' | 'config' | 'libraries' | 'toolchain'>): MakeResult {
  const variables = makeVariables(input);
  const imports = [`${input.pool}/arch`, `${input.pool}/plat`, `${input.pool}/lib`];
  const folders = [...(input.libraries ?? []), input.app];
  // One text that imports everything keeps the order that make would see.
  const root = `${input.build}/.root.mk`;
  const text = [`include ${input.pool}/Makefile.uk`, ...[...imports, ...folders].map((dir) => `$(call import_lib,${dir})`)].join('\n');
  const files: Files = { ...wrap(input.files), readText: (path) => (path === root ? text : input.files.readText(path)) };
  return readMakefiles({ files, makefiles: [root], variables, buildDir: input.build, compiler: input.toolchain.kind });
}

function wrap(files: Files): Files {
  return {
    read: (p) => files.read(p),
    readText: (p) => files.readText(p),
    kind: (p) => files.kind(p),
    list: (p) => files.list(p),
    realPath: (p) => files.realPath(p),
  };
}

function planFrom(input: PlanInput, make: MakeResult): BuildPlan {
  const problems: BuildProblem[] = make.problems.map(fromMake);
  const libraries = make.libraries.filter((l) => l.enabled && l.kind !== 'platform');
  const include = `${input.build}/include`;
  const steps: BuildStep[] = [
    { kind: 'write', output: `${include}/uk/bits/config.h`, text: configurationHeader(input.config) },
    ...syscallSteps(input, make, problems),
  ];

  const generated = new Set(steps.map((s) => (s.kind === 'write' ? s.output : '')));
  const compiles: CompileStep[] = [];
  const groups: LinkGroup[] = [];
  for (const library of libraries) {
    const own = librarySources(make, library).map((s) => compileStep(input, make, library, s));
    for (const step of own) {
      if (!generated.has(step.source) && input.files.kind(step.source) !== 'file')
        problems.push({
          path: library.path,
          line: library.line,
          column: 1,
          severity: 'error',
          message: `${library.name} has the source ${step.source}, which does not exist.`,
          source: 'plan',
        });
    }
    compiles.push(...own);
    groups.push(linkGroup(input.files, make, library, own));
  }
  if (compiles.length === 0)
    problems.push({
      path: input.app,
      line: 1,
      column: 1,
      severity: 'error',
      message: 'There is nothing to compile: no library is enabled.',
      source: 'plan',
    });

  const targets = (input.targets ?? [DEFAULT_TARGET]).flatMap((name) => {
    const target = TARGETS[name];
    const fault = !target
      ? `There is no target ${name}; there are ${Object.keys(TARGETS).join(' and ')}.`
      : input.config.values.get(target.option) !== 'y'
        ? `The target ${name} needs CONFIG_${target.option}, which is not set.`
        : undefined;
    if (fault) problems.push({ path: input.app, line: 1, column: 1, severity: 'error', message: fault, source: 'plan' });
    return target && !fault ? [{ name, ...target }] : [];
  });

  const name = input.name ?? input.app.slice(input.app.lastIndexOf('/') + 1);
  const linked = `${input.build}/${name}.elf`;
  steps.push(...compiles);
  steps.push({ kind: 'write', output: `${input.build}/compile_commands.json`, text: compileCommands(input.build, compiles) });
  const gcSections = make.words('LDFLAGS-y').includes('--gc-sections');
  steps.push({
    kind: 'link',
    groups,
    layout: PC_LAYOUT,
    gcSections,
    entries: targets.map((t) => t.entry),
    output: linked,
    map: mapPath(input.build, name),
  });
  for (const target of targets) {
    const image = `${input.build}/${name}_${target.name}`;
    steps.push({
      kind: 'image',
      target: target.name,
      protocol: target.protocol,
      entry: target.entry,
      input: linked,
      image,
      symbols: `${image}.dbg`,
    });
  }
  const failed = problems.some((p) => p.severity === 'error');
  return { steps: failed ? [] : steps, libraries, directory: input.build, problems, inputs: make.inputs };
}

/** Where the link map of a build lies; images of that build are named `<name>_<target>`. */
export function mapPath(build: string, name: string): string {
  return `${build}/${name}.map.json`;
}

function fromMake(p: MakeProblem): BuildProblem {
  return { path: p.path, line: p.line, column: 1, severity: 'warning', message: p.message, source: 'make' };
}

interface Source {
  readonly path: string;
  readonly variant: string | undefined;
}

function librarySources(make: MakeResult, library: MakeLibrary): Source[] {
  const prefix = upperName(library.name);
  return [...make.words(`${prefix}_SRCS`), ...make.words(`${prefix}_SRCS-y`)].map((word) => {
    const [path, variant] = word.split('|') as [string, string | undefined];
    return { path, variant };
  });
}

/** Words of a variable and of its `-y` form. */
function both(make: MakeResult, name: string): string[] {
  return [...make.words(name), ...make.words(`${name}-y`)];
}

function compileStep(input: PlanInput, make: MakeResult, library: MakeLibrary, source: Source): CompileStep {
  const prefix = upperName(library.name);
  const file = source.path.slice(source.path.lastIndexOf('/') + 1);
  const assembler = /\.[sS]$/.test(file);
  const [flags, includes] = assembler ? ['ASFLAGS', 'ASINCLUDES'] : ['CFLAGS', 'CINCLUDES'];
  const stem = upperName(file.replace(/\.[^.]*$/, ''));
  const variant = source.variant ? `${upperName(source.variant)}_` : '';

  const base = source.path.startsWith(`${library.base}/`) ? library.base : library.build;
  const relative = source.path.startsWith(`${base}/`) ? source.path.slice(base.length + 1) : file;
  const object = `${library.build}/${relative}${source.variant ? `.${source.variant}` : ''}.o`;
  const depFile = `${object.slice(0, -1)}d`;
  const argv: [string, ...string[]] = [
    input.toolchain.path,
    ...input.toolchain.targetArgs,
    '-nostdinc',
    '-isystem',
    input.toolchain.includeDir,
    ...both(make, 'COMPFLAGS'),
    ...both(make, flags),
    ...both(make, source.variant === 'isr' ? 'ISR_ARCHFLAGS' : 'ARCHFLAGS'),
    ...both(make, 'DBGFLAGS'),
    ...both(make, `${prefix}_COMPFLAGS`),
    ...both(make, `${prefix}_${flags}`),
    ...both(make, `${prefix}_${stem}_${variant}FLAGS`),
    ...(input.prefixMap ?? []).map(([from, to]) => `-ffile-prefix-map=${from}=${to}`),
    `-D__LIBNAME__=${library.name}`,
    `-D__BASENAME__=${file}`,
    `-I${input.build}/include`,
    ...both(make, `${prefix}_${includes}`),
    ...both(make, includes),
    '-MMD',
    '-MF',
    depFile,
    '-c',
    source.path,
    '-o',
    object,
  ];
  return { kind: 'compile', library: library.name, source: source.path, object, depFile, argv };
}

function linkGroup(files: Files, make: MakeResult, library: MakeLibrary, steps: readonly CompileStep[]): LinkGroup {
  const lists = make.words(`${upperName(library.name)}_EXPORTS`);
  const objects = steps.map((s) => s.object);
  if (lists.length === 0) return { library: library.name, objects };
  const exports = lists.flatMap((path) =>
    (files.readText(path) ?? '')
      .split('\n')
      .map((line) => line.replace(/#.*/, '').trim())
      .filter((line) => line !== ''),
  );
  return { library: library.name, objects, exports };
}

function syscallSteps(input: PlanInput, make: MakeResult, problems: BuildProblem[]): WriteStep[] {
  const shim = make.libraries.find((l) => l.name === 'libsyscall_shim' && l.enabled);
  if (!shim) return [];
  const template = make.value('LIBSYSCALL_SHIM_ARCH_TEMPLATE');
  const text = input.files.readText(template);
  if (text === undefined) {
    problems.push({
      path: shim.path,
      line: shim.line,
      column: 1,
      severity: 'error',
      message: `The table of system calls ${template} does not exist.`,
      source: 'plan',
    });
    return [];
  }
  const { provided, bad } = readProvidedSyscalls(both(make, 'UK_PROVIDED_SYSCALLS'));
  for (const word of bad)
    problems.push({
      path: shim.path,
      line: 1,
      column: 1,
      severity: 'warning',
      message: `UK_PROVIDED_SYSCALLS has “${word}”; expected name-arity, e.g. write-3.`,
      source: 'plan',
    });
  const numbers = readSyscallNumbers(text);
  for (const p of provided)
    if (!numbers.has(p.name))
      problems.push({
        path: template,
        line: 1,
        column: 1,
        severity: 'warning',
        message: `The provided system call ${p.name} has no number here.`,
        source: 'plan',
      });
  return [...syscallFiles(numbers, provided)].map(([path, content]) => ({ kind: 'write', output: `${shim.build}/${path}`, text: content }));
}

/** Text of compile_commands.json (Clang's JSON compilation database). */
export function compileCommands(directory: string, steps: readonly CompileStep[]): string {
  return `${JSON.stringify(
    steps.map((s) => ({ directory, file: s.source, output: s.object, arguments: s.argv })),
    null,
    1,
  )}\n`;
}
