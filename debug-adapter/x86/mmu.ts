/** Page walks: 4-level, PAE and 32-bit paging, with exact #PF error codes and accessed and dirty bits (SDM vol. 3A, chapter 4). */

import { type CpuContext, Vector, type WalkResult } from './context';
import { Cr0, Cr4, Efer, readCr0, readCr4, readEfer } from './control-bits';
import { Layout, State } from './state';

/** Bits of paging-structure entries: of the low half, and NX of the high one. */
const Pte = { P: 1, W: 2, U: 4, A: 0x20, D: 0x40, PS: 0x80, G: 0x100 } as const;
const NX_HIGH = 0x8000_0000;

/** Bits of the #PF error code (SDM vol. 3A, 4.7). */
const Pf = { P: 1, W: 2, U: 4, RSVD: 8, I: 16 } as const;

/** MAXPHYADDR as CPUID 0x80000008 says it. */
export const physicalAddressBits = 46;
/** High halves of 8-byte entries: address bits 45:32, and bits 51:46, which are reserved. */
const addressHigh = 0x3fff;
const reservedHigh = 0xf_c000;
const TWO_32 = 0x1_0000_0000;

const RFLAGS_AC = 0x4_0000;

/** What a walk found: the leaf, and what all levels together allow. One object serves all walks: nothing is allocated on the way of an access. */
class Leaf {
  physical = 0;
  pageSize = 4096;
  writable = true;
  user = true;
  executable = true;
  global = false;
  dirty = false;
  /** Bytes of an entry. */
  entrySize: 4 | 8 = 8;
  /** Entries on the way, leaf last: their number, physical addresses and low halves. */
  depth = 0;
  readonly addresses = new Float64Array(4);
  readonly entries = new Uint32Array(4);

  begin(entrySize: 4 | 8): void {
    this.writable = true;
    this.user = true;
    this.executable = true;
    this.global = false;
    this.dirty = false;
    this.entrySize = entrySize;
    this.depth = 0;
  }

  step(address: number, low: number): void {
    if ((low & Pte.W) === 0) this.writable = false;
    if ((low & Pte.U) === 0) this.user = false;
    this.addresses[this.depth] = address;
    this.entries[this.depth++] = low;
  }

  end(low: number, physical: number, pageSize: number, globals: boolean): void {
    this.physical = physical;
    this.pageSize = pageSize;
    this.global = globals && (low & Pte.G) !== 0;
    this.dirty = (low & Pte.D) !== 0;
  }
}

const leaf = new Leaf();

/** How a walk ended: found, nothing present, or a reserved bit set. */
const Found = { leaf: 0, notPresent: 1, reserved: 2 } as const;

/** Halves of the entry that was read last. */
let entryLow = 0;
let entryHigh = 0;

function readEntry(cpu: CpuContext, address: number): void {
  if (address + 8 <= cpu.ramSize) {
    const word = (Layout.ramBase + address) >>> 2;
    entryLow = cpu.u32[word]!;
    entryHigh = cpu.u32[word + 1]!;
    return;
  }
  const entry = cpu.readPhysical(address, 8);
  entryLow = Number(entry & 0xffff_ffffn);
  entryHigh = Number(entry >> 32n);
}

/** 4-level paging, or PAE paging with three. */
function walk64(cpu: CpuContext, low: number, high: number, levels: 3 | 4): number {
  const nxe = (readEfer(cpu.view) & Efer.NXE) !== 0;
  const globals = (readCr4(cpu.view) & Cr4.PGE) !== 0;
  const cr3 = cpu.u32[State.cr3 >> 2]!;
  let table =
    levels === 4 ? (cpu.u32[(State.cr3 + 4) >> 2]! & addressHigh) * TWO_32 + ((cr3 & 0xffff_f000) >>> 0) : (cr3 & 0xffff_ffe0) >>> 0;
  leaf.begin(8);
  // In PAE paging bits 62:52 are reserved, in 4-level paging they are ignored.
  const reserved = (reservedHigh | (nxe ? 0 : NX_HIGH) | (levels === 3 ? 0x7ff0_0000 : 0)) >>> 0;
  for (let level = levels - 1; level >= 0; level--) {
    const pdpte = levels === 3 && level === 2;
    const index =
      level === 3 ? (high >>> 7) & 511 : level === 2 ? (pdpte ? low >>> 30 : ((high & 127) << 2) | (low >>> 30)) : level === 1 ? (low >>> 21) & 511 : (low >>> 12) & 511; // prettier-ignore
    const address = table + index * 8;
    readEntry(cpu, address);
    if ((entryLow & Pte.P) === 0) return Found.notPresent;
    const next = (entryHigh & addressHigh) * TWO_32 + ((entryLow & 0xffff_f000) >>> 0);
    if (pdpte) {
      // PAE page-directory-pointer entries give no permissions and have no accessed bit.
      if (isReservedPointer()) return Found.reserved;
      table = next;
      continue;
    }
    if ((entryHigh & reserved) !== 0) return Found.reserved;
    const large = level !== 0 && (entryLow & Pte.PS) !== 0;
    if (large) {
      // Below the page's base only bit 12 (PAT) may be set; there are no pages of 512 GiB.
      if (level === 3 || (entryLow & (level === 2 ? 0x3fff_e000 : 0x1f_e000)) !== 0) return Found.reserved;
    }
    if ((entryHigh & NX_HIGH) !== 0) leaf.executable = false;
    leaf.step(address, entryLow);
    if (large || level === 0) {
      const offset = level === 2 ? 0x3fff_ffff : level === 1 ? 0x1f_ffff : 0xfff;
      const page = (entryHigh & addressHigh) * TWO_32 + ((entryLow & 0xffff_f000 & ~offset) >>> 0);
      leaf.end(entryLow, page + (low & offset), offset + 1, globals);
      return Found.leaf;
    }
    table = next;
  }
  return Found.notPresent;
}

/** A PAE page-directory-pointer entry (the last entry read) with a reserved bit. */
const isReservedPointer = (): boolean => (entryHigh & (reservedHigh | 0xfff0_0000)) !== 0 || (entryLow & 0x1e6) !== 0;

/** 32-bit paging: two levels of 4-byte entries; PSE pages of 4 MiB with PSE-36 address bits. */
function walk32(cpu: CpuContext, at: number): number {
  const cr4 = readCr4(cpu.view);
  const globals = (cr4 & Cr4.PGE) !== 0;
  const pdeAddress = ((cpu.u32[State.cr3 >> 2]! & ~0xfff) >>> 0) + (at >>> 22) * 4;
  const pde = Number(cpu.readPhysical(pdeAddress, 4));
  if ((pde & Pte.P) === 0) return Found.notPresent;
  leaf.begin(4);
  leaf.step(pdeAddress, pde);
  if ((pde & Pte.PS) !== 0 && (cr4 & Cr4.PSE) !== 0) {
    // Bits 20:13 are address bits 39:32; bit 21 is reserved.
    if ((pde & 0x20_0000) !== 0) return Found.reserved;
    leaf.end(pde, ((pde >>> 13) & 0xff) * TWO_32 + ((pde & 0xffc0_0000) >>> 0) + (at & 0x3f_ffff), 0x40_0000, globals);
    return Found.leaf;
  }
  const pteAddress = ((pde & 0xffff_f000) >>> 0) + ((at >>> 12) & 0x3ff) * 4;
  const pte = Number(cpu.readPhysical(pteAddress, 4));
  if ((pte & Pte.P) === 0) return Found.notPresent;
  leaf.step(pteAddress, pte);
  leaf.end(pte, ((pte & 0xffff_f000) >>> 0) + (at & 0xfff), 4096, globals);
  return Found.leaf;
}

/** Whether bits 63:47 of an address are all alike, by its high half. */
const isCanonicalHigh = (high: number): boolean => (high | 0) >> 15 === 0 || (high | 0) >> 15 === -1;

function find(cpu: CpuContext, low: number, high: number): number {
  if ((readEfer(cpu.view) & Efer.LMA) !== 0) return isCanonicalHigh(high) ? walk64(cpu, low, high, 4) : Found.notPresent;
  return (readCr4(cpu.view) & Cr4.PAE) !== 0 ? walk64(cpu, low, 0, 3) : walk32(cpu, low);
}

function paging(cpu: CpuContext): boolean {
  return (readCr0(cpu.view) & Cr0.PG) !== 0;
}

/** Both halves of a linear address as unsigned numbers. */
const lowOf = (linear: bigint): number => Number(linear & 0xffff_ffffn);
const highOf = (linear: bigint): number => Number((linear >> 32n) & 0xffff_ffffn);

function unpaged(linear: bigint): WalkResult {
  return { physical: lowOf(linear), pageSize: 4096, writable: true, executable: true, user: true, global: false };
}

function pageFault(cpu: CpuContext, low: number, high: number, code: number): never {
  return cpu.raise(Vector.PF, code, (BigInt(high) << 32n) | BigInt(low));
}

/**
 * Translates for an access, or raises #PF with CR2: the physical address. Sets accessed bits on the way and the dirty bit of the page for a write, as the
 * processor does, once the access is known to be allowed. The address is given in its halves, both unsigned. `user`: an access with CPL 3 privilege;
 * explicit supervisor accesses and implicit ones (descriptor tables, TSS) are told apart for SMAP by the caller passing `implicit`.
 * (SDM vol. 3A, 4.6, 4.7, 4.8)
 */
export function translate(
  cpu: CpuContext,
  low: number,
  high: number,
  access: 'read' | 'write' | 'execute',
  user: boolean,
  implicit: boolean,
): number {
  if (!paging(cpu)) return low;
  const found = find(cpu, low, high);
  const cr4 = readCr4(cpu.view);
  const smep = (cr4 & Cr4.SMEP) !== 0;
  const wp = (readCr0(cpu.view) & Cr0.WP) !== 0;
  let allowed = false;
  if (found === Found.leaf) {
    // RFLAGS.AC is no arithmetic flag, so the state block's word is current.
    if (user) allowed = leaf.user && (access !== 'write' || leaf.writable) && (access !== 'execute' || leaf.executable);
    else if (access === 'execute') allowed = leaf.executable && !(smep && leaf.user);
    else {
      const overridden = !implicit && (cpu.u32[State.flags >> 2]! & RFLAGS_AC) !== 0;
      allowed = !((cr4 & Cr4.SMAP) !== 0 && leaf.user && !overridden) && (access !== 'write' || leaf.writable || !wp);
    }
  }
  if (!allowed) {
    let code = access === 'write' ? Pf.W : 0;
    if (user) code |= Pf.U;
    // The I bit is there only where fetches can be told apart (SDM vol. 3A, 4.7).
    const nxe = (readEfer(cpu.view) & Efer.NXE) !== 0;
    if (access === 'execute' && ((nxe && (cr4 & Cr4.PAE) !== 0) || smep)) code |= Pf.I;
    if (found !== Found.notPresent) code |= Pf.P;
    if (found === Found.reserved) code |= Pf.RSVD;
    pageFault(cpu, low, high, code);
  }
  const last = leaf.depth - 1;
  for (let i = 0; i <= last; i++) {
    const entry = leaf.entries[i]!;
    const marked = (entry | Pte.A | (i === last && access === 'write' ? Pte.D : 0)) >>> 0;
    if (marked !== entry) cpu.writePhysical(leaf.addresses[i]!, 4, BigInt(marked));
  }
  return leaf.physical;
}

/** The same with all that was found. */
export function walk(cpu: CpuContext, linear: bigint, access: 'read' | 'write' | 'execute', user: boolean, implicit = false): WalkResult {
  if (!paging(cpu)) return unpaged(linear);
  const physical = translate(cpu, lowOf(linear), highOf(linear), access, user, implicit);
  const wp = (readCr0(cpu.view) & Cr0.WP) !== 0;
  const smep = (readCr4(cpu.view) & Cr4.SMEP) !== 0;
  return {
    physical,
    pageSize: leaf.pageSize,
    writable: (leaf.writable || (!user && !wp)) && (leaf.dirty || access === 'write'),
    executable: leaf.executable && !(smep && leaf.user && !user),
    user: leaf.user,
    global: leaf.global,
  };
}

/** The translation for the debugger: no fault, no accessed or dirty bits; `writable` is what the tables allow. */
export function peek(cpu: CpuContext, linear: bigint): WalkResult | undefined {
  if (!paging(cpu)) return unpaged(linear);
  if (find(cpu, lowOf(linear), highOf(linear)) !== Found.leaf) return undefined;
  const { physical, pageSize, writable, executable, user, global } = leaf;
  return { physical, pageSize, writable, executable, user, global };
}

/**
 * Checks the four PAE page-directory-pointer entries that `cr3` names, as loading CR3 (or turning PAE paging on) does: reserved bits
 * in a present one are #GP(0) (SDM vol. 3A, 4.4.1).
 */
export function checkPaePointers(cpu: CpuContext, cr3: bigint): void {
  const table = Number(cr3 & 0xffff_ffe0n);
  for (let i = 0; i < 4; i++) {
    readEntry(cpu, table + i * 8);
    if ((entryLow & Pte.P) !== 0 && isReservedPointer()) cpu.raise(Vector.GP, 0);
  }
}
