/** Turns a control-flow graph into nested blocks and loops, which is all that WebAssembly has: strongly connected components become loops, the rest is laid out in topological order. */

/** A node of the nesting: straight code, or a loop around a sequence. */
export type Part =
  | { readonly kind: 'block'; readonly node: number }
  /** `heads` are the nodes by which the loop is entered, from outside or again from inside. */
  | { readonly kind: 'loop'; readonly heads: readonly number[]; readonly body: readonly Part[] };

/** The first node of a part, or its heads: where control can enter it. */
export const headsOf = (part: Part): readonly number[] => (part.kind === 'block' ? [part.node] : part.heads);

/**
 * Lays out all nodes reachable from `entries`. Edges between parts of one sequence lead forward only; edges to the heads of an enclosing loop lead back.
 * @param successors edges by node.
 */
export function structure(successors: readonly (readonly number[])[], entries: readonly number[]): readonly Part[] {
  return new Nesting(successors).lay(entries);
}

const isBlock = (part: Part, node: number): boolean => part.kind === 'block' && part.node === node;

const loopOf = (part: Part): Part => ({ kind: 'loop', heads: headsOf(part), body: [part] });

/** What is known of each node, by its number. */
class Nesting {
  /** The sequence, and later the component of it, that a node is in; 0 where it was not reached. */
  readonly #home: Int32Array;
  #homes = 0;
  /** A sequence or component is entered by this node. */
  readonly #isEntered: Uint8Array;
  /** Edges to this node are back edges of a loop around the sequence. */
  readonly #isHead: Uint8Array;
  /** Tarjan's numbers, 0 before a node's turn; and the lowest that a node leads back to. */
  readonly #index: Int32Array;
  readonly #low: Int32Array;
  readonly #isOpen: Uint8Array;

  constructor(private readonly successors: readonly (readonly number[])[]) {
    const count = successors.length;
    this.#home = new Int32Array(count);
    this.#isEntered = new Uint8Array(count);
    this.#isHead = new Uint8Array(count);
    this.#index = new Int32Array(count);
    this.#low = new Int32Array(count);
    this.#isOpen = new Uint8Array(count);
  }

  lay(entries: readonly number[]): readonly Part[] {
    const stack = [...entries];
    const nodes: number[] = [];
    for (const entry of entries) this.#isEntered[entry] = 1;
    for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
      if (this.#home[node] !== 0) continue;
      this.#home[node] = -1;
      nodes.push(node);
      for (const to of this.successors[node]!) stack.push(to);
    }
    return this.#sequence(nodes.sort((one, other) => one - other));
  }

  #sequence(nodes: readonly number[]): Part[] {
    const home = ++this.#homes;
    for (const node of nodes) {
      this.#home[node] = home;
      this.#index[node] = 0;
    }
    const components = this.#components(nodes, home);
    this.#enter(components);
    return components.map((component) => {
      const [only] = component;
      if (component.length === 1 && !this.#loops(only!)) return { kind: 'block', node: only! };
      const entries = component.filter((node) => this.#isEntered[node] === 1);
      const [head] = entries;
      // A block that goes back to itself is a loop of its own, also where the loop around it begins with it.
      const isLoopWithin = component.length > 1 && entries.length === 1 && this.#loops(head!);
      for (const entry of entries) this.#isHead[entry] = 1;
      const body = this.#sequence(component);
      return { kind: 'loop', heads: entries, body: isLoopWithin ? body.map((part) => (isBlock(part, head!) ? loopOf(part) : part)) : body };
    });
  }

  /** Does a node lead to itself? */
  #loops(node: number): boolean {
    return this.#isHead[node] === 0 && this.successors[node]!.includes(node);
  }

  /** Notes the nodes by which one component of a sequence is entered from another. */
  #enter(components: readonly (readonly number[])[]): void {
    const first = this.#homes + 1;
    for (const component of components) {
      this.#homes++;
      for (const node of component) this.#home[node] = this.#homes;
    }
    for (const component of components) {
      for (const node of component) {
        for (const to of this.successors[node]!) {
          if (this.#home[to]! >= first && this.#home[to] !== this.#home[node] && this.#isHead[to] === 0) this.#isEntered[to] = 1;
        }
      }
    }
  }

  /** Strongly connected components of a sequence in topological order: Tarjan's algorithm, without recursion. */
  #components(nodes: readonly number[], home: number): number[][] {
    const open: number[] = [];
    const result: number[][] = [];
    /** The path that is being followed, and the next edge of each node on it. */
    const path: number[] = [];
    const nexts: number[] = [];
    let counter = 0;
    for (const root of nodes) {
      if (this.#index[root] !== 0) continue;
      let node = root;
      let next = 0;
      for (;;) {
        if (next === 0) {
          this.#index[node] = this.#low[node] = ++counter;
          this.#isOpen[node] = 1;
          open.push(node);
        }
        const to = this.successors[node]![next++];
        if (to !== undefined) {
          if (this.#home[to] !== home || this.#isHead[to] === 1) continue;
          if (this.#index[to] === 0) {
            path.push(node);
            nexts.push(next);
            node = to;
            next = 0;
          } else if (this.#isOpen[to] === 1) this.#low[node] = Math.min(this.#low[node]!, this.#index[to]!);
          continue;
        }
        const low = this.#low[node]!;
        if (low === this.#index[node]) {
          const component = open.splice(open.lastIndexOf(node));
          for (const one of component) this.#isOpen[one] = 0;
          result.push(component.sort((one, other) => one - other));
        }
        const parent = path.pop();
        if (parent === undefined) break;
        this.#low[parent] = Math.min(this.#low[parent]!, low);
        node = parent;
        next = nexts.pop()!;
      }
    }
    return result.reverse();
  }
}
