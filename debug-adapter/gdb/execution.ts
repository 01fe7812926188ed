/** Runs the machine for the client: continue, single and range steps, interruption; every run ends in one stop. */
import { type ExceptionCatcher } from '../control/catch/exceptions';
import { type Host, Runner } from '../control/runner';
import { type History, type Journey } from '../control/history/history';
import { type TravellingTarget } from '../control/history/probes';
import { type MachineExit, type StopReason } from '../machine/api';
import { type ProbeRegistration } from '../machine/probes';
import { type BreakpointTable, type WatchHit } from './breakpoints';
import { instructionBefore, stopBefore } from './reverse';

/** Why the guest stands still. */
export type Stop =
  | { readonly kind: 'attached' }
  | { readonly kind: 'interrupted' }
  | { readonly kind: 'stepped' }
  | { readonly kind: 'breakpoint'; readonly type: 'software' | 'hardware' }
  | { readonly kind: 'watch'; readonly hit: WatchHit }
  /** A caught exception, before its delivery. */
  | { readonly kind: 'exception'; readonly id: string; readonly text: string }
  | { readonly kind: 'dead'; readonly text: string }
  /** Going back came to the first instruction. */
  | { readonly kind: 'historyBegins' }
  /** Going back failed; the sentence says why. */
  | { readonly kind: 'failed'; readonly text: string }
  | { readonly kind: 'exited'; readonly exit: MachineExit };

/** Addresses within which a range step goes on: `low` inside, `high` not. */
export interface StepRange {
  readonly low: bigint;
  readonly high: bigint;
}

export class Execution {
  readonly #runner: Runner;
  #stop: Stop = { kind: 'attached' };
  /** Where the guest stood when the last stop was told; its probes are passed over when it goes on from there. */
  #stoppedAt: bigint | undefined;
  #temporary: ProbeRegistration | undefined;
  #journey: { interrupted: boolean; cancel(): void } | undefined;

  constructor(
    private readonly target: TravellingTarget,
    private readonly points: BreakpointTable,
    private readonly exceptions: ExceptionCatcher,
    private readonly history: History,
    private readonly host: Host,
    clock: 'real' | 'skip',
    private readonly onStop: (stop: Stop) => void,
  ) {
    this.#runner = new Runner(target.machine, host, clock, () => this.#finish({ kind: 'interrupted' }));
  }

  get running(): boolean {
    return this.#runner.running || this.travelling;
  }

  /** The machine is on its way through its past: nothing from outside may reach it. */
  get travelling(): boolean {
    return this.#journey !== undefined;
  }

  /** The last stop. */
  get stop(): Stop {
    return this.#stop;
  }

  /** The guest can run no more. */
  get over(): boolean {
    return this.#stop.kind === 'exited';
  }

  /** Input came: an idle guest looks at it at once. */
  wake(): void {
    this.#runner.wake();
  }

  /** Stops the guest within milliseconds; told as 'interrupted'. */
  interrupt(): void {
    if (this.#journey !== undefined) this.#journey.interrupted = true;
    else this.#runner.pause();
  }

  /** Ends a run without a stop. */
  halt(): void {
    this.#dropTemporary();
    this.#runner.halt();
    this.#journey?.cancel();
    this.#journey = undefined;
  }

  continue(): void {
    this.#prepare();
    this.exceptions.unwatchDeliveries();
    this.#runner.start({
      limit: () => this.#ran({ kind: 'limit' }, undefined),
      onStop: (reason) => {
        this.#ran(reason, undefined);
        return this.#end(this.#meaning(reason));
      },
    });
  }

  /**
   * One instruction, or instructions while they lie in `range`. Handlers of interrupts and exceptions that come up meanwhile run unseen, as with hardware
   * that is stepped with interrupts held back, and yet the guest loses no interrupt.
   */
  step(range?: StepRange): void {
    this.#prepare();
    const { machine } = this.target;
    const { cpu } = machine;
    const deliveries = this.exceptions.watchDeliveries();
    const start = this.target.pc;
    let limit: bigint | undefined = cpu.retired + 1n;
    let returned = false;
    this.#runner.start({
      limit: () => this.#ran({ kind: 'limit' }, limit),
      onStop: (reason) => {
        this.#ran(reason, undefined);
        if (returned) {
          returned = false;
          this.#dropTemporary();
          const { pc } = this.target;
          const type = this.points.at(pc);
          if (type !== undefined && pc !== start) return this.#end({ kind: 'breakpoint', type });
          deliveries.take();
          this.target.probes.passCurrent();
          limit = cpu.retired + 1n;
          return 'resume';
        }
        if (reason.kind !== 'limit') return this.#end(this.#meaning(reason));
        const delivered = deliveries.take();
        if (delivered !== undefined) {
          limit = undefined;
          this.#temporary = this.target.probes.add(delivered.rip, () => {
            // The same address in another thread or a deeper call has another stack pointer.
            if (this.target.register('rsp') !== delivered.rsp) return undefined;
            returned = true;
            return 'stop';
          });
          return 'resume';
        }
        const { pc } = this.target;
        if (range === undefined || pc < range.low || pc >= range.high) {
          const type = this.points.at(pc);
          return this.#end(type === undefined ? { kind: 'stepped' } : { kind: 'breakpoint', type });
        }
        limit = cpu.retired + 1n;
        return 'resume';
      },
    });
  }

  /** One instruction back. */
  stepBack(): void {
    const { history, target } = this;
    const steps = function* (): Journey<Stop> {
      target.probes.silent = true;
      const at = yield* instructionBefore(history, target);
      yield* history.seek(at ?? 0);
      return at === undefined ? { kind: 'historyBegins' } : { kind: 'stepped' };
    };
    this.#travel(steps());
  }

  /** Back to the last breakpoint, watched access or caught exception, or to the start. */
  continueBack(): void {
    const { history, target, points } = this;
    const judge = (reason: StopReason): Stop | undefined => {
      if (reason.kind !== 'probe' && reason.kind !== 'watch' && reason.kind !== 'hook') return undefined;
      const stop = this.#meaning(reason);
      return stop.kind === 'breakpoint' && points.at(target.pc) === undefined ? undefined : stop;
    };
    const steps = function* (): Journey<Stop> {
      const found = yield* stopBefore(history, target, judge);
      target.probes.silent = true;
      yield* history.seek(found?.at ?? 0);
      return found?.what ?? { kind: 'historyBegins' };
    };
    this.#travel(steps());
  }

  /** Drives a journey in turns, so that an interruption is heard: then the machine comes back to where the journey began. */
  #travel(journey: Journey<Stop>): void {
    this.points.apply();
    this.exceptions.unwatchDeliveries();
    this.history.futureDropped();
    const { history, target } = this;
    const from = history.position;
    // The present may lie beyond the last run that was told of.
    history.ran({ kind: 'limit' });
    let cancel = (): void => undefined;
    const state = { interrupted: false, cancel: () => cancel() };
    this.#journey = state;
    let current = journey;
    let returning = false;
    const end = (stop: Stop): void => {
      target.probes.silent = false;
      this.#journey = undefined;
      this.#finish(stop);
    };
    const turn = (): void => {
      if (state.interrupted && !returning) {
        returning = true;
        current.return({ kind: 'interrupted' });
        target.probes.silent = true;
        current = (function* (): Journey<Stop> {
          yield* history.seek(from);
          return { kind: 'interrupted' };
        })();
      }
      try {
        const next = current.next();
        if (next.done === true) return end(next.value);
      } catch (error) {
        return end({ kind: 'failed', text: error instanceof Error ? error.message : String(error) });
      }
      cancel = this.host.later(0, turn);
    };
    cancel = this.host.later(0, turn);
  }

  /** Tells history that the machine ran; answers `limit`, for the plan that asks before each run what its limit is. */
  #ran(reason: StopReason, limit: bigint | undefined): bigint | undefined {
    this.history.ran(reason);
    return limit;
  }

  #prepare(): void {
    this.points.apply();
    this.history.futureDropped();
    this.history.starts();
    if (this.#stoppedAt === this.target.pc) this.target.probes.passCurrent();
  }

  #meaning(reason: StopReason): Stop {
    switch (reason.kind) {
      case 'exit':
        return { kind: 'exited', exit: reason.exit };
      case 'probe':
        return { kind: 'breakpoint', type: this.points.at(reason.address) ?? 'software' };
      case 'watch': {
        const hit = this.points.hit(reason);
        return hit === undefined ? { kind: 'stepped' } : { kind: 'watch', hit };
      }
      case 'tripleFault':
      case 'unsupported':
      case 'hook': {
        const { id, description, details } = this.exceptions.explain(reason);
        return { kind: 'exception', id, text: details === '' ? description : `${description}\n${details}` };
      }
      case 'dead':
        return {
          kind: 'dead',
          text: `The guest halted with interrupts off in ${this.target.describe(this.target.pc)}: only a reset can wake it.`,
        };
      case 'limit':
      case 'idle':
        return { kind: 'stepped' };
    }
  }

  #end(stop: Stop): 'end' {
    // Whoever hears of the stop may start the next run: this one has to be over first.
    this.#runner.halt();
    this.#finish(stop);
    return 'end';
  }

  #finish(stop: Stop): void {
    this.#dropTemporary();
    this.#stop = stop;
    this.#stoppedAt = this.target.pc;
    this.onStop(stop);
  }

  #dropTemporary(): void {
    this.#temporary?.remove();
    this.#temporary = undefined;
  }
}
