/** Finds the stretch of linear memory that maps onto RAM without a seam, so that regions may reach it without the TLB. */

import { Layout, State } from '../state';
import { type WindowMapping } from './region-abi';

/** Page table entry bits (SDM vol. 3A, table 4-20). */
const Entry = { present: 1, write: 2, user: 4, accessed: 0x20, dirty: 0x40, large: 0x80 } as const;
const PAGE = 4096;
/** Longest access of generated code, bytes. */
const longestAccess = 64;
/** Page table entries looked at before the search gives up. */
const mostEntries = 80_000;

/** One leaf of the page tables: what maps a linear address. */
export interface Leaf {
  /** First physical and linear address of the page. */
  readonly physical: number;
  readonly linear: number;
  readonly size: number;
  /** Bits of `Entry`, those of permissions combined over all levels. */
  readonly flags: number;
  readonly executable: boolean;
  readonly user: boolean;
}

/** Reads 4-level page tables without side effects. Linear addresses below 2^47 only. */
export class PageTables {
  readonly #u32: Uint32Array;

  constructor(
    u32: Uint32Array,
    private readonly ramSize: number,
  ) {
    this.#u32 = u32;
  }

  /** The leaf over a linear address, or undefined where none is present. */
  leaf(linear: number): Leaf | undefined {
    return this.walk()(linear);
  }

  /** Finds leaves while the tables stay as they are: neighbours in one table of 4 KiB pages are found without the levels above. */
  walk(): (linear: number) => Leaf | undefined {
    const u32 = this.#u32;
    const root = (u32[State.cr3 >> 2]! & 0xfffff000) >>> 0;
    /** The last table of 4 KiB pages: which 2 MiB it maps, where it is, and what the levels above allow. */
    let region = -1;
    let table = 0;
    let flags = 0;
    let executable = true;
    return (linear) => {
      let shift = 12;
      if (Math.floor(linear / 2 ** 21) !== region) {
        region = -1;
        table = root;
        flags = Entry.write | Entry.user;
        executable = true;
        shift = 39;
      }
      for (; ; shift -= 9) {
        const at = table + (Math.floor(linear / 2 ** shift) & 511) * 8;
        if (at + 8 > this.ramSize) return undefined;
        const low = u32[(Layout.ramBase + at) >>> 2]!;
        const high = u32[(Layout.ramBase + at + 4) >>> 2]!;
        if ((low & Entry.present) === 0) return undefined;
        const allowed = flags & low;
        const runs = executable && (high & 0x8000_0000) === 0;
        const base = (high & 0xfffff) * 2 ** 32 + ((low & 0xfffff000) >>> 0);
        if (shift === 12 || (shift <= 30 && (low & Entry.large) !== 0)) {
          const size = 2 ** shift;
          return {
            physical: Math.floor(base / size) * size,
            linear: Math.floor(linear / size) * size,
            size,
            executable: runs,
            user: (allowed & Entry.user) !== 0,
            flags: allowed | (low & (Entry.accessed | Entry.dirty)),
          };
        }
        if ((low & Entry.accessed) === 0) return undefined;
        table = base;
        flags = allowed;
        executable = runs;
        if (shift === 21) region = Math.floor(linear / 2 ** 21);
      }
    };
  }
}

/** True where a leaf may be read, or executed, without the processor touching its entry. */
export const isAccessed = (leaf: Leaf): boolean => (leaf.flags & Entry.accessed) !== 0;

/** Pages from `start` up to `end`. */
interface Run {
  readonly start: number;
  readonly end: number;
}

/** Pages that may be accessed alike. */
interface Stretch extends Run {
  start: number;
  end: number;
  readonly readable: boolean;
  readonly writable: boolean;
}

/**
 * The mapping around that of `anchor`: the longest stretch of it that may be read, and that may be written; undefined where there is none.
 * @param user the accesses are those of CPL 3.
 * @param codePages the physical pages to which stores must be seen.
 */
export function findWindow(
  tables: PageTables,
  ramSize: number,
  anchor: number,
  user: boolean,
  codePages: Iterable<number>,
): WindowMapping | undefined {
  const leafAt = tables.walk();
  const first = leafAt(anchor);
  if (first === undefined || first.physical >= ramSize) return undefined;
  const offset = first.physical - first.linear;
  const pages = Math.floor(ramSize / PAGE);
  let left = mostEntries;
  /** Physical pages from one on, upwards or downwards. */
  const stretches = (from: number, isUpwards: boolean): Stretch[] => {
    const list: Stretch[] = [];
    let linear = from;
    while (left-- > 0 && linear >= 0 && linear < 2 ** 47) {
      const leaf = leafAt(linear);
      if (leaf === undefined || leaf.physical - leaf.linear !== offset || leaf.physical >= ramSize) break;
      const readable = isAccessed(leaf) && (!user || (leaf.flags & Entry.user) !== 0);
      const writable = readable && (leaf.flags & (Entry.write | Entry.dirty)) === (Entry.write | Entry.dirty);
      const start = leaf.physical / PAGE;
      const end = Math.min(pages, start + leaf.size / PAGE);
      const last = list[list.length - 1];
      if (last?.readable === readable && last.writable === writable) {
        if (isUpwards) last.end = end;
        else last.start = start;
      } else list.push({ start, end, readable, writable });
      linear = isUpwards ? leaf.linear + leaf.size : leaf.linear - 1;
    }
    return list;
  };
  const upwards = stretches(first.linear, true);
  const all = [...stretches(first.linear - 1, false).reverse(), ...upwards];
  const read = longestRun(all.filter(({ readable }) => readable));
  const code = [...codePages].sort((one, other) => one - other);
  const write = longestRun(all.filter(({ writable }) => writable).flatMap((stretch) => without(code, stretch)));
  return {
    delta: (Layout.ramBase + offset) | 0,
    readStart: BigInt(read.start * PAGE - offset),
    readLength: lengthOf(read),
    writeStart: BigInt(write.start * PAGE - offset),
    writeLength: lengthOf(write),
  };
}

/** What is left of a stretch without those of a sorted list of pages. */
function without(pages: readonly number[], { start, end }: Run): Run[] {
  const rest: Run[] = [];
  for (const page of pages) {
    if (page < start) continue;
    if (page >= end) break;
    if (page > start) rest.push({ start, end: page });
    start = page + 1;
  }
  if (start < end) rest.push({ start, end });
  return rest;
}

/** Does code that was made for one mapping hold in another? */
export function covers(outer: WindowMapping | undefined, inner: WindowMapping): boolean {
  return (
    outer?.delta === inner.delta &&
    contains(outer.readStart, outer.readLength, inner.readStart, inner.readLength) &&
    contains(outer.writeStart, outer.writeLength, inner.writeStart, inner.writeLength)
  );
}

/** Is the range [start, start + length) empty or within the outer one? */
function contains(outerStart: bigint, outerLength: bigint, start: bigint, length: bigint): boolean {
  return length === 0n || (outerStart <= start && outerStart + outerLength >= start + length);
}

/** May the code of this mapping write to the physical page? */
export function writes(window: WindowMapping, page: number): boolean {
  const first = (((Number(BigInt.asUintN(32, window.writeStart)) + window.delta) >>> 0) - Layout.ramBase) / PAGE;
  return page >= first && page < first + (Number(window.writeLength) + longestAccess) / PAGE;
}

/** May it reach this linear page? */
export function reaches(window: WindowMapping, linear: bigint): boolean {
  const within = (start: bigint, length: bigint): boolean =>
    linear >= start - BigInt(PAGE) && linear < start + length + BigInt(longestAccess);
  return within(window.readStart, window.readLength) || within(window.writeStart, window.writeLength);
}

/** The longest run of pages that ascending stretches make up together; the first of the longest. */
function longestRun(stretches: readonly Run[]): Run {
  let best: Run = { start: 0, end: 0 };
  let run: Run = { start: 0, end: 0 };
  for (const { start, end } of stretches) {
    run = { start: start === run.end ? run.start : start, end };
    if (run.end - run.start > best.end - best.start) best = run;
  }
  return best;
}

/** Addresses at which an access may begin, whatever its length. */
const lengthOf = ({ start, end }: Run): bigint => BigInt(Math.max(0, (end - start) * PAGE - longestAccess + 1));
