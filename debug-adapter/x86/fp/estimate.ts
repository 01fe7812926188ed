/** RCPPS and RSQRTPS: estimates with a relative error below 1.5 * 2^-12, the same on every host (SDM vol. 2B leaves the digits to the processor). */

import { single } from './format';

const scratch = new DataView(new ArrayBuffer(8));

function numberOf(bits: bigint): number {
  scratch.setUint32(0, Number(bits));
  return scratch.getFloat32(0);
}

/** A positive or negative number cut to 12 fraction bits by rounding, as single-precision bits; what would be denormal becomes zero. */
function coarse(value: number): bigint {
  scratch.setFloat32(0, value);
  const bits = scratch.getUint32(0);
  if ((bits & 0x7f80_0000) === 0) return BigInt((bits & 0x8000_0000) >>> 0);
  return BigInt(((bits + 0x400) & ~0x7ff) >>> 0);
}

const isNan = (bits: bigint): boolean => (bits & single.infinity) === single.infinity && (bits & single.fractionMask) !== 0n;
const isTiny = (bits: bigint): boolean => (bits & single.infinity) === 0n;

/** 1 / x. Denormals count as zeros; no flags. */
export function reciprocal(bits: bigint): bigint {
  if (isNan(bits)) return bits | single.quiet;
  const sign = bits & single.signBit;
  if (isTiny(bits)) return sign | single.infinity;
  if ((bits & single.infinity) === single.infinity) return sign;
  return coarse(1 / numberOf(bits));
}

/** 1 / sqrt(x). Negative numbers but zeros give the indefinite NaN; no flags. */
export function reciprocalRoot(bits: bigint): bigint {
  if (isNan(bits)) return bits | single.quiet;
  if (isTiny(bits)) return (bits & single.signBit) | single.infinity;
  if ((bits & single.signBit) !== 0n) return single.indefinite;
  if (bits === single.infinity) return 0n;
  return coarse(1 / Math.sqrt(numberOf(bits)));
}
