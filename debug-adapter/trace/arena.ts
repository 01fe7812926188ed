/**
 * What system calls point to: blocks of bytes one behind the other, in pages of which the oldest is written anew as soon as no record refers to it any more, or when there may be no more of them. Memory that
 * is touched for the first time is dear; so the pages are as few as living records need. The processor's translated code makes such blocks, too (`Bytes` of x86/event-log.ts).
 */

import { PackedCall } from './packed';

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
const firstArgument = PackedCall.args;
/** So many words are copied sooner one by one. */
const fewWords = 24;

const padded = (length: number): number => (length + 3) & ~3;

interface Page {
  readonly words: Int32Array;
  readonly bytes: Uint8Array;
  /** The newest of the records that refer to it. */
  newest: number;
}

function newPage(): Page {
  const words = new Int32Array(pageBytes / 4);
  return { words, bytes: new Uint8Array(words.buffer), newest: -1 };
}

/** Adds the bytes of the block at a place in memory to those of a call's arguments. */
export function readBlock(words: Int32Array, bytes: Uint8Array, place: number, into: (Capture | undefined)[]): void {
  const end = place + words[place >> 2]!;
  for (let at = place + headerBytes; at < end;) {
    const header = words[at >> 2]!;
    const length = header >>> 16;
    at += headerBytes;
    into[((header & 0xff) - firstArgument) >> 3] = { bytes: bytes.slice(at, at + length), truncated: (header & 0x100) !== 0 };
    at += padded(length);
  }
}

export class Arena {
  /** From the oldest to the one that is written. */
  readonly #pages: Page[] = [newPage()];
  readonly #mostPages: number;
  /** Number of the oldest page. A place is its page's number times `pageBytes`, and the offset there: places never repeat. */
  #oldest = 0;
  /** Bytes put into the newest page. */
  #filled = 0;

  /**
   * @param capacity bytes that are kept at most.
   * @param records how many records live: one that is older than the newest by so much is gone.
   */
  constructor(
    capacity: number,
    private readonly records: number,
  ) {
    this.#mostPages = Math.max(2, Math.ceil(capacity / pageBytes));
  }

  /** Bytes of memory that all pages take. */
  get size(): number {
    return this.#pages.length * pageBytes;
  }

  /** The place of the next block that there is room for. */
  get next(): number {
    return (this.#oldest + this.#pages.length - 1) * pageBytes + this.#filled;
  }

  /** Is there room for so many bytes in the newest page? */
  hasRoom(length: number): boolean {
    return length <= pageBytes - this.#filled;
  }

  /** Copies whole blocks from `source`, `length` bytes from byte `from` on; answers their place. @param sequence the newest record that they are of */
  copy(source: Int32Array, from: number, length: number, sequence: number): number {
    const place = this.#reserve(length, sequence);
    const { words } = this.#newestPage();
    const to = (place % pageBytes) >> 2;
    const first = from >> 2;
    const count = length >> 2;
    if (count > fewWords) words.set(source.subarray(first, first + count), to);
    else for (let i = 0; i < count; i++) words[to + i] = source[first + i]!;
    return place;
  }

  /** Makes a block of record `sequence`; answers its place. */
  write(list: readonly ArgumentCapture[], sequence: number): number {
    const sizes = list.map(({ bytes }) => headerBytes + padded(Math.min(bytes.length, captureLimit)));
    const length = sizes.reduce((sum, size) => sum + size, headerBytes);
    const place = this.#reserve(length, sequence);
    const page = this.#newestPage();
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

  /** Where that is which was put at a place, in bytes; undefined where it is gone. */
  locate(place: number): { readonly words: Int32Array; readonly bytes: Uint8Array; readonly at: number } | undefined {
    const page = this.#pages[Math.floor(place / pageBytes) - this.#oldest];
    return page && { words: page.words, bytes: page.bytes, at: place % pageBytes };
  }

  /** Length of the block at a place, or 0 where it is gone. */
  lengthAt(place: number): number {
    const page = this.#pages[Math.floor(place / pageBytes) - this.#oldest];
    return page === undefined ? 0 : page.words[(place % pageBytes) >> 2]!;
  }

  /** Adds a block's bytes to those of a call's arguments; nothing where they are gone: a page is lost as soon as it is written anew. */
  read(place: number, into: (Capture | undefined)[]): void {
    const found = this.locate(place);
    if (found !== undefined) readBlock(found.words, found.bytes, found.at, into);
  }

  #newestPage(): Page {
    return this.#pages[this.#pages.length - 1]!;
  }

  /** Room for `length` bytes of record `sequence` that lie in one page. */
  #reserve(length: number, sequence: number): number {
    if (!this.hasRoom(length)) this.#turn(sequence);
    const place = this.next;
    this.#filled += length;
    const page = this.#newestPage();
    if (sequence > page.newest) page.newest = sequence;
    return place;
  }

  /** Goes on in another page while record `sequence` is alive: the oldest one, if it is of use to nobody or one too many. */
  #turn(sequence: number): void {
    const pages = this.#pages;
    const newest = Math.max(sequence, this.#newestPage().newest);
    if (pages[0]!.newest <= newest - this.records || pages.length === this.#mostPages) {
      const page = pages.shift()!;
      page.newest = -1;
      pages.push(page);
      this.#oldest++;
    } else pages.push(newPage());
    this.#filled = 0;
  }
}
