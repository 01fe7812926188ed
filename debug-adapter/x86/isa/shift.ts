/** Shifts and rotates: SHL SHR SAR, ROL ROR, RCL RCR, SHLD SHRD, and BMI2's flagless forms. */

import { ARITHMETIC, enc, Flag, type Definition, type Emitter, type Encoding } from './definition';
import { signExtend, zeroExtend } from './flags';
import { type Gen, type Size } from './gen';

/** The count in a local, masked to 5 bits, or 6 for 64-bit operands (SDM vol. 2B, SAL/SAR/SHL/SHR). */
function count(g: Gen, i: number, size: Size): number {
  const local = g.temp('i64');
  g.rd(i);
  g.c
    .i64(size === 8 ? 63 : 31)
    .op('i64.and')
    .set(local);
  return local;
}

/** Runs `set` where the count is not 0: a count of 0 leaves all flags as they are. */
function unlessZero(g: Gen, amount: number, set: () => void): void {
  if (!g.flagsNeeded(ARITHMETIC)) return;
  g.c.get(amount).i64(0).op('i64.ne');
  g.c.if();
  set();
  g.c.end();
}

const shift =
  (kind: 'shl' | 'shr' | 'sar'): Emitter =>
  (g) => {
    const { c } = g;
    const size = g.operands[0]!.size as Size;
    const bits = size * 8;
    const amount = count(g, 1, size);
    const result = g.temp('i64');
    const value = g.temp('i64');
    g.rmw(0, (old) => {
      c.get(old);
      if (kind === 'sar') signExtend(c, size);
      c.tee(value);
      c.get(amount).op(kind === 'shl' ? 'i64.shl' : kind === 'shr' ? 'i64.shr_u' : 'i64.shr_s');
      zeroExtend(c, size);
      c.tee(result);
    });
    unlessZero(g, amount, () => {
      // CF is the last bit shifted out; OF is defined for a count of 1, and follows the same rule for others here.
      const carry = g.temp('i64');
      const extra = g.temp('i64');
      if (kind === 'shl') {
        if (size === 8) c.get(value).i64(64).get(amount).op('i64.sub', 'i64.shr_u');
        else c.get(value).get(amount).op('i64.shl').i64(bits).op('i64.shr_u');
        c.i64(1).op('i64.and').set(carry);
        // OF = MSB of the result xor CF.
        c.get(result)
          .i64(bits - 1)
          .op('i64.shr_u')
          .get(carry)
          .op('i64.xor')
          .i64(11)
          .op('i64.shl');
      } else {
        c.get(value)
          .get(amount)
          .i64(1)
          .op('i64.sub')
          .op(kind === 'shr' ? 'i64.shr_u' : 'i64.shr_s')
          .i64(1)
          .op('i64.and')
          .set(carry);
        if (kind === 'shr') {
          // OF = MSB of the original operand for a count of 1.
          c.get(value)
            .i64(bits - 1)
            .op('i64.shr_u')
            .i64(1)
            .op('i64.and')
            .get(amount)
            .i64(1)
            .op('i64.eq', 'i64.extend_i32_u', 'i64.and')
            .i64(11)
            .op('i64.shl');
        } else {
          c.i64(0);
        }
      }
      c.get(carry).op('i64.or').set(extra);
      g.flags('result', size, result, extra);
    });
  };

/** ROL and ROR change CF and OF alone. */
const rotate =
  (left: boolean): Emitter =>
  (g) => {
    const { c } = g;
    const size = g.operands[0]!.size as Size;
    const bits = size * 8;
    const amount = count(g, 1, size);
    const result = g.temp('i64');
    g.rmw(0, (old) => {
      if (size === 8) {
        c.get(old)
          .get(amount)
          .op(left ? 'i64.rotl' : 'i64.rotr');
      } else if (size === 4) {
        c.get(old)
          .op('i32.wrap_i64')
          .get(amount)
          .op('i32.wrap_i64')
          .op(left ? 'i32.rotl' : 'i32.rotr', 'i64.extend_i32_u');
      } else {
        // The value repeated fills 32 bits, in which a rotation is one of 8 or 16 bits too.
        c.get(old);
        if (size === 1) c.i64(0x01010101).op('i64.mul');
        else c.i64(0x00010001).op('i64.mul');
        c.op('i32.wrap_i64')
          .get(amount)
          .op('i32.wrap_i64')
          .op(left ? 'i32.rotl' : 'i32.rotr', 'i64.extend_i32_u');
        zeroExtend(c, size);
      }
      c.tee(result);
    });
    unlessZero(g, amount, () => {
      const carry = g.temp('i64');
      g.setArithmetic(() => {
        if (left) c.get(result).i64(1).op('i64.and').set(carry);
        else
          c.get(result)
            .i64(bits - 1)
            .op('i64.shr_u')
            .set(carry);
        g.arithmetic();
        c.i64(ARITHMETIC & ~(Flag.CF | Flag.OF)).op('i64.and');
        c.get(carry).op('i64.or');
        // OF: MSB xor CF after ROL, the two top bits xored after ROR.
        c.get(result)
          .i64(bits - 1)
          .op('i64.shr_u');
        if (left) c.get(carry);
        else
          c.get(result)
            .i64(bits - 2)
            .op('i64.shr_u')
            .i64(1)
            .op('i64.and');
        c.op('i64.xor').i64(11).op('i64.shl', 'i64.or');
      });
    });
  };

/** RCL and RCR rotate through CF, one bit at a time: counts are small and the instructions rare. */
const rotateCarry =
  (left: boolean): Emitter =>
  (g) => {
    const { c } = g;
    const size = g.operands[0]!.size as Size;
    const bits = size * 8;
    const amount = count(g, 1, size);
    const steps = g.temp('i64');
    const carry = g.temp('i64');
    const out = g.temp('i64');
    const flags = g.temp('i64');
    const value = g.temp('i64');
    g.arithmetic();
    c.tee(flags).i64(1).op('i64.and').set(carry);
    c.get(amount);
    if (size < 4) c.i64(bits + 1).op('i64.rem_u');
    c.set(steps);
    g.rmw(0, (old) => {
      c.get(old).set(value);
      const exit = c.block();
      const loop = c.loop();
      c.get(steps).op('i64.eqz').brIf(exit);
      if (left) {
        c.get(value)
          .i64(bits - 1)
          .op('i64.shr_u')
          .set(out);
        c.get(value).i64(1).op('i64.shl').get(carry).op('i64.or');
        zeroExtend(c, size);
      } else {
        c.get(value).i64(1).op('i64.and').set(out);
        c.get(value)
          .i64(1)
          .op('i64.shr_u')
          .get(carry)
          .i64(bits - 1)
          .op('i64.shl', 'i64.or');
      }
      c.set(value).get(out).set(carry);
      c.get(steps).i64(1).op('i64.sub').set(steps);
      c.br(loop);
      c.end();
      c.end();
      c.get(value);
    });
    unlessZero(g, amount, () => {
      g.setArithmetic(() => {
        c.get(flags)
          .i64(ARITHMETIC & ~(Flag.CF | Flag.OF))
          .op('i64.and')
          .get(carry)
          .op('i64.or');
        c.get(value)
          .i64(bits - 1)
          .op('i64.shr_u');
        if (left) c.get(carry);
        else
          c.get(value)
            .i64(bits - 2)
            .op('i64.shr_u')
            .i64(1)
            .op('i64.and');
        c.op('i64.xor').i64(11).op('i64.shl', 'i64.or');
      });
    });
  };

/** SHLD and SHRD. A 16-bit operand with a count above 16 has an undefined result; processors shift the 48-bit pattern dest:src:dest. */
const doubleShift =
  (left: boolean): Emitter =>
  (g) => {
    const { c } = g;
    const size = g.operands[0]!.size as Size;
    const bits = size * 8;
    const source = g.temp('i64');
    g.rd(1);
    c.set(source);
    const amount = count(g, 2, size);
    const result = g.temp('i64');
    const carry = g.temp('i64');
    const original = g.temp('i64');
    g.rmw(0, (old) => {
      c.get(old).set(original);
      if (size === 8) {
        // x >> (64 - n) in two steps, so that a count of 0 shifts everything out.
        if (left)
          c.get(old).get(amount).op('i64.shl').get(source).i64(1).op('i64.shr_u').i64(63).get(amount).op('i64.sub', 'i64.shr_u', 'i64.or');
        else c.get(old).get(amount).op('i64.shr_u').get(source).i64(1).op('i64.shl').i64(63).get(amount).op('i64.sub', 'i64.shl', 'i64.or');
      } else if (size === 4) {
        if (left) c.get(old).i64(32).op('i64.shl').get(source).op('i64.or').get(amount).op('i64.shl').i64(32).op('i64.shr_u');
        else c.get(source).i64(32).op('i64.shl').get(old).op('i64.or').get(amount).op('i64.shr_u');
        zeroExtend(c, 4);
      } else {
        if (left)
          c.get(old)
            .i64(32)
            .op('i64.shl')
            .get(source)
            .i64(16)
            .op('i64.shl', 'i64.or')
            .get(old)
            .op('i64.or')
            .get(amount)
            .op('i64.shl')
            .i64(32)
            .op('i64.shr_u');
        else c.get(old).i64(32).op('i64.shl').get(source).i64(16).op('i64.shl', 'i64.or').get(old).op('i64.or').get(amount).op('i64.shr_u');
        zeroExtend(c, 2);
      }
      c.tee(result);
    });
    unlessZero(g, amount, () => {
      const extra = g.temp('i64');
      if (left) {
        if (size === 8) c.get(original).i64(64).get(amount).op('i64.sub', 'i64.shr_u');
        else if (size === 4) c.get(original).i64(32).get(amount).op('i64.sub', 'i64.shr_u');
        else
          c.get(original)
            .i64(32)
            .op('i64.shl')
            .get(source)
            .i64(16)
            .op('i64.shl', 'i64.or')
            .get(original)
            .op('i64.or')
            .i64(48)
            .get(amount)
            .op('i64.sub', 'i64.shr_u');
      } else if (size === 2) {
        c.get(original)
          .i64(32)
          .op('i64.shl')
          .get(source)
          .i64(16)
          .op('i64.shl', 'i64.or')
          .get(original)
          .op('i64.or')
          .get(amount)
          .i64(1)
          .op('i64.sub', 'i64.shr_u');
      } else {
        c.get(original).get(amount).i64(1).op('i64.sub', 'i64.shr_u');
      }
      c.i64(1).op('i64.and').set(carry);
      // OF: the sign changed.
      c.get(original)
        .get(result)
        .op('i64.xor')
        .i64(bits - 1)
        .op('i64.shr_u')
        .i64(1)
        .op('i64.and')
        .i64(11)
        .op('i64.shl')
        .get(carry)
        .op('i64.or')
        .set(extra);
      g.flags('result', size, result, extra);
    });
  };

/** SHLX, SHRX, SARX, RORX: no flags. */
const plain =
  (kind: 'shl' | 'shr' | 'sar' | 'ror'): Emitter =>
  (g) => {
    const { c } = g;
    const size = g.operands[0]!.size as Size;
    const amount = count(g, 2, size);
    const value = g.temp('i64');
    if (kind === 'sar') g.rdSigned(1);
    else g.rd(1);
    c.set(value);
    g.wr(0, () => {
      if (kind === 'ror' && size === 4) c.get(value).op('i32.wrap_i64').get(amount).op('i32.wrap_i64', 'i32.rotr', 'i64.extend_i32_u');
      else
        c.get(value)
          .get(amount)
          .op(kind === 'shl' ? 'i64.shl' : kind === 'shr' ? 'i64.shr_u' : kind === 'sar' ? 'i64.shr_s' : 'i64.rotr');
    });
  };

function group2(digit: number): Encoding[] {
  return [
    enc(0, 0xc0, ['Eb', 'Ib'], { digit }),
    enc(0, 0xc1, ['Ev', 'Ib'], { digit }),
    enc(0, 0xd0, ['Eb', '1'], { digit }),
    enc(0, 0xd1, ['Ev', '1'], { digit }),
    enc(0, 0xd2, ['Eb', 'CL'], { digit }),
    enc(0, 0xd3, ['Ev', 'CL'], { digit }),
  ];
}

const shiftFlags = { writes: ARITHMETIC & ~Flag.AF, undefined: Flag.AF } as const;

/** OF is defined for counts of 1 only; CF of SHL and SHR not where the count reaches the width. */
const shiftUndefined = (operands: { readonly count: number; readonly size: number }): number =>
  operands.count === 0 ? 0 : Flag.AF | (operands.count === 1 ? 0 : Flag.OF) | (operands.count >= operands.size * 8 ? Flag.CF : 0);
const rotateUndefined = (operands: { readonly count: number }): number => (operands.count <= 1 ? 0 : Flag.OF);
const doubleUndefined = (operands: { readonly count: number; readonly size: number }): number =>
  operands.count === 0 ? 0 : operands.count > operands.size * 8 ? ARITHMETIC : Flag.AF | (operands.count === 1 ? 0 : Flag.OF);

export const shiftDefinitions: readonly Definition[] = [
  {
    mnemonic: 'ROL',
    encodings: group2(0),
    flags: { keeps: ARITHMETIC, writes: Flag.CF | Flag.OF },
    conditionalFlags: true,
    undefinedFor: rotateUndefined,
    emit: rotate(true),
  },
  {
    mnemonic: 'ROR',
    encodings: group2(1),
    flags: { keeps: ARITHMETIC, writes: Flag.CF | Flag.OF },
    conditionalFlags: true,
    undefinedFor: rotateUndefined,
    emit: rotate(false),
  },
  {
    mnemonic: 'RCL',
    encodings: group2(2),
    flags: { reads: Flag.CF, keeps: ARITHMETIC, writes: Flag.CF | Flag.OF },
    conditionalFlags: true,
    undefinedFor: rotateUndefined,
    emit: rotateCarry(true),
  },
  {
    mnemonic: 'RCR',
    encodings: group2(3),
    flags: { reads: Flag.CF, keeps: ARITHMETIC, writes: Flag.CF | Flag.OF },
    conditionalFlags: true,
    undefinedFor: rotateUndefined,
    emit: rotateCarry(false),
  },
  {
    mnemonic: 'SHL',
    encodings: [...group2(4), ...group2(6)],
    flags: shiftFlags,
    conditionalFlags: true,
    undefinedFor: shiftUndefined,
    emit: shift('shl'),
  },
  { mnemonic: 'SHR', encodings: group2(5), flags: shiftFlags, conditionalFlags: true, undefinedFor: shiftUndefined, emit: shift('shr') },
  {
    mnemonic: 'SAR',
    encodings: group2(7),
    flags: shiftFlags,
    conditionalFlags: true,
    undefinedFor: ({ count: n }) => (n === 0 ? 0 : Flag.AF | (n === 1 ? 0 : Flag.OF)),
    emit: shift('sar'),
  },
  {
    mnemonic: 'SHLD',
    encodings: [enc(1, 0xa4, ['Ev', 'Gv', 'Ib']), enc(1, 0xa5, ['Ev', 'Gv', 'CL'])],
    flags: shiftFlags,
    conditionalFlags: true,
    undefinedFor: doubleUndefined,
    emit: doubleShift(true),
  },
  {
    mnemonic: 'SHRD',
    encodings: [enc(1, 0xac, ['Ev', 'Gv', 'Ib']), enc(1, 0xad, ['Ev', 'Gv', 'CL'])],
    flags: shiftFlags,
    conditionalFlags: true,
    undefinedFor: doubleUndefined,
    emit: doubleShift(false),
  },
  { mnemonic: 'SHLX', encodings: [enc(2, 0xf7, ['Gy', 'Ey', 'By'], { prefix: '66', vex: 0 })], feature: 'bmi2', emit: plain('shl') },
  { mnemonic: 'SHRX', encodings: [enc(2, 0xf7, ['Gy', 'Ey', 'By'], { prefix: 'F2', vex: 0 })], feature: 'bmi2', emit: plain('shr') },
  { mnemonic: 'SARX', encodings: [enc(2, 0xf7, ['Gy', 'Ey', 'By'], { prefix: 'F3', vex: 0 })], feature: 'bmi2', emit: plain('sar') },
  { mnemonic: 'RORX', encodings: [enc(3, 0xf0, ['Gy', 'Ey', 'Ib'], { prefix: 'F2', vex: 0 })], feature: 'bmi2', emit: plain('ror') },
];
