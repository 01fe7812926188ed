/** Delivery through the IDT in both modes, the ways back, software interrupts, and how faults in delivery combine. */

import assert from 'node:assert/strict';

import { deliver, type EventSource } from '../../../debug-adapter/x86/exceptions';
import { Seg, State } from '../../../debug-adapter/x86/state';
import { At, descriptor, Rig, Sel } from './system-rig';

const flags = 0x246n;

/** Delivers an event to a rig that stands at its code address. */
function event(rig: Rig, vector: number, errorCode: number | undefined, source: EventSource): boolean {
  rig.view.setBigUint64(State.rip, BigInt(At.code), true);
  return deliver(rig.cpu, vector, errorCode, source);
}

function handler(vector: number): bigint {
  return BigInt(At.handlers + vector * 16);
}

/** The quadwords from RSP up. */
function frame64(rig: Rig, count: number): bigint[] {
  return Array.from({ length: count }, (_, i) => rig.read64(Number(rig.reg('rsp')) + i * 8));
}
function frame32(rig: Rig, count: number): number[] {
  return Array.from({ length: count }, (_, i) => rig.read32(Number(rig.reg('rsp')) + i * 4));
}

describe('event delivery in 64-bit mode', () => {
  it('pushes SS:RSP, RFLAGS, CS:RIP and the error code on an aligned stack', () => {
    const rig = new Rig().set('rflags', flags).set('rsp', At.stack + 5);
    assert.ok(event(rig, 13, 0x18, 'fault'));
    assert.equal(rig.reg('rip'), handler(13));
    assert.equal(rig.reg('rsp'), BigInt(At.stack - 48));
    assert.deepEqual(frame64(rig, 6), [0x18n, BigInt(At.code), 8n, flags | 0x1_0000n, BigInt(At.stack + 5), 0x10n]);
    assert.equal(rig.reg('rflags'), flags & ~0x200n);
  });

  it('pushes RF clear for traps and interrupts, and leaves IF through a trap gate', () => {
    const rig = new Rig().set('rflags', flags | 0x400n);
    rig.gate(3, { type: 0xf });
    assert.ok(event(rig, 3, undefined, 'trap'));
    assert.equal(frame64(rig, 3)[2], flags | 0x400n);
    assert.equal(rig.reg('rflags'), flags | 0x400n);
  });

  it('takes the inner stack from the TSS and a null SS, coming from level 3', () => {
    const rig = new Rig().user().set('rflags', flags);
    assert.ok(event(rig, 32, undefined, 'external'));
    assert.equal(rig.cpu.cpl, 0);
    assert.equal(rig.selector(Seg.SS), 0);
    assert.deepEqual(frame64(rig, 5), [BigInt(At.code), BigInt(Sel.userCode64), flags, BigInt(At.stack), BigInt(Sel.userData)]);
    assert.equal(rig.reg('rsp'), BigInt(At.kernelStack - 40));
  });

  it('uses IST stacks at any level', () => {
    const rig = new Rig();
    rig.gate(14, { ist: 3 });
    assert.ok(event(rig, 14, 2, 'fault'));
    assert.equal(rig.reg('rsp'), BigInt(At.ist + 0x3000 - 48));
    assert.equal(rig.selector(Seg.SS), Sel.data);
  });

  it('goes from compatibility code to a 64-bit handler, and back by IRETQ', () => {
    const rig = new Rig('compatibility').set('rflags', flags);
    rig.stopOnException = false;
    // ud2, with a handler that steps over it: add qword [rsp], 2; iretq
    rig.cpu.u8.set([0x48, 0x83, 0x04, 0x24, 0x02, 0x48, 0xcf], 0x400_0000 + At.handlers + 6 * 16);
    rig.run([0x0f, 0x0b, 0x90], 3);
    assert.deepEqual(rig.exceptions, [{ vector: 6, errorCode: undefined }]);
    assert.equal(rig.reg('rip'), rig.last + 3n);
    assert.equal(rig.selector(Seg.CS), Sel.code32);
    assert.equal(rig.cpu.long, false);
    assert.equal(rig.reg('rsp'), BigInt(At.stack));
  });

  it('combines faults: contributory twice is #DF, page fault then contributory is #DF, a benign one is replaced', () => {
    const rig = new Rig();
    rig.gate(13, { present: false });
    assert.ok(event(rig, 13, 0, 'fault'));
    assert.equal(rig.reg('rip'), handler(8));
    assert.equal(frame64(rig, 1)[0], 0n);
    const page = new Rig();
    page.gate(14, { present: false });
    assert.ok(event(page, 14, 0, 'fault'));
    assert.equal(page.reg('rip'), handler(8));
    const benign = new Rig();
    benign.gate(6, { present: false });
    assert.ok(event(benign, 6, undefined, 'fault'));
    assert.equal(benign.reg('rip'), handler(11));
    // The error code: IDT, EXT, vector 6.
    assert.equal(frame64(benign, 1)[0], 6n * 8n + 3n);
  });

  it('gives up on a fault in a double fault, with nothing changed', () => {
    const rig = new Rig().set('rflags', flags);
    rig.gate(13, { present: false });
    rig.gate(8, { present: false });
    assert.equal(event(rig, 13, 0, 'fault'), false);
    assert.equal(rig.reg('rsp'), BigInt(At.stack));
    assert.equal(rig.reg('rflags'), flags);
    rig.stopOnException = false;
    rig.set('rax', 1n << 47n);
    assert.equal(rig.run([0x48, 0x8b, 0x18]).kind, 'tripleFault');
  });

  it('checks the gate and its code segment', () => {
    const outcomes: [string, Parameters<Rig['gate']>[1], bigint, bigint][] = [
      ['32-bit code segment', { selector: Sel.code32 }, 13n, BigInt(Sel.code32 + 1)],
      ['null selector', { selector: 0 }, 13n, 1n],
      ['data segment', { selector: Sel.data }, 13n, BigInt(Sel.data + 1)],
      ['selector past the limit', { selector: 0x2000 }, 13n, 0x2001n],
      ['trap gate of 16 bits', { type: 7 }, 13n, 0x33n],
    ];
    for (const [what, gate, vector, code] of outcomes) {
      const rig = new Rig();
      rig.gate(6, gate);
      assert.ok(event(rig, 6, undefined, 'fault'));
      assert.equal(rig.reg('rip'), handler(Number(vector)), what);
      assert.equal(frame64(rig, 1)[0], code, what);
    }
  });
});

describe('software interrupts', () => {
  it('checks the gate against CPL, with the instruction as return address', () => {
    const rig = new Rig().user();
    assert.equal(rig.fault([0xcd, 0x80]), 'd:402');
    assert.equal(rig.reg('rip'), rig.last);
    assert.equal(rig.fault([0xcc]), 'd:1a');
    rig.gate(0x80, { dpl: 3 });
    rig.ok([0xcd, 0x80]);
    assert.equal(rig.reg('rip'), handler(0x80));
    assert.equal(frame64(rig, 1)[0], rig.last + 2n);
  });

  it('INT1 asks no gate; INTO goes by OF', () => {
    const rig = new Rig().user().ok([0xf1]);
    assert.equal(rig.reg('rip'), handler(1));
    const into = new Rig('protected').set('rflags', 2n).ok([0xce]);
    assert.equal(into.reg('rip'), into.last + 1n);
    into.set('rflags', 0x802n).ok([0xce]);
    assert.equal(into.reg('rip'), handler(4));
  });
});

describe('event delivery in 32-bit mode', () => {
  it('ends the run where a gate asks for a hardware task switch, with the instruction as it was', () => {
    const rig = new Rig('protected');
    rig.stopOnException = false;
    rig.gate(6, { type: 5 });
    const exit = rig.run([0x0f, 0x0b]);
    assert.ok(exit.kind === 'unsupported' && exit.reason.includes('task gate'), exit.kind);
    assert.equal(rig.reg('rip'), rig.last);
    rig.gate(6);
    assert.equal(rig.run([0x0f, 0x0b]).kind, 'budget');
    assert.equal(rig.reg('rip'), handler(6) + 1n);
  });

  it('pushes EFLAGS, CS:EIP and the error code on the same stack', () => {
    const rig = new Rig('protected').set('rflags', flags);
    assert.ok(event(rig, 13, 0x20, 'fault'));
    assert.deepEqual(frame32(rig, 4), [0x20, At.code, Sel.code32, Number(flags) | 0x1_0000]);
    assert.equal(rig.reg('rsp'), BigInt(At.stack - 16));
  });

  it('switches to SS0:ESP0 from level 3, and IRETD back drops the kernel segments', () => {
    const rig = new Rig('protected').user().set('rflags', flags);
    rig.gate(0x80, { dpl: 3 });
    rig.ok([0xcd, 0x80]);
    assert.equal(rig.cpu.cpl, 0);
    assert.equal(rig.selector(Seg.SS), Sel.data);
    assert.deepEqual(frame32(rig, 5), [Number(rig.last) + 2, Sel.userCode32, Number(flags), At.stack, Sel.userData]);
    // mov ax, data; mov ds, ax; iretd
    const exit = rig.cpu.run(1);
    assert.equal(exit.kind, 'budget');
    const esp = rig.reg('rsp');
    rig.ok([0xb8, Sel.data, 0, 0, 0, 0x8e, 0xd8, 0xcf], 3);
    assert.equal(rig.reg('rsp'), BigInt(At.stack));
    assert.notEqual(esp, BigInt(At.stack));
    assert.equal(rig.cpu.cpl, 3);
    assert.equal(rig.selector(Seg.DS), 0);
    assert.equal(rig.selector(Seg.ES), Sel.userData);
  });

  it('raises #TS for a bad inner stack segment', () => {
    const rig = new Rig('protected').user();
    rig.write32(At.tss + 8, Sel.readOnlyData);
    // The handlers of #TS and #DF need the same stack.
    assert.equal(event(rig, 32, undefined, 'external'), false);
    rig.gate(10, { selector: Sel.free });
    rig.write64(At.gdt + Sel.free, descriptor(0, 0xf_ffff, 0x9f, 0xc));
    // A conforming handler stays on the user's stack.
    assert.ok(event(rig, 32, undefined, 'external'));
    assert.equal(rig.reg('rip'), handler(10));
    assert.equal(rig.read32(Number(rig.reg('rsp'))), Sel.readOnlyData + 1);
  });

  it('uses 16-bit gates', () => {
    const rig = new Rig('protected').set('rflags', flags);
    rig.gate(5, { type: 6 });
    assert.ok(event(rig, 5, undefined, 'fault'));
    assert.equal(rig.reg('rsp'), BigInt(At.stack - 6));
    assert.equal(rig.read32(At.stack - 6), (At.code & 0xffff) | (Sel.code32 << 16));
    assert.equal(rig.reg('rip'), handler(5) & 0xffffn);
  });
});

describe('IRET', () => {
  it('refuses to inner levels, null and data code segments, and non-canonical addresses', () => {
    const cases: [string, bigint[]][] = [
      ['d:0', [0x8000_0000_0000n, 8n, 2n, BigInt(At.stack), 0x10n]],
      ['d:0', [BigInt(At.code), 0n, 2n, BigInt(At.stack), 0x10n]],
      ['d:10', [BigInt(At.code), 0x10n, 2n, BigInt(At.stack), 0x10n]],
      ['d:28', [BigInt(At.code), 0x28n, 2n, BigInt(At.stack), 0x10n]],
      // Level 3 with a level 0 stack segment, and with a null one.
      ['d:10', [BigInt(At.code), 0x2bn, 2n, BigInt(At.stack), 0x10n]],
      ['d:0', [BigInt(At.code), 0x2bn, 2n, BigInt(At.stack), 0n]],
    ];
    for (const [expected, frame] of cases) {
      const rig = new Rig().set('rsp', 0x7_0000n);
      frame.forEach((v, i) => rig.write64(0x7_0000 + i * 8, v));
      assert.equal(rig.fault([0x48, 0xcf]), expected);
      assert.equal(rig.reg('rsp'), 0x7_0000n);
      assert.equal(rig.selector(Seg.CS), Sel.code64);
    }
  });

  it('keeps IF and IOPL from level 3', () => {
    const rig = new Rig().user().set('rflags', 0x202n).set('rsp', 0x7_0000n);
    [BigInt(At.code), 0x2bn, 0x3_0cd7n & ~0x2_0000n, BigInt(At.stack), 0x23n].forEach((v, i) => rig.write64(0x7_0000 + i * 8, v));
    rig.ok([0x48, 0xcf]);
    assert.equal(rig.reg('rflags') & 0x3200n, 0x200n);
    assert.equal(rig.reg('rflags') & 0xcd5n, 0xcd5n);
  });

  it('keeps an interrupt that a hook stopped before its delivery, also in the saved state', () => {
    const rig = new Rig().set('rflags', 0x202n);
    rig.cpu.setInterruptLine(true);
    rig.cpu.hooks.interrupt = () => 'stop';
    assert.equal(rig.run([0x90]).kind, 'hook');
    // The controller took the request back when it was acknowledged; nothing but the state block remembers it.
    rig.cpu.setInterruptLine(false);
    rig.cpu.invalidate();
    rig.cpu.run(1);
    assert.equal(rig.reg('rip'), BigInt(At.handlers + 0x20 * 16 + 1));
  });

  it('tells the hook', () => {
    const rig = new Rig().set('rsp', 0x7_0000n);
    let returns = 0;
    rig.cpu.hooks.interruptReturn = () => void returns++;
    [BigInt(At.code), 8n, 2n, BigInt(At.stack), 0n].forEach((v, i) => rig.write64(0x7_0000 + i * 8, v));
    rig.ok([0x48, 0xcf]);
    assert.equal(returns, 1);
    assert.equal(rig.reg('rsp'), BigInt(At.stack));
    assert.equal(rig.selector(Seg.SS), 0);
  });
});

describe('16-bit stacks', () => {
  it('wrap at 64 KiB and keep the upper half of ESP', () => {
    const rig = new Rig('protected');
    rig.write64(At.gdt + Sel.free, descriptor(0x6_0000, 0xffff, 0x93, 0));
    rig.segment(Seg.SS, Sel.free);
    rig.set('rsp', 0x1234_0004n);
    rig.cpu.invalidate();
    assert.ok(event(rig, 5, undefined, 'fault'));
    assert.equal(rig.reg('rsp'), 0x1234_fff8n);
    assert.equal(rig.read32(0x6_fff8), At.code);
  });
});
