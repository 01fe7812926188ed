/** Merges equal strings and constants of sections that allow it (SHF_MERGE; System V ABI, chapter 4, "Section Attribute Flags"). */

import { SHF } from './elf';
import { type InputSection } from './object';

/** Where the pieces of one input section went. */
export class MergeMap {
  /**
   * `places[offset]` is, for the first byte of a piece, its offset in the output section plus one; 0 elsewhere.
   * `from` and `to` bound what this section added, as offsets in the output section.
   */
  constructor(
    private readonly places: Uint32Array,
    readonly from: number,
    readonly to: number,
  ) {}

  /** Offset in the output section of a byte of the input. */
  outputOffset(offset: number): number {
    const { places } = this;
    // A reference into a piece is rare (the tail of a string), one to the end of the section rarer.
    let start = Math.min(offset, places.length - 1);
    while (start > 0 && places[start] === 0) start--;
    return start < 0 ? offset : places[start]! - 1 + (offset - start);
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
  for (const s of sections) total += s.size;
  const pool = new PiecePool(total);
  for (const s of sections) {
    const places = new Uint32Array(s.size);
    const from = base + pool.length;
    if (strings && s.entsize === 1) addStrings(pool, s, places, base);
    else {
      for (let at = 0; at < s.size;) {
        const end = strings ? wideStringEnd(s.data, at, s.size, s.entsize) : at + s.entsize;
        let hash = FNV_START;
        for (let i = at; i < end; i++) hash = Math.imul(hash ^ s.data[i]!, FNV_PRIME);
        places[at] = base + pool.place(s.data, at, end - at, hash, alignmentAt(s, at)) + 1;
        at = end;
      }
    }
    s.merged = new MergeMap(places, from, base + pool.length);
  }
  return pool.bytes.subarray(0, pool.length);
}

const FNV_START = 0x811c9dc5 | 0;
const FNV_PRIME = 0x01000193;

/** The usual case, with the end of each string found while it is hashed. */
function addStrings(pool: PiecePool, s: InputSection, places: Uint32Array, base: number): void {
  const { data, size } = s;
  for (let at = 0; at < size;) {
    let hash = FNV_START;
    let end = at;
    for (let c = data[end++]!; c !== 0; c = data[end++]!) hash = Math.imul(hash ^ c, FNV_PRIME);
    places[at] = base + pool.place(data, at, end - at, hash, s.align === 1 ? 1 : alignmentAt(s, at)) + 1;
    at = end;
  }
}

/** What was aligned stays so. */
function alignmentAt(s: InputSection, at: number): number {
  return at === 0 ? s.align : Math.min(s.align, at & -at);
}

function wideStringEnd(data: Uint8Array, at: number, size: number, width: number): number {
  for (let i = at; i + width <= size; i += width) {
    let zero = true;
    for (let k = 0; k < width; k++) if (data[i + k] !== 0) zero = false;
    if (zero) return i + width;
  }
  return size;
}

/** The pieces so far, each once, and an open-addressed table of them by hash. */
class PiecePool {
  bytes: Uint8Array;
  length = 0;
  private used = 0;
  private mask = 1023;
  /** Of each slot: hash, place plus one (0: empty), size. */
  private slots = new Int32Array(3 * 1024);

  constructor(total: number) {
    this.bytes = new Uint8Array(total);
  }

  /** Place of a piece that equals the bytes given; added where there is none. */
  place(data: Uint8Array, at: number, size: number, hash: number, align: number): number {
    const { slots, mask, bytes } = this;
    let slot = (hash ^ (hash >>> 15)) & mask;
    for (;;) {
      const i = 3 * slot;
      const found = slots[i + 1]! - 1;
      if (found < 0) break;
      if (slots[i] === hash && slots[i + 2] === size && (align === 1 || found % align === 0)) {
        let k = 0;
        while (k < size && bytes[found + k] === data[at + k]) k++;
        if (k === size) return found;
      }
      slot = (slot + 1) & mask;
    }
    const place = align === 1 ? this.length : Math.ceil(this.length / align) * align;
    if (place + size > bytes.length) this.grow(place + size);
    const out = this.bytes;
    for (let k = 0; k < size; k++) out[place + k] = data[at + k]!;
    this.length = place + size;
    slots[3 * slot] = hash;
    slots[3 * slot + 1] = place + 1;
    slots[3 * slot + 2] = size;
    if (++this.used * 2 > mask) this.rehash();
    return place;
  }

  /** Alignment can make the result larger than the inputs. */
  private grow(needed: number): void {
    const bytes = new Uint8Array(needed * 2);
    bytes.set(this.bytes.subarray(0, this.length));
    this.bytes = bytes;
  }

  private rehash(): void {
    const old = this.slots;
    this.mask = this.mask * 2 + 1;
    const slots = (this.slots = new Int32Array(3 * (this.mask + 1)));
    for (let i = 0; i < old.length; i += 3) {
      if (old[i + 1] === 0) continue;
      const hash = old[i]!;
      let slot = (hash ^ (hash >>> 15)) & this.mask;
      while (slots[3 * slot + 1] !== 0) slot = (slot + 1) & this.mask;
      slots[3 * slot] = hash;
      slots[3 * slot + 1] = old[i + 1]!;
      slots[3 * slot + 2] = old[i + 2]!;
    }
  }
}
