/** The values of one configuration: computed as `conf` computes them, and kept up to date by carrying each change only where it matters. */
import { type Dialect } from './dialect';
import { type Diagnostic } from './diagnostics';
import { type Expr } from './expression';
import { graphOf, scopeOf, type DependencyGraph } from './graph';
import { type KSymbol, type MenuNode, type Model, type Property, type SymbolType, type Tri } from './model';
import { clampToRange, rangeBounds } from './range';
import { compareValues, isNumberText } from './values';
import { unmetDependency } from './unmet';

const letters = ['n', 'm', 'y'] as const;

/** `n`, `m` or `y`. */
export function triText(value: Tri): 'n' | 'm' | 'y' {
  return letters[value];
}

/** The tristate of a text's first letter, or undefined. */
export function triOf(text: string): Tri | undefined {
  switch (text[0]) {
    case 'y':
    case 'Y':
      return 2;
    case 'm':
    case 'M':
      return 1;
    case 'n':
    case 'N':
      return 0;
    default:
      return undefined;
  }
}

/** A user's value for a symbol. */
export type UserValue = Tri | string;

/** What one symbol was before a change; compare with its present state. */
export interface Change {
  readonly symbol: KSymbol;
  readonly before: string;
  readonly after: string;
  readonly visibleBefore: Tri;
  readonly visibleAfter: Tri;
}

/** A chain of dependencies longer than this is computed bottom up, so that it cannot exhaust the stack. */
const deepestRecursion = 250;
/** Within a loop of dependencies, symbols deeper than this count as n or empty. */
const deepestLoop = 500;

/** One configuration of a model. */
export class Evaluation {
  readonly dialect: Dialect;
  private readonly valid: Uint8Array;
  private readonly written: Uint8Array;
  private readonly tris: Uint8Array;
  private readonly texts: string[];
  private readonly visible: Uint8Array;
  private readonly direct: Uint8Array;
  private readonly reverse: Uint8Array;
  private readonly weak: Uint8Array;
  private readonly hasUser: Uint8Array;
  private readonly userTris: Uint8Array;
  private readonly userTexts: (string | undefined)[];
  private readonly picked = new Map<KSymbol, KSymbol | undefined>();
  private readonly userPicked = new Map<KSymbol, KSymbol>();
  /** Members by the recency of their assignment, newest first (dialects that pick by priority). */
  private readonly priority = new Map<KSymbol, KSymbol[]>();
  /** The graph's units that are to be computed by the next `settle`; made with the graph, at the first change. */
  private dirty: Uint8Array | undefined;
  private firstDirty = 0;
  /** Where set, only these of the graph's units are kept up to date. */
  private scope: Uint8Array | undefined;
  /** Choices that lost their user's value while they were computed: `conf` sees that at its next computation. */
  private readonly unsettled = new Set<KSymbol>();
  private modulesOn = false;
  private recursion = 0;
  private onMessage: ((diagnostic: Diagnostic) => void) | undefined;

  constructor(
    readonly model: Model,
    from?: Evaluation,
  ) {
    this.dialect = model.dialect;
    const count = model.symbols.length;
    const bytes = (key: Uint8Array | undefined): Uint8Array => (key ? key.slice() : new Uint8Array(count));
    this.valid = bytes(from?.valid);
    this.written = bytes(from?.written);
    this.tris = bytes(from?.tris);
    this.texts = from ? from.texts.slice() : new Array<string>(count).fill('');
    this.visible = bytes(from?.visible);
    this.direct = bytes(from?.direct);
    this.reverse = bytes(from?.reverse);
    this.weak = bytes(from?.weak);
    this.hasUser = bytes(from?.hasUser);
    this.userTris = bytes(from?.userTris);
    this.userTexts = from ? from.userTexts.slice() : new Array<string | undefined>(count).fill(undefined);
    if (from) {
      for (const [choice, member] of from.picked) this.picked.set(choice, member);
      for (const [choice, member] of from.userPicked) this.userPicked.set(choice, member);
      for (const [choice, members] of from.priority) this.priority.set(choice, [...members]);
      for (const choice of from.unsettled) this.unsettled.add(choice);
      this.modulesOn = from.modulesOn;
      this.scope = from.scope;
    }
  }

  /** An independent copy, which may be changed to see what would happen. */
  fork(): Evaluation {
    return new Evaluation(this.model, this);
  }

  /**
   * An independent copy in which only one symbol's value and all that it is computed from is kept up to date by changes: whoever tries many
   * changes for the sake of one symbol need not pay for all the others.
   */
  forkFor(symbol: KSymbol): Evaluation {
    const copy = this.fork();
    copy.scope = scopeOf(this.model, symbol);
    return copy;
  }

  /** Receives what the engine prints while it computes (unmet dependencies). */
  listen(listener: ((diagnostic: Diagnostic) => void) | undefined): void {
    this.onMessage = listener;
  }

  // Reading

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

  /** The value the user gave, whether or not it has effect. */
  userValue(symbol: KSymbol): UserValue | undefined {
    if (!this.hasUser[symbol.id]) return undefined;
    return symbol.isBoolean || symbol.isChoice ? (this.userTris[symbol.id] as Tri) : this.userTexts[symbol.id];
  }

  hasUserValue(symbol: KSymbol): boolean {
    return this.hasUser[symbol.id] === 1;
  }

  /** The member of a choice that is y. */
  selection(choice: KSymbol): KSymbol | undefined {
    this.compute(choice);
    return this.tris[choice.id] === 2 ? this.picked.get(choice) : undefined;
  }

  /** A text that is equal for two configurations exactly when their users' values are. */
  userKey(): string {
    const parts: string[] = [];
    for (const { id, isBoolean } of this.model.symbols) {
      if (this.hasUser[id]) parts.push(`${id}=${isBoolean ? this.userTris[id] : this.userTexts[id]}`);
    }
    for (const [choice, member] of this.userPicked) parts.push(`${choice.id}>${member.id}`);
    for (const [choice, members] of this.priority) parts.push(`${choice.id}:${members.map(({ id }) => id).join('.')}`);
    return parts.join(' ');
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
        this.compute(expr.symbol);
        return this.tris[expr.symbol.id] as Tri;
      case 'not':
        return (2 - this.evaluate(expr.operand)) as Tri;
      case 'and': {
        let value: Tri = 2;
        for (const operand of expr.operands) {
          const one = this.evaluate(operand);
          if (one < value) value = one;
          // While somebody listens, all is computed in the engine's order, which is the order of its messages.
          if (value === 0 && !this.onMessage) break;
        }
        return value;
      }
      case 'or': {
        let value: Tri = 0;
        for (const operand of expr.operands) {
          const one = this.evaluate(operand);
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
    return symbol.defaults.find((property) => this.condition(property) !== 0);
  }

  /** The range that applies, or undefined. */
  activeRange(symbol: KSymbol): Property | undefined {
    return symbol.ranges.find((property) => this.condition(property) !== 0);
  }

  // Changing

  /** Computes everything, in the order in which `conf` would come to it. */
  computeAll(): void {
    this.computeDeep();
    if (this.model.modules) this.compute(this.model.modules);
    for (const symbol of this.model.hashOrder) this.compute(symbol);
  }

  private get graph(): DependencyGraph {
    return graphOf(this.model);
  }

  /** Computes bottom up what would be too deep to be computed when it is asked for. */
  private computeDeep(): void {
    const { longestChain } = this.model;
    if (longestChain !== undefined && longestChain <= deepestRecursion) return;
    if (this.graph.depth <= deepestRecursion) return;
    for (const unit of this.graph.units) for (const symbol of unit.members) this.compute(symbol);
  }

  /** Forgets all computed values; user values stay. */
  invalidateAll(): void {
    this.valid.fill(0);
    this.unsettled.clear();
    this.computeDeep();
    if (this.model.modules) this.compute(this.model.modules);
  }

  /** False where choices lost their user's value while they were computed, which shows when they are computed again. */
  get isSettled(): boolean {
    return this.unsettled.size === 0;
  }

  /** Forgets one symbol's computed value and, unlike a change, leaves all that was computed from it. */
  invalidateOnly(symbol: KSymbol): void {
    this.valid[symbol.id] = 0;
  }

  /** Gives or takes a user's value without any check and without computing; call `touch` and `settle` after. */
  putUser(symbol: KSymbol, value: UserValue | undefined): void {
    const { id } = symbol;
    this.hasUser[id] = value === undefined ? 0 : 1;
    if (typeof value === 'number') this.userTris[id] = value;
    else if (value !== undefined) this.userTexts[id] = value;
    else this.userTris[id] = 0;
  }

  /** Counts what was read for a choice as the user's value again. */
  markUser(choice: KSymbol): void {
    this.hasUser[choice.id] = 1;
  }

  /** The user's pick of a choice. */
  putPick(choice: KSymbol, member: KSymbol | undefined): void {
    if (member) this.userPicked.set(choice, member);
    else this.userPicked.delete(choice);
  }

  /** Moves a member of a choice to the front of those assigned. */
  promote(member: KSymbol): void {
    const { choice } = member;
    if (!choice) return;
    const order = this.priorityOf(choice).filter((other) => other !== member);
    order.unshift(member);
    this.priority.set(choice, order);
  }

  /** Takes all user values away. */
  clearUser(): void {
    this.hasUser.fill(0);
    this.userTris.fill(0);
    this.userTexts.fill(undefined);
    this.userPicked.clear();
    this.priority.clear();
  }

  /** Whether a menu would take the value. */
  accepts(symbol: KSymbol, text: string): boolean {
    this.compute(symbol);
    if (symbol.isBoolean) {
      const value = triOf(text);
      return value !== undefined && this.acceptsTri(symbol, value);
    }
    if (!isNumberText(symbol.type, text, this.dialect) && symbol.type !== 'string') return false;
    if (symbol.type === 'unknown') return false;
    const bounds = rangeBounds(this, symbol);
    if (!bounds) return true;
    const value = bounds.read(text);
    return value >= bounds.low && value <= bounds.high;
  }

  /**
   * Sets a value as a menu does. Undefined where it is refused; else all symbols whose value or visibility changed.
   * `n` for a member of a choice is refused, as choosing another member is the way.
   */
  set(symbol: KSymbol, text: string): readonly Change[] | undefined {
    this.compute(symbol);
    if (symbol.isBoolean) {
      const value = triOf(text);
      return value === undefined ? undefined : this.setTri(symbol, value);
    }
    if (!this.accepts(symbol, text)) return undefined;
    const value = symbol.type === 'hex' && !/^0[xX]/.test(text) && this.dialect.engine === 'c' ? `0x${text}` : text;
    if (this.hasUser[symbol.id] && this.userTexts[symbol.id] === value) return [];
    this.putUser(symbol, value);
    this.touch(symbol);
    return this.settle();
  }

  /** Takes a user's value away, so that the default applies again. */
  reset(symbol: KSymbol): readonly Change[] {
    this.compute(symbol);
    this.putUser(symbol, undefined);
    const { choice } = symbol;
    if (choice && this.userPicked.get(choice) === symbol) this.userPicked.delete(choice);
    this.touch(symbol);
    return this.settle();
  }

  /** Makes ready for changes; the first one would else wait until the dependency graph is made. */
  prepare(): void {
    this.dirty ??= new Uint8Array(this.graph.units.length);
  }

  /** Marks a symbol for computing by the next `settle`. */
  touch(symbol: KSymbol): void {
    this.touchUnit(this.graph.unitOf[symbol.id]!);
  }

  /** Computes what was touched and all that follows from it, but nothing whose inputs stayed the same. */
  settle(): readonly Change[] {
    for (const choice of this.unsettled) this.touch(choice);
    this.unsettled.clear();
    const changes: Change[] = [];
    const { dirty, scope } = this;
    if (!dirty) return changes;
    const { units } = this.graph;
    for (let at = this.firstDirty; at < units.length; at++) {
      if (!dirty[at]) continue;
      dirty[at] = 0;
      if (scope && !scope[at]) continue;
      if (this.recompute(units[at]!.members, changes)) for (const user of units[at]!.users) this.touchUnit(user);
    }
    this.firstDirty = units.length;
    return changes;
  }

  private touchUnit(unit: number): void {
    this.dirty ??= new Uint8Array(this.graph.units.length);
    this.dirty[unit] = 1;
    if (unit < this.firstDirty) this.firstDirty = unit;
  }

  /** Computes the symbols of a unit anew; true where a value changed. */
  private recompute(members: readonly KSymbol[], changes: Change[]): boolean {
    if (members.length === 1) return this.recomputeOne(members[0]!, changes);
    const before = members.map((symbol) => {
      const { id } = symbol;
      return [this.textBefore(symbol), this.visible[id]!, this.tris[id]!, this.reverse[id]!, this.written[id]!] as const;
    });
    for (const symbol of members) this.valid[symbol.id] = 0;
    for (const symbol of members) this.compute(symbol);
    let changed = false;
    for (const [at, symbol] of members.entries()) {
      const [text, visible, tri, reverse, written] = before[at]!;
      const { id } = symbol;
      const now = this.text(symbol);
      if (text !== now || tri !== this.tris[id]) changed = true;
      if (text === now && visible === this.visible[id] && reverse === this.reverse[id] && written === this.written[id]) continue;
      changes.push({ symbol, before: text, after: now, visibleBefore: visible as Tri, visibleAfter: this.visible[id] as Tri });
    }
    return changed;
  }

  /** What was computed last, whether or not there are modules by now. */
  private textBefore({ id, isBoolean }: KSymbol): string {
    if (!this.valid[id]) return '';
    return isBoolean ? triText(this.tris[id] as Tri) : this.texts[id]!;
  }

  private recomputeOne(symbol: KSymbol, changes: Change[]): boolean {
    const { id } = symbol;
    const text = this.textBefore(symbol);
    const visible = this.visible[id]!;
    const tri = this.tris[id]!;
    const reverse = this.reverse[id]!;
    const written = this.written[id]!;
    this.valid[id] = 0;
    this.compute(symbol);
    const now = this.text(symbol);
    if (text !== now || visible !== this.visible[id] || reverse !== this.reverse[id] || written !== this.written[id]) {
      changes.push({ symbol, before: text, after: now, visibleBefore: visible as Tri, visibleAfter: this.visible[id] as Tri });
    }
    return text !== now || tri !== this.tris[id];
  }

  private acceptsTri(symbol: KSymbol, value: Tri): boolean {
    const { id } = symbol;
    const visible = this.visible[id]!;
    if (visible === 0) return false;
    if (this.typeOf(symbol) === 'bool' && value === 1) return false;
    if (visible <= this.reverse[id]!) return false;
    if (this.dialect.implyForcesYes && this.weak[id] === 2 && value === 1) return false;
    if (symbol.choice && visible === 2) return value === 2;
    return value >= this.reverse[id]! && value <= visible;
  }

  private setTri(symbol: KSymbol, value: Tri): readonly Change[] | undefined {
    const { id } = symbol;
    const old = this.tris[id];
    if (old !== value && !this.acceptsTri(symbol, value)) return undefined;
    this.hasUser[id] = 1;
    const { choice } = symbol;
    if (choice && value === 2) {
      this.userPicked.set(choice, symbol);
      this.hasUser[choice.id] = 1;
      for (const member of choice.members) {
        if (this.visible[member.id] === 0) continue;
        this.hasUser[member.id] = 1;
        if (this.dialect.choiceByPriority) this.userTris[member.id] = member === symbol ? 2 : 0;
      }
      if (this.dialect.choiceByPriority) this.promote(symbol);
    }
    this.userTris[id] = value;
    if (old === value) return [];
    this.touch(symbol);
    return this.settle();
  }

  // Computing

  private modules(): boolean {
    const { modules } = this.model;
    if (!modules) return false;
    if (!this.valid[modules.id]) this.compute(modules);
    return this.modulesOn;
  }

  private compute(symbol: KSymbol): void {
    const { id } = symbol;
    if (this.valid[id] || this.recursion > deepestLoop) return;
    this.valid[id] = 1;
    this.recursion++;
    this.computeValue(symbol, id);
    this.recursion--;
  }

  private computeValue(symbol: KSymbol, id: number): void {
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

  private computeVisibility(symbol: KSymbol): void {
    const { id, choice } = symbol;
    let value: number = 0;
    for (const prompt of symbol.prompts) {
      let visible = this.evaluate(prompt.condition);
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
  private promoted(value: number, bool: boolean): number {
    return value === 1 && (bool || !this.modules()) ? 2 : value;
  }

  private computeTri(symbol: KSymbol): void {
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

  private defaultTri(symbol: KSymbol): number {
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

  private unmetChecked(symbol: KSymbol, value: number): number {
    const { id } = symbol;
    if (this.direct[id]! < this.reverse[id]! && !symbol.isChoice && this.onMessage) this.onMessage(unmetDependency(this, symbol));
    return Math.max(value, this.reverse[id]!);
  }

  private pick(choice: KSymbol): void {
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

  private pickByPriority(choice: KSymbol): KSymbol | undefined {
    const order = this.priorityOf(choice);
    const shown = (member: KSymbol): boolean => this.visible[member.id] !== 0;
    const chosen = order.find((member) => shown(member) && this.hasUser[member.id] && this.userTris[member.id] === 2);
    if (chosen) return chosen;
    const usual = this.defaultPick(choice);
    if (usual && !this.hasUser[usual.id]) return usual;
    const open = choice.members.find((member) => shown(member) && !this.hasUser[member.id]);
    return open ?? [...order].reverse().find(shown);
  }

  private priorityOf(choice: KSymbol): readonly KSymbol[] {
    return this.priority.get(choice) ?? choice.members;
  }

  private computeText(symbol: KSymbol): void {
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

  private userInRange(symbol: KSymbol): boolean {
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

  private reportClamp(symbol: KSymbol, text: string, clamped: string): void {
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
