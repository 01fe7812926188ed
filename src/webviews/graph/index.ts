/** The dependency graph's page: tools above, the drawing, and what is known of the library that is selected. */
import '@vscode/codicons/dist/codicon.css';
import './style.css';
import {
  graphReasons,
  type GraphEdgeView,
  type GraphNodeView,
  type GraphReason,
  type GraphToExtension,
  type GraphToPage,
  type GraphView,
  type LayoutInput,
  type LayoutOutput,
} from '../../shared/graph-view';
import { statusTitles } from '../../shared/library-status';
import { h, icon, iconButton } from '../lib/dom';
import { Host } from '../lib/host';
import { PanZoom } from '../lib/pan-zoom';
import { arrowHeads, draw, nodeHeight, nodeWidth, standalone, type Drawing } from './drawing';
import { visiblePart } from './neighbours';

interface Kept {
  readonly reasons: readonly GraphReason[];
  readonly focus: string | undefined;
  readonly depth: number;
}

const reasonTitles: Readonly<Record<GraphReason, string>> = {
  selects: 'Selects',
  depends: 'Depends on',
  implies: 'Implies',
  uses: 'Uses headers',
};
const reasonVerbs: Readonly<Record<GraphReason, string>> = { selects: 'selects', depends: 'depends on', implies: 'implies', uses: 'uses' };
const depths = [1, 2, 3, Infinity];

class Page {
  private readonly host = new Host<GraphToExtension, GraphToPage, Kept>();
  private readonly picture = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  private readonly stage = h('div', { class: 'stage', tabindex: 0, role: 'application', 'aria-label': 'Dependency graph' });
  private readonly busy = h(
    'div',
    { class: 'busy', role: 'status', hidden: true },
    icon('loading', 'codicon-modifier-spin'),
    'Laying out…',
  );
  private readonly nothing = h('p', { class: 'nothing', hidden: true });
  private readonly side = h('aside', { class: 'side', 'aria-label': 'Selected library', hidden: true });
  private readonly filter = h('input', { type: 'search', class: 'filter', placeholder: 'Find a library', 'aria-label': 'Find a library' });
  private readonly focusBox = h('span', { class: 'focus', hidden: true });
  private readonly count = h('span', { class: 'count', role: 'status' });
  private readonly scope = h('button', { type: 'button', class: 'toggle', 'aria-pressed': 'false' }, 'Whole pool');
  private readonly panZoom = new PanZoom(this.stage, (transform) => this.drawing?.root.setAttribute('transform', transform));
  private readonly measure = measurer();
  private worker: Worker | undefined;
  private reasons = new Set<GraphReason>(this.host.kept.reasons ?? ['selects', 'depends']);
  private focus: string | undefined = this.host.kept.focus;
  private depth = this.host.kept.depth ?? 1;
  private graph: GraphView | undefined;
  private shown: GraphView | undefined;
  private layout: LayoutOutput | undefined;
  private drawing: Drawing | undefined;
  private selected: string | undefined;
  /** Something was typed, and nothing selected since: what was found stands out, and not what is round the selection. */
  private isSearching = false;
  private asked = 0;

  constructor(private readonly root: HTMLElement) {
    this.picture.setAttribute('class', 'picture');
    this.stage.append(this.picture, this.count, this.busy, this.nothing);
    const tools = h(
      'div',
      { class: 'tools', role: 'toolbar', 'aria-label': 'Graph' },
      this.filter,
      this.focusBox,
      h(
        'span',
        { class: 'group', role: 'group', 'aria-label': 'Kinds of dependency' },
        ...graphReasons.map((reason) => this.reasonToggle(reason)),
      ),
      this.scope,
      h(
        'span',
        { class: 'end' },
        iconButton('zoom-out', 'Zoom out (-)', () => this.panZoom.zoom(1 / 1.25)),
        iconButton('zoom-in', 'Zoom in (+)', () => this.panZoom.zoom(1.25)),
        iconButton('screen-full', 'Fit (0)', () => this.fit()),
        iconButton('export', 'Export as SVG…', () => this.export()),
      ),
    );
    root.append(tools, h('div', { class: 'body' }, this.stage, this.side));
    this.filter.addEventListener('input', () => {
      this.isSearching = this.filter.value.trim() !== '';
      this.mark();
    });
    this.filter.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') this.select(this.matches()[0], true);
    });
    this.scope.addEventListener('click', () => this.host.send({ type: 'scope', isWhole: this.graph?.isWhole !== true }));
    this.stage.addEventListener('keydown', (event) => this.key(event));
    this.stage.addEventListener('click', (event) => this.select(nameOf(event.target)));
    this.stage.addEventListener('dblclick', (event) => {
      const name = nameOf(event.target);
      if (name !== undefined) this.focusOn(name);
    });
    new ResizeObserver(() => this.picture.setAttribute('height', '100%')).observe(this.stage);
    this.host.listen((message) => this.take(message));
    this.host.send({ type: 'ready' });
  }

  private take(message: GraphToPage): void {
    if (message.type === 'focus') return this.focusOn(message.name);
    this.graph = message.graph;
    this.scope.setAttribute('aria-pressed', String(message.graph.isWhole));
    if (this.focus !== undefined && !message.graph.nodes.some(({ name }) => name === this.focus)) this.focus = undefined;
    void this.relayout();
  }

  private reasonToggle(reason: GraphReason): HTMLElement {
    const button = h(
      'button',
      { type: 'button', class: `toggle reason ${reason}`, 'aria-pressed': String(this.reasons.has(reason)) },
      h('span', { class: 'swatch', 'aria-hidden': 'true' }),
      reasonTitles[reason],
    );
    button.addEventListener('click', () => {
      if (!this.reasons.delete(reason)) this.reasons.add(reason);
      button.setAttribute('aria-pressed', String(this.reasons.has(reason)));
      this.host.keep({ reasons: [...this.reasons] });
      void this.relayout();
    });
    return button;
  }

  private focusOn(name: string | undefined): void {
    this.focus = name;
    this.host.keep({ focus: name });
    if (name !== undefined) this.selected = name;
    this.isSearching = false;
    void this.relayout();
  }

  /** Asks the worker for the layout of what is chosen. */
  private async relayout(): Promise<void> {
    if (!this.graph) return;
    this.shown = visiblePart(this.graph, { reasons: this.reasons, focus: this.focus, depth: this.depth });
    this.showFocus();
    const { nodes, edges } = this.shown;
    this.count.textContent = `${nodes.length} ${nodes.length === 1 ? 'library' : 'libraries'}, ${edges.length} ${edges.length === 1 ? 'edge' : 'edges'}`;
    this.nothing.hidden = nodes.length > 0;
    this.nothing.textContent = this.graph.isWhole
      ? 'The pool has no library.'
      : 'No library is enabled. Configure the project, or show the whole pool.';
    const id = ++this.asked;
    const input: LayoutInput = {
      id,
      nodes: nodes.map((node) => ({ name: node.name, width: this.widthOf(node), height: nodeHeight })),
      edges: edges.map(({ from, to }) => ({ from, to })),
    };
    const timer = setTimeout(() => (this.busy.hidden = false), 150);
    try {
      const worker = (this.worker ??= await startWorker(this.root.dataset['worker'] ?? ''));
      worker.onmessage = ({ data }: MessageEvent<LayoutOutput>) => {
        clearTimeout(timer);
        if (data.id === this.asked) this.show(data);
      };
      worker.onerror = (event) => this.fail(event.message);
      worker.postMessage(input);
    } catch (error) {
      clearTimeout(timer);
      this.fail(String(error));
    }
  }

  private fail(reason: string): void {
    this.busy.hidden = true;
    this.nothing.hidden = false;
    this.nothing.textContent = `The graph could not be laid out: ${reason}`;
  }

  private show(layout: LayoutOutput): void {
    if (!this.shown) return;
    this.busy.hidden = true;
    this.layout = layout;
    this.drawing = draw(this.shown.nodes, this.shown.edges, layout, (node) => this.widthOf(node));
    this.picture.replaceChildren(arrowHeads(graphReasons), this.drawing.root);
    this.fit();
    this.mark();
    this.showSide();
  }

  private fit(): void {
    if (!this.layout) return;
    const centre = this.focus === undefined ? undefined : this.layout.nodes[this.focus];
    this.panZoom.fit(this.layout.width, this.layout.height, centre);
  }

  private widthOf(node: GraphNodeView): number {
    return nodeWidth(node.title, this.measure);
  }

  private matches(): string[] {
    const text = this.filter.value.trim().toLowerCase();
    if (text === '' || !this.shown) return [];
    return this.shown.nodes
      .filter(({ name, title, description }) => `${name} ${title} ${description}`.toLowerCase().includes(text))
      .sort((a, b) => Number(b.title.startsWith(text)) - Number(a.title.startsWith(text)))
      .map(({ name }) => name);
  }

  /** Brings out what is selected with its neighbours, or what the filter finds. */
  private mark(): void {
    if (!this.drawing) return;
    const found = new Set(this.matches());
    const { selected, isSearching: isFiltering } = this;
    const near = new Set<string>(selected === undefined ? [] : [selected]);
    for (const { edge, element } of this.drawing.edges) {
      const touches = edge.from === selected || edge.to === selected;
      if (touches) near.add(edge.from).add(edge.to);
      element.classList.toggle('near', touches);
      element.classList.toggle('faded', isFiltering ? !(found.has(edge.from) && found.has(edge.to)) : selected !== undefined && !touches);
    }
    for (const [name, element] of this.drawing.nodes) {
      element.classList.toggle('selected', name === selected);
      element.classList.toggle('faded', isFiltering ? !found.has(name) : selected !== undefined && !near.has(name));
    }
  }

  private select(name: string | undefined, reveal = false): void {
    this.selected = name;
    this.isSearching = false;
    this.mark();
    this.showSide();
    const at = name === undefined ? undefined : this.layout?.nodes[name];
    if (reveal && at && this.layout) this.panZoom.fit(this.layout.width, this.layout.height, at);
  }

  private key(event: KeyboardEvent): void {
    const name = nameOf(event.target);
    if (event.key === 'Enter' || event.key === ' ') {
      if (name === undefined) return;
      if (name === this.selected) this.focusOn(name);
      else this.select(name);
    } else if (event.key === 'Escape') {
      if (this.selected !== undefined) this.select(undefined);
      else this.focusOn(undefined);
    } else if (event.key === '0') this.fit();
    else if (!this.panZoom.key(event.key)) return;
    event.preventDefault();
  }

  private showFocus(): void {
    const node = this.graph?.nodes.find(({ name }) => name === this.focus);
    this.focusBox.hidden = node === undefined;
    if (!node) return;
    const choose = h('select', { 'aria-label': 'Steps from the library' });
    for (const depth of depths) {
      const option = h('option', { value: depth }, depth === Infinity ? 'all steps' : depth === 1 ? '1 step' : `${depth} steps`);
      option.selected = depth === this.depth;
      choose.append(option);
    }
    choose.addEventListener('change', () => {
      this.depth = Number(choose.value);
      this.host.keep({ depth: this.depth });
      void this.relayout();
    });
    this.focusBox.replaceChildren(
      'around ',
      h('b', {}, node.title),
      choose,
      iconButton('close', 'Show all', () => this.focusOn(undefined)),
    );
  }

  private showSide(): void {
    const node = this.shown?.nodes.find(({ name }) => name === this.selected);
    this.side.hidden = node === undefined;
    if (!node || !this.graph) return;
    const { name } = node;
    const on = node.status === 'image' || node.status === 'enabled';
    const button = (label: string, run: () => void, kind = ''): HTMLElement =>
      h('button', { type: 'button', class: `button ${kind}`, onclick: run }, label);
    const edges = this.graph.edges.filter(({ reason }) => this.reasons.has(reason));
    this.side.replaceChildren(
      h('h2', {}, node.title),
      h('p', { class: `state ${node.status}` }, h('span', { class: 'dot' }), statusTitles[node.status]),
      h('p', { class: 'about' }, node.description),
      h(
        'p',
        { class: 'actions' },
        node.switchable &&
          (on
            ? button('Disable…', () => this.host.send({ type: 'disable', name }))
            : button('Enable…', () => this.host.send({ type: 'enable', name }), 'primary')),
        button('Details', () => this.host.send({ type: 'show', name })),
        this.focus !== name && button('Focus', () => this.focusOn(name)),
      ),
      this.neighbours(
        'Needs',
        edges.filter(({ from }) => from === name),
        'to',
      ),
      this.neighbours(
        'Needed by',
        edges.filter(({ to }) => to === name),
        'from',
      ),
    );
  }

  private neighbours(title: string, edges: readonly GraphEdgeView[], side: 'from' | 'to'): HTMLElement {
    const items = edges.flatMap((edge) => {
      const other = this.graph?.nodes.find(({ name }) => name === edge[side]);
      if (!other) return [];
      const link = h('button', { type: 'button', class: 'link', onclick: () => this.go(other.name) }, other.title);
      return [
        h(
          'li',
          { title: edge.why.join('\n') },
          h('span', { class: `dot ${other.status}` }),
          link,
          h('span', { class: 'muted' }, reasonVerbs[edge.reason]),
        ),
      ];
    });
    return h(
      'section',
      {},
      h('h3', {}, title, h('span', { class: 'muted' }, ` ${items.length}`)),
      items.length === 0 ? h('p', { class: 'muted' }, 'Nothing') : h('ul', {}, ...items),
    );
  }

  /** Selects a neighbour, which a focus may hide. */
  private go(name: string): void {
    if (this.shown?.nodes.some((node) => node.name === name)) this.select(name, true);
    else this.focusOn(name);
  }

  private export(): void {
    if (!this.drawing || !this.layout) return;
    const background = getComputedStyle(document.body).backgroundColor;
    // A picture is of all that is drawn: what is selected or searched for in the editor is no part of it.
    const { selected, isSearching } = this;
    this.selected = undefined;
    this.isSearching = false;
    this.mark();
    const svg = standalone(this.picture, this.drawing.root, this.layout.width, this.layout.height, background);
    this.selected = selected;
    this.isSearching = isSearching;
    this.mark();
    this.host.send({ type: 'export', svg });
  }
}

function nameOf(target: EventTarget | null): string | undefined {
  const node = target instanceof Element ? target.closest<SVGGElement>('.node') : null;
  return node?.dataset['name'];
}

/** Widths of texts in the page's font. */
function measurer(): (text: string) => number {
  const context = document.createElement('canvas').getContext('2d');
  const { fontFamily, fontSize } = getComputedStyle(document.body);
  if (context) context.font = `${fontSize} ${fontFamily}`;
  return (text) => context?.measureText(text).width ?? text.length * 8;
}

/** A worker from the script at an address of another origin, which may not be started from there. */
async function startWorker(address: string): Promise<Worker> {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: ${response.status}`);
  const source = URL.createObjectURL(new Blob([await response.text()], { type: 'text/javascript' }));
  return new Worker(source);
}

new Page(document.getElementById('page')!);
