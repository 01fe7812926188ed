/** A hash table from shape keys to handlers that lies in two typed arrays, so that a prebuilt one is used as it comes from the file. */

const LOAD = 0.6;

/** Keys are positive integers below 2^53, values 32-bit integers. */
export class KeyTable {
  #keys: Float64Array;
  #values: Int32Array;
  #count: number;

  constructor(keys: Float64Array = new Float64Array(64), values: Int32Array = new Int32Array(64), count = 0) {
    this.#keys = keys;
    this.#values = values;
    this.#count = count;
  }

  /** Index of the key, or of the free place for it. Key 0 marks a free place: keys are stored plus 1. */
  #find(key: number): number {
    const mask = this.#keys.length - 1;
    const high = Math.floor(key / 0x1_0000_0000);
    let at = (Math.imul((key >>> 0) ^ Math.imul(high, 0x85ebca6b), 0x9e3779b1) >>> 8) & mask;
    for (;;) {
      const found = this.#keys[at]!;
      if (found === key + 1 || found === 0) return at;
      at = (at + 1) & mask;
    }
  }

  /** The value, or -1. */
  get(key: number): number {
    const at = this.#find(key);
    return this.#keys[at] === 0 ? -1 : this.#values[at]!;
  }

  set(key: number, value: number): void {
    if (this.#count >= this.#keys.length * LOAD) this.#grow();
    const at = this.#find(key);
    if (this.#keys[at] === 0) {
      this.#keys[at] = key + 1;
      this.#count++;
    }
    this.#values[at] = value;
  }

  #grow(): void {
    const keys = this.#keys;
    const values = this.#values;
    this.#keys = new Float64Array(keys.length * 2);
    this.#values = new Int32Array(keys.length * 2);
    for (let i = 0; i < keys.length; i++) {
      if (keys[i] === 0) continue;
      const at = this.#find(keys[i]! - 1);
      this.#keys[at] = keys[i]!;
      this.#values[at] = values[i]!;
    }
  }

  /** Places, a power of two. */
  get capacity(): number {
    return this.#keys.length;
  }

  /** Keys that it has. */
  get size(): number {
    return this.#count;
  }

  /** The table as bytes: all keys (f64, plus 1; 0 is a free place), then all values. */
  save(): Uint8Array {
    const out = new Uint8Array(this.#keys.length * 12);
    new Float64Array(out.buffer, 0, this.#keys.length).set(this.#keys);
    new Int32Array(out.buffer, this.#keys.length * 8).set(this.#values);
    return out;
  }

  /** A table over the bytes that `save` made, at a multiple of 8. It stays there until it has to grow. */
  static at(buffer: ArrayBufferLike, offset: number, capacity: number, size: number): KeyTable {
    return new KeyTable(new Float64Array(buffer, offset, capacity), new Int32Array(buffer, offset + capacity * 8, capacity), size);
  }
}
