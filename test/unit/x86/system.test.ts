/** Control registers, fast system calls, privilege checks, ports, time stamps, random numbers, segment bases. */

import assert from 'node:assert/strict';

import { Cr0, Cr4 } from '../../../debug-adapter/x86/control-bits';
import { Seg, State } from '../../../debug-adapter/x86/state';
import { At, Rig, Sel } from './system-rig';

/** MOV CRn, rax and MOV rax, CRn. */
const toCr = (n: number): number[] => [0x0f, 0x22, 0xc0 | (n << 3)];
const fromCr = (n: number): number[] => [0x0f, 0x20, 0xc0 | (n << 3)];

function writeCr(rig: Rig, n: number, value: bigint | number): string {
  rig.set('rax', value);
  return rig.fault(toCr(n));
}

describe('control registers', () => {
  it('CR0: combinations that do not exist', () => {
    const rig = new Rig();
    const cr0 = rig.reg('cr0');
    assert.equal(writeCr(rig, 0, cr0 & ~BigInt(Cr0.PE)), 'd:0');
    assert.equal(writeCr(rig, 0, cr0 | BigInt(Cr0.NW)), 'd:0');
    assert.equal(writeCr(rig, 0, cr0 | (1n << 32n)), 'd:0');
    // Leaving IA-32e mode from 64-bit code.
    assert.equal(writeCr(rig, 0, cr0 & ~BigInt(Cr0.PG)), 'd:0');
    assert.equal(rig.reg('cr0'), cr0);
    assert.equal(writeCr(rig, 0, (cr0 | BigInt(Cr0.TS)) & ~BigInt(Cr0.ET)), 'none');
    assert.equal(rig.reg('cr0'), cr0 | BigInt(Cr0.TS));
    rig.ok([0x0f, 0x06]).ok(fromCr(0));
    assert.equal(rig.reg('rax'), cr0);
  });

  it('CR0.PG with EFER.LME turns IA-32e mode on, and off from compatibility code', () => {
    const fresh = new Rig('long');
    fresh.poke(State.efer, 0x900n).poke(State.cr0, fresh.view.getBigUint64(State.cr0, true) & ~BigInt(Cr0.PG));
    fresh.segment(Seg.CS, Sel.code32);
    fresh.cpu.invalidate();
    const cr0 = fresh.reg('cr0');
    fresh.poke(State.cr4, 0x600n);
    // Without PAE it is refused.
    assert.equal(writeCr(fresh, 0, cr0 | BigInt(Cr0.PG)), 'd:0');
    fresh.poke(State.cr4, 0x620n);
    assert.equal(writeCr(fresh, 0, cr0 | BigInt(Cr0.PG)), 'none');
    assert.equal(fresh.reg('efer'), 0xd00n);
    assert.equal(fresh.cpu.long, false);
    // CR4.PAE must stay.
    assert.equal(writeCr(fresh, 4, 0x600n), 'd:0');
    assert.equal(writeCr(fresh, 0, cr0), 'none');
    assert.equal(fresh.reg('efer'), 0x900n);
  });

  it('CR3, CR4, CR8 and the absent ones', () => {
    const rig = new Rig();
    assert.equal(writeCr(rig, 3, 1n << 50n), 'd:0');
    assert.equal(writeCr(rig, 4, rig.reg('cr4') | (1n << 22n)), 'd:0');
    assert.equal(writeCr(rig, 4, rig.reg('cr4') & ~BigInt(Cr4.PAE)), 'd:0');
    // PCIDs want CR3's low bits clear.
    rig.poke(State.cr3, BigInt(At.pages | 0x18));
    assert.equal(writeCr(rig, 4, rig.reg('cr4') | BigInt(Cr4.PCIDE)), 'd:0');
    rig.poke(State.cr3, BigInt(At.pages));
    assert.equal(writeCr(rig, 4, rig.reg('cr4') | BigInt(Cr4.PCIDE)), 'none');
    assert.equal(writeCr(rig, 3, BigInt(At.pages) | (1n << 63n) | 5n), 'none');
    assert.equal(rig.reg('cr3'), BigInt(At.pages) | 5n);
    // MOV CR8 through REX.R.
    rig.set('rax', 16);
    assert.equal(rig.fault([0x44, 0x0f, 0x22, 0xc0]), 'd:0');
    rig.set('rax', 9).ok([0x44, 0x0f, 0x22, 0xc0]).set('rax', 0).ok([0x44, 0x0f, 0x20, 0xc0]);
    assert.equal(rig.reg('rax'), 9n);
    assert.equal(rig.fault(toCr(1)), '6');
    assert.equal(rig.fault(fromCr(5)), '6');
    // The smaller model has neither PCIDs nor SMEP.
    const min = new Rig('long', 'min');
    assert.equal(writeCr(min, 4, 0x620n | BigInt(Cr4.SMEP)), 'd:0');
    assert.equal(writeCr(min, 4, 0x620n), 'none');
  });

  it('PAE pointers are checked when CR3 is loaded', () => {
    const rig = new Rig('pae');
    rig.write64(At.pages + 0x6000, 0x1e6n | 1n);
    assert.equal(writeCr(rig, 3, At.pages + 0x6000), 'd:0');
    assert.equal(rig.reg('cr3'), BigInt(At.pages));
  });

  it('LMSW sets PE for good; SMSW obeys UMIP', () => {
    const rig = new Rig();
    rig.set('rax', 0).ok([0x0f, 0x01, 0xf0]);
    assert.equal(rig.reg('cr0') & 0xfn, 1n);
    const user = new Rig().user().ok([0x0f, 0x01, 0xe3]);
    assert.equal(user.reg('rbx') & 0xffffn, user.reg('cr0') & 0xffffn);
    user.poke(State.cr4, user.reg('cr4') | BigInt(Cr4.UMIP));
    for (const code of [
      [0x0f, 0x01, 0xe3],
      [0x0f, 0x00, 0xc0],
      [0x0f, 0x00, 0xc8],
      [0x0f, 0x01, 0x04, 0x25, 0, 0, 3, 0],
    ])
      assert.equal(user.fault(code), 'd:0');
  });

  it('LGDT and SGDT in both widths', () => {
    const rig = new Rig();
    rig.write64(At.data, 0x5678_9abc_0fffn);
    rig.write64(At.data + 8, 0xffffn);
    rig.view.setUint16(0x400_0000 + At.data + 6, 0x8000, true);
    const operand = [0x25, 0, 0, 3, 0];
    assert.equal(rig.fault([0x0f, 0x01, 0x14, ...operand]), 'none');
    rig.ok([0x0f, 0x01, 0x04, 0x25, 0x40, 0, 3, 0]);
    assert.equal(rig.read64(At.data + 0x40), 0x8000_5678_9abc_0fffn);
    assert.equal(rig.read64(At.data + 0x48), 0xffffn);
    // A base that is not canonical.
    rig.write64(At.data + 8, 0x8000n);
    assert.equal(rig.fault([0x0f, 0x01, 0x14, ...operand]), 'd:0');
    assert.equal(new Rig().user().fault([0x0f, 0x01, 0x14, ...operand]), 'd:0');
    const legacy = new Rig('protected');
    legacy.write64(At.data, 0xff12_3456_0fffn);
    legacy.ok([0x66, 0x0f, 0x01, 0x15, 0, 0, 3, 0]);
    assert.equal(legacy.view.getBigUint64(State.gdtr, true), 0x12_3456n);
  });
});

describe('system calls', () => {
  it('SYSCALL at level 0 takes CS and SS from STAR, and saves RIP and RFLAGS', () => {
    const rig = new Rig().set('rflags', 0x4_0647n);
    rig
      .poke(State.star, (0x0008n << 48n) | (0x0008n << 32n))
      .poke(State.lstar, 0x3_7000n)
      .poke(State.sfmask, 0x4_4700n);
    let seen = 0n;
    rig.cpu.hooks.syscall = () => void (seen = rig.reg('rcx'));
    rig.set('rcx', 77).ok([0x0f, 0x05]);
    assert.equal(seen, 77n);
    assert.equal(rig.reg('rip'), 0x3_7000n);
    assert.equal(rig.reg('rcx'), rig.last + 2n);
    assert.equal(rig.reg('r11'), 0x4_0647n);
    assert.equal(rig.reg('rflags'), 0x47n & ~0x700n);
    assert.equal(rig.selector(Seg.CS), 8);
    assert.equal(rig.selector(Seg.SS), 0x10);
  });

  it('SYSRET goes to level 3; both are #UD without SCE', () => {
    const rig = new Rig();
    rig.poke(State.star, (0x0018n << 48n) | (0x0008n << 32n));
    rig.set('rcx', 0x3_7000n).set('r11', 0xffff_ffffn).ok([0x48, 0x0f, 0x07]);
    assert.equal(rig.cpu.cpl, 3);
    assert.equal(rig.selector(Seg.CS), 0x2b);
    assert.equal(rig.selector(Seg.SS), 0x23);
    assert.equal(rig.reg('rflags') & ~0x3c_7fd7n, 0n);
    assert.equal(rig.fault([0x48, 0x0f, 0x07]), 'd:0');
    const back = new Rig();
    back.poke(State.star, 0x0018n << 48n);
    back.set('rcx', 0x3_7000n).set('r11', 2).ok([0x0f, 0x07]);
    assert.equal(back.cpu.long, false);
    assert.equal(back.selector(Seg.CS), 0x1b);
    assert.equal(new Rig().set('rcx', 1n << 47n).fault([0x48, 0x0f, 0x07]), 'd:0');
    const without = new Rig();
    without.poke(State.efer, 0x500n);
    assert.equal(without.fault([0x0f, 0x05]), '6');
    assert.equal(new Rig('protected').fault([0x0f, 0x05]), '6');
  });

  it('SYSENTER and SYSEXIT', () => {
    const rig = new Rig('protected').user().set('rflags', 0x202n);
    assert.equal(rig.fault([0x0f, 0x34]), 'd:0');
    rig.poke(State.sysenterCs, 0x18n).poke(State.sysenterEsp, 0x9_0000n).poke(State.sysenterEip, 0x3_7000n);
    rig.ok([0x0f, 0x34]);
    assert.equal(rig.cpu.cpl, 0);
    assert.equal(rig.reg('rsp'), 0x9_0000n);
    assert.equal(rig.reg('rflags'), 2n);
    rig.set('rdx', 0x3_8000n).set('rcx', 0x6_0000n).ok([0x0f, 0x35]);
    assert.equal(rig.cpu.cpl, 3);
    assert.equal(rig.reg('rip'), 0x3_8000n);
    assert.equal(rig.reg('rsp'), 0x6_0000n);
    assert.equal(rig.selector(Seg.CS), 0x2b);
  });

  it('SWAPGS and the base instructions', () => {
    const rig = new Rig();
    const moves: string[] = [];
    rig.cpu.hooks.fsBase = (from, to) => void moves.push(`fs ${from.toString(16)} ${to.toString(16)}`);
    rig.cpu.hooks.gsBase = (from, to) => void moves.push(`gs ${from.toString(16)} ${to.toString(16)}`);
    rig.poke(State.kernelGsBase, 0x1111n);
    rig.set('rax', 0x2222).ok([0xf3, 0x48, 0x0f, 0xae, 0xd8]).ok([0x0f, 0x01, 0xf8]);
    assert.equal(rig.reg('gs_base'), 0x1111n);
    assert.equal(rig.view.getBigUint64(State.kernelGsBase, true), 0x2222n);
    rig.set('rax', 0x1_2345_6789n).ok([0xf3, 0x0f, 0xae, 0xd0]).ok([0xf3, 0x48, 0x0f, 0xae, 0xc3]);
    assert.equal(rig.reg('rbx'), 0x2345_6789n);
    assert.deepEqual(moves, ['gs 0 2222', 'gs 2222 1111', 'fs 0 23456789']);
    rig.set('rax', 1n << 47n);
    assert.equal(rig.fault([0xf3, 0x48, 0x0f, 0xae, 0xd0]), 'd:0');
    rig.poke(State.cr4, 0x620n);
    assert.equal(rig.fault([0xf3, 0x48, 0x0f, 0xae, 0xd0]), '6');
    assert.equal(new Rig().user().fault([0x0f, 0x01, 0xf8]), 'd:0');
  });
});

describe('privilege', () => {
  it('privileged instructions raise #GP(0) at level 3', () => {
    const rig = new Rig().user();
    const list: Record<string, number[]> = {
      HLT: [0xf4],
      CLI: [0xfa],
      STI: [0xfb],
      CLTS: [0x0f, 0x06],
      INVD: [0x0f, 0x08],
      WBINVD: [0x0f, 0x09],
      RDMSR: [0x0f, 0x32],
      WRMSR: [0x0f, 0x30],
      INVLPG: [0x0f, 0x01, 0x38],
      LMSW: [0x0f, 0x01, 0xf0],
      'MOV CR': fromCr(0),
      'MOV to CR': toCr(0),
      'MOV DR': [0x0f, 0x21, 0xc0],
      'IN 0x70': [0xe4, 0x70],
    };
    for (const [name, code] of Object.entries(list)) assert.equal(rig.fault(code), 'd:0', name);
  });

  it('ports by IOPL or by the bitmap of the TSS', () => {
    const rig = new Rig().user();
    rig.ok([0xe4, 0x60]);
    assert.deepEqual(rig.ports.at(-1), { port: 0x60, size: 1, value: undefined });
    assert.equal(rig.reg('rax') & 0xffn, 0xa5n);
    rig.set('rdx', 0x64).set('rax', 0x1234_5678n).ok([0xef]);
    assert.deepEqual(rig.ports.at(-1), { port: 0x64, size: 4, value: 0x1234_5678 });
    // Straddling the allowed ports.
    assert.equal(rig.set('rdx', 0x66).fault([0xef]), 'd:0');
    assert.equal(rig.set('rdx', 0xffff).fault([0xec]), 'd:0');
    rig.set('rflags', 0x3202n).ok([0xec]);
    rig.ok([0xfa]);
    assert.equal(rig.reg('rflags') & 0x200n, 0n);
  });

  it('POPF changes what the level allows', () => {
    const rig = new Rig().user().set('rflags', 0x202n).set('rax', 0x24_3cd7n);
    // push rax; popfq
    rig.ok([0x50, 0x9d], 2);
    assert.equal(rig.reg('rflags'), 0x24_0ed7n & ~0x100n);
    const kernel = new Rig().set('rflags', 0x202n).set('rax', 0x3000n);
    kernel.ok([0x50, 0x9d], 2);
    assert.equal(kernel.reg('rflags'), 0x3002n);
  });

  it('CR4.TSD keeps RDTSC to level 0', () => {
    const rig = new Rig().user().ok([0x0f, 0x31]);
    const first = rig.reg('rax');
    rig.ok([0x90]).ok([0x0f, 0x31]);
    assert.equal(rig.reg('rax') - first, 2n);
    rig.poke(State.cr4, rig.reg('cr4') | BigInt(Cr4.TSD));
    assert.equal(rig.fault([0x0f, 0x31]), 'd:0');
  });

  it('STAC and CLAC open and close user pages under SMAP', () => {
    const rig = new Rig();
    rig.poke(State.cr4, rig.reg('cr4') | BigInt(Cr4.SMAP));
    // Every page of the rig is a user page, its code too; data access is what SMAP stops.
    rig.set('rbx', At.data).ok([0x0f, 0x01, 0xcb]).ok([0x8b, 0x03]).ok([0x0f, 0x01, 0xca]);
    assert.equal(rig.fault([0x8b, 0x03]), 'e:1');
  });
});

describe('random numbers', () => {
  it('come with CF set and the other flags clear', () => {
    const rig = new Rig().set('rflags', 0x8d6n).set('rax', -1n & 0xffff_ffff_ffff_ffffn);
    rig.ok([0x0f, 0xc7, 0xf0]);
    assert.equal(rig.reg('rax'), 0x9abc_def0n);
    assert.equal(rig.reg('rflags'), 3n);
    rig.ok([0x66, 0x0f, 0xc7, 0xfb]);
    assert.equal(rig.reg('rbx') & 0xffffn, 0xdef0n);
  });
});

describe('division of 128 by 64 bits', () => {
  it('agrees with bigint arithmetic, and raises #DE on overflow', () => {
    const rig = new Rig();
    const all = 0xffff_ffff_ffff_ffffn;
    const cases: [bigint, bigint, bigint][] = [
      [0x1234n, 0x5678_9abc_def0_1234n, 0xffff_0000_1111n],
      [0n, all, 1n],
      [1n, 0n, 2n],
      [all - 1n, all, all],
      [5n, 0n, 5n],
      [1n, 2n, 0n],
    ];
    for (const [high, low, divisor] of cases) {
      rig.set('rdx', high).set('rax', low).set('rbx', divisor);
      const n = (high << 64n) | low;
      const found = rig.fault([0x48, 0xf7, 0xf3]);
      if (divisor === 0n || n / divisor > all) assert.equal(found, '0');
      else {
        assert.equal(found, 'none');
        assert.equal(rig.reg('rax'), n / divisor);
        assert.equal(rig.reg('rdx'), n % divisor);
      }
      rig.set('rdx', high).set('rax', low);
      const signed = BigInt.asIntN(128, n);
      const by = BigInt.asIntN(64, divisor);
      const outcome = rig.fault([0x48, 0xf7, 0xfb]);
      if (by === 0n || BigInt.asIntN(64, signed / by) !== signed / by) assert.equal(outcome, '0');
      else {
        assert.equal(outcome, 'none');
        assert.equal(rig.reg('rax'), BigInt.asUintN(64, signed / by));
        assert.equal(rig.reg('rdx'), BigInt.asUintN(64, signed % by));
      }
    }
  });
});
