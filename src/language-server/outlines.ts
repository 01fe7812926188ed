/** Outlines of Kraftfiles and makefiles. */
import { type Fold, type OutlineEntry, type OutlineKind } from '../kconfig/features/outline';
import { type Span } from '../kconfig/features/view';
import { type Kraftfile } from '../kraftfile/model';
import { type KraftDocument } from '../kraftfile/document';

const deepest = 12;

/** Keys and items of a Kraftfile, nested as they are. */
export function outlineKraftfile({ document }: Kraftfile): OutlineEntry[] {
  return entriesOf(document, document.root, 0);
}

function entriesOf(document: KraftDocument, node: unknown, depth: number): OutlineEntry[] {
  if (depth > deepest) return [];
  const make = (name: string, kind: OutlineKind, detail: string, key: Span, value: unknown): OutlineEntry => {
    const end = Math.max(key.end, value === undefined ? 0 : document.span(value).end);
    return {
      name,
      kind,
      detail,
      start: key.start,
      end,
      nameStart: key.start,
      nameEnd: key.end,
      children: entriesOf(document, value, depth + 1),
    };
  };
  const map = document.entries(node).map(({ key, keySpan, value }) => {
    const text = document.scalarText(value);
    return make(key === '' ? '""' : key, text === undefined ? 'menu' : 'assignment', text ?? '', keySpan, value);
  });
  const items = document.items(node).map((item, index) => {
    const text = document.scalarText(item);
    const first = document.entries(item)[0];
    const title = text || (first && `${first.key}: ${document.scalarText(first.value) ?? ''}`) || String(index + 1);
    const span = document.span(item);
    return {
      ...make(title, text === undefined ? 'menu' : 'assignment', '', span, undefined),
      end: span.end,
      children: entriesOf(document, item, depth + 1),
    };
  });
  return [...map, ...items];
}

/** Registrations, variables and rules of a makefile. */
export function outlineMakefile(text: string): OutlineEntry[] {
  const entries: OutlineEntry[] = [];
  const seen = new Set<string>();
  let start = 0;
  for (const raw of text.split('\n')) {
    const line = raw.replace(/\r$/, '');
    const call = /^\s*\$\(eval \$\(call ((?:add|fetch|patch|import|unarchive|clone|uk_)\w*),\s*([\w-]+)/.exec(line);
    const variable =
      /^([A-Za-z_][\w.-]*)(?:\$\([^)]*\))?[ \t]*(?:[?:+]|::)?=/.exec(line) ?? /^([A-Za-z_][\w.-]*?)-?\$\([^)]*\)[ \t]*\+?=/.exec(line);
    const name = call ? call[2]! : variable?.[1];
    if (name !== undefined && !seen.has(`${call?.[1]} ${name}`)) {
      seen.add(`${call?.[1]} ${name}`);
      const at = start + line.indexOf(name);
      const kind: OutlineKind = call ? 'menu' : 'assignment';
      entries.push({
        name,
        kind,
        detail: call?.[1] ?? '',
        start,
        end: start + line.length,
        nameStart: at,
        nameEnd: at + name.length,
        children: [],
      });
    }
    start += raw.length + 1;
  }
  return entries;
}

/** Conditionals, definitions and runs of continued lines of a makefile. */
export function foldsMakefile(text: string): Fold[] {
  const folds: Fold[] = [];
  const open: { readonly word: string; readonly line: number }[] = [];
  let continued = -1;
  for (const [line, raw] of text.split('\n').entries()) {
    const word = /^\s*(ifn?eq|ifn?def|define|endif|endef)\b/.exec(raw)?.[1];
    if (word === 'endif' || word === 'endef') {
      const from = open.findLastIndex((one) => (one.word === 'define') === (word === 'endef'));
      if (from >= 0) folds.push({ startLine: open.splice(from)[0]!.line, endLine: line, comment: false });
    } else if (word !== undefined) open.push({ word, line });
    if (/\\\r?$/.test(raw)) continued = continued < 0 ? line : continued;
    else if (continued >= 0) {
      folds.push({ startLine: continued, endLine: line, comment: false });
      continued = -1;
    }
  }
  return folds;
}
