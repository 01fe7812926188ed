/** Single and double precision as exact integers: operands taken apart, and the one place where SSE results are rounded and flagged. */

/** MXCSR bits (SDM vol. 1, 10.2.3). Exception masks are the flags shifted left by `maskShift`. */
export const Mxcsr = {
  invalid: 0x01,
  denormal: 0x02,
  zeroDivide: 0x04,
  overflow: 0x08,
  underflow: 0x10,
  precision: 0x20,
  flags: 0x3f,
  denormalsAreZero: 0x40,
  maskShift: 7,
  roundingShift: 13,
  flushToZero: 0x8000,
  /** Bits that may be written; the others are reserved, and setting them is #GP(0). */
  writable: 0xffff,
  reset: 0x1f80,
} as const;

/** Values of MXCSR.RC, and of the rounding field of ROUNDxx. */
export const Rounding = { nearest: 0, down: 1, up: 2, chop: 3 } as const;

/** An IEEE 754 binary interchange format. */
export interface Format {
  /** Bits of the significand with the hidden one. */
  readonly precision: number;
  readonly fractionBits: bigint;
  readonly fractionMask: bigint;
  readonly hidden: bigint;
  readonly quiet: bigint;
  readonly signBit: bigint;
  readonly exponentMask: number;
  /** Exponent of the last fraction bit of the smallest normal number, and of all denormals. */
  readonly leastExponent: number;
  readonly infinity: bigint;
  /** The "real indefinite" NaN: negative, quiet, no payload (SDM vol. 1, 4.2.2). */
  readonly indefinite: bigint;
}

function makeFormat(width: number, precision: number): Format {
  const fractionBits = BigInt(precision - 1);
  const exponentBits = width - precision;
  const exponentMask = 2 ** exponentBits - 1;
  const infinity = BigInt(exponentMask) << fractionBits;
  const signBit = 1n << BigInt(width - 1);
  const quiet = 1n << (fractionBits - 1n);
  return {
    precision,
    fractionBits,
    fractionMask: (1n << fractionBits) - 1n,
    hidden: 1n << fractionBits,
    quiet,
    signBit,
    exponentMask,
    leastExponent: 1 - (2 ** (exponentBits - 1) - 1) - (precision - 1),
    infinity,
    indefinite: signBit | infinity | quiet,
  };
}

export const single = makeFormat(32, 24);
export const double = makeFormat(64, 53);

/** What an operand is; the order makes `>= quiet` mean "NaN". */
export const Kind = { zero: 0, finite: 1, infinity: 2, quiet: 3, signaling: 4 } as const;

/** An operand taken apart. `finite` means significand * 2^exponent with a significand that is not 0. */
export interface Unpacked {
  readonly bits: bigint;
  readonly negative: boolean;
  readonly kind: number;
  readonly significand: bigint;
  readonly exponent: number;
  readonly denormal: boolean;
}

/** MXCSR at work: the controls of one instruction and the flags that it raises. */
export class SseControl {
  rounding = 0;
  denormalsAreZero = false;
  flushToZero = false;
  /** Exceptions that are masked, in the positions of the flags. */
  masks = 0x3f;
  /** Exceptions raised since `load`. */
  flags = 0;

  load(mxcsr: number): void {
    this.rounding = (mxcsr >>> Mxcsr.roundingShift) & 3;
    this.denormalsAreZero = (mxcsr & Mxcsr.denormalsAreZero) !== 0;
    this.flushToZero = (mxcsr & Mxcsr.flushToZero) !== 0;
    this.masks = (mxcsr >>> Mxcsr.maskShift) & Mxcsr.flags;
    this.flags = 0;
  }

  /**
   * Flags of the whole instruction, all its elements done. IE, DE and ZE are found before anything is computed: where one of them is not masked,
   * the instruction stops there, and no element has OE, UE or PE yet (SDM vol. 1, 11.5.2 and 11.5.3).
   */
  finish(): number {
    const before = Mxcsr.invalid | Mxcsr.denormal | Mxcsr.zeroDivide;
    if ((this.flags & before & ~this.masks) !== 0) this.flags &= before;
    return this.flags;
  }

  /** Takes an operand apart; denormals become zeros under DAZ. Raises nothing. */
  unpack(f: Format, bits: bigint): Unpacked {
    const negative = (bits & f.signBit) !== 0n;
    const fraction = bits & f.fractionMask;
    const exponent = Number((bits & ~f.signBit) >> f.fractionBits);
    if (exponent === f.exponentMask) {
      const kind = fraction === 0n ? Kind.infinity : (fraction & f.quiet) !== 0n ? Kind.quiet : Kind.signaling;
      return { bits, negative, kind, significand: 0n, exponent: 0, denormal: false };
    }
    if (exponent !== 0) {
      const place = f.leastExponent + exponent - 1;
      return { bits, negative, kind: Kind.finite, significand: fraction | f.hidden, exponent: place, denormal: false };
    }
    if (fraction === 0n) return { bits, negative, kind: Kind.zero, significand: 0n, exponent: 0, denormal: false };
    if (this.denormalsAreZero) {
      return { bits: bits & f.signBit, negative, kind: Kind.zero, significand: 0n, exponent: 0, denormal: false };
    }
    return { bits, negative, kind: Kind.finite, significand: fraction, exponent: f.leastExponent, denormal: true };
  }

  /**
   * Rounds significand * 2^exponent to the format and packs it, raising OE, UE and PE. A significand of 0 gives a zero of the given sign.
   * An operation with more digits than it computed puts a 1 below its last digit, at least two bits below the format's precision.
   */
  round(f: Format, negative: boolean, significand: bigint, exponent: number): bigint {
    const sign = negative ? f.signBit : 0n;
    if (significand === 0n) return sign;
    const length = bitLength(significand);
    const excess = length - f.precision;
    const rounded = this.#toPlace(negative, significand, excess);
    // Tininess is detected after rounding, as if the exponent were unbounded (SDM vol. 1, 4.9.1.5).
    const carried = rounded >> BigInt(f.precision) !== 0n;
    const place = exponent + excess + (carried ? 1 : 0);
    // What PE says where OE or UE is not masked: whether the digits, with the exponent unbounded, are exact.
    const digitsLost = excess > 0 && (significand & ((1n << BigInt(excess)) - 1n)) !== 0n;
    if (place >= f.leastExponent) {
      const biased = place - f.leastExponent + 1;
      if (biased >= f.exponentMask) return this.#overflow(f, negative, sign, digitsLost);
      if (digitsLost) this.flags |= Mxcsr.precision;
      const whole = carried ? rounded >> 1n : rounded;
      return sign | (BigInt(biased) << f.fractionBits) | (whole & f.fractionMask);
    }
    const drop = f.leastExponent - exponent;
    const inexact = drop > 0 && (significand & ((1n << BigInt(drop)) - 1n)) !== 0n;
    if ((this.masks & Mxcsr.underflow) === 0) {
      this.flags |= Mxcsr.underflow | (digitsLost ? Mxcsr.precision : 0);
    } else if (this.flushToZero) {
      this.flags |= Mxcsr.underflow | Mxcsr.precision;
      return sign;
    } else if (inexact) {
      this.flags |= Mxcsr.underflow | Mxcsr.precision;
    }
    // A denormal that rounds up to the hidden bit becomes the smallest normal number by itself.
    return sign | this.#toPlace(negative, significand, drop);
  }

  /** Drops `count` low bits by the rounding mode (adds zeros where count is negative). */
  #toPlace(negative: boolean, significand: bigint, count: number): bigint {
    if (count <= 0) return significand << BigInt(-count);
    return roundAway(significand, count, this.rounding, negative);
  }

  #overflow(f: Format, negative: boolean, sign: bigint, digitsLost: boolean): bigint {
    const masked = (this.masks & Mxcsr.overflow) !== 0;
    this.flags |= Mxcsr.overflow | (masked || digitsLost ? Mxcsr.precision : 0);
    const toInfinity =
      this.rounding === Rounding.nearest || (this.rounding === Rounding.down && negative) || (this.rounding === Rounding.up && !negative);
    return sign | (toInfinity ? f.infinity : f.infinity - 1n);
  }
}

/** significand / 2^count (count > 0), rounded to an integer by `mode` for a number of the given sign. */
export function roundAway(significand: bigint, count: number, mode: number, negative: boolean): bigint {
  const shift = BigInt(count);
  const kept = significand >> shift;
  const rest = significand & ((1n << shift) - 1n);
  if (rest === 0n) return kept;
  switch (mode) {
    case Rounding.nearest: {
      const half = 1n << (shift - 1n);
      return rest > half || (rest === half && (kept & 1n) !== 0n) ? kept + 1n : kept;
    }
    case Rounding.down:
      return negative ? kept + 1n : kept;
    case Rounding.up:
      return negative ? kept : kept + 1n;
    default:
      return kept;
  }
}

/** Bits of a positive integer, without leading zeros. */
export function bitLength(value: bigint): number {
  let rest = value;
  let length = 0;
  while (rest >> 32n !== 0n) {
    rest >>= 32n;
    length += 32;
  }
  return length + 32 - Math.clz32(Number(rest));
}
