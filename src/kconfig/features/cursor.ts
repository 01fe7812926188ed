/** Tells what may be written at a place of a Config.uk file, also while the line is not finished. */
import { type FileSyntax, type Statement, type TypeName } from '../ast';
import { type Dialect } from '../dialect';
import { isOption } from '../options';
import { Scanner, type Token } from '../scanner';

/** What kind of thing belongs at the cursor. */
export type Slot =
  | { readonly kind: 'nothing' }
  /** The first word of a line. */
  | { readonly kind: 'statement'; readonly indented: boolean }
  /** The name after `config`. */
  | { readonly kind: 'name' }
  /** One of a few words. */
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'operand'; readonly role: 'condition' | 'default' | 'select' | 'imply' | 'range' }
  /** After an operand: an operator, and `if` where the line has none yet. */
  | { readonly kind: 'operator'; readonly allowIf: boolean }
  /** The right side of a comparison. */
  | { readonly kind: 'compared'; readonly left: string; readonly quoted: boolean }
  /** The inside of a `source`'s path; `word` is all of it so far. */
  | { readonly kind: 'path' }
  /** The first word inside `$(`. */
  | { readonly kind: 'macro' };

/** The slot with what is written of it already. */
export interface Cursor {
  readonly slot: Slot;
  /** Text from `start` to the cursor. */
  readonly word: string;
  readonly start: number;
  /** End of the word, beyond the cursor. */
  readonly end: number;
}

/** The slot at an offset. */
export function cursorAt(syntax: FileSyntax, offset: number, dialect: Dialect): Cursor {
  const { text } = syntax.source;
  const at = Math.max(0, Math.min(offset, text.length));
  const nothing: Cursor = { slot: { kind: 'nothing' }, word: '', start: at, end: at };
  if (syntax.comments.some(({ start, end }) => at > start && at <= end) || inHelp(syntax, at)) return nothing;
  const lineStart = logicalStart(text, at);
  const line = text.slice(lineStart, at);
  const macro = openMacro(line);
  if (macro >= 0) {
    const inside = line.slice(macro + 2);
    const word = /[\w.-]*$/.exec(inside)![0];
    if (inside !== word) return nothing;
    return { slot: { kind: 'macro' }, word, start: at - word.length, end: at + /^[\w.-]*/.exec(text.slice(at))![0].length };
  }
  const scanned = new Scanner(line, dialect).nextLine()?.tokens ?? [];
  const quote = openQuote(line);
  if (quote >= 0) {
    const before = scanned.filter((token) => token.end <= quote);
    return inQuotes(before, line.slice(quote + 1), at, text);
  }
  const word = /[\w-]*$/.exec(line)![0];
  const start = at - word.length;
  const end = at + /^[\w-]*/.exec(text.slice(at))![0].length;
  const before = scanned.filter((token) => token.end <= line.length - word.length);
  return { slot: slotAfter(before, line), word, start, end };
}

function inQuotes(before: readonly Token[], inside: string, at: number, text: string): Cursor {
  const first = before[0]?.text ?? '';
  const end = at + /^[^"'\n]*/.exec(text.slice(at))![0].length;
  const cursor = (slot: Slot): Cursor => ({ slot, word: inside, start: at - inside.length, end });
  if (before.length === 1 && first.endsWith('source')) return cursor({ kind: 'path' });
  const operator = before.at(-1);
  const left = before.at(-2);
  if (operator?.kind === 'operator' && isComparison(operator.text) && left?.kind === 'word')
    return cursor({ kind: 'compared', left: left.text, quoted: true });
  return cursor({ kind: 'nothing' });
}

function slotAfter(before: readonly Token[], line: string): Slot {
  const first = before[0];
  if (!first) return { kind: 'statement', indented: /^[ \t]/.test(line) };
  const nothing: Slot = { kind: 'nothing' };
  if (first.kind !== 'keyword') return nothing;
  const ifAt = before.findIndex((token, index) => index > 0 && token.kind === 'keyword' && token.text === 'if');
  const condition = (): Slot => expressionSlot(before.slice(ifAt + 1), 'condition', false);
  switch (first.text) {
    case 'config':
    case 'menuconfig':
      return before.length === 1 ? { kind: 'name' } : nothing;
    case 'if':
      return expressionSlot(before.slice(1), 'condition', false);
    case 'depends':
      return before.length === 1
        ? { kind: 'words', words: ['on'] }
        : before[1]!.text === 'on'
          ? expressionSlot(before.slice(2), 'condition', false)
          : nothing;
    case 'visible':
      return before.length === 1 ? { kind: 'words', words: ['if'] } : ifAt === 1 ? condition() : nothing;
    case 'bool':
    case 'tristate':
    case 'int':
    case 'hex':
    case 'string':
    case 'prompt':
      if (ifAt > 0) return condition();
      return before.length === 2 ? { kind: 'words', words: ['if'] } : nothing;
    case 'select':
    case 'imply':
      if (ifAt > 0) return condition();
      if (before.length === 1) return { kind: 'operand', role: first.text };
      return before.length === 2 ? { kind: 'words', words: ['if'] } : nothing;
    case 'range':
      if (ifAt > 0) return condition();
      if (before.length < 3) return { kind: 'operand', role: 'range' };
      return before.length === 3 ? { kind: 'words', words: ['if'] } : nothing;
    case 'default':
    case 'def_bool':
    case 'def_tristate':
    case 'def_int':
    case 'def_hex':
    case 'def_string':
      return ifAt > 0 ? condition() : expressionSlot(before.slice(1), 'default', true);
    case 'option':
      return before.length === 1 ? { kind: 'words', words: ['modules', 'defconfig_list', 'allnoconfig_y'] } : nothing;
    default:
      return nothing;
  }
}

function expressionSlot(tokens: readonly Token[], role: 'condition' | 'default', allowIf: boolean): Slot {
  const last = tokens.at(-1);
  if (!last) return { kind: 'operand', role };
  if (last.kind !== 'operator' || last.text === ')') return { kind: 'operator', allowIf };
  if (!isComparison(last.text)) return { kind: 'operand', role };
  const left = tokens.at(-2);
  return left?.kind === 'word' ? { kind: 'compared', left: left.text, quoted: false } : { kind: 'operand', role };
}

function isComparison(text: string): boolean {
  return /^(?:!?=|[<>]=?)$/.test(text);
}

/** Where the line starts, with the lines before it that a backslash joins to it. */
function logicalStart(text: string, at: number): number {
  let start = text.lastIndexOf('\n', at - 1) + 1;
  while (start > 1 && text[start - 2] === '\\') start = text.lastIndexOf('\n', start - 2) + 1;
  return start;
}

/** Offset of the last `$(` that is still open, or -1. */
function openMacro(line: string): number {
  const open: number[] = [];
  for (let at = 0; at < line.length; at++) {
    if (line[at] === '$' && line[at + 1] === '(') open.push(at++);
    else if (line[at] === '(' && open.length > 0) open.push(-1);
    else if (line[at] === ')') open.pop();
  }
  return open.findLast((each) => each >= 0) ?? -1;
}

/** Offset of the quote that is still open, or -1. */
function openQuote(line: string): number {
  let open = -1;
  for (let at = 0; at < line.length; at++) {
    const char = line[at];
    if (open >= 0) {
      if (char === '\\') at++;
      else if (char === line[open]) open = -1;
    } else if (char === '"' || char === "'") open = at;
    else if (char === '#') return -1;
  }
  return open;
}

/** Whether an offset is in a help text, or on a line where it would go on. */
function inHelp(syntax: FileSyntax, at: number): boolean {
  const { text } = syntax.source;
  const help = syntax.statements.findLast((statement) => statement.kind === 'help' && statement.end < at);
  if (help?.kind !== 'help') return false;
  if (at <= help.help.end) return true;
  const next = syntax.statements.find((statement) => statement.start >= help.help.end);
  if (next && next.start < at) return false;
  const lineStart = text.lastIndexOf('\n', at - 1) + 1;
  const before = text.slice(lineStart, at);
  if (/\S/.test(before)) return false;
  const body = /^(?:[ \t]*\n)*([ \t]*)\S/.exec(text.slice(help.end + 1, help.help.end + 1));
  return width(before) > 0 && width(before) >= width(body?.[1] ?? '');
}

/** Columns that blanks take. */
export function width(blanks: string): number {
  let columns = 0;
  for (const char of blanks) columns = char === '\t' ? (columns & ~7) + 8 : columns + 1;
  return columns;
}

/** The blocks that are open before an offset, and the entry whose options may stand there. */
export interface Surroundings {
  /** Outermost first. */
  readonly blocks: readonly ('menu' | 'if' | 'choice')[];
  readonly entry: 'config' | 'menuconfig' | 'choice' | 'menu' | 'comment' | undefined;
  /** The entry's own statement. */
  readonly statement: Statement | undefined;
  /** The options that the entry has before and after the place. */
  readonly options: readonly Statement[];
  readonly type: TypeName | undefined;
}

/** The surroundings of an offset, from this file alone. */
export function surroundings(syntax: FileSyntax, offset: number): Surroundings {
  const blocks: ('menu' | 'if' | 'choice')[] = [];
  let entry: Surroundings['entry'];
  let statement: Statement | undefined;
  let options: Statement[] = [];
  for (const one of syntax.statements) {
    if (one.start >= offset) {
      // Options after the place belong to the same entry.
      if (!isOption(one)) break;
      options.push(one);
      continue;
    }
    if (one.end >= offset && one.line === one.endLine) continue;
    if (isOption(one)) options.push(one);
    else if (one.kind !== 'error') {
      [entry, statement, options] = [undefined, one, []];
      if (one.kind === 'end') {
        const at = blocks.lastIndexOf(one.block);
        if (at >= 0) blocks.length = at;
      } else if (one.kind === 'menu' || one.kind === 'choice' || one.kind === 'if') blocks.push(one.kind);
      if (one.kind === 'config' || one.kind === 'menuconfig' || one.kind === 'choice' || one.kind === 'menu' || one.kind === 'comment')
        entry = one.kind;
    }
  }
  const typed = options.find((one) => one.kind === 'type' || (one.kind === 'default' && one.type !== undefined));
  const type = typed?.kind === 'type' ? typed.type : typed?.kind === 'default' ? typed.type : undefined;
  return { blocks, entry, statement: entry ? statement : undefined, options, type };
}
