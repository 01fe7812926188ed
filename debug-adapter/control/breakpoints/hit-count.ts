/** How often a breakpoint was hit, by moments: a part of history that runs again counts each of its hits once, and none that the past has no more. */

const firstCapacity = 64;
/** Hits kept one by one (8 bytes each); of those before them only the number. */
const most = 1 << 20;

export class HitCount {
  /** Instruction counts of the hits, ascending; the first `#size` are in use. */
  #moments = new Float64Array(firstCapacity);
  #size = 0;
  /** Hits before those kept. */
  #before = 0;

  /** A hit at instruction count `moment`: answers its number in the order of the guest's time, 1 for the first. */
  note(moment: number): number {
    const at = this.#indexOf(moment);
    if (at === this.#size || this.#moments[at] !== moment) this.#insert(at, moment);
    return this.#before + this.#indexOf(moment) + 1;
  }

  /** The guest goes another way from `moment` on: later hits never happened. */
  forgetAfter(moment: number): void {
    this.#size = this.#indexOf(moment + 1);
  }

  /** Index of the first hit at or after `moment`. */
  #indexOf(moment: number): number {
    let low = 0;
    let high = this.#size;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#moments[middle]! < moment) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #insert(at: number, moment: number): void {
    let index = at;
    if (this.#size === this.#moments.length) {
      if (this.#size >= most) {
        const dropped = most / 2;
        // Among those that only their number is kept of.
        if (at < dropped) return;
        this.#moments.copyWithin(0, dropped);
        this.#before += dropped;
        this.#size -= dropped;
        index -= dropped;
      } else {
        const larger = new Float64Array(this.#moments.length * 2);
        larger.set(this.#moments);
        this.#moments = larger;
      }
    }
    this.#moments.copyWithin(index + 1, index, this.#size);
    this.#moments[index] = moment;
    this.#size++;
  }
}
