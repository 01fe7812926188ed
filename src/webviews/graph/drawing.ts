/** Draws a graph that was laid out as SVG, and makes a copy of it that stands by itself in a file. */
import { type GraphEdgeView, type GraphNodeView, type LayoutOutput, type Point } from '../../shared/graph-view';

const namespace = 'http://www.w3.org/2000/svg';
/** Of a node, in CSS pixels. */
export const nodeHeight = 28;
const padding = 12;
const mark = 14;

type Attributes = Readonly<Record<string, string | number>>;

function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): SVGElementTagNameMap[K] {
  const element = document.createElementNS(namespace, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/** How wide a node is, in CSS pixels. */
export function nodeWidth(title: string, measure: (text: string) => number): number {
  return Math.ceil(measure(title)) + 2 * padding + mark;
}

/** A line through points, rounded at the corners. */
export function edgePath(points: readonly Point[]): string {
  const [first, ...rest] = points;
  if (!first) return '';
  const parts = [`M${round(first.x)},${round(first.y)}`];
  rest.forEach((point, at) => {
    const next = rest[at + 1];
    if (!next) parts.push(`L${round(point.x)},${round(point.y)}`);
    else parts.push(`Q${round(point.x)},${round(point.y)} ${round((point.x + next.x) / 2)},${round((point.y + next.y) / 2)}`);
  });
  return parts.join(' ');
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** What was drawn, by what it stands for. */
export interface Drawing {
  readonly root: SVGGElement;
  readonly nodes: ReadonlyMap<string, SVGGElement>;
  readonly edges: readonly { readonly edge: GraphEdgeView; readonly element: SVGPathElement }[];
}

/** Draws nodes over edges. */
export function draw(
  nodes: readonly GraphNodeView[],
  edges: readonly GraphEdgeView[],
  layout: LayoutOutput,
  widthOf: (node: GraphNodeView) => number,
): Drawing {
  const root = svg('g', { class: 'graph' });
  const drawnEdges = edges.map((edge, at) => {
    const element = svg('path', {
      class: `edge ${edge.reason}`,
      d: edgePath(layout.edges[at] ?? []),
      'marker-end': `url(#arrow-${edge.reason})`,
    });
    element.append(svg('title', {}, `${edge.why.join('\n')}`));
    return { edge, element };
  });
  const drawnNodes = new Map<string, SVGGElement>();
  for (const node of nodes) {
    const at = layout.nodes[node.name];
    if (!at) continue;
    const width = widthOf(node);
    const group = svg('g', {
      class: `node ${node.kind} ${node.status}`,
      transform: `translate(${round(at.x - width / 2)},${round(at.y - nodeHeight / 2)})`,
      'data-name': node.name,
      tabindex: 0,
      role: 'button',
      'aria-label': `${node.title}, ${node.kind}`,
    });
    const corner = node.kind === 'application' ? nodeHeight / 2 : node.kind === 'library' ? 4 : 0;
    group.append(
      svg('rect', { width, height: nodeHeight, rx: corner }),
      svg('circle', { cx: padding + 3, cy: nodeHeight / 2, r: 4 }),
      svg('text', { x: padding + mark, y: nodeHeight / 2, 'dominant-baseline': 'central' }, node.title),
      svg('title', {}, node.description === '' ? node.title : `${node.title}: ${node.description}`),
    );
    drawnNodes.set(node.name, group);
  }
  root.append(...drawnEdges.map(({ element }) => element), ...drawnNodes.values());
  return { root, nodes: drawnNodes, edges: drawnEdges };
}

/** The heads of arrows, one for each kind of edge so that it has the edge's colour. */
export function arrowHeads(reasons: readonly string[]): SVGDefsElement {
  const head = (reason: string): SVGMarkerElement =>
    svg(
      'marker',
      {
        id: `arrow-${reason}`,
        class: `head ${reason}`,
        viewBox: '0 0 8 8',
        refX: 7,
        refY: 4,
        markerWidth: 7,
        markerHeight: 7,
        orient: 'auto-start-reverse',
      },
      svg('path', { d: 'M0,0.5 L8,4 L0,7.5 z' }),
    );
  return svg('defs', {}, ...reasons.map(head));
}

/** Properties that a file needs in place of the page's style sheet. */
const kept = ['fill', 'stroke', 'stroke-width', 'stroke-dasharray', 'opacity', 'font-family', 'font-size', 'font-weight'] as const;

/** The drawing as a file: colours and fonts as they are now, no scripts, no style sheet. */
export function standalone(picture: SVGSVGElement, drawing: SVGGElement, width: number, height: number, background: string): string {
  const copy = picture.cloneNode(true) as SVGSVGElement;
  const originals = picture.querySelectorAll<SVGElement>('*');
  copy.querySelectorAll<SVGElement>('*').forEach((element, at) => {
    const style = getComputedStyle(originals[at]!);
    for (const name of kept) element.setAttribute(name, style.getPropertyValue(name));
    for (const name of ['class', 'tabindex', 'role', 'data-name', 'aria-label']) element.removeAttribute(name);
  });
  const index = [...originals].indexOf(drawing);
  copy.querySelectorAll<SVGElement>('*')[index]?.removeAttribute('transform');
  for (const name of copy.getAttributeNames()) copy.removeAttribute(name);
  for (const [name, value] of Object.entries({ width, height, viewBox: `0 0 ${width} ${height}` })) copy.setAttribute(name, String(value));
  copy.prepend(svg('rect', { width, height, fill: background }));
  return `<?xml version="1.0" encoding="UTF-8"?>\n${new XMLSerializer().serializeToString(copy)}\n`;
}
