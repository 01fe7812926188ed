/** Segment registers and descriptors: loading with the processor's checks, LAR, LSL, VERR, VERW, LLDT, LTR, and the mode bits that follow from them. */

import { type CpuContext, type DecodedInsn, type HelperTable, Vector } from './context';
import { Attribute, Cr0, Cr4, Efer, isCanonical, readCr0, readCr4, readEfer } from './control-bits';
import { Mode, Seg, SegField, State } from './state';

const ZF = 0x40;
const RFLAGS_TF = 0x100;
const RFLAGS_VM = 0x2_0000;

/** A descriptor as it lies in its table. */
export interface Descriptor {
  /** Linear address of the descriptor. */
  readonly address: bigint;
  /** Base and limit, the limit scaled by G. System descriptors of long mode have 64-bit bases. */
  readonly base: bigint;
  readonly limit: number;
  /** In the state block's form (`Attribute`). */
  readonly attributes: number;
  /** The two dwords, and the third of long mode's 16-byte descriptors. */
  readonly low: number;
  readonly high: number;
  readonly upper: number;
}

function segAt(segment: number): number {
  return State.seg + segment * SegField.size;
}

export function selectorOf(cpu: CpuContext, segment: number): number {
  return cpu.view.getUint16(segAt(segment) + SegField.selector, true);
}

export function attributesOf(cpu: CpuContext, segment: number): number {
  return cpu.view.getUint32(segAt(segment) + SegField.attributes, true);
}

export function baseOf(cpu: CpuContext, segment: number): bigint {
  return cpu.view.getBigUint64(segAt(segment) + SegField.base, true);
}

export function limitOf(cpu: CpuContext, segment: number): number {
  return cpu.view.getUint32(segAt(segment) + SegField.limit, true);
}

/** Writes a segment register's visible and hidden parts; nothing is checked. */
export function writeSegment(cpu: CpuContext, segment: number, selector: number, base: bigint, limit: number, attributes: number): void {
  const at = segAt(segment);
  cpu.view.setBigUint64(at + SegField.base, base, true);
  cpu.view.setUint32(at + SegField.limit, limit, true);
  cpu.view.setUint32(at + SegField.attributes, attributes, true);
  cpu.view.setUint16(at + SegField.selector, selector, true);
}

/** Whether the processor is in IA-32e mode (64-bit or compatibility code). */
export function longModeActive(cpu: CpuContext): boolean {
  return (readEfer(cpu.view) & Efer.LMA) !== 0;
}

export function protectedMode(cpu: CpuContext): boolean {
  return (readCr0(cpu.view) & Cr0.PE) !== 0;
}

export function dplOf(attributes: number): number {
  return (attributes >>> Attribute.dplShift) & 3;
}

export function isNull(selector: number): boolean {
  return (selector & 0xfffc) === 0;
}

/** A linear address within a system structure: wraps at 4 GiB outside IA-32e mode. */
export function systemAddress(cpu: CpuContext, base: bigint, offset: number): bigint {
  return BigInt.asUintN(longModeActive(cpu) ? 64 : 32, base + BigInt(offset));
}

/** The descriptor that a selector names, or undefined where the index is past the table's limit or the LDT is absent. */
export function findDescriptor(cpu: CpuContext, selector: number): Descriptor | undefined {
  const offset = selector & 0xfff8;
  let base: bigint;
  let limit: number;
  if ((selector & 4) !== 0) {
    if ((attributesOf(cpu, Seg.LDTR) & Attribute.present) === 0) return undefined;
    base = baseOf(cpu, Seg.LDTR);
    limit = limitOf(cpu, Seg.LDTR);
  } else {
    base = cpu.view.getBigUint64(State.gdtr, true);
    limit = cpu.view.getUint32(State.gdtr + 8, true);
  }
  if (offset + 7 > limit) return undefined;
  const address = systemAddress(cpu, base, offset);
  const raw = cpu.readSystem(address, 8);
  const low = Number(raw & 0xffff_ffffn);
  const high = Number(raw >> 32n);
  let upper = 0;
  const system = (high & 0x1000) === 0;
  if (system && longModeActive(cpu)) {
    if (offset + 15 > limit) return undefined;
    upper = Number(cpu.readSystem(systemAddress(cpu, address, 8), 4));
  }
  return unpack(address, low, high, upper);
}

function unpack(address: bigint, low: number, high: number, upper: number): Descriptor {
  const attributes = (high >>> 8) & 0xf0ff;
  let limit = ((high & 0xf_0000) | (low & 0xffff)) >>> 0;
  if ((attributes & Attribute.granularity) !== 0) limit = ((limit << 12) | 0xfff) >>> 0;
  const base = BigInt(((high & 0xff00_0000) | ((high & 0xff) << 16) | (low >>> 16)) >>> 0) | (BigInt(upper) << 32n);
  return { address, base, limit, attributes, low, high, upper };
}

/** As `findDescriptor`, but a missing one raises `vector` with the selector as error code. `ext` is the error code's EXT bit. */
export function readDescriptor(cpu: CpuContext, selector: number, vector: number = Vector.GP, ext = 0): Descriptor {
  return findDescriptor(cpu, selector) ?? cpu.raise(vector, (selector & 0xfffc) | ext);
}

/** Sets the accessed bit of a code or data descriptor that is being loaded. */
export function markAccessed(cpu: CpuContext, descriptor: Descriptor): number {
  if ((descriptor.attributes & 1) !== 0) return descriptor.attributes;
  cpu.writeSystem(systemAddress(cpu, descriptor.address, 5), 1, BigInt((descriptor.attributes & 0xff) | 1));
  return descriptor.attributes | 1;
}

/** Loads DS, ES, FS, GS or SS as MOV and POP do, with every check of SDM vol. 2, MOV (segment registers). */
export function loadSegment(cpu: CpuContext, segment: number, selector: number): void {
  if (!protectedMode(cpu)) {
    const at = segAt(segment);
    cpu.view.setBigUint64(at + SegField.base, BigInt(selector) << 4n, true);
    cpu.view.setUint16(at + SegField.selector, selector, true);
    cpu.modeChanged();
    return;
  }
  const rpl = selector & 3;
  const code = selector & 0xfffc;
  if (segment === Seg.SS) {
    if (isNull(selector)) {
      if (!cpu.long || cpu.cpl === 3 || rpl !== cpu.cpl) cpu.raise(Vector.GP, 0);
      writeSegment(cpu, segment, selector, 0n, 0, rpl << Attribute.dplShift);
      cpu.modeChanged();
      return;
    }
    const d = readDescriptor(cpu, selector);
    checkStackSegment(cpu, selector, d, cpu.cpl, Vector.GP, 0);
    writeSegment(cpu, segment, selector, d.base, d.limit, markAccessed(cpu, d));
    cpu.modeChanged();
    return;
  }
  if (isNull(selector)) {
    const before = baseOf(cpu, segment);
    writeSegment(cpu, segment, selector, 0n, 0, 0);
    baseHook(cpu, segment, before);
    cpu.modeChanged();
    return;
  }
  const d = readDescriptor(cpu, selector);
  const a = d.attributes;
  if ((a & Attribute.s) === 0) cpu.raise(Vector.GP, code);
  const isCode = (a & Attribute.code) !== 0;
  if (isCode && (a & Attribute.readWrite) === 0) cpu.raise(Vector.GP, code);
  const dpl = dplOf(a);
  if (!(isCode && (a & Attribute.conforming) !== 0) && (rpl > dpl || cpu.cpl > dpl)) cpu.raise(Vector.GP, code);
  if ((a & Attribute.present) === 0) cpu.raise(Vector.NP, code);
  const before = baseOf(cpu, segment);
  writeSegment(cpu, segment, selector, d.base, d.limit, markAccessed(cpu, d));
  baseHook(cpu, segment, before);
  cpu.modeChanged();
}

/** Tells of a base of FS or GS that was another before. */
export function baseHook(cpu: CpuContext, segment: number, before: bigint): void {
  const after = baseOf(cpu, segment);
  if (before === after) return;
  if (segment === Seg.FS) cpu.fsBaseChanged(before, after);
  else if (segment === Seg.GS) cpu.hooks.gsBase?.(before, after);
}

/** The checks on a stack segment for privilege level `cpl`; `vector` is what all but an absent segment raise. */
export function checkStackSegment(cpu: CpuContext, selector: number, d: Descriptor, cpl: number, vector: number, ext: number): void {
  const a = d.attributes;
  const error = (selector & 0xfffc) | ext;
  if ((selector & 3) !== cpl || dplOf(a) !== cpl) cpu.raise(vector, error);
  if ((a & Attribute.s) === 0 || (a & Attribute.code) !== 0 || (a & Attribute.readWrite) === 0) cpu.raise(vector, error);
  if ((a & Attribute.present) === 0) cpu.raise(Vector.SS, error);
}

/** Loads CS; the caller has checked everything. The selector's RPL is replaced by `cpl`, which becomes the current privilege level. */
export function loadCode(cpu: CpuContext, selector: number, d: Descriptor, cpl: number): void {
  writeSegment(cpu, Seg.CS, (selector & 0xfffc) | cpl, d.base, d.limit, markAccessed(cpu, d));
  cpu.modeChanged();
}

/** Segments that a return to an outer level may not leave behind (SDM vol. 3A, 5.8.6). */
export function dropInnerSegments(cpu: CpuContext): void {
  for (const segment of [Seg.ES, Seg.DS, Seg.FS, Seg.GS]) {
    const a = attributesOf(cpu, segment);
    const dataOrNonConforming = (a & Attribute.code) === 0 || (a & Attribute.conforming) === 0;
    if ((a & Attribute.s) !== 0 && dataOrNonConforming && dplOf(a) < cpu.cpl) writeSegment(cpu, segment, 0, 0n, 0, 0);
  }
}

/** Whether a segment needs no arithmetic and no checks for data accesses. */
function isFlat(cpu: CpuContext, segment: number): boolean {
  if (baseOf(cpu, segment) !== 0n || limitOf(cpu, segment) !== 0xffff_ffff) return false;
  const a = attributesOf(cpu, segment);
  if ((a & (Attribute.present | Attribute.s | Attribute.readWrite)) !== (Attribute.present | Attribute.s | Attribute.readWrite))
    return false;
  return segment === Seg.CS ? (a & Attribute.code) !== 0 : (a & (Attribute.code | Attribute.conforming)) === 0;
}

/** Recomputes State.cpl and State.mode from control registers, CS, SS and RFLAGS. Debug registers armed count as `Mode.step`. */
export function deriveMode(cpu: CpuContext): void {
  const { view } = cpu;
  const cr0 = readCr0(view);
  const isProtected = (cr0 & Cr0.PE) !== 0;
  const flags = view.getUint32(State.flags, true);
  const cs = attributesOf(cpu, Seg.CS);
  const cpl = !isProtected ? 0 : (flags & RFLAGS_VM) !== 0 ? 3 : selectorOf(cpu, Seg.CS) & 3;
  const long = longModeActive(cpu) && (cs & Attribute.long) !== 0;
  let mode = 0;
  if (long) mode |= Mode.long;
  else {
    if ((cs & Attribute.big) !== 0) mode |= Mode.code32;
    if ((attributesOf(cpu, Seg.SS) & Attribute.big) !== 0) mode |= Mode.stack32;
  }
  if (long || (isFlat(cpu, Seg.CS) && isFlat(cpu, Seg.DS) && isFlat(cpu, Seg.ES) && isFlat(cpu, Seg.SS))) mode |= Mode.flat;
  if (cpl === 3) mode |= Mode.user;
  if (isProtected) mode |= Mode.protected;
  // The low eight bits of DR7 enable the four breakpoints.
  if ((flags & RFLAGS_TF) !== 0 || (view.getUint32(State.dr + 56, true) & 0xff) !== 0) mode |= Mode.step;
  if ((cr0 & (Cr0.TS | Cr0.EM)) !== 0 || (readCr4(view) & Cr4.OSFXSR) === 0) mode |= Mode.fpuTrap;
  view.setInt32(State.cpl, cpl, true);
  view.setInt32(State.mode, mode, true);
}

/** LAR's and LSL's notion of a valid descriptor type, and the privilege check that they share with VERR and VERW. */
function visible(cpu: CpuContext, selector: number, systemTypes: readonly number[]): Descriptor | undefined {
  if (isNull(selector)) return undefined;
  const d = findDescriptor(cpu, selector);
  if (d === undefined) return undefined;
  const a = d.attributes;
  if ((a & Attribute.s) === 0) {
    if (!systemTypes.includes(a & Attribute.type)) return undefined;
  } else if ((a & Attribute.code) !== 0 && (a & Attribute.conforming) !== 0) {
    return d;
  }
  const dpl = dplOf(a);
  return cpu.cpl > dpl || (selector & 3) > dpl ? undefined : d;
}

const larTypes = [1, 2, 3, 4, 5, 9, 0xb, 0xc] as const;
const larTypesLong = [2, 9, 0xb, 0xc] as const;
const lslTypes = [1, 2, 3, 9, 0xb] as const;
const lslTypesLong = [2, 9, 0xb] as const;

function setZero(cpu: CpuContext, on: boolean): void {
  const flags = Number(cpu.getFlags() & 0x8d5n);
  cpu.setArithmeticFlags(on ? flags | ZF : flags & ~ZF);
}

/** Instructions on selectors exist in protected mode only. */
function requireProtected(cpu: CpuContext): void {
  if (!protectedMode(cpu)) cpu.raise(Vector.UD);
}

function lar(cpu: CpuContext, insn: DecodedInsn): void {
  requireProtected(cpu);
  const selector = Number(cpu.readOperand(insn, 1) & 0xffffn);
  const d = visible(cpu, selector, longModeActive(cpu) ? larTypesLong : larTypes);
  if (d !== undefined) cpu.writeOperand(insn, 0, BigInt(d.high & (insn.operandSize === 2 ? 0xff00 : 0xf0_ff00)));
  setZero(cpu, d !== undefined);
}

function lsl(cpu: CpuContext, insn: DecodedInsn): void {
  requireProtected(cpu);
  const selector = Number(cpu.readOperand(insn, 1) & 0xffffn);
  const d = visible(cpu, selector, longModeActive(cpu) ? lslTypesLong : lslTypes);
  if (d !== undefined) cpu.writeOperand(insn, 0, BigInt(d.limit));
  setZero(cpu, d !== undefined);
}

function verify(cpu: CpuContext, insn: DecodedInsn): void {
  requireProtected(cpu);
  const d = visible(cpu, Number(cpu.readOperand(insn, 0) & 0xffffn), []);
  let ok = false;
  if (d !== undefined) {
    const isCode = (d.attributes & Attribute.code) !== 0;
    const readWrite = (d.attributes & Attribute.readWrite) !== 0;
    ok = insn.mnemonic === 'VERR' ? !isCode || readWrite : !isCode && readWrite;
  }
  setZero(cpu, ok);
}

function lldt(cpu: CpuContext, insn: DecodedInsn): void {
  requireProtected(cpu);
  if (cpu.cpl !== 0) cpu.raise(Vector.GP, 0);
  const selector = Number(cpu.readOperand(insn, 0) & 0xffffn);
  if (isNull(selector)) {
    writeSegment(cpu, Seg.LDTR, selector, 0n, 0, 0);
    return;
  }
  const error = selector & 0xfffc;
  if ((selector & 4) !== 0) cpu.raise(Vector.GP, error);
  const d = readDescriptor(cpu, selector);
  if ((d.attributes & (Attribute.s | Attribute.type)) !== 2) cpu.raise(Vector.GP, error);
  if ((d.attributes & Attribute.present) === 0) cpu.raise(Vector.NP, error);
  if (!isCanonical(d.base)) cpu.raise(Vector.GP, error);
  writeSegment(cpu, Seg.LDTR, selector, d.base, d.limit, d.attributes);
}

function ltr(cpu: CpuContext, insn: DecodedInsn): void {
  requireProtected(cpu);
  if (cpu.cpl !== 0) cpu.raise(Vector.GP, 0);
  const selector = Number(cpu.readOperand(insn, 0) & 0xffffn);
  const error = selector & 0xfffc;
  if (isNull(selector)) cpu.raise(Vector.GP, 0);
  if ((selector & 4) !== 0) cpu.raise(Vector.GP, error);
  const d = readDescriptor(cpu, selector);
  const type = d.attributes & (Attribute.s | Attribute.type);
  // An available TSS; the 16-bit one does not exist in IA-32e mode.
  if (type !== 9 && (type !== 1 || longModeActive(cpu))) cpu.raise(Vector.GP, error);
  if ((d.attributes & Attribute.present) === 0) cpu.raise(Vector.NP, error);
  if (!isCanonical(d.base)) cpu.raise(Vector.GP, error);
  cpu.writeSystem(systemAddress(cpu, d.address, 5), 1, BigInt((d.attributes & 0xff) | 2));
  writeSegment(cpu, Seg.TR, selector, d.base, d.limit, d.attributes | 2);
}

/** SLDT and STR: the selector; a register destination of 32 or 64 bits is zero-extended. */
function storeSelector(cpu: CpuContext, insn: DecodedInsn): void {
  requireProtected(cpu);
  if (cpu.cpl !== 0 && (readCr4(cpu.view) & Cr4.UMIP) !== 0) cpu.raise(Vector.GP, 0);
  cpu.writeOperand(insn, 0, BigInt(selectorOf(cpu, insn.mnemonic === 'SLDT' ? Seg.LDTR : Seg.TR)));
}

/** MOV r/m, Sreg. */
function movFromSegment(cpu: CpuContext, insn: DecodedInsn): void {
  const source = insn.operands[1];
  if (source?.kind !== 'sreg' || source.register > Seg.GS) return cpu.raise(Vector.UD);
  cpu.writeOperand(insn, 0, BigInt(selectorOf(cpu, source.register)));
}

/** MOV Sreg, r/m. */
function movToSegment(cpu: CpuContext, insn: DecodedInsn): void {
  const destination = insn.operands[0];
  if (destination?.kind !== 'sreg' || destination.register > Seg.GS || destination.register === Seg.CS) return cpu.raise(Vector.UD);
  loadSegment(cpu, destination.register, Number(cpu.readOperand(insn, 1) & 0xffffn));
  if (destination.register === Seg.SS) cpu.inhibitInterrupts();
}

function pushSegment(cpu: CpuContext, insn: DecodedInsn): void {
  const source = insn.operands[0];
  if (source?.kind !== 'sreg') return cpu.raise(Vector.UD);
  const size = cpu.long && insn.operandSize === 4 ? 8 : insn.operandSize;
  cpu.push(size, BigInt(selectorOf(cpu, source.register)));
}

function popSegment(cpu: CpuContext, insn: DecodedInsn): void {
  const destination = insn.operands[0];
  if (destination?.kind !== 'sreg') return cpu.raise(Vector.UD);
  const size = cpu.long && insn.operandSize === 4 ? 8 : insn.operandSize;
  const rsp = cpu.getReg(4, 8);
  const selector = Number(cpu.pop(size) & 0xffffn);
  try {
    loadSegment(cpu, destination.register, selector);
  } catch (fault) {
    // The stack pointer moves only when the load succeeds.
    cpu.setReg(4, 8, rsp);
    throw fault;
  }
  if (destination.register === Seg.SS) cpu.inhibitInterrupts();
}

const farSegments: Readonly<Record<string, number>> = { LES: Seg.ES, LDS: Seg.DS, LSS: Seg.SS, LFS: Seg.FS, LGS: Seg.GS };

/** LDS, LES, LFS, LGS, LSS: offset, then selector. */
function loadFarPointer(cpu: CpuContext, insn: DecodedInsn): void {
  if (insn.memory === undefined) return cpu.raise(Vector.UD);
  const size = insn.operandSize;
  const offset = cpu.readVirtual(cpu.linearAddress(insn, size, 'read'), size);
  const selector = Number(cpu.readVirtual(cpu.linearAddress(insn, 2, 'read', size), 2));
  loadSegment(cpu, farSegments[insn.mnemonic]!, selector);
  cpu.writeOperand(insn, 0, offset);
}

export const segmentHelpers: HelperTable = {
  LAR: lar,
  LSL: lsl,
  VERR: verify,
  VERW: verify,
  LLDT: lldt,
  LTR: ltr,
  SLDT: storeSelector,
  STR: storeSelector,
  'MOV r,Sreg': movFromSegment,
  'MOV Sreg,r': movToSegment,
  'PUSH Sreg': pushSegment,
  'POP Sreg': popSegment,
  LDS: loadFarPointer,
  LES: loadFarPointer,
  LFS: loadFarPointer,
  LGS: loadFarPointer,
  LSS: loadFarPointer,
};
