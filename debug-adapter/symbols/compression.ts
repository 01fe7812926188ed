/** Inflates compressed debug sections: ELF's SHF_COMPRESSED header and GNU's older `.zdebug_` one. */
import { unzlibSync } from 'fflate';
import { Reader } from './reader';

/** Deflate cannot do better than 1032:1, so a header that promises more is false. */
const MAX_RATIO = 1040;
const MAX_SIZE = 1 << 30;

/** Inflates a zlib stream of `size` bytes; throws for what is damaged, and for one that is longer. */
export type Inflate = (bytes: Uint8Array, size: number) => Uint8Array;

/** The one that runs everywhere. */
export const plainInflate: Inflate = (bytes, size) => {
  // With room for one byte more, as what is too long would be cut off without a word.
  const out = unzlibSync(bytes, { out: new Uint8Array(size + 1) });
  if (out.length > size) throw new Error('there is more than its stated size');
  return out;
};

let inflate = plainInflate;

/** Has another function inflate, where the host has a faster one. */
export function useInflate(other: Inflate): void {
  inflate = other;
}

/**
 * The inflated bytes, or a sentence saying why not.
 * `elf64`/`elf32`: Elf64_Chdr/Elf32_Chdr (gABI, "Compression Header"); `gnu`: "ZLIB" and a big-endian 64-bit size.
 */
export function inflateSection(raw: Uint8Array, header: 'elf64' | 'elf32' | 'gnu'): Uint8Array | string {
  const r = new Reader(raw);
  let size: number;
  if (header === 'gnu') {
    if (raw.length < 12 || raw[0] !== 0x5a || raw[1] !== 0x4c || raw[2] !== 0x49 || raw[3] !== 0x42) return raw;
    size = 0;
    for (let i = 4; i < 12; i++) size = size * 256 + raw[i]!;
    r.skip(12);
  } else {
    const kind = r.u32();
    if (header === 'elf64') r.u32();
    size = header === 'elf64' ? r.u64() : r.u32();
    r.skip(header === 'elf64' ? 8 : 4);
    if (r.failed) return 'the compression header is cut off.';
    if (kind === 2) return 'it is compressed with zstd, which is not read; link with --compress-debug-sections=zlib or none.';
    if (kind !== 1) return `unknown compression type ${kind}.`;
  }
  if (size > MAX_SIZE || size > (raw.length - r.pos) * MAX_RATIO + 64) return `its stated size of ${size} bytes cannot be true.`;
  try {
    const out = inflate(raw.subarray(r.pos), size);
    return out.length === size ? out : `it inflates to ${out.length} bytes in place of ${size}.`;
  } catch (error) {
    return `it does not inflate (${error instanceof Error ? error.message : String(error)}).`;
  }
}
