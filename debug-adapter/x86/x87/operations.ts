/** What the x87 instructions do to the register stack: loads, stores, arithmetic, comparisons, with their stack faults and exceptions. */

import { State } from '../state';
import { add, compare, divide, multiply, Order } from './arithmetic';
import { type Stored, toInteger, toIntegerTruncated } from './convert';
import { Class, classify, Environment, Float80, Fx, setDefaultNaN } from './float80';
import { type X87Port } from './port';
import { remainder, type RemainderResult } from './remainder';
import { Fsw, stackFault, X87State } from './state';

/** RFLAGS bits as FCMOVcc and FCOMI use them. */
const CF = 1;
const PF = 4;
const ZF = 0x40;

/** The register stack with scratch values; one for each processor. `X87Unit` adds the decoding. */
export class X87Operations {
  readonly state: X87State;
  protected readonly env = new Environment();
  protected readonly a = new Float80();
  protected readonly b = new Float80();
  protected readonly r = new Float80();
  protected readonly second = new Float80();
  protected readonly stored: Stored = { high: 0, low: 0, ok: true };
  private readonly rem: RemainderResult = { quotient: 0, incomplete: false };

  constructor(protected readonly view: DataView) {
    this.state = new X87State(view);
  }

  /** Commits the exceptions raised so far; true when the instruction must leave its destination alone. */
  protected abandon(): boolean {
    this.state.commit(this.env);
    return this.env.faulted;
  }

  /** Reports stack underflow when ST(i) or ST(j) is empty, writing the indefinite to `destination` where that is masked. */
  protected underflow(i: number, j: number, destination = i, pops = 0): boolean {
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
  protected load(): void {
    const { state, env, a } = this;
    if (!state.isEmpty(7)) {
      env.flags = 0;
      stackFault(env, true);
      setDefaultNaN(a);
    }
    if (!this.abandon()) state.push(a);
  }

  /** FLD m32 and m64, with the conversion's exceptions. */
  protected loadReal(denormal: boolean): void {
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
  protected store(port: X87Port, size: number, pop: boolean, convert: () => boolean): void {
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
    // The store comes first: when it faults, nothing has changed. One that an exception suppresses is checked all the same.
    if (write) port.store(size);
    else port.checkStore(size);
    state.commit(env);
    if (write && pop) state.pop();
  }

  protected storeInteger(port: X87Port, size: number, pop: boolean, truncate: boolean): void {
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

  protected putExtended(operand: DataView, v: Float80): void {
    operand.setUint32(0, v.low, true);
    operand.setUint32(4, v.high, true);
    operand.setUint16(8, (v.sign << 15) | v.exponent, true);
  }

  /** The eight operations that the reg field names, to `r`: first is ST(0), second the other operand. */
  protected operate(operation: number, first: Float80, other: Float80): void {
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
  protected arithmeticWithMemory(operation: number, denormal: boolean): void {
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

  protected arithmeticWithRegister(operation: number, destination: number, i: number, pops: number): void {
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

  protected unary(compute: () => void): void {
    const { state } = this;
    if (this.underflow(0, 0)) return;
    state.read(this.a, 0);
    compute();
    if (!this.abandon()) state.write(0, this.r);
  }

  /** FSIN and FCOS: beyond 2^63 they set C2 and do nothing. */
  protected trigonometric(compute: () => boolean): void {
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

  protected setC2(on: boolean): void {
    const { state } = this;
    const fsw = this.view.getUint16(State.fsw, true);
    state.setCodes((fsw & (Fsw.c0 | Fsw.c3)) | (on ? Fsw.c2 : 0));
  }

  /** ST(1) = f(ST(0), ST(1)), then pop. */
  protected binaryPop(compute: () => void): void {
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
  protected pushing(compute: () => boolean, complete: () => unknown, usesC2: boolean): void {
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

  protected partialRemainder(nearest: boolean): void {
    const { state, env, a, b, r, rem } = this;
    if (this.underflow(0, 1)) {
      this.setC2(false);
      return;
    }
    state.read(a, 0);
    state.read(b, 1);
    remainder(env, r, a, b, nearest, rem);
    if (this.abandon()) {
      this.setC2(false);
      return;
    }
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

  protected exchange(i: number): void {
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

  protected storeRegister(i: number, pop: boolean): void {
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

  protected conditionalMove(condition: number, i: number, negate: boolean, port: X87Port): void {
    const { state, a } = this;
    if (this.underflow(0, i)) return;
    const flags = port.arithmeticFlags();
    const mask = condition === 0 ? CF : condition === 1 ? ZF : condition === 2 ? CF | ZF : PF;
    if (((flags & mask) !== 0) !== negate) state.write(0, state.read(a, i));
  }

  protected compareRegister(i: number, quiet: boolean, pops: number): void {
    const { state, env, a, b } = this;
    if (state.isEmpty(0) || state.isEmpty(i)) {
      this.unordered(pops);
      return;
    }
    this.finishCompare(compare(env, state.read(a, 0), state.read(b, i), quiet), pops);
  }

  protected unordered(pops: number): void {
    stackFault(this.env, false);
    this.finishCompare(Order.unordered, pops);
  }

  protected finishCompare(order: number, pops: number): void {
    const { state } = this;
    const abandoned = this.abandon();
    // The codes are written even where an unmasked exception keeps the operands from being popped.
    state.setCodes(
      order === Order.unordered ? Fsw.c0 | Fsw.c2 | Fsw.c3 : order === Order.less ? Fsw.c0 : order === Order.equal ? Fsw.c3 : 0,
    );
    if (abandoned) return;
    for (let n = 0; n < pops; n++) state.pop();
  }

  protected compareToFlags(i: number, quiet: boolean, pop: boolean, port: X87Port): void {
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

  protected test(): void {
    const { state, env, a, b } = this;
    if (state.isEmpty(0)) {
      this.unordered(0);
      return;
    }
    this.finishCompare(compare(env, state.read(a, 0), b.set(0, 0, 0, 0), false), 0);
  }

  protected examine(): void {
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
