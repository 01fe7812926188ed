/** When a running machine's next checkpoint is due, and which old one to give up: dense near now, thinner with age, a bounded share of the host's time. */
import { type Checkpoint } from './checkpoints';

/** Share of host time that checkpoints may take: below 5 % with room for what measuring misses. */
const share = 0.015;
/**
 * Milliseconds that a checkpoint takes as long as none was taken. Where the first has to look at memory that was never touched it takes 50 to 90 and comes after two seconds, otherwise it
 * copies what the image's loader wrote and comes after one.
 */
const assumed = { withUntouched: 30, touched: 15 };
/** Milliseconds below which no replay is felt. */
const shortest = 20;
/** Instructions that run again in no time: no checkpoint is needed for them. */
const fewest = 200_000;
/** More checkpoints than this make looking for one slower than replaying. */
const most = 250;

export class Schedule {
  /** Milliseconds that the last two checkpoints took. */
  #costs: readonly [number, number];
  #lastTime = 0;

  /** @param knowsTouched whether memory that was never touched need not be looked at. */
  constructor(knowsTouched: boolean) {
    const first = knowsTouched ? assumed.touched : assumed.withUntouched;
    this.#costs = [first, first];
  }

  /** Milliseconds of running between two checkpoints. */
  get interval(): number {
    return Math.max(shortest, (this.#costs[0] + this.#costs[1]) / 2 / share);
  }

  due(now: number, instructionsSince: number): boolean {
    return now - this.#lastTime >= this.interval && instructionsSince >= fewest;
  }

  /** A checkpoint was taken, in `cost` milliseconds. */
  taken(now: number, cost: number): void {
    this.#lastTime = now;
    this.#costs = [this.#costs[1], cost];
  }

  /** The machine begins to run after it stood or was elsewhere. */
  restarted(now: number): void {
    this.#lastTime = now;
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
