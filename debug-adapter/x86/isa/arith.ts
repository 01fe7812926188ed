/** Integer addition, subtraction, comparison and logic: the ALU rows of the opcode map, INC/DEC, NEG/NOT, XADD, CMPXCHG, ADCX/ADOX, and the decimal adjusts. */

import { ARITHMETIC, enc, Flag, type Definition, type Emitter, type Encoding, type FlagEffects } from './definition';
import { zeroExtend } from './flags';
import { type Gen, type Size } from './gen';

const all: FlagEffects = { writes: ARITHMETIC };
const logicFlags: FlagEffects = { writes: Flag.ZF | Flag.SF | Flag.PF, cleared: Flag.CF | Flag.OF, undefined: Flag.AF };

/** The six encodings that the eight ALU operations share: Eb,Gb Ev,Gv Gb,Eb Gv,Ev AL,Ib rAX,Iz and the immediate group. */
function aluRows(base: number): Encoding[] {
  const digit = base >> 3;
  return [
    enc(0, base, ['Eb', 'Gb']),
    enc(0, base + 1, ['Ev', 'Gv']),
    enc(0, base + 2, ['Gb', 'Eb']),
    enc(0, base + 3, ['Gv', 'Ev']),
    enc(0, base + 4, ['AL', 'Ib']),
    enc(0, base + 5, ['rAX', 'Iz']),
    enc(0, 0x80, ['Eb', 'Ib'], { digit }),
    enc(0, 0x81, ['Ev', 'Iz'], { digit }),
    enc(0, 0x82, ['Eb', 'Ib'], { digit, mode: 'legacy' }),
    enc(0, 0x83, ['Ev', 'Ibs'], { digit }),
  ];
}

function sizeOf(g: Gen, i = 0): Size {
  return g.operands[i]!.size as Size;
}

/** Pushes the second operand into a local. */
function second(g: Gen, i = 1): number {
  const b = g.temp('i64');
  g.rd(i);
  g.c.set(b);
  return b;
}

const addSub =
  (op: 'add' | 'sub'): Emitter =>
  (g) => {
    const b = second(g);
    let a = -1;
    g.rmw(0, (old) => {
      a = old;
      g.c
        .get(old)
        .get(b)
        .op(op === 'add' ? 'i64.add' : 'i64.sub');
    });
    g.flags(op, sizeOf(g), a, b);
  };

const withCarry =
  (op: 'adc' | 'sbb'): Emitter =>
  (g) => {
    const b = second(g);
    const carry = g.temp('i64');
    g.carry();
    g.c.set(carry);
    let a = -1;
    g.rmw(0, (old) => {
      a = old;
      const step = op === 'adc' ? 'i64.add' : 'i64.sub';
      g.c.get(old).get(b).op(step).get(carry).op(step);
    });
    g.flags(op, sizeOf(g), a, b, carry);
  };

const logic =
  (op: 'i64.and' | 'i64.or' | 'i64.xor'): Emitter =>
  (g) => {
    const b = second(g);
    const result = g.temp('i64');
    g.rmw(0, (old) => {
      g.c.get(old).get(b).op(op).tee(result);
    });
    g.flags('logic', sizeOf(g), result);
  };

const cmp: Emitter = (g) => {
  const a = g.temp('i64');
  g.rd(0);
  g.c.set(a);
  const b = second(g);
  g.flags('sub', sizeOf(g), a, b);
};

const test: Emitter = (g) => {
  const result = g.temp('i64');
  g.rd(0);
  g.rd(1);
  g.c.op('i64.and').set(result);
  g.flags('logic', sizeOf(g), result);
};

const step =
  (op: 'inc' | 'dec'): Emitter =>
  (g) => {
    const result = g.temp('i64');
    const carry = g.temp('i64');
    if (g.flagsNeeded(ARITHMETIC)) {
      g.carry();
      g.c.set(carry);
    }
    g.rmw(0, (old) => {
      g.c
        .get(old)
        .i64(op === 'inc' ? 1 : -1)
        .op('i64.add');
      zeroExtend(g.c, sizeOf(g));
      g.c.tee(result);
    });
    g.flags(op, sizeOf(g), result, carry);
  };

const neg: Emitter = (g) => {
  const zero = g.temp('i64');
  // The local may be set already where several instructions share one function.
  g.c.i64(0).set(zero);
  let value = -1;
  g.rmw(0, (old) => {
    value = old;
    g.c.i64(0).get(old).op('i64.sub');
  });
  g.flags('sub', sizeOf(g), zero, value);
};

const not: Emitter = (g) => {
  g.rmw(0, (old) => {
    g.c.get(old).i64(-1).op('i64.xor');
  });
};

const xadd: Emitter = (g) => {
  const b = second(g);
  let a = -1;
  if (g.operands[0]!.kind === 'mem') {
    g.rmw(0, (old) => {
      a = old;
      g.c.get(old).get(b).op('i64.add');
    });
    g.wr(1, () => g.c.get(a));
  } else {
    // The source register gets the old value first: where both are one register the sum stays.
    a = g.temp('i64');
    g.rd(0);
    g.c.set(a);
    g.wr(1, () => g.c.get(a));
    g.wr(0, () => g.c.get(a).get(b).op('i64.add'));
  }
  g.flags('add', sizeOf(g), a, b);
};

/** CMPXCHG writes its destination in any case; a 32-bit compare that fails writes EAX, and so clears the upper half of RAX only then. */
const cmpxchg: Emitter = (g) => {
  const { c } = g;
  const size = sizeOf(g);
  const accumulator = g.temp('i64');
  g.reg(0, size);
  c.set(accumulator);
  const source = second(g);
  let old = -1;
  const equal = g.temp('i32');
  const write = (): void => {
    c.get(source).get(old).get(accumulator).get(old).op('i64.eq').tee(equal).op('select');
  };
  if (g.operands[0]!.kind === 'mem') {
    g.rmw(0, (value) => {
      old = value;
      write();
    });
  } else {
    old = g.temp('i64');
    g.rd(0);
    c.set(old);
    c.get(accumulator).get(old).op('i64.eq').tee(equal);
    c.if();
    g.wr(0, () => c.get(source));
    c.end();
  }
  c.get(equal).op('i32.eqz');
  c.if();
  g.setReg(0, size, () => c.get(old));
  c.end();
  g.flags('sub', size, accumulator, old);
};

const adx =
  (flag: number): Emitter =>
  (g) => {
    // ADCX and ADOX change one flag alone, so the others are materialised.
    const { c } = g;
    const size = sizeOf(g);
    const bit = flag === Flag.CF ? 0 : 11;
    const flags = g.temp('i64');
    const carry = g.temp('i64');
    const b = second(g);
    const a = g.temp('i64');
    const sum = g.temp('i64');
    g.arithmetic();
    c.tee(flags).i64(bit).op('i64.shr_u').i64(1).op('i64.and').set(carry);
    g.rd(0);
    c.tee(a).get(b).op('i64.add').get(carry).op('i64.add').set(sum);
    g.wr(0, () => c.get(sum));
    if (size === 4) {
      c.get(sum).i64(32).op('i64.shr_u').set(carry);
    } else {
      c.get(a)
        .get(b)
        .op('i64.and')
        .get(a)
        .get(b)
        .op('i64.or')
        .get(sum)
        .i64(-1)
        .op('i64.xor', 'i64.and', 'i64.or')
        .i64(63)
        .op('i64.shr_u')
        .set(carry);
    }
    g.setArithmetic(() =>
      c
        .get(flags)
        .i64(~flag & ARITHMETIC)
        .op('i64.and')
        .get(carry)
        .i64(bit)
        .op('i64.shl', 'i64.or'),
    );
  };

function alu(mnemonic: string, base: number, emit: Emitter, flags: FlagEffects, lock = true): Definition {
  return { mnemonic, encodings: aluRows(base), flags, emit, ...(lock ? { lock: true } : {}) };
}

export const arithDefinitions: readonly Definition[] = [
  alu('ADD', 0x00, addSub('add'), all),
  alu('OR', 0x08, logic('i64.or'), logicFlags),
  alu('ADC', 0x10, withCarry('adc'), { reads: Flag.CF, writes: ARITHMETIC }),
  alu('SBB', 0x18, withCarry('sbb'), { reads: Flag.CF, writes: ARITHMETIC }),
  alu('AND', 0x20, logic('i64.and'), logicFlags),
  alu('SUB', 0x28, addSub('sub'), all),
  alu('XOR', 0x30, logic('i64.xor'), logicFlags),
  alu('CMP', 0x38, cmp, all, false),
  {
    mnemonic: 'TEST',
    encodings: [
      enc(0, 0x84, ['Eb', 'Gb']),
      enc(0, 0x85, ['Ev', 'Gv']),
      enc(0, 0xa8, ['AL', 'Ib']),
      enc(0, 0xa9, ['rAX', 'Iz']),
      enc(0, 0xf6, ['Eb', 'Ib'], { digit: 0 }),
      enc(0, 0xf6, ['Eb', 'Ib'], { digit: 1 }),
      enc(0, 0xf7, ['Ev', 'Iz'], { digit: 0 }),
      enc(0, 0xf7, ['Ev', 'Iz'], { digit: 1 }),
    ],
    flags: logicFlags,
    emit: test,
  },
  {
    mnemonic: 'INC',
    encodings: [
      enc(0, 0xfe, ['Eb'], { digit: 0 }),
      enc(0, 0xff, ['Ev'], { digit: 0 }),
      enc(0, 0x40, ['Zv'], { plusR: true, mode: 'legacy' }),
    ],
    flags: { writes: ARITHMETIC & ~Flag.CF },
    lock: true,
    emit: step('inc'),
  },
  {
    mnemonic: 'DEC',
    encodings: [
      enc(0, 0xfe, ['Eb'], { digit: 1 }),
      enc(0, 0xff, ['Ev'], { digit: 1 }),
      enc(0, 0x48, ['Zv'], { plusR: true, mode: 'legacy' }),
    ],
    flags: { writes: ARITHMETIC & ~Flag.CF },
    lock: true,
    emit: step('dec'),
  },
  { mnemonic: 'NOT', encodings: [enc(0, 0xf6, ['Eb'], { digit: 2 }), enc(0, 0xf7, ['Ev'], { digit: 2 })], lock: true, emit: not },
  {
    mnemonic: 'NEG',
    encodings: [enc(0, 0xf6, ['Eb'], { digit: 3 }), enc(0, 0xf7, ['Ev'], { digit: 3 })],
    flags: all,
    lock: true,
    emit: neg,
  },
  { mnemonic: 'XADD', encodings: [enc(1, 0xc0, ['Eb', 'Gb']), enc(1, 0xc1, ['Ev', 'Gv'])], flags: all, lock: true, emit: xadd },
  { mnemonic: 'CMPXCHG', encodings: [enc(1, 0xb0, ['Eb', 'Gb']), enc(1, 0xb1, ['Ev', 'Gv'])], flags: all, lock: true, emit: cmpxchg },
  {
    mnemonic: 'ADCX',
    encodings: [enc(2, 0xf6, ['Gy', 'Ey'], { prefix: '66' })],
    feature: 'adx',
    flags: { reads: Flag.CF, keeps: ARITHMETIC, writes: Flag.CF },
    emit: adx(Flag.CF),
  },
  {
    mnemonic: 'ADOX',
    encodings: [enc(2, 0xf6, ['Gy', 'Ey'], { prefix: 'F3' })],
    feature: 'adx',
    flags: { reads: Flag.OF, keeps: ARITHMETIC, writes: Flag.OF },
    emit: adx(Flag.OF),
  },
];
