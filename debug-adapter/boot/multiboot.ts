/** Multiboot 1 (Multiboot Specification 0.6.96): finds the header, loads the image, builds the information structure, enters in 32-bit protected mode. */
import { type Contents, type EntryState, MachineError, machineErrors, putContents } from '../machine/api';

import { imageEnd, loadSegments, readElfImage, type Segment } from './elf-image';
import { freeEnd, lowMemoryEnd, memoryMap, pageAlign } from './memory-map';

const headerMagic = 0x1bad_b002;
const bootMagic = 0x2bad_b002;
/** The header lies in the first 8 KiB, 4-byte aligned (section 3.1). */
const searchBytes = 8192;

/** Header flags (section 3.1.2). */
const HeaderFlag = { videoMode: 1 << 2, addresses: 1 << 16, unknownRequired: 0xfff8 } as const;
/** Information flags (section 3.3). */
const InfoFlag = {
  memory: 1 << 0,
  bootDevice: 1 << 1,
  commandLine: 1 << 2,
  modules: 1 << 3,
  memoryMap: 1 << 6,
  loaderName: 1 << 9,
} as const;

/** Places of the structures in low memory, away from every image. */
const mapAddress = 0x9000;
const infoAddress = 0x9500;
const moduleListAddress = 0x9580;
const loaderNameAddress = 0x95c0;
const infoBytes = 120;
const loaderName = 'unikernel';
/** The longest command line, its terminating zero counted. */
const commandLineLimit = 4096;

export interface MultibootHeader {
  readonly offset: number;
  readonly flags: number;
}

/** The header, where the file has one. */
export function findMultibootHeader(bytes: Uint8Array): MultibootHeader | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let offset = 0; offset + 12 <= Math.min(bytes.length, searchBytes); offset += 4) {
    if (view.getUint32(offset, true) !== headerMagic) continue;
    const flags = view.getUint32(offset + 4, true);
    if (((headerMagic + flags + view.getUint32(offset + 8, true)) & 0xffff_ffff) === 0) return { offset, flags };
  }
  return undefined;
}

interface Plan {
  readonly segments: readonly Segment[];
  readonly entry: number;
}

/** The a.out kludge: load addresses in the header itself. */
function planFromHeader(bytes: Uint8Array, name: string, header: MultibootHeader): Plan | MachineError {
  if (header.offset + 32 > bytes.length) return machineErrors.truncated(name, 'the multiboot header', header.offset + 32, bytes.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const field = (index: number): number => view.getUint32(header.offset + 12 + index * 4, true);
  const [headerAddress, loadAddress, loadEnd, bssEnd, entry] = [field(0), field(1), field(2), field(3), field(4)];
  const fileOffset = header.offset - (headerAddress - loadAddress);
  if (headerAddress < loadAddress || fileOffset < 0)
    return machineErrors.malformed(name, 'its multiboot header says that it lies before the image');
  const fileSize = loadEnd === 0 ? bytes.length - fileOffset : loadEnd - loadAddress;
  if (fileSize < 0 || (bssEnd !== 0 && bssEnd < loadAddress + fileSize))
    return machineErrors.malformed(name, 'the addresses in its multiboot header are not in order');
  // What the linker put in the image may reach past the end of a file whose tail is all zero.
  const present = Math.min(fileSize, bytes.length - fileOffset);
  if (present < fileSize)
    return machineErrors.truncated(name, 'the image that its multiboot header describes', fileOffset + fileSize, bytes.length);
  const memorySize = bssEnd === 0 ? fileSize : bssEnd - loadAddress;
  return { segments: [{ fileOffset, fileSize, physical: loadAddress, memorySize }], entry };
}

export interface MultibootOptions {
  readonly image: Uint8Array;
  readonly imageName: string;
  readonly commandLine: string;
  readonly initrd?: Contents;
}

/** Loads the image and everything around it. Answers the entry state, or an error for people. */
export function loadMultiboot(options: MultibootOptions, header: MultibootHeader, ram: Uint8Array): EntryState | MachineError {
  const { image, imageName, initrd } = options;
  const unknown = header.flags & HeaderFlag.unknownRequired;
  if (unknown !== 0)
    return machineErrors.notBootable(
      imageName,
      `its multiboot header requires features that do not exist (flags 0x${unknown.toString(16)})`,
    );
  if ((header.flags & HeaderFlag.videoMode) !== 0)
    return machineErrors.notBootable(imageName, 'it requires a video mode to be set, and this PC has text mode only');
  const plan = (header.flags & HeaderFlag.addresses) !== 0 ? planFromHeader(image, imageName, header) : readElfImage(image, imageName);
  if (plan instanceof MachineError) return plan;
  const failure = loadSegments(image, imageName, plan.segments, ram);
  if (failure !== undefined) return failure;
  const kernelStart = plan.segments.reduce((start, segment) => Math.min(start, segment.physical), Infinity);
  if (kernelStart < infoAddress + 0x200)
    return machineErrors.notBootable(imageName, `it loads at 0x${kernelStart.toString(16)}, where boot information must lie`);
  if (plan.entry >= ram.length)
    return machineErrors.malformed(imageName, `its entry point 0x${plan.entry.toString(16)} lies outside memory`);

  // The command line and then the modules follow the kernel, page aligned.
  // Where the image lies on the host is nothing to the guest, which is to run alike everywhere.
  const name = imageName.slice(Math.max(imageName.lastIndexOf('/'), imageName.lastIndexOf('\\')) + 1);
  const commandLine = new TextEncoder().encode(`${name} ${options.commandLine}`.trimEnd() + '\0');
  if (commandLine.length > commandLineLimit) return machineErrors.commandLine(imageName, commandLine.length - 1, commandLineLimit - 1);
  const commandLineAddress = pageAlign(imageEnd(plan.segments));
  const moduleAddress = pageAlign(commandLineAddress + commandLine.length);
  const end = moduleAddress + (initrd?.length ?? 0);
  if (end > freeEnd(ram.length))
    return machineErrors.needsMemory(imageName, end, ram.length, initrd === undefined ? 'the image' : 'the image with its initrd');
  ram.set(commandLine, commandLineAddress);
  if (initrd !== undefined) putContents(initrd, ram, moduleAddress);

  const view = new DataView(ram.buffer, ram.byteOffset, ram.byteLength);
  const mapLength = writeMemoryMap(view, ram.length);
  ram.fill(0, infoAddress, infoAddress + infoBytes);
  const put = (offset: number, value: number): void => view.setUint32(infoAddress + offset, value, true);
  put(0, InfoFlag.memory | InfoFlag.bootDevice | InfoFlag.commandLine | InfoFlag.modules | InfoFlag.memoryMap | InfoFlag.loaderName);
  put(4, lowMemoryEnd >> 10);
  put(8, (ram.length >> 10) - 1024);
  put(12, 0x8000_ffff);
  put(16, commandLineAddress);
  put(20, initrd === undefined ? 0 : 1);
  put(24, moduleListAddress);
  put(44, mapLength);
  put(48, mapAddress);
  put(64, loaderNameAddress);
  ram.set(new TextEncoder().encode(`${loaderName}\0`), loaderNameAddress);
  if (initrd !== undefined) {
    view.setUint32(moduleListAddress, moduleAddress, true);
    view.setUint32(moduleListAddress + 4, end, true);
    // The string of the only module: its empty tail of the loader's name.
    view.setUint32(moduleListAddress + 8, loaderNameAddress + loaderName.length, true);
    view.setUint32(moduleListAddress + 12, 0, true);
  }

  return {
    protocol: 'multiboot',
    registers: {
      rip: BigInt(plan.entry),
      rax: BigInt(bootMagic),
      rbx: BigInt(infoAddress),
      cr0: 0x11n,
      rflags: 0x6n,
      fcw: 0x37fn,
      mxcsr: 0x1f80n,
    },
    code: { selector: 0x08, base: 0, limit: 0xffff_ffff, attributes: 0xcf9b },
    data: { selector: 0x10, base: 0, limit: 0xffff_ffff, attributes: 0xcf93 },
  };
}

/** Entries are preceded by their size, which does not count itself (section 3.3, "mmap_addr"). Answers the length in bytes. */
function writeMemoryMap(view: DataView, ramBytes: number): number {
  let at = mapAddress;
  for (const range of memoryMap(ramBytes)) {
    view.setUint32(at, 20, true);
    view.setBigUint64(at + 4, BigInt(range.base), true);
    view.setBigUint64(at + 12, BigInt(range.length), true);
    view.setUint32(at + 20, range.type, true);
    at += 24;
  }
  return at - mapAddress;
}
