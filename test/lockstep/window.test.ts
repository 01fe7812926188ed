/** The window that regions reach memory through, against a search page by page in random page tables. */

import assert from 'node:assert/strict';
import { findWindow, PageTables } from '../../debug-adapter/x86/jit/window';
import { Layout, State } from '../../debug-adapter/x86/state';
import { Random } from './random';

const PAGE = 4096;
const ramSize = 16 << 20;
const pages = ramSize / PAGE;
const longestAccess = 64;
const Entry = { present: 1, write: 2, user: 4, accessed: 0x20, dirty: 0x40, large: 0x80 } as const;
/** The tables lie in the last pages of RAM. */
const pml4 = ramSize - PAGE;
const pdpt = ramSize - 2 * PAGE;
const directory = ramSize - 3 * PAGE;

describe('the window', () => {
  const u32 = new Uint32Array((Layout.ramBase + ramSize) / 4);
  const setEntry = (table: number, index: number, base: number, flags: number): void => {
    u32[(Layout.ramBase + table + index * 8) >> 2] = base | flags;
  };

  it('is the longest stretch of one mapping that may be read, and that may be written', () => {
    const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000_000);
    console.log(`      windows: SEED=${seed}`);
    const random = new Random(seed);
    const below = (limit: number): number => random.below(limit);
    const happens = (chance: number): boolean => below(100_000) < chance * 100_000;
    const all = Entry.present | Entry.write | Entry.user | Entry.accessed | Entry.dirty;
    /** Most entries have all bits, as a kernel's do; `rare` is the chance that one is missing. */
    const flags = (rare: number): number =>
      happens(rare) ? all & ~[Entry.present, Entry.write, Entry.user, Entry.accessed, Entry.dirty][below(5)]! : all;
    for (let round = 0; round < 300; round++) {
      u32.fill(0, (Layout.ramBase + ramSize - 16 * PAGE) >> 2);
      u32[State.cr3 >> 2] = pml4;
      setEntry(pml4, 0, pdpt, all & ~Entry.dirty);
      setEntry(pdpt, 0, directory, all & ~Entry.dirty);
      const rare = [0.001, 0.02, 0.2][below(3)]!;
      const shift = below(4) === 0 ? 1 : 0;
      for (let big = 0; big < 10; big++) {
        if (below(2) === 0) setEntry(directory, big, big << 21, flags(rare) | Entry.large);
        else {
          const table = ramSize - (4 + big) * PAGE;
          setEntry(directory, big, table, flags(rare / 4));
          for (let i = 0; i < 512; i++) {
            const page = happens(rare / 4) ? below(pages) : (big << 9) + i + shift;
            setEntry(table, i, page * PAGE, flags(rare));
          }
        }
      }
      const code = Array.from({ length: below(6) }, () => below(pages));
      const anchor = below(pages) * PAGE + below(PAGE);
      const user = below(2) === 0;
      assert.deepEqual(findWindow(new PageTables(u32, ramSize), ramSize, anchor, user, code), expected(anchor, user, new Set(code)));
    }
  });

  /** What maps a page: [frame, readable, writable], or undefined. */
  function mapped(linear: number, user: boolean): readonly [number, boolean, boolean] | undefined {
    let table = pml4;
    let allowed: number = Entry.write | Entry.user;
    for (const shift of [39, 30, 21, 12]) {
      const entry = u32[(Layout.ramBase + table + (Math.floor(linear / 2 ** shift) % 512) * 8) >> 2]!;
      if (!(entry & Entry.present)) return undefined;
      allowed &= entry;
      const base = Math.floor(entry / PAGE) * PAGE;
      if (shift === 12 || entry & Entry.large) {
        const readable = (entry & Entry.accessed) !== 0 && (!user || (allowed & Entry.user) !== 0);
        const frame = (base + ((Math.floor(linear / PAGE) * PAGE) % 2 ** shift)) / PAGE;
        return [frame, readable, readable && (allowed & Entry.write) !== 0 && (entry & Entry.dirty) !== 0];
      }
      if (!(entry & Entry.accessed)) return undefined;
      table = base;
    }
    return undefined;
  }

  function expected(anchor: number, user: boolean, code: ReadonlySet<number>): ReturnType<typeof findWindow> {
    const here = Math.floor(anchor / PAGE);
    const first = mapped(anchor, user);
    if (first === undefined || first[0] >= pages) return undefined;
    const offset = first[0] - here;
    const reachable = new Map<number, readonly [number, boolean, boolean]>();
    for (const step of [1, -1]) {
      for (let page = here; page >= 0; page += step) {
        const there = mapped(page * PAGE, user);
        if (there === undefined || there[0] - page !== offset || there[0] >= pages) break;
        reachable.set(there[0], there);
      }
    }
    const longest = (may: (page: number) => boolean): { start: number; length: number } => {
      let best = { start: 0, length: 0 };
      let length = 0;
      for (let page = 0; page <= pages; page++) {
        length = page < pages && may(page) ? length + 1 : 0;
        if (length > best.length) best = { start: page + 1 - length, length };
      }
      return best;
    };
    const read = longest((page) => reachable.get(page)?.[1] === true);
    const write = longest((page) => reachable.get(page)?.[2] === true && !code.has(page));
    const bytes = (length: number): bigint => BigInt(Math.max(0, length * PAGE - longestAccess + 1));
    return {
      delta: (Layout.ramBase + offset * PAGE) | 0,
      readStart: BigInt((read.start - offset) * PAGE),
      readLength: bytes(read.length),
      writeStart: BigInt((write.start - offset) * PAGE),
      writeLength: bytes(write.length),
    };
  }
});
