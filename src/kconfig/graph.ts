/** What is computed from what: the order in which values settle, and where a change must be carried to. */
import { forEachSymbol } from './expression';
import { type KSymbol, type Model } from './model';

/** Symbols that are computed together: usually one, a choice with its members, or the symbols of a loop. */
export interface Unit {
  readonly members: readonly KSymbol[];
  /** Units whose values use this one's; all of a higher index. */
  readonly users: readonly number[];
}

/** The dependency graph of a model; the same for all its configurations. */
export interface DependencyGraph {
  /** In an order in which every unit follows those it uses. */
  readonly units: readonly Unit[];
  /** The unit of each symbol, by symbol id. */
  readonly unitOf: Int32Array;
  /** By symbol id: the symbols its value is computed from. */
  readonly uses: readonly (readonly KSymbol[])[];
  /** By symbol id: the symbols whose value is computed from it. */
  readonly users: readonly (readonly KSymbol[])[];
  /** The greatest number of units that follow from one another. */
  readonly depth: number;
}

const graphs = new WeakMap<Model, DependencyGraph>();

/** The graph of a model, made once. */
export function graphOf(model: Model): DependencyGraph {
  let graph = graphs.get(model);
  if (!graph) {
    graph = makeGraph(model);
    graphs.set(model, graph);
  }
  return graph;
}

/** The units that a symbol's value is computed from, near or far, and its own: 1 for each, by the unit's index. */
export function scopeOf(model: Model, symbol: KSymbol): Uint8Array {
  const { units, unitOf, uses } = graphOf(model);
  const scope = new Uint8Array(units.length);
  const open = [unitOf[symbol.id]!];
  scope[open[0]!] = 1;
  for (let unit = open.pop(); unit !== undefined; unit = open.pop()) {
    for (const member of units[unit]!.members) {
      for (const used of uses[member.id]!) {
        const other = unitOf[used.id]!;
        if (scope[other]) continue;
        scope[other] = 1;
        open.push(other);
      }
    }
  }
  return scope;
}

/** `seen` holds for each symbol the last one that was found to use it. */
function usedSymbols(symbol: KSymbol, model: Model, seen: Int32Array): KSymbol[] {
  const used: KSymbol[] = [];
  const note = (other: KSymbol): void => {
    if (other.isConstant || other === symbol || seen[other.id] === symbol.id) return;
    seen[other.id] = symbol.id;
    used.push(other);
  };
  for (const property of symbol.properties) {
    if (property.kind === 'select' || property.kind === 'imply' || property.kind === 'symbol') continue;
    forEachSymbol(property.condition, note);
    forEachSymbol(property.value, note);
    if (property.low) note(property.low);
    if (property.high) note(property.high);
  }
  forEachSymbol(symbol.directDependency, note);
  forEachSymbol(symbol.reverseDependency, note);
  forEachSymbol(symbol.implied, note);
  if (symbol.choice) note(symbol.choice);
  for (const member of symbol.members) note(member);
  if (symbol.type === 'tristate' && model.modules) note(model.modules);
  return used;
}

function makeGraph(model: Model): DependencyGraph {
  const { symbols } = model;
  const seen = new Int32Array(symbols.length).fill(-1);
  const uses = symbols.map((symbol) => (symbol.isConstant || symbol.properties.length === 0 ? [] : usedSymbols(symbol, model, seen)));
  const users: KSymbol[][] = symbols.map(() => []);
  for (const symbol of symbols) for (const used of uses[symbol.id]!) users[used.id]!.push(symbol);
  const { groups, unitOf } = components(symbols, uses);
  const depth = new Int32Array(groups.length);
  let deepest = 0;
  for (const [index, group] of groups.entries()) {
    for (const member of group) {
      for (const used of uses[member.id]!) {
        const other = unitOf[used.id]!;
        if (other !== index) depth[index] = Math.max(depth[index]!, depth[other]! + 1);
      }
    }
    deepest = Math.max(deepest, depth[index]!);
  }
  const noted = new Int32Array(groups.length).fill(-1);
  const units = groups.map((members, index) => {
    const after: number[] = [];
    noted[index] = index;
    for (const member of members) {
      for (const user of users[member.id]!) {
        const unit = unitOf[user.id]!;
        if (noted[unit] === index) continue;
        noted[unit] = index;
        after.push(unit);
      }
    }
    return { members, users: after };
  });
  return { units, unitOf, uses, users, depth: deepest };
}

/** Strongly connected components, those used first (Tarjan's algorithm without recursion). */
function components(symbols: readonly KSymbol[], uses: readonly (readonly KSymbol[])[]): { groups: KSymbol[][]; unitOf: Int32Array } {
  const count = symbols.length;
  const index = new Int32Array(count).fill(-1);
  const low = new Int32Array(count);
  const unitOf = new Int32Array(count).fill(-1);
  const stack: number[] = [];
  const groups: KSymbol[][] = [];
  let next = 0;
  const work: { id: number; at: number }[] = [];
  for (let root = 0; root < count; root++) {
    if (index[root] !== -1) continue;
    work.push({ id: root, at: 0 });
    while (work.length > 0) {
      const frame = work.at(-1)!;
      const { id } = frame;
      if (frame.at === 0 && index[id] === -1) {
        index[id] = low[id] = next++;
        stack.push(id);
      }
      const used = uses[id]![frame.at++];
      if (used) {
        if (index[used.id] === -1) work.push({ id: used.id, at: 0 });
        else if (unitOf[used.id] === -1) low[id] = Math.min(low[id]!, index[used.id]!);
        continue;
      }
      work.pop();
      const parent = work.at(-1);
      if (parent) low[parent.id] = Math.min(low[parent.id]!, low[id]!);
      if (low[id] !== index[id]) continue;
      const group: KSymbol[] = [];
      for (;;) {
        const member = stack.pop()!;
        unitOf[member] = groups.length;
        group.push(symbols[member]!);
        if (member === id) break;
      }
      groups.push(group.reverse());
    }
  }
  return { groups, unitOf };
}
