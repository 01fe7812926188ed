/**
 * Makes objects small and quick to link: what all of them repeat in their debug information, strings and definitions of macros, goes into one object that a link
 * takes first, and symbols that nothing needs are left out. References into shared tables are numbers then, and cost no relocation.
 */

import { ElfError, RELA_SIZE, SHDR_SIZE, SHT, STB, STT, SYM_SIZE } from './link/elf';
import { type InputObject, type InputSection, parseObject } from './link/object';
import { R_X86_64 } from './link/relocations';

const STRING_TABLES = ['.debug_str', '.debug_line_str'] as const;
const MACROS = '.debug_macro';

/** An object by the name under which it is kept. */
export interface NamedObject {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** Objects without what they share. */
export interface SharedObjects {
  readonly objects: readonly NamedObject[];
  /** An object with the tables alone. It has to come first in a link, as the others refer to places in the output's tables. */
  readonly first: Uint8Array;
}

/**
 * Shares strings and macros. Strings for which `own` holds stay in the objects, with their relocations: a link may replace them.
 * @throws ElfError where an object is damaged, or refers to shared tables in a way that compilers do not.
 */
export function shareDebugTables(objects: readonly NamedObject[], own: (text: string) => boolean): SharedObjects {
  const strings = new Map(STRING_TABLES.map((name) => [name as string, new StringTable()]));
  const macros = new BlockTable();
  const shared = objects.map(({ name, bytes }) => ({
    name,
    bytes: new ObjectRewriter(parseObject(bytes.slice(), name), strings, macros, own).run(),
  }));
  const tables = [...[...strings].map(([name, table]): [string, Uint8Array] => [name, table.bytes()]), [MACROS, macros.bytes()] as const];
  return { objects: shared, first: tableObject(tables) };
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

  bytes(): Buffer {
    return Buffer.from([...this.places.keys()].map((text) => `${text}\0`).join(''), 'latin1');
  }
}

/** Blocks of bytes one after the other, each once. */
class BlockTable {
  private readonly places = new Map<string, number>();
  private readonly parts: Uint8Array[] = [];
  private length = 0;

  place(bytes: Uint8Array): number {
    const key = Buffer.from(bytes).toString('latin1');
    let at = this.places.get(key);
    if (at === undefined) {
      this.places.set(key, (at = this.length));
      this.parts.push(bytes);
      this.length += bytes.length;
    }
    return at;
  }

  bytes(): Uint8Array {
    return Buffer.concat(this.parts);
  }
}

/** A table of relocations under change. */
interface Relocations {
  readonly section: InputSection;
  /** One entry each, of the object's bytes. */
  left: Buffer[];
}

/** Takes what is shared out of one object. */
class ObjectRewriter {
  private readonly bytes: Buffer;
  /** Strings of each table that stay here. */
  private readonly kept = new Map<InputSection, StringTable>();
  private readonly texts = new Map<InputSection, string>();
  private readonly relocations: Relocations[];
  /** By section: where its bytes are in the shared table of macros. */
  private readonly macroPlaces = new Map<InputSection, number>();

  constructor(
    private readonly object: InputObject,
    private readonly strings: ReadonlyMap<string, StringTable>,
    private readonly macros: BlockTable,
    private readonly own: (text: string) => boolean,
  ) {
    const { bytes, sections } = object;
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    for (const s of sections) {
      if (!s || !strings.has(s.name)) continue;
      this.kept.set(s, new StringTable());
      this.texts.set(s, Buffer.from(s.data).toString('latin1'));
    }
    this.relocations = sections.flatMap((s) => (s && s.relaCount > 0 ? [{ section: s, left: this.entries(s) }] : []));
  }

  run(): Uint8Array {
    for (const table of this.relocations) table.left = table.left.filter((entry) => !this.resolvedString(table.section, entry));
    this.shareMacros();
    for (const table of this.relocations) table.left = table.left.filter((entry) => !this.resolvedMacro(table.section, entry));
    return this.rewritten();
  }

  private entries({ relaOffset, relaCount }: InputSection): Buffer[] {
    return Array.from({ length: relaCount }, (_, i) => this.bytes.subarray(relaOffset + i * RELA_SIZE, relaOffset + (i + 1) * RELA_SIZE));
  }

  /** The section that an entry refers to, and the offset in it; undefined for symbols of other kinds. */
  private target(entry: Buffer): { section: InputSection; offset: number } | undefined {
    const symbol = this.object.rawSymbols[entry.readUInt32LE(12)];
    const section = symbol && this.object.sections[symbol.shndx];
    return section && { section, offset: symbol.value + Number(entry.readBigInt64LE(16)) };
  }

  /** Writes the final value of a reference into a section's bytes. */
  private settle(section: InputSection, entry: Buffer, value: number, table: string): void {
    if (entry.readUInt32LE(8) !== R_X86_64[32] || section.alloc)
      throw new ElfError(`${this.object.name}: a reference from ${section.name} to ${table} is not of the kind that is known.`);
    const start = section.data.byteOffset - this.object.bytes.byteOffset;
    this.bytes.writeUInt32LE(value, start + entry.readUInt32LE(0));
  }

  private resolvedString(section: InputSection, entry: Buffer): boolean {
    const target = this.target(entry);
    const text = target && this.texts.get(target.section);
    if (text === undefined || !target) return false;
    const string = text.slice(target.offset, text.indexOf('\0', target.offset));
    if (this.own(string)) {
      const symbol = this.object.rawSymbols[entry.readUInt32LE(12)]!;
      entry.writeBigInt64LE(BigInt(this.kept.get(target.section)!.place(string) - symbol.value), 16);
      return false;
    }
    this.settle(section, entry, this.strings.get(target.section.name)!.place(string), target.section.name);
    return true;
  }

  /** Macros of a header are a group of their own, which holds nothing but numbers once its strings are shared. */
  private shareMacros(): void {
    const relocated = new Set(this.relocations.filter((r) => r.left.length > 0).map((r) => r.section));
    for (const group of this.object.groups) {
      const members = group.members.flatMap((index) => this.object.sections[index] ?? []);
      const [only] = members;
      if (members.length === 1 && only?.name === MACROS && !relocated.has(only)) this.macroPlaces.set(only, this.macros.place(only.data));
    }
  }

  private resolvedMacro(section: InputSection, entry: Buffer): boolean {
    const target = this.target(entry);
    const place = target && this.macroPlaces.get(target.section);
    if (place === undefined) return false;
    this.settle(section, entry, place + target!.offset, MACROS);
    return true;
  }

  /** The file anew: sections that are left, in their order, with the symbols that are needed. */
  private rewritten(): Uint8Array {
    const { bytes, object } = this;
    const from = Number(bytes.readBigUInt64LE(40));
    const count = bytes.readUInt16LE(60);
    const headers = Array.from({ length: count }, (_, i) => Buffer.from(bytes.subarray(from + i * SHDR_SIZE, from + (i + 1) * SHDR_SIZE)));
    const typeOf = (header: Buffer): number => header.readUInt32LE(4);
    const dropped = new Set<number>();
    const relocationsOf = new Map(this.relocations.map((r) => [r.section.index, r.left]));
    for (const section of this.macroPlaces.keys()) dropped.add(section.index);
    headers.forEach((header, i) => {
      const type = typeOf(header);
      if (type === SHT.SYMTAB_SHNDX) throw new ElfError(`${object.name} has more sections than objects of a pool have.`);
      if (type === SHT.RELA && (relocationsOf.get(header.readUInt32LE(44))?.length ?? 0) === 0) dropped.add(i);
    });
    // A group goes with its members. Groups begin with a word of flags.
    headers.forEach((header, i) => {
      if (typeOf(header) === SHT.GROUP && this.members(header).every((m) => dropped.has(m))) dropped.add(i);
    });
    const newIndex = new Map<number, number>();
    headers.forEach((_, i) => {
      if (!dropped.has(i)) newIndex.set(i, newIndex.size);
    });
    const symbols = this.symbols(headers, dropped, newIndex);

    const file = new FileWriter(bytes.subarray(0, 64));
    headers.forEach((header, i) => {
      if (dropped.has(i) || typeOf(header) === SHT.NULL) return;
      const section = object.sections[i];
      const link = header.readUInt32LE(40);
      const own = section && this.kept.get(section);
      let data = bytes.subarray(
        Number(header.readBigUInt64LE(24)),
        Number(header.readBigUInt64LE(24)) + Number(header.readBigUInt64LE(32)),
      );
      if (own) data = own.bytes();
      else if (typeOf(header) === SHT.RELA) {
        data = Buffer.concat(relocationsOf.get(header.readUInt32LE(44))!);
        for (let at = 12; at < data.length; at += RELA_SIZE) data.writeUInt32LE(symbols.index.get(data.readUInt32LE(at))!, at);
        header.writeUInt32LE(newIndex.get(header.readUInt32LE(44))!, 44);
      } else if (typeOf(header) === SHT.GROUP) {
        const members = this.members(header).filter((m) => !dropped.has(m));
        data = Buffer.concat([data.subarray(0, 4), Buffer.from(Uint32Array.from(members, (m) => newIndex.get(m)!).buffer)]);
        header.writeUInt32LE(symbols.index.get(header.readUInt32LE(44))!, 44);
      } else if (typeOf(header) === SHT.SYMTAB) {
        data = symbols.table;
        header.writeUInt32LE(symbols.firstGlobal, 44);
      } else if (i === symbols.strings) data = symbols.names;
      header.writeUInt32LE(newIndex.get(link) ?? 0, 40);
      if (typeOf(header) === SHT.NOBITS) header.writeBigUInt64LE(BigInt(file.length), 24);
      else file.add(header, data);
    });
    return file.finish(
      headers.filter((_, i) => !dropped.has(i)),
      newIndex.get(bytes.readUInt16LE(62))!,
    );
  }

  private members(header: Buffer): number[] {
    const at = Number(header.readBigUInt64LE(24));
    const size = Number(header.readBigUInt64LE(32));
    return Array.from({ length: size / 4 - 1 }, (_, k) => this.bytes.readUInt32LE(at + 4 + 4 * k));
  }

  /** Symbols that something refers to, or that have a name for debuggers, with their new indexes. */
  private symbols(
    headers: readonly Buffer[],
    dropped: ReadonlySet<number>,
    newIndex: ReadonlyMap<number, number>,
  ): { table: Buffer; names: Buffer; strings: number; firstGlobal: number; index: ReadonlyMap<number, number> } {
    const { rawSymbols } = this.object;
    const needed = new Set(this.relocations.flatMap((r) => r.left.map((entry) => entry.readUInt32LE(12))));
    headers.forEach((h, i) => {
      if (h.readUInt32LE(4) === SHT.GROUP && !dropped.has(i)) needed.add(h.readUInt32LE(44));
    });
    const from = headers.find((h) => h.readUInt32LE(4) === SHT.SYMTAB)!;
    const at = Number(from.readBigUInt64LE(24));
    const names = new StringTable();
    names.place('');
    const rows: Buffer[] = [];
    const index = new Map<number, number>();
    let firstGlobal = 0;
    rawSymbols.forEach(({ name, info, shndx }, i) => {
      const nameless = (info & 15) === STT.SECTION || name === '' || name.startsWith('.L');
      if (i > 0 && !needed.has(i) && (nameless || dropped.has(shndx))) return;
      const row = Buffer.from(this.bytes.subarray(at + i * SYM_SIZE, at + (i + 1) * SYM_SIZE));
      row.writeUInt32LE(name === '' ? 0 : names.place(name), 0);
      const home = row.readUInt16LE(6);
      row.writeUInt16LE(newIndex.get(home) ?? home, 6);
      index.set(i, rows.length);
      rows.push(row);
      if (info >> 4 === STB.LOCAL) firstGlobal = rows.length;
    });
    return { table: Buffer.concat(rows), names: names.bytes(), strings: from.readUInt32LE(40), firstGlobal, index };
  }
}

/** Puts sections one after the other behind an ELF header, each where its alignment wants it. */
class FileWriter {
  private readonly parts: Uint8Array[] = [];
  private readonly header: Buffer;
  length = 64;

  constructor(header: Uint8Array) {
    this.header = Buffer.from(header);
    this.parts.push(this.header);
  }

  /** Adds a section's bytes, and notes in its header where they are. */
  add(header: Buffer, data: Uint8Array): void {
    this.align(Math.max(4, Number(header.readBigUInt64LE(48))));
    header.writeBigUInt64LE(BigInt(this.length), 24);
    header.writeBigUInt64LE(BigInt(data.length), 32);
    this.parts.push(data);
    this.length += data.length;
  }

  /** `names` is the index of the table of section names. */
  finish(headers: readonly Buffer[], names: number): Uint8Array {
    this.align(8);
    this.header.writeBigUInt64LE(BigInt(this.length), 40);
    this.header.writeUInt16LE(headers.length, 60);
    this.header.writeUInt16LE(names, 62);
    return Buffer.concat([...this.parts, ...headers]);
  }

  private align(to: number): void {
    const place = Math.ceil(this.length / to) * to;
    this.parts.push(new Uint8Array(place - this.length));
    this.length = place;
  }
}

/** A relocatable object with nothing but tables. They are marked as final: nothing merges them, so they keep their places. */
function tableObject(tables: readonly (readonly [string, Uint8Array])[]): Uint8Array {
  const elf = Buffer.alloc(64);
  elf.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  elf.writeUInt16LE(1, 16); // ET_REL
  elf.writeUInt16LE(62, 18); // EM_X86_64
  elf.writeUInt32LE(1, 20);
  elf.writeUInt16LE(64, 52);
  elf.writeUInt16LE(SHDR_SIZE, 58);
  const file = new FileWriter(elf);
  const names = new StringTable();
  names.place('');
  const headers = [Buffer.alloc(SHDR_SIZE)];
  const add = (name: string, type: number, data: Uint8Array): void => {
    const header = Buffer.alloc(SHDR_SIZE);
    header.writeUInt32LE(names.place(name), 0);
    header.writeUInt32LE(type, 4);
    header.writeBigUInt64LE(1n, 48);
    file.add(header, data);
    headers.push(header);
  };
  for (const [name, data] of tables) add(name, SHT.PROGBITS, data);
  names.place('.shstrtab');
  add('.shstrtab', SHT.STRTAB, names.bytes());
  return file.finish(headers, headers.length - 1);
}
