/** SSE arithmetic on one lane, exactly as the manual has it: NaN selection, special operands, and a result rounded once. */

import { Kind, Mxcsr, bitLength, type Format, type SseControl, type Unpacked } from './format';

/** Operands and result are bit patterns of the format; flags gather in the control. */
export type Binary = (c: SseControl, f: Format, first: bigint, second: bigint) => bigint;

/** Bits by which a sum's larger operand is widened where the smaller one is too far below to matter except as "a little more or less". */
const guardBits = 8;

/** The NaN result of two operands of which at least one is a NaN: the first one that is, quieted (SDM vol. 1, table 4-7). */
function nanOf(c: SseControl, f: Format, a: Unpacked, b: Unpacked): bigint {
  if (a.kind === Kind.signaling || b.kind === Kind.signaling) c.flags |= Mxcsr.invalid;
  return (a.kind >= Kind.quiet ? a.bits : b.bits) | f.quiet;
}

function invalid(c: SseControl, f: Format): bigint {
  c.flags |= Mxcsr.invalid;
  return f.indefinite;
}

function noteDenormal(c: SseControl, a: Unpacked, b: Unpacked): void {
  if (a.denormal || b.denormal) c.flags |= Mxcsr.denormal;
}

function sum(c: SseControl, f: Format, first: bigint, second: bigint, subtract: boolean): bigint {
  const a = c.unpack(f, first);
  const b = c.unpack(f, second);
  if (a.kind >= Kind.quiet || b.kind >= Kind.quiet) return nanOf(c, f, a, b);
  const negativeB = b.negative !== subtract;
  if (a.kind === Kind.infinity) {
    if (b.kind === Kind.infinity && a.negative !== negativeB) return invalid(c, f);
    noteDenormal(c, a, b);
    return a.bits;
  }
  noteDenormal(c, a, b);
  if (b.kind === Kind.infinity) return subtract ? b.bits ^ f.signBit : b.bits;
  if (a.kind === Kind.zero && b.kind === Kind.zero) {
    const negative = a.negative === negativeB ? a.negative : c.rounding === 1;
    return negative ? f.signBit : 0n;
  }
  if (b.kind === Kind.zero) return c.round(f, a.negative, a.significand, a.exponent);
  if (a.kind === Kind.zero) return c.round(f, negativeB, b.significand, b.exponent);
  const gap = a.exponent - b.exponent;
  let exponent: number;
  let x = a.significand;
  let y = b.significand;
  const far = 2 * f.precision + guardBits;
  if (gap > far) {
    x <<= BigInt(far);
    y = 1n;
    exponent = a.exponent - far;
  } else if (gap < -far) {
    x = 1n;
    y <<= BigInt(far);
    exponent = b.exponent - far;
  } else if (gap >= 0) {
    x <<= BigInt(gap);
    exponent = b.exponent;
  } else {
    y <<= BigInt(-gap);
    exponent = a.exponent;
  }
  const total = (a.negative ? -x : x) + (negativeB ? -y : y);
  if (total === 0n) return c.rounding === 1 ? f.signBit : 0n;
  return total < 0n ? c.round(f, true, -total, exponent) : c.round(f, false, total, exponent);
}

export const add: Binary = (c, f, a, b) => sum(c, f, a, b, false);
export const subtract: Binary = (c, f, a, b) => sum(c, f, a, b, true);

export const multiply: Binary = (c, f, first, second) => {
  const a = c.unpack(f, first);
  const b = c.unpack(f, second);
  if (a.kind >= Kind.quiet || b.kind >= Kind.quiet) return nanOf(c, f, a, b);
  const negative = a.negative !== b.negative;
  if (a.kind === Kind.infinity || b.kind === Kind.infinity) {
    if (a.kind === Kind.zero || b.kind === Kind.zero) return invalid(c, f);
    noteDenormal(c, a, b);
    return (negative ? f.signBit : 0n) | f.infinity;
  }
  noteDenormal(c, a, b);
  return c.round(f, negative, a.significand * b.significand, a.exponent + b.exponent);
};

export const divide: Binary = (c, f, first, second) => {
  const a = c.unpack(f, first);
  const b = c.unpack(f, second);
  if (a.kind >= Kind.quiet || b.kind >= Kind.quiet) return nanOf(c, f, a, b);
  const negative = a.negative !== b.negative;
  const sign = negative ? f.signBit : 0n;
  if (a.kind === Kind.infinity) {
    if (b.kind === Kind.infinity) return invalid(c, f);
    noteDenormal(c, a, b);
    return sign | f.infinity;
  }
  if (b.kind === Kind.zero) {
    if (a.kind === Kind.zero) return invalid(c, f);
    c.flags |= Mxcsr.zeroDivide;
    return sign | f.infinity;
  }
  noteDenormal(c, a, b);
  if (b.kind === Kind.infinity || a.kind === Kind.zero) return sign;
  // Denormal significands are short: the shift makes the quotient long enough whatever the operands' lengths.
  const shift = f.precision + 3 + Math.max(0, bitLength(b.significand) - bitLength(a.significand));
  const numerator = a.significand << BigInt(shift);
  let quotient = numerator / b.significand;
  let exponent = a.exponent - b.exponent - shift;
  if (quotient * b.significand !== numerator) {
    quotient = (quotient << 1n) | 1n;
    exponent--;
  }
  return c.round(f, negative, quotient, exponent);
};

/** The square root of the *second* operand, so that it has the shape of the others. */
export const squareRoot: Binary = (c, f, _first, second) => {
  const b = c.unpack(f, second);
  if (b.kind >= Kind.quiet) return nanOf(c, f, b, b);
  if (b.kind === Kind.zero) return b.bits;
  if (b.negative) return invalid(c, f);
  if (b.kind === Kind.infinity) return b.bits;
  if (b.denormal) c.flags |= Mxcsr.denormal;
  const wanted = 2 * (f.precision + 3);
  let shift = Math.max(0, wanted - bitLength(b.significand));
  if (((b.exponent - shift) & 1) !== 0) shift++;
  const radicand = b.significand << BigInt(shift);
  let root = integerSquareRoot(radicand);
  let exponent = (b.exponent - shift) / 2;
  if (root * root !== radicand) {
    root = (root << 1n) | 1n;
    exponent--;
  }
  return c.round(f, false, root, exponent);
};

/** The largest integer whose square is not above a value below 2^1000. */
export function integerSquareRoot(value: bigint): bigint {
  let root = BigInt(Math.floor(Math.sqrt(Number(value))));
  // One Newton step makes the double's 53 good bits more than a hundred; the loops then settle the last unit.
  if (root > 0n) root = (root + value / root) >> 1n;
  while (root * root > value) root--;
  while ((root + 1n) * (root + 1n) <= value) root++;
  return root;
}

/** -1, 0, 1, or undefined where an operand is a NaN; raises DE, and IE for a signalling NaN (any NaN where `signal`). */
export function order(c: SseControl, f: Format, first: bigint, second: bigint, signal: boolean): -1 | 0 | 1 | undefined {
  const a = c.unpack(f, first);
  const b = c.unpack(f, second);
  if (a.kind >= Kind.quiet || b.kind >= Kind.quiet) {
    if (signal || a.kind === Kind.signaling || b.kind === Kind.signaling) c.flags |= Mxcsr.invalid;
    return undefined;
  }
  noteDenormal(c, a, b);
  // Packed magnitudes order as integers do; both zeros are 0.
  const x = a.negative ? -(a.bits ^ f.signBit) : a.bits;
  const y = b.negative ? -(b.bits ^ f.signBit) : b.bits;
  return x < y ? -1 : x > y ? 1 : 0;
}

/** MIN and MAX give the second operand where either is a NaN, and of two zeros (SDM vol. 2A, MINPS); a result that DAZ reads as zero is a zero. */
export const minimum: Binary = (c, f, a, b) => c.unpack(f, order(c, f, a, b, true) === -1 ? a : b).bits;
export const maximum: Binary = (c, f, a, b) => c.unpack(f, order(c, f, a, b, true) === 1 ? a : b).bits;

/** The eight predicates of CMPPS and its relatives (SDM vol. 2A, CMPPS): all ones or 0 of the format's width. */
export function compare(c: SseControl, f: Format, a: bigint, b: bigint, predicate: number): bigint {
  const kind = predicate & 3;
  const result = order(c, f, a, b, kind === 1 || kind === 2);
  const holds =
    kind === 0 ? result === 0 : kind === 1 ? result === -1 : kind === 2 ? result !== undefined && result <= 0 : result === undefined;
  const negated = (predicate & 4) !== 0;
  return holds !== negated ? f.signBit * 2n - 1n : 0n;
}
