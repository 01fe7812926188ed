/** F2XM1, FYL2X, FYL2XP1, FPATAN, FPTAN, FSIN, FCOS and FSINCOS: special operands as the manual's tables have them, everything else rounded once from over 200 bits. */

import * as fixed from './fixed';
import {
  Class,
  classify,
  type Environment,
  Float80,
  Fx,
  normalize,
  propagateNaN,
  roundPack,
  setDefaultNaN,
  setInfinity,
  setZero,
} from './float80';

const x = new Float80();
const y = new Float80();

/** Fraction bits that leave over 200 significant ones for a value of this unbiased exponent. */
function precisionFor(exponent: number): number {
  return 256 + Math.max(0, -exponent);
}

function invalid(env: Environment, out: Float80): void {
  env.flags |= Fx.invalid;
  setDefaultNaN(out);
}

function significand(v: Float80): bigint {
  return (BigInt(v.high) << 32n) | BigInt(v.low);
}

/** m * 2^shift, truncated where shift is negative. */
function shifted(m: bigint, shift: number): bigint {
  return shift >= 0 ? m << BigInt(shift) : m >> BigInt(-shift);
}

/** A normalized finite value's magnitude with `bits` fraction bits. */
function toFixed(v: Float80, bits: number): bigint {
  return shifted(significand(v), v.exponent - 0x3fff - 63 + bits);
}

/** Rounds a positive fixed-point value, which is inexact unless `exact`, times two to the `power`. */
function fromFixed(env: Environment, out: Float80, sign: number, value: bigint, bits: number, power = 0, exact = false): void {
  const length = fixed.bitLength(value);
  const top = shifted(value, 96 - length);
  let extension = Number(top & 0xffff_ffffn);
  if (!exact || (length > 96 && shifted(top, length - 96) !== value)) extension |= 1;
  roundPack(
    env,
    out,
    sign,
    length - 1 - bits + 0x3fff + power,
    Number(top >> 64n),
    Number((top >> 32n) & 0xffff_ffffn),
    extension >>> 0,
    64,
  );
}

/** Unsupported operands and NaNs of a one-operand instruction; true when `out` is final. */
function special(env: Environment, out: Float80, a: Float80, c: number): boolean {
  if (c === Class.unsupported) {
    invalid(env, out);
    return true;
  }
  if (c >= Class.quiet) {
    propagateNaN(env, out, a, a);
    return true;
  }
  return false;
}

function special2(env: Environment, out: Float80, a: Float80, b: Float80, ca: number, cb: number): boolean {
  if (ca === Class.unsupported || cb === Class.unsupported) {
    invalid(env, out);
    return true;
  }
  if (ca >= Class.quiet || cb >= Class.quiet) {
    propagateNaN(env, out, a, b);
    return true;
  }
  return false;
}

/** Raises #D for a denormal operand; true when that is unmasked and the instruction must not go on. */
function denormal(env: Environment, ...classes: number[]): boolean {
  if (!classes.includes(Class.denormal)) return false;
  env.flags |= Fx.denormal;
  return env.faulted;
}

/** F2XM1: 2^a - 1 for -1 <= a <= 1. Beyond, where the manual leaves the result undefined, the operand comes back. */
export function exponentialMinus1(env: Environment, out: Float80, a: Float80): void {
  const c = classify(a);
  if (special(env, out, a, c)) return;
  if (c === Class.zero) {
    out.copy(a);
    return;
  }
  if (c === Class.infinity) {
    if (a.sign === 0) out.copy(a);
    else out.set(1, 0x3fff, 0x8000_0000, 0);
    return;
  }
  if (denormal(env, c)) return;
  x.copy(a);
  normalize(x);
  if (x.exponent >= 0x3fff) {
    env.flags |= Fx.precision;
    if (x.exponent === 0x3fff && x.high === 0x8000_0000 && x.low === 0) out.set(a.sign, a.sign !== 0 ? 0x3ffe : 0x3fff, 0x8000_0000, 0);
    else out.copy(a);
    return;
  }
  const bits = precisionFor(x.exponent - 0x3fff);
  // The product with ln 2 is taken at the operand's own scale, so that tiny operands need no long constant.
  const product = significand(x) * fixed.ln2(320);
  let argument = shifted(product, x.exponent - 0x3fff - 63 - 320 + bits);
  if (a.sign !== 0) argument = -argument;
  const value = fixed.exponentialMinus1(argument, bits);
  fromFixed(env, out, a.sign, value < 0n ? -value : value, bits);
}

/** b times a base-2 logarithm given as a signed fixed-point value. */
function timesLogarithm(env: Environment, out: Float80, b: Float80, logarithmValue: bigint, bits: number, exact: boolean): void {
  const sign = b.sign ^ (logarithmValue < 0n ? 1 : 0);
  y.copy(b);
  normalize(y);
  const magnitude = logarithmValue < 0n ? -logarithmValue : logarithmValue;
  fromFixed(env, out, sign, magnitude * significand(y), bits + 63, y.exponent - 0x3fff, exact);
  // The product is exact more often than not for powers of two, and counts as inexact all the same.
  if (exact) env.flags |= Fx.precision | (out.exponent === 0 ? Fx.underflow : 0);
}

/** FYL2X: b * log2(a), with a = ST(0) and b = ST(1). */
export function logarithm(env: Environment, out: Float80, a: Float80, b: Float80): void {
  const ca = classify(a);
  const cb = classify(b);
  if (special2(env, out, a, b, ca, cb)) return;
  if (ca === Class.zero) {
    if (cb === Class.zero) invalid(env, out);
    else {
      if (cb !== Class.infinity) env.flags |= Fx.zeroDivide;
      setInfinity(out, b.sign ^ 1);
    }
    return;
  }
  if (a.sign !== 0) {
    invalid(env, out);
    return;
  }
  if (ca === Class.infinity) {
    if (cb === Class.zero) {
      invalid(env, out);
      return;
    }
    if (denormal(env, cb)) return;
    setInfinity(out, b.sign);
    return;
  }
  const isOne = a.exponent === 0x3fff && a.high === 0x8000_0000 && a.low === 0;
  const below = a.exponent < 0x3fff ? 1 : 0;
  if (cb === Class.infinity) {
    if (isOne) {
      invalid(env, out);
      return;
    }
    if (denormal(env, ca)) return;
    setInfinity(out, b.sign ^ below);
    return;
  }
  if (denormal(env, ca, cb)) return;
  if (cb === Class.zero || isOne) {
    setZero(out, isOne ? b.sign : b.sign ^ below);
    return;
  }
  x.copy(a);
  normalize(x);
  let exponent = x.exponent - 0x3fff;
  const m = significand(x);
  if (m === 1n << 63n) {
    timesLogarithm(env, out, b, BigInt(exponent), 0, true);
    return;
  }
  const bits = 384;
  let mantissa = shifted(m, bits - 63);
  // Around 1: halve what is above the square root of two, so that the logarithm's sign and size are the mantissa's alone.
  if (x.high >= 0xb504_f334) {
    mantissa >>= 1n;
    exponent++;
  }
  const one = 1n << BigInt(bits);
  const s = ((mantissa - one) << BigInt(bits)) / (mantissa + one);
  const natural = fixed.doubleAreaTangent(s, bits);
  const value = (natural << BigInt(bits)) / fixed.ln2(bits) + BigInt(exponent) * one;
  timesLogarithm(env, out, b, value, bits, false);
}

/** FYL2XP1: b * log2(a + 1). Outside of the manual's range for a, the true value where there is one, else a. */
export function logarithmPlus1(env: Environment, out: Float80, a: Float80, b: Float80): void {
  const ca = classify(a);
  const cb = classify(b);
  if (special2(env, out, a, b, ca, cb)) return;
  if (ca === Class.infinity) {
    if (a.sign !== 0 || cb === Class.zero) {
      invalid(env, out);
      return;
    }
    if (denormal(env, cb)) return;
    setInfinity(out, b.sign);
    return;
  }
  if (cb === Class.infinity) {
    if (ca === Class.zero) {
      invalid(env, out);
      return;
    }
    if (denormal(env, ca)) return;
    setInfinity(out, a.sign ^ b.sign);
    return;
  }
  if (denormal(env, ca, cb)) return;
  if (ca === Class.zero || cb === Class.zero) {
    setZero(out, a.sign ^ b.sign);
    return;
  }
  x.copy(a);
  normalize(x);
  if (x.sign !== 0 && x.exponent >= 0x3fff) {
    // No logarithm there is: processors give the operand back.
    env.flags |= Fx.precision;
    out.copy(a);
    return;
  }
  if (x.exponent > 0x3fff + 200) {
    // 1 does not matter any more: the logarithm of the operand alone, whose rounding it cannot change but as a sticky bit.
    const bits = 384;
    const s = shifted(significand(x), bits - 63);
    const one = 1n << BigInt(bits);
    const natural = fixed.doubleAreaTangent(((s - one) << BigInt(bits)) / (s + one), bits);
    const value = (natural << BigInt(bits)) / fixed.ln2(bits) + (BigInt(x.exponent - 0x3fff) << BigInt(bits));
    timesLogarithm(env, out, b, value, bits, false);
    return;
  }
  const bits = precisionFor(x.exponent - 0x3fff) + 64;
  const one = 1n << BigInt(bits);
  let argument = toFixed(x, bits);
  if (a.sign !== 0) argument = -argument;
  let power = 0n;
  let sum = one + argument;
  let value: bigint;
  if (sum > one + (one >> 1n) || sum < one - (one >> 2n)) {
    const shift = fixed.bitLength(sum) - 1 - bits;
    power = BigInt(shift);
    sum = shifted(sum, -shift);
    value = fixed.doubleAreaTangent(((sum - one) << BigInt(bits)) / (sum + one), bits);
  } else {
    value = fixed.doubleAreaTangent((argument << BigInt(bits)) / (sum + one), bits);
  }
  // Division by ln 2 at the value's own scale.
  const log = (value << 320n) / fixed.ln2(320) + power * one;
  const exact = a.sign === 0 && isPowerOfTwoMinus1(x);
  if (exact) {
    timesLogarithm(env, out, b, (log + (one >> 1n)) >> BigInt(bits), 0, true);
    return;
  }
  timesLogarithm(env, out, b, log, bits, false);
}

/** Whether a positive value is 2^n - 1 with n >= 1: its logarithm is then exact. */
function isPowerOfTwoMinus1(v: Float80): boolean {
  const e = v.exponent - 0x3fff;
  if (e < 0 || e > 63) return false;
  const ones = (1n << BigInt(e + 1)) - 1n;
  return significand(v) === ones << BigInt(63 - e);
}

/** The arctangent's multiples of pi/4 for infinite and zero operands: quarters 1 to 4. */
function quarterPi(env: Environment, out: Float80, sign: number, quarters: number): void {
  const bits = 256;
  fromFixed(env, out, sign, (fixed.pi(bits) * BigInt(quarters)) >> 2n, bits);
}

/** FPATAN: the angle of the point (a, b), with a = ST(0) and b = ST(1), in (-pi, pi]. */
export function arcTangent(env: Environment, out: Float80, a: Float80, b: Float80): void {
  const ca = classify(a);
  const cb = classify(b);
  if (special2(env, out, a, b, ca, cb)) return;
  if (denormal(env, ca, cb)) return;
  const sign = b.sign;
  if (cb === Class.infinity) {
    quarterPi(env, out, sign, ca === Class.infinity ? (a.sign !== 0 ? 3 : 1) : 2);
    return;
  }
  if (ca === Class.infinity || cb === Class.zero) {
    if (a.sign !== 0) quarterPi(env, out, sign, 4);
    else setZero(out, sign);
    return;
  }
  if (ca === Class.zero) {
    quarterPi(env, out, sign, 2);
    return;
  }
  x.copy(a);
  y.copy(b);
  normalize(x);
  normalize(y);
  const difference = y.exponent - x.exponent;
  if (difference > 220 || (difference < -220 && a.sign !== 0)) {
    // So near to pi/2 or pi that only the side matters.
    const bits = 256;
    const limit = difference > 0 ? fixed.pi(bits) >> 1n : fixed.pi(bits);
    const above = difference > 0 && a.sign !== 0;
    fromFixed(env, out, sign, above ? limit + 1n : limit - 1n, bits);
    return;
  }
  const my = significand(y);
  const mx = significand(x);
  if (difference < -220) {
    // arctan(t) = t - t^3/3: the quotient, a trace smaller where it came out exact.
    const bits = 256;
    const scaled = my << BigInt(bits);
    const quotient = scaled / mx - (scaled % mx === 0n ? 1n : 0n);
    fromFixed(env, out, sign, quotient, bits, difference);
    return;
  }
  const bits = precisionFor(difference);
  const steep = difference > 0 || (difference === 0 && my > mx);
  const t = steep ? shifted(mx, bits - difference) / my : shifted(my, bits + difference) / mx;
  let angle = fixed.arcTangent(t, bits);
  if (steep) {
    const half = fixed.pi(bits) >> 1n;
    angle = a.sign !== 0 ? half + angle : half - angle;
  } else if (a.sign !== 0) {
    angle = fixed.pi(bits) - angle;
  }
  fromFixed(env, out, sign, angle, bits);
}

/** What reduction modulo pi/2 leaves: the octant-folded argument's sine and cosine, and the quadrant. */
interface Reduced {
  sine: bigint;
  cosine: bigint;
  quadrant: number;
  bits: number;
}

/** Argument reduction takes pi as 66 bits, as processors do (SDM vol. 1, 8.3.8): this many of them are fraction bits. */
const piFraction = 64;

function reduce(v: Float80): Reduced {
  x.copy(v);
  normalize(x);
  const exponent = x.exponent - 0x3fff;
  const bits = precisionFor(exponent);
  const argument = toFixed(x, bits);
  if (exponent < -1) return { ...fixed.sineCosine(argument, bits), quadrant: 0, bits };
  const half = fixed.pi(piFraction) << BigInt(bits - piFraction - 1);
  const quotient = argument / half;
  const rest = argument % half;
  const quadrant = Number(quotient & 3n);
  if (rest <= half >> 1n) return { ...fixed.sineCosine(rest, bits), quadrant, bits };
  // Above pi/4 fold back: the next quadrant, with the angle below zero.
  const { sine, cosine } = fixed.sineCosine(half - rest, bits);
  return { sine: -sine, cosine, quadrant: (quadrant + 1) & 3, bits };
}

function sineOf(r: Reduced): bigint {
  switch (r.quadrant) {
    case 0:
      return r.sine;
    case 1:
      return r.cosine;
    case 2:
      return -r.sine;
    default:
      return -r.cosine;
  }
}

function cosineOf(r: Reduced): bigint {
  switch (r.quadrant) {
    case 0:
      return r.cosine;
    case 1:
      return -r.sine;
    case 2:
      return -r.cosine;
    default:
      return r.sine;
  }
}

function storeSigned(env: Environment, out: Float80, value: bigint, bits: number, flip: number): void {
  fromFixed(env, out, (value < 0n ? 1 : 0) ^ flip, value < 0n ? -value : value, bits);
}

/** A value that is exactly `exact` at this precision lies a trace nearer to zero (sines, cosines) or further away (tangents). */
function nudge(value: bigint, exact: bigint, by: bigint): bigint {
  if (value === exact) return value + by;
  return value === -exact ? value - by : value;
}

/** Operands that need no computing; undefined: compute. `atZero` is what a zero operand gives. */
function trigonometricSpecial(env: Environment, out: Float80, a: Float80, atZero: (out: Float80) => void): boolean | undefined {
  const c = classify(a);
  if (special(env, out, a, c)) return true;
  if (c === Class.zero) {
    atZero(out);
    return true;
  }
  if (c === Class.infinity) {
    invalid(env, out);
    return true;
  }
  if (a.exponent >= 0x3fff + 63) return false;
  return denormal(env, c) ? true : undefined;
}

/** FSIN; false when the operand is 2^63 or more in magnitude. */
export function sine(env: Environment, out: Float80, a: Float80): boolean {
  const done = trigonometricSpecial(env, out, a, (o) => setZero(o, a.sign));
  if (done !== undefined) return done;
  const { sign } = a;
  const r = reduce(a);
  storeSigned(env, out, nudge(sineOf(r), toFixed(x, r.bits), -1n), r.bits, sign);
  return true;
}

/** FCOS; false when the operand is 2^63 or more in magnitude. */
export function cosine(env: Environment, out: Float80, a: Float80): boolean {
  const done = trigonometricSpecial(env, out, a, (o) => o.set(0, 0x3fff, 0x8000_0000, 0));
  if (done !== undefined) return done;
  const r = reduce(a);
  storeSigned(env, out, nudge(cosineOf(r), 1n << BigInt(r.bits), -1n), r.bits, 0);
  return true;
}

/** FPTAN without its push of 1; false when the operand is 2^63 or more in magnitude. */
export function tangent(env: Environment, out: Float80, a: Float80): boolean {
  const done = trigonometricSpecial(env, out, a, (o) => setZero(o, a.sign));
  if (done !== undefined) return done;
  const { sign } = a;
  const r = reduce(a);
  const s = sineOf(r);
  const c = cosineOf(r);
  // In odd quadrants the cosine may be tiny: the quotient then has bits enough because the sine is near 1.
  const quotient = ((s < 0n ? -s : s) << BigInt(r.bits)) / (c < 0n ? -c : c);
  const negative = s < 0n !== c < 0n;
  storeSigned(env, out, nudge(negative ? -quotient : quotient, toFixed(x, r.bits), 1n), r.bits, sign);
  return true;
}

/** FSINCOS: the sine to `sineOut`, the cosine (to be pushed) to `cosineOut`. */
export function sineAndCosine(env: Environment, sineOut: Float80, cosineOut: Float80, a: Float80): boolean {
  const done = trigonometricSpecial(env, sineOut, a, (o) => setZero(o, a.sign));
  if (done !== undefined) {
    if (classify(sineOut) < Class.quiet) cosineOut.set(0, 0x3fff, 0x8000_0000, 0);
    else cosineOut.copy(sineOut);
    return done;
  }
  const { sign } = a;
  const r = reduce(a);
  const operand = toFixed(x, r.bits);
  storeSigned(env, sineOut, nudge(sineOf(r), operand, -1n), r.bits, sign);
  storeSigned(env, cosineOut, nudge(cosineOf(r), 1n << BigInt(r.bits), -1n), r.bits, 0);
  return true;
}
