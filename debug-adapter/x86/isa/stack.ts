/** PUSH, POP, LEAVE and the other stack instructions that generated code does itself; the wide ones (PUSHA, ENTER, POPF) are helpers. */

import { enc, type Definition, type Emitter } from './definition';

const push: Emitter = (g) => {
  const value = g.temp('i64');
  g.rdSigned(0);
  g.c.set(value);
  g.push(g.operandSize, value);
};

const pop: Emitter = (g) => {
  if (g.operands[0]!.kind === 'mem') {
    // The address is formed after rSP has moved, and a fault must put it back: the helper's work.
    g.bail();
    return;
  }
  // POP rSP: the loaded value wins over the increment.
  const value = g.pop(g.operandSize);
  g.wr(0, () => g.c.get(value));
};

const leave: Emitter = (g) => {
  const { c } = g;
  const frame = g.temp('i64');
  // rSP = rBP, then pop rBP; where the load faults rSP must stay, so the load goes through rBP first.
  g.reg(5, g.stackSize);
  c.set(frame);
  if (g.long) {
    const host = g.hostAt(frame, 'read', g.operandSize);
    const value = g.temp('i64');
    c.get(host)
      .mem(g.operandSize === 8 ? 'i64.load' : 'i64.load16_u')
      .set(value);
    g.setReg(4, 8, () => c.get(frame).i64(g.operandSize).op('i64.add'));
    g.setReg(5, g.operandSize, () => c.get(value));
    return;
  }
  g.bail();
};

export const stackDefinitions: readonly Definition[] = [
  {
    mnemonic: 'PUSH',
    encodings: [enc(0, 0x50, ['Zv'], { plusR: true }), enc(0, 0x68, ['Iz']), enc(0, 0x6a, ['Ibs']), enc(0, 0xff, ['Ev'], { digit: 6 })],
    size64: 'd64',
    emit: push,
  },
  {
    mnemonic: 'POP',
    encodings: [enc(0, 0x58, ['Zv'], { plusR: true }), enc(0, 0x8f, ['Ev'], { digit: 0 })],
    size64: 'd64',
    emit: pop,
    helper: 'POP',
  },
  { mnemonic: 'LEAVE', encodings: [enc(0, 0xc9)], size64: 'd64', emit: leave, helper: 'LEAVE' },
  { mnemonic: 'PUSHA', encodings: [enc(0, 0x60, [], { mode: 'legacy' })], helper: 'PUSHA' },
  { mnemonic: 'POPA', encodings: [enc(0, 0x61, [], { mode: 'legacy' })], helper: 'POPA' },
  { mnemonic: 'ENTER', encodings: [enc(0, 0xc8, ['Iw', 'Ib'])], size64: 'd64', helper: 'ENTER' },
];
