/** MUL, IMUL, DIV, IDIV and MULX. Divisions of 128 bits that generated code cannot do go to the helper. */

import { ARITHMETIC, enc, Flag, type Definition, type Emitter } from './definition';
import { signExtend, zeroExtend } from './flags';
import { type Gen, type Size } from './gen';

/** CF = OF = the i32 on the stack; ZF SF PF from the low half, AF 0 (undefined by the manual). */
function productFlags(g: Gen, size: Size, low: number, overflow: () => void): void {
  if (!g.flagsNeeded(ARITHMETIC)) return;
  const extra = g.temp('i64');
  overflow();
  g.c
    .op('i64.extend_i32_u')
    .i64(Flag.CF | Flag.OF)
    .op('i64.mul')
    .set(extra);
  g.flags('result', size, low, extra);
}

/** One-operand MUL and IMUL: rDX:rAX (AX for bytes) = rAX * operand. */
const wide =
  (signed: boolean): Emitter =>
  (g) => {
    const { c } = g;
    const size = g.operands[0]!.size as Size;
    const a = g.temp('i64');
    const b = g.temp('i64');
    const low = g.temp('i64');
    const high = g.temp('i64');
    if (signed) g.rdSigned(0);
    else g.rd(0);
    c.set(b);
    g.reg(0, size);
    if (signed) signExtend(c, size);
    c.tee(a).get(b).op('i64.mul').set(low);
    if (size === 8) {
      c.get(a).get(b);
      g.call(signed ? 'smulh' : 'umulh');
      c.set(high);
      g.setReg(0, 8, () => c.get(low));
      g.setReg(2, 8, () => c.get(high));
      productFlags(g, 8, low, () => {
        if (signed) c.get(low).i64(63).op('i64.shr_s').get(high).op('i64.ne');
        else c.get(high).i64(0).op('i64.ne');
      });
      return;
    }
    if (size === 1) {
      g.setReg(0, 2, () => c.get(low));
    } else {
      g.setReg(0, size, () => c.get(low));
      g.setReg(2, size, () =>
        c
          .get(low)
          .i64(size * 8)
          .op('i64.shr_u'),
      );
    }
    // The product's low half, for the flags.
    c.get(low);
    zeroExtend(c, size);
    c.set(high);
    productFlags(g, size, high, () => {
      c.get(low).get(low);
      if (signed) signExtend(c, size);
      else zeroExtend(c, size);
      c.op('i64.ne');
    });
  };

/** Two and three-operand IMUL. */
const imul: Emitter = (g) => {
  const { c } = g;
  const size = g.operands[0]!.size as Size;
  const first = g.operands.length === 3 ? 1 : 0;
  const a = g.temp('i64');
  const b = g.temp('i64');
  const product = g.temp('i64');
  const low = g.temp('i64');
  g.rdSigned(first);
  c.set(a);
  g.rdSigned(first + 1);
  c.set(b);
  c.get(a).get(b).op('i64.mul').tee(product);
  zeroExtend(c, size);
  c.set(low);
  g.wr(0, () => c.get(low));
  productFlags(g, size, low, () => {
    if (size === 8) {
      c.get(a).get(b);
      g.call('smulh');
      c.get(product).i64(63).op('i64.shr_s', 'i64.ne');
    } else {
      c.get(product).get(product);
      signExtend(c, size);
      c.op('i64.ne');
    }
  });
};

/** DIV and IDIV: #DE where the divisor is 0 or the quotient does not fit; flags are left undefined (here: alone). */
const divide =
  (signed: boolean): Emitter =>
  (g) => {
    const { c } = g;
    const size = g.operands[0]!.size as Size;
    const divisor = g.temp('i64');
    const dividend = g.temp('i64');
    const quotient = g.temp('i64');
    if (signed) g.rdSigned(0);
    else g.rd(0);
    c.set(divisor);
    if (size === 8) {
      // With rDX the zero or sign extension of rAX 64-bit division does; anything else is the helper's.
      g.reg(2, 8);
      if (signed) {
        g.reg(0, 8);
        c.i64(63).op('i64.shr_s', 'i64.ne');
        c.get(divisor).i64(1).op('i64.add').i64(1).op('i64.le_u', 'i32.or');
      } else {
        c.i64(0).op('i64.ne');
        c.get(divisor).op('i64.eqz', 'i32.or');
      }
      c.if();
      g.bail();
      c.else();
      g.reg(0, 8);
      c.set(dividend);
      g.setReg(0, 8, () =>
        c
          .get(dividend)
          .get(divisor)
          .op(signed ? 'i64.div_s' : 'i64.div_u'),
      );
      g.setReg(2, 8, () =>
        c
          .get(dividend)
          .get(divisor)
          .op(signed ? 'i64.rem_s' : 'i64.rem_u'),
      );
      c.end();
      return;
    }
    c.get(divisor).op('i64.eqz');
    c.if();
    g.raise(0);
    c.end();
    if (size === 1) {
      g.reg(0, 2);
      if (signed) signExtend(c, 2);
    } else {
      g.reg(2, size);
      c.i64(size * 8).op('i64.shl');
      g.reg(0, size);
      c.op('i64.or');
      if (signed && size === 2) signExtend(c, 4);
    }
    c.set(dividend);
    if (signed && size === 4) {
      // The one quotient that overflows even 64 bits would trap in WebAssembly.
      c.get(dividend).i64(-0x8000000000000000n).op('i64.eq').get(divisor).i64(-1).op('i64.eq', 'i32.and');
      c.if();
      g.raise(0);
      c.end();
    }
    c.get(dividend)
      .get(divisor)
      .op(signed ? 'i64.div_s' : 'i64.div_u')
      .set(quotient);
    c.get(quotient).get(quotient);
    if (signed) signExtend(c, size);
    else zeroExtend(c, size);
    c.op('i64.ne');
    c.if();
    g.raise(0);
    c.end();
    const rest = g.temp('i64');
    c.get(dividend).get(quotient).get(divisor).op('i64.mul', 'i64.sub').set(rest);
    if (size === 1) {
      g.setReg(0, 2, () => c.get(rest).i64(8).op('i64.shl').get(quotient).i64(0xff).op('i64.and', 'i64.or'));
    } else {
      g.setReg(0, size, () => c.get(quotient));
      g.setReg(2, size, () => c.get(rest));
    }
  };

/** MULX r, r, r/m: rDX times the source, low half to the second operand, high half to the first; no flags. */
const mulx: Emitter = (g) => {
  const { c } = g;
  const size = g.operands[0]!.size as Size;
  const a = g.temp('i64');
  const b = g.temp('i64');
  const low = g.temp('i64');
  g.rd(2);
  c.set(b);
  g.reg(2, size);
  c.tee(a).get(b).op('i64.mul').set(low);
  const high = g.temp('i64');
  if (size === 8) {
    c.get(a).get(b);
    g.call('umulh');
  } else {
    c.get(low).i64(32).op('i64.shr_u');
  }
  c.set(high);
  g.wr(1, () => c.get(low));
  // Where both are one register the high half stays.
  g.wr(0, () => c.get(high));
};

const productData = { writes: Flag.CF | Flag.OF, undefined: ARITHMETIC & ~(Flag.CF | Flag.OF) } as const;

export const muldivDefinitions: readonly Definition[] = [
  {
    mnemonic: 'MUL',
    encodings: [enc(0, 0xf6, ['Eb'], { digit: 4 }), enc(0, 0xf7, ['Ev'], { digit: 4 })],
    flags: productData,
    emit: wide(false),
  },
  {
    mnemonic: 'IMUL',
    encodings: [enc(0, 0xf6, ['Eb'], { digit: 5 }), enc(0, 0xf7, ['Ev'], { digit: 5 })],
    flags: productData,
    emit: wide(true),
  },
  {
    mnemonic: 'IMUL',
    encodings: [enc(1, 0xaf, ['Gv', 'Ev']), enc(0, 0x69, ['Gv', 'Ev', 'Iz']), enc(0, 0x6b, ['Gv', 'Ev', 'Ibs'])],
    flags: productData,
    emit: imul,
  },
  {
    mnemonic: 'DIV',
    encodings: [enc(0, 0xf6, ['Eb'], { digit: 6 }), enc(0, 0xf7, ['Ev'], { digit: 6 })],
    flags: { undefined: ARITHMETIC },
    conditionalFlags: true,
    mayFault: true,
    emit: divide(false),
    helper: 'DIV',
  },
  {
    mnemonic: 'IDIV',
    encodings: [enc(0, 0xf6, ['Eb'], { digit: 7 }), enc(0, 0xf7, ['Ev'], { digit: 7 })],
    flags: { undefined: ARITHMETIC },
    conditionalFlags: true,
    mayFault: true,
    emit: divide(true),
    helper: 'IDIV',
  },
  { mnemonic: 'MULX', encodings: [enc(2, 0xf6, ['Gy', 'By', 'Ey'], { prefix: 'F2', vex: 0 })], feature: 'bmi2', emit: mulx },
];
