/**
 * The frequent ways into a handler and back: 64-bit code at CPL 0 that stays there, with all descriptors and the stack in the TLB. Whatever is out of the ordinary is
 * refused before anything has changed, for exceptions.ts to do by all the rules.
 */

import { type CpuContext } from './context';
import { Attribute, Cr4 } from './control-bits';
import { Layout, Mode, Seg, SegField, State } from './state';
import { cachedHostOf } from './tlb';

const TWO_32 = 0x1_0000_0000;
const RSP = (State.gpr + 4 * 8) >> 2;
const Rflags = { TF: 0x100, IF: 0x200, NT: 0x4000, RF: 0x1_0000, VM: 0x2_0000 } as const;
/** What IRET loads at CPL 0. */
const returnedFlags = 0x3d_7fd5;

/** Pushed by each delivery, bytes; an error code takes eight more. */
const frameSize = 40;

/** Word index in linear memory of `size` bytes at an address in halves, or 0 where the TLB does not hold them. */
function at(cpu: CpuContext, table: number, low: number, high: number, size: number): number {
  const host = low + size > TWO_32 ? -1 : cachedHostOf(cpu.u32, table, low, high, size);
  return host < 0 || (host & 3) !== 0 ? 0 : host >>> 2;
}

/** The same for bytes of a table whose base the state block has. */
function inTable(cpu: CpuContext, base: number, offset: number, size: number): number {
  return at(cpu, Layout.tlbRead, cpu.u32[base >> 2]! + offset, cpu.u32[(base >> 2) + 1]!, size);
}

const isCanonicalHigh = (high: number): boolean => (high | 0) >> 15 === 0 || (high | 0) >> 15 === -1;

/** Supervisor accesses of instructions and of the processor itself are alike, and the code is 64-bit code at CPL 0. */
function isPlainKernel(cpu: CpuContext): boolean {
  const { u32 } = cpu;
  return (
    (u32[State.mode >> 2]! & (Mode.long | Mode.user)) === Mode.long && u32[State.cpl >> 2] === 0 && (u32[State.cr4 >> 2]! & Cr4.SMAP) === 0
  );
}

/** Word index of the GDT's descriptor of a selector with RPL 0 that is present, of DPL 0, accessed, and has these attributes; 0 otherwise. */
function descriptor(cpu: CpuContext, selector: number, mask: number, wanted: number): number {
  if ((selector & 7) !== 0 || selector === 0 || selector + 7 > cpu.u32[(State.gdtr + 8) >> 2]!) return 0;
  const word = inTable(cpu, State.gdtr, selector, 8);
  if (word === 0) return 0;
  const attributes = (cpu.u32[word + 1]! >>> 8) & 0xf0ff;
  const all = Attribute.s | Attribute.present | (3 << Attribute.dplShift) | 1;
  return (attributes & (mask | all)) === (wanted | Attribute.s | Attribute.present | 1) ? word : 0;
}

const code = (cpu: CpuContext, selector: number): number =>
  descriptor(cpu, selector, Attribute.code | Attribute.conforming | Attribute.long | Attribute.big, Attribute.code | Attribute.long);
const stack = (cpu: CpuContext, selector: number): number =>
  descriptor(cpu, selector, Attribute.code | Attribute.readWrite, Attribute.readWrite);

/** Loads a segment register from its descriptor. */
function load(cpu: CpuContext, segment: number, selector: number, word: number): void {
  const { u32 } = cpu;
  const low = u32[word]!;
  const high = u32[word + 1]!;
  const to = (State.seg + segment * SegField.size) >> 2;
  const limit = (high & 0xf_0000) | (low & 0xffff);
  u32[to] = (high & 0xff00_0000) | ((high & 0xff) << 16) | (low >>> 16);
  u32[to + 1] = 0;
  u32[to + (SegField.limit >> 2)] = (high & 0x80_0000) !== 0 ? (limit << 12) | 0xfff : limit;
  u32[to + (SegField.attributes >> 2)] = (high >>> 8) & 0xf0ff;
  cpu.view.setUint16((to << 2) + SegField.selector, selector, true);
}

const selectorOf = (cpu: CpuContext, segment: number): number =>
  cpu.u32[(State.seg + segment * SegField.size + SegField.selector) >> 2]! & 0xffff;

/** Delivers an event with the RIP of the state block as the return address (see `deliver`). False where that takes more than this; nothing has changed then. */
export function enterHandler(cpu: CpuContext, vector: number, errorCode: number | undefined, isFault: boolean): boolean {
  const { u32 } = cpu;
  if (!isPlainKernel(cpu) || vector * 16 + 15 > u32[(State.idtr + 8) >> 2]!) return false;
  const gate = inTable(cpu, State.idtr, vector * 16, 16);
  if (gate === 0) return false;
  const kind = u32[gate + 1]!;
  // Present interrupt and trap gates.
  if ((kind & 0x9e00) !== 0x8e00) return false;
  const targetHigh = u32[gate + 2]!;
  const selector = u32[gate]! >>> 16;
  const segment = code(cpu, selector);
  if (segment === 0 || !isCanonicalHigh(targetHigh)) return false;
  const flags = cpu.flagsWord();
  if ((flags & Rflags.VM) !== 0) return false;
  let low = u32[RSP]!;
  let high = u32[RSP + 1]!;
  const ist = kind & 7;
  if (ist !== 0) {
    const offset = 0x1c + ist * 8;
    const task = State.seg + Seg.TR * SegField.size;
    if (offset + 7 > u32[(task + SegField.limit) >> 2]!) return false;
    const pointer = inTable(cpu, task, offset, 8);
    if (pointer === 0) return false;
    low = u32[pointer]!;
    high = u32[pointer + 1]!;
  }
  const size = errorCode === undefined ? frameSize : frameSize + 8;
  low = ((low & ~15) >>> 0) - size;
  if (low < 0) return false;
  let frame = at(cpu, Layout.tlbWrite, low, high, size);
  if (frame === 0) return false;
  if (errorCode !== undefined) {
    u32[frame] = errorCode;
    u32[frame + 1] = 0;
    frame += 2;
  }
  u32[frame] = u32[State.rip >> 2]!;
  u32[frame + 1] = u32[(State.rip >> 2) + 1]!;
  u32[frame + 2] = selectorOf(cpu, Seg.CS);
  u32[frame + 3] = 0;
  // Faults push RF set, so that a breakpoint on the instruction does not strike again (SDM vol. 3B, 17.3.1.1).
  u32[frame + 4] = isFault ? flags | Rflags.RF : flags;
  u32[frame + 5] = 0;
  u32[frame + 6] = u32[RSP]!;
  u32[frame + 7] = u32[RSP + 1]!;
  u32[frame + 8] = selectorOf(cpu, Seg.SS);
  u32[frame + 9] = 0;
  u32[RSP] = low;
  u32[RSP + 1] = high;
  u32[State.rip >> 2] = (u32[gate]! & 0xffff) | (kind & 0xffff_0000);
  u32[(State.rip >> 2) + 1] = targetHigh;
  load(cpu, Seg.CS, selector, segment);
  // Interrupt gates (even types) clear IF, trap gates leave it.
  cpu.setFlagsWord(flags & ~(Rflags.TF | Rflags.NT | Rflags.RF | Rflags.VM | ((kind & 0x100) === 0 ? Rflags.IF : 0)));
  return true;
}

/** IRETQ from such a handler. False where that takes more than this; nothing has changed then. */
export function returnFromHandler(cpu: CpuContext): boolean {
  const { u32 } = cpu;
  const flags = cpu.flagsWord();
  if (!isPlainKernel(cpu) || (flags & (Rflags.VM | Rflags.NT)) !== 0) return false;
  const frame = at(cpu, Layout.tlbRead, u32[RSP]!, u32[RSP + 1]!, frameSize);
  if (frame === 0 || !isCanonicalHigh(u32[frame + 1]!)) return false;
  const cs = u32[frame + 2]! & 0xffff;
  const ss = u32[frame + 8]! & 0xffff;
  const segment = code(cpu, cs);
  const data = stack(cpu, ss);
  if (segment === 0 || data === 0) return false;
  const popped = u32[frame + 4]!;
  u32[State.rip >> 2] = u32[frame]!;
  u32[(State.rip >> 2) + 1] = u32[frame + 1]!;
  const low = u32[frame + 6]!;
  u32[RSP + 1] = u32[frame + 7]!;
  u32[RSP] = low;
  load(cpu, Seg.CS, cs, segment);
  load(cpu, Seg.SS, ss, data);
  cpu.setFlagsWord((flags & ~returnedFlags) | (popped & returnedFlags));
  return true;
}
