/** Finds what covers an address among ranges that may nest: the one that begins last wins. */

export interface RangeEntry<T> {
  readonly low: number;
  readonly high: number;
  readonly value: T;
}

export class RangeMap<T> {
  private readonly entries: readonly RangeEntry<T>[];
  /** Largest `high` of the entries up to each one: where it is below the address, nothing earlier can cover it. */
  private readonly reach: Float64Array;

  /** Empty ranges are left out. */
  constructor(entries: readonly RangeEntry<T>[]) {
    this.entries = entries.filter((e) => e.high > e.low).sort((a, b) => a.low - b.low || b.high - a.high);
    this.reach = new Float64Array(this.entries.length);
    let reach = -Infinity;
    this.entries.forEach((entry, i) => {
      reach = Math.max(reach, entry.high);
      this.reach[i] = reach;
    });
  }

  get all(): readonly RangeEntry<T>[] {
    return this.entries;
  }

  /** The innermost entry covering the address. */
  find(address: number): RangeEntry<T> | undefined {
    let low = 0;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.entries[middle]!.low <= address) low = middle + 1;
      else high = middle;
    }
    for (let i = low - 1; i >= 0 && this.reach[i]! > address; i--) if (this.entries[i]!.high > address) return this.entries[i];
    return undefined;
  }
}
