/** Vector operands of helpers: registers of the state block and memory as little-endian bytes, and MXCSR before and after. */

import { type CpuContext, type DecodedInsn, Vector } from '../context';
import { FSW_PENDING, Seg, SegField, State } from '../state';
import { SseControl, type Format } from './format';

/** Byte offset of an xmm register in the state block. */
export const xmmOffset = (register: number): number => State.xmm + 32 * register;

/** MMX registers are the significands of the x87 registers in physical order (SDM vol. 1, 9.2.2). */
export const mmxOffset = (register: number): number => State.x87 + 16 * register;

/** CR4.OSXMMEXCPT: unmasked SIMD exceptions come as #XM, without it as #UD. */
const osxmmexcpt = 1n << 10n;

/** The linear address of the memory operand, unchecked: good for its low bits. */
function lowAddress(cpu: CpuContext, insn: DecodedInsn): bigint {
  const { segment } = insn.memory!;
  const based = !cpu.long || segment >= Seg.FS;
  return cpu.effectiveAddress(insn) + (based ? cpu.view.getBigUint64(State.seg + segment * SegField.size + SegField.base, true) : 0n);
}

/** The bytes of operand i. A memory operand of 16 bytes must be aligned unless `unaligned`. */
export function readVector(cpu: CpuContext, insn: DecodedInsn, i: number, size: number, unaligned = false): DataView {
  const operand = insn.operands[i]!;
  let bytes: Uint8Array;
  if (operand.kind === 'mem') {
    // Alignment is checked before the address is (an address that is neither gives #GP, also in the stack segment).
    if (size === 16 && !unaligned && (lowAddress(cpu, insn) & 15n) !== 0n) cpu.raise(Vector.GP, 0);
    const linear = cpu.linearAddress(insn, size, 'read');
    bytes = cpu.readBytes(linear, size);
  } else if (operand.kind === 'xmm') {
    const at = xmmOffset(operand.register);
    bytes = cpu.u8.slice(at, at + size);
  } else if (operand.kind === 'mmx') {
    const at = mmxOffset(operand.register);
    bytes = cpu.u8.slice(at, at + size);
  } else {
    bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, cpu.readOperand(insn, i), true);
  }
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Writes the given bytes to the low part of register operand i; the rest of an xmm register stays. */
export function writeVector(cpu: CpuContext, insn: DecodedInsn, i: number, value: DataView): void {
  const operand = insn.operands[i]!;
  const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  if (operand.kind === 'mmx') {
    enterMmx(cpu);
    cpu.u8.set(bytes, mmxOffset(operand.register));
    cpu.view.setUint16(mmxOffset(operand.register) + 8, 0xffff, true);
  } else if (operand.kind === 'xmm') {
    cpu.u8.set(bytes, xmmOffset(operand.register));
  } else {
    throw new Error(`operand ${i} of ${insn.mnemonic} is not a vector register`);
  }
}

/** #MF where an x87 exception waits: what MMX instructions report before anything else. */
export function checkPending(cpu: CpuContext): void {
  if ((cpu.view.getUint16(State.fsw, true) & FSW_PENDING) !== 0) cpu.raise(Vector.MF);
}

/** What every MMX instruction but EMMS does to the x87 unit: TOP 0, all registers valid (SDM vol. 1, 9.5.1). */
export function enterMmx(cpu: CpuContext): void {
  cpu.view.setUint16(State.fsw, cpu.view.getUint16(State.fsw, true) & ~0x3800, true);
  cpu.view.setUint16(State.ftw, 0, true);
}

const controls = new SseControl();

/** The control for one instruction, from MXCSR. One object serves all: an instruction finishes before the next begins. */
export function beginSse(cpu: CpuContext): SseControl {
  controls.load(cpu.view.getUint32(State.mxcsr, true));
  return controls;
}

/** Leaves the raised flags in MXCSR, and raises #XM (or #UD) where one of them is not masked: call it before writing the result. */
export function endSse(cpu: CpuContext, c: SseControl): void {
  const flags = c.finish();
  if (flags === 0) return;
  cpu.view.setUint32(State.mxcsr, cpu.view.getUint32(State.mxcsr, true) | flags, true);
  if ((flags & ~c.masks) !== 0) cpu.raise((cpu.view.getBigUint64(State.cr4, true) & osxmmexcpt) !== 0n ? Vector.XM : Vector.UD);
}

/** Element `index` of the format's width. */
export function getLane(view: DataView, f: Format, index: number): bigint {
  return f.precision === 24 ? BigInt(view.getUint32(4 * index, true)) : view.getBigUint64(8 * index, true);
}

export function setLane(view: DataView, f: Format, index: number, bits: bigint): void {
  if (f.precision === 24) view.setUint32(4 * index, Number(bits), true);
  else view.setBigUint64(8 * index, bits, true);
}

/** An immediate operand as a number. */
export function immediateOf(insn: DecodedInsn, i: number): number {
  const operand = insn.operands[i]!;
  return operand.kind === 'imm' ? Number(operand.value & 0xffn) : 0;
}
