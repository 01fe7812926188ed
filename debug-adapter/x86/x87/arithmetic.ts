/** Addition, multiplication, division, square root and comparison of double extended values, on 32-bit halves. */

import {
  Class,
  classify,
  type Environment,
  Float80,
  Fx,
  normalize,
  propagateNaN,
  Rounding,
  roundPack,
  setDefaultNaN,
  setInfinity,
  setZero,
  WideSignificand,
} from './float80';

const x = new Float80();
const y = new Float80();
const wide = new WideSignificand();

const two16Inverse = 2 ** -16;
const two32Inverse = 2 ** -32;

/** Deals with NaNs and unsupported operands of a two-operand instruction; true when `out` is final. */
function special(env: Environment, out: Float80, a: Float80, b: Float80, ca: number, cb: number): boolean {
  if (ca === Class.unsupported || cb === Class.unsupported) {
    env.flags |= Fx.invalid;
    setDefaultNaN(out);
    return true;
  }
  if (ca >= Class.quiet || cb >= Class.quiet) {
    propagateNaN(env, out, a, b);
    return true;
  }
  return false;
}

function invalid(env: Environment, out: Float80): void {
  env.flags |= Fx.invalid;
  setDefaultNaN(out);
}

/** a + b, or a - b when `subtract`; `out` may be either operand. On an unmasked #I or #D `out` is without meaning. */
export function add(env: Environment, out: Float80, a: Float80, b: Float80, subtract: boolean): void {
  const ca = classify(a);
  const cb = classify(b);
  if (special(env, out, a, b, ca, cb)) return;
  const signB = subtract ? b.sign ^ 1 : b.sign;
  if (ca === Class.infinity || cb === Class.infinity) {
    if (ca === cb && a.sign !== signB) {
      invalid(env, out);
      return;
    }
    if (ca === Class.denormal || cb === Class.denormal) env.flags |= Fx.denormal;
    setInfinity(out, ca === Class.infinity ? a.sign : signB);
    return;
  }
  if (ca === Class.denormal || cb === Class.denormal) {
    env.flags |= Fx.denormal;
    if (env.faulted) return;
  }
  if (ca === Class.zero && cb === Class.zero) {
    setZero(out, a.sign === signB ? a.sign : env.rounding === Rounding.down ? 1 : 0);
    return;
  }
  if (ca === Class.zero || cb === Class.zero) {
    const sign = ca === Class.zero ? signB : a.sign;
    x.copy(ca === Class.zero ? b : a);
    normalize(x);
    roundPack(env, out, sign, x.exponent, x.high, x.low, 0, env.precision);
    return;
  }
  x.copy(a);
  y.copy(b);
  normalize(x);
  normalize(y);
  y.sign = signB;
  let big = x;
  let small = y;
  if (y.exponent > x.exponent || (y.exponent === x.exponent && (y.high > x.high || (y.high === x.high && y.low > x.low)))) {
    big = y;
    small = x;
  }
  // The smaller operand moves right; what leaves the 32 bits of extension is kept as a sticky bit.
  wide.set(small.high, small.low, 0).shiftRight(big.exponent - small.exponent);
  const sh = wide.high;
  const sl = wide.low;
  const se = wide.extension;
  let exponent = big.exponent;
  if (big.sign === small.sign) {
    const low = big.low + sl;
    const high = big.high + sh + (low > 0xffff_ffff ? 1 : 0);
    if (high > 0xffff_ffff) {
      const l = low >>> 0;
      const h = high >>> 0;
      const e = ((se >>> 1) | (l << 31) | (se & 1)) >>> 0;
      roundPack(env, out, big.sign, exponent + 1, ((h >>> 1) | 0x8000_0000) >>> 0, ((l >>> 1) | (h << 31)) >>> 0, e, env.precision);
    } else {
      roundPack(env, out, big.sign, exponent, high, low >>> 0, se, env.precision);
    }
    return;
  }
  let de = -se;
  let dl = big.low - sl - (de < 0 ? 1 : 0);
  let dh = big.high - sh - (dl < 0 ? 1 : 0);
  de >>>= 0;
  dl >>>= 0;
  dh >>>= 0;
  if ((dh | dl | de) === 0) {
    setZero(out, env.rounding === Rounding.down ? 1 : 0);
    return;
  }
  while (dh === 0) {
    dh = dl;
    dl = de;
    de = 0;
    exponent -= 32;
  }
  const lead = Math.clz32(dh);
  if (lead !== 0) {
    dh = ((dh << lead) | (dl >>> (32 - lead))) >>> 0;
    dl = ((dl << lead) | (de >>> (32 - lead))) >>> 0;
    de = (de << lead) >>> 0;
    exponent -= lead;
  }
  roundPack(env, out, big.sign, exponent, dh, dl, de, env.precision);
}

// The 128-bit product of the last `multiply64`, most significant first.
const product = new Uint32Array(4);

/** Writes (ah:al) * (bh:bl) to `product`, by 16-bit pieces so that every step stays exact. */
function multiply64(ah: number, al: number, bh: number, bl: number): void {
  const a0 = al & 0xffff;
  const a1 = al >>> 16;
  const a2 = ah & 0xffff;
  const a3 = ah >>> 16;
  // Rows of 16 x 32 bits are at most 2^48, so their sums stay below 2^53.
  const r0 = a0 * bl;
  const r1 = a1 * bl;
  const r2 = a2 * bl + a0 * bh;
  const r3 = a3 * bl + a1 * bh;
  const r4 = a2 * bh;
  const r5 = a3 * bh;
  const d0 = r0 + (r1 & 0xffff) * 65536;
  const d1 = Math.floor(r1 * two16Inverse) + (r2 >>> 0) + (r3 & 0xffff) * 65536 + Math.floor(d0 * two32Inverse);
  const d2 =
    Math.floor(r2 * two32Inverse) + Math.floor(r3 * two16Inverse) + (r4 >>> 0) + (r5 & 0xffff) * 65536 + Math.floor(d1 * two32Inverse);
  const d3 = Math.floor(r4 * two32Inverse) + Math.floor(r5 * two16Inverse) + Math.floor(d2 * two32Inverse);
  product[3] = d0;
  product[2] = d1;
  product[1] = d2;
  product[0] = d3;
}

/** a * b; `out` may be either operand. */
export function multiply(env: Environment, out: Float80, a: Float80, b: Float80): void {
  const ca = classify(a);
  const cb = classify(b);
  if (special(env, out, a, b, ca, cb)) return;
  const sign = a.sign ^ b.sign;
  if (ca === Class.infinity || cb === Class.infinity) {
    if (ca === Class.zero || cb === Class.zero) {
      invalid(env, out);
      return;
    }
    if (ca === Class.denormal || cb === Class.denormal) env.flags |= Fx.denormal;
    setInfinity(out, sign);
    return;
  }
  if (ca === Class.denormal || cb === Class.denormal) {
    env.flags |= Fx.denormal;
    if (env.faulted) return;
  }
  if (ca === Class.zero || cb === Class.zero) {
    setZero(out, sign);
    return;
  }
  x.copy(a);
  y.copy(b);
  normalize(x);
  normalize(y);
  multiply64(x.high, x.low, y.high, y.low);
  let exponent = x.exponent + y.exponent - 0x3ffe;
  let high = product[0]!;
  let low = product[1]!;
  let extension = product[2]!;
  const rest = product[3]! !== 0 ? 1 : 0;
  if (high >>> 31 === 0) {
    high = ((high << 1) | (low >>> 31)) >>> 0;
    low = ((low << 1) | (extension >>> 31)) >>> 0;
    extension = ((extension << 1) | (product[3]! >>> 31)) >>> 0;
    exponent--;
  }
  roundPack(env, out, sign, exponent, high, low, (extension | rest) >>> 0, env.precision);
}

/** a / b; `out` may be either operand. */
export function divide(env: Environment, out: Float80, a: Float80, b: Float80): void {
  const ca = classify(a);
  const cb = classify(b);
  if (special(env, out, a, b, ca, cb)) return;
  const sign = a.sign ^ b.sign;
  if (ca === Class.infinity) {
    if (cb === Class.infinity) {
      invalid(env, out);
      return;
    }
    if (cb === Class.denormal) env.flags |= Fx.denormal;
    setInfinity(out, sign);
    return;
  }
  if (cb === Class.infinity) {
    if (ca === Class.denormal) env.flags |= Fx.denormal;
    setZero(out, sign);
    return;
  }
  if (cb === Class.zero) {
    if (ca === Class.zero) {
      invalid(env, out);
      return;
    }
    env.flags |= Fx.zeroDivide;
    setInfinity(out, sign);
    return;
  }
  if (ca === Class.denormal || cb === Class.denormal) {
    env.flags |= Fx.denormal;
    if (env.faulted) return;
  }
  if (ca === Class.zero) {
    setZero(out, sign);
    return;
  }
  x.copy(a);
  y.copy(b);
  normalize(x);
  normalize(y);
  let exponent = x.exponent - y.exponent + 0x3fff;
  const dh = y.high;
  const dl = y.low;
  // Bring the quotient into [1, 2): its integer bit is then 1 and the remainder what is left after taking the divisor away once.
  let rh: number;
  let rl: number;
  if (x.high > dh || (x.high === dh && x.low >= dl)) {
    rl = x.low - dl;
    rh = x.high - dh - (rl < 0 ? 1 : 0);
    rl >>>= 0;
  } else {
    exponent--;
    const wide = x.low * 2;
    rl = (wide >>> 0) - dl;
    rh = x.high * 2 + (wide > 0xffff_ffff ? 1 : 0) - dh - (rl < 0 ? 1 : 0);
    rl >>>= 0;
  }
  const dividend = dh * 4294967296 + dl;
  // Five digits of 16 bits: 80 fraction bits, estimated in doubles and corrected by one where the estimate was off.
  const digits = quotientDigits;
  for (let i = 0; i < 5; i++) {
    let q = Math.floor(((rh * 4294967296 + rl) * 65536) / dividend);
    const p0 = q * dl;
    const p1 = q * dh + Math.floor(p0 * two32Inverse);
    let low = ((rl << 16) >>> 0) - (p0 >>> 0);
    let mid = rh * 65536 + (rl >>> 16) - p1 - (low < 0 ? 1 : 0);
    low >>>= 0;
    while (mid < 0) {
      q--;
      low += dl;
      mid += dh + (low > 0xffff_ffff ? 1 : 0);
      low >>>= 0;
    }
    while (mid > dh || (mid === dh && low >= dl)) {
      q++;
      low -= dl;
      mid -= dh + (low < 0 ? 1 : 0);
      low >>>= 0;
    }
    digits[i] = q;
    rh = mid;
    rl = low;
  }
  // The fraction's 80 bits under the integer bit: 63 to the significand, 17 to the extension.
  const f0 = digits[0]! * 65536 + digits[1]!;
  const f1 = digits[2]! * 65536 + digits[3]!;
  const high = (0x8000_0000 | (f0 >>> 1)) >>> 0;
  const low = ((f0 << 31) | (f1 >>> 1)) >>> 0;
  const extension = ((f1 << 31) | (digits[4]! << 15) | ((rh | rl) !== 0 ? 1 : 0)) >>> 0;
  roundPack(env, out, sign, exponent, high, low, extension, env.precision);
}

const quotientDigits = new Float64Array(5);

/** Integer square root of `n` by Newton's method from a double estimate. */
export function integerSqrt(n: bigint): bigint {
  if (n < 2n) return n;
  const bits = n.toString(16).length * 4;
  let root = 1n << BigInt((bits >> 1) + 1);
  for (;;) {
    const next = (root + n / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

/** Square root; `out` may be the operand. */
export function squareRoot(env: Environment, out: Float80, a: Float80): void {
  const ca = classify(a);
  if (ca === Class.unsupported) {
    invalid(env, out);
    return;
  }
  if (ca >= Class.quiet) {
    propagateNaN(env, out, a, a);
    return;
  }
  if (ca === Class.zero) {
    out.copy(a);
    return;
  }
  if (a.sign !== 0) {
    invalid(env, out);
    return;
  }
  if (ca === Class.infinity) {
    out.copy(a);
    return;
  }
  if (ca === Class.denormal) {
    env.flags |= Fx.denormal;
    if (env.faulted) return;
  }
  x.copy(a);
  normalize(x);
  // value = m * 2^(e - 63) with even e makes root = sqrt(m * 2^k) scaled; 96 result bits leave 32 for rounding.
  const e = x.exponent - 0x3fff;
  const odd = e & 1;
  const m = ((BigInt(x.high) << 32n) | BigInt(x.low)) << BigInt(127 + odd);
  let root = integerSqrt(m);
  const exact = root * root === m;
  // m has 191 or 192 bits, so the root has 96.
  root &= (1n << 96n) - 1n;
  const extension = Number(root & 0xffff_ffffn) | (exact ? 0 : 1);
  const exponent = (e - odd) / 2 + 0x3fff;
  roundPack(env, out, 0, exponent, Number(root >> 64n), Number((root >> 32n) & 0xffff_ffffn), extension >>> 0, env.precision);
}

/** Outcomes of `compare`. */
export const Order = { less: -1, equal: 0, greater: 1, unordered: 2 } as const;

/** Compares; `quiet` instructions (FUCOM family) raise #I only for signaling NaNs and unsupported forms. */
export function compare(env: Environment, a: Float80, b: Float80, quiet: boolean): number {
  const ca = classify(a);
  const cb = classify(b);
  if (ca === Class.unsupported || cb === Class.unsupported) {
    env.flags |= Fx.invalid;
    return Order.unordered;
  }
  if (ca >= Class.quiet || cb >= Class.quiet) {
    if (!quiet || ca === Class.signaling || cb === Class.signaling) env.flags |= Fx.invalid;
    return Order.unordered;
  }
  if (ca === Class.denormal || cb === Class.denormal) env.flags |= Fx.denormal;
  if (ca === Class.zero && cb === Class.zero) return Order.equal;
  if (ca === Class.zero) return b.sign !== 0 ? Order.greater : Order.less;
  if (cb === Class.zero || a.sign !== b.sign) return a.sign !== 0 ? Order.less : Order.greater;
  // A pseudo-denormal has the value that exponent 1 would give it.
  const ea = a.exponent === 0 ? 1 : a.exponent;
  const eb = b.exponent === 0 ? 1 : b.exponent;
  let magnitude = 0;
  if (ea !== eb) magnitude = ea < eb ? -1 : 1;
  else if (a.high !== b.high) magnitude = a.high < b.high ? -1 : 1;
  else if (a.low !== b.low) magnitude = a.low < b.low ? -1 : 1;
  if (magnitude === 0) return Order.equal;
  return a.sign !== 0 ? -magnitude : magnitude;
}
