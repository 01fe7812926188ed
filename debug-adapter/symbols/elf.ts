/** ELF files, 32 and 64 bits, little-endian: headers, segments, sections, symbols, notes and relocations, as a tree plus errors. */
import { inflateSection } from './compression';
import { Reader, stringAt } from './reader';

export const ET = { REL: 1, EXEC: 2, DYN: 3, CORE: 4 } as const;
export const EM = { I386: 3, ARM: 40, X86_64: 62, AARCH64: 183, RISCV: 243 } as const;
export const PT = {
  LOAD: 1,
  DYNAMIC: 2,
  INTERP: 3,
  NOTE: 4,
  PHDR: 6,
  TLS: 7,
  GNU_EH_FRAME: 0x6474e550,
  GNU_STACK: 0x6474e551,
  GNU_RELRO: 0x6474e552,
} as const;
export const PF = { X: 1, W: 2, R: 4 } as const;
export const SHT = {
  NULL: 0,
  PROGBITS: 1,
  SYMTAB: 2,
  STRTAB: 3,
  RELA: 4,
  NOTE: 7,
  NOBITS: 8,
  REL: 9,
  DYNSYM: 11,
  SYMTAB_SHNDX: 18,
} as const;
export const SHF = { WRITE: 1, ALLOC: 2, EXECINSTR: 4, MERGE: 0x10, STRINGS: 0x20, TLS: 0x400, COMPRESSED: 0x800 } as const;
export const STT = { NOTYPE: 0, OBJECT: 1, FUNC: 2, SECTION: 3, FILE: 4, COMMON: 5, TLS: 6, GNU_IFUNC: 10 } as const;
export const STB = { LOCAL: 0, GLOBAL: 1, WEAK: 2 } as const;
export const SHN = { UNDEF: 0, ABS: 0xfff1, COMMON: 0xfff2, XINDEX: 0xffff } as const;

/** A program header. Addresses are 64-bit, file offsets and sizes exact up to 2^53. */
export interface ElfSegment {
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly virtualAddress: bigint;
  readonly physicalAddress: bigint;
  readonly fileSize: number;
  readonly memorySize: number;
  readonly alignment: number;
}

export interface ElfSection {
  readonly index: number;
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  readonly address: bigint;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
  readonly info: number;
  readonly alignment: number;
  readonly entrySize: number;
}

export interface ElfSymbol {
  readonly name: string;
  readonly value: bigint;
  readonly size: number;
  /** STT_ constant. */
  readonly type: number;
  /** STB_ constant. */
  readonly binding: number;
  readonly visibility: number;
  /** Section index with SHN_XINDEX resolved; SHN_ABS and SHN_COMMON as they are. */
  readonly section: number;
}

export interface ElfRelocation {
  readonly offset: number;
  readonly type: number;
  readonly symbol: number;
  /** 0 for REL sections, whose addend lies in place. */
  readonly addend: bigint;
}

export interface ElfNote {
  readonly owner: string;
  readonly type: number;
  readonly description: Uint8Array;
}

/** Another file that DWARF refers to. */
export interface SupplementLink {
  /** Name of the section that says so. */
  readonly section: string;
  /** Path, absolute or from the folder of the file that names it; empty where the section is damaged. */
  readonly name: string;
  /** Its build ID, or DWARF 5's checksum, in lower-case hexadecimal. */
  readonly id: string;
}

export interface ElfError {
  readonly code: 'elf-magic' | 'elf-format' | 'elf-truncated' | 'elf-section' | 'elf-compressed';
  readonly message: string;
  readonly offset?: number;
}

/** Limits that no sane file reaches. */
const MAX_SECTIONS = 1 << 20;
const MAX_SEGMENTS = 1 << 16;

export class ElfFile {
  readonly errors: ElfError[] = [];
  bits: 32 | 64 = 64;
  osAbi = 0;
  /** ET_ constant. */
  type = 0;
  /** EM_ constant. */
  machine = 0;
  entry = 0n;
  flags = 0;
  readonly segments: ElfSegment[] = [];
  readonly sections: ElfSection[] = [];
  private readonly byName = new Map<string, ElfSection>();
  private readonly inflated = new Map<number, Uint8Array>();
  private symbolCache: readonly ElfSymbol[] | undefined;
  private dynamicCache: readonly ElfSymbol[] | undefined;

  /**
   * @param stripped the file that this one holds the debug information of, where that lies apart (`objcopy --only-keep-debug`): what has no bits here, such as code and `.eh_frame`,
   * is taken from there.
   */
  constructor(
    readonly bytes: Uint8Array,
    private readonly stripped?: ElfFile,
  ) {
    this.parse();
    if (stripped !== undefined) this.segments.splice(0, this.segments.length, ...stripped.segments);
    for (const section of this.sections) if (!this.byName.has(section.name)) this.byName.set(section.name, section);
  }

  /** False when the bytes are no ELF file this reads; `errors` says why. */
  get valid(): boolean {
    return !this.errors.some((e) => e.code === 'elf-magic' || e.code === 'elf-format');
  }

  /** The first section of this name. */
  section(name: string): ElfSection | undefined {
    return this.byName.get(name);
  }

  /** Contents, inflated when compressed (SHF_COMPRESSED, or `.zdebug_`); empty for NOBITS and for what lies outside the file. */
  contents(section: ElfSection): Uint8Array {
    const cached = this.inflated.get(section.index);
    if (cached) return cached;
    if (section.type === SHT.NOBITS || section.type === SHT.NULL) return this.strippedContents(section) ?? this.bytes.subarray(0, 0);
    const raw = this.bytes.subarray(
      Math.min(section.offset, this.bytes.length),
      Math.min(section.offset + section.size, this.bytes.length),
    );
    if (raw.length < section.size) this.error('elf-truncated', `Section ${section.name} reaches past the end of the file.`, section.offset);
    const compressed = (section.flags & SHF.COMPRESSED) !== 0;
    if (!compressed && !section.name.startsWith('.zdebug')) return raw;
    const result = inflateSection(raw, compressed ? (this.bits === 64 ? 'elf64' : 'elf32') : 'gnu');
    if (typeof result === 'string') this.error('elf-compressed', `Section ${section.name}: ${result}`, section.offset);
    const bytes = typeof result === 'string' ? raw.subarray(0, 0) : result;
    this.inflated.set(section.index, bytes);
    return bytes;
  }

  /** What the stripped file has in the place of a section. */
  private strippedContents({ name, type, address, size }: ElfSection): Uint8Array | undefined {
    const there = type === SHT.NOBITS ? this.stripped?.section(name) : undefined;
    return there?.address === address && there.size === size ? this.stripped!.contents(there) : undefined;
  }

  /** Entries of .symtab without the null symbol; read on first use. */
  get symbols(): readonly ElfSymbol[] {
    return (this.symbolCache ??= this.readSymbols(SHT.SYMTAB));
  }

  /** Entries of .dynsym. */
  get dynamicSymbols(): readonly ElfSymbol[] {
    return (this.dynamicCache ??= this.readSymbols(SHT.DYNSYM));
  }

  /** Path of the dynamic linker (PT_INTERP). */
  get interpreter(): string | undefined {
    const segment = this.segments.find((s) => s.type === PT.INTERP);
    return segment && stringAt(this.segmentBytes(segment), 0);
  }

  /** Bytes of the file behind a segment. */
  segmentBytes(segment: ElfSegment): Uint8Array {
    if (this.stripped !== undefined) return this.stripped.segmentBytes(segment);
    return this.bytes.subarray(Math.min(segment.offset, this.bytes.length), Math.min(segment.offset + segment.fileSize, this.bytes.length));
  }

  /** All notes, from SHT_NOTE sections or, without sections, PT_NOTE segments. */
  notes(): ElfNote[] {
    const areas = this.sections.some((s) => s.type === SHT.NOTE)
      ? this.sections.filter((s) => s.type === SHT.NOTE).map((s) => this.contents(s))
      : this.segments.filter((s) => s.type === PT.NOTE).map((s) => this.segmentBytes(s));
    return areas.flatMap(parseNotes);
  }

  /** Lower-case hexadecimal NT_GNU_BUILD_ID. */
  get buildId(): string | undefined {
    const note = this.notes().find((n) => n.owner === 'GNU' && n.type === 3);
    return note && hexadecimal(note.description);
  }

  /** Name of the file that holds the debug information of this one (`.gnu_debuglink`), without a folder. */
  get debugLink(): string | undefined {
    const section = this.section('.gnu_debuglink');
    const name = section && stringAt(this.contents(section), 0);
    return name === undefined || name === '' || name.includes('/') ? undefined : name;
  }

  /** The file that holds what this one shares with others, as `.gnu_debugaltlink` or DWARF 5's `.debug_sup` (section 7.3.6) names it. */
  get supplementLink(): SupplementLink | undefined {
    const alternate = this.section('.gnu_debugaltlink');
    if (alternate !== undefined) {
      const r = new Reader(this.contents(alternate));
      const name = r.cstring();
      return { section: alternate.name, name, id: hexadecimal(r.take(r.end - r.pos)) };
    }
    const own = this.supplementHeader;
    return own === undefined || own.isSupplement ? undefined : { section: '.debug_sup', name: own.name, id: own.id };
  }

  /** What a file that others share says of itself: the checksum of its `.debug_sup`, else its build ID. */
  get supplementId(): string | undefined {
    const own = this.supplementHeader;
    return own?.isSupplement === true ? own.id : this.buildId;
  }

  private get supplementHeader(): { readonly isSupplement: boolean; readonly name: string; readonly id: string } | undefined {
    const section = this.section('.debug_sup');
    if (section === undefined) return undefined;
    const r = new Reader(this.contents(section));
    r.u16();
    const isSupplement = r.u8() !== 0;
    const name = r.cstring();
    const id = hexadecimal(r.take(r.uleb()));
    return r.failed ? { isSupplement, name: '', id: '' } : { isSupplement, name, id };
  }

  /** Entries of a SHT_RELA or SHT_REL section. */
  relocations(section: ElfSection): ElfRelocation[] {
    const rela = section.type === SHT.RELA;
    if (!rela && section.type !== SHT.REL) return [];
    const r = new Reader(this.contents(section));
    const size = this.bits === 64 ? (rela ? 24 : 16) : rela ? 12 : 8;
    const list: ElfRelocation[] = [];
    while (r.pos + size <= r.end) {
      const offset = this.word(r);
      let type: number;
      let symbol: number;
      if (this.bits === 64) {
        type = r.u32();
        symbol = r.u32();
      } else {
        const info = r.u32();
        type = info & 0xff;
        symbol = info >>> 8;
      }
      const addend = rela ? (this.bits === 64 ? BigInt.asIntN(64, r.u64Big()) : BigInt(r.i32())) : 0n;
      list.push({ offset, type, symbol, addend });
    }
    return list;
  }

  private error(code: ElfError['code'], message: string, offset?: number): void {
    if (this.errors.length < 100) this.errors.push({ code, message, ...(offset !== undefined && { offset }) });
  }

  private word(r: Reader): number {
    return this.bits === 64 ? r.u64() : r.u32();
  }

  private wordBig(r: Reader): bigint {
    return this.bits === 64 ? r.u64Big() : BigInt(r.u32());
  }

  private parse(): void {
    const { bytes } = this;
    if (bytes.length < 16 || bytes[0] !== 0x7f || bytes[1] !== 0x45 || bytes[2] !== 0x4c || bytes[3] !== 0x46) {
      this.error('elf-magic', 'Not an ELF file: the first four bytes are not 7f 45 4c 46.', 0);
      return;
    }
    if (bytes[4] !== 1 && bytes[4] !== 2)
      return this.error('elf-format', `Unknown ELF class ${bytes[4]}: expected 1 (32 bits) or 2 (64 bits).`, 4);
    if (bytes[5] !== 1) return this.error('elf-format', `ELF data encoding ${bytes[5]} is not little-endian (1).`, 5);
    this.bits = bytes[4] === 2 ? 64 : 32;
    this.osAbi = bytes[7]!;
    const r = new Reader(bytes, 16);
    this.type = r.u16();
    this.machine = r.u16();
    r.u32();
    this.entry = this.wordBig(r);
    const programOffset = this.word(r);
    const sectionOffset = this.word(r);
    this.flags = r.u32();
    r.u16();
    const programSize = r.u16();
    const programCount = r.u16();
    const sectionSize = r.u16();
    const sectionCount = r.u16();
    const nameIndex = r.u16();
    if (r.failed) return this.error('elf-truncated', 'The file ends inside the ELF header.', 16);
    this.parseSections(sectionOffset, sectionSize, sectionCount, nameIndex);
    // PN_XNUM: the count is in section 0's sh_info.
    this.parseSegments(programOffset, programSize, programCount === 0xffff ? (this.sections[0]?.info ?? 0) : programCount);
  }

  private parseSegments(offset: number, entrySize: number, count: number): void {
    const minimum = this.bits === 64 ? 56 : 32;
    if (count === 0) return;
    if (entrySize < minimum) return this.error('elf-format', `Program headers of ${entrySize} bytes are too short.`, offset);
    for (let i = 0; i < Math.min(count, MAX_SEGMENTS); i++) {
      const r = new Reader(this.bytes, offset + i * entrySize);
      const type = r.u32();
      let flags = this.bits === 64 ? r.u32() : 0;
      const fileOffset = this.word(r);
      const virtualAddress = this.wordBig(r);
      const physicalAddress = this.wordBig(r);
      const fileSize = this.word(r);
      const memorySize = this.word(r);
      if (this.bits === 32) flags = r.u32();
      const alignment = this.word(r);
      if (r.failed) return this.error('elf-truncated', `Program header ${i} lies outside the file.`, offset + i * entrySize);
      this.segments.push({ type, flags, offset: fileOffset, virtualAddress, physicalAddress, fileSize, memorySize, alignment });
    }
  }

  private parseSections(offset: number, entrySize: number, count: number, nameIndex: number): void {
    if (offset === 0) return;
    const minimum = this.bits === 64 ? 64 : 40;
    if (entrySize < minimum)
      return this.error('elf-section', `Section headers of ${entrySize} bytes are too short; sections are not read.`, offset);
    const first = this.sectionHeader(offset, 0);
    if (!first) return this.error('elf-truncated', 'The section headers lie outside the file.', offset);
    // With 0xff00 sections or more, the counts are in section 0 (gABI, "Section Header").
    const total = Math.min(count === 0 ? first.header.size : count, MAX_SECTIONS);
    const names = nameIndex === SHN.XINDEX ? first.header.link : nameIndex;
    const headers = [first];
    for (let i = 1; i < total; i++) {
      const header = this.sectionHeader(offset + i * entrySize, i);
      if (!header) {
        this.error('elf-truncated', `Section header ${i} lies outside the file.`, offset + i * entrySize);
        break;
      }
      headers.push(header);
    }
    const table = headers[names]?.header;
    const strings = table
      ? this.bytes.subarray(Math.min(table.offset, this.bytes.length), Math.min(table.offset + table.size, this.bytes.length))
      : undefined;
    if (!strings && headers.length > 1) this.error('elf-section', 'The section name table is missing.', offset);
    for (const { header, nameOffset } of headers) this.sections.push({ ...header, name: strings ? stringAt(strings, nameOffset) : '' });
  }

  private sectionHeader(offset: number, index: number): { header: ElfSection; nameOffset: number } | undefined {
    const r = new Reader(this.bytes, offset);
    const nameOffset = r.u32();
    const type = r.u32();
    const flags = this.word(r) % 0x1_0000_0000;
    const address = this.wordBig(r);
    const fileOffset = this.word(r);
    const size = this.word(r);
    const link = r.u32();
    const info = r.u32();
    const alignment = this.word(r);
    const entrySize = this.word(r);
    if (r.failed) return undefined;
    return { header: { index, name: '', type, flags, address, offset: fileOffset, size, link, info, alignment, entrySize }, nameOffset };
  }

  private readSymbols(type: number): ElfSymbol[] {
    const section = this.sections.find((s) => s.type === type);
    if (!section) return [];
    const strings = this.sections[section.link];
    const names = strings ? this.contents(strings) : new Uint8Array(0);
    const extended = this.sections.find((s) => s.type === SHT.SYMTAB_SHNDX && s.link === section.index);
    const indexes = extended && new Reader(this.contents(extended));
    const r = new Reader(this.contents(section));
    const size = this.bits === 64 ? 24 : 16;
    const list: ElfSymbol[] = [];
    for (let i = 0; r.pos + size <= r.end; i++) {
      const name = r.u32();
      let value = 0n;
      let length = 0;
      if (this.bits === 32) {
        value = BigInt(r.u32());
        length = r.u32();
      }
      const info = r.u8();
      const other = r.u8();
      let index: number = r.u16();
      if (this.bits === 64) {
        value = r.u64Big();
        length = r.u64();
      }
      if (indexes) indexes.pos = Math.min(i * 4, indexes.end);
      if (index === SHN.XINDEX && indexes) index = indexes.u32();
      if (i > 0)
        list.push({
          name: stringAt(names, name),
          value,
          size: length,
          type: info & 15,
          binding: info >> 4,
          visibility: other & 3,
          section: index,
        });
    }
    return list;
  }
}

function hexadecimal(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function parseNotes(area: Uint8Array): ElfNote[] {
  const notes: ElfNote[] = [];
  const r = new Reader(area);
  while (r.pos + 12 <= r.end) {
    const nameSize = r.u32();
    const descriptionSize = r.u32();
    const type = r.u32();
    const owner = stringAt(r.take(nameSize), 0);
    r.pos = Math.min(r.end, (r.pos + 3) & ~3);
    const description = r.take(descriptionSize);
    if (r.failed) break;
    r.pos = Math.min(r.end, (r.pos + 3) & ~3);
    notes.push({ owner, type, description });
  }
  return notes;
}

/** Reads an ELF file. Never throws: what cannot be read is missing, and `errors` says so. Symbols are read on first use. */
export function parseElf(bytes: Uint8Array, stripped?: Uint8Array): ElfFile {
  return new ElfFile(bytes, stripped && new ElfFile(stripped));
}
