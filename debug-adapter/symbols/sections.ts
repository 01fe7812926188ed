/** The debug sections of one file, taken from the ELF file when first asked for, and the conversion between link and internal addresses. */
import { type AbbrevTable, parseAbbrevs } from './abbrev';
import { type DiagnosticSink } from './diagnostics';
import { EM, ET, SHF, type ElfFile, type ElfSection } from './elf';
import { LineFiles } from './line-header';
import { type Reader, stringAt } from './reader';
import { applyRelocations } from './relocate';

const EMPTY = new Uint8Array(0);
const HIGH = 0x1_0000_0000;

/**
 * Internal addresses are numbers: the link address minus `highBase` * 2^32. `highBase` is 0 but for files linked in the top half (kernels at
 * 0xffffffff80000000), so that all real addresses stay far below 2^53 and are exact. Addresses elsewhere may be rounded, and match nothing.
 */
export class DebugSections {
  readonly addressSize: 4 | 8;
  readonly highBase: number;
  private readonly cache = new Map<string, Uint8Array>();
  private readonly strings = new Map<number, string>();
  readonly lineFiles = new LineFiles();
  private readonly lineStrings = new Map<number, string>();
  private readonly abbrevs = new Map<number, AbbrevTable>();
  private code: { low: number; high: number }[] | undefined;

  /** @param highBase of the file that refers to this one, where this one has no addresses of its own. */
  constructor(
    readonly elf: ElfFile,
    readonly diagnostics: DiagnosticSink,
    highBase?: number,
  ) {
    this.addressSize = elf.bits === 32 ? 4 : 8;
    const code = elf.sections.filter((s) => s.flags & SHF.EXECINSTR && s.address !== 0n).map((s) => s.address);
    const lowest = code.reduce((a, b) => (b < a ? b : a), code[0] ?? 0n);
    this.highBase = highBase ?? (lowest >> 53n !== 0n ? Number(lowest >> 32n) : 0);
    for (const error of elf.errors) this.diagnostics.add(error.code, error.message, undefined, error.offset);
  }

  /** The header of `.debug_NAME`, or of `.zdebug_NAME`, as Go's linker and older GNU ones name what they compress. */
  section(name: string): ElfSection | undefined {
    return this.elf.section(name) ?? (name.startsWith('.debug_') ? this.elf.section(`.z${name.slice(1)}`) : undefined);
  }

  /** Contents of `.debug_NAME` (or `.zdebug_NAME`); empty when there is none. */
  get(name: string): Uint8Array {
    const cached = this.cache.get(name);
    if (cached) return cached;
    const section = this.section(name);
    let bytes: Uint8Array = EMPTY;
    if (section) {
      const before = this.elf.errors.length;
      bytes = this.elf.contents(section);
      for (const error of this.elf.errors.slice(before)) this.diagnostics.add(error.code, error.message, name);
      if (this.elf.type === ET.REL && this.elf.machine === EM.X86_64) bytes = applyRelocations(this.elf, section, bytes);
    }
    this.cache.set(name, bytes);
    return bytes;
  }

  abbrevTable(offset: number): AbbrevTable {
    let table = this.abbrevs.get(offset);
    if (!table) {
      table = parseAbbrevs(this.get('.debug_abbrev'), offset, this.diagnostics);
      this.abbrevs.set(offset, table);
    }
    return table;
  }

  /** A string of .debug_str; those are shared by many DIEs and therefore kept. */
  debugString(offset: number): string {
    let text = this.strings.get(offset);
    if (text === undefined) {
      text = stringAt(this.get('.debug_str'), offset);
      this.strings.set(offset, text);
    }
    return text;
  }

  /** A string of .debug_line_str; the tables of all units repeat the same ones. */
  lineString(offset: number): string {
    let text = this.lineStrings.get(offset);
    if (text === undefined) {
      text = stringAt(this.get('.debug_line_str'), offset);
      this.lineStrings.set(offset, text);
    }
    return text;
  }

  /** Reads a target address of `size` bytes as an internal address. */
  address(r: Reader, size: number = this.addressSize): number {
    if (size !== 8) return r.unsigned(size);
    const low = r.u32();
    return this.fromHalves(low, r.u32());
  }

  /** An address of 64 bits as an internal address. */
  fromHalves(low: number, high: number): number {
    return (high - this.highBase) * HIGH + low;
  }

  /** Link address 0 as an internal address. */
  get zero(): number {
    return -this.highBase * HIGH;
  }

  /** Reads an offset from `base`, or where the base is address 0, an address: both exact. */
  relative(r: Reader, base: number, size: number): number {
    if (base === this.zero) return this.address(r, size);
    return base + r.unsigned(size);
  }

  toInternal(link: bigint): number {
    const address = BigInt.asUintN(64, link);
    return (Number(address >> 32n) - this.highBase) * HIGH + Number(address & 0xffff_ffffn);
  }

  toLink(internal: number): bigint {
    return BigInt.asUintN(64, (BigInt(this.highBase) << 32n) + BigInt(internal));
  }

  /** Does an executable section hold the address? The linker leaves tombstones (0, 1, -1) for code that it dropped. */
  isCode(internal: number): boolean {
    if (!this.code) {
      const executable = this.elf.sections.filter((s) => (s.flags & SHF.EXECINSTR) !== 0 && s.size > 0);
      this.code = executable.map((s) => ({ low: this.toInternal(s.address), high: this.toInternal(s.address) + s.size }));
    }
    // Without section headers everything may be code.
    if (this.code.length === 0) return true;
    for (const range of this.code) if (internal >= range.low && internal < range.high) return true;
    return false;
  }
}
