/** Runs the machine in slices of some milliseconds between which its worker reads messages, and waits while the guest idles. */
import { type Machine, type StopReason } from '../machine/api';
import { type NetworkHost } from '../machine/network';
import { type FindTouchedPages } from './history/page-hash';
import { firstSlice, nextSlice } from '../machine/slice';
import { Turn, turnMilliseconds } from './turn';

/** Decides what a stop of the machine means: run on, or end the run. */
export interface RunPlan {
  /** Instructions after which the machine must come back to the plan, or undefined for no limit. */
  limit?(): bigint | undefined;
  /** Answers 'resume' to run on. Anything else ends the run; the plan has reported why. */
  onStop(reason: StopReason): 'resume' | 'end';
  /** The run ends before its plan did: takes away what the plan put in place. */
  abandon?(): void;
}

/** How the host's time is used; given in, so that nothing here depends on Node or a browser. */
export interface Host {
  /** Milliseconds, monotonic. */
  now(): number;
  /** Calls back after at least `milliseconds`; 0 means as soon as waiting messages were read. Returns a function that cancels. */
  later(milliseconds: number, callback: () => void): () => void;
  /** What a network card's other end is made of; absent where there are no sockets, as in a browser. */
  readonly network?: NetworkHost;
  /** Tells which memory was never touched, where the system says so. */
  readonly touchedPages?: FindTouchedPages;
}

/** Guest seconds may lag behind the host's by so much before the guest is no longer made to catch up. */
const maximumLagNanoseconds = 1e9;

export class Runner {
  #plan: RunPlan | undefined;
  #slice = firstSlice;
  #cancel: (() => void) | undefined;
  #pauseAsked = false;
  /** Guest time that corresponds to host time `#anchorHost`. */
  #anchorGuest = 0;
  #anchorHost = 0;
  /** Called before each slice: what waits for the guest can go in. */
  onReady: (() => void) | undefined;
  /** Called each time that the machine comes back. */
  onRan: ((reason: StopReason) => void) | undefined;
  /** The time of the slice that runs. */
  readonly turn: Turn;

  constructor(
    private readonly machine: Machine,
    private readonly host: Host,
    private readonly clock: 'real' | 'skip',
    private readonly onPause: () => void,
  ) {
    this.turn = new Turn(machine, () => host.now());
  }

  get running(): boolean {
    return this.#plan !== undefined;
  }

  /** Begins a run; it goes on until its plan ends it or `pause` does. */
  start(plan: RunPlan): void {
    this.#plan = plan;
    this.#pauseAsked = false;
    this.#anchor();
    this.#next(0);
  }

  /** Stops at the end of the current slice, which is within milliseconds. */
  pause(): void {
    if (this.#plan === undefined) return;
    this.#pauseAsked = true;
    this.#next(0);
  }

  /** Ends the run without a word. */
  halt(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    const plan = this.#plan;
    this.#plan = undefined;
    plan?.abandon?.();
  }

  /** Input arrived: an idle guest looks at it at once. */
  wake(): void {
    if (this.#plan !== undefined) this.#next(0);
  }

  #next(milliseconds: number): void {
    this.#cancel?.();
    this.#cancel = this.host.later(milliseconds, () => this.#runSlice());
  }

  #anchor(): void {
    this.#anchorGuest = this.machine.clock.now();
    this.#anchorHost = this.host.now();
  }

  #runSlice(): void {
    this.#cancel = undefined;
    const plan = this.#plan;
    if (plan === undefined) return;
    if (this.#pauseAsked) {
      this.halt();
      return this.onPause();
    }
    this.turn.begin();
    try {
      this.#runTurn(plan);
    } finally {
      this.turn.end();
    }
  }

  #runTurn(plan: RunPlan): void {
    for (;;) {
      this.onReady?.();
      const started = this.host.now();
      const before = this.machine.cpu.retired;
      const planLimit = plan.limit?.();
      const sliceLimit = before + this.#slice;
      const { replaying } = this.machine;
      const reason = this.machine.run(planLimit !== undefined && planLimit < sliceLimit ? planLimit : sliceLimit);
      this.onRan?.(reason);
      // The past runs as fast as it can; only from its end on a guest's second is a second again.
      if (replaying) this.#anchor();
      if (this.#plan !== plan) return;
      if (reason.kind === 'idle') {
        if (this.#idle(reason.until)) continue;
        return;
      }
      const slicedOut = reason.kind === 'limit' && (planLimit === undefined || this.machine.cpu.retired < planLimit);
      if (!slicedOut && plan.onStop(reason) === 'end') {
        if (this.#plan === plan) this.#plan = undefined;
        return;
      }
      if (slicedOut) this.#slice = nextSlice(this.#slice, this.machine.cpu.retired - before, this.host.now() - started, turnMilliseconds);
      if (this.turn.over) return this.#next(0);
    }
  }

  /** Returns true when the guest can go on at once. */
  #idle(until: number | undefined): boolean {
    // What ended the wait is in the journal.
    if (this.machine.replaying) return this.#goesOn();
    if (until === undefined) {
      // Only input can wake it; `wake` or `pause` calls back.
      this.#cancel = undefined;
      return false;
    }
    if (this.clock === 'skip') {
      this.machine.skipIdle();
      return this.#goesOn();
    }
    const due = this.#anchorHost + (until - this.#anchorGuest) / 1e6;
    const now = this.host.now();
    if (due > now) {
      this.#next(Math.ceil(due - now));
      return false;
    }
    if ((now - due) * 1e6 > maximumLagNanoseconds) {
      this.#anchorGuest = until;
      this.#anchorHost = now;
    }
    this.machine.skipIdle();
    return this.#goesOn();
  }

  /** Whether the turn is not over yet; the next one is asked for where it is. */
  #goesOn(): boolean {
    if (!this.turn.over) return true;
    this.#next(0);
    return false;
  }
}
