/** Where numbers of 32 bits, or a text, stand among bytes, at any alignment: what refers to something in .debug_info, found before any of it is read. */

/** Half-open positions. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A byte may be the first of something wanted, or the second. */
const isFirst = 1;
const isSecond = 2;

/** With more numbers than this most bytes may be one's. */
const fewNumbers = 8;

/** Looks for the same numbers, and the bytes of a text, in one part after the other. */
export class Mentions {
  private readonly wanted: ReadonlySet<number>;
  /** What each byte may be: of two neighbours one is at an even place, so that half of the bytes need not be looked at. */
  private readonly kinds = new Uint8Array(256);
  /** Of many numbers the lower halves, one bit each: it fits into the processor's first cache. */
  private readonly halves: Int32Array | undefined;

  constructor(
    private readonly bytes: Uint8Array,
    numbers: readonly number[],
    private readonly text: Uint8Array = new Uint8Array(0),
  ) {
    this.wanted = new Set(numbers);
    this.halves = numbers.length > fewNumbers ? new Int32Array(0x1_0000 / 32) : undefined;
    for (const number of numbers) this.note(number & 0xff, (number >>> 8) & 0xff);
    if (text.length > 1) this.note(text[0]!, text[1]!);
  }

  private note(first: number, second: number): void {
    this.kinds[first]! |= isFirst;
    this.kinds[second]! |= isSecond;
    if (this.halves !== undefined) this.halves[(first | (second << 8)) >>> 5]! |= 1 << (first & 31);
  }

  /** Positions at which one stands whole within the part, ascending, added to `found`. */
  within({ start, end }: Span, found: number[] = []): number[] {
    const { bytes, kinds, halves } = this;
    if (halves !== undefined) return this.ofMany(halves, start, end, found);
    for (let at = start; at < end; at += 2) {
      const kind = kinds[bytes[at]!]!;
      if (kind === 0) continue;
      if ((kind & isSecond) !== 0 && at > start && (kinds[bytes[at - 1]!]! & isFirst) !== 0 && this.standsAt(at - 1, end))
        found.push(at - 1);
      if ((kind & isFirst) !== 0 && at + 1 < end && (kinds[bytes[at + 1]!]! & isSecond) !== 0 && this.standsAt(at, end)) found.push(at);
    }
    return found;
  }

  private ofMany(halves: Int32Array, start: number, end: number, found: number[]): number[] {
    const { bytes } = this;
    let half = (bytes[start] ?? 0) << 8;
    for (let at = start + 1; at < end; at++) {
      half = (half >> 8) | (bytes[at]! << 8);
      if (((halves[half >>> 5]! >>> (half & 31)) & 1) !== 0 && this.standsAt(at - 1, end)) found.push(at - 1);
    }
    return found;
  }

  private standsAt(at: number, end: number): boolean {
    const { bytes, text } = this;
    const number = bytes[at]! + bytes[at + 1]! * 0x100 + (bytes[at + 2] ?? 0) * 0x1_0000 + (bytes[at + 3] ?? 0) * 0x100_0000;
    return (at + 4 <= end && this.wanted.has(number)) || (text.length > 1 && at + text.length <= end && startsWith(bytes, at, text));
  }
}

export const startsWith = (bytes: Uint8Array, at: number, text: Uint8Array): boolean => text.every((byte, i) => bytes[at + i] === byte);
