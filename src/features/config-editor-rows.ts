/** Turns the menu tree and its values into the rows that the configuration editor shows. */
import { defaultText } from '../kconfig/dotconfig/defconfig';
import { type Evaluation } from '../kconfig/evaluate';
import { exprText, type Expr } from '../kconfig/expression';
import { type KSymbol, type MenuNode } from '../kconfig/model';
import { rangeBounds } from '../kconfig/range';
import { alternatives } from '../kconfig/unmet';
import { type Mark, type Row, type RowKind, type Tristate } from '../shared/config-editor';

/** A row's place in the tree, before anything is said about its values. */
export interface FlatRow {
  readonly node: MenuNode;
  readonly level: number;
  readonly position: number;
  readonly siblings: number;
  readonly open: boolean | undefined;
}

/** Which entries are rows. */
export interface Shown {
  readonly shows: (node: MenuNode) => boolean;
  readonly isOpen: (node: MenuNode) => boolean;
}

/** Whether an entry has anything to show at all: a title, a prompt or a name. */
export function isRow(node: MenuNode): boolean {
  return node.kind !== 'if' && node.kind !== 'root' && (node.prompt !== undefined || node.symbol?.name !== undefined);
}

/** The entries directly below one; those of an `if` stand in its place. */
export function childrenOf(node: MenuNode, shows: (node: MenuNode) => boolean): MenuNode[] {
  const out: MenuNode[] = [];
  const stack = [...node.children].reverse();
  for (let child = stack.pop(); child; child = stack.pop()) {
    if (isRow(child)) {
      if (shows(child)) out.push(child);
    } else for (let at = child.children.length - 1; at >= 0; at--) stack.push(child.children[at]!);
  }
  return out;
}

/** All rows, in order. */
export function flatten(root: MenuNode, { shows, isOpen }: Shown): FlatRow[] {
  const rows: FlatRow[] = [];
  const lists: { readonly nodes: readonly MenuNode[]; at: number }[] = [{ nodes: childrenOf(root, shows), at: 0 }];
  while (lists.length > 0) {
    const list = lists.at(-1)!;
    const node = list.nodes[list.at++];
    if (!node) {
      lists.pop();
      continue;
    }
    const below = node.children.length === 0 ? [] : childrenOf(node, shows);
    const open = below.length === 0 ? undefined : isOpen(node);
    rows.push({ node, level: lists.length, position: list.at, siblings: list.nodes.length, open });
    if (open === true) lists.push({ nodes: below, at: 0 });
  }
  return rows;
}

/** What rows are judged against besides the values themselves. */
export interface Comparisons {
  /** The values as they were saved. */
  readonly saved: Evaluation;
  /** The values of a configuration that is compared with. */
  readonly other: Evaluation | undefined;
  /** The names that the file has a line for. */
  readonly inFile: ReadonlySet<string>;
  /** Rows that are there only for what is below them. */
  readonly isContext?: (node: MenuNode) => boolean;
}

/** The title of an entry: its prompt, else its name. */
export function titleOf(node: MenuNode): string {
  return node.prompt?.text ?? node.symbol?.name ?? '';
}

/** The title of a symbol: its first prompt. */
export function symbolTitle(symbol: KSymbol): string | undefined {
  return symbol.prompts[0]?.text;
}

export function kindOf(node: MenuNode): RowKind {
  if (node.kind === 'menu' || node.kind === 'root') return 'menu';
  if (node.kind === 'comment') return 'comment';
  if (node.symbol?.isChoice) return 'choice';
  return node.symbol?.choice ? 'member' : 'option';
}

const tristates: readonly Tristate[] = ['n', 'm', 'y'];

/** The values that a bool or tristate takes now. */
export function acceptedValues(values: Evaluation, symbol: KSymbol): Tristate[] {
  return symbol.isBoolean ? tristates.filter((value) => values.accepts(symbol, value)) : [];
}

/** True where a number or text may be changed. */
export function isEditable(values: Evaluation, symbol: KSymbol): boolean {
  return !symbol.isBoolean && symbol.type !== 'unknown' && values.visibility(symbol) !== 0;
}

/** True where the user's say makes a difference: the value is not the usual one. */
export function isModified(values: Evaluation, symbol: KSymbol): boolean {
  if (symbol.isChoice || !values.isChangeable(symbol)) return false;
  if (symbol.choice) return values.tri(symbol) === 2 && values.defaultPick(symbol.choice) !== symbol;
  return values.text(symbol) !== defaultText(values, symbol);
}

/** True where the configuration has no line for something that the user may set. */
export function isNew(values: Evaluation, symbol: KSymbol, inFile: ReadonlySet<string>): boolean {
  if (symbol.name === undefined || symbol.isChoice || inFile.has(symbol.name) || symbol.prompts.length === 0) return false;
  if (!values.isChangeable(symbol)) return false;
  // Choosing one member says all there is to say about the others.
  return !symbol.choice?.members.some((member) => member.name !== undefined && inFile.has(member.name));
}

/** What sets a symbol apart. */
export function marksOf(values: Evaluation, symbol: KSymbol, { saved, other, inFile }: Comparisons): Mark[] {
  if (symbol.isChoice) return [];
  const marks: Mark[] = [];
  if (isChanged(values, symbol, saved)) marks.push('changed');
  if (other && isChanged(values, symbol, other)) marks.push('different');
  if (isNew(values, symbol, inFile)) marks.push('new');
  if (isModified(values, symbol)) marks.push('modified');
  if (values.reverseDependency(symbol) !== 0) marks.push('selected');
  else if (values.impliedValue(symbol) !== 0) marks.push('implied');
  return marks;
}

/** True where two configurations give the symbol different values. */
export function isChanged(values: Evaluation, symbol: KSymbol, other: Evaluation): boolean {
  return values.text(symbol) !== other.text(symbol);
}

/** One row with all that it shows. */
export function makeRow(values: Evaluation, flat: FlatRow, comparisons: Comparisons): Row {
  const { node, level, position, siblings, open } = flat;
  const { symbol } = node;
  const visible = values.isNodeVisible(node);
  const marks: Mark[] = symbol ? marksOf(values, symbol, comparisons) : [];
  if (!visible) marks.push('invisible');
  if (comparisons.isContext?.(node)) marks.push('context');
  const reason = reasonOf(values, node, visible);
  const base: Row = {
    id: node.id,
    level,
    position,
    siblings,
    kind: kindOf(node),
    title: titleOf(node),
    marks,
    ...(open !== undefined && { open }),
    ...(reason !== undefined && { reason }),
  };
  if (!symbol) return base;
  if (symbol.isChoice) {
    const picked = values.selection(symbol);
    return { ...base, value: picked ? (symbolTitle(picked) ?? picked.label) : '', ...(symbol.name !== undefined && { name: symbol.name }) };
  }
  const bounds = symbol.type === 'int' || symbol.type === 'hex' ? rangeBounds(values, symbol) : undefined;
  const { other } = comparisons;
  return {
    ...base,
    name: symbol.label,
    type: values.typeOf(symbol),
    value: values.text(symbol),
    ...(symbol.isBoolean ? { accepts: acceptedValues(values, symbol) } : { editable: isEditable(values, symbol) }),
    ...(bounds && { low: bounds.lowText, high: bounds.highText }),
    ...(other && isChanged(values, symbol, other) && { other: other.text(symbol) }),
  };
}

/** Why a row cannot be changed, in a few words; undefined where it can, or where there is nothing to change. */
export function reasonOf(values: Evaluation, node: MenuNode, visible = values.isNodeVisible(node)): string | undefined {
  const { symbol } = node;
  if (!symbol) return visible ? undefined : needs(values, [node.prompt?.condition, node.dependency, node.visibility]);
  if (values.isChangeable(symbol) && visible) return undefined;
  if (!symbol.isChoice && values.reverseDependency(symbol) !== 0) return `selected by ${active(values, symbol.reverseDependency)}`;
  if (symbol.prompts.length === 0)
    return symbol.isBoolean && !symbol.isChoice ? 'has no prompt: other options set it' : 'has no prompt: computed';
  return needs(
    values,
    symbol.prompts.map((prompt) => prompt.condition),
  );
}

/** The selectors that are at work. */
function active(values: Evaluation, expr: Expr | undefined): string {
  const names = alternatives(expr)
    .filter((one) => values.evaluate(one) !== 0)
    .map((one) => (one.kind === 'and' && one.operands[0]?.kind === 'symbol' ? one.operands[0].symbol.label : exprText(one)));
  return shortList(names);
}

/** The clauses that do not hold. */
function needs(values: Evaluation, conditions: readonly (Expr | undefined)[]): string | undefined {
  for (const condition of conditions) {
    if (!condition || values.evaluate(condition) !== 0) continue;
    const clauses = condition.kind === 'and' ? condition.operands : [condition];
    return `needs ${shortList(clauses.filter((clause) => values.evaluate(clause) === 0).map((clause) => exprText(clause, labelOf)))}`;
  }
  return undefined;
}

/** A symbol's name; a choice without one is known by its prompt. */
function labelOf(symbol: KSymbol): string {
  return symbol.isChoice && symbol.name === undefined ? `"${symbolTitle(symbol) ?? 'the choice'}"` : symbol.label;
}

function shortList(names: readonly string[]): string {
  const shown = [...new Set(names)].slice(0, 2);
  return shown.join(', ') + (names.length > shown.length ? `, and ${names.length - shown.length} more` : '');
}
