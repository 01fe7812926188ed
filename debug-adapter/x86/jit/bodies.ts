/** Functions of regions, as the thread that compiles remembers them: they may be wanted once more in another module. */

import { type RegionBody } from './compile';

/** Bytes of functions that are remembered. */
const mostBytes = 24 << 20;

/** The functions of the table that was ordered for last, by their places in it: the oldest are forgotten where there are too many. */
export class Bodies {
  #owner = -1;
  readonly #byPlace = new Map<number, RegionBody>();
  #bytes = 0;

  add(owner: number, first: number, bodies: readonly RegionBody[]): void {
    if (owner !== this.#owner) {
      this.#owner = owner;
      this.#byPlace.clear();
      this.#bytes = 0;
    }
    bodies.forEach((body, number) => {
      this.#forget(first + number);
      this.#byPlace.set(first + number, body);
      this.#bytes += body.body.length;
    });
    for (const place of this.#byPlace.keys()) {
      if (this.#bytes <= mostBytes) break;
      this.#forget(place);
    }
  }

  #forget(place: number): void {
    this.#bytes -= this.#byPlace.get(place)?.body.length ?? 0;
    this.#byPlace.delete(place);
  }

  at(owner: number, place: number): RegionBody | undefined {
    return owner === this.#owner ? this.#byPlace.get(place) : undefined;
  }
}
