/** What is known of the size of 64-bit values while code is written: how many low bits hold all that is not 0, so that nothing is cut off that is 0 already. */

import { type MemoryOp, type PlainOp } from './opcodes';

/** Locals from here on are not kept account of. */
const most = 256;

const loads: Partial<Record<MemoryOp, number>> = { 'i64.load8_u': 8, 'i64.load16_u': 16, 'i64.load32_u': 32 };

/** Widths in bits of the two values on top of the stack and of the locals; 64 where nothing is known. */
export class Widths {
  readonly #locals = new Uint8Array(most).fill(64);
  #known = false;
  #top = 64;
  #below = 64;

  /** Of the value on top of the stack. */
  get top(): number {
    return this.#top;
  }

  push(width: number): void {
    this.#below = this.#top;
    this.#top = width;
  }

  /** Nothing is known of the stack. */
  drop(): void {
    this.#top = 64;
    this.#below = 64;
  }

  /** Nothing is known at all: other ways lead here. */
  forget(): void {
    this.drop();
    if (this.#known) this.#locals.fill(64);
    this.#known = false;
  }

  get(local: number): void {
    this.push(local < most ? this.#locals[local]! : 64);
  }

  tee(local: number): void {
    if (local >= most) return;
    this.#locals[local] = this.#top;
    if (this.#top < 64) this.#known = true;
  }

  set(local: number): void {
    this.tee(local);
    this.#top = this.#below;
    this.#below = 64;
  }

  /** An instruction without immediates. */
  op(name: PlainOp): void {
    switch (name) {
      case 'i64.and':
        return this.#binary(Math.min(this.#top, this.#below));
      case 'i64.or':
      case 'i64.xor':
        return this.#binary(Math.max(this.#top, this.#below));
      case 'i64.add':
      case 'i64.sub':
      case 'i64.mul':
      case 'i64.shl':
      case 'i64.shr_s':
        return this.#binary(64);
      case 'i64.shr_u':
        return this.#binary(this.#below);
      case 'i32.wrap_i64':
        // Kept for the instruction that widens it again.
        this.#top = Math.min(this.#top, 32);
        return;
      case 'i64.extend_i32_u':
        this.#top = Math.min(this.#top, 32);
        return;
      default:
        this.drop();
    }
  }

  #binary(width: number): void {
    this.#top = width;
    this.#below = 64;
  }

  memory(name: MemoryOp): void {
    const width = loads[name];
    // A load takes the address and leaves what it read.
    if (width !== undefined) this.#top = width;
    else this.drop();
  }

  /** Widths of the locals first .. first + count - 1, to be `restore`d where control comes from here. */
  save(first: number, count: number): Uint8Array {
    return this.#locals.slice(first, first + count);
  }

  restore(first: number, widths: Uint8Array): void {
    this.#locals.set(widths, first);
    this.#known = true;
  }
}
