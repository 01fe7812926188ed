/** Tokens of C expressions as a debugger reads them: C's own, and `$register`. */
import { exprErrors } from './errors';

export type Token =
  | {
      readonly kind: 'integer';
      readonly value: bigint;
      readonly suffix: string;
      readonly decimal: boolean;
      readonly at: number;
      readonly end: number;
    }
  | { readonly kind: 'float'; readonly value: number; readonly suffix: string; readonly at: number; readonly end: number }
  | { readonly kind: 'character'; readonly value: number; readonly at: number; readonly end: number }
  | { readonly kind: 'string'; readonly value: string; readonly at: number; readonly end: number }
  | { readonly kind: 'identifier'; readonly name: string; readonly at: number; readonly end: number }
  | { readonly kind: 'register'; readonly name: string; readonly at: number; readonly end: number }
  | { readonly kind: 'operator'; readonly text: string; readonly at: number; readonly end: number }
  | { readonly kind: 'end'; readonly at: number; readonly end: number };

/** Longest first. */
const operators = [
  '<<=',
  '>>=',
  '->',
  '++',
  '--',
  '<<',
  '>>',
  '<=',
  '>=',
  '==',
  '!=',
  '&&',
  '||',
  '::',
  '+=',
  '-=',
  '*=',
  '/=',
  '%=',
  '&=',
  '|=',
  '^=',
].concat([...'+-*/%&|^~!<>=?:.,()[]']);

const escapes: Readonly<Record<string, number>> = {
  n: 10,
  t: 9,
  r: 13,
  '0': 0,
  a: 7,
  b: 8,
  f: 12,
  v: 11,
  e: 27,
  '\\': 92,
  "'": 39,
  '"': 34,
  '?': 63,
};

const patterns = {
  space: /\s+/y,
  float: /(?:\d+\.\d*|\.\d+)(?:[eE][+-]?\d+)?([fFlL]?)|\d+[eE][+-]?\d+([fFlL]?)/y,
  integer: /(0[xX][0-9a-fA-F]+|0[bB][01]+|\d+)([uUlL]*)/y,
  identifier: /[A-Za-z_][A-Za-z0-9_]*/y,
  register: /\$([A-Za-z][A-Za-z0-9_]*)/y,
} as const;

/** Splits an expression. Throws a CodedError at what is no token. */
export function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    return pattern.exec(text);
  };
  while (at < text.length) {
    const space = match(patterns.space);
    if (space !== null) {
      at += space[0].length;
      continue;
    }
    const token = next(text, at, match);
    tokens.push(token);
    at = token.end;
  }
  return [...tokens, { kind: 'end', at, end: at }];
}

function next(text: string, at: number, match: (pattern: RegExp) => RegExpExecArray | null): Token {
  const float = match(patterns.float);
  if (float !== null)
    return {
      kind: 'float',
      value: parseFloat(float[0]),
      suffix: (float[1] ?? float[2] ?? '').toLowerCase(),
      at,
      end: at + float[0].length,
    };
  const integer = match(patterns.integer);
  if (integer !== null) {
    const digits = integer[1]!;
    const octal = /^0[0-7]+$/.test(digits);
    const value = BigInt(octal ? `0o${digits.slice(1)}` : digits);
    return { kind: 'integer', value, suffix: integer[2]!.toLowerCase(), decimal: !/^0./.test(digits), at, end: at + integer[0].length };
  }
  const identifier = match(patterns.identifier);
  if (identifier !== null) return { kind: 'identifier', name: identifier[0], at, end: at + identifier[0].length };
  const register = match(patterns.register);
  if (register !== null) return { kind: 'register', name: register[1]!, at, end: at + register[0].length };
  const quote = text[at]!;
  if (quote === "'" || quote === '"') return quoted(text, at, quote);
  const operator = operators.find((each) => text.startsWith(each, at));
  if (operator === undefined) throw exprErrors.character(quote, at);
  return { kind: 'operator', text: operator, at, end: at + operator.length };
}

function quoted(text: string, start: number, quote: string): Token {
  let at = start + 1;
  let value = '';
  while (at < text.length && text[at] !== quote) {
    if (text[at] !== '\\') {
      value += text[at++]!;
      continue;
    }
    const hex = /^x([0-9a-fA-F]{1,2})/.exec(text.slice(at + 1));
    const octal = /^([0-7]{1,3})/.exec(text.slice(at + 1));
    const simple = escapes[text[at + 1] ?? ''];
    if (hex !== null) value += String.fromCharCode(parseInt(hex[1]!, 16));
    else if (octal !== null) value += String.fromCharCode(parseInt(octal[1]!, 8) & 0xff);
    else if (simple !== undefined) value += String.fromCharCode(simple);
    else throw exprErrors.character('\\', at);
    at += 1 + (hex?.[0] ?? octal?.[0] ?? ' ').length;
  }
  if (at >= text.length) throw exprErrors.unterminated(quote, start);
  const end = at + 1;
  if (quote === '"') return { kind: 'string', value, at: start, end };
  if (value.length !== 1) throw exprErrors.characterConstant(start);
  return { kind: 'character', value: value.charCodeAt(0), at: start, end };
}
