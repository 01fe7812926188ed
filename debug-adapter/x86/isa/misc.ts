/** Flag instructions, no-operations, hints and the legacy decimal adjusts. */

import { ARITHMETIC, enc, Flag, type Definition, type Emitter } from './definition';
import { type Gen } from './gen';
import { State } from '../state';

const nop: Emitter = () => undefined;

/** CLC, STC, CMC. */
const carryFlag =
  (kind: 'clear' | 'set' | 'complement'): Emitter =>
  (g) => {
    g.setArithmetic(() => {
      g.arithmetic();
      if (kind === 'complement') g.c.i64(1).op('i64.xor');
      else if (kind === 'set') g.c.i64(1).op('i64.or');
      else g.c.i64(ARITHMETIC & ~Flag.CF).op('i64.and');
    });
  };

const direction = (g: Gen, set: boolean): void => {
  g.storeState('i32.store', State.flags, () => {
    g.loadState('i32.load', State.flags);
    if (set) g.c.i32(Flag.DF).op('i32.or');
    else g.c.i32(~Flag.DF).op('i32.and');
  });
};

/** SAHF and LAHF move SF ZF AF PF CF through AH; OF stays. */
const sahf: Emitter = (g) => {
  g.setArithmetic(() => {
    g.arithmetic();
    g.c.i64(Flag.OF).op('i64.and');
    g.reg(0, 2);
    g.c
      .i64(8)
      .op('i64.shr_u')
      .i64(ARITHMETIC & ~Flag.OF)
      .op('i64.and', 'i64.or');
  });
};

const lahf: Emitter = (g) => {
  const flags = g.temp('i64');
  g.arithmetic();
  g.c
    .i64(ARITHMETIC & ~Flag.OF)
    .op('i64.and')
    .i64(2)
    .op('i64.or')
    .set(flags);
  g.setReg(0, 2, () => {
    g.reg(0, 1);
    g.c.get(flags).i64(8).op('i64.shl', 'i64.or');
  });
};

/** CLI and STI at CPL 0; what needs IOPL is the helper's. */
const interruptFlag =
  (on: boolean): Emitter =>
  (g) => {
    const { c } = g;
    g.loadState('i32.load', State.cpl);
    if (on) {
      // With a request waiting the loop must look after the next instruction.
      g.interruptLine();
      c.op('i32.or');
    }
    c.if();
    g.bail();
    c.end();
    if (on) {
      g.loadState('i32.load', State.flags);
      c.i32(Flag.IF).op('i32.and', 'i32.eqz');
      c.if();
      g.startShadow();
      c.end();
    }
    g.storeState('i32.store', State.flags, () => {
      g.loadState('i32.load', State.flags);
      if (on) c.i32(Flag.IF).op('i32.or');
      else c.i32(~Flag.IF).op('i32.and');
    });
    if (on) g.fallThrough();
  };

const pushf: Emitter = (g) => {
  if (!g.long) {
    g.bail();
    return;
  }
  const value = g.temp('i64');
  g.arithmetic();
  g.loadState('i64.load', State.flags);
  g.c
    .i64(~(Flag.RF | Flag.VM | ARITHMETIC))
    .op('i64.and', 'i64.or')
    .set(value);
  g.push(g.operandSize, value);
};

const unchanged = ARITHMETIC & ~Flag.CF;

export const miscDefinitions: readonly Definition[] = [
  {
    mnemonic: 'NOP',
    encodings: [
      enc(0, 0x90, [], { rexB: 0 }),
      // Hint space: NOP Ev, PREFETCH, ENDBR, RDSSP where shadow stacks are off (SDM vol. 2B, NOP).
      enc(1, 0x0d, ['Eb']),
      ...[0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1d, 0x1e, 0x1f].map((opcode) => enc(1, opcode, ['Ev'])),
    ],
    emit: nop,
  },
  { mnemonic: 'CLC', encodings: [enc(0, 0xf8)], flags: { keeps: unchanged, cleared: Flag.CF }, emit: carryFlag('clear') },
  { mnemonic: 'STC', encodings: [enc(0, 0xf9)], flags: { keeps: unchanged, set: Flag.CF }, emit: carryFlag('set') },
  {
    mnemonic: 'CMC',
    encodings: [enc(0, 0xf5)],
    flags: { reads: Flag.CF, keeps: unchanged, writes: Flag.CF },
    emit: carryFlag('complement'),
  },
  { mnemonic: 'CLD', encodings: [enc(0, 0xfc)], emit: (g) => direction(g, false) },
  { mnemonic: 'STD', encodings: [enc(0, 0xfd)], emit: (g) => direction(g, true) },
  { mnemonic: 'CLI', encodings: [enc(0, 0xfa)], emit: interruptFlag(false), helper: 'CLI' },
  { mnemonic: 'STI', encodings: [enc(0, 0xfb)], endsBlock: true, emit: interruptFlag(true), helper: 'STI' },
  { mnemonic: 'PUSHF', encodings: [enc(0, 0x9c)], size64: 'd64', flags: { reads: ARITHMETIC }, emit: pushf, helper: 'PUSHF' },
  {
    mnemonic: 'SAHF',
    encodings: [enc(0, 0x9e, [], { mode: 'legacy' })],
    flags: { keeps: Flag.OF, writes: ARITHMETIC & ~Flag.OF },
    emit: sahf,
  },
  {
    mnemonic: 'SAHF',
    encodings: [enc(0, 0x9e, [], { mode: '64' })],
    feature: 'lahf64',
    flags: { keeps: Flag.OF, writes: ARITHMETIC & ~Flag.OF },
    emit: sahf,
  },
  { mnemonic: 'LAHF', encodings: [enc(0, 0x9f, [], { mode: 'legacy' })], flags: { reads: ARITHMETIC & ~Flag.OF }, emit: lahf },
  {
    mnemonic: 'LAHF',
    encodings: [enc(0, 0x9f, [], { mode: '64' })],
    feature: 'lahf64',
    flags: { reads: ARITHMETIC & ~Flag.OF },
    emit: lahf,
  },
  {
    mnemonic: 'AAA',
    encodings: [enc(0, 0x37, [], { mode: 'legacy' })],
    flags: { reads: Flag.AF, writes: Flag.AF | Flag.CF, undefined: Flag.OF | Flag.SF | Flag.ZF | Flag.PF },
    helper: 'AAA',
  },
  {
    mnemonic: 'AAS',
    encodings: [enc(0, 0x3f, [], { mode: 'legacy' })],
    flags: { reads: Flag.AF, writes: Flag.AF | Flag.CF, undefined: Flag.OF | Flag.SF | Flag.ZF | Flag.PF },
    helper: 'AAS',
  },
  {
    mnemonic: 'DAA',
    encodings: [enc(0, 0x27, [], { mode: 'legacy' })],
    flags: { reads: Flag.AF | Flag.CF, writes: ARITHMETIC & ~Flag.OF, undefined: Flag.OF },
    helper: 'DAA',
  },
  {
    mnemonic: 'DAS',
    encodings: [enc(0, 0x2f, [], { mode: 'legacy' })],
    flags: { reads: Flag.AF | Flag.CF, writes: ARITHMETIC & ~Flag.OF, undefined: Flag.OF },
    helper: 'DAS',
  },
  {
    mnemonic: 'AAM',
    encodings: [enc(0, 0xd4, ['Ib'], { mode: 'legacy' })],
    flags: { writes: Flag.SF | Flag.ZF | Flag.PF, undefined: Flag.OF | Flag.AF | Flag.CF },
    helper: 'AAM',
  },
  {
    mnemonic: 'AAD',
    encodings: [enc(0, 0xd5, ['Ib'], { mode: 'legacy' })],
    flags: { writes: Flag.SF | Flag.ZF | Flag.PF, undefined: Flag.OF | Flag.AF | Flag.CF },
    helper: 'AAD',
  },
  { mnemonic: 'SALC', encodings: [enc(0, 0xd6, [], { mode: 'legacy' })], flags: { reads: Flag.CF }, helper: 'SALC' },
  { mnemonic: 'BOUND', encodings: [enc(0, 0x62, ['Gv', 'Mv'], { mode: 'legacy', mod: 'mem' })], helper: 'BOUND' },
  { mnemonic: 'ARPL', encodings: [enc(0, 0x63, ['Ew', 'Gw'], { mode: 'legacy' })], flags: { writes: Flag.ZF }, helper: 'ARPL' },
  { mnemonic: 'UD2', encodings: [enc(1, 0x0b)], helper: 'UD2' },
  { mnemonic: 'UD1', encodings: [enc(1, 0xb9, ['Gv', 'Ev'])], helper: 'UD2' },
  { mnemonic: 'UD0', encodings: [enc(1, 0xff, ['Gv', 'Ev'])], helper: 'UD2' },
];
