/** The tree of options: a virtual list with a tree's roles and menuconfig's keys. */
import { type Row, type State, type ToExtension, type Tristate } from '../../shared/config-editor';
import { h } from '../lib/dom';
import { type RowSlot, VirtualList } from '../lib/virtual-list';
import { isFixed, partOf, rowHeight, rowId, RowView } from './row';
import { inputProblem } from './validate';

/** What the tree asks of the page around it. */
export interface TreeActions {
  readonly send: (message: ToExtension) => void;
  readonly focusSearch: () => void;
  readonly help: () => void;
  readonly toggleShowAll: () => void;
  /** Esc: true where something was left. */
  readonly leave: () => boolean;
  /** Why a change cannot be made. */
  readonly refuse: (text: string) => void;
}

const cycle: readonly Tristate[] = ['n', 'm', 'y'];

export class Tree {
  readonly element: HTMLElement;
  private readonly canvas: HTMLElement;
  private readonly list: VirtualList<Row>;
  private state: State | undefined;
  private selected: number | undefined;
  private selectedIndex = -1;
  private editor: { readonly row: Row; readonly element: HTMLElement } | undefined;

  constructor(private readonly actions: TreeActions) {
    this.canvas = h('div', { class: 'canvas', role: 'presentation' });
    this.element = h(
      'div',
      {
        class: 'tree',
        role: 'tree',
        tabindex: '0',
        'aria-label': 'Configuration',
        id: 'tree',
        onkeydown: (event: KeyboardEvent) => this.key(event),
      },
      this.canvas,
    );
    this.canvas.addEventListener('click', (event) => this.clicked(event));
    this.canvas.addEventListener('dblclick', (event) => this.doubleClicked(event));
    this.list = new VirtualList<Row>({
      viewport: this.element,
      canvas: this.canvas,
      rowHeight,
      keyOf: (row) => row.id,
      create: () => this.slot(),
      request: (start, end) => actions.send({ type: 'view', start, end }),
    });
  }

  /** Another state of the tree. */
  show(state: State, start: number, rows: readonly Row[], scroll: boolean): void {
    this.state = state;
    this.selected = state.selected;
    this.selectedIndex = state.selectedIndex;
    if (this.editor && !rows.some((row) => row.id === this.editor?.row.id && row.editable)) this.closeEditor(false);
    this.list.reset(state.total, start, rows);
    if (scroll && state.selectedIndex >= 0) this.list.reveal(state.selectedIndex);
    this.markActive();
  }

  add(revision: number, start: number, rows: readonly Row[]): void {
    if (revision !== this.state?.revision) return;
    this.list.add(start, rows);
    this.markActive();
  }

  focus(): void {
    this.element.focus();
  }

  /** The first row in sight, for the trail of menus above it. */
  get selectedRow(): Row | undefined {
    return this.list.item(this.selectedIndex);
  }

  private slot(): RowSlot<Row> {
    const view = new RowView();
    return { element: view.element, show: (row, index) => view.show(row, index, row.id === this.selected) };
  }

  private markActive(): void {
    const row = this.selectedRow;
    if (row) this.element.setAttribute('aria-activedescendant', rowId(row));
    else this.element.removeAttribute('aria-activedescendant');
  }

  // The pointer

  private indexOf(event: Event): number {
    const target = event.target instanceof Element ? event.target.closest<HTMLElement>('.row') : null;
    return target ? Number(target.dataset['index']) : -1;
  }

  private clicked(event: Event): void {
    const index = this.indexOf(event);
    const row = this.list.item(index);
    if (!row || !(event.target instanceof Element)) return;
    this.element.focus({ preventScroll: true });
    const part = partOf(event.target);
    if (part === 'twistie') return this.fold(row, row.open !== true);
    this.moveTo(index);
    if (part === 'control') this.toggle(row);
    else if (part === 'value') this.edit(row);
  }

  private doubleClicked(event: Event): void {
    const row = this.list.item(this.indexOf(event));
    const part = event.target instanceof Element ? partOf(event.target) : 'row';
    if (part === 'row' && row?.open !== undefined) this.fold(row, !row.open);
  }

  // The selection

  private moveTo(index: number): void {
    const row = this.list.item(index);
    this.list.reveal(index);
    if (!row || !this.state) return;
    this.selected = row.id;
    this.selectedIndex = index;
    this.list.draw();
    this.markActive();
    this.actions.send({ type: 'select', node: row.id, generation: this.state.generation });
  }

  private moveBy(count: number): void {
    const total = this.state?.total ?? 0;
    if (total === 0) return;
    const from = this.selectedIndex < 0 ? (count > 0 ? -1 : total) : this.selectedIndex;
    this.moveTo(Math.max(0, Math.min(total - 1, from + count)));
  }

  private toParent(): void {
    const row = this.selectedRow;
    if (!row || row.level === 1) return;
    for (let index = this.selectedIndex - 1; index >= 0; index--) {
      const above = this.list.item(index);
      // The rows between may be out of reach; then the extension would have to say where the parent is.
      if (!above) return this.moveTo(Math.max(0, this.selectedIndex - row.position));
      if (above.level < row.level) return this.moveTo(index);
    }
  }

  // Changes

  private fold(row: Row, open: boolean): void {
    if (this.state) this.actions.send({ type: 'fold', node: row.id, generation: this.state.generation, open });
  }

  private set(row: Row, value: string): void {
    if (this.state) this.actions.send({ type: 'set', node: row.id, generation: this.state.generation, value });
  }

  /** The next value that the row takes. */
  private toggle(row: Row): void {
    if (!row.accepts) return this.edit(row);
    if (row.kind === 'member') {
      if (row.value !== 'y') this.set(row, 'y');
      return;
    }
    if (isFixed(row))
      return this.actions.refuse(`${row.name ?? row.title} stays ${row.value}: ${row.reason ?? 'it takes no other value now'}.`);
    const at = cycle.findIndex((value) => value === row.value);
    for (let step = 1; step <= cycle.length; step++) {
      const next = cycle[(at + step) % cycle.length]!;
      if (row.accepts.includes(next)) return this.set(row, next);
    }
  }

  private enter(row: Row): void {
    if (row.kind === 'menu' || row.kind === 'choice') {
      if (row.open === false) this.fold(row, true);
      else if (row.open) this.moveBy(1);
    } else if (row.accepts && row.open !== undefined) this.fold(row, !row.open);
    else if (row.kind !== 'comment') this.toggle(row);
  }

  /** Lays a field over the row's value. */
  private edit(row: Row): void {
    if (!row.editable || !this.state) {
      if (row.kind === 'option') this.actions.refuse(`${row.name ?? row.title} cannot be changed: ${row.reason ?? 'it is computed'}.`);
      return;
    }
    this.closeEditor(false);
    const hint = row.low !== undefined ? `Values from ${row.low} to ${row.high ?? ''}` : '';
    const problem = h('div', { class: 'field-problem', role: 'alert', id: 'field-problem' });
    const input = h('input', {
      class: 'field',
      type: 'text',
      spellcheck: 'false',
      'aria-label': `${row.title}, ${row.name ?? ''}`,
      'aria-describedby': 'field-problem',
    });
    input.value = row.value ?? '';
    const check = (): string | undefined => {
      const text = inputProblem(row, input.value);
      input.setAttribute('aria-invalid', String(text !== undefined));
      problem.textContent = text ?? hint;
      problem.classList.toggle('hint', text === undefined);
      return text;
    };
    const element = h('div', { class: 'field-box' }, h('div', { class: 'field-frame' }, input, problem));
    element.style.transform = `translateY(${this.selectedIndex * rowHeight}px)`;
    input.addEventListener('input', check);
    input.addEventListener('keydown', (event) => {
      event.stopPropagation();
      if (event.key === 'Escape') this.closeEditor(true);
      else if (event.key === 'Enter' && check() === undefined) {
        const { value } = input;
        this.closeEditor(true);
        if (value !== row.value) this.set(row, value);
      }
    });
    input.addEventListener('blur', () => {
      if (this.editor?.element !== element) return;
      const { value } = input;
      const good = check() === undefined;
      this.closeEditor(false);
      if (good && value !== row.value) this.set(row, value);
    });
    this.editor = { row, element };
    this.canvas.append(element);
    check();
    input.focus();
    input.select();
  }

  private closeEditor(focus: boolean): void {
    const { editor } = this;
    if (!editor) return;
    this.editor = undefined;
    editor.element.remove();
    if (focus) this.focus();
  }

  // Keys

  private key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const row = this.selectedRow;
    if (!this.keyFor(event.key, row)) return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** True where the key means something here. */
  private keyFor(key: string, row: Row | undefined): boolean {
    switch (key) {
      case 'ArrowDown':
      case 'j':
        this.moveBy(1);
        return true;
      case 'ArrowUp':
      case 'k':
        this.moveBy(-1);
        return true;
      case 'PageDown':
        this.moveBy(this.list.page);
        return true;
      case 'PageUp':
        this.moveBy(-this.list.page);
        return true;
      case 'Home':
        this.moveTo(0);
        return true;
      case 'End':
        this.moveTo((this.state?.total ?? 1) - 1);
        return true;
      case 'ArrowRight':
        if (row?.open === false) this.fold(row, true);
        else if (row?.open) this.moveBy(1);
        return true;
      case 'ArrowLeft':
        if (row?.open) this.fold(row, false);
        else this.toParent();
        return true;
      case 'Enter':
        if (row) this.enter(row);
        return true;
      case ' ':
        if (row?.open !== undefined && !row.accepts) this.fold(row, !row.open);
        else if (row) this.toggle(row);
        return true;
      case 'y':
      case 'm':
      case 'n':
      case 'Y':
      case 'M':
      case 'N':
        if (row?.accepts) this.set(row, key.toLowerCase());
        return true;
      case '/':
        this.actions.focusSearch();
        return true;
      case '?':
      case 'h':
        this.actions.help();
        return true;
      case 'z':
      case 'Z':
        this.actions.toggleShowAll();
        return true;
      case 'Escape':
        if (!this.actions.leave()) this.toParent();
        return true;
      default:
        return false;
    }
  }
}
