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
  const reachable = new Set<number>();
  const stack = [...entries];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (reachable.has(node)) continue;
    reachable.add(node);
    stack.push(...successors[node]!);
  }
  return sequence(
    [...reachable].sort((a, b) => a - b),
    successors,
    new Set(entries),
    new Set(),
  );
}

const isBlock = (part: Part, node: number): boolean => part.kind === 'block' && part.node === node;

const loopOf = (part: Part): Part => ({ kind: 'loop', heads: headsOf(part), body: [part] });

/** @param removed nodes to which edges are back edges of a loop around this sequence. */
function sequence(
  nodes: readonly number[],
  successors: readonly (readonly number[])[],
  entered: ReadonlySet<number>,
  removed: ReadonlySet<number>,
): Part[] {
  const inside = new Set(nodes);
  const edgesOf = new Map(nodes.map((node) => [node, successors[node]!.filter((to) => inside.has(to) && !removed.has(to))]));
  const edges = (node: number): readonly number[] => edgesOf.get(node)!;
  const components = stronglyConnected(nodes, edges);
  const heads = headsAmong(components, edges, entered);
  return components.map((component) => {
    const [only] = component;
    if (component.length === 1 && !edges(only!).includes(only!)) return { kind: 'block', node: only! };
    const entries = component.filter((node) => heads.has(node));
    const body = sequence(component, successors, new Set(entries), new Set([...removed, ...entries]));
    const [head] = entries;
    // A block that goes back to itself is a loop of its own, also where the loop around it begins with it.
    const isLoopWithin = component.length > 1 && entries.length === 1 && edges(head!).includes(head!);
    return { kind: 'loop', heads: entries, body: isLoopWithin ? body.map((part) => (isBlock(part, head!) ? loopOf(part) : part)) : body };
  });
}

/** Nodes by which components are entered: from outside, or from another component. */
function headsAmong(
  components: readonly (readonly number[])[],
  edges: (node: number) => readonly number[],
  entered: ReadonlySet<number>,
): ReadonlySet<number> {
  const heads = new Set(entered);
  const home = new Map(components.flatMap((component, i) => component.map((node) => [node, i] as const)));
  for (const [from, i] of home) for (const to of edges(from)) if (home.get(to) !== i) heads.add(to);
  return heads;
}

/** Tarjan's algorithm, without recursion; components come in topological order. */
function stronglyConnected(nodes: readonly number[], edges: (node: number) => readonly number[]): number[][] {
  const index = new Map<number, number>();
  const low = new Map<number, number>();
  const onStack = new Set<number>();
  const stack: number[] = [];
  const result: number[][] = [];
  let counter = 0;
  for (const root of nodes) {
    if (index.has(root)) continue;
    const frames: { node: number; successors: readonly number[]; next: number }[] = [];
    const open = (node: number): void => {
      index.set(node, counter);
      low.set(node, counter++);
      stack.push(node);
      onStack.add(node);
      frames.push({ node, successors: edges(node), next: 0 });
    };
    open(root);
    for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
      const to = frame.successors[frame.next++];
      if (to !== undefined) {
        if (!index.has(to)) open(to);
        else if (onStack.has(to)) low.set(frame.node, Math.min(low.get(frame.node)!, index.get(to)!));
        continue;
      }
      frames.pop();
      const parent = frames.at(-1);
      if (parent !== undefined) low.set(parent.node, Math.min(low.get(parent.node)!, low.get(frame.node)!));
      if (low.get(frame.node) !== index.get(frame.node)) continue;
      const component: number[] = [];
      let node: number;
      do {
        node = stack.pop()!;
        onStack.delete(node);
        component.push(node);
      } while (node !== frame.node);
      result.push(component.sort((a, b) => a - b));
    }
  }
  return result.reverse();
}
