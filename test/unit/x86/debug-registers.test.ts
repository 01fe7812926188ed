/** Debug registers: aliases, fixed bits, general detect, breakpoints and single stepping as the guest sees them. */

import assert from 'node:assert/strict';

import { Cr4 } from '../../../debug-adapter/x86/control-bits';
import { Layout, State } from '../../../debug-adapter/x86/state';
import { At, Rig } from './system-rig';

const toDr = (n: number): number[] => [0x0f, 0x23, 0xc0 | (n << 3)];
const fromDr = (n: number): number[] => [0x0f, 0x21, 0xc0 | (n << 3)];

function dr(rig: Rig, n: number): bigint {
  return rig.view.getBigUint64(State.dr + n * 8, true);
}

describe('debug registers', () => {
  it('read as they reset, with fixed bits fixed', () => {
    const rig = new Rig();
    assert.equal(dr(rig, 6), 0xffff_0ff0n);
    assert.equal(dr(rig, 7), 0x400n);
    rig.set('rax', 0xffff_ffffn).ok(toDr(6)).ok(fromDr(6));
    assert.equal(rig.reg('rax'), 0xffff_efffn);
    rig.set('rax', 0).ok(toDr(7)).ok(fromDr(7));
    assert.equal(rig.reg('rax'), 0x400n);
    assert.equal(rig.set('rax', 1n << 32n).fault(toDr(7)), 'd:0');
    rig.set('rax', 1n << 60n).ok(toDr(2));
    assert.equal(dr(rig, 2), 1n << 60n);
  });

  it('DR4 and DR5 are aliases until CR4.DE', () => {
    const rig = new Rig().ok(fromDr(4));
    assert.equal(rig.reg('rax'), 0xffff_0ff0n);
    rig.poke(State.cr4, rig.reg('cr4') | BigInt(Cr4.DE));
    assert.equal(rig.fault(fromDr(4)), '6');
    assert.equal(rig.fault(toDr(5)), '6');
  });

  it('general detect traps the next access', () => {
    const rig = new Rig().set('rax', 0x2000).ok(toDr(7));
    assert.equal(rig.fault(fromDr(0)), '1');
    assert.equal(dr(rig, 6) & 0x2000n, 0x2000n);
    assert.equal(rig.reg('rip'), rig.last);
  });

  it('TF traps after the instruction, with BS set', () => {
    const rig = new Rig().set('rflags', 0x102n);
    rig.stopOnException = false;
    rig.run([0x90, 0x90], 1);
    assert.deepEqual(rig.exceptions, [{ vector: 1, errorCode: undefined }]);
    assert.equal(rig.reg('rip'), BigInt(At.handlers + 16));
    assert.equal(dr(rig, 6) & 0x4000n, 0x4000n);
    assert.equal(rig.read64(Number(rig.reg('rsp'))), rig.last + 1n);
    assert.equal(rig.reg('rflags') & 0x100n, 0n);
  });

  it('a data breakpoint traps after the access, an execution one faults before', () => {
    const rig = new Rig().set('rax', At.data + 4).ok(toDr(0));
    // Enable 0: 4 bytes, writes.
    rig.set('rax', 0xd_0401n).ok(toDr(7));
    rig.stopOnException = false;
    // mov [rbx], ecx two bytes into the range
    rig.set('rbx', At.data + 6).run([0x89, 0x0b], 1);
    assert.deepEqual(rig.exceptions, [{ vector: 1, errorCode: undefined }]);
    assert.equal(dr(rig, 6) & 0xfn, 1n);
    assert.equal(rig.read64(Number(rig.reg('rsp'))), rig.last + 2n);
    // Reads pass.
    rig.run([0x8b, 0x0b], 1);
    assert.deepEqual(rig.exceptions, []);

    const execute = new Rig();
    execute.stopOnException = false;
    execute.set('rax', At.data).ok(toDr(1)).set('rax', 0x40c).ok(toDr(7));
    execute.cpu.u8[Layout.ramBase + At.data] = 0x90;
    execute.cpu.invalidateCode(At.data, 1);
    execute.set('rip', At.data);
    execute.cpu.run(1);
    assert.deepEqual(execute.exceptions.at(-1), { vector: 1, errorCode: undefined });
    assert.equal(dr(execute, 6) & 0xfn, 2n);
    const frame = Number(execute.reg('rsp'));
    assert.equal(execute.read64(frame), BigInt(At.data));
    // RF is set in the pushed flags, so that returning does not strike again.
    assert.equal(execute.read64(frame + 16) & 0x1_0000n, 0x1_0000n);
  });
});
