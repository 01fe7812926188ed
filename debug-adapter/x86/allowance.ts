/** How many instructions generated code may still run: the budget that it counts down, what is kept back from it, and how it is stopped inside a block. */

import { LogState } from './event-log';
import { Attention, Scratch } from './interp-abi';
import { Rec } from './shape';
import { State } from './state';

/** The count of retired instructions is derived from it: what was given out less what is left. */
export class Allowance {
  readonly #i32: Int32Array;
  readonly #floats: Float64Array;
  /** Retired up to the start of the run that is on the stack (or now). */
  #retiredBase = 0;
  /** Budget given to generated code and not taken back: all of it when the run began, less what `shorten` took. */
  #granted = 0;
  /** Part of the budget put aside so that generated code stops at the next block. */
  #stash = 0;
  /** Part of the budget kept back so that the loop sees now and then where the interpreter is. */
  #reserve = 0;
  /** Record whose handler was replaced to stop before it, or 0. */
  #patched = 0;
  #patchedHandler = 0;
  #breaking = false;
  /** Record of the instruction that called out of generated code, or 0. */
  record = 0;

  constructor(i32: Int32Array) {
    this.#i32 = i32;
    this.#floats = new Float64Array(i32.buffer, 0, State.end >> 3);
  }

  /** Instructions retired before the one that is running. */
  get retired(): number {
    const left = this.#i32[State.budget >> 2]! + this.#stash + this.#reserve;
    const unfinished = this.record === 0 ? 0 : this.#i32[(this.record + Rec.remaining) >> 2]!;
    return this.#retiredBase + this.#granted - left - unfinished;
  }

  /** Instructions of the run that is on the stack before the one that is running. */
  get ran(): number {
    return this.retired - this.#retiredBase;
  }

  /** Generated code, which sees its budget alone, takes from this for the count of instructions since the run began. */
  #settle(): void {
    this.#i32[LogState.origin >> 2] = this.#granted - this.#stash - this.#reserve;
  }

  /** Nothing has been retired, nothing is granted. */
  reset(): void {
    this.#retiredBase = 0;
    this.#granted = 0;
    this.#stash = 0;
  }

  /** Takes the count from the state block, unless a run is on the stack. */
  restore(retired: number): void {
    if (this.#granted === 0) this.#retiredBase = retired;
  }

  /** A run of `budget` instructions begins; generated code gets the first `slice` of them. */
  begin(budget: number, slice: number): void {
    this.#retiredBase += this.#granted - this.#i32[State.budget >> 2]!;
    this.#granted = budget;
    this.#reserve = budget - slice;
    this.#i32[State.budget >> 2] = slice;
    this.#i32[(State.budget + 4) >> 2] = 0;
    this.#floats[LogState.base >> 3] = this.#retiredBase;
    this.#settle();
  }

  /** The run is over. @returns the retired count */
  end(): number {
    this.#retiredBase += this.#granted - this.#reserve - this.#i32[State.budget >> 2]!;
    this.#granted = 0;
    this.#reserve = 0;
    this.#i32[State.budget >> 2] = 0;
    return this.#retiredBase;
  }

  get reserve(): number {
    return this.#reserve;
  }

  /** Gives generated code up to `slice` more of what is kept back. */
  refill(slice: number): void {
    const more = Math.min(this.#reserve, slice);
    this.#reserve -= more;
    this.#i32[State.budget >> 2] = this.#i32[State.budget >> 2]! + more;
    this.#settle();
  }

  /** Stops generated code after the instruction that called out of it. */
  breakAfterCurrent(): void {
    if (this.#breaking || this.record === 0) return;
    this.#breaking = true;
    this.#i32[Scratch.attention >> 2]! |= Attention.broken;
    const budget = this.#i32[State.budget >> 2]!;
    this.#stash += budget;
    this.#i32[State.budget >> 2] = 0;
    this.#settle();
    // The last record of a block is followed by nothing that runs, and leaves for want of budget.
    this.#patched = this.record + Rec.size;
    this.#patchedHandler = this.#i32[this.#patched >> 2]!;
    this.#i32[this.#patched >> 2] = 0;
  }

  /** Generated code has come back: what stopped it goes. */
  unbreak(): void {
    if (!this.#breaking) return;
    this.#breaking = false;
    this.#i32[Scratch.attention >> 2]! &= ~Attention.broken;
    this.#i32[this.#patched >> 2] = this.#patchedHandler;
    this.#i32[State.budget >> 2] = this.#i32[State.budget >> 2]! + this.#stash;
    this.#stash = 0;
    this.#settle();
  }

  /** Only inside a bus call: at most `n` more instructions after the current one. @returns how many those are now at most */
  shorten(n: number): number {
    if (this.#granted === 0) return 0;
    const unfinished = this.record === 0 ? 0 : this.#i32[(this.record + Rec.remaining) >> 2]! - 1;
    const left = this.#i32[State.budget >> 2]! + this.#stash + this.#reserve + unfinished;
    if (n >= left) return left;
    let less = left - n;
    this.#granted -= less;
    // What is kept back goes first.
    const kept = Math.min(less, this.#reserve);
    this.#reserve -= kept;
    less -= kept;
    this.#settle();
    if (less === 0) return n;
    const budget = this.#i32[State.budget >> 2]! - less;
    if (this.#breaking) {
      this.#stash -= less;
      this.#settle();
    } else {
      this.#i32[State.budget >> 2] = budget;
      if (budget < 0) this.breakAfterCurrent();
    }
    return n;
  }
}
