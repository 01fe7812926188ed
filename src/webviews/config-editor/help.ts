/** The page's help: its keys, which are menuconfig's, and what a search can ask for. */
import { h, iconButton } from '../lib/dom';

const keys: readonly (readonly [string, string])[] = [
  ['↑ ↓ j k', 'Go through the options'],
  ['→ ←', 'Unfold, fold, go to the menu above'],
  ['Enter', 'Enter a menu, change a value'],
  ['Space', 'The next value'],
  ['y  m  n', 'On, module, off'],
  ['/', 'Search'],
  ['Esc', 'Leave the search, then go to the menu above'],
  ['z', 'Show all options, also invisible ones'],
  ['Tab', 'To the details'],
  ['?', 'This help'],
];

const searches: readonly (readonly [string, string])[] = [
  ['two words', 'Both, in name, prompt, help or value'],
  ['"two words"', 'As one'],
  ['/^LIB.*TEST$/', 'Regular expression over names'],
  ['@changed @modified @new', 'By what has happened to the value'],
  ['@selected @implied @invisible', 'By what decides on it'],
  ['@different', 'Other than what is compared with'],
  ['type:int', 'bool, tristate, int, hex, string, choice, menu'],
  ['value:y', 'By value'],
  ['file:lib/ukalloc', 'By the file that defines it'],
  ['depends:LIBUKALLOC', 'By an option that it uses'],
  ['selects:LIBUKALLOC', 'By an option that it selects'],
  ['-type:bool', 'All but these'],
];

/** A dialog; `close` gives the focus back. */
export function helpDialog(closed: () => void): HTMLDialogElement {
  const table = (title: string, rows: readonly (readonly [string, string])[]): HTMLElement =>
    h(
      'section',
      {},
      h('h3', {}, title),
      h('dl', {}, ...rows.flatMap(([term, meaning]) => [h('dt', {}, h('kbd', {}, term)), h('dd', {}, meaning)])),
    );
  const dialog = h('dialog', { class: 'help-dialog', 'aria-label': 'Keys and search filters' });
  dialog.append(
    iconButton('close', 'Close', () => dialog.close(), { autofocus: true }),
    h('div', { class: 'columns' }, table('Keys', keys), table('Search', searches)),
  );
  dialog.addEventListener('close', closed);
  return dialog;
}
