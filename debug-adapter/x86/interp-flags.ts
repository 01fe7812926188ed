/** Flags of the interpreter's handlers: left lazily in the state block, and read by the rule that is known of them, if one is. */

import { Runtime } from './interp-abi';
import { InterpVectors } from './interp-vectors';
import { emitCarry, emitCondition, flagKind, flagKindParts, type FlagSource } from './isa/flags';
import { type FlagOp, type Size } from './isa/gen';
import { State } from './state';

/** What an instruction of this handler has left: the rule, and the locals with its operands. */
interface KnownFlags {
  readonly op: FlagOp | 'explicit';
  readonly size: Size;
  readonly a: number;
  readonly b: number | undefined;
  readonly c: number | undefined;
}

export class InterpFlags extends InterpVectors {
  protected known: KnownFlags | undefined;
  /** Flag kind left behind: -1 unknown, -2 unchanged. */
  outKind = -2;

  flagsNeeded(_mask: number): boolean {
    return this.shape.live;
  }

  flags(op: FlagOp, size: Size, a: number, b?: number, carry?: number): void {
    if (!this.shape.live) return;
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
      this.known = known;
      this.outKind = kind;
    } else {
      this.known = undefined;
      this.outKind = -1;
    }
  }

  setArithmetic(value: () => void): void {
    if (!this.shape.live) {
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
    const known = this.known;
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
    if (this.shape.flagIn < 0 || this.outKind !== -2) return undefined;
    return {
      ...flagKindParts(this.shape.flagIn),
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
}
