/** Conversions between double extended values and what memory holds: single, double, two's complement integers, packed decimal. */

import { Class, classify, type Environment, Float80, Fx, normalize, roundPack, roundToInteger, setZero, WideSignificand } from './float80';

const scratch = new Float80();
const wide = new WideSignificand();

/** Widens a single-precision value: exact, NaNs as they are; true when it was a denormal there (and is normal here). */
export function readSingle(out: Float80, bits: number): boolean {
  const sign = bits >>> 31;
  const exponent = (bits >>> 23) & 0xff;
  const fraction = (bits & 0x7f_ffff) << 8;
  if (exponent === 0) {
    if (fraction === 0) {
      setZero(out, sign);
      return false;
    }
    out.set(sign, 0x3fff - 126, fraction, 0);
    normalize(out);
    return true;
  }
  out.set(sign, exponent === 0xff ? 0x7fff : exponent + 0x3fff - 127, (0x8000_0000 | fraction) >>> 0, 0);
  return false;
}

/** Widens a double-precision value given as its two halves, as `readSingle`. */
export function readDouble(out: Float80, high: number, low: number): boolean {
  const sign = high >>> 31;
  const exponent = (high >>> 20) & 0x7ff;
  const significandHigh = ((high & 0xf_ffff) << 11) | (low >>> 21);
  const significandLow = (low << 11) >>> 0;
  if (exponent === 0) {
    if ((significandHigh | significandLow) === 0) {
      setZero(out, sign);
      return false;
    }
    out.set(sign, 0x3fff - 1022, significandHigh, significandLow);
    normalize(out);
    return true;
  }
  out.set(sign, exponent === 0x7ff ? 0x7fff : exponent + 0x3fff - 1023, (significandHigh | 0x8000_0000) >>> 0, significandLow);
  return false;
}

/** Widens a signed 32-bit integer (FILD m16, m32): exact. */
export function fromInt32(out: Float80, value: number): void {
  if (value === 0) {
    setZero(out, 0);
    return;
  }
  out.set(value < 0 ? 1 : 0, 0x3fff + 31, Math.abs(value) >>> 0, 0);
  normalize(out);
}

/** Widens a signed 64-bit integer given as its two halves (FILD m64): exact. */
export function fromInt64(out: Float80, high: number, low: number): void {
  if ((high | low) === 0) {
    setZero(out, 0);
    return;
  }
  const sign = high >>> 31;
  if (sign !== 0) {
    low = -low >>> 0;
    high = (low === 0 ? -high : ~high) >>> 0;
  }
  out.set(sign, 0x3fff + 63, high >>> 0, low >>> 0);
  normalize(out);
}

/** The bits of a stored real or integer, as unsigned halves; `ok` is false when an unmasked exception forbids the store. */
export interface Stored {
  high: number;
  low: number;
  ok: boolean;
}

/** Narrows to single or double for FST (SDM vol. 1, 8.3.3): rounds to the format, denormals and overflow included. */
function narrow(env: Environment, v: Float80, precision: 24 | 53, bias: number): number {
  const shift = 0x3fff - bias;
  const emax = 2 * bias + 1;
  const c = classify(v);
  if (c === Class.unsupported) {
    env.flags |= Fx.invalid;
    scratch.set(1, emax, 0xc000_0000, 0);
    return emax;
  }
  if (c === Class.zero) {
    scratch.set(v.sign, 0, 0, 0);
    return 0;
  }
  if (c === Class.infinity || c >= Class.quiet) {
    if (c === Class.signaling) env.flags |= Fx.invalid;
    scratch.set(v.sign, emax, c === Class.infinity ? 0x8000_0000 : (v.high | 0x4000_0000) >>> 0, v.low);
    return emax;
  }
  scratch.copy(v);
  normalize(scratch);
  const exponent = scratch.exponent - shift;
  // Overflow is found by rounding as for an 80-bit result; the tiny case rounds at the format's own denormal position.
  if (exponent > 0) {
    const before = env.flags;
    if (exponent < emax) {
      roundPack(env, scratch, v.sign, scratch.exponent, scratch.high, scratch.low, 0, precision);
      if (scratch.exponent - shift < emax) return scratch.exponent - shift;
    }
    env.flags = before | Fx.overflow;
    env.roundedUp = false;
    if (!env.masked(Fx.overflow)) return -1;
    env.flags |= Fx.precision;
    const up = env.rounding === 0 || (env.rounding === 1 && v.sign !== 0) || (env.rounding === 2 && v.sign === 0);
    env.roundedUp = up;
    if (up) {
      scratch.set(v.sign, emax, 0x8000_0000, 0);
      return emax;
    }
    scratch.set(v.sign, emax - 1, 0xffff_ffff, 0xffff_ffff);
    return emax - 1;
  }
  if (!env.masked(Fx.underflow)) {
    // Rounded without bounds, the value may still reach the smallest normal number, and is then not tiny.
    if (exponent === 0) {
      const { flags, roundedUp } = env;
      roundPack(env, scratch, v.sign, scratch.exponent, scratch.high, scratch.low, 0, precision);
      if (scratch.exponent - shift > 0) return 1;
      env.flags = flags;
      env.roundedUp = roundedUp;
    }
    env.flags |= Fx.underflow;
    return -1;
  }
  // roundPack counts denormals from exponent 0, which is where `exponent` stands.
  roundPack(env, scratch, v.sign, exponent, scratch.high, scratch.low, 0, precision);
  return scratch.exponent;
}

/** FST m32. `out.ok` is false when an unmasked exception forbids the store. */
export function toSingle(env: Environment, out: Stored, v: Float80): void {
  const exponent = narrow(env, v, 24, 127);
  out.ok = exponent >= 0 && (env.flags & ~env.masks & Fx.invalid) === 0;
  out.high = 0;
  out.low = ((scratch.sign << 31) | (exponent << 23) | ((scratch.high >>> 8) & 0x7f_ffff)) >>> 0;
}

/** FST m64. `out.ok` is false when an unmasked exception forbids the store. */
export function toDouble(env: Environment, out: Stored, v: Float80): void {
  const exponent = narrow(env, v, 53, 1023);
  out.ok = exponent >= 0 && (env.flags & ~env.masks & Fx.invalid) === 0;
  out.high = ((scratch.sign << 31) | (exponent << 20) | ((scratch.high >>> 11) & 0xf_ffff)) >>> 0;
  out.low = ((scratch.high << 21) | (scratch.low >>> 11)) >>> 0;
}

/** FIST and FISTP to `bits` 16, 32 or 64: out of range and NaN give the integer indefinite with #I. */
export function toInteger(env: Environment, out: Stored, v: Float80, bits: number): void {
  const c = classify(v);
  const flags = env.flags;
  out.ok = true;
  let valid = c === Class.zero || c === Class.denormal || (c === Class.normal && v.exponent <= 0x3fff + 63);
  if (valid) {
    roundToInteger(env, wide, v);
    if (bits === 64) {
      valid = wide.high < 0x8000_0000 || (v.sign !== 0 && wide.high === 0x8000_0000 && wide.low === 0);
    } else {
      const limit = 2 ** (bits - 1);
      valid = wide.high === 0 && (wide.low < limit || (v.sign !== 0 && wide.low === limit));
    }
  }
  if (!valid) {
    env.flags = flags | Fx.invalid;
    env.roundedUp = false;
    out.ok = env.masked(Fx.invalid);
    out.high = bits === 64 ? 0x8000_0000 : 0;
    out.low = bits === 64 ? 0 : 2 ** (bits - 1);
    return;
  }
  out.low = wide.low;
  out.high = wide.high;
  if (v.sign !== 0) {
    out.low = -wide.low >>> 0;
    out.high = (wide.low === 0 ? -wide.high : ~wide.high) >>> 0;
  }
}

/** FISTTP: as `toInteger` with truncation, whatever the rounding control. */
export function toIntegerTruncated(env: Environment, out: Stored, v: Float80, bits: number): void {
  const { rounding } = env;
  env.rounding = 3;
  toInteger(env, out, v, bits);
  env.rounding = rounding;
}

const decimalLimit = 10n ** 18n;

/** FBSTP: 10 bytes of packed decimal, least significant first, into `bytes`; false when an unmasked #I forbids the store. */
export function toDecimal(env: Environment, bytes: Uint8Array, v: Float80): boolean {
  const c = classify(v);
  const flags = env.flags;
  if (c === Class.zero || c === Class.denormal || (c === Class.normal && v.exponent <= 0x3fff + 63)) {
    roundToInteger(env, wide, v);
    let n = (BigInt(wide.high) << 32n) | BigInt(wide.low);
    if (n < decimalLimit) {
      for (let i = 0; i < 9; i++) {
        const pair = Number(n % 100n);
        n /= 100n;
        bytes[i] = (Math.floor(pair / 10) << 4) | (pair % 10);
      }
      bytes[9] = v.sign << 7;
      return true;
    }
  }
  env.flags = flags | Fx.invalid;
  env.roundedUp = false;
  bytes.fill(0, 0, 7);
  bytes[7] = 0xc0;
  bytes[8] = 0xff;
  bytes[9] = 0xff;
  return env.masked(Fx.invalid);
}

/** FBLD: digits above 9 count as what they are, as processors have it (the manual leaves them undefined). */
export function fromDecimal(out: Float80, bytes: Uint8Array): void {
  let n = 0n;
  for (let i = 8; i >= 0; i--) n = n * 100n + BigInt((bytes[i]! >> 4) * 10 + (bytes[i]! & 15));
  const sign = bytes[9]! >> 7;
  if (n === 0n) {
    setZero(out, sign);
    return;
  }
  out.set(sign, 0x3fff + 63, Number((n >> 32n) & 0xffff_ffffn), Number(n & 0xffff_ffffn));
  normalize(out);
}
