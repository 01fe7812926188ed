/** Texts and numbers: which texts a type takes, and how two values are compared. */
import { type Dialect } from './dialect';
import { type SymbolType } from './model';

/** True where a text is a value of the type, by the C engine's rules. */
export function isValidText(type: SymbolType, text: string): boolean {
  switch (type) {
    case 'string':
      return true;
    case 'int':
      return /^-?(?:0|[1-9][0-9]*)$/.test(text);
    case 'hex':
      return /^(?:0[xX])?[0-9a-fA-F]+$/.test(text);
    case 'bool':
    case 'tristate':
      return /^[yYmMnN]/.test(text);
    default:
      return false;
  }
}

/** True where a text is a number for the dialect: Python's int() takes signs, blanks, underscores and leading zeros. */
export function isNumberText(type: SymbolType, text: string, dialect: Dialect): boolean {
  if (!dialect.looseNumbers) return isValidText(type, text);
  if (type === 'int') return /^\s*[+-]?[0-9](?:_?[0-9])*\s*$/.test(text);
  // Hexadecimal user values below zero are refused.
  return /^\s*\+?(?:0[xX]_?)?[0-9a-fA-F](?:_?[0-9a-fA-F])*\s*$/.test(text);
}

const maxSigned = (1n << 63n) - 1n;
const minSigned = -(1n << 63n);
const maxUnsigned = (1n << 64n) - 1n;

/** strtoll(3): the number at the start of a text, clamped to 64 bits; 0 where there is none. */
export function leadingNumber(text: string, base: 10 | 16): bigint {
  const match = (base === 10 ? /^\s*([+-]?)([0-9]+)/ : /^\s*([+-]?)(?:0[xX](?=[0-9a-fA-F]))?([0-9a-fA-F]+)/).exec(text);
  if (!match) return 0n;
  const magnitude = BigInt(base === 16 ? `0x${match[2]}` : match[2]!);
  const value = match[1] === '-' ? -magnitude : magnitude;
  return value > maxSigned ? maxSigned : value < minSigned ? minSigned : value;
}

interface Parsed {
  readonly value: bigint;
  readonly unsigned: boolean;
}

/** The number that a whole text stands for in a comparison, or undefined where it is only a text. */
function comparedNumber(text: string, type: SymbolType): Parsed | undefined {
  switch (type) {
    case 'bool':
    case 'tristate':
      return { value: text === 'n' ? 0n : text === 'm' ? 1n : text === 'y' ? 2n : -1n, unsigned: false };
    case 'int':
      return /^\s*[+-]?[0-9]+$/.test(text) ? inRange(text, 10) : undefined;
    case 'hex':
      return /^\s*[+-]?(?:0[xX])?[0-9a-fA-F]+$/.test(text) ? inRange(text, 16) : undefined;
    default: {
      if (/^\s*[+-]?0[xX][0-9a-fA-F]+$/.test(text)) return inRange(text, 16, true);
      if (/^\s*[+-]?0[0-7]*$/.test(text)) return { value: octal(text), unsigned: false };
      return /^\s*[+-]?[1-9][0-9]*$/.test(text) ? inRange(text, 10) : undefined;
    }
  }
}

function octal(text: string): bigint {
  const digits = text.trim().replace(/^[+-]/, '');
  const value = BigInt(`0o${digits}`);
  return text.trim().startsWith('-') ? -value : value;
}

function inRange(text: string, base: 10 | 16, signed = base === 10): Parsed | undefined {
  const trimmed = text.trim();
  const digits = trimmed.replace(/^[+-]/, '').replace(/^0[xX]/, '');
  const magnitude = BigInt(base === 16 ? `0x${digits}` : digits);
  const value = trimmed.startsWith('-') ? -magnitude : magnitude;
  if (signed) return value > maxSigned || value < minSigned ? undefined : { value, unsigned: false };
  if (magnitude > maxUnsigned) return undefined;
  return { value: BigInt.asUintN(64, value), unsigned: true };
}

/** Below, at or above 0 as the first value is less than, equal to or greater than the second. */
export function compareValues(a: string, aType: SymbolType, b: string, bType: SymbolType): number {
  if (aType !== 'string' || bType !== 'string') {
    const x = comparedNumber(a, aType);
    const y = x && comparedNumber(b, bType);
    if (x && y) {
      const unsigned = x.unsigned || y.unsigned;
      const left = unsigned ? BigInt.asUintN(64, x.value) : x.value;
      const right = unsigned ? BigInt.asUintN(64, y.value) : y.value;
      return left < right ? -1 : left > right ? 1 : 0;
    }
  }
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A string's text as it is written between quotes in .config. */
export function escapeString(text: string): string {
  return text.replace(/["\\]/g, '\\$&');
}
