/** Where functions begin, as calls have told: regions are made of whole functions, so that no instruction is translated for each of the places that lead into its function's middle. */

const PAGE = 4096;
/** Bytes before an address in which the start of its function is looked for. */
const furthest = 2 * PAGE;
/** Starts that are kept: a guest that makes code as it goes would bring more and more. */
const most = 50_000;

export class FunctionStarts {
  readonly #byPage = new Map<number, number[]>();
  #count = 0;

  /** There is a call that leads to this address. */
  note(key: number): void {
    const page = Math.floor(key / PAGE);
    const starts = this.#byPage.get(page);
    if (starts?.includes(key) === true) return;
    if (++this.#count > most) this.clear();
    if (starts === undefined) this.#byPage.set(page, [key]);
    else starts.push(key);
  }

  /** Was a call seen to lead to this address? */
  has(key: number): boolean {
    return this.#byPage.get(Math.floor(key / PAGE))?.includes(key) === true;
  }

  /** The start of the function that an address most likely lies in, or undefined where none is known nearby. */
  of(key: number): number | undefined {
    for (let page = Math.floor(key / PAGE); page >= Math.floor((key - furthest) / PAGE); page--) {
      let best = -Infinity;
      for (const start of this.#byPage.get(page) ?? []) if (start <= key && start > best) best = start;
      if (best > key - furthest) return best;
    }
    return undefined;
  }

  clear(): void {
    this.#byPage.clear();
    this.#count = 0;
  }
}
