/** Model-specific registers: RDMSR and WRMSR with the checks of SDM vol. 4; one that is not here raises #GP(0), as on any processor that lacks it. */

import { type CpuContext, type DecodedInsn, type HelperTable, Vector } from './context';
import { Cr0, Efer, isCanonical, readCr0, readEfer } from './control-bits';
import { baseHook, baseOf } from './segments';
import { featuresOf } from './cpuid';
import { Seg, SegField, State } from './state';

/** Addresses of the registers that exist (SDM vol. 4, table 2-2). */
export const Msr = {
  TSC: 0x10,
  PLATFORM_ID: 0x17,
  APIC_BASE: 0x1b,
  FEATURE_CONTROL: 0x3a,
  BIOS_SIGN_ID: 0x8b,
  SYSENTER_CS: 0x174,
  SYSENTER_ESP: 0x175,
  SYSENTER_EIP: 0x176,
  MCG_CAP: 0x179,
  MCG_STATUS: 0x17a,
  MISC_ENABLE: 0x1a0,
  PAT: 0x277,
  EFER: 0xc000_0080,
  STAR: 0xc000_0081,
  LSTAR: 0xc000_0082,
  CSTAR: 0xc000_0083,
  SFMASK: 0xc000_0084,
  FS_BASE: 0xc000_0100,
  GS_BASE: 0xc000_0101,
  KERNEL_GS_BASE: 0xc000_0102,
  TSC_AUX: 0xc000_0103,
} as const;

/** Registers that are plain words of the state block; `canonical` ones refuse other addresses. */
const plain: ReadonlyMap<number, { readonly offset: number; readonly canonical: boolean }> = new Map([
  [Msr.APIC_BASE, { offset: State.apicBase, canonical: false }],
  [Msr.SYSENTER_CS, { offset: State.sysenterCs, canonical: false }],
  [Msr.SYSENTER_ESP, { offset: State.sysenterEsp, canonical: true }],
  [Msr.SYSENTER_EIP, { offset: State.sysenterEip, canonical: true }],
  [Msr.MISC_ENABLE, { offset: State.miscEnable, canonical: false }],
  [Msr.PAT, { offset: State.pat, canonical: false }],
  [Msr.EFER, { offset: State.efer, canonical: false }],
  [Msr.STAR, { offset: State.star, canonical: false }],
  [Msr.LSTAR, { offset: State.lstar, canonical: true }],
  [Msr.CSTAR, { offset: State.cstar, canonical: true }],
  [Msr.SFMASK, { offset: State.sfmask, canonical: false }],
  [Msr.KERNEL_GS_BASE, { offset: State.kernelGsBase, canonical: true }],
  [Msr.TSC_AUX, { offset: State.tscAux, canonical: false }],
]);

/** The time-stamp counter as RDTSC gives it. */
export function timeStampCounter(cpu: CpuContext): bigint {
  return BigInt.asUintN(64, cpu.bus.timeStampCounter(cpu.retired) + cpu.view.getBigInt64(State.tscOffset, true));
}

/** The value of an MSR, or undefined where there is none of that number. No side effects. */
export function readMsr(cpu: CpuContext, index: number): bigint | undefined {
  if (index === Msr.TSC_AUX && !featuresOf(cpu.model).has('rdtscp')) return undefined;
  const entry = plain.get(index);
  if (entry !== undefined) return cpu.view.getBigUint64(entry.offset, true);
  switch (index) {
    case Msr.TSC:
      return timeStampCounter(cpu);
    case Msr.FS_BASE:
      return baseOf(cpu, Seg.FS);
    case Msr.GS_BASE:
      return baseOf(cpu, Seg.GS);
    case Msr.FEATURE_CONTROL:
      // Locked, with nothing enabled.
      return 1n;
    case Msr.PLATFORM_ID:
    case Msr.BIOS_SIGN_ID:
    case Msr.MCG_CAP:
    case Msr.MCG_STATUS:
      return 0n;
    default:
      return undefined;
  }
}

/** Sets FS or GS base and tells the hook. */
export function setSegmentBase(cpu: CpuContext, segment: typeof Seg.FS | typeof Seg.GS, base: bigint): void {
  const at = State.seg + segment * SegField.size + SegField.base;
  const before = cpu.view.getBigUint64(at, true);
  cpu.view.setBigUint64(at, base, true);
  baseHook(cpu, segment, before);
}

/** PAT entries: only types 0, 1, 4, 5, 6, 7 exist. */
function validPat(value: bigint): boolean {
  for (let i = 0n; i < 64n; i += 8n) {
    const type = (value >> i) & 0xffn;
    if (type > 7n || type === 2n || type === 3n) return false;
  }
  return true;
}

/** Writes an MSR; false where there is none of that number or the value is not acceptable (then nothing changed). */
export function writeMsr(cpu: CpuContext, index: number, value: bigint): boolean {
  const { view } = cpu;
  switch (index) {
    case Msr.EFER:
      return writeEfer(cpu, value);
    case Msr.TSC:
      view.setBigInt64(State.tscOffset, BigInt.asIntN(64, value - cpu.bus.timeStampCounter(cpu.retired)), true);
      return true;
    case Msr.FS_BASE:
    case Msr.GS_BASE:
      if (!isCanonical(value)) return false;
      setSegmentBase(cpu, index === Msr.FS_BASE ? Seg.FS : Seg.GS, value);
      return true;
    case Msr.PAT:
      if (!validPat(value)) return false;
      break;
    case Msr.SFMASK:
    case Msr.SYSENTER_CS:
      value &= 0xffff_ffffn;
      break;
    case Msr.TSC_AUX:
      if (value >> 32n !== 0n || !featuresOf(cpu.model).has('rdtscp')) return false;
      break;
    case Msr.BIOS_SIGN_ID:
    case Msr.MCG_STATUS:
      // Microcode revision probes and machine-check clearing write zero.
      return value === 0n;
  }
  const entry = plain.get(index);
  if (entry === undefined || (entry.canonical && !isCanonical(value))) return false;
  view.setBigUint64(entry.offset, value, true);
  return true;
}

function writeEfer(cpu: CpuContext, value: bigint): boolean {
  const writable = Efer.SCE | Efer.LME | Efer.NXE;
  // LMA follows from the other two and ignores writes; everything else is reserved.
  if ((value & ~BigInt(writable | Efer.LMA)) !== 0n) return false;
  const old = readEfer(cpu.view);
  const next = (Number(value) & writable) | (old & Efer.LMA);
  if (((old ^ next) & Efer.LME) !== 0 && (readCr0(cpu.view) & Cr0.PG) !== 0) return false;
  cpu.view.setBigUint64(State.efer, BigInt(next), true);
  if (((old ^ next) & Efer.NXE) !== 0) cpu.flushTlb(true);
  cpu.modeChanged();
  return true;
}

function rdmsr(cpu: CpuContext, _insn: DecodedInsn): void {
  const value = readMsr(cpu, Number(cpu.getReg(1, 4))) ?? cpu.raise(Vector.GP, 0);
  cpu.setReg(0, 4, value & 0xffff_ffffn);
  cpu.setReg(2, 4, value >> 32n);
}

function wrmsr(cpu: CpuContext, _insn: DecodedInsn): void {
  const value = (cpu.getReg(2, 4) << 32n) | cpu.getReg(0, 4);
  if (!writeMsr(cpu, Number(cpu.getReg(1, 4)), value)) cpu.raise(Vector.GP, 0);
}

export const msrHelpers: HelperTable = { RDMSR: rdmsr, WRMSR: wrmsr };
