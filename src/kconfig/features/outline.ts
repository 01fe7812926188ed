/** The outline of a Kconfig file, and what can be folded in it. */
import { type FileSyntax, type Statement } from '../ast';
import { isOption } from '../options';
import { type Span } from './view';

export type OutlineKind = 'menu' | 'choice' | 'if' | 'comment' | 'bool' | 'number' | 'string' | 'option' | 'heading' | 'assignment';

/** One entry of an outline. */
export interface OutlineEntry extends Span {
  readonly name: string;
  readonly detail: string;
  readonly kind: OutlineKind;
  /** The name's own place. */
  readonly nameStart: number;
  readonly nameEnd: number;
  readonly children: OutlineEntry[];
}

/** The outline is not nested deeper than this. */
const deepest = 200;

/** Menus, choices, options and comments, nested as they are. */
export function outlineOf(syntax: FileSyntax): OutlineEntry[] {
  const { statements } = syntax;
  const { text } = syntax.source;
  const top: OutlineEntry[] = [];
  const stack: { readonly entry: Mutable; readonly block: 'menu' | 'choice' | 'if' }[] = [];
  const list = (): OutlineEntry[] => stack.at(-1)?.entry.children ?? top;
  for (const [index, statement] of statements.entries()) {
    if (statement.kind === 'end') {
      const at = stack.findLastIndex((one) => one.block === statement.block);
      if (at < 0) continue;
      for (const { entry } of stack.splice(at)) entry.end = statement.end;
      continue;
    }
    const entry = entryOf(statements, index, text);
    if (!entry) continue;
    list().push(entry);
    if ((statement.kind === 'menu' || statement.kind === 'choice' || statement.kind === 'if') && stack.length < deepest)
      stack.push({ entry, block: statement.kind });
  }
  for (const { entry } of stack) entry.end = Math.max(entry.end, endOf(statements.at(-1)));
  widen(top);
  return top;
}

interface Mutable extends OutlineEntry {
  end: number;
}

/** A parent holds its children, also where the text is broken. */
function widen(entries: readonly OutlineEntry[]): number {
  let end = 0;
  for (const entry of entries) {
    (entry as Mutable).end = Math.max(entry.end, widen(entry.children));
    end = Math.max(end, entry.end);
  }
  return end;
}

function entryOf(statements: readonly Statement[], index: number, text: string): Mutable | undefined {
  const statement = statements[index]!;
  const options: Statement[] = [];
  for (let next = index + 1; next < statements.length && isOption(statements[next]!); next++) options.push(statements[next]!);
  const make = (name: string, kind: OutlineKind, detail: string, at: Span): Mutable => ({
    name: name || '(no name)',
    kind,
    detail,
    start: statement.start,
    end: Math.max(statement.end, endOf(options.at(-1))),
    nameStart: at.start,
    nameEnd: at.end,
    children: [],
  });
  switch (statement.kind) {
    case 'config':
    case 'menuconfig': {
      const typed = options.find((one) => one.kind === 'type' || (one.kind === 'default' && one.type !== undefined));
      const type = typed?.kind === 'type' || typed?.kind === 'default' ? typed.type : undefined;
      const kind =
        type === 'bool' || type === 'tristate'
          ? 'bool'
          : type === 'int' || type === 'hex'
            ? 'number'
            : type === 'string'
              ? 'string'
              : 'option';
      return make(statement.name.text, kind, [type ?? '', promptIn(options)].filter(Boolean).join('  '), statement.name);
    }
    case 'choice':
      return make(promptIn(options) || statement.name?.text || 'choice', 'choice', 'choice', statement);
    case 'menu':
    case 'comment':
      return make(statement.prompt.text, statement.kind, statement.kind, statement.prompt);
    case 'if':
      return make(`if ${text.slice(statement.condition.start, statement.condition.end)}`, 'if', '', statement.condition);
    default:
      return undefined;
  }
}

function promptIn(options: readonly Statement[]): string {
  for (const option of options) if ((option.kind === 'type' || option.kind === 'prompt') && option.prompt) return option.prompt.text;
  return '';
}

function endOf(statement: Statement | undefined): number {
  if (!statement) return 0;
  return statement.kind === 'help' ? Math.max(statement.end, statement.help.end) : statement.end;
}

/** A range of lines, both from 0 and inclusive. */
export interface Fold {
  readonly startLine: number;
  readonly endLine: number;
  readonly comment: boolean;
}

/** Menus, choices, ifs, entries with their options, help texts, and runs of comments. */
export function foldsOf(syntax: FileSyntax): Fold[] {
  const { source, statements, comments } = syntax;
  const folds: Fold[] = [];
  const line = (offset: number): number => source.positionAt(offset).line;
  const add = (startLine: number, endLine: number, comment = false): void => {
    if (endLine > startLine) folds.push({ startLine, endLine, comment });
  };
  const open: { readonly block: string; readonly line: number }[] = [];
  for (const [index, statement] of statements.entries()) {
    const here = statement.line - 1;
    if (statement.kind === 'end') {
      const at = open.findLastIndex((one) => one.block === statement.block);
      if (at >= 0) add(open.splice(at)[0]!.line, here);
    } else if (statement.kind === 'menu' || statement.kind === 'choice' || statement.kind === 'if')
      open.push({ block: statement.kind, line: here });
    else if (statement.kind === 'config' || statement.kind === 'menuconfig' || statement.kind === 'comment') {
      let last: Statement = statement;
      for (let next = index + 1; next < statements.length && isOption(statements[next]!); next++) last = statements[next]!;
      add(here, line(endOf(last)));
    }
    if (statement.kind === 'help' && statement.help.text.trim() !== '') add(here, line(statement.help.end), true);
  }
  let first = -2;
  let last = -2;
  for (const comment of comments) {
    const at = line(comment.start);
    const whole = /^\s*$/.test(source.text.slice(source.offsetAt({ line: at, character: 0 }), comment.start));
    if (whole && at === last + 1) last = at;
    else {
      add(first, last, true);
      [first, last] = whole ? [at, at] : [-2, -2];
    }
  }
  add(first, last, true);
  return folds;
}
