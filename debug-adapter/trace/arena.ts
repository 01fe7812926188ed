/** What system calls point to: blocks of bytes one behind the other, in pages that are written anew when all of them are full. The processor's translated code makes such blocks, too (`Bytes` of x86/event-log.ts). */

/** The bytes behind an argument. */
export interface Capture {
  readonly bytes: Uint8Array;
  /** Memory went on beyond what was kept. */
  readonly truncated: boolean;
}

export interface ArgumentCapture extends Capture {
  /** Number of the argument, 0 to 5. */
  readonly index: number;
}

/** Bytes of memory that one argument's capture holds at most: PATH_MAX of Linux. */
export const captureLimit = 4096;

/** Pages are allocated as they are needed. A block lies in one of them. */
const pageBytes = 262_144;
/** An i32 in front of a block, its length with this; and of an argument: where a record has the argument (8 bits), whether there was more (8 bits), and the number of bytes. */
const headerBytes = 4;
/** Where records have the first argument, each of eight bytes. */
const firstArgument = 64;
/** So many words are copied sooner one by one. */
const fewWords = 24;

const padded = (length: number): number => (length + 3) & ~3;

interface Page {
  readonly words: Int32Array;
  readonly bytes: Uint8Array;
}

export class Arena {
  readonly #pages: (Page | undefined)[] = [];
  readonly #pageCount: number;
  /** Bytes put here so far, with those left over at ends of pages. */
  #head = 0;

  constructor(capacity: number) {
    this.#pageCount = Math.max(2, Math.ceil(capacity / pageBytes));
  }

  /** The place of the next block that there is room for. */
  get next(): number {
    return this.#head;
  }

  /** Is there room for so many bytes in the newest page? */
  hasRoom(length: number): boolean {
    return length <= pageBytes - (this.#head % pageBytes);
  }

  /** Copies whole blocks from `source`, `length` bytes from byte `from` on; answers their place. */
  copy(source: Int32Array, from: number, length: number): number {
    const place = this.#reserve(length);
    const { words } = this.#pageAt(place);
    const to = (place % pageBytes) >> 2;
    const first = from >> 2;
    const count = length >> 2;
    if (count > fewWords) words.set(source.subarray(first, first + count), to);
    else for (let i = 0; i < count; i++) words[to + i] = source[first + i]!;
    return place;
  }

  /** Makes a block; answers its place. */
  write(list: readonly ArgumentCapture[]): number {
    const sizes = list.map(({ bytes }) => headerBytes + padded(Math.min(bytes.length, captureLimit)));
    const length = sizes.reduce((sum, size) => sum + size, headerBytes);
    const place = this.#reserve(length);
    const page = this.#pageAt(place);
    let at = place % pageBytes;
    page.words[at >> 2] = length;
    at += headerBytes;
    for (const [i, { index, bytes, truncated }] of list.entries()) {
      const kept = bytes.subarray(0, captureLimit);
      const more = truncated || kept.length < bytes.length ? 0x100 : 0;
      page.words[at >> 2] = (firstArgument + index * 8) | more | (kept.length << 16);
      page.bytes.set(kept, at + headerBytes);
      at += sizes[i]!;
    }
    return place;
  }

  /** Adds a block's bytes to those of a call's arguments; nothing where they are gone: a page is lost as soon as it is written anew. */
  read(place: number, into: (Capture | undefined)[]): void {
    if (Math.floor(place / pageBytes) <= Math.floor(this.#head / pageBytes) - this.#pageCount) return;
    const { words, bytes } = this.#pageAt(place);
    let at = place % pageBytes;
    const end = at + words[at >> 2]!;
    at += headerBytes;
    while (at < end) {
      const header = words[at >> 2]!;
      const length = header >>> 16;
      at += headerBytes;
      into[((header & 0xff) - firstArgument) >> 3] = { bytes: bytes.slice(at, at + length), truncated: (header & 0x100) !== 0 };
      at += padded(length);
    }
  }

  #pageAt(place: number): Page {
    return this.#pages[Math.floor(place / pageBytes) % this.#pageCount]!;
  }

  /** Room for `length` bytes that lie in one page. */
  #reserve(length: number): number {
    const left = pageBytes - (this.#head % pageBytes);
    if (length > left) this.#head += left;
    const place = this.#head;
    this.#head += length;
    const index = Math.floor(place / pageBytes) % this.#pageCount;
    if (this.#pages[index] === undefined) {
      const words = new Int32Array(pageBytes / 4);
      this.#pages[index] = { words, bytes: new Uint8Array(words.buffer) };
    }
    return place;
  }
}
