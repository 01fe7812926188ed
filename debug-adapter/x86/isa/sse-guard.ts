/**
 * When native WebAssembly arithmetic is exact for SSE: the conditions under which it gives the processor's result *and* leaves MXCSR as the
 * processor would. Everything else goes to the exact helpers.
 *
 * WebAssembly rounds to nearest, keeps denormals and reports nothing. So its result stands where MXCSR asks for that rounding, the only flag that the
 * operation can raise is PE, PE is masked and already set (it is sticky), no operand is a denormal (DE, DAZ) and the result is a
 * normal number or an exact zero (OE, UE, FTZ, NaN selection).
 */

import { State } from '../state';
import { type PlainOp, type ValueType } from '../wasm/opcodes';
import { type Gen } from './gen';

/** Scalar lanes are checked as f32 or f64 values, packed ones as v128 masks: the same conditions in both. */
export interface LaneKind {
  readonly type: ValueType;
  readonly prefix: 'f32' | 'f64' | 'f32x4' | 'f64x2';
  /** Bytes of one element, and of the whole operand. */
  readonly element: 4 | 8;
  readonly size: 4 | 8 | 16;
}

export const ss: LaneKind = { type: 'f32', prefix: 'f32', element: 4, size: 4 };
export const sd: LaneKind = { type: 'f64', prefix: 'f64', element: 8, size: 8 };
export const ps: LaneKind = { type: 'v128', prefix: 'f32x4', element: 4, size: 16 };
export const pd: LaneKind = { type: 'v128', prefix: 'f64x2', element: 8, size: 16 };

const leastNormal = { 4: 2 ** -126, 8: 2 ** -1022 } as const;
const greatest = { 4: (2 - 2 ** -23) * 2 ** 127, 8: Number.MAX_VALUE } as const;

type FloatOp =
  'abs' | 'add' | 'sub' | 'mul' | 'div' | 'sqrt' | 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge' | 'ceil' | 'floor' | 'trunc' | 'nearest';

/** The wasm instruction of this kind of lane. */
export function floatOp(kind: LaneKind, op: FloatOp): PlainOp {
  return `${kind.prefix}.${op}`;
}

/** Pushes a constant in every lane. */
export function pushConstant(g: Pick<Gen, 'c'>, kind: LaneKind, value: number): void {
  if (kind.type === 'f32') g.c.f32(value);
  else if (kind.type === 'f64') g.c.f64(value);
  else g.c.v128(new Uint8Array((kind.element === 4 ? new Float32Array(4).fill(value) : new Float64Array(2).fill(value)).buffer));
}

/** Conditions on one local, as masks on the stack. */
export class Guard {
  constructor(
    readonly g: Pick<Gen, 'c' | 'temp'>,
    readonly kind: LaneKind,
  ) {}

  #compare(local: number, op: FloatOp, limit: number, magnitude: boolean): this {
    this.g.c.get(local);
    if (magnitude) this.g.c.op(floatOp(this.kind, 'abs'));
    pushConstant(this.g, this.kind, limit);
    this.g.c.op(floatOp(this.kind, op));
    return this;
  }

  /** Normal or infinite. */
  normal(local: number): this {
    return this.#compare(local, 'ge', leastNormal[this.kind.element], true);
  }

  /** Above the least normal number: a result that is equal to it may have been tiny before it was rounded. */
  aboveTiny(local: number): this {
    return this.#compare(local, 'gt', leastNormal[this.kind.element], true);
  }

  finite(local: number): this {
    return this.#compare(local, 'le', greatest[this.kind.element], true);
  }

  zero(local: number): this {
    return this.#compare(local, 'eq', 0, false);
  }

  /** Magnitude below a limit. */
  below(local: number, limit: number): this {
    return this.#compare(local, 'lt', limit, true);
  }

  same(a: number, b: number): this {
    this.g.c.get(a).get(b).op(floatOp(this.kind, 'eq'));
    return this;
  }

  /**
   * Both have at most half of the significand's digits, so that their product is exact: small integers and the like. What is longer may be exact too.
   */
  short(a: number, b: number): this {
    const { c } = this.g;
    const double = this.kind.element === 8;
    const mask = double ? 0x7ff_ffffn : 0xfffn;
    if (this.kind.type === 'v128') {
      const both = double ? mask : (mask << 32n) | mask;
      c.get(a)
        .get(b)
        .op('v128.or')
        .v128([both, both])
        .op('v128.and')
        .v128([0n, 0n])
        .op(double ? 'i64x2.eq' : 'i32x4.eq');
    } else if (double) {
      c.get(a).op('i64.reinterpret_f64').get(b).op('i64.reinterpret_f64', 'i64.or').i64(mask).op('i64.and', 'i64.eqz');
    } else {
      c.get(a).op('i32.reinterpret_f32').get(b).op('i32.reinterpret_f32', 'i32.or').i32(Number(mask)).op('i32.and', 'i32.eqz');
    }
    return this;
  }

  /** a + b (a - b where `subtract`) is exactly r: the error of the rounded sum is itself a number that can be computed, and is 0. */
  exactSum(a: number, b: number, r: number, subtract: boolean): this {
    const { c } = this.g;
    const part = this.g.temp(this.kind.type);
    const [add, sub] = [floatOp(this.kind, 'add'), floatOp(this.kind, 'sub')];
    // part = r - a, the share of b in r; the error is (a - (r - part)) + (b - part), with -b for b in a difference.
    c.get(r).get(a).op(sub).set(part);
    c.get(a).get(r).get(part).op(sub, sub);
    if (subtract) c.get(b).get(part).op(add, sub);
    else c.get(b).get(part).op(sub, add);
    pushConstant(this.g, this.kind, 0);
    c.op(floatOp(this.kind, 'eq'));
    return this;
  }

  /** Neither denormal nor NaN. */
  clean(local: number): this {
    return this.normal(local).zero(local).or();
  }

  and(): this {
    this.g.c.op(this.kind.type === 'v128' ? 'v128.and' : 'i32.and');
    return this;
  }

  or(): this {
    this.g.c.op(this.kind.type === 'v128' ? 'v128.or' : 'i32.or');
    return this;
  }

  /** i32: the mask on the stack holds in every lane. */
  all(): void {
    if (this.kind.type === 'v128') this.g.c.op(this.kind.element === 4 ? 'i32x4.all_true' : 'i64x2.all_true');
  }
}

/** Bits of MXCSR that decide about native arithmetic: RC, PM, PE. */
const roundingField = 0x6000;
const precisionMasked = 0x1000;
const precisionSet = 0x20;

/** i32: rounding to nearest, and an inexact result changes nothing. */
export function inexactIsSilent(g: Gen): void {
  g.loadState('i32.load', State.mxcsr);
  g.c
    .i32(roundingField | precisionMasked | precisionSet)
    .op('i32.and')
    .i32(precisionMasked | precisionSet)
    .op('i32.eq');
}

/** i32: an inexact result changes nothing, whatever the rounding (truncations). */
export function truncationIsSilent(g: Gen): void {
  g.loadState('i32.load', State.mxcsr);
  g.c
    .i32(precisionMasked | precisionSet)
    .op('i32.and')
    .i32(precisionMasked | precisionSet)
    .op('i32.eq');
}

/** i32: rounding to nearest. */
export function roundsToNearest(g: Gen): void {
  g.loadState('i32.load', State.mxcsr);
  g.c.i32(roundingField).op('i32.and', 'i32.eqz');
}

/** Goes to the exact helper unless the i32 that `condition` pushes is not 0. */
export function unless(g: Pick<Gen, 'c' | 'bail'>, condition: () => void): void {
  condition();
  g.c.op('i32.eqz');
  g.c.if();
  g.bail();
  g.c.end();
}
