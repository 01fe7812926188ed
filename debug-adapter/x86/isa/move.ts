/** Data movement between registers, memory and immediates: MOV in its many forms, extensions, exchanges, LEA, CMOVcc, SETcc, BSWAP, MOVBE, XLAT. */

import { ARITHMETIC, enc, type Definition, type Emitter } from './definition';
import { signExtend } from './flags';
import { type Gen, type Size } from './gen';

const mov: Emitter = (g) => {
  if (g.operands[0]!.kind === 'mem') {
    const value = g.temp('i64');
    g.rd(1);
    g.c.set(value);
    g.wr(0, () => g.c.get(value));
    return;
  }
  const value = g.temp('i64');
  g.rd(1);
  g.c.set(value);
  g.wr(0, () => g.c.get(value));
};

const movsx: Emitter = (g) => {
  const value = g.temp('i64');
  g.rdSigned(1);
  g.c.set(value);
  g.wr(0, () => g.c.get(value));
};

const lea: Emitter = (g) => {
  g.wr(0, () => g.ea(1));
};

const xchg: Emitter = (g) => {
  const other = g.temp('i64');
  const memory = g.operands[1]!.kind === 'mem' ? 1 : 0;
  const register = 1 - memory;
  if (g.operands[memory]!.kind === 'mem') {
    g.rd(register);
    g.c.set(other);
    let old = -1;
    g.rmw(memory, (value) => {
      old = value;
      g.c.get(other);
    });
    g.wr(register, () => g.c.get(old));
    return;
  }
  const value = g.temp('i64');
  g.rd(0);
  g.c.set(value);
  g.rd(1);
  g.c.set(other);
  g.wr(0, () => g.c.get(other));
  g.wr(1, () => g.c.get(value));
};

/** The source is read, and may fault, whatever the condition; a 32-bit destination is cleared above bit 31 even when not moved. */
const cmov: Emitter = (g) => {
  const value = g.temp('i64');
  g.rd(1);
  g.c.set(value);
  g.wr(0, () => {
    g.c.get(value);
    g.rd(0);
    g.cond(g.cc);
    g.c.op('select');
  });
};

const setcc: Emitter = (g) => {
  const value = g.temp('i64');
  g.cond(g.cc);
  g.c.op('i64.extend_i32_u').set(value);
  g.wr(0, () => g.c.get(value));
};

/** Reverses the bytes of the i64 in a local (the low `size` bytes of it). */
function swapBytes(g: Gen, value: number, size: Size): void {
  const { c } = g;
  if (size === 2) {
    c.get(value).i64(8).op('i64.shl').get(value).i64(8).op('i64.shr_u', 'i64.or').i64(0xffff).op('i64.and');
    return;
  }
  const swapped = g.temp('i64');
  const halves: readonly (readonly [bigint, number])[] = [
    [0x00ff00ff00ff00ffn, 8],
    [0x0000ffff0000ffffn, 16],
  ];
  c.get(value).set(swapped);
  for (const [mask, shift] of halves) {
    c.get(swapped).i64(mask).op('i64.and').i64(shift).op('i64.shl');
    c.get(swapped).i64(shift).op('i64.shr_u').i64(mask).op('i64.and', 'i64.or').set(swapped);
  }
  c.get(swapped).i64(32).op('i64.rotl');
  if (size === 4) c.i64(32).op('i64.shr_u');
}

const bswap: Emitter = (g) => {
  const value = g.temp('i64');
  const size = g.operands[0]!.size as Size;
  g.rd(0);
  g.c.set(value);
  g.wr(0, () => {
    // With a 16-bit operand the manual leaves the result undefined; processors give 0.
    if (size === 2) g.c.i64(0);
    else swapBytes(g, value, size);
  });
};

const movbe: Emitter = (g) => {
  const value = g.temp('i64');
  g.rd(1);
  g.c.set(value);
  const swapped = g.temp('i64');
  swapBytes(g, value, g.operands[0]!.size as Size);
  g.c.set(swapped);
  g.wr(0, () => g.c.get(swapped));
};

const convertA: Emitter = (g) => {
  // CBW, CWDE, CDQE by operand size.
  const half = (g.operandSize / 2) as Size;
  g.setReg(0, g.operandSize, () => {
    g.reg(0, half);
    signExtend(g.c, half);
  });
};

const convertD: Emitter = (g) => {
  // CWD, CDQ, CQO.
  g.setReg(2, g.operandSize, () => {
    g.reg(0, g.operandSize);
    signExtend(g.c, g.operandSize);
    g.c.i64(63).op('i64.shr_s');
  });
};

/** MOVcc readers read what the condition looks at: the opcode's cc says which, so all are declared. */
const reads = { reads: ARITHMETIC };

export const moveDefinitions: readonly Definition[] = [
  {
    mnemonic: 'MOV',
    encodings: [
      enc(0, 0x88, ['Eb', 'Gb']),
      enc(0, 0x89, ['Ev', 'Gv']),
      enc(0, 0x8a, ['Gb', 'Eb']),
      enc(0, 0x8b, ['Gv', 'Ev']),
      enc(0, 0xa0, ['AL', 'Ob']),
      enc(0, 0xa1, ['rAX', 'Ov']),
      enc(0, 0xa2, ['Ob', 'AL']),
      enc(0, 0xa3, ['Ov', 'rAX']),
      enc(0, 0xb0, ['Zb', 'Ib'], { plusR: true }),
      enc(0, 0xb8, ['Zv', 'Iv'], { plusR: true }),
      enc(0, 0xc6, ['Eb', 'Ib'], { digit: 0 }),
      enc(0, 0xc7, ['Ev', 'Iz'], { digit: 0 }),
    ],
    emit: mov,
  },
  { mnemonic: 'MOVZX', encodings: [enc(1, 0xb6, ['Gv', 'Eb']), enc(1, 0xb7, ['Gv', 'Ew'])], emit: mov },
  { mnemonic: 'MOVSX', encodings: [enc(1, 0xbe, ['Gv', 'Eb']), enc(1, 0xbf, ['Gv', 'Ew'])], emit: movsx },
  { mnemonic: 'MOVSXD', encodings: [enc(0, 0x63, ['Gv', 'Rz_Md'], { mode: '64' })], emit: movsx },
  { mnemonic: 'LEA', encodings: [enc(0, 0x8d, ['Gv', 'M'])], emit: lea },
  {
    mnemonic: 'XCHG',
    encodings: [enc(0, 0x86, ['Eb', 'Gb']), enc(0, 0x87, ['Ev', 'Gv'])],
    lock: true,
    emit: xchg,
  },
  { mnemonic: 'XCHG', encodings: [enc(0, 0x90, ['Zv', 'rAX'], { plusR: true })], emit: xchg },
  { mnemonic: 'CMOVcc', encodings: [enc(1, 0x40, ['Gv', 'Ev'], { plusCc: true })], feature: 'cmov', flags: reads, emit: cmov },
  { mnemonic: 'SETcc', encodings: [enc(1, 0x90, ['Eb'], { plusCc: true })], flags: reads, emit: setcc },
  { mnemonic: 'BSWAP', encodings: [enc(1, 0xc8, ['Zv'], { plusR: true })], emit: bswap },
  {
    mnemonic: 'MOVBE',
    // 66 is an operand size here, but F3 makes no instruction.
    encodings: (['none', '66'] as const).flatMap((prefix) => [
      enc(2, 0xf0, ['Gv', 'Mv'], { prefix }),
      enc(2, 0xf1, ['Mv', 'Gv'], { prefix }),
    ]),
    feature: 'movbe',
    emit: movbe,
  },
  { mnemonic: 'CBW', encodings: [enc(0, 0x98)], emit: convertA },
  { mnemonic: 'CWD', encodings: [enc(0, 0x99)], emit: convertD },
  {
    mnemonic: 'XLAT',
    encodings: [enc(0, 0xd7)],
    helper: 'XLAT',
  },
];
