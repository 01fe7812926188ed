/** Places in the source that values and variables refer to, by the numbers that the `locations` request asks with. */
import { type SourceLocation } from '../control/api';

/** References kept; those that were given out longest ago go first. */
const most = 20_000;

export class LocationTable {
  #next = 1;
  readonly #byReference = new Map<number, SourceLocation>();
  readonly #references = new Map<string, number>();

  /** The reference of a place; the same place has the same one. */
  reference(location: SourceLocation): number {
    const key = `${location.path}:${location.line}:${location.column}`;
    const known = this.#references.get(key);
    if (known !== undefined) return known;
    if (this.#byReference.size >= most) this.clear();
    const reference = this.#next++;
    this.#byReference.set(reference, location);
    this.#references.set(key, reference);
    return reference;
  }

  get(reference: number): SourceLocation | undefined {
    return this.#byReference.get(reference);
  }

  clear(): void {
    this.#byReference.clear();
    this.#references.clear();
  }
}
