/** The syntax of one file: a flat list of statements with the offsets of all their parts, as nesting may cross files. */
import { type Dialect } from './dialect';
import { type HelpText } from './help-text';
import { type ScanProblem, type Token, type Trivia } from './scanner';
import { type SourceText } from './text/source';

/** A comparison operator. */
export type Comparison = '=' | '!=' | '<' | '<=' | '>' | '>=';

/** An expression as it is written. */
export type ExpressionSyntax =
  | { readonly kind: 'symbol'; readonly token: Token; readonly start: number; readonly end: number }
  | { readonly kind: 'not'; readonly operand: ExpressionSyntax; readonly start: number; readonly end: number }
  | { readonly kind: 'and' | 'or'; readonly operands: readonly ExpressionSyntax[]; readonly start: number; readonly end: number }
  | {
      readonly kind: 'compare';
      readonly operator: Comparison;
      readonly left: Token;
      readonly right: Token;
      readonly start: number;
      readonly end: number;
    };

/** The words that name a value's type. */
export type TypeName = 'bool' | 'tristate' | 'int' | 'hex' | 'string';

interface StatementBase {
  /** 1-based line of the first token: the line that `conf` reports. */
  readonly line: number;
  readonly endLine: number;
  readonly start: number;
  readonly end: number;
  /** The tokens that were read, where they are not those of the text because macros were expanded; see `tokensOf`. */
  readonly scanned?: readonly Token[];
  /** What the scanner met in front of and inside the statement. */
  readonly problems: readonly ScanProblem[];
  /** True where a word holds a macro. */
  readonly macros: boolean;
}

/** What a line says, by kind of statement. */
type Shape =
  | { readonly kind: 'mainmenu'; readonly prompt: Token }
  | { readonly kind: 'config' | 'menuconfig'; readonly name: Token }
  | { readonly kind: 'choice'; readonly name: Token | undefined }
  | { readonly kind: 'menu' | 'comment'; readonly prompt: Token }
  | { readonly kind: 'if'; readonly condition: ExpressionSyntax }
  | { readonly kind: 'end'; readonly block: 'menu' | 'if' | 'choice' }
  | { readonly kind: 'source'; readonly path: Token; readonly optional: boolean; readonly relative: boolean }
  | { readonly kind: 'assignment'; readonly name: Token; readonly operator: '=' | ':=' | '+='; readonly value: Token | undefined }
  | {
      readonly kind: 'type';
      readonly type: TypeName;
      readonly prompt: Token | undefined;
      readonly condition: ExpressionSyntax | undefined;
    }
  | { readonly kind: 'prompt'; readonly prompt: Token; readonly condition: ExpressionSyntax | undefined }
  | {
      readonly kind: 'default';
      /** Set for def_bool and its like. */
      readonly type: TypeName | undefined;
      readonly value: ExpressionSyntax;
      readonly condition: ExpressionSyntax | undefined;
    }
  | { readonly kind: 'select' | 'imply'; readonly target: Token; readonly condition: ExpressionSyntax | undefined }
  | { readonly kind: 'range'; readonly low: Token; readonly high: Token; readonly condition: ExpressionSyntax | undefined }
  | { readonly kind: 'depends'; readonly condition: ExpressionSyntax }
  | { readonly kind: 'visible'; readonly condition: ExpressionSyntax | undefined }
  | { readonly kind: 'optional' }
  | { readonly kind: 'option'; readonly option: 'modules' | 'defconfig_list' | 'allnoconfig_y' | 'env'; readonly value?: Token }
  | { readonly kind: 'modules' }
  | { readonly kind: 'help'; readonly help: HelpText }
  /** A line that cannot be read; `at` is the first token that does not fit (the number of tokens when the end does not). */
  | { readonly kind: 'error'; readonly at: number };

/** One statement. */
export type Statement = StatementBase & Shape;

/** A statement of one kind. */
export type StatementOf<Kind extends Statement['kind']> = Extract<Statement, { readonly kind: Kind }>;

/** A file's syntax: every statement in order, errors among them. */
export interface FileSyntax {
  readonly source: SourceText;
  readonly dialect: Dialect;
  readonly statements: readonly Statement[];
  readonly comments: readonly Trivia[];
  /** What the scanner met after the last statement. */
  readonly problems: readonly ScanProblem[];
  /** 1-based line on which the text ends. */
  readonly lastLine: number;
}

/** All symbol tokens of an expression, from left to right. */
export function* symbolTokens(expression: ExpressionSyntax): Generator<Token> {
  switch (expression.kind) {
    case 'symbol':
      yield expression.token;
      return;
    case 'not':
      yield* symbolTokens(expression.operand);
      return;
    case 'compare':
      yield expression.left;
      yield expression.right;
      return;
    case 'and':
    case 'or':
      for (const operand of expression.operands) yield* symbolTokens(operand);
  }
}
