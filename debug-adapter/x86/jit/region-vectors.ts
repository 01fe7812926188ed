/** Vector and MMX operands of a region's instructions, and what is known of the numbers in them. */

import { Kind } from '../decoder';
import { type Arithmetic } from '../isa/sse-float';
import { type LaneKind } from '../isa/sse-guard';
import { registerOffset } from '../shape';
import { State } from '../state';
import { type FloatGuards, ordinaryFloat, ordinaryOf, ordinaryRoot, precisionBits, type Range, union, unordinaryFloat } from './float';
import { keyOfInsn } from './region-abi';
import { RegionMemory } from './region-memory';

/** Moves of whole registers. */
const copies = new Set(['MOVAPS', 'MOVAPD', 'MOVDQA', 'MOVUPS', 'MOVUPD', 'MOVDQU']);
/** Arithmetic of two operands lane by lane. */
const plainArithmetic = /^(ADD|SUB|MUL|DIV)(SS|SD|PS|PD)$/;

/** What is known of the low lane of a register, or of all of its lanes. */
interface Known {
  readonly element: 4 | 8;
  readonly packed: boolean;
  readonly range: Range;
}

export class RegionVectors extends RegionMemory implements FloatGuards {
  /** Registers whose numbers are known to be ordinary or 0. */
  protected readonly known = new Map<number, Known>();

  /** Moves of whole registers move what is known. */
  protected knownAfterCopy(): Known | undefined {
    const { kinds, registers, row } = this.insn;
    return copies.has(row.definition.mnemonic) && kinds[0] === Kind.xmm && kinds[1] === Kind.xmm
      ? this.known.get(registers[1]!)
      : undefined;
  }

  protected note(register: number, kind: LaneKind, range: Range): void {
    const before = this.known.get(register);
    const packed = kind.type === 'v128';
    // What is new of the low lane does not take away what holds of all lanes.
    if (!packed && before?.packed === true && before.element === kind.element) {
      this.known.set(register, { ...before, range: union(before.range, range) });
    } else this.known.set(register, { element: kind.element, packed, range });
  }

  /** What is known of an operand of an instruction that works on the lanes of one kind. */
  #knownOf(operand: number, kind: LaneKind): Range | undefined {
    if (this.insn.kinds[operand] !== Kind.xmm) return undefined;
    const known = this.known.get(this.insn.registers[operand]!);
    return known?.element === kind.element && (known.packed || kind.type !== 'v128') ? known.range : undefined;
  }

  leaveUnordinary(): void {
    this.leaveHere('unordinary');
  }

  /** What the current instruction's destination will hold, for `finishFloat`. */
  #result: { readonly kind: LaneKind; readonly range: Range } | undefined;

  /** To be called behind an instruction: what it made is known from then on. */
  protected finishVectors(copied: Known | undefined): void {
    const result = this.#result;
    this.#result = undefined;
    if (copied !== undefined) this.known.set(this.insn.registers[0]!, copied);
    else if (result !== undefined) this.note(this.insn.registers[0]!, result.kind, result.range);
  }

  /** Whoever asks relies on it: the region is then entered only where it holds. */
  get inexactIsSilent(): boolean {
    if (this.floats?.precision !== 'sticky') return false;
    this.precisionUsed = true;
    return true;
  }

  guardedFloat(kind: LaneKind, op: Arithmetic, a: number, b: number): number | undefined {
    const { floats } = this;
    if (floats === undefined) return undefined;
    this.precisionUsed = true;
    // Others than these compute with lanes in another order.
    const plain = plainArithmetic.test(this.insn.row.definition.mnemonic);
    if (floats.isUnordinary(keyOfInsn(this.insn))) {
      const { r, range } = unordinaryFloat(this, floats.precision, kind, op, a, b);
      if (plain) this.#result = { kind, range };
      return r;
    }
    const known = plain ? ([this.#knownOf(0, kind), this.#knownOf(1, kind)] as const) : ([undefined, undefined] as const);
    const { r, range, checked } = ordinaryFloat(this, floats.precision, kind, op, [a, b], known);
    if (plain) {
      if (checked[1] && this.insn.kinds[1] === Kind.xmm) this.note(this.insn.registers[1]!, kind, ordinaryOf(kind));
      this.#result = { kind, range };
    }
    return r;
  }

  guardedRoot(kind: LaneKind, operand: number): number | undefined {
    const { floats } = this;
    if (floats === undefined || floats.isUnordinary(keyOfInsn(this.insn))) return undefined;
    this.precisionUsed = true;
    const { r, range } = ordinaryRoot(this, floats.precision, kind, operand);
    this.#result = { kind, range };
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
    this.known.delete(register);
    this.c.set(this.vector(register));
  }

  loadState(op: 'i32.load' | 'i64.load' | 'i32.load8_u' | 'i32.load16_u' | 'v128.load', offset: number): void {
    if (offset === State.mxcsr && this.floats !== undefined && this.insn.row.definition.mnemonic !== 'STMXCSR') {
      // Only the bits that guards look at.
      this.precisionUsed = true;
      this.c.i32(precisionBits[this.floats.precision]);
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
