/** Floating-point arithmetic in regions: the guards of isa/sse-guard with what is known at compile time left out. */

import { type Gen } from '../isa/gen';
import { type Arithmetic, carefully, exactly } from '../isa/sse-float';
import { floatOp, Guard, type LaneKind, pushConstant } from '../isa/sse-guard';

/**
 * What a region takes for granted of MXCSR: rounding to nearest, PM set, and PE set ('sticky': inexact results change nothing) or clear ('clear': only
 * exact results may stay). A region is entered only where that holds.
 */
export type Precision = 'sticky' | 'clear';

/** Bits of MXCSR: RC, PM, PE. */
export const precisionMask = 0x7020;
export const precisionBits: Readonly<Record<Precision, number>> = { sticky: 0x1020, clear: 0x1000 };

export function precisionOf(mxcsr: number): Precision | undefined {
  const bits = mxcsr & precisionMask;
  return bits === precisionBits.sticky ? 'sticky' : bits === precisionBits.clear ? 'clear' : undefined;
}

/** What these guards need of a region. */
type Emits = Pick<Gen, 'c' | 'temp' | 'bail'>;

/** Pushes i32: the scalar in a local is a normal number above the smallest binade, or at least (`least` 1) a normal one. */
function inRange(g: Emits, kind: LaneKind, local: number, least: 1 | 2): void {
  const { c } = g;
  c.get(local);
  if (kind.type === 'f64') {
    c.op('i64.reinterpret_f64').i64(1).op('i64.shl').i64(53).op('i64.shr_u', 'i32.wrap_i64');
    c.i32(least)
      .op('i32.sub')
      .i32(0x7ff - least);
  } else {
    c.op('i32.reinterpret_f32').i32(1).op('i32.shl').i32(24).op('i32.shr_u');
    c.i32(least)
      .op('i32.sub')
      .i32(0xff - least);
  }
  c.op('i32.lt_u');
}

const leastNormal = { 4: 2 ** -126, 8: 2 ** -1022 } as const;
const greatest = { 4: (2 - 2 ** -23) * 2 ** 127, 8: Number.MAX_VALUE } as const;

/** Pushes i32: all lanes of the result are normal, above the least one, and those of the operands at least clean. */
function packedInRange(g: Emits, kind: LaneKind, operands: readonly number[], r: number): void {
  const { c } = g;
  const double = kind.element === 8;
  const magnitude = g.temp('v128');
  c.get(r)
    .op(double ? 'f64x2.abs' : 'f32x4.abs')
    .set(magnitude);
  pushConstant(g, kind, leastNormal[kind.element]);
  c.get(magnitude);
  for (const operand of operands) {
    c.get(operand)
      .op(double ? 'f64x2.abs' : 'f32x4.abs')
      .op(double ? 'f64x2.pmin' : 'f32x4.pmin');
  }
  c.op(floatOp(kind, 'lt'));
  c.get(magnitude);
  pushConstant(g, kind, greatest[kind.element]);
  c.op(floatOp(kind, 'le'), 'v128.and');
  if (double) c.op('i64x2.bitmask').i32(3).op('i32.eq');
  else c.op('i32x4.bitmask').i32(15).op('i32.eq');
}

/**
 * r = a op b for locals. `unknown`: those of them that may be denormal, infinite or NaN; the others are clean: zero or normal.
 * The first condition nearly always holds; the second one allows zeros.
 */
export function guardedFloat(
  g: Emits,
  precision: Precision,
  kind: LaneKind,
  op: Arithmetic,
  a: number,
  b: number,
  unknown: readonly number[],
): number {
  const { c } = g;
  const guard = new Guard(g, kind);
  const r = g.temp(kind.type);
  c.get(a).get(b).op(floatOp(kind, op)).set(r);
  const done = c.block();
  const slow = c.block();
  if (kind.type === 'v128') {
    packedInRange(g, kind, unknown, r);
    c.op('i32.eqz').brIf(slow);
  } else {
    inRange(g, kind, r, 2);
    c.op('i32.eqz').brIf(slow);
    for (const local of unknown) {
      inRange(g, kind, local, 1);
      c.op('i32.eqz').brIf(slow);
    }
  }
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
  g.bail();
  c.end();
  return r;
}
