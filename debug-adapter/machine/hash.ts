/** A fast 64-bit hash of bytes (two 32-bit multiply-and-mix lanes): the same on every host, not for secrets. */

const pageWords = 1024;

/** Accumulates words into 64 bits. */
export class Hash {
  private a = 0x9e37_79b9;
  private b = 0x85eb_ca6b;

  word(value: number): void {
    this.a = Math.imul(this.a ^ value, 0xcc9e_2d51);
    this.a = (this.a << 15) | (this.a >>> 17);
    this.b = Math.imul(this.b + value, 0x1b87_3593) ^ this.a;
    this.b = (this.b << 13) | (this.b >>> 19);
  }

  words(values: Int32Array, from = 0, to = values.length): void {
    let { a, b } = this;
    for (let i = from; i < to; i++) {
      const value = values[i]!;
      a = Math.imul(a ^ value, 0xcc9e_2d51);
      a = (a << 15) | (a >>> 17);
      b = Math.imul(b + value, 0x1b87_3593) ^ a;
      b = (b << 13) | (b >>> 19);
    }
    this.a = a;
    this.b = b;
  }

  bytes(bytes: Uint8Array): void {
    this.word(bytes.length);
    const padded = new Uint8Array((bytes.length + 3) & ~3);
    padded.set(bytes);
    this.words(new Int32Array(padded.buffer));
  }

  /** Memory of whole pages; zero pages cost a scan and leave only their absence. */
  memory(memory: Int32Array): void {
    for (let page = 0; page * pageWords < memory.length; page++) {
      const from = page * pageWords;
      if (isZero(memory, from, from + pageWords)) continue;
      this.word(page);
      this.words(memory, from, from + pageWords);
    }
  }

  digest(): bigint {
    const mix = (h: number): number => {
      h = Math.imul(h ^ (h >>> 16), 0x85eb_ca6b);
      h = Math.imul(h ^ (h >>> 13), 0xc2b2_ae35);
      return (h ^ (h >>> 16)) >>> 0;
    };
    return (BigInt(mix(this.a ^ this.b)) << 32n) | BigInt(mix(this.b));
  }
}

/** Whether the words are all zero. */
export function isZero(words: Int32Array, from: number, to: number): boolean {
  // The first words decide most of the time.
  for (let i = from; i < to; i += 4) if ((words[i]! | words[i + 1]! | words[i + 2]! | words[i + 3]!) !== 0) return false;
  return true;
}
