/** Computes the values of symbols from one another, each when it is first asked for, as `conf` computes them. */
import { type Diagnostic } from './diagnostics';
import { EvaluationState, triText } from './evaluation-state';
import { type Expr } from './expression';
import { type KSymbol, type MenuNode, type Property, type SymbolType, type Tri } from './model';
import { clampToRange, rangeBounds } from './range';
import { unmetDependency } from './unmet';
import { compareValues } from './values';

/** Within a loop of dependencies, symbols deeper than this count as n or empty. */
const deepestLoop = 500;

/** Values that can be read. */
export abstract class Computation extends EvaluationState {
  /** A bool's or tristate's value; n for all other types. */
  tri(symbol: KSymbol): Tri {
    this.compute(symbol);
    return this.tris[symbol.id] as Tri;
  }

  /** The value as text: n, m, y, a number or a string. */
  text(symbol: KSymbol): string {
    this.compute(symbol);
    if (!symbol.isBoolean) return this.texts[symbol.id]!;
    const value = this.tris[symbol.id] as Tri;
    return value === 1 && !symbol.isConstant && !this.modules() ? 'n' : triText(value);
  }

  /** Whether and how far the user may set the symbol: n (not at all), m or y. */
  visibility(symbol: KSymbol): Tri {
    this.compute(symbol);
    return this.visible[symbol.id] as Tri;
  }

  directDependency(symbol: KSymbol): Tri {
    this.compute(symbol);
    return this.direct[symbol.id] as Tri;
  }

  reverseDependency(symbol: KSymbol): Tri {
    this.compute(symbol);
    return this.reverse[symbol.id] as Tri;
  }

  impliedValue(symbol: KSymbol): Tri {
    this.compute(symbol);
    return this.weak[symbol.id] as Tri;
  }

  /** True where the symbol belongs into .config. */
  isWritten(symbol: KSymbol): boolean {
    this.compute(symbol);
    return this.written[symbol.id] === 1;
  }

  /** The member of a choice that is y. */
  selection(choice: KSymbol): KSymbol | undefined {
    this.compute(choice);
    return this.tris[choice.id] === 2 ? this.picked.get(choice) : undefined;
  }

  /** True where a user may change the value. */
  isChangeable(symbol: KSymbol): boolean {
    this.compute(symbol);
    return this.visible[symbol.id]! > this.reverse[symbol.id]!;
  }

  /** A tristate without modules is a bool. */
  typeOf(symbol: KSymbol): SymbolType {
    return symbol.type === 'tristate' && !this.modules() ? 'bool' : symbol.type;
  }

  /** Whether an entry shows in a menu. */
  isNodeVisible(node: MenuNode): boolean {
    const { prompt, symbol } = node;
    if (!prompt) return false;
    if (node.visibility && this.evaluate(node.visibility) === 0) return false;
    if (symbol) this.compute(symbol);
    if (this.condition(prompt) !== 0) return true;
    if (!symbol || this.tri(symbol) === 0) return false;
    return node.children.some((child) => this.isNodeVisible(child));
  }

  /** The value of a condition; undefined is y. */
  evaluate(expr: Expr | undefined): Tri {
    if (!expr) return 2;
    switch (expr.kind) {
      case 'symbol':
        if (!this.valid[expr.symbol.id]) this.compute(expr.symbol);
        return this.tris[expr.symbol.id] as Tri;
      case 'not':
        return (2 - this.evaluate(expr.operand)) as Tri;
      case 'and': {
        let value: Tri = 2;
        const { operands } = expr;
        for (let at = 0; at < operands.length; at++) {
          const one = this.evaluate(operands[at]);
          if (one < value) value = one;
          // While somebody listens, all is computed in the engine's order, which is the order of its messages.
          if (value === 0 && !this.onMessage) break;
        }
        return value;
      }
      case 'or': {
        let value: Tri = 0;
        const { operands } = expr;
        for (let at = 0; at < operands.length; at++) {
          const one = this.evaluate(operands[at]);
          if (one > value) value = one;
          if (value === 2 && !this.onMessage) break;
        }
        return value;
      }
      case 'compare': {
        const { left, right } = expr;
        const order = compareValues(this.text(left), left.type, this.text(right), right.type);
        return holds(expr.operator, order) ? 2 : 0;
      }
    }
  }

  /** The value of a property's condition. */
  condition(property: Property): Tri {
    return this.evaluate(property.condition);
  }

  /** The default that applies, or undefined. */
  activeDefault(symbol: KSymbol): Property | undefined {
    const { defaults } = symbol;
    for (let at = 0; at < defaults.length; at++) if (this.condition(defaults[at]!) !== 0) return defaults[at];
    return undefined;
  }

  /** The range that applies, or undefined. */
  activeRange(symbol: KSymbol): Property | undefined {
    return symbol.ranges.find((property) => this.condition(property) !== 0);
  }

  // Computing

  protected modules(): boolean {
    const { modules } = this.model;
    if (!modules) return false;
    if (!this.valid[modules.id]) this.compute(modules);
    return this.modulesOn;
  }

  protected compute(symbol: KSymbol): void {
    const { id } = symbol;
    if (this.valid[id] || this.recursion > deepestLoop) return;
    this.valid[id] = 1;
    this.recursion++;
    this.computeValue(symbol, id);
    this.recursion--;
  }

  protected computeValue(symbol: KSymbol, id: number): void {
    if (symbol.isConstant || symbol.type === 'unknown') {
      this.texts[id] = symbol.label;
      if (symbol.isChoice && this.dialect.engine === 'kconfiglib') {
        // A choice without a type is half on for the library.
        this.computeVisibility(symbol);
        this.tris[id] = Math.min(1, this.visible[id]!);
        return;
      }
      this.tris[id] = symbol === this.model.yes ? 2 : symbol === this.model.mod ? 1 : 0;
      return;
    }
    this.written[id] = 0;
    this.computeVisibility(symbol);
    if (this.visible[id]) this.written[id] = 1;
    // What the symbol reads of itself through a loop.
    this.tris[id] = 0;
    this.texts[id] = '';
    if (symbol.isBoolean) this.computeTri(symbol);
    else this.computeText(symbol);
    if (symbol === this.model.modules) this.modulesOn = this.tris[id] !== 0;
    if (symbol.noWrite) this.written[id] = 0;
  }

  protected computeVisibility(symbol: KSymbol): void {
    const { id, choice } = symbol;
    let value: number = 0;
    const { prompts } = symbol;
    for (let at = 0; at < prompts.length; at++) {
      let visible = this.evaluate(prompts[at]!.condition);
      if (choice && symbol.type === 'tristate' && visible === 1 && this.tris[choice.id] === 2) visible = 0;
      value = Math.max(value, visible);
    }
    this.visible[id] = this.promoted(value, symbol.type !== 'tristate');
    if (choice) return;
    const bool = symbol.type === 'bool' || (symbol.type === 'tristate' && !this.modules());
    this.direct[id] = this.promoted(this.evaluate(symbol.directDependency), bool);
    this.reverse[id] = symbol.reverseDependency ? this.promoted(this.evaluate(symbol.reverseDependency), bool) : 0;
    const counts = symbol.implied && (!this.dialect.implyNeedsDependencies || this.direct[id] !== 0);
    this.weak[id] = counts ? this.promoted(this.evaluate(symbol.implied), bool) : 0;
  }

  /** m is y for what cannot be m. */
  protected promoted(value: number, bool: boolean): number {
    return value === 1 && (bool || !this.modules()) ? 2 : value;
  }

  protected computeTri(symbol: KSymbol): void {
    const { id, choice } = symbol;
    if (choice && this.visible[id] === 2) {
      this.compute(choice);
      this.tris[id] = this.tris[choice.id] === 2 && this.picked.get(choice) === symbol ? 2 : 0;
      return;
    }
    let value = 0;
    if (symbol.isChoice && this.dialect.choiceByPriority) value = this.visible[id]!;
    else if (this.visible[id] && this.hasUser[id]) value = this.unmetChecked(symbol, Math.min(this.userTris[id]!, this.visible[id]));
    else {
      if (this.reverse[id]) this.written[id] = 1;
      if (!symbol.isChoice) value = this.defaultTri(symbol);
      value = this.unmetChecked(symbol, value);
    }
    if (value === 1 && (this.typeOf(symbol) === 'bool' || (this.dialect.implyForcesYes && this.weak[id] === 2))) value = 2;
    this.tris[id] = value;
    if (symbol.isChoice && value === 2) this.pick(symbol);
  }

  protected defaultTri(symbol: KSymbol): number {
    const { id } = symbol;
    let value = 0;
    const property = this.activeDefault(symbol);
    if (property) {
      value = Math.min(this.evaluate(property.value), this.condition(property));
      if (value) this.written[id] = 1;
    }
    if (this.weak[id]) {
      this.written[id] = 1;
      value = Math.max(value, this.weak[id]);
      if (!this.dialect.implyNeedsDependencies) value = Math.min(value, this.direct[id]!);
    }
    return value;
  }

  protected unmetChecked(symbol: KSymbol, value: number): number {
    const { id } = symbol;
    if (this.direct[id]! < this.reverse[id]! && !symbol.isChoice && this.onMessage) this.onMessage(unmetDependency(this, symbol));
    return Math.max(value, this.reverse[id]!);
  }

  protected pick(choice: KSymbol): void {
    let all = this.hasUser[choice.id]!;
    for (const member of choice.members) {
      this.computeVisibility(member);
      if (this.visible[member.id]) all &= this.hasUser[member.id]!;
    }
    if (this.dialect.choiceByPriority) {
      this.picked.set(choice, this.pickByPriority(choice));
      return;
    }
    if (this.dialect.engine === 'c' && !all && this.hasUser[choice.id]) {
      this.hasUser[choice.id] = 0;
      if (choice.optional || choice.type === 'tristate') this.unsettled.add(choice);
    }
    const wanted = this.userPicked.get(choice);
    const member = wanted && this.visible[wanted.id] ? wanted : this.defaultPick(choice);
    this.picked.set(choice, member);
    if (!member && this.dialect.engine === 'c') this.tris[choice.id] = 0;
  }

  /** The member that is y when the user has not chosen: the first default that shows, else the first member that does. */
  defaultPick(choice: KSymbol): KSymbol | undefined {
    for (const property of choice.defaults) {
      if (this.condition(property) !== 0 && property.target && this.visible[property.target.id]) return property.target;
    }
    return choice.members.find((member) => this.visible[member.id]);
  }

  protected pickByPriority(choice: KSymbol): KSymbol | undefined {
    const order = this.priorityOf(choice);
    const shown = (member: KSymbol): boolean => this.visible[member.id] !== 0;
    const chosen = order.find((member) => shown(member) && this.hasUser[member.id] && this.userTris[member.id] === 2);
    if (chosen) return chosen;
    const usual = this.defaultPick(choice);
    if (usual && !this.hasUser[usual.id]) return usual;
    const open = choice.members.find((member) => shown(member) && !this.hasUser[member.id]);
    return open ?? [...order].reverse().find(shown);
  }

  protected computeText(symbol: KSymbol): void {
    const { id } = symbol;
    const number = symbol.type !== 'string';
    let text = number && this.dialect.zeroForEmptyNumber ? (symbol.type === 'hex' ? '0x0' : '0') : '';
    let given = this.visible[id] !== 0 && this.hasUser[id] === 1;
    if (given && this.dialect.outOfRange === 'ignore' && number) given = this.userInRange(symbol);
    let property: Property | undefined;
    if (given) text = this.userTexts[id] ?? '';
    else {
      property = this.activeDefault(symbol);
      const source = property?.value?.kind === 'symbol' ? property.value.symbol : undefined;
      if (source) {
        this.written[id] = 1;
        text = this.text(source);
      }
    }
    this.texts[id] = text;
    if (!number) return;
    const clamped = clampToRange(this, symbol, text);
    if (clamped === undefined) return;
    if (given && this.dialect.outOfRange === 'ignore') return;
    if (property && this.dialect.outOfRange === 'ignore') this.reportClamp(symbol, text, clamped);
    this.texts[id] = clamped;
  }

  protected userInRange(symbol: KSymbol): boolean {
    const bounds = rangeBounds(this, symbol);
    const text = this.userTexts[symbol.id] ?? '';
    if (!bounds) return true;
    const value = bounds.read(text);
    if (value >= bounds.low && value <= bounds.high) return true;
    const { lowText, highText } = bounds;
    this.onMessage?.(
      libraryMessage(
        `user value ${bounds.print(value)} on the ${symbol.type} symbol ${placeOf(symbol)} ignored due to being outside the active range ` +
          `([${lowText}, ${highText}]) -- falling back on defaults`,
      ),
    );
    return false;
  }

  protected reportClamp(symbol: KSymbol, text: string, clamped: string): void {
    const bounds = rangeBounds(this, symbol);
    if (!bounds) return;
    this.onMessage?.(
      libraryMessage(
        `default value ${bounds.read(text)} on ${placeOf(symbol)} clamped to ${clamped} due to being outside the active range ` +
          `([${bounds.lowText}, ${bounds.highText}])`,
      ),
    );
  }
}

function placeOf(symbol: KSymbol): string {
  return `${symbol.label} (defined at ${symbol.nodes.map((node) => `${node.file}:${node.line}`).join(', ')})`;
}

function libraryMessage(message: string): Diagnostic {
  return { code: 'kconfiglib', severity: 'warning', message, printed: `warning: ${message}\n`, channel: 'stderr' };
}

function holds(operator: string, order: number): boolean {
  switch (operator) {
    case '=':
      return order === 0;
    case '!=':
      return order !== 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    default:
      return order >= 0;
  }
}
