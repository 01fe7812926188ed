/** When a running machine's next checkpoint is due, and which old one to give up: dense near now, thinner with age, a bounded share of the host's time. */
import { type Checkpoint } from './checkpoints';

/** Share of host time that checkpoints may take: below 5 % with room for what measuring misses. */
const share = 0.0125;
/** Milliseconds that they may take beyond that: in all, and from each start of the guest on, so that who stops soon after one has some close behind. */
const ahead = 16;
const aheadAgain = 6;
/** Milliseconds that a checkpoint takes as long as none was taken. */
const assumed = 1;
/** Milliseconds below which no replay is felt. */
const shortest = 20;
/** The same where one may wait for the next occasion. */
const longest = 200;
/** Instructions that run again in no time: no checkpoint is needed for them. */
const fewest = 10_000;
/** More checkpoints than this make looking for one slower than replaying. */
const most = 250;

export class Schedule {
  /** Milliseconds that the last two checkpoints took. */
  #costs: readonly [number, number] = [assumed, assumed];
  /** Milliseconds that may be spent, at `#since`. */
  #credit = ahead;
  #since = 0;
  #lastTime = 0;

  /** @param maySlip a little later would be better */
  due(now: number, instructionsSince: number, maySlip = false): boolean {
    if (now - this.#lastTime < (maySlip ? longest : shortest) || instructionsSince < fewest) return false;
    this.#earn(now);
    return this.#credit >= Math.min(ahead, (this.#costs[0] + this.#costs[1]) / 2);
  }

  /** A checkpoint was taken, in `cost` milliseconds. */
  taken(now: number, cost: number): void {
    this.#earn(now);
    this.#credit -= cost;
    this.#lastTime = now;
    this.#costs = [this.#costs[1], cost];
  }

  /** The machine begins to run after it stood or was elsewhere. */
  restarted(now: number): void {
    this.#credit = Math.max(this.#credit, aheadAgain);
    this.#since = now;
    this.#lastTime = now;
  }

  #earn(now: number): void {
    this.#credit = Math.min(ahead, this.#credit + (now - this.#since) * share);
    this.#since = now;
  }
}

/**
 * Index of the checkpoint that is missed least when the user stands at instruction `position`: the one whose neighbours are closest together, measured
 * against their distance from there. Undefined while everything fits.
 */
export function leastUseful(
  list: readonly Checkpoint[],
  bytes: number,
  budget: number,
  position: number,
  limit = most,
): number | undefined {
  if (list.length < 2 || (bytes <= budget && list.length <= limit)) return undefined;
  let best = list.length - 1;
  let bestScore = Infinity;
  for (let index = 1; index < list.length - 1; index++) {
    const gap = list[index + 1]!.at - list[index - 1]!.at;
    const score = gap / (Math.abs(position - list[index]!.at) + 1);
    if (score < bestScore) {
      bestScore = score;
      best = index;
    }
  }
  return best;
}
