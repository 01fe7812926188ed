/** What of a graph is shown: by reason, and around one library to some depth. */
import { type GraphEdgeView, type GraphReason, type GraphView } from '../../shared/graph-view';

export interface Selection {
  readonly reasons: ReadonlySet<GraphReason>;
  /** Only what this library needs and what needs it. */
  readonly focus: string | undefined;
  /** Steps from the focus. */
  readonly depth: number;
}

/** The part of a graph that is chosen. Where everything is shown, libraries without any edge are left out only if others have some. */
export function visiblePart(graph: GraphView, { reasons, focus, depth }: Selection): GraphView {
  const edges = graph.edges.filter(({ reason }) => reasons.has(reason));
  if (focus === undefined || !graph.nodes.some(({ name }) => name === focus)) return { ...graph, edges };
  const near = new Set([...reach(edges, focus, depth, 'from', 'to'), ...reach(edges, focus, depth, 'to', 'from')]);
  return {
    ...graph,
    nodes: graph.nodes.filter(({ name }) => near.has(name)),
    edges: edges.filter(({ from, to }) => near.has(from) && near.has(to)),
  };
}

/** Everything in one direction within so many steps, the start with it. */
function reach(edges: readonly GraphEdgeView[], start: string, depth: number, here: 'from' | 'to', there: 'from' | 'to'): Set<string> {
  const found = new Set([start]);
  let front = new Set([start]);
  for (let step = 0; step < depth && front.size > 0; step++) {
    const next = edges.filter((edge) => front.has(edge[here]) && !found.has(edge[there])).map((edge) => edge[there]);
    front = new Set(next);
    for (const name of front) found.add(name);
  }
  return found;
}
