/**
 * Floating-point arithmetic in regions. WebAssembly's results are the processor's as long as no operand is a denormal, an infinity or a NaN and no result
 * overflows or becomes tiny. Numbers of ordinary size are told by one look where they come from; what can become of them follows from there, so that
 * most operations need no look at all.
 */

import { type Gen } from '../isa/gen';
import { type Arithmetic, carefully, exactly } from '../isa/sse-float';
import { floatOp, Guard, type LaneKind, pushConstant } from '../isa/sse-guard';

/**
 * What a region takes for granted of MXCSR: rounding to nearest, all exceptions masked, and PE set ('sticky': inexact results change nothing) or clear
 * ('clear': only exact results may stay). A region is entered only where that holds.
 */
export type Precision = 'sticky' | 'clear';

/** Bits of MXCSR: RC, the six masks, PE. */
export const precisionMask = 0x7fa0;
export const precisionBits: Readonly<Record<Precision, number>> = { sticky: 0x1fa0, clear: 0x1f80 };

export function precisionOf(mxcsr: number): Precision | undefined {
  const bits = mxcsr & precisionMask;
  return bits === precisionBits.sticky ? 'sticky' : bits === precisionBits.clear ? 'clear' : undefined;
}

/** How a region computes with floating-point numbers. */
export interface FloatUse {
  readonly precision: Precision;
  /** The instruction at this address was seen to compute with numbers out of the ordinary. */
  isUnordinary(key: number): boolean;
}

/** What is known of a number that is not 0: 2^least <= |x| <= 2^most, and x is a multiple of 2^grain. */
export interface Range {
  readonly least: number;
  readonly most: number;
  readonly grain: number;
}

interface Format {
  /** Of normal numbers. */
  readonly all: Range;
  /** Of ordinary ones, which have two bits of their exponent clear once `bias` is subtracted. */
  readonly ordinary: Range;
  readonly bias: bigint;
  readonly exponentTop: bigint;
  readonly sign: bigint;
  /** The half of the significand's bits of which a product of two numbers without them is exact. */
  readonly long: bigint;
  readonly digits: number;
}

const formats: Readonly<Record<4 | 8, Format>> = {
  4: {
    all: { least: -126, most: 127, grain: -149 },
    ordinary: { least: -32, most: 32, grain: -55 },
    bias: BigInt(127 - 32) << 23n,
    exponentTop: 0x6000_0000n,
    sign: 1n << 31n,
    long: 0xfffn,
    digits: 23,
  },
  8: {
    all: { least: -1022, most: 1023, grain: -1074 },
    ordinary: { least: -256, most: 256, grain: -308 },
    bias: BigInt(1023 - 256) << 52n,
    exponentTop: 0x6000_0000_0000_0000n,
    sign: 1n << 63n,
    long: 0x7ff_ffffn,
    digits: 52,
  },
};

/** Two lanes of 64 bits hold a constant in all of theirs when both hold this. */
const inAllLanes = (element: 4 | 8, value: bigint): bigint => (element === 8 ? value : (value << 32n) | value);

/** Constants of vectors, which V8 would make anew from several instructions wherever one stands. */
const pool: readonly bigint[] = ([4, 8] as const).flatMap((element) => {
  const { bias, exponentTop, sign, long } = formats[element];
  return [bias, exponentTop, exponentTop | sign, long, exponentTop | long].map((value) => inAllLanes(element, value));
});

/** Where they lie in memory. */
export const FloatConstants = {
  address: 0x61_8000,
  write(view: DataView): void {
    for (const [i, half] of pool.entries()) {
      view.setBigUint64(this.address + i * 16, half, true);
      view.setBigUint64(this.address + i * 16 + 8, half, true);
    }
  },
} as const;

/** What is known of values that were looked at. */
export const ordinaryOf = (kind: LaneKind): Range => formats[kind.element].ordinary;

/** What holds of numbers of both ranges. */
export const union = (a: Range, b: Range): Range => ({
  least: Math.min(a.least, b.least),
  most: Math.max(a.most, b.most),
  grain: Math.min(a.grain, b.grain),
});

/** What holds of a op b, for b other than 0 in a quotient; undefined where it may overflow or become tiny. */
function rangeOf(op: Arithmetic, a: Range, b: Range, format: Format): Range | undefined {
  let range: Range;
  if (op === 'add' || op === 'sub') {
    // What cancels leaves a multiple of the finer grain.
    const grain = Math.min(a.grain, b.grain);
    range = { least: grain, most: Math.max(a.most, b.most) + 1, grain };
  } else if (op === 'mul') {
    const least = a.least + b.least;
    range = { least, most: a.most + b.most, grain: Math.max(a.grain + b.grain, least - format.digits) };
  } else {
    const least = a.least - b.most;
    range = { least, most: a.most - b.least, grain: least - format.digits };
  }
  return range.least >= format.all.least && range.most <= format.all.most ? range : undefined;
}

/** What these guards need of a region. */
export interface FloatGuards extends Pick<Gen, 'c' | 'temp'> {
  /** Leaves the region: the numbers are out of the ordinary. */
  leaveUnordinary(): void;
}

/** Values of one kind of lane as bits. */
class Lanes {
  readonly format: Format;

  constructor(
    readonly g: FloatGuards,
    readonly kind: LaneKind,
  ) {
    this.format = formats[kind.element];
  }

  /** Pushes a constant of as many bits as a lane has, in all lanes. */
  constant(value: bigint): void {
    const { c } = this.g;
    if (this.kind.type === 'f64') c.i64(BigInt.asIntN(64, value));
    else if (this.kind.type === 'f32') c.i32(Number(BigInt.asIntN(32, value)));
    else c.i32(0).mem('v128.load', FloatConstants.address + pool.indexOf(inAllLanes(this.kind.element, value)) * 16);
  }

  bits(local: number): void {
    const { c } = this.g;
    c.get(local);
    if (this.kind.type === 'f64') c.op('i64.reinterpret_f64');
    else if (this.kind.type === 'f32') c.op('i32.reinterpret_f32');
  }

  op(name: 'sub' | 'and' | 'or'): void {
    const { c } = this.g;
    if (this.kind.type === 'f64') c.op(`i64.${name}`);
    else if (this.kind.type === 'f32') c.op(`i32.${name}`);
    else if (name === 'sub') c.op(this.kind.element === 8 ? 'i64x2.sub' : 'i32x4.sub');
    else c.op(`v128.${name}`);
  }

  /** Pushes bits that are 0 where all of the values are ordinary, and not negative or long where `more` says so by its bits. */
  unordinary(locals: readonly number[], more = 0n): void {
    locals.forEach((local, i) => {
      this.bits(local);
      this.constant(this.format.bias);
      this.op('sub');
      if (i > 0) this.op('or');
    });
    this.constant(this.format.exponentTop | more);
    this.op('and');
  }

  /** Pushes bits that are 0 where the product of two values is exact. */
  long(a: number, b: number): void {
    this.bits(a);
    this.bits(b);
    this.op('or');
    this.constant(this.format.long);
    this.op('and');
  }

  /** From bits to a mask (i32 for scalars): are they 0? */
  none(): void {
    const { c } = this.g;
    if (this.kind.type === 'f64') c.op('i64.eqz');
    else if (this.kind.type === 'f32') c.op('i32.eqz');
    else c.v128([0n, 0n]).op(this.kind.element === 8 ? 'i64x2.eq' : 'i32x4.eq');
  }

  and(): void {
    this.g.c.op(this.kind.type === 'v128' ? 'v128.and' : 'i32.and');
  }

  /** From a mask to i32: does it hold in every lane? */
  everywhere(): void {
    const { c } = this.g;
    if (this.kind.type !== 'v128') return;
    if (this.kind.element === 8) c.op('i64x2.bitmask').i32(3).op('i32.eq');
    else c.op('i32x4.bitmask').i32(15).op('i32.eq');
  }
}

/**
 * Pushes a mask: r = a + b or a - b is exact. The share of the smaller operand in the sum is computed without an error, and so is equal to it just then;
 * which of them is the smaller one is not asked.
 */
function exactSum(g: FloatGuards, kind: LaneKind, op: 'add' | 'sub', a: number, b: number, r: number): void {
  const { c } = g;
  if (op === 'add') c.get(r).get(a).op(floatOp(kind, 'sub')).get(b);
  else c.get(a).get(r).op(floatOp(kind, 'sub')).get(b);
  c.op(floatOp(kind, 'eq'));
  c.get(r)
    .get(b)
    .op(floatOp(kind, op === 'add' ? 'sub' : 'add'))
    .get(a)
    .op(floatOp(kind, 'eq'));
}

/**
 * r = a op b for locals, of which `known` may be known. Answers the local of r and what is known of it from then on.
 * Numbers out of the ordinary leave the region; zeros take a second look.
 */
export function ordinaryFloat(
  g: FloatGuards,
  precision: Precision,
  kind: LaneKind,
  op: Arithmetic,
  operands: readonly [number, number],
  known: readonly [Range | undefined, Range | undefined],
): { readonly r: number; readonly range: Range; readonly checked: readonly [boolean, boolean] } {
  const { c } = g;
  const lanes = new Lanes(g, kind);
  const { format } = lanes;
  const [a, b] = operands;
  const checked: [boolean, boolean] = [known[0] === undefined, known[1] === undefined || op === 'div'];
  const range = (): Range | undefined =>
    rangeOf(op, checked[0] ? format.ordinary : known[0]!, checked[1] ? format.ordinary : known[1]!, format);
  if (range() === undefined) checked[known[0] !== undefined && !checked[0] ? 0 : 1] = true;
  if (range() === undefined) checked[0] = checked[1] = true;
  const values = operands.filter((_, i) => checked[i]);
  const r = g.temp(kind.type);
  c.get(a).get(b).op(floatOp(kind, op)).set(r);
  const result = { r, range: range()!, checked };
  if (values.length === 0 && precision === 'sticky') return result;

  const done = c.block();
  const exact = precision === 'clear';
  /** A mask: r is exact. */
  const pushExact = (): void => {
    if (op === 'add' || op === 'sub') {
      exactSum(g, kind, op, a, b, r);
      lanes.and();
      return;
    }
    lanes.long(op === 'div' ? r : a, b);
    lanes.none();
    if (op === 'mul') return;
    c.get(r).get(b).op(floatOp(kind, 'mul')).get(a).op(floatOp(kind, 'eq'));
    lanes.and();
  };
  // First all at once, in as few steps as there are.
  if (exact && op === 'mul' && values.length === 2) {
    // What is subtracted leaves the significand as it is.
    lanes.unordinary(values, format.long);
    lanes.none();
  } else {
    if (values.length > 0) lanes.unordinary(values);
    if (!exact) lanes.none();
    else if (op === 'mul') {
      lanes.long(a, b);
      if (values.length > 0) lanes.op('or');
      lanes.none();
    } else {
      if (values.length > 0) lanes.none();
      pushExact();
      if (values.length > 0) lanes.and();
    }
  }
  lanes.everywhere();
  c.brIf(done);
  // Then zeros are let through: they make exact results, if they do not divide. One number by itself is known not to be ordinary here; to ask
  // for that again would have V8 keep the answer of the first time, which costs more than the look itself.
  const isAlone = kind.type !== 'v128' && values.length === 1 && !exact;
  if (values.length > 0 && !(isAlone && op === 'div' && checked[1])) {
    operands.forEach((value, i) => {
      if (!checked[i]) return;
      if (!isAlone) {
        lanes.unordinary([value]);
        lanes.none();
      }
      if (i === 0 || op !== 'div') {
        c.get(value);
        pushConstant(g, kind, 0);
        c.op(floatOp(kind, 'eq'));
        if (!isAlone) c.op(kind.type === 'v128' ? 'v128.or' : 'i32.or');
      }
      if (i === 1 && checked[0]) lanes.and();
    });
    if (exact) {
      pushExact();
      lanes.and();
    }
    lanes.everywhere();
    c.brIf(done);
  }
  g.leaveUnordinary();
  c.end();
  return result;
}

/** The square root of a local: the operand is looked at in any case, as it must not be negative. */
export function ordinaryRoot(
  g: FloatGuards,
  precision: Precision,
  kind: LaneKind,
  operand: number,
): { readonly r: number; readonly range: Range } {
  const { c } = g;
  const lanes = new Lanes(g, kind);
  const r = g.temp(kind.type);
  c.get(operand).op(floatOp(kind, 'sqrt')).set(r);
  const done = c.block();
  const pushExact = (): void => {
    if (precision === 'sticky') return;
    lanes.long(r, r);
    lanes.none();
    c.get(r).get(r).op(floatOp(kind, 'mul')).get(operand).op(floatOp(kind, 'eq'));
    lanes.and();
    lanes.and();
  };
  lanes.unordinary([operand], lanes.format.sign);
  lanes.none();
  pushExact();
  lanes.everywhere();
  c.brIf(done);
  const isAlone = kind.type !== 'v128' && precision === 'sticky';
  if (!isAlone) {
    lanes.unordinary([operand], lanes.format.sign);
    lanes.none();
  }
  c.get(operand);
  pushConstant(g, kind, 0);
  c.op(floatOp(kind, 'eq'));
  if (!isAlone) c.op(kind.type === 'v128' ? 'v128.or' : 'i32.or');
  pushExact();
  lanes.everywhere();
  c.brIf(done);
  g.leaveUnordinary();
  c.end();
  const { ordinary, digits } = lanes.format;
  const least = ordinary.least / 2;
  return { r, range: { least, most: ordinary.most / 2, grain: least - digits } };
}

/** The same for numbers that were seen to be out of the ordinary: anything but denormals, infinities and NaNs stays here. */
export function unordinaryFloat(
  g: FloatGuards,
  precision: Precision,
  kind: LaneKind,
  op: Arithmetic,
  a: number,
  b: number,
): { readonly r: number; readonly range: Range } {
  const { c } = g;
  const guard = new Guard(g, kind);
  const r = g.temp(kind.type);
  c.get(a).get(b).op(floatOp(kind, op)).set(r);
  const done = c.block();
  const slow = c.block();
  guard.normal(a).normal(b).and().aboveTiny(r).and().finite(r).and().all();
  c.op('i32.eqz').brIf(slow);
  if (precision === 'sticky') c.br(done);
  else {
    exactly(guard, op, a, b, r);
    c.brIf(done);
  }
  c.end();
  carefully(guard, op, a, b, r);
  if (precision === 'clear') {
    exactly(guard, op, a, b, r);
    c.op('i32.and');
  }
  c.brIf(done);
  g.leaveUnordinary();
  c.end();
  return { r, range: { ...formats[kind.element].all, most: formats[kind.element].all.most + 1 } };
}
