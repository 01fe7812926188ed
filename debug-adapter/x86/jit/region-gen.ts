/** The JIT's binder of the instruction emitters: operands are constants and locals of one WebAssembly function, memory goes straight to guest RAM or leaves the region. */

import { type Insn, Kind } from '../decoder';
import { Exit, namedHelpers, Scratch } from '../interp-gen';
import { emitArithmetic, emitCarry, emitCondition, flagKind, flagKindParts, type FlagSource, signExtend, zeroExtend } from '../isa/flags';
import { type Access, type FlagOp, type Gen, type ShapeOperand, type Size } from '../isa/gen';
import { makeShape, registerOffset } from '../shape';
import { Layout, Seg, SegField, State } from '../state';
import { type LaneKind } from '../isa/sse-guard';
import { Code, type Label } from '../wasm/code';
import { type MemoryOp, type ValueType } from '../wasm/opcodes';
import { highOf, keyOf, lowOf } from './discover';
import { isDoneInPlace, touchesVectors } from './in-place';
import { guardedFloat, type Precision, precisionBits, precisionMask } from './float';

/** Functions that regions import, in order: 8 conditions, the arithmetic flags, the named helpers, and what runs the interpreter's record. */
export const RegionImports = { condition: 0, arithmetic: 8, named: 9, enter: 9 + namedHelpers.length } as const;

/** What a region function answers. From `sites` on: the exit site of this number. */
export const RegionExit = {
  /** RIP is set: look for the next region. */ next: 0,
  /** RIP is set, and the budget does not suffice for the block there. */ budget: 1,
  /** RIP is set, after an indirect jump of the region. */ indirect: 2,
  /** Nothing ran: MXCSR is not as the region wants it. */ precision: 3,
  /** The interpreter, called for an instruction in place, has to be heard: the state is as it left it. */ interpreter: 4,
  sites: 16,
} as const;

/** Where the interpreter must go on after an exit in the middle of a block. */
export interface ExitSite {
  readonly key: number;
  /** Instructions of the block that did not run. */
  readonly remaining: number;
  /** An access went beyond the window. */
  readonly window: boolean;
}

/** Locals with fixed numbers: parameter 0 is the entry's number. */
const Local = {
  entry: 0,
  gpr: 1,
  xmm: 17,
  flagA: 33,
  flagB: 34,
  flagC: 35,
  flagKind: 36,
  budget: 37,
  status: 38,
  exitRip: 39,
  writeStart: 40,
  writeLength: 41,
  target: 42,
} as const;

const loadOf = (size: number, signed: boolean): MemoryOp =>
  size === 8
    ? 'i64.load'
    : size === 4
      ? signed
        ? 'i64.load32_s'
        : 'i64.load32_u'
      : size === 2
        ? signed
          ? 'i64.load16_s'
          : 'i64.load16_u'
        : signed
          ? 'i64.load8_s'
          : 'i64.load8_u';
const storeOf = (size: number): MemoryOp =>
  size === 8 ? 'i64.store' : size === 4 ? 'i64.store32' : size === 2 ? 'i64.store16' : 'i64.store8';

/** Moves of whole registers, and arithmetic whose results are zero or normal where it is done here at all. */
const copies = new Set(['MOVAPS', 'MOVAPD', 'MOVDQA', 'MOVUPS', 'MOVUPD', 'MOVDQU']);
const makesClean = /^(ADD|SUB|MUL|DIV|SQRT)(SS|SD|PS|PD)$/;

/** A linear mapping of RAM that accesses may use without the TLB. */
export interface WindowMapping {
  /** Host address minus linear address, modulo 2^32. */
  readonly delta: number;
  /**
   * First linear address that may be read, and how many; the same of those that may be written. They are constants of the code, which is dropped where
   * they no longer hold.
   */
  readonly readStart: bigint;
  readonly readLength: bigint;
  readonly writeStart: bigint;
  readonly writeLength: bigint;
  /** The range that may be written does not keep still: regions take it from the state block. */
  readonly writesVary: boolean;
}

/** How a region reaches memory. */
export interface WindowUse extends WindowMapping {
  /** The instruction at this address was seen to go elsewhere. */
  byTlb(key: number): boolean;
}

/** A host address: an i32 local, and what is to be added to it. */
interface Reach {
  readonly index: number;
  readonly offset: number;
}

/** Branches of the current block, given by whoever lays out the region. */
export interface Flow {
  /** Emits the way to a block of the region or out of it. */
  goTo(key: number): void;
  branchTo(key: number, condition: () => void): void;
  indirect(target: number): void;
}

/** What an emission found out that the next one of the same region goes by. */
export interface RegisterUse {
  readonly registers: ReadonlySet<number>;
  readonly written: ReadonlySet<number>;
  readonly vectors: ReadonlySet<number>;
  readonly writtenVectors: ReadonlySet<number>;
}

export class RegionGen implements Gen {
  readonly c = new Code(['i32']);
  readonly sites: ExitSite[] = [];
  /** The label at the end of the function, before the epilogue. */
  exit!: Label;
  flow!: Flow;
  readonly #usedRegisters = new Set<number>();
  readonly #writtenRegisters = new Set<number>();
  readonly #usedVectors = new Set<number>();
  readonly #writtenVectors = new Set<number>();
  #flagsWritten = false;
  #precisionUsed = false;
  readonly inexactIsSilent: boolean;
  /** Registers of which the lanes are known to be zero or normal: 'ss' just the low single, 'pd' both doubles, ... */
  readonly #clean = new Map<number, string>();
  #windowUsed = false;
  readonly #temps = new Map<ValueType, { locals: number[]; used: number }>();
  #insn!: Insn;
  #shape!: ReturnType<typeof makeShape>;
  #operands: readonly ShapeOperand[] = [];
  #live = true;
  #remaining = 0;
  readonly #linear = new Map<number, number>();
  /** Rule of the flags where it is known at this point, or -1. */
  #kind = -1;

  constructor(
    private readonly mode: number,
    private readonly window: WindowUse | undefined,
    private readonly precision: Precision | undefined,
    /** Makes the record of an instruction that is done in place; 0 where there cannot be one. */
    private readonly recordOf: (insn: Insn, remaining: number) => number,
    /** From an emission before: an instruction in place needs to know what lies in locals anywhere in the region. */
    private readonly known: RegisterUse | undefined,
  ) {
    this.inexactIsSilent = precision === 'sticky';
    const { c } = this;
    for (let i = 0; i < 16; i++) c.local('i64');
    for (let i = 0; i < 16; i++) c.local('v128');
    for (let i = 0; i < 3; i++) c.local('i64');
    for (const type of ['i32', 'i32', 'i32', 'i64', 'i64', 'i64', 'i32'] as const) c.local(type);
  }

  /** Instructions on the longest way from the end of the current block to the next look at the budget. */
  longestAfter = 0;

  /** Starts a block; flags of an unknown rule come in unless `kind` says. */
  beginBlock(kind = -1): void {
    this.#kind = kind;
    this.#clean.clear();
  }

  /** Rule of the flags at the end of what was emitted. */
  get flagRule(): number {
    return this.#kind;
  }

  /** Emits one instruction. `remaining`: instructions of the block from this one on. `live`: its flags may be seen. */
  run(insn: Insn, remaining: number, live: boolean): void {
    this.#insn = insn;
    this.#shape = makeShape(insn, this.mode, live, -1);
    this.#operands = this.#shape.operands;
    this.#live = live;
    this.#remaining = remaining;
    this.#here = [undefined, undefined];
    this.#linear.clear();
    for (const pool of this.#temps.values()) pool.used = 0;
    const { definition } = insn.row;
    if (isDoneInPlace(insn, this.mode)) return this.#doInPlace();
    if (definition.unit === 'mmx') this.#enterMmx();
    const moved = copies.has(definition.mnemonic) && insn.kinds[1] === Kind.xmm ? this.#clean.get(insn.registers[1]!) : undefined;
    definition.emit!(this);
    if (insn.kinds[0] !== Kind.xmm) return;
    const lanes = moved ?? (makesClean.test(definition.mnemonic) ? definition.mnemonic.slice(-2).toLowerCase() : undefined);
    if (lanes !== undefined) this.#noteClean(insn.registers[0]!, lanes);
  }

  /** Registers that lie in locals, after an emission that met instructions done in place; undefined where there were none. */
  get inPlaceUse(): RegisterUse | undefined {
    if (!this.#inPlace) return undefined;
    return {
      registers: this.#usedRegisters,
      written: this.#writtenRegisters,
      vectors: this.#usedVectors,
      writtenVectors: this.#writtenVectors,
    };
  }
  #inPlace = false;

  /** The interpreter does the current instruction on the state block, and the region goes on with what it left there. */
  #doInPlace(): void {
    const { c, known } = this;
    this.#inPlace = true;
    this.#flagsWritten = true;
    // The first emission only finds out what is used.
    const record = known === undefined ? -1 : this.recordOf(this.#insn, this.#remaining);
    if (record === 0) {
      this.#leaveHere();
      return;
    }
    const vectors = touchesVectors(this.#insn);
    for (const register of known?.written ?? []) this.#spill('i64.store', Local.gpr + register, State.gpr + register * 8);
    if (vectors) this.#spillVectors();
    this.#storeFlags();
    c.i32(0).get(Local.budget).op('i64.extend_i32_s').mem('i64.store', State.budget);
    c.i32(record).call(RegionImports.enter);
    c.i32(0).mem('i32.load', State.exit).i32(Exit.lookup).op('i32.ne');
    c.if();
    if (!vectors) this.#spillVectors();
    c.i32(RegionExit.interpreter).op('return');
    c.end();
    for (const register of known?.registers ?? []) this.#reload('i64.load', Local.gpr + register, State.gpr + register * 8);
    if (vectors) for (const register of known?.vectors ?? []) this.#reload('v128.load', Local.xmm + register, State.xmm + register * 32);
    this.#loadFlags(c);
    this.#reload('i32.load', Local.budget, State.budget);
    this.#kind = -1;
    if (vectors) this.#clean.clear();
    // A device may have shortened what may run.
    this.#leaveWith(this.#newSite(keyOf(this.#insn.ripLow, this.#insn.ripHigh) + this.#insn.length, this.#remaining - 1, false));
    c.get(Local.budget).i32(this.longestAfter).op('i32.lt_s').brIf(this.exit);
  }

  #spillVectors(): void {
    for (const register of this.known?.writtenVectors ?? []) this.#spill('v128.store', Local.xmm + register, State.xmm + register * 32);
  }

  #spill(op: MemoryOp, local: number, offset: number): void {
    this.c.i32(0).get(local).mem(op, offset);
  }

  #reload(op: MemoryOp, local: number, offset: number): void {
    this.c.i32(0).mem(op, offset).set(local);
  }

  #noteClean(register: number, lanes: string): void {
    const known = this.#clean.get(register);
    // A scalar result leaves the other lanes as they were.
    if (known?.[0] === 'p' && known[1] === lanes[1]) return;
    this.#clean.set(register, lanes);
  }

  /** The element type and either all lanes or, for a scalar, the low one. */
  #isClean(operand: number, lanes: string): boolean {
    if (this.#insn.kinds[operand] !== Kind.xmm) return false;
    const known = this.#clean.get(this.#insn.registers[operand]!);
    return known === lanes || (known?.[0] === 'p' && known[1] === lanes[1]);
  }

  guardedFloat(kind: LaneKind, op: 'add' | 'sub' | 'mul' | 'div', a: number, b: number): number | undefined {
    if (this.precision === undefined) return undefined;
    this.#precisionUsed = true;
    const { mnemonic } = this.#insn.row.definition;
    const lanes = mnemonic.slice(-2).toLowerCase();
    const plain = makesClean.test(mnemonic);
    const unknown = [a, b].filter((_, operand) => !plain || !this.#isClean(operand, lanes));
    const r = guardedFloat(this, this.precision, kind, op, a, b, unknown);
    if (plain && this.#insn.kinds[1] === Kind.xmm) this.#noteClean(this.#insn.registers[1]!, lanes);
    return r;
  }

  /** Leaves before the block at `key` where the budget does not suffice for `longest` instructions. */
  checkBudget(key: number, longest: number): void {
    const { c } = this;
    this.#leaveWith(RegionExit.budget, addressOf(key));
    c.get(Local.budget).i32(longest).op('i32.lt_s').brIf(this.exit);
  }

  /** Charges the budget for a block. */
  charge(count: number): void {
    if (count > 0) this.c.get(Local.budget).i32(count).op('i32.sub').set(Local.budget);
  }

  /** Leaves the region for an address. */
  leaveTo(key: number, status: number): void {
    this.#leaveWith(status, addressOf(key));
    this.c.br(this.exit);
  }

  /** What the next branch to the exit takes along: constants on that edge, so that nothing of it has to be kept up to there. */
  #leaveWith(status: number, rip = 0n): void {
    this.c.i64(rip).set(Local.exitRip).i32(status).set(Local.status);
  }

  /** Leaves by an indirect jump that met none of its known targets. */
  leaveIndirect(target: number): void {
    const { c } = this;
    c.get(target).set(Local.exitRip);
    c.i32(0)
      .i64(addressOf(this.#insn.ripHigh * 0x1_0000_0000 + (this.#insn.ripLow >>> 0)))
      .mem('i64.store', RegionState.indirectSite);
    c.i32(RegionExit.indirect).set(Local.status).br(this.exit);
  }

  /** Leaves before the current instruction, for the interpreter to do it. */
  #leaveHere(): void {
    this.#leaveWith(this.#site(false));
    this.c.br(this.exit);
  }

  /** The same where the i32 that `condition` pushes is not 0. `window`: because an address was outside of the window. */
  #leaveIf(condition: () => void, window = false): void {
    this.#leaveWith(this.#site(window));
    condition();
    this.c.brIf(this.exit);
  }

  /** Status of an exit before the current instruction. */
  #site(window: boolean): number {
    const index = window ? 1 : 0;
    this.#here[index] ??= this.#newSite(keyOf(this.#insn.ripLow, this.#insn.ripHigh), this.#remaining, window);
    return this.#here[index];
  }

  #newSite(key: number, remaining: number, window: boolean): number {
    this.sites.push({ key, remaining, window });
    return RegionExit.sites + this.sites.length - 1;
  }

  /** Exits of the current instruction: ordinary, and by the window. */
  #here: [number | undefined, number | undefined] = [undefined, undefined];

  /** Leaves before the instruction at `key`, of whose block `remaining` instructions were charged and did not run. */
  leaveBefore(key: number, remaining: number): void {
    this.#leaveWith(this.#newSite(key, remaining, false));
    this.c.br(this.exit);
  }

  /** The parts around the body: what to load first, and what to store at the exit. */
  prologue(): Code {
    const p = new Code(['i32']);
    if (this.#precisionUsed) {
      p.i32(0).mem('i32.load', State.mxcsr).i32(precisionMask).op('i32.and').i32(precisionBits[this.precision!]).op('i32.ne');
      p.if();
      p.i32(RegionExit.precision).op('return');
      p.end();
    }
    for (const register of this.#usedRegisters)
      p.i32(0)
        .mem('i64.load', State.gpr + register * 8)
        .set(Local.gpr + register);
    for (const register of this.#usedVectors)
      p.i32(0)
        .mem('v128.load', State.xmm + register * 32)
        .set(Local.xmm + register);
    this.#loadFlags(p);
    p.i32(0).mem('i32.load', State.budget).set(Local.budget);
    if (this.#windowUsed) {
      p.i32(0).mem('i64.load', RegionState.writeStart).set(Local.writeStart);
      p.i32(0).mem('i64.load', RegionState.writeLength).set(Local.writeLength);
    }
    return p;
  }

  epilogue(): void {
    const { c } = this;
    for (const register of this.#writtenRegisters)
      c.i32(0)
        .get(Local.gpr + register)
        .mem('i64.store', State.gpr + register * 8);
    for (const register of this.#writtenVectors)
      c.i32(0)
        .get(Local.xmm + register)
        .mem('v128.store', State.xmm + register * 32);
    if (this.#flagsWritten) this.#storeFlags();
    c.i32(0).get(Local.budget).op('i64.extend_i32_s').mem('i64.store', State.budget);
    c.i32(0).get(Local.exitRip).mem('i64.store', State.rip);
    c.get(Local.status);
  }

  #loadFlags(c: Code): void {
    c.i32(0).mem('i64.load', State.flagA).set(Local.flagA);
    c.i32(0).mem('i64.load', State.flagB).set(Local.flagB);
    c.i32(0).mem('i64.load', State.flagC).set(Local.flagC);
    c.i32(0).mem('i32.load', State.flagKind).set(Local.flagKind);
  }

  #storeFlags(): void {
    const { c } = this;
    c.i32(0).get(Local.flagKind).mem('i32.store', State.flagKind);
    c.i32(0).get(Local.flagA).mem('i64.store', State.flagA);
    c.i32(0).get(Local.flagB).mem('i64.store', State.flagB);
    c.i32(0).get(Local.flagC).mem('i64.store', State.flagC);
  }

  #enterMmx(): void {
    const { c } = this;
    c.i32(0).i32(0).mem('i32.load16_u', State.fsw).i32(0xc7ff).op('i32.and').mem('i32.store16', State.fsw);
    c.i32(0).i32(0).mem('i32.store16', State.ftw);
  }

  // What emitters ask.

  get operands(): readonly ShapeOperand[] {
    return this.#operands;
  }
  get operandSize(): 2 | 4 | 8 {
    return this.#insn.operandSize;
  }
  get addressSize(): 2 | 4 | 8 {
    return this.#insn.addressSize;
  }
  readonly long = true;
  readonly stackSize = 8;
  get cc(): number {
    return this.#shape.cc;
  }
  get rep(): 'none' | 'rep' | 'repne' {
    return this.#insn.rep;
  }

  /** A local of this instruction; the next instruction uses it again. */
  temp(type: ValueType): number {
    let pool = this.#temps.get(type);
    if (pool === undefined) this.#temps.set(type, (pool = { locals: [], used: 0 }));
    if (pool.used === pool.locals.length) pool.locals.push(this.c.local(type));
    return pool.locals[pool.used++]!;
  }

  immediate(i: number): bigint | undefined {
    return this.#insn.kinds[i] === Kind.imm ? this.#immediateValue(i) : undefined;
  }

  #immediateValue(_i: number): bigint {
    return (BigInt(this.#insn.immHigh) << 32n) | BigInt(this.#insn.immLow >>> 0);
  }

  // Registers.

  #register(register: number): number {
    this.#usedRegisters.add(register);
    return Local.gpr + register;
  }

  #vector(register: number): number {
    this.#usedVectors.add(register);
    return Local.xmm + register;
  }

  reg(register: number, size: Size): void {
    this.c.get(this.#register(register));
    if (size < 8) zeroExtend(this.c, size);
  }

  setReg(register: number, size: Size, value: () => void): void {
    const { c } = this;
    const local = this.#register(register);
    this.#writtenRegisters.add(register);
    if (size === 8 || size === 4) {
      value();
      if (size === 4) zeroExtend(c, 4);
      c.set(local);
      return;
    }
    const mask = size === 2 ? 0xffffn : 0xffn;
    value();
    c.i64(mask).op('i64.and').get(local).i64(~mask).op('i64.and', 'i64.or').set(local);
  }

  /** AH CH DH BH are numbered from 16. */
  #readRegister(number: number, size: number, signed: boolean): void {
    const { c } = this;
    if (number >= 16) {
      c.get(this.#register(number - 16))
        .i64(8)
        .op('i64.shr_u');
      if (signed) signExtend(c, 1);
      else zeroExtend(c, 1);
      return;
    }
    c.get(this.#register(number));
    if (size === 8) return;
    if (signed) signExtend(c, size);
    else zeroExtend(c, size);
  }

  #writeRegister(number: number, size: number, value: () => void): void {
    if (number < 16) return this.setReg(number, size as Size, value);
    const { c } = this;
    const local = this.#register(number - 16);
    this.#writtenRegisters.add(number - 16);
    value();
    c.i64(0xff).op('i64.and').i64(8).op('i64.shl').get(local).i64(~0xff00n).op('i64.and', 'i64.or').set(local);
  }

  // Operands.

  #read(i: number, signed: boolean): void {
    const { c } = this;
    const { size, kind } = this.#operands[i]!;
    switch (kind) {
      case 'reg':
        return this.#readRegister(this.#insn.registers[i]!, size, signed);
      case 'xmm':
        if (size > 8) return this.#refuse();
        c.get(this.#vector(this.#insn.registers[i]!)).lane('i64x2.extract_lane', 0);
        zeroExtend(c, size);
        if (signed) signExtend(c, size);
        return;
      case 'mmx':
      case 'sreg':
        c.i32(0).mem(loadOf(size, signed), registerOffset(this.#insn.kinds[i]!, this.#insn.registers[i]!));
        return;
      case 'mem':
        this.#load(loadOf(size, signed), size);
        return;
      case 'imm': {
        const value = this.#immediateValue(i);
        c.i64(signed ? BigInt.asIntN(size * 8, value) : BigInt.asUintN(size * 8, value));
        return;
      }
      case 'other':
        return this.#refuse();
    }
  }

  #refuse(): never {
    throw new Error(`${this.#insn.row.definition.mnemonic}: an operand cannot be read or written`);
  }

  rd(i: number): void {
    this.#read(i, false);
  }

  rdSigned(i: number): void {
    this.#read(i, true);
  }

  wr(i: number, value: () => void): void {
    const { c } = this;
    const { size, kind } = this.#operands[i]!;
    switch (kind) {
      case 'reg':
        return this.#writeRegister(this.#insn.registers[i]!, size, value);
      case 'mem':
        this.#store(storeOf(size), size, value);
        return;
      case 'mmx':
      case 'sreg':
        c.i32(0);
        value();
        c.mem(storeOf(size), registerOffset(this.#insn.kinds[i]!, this.#insn.registers[i]!));
        return;
      default:
        this.#refuse();
    }
  }

  rmw(i: number, next: (old: number) => void): void {
    const { c } = this;
    const { size, kind } = this.#operands[i]!;
    const old = this.temp('i64');
    const value = this.temp('i64');
    if (kind === 'mem') {
      const { index, offset } = this.#reachOperand('readWrite', size);
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

  // Memory.

  #offset(): void {
    const { c } = this;
    const insn = this.#insn;
    const disp = (BigInt(insn.dispHigh) << 32n) | BigInt(insn.dispLow >>> 0);
    let parts = 0;
    if (insn.memBase >= 0) {
      c.get(this.#register(insn.memBase));
      parts++;
    }
    if (insn.memIndex >= 0) {
      c.get(this.#register(insn.memIndex));
      if (insn.memScale > 0) c.i64(insn.memScale).op('i64.shl');
      if (parts++ > 0) c.op('i64.add');
    }
    if (disp !== 0n || parts === 0) {
      c.i64(disp);
      if (parts > 0) c.op('i64.add');
    }
  }

  ea(_i: number): void {
    this.#offset();
    zeroExtend(this.c, this.addressSize);
  }

  #linearLocal(disp: number): number {
    const { c } = this;
    const known = this.#linear.get(disp);
    if (known !== undefined) return known;
    const local = this.temp('i64');
    this.#offset();
    if (disp !== 0) c.i64(disp).op('i64.add');
    if (this.addressSize !== 8) zeroExtend(c, this.addressSize);
    const { segment } = this.#insn;
    if (segment === Seg.FS || segment === Seg.GS)
      c.i32(0)
        .mem('i64.load', State.seg + segment * SegField.size)
        .op('i64.add');
    c.set(local);
    if (c.depth === this.#baseDepth) this.#linear.set(disp, local);
    return local;
  }

  /** Nesting in which the current block stands: addresses computed deeper are not known on every path. */
  #baseDepth = 0;
  set baseDepth(depth: number) {
    this.#baseDepth = depth;
  }

  linear(_i: number, disp = 0): void {
    this.c.get(this.#linearLocal(disp));
  }

  stringAddress(which: 'source' | 'destination', _size: number, _access: Access): void {
    this.reg(which === 'source' ? 6 : 7, this.addressSize);
    const { segment } = this.#insn;
    if (which === 'source' && (segment === Seg.FS || segment === Seg.GS))
      this.c
        .i32(0)
        .mem('i64.load', State.seg + segment * SegField.size)
        .op('i64.add');
  }

  host(_i: number, access: Access, size: number, disp = 0, align?: number): number {
    const linear = this.#linearLocal(disp);
    if (align !== undefined) this.#checkAlignment(linear, align);
    return this.hostAt(linear, access, size);
  }

  #checkAlignment(linear: number, align: number): void {
    this.#leaveIf(() =>
      this.c
        .get(linear)
        .op('i32.wrap_i64')
        .i32(align - 1)
        .op('i32.and'),
    );
  }

  hostAt(linear: number, access: Access, size: number): number {
    const { index, offset } = this.#reach(linear, access, size);
    if (offset === 0) return index;
    const host = this.temp('i32');
    this.c.get(index).i32(offset).op('i32.add').set(host);
    return host;
  }

  /** The host address of the memory operand, as a local and a static offset. */
  #reachOperand(access: Access, size: number, align?: number): Reach {
    const linear = this.#linearLocal(0);
    if (align !== undefined) this.#checkAlignment(linear, align);
    return this.#reach(linear, access, size);
  }

  /** The host address of the linear one in a local, or leaves. */
  #reach(linear: number, access: Access, size: number): Reach {
    const { c, window } = this;
    const index = this.temp('i32');
    const read = access === 'read';
    if (window === undefined || window.byTlb(keyOf(this.#insn.ripLow, this.#insn.ripHigh))) {
      this.#tlbHost(linear, read, size);
      c.set(index);
      return { index, offset: 0 };
    }
    if (!read && window.writesVary) {
      this.#windowUsed = true;
      this.#leaveIf(() => c.get(linear).get(Local.writeStart).op('i64.sub').get(Local.writeLength).op('i64.ge_u'), true);
      c.get(linear).op('i32.wrap_i64').i32(window.delta).op('i32.add').set(index);
      return { index, offset: 0 };
    }
    const start = read ? window.readStart : window.writeStart;
    const length = read ? window.readLength : window.writeLength;
    let distance = linear;
    if (start !== 0n) {
      distance = this.temp('i64');
      c.get(linear).i64(start).op('i64.sub').set(distance);
    }
    this.#leaveIf(() => c.get(distance).i64(length).op('i64.ge_u'), true);
    // An address that is a register as it stands comes straight from there, the sooner for it; others have their distance made in the same step.
    const delta = window.delta >>> 0;
    const straight = this.#isPlain && start + length + BigInt(delta) < 1n << 32n;
    c.get(straight ? linear : distance)
      .op('i32.wrap_i64')
      .set(index);
    return { index, offset: straight ? delta : (Number(BigInt.asUintN(32, start)) + delta) >>> 0 };
  }

  /** The current instruction's memory operand is addressed by one register alone. */
  get #isPlain(): boolean {
    const { hasMemory, memIndex, dispLow, dispHigh, segment } = this.#insn;
    return hasMemory && memIndex < 0 && dispLow === 0 && dispHigh === 0 && segment !== Seg.FS && segment !== Seg.GS;
  }

  /** Pushes what the memory operand holds. */
  #load(op: MemoryOp, size: number, align?: number): void {
    const { index, offset } = this.#reachOperand('read', size, align);
    this.c.get(index).mem(op, offset);
  }

  #store(op: MemoryOp, size: number, value: () => void, align?: number): void {
    const { index, offset } = this.#reachOperand('write', size, align);
    this.c.get(index);
    value();
    this.c.mem(op, offset);
  }

  /** Pushes the host address by the TLB, or leaves. */
  #tlbHost(linear: number, read: boolean, size: number): void {
    const { c } = this;
    const tlb = read ? Layout.tlbRead : Layout.tlbWrite;
    const entry = this.temp('i32');
    this.#leaveIf(() => {
      c.get(linear).i64(8).op('i64.shr_u', 'i32.wrap_i64').i32(0xffff0).op('i32.and').tee(entry).mem('i64.load', tlb);
      c.get(linear);
      if (size > 1) c.i64(size - 1).op('i64.add');
      c.i64(-4096).op('i64.and', 'i64.ne');
    });
    c.get(linear)
      .op('i32.wrap_i64')
      .get(entry)
      .mem('i32.load', tlb + 8)
      .op('i32.add');
  }

  /** Stores here are done at once: what would not be plain RAM has left the region. */
  commit(_host: number): void {
    // Nothing is ever put aside.
  }

  readonly flatStrings = false;

  hostPage(_linear: number, _access: 'read' | 'write'): number {
    throw new Error("repeated string instructions are the interpreter's");
  }

  // Vectors.

  #alignment(): number | undefined {
    return this.#insn.row.definition.aligned === false ? undefined : 16;
  }

  vrd(i: number): void {
    if (this.#operands[i]!.kind === 'mem') this.#load('v128.load', 16, this.#alignment());
    else this.c.get(this.#vector(this.#insn.registers[i]!));
  }

  vwr(i: number, value: () => void): void {
    if (this.#operands[i]!.kind !== 'mem') return this.setXmm(this.#insn.registers[i]!, value);
    this.#store('v128.store', 16, value, this.#alignment());
  }

  vrdLow(i: number, size: 4 | 8): void {
    const { c } = this;
    if (this.#operands[i]!.kind === 'mem') {
      this.#load(size === 4 ? 'v128.load32_zero' : 'v128.load64_zero', size);
      return;
    }
    c.v128([0n, 0n]).get(this.#vector(this.#insn.registers[i]!));
    if (size === 4) c.lane('i32x4.extract_lane', 0).lane('i32x4.replace_lane', 0);
    else c.lane('i64x2.extract_lane', 0).lane('i64x2.replace_lane', 0);
  }

  vwrLow(i: number, size: 4 | 8, value: () => void): void {
    const { c } = this;
    if (this.#operands[i]!.kind === 'mem') {
      const { index, offset } = this.#reachOperand('write', size);
      c.get(index);
      value();
      c.memLane('store', size, 0, offset);
      return;
    }
    const register = this.#insn.registers[i]!;
    this.setXmm(register, () => {
      const local = this.temp('v128');
      value();
      c.set(local);
      c.get(this.#vector(register)).get(local);
      if (size === 4) c.lane('i32x4.extract_lane', 0).lane('i32x4.replace_lane', 0);
      else c.lane('i64x2.extract_lane', 0).lane('i64x2.replace_lane', 0);
    });
  }

  frd(i: number, size: 4 | 8): void {
    if (this.#operands[i]!.kind === 'mem') this.#load(size === 4 ? 'f32.load' : 'f64.load', size);
    else this.c.get(this.#vector(this.#insn.registers[i]!)).lane(size === 4 ? 'f32x4.extract_lane' : 'f64x2.extract_lane', 0);
  }

  fwr(i: number, size: 4 | 8, value: () => void): void {
    const { c } = this;
    if (this.#operands[i]!.kind === 'mem') {
      this.#store(size === 4 ? 'f32.store' : 'f64.store', size, value);
      return;
    }
    const register = this.#insn.registers[i]!;
    this.setXmm(register, () => {
      c.get(this.#vector(register));
      value();
      c.lane(size === 4 ? 'f32x4.replace_lane' : 'f64x2.replace_lane', 0);
    });
  }

  mrd(i: number): void {
    if (this.#operands[i]!.kind === 'mem') this.#load('i64.load', 8);
    else this.c.i32(0).mem('i64.load', registerOffset(Kind.mmx, this.#insn.registers[i]!));
  }

  mwr(i: number, value: () => void): void {
    const { c } = this;
    if (this.#operands[i]!.kind === 'mem') {
      this.#store('i64.store', 8, value);
      return;
    }
    const offset = registerOffset(Kind.mmx, this.#insn.registers[i]!);
    c.i32(0);
    value();
    c.mem('i64.store', offset);
    c.i32(0)
      .i32(0xffff)
      .mem('i32.store16', offset + 8);
  }

  xmm(register: number): void {
    this.c.get(this.#vector(register));
  }

  setXmm(register: number, value: () => void): void {
    value();
    this.#writtenVectors.add(register);
    this.#clean.delete(register);
    this.c.set(this.#vector(register));
  }

  loadState(op: 'i32.load' | 'i64.load' | 'i32.load8_u' | 'i32.load16_u' | 'v128.load', offset: number): void {
    if (offset === State.mxcsr && this.precision !== undefined && this.#insn.row.definition.mnemonic !== 'STMXCSR') {
      // Only the bits that guards look at.
      this.#precisionUsed = true;
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

  // Flags.

  flagsNeeded(_mask: number): boolean {
    return this.#live;
  }

  flags(op: FlagOp, size: Size, a: number, b?: number, carry?: number): void {
    if (!this.#live) return;
    const { c } = this;
    this.#flagsWritten = true;
    c.get(a).set(Local.flagA);
    if (b !== undefined) c.get(b).set(Local.flagB);
    if (carry !== undefined) c.get(carry).set(Local.flagC);
    this.#setKind(flagKind(op, size));
  }

  setArithmetic(value: () => void): void {
    if (!this.#live) return;
    this.#flagsWritten = true;
    value();
    this.c.set(Local.flagA);
    this.#setKind(0);
  }

  #setKind(kind: number): void {
    this.c.i32(kind).set(Local.flagKind);
    // Inside an `if` of the instruction the other path keeps another rule.
    this.#kind = this.c.depth === this.#baseDepth ? kind : -1;
  }

  #source(): FlagSource | undefined {
    const { c } = this;
    if (this.#kind < 0) return undefined;
    return { ...flagKindParts(this.#kind), a: () => c.get(Local.flagA), b: () => c.get(Local.flagB), c: () => c.get(Local.flagC) };
  }

  arithmetic(): void {
    const source = this.#source();
    if (source !== undefined) return emitArithmetic(this.c, source);
    this.#storeFlags();
    this.#flagsWritten = true;
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
    this.#storeFlags();
    this.#flagsWritten = true;
    this.c.call(RegionImports.condition + pair);
  }

  // Stack and control.

  push(size: 2 | 4 | 8, value: number): void {
    const { c } = this;
    const linear = this.temp('i64');
    this.reg(4, 8);
    c.i64(-size).op('i64.add').set(linear);
    const { index, offset } = this.#reach(linear, 'write', size);
    c.get(index).get(value).mem(storeOf(size), offset);
    this.setReg(4, 8, () => c.get(linear));
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
    const { index, offset } = this.#reach(linear, 'read', size);
    c.get(index).mem(loadOf(size, false), offset).set(value);
    return value;
  }

  adjustStack(delta: number): void {
    this.setReg(4, 8, () => {
      this.reg(4, 8);
      this.c.i64(delta).op('i64.add');
    });
  }

  nextRip(): void {
    this.c.i64(addressOf(this.#insn.ripHigh * 0x1_0000_0000 + (this.#insn.ripLow >>> 0)) + BigInt(this.#insn.length));
  }

  jumpTo(_i: number): void {
    this.flow.goTo(this.#insn.targetHigh * 0x1_0000_0000 + (this.#insn.targetLow >>> 0));
  }

  branch(_i: number, condition: () => void): void {
    const next = this.#insn.ripHigh * 0x1_0000_0000 + (this.#insn.ripLow >>> 0) + this.#insn.length;
    this.flow.branchTo(this.#insn.targetHigh * 0x1_0000_0000 + (this.#insn.targetLow >>> 0), condition);
    this.flow.goTo(next);
  }

  /** The layout goes on to the next block. */
  fallThrough(): void {}

  /** Told by the budget, as in the interpreter: only where the region is left right behind this instruction does the shadow matter. */
  startShadow(): void {
    const { c } = this;
    c.i32(0)
      .get(Local.budget)
      .i32(this.#remaining - 1)
      .op('i32.add')
      .mem('i32.store', Scratch.shadowLeft);
  }

  interruptLine(): void {
    this.c.i32(0).mem('i32.load', Scratch.line);
  }

  checkTarget(target: number): void {
    const { c } = this;
    this.#leaveIf(() => c.get(target).i64(16).op('i64.shl').i64(16).op('i64.shr_s').get(target).op('i64.ne'));
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
    this.#leaveHere();
  }

  bail(): void {
    this.#leaveHere();
  }

  call(name: string): void {
    const index = namedHelpers.indexOf(name);
    if (index < 0) throw new Error(`no runtime function ${name}`);
    this.c.call(RegionImports.named + index);
  }
}

/** Fields above the interpreter's in the state block. */
export const RegionState = {
  /** u64 each: first linear address and length of the ranges that accesses may use directly; the length is short of the end by the longest access. */
  readStart: Scratch.modeTag + 0x40,
  readLength: Scratch.modeTag + 0x48,
  writeStart: Scratch.modeTag + 0x50,
  writeLength: Scratch.modeTag + 0x58,
  /** u64: address of the indirect jump that left its region. */
  indirectSite: Scratch.modeTag + 0x60,
} as const;

export const RegionLocal = Local;

const addressOf = (key: number): bigint => (BigInt(highOf(key)) << 32n) | BigInt(lowOf(key) >>> 0);
