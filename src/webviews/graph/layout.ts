/** Lays a dependency graph out in layers from left to right. */
import { Graph, layout } from '@dagrejs/dagre';
import { type LayoutInput, type LayoutOutput, type Point } from '../../shared/graph-view';

/** Space between layers, and between nodes and edges within one; CSS pixels. */
const space = { rankdir: 'LR', ranksep: 56, nodesep: 14, edgesep: 8, marginx: 24, marginy: 24 };

/** Where nodes and edges go. Cycles are allowed: some edges then run backwards. */
export function layOut({ id, nodes, edges }: LayoutInput): LayoutOutput {
  const graph = new Graph({ multigraph: true });
  graph.setGraph(space);
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { name, width, height } of nodes) graph.setNode(name, { width, height });
  edges.forEach(({ from, to }, at) => graph.setEdge(from, to, {}, String(at)));
  layout(graph);
  const { width = 0, height = 0 } = graph.graph() as { readonly width?: number; readonly height?: number };
  return {
    id,
    width,
    height,
    nodes: Object.fromEntries(
      nodes.map(({ name }) => {
        const { x, y } = graph.node(name) as Point;
        return [name, { x, y }];
      }),
    ),
    edges: edges.map(({ from, to }, at) => {
      const { points = [] } = graph.edge(from, to, String(at)) as { readonly points?: readonly Point[] };
      return points.map(({ x, y }) => ({ x, y }));
    }),
  };
}
