/**
 * Looks for many four-byte needles at any alignment in a large part of a file, sixteen places at a time: a WebAssembly function tells where each of four bytes may belong to a needle of some group, by
 * tables of their halves, and few other places are left to look at.
 */
import { code, constant, get, loadVector, name, section, set, simd, tee, u32, wasmModule, wasmType } from './wasm-binary';

/** Its four bytes, undefined where any will do. */
export type Needle = readonly (number | undefined)[];

const needleBytes = 4;
/** A bit of a byte each. */
const groups = 8;
/** Places at a time. */
const lanes = 16;
/** Where the memory has the tables (for each byte of a needle one by its lower half, then one by its upper half), the bytes to look through, and the places found. */
const Place = { tables: 0, window: 1024, found: 1024 + 0x1_0100, end: 1024 + 0x1_0100 + 0x4_0000 } as const;
const windowBytes = 0x1_0000;
const pageBytes = 0x1_0000;

interface Scanner {
  readonly bytes: Uint8Array;
  readonly found: Int32Array;
  /** Looks at so many places of the window; answers how many were found. */
  readonly scan: (length: number) => number;
}

/** The same needles in one part after the other. */
export class NeedleScan {
  private readonly tables = new Uint8Array(needleBytes * 2 * lanes);

  constructor(needles: readonly Needle[]) {
    // Neighbours go into one group, so that its needles have their upper bytes in common.
    const sorted = [...needles].sort((a, b) => orderOf(a) - orderOf(b));
    for (const [i, needle] of sorted.entries()) {
      const group = 1 << Math.floor((i * groups) / sorted.length);
      for (const [k, byte] of needle.entries()) {
        const [lower, upper] = [k * 2 * lanes, (k * 2 + 1) * lanes];
        for (let half = 0; half < lanes; half++) {
          if (byte === undefined || (byte & 15) === half) this.tables[lower + half]! |= group;
          if (byte === undefined || byte >>> 4 === half) this.tables[upper + half]! |= group;
        }
      }
    }
  }

  /** Calls `candidate` for places in `bytes` from `start` on and before `end`, ascending, where a needle may begin: all where one does, and some others. */
  within(bytes: Uint8Array, start: number, end: number, candidate: (at: number) => void): void {
    const { bytes: memory, found, scan } = (scanner ??= makeScanner());
    memory.set(this.tables, Place.tables);
    for (let from = start; from < end; from += windowBytes) {
      const length = Math.min(windowBytes, end - from);
      const part = bytes.subarray(from, from + length + needleBytes - 1);
      memory.set(part, Place.window);
      memory.fill(0, Place.window + part.length, Place.window + length + lanes + needleBytes);
      const count = scan(length);
      for (let i = 0; i < count; i++) {
        const at = from + found[i]!;
        if (at < end) candidate(at);
      }
    }
  }
}

/** By the value, as a number in the file. */
const orderOf = (needle: Needle): number => needle.reduce<number>((value, byte, i) => value + (byte ?? 0) * 2 ** (8 * i), 0);

let scanner: Scanner | undefined;

function makeScanner(): Scanner {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(binary()));
  const { memory, scan } = exports as unknown as { readonly memory: WebAssembly.Memory; readonly scan: Scanner['scan'] };
  return { bytes: new Uint8Array(memory.buffer), found: new Int32Array(memory.buffer, Place.found, windowBytes), scan };
}

/** scan (length i32) -> i32. Opcodes are those of the core specification 2.0, section 5.4. */
function binary(): Uint8Array<ArrayBuffer> {
  const [length, at, count, mask, tables] = [0, 1, 2, 3, 4] as const;
  const groupsAt = tables + needleBytes * 2;
  const [swizzle, splat, and, anyTrue, shiftRight, notEqual, bitmask] = [0x0e, 0x0f, 0x4e, 0x53, 0x6d, 0x24, 0x64].map(simd);
  const zero = [...constant(0), ...splat!];
  /** The groups of which byte `k` of a needle may stand at each place. */
  const ofByte = (k: number): number[] => [
    ...[...get(tables + k * 2), ...get(at), ...loadVector(Place.window + k), ...constant(15), ...splat!, ...and!, ...swizzle!],
    ...[...get(tables + k * 2 + 1), ...get(at), ...loadVector(Place.window + k), ...constant(4), ...shiftRight!, ...swizzle!],
    ...and!,
  ];
  const indices = [...Array(needleBytes).keys()];
  const body = [
    ...u32(2),
    ...[...u32(3), wasmType.i32],
    ...[...u32(needleBytes * 2 + 1), wasmType.v128],
    ...Array.from({ length: needleBytes * 2 }, (_, i) => [
      ...constant(0),
      ...loadVector(Place.tables + i * lanes),
      ...set(tables + i),
    ]).flat(),
    ...[0x02, 0x40, 0x03, 0x40],
    // Nothing left: out of the block.
    ...[...get(at), ...get(length), 0x4f, 0x0d, 0x01],
    ...indices.flatMap((k) => [...ofByte(k), ...(k > 0 ? and! : [])]),
    ...[...tee(groupsAt), ...anyTrue!, 0x04, 0x40],
    ...[...get(groupsAt), ...zero, ...notEqual!, ...bitmask!, ...set(mask)],
    ...[0x03, 0x40],
    // found[count] = at + ctz(mask); count++; mask &= mask - 1; again while mask is not 0.
    ...[...get(count), ...constant(2), 0x74, ...get(at), ...get(mask), 0x68, 0x6a, 0x36, 2, ...u32(Place.found)],
    ...[...get(count), ...constant(1), 0x6a, ...set(count)],
    ...[...get(mask), ...get(mask), ...constant(1), 0x6b, 0x71, ...tee(mask), 0x0d, 0x00],
    ...[0x0b, 0x0b],
    ...[...get(at), ...constant(lanes), 0x6a, ...set(at), 0x0c, 0x00],
    ...[0x0b, 0x0b],
    ...get(count),
    0x0b,
  ];
  return wasmModule(
    section(1, [0x60, ...u32(1), wasmType.i32, ...u32(1), wasmType.i32]),
    section(3, [0]),
    section(5, [0x00, ...u32(Math.ceil(Place.end / pageBytes))]),
    section(7, [...name('memory'), 0x02, 0x00], [...name('scan'), 0x00, 0x00]),
    section(10, code(body)),
  );
}
