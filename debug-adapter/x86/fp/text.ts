/** PCMPESTRI, PCMPESTRM, PCMPISTRI, PCMPISTRM: text comparison with explicit or implicit lengths (SDM vol. 2B, 4.1). */

import { type CpuContext, type DecodedInsn, type Helper } from '../context';
import { Reg } from '../state';
import { immediateOf, readVector, xmmOffset } from './vectors';

/** Elements of one operand as numbers, and how many of them are valid. */
interface Text {
  readonly elements: readonly number[];
  readonly length: number;
}

/** The operand's elements: bytes or words (control bit 0), signed where bit 1 says so. */
function elementsOf(view: DataView, control: number): readonly number[] {
  const count = control & 1 ? 8 : 16;
  return Array.from({ length: count }, (_, i) => {
    if (control & 1) return control & 2 ? view.getInt16(2 * i, true) : view.getUint16(2 * i, true);
    return control & 2 ? view.getInt8(i) : view.getUint8(i);
  });
}

function implicit(view: DataView, control: number): Text {
  const elements = elementsOf(view, control);
  const end = elements.indexOf(0);
  return { elements, length: end < 0 ? elements.length : end };
}

/** Lengths in EAX/EDX (RAX/RDX under REX.W) count by magnitude, at most the whole register. */
function explicit(cpu: CpuContext, insn: DecodedInsn, register: number, view: DataView, control: number): Text {
  const elements = elementsOf(view, control);
  const width = insn.rexW ? 64 : 32;
  const value = BigInt.asIntN(width, cpu.getReg(register, width / 8));
  const magnitude = value < 0n ? -value : value;
  return { elements, length: magnitude > BigInt(elements.length) ? elements.length : Number(magnitude) };
}

/** The aggregate of comparisons, bit j for element j of the second operand (IntRes1). */
function aggregate(a: Text, b: Text, control: number): number {
  const count = b.elements.length;
  let result = 0;
  for (let j = 0; j < count; j++) {
    const validB = j < b.length;
    let holds = false;
    switch ((control >>> 2) & 3) {
      case 0: // equal any
        for (let i = 0; i < a.length; i++) holds ||= validB && a.elements[i] === b.elements[j];
        break;
      case 1: // ranges
        for (let i = 0; i + 1 < a.length; i += 2)
          holds ||= validB && b.elements[j]! >= a.elements[i]! && b.elements[j]! <= a.elements[i + 1]!;
        break;
      case 2: // equal each
        holds = validB === j < a.length && (!validB || a.elements[j] === b.elements[j]);
        break;
      default: // equal ordered
        holds = true;
        for (let i = 0; i < a.length && j + i < count; i++) holds &&= j + i < b.length && a.elements[i] === b.elements[j + i];
    }
    if (holds) result |= 1 << j;
  }
  return result;
}

function polarity(bits: number, b: Text, control: number): number {
  const all = (1 << b.elements.length) - 1;
  if ((control & 0x10) === 0) return bits;
  return (control & 0x20) === 0 ? bits ^ all : bits ^ ((1 << b.length) - 1);
}

/** One helper for all four: the mnemonic says how lengths come and where the result goes. */
export const sseText: Helper = (cpu, insn) => {
  const control = immediateOf(insn, 2);
  const second = readVector(cpu, insn, 1, 16, true);
  const first = readVector(cpu, insn, 0, 16);
  const counted = insn.mnemonic.startsWith('PCMPE');
  const a = counted ? explicit(cpu, insn, Reg.RAX, first, control) : implicit(first, control);
  const b = counted ? explicit(cpu, insn, Reg.RDX, second, control) : implicit(second, control);
  const count = b.elements.length;
  const result = polarity(aggregate(a, b, control), b, control);
  if (insn.mnemonic.endsWith('I')) {
    const index = result === 0 ? count : (control & 0x40) !== 0 ? 31 - Math.clz32(result) : 31 - Math.clz32(result & -result);
    cpu.setReg(Reg.RCX, 4, BigInt(index));
  } else {
    const at = xmmOffset(0);
    cpu.u8.fill(0, at, at + 16);
    if ((control & 0x40) === 0) {
      cpu.view.setUint16(at, result, true);
    } else {
      const width = 16 / count;
      for (let i = 0; i < count; i++) if ((result >>> i) & 1) cpu.u8.fill(0xff, at + i * width, at + (i + 1) * width);
    }
  }
  const flags = (result !== 0 ? 0x01 : 0) | (b.length < count ? 0x40 : 0) | (a.length < count ? 0x80 : 0) | (result & 1 ? 0x800 : 0);
  cpu.setArithmeticFlags(flags);
};
