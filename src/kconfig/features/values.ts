/** Values shown in the text of Kconfig files: a lens above each option, hints behind names and conditions. */
import { type ExpressionSyntax, type FileSyntax } from '../ast';
import { triText } from '../evaluate';
import { type Expr } from '../expression';
import { type KSymbol, type MenuNode } from '../model';
import { optionsOf } from '../options';
import { filesAt, type KconfigView, type Span } from './view';

/** A short text behind a place. */
export interface ValueHint {
  readonly at: number;
  readonly label: string;
  readonly symbol?: string;
}

/** A line above an option. */
export interface ValueLens extends Span {
  readonly title: string;
  readonly symbol: string;
  readonly kind: 'value' | 'references';
}

/** A value as hints show it. */
export function shownValue(view: KconfigView, symbol: KSymbol): string {
  const text = view.configuration.values.text(symbol);
  if (symbol.type === 'string') return `"${text.length > 40 ? `${text.slice(0, 40)}…` : text}"`;
  return text === '' ? 'empty' : text;
}

/** Hints for the part of a file between two offsets: values of options, and of conditions. */
export function hintsKconfig(view: KconfigView, path: string, syntax: FileSyntax, from: number, to: number): ValueHint[] {
  const { values } = view.configuration;
  const hints: ValueHint[] = [];
  for (const node of nodesOf(view, path, syntax)) {
    const { statement, symbol } = node;
    if (!statement || statement.start > to) continue;
    if (symbol && !symbol.isChoice && within(statement, from, to) && (statement.kind === 'config' || statement.kind === 'menuconfig'))
      hints.push({ at: statement.name.end, label: `= ${shownValue(view, symbol)}`, symbol: symbol.label });
    if (statement.kind === 'if' && within(statement, from, to))
      addCondition(hints, statement.condition, triText(values.evaluate(node.dependency)));
    for (const option of optionsOf(syntax, statement)) {
      if (!within(option, from, to)) continue;
      if (option.kind === 'depends') {
        const value = evaluate(view, option.condition);
        if (value !== undefined) addCondition(hints, option.condition, value);
      }
    }
    for (const property of symbol?.properties ?? []) {
      const own = property.statement;
      if (!own || property.node !== node || !property.ownCondition || !within(own, from, to)) continue;
      if ('condition' in own && own.condition) addCondition(hints, own.condition, triText(values.evaluate(property.ownCondition)));
    }
  }
  return hints.sort((a, b) => a.at - b.at);
}

function addCondition(hints: ValueHint[], condition: ExpressionSyntax, value: string): void {
  if (!hints.some((hint) => hint.at === condition.end)) hints.push({ at: condition.end, label: `= ${value}` });
}

/** A written condition's value; undefined where it holds macros. */
function evaluate(view: KconfigView, syntax: ExpressionSyntax): string | undefined {
  const expr = expressionOf(view, syntax);
  return expr && triText(view.configuration.values.evaluate(expr));
}

function expressionOf(view: KconfigView, syntax: ExpressionSyntax): Expr | undefined {
  const { model } = view.service.tree;
  switch (syntax.kind) {
    case 'symbol': {
      const { token } = syntax;
      const constant = token.text === 'y' ? model.yes : token.text === 'm' ? model.mod : token.text === 'n' ? model.no : undefined;
      const symbol = constant ?? model.byName.get(token.text);
      return token.parts || !symbol ? undefined : { kind: 'symbol', symbol };
    }
    case 'not': {
      const operand = expressionOf(view, syntax.operand);
      return operand && { kind: 'not', operand };
    }
    case 'and':
    case 'or': {
      const operands = syntax.operands.map((one) => expressionOf(view, one));
      return operands.every((one) => one !== undefined) ? { kind: syntax.kind, operands } : undefined;
    }
    default:
      return undefined;
  }
}

/** Lenses: the value with its reason, and one for the uses, which are counted later. */
export function lensesKconfig(view: KconfigView, path: string, syntax: FileSyntax): ValueLens[] {
  const lenses: ValueLens[] = [];
  for (const { statement, symbol } of nodesOf(view, path, syntax)) {
    if (!symbol || symbol.isChoice || !statement || (statement.kind !== 'config' && statement.kind !== 'menuconfig')) continue;
    const { start, end } = statement.name;
    const { reason } = view.configuration.why(symbol);
    lenses.push({ start, end, kind: 'value', symbol: symbol.label, title: `${shownValue(view, symbol)}: ${reason.text}` });
    lenses.push({ start, end, kind: 'references', symbol: symbol.label, title: '' });
  }
  return lenses;
}

function nodesOf(view: KconfigView, path: string, syntax: FileSyntax): MenuNode[] {
  // Only nodes of this very text: their offsets are the text's.
  const [file] = filesAt(view, path).filter((one) => one.syntax === syntax);
  if (!file) return [];
  const seen = new Set<number>();
  return view.service.tree.queries.nodesIn(file.name).filter((node) => {
    const start = node.statement?.start ?? -1;
    return start >= 0 && !seen.has(start) && seen.add(start);
  });
}

function within({ start, end }: Span, from: number, to: number): boolean {
  return end >= from && start <= to;
}
