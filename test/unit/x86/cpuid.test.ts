/** CPUID and MSRs: what images read before they boot, and that unknown registers are refused. */

import assert from 'node:assert/strict';

import { cpuid, type CpuidInput, featuresOf } from '../../../debug-adapter/x86/cpuid';
import { definitions } from '../../../debug-adapter/x86/isa/all';
import { Msr } from '../../../debug-adapter/x86/msr';
import { Rig } from './system-rig';

const input = (model: 'min' | 'default', tscKilohertz = 0): CpuidInput => ({ model, tscKilohertz, cr4: 0x620, xcr0: 1 });
const bit = (word: number, n: number): boolean => ((word >>> n) & 1) !== 0;

describe('CPUID', () => {
  for (const model of ['min', 'default'] as const) {
    it(`${model}: has what Unikraft refuses to boot without`, () => {
      const [, , c1, d1] = cpuid(input(model), 1, 0);
      assert.ok(bit(c1, 30), 'RDRAND');
      assert.ok(bit(d1, 16) && bit(d1, 24) && bit(d1, 25) && bit(d1, 26), 'PAT FXSR SSE SSE2');
      const [, b7] = cpuid(input(model), 7, 0);
      assert.ok(bit(b7, 18), 'RDSEED');
      const [maximum] = cpuid(input(model), 0x8000_0000, 0);
      assert.ok(maximum >>> 0 >= 0x8000_0008);
      const [, , , d] = cpuid(input(model), 0x8000_0001, 0);
      for (const n of [11, 20, 26, 29]) assert.ok(bit(d, n), `0x80000001 EDX bit ${n}`);
      assert.ok(((cpuid(input(model), 0x8000_0008, 0)[0] >>> 8) & 0xff) >= 48);
      // The APIC id of the only processor.
      assert.equal(cpuid(input(model), 1, 0)[1] >>> 24, 0);
      // Neither XSAVE nor AVX: one without the other would lose SSE state.
      assert.ok(!bit(c1, 26) && !bit(c1, 28));
    });
  }

  it('default is x86-64-v2 with the integer part of v3', () => {
    const [, , c] = cpuid(input('default'), 1, 0);
    for (const n of [0, 9, 13, 19, 20, 22, 23]) assert.ok(bit(c, n), `leaf 1 ECX bit ${n}`);
    const [, b] = cpuid(input('default'), 7, 0);
    for (const n of [0, 3, 8, 19]) assert.ok(bit(b, n), `leaf 7 EBX bit ${n}`);
    const [, , ec, ed] = cpuid(input('default'), 0x8000_0001, 0);
    assert.ok(bit(ec, 0) && bit(ec, 5) && bit(ed, 27));
    for (const feature of featuresOf('min')) assert.ok(featuresOf('default').has(feature));
  });

  it('advertises no feature without an instruction behind it', () => {
    const defined = new Set(definitions.map((d) => d.feature ?? 'base'));
    // PREFETCHW is a row of its own or one of the hints that do nothing.
    if (definitions.some((d) => d.encodings.some((e) => e.map === 1 && e.opcode === 0x0d))) defined.add('prefetchw');
    for (const feature of featuresOf('default')) assert.ok(defined.has(feature), feature);
  });

  it('tells the TSC frequency only when given one', () => {
    assert.deepEqual(cpuid(input('min'), 0x4000_0000, 0), [0, 0, 0, 0]);
    assert.ok(!bit(cpuid(input('min'), 1, 0)[2], 31));
    const with2GHz = input('min', 2_000_000);
    assert.equal(cpuid(with2GHz, 0x4000_0000, 0)[0], 0x4000_0010);
    assert.equal(cpuid(with2GHz, 0x4000_0010, 0)[0], 2_000_000);
    assert.ok(bit(cpuid(with2GHz, 1, 0)[2], 31));
  });

  it('answers the highest basic leaf beyond the last, and ends the cache list', () => {
    assert.deepEqual(cpuid(input('min'), 0x55, 0), cpuid(input('min'), 0xd, 0));
    assert.deepEqual(cpuid(input('min'), 0x9000_0000, 0), cpuid(input('min'), 0xd, 0));
    assert.equal(cpuid(input('min'), 4, 4)[0], 0);
    const l2 = cpuid(input('min'), 4, 2);
    assert.equal(((l2[1] >>> 22) + 1) * 64 * (l2[2] + 1), 1 << 20);
  });

  it('as an instruction clears the upper halves', () => {
    const rig = new Rig().set('rbx', -1n & 0xffff_ffff_ffff_ffffn).set('rax', 0x1_0000_0000n);
    rig.ok([0x0f, 0xa2]);
    assert.equal(rig.reg('rax'), 0xdn);
    assert.equal(rig.reg('rbx'), 0x756e_6547n);
  });
});

describe('MSRs', () => {
  const rdmsr = [0x0f, 0x32];
  const wrmsr = [0x0f, 0x30];
  const write = (rig: Rig, index: number, value: bigint): string =>
    rig
      .set('rcx', index)
      .set('rax', value & 0xffff_ffffn)
      .set('rdx', value >> 32n)
      .fault(wrmsr);
  const read = (rig: Rig, index: number): bigint => {
    rig.set('rcx', index).ok(rdmsr);
    return (rig.reg('rdx') << 32n) | rig.reg('rax');
  };

  it('keep what is written', () => {
    const rig = new Rig();
    for (const index of [Msr.STAR, Msr.LSTAR, Msr.CSTAR, Msr.KERNEL_GS_BASE, Msr.FS_BASE, Msr.GS_BASE, Msr.SYSENTER_EIP, Msr.PAT]) {
      const value = index === Msr.PAT ? 0x0007_0406_0007_0406n : 0x7fff_1234_5678n;
      assert.equal(write(rig, index, value), 'none');
      assert.equal(read(rig, index), value, index.toString(16));
    }
    assert.equal(rig.reg('fs_base'), 0x7fff_1234_5678n);
  });

  it('refuse what hardware refuses', () => {
    const rig = new Rig();
    for (const index of [Msr.LSTAR, Msr.FS_BASE, Msr.GS_BASE, Msr.KERNEL_GS_BASE])
      assert.equal(write(rig, index, 1n << 47n), 'd:0', index.toString(16));
    assert.equal(write(rig, Msr.PAT, 2n), 'd:0');
    assert.equal(write(rig, Msr.EFER, 1n << 12n), 'd:0');
    // LME cannot change while paging is on.
    assert.equal(write(rig, Msr.EFER, 0n), 'd:0');
    assert.equal(write(rig, Msr.EFER, 0x900n), 'none');
    assert.equal(read(rig, Msr.EFER), 0xd00n);
    assert.equal(write(rig, Msr.TSC_AUX, 1n << 32n), 'd:0');
    for (const index of [0x1234, 0xc001_0015, 0x4b56_4d00]) {
      rig.set('rcx', index);
      assert.equal(rig.fault(rdmsr), 'd:0');
      assert.equal(write(rig, index, 0n), 'd:0');
    }
  });

  it('move the time-stamp counter', () => {
    const rig = new Rig();
    assert.equal(write(rig, Msr.TSC, 1_000_000_000_000n), 'none');
    const now = read(rig, Msr.TSC);
    assert.ok(now >= 1_000_000_000_000n && now < 1_000_000_000_100n);
  });

  it('TSC_AUX exists with RDTSCP only', () => {
    assert.equal(write(new Rig('long', 'min'), Msr.TSC_AUX, 7n), 'd:0');
    const rig = new Rig();
    assert.equal(write(rig, Msr.TSC_AUX, 7n), 'none');
    rig.ok([0x0f, 0x01, 0xf9]);
    assert.equal(rig.reg('rcx'), 7n);
  });
});
