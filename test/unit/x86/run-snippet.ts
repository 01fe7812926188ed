/** Runs hand-assembled bytes in 64-bit mode with paging on, for tests of the processor. */

import { type CpuBus, type CpuExit } from '../../../debug-adapter/x86/api';
import { X86Cpu } from '../../../debug-adapter/x86/cpu';
import { Layout, Seg, SegField, State } from '../../../debug-adapter/x86/state';

export const RAM = 16 << 20;
export const CODE = 0x10_0000n;
export const STACK = 0x20_0000n;
export const DATA = 0x30_0000n;

/** A bus without devices: ports and device memory read all ones, the TSC counts instructions. */
export const emptyBus: CpuBus = {
  portRead: (_port, size) => (size === 4 ? 0xffffffff : (1 << (8 * size)) - 1),
  portWrite: () => undefined,
  mmioRead: (_address, size) => (1n << BigInt(8 * size)) - 1n,
  mmioWrite: () => undefined,
  acknowledgeInterrupt: () => -1,
  timeStampCounter: (retired) => retired,
  random: () => 0x0123_4567_89ab_cdefn,
};

/** A processor in 64-bit mode, CPL 0, the first 4 GiB mapped one to one with 2 MiB pages; tables at 0x1000..0x6fff. */
export function longModeCpu(bus: Partial<CpuBus> = {}): X86Cpu {
  const memory = new WebAssembly.Memory({ initial: (Layout.ramBase + RAM) / 65536, maximum: (Layout.ramBase + RAM) / 65536 });
  const cpu = new X86Cpu({ memory, ramBytes: RAM, bus: { ...emptyBus, ...bus }, model: 'default', tscKilohertz: 0, jit: false });
  const { view } = cpu;
  const table = (physical: number, index: number, value: bigint): void =>
    view.setBigUint64(Layout.ramBase + physical + index * 8, value, true);
  table(0x1000, 0, 0x2003n);
  for (let i = 0; i < 4; i++) {
    table(0x2000, i, BigInt(0x3000 + i * 0x1000) | 3n);
    for (let k = 0; k < 512; k++) table(0x3000 + i * 0x1000, k, (BigInt(i * 512 + k) << 21n) | 0x83n);
  }
  view.setBigUint64(State.cr0, 0x80010033n, true);
  view.setBigUint64(State.cr3, 0x1000n, true);
  view.setBigUint64(State.cr4, 0x50620n, true);
  view.setBigUint64(State.efer, 0xd01n, true);
  for (const seg of [Seg.ES, Seg.CS, Seg.SS, Seg.DS, Seg.FS, Seg.GS]) {
    const at = State.seg + seg * SegField.size;
    view.setBigUint64(at + SegField.base, 0n, true);
    view.setUint32(at + SegField.limit, 0xffffffff, true);
    view.setUint32(at + SegField.attributes, seg === Seg.CS ? 0xa09b : 0xc093, true);
    view.setUint16(at + SegField.selector, seg === Seg.CS ? 8 : 16, true);
  }
  view.setBigUint64(State.gpr + 4 * 8, STACK, true);
  view.setBigUint64(State.rip, CODE, true);
  view.setBigUint64(State.flags, 2n, true);
  cpu.invalidate();
  return cpu;
}

/** Bytes from a string of hex digits; anything after `;` in a line is a remark. */
export function hex(text: string): Uint8Array {
  const digits = text.replace(/;.*$/gm, '').replace(/\s+/g, '');
  return Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

/** Puts code at CODE, ends it with HLT, and runs at most `budget` instructions. */
export function runSnippet(code: string, setup: (cpu: X86Cpu) => void = () => undefined, budget = 100_000): { cpu: X86Cpu; exit: CpuExit } {
  const cpu = longModeCpu();
  const bytes = hex(code);
  cpu.u8.set(bytes, Layout.ramBase + Number(CODE));
  cpu.u8[Layout.ramBase + Number(CODE) + bytes.length] = 0xf4;
  setup(cpu);
  return { cpu, exit: cpu.run(budget) };
}
