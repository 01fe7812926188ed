/** Finds what a user would have to change for a symbol to get a wanted value; every plan is tried out before it is given. */
import { type Change, triOf, triText, type Evaluation } from './evaluate';
import { type Expr } from './expression';
import { graphOf } from './graph';
import { type KSymbol, type Tri } from './model';
import { rangeBounds } from './range';
import { alternatives } from './unmet';
import { clauseOf, type Clause } from './why';

/** One change a user makes. */
export interface Step {
  readonly symbol: KSymbol;
  readonly value: string;
}

/** Steps that lead to the goal when taken in order. */
export interface Plan {
  readonly steps: readonly Step[];
  /** All symbols whose value is another after the last step, those of the steps among them. */
  readonly changes: readonly Change[];
}

/** What was asked, and all that was found. */
export interface Answer {
  readonly symbol: KSymbol;
  readonly wanted: string;
  /** The best first; none where the goal cannot be reached. An empty plan stands for a goal that holds already. */
  readonly plans: readonly Plan[];
  /** Where there is no plan: the conditions that stand in its way. */
  readonly obstacles: readonly Clause[];
  /** False where the search ended for lack of time, so that there may be a plan after all. */
  readonly complete: boolean;
}

/** Bounds of the search. */
export interface SearchLimits {
  readonly plans?: number;
  readonly steps?: number;
  /** Configurations that are tried. */
  readonly tries?: number;
}

interface Goal {
  readonly symbol: KSymbol;
  readonly value: string;
}

interface State {
  readonly values: Evaluation;
  readonly steps: readonly Step[];
}

/** Subgoals are followed to this depth within one state. */
const deepestGoal = 30;
/** With one plan found, so many more configurations are tried for others. */
const triesForOthers = 40;
/** Plans of more steps than this are not looked for. */
const longestPlan = 24;

/** Plans for giving `symbol` the value `wanted` (`n`, `m`, `y`, a number or a string). */
export function how(values: Evaluation, symbol: KSymbol, wanted: string, limits: SearchLimits = {}): Answer {
  return new Search(values, symbol, wanted, limits).run();
}

class Search {
  private tries = 0;
  /** The start as the search goes on from it: of its copies, only what bears on the goal is computed. */
  private tried: Evaluation;
  private readonly found: Plan[] = [];
  private readonly maxPlans: number;
  private readonly maxSteps: number;
  private readonly maxTries: number;

  constructor(
    private readonly start: Evaluation,
    private readonly symbol: KSymbol,
    private readonly wanted: string,
    limits: SearchLimits,
  ) {
    this.maxPlans = limits.plans ?? 5;
    this.maxSteps = limits.steps ?? 8;
    this.maxTries = limits.tries ?? 400;
    this.tried = start;
  }

  run(): Answer {
    const { symbol, wanted } = this;
    this.start.computeAll();
    if (this.reached(this.start)) return { symbol, wanted, plans: [{ steps: [], changes: [] }], obstacles: [], complete: true };
    this.tried = this.start.forkFor(symbol);
    let complete = this.breadthFirst((values) => new Regression(values).moves({ symbol, value: wanted }), this.maxTries / 4);
    if (this.found.length === 0) this.depthFirst();
    if (this.found.length === 0) complete = this.breadthFirst((values) => this.allMoves(values), this.maxTries);
    const plans = this.found.sort((a, b) => a.steps.length - b.steps.length || a.changes.length - b.changes.length);
    const obstacles = plans.length > 0 ? [] : this.obstacles();
    return { symbol, wanted, plans, obstacles, complete: complete || plans.length > 0 };
  }

  private reached(values: Evaluation): boolean {
    return values.text(this.symbol) === this.wanted;
  }

  /** Tries shorter plans first; false where the bounds cut the search short. */
  private breadthFirst(movesOf: (values: Evaluation) => readonly Step[], tries: number): boolean {
    this.tries = 0;
    let mostTries = tries;
    const seen = new Set<string>(['']);
    let level: State[] = [{ values: this.tried, steps: [] }];
    for (let depth = 0; depth < this.maxSteps && level.length > 0; depth++) {
      const next: State[] = [];
      for (const state of level) {
        for (const step of movesOf(state.values)) {
          if (this.found.length >= this.maxPlans) return true;
          if (++this.tries > mostTries) return false;
          if (state.steps.some((earlier) => earlier.symbol === step.symbol && earlier.value === step.value)) continue;
          const steps = [...state.steps, step];
          const key = keyOf(steps);
          if (seen.has(key)) continue;
          seen.add(key);
          const values = state.values.fork();
          if (!values.set(step.symbol, step.value)) continue;
          if (!this.reached(values)) next.push({ values, steps });
          else {
            this.keep(steps);
            // The first plan is among the shortest; others are looked for only nearby.
            mostTries = Math.min(mostTries, this.tries + triesForOthers);
          }
        }
      }
      level = next;
    }
    return level.length === 0;
  }

  /** Long plans: always takes the step that is furthest from the goal and so opens the way for the others. */
  private depthFirst(): void {
    const { symbol, wanted } = this;
    const seen = new Set<string>(['']);
    const stack: State[] = [{ values: this.tried, steps: [] }];
    this.tries = 0;
    while (stack.length > 0) {
      const state = stack.pop()!;
      if (state.steps.length > longestPlan) continue;
      for (const step of new Regression(state.values).moves({ symbol, value: wanted })) {
        const steps = [...state.steps, step];
        const key = keyOf(steps);
        if (seen.has(key)) continue;
        seen.add(key);
        if (++this.tries > this.maxTries / 4) return;
        const values = state.values.fork();
        if (!values.set(step.symbol, step.value)) continue;
        if (this.reached(values)) {
          this.keep(steps);
          return;
        }
        stack.push({ values, steps });
      }
    }
  }

  /** Leaves out the steps that are not needed, and keeps the plan unless a part of it is known. */
  private keep(steps: readonly Step[]): void {
    let needed = steps;
    for (let at = needed.length - 1; at >= 0; at--) {
      const without = needed.filter((_, index) => index !== at);
      if (this.outcome(without)) needed = without;
    }
    const values = this.outcome(needed);
    if (!values) return;
    const same = (plan: Plan): boolean =>
      plan.steps.every((step) => needed.some((other) => other.symbol === step.symbol && other.value === step.value));
    if (this.found.some(same)) return;
    this.found.push({ steps: needed, changes: differences(this.start, values) });
  }

  /** The configuration after the steps, or undefined where they do not lead to the goal. */
  private outcome(steps: readonly Step[]): Evaluation | undefined {
    const values = this.start.fork();
    for (const step of steps) if (!values.set(step.symbol, step.value)) return undefined;
    return this.reached(values) ? values : undefined;
  }

  /** Every change that could bear on the goal. */
  private allMoves(values: Evaluation): Step[] {
    const moves: Step[] = [];
    for (const symbol of this.relevant()) {
      const texts = symbol.isBoolean ? ['y', 'm', 'n'] : this.textsFor(values, symbol);
      for (const value of texts) if (values.text(symbol) !== value && values.accepts(symbol, value)) moves.push({ symbol, value });
    }
    return moves;
  }

  private relevantSymbols: readonly KSymbol[] | undefined;

  private relevant(): readonly KSymbol[] {
    if (this.relevantSymbols) return this.relevantSymbols;
    const { uses } = graphOf(this.start.model);
    const seen = new Set<KSymbol>([this.symbol]);
    for (const symbol of seen) for (const used of uses[symbol.id]!) seen.add(used);
    this.relevantSymbols = [...seen].filter((symbol) => symbol.isDefined && symbol.prompts.length > 0);
    return this.relevantSymbols;
  }

  /** Texts worth trying for a number or string: those it is compared with. */
  private textsFor(values: Evaluation, symbol: KSymbol): readonly string[] {
    const texts = new Set<string>();
    if (symbol === this.symbol) texts.add(this.wanted);
    const note = (expr: Expr | undefined): void => {
      if (expr?.kind === 'not') note(expr.operand);
      else if (expr?.kind === 'and' || expr?.kind === 'or') for (const operand of expr.operands) note(operand);
      else if (expr?.kind === 'compare' && (expr.left === symbol || expr.right === symbol)) {
        for (const text of comparedTexts(values, expr, symbol)) texts.add(text);
      }
    };
    for (const user of graphOf(values.model).users[symbol.id]!) {
      for (const property of user.properties) {
        note(property.condition);
        note(property.value);
        if (property.value?.kind === 'symbol' && property.value.symbol === symbol && user === this.symbol) texts.add(this.wanted);
        if (property.low === symbol || property.high === symbol) texts.add(this.wanted);
      }
      note(user.directDependency);
    }
    return [...texts];
  }

  private obstacles(): Clause[] {
    const { start, symbol } = this;
    if (!symbol.isDefined) return [{ text: `nothing defines ${symbol.label}`, value: 0, kind: 'none', operands: [], symbols: [] }];
    const wanted = triOf(this.wanted) ?? 2;
    const clauses: Clause[] = [];
    if (symbol.isBoolean && wanted < start.tri(symbol)) {
      for (const one of alternatives(symbol.reverseDependency)) if (start.evaluate(one) > wanted) clauses.push(clauseOf(start, one));
    }
    if (clauses.length === 0) {
      for (const prompt of symbol.prompts) if (start.condition(prompt) < wanted) clauses.push(clauseOf(start, prompt.condition));
    }
    if (symbol.prompts.length === 0) {
      for (const one of alternatives(symbol.reverseDependency)) clauses.push(clauseOf(start, one));
      if (clauses.length === 0)
        clauses.push({ text: `${symbol.label} has no prompt, and nothing selects it`, value: 0, kind: 'none', operands: [], symbols: [] });
    }
    const range = start.activeRange(symbol);
    if (range) clauses.push({ text: `range ${range.low?.label} ${range.high?.label}`, value: 2, kind: 'none', operands: [], symbols: [] });
    return clauses;
  }
}

/** Names what the user has set after some steps: of several for a symbol or a choice, the last. */
function keyOf(steps: readonly Step[]): string {
  const last = new Map<number, string>();
  for (const { symbol, value } of steps) last.set((symbol.choice ?? symbol).id, symbol.choice ? `${symbol.id}${value}` : value);
  return [...last]
    .sort(([a], [b]) => a - b)
    .map(([id, value]) => `${id}=${value}`)
    .join(' ');
}

/** From a goal back to the changes that a menu would take now and that bring it nearer. */
class Regression {
  private readonly out = new Map<string, Step>();
  private readonly asked = new Set<string>();

  constructor(private readonly values: Evaluation) {}

  moves(goal: Goal): readonly Step[] {
    this.goal(goal, 0);
    return [...this.out.values()];
  }

  private goal({ symbol, value }: Goal, depth: number): void {
    const key = `${symbol.id} ${value}`;
    if (depth > deepestGoal || this.asked.has(key) || symbol.isConstant || !symbol.isDefined) return;
    this.asked.add(key);
    const { values } = this;
    if (values.text(symbol) === value) return;
    if (symbol.isChoice) return this.choiceMode(symbol, depth);
    if (values.accepts(symbol, value)) this.out.set(key, { symbol, value });
    if (symbol.isBoolean) this.boolean(symbol, triOf(value) ?? 0, depth);
    else this.textual(symbol, value, depth);
  }

  private choiceMode(choice: KSymbol, depth: number): void {
    for (const prompt of choice.prompts) this.want(prompt.condition, 2, depth + 1);
  }

  private boolean(symbol: KSymbol, wanted: Tri, depth: number): void {
    const { values } = this;
    const now = values.tri(symbol);
    if (wanted > now) this.raise(symbol, wanted, depth);
    else this.lower(symbol, wanted, depth);
    // m cannot stand while something implies or selects y, or while there are no modules.
    if (wanted === 1) {
      const { modules } = values.model;
      if (modules && values.tri(modules) === 0) this.goal({ symbol: modules, value: 'y' }, depth + 1);
      this.refuse(symbol.implied, 1, depth + 1);
    }
  }

  private raise(symbol: KSymbol, wanted: Tri, depth: number): void {
    const { values } = this;
    if (values.visibility(symbol) < wanted) for (const prompt of symbol.prompts) this.want(prompt.condition, wanted, depth + 1);
    const { choice } = symbol;
    if (choice) this.goal({ symbol: choice, value: 'y' }, depth + 1);
    else {
      for (const one of alternatives(symbol.reverseDependency)) this.want(one, wanted, depth + 1);
      for (const one of alternatives(symbol.implied)) this.want(one, wanted, depth + 1);
      this.want(symbol.directDependency, wanted, depth + 1);
      for (const property of symbol.defaults) {
        this.want(property.condition, wanted, depth + 1);
        this.want(property.value, wanted, depth + 1);
      }
    }
  }

  private lower(symbol: KSymbol, wanted: Tri, depth: number): void {
    const { values } = this;
    const { choice } = symbol;
    if (choice) {
      for (const member of choice.members) {
        if (member === symbol) continue;
        if (values.accepts(member, 'y')) this.out.set(`${member.id} y`, { symbol: member, value: 'y' });
        else this.goal({ symbol: member, value: 'y' }, depth + 1);
      }
    }
    this.refuse(symbol.reverseDependency, wanted, depth + 1);
    this.refuse(symbol.directDependency, wanted, depth + 1);
    this.refuse(symbol.implied, wanted, depth + 1);
    for (const property of symbol.defaults) {
      this.refuse(property.condition, wanted, depth + 1);
      if (property.value) this.refuse(property.value, wanted, depth + 1);
    }
    // A value that is not visible follows its defaults; made visible, it can be set.
    if (values.visibility(symbol) === 0) for (const prompt of symbol.prompts) this.want(prompt.condition, 2, depth + 1);
  }

  private textual(symbol: KSymbol, value: string, depth: number): void {
    const { values } = this;
    if (values.visibility(symbol) === 0) for (const prompt of symbol.prompts) this.want(prompt.condition, 1, depth + 1);
    for (const property of symbol.defaults) {
      const source = property.value?.kind === 'symbol' ? property.value.symbol : undefined;
      if (!source) continue;
      if (source.isDefined) this.goal({ symbol: source, value }, depth + 1);
      if (values.text(source) === value) this.want(property.condition, 1, depth + 1);
      else this.refuse(property.condition, 0, depth + 1);
    }
    const bounds = rangeBounds(values, symbol);
    if (!bounds) return;
    for (const end of [bounds.lowSymbol, bounds.highSymbol]) if (end.isDefined) this.goal({ symbol: end, value }, depth + 1);
    for (const range of symbol.ranges) this.refuse(range.condition, 0, depth + 1);
  }

  /** What would make a condition at least `wanted`. */
  private want(expr: Expr | undefined, wanted: Tri, depth: number): void {
    if (!expr || depth > deepestGoal || this.values.evaluate(expr) >= wanted) return;
    switch (expr.kind) {
      case 'symbol':
        return this.goal({ symbol: expr.symbol, value: triText(wanted) }, depth);
      case 'not':
        return this.refuse(expr.operand, (2 - wanted) as Tri, depth);
      case 'and':
      case 'or':
        for (const operand of expr.operands) this.want(operand, wanted, depth);
        return;
      case 'compare':
        return this.compare(expr, depth);
    }
  }

  /** What would make a condition at most `most`. */
  private refuse(expr: Expr | undefined, most: Tri, depth: number): void {
    if (!expr || depth > deepestGoal || this.values.evaluate(expr) <= most) return;
    switch (expr.kind) {
      case 'symbol':
        return this.goal({ symbol: expr.symbol, value: triText(most) }, depth);
      case 'not':
        return this.want(expr.operand, (2 - most) as Tri, depth);
      case 'and':
      case 'or':
        for (const operand of expr.operands) this.refuse(operand, most, depth);
        return;
      case 'compare':
        return this.compare(expr, depth);
    }
  }

  private compare(expr: Extract<Expr, { kind: 'compare' }>, depth: number): void {
    for (const side of [expr.left, expr.right]) {
      if (side.isConstant || !side.isDefined) continue;
      for (const value of comparedTexts(this.values, expr, side)) this.goal({ symbol: side, value }, depth + 1);
    }
  }
}

/** Values of one side of a comparison that lie on either side of it. */
function comparedTexts(values: Evaluation, expr: Extract<Expr, { kind: 'compare' }>, side: KSymbol): readonly string[] {
  if (side.isBoolean) return ['n', 'm', 'y'];
  const other = values.text(expr.left === side ? expr.right : expr.left);
  if (side.type === 'string') return [other, other === '' ? '1' : ''];
  if (!/^(?:0[xX][0-9a-fA-F]+|-?\d+)$/.test(other)) return [other];
  const number = BigInt(other.startsWith('-') ? 0 : other) - BigInt(other.startsWith('-') ? other.slice(1) : 0);
  const print = (value: bigint): string => (side.type === 'hex' ? `0x${(value < 0n ? 0n : value).toString(16)}` : value.toString());
  return [other, print(number + 1n), print(number - 1n)];
}

/** The symbols whose values differ between two configurations of one model. */
export function differences(before: Evaluation, after: Evaluation): Change[] {
  const changes: Change[] = [];
  for (const symbol of before.model.symbols) {
    if (symbol.isConstant || !symbol.isDefined || symbol.isChoice) continue;
    const old = before.text(symbol);
    const now = after.text(symbol);
    if (old === now) continue;
    changes.push({ symbol, before: old, after: now, visibleBefore: before.visibility(symbol), visibleAfter: after.visibility(symbol) });
  }
  return changes;
}

/** An answer as lines of text, as the command line shows it. */
export function answerText(answer: Answer): string {
  const { symbol, wanted, plans } = answer;
  if (plans.length === 0) {
    const head = answer.complete ? `${symbol.label} cannot become ${wanted}` : `no way to make ${symbol.label} ${wanted} was found`;
    return `${[head, ...answer.obstacles.map((clause) => `  ${clause.text}`)].join('\n')}\n`;
  }
  const out: string[] = [];
  for (const [index, plan] of plans.entries()) {
    if (plan.steps.length === 0) return `${symbol.label} is ${wanted} already\n`;
    out.push(`plan ${index + 1}: ${plan.steps.map((step) => `${step.symbol.label}=${step.value}`).join(', ')}`);
    for (const change of plan.changes) out.push(`  ${change.symbol.label}: ${change.before} -> ${change.after}`);
  }
  return `${out.join('\n')}\n`;
}
