/** Merges equal strings and constants of sections that allow it (SHF_MERGE; System V ABI, chapter 4, "Section Attribute Flags"). */

import { SHF } from './elf';
import { type InputSection } from './object';

/** Where the pieces of one input section went. */
export class MergeMap {
  constructor(
    /** Offsets of the pieces in the input, ascending. */
    private readonly starts: Uint32Array,
    private readonly count: number,
    /** Their offsets in the output section. */
    private readonly places: Uint32Array,
  ) {}

  /** Offset in the output section of a byte of the input. */
  outputOffset(offset: number): number {
    const { starts } = this;
    let low = 0;
    let high = this.count - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return this.count === 0 ? offset : this.places[low]! + (offset - starts[low]!);
  }
}

/** Whether a section's pieces may be merged with others'. Sections with relocations may not, as their bytes are not final. */
export function isMergeable(s: InputSection): boolean {
  if ((s.flags & SHF.MERGE) === 0 || (s.flags & SHF.WRITE) !== 0 || s.relaCount > 0 || s.entsize === 0 || s.size === 0) return false;
  if ((s.flags & SHF.STRINGS) === 0) return s.size % s.entsize === 0;
  if (s.entsize !== 1 && s.entsize !== 2 && s.entsize !== 4) return false;
  // A last string without an end would run into the next one.
  for (let i = s.size - s.entsize; i < s.size; i++) if (s.data[i] !== 0) return false;
  return true;
}

/** Merges sections of one output section and one entry size. Result: the merged bytes; each section gets its map. `base` is where they start. */
export function mergeSections(sections: readonly InputSection[], base: number): Uint8Array {
  const strings = (sections[0]!.flags & SHF.STRINGS) !== 0;
  let total = 0;
  let align = 1;
  for (const s of sections) {
    total += s.size;
    align = Math.max(align, s.align);
  }
  // Alignment can only add to what the inputs hold where a piece moves; twice the size and some is never reached.
  let out = new Uint8Array(total);
  let length = 0;
  const table = new PieceTable(Math.max(16, total >> 3));

  for (const s of sections) {
    const { data, entsize } = s;
    let starts = new Uint32Array(64);
    let places = new Uint32Array(64);
    let count = 0;
    for (let at = 0; at < s.size; ) {
      const end = strings ? stringEnd(data, at, s.size, entsize) : at + entsize;
      const size = end - at;
      // What was aligned stays so.
      const own = at === 0 ? s.align : Math.min(s.align, at & -at);
      const hash = hashBytes(data, at, end);
      let place = table.find(hash, out, data, at, size, own);
      if (place < 0) {
        length = Math.ceil(length / own) * own;
        if (length + size > out.length) {
          const grown = new Uint8Array((length + size) * 2);
          grown.set(out);
          out = grown;
        }
        out.set(data.subarray(at, end), length);
        place = length;
        table.add(hash, place, size);
        length += size;
      }
      if (count === starts.length) {
        starts = grow(starts);
        places = grow(places);
      }
      starts[count] = at;
      places[count++] = base + place;
      at = end;
    }
    s.merged = new MergeMap(starts, count, places);
  }
  return out.subarray(0, length);
}

function grow(a: Uint32Array): Uint32Array<ArrayBuffer> {
  const b = new Uint32Array(a.length * 2);
  b.set(a);
  return b;
}

function stringEnd(data: Uint8Array, at: number, size: number, width: number): number {
  if (width === 1) {
    const end = data.indexOf(0, at);
    return end < 0 || end >= size ? size : end + 1;
  }
  for (let i = at; i + width <= size; i += width) {
    let zero = true;
    for (let k = 0; k < width; k++) if (data[i + k] !== 0) zero = false;
    if (zero) return i + width;
  }
  return size;
}

/** FNV-1a. */
function hashBytes(data: Uint8Array, from: number, to: number): number {
  let h = 0x811c9dc5;
  for (let i = from; i < to; i++) h = Math.imul(h ^ data[i]!, 0x01000193);
  return h >>> 0;
}

/** Open-addressed table of pieces by hash. */
class PieceTable {
  private hashes: Uint32Array;
  private places: Int32Array;
  private sizes: Uint32Array;
  private mask: number;
  private used = 0;

  constructor(wanted: number) {
    let n = 64;
    while (n < wanted) n *= 2;
    this.mask = n - 1;
    this.hashes = new Uint32Array(n);
    this.places = new Int32Array(n).fill(-1);
    this.sizes = new Uint32Array(n);
  }

  find(hash: number, out: Uint8Array, data: Uint8Array, at: number, size: number, align: number): number {
    for (let i = hash & this.mask; this.places[i]! >= 0; i = (i + 1) & this.mask) {
      if (this.hashes[i] !== hash || this.sizes[i] !== size) continue;
      const place = this.places[i]!;
      if (place % align !== 0) continue;
      let k = 0;
      while (k < size && out[place + k] === data[at + k]) k++;
      if (k === size) return place;
    }
    return -1;
  }

  add(hash: number, place: number, size: number): void {
    if (++this.used * 2 > this.mask) this.rehash();
    let i = hash & this.mask;
    while (this.places[i]! >= 0) i = (i + 1) & this.mask;
    this.hashes[i] = hash;
    this.places[i] = place;
    this.sizes[i] = size;
  }

  private rehash(): void {
    const { hashes, places, sizes } = this;
    const n = (this.mask + 1) * 2;
    this.mask = n - 1;
    this.hashes = new Uint32Array(n);
    this.places = new Int32Array(n).fill(-1);
    this.sizes = new Uint32Array(n);
    for (let k = 0; k < places.length; k++) {
      if (places[k]! < 0) continue;
      let i = hashes[k]! & this.mask;
      while (this.places[i]! >= 0) i = (i + 1) & this.mask;
      this.hashes[i] = hashes[k]!;
      this.places[i] = places[k]!;
      this.sizes[i] = sizes[k]!;
    }
  }
}
