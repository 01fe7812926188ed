/** Semantic colours: what a name stands for and which value it has, which no grammar can know. */
import { type FileSyntax } from '../ast';
import { type Evaluation } from '../evaluate';
import { type KSymbol } from '../model';
import { tokensOf } from '../parser';
import { filesAt, type KconfigView, type Span } from './view';

/** Kinds of tokens, in the order in which they are numbered. */
export const tokenTypes = ['kconfigSymbol', 'keyword', 'macro', 'type', 'number', 'enumMember'] as const;
/** What may be said of a token beside its kind; by bit. */
export const tokenModifiers = ['definition', 'undefined', 'choiceMember', 'enabled', 'disabled', 'invisible'] as const;

export type TokenType = (typeof tokenTypes)[number];
export type TokenModifier = (typeof tokenModifiers)[number];

/** One coloured word; never more than a line. */
export interface SemanticToken extends Span {
  readonly type: TokenType;
  readonly modifiers: readonly TokenModifier[];
}

/** What a symbol's value and role say of its colour. */
export function symbolModifiers(values: Evaluation, symbol: KSymbol, partial: boolean): TokenModifier[] {
  if (!symbol.isDefined) return partial ? [] : ['undefined'];
  const modifiers: TokenModifier[] = [];
  if (symbol.choice) modifiers.push('choiceMember');
  if (symbol.isBoolean) modifiers.push(values.tri(symbol) === 0 ? 'disabled' : 'enabled');
  if (values.visibility(symbol) === 0) modifiers.push('invisible');
  return modifiers;
}

/** The tokens of a Kconfig file, in order. */
export function tokensKconfig(view: KconfigView, path: string, syntax: FileSyntax): SemanticToken[] {
  const { queries } = view.service.tree;
  const { values } = view.configuration;
  const [file] = filesAt(view, path);
  const found: SemanticToken[] = [];
  const done = new Set<number>();
  if (file) {
    for (const { symbol, start, end, role } of queries.referencesIn(file.name)) {
      if (syntax !== file.syntax || /^-?\d|^0x/i.test(symbol.label)) continue;
      done.add(start);
      const modifiers = symbolModifiers(values, symbol, view.partial);
      found.push({ start, end, type: 'kconfigSymbol', modifiers: role === 'definition' ? ['definition', ...modifiers] : modifiers });
    }
  }
  for (const statement of syntax.statements) {
    for (const token of tokensOf(statement, syntax)) {
      for (const part of token.parts ?? []) if (part.macro) found.push({ start: part.start, end: part.end, type: 'macro', modifiers: [] });
      if (token.parts || done.has(token.start) || token.kind !== 'word') continue;
      if (statement.kind === 'assignment' && token.start === statement.name.start)
        found.push({ start: token.start, end: token.end, type: 'macro', modifiers: ['definition'] });
      else if (/^[ynm]$/.test(token.text)) found.push({ start: token.start, end: token.end, type: 'enumMember', modifiers: [] });
      else if (/^(?:-?\d+|0[xX][0-9a-fA-F]+)$/.test(token.text))
        found.push({ start: token.start, end: token.end, type: 'number', modifiers: [] });
    }
  }
  return inOrder(found);
}

/** Sorted, without overlaps. */
export function inOrder(tokens: SemanticToken[]): SemanticToken[] {
  tokens.sort((a, b) => a.start - b.start || b.end - a.end);
  let end = -1;
  return tokens.filter((token) => {
    if (token.start < end || token.end <= token.start) return false;
    end = token.end;
    return true;
  });
}

/** Tokens as the protocol wants them: five numbers each, relative to the one before. */
export function encodeTokens(
  tokens: readonly SemanticToken[],
  positionAt: (offset: number) => { line: number; character: number },
): number[] {
  const data: number[] = [];
  let line = 0;
  let character = 0;
  for (const { start, end, type, modifiers } of tokens) {
    const at = positionAt(start);
    const last = positionAt(end);
    if (at.line !== last.line) continue;
    let bits = 0;
    for (const modifier of modifiers) bits |= 1 << tokenModifiers.indexOf(modifier);
    data.push(
      at.line - line,
      at.line === line ? at.character - character : at.character,
      last.character - at.character,
      tokenTypes.indexOf(type),
      bits,
    );
    [line, character] = [at.line, at.character];
  }
  return data;
}
