/** The JIT's binder of the instruction emitters: operands are constants and locals of one WebAssembly function, memory goes straight to guest RAM or leaves the region. */

import { type Insn, Kind } from '../decoder';
import { Telling } from '../event-log';
import { Exit, namedHelpers, Scratch } from '../interp-abi';
import { emitArithmetic, emitCarry, emitCondition, flagKind, flagKindParts, type FlagSource, signExtend, zeroExtend } from '../isa/flags';
import { type FlagOp, type Gen, type Size } from '../isa/gen';
import { makeShape, registerOffset } from '../shape';
import { Hooked, State } from '../state';
import { type Label, type Late } from '../wasm/code';
import { type MemoryOp } from '../wasm/opcodes';
import { type FloatUse } from './float';
import { isDoneInPlace, mayBeInPlace, recordBits, restoresMxcsr, touchesVectors } from './in-place';
import { type Flow, keyOfInsn, Local, type MemoryUse, type RecordUse, RegionExit, RegionImports, type RegisterUse } from './region-abi';
import { noteHook, noteObserved } from './region-log';
import { loadOf, storeOf } from './region-memory';
import { RegionVectors } from './region-vectors';

export class RegionGen extends RegionVectors implements Gen {
  flow!: Flow;
  #shape!: ReturnType<typeof makeShape>;
  #live = true;
  /** Rule of the flags where it is known at this point, or -1. */
  #kind = -1;

  constructor(
    private readonly mode: number,
    memory: MemoryUse,
    floats: FloatUse | undefined,
    /** Makes the record of an instruction that is done in place; 0 where there cannot be one. */
    private readonly recordOf: (insn: Insn, remaining: number) => number,
    /** From an emission before: an instruction in place needs to know what lies in locals anywhere in the region. */
    private readonly use: RegisterUse | undefined,
  ) {
    super(floats, memory);
  }

  /** Instructions on the longest way from the end of the current block to the next look at the budget. */
  longestAfter = 0;
  /** How somebody is told of where the system call at the block's end comes back to: a `Telling`. */
  returnTold: number = Telling.none;

  /** Starts a block; flags of an unknown rule come in unless `kind` says. */
  beginBlock(kind = -1): void {
    this.#kind = kind;
    this.known.clear();
    this.forgetAddresses();
  }

  /** Rule of the flags at the end of what was emitted. */
  get flagRule(): number {
    return this.#kind;
  }

  /** Emits one instruction. `remaining`: instructions of the block from this one on. `live`: its flags may be seen. */
  run(insn: Insn, remaining: number, live: boolean): void {
    this.insn = insn;
    this.#shape = makeShape(insn, this.mode, live, -1);
    this.operands = this.#shape.operands;
    this.#live = live;
    this.remaining = remaining;
    if (this.here.size > 0) this.here.clear();
    if (this.addresses.size > 0) this.addresses.clear();
    for (const pool of this.temps.values()) pool.used = 0;
    const { definition } = insn.row;
    if (isDoneInPlace(insn, this.mode)) return this.#doInPlace();
    const copied = this.knownAfterCopy();
    const origin = this.origins.after(insn);
    if (definition.unit === 'mmx') this.checkPending();
    definition.emit!(this);
    if (definition.unit === 'mmx') this.enterMmx();
    if (origin !== undefined) this.origins.set(insn.registers[0]!, origin);
    this.finishVectors(copied);
  }

  /** Registers that lie in locals, after an emission that met instructions done in place; undefined where there were none. */
  get inPlaceUse(): RegisterUse | undefined {
    if (!this.#inPlace) return undefined;
    return {
      registers: this.usedRegisters,
      written: this.writtenRegisters,
      vectors: this.usedVectors,
      writtenVectors: this.writtenVectors,
      mxcsr: this.precisionUsed,
    };
  }
  #inPlace = false;
  readonly #records: { readonly late: Late; readonly key: number; readonly remaining: number }[] = [];

  /** Where in the function's body, which is complete, the addresses of the interpreter's records stand. */
  get records(): RecordUse[] {
    return this.#records.map(({ late, key, remaining }) => ({ at: this.c.placeOf(late), key, remaining }));
  }

  /** The interpreter does the current instruction on the state block, and the region goes on with what it left there. */
  #doInPlace(): void {
    const { c, use } = this;
    this.#inPlace = true;
    this.flagsWritten = true;
    // The first emission only finds out what is used.
    const record = use === undefined ? -1 : this.recordOf(this.insn, this.remaining);
    if (record === 0) {
      this.leaveHere();
      return;
    }
    const vectors = touchesVectors(this.insn);
    for (const register of use?.written ?? []) this.#spill('i64.store', Local.gpr + register, State.gpr + register * 8);
    if (vectors) this.#spillVectors();
    this.storeFlags();
    c.i32(0).get(Local.budget).op('i64.extend_i32_s').mem('i64.store', State.budget);
    const late = c.late('i32', recordBits);
    c.settle(late, record);
    this.#records.push({ late, key: keyOfInsn(this.insn), remaining: this.remaining });
    c.call(RegionImports.enter);
    c.i32(0).mem('i32.load', State.exit).i32(Exit.lookup).op('i32.ne');
    c.if(undefined, 'unlikely');
    if (!vectors) this.#spillVectors();
    c.i32(RegionExit.interpreter).op('return');
    c.end();
    for (const register of use?.registers ?? []) this.#reload('i64.load', Local.gpr + register, State.gpr + register * 8);
    if (vectors) for (const register of use?.vectors ?? []) this.#reload('v128.load', Local.xmm + register, State.xmm + register * 32);
    this.loadFlags(c);
    this.#reload('i32.load', Local.budget, State.budget);
    this.#kind = -1;
    this.forgetAddresses();
    if (vectors) this.known.clear();
    // A device may have shortened what may run.
    this.leaveWith(RegionExit.leave + this.remaining - 1, keyOfInsn(this.insn) + this.insn.length);
    c.get(Local.budget).i32(this.longestAfter).op('i32.lt_s');
    if (use?.mxcsr === true && restoresMxcsr(this.insn)) {
      this.otherPrecision(c);
      c.op('i32.or');
    }
    c.brIf(this.exit, 'unlikely');
  }

  /**
   * Tells the observer of the address at which a block begins, of which nothing has been charged yet, with the state block as it is between instructions.
   * Observers change nothing of it; where one changed what is looked at, the loop has to go on.
   */
  observe(key: number, telling: number): void {
    const { c } = this;
    const noted = c.block();
    noteObserved(this, key, telling, noted);
    this.#handOver(key, 0);
    c.call(RegionImports.observe);
    c.if(undefined, 'unlikely');
    c.i32(RegionExit.budget).op('return');
    c.end();
    c.end();
  }

  tell(what: number, when: 'before' | 'after', prepare?: () => void): void {
    const { c } = this;
    c.i32(0).mem('i32.load', State.hooked).i32(what).op('i32.and');
    c.if();
    prepare?.();
    const noted = c.block();
    this.#noteInstead(what, noted);
    this.#handOver(when === 'before' ? keyOfInsn(this.insn) : keyOfInsn(this.insn) + this.insn.length, this.remaining);
    c.i32(what).call(RegionImports.tell);
    c.if(undefined, 'unlikely');
    // As helpers do, it tells while the instruction does not count as retired yet.
    if (when === 'after') c.i32(0).i32(0).mem('i32.load', State.budget).i32(1).op('i32.sub').mem('i32.store', State.budget);
    c.i32(RegionExit.budget).op('return');
    c.end();
    c.end();
    c.end();
  }

  /** Branches to `noted` where the hook may be told later, and what it will want to know has been noted. */
  #noteInstead(what: number, noted: Label): void {
    const { c } = this;
    const later = what === Hooked.syscall ? Hooked.laterSyscall : Hooked.laterFsBase;
    if (what === Hooked.syscall && this.returnTold < Telling.slots) return;
    const otherwise = c.block();
    c.i32(0).mem('i32.load', State.hooked).i32(later).op('i32.and', 'i32.eqz').brIf(otherwise, 'unlikely');
    noteHook(this, what, keyOfInsn(this.insn) + (what === Hooked.syscall ? 0 : this.insn.length), this.remaining, noted);
    c.end();
  }

  /** Makes the state block what it is between instructions, with RIP at `key` and `uncharged` instructions of the block charged that do not count as retired. */
  #handOver(key: number, uncharged: number): void {
    const { c, use } = this;
    this.#inPlace = true;
    for (const register of use?.written ?? []) this.#spill('i64.store', Local.gpr + register, State.gpr + register * 8);
    this.#spillVectors();
    this.storeFlags();
    c.i32(0).get(Local.budget);
    if (uncharged > 0) c.i32(uncharged).op('i32.add');
    c.op('i64.extend_i32_s').mem('i64.store', State.budget);
    c.i32(0).i64(key).mem('i64.store', State.rip);
  }

  #spillVectors(): void {
    for (const register of this.use?.writtenVectors ?? []) this.#spill('v128.store', Local.xmm + register, State.xmm + register * 32);
  }

  storeVectors(): void {
    this.#inPlace = true;
    this.#spillVectors();
  }

  loadVectors(): void {
    const { c, use } = this;
    for (const register of use?.vectors ?? []) this.#reload('v128.load', Local.xmm + register, State.xmm + register * 32);
    this.known.clear();
    if (use?.mxcsr !== true) return;
    this.leaveWith(RegionExit.leave + this.remaining - 1, keyOfInsn(this.insn) + this.insn.length);
    this.otherPrecision(c);
    c.brIf(this.exit, 'unlikely');
  }

  /** What is done in place at all is done so where it is out of the ordinary. */
  override bail(): void {
    if (mayBeInPlace(this.insn)) this.#doInPlace();
    else super.bail();
  }

  #spill(op: MemoryOp, local: number, offset: number): void {
    this.c.i32(0).get(local).mem(op, offset);
  }

  #reload(op: MemoryOp, local: number, offset: number): void {
    this.c.i32(0).mem(op, offset).set(local);
  }

  // What emitters ask.

  get operandSize(): 2 | 4 | 8 {
    return this.insn.operandSize;
  }
  readonly long = true;
  readonly stackSize = 8;
  get cc(): number {
    return this.#shape.cc;
  }
  get rep(): 'none' | 'rep' | 'repne' {
    return this.insn.rep;
  }

  immediate(i: number): bigint | undefined {
    return this.insn.kinds[i] === Kind.imm ? this.#immediateValue() : undefined;
  }

  #immediateValue(): bigint {
    return (BigInt(this.insn.immHigh) << 32n) | BigInt(this.insn.immLow >>> 0);
  }

  #pushImmediate(size: number, signed: boolean): void {
    const { c } = this;
    const { immLow, immHigh } = this.insn;
    if (size < 4) {
      const unused = 32 - size * 8;
      c.i64(signed ? (immLow << unused) >> unused : (immLow << unused) >>> unused);
    } else if (size === 4) c.i64(signed ? immLow | 0 : immLow >>> 0);
    else if (immHigh === immLow >> 31) c.i64(immLow | 0);
    else c.i64(this.#immediateValue());
  }

  // Operands.

  #read(i: number, signed: boolean): void {
    const { c } = this;
    const { size, kind } = this.operands[i]!;
    switch (kind) {
      case 'reg':
        return this.readRegister(this.insn.registers[i]!, size, signed);
      case 'xmm':
        if (size > 8) return this.#refuse();
        c.get(this.vector(this.insn.registers[i]!)).lane('i64x2.extract_lane', 0);
        zeroExtend(c, size);
        if (signed) signExtend(c, size);
        return;
      case 'mmx':
      case 'sreg':
        c.i32(0).mem(loadOf(size, signed), registerOffset(this.insn.kinds[i]!, this.insn.registers[i]!));
        return;
      case 'mem':
        this.load(loadOf(size, signed), size);
        return;
      case 'imm':
        return this.#pushImmediate(size, signed);
      case 'other':
        return this.#refuse();
    }
  }

  #refuse(): never {
    throw new Error(`${this.insn.row.definition.mnemonic}: an operand cannot be read or written`);
  }

  rd(i: number): void {
    this.#read(i, false);
  }

  rdSigned(i: number): void {
    this.#read(i, true);
  }

  wr(i: number, value: () => void): void {
    const { c } = this;
    const { size, kind } = this.operands[i]!;
    switch (kind) {
      case 'reg':
        return this.writeRegister(this.insn.registers[i]!, size, value);
      case 'mem':
        this.store(storeOf(size), size, value);
        return;
      case 'mmx':
      case 'sreg':
        c.i32(0);
        value();
        c.mem(storeOf(size), registerOffset(this.insn.kinds[i]!, this.insn.registers[i]!));
        return;
      default:
        this.#refuse();
    }
  }

  rmw(i: number, next: (old: number) => void): void {
    const { c } = this;
    const { size, kind } = this.operands[i]!;
    const old = this.temp('i64');
    const value = this.temp('i64');
    if (kind === 'mem') {
      const { index, offset } = this.reachOperand('readWrite', size);
      c.get(index).mem(loadOf(size, false), offset).set(old);
      next(old);
      c.set(value);
      c.get(index).get(value).mem(storeOf(size), offset);
      return;
    }
    this.#read(i, false);
    c.set(old);
    next(old);
    c.set(value);
    this.wr(i, () => c.get(value));
  }

  // Flags.

  flagsNeeded(_mask: number): boolean {
    return this.#live;
  }

  flags(op: FlagOp, size: Size, a: number, b?: number, carry?: number): void {
    if (!this.#live) return;
    const { c } = this;
    this.flagsWritten = true;
    c.get(a).set(Local.flagA);
    if (b !== undefined) c.get(b).set(Local.flagB);
    if (carry !== undefined) c.get(carry).set(Local.flagC);
    this.#setKind(flagKind(op, size));
  }

  setArithmetic(value: () => void): void {
    if (!this.#live) return;
    this.flagsWritten = true;
    value();
    this.c.set(Local.flagA);
    this.#setKind(0);
  }

  #setKind(kind: number): void {
    this.c.i32(kind).set(Local.flagKind);
    // Inside an `if` of the instruction the other path keeps another rule.
    this.#kind = this.c.depth === this.baseDepth ? kind : -1;
  }

  #source(): FlagSource | undefined {
    if (this.#kind < 0) return undefined;
    const { op, size } = flagKindParts(this.#kind);
    return { op, size, a: this.#pushA, b: this.#pushB, c: this.#pushC };
  }
  readonly #pushA = (): void => void this.c.get(Local.flagA);
  readonly #pushB = (): void => void this.c.get(Local.flagB);
  readonly #pushC = (): void => void this.c.get(Local.flagC);

  arithmetic(): void {
    const source = this.#source();
    if (source !== undefined) return emitArithmetic(this.c, source);
    this.storeFlags();
    this.flagsWritten = true;
    this.c.call(RegionImports.arithmetic);
  }

  cond(cc: number): void {
    const source = this.#source();
    if (source !== undefined) return emitCondition(this.c, cc, source);
    this.#unknownCondition(cc >> 1);
    if (cc & 1) this.c.op('i32.eqz');
  }

  carry(): void {
    const source = this.#source();
    if (source !== undefined) emitCarry(this.c, source);
    else this.#unknownCondition(1);
    this.c.op('i64.extend_i32_u');
  }

  /** The runtime's function works on the state block. */
  #unknownCondition(pair: number): void {
    this.storeFlags();
    this.flagsWritten = true;
    this.c.call(RegionImports.condition + pair);
  }

  // Stack and control.

  push(size: 2 | 4 | 8, value: number): void {
    const { c } = this;
    const linear = this.temp('i64');
    this.reg(4, 8);
    c.i64(-size).op('i64.add').set(linear);
    const place = this.origins.at(4, -size);
    const { index, offset } = this.reachSeen(place, 'write', size) ?? this.reach(linear, 'write', size, place);
    c.get(index).get(value).mem(storeOf(size), offset);
    this.#moveStack(-size, () => c.get(linear));
  }

  pop(size: 2 | 4 | 8): number {
    const value = this.popPeek(size);
    this.adjustStack(size);
    return value;
  }

  popPeek(size: 2 | 4 | 8): number {
    const { c } = this;
    const value = this.temp('i64');
    const linear = this.temp('i64');
    this.reg(4, 8);
    c.set(linear);
    const place = this.origins.at(4, 0);
    const { index, offset } = this.reachSeen(place, 'read', size) ?? this.reach(linear, 'read', size, place);
    c.get(index).mem(loadOf(size, false), offset).set(value);
    return value;
  }

  adjustStack(delta: number): void {
    this.#moveStack(delta, () => {
      this.reg(4, 8);
      this.c.i64(delta).op('i64.add');
    });
  }

  #moveStack(by: number, value: () => void): void {
    const origin = this.origins.moved(4, by);
    this.setReg(4, 8, value);
    if (origin !== undefined) this.origins.set(4, origin);
  }

  nextRip(): void {
    this.c.i64(keyOfInsn(this.insn) + this.insn.length);
  }

  jumpTo(_i: number): void {
    this.flow.goTo(this.insn.targetHigh * 0x1_0000_0000 + (this.insn.targetLow >>> 0));
  }

  branch(_i: number, condition: () => void): void {
    const next = keyOfInsn(this.insn) + this.insn.length;
    this.flow.branchTo(this.insn.targetHigh * 0x1_0000_0000 + (this.insn.targetLow >>> 0), condition, next);
    this.flow.goTo(next);
  }

  /** The layout goes on to the next block. */
  fallThrough(): void {}

  /** Told by the budget, as in the interpreter: only where the region is left right behind this instruction does the shadow matter. */
  startShadow(): void {
    const { c } = this;
    c.i32(0)
      .get(Local.budget)
      .i32(this.remaining - 1)
      .op('i32.add')
      .mem('i32.store', Scratch.shadowLeft);
  }

  interruptLine(): void {
    this.c.i32(0).mem('i32.load', Scratch.line);
  }

  checkTarget(target: number): void {
    const { c } = this;
    this.leaveIf(() => c.get(target).i64(16).op('i64.shl').i64(16).op('i64.shr_s').get(target).op('i64.ne'));
  }

  jumpInd(target: () => void): void {
    const local = this.temp('i64');
    target();
    this.c.set(local);
    this.flow.indirect(local);
  }

  restart(): void {
    throw new Error("repeated string instructions are the interpreter's");
  }

  /** The interpreter does the instruction again and finds the same fault. */
  raise(_vector: number, _errorCode?: number): void {
    this.leaveHere();
  }

  call(name: string): void {
    const index = namedHelpers.indexOf(name);
    if (index < 0) throw new Error(`no runtime function ${name}`);
    this.c.call(RegionImports.named + index);
  }
}
