/** Quick fixes in Kconfig files. */
import { type FileSyntax } from '../ast';
import { exprText } from '../expression';
import { optionsOf } from '../options';
import { type Edit, filesAt, type Finding, type KconfigView } from './view';

/** A change that somebody may want, with the finding that it mends where there is one. */
export interface Fix {
  readonly title: string;
  readonly kind: 'quickfix' | 'refactor';
  readonly preferred?: boolean;
  readonly finding?: Finding;
  /** Of the file that was asked about. */
  readonly edits: readonly Edit[];
}

/** Makes quick fixes of a finding; the preferred one is what a single key applies. */
export function fixesOf(finding: Finding): MakeFix {
  return (title, edits, preferred = false) => ({ title, kind: 'quickfix', edits, finding, ...(preferred && { preferred }) });
}

/** The fixes of one finding in a Kconfig file. */
export function fixKconfig(view: KconfigView, path: string, syntax: FileSyntax, finding: Finding): Fix[] {
  const { text } = syntax.source;
  const { start, end, code, suggestion } = finding;
  const fix = fixesOf(finding);
  if (suggestion !== undefined) return [fix(`Change to ${suggestion}`, [{ start, end, text: suggestion }], true)];
  switch (code) {
    case 'no-final-newline':
      return [fix('End the file with a line feed', [{ start: text.length, end: text.length, text: '\n' }], true)];
    case 'unsupported-character':
      return [fix('Take the character away', [{ start, end, text: '' }], true)];
    case 'leading-whitespace':
      return [fix('Take the blanks away', [{ start, end, text: text.slice(start, end).replace(/^(["']?)\s+/, '$1') }], true)];
    case 'unreachable-default':
    case 'duplicate-source':
    case 'select-of-choice-member':
      return [fix('Remove this line', [wholeLines(text, start, end)])];
    case 'number-without-default':
      return addDefault(syntax, start, fix);
    case 'select-of-dependent':
      return addDependency(view, path, syntax, finding, fix);
    case 'help-swallows':
      return [fix('Remove the empty help', [emptyHelp(text, start)], true)];
    case 'empty-menu':
      return [];
    case 'missing-end':
      return [];
    default:
      return [];
  }
}

type MakeFix = (title: string, edits: readonly Edit[], preferred?: boolean) => Fix;

/** The lines that hold a span, with their last line feed. */
export function wholeLines(text: string, start: number, end: number): Edit {
  const from = text.lastIndexOf('\n', start - 1) + 1;
  const feed = text.indexOf('\n', Math.max(end - 1, from));
  return { start: from, end: feed < 0 ? text.length : feed + 1, text: '' };
}

/** The `help` line above the text that it takes by mistake. */
function emptyHelp(text: string, start: number): Edit {
  const at = text.slice(0, start).lastIndexOf('help');
  const line = wholeLines(text, Math.max(at, 0), Math.max(at, 0) + 1);
  return line.end <= start ? line : { start, end: start, text: '' };
}

function addDefault(syntax: FileSyntax, at: number, fix: MakeFix): Fix[] {
  const { text } = syntax.source;
  const index = syntax.statements.findIndex((one) => one.start >= at && (one.kind === 'config' || one.kind === 'menuconfig'));
  const typed = syntax.statements.slice(index + 1).find((one) => one.kind === 'type');
  if (index < 0 || typed?.kind !== 'type') return [];
  const value = typed.type === 'hex' ? '0x0' : '0';
  const feed = text.indexOf('\n', typed.end);
  const place = feed < 0 ? text.length : feed + 1;
  return [fix(`Add “default ${value}”`, [{ start: place, end: place, text: `${feed < 0 ? '\n' : ''}\tdefault ${value}\n` }], true)];
}

function addDependency(view: KconfigView, path: string, syntax: FileSyntax, finding: Finding, fix: MakeFix): Fix[] {
  const statement = syntax.statements.find((one) => one.start === finding.start);
  if (statement?.kind !== 'select') return [];
  const { model, queries } = view.service.tree;
  const target = model.byName.get(statement.target.text);
  const node = filesAt(view, path)
    .flatMap((file) => queries.nodesIn(file.name))
    .find((one) => one.statement && optionsOf(syntax, one.statement).includes(statement));
  const condition = target?.directDependency && exprText(target.directDependency);
  if (condition === undefined) return [];
  const fixes: Fix[] = [];
  const { start, end } = statement;
  const own = statement.condition;
  const both = condition.includes('||') ? `(${condition})` : condition;
  const now = own ? syntax.source.text.slice(own.start, own.end) : '';
  const joined = own ? ` if ${own.kind === 'or' ? `(${now})` : now} && ${both}` : ` if ${condition}`;
  fixes.push(
    fix(`Select ${statement.target.text} only if ${condition}`, [
      { start: statement.target.end, end: own ? own.end : statement.target.end, text: joined },
    ]),
  );
  if (node) {
    const lineStart = syntax.source.text.lastIndexOf('\n', start - 1) + 1;
    const indent = /^[ \t]*/.exec(syntax.source.text.slice(lineStart, end))![0];
    fixes.push(
      fix(`Make ${node.symbol?.label ?? 'it'} depend on ${condition}`, [
        { start: lineStart, end: lineStart, text: `${indent}depends on ${condition}\n` },
      ]),
    );
  }
  return fixes;
}
