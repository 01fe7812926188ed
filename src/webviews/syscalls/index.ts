/** The page of system calls: a filter above, a long list of which only the rows in sight exist, and the chosen call in full below. */
import '@vscode/codicons/dist/codicon.css';
import './style.css';
import { type EventDetails } from '../../../debug-adapter/dap/custom';
import { type RowsMessage, type ToExtension, type ToPage } from './messages';
import { h, icon, iconButton } from '../lib/dom';
import { Host } from '../lib/host';
import { VirtualList } from '../lib/virtual-list';
import { DetailsPane } from './details';
import { createRow } from './row';
import { SummaryTable } from './summary';

interface Kept {
  readonly filter: string;
  readonly summary: boolean;
}

const rowHeight = 22;
/** The page's scroll height is bounded by what engines can do (some 33 million CSS pixels): a million rows fit. */
const mostRows = 1_400_000;
/** Pause in typing after which the filter is applied, milliseconds. */
const typingPause = 150;
/** Filters of one click. */
const chips: readonly (readonly [word: string, label: string])[] = [
  ['syscalls', 'calls'],
  ['failed', 'failed'],
  ['-ENOSYS', 'missing'],
  ['%file', 'files'],
  ['%desc', 'descriptors'],
  ['%network', 'network'],
  ['%memory', 'memory'],
  ['%process', 'process'],
  ['tls,switch', 'TLS'],
  ['ectx', 'registers'],
  ['irq,exception', 'interrupts'],
];

const host = new Host<ToExtension, ToPage, Kept>();

class Page {
  #filter = host.kept.filter ?? '';
  #summary = host.kept.summary ?? false;
  #selected: number | undefined;
  #last: RowsMessage | undefined;
  /** The newest row stays in sight. */
  #following = true;
  #timer: ReturnType<typeof setTimeout> | undefined;

  readonly #input = h('input', {
    type: 'text',
    class: 'filter',
    placeholder: 'Filter: write, open*, %file, -ENOENT, failed, thread:main, !tls',
    'aria-label': 'Filter',
    spellcheck: 'false',
    value: this.#filter,
    oninput: () => this.#typed(),
  });
  readonly #count = h('span', { class: 'count', role: 'status' });
  readonly #chips = h('div', { class: 'chips', role: 'group', 'aria-label': 'Quick filters' });
  readonly #canvas = h('div', { class: 'canvas' });
  readonly #viewport = h(
    'div',
    {
      class: 'viewport',
      tabindex: '0',
      role: 'listbox',
      'aria-label': 'System calls and events',
      onkeydown: (event: KeyboardEvent) => this.#key(event),
      onscroll: () => this.#scrolled(),
    },
    this.#canvas,
  );
  readonly #follow = iconButton('arrow-down', 'Follow the newest', () => this.#toEnd(), { class: 'icon-button follow' });
  readonly #empty = h('div', { class: 'empty', hidden: true });
  readonly #details = new DetailsPane({
    go: (sequence) => host.send({ kind: 'go', sequence, open: true }),
    travel: (sequence) => host.send({ kind: 'travel', sequence }),
    provider: (name) => host.send({ kind: 'provider', name }),
    close: () => this.#select(undefined),
  });
  readonly #table = new SummaryTable((name) => this.#apply(name));
  readonly #list = new VirtualList<EventDetails>({
    viewport: this.#viewport,
    canvas: this.#canvas,
    rowHeight,
    keyOf: (event) => event.sequence,
    create: () =>
      createRow(rowHeight, {
        isSelected: (event) => event.sequence === this.#selected,
        select: (event) => this.#select(event),
        travel: ({ sequence }) => host.send({ kind: 'travel', sequence }),
      }),
    request: (start, end) => host.send({ kind: 'window', filter: this.#filter, start, count: end - start }),
  });

  constructor(root: HTMLElement) {
    root.append(
      h('div', { class: 'bar' }, h('div', { class: 'box' }, icon('filter'), this.#input, this.#count), this.#chips),
      this.#empty,
      this.#table.element,
      h('div', { class: 'list' }, this.#viewport, this.#follow),
      this.#details.element,
    );
    this.#drawChips();
    host.listen((message) => this.#receive(message));
    host.send({ kind: 'ready' });
    this.#ask();
    this.#showSummary(this.#summary);
  }

  #receive(message: ToPage): void {
    switch (message.kind) {
      case 'rows':
        return this.#rows(message);
      case 'summary':
        return this.#table.show(message.rows);
      case 'empty':
        this.#empty.hidden = false;
        this.#empty.replaceChildren(h('p', {}, message.text));
        if (message.settings)
          this.#empty.append(h('button', { class: 'link', onclick: () => host.send({ kind: 'settings' }) }, 'Open Settings'));
        this.#list.reset(0, 0, []);
        this.#last = undefined;
        this.#count.textContent = '';
        return this.#select(undefined);
      case 'place':
        return this.#details.place(message.sequence, message.text);
      case 'command':
        if (message.command === 'focusFilter') this.#input.focus();
        else if (message.command === 'clearFilter') this.#apply('');
        else this.#showSummary(!this.#summary);
    }
  }

  #rows(message: RowsMessage): void {
    // An answer to a filter that is no more.
    if (message.filter !== this.#filter) return;
    this.#empty.hidden = true;
    const before = this.#last;
    this.#last = message;
    const total = Math.min(message.total, mostRows);
    const moved = before === undefined ? 0 : message.dropped - before.dropped;
    const end = message.start + message.events.length;
    const known = [...this.#list.known()].map(([index, event]) => [index - moved, event] as const);
    // What is new wins: calls that were open have returned.
    this.#list.reset(total, message.start, message.events);
    for (const [index, event] of known)
      if (index >= 0 && index < total && (index < message.start || index >= end)) this.#list.add(index, [event]);
    this.#details.stopped = message.stopped;
    document.body.classList.toggle('stopped', message.stopped);
    const lost = message.lost > 0 ? `, oldest ${message.lost.toLocaleString('en-US')} no longer kept` : '';
    this.#count.textContent = message.partial ? `${count(message.total)}…` : count(message.total);
    this.#count.title = `${message.total.toLocaleString('en-US')} of ${message.recorded.toLocaleString('en-US')} events${lost}`;
    this.#count.classList.toggle('lossy', message.lost > 0);
    if (this.#following) this.#toEnd();
    // An open call that was chosen may have returned.
    const chosen = message.events.find(({ sequence }) => sequence === this.#selected);
    if (chosen !== undefined) this.#details.show(chosen);
  }

  #ask(): void {
    const { start, end } = this.#list.range;
    host.send({
      kind: 'window',
      filter: this.#filter,
      start: this.#following ? Number.MAX_SAFE_INTEGER : start,
      count: Math.max(end - start, 60),
    });
    if (this.#summary) host.send({ kind: 'summary', filter: this.#filter, shown: true });
  }

  #typed(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#apply(this.#input.value.trim()), typingPause);
  }

  #apply(filter: string): void {
    if (this.#input.value.trim() !== filter) this.#input.value = filter;
    this.#filter = filter;
    this.#following = true;
    this.#last = undefined;
    this.#list.reset(0, 0, []);
    host.keep({ filter });
    this.#drawChips();
    this.#ask();
  }

  #drawChips(): void {
    const words = this.#filter.split(/\s+/);
    this.#chips.replaceChildren(
      ...chips.map(([word, label]) => {
        const on = words.includes(word);
        return h(
          'button',
          {
            type: 'button',
            class: on ? 'chip on' : 'chip',
            title: word,
            'aria-pressed': String(on),
            onclick: () => this.#apply((on ? words.filter((each) => each !== word) : [...words, word]).join(' ').trim()),
          },
          label,
        );
      }),
    );
  }

  #showSummary(shown: boolean): void {
    this.#summary = shown;
    host.keep({ summary: shown });
    document.body.classList.toggle('summary', shown);
    host.send({ kind: 'summary', filter: this.#filter, shown });
  }

  #select(event: EventDetails | undefined): void {
    this.#selected = event?.sequence;
    this.#details.show(event);
    if (event !== undefined) {
      this.#following = this.#following && this.#atEnd();
      host.send({ kind: 'go', sequence: event.sequence, open: true });
    }
    this.#list.draw();
  }

  #key(event: KeyboardEvent): void {
    const rows = [...this.#list.known()].sort(([a], [b]) => a - b);
    const at = rows.find(([, each]) => each.sequence === this.#selected)?.[0];
    const total = this.#last?.total ?? 0;
    const page = this.#list.page;
    const steps: Readonly<Record<string, number>> = { ArrowUp: -1, ArrowDown: 1, PageUp: -page, PageDown: page, Home: -total, End: total };
    const step = steps[event.key];
    if (step !== undefined) {
      const from = at ?? (step > 0 ? this.#list.range.start - 1 : this.#list.range.end);
      const index = Math.min(Math.max(from + step, 0), total - 1);
      this.#following = index === total - 1;
      this.#list.reveal(index);
      const item = this.#list.item(index);
      if (item !== undefined) this.#select(item);
      event.preventDefault();
    } else if (event.key === 'Enter' && this.#selected !== undefined) {
      host.send(event.ctrlKey ? { kind: 'travel', sequence: this.#selected } : { kind: 'go', sequence: this.#selected, open: true });
    } else if (event.key === 'Escape') this.#select(undefined);
  }

  #atEnd(): boolean {
    const { scrollTop, clientHeight, scrollHeight } = this.#viewport;
    return scrollTop + clientHeight >= scrollHeight - rowHeight;
  }

  #scrolled(): void {
    this.#following = this.#atEnd();
    this.#follow.hidden = this.#following;
  }

  #toEnd(): void {
    this.#following = true;
    this.#follow.hidden = true;
    this.#viewport.scrollTop = this.#viewport.scrollHeight;
    this.#list.draw();
  }
}

/** `12,345` or `1.2 M`. */
const count = (total: number): string => (total < 1e6 ? total.toLocaleString('en-US') : `${(total / 1e6).toFixed(1)} M`);

const root = document.getElementById('page');
if (root !== null) new Page(root);
