/** What helpers, devices and the debugger reach the processor by: its registers and flags, operands and memory, on the state block in linear memory. */

import { type Allowance } from './allowance';
import { type Cpu, type CpuBus, type CpuHooks, type CpuModel, type CpuParts } from './api';
import { type CpuContext, type DecodedInsn, fault, lacking } from './context';
import { Cr4, readCr4 } from './control-bits';
import * as inspection from './inspection';
import { type MemoryAccess } from './memory-access';
import * as operands from './operands';
import { readRegister, writeRegister } from './registers';
import { Mode, State } from './state';

const RFLAGS_TF = 0x100;
/** Flags that exist; bit 1 is always set. */
const RFLAGS_DEFINED = 0x3f_7fd5;
const ARITHMETIC_MASK = 0x8d5;

export abstract class CpuState implements CpuContext {
  readonly model: CpuModel;
  readonly bus: CpuBus;
  readonly tscKilohertz: number;
  readonly view: DataView;
  readonly u8: Uint8Array;
  readonly u32: Uint32Array;
  readonly u64: BigUint64Array;
  readonly generalRegisters: BigUint64Array;
  readonly ramSize: number;
  protected readonly i32: Int32Array;
  abstract readonly hooks: CpuHooks;
  protected abstract readonly access: MemoryAccess;
  protected abstract readonly allowance: Allowance;

  constructor({ memory, ramBytes, bus, model, tscKilohertz }: CpuParts) {
    const { buffer } = memory;
    this.model = model;
    this.bus = bus;
    this.tscKilohertz = tscKilohertz;
    this.ramSize = ramBytes;
    this.view = new DataView(buffer);
    this.u8 = new Uint8Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.i32 = new Int32Array(buffer);
    this.u64 = new BigUint64Array(buffer, 0, Math.floor(buffer.byteLength / 8));
    // RIP follows R15 in the state block.
    this.generalRegisters = this.u64.subarray(State.gpr >> 3, (State.rip >> 3) + 1);
  }

  /** The arithmetic flags, from the operands and the kind of what set them last. */
  protected abstract arithmetic(): bigint;
  abstract askSyscallHook(): 'stop' | undefined;
  abstract saveArea(host: number, what: number): void;
  abstract restoreArea(host: number, what: number): void;
  abstract enterHandler(vector: number, errorCode: number, flags: number): boolean;
  abstract leaveHandler(): boolean;
  abstract fsBaseChanged(before: bigint, after: bigint): void;
  abstract modeChanged(): void;
  abstract flushTlb(global: boolean): void;
  abstract flushPage(linear: bigint): void;
  abstract inhibitInterrupts(): void;
  abstract halt(): void;
  abstract invalidateCode(physical: number, length: number): void;

  // State.

  get rip(): bigint {
    return this.u64[State.rip >> 3]!;
  }
  set rip(value: bigint) {
    this.u64[State.rip >> 3] = value;
  }
  get cpl(): number {
    return this.i32[State.cpl >> 2]!;
  }
  get long(): boolean {
    return (this.i32[State.mode >> 2]! & Mode.long) !== 0;
  }
  get stackSize(): 2 | 4 | 8 {
    const mode = this.i32[State.mode >> 2]!;
    return mode & Mode.long ? 8 : mode & Mode.stack32 ? 4 : 2;
  }

  get retiredCount(): number {
    return this.allowance.retired;
  }
  get retired(): bigint {
    return BigInt(this.allowance.retired);
  }

  getReg(register: number, size: number): bigint {
    const value = this.u64[(State.gpr >> 3) + register]!;
    return size === 8 ? value : BigInt.asUintN(size * 8, value);
  }
  setReg(register: number, size: number, value: bigint): void {
    const at = (State.gpr >> 3) + register;
    if (size === 8) this.u64[at] = value;
    else if (size === 4) this.u64[at] = value & 0xffffffffn;
    else if (size === 2) this.view.setUint16(State.gpr + register * 8, Number(value & 0xffffn), true);
    else this.u8[State.gpr + register * 8] = Number(value & 0xffn);
  }

  getFlags(): bigint {
    return BigInt(this.flagsWord());
  }
  setFlags(value: bigint): void {
    this.setFlagsWord(Number(value & 0xffffffffn));
  }
  flagsWord(): number {
    const i32 = this.i32;
    // Kind 0: the flags as they are.
    const arithmetic = i32[State.flagKind >> 2] === 0 ? i32[State.flagA >> 2]! & ARITHMETIC_MASK : Number(this.arithmetic());
    return ((i32[State.flags >> 2]! & ~ARITHMETIC_MASK) | arithmetic | 2) >>> 0;
  }
  setFlagsWord(value: number): void {
    const wanted = value & RFLAGS_DEFINED;
    const old = this.i32[State.flags >> 2]!;
    this.setArithmeticFlags(wanted);
    this.i32[State.flags >> 2] = (wanted & ~ARITHMETIC_MASK) | 2;
    this.i32[(State.flags + 4) >> 2] = 0;
    const changed = old ^ wanted;
    if (changed & (RFLAGS_TF | 0x2_0000)) this.modeChanged();
    if (changed & 0x4_0000 && readCr4(this.view) & Cr4.SMAP) this.access.flush();
  }
  setArithmeticFlags(value: number): void {
    this.i32[State.flagKind >> 2] = 0;
    this.i32[State.flagA >> 2] = value & ARITHMETIC_MASK;
    this.i32[(State.flagA + 4) >> 2] = 0;
  }

  raise(vector: number, errorCode?: number, cr2?: bigint): never {
    if (cr2 !== undefined) this.u64[State.cr2 >> 3] = cr2;
    fault(vector, errorCode);
  }
  unsupported(reason: string): never {
    lacking(reason);
  }

  // Operands of helpers.

  effectiveAddress(insn: DecodedInsn): bigint {
    return operands.effectiveAddress(this, insn);
  }
  linearAddress(insn: DecodedInsn, size: number, access: 'read' | 'write', displacement = 0): bigint {
    return operands.linearAddress(this, insn, size, access, displacement);
  }
  segmentLinear(segment: number, offset: bigint, size: number, access: 'read' | 'write'): bigint {
    return operands.segmentLinear(this, segment, offset, size, access);
  }
  readOperand(insn: DecodedInsn, i: number): bigint {
    return operands.readOperand(this, insn, i);
  }
  writeOperand(insn: DecodedInsn, i: number, value: bigint): void {
    operands.writeOperand(this, insn, i, value);
  }

  // Memory of helpers.

  readVirtual(linear: bigint, size: number): bigint {
    return this.access.read(linear, size, false);
  }
  writeVirtual(linear: bigint, size: number, value: bigint): void {
    this.access.write(linear, size, value, false);
  }
  readSystem(linear: bigint, size: number): bigint {
    return this.access.read(linear, size, true);
  }
  writeSystem(linear: bigint, size: number, value: bigint): void {
    this.access.write(linear, size, value, true);
  }
  probe(linear: bigint, length: number, access: 'read' | 'write'): void {
    this.access.probe(linear, length, access === 'write');
  }
  readBytes(linear: bigint, length: number): Uint8Array {
    return operands.readBytes(this, linear, length);
  }
  writeBytes(linear: bigint, bytes: Uint8Array): void {
    operands.writeBytes(this, linear, bytes);
  }
  readPhysical(physical: number, size: number): bigint {
    return this.access.readPhysicalBytes(physical, size);
  }
  writePhysical(physical: number, size: number, value: bigint): void {
    this.access.writePhysicalBytes(physical, size, value);
  }
  push(size: number, value: bigint): void {
    operands.push(this, size, value);
  }
  pop(size: number): bigint {
    return operands.pop(this, size);
  }

  // The debugger's view.

  getRegister(name: string): bigint | undefined {
    return readRegister(this, name);
  }
  setRegister(name: string, value: bigint): boolean {
    return writeRegister(this, name, value);
  }
  getWideRegister(name: string): Uint8Array | undefined {
    return inspection.getWideRegister(this, name);
  }
  setWideRegister(name: string, bytes: Uint8Array): boolean {
    return inspection.setWideRegister(this, name, bytes);
  }
  translate(linear: bigint, access?: 'read' | 'write' | 'execute'): ReturnType<Cpu['translate']> {
    return inspection.translate(this, linear, access);
  }
  readPointer(linear: number): number | undefined {
    return inspection.readPointer(this, linear);
  }
  readMemory(linear: bigint, length: number): Uint8Array {
    return inspection.readMemory(this, linear, length);
  }
  writeMemory(linear: bigint, bytes: Uint8Array): number {
    return inspection.writeMemory(this, linear, bytes, (physical, size) => this.invalidateCode(physical, size));
  }
}
