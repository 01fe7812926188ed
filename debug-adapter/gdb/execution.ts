/** Runs the machine for the client: continue, single and range steps, interruption; every run ends in one stop. */
import { type ExceptionCatcher } from '../control/exceptions';
import { type Host, Runner } from '../control/runner';
import { type Target } from '../control/target';
import { type MachineExit, type StopReason } from '../machine/api';
import { type ProbeRegistration } from '../machine/probes';
import { type BreakpointTable, type WatchHit } from './breakpoints';

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

  constructor(
    private readonly target: Target,
    private readonly points: BreakpointTable,
    private readonly exceptions: ExceptionCatcher,
    host: Host,
    clock: 'real' | 'skip',
    private readonly onStop: (stop: Stop) => void,
  ) {
    this.#runner = new Runner(target.machine, host, clock, () => this.#finish({ kind: 'interrupted' }));
  }

  get running(): boolean {
    return this.#runner.running;
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
    this.#runner.pause();
  }

  /** Ends a run without a stop. */
  halt(): void {
    this.#dropTemporary();
    this.#runner.halt();
  }

  continue(): void {
    this.#prepare();
    this.exceptions.unwatchDeliveries();
    this.#runner.start({ onStop: (reason) => this.#end(this.#meaning(reason)) });
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
      limit: () => limit,
      onStop: (reason) => {
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

  #prepare(): void {
    this.points.apply();
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
