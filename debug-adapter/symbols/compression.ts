/** Inflates compressed debug sections: ELF's SHF_COMPRESSED header, for zlib (RFC 1950) and zstd (RFC 8878), and GNU's older `.zdebug_` one. */
import { unzlibSync } from 'fflate';
import { Decompress } from 'fzstd';
import { Reader } from './reader';

/** Deflate cannot do better than 1032:1, and zstd no better than a block of 128 KiB from four bytes, so a header that promises more is false. */
const mostRatio = { zlib: 1040, zstd: 40_000 } as const;
const MAX_SIZE = 1 << 30;

/** Inflates a stream of `size` bytes; throws for what is damaged, and for one that is longer. */
export type Inflate = (bytes: Uint8Array, size: number) => Uint8Array;

const tooLong = 'there is more than its stated size';

/** The one for zlib that runs everywhere. */
export const plainInflate: Inflate = (bytes, size) => {
  // With room for one byte more, as what is too long would be cut off without a word.
  const out = unzlibSync(bytes, { out: new Uint8Array(size + 1) });
  if (out.length > size) throw new Error(tooLong);
  return out;
};

const inflateZstd: Inflate = (bytes, size) => {
  const out = new Uint8Array(size);
  let length = 0;
  const stream = new Decompress((chunk) => {
    if (length + chunk.length > size) throw new Error(tooLong);
    out.set(chunk, length);
    length += chunk.length;
  });
  stream.push(bytes, true);
  return out.subarray(0, length);
};

let inflate = plainInflate;

/** Has another function inflate zlib's streams, where the host has a faster one. */
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
  let format: keyof typeof mostRatio = 'zlib';
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
    if (kind !== 1 && kind !== 2) return `unknown compression type ${kind}.`;
    if (kind === 2) format = 'zstd';
  }
  if (size > MAX_SIZE || size > (raw.length - r.pos) * mostRatio[format] + 64) return `its stated size of ${size} bytes cannot be true.`;
  try {
    const out = (format === 'zstd' ? inflateZstd : inflate)(raw.subarray(r.pos), size);
    return out.length === size ? out : `it inflates to ${out.length} bytes in place of ${size}.`;
  } catch (error) {
    return `it does not inflate (${error instanceof Error ? error.message : String(error)}).`;
  }
}
