/** Far transfers: JMP, CALL and RET through code segments and call gates, between 32-bit, compatibility and 64-bit code (SDM vol. 2, JMP, CALL, RET; vol. 3A, 5.8). */

import { type CpuContext, type DecodedInsn, type HelperTable, Vector } from './context';
import { Attribute, isCanonical } from './control-bits';
import {
  attributesOf,
  baseOf,
  checkStackSegment,
  type Descriptor,
  dplOf,
  dropInnerSegments,
  findDescriptor,
  isNull,
  limitOf,
  loadCode,
  longModeActive,
  markAccessed,
  protectedMode,
  readDescriptor,
  selectorOf,
  systemAddress,
  writeSegment,
} from './segments';
import { Seg } from './state';

const RSP = 4;

/** Selector and offset of the target: an immediate or a pointer in memory. */
function target(cpu: CpuContext, insn: DecodedInsn): { selector: number; offset: bigint } {
  const operand = insn.operands[0];
  if (operand?.kind === 'far') return { selector: operand.selector, offset: operand.offset };
  const size = insn.operandSize;
  const offset = cpu.readVirtual(cpu.linearAddress(insn, size, 'read'), size);
  return { selector: Number(cpu.readVirtual(cpu.linearAddress(insn, 2, 'read', size), 2)), offset };
}

/** Whether a code descriptor makes 64-bit code; L with D is no valid combination in IA-32e mode. */
export function is64BitCode(cpu: CpuContext, d: Descriptor, selector: number, ext = 0): boolean {
  if (!longModeActive(cpu) || (d.attributes & Attribute.long) === 0) return false;
  if ((d.attributes & Attribute.big) !== 0) cpu.raise(Vector.GP, (selector & 0xfffc) | ext);
  return true;
}

/** The target must be canonical in 64-bit code, and within the segment's limit elsewhere: #GP(0). */
export function checkTarget(cpu: CpuContext, d: Descriptor, long: boolean, offset: bigint, ext = 0): void {
  if (long ? !isCanonical(offset) : offset > BigInt(d.limit)) cpu.raise(Vector.GP, ext);
}

/** Checks a code descriptor reached directly by JMP or CALL. */
function checkDirect(cpu: CpuContext, d: Descriptor, selector: number): void {
  const error = selector & 0xfffc;
  const dpl = dplOf(d.attributes);
  if ((d.attributes & Attribute.conforming) !== 0) {
    if (dpl > cpu.cpl) cpu.raise(Vector.GP, error);
  } else if ((selector & 3) > cpu.cpl || dpl !== cpu.cpl) {
    cpu.raise(Vector.GP, error);
  }
  if ((d.attributes & Attribute.present) === 0) cpu.raise(Vector.NP, error);
}

/** A call gate's target and size, checked (SDM vol. 3A, 5.8.3). */
interface Gate {
  readonly selector: number;
  readonly offset: bigint;
  readonly code: Descriptor;
  /** Operand size of what it pushes. */
  readonly size: 2 | 4 | 8;
  readonly parameters: number;
}

function callGate(cpu: CpuContext, selector: number, gate: Descriptor): Gate {
  const error = selector & 0xfffc;
  const type = gate.attributes & Attribute.type;
  const long = longModeActive(cpu);
  if (type === 5 || type === 1 || type === 9) {
    if (!long) cpu.unsupported(`a far transfer to selector ${selector.toString(16)} asks for a hardware task switch`);
  }
  if (type !== 0xc && (type !== 4 || long)) cpu.raise(Vector.GP, error);
  const dpl = dplOf(gate.attributes);
  if (dpl < cpu.cpl || dpl < (selector & 3)) cpu.raise(Vector.GP, error);
  if ((gate.attributes & Attribute.present) === 0) cpu.raise(Vector.NP, error);
  const codeSelector = gate.low >>> 16;
  if (isNull(codeSelector)) cpu.raise(Vector.GP, 0);
  const code = readDescriptor(cpu, codeSelector);
  const a = code.attributes;
  if ((a & (Attribute.s | Attribute.code)) !== (Attribute.s | Attribute.code) || dplOf(a) > cpu.cpl)
    cpu.raise(Vector.GP, codeSelector & 0xfffc);
  if (long && ((a & Attribute.long) === 0 || (a & Attribute.big) !== 0)) cpu.raise(Vector.GP, codeSelector & 0xfffc);
  if ((a & Attribute.present) === 0) cpu.raise(Vector.NP, codeSelector & 0xfffc);
  let offset = BigInt(gate.low & 0xffff);
  if (type === 0xc) offset |= BigInt((gate.high & 0xffff_0000) >>> 0);
  if (long) offset |= BigInt(gate.upper) << 32n;
  return { selector: codeSelector, offset, code, size: long ? 8 : type === 0xc ? 4 : 2, parameters: gate.high & 0x1f };
}

function cut(size: number, value: bigint): bigint {
  return BigInt.asUintN(size * 8, value);
}

function jumpFar(cpu: CpuContext, insn: DecodedInsn): void {
  const { selector, offset } = target(cpu, insn);
  if (!protectedMode(cpu)) {
    realTarget(cpu, selector, offset);
    return;
  }
  if (isNull(selector)) cpu.raise(Vector.GP, 0);
  const d = readDescriptor(cpu, selector);
  if ((d.attributes & Attribute.s) === 0) {
    const gate = callGate(cpu, selector, d);
    const conforming = (gate.code.attributes & Attribute.conforming) !== 0;
    if (!conforming && dplOf(gate.code.attributes) !== cpu.cpl) cpu.raise(Vector.GP, gate.selector & 0xfffc);
    checkTarget(cpu, gate.code, is64BitCode(cpu, gate.code, gate.selector), gate.offset);
    loadCode(cpu, gate.selector, gate.code, cpu.cpl);
    cpu.rip = gate.offset;
    return;
  }
  if ((d.attributes & Attribute.code) === 0) cpu.raise(Vector.GP, selector & 0xfffc);
  checkDirect(cpu, d, selector);
  const long = is64BitCode(cpu, d, selector);
  checkTarget(cpu, d, long, offset);
  loadCode(cpu, selector, d, cpu.cpl);
  cpu.rip = offset;
}

function realTarget(cpu: CpuContext, selector: number, offset: bigint): void {
  if (offset > BigInt(limitOf(cpu, Seg.CS))) cpu.raise(Vector.GP, 0);
  writeSegment(cpu, Seg.CS, selector, BigInt(selector) << 4n, limitOf(cpu, Seg.CS), attributesOf(cpu, Seg.CS));
  cpu.modeChanged();
  cpu.rip = offset;
}

/** Pushes two values so that a fault at the second leaves the stack pointer alone. */
function pushPair(cpu: CpuContext, size: number, first: bigint, second: bigint): void {
  const rsp = cpu.getReg(RSP, 8);
  try {
    cpu.push(size, first);
    cpu.push(size, second);
  } catch (fault) {
    cpu.setReg(RSP, 8, rsp);
    throw fault;
  }
}

function callFar(cpu: CpuContext, insn: DecodedInsn): void {
  const { selector, offset } = target(cpu, insn);
  const size = insn.operandSize;
  const cs = BigInt(selectorOf(cpu, Seg.CS));
  if (!protectedMode(cpu)) {
    if (offset > BigInt(limitOf(cpu, Seg.CS))) cpu.raise(Vector.GP, 0);
    pushPair(cpu, size, cs, insn.next);
    realTarget(cpu, selector, offset);
    return;
  }
  if (isNull(selector)) cpu.raise(Vector.GP, 0);
  const d = readDescriptor(cpu, selector);
  if ((d.attributes & Attribute.s) === 0) {
    callThroughGate(cpu, callGate(cpu, selector, d), cs, insn.next);
    return;
  }
  if ((d.attributes & Attribute.code) === 0) cpu.raise(Vector.GP, selector & 0xfffc);
  checkDirect(cpu, d, selector);
  const long = is64BitCode(cpu, d, selector);
  checkTarget(cpu, d, long, offset);
  pushPair(cpu, size, cs, cut(size, insn.next));
  loadCode(cpu, selector, d, cpu.cpl);
  cpu.rip = offset;
}

/** The stack for an inner privilege level, from the TSS; error #TS with TR's selector where the TSS is too short. */
export function innerStack(cpu: CpuContext, level: number, ext: number): { selector: number; pointer: bigint } {
  const trError = (selectorOf(cpu, Seg.TR) & 0xfffc) | ext;
  const base = baseOf(cpu, Seg.TR);
  const limit = limitOf(cpu, Seg.TR);
  if (longModeActive(cpu)) {
    const at = 4 + level * 8;
    if (at + 7 > limit) cpu.raise(Vector.TS, trError);
    const pointer = cpu.readSystem(systemAddress(cpu, base, at), 8);
    if (!isCanonical(pointer)) cpu.raise(Vector.SS, ext);
    return { selector: level, pointer };
  }
  if ((attributesOf(cpu, Seg.TR) & 8) === 0) {
    const at = 2 + level * 4;
    if (at + 3 > limit) cpu.raise(Vector.TS, trError);
    return {
      selector: Number(cpu.readSystem(systemAddress(cpu, base, at + 2), 2)),
      pointer: cpu.readSystem(systemAddress(cpu, base, at), 2),
    };
  }
  const at = 4 + level * 8;
  if (at + 5 > limit) cpu.raise(Vector.TS, trError);
  return {
    selector: Number(cpu.readSystem(systemAddress(cpu, base, at + 4), 2)),
    pointer: cpu.readSystem(systemAddress(cpu, base, at), 4),
  };
}

/** Loads and checks the stack segment of an inner level in 32-bit mode: #TS with its selector. */
export function innerStackSegment(cpu: CpuContext, selector: number, level: number, ext: number): Descriptor {
  if (isNull(selector)) cpu.raise(Vector.TS, (selector & 0xfffc) | ext);
  const d = readDescriptor(cpu, selector, Vector.TS, ext);
  checkStackSegment(cpu, selector, d, level, Vector.TS, ext);
  return d;
}

/** Whether `size` bytes at `offset` lie within a data segment, expand-down ones included. */
export function withinStack(d: Descriptor, offset: number, size: number): boolean {
  const last = offset + size - 1;
  if ((d.attributes & Attribute.conforming) !== 0) {
    const top = (d.attributes & Attribute.big) !== 0 ? 0xffff_ffff : 0xffff;
    return offset > d.limit && last <= top;
  }
  return last <= d.limit;
}

/** Writes `values` below `pointer` of a new stack, with the new level's privilege, first value highest; answers the new pointer. */
export function writeInnerStack(
  cpu: CpuContext,
  d: Descriptor,
  selector: number,
  pointer: bigint,
  size: number,
  values: readonly bigint[],
  ext: number,
): bigint {
  const big = (d.attributes & Attribute.big) !== 0;
  const mask = big ? 0xffff_ffffn : 0xffffn;
  let at = pointer & mask;
  for (const value of values) {
    at = (at - BigInt(size)) & mask;
    if (!withinStack(d, Number(at), size)) cpu.raise(Vector.SS, (selector & 0xfffc) | ext);
    const linear = (d.base + at) & 0xffff_ffffn;
    if (dplOf(d.attributes) === 3) cpu.writeVirtual(linear, size, cut(size, value));
    else cpu.writeSystem(linear, size, cut(size, value));
  }
  return big ? at : (pointer & ~0xffffn) | at;
}

function callThroughGate(cpu: CpuContext, gate: Gate, cs: bigint, next: bigint): void {
  const { code, size } = gate;
  const codeDpl = dplOf(code.attributes);
  const long = is64BitCode(cpu, code, gate.selector);
  checkTarget(cpu, code, long, gate.offset);
  if ((code.attributes & Attribute.conforming) !== 0 || codeDpl === cpu.cpl) {
    pushPair(cpu, size, cs, cut(size, next));
    loadCode(cpu, gate.selector, code, cpu.cpl);
    cpu.rip = gate.offset;
    return;
  }
  const ss = BigInt(selectorOf(cpu, Seg.SS));
  const rsp = cpu.getReg(RSP, 8);
  const stack = innerStack(cpu, codeDpl, 0);
  if (long) {
    let at = stack.pointer;
    for (const value of [ss, rsp, cs, next]) {
      at = BigInt.asUintN(64, at - 8n);
      if (!isCanonical(at)) cpu.raise(Vector.SS, 0);
      cpu.writeSystem(at, 8, value);
    }
    loadCode(cpu, gate.selector, code, codeDpl);
    writeSegment(cpu, Seg.SS, codeDpl, 0n, 0, codeDpl << Attribute.dplShift);
    cpu.setReg(RSP, 8, at);
    cpu.modeChanged();
    cpu.rip = gate.offset;
    return;
  }
  const d = innerStackSegment(cpu, stack.selector, codeDpl, 0);
  // Parameters come from the old stack, and lie between the old SS:ESP and the return address.
  const parameters: bigint[] = [];
  const oldMask = (attributesOf(cpu, Seg.SS) & Attribute.big) !== 0 ? 0xffff_ffffn : 0xffffn;
  for (let i = gate.parameters - 1; i >= 0; i--) {
    const at = (rsp + BigInt(i * size)) & oldMask;
    parameters.push(cpu.readVirtual(cpu.segmentLinear(Seg.SS, at, size, 'read'), size));
  }
  const pointer = writeInnerStack(cpu, d, stack.selector, stack.pointer, size, [ss, rsp, ...parameters, cs, next], 0);
  loadCode(cpu, gate.selector, code, codeDpl);
  writeSegment(cpu, Seg.SS, stack.selector, d.base, d.limit, markAccessed(cpu, d));
  cpu.setReg(RSP, 4, pointer);
  cpu.modeChanged();
  cpu.rip = gate.offset;
}

/** Advances the stack pointer by `bytes` in its own size. */
function release(cpu: CpuContext, bytes: bigint): void {
  const size = cpu.long ? 8 : (attributesOf(cpu, Seg.SS) & Attribute.big) !== 0 ? 4 : 2;
  cpu.setReg(RSP, size, cut(size, cpu.getReg(RSP, size) + bytes));
}

function returnFar(cpu: CpuContext, insn: DecodedInsn): void {
  const size = insn.operandSize;
  const immediate = insn.operands[0]?.kind === 'imm' ? insn.operands[0].value & 0xffffn : 0n;
  const rsp = cpu.getReg(RSP, 8);
  try {
    const offset = cpu.pop(size);
    const selector = Number(cpu.pop(size) & 0xffffn);
    if (!protectedMode(cpu)) {
      realTarget(cpu, selector, offset);
      release(cpu, immediate);
      return;
    }
    returnProtected(cpu, size, selector, offset, immediate);
  } catch (fault) {
    cpu.setReg(RSP, 8, rsp);
    throw fault;
  }
}

function returnProtected(cpu: CpuContext, size: number, selector: number, offset: bigint, immediate: bigint): void {
  const { cpl, rpl, code, long } = checkReturn(cpu, selector, offset);
  if (rpl === cpl) {
    release(cpu, immediate);
    loadCode(cpu, selector, code, cpl);
    cpu.rip = offset;
    return;
  }
  release(cpu, immediate);
  const newSp = cpu.pop(size);
  const ss = Number(cpu.pop(size) & 0xffffn);
  returnOuter(cpu, selector, code, rpl, long, ss, newSp, immediate, size);
  cpu.rip = offset;
}

/** What RET and IRET have checked of the code segment that they return to (SDM vol. 2, RET). */
export function checkReturn(
  cpu: CpuContext,
  selector: number,
  offset: bigint,
): { cpl: number; rpl: number; code: Descriptor; long: boolean } {
  const { cpl } = cpu;
  const error = selector & 0xfffc;
  if (isNull(selector)) cpu.raise(Vector.GP, 0);
  const rpl = selector & 3;
  const code = readDescriptor(cpu, selector);
  const a = code.attributes;
  if ((a & (Attribute.s | Attribute.code)) !== (Attribute.s | Attribute.code)) cpu.raise(Vector.GP, error);
  if (rpl < cpl) cpu.raise(Vector.GP, error);
  const dpl = dplOf(a);
  if ((a & Attribute.conforming) !== 0 ? dpl > rpl : dpl !== rpl) cpu.raise(Vector.GP, error);
  if ((a & Attribute.present) === 0) cpu.raise(Vector.NP, error);
  const long = is64BitCode(cpu, code, selector);
  checkTarget(cpu, code, long, offset);
  return { cpl, rpl, code, long };
}

/** Goes to an outer level (or, for IRET in 64-bit mode, reloads SS at the same one): loads CS, SS and the stack pointer, drops inner segments. */
export function returnOuter(
  cpu: CpuContext,
  selector: number,
  code: Descriptor,
  rpl: number,
  long: boolean,
  ss: number,
  newSp: bigint,
  immediate: bigint,
  size: number,
): void {
  const changes = rpl !== cpu.cpl;
  if (isNull(ss)) {
    // A null SS is what 64-bit handlers run on; to level 3 it cannot be returned.
    if (!long || rpl === 3 || (ss & 3) !== rpl) cpu.raise(Vector.GP, 0);
    loadCode(cpu, selector, code, rpl);
    writeSegment(cpu, Seg.SS, ss, 0n, 0, rpl << Attribute.dplShift);
    cpu.setReg(RSP, 8, BigInt.asUintN(64, newSp + immediate));
  } else {
    const d = findDescriptor(cpu, ss) ?? cpu.raise(Vector.GP, ss & 0xfffc);
    checkStackSegment(cpu, ss, d, rpl, Vector.GP, 0);
    loadCode(cpu, selector, code, rpl);
    writeSegment(cpu, Seg.SS, ss, d.base, d.limit, markAccessed(cpu, d));
    const spSize = long ? 8 : (d.attributes & Attribute.big) !== 0 ? 4 : 2;
    cpu.setReg(RSP, spSize, cut(Math.min(spSize, 8), cut(Math.max(size, spSize === 2 ? 2 : size), newSp) + immediate));
  }
  cpu.modeChanged();
  if (changes) dropInnerSegments(cpu);
}

export const farHelpers: HelperTable = { 'JMP far': jumpFar, 'CALL far': callFar, RETF: returnFar };
