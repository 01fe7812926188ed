/** The x87 register stack and its control, status and tag words, as they lie in the processor's state block. */

import { State } from '../state';
import { Class, classify, type Environment, type Float80, Fx } from './float80';

/** Status word bits (SDM vol. 1, figure 8-4). */
export const Fsw = {
  stackFault: 0x40,
  errorSummary: 0x80,
  c0: 0x100,
  c1: 0x200,
  c2: 0x400,
  c3: 0x4000,
  busy: 0x8000,
} as const;

/** C3, C2 and C0: what compares, FXAM and FPREM write. */
export const conditionCodes = Fsw.c0 | Fsw.c2 | Fsw.c3;

/**
 * Accessors of the state block's x87 part. Tags are kept as 3 (empty) or 0 (in use): processors work out the other two values when the
 * tag word is stored, and so does `fullTagWord`.
 */
export class X87State {
  constructor(private readonly view: DataView) {}

  get controlWord(): number {
    return this.view.getUint16(State.fcw, true);
  }
  /** Writes FCW (bit 6 reads as 1) and brings ES and B in line with the new masks. */
  set controlWord(value: number) {
    this.view.setUint16(State.fcw, (value & 0x1f7f) | 0x40, true);
    this.summarize();
  }

  get statusWord(): number {
    return this.view.getUint16(State.fsw, true);
  }
  /** Writes FSW; ES and B follow from the exceptions and masks whatever `value` says. */
  set statusWord(value: number) {
    this.view.setUint16(State.fsw, value, true);
    this.summarize();
  }

  private summarize(): void {
    const fsw = this.statusWord;
    const pending = (fsw & ~this.controlWord & 0x3f) !== 0;
    this.view.setUint16(State.fsw, (fsw & ~(Fsw.errorSummary | Fsw.busy)) | (pending ? Fsw.errorSummary | Fsw.busy : 0), true);
  }

  get top(): number {
    return (this.view.getUint16(State.fsw, true) >>> 11) & 7;
  }
  set top(value: number) {
    this.view.setUint16(State.fsw, (this.view.getUint16(State.fsw, true) & ~0x3800) | ((value & 7) << 11), true);
  }

  get tagWord(): number {
    return this.view.getUint16(State.ftw, true);
  }
  set tagWord(value: number) {
    let word = 0;
    for (let shift = 0; shift < 16; shift += 2) if (((value >>> shift) & 3) === 3) word |= 3 << shift;
    this.view.setUint16(State.ftw, word, true);
  }

  /** Offset in the state block of ST(i). */
  offset(i: number): number {
    return State.x87 + ((this.top + i) & 7) * 16;
  }

  isEmpty(i: number): boolean {
    return ((this.view.getUint16(State.ftw, true) >>> (((this.top + i) & 7) * 2)) & 3) === 3;
  }

  setTag(i: number, empty: boolean): void {
    const mask = 3 << (((this.top + i) & 7) * 2);
    const tags = this.view.getUint16(State.ftw, true);
    this.view.setUint16(State.ftw, empty ? tags | mask : tags & ~mask, true);
  }

  read(out: Float80, i: number): Float80 {
    const at = this.offset(i);
    const se = this.view.getUint16(at + 8, true);
    return out.set(se >>> 15, se & 0x7fff, this.view.getUint32(at + 4, true), this.view.getUint32(at, true));
  }

  /** Writes ST(i) and marks it in use. */
  write(i: number, v: Float80): void {
    const at = this.offset(i);
    this.view.setUint32(at, v.low, true);
    this.view.setUint32(at + 4, v.high, true);
    this.view.setUint16(at + 8, (v.sign << 15) | v.exponent, true);
    this.setTag(i, false);
  }

  push(v: Float80): void {
    this.top = this.top - 1;
    this.write(0, v);
  }

  pop(): void {
    this.setTag(0, true);
    this.top = this.top + 1;
  }

  setCodes(codes: number): void {
    this.view.setUint16(State.fsw, (this.view.getUint16(State.fsw, true) & ~conditionCodes) | codes, true);
  }

  setC1(on: boolean): void {
    const fsw = this.view.getUint16(State.fsw, true);
    this.view.setUint16(State.fsw, on ? fsw | Fsw.c1 : fsw & ~Fsw.c1, true);
  }

  /** Brings an operation's exceptions and C1 into FSW; true when one of them is unmasked, so that the next waiting instruction faults. */
  commit(env: Environment): boolean {
    let fsw = this.view.getUint16(State.fsw, true) & ~Fsw.c1;
    fsw |= env.flags;
    if (env.roundedUp) fsw |= Fsw.c1;
    const unmasked = (env.flags & ~env.masks & 0x3f) !== 0;
    if (unmasked) fsw |= Fsw.errorSummary | Fsw.busy;
    this.view.setUint16(State.fsw, fsw, true);
    return unmasked;
  }

  /** The tag word with zero (1) and special (2) told apart, as FSTENV and FSAVE store it. */
  fullTagWord(scratch: Float80): number {
    const tags = this.tagWord;
    const top = this.top;
    let word = 0;
    for (let physical = 0; physical < 8; physical++) {
      let tag = (tags >>> (physical * 2)) & 3;
      if (tag !== 3) {
        const c = classify(this.read(scratch, (physical - top) & 7));
        tag = c === Class.normal ? 0 : c === Class.zero ? 1 : 2;
      }
      word |= tag << (physical * 2);
    }
    return word;
  }

  /** FNINIT (SDM vol. 2): registers keep their bits. */
  initialize(): void {
    this.view.setUint16(State.fcw, 0x37f, true);
    this.view.setUint16(State.fsw, 0, true);
    this.view.setUint16(State.ftw, 0xffff, true);
    this.view.setUint16(State.fop, 0, true);
    this.view.setBigUint64(State.fip, 0n, true);
    this.view.setBigUint64(State.fdp, 0n, true);
    this.view.setUint16(State.fcs, 0, true);
    this.view.setUint16(State.fds, 0, true);
  }

  /** Whether an unmasked exception waits to be reported. */
  get pending(): boolean {
    return (this.view.getUint16(State.fsw, true) & Fsw.errorSummary) !== 0;
  }
}

/** Marks a stack fault in `env`: overflow sets C1, underflow clears it (SDM vol. 1, 8.5.1.1). */
export function stackFault(env: Environment, overflow: boolean): void {
  env.flags |= Fx.invalid | Fx.stack;
  env.roundedUp = overflow;
}
