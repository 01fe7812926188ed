/** The warning about a symbol that is selected although its own dependencies do not hold. */
import { type Diagnostic } from './diagnostics';
import { exprText, type Expr } from './expression';
import { type Computation } from './computation';
import { triText } from './evaluation-state';
import { type KSymbol, type Tri } from './model';

/** The warning for a symbol, in the dialect's words. */
export function unmetDependency(values: Computation, symbol: KSymbol): Diagnostic {
  const first = symbol.nodes[0];
  const printed = values.dialect.engine === 'c' ? printedByConf(values, symbol) : printedByLibrary(values, symbol);
  const selectors = alternatives(symbol.reverseDependency)
    .filter((expr) => values.evaluate(expr) !== 0)
    .map((expr) => exprText(expr));
  return {
    code: 'unmet-dependency',
    severity: 'warning',
    message: `${symbol.label} is selected by ${selectors.join(', ')}, but its dependencies do not hold: ${exprText(symbol.directDependency)}`,
    ...(first && { file: first.file, line: first.line }),
    printed,
    channel: 'stderr',
  };
}

/** The operands of a disjunction. */
export function alternatives(expr: Expr | undefined): readonly Expr[] {
  if (!expr) return [];
  return expr.kind === 'or' ? expr.operands : [expr];
}

function printedByConf(values: Computation, symbol: KSymbol): string {
  const mark = (other: KSymbol): string =>
    other.type === 'unknown' || (other.isConstant && !(other.type === 'tristate' && values.dialect.typedConstants))
      ? other.label
      : other.name === undefined
        ? '<choice>'
        : `${other.name} [=${values.text(other)}]`;
  let out = `\nWARNING: unmet direct dependencies detected for ${symbol.label}\n`;
  out += `  Depends on [${values.directDependency(symbol) === 1 ? 'm' : 'n'}]: ${exprText(symbol.directDependency, mark)}\n`;
  for (const level of [2, 1] as const) {
    const lines = alternatives(symbol.reverseDependency).filter((expr) => values.evaluate(expr) === level);
    if (lines.length > 0) out += `  Selected by [${triText(level)}]:\n${lines.map((expr) => `  - ${exprText(expr, mark)}\n`).join('')}`;
  }
  return out;
}

function printedByLibrary(values: Computation, symbol: KSymbol): string {
  const place = (other: KSymbol): string =>
    `${other.label} (defined at ${other.nodes.map((node) => `${node.file}:${node.line}`).join(', ')})`;
  const tri = (expr: Expr | undefined): Tri => values.evaluate(expr);
  const direct = tri(symbol.directDependency);
  let out =
    `warning: ${place(symbol)} has direct dependencies ${exprText(symbol.directDependency)} with value ${triText(direct)}, but is currently being ` +
    `${triText(tri(symbol.reverseDependency))}-selected by the following symbols:`;
  for (const select of alternatives(symbol.reverseDependency)) {
    if (tri(select) <= direct) continue;
    const operands = select.kind === 'and' ? select.operands : [select];
    const selector = operands[0]?.kind === 'symbol' ? operands[0].symbol : undefined;
    if (!selector) continue;
    out +=
      `\n - ${place(selector)}, with value ${values.text(selector)}, direct dependencies ${exprText(selector.directDependency)} ` +
      `(value: ${triText(tri(selector.directDependency))})`;
    if (operands.length === 1) continue;
    const rest: Expr = operands.length === 2 ? operands[1]! : { kind: 'and', operands: operands.slice(1) };
    out += `, and select condition ${exprText(rest)} (value: ${triText(tri(rest))})`;
  }
  return `${out}\n`;
}
