/** Vector and MMX operands of a region's instructions, and what is known of the numbers in them. */

import { Kind } from '../decoder';
import { type LaneKind } from '../isa/sse-guard';
import { registerOffset } from '../shape';
import { State } from '../state';
import { guardedFloat, precisionBits } from './float';
import { RegionMemory } from './region-memory';

/** Moves of whole registers, and arithmetic whose results are zero or normal where it is done here at all. */
const copies = new Set(['MOVAPS', 'MOVAPD', 'MOVDQA', 'MOVUPS', 'MOVUPD', 'MOVDQU']);
const makesClean = /^(ADD|SUB|MUL|DIV|SQRT)(SS|SD|PS|PD)$/;

export class RegionVectors extends RegionMemory {
  /** Registers of which the lanes are known to be zero or normal: 'ss' just the low single, 'pd' both doubles, ... */
  protected readonly clean = new Map<number, string>();

  /** What will be known of the current instruction's vector destination. */
  protected cleanAfter(): string | undefined {
    const { kinds, registers, row } = this.insn;
    const { mnemonic } = row.definition;
    if (kinds[0] !== Kind.xmm) return undefined;
    if (copies.has(mnemonic) && kinds[1] === Kind.xmm) return this.clean.get(registers[1]!);
    return makesClean.test(mnemonic) ? mnemonic.slice(-2).toLowerCase() : undefined;
  }

  protected noteClean(register: number, lanes: string): void {
    const known = this.clean.get(register);
    // A scalar result leaves the other lanes as they were.
    if (known?.[0] === 'p' && known[1] === lanes[1]) return;
    this.clean.set(register, lanes);
  }

  /** The element type and either all lanes or, for a scalar, the low one. */
  protected isClean(operand: number, lanes: string): boolean {
    if (this.insn.kinds[operand] !== Kind.xmm) return false;
    const known = this.clean.get(this.insn.registers[operand]!);
    return known === lanes || (known?.[0] === 'p' && known[1] === lanes[1]);
  }

  guardedFloat(kind: LaneKind, op: 'add' | 'sub' | 'mul' | 'div', a: number, b: number): number | undefined {
    if (this.precision === undefined) return undefined;
    this.precisionUsed = true;
    const { mnemonic } = this.insn.row.definition;
    const lanes = mnemonic.slice(-2).toLowerCase();
    const plain = makesClean.test(mnemonic);
    const unknown = [a, b].filter((_, operand) => !plain || !this.isClean(operand, lanes));
    const r = guardedFloat(this, this.precision, kind, op, a, b, unknown);
    if (plain && this.insn.kinds[1] === Kind.xmm) this.noteClean(this.insn.registers[1]!, lanes);
    return r;
  }

  #alignment(): number | undefined {
    return this.insn.row.definition.aligned === false ? undefined : 16;
  }

  vrd(i: number): void {
    if (this.operands[i]!.kind === 'mem') this.load('v128.load', 16, this.#alignment());
    else this.c.get(this.vector(this.insn.registers[i]!));
  }

  vwr(i: number, value: () => void): void {
    if (this.operands[i]!.kind !== 'mem') return this.setXmm(this.insn.registers[i]!, value);
    this.store('v128.store', 16, value, this.#alignment());
  }

  vrdLow(i: number, size: 4 | 8): void {
    const { c } = this;
    if (this.operands[i]!.kind === 'mem') {
      this.load(size === 4 ? 'v128.load32_zero' : 'v128.load64_zero', size);
      return;
    }
    c.v128([0n, 0n]).get(this.vector(this.insn.registers[i]!));
    if (size === 4) c.lane('i32x4.extract_lane', 0).lane('i32x4.replace_lane', 0);
    else c.lane('i64x2.extract_lane', 0).lane('i64x2.replace_lane', 0);
  }

  vwrLow(i: number, size: 4 | 8, value: () => void): void {
    const { c } = this;
    if (this.operands[i]!.kind === 'mem') {
      const { index, offset } = this.reachOperand('write', size);
      c.get(index);
      value();
      c.memLane('store', size, 0, offset);
      return;
    }
    const register = this.insn.registers[i]!;
    this.setXmm(register, () => {
      const local = this.temp('v128');
      value();
      c.set(local);
      c.get(this.vector(register)).get(local);
      if (size === 4) c.lane('i32x4.extract_lane', 0).lane('i32x4.replace_lane', 0);
      else c.lane('i64x2.extract_lane', 0).lane('i64x2.replace_lane', 0);
    });
  }

  frd(i: number, size: 4 | 8): void {
    if (this.operands[i]!.kind === 'mem') this.load(size === 4 ? 'f32.load' : 'f64.load', size);
    else this.c.get(this.vector(this.insn.registers[i]!)).lane(size === 4 ? 'f32x4.extract_lane' : 'f64x2.extract_lane', 0);
  }

  fwr(i: number, size: 4 | 8, value: () => void): void {
    const { c } = this;
    if (this.operands[i]!.kind === 'mem') {
      this.store(size === 4 ? 'f32.store' : 'f64.store', size, value);
      return;
    }
    const register = this.insn.registers[i]!;
    this.setXmm(register, () => {
      c.get(this.vector(register));
      value();
      c.lane(size === 4 ? 'f32x4.replace_lane' : 'f64x2.replace_lane', 0);
    });
  }

  mrd(i: number): void {
    if (this.operands[i]!.kind === 'mem') this.load('i64.load', 8);
    else this.c.i32(0).mem('i64.load', registerOffset(Kind.mmx, this.insn.registers[i]!));
  }

  mwr(i: number, value: () => void): void {
    const { c } = this;
    if (this.operands[i]!.kind === 'mem') {
      this.store('i64.store', 8, value);
      return;
    }
    const offset = registerOffset(Kind.mmx, this.insn.registers[i]!);
    c.i32(0);
    value();
    c.mem('i64.store', offset);
    c.i32(0)
      .i32(0xffff)
      .mem('i32.store16', offset + 8);
  }

  xmm(register: number): void {
    this.c.get(this.vector(register));
  }

  setXmm(register: number, value: () => void): void {
    value();
    this.writtenVectors.add(register);
    this.clean.delete(register);
    this.c.set(this.vector(register));
  }

  loadState(op: 'i32.load' | 'i64.load' | 'i32.load8_u' | 'i32.load16_u' | 'v128.load', offset: number): void {
    if (offset === State.mxcsr && this.precision !== undefined && this.insn.row.definition.mnemonic !== 'STMXCSR') {
      // Only the bits that guards look at.
      this.precisionUsed = true;
      this.c.i32(precisionBits[this.precision]);
      return;
    }
    this.c.i32(0).mem(op, offset);
  }

  storeState(op: 'i32.store' | 'i64.store' | 'i32.store8' | 'i32.store16' | 'v128.store', offset: number, value: () => void): void {
    this.c.i32(0);
    value();
    this.c.mem(op, offset);
  }
}
