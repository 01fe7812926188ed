/** Page walks: 4-level, PAE and 32-bit paging, with exact #PF error codes and accessed and dirty bits (SDM vol. 3A, chapter 4). */

import { type CpuContext, Vector, type WalkResult } from './context';
import { Cr0, Cr4, Efer, isCanonical, readCr0, readCr4, readEfer } from './control-bits';
import { State } from './state';

/** Bits of paging-structure entries. */
const Pte = { P: 1n, W: 2n, U: 4n, A: 0x20n, D: 0x40n, PS: 0x80n, G: 0x100n, NX: 1n << 63n } as const;

/** Bits of the #PF error code (SDM vol. 3A, 4.7). */
const Pf = { P: 1, W: 2, U: 4, RSVD: 8, I: 16 } as const;

/** MAXPHYADDR as CPUID 0x80000008 says it. */
export const physicalAddressBits = 46;
const addressMask = ((1n << BigInt(physicalAddressBits)) - 1n) & ~0xfffn;
/** Bits between MAXPHYADDR and 51: reserved in every 8-byte entry. */
const reservedHigh = ((1n << 52n) - 1n) & ~((1n << BigInt(physicalAddressBits)) - 1n);

const RFLAGS_AC = 0x4_0000;

/** What a walk found: the leaf, and what all levels together allow. */
interface Leaf {
  physical: bigint;
  pageSize: number;
  writable: boolean;
  user: boolean;
  executable: boolean;
  global: boolean;
  dirty: boolean;
  /** Physical addresses and values of the entries on the way, leaf last; their size in bytes. */
  entrySize: 4 | 8;
  path: { address: number; value: bigint }[];
}

/** Where a walk broke off: nothing present, or a reserved bit set. */
type Broken = 'notPresent' | 'reserved';

const levelShift = [12n, 21n, 30n, 39n] as const;

function walk64(cpu: CpuContext, linear: bigint, levels: 3 | 4): Leaf | Broken {
  const nxe = (readEfer(cpu.view) & Efer.NXE) !== 0;
  const globals = (readCr4(cpu.view) & Cr4.PGE) !== 0;
  const cr3 = cpu.view.getBigUint64(State.cr3, true);
  let table = levels === 4 ? cr3 & addressMask : cr3 & 0xffff_ffe0n;
  const leaf: Leaf = {
    physical: 0n,
    pageSize: 4096,
    writable: true,
    user: true,
    executable: true,
    global: false,
    dirty: false,
    entrySize: 8,
    path: [],
  };
  for (let level = levels - 1; level >= 0; level--) {
    const shift = levelShift[level]!;
    const pdpte = levels === 3 && level === 2;
    const index = (linear >> shift) & (pdpte ? 3n : 0x1ffn);
    const address = Number(table + index * 8n);
    const entry = cpu.readPhysical(address, 8);
    if ((entry & Pte.P) === 0n) return 'notPresent';
    if (pdpte) {
      // PAE page-directory-pointer entries give no permissions and have no accessed bit.
      if ((entry & (reservedHigh | 0xfff0_0000_0000_01e6n)) !== 0n) return 'reserved';
      table = entry & addressMask;
      continue;
    }
    const large = level !== 0 && (entry & Pte.PS) !== 0n;
    let reserved = reservedHigh;
    if (!nxe) reserved |= Pte.NX;
    // In PAE paging bits 62:52 are reserved, in 4-level paging they are ignored.
    if (levels === 3) reserved |= 0x7ff0_0000_0000_0000n;
    if (large) {
      if (level === 3) return 'reserved';
      // Below the page's base only bit 12 (PAT) may be set.
      reserved |= ((1n << shift) - 1n) & ~0x1fffn;
    } else if (level === 3) {
      reserved |= Pte.PS;
    }
    if ((entry & reserved) !== 0n) return 'reserved';
    if ((entry & Pte.W) === 0n) leaf.writable = false;
    if ((entry & Pte.U) === 0n) leaf.user = false;
    if ((entry & Pte.NX) !== 0n) leaf.executable = false;
    leaf.path.push({ address, value: entry });
    if (large || level === 0) {
      const offset = (1n << shift) - 1n;
      leaf.physical = (entry & addressMask & ~offset) | (linear & offset);
      leaf.pageSize = Number(1n << shift);
      leaf.global = globals && (entry & Pte.G) !== 0n;
      leaf.dirty = (entry & Pte.D) !== 0n;
      return leaf;
    }
    table = entry & addressMask;
  }
  return 'notPresent';
}

/** 32-bit paging: two levels of 4-byte entries; PSE pages of 4 MiB with PSE-36 address bits. */
function walk32(cpu: CpuContext, linear: bigint): Leaf | Broken {
  const cr4 = readCr4(cpu.view);
  const at = Number(linear);
  const directory = (cpu.view.getUint32(State.cr3, true) & ~0xfff) >>> 0;
  const pdeAddress = directory + (at >>> 22) * 4;
  const pde = cpu.readPhysical(pdeAddress, 4);
  if ((pde & Pte.P) === 0n) return 'notPresent';
  const path = [{ address: pdeAddress, value: pde }];
  const global = (cr4 & Cr4.PGE) !== 0;
  if ((pde & Pte.PS) !== 0n && (cr4 & Cr4.PSE) !== 0) {
    // Bits 20:13 are address bits 39:32; bit 21 is reserved.
    if ((pde & 0x20_0000n) !== 0n) return 'reserved';
    const physical = (pde & 0xffc0_0000n) | ((pde & 0x1f_e000n) << 19n) | BigInt(at & 0x3f_ffff);
    return {
      physical,
      pageSize: 0x40_0000,
      writable: (pde & Pte.W) !== 0n,
      user: (pde & Pte.U) !== 0n,
      executable: true,
      global: global && (pde & Pte.G) !== 0n,
      dirty: (pde & Pte.D) !== 0n,
      entrySize: 4,
      path,
    };
  }
  const pteAddress = Number(pde & 0xffff_f000n) + ((at >>> 12) & 0x3ff) * 4;
  const pte = cpu.readPhysical(pteAddress, 4);
  if ((pte & Pte.P) === 0n) return 'notPresent';
  path.push({ address: pteAddress, value: pte });
  return {
    physical: (pte & 0xffff_f000n) | BigInt(at & 0xfff),
    pageSize: 4096,
    writable: (pde & pte & Pte.W) !== 0n,
    user: (pde & pte & Pte.U) !== 0n,
    executable: true,
    global: global && (pte & Pte.G) !== 0n,
    dirty: (pte & Pte.D) !== 0n,
    entrySize: 4,
    path,
  };
}

function find(cpu: CpuContext, linear: bigint): Leaf | Broken {
  const efer = readEfer(cpu.view);
  if ((efer & Efer.LMA) !== 0) return isCanonical(linear) ? walk64(cpu, linear, 4) : 'notPresent';
  if ((readCr4(cpu.view) & Cr4.PAE) !== 0) return walk64(cpu, linear & 0xffff_ffffn, 3);
  return walk32(cpu, linear & 0xffff_ffffn);
}

function paging(cpu: CpuContext): boolean {
  return (readCr0(cpu.view) & Cr0.PG) !== 0;
}

function unpaged(linear: bigint): WalkResult {
  return {
    physical: Number(linear & 0xffff_ffffn),
    pageSize: 4096,
    writable: true,
    executable: true,
    user: true,
    global: false,
  };
}

/**
 * Translates for an access, or raises #PF with CR2. Sets accessed bits on the way and the dirty bit of the page for a write, as the
 * processor does, once the access is known to be allowed. `user`: an access with CPL 3 privilege; explicit supervisor accesses and implicit ones
 * (descriptor tables, TSS) are told apart for SMAP by the caller passing `implicit`. (SDM vol. 3A, 4.6, 4.7, 4.8)
 */
export function walk(cpu: CpuContext, linear: bigint, access: 'read' | 'write' | 'execute', user: boolean, implicit = false): WalkResult {
  if (!paging(cpu)) return unpaged(linear);
  const leaf = find(cpu, linear);
  const nxe = (readEfer(cpu.view) & Efer.NXE) !== 0;
  const cr4 = readCr4(cpu.view);
  const smep = (cr4 & Cr4.SMEP) !== 0;
  let code = access === 'write' ? Pf.W : 0;
  if (user) code |= Pf.U;
  // The I bit is there only where fetches can be told apart (SDM vol. 3A, 4.7).
  if (access === 'execute' && ((nxe && (cr4 & Cr4.PAE) !== 0) || smep)) code |= Pf.I;
  if (leaf === 'notPresent') return cpu.raise(Vector.PF, code, linear);
  if (leaf === 'reserved') return cpu.raise(Vector.PF, code | Pf.P | Pf.RSVD, linear);
  const wp = (readCr0(cpu.view) & Cr0.WP) !== 0;
  const smap = (cr4 & Cr4.SMAP) !== 0;
  // RFLAGS.AC is no arithmetic flag, so the state block's word is current.
  const overridden = !implicit && (cpu.view.getUint32(State.flags, true) & RFLAGS_AC) !== 0;
  let allowed: boolean;
  if (user) {
    allowed = leaf.user && (access !== 'write' || leaf.writable) && (access !== 'execute' || leaf.executable);
  } else if (access === 'execute') {
    allowed = leaf.executable && !(smep && leaf.user);
  } else {
    allowed = !(smap && leaf.user && !overridden) && (access !== 'write' || leaf.writable || !wp);
  }
  if (!allowed) return cpu.raise(Vector.PF, code | Pf.P, linear);
  const last = leaf.path.length - 1;
  leaf.path.forEach(({ address, value }, i) => {
    const marked = value | Pte.A | (i === last && access === 'write' ? Pte.D : 0n);
    if (marked !== value) cpu.writePhysical(address, leaf.entrySize, marked);
  });
  return {
    physical: Number(leaf.physical),
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
  const leaf = find(cpu, linear);
  if (typeof leaf === 'string') return undefined;
  return {
    physical: Number(leaf.physical),
    pageSize: leaf.pageSize,
    writable: leaf.writable,
    executable: leaf.executable,
    user: leaf.user,
    global: leaf.global,
  };
}

/**
 * Checks the four PAE page-directory-pointer entries that `cr3` names, as loading CR3 (or turning PAE paging on) does: reserved bits
 * in a present one are #GP(0) (SDM vol. 3A, 4.4.1).
 */
export function checkPaePointers(cpu: CpuContext, cr3: bigint): void {
  const table = Number(cr3 & 0xffff_ffe0n);
  for (let i = 0; i < 4; i++) {
    const entry = cpu.readPhysical(table + i * 8, 8);
    if ((entry & Pte.P) !== 0n && (entry & (reservedHigh | 0xfff0_0000_0000_01e6n)) !== 0n) cpu.raise(Vector.GP, 0);
  }
}
