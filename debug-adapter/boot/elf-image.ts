/** Just enough of ELF to load an executable image: header, program headers, and the few sections that tell what a file is. */
import { type MachineError, machineErrors } from '../machine/api';

/** A loadable part of an image. */
export interface Segment {
  readonly fileOffset: number;
  readonly fileSize: number;
  readonly physical: number;
  readonly memorySize: number;
}

export interface ElfImage {
  readonly bits: 32 | 64;
  readonly entry: number;
  readonly segments: readonly Segment[];
  /** Bytes of the named section, where the file has it. */
  section(name: string): Uint8Array | undefined;
}

const machine386 = 3;
const machineX86_64 = 62;
const loadType = 1;
const noBits = 8;
const mostHeaders = 0xffff;

/** Offsets of the fields that differ between the classes (System V ABI, chapters 4 and 5). */
const layouts = {
  32: { entry: 24, phoff: 28, shoff: 32, phentsize: 42, shentsize: 46, header: 52, ph: 32, sh: 40 },
  64: { entry: 24, phoff: 32, shoff: 40, phentsize: 54, shentsize: 58, header: 64, ph: 56, sh: 64 },
} as const;

/** Whether the bytes open with the ELF magic number. */
export function isElf(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
}

/** Reads an image's headers; every offset in them is checked against the file. Answers an error that names the image. */
export function readElfImage(bytes: Uint8Array, name: string): ElfImage | MachineError {
  if (!isElf(bytes)) return machineErrors.notElf(name);
  if (bytes.length < 20) return machineErrors.truncated(name, 'the ELF header', 52, bytes.length);
  const bits = bytes[4] === 1 ? 32 : bytes[4] === 2 ? 64 : undefined;
  if (bits === undefined) return machineErrors.malformed(name, `its ELF class is ${bytes[4]}, neither 32-bit nor 64-bit`);
  if (bytes[5] !== 1) return machineErrors.malformed(name, 'its data is not little endian');
  const layout = layouts[bits];
  if (bytes.length < layout.header) return machineErrors.truncated(name, 'the ELF header', layout.header, bytes.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const u16 = (at: number): number => view.getUint16(at, true);
  const u32 = (at: number): number => view.getUint32(at, true);
  // Values beyond 2^53 lose bits, but stay far beyond anything that the checks accept.
  const word = (at: number): number => (bits === 32 ? u32(at) : Number(view.getBigUint64(at, true)));
  const machine = u16(18);
  if (machine !== machine386 && machine !== machineX86_64) return machineErrors.notX86(name, machine);
  const type = u16(16);
  if (type !== 2 && type !== 3) {
    const kinds: Readonly<Record<number, string>> = { 1: 'an object file that is not linked yet', 4: 'a core dump' };
    return machineErrors.notBootable(name, `it is ${kinds[type] ?? `an ELF file of type ${type}`}, not an executable`);
  }
  const phoff = word(layout.phoff);
  const phentsize = u16(layout.phentsize);
  const phnum = u16(layout.phentsize + 2);
  if (phnum === 0) return machineErrors.notBootable(name, 'it has no program headers, so nothing says what to load');
  if (phentsize < layout.ph)
    return machineErrors.malformed(name, `its program headers are ${phentsize} bytes each, and must be ${layout.ph}`);
  const phEnd = phoff + phentsize * phnum;
  if (phEnd > bytes.length) return machineErrors.truncated(name, 'the program header table', phEnd, bytes.length);
  const segments: Segment[] = [];
  for (let i = 0; i < phnum; i++) {
    const at = phoff + i * phentsize;
    if (u32(at) !== loadType) continue;
    const segment =
      bits === 32
        ? { fileOffset: u32(at + 4), physical: u32(at + 12), fileSize: u32(at + 16), memorySize: u32(at + 20) }
        : { fileOffset: word(at + 8), physical: word(at + 24), fileSize: word(at + 32), memorySize: word(at + 40) };
    if (segment.memorySize === 0) continue;
    if (segment.fileSize > segment.memorySize)
      return machineErrors.malformed(name, `segment ${i} has more bytes in the file than in memory`);
    const end = segment.fileOffset + segment.fileSize;
    if (end > bytes.length) return machineErrors.truncated(name, `segment ${i}`, end, bytes.length);
    segments.push(segment);
  }
  if (segments.length === 0) return machineErrors.notBootable(name, 'it has no loadable segment');

  const section = (wanted: string): Uint8Array | undefined => {
    const shoff = word(layout.shoff);
    const shentsize = u16(layout.shentsize);
    const shnum = u16(layout.shentsize + 2);
    const names = u16(layout.shentsize + 4);
    if (shentsize < layout.sh || shnum > mostHeaders || names >= shnum || shoff + shentsize * shnum > bytes.length) return undefined;
    const extent = (index: number): { readonly type: number; readonly offset: number; readonly size: number } => {
      const at = shoff + index * shentsize;
      return bits === 32
        ? { type: u32(at + 4), offset: u32(at + 16), size: u32(at + 20) }
        : { type: u32(at + 4), offset: word(at + 24), size: word(at + 32) };
    };
    const strings = extent(names);
    for (let i = 0; i < shnum; i++) {
      const start = strings.offset + u32(shoff + i * shentsize);
      if (start + wanted.length >= bytes.length) continue;
      if (bytes[start + wanted.length] !== 0) continue;
      let same = true;
      for (let c = 0; c < wanted.length && same; c++) same = bytes[start + c] === wanted.charCodeAt(c);
      if (!same) continue;
      const found = extent(i);
      if (found.type === noBits || found.offset + found.size > bytes.length) return undefined;
      return bytes.subarray(found.offset, found.offset + found.size);
    }
    return undefined;
  };
  return { bits, entry: word(layout.entry), segments, section };
}

/** First address after all segments. */
export function imageEnd(segments: readonly Segment[]): number {
  return segments.reduce((end, segment) => Math.max(end, segment.physical + segment.memorySize), 0);
}

/** Copies segments to RAM, zeroing what the file does not fill. Answers an error where they do not fit. */
export function loadSegments(bytes: Uint8Array, name: string, segments: readonly Segment[], ram: Uint8Array): MachineError | undefined {
  const end = imageEnd(segments);
  if (end > ram.length) return machineErrors.needsMemory(name, end, ram.length);
  for (const segment of segments) {
    ram.set(bytes.subarray(segment.fileOffset, segment.fileOffset + segment.fileSize), segment.physical);
    ram.fill(0, segment.physical + segment.fileSize, segment.physical + segment.memorySize);
  }
  return undefined;
}
