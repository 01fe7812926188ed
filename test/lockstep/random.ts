/** Repeatable random numbers, biased to the values where processors are odd. */

/** xorshift128+ style generator on 32-bit words, seeded by a number. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor(seed: number) {
    this.#a = seed | 0;
    this.#b = 0x9e3779b9;
    this.#c = 0x243f6a88;
    this.#d = 0xb7e15162;
    for (let i = 0; i < 16; i++) this.u32();
  }

  u32(): number {
    const t = this.#a ^ (this.#a << 11);
    this.#a = this.#b;
    this.#b = this.#c;
    this.#c = this.#d;
    this.#d = this.#d ^ (this.#d >>> 19) ^ t ^ (t >>> 8);
    return (this.#d + Math.imul(this.#a, 0x9e3779b1)) >>> 0;
  }

  /** 0 .. bound-1. */
  below(bound: number): number {
    return Math.floor((this.u32() / 2 ** 32) * bound);
  }

  /** True once in `n` on average. */
  oneIn(n: number): boolean {
    return this.below(n) === 0;
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  u64(): bigint {
    return (BigInt(this.u32()) << 32n) | BigInt(this.u32());
  }

  /** A 64-bit integer: edges, powers of two and their neighbours, small and sign-extended values, plain random ones. */
  integer(): bigint {
    switch (this.below(8)) {
      case 0:
        return this.pick(edges);
      case 1:
        return BigInt.asUintN(64, (1n << BigInt(this.below(64))) + BigInt(this.below(3) - 1));
      case 2:
        return BigInt(this.below(256));
      case 3:
        return BigInt.asUintN(64, BigInt(this.u32() | 0));
      case 4:
        return BigInt(this.u32());
      case 5:
        return BigInt.asUintN(64, -BigInt(this.below(256)));
      default:
        return this.u64();
    }
  }

  /** Bits of a single-precision number: special values, numbers that meet each other's exponents, exact small ones, anything. */
  single(): number {
    switch (this.below(8)) {
      case 0:
        return this.pick(singles);
      case 1:
        return this.u32();
      case 2:
        return floatBits((this.below(4096) - 2048) / this.pick([1, 2, 4, 256]));
      case 3:
        return floatBits((this.u32() - 2 ** 31) * 2 ** this.pick([-31, -20, 0, 1, 10, 95, -126, -140, -150]));
      case 4:
        return (
          ((this.u32() & 0x807f_ffff) | (this.pick([1, 2, 24, 25, 103, 126, 127, 128, 150, 151, 158, 159, 230, 253, 254]) << 23)) >>> 0
        );
      case 5:
        return ((this.u32() & 0x8000_0000) | (1 << this.below(31)) | (this.oneIn(2) ? 0x3f80_0000 : 0)) >>> 0;
      default:
        return floatBits((this.u32() / 2 ** 32 - 0.5) * 2 ** this.below(12));
    }
  }

  /** Bits of a double-precision number, in the same spirit. */
  double(): bigint {
    switch (this.below(8)) {
      case 0:
        return this.pick(doubles);
      case 1:
        return this.u64();
      case 2:
        return doubleBits((this.below(4096) - 2048) / this.pick([1, 2, 4, 256]));
      case 3:
        return doubleBits(
          (this.u32() - 2 ** 31) * 2 ** this.pick([-31, -20, 0, 1, 10, 32, 900, 990, -1022, -1040, -1060, -149, -140, -126, 95]),
        );
      case 4: {
        const exponent = this.pick([
          1, 2, 53, 54, 511, 896, 874, 1022, 1023, 1024, 1053, 1054, 1075, 1076, 1085, 1086, 1150, 1151, 1535, 2045, 2046,
        ]);
        return (this.u64() & 0x800f_ffff_ffff_ffffn) | (BigInt(exponent) << 52n);
      }
      case 5:
        return (this.u64() & 0x8000_0000_0000_0000n) | (1n << BigInt(this.below(63))) | (this.oneIn(2) ? 0x3ff0_0000_0000_0000n : 0n);
      default:
        return doubleBits((this.u32() / 2 ** 32 - 0.5) * 2 ** this.below(12));
    }
  }

  /** Sixteen bytes as an instruction might find them: integers, singles or doubles, often with one element repeated. */
  vector(out: DataView, at: number): void {
    const kind = this.below(4);
    if (kind === 0) {
      for (let i = 0; i < 4; i++) out.setUint32(at + 4 * i, this.single(), true);
    } else if (kind === 1) {
      for (let i = 0; i < 2; i++) out.setBigUint64(at + 8 * i, this.double(), true);
    } else if (kind === 2) {
      for (let i = 0; i < 2; i++) out.setBigUint64(at + 8 * i, this.integer(), true);
    } else {
      for (let i = 0; i < 8; i++) out.setUint16(at + 2 * i, this.oneIn(3) ? this.pick(words) : this.u32(), true);
    }
  }
}

const words = [0, 1, 0xffff, 0x7fff, 0x8000, 0x7f, 0x80, 0xff, 0x8080, 0x7f7f, 0x100];

const edges = [
  0n,
  1n,
  0xffff_ffff_ffff_ffffn,
  0x8000_0000_0000_0000n,
  0x7fff_ffff_ffff_ffffn,
  0x8000_0000n,
  0x7fff_ffffn,
  0xffff_ffffn,
  0xffff_ffff_8000_0000n,
  0x80n,
  0x7fn,
  0xffn,
  0x8000n,
  0x7fffn,
  0xffffn,
  0x1_0000_0000n,
];

/** Zeros, ones, infinities, NaNs quiet and signalling with payloads, least and greatest of denormal and normal numbers, integer limits. */
const singles = [
  0, 0x8000_0000, 0x3f80_0000, 0xbf80_0000, 0x7f80_0000, 0xff80_0000, 0x7fc0_0000, 0xffc0_0000, 0x7fc1_2345, 0xffd5_4321, 0x7f80_0001,
  0xffa0_0000, 0x7fa1_2345, 0x0000_0001, 0x807f_ffff, 0x007f_ffff, 0x0080_0000, 0x8080_0000, 0x0080_0001, 0x7f7f_ffff, 0xff7f_ffff,
  0x4f00_0000, 0xcf00_0000, 0x4eff_ffff, 0x5f00_0000, 0xdf00_0000, 0x5eff_ffff, 0x3f00_0000, 0x3fc0_0000, 0x4020_0000, 0x4b00_0001,
  0x4b7f_ffff,
];
const doubles = [
  0n,
  0x8000_0000_0000_0000n,
  0x3ff0_0000_0000_0000n,
  0xbff0_0000_0000_0000n,
  0x7ff0_0000_0000_0000n,
  0xfff0_0000_0000_0000n,
  0x7ff8_0000_0000_0000n,
  0xfff8_0000_0000_0000n,
  0x7ff8_1234_5678_9abcn,
  0xfffa_dcba_9876_5432n,
  0x7ff0_0000_0000_0001n,
  0xfff4_0000_0000_0000n,
  0x7ff4_1234_5678_9abcn,
  1n,
  0x800f_ffff_ffff_ffffn,
  0x000f_ffff_ffff_ffffn,
  0x0010_0000_0000_0000n,
  0x8010_0000_0000_0000n,
  0x0010_0000_0000_0001n,
  0x7fef_ffff_ffff_ffffn,
  0xffef_ffff_ffff_ffffn,
  0x41e0_0000_0000_0000n,
  0xc1e0_0000_0000_0000n,
  0x41df_ffff_ffc0_0000n,
  0xc1e0_0000_0020_0000n,
  0x43e0_0000_0000_0000n,
  0xc3e0_0000_0000_0000n,
  0x43df_ffff_ffff_ffffn,
  0x3fe0_0000_0000_0000n,
  0x3ff8_0000_0000_0000n,
  0x4004_0000_0000_0000n,
  0x47ef_ffff_e000_0000n,
  0x47ef_ffff_f000_0000n,
  0x3810_0000_0000_0000n,
  0x380f_ffff_ffff_ffffn,
  0x36a0_0000_0000_0000n,
  0x3690_0000_0000_0000n,
  0x4330_0000_0000_0001n,
];

const scratch = new DataView(new ArrayBuffer(8));

function floatBits(value: number): number {
  scratch.setFloat32(0, value);
  return scratch.getUint32(0);
}

function doubleBits(value: number): bigint {
  scratch.setFloat64(0, value);
  return scratch.getBigUint64(0);
}

/** The seed of this run: from the environment's `variable`, or a fresh one. It is printed, so that the run can be repeated. */
export function seedOf(name: string, variable = 'SEED'): number {
  const given = process.env[variable];
  const seed = given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given);
  console.log(`      ${name}: ${variable}=${seed}`);
  return seed;
}
