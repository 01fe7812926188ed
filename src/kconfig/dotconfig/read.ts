/** Reads .config files: the lines with their places, and their values into a configuration as each engine takes them. */
import { type Diagnostic } from '../diagnostics';
import { type Dialect } from '../dialect';
import { type Evaluation } from '../evaluate';
import { nameAndPlace, type KSymbol, type Tri } from '../model';
import { isNumberText, isValidText } from '../values';

/** One line of a .config. */
export interface Assignment {
  /** The name without its prefix. */
  readonly name: string;
  /** The raw text after `=`; undefined for `# … is not set`. */
  readonly value: string | undefined;
  /** 1-based. */
  readonly line: number;
  readonly start: number;
  readonly end: number;
  /** Offsets of the name with its prefix, and of the value. */
  readonly nameStart: number;
  readonly nameEnd: number;
  readonly valueStart: number;
  readonly valueEnd: number;
}

/** A line that is neither an assignment nor a comment. */
export interface StrayLine {
  readonly text: string;
  readonly line: number;
  readonly start: number;
  readonly end: number;
}

/** A .config's content. */
export interface DotConfig {
  readonly assignments: readonly Assignment[];
  readonly stray: readonly StrayLine[];
}

/** Where a user's value comes from. */
export interface Origin {
  readonly file: string;
  readonly line: number;
}

/** Reads the lines of a text. */
export function parseDotConfig(text: string, prefix: string, dialect?: Dialect): DotConfig {
  const assignments: Assignment[] = [];
  const stray: StrayLine[] = [];
  const unset = `# ${prefix}`;
  const library = dialect?.engine === 'kconfiglib';
  let line = 0;
  for (let start = 0; start < text.length;) {
    line++;
    let end = text.indexOf('\n', start);
    const next = end < 0 ? text.length : end + 1;
    if (end < 0) end = text.length;
    const cut = end > start && text.charCodeAt(end - 1) === 13 ? end - 1 : end;
    if (text.charCodeAt(start) === 35) {
      const at = text.startsWith(prefix, start + 2) && (!library || text.startsWith(unset, start)) ? start + 2 + prefix.length : -1;
      const space = at < 0 ? -1 : text.indexOf(' ', at);
      if (space >= 0 && space < cut && text.startsWith('is not set', space + 1)) {
        const name = text.slice(at, space);
        assignments.push({
          name,
          value: undefined,
          line,
          start,
          end: cut,
          nameStart: start + 2,
          nameEnd: space,
          valueStart: space + 1,
          valueEnd: cut,
        });
      }
    } else if (text.startsWith(prefix, start)) {
      const equals = text.indexOf('=', start + prefix.length);
      if (equals >= 0 && equals < cut) {
        let last = cut;
        if (library) while (last > equals + 1 && /\s/.test(text[last - 1]!)) last--;
        const name = text.slice(start + prefix.length, equals);
        const value = text.slice(equals + 1, last);
        assignments.push({ name, value, line, start, end: cut, nameStart: start, nameEnd: equals, valueStart: equals + 1, valueEnd: last });
      } else if (library) stray.push({ text: text.slice(start, cut).trimEnd(), line, start, end: cut });
    } else if (cut > start) {
      const whole = text.slice(start, cut);
      const rest = library ? whole.trimEnd() : whole;
      if (!library || (rest !== '' && !rest.trimStart().startsWith('#'))) stray.push({ text: rest, line, start, end: cut });
    }
    start = next;
  }
  return { assignments, stray };
}

/** A .config string's text: what stands between the quotes, escapes taken away; undefined where the closing quote is missing. */
export function unquote(text: string): string | undefined {
  let out = '';
  for (let at = 1; at < text.length; at++) {
    const char = text[at]!;
    if (char === '"') return out;
    if (char === '\\') {
      at++;
      out += text[at] ?? '';
    } else out += char;
  }
  return undefined;
}

/** Puts a .config's values into a configuration; nothing is computed. Gives each value's origin. */
export class ConfigReader {
  readonly diagnostics: Diagnostic[] = [];
  readonly origins = new Map<KSymbol, Origin>();
  warnings = 0;
  private readonly dialect: Dialect;

  constructor(
    private readonly values: Evaluation,
    private readonly file: string,
  ) {
    this.dialect = values.dialect;
  }

  /** Reads a text over what is set; call `begin` first where it replaces that. */
  read(text: string, prefix: string): boolean {
    const { assignments, stray } = parseDotConfig(text, prefix, this.dialect);
    let unknown = false;
    let strayAt = 0;
    const strayBefore = (line: number): void => {
      for (let next = stray[strayAt]; next && next.line < line; next = stray[++strayAt]) this.stray(next);
    };
    for (const assignment of assignments) {
      strayBefore(assignment.line);
      const symbol = this.find(assignment.name);
      if (!symbol) {
        unknown = true;
        if (this.dialect.engine === 'kconfiglib') this.unknown(assignment);
        continue;
      }
      const taken = this.dialect.engine === 'c' ? this.assign(symbol, assignment) : this.assignLibrary(symbol, assignment);
      if (taken) this.origins.set(symbol, { file: this.file, line: assignment.line });
    }
    strayBefore(Number.MAX_SAFE_INTEGER);
    return unknown;
  }

  /** Takes all user values away, as reading a file does. */
  begin(): void {
    this.values.clearUser();
    if (this.dialect.engine !== 'c' || this.dialect.choiceByPriority) return;
    for (const symbol of this.values.model.symbols) if (symbol.isChoice) this.values.putUser(symbol, 0);
  }

  private find(name: string): KSymbol | undefined {
    const { model } = this.values;
    const symbol = model.byName.get(name);
    return symbol && (this.dialect.engine === 'c' || symbol.isDefined) ? symbol : undefined;
  }

  private assign(symbol: KSymbol, assignment: Assignment): boolean {
    if (this.values.hasUserValue(symbol) && (!symbol.choice || !this.dialect.choiceByPriority)) {
      this.warn(assignment.line, 'config-reassigned', `override: reassigning to symbol ${symbol.label}`, assignment);
    }
    if (assignment.value === undefined) {
      if (symbol.isBoolean) this.values.putUser(symbol, 0);
      else if (this.dialect.unsetNumberWarned && (symbol.type === 'int' || symbol.type === 'hex'))
        return this.invalid(symbol, 'n', assignment);
      else return false;
    } else if (!this.value(symbol, assignment.value, assignment)) return false;
    if (symbol.choice) this.member(symbol, symbol.choice, assignment);
    return true;
  }

  private value(symbol: KSymbol, text: string, assignment: Assignment): boolean {
    const tri = ['n', 'm', 'y'].indexOf(text[0] ?? '');
    switch (symbol.type) {
      case 'bool':
      case 'tristate':
        if (tri < 0 || (tri === 1 && symbol.type === 'bool')) return this.invalid(symbol, text, assignment);
        this.values.putUser(symbol, tri as Tri);
        return true;
      case 'string': {
        if (!text.startsWith('"')) return true;
        const content = unquote(text);
        if (content === undefined) {
          this.warn(assignment.line, 'config-bad-string', 'invalid string found', assignment);
          return false;
        }
        this.values.putUser(symbol, content);
        return true;
      }
      case 'int':
      case 'hex':
        if (!isValidText(symbol.type, text)) return this.invalid(symbol, text, assignment);
        this.values.putUser(symbol, text);
        return true;
      default:
        return true;
    }
  }

  private member(symbol: KSymbol, choice: KSymbol, assignment: Assignment): void {
    const { values } = this;
    if (this.dialect.choiceByPriority) {
      values.promote(symbol);
      return;
    }
    const value = (values.userValue(symbol) ?? 0) as Tri;
    // The mode a choice has come to is kept even where it does not count as set.
    const mode = this.modes.get(choice) ?? 0;
    if (value === 1 && mode === 2) {
      this.warn(assignment.line, 'config-choice-inconsistent', `${symbol.label} creates inconsistent choice state`, assignment);
      values.putUser(choice, undefined);
      this.dropped.add(choice);
    } else if (value === 2) {
      if (mode !== 0) this.warn(assignment.line, 'config-choice-changed', `override: ${symbol.label} changes choice state`, assignment);
      values.putPick(choice, symbol);
    }
    const now = Math.max(mode, value) as Tri;
    this.modes.set(choice, now);
    if (!this.dropped.has(choice) && values.hasUserValue(choice)) values.putUser(choice, now);
  }

  private readonly modes = new Map<KSymbol, Tri>();
  private readonly dropped = new Set<KSymbol>();

  private invalid(symbol: KSymbol, text: string, assignment: Assignment): false {
    this.warn(assignment.line, 'config-invalid-value', `symbol value '${text}' invalid for ${symbol.label}`, assignment);
    return false;
  }

  private stray(line: StrayLine): void {
    if (this.dialect.engine === 'c') this.warn(line.line, 'config-unexpected', `unexpected data: ${line.text}`, line);
    else this.libraryWarn(line.line, `ignoring malformed line '${line.text}'`);
  }

  private warn(line: number, code: string, message: string, span: { start: number; end: number }): void {
    this.warnings++;
    this.diagnostics.push({
      code,
      severity: 'warning',
      message,
      file: this.file,
      line,
      start: span.start,
      end: span.end,
      printed: `${this.file}:${line}:warning: ${message}\n`,
      channel: 'stderr',
    });
  }

  // Kconfiglib

  private unknown(assignment: Assignment): void {
    this.libraryWarn(
      assignment.line,
      `attempt to assign the value '${assignment.value ?? 'n'}' to the undefined symbol ${assignment.name}`,
    );
  }

  private assignLibrary(symbol: KSymbol, assignment: Assignment): boolean {
    const { values } = this;
    let text = assignment.value ?? 'n';
    if (symbol.isBoolean) {
      const tri = ['n', 'm', 'y'].indexOf(text[0] ?? '');
      if (tri < 0 || (tri === 1 && symbol.type === 'bool')) {
        this.libraryWarn(
          assignment.line,
          `'${text}' is not a valid value for the ${symbol.type} symbol ${nameAndPlace(symbol)}. Assignment ignored.`,
        );
        return false;
      }
      text = text[0]!;
      const { choice } = symbol;
      if (choice && tri > 0) {
        const mode = values.userValue(choice);
        if (mode !== undefined && mode !== tri)
          this.libraryWarn(assignment.line, 'both m and y assigned to symbols within the same choice');
        values.putUser(choice, tri as Tri);
      }
      this.twice(symbol, text, assignment);
      values.putUser(symbol, tri as Tri);
      if (choice && tri === 2) values.putPick(choice, symbol);
      return true;
    }
    if (assignment.value === undefined) return false;
    if (symbol.type === 'string') {
      const match = /^"((?:[^\\"]|\\.)*)"/.exec(text);
      if (!match) {
        this.libraryWarn(assignment.line, `malformed string literal in assignment to ${nameAndPlace(symbol)}. Assignment ignored.`);
        return false;
      }
      text = match[1]!.replace(/\\(.)/g, '$1');
    }
    this.twice(symbol, text, assignment);
    if (symbol.type !== 'string' && !isNumberText(symbol.type, text, this.dialect)) {
      const message = `the value '${text}' is invalid for ${nameAndPlace(symbol)}, which has type ${symbol.type} -- assignment ignored`;
      this.diagnostics.push({
        code: 'kconfiglib',
        severity: 'warning',
        message,
        file: this.file,
        line: assignment.line,
        printed: `warning: ${message}\n`,
        channel: 'stderr',
      });
      return false;
    }
    values.putUser(symbol, text);
    return true;
  }

  private twice(symbol: KSymbol, text: string, assignment: Assignment): void {
    const old = this.values.userValue(symbol);
    if (old === undefined) return;
    const oldText = typeof old === 'number' ? 'nmy'[old]! : old;
    this.libraryWarn(assignment.line, `${nameAndPlace(symbol)} set more than once. Old value "${oldText}", new value "${text}".`);
  }

  private libraryWarn(line: number, message: string): void {
    this.diagnostics.push({
      code: 'kconfiglib',
      severity: 'warning',
      message,
      file: this.file,
      line,
      printed: `${this.file}:${line}: warning: ${message}\n`,
      channel: 'stderr',
    });
  }
}
