/** New states for an instruction that has been drawn: registers, vectors, memory and control words from a stock of values that is renewed as it is used. */

import { drawExtended } from './generate';
import { Image } from './native';
import { type Random } from './random';

/** Of each kind; a power of two. */
const stocked = 1024;
/** Values of each kind made anew with each batch. */
const renewed = 32;

export class States {
  readonly #random: Random;
  /** 16 bytes each. */
  readonly #vectors = new Int32Array(4 * stocked);
  /** 8 bytes each. */
  readonly #integers = new Int32Array(2 * stocked);
  /** An x87 register of 10 bytes in 12. */
  readonly #extended = new Int32Array(3 * stocked);
  #next = 0;

  constructor(random: Random) {
    this.#random = random;
    for (let i = 0; i < stocked / renewed; i++) this.refresh();
  }

  /** Makes part of the stock anew. */
  refresh(): void {
    const r = this.#random;
    const vectors = new DataView(this.#vectors.buffer);
    const integers = new DataView(this.#integers.buffer);
    const extended = new DataView(this.#extended.buffer);
    for (let n = 0; n < renewed; n++) {
      const i = (this.#next + n) % stocked;
      r.vector(vectors, 16 * i);
      integers.setBigUint64(8 * i, r.integer(), true);
      drawExtended(r, extended, 12 * i);
    }
    this.#next = (this.#next + renewed) % stocked;
  }

  /**
   * Writes at `to` the case that stands at `from`, with another state.
   * @param keep general registers to leave alone, a bit each; one case in eight changes all but RCX all the same, which counts repetitions.
   */
  vary(batch: Buffer, from: number, to: number, keep: number): void {
    const r = this.#random;
    batch.copyWithin(to, from, from + Image.size);
    const words = new Int32Array(batch.buffer, batch.byteOffset + to, Image.size >> 2);
    const kept = r.oneIn(8) ? keep & (1 << 1) : keep;
    for (let i = 0; i < 16; i++) {
      const bits = r.u32();
      if (((kept >>> i) & 1) === 0) copy(this.#integers, 2, bits, words, Image.gpr + 8 * i);
      copy(this.#vectors, 4, bits >>> 10, words, Image.xmm + 16 * i);
      copy(this.#vectors, 4, bits >>> 20, words, Image.window + 16 * i);
    }
    for (let i = 0; i < 8; i++) copy(this.#extended, 3, r.u32(), words, Image.st + 16 * i);
    const bits = r.u32();
    words[Image.rflags >> 2] = (bits & 0xcd5) | 0x202;
    const kind = (bits >>> 12) & 7;
    if (kind === 0) {
      const control = 0x40 | r.below(64) | (r.pick([0, 2, 3]) << 8) | (r.below(4) << 10);
      let status = (r.below(8) << 11) | (r.u32() & 0x4700);
      if (r.oneIn(4)) status |= r.below(64);
      if ((status & ~control & 0x3f) !== 0) status |= 0x8080;
      words[Image.fx >> 2] = control | (status << 16);
      batch[to + Image.fx + 4] = r.below(256);
    } else if (kind === 1) {
      words[Image.mxcsr >> 2] = (r.u32() & 0xe07f) | (r.oneIn(2) ? 0x1f80 : r.u32() & 0x1f80);
    }
  }
}

/** Copies one value of the stock, of `length` words, to a byte offset. */
function copy(stock: Int32Array, length: number, which: number, words: Int32Array, offset: number): void {
  const from = (which & (stocked - 1)) * length;
  for (let i = 0; i < length; i++) words[(offset >> 2) + i] = stock[from + i]!;
}
