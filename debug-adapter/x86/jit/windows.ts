/** Which regions may reach memory through a window, and whether the windows that they were made for still hold. */

import { Mode, State } from '../state';
import { type WindowMapping } from './region-abi';
import { type Installed, type RegionStore } from './region-store';
import { covers, findWindow, type PageTables, reaches, writes } from './window';

/** Times that regions were dropped because the window changed before there is none any more, and before none is made for it at once. */
const mostChanges = 24;
const mostChangesAtOnce = 4;
/** Bytes of a window that regions are made for: smaller ones hold little of what code reaches. */
const leastWindow = 1n << 20n;
/** Of so many pages that were reached one may lie beyond a window that holds all that matters. */
const pagesToOneBeyond = 20;

export interface WindowHost {
  readonly view: DataView;
  readonly i32: Int32Array;
  readonly ramSize: number;
  readonly eager: boolean;
  reached(access: 'read' | 'write'): readonly number[];
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

  /** Is a window worth being made for? */
  isWide(window: WindowMapping | undefined): boolean {
    return window !== undefined && (this.host.eager || window.readLength >= leastWindow);
  }

  /** Does the guest's data lie in the window, as far as the TLB knows? Then regions may be made for it from the start. */
  holdsAll(): boolean {
    if (this.off || this.host.eager || this.#changes >= mostChangesAtOnce) return false;
    const window = this.find();
    if (window === undefined || !this.isWide(window)) return false;
    const [reads, writes] = [this.host.reached('read'), this.host.reached('write')];
    const { readStart, readLength, writeStart, writeLength } = window;
    const beyond = countBeyond(reads, readStart, readLength) + countBeyond(writes, writeStart, writeLength);
    return beyond * pagesToOneBeyond <= reads.length + writes.length;
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

function countBeyond(pages: readonly number[], start: bigint, length: bigint): number {
  const first = Number(start);
  const end = first + Number(length);
  return pages.filter((page) => page < first || page >= end).length;
}
