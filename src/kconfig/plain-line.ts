/** Reads the lines that most of a tree is made of, each with a single pattern; all others are left to the scanner and the parser. */
import { type ExpressionSyntax, type Statement } from './ast';
import { type Dialect } from './dialect';
import { keywordsOf, noProblems, type Scanner, type Token } from './scanner';

/**
 * Empty lines, then `KEYWORD`, `KEYWORD OPERAND` or `KEYWORD OPERAND if SYMBOL`, where the operand is a word or a string without escapes and macros. A pattern does this in a
 * fraction of the time that reading token by token takes while the code is young, and a tree is mostly read once.
 */
const pattern = /(\n*)([ \t]*)([a-z_]+)(?:([ \t]+)(on[ \t]+)?(?:"([^"\\\n$]*)"|([\w-]+))(?:([ \t]+)if([ \t]+)(!?)([\w-]+))?)?[ \t]*\n/y;

/** Reads plain lines of one text; what it gives is what the parser would give for them. */
export class PlainLines {
  private readonly keywords: ReadonlyMap<string, string>;

  constructor(
    private readonly scanner: Scanner,
    dialect: Dialect,
  ) {
    this.keywords = keywordsOf(dialect);
  }

  /**
   * The statement that the scanner has before it, over which it is moved; undefined where the line is not plain, and the scanner stays in front of it.
   * @param inOptions whether `help` opens a text here.
   */
  read(inOptions: boolean): Statement | undefined {
    const { scanner } = this;
    let at = scanner.offset;
    pattern.lastIndex = at;
    let match = pattern.exec(scanner.text);
    if (!match) {
      const next = scanner.passEmptyLines();
      if (next === at) return undefined;
      pattern.lastIndex = at = next;
      match = pattern.exec(scanner.text);
      if (!match) return undefined;
    }
    const word = this.keywords.get(match[3]!);
    if (word === undefined) return undefined;
    const empty = match[1]!.length;
    const line = scanner.currentLine + empty;
    const next = pattern.lastIndex;
    const start = at + empty + match[2]!.length;
    if (word === 'help') {
      if (!inOptions || match[4] !== undefined) return undefined;
      scanner.passLines(empty + 1, next);
      return { kind: word, line, endLine: line, start, end: next - 1, problems: noProblems, macros: false, help: scanner.help() };
    }
    const statement = match[4] === undefined ? alone(word, line, start, next - 1) : this.withOperand(word, match, line, start, next - 1);
    if (statement) scanner.passLines(empty + 1, next);
    return statement;
  }

  private withOperand(word: string, match: RegExpExecArray, line: number, start: number, end: number): Statement | undefined {
    const { keywords } = this;
    const on = match[5];
    if ((on !== undefined) !== (word === 'depends')) return undefined;
    const quoted = match[6];
    const operandAt = start + word.length + match[4]!.length + (on?.length ?? 0);
    const text = quoted ?? match[7]!;
    const operandEnd = operandAt + text.length + (quoted === undefined ? 0 : 2);
    if (quoted === undefined && keywords.has(text)) return undefined;
    const operand: Token = {
      kind: quoted === undefined ? 'word' : 'quoted',
      text,
      start: operandAt,
      end: operandEnd,
      line,
      parts: undefined,
    };
    const name = match[11];
    if (name === undefined) return plain(word, operand, undefined, line, start, end);
    if (keywords.has(name)) return undefined;
    const conditionAt = operandEnd + match[8]!.length + 2 + match[9]!.length;
    return plain(word, operand, conditionOf(name, match[10] !== '', conditionAt, line), line, start, end);
  }
}

function symbolOf(token: Token): ExpressionSyntax {
  return { kind: 'symbol', token, start: token.start, end: token.end };
}

function conditionOf(text: string, negated: boolean, start: number, line: number): ExpressionSyntax {
  const at = negated ? start + 1 : start;
  const end = at + text.length;
  const operand = symbolOf({ kind: 'word', text, start: at, end, line, parts: undefined });
  return negated ? { kind: 'not', operand, start, end } : operand;
}

/** A keyword by itself. */
function alone(word: string, line: number, start: number, end: number): Statement | undefined {
  switch (word) {
    case 'bool':
    case 'tristate':
    case 'int':
    case 'hex':
    case 'string':
      return {
        kind: 'type',
        line,
        endLine: line,
        start,
        end,
        problems: noProblems,
        macros: false,
        type: word,
        prompt: undefined,
        condition: undefined,
      };
    case 'choice':
      return { kind: word, line, endLine: line, start, end, problems: noProblems, macros: false, name: undefined };
    case 'endmenu':
    case 'endif':
    case 'endchoice': {
      const block = word === 'endmenu' ? 'menu' : word === 'endif' ? 'if' : 'choice';
      return { kind: 'end', line, endLine: line, start, end, problems: noProblems, macros: false, block };
    }
    default:
      return undefined;
  }
}

/** A keyword with its operand and perhaps a condition. */
function plain(
  word: string,
  operand: Token,
  condition: ExpressionSyntax | undefined,
  line: number,
  start: number,
  end: number,
): Statement | undefined {
  const isWord = operand.kind === 'word';
  switch (word) {
    case 'config':
    case 'menuconfig':
      if (!isWord || condition) return undefined;
      return { kind: word, line, endLine: line, start, end, problems: noProblems, macros: false, name: operand };
    case 'bool':
    case 'tristate':
    case 'int':
    case 'hex':
    case 'string':
      if (isWord) return undefined;
      return { kind: 'type', line, endLine: line, start, end, problems: noProblems, macros: false, type: word, prompt: operand, condition };
    case 'default':
    case 'def_bool':
    case 'def_tristate': {
      const type = word === 'default' ? undefined : word === 'def_bool' ? 'bool' : 'tristate';
      const value = symbolOf(operand);
      return { kind: 'default', line, endLine: line, start, end, problems: noProblems, macros: false, type, value, condition };
    }
    case 'depends':
      if (condition) return undefined;
      return { kind: word, line, endLine: line, start, end, problems: noProblems, macros: false, condition: symbolOf(operand) };
    case 'select':
    case 'imply':
      if (!isWord) return undefined;
      return { kind: word, line, endLine: line, start, end, problems: noProblems, macros: false, target: operand, condition };
    case 'prompt':
      if (isWord) return undefined;
      return { kind: word, line, endLine: line, start, end, problems: noProblems, macros: false, prompt: operand, condition };
    case 'if':
      if (condition) return undefined;
      return { kind: word, line, endLine: line, start, end, problems: noProblems, macros: false, condition: symbolOf(operand) };
    case 'menu':
    case 'comment':
      if (isWord || condition) return undefined;
      return { kind: word, line, endLine: line, start, end, problems: noProblems, macros: false, prompt: operand };
    case 'source': {
      if (isWord || condition) return undefined;
      const place = { optional: false, relative: false };
      return { kind: word, line, endLine: line, start, end, problems: noProblems, macros: false, path: operand, ...place };
    }
    default:
      return undefined;
  }
}
