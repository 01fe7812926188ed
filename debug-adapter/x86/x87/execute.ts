/** Every x87 instruction, from its opcode byte D8..DF and ModRM, on the state block's register stack (SDM vol. 1, chapter 8; vol. 2). */

import { State } from '../state';
import { squareRoot } from './arithmetic';
import { loadConstant } from './constants';
import { fromDecimal, fromInt32, fromInt64, readDouble, readSingle, toDecimal, toDouble, toSingle } from './convert';
import { loadEnvironment, restoreState, saveState, storeEnvironment } from './environment';
import { setDefaultNaN } from './float80';
import { X87Operations } from './operations';
import { type X87Port } from './port';
import { extract, roundInteger, scale } from './remainder';
import { stackFault } from './state';
import { arcTangent, cosine, exponentialMinus1, logarithm, logarithmPlus1, sine, sineAndCosine, tangent } from './transcendental';

/** What became of an instruction: done; no such encoding (#UD); or not executed because an earlier exception waits (#MF). */
export type X87Outcome = 'done' | 'undefined' | 'pending';

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
export class X87Unit extends X87Operations {
  /** Set by control instructions, which leave FIP, FDP and FOP as they are. */
  private control = false;

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
    const { state } = this;
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
        // FSTPNCE, not in the manual: FSTP that takes an empty ST(0) for nothing to store instead of a stack fault.
        this.state.commit(env);
        if (!state.isEmpty(0)) state.write(i, state.read(a, 0));
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
}
