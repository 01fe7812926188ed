/** The frame of a region's function: which of the guest's registers lie in locals, what is loaded at the start and stored at the end, and the ways out. */

import { type Insn } from '../decoder';
import { signExtend, zeroExtend } from '../isa/flags';
import { type ShapeOperand, type Size } from '../isa/gen';
import { FSW_PENDING, State } from '../state';
import { Code, type Label, type Late } from '../wasm/code';
import { type ValueType } from '../wasm/opcodes';
import { slack } from './discover';
import { type FloatUse, precisionBits, precisionMask } from './float';
import { Origins } from './origins';
import { type ExitReason, type ExitSite, keyOfInsn, Local, RegionExit, RegionImports, RegionState } from './region-abi';

/** A way out of the region before an instruction, of which it is not told yet whether it is counted. */
export interface LateExit {
  readonly key: number;
  readonly remaining: number;
  readonly status: Late;
}

export class RegionFrame {
  readonly c = new Code(['i32']);
  readonly sites: ExitSite[] = [];
  /** The label at the end of the function, before the epilogue. */
  exit!: Label;
  protected readonly usedRegisters = new Set<number>();
  protected readonly writtenRegisters = new Set<number>();
  protected readonly usedVectors = new Set<number>();
  protected readonly writtenVectors = new Set<number>();
  protected flagsWritten = false;
  protected precisionUsed = false;
  protected readonly temps = new Map<ValueType, { locals: number[]; used: number }>();
  protected insn!: Insn;
  operands: readonly ShapeOperand[] = [];
  protected remaining = 0;
  protected readonly origins = new Origins();

  constructor(protected readonly floats: FloatUse | undefined) {
    const { c } = this;
    for (let i = 0; i < 16; i++) c.local('i64');
    for (let i = 0; i < 16; i++) c.local('v128');
    for (let i = 0; i < 3; i++) c.local('i64');
    for (const type of ['i32', 'i32', 'i32', 'i64', 'i32'] as const) c.local(type);
  }

  /** Leaves before the block at `key` where the budget does not suffice for `longest` instructions; `early`: where it soon will not. */
  checkBudget(key: number, longest: number, early: boolean): void {
    const { c } = this;
    this.leaveWith(RegionExit.budget, key);
    c.get(Local.budget)
      .i32(early ? longest + slack : longest)
      .op('i32.lt_s')
      .brIf(this.exit, 'unlikely');
  }

  /** Charges the budget for a block. */
  charge(count: number): void {
    if (count > 0) this.c.get(Local.budget).i32(count).op('i32.sub').set(Local.budget);
  }

  /** Leaves the region for an address. */
  leaveTo(key: number, status: number): void {
    this.leaveWith(status, key);
    this.c.br(this.exit);
  }

  /** What the next branch to the exit takes along: constants on that edge, so that nothing of it has to be kept up to there. */
  protected leaveWith(status: number, rip = 0): void {
    this.c.i64(rip).set(Local.exitRip).i32(status).set(Local.status);
  }

  /** Leaves by an indirect jump that met none of its known targets. */
  leaveIndirect(target: number): void {
    const { c } = this;
    c.get(target).set(Local.exitRip);
    c.i32(0).i64(keyOfInsn(this.insn)).mem('i64.store', RegionState.indirectSite);
    c.i32(RegionExit.indirect).set(Local.status).br(this.exit);
  }

  /** Leaves before the current instruction, for the interpreter to do it. */
  protected leaveHere(why?: ExitReason): void {
    this.#aboutToLeave(why);
    this.c.br(this.exit);
  }

  bail(): void {
    this.leaveHere();
  }

  /** The same where the i32 that `condition` pushes is not 0. */
  protected leaveIf(condition: () => void, why?: ExitReason): void {
    this.#aboutToLeave(why);
    condition();
    this.c.brIf(this.exit, 'unlikely');
  }

  #aboutToLeave(why: ExitReason | undefined): void {
    if (why === undefined) this.leaveWith(RegionExit.leave + this.remaining, keyOfInsn(this.insn));
    else this.leaveWith(this.#site(why));
  }

  /** Status of an exit before the current instruction that is counted. */
  #site(why: ExitReason): number {
    let status = this.here.get(why);
    if (status === undefined) {
      status = RegionExit.sites + this.sites.length;
      this.here.set(why, status);
      this.sites.push({ key: keyOfInsn(this.insn), remaining: this.remaining, why });
    }
    return status;
  }

  /** Leaves as `leaveIf` does; whether that is counted is told later. */
  protected leaveLate(condition: () => void): LateExit {
    const { c } = this;
    const key = keyOfInsn(this.insn);
    c.i64(key).set(Local.exitRip);
    const status = c.late('i32', 32);
    c.set(Local.status);
    condition();
    c.brIf(this.exit, 'unlikely');
    return { key, remaining: this.remaining, status };
  }

  /** @param why where it is to be counted */
  protected settleExit({ key, remaining, status }: LateExit, why?: ExitReason): void {
    if (why === undefined) return this.c.settle(status, RegionExit.leave + remaining);
    this.c.settle(status, RegionExit.sites + this.sites.length);
    this.sites.push({ key, remaining, why });
  }

  /** Exits before the current instruction. */
  protected readonly here = new Map<ExitReason, number>();

  /** Leaves before the instruction at `key`, of whose block `remaining` instructions were charged and did not run. */
  leaveBefore(key: number, remaining: number): void {
    this.leaveWith(RegionExit.leave + remaining, key);
    this.c.br(this.exit);
  }

  /** Whether MXCSR is sure to mask all exceptions: where the region is entered only with such a one. */
  masksFloats(): boolean {
    this.precisionUsed ||= this.floats !== undefined;
    return this.floats !== undefined;
  }

  /** Pushes i32: not 0 where MXCSR is not as a region that uses numbers wants it. */
  protected otherPrecision(c: Code): void {
    if (this.floats === undefined) c.i32(0);
    else c.i32(0).mem('i32.load', State.mxcsr).i32(precisionMask).op('i32.and').i32(precisionBits[this.floats.precision]).op('i32.ne');
  }

  /** The parts around the body: what to load first, and what to store at the exit. */
  prologue(): Code {
    const p = new Code(['i32']);
    if (this.precisionUsed) {
      this.otherPrecision(p);
      p.if();
      p.i32(RegionExit.precision).op('return');
      p.end();
    }
    for (const register of this.usedRegisters)
      p.i32(0)
        .mem('i64.load', State.gpr + register * 8)
        .set(Local.gpr + register);
    for (const register of this.usedVectors)
      p.i32(0)
        .mem('v128.load', State.xmm + register * 32)
        .set(Local.xmm + register);
    this.loadFlags(p);
    p.i32(0).mem('i32.load', State.budget).set(Local.budget);
    return p;
  }

  /** What follows may be in the same module. */
  epilogue(): void {
    const { c } = this;
    for (const register of this.writtenRegisters)
      c.i32(0)
        .get(Local.gpr + register)
        .mem('i64.store', State.gpr + register * 8);
    for (const register of this.writtenVectors)
      c.i32(0)
        .get(Local.xmm + register)
        .mem('v128.store', State.xmm + register * 32);
    if (this.flagsWritten) this.storeFlags();
    c.i32(0).get(Local.budget).op('i64.extend_i32_s').mem('i64.store', State.budget);
    c.i32(0).get(Local.exitRip).mem('i64.store', State.rip);
    c.get(Local.status).returnCall(RegionImports.onward);
  }

  protected loadFlags(c: Code): void {
    c.i32(0).mem('i64.load', State.flagA).set(Local.flagA);
    c.i32(0).mem('i64.load', State.flagB).set(Local.flagB);
    c.i32(0).mem('i64.load', State.flagC).set(Local.flagC);
    c.i32(0).mem('i32.load', State.flagKind).set(Local.flagKind);
  }

  protected storeFlags(): void {
    const { c } = this;
    c.i32(0).get(Local.flagKind).mem('i32.store', State.flagKind);
    c.i32(0).get(Local.flagA).mem('i64.store', State.flagA);
    c.i32(0).get(Local.flagB).mem('i64.store', State.flagB);
    c.i32(0).get(Local.flagC).mem('i64.store', State.flagC);
  }

  /** Leaves where an x87 exception waits: the interpreter reports it. */
  protected checkPending(): void {
    this.leaveIf(() => this.c.i32(0).mem('i32.load16_u', State.fsw).i32(FSW_PENDING).op('i32.and'));
  }

  /** Once nothing can fault any more; registers are physical, so the order does not matter. */
  protected enterMmx(): void {
    const { c } = this;
    c.i32(0).i32(0).mem('i32.load16_u', State.fsw).i32(0xc7ff).op('i32.and').mem('i32.store16', State.fsw);
    c.i32(0).i32(0).mem('i32.store16', State.ftw);
  }

  /** A local of this instruction; the next instruction uses it again. */
  temp(type: ValueType): number {
    let pool = this.temps.get(type);
    if (pool === undefined) this.temps.set(type, (pool = { locals: [], used: 0 }));
    if (pool.used === pool.locals.length) pool.locals.push(this.c.local(type));
    return pool.locals[pool.used++]!;
  }

  // Registers.

  protected register(register: number): number {
    this.usedRegisters.add(register);
    return Local.gpr + register;
  }

  protected vector(register: number): number {
    this.usedVectors.add(register);
    return Local.xmm + register;
  }

  reg(register: number, size: Size): void {
    this.c.get(this.register(register));
    if (size < 8) zeroExtend(this.c, size);
  }

  setReg(register: number, size: Size, value: () => void): void {
    const { c } = this;
    const local = this.register(register);
    this.writtenRegisters.add(register);
    if (size === 8 || size === 4) {
      value();
      this.origins.forget(register);
      if (size === 4) zeroExtend(c, 4);
      c.set(local);
      return;
    }
    const mask = size === 2 ? 0xffff : 0xff;
    value();
    this.origins.forget(register);
    c.i64(mask)
      .op('i64.and')
      .get(local)
      .i64(-1 - mask)
      .op('i64.and', 'i64.or')
      .set(local);
  }

  /** AH CH DH BH are numbered from 16. */
  protected readRegister(number: number, size: number, signed: boolean): void {
    const { c } = this;
    if (number >= 16) {
      c.get(this.register(number - 16))
        .i64(8)
        .op('i64.shr_u');
      if (signed) signExtend(c, 1);
      else zeroExtend(c, 1);
      return;
    }
    c.get(this.register(number));
    if (size === 8) return;
    if (signed) signExtend(c, size);
    else zeroExtend(c, size);
  }

  protected writeRegister(number: number, size: number, value: () => void): void {
    if (number < 16) return this.setReg(number, size as Size, value);
    const { c } = this;
    const local = this.register(number - 16);
    this.writtenRegisters.add(number - 16);
    value();
    this.origins.forget(number - 16);
    c.i64(0xff)
      .op('i64.and')
      .i64(8)
      .op('i64.shl')
      .get(local)
      .i64(-1 - 0xff00)
      .op('i64.and', 'i64.or')
      .set(local);
  }
}
