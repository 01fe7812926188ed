/** FPREM, FPREM1, FSCALE, FXTRACT and FRNDINT. */

import {
  Class,
  classify,
  type Environment,
  Float80,
  Fx,
  normalize,
  propagateNaN,
  roundPack,
  roundToInteger,
  setDefaultNaN,
  setInfinity,
  setZero,
  WideSignificand,
} from './float80';

const x = new Float80();
const y = new Float80();
const wide = new WideSignificand();

function invalid(env: Environment, out: Float80): void {
  env.flags |= Fx.invalid;
  setDefaultNaN(out);
}

/** What a partial remainder leaves in the condition codes: the quotient's low three bits, or that there is more to do. */
export interface RemainderResult {
  quotient: number;
  incomplete: boolean;
}

/**
 * FPREM (`nearest` false: the quotient is truncated) and FPREM1 (rounded to nearest even, as IEEE 754 wants it). Where the exponents are 64 or more
 * apart, one step takes a multiple of 32 plus the difference's low five bits off (SDM vol. 2, FPREM: N is between 32 and 63).
 */
export function remainder(env: Environment, out: Float80, a: Float80, b: Float80, nearest: boolean, result: RemainderResult): void {
  result.quotient = 0;
  result.incomplete = false;
  const ca = classify(a);
  const cb = classify(b);
  if (ca === Class.unsupported || cb === Class.unsupported) {
    invalid(env, out);
    return;
  }
  if (ca >= Class.quiet || cb >= Class.quiet) {
    propagateNaN(env, out, a, b);
    return;
  }
  if (ca === Class.infinity || cb === Class.zero) {
    invalid(env, out);
    return;
  }
  if (ca === Class.denormal || cb === Class.denormal) {
    env.flags |= Fx.denormal;
    if (env.faulted) return;
  }
  if (ca === Class.zero) {
    out.copy(a);
    return;
  }
  if (cb === Class.infinity) {
    x.copy(a);
    normalize(x);
    roundPack(env, out, a.sign, x.exponent, x.high, x.low, 0, 64);
    return;
  }
  x.copy(a);
  y.copy(b);
  normalize(x);
  normalize(y);
  let exponent = y.exponent;
  let steps = x.exponent - y.exponent;
  if (steps < (nearest ? -1 : 0)) {
    roundPack(env, out, a.sign, x.exponent, x.high, x.low, 0, 64);
    return;
  }
  if (steps >= 64) {
    const n = (steps & 31) | 32;
    exponent = x.exponent - n;
    steps = n;
    result.incomplete = true;
  }
  // Long division bit by bit: the remainder stays below twice the divisor, so one bit above 64 is enough.
  let rh = x.high;
  let rl = x.low;
  let top = 0;
  let quotient = 0;
  if (steps < 0) {
    // Only FPREM1, with an operand between a quarter and one of the divisor: compare its half below.
    exponent = x.exponent;
  } else {
    for (let i = steps; ; i--) {
      if (top !== 0 || rh > y.high || (rh === y.high && rl >= y.low)) {
        rl -= y.low;
        rh = (rh - y.high - (rl < 0 ? 1 : 0)) >>> 0;
        rl >>>= 0;
        quotient = ((quotient << 1) | 1) & 0xff;
      } else {
        quotient = (quotient << 1) & 0xff;
      }
      if (i === 0) break;
      top = rh >>> 31;
      rh = ((rh << 1) | (rl >>> 31)) >>> 0;
      rl = (rl << 1) >>> 0;
    }
  }
  let sign = a.sign;
  if (nearest && !result.incomplete) {
    // Is the remainder more than half the divisor, or half with an odd quotient? Both at the scale of `exponent`.
    let doubleTop: number;
    let doubleHigh: number;
    let doubleLow: number;
    if (steps < 0) {
      doubleTop = 0;
      doubleHigh = rh;
      doubleLow = rl;
    } else {
      doubleTop = rh >>> 31;
      doubleHigh = ((rh << 1) | (rl >>> 31)) >>> 0;
      doubleLow = (rl << 1) >>> 0;
    }
    const more = doubleTop !== 0 || doubleHigh > y.high || (doubleHigh === y.high && doubleLow > y.low);
    const same = doubleTop === 0 && doubleHigh === y.high && doubleLow === y.low;
    if (more || (same && (quotient & 1) !== 0)) {
      quotient++;
      sign ^= 1;
      if (steps < 0) {
        // divisor - operand, at the operand's scale, where the divisor is twice as large.
        const low = (y.low << 1) >>> 0;
        const high = y.high * 2 + (y.low >>> 31);
        const l = low - rl;
        rh = high - rh - (l < 0 ? 1 : 0);
        rl = l >>> 0;
        // The operand is above half the divisor, so the difference is below it and fits 64 bits.
        rh >>>= 0;
      } else {
        const l = y.low - rl;
        rh = (y.high - rh - (l < 0 ? 1 : 0)) >>> 0;
        rl = l >>> 0;
      }
    }
  }
  result.quotient = result.incomplete ? 0 : quotient & 7;
  if ((rh | rl) === 0) {
    setZero(out, a.sign);
    return;
  }
  x.set(sign, exponent, rh, rl);
  // normalize() takes exponent 0 for a denormal's, so the packing exponent is shifted out of its way.
  x.exponent += 0x10000;
  normalize(x);
  roundPack(env, out, sign, x.exponent - 0x10000, x.high, x.low, 0, 64);
}

/** FSCALE: a times two to the power of b's integer part. */
export function scale(env: Environment, out: Float80, a: Float80, b: Float80): void {
  const ca = classify(a);
  const cb = classify(b);
  if (ca === Class.unsupported || cb === Class.unsupported) {
    invalid(env, out);
    return;
  }
  if (ca >= Class.quiet || cb >= Class.quiet) {
    propagateNaN(env, out, a, b);
    return;
  }
  if (cb === Class.infinity) {
    if (b.sign === 0 ? ca === Class.zero : ca === Class.infinity) {
      invalid(env, out);
      return;
    }
    if (ca === Class.denormal) env.flags |= Fx.denormal;
    if (b.sign === 0) setInfinity(out, a.sign);
    else setZero(out, a.sign);
    return;
  }
  if (ca === Class.denormal || cb === Class.denormal) {
    env.flags |= Fx.denormal;
    if (env.faulted) return;
  }
  if (ca === Class.zero || ca === Class.infinity) {
    out.copy(a);
    return;
  }
  let power = 0;
  if (b.exponent > 0x3fff + 16) power = 0x2_0000;
  else if (b.exponent >= 0x3fff) power = b.high >>> (31 - (b.exponent - 0x3fff));
  if (b.sign !== 0) power = -power;
  x.copy(a);
  normalize(x);
  roundPack(env, out, a.sign, x.exponent + power, x.high, x.low, 0, 64);
}

/** FXTRACT: the unbiased exponent as a number in `exponent`, the significand with exponent 0 in `significand` (which may be the operand). */
export function extract(env: Environment, exponent: Float80, significand: Float80, a: Float80): void {
  const c = classify(a);
  if (c === Class.unsupported) {
    invalid(env, significand);
    exponent.copy(significand);
    return;
  }
  if (c >= Class.quiet) {
    propagateNaN(env, significand, a, a);
    exponent.copy(significand);
    return;
  }
  if (c === Class.infinity) {
    significand.copy(a);
    setInfinity(exponent, 0);
    return;
  }
  if (c === Class.zero) {
    env.flags |= Fx.zeroDivide;
    setInfinity(exponent, 1);
    significand.copy(a);
    return;
  }
  if (c === Class.denormal) {
    env.flags |= Fx.denormal;
    if (env.faulted) return;
  }
  x.copy(a);
  normalize(x);
  const e = x.exponent - 0x3fff;
  significand.set(a.sign, 0x3fff, x.high, x.low);
  if (e === 0) {
    setZero(exponent, 0);
    return;
  }
  exponent.set(e < 0 ? 1 : 0, 0x3fff + 31, Math.abs(e), 0);
  normalize(exponent);
}

/** FRNDINT; `out` may be the operand. */
export function roundInteger(env: Environment, out: Float80, a: Float80): void {
  const c = classify(a);
  if (c === Class.unsupported) {
    invalid(env, out);
    return;
  }
  if (c >= Class.quiet) {
    propagateNaN(env, out, a, a);
    return;
  }
  if (c === Class.denormal) {
    env.flags |= Fx.denormal;
    if (env.faulted) return;
  }
  if (c === Class.zero || c === Class.infinity || a.exponent >= 0x3fff + 63) {
    out.copy(a);
    return;
  }
  roundToInteger(env, wide, a);
  if ((wide.high | wide.low) === 0) {
    setZero(out, a.sign);
    return;
  }
  out.set(a.sign, 0x3fff + 63, wide.high, wide.low);
  normalize(out);
}
