/** FXSAVE and FXRSTOR: layouts, checks, hooks; the XSAVE family is absent from every model so far and raises #UD. */

import assert from 'node:assert/strict';

import { xsaveHelpers } from '../../../debug-adapter/x86/xsave';
import { Cr0, Cr4 } from '../../../debug-adapter/x86/control-bits';
import { type DecodedInsn, GuestFault } from '../../../debug-adapter/x86/context';
import { Layout, Seg, State } from '../../../debug-adapter/x86/state';
import { Random, seedOf } from '../../lockstep/random';
import { At, Rig } from './system-rig';

const area = Layout.ramBase + At.data;
/** An instruction with [rbx], for helpers that are called straight. */
const insn = (mnemonic: string, rexW = true): DecodedInsn => ({
  mnemonic,
  rip: 0n,
  next: 4n,
  length: 4,
  opcode: 0xae,
  map: 1,
  modrm: 0x23,
  operandSize: 8,
  addressSize: 8,
  rexW,
  lock: false,
  rep: 'none',
  operands: [{ kind: 'mem', size: 0 }],
  memory: { base: 3, index: -1, scale: 1, disp: 0n, segment: Seg.DS },
  segmentOverride: undefined,
});
/** [rbx] forms. */
const fxsave64 = [0x48, 0x0f, 0xae, 0x03];
const fxsave = [0x0f, 0xae, 0x03];
const fxrstor64 = [0x48, 0x0f, 0xae, 0x0b];

function prepared(): Rig {
  const rig = new Rig().set('rbx', At.data);
  // fninit; fld1; fldpi; then xmm registers with their numbers.
  rig.ok([0xdb, 0xe3]).ok([0xd9, 0xe8]).ok([0xd9, 0xeb]);
  for (let i = 0; i < 16; i++) rig.cpu.u8.fill(0x10 + i, State.xmm + i * 32, State.xmm + i * 32 + 16);
  rig.view.setUint32(State.mxcsr, 0x1fa0, true);
  return rig;
}

describe('FXSAVE and FXRSTOR', () => {
  it('lay the state out as the manual has it', () => {
    const rig = prepared();
    rig.cpu.u8.fill(0xee, area, area + 512);
    rig.ok(fxsave64);
    const { view } = rig;
    assert.equal(view.getUint16(area, true), 0x37f);
    assert.equal(view.getUint16(area + 2, true) >>> 11, 6);
    assert.equal(view.getUint8(area + 4), 0xc0);
    assert.equal(view.getUint32(area + 24, true), 0x1fa0);
    assert.equal(view.getUint32(area + 28, true), 0xffff);
    assert.equal(view.getBigUint64(area + 32, true), 0xc90f_daa2_2168_c235n);
    assert.equal(view.getBigUint64(area + 40, true), 0x4000n);
    assert.equal(view.getBigUint64(area + 48, true), 1n << 63n);
    assert.equal(view.getUint8(area + 160 + 15 * 16), 0x1f);
    assert.equal(view.getUint8(area + 416), 0xee, 'the last 96 bytes are the program’s');
  });

  it('save eight vector registers outside 64-bit code', () => {
    const rig = new Rig('protected').set('rbx', At.data);
    rig.cpu.u8.fill(0xee, area, area + 512);
    rig.ok(fxsave);
    assert.equal(rig.view.getUint8(area + 160 + 7 * 16), 0);
    assert.equal(rig.view.getUint8(area + 160 + 8 * 16), 0xee);
  });

  it('bring everything back', () => {
    const rig = prepared().ok(fxsave64);
    const before = rig.cpu.u8.slice(State.xmm, State.mxcsr + 4);
    rig.cpu.u8.fill(0, State.xmm, State.mxcsr + 4);
    const calls: string[] = [];
    rig.cpu.hooks.extendedState = (kind, address) => void calls.push(`${kind} ${address.toString(16)}`);
    rig.ok(fxrstor64);
    assert.deepEqual(rig.cpu.u8.slice(State.xmm, State.mxcsr + 4), before);
    rig.ok(fxsave64);
    assert.deepEqual(calls, ['restore 30000', 'save 30000']);
  });

  it('check alignment, MXCSR, CR0 and the whole area', () => {
    const rig = prepared().ok(fxsave64);
    assert.equal(rig.set('rbx', At.data + 8).fault(fxsave64), 'd:0');
    rig.set('rbx', At.data).view.setUint32(area + 24, 0x1_0000, true);
    assert.equal(rig.fault(fxrstor64), 'd:0');
    assert.equal(rig.view.getUint32(State.mxcsr, true), 0x1fa0);
    rig.poke(State.cr0, rig.reg('cr0') | BigInt(Cr0.TS));
    assert.equal(rig.fault(fxsave64), '7');
    const end = new Rig().set('rbx', 0x40_0000 - 256);
    end.write64(At.pages + 0x2000 + 2 * 8, 0n);
    end.cpu.invalidate();
    end.cpu.u8.fill(0xee, Layout.ramBase + 0x40_0000 - 256, Layout.ramBase + 0x40_0000);
    assert.equal(end.fault(fxsave64), 'e:2');
    assert.equal(end.reg('cr2'), 0x40_0000n);
    assert.equal(end.view.getUint8(Layout.ramBase + 0x40_0000 - 256), 0xee);
  });
});

describe('areas of extended state', () => {
  const count = 400;

  it('are moved by generated code as by TypeScript', () => {
    const random = new Random(seedOf('areas of extended state'));
    const rig = prepared();
    const { u8, view } = rig.cpu;
    const fill = (from: number, length: number): void => {
      for (let i = 0; i < length; i++) u8[from + i] = random.below(256);
    };
    /** All that may change, the area included. */
    const parts = [
      [State.x87, 128],
      [State.xmm, 512],
      ...[State.fcw, State.fsw, State.ftw, State.fop, State.fcs, State.fds].map((at) => [at, 2] as const),
      ...[State.fip, State.fdp].map((at) => [at, 8] as const),
      [State.mxcsr, 4],
      [area, 1024],
    ] as const;
    const take = (): Uint8Array[] => parts.map(([at, length]) => u8.slice(at, at + length));
    const put = (saved: readonly Uint8Array[]): void => {
      parts.forEach(([at], i) => {
        u8.set(saved[i]!, at);
      });
    };
    for (let i = 0; i < count; i++) {
      for (const [at, length] of parts) fill(at, length);
      view.setUint16(State.ftw, (view.getUint16(State.ftw, true) & 0x5555) * 3, true);
      for (const at of [State.mxcsr, area + 24]) view.setUint32(at, random.below(0x1_0000), true);
      view.setUint8(area + 512, random.below(4));
      u8.fill(0, area + 513, area + 576);
      view.setUint32(State.cr4, Cr4.OSXSAVE | Cr4.PAE | (random.below(4) === 0 ? 0 : Cr4.OSFXSR), true);
      view.setUint32(State.xcr0, 3, true);
      rig.set('rax', random.below(4)).set('rdx', 0);
      const name = random.pick(['FXSAVE', 'FXRSTOR', 'XSAVE', 'XRSTOR']);
      const form = insn(name, random.below(2) === 0);
      const before = take();
      const results = [true, false].map((cold) => {
        put(before);
        // What the TLB does not have is copied.
        if (cold) rig.cpu.flushTlb(true);
        xsaveHelpers[name]!(rig.cpu, form);
        return take();
      });
      assert.deepEqual(results[1], results[0], `case ${i}, ${name}`);
    }
  });
});

describe('the XSAVE family', () => {
  const call = (rig: Rig, name: string): string => {
    try {
      xsaveHelpers[name]!(rig.cpu, insn(name));
      return 'ok';
    } catch (fault) {
      assert.ok(fault instanceof GuestFault);
      return `${fault.vector.toString(16)}${fault.errorCode === undefined ? '' : `:${fault.errorCode}`}`;
    }
  };

  it('is no instruction without the feature', () => {
    assert.equal(new Rig().fault([0x0f, 0xae, 0x23]), '6');
  });

  it('saves and restores what EDX:EAX and XCR0 name', () => {
    const rig = prepared();
    assert.equal(call(rig, 'XSAVE'), '6');
    rig.view.setBigUint64(State.cr4, rig.reg('cr4') | BigInt(Cr4.OSXSAVE), true);
    rig.view.setBigUint64(State.xcr0, 3n, true);
    rig.set('rax', 2).set('rdx', 0);
    assert.equal(call(rig, 'XSAVE'), 'ok');
    assert.equal(rig.read64(At.data + 512), 2n);
    assert.equal(rig.read64(At.data + 32), 0n);
    rig.set('rax', 3);
    assert.equal(call(rig, 'XSAVEOPT'), 'ok');
    assert.equal(rig.read64(At.data + 512), 3n);
    const before = rig.cpu.u8.slice(State.xmm, State.mxcsr + 4);
    rig.cpu.u8.fill(0, State.xmm, State.fcw);
    assert.equal(call(rig, 'XRSTOR'), 'ok');
    assert.deepEqual(rig.cpu.u8.slice(State.x87, State.mxcsr + 4), before.slice(State.x87 - State.xmm));
    assert.equal(rig.view.getUint8(State.xmm + 32), 0x11);
    // A component that the area does not hold goes back to its first state.
    rig.write64(At.data + 512, 1n);
    assert.equal(call(rig, 'XRSTOR'), 'ok');
    assert.equal(rig.view.getUint8(State.xmm + 32), 0);
    // Headers that cannot be.
    rig.write64(At.data + 512, 4n);
    assert.equal(call(rig, 'XRSTOR'), 'd:0');
    rig.write64(At.data + 512, 1n);
    rig.write64(At.data + 528, 1n);
    assert.equal(call(rig, 'XRSTOR'), 'd:0');
  });
});
