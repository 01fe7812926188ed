/** Where numbers of 32 bits, or a text, stand among bytes, at any alignment: what refers to something in .debug_info, found before any of it is read. */

import { type Needle, NeedleScan } from './needle-scan';

/** Half-open positions. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A byte may be the first of something wanted, or the second. */
const isFirst = 1;
const isSecond = 2;

/** Shorter parts are looked through sooner byte by byte. */
const fewBytes = 1024;

/** Looks for the same numbers, and the bytes of a text, in one part after the other. */
export class Mentions {
  /** As signed numbers. */
  private readonly wanted: ReadonlySet<number>;
  /** What each byte may be: of two neighbours one is at an even place, so that half of the bytes need not be looked at. */
  private readonly kinds = new Uint8Array(256);
  private scan: NeedleScan | undefined;

  constructor(
    private readonly bytes: Uint8Array,
    numbers: readonly number[],
    private readonly text: Uint8Array = new Uint8Array(0),
  ) {
    this.wanted = new Set(numbers.map((number) => number | 0));
    for (const number of numbers) this.note(number & 0xff, (number >>> 8) & 0xff);
    if (text.length > 1) this.note(text[0]!, text[1]!);
  }

  private note(first: number, second: number): void {
    this.kinds[first]! |= isFirst;
    this.kinds[second]! |= isSecond;
  }

  /** Positions at which one stands whole within the part, ascending, added to `found`. */
  within({ start, end }: Span, found: number[] = []): number[] {
    if (end - start >= fewBytes) {
      this.scan ??= new NeedleScan(this.needles());
      this.scan.within(this.bytes, start, end, (at) => {
        if (this.standsAt(at, end)) found.push(at);
      });
      return found;
    }
    const { bytes, kinds } = this;
    for (let at = start; at < end; at += 2) {
      const kind = kinds[bytes[at]!]!;
      if (kind === 0) continue;
      if ((kind & isSecond) !== 0 && at > start && (kinds[bytes[at - 1]!]! & isFirst) !== 0 && this.standsAt(at - 1, end))
        found.push(at - 1);
      if ((kind & isFirst) !== 0 && at + 1 < end && (kinds[bytes[at + 1]!]! & isSecond) !== 0 && this.standsAt(at, end)) found.push(at);
    }
    return found;
  }

  private needles(): readonly Needle[] {
    const { wanted, text } = this;
    const numbers = [...wanted].map((number) => [0, 8, 16, 24].map((shift) => (number >>> shift) & 0xff));
    return text.length > 1 ? [...numbers, [0, 1, 2, 3].map((i) => text[i])] : numbers;
  }

  private standsAt(at: number, end: number): boolean {
    const { bytes, text } = this;
    const number = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
    if (this.wanted.has(number) && at + 4 <= end) return true;
    return text.length > 1 && bytes[at] === text[0] && at + text.length <= end && startsWith(bytes, at, text);
  }
}

export function startsWith(bytes: Uint8Array, at: number, text: Uint8Array): boolean {
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text[i]) return false;
  return true;
}
