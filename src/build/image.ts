/** Image writers: strips an executable, and wraps it for Multiboot loaders. */

import { EHDR_SIZE, EM_386, ElfError, ET, PHDR_SIZE, PT, readExecutable, SHDR_SIZE, SHF, SHT } from './link/elf';

const EHDR32_SIZE = 52;
const PHDR32_SIZE = 32;

/** Offset of the Multiboot header: right behind the ELF-32 header, well within the first 8 KiB. */
const MULTIBOOT_AT = EHDR32_SIZE;
const MULTIBOOT_MAGIC = 0x1badb002;
/** Modules on page boundaries, and memory information wanted. */
const MULTIBOOT_FLAGS = 3;

function alignUp(v: number, align: number): number {
  return Math.ceil(v / align) * align;
}

/**
 * The executable without symbols and debug information: headers and loaded sections keep their places.
 * `entry`, where given, replaces the entry point: one executable has an entry for each boot protocol.
 * @throws ElfError
 */
export function stripExecutable(bytes: Uint8Array, name: string, entry?: number): Uint8Array {
  const exe = readExecutable(bytes, name);
  let end = EHDR_SIZE + exe.programs.length * PHDR_SIZE;
  for (const p of exe.programs) if (p.type === PT.LOAD) end = Math.max(end, p.offset + p.filesz);

  const kept = exe.sections.map((s, index) => ({ s, index })).filter(({ s }) => s.type === SHT.NULL || (s.flags & SHF.ALLOC) !== 0);
  const names: string[] = [...kept.map(({ s }) => s.name), '.shstrtab'];
  const nameAt: number[] = [];
  let strings = '';
  for (const n of names) {
    nameAt.push(strings.length);
    strings += `${n}\0`;
  }
  const stringsAt = end;
  const shoff = alignUp(stringsAt + strings.length, 8);
  const out = new Uint8Array(shoff + (kept.length + 1) * SHDR_SIZE);
  out.set(bytes.subarray(0, end));
  for (let i = 0; i < strings.length; i++) out[stringsAt + i] = strings.charCodeAt(i);

  const view = new DataView(out.buffer);
  const source = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const oldShoff = source.getUint32(40, true) + source.getUint32(44, true) * 0x100000000;
  kept.forEach(({ index }, i) => {
    const at = shoff + i * SHDR_SIZE;
    out.set(bytes.subarray(oldShoff + index * SHDR_SIZE, oldShoff + (index + 1) * SHDR_SIZE), at);
    view.setUint32(at, nameAt[i]!, true);
    view.setUint32(at + 40, 0, true);
    view.setUint32(at + 44, 0, true);
  });
  const last = shoff + kept.length * SHDR_SIZE;
  view.setUint32(last, nameAt.at(-1)!, true);
  view.setUint32(last + 4, SHT.STRTAB, true);
  view.setBigUint64(last + 24, BigInt(stringsAt), true);
  view.setBigUint64(last + 32, BigInt(strings.length), true);
  view.setBigUint64(last + 48, 1n, true);

  if (entry !== undefined) view.setBigUint64(24, BigInt(entry), true);
  view.setBigUint64(40, BigInt(shoff), true);
  view.setUint16(60, kept.length + 1, true);
  view.setUint16(62, kept.length, true);
  return out;
}

/**
 * Wraps an ELF-64 executable into an ELF-32 file with a Multiboot 1 header, since Multiboot loaders refuse ELF-64: the program headers
 * of the new file point into the whole old file behind them.
 * @throws ElfError where the image does not lie below 4 GiB.
 */
export function multibootImage(bytes: Uint8Array, name: string, entry: number): Uint8Array {
  const loads = readExecutable(bytes, name).programs.filter((p) => p.type === PT.LOAD && p.memsz > 0);
  if (loads.length === 0) throw new ElfError(`${name} has nothing to load.`);
  const inner = alignUp(64 + loads.length * PHDR32_SIZE, 64);
  const out = new Uint8Array(inner + bytes.length);
  const view = new DataView(out.buffer);
  out.set(bytes, inner);

  view.setUint32(0, 0x464c457f, true);
  out.set([1, 1, 1], 4); // 32-bit, little-endian, version 1
  view.setUint16(16, ET.EXEC, true);
  view.setUint16(18, EM_386, true);
  view.setUint32(20, 1, true);
  view.setUint32(24, entry, true);
  view.setUint32(28, 64, true);
  view.setUint16(40, EHDR32_SIZE, true);
  view.setUint16(42, PHDR32_SIZE, true);
  view.setUint16(44, loads.length, true);
  view.setUint16(46, 40, true);

  view.setUint32(MULTIBOOT_AT, MULTIBOOT_MAGIC, true);
  view.setUint32(MULTIBOOT_AT + 4, MULTIBOOT_FLAGS, true);
  view.setUint32(MULTIBOOT_AT + 8, -(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS) >>> 0, true);

  loads.forEach((p, i) => {
    if (p.paddr + p.memsz > 0x100000000) throw new ElfError(`${name}: a segment lies above 4 GiB, where Multiboot cannot load it.`);
    const at = 64 + i * PHDR32_SIZE;
    [PT.LOAD, inner + p.offset, p.vaddr, p.paddr, p.filesz, p.memsz, p.flags, p.align].forEach((v, k) =>
      view.setUint32(at + 4 * k, v, true),
    );
  });
  return out;
}
