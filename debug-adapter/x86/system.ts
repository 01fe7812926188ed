/** System instructions: control registers, descriptor-table registers, fast system calls, interrupt flag, port I/O, time stamps; and the table of all system helpers. */

import { type CpuContext, type DecodedInsn, type HelperTable, stopBefore, Vector } from './context';
import { Attribute, Cr0, Cr4, Efer, isCanonical, readCr0, readCr4, readEfer } from './control-bits';
import { cpuidHelpers, cr4Mask, xcr0Mask } from './cpuid';
import { debugRegisterHelpers } from './debug-registers';
import { divisionHelpers } from './division';
import { exceptionHelpers } from './exceptions';
import { farHelpers } from './far';
import { checkPaePointers, physicalAddressBits } from './mmu';
import { msrHelpers, setSegmentBase, timeStampCounter } from './msr';
import { attributesOf, baseOf, limitOf, longModeActive, protectedMode, segmentHelpers, systemAddress, writeSegment } from './segments';
import { Seg, SegField, State } from './state';
import { xsaveHelpers } from './xsave';

const RAX = 0;
const RCX = 1;
const RDX = 2;
const RSP = 4;
const R11 = 11;

const Rflags = { CF: 1n, TF: 0x100n, IF: 0x200n, IOPL: 0x3000n, RF: 0x1_0000n, VM: 0x2_0000n, AC: 0x4_0000n } as const;

const cr0Writable = Cr0.PE | Cr0.MP | Cr0.EM | Cr0.TS | Cr0.NE | Cr0.WP | Cr0.AM | Cr0.NW | Cr0.CD | Cr0.PG;

/**
 * Writes CR0 with the checks of SDM vol. 2B, MOV (control registers), turning IA-32e mode on and off with PG. False where hardware refuses with
 * #GP(0); then nothing has changed. May raise #GP or #PF of its own for PAE pointers.
 */
export function writeCr0(cpu: CpuContext, value: bigint): boolean {
  if (value >> 32n !== 0n) return false;
  const { view } = cpu;
  const old = readCr0(view);
  const next = ((Number(value) & cr0Writable) | Cr0.ET) >>> 0;
  const changed = old ^ next;
  if ((next & Cr0.PG) !== 0 && (next & Cr0.PE) === 0) return false;
  if ((next & Cr0.NW) !== 0 && (next & Cr0.CD) === 0) return false;
  const efer = readEfer(view);
  const cr4 = readCr4(view);
  if ((changed & Cr0.PG) !== 0) {
    const csLong = (attributesOf(cpu, Seg.CS) & Attribute.long) !== 0;
    if ((next & Cr0.PG) !== 0) {
      if ((efer & Efer.LME) !== 0) {
        const busy16 = (attributesOf(cpu, Seg.TR) & 0x1f) === 3;
        if ((cr4 & Cr4.PAE) === 0 || csLong || busy16) return false;
        view.setUint32(State.efer, efer | Efer.LMA, true);
      } else if ((cr4 & Cr4.PAE) !== 0) {
        checkPaePointers(cpu, view.getBigUint64(State.cr3, true));
      }
    } else {
      if (cpu.long || (cr4 & Cr4.PCIDE) !== 0) return false;
      view.setUint32(State.efer, efer & ~Efer.LMA, true);
    }
  }
  view.setBigUint64(State.cr0, BigInt(next), true);
  if ((changed & (Cr0.PG | Cr0.WP | Cr0.PE)) !== 0) cpu.flushTlb(true);
  cpu.modeChanged();
  return true;
}

/** Writes CR3 and drops translations; false where reserved bits are set. Bit 63 (keep the PCID's translations) is accepted and not kept. */
export function writeCr3(cpu: CpuContext, value: bigint): boolean {
  const cr4 = readCr4(cpu.view);
  if (longModeActive(cpu)) {
    if ((cr4 & Cr4.PCIDE) !== 0) value &= ~(1n << 63n);
    if (value >> BigInt(physicalAddressBits) !== 0n) return false;
  } else if ((readCr0(cpu.view) & Cr0.PG) !== 0 && (cr4 & Cr4.PAE) !== 0) {
    checkPaePointers(cpu, value);
  }
  cpu.view.setBigUint64(State.cr3, value, true);
  cpu.flushTlb(false);
  return true;
}

/** Writes CR4; false where a bit does not exist in the model or the combination is not allowed. */
export function writeCr4(cpu: CpuContext, value: bigint): boolean {
  if ((value & ~BigInt(cr4Mask(cpu.model))) !== 0n) return false;
  const { view } = cpu;
  const old = readCr4(view);
  const next = Number(value);
  const changed = old ^ next;
  const lma = longModeActive(cpu);
  if (lma && (next & Cr4.PAE) === 0) return false;
  if ((changed & next & Cr4.PCIDE) !== 0 && (!lma || (view.getUint32(State.cr3, true) & 0xfff) !== 0)) return false;
  if ((changed & Cr4.PAE) !== 0 && (next & Cr4.PAE) !== 0 && (readCr0(view) & Cr0.PG) !== 0) {
    checkPaePointers(cpu, view.getBigUint64(State.cr3, true));
  }
  view.setBigUint64(State.cr4, BigInt(next), true);
  if ((changed & (Cr4.PGE | Cr4.PAE | Cr4.PSE | Cr4.PCIDE | Cr4.SMEP | Cr4.SMAP)) !== 0) cpu.flushTlb(true);
  cpu.modeChanged();
  return true;
}

function movFromControl(cpu: CpuContext, insn: DecodedInsn): void {
  const source = insn.operands[1];
  if (source?.kind !== 'creg') return cpu.raise(Vector.UD);
  const offsets: Readonly<Record<number, number>> = { 0: State.cr0, 2: State.cr2, 3: State.cr3, 4: State.cr4, 8: State.cr8 };
  const offset = offsets[source.register] ?? cpu.raise(Vector.UD);
  cpu.writeOperand(insn, 0, BigInt.asUintN(cpu.long ? 64 : 32, cpu.view.getBigUint64(offset, true)));
}

function movToControl(cpu: CpuContext, insn: DecodedInsn): void {
  const destination = insn.operands[0];
  if (destination?.kind !== 'creg') return cpu.raise(Vector.UD);
  const value = cpu.readOperand(insn, 1);
  let ok = true;
  switch (destination.register) {
    case 0:
      ok = writeCr0(cpu, value);
      break;
    case 2:
      cpu.view.setBigUint64(State.cr2, value, true);
      break;
    case 3:
      ok = writeCr3(cpu, value);
      break;
    case 4:
      ok = writeCr4(cpu, value);
      break;
    case 8:
      ok = value <= 15n;
      if (ok) cpu.view.setBigUint64(State.cr8, value, true);
      break;
    default:
      return cpu.raise(Vector.UD);
  }
  if (!ok) cpu.raise(Vector.GP, 0);
}

/** LMSW writes PE, MP, EM, TS and cannot clear PE. */
function lmsw(cpu: CpuContext, insn: DecodedInsn): void {
  const old = readCr0(cpu.view);
  const low = Number(cpu.readOperand(insn, 0)) & 15;
  if (!writeCr0(cpu, BigInt(((old & ~0xe) | low) >>> 0))) cpu.raise(Vector.GP, 0);
}

function smsw(cpu: CpuContext, insn: DecodedInsn): void {
  forbidByUmip(cpu);
  cpu.writeOperand(insn, 0, BigInt(readCr0(cpu.view)));
}

function clts(cpu: CpuContext): void {
  cpu.view.setUint32(State.cr0, readCr0(cpu.view) & ~Cr0.TS, true);
  cpu.modeChanged();
}

function forbidByUmip(cpu: CpuContext): void {
  if (cpu.cpl !== 0 && (readCr4(cpu.view) & Cr4.UMIP) !== 0) cpu.raise(Vector.GP, 0);
}

/** LGDT, LIDT: 16-bit limit, then a base of 8 bytes in 64-bit code, else 4, of which a 16-bit operand size takes 24 bits. */
function loadTable(cpu: CpuContext, insn: DecodedInsn): void {
  const wide = cpu.long ? 8 : 4;
  const limit = Number(cpu.readVirtual(cpu.linearAddress(insn, 2, 'read'), 2));
  let base = cpu.readVirtual(cpu.linearAddress(insn, wide, 'read', 2), wide);
  if (!cpu.long && insn.operandSize === 2) base &= 0xff_ffffn;
  if (cpu.long && !isCanonical(base)) cpu.raise(Vector.GP, 0);
  const at = insn.mnemonic === 'LGDT' ? State.gdtr : State.idtr;
  cpu.view.setBigUint64(at, base, true);
  cpu.view.setUint32(at + 8, limit, true);
}

function storeTable(cpu: CpuContext, insn: DecodedInsn): void {
  forbidByUmip(cpu);
  const at = insn.mnemonic === 'SGDT' ? State.gdtr : State.idtr;
  const wide = cpu.long ? 8 : 4;
  const start = cpu.linearAddress(insn, 2, 'write');
  const rest = cpu.linearAddress(insn, wide, 'write', 2);
  cpu.probe(start, 2, 'write');
  cpu.probe(rest, wide, 'write');
  cpu.writeVirtual(start, 2, BigInt(cpu.view.getUint32(at + 8, true) & 0xffff));
  cpu.writeVirtual(rest, wide, BigInt.asUintN(wide * 8, cpu.view.getBigUint64(at, true)));
}

/** INVLPG takes any address: a non-canonical one does nothing. */
function invlpg(cpu: CpuContext, insn: DecodedInsn): void {
  if (insn.memory === undefined) return cpu.raise(Vector.UD);
  const { segment } = insn.memory;
  const base = !cpu.long || segment === Seg.FS || segment === Seg.GS ? baseOf(cpu, segment) : 0n;
  cpu.flushPage(BigInt.asUintN(cpu.long ? 64 : 32, base + cpu.effectiveAddress(insn)));
}

/** INVPCID: every type drops at least what was asked; PCIDs are not told apart. */
function invpcid(cpu: CpuContext, insn: DecodedInsn): void {
  const type = cpu.readOperand(insn, 0);
  const low = cpu.readVirtual(cpu.linearAddress(insn, 8, 'read'), 8);
  const linear = cpu.readVirtual(cpu.linearAddress(insn, 8, 'read', 8), 8);
  if (type > 3n || low >> 12n !== 0n) cpu.raise(Vector.GP, 0);
  if (type < 2n && (readCr4(cpu.view) & Cr4.PCIDE) === 0 && (low & 0xfffn) !== 0n) cpu.raise(Vector.GP, 0);
  if (type === 0n) {
    if (!isCanonical(linear)) cpu.raise(Vector.GP, 0);
    cpu.flushPage(linear);
  } else {
    cpu.flushTlb(type === 2n);
  }
}

const nothing = (): void => undefined;

/** CLI and STI need CPL <= IOPL in protected mode; STI that turns IF on holds interrupts off for one instruction more. */
function interruptFlag(cpu: CpuContext, insn: DecodedInsn): void {
  const flags = cpu.getFlags();
  if (protectedMode(cpu) && cpu.cpl > Number((flags & Rflags.IOPL) >> 12n)) cpu.raise(Vector.GP, 0);
  if (insn.mnemonic === 'CLI') {
    cpu.setFlags(flags & ~Rflags.IF);
    return;
  }
  if ((flags & Rflags.IF) !== 0n) return;
  cpu.setFlags(flags | Rflags.IF);
  cpu.inhibitInterrupts();
}

/** CLAC, STAC: CPL 0 only, #UD otherwise. What SMAP lets through changes, so translations go. */
function accessCheck(cpu: CpuContext, insn: DecodedInsn): void {
  if (cpu.cpl !== 0) cpu.raise(Vector.UD);
  const flags = cpu.getFlags();
  cpu.setFlags(insn.mnemonic === 'STAC' ? flags | Rflags.AC : flags & ~Rflags.AC);
  if ((readCr4(cpu.view) & Cr4.SMAP) !== 0) cpu.flushTlb(true);
}

/** Flat code and data segments as SYSCALL and SYSENTER set them up, without reading descriptors. */
function setFlatCode(cpu: CpuContext, selector: number, cpl: number, long: boolean): void {
  const size = long ? Attribute.long : Attribute.big;
  const attributes = 0xb | Attribute.s | Attribute.present | (cpl << Attribute.dplShift) | Attribute.granularity | size;
  writeSegment(cpu, Seg.CS, selector, 0n, 0xffff_ffff, attributes);
}

/** Whether SYSCALL at CPL 0 finds CS and SS as it would set them up, with `selector` for CS: a unikernel's does. */
function isFlatKernel(cpu: CpuContext, selector: number): boolean {
  if (cpu.cpl !== 0) return false;
  const { view } = cpu;
  const common = Attribute.s | Attribute.present | Attribute.granularity;
  const is = (segment: number, wanted: number, attributes: number): boolean => {
    const at = State.seg + segment * SegField.size;
    return (
      view.getUint16(at + SegField.selector, true) === wanted &&
      view.getInt32(at + SegField.attributes, true) === attributes &&
      view.getInt32(at + SegField.limit, true) === -1 &&
      view.getInt32(at + SegField.base, true) === 0 &&
      view.getInt32(at + SegField.base + 4, true) === 0
    );
  };
  return is(Seg.CS, selector & 0xfffc, 0xb | common | Attribute.long) && is(Seg.SS, (selector + 8) & 0xffff, 3 | common | Attribute.big);
}

function setFlatStack(cpu: CpuContext, selector: number, cpl: number): void {
  const attributes = 3 | Attribute.s | Attribute.present | (cpl << Attribute.dplShift) | Attribute.granularity | Attribute.big;
  writeSegment(cpu, Seg.SS, selector, 0n, 0xffff_ffff, attributes);
}

function syscall(cpu: CpuContext, insn: DecodedInsn): void {
  if (!cpu.long || (readEfer(cpu.view) & Efer.SCE) === 0) cpu.raise(Vector.UD);
  if (cpu.hooks.syscall !== undefined) {
    // The hook sees the instruction as not executed yet.
    cpu.rip = insn.rip;
    if (cpu.askSyscallHook() === 'stop') stopBefore();
  }
  const { view } = cpu;
  const flags = cpu.getFlags() & ~Rflags.RF;
  const base = Number((view.getBigUint64(State.star, true) >> 32n) & 0xffffn);
  cpu.setReg(RCX, 8, insn.next);
  cpu.setReg(R11, 8, flags);
  cpu.rip = view.getBigUint64(State.lstar, true);
  // Whatever the privilege before, CS and SS come from STAR and CPL becomes 0.
  const stays = isFlatKernel(cpu, base);
  if (!stays) {
    setFlatCode(cpu, base & 0xfffc, 0, true);
    setFlatStack(cpu, (base + 8) & 0xffff, 0);
  }
  cpu.setFlags(flags & ~view.getBigUint64(State.sfmask, true));
  if (!stays) cpu.modeChanged();
}

function sysret(cpu: CpuContext, insn: DecodedInsn): void {
  if (!cpu.long || (readEfer(cpu.view) & Efer.SCE) === 0) cpu.raise(Vector.UD);
  if (cpu.cpl !== 0) cpu.raise(Vector.GP, 0);
  const long = insn.rexW;
  const target = cpu.getReg(RCX, long ? 8 : 4);
  if (long && !isCanonical(target)) cpu.raise(Vector.GP, 0);
  const base = Number(cpu.view.getBigUint64(State.star, true) >> 48n);
  setFlatCode(cpu, ((long ? base + 16 : base) & 0xffff) | 3, 3, long);
  setFlatStack(cpu, ((base + 8) & 0xffff) | 3, 3);
  cpu.rip = target;
  cpu.setFlags((cpu.getReg(R11, 8) & 0x3c_7fd7n) | 2n);
  cpu.modeChanged();
}

function sysenter(cpu: CpuContext): void {
  const { view } = cpu;
  const base = view.getUint32(State.sysenterCs, true);
  if (!protectedMode(cpu) || (base & 0xfffc) === 0) cpu.raise(Vector.GP, 0);
  const long = longModeActive(cpu);
  const size = long ? 8 : 4;
  const flags = cpu.getFlags();
  setFlatCode(cpu, base & 0xfffc, 0, long);
  setFlatStack(cpu, ((base & 0xfffc) + 8) & 0xffff, 0);
  cpu.setReg(RSP, size, BigInt.asUintN(size * 8, view.getBigUint64(State.sysenterEsp, true)));
  cpu.rip = BigInt.asUintN(size * 8, view.getBigUint64(State.sysenterEip, true));
  cpu.setFlags(flags & ~(Rflags.IF | Rflags.VM));
  cpu.modeChanged();
}

function sysexit(cpu: CpuContext, insn: DecodedInsn): void {
  const base = cpu.view.getUint32(State.sysenterCs, true) & 0xfffc;
  if (!protectedMode(cpu) || base === 0 || cpu.cpl !== 0) cpu.raise(Vector.GP, 0);
  const long = insn.rexW;
  const size = long ? 8 : 4;
  const target = cpu.getReg(RDX, size);
  const stack = cpu.getReg(RCX, size);
  if (long && (!isCanonical(target) || !isCanonical(stack))) cpu.raise(Vector.GP, 0);
  const selector = base + (long ? 32 : 16);
  setFlatCode(cpu, (selector & 0xffff) | 3, 3, long);
  setFlatStack(cpu, ((selector + 8) & 0xffff) | 3, 3);
  cpu.setReg(RSP, size, stack);
  cpu.rip = target;
  cpu.modeChanged();
}

function swapgs(cpu: CpuContext): void {
  if (!cpu.long) cpu.raise(Vector.UD);
  if (cpu.cpl !== 0) cpu.raise(Vector.GP, 0);
  const kernel = cpu.view.getBigUint64(State.kernelGsBase, true);
  cpu.view.setBigUint64(State.kernelGsBase, baseOf(cpu, Seg.GS), true);
  setSegmentBase(cpu, Seg.GS, kernel);
}

/** RDFSBASE, RDGSBASE, WRFSBASE, WRGSBASE. */
function segmentBase(cpu: CpuContext, insn: DecodedInsn): void {
  if (!cpu.long || (readCr4(cpu.view) & Cr4.FSGSBASE) === 0) cpu.raise(Vector.UD);
  const segment = insn.mnemonic.includes('FS') ? Seg.FS : Seg.GS;
  if (insn.mnemonic.startsWith('RD')) {
    cpu.writeOperand(insn, 0, BigInt.asUintN(insn.rexW ? 64 : 32, baseOf(cpu, segment)));
    return;
  }
  const value = cpu.readOperand(insn, 0);
  if (!isCanonical(value)) cpu.raise(Vector.GP, 0);
  setSegmentBase(cpu, segment, value);
}

function rdtsc(cpu: CpuContext, insn: DecodedInsn): void {
  if (cpu.cpl !== 0 && (readCr4(cpu.view) & Cr4.TSD) !== 0) cpu.raise(Vector.GP, 0);
  const value = timeStampCounter(cpu);
  cpu.bus.timeStampRead?.();
  cpu.setReg(RAX, 4, value & 0xffff_ffffn);
  cpu.setReg(RDX, 4, value >> 32n);
  if (insn.mnemonic === 'RDTSCP') cpu.setReg(RCX, 4, cpu.view.getBigUint64(State.tscAux, true) & 0xffff_ffffn);
}

/** The processor's number, as the operating system has put it into IA32_TSC_AUX. */
function rdpid(cpu: CpuContext, insn: DecodedInsn): void {
  cpu.writeOperand(insn, 0, cpu.view.getBigUint64(State.tscAux, true) & 0xffff_ffffn);
}

/** There are no performance counters, so every index is out of range. */
function rdpmc(cpu: CpuContext): void {
  cpu.raise(Vector.GP, 0);
}

/** MONITOR and MWAIT are not advertised by CPUID, and are #UD then. */
function undefinedInstruction(cpu: CpuContext): void {
  cpu.raise(Vector.UD);
}

function randomNumber(cpu: CpuContext, insn: DecodedInsn): void {
  const size = insn.operands[0]?.size ?? 8;
  cpu.writeOperand(insn, 0, BigInt.asUintN(size * 8, cpu.bus.random()));
  // CF says that a number was there; the other arithmetic flags are cleared.
  cpu.setArithmeticFlags(1);
}

/**
 * Raises #GP(0) unless the ports [port, port+size) may be used at the current privilege: CPL <= IOPL, or clear bits in the TSS's I/O permission
 * bitmap (SDM vol. 1, 18.5.2). For IN, OUT, INS and OUTS.
 */
export function checkPortPermission(cpu: CpuContext, port: number, size: number): void {
  if (!protectedMode(cpu)) return;
  const iopl = (cpu.view.getUint32(State.flags, true) >>> 12) & 3;
  if (cpu.cpl <= iopl) return;
  const attributes = attributesOf(cpu, Seg.TR);
  const limit = limitOf(cpu, Seg.TR);
  // A 16-bit TSS has no bitmap.
  if ((attributes & Attribute.present) === 0 || (attributes & 8) === 0 || limit < 103) cpu.raise(Vector.GP, 0);
  const base = baseOf(cpu, Seg.TR);
  const at = Number(cpu.readSystem(systemAddress(cpu, base, 102), 2)) + (port >>> 3);
  // The processor always reads two bytes, so both must be within the limit.
  if (at + 1 > limit) cpu.raise(Vector.GP, 0);
  const map = Number(cpu.readSystem(systemAddress(cpu, base, at), 2));
  if (((map >>> (port & 7)) & ((1 << size) - 1)) !== 0) cpu.raise(Vector.GP, 0);
}

function portIn(cpu: CpuContext, insn: DecodedInsn): void {
  const size = insn.operands[0]!.size;
  const port = Number(cpu.readOperand(insn, 1) & 0xffffn);
  checkPortPermission(cpu, port, size);
  cpu.setReg(RAX, size, BigInt(cpu.bus.portRead(port, size) >>> 0));
}

function portOut(cpu: CpuContext, insn: DecodedInsn): void {
  const size = insn.operands[1]!.size;
  const port = Number(cpu.readOperand(insn, 0) & 0xffffn);
  checkPortPermission(cpu, port, size);
  cpu.bus.portWrite(port, size, Number(cpu.getReg(RAX, size)));
}

function xgetbv(cpu: CpuContext): void {
  if ((readCr4(cpu.view) & Cr4.OSXSAVE) === 0) cpu.raise(Vector.UD);
  const index = cpu.getReg(RCX, 4);
  // Index 1 tells which components are in use: all enabled ones, since none is tracked.
  if (index > 1n) cpu.raise(Vector.GP, 0);
  const value = cpu.view.getBigUint64(State.xcr0, true);
  cpu.setReg(RAX, 4, value & 0xffff_ffffn);
  cpu.setReg(RDX, 4, value >> 32n);
}

function xsetbv(cpu: CpuContext): void {
  if ((readCr4(cpu.view) & Cr4.OSXSAVE) === 0) cpu.raise(Vector.UD);
  if (cpu.cpl !== 0 || cpu.getReg(RCX, 4) !== 0n) cpu.raise(Vector.GP, 0);
  const value = (cpu.getReg(RDX, 4) << 32n) | cpu.getReg(RAX, 4);
  const valid = (value & ~BigInt(xcr0Mask(cpu.model))) === 0n && (value & 1n) !== 0n && ((value & 4n) === 0n || (value & 2n) !== 0n);
  if (!valid) cpu.raise(Vector.GP, 0);
  cpu.view.setBigUint64(State.xcr0, value, true);
  cpu.modeChanged();
}

/** Every system helper, by the names that isa/system-rows gives them. */
export const systemHelpers: HelperTable = {
  ...segmentHelpers,
  ...farHelpers,
  ...exceptionHelpers,
  ...cpuidHelpers,
  ...msrHelpers,
  ...debugRegisterHelpers,
  ...divisionHelpers,
  ...xsaveHelpers,
  'MOV r,CR': movFromControl,
  'MOV CR,r': movToControl,
  LMSW: lmsw,
  SMSW: smsw,
  CLTS: clts,
  LGDT: loadTable,
  LIDT: loadTable,
  SGDT: storeTable,
  SIDT: storeTable,
  INVD: nothing,
  WBINVD: nothing,
  INVLPG: invlpg,
  INVPCID: invpcid,
  HLT: (cpu) => cpu.halt(),
  CLI: interruptFlag,
  STI: interruptFlag,
  CLAC: accessCheck,
  STAC: accessCheck,
  SYSCALL: syscall,
  SYSRET: sysret,
  SYSENTER: sysenter,
  SYSEXIT: sysexit,
  SWAPGS: swapgs,
  RDFSBASE: segmentBase,
  RDGSBASE: segmentBase,
  WRFSBASE: segmentBase,
  WRGSBASE: segmentBase,
  RDTSC: rdtsc,
  RDTSCP: rdtsc,
  RDPID: rdpid,
  RDPMC: rdpmc,
  MONITOR: undefinedInstruction,
  MWAIT: undefinedInstruction,
  RDRAND: randomNumber,
  RDSEED: randomNumber,
  IN: portIn,
  OUT: portOut,
  XGETBV: xgetbv,
  XSETBV: xsetbv,
};
