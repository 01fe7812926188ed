/** Which regions may reach memory through a window, and whether the windows that they were made for still hold. */

import { Mode, State } from '../state';
import { type WindowMapping } from './region-abi';
import { type Installed, type RegionStore } from './region-store';
import { covers, findWindow, type PageTables, reaches, writes } from './window';

/** Times that regions were dropped because the window changed before there is none any more. */
const mostChanges = 24;

export interface WindowHost {
  readonly view: DataView;
  readonly i32: Int32Array;
  readonly ramSize: number;
  readonly eager: boolean;
}

export class Windows {
  /** Nothing may bypass the TLB, e.g. while memory is watched. */
  off = false;
  #changes = 0;
  /** Entries of regions that reach all over the memory. */
  readonly roaming = new Set<number>();

  /** @param codePages the physical pages to which stores must be seen. */
  constructor(
    private readonly host: WindowHost,
    private readonly tables: PageTables,
    private readonly store: RegionStore,
    private readonly codePages: () => Iterable<number>,
  ) {}

  /** May the region of an entry be made for a window? */
  mayUse(entry: number): boolean {
    return !this.off && (this.#changes < mostChanges || this.host.eager) && !this.roaming.has(entry);
  }

  /** The window around an address, which is the stack pointer's where none is given. */
  find(anchor = this.host.view.getBigUint64(State.gpr + 4 * 8, true)): WindowMapping | undefined {
    const user = (this.host.i32[State.mode >> 2]! & Mode.user) !== 0;
    const start = anchor < 1n << 47n ? Number(anchor) : 0;
    const found = findWindow(this.tables, this.host.ramSize, start, user, this.codePages());
    if (found === undefined) return undefined;
    // The same for all regions that are made for it, so that it is looked at once for all of them.
    for (const { window } of this.store.windowed) if (covers(window, found) && covers(found, window!)) return window;
    return found;
  }

  /** May a region reach this linear address without the TLB? */
  reach(linear: bigint): boolean {
    for (const { window } of this.store.windowed) if (reaches(window!, linear)) return true;
    return false;
  }

  /** May a region write to this physical page without the TLB? */
  write(page: number): boolean {
    for (const { window } of this.store.windowed) if (writes(window!, page)) return true;
    return false;
  }

  /** Regions whose window is none any more. */
  broken(): Installed[] {
    const regions = [...this.store.windowed];
    return [...new Set(regions.map(({ window }) => window!))].flatMap((window) => {
      if (covers(this.find(window.readStart), window)) return [];
      this.#changes++;
      return regions.filter((region) => region.window === window);
    });
  }
}
