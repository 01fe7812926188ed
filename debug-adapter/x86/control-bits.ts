/** Names for the bits of control registers, EFER and segment attributes (SDM vol. 3A, 2.5, 2.2.1, 3.4.5). */

import { State } from './state';

/** CR0. */
export const Cr0 = {
  PE: 0x1,
  MP: 0x2,
  EM: 0x4,
  TS: 0x8,
  ET: 0x10,
  NE: 0x20,
  WP: 0x1_0000,
  AM: 0x4_0000,
  NW: 0x2000_0000,
  CD: 0x4000_0000,
  PG: 0x8000_0000,
} as const;

/** CR4. */
export const Cr4 = {
  VME: 0x1,
  PVI: 0x2,
  TSD: 0x4,
  DE: 0x8,
  PSE: 0x10,
  PAE: 0x20,
  MCE: 0x40,
  PGE: 0x80,
  PCE: 0x100,
  OSFXSR: 0x200,
  OSXMMEXCPT: 0x400,
  UMIP: 0x800,
  FSGSBASE: 0x1_0000,
  PCIDE: 0x2_0000,
  OSXSAVE: 0x4_0000,
  SMEP: 0x10_0000,
  SMAP: 0x20_0000,
} as const;

/** IA32_EFER. */
export const Efer = { SCE: 0x1, LME: 0x100, LMA: 0x400, NXE: 0x800 } as const;

/** Segment attributes as the state block keeps them: the descriptor's second dword shifted right by 8. */
export const Attribute = {
  type: 0xf,
  /** Code segments: readable; data segments: writable. */
  readWrite: 0x2,
  /** Code: conforming; data: expand down. */
  conforming: 0x4,
  code: 0x8,
  /** Code or data rather than system. */
  s: 0x10,
  dplShift: 5,
  present: 0x80,
  long: 0x2000,
  /** D/B. */
  big: 0x4000,
  granularity: 0x8000,
} as const;

// Control registers are 64 bits wide, but every bit in use lies in the low 32 (CR2 and CR3 apart).

export function readCr0(view: DataView): number {
  return view.getUint32(State.cr0, true);
}

export function readCr4(view: DataView): number {
  return view.getUint32(State.cr4, true);
}

export function readEfer(view: DataView): number {
  return view.getUint32(State.efer, true);
}

/** Whether bits 63:47 of a linear address are all alike. */
export function isCanonical(address: bigint): boolean {
  return BigInt.asIntN(48, address) === BigInt.asIntN(64, address);
}
