/** When a running machine's next checkpoint is due, and which old one to give up: dense near now, thinner with age, a bounded share of the host's time. */
import { type Checkpoint } from './checkpoints';

/** Share of host time that checkpoints may take: below 5 % with room for what measuring misses. */
const share = 0.0125;
/** Milliseconds that cheap ones may take beyond that: in all, and from each start of the guest on, so that who stops soon after one has some close behind. */
const ahead = 24;
const aheadAgain = 6;
/** Milliseconds of the share that may be saved up. */
const mostSaved = 16;
/** Milliseconds that a checkpoint takes as long as none was taken. */
const assumed = 1;
/** Where one takes so many times as long as the two before it did, the host was busy with something else. */
const mostGrowth = 3;
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
  /** Milliseconds of the share that are left, at `#since`; less than none where one took more than it was thought to. */
  #saved = 0;
  /** Those beyond the share that are left. */
  #ahead = ahead;
  #since = 0;
  #lastTime = 0;

  /**
   * @param maySlip a little later would be better
   * @param isDear all of memory has to be looked through: of such, few fit into what may be spent ahead
   */
  due(now: number, instructionsSince: number, maySlip = false, isDear = false): boolean {
    if (now - this.#lastTime < (maySlip ? longest : shortest) || instructionsSince < fewest) return false;
    this.#earn(now);
    return this.#saved + (isDear ? 0 : this.#ahead) >= Math.min(mostSaved, (this.#costs[0] + this.#costs[1]) / 2);
  }

  /** A checkpoint was taken, in `milliseconds`. */
  taken(now: number, milliseconds: number, isDear = false): void {
    const cost = Math.min(milliseconds, mostGrowth * Math.max(...this.#costs));
    this.#earn(now);
    const borrowed = isDear ? 0 : Math.min(this.#ahead, Math.max(0, cost - this.#saved));
    this.#ahead -= borrowed;
    this.#saved -= cost - borrowed;
    this.#lastTime = now;
    this.#costs = [this.#costs[1], cost];
  }

  /** The machine begins to run after it stood or was elsewhere. */
  restarted(now: number): void {
    this.#ahead = Math.max(this.#ahead, aheadAgain);
    this.#since = now;
    this.#lastTime = now;
  }

  #earn(now: number): void {
    this.#saved = Math.min(mostSaved, this.#saved + (now - this.#since) * share);
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
