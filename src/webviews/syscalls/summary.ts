/** The calls summed up as `strace -c` does, sorted by whatever column is clicked. */
import { type SummaryAnswer } from '../../../debug-adapter/dap/custom';
import { h } from '../lib/dom';
import { duration } from './row';

type Row = SummaryAnswer['rows'][number];

interface Column {
  readonly title: string;
  readonly value: (row: Row) => number | string;
  readonly text: (row: Row) => string;
}

/** The name first: in a narrow view it is what stays in sight. */
const columns: readonly Column[] = [
  { title: 'call', value: ({ name }) => name, text: ({ name }) => name },
  { title: 'time %', value: ({ share }) => share, text: ({ share }) => (share * 100).toFixed(1) },
  { title: 'time', value: ({ nanoseconds }) => nanoseconds, text: ({ nanoseconds }) => duration(nanoseconds) },
  {
    title: 'per call',
    value: ({ nanoseconds, calls }) => nanoseconds / Math.max(calls, 1),
    text: ({ nanoseconds, calls }) => duration(nanoseconds / Math.max(calls, 1)),
  },
  { title: 'calls', value: ({ calls }) => calls, text: ({ calls }) => calls.toLocaleString('en-US') },
  { title: 'errors', value: ({ errors }) => errors, text: ({ errors }) => (errors === 0 ? '' : errors.toLocaleString('en-US')) },
];

export class SummaryTable {
  readonly element = h('div', { class: 'table' });
  #rows: readonly Row[] = [];
  #column = columns[1]!;
  #descending = true;

  /** @param choose is given the name of a call that was clicked. */
  constructor(private readonly choose: (name: string) => void) {}

  show(rows: readonly Row[]): void {
    this.#rows = rows;
    this.#draw();
  }

  #draw(): void {
    const { value } = this.#column;
    const sign = this.#descending ? -1 : 1;
    const sorted = [...this.#rows].sort((a, b) => {
      const [x, y] = [value(a), value(b)];
      return x === y ? a.name.localeCompare(b.name) : (x < y ? -1 : 1) * sign;
    });
    const sum = (of: (row: Row) => number): number => this.#rows.reduce((total, row) => total + of(row), 0);
    const total: Row = {
      name: 'total',
      calls: sum(({ calls }) => calls),
      errors: sum(({ errors }) => errors),
      nanoseconds: sum(({ nanoseconds }) => nanoseconds),
      instructions: sum(({ instructions }) => instructions),
      share: this.#rows.length === 0 ? 0 : 1,
    };
    const cells = (row: Row): HTMLElement[] =>
      columns.map(({ title, text }) =>
        h('td', { class: title === 'call' ? 'name' : title === 'errors' ? 'number errors' : 'number' }, text(row)),
      );
    this.element.replaceChildren(
      h(
        'table',
        {},
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            ...columns.map((column) =>
              h(
                'th',
                { 'aria-sort': column === this.#column ? (this.#descending ? 'descending' : 'ascending') : 'none' },
                h('button', { type: 'button', onclick: () => this.#sort(column) }, column.title),
              ),
            ),
          ),
        ),
        h(
          'tbody',
          {},
          ...sorted.map((row) => h('tr', { onclick: () => this.choose(row.name), title: `Show the calls of ${row.name}` }, ...cells(row))),
          h('tr', { class: 'total' }, ...cells(total)),
        ),
      ),
    );
  }

  #sort(column: Column): void {
    this.#descending = column === this.#column ? !this.#descending : column.title !== 'call';
    this.#column = column;
    this.#draw();
  }
}
