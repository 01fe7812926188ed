/** Operands of helpers: effective and segmented addresses, operand values, byte runs, the stack. What `CpuContext` offers under these names comes from here. */

import { type CpuContext, type DecodedInsn, type Operand, Vector } from './context';
import { Cr0, readCr0 } from './control-bits';
import { Mode, Seg, SegField, State } from './state';

const RSP = 4;
/** Canonical addresses, taken as signed, lie below this and not below its negative. */
const canonicalHalf = 2 ** 47;

/** Effective address of the memory operand, cut to the address size, without the segment base. */
export function effectiveAddress(cpu: CpuContext, insn: DecodedInsn): bigint {
  const m = insn.memory!;
  let address = m.disp;
  if (m.base >= 0) address = BigInt.asUintN(64, address + cpu.u64[(State.gpr >> 3) + m.base]!);
  if (m.index >= 0) address = BigInt.asUintN(64, address + cpu.u64[(State.gpr >> 3) + m.index]! * BigInt(m.scale));
  return cutAddress(insn, address);
}

/** V8 computes without objects where the number of bits is known to be 64. */
const cutAddress = (insn: DecodedInsn, address: bigint): bigint =>
  insn.addressSize === 8 ? BigInt.asUintN(64, address) : BigInt.asUintN(insn.addressSize * 8, address);

/** Linear address of the memory operand plus `displacement`, with limit and canonical checks for `size` bytes. */
export function linearAddress(cpu: CpuContext, insn: DecodedInsn, size: number, access: 'read' | 'write', displacement: number): bigint {
  const address = effectiveAddress(cpu, insn);
  const offset = displacement === 0 ? address : cutAddress(insn, address + BigInt(displacement));
  return segmentLinear(cpu, insn.memory!.segment, offset, size, access);
}

/** Linear address of an offset in a segment; #GP(0), or #SS(0) for SS, where `size` bytes are not within it (SDM vol. 3A, 3.4, 3.3.7.1). */
export function segmentLinear(cpu: CpuContext, segment: number, offset: bigint, size: number, access: 'read' | 'write'): bigint {
  const at = State.seg + segment * SegField.size;
  const vector = segment === Seg.SS ? Vector.SS : Vector.GP;
  const mode = cpu.u32[State.mode >> 2]!;
  if (mode & Mode.long) {
    const base = segment >= Seg.FS ? cpu.u64[at >> 3]! : 0n;
    const linear = BigInt.asUintN(64, base + offset);
    // A float is exact for canonical addresses, and rounds no other one to one of these.
    const first = Number(BigInt.asIntN(64, linear));
    if (first < -canonicalHalf || first + Math.max(size, 1) > canonicalHalf) cpu.raise(vector, 0);
    return linear;
  }
  if (!(mode & Mode.flat && segment < Seg.FS)) checkSegment(cpu, at, offset, size, access, vector);
  return (cpu.u64[at >> 3]! + offset) & 0xffffffffn;
}

/** Limit and type checks outside 64-bit code (SDM vol. 3A, 5.3, 5.4). */
function checkSegment(cpu: CpuContext, at: number, offset: bigint, size: number, access: 'read' | 'write', vector: number): void {
  const limit = BigInt(cpu.u32[(at + SegField.limit) >> 2]!);
  const attributes = cpu.u32[(at + SegField.attributes) >> 2]!;
  const last = offset + BigInt(Math.max(size, 1) - 1);
  if (readCr0(cpu.view) & Cr0.PE) {
    if (!(attributes & 0x80)) cpu.raise(vector, 0);
    const code = (attributes & 8) !== 0;
    if (access === 'write' ? code || !(attributes & 2) : code && !(attributes & 2)) cpu.raise(vector, 0);
    if (!code && attributes & 4) {
      // Expand-down: valid offsets lie above the limit.
      const top = attributes & 0x4000 ? 0xffffffffn : 0xffffn;
      if (offset <= limit || last > top) cpu.raise(vector, 0);
      return;
    }
  }
  if (last > limit) cpu.raise(vector, 0);
}

/** Value of operand `i`, zero-extended; memory is read with faults. */
export function readOperand(cpu: CpuContext, insn: DecodedInsn, i: number): bigint {
  const operand: Operand = insn.operands[i]!;
  switch (operand.kind) {
    case 'reg':
      return operand.high ? (cpu.getReg(operand.register, 2) >> 8n) & 0xffn : cpu.getReg(operand.register, operand.size);
    case 'mem':
      return cpu.readVirtual(linearAddress(cpu, insn, operand.size, 'read', 0), operand.size);
    case 'imm':
      return operand.value;
    case 'rel':
      return operand.target;
    case 'far':
      return operand.offset;
    case 'sreg':
      return BigInt(cpu.view.getUint16(State.seg + operand.register * SegField.size + SegField.selector, true));
    case 'xmm':
      return BigInt.asUintN(Math.min(operand.size, 8) * 8, cpu.u64[(State.xmm + operand.register * 32) >> 3]!);
    case 'mmx':
      return cpu.u64[(State.x87 + operand.register * 16) >> 3]!;
    case 'creg':
    case 'dreg':
    case 'st':
      throw new Error(`${insn.mnemonic}: operand ${i} has no plain value`);
  }
}

/** Writes operand `i`: a general register or memory. */
export function writeOperand(cpu: CpuContext, insn: DecodedInsn, i: number, value: bigint): void {
  const operand = insn.operands[i]!;
  if (operand.kind === 'reg') {
    if (operand.high) cpu.u8[State.gpr + operand.register * 8 + 1] = Number(value & 0xffn);
    else cpu.setReg(operand.register, operand.size, value);
  } else if (operand.kind === 'mem') {
    cpu.writeVirtual(linearAddress(cpu, insn, operand.size, 'write', 0), operand.size, value);
  } else {
    throw new Error(`${insn.mnemonic}: operand ${i} cannot be written`);
  }
}

export function readBytes(cpu: CpuContext, linear: bigint, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length;) {
    const size = length - i >= 8 ? 8 : 1;
    let value = cpu.readVirtual(BigInt.asUintN(64, linear + BigInt(i)), size);
    for (let k = 0; k < size; k++, value >>= 8n) bytes[i + k] = Number(value & 0xffn);
    i += size;
  }
  return bytes;
}

/** All of the bytes or, where one of them would fault, none. */
export function writeBytes(cpu: CpuContext, linear: bigint, bytes: Uint8Array): void {
  if (bytes.length > 0) cpu.probe(linear, bytes.length, 'write');
  for (let i = 0; i < bytes.length;) {
    const size = bytes.length - i >= 8 ? 8 : 1;
    let value = 0n;
    for (let k = size - 1; k >= 0; k--) value = (value << 8n) | BigInt(bytes[i + k]!);
    cpu.writeVirtual(BigInt.asUintN(64, linear + BigInt(i)), size, value);
    i += size;
  }
}

/** Pushes with the current stack size and segment; rSP changes only when no fault. */
export function push(cpu: CpuContext, size: number, value: bigint): void {
  const width = cpu.stackSize;
  const pointer = BigInt.asUintN(width * 8, cpu.getReg(RSP, width) - BigInt(size));
  cpu.writeVirtual(segmentLinear(cpu, Seg.SS, pointer, size, 'write'), size, value);
  cpu.setReg(RSP, width, pointer);
}

export function pop(cpu: CpuContext, size: number): bigint {
  const width = cpu.stackSize;
  const pointer = cpu.getReg(RSP, width);
  const value = cpu.readVirtual(segmentLinear(cpu, Seg.SS, pointer, size, 'read'), size);
  cpu.setReg(RSP, width, BigInt.asUintN(width * 8, pointer + BigInt(size)));
  return value;
}
