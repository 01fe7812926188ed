/** Completion, outline, folding and hints in .config files, defconfigs and fragments. */
import { parseDotConfig, type Assignment } from '../dotconfig/read';
import { type Evaluation } from '../evaluate';
import { type KSymbol } from '../model';
import { rangeBounds } from '../range';
import { escapeString } from '../values';
import { knownValues } from './complete';
import { type Fold, type OutlineEntry } from './outline';
import { inOrder, symbolModifiers, type SemanticToken } from './tokens';
import { promptOf, type Item, type KconfigView } from './view';
import { shownValue, type ValueHint } from './values';

/** No more options than this are given at once; typing on narrows them. */
export const mostItems = 1000;

/** Values that an option may be given, as .config writes them; best first. */
export function legalValues(values: Evaluation, symbol: KSymbol): { readonly text: string; readonly detail: string }[] {
  const found = new Map<string, string>();
  const add = (text: string, detail: string): void => {
    if (text !== '' && !found.has(text)) found.set(text, detail);
  };
  const quote = (text: string): string => (symbol.type === 'string' ? `"${escapeString(text)}"` : text);
  switch (symbol.type) {
    case 'bool':
      add('y', 'enabled');
      add('n', 'disabled; usually written “is not set”');
      break;
    case 'tristate':
      add('y', 'built in');
      if (values.typeOf(symbol) === 'tristate') add('m', 'module');
      add('n', 'disabled; usually written “is not set”');
      break;
    default: {
      const now = values.text(symbol);
      if (now !== '' || symbol.type === 'string') add(quote(now), 'value now');
      const bounds = rangeBounds(values, symbol);
      if (bounds) {
        add(bounds.lowText, 'least');
        add(bounds.highText, 'greatest');
      }
      for (const value of knownValues(symbol)) add(quote(value), 'a default');
      if (symbol.type === 'string') add('""', 'empty');
    }
  }
  return [...found].map(([text, detail]) => ({ text, detail }));
}

/** Items at an offset of a .config; `complete` is false where there are more. */
export function completeDotConfig(view: KconfigView, text: string, offset: number): { readonly items: Item[]; readonly complete: boolean } {
  const { prefix } = view.configuration;
  const lineStart = text.lastIndexOf('\n', offset - 1) + 1;
  const line = text.slice(lineStart, offset);
  const lineEnd = offset + /^[^\n\r]*/.exec(text.slice(offset))![0].length;
  const assigned = new RegExp(`^${prefix}(\\w+)=(.*)$`).exec(line);
  if (assigned) {
    const symbol = view.service.tree.model.byName.get(assigned[1]!);
    if (!symbol?.isDefined) return { items: [], complete: true };
    const start = offset - assigned[2]!.length;
    const items = legalValues(view.configuration.values, symbol).map(({ text: value, detail }, rank): Item => ({
      label: value,
      kind: 'value',
      insert: value,
      start,
      end: lineEnd,
      rank,
      detail,
    }));
    return { items, complete: true };
  }
  const word = /^(#?[ \t]*)(\w*)$/.exec(line);
  if (!word) return { items: [], complete: true };
  return optionItems(view, text, { start: lineStart, end: lineEnd, at: offset, unset: word[1]!.startsWith('#'), typed: word[2]! });
}

function optionItems(
  view: KconfigView,
  text: string,
  place: { readonly start: number; readonly end: number; readonly at: number; readonly unset: boolean; readonly typed: string },
): { items: Item[]; complete: boolean } {
  const { prefix } = view.configuration;
  const { values } = view.configuration;
  const here = parseDotConfig(text, prefix).assignments;
  const present = new Set(here.filter((one) => one.start !== place.start).map((one) => one.name));
  const typed = place.typed.toUpperCase().replace(prefix, '');
  const items: Item[] = [];
  let complete = true;
  for (const symbol of view.service.tree.model.byName.values()) {
    if (!symbol.isDefined || symbol.isConstant || symbol.isChoice || symbol.prompts.length === 0 || present.has(symbol.label)) continue;
    if (typed !== '' && !prefix.startsWith(typed) && !isSubsequence(typed, symbol.label)) continue;
    if (place.unset && !symbol.isBoolean) continue;
    if (items.length >= mostItems) {
      complete = false;
      break;
    }
    const full = prefix + symbol.label;
    const settable = values.isChangeable(symbol);
    const [first] = legalValues(values, symbol);
    const wanted = symbol.isBoolean && values.tri(symbol) === 2 ? 'n' : (first?.text ?? '');
    const insert = place.unset || (symbol.isBoolean && wanted === 'n') ? `# ${full} is not set` : `${full}=${wanted}`;
    items.push({
      label: place.unset ? `# ${full} is not set` : full,
      kind: 'symbol',
      insert,
      start: place.start,
      end: place.end,
      rank: settable ? 0 : 1,
      filter: place.unset ? `# ${full}` : full,
      detail: `${symbol.type}  ${promptOf(symbol) ?? ''}${settable ? '' : '  (not settable now)'}`,
      symbol: symbol.label,
    });
  }
  return { items, complete };
}

function isSubsequence(part: string, whole: string): boolean {
  let at = 0;
  for (const char of whole) if (char === part[at]) at++;
  return at === part.length;
}

/** The assignment on the line that holds an offset. */
export function assignmentAt(text: string, offset: number, prefix: string): Assignment | undefined {
  return parseDotConfig(text, prefix).assignments.find(({ start, end }) => offset >= start && offset <= end);
}

/** Sections by their `# heading` blocks, with the assignments in them. */
export function outlineDotConfig(text: string, prefix: string): { readonly entries: OutlineEntry[]; readonly folds: Fold[] } {
  const top: OutlineEntry[] = [];
  const folds: Fold[] = [];
  const open: { entry: OutlineEntry & { end: number }; line: number; menu: boolean }[] = [];
  const lines = text.split('\n');
  const assignments = new Map(parseDotConfig(text, prefix).assignments.map((one) => [one.line - 1, one]));
  let start = 0;
  const close = (from: number, line: number, end: number): void => {
    for (const { entry, line: first } of open.splice(from)) {
      entry.end = Math.max(entry.end, end);
      if (line > first) folds.push({ startLine: first, endLine: line, comment: false });
    }
  };
  let lastText = { line: 0, end: 0 };
  for (const [line, raw] of lines.entries()) {
    const trimmed = raw.trimEnd();
    const end = start + trimmed.length;
    const assignment = assignments.get(line);
    const ends = /^# end of (.*)$/.exec(trimmed);
    const heading =
      !assignment && lines[line - 1]?.trim() === '#' && lines[line + 1]?.trim() === '#' ? /^# (.+)$/.exec(trimmed)?.[1] : undefined;
    if (assignment) {
      const { name, nameStart, nameEnd, value } = assignment;
      const entry: OutlineEntry = { name, kind: 'assignment', detail: value ?? 'not set', start, end, nameStart, nameEnd, children: [] };
      (open.at(-1)?.entry.children ?? top).push(entry);
    } else if (ends) {
      const at = open.findLastIndex(({ entry }) => entry.name === ends[1]);
      if (at >= 0) close(at, line, end);
    } else if (heading !== undefined) {
      // A heading without its `# end of` is a comment, and ends with the next heading.
      if (open.at(-1) && !open.at(-1)!.menu) close(open.length - 1, lastText.line, lastText.end);
      const menu = text.includes(`\n# end of ${heading}`, start);
      const entry = { name: heading, kind: 'heading' as const, detail: '', start, end, nameStart: start + 2, nameEnd: end, children: [] };
      (open.at(-1)?.entry.children ?? top).push(entry);
      open.push({ entry, line, menu });
    }
    if (trimmed !== '' && trimmed !== '#') lastText = { line, end };
    start += raw.length + 1;
  }
  close(0, lastText.line, lastText.end);
  return { entries: top, folds };
}

/** Hints where the value is not what the line says. */
export function hintsDotConfig(view: KconfigView, text: string, from: number, to: number): ValueHint[] {
  const { prefix, values } = view.configuration;
  const hints: ValueHint[] = [];
  for (const assignment of parseDotConfig(text, prefix).assignments) {
    if (assignment.end < from || assignment.start > to) continue;
    const symbol = view.service.tree.model.byName.get(assignment.name);
    if (!symbol?.isDefined || saysValue(values, symbol, assignment) || comesFromMake(symbol)) continue;
    hints.push({ at: assignment.end, label: `→ ${shownValue(view, symbol)}`, symbol: symbol.label });
  }
  return hints;
}

/** Options such as UK_BASE, which only repeat what make was called with: each build gives them its own value, and no line here could. */
export function comesFromMake({ prompts, defaults }: KSymbol): boolean {
  if (prompts.length > 0 || defaults.length === 0) return false;
  return defaults.every(({ statement }) => {
    if (statement?.kind === 'option') return statement.option === 'env';
    return statement?.kind === 'default' && statement.value.kind === 'symbol' && statement.value.token.parts !== undefined;
  });
}

/** Whether a line gives the symbol the value that it has. */
export function saysValue(values: Evaluation, symbol: KSymbol, { value }: Assignment): boolean {
  const now = values.text(symbol);
  if (value === undefined) return symbol.isBoolean ? now === 'n' : true;
  if (symbol.isBoolean) return value.startsWith(now);
  if (symbol.type === 'string') return !value.startsWith('"') || value.replace(/\s+$/, '') === `"${escapeString(now)}"`;
  return value === now || value.toLowerCase().replace(/^0x/, '') === now.toLowerCase().replace(/^0x/, '');
}

/** Colours of a .config's names and values. */
export function tokensDotConfig(view: KconfigView, text: string): SemanticToken[] {
  const { prefix, values } = view.configuration;
  const tokens: SemanticToken[] = [];
  for (const { name, nameStart, nameEnd, value, valueStart, valueEnd } of parseDotConfig(text, prefix).assignments) {
    const symbol = view.service.tree.model.byName.get(name);
    const modifiers = symbol ? symbolModifiers(values, symbol, view.partial) : view.partial ? [] : (['undefined'] as const);
    tokens.push({ start: nameStart, end: nameEnd, type: 'kconfigSymbol', modifiers });
    if (value !== undefined && /^[ynm]$/.test(value)) tokens.push({ start: valueStart, end: valueEnd, type: 'enumMember', modifiers: [] });
  }
  return inOrder(tokens);
}
