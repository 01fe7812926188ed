/** Turns a file's lines into statements, one line at a time, so that a broken line costs no more than itself. */
import { type Comparison, type ExpressionSyntax, type FileSyntax, type Statement, type TypeName } from './ast';
import { type Dialect } from './dialect';
import { PlainLines } from './plain-line';
import { Scanner, type LogicalLine, type Token } from './scanner';
import { SourceText } from './text/source';

/** Expressions nested deeper than this are an error, so that no input can exhaust the stack. */
const deepestExpression = 400;

/** Reads a whole file. */
export function parseFile(text: string, dialect: Dialect): FileSyntax {
  const scanner = new Scanner(text, dialect);
  const parser = new LineParser(dialect);
  const lines = new PlainLines(scanner, dialect);
  const statements: Statement[] = [];
  let inOptions = false;
  for (;;) {
    let statement = lines.read(inOptions);
    if (!statement) {
      const line = scanner.nextLine();
      if (!line) break;
      statement = inOptions && isHelp(line.tokens) ? { ...placeOf(line), kind: 'help', help: scanner.help() } : parser.statement(line);
    }
    statements.push(statement);
    inOptions = takesOptions(statement, inOptions);
  }
  return {
    source: new SourceText(text),
    dialect,
    statements,
    comments: scanner.comments,
    problems: scanner.trailingProblems(),
    lastLine: scanner.currentLine,
  };
}

function isHelp(tokens: readonly Token[]): boolean {
  const [first] = tokens;
  return tokens.length === 1 && first?.kind === 'keyword' && (first.text === 'help' || first.text === '---help---');
}

/** What a statement keeps of its line. */
function placeOf({ line, endLine, start, end, problems, macros }: LogicalLine): Omit<LogicalLine, 'tokens'> {
  return { line, endLine, start, end, problems, macros };
}

/** Whether options may follow a statement; `before` is whether they might in front of it. */
function takesOptions({ kind }: Statement, before: boolean): boolean {
  switch (kind) {
    case 'config':
    case 'menuconfig':
    case 'choice':
      return true;
    case 'mainmenu':
    case 'menu':
    case 'comment':
    case 'if':
    case 'end':
    case 'source':
    case 'assignment':
      return false;
    default:
      return before;
  }
}

/** Reads one line whose tokens are not those of its text; the statement keeps them. */
export function parseLine(line: LogicalLine, dialect: Dialect): Statement {
  return { ...new LineParser(dialect).statement(line), scanned: line.tokens };
}

/** The tokens of a statement, which few ask for: they are read anew. */
export function tokensOf({ scanned, start, line }: Statement, { source, dialect }: FileSyntax): readonly Token[] {
  return scanned ?? new Scanner(source.text, dialect, start, line).nextLine()?.tokens ?? [];
}

/** Reads a lone expression, such as a condition typed into a search box; undefined where it is none. */
export function parseExpression(text: string, dialect: Dialect): ExpressionSyntax | undefined {
  const line = new Scanner(`if ${text}`, dialect).nextLine();
  const statement = line && parseLine(line, dialect);
  return statement?.kind === 'if' ? statement.condition : undefined;
}

/** What stands for a condition that is not there. */
const noCondition = { expression: undefined };

class LineParser {
  private line!: LogicalLine;
  private tokens: readonly Token[] = [];
  private at = 1;

  constructor(private readonly dialect: Dialect) {}

  /** Reads one line. */
  statement(line: LogicalLine): Statement {
    this.line = line;
    this.tokens = line.tokens;
    this.at = 1;
    const first = line.tokens[0]!;
    const statement = first.kind === 'keyword' ? this.keyword(first.text) : this.assignment(first);
    return statement ?? { ...placeOf(line), kind: 'error', at: this.at };
  }

  private keyword(word: string): Statement | undefined {
    switch (word) {
      case 'mainmenu':
      case 'menu':
      case 'comment': {
        const prompt = this.prompt();
        return prompt && this.atEnd() ? { ...placeOf(this.line), kind: word, prompt } : undefined;
      }
      case 'config':
      case 'menuconfig': {
        const name = this.name();
        return name && this.atEnd() ? { ...placeOf(this.line), kind: word, name } : undefined;
      }
      case 'choice': {
        if (!this.dialect.richChoices) return this.atEnd() ? { ...placeOf(this.line), kind: 'choice', name: undefined } : undefined;
        const name = this.peek()?.kind === 'word' ? this.take() : undefined;
        return this.atEnd() ? { ...placeOf(this.line), kind: 'choice', name } : undefined;
      }
      case 'endmenu':
      case 'endif':
      case 'endchoice':
        return this.atEnd()
          ? { ...placeOf(this.line), kind: 'end', block: word === 'endmenu' ? 'menu' : word === 'endif' ? 'if' : 'choice' }
          : undefined;
      case 'if': {
        const condition = this.expression();
        return condition && this.atEnd() ? { ...placeOf(this.line), kind: 'if', condition } : undefined;
      }
      case 'source':
      case 'osource':
      case 'rsource':
      case 'orsource':
      case 'gsource':
      case 'grsource': {
        const path = this.prompt();
        const optional = word.startsWith('o') || word.startsWith('g');
        return path && this.atEnd() ? { ...placeOf(this.line), kind: 'source', path, optional, relative: word.includes('rs') } : undefined;
      }
      default:
        return this.property(word);
    }
  }

  private property(word: string): Statement | undefined {
    switch (word) {
      case 'bool':
      case 'tristate':
      case 'int':
      case 'hex':
      case 'string': {
        const token = this.peek();
        const prompt = token && !this.atIf() ? this.prompt() : undefined;
        if (token && !prompt) return undefined;
        const condition = this.condition();
        return condition && this.atEnd()
          ? { ...placeOf(this.line), kind: 'type', type: word, prompt, condition: condition.expression }
          : undefined;
      }
      case 'prompt': {
        const prompt = this.prompt();
        const condition = prompt && this.condition();
        return condition && this.atEnd()
          ? { ...placeOf(this.line), kind: 'prompt', prompt: prompt, condition: condition.expression }
          : undefined;
      }
      case 'default':
      case 'def_bool':
      case 'def_tristate':
      case 'def_int':
      case 'def_hex':
      case 'def_string': {
        const value = this.expression();
        const condition = value && this.condition();
        const type = word === 'default' ? undefined : (word.slice(4) as TypeName);
        return condition && this.atEnd()
          ? { ...placeOf(this.line), kind: 'default', type, value, condition: condition.expression }
          : undefined;
      }
      case 'select':
      case 'imply': {
        const target = this.name();
        const condition = target && this.condition();
        return condition && this.atEnd() ? { ...placeOf(this.line), kind: word, target, condition: condition.expression } : undefined;
      }
      case 'range': {
        const low = this.symbol();
        const high = low && this.symbol();
        const condition = high && this.condition();
        return condition && this.atEnd()
          ? { ...placeOf(this.line), kind: 'range', low: low, high, condition: condition.expression }
          : undefined;
      }
      case 'depends': {
        if (this.peek()?.text !== 'on' || this.peek()?.kind !== 'keyword') return undefined;
        this.at++;
        const condition = this.expression();
        return condition && this.atEnd() ? { ...placeOf(this.line), kind: 'depends', condition } : undefined;
      }
      case 'visible': {
        const condition = this.condition();
        return condition && this.atEnd() ? { ...placeOf(this.line), kind: 'visible', condition: condition.expression } : undefined;
      }
      case 'optional':
        if (!this.dialect.richChoices) return this.wrongFirst();
        return this.atEnd() ? { ...placeOf(this.line), kind: 'optional' } : undefined;
      case 'modules':
        if (!this.dialect.modulesStatement) return this.wrongFirst();
        return this.atEnd() ? { ...placeOf(this.line), kind: 'modules' } : undefined;
      case 'option':
        return this.option();
      default:
        return this.wrongFirst();
    }
  }

  private option(): Statement | undefined {
    const word = this.peek();
    if (word?.kind !== 'keyword') return undefined;
    switch (word.text) {
      case 'modules':
      case 'defconfig_list':
      case 'allnoconfig_y':
        this.at++;
        return this.atEnd() ? { ...placeOf(this.line), kind: 'option', option: word.text } : undefined;
      case 'env': {
        this.at++;
        if (this.peek()?.text !== '=') return undefined;
        this.at++;
        const value = this.peek();
        if (value?.kind !== 'quoted') return undefined;
        this.at++;
        return this.atEnd() ? { ...placeOf(this.line), kind: 'option', option: 'env', value } : undefined;
      }
      default:
        return undefined;
    }
  }

  private assignment(first: Token): Statement | undefined {
    if (first.kind !== 'word') return this.wrongFirst();
    const operator = this.peek();
    if (operator?.kind !== 'operator') return undefined;
    const { text } = operator;
    if (text !== '=' && text !== ':=' && text !== '+=') return undefined;
    this.at++;
    const value = this.peek()?.kind === 'assigned' ? this.take() : undefined;
    return this.atEnd() ? { ...placeOf(this.line), kind: 'assignment', name: first, operator: text, value } : undefined;
  }

  private wrongFirst(): undefined {
    this.at = 0;
    return undefined;
  }

  private atEnd(): boolean {
    return this.at === this.tokens.length;
  }

  private peek(): Token | undefined {
    return this.tokens[this.at];
  }

  private take(): Token {
    return this.tokens[this.at++]!;
  }

  private atIf(): boolean {
    const token = this.peek();
    return token?.kind === 'keyword' && token.text === 'if';
  }

  private prompt(): Token | undefined {
    const token = this.peek();
    if (token?.kind === 'quoted' || (token?.kind === 'word' && !this.dialect.quotesRequired)) return this.take();
    return undefined;
  }

  private name(): Token | undefined {
    return this.peek()?.kind === 'word' ? this.take() : undefined;
  }

  private symbol(): Token | undefined {
    const token = this.peek();
    return token?.kind === 'word' || token?.kind === 'quoted' ? this.take() : undefined;
  }

  /** An optional `if E`; undefined only where `if` is followed by no expression. */
  private condition(): { readonly expression: ExpressionSyntax | undefined } | undefined {
    if (!this.atIf()) return noCondition;
    this.at++;
    const expression = this.expression();
    return expression && { expression };
  }

  private expression(depth = 0): ExpressionSyntax | undefined {
    const first = this.conjunction(depth);
    if (!first || !this.atOperator('||')) return first;
    return this.chain('or', '||', first, depth);
  }

  private conjunction(depth: number): ExpressionSyntax | undefined {
    const first = this.negation(depth);
    if (!first || !this.atOperator('&&')) return first;
    return this.chain('and', '&&', first, depth);
  }

  private chain(kind: 'and' | 'or', operator: string, first: ExpressionSyntax, depth: number): ExpressionSyntax | undefined {
    const operands = [first];
    let { end } = first;
    while (this.atOperator(operator)) {
      this.at++;
      const next = kind === 'or' ? this.conjunction(depth) : this.negation(depth);
      if (!next) return undefined;
      operands.push(next);
      ({ end } = next);
    }
    // A copy has room for its operands alone; the array that grew has much more.
    return { kind, operands: operands.slice(), start: first.start, end };
  }

  private atOperator(text: string): boolean {
    const token = this.peek();
    return token?.kind === 'operator' && token.text === text;
  }

  private negation(depth: number): ExpressionSyntax | undefined {
    if (depth > deepestExpression) return undefined;
    const token = this.peek();
    if (token?.kind === 'operator' && token.text === '!') {
      this.at++;
      const operand = this.negation(depth + 1);
      return operand && { kind: 'not', operand, start: token.start, end: operand.end };
    }
    if (token?.kind === 'operator' && token.text === '(') {
      this.at++;
      const inner = this.expression(depth + 1);
      const close = this.peek();
      if (!inner || close?.kind !== 'operator' || close.text !== ')') return undefined;
      this.at++;
      return { ...inner, start: token.start, end: close.end };
    }
    const left = this.symbol();
    if (!left) return undefined;
    const operator = this.peek();
    if (operator?.kind !== 'operator' || !isComparison(operator.text)) {
      return { kind: 'symbol', token: left, start: left.start, end: left.end };
    }
    this.at++;
    const right = this.symbol();
    return right && { kind: 'compare', operator: operator.text, left, right, start: left.start, end: right.end };
  }
}

function isComparison(text: string): text is Comparison {
  return text === '=' || text === '!=' || text === '<' || text === '<=' || text === '>' || text === '>=';
}
