/** Small bootable images made in memory, for tests of the loaders and of the machine. */

/** A multiboot image with load addresses in its header: `code` at 1 MiB + 32. */
export function kludgeImage(code: Uint8Array = new Uint8Array(64), bss = 0): Uint8Array {
  const base = 0x10_0000;
  const image = new Uint8Array(32 + code.length);
  const view = new DataView(image.buffer);
  const flags = 0x1_0000;
  [0x1bad_b002, flags, -(0x1bad_b002 + flags), base, base, base + image.length, base + image.length + bss, base + 32].forEach(
    (word, index) => view.setUint32(index * 4, word >>> 0, true),
  );
  image.set(code, 32);
  return image;
}

export interface ElfParts {
  readonly bits?: 32 | 64;
  readonly machine?: number;
  readonly type?: number;
  readonly entry?: number;
  readonly physical?: number;
  readonly memorySize?: number;
  readonly code?: Uint8Array;
  /** Put a multiboot header (flags 3) before the code. */
  readonly multiboot?: boolean;
  /** Contents of a .uk_bootinfo section. */
  readonly bootInfo?: Uint8Array;
}

/** An ELF executable with one segment. */
export function elfImage(parts: ElfParts = {}): Uint8Array {
  const bits = parts.bits ?? 64;
  const code = parts.code ?? new Uint8Array(64).fill(0x90);
  const header = bits === 64 ? 64 : 52;
  const programHeader = bits === 64 ? 56 : 32;
  const multiboot = header + programHeader;
  const start = multiboot + (parts.multiboot ? 16 : 0);
  const bootInfo = parts.bootInfo;
  const names = '\0.uk_bootinfo\0.shstrtab\0';
  const bootInfoAt = start + code.length;
  const namesAt = bootInfoAt + (bootInfo?.length ?? 0);
  const sections = (namesAt + names.length + 7) & ~7;
  const sectionHeader = bits === 64 ? 64 : 40;
  const image = new Uint8Array(bootInfo === undefined ? bootInfoAt : sections + 3 * sectionHeader);
  const view = new DataView(image.buffer);
  const u16 = (at: number, value: number): void => view.setUint16(at, value, true);
  const u32 = (at: number, value: number): void => view.setUint32(at, value, true);
  const word = (at: number, value: number): void =>
    bits === 64 ? view.setBigUint64(at, BigInt(value), true) : view.setUint32(at, value, true);
  image.set([0x7f, 0x45, 0x4c, 0x46, bits === 64 ? 2 : 1, 1, 1]);
  u16(16, parts.type ?? 2);
  u16(18, parts.machine ?? (bits === 64 ? 62 : 3));
  u32(20, 1);
  const physical = parts.physical ?? 0x10_0000;
  const w = bits / 8;
  word(24, parts.entry ?? physical);
  word(24 + w, header);
  word(24 + 2 * w, bootInfo === undefined ? 0 : sections);
  const tail = 24 + 3 * w + 4;
  u16(tail, header);
  u16(tail + 2, programHeader);
  u16(tail + 4, 1);
  u16(tail + 6, sectionHeader);
  u16(tail + 8, bootInfo === undefined ? 0 : 3);
  u16(tail + 10, bootInfo === undefined ? 0 : 2);
  const fields = [start, physical, physical, code.length, parts.memorySize ?? code.length];
  u32(header, 1);
  if (bits === 64) {
    u32(header + 4, 7);
    fields.forEach((value, index) => word(header + 8 + index * 8, value));
  } else fields.forEach((value, index) => u32(header + 4 + index * 4, value));
  if (parts.multiboot) [0x1bad_b002, 3, -(0x1bad_b002 + 3)].forEach((value, index) => u32(multiboot + index * 4, value >>> 0));
  image.set(code, start);
  if (bootInfo !== undefined) {
    image.set(bootInfo, bootInfoAt);
    image.set(new TextEncoder().encode(names), namesAt);
    const put = (index: number, name: number, type: number, offset: number, size: number): void => {
      const at = sections + index * sectionHeader;
      u32(at, name);
      u32(at + 4, type);
      word(at + 8 + 2 * w, offset);
      word(at + 8 + 3 * w, size);
    };
    put(1, 1, 1, bootInfoAt, bootInfo.length);
    put(2, 14, 3, namesAt, names.length);
  }
  return image;
}
