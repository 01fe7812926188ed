/** SSE and SSE2 conversions between integers, single and double precision. */

import { type Definition, type Emitter } from './definition';
import { Guard, floatOp, inexactIsSilent, pd, ps, roundsToNearest, sd, ss, truncationIsSilent, unless, type LaneKind } from './sse-guard';
import { mmx, np, p66, pF2, pF3, sse } from './sse-lanes';

const helper = { helper: 'sseConvert' } as const;

/** CVTSI2SS, CVTSI2SD: exact below the limit, else rounded to nearest where PE is silent. */
function fromGeneral(kind: LaneKind, size: 4 | 8): Emitter {
  return (g) => {
    const c = g.c;
    const x = g.temp('i64');
    g.rdSigned(1);
    c.set(x);
    if (kind.element === 4 || size === 8) {
      const limit = kind.element === 4 ? 0x100_0000 : 2 ** 53;
      unless(g, () => {
        c.get(x)
          .i64(limit)
          .op('i64.add')
          .i64(2 * limit)
          .op('i64.le_u');
        inexactIsSilent(g);
        c.op('i32.or');
      });
    }
    g.fwr(0, kind.element, () => void c.get(x).op(kind.element === 4 ? 'f32.convert_i64_s' : 'f64.convert_i64_s'));
  };
}

/** CVT(T)Sx2SI: values that fit for certain; NaNs and the rest go to the helper. */
function toGeneral(kind: LaneKind, size: 4 | 8, truncate: boolean): Emitter {
  return (g) => {
    const c = g.c;
    const x = g.temp(kind.type);
    const whole = g.temp(kind.type);
    g.frd(1, kind.element);
    c.tee(x)
      .op(floatOp(kind, truncate ? 'trunc' : 'nearest'))
      .set(whole);
    const guard = new Guard(g, kind);
    unless(g, () => {
      guard.below(x, size === 4 ? 0x7fff_ff00 : 2 ** 62).all();
      if (truncate) truncationIsSilent(g);
      else inexactIsSilent(g);
      guard.same(whole, x).all();
      if (!truncate) {
        roundsToNearest(g);
        c.op('i32.and');
      }
      c.op('i32.or', 'i32.and');
    });
    g.wr(0, () => void c.get(whole).op(kind.element === 4 ? 'i64.trunc_sat_f32_s' : 'i64.trunc_sat_f64_s'));
  };
}

/** CVTSS2SD: exact; a NaN or denormal goes to the helper. */
const widenScalar: Emitter = (g) => {
  const x = g.temp('f32');
  g.frd(1, 4);
  g.c.set(x);
  unless(g, () => new Guard(g, ss).clean(x).all());
  g.fwr(0, 8, () => void g.c.get(x).op('f64.promote_f32'));
};

const narrowScalar: Emitter = (g) => {
  const c = g.c;
  const x = g.temp('f64');
  const r = g.temp('f32');
  const back = g.temp('f64');
  g.frd(1, 8);
  c.tee(x).op('f32.demote_f64').tee(r).op('f64.promote_f32').set(back);
  const narrow = new Guard(g, ss);
  const wide = new Guard(g, sd);
  unless(g, () => {
    narrow.aboveTiny(r).finite(r).and().all();
    wide.zero(x).all();
    c.op('i32.or');
    inexactIsSilent(g);
    wide.same(back, x);
    c.op('i32.or', 'i32.and');
  });
  g.fwr(0, 4, () => void c.get(r));
};

const widenPacked: Emitter = (g) => {
  const c = g.c;
  const x = g.temp('v128');
  g.vrdLow(1, 8);
  c.set(x);
  unless(g, () => new Guard(g, ps).clean(x).all());
  g.vwr(0, () => void c.get(x).op('f64x2.promote_low_f32x4'));
};

const narrowPacked: Emitter = (g) => {
  const c = g.c;
  const x = g.temp('v128');
  const r = g.temp('v128');
  const back = g.temp('v128');
  g.vrd(1);
  c.tee(x).op('f32x4.demote_f64x2_zero').tee(r).op('f64x2.promote_low_f32x4').set(back);
  unless(g, () => {
    // The bounds of the narrow format, tested on the widened result.
    c.get(back)
      .op('f64x2.abs')
      .v128(new Uint8Array(new Float64Array(2).fill(2 ** -126).buffer))
      .op('f64x2.gt');
    c.get(back)
      .op('f64x2.abs')
      .v128(new Uint8Array(new Float64Array(2).fill(2 ** 128).buffer))
      .op('f64x2.lt', 'v128.and');
    new Guard(g, pd).zero(x);
    c.op('v128.or', 'i64x2.all_true');
    inexactIsSilent(g);
    c.op('i32.and');
  });
  g.vwr(0, () => void c.get(r));
};

/** CVTDQ2PD: exact. */
const integersToDoubles: Emitter = (g) => {
  const x = g.temp('v128');
  g.vrdLow(1, 8);
  g.c.set(x);
  g.vwr(0, () => void g.c.get(x).op('f64x2.convert_low_i32x4_s'));
};

const integersToSingles: Emitter = (g) => {
  const c = g.c;
  const x = g.temp('v128');
  const r = g.temp('v128');
  g.vrd(1);
  c.tee(x).op('f32x4.convert_i32x4_s').set(r);
  unless(g, () => {
    // Magnitudes up to 2^24 are exact.
    c.get(x)
      .op('i32x4.abs')
      .v128(new Uint8Array(new Int32Array(4).fill(0x100_0000).buffer))
      .op('i32x4.le_u', 'i32x4.all_true');
    inexactIsSilent(g);
    c.op('i32.or');
  });
  g.vwr(0, () => void c.get(r));
};

/** CVT(T)PS2DQ and CVT(T)PD2DQ. */
function packedToIntegers(kind: LaneKind, truncate: boolean): Emitter {
  return (g) => {
    const c = g.c;
    const x = g.temp('v128');
    const whole = g.temp('v128');
    g.vrd(1);
    c.tee(x)
      .op(floatOp(kind, truncate ? 'trunc' : 'nearest'))
      .set(whole);
    const guard = new Guard(g, kind);
    unless(g, () => {
      guard.below(x, 0x7fff_ff00).all();
      if (truncate) truncationIsSilent(g);
      else inexactIsSilent(g);
      guard.same(whole, x).all();
      if (!truncate) {
        roundsToNearest(g);
        c.op('i32.and');
      }
      c.op('i32.or', 'i32.and');
    });
    g.vwr(0, () => void c.get(whole).op(kind.element === 4 ? 'i32x4.trunc_sat_f32x4_s' : 'i32x4.trunc_sat_f64x2_s_zero'));
  };
}

/** Both sizes of the general register. */
function general(kind: LaneKind, from: boolean, opcode: number, mnemonic: string, truncate = false): readonly Definition[] {
  const feature = kind.element === 4 ? 'sse' : 'sse2';
  const prefix = kind.element === 4 ? pF3 : pF2;
  const vector = kind.element === 4 ? 'ss' : 'sd';
  return ([4, 8] as const).map((size) => {
    const suffix = size === 4 ? 'd' : 'q';
    const w = size === 4 ? 0 : 1;
    return from
      ? sse(feature, mnemonic, prefix(1, opcode, [`V${vector}`, `E${suffix}`], { w }), fromGeneral(kind, size), helper)
      : sse(feature, mnemonic, prefix(1, opcode, [`G${suffix}`, `W${vector}`], { w }), toGeneral(kind, size, truncate), helper);
  });
}

export const sseConvert: readonly Definition[] = [
  ...general(ss, true, 0x2a, 'CVTSI2SS'),
  ...general(sd, true, 0x2a, 'CVTSI2SD'),
  ...general(ss, false, 0x2c, 'CVTTSS2SI', true),
  ...general(sd, false, 0x2c, 'CVTTSD2SI', true),
  ...general(ss, false, 0x2d, 'CVTSS2SI'),
  ...general(sd, false, 0x2d, 'CVTSD2SI'),
  sse('sse2', 'CVTSS2SD', pF3(1, 0x5a, ['Vsd', 'Wss']), widenScalar, helper),
  sse('sse2', 'CVTSD2SS', pF2(1, 0x5a, ['Vss', 'Wsd']), narrowScalar, helper),
  sse('sse2', 'CVTPS2PD', np(1, 0x5a, ['Vpd', 'Wq']), widenPacked, helper),
  sse('sse2', 'CVTPD2PS', p66(1, 0x5a, ['Vps', 'Wpd']), narrowPacked, helper),
  sse('sse2', 'CVTDQ2PS', np(1, 0x5b, ['Vps', 'Wdq']), integersToSingles, helper),
  sse('sse2', 'CVTPS2DQ', p66(1, 0x5b, ['Vdq', 'Wps']), packedToIntegers(ps, false), helper),
  sse('sse2', 'CVTTPS2DQ', pF3(1, 0x5b, ['Vdq', 'Wps']), packedToIntegers(ps, true), helper),
  sse('sse2', 'CVTTPD2DQ', p66(1, 0xe6, ['Vdq', 'Wpd']), packedToIntegers(pd, true), helper),
  sse('sse2', 'CVTDQ2PD', pF3(1, 0xe6, ['Vpd', 'Wq']), integersToDoubles, helper),
  sse('sse2', 'CVTPD2DQ', pF2(1, 0xe6, ['Vdq', 'Wpd']), packedToIntegers(pd, false), helper),
  // The MMX ones are rare: the helper alone. They count as MMX instructions where they use a register of it.
  mmx('sse', 'CVTPI2PS', np(1, 0x2a, ['Vps', 'Qq']), undefined, helper),
  mmx('sse2', 'CVTPI2PD', p66(1, 0x2a, ['Vpd', 'Nq'], { mod: 'reg' }), undefined, helper),
  sse('sse2', 'CVTPI2PD', p66(1, 0x2a, ['Vpd', 'Mq'], { mod: 'mem' }), undefined, helper),
  mmx('sse', 'CVTTPS2PI', np(1, 0x2c, ['Pq', 'Wq']), undefined, helper),
  mmx('sse2', 'CVTTPD2PI', p66(1, 0x2c, ['Pq', 'Wpd']), undefined, helper),
  mmx('sse', 'CVTPS2PI', np(1, 0x2d, ['Pq', 'Wq']), undefined, helper),
  mmx('sse2', 'CVTPD2PI', p66(1, 0x2d, ['Pq', 'Wpd']), undefined, helper),
];
