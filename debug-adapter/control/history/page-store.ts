/** Copies of guest pages, kept in slabs and counted by how many checkpoints use them. */
import { hashWords, pageBytes, PageHash } from './page-hash';

const slabPages = 256;

/** The slot of a page of zeros, which takes no room. */
export const zeroSlot = 0;

export class PageStore {
  readonly #slabs: Uint8Array[] = [];
  readonly #free: number[] = [];
  #users = new Int32Array(slabPages);
  /** Hash of each slot's page. */
  hashes = new Int32Array(slabPages * hashWords);
  #used = 0;
  /** Slots made so far; slot 0 is the page of zeros. */
  #made = 1;

  constructor() {
    this.hashes.set(PageHash.ofZeros());
  }

  /** Bytes of copies in use. */
  get bytes(): number {
    return this.#used * pageBytes;
  }

  /** Takes a copy of page `page` of `ram`, which `hash` has looked at just now; one user. */
  add(ram: Uint8Array, page: number, hash: PageHash): number {
    const slot = this.#free.pop() ?? this.#make();
    this.#slab(slot).set(ram.subarray(page * pageBytes, (page + 1) * pageBytes), this.#offset(slot));
    hash.copy(this.hashes, slot);
    this.#users[slot] = 1;
    this.#used++;
    return slot;
  }

  /** One more checkpoint uses the slot. */
  share(slot: number): number {
    if (slot !== zeroSlot) this.#users[slot]!++;
    return slot;
  }

  /** One checkpoint less uses the slot. */
  release(slot: number): void {
    if (slot === zeroSlot || --this.#users[slot]! > 0) return;
    this.#free.push(slot);
    this.#used--;
  }

  /** Writes a slot's page to page `page` of `ram`. */
  load(ram: Uint8Array, slot: number, page: number): void {
    if (slot === zeroSlot) ram.fill(0, page * pageBytes, (page + 1) * pageBytes);
    else ram.set(this.#slab(slot).subarray(this.#offset(slot), this.#offset(slot) + pageBytes), page * pageBytes);
  }

  sameHash(slot: number, other: number): boolean {
    for (let word = 0; word < hashWords; word++)
      if (this.hashes[slot * hashWords + word] !== this.hashes[other * hashWords + word]) return false;
    return true;
  }

  #make(): number {
    const slot = this.#made++;
    if (slot >= this.#users.length) {
      this.#users = grown(this.#users);
      this.hashes = grown(this.hashes);
    }
    if (slot >= this.#slabs.length * slabPages) this.#slabs.push(new Uint8Array(slabPages * pageBytes));
    return slot;
  }

  #slab(slot: number): Uint8Array {
    if (this.#slabs.length === 0) this.#slabs.push(new Uint8Array(slabPages * pageBytes));
    return this.#slabs[Math.floor(slot / slabPages)]!;
  }

  #offset(slot: number): number {
    return (slot % slabPages) * pageBytes;
  }
}

function grown(table: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(table.length * 2);
  larger.set(table);
  return larger;
}
