/** Ranges of numbers: the bounds that apply, and the value nearest to a wanted one. */
import { type Computation } from './computation';
import { type KSymbol } from './model';
import { leadingNumber } from './values';

/** The bounds in force for a number. */
export interface Bounds {
  readonly low: bigint;
  readonly high: bigint;
  /** The bounds as messages print them. */
  readonly lowText: string;
  readonly highText: string;
  /** A value's number. */
  readonly read: (text: string) => bigint;
  readonly print: (value: bigint) => string;
  readonly lowSymbol: KSymbol;
  readonly highSymbol: KSymbol;
}

/** The first range whose condition holds; undefined where there is none. */
export function rangeBounds(values: Computation, symbol: KSymbol): Bounds | undefined {
  if (symbol.ranges.length === 0) return undefined;
  const range = values.activeRange(symbol);
  if (!range?.low || !range.high) return undefined;
  const base = symbol.type === 'hex' ? 16 : 10;
  const read = (text: string): bigint => leadingNumber(text.replaceAll('_', ''), base);
  const bound = (other: KSymbol): bigint => {
    const own = other.type === 'hex' ? 16 : other.type === 'int' ? 10 : base;
    return leadingNumber(values.text(other), values.dialect.engine === 'c' ? own : base);
  };
  const low = bound(range.low);
  const high = bound(range.high);
  const print = (value: bigint): string =>
    base === 16 ? `0x${(value < 0n ? BigInt.asUintN(64, value) : value).toString(16)}` : value.toString();
  return { low, high, lowText: print(low), highText: print(high), read, print, lowSymbol: range.low, highSymbol: range.high };
}

/** The text a number gets from its range, or undefined where it keeps its own. */
export function clampToRange(values: Computation, symbol: KSymbol, text: string): string | undefined {
  const bounds = rangeBounds(values, symbol);
  if (!bounds) return undefined;
  const value = bounds.read(text);
  const tooLow = value < bounds.low;
  if (!tooLow && value <= bounds.high) return undefined;
  const end = tooLow ? bounds.low : bounds.high;
  if (values.dialect.clampedText === 'printed') return bounds.print(end);
  return values.text(tooLow ? bounds.lowSymbol : bounds.highSymbol);
}
