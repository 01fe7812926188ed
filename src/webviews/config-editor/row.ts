/** One row of the configuration editor's tree: elements that are made once and then show row after row. */
import { type Row, type Tristate } from '../../shared/config-editor';
import { h } from '../lib/dom';

/** In CSS pixels; the list counts with it. */
export const rowHeight = 24;

export function rowId(row: Row): string {
  return `row-${row.id}`;
}

/** What was hit inside a row. */
export type RowPart = 'twistie' | 'control' | 'value' | 'row';

/** The part of a row that an event is about. */
export function partOf(target: Element): RowPart {
  if (target.closest('.twistie.foldable')) return 'twistie';
  if (target.closest('.box, .radio')) return 'control';
  return target.closest('.value.editable') ? 'value' : 'row';
}

/** A row's elements. Writing to the page costs more than comparing, so only what differs from the row shown before is written. */
export class RowView {
  readonly element = h('div', { role: 'treeitem' });
  private readonly indent = h('span', { class: 'indent', 'aria-hidden': 'true' });
  private readonly twistie = h('span', { 'aria-hidden': 'true' });
  private readonly control = h('span', { 'aria-hidden': 'true' });
  private readonly title = h('span', { class: 'title' });
  private readonly name = h('span', { class: 'name' });
  private readonly badges = h('span', { class: 'badges' });
  private readonly value = h('span');
  private readonly attributes = new Map<string, string>();
  private readonly texts = new Map<HTMLElement, string>();
  private readonly classes = new Map<HTMLElement, string>();
  private level = 0;
  private badgeKey = '';
  private row: Row | undefined;
  private selected = false;
  private index = -1;

  constructor() {
    this.element.append(this.indent, this.twistie, this.control, this.title, this.name, this.badges, this.value);
  }

  /** Shows a row. The same object means that nothing about it has changed. */
  show(row: Row, index: number, selected: boolean): void {
    if (index !== this.index) {
      this.index = index;
      this.element.style.transform = `translateY(${index * rowHeight}px)`;
      this.attribute('data-index', String(index));
    }
    if (row === this.row && selected === this.selected) return;
    this.row = row;
    this.selected = selected;
    this.describe(row, selected);
    if (row.level !== this.level) {
      this.level = row.level;
      this.indent.style.width = `${(row.level - 1) * 16}px`;
    }
    this.class(
      this.twistie,
      row.open === undefined ? 'twistie' : `twistie foldable codicon codicon-chevron-${row.open ? 'down' : 'right'}`,
    );
    this.class(this.control, controlClass(row));
    this.text(this.title, row.title);
    this.text(this.name, row.name !== undefined && row.name !== row.title ? row.name : '');
    this.showBadges(badgesOf(row));
    const value = valueOf(row);
    this.class(this.value, value?.kind ?? 'value none');
    this.text(this.value, value?.text ?? '');
  }

  private describe(row: Row, selected: boolean): void {
    const off = row.marks.includes('invisible') || row.marks.includes('context');
    const changed = row.marks.includes('changed');
    this.class(this.element, `row ${row.kind}${selected ? ' selected' : ''}${off ? ' off' : ''}${changed ? ' changed' : ''}`);
    this.attribute('id', rowId(row));
    this.attribute('data-name', row.name);
    this.attribute('aria-level', String(row.level));
    this.attribute('aria-posinset', String(row.position));
    this.attribute('aria-setsize', String(row.siblings));
    this.attribute('aria-selected', String(selected));
    this.attribute('aria-expanded', row.open === undefined ? undefined : String(row.open));
    this.attribute('aria-checked', checkedOf(row));
    this.attribute('aria-disabled', isFixed(row) ? 'true' : undefined);
    this.attribute('aria-label', spoken(row));
    this.attribute('title', row.reason);
  }

  private showBadges(badges: readonly Badge[]): void {
    const key = badges.map(({ kind, text }) => `${kind} ${text}`).join('\n');
    if (key === this.badgeKey) return;
    this.badgeKey = key;
    this.badges.replaceChildren(...badges.map(({ kind, text, title }) => h('span', { class: `badge ${kind}`, title }, text)));
  }

  private attribute(name: string, value: string | undefined): void {
    if (this.attributes.get(name) === value) return;
    if (value === undefined) {
      this.attributes.delete(name);
      this.element.removeAttribute(name);
    } else {
      this.attributes.set(name, value);
      this.element.setAttribute(name, value);
    }
  }

  private text(element: HTMLElement, text: string): void {
    if (this.texts.get(element) === text) return;
    this.texts.set(element, text);
    element.textContent = text;
  }

  private class(element: HTMLElement, name: string): void {
    if (this.classes.get(element) === name) return;
    this.classes.set(element, name);
    element.className = name;
  }
}

/** Whether the user has no say. */
export function isFixed(row: Row): boolean {
  if (row.accepts) return !row.accepts.some((value) => value !== row.value);
  return row.kind === 'option' && row.editable === false;
}

function controlClass(row: Row): string {
  if (row.kind === 'menu') return 'kind codicon codicon-list-tree';
  if (row.kind === 'comment') return 'kind codicon codicon-info';
  if (row.kind === 'choice') return 'kind codicon codicon-list-selection';
  if (row.type !== 'bool' && row.type !== 'tristate') return `kind codicon codicon-symbol-${row.type === 'string' ? 'string' : 'numeric'}`;
  const { value = 'n' } = row;
  if (row.kind === 'member') return `radio ${value}${row.accepts?.includes('y') === true ? '' : ' fixed'}`;
  return `box ${value}${isFixed(row) ? ' fixed' : ''}${value === 'y' ? ' codicon codicon-check' : ''}`;
}

interface Badge {
  readonly kind: string;
  readonly text: string;
  readonly title: string;
}

function badgesOf(row: Row): readonly Badge[] {
  const badges: Badge[] = [];
  const add = (kind: string, text: string, title: string): void => void badges.push({ kind, text, title });
  if (row.marks.includes('new')) add('new', 'new', 'Not in the file');
  if (row.marks.includes('selected')) add('selected', 'selected', row.reason ?? 'Another option selects it');
  else if (row.marks.includes('implied')) add('implied', 'implied', 'Another option implies it');
  if (row.marks.includes('different'))
    add('different', `other: ${row.other === '' ? 'empty' : (row.other ?? '')}`, 'The value in the configuration compared with');
  if (row.marks.includes('invisible') && row.reason !== undefined) add('reason', row.reason, row.reason);
  return badges;
}

/** The value at the end of the row: its text and its classes. */
function valueOf(row: Row): { readonly text: string; readonly kind: string } | undefined {
  if (row.kind === 'choice') return { text: row.value ?? '', kind: 'value' };
  if (row.value === undefined) return undefined;
  if (row.accepts) return row.value === 'm' ? { text: 'module', kind: 'value' } : undefined;
  const empty = row.value === '';
  const modified = row.marks.includes('modified') ? ' modified' : '';
  return {
    text: empty ? 'empty' : row.value,
    kind: `value text${row.editable ? ' editable' : ''}${empty ? ' empty' : ''}${modified}`,
  };
}

function checkedOf(row: Row): string | undefined {
  if (!row.accepts) return undefined;
  return row.value === 'y' ? 'true' : row.value === 'm' ? 'mixed' : 'false';
}

const spokenValues: Readonly<Record<Tristate, string>> = { n: 'off', m: 'module', y: 'on' };

function isTristate(value: string | undefined): value is Tristate {
  return value === 'n' || value === 'm' || value === 'y';
}

/** A value in words. */
export function spokenValue(row: Row): string {
  const { value = '' } = row;
  if (row.kind === 'choice') return value === '' ? 'nothing chosen' : value;
  if (row.accepts && isTristate(value)) return row.kind === 'member' ? (value === 'y' ? 'chosen' : 'not chosen') : spokenValues[value];
  return value === '' ? 'empty' : value;
}

/** What a screen reader says: title, value, name, and what is special. */
function spoken(row: Row): string {
  const parts = [row.title];
  if (row.kind === 'menu') parts.push('menu');
  if (row.kind === 'choice') parts.push('choice');
  if (row.kind === 'choice' || row.value !== undefined) parts.push(spokenValue(row));
  if (row.name !== undefined && row.name !== row.title) parts.push(row.name);
  for (const mark of row.marks) if (mark === 'changed' || mark === 'new') parts.push(mark);
  if (row.other !== undefined) parts.push(`${row.other === '' ? 'empty' : row.other} in the other configuration`);
  if (row.reason !== undefined) parts.push(row.reason);
  return parts.join(', ');
}
