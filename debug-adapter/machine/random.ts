/** The random numbers that RDRAND and virtio-rng give: reproducible, from a seed (SplitMix64, Steele, Lea and Flood 2014). */

const mask = (1n << 64n) - 1n;

export class RandomSource {
  constructor(public state: bigint) {}

  next(): bigint {
    this.state = (this.state + 0x9e37_79b9_7f4a_7c15n) & mask;
    let z = this.state;
    z = ((z ^ (z >> 30n)) * 0xbf58_476d_1ce4_e5b9n) & mask;
    z = ((z ^ (z >> 27n)) * 0x94d0_49bb_1331_11ebn) & mask;
    return z ^ (z >> 31n);
  }

  fill(bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i += 8) {
      let word = this.next();
      for (let j = i; j < Math.min(i + 8, bytes.length); j++) {
        bytes[j] = Number(word & 0xffn);
        word >>= 8n;
      }
    }
  }
}
