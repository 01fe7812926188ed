/** The interpreter's binder of the instruction emitters: operands come from the fields of a predecoded record, registers and flags live in the state block. */

import { Vector } from './context';
import { accessNumber, Exit, Imports, namedHelpers, RIP_CACHE_ENTRIES, Runtime, Scratch, STACK_ACCESS, WHOLE_PAGE } from './interp-abi';
import { type Code } from './wasm/code';
import { type MemoryOp, type ValueType } from './wasm/opcodes';
import { emitCarry, emitCondition, flagKind, flagKindParts, signExtend, zeroExtend, type FlagSource } from './isa/flags';
import { type Access, type FlagOp, type Gen, type ShapeOperand, type Size } from './isa/gen';
import { type Shape, Rec } from './shape';
import { FSW_PENDING, Layout, Mode, Seg, SegField, State } from './state';

interface KnownFlags {
  readonly op: FlagOp | 'explicit';
  readonly size: Size;
  readonly a: number;
  readonly b: number | undefined;
  readonly c: number | undefined;
}

export class InterpGen implements Gen {
  readonly c: Code;
  readonly #handlerType: number | undefined;
  #shape!: Shape;
  #last = true;
  #known: KnownFlags | undefined;
  /** Flag kind left behind: -1 unknown, -2 unchanged. */
  outKind = -2;
  /** The block goes on elsewhere: no fall-through to the next record. */
  #ended = false;
  readonly #linear = new Map<string, number>();
  /** Register-slot number of operand i. */
  #slots: number[] = [];
  #bailed = false;

  /**
   * @param handlerType type index of handlers, in the module with the table; undefined in modules made at run time: importing the table costs each of
   * them time in proportion to its size, so they go through the imported `enter`.
   */
  constructor(c: Code, handlerType: number | undefined) {
    this.c = c;
    this.#handlerType = handlerType;
  }

  get operands(): readonly ShapeOperand[] {
    return this.#shape.operands;
  }
  get operandSize(): 2 | 4 | 8 {
    return this.#shape.operandSize;
  }
  get addressSize(): 2 | 4 | 8 {
    return this.#shape.addressSize;
  }
  get long(): boolean {
    return (this.#shape.mode & Mode.long) !== 0;
  }
  get stackSize(): 2 | 4 | 8 {
    return this.long ? 8 : this.#shape.mode & Mode.stack32 ? 4 : 2;
  }
  get cc(): number {
    return this.#shape.cc;
  }
  get rep(): 'none' | 'rep' | 'repne' {
    return this.#shape.rep;
  }

  /** Emits one instruction; `last` is false for the first of a fused pair. */
  run(shape: Shape, last: boolean): void {
    this.#shape = shape;
    this.#last = last;
    this.#linear.clear();
    this.#slots = [];
    let slot = 0;
    for (const operand of shape.operands)
      this.#slots.push(operand.kind === 'reg' || operand.kind === 'xmm' || operand.kind === 'mmx' || operand.kind === 'sreg' ? slot++ : -1);
    if (!this.#known && shape.flagIn >= 0) this.outKind = -2;
    const definition = shape.row.definition;
    if (definition.emit) {
      if (definition.unit === 'mmx') this.#checkPending();
      definition.emit(this);
      // Once nothing can fault any more; registers are physical, so the order does not matter.
      if (definition.unit === 'mmx' && definition.mnemonic !== 'EMMS') this.#enterMmx();
      if (definition.flags && shape.live && this.outKind === -2 && !this.#known) {
        const f = definition.flags;
        if (((f.writes ?? 0) | (f.undefined ?? 0) | (f.cleared ?? 0) | (f.set ?? 0)) & 0x8d5) this.outKind = -1;
      }
    } else {
      this.bail();
      this.outKind = -1;
    }
    if (this.#bailed) this.outKind = -1;
    if (last && !this.#ended) this.#next();
  }

  /** #MF where an x87 exception waits: MMX instructions report it before anything else (SDM vol. 1, 8.7 and vol. 3A, 13.3). */
  #checkPending(): void {
    this.c.i32(0).mem('i32.load16_u', State.fsw).i32(FSW_PENDING).op('i32.and').if();
    this.raise(Vector.MF);
    this.c.end();
  }

  #enterMmx(): void {
    // Every MMX instruction but EMMS makes TOP 0 and all tags valid (SDM vol. 1, 9.5.1).
    const { c } = this;
    c.i32(0).i32(0).mem('i32.load16_u', State.fsw).i32(0xc7ff).op('i32.and').mem('i32.store16', State.fsw);
    c.i32(0).i32(0).mem('i32.store16', State.ftw);
  }

  /** Goes to the following record. */
  #next(): void {
    this.#dispatch(0);
  }

  /** Goes to the record after the one in a local. */
  #dispatch(record: number): void {
    const { c } = this;
    c.get(record).i32(Rec.size).op('i32.add');
    if (this.#handlerType === undefined) c.returnCall(Runtime.enter);
    else c.get(record).mem('i32.load', Rec.size).returnCallIndirect(this.#handlerType);
  }

  temp(type: ValueType): number {
    return this.c.local(type);
  }

  #slotAddress(i: number): void {
    this.c.get(0).mem('i32.load', Rec.slot + 4 * this.#slots[i]!);
  }

  static #load(size: number, signed: boolean): MemoryOp {
    if (size === 8) return 'i64.load';
    if (size === 4) return signed ? 'i64.load32_s' : 'i64.load32_u';
    if (size === 2) return signed ? 'i64.load16_s' : 'i64.load16_u';
    return signed ? 'i64.load8_s' : 'i64.load8_u';
  }

  static #store(size: number): MemoryOp {
    return size === 8 ? 'i64.store' : size === 4 ? 'i64.store32' : size === 2 ? 'i64.store16' : 'i64.store8';
  }

  #read(i: number, signed: boolean): void {
    const { c } = this;
    const operand = this.operands[i]!;
    const size = operand.size;
    switch (operand.kind) {
      case 'reg':
      case 'xmm':
      case 'mmx':
      case 'sreg':
        this.#slotAddress(i);
        c.mem(InterpGen.#load(size, signed));
        return;
      case 'mem':
        c.get(this.host(i, 'read', size));
        c.mem(InterpGen.#load(size, signed));
        return;
      case 'imm':
        c.get(0).mem(size === 8 || signed ? 'i64.load' : InterpGen.#load(size, false), Rec.imm);
        if (signed) signExtend(c, size);
        return;
      case 'other':
        throw new Error(`${this.#shape.row.definition.mnemonic}: operand ${i} cannot be read`);
    }
  }

  rd(i: number): void {
    this.#read(i, false);
  }

  rdSigned(i: number): void {
    this.#read(i, true);
  }

  wr(i: number, value: () => void): void {
    const { c } = this;
    const operand = this.operands[i]!;
    if (operand.kind === 'mem') {
      const host = this.host(i, 'write', operand.size);
      c.get(host);
      value();
      c.mem(InterpGen.#store(operand.size));
      this.commit(host);
      return;
    }
    this.#slotAddress(i);
    value();
    this.#storeRegister(operand.size, 0);
  }

  /** Stores a general register value at the address below it on the stack. */
  #storeRegister(size: number, offset: number): void {
    if (size === 4) this.c.op('i32.wrap_i64', 'i64.extend_i32_u').mem('i64.store', offset);
    else this.c.mem(InterpGen.#store(size), offset);
  }

  rmw(i: number, next: (old: number) => void): void {
    const { c } = this;
    const operand = this.operands[i]!;
    const old = this.temp('i64');
    if (operand.kind === 'mem') {
      const host = this.host(i, 'readWrite', operand.size);
      c.get(host).mem(InterpGen.#load(operand.size, false)).set(old);
      const value = this.temp('i64');
      next(old);
      c.set(value);
      c.get(host).get(value).mem(InterpGen.#store(operand.size));
      this.commit(host);
      return;
    }
    const address = this.temp('i32');
    this.#slotAddress(i);
    c.tee(address).mem(InterpGen.#load(operand.size, false)).set(old);
    const value = this.temp('i64');
    next(old);
    c.set(value);
    c.get(address).get(value);
    this.#storeRegister(operand.size, 0);
  }

  immediate(_i: number): bigint | undefined {
    return this.#shape.staticImmediate >= 0 ? BigInt(this.#shape.staticImmediate) : undefined;
  }

  reg(register: number, size: Size): void {
    this.c.i32(0).mem(InterpGen.#load(size, false), State.gpr + register * 8);
  }

  setReg(register: number, size: Size, value: () => void): void {
    this.c.i32(0);
    value();
    this.#storeRegister(size, State.gpr + register * 8);
  }

  // Memory.

  /** Pushes base + index + disp, cut to the address size where that is not the whole. */
  #offset(): void {
    const { c } = this;
    c.get(0).mem('i32.load', Rec.base).mem('i64.load');
    if (this.#shape.memory !== 'base') {
      c.get(0).mem('i32.load', Rec.index).mem('i64.load').get(0).mem('i64.load32_u', Rec.scale).op('i64.shl', 'i64.add');
    }
    c.get(0).mem('i64.load', Rec.disp).op('i64.add');
    if (this.#shape.memory !== 'base' && this.#shape.memory !== 'index') zeroExtend(c, this.addressSize);
  }

  ea(_i: number): void {
    this.#offset();
    if (this.#shape.memory === 'base' || this.#shape.memory === 'index') zeroExtend(this.c, this.addressSize);
  }

  /** Local with the linear address of the memory operand at +disp. */
  #linearLocal(disp: number, size: number, access: Access): number {
    const { c } = this;
    const key = this.#shape.memory === 'checked' ? `${disp}/${size}/${access}` : `${disp}`;
    const known = this.#linear.get(key);
    if (known !== undefined) return known;
    const local = this.temp('i64');
    switch (this.#shape.memory) {
      case 'none':
        throw new Error(`${this.#shape.row.definition.mnemonic}: no memory operand`);
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
        if (c.depth === 0) this.#linear.set(key, local);
        return local;
    }
    c.set(local);
    // Only an address computed on every path may be used again.
    if (c.depth === 0) this.#linear.set(key, local);
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
      if (which === 'source' && this.#shape.memory === 'segment')
        c.get(0).mem('i32.load', Rec.segment).mem('i64.load', SegField.base).op('i64.add');
      return;
    }
    const flatSource = this.#shape.memory === 'segment';
    if (which === 'source' ? flatSource : this.#shape.mode & Mode.flat) {
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
    return this.long || ((this.#shape.mode & Mode.flat) !== 0 && this.#shape.memory !== 'checked');
  }

  hostPage(linear: number, access: 'read' | 'write'): number {
    return this.#probeTlb(linear, access, 1, WHOLE_PAGE);
  }

  hostAt(linear: number, access: Access, size: number): number {
    return this.#probeTlb(linear, access, size, 0);
  }

  #probeTlb(linear: number, access: Access, size: number, whole: number): number {
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
      .call(Imports.slow)
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

  // Vectors.

  #align(): number | undefined {
    return this.#shape.row.definition.aligned === false ? undefined : 16;
  }

  vrd(i: number): void {
    const operand = this.operands[i]!;
    if (operand.kind === 'mem') this.c.get(this.host(i, 'read', 16, 0, this.#align())).mem('v128.load');
    else {
      this.#slotAddress(i);
      this.c.mem('v128.load');
    }
  }

  vwr(i: number, value: () => void): void {
    if (this.operands[i]!.kind === 'mem') {
      const host = this.host(i, 'write', 16, 0, this.#align());
      this.c.get(host);
      value();
      this.c.mem('v128.store');
      this.commit(host);
      return;
    }
    this.#slotAddress(i);
    value();
    this.c.mem('v128.store');
  }

  vrdLow(i: number, size: 4 | 8): void {
    if (this.operands[i]!.kind === 'mem') this.c.get(this.host(i, 'read', size));
    else this.#slotAddress(i);
    this.c.mem(size === 4 ? 'v128.load32_zero' : 'v128.load64_zero');
  }

  vwrLow(i: number, size: 4 | 8, value: () => void): void {
    if (this.operands[i]!.kind === 'mem') {
      const host = this.host(i, 'write', size);
      this.c.get(host);
      value();
      this.c.memLane('store', size, 0);
      this.commit(host);
      return;
    }
    this.#slotAddress(i);
    value();
    this.c.memLane('store', size, 0);
  }

  frd(i: number, size: 4 | 8): void {
    if (this.operands[i]!.kind === 'mem') this.c.get(this.host(i, 'read', size));
    else this.#slotAddress(i);
    this.c.mem(size === 4 ? 'f32.load' : 'f64.load');
  }

  fwr(i: number, size: 4 | 8, value: () => void): void {
    if (this.operands[i]!.kind === 'mem') {
      const host = this.host(i, 'write', size);
      this.c.get(host);
      value();
      this.c.mem(size === 4 ? 'f32.store' : 'f64.store');
      this.commit(host);
      return;
    }
    this.#slotAddress(i);
    value();
    this.c.mem(size === 4 ? 'f32.store' : 'f64.store');
  }

  mrd(i: number): void {
    if (this.operands[i]!.kind === 'mem') this.c.get(this.host(i, 'read', 8));
    else this.#slotAddress(i);
    this.c.mem('i64.load');
  }

  mwr(i: number, value: () => void): void {
    if (this.operands[i]!.kind === 'mem') {
      const host = this.host(i, 'write', 8);
      this.c.get(host);
      value();
      this.c.mem('i64.store');
      this.commit(host);
      return;
    }
    // Bits 79:64 become all ones (SDM vol. 1, 9.5.1).
    const address = this.temp('i32');
    this.#slotAddress(i);
    this.c.tee(address);
    value();
    this.c.mem('i64.store');
    this.c.get(address).i32(0xffff).mem('i32.store16', 8);
  }

  xmm(register: number): void {
    this.c.i32(0).mem('v128.load', State.xmm + register * 32);
  }

  setXmm(register: number, value: () => void): void {
    this.c.i32(0);
    value();
    this.c.mem('v128.store', State.xmm + register * 32);
  }

  loadState(op: 'i32.load' | 'i64.load' | 'i32.load8_u' | 'i32.load16_u' | 'v128.load', offset: number): void {
    this.c.i32(0).mem(op, offset);
  }

  storeState(op: 'i32.store' | 'i64.store' | 'i32.store8' | 'i32.store16' | 'v128.store', offset: number, value: () => void): void {
    this.c.i32(0);
    value();
    this.c.mem(op, offset);
  }

  // Flags.

  flagsNeeded(_mask: number): boolean {
    return this.#shape.live;
  }

  flags(op: FlagOp, size: Size, a: number, b?: number, carry?: number): void {
    if (!this.#shape.live) return;
    const { c } = this;
    const kind = flagKind(op, size);
    c.i32(0).i32(kind).mem('i32.store', State.flagKind);
    c.i32(0).get(a).mem('i64.store', State.flagA);
    if (b !== undefined) c.i32(0).get(b).mem('i64.store', State.flagB);
    if (carry !== undefined) c.i32(0).get(carry).mem('i64.store', State.flagC);
    this.#setKnown({ op, size, a, b, c: carry }, kind);
  }

  #setKnown(known: KnownFlags, kind: number): void {
    if (this.c.depth === 0) {
      this.#known = known;
      this.outKind = kind;
    } else {
      this.#known = undefined;
      this.outKind = -1;
    }
  }

  setArithmetic(value: () => void): void {
    if (!this.#shape.live) {
      return;
    }
    const { c } = this;
    const local = this.temp('i64');
    value();
    c.set(local);
    c.i32(0).i32(0).mem('i32.store', State.flagKind);
    c.i32(0).get(local).mem('i64.store', State.flagA);
    this.#setKnown({ op: 'explicit', size: 1, a: local, b: undefined, c: undefined }, 0);
  }

  /** Where the flags come from, if their rule is known here. */
  #source(): FlagSource | undefined {
    const { c } = this;
    const known = this.#known;
    const missing = (): void => {
      c.i64(0);
    };
    if (known) {
      return {
        op: known.op,
        size: known.size,
        a: () => c.get(known.a),
        b: known.b === undefined ? missing : () => c.get(known.b!),
        c: known.c === undefined ? missing : () => c.get(known.c!),
      };
    }
    if (this.#shape.flagIn < 0 || this.outKind !== -2) return undefined;
    return {
      ...flagKindParts(this.#shape.flagIn),
      a: () => c.i32(0).mem('i64.load', State.flagA),
      b: () => c.i32(0).mem('i64.load', State.flagB),
      c: () => c.i32(0).mem('i64.load', State.flagC),
    };
  }

  arithmetic(): void {
    this.c.call(Runtime.arithmetic);
  }

  cond(cc: number): void {
    const source = this.#source();
    if (source) {
      emitCondition(this.c, cc, source);
      return;
    }
    this.c.call(Runtime.condition + (cc >> 1));
    if (cc & 1) this.c.op('i32.eqz');
  }

  carry(): void {
    const source = this.#source();
    if (source) emitCarry(this.c, source);
    else this.c.call(Runtime.condition + 1);
    this.c.op('i64.extend_i32_u');
  }

  // Stack and control.

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
    if (this.#shape.mode & Mode.flat) {
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
    const host = this.#probeTlb(linear, 'write', size, STACK_ACCESS);
    this.c.get(host).get(value).mem(InterpGen.#store(size));
    this.commit(host);
    this.adjustStack(-size);
  }

  pop(size: 2 | 4 | 8): number {
    const value = this.temp('i64');
    const linear = this.#stackLinear(0, size, 'read');
    this.c
      .get(this.#probeTlb(linear, 'read', size, STACK_ACCESS))
      .mem(InterpGen.#load(size, false))
      .set(value);
    this.adjustStack(size);
    return value;
  }

  popPeek(size: 2 | 4 | 8): number {
    const value = this.temp('i64');
    const linear = this.#stackLinear(0, size, 'read');
    this.c
      .get(this.#probeTlb(linear, 'read', size, STACK_ACCESS))
      .mem(InterpGen.#load(size, false))
      .set(value);
    return value;
  }

  nextRip(): void {
    this.c.get(0).mem('i64.load', Rec.next);
  }

  /** Goes to the block in the chain slot, or leaves for the loop to find it. */
  #enter(slot: number, rip: number): void {
    const { c } = this;
    const target = this.temp('i32');
    const budget = this.temp('i64');
    c.i32(0).mem('i64.load', State.budget);
    c.get(0).mem('i32.load', slot).tee(target).mem('i64.load32_u', Rec.remaining);
    c.op('i64.sub').tee(budget).i64(0).op('i64.lt_s');
    c.if();
    c.i32(0).get(0).mem('i64.load', rip).mem('i64.store', State.rip);
    c.i32(0).get(0).i32(slot).op('i32.add').mem('i32.store', State.exitRecord);
    c.i32(0).i32(Exit.lookup).mem('i32.store', State.exit);
    c.op('return');
    c.end();
    c.i32(0).get(budget).mem('i64.store', State.budget);
    this.#count(target);
    this.#dispatch(target);
  }

  /** One run more of the block of a header. */
  #count(header: number): void {
    const { c } = this;
    c.get(header).get(header).mem('i32.load', Rec.runs).i32(1).op('i32.add').mem('i32.store', Rec.runs);
  }

  jumpTo(_i: number): void {
    this.#enter(Rec.chain, Rec.target);
    this.#ended = true;
  }

  branch(_i: number, condition: () => void): void {
    condition();
    this.c.if();
    this.#enter(Rec.chain, Rec.target);
    this.c.end();
    this.#enter(Rec.chainNext, Rec.next);
    this.#ended = true;
  }

  /** The end of a block that a limit cut: goes to the next instruction's block. */
  fallThrough(): void {
    this.#enter(Rec.chainNext, Rec.next);
    this.#ended = true;
  }

  interruptLine(): void {
    this.c.i32(0).mem('i32.load', Scratch.line);
  }

  startShadow(): void {
    const { c } = this;
    c.i32(0)
      .i32(0)
      .mem('i32.load', State.budget)
      .get(0)
      .mem('i32.load', Rec.remaining)
      .op('i32.add')
      .i32(1)
      .op('i32.sub')
      .mem('i32.store', Scratch.shadowLeft);
  }

  checkTarget(target: number): void {
    const { c } = this;
    if (this.long) {
      c.get(target).i64(16).op('i64.shl').i64(16).op('i64.shr_s').get(target).op('i64.ne');
    } else {
      c.get(target);
      this.loadState('i32.load', State.seg + Seg.CS * SegField.size + SegField.limit);
      c.op('i64.extend_i32_u', 'i64.gt_u');
    }
    c.if();
    this.raise(13, 0);
    c.end();
  }

  jumpInd(target: () => void): void {
    const { c } = this;
    const rip = this.temp('i64');
    const entry = this.temp('i32');
    const header = this.temp('i32');
    const budget = this.temp('i64');
    target();
    c.tee(rip).op('i32.wrap_i64').tee(entry).get(entry).i32(15).op('i32.shr_u', 'i32.xor');
    c.i32(RIP_CACHE_ENTRIES - 1)
      .op('i32.and')
      .i32(4)
      .op('i32.shl')
      .tee(entry)
      .mem('i64.load', Layout.ripCache);
    c.get(rip);
    this.loadState('i64.load', Scratch.modeTag);
    c.op('i64.xor', 'i64.eq');
    c.if();
    c.i32(0).mem('i64.load', State.budget);
    c.get(entry)
      .mem('i32.load', Layout.ripCache + 8)
      .tee(header)
      .mem('i64.load32_u', Rec.remaining);
    c.op('i64.sub').tee(budget).i64(0).op('i64.ge_s');
    c.if();
    c.i32(0).get(budget).mem('i64.store', State.budget);
    this.#count(header);
    this.#dispatch(header);
    c.end();
    c.end();
    c.i32(0).get(rip).mem('i64.store', State.rip);
    c.i32(0).i32(0).mem('i32.store', State.exitRecord);
    c.i32(0).i32(Exit.lookup).mem('i32.store', State.exit);
    c.op('return');
    this.#ended = true;
  }

  restart(): void {
    const { c } = this;
    c.i32(0).get(0).mem('i32.store', State.exitRecord);
    c.i32(0).i32(Exit.restart).mem('i32.store', State.exit);
    c.op('return');
  }

  raise(vector: number, errorCode?: number): void {
    this.c
      .get(0)
      .i32(vector)
      .i32(errorCode ?? -1)
      .call(Imports.raise);
    this.c.op('return');
  }

  bail(): void {
    const { c } = this;
    this.#bailed = true;
    this.#known = undefined;
    if (this.#shape.row.definition.endsBlock) {
      c.get(0).call(Imports.helper).op('drop', 'return');
      if (c.depth === 0) this.#ended = true;
      return;
    }
    c.get(0).call(Imports.helper);
    c.if();
    c.op('return');
    c.end();
    if (c.depth > 0) {
      if (!this.#last) throw new Error('bail in the first of a fused pair');
      this.#next();
    }
  }

  call(name: string): void {
    const index = namedHelpers.indexOf(name);
    if (index < 0) throw new Error(`no runtime function ${name}`);
    this.c.call(Runtime.named + index);
  }
}
