/** The map of physical memory that boot protocols hand to the kernel, as the firmware of QEMU's PC tells it. */

export const pageBytes = 4096;
/** Where conventional memory ends (the extended BIOS data area begins). */
export const lowMemoryEnd = 0x9_fc00;
const highMemoryStart = 0x10_0000;
/** The top of RAM that firmware keeps for its tables. */
const firmwareTables = 0x2_0000;

export interface MemoryRange {
  readonly base: number;
  readonly length: number;
  /** 1 free, 2 reserved (ACPI 6.5, table 15.3). */
  readonly type: 1 | 2;
}

export function memoryMap(ramBytes: number): readonly MemoryRange[] {
  return [
    { base: 0, length: lowMemoryEnd, type: 1 },
    { base: lowMemoryEnd, length: 0xa_0000 - lowMemoryEnd, type: 2 },
    { base: 0xf_0000, length: 0x1_0000, type: 2 },
    { base: highMemoryStart, length: ramBytes - highMemoryStart - firmwareTables, type: 1 },
    { base: ramBytes - firmwareTables, length: firmwareTables, type: 2 },
    { base: 0xfffc_0000, length: 0x4_0000, type: 2 },
    { base: 0xfd_0000_0000, length: 0x3_0000_0000, type: 2 },
  ];
}

export function pageAlign(address: number): number {
  return Math.ceil(address / pageBytes) * pageBytes;
}

/** First address above what is free at the top of RAM. */
export function freeEnd(ramBytes: number): number {
  return ramBytes - firmwareTables;
}
