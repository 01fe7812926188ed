/** Finds symbols that depend on themselves, and tells it in the engine's words. */
import { type DiagnosticSink } from './diagnostics';
import { type Dialect } from './dialect';
import { type Expr } from './expression';
import { type KSymbol, type MenuNode, type Property } from './model';

/** What the search for loops found out. */
export interface LoopCheck {
  readonly found: boolean;
  /** No chain of symbols that are computed from one another is longer; undefined where that is not known. */
  readonly longestChain: number | undefined;
}

/** Checks every symbol. The Python library's own report is made elsewhere. */
export function checkLoops(order: readonly KSymbol[], dialect: Dialect, sink: DiagnosticSink): LoopCheck {
  if (dialect.engine !== 'c') return { found: checkLibraryLoops(order, sink), longestChain: undefined };
  const checker = new LoopChecker(dialect, sink, order.length + 4);
  let found = false;
  for (const symbol of order) if (checker.check(symbol)) found = true;
  return { found, longestChain: found || checker.cut ? undefined : checker.chainBound() };
}

type Way = 'depends' | 'selected' | 'implied' | 'visible' | 'value';

interface Step {
  readonly symbol: KSymbol;
  way: Way;
  property: Property | undefined;
}

/** Chains longer than this are not followed further, so that no input can exhaust the stack. */
const deepestChain = 600;

const done = 1;
const active = 2;

class LoopChecker {
  private readonly marks: Uint8Array;
  private readonly steps: Step[] = [];
  /** By symbol id, the length of the longest chain that starts there. */
  private readonly chains: Int32Array;
  /** The longest chain met since the symbol on top of `steps` was entered. */
  private chain = 0;
  private longest = 0;
  /** Symbols that are bounds of ranges; they join chains, but are not searched. */
  private readonly bounds: KSymbol[] = [];
  /** True where a chain was not followed to its end. */
  cut = false;

  constructor(
    private readonly dialect: Dialect,
    private readonly sink: DiagnosticSink,
    symbols: number,
  ) {
    this.marks = new Uint8Array(symbols);
    this.chains = new Int32Array(symbols);
  }

  /** The symbol at which a loop closes, or undefined. */
  check(symbol: KSymbol): KSymbol | undefined {
    const { id } = symbol;
    if (this.marks[id] === active) {
      this.report(symbol);
      return symbol;
    }
    if (this.marks[id] === done) {
      this.follow(this.chains[id]!);
      return undefined;
    }
    if (this.steps.length > deepestChain) {
      this.cut = true;
      return undefined;
    }
    const outer = this.chain;
    this.chain = 0;
    const found = this.enter(symbol);
    const length = this.chain + 1;
    this.chains[id] = length;
    for (const member of symbol.members) this.chains[member.id] = length;
    this.chain = outer;
    this.follow(length);
    return found;
  }

  /** No chain is longer, whichever ranges join the chains that were searched. */
  chainBound(): number {
    return this.bounds.reduce((sum, bound) => sum + this.chains[bound.id]!, this.longest);
  }

  private follow(length: number): void {
    if (length > this.chain) this.chain = length;
    if (length > this.longest) this.longest = length;
  }

  private enter(symbol: KSymbol): KSymbol | undefined {
    const { choice } = symbol;
    if (choice) {
      this.steps.push({ symbol, way: 'depends', property: undefined });
      const found = this.check(choice);
      this.steps.pop();
      return found;
    }
    if (symbol.isChoice) return this.choice(symbol);
    this.marks[symbol.id] = active;
    const found = this.symbol(symbol);
    this.marks[symbol.id] = done;
    return found;
  }

  private choice(choice: KSymbol): KSymbol | undefined {
    this.steps.push({ symbol: choice, way: 'depends', property: undefined });
    const members = this.dialect.choiceByPriority ? [...subtreeSymbols(choice.nodes[0])] : choice.members;
    for (const member of members) this.marks[member.id] = active;
    this.marks[choice.id] = active;
    let found = this.symbol(choice);
    this.marks[choice.id] = done;
    for (const member of members) {
      if (found) break;
      found = this.symbol(member, this.dialect.choiceByPriority);
    }
    for (const member of members) this.marks[member.id] = done;
    if (found?.choice === choice) found = choice;
    this.steps.pop();
    return found;
  }

  private symbol(symbol: KSymbol, propertiesOnly = false): KSymbol | undefined {
    const step: Step = { symbol, way: 'depends', property: undefined };
    this.steps.push(step);
    const found = propertiesOnly ? this.properties(symbol, step, true) : this.walk(symbol, step);
    this.steps.pop();
    return found;
  }

  private walk(symbol: KSymbol, step: Step): KSymbol | undefined {
    const { directDependency, reverseDependency, implied } = symbol;
    let found = directDependency && this.expression(directDependency);
    if (found) return found;
    step.way = 'selected';
    found = reverseDependency && this.expression(reverseDependency);
    if (found) return found;
    step.way = 'implied';
    found = implied && this.expression(implied);
    if (found) return found;
    return this.properties(symbol, step, false);
  }

  private properties(symbol: KSymbol, step: Step, propertiesOnly: boolean): KSymbol | undefined {
    let found: KSymbol | undefined;
    // Most have the condition that the entry as a whole has, which has been walked by now.
    let walked = propertiesOnly ? undefined : symbol.directDependency;
    const { properties } = symbol;
    for (let at = 0; at < properties.length; at++) {
      const property = properties[at]!;
      const { kind } = property;
      if (kind === 'choice' || kind === 'select' || kind === 'imply') continue;
      if (kind === 'symbol' && this.dialect.choiceByPriority) continue;
      if (property.low?.isDefined) this.bounds.push(property.low);
      if (property.high?.isDefined) this.bounds.push(property.high);
      step.way = 'visible';
      step.property = property;
      if (property.condition !== walked) {
        found = this.expression(property.condition);
        if (found) return found;
        walked = property.condition;
      }
      if (kind !== 'default' || symbol.isChoice) continue;
      step.way = 'value';
      found = this.expression(property.value);
      if (found) return found;
    }
    return undefined;
  }

  private expression(expr: Expr | undefined): KSymbol | undefined {
    if (!expr) return undefined;
    switch (expr.kind) {
      case 'symbol': {
        const { symbol } = expr;
        // Most have been checked before.
        if (this.marks[symbol.id] !== done) return this.check(symbol);
        this.follow(this.chains[symbol.id]!);
        return undefined;
      }
      case 'not':
        return this.expression(expr.operand);
      case 'compare':
        return this.check(expr.left) ?? this.check(expr.right);
      case 'and':
      case 'or':
        return this.operands(expr.operands);
    }
  }

  private operands(operands: readonly Expr[]): KSymbol | undefined {
    for (let at = 0; at < operands.length; at++) {
      const operand = operands[at]!;
      if (operand.kind === 'symbol' && this.marks[operand.symbol.id] === done) {
        this.follow(this.chains[operand.symbol.id]!);
        continue;
      }
      const found = this.expression(operand);
      if (found) return found;
    }
    return undefined;
  }

  private report(last: KSymbol): void {
    let from = last;
    const steps = [...this.steps];
    if (last.choice) {
      steps.push({ symbol: last, way: 'depends', property: undefined });
      from = last.choice;
    }
    const start = steps.findLastIndex((step) => step.symbol === from);
    if (start < 0) {
      this.sink.add({
        code: 'loop',
        severity: 'error',
        message: 'unexpected recursive dependency error',
        printed: 'unexpected recursive dependency error\n',
        channel: 'stderr',
      });
      return;
    }
    const placed = this.dialect.syntaxErrorLine === 1;
    const lines: string[] = [];
    let first: Property | undefined;
    for (let at = start; at < steps.length; at++) {
      const step = steps[at]!;
      const next = steps[at + 1]?.symbol ?? from;
      const property = (step.symbol.isChoice || step.symbol.choice ? undefined : step.property) ?? step.symbol.properties[0];
      first ??= property;
      const where = placed ? `${property?.file}:${property?.line}:` : '';
      if (step.symbol === from) lines.push(`${where}error: recursive dependency detected!`);
      lines.push(`${where}\t${this.sentence(step, next, property)}`);
    }
    const [head] = lines;
    const message = `recursive dependency: ${lines
      .slice(1)
      .map((line) => line.slice(line.indexOf('\t') + 1))
      .join('; ')}`;
    const printed = `${head}\n${lines.slice(1).join('\n')}\nFor a resolution refer to ${this.dialect.loopDocument}\nsubsection "Kconfig recursive dependency limitations"\n\n`;
    this.sink.add({
      code: 'loop',
      severity: 'error',
      message,
      ...(first && { file: first.file, line: first.line }),
      printed,
      channel: 'stderr',
    });
  }

  private sentence(step: Step, next: KSymbol, property: Property | undefined): string {
    const { symbol } = step;
    const name = symbol.label;
    if (!this.dialect.choiceByPriority) {
      if (symbol.isChoice) return `choice ${name} contains symbol ${next.label}`;
      if (symbol.choice) return `symbol ${name} is part of choice ${next.label}`;
    } else if (next.isChoice) {
      const node = next.nodes[0];
      return `symbol ${name} is part of choice block at ${node?.file}:${node?.line}`;
    } else if (symbol.isChoice) return `symbol ${name} unknown is visible depending on ${next.label}`;
    switch (step.way) {
      case 'depends':
        return `symbol ${name} depends on ${next.label}`;
      case 'selected':
        return `symbol ${name} is selected by ${next.label}`;
      case 'implied':
        return `symbol ${name} is implied by ${next.label}`;
      case 'value':
        return `symbol ${name} ${property?.kind} value contains ${next.label}`;
      case 'visible':
        return `symbol ${name} ${property?.kind} is visible depending on ${next.label}`;
    }
  }
}

function* subtreeSymbols(node: MenuNode | undefined): Generator<KSymbol> {
  for (const child of node?.children ?? []) {
    if (child.symbol) yield child.symbol;
    yield* subtreeSymbols(child);
  }
}

/** The library's search goes from a symbol to what depends on it, ranges among it; a choice is entered through any member. */
function checkLibraryLoops(order: readonly KSymbol[], sink: DiagnosticSink): boolean {
  const dependents = new Map<KSymbol, Set<KSymbol>>();
  const note = (user: KSymbol, expr: Expr | undefined): void => {
    if (!expr) return;
    if (expr.kind === 'symbol') depend(expr.symbol, user);
    else if (expr.kind === 'not') note(user, expr.operand);
    else if (expr.kind === 'compare') {
      depend(expr.left, user);
      depend(expr.right, user);
    } else for (const operand of expr.operands) note(user, operand);
  };
  const depend = (on: KSymbol, user: KSymbol): void => {
    if (on.isConstant) return;
    const set = dependents.get(on);
    if (set) set.add(user);
    else dependents.set(on, new Set([user]));
  };
  for (const symbol of order) {
    if (!symbol.isDefined) continue;
    for (const property of symbol.properties) {
      if (property.kind === 'select' || property.kind === 'imply' || property.kind === 'symbol' || property.kind === 'choice') continue;
      note(symbol, property.condition);
      if (property.value && !symbol.isChoice) note(symbol, property.value);
      if (property.low) depend(property.low, symbol);
      if (property.high) depend(property.high, symbol);
    }
    note(symbol, symbol.directDependency);
    if (!symbol.isChoice) note(symbol, symbol.reverseDependency);
    note(symbol, symbol.implied);
  }
  const search = new LibrarySearch(dependents);
  for (const symbol of order) {
    if (symbol.isChoice || !symbol.isDefined) continue;
    const loop = search.symbol(symbol, false);
    if (!loop) continue;
    const message = `dependency loop: ${loop.map((item) => item.label).join(', ')}`;
    sink.add({ code: 'loop', severity: 'error', message, suggestion: loop.map((item) => item.id).join(' ') });
    return true;
  }
  return false;
}

class LibrarySearch {
  private readonly visited = new Map<KSymbol, 1 | 2>();
  private depth = 0;
  complete: KSymbol[] | undefined;

  constructor(private readonly dependents: ReadonlyMap<KSymbol, ReadonlySet<KSymbol>>) {}

  symbol(symbol: KSymbol, ignoreChoice: boolean): KSymbol[] | undefined {
    const state = this.visited.get(symbol);
    if (state) return state === 2 ? undefined : [symbol];
    if (this.depth > deepestChain) return undefined;
    this.depth++;
    this.visited.set(symbol, 1);
    for (const user of this.dependents.get(symbol) ?? []) {
      if (symbol.choice && user === symbol.choice) continue;
      const loop = user.isChoice ? this.choice(user, undefined) : this.symbol(user, false);
      if (loop) return this.found(loop, symbol);
    }
    if (symbol.choice && !ignoreChoice) {
      const loop = this.choice(symbol.choice, symbol);
      if (loop) return this.found(loop, symbol);
    }
    this.visited.set(symbol, 2);
    this.depth--;
    return undefined;
  }

  private choice(choice: KSymbol, skip: KSymbol | undefined): KSymbol[] | undefined {
    const state = this.visited.get(choice);
    if (state) return state === 2 ? undefined : [choice];
    this.visited.set(choice, 1);
    for (const member of choice.members) {
      if (member === skip) continue;
      const loop = this.symbol(member, true);
      if (loop) return this.found(loop, choice);
    }
    this.visited.set(choice, 2);
    return undefined;
  }

  private found(loop: KSymbol[], current: KSymbol): KSymbol[] {
    if (this.complete) return this.complete;
    if (current !== loop[0]) return [...loop, current];
    this.complete = loop;
    return loop;
  }
}
