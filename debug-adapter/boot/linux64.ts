/** The Linux 64-bit boot protocol for plain ELF64 kernels (kernel documentation, "The Linux/x86 Boot Protocol", 64-bit section): long mode, identity paging, RSI = boot_params. */
import { type Contents, type EntryState, type MachineError, machineErrors, putContents } from '../machine/api';

import { type ElfImage, imageEnd, loadSegments } from './elf-image';
import { freeEnd, memoryMap, pageAlign } from './memory-map';

/** Places in low memory; an image that loads this low is refused. */
const gdtAddress = 0x500;
const bootParamsAddress = 0x7000;
const pml4Address = 0x9000;
const pdptAddress = 0xa000;
const pageDirectories = 0xb000;
const commandLineAddress = 0x2_0000;
const lowEnd = commandLineAddress + 0x1000;
const commandLineLimit = 4096;
/** 1 GiB each of identity mapping, in 2 MiB pages. */
const mappedGigabytes = 4;

/** Fields of boot_params (zero page). */
const Param = {
  rootDevice: 0x1fc,
  bootFlag: 0x1fe,
  e820Entries: 0x1e8,
  header: 0x202,
  version: 0x206,
  loaderType: 0x210,
  loadFlags: 0x211,
  ramdiskImage: 0x218,
  ramdiskSize: 0x21c,
  commandLine: 0x228,
  commandLineSize: 0x238,
  e820Table: 0x2d0,
} as const;

export interface LinuxOptions {
  readonly image: Uint8Array;
  readonly imageName: string;
  readonly commandLine: string;
  readonly initrd?: Contents;
}

export function loadLinux64(options: LinuxOptions, elf: ElfImage, ram: Uint8Array): EntryState | MachineError {
  const { image, imageName, initrd } = options;
  const failure = loadSegments(image, imageName, elf.segments, ram);
  if (failure !== undefined) return failure;
  const start = elf.segments.reduce((least, segment) => Math.min(least, segment.physical), Infinity);
  if (start < lowEnd) return machineErrors.notBootable(imageName, `it loads at 0x${start.toString(16)}, where boot information must lie`);
  if (elf.entry >= ram.length) return machineErrors.malformed(imageName, `its entry point 0x${elf.entry.toString(16)} lies outside memory`);
  const commandLine = new TextEncoder().encode(options.commandLine);
  if (commandLine.length >= commandLineLimit) return machineErrors.commandLine(imageName, commandLine.length, commandLineLimit - 1);

  // The ramdisk goes as high as it can, where no kernel's growing heap meets it first.
  const ramdisk = initrd === undefined ? 0 : Math.floor((freeEnd(ram.length) - initrd.length) / 4096) * 4096;
  const end = pageAlign(imageEnd(elf.segments));
  if (initrd !== undefined && ramdisk < end)
    return machineErrors.needsMemory(imageName, end + pageAlign(initrd.length), ram.length, 'the image with its initrd');
  if (initrd !== undefined) putContents(initrd, ram, ramdisk);

  ram.fill(0, bootParamsAddress, bootParamsAddress + 0x1000);
  ram.set(commandLine, commandLineAddress);
  ram[commandLineAddress + commandLine.length] = 0;
  const view = new DataView(ram.buffer, ram.byteOffset, ram.byteLength);
  const put32 = (field: number, value: number): void => view.setUint32(bootParamsAddress + field, value, true);
  view.setUint16(bootParamsAddress + Param.bootFlag, 0xaa55, true);
  put32(Param.header, 0x5372_6448);
  view.setUint16(bootParamsAddress + Param.version, 0x020c, true);
  ram[bootParamsAddress + Param.loaderType] = 0xff;
  ram[bootParamsAddress + Param.loadFlags] = 1;
  put32(Param.commandLine, commandLineAddress);
  // Unikraft takes this as the length of the line, not as a limit.
  put32(Param.commandLineSize, commandLine.length);
  put32(Param.ramdiskImage, ramdisk);
  put32(Param.ramdiskSize, initrd?.length ?? 0);
  const map = memoryMap(ram.length);
  ram[bootParamsAddress + Param.e820Entries] = map.length;
  map.forEach((range, index) => {
    const at = bootParamsAddress + Param.e820Table + index * 20;
    view.setBigUint64(at, BigInt(range.base), true);
    view.setBigUint64(at + 8, BigInt(range.length), true);
    view.setUint32(at + 16, range.type, true);
  });

  writePageTables(view);
  // Null, unused, code and data, at the selectors that the protocol names.
  [0n, 0n, 0x00af_9b00_0000_ffffn, 0x00cf_9300_0000_ffffn].forEach((descriptor, index) =>
    view.setBigUint64(gdtAddress + index * 8, descriptor, true),
  );

  return {
    protocol: 'linux64',
    registers: {
      rip: BigInt(elf.entry),
      rsi: BigInt(bootParamsAddress),
      rsp: 0x8ff0n,
      rbp: 0x8ff0n,
      cr0: 0x8000_0011n,
      cr3: BigInt(pml4Address),
      cr4: 0x20n,
      efer: 0x500n,
      rflags: 0x2n,
      fcw: 0x37fn,
      mxcsr: 0x1f80n,
    },
    code: { selector: 0x10, base: 0, limit: 0xffff_ffff, attributes: 0xaf9b },
    data: { selector: 0x18, base: 0, limit: 0xffff_ffff, attributes: 0xcf93 },
    gdt: { base: gdtAddress, limit: 31 },
  };
}

function writePageTables(view: DataView): void {
  const presentWritable = 3;
  const largePage = 0x80;
  view.setBigUint64(pml4Address, BigInt(pdptAddress | presentWritable), true);
  for (let gigabyte = 0; gigabyte < mappedGigabytes; gigabyte++) {
    const directory = pageDirectories + gigabyte * 0x1000;
    view.setBigUint64(pdptAddress + gigabyte * 8, BigInt(directory | presentWritable), true);
    for (let i = 0; i < 512; i++) {
      const physical = BigInt(gigabyte * 512 + i) << 21n;
      view.setBigUint64(directory + i * 8, physical | BigInt(presentWritable | largePage), true);
    }
  }
}
