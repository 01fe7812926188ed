/** Hovers: what an option is, which value it has and why, and what the words of the language mean. */
import { triText } from '../evaluate';
import { exprText } from '../expression';
import { type FileSyntax } from '../ast';
import { type KSymbol } from '../model';
import { tokensOf } from '../parser';
import { rangeBounds } from '../range';
import { type Clause, type Proof, type Rule } from '../why';
import { functionFacts, keywordFact } from './keywords';
import { macroCallAt, macrosOf } from './macros';
import { symbolAt } from './navigate';
import { pathOf, promptOf, type KconfigView, type LinkTo, type Span } from './view';

/** Markdown for a span. */
export interface HoverText extends Span {
  readonly markdown: string;
}

/** Conditions with more clauses than this are cut short. */
const mostClauses = 12;
const longestHelp = 4000;

/** The hover at an offset of a Kconfig file. */
export function hoverKconfig(view: KconfigView, path: string, syntax: FileSyntax, offset: number, link?: LinkTo): HoverText | undefined {
  const reference = symbolAt(view, path, offset);
  if (reference) return { start: reference.start, end: reference.end, markdown: symbolMarkdown(view, reference.symbol, link) };
  const macro = macroCallAt(syntax, offset + 1) ?? macroCallAt(syntax, offset);
  if (macro && offset >= macro.span.start && offset <= macro.span.end) {
    const markdown = macroMarkdown(view, macro.name);
    return markdown === undefined ? undefined : { ...macro.span, markdown };
  }
  for (const statement of syntax.statements) {
    if (statement.start > offset) break;
    if (statement.end < offset) continue;
    for (const token of tokensOf(statement, syntax)) {
      if (token.kind !== 'keyword' || offset < token.start || offset > token.end) continue;
      const fact = keywordFact(token.text);
      return fact && { start: token.start, end: token.end, markdown: `**${token.text}**: ${fact.about}` };
    }
  }
  return undefined;
}

function macroMarkdown(view: KconfigView, name: string): string | undefined {
  const defined = macrosOf(view.service.tree.model).filter((one) => one.name === name);
  if (defined.length > 0) return defined.map(({ operator, value }) => `\`${name} ${operator} ${value}\``).join('\n\n');
  const fact = functionFacts.find((one) => one.name === name);
  if (fact) return `**$(${[name, ...fact.parameters].join(',')})**: ${fact.about}`;
  const value = view.service.tree.environment[name];
  return value === undefined ? undefined : `**${name}** is set by the build: \`${value}\``;
}

/** All about an option. */
export function symbolMarkdown(view: KconfigView, symbol: KSymbol, link?: LinkTo): string {
  const { prefix } = view.configuration;
  const prompt = promptOf(symbol);
  const head = `**${symbol.isConstant ? '' : prefix}${escape(symbol.label)}**${prompt === undefined ? '' : ` ${escape(prompt)}`}`;
  if (!symbol.isDefined) {
    const note = view.partial
      ? 'Nothing in the files that are known here defines it.'
      : 'Nothing defines it: it is never true, and its text is its own name.';
    return `${head}\n\n${note}`;
  }
  const parts = [head, ...valueLines(view, symbol, link)];
  const help = symbol.nodes.find((node) => node.help?.trim())?.help?.trim();
  if (help) parts.push('---', escape(help.slice(0, longestHelp)).replace(/\n/g, '  \n'));
  parts.push('---', `Defined at ${symbol.nodes.map((node) => place(view, node.file, node.line, link)).join(', ')}`);
  return parts.join('\n\n');
}

function valueLines(view: KconfigView, symbol: KSymbol, link?: LinkTo): string[] {
  const { values } = view.configuration;
  const proof = view.configuration.why(symbol);
  const shown = symbol.type === 'string' ? `"${proof.value}"` : proof.value === '' ? 'empty' : proof.value;
  const lines = [`\`${symbol.type}\`, now \`${shown}\`: ${reason(view, proof.reason, link)}`];
  const obstacles = obstaclesOf(proof);
  if (obstacles.length > 0) lines.push(`Not visible:\n${obstacles.join('\n')}`);
  else if (proof.visible === 0 && symbol.prompts.length === 0)
    lines.push('It has no prompt, so only defaults, `select` and `imply` set it.');
  else if (!proof.changeable && proof.reason.kind === 'select') lines.push('It cannot be lowered while it is selected.');
  const bounds = rangeBounds(values, symbol);
  if (bounds) lines.push(`Range ${bounds.lowText} to ${bounds.highText}`);
  if (symbol.directDependency)
    lines.push(`Depends on \`${exprText(symbol.directDependency)}\` (${triText(values.directDependency(symbol))})`);
  for (const kind of ['select', 'imply'] as const) {
    const active = proof.rules.filter((rule) => rule.kind === kind && rule.condition?.value !== 0 && rule.effect === 'none');
    if (active.length > 0)
      lines.push(
        active
          .map((rule) => escape(rule.text))
          .slice(0, mostClauses)
          .join(', '),
      );
  }
  if (symbol.choice) lines.push(`Member of the choice “${escape(symbol.choice.prompts[0]?.text ?? symbol.choice.label)}”`);
  return lines;
}

function reason(view: KconfigView, rule: Rule, link?: LinkTo): string {
  const text = escape(rule.text);
  return rule.file === undefined ? text : `${text} (${place(view, rule.file, rule.line ?? 1, link)})`;
}

/** The clauses that keep the symbol from being visible, one a line. */
export function obstaclesOf(proof: Proof): string[] {
  if (proof.visible !== 0) return [];
  const found = new Map<string, string>();
  for (const rule of proof.rules) {
    if (rule.kind !== 'prompt' || !rule.condition || rule.condition.value !== 0) continue;
    for (const clause of falseClauses(rule.condition)) found.set(clause.text, clauseLine(clause));
  }
  return [...found.values()].slice(0, mostClauses);
}

/** The smallest parts of a condition that is n to which that is due. */
export function falseClauses(clause: Clause): readonly Clause[] {
  if (clause.kind === 'and') return clause.operands.filter((operand) => operand.value === 0).flatMap(falseClauses);
  return [clause];
}

function clauseLine(clause: Clause): string {
  // The value of a symbol alone is said already.
  if (clause.kind === 'symbol') return `- \`${clause.text}\` is n`;
  const values = clause.symbols.length > 0 ? clause.symbols : clause.operands.flatMap((operand) => operand.symbols);
  const known = values.map(({ symbol, value }) => `${symbol.label} is ${value === '' ? 'empty' : value}`).join(', ');
  return `- \`${clause.text}\` is n${known ? `: ${escape(known)}` : ''}`;
}

function place(view: KconfigView, file: string, line: number, link?: LinkTo): string {
  const path = pathOf(view, file);
  const short = path.split('/').slice(-2).join('/');
  return link ? `[${escape(short)}:${line}](${link(path, line)})` : `${short}:${line}`;
}

/** Text that Markdown shows as it is. */
export function escape(text: string): string {
  return text.replace(/[\\`*_{}[\]<>#|]/g, '\\$&').replace(/^([-+]|\d+\.)(?=\s)/gm, '\\$1');
}
