/** How long the machine may run before its thread reads messages again: what takes long inside a run looks at the clock, which the machine itself never does. */
import { type Machine } from '../machine/api';

/** Milliseconds: short enough that a message is answered at once, long enough that turns cost nothing. */
export const turnMilliseconds = 8;

/**
 * The machine runs as many instructions as took a turn the last time. A breakpoint with a condition, set on a loop meanwhile, makes them take a thousand
 * times as long; so whatever is called from inside a run and costs more than the instruction itself ends a turn that is over.
 */
export class Turn {
  #deadline = Infinity;

  /** @param now milliseconds, monotonic. */
  constructor(
    private readonly machine: Pick<Machine, 'yieldSoon'>,
    private readonly now: () => number,
  ) {}

  begin(): void {
    this.#deadline = this.now() + turnMilliseconds;
  }

  /** Runs until the next `begin` are nobody's turn and as long as they are. */
  end(): void {
    this.#deadline = Infinity;
  }

  get over(): boolean {
    return this.now() >= this.#deadline;
  }

  /** Called from inside a run: has it come back, as at its limit, where the turn is over. */
  look(): void {
    if (this.over) this.machine.yieldSoon();
  }
}
