/** SSE, SSE2 and MMX moves: between registers, memory and general registers, whole and in halves, non-temporal and masked. */

import { type Definition, type Emitter } from './definition';
import { choose, mmx, np, p66, pF2, pF3, sse, zero } from './sse-lanes';

const moveAll: Emitter = (g) => g.vwr(0, () => g.vrd(1));

/** A register's low element from another register, its other elements kept; or memory's element from a register. */
const moveLow =
  (size: 4 | 8): Emitter =>
  (g) =>
    g.vwrLow(0, size, () => g.vrd(1));

/** A register's low element from memory, the rest zero. */
const loadLow =
  (size: 4 | 8): Emitter =>
  (g) =>
    g.vwr(0, () => g.vrdLow(1, size));

/** A register's low half from memory, its high half kept. */
const loadLowHalf: Emitter = (g) => g.vwrLow(0, 8, () => g.vrdLow(1, 8));

const loadHighHalf: Emitter = (g) => {
  const value = g.temp('i64');
  g.rd(1);
  g.c.set(value);
  g.vwr(0, () => {
    g.vrd(0);
    g.c.get(value).lane('i64x2.replace_lane', 1);
  });
};

const storeHighHalf: Emitter = (g) =>
  g.wr(0, () => {
    g.vrd(1);
    g.c.lane('i64x2.extract_lane', 1);
  });

/** 64-bit elements chosen from both registers (0, 1 of the destination, 2, 3 of the source). */
const halves =
  (elements: readonly [number, number]): Emitter =>
  (g) =>
    g.vwr(0, () => {
      g.vrd(0);
      g.vrd(1);
      g.c.shuffle(choose(8, elements));
    });

/** 4 or 8 bytes of a general register or memory into an xmm register, the rest zero. */
const fromGeneral: Emitter = (g) => {
  const value = g.temp('i64');
  g.rd(1);
  g.c.set(value);
  g.vwr(0, () => void g.c.v128(zero).get(value).lane('i64x2.replace_lane', 0));
};

const toGeneral: Emitter = (g) =>
  g.wr(0, () => {
    g.vrd(1);
    g.c.lane('i64x2.extract_lane', 0);
  });

const mmxMove: Emitter = (g) => g.mwr(0, () => g.mrd(1));
const mmxFromGeneral: Emitter = (g) => g.mwr(0, () => g.rd(1));
const mmxToGeneral: Emitter = (g) => g.wr(0, () => g.mrd(1));

const movq2dq: Emitter = (g) => {
  const value = g.temp('i64');
  g.mrd(1);
  g.c.set(value);
  g.vwr(0, () => void g.c.v128(zero).get(value).lane('i64x2.replace_lane', 0));
};

const movdq2q: Emitter = (g) =>
  g.mwr(0, () => {
    g.vrd(1);
    g.c.lane('i64x2.extract_lane', 0);
  });

const unaligned = { aligned: false } as const;

export const sseMove: readonly Definition[] = [
  sse('sse', 'MOVUPS', [np(1, 0x10, ['Vps', 'Wps']), np(1, 0x11, ['Wps', 'Vps'])], moveAll, unaligned),
  sse('sse2', 'MOVUPD', [p66(1, 0x10, ['Vpd', 'Wpd']), p66(1, 0x11, ['Wpd', 'Vpd'])], moveAll, unaligned),
  sse('sse', 'MOVSS', [pF3(1, 0x10, ['Vss', 'Uss'], { mod: 'reg' }), pF3(1, 0x11, ['Wss', 'Vss'])], moveLow(4)),
  sse('sse', 'MOVSS', pF3(1, 0x10, ['Vss', 'Md'], { mod: 'mem' }), loadLow(4)),
  sse('sse2', 'MOVSD', [pF2(1, 0x10, ['Vsd', 'Usd'], { mod: 'reg' }), pF2(1, 0x11, ['Wsd', 'Vsd'])], moveLow(8)),
  sse('sse2', 'MOVSD', pF2(1, 0x10, ['Vsd', 'Mq'], { mod: 'mem' }), loadLow(8)),
  sse('sse', 'MOVLPS', np(1, 0x12, ['Vq', 'Mq'], { mod: 'mem' }), loadLowHalf),
  sse('sse', 'MOVLPS', np(1, 0x13, ['Mq', 'Vq'], { mod: 'mem' }), moveLow(8)),
  sse('sse2', 'MOVLPD', p66(1, 0x12, ['Vq', 'Mq'], { mod: 'mem' }), loadLowHalf),
  sse('sse2', 'MOVLPD', p66(1, 0x13, ['Mq', 'Vq'], { mod: 'mem' }), moveLow(8)),
  sse('sse', 'MOVHLPS', np(1, 0x12, ['Vdq', 'Udq'], { mod: 'reg' }), halves([3, 1])),
  sse('sse', 'MOVHPS', np(1, 0x16, ['Vdq', 'Mq'], { mod: 'mem' }), loadHighHalf),
  sse('sse', 'MOVHPS', np(1, 0x17, ['Mq', 'Vdq'], { mod: 'mem' }), storeHighHalf),
  sse('sse2', 'MOVHPD', p66(1, 0x16, ['Vdq', 'Mq'], { mod: 'mem' }), loadHighHalf),
  sse('sse2', 'MOVHPD', p66(1, 0x17, ['Mq', 'Vdq'], { mod: 'mem' }), storeHighHalf),
  sse('sse', 'MOVLHPS', np(1, 0x16, ['Vdq', 'Udq'], { mod: 'reg' }), halves([0, 2])),
  sse('sse', 'MOVAPS', [np(1, 0x28, ['Vps', 'Wps']), np(1, 0x29, ['Wps', 'Vps'])], moveAll),
  sse('sse2', 'MOVAPD', [p66(1, 0x28, ['Vpd', 'Wpd']), p66(1, 0x29, ['Wpd', 'Vpd'])], moveAll),
  sse('sse', 'MOVNTPS', np(1, 0x2b, ['Mps', 'Vps'], { mod: 'mem' }), moveAll),
  sse('sse2', 'MOVNTPD', p66(1, 0x2b, ['Mpd', 'Vpd'], { mod: 'mem' }), moveAll),
  sse('sse2', 'MOVDQA', [p66(1, 0x6f, ['Vdq', 'Wdq']), p66(1, 0x7f, ['Wdq', 'Vdq'])], moveAll),
  sse('sse2', 'MOVDQU', [pF3(1, 0x6f, ['Vdq', 'Wdq']), pF3(1, 0x7f, ['Wdq', 'Vdq'])], moveAll, unaligned),
  sse('sse2', 'MOVNTDQ', p66(1, 0xe7, ['Mdq', 'Vdq'], { mod: 'mem' }), moveAll),
  sse('sse2', 'MOVD', p66(1, 0x6e, ['Vdq', 'Ed'], { w: 0 }), fromGeneral),
  sse('sse2', 'MOVQ', p66(1, 0x6e, ['Vdq', 'Eq'], { w: 1 }), fromGeneral),
  sse('sse2', 'MOVD', p66(1, 0x7e, ['Ed', 'Vdq'], { w: 0 }), toGeneral),
  sse('sse2', 'MOVQ', p66(1, 0x7e, ['Eq', 'Vdq'], { w: 1 }), toGeneral),
  sse('sse2', 'MOVQ', [pF3(1, 0x7e, ['Vq', 'Uq'], { mod: 'reg' }), pF3(1, 0x7e, ['Vq', 'Mq'], { mod: 'mem' })], loadLow(8)),
  sse('sse2', 'MOVQ', p66(1, 0xd6, ['Uq', 'Vq'], { mod: 'reg' }), loadLow(8)),
  sse('sse2', 'MOVQ', p66(1, 0xd6, ['Mq', 'Vq'], { mod: 'mem' }), moveLow(8)),
  mmx('mmx', 'MOVD', np(1, 0x6e, ['Pq', 'Ed'], { w: 0 }), mmxFromGeneral),
  mmx('mmx', 'MOVQ', np(1, 0x6e, ['Pq', 'Eq'], { w: 1 }), mmxFromGeneral),
  mmx('mmx', 'MOVD', np(1, 0x7e, ['Ed', 'Pq'], { w: 0 }), mmxToGeneral),
  mmx('mmx', 'MOVQ', np(1, 0x7e, ['Eq', 'Pq'], { w: 1 }), mmxToGeneral),
  mmx('mmx', 'MOVQ', np(1, 0x6f, ['Pq', 'Qq']), mmxMove),
  mmx('mmx', 'MOVQ', np(1, 0x7f, ['Qq', 'Pq']), mmxMove),
  mmx('sse', 'MOVNTQ', np(1, 0xe7, ['Mq', 'Pq'], { mod: 'mem' }), mmxToGeneral),
  mmx('sse2', 'MOVQ2DQ', pF3(1, 0xd6, ['Vdq', 'Nq'], { mod: 'reg' }), movq2dq),
  mmx('sse2', 'MOVDQ2Q', pF2(1, 0xd6, ['Pq', 'Udq'], { mod: 'reg' }), movdq2q),
  sse('sse2', 'MASKMOVDQU', p66(1, 0xf7, ['Vdq', 'Udq'], { mod: 'reg' }), undefined, { helper: 'sseMaskedStore' }),
  mmx('sse', 'MASKMOVQ', np(1, 0xf7, ['Pq', 'Nq'], { mod: 'reg' }), undefined, { helper: 'sseMaskedStore' }),
  {
    mnemonic: 'MOVNTI',
    encodings: [np(1, 0xc3, ['My', 'Gy'], { mod: 'mem' })],
    feature: 'sse2',
    emit: (g) => g.wr(0, () => g.rd(1)),
  },
];
