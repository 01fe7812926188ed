/** DR0 to DR7: MOV DR, the breakpoints that DR7 arms, and DR6's account of what struck (SDM vol. 3B, chapter 17.2). */

import { type CpuContext, type DecodedInsn, type HelperTable, Vector } from './context';
import { Cr4, readCr4 } from './control-bits';
import { State } from './state';

const Dr6 = { BD: 0x2000n, BS: 0x4000n, fixed: 0xffff_0ff0n, writable: 0xe00fn } as const;
const Dr7 = { GD: 0x2000n, one: 0x400n, writable: 0xffff_23ffn } as const;

function at(index: number): number {
  return State.dr + index * 8;
}

/** An enabled hardware breakpoint. */
export interface HardwareBreakpoint {
  /** 0..3 */
  readonly index: number;
  readonly address: bigint;
  /** 1, 2, 4 or 8 bytes; `address` is aligned to it. */
  readonly length: number;
  readonly kind: 'execute' | 'write' | 'io' | 'readWrite';
}

/** The breakpoints that DR7 enables (locally or globally: without hardware tasks the two are the same). */
export function armedBreakpoints(cpu: CpuContext): readonly HardwareBreakpoint[] {
  const dr7 = cpu.view.getUint32(at(7), true);
  const list: HardwareBreakpoint[] = [];
  for (let index = 0; index < 4; index++) {
    if (((dr7 >>> (index * 2)) & 3) === 0) continue;
    const control = (dr7 >>> (16 + index * 4)) & 15;
    const length = [1, 2, 8, 4][control >>> 2]!;
    const kind = (['execute', 'write', 'io', 'readWrite'] as const)[control & 3]!;
    // Without CR4.DE the I/O kind does not exist.
    if (kind === 'io' && (readCr4(cpu.view) & Cr4.DE) === 0) continue;
    list.push({ index, address: cpu.view.getBigUint64(at(index), true) & ~BigInt(length - 1), length, kind });
  }
  return list;
}

/** Notes in DR6 that breakpoints (a mask of bits 0..3) were met; the caller then delivers #DB. */
export function noteBreakpoints(cpu: CpuContext, mask: number): void {
  setDr6(cpu, cpu.view.getBigUint64(at(6), true) | BigInt(mask & 15));
}

/** Notes a single-step trap in DR6; the caller then delivers #DB as a trap. */
export function noteSingleStep(cpu: CpuContext): void {
  setDr6(cpu, cpu.view.getBigUint64(at(6), true) | Dr6.BS);
}

function setDr6(cpu: CpuContext, value: bigint): void {
  cpu.view.setBigUint64(at(6), (value & Dr6.writable) | Dr6.fixed, true);
}

/** DR4 and DR5 are other names of DR6 and DR7 until CR4.DE makes them #UD. */
function resolve(cpu: CpuContext, index: number): number {
  if (index >= 8) return cpu.raise(Vector.UD);
  if (index !== 4 && index !== 5) return index;
  return (readCr4(cpu.view) & Cr4.DE) !== 0 ? cpu.raise(Vector.UD) : index + 2;
}

/** General detect: with DR7.GD set, any access is #DB before it happens, and GD is cleared for the handler. */
function generalDetect(cpu: CpuContext): void {
  const dr7 = cpu.view.getBigUint64(at(7), true);
  if ((dr7 & Dr7.GD) === 0n) return;
  cpu.view.setBigUint64(at(7), dr7 & ~Dr7.GD, true);
  setDr6(cpu, cpu.view.getBigUint64(at(6), true) | Dr6.BD);
  cpu.raise(Vector.DB);
}

function debugRegister(cpu: CpuContext, insn: DecodedInsn, operand: 0 | 1): number {
  const o = insn.operands[operand];
  return o?.kind === 'dreg' ? resolve(cpu, o.register) : cpu.raise(Vector.UD);
}

function movFromDebug(cpu: CpuContext, insn: DecodedInsn): void {
  const index = debugRegister(cpu, insn, 1);
  generalDetect(cpu);
  cpu.writeOperand(insn, 0, BigInt.asUintN(cpu.long ? 64 : 32, cpu.view.getBigUint64(at(index), true)));
}

function movToDebug(cpu: CpuContext, insn: DecodedInsn): void {
  const index = debugRegister(cpu, insn, 0);
  generalDetect(cpu);
  const value = cpu.readOperand(insn, 1);
  if (!writeDebugRegister(cpu, index, value)) cpu.raise(Vector.GP, 0);
}

/** Writes DR0..DR3, DR6 or DR7 with fixed bits put right; false where the value has upper bits that DR6 and DR7 lack. */
export function writeDebugRegister(cpu: CpuContext, index: number, value: bigint): boolean {
  if (index >= 6 && value >> 32n !== 0n) return false;
  if (index === 6) setDr6(cpu, value);
  else if (index === 7) {
    cpu.view.setBigUint64(at(7), (value & Dr7.writable) | Dr7.one, true);
    cpu.modeChanged();
  } else cpu.view.setBigUint64(at(index), value, true);
  return true;
}

/** DR6 and DR7 at power-on. */
export function resetDebugRegisters(view: DataView): void {
  for (let i = 0; i < 4; i++) view.setBigUint64(at(i), 0n, true);
  view.setBigUint64(at(6), Dr6.fixed, true);
  view.setBigUint64(at(7), Dr7.one, true);
}

export const debugRegisterHelpers: HelperTable = { 'MOV r,DR': movFromDebug, 'MOV DR,r': movToDebug };
