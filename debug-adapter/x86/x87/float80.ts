/** The double extended format: values, their classes, and the one place where results are rounded, with x87 exceptions and C1. */

/** Exception flags as FSW bits 5:0 and FCW masks have them (SDM vol. 1, 8.1.3). */
export const Fx = {
  invalid: 0x01,
  denormal: 0x02,
  zeroDivide: 0x04,
  overflow: 0x08,
  underflow: 0x10,
  precision: 0x20,
  stack: 0x40,
} as const;

/** Rounding control as FCW bits 11:10 have it. */
export const Rounding = { nearest: 0, down: 1, up: 2, chop: 3 } as const;

/**
 * A value of the double extended format (SDM vol. 1, 4.2.2). Mutable, so that arithmetic allocates nothing: `high` and `low` are the unsigned
 * halves of the 64-bit significand with its explicit integer bit, `exponent` the biased one (0..0x7fff when packed; any integer while
 * a result is being made).
 */
export class Float80 {
  sign = 0;
  exponent = 0;
  high = 0;
  low = 0;

  set(sign: number, exponent: number, high: number, low: number): this {
    this.sign = sign;
    this.exponent = exponent;
    this.high = high;
    this.low = low;
    return this;
  }

  copy(from: Float80): this {
    return this.set(from.sign, from.exponent, from.high, from.low);
  }
}

/** Classes of operands; the order lets `>= nan` and the like be tested. */
export const Class = {
  zero: 0,
  normal: 1,
  /** Denormals and pseudo-denormals: both raise #D. */
  denormal: 2,
  infinity: 3,
  quiet: 4,
  signaling: 5,
  /** Pseudo-NaN, pseudo-infinity, unnormal: invalid in every arithmetic instruction (SDM vol. 1, 8.2.2). */
  unsupported: 6,
} as const;

/** One of the values of `Class`. */
export function classify(v: Float80): number {
  if (v.exponent === 0) {
    return (v.high | v.low) === 0 ? Class.zero : Class.denormal;
  }
  if (v.high >>> 31 === 0) return Class.unsupported;
  if (v.exponent !== 0x7fff) return Class.normal;
  if (v.high === 0x8000_0000 && v.low === 0) return Class.infinity;
  return (v.high & 0x4000_0000) !== 0 ? Class.quiet : Class.signaling;
}

/** What an operation reads (control) and leaves (flags, C1). One is kept for each processor. */
export class Environment {
  rounding = 0;
  /** Significand bits of results that precision control governs: 24, 53 or 64. */
  precision = 64;
  /** FCW exception masks, bits 5:0; a set bit is masked. */
  masks = 0x3f;
  /** Exceptions raised by the operation: FSW bits 6:0. */
  flags = 0;
  /** The result's magnitude was rounded up. */
  roundedUp = false;

  /** Takes a control word and forgets the last operation. PC value 1 is reserved and acts as extended. */
  begin(controlWord: number): void {
    this.masks = controlWord & 0x3f;
    this.rounding = (controlWord >>> 10) & 3;
    const pc = (controlWord >>> 8) & 3;
    this.precision = pc === 0 ? 24 : pc === 2 ? 53 : 64;
    this.flags = 0;
    this.roundedUp = false;
  }

  /** Whether an exception was raised that forbids the operation: unmasked invalid, denormal or zero-divide. */
  get faulted(): boolean {
    return (this.flags & ~this.masks & (Fx.invalid | Fx.denormal | Fx.zeroDivide)) !== 0;
  }

  masked(exception: number): boolean {
    return (this.masks & exception) !== 0;
  }
}

export function setDefaultNaN(v: Float80): void {
  v.set(1, 0x7fff, 0xc000_0000, 0);
}

export function setZero(v: Float80, sign: number): void {
  v.set(sign, 0, 0, 0);
}

export function setInfinity(v: Float80, sign: number): void {
  v.set(sign, 0x7fff, 0x8000_0000, 0);
}

/** Left-justifies a nonzero significand, taking the exponent below 1 for denormals. */
export function normalize(v: Float80): void {
  if (v.exponent === 0) v.exponent = 1;
  if (v.high === 0) {
    v.high = v.low;
    v.low = 0;
    v.exponent -= 32;
  }
  const shift = Math.clz32(v.high);
  if (shift !== 0) {
    v.high = ((v.high << shift) | (v.low >>> (32 - shift))) >>> 0;
    v.low = (v.low << shift) >>> 0;
    v.exponent -= shift;
  }
}

/** A significand with 32 bits more to its right, the last of which is sticky. */
export class WideSignificand {
  high = 0;
  low = 0;
  extension = 0;

  set(high: number, low: number, extension: number): this {
    this.high = high;
    this.low = low;
    this.extension = extension;
    return this;
  }

  /** Shifts right by `count` >= 0 places, or'ing what leaves into the last bit. */
  shiftRight(count: number): void {
    if (count > 96) {
      this.set(0, 0, (this.high | this.low | this.extension) !== 0 ? 1 : 0);
      return;
    }
    for (; count >= 32; count -= 32) this.set(0, this.high, (this.low | (this.extension !== 0 ? 1 : 0)) >>> 0);
    if (count === 0) return;
    const lost = this.extension << (32 - count) !== 0 ? 1 : 0;
    this.extension = ((this.extension >>> count) | (this.low << (32 - count)) | lost) >>> 0;
    this.low = ((this.low >>> count) | (this.high << (32 - count))) >>> 0;
    this.high >>>= count;
  }
}

const wide = new WideSignificand();

// What `decideRound` found of the significand last looked at.
let inexact = false;

/** Whether `high:low:extension` goes up in magnitude when cut to `precision` bits; leaves `inexact`. */
function decideRound(env: Environment, sign: number, high: number, low: number, extension: number, precision: number): boolean {
  let odd: boolean;
  let half: boolean;
  let rest: boolean;
  if (precision === 64) {
    odd = (low & 1) !== 0;
    half = extension >>> 31 !== 0;
    rest = extension << 1 !== 0;
  } else if (precision === 53) {
    odd = (low & 0x800) !== 0;
    half = (low & 0x400) !== 0;
    rest = (low & 0x3ff) !== 0 || extension !== 0;
  } else {
    odd = (high & 0x100) !== 0;
    half = (high & 0x80) !== 0;
    rest = (high & 0x7f) !== 0 || low !== 0 || extension !== 0;
  }
  inexact = half || rest;
  if (!inexact) return false;
  switch (env.rounding) {
    case Rounding.nearest:
      return half && (rest || odd);
    case Rounding.down:
      return sign !== 0;
    case Rounding.up:
      return sign === 0;
    default:
      return false;
  }
}

/** Cuts `out`'s significand to `precision` bits, adding one unit there when `up`; true when that carried out of the integer bit. */
function applyRound(out: Float80, precision: number, up: boolean): boolean {
  if (precision === 64) {
    if (!up) return false;
    out.low = (out.low + 1) >>> 0;
    if (out.low !== 0) return false;
    out.high = (out.high + 1) >>> 0;
  } else if (precision === 53) {
    out.low = (out.low & ~0x7ff) >>> 0;
    if (!up) return false;
    out.low = (out.low + 0x800) >>> 0;
    if (out.low !== 0) return false;
    out.high = (out.high + 1) >>> 0;
  } else {
    out.low = 0;
    out.high = (out.high & ~0xff) >>> 0;
    if (!up) return false;
    out.high = (out.high + 0x100) >>> 0;
  }
  if (out.high !== 0) return false;
  out.high = 0x8000_0000;
  return true;
}

/**
 * Rounds a finite value to an integer by the rounding control (FRNDINT, FIST, FBSTP): leaves the magnitude, below 2^64, in `out.high:low`.
 * Raises #P and sets C1. Values of 2^64 and more are the caller's to keep away.
 */
export function roundToInteger(env: Environment, out: WideSignificand, v: Float80): void {
  out.set(v.high, v.low, 0);
  const e = v.exponent === 0 ? 1 : v.exponent;
  out.shiftRight(0x3fff + 63 - e);
  const up = decideRound(env, v.sign, out.high, out.low, out.extension, 64);
  if (!inexact) return;
  env.flags |= Fx.precision;
  if (!up) return;
  env.roundedUp = true;
  out.low = (out.low + 1) >>> 0;
  if (out.low === 0) out.high = (out.high + 1) >>> 0;
}

/** What an unmasked overflow takes from the exponent and an unmasked underflow adds to it (SDM vol. 1, 8.5.4). */
const exponentWrap = 0x6000;

/**
 * Makes the result of an operation: rounds a normalized significand and its 32-bit extension (with everything further right or'ed
 * into the extension's bit 0) to `precision` bits, raising overflow, underflow and precision exceptions and setting C1.
 * Tininess is detected after rounding. `out` may hold the inputs. (SDM vol. 1, 4.8.4, 4.9.1, 8.5.4 to 8.5.6)
 */
export function roundPack(
  env: Environment,
  out: Float80,
  sign: number,
  exponent: number,
  high: number,
  low: number,
  extension: number,
  precision: number,
): void {
  out.set(sign, exponent, high, low);
  let up = decideRound(env, sign, high, low, extension, precision);
  if (exponent <= 0) {
    let tiny = true;
    if (exponent === 0 && up) {
      // Rounded as if the exponent had no bound, does it reach the smallest normal number?
      tiny = !applyRound(out, precision, true);
      out.set(sign, exponent, high, low);
    }
    if (tiny && !env.masked(Fx.underflow)) {
      env.flags |= Fx.underflow;
      exponent += exponentWrap;
      if (exponent <= 0) {
        // Too small even so (FSCALE): zero.
        env.flags |= Fx.precision;
        setZero(out, sign);
        return;
      }
    } else {
      denormalize(env, out, 1 - exponent, extension, precision, tiny);
      return;
    }
  }
  if (inexact) {
    env.flags |= Fx.precision;
    if (up) env.roundedUp = true;
  }
  if (applyRound(out, precision, up)) exponent++;
  if (exponent >= 0x7fff) {
    env.flags |= Fx.overflow;
    if (!env.masked(Fx.overflow)) {
      exponent -= exponentWrap;
      if (exponent >= 0x7fff) {
        env.flags |= Fx.precision;
        env.roundedUp = true;
        setInfinity(out, sign);
        return;
      }
    } else {
      env.flags |= Fx.precision;
      up =
        env.rounding === Rounding.nearest || (env.rounding === Rounding.down && sign !== 0) || (env.rounding === Rounding.up && sign === 0);
      env.roundedUp = up;
      if (up) setInfinity(out, sign);
      else if (precision === 64) out.set(sign, 0x7ffe, 0xffff_ffff, 0xffff_ffff);
      else if (precision === 53) out.set(sign, 0x7ffe, 0xffff_ffff, 0xffff_f800);
      else out.set(sign, 0x7ffe, 0xffff_ff00, 0);
      return;
    }
  }
  out.exponent = exponent;
}

function denormalize(env: Environment, out: Float80, shift: number, extension: number, precision: number, tiny: boolean): void {
  wide.set(out.high, out.low, extension).shiftRight(shift);
  const up = decideRound(env, out.sign, wide.high, wide.low, wide.extension, precision);
  out.exponent = 0;
  out.high = wide.high;
  out.low = wide.low;
  if (inexact) {
    env.flags |= Fx.precision;
    if (tiny) env.flags |= Fx.underflow;
    if (up) env.roundedUp = true;
  }
  applyRound(out, precision, up);
  if (out.high >>> 31 !== 0) out.exponent = 1;
}

/**
 * The NaN result of an operation with at least one NaN operand (SDM vol. 1, table 4-7): a signaling operand raises #I and is made quiet;
 * of two NaNs the one with the larger significand is taken.
 */
export function propagateNaN(env: Environment, out: Float80, a: Float80, b: Float80): void {
  const ca = classify(a);
  const cb = classify(b);
  if (ca === Class.signaling || cb === Class.signaling) env.flags |= Fx.invalid;
  let pick: Float80;
  if (ca < Class.quiet) pick = b;
  else if (cb < Class.quiet) pick = a;
  else if (ca !== cb) {
    // One signaling, one quiet: the quiet one.
    pick = ca === Class.quiet ? a : b;
  } else if (a.high !== b.high) pick = a.high > b.high ? a : b;
  else if (a.low !== b.low) pick = a.low > b.low ? a : b;
  else pick = a.sign < b.sign ? a : b;
  out.copy(pick);
  out.high = (out.high | 0x4000_0000) >>> 0;
}
