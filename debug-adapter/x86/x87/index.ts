/** The x87 unit as the processor's helper table has it: effective addresses, faults and flags between instruction and unit. */

import { type CpuContext, type DecodedInsn, type HelperTable, Vector } from '../context';
import { Cr0, readCr0 } from '../control-bits';
import { baseOf, protectedMode } from '../segments';
import { Layout, Seg } from '../state';
import { cachedHost } from '../tlb';
import { X87Unit } from './execute';
import { type X87Port } from './port';

/** RFLAGS bits that FCOMI writes: ZF PF CF, and OF SF AF, which it clears. */
const compareFlags = 0x8d5;

class Port implements X87Port {
  readonly operand = new DataView(new ArrayBuffer(128));
  private readonly bytes = new Uint8Array(this.operand.buffer);
  private insn: DecodedInsn | undefined;

  constructor(private readonly cpu: CpuContext) {}

  begin(insn: DecodedInsn): void {
    this.insn = insn;
  }

  load(size: number): void {
    const { cpu, bytes } = this;
    const linear = cpu.linearAddress(this.insn!, size, 'read');
    const host = cachedHost(cpu.u32, Layout.tlbRead, linear, size);
    if (host >= 0) {
      const { u8 } = cpu;
      for (let i = 0; i < size; i++) bytes[i] = u8[host + i]!;
    } else if (size <= 8) {
      this.operand.setBigUint64(0, cpu.readVirtual(linear, size), true);
    } else {
      bytes.set(cpu.readBytes(linear, size));
    }
  }

  store(size: number): void {
    const { cpu, bytes } = this;
    const linear = cpu.linearAddress(this.insn!, size, 'write');
    const host = cachedHost(cpu.u32, Layout.tlbWrite, linear, size);
    if (host >= 0) {
      const { u8 } = cpu;
      for (let i = 0; i < size; i++) u8[host + i] = bytes[i]!;
    } else if (size <= 8) {
      cpu.writeVirtual(linear, size, BigInt.asUintN(size * 8, this.operand.getBigUint64(0, true)));
    } else {
      cpu.probe(linear, size, 'write');
      cpu.writeBytes(linear, bytes.subarray(0, size));
    }
  }

  checkStore(size: number): void {
    const { cpu } = this;
    cpu.probe(cpu.linearAddress(this.insn!, size, 'write'), size, 'write');
  }

  arithmeticFlags(): number {
    return Number(this.cpu.getFlags() & 0xffffn);
  }

  setCompareFlags(bits: number): void {
    this.cpu.setArithmeticFlags(bits & compareFlags);
  }

  setAx(value: number): void {
    this.cpu.setReg(0, 2, BigInt(value));
  }

  get operand16(): boolean {
    return this.insn!.operandSize === 2;
  }

  get realFormat(): boolean {
    return !protectedMode(this.cpu);
  }

  get instructionPointer(): bigint {
    const { rip } = this.insn!;
    return this.realFormat ? baseOf(this.cpu, Seg.CS) + rip : rip;
  }

  get dataPointer(): bigint {
    const offset = this.cpu.effectiveAddress(this.insn!);
    return this.realFormat ? baseOf(this.cpu, this.insn!.memory!.segment) + offset : offset;
  }
}

const units = new WeakMap<CpuContext, { readonly view: DataView; readonly unit: X87Unit; readonly port: Port }>();

function unitOf(cpu: CpuContext): { readonly unit: X87Unit; readonly port: Port } {
  let entry = units.get(cpu);
  // The view is replaced when the memory behind it grows.
  if (entry === undefined || entry.view !== cpu.view) {
    entry = { view: cpu.view, unit: new X87Unit(cpu.view), port: new Port(cpu) };
    units.set(cpu, entry);
  }
  return entry;
}

/** A waiting exception is #MF with CR0.NE; without it a PC reports it by IRQ 13, which this one does not have. */
function reportPending(cpu: CpuContext): never {
  if ((readCr0(cpu.view) & Cr0.NE) === 0)
    return cpu.unsupported('an x87 exception is pending with CR0.NE clear: reporting it by IRQ 13 is not implemented');
  return cpu.raise(Vector.MF);
}

function x87(cpu: CpuContext, insn: DecodedInsn): void {
  if ((readCr0(cpu.view) & (Cr0.EM | Cr0.TS)) !== 0) cpu.raise(Vector.NM);
  const { unit, port } = unitOf(cpu);
  port.begin(insn);
  const outcome = unit.execute(insn.opcode, insn.modrm, port);
  if (outcome === 'undefined') cpu.raise(Vector.UD);
  if (outcome === 'pending') reportPending(cpu);
}

/** WAIT: #NM needs both MP and TS. */
function fwait(cpu: CpuContext): void {
  const cr0 = readCr0(cpu.view);
  if ((cr0 & Cr0.MP) !== 0 && (cr0 & Cr0.TS) !== 0) cpu.raise(Vector.NM);
  if (unitOf(cpu).unit.pending) reportPending(cpu);
}

export const x87Helpers: HelperTable = { X87: x87, FWAIT: fwait };
