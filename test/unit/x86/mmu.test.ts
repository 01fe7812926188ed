/** Paging: permissions and error codes in every mode, accessed and dirty bits, reserved bits, side-effect-free translation. */

import assert from 'node:assert/strict';

import { walk } from '../../../debug-adapter/x86/mmu';
import { GuestFault } from '../../../debug-adapter/x86/context';
import { Cr0, Cr4 } from '../../../debug-adapter/x86/control-bits';
import { State } from '../../../debug-adapter/x86/state';
import { At, Rig, type RigMode } from './system-rig';

/** Tables of the rig: its page directory is at pages+0x2000; a table for 4 KiB pages goes here, for linear 0x400000. */
const table = At.pages + 0x8000;
const linear = 0x40_0000n;

function withPte(rig: Rig, pte: bigint, pde = 7n): Rig {
  if (rig.mode === 'protected') {
    rig.write32(At.pages + 4, table | Number(pde));
    rig.write32(table, Number(pte & 0xffff_ffffn));
  } else {
    rig.write64(At.pages + 0x2000 + 2 * 8, BigInt(table) | pde);
    rig.write64(table, pte);
  }
  rig.cpu.invalidate();
  return rig;
}

function pteOf(rig: Rig): bigint {
  return rig.mode === 'protected' ? BigInt(rig.read32(table)) : rig.read64(table);
}

/** The outcome of an access: 'ok', or the error code. */
function access(rig: Rig, kind: 'read' | 'write' | 'execute', user = false, address = linear, implicit = false): string {
  try {
    walk(rig.cpu, address, kind, user, implicit);
    return 'ok';
  } catch (fault) {
    assert.ok(fault instanceof GuestFault);
    assert.equal(fault.vector, 14);
    assert.equal(rig.reg('cr2'), address);
    return fault.errorCode!.toString(16);
  }
}

const nx = 1n << 63n;
const page = 0x30_0000n;

describe('paging', () => {
  for (const mode of ['long', 'pae', 'protected'] as const satisfies readonly RigMode[]) {
    describe(mode, () => {
      // Without NX in 32-bit paging there is no I bit either.
      const i = mode === 'protected' ? 0 : 0x10;

      it('tells absent pages by the access alone', () => {
        const rig = withPte(new Rig(mode), 0n);
        assert.equal(access(rig, 'read'), '0');
        assert.equal(access(rig, 'write'), '2');
        assert.equal(access(rig, 'read', true), '4');
        assert.equal(access(rig, 'write', true), '6');
        assert.equal(access(rig, 'execute'), i.toString(16));
        assert.equal(access(rig, 'execute', true), (i | 4).toString(16));
        const directory = withPte(new Rig(mode), 7n, 0n);
        assert.equal(access(directory, 'write'), '2');
      });

      it('protects supervisor pages from users', () => {
        const rig = withPte(new Rig(mode), page | 3n);
        assert.equal(access(rig, 'read'), 'ok');
        assert.equal(access(rig, 'read', true), '5');
        assert.equal(access(rig, 'write', true), '7');
        assert.equal(access(rig, 'execute', true), (i | 5).toString(16));
        // Every level must allow it.
        assert.equal(access(withPte(new Rig(mode), page | 7n, 3n), 'read', true), '5');
      });

      it('protects read-only pages, from supervisors with CR0.WP', () => {
        const rig = withPte(new Rig(mode), page | 5n);
        assert.equal(access(rig, 'write', true), '7');
        assert.equal(access(rig, 'write'), '3');
        assert.equal(access(withPte(new Rig(mode), page | 7n, 5n), 'write'), '3');
        rig.poke(State.cr0, rig.view.getBigUint64(State.cr0, true) & ~BigInt(Cr0.WP));
        assert.equal(access(rig, 'write'), 'ok');
        assert.equal(access(rig, 'write', true), '7');
      });

      it('sets accessed bits on the way, the dirty bit for writes only, and nothing on a fault', () => {
        const rig = withPte(new Rig(mode), page | 1n);
        assert.equal(access(rig, 'write', true), '7');
        assert.equal(pteOf(rig), page | 1n);
        assert.equal(access(rig, 'read'), 'ok');
        assert.equal(pteOf(rig), page | 0x21n);
        const written = withPte(new Rig(mode), page | 7n);
        assert.equal(access(written, 'write'), 'ok');
        assert.equal(pteOf(written), page | 0x67n);
      });

      it('answers the debugger without a trace', () => {
        const rig = withPte(new Rig(mode), page | 5n);
        const found = rig.cpu.translate(linear + 0x123n);
        assert.equal(found?.physical, 0x30_0123);
        assert.equal(found.writable, false);
        assert.equal(found.user, true);
        assert.equal(pteOf(rig), page | 5n);
        assert.equal(rig.cpu.translate(linear + 0x1000n), undefined);
      });

      it('obeys SMEP and SMAP', () => {
        const rig = withPte(new Rig(mode), page | 7n);
        rig.poke(State.cr4, rig.view.getBigUint64(State.cr4, true) | BigInt(Cr4.SMEP));
        assert.equal(access(rig, 'execute'), '11');
        assert.equal(access(rig, 'execute', true), 'ok');
        rig.poke(State.cr4, rig.view.getBigUint64(State.cr4, true) | BigInt(Cr4.SMAP));
        assert.equal(access(rig, 'read'), '1');
        assert.equal(access(rig, 'write'), '3');
        assert.equal(access(rig, 'read', true), 'ok');
        rig.poke(State.flags, 0x4_0002n);
        assert.equal(access(rig, 'read'), 'ok');
        assert.equal(access(rig, 'read', false, linear, true), '1');
      });
    });
  }

  for (const mode of ['long', 'pae'] as const) {
    it(`${mode}: NX and reserved bits`, () => {
      assert.equal(access(withPte(new Rig(mode), page | 7n | nx), 'execute'), '11');
      assert.equal(access(withPte(new Rig(mode), page | 7n, 7n | nx), 'execute', true), '15');
      assert.equal(access(withPte(new Rig(mode), page | 7n | nx), 'read'), 'ok');
      // A physical address past MAXPHYADDR.
      assert.equal(access(withPte(new Rig(mode), page | 7n | (1n << 50n)), 'write', true), 'f');
      // NX without EFER.NXE is a reserved bit.
      const rig = withPte(new Rig(mode), page | 7n | nx);
      rig.poke(State.efer, rig.view.getBigUint64(State.efer, true) & ~0x800n);
      assert.equal(access(rig, 'read'), '9');
      // Bits 62:52 are free in 4-level paging and reserved in PAE paging.
      assert.equal(access(withPte(new Rig(mode), page | 7n | (1n << 55n)), 'read'), mode === 'long' ? 'ok' : '9');
      // A 2 MiB page off its boundary.
      const large = new Rig(mode);
      large.write64(At.pages + 0x2000 + 2 * 8, 0x20_2087n);
      large.cpu.invalidate();
      assert.equal(access(large, 'read'), '9');
    });
  }

  it('long: 1 GiB pages, and PS in a top-level entry as a reserved bit', () => {
    const rig = new Rig('long');
    rig.write64(At.pages + 0x1000 + 8, 0x87n);
    rig.cpu.invalidate();
    const result = walk(rig.cpu, 0x4012_3456n, 'write', false);
    assert.equal(result.physical, 0x12_3456);
    assert.equal(result.pageSize, 0x4000_0000);
    assert.equal(rig.read64(At.pages + 0x1000 + 8), 0xe7n);
    rig.write64(At.pages + 8, 0x87n);
    assert.equal(access(rig, 'read', false, 0x80_0000_0000n), '9');
  });

  it('protected: 4 MiB pages with address bits above 32', () => {
    const rig = new Rig('protected');
    rig.write32(At.pages + 8, 0x40_2087);
    rig.cpu.invalidate();
    const result = walk(rig.cpu, 0x80_1234n, 'read', false);
    assert.equal(result.physical, 0x1_0040_1234);
    assert.equal(result.pageSize, 0x40_0000);
  });

  it('gives linear addresses back with paging off', () => {
    const result = walk(new Rig('unpaged').cpu, 0x1234_5678n, 'write', false);
    assert.equal(result.physical, 0x1234_5678);
  });
});

describe('paging seen by instructions', () => {
  it('faults with CR2 and restarts', () => {
    const rig = withPte(new Rig('long'), 0n).set('rax', linear + 8n);
    assert.equal(rig.fault([0x48, 0x89, 0x18]), 'e:2');
    assert.equal(rig.reg('cr2'), linear + 8n);
    assert.equal(rig.reg('rip'), rig.last);
    withPte(rig, page | 3n);
    rig.set('rbx', 0x1122n).ok([0x48, 0x89, 0x18]);
    assert.equal(rig.read64(0x30_0008), 0x1122n);
  });

  it('drops translations by INVLPG and CR3', () => {
    const rig = withPte(new Rig('long'), page | 3n).set('rax', linear);
    rig.ok([0x48, 0x8b, 0x18]);
    // The table changes behind the processor's back: only the flush tells it.
    rig.write64(table, 0x31_0003n);
    rig.write64(0x31_0000, 0x77n);
    rig.ok([0x0f, 0x01, 0x38]).ok([0x48, 0x8b, 0x18]);
    assert.equal(rig.reg('rbx'), 0x77n);
    rig.write64(table, 0n);
    rig.set('rcx', BigInt(At.pages)).ok([0x0f, 0x22, 0xd9]);
    assert.equal(rig.fault([0x48, 0x8b, 0x18]), 'e:0');
  });

  it('PGE: global pages may outlive CR3, not a change of CR4.PGE; PCID: bit 63 of CR3 is no address', () => {
    const pge = 0x80n;
    const pcide = 0x2_0000n;
    const rig = withPte(new Rig('long'), page | 0x103n).set('rax', linear);
    const cr4 = rig.reg('cr4');
    rig
      .set('rcx', cr4 | pge)
      .ok([0x0f, 0x22, 0xe1])
      .ok([0x48, 0x8b, 0x18]);
    rig.write64(table, 0n);
    rig.set('rcx', cr4).ok([0x0f, 0x22, 0xe1]);
    assert.equal(rig.fault([0x48, 0x8b, 0x18]), 'e:0');
    withPte(rig, page | 3n);
    rig.set('rcx', cr4 | pcide).ok([0x0f, 0x22, 0xe1]);
    rig
      .set('rcx', BigInt(At.pages) | 5n | (1n << 63n))
      .ok([0x0f, 0x22, 0xd9])
      .ok([0x48, 0x8b, 0x18]);
    assert.equal(rig.reg('cr3'), BigInt(At.pages) | 5n);
    // With a PCID other than 0 it cannot be turned on, and without it the bit is reserved.
    rig
      .set('rcx', cr4)
      .ok([0x0f, 0x22, 0xe1])
      .set('rcx', cr4 | pcide);
    assert.equal(rig.fault([0x0f, 0x22, 0xe1]), 'd:0');
    rig.set('rcx', BigInt(At.pages) | (1n << 63n));
    assert.equal(rig.fault([0x0f, 0x22, 0xd9]), 'd:0');
  });

  it('raises #GP for non-canonical addresses and #SS through the stack', () => {
    const rig = new Rig('long').set('rax', 0x8000_0000_0000n).set('rbp', 0x8000_0000_0000n);
    assert.equal(rig.fault([0x48, 0x8b, 0x18]), 'd:0');
    assert.equal(rig.fault([0x48, 0x8b, 0x5d, 0x00]), 'c:0');
  });
});
