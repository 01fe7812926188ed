/**
 * Which pages of a WebAssembly memory were ever touched, as Linux tells it (proc(5): maps, mem and pagemap of the process itself). What was not holds zeros, and need not be read to know that: the first
 * read of a page takes as long as the first write where the system gives each a page of its own.
 */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { type TouchedPages } from './control/history/page-hash';

const pageBytes = 4096;
/** Bytes of an entry of pagemap; its upper half has these bits. */
const entryBytes = 8;
const present = 0x8000_0000;
const swapped = 0x4000_0000;
/** What is written into a memory to find it. */
const markBytes = 16;

/** Undefined where the system does not tell. The memory must not grow. */
export function touchedPagesOf(memory: WebAssembly.Memory): TouchedPages | undefined {
  // Elsewhere pages may have other sizes.
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined;
  try {
    const address = addressOf(memory);
    if (address === undefined) return undefined;
    const pages = new Pagemap(address);
    // The page of the mark has been touched: what does not know that knows nothing.
    const first = new Uint8Array(1);
    return pages.look(0, first) && first[0] !== 0 ? pages : undefined;
  } catch {
    // Not mounted, or not permitted.
    return undefined;
  }
}

/** Where the memory is in the process: the mapping in which a mark that is written into the memory is seen. */
function addressOf({ buffer }: WebAssembly.Memory): number | undefined {
  const file = openSync('/proc/self/mem', 'r');
  const bytes = new Uint8Array(buffer, 0, markBytes);
  const before = bytes.slice();
  try {
    const candidates = privateMappings(buffer.byteLength);
    for (let round = 0; round < 2; round++) {
      // Chance enough to tell memories apart; to load the host's cryptography takes longer than all else here.
      const mark = Uint8Array.from({ length: markBytes }, () => Math.random() * 256);
      bytes.set(mark);
      const read = Buffer.alloc(markBytes);
      for (let i = candidates.length - 1; i >= 0; i--)
        if (readSync(file, read, 0, markBytes, candidates[i]!) !== markBytes || !read.equals(mark)) candidates.splice(i, 1);
    }
    return candidates.length === 1 ? candidates[0] : undefined;
  } finally {
    bytes.set(before);
    closeSync(file);
  }
}

/** Addresses of writable mappings without a file that have room for so many bytes. */
function privateMappings(length: number): number[] {
  return [...readFileSync('/proc/self/maps', 'latin1').matchAll(/^([0-9a-f]+)-([0-9a-f]+) rw-p [0-9a-f]+ 00:00 0\b/gm)]
    .map(([, from, to]): readonly [number, number] => [parseInt(from!, 16), parseInt(to!, 16)])
    .filter(([from, to]) => to - from >= length)
    .map(([from]) => from);
}

/** Open as long as the process lives: each look at history needs it. */
let pagemap: number | undefined;

class Pagemap implements TouchedPages {
  #entries = new Uint32Array(0);

  constructor(private readonly address: number) {
    pagemap ??= openSync('/proc/self/pagemap', 'r');
  }

  look(from: number, touched: Uint8Array): boolean {
    const length = touched.length * entryBytes;
    if (this.#entries.byteLength !== length) this.#entries = new Uint32Array(length / 4);
    const entries = this.#entries;
    const start = ((this.address + from) / pageBytes) * entryBytes;
    for (let done = 0; done < length;) {
      const count = readSync(pagemap!, entries, done, length - done, start + done);
      if (count === 0) return false;
      done += count;
    }
    for (let page = 0; page < touched.length; page++) touched[page] = (entries[page * 2 + 1]! & (present | swapped)) === 0 ? 0 : 1;
    return true;
  }
}
