/** Control transfer inside one code segment: JMP, Jcc, CALL, RET, LOOP, JRCXZ. Far transfers and interrupts are helpers (system.ts). */

import { ARITHMETIC, enc, Flag, type Definition, type Emitter } from './definition';
import { zeroExtend } from './flags';

const jmp: Emitter = (g) => g.jumpTo(0);

const jcc: Emitter = (g) => g.branch(0, () => g.cond(g.cc));

const jmpIndirect: Emitter = (g) => {
  const target = g.temp('i64');
  g.rd(0);
  g.c.set(target);
  g.checkTarget(target);
  g.jumpInd(() => g.c.get(target));
};

const call: Emitter = (g) => {
  const next = g.temp('i64');
  g.nextRip();
  g.c.set(next);
  g.push(g.operandSize, next);
  g.jumpTo(0);
};

const callIndirect: Emitter = (g) => {
  const target = g.temp('i64');
  const next = g.temp('i64');
  g.rd(0);
  g.c.set(target);
  g.checkTarget(target);
  g.nextRip();
  g.c.set(next);
  g.push(g.operandSize, next);
  g.jumpInd(() => g.c.get(target));
};

const ret: Emitter = (g) => {
  const target = g.popPeek(g.operandSize);
  g.checkTarget(target);
  g.adjustStack(g.operandSize);
  if (g.operands.length > 0) {
    const bytes = g.temp('i64');
    g.rd(0);
    g.c.set(bytes);
    g.setReg(4, g.stackSize, () => {
      g.reg(4, g.stackSize);
      g.c.get(bytes).op('i64.add');
    });
  }
  g.jumpInd(() => g.c.get(target));
};

/** LOOP and its kin count in rCX of the address size and leave the flags alone. */
const loop =
  (kind: 'loop' | 'loope' | 'loopne'): Emitter =>
  (g) => {
    const { c } = g;
    const count = g.temp('i64');
    g.reg(1, g.addressSize);
    c.i64(1).op('i64.sub');
    zeroExtend(c, g.addressSize);
    c.set(count);
    g.setReg(1, g.addressSize, () => c.get(count));
    g.branch(0, () => {
      c.get(count).i64(0).op('i64.ne');
      if (kind !== 'loop') {
        g.cond(kind === 'loope' ? 4 : 5);
        c.op('i32.and');
      }
    });
  };

const jrcxz: Emitter = (g) => {
  g.branch(0, () => {
    g.reg(1, g.addressSize);
    g.c.op('i64.eqz');
  });
};

export const controlDefinitions: readonly Definition[] = [
  { mnemonic: 'JMP', encodings: [enc(0, 0xe9, ['Jz']), enc(0, 0xeb, ['Jb'])], size64: 'f64', endsBlock: true, emit: jmp },
  { mnemonic: 'JMP', encodings: [enc(0, 0xff, ['Ev'], { digit: 4 })], size64: 'f64', endsBlock: true, emit: jmpIndirect },
  {
    mnemonic: 'Jcc',
    encodings: [enc(0, 0x70, ['Jb'], { plusCc: true }), enc(1, 0x80, ['Jz'], { plusCc: true })],
    size64: 'f64',
    flags: { reads: ARITHMETIC },
    endsBlock: true,
    emit: jcc,
  },
  { mnemonic: 'CALL', encodings: [enc(0, 0xe8, ['Jz'])], size64: 'f64', endsBlock: true, emit: call },
  { mnemonic: 'CALL', encodings: [enc(0, 0xff, ['Ev'], { digit: 2 })], size64: 'f64', endsBlock: true, emit: callIndirect },
  { mnemonic: 'RET', encodings: [enc(0, 0xc3), enc(0, 0xc2, ['Iw'])], size64: 'f64', endsBlock: true, emit: ret },
  {
    mnemonic: 'LOOPNE',
    encodings: [enc(0, 0xe0, ['Jb'])],
    size64: 'f64',
    flags: { reads: Flag.ZF },
    endsBlock: true,
    emit: loop('loopne'),
  },
  { mnemonic: 'LOOPE', encodings: [enc(0, 0xe1, ['Jb'])], size64: 'f64', flags: { reads: Flag.ZF }, endsBlock: true, emit: loop('loope') },
  { mnemonic: 'LOOP', encodings: [enc(0, 0xe2, ['Jb'])], size64: 'f64', endsBlock: true, emit: loop('loop') },
  { mnemonic: 'JRCXZ', encodings: [enc(0, 0xe3, ['Jb'])], size64: 'f64', endsBlock: true, emit: jrcxz },
];
