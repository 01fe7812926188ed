/** Shifts of SIMD elements by one count, and of the whole register by bytes. */

import { type Definition, type Emitter } from './definition';
import { type Gen } from './gen';
import { mmx, np, p66, sse, zero } from './sse-lanes';

type ShiftOp = 'i16x8.shr_u' | 'i32x4.shr_u' | 'i64x2.shr_u' | 'i16x8.shr_s' | 'i32x4.shr_s' | 'i16x8.shl' | 'i32x4.shl' | 'i64x2.shl';

/** Group opcode of the immediate form, its /digit, opcode of the form with a register count. */
const rows: readonly (readonly [string, number, number, number, ShiftOp])[] = [
  ['PSRLW', 0x71, 2, 0xd1, 'i16x8.shr_u'],
  ['PSRAW', 0x71, 4, 0xe1, 'i16x8.shr_s'],
  ['PSLLW', 0x71, 6, 0xf1, 'i16x8.shl'],
  ['PSRLD', 0x72, 2, 0xd2, 'i32x4.shr_u'],
  ['PSRAD', 0x72, 4, 0xe2, 'i32x4.shr_s'],
  ['PSLLD', 0x72, 6, 0xf2, 'i32x4.shl'],
  ['PSRLQ', 0x73, 2, 0xd3, 'i64x2.shr_u'],
  ['PSLLQ', 0x73, 6, 0xf3, 'i64x2.shl'],
];

const widthOf = (op: ShiftOp): number => (op.startsWith('i16') ? 16 : op.startsWith('i32') ? 32 : 64);

/**
 * Shifts the v128 on the stack by the i64 local. WebAssembly takes the count modulo the width; the processor shifts everything
 * out, or fills with the sign, where the count is the width or more.
 */
function shift(g: Gen, op: ShiftOp, count: number): void {
  const c = g.c;
  const width = widthOf(op);
  if (op.endsWith('shr_s')) {
    c.get(count)
      .i64(width - 1)
      .get(count)
      .i64(width)
      .op('i64.lt_u', 'select', 'i32.wrap_i64', op);
    return;
  }
  c.get(count).op('i32.wrap_i64', op);
  c.i64(0).get(count).i64(width).op('i64.lt_u', 'i64.extend_i32_u', 'i64.sub', 'i64x2.splat', 'v128.and');
}

function shiftXmm(op: ShiftOp, immediate: boolean): Emitter {
  return (g) => {
    const count = g.temp('i64');
    if (immediate) {
      g.rd(1);
      g.c.i64(0xff).op('i64.and');
    } else {
      g.vrd(1);
      g.c.lane('i64x2.extract_lane', 0);
    }
    g.c.set(count);
    g.vwr(0, () => {
      g.vrd(0);
      shift(g, op, count);
    });
  };
}

function shiftMmx(op: ShiftOp, immediate: boolean): Emitter {
  return (g) => {
    const count = g.temp('i64');
    if (immediate) {
      g.rd(1);
      g.c.i64(0xff).op('i64.and');
    } else {
      g.mrd(1);
    }
    g.c.set(count);
    g.mwr(0, () => {
      g.mrd(0);
      g.c.op('i64x2.splat');
      shift(g, op, count);
      g.c.lane('i64x2.extract_lane', 0);
    });
  };
}

/** PSLLDQ and PSRLDQ: whole bytes, everything where the count is above 15. */
function shiftBytes(left: boolean): Emitter {
  return (g) => {
    const count = Math.min(16, Number((g.immediate(1) ?? 0n) & 0xffn));
    const lanes = Array.from({ length: 16 }, (_, i) => (left ? 16 - count + i : count + i));
    g.vwr(0, () => {
      if (left) g.c.v128(zero);
      g.vrd(0);
      if (!left) g.c.v128(zero);
      g.c.shuffle(lanes);
    });
  };
}

export const sseShift: readonly Definition[] = [
  ...rows.flatMap(([mnemonic, group, digit, opcode, op]) => [
    mmx('mmx', mnemonic, np(1, group, ['Nq', 'Ib'], { digit, mod: 'reg' }), shiftMmx(op, true)),
    mmx('mmx', mnemonic, np(1, opcode, ['Pq', 'Qq']), shiftMmx(op, false)),
    sse('sse2', mnemonic, p66(1, group, ['Udq', 'Ib'], { digit, mod: 'reg' }), shiftXmm(op, true)),
    sse('sse2', mnemonic, p66(1, opcode, ['Vdq', 'Wdq']), shiftXmm(op, false)),
  ]),
  sse('sse2', 'PSRLDQ', p66(1, 0x73, ['Udq', 'Ib'], { digit: 3, mod: 'reg' }), shiftBytes(false), { staticImmediate: true }),
  sse('sse2', 'PSLLDQ', p66(1, 0x73, ['Udq', 'Ib'], { digit: 7, mod: 'reg' }), shiftBytes(true), { staticImmediate: true }),
];
