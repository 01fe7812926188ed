/** DIV and IDIV of 128 bits by 64, which generated code leaves alone, and narrower ones for completeness (SDM vol. 2A, DIV, IDIV). */

import { type CpuContext, type DecodedInsn, type HelperTable, Vector } from './context';

const RAX = 0;
const RDX = 2;

/** The two halves of the dividend live in rDX:rAX, or in AX for bytes. */
function dividend(cpu: CpuContext, size: number): bigint {
  if (size === 1) return cpu.getReg(RAX, 2);
  return (cpu.getReg(RDX, size) << BigInt(size * 8)) | cpu.getReg(RAX, size);
}

function setResult(cpu: CpuContext, size: number, quotient: bigint, rest: bigint): void {
  const bits = size * 8;
  const q = BigInt.asUintN(bits, quotient);
  const r = BigInt.asUintN(bits, rest);
  if (size === 1) {
    cpu.setReg(RAX, 2, (r << 8n) | q);
    return;
  }
  cpu.setReg(RAX, size, q);
  cpu.setReg(RDX, size, r);
}

function operandSize(insn: DecodedInsn): number {
  return insn.operands[0]?.size ?? insn.operandSize;
}

function div(cpu: CpuContext, insn: DecodedInsn): void {
  const size = operandSize(insn);
  const divisor = cpu.readOperand(insn, 0);
  if (divisor === 0n) cpu.raise(Vector.DE);
  const n = dividend(cpu, size);
  const quotient = n / divisor;
  if (quotient >> BigInt(size * 8) !== 0n) cpu.raise(Vector.DE);
  setResult(cpu, size, quotient, n % divisor);
}

function idiv(cpu: CpuContext, insn: DecodedInsn): void {
  const size = operandSize(insn);
  const bits = size * 8;
  const divisor = BigInt.asIntN(bits, cpu.readOperand(insn, 0));
  if (divisor === 0n) cpu.raise(Vector.DE);
  const n = BigInt.asIntN(bits * 2, dividend(cpu, size));
  const quotient = n / divisor;
  if (BigInt.asIntN(bits, quotient) !== quotient) cpu.raise(Vector.DE);
  setResult(cpu, size, quotient, n % divisor);
}

export const divisionHelpers: HelperTable = { DIV: div, IDIV: idiv };
