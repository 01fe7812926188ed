/** How many lines of the trace and of log points go to the console as they happen: a burst in full, a flood as far as it can be read. */

/** Lines of a burst, and lines that each slice of some milliseconds adds again. */
const burst = 1000;
const perSlice = 12;
/** Slices without a skipped line after which the gap is told. */
const silence = 4;

export class LineBudget {
  #left = burst;
  #skipped = 0;
  #quiet = 0;

  /** @param told gets the number of lines that were left out, when the flood is over. */
  constructor(private readonly told: (skipped: number) => void) {}

  /** May another line be written? */
  take(): boolean {
    if (this.#left > 0) {
      this.#left--;
      return true;
    }
    this.#skipped++;
    this.#quiet = 0;
    return false;
  }

  /** A slice of the guest's run is over. */
  refill(): void {
    this.#left = Math.min(burst, this.#left + perSlice);
    if (this.#skipped === 0 || ++this.#quiet < silence) return;
    const skipped = this.#skipped;
    this.#skipped = 0;
    this.told(skipped);
  }
}
