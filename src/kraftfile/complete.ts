/** What may be written at a place of a Kraftfile: keys, platforms, architectures, libraries, versions, options and their values. */
import { type KSymbol } from '../kconfig/model';
import { type KraftContext } from './context';
import { readKraftfile } from './model';
import { architectures, keysOf, type KeyFact, type Place, placeAt, platforms, type ValueFact } from './schema';

export type CompletionKind = 'key' | 'value' | 'library' | 'version' | 'option';

/** One thing that may be written. */
export interface CompletionItem {
  readonly label: string;
  readonly kind: CompletionKind;
  /** A few words beside the label. */
  readonly detail?: string;
  /** Markdown. */
  readonly documentation?: string;
  /** What is put in place of `start`..`end`. */
  readonly insert: string;
  readonly start: number;
  readonly end: number;
}

/** Where the cursor is, by indentation: works in texts that are not YAML yet. */
export interface CursorPlace {
  readonly path: readonly (string | number)[];
  /** `key`: a key, or an item that may become one; `value`: after a colon or as an item. */
  readonly side: 'key' | 'value';
  /** What is written of it already, from `start` on. */
  readonly word: string;
  readonly start: number;
  readonly end: number;
}

/** Most options that are given at once; the word that is typed on narrows them. */
const mostOptions = 500;

/** Items for an offset, best first where an order matters. */
export function complete(text: string, offset: number, context: KraftContext = {}): CompletionItem[] {
  const cursor = cursorPlace(text, offset);
  if (!cursor) return [];
  const place = placeAt(cursor.path);
  if (place === undefined) return [];
  return cursor.side === 'key' ? keyItems(text, cursor, place, context) : valueItems(text, cursor, place, context);
}

/** Where an offset is; undefined in comments. */
export function cursorPlace(text: string, offset: number): CursorPlace | undefined {
  const at = Math.min(Math.max(offset, 0), text.length);
  const lineStart = text.lastIndexOf('\n', at - 1) + 1;
  const before = text.slice(lineStart, at);
  if (/(^|\s)#/.test(before)) return undefined;
  const rest = /^[^\s#,\]}:]*/.exec(text.slice(at))![0];
  const parsed = /^(\s*)((?:-\s+)*)(.*)$/.exec(before.replace(/-$/, '- '));
  if (!parsed) return undefined;
  const [, blanks, dashes, content] = parsed as unknown as [string, string, string, string];
  const path = pathAbove(text, lineStart, blanks.length, dashes);
  const end = at + rest.length;
  const colon = /^("[^"]*"|'[^']*'|[^\s:#"']+)\s*:\s+(.*)$/.exec(content) ?? /^("[^"]*"|'[^']*'|[^\s:#"']+)\s*:()$/.exec(content);
  if (colon) {
    const key = colon[1]!.replace(/^["']|["']$/g, '');
    return (
      inFlow([...path, key], colon[2]!, at, end) ?? {
        path: [...path, key],
        side: 'value',
        word: colon[2]!,
        start: at - colon[2]!.length,
        end,
      }
    );
  }
  return (
    inFlow(path, content, at, end) ?? {
      path,
      side: dashes !== '' ? 'value' : 'key',
      word: content,
      start: at - content.length,
      end,
    }
  );
}

/** Inside of `[…` and `{…` on one line. */
function inFlow(path: readonly (string | number)[], content: string, at: number, end: number): CursorPlace | undefined {
  if (!/^[[{]/.test(content)) return undefined;
  let here = [...path];
  const stack: { readonly list: boolean; readonly path: (string | number)[] }[] = [];
  let word = '';
  let side: CursorPlace['side'] = 'value';
  for (const char of content) {
    const top = stack.at(-1);
    if (char === '[' || char === '{') {
      stack.push({ list: char === '[', path: here });
      here = char === '[' ? [...here, 0] : here;
      side = char === '[' ? 'value' : 'key';
      word = '';
    } else if (char === ']' || char === '}') {
      here = stack.pop()?.path ?? here;
      word = '';
    } else if (char === ',' && top) {
      here = top.list ? [...top.path, Number(here[top.path.length] ?? 0) + 1] : top.path;
      side = top.list ? 'value' : 'key';
      word = '';
    } else if (char === ':' && top && !top.list) {
      here = [...top.path, word.trim().replace(/^["']|["']$/g, '')];
      side = 'value';
      word = '';
    } else word = word === '' && /\s/.test(char) ? '' : word + char;
  }
  return stack.length === 0 ? undefined : { path: here, side, word, start: at - word.length, end };
}

/** The keys and indexes that a line of some indentation lies in, read from the lines above it. */
function pathAbove(text: string, lineStart: number, indent: number, dashes: string): (string | number)[] {
  const lines = text.slice(0, lineStart).split('\n').slice(0, -1);
  const path: (string | number)[] = [];
  // Dashes of the line itself: an item whose index is the number of its elder brothers.
  let column = indent;
  let wantsItem = dashes !== '';
  if (wantsItem) path.unshift(countItems(lines, indent));
  for (let at = lines.length - 1; at >= 0; at--) {
    const match = /^(\s*)((?:-\s+)?)((?:"[^"]*"|'[^']*'|[^\s:#"'-][^\s:]*))\s*:(?:\s|$)(.*)$/.exec(lines[at]!.replace(/\r$/, ''));
    const dashOnly = /^(\s*)-\s+/.exec(lines[at]!);
    if (!match) {
      if (dashOnly && dashOnly[1]!.length < column && !wantsItem) {
        path.unshift(countItems(lines.slice(0, at), dashOnly[1]!.length));
        [column, wantsItem] = [dashOnly[1]!.length, true];
      }
      continue;
    }
    const [, blanks, dash, rawKey, value] = match as unknown as [string, string, string, string, string];
    const keyColumn = blanks.length + dash.length;
    const isParent = keyColumn < column || (wantsItem && dash === '' && keyColumn === column);
    if (isParent && /^(#.*)?$/.test(value.trim())) {
      path.unshift(rawKey.replace(/^["']|["']$/g, ''));
      [column, wantsItem] = [keyColumn, false];
      if (column === 0) break;
    }
    if (dash !== '' && blanks.length < column && !wantsItem && keyColumn <= column) {
      path.unshift(countItems(lines.slice(0, at), blanks.length));
      [column, wantsItem] = [blanks.length, true];
    }
  }
  return path;
}

/** Number of items of a list that end just above. */
function countItems(lines: readonly string[], indent: number): number {
  let count = 0;
  for (let at = lines.length - 1; at >= 0; at--) {
    const line = lines[at]!;
    const column = /^\s*/.exec(line)![0].length;
    if (line.trim() === '' || line.trim().startsWith('#') || column > indent) continue;
    if (column < indent || !/^\s*-(\s|$)/.test(line)) break;
    count++;
  }
  return count;
}

function keyItems(text: string, cursor: CursorPlace, place: Place, context: KraftContext): CompletionItem[] {
  switch (place) {
    case 'libraries':
      return libraryItems(text, cursor, context);
    case 'kconfig':
      return optionItems(text, cursor, context, ': ');
    default: {
      const present = presentKeys(text, cursor);
      const { version } = readKraftfile(text);
      return keysOf(place)
        .filter(
          (fact) =>
            !present.has(fact.key) &&
            !present.has(fact.means ?? '') &&
            !keysOf(place).some((each) => each.means === fact.key && present.has(each.key)),
        )
        .filter((fact) => fact.means === undefined || cursor.word !== '')
        .filter((fact) => version !== '0.5' || fact.since === '0.5')
        .map((fact) => keyItem(fact, cursor));
    }
  }
}

function keyItem(fact: KeyFact, { start, end }: CursorPlace): CompletionItem {
  const onOneLine = fact.shapes.includes('text') || fact.shapes.includes('switch');
  return {
    label: fact.key,
    kind: 'key',
    detail: fact.shapes.join(' or '),
    documentation: fact.about,
    insert: `${fact.key}:${onOneLine ? ' ' : ''}`,
    start,
    end,
  };
}

/** Keys that the cursor's map has already, the one being written left out. */
function presentKeys(text: string, cursor: CursorPlace): Set<string> {
  const { document } = readKraftfile(text.slice(0, cursor.start) + text.slice(cursor.end).replace(/^[^\n]*/, ''));
  let node: unknown = document.root;
  for (const step of cursor.path) {
    node = typeof step === 'number' ? document.items(node)[step] : document.entries(node).find((entry) => entry.key === step)?.value;
  }
  return new Set(document.entries(node).map((entry) => entry.key));
}

function libraryItems(text: string, cursor: CursorPlace, context: KraftContext): CompletionItem[] {
  const present = presentKeys(text, cursor);
  return (context.libraries ?? [])
    .filter((library) => !present.has(library.title))
    .map(({ title, description, versions, channels }) => ({
      label: title,
      kind: 'library' as const,
      detail: description,
      documentation: versions.length > 0 ? `Versions: ${versions.map((each) => each.version).join(', ')}` : description,
      insert: `${title}: ${channels[0] ?? 'stable'}`,
      start: cursor.start,
      end: cursor.end,
    }));
}

function optionItems(text: string, cursor: CursorPlace, { model, values }: KraftContext, separator: ': ' | '='): CompletionItem[] {
  if (!model) return [];
  const typed = cursor.word
    .replace(/^["']/, '')
    .replace(/^CONFIG_/i, '')
    .toUpperCase();
  const quote = /^["']/.exec(cursor.word)?.[0] ?? '';
  const present = separator === ': ' ? presentKeys(text, cursor) : new Set<string>();
  const rank = ({ label }: KSymbol): number => (label.startsWith(typed) ? 0 : 1);
  return [...model.byName.values()]
    .filter(
      (symbol) => symbol.isDefined && symbol.prompts.length > 0 && symbol.label.includes(typed) && !present.has(`CONFIG_${symbol.label}`),
    )
    .sort((a, b) => rank(a) - rank(b) || (a.label < b.label ? -1 : 1))
    .slice(0, mostOptions)
    .map((symbol) => ({
      label: `CONFIG_${symbol.label}`,
      kind: 'option' as const,
      detail: `${symbol.type}  ${symbol.prompts[0]?.text ?? ''}`,
      documentation: optionAbout(symbol, values),
      insert: `${quote}CONFIG_${symbol.label}${separator}`,
      start: cursor.start,
      end: cursor.end,
    }));
}

/** A symbol's help and present value, in Markdown. */
export function optionAbout(symbol: KSymbol, values: KraftContext['values']): string {
  const help = symbol.nodes.find((node) => node.help !== undefined)?.help?.trim() ?? '';
  const value = values?.model.byName.get(symbol.label) === symbol ? `Value now: \`${values.text(symbol)}\`` : '';
  const places = symbol.nodes
    .map((node) => `${node.file}:${node.line}`)
    .slice(0, 3)
    .join(', ');
  return [help, value, places && `Defined at ${places}`].filter((part) => part !== '').join('\n\n');
}

function valueItems(text: string, cursor: CursorPlace, place: Place, context: KraftContext): CompletionItem[] {
  const { start, end, path } = cursor;
  const plain = (label: string, detail?: string): CompletionItem => ({
    label,
    kind: 'value',
    ...(detail !== undefined && { detail }),
    insert: label,
    start,
    end,
  });
  switch (place) {
    case 'spec':
      return [plain('v0.6'), plain("'0.5'")];
    case 'architecture':
      return architectures.map((fact) => plain(fact.value, fact.about));
    case 'platform':
      return platforms.map((fact) => plain(fact.value, fact.about));
    case 'target': {
      const pairs = pairsOf(platforms.slice(0, 3), architectures.slice(0, 2)).map((pair) => plain(pair));
      // An item may also begin a map.
      return [
        ...pairs,
        ...keysOf('target')
          .filter((fact) => fact.means === undefined)
          .map((fact) => keyItem(fact, cursor)),
      ];
    }
    case 'volume':
      return keysOf('volume').map((fact) => keyItem(fact, cursor));
    case 'switch':
      return [plain('true'), plain('false')];
    case 'component':
    case 'version':
      return versionItems(cursor, context);
    case 'text':
      if (path.at(-2) !== 'kconfig') return [];
      return typeof path.at(-1) === 'number' ? listOption(text, cursor, context) : optionValues(String(path.at(-1)), cursor, context, '"');
    default:
      return [];
  }
}

function pairsOf(left: readonly ValueFact[], right: readonly ValueFact[]): string[] {
  return left.flatMap((a) => right.map((b) => `${a.value}/${b.value}`));
}

function versionItems({ path, start, end }: CursorPlace, context: KraftContext): CompletionItem[] {
  const name = path[0] === 'libraries' ? path[1] : undefined;
  const library = context.libraries?.find((each) => each.title === name);
  const known = [...(library?.channels ?? []), ...(library?.versions ?? []).map((each) => each.version)];
  const all = known.length > 0 ? known : ['stable', 'staging'];
  return [...new Set(all)].map((version) => {
    const core = library?.versions.find((each) => each.version === version)?.core;
    return {
      label: version,
      kind: 'version',
      ...(core !== undefined && { detail: `for core ${core}` }),
      insert: /^\d+(\.\d+)?$/.test(version) ? `"${version}"` : version,
      start,
      end,
    };
  });
}

/** `- CONFIG_X=y`: the name, then the value. */
function listOption(text: string, cursor: CursorPlace, context: KraftContext): CompletionItem[] {
  const equals = cursor.word.indexOf('=');
  if (equals < 0) return optionItems(text, cursor, context, '=');
  const name = cursor.word.slice(0, equals).replace(/^["']/, '');
  return optionValues(name, { ...cursor, start: cursor.start + equals + 1 }, context, '');
}

function optionValues(name: string, { start, end }: CursorPlace, { model, values }: KraftContext, quote: '"' | ''): CompletionItem[] {
  const symbol = model?.byName.get(name.replace(/^CONFIG_/, ''));
  if (!symbol?.isDefined) return [];
  const item = (label: string, insert: string, detail?: string): CompletionItem => ({
    label,
    kind: 'value',
    ...(detail !== undefined && { detail }),
    insert,
    start,
    end,
  });
  switch (symbol.type) {
    case 'bool':
      return ['y', 'n'].map((value) => item(value, `${quote}${value}${quote}`));
    case 'tristate':
      return ['y', 'm', 'n'].map((value) => item(value, `${quote}${value}${quote}`));
    default: {
      const now = values?.model.byName.get(symbol.label) === symbol ? values.text(symbol) : undefined;
      const quoteIt = symbol.type === 'int' ? '' : quote;
      return now === undefined || now === '' ? [] : [item(now, `${quoteIt}${now}${quoteIt}`, 'value now')];
    }
  }
}
