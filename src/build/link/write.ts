/** Writes the image's file: headers, sections, symbol table. */

import { EHDR_SIZE, EM_X86_64, ET, PF, PHDR_SIZE, PT, SHDR_SIZE, SHF, SHN, SHT, STB, STT, SYM_SIZE } from './elf';
import { type InputObject, type LinkSymbol, type OutputSection } from './object';
import { type Placement } from './place';

/** A symbol table as bytes. */
export interface SymbolTableBytes {
  readonly symtab: Uint8Array;
  readonly strtab: Uint8Array;
  /** Index of the first symbol that is not local. */
  readonly firstGlobal: number;
}

class StringTable {
  private readonly parts: string[] = ['\0'];
  private readonly known = new Map<string, number>([['', 0]]);
  private length = 1;

  add(text: string): number {
    let at = this.known.get(text);
    if (at === undefined) {
      at = this.length;
      this.known.set(text, at);
      this.parts.push(text, '\0');
      this.length += text.length + 1;
    }
    return at;
  }

  /** Names are bytes, each held as one character. */
  bytes(): Uint8Array {
    const text = this.parts.join('');
    const out = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) out[i] = text.charCodeAt(i);
    return out;
  }
}

/** Local symbols by object, each after its file's name; then the others. Labels that the compiler made up (`.L…`) are left out. */
export function buildSymbolTable(objects: readonly InputObject[], globals: Iterable<LinkSymbol>, tlsStart: number): SymbolTableBytes {
  const strings = new StringTable();
  const rows: { name: number; info: number; other: number; shndx: number; value: number; size: number }[] = [
    { name: 0, info: 0, other: 0, shndx: 0, value: 0, size: 0 },
  ];
  const add = (s: LinkSymbol, binding: number): void => {
    const output = s.section?.output;
    const value = s.type === STT.TLS && s.state === 'defined' ? s.address - tlsStart : s.address;
    const shndx =
      s.state === 'absolute' ? SHN.ABS : output && output.index > 0 ? output.index : s.state === 'defined' ? SHN.ABS : SHN.UNDEF;
    rows.push({ name: strings.add(s.name), info: (binding << 4) | s.type, other: s.visibility, shndx, value, size: s.size });
  };
  const scopedLocals = new Set<LinkSymbol>();
  for (const object of objects) {
    for (let i = 1; i < object.symbols.length; i++) {
      const s = object.symbols[i]!;
      if (!s.local || s.name === '' || s.type === STT.SECTION || s.name.startsWith('.L')) continue;
      if (s.type === STT.FILE) {
        rows.push({ name: strings.add(s.name), info: STT.FILE, other: 0, shndx: SHN.ABS, value: 0, size: 0 });
        continue;
      }
      if (i >= object.firstGlobal) {
        // Global in its object, local to its library.
        if (scopedLocals.has(s)) continue;
        scopedLocals.add(s);
      }
      if (s.state === 'absolute' || (s.state === 'defined' && s.section!.live && s.section!.output && s.section!.alloc)) add(s, STB.LOCAL);
    }
  }
  const firstGlobal = rows.length;
  for (const s of globals) {
    if (s.state === 'absolute' || (s.state === 'defined' && s.section!.output && (s.section!.live || s.section!.output.index > 0)))
      add(s, s.weak ? STB.WEAK : STB.GLOBAL);
    else if (s.state === 'undefined' && s.object && !s.wanted)
      rows.push({ name: strings.add(s.name), info: (STB.WEAK << 4) | s.type, other: s.visibility, shndx: 0, value: 0, size: 0 });
  }
  const symtab = new Uint8Array(rows.length * SYM_SIZE);
  const view = new DataView(symtab.buffer);
  rows.forEach((r, i) => {
    const at = i * SYM_SIZE;
    view.setUint32(at, r.name, true);
    symtab[at + 4] = r.info;
    symtab[at + 5] = r.other;
    view.setUint16(at + 6, r.shndx, true);
    set64(view, at + 8, r.value);
    set64(view, at + 16, r.size);
  });
  return { symtab, strtab: strings.bytes(), firstGlobal };
}

/** Writes a number below 2^53 as 64 bits; negative ones as two's complement. */
export function set64(view: DataView, at: number, value: number): void {
  view.setUint32(at, value >>> 0, true);
  const isShort = value >= 0 && value <= 0xffffffff;
  view.setInt32(at + 4, isShort ? 0 : Math.floor(value / 0x100000000), true);
}

/** Where the parts of the file after the sections go. */
export interface FilePlan {
  readonly size: number;
  readonly symtabAt: number;
  readonly strtabAt: number;
  readonly namesAt: number;
  readonly headersAt: number;
  readonly names: Uint8Array;
  readonly nameOffsets: ReadonlyMap<string, number>;
  readonly sections: readonly OutputSection[];
}

/** Numbers the sections; their indexes go into the symbol table. */
export function numberSections(placement: Placement): void {
  placement.sections.forEach((o, i) => (o.index = i + 1));
}

/** Plans the file's end. */
export function planFile(placement: Placement, symbols: SymbolTableBytes): FilePlan {
  const strings = new StringTable();
  const nameOffsets = new Map<string, number>();
  for (const name of [...placement.sections.map((o) => o.name), '.symtab', '.strtab', '.shstrtab'])
    nameOffsets.set(name, strings.add(name));
  const names = strings.bytes();
  const symtabAt = Math.ceil(placement.fileEnd / 8) * 8;
  const strtabAt = symtabAt + symbols.symtab.length;
  const namesAt = strtabAt + symbols.strtab.length;
  const headersAt = Math.ceil((namesAt + names.length) / 8) * 8;
  const size = headersAt + (placement.sections.length + 4) * SHDR_SIZE;
  return { size, symtabAt, strtabAt, namesAt, headersAt, names, nameOffsets, sections: placement.sections };
}

/** Special program headers. */
export interface ExtraHeaders {
  readonly dynamic?: OutputSection;
  readonly frameHeader?: OutputSection;
}

/** Writes all headers and tables; the sections' contents are there already. */
export function writeHeaders(
  out: Uint8Array,
  file: FilePlan,
  placement: Placement,
  symbols: SymbolTableBytes,
  entry: number,
  pie: boolean,
  extra: ExtraHeaders,
): void {
  const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
  out.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0]);
  view.setUint16(16, pie ? ET.DYN : ET.EXEC, true);
  view.setUint16(18, EM_X86_64, true);
  view.setUint32(20, 1, true);
  set64(view, 24, entry);
  set64(view, 32, EHDR_SIZE);
  set64(view, 40, file.headersAt);
  view.setUint16(52, EHDR_SIZE, true);
  view.setUint16(54, PHDR_SIZE, true);
  view.setUint16(58, SHDR_SIZE, true);
  view.setUint16(60, file.sections.length + 4, true);
  view.setUint16(62, file.sections.length + 3, true);

  let count = 0;
  const program = (
    type: number,
    flags: number,
    offset: number,
    address: number,
    fileSize: number,
    memorySize: number,
    align: number,
  ): void => {
    const at = EHDR_SIZE + count++ * PHDR_SIZE;
    view.setUint32(at, type, true);
    view.setUint32(at + 4, flags, true);
    [offset, address, address, fileSize, memorySize, align].forEach((v, i) => set64(view, at + 8 + 8 * i, v));
  };
  for (const s of placement.segments) program(PT.LOAD, s.flags, s.fileOffset, s.address, s.fileSize, s.memorySize, s.align);
  const { tls } = placement;
  if (tls) {
    const parts = placement.sections.filter((o) => (o.flags & SHF.TLS) !== 0);
    const data = parts.filter((o) => o.type !== SHT.NOBITS).at(-1);
    program(PT.TLS, PF.R, parts[0]!.fileOffset, tls.start, data ? data.address + data.size - tls.start : 0, tls.end - tls.start, tls.align);
  }
  if (extra.dynamic)
    program(PT.DYNAMIC, PF.R | PF.W, extra.dynamic.fileOffset, extra.dynamic.address, extra.dynamic.size, extra.dynamic.size, 8);
  if (extra.frameHeader)
    program(
      PT.GNU_EH_FRAME,
      PF.R,
      extra.frameHeader.fileOffset,
      extra.frameHeader.address,
      extra.frameHeader.size,
      extra.frameHeader.size,
      4,
    );
  program(PT.GNU_STACK, PF.R | PF.W, 0, 0, 0, 0, 16);
  view.setUint16(56, count, true);

  let at = file.headersAt + SHDR_SIZE;
  const header = (
    name: string,
    type: number,
    flags: number,
    values: readonly number[],
    link: number,
    info: number,
    align: number,
    entsize: number,
  ): void => {
    view.setUint32(at, file.nameOffsets.get(name)!, true);
    view.setUint32(at + 4, type, true);
    set64(view, at + 8, flags);
    values.forEach((v, i) => set64(view, at + 16 + 8 * i, v));
    view.setUint32(at + 40, link, true);
    view.setUint32(at + 44, info, true);
    set64(view, at + 48, align);
    set64(view, at + 56, entsize);
    at += SHDR_SIZE;
  };
  const dynsym = file.sections.find((o) => o.name === '.dynsym');
  for (const o of file.sections) {
    const links =
      o.name === '.dynsym' || o.name === '.dynamic'
        ? (file.sections.find((s) => s.name === '.dynstr')?.index ?? 0)
        : o.type === SHT.RELA
          ? (dynsym?.index ?? 0)
          : 0;
    const entsize = o.name === '.dynsym' || o.type === SHT.RELA ? 24 : o.name === '.dynamic' ? 16 : o.entsize;
    header(o.name, o.type, o.flags, [o.address, o.fileOffset, o.size], links, o.name === '.dynsym' ? 1 : 0, o.align, entsize);
  }
  const n = file.sections.length;
  header('.symtab', SHT.SYMTAB, 0, [0, file.symtabAt, symbols.symtab.length], n + 2, symbols.firstGlobal, 8, SYM_SIZE);
  header('.strtab', SHT.STRTAB, 0, [0, file.strtabAt, symbols.strtab.length], 0, 0, 1, 0);
  header('.shstrtab', SHT.STRTAB, 0, [0, file.namesAt, file.names.length], 0, 0, 1, 0);
  out.set(symbols.symtab, file.symtabAt);
  out.set(symbols.strtab, file.strtabAt);
  out.set(file.names, file.namesAt);
}
