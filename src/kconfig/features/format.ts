/** Formats Kconfig files: indentation, blanks and empty lines; what the file says stays the same, and that is checked. */
import { type FileSyntax, type Statement } from '../ast';
import { type Dialect } from '../dialect';
import { isOption } from '../options';
import { parseFile } from '../parser';
import { type Token } from '../scanner';
import { width } from './cursor';
import { type Edit } from './view';

/** Edits that format a text, whole lines each; none where the text could not be formatted without changing what it says. */
export function formatKconfig(syntax: FileSyntax, dialect: Dialect, lines?: { readonly first: number; readonly last: number }): Edit[] {
  const { text } = syntax.source;
  const formatted = formattedText(syntax);
  const before = text.split('\n');
  const all = lineEdits(before, formatted);
  if (all.length === 0) return [];
  if (!sameMeaning(syntax, parseFile(formatted.join('\n'), dialect))) return [];
  if (!lines) return all.map(({ edit }) => edit);
  const kept = all.filter(({ from, to }) => from >= lines.first && to - 1 <= lines.last);
  const applied = applyLines(text, kept.map(({ edit }) => edit));
  return sameMeaning(syntax, parseFile(applied, dialect)) ? kept.map(({ edit }) => edit) : [];
}

function applyLines(text: string, edits: readonly Edit[]): string {
  let out = text;
  for (const edit of [...edits].sort((a, b) => b.start - a.start)) out = out.slice(0, edit.start) + edit.text + out.slice(edit.end);
  return out;
}

/** What a line belongs to. */
type LineRole =
  | { readonly kind: 'statement'; readonly statement: Statement }
  | { readonly kind: 'help'; readonly statement: Statement & { kind: 'help' } }
  | { readonly kind: 'continuation'; readonly statement: Statement }
  | { readonly kind: 'other' };

function formattedText(syntax: FileSyntax): string[] {
  const { text } = syntax.source;
  const lines = text.split('\n');
  const roles = rolesOf(syntax, lines.length);
  const out: string[] = [];
  for (const [index, raw] of lines.entries()) {
    const role = roles[index]!;
    const line = raw.replace(/[ \t\r]+$/, '');
    switch (role.kind) {
      case 'help':
        out.push(helpLine(syntax, role.statement, line));
        break;
      case 'continuation':
        out.push(line.trim() === '' ? line : `\t${indentOf(role.statement)}${line.trim()}`);
        break;
      case 'statement':
        out.push(statementLine(role.statement, line, text));
        break;
      default:
        out.push(otherLine(line, index, lines, roles));
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
    for (let line = statement.line; line <= last && statement.help.end > statement.help.start; line++) roles[line] = { kind: 'help', statement };
  }
  return roles;
}

function indentOf(statement: Statement): string {
  return isOption(statement) ? '\t' : '';
}

function statementLine(statement: Statement, line: string, text: string): string {
  const trimmed = line.trim();
  // What the scanner stumbles over stays as it stands.
  if (statement.kind === 'error' || statement.kind === 'assignment' || statement.problems.some((one) => one.code !== 'no-final-newline'))
    return statement.kind === 'error' ? line : trimmed;
  const onLine = statement.tokens.filter((token) => token.line === statement.line);
  const last = onLine.at(-1)!;
  const lineEnd = text.indexOf('\n', last.end);
  const rest = text.slice(last.end, lineEnd < 0 ? text.length : lineEnd).replace(/[ \t\r]+$/, '');
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
  const first = /^(?:[ \t\r]*\n)*([ \t]*)\S/.exec(body);
  const base = width(first?.[1] ?? '');
  // Text in the first column is help by mistake.
  if (base === 0) return line;
  const blanks = /^[ \t]*/.exec(line)![0];
  return `\t  ${' '.repeat(Math.max(0, width(blanks) - base))}${line.trim()}`;
}

/** Comments keep to the column of what follows them; empty lines are empty. */
function otherLine(line: string, index: number, lines: readonly string[], roles: readonly LineRole[]): string {
  const trimmed = line.trim();
  if (!trimmed.startsWith('#') || /^#/.test(line)) return trimmed === '' ? '' : line.startsWith('#') ? line : trimmed;
  for (let next = index + 1; next < lines.length; next++) {
    const role = roles[next]!;
    if (role.kind === 'statement') return `${indentOf(role.statement)}${trimmed}`;
    if (role.kind !== 'other') break;
  }
  return trimmed;
}

/** At most one empty line between others, none at the start and the end. */
function squeezed(lines: readonly string[], roles: readonly LineRole[]): string[] {
  const out: string[] = [];
  for (const [index, line] of lines.entries()) {
    if (line === '' && roles[index]!.kind === 'other' && (out.length === 0 || out.at(-1) === '')) continue;
    out.push(line);
  }
  while (out.length > 0 && out.at(-1) === '') out.pop();
  if (out.length > 0) out.push('');
  return out;
}

interface LineEdit {
  readonly from: number;
  readonly to: number;
  readonly edit: Edit;
}

/** The least runs of lines that differ; lines are matched from the front and the back of each run. */
function lineEdits(before: readonly string[], after: readonly string[]): LineEdit[] {
  const starts: number[] = [0];
  for (const line of before) starts.push(starts.at(-1)! + line.length + 1);
  const edits: LineEdit[] = [];
  let i = 0;
  let j = 0;
  while (i < before.length || j < after.length) {
    if (i < before.length && j < after.length && before[i] === after[j]) {
      i++;
      j++;
      continue;
    }
    // Formatting changes lines one by one, or takes empty ones away.
    if (i < before.length && before[i]!.trim() === '' && (j >= after.length || after[j] !== '' || before.length - i > after.length - j)) {
      const gone = { start: starts[i]!, end: Math.min(starts[i + 1]!, starts.at(-1)! - 1), text: '' };
      // The last line has no line feed after it, so the one before it goes.
      const last = i === before.length - 1;
      edits.push({ from: i, to: i + 1, edit: last ? { ...gone, start: Math.max(0, gone.start - 1) } : gone });
      i++;
    } else if (i < before.length && j < after.length) {
      const start = starts[i]!;
      edits.push({ from: i, to: i + 1, edit: { start, end: start + before[i]!.length, text: after[j]! } });
      i++;
      j++;
    } else if (j < after.length) {
      const end = starts.at(-1)! - 1;
      edits.push({ from: before.length - 1, to: before.length, edit: { start: end, end, text: after.slice(j).map((line) => `\n${line}`).join('') } });
      j = after.length;
    } else {
      const start = Math.max(0, starts[i]! - 1);
      edits.push({ from: i, to: before.length, edit: { start, end: starts.at(-1)! - 1, text: '' } });
      i = before.length;
    }
  }
  return edits;
}

/** Whether two texts have the same statements, with the same words and help texts. */
function sameMeaning(a: FileSyntax, b: FileSyntax): boolean {
  if (a.statements.length !== b.statements.length) return false;
  return a.statements.every((one, index) => {
    const other = b.statements[index]!;
    if (one.kind !== other.kind || one.tokens.length !== other.tokens.length) return false;
    if (one.kind === 'help' && other.kind === 'help' && trimmed(one.help.text) !== trimmed(other.help.text)) return false;
    return one.tokens.every((token, at) => token.kind === other.tokens[at]!.kind && token.text.trimEnd() === other.tokens[at]!.text.trimEnd());
  });
}

function trimmed(text: string): string {
  return text.replace(/\r/g, '').replace(/\s+$/, '');
}
