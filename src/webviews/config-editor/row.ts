/** Draws one row of the configuration editor's tree. */
import { type Row, type Tristate } from '../../shared/config-editor';
import { h, icon } from '../lib/dom';

/** What a row tells of. */
export interface RowActions {
  readonly toggle: (row: Row) => void;
  readonly fold: (row: Row) => void;
  readonly edit: (row: Row) => void;
}

/** In CSS pixels; the list counts with it. */
export const rowHeight = 24;

const indent = 16;

export function rowId(row: Row): string {
  return `row-${row.id}`;
}

/** The row's element. */
export function drawRow(row: Row, selected: boolean, actions: RowActions): HTMLElement {
  const off = row.marks.includes('invisible') || row.marks.includes('context');
  const element = h(
    'div',
    {
      class: `row ${row.kind}${selected ? ' selected' : ''}${off ? ' off' : ''}${row.marks.includes('changed') ? ' changed' : ''}`,
      id: rowId(row),
      role: 'treeitem',
      'data-id': row.id,
      'data-name': row.name,
      'aria-level': row.level,
      'aria-posinset': row.position,
      'aria-setsize': row.siblings,
      'aria-selected': String(selected),
      'aria-expanded': row.open === undefined ? undefined : String(row.open),
      'aria-checked': checkedOf(row),
      'aria-disabled': isFixed(row) ? 'true' : undefined,
      'aria-label': spoken(row),
      title: row.reason,
    },
    h('span', { class: 'change-bar', 'aria-hidden': 'true' }),
    ...Array.from({ length: row.level - 1 }, () => h('span', { class: 'guide', 'aria-hidden': 'true' })),
    twistie(row, actions),
    control(row, actions),
    h('span', { class: 'title' }, row.title),
    row.name !== undefined && row.name !== row.title && h('span', { class: 'name' }, row.name),
    ...badges(row),
    h('span', { class: 'space' }),
    value(row, actions),
  );
  return element;
}

function twistie(row: Row, { fold }: RowActions): HTMLElement {
  if (row.open === undefined) return h('span', { class: 'twistie', 'aria-hidden': 'true' });
  const run = (event: Event): void => {
    event.stopPropagation();
    fold(row);
  };
  return h('span', { class: 'twistie foldable', 'aria-hidden': 'true', onclick: run }, icon(row.open ? 'chevron-down' : 'chevron-right'));
}

/** Whether the user has no say. */
export function isFixed(row: Row): boolean {
  if (row.accepts) return !row.accepts.some((value) => value !== row.value);
  return row.kind === 'option' && row.editable === false;
}

function control(row: Row, { toggle }: RowActions): HTMLElement | undefined {
  if (row.kind === 'menu') return h('span', { class: 'kind', 'aria-hidden': 'true' }, icon('list-tree'));
  if (row.kind === 'comment') return h('span', { class: 'kind', 'aria-hidden': 'true' }, icon('info'));
  if (row.kind === 'choice') return h('span', { class: 'kind', 'aria-hidden': 'true' }, icon('list-selection'));
  if (row.type !== 'bool' && row.type !== 'tristate') return h('span', { class: 'kind', 'aria-hidden': 'true' }, icon(iconOf(row)));
  const run = (event: Event): void => {
    event.stopPropagation();
    toggle(row);
  };
  const shape = row.kind === 'member' ? 'radio' : 'box';
  const fixed = row.kind === 'member' ? row.accepts?.includes('y') !== true : isFixed(row);
  const inside =
    row.kind === 'member' ? undefined : row.value === 'y' ? icon('check') : row.value === 'm' ? h('span', { class: 'module' }) : undefined;
  return h('span', { class: `${shape} ${row.value ?? ''}${fixed ? ' fixed' : ''}`, 'aria-hidden': 'true', onclick: run }, inside);
}

function iconOf(row: Row): string {
  return row.type === 'string' ? 'symbol-string' : 'symbol-numeric';
}

function badges(row: Row): HTMLElement[] {
  const out: HTMLElement[] = [];
  const add = (kind: string, text: string, title: string): void => void out.push(h('span', { class: `badge ${kind}`, title }, text));
  if (row.marks.includes('new')) add('new', 'new', 'Not in the file');
  if (row.marks.includes('selected')) add('selected', 'selected', row.reason ?? 'Another option selects it');
  else if (row.marks.includes('implied')) add('implied', 'implied', 'Another option implies it');
  if (row.marks.includes('different'))
    add('different', `other: ${row.other === '' ? 'empty' : (row.other ?? '')}`, 'The value in the configuration compared with');
  if (row.marks.includes('invisible') && row.reason !== undefined) add('reason', row.reason, row.reason);
  return out;
}

function value(row: Row, { edit }: RowActions): HTMLElement | undefined {
  if (row.kind === 'choice') return h('span', { class: 'value' }, row.value ?? '');
  if (row.value === undefined) return undefined;
  if (row.accepts) return row.value === 'm' ? h('span', { class: 'value' }, 'module') : undefined;
  const text = row.value === '' ? 'empty' : row.value;
  const run = (event: Event): void => {
    event.stopPropagation();
    edit(row);
  };
  const modified = row.marks.includes('modified') ? ' modified' : '';
  return h(
    'span',
    {
      class: `value text${row.editable ? ' editable' : ''}${row.value === '' ? ' empty' : ''}${modified}`,
      onclick: row.editable ? run : undefined,
    },
    text,
  );
}

function checkedOf(row: Row): string | undefined {
  if (!row.accepts) return undefined;
  return row.value === 'y' ? 'true' : row.value === 'm' ? 'mixed' : 'false';
}

const spokenValues: Readonly<Record<Tristate, string>> = { n: 'off', m: 'module', y: 'on' };

function isTristate(value: string | undefined): value is Tristate {
  return value === 'n' || value === 'm' || value === 'y';
}

/** What a screen reader says: title, value, name, and what is special. */
function spoken(row: Row): string {
  const parts = [row.title];
  if (row.kind === 'menu') parts.push('menu');
  if (row.kind === 'choice') parts.push(`choice, ${row.value === '' ? 'nothing chosen' : (row.value ?? '')}`);
  else if (row.accepts && isTristate(row.value))
    parts.push(row.kind === 'member' ? (row.value === 'y' ? 'chosen' : 'not chosen') : spokenValues[row.value]);
  else if (row.value !== undefined) parts.push(row.value === '' ? 'empty' : row.value);
  if (row.name !== undefined && row.name !== row.title) parts.push(row.name);
  for (const mark of row.marks) if (mark === 'changed' || mark === 'new') parts.push(mark);
  if (row.other !== undefined) parts.push(`${row.other === '' ? 'empty' : row.other} in the other configuration`);
  if (row.reason !== undefined) parts.push(row.reason);
  return parts.join(', ');
}

/** How far a row is indented, in CSS pixels, for the field that is laid over it. */
export function rowIndent(row: Row): number {
  return (row.level - 1) * indent;
}
