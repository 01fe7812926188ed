/** Virtual time as a function of retired instructions and of what devices charged, and the timers that hang on it. */
import { type Clock, type Timer } from './api';

/** TSC ticks a nanosecond: 2 GHz, which Unikraft's 32-bit kHz and multiplier arithmetic both can hold. */
const ticksPerNanosecond = 2;
/** An instruction takes a nanosecond: near what the emulator does in host time, so that a guest that spins for a second takes about one. */
const ticksPerInstruction = 2;
/** Nanoseconds that a read of the time-stamp counter takes: as for instructions, near what it takes here, as guests that wait do nothing but read it. */
export const timeStampCost = 250;
export const tscKilohertz = 1_000_000 * ticksPerNanosecond;

/** What the clock keeps in a snapshot. */
export interface ClockState {
  /** Ticks that were not instructions. */
  readonly charged: number;
  /** For each timer in order of creation, nanoseconds or undefined. */
  readonly timers: readonly (number | undefined)[];
}

class ClockTimer implements Timer {
  at: number | undefined;
  constructor(
    private readonly clock: VirtualClock,
    readonly callback: () => void,
  ) {}

  arm(at: number): void {
    this.at = Math.max(0, Math.ceil(at));
    this.clock.timersChanged();
  }

  disarm(): void {
    if (this.at === undefined) return;
    this.at = undefined;
    this.clock.timersChanged();
  }
}

/** The machine's clock. `retired` is asked for when needed, so that time is right in the middle of a run, at a port access. */
export class VirtualClock implements Clock {
  private charged = 0;
  private readonly timers: ClockTimer[] = [];
  private next: ClockTimer | undefined;
  /** Ticks that may be charged before the next timer is nearer than the end of the run that is under way. */
  private slack = -1;
  /** Called when the next timer may have come nearer than that. */
  onChange: (() => void) | undefined;
  /** Told how much of the time, nanoseconds, was not instructions' whenever that changes: all of it is that and a nanosecond for each instruction. */
  told: { setCharged(nanoseconds: number, apart: boolean): void } | undefined;

  constructor(private readonly retired: () => number) {}

  /** Ticks of the time-stamp counter since reset; 2^53 of them are 52 days. */
  ticks(): number {
    return this.retired() * ticksPerInstruction + this.charged;
  }

  /** The same as a bigint, at an instruction count that the caller knows. */
  ticksAt(retired: bigint): bigint {
    return retired * BigInt(ticksPerInstruction) + BigInt(this.charged);
  }

  now(): number {
    return Math.floor(this.ticks() / ticksPerNanosecond);
  }

  /** @param apart nothing else happened that somebody may write down */
  charge(nanoseconds: number, apart = false): void {
    const ticks = nanoseconds * ticksPerNanosecond;
    this.charged += ticks;
    this.told?.setCharged(Math.floor(this.charged / ticksPerNanosecond), apart);
    this.slack -= ticks;
    if (this.slack < 0) this.onChange?.();
  }

  /** A run of at most so many instructions begins: what is charged matters only once it brings the next timer before its end. */
  expectRun(instructions: number): void {
    this.slack =
      this.next === undefined ? Infinity : this.next.at! * ticksPerNanosecond - this.ticks() - instructions * ticksPerInstruction;
  }

  createTimer(callback: () => void): Timer {
    const timer = new ClockTimer(this, callback);
    this.timers.push(timer);
    return timer;
  }

  timersChanged(): void {
    // A handful of timers: a scan costs less than keeping a heap in order.
    let next: ClockTimer | undefined;
    for (const timer of this.timers) if (timer.at !== undefined && (next === undefined || timer.at < next.at!)) next = timer;
    this.next = next;
    this.slack = -1;
    this.onChange?.();
  }

  /** Virtual time of the next timer, nanoseconds. */
  nextAt(): number | undefined {
    return this.next?.at;
  }

  /** Instructions that may run before the next timer is due: 0 when it is, Infinity without one. */
  instructionsToNext(): number {
    if (this.next === undefined) return Infinity;
    return Math.max(0, Math.ceil((this.next.at! * ticksPerNanosecond - this.ticks()) / ticksPerInstruction));
  }

  /** Runs timers that are due, in order. */
  runDue(): void {
    // A timer that re-arms itself in the past must not hold the host for ever: it gets another turn after the next instruction.
    for (let turns = 0; turns < 1000 && this.next !== undefined && this.instructionsToNext() === 0; turns++) {
      const timer = this.next;
      timer.disarm();
      timer.callback();
    }
  }

  /** Moves time forward to `to` nanoseconds; never back. */
  advanceTo(to: number): void {
    const missing = to * ticksPerNanosecond - this.ticks();
    if (missing <= 0) return;
    this.charged += missing;
    this.tellCharged();
  }

  private tellCharged(): void {
    this.told?.setCharged(Math.floor(this.charged / ticksPerNanosecond), false);
  }

  save(): ClockState {
    return { charged: this.charged, timers: this.timers.map((timer) => timer.at) };
  }

  restore(state: ClockState): void {
    this.charged = state.charged;
    this.tellCharged();
    this.timers.forEach((timer, index) => (timer.at = state.timers[index]));
    this.timersChanged();
  }
}
