/** String instructions. REP MOVS and REP STOS go page by page; every step leaves rCX, rSI and rDI as an interrupted processor would. */

import { ARITHMETIC, enc, Flag, type Definition, type Emitter } from './definition';
import { type Gen, type Size } from './gen';
import { zeroExtend } from './flags';
import { type Label } from '../wasm/code';
import { type MemoryOp } from '../wasm/opcodes';
import { Layout, State } from '../state';

const PAGE = 4096;
/** Steps after which a REP goes back to the loop: what is left goes on as the next instruction executed. */
const MOST_STEPS = 1 << 20;

function load(size: number): MemoryOp {
  return size === 8 ? 'i64.load' : size === 4 ? 'i64.load32_u' : size === 2 ? 'i64.load16_u' : 'i64.load8_u';
}

function store(size: number): MemoryOp {
  return size === 8 ? 'i64.store' : size === 4 ? 'i64.store32' : size === 2 ? 'i64.store16' : 'i64.store8';
}

/** i64 local with +size, or -size where DF is set. */
function direction(g: Gen, size: number): number {
  const step = g.temp('i64');
  g.c.i64(-size).i64(size);
  g.loadState('i32.load', State.flags);
  g.c.i32(Flag.DF).op('i32.and', 'select').set(step);
  return step;
}

/** Adds what `delta` pushes to rSI or rDI. */
function advance(g: Gen, register: number, delta: () => void): void {
  g.setReg(register, g.addressSize, () => {
    g.reg(register, g.addressSize);
    delta();
    g.c.op('i64.add');
  });
}

function address(g: Gen, which: 'source' | 'destination', size: number, access: 'read' | 'write'): number {
  const linear = g.temp('i64');
  g.stringAddress(which, size, access);
  g.c.set(linear);
  return linear;
}

/** Pushes the bytes from a linear address to the end of its page. */
function toPageEnd(g: Gen, linear: number): void {
  g.c
    .i64(PAGE)
    .get(linear)
    .i64(PAGE - 1)
    .op('i64.and', 'i64.sub');
}

function minimum(g: Gen, a: number, b: () => void): void {
  const other = g.temp('i64');
  b();
  g.c.set(other);
  g.c.get(a).get(other).get(a).get(other).op('i64.lt_u', 'select').set(a);
}

/**
 * The frame of a repeated instruction: `body` does one step and takes its share off rCX by `took`, or leaves by `br(exit)`.
 * `bulk`, where given, tries a page at once before each element: it branches to `again` when it did something.
 */
function repeat(g: Gen, body: (exit: Label) => void, bulk?: (again: Label, left: number) => void): void {
  const { c } = g;
  const left = g.temp('i64');
  const steps = g.temp('i32');
  c.i32(MOST_STEPS).set(steps);
  const exit = c.block();
  const again = c.loop();
  g.reg(1, g.addressSize);
  c.tee(left).op('i64.eqz').brIf(exit);
  c.get(steps).i32(1).op('i32.sub').tee(steps).op('i32.eqz');
  c.if();
  g.restart();
  c.end();
  bulk?.(again, left);
  body(exit);
  c.br(again);
  c.end();
  c.end();
}

/** rCX -= n. */
function countDown(g: Gen, n: () => void): void {
  g.setReg(1, g.addressSize, () => {
    g.reg(1, g.addressSize);
    n();
    g.c.op('i64.sub');
    zeroExtend(g.c, g.addressSize);
  });
}

const one = (g: Gen) => (): void => {
  g.c.i64(1);
};

const movs: Emitter = (g) => {
  const { c } = g;
  const size = g.operands[0]!.size;
  const step = direction(g, size);
  const element = (): void => {
    const source = address(g, 'source', size, 'read');
    const value = g.temp('i64');
    c.get(g.hostAt(source, 'read', size))
      .mem(load(size))
      .set(value);
    const destination = address(g, 'destination', size, 'write');
    const host = g.hostAt(destination, 'write', size);
    c.get(host).get(value).mem(store(size));
    g.commit(host);
    advance(g, 6, () => c.get(step));
    advance(g, 7, () => c.get(step));
  };
  if (g.rep === 'none') {
    element();
    return;
  }
  repeat(
    g,
    () => {
      element();
      countDown(g, one(g));
    },
    g.flatStrings
      ? (again, left) => {
          c.get(step).i64(0).op('i64.gt_s');
          c.if();
          const source = address(g, 'source', size, 'read');
          const destination = address(g, 'destination', size, 'write');
          const elements = g.temp('i64');
          const bytes = g.temp('i32');
          toPageEnd(g, source);
          c.set(elements);
          minimum(g, elements, () => toPageEnd(g, destination));
          if (size > 1) c.get(elements).i64(Math.log2(size)).op('i64.shr_u').set(elements);
          minimum(g, elements, () => c.get(left));
          c.get(elements).i64(0).op('i64.ne');
          c.if();
          const from = g.hostPage(source, 'read');
          const to = g.hostPage(destination, 'write');
          c.get(elements).op('i32.wrap_i64').i32(Math.log2(size)).op('i32.shl').set(bytes);
          // Device memory goes element by element; so does a copy that runs into its own source.
          c.get(from).i32(Layout.ramBase).op('i32.ge_u').get(to).i32(Layout.ramBase).op('i32.ge_u', 'i32.and');
          c.get(to).get(from).op('i32.sub').get(bytes).op('i32.ge_u').get(to).get(from).op('i32.eq', 'i32.or', 'i32.and');
          c.if();
          c.get(to).get(from).get(bytes).memoryCopy();
          advance(g, 6, () => c.get(bytes).op('i64.extend_i32_u'));
          advance(g, 7, () => c.get(bytes).op('i64.extend_i32_u'));
          countDown(g, () => c.get(elements));
          c.br(again);
          c.end();
          c.end();
          c.end();
        }
      : undefined,
  );
};

const stos: Emitter = (g) => {
  const { c } = g;
  const size = g.operands[0]!.size as Size;
  const step = direction(g, size);
  const value = g.temp('i64');
  g.reg(0, size);
  c.set(value);
  const element = (): void => {
    const destination = address(g, 'destination', size, 'write');
    const host = g.hostAt(destination, 'write', size);
    c.get(host).get(value).mem(store(size));
    g.commit(host);
    advance(g, 7, () => c.get(step));
  };
  if (g.rep === 'none') {
    element();
    return;
  }
  const same = g.temp('i32');
  // A value of equal bytes is a memory.fill.
  c.get(value)
    .i64(0xff)
    .op('i64.and')
    .i64(size === 8 ? 0x0101010101010101n : size === 4 ? 0x01010101n : size === 2 ? 0x0101n : 1n)
    .op('i64.mul')
    .get(value)
    .op('i64.eq')
    .set(same);
  repeat(
    g,
    () => {
      element();
      countDown(g, one(g));
    },
    g.flatStrings
      ? (again, left) => {
          c.get(step).i64(0).op('i64.gt_s').get(same).op('i32.and');
          c.if();
          const destination = address(g, 'destination', size, 'write');
          const elements = g.temp('i64');
          const bytes = g.temp('i32');
          toPageEnd(g, destination);
          if (size > 1) c.i64(Math.log2(size)).op('i64.shr_u');
          c.set(elements);
          minimum(g, elements, () => c.get(left));
          c.get(elements).i64(0).op('i64.ne');
          c.if();
          const to = g.hostPage(destination, 'write');
          c.get(elements).op('i32.wrap_i64').i32(Math.log2(size)).op('i32.shl').set(bytes);
          c.get(to).i32(Layout.ramBase).op('i32.ge_u');
          c.if();
          c.get(to).get(value).op('i32.wrap_i64').i32(0xff).op('i32.and').get(bytes).memoryFill();
          advance(g, 7, () => c.get(bytes).op('i64.extend_i32_u'));
          countDown(g, () => c.get(elements));
          c.br(again);
          c.end();
          c.end();
          c.end();
        }
      : undefined,
  );
};

const lods: Emitter = (g) => {
  const { c } = g;
  const size = g.operands[0]!.size as Size;
  const step = direction(g, size);
  const element = (): void => {
    const source = address(g, 'source', size, 'read');
    const value = g.temp('i64');
    c.get(g.hostAt(source, 'read', size))
      .mem(load(size))
      .set(value);
    g.setReg(0, size, () => c.get(value));
    advance(g, 6, () => c.get(step));
  };
  if (g.rep === 'none') element();
  else {
    repeat(g, () => {
      element();
      countDown(g, one(g));
    });
  }
};

/** CMPS compares [rSI] with [rDI], SCAS rAX with [rDI]; REPE goes on while equal, REPNE while different. */
const compare =
  (withSource: boolean): Emitter =>
  (g) => {
    const { c } = g;
    const size = g.operands[0]!.size as Size;
    const step = direction(g, size);
    const a = g.temp('i64');
    const b = g.temp('i64');
    const element = (): void => {
      if (withSource) {
        const source = address(g, 'source', size, 'read');
        c.get(g.hostAt(source, 'read', size))
          .mem(load(size))
          .set(a);
      } else {
        g.reg(0, size);
        c.set(a);
      }
      const destination = address(g, 'destination', size, 'read');
      c.get(g.hostAt(destination, 'read', size))
        .mem(load(size))
        .set(b);
      if (withSource) advance(g, 6, () => c.get(step));
      advance(g, 7, () => c.get(step));
      g.flags('sub', size, a, b);
    };
    if (g.rep === 'none') {
      element();
      return;
    }
    repeat(g, (exit) => {
      element();
      countDown(g, one(g));
      c.get(a)
        .get(b)
        .op(g.rep === 'rep' ? 'i64.ne' : 'i64.eq')
        .brIf(exit);
    });
  };

const compareFlags = { writes: ARITHMETIC } as const;

export const stringDefinitions: readonly Definition[] = [
  { mnemonic: 'MOVS', encodings: [enc(0, 0xa4, ['Yb', 'Xb']), enc(0, 0xa5, ['Yv', 'Xv'])], rep: 'rep', emit: movs },
  { mnemonic: 'STOS', encodings: [enc(0, 0xaa, ['Yb']), enc(0, 0xab, ['Yv'])], rep: 'rep', emit: stos },
  { mnemonic: 'LODS', encodings: [enc(0, 0xac, ['Xb']), enc(0, 0xad, ['Xv'])], rep: 'rep', emit: lods },
  {
    mnemonic: 'CMPS',
    encodings: [enc(0, 0xa6, ['Xb', 'Yb']), enc(0, 0xa7, ['Xv', 'Yv'])],
    rep: 'repe',
    flags: compareFlags,
    conditionalFlags: true,
    emit: compare(true),
  },
  {
    mnemonic: 'SCAS',
    encodings: [enc(0, 0xae, ['Yb']), enc(0, 0xaf, ['Yv'])],
    rep: 'repe',
    flags: compareFlags,
    conditionalFlags: true,
    emit: compare(false),
  },
  { mnemonic: 'INS', encodings: [enc(0, 0x6c, ['Yb', 'DX']), enc(0, 0x6d, ['Yz', 'DX'])], rep: 'rep', endsBlock: true, helper: 'INS' },
  { mnemonic: 'OUTS', encodings: [enc(0, 0x6e, ['DX', 'Xb']), enc(0, 0x6f, ['DX', 'Xz'])], rep: 'rep', endsBlock: true, helper: 'OUTS' },
];
