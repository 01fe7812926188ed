/** Conversions of one lane between the floating-point formats and integers, with the flags and the indefinite values of the manual. */

import { Kind, Mxcsr, bitLength, double, roundAway, single, type Format, type SseControl } from './format';

/** CVTSS2SD and CVTSD2SS: NaNs keep the top of their payload, quieted; a denormal source raises DE. */
export function changeFormat(c: SseControl, from: Format, to: Format, bits: bigint): bigint {
  const v = c.unpack(from, bits);
  const sign = v.negative ? to.signBit : 0n;
  const widen = to.fractionBits - from.fractionBits;
  if (v.kind >= Kind.quiet) {
    if (v.kind === Kind.signaling) c.flags |= Mxcsr.invalid;
    const fraction = v.bits & from.fractionMask;
    return sign | to.infinity | to.quiet | (widen >= 0n ? fraction << widen : fraction >> -widen);
  }
  if (v.kind === Kind.infinity) return sign | to.infinity;
  if (v.denormal) c.flags |= Mxcsr.denormal;
  return c.round(to, v.negative, v.significand, v.exponent);
}

export const widen = (c: SseControl, bits: bigint): bigint => changeFormat(c, single, double, bits);
export const narrow = (c: SseControl, bits: bigint): bigint => changeFormat(c, double, single, bits);

/** A signed integer to the format, rounded by MXCSR.RC; raises PE alone. */
export function fromInteger(c: SseControl, f: Format, value: bigint): bigint {
  if (value === 0n) return 0n;
  return c.round(f, value < 0n, value < 0n ? -value : value, 0);
}

/**
 * To a signed integer of `width` bits (32 or 64), as an unsigned pattern; `mode` is a rounding mode. What does not fit, and NaNs, raise IE
 * and give the integer indefinite, 1 followed by zeros (SDM vol. 1, 4.2.3 and 11.5.2.1). Denormal sources do not raise DE.
 */
export function toInteger(c: SseControl, f: Format, bits: bigint, width: number, mode: number): bigint {
  const v = c.unpack(f, bits);
  const indefinite = 1n << BigInt(width - 1);
  if (v.kind === Kind.zero) return 0n;
  // A magnitude of 2^width or more cannot fit, and need not be written out.
  if (v.kind !== Kind.finite || v.exponent + bitLength(v.significand) > width) {
    c.flags |= Mxcsr.invalid;
    return indefinite;
  }
  let magnitude = v.significand;
  let inexact = false;
  if (v.exponent >= 0) {
    magnitude <<= BigInt(v.exponent);
  } else {
    magnitude = roundAway(v.significand, -v.exponent, mode, v.negative);
    inexact = magnitude << BigInt(-v.exponent) !== v.significand;
  }
  if (v.negative ? magnitude > indefinite : magnitude >= indefinite) {
    c.flags |= Mxcsr.invalid;
    return indefinite;
  }
  if (inexact) c.flags |= Mxcsr.precision;
  return BigInt.asUintN(width, v.negative ? -magnitude : magnitude);
}

/** ROUNDPS and its relatives: to an integral value in the same format; `quietly` suppresses PE (SDM vol. 2B, ROUNDPD). */
export function toIntegral(c: SseControl, f: Format, bits: bigint, mode: number, quietly: boolean): bigint {
  const v = c.unpack(f, bits);
  if (v.kind >= Kind.quiet) {
    if (v.kind === Kind.signaling) c.flags |= Mxcsr.invalid;
    return v.bits | f.quiet;
  }
  if (v.kind !== Kind.finite || v.exponent >= 0) return v.bits;
  const magnitude = roundAway(v.significand, -v.exponent, mode, v.negative);
  if (!quietly && magnitude << BigInt(-v.exponent) !== v.significand) c.flags |= Mxcsr.precision;
  const sign = v.negative ? f.signBit : 0n;
  if (magnitude === 0n) return sign;
  const length = bitLength(magnitude);
  const fraction = magnitude << BigInt(f.precision - length);
  const biased = length - 1 - (f.leastExponent + f.precision - 1) + 1;
  return sign | (BigInt(biased) << f.fractionBits) | (fraction & f.fractionMask);
}
