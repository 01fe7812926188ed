/** The chosen event in full, with where it came from and what can be done about it. */
import { type EventDetails } from '../../../debug-adapter/dap/custom';
import { h, icon, iconButton } from '../lib/dom';
import { callText, duration } from './row';

export interface DetailActions {
  go(sequence: number): void;
  travel(sequence: number): void;
  provider(name: string): void;
  close(): void;
}

export class DetailsPane {
  readonly element = h('section', { class: 'details', 'aria-label': 'Details', hidden: true });
  stopped = false;
  #shown: EventDetails | undefined;
  #place = '';

  constructor(private readonly actions: DetailActions) {}

  show(event: EventDetails | undefined): void {
    if (event?.sequence !== this.#shown?.sequence) this.#place = '';
    this.#shown = event;
    this.#draw();
  }

  /** Where the code is that a call came from. */
  place(sequence: number, text: string): void {
    if (sequence !== this.#shown?.sequence) return;
    this.#place = text;
    this.#draw();
  }

  #draw(): void {
    const event = this.#shown;
    this.element.hidden = event === undefined;
    if (event === undefined) return;
    const { sequence, name, result } = event;
    const call = event.kind === 'syscall';
    const fact = (label: string, text: string | undefined): HTMLElement | false =>
      text !== undefined &&
      text !== '' &&
      h('div', { class: 'fact' }, h('span', { class: 'label' }, label), h('span', { class: 'value' }, text));
    const missing = result?.includes('ENOSYS') === true && name !== undefined;
    this.element.replaceChildren(
      h(
        'header',
        {},
        h('code', {}, call ? callText(event) : event.text),
        iconButton('close', 'Close', () => this.actions.close()),
      ),
      h(
        'div',
        { class: 'facts' },
        call && fact('Result', result === undefined || result === '?' ? 'has not returned' : result),
        fact('Thread', event.thread.name),
        fact('At', `${(event.time / 1e9).toFixed(9)} s, instruction ${BigInt(event.instruction).toLocaleString('en-US')}`),
        fact('Took', event.duration === undefined ? undefined : duration(event.duration)),
        fact('Path', event.path === undefined ? undefined : event.path === 'binary' ? 'syscall instruction' : 'direct call of the shim'),
        fact('From', this.#place),
      ),
      h(
        'div',
        { class: 'actions' },
        h('button', { type: 'button', class: 'action', onclick: () => this.actions.go(sequence) }, icon('go-to-file'), 'Go to Code'),
        h(
          'button',
          {
            type: 'button',
            class: 'action',
            disabled: !this.stopped,
            title: this.stopped ? 'Take the guest back to this moment' : 'Pause the guest to travel',
            onclick: () => this.actions.travel(sequence),
          },
          icon('history'),
          'Travel Here',
        ),
        missing &&
          h(
            'button',
            { type: 'button', class: 'action', onclick: () => this.actions.provider(name) },
            icon('library'),
            'Which Library Provides It?',
          ),
      ),
    );
  }
}
