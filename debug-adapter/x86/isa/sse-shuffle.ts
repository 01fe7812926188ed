/** Shuffles by immediate, interleaves of floating-point elements, insertion and extraction of elements, byte masks. */

import { type Definition, type Emitter } from './definition';
import { type Gen } from './gen';
import { choose, interleave, mmx, np, p66, pF2, pF3, sse, xmmBinary, zero } from './sse-lanes';

/** The shape's immediate byte. */
export const immediateByte = (g: Gen, i: number): number => Number((g.immediate(i) ?? 0n) & 0xffn);

/** The four two-bit fields of an order byte. */
const fields = (order: number): readonly number[] => [order & 3, (order >>> 2) & 3, (order >>> 4) & 3, (order >>> 6) & 3];

/** One source, lanes by the order byte of operand 2. */
function shuffleOne(lanesOf: (order: number) => readonly number[]): Emitter {
  return (g) => {
    const source = g.temp('v128');
    const lanes = lanesOf(immediateByte(g, 2));
    g.vrd(1);
    g.c.set(source);
    g.vwr(0, () => {
      g.c.get(source).get(source).shuffle(lanes);
    });
  };
}

function shuffleTwo(lanesOf: (order: number) => readonly number[]): Emitter {
  return (g) => {
    const source = g.temp('v128');
    const lanes = lanesOf(immediateByte(g, 2));
    g.vrd(1);
    g.c.set(source);
    g.vwr(0, () => {
      g.vrd(0);
      g.c.get(source).shuffle(lanes);
    });
  };
}

const shuffleWords = (order: number, base: number): readonly number[] => {
  const chosen = fields(order).map((field) => field + base);
  return choose(2, base === 0 ? [...chosen, 4, 5, 6, 7] : [0, 1, 2, 3, ...chosen]);
};

const pshufw: Emitter = (g) => {
  const source = g.temp('v128');
  const lanes = shuffleWords(immediateByte(g, 2), 0);
  g.mrd(1);
  g.c.op('i64x2.splat').set(source);
  g.mwr(0, () => {
    g.c.get(source).get(source).shuffle(lanes).lane('i64x2.extract_lane', 0);
  });
};

const pinsrwXmm: Emitter = (g) => {
  const value = g.temp('i32');
  const lane = immediateByte(g, 2) & 7;
  g.rd(1);
  g.c.op('i32.wrap_i64').set(value);
  g.vwr(0, () => {
    g.vrd(0);
    g.c.get(value).lane('i16x8.replace_lane', lane);
  });
};

const pinsrwMmx: Emitter = (g) => {
  const value = g.temp('i32');
  const lane = immediateByte(g, 2) & 3;
  g.rd(1);
  g.c.op('i32.wrap_i64').set(value);
  g.mwr(0, () => {
    g.mrd(0);
    g.c.op('i64x2.splat').get(value).lane('i16x8.replace_lane', lane).lane('i64x2.extract_lane', 0);
  });
};

const pextrwXmm: Emitter = (g) =>
  g.wr(0, () => {
    g.vrd(1);
    g.c.lane('i16x8.extract_lane_u', immediateByte(g, 2) & 7).op('i64.extend_i32_u');
  });

const pextrwMmx: Emitter = (g) =>
  g.wr(0, () => {
    g.mrd(1);
    g.c
      .i64(16 * (immediateByte(g, 2) & 3))
      .op('i64.shr_u')
      .i64(0xffff)
      .op('i64.and');
  });

function maskOf(op: 'i8x16.bitmask' | 'i32x4.bitmask' | 'i64x2.bitmask'): Emitter {
  return (g) =>
    g.wr(0, () => {
      g.vrd(1);
      g.c.op(op, 'i64.extend_i32_u');
    });
}

const pmovmskbMmx: Emitter = (g) =>
  g.wr(0, () => {
    g.c.v128(zero);
    g.mrd(1);
    g.c.lane('i64x2.replace_lane', 0).op('i8x16.bitmask', 'i64.extend_i32_u');
  });

const fixed = { staticImmediate: true } as const;

export const sseShuffle: readonly Definition[] = [
  sse(
    'sse2',
    'PSHUFD',
    p66(1, 0x70, ['Vdq', 'Wdq', 'Ib']),
    shuffleOne((order) => choose(4, fields(order))),
    fixed,
  ),
  sse(
    'sse2',
    'PSHUFHW',
    pF3(1, 0x70, ['Vdq', 'Wdq', 'Ib']),
    shuffleOne((order) => shuffleWords(order, 4)),
    fixed,
  ),
  sse(
    'sse2',
    'PSHUFLW',
    pF2(1, 0x70, ['Vdq', 'Wdq', 'Ib']),
    shuffleOne((order) => shuffleWords(order, 0)),
    fixed,
  ),
  mmx('sse', 'PSHUFW', np(1, 0x70, ['Pq', 'Qq', 'Ib']), pshufw, fixed),
  sse(
    'sse',
    'SHUFPS',
    np(1, 0xc6, ['Vps', 'Wps', 'Ib']),
    shuffleTwo((order) =>
      choose(
        4,
        fields(order).map((field, i) => (i < 2 ? field : field + 4)),
      ),
    ),
    fixed,
  ),
  sse(
    'sse2',
    'SHUFPD',
    p66(1, 0xc6, ['Vpd', 'Wpd', 'Ib']),
    shuffleTwo((order) => choose(8, [order & 1, 2 + ((order >>> 1) & 1)])),
    fixed,
  ),
  sse('sse', 'UNPCKLPS', np(1, 0x14, ['Vps', 'Wps']), xmmBinary(interleave(4, false))),
  sse('sse', 'UNPCKHPS', np(1, 0x15, ['Vps', 'Wps']), xmmBinary(interleave(4, true))),
  sse('sse2', 'UNPCKLPD', p66(1, 0x14, ['Vpd', 'Wpd']), xmmBinary(interleave(8, false))),
  sse('sse2', 'UNPCKHPD', p66(1, 0x15, ['Vpd', 'Wpd']), xmmBinary(interleave(8, true))),
  sse('sse2', 'PINSRW', p66(1, 0xc4, ['Vdq', 'Rd_Mw', 'Ib']), pinsrwXmm, fixed),
  mmx('sse', 'PINSRW', np(1, 0xc4, ['Pq', 'Rd_Mw', 'Ib']), pinsrwMmx, fixed),
  sse('sse2', 'PEXTRW', p66(1, 0xc5, ['Gd', 'Udq', 'Ib'], { mod: 'reg' }), pextrwXmm, fixed),
  mmx('sse', 'PEXTRW', np(1, 0xc5, ['Gd', 'Nq', 'Ib'], { mod: 'reg' }), pextrwMmx, fixed),
  sse('sse2', 'PMOVMSKB', p66(1, 0xd7, ['Gd', 'Udq'], { mod: 'reg' }), maskOf('i8x16.bitmask')),
  mmx('sse', 'PMOVMSKB', np(1, 0xd7, ['Gd', 'Nq'], { mod: 'reg' }), pmovmskbMmx),
  sse('sse', 'MOVMSKPS', np(1, 0x50, ['Gd', 'Ups'], { mod: 'reg' }), maskOf('i32x4.bitmask')),
  sse('sse2', 'MOVMSKPD', p66(1, 0x50, ['Gd', 'Upd'], { mod: 'reg' }), maskOf('i64x2.bitmask')),
];
