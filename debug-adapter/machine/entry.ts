/** Puts the processor into the state in which a boot protocol enters an image. */
import { type Cpu } from '../x86/api';
import { Seg, SegField, State } from '../x86/state';
import { type EntrySegment, type EntryState } from './api';

/** A busy 32-bit TSS at 0 with the smallest limit, and an empty LDT: what firmware leaves (SDM vol. 3A, table 9-1). */
const taskSegment: EntrySegment = { selector: 0, base: 0, limit: 0xffff, attributes: 0x008b };
const localTable: EntrySegment = { selector: 0, base: 0, limit: 0xffff, attributes: 0x0082 };

/** Registers that setRegister would check against each other go straight into the state block; the processor re-derives the rest. */
const controlOffsets: Readonly<Record<string, number>> = { cr0: State.cr0, cr3: State.cr3, cr4: State.cr4, efer: State.efer };

export function enter(cpu: Cpu, memory: WebAssembly.Memory, entry: EntryState): void {
  const view = new DataView(memory.buffer);
  const putSegment = (index: number, segment: EntrySegment): void => {
    const at = State.seg + index * SegField.size;
    view.setBigUint64(at + SegField.base, BigInt(segment.base), true);
    view.setUint32(at + SegField.limit, segment.limit, true);
    view.setUint32(at + SegField.attributes, segment.attributes, true);
    view.setUint16(at + SegField.selector, segment.selector, true);
  };
  putSegment(Seg.CS, entry.code);
  for (const index of [Seg.DS, Seg.ES, Seg.FS, Seg.GS, Seg.SS]) putSegment(index, entry.data);
  putSegment(Seg.TR, taskSegment);
  putSegment(Seg.LDTR, localTable);
  for (const table of [State.gdtr, State.idtr]) {
    view.setBigUint64(table, BigInt(entry.gdt?.base ?? 0), true);
    view.setUint32(table + 8, entry.gdt?.limit ?? 0, true);
  }
  view.setBigUint64(State.idtr, 0n, true);
  view.setUint32(State.idtr + 8, 0, true);
  for (const [name, value] of Object.entries(entry.registers)) {
    const offset = controlOffsets[name];
    if (offset !== undefined) view.setBigUint64(offset, value, true);
  }
  view.setInt32(State.cpl, 0, true);
  cpu.invalidate();
  for (const name of ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi']) cpu.setRegister(name, entry.registers[name] ?? 0n);
  for (const name of ['rip', 'rflags', 'fcw', 'mxcsr']) {
    const value = entry.registers[name];
    if (value !== undefined) cpu.setRegister(name, value);
  }
  cpu.invalidate();
}
