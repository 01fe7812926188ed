/** The walk of page tables in generated code against the one in TypeScript: random tables, modes and accesses. CASES sets the number, SEED repeats a run. */

import assert from 'node:assert/strict';
import { GuestFault } from '../../debug-adapter/x86/context';
import { X86Cpu } from '../../debug-adapter/x86/cpu';
import { defaultHandlers } from '../../debug-adapter/x86/default-handlers';
import { HandlerSet } from '../../debug-adapter/x86/handlers';
import { TlbJournals } from '../../debug-adapter/x86/interp-abi';
import { opcodeTable } from '../../debug-adapter/x86/isa/all';
import { translate } from '../../debug-adapter/x86/mmu';
import { Layout, Mode, State } from '../../debug-adapter/x86/state';
import { Random, seedOf } from './random';

const cases = Number(process.env['CASES'] ?? 30_000);
const ramBytes = 1 << 17;
const PAGE = 4096;
/** What the walk answers where it leaves the access to TypeScript. */
const left = -2;
const shifts = [39n, 30n, 21n, 12n];

describe('page walks in generated code', () => {
  const memory = new WebAssembly.Memory({ initial: (Layout.ramBase + ramBytes) >> 16 });
  const bus = {
    portRead: () => 0,
    portWrite: () => undefined,
    mmioRead: () => 0n,
    mmioWrite: () => undefined,
    acknowledgeInterrupt: () => -1,
    timeStampCounter: () => 0n,
    random: () => 0n,
  };
  const cpu = new X86Cpu({ memory, ramBytes, bus, model: 'default', tscKilohertz: 0, jit: false });
  const { view, u8, u32 } = cpu;
  const handlers = new HandlerSet(opcodeTable, defaultHandlers(), memory, {
    slow: () => left,
    commit: () => undefined,
    helper: () => 0,
    raise: () => undefined,
    segmented: () => 0n,
  });
  const reach = handlers.runtime['reach'] as (linear: bigint, description: number, record: number) => number;

  /** An address in RAM of a page, now and then one that is beyond it. */
  const frame = (r: Random): bigint => (r.oneIn(40) ? BigInt(r.below(1 << 20)) << 20n : BigInt(r.below(ramBytes / PAGE)) * BigInt(PAGE));

  /** A random entry of a table: mostly one that allows everything. */
  function entry(r: Random, shift: bigint): bigint {
    let bits = frame(r) | 0x67n;
    for (const bit of [0, 1, 2, 5, 6]) if (r.oneIn(14)) bits &= ~(1n << BigInt(bit));
    if (r.oneIn(4)) bits |= 0x100n;
    if (r.oneIn(6)) bits |= 1n << 63n;
    if (r.oneIn(60)) bits |= 1n << BigInt(46 + r.below(6));
    if (shift > 12n && r.oneIn(6)) {
      bits |= 0x80n;
      // Mostly as the size of the page asks.
      if (!r.oneIn(8)) bits &= ~(((1n << shift) - 1n) & ~0x1fffn);
      if (r.oneIn(6)) bits |= 1n << BigInt(13 + r.below(Number(shift) - 13));
    }
    return bits;
  }

  /** Draws a state and an access; answers what is wrong with what the walk makes of it. */
  function check(r: Random, tally: { filled: number }): string | undefined {
    const root = BigInt(r.below(ramBytes / PAGE)) * BigInt(PAGE);
    const linear = r.oneIn(50) ? r.u64() : BigInt.asUintN(64, BigInt.asIntN(48, r.u64()));
    const user = r.oneIn(2);
    const access = r.below(3);
    const size = r.pick([1, 2, 4, 8, 16]);
    view.setBigUint64(State.cr0, 0x8000_0001n | (r.oneIn(3) ? 0n : 0x1_0000n), true);
    view.setBigUint64(State.cr3, root | (r.oneIn(8) ? 0x18n : 0n), true);
    view.setBigUint64(State.cr4, 0x20n | (r.oneIn(3) ? 1n << 21n : 0n) | (r.oneIn(2) ? 0x80n : 0n), true);
    view.setBigUint64(State.efer, 0x500n | (r.oneIn(3) ? 0n : 0x800n), true);
    view.setBigUint64(State.flags, r.oneIn(2) ? 0x4_0002n : 2n, true);
    u32[State.mode >> 2] = (r.oneIn(30) ? 0 : Mode.long) | (user ? Mode.user : 0);
    u32[TlbJournals.off >> 2] = r.oneIn(30) ? 1 : 0;
    let table = root;
    for (const shift of shifts) {
      const at = table + ((linear >> shift) & 511n) * 8n;
      if (at + 8n > BigInt(ramBytes)) break;
      const bits = entry(r, shift);
      view.setBigUint64(Layout.ramBase + Number(at), bits, true);
      table = bits & 0x3fff_ffff_f000n;
      if ((bits & 0x80n) !== 0n) break;
    }
    for (let page = 0; page < ramBytes / PAGE; page++) u8[Layout.codeMap + page] = r.oneIn(10) ? 1 : 0;
    const write = access !== 0;
    const tlb = (write ? Layout.tlbWrite : Layout.tlbRead) + Number((linear >> 12n) & BigInt(Layout.tlbEntries - 1)) * 16;
    u8.fill(0xff, tlb, tlb + 16);
    const counter = (TlbJournals.counts >> 2) + (write ? 1 : 0);
    const count = (u32[counter] = r.oneIn(20) ? TlbJournals.entries : r.below(100));
    const ram = u8.slice(Layout.ramBase, Layout.ramBase + ramBytes);
    const answer = reach(linear, size | (access << 8), 0);
    if (Buffer.compare(ram, u8.subarray(Layout.ramBase, Layout.ramBase + ramBytes)) !== 0) return 'RAM has changed';
    let physical: number | undefined;
    try {
      const halves = [Number(linear & 0xffff_ffffn), Number(linear >> 32n)] as const;
      physical = translate(cpu, ...halves, write ? 'write' : 'read', user, false);
    } catch (error) {
      if (!(error instanceof GuestFault)) throw error;
    }
    const marks = Buffer.compare(ram, u8.subarray(Layout.ramBase, Layout.ramBase + ramBytes)) !== 0;
    if (answer === left) {
      if (view.getBigInt64(tlb, true) !== -1n || u32[counter] !== count) return 'it has left the access, and filled an entry';
      const crosses = Number(linear & 0xfffn) + size > PAGE;
      const isOther =
        (u32[State.mode >> 2]! & Mode.long) === 0 || u32[TlbJournals.off >> 2] !== 0 || crosses || marks || physical === undefined;
      const isApart = physical! >= ramBytes || (write && u8[Layout.codeMap + Math.floor(physical! / PAGE)] === 1);
      // Where a supervisor may do what the tables do not say.
      const isOverridden =
        !user && ((write && (view.getUint32(State.cr0, true) & 0x1_0000) === 0) || (view.getUint32(State.cr4, true) & (1 << 21)) !== 0);
      return isOther || isApart || isOverridden ? undefined : 'it has left an ordinary access';
    }
    tally.filled++;
    if (physical === undefined) return 'there is a fault';
    if (marks) return 'there are bits to be set';
    if (answer >>> 0 !== Layout.ramBase + physical)
      return `it is at ${physical.toString(16)}, not ${((answer >>> 0) - Layout.ramBase).toString(16)}`;
    if (view.getBigUint64(tlb, true) !== (linear & ~0xfffn)) return 'the entry is of another page';
    if ((view.getUint32(tlb + 8, true) + Number(linear & 0xffff_ffffn)) >>> 0 !== answer >>> 0) return 'the entry leads elsewhere';
    if (write && u8[Layout.codeMap + Math.floor(physical / PAGE)] === 1) return 'there is code in the page';
    if (u32[counter] !== Math.min(count + 1, TlbJournals.entries)) return 'the journal has not gone on';
    const journal = (TlbJournals.read >> 2) + (write ? TlbJournals.entries : 0);
    if (count < TlbJournals.entries && u32[journal + count] !== tlb >> 2) return 'the journal has another entry';
    return undefined;
  }

  it('find what the walk in TypeScript finds, and fill the TLB where that is all there is to do', function () {
    this.timeout(60_000 + cases);
    const first = seedOf('page walks');
    console.log(`      ${cases} accesses`);
    const tally = { filled: 0 };
    const failed: string[] = [];
    for (let i = 0; i < cases && failed.length < 5; i++) {
      const fault = check(new Random(first + i), tally);
      if (fault !== undefined) failed.push(`seed ${first + i}: ${fault}`);
    }
    assert.deepEqual(failed, []);
    assert.ok(tally.filled > cases / 10, `${tally.filled} entries were filled`);
  });
});
