/** Bit tests and scans, counts, BMI1/BMI2, CRC32, CMPXCHG8B and CMPXCHG16B. */

import { ARITHMETIC, enc, Flag, type Definition, type Emitter, type Encoding } from './definition';
import { zeroExtend } from './flags';
import { type Gen, type Size } from './gen';

/** BT, BTS, BTR, BTC. With a register offset and a memory operand the offset reaches beyond the operand (SDM vol. 2A, BT). */
const bitTest =
  (kind: 'test' | 'set' | 'reset' | 'complement'): Emitter =>
  (g) => {
    const { c } = g;
    const size = g.operands[0]!.size as Size;
    const bits = size * 8;
    const offset = g.temp('i64');
    const bit = g.temp('i64');
    const old = g.temp('i64');
    const changed = (): void => {
      // 1 << bit
      c.get(old).i64(1).get(bit).op('i64.shl');
      if (kind === 'set') c.op('i64.or');
      else if (kind === 'complement') c.op('i64.xor');
      else c.i64(-1).op('i64.xor', 'i64.and');
    };
    if (g.operands[0]!.kind === 'mem' && g.operands[1]!.kind === 'reg') {
      const address = g.temp('i64');
      g.rdSigned(1);
      c.set(offset);
      c.get(offset)
        .i64(bits - 1)
        .op('i64.and')
        .set(bit);
      if (g.addressSize === 8) {
        g.linear(0);
      } else {
        // The sum wraps at the address size, below the segment's base.
        g.linear(0);
        g.ea(0);
        c.op('i64.sub');
        g.ea(0);
      }
      c.get(offset).i64(Math.log2(bits)).op('i64.shr_s').i64(Math.log2(size)).op('i64.shl', 'i64.add');
      if (g.addressSize !== 8) {
        zeroExtend(c, g.addressSize);
        c.op('i64.add');
      }
      c.set(address);
      if (!g.long) {
        c.get(address);
        zeroExtend(c, 4);
        c.set(address);
      }
      const host = g.hostAt(address, kind === 'test' ? 'read' : 'readWrite', size);
      const load = size === 8 ? 'i64.load' : size === 4 ? 'i64.load32_u' : 'i64.load16_u';
      c.get(host).mem(load).set(old);
      if (kind !== 'test') {
        c.get(host);
        changed();
        c.mem(size === 8 ? 'i64.store' : size === 4 ? 'i64.store32' : 'i64.store16');
        g.commit(host);
      }
    } else {
      g.rd(1);
      c.i64(bits - 1)
        .op('i64.and')
        .set(bit);
      if (kind === 'test') {
        g.rd(0);
        c.set(old);
      } else {
        g.rmw(0, (value) => {
          c.get(value).set(old);
          changed();
        });
      }
    }
    if (!g.flagsNeeded(Flag.CF)) return;
    // ZF is left alone, and so are the undefined ones here.
    g.setArithmetic(() => {
      g.arithmetic();
      c.i64(ARITHMETIC & ~Flag.CF).op('i64.and');
      c.get(old).get(bit).op('i64.shr_u').i64(1).op('i64.and', 'i64.or');
    });
  };

/** BSF and BSR leave the destination alone for a source of 0, and set ZF. */
const bitScan =
  (forward: boolean): Emitter =>
  (g) => {
    const { c } = g;
    const value = g.temp('i64');
    const size = g.operands[0]!.size as Size;
    g.rd(1);
    c.set(value);
    // Not written at all for 0: even the upper half of a 32-bit destination stays.
    c.get(value).i64(0).op('i64.ne');
    c.if();
    g.wr(0, () => {
      if (forward) c.get(value).op('i64.ctz');
      else c.i64(63).get(value).op('i64.clz', 'i64.sub');
    });
    c.end();
    g.flags('logic', size, value);
  };

/** TZCNT and LZCNT: defined for 0; CF = source is 0, ZF = result is 0. */
const countZeros =
  (trailing: boolean): Emitter =>
  (g) => {
    const { c } = g;
    const size = g.operands[0]!.size as Size;
    const bits = size * 8;
    const value = g.temp('i64');
    const result = g.temp('i64');
    g.rd(1);
    c.set(value);
    if (trailing) {
      c.get(value);
      if (size < 8) c.i64(1n << BigInt(bits)).op('i64.or');
      c.op('i64.ctz').set(result);
    } else {
      c.get(value).op('i64.clz');
      if (size < 8) c.i64(64 - bits).op('i64.sub');
      c.set(result);
    }
    g.wr(0, () => c.get(result));
    const extra = g.temp('i64');
    c.get(value).op('i64.eqz', 'i64.extend_i32_u').set(extra);
    g.flags('result', size, result, extra);
  };

const popcnt: Emitter = (g) => {
  const { c } = g;
  const value = g.temp('i64');
  g.rd(1);
  c.set(value);
  g.wr(0, () => c.get(value).op('i64.popcnt'));
  // ZF = source is 0; the other five are cleared.
  g.setArithmetic(() => c.get(value).op('i64.eqz', 'i64.extend_i32_u').i64(6).op('i64.shl'));
};

/** Flags of the BMI1 group: ZF, SF from the result, CF given, OF cleared; AF and PF undefined. */
function bmiFlags(g: Gen, size: Size, result: number, carry: () => void): void {
  if (!g.flagsNeeded(ARITHMETIC)) return;
  const extra = g.temp('i64');
  carry();
  g.c.op('i64.extend_i32_u').set(extra);
  g.flags('result', size, result, extra);
}

const andn: Emitter = (g) => {
  const { c } = g;
  const result = g.temp('i64');
  const size = g.operands[0]!.size as Size;
  g.rd(2);
  g.rd(1);
  c.i64(-1).op('i64.xor', 'i64.and').set(result);
  g.wr(0, () => c.get(result));
  g.flags('logic', size, result);
};

/** BLSI, BLSMSK, BLSR. */
const lowest =
  (kind: 'blsi' | 'blsmsk' | 'blsr'): Emitter =>
  (g) => {
    const { c } = g;
    const size = g.operands[0]!.size as Size;
    const value = g.temp('i64');
    const result = g.temp('i64');
    g.rd(1);
    c.set(value);
    if (kind === 'blsi') c.get(value).i64(0).get(value).op('i64.sub', 'i64.and');
    else
      c.get(value)
        .get(value)
        .i64(1)
        .op('i64.sub')
        .op(kind === 'blsr' ? 'i64.and' : 'i64.xor');
    zeroExtend(c, size);
    c.set(result);
    g.wr(0, () => c.get(result));
    bmiFlags(g, size, result, () => {
      c.get(value)
        .i64(0)
        .op(kind === 'blsi' ? 'i64.ne' : 'i64.eq');
    });
  };

const bextr: Emitter = (g) => {
  const { c } = g;
  const size = g.operands[0]!.size as Size;
  const control = g.temp('i64');
  const start = g.temp('i64');
  const length = g.temp('i64');
  const result = g.temp('i64');
  const value = g.temp('i64');
  g.rd(1);
  c.set(value);
  g.rd(2);
  c.tee(control).i64(0xff).op('i64.and').set(start);
  c.get(control).i64(8).op('i64.shr_u').i64(0xff).op('i64.and').set(length);
  // A start beyond the operand gives 0; a length beyond it all that is left.
  c.get(value)
    .get(start)
    .op('i64.shr_u')
    .i64(0)
    .get(start)
    .i64(size * 8)
    .op('i64.lt_u', 'select');
  c.i64(-1).i64(1).get(length).op('i64.shl').i64(1).op('i64.sub').get(length).i64(64).op('i64.ge_u', 'select');
  c.op('i64.and').set(result);
  g.wr(0, () => c.get(result));
  // ZF from the result; AF, SF, PF are undefined.
  bmiFlags(g, size, result, () => c.i32(0));
};

const bzhi: Emitter = (g) => {
  const { c } = g;
  const size = g.operands[0]!.size as Size;
  const index = g.temp('i64');
  const value = g.temp('i64');
  const result = g.temp('i64');
  g.rd(1);
  c.set(value);
  g.rd(2);
  c.i64(0xff).op('i64.and').set(index);
  c.get(value);
  c.get(value).i64(1).get(index).op('i64.shl').i64(1).op('i64.sub', 'i64.and');
  c.get(index)
    .i64(size * 8)
    .op('i64.ge_u', 'select')
    .set(result);
  g.wr(0, () => c.get(result));
  bmiFlags(g, size, result, () =>
    c
      .get(index)
      .i64(size * 8 - 1)
      .op('i64.gt_u'),
  );
};

const scatter =
  (name: 'pdep' | 'pext'): Emitter =>
  (g) => {
    const result = g.temp('i64');
    g.rd(1);
    g.rd(2);
    g.call(name);
    g.c.set(result);
    g.wr(0, () => g.c.get(result));
  };

const crc32: Emitter = (g) => {
  const { c } = g;
  const size = g.operands[1]!.size;
  const source = g.temp('i64');
  const crc = g.temp('i64');
  g.rd(1);
  c.set(source);
  g.rd(0);
  zeroExtend(c, 4);
  c.set(crc);
  for (let i = 0; i < size; i++) {
    c.get(crc).get(source);
    if (i > 0) c.i64(8 * i).op('i64.shr_u');
    g.call('crc32b');
    c.set(crc);
  }
  g.wr(0, () => c.get(crc));
};

/** CMPXCHG8B and CMPXCHG16B: ZF alone changes; the write happens in either case. */
const cmpxchgWide =
  (half: 4 | 8): Emitter =>
  (g) => {
    const { c } = g;
    const host = g.host(0, 'readWrite', half * 2, 0, half === 8 ? 16 : undefined);
    const low = g.temp('i64');
    const high = g.temp('i64');
    const equal = g.temp('i32');
    const load = half === 8 ? 'i64.load' : 'i64.load32_u';
    const store = half === 8 ? 'i64.store' : 'i64.store32';
    c.get(host).mem(load).set(low);
    c.get(host).mem(load, half).set(high);
    c.get(low);
    g.reg(0, half);
    c.op('i64.eq').get(high);
    g.reg(2, half);
    c.op('i64.eq', 'i32.and').set(equal);
    c.get(host);
    g.reg(3, half);
    c.get(low).get(equal).op('select').mem(store);
    c.get(host);
    g.reg(1, half);
    c.get(high).get(equal).op('select').mem(store, half);
    g.commit(host);
    c.get(equal).op('i32.eqz');
    c.if();
    g.setReg(0, half, () => c.get(low));
    g.setReg(2, half, () => c.get(high));
    c.end();
    g.setArithmetic(() => {
      g.arithmetic();
      c.i64(ARITHMETIC & ~Flag.ZF)
        .op('i64.and')
        .get(equal)
        .op('i64.extend_i32_u')
        .i64(6)
        .op('i64.shl', 'i64.or');
    });
  };

function btRows(registerOpcode: number, digit: number): Encoding[] {
  return [enc(1, registerOpcode, ['Ev', 'Gv']), enc(1, 0xba, ['Ev', 'Ib'], { digit })];
}

const btFlags = { keeps: ARITHMETIC, writes: Flag.CF, undefined: Flag.OF | Flag.SF | Flag.AF | Flag.PF } as const;
const scanFlags = { writes: Flag.ZF, undefined: ARITHMETIC & ~Flag.ZF } as const;
const bmi1Flags = { writes: Flag.ZF | Flag.SF | Flag.CF, cleared: Flag.OF, undefined: Flag.AF | Flag.PF } as const;

export const bitDefinitions: readonly Definition[] = [
  { mnemonic: 'BT', encodings: btRows(0xa3, 4), flags: btFlags, emit: bitTest('test') },
  { mnemonic: 'BTS', encodings: btRows(0xab, 5), flags: btFlags, lock: true, emit: bitTest('set') },
  { mnemonic: 'BTR', encodings: btRows(0xb3, 6), flags: btFlags, lock: true, emit: bitTest('reset') },
  { mnemonic: 'BTC', encodings: btRows(0xbb, 7), flags: btFlags, lock: true, emit: bitTest('complement') },
  { mnemonic: 'BSF', encodings: [enc(1, 0xbc, ['Gv', 'Ev'])], flags: scanFlags, emit: bitScan(true) },
  { mnemonic: 'BSR', encodings: [enc(1, 0xbd, ['Gv', 'Ev'])], flags: scanFlags, emit: bitScan(false) },
  {
    mnemonic: 'TZCNT',
    encodings: [enc(1, 0xbc, ['Gv', 'Ev'], { prefix: 'F3' })],
    feature: 'bmi1',
    flags: { writes: Flag.CF | Flag.ZF, undefined: Flag.OF | Flag.SF | Flag.AF | Flag.PF },
    emit: countZeros(true),
  },
  {
    mnemonic: 'LZCNT',
    encodings: [enc(1, 0xbd, ['Gv', 'Ev'], { prefix: 'F3' })],
    feature: 'lzcnt',
    flags: { writes: Flag.CF | Flag.ZF, undefined: Flag.OF | Flag.SF | Flag.AF | Flag.PF },
    emit: countZeros(false),
  },
  {
    mnemonic: 'POPCNT',
    encodings: [enc(1, 0xb8, ['Gv', 'Ev'], { prefix: 'F3' })],
    feature: 'popcnt',
    flags: { writes: Flag.ZF, cleared: ARITHMETIC & ~Flag.ZF },
    emit: popcnt,
  },
  {
    mnemonic: 'ANDN',
    encodings: [enc(2, 0xf2, ['Gy', 'By', 'Ey'], { prefix: 'none', vex: 0 })],
    feature: 'bmi1',
    flags: { writes: Flag.ZF | Flag.SF, cleared: Flag.OF | Flag.CF, undefined: Flag.AF | Flag.PF },
    emit: andn,
  },
  {
    mnemonic: 'BLSR',
    encodings: [enc(2, 0xf3, ['By', 'Ey'], { prefix: 'none', vex: 0, digit: 1 })],
    feature: 'bmi1',
    flags: bmi1Flags,
    emit: lowest('blsr'),
  },
  {
    mnemonic: 'BLSMSK',
    encodings: [enc(2, 0xf3, ['By', 'Ey'], { prefix: 'none', vex: 0, digit: 2 })],
    feature: 'bmi1',
    flags: { ...bmi1Flags, writes: Flag.SF | Flag.CF, cleared: Flag.OF | Flag.ZF },
    emit: lowest('blsmsk'),
  },
  {
    mnemonic: 'BLSI',
    encodings: [enc(2, 0xf3, ['By', 'Ey'], { prefix: 'none', vex: 0, digit: 3 })],
    feature: 'bmi1',
    flags: bmi1Flags,
    emit: lowest('blsi'),
  },
  {
    mnemonic: 'BEXTR',
    encodings: [enc(2, 0xf7, ['Gy', 'Ey', 'By'], { prefix: 'none', vex: 0 })],
    feature: 'bmi1',
    flags: { writes: Flag.ZF, cleared: Flag.OF | Flag.CF, undefined: Flag.AF | Flag.SF | Flag.PF },
    emit: bextr,
  },
  {
    mnemonic: 'BZHI',
    encodings: [enc(2, 0xf5, ['Gy', 'Ey', 'By'], { prefix: 'none', vex: 0 })],
    feature: 'bmi2',
    flags: bmi1Flags,
    emit: bzhi,
  },
  { mnemonic: 'PDEP', encodings: [enc(2, 0xf5, ['Gy', 'By', 'Ey'], { prefix: 'F2', vex: 0 })], feature: 'bmi2', emit: scatter('pdep') },
  { mnemonic: 'PEXT', encodings: [enc(2, 0xf5, ['Gy', 'By', 'Ey'], { prefix: 'F3', vex: 0 })], feature: 'bmi2', emit: scatter('pext') },
  {
    mnemonic: 'CRC32',
    encodings: [enc(2, 0xf0, ['Gy', 'Eb'], { prefix: 'F2' }), enc(2, 0xf1, ['Gy', 'Ev'], { prefix: 'F2' })],
    feature: 'sse4_2',
    emit: crc32,
  },
  {
    mnemonic: 'CMPXCHG8B',
    encodings: [enc(1, 0xc7, ['Mq'], { digit: 1, w: 0 })],
    feature: 'cx8',
    flags: { keeps: ARITHMETIC, writes: Flag.ZF },
    lock: true,
    emit: cmpxchgWide(4),
  },
  {
    mnemonic: 'CMPXCHG16B',
    encodings: [enc(1, 0xc7, ['Mdq'], { digit: 1, w: 1, mode: '64' })],
    feature: 'cx16',
    flags: { keeps: ARITHMETIC, writes: Flag.ZF },
    lock: true,
    emit: cmpxchgWide(8),
  },
];
