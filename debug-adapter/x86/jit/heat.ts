/** What is known of how often the guest's code runs: which addresses are worth compiling, which are not, and how often regions were made again. */

/** Bytes of code whose samples are counted together, and how many of them make it hot. */
const stretch = 512;
const hotSamples = 20;
/** The same where compiling takes no time of the machine's thread. */
const hotSamplesBeside = 3;
/** How many more it takes where a region was made for an address nearby. */
const coolSamples = 60;
/** Addresses that are counted before all counts begin anew. */
const mostCounts = 50_000;

export class Heat {
  readonly #samples = new Map<number, number>();
  /** Addresses at which no region begins, as what stands there does not compile; by physical page, -1 where there was none. */
  readonly #hopeless = new Map<number, Set<number>>();
  /** Entry of a region -> times that it was made again to fit better, and times that it was because of where it reaches. */
  readonly #remade = new Map<number, number>();
  readonly #parted = new Map<number, number>();

  /** @param eager everything is hot that is seen once. */
  constructor(private readonly eager: boolean) {}

  /** The interpreter was found at this address: is it hot around there? */
  sampled(key: number, beside: boolean): boolean {
    return count(this.#samples, Math.floor(key / stretch)) >= (beside ? hotSamplesBeside : hotSamples) || this.eager;
  }

  /** A region nearby was made instead: it is to be seen whether one that begins here is needed all the same. */
  cool(key: number): void {
    this.#samples.set(Math.floor(key / stretch), -coolSamples);
  }

  /** No region begins at this address of a physical page. */
  giveUp(key: number, page: number): void {
    const keys = this.#hopeless.get(page);
    if (keys === undefined) this.#hopeless.set(page, new Set([key]));
    else keys.add(key);
  }

  isHopeless(key: number, page: () => number): boolean {
    return this.#hopeless.size > 0 && this.#hopeless.get(page())?.has(key) === true;
  }

  /** Code of this physical page changes. */
  pageWritten(page: number): void {
    this.#hopeless.delete(page);
  }

  /** Is this the time to make a region again that was left `exits` times for the same reason? Each time it has to be worth four times as much. */
  isWorthRemaking(entry: number, exits: number, first: number): boolean {
    const times = this.remade(entry);
    if (exits < first * 4 ** times) return false;
    this.#remade.set(entry, times + 1);
    return true;
  }

  /** The same for accesses that were thought to lie in one page and do not: how many there are of those is soon known. */
  isWorthParting(entry: number, exits: number, first: number): boolean {
    const times = this.#parted.get(entry) ?? 0;
    if (exits < first * 2 ** times) return false;
    this.#parted.set(entry, times + 1);
    return true;
  }

  /** Times that the region at this entry was made again. */
  remade(entry: number): number {
    return this.#remade.get(entry) ?? 0;
  }

  clear(): void {
    this.#samples.clear();
    this.#hopeless.clear();
    this.#remade.clear();
    this.#parted.clear();
  }
}

function count(counts: Map<number, number>, key: number): number {
  const times = (counts.get(key) ?? 0) + 1;
  if (counts.size > mostCounts) counts.clear();
  counts.set(key, times);
  return times;
}
