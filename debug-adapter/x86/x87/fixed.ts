/** Fixed-point functions on bigints, with as many fraction bits as asked for: what the transcendental instructions round from. */

/** Bits of `v` > 0 up to its highest set one. */
export function bitLength(v: bigint): number {
  const hex = v.toString(16);
  return hex.length * 4 - Math.clz32(parseInt(hex[0]!, 16)) + 28;
}

/** arctan(1/n) with `bits` fraction bits, truncated. */
function arcTangentInverse(n: bigint, bits: number): bigint {
  const n2 = n * n;
  let power = (1n << BigInt(bits)) / n;
  let sum = power;
  for (let k = 3n, negative = true; power !== 0n; k += 2n, negative = !negative) {
    power /= n2;
    const term = power / k;
    sum += negative ? -term : term;
  }
  return sum;
}

/** Bits beyond those asked for, which take up the truncations of every step. */
const guard = 32;

let piCache = { bits: 0, value: 0n };
let ln2Cache = { bits: 0, value: 0n };

/** Pi with `bits` fraction bits (Machin's formula). */
export function pi(bits: number): bigint {
  if (piCache.bits < bits) {
    const b = bits + guard;
    piCache = { bits: b, value: 16n * arcTangentInverse(5n, b) - 4n * arcTangentInverse(239n, b) };
  }
  return piCache.value >> BigInt(piCache.bits - bits);
}

/** The natural logarithm of 2 with `bits` fraction bits: 2 artanh(1/3). */
export function ln2(bits: number): bigint {
  if (ln2Cache.bits < bits) {
    const b = bits + guard;
    let power = (1n << BigInt(b)) / 3n;
    let sum = power;
    for (let k = 3n; power !== 0n; k += 2n) {
      power /= 9n;
      sum += power / k;
    }
    ln2Cache = { bits: b, value: 2n * sum };
  }
  return ln2Cache.value >> BigInt(ln2Cache.bits - bits);
}

/** e^y - 1 for |y| < 1. */
export function exponentialMinus1(y: bigint, bits: number): bigint {
  const b = BigInt(bits);
  let term = y;
  let sum = y;
  for (let n = 2n; term !== 0n && term !== -1n; n++) {
    term = ((term * y) >> b) / n;
    sum += term;
  }
  return sum;
}

/** 2 artanh(s) = ln((1 + s) / (1 - s)) for |s| < 0.5. */
export function doubleAreaTangent(s: bigint, bits: number): bigint {
  const b = BigInt(bits);
  const s2 = (s * s) >> b;
  let power = s;
  let sum = s;
  for (let k = 3n; power !== 0n && power !== -1n; k += 2n) {
    power = (power * s2) >> b;
    sum += power / k;
  }
  return 2n * sum;
}

/** Sine and cosine of 0 <= x <= pi/4 together. */
export function sineCosine(x: bigint, bits: number): { sine: bigint; cosine: bigint } {
  const b = BigInt(bits);
  const x2 = (x * x) >> b;
  let term = x;
  let sine = x;
  for (let n = 2n, negative = true; term !== 0n; n += 2n, negative = !negative) {
    term = ((term * x2) >> b) / (n * (n + 1n));
    sine += negative ? -term : term;
  }
  term = 1n << b;
  let cosine = term;
  for (let n = 1n, negative = true; term !== 0n; n += 2n, negative = !negative) {
    term = ((term * x2) >> b) / (n * (n + 1n));
    cosine += negative ? -term : term;
  }
  return { sine, cosine };
}

function squareRoot(v: bigint): bigint {
  if (v < 2n) return v;
  let root = 1n << BigInt((bitLength(v) >> 1) + 1);
  for (;;) {
    const next = (root + v / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

/** arctan(t) for 0 <= t <= 1: the argument is brought below 1/5 by halving the angle twice. */
export function arcTangent(t: bigint, bits: number): bigint {
  const b = BigInt(bits);
  const one = 1n << b;
  let doublings = 0n;
  while (t > one / 5n) {
    t = (t << b) / (one + squareRoot((one << b) + t * t));
    doublings++;
  }
  const t2 = (t * t) >> b;
  let power = t;
  let sum = t;
  for (let k = 3n, negative = true; power !== 0n; k += 2n, negative = !negative) {
    power = (power * t2) >> b;
    const term = power / k;
    sum += negative ? -term : term;
  }
  return sum << doublings;
}
