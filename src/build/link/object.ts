/** Relocatable objects (ET_REL) as the linker sees them: sections, symbols, groups. */

import {
  checkElf64,
  byteText,
  ElfError,
  ET,
  GRP_COMDAT,
  nameAt,
  readSections,
  RELA_SIZE,
  type SectionHeader,
  SHF,
  SHN,
  SHT,
  STB,
  SYM_SIZE,
  wide,
} from './elf';
import { type MergeMap } from './merge';

/** A section of an object, or one that the linker makes itself. */
export class InputSection {
  /** Table of relocations for this section, in the object's bytes. */
  relaOffset = 0;
  relaCount = 0;
  /** Taken into the image; decided by garbage collection. */
  live = false;
  /** Dropped: another object's group was kept, or the layout discards it. */
  discarded = false;
  /** The section of the kept group that stands for this one. */
  kept: InputSection | undefined;
  output: OutputSection | undefined;
  /** Bytes from the start of the output section. */
  outputOffset = 0;
  /** Where the pieces of a merged section went. */
  merged: MergeMap | undefined;
  /** Of strings of debug information: where those start that something refers to. */
  wanted: number[] | undefined;
  constructor(
    readonly object: InputObject,
    readonly index: number,
    readonly name: string,
    readonly type: number,
    readonly flags: number,
    readonly align: number,
    public size: number,
    readonly entsize: number,
    public data: Uint8Array,
  ) {}

  get alloc(): boolean {
    return (this.flags & SHF.ALLOC) !== 0;
  }

  /** Address in memory of a byte of this section, once places are known. */
  addressOf(offset: number): number {
    if (this.merged) return this.output!.address + this.merged.outputOffset(offset);
    return this.output!.address + this.outputOffset + offset;
  }
}

/** A section of the image. */
export class OutputSection {
  readonly inputs: InputSection[] = [];
  address = 0;
  fileOffset = 0;
  size = 0;
  align = 1;
  type: number = SHT.NOBITS;
  flags = 0;
  entsize = 0;
  /** Index among the section headers. */
  index = 0;
  constructor(readonly name: string) {}
}

/** How far a name is known. */
export type SymbolState = 'undefined' | 'defined' | 'absolute' | 'common' | 'discarded';

/** A symbol: one for each name among all objects, and one for each local symbol. */
export class LinkSymbol {
  state: SymbolState = 'undefined';
  section: InputSection | undefined;
  /** Offset in the section, an absolute value, or of a common symbol its alignment. */
  value = 0;
  size = 0;
  type = 0;
  visibility = 0;
  weak = false;
  /** Known inside one group of objects only. */
  local = false;
  /** The object that defines it, or where undefined the first that wants it. */
  object: InputObject | undefined;
  /** A strong reference was seen. */
  wanted = false;
  /** Offset in the GOT, -1 for none; likewise for the thread-pointer offset and the PLT stub of an indirect function. */
  got = -1;
  gotTp = -1;
  iplt = -1;
  /** Index in the output's symbol table. */
  index = 0;
  constructor(readonly name: string) {}

  /** Address; for a thread-local symbol the address in the image of its initial value. */
  get address(): number {
    if (this.state === 'absolute') return this.value;
    if (this.state !== 'defined') return 0;
    const s = this.section!;
    return s.output ? s.addressOf(this.value) : 0;
  }
}

/** A COMDAT group: of those with one signature a single one is kept. */
export interface Group {
  readonly signature: string;
  readonly members: readonly number[];
}

/** Raw fields of a symbol of an object. */
export interface RawSymbol {
  readonly name: string;
  readonly info: number;
  readonly other: number;
  readonly shndx: number;
  readonly value: number;
  readonly size: number;
}

/** A parsed object. */
export class InputObject {
  readonly sections: (InputSection | undefined)[] = [];
  readonly groups: Group[] = [];
  rawSymbols: RawSymbol[] = [];
  /** Symbols by their index in the object. */
  symbols: LinkSymbol[] = [];
  firstGlobal = 0;
  /** Which group of objects it belongs to, for names that stay inside of it. */
  scope = 0;

  /** While debug information is relocated, by symbol: addresses of sections. */
  sectionAddresses: Float64Array | undefined;

  /** The bytes as words, by which tables of relocations are read. Editors run on little-endian machines alone. */
  readonly words: Uint32Array;

  constructor(
    readonly name: string,
    readonly bytes: Uint8Array,
    readonly view: DataView,
  ) {
    this.words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
  }
}

const NO_DATA = new Uint8Array(0);

/** Parses an object. @throws ElfError where it is none, or is damaged. */
export function parseObject(file: Uint8Array, name: string): InputObject {
  // Members of archives start at even places; words have to be at multiples of four.
  const bytes = (file.byteOffset & 3) === 0 ? file : new Uint8Array(file);
  const view = checkElf64(bytes, name);
  const type = view.getUint16(16, true);
  if (type !== ET.REL) throw new ElfError(`${name} is not a relocatable object (ELF type ${type}).`);
  const object = new InputObject(name, bytes, view);
  const headers = readSections(bytes, view, name);
  const groups: SectionHeader[] = [];
  let symtab: SectionHeader | undefined;
  let extended: SectionHeader | undefined;
  headers.forEach((h, i) => {
    switch (h.type) {
      case SHT.NULL:
      case SHT.STRTAB:
      case SHT.RELA:
      case SHT.LLVM_ADDRSIG:
        object.sections.push(undefined);
        return;
      case SHT.SYMTAB:
        symtab = h;
        object.sections.push(undefined);
        return;
      case SHT.SYMTAB_SHNDX:
        extended = h;
        object.sections.push(undefined);
        return;
      case SHT.GROUP:
        groups.push(h);
        object.sections.push(undefined);
        return;
      case SHT.REL:
        throw new ElfError(`${name}: section ${h.name} has relocations without addends, which x86-64 does not use.`);
      default: {
        if ((h.flags & SHF.EXCLUDE) !== 0 && (h.flags & SHF.ALLOC) === 0) {
          object.sections.push(undefined);
          return;
        }
        if (h.align > 1 && (h.align & (h.align - 1)) !== 0)
          throw new ElfError(`${name}: the alignment ${h.align} of section ${h.name} is not a power of two.`);
        const data = h.type === SHT.NOBITS ? NO_DATA : bytes.subarray(h.offset, h.offset + h.size);
        object.sections.push(new InputSection(object, i, h.name, h.type, h.flags, Math.max(1, h.align), h.size, h.entsize, data));
      }
    }
  });
  if (symtab) parseSymbols(object, headers, symtab, extended);
  for (const h of headers) {
    if (h.type !== SHT.RELA) continue;
    const target = object.sections[h.info];
    if (!target) continue;
    if (h.offset % 4 !== 0) throw new ElfError(`${name}: the relocations of ${target.name} are not aligned.`);
    if (h.size % RELA_SIZE !== 0) throw new ElfError(`${name}: the relocations of ${target.name} are cut off.`);
    target.relaOffset = h.offset;
    target.relaCount = h.size / RELA_SIZE;
  }
  for (const h of groups) parseGroup(object, h);
  return object;
}

/** Values and sizes are signed 64-bit numbers. Those beyond 2^53 lose low bits, and no address of an image is one. */
function parseSymbols(
  object: InputObject,
  headers: readonly SectionHeader[],
  table: SectionHeader,
  extended: SectionHeader | undefined,
): void {
  const { view, bytes, words, name } = object;
  const strings = headers[table.link];
  if (!strings || strings.type !== SHT.STRTAB || table.size % SYM_SIZE !== 0 || table.offset % 4 !== 0)
    throw new ElfError(`${name}: the symbol table is damaged.`);
  const text = byteText(bytes.subarray(strings.offset, strings.offset + strings.size));
  const count = table.size / SYM_SIZE;
  object.firstGlobal = Math.min(table.info, count);
  for (let i = 0; i < count; i++) {
    const w = table.offset / 4 + i * (SYM_SIZE / 4);
    const kind = words[w + 1]!;
    let shndx = kind >>> 16;
    if (shndx === SHN.XINDEX) {
      if (!extended || (i + 1) * 4 > extended.size) throw new ElfError(`${name}: symbol ${i} has no section index.`);
      shndx = view.getUint32(extended.offset + i * 4, true);
    } else if (shndx >= SHN.LORESERVE && shndx !== SHN.ABS && shndx !== SHN.COMMON) {
      throw new ElfError(`${name}: symbol ${i} lies in the unknown section 0x${shndx.toString(16)}.`);
    }
    const start = words[w]!;
    object.rawSymbols.push({
      name: start === 0 ? '' : nameAt(text, start),
      info: kind & 255,
      other: (kind >>> 8) & 255,
      shndx,
      value: wide(words[w + 2]!, words[w + 3]! | 0),
      size: wide(words[w + 4]!, words[w + 5]! | 0),
    });
  }
}

function parseGroup(object: InputObject, h: SectionHeader): void {
  const { view, name } = object;
  if (h.size < 4) throw new ElfError(`${name}: section group ${h.name} is cut off.`);
  const signature = object.rawSymbols[h.info];
  if (!signature) throw new ElfError(`${name}: section group ${h.name} has no signature.`);
  if ((view.getUint32(h.offset, true) & GRP_COMDAT) === 0) return;
  const members: number[] = [];
  for (let at = h.offset + 4; at + 4 <= h.offset + h.size; at += 4) members.push(view.getUint32(at, true));
  // A signature without a name is that of the section it stands for.
  const text = signature.name !== '' ? signature.name : (object.sections[signature.shndx]?.name ?? '');
  object.groups.push({ signature: text, members });
}

/** Binding of a raw symbol. */
export function bindingOf(s: RawSymbol): number {
  return s.info >> 4;
}

/** Whether a raw symbol is seen by other objects. */
export function isGlobal(s: RawSymbol): boolean {
  return s.info >> 4 !== STB.LOCAL;
}
