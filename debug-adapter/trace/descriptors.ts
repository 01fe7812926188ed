/** What each descriptor was opened for, at every moment that a recorded call may be asked about: looked up when somebody looks at the call, not when it is made. */

interface Change {
  /** Instructions retired when it became so. */
  readonly from: number;
  /** Undefined where it was closed. */
  readonly path: Uint8Array | undefined;
}

/** A descriptor's changes are thinned out when there are at least so many, and twice as many as the last time. */
const fewest = 64;

export class Descriptors {
  /** By descriptor, oldest first. */
  readonly #changes = new Map<number, { list: Change[]; thinAt: number }>();

  /** @param oldest instructions retired at the oldest call that may be asked about. */
  constructor(private readonly oldest: () => number) {}

  set(descriptor: number, from: number, path: Uint8Array | undefined): void {
    let known = this.#changes.get(descriptor);
    if (known === undefined) {
      if (path === undefined) return;
      this.#changes.set(descriptor, (known = { list: [], thinAt: fewest }));
    }
    known.list.push({ from, path });
    if (known.list.length < known.thinAt) return;
    known.list = known.list.slice(Math.max(0, countUntil(known.list, this.oldest()) - 1));
    known.thinAt = Math.max(fewest, 2 * known.list.length);
  }

  /** The path, or whatever else names it, at a moment; a change at that very moment counts. */
  at(descriptor: number, moment: number): Uint8Array | undefined {
    const list = this.#changes.get(descriptor)?.list;
    if (list === undefined) return undefined;
    return list[countUntil(list, moment) - 1]?.path;
  }

  /** What was changed after a moment never was. */
  forgetAfter(moment: number): void {
    for (const { list } of this.#changes.values()) while (list.length > 0 && list.at(-1)!.from > moment) list.pop();
  }
}

/** How many changes there were up to a moment and at it. */
function countUntil(list: readonly Change[], moment: number): number {
  // Mostly the newest is asked for.
  if (list.length > 0 && list[list.length - 1]!.from <= moment) return list.length;
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle]!.from <= moment) low = middle + 1;
    else high = middle;
  }
  return low;
}
