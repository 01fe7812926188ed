/** Reads `ar` archives of the GNU and BSD kinds, with their symbol index (ar(5)). */

import { ElfError } from './elf';

/** A member of an archive. */
export interface ArchiveMember {
  readonly name: string;
  readonly offset: number;
  readonly data: Uint8Array;
}

const MAGIC = '!<arch>\n';
const THIN_MAGIC = '!<thin>\n';
const HEADER = 60;

function text(bytes: Uint8Array, at: number, length: number): string {
  let out = '';
  for (let i = at; i < at + length; i++) out += String.fromCharCode(bytes[i] ?? 0);
  return out;
}

/** Whether a file starts as an archive does. */
export function isArchive(bytes: Uint8Array): boolean {
  const magic = text(bytes, 0, 8);
  return magic === MAGIC || magic === THIN_MAGIC;
}

/** An archive whose members are read when asked for. */
export class Archive {
  /** Symbol to the offset of the member that defines it. */
  readonly index = new Map<string, number>();
  private longNames = '';
  private readonly view: DataView;

  /** @throws ElfError where the archive is thin, cut off or without a symbol index. */
  constructor(
    readonly bytes: Uint8Array,
    readonly path: string,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (text(bytes, 0, 8) === THIN_MAGIC)
      throw new ElfError(`${path} is a thin archive, whose members lie elsewhere; make it without \`T\`.`);
    if (text(bytes, 0, 8) !== MAGIC) throw new ElfError(`${path} is not an archive.`);
    let indexed = false;
    let at = 8;
    // The special members come first; the others are found by the index.
    while (at + HEADER <= bytes.length) {
      const { rawName, start, size } = this.header(at);
      if (rawName === '/') {
        this.readIndex(start, size, 4);
        indexed = true;
      } else if (rawName === '/SYM64/') {
        this.readIndex(start, size, 8);
        indexed = true;
      } else if (rawName === '//') this.longNames = text(bytes, start, size);
      else break;
      at = start + size + (size & 1);
    }
    if (!indexed && at + HEADER <= bytes.length) throw new ElfError(`${path} has no symbol index; run \`ranlib\` on it.`);
  }

  private header(at: number): { rawName: string; start: number; size: number } {
    if (at + HEADER > this.bytes.length || this.bytes[at + 58] !== 0x60 || this.bytes[at + 59] !== 0x0a)
      throw new ElfError(`${this.path}: there is no member at byte ${at}.`);
    const size = Number(text(this.bytes, at + 48, 10).trim());
    if (!Number.isInteger(size) || size < 0 || at + HEADER + size > this.bytes.length)
      throw new ElfError(`${this.path}: the member at byte ${at} is cut off.`);
    return { rawName: text(this.bytes, at, 16).trimEnd(), start: at + HEADER, size };
  }

  private readIndex(start: number, size: number, width: 4 | 8): void {
    const word = (at: number): number =>
      width === 4 ? this.view.getUint32(at) : this.view.getUint32(at) * 0x100000000 + this.view.getUint32(at + 4);
    if (size < width) throw new ElfError(`${this.path}: the symbol index is cut off.`);
    const count = word(start);
    let at = start + width * (1 + count);
    if (at > start + size) throw new ElfError(`${this.path}: the symbol index is cut off.`);
    for (let i = 0; i < count; i++) {
      let end = at;
      while (end < start + size && this.bytes[end] !== 0) end++;
      const name = text(this.bytes, at, end - at);
      // The first member that defines a name is the one that a search in order finds.
      if (!this.index.has(name)) this.index.set(name, word(start + width * (1 + i)));
      at = end + 1;
    }
  }

  /** The member at an offset of the index. @throws ElfError */
  member(offset: number): ArchiveMember {
    const { rawName, start, size } = this.header(offset);
    let name = rawName.replace(/\/$/, '');
    let data = start;
    const long = /^\/(\d+)$/.exec(rawName);
    const bsd = /^#1\/(\d+)$/.exec(rawName);
    if (long) name = /^[^\n/]*/.exec(this.longNames.slice(Number(long[1])))![0];
    else if (bsd) {
      const length = Math.min(Number(bsd[1]), size);
      name = text(this.bytes, start, length).replace(/\0+$/, '');
      data += length;
    }
    return { name, offset, data: this.bytes.subarray(data, start + size) };
  }
}
