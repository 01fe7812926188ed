/** The macro language: variables, user functions, built-in functions and the environment behind `$(…)`. */
import { type Dialect } from './dialect';
import { type TextPart } from './scanner';

/** What macros may ask of the world; a failure is reported and the expansion goes on with nothing. */
export interface MacroHost {
  /** The path of the file being read, as `$(filename)` gives it. */
  readonly filename: () => string;
  readonly line: () => number;
  readonly environment: (name: string) => string | undefined;
  /** Standard output of a command, or undefined where commands are not run. */
  readonly shell: (command: string) => string | undefined;
  readonly info: (text: string) => void;
  readonly warn: (text: string) => void;
  /** An error at which `conf` stops. */
  readonly fail: (text: string) => void;
}

interface Variable {
  value: string;
  recursive: boolean;
  expanding: number;
}

const mostArguments = 16;
const deepestNesting = 1000;
/** A text longer than this can only come from a macro that doubles itself. */
const longestText = 1 << 22;
const mostExpansions = 200_000;

const argumentCounts: Readonly<Record<string, readonly [number, number]>> = {
  'error-if': [2, 2],
  filename: [0, 0],
  info: [1, 1],
  lineno: [0, 0],
  shell: [1, 1],
  'warning-if': [2, 2],
};

/** Names of the functions that every dialect has built in. */
export const builtInFunctions: readonly string[] = Object.keys(argumentCounts);

/** Expands macros and keeps the variables that the files assign. */
export class Macros {
  private readonly variables = new Map<string, Variable>();
  private expansions = 0;
  private depth = 0;

  constructor(
    private readonly dialect: Dialect,
    private readonly host: MacroHost,
  ) {}

  /** Names of the variables assigned so far. */
  get names(): Iterable<string> {
    return this.variables.keys();
  }

  /** A variable's text as it stands, before expansion. */
  rawValue(name: string): string | undefined {
    return this.variables.get(name)?.value;
  }

  /** The text of a word or string made of parts. */
  expandParts(parts: readonly TextPart[]): string {
    let out = '';
    for (const part of parts) out += part.macro ? this.clause(part.text, []) : part.text;
    return out;
  }

  /** `name = text`, `name := text` or `name += text`. */
  assign(name: string, operator: '=' | ':=' | '+=', text: string): void {
    const known = this.variables.get(name);
    const recursive = operator === '+=' ? (known?.recursive ?? true) : operator === '=';
    const value = recursive ? text : this.expand(text);
    if (known) {
      known.value = operator === '+=' ? `${known.value} ${value}`.slice(0, longestText) : value;
      known.recursive = recursive;
    } else this.variables.set(name, { value, recursive, expanding: 0 });
  }

  /** Expands all `$(…)` in a text. */
  expand(text: string, args: readonly string[] = []): string {
    let out = '';
    let from = 0;
    for (let at = text.indexOf('$('); at >= 0; at = text.indexOf('$(', from)) {
      const end = closing(text, at + 2);
      if (end < 0) {
        this.host.fail(`unterminated reference to '${text.slice(at + 2)}': missing ')'`);
        return out + text.slice(from, at);
      }
      out += text.slice(from, at) + this.clause(text.slice(at + 2, end), args);
      if (out.length > longestText) return this.tooDeep();
      from = end + 1;
    }
    return out + text.slice(from);
  }

  private clause(body: string, args: readonly string[]): string {
    if (++this.expansions > mostExpansions || this.depth > deepestNesting) return this.tooDeep();
    this.depth++;
    const value = this.evaluate(body, args);
    this.depth--;
    return value;
  }

  private evaluate(body: string, args: readonly string[]): string {
    if (/^\s*\+?\d+$/.test(body)) {
      const index = Number(body);
      if (index > 0 && index <= args.length) return args[index - 1]!;
    }
    const [head, ...rest] = splitArguments(body);
    if (rest.length >= mostArguments) {
      this.host.fail('too many function arguments');
      return '';
    }
    const name = this.expand(head!, args);
    const values = rest.map((argument) => this.expand(argument, args));
    return this.variable(name, values) ?? this.builtIn(name, values) ?? (values.length === 0 ? this.environment(name) : '');
  }

  private environment(name: string): string {
    return (name && this.host.environment(name)) || '';
  }

  private variable(name: string, args: readonly string[]): string | undefined {
    const variable = this.variables.get(name);
    if (!variable) return undefined;
    if (args.length === 0 && variable.expanding > 0) {
      this.host.fail(`Recursive variable '${name}' references itself (eventually)`);
      return '';
    }
    if (variable.expanding > deepestNesting) return this.tooDeep();
    variable.expanding++;
    const value = variable.recursive ? this.expand(variable.value, args) : variable.value;
    variable.expanding--;
    return value;
  }

  private builtIn(name: string, args: readonly string[]): string | undefined {
    const counts = Object.hasOwn(argumentCounts, name) ? argumentCounts[name] : undefined;
    if (!counts) return undefined;
    if (args.length < counts[0] || args.length > counts[1]) {
      this.host.fail(`too ${args.length < counts[0] ? 'few' : 'many'} function arguments passed to '${name}'`);
      return '';
    }
    const [first = '', second = ''] = args;
    switch (name) {
      case 'filename':
        return this.host.filename();
      case 'lineno':
        return String(this.host.line());
      case 'info':
        this.host.info(first);
        return '';
      case 'warning-if':
        if (first === 'y') this.host.warn(second);
        return '';
      case 'error-if':
        if (first === 'y') this.host.fail(second);
        return '';
      default:
        return this.shell(first);
    }
  }

  private shell(command: string): string {
    const output = this.host.shell(command) ?? '';
    const limit = this.dialect.shellLimit;
    const kept = output.length > limit ? output.slice(0, limit) : output;
    return kept.replace(/\n+$/, '').replaceAll('\n', ' ');
  }

  private tooDeep(): string {
    this.host.fail('Too deep recursive expansion');
    return '';
  }
}

/** The offset of the parenthesis that closes a reference whose inside starts at `from`, or -1. */
function closing(text: string, from: number): number {
  let nesting = 0;
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 40) nesting++;
    else if (code === 41 && nesting-- === 0) return at;
  }
  return -1;
}

function splitArguments(body: string): string[] {
  const parts: string[] = [];
  let nesting = 0;
  let from = 0;
  for (let at = 0; at < body.length; at++) {
    const code = body.charCodeAt(at);
    if (code === 44 && nesting === 0) {
      parts.push(body.slice(from, at));
      from = at + 1;
    } else if (code === 40) nesting++;
    else if (code === 41) nesting--;
  }
  parts.push(body.slice(from));
  return parts;
}
