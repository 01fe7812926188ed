/** How the interpreter's handlers reach memory and general registers: addresses from the fields of a record, the TLB, the stack. */

import { accessNumber, Imports, Runtime, STACK_ACCESS, WHOLE_PAGE } from './interp-abi';
import { zeroExtend } from './isa/flags';
import { type Access, type ShapeOperand, type Size } from './isa/gen';
import { Rec, type Shape } from './shape';
import { Layout, Mode, Seg, SegField, State } from './state';
import { type Code } from './wasm/code';
import { type MemoryOp, type ValueType } from './wasm/opcodes';

/** Load of so many bytes as an i64. */
export function loadOf(size: number, signed: boolean): MemoryOp {
  if (size === 8) return 'i64.load';
  if (size === 4) return signed ? 'i64.load32_s' : 'i64.load32_u';
  if (size === 2) return signed ? 'i64.load16_s' : 'i64.load16_u';
  return signed ? 'i64.load8_s' : 'i64.load8_u';
}

/** Store of the low bytes of an i64. */
export function storeOf(size: number): MemoryOp {
  return size === 8 ? 'i64.store' : size === 4 ? 'i64.store32' : size === 2 ? 'i64.store16' : 'i64.store8';
}

export class InterpMemory {
  /** Of the instruction that is being emitted. */
  protected shape!: Shape;
  /** Linear addresses of its memory operand that every path has computed, by displacement: their locals. */
  protected readonly addresses = new Map<string, number>();

  constructor(readonly c: Code) {}

  get operands(): readonly ShapeOperand[] {
    return this.shape.operands;
  }
  get operandSize(): 2 | 4 | 8 {
    return this.shape.operandSize;
  }
  get addressSize(): 2 | 4 | 8 {
    return this.shape.addressSize;
  }
  get long(): boolean {
    return (this.shape.mode & Mode.long) !== 0;
  }
  get stackSize(): 2 | 4 | 8 {
    return this.long ? 8 : this.shape.mode & Mode.stack32 ? 4 : 2;
  }
  get cc(): number {
    return this.shape.cc;
  }
  get rep(): 'none' | 'rep' | 'repne' {
    return this.shape.rep;
  }

  temp(type: ValueType): number {
    return this.c.local(type);
  }

  /** Stores a general register value at the address below it on the stack. */
  protected storeRegister(size: number, offset: number): void {
    if (size === 4) this.c.op('i32.wrap_i64', 'i64.extend_i32_u').mem('i64.store', offset);
    else this.c.mem(storeOf(size), offset);
  }

  reg(register: number, size: Size): void {
    this.c.i32(0).mem(loadOf(size, false), State.gpr + register * 8);
  }

  setReg(register: number, size: Size, value: () => void): void {
    this.c.i32(0);
    value();
    this.storeRegister(size, State.gpr + register * 8);
  }

  /** Pushes base + index + disp, cut to the address size where that is not the whole. */
  #offset(): void {
    const { c } = this;
    c.get(0).mem('i32.load', Rec.base).mem('i64.load');
    if (this.shape.memory !== 'base') {
      c.get(0).mem('i32.load', Rec.index).mem('i64.load').get(0).mem('i64.load32_u', Rec.scale).op('i64.shl', 'i64.add');
    }
    c.get(0).mem('i64.load', Rec.disp).op('i64.add');
    if (this.shape.memory !== 'base' && this.shape.memory !== 'index') zeroExtend(c, this.addressSize);
  }

  ea(_i: number): void {
    this.#offset();
    if (this.shape.memory === 'base' || this.shape.memory === 'index') zeroExtend(this.c, this.addressSize);
  }

  /** Local with the linear address of the memory operand at +disp. */
  #linearLocal(disp: number, size: number, access: Access): number {
    const { c } = this;
    const key = this.shape.memory === 'checked' ? `${disp}/${size}/${access}` : `${disp}`;
    const known = this.addresses.get(key);
    if (known !== undefined) return known;
    const local = this.temp('i64');
    switch (this.shape.memory) {
      case 'none':
        throw new Error(`${this.shape.row.definition.mnemonic}: no memory operand`);
      case 'base':
      case 'index':
        this.#offset();
        if (disp) c.i64(disp).op('i64.add');
        break;
      case 'segment':
        this.#offset();
        if (disp) {
          c.i64(disp).op('i64.add');
          zeroExtend(c, this.addressSize);
        }
        c.get(0).mem('i32.load', Rec.segment).mem('i64.load', SegField.base).op('i64.add');
        if (!this.long) zeroExtend(c, 4);
        break;
      case 'checked':
        c.get(0);
        c.get(0).mem('i32.load', Rec.segment).i32(State.seg).op('i32.sub').i32(5).op('i32.shr_u');
        c.i32((size << 8) | (accessNumber[access] << 16)).op('i32.or');
        this.#offset();
        if (disp) {
          c.i64(disp).op('i64.add');
          zeroExtend(c, this.addressSize);
        }
        c.call(Imports.segmented).tee(local).i64(-1).op('i64.eq');
        c.if();
        c.op('return');
        c.end();
        if (c.depth === 0) this.addresses.set(key, local);
        return local;
    }
    c.set(local);
    // Only an address computed on every path may be used again.
    if (c.depth === 0) this.addresses.set(key, local);
    return local;
  }

  linear(_i: number, disp = 0): void {
    this.c.get(this.#linearLocal(disp, 1, 'read'));
  }

  stringAddress(which: 'source' | 'destination', size: number, access: Access): void {
    const { c } = this;
    const register = which === 'source' ? 6 : 7;
    const offset = (): void => this.reg(register, this.addressSize);
    if (this.long) {
      offset();
      if (which === 'source' && this.shape.memory === 'segment')
        c.get(0).mem('i32.load', Rec.segment).mem('i64.load', SegField.base).op('i64.add');
      return;
    }
    const flatSource = this.shape.memory === 'segment';
    if (which === 'source' ? flatSource : this.shape.mode & Mode.flat) {
      offset();
      return;
    }
    const local = this.temp('i64');
    c.get(0);
    if (which === 'source') c.get(0).mem('i32.load', Rec.segment).i32(State.seg).op('i32.sub').i32(5).op('i32.shr_u');
    else c.i32(Seg.ES);
    c.i32((size << 8) | (accessNumber[access] << 16)).op('i32.or');
    offset();
    c.call(Imports.segmented).tee(local).i64(-1).op('i64.eq');
    c.if();
    c.op('return');
    c.end();
    c.get(local);
  }

  host(i: number, access: Access, size: number, disp = 0, align?: number): number {
    const linear = this.#linearLocal(disp, size, access);
    if (align !== undefined) {
      this.c
        .get(linear)
        .op('i32.wrap_i64')
        .i32(align - 1)
        .op('i32.and');
      this.c.if();
      this.raise(13, 0);
      this.c.end();
    }
    void i;
    return this.hostAt(linear, access, size);
  }

  get flatStrings(): boolean {
    return this.long || ((this.shape.mode & Mode.flat) !== 0 && this.shape.memory !== 'checked');
  }

  hostPage(linear: number, access: 'read' | 'write'): number {
    return this.probeTlb(linear, access, 1, WHOLE_PAGE);
  }

  hostAt(linear: number, access: Access, size: number): number {
    return this.probeTlb(linear, access, size, 0);
  }

  protected probeTlb(linear: number, access: Access, size: number, whole: number): number {
    const { c } = this;
    const host = this.temp('i32');
    const tlb = access === 'read' ? Layout.tlbRead : Layout.tlbWrite;
    const entry = this.temp('i32');
    c.get(linear).i64(8).op('i64.shr_u', 'i32.wrap_i64').i32(0xffff0).op('i32.and').tee(entry);
    c.mem('i64.load', tlb);
    c.get(linear);
    if (size > 1) c.i64(size - 1).op('i64.add');
    c.i64(-4096).op('i64.and', 'i64.eq');
    c.if();
    c.get(linear)
      .op('i32.wrap_i64')
      .get(entry)
      .mem('i32.load', tlb + 8)
      .op('i32.add')
      .set(host);
    c.else();
    c.get(linear)
      .i32(size | (accessNumber[access] << 8) | whole)
      .get(0)
      .call(Runtime.reach)
      .tee(host)
      .op('i32.eqz');
    c.if();
    c.op('return');
    c.end();
    c.end();
    return host;
  }

  commit(host: number): void {
    this.c.get(host).i32(Layout.ramBase).op('i32.lt_u');
    this.c.if();
    this.c.get(0).call(Imports.commit);
    this.c.end();
  }

  loadState(op: 'i32.load' | 'i64.load' | 'i32.load8_u' | 'i32.load16_u' | 'v128.load', offset: number): void {
    this.c.i32(0).mem(op, offset);
  }

  storeState(op: 'i32.store' | 'i64.store' | 'i32.store8' | 'i32.store16' | 'v128.store', offset: number, value: () => void): void {
    this.c.i32(0);
    value();
    this.c.mem(op, offset);
  }

  /** Local with the linear address of the stack slot at rSP + delta. */
  #stackLinear(delta: number, size: number, access: Access): number {
    const { c } = this;
    const local = this.temp('i64');
    if (this.long) {
      this.reg(4, 8);
      if (delta) c.i64(delta).op('i64.add');
      c.set(local);
      return local;
    }
    const offset = (): void => {
      this.reg(4, this.stackSize);
      if (delta) {
        c.i64(delta).op('i64.add');
        zeroExtend(c, this.stackSize);
      }
    };
    if (this.shape.mode & Mode.flat) {
      offset();
      c.set(local);
      return local;
    }
    c.get(0).i32(Seg.SS | (size << 8) | (accessNumber[access] << 16));
    offset();
    c.call(Imports.segmented).tee(local).i64(-1).op('i64.eq');
    c.if();
    c.op('return');
    c.end();
    return local;
  }

  adjustStack(delta: number): void {
    this.setReg(4, this.stackSize, () => {
      this.reg(4, this.stackSize);
      this.c.i64(delta).op('i64.add');
    });
  }

  push(size: 2 | 4 | 8, value: number): void {
    const linear = this.#stackLinear(-size, size, 'write');
    const host = this.probeTlb(linear, 'write', size, STACK_ACCESS);
    this.c.get(host).get(value).mem(storeOf(size));
    this.commit(host);
    this.adjustStack(-size);
  }

  pop(size: 2 | 4 | 8): number {
    const value = this.popPeek(size);
    this.adjustStack(size);
    return value;
  }

  popPeek(size: 2 | 4 | 8): number {
    const value = this.temp('i64');
    const linear = this.#stackLinear(0, size, 'read');
    this.c
      .get(this.probeTlb(linear, 'read', size, STACK_ACCESS))
      .mem(loadOf(size, false))
      .set(value);
    return value;
  }

  raise(vector: number, errorCode?: number): void {
    this.c
      .get(0)
      .i32(vector)
      .i32(errorCode ?? -1)
      .call(Imports.raise);
    this.c.op('return');
  }
}
