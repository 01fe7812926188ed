/** What reached the machine from outside, in order: replaying it repeats the run. Its oldest part can be forgotten, with the moments that need it. */
import { type JournalEntry } from './api';

/** Bytes that an entry takes beside what it carries: the object, its count, the view of its bytes and what lies behind that. */
const entryOverhead = 200;

const bytesOf = (entry: JournalEntry): number => entryOverhead + ('bytes' in entry ? entry.bytes.length : 0);

/** Entries are known by their number since the machine was made, whatever was forgotten before them. */
export class Journal {
  readonly #entries: JournalEntry[] = [];
  #start = 0;
  #bytes = 0;

  /** Those that are left, oldest first. */
  get entries(): readonly JournalEntry[] {
    return this.#entries;
  }

  /** Number of the first entry that is left. */
  get start(): number {
    return this.#start;
  }

  /** Number of the entry that comes next. */
  get end(): number {
    return this.#start + this.#entries.length;
  }

  /** Bytes of memory that it takes, about. */
  get bytes(): number {
    return this.#bytes;
  }

  at(number: number): JournalEntry | undefined {
    return this.#entries[number - this.#start];
  }

  add(entry: JournalEntry): void {
    this.#entries.push(entry);
    this.#bytes += bytesOf(entry);
  }

  /** Bytes of the entries from `from` up to `to`. */
  bytesBetween(from: number, to: number): number {
    let bytes = 0;
    for (let number = Math.max(from, this.#start); number < Math.min(to, this.end); number++) bytes += bytesOf(this.at(number)!);
    return bytes;
  }

  /** Forgets the entries from this number on. */
  forgetFrom(number: number): void {
    while (this.end > Math.max(number, this.#start)) this.#bytes -= bytesOf(this.#entries.pop()!);
  }

  /** Forgets the entries before this number: nobody will go back to where they were still to come. */
  forgetBefore(number: number): void {
    const until = Math.min(number, this.end);
    if (until <= this.#start) return;
    this.#bytes -= this.bytesBetween(this.#start, until);
    this.#entries.splice(0, until - this.#start);
    this.#start = until;
  }
}
