/** Numbers of the ELF-64 format for x86-64 (System V ABI, chapters 4 and 5; AMD64 supplement, chapter 4). */

export const EHDR_SIZE = 64;
export const PHDR_SIZE = 56;
export const SHDR_SIZE = 64;
export const SYM_SIZE = 24;
export const RELA_SIZE = 24;

export const ELFCLASS32 = 1;
export const ELFCLASS64 = 2;
export const EM_386 = 3;
export const EM_X86_64 = 62;

export const ET = { REL: 1, EXEC: 2, DYN: 3 } as const;
export const PT = {
  LOAD: 1,
  DYNAMIC: 2,
  INTERP: 3,
  NOTE: 4,
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
  HASH: 5,
  DYNAMIC: 6,
  NOTE: 7,
  NOBITS: 8,
  REL: 9,
  DYNSYM: 11,
  INIT_ARRAY: 14,
  FINI_ARRAY: 15,
  PREINIT_ARRAY: 16,
  GROUP: 17,
  SYMTAB_SHNDX: 18,
  LLVM_ADDRSIG: 0x6fff4c03,
  X86_64_UNWIND: 0x70000001,
} as const;

export const SHF = {
  WRITE: 1,
  ALLOC: 2,
  EXECINSTR: 4,
  MERGE: 0x10,
  STRINGS: 0x20,
  INFO_LINK: 0x40,
  GROUP: 0x200,
  TLS: 0x400,
  EXCLUDE: 0x80000000,
} as const;

export const SHN = { UNDEF: 0, LORESERVE: 0xff00, ABS: 0xfff1, COMMON: 0xfff2, XINDEX: 0xffff } as const;
export const STB = { LOCAL: 0, GLOBAL: 1, WEAK: 2, GNU_UNIQUE: 10 } as const;
export const STT = { NOTYPE: 0, OBJECT: 1, FUNC: 2, SECTION: 3, FILE: 4, COMMON: 5, TLS: 6, GNU_IFUNC: 10 } as const;
export const STV = { DEFAULT: 0, INTERNAL: 1, HIDDEN: 2, PROTECTED: 3 } as const;
export const GRP_COMDAT = 1;

/** A program header of an executable. */
export interface ProgramHeader {
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly vaddr: number;
  readonly paddr: number;
  readonly filesz: number;
  readonly memsz: number;
  readonly align: number;
}

/** A section header. Addresses and sizes fit a double: this tool makes images below 2^53. */
export interface SectionHeader {
  readonly name: string;
  readonly type: number;
  readonly flags: number;
  readonly addr: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
  readonly info: number;
  readonly align: number;
  readonly entsize: number;
}

/** What the headers of an ELF-64 executable say. */
export interface Executable {
  readonly type: number;
  readonly machine: number;
  readonly entry: number;
  readonly programs: readonly ProgramHeader[];
  readonly sections: readonly SectionHeader[];
}

/** A fault in an ELF file, in words for the user; `undefined` results are never used for faults. */
export class ElfError extends Error {}

/**
 * Two words as one number, signed where the high one is. Mostly it is a small integer, which needs no room on the heap; made from a product it would always
 * be a number with a fraction to the engine, and objects are full of them.
 */
export function wide(low: number, high: number): number {
  if (high === 0) return low;
  return high === -1 && low >= 0x80000000 ? low | 0 : high * 0x100000000 + low;
}

function u64(view: DataView, at: number): number {
  const v = wide(view.getUint32(at, true), view.getUint32(at + 4, true));
  if (v > Number.MAX_SAFE_INTEGER) throw new ElfError(`the number at byte ${at} is too large`);
  return v;
}

/** How many bytes become characters at a time: what one call can take as arguments. */
const PORTION = 8192;

/** Bytes as text, one character each: of whole tables of names at once, whose parts then cost next to nothing. */
export function byteText(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += PORTION)
    text += Reflect.apply(String.fromCharCode, undefined, bytes.subarray(at, at + PORTION));
  return text;
}

/** The part of a table's text from `at` to the next NUL. */
export function nameAt(table: string, at: number): string {
  const end = table.indexOf('\0', at);
  return end < 0 ? table.slice(at) : table.slice(at, end);
}

/** Checks the identification of an ELF-64 little-endian x86-64 file. */
export function checkElf64(bytes: Uint8Array, name: string): DataView {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < EHDR_SIZE || view.getUint32(0, true) !== 0x464c457f) throw new ElfError(`${name} is not an ELF file.`);
  if (bytes[4] !== ELFCLASS64 || bytes[5] !== 1) throw new ElfError(`${name} is not a 64-bit little-endian ELF file.`);
  const machine = view.getUint16(18, true);
  if (machine !== EM_X86_64) throw new ElfError(`${name} is for another processor (ELF machine ${machine}); x86-64 is 62.`);
  return view;
}

/** Section headers with their names. @throws ElfError where they do not lie in the file. */
export function readSections(bytes: Uint8Array, view: DataView, name: string): SectionHeader[] {
  const shoff = u64(view, 40);
  const entsize = view.getUint16(58, true);
  let count = view.getUint16(60, true);
  let strndx = view.getUint16(62, true);
  if (shoff === 0) return [];
  if (entsize !== SHDR_SIZE || shoff + SHDR_SIZE > bytes.length) throw new ElfError(`${name}: the section headers lie outside the file.`);
  if (count === 0) count = u64(view, shoff + 32);
  if (strndx === SHN.XINDEX) strndx = view.getUint32(shoff + 40, true);
  if (shoff + count * SHDR_SIZE > bytes.length) throw new ElfError(`${name}: the section headers lie outside the file.`);
  const table = sectionNames(bytes, view, name, shoff, count, strndx);
  const words = wordsAt(bytes, shoff, count * SHDR_SIZE);
  // A loop over words: an engine that has just started takes long for calls.
  const number = (w: number): number => {
    const high = words[w + 1]!;
    if (high > 0x1fffff) throw new ElfError(`the number at byte ${shoff + 4 * w} is too large`);
    return wide(words[w]!, high);
  };
  const headers: SectionHeader[] = [];
  for (let i = 0, w = 0; i < count; i++, w += SHDR_SIZE / 4) {
    const header: SectionHeader = {
      name: nameAt(table, words[w]!),
      type: words[w + 1]!,
      flags: words[w + 2]!,
      addr: number(w + 4),
      offset: number(w + 6),
      size: number(w + 8),
      link: words[w + 10]!,
      info: words[w + 11]!,
      align: number(w + 12),
      entsize: number(w + 14),
    };
    if (header.type !== SHT.NOBITS && header.type !== SHT.NULL && header.offset + header.size > bytes.length)
      throw new ElfError(`${name}: section ${i} lies outside the file.`);
    headers.push(header);
  }
  return headers;
}

/** A part of a file as words; a copy where it is not aligned. Editors run on little-endian machines alone. */
function wordsAt(bytes: Uint8Array, offset: number, size: number): Uint32Array {
  const start = bytes.byteOffset + offset;
  if ((start & 3) === 0) return new Uint32Array(bytes.buffer, start, size >> 2);
  return new Uint32Array(bytes.slice(offset, offset + size).buffer);
}

/** The text of the table of section names. */
function sectionNames(bytes: Uint8Array, view: DataView, name: string, shoff: number, count: number, index: number): string {
  const at = shoff + index * SHDR_SIZE;
  if (index >= count || view.getUint32(at + 4, true) !== SHT.STRTAB) throw new ElfError(`${name}: there is no table of section names.`);
  const [offset, size] = [u64(view, at + 24), u64(view, at + 32)];
  if (offset + size > bytes.length) throw new ElfError(`${name}: section ${index} lies outside the file.`);
  return byteText(bytes.subarray(offset, offset + size));
}

/** Reads the headers of an executable. @throws ElfError. */
export function readExecutable(bytes: Uint8Array, name: string): Executable {
  const view = checkElf64(bytes, name);
  const phoff = u64(view, 32);
  const phnum = view.getUint16(56, true);
  if (phnum > 0 && (view.getUint16(54, true) !== PHDR_SIZE || phoff + phnum * PHDR_SIZE > bytes.length))
    throw new ElfError(`${name}: the program headers lie outside the file.`);
  const programs: ProgramHeader[] = [];
  for (let i = 0; i < phnum; i++) {
    const at = phoff + i * PHDR_SIZE;
    const p: ProgramHeader = {
      type: view.getUint32(at, true),
      flags: view.getUint32(at + 4, true),
      offset: u64(view, at + 8),
      vaddr: u64(view, at + 16),
      paddr: u64(view, at + 24),
      filesz: u64(view, at + 32),
      memsz: u64(view, at + 40),
      align: u64(view, at + 48),
    };
    if (p.type === PT.LOAD && p.offset + p.filesz > bytes.length) throw new ElfError(`${name}: segment ${i} lies outside the file.`);
    programs.push(p);
  }
  return { type: view.getUint16(16, true), machine: EM_X86_64, entry: u64(view, 24), programs, sections: readSections(bytes, view, name) };
}
