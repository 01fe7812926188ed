/** Segment loading, descriptor instructions, far transfers between code sizes and privilege levels. */

import assert from 'node:assert/strict';

import { Layout, Mode, Seg, SegField, State } from '../../../debug-adapter/x86/state';
import { At, descriptor, Rig, Sel } from './system-rig';

/** MOV sreg, ax. */
function movSeg(segment: number): number[] {
  return [0x8e, 0xc0 | (segment << 3)];
}

function load(rig: Rig, segment: number, selector: number): string {
  rig.set('rax', selector);
  return rig.fault(movSeg(segment));
}

describe('segment loading', () => {
  it('checks type, privilege and presence', () => {
    const rig = new Rig('protected');
    assert.equal(load(rig, Seg.DS, Sel.smallData), 'none');
    assert.equal(rig.reg('ds'), BigInt(Sel.smallData));
    assert.equal(rig.view.getUint32(State.seg + Seg.DS * SegField.size + SegField.limit, true), 0xff);
    assert.equal(load(rig, Seg.DS, Sel.executeOnly), `d:${Sel.executeOnly.toString(16)}`);
    assert.equal(load(rig, Seg.DS, Sel.code32), 'none');
    assert.equal(load(rig, Seg.DS, Sel.tss), `d:${Sel.tss.toString(16)}`);
    assert.equal(load(rig, Seg.DS, Sel.notPresentData), `b:${Sel.notPresentData.toString(16)}`);
    assert.equal(load(rig, Seg.DS, 0x1000), 'd:1000');
    assert.equal(load(rig, Seg.DS, 4), 'd:4');
    assert.equal(load(rig, Seg.DS, 0), 'none');
    assert.equal(load(rig, Seg.DS, Sel.data | 3), `d:${Sel.data.toString(16)}`);
    const user = new Rig('protected').user();
    assert.equal(load(user, Seg.ES, Sel.data), `d:${Sel.data.toString(16)}`);
    assert.equal(load(user, Seg.ES, Sel.userData & ~3), 'none');
  });

  it('wants a writable SS of exactly this level', () => {
    const rig = new Rig('protected');
    assert.equal(load(rig, Seg.SS, 0), 'd:0');
    assert.equal(load(rig, Seg.SS, Sel.readOnlyData), `d:${Sel.readOnlyData.toString(16)}`);
    assert.equal(load(rig, Seg.SS, Sel.userData), `d:${(Sel.userData & ~3).toString(16)}`);
    assert.equal(load(rig, Seg.SS, Sel.notPresentData), `c:${Sel.notPresentData.toString(16)}`);
    assert.equal(load(rig, Seg.SS, Sel.data), 'none');
    // MOV CS does not exist.
    assert.equal(rig.fault(movSeg(Seg.CS)), '6');
  });

  it('takes a null SS in 64-bit code at its own level only', () => {
    assert.equal(load(new Rig(), Seg.SS, 0), 'none');
    assert.equal(load(new Rig(), Seg.SS, 1), 'd:0');
    assert.equal(load(new Rig().user(), Seg.SS, 3), 'd:0');
  });

  it('marks the descriptor accessed', () => {
    const rig = new Rig('protected');
    rig.write64(At.gdt + Sel.free, descriptor(0x1234, 0xfff, 0x92, 4));
    assert.equal(load(rig, Seg.GS, Sel.free), 'none');
    assert.equal(rig.read64(At.gdt + Sel.free), descriptor(0x1234, 0xfff, 0x93, 4));
    assert.equal(rig.reg('gs_base'), 0x1234n);
  });

  it('POP of a bad selector leaves the stack pointer', () => {
    const rig = new Rig('protected');
    rig.write32(At.stack, Sel.executeOnly);
    assert.equal(rig.fault([0x1f]), `d:${Sel.executeOnly.toString(16)}`);
    assert.equal(rig.reg('rsp'), BigInt(At.stack));
    rig.write32(At.stack, Sel.smallData);
    rig.ok([0x1f]);
    assert.equal(rig.reg('rsp'), BigInt(At.stack + 4));
    assert.equal(rig.reg('ds'), BigInt(Sel.smallData));
  });

  it('loads LDT segments, LSS and friends', () => {
    const rig = new Rig('protected');
    rig.write64(At.gdt + Sel.free, descriptor(0x7000, 0x0f, 0x82, 0));
    rig.write64(0x7008, descriptor(0x5555, 0xff, 0xf3, 4));
    rig.set('rax', Sel.free).ok([0x0f, 0x00, 0xd0]);
    assert.equal(load(rig, Seg.FS, 0x0f), 'none');
    assert.equal(rig.reg('fs_base'), 0x5555n);
    assert.equal(load(rig, Seg.FS, 0x17), 'd:14');
    // lgs ebx, [0x30000]
    rig.write32(At.data, 0xdead_beef);
    rig.write32(At.data + 4, Sel.smallData);
    rig.ok([0x0f, 0xb5, 0x1d, 0, 0, 3, 0]);
    assert.equal(rig.reg('rbx'), 0xdead_beefn);
    assert.equal(rig.reg('gs'), BigInt(Sel.smallData));
  });

  it('checks limits and types on access in 32-bit code', () => {
    const rig = new Rig('protected');
    assert.equal(load(rig, Seg.DS, Sel.smallData), 'none');
    rig.write32(At.data + 0xfc, 0x1122_3344);
    rig.set('rbx', 0xfc).ok([0x8b, 0x0b]);
    assert.equal(rig.reg('rcx'), 0x1122_3344n);
    assert.equal(rig.set('rbx', 0xfd).fault([0x8b, 0x0b]), 'd:0');
    assert.equal(load(rig, Seg.DS, Sel.readOnlyData), 'none');
    assert.equal(rig.fault([0x89, 0x0b]), 'd:0');
    assert.equal(load(rig, Seg.DS, 0), 'none');
    assert.equal(rig.fault([0x8b, 0x0b]), 'd:0');
    // Expand-down: valid above the limit.
    rig.write64(At.gdt + Sel.free, descriptor(0, 0x2ffff, 0x97, 0x4));
    assert.equal(load(rig, Seg.DS, Sel.free), 'none');
    assert.equal(rig.set('rbx', At.data - 4).fault([0x8b, 0x0b]), 'd:0');
    assert.equal(rig.set('rbx', At.data).fault([0x8b, 0x0b]), 'none');
  });
});

describe('descriptor instructions', () => {
  it('LAR, LSL, VERR, VERW', () => {
    const rig = new Rig('protected');
    const zf = (): boolean => (rig.reg('rflags') & 0x40n) !== 0n;
    rig.set('rax', Sel.smallData).set('rbx', 0).ok([0x0f, 0x02, 0xd8]);
    assert.ok(zf());
    assert.equal(rig.reg('rbx'), 0x40_9300n);
    rig.ok([0x0f, 0x03, 0xd8]);
    assert.equal(rig.reg('rbx'), 0xffn);
    rig.set('rax', Sel.code32).ok([0x0f, 0x03, 0xd8]);
    assert.equal(rig.reg('rbx'), 0xffff_ffffn);
    rig.set('rax', 0).ok([0x0f, 0x02, 0xd8]);
    assert.ok(!zf());
    assert.equal(rig.reg('rbx'), 0xffff_ffffn);
    const table: [number, boolean, boolean][] = [
      [Sel.data, true, true],
      [Sel.readOnlyData, true, false],
      [Sel.code32, true, false],
      [Sel.executeOnly, false, false],
      [Sel.tss, false, false],
      [0x3000, false, false],
    ];
    for (const [selector, readable, writable] of table) {
      rig.set('rax', selector).ok([0x0f, 0x00, 0xe0]);
      assert.equal(zf(), readable, `VERR ${selector}`);
      rig.ok([0x0f, 0x00, 0xe8]);
      assert.equal(zf(), writable, `VERW ${selector}`);
    }
    rig.user().set('rax', Sel.data).ok([0x0f, 0x00, 0xe0]);
    assert.ok(!zf());
  });

  it('LTR, STR, LLDT, SLDT', () => {
    const rig = new Rig();
    // The rig's TSS descriptor is available; loading makes it busy, and busy ones are refused.
    rig.set('rax', Sel.tss).ok([0x0f, 0x00, 0xd8]);
    assert.equal((rig.read64(At.gdt + Sel.tss) >> 40n) & 0xffn, 0x8bn);
    assert.equal(rig.fault([0x0f, 0x00, 0xd8]), `d:${Sel.tss.toString(16)}`);
    rig.set('rbx', -1n & 0xffff_ffff_ffff_ffffn).ok([0x0f, 0x00, 0xcb]);
    assert.equal(rig.reg('rbx'), BigInt(Sel.tss));
    assert.equal(rig.set('rax', 0).fault([0x0f, 0x00, 0xd8]), 'd:0');
    assert.equal(rig.set('rax', Sel.data).fault([0x0f, 0x00, 0xd0]), 'd:10');
    assert.equal(rig.set('rax', 0).fault([0x0f, 0x00, 0xd0]), 'none');
    assert.equal(new Rig().user().set('rax', Sel.tss).fault([0x0f, 0x00, 0xd8]), 'd:0');
  });
});

describe('far transfers', () => {
  it('go from compatibility to 64-bit code and back', () => {
    const rig = new Rig('compatibility');
    assert.equal(rig.cpu.long, false);
    rig.ok([0xea, 0x78, 0x56, 0x03, 0x00, Sel.code64, 0]);
    assert.equal(rig.reg('rip'), 0x3_5678n);
    assert.equal(rig.cpu.long, true);
    // retf to 32-bit code: push 0x18; push 0x35000; retf (32-bit operand size in 64-bit code)
    rig.write32(At.stack - 8, 0x3_5000);
    rig.write32(At.stack - 4, Sel.code32);
    rig.set('rsp', At.stack - 8).ok([0xcb]);
    assert.equal(rig.reg('rip'), 0x3_5000n);
    assert.equal(rig.cpu.long, false);
    assert.equal(rig.reg('rsp'), BigInt(At.stack));
    assert.notEqual(rig.view.getInt32(State.mode, true) & Mode.code32, 0);
  });

  it('RETFQ reloads CS, as setting up a GDT does', () => {
    const rig = new Rig();
    rig.write64(At.stack - 16, 0x3_5000n);
    rig.write64(At.stack - 8, BigInt(Sel.conforming));
    rig.set('rsp', At.stack - 16).ok([0x48, 0xcb]);
    assert.equal(rig.selector(Seg.CS), Sel.conforming);
    assert.equal(rig.reg('rip'), 0x3_5000n);
  });

  it('return to an outer level with its stack, and not to an inner one', () => {
    const rig = new Rig();
    // Sixteen bytes of parameters lie between the return address and the outer stack pointer, and on the outer stack too.
    [0x3_5000n, BigInt(Sel.userCode64), 0n, 0n, 0x6_0000n, BigInt(Sel.userData)].forEach((v, i) => rig.write64(0x7_0000 + i * 8, v));
    rig.set('rsp', 0x7_0000).ok([0x48, 0xca, 0x10, 0x00]);
    assert.equal(rig.cpu.cpl, 3);
    assert.equal(rig.reg('rsp'), 0x6_0010n);
    assert.equal(rig.selector(Seg.SS), Sel.userData);
    // The data segments of the inner level are gone.
    assert.equal(rig.selector(Seg.DS), 0);
    [0x3_5000n, BigInt(Sel.code64)].forEach((v, i) => rig.write64(0x7_0000 + i * 8, v));
    assert.equal(rig.set('rsp', 0x7_0000).fault([0x48, 0xcb]), 'd:8');
  });

  it('JMP checks the target', () => {
    const rig = new Rig('protected');
    const far = (selector: number): number[] => [0xea, 0, 0, 3, 0, selector & 0xff, selector >> 8];
    assert.equal(rig.fault(far(0)), 'd:0');
    assert.equal(rig.fault(far(Sel.data)), 'd:10');
    assert.equal(rig.fault(far(Sel.userCode32)), 'd:40');
    // A TSS would switch tasks in hardware: told, not guessed.
    assert.equal(rig.run(far(Sel.tss)).kind, 'unsupported');
  });

  it('CALL through a 32-bit gate copies parameters to the inner stack, and RETF n takes them off both', () => {
    const rig = new Rig('protected').user();
    // Gate: selector code32, offset 0x36000, 2 parameters, DPL 3.
    rig.write64(At.gdt + Sel.free, (0x0003_ec02n << 32n) | (BigInt(Sel.code32) << 16n) | 0x6000n);
    rig.write32(At.stack - 8, 0x1111);
    rig.write32(At.stack - 4, 0x2222);
    rig.set('rsp', At.stack - 8).ok([0x9a, 0, 0, 0, 0, Sel.free | 3, 0]);
    assert.equal(rig.cpu.cpl, 0);
    assert.equal(rig.reg('rip'), 0x3_6000n);
    const esp = Number(rig.reg('rsp'));
    assert.equal(esp, At.kernelStack - 24);
    assert.deepEqual(
      [0, 1, 2, 3, 4, 5].map((i) => rig.read32(esp + i * 4)),
      [Number(rig.last) + 7, Sel.userCode32, 0x1111, 0x2222, At.stack - 8, Sel.userData],
    );
    rig.ok([0xca, 0x08, 0x00]);
    assert.equal(rig.cpu.cpl, 3);
    assert.equal(rig.reg('rsp'), BigInt(At.stack));
  });

  it('CALL through a 64-bit gate switches to RSP0 with a null SS', () => {
    const rig = new Rig().user();
    rig.write64(At.gdt + Sel.free, (0x0003_ec00n << 32n) | (BigInt(Sel.code64) << 16n) | 0x6000n);
    rig.write64(At.gdt + Sel.free + 8, 0n);
    // call far [0x30000]: m16:32
    rig.write32(At.data, 0);
    rig.write32(At.data + 4, Sel.free | 3);
    rig.ok([0xff, 0x1c, 0x25, 0, 0, 3, 0]);
    assert.equal(rig.cpu.cpl, 0);
    assert.equal(rig.selector(Seg.SS), 0);
    assert.equal(rig.reg('rsp'), BigInt(At.kernelStack - 32));
    assert.deepEqual(
      [0, 1, 2, 3].map((i) => rig.read64(At.kernelStack - 32 + i * 8)),
      [rig.last + 7n, BigInt(Sel.userCode64), BigInt(At.stack), BigInt(Sel.userData)],
    );
    rig.ok([0x48, 0xcb]);
    assert.equal(rig.cpu.cpl, 3);
    assert.equal(rig.reg('rsp'), BigInt(At.stack));
  });
});

describe('real-address mode', () => {
  it('loads segments by shifting, far jumps too', () => {
    const rig = new Rig('unpaged');
    rig.poke(State.cr0, 0x10n);
    rig.set('rax', 0x1234).ok(movSeg(Seg.DS));
    assert.equal(rig.view.getBigUint64(State.seg + Seg.DS * SegField.size, true), 0x1_2340n);
    rig.ok([0xea, 0x10, 0, 0, 0, 0x00, 0x30]);
    assert.equal(rig.reg('rip'), 0x10n);
    assert.equal(rig.view.getBigUint64(State.seg + Seg.CS * SegField.size, true), 0x3_0000n);
    assert.equal(rig.cpu.u8[Layout.ramBase + At.idt], 0x00);
  });
});
