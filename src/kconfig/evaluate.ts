/** The values of one configuration, kept up to date by carrying each change only where it matters. */
import { Computation } from './computation';
import { triOf, triText } from './evaluation-state';
import { graphOf, scopeOf, type DependencyGraph } from './graph';
import { type KSymbol, type Tri } from './model';
import { rangeBounds } from './range';
import { isNumberText } from './values';

export { triOf, triText, type UserValue } from './evaluation-state';

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
/** One configuration of a model. */
export class Evaluation extends Computation {
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

  /** Computes everything. The order is that in which `conf` would come to it, where that can make a difference: to messages, and within loops. */
  computeAll(): void {
    const { model } = this;
    this.computeDeep();
    if (model.modules) this.compute(model.modules);
    const ordered = this.onMessage !== undefined || model.longestChain === undefined;
    for (const symbol of ordered ? model.hashOrder : model.symbols) this.compute(symbol);
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
}
