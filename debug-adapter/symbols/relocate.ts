/** Applies the relocations of a debug section of an object file that was not linked yet, so that its DWARF can be read. */
import { type ElfFile, type ElfSection, SHT } from './elf';

const R_X86_64_64 = 1;
const R_X86_64_PC32 = 2;
const R_X86_64_32 = 10;
const R_X86_64_32S = 11;

/** A copy of the section with x86-64 RELA relocations applied (psABI, table 4.9); the same bytes when there are none. */
export function applyRelocations(elf: ElfFile, section: ElfSection, bytes: Uint8Array): Uint8Array {
  const relocations = elf.sections.find((s) => s.type === SHT.RELA && s.info === section.index);
  if (!relocations) return bytes;
  // Not slice: that of a Buffer shares its memory.
  const copy = new Uint8Array(bytes);
  const view = new DataView(copy.buffer, copy.byteOffset, copy.length);
  const symbols = elf.symbols;
  for (const { offset, type, symbol, addend } of elf.relocations(relocations)) {
    const target = symbols[symbol - 1];
    if (!target) continue;
    const value = target.value + (elf.sections[target.section]?.address ?? 0n) + addend;
    if (type === R_X86_64_64 && offset + 8 <= copy.length) view.setBigUint64(offset, BigInt.asUintN(64, value), true);
    else if ((type === R_X86_64_32 || type === R_X86_64_32S) && offset + 4 <= copy.length)
      view.setUint32(offset, Number(BigInt.asUintN(32, value)), true);
    else if (type === R_X86_64_PC32 && offset + 4 <= copy.length) {
      view.setUint32(offset, Number(BigInt.asUintN(32, value - (section.address + BigInt(offset)))), true);
    }
  }
  return copy;
}
