/** SSE4.1 and SSE4.2: blends, extensions, minima and maxima, insertion and extraction, rounding, PTEST, dot products, text comparison; carry-less multiplication. */

import { Flag, type Definition, type Emitter } from './definition';
import { Guard, floatOp, inexactIsSilent, pd, ps, roundsToNearest, sd, ss, unless, type LaneKind } from './sse-guard';
import { choose, multiplyEven, p66, plain, sse, xmmBinary, type LaneOp } from './sse-lanes';
import { immediateByte } from './sse-shuffle';

/** Opcodes in map 0F38 of plain two-operand operations. */
const lanewise: readonly (readonly [number, string, LaneOp])[] = [
  [0x28, 'PMULDQ', multiplyEven(true)],
  [0x29, 'PCMPEQQ', plain('i64x2.eq')],
  [0x2b, 'PACKUSDW', plain('i16x8.narrow_i32x4_u')],
  [0x38, 'PMINSB', plain('i8x16.min_s')],
  [0x39, 'PMINSD', plain('i32x4.min_s')],
  [0x3a, 'PMINUW', plain('i16x8.min_u')],
  [0x3b, 'PMINUD', plain('i32x4.min_u')],
  [0x3c, 'PMAXSB', plain('i8x16.max_s')],
  [0x3d, 'PMAXSD', plain('i32x4.max_s')],
  [0x3e, 'PMAXUW', plain('i16x8.max_u')],
  [0x3f, 'PMAXUD', plain('i32x4.max_u')],
  [0x40, 'PMULLD', plain('i32x4.mul')],
];

/** PMOVSXxx and PMOVZXxx: opcode's low digit, letters, bytes read, steps of widening. */
const extensions = [
  [0, 'BW', 8, ['i16x8.extend_low_i8x16']],
  [1, 'BD', 4, ['i16x8.extend_low_i8x16', 'i32x4.extend_low_i16x8']],
  [2, 'BQ', 2, ['i16x8.extend_low_i8x16', 'i32x4.extend_low_i16x8', 'i64x2.extend_low_i32x4']],
  [3, 'WD', 8, ['i32x4.extend_low_i16x8']],
  [4, 'WQ', 4, ['i32x4.extend_low_i16x8', 'i64x2.extend_low_i32x4']],
  [5, 'DQ', 8, ['i64x2.extend_low_i32x4']],
] as const;

function extend(steps: (typeof extensions)[number][3], signed: 's' | 'u'): Emitter {
  return (g) => {
    const value = g.temp('i64');
    g.rd(1);
    g.c.set(value);
    g.vwr(0, () => {
      g.c.get(value).op('i64x2.splat');
      for (const step of steps) g.c.op(`${step}_${signed}`);
    });
  };
}

/** BLENDVPx and PBLENDVB: the sign bits of XMM0 choose the source. */
function blendBySign(shift: 'i8x16.shr_s' | 'i32x4.shr_s' | 'i64x2.shr_s', places: number): Emitter {
  return (g) => {
    const source = g.temp('v128');
    g.vrd(1);
    g.c.set(source);
    g.vwr(0, () => {
      g.c.get(source);
      g.vrd(0);
      g.xmm(0);
      g.c.i32(places).op(shift, 'v128.bitselect');
    });
  };
}

/** BLENDPx and PBLENDW: a bit of the immediate for each element. */
function blend(size: 2 | 4 | 8): Emitter {
  return (g) => {
    const mask = immediateByte(g, 2);
    const source = g.temp('v128');
    const count = 16 / size;
    g.vrd(1);
    g.c.set(source);
    g.vwr(0, () => {
      g.vrd(0);
      g.c.get(source).shuffle(
        choose(
          size,
          Array.from({ length: count }, (_, i) => ((mask >>> i) & 1 ? count + i : i)),
        ),
      );
    });
  };
}

const ptest: Emitter = (g) => {
  const source = g.temp('v128');
  g.vrd(1);
  g.c.set(source);
  g.setArithmetic(() => {
    g.c.get(source);
    g.vrd(0);
    g.c.op('v128.and', 'v128.any_true', 'i32.eqz', 'i64.extend_i32_u').i64(6).op('i64.shl').get(source);
    g.vrd(0);
    g.c.op('v128.andnot', 'v128.any_true', 'i32.eqz', 'i64.extend_i32_u', 'i64.or');
  });
};

type Extract = 'i8x16.extract_lane_u' | 'i16x8.extract_lane_u' | 'i32x4.extract_lane' | 'i64x2.extract_lane';
type Replace = 'i8x16.replace_lane' | 'i16x8.replace_lane' | 'i32x4.replace_lane' | 'i64x2.replace_lane';

function extract(op: Extract, lanes: number): Emitter {
  return (g) =>
    g.wr(0, () => {
      g.vrd(1);
      g.c.lane(op, immediateByte(g, 2) & (lanes - 1));
      if (lanes !== 2) g.c.op('i64.extend_i32_u');
    });
}

function insert(op: Replace, lanes: number): Emitter {
  return (g) => {
    const value = g.temp('i64');
    g.rd(1);
    g.c.set(value);
    g.vwr(0, () => {
      g.vrd(0);
      g.c.get(value);
      if (lanes !== 2) g.c.op('i32.wrap_i64');
      g.c.lane(op, immediateByte(g, 2) & (lanes - 1));
    });
  };
}

/** INSERTPS: an element of the source (a memory operand has one) to a place, then zeros by mask. */
function insertps(fromMemory: boolean): Emitter {
  return (g) => {
    const control = immediateByte(g, 2);
    const source = g.temp('v128');
    if (fromMemory) g.vrdLow(1, 4);
    else g.vrd(1);
    g.c.set(source);
    const from = fromMemory ? 0 : control >>> 6;
    const to = (control >>> 4) & 3;
    const kept = new Uint8Array(16).map((_, byte) => (((control >>> (byte >>> 2)) & 1) !== 0 ? 0 : 0xff));
    g.vwr(0, () => {
      g.vrd(0);
      g.c.get(source).shuffle(
        choose(
          4,
          [0, 1, 2, 3].map((i) => (i === to ? 4 + from : i)),
        ),
      );
      if ((control & 15) !== 0) g.c.v128(kept).op('v128.and');
    });
  };
}

const roundings = ['nearest', 'floor', 'ceil', 'trunc'] as const;

/** ROUNDxx: mode from the immediate, or from MXCSR (bit 2), where only rounding to nearest is done here. Bit 3 keeps PE quiet. */
function round(kind: LaneKind): Emitter {
  return (g) => {
    const c = g.c;
    const control = immediateByte(g, 2);
    const byMxcsr = (control & 4) !== 0;
    const quietly = (control & 8) !== 0;
    const x = g.temp(kind.type);
    const r = g.temp(kind.type);
    if (kind.type === 'v128') g.vrd(1);
    else g.frd(1, kind.element);
    c.tee(x)
      .op(floatOp(kind, byMxcsr ? 'nearest' : roundings[control & 3]!))
      .set(r);
    unless(g, () => {
      const guard = new Guard(g, kind);
      guard.clean(x).all();
      if (!quietly) {
        guard.same(r, x).all();
        inexactIsSilent(g);
        c.op('i32.or', 'i32.and');
      }
      if (byMxcsr) {
        roundsToNearest(g);
        c.op('i32.and');
      }
    });
    if (kind.type === 'v128') g.vwr(0, () => void c.get(r));
    else g.fwr(0, kind.element, () => void c.get(r));
  };
}

/** PCLMULQDQ: bits 0 and 4 of the immediate choose the quadwords whose carry-less product it is. */
const carrylessMultiply: Emitter = (g) => {
  const control = immediateByte(g, 2);
  const a = g.temp('i64');
  const b = g.temp('i64');
  g.vrd(1);
  g.c.lane('i64x2.extract_lane', (control >>> 4) & 1).set(b);
  g.vrd(0);
  g.c.lane('i64x2.extract_lane', control & 1).set(a);
  g.vwr(0, () => {
    g.c.get(a).get(b);
    g.call('clmull');
    g.c.op('i64x2.splat').get(a).get(b);
    g.call('clmulh');
    g.c.lane('i64x2.replace_lane', 1);
  });
};

const fixed = { staticImmediate: true } as const;
const rounded = { staticImmediate: true, helper: 'sseRound' } as const;
const moved: Emitter = (g) => g.vwr(0, () => g.vrd(1));
const ptestFlags = { writes: Flag.ZF | Flag.CF, cleared: Flag.OF | Flag.SF | Flag.AF | Flag.PF };
const textFlags = { writes: Flag.CF | Flag.ZF | Flag.SF | Flag.OF, cleared: Flag.AF | Flag.PF };
const text = { helper: 'sseText', flags: textFlags, aligned: false } as const;

export const sse4: readonly Definition[] = [
  ...lanewise.map(([opcode, mnemonic, op]) => sse('sse4_1', mnemonic, p66(2, opcode, ['Vdq', 'Wdq']), xmmBinary(op))),
  ...extensions.flatMap(([digit, letters, size, steps]) => {
    const source = size === 8 ? 'Wq' : size === 4 ? 'Wd' : 'Ww';
    return [
      sse('sse4_1', `PMOVSX${letters}`, p66(2, 0x20 + digit, ['Vdq', source]), extend(steps, 's')),
      sse('sse4_1', `PMOVZX${letters}`, p66(2, 0x30 + digit, ['Vdq', source]), extend(steps, 'u')),
    ];
  }),
  sse('sse4_1', 'PBLENDVB', p66(2, 0x10, ['Vdq', 'Wdq', 'XMM0']), blendBySign('i8x16.shr_s', 7)),
  sse('sse4_1', 'BLENDVPS', p66(2, 0x14, ['Vdq', 'Wdq', 'XMM0']), blendBySign('i32x4.shr_s', 31)),
  sse('sse4_1', 'BLENDVPD', p66(2, 0x15, ['Vdq', 'Wdq', 'XMM0']), blendBySign('i64x2.shr_s', 63)),
  sse('sse4_1', 'PTEST', p66(2, 0x17, ['Vdq', 'Wdq']), ptest, { flags: ptestFlags }),
  sse('sse4_1', 'MOVNTDQA', p66(2, 0x2a, ['Vdq', 'Mdq'], { mod: 'mem' }), moved),
  sse('sse4_1', 'PHMINPOSUW', p66(2, 0x41, ['Vdq', 'Wdq']), undefined, { helper: 'ssePosition' }),
  sse('sse4_1', 'ROUNDPS', p66(3, 0x08, ['Vps', 'Wps', 'Ib']), round(ps), rounded),
  sse('sse4_1', 'ROUNDPD', p66(3, 0x09, ['Vpd', 'Wpd', 'Ib']), round(pd), rounded),
  sse('sse4_1', 'ROUNDSS', p66(3, 0x0a, ['Vss', 'Wss', 'Ib']), round(ss), rounded),
  sse('sse4_1', 'ROUNDSD', p66(3, 0x0b, ['Vsd', 'Wsd', 'Ib']), round(sd), rounded),
  sse('sse4_1', 'BLENDPS', p66(3, 0x0c, ['Vps', 'Wps', 'Ib']), blend(4), fixed),
  sse('sse4_1', 'BLENDPD', p66(3, 0x0d, ['Vpd', 'Wpd', 'Ib']), blend(8), fixed),
  sse('sse4_1', 'PBLENDW', p66(3, 0x0e, ['Vdq', 'Wdq', 'Ib']), blend(2), fixed),
  sse('sse4_1', 'PEXTRB', p66(3, 0x14, ['Rd_Mb', 'Vdq', 'Ib']), extract('i8x16.extract_lane_u', 16), fixed),
  sse('sse4_1', 'PEXTRW', p66(3, 0x15, ['Rd_Mw', 'Vdq', 'Ib']), extract('i16x8.extract_lane_u', 8), fixed),
  sse('sse4_1', 'PEXTRD', p66(3, 0x16, ['Ed', 'Vdq', 'Ib'], { w: 0 }), extract('i32x4.extract_lane', 4), fixed),
  sse('sse4_1', 'PEXTRQ', p66(3, 0x16, ['Eq', 'Vdq', 'Ib'], { w: 1 }), extract('i64x2.extract_lane', 2), fixed),
  sse('sse4_1', 'EXTRACTPS', p66(3, 0x17, ['Ed', 'Vdq', 'Ib']), extract('i32x4.extract_lane', 4), fixed),
  sse('sse4_1', 'PINSRB', p66(3, 0x20, ['Vdq', 'Rd_Mb', 'Ib']), insert('i8x16.replace_lane', 16), fixed),
  sse('sse4_1', 'INSERTPS', p66(3, 0x21, ['Vdq', 'Udq', 'Ib'], { mod: 'reg' }), insertps(false), fixed),
  sse('sse4_1', 'INSERTPS', p66(3, 0x21, ['Vdq', 'Md', 'Ib'], { mod: 'mem' }), insertps(true), fixed),
  sse('sse4_1', 'PINSRD', p66(3, 0x22, ['Vdq', 'Ed', 'Ib'], { w: 0 }), insert('i32x4.replace_lane', 4), fixed),
  sse('sse4_1', 'PINSRQ', p66(3, 0x22, ['Vdq', 'Eq', 'Ib'], { w: 1 }), insert('i64x2.replace_lane', 2), fixed),
  sse('sse4_1', 'DPPS', p66(3, 0x40, ['Vps', 'Wps', 'Ib']), undefined, { helper: 'sseDotProduct' }),
  sse('sse4_1', 'DPPD', p66(3, 0x41, ['Vpd', 'Wpd', 'Ib']), undefined, { helper: 'sseDotProduct' }),
  sse('sse4_1', 'MPSADBW', p66(3, 0x42, ['Vdq', 'Wdq', 'Ib']), undefined, { helper: 'sseDifferences' }),
  sse('pclmul', 'PCLMULQDQ', p66(3, 0x44, ['Vdq', 'Wdq', 'Ib']), carrylessMultiply, fixed),
  sse('sse4_2', 'PCMPGTQ', p66(2, 0x37, ['Vdq', 'Wdq']), xmmBinary(plain('i64x2.gt_s'))),
  sse('sse4_2', 'PCMPESTRM', p66(3, 0x60, ['Vdq', 'Wdq', 'Ib']), undefined, text),
  sse('sse4_2', 'PCMPESTRI', p66(3, 0x61, ['Vdq', 'Wdq', 'Ib']), undefined, text),
  sse('sse4_2', 'PCMPISTRM', p66(3, 0x62, ['Vdq', 'Wdq', 'Ib']), undefined, text),
  sse('sse4_2', 'PCMPISTRI', p66(3, 0x63, ['Vdq', 'Wdq', 'Ib']), undefined, text),
];
