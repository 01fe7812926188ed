/** What every part of reading a tree shares: the place that is read, the messages, the names, and the expressions. */
import { type Files } from '../shared/files';
import { type ExpressionSyntax, type FileSyntax, type Statement } from './ast';
import { DiagnosticSink } from './diagnostics';
import { type Dialect } from './dialect';
import { andExpr, compareExpr, joined, symbolExpr, type Expr } from './expression';
import { Grammar, type OptionContext } from './grammar';
import { Macros } from './macros';
import {
  MenuNode,
  Property,
  type Inclusion,
  type KSymbol,
  type ModelFile,
  type PropertyDetails,
  type PropertyKind,
  type Reference,
  type ReferenceRole,
} from './model';
import { tokensOf } from './parser';
import { type Token } from './scanner';
import { answerNatively, likelyAnswer } from './submenu';
import { SymbolTable } from './symbols';

/** Runs a command for `$(shell,…)`; undefined where commands may not run. */
export type ShellRunner = (command: string) => string | undefined;

/** What a model is built from. */
export interface BuildInput {
  readonly files: Files;
  /** The directory that relative paths start from. */
  readonly cwd: string;
  /** The first file, as it is given to `conf`. */
  readonly root: string;
  readonly dialect: Dialect;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly shell?: ShellRunner | undefined;
  /** Syntax of a text, from a cache where nothing has changed. */
  readonly syntaxOf?: (path: string, text: string) => FileSyntax;
}
/** The base of the reader: it knows where the reader is, and turns tokens into symbols. */
export abstract class ReadingContext {
  protected readonly dialect: Dialect;
  protected readonly sink = new DiagnosticSink();
  protected readonly symbols = new SymbolTable();
  protected readonly grammar: Grammar;
  protected readonly macros: Macros;
  protected readonly files = new Map<string, ModelFile>();
  protected readonly inclusions: Inclusion[] = [];
  protected readonly references: Reference[] = [];
  protected readonly environment = new Map<string, string>();
  protected readonly generated = new Map<string, string>();
  protected readonly root = new MenuNode(0, 'root', undefined, '', 0, undefined);
  /** The file that is read: the last on the stack. */
  protected file: ModelFile | undefined;
  protected readonly stack: { readonly file: ModelFile; line: number }[] = [];
  protected nodeCount = 1;
  protected nesting = 0;
  protected menu = this.root;
  protected entry: MenuNode = this.root;
  protected line = 0;
  protected fatal = false;
  protected modules: KSymbol | undefined;
  protected defconfigList: KSymbol | undefined;
  protected memberAt: MenuNode | undefined;
  /** A command was not run, so that what a macro stands for may be unknown. */
  protected unanswered = false;
  /** False while a statement is applied that the engine has refused: nothing more is said about it. */
  protected trusted = true;
  /** What the entry's options may be, kept through broken lines. */
  protected optionsOf: OptionContext = 'none';

  constructor(protected readonly input: BuildInput) {
    this.dialect = input.dialect;
    this.grammar = new Grammar(input.dialect, this.sink, (statement) => this.tokensOf(statement));
    this.macros = new Macros(input.dialect, {
      filename: () => this.file?.name ?? '',
      line: () => this.line,
      environment: (name) => this.variable(name),
      shell: (command) => this.shell(command),
      info: (text) =>
        this.sink.add({ code: 'info', severity: 'information', message: text, printed: `${text}\n`, channel: 'stdout', ...this.place() }),
      warn: (text) => this.say('warning-if', 'warning', ' ', text),
      fail: (text) => this.stop('macro', text),
    });
  }

  protected place(): { file: string; line: number } {
    return { file: this.file?.name ?? '', line: this.line };
  }

  protected say(code: string, severity: 'error' | 'warning', prefix: string, message: string, span?: { start: number; end: number }): void {
    if (!this.fatal && this.trusted) this.sink.at(this.file?.name ?? '', this.line, code, severity, prefix, message, span);
  }

  /** An error after which the engine reads no further; we go on, silently. */
  protected stop(code: string, message: string, span?: { start: number; end: number }): void {
    this.say(code, 'error', ' ', message, span);
    this.fatal = true;
  }

  protected variable(name: string): string | undefined {
    const value = this.input.environment[name];
    if (value !== undefined) this.environment.set(name, value);
    return value;
  }

  protected shell(command: string): string | undefined {
    const answer = answerNatively(command, this.input.files, this.input.cwd);
    if (answer) {
      if (answer.writes) this.generated.set(answer.writes.path, answer.writes.text);
      this.checkShellLength(answer.output);
      return answer.output;
    }
    const output = this.input.shell?.(command);
    if (output !== undefined) {
      this.checkShellLength(output);
      return output;
    }
    this.unanswered = true;
    const guess = likelyAnswer(command);
    const taken = guess === undefined ? 'it gives an empty text' : `it is taken to answer "${guess}"`;
    const message = `the command "${command}" was not run, because running commands is off; ${taken}`;
    this.sink.add({ code: 'shell-off', severity: 'information', message, ...this.place() });
    return guess;
  }

  protected checkShellLength(output: string): void {
    const { shellLimit } = this.dialect;
    if (output.trimEnd().length <= shellLimit) return;
    const message = `the answer of $(shell) has ${output.trimEnd().length} bytes, of which this engine keeps ${shellLimit}`;
    this.sink.add({ code: 'shell-limit', severity: 'warning', message, ...this.place() });
  }

  protected property(
    kind: PropertyKind,
    node: MenuNode,
    owner: KSymbol | undefined,
    statement: Statement | undefined,
    rest: PropertyDetails,
    condition?: Expr,
    ownCondition: Expr | undefined = condition,
  ): Property {
    const file = this.file?.name ?? node.file;
    const property = new Property(kind, node, file, this.line, statement, condition, ownCondition, rest);
    owner?.addProperty(property);
    return property;
  }

  protected depend(condition: ExpressionSyntax, role: ReferenceRole): void {
    const expr = this.expression(condition, role);
    this.entry.dependency = andExpr(this.entry.dependency, expr);
    this.entry.ownDependency = this.entry.dependency;
  }

  protected condition(syntax: ExpressionSyntax | undefined, role: ReferenceRole): Expr | undefined {
    return syntax && this.expression(syntax, role);
  }

  protected expression(syntax: ExpressionSyntax, role: ReferenceRole): Expr {
    switch (syntax.kind) {
      case 'symbol':
        return symbolExpr(this.resolve(syntax.token, role));
      case 'not':
        return { kind: 'not', operand: this.expression(syntax.operand, role) };
      case 'compare': {
        const left = this.resolve(syntax.left, role);
        return compareExpr(syntax.operator, left, this.resolve(syntax.right, role));
      }
      case 'and':
      case 'or':
        return joined(
          syntax.kind,
          syntax.operands.map((operand) => this.expression(operand, role)),
        );
    }
  }

  protected resolve(token: Token, role: ReferenceRole): KSymbol {
    const name = token.parts || this.dialect.engine !== 'c' ? this.text(token) : token.text;
    if (token.kind === 'quoted') return this.symbols.constant(name);
    const symbol = this.symbols.symbol(name);
    if (!symbol.isConstant) {
      this.references.push({
        symbol,
        file: this.file!.name,
        start: token.start,
        end: token.end,
        role,
        node: role === 'definition' ? undefined : this.entry,
      });
    }
    return symbol;
  }

  /** A token's text with its macros expanded. */
  protected text(token: Token): string {
    if (!token.parts && this.dialect.engine === 'c') return token.text;
    const line = this.line;
    this.line = token.line;
    const text = token.parts ? this.macros.expandParts(token.parts) : token.text;
    this.line = line;
    if (this.dialect.engine !== 'kconfiglib' || !text.includes('$')) return text;
    return text.replace(/\$(?:(\w+)|\{(\w+)\})/g, (whole, plain: string | undefined, braced: string | undefined) => {
      return this.variable(plain ?? braced ?? '') ?? whole;
    });
  }

  protected libraryWarning(message: string, placed = false): void {
    if (this.dialect.engine !== 'kconfiglib' || this.fatal) return;
    const printed = placed ? `${this.file?.name}:${this.line}: warning: ${message}\n` : `warning: ${message}\n`;
    this.sink.add({ code: 'kconfiglib', severity: 'warning', message, ...this.place(), printed, channel: 'stderr' });
  }

  protected quotesRecommended(token: Token, statement: Statement): void {
    if (token.kind !== 'word') return;
    this.libraryWarning(`style: quotes recommended around '${token.text}' in '${this.sourceLine(statement)}'`, true);
  }

  protected tokensOf(statement: Statement): readonly Token[] {
    return tokensOf(statement, this.file!.syntax);
  }

  protected sourceLine(statement: Statement): string {
    const text = this.file!.syntax.source.text;
    return text.slice(statement.start, statement.end).trim();
  }
}
