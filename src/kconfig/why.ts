/** Proves a value: which rule gave it, where that rule is written, and what each clause of its condition was worth. */
import { type Origin } from './dotconfig/read';
import { triText, type Evaluation } from './evaluate';
import { exprText, type Expr } from './expression';
import { type KSymbol, type Property, type Tri } from './model';
import { rangeBounds } from './range';
import { alternatives } from './unmet';

/** A condition with its value, taken apart into its operands. */
export interface Clause {
  readonly text: string;
  readonly value: Tri;
  readonly kind: Expr['kind'] | 'none';
  readonly operands: readonly Clause[];
  /** The symbols of a leaf with their values. */
  readonly symbols: readonly { readonly symbol: KSymbol; readonly value: string }[];
}

/** What a rule did to the value. */
export type Effect = 'decides' | 'raises' | 'limits' | 'none';

/** One rule that speaks about the value, whether or not it had an effect. */
export interface Rule {
  readonly kind: 'user' | 'default' | 'select' | 'imply' | 'range' | 'choice' | 'depends' | 'prompt' | 'empty';
  readonly effect: Effect;
  readonly text: string;
  readonly file?: string;
  readonly line?: number;
  readonly condition?: Clause;
  /** The symbol that selects, implies or is the choice. */
  readonly by?: KSymbol;
}

/** The proof of one symbol's value. */
export interface Proof {
  readonly symbol: KSymbol;
  readonly value: string;
  readonly visible: Tri;
  readonly written: boolean;
  /** The rule that gave the value. */
  readonly reason: Rule;
  readonly rules: readonly Rule[];
  /** True where the user may set it now. */
  readonly changeable: boolean;
}

/** Takes a condition apart; undefined is y. */
export function clauseOf(values: Evaluation, expr: Expr | undefined): Clause {
  if (!expr) return { text: 'y', value: 2, kind: 'none', operands: [], symbols: [] };
  const operands = expr.kind === 'and' || expr.kind === 'or' ? expr.operands : expr.kind === 'not' ? [expr.operand] : [];
  const leaves = expr.kind === 'symbol' ? [expr.symbol] : expr.kind === 'compare' ? [expr.left, expr.right] : [];
  return {
    text: exprText(expr),
    value: values.evaluate(expr),
    kind: expr.kind,
    operands: operands.map((operand) => clauseOf(values, operand)),
    symbols: leaves
      .filter((symbol) => !symbol.isConstant)
      .map((symbol) => ({ symbol, value: symbol.isDefined ? values.text(symbol) : 'undefined' })),
  };
}

/** Proves the value of a symbol in a configuration. */
export function why(values: Evaluation, symbol: KSymbol, origins: ReadonlyMap<KSymbol, Origin> = new Map()): Proof {
  const rules = new Prover(values, symbol, origins).rules();
  const decisive =
    rules.find((rule) => rule.effect === 'raises' || rule.effect === 'limits') ?? rules.find((rule) => rule.effect === 'decides');
  return {
    symbol,
    value: values.text(symbol),
    visible: values.visibility(symbol),
    written: values.isWritten(symbol),
    reason: decisive ?? { kind: 'empty', effect: 'decides', text: emptyReason(values, symbol) },
    rules,
    changeable: values.isChangeable(symbol),
  };
}

function emptyReason(values: Evaluation, symbol: KSymbol): string {
  if (!symbol.isDefined) return `nothing defines ${symbol.label}`;
  return `no rule gives ${symbol.label} a value${values.visibility(symbol) === 0 ? ', and it is not visible' : ''}`;
}

class Prover {
  constructor(
    private readonly values: Evaluation,
    private readonly symbol: KSymbol,
    private readonly origins: ReadonlyMap<KSymbol, Origin>,
  ) {}

  rules(): Rule[] {
    const { values, symbol } = this;
    if (!symbol.isDefined) return [];
    const inChoice = symbol.choice !== undefined && values.visibility(symbol) === 2;
    const userCounts = values.visibility(symbol) !== 0 && values.hasUserValue(symbol) && !inChoice;
    const rules: Rule[] = [];
    if (inChoice) rules.push(this.choice(symbol.choice!));
    if (values.hasUserValue(symbol)) rules.push(this.user(userCounts));
    if (symbol.isBoolean) rules.push(...this.reverse('select', symbol.reverseDependency), ...this.reverse('imply', symbol.implied));
    let open = !userCounts && !inChoice && !symbol.isChoice;
    for (const property of symbol.defaults) {
      const applies = open && values.condition(property) !== 0;
      if (applies) open = false;
      rules.push(this.default(property, applies));
    }
    for (const property of symbol.ranges) rules.push(this.range(property));
    for (const prompt of symbol.prompts) {
      rules.push({
        kind: 'prompt',
        effect: 'none',
        text: `prompt "${prompt.text ?? ''}"`,
        ...at(prompt),
        condition: clauseOf(values, prompt.condition),
      });
    }
    for (const node of symbol.nodes) {
      if (!node.dependency) continue;
      rules.push({
        kind: 'depends',
        effect: 'none',
        text: `depends on ${exprText(node.dependency)}`,
        file: node.file,
        line: node.line,
        condition: clauseOf(values, node.dependency),
      });
    }
    return rules;
  }

  private choice(choice: KSymbol): Rule {
    const { values } = this;
    const picked = values.selection(choice);
    const name = choice.prompts[0]?.text ?? choice.label;
    const text =
      picked === this.symbol ? `the choice "${name}" has picked it` : `the choice "${name}" has picked ${picked?.label ?? 'nothing'}`;
    return { kind: 'choice', effect: 'decides', text, by: choice, ...(choice.properties[0] && at(choice.properties[0])) };
  }

  private user(counts: boolean): Rule {
    const { values, symbol } = this;
    const value = values.userValue(symbol);
    const text = typeof value === 'number' ? triText(value) : (value ?? '');
    const limited = typeof value === 'number' && counts && values.tri(symbol) < value;
    const suffix = counts ? (limited ? ', limited by what is visible' : '') : symbol.choice ? '' : ', without effect as it is not visible';
    return { kind: 'user', effect: counts ? 'decides' : 'none', text: `set to ${text}${suffix}`, ...this.origins.get(symbol) };
  }

  private reverse(kind: 'select' | 'imply', expr: Expr | undefined): Rule[] {
    const { values, symbol } = this;
    const value = values.tri(symbol);
    const rules: Rule[] = [];
    for (const one of alternatives(expr)) {
      const by =
        one.kind === 'symbol' ? one.symbol : one.kind === 'and' && one.operands[0]?.kind === 'symbol' ? one.operands[0].symbol : undefined;
      const worth = values.evaluate(one);
      const source = by?.properties.find((property) => property.kind === kind && property.target === symbol);
      const counts = kind === 'select' ? worth !== 0 && values.reverseDependency(symbol) === value : worth !== 0 && this.impliedCounts();
      const text = by && !by.isConstant ? `${kind === 'select' ? 'selected' : 'implied'} by ${by.label}` : `${kind} ${exprText(one)}`;
      const effect: Effect = counts && value !== 0 ? (kind === 'select' ? 'raises' : 'decides') : 'none';
      rules.push({ kind, effect, text, ...(source && at(source)), condition: clauseOf(values, one), ...(by && { by }) });
    }
    return rules;
  }

  private impliedCounts(): boolean {
    const { values, symbol } = this;
    return values.impliedValue(symbol) !== 0 && !(values.visibility(symbol) !== 0 && values.hasUserValue(symbol));
  }

  private default(property: Property, applies: boolean): Rule {
    const { values, symbol } = this;
    const shown = property.value ? exprText(property.value) : '';
    const worth = property.value && symbol.isBoolean ? ` (${triText(values.evaluate(property.value))})` : '';
    return {
      kind: 'default',
      effect: applies ? 'decides' : 'none',
      text: `default ${shown}${worth}`,
      ...at(property),
      condition: clauseOf(values, property.condition),
    };
  }

  private range(property: Property): Rule {
    const { values, symbol } = this;
    const applies = values.activeRange(symbol) === property;
    const bounds = applies ? rangeBounds(values, symbol) : undefined;
    const user = values.userValue(symbol);
    const wanted = values.visibility(symbol) !== 0 && typeof user === 'string' ? user : this.defaultValue();
    const limits = bounds !== undefined && bounds.read(wanted) !== bounds.read(values.text(symbol));
    return {
      kind: 'range',
      effect: limits ? 'limits' : 'none',
      text: `range ${property.low?.label ?? ''} ${property.high?.label ?? ''}`,
      ...at(property),
      condition: clauseOf(values, property.condition),
    };
  }

  private defaultValue(): string {
    const value = this.values.activeDefault(this.symbol)?.value;
    return value?.kind === 'symbol' ? this.values.text(value.symbol) : '';
  }
}

function at(property: Property): { file: string; line: number } {
  return { file: property.file, line: property.line };
}

/** The proof as lines of text, as the command line shows it. */
export function proofText(proof: Proof): string {
  const { symbol, reason } = proof;
  const out = [`${symbol.label} = ${proof.value === '' ? '""' : proof.value}: ${reason.text}${place(reason)}`];
  for (const rule of proof.rules) {
    const mark = rule.effect === 'none' ? ' ' : '*';
    out.push(`  ${mark} ${rule.text}${place(rule)}`);
    if (rule.condition && rule.condition.kind !== 'none') clauseLines(rule.condition, 3, out);
  }
  return `${out.join('\n')}\n`;
}

function place(rule: Rule): string {
  return rule.file === undefined ? '' : ` (${rule.file}:${rule.line})`;
}

function clauseLines(clause: Clause, depth: number, out: string[]): void {
  const symbols = clause.symbols.map(({ symbol, value }) => `${symbol.label}=${value}`).join(', ');
  const own = symbols && symbols !== `${clause.text}=${triText(clause.value)}` ? `  [${symbols}]` : '';
  out.push(`${'  '.repeat(depth)}${triText(clause.value)}  ${clause.text}${own}`);
  for (const operand of clause.operands) if (clause.kind !== 'not' || operand.kind !== 'symbol') clauseLines(operand, depth + 1, out);
}
