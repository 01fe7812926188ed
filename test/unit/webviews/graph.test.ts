/** The dependency graph's page without a page: which part is shown, where it is laid out, and the lines between. */
import assert from 'node:assert/strict';
import { type GraphEdgeView, type GraphReason, type GraphView } from '../../../src/shared/graph-view';
import { edgePath, nodeWidth } from '../../../src/webviews/graph/drawing';
import { layOut } from '../../../src/webviews/graph/layout';
import { visiblePart } from '../../../src/webviews/graph/neighbours';

const edge = (from: string, to: string, reason: GraphReason = 'selects'): GraphEdgeView => ({ from, to, reason, why: [] });
const graph = (names: string, ...edges: readonly GraphEdgeView[]): GraphView => ({
  title: 't',
  isWhole: false,
  nodes: [...names].map((name) => ({ name, title: name, kind: 'library', status: 'enabled', description: '', switchable: true })),
  edges,
});
const names = (part: GraphView): string => part.nodes.map(({ name }) => name).join('');
const all = new Set<GraphReason>(['selects', 'depends', 'implies', 'uses']);

describe('the dependency graph', () => {
  const chain = graph('abcdef', edge('a', 'b'), edge('b', 'c'), edge('c', 'd', 'depends'), edge('e', 'c'), edge('c', 'a'));

  it('shows what is round a library, each direction followed by itself', () => {
    const part = (focus: string | undefined, depth: number, reasons: ReadonlySet<GraphReason> = all): string =>
      names(visiblePart(chain, { focus, depth, reasons }));
    assert.equal(part(undefined, 1), 'abcdef');
    assert.equal(part('b', 1), 'abc');
    assert.equal(part('d', 1), 'cd');
    assert.equal(part('d', Infinity), 'abcde');
    assert.equal(part('d', Infinity, new Set(['selects'])), 'd');
    assert.equal(part('f', 3), 'f');
    assert.equal(part('nobody', 1), 'abcdef');
  });

  it('keeps only edges between what is shown', () =>
    assert.deepEqual(
      visiblePart(chain, { focus: 'd', depth: 1, reasons: all }).edges.map(({ from, to }) => from + to),
      ['cd'],
    ));

  it('is laid out without overlaps, from left to right, cycles and several edges between two included', () => {
    const edges = [...chain.edges, edge('a', 'b', 'uses')];
    const nodes = chain.nodes.map(({ name }) => ({ name, width: 80, height: 28 }));
    const layout = layOut({ id: 7, nodes, edges });
    assert.equal(layout.id, 7);
    const places = Object.values(layout.nodes);
    assert.equal(places.length, 6);
    for (const [at, a] of places.entries())
      for (const b of places.slice(at + 1)) assert.ok(Math.abs(a.x - b.x) >= 80 || Math.abs(a.y - b.y) >= 28, 'two nodes overlap');
    assert.ok(layout.nodes['c']!.x < layout.nodes['d']!.x);
    assert.ok(places.every(({ x, y }) => x > 0 && y > 0 && x < layout.width && y < layout.height));
    assert.equal(layout.edges.length, edges.length);
    assert.ok(layout.edges.every((points) => points.length >= 2));
  });

  it('draws lines through their points', () => {
    assert.equal(edgePath([]), '');
    assert.equal(
      edgePath([
        { x: 0, y: 0 },
        { x: 10, y: 5.55 },
        { x: 20, y: 0 },
      ]),
      'M0,0 Q10,5.6 15,2.8 L20,0',
    );
    assert.equal(
      nodeWidth('name', (text) => text.length * 7.5),
      30 + 24 + 14,
    );
  });
});
