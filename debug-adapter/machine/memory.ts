/** The machine's one linear memory: the processor's areas, and guest RAM above them. */
import { Layout } from '../x86/state';
import { machineErrors } from './errors';

export const mebibyte = 1 << 20;
const wasmPage = 0x1_0000;
/** Below this nothing boots; above it a 32-bit memory with its firmware hole ends. */
export const leastRam = 2 * mebibyte;
export const mostRam = 3072 * mebibyte;

export interface MachineMemory {
  readonly memory: WebAssembly.Memory;
  /** Guest RAM: physical address 0 at index 0. */
  readonly ram: Uint8Array;
}

/** What a guest gets where nobody asks for more or less. */
export const usualRam = 128 * mebibyte;

let spare: WebAssembly.Memory | undefined;

/** A memory that nobody uses yet. */
export function makeLinearMemory(ramBytes: number): WebAssembly.Memory {
  const pages = (Layout.ramBase + ramBytes) / wasmPage;
  return new WebAssembly.Memory({ initial: pages, maximum: pages });
}

/** The first machine whose RAM is of that size takes this memory. Made before much else is, it costs the collector of garbage less. */
export function offerMemory(memory: WebAssembly.Memory): void {
  spare = memory;
}

function takeSpare(ramBytes: number): WebAssembly.Memory | undefined {
  if (spare?.buffer.byteLength !== Layout.ramBase + ramBytes) return undefined;
  const taken = spare;
  spare = undefined;
  return taken;
}

/** @param ramBytes a multiple of 1 MiB. Throws MachineError where it is not acceptable. */
export function createMemory(ramBytes: number): MachineMemory {
  if (!Number.isInteger(ramBytes / mebibyte) || ramBytes < leastRam || ramBytes > mostRam)
    throw machineErrors.badMemorySize(ramBytes, leastRam, mostRam);
  const memory = takeSpare(ramBytes) ?? makeLinearMemory(ramBytes);
  return { memory, ram: new Uint8Array(memory.buffer, Layout.ramBase, ramBytes) };
}
