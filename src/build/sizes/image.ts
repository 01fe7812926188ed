/** Sizes of an image from its symbols, its DWARF, and where they are at hand our linker's map or the build folder of an upstream build. */

import { type CompilationUnit, SymbolFile } from '../../../debug-adapter/symbols/api';
import { demangled } from '../../../debug-adapter/symbols/demangle/index';
import { type ElfFile, type ElfSymbol, parseElf, SHF, SHN, SHT, STB, STT } from '../../../debug-adapter/symbols/elf';
import { type LinkedPiece } from '../link/link';
import { type LibraryIndex } from './libraries';
import { type SizePiece, type SizeReport, type SizeSection } from './model';
import { type OwnedRange, type Owner, type PlacedSymbol, tileSection } from './tile';

/** What is known beside the file itself. */
export interface SizeSources {
  /** Pieces as our linker placed them: exact for every byte. */
  readonly map?: readonly LinkedPiece[];
  /** Which library defines a symbol, from the objects of an upstream build folder. */
  readonly libraries?: LibraryIndex;
}

/** A fault in words for the user. */
export class SizeError extends Error {}

/**
 * Sizes of an ELF file with symbols. The sums by section equal its section headers.
 * @throws SizeError where the file is no ELF file or has no sections.
 */
export function sizesOfImage(name: string, bytes: Uint8Array, sources: SizeSources = {}): SizeReport {
  const elf = parseElf(bytes);
  if (!elf.valid) throw new SizeError(`${name} is not an ELF file: ${elf.errors[0]?.message ?? 'its header is damaged.'}`);
  const loaded = elf.sections.filter((s) => (s.flags & SHF.ALLOC) !== 0 && s.size > 0);
  if (loaded.length === 0)
    throw new SizeError(`${name} has no section headers, so that nothing can be told of its parts; give the file with symbols (.dbg).`);

  const owners = sources.map ? new MapOwners(sources.map) : new DwarfOwners(SymbolFile.open(bytes, { name }), elf, sources.libraries);
  const symbols = symbolsBySection(elf, owners);
  const pieces: SizePiece[] = [];
  const sections: SizeSection[] = [];
  for (const s of loaded) {
    const written = (s.flags & SHF.WRITE) !== 0;
    sections.push({ name: s.name, size: s.size, kind: s.type === SHT.NOBITS ? 'bss' : written ? 'data' : 'text' });
    pieces.push(...tileSection(s.name, s.size, owners.ranges(s.address, s.size), symbols.get(s.index) ?? []));
  }
  return { name, sections: mergeSameNames(sections), pieces };
}

/** Sections of one name count as one. */
function mergeSameNames(sections: readonly SizeSection[]): SizeSection[] {
  const merged = new Map<string, SizeSection>();
  for (const s of sections) {
    const known = merged.get(s.name);
    merged.set(s.name, known ? { ...known, size: known.size + s.size } : s);
  }
  return [...merged.values()];
}

/** Says who owns what. */
interface Owners {
  /** Ranges of [address, address + size), as offsets from `address`. */
  ranges(address: bigint, size: number): OwnedRange[];
  /** Owner of symbol number `index` of the table; undefined: that of the range around it. */
  ofSymbol(symbol: ElfSymbol, index: number): Owner | undefined;
}

class MapOwners implements Owners {
  constructor(private readonly map: readonly LinkedPiece[]) {}

  ranges(address: bigint, size: number): OwnedRange[] {
    const base = Number(address);
    return this.map
      .filter((p) => p.address >= base && p.address < base + size)
      .map((p) => ({ offset: p.address - base, size: p.size, owner: { library: p.unit, object: p.object } }));
  }

  ofSymbol(): undefined {
    return undefined;
  }
}

/** From DWARF's units for code, from its global variables and the file symbols for data. */
class DwarfOwners implements Owners {
  private readonly unitOwners = new Map<CompilationUnit, Owner>();
  private readonly bySymbol = new Map<ElfSymbol, Owner>();

  constructor(
    private readonly symbols: SymbolFile,
    elf: ElfFile,
    private readonly libraries: LibraryIndex | undefined,
  ) {
    this.nameUnits(elf);
    const variables = this.variableOwners();
    // Local symbols stand behind the file symbol of their object, so that one known member tells the owner of all.
    let group: ElfSymbol[] = [];
    let owner: Owner | undefined;
    const close = (): void => {
      for (const s of group) if (!this.bySymbol.has(s) && owner) this.bySymbol.set(s, owner);
      group = [];
      owner = undefined;
    };
    for (const s of elf.symbols) {
      if (s.type === STT.FILE || s.binding !== STB.LOCAL) close();
      if (s.type === STT.FILE) continue;
      const own = this.unitOwner(s) ?? variables.get(s.value) ?? this.fromIndex(s);
      if (own) this.bySymbol.set(s, own);
      if (s.binding !== STB.LOCAL) continue;
      owner ??= own;
      group.push(s);
    }
    close();
  }

  ranges(address: bigint, size: number): OwnedRange[] {
    const end = address + BigInt(size);
    const found: OwnedRange[] = [];
    for (const unit of this.symbols.units())
      for (const r of unit.ranges)
        if (r.low >= address && r.low < end)
          found.push({ offset: Number(r.low - address), size: Number(r.high - r.low), owner: this.unitOwners.get(unit)! });
    return found;
  }

  ofSymbol(symbol: ElfSymbol): Owner | undefined {
    return this.bySymbol.get(symbol);
  }

  private unitOwner(s: ElfSymbol): Owner | undefined {
    if (s.type === STT.TLS || s.section === SHN.ABS) return undefined;
    const unit = this.symbols.unitAt(s.value);
    return unit && this.unitOwners.get(unit);
  }

  private fromIndex(s: ElfSymbol): Owner | undefined {
    const library = this.libraries?.ofGlobal(s.name);
    return library === undefined || s.binding === STB.LOCAL ? undefined : { library, object: '(unknown object)' };
  }

  /** A unit's library: what the build folder says of the functions in it, else what its path says. */
  private nameUnits(elf: ElfFile): void {
    const known = new Map<CompilationUnit, string>();
    if (this.libraries)
      for (const s of elf.symbols) {
        if (s.binding === STB.LOCAL || s.type === STT.TLS || s.section === SHN.UNDEF || s.section === SHN.ABS) continue;
        const library = this.libraries.ofGlobal(s.name);
        const unit = library === undefined ? undefined : this.symbols.unitAt(s.value);
        if (unit && library !== undefined && !known.has(unit)) known.set(unit, library);
      }
    for (const unit of this.symbols.units())
      this.unitOwners.set(unit, {
        library: known.get(unit) ?? this.libraries?.ofSource(unit.path) ?? unit.library,
        object: shortPath(unit.path, unit.directory),
      });
  }

  private variableOwners(): Map<bigint, Owner> {
    const found = new Map<bigint, Owner>();
    for (const unit of this.symbols.units()) {
      for (const variable of this.symbols.globals(unit)) {
        const { location } = variable;
        if (location.kind !== 'expression') continue;
        const address = fixedAddress(location.expression.bytes);
        if (address !== undefined) found.set(address, this.unitOwners.get(unit)!);
      }
    }
    return found;
  }
}

/** Folders that a source's path is shown from: the part before them differs from machine to machine. */
const TREES = new Set(['lib', 'libs', 'plat', 'drivers', 'arch']);

/** `lib/ukboot/boot.c` for a source of a Unikraft tree, and the path below the build folder for an unpacked one. */
function shortPath(path: string, directory: string): string {
  if (directory !== '' && path.startsWith(`${directory}/`)) return path.slice(directory.length + 1);
  const parts = path.split('/');
  for (let i = parts.length - 2; i > 0; i--) if (TREES.has(parts[i]!)) return parts.slice(i).join('/');
  return parts.slice(-2).join('/');
}

const DW_OP_addr = 0x03;

/** The address of an expression that is nothing but one (DW_OP_addr, 8 bytes). */
function fixedAddress(bytes: Uint8Array): bigint | undefined {
  if (bytes.length !== 9 || bytes[0] !== DW_OP_addr) return undefined;
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getBigUint64(1, true);
}

function symbolsBySection(elf: ElfFile, owners: Owners): Map<number, PlacedSymbol[]> {
  const bySection = new Map<number, PlacedSymbol[]>();
  const tls = elf.sections.find((s) => (s.flags & SHF.TLS) !== 0)?.address ?? 0n;
  elf.symbols.forEach((s, index) => {
    const section = elf.sections[s.section];
    if (!section || s.section === SHN.UNDEF || (section.flags & SHF.ALLOC) === 0) return;
    if (s.type === STT.SECTION || s.type === STT.FILE || s.name === '') return;
    const address = s.type === STT.TLS ? s.value + tls : s.value;
    const offset = Number(address - section.address);
    if (offset < 0 || offset >= section.size) return;
    // A label of data marks a bound, such as the start of a table, more often than a thing.
    if (s.size === 0 && (section.flags & SHF.EXECINSTR) === 0) return;
    let list = bySection.get(s.section);
    if (!list) bySection.set(s.section, (list = []));
    list.push({ name: demangled(s.name), offset, size: s.size, owner: owners.ofSymbol(s, index) });
  });
  return bySection;
}
