/** The configuration editor's page: search above, the tree and its details below, messages to and from the extension. */
import '@vscode/codicons/dist/codicon.css';
import '@vscode-elements/elements/dist/vscode-split-layout/index.js';
import './style.css';
import {
  type Banner,
  type ChangeView,
  type Crumb,
  type Details,
  type EffectView,
  type Row,
  type State,
  type ToExtension,
  type ToPage,
} from '../../shared/config-editor';
import { h, icon, iconButton } from '../lib/dom';
import { Host } from '../lib/host';
import { changeList, DetailsPane } from './details';
import { helpDialog } from './help';
import { SearchBar } from './search-bar';
import { spokenValue } from './row';
import { Tree } from './tree';

interface Kept {
  readonly query: string;
  readonly showAll: boolean;
}

/** Notices without changes go away by themselves after this long, in milliseconds. */
const noticeTime = 6000;
/** A page narrower than this, in CSS pixels, has its details below the tree. */
const narrow = 720;

class Page {
  private readonly host = new Host<ToExtension, ToPage, Kept>();
  private readonly send = (message: ToExtension): void => this.host.send(message);
  private readonly help = helpDialog(() => this.tree.focus());
  private readonly search = new SearchBar({ send: this.send, focusTree: () => this.tree.focus(), help: () => this.help.showModal() });
  private readonly details = new DetailsPane(this.send);
  private readonly tree = new Tree({
    send: this.send,
    focusSearch: () => this.search.focus(),
    help: () => this.help.showModal(),
    toggleShowAll: () => this.search.toggleShowAll(),
    leave: () => this.leave(),
    refuse: (text) => this.notice(text, 'warning', []),
  });
  private readonly banners = h('div', { class: 'banners' });
  private readonly trail = h('nav', { class: 'trail', 'aria-label': 'Menus above the selected option' });
  private readonly notices = h('div', { class: 'notices', role: 'status', 'aria-live': 'polite' });
  /** What a screen reader is told of a change that is only seen. */
  private readonly said = h('div', { class: 'sr', role: 'status', 'aria-live': 'polite' });
  private readonly empty = h('p', { class: 'nothing', hidden: true });
  private bannerKey = '';
  private state: State | undefined;
  private timer: number | undefined;
  private started = false;

  constructor(private readonly root: HTMLElement) {
    const split = document.createElement('vscode-split-layout');
    split.setAttribute('initial-handle-position', '62%');
    split.setAttribute('reset-on-dbl-click', '');
    const left = h('div', { class: 'pane', slot: 'start' }, this.trail, this.empty, this.tree.element);
    const right = h('div', { class: 'pane', slot: 'end' }, this.details.element);
    split.append(left, right);
    root.append(this.search.element, this.banners, split, this.notices, this.said, this.help);
    new ResizeObserver(() => {
      const wanted = root.clientWidth < narrow ? 'horizontal' : 'vertical';
      if (split.getAttribute('split') === wanted) return;
      split.setAttribute('split', wanted);
      // One above the other they share what height there is, which on an enlarged page is little.
      split.setAttribute('min-start', wanted === 'vertical' ? '180px' : '45%');
      split.setAttribute('min-end', wanted === 'vertical' ? '160px' : '25%');
    }).observe(root);
    this.host.listen((message) => this.receive(message));
    const { query = '', showAll = false } = this.host.kept;
    this.send({ type: 'ready', query, showAll });
  }

  private receive(message: ToPage): void {
    switch (message.type) {
      case 'state':
        this.show(message.state);
        this.showTree(message.state, message.start, message.rows, message.scroll);
        if (!this.started) {
          this.started = true;
          this.tree.focus();
        }
        return;
      case 'rows':
        return this.tree.add(message.revision, message.start, message.rows);
      case 'details':
        this.details.show(message.details, this.state?.generation ?? 0);
        return this.showTrail(message.details);
      case 'cost':
        return this.details.showCost(message.name, message.cost);
      case 'plans':
        return this.details.showPlans(message.plans);
      case 'review':
        return this.review(message.name, message.effect);
      case 'notice':
        return this.notice(message.text, message.severity, message.changes);
      case 'focusSearch':
        return this.search.focus();
      case 'failed':
        return this.failed(message.text);
    }
  }

  private show(state: State): void {
    this.state = state;
    this.host.keep({ query: state.query, showAll: state.showAll });
    this.search.show(state);
    this.showBanners(state);
    this.empty.hidden = state.total > 0;
    this.empty.textContent = state.query === '' ? 'The configuration has no options.' : 'Nothing was found.';
    document.title = state.title;
  }

  /** Draws the tree, and says the selected option's value where that has changed. */
  private showTree(state: State, start: number, rows: readonly Row[], scroll: boolean): void {
    const before = this.tree.selectedRow;
    this.tree.show(state, start, rows, scroll);
    const now = this.tree.selectedRow;
    if (now && now.id === before?.id && now.value !== before.value) this.said.textContent = `${now.title}: ${spokenValue(now)}`;
  }

  /** Draws the banners anew where they differ from those that are there, as a screen reader says them each time. */
  private showBanners({ banners, comparison }: State): void {
    const key = JSON.stringify([banners, comparison]);
    if (key === this.bannerKey) return;
    this.bannerKey = key;
    const within = this.banners.contains(document.activeElement);
    this.banners.replaceChildren(...banners.map((banner) => this.banner(banner)), ...(comparison ? [this.comparison(comparison)] : []));
    if (within) this.tree.focus();
  }

  private banner({ severity, text, place, action }: Banner): HTMLElement {
    return h(
      'div',
      { class: `banner ${severity}`, role: severity === 'information' ? 'note' : 'alert' },
      icon(severity === 'information' ? 'info' : severity),
      h('span', { class: 'grow' }, text),
      place &&
        h(
          'button',
          { type: 'button', class: 'link', onclick: () => this.send({ type: 'open', path: place.path, line: place.line }) },
          place.label,
        ),
      action && h('button', { type: 'button', class: 'link', onclick: () => this.send(action.message) }, action.title),
    );
  }

  private comparison({ name, different }: NonNullable<State['comparison']>): HTMLElement {
    return h(
      'div',
      { class: 'banner comparison', role: 'note' },
      icon('diff'),
      h(
        'span',
        { class: 'grow' },
        `Compared with ${name}: ${different === 0 ? 'no difference' : different === 1 ? '1 option differs' : `${different} options differ`}.`,
      ),
      different > 0 &&
        h('button', { type: 'button', class: 'link', onclick: () => this.send({ type: 'search', query: '@different' }) }, 'Show'),
      iconButton('close', 'End the comparison', () => this.send({ type: 'endComparison' })),
    );
  }

  private showTrail(details: Details | undefined): void {
    const crumbs: readonly Crumb[] = details?.crumbs ?? [];
    const go = (crumb: Crumb): void => this.send({ type: 'select', node: crumb.id, generation: this.state?.generation ?? 0 });
    this.trail.replaceChildren(
      h('span', { class: 'crumb root' }, this.state?.title ?? ''),
      ...crumbs.flatMap((crumb) => [
        icon('chevron-right'),
        h(
          'button',
          {
            type: 'button',
            class: 'crumb link',
            onclick: () => {
              go(crumb);
              this.tree.focus();
            },
          },
          crumb.title,
        ),
      ]),
    );
  }

  /** Esc in the tree: first the notice goes, then the search. */
  private leave(): boolean {
    if (this.notices.childElementCount > 0) {
      this.notices.replaceChildren();
      return true;
    }
    return this.search.leave();
  }

  private notice(text: string, severity: 'information' | 'warning', changes: readonly ChangeView[]): void {
    clearTimeout(this.timer);
    const others = changes.length === 0 ? '' : ` ${changes.length} other ${changes.length === 1 ? 'option' : 'options'} changed.`;
    this.notices.replaceChildren(
      h(
        'div',
        { class: `notice ${severity}` },
        icon(severity === 'warning' ? 'warning' : 'info'),
        changes.length === 0
          ? h('span', { class: 'grow' }, text)
          : h(
              'details',
              { class: 'grow' },
              h('summary', {}, `${text}${others}`),
              changeList(changes, changes.length, (name) => this.send({ type: 'reveal', name })),
            ),
        iconButton('close', 'Close', () => {
          this.notices.replaceChildren();
          this.tree.focus();
        }),
      ),
    );
    this.timer = window.setTimeout(() => {
      // Not from under somebody who reads it.
      if (!this.notices.querySelector('details[open]') && !this.notices.contains(document.activeElement)) this.notices.replaceChildren();
    }, noticeTime);
  }

  /** Shows what a change would change, and asks. */
  private review(name: string, effect: EffectView): void {
    const answer = (apply: boolean): void => {
      dialog.close();
      this.send({ type: 'confirm', apply });
    };
    const dialog = h(
      'dialog',
      { class: 'review', 'aria-label': `Change ${name}` },
      h('h3', {}, `${name} = ${effect.value} changes ${effect.count} other ${effect.count === 1 ? 'option' : 'options'}`),
      h(
        'div',
        { class: 'review-list' },
        changeList(effect.changes, effect.count, () => undefined),
        ...effect.warnings.map((text) => h('p', { class: 'warning' }, icon('warning'), ` ${text}`)),
      ),
      h(
        'div',
        { class: 'review-buttons' },
        h('button', { type: 'button', class: 'button', autofocus: true, onclick: () => answer(true) }, 'Apply'),
        h('button', { type: 'button', class: 'button secondary', onclick: () => answer(false) }, 'Cancel'),
      ),
    );
    // Esc, which closes the dialog by itself.
    dialog.addEventListener('cancel', () => this.send({ type: 'confirm', apply: false }));
    dialog.addEventListener('close', () => {
      dialog.remove();
      this.tree.focus();
    });
    this.root.append(dialog);
    dialog.showModal();
  }

  private failed(text: string): void {
    this.root.replaceChildren(
      h(
        'div',
        { class: 'failed', role: 'alert' },
        h('p', {}, text),
        h('button', { type: 'button', class: 'button', onclick: () => this.send({ type: 'openText' }) }, 'Open as Text'),
      ),
    );
  }
}

const root = document.getElementById('page');
if (root) new Page(root);
