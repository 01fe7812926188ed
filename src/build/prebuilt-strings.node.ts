/**
 * Takes the strings of debug information out of objects into one table that all of them share: most come from macros, every object has the same ones, and each
 * costs a relocation. A link then copies the table as it is.
 */

import { ElfError, RELA_SIZE, SHDR_SIZE, SHT, STT } from './link/elf';
import { type InputObject, type InputSection, parseObject } from './link/object';
import { R_X86_64 } from './link/relocations';

const STRINGS = '.debug_str';

/** An object by the name under which it is kept. */
export interface NamedObject {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Objects without the strings that they share. */
export interface SharedStrings {
  readonly objects: readonly NamedObject[];
  /** An object with the table alone. It has to come first in a link, as the others refer to places in the output's table. */
  readonly strings: Uint8Array;
}

/**
 * Shares the strings of `.debug_str`. Those for which `own` holds stay in the objects, with their relocations: a link may replace them.
 * @throws ElfError where an object is damaged, or refers to strings in a way that compilers do not.
 */
export function shareStrings(objects: readonly NamedObject[], own: (text: string) => boolean): SharedStrings {
  const table = new StringTable();
  const shared = objects.map(({ name, bytes }) => ({
    name,
    bytes: new ObjectRewriter(parseObject(bytes.slice(), name), table, own).run(),
  }));
  return { objects: shared, strings: tableObject(table.bytes()) };
}

/** Strings one after the other, each once. */
class StringTable {
  private readonly places = new Map<string, number>();
  private length = 0;

  /** Place of a string, which is added where it is new. One character is one byte. */
  place(text: string): number {
    let at = this.places.get(text);
    if (at === undefined) {
      this.places.set(text, (at = this.length));
      this.length += text.length + 1;
    }
    return at;
  }

  bytes(): Uint8Array {
    return Buffer.from([...this.places.keys()].map((text) => `${text}\0`).join(''), 'latin1');
  }
}

/** Takes the shared strings out of one object. */
class ObjectRewriter {
  private readonly kept = new StringTable();
  /** Bytes of tables of relocations that have become shorter, by the section that they are for. */
  private readonly relocations = new Map<InputSection, Uint8Array>();

  constructor(
    private readonly object: InputObject,
    private readonly table: StringTable,
    private readonly own: (text: string) => boolean,
  ) {}

  run(): Uint8Array {
    const strings = this.object.sections.find((s) => s?.name === STRINGS);
    if (!strings) return this.object.bytes;
    for (const s of this.object.sections) if (s && s.relaCount > 0) this.follow(s, strings);
    return this.rewritten(strings);
  }

  private follow(section: InputSection, strings: InputSection): void {
    const { view, bytes, rawSymbols, name } = this.object;
    const text = Buffer.from(strings.data).toString('latin1');
    const start = section.data.byteOffset - bytes.byteOffset;
    const left: Uint8Array[] = [];
    for (let at = section.relaOffset, i = 0; i < section.relaCount; i++, at += RELA_SIZE) {
      const symbol = rawSymbols[view.getUint32(at + 12, true)];
      if (symbol?.shndx === strings.index) {
        if ((symbol.info & 15) !== STT.SECTION || view.getUint32(at + 8, true) !== R_X86_64[32])
          throw new ElfError(`${name}: a reference from ${section.name} to ${STRINGS} is not of the kind that is known.`);
        const from = symbol.value + Number(view.getBigInt64(at + 16, true));
        const string = text.slice(from, text.indexOf('\0', from));
        if (!this.own(string)) {
          view.setUint32(start + view.getUint32(at, true), this.table.place(string), true);
          continue;
        }
        view.setBigInt64(at + 16, BigInt(this.kept.place(string) - symbol.value), true);
      }
      left.push(bytes.subarray(at, at + RELA_SIZE));
    }
    if (left.length < section.relaCount) this.relocations.set(section, Buffer.concat(left));
  }

  /** The file with everything at a new place, and section headers in their order. */
  private rewritten(strings: InputSection): Uint8Array {
    const { view, bytes, sections } = this.object;
    const headers = Buffer.from(bytes.subarray(headersAt(view), headersAt(view) + view.getUint16(60, true) * SHDR_SIZE));
    const parts: Uint8Array[] = [Buffer.from(bytes.subarray(0, 64))];
    let length = 64;
    for (let at = 0, i = 0; at < headers.length; at += SHDR_SIZE, i++) {
      const type = headers.readUInt32LE(at + 4);
      if (type === SHT.NULL || type === SHT.NOBITS) continue;
      const offset = Number(headers.readBigUInt64LE(at + 24));
      const size = Number(headers.readBigUInt64LE(at + 32));
      const target = type === SHT.RELA ? sections[headers.readUInt32LE(at + 44)] : undefined;
      const data =
        i === strings.index ? this.kept.bytes() : ((target && this.relocations.get(target)) ?? bytes.subarray(offset, offset + size));
      const align = Math.max(4, Number(headers.readBigUInt64LE(at + 48)));
      const place = Math.ceil(length / align) * align;
      headers.writeBigUInt64LE(BigInt(place), at + 24);
      headers.writeBigUInt64LE(BigInt(data.length), at + 32);
      parts.push(new Uint8Array(place - length), data);
      length = place + data.length;
    }
    const place = Math.ceil(length / 8) * 8;
    (parts[0] as Buffer).writeBigUInt64LE(BigInt(place), 40);
    return Buffer.concat([...parts, new Uint8Array(place - length), headers]);
  }
}

function headersAt(view: DataView): number {
  return Number(view.getBigUint64(40, true));
}

/** A relocatable object with one section, the strings. They are marked as final: nothing merges them, so they keep their places. */
function tableObject(strings: Uint8Array): Uint8Array {
  const names = `\0${STRINGS}\0.shstrtab\0`;
  const namesAt = 64 + strings.length;
  const at = Math.ceil((namesAt + names.length) / 8) * 8;
  const out = Buffer.alloc(at + 3 * SHDR_SIZE);
  out.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  out.writeUInt16LE(1, 16); // ET_REL
  out.writeUInt16LE(62, 18); // EM_X86_64
  out.writeUInt32LE(1, 20);
  out.writeBigUInt64LE(BigInt(at), 40);
  out.writeUInt16LE(64, 52);
  out.writeUInt16LE(SHDR_SIZE, 58);
  out.writeUInt16LE(3, 60);
  out.writeUInt16LE(2, 62);
  out.set(strings, 64);
  out.write(names, namesAt, 'latin1');
  const header = (index: number, name: number, type: number, offset: number, size: number): void => {
    const to = at + index * SHDR_SIZE;
    out.writeUInt32LE(name, to);
    out.writeUInt32LE(type, to + 4);
    out.writeBigUInt64LE(BigInt(offset), to + 24);
    out.writeBigUInt64LE(BigInt(size), to + 32);
    out.writeBigUInt64LE(1n, to + 48);
  };
  header(1, 1, SHT.PROGBITS, 64, strings.length);
  header(2, STRINGS.length + 2, SHT.STRTAB, namesAt, names.length);
  return out;
}
