/** The search field with its filters, and the buttons beside it. */
import { type State, type ToExtension } from '../../shared/config-editor';
import { h, icon, iconButton } from '../lib/dom';

/** Filters that a click adds or takes away. */
const filters: readonly { readonly token: string; readonly title: string; readonly hint: string }[] = [
  { token: '@changed', title: 'Changed', hint: 'Changed since the file was saved' },
  { token: '@modified', title: 'Not default', hint: 'Other than its default' },
  { token: '@new', title: 'New', hint: 'Not in the file' },
  { token: '@selected', title: 'Selected', hint: 'Selected by another option' },
  { token: '@invisible', title: 'Invisible', hint: 'Cannot be seen now' },
  { token: '@different', title: 'Different', hint: 'Other than in the configuration compared with' },
];

/** Typing pauses this long before a search, in milliseconds; long trees take a few of them. */
const pause = 40;

export interface SearchActions {
  readonly send: (message: ToExtension) => void;
  readonly focusTree: () => void;
  readonly help: () => void;
}

export class SearchBar {
  readonly element: HTMLElement;
  private readonly input: HTMLInputElement;
  private readonly count = h('span', { class: 'count', role: 'status' });
  private readonly clear: HTMLButtonElement;
  private readonly chips = new Map<string, HTMLButtonElement>();
  private readonly eye: HTMLButtonElement;
  private timer: number | undefined;
  private showAll = false;

  constructor(private readonly actions: SearchActions) {
    this.input = h('input', {
      class: 'search',
      type: 'text',
      spellcheck: 'false',
      placeholder: 'Search names, prompts, help and values   ( / )',
      'aria-label': 'Search options',
      'aria-controls': 'tree',
      oninput: () => this.later(),
      onkeydown: (event: KeyboardEvent) => this.key(event),
    });
    this.clear = iconButton('close', 'Clear search', () => this.set(''));
    const { send } = actions;
    this.eye = iconButton('eye-closed', 'Show all options, also invisible ones (Z)', () => this.toggleShowAll(), {
      'aria-pressed': 'false',
    });
    for (const { token, title, hint } of filters) {
      this.chips.set(
        token,
        h(
          'button',
          { type: 'button', class: 'chip', title: `${hint} (${token})`, 'aria-pressed': 'false', onclick: () => this.toggle(token) },
          title,
        ),
      );
    }
    this.element = h(
      'div',
      { class: 'bar', role: 'search' },
      h(
        'div',
        { class: 'bar-line' },
        h('div', { class: 'search-box' }, icon('search'), this.input, this.count, this.clear),
        h(
          'div',
          { class: 'actions', role: 'toolbar', 'aria-label': 'Configuration' },
          this.eye,
          iconButton('collapse-all', 'Fold all', () => send({ type: 'foldAll', open: false })),
          iconButton('expand-all', 'Unfold all', () => send({ type: 'foldAll', open: true })),
          iconButton('diff', 'Compare with a file or the last commit', () => send({ type: 'compare' })),
          iconButton('save-as', 'Save as defconfig', () => send({ type: 'saveDefconfig' })),
          iconButton('question', 'Keys and search filters (?)', actions.help),
        ),
      ),
      h('div', { class: 'chips', role: 'group', 'aria-label': 'Filters' }, ...this.chips.values()),
    );
  }

  show(state: State): void {
    if (document.activeElement !== this.input) this.input.value = state.query;
    this.clear.hidden = state.query === '' && this.input.value === '';
    this.showAll = state.showAll;
    this.eye.setAttribute('aria-pressed', String(state.showAll));
    this.eye.firstElementChild!.className = `codicon codicon-${state.showAll ? 'eye' : 'eye-closed'}`;
    const tokens = state.query.split(/\s+/);
    for (const [token, chip] of this.chips) chip.setAttribute('aria-pressed', String(tokens.includes(token)));
    this.chips.get('@different')!.hidden = state.comparison === undefined;
    const problem = state.queryError;
    this.input.setAttribute('aria-invalid', String(problem !== undefined));
    const count = problem ?? (state.found === undefined ? `${state.options} options` : `${state.found} found`);
    // Written only where it differs, as a screen reader says it each time.
    if (this.count.textContent !== count) this.count.textContent = count;
    this.count.classList.toggle('error', problem !== undefined);
  }

  focus(): void {
    this.input.focus();
    this.input.select();
  }

  /** True where there was something to clear. */
  leave(): boolean {
    if (this.input.value === '') return false;
    this.set('');
    return true;
  }

  toggleShowAll(): void {
    this.actions.send({ type: 'showAll', on: !this.showAll });
  }

  get query(): string {
    return this.input.value;
  }

  private set(query: string): void {
    this.input.value = query;
    this.send();
  }

  private toggle(token: string): void {
    const tokens = this.input.value.split(/\s+/).filter((each) => each !== '');
    this.set((tokens.includes(token) ? tokens.filter((each) => each !== token) : [...tokens, token]).join(' '));
  }

  private later(): void {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.send(), pause);
  }

  private send(): void {
    clearTimeout(this.timer);
    this.actions.send({ type: 'search', query: this.input.value });
  }

  private key(event: KeyboardEvent): void {
    if (event.key === 'ArrowDown' || event.key === 'Enter') {
      if (event.key === 'Enter') this.send();
      this.actions.focusTree();
    } else if (event.key === 'Escape') {
      if (!this.leave()) this.actions.focusTree();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
