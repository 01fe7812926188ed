/** Every x87 instruction, from its opcode byte D8..DF and ModRM, on the state block's register stack (SDM vol. 1, chapter 8; vol. 2). */

import { State } from '../state';
import { add, compare, divide, multiply, Order, squareRoot } from './arithmetic';
import { loadConstant } from './constants';
import { fromDecimal, fromInt32, fromInt64, readDouble, readSingle, type Stored, toDecimal, toDouble, toInteger, toIntegerTruncated, toSingle } from './convert';
import { loadEnvironment, restoreState, saveState, storeEnvironment } from './environment';
import { Class, classify, Environment, Float80, Fx, setDefaultNaN } from './float80';
import { extract, remainder, type RemainderResult, roundInteger, scale } from './remainder';
import { Fsw, stackFault, X87State } from './state';
import { arcTangent, cosine, exponentialMinus1, logarithm, logarithmPlus1, sine, sineAndCosine, tangent } from './transcendental';

/** What the unit asks of the processor around it. Loads and stores may throw the guest's fault; nothing of the unit's state is changed before. */
export interface X87Port {
  /** 128 bytes between memory and the unit. */
  readonly operand: DataView;
  /** Reads `size` bytes at the instruction's effective address plus `offset` into the start of `operand`, or to `offset` of it. */
  load(size: number): void;
  /** Writes the first `size` bytes of `operand` to the effective address. */
  store(size: number): void;
  /** RFLAGS bits CF (0), PF (2) and ZF (6). */
  arithmeticFlags(): number;
  /** Sets ZF, PF and CF from the same bits and clears OF, SF and AF (FCOMI family). */
  setCompareFlags(bits: number): void;
  setAx(value: number): void;
  /** 16-bit operand size: the short form of environments. */
  readonly operand16: boolean;
  /** Real-address or virtual-8086 mode: environments hold linear addresses instead of selectors. */
  readonly realFormat: boolean;
  /** Linear offset of the instruction, and the effective address of its operand when it has one. */
  readonly instructionPointer: bigint;
  readonly dataPointer: bigint;
}

/** What became of an instruction: done; no such encoding (#UD); or not executed because an earlier exception waits (#MF). */
export type X87Outcome = 'done' | 'undefined' | 'pending';

/** RFLAGS bits as FCMOVcc and FCOMI use them. */
const CF = 1;
const PF = 4;
const ZF = 0x40;

/** The non-waiting instructions, which ignore pending exceptions (SDM vol. 1, 8.3.11). */
function isNonWaiting(opcode: number, modrm: number): boolean {
  const reg = (modrm >>> 3) & 7;
  switch (opcode) {
    case 0xd9:
      return modrm < 0xc0 && reg >= 6;
    case 0xdb:
      return modrm >= 0xe0 && modrm <= 0xe4;
    case 0xdd:
      return modrm < 0xc0 && reg >= 6;
    case 0xdf:
      return modrm === 0xe0;
    default:
      return false;
  }
}

/** The unit; one for each processor, because its scratch values are its own. */
export class X87Unit {
  readonly state: X87State;
  private readonly env = new Environment();
  private readonly a = new Float80();
  private readonly b = new Float80();
  private readonly r = new Float80();
  private readonly second = new Float80();
  private readonly stored: Stored = { high: 0, low: 0, ok: true };
  private readonly rem: RemainderResult = { quotient: 0, incomplete: false };
  /** Set by control instructions, which leave FIP, FDP and FOP as they are. */
  private control = false;

  constructor(private readonly view: DataView) {
    this.state = new X87State(view);
  }

  /** Runs one instruction. `opcode` is the byte D8..DF; the effective address, if any, is the port's business. */
  execute(opcode: number, modrm: number, port: X87Port): X87Outcome {
    if (this.state.pending && !isNonWaiting(opcode, modrm)) return 'pending';
    const { env } = this;
    env.begin(this.state.controlWord);
    this.control = false;
    const memory = modrm < 0xc0;
    const known = memory ? this.executeMemory(opcode, (modrm >>> 3) & 7, port) : this.executeRegister(opcode, modrm, port);
    if (!known) return 'undefined';
    if (!this.control) {
      // FDP and FOP are kept for unmasked exceptions only, and selectors not at all (CPUID.7.0:EBX bits 6 and 13).
      this.view.setBigUint64(State.fip, port.instructionPointer, true);
      this.view.setUint16(State.fcs, 0, true);
      if ((env.flags & ~env.masks & 0x3f) !== 0) {
        this.view.setUint16(State.fop, ((opcode & 7) << 8) | modrm, true);
        if (memory) this.view.setBigUint64(State.fdp, port.dataPointer, true);
        this.view.setUint16(State.fds, 0, true);
      }
    }
    return 'done';
  }

  /** WAIT/FWAIT: whether an exception waits. */
  get pending(): boolean {
    return this.state.pending;
  }

  private executeMemory(opcode: number, reg: number, port: X87Port): boolean {
    const { state, env, a, b, operand } = { state: this.state, env: this.env, a: this.a, b: this.b, operand: port.operand };
    switch (opcode) {
      case 0xd8:
        port.load(4);
        this.arithmeticWithMemory(reg, readSingle(b, operand.getUint32(0, true)));
        return true;
      case 0xdc:
        port.load(8);
        this.arithmeticWithMemory(reg, readDouble(b, operand.getUint32(4, true), operand.getUint32(0, true)));
        return true;
      case 0xda:
        port.load(4);
        fromInt32(b, operand.getInt32(0, true));
        this.arithmeticWithMemory(reg, false);
        return true;
      case 0xde:
        port.load(2);
        fromInt32(b, operand.getInt16(0, true));
        this.arithmeticWithMemory(reg, false);
        return true;
      case 0xd9:
        switch (reg) {
          case 0:
            port.load(4);
            this.loadReal(readSingle(a, operand.getUint32(0, true)));
            return true;
          case 1:
            return false;
          case 2:
          case 3:
            this.store(port, 4, reg === 3, () => {
              toSingle(env, this.stored, a);
              operand.setUint32(0, this.stored.low, true);
              return this.stored.ok;
            });
            return true;
          case 4:
            this.control = true;
            loadEnvironment(this.view, state, port);
            return true;
          case 5:
            this.control = true;
            port.load(2);
            state.controlWord = operand.getUint16(0, true);
            return true;
          case 6:
            this.control = true;
            storeEnvironment(this.view, state, port);
            state.controlWord |= 0x3f;
            return true;
          default:
            this.control = true;
            operand.setUint16(0, state.controlWord, true);
            port.store(2);
            return true;
        }
      case 0xdb:
        switch (reg) {
          case 0:
            port.load(4);
            fromInt32(a, operand.getInt32(0, true));
            this.load();
            return true;
          case 1:
          case 2:
          case 3:
            this.storeInteger(port, 4, reg !== 2, reg === 1);
            return true;
          case 5: {
            port.load(10);
            const se = operand.getUint16(8, true);
            a.set(se >>> 15, se & 0x7fff, operand.getUint32(4, true), operand.getUint32(0, true));
            this.load();
            return true;
          }
          case 7:
            this.store(port, 10, true, () => {
              this.putExtended(operand, a);
              return true;
            });
            return true;
          default:
            return false;
        }
      case 0xdd:
        switch (reg) {
          case 0:
            port.load(8);
            this.loadReal(readDouble(a, operand.getUint32(4, true), operand.getUint32(0, true)));
            return true;
          case 1:
            this.storeInteger(port, 8, true, true);
            return true;
          case 2:
          case 3:
            this.store(port, 8, reg === 3, () => {
              toDouble(env, this.stored, a);
              operand.setUint32(0, this.stored.low, true);
              operand.setUint32(4, this.stored.high, true);
              return this.stored.ok;
            });
            return true;
          case 4:
            this.control = true;
            restoreState(this.view, state, port);
            return true;
          case 6:
            this.control = true;
            saveState(this.view, state, port);
            state.initialize();
            return true;
          case 7:
            this.control = true;
            operand.setUint16(0, state.statusWord, true);
            port.store(2);
            return true;
          default:
            return false;
        }
      default:
        switch (reg) {
          case 0:
            port.load(2);
            fromInt32(a, operand.getInt16(0, true));
            this.load();
            return true;
          case 1:
          case 2:
          case 3:
            this.storeInteger(port, 2, reg !== 2, reg === 1);
            return true;
          case 4:
            port.load(10);
            fromDecimal(a, new Uint8Array(operand.buffer, operand.byteOffset, 10));
            this.load();
            return true;
          case 5:
            port.load(8);
            fromInt64(a, operand.getUint32(4, true), operand.getUint32(0, true));
            this.load();
            return true;
          case 6: {
            const bytes = new Uint8Array(operand.buffer, operand.byteOffset, 10);
            this.store(port, 10, true, () => toDecimal(env, bytes, a));
            return true;
          }
          default:
            this.storeInteger(port, 8, true, false);
            return true;
        }
    }
  }

  private executeRegister(opcode: number, modrm: number, port: X87Port): boolean {
    const { state, env } = this;
    const i = modrm & 7;
    const reg = (modrm >>> 3) & 7;
    switch (opcode) {
      case 0xd8:
        this.arithmeticWithRegister(reg, 0, i, 0);
        return true;
      case 0xd9:
        return this.executeD9(modrm, i);
      case 0xda:
        if (modrm === 0xe9) {
          this.compareRegister(1, true, 2);
          return true;
        }
        if (reg >= 4) return false;
        this.conditionalMove(reg, i, false, port);
        return true;
      case 0xdb:
        if (reg < 4) {
          this.conditionalMove(reg, i, true, port);
          return true;
        }
        switch (modrm) {
          case 0xe0:
          case 0xe1:
          case 0xe4:
            // FENI, FDISI and FSETPM of the 8087 and 287: accepted, without effect.
            this.control = true;
            return true;
          case 0xe2:
            this.control = true;
            state.statusWord &= ~0x80ff;
            return true;
          case 0xe3:
            this.control = true;
            state.initialize();
            return true;
        }
        if (reg === 5 || reg === 6) {
          this.compareToFlags(i, reg === 5, false, port);
          return true;
        }
        return false;
      case 0xdc:
        // The second forms of FCOM and FCOMP at D0 and D8.
        this.arithmeticWithRegister(reg, i, i, 0);
        return true;
      case 0xdd:
        switch (reg) {
          case 0:
            state.setTag(i, true);
            state.setC1(false);
            return true;
          case 1:
            this.exchange(i);
            return true;
          case 2:
          case 3:
            this.storeRegister(i, reg === 3);
            return true;
          case 4:
          case 5:
            this.compareRegister(i, true, reg - 4);
            return true;
          default:
            return false;
        }
      case 0xde:
        if (reg === 2) {
          this.compareRegister(i, false, 1);
          return true;
        }
        if (reg === 3) {
          if (modrm !== 0xd9) return false;
          this.compareRegister(1, false, 2);
          return true;
        }
        this.arithmeticWithRegister(reg, i, i, 1);
        return true;
      default:
        switch (reg) {
          case 0:
            // FFREEP: not in the manual, in every processor.
            state.setTag(i, true);
            state.pop();
            state.setC1(false);
            return true;
          case 1:
            this.exchange(i);
            return true;
          case 2:
          case 3:
            this.storeRegister(i, true);
            return true;
          case 4:
            if (modrm !== 0xe0) return false;
            this.control = true;
            port.setAx(state.statusWord);
            return true;
          case 5:
          case 6:
            this.compareToFlags(i, reg === 5, true, port);
            return true;
          default:
            void env;
            return false;
        }
    }
  }

  private executeD9(modrm: number, i: number): boolean {
    const { state, env, a, b, r, second } = this;
    switch (modrm >>> 3) {
      case 0x18:
        if (state.isEmpty(i)) {
          stackFault(env, false);
          if (this.abandon()) return true;
          setDefaultNaN(a);
          state.push(a);
          return true;
        }
        state.read(a, i);
        this.load();
        return true;
      case 0x19:
        this.exchange(i);
        return true;
      case 0x1a:
        if (modrm !== 0xd0) return false;
        this.control = true;
        return true;
      case 0x1b:
        // FSTPNCE, not in the manual: FSTP that does not look whether ST(0) is empty.
        state.read(a, 0);
        this.state.commit(env);
        state.write(i, a);
        state.pop();
        return true;
      case 0x1d:
        if (modrm === 0xef) return false;
        loadConstant(a, modrm & 7, env.rounding);
        this.load();
        return true;
    }
    switch (modrm) {
      case 0xe0:
      case 0xe1:
        this.unary(() => {
          r.copy(a);
          r.sign = modrm === 0xe0 ? a.sign ^ 1 : 0;
        });
        return true;
      case 0xe4:
        this.test();
        return true;
      case 0xe5:
        this.examine();
        return true;
      case 0xf0:
        this.unary(() => exponentialMinus1(env, r, a));
        return true;
      case 0xf1:
        this.binaryPop(() => logarithm(env, r, a, b));
        return true;
      case 0xf2:
        this.pushing(
          () => tangent(env, r, a),
          () => second.set(0, 0x3fff, 0x8000_0000, 0),
          true,
        );
        return true;
      case 0xf3:
        this.binaryPop(() => arcTangent(env, r, a, b));
        return true;
      case 0xf4:
        this.pushing(
          () => {
            // The exponent stays in ST(1), the significand goes on top.
            extract(env, r, second, a);
            return true;
          },
          () => undefined,
          false,
        );
        return true;
      case 0xf5:
      case 0xf8:
        this.partialRemainder(modrm === 0xf5);
        return true;
      case 0xf6:
        state.top = state.top - 1;
        state.setC1(false);
        return true;
      case 0xf7:
        state.top = state.top + 1;
        state.setC1(false);
        return true;
      case 0xf9:
        this.binaryPop(() => logarithmPlus1(env, r, a, b));
        return true;
      case 0xfa:
        this.unary(() => squareRoot(env, r, a));
        return true;
      case 0xfb:
        this.pushing(
          () => sineAndCosine(env, r, second, a),
          () => undefined,
          true,
        );
        return true;
      case 0xfc:
        this.unary(() => roundInteger(env, r, a));
        return true;
      case 0xfd:
        if (this.underflow(0, 1)) return true;
        state.read(a, 0);
        state.read(b, 1);
        scale(env, r, a, b);
        if (!this.abandon()) state.write(0, r);
        return true;
      case 0xfe:
        this.trigonometric(() => sine(env, r, a));
        return true;
      case 0xff:
        this.trigonometric(() => cosine(env, r, a));
        return true;
      default:
        return false;
    }
  }

  /** Commits the exceptions raised so far; true when the instruction must leave its destination alone. */
  private abandon(): boolean {
    this.state.commit(this.env);
    return this.env.faulted;
  }

  /** Reports stack underflow when ST(i) or ST(j) is empty, writing the indefinite to `destination` where that is masked. */
  private underflow(i: number, j: number, destination = i, pops = 0): boolean {
    const { state, env, r } = this;
    if (!state.isEmpty(i) && !state.isEmpty(j)) return false;
    stackFault(env, false);
    if (!this.abandon()) {
      setDefaultNaN(r);
      state.write(destination, r);
      for (let n = 0; n < pops; n++) state.pop();
    }
    return true;
  }

  /** Pushes `a`, or reports stack overflow. */
  private load(): void {
    const { state, env, a } = this;
    if (!state.isEmpty(7)) {
      env.flags = 0;
      stackFault(env, true);
      setDefaultNaN(a);
    }
    if (!this.abandon()) state.push(a);
  }

  /** FLD m32 and m64, with the conversion's exceptions. */
  private loadReal(denormal: boolean): void {
    const { state, env, a } = this;
    if (denormal) {
      env.flags |= Fx.denormal;
      // An unmasked #D is reported, and the value loaded all the same.
      if (state.isEmpty(7)) {
        state.commit(env);
        state.push(a);
        return;
      }
    }
    if (classify(a) === Class.signaling) {
      env.flags |= Fx.invalid;
      a.high = (a.high | 0x4000_0000) >>> 0;
    }
    this.load();
  }

  /** Stores ST(0) to memory by way of `convert`, which fills the port's operand from `a` and says whether to store. */
  private store(port: X87Port, size: number, pop: boolean, convert: () => boolean): void {
    const { state, env, a } = this;
    let empty = false;
    if (state.isEmpty(0)) {
      empty = true;
      setDefaultNaN(a);
    } else {
      state.read(a, 0);
    }
    let write = convert();
    if (empty) {
      env.flags = 0;
      stackFault(env, false);
      write = env.masked(Fx.invalid);
    }
    // The store comes first: when it faults, nothing has changed.
    if (write) port.store(size);
    state.commit(env);
    if (write && pop) state.pop();
  }

  private storeInteger(port: X87Port, size: number, pop: boolean, truncate: boolean): void {
    const { env, a, stored } = this;
    this.store(port, size, pop, () => {
      if (truncate) toIntegerTruncated(env, stored, a, size * 8);
      else toInteger(env, stored, a, size * 8);
      if (size === 2) port.operand.setUint16(0, stored.low, true);
      else port.operand.setUint32(0, stored.low, true);
      if (size === 8) port.operand.setUint32(4, stored.high, true);
      return stored.ok;
    });
  }

  private putExtended(operand: DataView, v: Float80): void {
    operand.setUint32(0, v.low, true);
    operand.setUint32(4, v.high, true);
    operand.setUint16(8, (v.sign << 15) | v.exponent, true);
  }

  /** The eight operations that the reg field names, to `r`: first is ST(0), second the other operand. */
  private operate(operation: number, first: Float80, other: Float80): void {
    const { env, r } = this;
    switch (operation) {
      case 0:
        add(env, r, first, other, false);
        return;
      case 1:
        multiply(env, r, first, other);
        return;
      case 4:
        add(env, r, first, other, true);
        return;
      case 5:
        add(env, r, other, first, true);
        return;
      case 6:
        divide(env, r, first, other);
        return;
      default:
        divide(env, r, other, first);
    }
  }

  /** ST(0) op b, where b came from memory; `denormal` when it was one there (it is normal by now). */
  private arithmeticWithMemory(operation: number, denormal: boolean): void {
    const { state, env, a, b } = this;
    const compares = operation === 2 || operation === 3;
    if (state.isEmpty(0)) {
      if (compares) this.unordered(operation - 2);
      else this.underflow(0, 0);
      return;
    }
    state.read(a, 0);
    if (denormal) {
      const ca = classify(a);
      // A NaN or an unsupported operand, and division by zero, come before #D.
      if (ca < Class.quiet && !(operation === 7 && ca === Class.zero)) {
        env.flags |= Fx.denormal;
        if (!compares && env.faulted) {
          this.abandon();
          return;
        }
      }
    }
    if (compares) {
      this.finishCompare(compare(env, a, b, false), operation - 2);
      return;
    }
    this.operate(operation, a, b);
    if (!this.abandon()) state.write(0, this.r);
  }

  private arithmeticWithRegister(operation: number, destination: number, i: number, pops: number): void {
    const { state, a, b } = this;
    if (operation === 2 || operation === 3) {
      this.compareRegister(i, false, operation - 2);
      return;
    }
    if (this.underflow(0, i, destination, pops)) return;
    state.read(a, 0);
    state.read(b, i);
    this.operate(operation, a, b);
    if (this.abandon()) return;
    state.write(destination, this.r);
    if (pops !== 0) state.pop();
  }

  private unary(compute: () => void): void {
    const { state } = this;
    if (this.underflow(0, 0)) return;
    state.read(this.a, 0);
    compute();
    if (!this.abandon()) state.write(0, this.r);
  }

  /** FSIN and FCOS: beyond 2^63 they set C2 and do nothing. */
  private trigonometric(compute: () => boolean): void {
    const { state } = this;
    if (this.underflow(0, 0)) {
      this.setC2(false);
      return;
    }
    state.read(this.a, 0);
    const inRange = compute();
    const abandoned = this.abandon();
    this.setC2(!inRange);
    if (inRange && !abandoned) state.write(0, this.r);
  }

  private setC2(on: boolean): void {
    const { state } = this;
    const fsw = this.view.getUint16(State.fsw, true);
    state.setCodes((fsw & (Fsw.c0 | Fsw.c3)) | (on ? Fsw.c2 : 0));
  }

  /** ST(1) = f(ST(0), ST(1)), then pop. */
  private binaryPop(compute: () => void): void {
    const { state, a, b } = this;
    if (this.underflow(0, 1, 1, 1)) return;
    state.read(a, 0);
    state.read(b, 1);
    compute();
    if (this.abandon()) return;
    state.write(1, this.r);
    state.pop();
  }

  /** Instructions that replace ST(0) by `r` and push `second`: FPTAN, FSINCOS, FXTRACT. */
  private pushing(compute: () => boolean, complete: () => unknown, usesC2: boolean): void {
    const { state, env, a, r, second } = this;
    const empty = state.isEmpty(0);
    if (empty || !state.isEmpty(7)) {
      stackFault(env, !empty);
      const abandoned = this.abandon();
      if (usesC2) this.setC2(false);
      if (abandoned) return;
      setDefaultNaN(r);
      state.write(0, r);
      state.push(r);
      return;
    }
    state.read(a, 0);
    const inRange = compute();
    if (inRange && classify(r) < Class.quiet) complete();
    else second.copy(r);
    const abandoned = this.abandon();
    if (usesC2) this.setC2(!inRange);
    if (!inRange || abandoned) return;
    state.write(0, r);
    state.push(second);
  }

  private partialRemainder(nearest: boolean): void {
    const { state, env, a, b, r, rem } = this;
    if (this.underflow(0, 1)) {
      this.setC2(false);
      return;
    }
    state.read(a, 0);
    state.read(b, 1);
    remainder(env, r, a, b, nearest, rem);
    const abandoned = this.abandon();
    if (abandoned) return;
    state.write(0, r);
    if (classify(r) >= Class.quiet) {
      this.setC2(false);
      return;
    }
    if (rem.incomplete) {
      state.setCodes(Fsw.c2);
      return;
    }
    state.setCodes(((rem.quotient & 4) !== 0 ? Fsw.c0 : 0) | ((rem.quotient & 2) !== 0 ? Fsw.c3 : 0));
    state.setC1((rem.quotient & 1) !== 0);
  }

  private exchange(i: number): void {
    const { state, env, a, b } = this;
    const emptyTop = state.isEmpty(0);
    const emptyOther = state.isEmpty(i);
    state.read(a, 0);
    state.read(b, i);
    if (emptyTop || emptyOther) {
      stackFault(env, false);
      if (emptyTop) setDefaultNaN(a);
      if (emptyOther) setDefaultNaN(b);
    }
    if (this.abandon()) return;
    state.write(i, a);
    state.write(0, b);
  }

  private storeRegister(i: number, pop: boolean): void {
    const { state, env, a } = this;
    if (state.isEmpty(0)) {
      stackFault(env, false);
      setDefaultNaN(a);
    } else {
      state.read(a, 0);
    }
    if (this.abandon()) return;
    state.write(i, a);
    if (pop) state.pop();
  }

  private conditionalMove(condition: number, i: number, negate: boolean, port: X87Port): void {
    const { state, a } = this;
    if (this.underflow(0, i)) return;
    const flags = port.arithmeticFlags();
    const mask = condition === 0 ? CF : condition === 1 ? ZF : condition === 2 ? CF | ZF : PF;
    if (((flags & mask) !== 0) !== negate) state.write(0, state.read(a, i));
  }

  private compareRegister(i: number, quiet: boolean, pops: number): void {
    const { state, env, a, b } = this;
    if (state.isEmpty(0) || state.isEmpty(i)) {
      this.unordered(pops);
      return;
    }
    this.finishCompare(compare(env, state.read(a, 0), state.read(b, i), quiet), pops);
  }

  private unordered(pops: number): void {
    stackFault(this.env, false);
    this.finishCompare(Order.unordered, pops);
  }

  private finishCompare(order: number, pops: number): void {
    const { state } = this;
    const abandoned = this.abandon();
    // The codes are written even where an unmasked exception keeps the operands from being popped.
    state.setCodes(order === Order.unordered ? Fsw.c0 | Fsw.c2 | Fsw.c3 : order === Order.less ? Fsw.c0 : order === Order.equal ? Fsw.c3 : 0);
    if (abandoned) return;
    for (let n = 0; n < pops; n++) state.pop();
  }

  private compareToFlags(i: number, quiet: boolean, pop: boolean, port: X87Port): void {
    const { state, env, a, b } = this;
    let order: number = Order.unordered;
    if (state.isEmpty(0) || state.isEmpty(i)) stackFault(env, false);
    else order = compare(env, state.read(a, 0), state.read(b, i), quiet);
    // C1 stays as it was unless the stack was at fault.
    const c1 = (env.flags & Fx.stack) === 0 && (state.statusWord & Fsw.c1) !== 0;
    const abandoned = this.abandon();
    if (c1) state.setC1(true);
    port.setCompareFlags(order === Order.unordered ? ZF | PF | CF : order === Order.less ? CF : order === Order.equal ? ZF : 0);
    if (pop && !abandoned) state.pop();
  }

  private test(): void {
    const { state, env, a, b } = this;
    if (state.isEmpty(0)) {
      this.unordered(0);
      return;
    }
    this.finishCompare(compare(env, state.read(a, 0), b.set(0, 0, 0, 0), false), 0);
  }

  private examine(): void {
    const { state, a } = this;
    const c = classify(state.read(a, 0));
    let codes: number;
    if (state.isEmpty(0)) codes = Fsw.c3 | Fsw.c0;
    else if (c === Class.unsupported) codes = 0;
    else if (c >= Class.quiet) codes = Fsw.c0;
    else if (c === Class.normal) codes = Fsw.c2;
    else if (c === Class.infinity) codes = Fsw.c2 | Fsw.c0;
    else if (c === Class.zero) codes = Fsw.c3;
    else codes = Fsw.c3 | Fsw.c2;
    state.setCodes(codes);
    state.setC1(a.sign !== 0);
  }
}
