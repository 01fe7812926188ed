/** The functions of make that Makefile.uk files use, and the calls by which Unikraft's libraries register themselves. */

import { type MakeReader, upperName } from './makefile';

type Locals = ReadonlyMap<string, string> | undefined;

/** Blank-separated words, as make sees them. */
export function splitWords(text: string): string[] {
  return text.split(/\s+/).filter((w) => w !== '');
}

/** `$(patsubst from,to,word)` for one word; `%` stands for any text. */
export function patternSubstitute(from: string, to: string, word: string): string {
  const stem = patternStem(from, word);
  return stem === undefined ? word : to.replace('%', () => stem);
}

/** What `%` of `pattern` stands for in `word`; '' for a match without `%`. */
function patternStem(pattern: string, word: string): string | undefined {
  const at = pattern.indexOf('%');
  if (at < 0) return pattern === word ? '' : undefined;
  const before = pattern.slice(0, at);
  const after = pattern.slice(at + 1);
  if (word.length < before.length + after.length || !word.startsWith(before) || !word.endsWith(after)) return undefined;
  return word.slice(before.length, word.length - after.length);
}

/** Splits at commas that are not inside brackets; at most `max` parts. */
function splitArguments(text: string, max = Infinity): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i < text.length && parts.length + 1 < max; i++) {
    const c = text[i]!;
    if (c === '(' || c === '{') depth++;
    else if (c === ')' || c === '}') depth--;
    else if (c === ',' && depth === 0) {
      parts.push(text.slice(start, i));
      start = i + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}

/** Functions of one list or text argument, or of several that are expanded first. */
const SIMPLE: Readonly<Record<string, { readonly max: number; readonly run: (args: readonly string[], reader: MakeReader) => string }>> = {
  strip: { max: 1, run: ([text]) => splitWords(text!).join(' ') },
  subst: { max: 3, run: ([from, to, text]) => (from === '' ? text! + to! : (text ?? '').split(from!).join(to ?? '')) },
  patsubst: { max: 3, run: ([from, to, text]) => each(text, (w) => patternSubstitute(from!.trim(), (to ?? '').trim(), w)) },
  filter: { max: 2, run: ([patterns, text]) => keep(patterns!, text, true) },
  'filter-out': { max: 2, run: ([patterns, text]) => keep(patterns!, text, false) },
  sort: { max: 1, run: ([text]) => [...new Set(splitWords(text!))].sort().join(' ') },
  word: { max: 2, run: ([n, text]) => splitWords(text ?? '')[Number(n) - 1] ?? '' },
  wordlist: {
    max: 3,
    run: ([from, to, text]) =>
      splitWords(text ?? '')
        .slice(Number(from) - 1, Number(to))
        .join(' '),
  },
  words: { max: 1, run: ([text]) => String(splitWords(text!).length) },
  firstword: { max: 1, run: ([text]) => splitWords(text!)[0] ?? '' },
  lastword: { max: 1, run: ([text]) => splitWords(text!).at(-1) ?? '' },
  findstring: { max: 2, run: ([what, text]) => ((text ?? '').includes(what!) ? what! : '') },
  dir: { max: 1, run: ([text]) => each(text, (w) => (w.includes('/') ? w.slice(0, w.lastIndexOf('/') + 1) : './')) },
  notdir: { max: 1, run: ([text]) => each(text, (w) => w.slice(w.lastIndexOf('/') + 1)) },
  suffix: { max: 1, run: ([text]) => each(text, (w) => /\.[^./]*$/.exec(w)?.[0] ?? '').trim() },
  basename: { max: 1, run: ([text]) => each(text, (w) => w.replace(/\.[^./]*$/, '')) },
  addprefix: { max: 2, run: ([prefix, text]) => each(text, (w) => prefix! + w) },
  addsuffix: { max: 2, run: ([suffix, text]) => each(text, (w) => w + suffix!) },
  join: { max: 2, run: ([a, b]) => joinWords(splitWords(a!), splitWords(b ?? '')) },
  abspath: { max: 1, run: ([text]) => each(text, normalise) },
  realpath: { max: 1, run: ([text], r) => each(text, (w) => (r.exists(normalise(w)) ? r.files.realPath(normalise(w)) : '')).trim() },
  wildcard: { max: 1, run: ([text], r) => wildcard(text!, r) },
  error: { max: 1, run: ([text], r) => (r.problem(`The makefile reports an error: ${text}`), '') },
  warning: { max: 1, run: ([text], r) => (r.problem(`The makefile warns: ${text}`), '') },
  info: { max: 1, run: () => '' },
  flavor: { max: 1, run: ([name], r) => (r.rawValue(name!) ? (r.rawValue(name!)!.recursive ? 'recursive' : 'simple') : 'undefined') },
  origin: { max: 1, run: ([name], r) => (r.rawValue(name!) ? 'file' : 'undefined') },
};

function each(text: string | undefined, change: (word: string) => string): string {
  return splitWords(text ?? '')
    .map(change)
    .join(' ');
}

function keep(patterns: string, text: string | undefined, wanted: boolean): string {
  const all = splitWords(patterns);
  return splitWords(text ?? '')
    .filter((w) => all.some((p) => patternStem(p, w) !== undefined) === wanted)
    .join(' ');
}

function joinWords(a: readonly string[], b: readonly string[]): string {
  return Array.from({ length: Math.max(a.length, b.length) }, (_, i) => (a[i] ?? '') + (b[i] ?? '')).join(' ');
}

function normalise(path: string): string {
  const out: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') out.pop();
    else if (part !== '' && part !== '.') out.push(part);
  }
  return `/${out.join('/')}`;
}

/** `$(wildcard …)`: `*` and `?` in the last component only, which is all that the trees use. */
function wildcard(text: string, reader: MakeReader): string {
  const found: string[] = [];
  for (const word of splitWords(text)) {
    if (!/[*?[]/.test(word)) {
      if (reader.exists(word)) found.push(word);
      continue;
    }
    const slash = word.lastIndexOf('/');
    const dir = slash < 0 ? '.' : word.slice(0, slash);
    if (/[*?[]/.test(dir)) {
      reader.problem(`$(wildcard ${word}) has a pattern in a folder's name, which is not supported.`);
      continue;
    }
    const body = word.slice(slash + 1).replace(/[.+^${}()|\\]/g, '\\$&');
    const pattern = new RegExp(`^${body.replace(/\*+/g, '[^/]*').replace(/\?/g, '[^/]')}$`);
    for (const name of reader.files.list(dir))
      if (pattern.test(name) && !name.startsWith('.')) found.push(slash < 0 ? name : `${dir}/${name}`);
  }
  return found.join(' ');
}

/** Value of `$(name text)`, or undefined where `name` is no function of make. */
export function callFunction(reader: MakeReader, name: string, text: string, locals: Locals): string | undefined {
  const expand = (t: string): string => reader.expand(t, locals);
  if (Object.hasOwn(SIMPLE, name)) {
    const f = SIMPLE[name]!;
    return f.run(splitArguments(text, f.max).map(expand), reader);
  }
  switch (name) {
    case 'if': {
      const [test, yes, no] = splitArguments(text, 3);
      return expand(test!).trim() !== '' ? expand(yes ?? '') : expand(no ?? '');
    }
    case 'or': {
      for (const part of splitArguments(text)) {
        const value = expand(part.trim());
        if (value !== '') return value;
      }
      return '';
    }
    case 'and': {
      let value = '';
      for (const part of splitArguments(text)) {
        value = expand(part.trim());
        if (value === '') return '';
      }
      return value;
    }
    case 'foreach': {
      const [variable, list, body] = splitArguments(text, 3);
      const v = expand(variable!).trim();
      return splitWords(expand(list ?? ''))
        .map((word) => reader.expand(body ?? '', new Map([...(locals ?? []), [v, word]])))
        .join(' ');
    }
    case 'call':
      return call(reader, splitArguments(text).map(expand));
    case 'eval': {
      const body = expand(text);
      reader.nested(() => {
        reader.readText(body, undefined);
        return '';
      });
      return '';
    }
    case 'value':
      return reader.rawValue(expand(text).trim())?.value ?? '';
    case 'shell':
      // Never run. What it would give is unknown, and empty is what make gives where a command fails.
      return '';
    default:
      return undefined;
  }
}

/** Calls that the reader understands itself, whatever the tree's own makefiles define them as. */
const REGISTRATION: Readonly<Record<string, (reader: MakeReader, args: readonly string[]) => string>> = {
  addlib: (r, [name]) => register(r, 'library', name, true),
  addlib_s: (r, [name, on]) => register(r, 'library', name, on?.trim() === 'y'),
  addlib_tree: (r, [name]) => register(r, 'library', name, true),
  addlib_tree_s: (r, [name, on]) => register(r, 'library', name, on?.trim() === 'y'),
  addlib_paramprefix: () => '',
  addplat: (r, [name]) => register(r, 'platform', name, true),
  addplat_s: (r, [name, on]) => register(r, 'platform', name, on?.trim() === 'y'),
  addplatlib: (r, [plat, name]) => register(r, 'platform-library', name, true, plat),
  addplatlib_s: (r, [plat, name, on]) => register(r, 'platform-library', name, on?.trim() === 'y', plat),
  addplatlib_tree_s: (r, [plat, name, on]) => register(r, 'platform-library', name, on?.trim() === 'y', plat),
  addplatlib_paramprefix: () => '',
  import_lib: (r, [dir]) => (r.importLibrary((dir ?? '').trim()), ''),
  _import_lib: (r, [dir]) => (r.importLibrary((dir ?? '').trim()), ''),
  import_linker: () => '',
  uc: (_, [text]) => upperName((text ?? '').trim()),
  have_gcc: (r) => (r.compiler === 'gcc' ? 'y' : ''),
  have_clang: (r) => (r.compiler === 'clang' ? 'y' : ''),
};

function register(
  reader: MakeReader,
  kind: 'library' | 'platform' | 'platform-library',
  name: string | undefined,
  on: boolean,
  plat?: string,
): string {
  const n = (name ?? '').trim();
  if (n === '') reader.problem('A library is registered without a name.');
  else reader.register(kind, n, on, plat?.trim());
  return '';
}

function call(reader: MakeReader, args: readonly string[]): string {
  const name = args[0]!.trim();
  if (Object.hasOwn(REGISTRATION, name)) return REGISTRATION[name]!(reader, args.slice(1));
  const body = reader.rawValue(name)?.value;
  if (body === undefined) {
    // Compiler version tests: a current compiler is assumed.
    if (/^(gcc|clang|llvm)_version_ge$|^error_if_(gcc|clang)_version_lt$/.test(name)) return name.startsWith('error') ? '' : 'y';
    return '';
  }
  return reader.nested(() => reader.expand(body, new Map(args.map((arg, i) => [String(i), arg]))));
}
