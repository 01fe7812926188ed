/** Every error that the machine and its boot loaders raise for people: a code, and a sentence that says what to do. */

export type MachineErrorCode =
  | 'not-elf'
  | 'not-x86'
  | 'not-bootable'
  | 'symbol-file'
  | 'truncated'
  | 'malformed'
  | 'needs-memory'
  | 'bad-memory-size'
  | 'command-line'
  | 'network'
  | 'disk'
  | 'snapshot';

/** Thrown at the machine's boundary (`createMachine`, `restore`); never by a guest's doing. */
export class MachineError extends Error {
  override readonly name = 'MachineError';
  constructor(
    readonly code: MachineErrorCode,
    message: string,
  ) {
    super(message);
  }
}

const mebibyte = 1 << 20;

/** Bytes as people count them. */
export function mib(bytes: number): string {
  return `${Math.ceil(bytes / mebibyte)} MiB`;
}

export const machineErrors = {
  badDisk: (name: string, bytes: number, sector: number): MachineError =>
    new MachineError(
      'disk',
      `${name} has ${bytes} bytes; a disk is made of whole sectors of ${sector}. Fill it up, e.g. with \`truncate -s %${sector} FILE\`.`,
    ),
  network: (fault: string): MachineError => new MachineError('network', fault),
  notElf: (image: string): MachineError =>
    new MachineError('not-elf', `${image} is not an ELF file and has no multiboot header, so it is not a kernel image that can be booted.`),
  notX86: (image: string, machine: number): MachineError =>
    new MachineError('not-x86', `${image} is for another processor (ELF machine ${machine}); this PC runs x86-64 and x86 images only.`),
  notBootable: (image: string, why: string): MachineError => new MachineError('not-bootable', `${image} cannot be booted: ${why}.`),
  symbolFile: (image: string, instead: string): MachineError =>
    new MachineError(
      'symbol-file',
      `${image} is the symbol file, which does not boot; boot ${instead} instead and give this file as its symbols.`,
    ),
  truncated: (image: string, what: string, needed: number, length: number): MachineError =>
    new MachineError(
      'truncated',
      `${image} is truncated: ${what} ends at byte ${needed}, but the file has ${length} bytes. Build or copy it again.`,
    ),
  malformed: (image: string, what: string): MachineError => new MachineError('malformed', `${image} is malformed: ${what}.`),
  needsMemory: (image: string, needed: number, given: number, what = 'the image'): MachineError =>
    new MachineError(
      'needs-memory',
      `${image}: ${what} needs ${mib(needed)} of memory, but the machine has ${mib(given)}. Give it more (--memory, or "memory" in launch.json).`,
    ),
  badMemorySize: (given: number, least: number, most: number): MachineError =>
    new MachineError(
      'bad-memory-size',
      `${mib(given)} of memory cannot be given to the machine: it takes ${mib(least)} to ${mib(most)}, in whole MiB.`,
    ),
  commandLine: (image: string, length: number, most: number): MachineError =>
    new MachineError('command-line', `${image}: the command line has ${length} bytes, more than the ${most} that a kernel takes.`),
  snapshot: (what: string): MachineError => new MachineError('snapshot', `The saved state cannot be restored: ${what}.`),
};
