/** What the SIMD families share: the shapes of vector instructions, and operations on v128 that WebAssembly lacks. */

import { type Code } from '../wasm/code';
import { enc, type Definition, type Emitter, type Encoding, type Feature, type OperandSpec } from './definition';
import { type Gen } from './gen';

/** Takes its v128 operands from the wasm stack (first one deepest) and leaves a v128. */
export type LaneOp = (c: Code, g: Gen) => void;

/** destination = op(destination, source), both 16 bytes. */
export function xmmBinary(op: LaneOp): Emitter {
  return (g) => {
    const source = g.temp('v128');
    g.vrd(1);
    g.c.set(source);
    g.vwr(0, () => {
      g.vrd(0);
      g.c.get(source);
      op(g.c, g);
    });
  };
}

/** destination = op(source), both 16 bytes. */
export function xmmUnary(op: LaneOp): Emitter {
  return (g) => {
    const source = g.temp('v128');
    g.vrd(1);
    g.c.set(source);
    g.vwr(0, () => {
      g.c.get(source);
      op(g.c, g);
    });
  };
}

/** Pushes the MMX source: a register, or memory of the size that the instruction reads. */
function readMmxSource(g: Gen): void {
  if (g.operands[1]!.kind === 'mem') g.rd(1);
  else g.mrd(1);
}

/** The same operation on MMX registers: both operands stand in the low half of a v128, and `lane` of the result is taken. */
export function mmxBinary(op: LaneOp, lane = 0): Emitter {
  return (g) => {
    const source = g.temp('i64');
    readMmxSource(g);
    g.c.set(source);
    g.mwr(0, () => {
      g.mrd(0);
      g.c.op('i64x2.splat').get(source).op('i64x2.splat');
      op(g.c, g);
      g.c.lane('i64x2.extract_lane', lane);
    });
  };
}

export function mmxUnary(op: LaneOp): Emitter {
  return (g) => {
    const source = g.temp('i64');
    g.mrd(1);
    g.c.set(source);
    g.mwr(0, () => {
      g.c.get(source).op('i64x2.splat');
      op(g.c, g);
      g.c.lane('i64x2.extract_lane', 0);
    });
  };
}

/** Packs of MMX: both operands side by side in one v128, narrowed. */
export function mmxPack(op: LaneOp): Emitter {
  return (g) => {
    const source = g.temp('i64');
    const pair = g.temp('v128');
    g.mrd(1);
    g.c.set(source);
    g.mwr(0, () => {
      g.mrd(0);
      g.c.op('i64x2.splat').get(source).lane('i64x2.replace_lane', 1).tee(pair).get(pair);
      op(g.c, g);
      g.c.lane('i64x2.extract_lane', 0);
    });
  };
}

/** A `Definition` of an SSE family with one encoding. */
export function sse(
  feature: Feature,
  mnemonic: string,
  encoding: Encoding | readonly Encoding[],
  emit: Emitter | undefined,
  more: Partial<Definition> = {},
): Definition {
  const encodings: readonly Encoding[] = 'opcode' in encoding ? [encoding] : encoding;
  return { mnemonic, encodings, feature, unit: 'sse', ...(emit === undefined ? {} : { emit }), ...more };
}

export function mmx(
  feature: Feature,
  mnemonic: string,
  encoding: Encoding,
  emit: Emitter | undefined,
  more: Partial<Definition> = {},
): Definition {
  return { mnemonic, encodings: [encoding], feature, unit: 'mmx', ...(emit === undefined ? {} : { emit }), ...more };
}

/** NP, 66, F3 and F2 rows. */
export const np = (map: 1 | 2 | 3, opcode: number, operands: readonly OperandSpec[], more: Partial<Encoding> = {}): Encoding =>
  enc(map, opcode, operands, { prefix: 'none', ...more });
export const p66 = (map: 1 | 2 | 3, opcode: number, operands: readonly OperandSpec[], more: Partial<Encoding> = {}): Encoding =>
  enc(map, opcode, operands, { prefix: '66', ...more });
export const pF3 = (map: 1 | 2 | 3, opcode: number, operands: readonly OperandSpec[], more: Partial<Encoding> = {}): Encoding =>
  enc(map, opcode, operands, { prefix: 'F3', ...more });
export const pF2 = (map: 1 | 2 | 3, opcode: number, operands: readonly OperandSpec[], more: Partial<Encoding> = {}): Encoding =>
  enc(map, opcode, operands, { prefix: 'F2', ...more });

/** The plain wasm instruction of a name as an operation. */
export function plain(...names: Parameters<Code['op']>): LaneOp {
  return (c) => void c.op(...names);
}

export const zero: readonly [bigint, bigint] = [0n, 0n];

/** Interleaves elements of `size` bytes from the low or high halves. */
export function interleave(size: 1 | 2 | 4 | 8, high: boolean): LaneOp {
  const lanes: number[] = [];
  for (let element = 0; element < 8 / size; element++) {
    for (const from of [0, 16]) for (let byte = 0; byte < size; byte++) lanes.push(from + (high ? 8 : 0) + element * size + byte);
  }
  return (c) => void c.shuffle(lanes);
}

/** Elements of `size` bytes chosen by number (of the first operand, then of the second). */
export function choose(size: 2 | 4 | 8, elements: readonly number[]): number[] {
  return elements.flatMap((element) => Array.from({ length: size }, (_, byte) => element * size + byte));
}

/** Keeps two v128 operands from the stack in temporaries. */
export function takeTwo(g: Gen): readonly [number, number] {
  const a = g.temp('v128');
  const b = g.temp('v128');
  g.c.set(b).set(a);
  return [a, b];
}

/** The high halves of 16-bit products. */
export function multiplyHigh(signed: boolean): LaneOp {
  const kind = signed ? 's' : 'u';
  return (c, g) => {
    const [a, b] = takeTwo(g);
    c.get(a).get(b).op(`i32x4.extmul_low_i16x8_${kind}`);
    c.get(a).get(b).op(`i32x4.extmul_high_i16x8_${kind}`);
    c.shuffle(choose(2, [1, 3, 5, 7, 9, 11, 13, 15]));
  };
}

/** Unsigned products of the even 32-bit elements. */
export const multiplyEven =
  (signed: boolean): LaneOp =>
  (c, g) => {
    const [a, b] = takeTwo(g);
    const even = choose(4, [0, 2, 0, 2]);
    c.get(a).get(a).shuffle(even).get(b).get(b).shuffle(even);
    c.op(signed ? 'i64x2.extmul_low_i32x4_s' : 'i64x2.extmul_low_i32x4_u');
  };

/** Sums of absolute differences of bytes, for each half. */
export const sumOfDifferences: LaneOp = (c, g) => {
  const [a, b] = takeTwo(g);
  const sums = g.temp('v128');
  c.get(a).get(b).op('i8x16.max_u').get(a).get(b).op('i8x16.min_u', 'i8x16.sub');
  c.op('i16x8.extadd_pairwise_i8x16_u', 'i32x4.extadd_pairwise_i16x8_u').tee(sums);
  c.i32(32).op('i64x2.shr_u').get(sums).op('i32x4.add').v128([0xffff_ffffn, 0xffff_ffffn]).op('v128.and');
};

/** ~first & second. */
export const andNot: LaneOp = (c, g) => {
  const [a, b] = takeTwo(g);
  c.get(b).get(a).op('v128.andnot');
};
