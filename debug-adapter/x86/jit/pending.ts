/** Regions that are being compiled on another thread, and what has become of their code meanwhile. */

import { type Region } from './discover';

const mostOrders = 2;

export interface PendingRegion {
  readonly key: number;
  readonly mode: number;
  readonly region: Region;
  readonly ranges: readonly (readonly [number, number])[];
  /** Its code has changed. */
  stale: boolean;
}

export class Pending {
  readonly #orders = new Set<readonly PendingRegion[]>();
  readonly #keys = new Map<number, PendingRegion>();

  /** Is the other thread busy enough? */
  get isFull(): boolean {
    return this.#orders.size >= mostOrders;
  }

  get isIdle(): boolean {
    return this.#orders.size === 0;
  }

  has(key: number): boolean {
    return this.#keys.has(key);
  }

  hasCode(page: number): boolean {
    for (const { region } of this.#keys.values()) if (region.pages.has(page)) return true;
    return false;
  }

  add(order: readonly PendingRegion[]): void {
    this.#orders.add(order);
    for (const region of order) this.#keys.set(region.key, region);
  }

  /** The order is done with. @returns whether its regions may still be used */
  take(order: readonly PendingRegion[]): boolean {
    if (!this.#orders.delete(order)) return false;
    for (const region of order) this.#keys.delete(region.key);
    return true;
  }

  /** Code in [physical, physical + length) changes. */
  invalidate(physical: number, length: number): void {
    for (const region of this.#keys.values()) {
      if (region.ranges.some(([start, end]) => start < physical + length && end > physical)) region.stale = true;
    }
  }

  /** Nothing that was asked for is of use any more. */
  clear(): void {
    this.#orders.clear();
    this.#keys.clear();
  }
}
