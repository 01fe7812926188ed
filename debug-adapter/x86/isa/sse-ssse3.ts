/** SSSE3: byte shuffles, horizontal sums, signs, absolute values and alignment, in MMX and XMM registers. */

import { type Definition, type Emitter } from './definition';
import { immediateByte } from './sse-shuffle';
import {
  choose,
  mmx,
  mmxBinary,
  mmxPack,
  mmxUnary,
  np,
  p66,
  plain,
  sse,
  takeTwo,
  xmmBinary,
  xmmUnary,
  zero,
  type LaneOp,
} from './sse-lanes';

const splat = (byte: bigint): readonly [bigint, bigint] => [byte * 0x0101_0101_0101_0101n, byte * 0x0101_0101_0101_0101n];

/** Bit 7 of an index gives zero; WebAssembly gives it for every index above 15. */
const shuffleBytes =
  (indexMask: bigint): LaneOp =>
  (c) =>
    void c.v128(splat(indexMask)).op('v128.and', 'i8x16.swizzle');

/** Even elements of both operands with their odd neighbours. */
function neighbours(
  size: 2 | 4,
  op: 'i16x8.add' | 'i16x8.sub' | 'i32x4.add' | 'i32x4.sub' | 'i16x8.add_sat_s' | 'i16x8.sub_sat_s',
): LaneOp {
  const count = 16 / size;
  const even = choose(
    size,
    Array.from({ length: count }, (_, i) => 2 * i),
  );
  const odd = choose(
    size,
    Array.from({ length: count }, (_, i) => 2 * i + 1),
  );
  return (c, g) => {
    const [a, b] = takeTwo(g);
    c.get(a).get(b).shuffle(even).get(a).get(b).shuffle(odd).op(op);
  };
}

/** Unsigned bytes of the first operand times signed bytes of the second, neighbours added with saturation. */
const multiplyAddBytes: LaneOp = (c, g) => {
  const [a, b] = takeTwo(g);
  c.get(a).v128([0x00ff_00ff_00ff_00ffn, 0x00ff_00ff_00ff_00ffn]).op('v128.and');
  c.get(b).i32(8).op('i16x8.shl').i32(8).op('i16x8.shr_s', 'i16x8.mul');
  c.get(a).i32(8).op('i16x8.shr_u').get(b).i32(8).op('i16x8.shr_s', 'i16x8.mul', 'i16x8.add_sat_s');
};

/** Negated, zeroed or kept by the sign of the second operand. */
const sign =
  (prefix: 'i8x16' | 'i16x8' | 'i32x4'): LaneOp =>
  (c, g) => {
    const [a, b] = takeTwo(g);
    const negative = g.temp('v128');
    c.get(b).v128(zero).op(`${prefix}.lt_s`).set(negative);
    c.get(a).get(negative).op('v128.xor').get(negative).op(`${prefix}.sub`);
    c.get(b).v128(zero).op(`${prefix}.ne`, 'v128.and');
  };

/** Rounded high halves; -1 times -1 wraps to -1 where WebAssembly saturates. */
const multiplyRound: LaneOp = (c, g) => {
  const [a, b] = takeTwo(g);
  const least: readonly [bigint, bigint] = [0x8000_8000_8000_8000n, 0x8000_8000_8000_8000n];
  c.get(a).get(b).op('i16x8.q15mulr_sat_s');
  c.get(a).v128(least).op('i16x8.eq').get(b).v128(least).op('i16x8.eq', 'v128.and', 'v128.xor');
};

/** Byte numbers of destination:source shifted right, the source at 0..width-1; what lies beyond both reads as zero. */
function alignXmm(): Emitter {
  return (g) => {
    const count = immediateByte(g, 2);
    const source = g.temp('v128');
    g.vrd(1);
    g.c.set(source);
    g.vwr(0, () => {
      if (count <= 16) {
        g.c.get(source);
        g.vrd(0);
        g.c.shuffle(Array.from({ length: 16 }, (_, i) => count + i));
      } else {
        g.vrd(0);
        g.c.v128(zero).shuffle(Array.from({ length: 16 }, (_, i) => Math.min(31, count - 16 + i)));
      }
    });
  };
}

const alignMmx: Emitter = (g) => {
  const count = immediateByte(g, 2);
  const source = g.temp('i64');
  g.mrd(1);
  g.c.set(source);
  g.mwr(0, () => {
    g.c.get(source).op('i64x2.splat');
    g.mrd(0);
    g.c.lane('i64x2.replace_lane', 1).v128(zero);
    g.c.shuffle(Array.from({ length: 16 }, (_, i) => Math.min(31, count + i))).lane('i64x2.extract_lane', 0);
  });
};

/** Opcode in map 0F38, mnemonic, XMM operation, how the MMX form is made. */
const rows: readonly (readonly [number, string, LaneOp, 'lanes' | 'pair'])[] = [
  [0x01, 'PHADDW', neighbours(2, 'i16x8.add'), 'pair'],
  [0x02, 'PHADDD', neighbours(4, 'i32x4.add'), 'pair'],
  [0x03, 'PHADDSW', neighbours(2, 'i16x8.add_sat_s'), 'pair'],
  [0x04, 'PMADDUBSW', multiplyAddBytes, 'lanes'],
  [0x05, 'PHSUBW', neighbours(2, 'i16x8.sub'), 'pair'],
  [0x06, 'PHSUBD', neighbours(4, 'i32x4.sub'), 'pair'],
  [0x07, 'PHSUBSW', neighbours(2, 'i16x8.sub_sat_s'), 'pair'],
  [0x08, 'PSIGNB', sign('i8x16'), 'lanes'],
  [0x09, 'PSIGNW', sign('i16x8'), 'lanes'],
  [0x0a, 'PSIGND', sign('i32x4'), 'lanes'],
  [0x0b, 'PMULHRSW', multiplyRound, 'lanes'],
];

const absolute = [
  [0x1c, 'PABSB', plain('i8x16.abs')],
  [0x1d, 'PABSW', plain('i16x8.abs')],
  [0x1e, 'PABSD', plain('i32x4.abs')],
] as const;

export const ssse3: readonly Definition[] = [
  mmx('ssse3', 'PSHUFB', np(2, 0x00, ['Pq', 'Qq']), mmxBinary(shuffleBytes(0x87n))),
  sse('ssse3', 'PSHUFB', p66(2, 0x00, ['Vdq', 'Wdq']), xmmBinary(shuffleBytes(0x8fn))),
  ...rows.flatMap(([opcode, mnemonic, op, way]) => [
    mmx('ssse3', mnemonic, np(2, opcode, ['Pq', 'Qq']), way === 'pair' ? mmxPack(op) : mmxBinary(op)),
    sse('ssse3', mnemonic, p66(2, opcode, ['Vdq', 'Wdq']), xmmBinary(op)),
  ]),
  ...absolute.flatMap(([opcode, mnemonic, op]) => [
    mmx('ssse3', mnemonic, np(2, opcode, ['Pq', 'Qq']), mmxUnary(op)),
    sse('ssse3', mnemonic, p66(2, opcode, ['Vdq', 'Wdq']), xmmUnary(op)),
  ]),
  mmx('ssse3', 'PALIGNR', np(3, 0x0f, ['Pq', 'Qq', 'Ib']), alignMmx, { staticImmediate: true }),
  sse('ssse3', 'PALIGNR', p66(3, 0x0f, ['Vdq', 'Wdq', 'Ib']), alignXmm(), { staticImmediate: true }),
];
