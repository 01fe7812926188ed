/** Conditions: their forms, and their text. */
import { type Comparison } from './ast';
import { type KSymbol } from './model';

/** A condition; undefined in the model stands for y. */
export type Expr =
  | { readonly kind: 'symbol'; readonly symbol: KSymbol }
  | { readonly kind: 'not'; readonly operand: Expr }
  | { readonly kind: 'and' | 'or'; readonly operands: readonly Expr[] }
  | { readonly kind: 'compare'; readonly operator: Comparison; readonly left: KSymbol; readonly right: KSymbol };

/** The constants that simplification speaks of. */
export interface Constants {
  readonly no: KSymbol;
  readonly mod: KSymbol;
  readonly yes: KSymbol;
}

/** The symbol itself, as a condition. */
export function symbolExpr(symbol: KSymbol): Expr {
  return (symbol.asExpr ??= { kind: 'symbol', symbol });
}

export function compareExpr(operator: Comparison, left: KSymbol, right: KSymbol): Expr {
  return { kind: 'compare', operator, left, right };
}

/** `a && b`, where undefined is y; operands of the same kind are merged. */
export function andExpr(a: Expr | undefined, b: Expr | undefined): Expr | undefined {
  if (!a || !b) return a ?? b;
  return joined('and', [a, b]);
}

/** `a || b`, where undefined is nothing at all. */
export function orExpr(a: Expr | undefined, b: Expr | undefined): Expr | undefined {
  if (!a || !b) return a ?? b;
  return joined('or', [a, b]);
}

/** A conjunction or disjunction of at least one operand. */
export function joined(kind: 'and' | 'or', operands: readonly Expr[]): Expr {
  const count = operands.length;
  if (count === 1) return operands[0]!;
  for (let at = 0; at < count; at++) {
    if (operands[at]!.kind !== kind) continue;
    return { kind, operands: flattened(kind, operands) };
  }
  return { kind, operands };
}

function flattened(kind: 'and' | 'or', operands: readonly Expr[]): Expr[] {
  let count = 0;
  for (let at = 0; at < operands.length; at++) {
    const operand = operands[at]!;
    count += operand.kind === kind ? operand.operands.length : 1;
  }
  const flat = new Array<Expr>(count);
  let to = 0;
  for (let at = 0; at < operands.length; at++) {
    const operand = operands[at]!;
    if (operand.kind !== kind) flat[to++] = operand;
    else for (let inner = 0; inner < operand.operands.length; inner++) flat[to++] = operand.operands[inner]!;
  }
  return flat;
}

/** A conjunction or disjunction with each operand put through `change`; the same object where none changes. */
export function mapped(expr: Extract<Expr, { kind: 'and' | 'or' }>, change: (operand: Expr) => Expr): Expr {
  const { operands } = expr;
  let changed: Expr[] | undefined;
  for (let at = 0; at < operands.length; at++) {
    const operand = operands[at]!;
    const other = change(operand);
    if (other === operand) continue;
    changed ??= operands.slice();
    changed[at] = other;
  }
  return changed ? joined(expr.kind, changed) : expr;
}

/** Calls `visit` for every symbol in an expression, from left to right. */
export function forEachSymbol(expr: Expr | undefined, visit: (symbol: KSymbol) => void): void {
  if (!expr) return;
  switch (expr.kind) {
    case 'symbol':
      visit(expr.symbol);
      return;
    case 'not':
      forEachSymbol(expr.operand, visit);
      return;
    case 'compare':
      visit(expr.left);
      visit(expr.right);
      return;
    case 'and':
    case 'or':
      for (const operand of expr.operands) forEachSymbol(operand, visit);
  }
}

export function containsSymbol(expr: Expr | undefined, symbol: KSymbol): boolean {
  if (!expr) return false;
  switch (expr.kind) {
    case 'symbol':
      return expr.symbol === symbol;
    case 'not':
      return containsSymbol(expr.operand, symbol);
    case 'compare':
      return expr.left === symbol || expr.right === symbol;
    case 'and':
    case 'or':
      for (let at = 0; at < expr.operands.length; at++) if (containsSymbol(expr.operands[at], symbol)) return true;
      return false;
  }
}

/** True where the expression can only hold when the symbol is not n, as far as its form shows. */
export function dependsOnSymbol(expr: Expr | undefined, symbol: KSymbol, c: Constants): boolean {
  if (!expr) return false;
  switch (expr.kind) {
    case 'symbol':
      return expr.symbol === symbol;
    case 'and':
      for (let at = 0; at < expr.operands.length; at++) if (dependsOnSymbol(expr.operands[at], symbol, c)) return true;
      return false;
    case 'compare':
      if (expr.left !== symbol) return false;
      return expr.operator === '=' ? expr.right === c.yes || expr.right === c.mod : expr.operator === '!=' && expr.right === c.no;
    default:
      return false;
  }
}

/** How tightly an operator binds, for the parentheses of the printed text. */
const strength = { or: 0, and: 1, not: 2, compare: 3, symbol: 4 } as const;

/** The text of an expression; `mark` may add to a symbol's name (its value, say). */
export function exprText(expr: Expr | undefined, mark: (symbol: KSymbol) => string = (symbol) => symbol.label): string {
  return expr ? text(expr, 0, mark) : 'y';
}

function text(expr: Expr, outer: number, mark: (symbol: KSymbol) => string): string {
  const own = strength[expr.kind];
  switch (expr.kind) {
    case 'symbol':
      return mark(expr.symbol);
    case 'compare':
      return parenthesized(outer > own, mark(expr.left) + expr.operator + mark(expr.right));
    case 'not':
      return parenthesized(outer > own, `!${text(expr.operand, own, mark)}`);
    case 'and':
    case 'or':
      return parenthesized(
        outer > own,
        expr.operands.map((operand) => text(operand, own, mark)).join(expr.kind === 'and' ? ' && ' : ' || '),
      );
  }
}

function parenthesized(needed: boolean, inner: string): string {
  return needed ? `(${inner})` : inner;
}
