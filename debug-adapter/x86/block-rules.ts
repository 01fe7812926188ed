/** What the building of blocks asks of an instruction's definition; both builders, in TypeScript and in generated code, follow it. */

import { type Row } from './isa/table';

/** Most instructions of one block. */
export const MAX_INSTRUCTIONS = 48;

/** Whether an instruction can fault or stop: never, only by its memory operand, or always possibly. */
export const Purity = { unknown: 0, pure: 1, register: 2, impure: 3 } as const;

export function purityOf(row: Row): number {
  const d = row.definition;
  if (!d.emit || d.helper !== undefined || d.rep !== undefined || d.endsBlock || d.size64 === 'd64' || d.mayFault || d.unit === 'mmx')
    return Purity.impure;
  return d.mnemonic === 'LEA' || d.mnemonic === 'NOP' ? Purity.pure : Purity.register;
}

/** Unit numbers in the check record's imm2. */
export const unitNumber: Readonly<Record<'sse' | 'x87' | 'x87nowait' | 'mmx', number>> = { sse: 1, x87: 2, x87nowait: 3, mmx: 4 };

/** `Rec.helper` of the records that have no helper of their own: unit checks, port accesses, and what tells a probe that looks on. */
export const OwnRecord = { check: -1, in: -2, out: -3, observe: -4 } as const;

/** IN and OUT by their opcodes: E4..E7 and EC..EF. */
export function isPortOpcode(row: Row, opcode: number): boolean {
  return (opcode & 0xf4) === 0xe4 && row.encoding.map === 0 && row.encoding.vex === undefined;
}

const fusible = new Set(['CMP', 'TEST', 'SUB', 'ADD', 'AND', 'DEC']);

/** May stand first in a fused pair: sets flags, stores nothing to memory. */
export function isFusibleRow(row: Row, hasMemory: boolean): boolean {
  const name = row.definition.mnemonic;
  return fusible.has(name) && (!hasMemory || name === 'CMP' || name === 'TEST');
}
