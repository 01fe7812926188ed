/** Where indirect jumps were seen to go: what the dispatcher counted, kept for the regions that are made from then on. */

import { State } from '../state';
import { highOf, keyOf, lowOf } from './discover';
import { IndirectCounts } from './dispatcher';
import { RegionState } from './region-abi';

/** A target that was met so often goes into a region along with a hot one. */
const warmTarget = 2;
/** Targets that are kept of one jump. */
const mostTargets = 40;

export class IndirectTargets {
  /** Jump -> places it was seen to go to often. */
  readonly #of = new Map<number, number[]>();

  /** The places of all jumps together. */
  readonly #targets = new Set<number>();

  constructor(private readonly i32: Int32Array) {}

  get known(): ReadonlyMap<number, readonly number[]> {
    return this.#of;
  }

  /** A jump went to these places in an earlier run. */
  learn(jump: number, targets: readonly number[]): void {
    const all = new Set([...(this.#of.get(jump) ?? []), ...targets]);
    if (all.size > 0) this.#keep(jump, [...all].slice(0, mostTargets));
  }

  #keep(jump: number, targets: readonly number[]): void {
    this.#of.set(jump, [...targets]);
    for (const target of targets) this.#targets.add(target);
  }

  /** Does any jump go there? */
  isTarget(address: number): boolean {
    return this.#targets.has(address);
  }

  /** The dispatcher says that the jump which has just left its region often goes to RIP. @returns whether more is known of it now */
  note(): boolean {
    const { i32 } = this;
    const at = (offset: number): number => keyOf(i32[offset >> 2]!, i32[(offset + 4) >> 2]!);
    const [jump, target] = [at(RegionState.indirectSite), at(State.rip)];
    const before = this.#of.get(jump) ?? [];
    if (before.includes(target)) return false;
    const found = [target];
    const counts = IndirectCounts.address >> 2;
    for (let entry = counts; entry < counts + IndirectCounts.entries * 4; entry += 4) {
      if (i32[entry] !== lowOf(jump) || i32[entry + 2]! < warmTarget) continue;
      found.push(keyOf(i32[entry + 1]!, highOf(target)));
    }
    const now = [...new Set([...before, ...found])].slice(0, mostTargets);
    if (now.length === before.length) return false;
    this.#keep(jump, now);
    return true;
  }
}
