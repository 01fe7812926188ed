/** Code that is to be compiled and waits for its turn. */

import { type Wanted } from './finder';

/** What finds no room is found again if it stays hot. */
const mostWanted = 256;

export class WaitingList {
  readonly #byKey = new Map<number, Wanted>();

  get size(): number {
    return this.#byKey.size;
  }

  add(one: Wanted): void {
    if (!this.#byKey.has(one.key) && this.#byKey.size < mostWanted) this.#byKey.set(one.key, one);
  }

  clear(): void {
    this.#byKey.clear();
  }

  /**
   * Takes up to so many that are wanted still: first those that are made again, of which few are asked for, then those that ran most.
   * @param runsOf times that the code at an address ran.
   * @param isWanted is asked of each in its turn; what is not wanted goes.
   */
  take(most: number, runsOf: (key: number) => number, isWanted: (one: Wanted) => boolean): Wanted[] {
    const all = [...this.#byKey.values()].map((one) => ({ one, runs: one.again ? Infinity : runsOf(one.key) }));
    all.sort((one, other) => (one.runs === other.runs ? 0 : other.runs - one.runs));
    const taken: Wanted[] = [];
    for (const { one } of all) {
      if (taken.length >= most) break;
      this.#byKey.delete(one.key);
      if (isWanted(one)) taken.push(one);
    }
    return taken;
  }
}
