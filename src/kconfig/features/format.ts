/** Formats Kconfig files: indentation, blanks and empty lines; what the file says stays the same, and that is checked. */
import { type FileSyntax, type Statement } from '../ast';
import { type Dialect } from '../dialect';
import { isOption } from '../options';
import { parseFile, tokensOf } from '../parser';
import { type Token } from '../scanner';
import { width } from './cursor';
import { type Edit } from './view';

/** Edits that format a text, whole lines each; none where the text could not be formatted without changing what it says. */
export function formatKconfig(syntax: FileSyntax, dialect: Dialect, lines?: { readonly first: number; readonly last: number }): Edit[] {
  const { text } = syntax.source;
  if (text.includes('\r')) return formatWithReturns(text, dialect, lines);
  // A backslash at the very end would join to the line feed that is missing.
  if (text.endsWith('\\')) return [];
  const all = lineEdits(text.split('\n'), formattedLines(syntax));
  const kept = lines ? all.filter(({ line }) => line >= lines.first && line <= lines.last) : all;
  const edits = kept.map(({ edit }) => edit);
  if (edits.length === 0) return [];
  return sameMeaning(syntax, parseFile(applyEdits(text, edits), dialect)) ? edits : [];
}

/** Lines that all end with a carriage return and a line feed keep them; a mixture is left alone. */
function formatWithReturns(text: string, dialect: Dialect, lines: { readonly first: number; readonly last: number } | undefined): Edit[] {
  const plain = text.replaceAll('\r\n', '\n');
  if (plain.includes('\r') || /(?:^|[^\r])\n/.test(text)) return [];
  const edits = formatKconfig(parseFile(plain, dialect), dialect, lines);
  // Each line feed before an offset is one character more.
  let feeds = 0;
  let at = 0;
  const moved = (offset: number): number => {
    for (; at < offset; at++) if (plain.charCodeAt(at) === 10) feeds++;
    return offset + feeds;
  };
  return edits.map((edit) => ({ start: moved(edit.start), end: moved(edit.end), text: edit.text.replaceAll('\n', '\r\n') }));
}

/** A text with edits made; they must be in order and not overlap. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  let out = '';
  let from = 0;
  for (const edit of edits) {
    out += text.slice(from, edit.start) + edit.text;
    from = edit.end;
  }
  return out + text.slice(from);
}

/** What a line belongs to. */
type LineRole =
  | { readonly kind: 'statement'; readonly statement: Statement }
  | { readonly kind: 'help'; readonly statement: Statement & { kind: 'help' } }
  | { readonly kind: 'continuation'; readonly statement: Statement }
  | { readonly kind: 'other' };

function formattedLines(syntax: FileSyntax): (string | undefined)[] {
  const { text } = syntax.source;
  const lines = text.split('\n');
  const roles = rolesOf(syntax, lines.length);
  const out: string[] = [];
  for (const [index, raw] of lines.entries()) {
    const role = roles[index]!;
    const line = raw.replace(/[ \t]+$/, '');
    switch (role.kind) {
      case 'help':
        out.push(helpLine(syntax, role.statement, line));
        break;
      case 'continuation':
        out.push(line.trim() === '' ? line : `\t${indentOf(role.statement)}${line.trim()}`);
        break;
      case 'statement':
        out.push(statementLine(syntax, role.statement, line, raw));
        break;
      default:
        out.push(otherLine(raw, index, lines, roles));
    }
  }
  return squeezed(out, roles);
}

function rolesOf(syntax: FileSyntax, count: number): LineRole[] {
  const roles: LineRole[] = Array.from({ length: count }, () => ({ kind: 'other' as const }));
  for (const statement of syntax.statements) {
    roles[statement.line - 1] = { kind: 'statement', statement };
    for (let line = statement.line; line < Math.min(statement.endLine, count); line++) roles[line] = { kind: 'continuation', statement };
    if (statement.kind !== 'help') continue;
    const last = syntax.source.positionAt(statement.help.end).line;
    for (let line = statement.line; line <= last && statement.help.end > statement.help.start; line++)
      roles[line] = { kind: 'help', statement };
  }
  return roles;
}

function indentOf(statement: Statement): string {
  return isOption(statement) ? '\t' : '';
}

function statementLine(syntax: FileSyntax, statement: Statement, line: string, raw: string): string {
  const { text } = syntax.source;
  const trimmed = line.trim();
  // What the scanner stumbles over stays as it stands.
  const stumbled = statement.problems.some(({ code }) => code !== 'no-final-newline');
  if (statement.kind === 'error' || stumbled) return raw;
  if (statement.kind === 'assignment') return trimmed;
  const onLine = tokensOf(statement, syntax).filter((token) => token.line === statement.line);
  const last = onLine.at(-1)!;
  const lineEnd = text.indexOf('\n', last.end);
  const rest = text.slice(last.end, lineEnd < 0 ? text.length : lineEnd).replace(/[ \t]+$/, '');
  const words = onLine.map((token) => text.slice(token.start, token.end));
  let out = indentOf(statement);
  for (const [index, word] of words.entries()) out += (index > 0 && spaced(onLine[index - 1]!, onLine[index]!) ? ' ' : '') + word;
  return out + rest.replace(/^[ \t]*(?=[#\\])/, ' ');
}

/** Whether a blank stands between two tokens. */
function spaced(left: Token, right: Token): boolean {
  if (left.kind === 'operator' && (left.text === '!' || left.text === '(')) return false;
  return !(right.kind === 'operator' && right.text === ')');
}

/** Help is written with a tab and two blanks, its own indentation kept behind them. */
function helpLine(syntax: FileSyntax, statement: Statement & { kind: 'help' }, line: string): string {
  if (line.trim() === '') return '';
  const body = syntax.source.text.slice(statement.help.start, statement.help.end);
  const first = /^(?:[ \t]*\n)*([ \t]*)\S/.exec(body);
  const base = width(first?.[1] ?? '');
  // Text in the first column is help by mistake.
  if (base === 0) return line;
  const blanks = /^[ \t]*/.exec(line)![0];
  return `\t  ${' '.repeat(Math.max(0, width(blanks) - base))}${line.trim()}`;
}

/** Comments keep to the column of what follows them; empty lines are empty; what is neither stays as it is. */
function otherLine(raw: string, index: number, lines: readonly string[], roles: readonly LineRole[]): string {
  const trimmed = raw.trim();
  if (trimmed === '') return '';
  if (!trimmed.startsWith('#')) return raw;
  if (raw.startsWith('#')) return raw.replace(/[ \t]+$/, '');
  for (let next = index + 1; next < lines.length; next++) {
    const role = roles[next]!;
    if (role.kind === 'statement') return `${indentOf(role.statement)}${trimmed}`;
    if (role.kind !== 'other') break;
  }
  return trimmed;
}

/** Takes lines away (undefined) so that at most one empty line stands between others, and none at the start and the end. */
function squeezed(lines: readonly string[], roles: readonly LineRole[]): (string | undefined)[] {
  const last = lines.length - 1;
  const lastText = lines.findLastIndex((line) => line !== '');
  let before = '';
  return lines.map((line, index) => {
    const needless = line === '' && ((before === '' && roles[index]!.kind === 'other') || index > lastText);
    if (needless && index < last) return undefined;
    before = line;
    return line;
  });
}

interface LineEdit {
  /** From 0. */
  readonly line: number;
  readonly edit: Edit;
}

/** One edit for each line that changes. */
function lineEdits(before: readonly string[], after: readonly (string | undefined)[]): LineEdit[] {
  const edits: LineEdit[] = [];
  let start = 0;
  for (const [line, old] of before.entries()) {
    const now = after[line];
    const end = start + old.length;
    const isLast = line === before.length - 1;
    if (now === undefined) edits.push({ line, edit: { start, end: end + 1, text: '' } });
    else if (isLast && now !== '') edits.push({ line, edit: { start, end, text: `${now}\n` } });
    else if (now !== old) edits.push({ line, edit: { start, end, text: now } });
    start = end + 1;
  }
  return edits;
}

/** Whether two texts have the same statements, with the same words and help texts. */
function sameMeaning(a: FileSyntax, b: FileSyntax): boolean {
  if (a.statements.length !== b.statements.length) return false;
  return a.statements.every((one, index) => {
    const other = b.statements[index]!;
    const tokens = tokensOf(one, a);
    const others = tokensOf(other, b);
    if (one.kind !== other.kind || tokens.length !== others.length) return false;
    if (one.kind === 'help' && other.kind === 'help' && trimmed(one.help.text) !== trimmed(other.help.text)) return false;
    return tokens.every((token, at) => token.kind === others[at]!.kind && token.text.trimEnd() === others[at]!.text.trimEnd());
  });
}

function trimmed(text: string): string {
  return text.replace(/\s+$/, '');
}
