/** The ELF symbol table, searchable by address and by name. */
import { type ElfFile, type ElfSymbol, SHF, SHN, STB, STT } from './elf';
import { type DebugSections } from './sections';

export interface TableSymbol {
  readonly elf: ElfSymbol;
  /** Internal address; a TLS offset for TLS symbols. */
  readonly address: number;
  readonly kind: 'function' | 'data' | 'tls' | 'label' | 'ifunc';
  readonly section: string;
  readonly file: string | undefined;
}

export class SymbolTable {
  /** In order of the table; section and file symbols and undefined ones are left out. */
  readonly all: readonly TableSymbol[];
  private sorted: readonly TableSymbol[] | undefined;
  private names: Map<string, TableSymbol[]> | undefined;

  constructor(
    elf: ElfFile,
    private readonly sections: DebugSections,
  ) {
    const source = elf.symbols.length > 0 ? elf.symbols : elf.dynamicSymbols;
    const all: TableSymbol[] = [];
    let file: string | undefined;
    for (const symbol of source) {
      if (symbol.type === STT.FILE) file = symbol.name;
      if (symbol.type === STT.FILE || symbol.type === STT.SECTION || symbol.section === SHN.UNDEF || symbol.name === '') continue;
      const section = elf.sections[symbol.section];
      const tls = symbol.type === STT.TLS;
      all.push({
        elf: symbol,
        address: tls ? Number(symbol.value) : sections.toInternal(symbol.value),
        kind: kindOf(symbol, section !== undefined && (section.flags & SHF.EXECINSTR) !== 0),
        section: section?.name ?? '',
        file: symbol.binding === STB.LOCAL ? file : undefined,
      });
    }
    this.all = all;
  }

  /** The symbol whose extent holds the address; one without a size reaches to the next symbol of its section. */
  at(address: number): TableSymbol | undefined {
    const sorted = (this.sorted ??= this.sort());
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sorted[middle]!.address <= address) low = middle + 1;
      else high = middle;
    }
    let best: TableSymbol | undefined;
    // Sized symbols may enclose later labels, so a few earlier ones are looked at too.
    for (let i = low - 1; i >= 0 && low - i < 64; i--) {
      const symbol = sorted[i]!;
      const { size } = symbol.elf;
      if (size > 0 ? address < symbol.address + size : !best && this.sameSection(symbol, address)) {
        if (!best || rank(symbol) > rank(best)) best = symbol;
        if (best.elf.size > 0) break;
      }
    }
    if (!best) return undefined;
    // Of several at one address, functions and global names win.
    for (let i = sorted.indexOf(best) - 1; i >= 0 && sorted[i]!.address === best.address; i--)
      if (rank(sorted[i]!) > rank(best)) best = sorted[i]!;
    return best;
  }

  named(name: string): readonly TableSymbol[] {
    if (!this.names) {
      this.names = new Map();
      for (const symbol of this.all) {
        const list = this.names.get(symbol.elf.name);
        if (list) list.push(symbol);
        else this.names.set(symbol.elf.name, [symbol]);
      }
    }
    return this.names.get(name) ?? [];
  }

  private sameSection(symbol: TableSymbol, address: number): boolean {
    const section = this.sections.elf.section(symbol.section);
    if (!section) return false;
    const start = this.sections.toInternal(section.address);
    return address >= start && address < start + section.size;
  }

  private sort(): TableSymbol[] {
    return this.all.filter((s) => s.kind !== 'tls' && s.elf.section !== SHN.ABS).sort((a, b) => a.address - b.address || rank(a) - rank(b));
  }
}

function kindOf(symbol: ElfSymbol, executable: boolean): TableSymbol['kind'] {
  switch (symbol.type) {
    case STT.FUNC:
      return 'function';
    case STT.GNU_IFUNC:
      return 'ifunc';
    case STT.TLS:
      return 'tls';
    case STT.NOTYPE:
      return executable ? 'label' : 'data';
    default:
      return 'data';
  }
}

function rank(symbol: TableSymbol): number {
  const kind = symbol.kind === 'function' || symbol.kind === 'ifunc' ? 8 : symbol.elf.type === STT.OBJECT ? 4 : 0;
  const size = symbol.elf.size > 0 ? 2 : 0;
  // Of aliases the one that programs use has no leading underscore.
  const plain = symbol.elf.name.startsWith('_') ? 0 : 1;
  return kind + size + plain + (symbol.elf.binding === STB.LOCAL ? 0 : 0.5);
}
