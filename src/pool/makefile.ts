/** Reads Makefile.uk files without running make: variables, conditionals, `define`, `$(eval …)`, and the registration calls of libraries. */

import { type Files } from '../shared/files';
import { callFunction, patternSubstitute, splitWords } from './makefile-functions';

/** Something that the reader noticed; reading goes on. */
export interface MakeProblem {
  readonly path: string;
  /** 1-based. */
  readonly line: number;
  readonly message: string;
}

/** An assignment as it was written, for those who want to know under which condition something is added. */
export interface MakeAssignment {
  readonly path: string;
  readonly line: number;
  /** Left side before expansion, e.g. `LIBFOO_SRCS-$(CONFIG_BAR)`. */
  readonly rawName: string;
  readonly name: string;
  readonly operator: '=' | ':=' | '+=' | '?=';
  /** Right side before expansion. */
  readonly rawValue: string;
  /** Conditions of the enclosing ifeq, ifdef, … as written, outermost first. */
  readonly conditions: readonly string[];
}

/** A library, platform or platform library that registered itself. */
export interface MakeLibrary {
  readonly name: string;
  readonly kind: 'library' | 'platform' | 'platform-library';
  /** The folder of its Makefile.uk. */
  readonly base: string;
  /** The folder of its objects. */
  readonly build: string;
  /** Of a platform library: the platform. */
  readonly platform?: string;
  readonly path: string;
  readonly line: number;
  /** False where the switch of `addlib_s` was not `y`. */
  readonly enabled: boolean;
}

/** What to read, and with which variables from outside. */
export interface MakeInput {
  readonly files: Files;
  /** Makefiles, read in order. */
  readonly makefiles: readonly string[];
  /** Variables that exist before the first line, e.g. `CONFIG_…`, `BUILD_DIR`, `CONFIG_UK_BASE`. */
  readonly variables: ReadonlyMap<string, string>;
  /** Folder below which each library builds; default: the variable BUILD_DIR. */
  readonly buildDir?: string;
  /** What `$(call have_gcc)` and friends answer. */
  readonly compiler?: 'gcc' | 'clang';
}

/** Everything that was found. */
export interface MakeResult {
  /** The value of a variable, fully expanded; '' where it is not set. */
  value(name: string): string;
  /** The same as blank-separated words. */
  words(name: string): string[];
  readonly names: readonly string[];
  readonly libraries: readonly MakeLibrary[];
  readonly assignments: readonly MakeAssignment[];
  readonly problems: readonly MakeProblem[];
  /** All files that were read or looked for: the result depends on them. */
  readonly inputs: readonly string[];
}

interface Variable {
  value: string;
  recursive: boolean;
}

interface Conditional {
  /** Whether lines are taken now. */
  active: boolean;
  /** Whether a branch was taken already. */
  taken: boolean;
  parentActive: boolean;
  text: string;
}

const MAX_DEPTH = 120;
const MAX_STEPS = 2_000_000;
const MAX_TEXT = 8 << 20;

/** The reader's words for a file that an include or an import asks for in vain. */
export function missingFile(path: string): string {
  return `There is no file ${path}.`;
}

/** Upper case with everything that cannot be in a variable name turned into `_`, as Unikraft's `uc` does. */
export function upperName(name: string): string {
  return name.toUpperCase().replace(/[-.]/g, '_');
}

/** Reads makefiles; never throws. */
export function readMakefiles(input: MakeInput): MakeResult {
  const reader = new MakeReader(input);
  for (const path of input.makefiles) reader.readFile(path, false);
  return reader.result();
}

/** The state while reading. */
export class MakeReader {
  readonly files: Files;
  readonly compiler: 'gcc' | 'clang';
  private readonly variables = new Map<string, Variable>();
  private readonly libraries: MakeLibrary[] = [];
  private readonly assignments: MakeAssignment[] = [];
  private readonly problems: MakeProblem[] = [];
  private readonly inputs = new Set<string>();
  private readonly reading: string[] = [];
  private readonly buildDir: string;
  private conditionals: Conditional[] = [];
  private path = '';
  private line = 0;
  private depth = 0;
  private steps = 0;

  constructor(input: MakeInput) {
    this.files = input.files;
    this.compiler = input.compiler ?? 'gcc';
    for (const [name, value] of input.variables) this.variables.set(name, { value, recursive: false });
    this.buildDir = input.buildDir ?? input.variables.get('BUILD_DIR') ?? '';
  }

  result(): MakeResult {
    return {
      value: (name) => this.valueOf(name).trim(),
      words: (name) => splitWords(this.valueOf(name)),
      names: [...this.variables.keys()],
      libraries: this.libraries,
      assignments: this.assignments,
      problems: this.problems,
      inputs: [...this.inputs],
    };
  }

  problem(message: string): void {
    if (this.problems.length < 1000) this.problems.push({ path: this.path, line: this.line, message });
  }

  /** Reads one file; its lines see and change the same variables. */
  readFile(path: string, optional: boolean): void {
    this.inputs.add(path);
    if (this.reading.includes(path)) return this.problem(`${path} includes itself.`);
    if (this.reading.length >= MAX_DEPTH) return this.problem('Files include each other too deeply.');
    const text = this.files.readText(path);
    if (text === undefined) {
      if (!optional) this.problem(missingFile(path));
      return;
    }
    const before = { path: this.path, line: this.line, conditionals: this.conditionals };
    this.conditionals = [];
    this.path = path;
    this.reading.push(path);
    this.readText(text, 1);
    if (this.conditionals.length > 0) this.problem('An ifeq, ifneq, ifdef or ifndef has no endif.');
    this.reading.pop();
    ({ path: this.path, line: this.line, conditionals: this.conditionals } = before);
  }

  /** Reads lines; also what `$(eval …)` gives. */
  readText(text: string, firstLine: number | undefined): void {
    const lines = text.split(/\r?\n/);
    let defining: { name: string; raw: string; operator: string; body: string[]; nested: number; line: number } | undefined;
    for (let i = 0; i < lines.length; i++) {
      if (firstLine !== undefined) this.line = firstLine + i;
      if (defining) {
        const line = lines[i]!;
        if (/^\s*define\b/.test(line)) defining.nested++;
        if (/^\s*endef\b/.test(line) && defining.nested-- === 0) {
          this.assign(defining.raw, defining.operator, defining.body.join('\n'), defining.line);
          defining = undefined;
        } else {
          defining.body.push(line);
        }
        continue;
      }
      const start = i;
      let line = lines[i]!;
      while (/(^|[^\\])(\\\\)*\\$/.test(line) && i + 1 < lines.length) line = `${line.slice(0, -1).trimEnd()} ${lines[++i]!.trimStart()}`;
      if (firstLine !== undefined) this.line = firstLine + start;
      // A tab starts a recipe line. Outside of a rule make would refuse it or take it as text; neither says anything about libraries.
      if (line.startsWith('\t') && !this.isStatement(line)) continue;
      line = stripComment(line).trim();
      if (line === '') continue;
      if (this.conditional(line)) continue;
      if (!this.active()) {
        const skipped = /^define\s+(.*)/.exec(line);
        if (skipped) defining = { name: '', raw: skipped[1]!, operator: 'skip', body: [], nested: 0, line: this.line };
        continue;
      }
      const define = /^(?:override\s+)?define\s+(.+?)\s*(\+=|::?=|\?=|=)?\s*$/.exec(line);
      if (define) {
        defining = { name: define[1]!, raw: define[1]!, operator: define[2] ?? '=', body: [], nested: 0, line: this.line };
        continue;
      }
      this.statement(line);
    }
    if (defining) this.problem(`The define of ${defining.raw} has no endef.`);
  }

  private isStatement(line: string): boolean {
    return (
      /^\s*(ifeq|ifneq|ifdef|ifndef|else|endif|include|-include|define|endef)\b/.test(line) ||
      findAssignment(line.trim()) !== undefined ||
      /^\s*\$\((eval|call)\b/.test(line)
    );
  }

  private active(): boolean {
    return this.conditionals.at(-1)?.active ?? true;
  }

  private conditional(line: string): boolean {
    const word = /^(ifeq|ifneq|ifdef|ifndef|else|endif)\b\s*(.*)$/.exec(line);
    if (!word) return false;
    const [, keyword, rest] = word as unknown as [string, string, string];
    if (keyword === 'endif') {
      if (!this.conditionals.pop()) this.problem('endif without a condition.');
      return true;
    }
    if (keyword === 'else') {
      const top = this.conditionals.at(-1);
      if (!top) this.problem('else without a condition.');
      else {
        const again = /^(ifeq|ifneq|ifdef|ifndef)\b\s*(.*)$/.exec(rest);
        const open = top.parentActive && !top.taken;
        top.active = open && (again ? this.test(again[1]!, again[2]!) : true);
        top.taken ||= top.active;
        top.text = again ? `else ${rest}` : `else of ${top.text}`;
      }
      return true;
    }
    const parentActive = this.active();
    const active = parentActive && this.test(keyword, rest);
    this.conditionals.push({ active, taken: active, parentActive, text: `${keyword} ${rest}` });
    return true;
  }

  private test(keyword: string, rest: string): boolean {
    if (keyword === 'ifdef' || keyword === 'ifndef') {
      const set = (this.variables.get(this.expand(rest).trim())?.value ?? '') !== '';
      return set === (keyword === 'ifdef');
    }
    const sides = conditionSides(rest);
    if (!sides) {
      this.problem(`Cannot read the condition “${keyword} ${rest}”.`);
      return false;
    }
    const equal = this.expand(sides[0]).trim() === this.expand(sides[1]).trim();
    return equal === (keyword === 'ifeq');
  }

  private statement(line: string): void {
    const include = /^(-?include|sinclude)\s+(.*)$/.exec(line);
    if (include) {
      for (const path of splitWords(this.expand(include[2]!))) this.readFile(path, include[1] !== 'include');
      return;
    }
    const undefine = /^(?:override\s+)?undefine\s+(.+)$/.exec(line);
    if (undefine) {
      this.variables.delete(this.expand(undefine[1]!).trim());
      return;
    }
    const body = line.replace(/^(?:(?:override|export|private)\s+)+(?=\S)/, '');
    const at = findAssignment(body);
    if (at) {
      this.assign(body.slice(0, at.start).trim(), at.operator, body.slice(at.end).trimStart(), this.line);
      return;
    }
    if (/^(un)?export\b/.test(line) || /^vpath\b/.test(line)) return;
    if (findRuleColon(line)) return;
    const text = this.expand(line).trim();
    if (text === '') return;
    // A line that expands to makefile text is read as such once; anything else is not ours to understand.
    if (text !== line) this.nested(() => this.readText(text, undefined));
    else this.problem(`Cannot read “${line.length > 80 ? `${line.slice(0, 80)}…` : line}”.`);
  }

  private assign(rawName: string, operator: string, value: string, line: number): void {
    if (operator === 'skip') return;
    const name = this.expand(rawName).trim();
    if (name === '') return;
    const op = operator === '::=' ? ':=' : (operator as MakeAssignment['operator']);
    const conditions = this.conditionals.map((c) => c.text);
    if (this.assignments.length < 100_000)
      this.assignments.push({ path: this.path, line, rawName, name, operator: op, rawValue: value, conditions });
    const old = this.variables.get(name);
    switch (op) {
      case '=':
        this.variables.set(name, { value, recursive: true });
        break;
      case ':=':
        this.variables.set(name, { value: this.expand(value), recursive: false });
        break;
      case '?=':
        if (!old) this.variables.set(name, { value, recursive: true });
        break;
      case '+=':
        if (!old) this.variables.set(name, { value, recursive: true });
        else if (old.value.length < MAX_TEXT)
          old.value = `${old.value}${old.value === '' ? '' : ' '}${old.recursive ? value : this.expand(value)}`;
        break;
    }
  }

  /** Sets a simple variable, as registration does for `LIBX_BASE`. */
  set(name: string, value: string): void {
    this.variables.set(name, { value, recursive: false });
  }

  append(name: string, value: string): void {
    const old = this.variables.get(name);
    if (old) old.value = `${old.value} ${value}`;
    else this.variables.set(name, { value, recursive: false });
  }

  rawValue(name: string): Variable | undefined {
    return this.variables.get(name);
  }

  valueOf(name: string): string {
    const v = this.variables.get(name);
    if (!v) return '';
    return v.recursive ? this.nested(() => this.expand(v.value)) : v.value;
  }

  /** Runs one level deeper; gives '' where recursion never ends. */
  nested<T>(run: () => T): T | string {
    if (this.depth >= MAX_DEPTH) {
      this.problem('A variable refers to itself without end.');
      return '';
    }
    this.depth++;
    try {
      return run();
    } finally {
      this.depth--;
    }
  }

  /** Expands `$(…)` in a text. `locals` are the arguments of `$(call …)` and variables of `$(foreach …)`. */
  expand(text: string, locals?: ReadonlyMap<string, string>): string {
    let out = '';
    let at = 0;
    for (;;) {
      const dollar = text.indexOf('$', at);
      if (dollar < 0) return out + text.slice(at);
      out += text.slice(at, dollar);
      if (++this.steps > MAX_STEPS || out.length > MAX_TEXT) {
        if (this.steps <= MAX_STEPS + 2) this.problem('The makefiles expand without end; the rest was left out.');
        return out;
      }
      const open = text[dollar + 1];
      if (open === undefined) return `${out}$`;
      if (open === '$') {
        out += '$';
        at = dollar + 2;
      } else if (open === '(' || open === '{') {
        const end = matching(text, dollar + 1);
        if (end < 0) {
          this.problem(`“${text.slice(dollar, dollar + 60)}” is not closed.`);
          return out;
        }
        out += this.nested(() => this.reference(text.slice(dollar + 2, end), locals));
        at = end + 1;
      } else {
        out += locals?.get(open) ?? this.valueOf(open);
        at = dollar + 2;
      }
    }
  }

  private reference(body: string, locals: ReadonlyMap<string, string> | undefined): string {
    const call = /^([a-z][a-z-]*)(?:\s+|$)/.exec(body);
    if (call) {
      const answer = callFunction(this, call[1]!, body.slice(call[0].length), locals);
      if (answer !== undefined) return answer;
    }
    const name = this.expand(body, locals);
    const substitution = /^([^:]+):([^=]*)=(.*)$/s.exec(name);
    if (substitution && !this.variables.has(name)) {
      const [, variable, from, to] = substitution as unknown as [string, string, string, string];
      const pattern = from.includes('%') ? [from, to] : [`%${from}`, `%${to}`];
      return splitWords(locals?.get(variable) ?? this.valueOf(variable))
        .map((w) => patternSubstitute(pattern[0]!, pattern[1]!, w))
        .join(' ');
    }
    return locals?.get(name) ?? this.valueOf(name);
  }

  /** Notes that a file's existence was asked for. */
  exists(path: string): boolean {
    this.inputs.add(path);
    return this.files.kind(path) !== undefined;
  }

  /** `$(call addlib…)` and its relatives. */
  register(kind: MakeLibrary['kind'], name: string, enabled: boolean, platform?: string): void {
    const upper = upperName(name);
    const base = this.valueOf('IMPORT_BASE');
    const build = `${this.buildDir}/${name}`;
    this.libraries.push({
      name,
      kind,
      base,
      build,
      path: this.path,
      line: this.line,
      enabled,
      ...(platform !== undefined && { platform }),
    });
    if (kind === 'platform') {
      if (!enabled) return;
      this.append('UK_PLATS', name);
      this.set(`UK_PLAT_${upper}_BASE`, base);
      return;
    }
    // The folder is set for disabled libraries, too: their lines use it, and a catalogue wants to know their sources.
    this.set(`${upper}_BASE`, base);
    this.set(`${upper}_BUILD`, build);
    if (!enabled) return;
    const exports = `${base}/exportsyms.uk`;
    if (this.exists(exports)) this.append(`${upper}_EXPORTS`, exports);
    if (platform !== undefined) this.append(`${upperName(platform)}_LIBS`, name);
    else this.append('UK_LIBS', name);
  }

  /** `$(call import_lib,DIR)`. */
  importLibrary(dir: string): void {
    const before = this.variables.get('IMPORT_BASE');
    this.set('IMPORT_BASE', dir);
    this.readFile(`${dir}/Makefile.uk`, false);
    if (before) this.variables.set('IMPORT_BASE', before);
    else this.variables.delete('IMPORT_BASE');
  }
}

/** Index of the bracket that closes the one at `open`, or -1. Only brackets of the same kind count, as in make. */
function matching(text: string, open: number): number {
  const left = text[open]!;
  const right = left === '(' ? ')' : '}';
  let depth = 0;
  for (let i = open; i < text.length; i++) {
    if (text[i] === left) depth++;
    else if (text[i] === right && --depth === 0) return i;
  }
  return -1;
}

function stripComment(line: string): string {
  for (let i = line.indexOf('#'); i >= 0; i = line.indexOf('#', i + 1)) {
    if (line[i - 1] === '\\') continue;
    // Inside of a reference `#` is text: $(subst #,…).
    const open = line.lastIndexOf('$(', i);
    if (open >= 0 && matching(line, open + 1) > i) continue;
    return line.slice(0, i);
  }
  return line;
}

/** The first assignment operator outside of references, before any rule's colon. */
function findAssignment(line: string): { start: number; end: number; operator: string } | undefined {
  for (let i = 0; i < line.length; i++) {
    const c = line[i]!;
    if (c === '$' && (line[i + 1] === '(' || line[i + 1] === '{')) {
      const end = matching(line, i + 1);
      if (end < 0) return undefined;
      i = end;
    } else if (c === '=') {
      return { start: i, end: i + 1, operator: '=' };
    } else if ((c === '+' || c === '?') && line[i + 1] === '=') {
      return { start: i, end: i + 2, operator: `${c}=` };
    } else if (c === ':') {
      if (line[i + 1] === '=') return { start: i, end: i + 2, operator: ':=' };
      if (line[i + 1] === ':' && line[i + 2] === '=') return { start: i, end: i + 3, operator: '::=' };
      return undefined;
    }
  }
  return undefined;
}

function findRuleColon(line: string): boolean {
  for (let i = 0; i < line.length; i++) {
    if (line[i] === '$' && (line[i + 1] === '(' || line[i + 1] === '{')) {
      const end = matching(line, i + 1);
      if (end < 0) return false;
      i = end;
    } else if (line[i] === ':') return true;
  }
  return false;
}

function conditionSides(text: string): [string, string] | undefined {
  const quoted = /^(["'])(.*?)\1\s*(["'])(.*?)\3$/.exec(text.trim());
  if (quoted) return [quoted[2]!, quoted[4]!];
  const t = text.trim();
  if (!t.startsWith('(') || matching(t, 0) !== t.length - 1) return undefined;
  let depth = 0;
  for (let i = 1; i < t.length - 1; i++) {
    if (t[i] === '(') depth++;
    else if (t[i] === ')') depth--;
    else if (t[i] === ',' && depth === 0) return [t.slice(1, i), t.slice(i + 1, -1)];
  }
  return undefined;
}
