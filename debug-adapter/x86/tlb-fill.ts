/**
 * The way of an access that no TLB entry serves, in generated code: walks the 4-level page tables and remembers the page where that changes nothing but the TLB.
 * Everything else (bits to be set, faults, devices, pages with code, other modes) is left to TypeScript, which also keeps the journals of filled entries.
 */

import { Imports, TlbJournals } from './interp-abi';
import { Layout, Mode, State } from './state';
import { Code } from './wasm/code';

const entryBits = { present: 1n, writable: 2n, user: 4n, accessed: 0x20n, dirty: 0x40n, large: 0x80n } as const;
/** Address bits 45:12 of an entry or of CR3, and bits 51:46, which are reserved (`physicalAddressBits`, mmu.ts). */
const addressBits = 0x3fff_ffff_f000n;
const reservedBits = 0xf_c000_0000_0000n;
const noExecute = 1n << 63n;
const EFER_NXE = 0x800n;
const CR4_SMAP = 1n << 21n;

/** `(linear: i64, size | access << 8 | …, record) -> host address, 0 = fault pending`, as `Imports.slow`. */
export function tlbFill(): Code {
  const c = new Code(['i64', 'i32', 'i32']);
  const [linear, description, record] = [0, 1, 2];
  const write = c.local('i32');
  const at = c.local('i32');
  const count = c.local('i32');
  const needed = c.local('i64');
  const looked = c.local('i64');
  const all = c.local('i64');
  const entry = c.local('i64');
  const page = c.local('i64');
  const load64 = (offset: number): Code => c.i32(0).mem('i64.load', offset);
  const miss = c.block();
  c.i32(0).mem('i32.load', TlbJournals.off).brIf(miss);
  c.i32(0).mem('i32.load', State.mode).i32(Mode.long).op('i32.and', 'i32.eqz').brIf(miss);
  // In one page, and canonical.
  c.get(linear)
    .op('i32.wrap_i64')
    .i32(4095)
    .op('i32.and')
    .get(description)
    .i32(255)
    .op('i32.and', 'i32.add')
    .i32(4096)
    .op('i32.gt_u')
    .brIf(miss);
  c.get(linear).i64(16).op('i64.shl').i64(16).op('i64.shr_s').get(linear).op('i64.ne').brIf(miss);
  c.get(description).i32(0x300).op('i32.and').i32(0).op('i32.ne').set(write);
  // What every entry must have, and what it must not have.
  c.i64(entryBits.present | entryBits.accessed);
  c.get(write).op('i64.extend_i32_u').i64(1).op('i64.shl', 'i64.or');
  c.i64(entryBits.user).i64(0).i32(0).mem('i32.load', State.mode).i32(Mode.user).op('i32.and', 'select', 'i64.or').set(needed);
  c.i64(reservedBits).i64(reservedBits | noExecute);
  load64(State.efer).i64(EFER_NXE).op('i64.and').i64(0).op('i64.ne', 'select').get(needed).op('i64.or').set(looked);
  load64(State.cr3).i64(addressBits).op('i64.and').set(page);
  c.i64(-1).set(all);
  const found = c.block();
  for (const shift of [39, 30, 21, 12]) {
    c.get(page);
    load64(TlbJournals.ram);
    c.op('i64.ge_u').brIf(miss);
    c.get(page)
      .op('i32.wrap_i64')
      .get(linear)
      .i64(shift - 3)
      .op('i64.shr_u', 'i32.wrap_i64')
      .i32(0xff8)
      .op('i32.and', 'i32.add');
    c.mem('i64.load', Layout.ramBase).tee(entry).get(looked).op('i64.and').get(needed).op('i64.ne').brIf(miss);
    c.get(all).get(entry).op('i64.and').set(all);
    c.get(entry).i64(addressBits).op('i64.and').set(page);
    if (shift === 12) break;
    c.get(entry).i64(entryBits.large).op('i64.and', 'i64.eqz', 'i32.eqz');
    if (shift === 39) {
      c.brIf(miss);
      continue;
    }
    c.if();
    // Of a large page only the address and bit 12 may be set up to its size.
    const below = (1n << BigInt(shift)) - 1n;
    c.get(entry)
      .i64(below & ~0x1fffn)
      .op('i64.and')
      .i64(0)
      .op('i64.ne')
      .brIf(miss);
    c.get(page)
      .i64(~below)
      .op('i64.and')
      .get(linear)
      .i64(below & ~0xfffn)
      .op('i64.and', 'i64.or')
      .set(page);
    c.br(found);
    c.end();
  }
  c.end();
  // A first write sets the dirty bit.
  c.get(write).get(entry).i64(entryBits.dirty).op('i64.and', 'i64.eqz', 'i32.and').brIf(miss);
  // Supervisor accesses to the user's pages may be refused.
  c.get(all).i64(entryBits.user).op('i64.and', 'i64.eqz', 'i32.eqz').get(needed).i64(entryBits.user).op('i64.and', 'i64.eqz', 'i32.and');
  load64(State.cr4).i64(CR4_SMAP).op('i64.and', 'i64.eqz', 'i32.eqz', 'i32.and').brIf(miss);
  c.get(page);
  load64(TlbJournals.ram);
  c.op('i64.ge_u').brIf(miss);
  // Stores to code have to be seen.
  c.get(write).get(page).i64(12).op('i64.shr_u', 'i32.wrap_i64').mem('i32.load8_u', Layout.codeMap).op('i32.and').brIf(miss);
  // The entry, and its place in the journal.
  c.get(write).i32(2).op('i32.shl').tee(at).mem('i32.load', TlbJournals.counts).tee(count).i32(TlbJournals.entries).op('i32.lt_u');
  c.if();
  c.get(at).get(count).i32(1).op('i32.add').mem('i32.store', TlbJournals.counts);
  c.end();
  c.get(write)
    .i32(Layout.tlbWrite - Layout.tlbRead)
    .op('i32.mul');
  c.get(linear)
    .i64(8)
    .op('i64.shr_u', 'i32.wrap_i64')
    .i32((Layout.tlbEntries - 1) * 16)
    .op('i32.and', 'i32.add')
    .i32(Layout.tlbRead)
    .op('i32.add')
    .set(at);
  // A count that has reached its end says that any entry may be filled.
  c.get(write)
    .i32(TlbJournals.entries * 4)
    .op('i32.mul')
    .get(count)
    .i32(TlbJournals.entries - 1)
    .op('i32.and')
    .i32(2)
    .op('i32.shl', 'i32.add');
  c.get(at).i32(2).op('i32.shr_u').mem('i32.store', TlbJournals.read);
  c.get(at).get(linear).i64(-4096).op('i64.and').mem('i64.store');
  c.get(at);
  c.get(page)
    .op('i32.wrap_i64')
    .i32(Layout.ramBase)
    .op('i32.add')
    .get(linear)
    .op('i32.wrap_i64')
    .i32(-4096)
    .op('i32.and', 'i32.sub')
    .tee(count);
  c.mem('i32.store', 8);
  c.get(linear).op('i32.wrap_i64').get(count).op('i32.add', 'return');
  c.end();
  c.get(linear).get(description).get(record).call(Imports.slow);
  return c;
}
