/** Cuts a section into pieces: who owns which range, which symbols lie in it, and what is left between them. */

import { NO_SYMBOL, PADDING, SHARED, type SizePiece } from './model';

/** Library and object that bytes belong to. */
export interface Owner {
  readonly library: string;
  readonly object: string;
}

/** A range of a section that belongs to one object. */
export interface OwnedRange {
  readonly offset: number;
  readonly size: number;
  readonly owner: Owner;
}

/** A symbol of a section. */
export interface PlacedSymbol {
  readonly name: string;
  readonly offset: number;
  /** 0: up to the next symbol. */
  readonly size: number;
  /** Where known; else the owner of the range around it. */
  readonly owner: Owner | undefined;
}

/** Gaps below this are there for alignment: no processor asks for more than a cache line. */
const MOST_PADDING = 64;
const NOBODY: Owner = { library: SHARED, object: SHARED };

/** Pieces of a section of `size` bytes; they follow one another and sum up to it, whatever overlaps or sticks out in the input. */
export function tileSection(section: string, size: number, ranges: readonly OwnedRange[], symbols: readonly PlacedSymbol[]): SizePiece[] {
  const finder = new OwnerFinder(ranges);
  // At one place the longest symbol counts; those within it are parts or other names of it.
  const sorted = symbols.filter((s) => s.offset < size).sort((a, b) => a.offset - b.offset || b.size - a.size);
  const pieces: SizePiece[] = [];
  let at = 0;
  let previous: Owner | undefined;
  const push = (owner: Owner, symbol: string, end: number): void => {
    if (end <= at) return;
    const last = pieces.at(-1);
    if (last?.symbol === symbol && last.library === owner.library && last.object === owner.object && symbol.startsWith('('))
      pieces[pieces.length - 1] = { ...last, size: last.size + end - at };
    else pieces.push({ ...owner, section, symbol, offset: at, size: end - at });
    at = end;
  };
  /** Fills up to `end`, range by range. */
  const fill = (end: number, next: Owner | undefined): void => {
    while (at < end) {
      const range = finder.at(at);
      if (range) {
        push(range.owner, NO_SYMBOL, Math.min(end, range.offset + range.size));
        continue;
      }
      const until = Math.min(end, finder.nextStart(at));
      const known = previous && next && previous.library === next.library && previous.object === next.object ? previous : undefined;
      if (until - at < MOST_PADDING) push(previous ?? next ?? NOBODY, PADDING, until);
      else push(known ?? NOBODY, NO_SYMBOL, until);
    }
  };
  sorted.forEach((symbol, i) => {
    if (symbol.offset < at && symbol.offset + symbol.size <= at) return;
    const start = Math.max(symbol.offset, at);
    const owner = symbol.owner ?? finder.at(start)?.owner;
    fill(start, owner);
    // A label reaches to the next symbol, but not out of its object.
    const range = finder.at(start);
    const following = sorted.slice(i + 1).find((s) => s.offset > start)?.offset ?? size;
    const open = range ? Math.min(following, range.offset + range.size) : following;
    const end = Math.min(size, symbol.size > 0 ? symbol.offset + symbol.size : open);
    const chosen = owner ?? previous ?? NOBODY;
    push(chosen, symbol.name, end);
    previous = chosen;
  });
  fill(size, undefined);
  return pieces;
}

/** Finds the range that holds an offset; where ranges overlap, the one that begins first. */
class OwnerFinder {
  private readonly ranges: OwnedRange[] = [];

  constructor(ranges: readonly OwnedRange[]) {
    let end = 0;
    for (const r of [...ranges].sort((a, b) => a.offset - b.offset || b.size - a.size)) {
      const from = Math.max(end, r.offset);
      if (r.offset + r.size <= from) continue;
      this.ranges.push({ offset: from, size: r.offset + r.size - from, owner: r.owner });
      end = r.offset + r.size;
    }
  }

  /** Index of the first range that starts after an offset. */
  private after(offset: number): number {
    let low = 0;
    let high = this.ranges.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.ranges[middle]!.offset <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  at(offset: number): OwnedRange | undefined {
    const r = this.ranges[this.after(offset) - 1];
    return r && offset < r.offset + r.size ? r : undefined;
  }

  nextStart(offset: number): number {
    return this.ranges[this.after(offset)]?.offset ?? Infinity;
  }
}
