/** One row of the list: what was called with what, and what came of it; other events are thin notes between. */
import { type EventDetails } from '../../../debug-adapter/dap/custom';
import { h, icon } from '../lib/dom';
import { type RowSlot } from '../lib/virtual-list';

export interface RowActions {
  isSelected(event: EventDetails): boolean;
  select(event: EventDetails): void;
  travel(event: EventDetails): void;
}

/** Icon by class, the most telling one first. */
const classIcons: readonly (readonly [string, string])[] = [
  ['file', 'file'],
  ['network', 'globe'],
  ['memory', 'database'],
  ['process', 'server-process'],
  ['signal', 'zap'],
  ['time', 'watch'],
  ['sched', 'arrow-swap'],
  ['ipc', 'link'],
  ['creds', 'key'],
  ['system', 'gear'],
  ['desc', 'symbol-file'],
];

const otherIcons: Readonly<Record<Exclude<EventDetails['kind'], 'syscall'>, string>> = {
  segmentBase: 'layers',
  extendedState: 'save',
  threadSwitch: 'arrow-swap',
  interrupt: 'zap',
  interruptReturn: 'reply',
  exception: 'warning',
};

/** The elements of a row, which show one event after another. */
export function createRow(rowHeight: number, actions: RowActions): RowSlot<EventDetails> {
  const element = h('div', { role: 'option' });
  let shown: EventDetails | undefined;
  let state = '';
  element.addEventListener('click', () => shown !== undefined && actions.select(shown));
  element.addEventListener('dblclick', () => shown !== undefined && actions.travel(shown));
  return {
    element,
    show(event, index) {
      shown = event;
      element.style.transform = `translateY(${index * rowHeight}px)`;
      const selected = actions.isSelected(event);
      const next = `${event.sequence} ${event.result ?? ''} ${selected}`;
      if (next === state) return;
      state = next;
      const { className, title, children } = event.kind === 'syscall' ? callRow(event) : noteRow(event);
      element.className = selected ? `${className} selected` : className;
      element.title = title;
      element.setAttribute('aria-selected', String(selected));
      element.replaceChildren(...children);
    },
  };
}

interface RowContent {
  readonly className: string;
  readonly title: string;
  readonly children: readonly HTMLElement[];
}

function callRow(event: EventDetails): RowContent {
  const iconName = classIcons.find(([name]) => event.classes?.includes(name) === true)?.[1] ?? 'symbol-method';
  const name = event.name ?? '';
  const call = callText(event);
  const missing = event.result?.includes('ENOSYS') === true;
  const open = event.result === undefined || event.result === '?';
  const outcome = missing ? 'missing' : event.failed === true ? 'failed' : open ? 'open' : '';
  return {
    className: `row call ${event.path === 'binary' ? 'binary' : 'native'} ${outcome}`.trim(),
    title: event.text.replace(/ {2,}= /, ' = '),
    children: [
      icon(iconName, 'kind'),
      h('span', { class: 'time' }, seconds(event.time)),
      h('span', { class: 'thread' }, event.thread.name),
      h('span', { class: 'text' }, h('b', {}, name), call.slice(name.length)),
      h('span', { class: 'result' }, resultText(event)),
      h('span', { class: 'took' }, event.duration === undefined ? '' : duration(event.duration)),
    ],
  };
}

function noteRow(event: EventDetails): RowContent {
  const owner = / \((kernel|application)\)/.exec(event.text)?.[1];
  const kind = event.kind === 'syscall' ? 'segmentBase' : event.kind;
  return {
    className: `row note ${kind} ${owner ?? ''}`.trim(),
    title: event.text,
    children: [
      icon(otherIcons[kind], 'kind'),
      h('span', { class: 'time' }, seconds(event.time)),
      h('span', { class: 'thread' }, event.thread.name),
      h('span', { class: 'text' }, event.text.replace(/ (at 0x[0-9a-f]+|\([^()]*\+0x[0-9a-f]+\))$/, '')),
    ],
  };
}

/** The call without its result. */
export function callText(event: EventDetails): string {
  const { result = '' } = event;
  return event.text.slice(0, event.text.length - result.length).replace(/\s*=\s*$/, '');
}

/** `-1 ENOENT (No such file or directory)` is its name to whoever reads a list. */
function resultText(event: EventDetails): string {
  const { result } = event;
  if (result === undefined || result === '?') return '…';
  const error = /^-1 (E[A-Z0-9]+)/.exec(result)?.[1];
  return error ?? result;
}

const seconds = (nanoseconds: number): string => (nanoseconds / 1e9).toFixed(6);

/** `1.25 ms` of nanoseconds. */
export function duration(nanoseconds: number): string {
  if (nanoseconds < 1000) return `${Math.round(nanoseconds)} ns`;
  if (nanoseconds < 1e6) return `${(nanoseconds / 1e3).toPrecision(3)} µs`;
  if (nanoseconds < 1e9) return `${(nanoseconds / 1e6).toPrecision(3)} ms`;
  return `${(nanoseconds / 1e9).toPrecision(4)} s`;
}
