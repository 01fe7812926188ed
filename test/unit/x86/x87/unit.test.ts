/** The x87 unit inside the processor: #MF and #NM, faults of its operands, environments in memory, pointers, and cases that once went wrong. */

import assert from 'node:assert/strict';

import { Cr0 } from '../../../../debug-adapter/x86/control-bits';
import { Layout, State } from '../../../../debug-adapter/x86/state';
import { At, Rig } from '../system-rig';
import { difference, hex, newCase, type Outcome, runOurs } from './native.node';

function fsw(rig: Rig): number {
  return rig.view.getUint16(State.fsw, true);
}
/** A register of the stack as twenty digits. */
function st(rig: Rig, i: number): string {
  const at = State.x87 + (((fsw(rig) >>> 11) + i) & 7) * 16;
  return hex(rig.cpu.u8.slice(at, at + 10));
}

const fninit = [0xdb, 0xe3];
const fld1 = [0xd9, 0xe8];
const fldz = [0xd9, 0xee];
const fdivp = [0xde, 0xf9];
/** Memory forms at [rbx]: opcode and /digit. */
const mem = (opcode: number, digit: number): number[] => [opcode, (digit << 3) | 3];

describe('x87 in the processor', () => {
  it('computes with instructions of a program', () => {
    const rig = new Rig().set('rbx', At.data).ok(fninit);
    rig.view.setFloat64(Layout.ramBase + At.data, 2.5, true);
    rig.view.setFloat32(Layout.ramBase + At.data + 8, -0.75, true);
    rig.ok(mem(0xdd, 0)).ok([0xd8, 0x43, 8]).ok([0xdd, 0x5b, 16]);
    assert.equal(rig.view.getFloat64(Layout.ramBase + At.data + 16, true), 1.75);
  });

  it('reports an unmasked exception at the next waiting instruction as #MF', () => {
    const rig = new Rig().set('rbx', At.data).ok(fninit);
    rig.view.setUint16(Layout.ramBase + At.data, 0x37b, true);
    // fldcw with zero divide unmasked; 1/0
    rig.ok(mem(0xd9, 5)).ok(fld1).ok(fldz).ok(fdivp);
    assert.equal(fsw(rig) & 0x8084, 0x8084);
    assert.equal(st(rig, 0), '00000000000000000000');
    assert.equal(rig.fault(fld1), '10');
    assert.equal(rig.fault([0x9b]), '10');
    // fnstsw ax does not wait; fnclex ends it.
    rig.ok([0xdf, 0xe0]).ok([0xdb, 0xe2]).ok(fld1);
    assert.equal(rig.reg('rax') & 0x84n, 0x84n);
    // FOP is kept for the unmasked exception: DE F9.
    assert.equal(rig.view.getUint16(State.fop, true), 0x6f9);
  });

  it('raises #NM with CR0.TS and EM, WAIT only with MP too', () => {
    const rig = new Rig();
    const cr0 = rig.reg('cr0');
    rig.poke(State.cr0, cr0 | BigInt(Cr0.TS));
    assert.equal(rig.fault(fld1), '7');
    assert.equal(rig.fault([0x9b]), '7');
    rig.poke(State.cr0, (cr0 | BigInt(Cr0.TS)) & ~BigInt(Cr0.MP));
    assert.equal(rig.fault([0x9b]), 'none');
    rig.poke(State.cr0, cr0 | BigInt(Cr0.EM));
    assert.equal(rig.fault(fninit), '7');
  });

  it('raises #UD for encodings that do not exist', () => {
    const rig = new Rig();
    for (const code of [
      [0xd9, 0xd1],
      [0xd9, 0xe2],
      [0xd9, 0xef],
      [0xda, 0xe8],
      [0xdb, 0xe5],
      [0xdd, 0xf0],
      [0xde, 0xd8],
      [0xdf, 0xe1],
      mem(0xd9, 1),
      mem(0xdb, 4),
      mem(0xdb, 6),
      mem(0xdd, 5),
    ]) {
      assert.equal(rig.fault(code), '6', code.map((b) => b.toString(16)).join(' '));
    }
  });

  it('changes nothing when its operand faults', () => {
    const rig = new Rig()
      .ok(fninit)
      .ok(fld1)
      .set('rbx', 0x40_0000 - 4);
    rig.write64(At.pages + 0x2000 + 2 * 8, 0n);
    rig.cpu.invalidate();
    const before = rig.cpu.u8.slice(State.x87, State.mxcsr);
    // fstp m64 and m80, fistp m64, fbstp, fld m80, fnsave, frstor across the end of memory
    for (const code of [mem(0xdd, 3), mem(0xdb, 7), mem(0xdf, 7), mem(0xdf, 6), mem(0xdb, 5), mem(0xdd, 6), mem(0xdd, 4)]) {
      assert.match(rig.fault(code), /^e:/);
      assert.deepEqual(rig.cpu.u8.slice(State.x87, State.mxcsr), before);
    }
  });

  it('stores environments in the 16 and 32-bit formats, and takes them back', () => {
    const rig = new Rig('protected').set('rbx', At.data).ok(fninit).ok(fld1).ok(fldz);
    const address = Number(rig.last);
    const at = Layout.ramBase + At.data;
    rig.ok(mem(0xd9, 6));
    assert.equal(rig.view.getUint32(at, true), 0xffff_037f);
    assert.equal(rig.view.getUint32(at + 4, true), 0xffff_3000);
    // ST(0) is zero, ST(1) valid, the others empty.
    assert.equal(rig.view.getUint32(at + 8, true), 0xffff_1fff);
    assert.equal(rig.view.getUint32(at + 12, true), address);
    rig.ok([0x66, ...mem(0xdd, 6)]);
    assert.equal(rig.view.getUint16(at + 2, true), 0x3000);
    assert.equal(rig.view.getUint16(at + 4, true), 0x1fff);
    assert.equal(hex(rig.cpu.u8.slice(at + 24, at + 34)), '3fff8000000000000000');
    assert.equal(fsw(rig), 0);
    assert.equal(rig.view.getUint16(State.ftw, true), 0xffff);
    rig.ok([0x66, ...mem(0xdd, 4)]);
    assert.equal(st(rig, 1), '3fff8000000000000000');
    // Loading an environment with an exception that is not masked makes it wait.
    rig.view.setUint16(at, 0x37e, true);
    rig.view.setUint16(at + 2, 0x0001, true);
    rig.ok([0x66, ...mem(0xd9, 4)]);
    assert.equal(fsw(rig), 0x8081);
    assert.equal(rig.fault(fld1), '10');
  });

  it('FCOMI and FCMOV use the arithmetic flags', () => {
    const rig = new Rig().set('rflags', 0x8d7n).ok(fninit).ok(fld1).ok(fldz);
    // fcomi st0, st1: 0 < 1
    rig.ok([0xdb, 0xf1]);
    assert.equal(rig.reg('rflags'), 0x3n);
    // fcmovb st0, st1
    rig.ok([0xda, 0xc1]);
    assert.equal(st(rig, 0), '3fff8000000000000000');
  });
});

/** Cases that random comparison with a processor (Zen 4) found, kept by name: input, then what the processor gave. */
interface Named {
  readonly name: string;
  readonly code: readonly [number, number];
  readonly fcw: number;
  readonly fsw: number;
  readonly tags?: number;
  readonly st0: string;
  readonly st1?: string;
  readonly operand?: string;
  readonly expected: { readonly fsw: number; readonly st0: string };
}

const one = '3fff8000000000000000';
const named: readonly Named[] = [
  {
    name: 'FCOMI leaves C1',
    code: [0xdb, 0xf1],
    fcw: 0x37f,
    fsw: 0x200,
    st0: one,
    st1: one,
    expected: { fsw: 0x200, st0: one },
  },
  {
    name: 'FCMOVcc leaves C1',
    code: [0xda, 0xc1],
    fcw: 0x37f,
    fsw: 0x200,
    st0: one,
    st1: '40008000000000000000',
    expected: { fsw: 0x200, st0: one },
  },
  {
    name: 'FCOM writes its codes even when an unmasked #D stops it',
    code: [0xd8, 0xd1],
    fcw: 0x37d,
    fsw: 0x4000,
    st0: '00004900000000000000',
    st1: one,
    expected: { fsw: 0x8182, st0: '00004900000000000000' },
  },
  {
    name: 'FLD m32 of a denormal loads although #D is unmasked',
    code: [0xd9, 0x06],
    fcw: 0x37d,
    fsw: 0x0800,
    tags: 0x0003,
    st0: one,
    operand: '000000000000000000000000000001a9',
    expected: { fsw: 0x8082, st0: '3f72d480000000000000' },
  },
  {
    name: 'FST m64 with an unmasked overflow clears C1',
    code: [0xdd, 0x16],
    fcw: 0x377,
    fsw: 0x200,
    st0: 'c3feffffffffffffffff',
    expected: { fsw: 0x8088, st0: 'c3feffffffffffffffff' },
  },
  {
    name: 'FSCALE far below an unmasked underflow gives zero',
    code: [0xd9, 0xfd],
    fcw: 0xf6d,
    fsw: 0,
    st0: 'c03dd8f37c98bd8ee4e0',
    st1: 'c01fbec5de11f423f2aa',
    expected: { fsw: 0x80b0, st0: '80000000000000000000' },
  },
  {
    name: 'FSCALE far above an unmasked overflow gives infinity and C1',
    code: [0xd9, 0xfd],
    fcw: 0xb66,
    fsw: 0,
    st0: '401497a5acdf098d6d39',
    st1: '401497a5acdf098d6d39',
    expected: { fsw: 0x82a8, st0: '7fff8000000000000000' },
  },
  {
    name: 'F2XM1 beyond its range gives the operand back and raises #P',
    code: [0xd9, 0xf0],
    fcw: 0x37f,
    fsw: 0,
    st0: 'fffdf72c30419dd4a049',
    expected: { fsw: 0x20, st0: 'fffdf72c30419dd4a049' },
  },
  {
    name: 'FSIN reduces with 66 bits of pi',
    code: [0xd9, 0xfe],
    fcw: 0xd7f,
    fsw: 0,
    st0: '4014ffffffffffffffff',
    expected: { fsw: 0x20, st0: '3ffef9a2147ca487378e' },
  },
  {
    name: 'FPREM clears C2 on a stack fault',
    code: [0xd9, 0xf8],
    fcw: 0x37f,
    fsw: 0x400,
    tags: 0x000c,
    st0: one,
    st1: one,
    expected: { fsw: 0x41, st0: 'ffffc000000000000000' },
  },
];

function hexInto(bytes: Uint8Array, at: number, text: string): void {
  Buffer.from(text, 'hex')
    .reverse()
    .forEach((b, i) => (bytes[at + i] = b));
}

describe('x87 cases found by comparison', () => {
  for (const n of named) {
    it(n.name, () => {
      const c = newCase();
      c.bytes.set(n.code);
      c.bytes[15] = 2;
      c.view.setUint16(16, n.fcw, true);
      c.view.setUint16(20, n.fsw, true);
      c.view.setUint16(24, n.tags ?? 0, true);
      for (let i = 0; i < 8; i++) hexInto(c.bytes, 44 + i * 10, i === 0 ? n.st0 : (n.st1 ?? one));
      if (n.operand !== undefined) hexInto(c.bytes, 124, n.operand);
      const ours = runOurs(c);
      assert.equal(ours.registers[0], n.expected.st0);
      assert.equal(ours.fsw, n.expected.fsw);
    });
  }

  it('the comparison itself finds differences', () => {
    const c = newCase();
    c.bytes.set([0xd8, 0xc1]);
    const a: Outcome = { fcw: 0x37f, fsw: 0, ftw: 0, registers: Array<string>(8).fill(one), operand: '', flags: 0, ax: 0 };
    assert.equal(difference(c, a, a), undefined);
    assert.match(difference(c, a, { ...a, fsw: 1 })!, /fsw: native 0, ours 1/);
    assert.match(difference(c, a, { ...a, registers: ['3fff8000000000000001', ...a.registers.slice(1)] })!, /st0/);
  });
});
