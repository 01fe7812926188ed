/** A search that takes longer than a turn: done in steps between which the worker reads messages, one search at a time, and ended early by the user's word. */
import { type Host } from './runner';
import { turnMilliseconds } from './turn';

/** How often it tells of its progress, milliseconds. */
const reportMilliseconds = 250;

/** Told to what searches, which ends with what it has found so far. */
export interface SearchState {
  readonly cancelled: boolean;
}

export class Search {
  #current: { cancelled: boolean } | undefined;
  /** The searches that were begun, one after the other. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly host: Host,
    /** Told the share that is done, 0 to 1. */
    private readonly report: (share: number) => void,
  ) {}

  /** Ends the search under way, if there is one, and begins another. `begin` answers its steps, which yield the share that is done. */
  run<T>(begin: (state: SearchState) => Generator<number, T>): Promise<T> {
    this.cancel();
    const state = { cancelled: false };
    this.#current = state;
    const result = this.#last.then(() => this.#inTurns(begin(state)));
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** The search ends with what it has found so far. */
  cancel(): void {
    if (this.#current !== undefined) this.#current.cancelled = true;
  }

  async #inTurns<T>(steps: Generator<number, T>): Promise<T> {
    const { host } = this;
    let reported = host.now();
    for (let deadline = reported + turnMilliseconds; ;) {
      const step = steps.next();
      if (step.done === true) return step.value;
      const now = host.now();
      if (now < deadline) continue;
      if (now >= reported + reportMilliseconds) {
        this.report(step.value);
        reported = now;
      }
      await new Promise<void>((resolve) => void host.later(0, resolve));
      deadline = host.now() + turnMilliseconds;
    }
  }
}

/** The end of a search that nobody waits for in steps. */
export function whole<T>(steps: Generator<number, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
