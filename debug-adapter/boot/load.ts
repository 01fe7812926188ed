/** Finds out which boot protocol an image wants, and loads it by that. */
import { type BootOptions, type EntryState, MachineError, machineErrors } from '../machine/api';

import { isElf, readElfImage } from './elf-image';
import { loadLinux64 } from './linux64';
import { findMultibootHeader, loadMultiboot } from './multiboot';

/** Unikraft's boot information: filled in by a post-link step in the bootable file, all zero in the symbol file beside it. */
const bootInfoSection = '.uk_bootinfo';

/** Loads `options.image` into RAM. Throws MachineError, naming the image, for anything that cannot be booted. */
export function loadImage(options: BootOptions, ram: Uint8Array): EntryState {
  const entry = tryLoad(options, ram);
  if (entry instanceof MachineError) throw entry;
  return entry;
}

function tryLoad(options: BootOptions, ram: Uint8Array): EntryState | MachineError {
  const { image, imageName } = options;
  const header = findMultibootHeader(image);
  const elf = isElf(image) ? readElfImage(image, imageName) : undefined;
  if (elf !== undefined && !(elf instanceof MachineError) && isSymbolFile(elf, imageName))
    return machineErrors.symbolFile(imageName, bootableName(imageName));
  if (header !== undefined) return loadMultiboot(options, header, ram);
  if (elf === undefined) return machineErrors.notElf(imageName);
  if (elf instanceof MachineError) return elf;
  if (elf.bits === 32) return machineErrors.notBootable(imageName, 'it is a 32-bit ELF file without a multiboot header');
  return loadLinux64(options, elf, ram);
}

/** The boot information was never filled in; or it is what the linker left before it was rewrapped as the 32-bit ELF of multiboot. */
function isSymbolFile(elf: Exclude<ReturnType<typeof readElfImage>, MachineError>, imageName: string): boolean {
  const bootInfo = elf.section(bootInfoSection);
  return bootInfo !== undefined && (bootInfo.every((byte) => byte === 0) || (elf.bits === 64 && imageName.endsWith('.dbg')));
}

function bootableName(imageName: string): string {
  return imageName.endsWith('.dbg') ? imageName.slice(0, -4) : 'the image without debug information';
}
