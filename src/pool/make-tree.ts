/** Reads all Makefile.uk files of a tree in the order of Unikraft's build, once as a configuration has them, once with every branch taken. */
import { type Files } from '../shared/files';
import { type MakeInput, type MakeProblem, type MakeResult, MakeReader, missingFile, upperName } from './makefile';
import { coreVersion, baseName, layoutOf, type PoolTree } from './tree';

/** The file that holds the order of imports; it exists only while a tree is read. */
const rootName = '.pool.mk';

/** Markers by which a reading of all branches records where conditions begin and end. */
export const conditionMarker = '__POOL_IF';
export const elseMarker = '__POOL_ELSE';
export const endMarker = '__POOL_END';

/** A tree that was read, and the means to expand texts in it. */
export interface MakeTree {
  readonly result: MakeResult;
  readonly expand: (text: string) => string;
  readonly problems: readonly MakeProblem[];
}

/** Values by name without `CONFIG_`, as text that stands in .config (strings with their quotes). */
export type ConfigValues = ReadonlyMap<string, string>;

/** Architecture and family of a configuration, as the build names them. */
export function architectureOf(values: ConfigValues): { readonly arch: string; readonly family: string } {
  if (values.get('ARCH_ARM_64') === 'y') return { arch: 'arm64', family: 'arm' };
  if (values.get('ARCH_ARM_32') === 'y') return { arch: 'arm', family: 'arm' };
  return { arch: 'x86_64', family: 'x86' };
}

/** Reads a tree for one configuration. */
export function readConfigured(files: Files, tree: PoolTree, values: ConfigValues): MakeTree {
  return read(files, tree, values, values, (text) => text);
}

/** Reads a tree with all branches taken and `$(CONFIG_X)` left as it stands; `symbols` are the names of all options. */
export function readEverything(files: Files, tree: PoolTree, symbols: Iterable<string>, arch: ConfigValues = new Map()): MakeTree {
  const values = new Map<string, string>();
  for (const name of symbols) values.set(name, `$(CONFIG_${name})`);
  return read(files, tree, values, arch, takeAllBranches);
}

function read(files: Files, tree: PoolTree, values: ConfigValues, config: ConfigValues, change: (text: string) => string): MakeTree {
  const build = tree.build ?? '/build';
  const root = `${tree.base}/${rootName}`;
  const { arch, family } = architectureOf(config);
  const variables = new Map<string, string>();
  for (const [name, value] of values) variables.set(`CONFIG_${name}`, value);
  const version = coreVersion(files, tree.base);
  const own: Readonly<Record<string, string>> = {
    CONFIG_UK_BASE: tree.base,
    CONFIG_UK_APP: tree.app ?? tree.base,
    CONFIG_UK_ARCH: arch,
    CONFIG_UK_NAME: baseName(tree.app ?? tree.base),
    ARCH: arch,
    UK_FAMILY: family,
    UK_ARCH: arch,
    UK_BASE: tree.base,
    UK_FULLVERSION: version.full,
    UK_CODENAME: version.codename,
    BUILD_DIR: build,
    APP_DIR: tree.app ?? tree.base,
    CC_NAME: 'GCC',
  };
  for (const [name, value] of Object.entries(own)) variables.set(name, value);
  const text = rootText(files, tree, family);
  const view: Files = {
    read: (path) => files.read(path),
    readText: (path) => (path === root ? text : isLibraryMakefile(path) ? optional(files.readText(path), change) : files.readText(path)),
    kind: (path) => files.kind(path),
    list: (path) => files.list(path),
    realPath: (path) => files.realPath(path),
  };
  const input: MakeInput = { files: view, makefiles: [], variables, buildDir: build };
  const reader = new TreeReader(input);
  reader.readFile(root, false);
  const result = reader.result();
  // A library without a Makefile.uk is the catalogue's to tell of: the line that imports it is nobody's.
  const without = new Set([...tree.libraries, ...(tree.platforms ?? [])].map((folder) => missingFile(`${folder}/Makefile.uk`)));
  const problems = result.problems.filter(({ path, message }) => path !== root || !without.has(message));
  return { result, expand: (t) => reader.expand(t), problems };
}

function optional(text: string | undefined, change: (text: string) => string): string | undefined {
  return text === undefined ? undefined : change(text);
}

/** Makefile.uk and the parts that it may include (Makefile.uk.something), but not the rules that define functions. */
function isLibraryMakefile(path: string): boolean {
  return baseName(path).startsWith('Makefile.uk');
}

/** The imports of a whole build, in make's order: the order decides what `+=` gives and which library is named first. */
function rootText(files: Files, tree: PoolTree, family: string): string {
  const { base } = tree;
  const lines: string[] = [];
  const external = [...(tree.app === undefined ? [] : [tree.app]), ...tree.libraries, ...(tree.platforms ?? [])];
  const importOf = (folder: string): string => `$(eval $(call import_lib,${folder}))`;
  const excluded = new Set(tree.excluded ?? []);
  const libraries = tree.libraries.filter((folder) => !excluded.has(folder)).map(importOf);
  const platforms = (tree.platforms ?? []).filter((folder) => !excluded.has(folder)).map(importOf);
  const app = tree.app === undefined || tree.app === base ? [] : [importOf(tree.app)];
  if (layoutOf(files, base) === 'starter') {
    lines.push(
      `-include ${base}/Makefile.uk`,
      ...['arch', 'plat', 'lib'].map((part) => importOf(`${base}/${part}`)),
      ...libraries,
      ...platforms,
      ...app,
    );
    return lines.join('\n');
  }
  lines.push(`-include ${base}/support/build/Makefile.rules`);
  // These ask the shell for the compiler's version; the reader has its own answer where they are not defined.
  for (const test of ['gcc_version_ge', 'clang_version_ge', 'error_if_gcc_version_lt', 'error_if_clang_version_lt'])
    lines.push(`undefine ${test}`);
  lines.push(`-include ${base}/arch/Makefile.rules`);
  const folders = [
    ...['plat', 'lib', 'drivers'].flatMap((part) => files.list(`${base}/${part}`).map((name) => `${base}/${part}/${name}`)),
    ...external,
  ];
  for (const folder of folders) if (files.kind(`${folder}/Makefile.rules`) === 'file') lines.push(`include ${folder}/Makefile.rules`);
  lines.push(...app);
  lines.push(`-include ${base}/lib/Makefile.uk`, ...libraries);
  if (files.kind(`${base}/arch/${family}/Makefile.uk`) === 'file') lines.push(importOf(`${base}/arch/${family}`));
  lines.push(`-include ${base}/drivers/Makefile.uk`, `-include ${base}/plat/Makefile.uk`, ...platforms, `-include ${base}/Makefile.uk`);
  return lines.join('\n');
}

/** Reads no recipe, neither of a file nor of what a call gives: `fetch` and its like expand to whole rules. */
class TreeReader extends MakeReader {
  override readText(text: string, firstLine: number | undefined): void {
    super.readText(withoutRecipes(text), firstLine);
  }
}

/** Takes the recipes of rules out, line for line: they are commands, and say nothing about libraries. */
export function withoutRecipes(text: string): string {
  if (!text.includes('\t')) return text;
  const out: string[] = [];
  const lines = text.split('\n');
  let inRule = false;
  let defining = false;
  for (let at = 0; at < lines.length; at++) {
    const first = at;
    while (isContinued(lines[at]!) && at + 1 < lines.length) at++;
    const whole = lines.slice(first, at + 1);
    const recipe = inRule && !defining && whole[0]!.startsWith('\t');
    for (const line of whole) out.push(recipe ? '' : line);
    const statement = whole
      .map((line) => line.replace(/\\\r?$/, '').trim())
      .join(' ')
      .trim();
    if (defining) defining = !/^endef\b/.test(statement);
    else if (!recipe && statement !== '' && !/^(#|(ifn?eq|ifn?def|else|endif)\b)/.test(statement)) {
      defining = /^(override\s+)?define\b/.test(statement);
      inRule = !defining && isRule(statement);
    }
  }
  return out.join('\n');
}

function isContinued(line: string): boolean {
  return /(^|[^\\])(\\\\)*\\\r?$/.test(line);
}

/** Whether a colon that is no part of `:=` stands outside of references before any `=`. */
function isRule(line: string): boolean {
  let depth = 0;
  for (let at = 0; at < line.length; at++) {
    const char = line[at]!;
    if (char === '$' && /[({]/.test(line[at + 1] ?? '')) {
      depth++;
      at++;
    } else if (depth > 0) depth += char === '(' || char === '{' ? 1 : char === ')' || char === '}' ? -1 : 0;
    else if (char === '=') return false;
    else if (char === ':') return line[at + 1] !== '=' && line.slice(at, at + 3) !== '::=';
  }
  return false;
}

/** Turns conditions into assignments that mark where they stand, one line for one line, so that nothing between them is skipped. */
export function takeAllBranches(text: string): string {
  let continued = false;
  return text
    .split('\n')
    .map((line) => {
      const inside = continued;
      continued = isContinued(line);
      if (inside) return line;
      const word = /^\s*(ifeq|ifneq|ifdef|ifndef|else|endif)\b[ \t]*(.*)$/.exec(line);
      if (!word) return line;
      const [, keyword, rest] = word as unknown as [string, string, string];
      if (keyword === 'endif') return `${endMarker} =`;
      if (keyword === 'else') return `${elseMarker} = ${rest}`;
      return `${conditionMarker} = ${keyword} ${rest}`;
    })
    .join('\n');
}

/** The names that `make print-libs` prints, in its order: platform libraries that have sources, then all other libraries. */
export function enabledLibraries(make: MakeResult): string[] {
  const platform = [...make.words('UK_PLATS'), ...make.words('UK_PLATS-y')].flatMap((name) => {
    const upper = upperName(name);
    return [...make.words(`${upper}_LIBS`), ...make.words(`${upper}_LIBS-y`)].filter((library) => {
      const prefix = upperName(library);
      return [...make.words(`${prefix}_SRCS`), ...make.words(`${prefix}_SRCS-y`)].length > 0;
    });
  });
  return [...platform, ...make.words('UK_LIBS'), ...make.words('UK_LIBS-y')];
}
