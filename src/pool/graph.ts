/** The dependency graph of a pool or of one configuration, as plain data for views, and as DOT. */
import { type Evaluation } from '../kconfig/evaluate';
import { type Property } from '../kconfig/model';
import { type Catalogue } from './catalogue';
import { type DependencyEdge, type EdgeReason, type Library, type LibraryKind } from './library';

/** A library in the graph. */
export interface GraphNode {
  readonly name: string;
  readonly title: string;
  readonly kind: LibraryKind;
  readonly description: string;
}

/** One option's need, as an edge holds it. */
export interface GraphCause {
  /** The option that needs; '' for a line of Makefile.uk. */
  readonly by: string;
  readonly symbol: string;
  readonly condition: string;
  readonly feature?: string;
}

/** All that one library needs of another for one reason. */
export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  readonly reason: EdgeReason;
  readonly causes: readonly GraphCause[];
}

export interface DependencyGraph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

/** What a graph shows. */
export interface GraphOptions {
  /** Libraries that are built; undefined for the whole pool. */
  readonly enabled?: ReadonlySet<string>;
  /** Values of the configuration: only selects and implies that work in it are drawn. */
  readonly values?: Evaluation;
  readonly reasons?: readonly EdgeReason[];
  /** Only what this library needs and what needs it. */
  readonly focus?: string;
  /** Steps from the focus; default without limit. */
  readonly depth?: number;
}

/** Makes the graph. Nodes are in the catalogue's order, edges by their source's. */
export function dependencyGraph(catalogue: Catalogue, options: GraphOptions = {}): DependencyGraph {
  const { enabled, values, reasons } = options;
  const shown = (name: string): boolean => enabled === undefined || enabled.has(name);
  const edges = new Map<string, GraphEdge & { causes: GraphCause[] }>();
  for (const library of catalogue.libraries) {
    if (!shown(library.name)) continue;
    for (const need of library.needs) {
      if (!shown(need.to) || (reasons && !reasons.includes(need.reason)) || (values && !works(need, values))) continue;
      const key = `${need.from}\0${need.to}\0${need.reason}`;
      const { by, symbol, condition, feature } = need;
      const cause: GraphCause = { by, symbol, condition, ...(feature !== undefined && { feature }) };
      const edge = edges.get(key);
      if (edge) edge.causes.push(cause);
      else edges.set(key, { from: need.from, to: need.to, reason: need.reason, causes: [cause] });
    }
  }
  const all = [...edges.values()];
  const near = options.focus === undefined ? undefined : around(all, options.focus, options.depth ?? Infinity);
  const nodes = catalogue.libraries
    .filter((library) => library.state === 'local' && shown(library.name) && (near === undefined || near.has(library.name)))
    .map(({ name, title, kind, description }) => ({ name, title, kind, description }));
  const names = new Set(nodes.map((node) => node.name));
  return { nodes, edges: all.filter((edge) => names.has(edge.from) && names.has(edge.to)) };
}

/** Whether the option that needs is on, and a select's or imply's condition holds. */
function works(need: DependencyEdge, values: Evaluation): boolean {
  const by = need.by === '' ? undefined : values.model.byName.get(need.by);
  const target = values.model.byName.get(need.symbol);
  const isOn = (symbol: typeof by): boolean => symbol === undefined || !symbol.isBoolean || values.tri(symbol) > 0;
  if (!isOn(by) || !isOn(target)) return false;
  if (by === undefined || (need.reason !== 'selects' && need.reason !== 'implies')) return true;
  const kind: Property['kind'] = need.reason === 'selects' ? 'select' : 'imply';
  return by.properties.some((property) => property.kind === kind && property.target === target && values.condition(property) > 0);
}

/** What the focus needs, and what needs it, each followed in its own direction. */
function around(edges: readonly GraphEdge[], focus: string, depth: number): Set<string> {
  const found = new Set([focus]);
  for (const [here, there] of [['from', 'to'] as const, ['to', 'from'] as const]) {
    const next = new Map<string, string[]>();
    for (const edge of edges) next.set(edge[here], [...(next.get(edge[here]) ?? []), edge[there]]);
    for (const name of reach(focus, (at) => next.get(at) ?? [], depth)) found.add(name);
  }
  return found;
}

/** Everything that can be reached in so many steps, the start left out, nearest first. */
function reach(start: string, next: (name: string) => readonly string[], depth: number): string[] {
  const found = new Set([start]);
  let front = [start];
  for (let step = 0; step < depth && front.length > 0; step++) {
    front = [...new Set(front.flatMap(next))].filter((name) => !found.has(name));
    for (const name of front) found.add(name);
  }
  return [...found].slice(1);
}

/** What a library brings in or needs, directly and through others; `neededBy` for the other direction. */
export function closure(
  catalogue: Catalogue,
  name: string,
  direction: 'needs' | 'neededBy' = 'needs',
  reasons: readonly EdgeReason[] = ['selects', 'depends'],
): Library[] {
  const next = (at: string): string[] =>
    (catalogue.find(at)?.[direction] ?? [])
      .filter((edge) => reasons.includes(edge.reason))
      .map((edge) => (direction === 'needs' ? edge.to : edge.from));
  return reach(catalogue.find(name)?.name ?? name, next, Infinity).flatMap((each) => catalogue.find(each) ?? []);
}

const looks: Readonly<Record<EdgeReason, string>> = {
  selects: 'style=solid',
  implies: 'style=dashed',
  depends: 'style=bold, color=blue',
  uses: 'style=dotted, color=gray',
};

const shapes: Readonly<Record<LibraryKind, string>> = {
  library: 'box',
  driver: 'component',
  platform: 'house',
  architecture: 'hexagon',
  application: 'ellipse',
};

/** The graph in Graphviz' language. */
export function toDot(graph: DependencyGraph, name = 'pool'): string {
  const quote = (text: string): string => `"${text.replace(/[\\"]/g, '\\$&').replace(/\n/g, '\\n')}"`;
  const lines = [`digraph ${quote(name)} {`, '  rankdir=LR;', '  node [fontname="sans-serif"];'];
  for (const node of graph.nodes)
    lines.push(`  ${quote(node.name)} [label=${quote(node.title)}, shape=${shapes[node.kind]}, tooltip=${quote(node.description)}];`);
  for (const edge of graph.edges) {
    const causes = edge.causes.map(
      (cause) => `${cause.by || 'Makefile.uk'} ${edge.reason} ${cause.symbol}${cause.condition ? ` if ${cause.condition}` : ''}`,
    );
    lines.push(`  ${quote(edge.from)} -> ${quote(edge.to)} [${looks[edge.reason]}, tooltip=${quote(causes.join('\n'))}];`);
  }
  return `${lines.join('\n')}\n}\n`;
}
