/** Cuts a Kconfig text into logical lines of tokens, keeping where each stands, and never failing. */
import { type Dialect } from './dialect';
import { HelpText, readHelp } from './help-text';

/** What a token is. `assigned` is the raw right-hand side of a macro's assignment. */
export type TokenKind = 'word' | 'quoted' | 'keyword' | 'operator' | 'assigned';

/** A piece of a word or string: text as it stands, or the inside of `$(…)`. */
export interface TextPart {
  readonly text: string;
  readonly macro: boolean;
  /** Offset of the piece (of the `$` for a macro). */
  readonly start: number;
  readonly end: number;
}

/** One token; `text` is its value with quotes and escapes taken away, `parts` is set where macros are to be expanded. */
export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** 1-based line on which the token starts. */
  readonly line: number;
  readonly parts: readonly TextPart[] | undefined;
}

/** Something the scanner stumbled over; it goes on after it. */
export interface ScanProblem {
  readonly code: 'unsupported-character' | 'multi-line-string' | 'unterminated-macro' | 'no-final-newline';
  /** The character, or the text after `$(`. */
  readonly detail: string;
  readonly line: number;
  readonly start: number;
  readonly end: number;
}

/** The tokens up to an end of line that is not escaped. */
export interface LogicalLine {
  readonly tokens: readonly Token[];
  /** 1-based line of the first token. */
  readonly line: number;
  /** 1-based line on which the logical line ends. */
  readonly endLine: number;
  readonly start: number;
  readonly end: number;
  readonly problems: readonly ScanProblem[];
  /** True where a word holds a macro, so that what the line says shows only when it is expanded. */
  readonly macros: boolean;
}

/** The body of a comment, or a run of blanks, between tokens. */
export interface Trivia {
  readonly kind: 'comment';
  readonly start: number;
  readonly end: number;
}

const commonKeywords = [
  'allnoconfig_y',
  'bool',
  'choice',
  'comment',
  'config',
  'def_bool',
  'def_tristate',
  'default',
  'defconfig_list',
  'depends',
  'endchoice',
  'endif',
  'endmenu',
  'help',
  'hex',
  'if',
  'imply',
  'int',
  'mainmenu',
  'menu',
  'menuconfig',
  'modules',
  'on',
  'option',
  'optional',
  'prompt',
  'range',
  'select',
  'source',
  'string',
  'tristate',
  'visible',
];
const removedLater = new Set(['allnoconfig_y', 'defconfig_list', 'option']);
const kconfiglibOnly = ['def_int', 'def_hex', 'def_string', 'env', 'osource', 'rsource', 'orsource', 'gsource', 'grsource'];

const keywordMaps = new Map<Dialect, ReadonlyMap<string, string>>();

/** The words that a dialect reads as keywords wherever they stand unquoted, each with itself: its one instance, which is quick to compare. */
export function keywordsOf(dialect: Dialect): ReadonlyMap<string, string> {
  let words = keywordMaps.get(dialect);
  if (!words) keywordMaps.set(dialect, (words = makeKeywords(dialect)));
  return words;
}

function makeKeywords(dialect: Dialect): ReadonlyMap<string, string> {
  const words = commonKeywords.filter((word) => dialect.optionStatement || !removedLater.has(word));
  if (dialect.dashedHelp) words.push('---help---');
  if (dialect.engine === 'kconfiglib') words.push(...kconfiglibOnly);
  return new Map(words.map((word) => [word, word]));
}

// Patterns find the ends of tokens faster than a loop does while the code is young, and a tree is mostly read once.
const plainWord = /[\w-]*/y;
const looseWord = /[\w./-]*/y;
const blanks = /[ \t]*/y;
const plainDouble = /[^"\\\n$]*/y;
const plainSingle = /[^'\\\n$]*/y;

function endOf(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  pattern.test(text);
  return pattern.lastIndex;
}

/** What nearly every line has of problems. */
export const noProblems: readonly ScanProblem[] = [];
const TAB = 9;
const LF = 10;
const SPACE = 32;
const BACKSLASH = 92;
const DOLLAR = 36;

function isWordCode(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code >= 48 && code <= 57) || code === 95 || code === 45;
}

/** Reads one text from front to back. */
export class Scanner {
  private problems: ScanProblem[] = [];
  private macros = false;
  readonly comments: Trivia[] = [];
  private readonly keywords: ReadonlyMap<string, string>;
  /** The tokens of the line that is being read; kept, so that each line gets an array of just its length. */
  private readonly found: Token[] = [];
  private count = 0;
  private readonly loose: boolean;

  /** @param at offset to start from. @param line its line, from 1. */
  constructor(
    readonly text: string,
    private readonly dialect: Dialect,
    private at = 0,
    private line = 1,
  ) {
    this.keywords = keywordsOf(dialect);
    this.loose = dialect.engine === 'kconfiglib';
  }

  /** Where the scanner goes on. */
  get offset(): number {
    return this.at;
  }

  /** The 1-based line the scanner is on. */
  get currentLine(): number {
    return this.line;
  }

  /** Passes over empty lines and lines that are comments; gives the offset of the line that follows. */
  passEmptyLines(): number {
    const { text } = this;
    let { at } = this;
    for (;;) {
      const code = text.charCodeAt(at);
      if (code === 35) {
        const end = text.indexOf('\n', at);
        // A comment that nothing ends is left to those who look for the end of the text.
        if (end < 0) break;
        this.comments.push({ kind: 'comment', start: at, end });
        at = end;
      } else if (code !== LF) break;
      at++;
      this.line++;
    }
    this.at = at;
    return at;
  }

  /** Goes on at the offset `next`, which starts a line, as the `lines` before it were read by somebody else. */
  passLines(lines: number, next: number): void {
    this.at = next;
    this.line += lines;
  }

  /** Problems met since the last line was handed out (those after the last token of a text). */
  trailingProblems(): readonly ScanProblem[] {
    const problems = this.problems;
    this.problems = [];
    return problems;
  }

  /** The next line that holds a token, or undefined at the end of the text. */
  nextLine(): LogicalLine | undefined {
    const { text, found } = this;
    let first = -1;
    let firstLine = this.line;
    this.count = 0;
    for (;;) {
      if (this.at >= text.length) {
        if (this.count === 0) return undefined;
        if (this.dialect.unendedLine !== 'allowed') this.report('no-final-newline', '', this.at, this.at);
        break;
      }
      const code = text.charCodeAt(this.at);
      if (code === SPACE) {
        this.at++;
        continue;
      }
      if (code === TAB) {
        this.at = endOf(blanks, text, this.at);
        continue;
      }
      if (code === LF) {
        this.at++;
        if (this.count === 0) {
          this.line++;
          continue;
        }
        const line = this.finish(first, firstLine, this.at - 1);
        this.line++;
        return line;
      }
      if (code === 35) {
        const end = this.endOfLine();
        this.comments.push({ kind: 'comment', start: this.at, end });
        this.at = end;
        continue;
      }
      if (code === BACKSLASH && text.charCodeAt(this.at + 1) === LF) {
        this.at += 2;
        this.line++;
        continue;
      }
      if (this.loose && (code === 13 || code === 12 || code === 0xfeff)) {
        this.at++;
        continue;
      }
      const token = this.token(code);
      if (!token) continue;
      if (this.count === 0) {
        first = token.start;
        firstLine = token.line;
      }
      found[this.count++] = token;
      if (this.count === 2 && found[0]!.kind === 'word' && isAssignment(token)) {
        const value = this.assignedValue();
        if (value) found[this.count++] = value;
      }
    }
    return this.finish(first, firstLine, this.at);
  }

  /** Reads the text that follows a `help` line. */
  help(): HelpText {
    const { text, at, line } = this;
    // The library sees no help where the first line of text is not indented.
    if (this.loose && /^(?:[ \t]*\n)*[^ \t\n]/.test(text.slice(at, at + 4096))) return new HelpText(text, at, at, line, -1);
    const found = readHelp(text, at, line);
    this.at = found.at;
    this.line = found.line;
    return found.help;
  }

  private finish(start: number, line: number, end: number): LogicalLine {
    const tokens = this.found.slice(0, this.count);
    const problems = this.problems.length > 0 ? this.problems : noProblems;
    if (this.problems.length > 0) this.problems = [];
    const { macros } = this;
    this.macros = false;
    return { tokens, line, endLine: this.line, start, end, problems, macros };
  }

  private token(code: number): Token | undefined {
    const start = this.at;
    const { text, line } = this;
    if (code === 34 || code === 39) return this.quoted(code);
    if (isWordCode(code) || code === DOLLAR || (this.loose && (code === 46 || code === 47))) return this.word();
    const operator = operatorAt(text, start);
    if (operator) {
      this.at += operator.length;
      return { kind: 'operator', text: operator, start, end: this.at, line, parts: undefined };
    }
    // A character outside the basic plane is one character to the reader.
    const width = (text.codePointAt(start) ?? 0) > 0xffff ? 2 : 1;
    this.at += width;
    this.report('unsupported-character', text.slice(start, this.at), start, this.at);
    return undefined;
  }

  private word(): Token {
    const { text, line } = this;
    const start = this.at;
    const pattern = this.loose ? looseWord : plainWord;
    let parts: TextPart[] | undefined;
    let literal = start;
    for (;;) {
      this.at = endOf(pattern, text, this.at);
      if (text.charCodeAt(this.at) !== DOLLAR) break;
      if (text.charCodeAt(this.at + 1) !== 40) {
        this.at++;
        continue;
      }
      parts ??= [];
      if (this.at > literal) parts.push({ text: text.slice(literal, this.at), macro: false, start: literal, end: this.at });
      parts.push(this.macro());
      literal = this.at;
    }
    const value = text.slice(start, this.at);
    if (parts) {
      this.macros = true;
      if (this.at > literal) parts.push({ text: text.slice(literal, this.at), macro: false, start: literal, end: this.at });
      return { kind: 'word', text: value, start, end: this.at, line, parts };
    }
    const keyword = this.keywords.get(value);
    if (keyword !== undefined) return { kind: 'keyword', text: keyword, start, end: this.at, line, parts: undefined };
    return { kind: 'word', text: value, start, end: this.at, line, parts: undefined };
  }

  private quoted(quote: number): Token {
    const { text, line } = this;
    const start = this.at++;
    const plainEnd = endOf(quote === 34 ? plainDouble : plainSingle, text, this.at);
    if (text.charCodeAt(plainEnd) === quote) {
      const value = text.slice(this.at, plainEnd);
      this.at = plainEnd + 1;
      return { kind: 'quoted', text: value, start, end: this.at, line, parts: undefined };
    }
    let parts: TextPart[] | undefined;
    let value = '';
    let literalStart = this.at;
    let run = this.at;
    const flush = (): void => {
      value += text.slice(run, this.at);
    };
    for (;;) {
      const code = text.charCodeAt(this.at);
      if (code !== code) {
        flush();
        break;
      }
      if (code === quote) {
        flush();
        this.at++;
        break;
      }
      if (code === LF) {
        flush();
        this.report('multi-line-string', '', start, this.at);
        break;
      }
      if (code === BACKSLASH) {
        flush();
        this.at++;
        // A backslash before the end of the line stands for nothing.
        run = this.at;
        if (this.at < text.length && text.charCodeAt(this.at) !== LF) this.at++;
        continue;
      }
      if (code === DOLLAR && text.charCodeAt(this.at + 1) === 40) {
        flush();
        parts ??= [];
        if (value !== '') parts.push({ text: value, macro: false, start: literalStart, end: this.at });
        value = '';
        parts.push(this.macro());
        literalStart = this.at;
        run = this.at;
        continue;
      }
      this.at++;
    }
    if (parts) {
      if (value !== '') parts.push({ text: value, macro: false, start: literalStart, end: this.at });
      return { kind: 'quoted', text: text.slice(start, this.at), start, end: this.at, line, parts };
    }
    return { kind: 'quoted', text: value, start, end: this.at, line, parts: undefined };
  }

  /** Reads `$(…)`, whose end is the parenthesis that closes it on the same line. */
  private macro(): TextPart {
    const { text } = this;
    const start = this.at;
    let at = start + 2;
    for (let nesting = 0; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === LF) break;
      if (code === 40) nesting++;
      else if (code === 41 && nesting-- === 0) {
        this.at = at + 1;
        return { text: text.slice(start + 2, at), macro: true, start, end: at + 1 };
      }
    }
    this.report('unterminated-macro', text.slice(start + 2, at), start, at);
    this.at = at;
    return { text: text.slice(start + 2, at), macro: true, start, end: at };
  }

  private assignedValue(): Token | undefined {
    const { text, line } = this;
    while (this.at < text.length && (text.charCodeAt(this.at) === SPACE || text.charCodeAt(this.at) === TAB)) this.at++;
    const start = this.at;
    this.at = this.endOfLine();
    if (this.at === start) return undefined;
    return { kind: 'assigned', text: text.slice(start, this.at), start, end: this.at, line, parts: undefined };
  }

  private endOfLine(): number {
    const end = this.text.indexOf('\n', this.at);
    return end < 0 ? this.text.length : end;
  }

  private report(code: ScanProblem['code'], detail: string, start: number, end: number): void {
    this.problems.push({ code, detail, line: this.line, start, end });
  }
}

function operatorAt(text: string, at: number): string | undefined {
  const equals = text.charCodeAt(at + 1) === 61;
  switch (text.charCodeAt(at)) {
    case 124: // |
      return text.charCodeAt(at + 1) === 124 ? '||' : undefined;
    case 38: // &
      return text.charCodeAt(at + 1) === 38 ? '&&' : undefined;
    case 33: // !
      return equals ? '!=' : '!';
    case 60: // <
      return equals ? '<=' : '<';
    case 62: // >
      return equals ? '>=' : '>';
    case 58: // :
      return equals ? ':=' : undefined;
    case 43: // +
      return equals ? '+=' : undefined;
    case 61: // =
      return '=';
    case 40:
      return '(';
    case 41:
      return ')';
    default:
      return undefined;
  }
}

function isAssignment(token: Token): boolean {
  return token.kind === 'operator' && (token.text === '=' || token.text === ':=' || token.text === '+=');
}
