/**
 * Tells which pages of guest memory changed: a 128-bit hash of a page, computed by a small WebAssembly function over the machine's own memory. Most pages are
 * zero and stay so, which another function sees in a third of the time.
 */

import { code, constant, get, loadVector, name, section, set, simd, tee, u32, wasmModule, wasmType } from '../../symbols/wasm-binary';

export const pageBytes = 4096;

/** 64 bytes a turn in four accumulators, so that the multiplications of one turn do not wait for each other. */
const turnBytes = 64;
/** Bytes that are looked at together where zeros are expected: a branch fewer for each doubling. */
const zeroTurnBytes = 128;
const accumulators = 4;
/** Odd constants of MurmurHash3 and xxHash (public domain): multiplying by them is reversible. */
const multiplier = 0xcc9e_2d51;
const seeds = [0x9e37_79b1, 0x85eb_ca77, 0xc2b2_ae3d, 0x27d4_eb2f] as const;

/** The four words of a page's hash follow each other at `index * 4` in tables of hashes. */
export const hashWords = 4;

interface Exports {
  /** Hashes the page at byte `address` of the memory and answers 1 where the hash is the one given. The hash stays in the globals. */
  readonly same: (address: number, a: number, b: number, c: number, d: number) => number;
  /** Answers the address of the first of these bytes that belongs to a turn that is not all zeros, or `end`. */
  readonly zeros: (address: number, end: number) => number;
  readonly h0: WebAssembly.Global;
  readonly h1: WebAssembly.Global;
  readonly h2: WebAssembly.Global;
  readonly h3: WebAssembly.Global;
}

/** Knows which pages of a WebAssembly memory were ever touched. All others hold zeros. */
export interface TouchedPages {
  /** Writes what is known of the pages from byte `from` of the memory on: not 0 where one was touched. False where that cannot be told. */
  look(from: number, touched: Uint8Array): boolean;
}
export type FindTouchedPages = (memory: WebAssembly.Memory) => TouchedPages | undefined;

/** Hashes pages of one machine's RAM. */
export class PageHash {
  readonly #exports: Exports;
  #pages: TouchedPages | undefined;
  #sought = false;
  /** By page, where it is known: 0 for those that were never touched. */
  #touched: Uint8Array | undefined;

  /** @param find asked once, when pages are looked at for the first time. */
  constructor(
    private readonly ram: Uint8Array,
    private readonly memory: WebAssembly.Memory,
    private readonly find?: FindTouchedPages,
  ) {
    this.#exports = new WebAssembly.Instance(compiled(), { env: { memory } }).exports as unknown as Exports;
  }

  /** The hash of a page of zeros. */
  static ofZeros(): Int32Array {
    const mixed = (value: number): number => {
      const product = Math.imul(value, multiplier);
      return product ^ (product >>> 15);
    };
    const absorbed = seeds.map((seed) => {
      let value: number = seed;
      for (let turn = 0; turn < pageBytes / turnBytes; turn++) value = mixed(value);
      return value;
    });
    const folded = absorbed.reduce((sum, each) => mixed(sum ^ each));
    return new Int32Array(hashWords).fill(folded);
  }

  /** Whether the page's hash is the one at `index` of `table`; otherwise `copy` gives the new one. */
  same(page: number, table: Int32Array, index: number): boolean {
    const at = index * hashWords;
    return this.#exports.same(this.ram.byteOffset + page * pageBytes, table[at]!, table[at + 1]!, table[at + 2]!, table[at + 3]!) !== 0;
  }

  /** Learns which pages need not be read to see that they are zeros; to be called before all are gone through. */
  look(): void {
    if (!this.#sought) {
      this.#sought = true;
      this.#pages = this.find?.(this.memory);
    }
    if (this.#pages === undefined) return;
    const touched = (this.#touched ??= new Uint8Array(this.ram.length / pageBytes));
    if (this.#pages.look(this.ram.byteOffset, touched)) return;
    this.#pages = undefined;
    this.#touched = undefined;
  }

  /** The first page from `page` on, and before `end`, that is not all zeros; `end` where all are. */
  skipZeros(page: number, end: number): number {
    const touched = this.#touched;
    if (touched === undefined) return this.#readZeros(page, end);
    for (let at = page; at < end; at++) {
      if (touched[at] === 0) continue;
      const from = at++;
      while (at < end && touched[at] !== 0) at++;
      const found = this.#readZeros(from, at);
      if (found < at) return found;
    }
    return end;
  }

  /** Is the page all zeros? For one that is about to be written: what was never touched is so by a write, which takes as long as a read, and no longer after it. */
  isZero(page: number): boolean {
    const at = page * pageBytes;
    this.ram[at] = this.ram[at]!;
    return this.#readZeros(page, page + 1) > page;
  }

  #readZeros(page: number, end: number): number {
    const base = this.ram.byteOffset;
    const found = this.#exports.zeros(base + page * pageBytes, base + end * pageBytes);
    return Math.floor((found - base) / pageBytes);
  }

  /** Writes the hash of the page that `same` looked at last to `index` of `table`. */
  copy(table: Int32Array, index: number): void {
    const { h0, h1, h2, h3 } = this.#exports;
    const at = index * hashWords;
    for (const [offset, global] of [h0, h1, h2, h3].entries()) table[at + offset] = global.value as number;
  }
}

let module: WebAssembly.Module | undefined;
const compiled = (): WebAssembly.Module => (module ??= new WebAssembly.Module(binary()));

/** The module. Opcodes are those of the WebAssembly core specification 2.0, section 5.4. */
function binary(): Uint8Array<ArrayBuffer> {
  const { i32, v128 } = wasmType;
  const splat = (value: number): number[] => [...constant(value), ...simd(0x11)];
  const xor = simd(0x51);
  const multiply = simd(0xb5);
  const shiftRight = simd(0xad);

  const [address, first] = [0, 1] as const;
  const end = 5;
  const accumulator = 6;
  const factor = accumulator + accumulators;
  // h = (h ^ x) * odd; h ^= h >>> 15. Both steps are reversible, so one changed word always changes the hash.
  const mix = (local: number): number[] => [
    ...get(factor),
    ...multiply,
    ...tee(local),
    ...get(local),
    ...constant(15),
    ...shiftRight,
    ...xor,
    ...set(local),
  ];
  const absorb = (index: number): number[] => [
    ...get(accumulator + index),
    ...get(address),
    ...loadVector(index * 16),
    ...xor,
    ...mix(accumulator + index),
  ];
  const fold = (index: number): number[] => [...get(accumulator), ...get(accumulator + index), ...xor, ...mix(accumulator)];
  const lane = (index: number): number[] => [...get(accumulator), ...simd(0x1b), index];
  const indices = [...seeds.keys()];
  const same = [
    ...u32(2),
    ...[...u32(1), i32],
    ...[...u32(accumulators + 1), v128],
    ...splat(multiplier),
    ...set(factor),
    ...indices.flatMap((index) => [...splat(seeds[index]!), ...set(accumulator + index)]),
    ...[...get(address), ...constant(pageBytes), 0x6a, ...set(end)],
    ...[0x03, 0x40],
    ...indices.flatMap(absorb),
    ...[...get(address), ...constant(turnBytes), 0x6a, ...tee(address), ...get(end), 0x49, 0x0d, 0x00],
    0x0b,
    ...[1, 2, 3].flatMap(fold),
    ...indices.flatMap((index) => [...lane(index), 0x24, index]),
    ...indices.flatMap((index) => [...lane(index), ...get(first + index), 0x73, ...(index > 0 ? [0x72] : [])]),
    0x45,
    0x0b,
  ];
  const [from, to] = [0, 1] as const;
  const load = (offset: number): number[] => [...get(from), ...loadVector(offset)];
  const or = simd(0x50);
  const anyTrue = simd(0x53);
  const zeros = [
    0,
    ...[0x02, 0x40],
    ...[0x03, 0x40],
    // Nothing left, or something found: out of the block.
    ...[...get(from), ...get(to), 0x4f, 0x0d, 0x01],
    ...load(0),
    ...Array.from({ length: zeroTurnBytes / 16 - 1 }, (_, index) => [...load((index + 1) * 16), ...or]).flat(),
    ...[...anyTrue, 0x0d, 0x01],
    ...[...get(from), ...constant(zeroTurnBytes), 0x6a, ...set(from), 0x0c, 0x00],
    ...[0x0b, 0x0b],
    ...get(from),
    0x0b,
  ];
  return wasmModule(
    section(1, [0x60, ...u32(5), i32, i32, i32, i32, i32, ...u32(1), i32], [0x60, ...u32(2), i32, i32, ...u32(1), i32]),
    section(2, [...name('env'), ...name('memory'), 0x02, 0x00, 0x01]),
    section(3, [0], [1]),
    section(6, ...indices.map(() => [i32, 0x01, 0x41, 0x00, 0x0b])),
    section(
      7,
      [...name('same'), 0x00, 0x00],
      [...name('zeros'), 0x00, 0x01],
      ...indices.map((index) => [...name(`h${index}`), 0x03, index]),
    ),
    section(10, ...[same, zeros].map(code)),
  );
}
