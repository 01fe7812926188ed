/** Blocks of the interpreter that have run often: generated code counts the runs, and notes the block each time that there are so many more. */

import { Rec } from './shape';
import { type Code } from './wasm/code';

/** Runs after which a block is noted, again and again: a power of two. */
export const hotRuns = 1024;

/** i32 how many were noted, i32 each the header of a block: a ring. */
const journal = { count: 0x359_0000, address: 0x359_0010, entries: 0x400 } as const;

/**
 * One run more of the block of a header.
 * @param header an i32 local that holds it. @param runs an i32 local for the meantime.
 */
export function countRun(c: Code, header: number, runs: number): void {
  c.get(header).get(header).mem('i32.load', Rec.runs).i32(1).op('i32.add').tee(runs).mem('i32.store', Rec.runs);
  c.get(runs)
    .i32(hotRuns - 1)
    .op('i32.and', 'i32.eqz');
  c.if(undefined, 'unlikely');
  c.i32(0);
  c.i32(0).mem('i32.load', journal.count).tee(runs).i32(1).op('i32.add').mem('i32.store', journal.count);
  c.get(runs)
    .i32(journal.entries - 1)
    .op('i32.and')
    .i32(2)
    .op('i32.shl')
    .get(header)
    .mem('i32.store', journal.address);
  c.end();
}

/** What has been noted and not been looked at yet. */
export class HotBlocks {
  #seen: number;

  constructor(private readonly i32: Int32Array) {
    this.#seen = i32[journal.count >> 2]!;
  }

  /** Headers, each once for every time that it was noted; the oldest are lost where there were too many. */
  take(): number[] {
    const { i32 } = this;
    const count = i32[journal.count >> 2]!;
    const noted = Math.min((count - this.#seen) | 0, journal.entries);
    this.#seen = count;
    return Array.from({ length: noted }, (_, i) => i32[(journal.address >> 2) + ((count - noted + i) & (journal.entries - 1))]!);
  }

  /** Blocks are given up: what was noted of them counts no longer. */
  forget(): void {
    this.#seen = this.i32[journal.count >> 2]!;
  }
}
