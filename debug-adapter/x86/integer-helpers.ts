/** Integer instructions that are too rare or too wide for generated code: decimal adjusts, PUSHA, POPA, ENTER, LEAVE outside 64-bit code, POP to memory, BOUND, ARPL, XLAT. */

import { type CpuContext, type DecodedInsn, type HelperTable, Vector } from './context';
import { Flag } from './isa/definition';
import { Seg, State } from './state';
import { checkPortPermission } from './system';

function parity(value: number): number {
  let p = value & 0xff;
  p ^= p >> 4;
  p ^= p >> 2;
  p ^= p >> 1;
  return p & 1 ? 0 : Flag.PF;
}

function signZeroParity(value: number): number {
  return (value & 0x80 ? Flag.SF : 0) | ((value & 0xff) === 0 ? Flag.ZF : 0) | parity(value);
}

/** Outside 64-bit code a stack offset is 16 or 32 bits wide. */
function stackMask(cpu: CpuContext): bigint {
  if (cpu.long) return (1n << 64n) - 1n;
  return cpu.stackSize === 4 ? 0xffffffffn : 0xffffn;
}

function stackRead(cpu: CpuContext, offset: bigint, size: number): bigint {
  return cpu.readVirtual(cpu.segmentLinear(Seg.SS, offset & stackMask(cpu), size, 'read'), size);
}

function setStackPointer(cpu: CpuContext, offset: bigint): void {
  const size = cpu.stackSize;
  cpu.setReg(4, size, offset & stackMask(cpu));
}

/** AAA and AAS adjust AX after the unpacked addition or subtraction of two digits. */
const unpacked =
  (subtract: boolean) =>
  (cpu: CpuContext): void => {
    const flags = Number(cpu.getFlags());
    let ax = Number(cpu.getReg(0, 2));
    const adjust = (ax & 0x0f) > 9 || (flags & Flag.AF) !== 0;
    if (adjust) ax = subtract ? (ax - 0x106) & 0xffff : (ax + 0x106) & 0xffff;
    ax &= 0xff0f;
    cpu.setReg(0, 2, BigInt(ax));
    cpu.setArithmeticFlags((adjust ? Flag.AF | Flag.CF : 0) | signZeroParity(ax));
  };

/** DAA and DAS (SDM vol. 2A, the tables of the two instructions). */
const packed =
  (subtract: boolean) =>
  (cpu: CpuContext): void => {
    const flags = Number(cpu.getFlags());
    const old = Number(cpu.getReg(0, 1));
    let al = old;
    let carry = 0;
    const half = (old & 15) > 9 || (flags & Flag.AF) !== 0;
    if (half) {
      al = subtract ? al - 6 : al + 6;
      if (subtract) carry = (flags & Flag.CF) !== 0 || al < 0 ? 1 : 0;
    }
    if (old > 0x99 || (flags & Flag.CF) !== 0) {
      al = subtract ? al - 0x60 : al + 0x60;
      carry = 1;
    }
    al &= 0xff;
    cpu.setReg(0, 1, BigInt(al));
    cpu.setArithmeticFlags((carry ? Flag.CF : 0) | (half ? Flag.AF : 0) | signZeroParity(al));
  };

function aam(cpu: CpuContext, insn: DecodedInsn): void {
  const base = Number(cpu.readOperand(insn, 0));
  if (base === 0) cpu.raise(Vector.DE);
  const al = Number(cpu.getReg(0, 1));
  const low = al % base;
  cpu.setReg(0, 2, BigInt((Math.floor(al / base) << 8) | low));
  cpu.setArithmeticFlags(signZeroParity(low));
}

function aad(cpu: CpuContext, insn: DecodedInsn): void {
  const base = Number(cpu.readOperand(insn, 0));
  const ax = Number(cpu.getReg(0, 2));
  const al = ((ax & 0xff) + (ax >> 8) * base) & 0xff;
  cpu.setReg(0, 2, BigInt(al));
  cpu.setArithmeticFlags(signZeroParity(al));
}

function pushAll(cpu: CpuContext, insn: DecodedInsn): void {
  const size = insn.operandSize;
  const mask = stackMask(cpu);
  const top = cpu.getReg(4, cpu.stackSize);
  const values = Array.from({ length: 8 }, (_, i) => cpu.getReg(i, size));
  // Every slot must be writable before the first is written.
  const places = values.map((_, i) => cpu.segmentLinear(Seg.SS, (top - BigInt((i + 1) * size)) & mask, size, 'write'));
  for (const place of places) cpu.probe(place, size, 'write');
  values.forEach((value, i) => cpu.writeVirtual(places[i]!, size, value));
  setStackPointer(cpu, top - BigInt(8 * size));
}

function popAll(cpu: CpuContext, insn: DecodedInsn): void {
  const size = insn.operandSize;
  const top = cpu.getReg(4, cpu.stackSize);
  const values = Array.from({ length: 8 }, (_, i) => stackRead(cpu, top + BigInt(i * size), size));
  values.forEach((value, i) => {
    const register = 7 - i;
    if (register !== 4) cpu.setReg(register, size, value);
  });
  setStackPointer(cpu, top + BigInt(8 * size));
}

/**
 * ENTER (SDM vol. 2A): the nesting level copies frame pointers of the enclosing procedures. What was pushed before a fault stays in memory, as on
 * processors; the registers change last.
 */
function enter(cpu: CpuContext, insn: DecodedInsn): void {
  const size = insn.operandSize;
  const bytes = cpu.readOperand(insn, 0);
  const level = Number(cpu.readOperand(insn, 1)) & 31;
  const mask = stackMask(cpu);
  const step = BigInt(size);
  let frame = cpu.getReg(5, cpu.stackSize);
  let top = cpu.getReg(4, cpu.stackSize);
  const push = (value: bigint): void => {
    const next = (top - step) & mask;
    cpu.writeVirtual(cpu.segmentLinear(Seg.SS, next, size, 'write'), size, value);
    top = next;
  };
  push(cpu.getReg(5, size));
  const newFrame = top;
  for (let i = 1; i < level; i++) {
    frame = (frame - step) & mask;
    push(stackRead(cpu, frame, size));
  }
  if (level > 0) push(newFrame);
  top = (top - bytes) & mask;
  // The new top must be writable too.
  cpu.probe(cpu.segmentLinear(Seg.SS, top, size, 'write'), size, 'write');
  cpu.setReg(5, size, newFrame);
  setStackPointer(cpu, top);
}

function leave(cpu: CpuContext, insn: DecodedInsn): void {
  const size = insn.operandSize;
  const frame = cpu.getReg(5, cpu.stackSize);
  const value = stackRead(cpu, frame, size);
  setStackPointer(cpu, frame + BigInt(size));
  cpu.setReg(5, size, value);
}

/** POP to memory: an address formed with rSP uses its value after the pop (SDM vol. 2B, POP). */
function popMemory(cpu: CpuContext, insn: DecodedInsn): void {
  const size = insn.operandSize;
  const top = cpu.getReg(4, 8);
  const value = stackRead(cpu, cpu.getReg(4, cpu.stackSize), size);
  setStackPointer(cpu, cpu.getReg(4, cpu.stackSize) + BigInt(size));
  try {
    cpu.writeOperand(insn, 0, value);
  } catch (error) {
    cpu.setReg(4, 8, top);
    throw error;
  }
}

function bound(cpu: CpuContext, insn: DecodedInsn): void {
  const size = insn.operandSize;
  const bits = size * 8;
  const lower = cpu.readVirtual(cpu.linearAddress(insn, size, 'read'), size);
  const upper = cpu.readVirtual(cpu.linearAddress(insn, size, 'read', size), size);
  const index = BigInt.asIntN(bits, cpu.readOperand(insn, 0));
  if (index < BigInt.asIntN(bits, lower) || index > BigInt.asIntN(bits, upper)) cpu.raise(Vector.BR);
}

function arpl(cpu: CpuContext, insn: DecodedInsn): void {
  if ((cpu.view.getUint32(State.cr0, true) & 1) === 0) cpu.raise(Vector.UD);
  const selector = cpu.readOperand(insn, 0);
  const wanted = cpu.readOperand(insn, 1) & 3n;
  const flags = Number(cpu.getFlags()) & 0x8d5;
  const raise = (selector & 3n) < wanted;
  if (raise) cpu.writeOperand(insn, 0, (selector & ~3n) | wanted);
  cpu.setArithmeticFlags(raise ? flags | Flag.ZF : flags & ~Flag.ZF);
}

function xlat(cpu: CpuContext, insn: DecodedInsn): void {
  const mask = (1n << BigInt(insn.addressSize * 8)) - 1n;
  const offset = (cpu.getReg(3, 8) + cpu.getReg(0, 1)) & mask;
  const segment = insn.segmentOverride ?? Seg.DS;
  cpu.setReg(0, 1, cpu.readVirtual(cpu.segmentLinear(segment, offset, 1, 'read'), 1));
}

export const integerHelpers: HelperTable = {
  AAA: unpacked(false),
  AAS: unpacked(true),
  DAA: packed(false),
  DAS: packed(true),
  AAM: aam,
  AAD: aad,
  SALC: (cpu) => cpu.setReg(0, 1, cpu.getFlags() & 1n ? 0xffn : 0n),
  PUSHA: pushAll,
  POPA: popAll,
  ENTER: enter,
  LEAVE: leave,
  POP: popMemory,
  BOUND: bound,
  ARPL: arpl,
  XLAT: xlat,
  UD2: (cpu) => cpu.raise(Vector.UD),
};

/**
 * INS and OUTS. A repeated one does one element each time that it runs and stays at itself until rCX is 0,
 * so that device time passes and interrupts come between elements.
 */
const portString =
  (input: boolean) =>
  (cpu: CpuContext, insn: DecodedInsn): void => {
    const size = insn.operands[input ? 0 : 1]!.size;
    const address = insn.addressSize;
    if (insn.rep !== 'none' && cpu.getReg(1, address) === 0n) return;
    const port = Number(cpu.getReg(2, 2));
    checkPortPermission(cpu, port, size);
    const register = input ? 7 : 6;
    const segment = input ? Seg.ES : (insn.segmentOverride ?? Seg.DS);
    const linear = cpu.segmentLinear(segment, cpu.getReg(register, address), size, input ? 'write' : 'read');
    if (input) {
      // The destination must be writable before the device is read.
      cpu.probe(linear, size, 'write');
      cpu.writeVirtual(linear, size, BigInt(cpu.bus.portRead(port, size) >>> 0));
    } else {
      cpu.bus.portWrite(port, size, Number(cpu.readVirtual(linear, size)));
    }
    const step = cpu.getFlags() & 0x400n ? -BigInt(size) : BigInt(size);
    cpu.setReg(register, address, BigInt.asUintN(address * 8, cpu.getReg(register, address) + step));
    if (insn.rep === 'none') return;
    const left = BigInt.asUintN(address * 8, cpu.getReg(1, address) - 1n);
    cpu.setReg(1, address, left);
    if (left !== 0n) cpu.rip = insn.rip;
  };

export const portStringHelpers: HelperTable = { INS: portString(true), OUTS: portString(false) };
