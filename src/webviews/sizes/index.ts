/** The page of an image's sizes: sums above, a table by library or section beside a treemap, both showing the same group. */
import '@vscode/codicons/dist/codicon.css';
import './style.css';
import { type SizeItem, type SizesReport, type SizesToExtension, type SizesToPage } from '../../shared/sizes-view';
import { h, icon, iconButton } from '../lib/dom';
import { Host } from '../lib/host';
import { VirtualList } from '../lib/virtual-list';
import { sizeText } from '../../shared/size-text';
import { changeText, partText } from './format';
import { squarify, type Box } from './treemap';

type Grouping = 'byLibrary' | 'bySection';
interface Kept {
  readonly grouping: Grouping;
}

interface Row {
  readonly item: SizeItem;
  /** Names from the whole down to this group, joined. */
  readonly key: string;
  readonly depth: number;
  readonly parent: SizeItem;
  /** The group at the top that it is part of; decides the colour. */
  readonly top: number;
}

const rowHeight = 24;
/** Boxes smaller than this, in CSS pixels, are not told apart. */
const leastBox = 3;
const titleHeight = 20;
const colours = 8;

class Page {
  private readonly host = new Host<SizesToExtension, SizesToPage, Kept>();
  private readonly sums = h('div', { class: 'sums' });
  private readonly trail = h('nav', { class: 'trail', 'aria-label': 'Group shown' });
  private readonly filter = h('input', {
    type: 'search',
    class: 'filter',
    placeholder: 'Find a symbol, object, library',
    'aria-label': 'Find',
  });
  private readonly canvas = h('div', { class: 'rows' });
  private readonly viewport = h('div', { class: 'table', role: 'treegrid', tabindex: 0, 'aria-label': 'Sizes' }, this.canvas);
  private readonly map = h('div', { class: 'map', 'aria-hidden': 'true' });
  private readonly nothing = h('p', { class: 'nothing', hidden: true });
  private readonly compareButton = h('button', { type: 'button', class: 'button' });
  private readonly change = h('span', { class: 'cell number head change' }, 'Change');
  private readonly toggles = new Map<Grouping, HTMLElement>();
  private readonly list: VirtualList<Row>;
  private readonly open = new Set<string>();
  private grouping: Grouping = this.host.kept.grouping ?? 'byLibrary';
  private report: SizesReport | undefined;
  private rows: readonly Row[] = [];
  /** Names of the groups down to the one that the treemap shows. */
  private shown: readonly string[] = [];
  private current = 0;

  constructor(root: HTMLElement) {
    const toggle = (grouping: Grouping, title: string): HTMLElement => {
      const button = h('button', { type: 'button', class: 'toggle', 'aria-pressed': 'false', onclick: () => this.group(grouping) }, title);
      this.toggles.set(grouping, button);
      return button;
    };
    this.compareButton.addEventListener('click', () => this.host.send({ type: this.report?.other ? 'stopComparing' : 'compare' }));
    root.append(
      this.sums,
      h(
        'div',
        { class: 'tools', role: 'toolbar', 'aria-label': 'Sizes' },
        h('span', { class: 'group' }, toggle('byLibrary', 'By library'), toggle('bySection', 'By section')),
        this.filter,
        h(
          'span',
          { class: 'end' },
          this.compareButton,
          iconButton('refresh', 'Build and read again', () => this.host.send({ type: 'build' })),
        ),
      ),
      h(
        'div',
        { class: 'body' },
        h(
          'div',
          { class: 'list' },
          h(
            'div',
            { class: 'line heads' },
            h('span', { class: 'cell head' }, 'Name'),
            h('span', { class: 'cell share head' }),
            h('span', { class: 'cell number head' }, 'Size'),
            this.change,
          ),
          this.viewport,
        ),
        h('div', { class: 'chart' }, this.trail, this.map),
        this.nothing,
      ),
    );
    this.list = new VirtualList<Row>({
      viewport: this.viewport,
      canvas: this.canvas,
      rowHeight,
      create: () => {
        const element = h('div', { class: 'slot' });
        return {
          element,
          show: (row, index) => {
            element.style.transform = `translateY(${index * rowHeight}px)`;
            element.replaceChildren(this.line(row, index));
          },
        };
      },
      keyOf: ({ key }) => key,
      request: () => undefined,
    });
    this.filter.addEventListener('input', () => this.draw());
    this.viewport.addEventListener('keydown', (event) => this.key(event));
    new ResizeObserver(() => this.drawMap()).observe(this.map);
    this.host.listen((message) => this.take(message));
    this.host.send({ type: 'ready' });
  }

  private take(message: SizesToPage): void {
    this.nothing.hidden = message.type === 'report';
    if (message.type === 'failure') {
      this.nothing.textContent = message.message;
      this.report = undefined;
      this.sums.replaceChildren();
      this.map.replaceChildren();
      this.list.reset(0, 0, []);
      return;
    }
    this.report = message.report;
    this.draw();
  }

  private get whole(): SizeItem | undefined {
    return this.report?.[this.grouping];
  }

  private group(grouping: Grouping): void {
    this.grouping = grouping;
    this.host.keep({ grouping });
    this.shown = [];
    this.open.clear();
    this.current = 0;
    this.draw();
  }

  private draw(): void {
    const { report } = this;
    if (!report) return;
    for (const [grouping, button] of this.toggles) button.setAttribute('aria-pressed', String(grouping === this.grouping));
    this.compareButton.textContent = report.other ? 'Stop comparing' : 'Compare with…';
    document.body.classList.toggle('comparing', report.other !== undefined);
    this.change.hidden = report.other === undefined;
    this.drawSums(report);
    this.drawRows();
    this.drawMap();
  }

  private drawSums({ image, totals, other }: SizesReport): void {
    const sum = (title: string, key: keyof SizesReport['totals'], about: string): HTMLElement =>
      h(
        'span',
        { class: `sum ${key}`, title: about },
        h('span', { class: 'muted' }, title),
        h('b', {}, sizeText(totals[key])),
        other && changeMark(totals[key] - other.totals[key]),
      );
    this.sums.replaceChildren(
      h('h1', {}, image.slice(image.lastIndexOf('/') + 1), h('span', { class: 'muted' }, other ? ` against ${other.image}` : '')),
      sum('in memory', 'total', 'All loaded sections'),
      sum('code and constants', 'text', 'Sections that are only read'),
      sum('data', 'data', 'Sections that are written and have a content'),
      sum('zeroed', 'bss', 'Sections that start as zeroes and take no place in the file'),
    );
  }

  /** The rows in sight: what is open, or everything that the filter finds with what it is part of. */
  private drawRows(): void {
    const { whole } = this;
    if (!whole) return;
    const text = this.filter.value.trim().toLowerCase();
    const rows: Row[] = [];
    const matches = (item: SizeItem): boolean => item.name.toLowerCase().includes(text) || item.children.some(matches);
    const walk = (parent: SizeItem, path: string, depth: number, top: number, isWithin: boolean): void => {
      parent.children.forEach((item, at) => {
        const isHit = text === '' || isWithin || item.name.toLowerCase().includes(text);
        if (!isHit && !matches(item)) return;
        const key = `${path}\0${item.name}`;
        const colour = depth === 0 ? at : top;
        rows.push({ item, key, depth, parent, top: colour });
        // Above a hit everything is open; from there on the user decides.
        if (!isHit || this.open.has(key)) walk(item, key, depth + 1, colour, isHit && text !== '');
      });
    };
    walk(whole, '', 0, 0, false);
    this.rows = rows;
    this.current = Math.min(this.current, Math.max(rows.length - 1, 0));
    this.list.reset(rows.length, 0, rows);
  }

  private line({ item, key, depth, parent, top }: Row, index: number): HTMLElement {
    const isOpen = this.open.has(key);
    const hasChildren = item.children.length > 0;
    const difference = item.before === undefined ? undefined : item.size - item.before;
    const line = h(
      'div',
      {
        class: `line${index === this.current ? ' current' : ''}`,
        role: 'row',
        'aria-level': depth + 1,
        ...(hasChildren && { 'aria-expanded': String(isOpen) }),
        title: `${item.name}: ${item.size.toLocaleString('en')} bytes, ${partText(item.size, parent.size)} of ${parent === this.whole ? 'the image' : parent.name}`,
        onclick: () => this.choose(index),
      },
      h(
        'span',
        { class: 'cell name' },
        h('span', { class: 'indent' }),
        icon(hasChildren ? (isOpen ? 'chevron-down' : 'chevron-right') : 'blank'),
        depth === 0 && h('span', { class: `swatch c${top % colours}` }),
        h('span', { class: 'text' }, shortName(item, parent), h('span', { class: 'muted' }, folderName(item, parent))),
      ),
      h('span', { class: 'cell share' }, h('span', { class: 'bar' })),
      h('span', { class: 'cell number' }, sizeText(item.size)),
      difference !== undefined && h('span', { class: 'cell number change' }, changeMark(difference)),
    );
    // Set here, as the page's policy allows no style attributes.
    line.querySelector<HTMLElement>('.indent')!.style.width = `${depth * 14}px`;
    line.querySelector<HTMLElement>('.bar')!.style.width = `${parent.size === 0 ? 0 : (item.size / parent.size) * 100}%`;
    return line;
  }

  private choose(index: number, toggle = true): void {
    const row = this.rows[index];
    if (!row) return;
    this.current = index;
    if (toggle && row.item.children.length > 0) {
      if (!this.open.delete(row.key)) this.open.add(row.key);
    }
    const path = row.key.split('\0').slice(1);
    // A leaf has nothing to be drawn: its group is shown.
    this.shown = row.item.children.length > 0 ? path : path.slice(0, -1);
    this.drawRows();
    this.drawMap();
  }

  private key(event: KeyboardEvent): void {
    const row = this.rows[this.current];
    const isOpen = row !== undefined && this.open.has(row.key);
    if (event.key === 'ArrowDown') this.move(1);
    else if (event.key === 'ArrowUp') this.move(-1);
    else if (event.key === 'ArrowRight' && row && !isOpen && row.item.children.length > 0) this.choose(this.current);
    else if (event.key === 'ArrowLeft' && isOpen) this.choose(this.current);
    else if (event.key === 'Enter' || event.key === ' ') this.choose(this.current);
    else return;
    event.preventDefault();
  }

  private move(by: number): void {
    this.current = Math.max(0, Math.min(this.rows.length - 1, this.current + by));
    this.drawRows();
    this.list.reveal(this.current);
  }

  private drawMap(): void {
    const { whole } = this;
    if (!whole) return;
    let group = whole;
    let top: number | undefined;
    const crumbs: HTMLElement[] = [this.crumb('image', [])];
    this.shown.forEach((name, at) => {
      const next = group.children.find((child) => child.name === name);
      if (!next) return;
      if (at === 0) top = group.children.indexOf(next);
      group = next;
      crumbs.push(this.crumb(name, this.shown.slice(0, at + 1)));
    });
    const library = this.grouping === 'byLibrary' ? this.shown[0] : undefined;
    this.trail.replaceChildren(
      ...crumbs,
      h('span', { class: 'muted' }, sizeText(group.size)),
      ...(library !== undefined && /^(lib|app)\w/.test(library)
        ? [h('button', { type: 'button', class: 'link', onclick: () => this.host.send({ type: 'show', library }) }, 'About this library')]
        : []),
    );
    const box = this.map.getBoundingClientRect();
    this.map.replaceChildren(...this.boxes(group, this.shown, { x: 0, y: 0, width: box.width, height: box.height }, top, 0));
  }

  private crumb(name: string, path: readonly string[]): HTMLElement {
    return h(
      'button',
      {
        type: 'button',
        class: 'link crumb',
        onclick: () => {
          this.shown = path;
          this.drawMap();
        },
        title: name,
      },
      pathOf.exec(name)?.[2] ?? name,
    );
  }

  /** Two levels of boxes: groups with their titles, and what is in them. */
  private boxes(group: SizeItem, path: readonly string[], space: Box, top: number | undefined, level: number): HTMLElement[] {
    const placed = squarify(
      group.children.map(({ size }) => size),
      space,
    );
    return group.children.flatMap((item, at) => {
      const box = placed[at];
      if (!box || box.width < leastBox || box.height < leastBox) return [];
      const own = [...path, item.name];
      const colour = top ?? at;
      const hasTitle = level === 0 && item.children.length > 0 && box.height > 2 * titleHeight && box.width > 40;
      const isLabelled = box.width > 44 && box.height > 16;
      const element = h(
        'div',
        {
          class: `box l${level} c${colour % colours} ${changeClass(item)}`,
          title: `${own.join(' › ')}\n${item.size.toLocaleString('en')} bytes, ${partText(item.size, group.size)} of ${group === this.whole ? 'the image' : group.name}${item.before === undefined ? '' : `\n${changeText(item.size - item.before)}`}`,
          onclick: (event: MouseEvent) => {
            event.stopPropagation();
            if (item.children.length > 0) this.shown = own;
            else this.host.send({ type: 'reveal', symbol: item.name });
            this.drawMap();
          },
        },
        isLabelled &&
          h(
            'span',
            { class: 'label' },
            shortName(item, group),
            box.width > 110 && h('span', { class: 'muted' }, ` ${sizeText(item.size)}`),
          ),
      );
      Object.assign(element.style, {
        left: `${box.x}px`,
        top: `${box.y}px`,
        width: `${Math.max(box.width - 1, 1)}px`,
        height: `${Math.max(box.height - 1, 1)}px`,
      });
      if (!hasTitle) return [element];
      const inside = { x: 2, y: titleHeight, width: box.width - 5, height: box.height - titleHeight - 3 };
      element.append(...this.boxes(item, own, inside, colour, level + 1));
      return [element];
    });
  }
}

/** Objects are named below their library; within it that says nothing. */
/** A path's last part; its folders are long, and what tells one file from another would be cut off behind them. */
const pathOf = /^([^\s()<>]+)\/([^\s/()<>]+)$/;

function insideOf({ name }: SizeItem, parent: SizeItem): string {
  return name.startsWith(`${parent.name}/`) ? name.slice(parent.name.length + 1) : name;
}

function shortName(item: SizeItem, parent: SizeItem): string {
  const name = insideOf(item, parent);
  return pathOf.exec(name)?.[2] ?? name;
}

/** What stands beside the short name: where the file is. */
function folderName(item: SizeItem, parent: SizeItem): string {
  const folder = pathOf.exec(insideOf(item, parent))?.[1];
  return folder === undefined ? '' : folder;
}

function changeClass({ size, before }: SizeItem): string {
  if (before === undefined) return '';
  return size > before ? 'grown' : size < before ? 'shrunk' : 'same';
}

function changeMark(bytes: number): HTMLElement {
  return h('span', { class: `delta ${bytes > 0 ? 'grown' : bytes < 0 ? 'shrunk' : 'same'}` }, changeText(bytes));
}

new Page(document.getElementById('page')!);
