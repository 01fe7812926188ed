/** Simplifies conditions as the C engine does before it uses or prints them. */
import { type Comparison } from './ast';
import { compareExpr, joined, mapped, symbolExpr, type Constants, type Expr } from './expression';
import { type KSymbol } from './model';

/** What stands for a count where a constant was met, or a symbol without the mark. */
const constantMet = -1;
const unmarkedMet = -2;

/** Simplifies expressions as the C engine does; the results are equal in value, and their text is the one it prints. */
export class Simplifier {
  private joins = 0;
  /** Chains in which nothing can be joined. */
  private readonly settled = new WeakSet<Expr>();
  /** By symbol id, the round in which the symbol was last met: odd where it was an operand by itself, even elsewhere. */
  private readonly met: Int32Array;
  private round = 0;

  /** @param symbols how many symbols there are. */
  constructor(
    private readonly c: Constants,
    symbols: number,
    /** Told when a bool is compared with m, which can never hold. */
    private readonly testedForM: (symbol: KSymbol, forced: 'y' | 'n') => void,
  ) {
    this.met = new Int32Array(symbols);
  }

  /** Takes comparisons of bools and negations apart. */
  transform(expr: Expr | undefined): Expr | undefined {
    return expr && this.transformed(expr);
  }

  /** Drops operands that say nothing new, the earlier of two. */
  withoutDuplicates(expr: Expr | undefined): Expr | undefined {
    if (!expr || (expr.kind !== 'and' && expr.kind !== 'or')) return expr;
    const plain = this.withoutRepeats(expr);
    if (plain) return plain;
    let current: Expr = expr;
    const outer = this.joins;
    for (;;) {
      this.joins = 0;
      if (current.kind === 'and' || current.kind === 'or') current = this.joinLevel(current);
      if (this.joins === 0) break;
      current = this.withoutConstants(current);
    }
    this.joins = outer;
    return current;
  }

  /**
   * The quick way: no symbol is spoken of twice, so that nothing can be joined, or only by operands that are that symbol and nothing else, of which the last stays.
   * Undefined where it takes more to tell.
   */
  private withoutRepeats(expr: Extract<Expr, { kind: 'and' | 'or' }>): Expr | undefined {
    const { met } = this;
    const { operands } = expr;
    const elsewhere = (this.round += 2);
    const alone = elsewhere + 1;
    let repeats = 0;
    for (let at = 0; at < operands.length; at++) {
      const operand = operands[at]!;
      if (operand.kind !== 'symbol') {
        if (!this.speaksAnew(operand, elsewhere)) return undefined;
        continue;
      }
      const { id } = operand.symbol;
      if (met[id] === alone) repeats++;
      else if (met[id] === elsewhere) return undefined;
      else met[id] = alone;
    }
    if (repeats === 0) return expr;
    // Constants would go as well.
    if (this.hasMet(this.c.no) || this.hasMet(this.c.mod) || this.hasMet(this.c.yes)) return undefined;
    return this.withoutEarlier(expr, alone, repeats);
  }

  private hasMet({ id }: KSymbol): boolean {
    return this.met[id]! >= this.round;
  }

  private withoutEarlier({ kind, operands }: Extract<Expr, { kind: 'and' | 'or' }>, alone: number, repeats: number): Expr {
    const kept = new Array<Expr>(operands.length - repeats);
    let to = kept.length;
    for (let at = operands.length - 1; at >= 0; at--) {
      const operand = operands[at]!;
      if (operand.kind === 'symbol') {
        const { id } = operand.symbol;
        if (this.met[id] !== alone) continue;
        this.met[id] = 0;
      }
      kept[--to] = operand;
    }
    return joined(kind, kept);
  }

  /** True where an operand speaks of symbols that were not met in this round; they are from now on. */
  private speaksAnew(expr: Expr, round: number): boolean {
    switch (expr.kind) {
      case 'symbol':
        return this.isNew(expr.symbol, round);
      case 'compare':
        return this.isNew(expr.left, round);
      case 'not':
        return expr.operand.kind === 'symbol' && this.isNew(expr.operand.symbol, round);
      case 'and':
      case 'or':
        for (let at = 0; at < expr.operands.length; at++) if (!this.speaksAnew(expr.operands[at]!, round)) return false;
        return true;
    }
  }

  private isNew({ id }: KSymbol, round: number): boolean {
    if (this.met[id]! >= round) return false;
    this.met[id] = round;
    return true;
  }

  private readonly toBool = (expr: Expr): Expr => this.forBool(expr)!;
  private readonly toTransformed = (expr: Expr): Expr => this.transformed(expr);

  /** `X != n` for a tristate X in the condition of something that is none. */
  forBool(expr: Expr | undefined): Expr | undefined {
    if (!expr) return undefined;
    switch (expr.kind) {
      case 'and':
      case 'or':
        return mapped(expr, this.toBool);
      case 'not': {
        const operand = this.forBool(expr.operand)!;
        return operand === expr.operand ? expr : { kind: 'not', operand };
      }
      case 'compare':
        return expr.operator === '!=' && expr.left.type === 'tristate' && expr.right === this.c.no ? symbolExpr(expr.left) : expr;
      default:
        return expr;
    }
  }

  /** Rewrites every symbol as a comparison: what holds exactly when `expr` is (or is not) `value`. */
  compared(expr: Expr | undefined, operator: '=' | '!=', value: KSymbol): Expr {
    const negate = (inner: Expr): Expr => (operator === '!=' ? { kind: 'not', operand: inner } : inner);
    if (!expr) return negate(symbolExpr(value));
    switch (expr.kind) {
      case 'symbol':
        return compareExpr(operator, expr.symbol, value);
      case 'not':
        return this.compared(expr.operand, operator === '=' ? '!=' : '=', value);
      case 'compare': {
        const holds = (operator === '=') === (value === this.c.yes);
        return holds ? expr : { kind: 'not', operand: expr };
      }
      case 'and':
      case 'or': {
        const kind = (expr.kind === 'and') === (value === this.c.yes) ? 'and' : 'or';
        return negate(
          joined(
            kind,
            expr.operands.map((operand) => this.compared(operand, '=', value)),
          ),
        );
      }
    }
  }

  /** Takes away the operands that two expressions share. */
  withoutCommon(a: Expr, b: Expr): readonly [Expr, Expr] {
    let pair: readonly [Expr, Expr] = [a, b];
    if (a.kind === 'and' || a.kind === 'or') pair = this.cancel(a.kind, ...pair);
    if (a.kind !== b.kind && (b.kind === 'and' || b.kind === 'or')) pair = this.cancel(b.kind, ...pair);
    return [this.withoutConstants(pair[0]), this.withoutConstants(pair[1])];
  }

  isYes(expr: Expr): boolean {
    return expr.kind === 'symbol' && expr.symbol === this.c.yes;
  }

  private transformed(expr: Expr): Expr {
    switch (expr.kind) {
      case 'symbol':
        return expr;
      case 'and':
      case 'or':
        return mapped(expr, this.toTransformed);
      case 'compare':
        return this.transformedCompare(expr);
      case 'not':
        return this.negated(this.transformed(expr.operand), expr);
    }
  }

  private transformedCompare(expr: Extract<Expr, { kind: 'compare' }>): Expr {
    const { left, right, operator } = expr;
    if (left.type !== 'bool' || (operator !== '=' && operator !== '!=')) return expr;
    const equal = operator === '=';
    if (right === this.c.mod) {
      this.testedForM(left, equal ? 'n' : 'y');
      return symbolExpr(equal ? this.c.no : this.c.yes);
    }
    if (right !== this.c.no && right !== this.c.yes) return expr;
    return equal === (right === this.c.yes) ? symbolExpr(left) : { kind: 'not', operand: symbolExpr(left) };
  }

  private negated(operand: Expr, original: Expr): Expr {
    switch (operand.kind) {
      case 'not':
        return this.transformed(operand.operand);
      case 'compare': {
        const opposite: Readonly<Record<Comparison, Comparison>> = { '=': '!=', '!=': '=', '<': '>=', '>=': '<', '>': '<=', '<=': '>' };
        return compareExpr(opposite[operand.operator], operand.left, operand.right);
      }
      case 'and':
      case 'or':
        return joined(
          operand.kind === 'and' ? 'or' : 'and',
          operand.operands.map((inner) => this.transformed({ kind: 'not', operand: inner })),
        );
      case 'symbol':
        if (operand.symbol === this.c.yes) return symbolExpr(this.c.no);
        if (operand.symbol === this.c.no) return symbolExpr(this.c.yes);
        if (operand.symbol === this.c.mod) return operand;
        return original.kind === 'not' && original.operand === operand ? original : { kind: 'not', operand };
    }
  }

  private withoutConstants(expr: Expr): Expr {
    if (expr.kind !== 'and' && expr.kind !== 'or') return expr;
    const { yes, no } = this.c;
    const absorbing = expr.kind === 'and' ? no : yes;
    const neutral = expr.kind === 'and' ? yes : no;
    const kept: Expr[] = [];
    for (const each of expr.operands) {
      const operand = this.withoutConstants(each);
      const symbol = operand.kind === 'symbol' ? operand.symbol : undefined;
      if (symbol === absorbing) return symbolExpr(absorbing);
      if (symbol !== neutral) kept.push(operand);
    }
    return kept.length === 0 ? symbolExpr(neutral) : joined(expr.kind, kept.slice());
  }

  private cancel(kind: 'and' | 'or', a: Expr, b: Expr): readonly [Expr, Expr] {
    const left = a.kind === kind ? [...a.operands] : [a];
    const right = b.kind === kind ? [...b.operands] : [b];
    const gone = symbolExpr(kind === 'and' ? this.c.yes : this.c.no);
    for (let i = 0; i < left.length; i++) {
      for (let j = 0; j < right.length; j++) {
        const one = left[i]!;
        const other = right[j]!;
        if (one.kind === 'symbol' && (one.symbol === this.c.yes || one.symbol === this.c.no)) continue;
        if (!this.equal(one, other)) continue;
        left[i] = gone;
        right[j] = gone;
      }
    }
    return [joined(kind, left), joined(kind, right)];
  }

  private equal(a: Expr, b: Expr): boolean {
    if (a === b) return true;
    if (a.kind !== b.kind) return false;
    switch (a.kind) {
      case 'symbol':
        return b.kind === 'symbol' && a.symbol === b.symbol;
      case 'not':
        return b.kind === 'not' && this.equal(a.operand, b.operand);
      case 'compare':
        return b.kind === 'compare' && a.operator === b.operator && a.left === b.left && a.right === b.right;
      case 'and':
      case 'or': {
        if (this.speakOfOthers(a, b)) return false;
        const [x, y] = this.withoutCommon(a, b);
        return x.kind === 'symbol' && y.kind === 'symbol' && x.symbol === y.symbol;
      }
    }
  }

  /**
   * True where one chain speaks of a symbol that the other does not, and no constants could make up for it: cancelling out what they share would take far
   * longer to tell.
   */
  private speakOfOthers(a: Expr, b: Expr): boolean {
    const round = (this.round += 2);
    const inB = this.countMarked(b, 0, round);
    if (inB < 0) return false;
    const inBoth = this.countMarked(a, round, round + 1);
    return inBoth !== inB && inBoth !== constantMet;
  }

  /**
   * Marks the symbols that an expression speaks of, and counts them once each.
   * @param from the mark they must have by now; 0 where none is asked for.
   */
  private countMarked(expr: Expr, from: number, mark: number): number {
    switch (expr.kind) {
      case 'symbol':
        return this.marked(expr.symbol, from, mark);
      case 'compare':
        return this.marked(expr.left, from, mark);
      case 'not':
        return this.countMarked(expr.operand, from, mark);
      case 'and':
      case 'or': {
        let count = 0;
        for (let at = 0; at < expr.operands.length; at++) {
          const more = this.countMarked(expr.operands[at]!, from, mark);
          if (more < 0) return more;
          count += more;
        }
        return count;
      }
    }
  }

  private marked(symbol: KSymbol, from: number, mark: number): number {
    const { yes, no, mod } = this.c;
    if (symbol === yes || symbol === no || symbol === mod) return constantMet;
    const before = this.met[symbol.id]!;
    if (before === mark) return 0;
    if (from !== 0 && before !== from) return unmarkedMet;
    this.met[symbol.id] = mark;
    return 1;
  }

  private joinLevel(expr: Extract<Expr, { kind: 'and' | 'or' }>): Expr {
    if (this.settled.has(expr)) return expr;
    const { kind } = expr;
    const before = this.joins;
    const operands = [...expr.operands];
    const neutral = symbolExpr(kind === 'and' ? this.c.yes : this.c.no);
    for (let i = 0; i < operands.length; i++) {
      for (let j = 0; j < operands.length; j++) {
        if (i === j) continue;
        const one = operands[i]!;
        if (one.kind === 'and' || one.kind === 'or') operands[i] = this.joinLevel(one);
        const join = this.join(kind, operands[i]!, operands[j]!);
        if (!join) continue;
        operands[i] = neutral;
        operands[j] = join;
        this.joins++;
      }
    }
    if (this.joins > before) return { kind, operands };
    this.settled.add(expr);
    return expr;
  }

  /** One expression equal to `a && b` or `a || b`, where a simple one is known. */
  private join(kind: 'and' | 'or', a: Expr, b: Expr): Expr | undefined {
    if (this.equal(a, b)) return a;
    const symbol = literalOf(a);
    if (!symbol || symbol !== literalOf(b) || !symbol.isBoolean) return undefined;
    // A negated comparison stands only on the left.
    if (b.kind === 'not' && b.operand.kind !== 'symbol') return undefined;
    return kind === 'and' ? this.joinAnd(a, b, symbol) : this.joinOr(a, b, symbol);
  }

  private joinOr(a: Expr, b: Expr, symbol: KSymbol): Expr | undefined {
    const { yes, mod, no } = this.c;
    if (symbol.type === 'tristate') {
      const pair = comparedPair(a, b, '=', '=');
      if (!pair) return undefined;
      const rest = [no, mod, yes].filter((value) => !pair.includes(value));
      return pair.every((value) => value === yes || value === mod || value === no) && rest.length === 1
        ? compareExpr('!=', symbol, rest[0]!)
        : undefined;
    }
    const opposite = (x: Expr, y: Expr): boolean => x.kind === 'not' && x.operand.kind === 'symbol' && y.kind === 'symbol';
    return opposite(a, b) || opposite(b, a) ? symbolExpr(yes) : undefined;
  }

  private joinAnd(a: Expr, b: Expr, symbol: KSymbol): Expr | undefined {
    const { yes, mod, no } = this.c;
    const [plain, test] = a.kind === 'symbol' ? [a, b] : [b, a];
    if (plain.kind === 'symbol' && test.kind === 'compare') {
      if (test.operator === '=' && test.right === yes) return compareExpr('=', symbol, yes);
      if (test.operator === '!=' && test.right === no) return symbolExpr(symbol);
      if (test.operator === '!=' && test.right === mod) return compareExpr('=', symbol, yes);
      return undefined;
    }
    if (symbol.type !== 'tristate') return undefined;
    const mixed = comparedPair(a, b, '=', '!=') ?? comparedPair(b, a, '=', '!=');
    if (mixed) {
      const [is, isNot] = mixed;
      if (!is.isConstant || !isNot.isConstant) return undefined;
      return is === isNot ? symbolExpr(no) : compareExpr('=', symbol, is);
    }
    const pair = comparedPair(a, b, '!=', '!=');
    if (!pair || pair[0] === pair[1]) return undefined;
    const rest = [no, mod, yes].filter((value) => !pair.includes(value));
    return rest.length === 1 ? compareExpr('=', symbol, rest[0]!) : undefined;
  }
}

/** The symbol of `S`, `!S`, `S = x`, `S != x` and `!(S = x)`. */
function literalOf(expr: Expr): KSymbol | undefined {
  if (expr.kind === 'symbol') return expr.symbol;
  if (expr.kind === 'compare') return expr.operator === '=' || expr.operator === '!=' ? expr.left : undefined;
  return expr.kind === 'not' && expr.operand.kind !== 'not' ? literalOf(expr.operand) : undefined;
}

function comparedPair(a: Expr, b: Expr, first: Comparison, second: Comparison): readonly [KSymbol, KSymbol] | undefined {
  return a.kind === 'compare' && b.kind === 'compare' && a.operator === first && b.operator === second ? [a.right, b.right] : undefined;
}
