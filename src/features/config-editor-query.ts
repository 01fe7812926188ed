/** Searches the configuration editor's tree: words over names, prompts, help and values, with filters such as `@changed` and `type:int`. */
import { type Evaluation } from '../kconfig/evaluate';
import { type MenuNode, type Model } from '../kconfig/model';
import { type ModelQueries } from '../kconfig/queries';
import { type Mark } from '../shared/config-editor';
import { type Comparisons, isRow, marksOf, titleOf } from './config-editor-rows';

/** What a search looks at. */
export interface Searched {
  readonly values: Evaluation;
  readonly queries: ModelQueries;
  readonly comparisons: Comparisons;
}

type Test = (node: MenuNode, searched: Searched) => boolean;

/** A query that was read. */
export interface Query {
  readonly tests: readonly Test[];
  /** The plain words, for finding the best of the hits. */
  readonly words: readonly string[];
  readonly error?: string;
}

const marks: readonly Mark[] = ['changed', 'new', 'modified', 'selected', 'implied', 'invisible', 'different'];

interface Haystack {
  readonly name: string;
  readonly all: string;
}

const haystacks = new WeakMap<MenuNode, Haystack>();

function haystack(node: MenuNode): Haystack {
  let found = haystacks.get(node);
  if (!found) {
    const name = (node.symbol?.name ?? '').toLowerCase();
    found = { name, all: `${name}\n${titleOf(node)}\n${node.help ?? ''}`.toLowerCase() };
    haystacks.set(node, found);
  }
  return found;
}

/**
 * Reads a query. Words must all be found; `"two words"` is one; `/expression/` is matched against names;
 * `@changed`, `@new`, `@modified`, `@selected`, `@implied`, `@invisible`, `@different`, `type:`, `file:`, `value:`, `depends:` and `selects:` filter;
 * `-` before any of them turns it round.
 */
export function parseQuery(text: string): Query {
  const tests: Test[] = [];
  const words: string[] = [];
  let error: string | undefined;
  for (const match of text.matchAll(/(-?)(?:(\w+:)?"([^"]*)"?|\/((?:[^/\\\n]|\\.)+)\/|(\S+))/g)) {
    const [, minus, prefix = '', quoted, expression, word] = match;
    let test: Test | undefined;
    if (expression !== undefined) {
      try {
        const regular = new RegExp(expression, 'i');
        test = (node) => node.symbol?.name !== undefined && regular.test(node.symbol.name);
      } catch {
        error = `/${expression}/ is no regular expression`;
      }
    } else {
      const token = word ?? `${prefix}${quoted ?? ''}`;
      const filter = filterOf(token);
      if (filter === undefined) {
        const wanted = token.toLowerCase().replace(/^config_(?=.)/, '');
        if (wanted === '') continue;
        if (minus === '') words.push(wanted);
        test = (node, { values }) => haystack(node).all.includes(wanted) || valueIncludes(values, node, wanted);
      } else if (typeof filter === 'string') error = filter;
      else test = filter;
    }
    if (test) tests.push(minus === '-' ? not(test) : test);
  }
  return { tests, words, ...(error !== undefined && { error }) };
}

function not(test: Test): Test {
  return (node, searched) => !test(node, searched);
}

function valueIncludes(values: Evaluation, { symbol }: MenuNode, wanted: string): boolean {
  return symbol !== undefined && !symbol.isChoice && !symbol.isBoolean && values.text(symbol).toLowerCase().includes(wanted);
}

/** A filter; a text that says what is wrong with it; or undefined where the token is a plain word. */
function filterOf(token: string): Test | string | undefined {
  if (token.startsWith('@')) {
    const wanted = token.slice(1).toLowerCase();
    const mark = marks.find((each) => each === wanted);
    if (mark === undefined)
      return marks.some((each) => each.startsWith(wanted))
        ? () => true
        : `There is no @${wanted}; there are ${marks.map((each) => `@${each}`).join(', ')}`;
    if (mark === 'invisible') return (node, { values }) => !values.isNodeVisible(node);
    return ({ symbol }, { values, comparisons }) => symbol !== undefined && marksOf(values, symbol, comparisons).includes(mark);
  }
  const colon = /^(type|file|value|depends|selects):(.*)$/i.exec(token);
  if (!colon) return undefined;
  const value = colon[2]!.toLowerCase();
  if (value === '') return () => true;
  switch (colon[1]!.toLowerCase()) {
    case 'type':
      return (node, { values }) => {
        const type = node.symbol?.isChoice ? 'choice' : node.symbol ? values.typeOf(node.symbol) : node.kind;
        return type.startsWith(value);
      };
    case 'file':
      return (node) => node.file.toLowerCase().includes(value);
    case 'value':
      return ({ symbol }, { values }) => symbol !== undefined && !symbol.isChoice && values.text(symbol).toLowerCase() === value;
    case 'depends':
      return ({ symbol }, { queries }) =>
        symbol !== undefined && queries.usedBy(symbol).some((used) => used.name?.toLowerCase() === value.replace(/^config_/, ''));
    default:
      return ({ symbol }) =>
        symbol?.properties.some(
          (property) => property.kind === 'select' && property.target?.name?.toLowerCase() === value.replace(/^config_/, ''),
        ) ?? false;
  }
}

/** The entries that a query finds, in the order of the tree. */
export function search(model: Model, query: Query, searched: Searched): MenuNode[] {
  const found: MenuNode[] = [];
  for (const node of model.nodes()) if (isRow(node) && query.tests.every((test) => test(node, searched))) found.push(node);
  return found;
}

/** The hit that was most likely meant: the name itself, then a beginning of the name, then a part of it, then of the prompt. */
export function bestHit(found: readonly MenuNode[], { words }: Query): MenuNode | undefined {
  const [word] = words;
  if (word === undefined) return found.find((node) => node.symbol !== undefined) ?? found[0];
  const rank = (node: MenuNode): number => {
    const { name } = haystack(node);
    if (name === word) return 0;
    if (name.startsWith(word) || name === `lib${word}`) return 1;
    if (name.includes(word)) return 2;
    return titleOf(node).toLowerCase().includes(word) ? 3 : 4;
  };
  let best: MenuNode | undefined;
  for (const node of found) if (!best || rank(node) < rank(best)) best = node;
  return best;
}
