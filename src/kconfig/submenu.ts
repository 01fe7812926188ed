/** Unikraft's generated menus, and the few shell idioms its Config.uk files use, answered without a shell. */
import { type Files } from '../shared/files';
import { joinPath } from './glob';

/** Where a Unikraft project's parts lie. */
export interface UnikraftTree {
  /** The core's directory (UK_BASE). */
  readonly base: string;
  /** The application's directory (UK_APP). */
  readonly app: string;
  /** External libraries (L= of make). */
  readonly libs?: readonly string[];
  /** External platforms (P=). */
  readonly plats?: readonly string[];
  /** Libraries and platforms to leave out (E=). */
  readonly excluded?: readonly string[];
  /** The build directory (O=); `<app>/build` where it is not given. */
  readonly build?: string;
  readonly name?: string;
  readonly fullVersion?: string;
  readonly codename?: string;
  readonly hostArch?: string;
  /** The .config file; `<app>/.config` where it is not given. */
  readonly config?: string;
}

/** The environment that Unikraft's make gives to kconfig for a tree. */
export function unikraftEnvironment(tree: UnikraftTree): Record<string, string> {
  const build = tree.build ?? `${tree.app}/build`;
  const config = tree.config ?? `${tree.app}/.config`;
  return {
    CONFIG_: 'CONFIG_',
    KCONFIG_CONFIG: config,
    KCONFIG_AUTOCONFIG: `${build}/kconfig/auto.conf`,
    KCONFIG_AUTOHEADER: `${build}/include/uk/bits/config.h`,
    KCONFIG_TRISTATE: `${build}/kconfig/tristate.config`,
    HOST_ARCH: tree.hostArch ?? 'x86_64',
    BUILD_DIR: build,
    UK_BASE: tree.base,
    UK_APP: tree.app,
    UK_CONFIG: config,
    UK_FULLVERSION: tree.fullVersion ?? '',
    UK_CODENAME: tree.codename ?? '',
    UK_ARCH: '',
    KCONFIG_DIR: `${build}/kconfig`,
    KCONFIG_LIB_BASE: `${tree.base}/lib`,
    KCONFIG_ELIB_DIRS: (tree.libs ?? []).join(':'),
    KCONFIG_PLAT_BASE: `${tree.base}/plat`,
    KCONFIG_EPLAT_DIRS: (tree.plats ?? []).join(':'),
    KCONFIG_DRIV_BASE: `${tree.base}/drivers`,
    KCONFIG_EAPP_DIR: tree.app === tree.base ? '' : tree.app,
    KCONFIG_EXCLUDEDIRS: (tree.excluded ?? []).join(':'),
    UK_NAME: tree.name ?? tree.app.slice(tree.app.lastIndexOf('/') + 1),
  };
}

/** A command's output, and the file it would have written. */
export interface NativeAnswer {
  readonly output: string;
  readonly writes?: { readonly path: string; readonly text: string };
}

/** Answers a command natively, or gives undefined where it is none of the known ones. */
export function answerNatively(command: string, files: Files, cwd: string): NativeAnswer | undefined {
  const words = shellWords(command);
  if (!words) return undefined;
  if (/(^|\/)config-submenu\.sh$/.test(words[0] ?? '')) return submenu(words.slice(1), files, cwd);
  return comparison(words);
}

/**
 * What is taken for the output of a probe, `… && echo A || echo B`, that was not run: n where n is one of the two, as what was not asked is
 * neither there nor amiss; else what stands for failure. Undefined for other commands.
 */
export function likelyAnswer(command: string): string | undefined {
  const match = /&&\s*echo\s+(["']?)(\w*)\1\s*\|\|\s*echo\s+(["']?)(\w*)\3\s*$/.exec(command);
  if (!match) return undefined;
  const [, , success, , failure] = match;
  return success === 'n' ? 'n' : failure;
}

/** `test A = B && echo X || echo Y` and its `!=` and `[ … ]` forms. */
function comparison(words: readonly string[]): NativeAnswer | undefined {
  let rest: readonly string[];
  if (words[0] === 'test') rest = words.slice(1);
  else if (words[0] === '[' && words[4] === ']') rest = [...words.slice(1, 4), ...words.slice(5)];
  else return undefined;
  const [left, operator, right, and, echo1, yes, or, echo2, no] = rest;
  if (rest.length !== 9 || (operator !== '=' && operator !== '!=') || and !== '&&' || or !== '||') return undefined;
  if (echo1 !== 'echo' || echo2 !== 'echo') return undefined;
  return { output: `${(left === right) === (operator === '=') ? yes : no}\n` };
}

function submenu(args: readonly string[], files: Files, cwd: string): NativeAnswer | undefined {
  const paths: string[] = [];
  const excludes: string[] = [];
  let title: string | undefined;
  let out = '';
  const trim = (path: string): string => (path.endsWith('/') ? path.slice(0, -1) : path);
  for (let at = 0; at < args.length; at++) {
    const option = args[at]!;
    if (option === '-q') continue;
    if (!/^-[tlrceo]$/.test(option)) {
      if (option.startsWith('-')) return undefined;
      paths.push(option);
      continue;
    }
    const value = args[++at];
    if (value === undefined) return undefined;
    switch (option) {
      case '-t':
        title = value;
        break;
      case '-l':
        paths.push(trim(value));
        break;
      case '-o':
        out = value;
        break;
      case '-r':
        if (value !== '') paths.push(...below(trim(value), files, cwd));
        break;
      default:
        (option === '-c' ? paths : excludes).push(...value.split(':').filter(Boolean).map(trim));
    }
  }
  if (!out) return undefined;
  const lines = ['# Auto generated file. DO NOT EDIT'];
  const included: string[] = [];
  for (const path of paths) {
    const config = joinPath(cwd, `${path}/Config.uk`);
    // Nearly all of them are read soon after, so that reading at once saves asking first.
    if (files.readText(config) === undefined && files.kind(config) !== 'file') continue;
    if (excludes.includes(path)) lines.push(`# Skipped excluded "${path}"`);
    else included.push(files.realPath(config));
  }
  if (title !== undefined) lines.push(`menu "${title}"`);
  lines.push(...included.map((path) => `source "${path}"`));
  if (title !== undefined) lines.push('endmenu');
  const written = resolvedOutput(out, files, cwd);
  return { output: `${written}\n`, writes: { path: written, text: `${lines.join('\n')}\n` } };
}

/** What lies below a directory, as a shell's `*` gives it: nothing hidden. Plain files fall out later, as no Config.uk lies below them. */
function below(path: string, files: Files, cwd: string): string[] {
  const paths: string[] = [];
  for (const name of files.list(joinPath(cwd, path))) if (!name.startsWith('.')) paths.push(`${path}/${name}`);
  return paths;
}

/** The real path of a file that need not exist: the nearest existing directory above it is resolved. */
function resolvedOutput(path: string, files: Files, cwd: string): string {
  const absolute = joinPath(cwd, path);
  const slash = absolute.lastIndexOf('/');
  const directory = absolute.slice(0, slash);
  const real = files.kind(directory) ? files.realPath(directory) : directory;
  return `${real === '/' ? '' : real}${absolute.slice(slash)}`;
}

/** Characters that mean themselves to a shell. */
const plainRun = /[^ \t\n'"&|$`;<>(){}*?~#\\]+/y;

/** Splits a command into words as a shell does, or gives undefined where it needs one (substitutions, redirections, pipes). */
export function shellWords(command: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  for (let at = 0; at < command.length; at++) {
    plainRun.lastIndex = at;
    if (plainRun.test(command)) {
      word = (word ?? '') + command.slice(at, plainRun.lastIndex);
      at = plainRun.lastIndex - 1;
      continue;
    }
    const char = command[at]!;
    if (char === ' ' || char === '\t' || char === '\n') {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (char === "'") {
      const end = command.indexOf("'", at + 1);
      if (end < 0) return undefined;
      word = (word ?? '') + command.slice(at + 1, end);
      at = end;
    } else if (char === '"') {
      word ??= '';
      for (at++; command[at] !== '"'; at++) {
        const inner = command[at];
        if (inner === undefined || inner === '$' || inner === '`') return undefined;
        if (inner === '\\' && /["\\$`]/.test(command[at + 1] ?? '')) word += command[++at]!;
        else word += inner;
      }
    } else if (char === '&' || char === '|') {
      if (command[at + 1] !== char) return undefined;
      if (word !== undefined) words.push(word);
      word = undefined;
      words.push(char + char);
      at++;
    } else return undefined;
  }
  if (word !== undefined) words.push(word);
  return words;
}
