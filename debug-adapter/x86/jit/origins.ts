/** What is known of the general registers' values within one block of a region: which differ from each other by a constant, so that one look at an address serves several accesses. */

import { type Insn, Kind } from '../decoder';

/** A value that some register had, by number, plus a constant. */
export interface Origin {
  readonly id: number;
  readonly offset: number;
}

/** An address as a sum of values and a constant: addresses with one key differ by their constants alone. */
export interface Place {
  readonly key: string;
  readonly disp: number;
}

/** Constants beyond this are not kept account of. */
const mostOffset = 2 ** 40;

export class Origins {
  readonly #of = new Map<number, Origin>();
  #next = 0;

  /** Nothing is known any more. */
  clear(): void {
    this.#of.clear();
  }

  /** A register has got another value. */
  forget(register: number): void {
    this.#of.delete(register);
  }

  get(register: number): Origin {
    let origin = this.#of.get(register);
    if (origin === undefined) this.#of.set(register, (origin = { id: this.#next++, offset: 0 }));
    return origin;
  }

  set(register: number, origin: Origin): void {
    this.#of.set(register, origin);
  }

  /** A register's value after a constant was added. */
  moved(register: number, by: number): Origin | undefined {
    const { id, offset } = this.get(register);
    return Math.abs(offset + by) < mostOffset ? { id, offset: offset + by } : undefined;
  }

  /** What the first operand of an instruction with operands of 64 bits will hold: another register's value, but for a constant. */
  after(insn: Insn): Origin | undefined {
    const { kinds, registers, immLow, immHigh } = insn;
    if (insn.sizes[0] !== 8 || kinds[0] !== Kind.reg) return undefined;
    const register = registers[0]!;
    switch (insn.row.definition.mnemonic) {
      case 'MOV':
        return kinds[1] === Kind.reg ? this.get(registers[1]!) : undefined;
      case 'ADD':
      case 'SUB':
        if (kinds[1] !== Kind.imm || immHigh !== immLow >> 31) return undefined;
        return this.moved(register, insn.row.definition.mnemonic === 'ADD' ? immLow : -immLow);
      case 'INC':
        return this.moved(register, 1);
      case 'DEC':
        return this.moved(register, -1);
      case 'LEA':
        if (insn.memBase < 0 || insn.memIndex >= 0 || insn.addressSize !== 8 || insn.dispHigh !== insn.dispLow >> 31) return undefined;
        return this.moved(insn.memBase, insn.dispLow);
      default:
        return undefined;
    }
  }

  /** The place of a memory operand, at +`more`; undefined where it is a constant or none of the ordinary ones. */
  place(insn: Insn, more: number): Place | undefined {
    const { memBase, memIndex, memScale, dispLow, dispHigh } = insn;
    if (insn.addressSize !== 8 || (memBase < 0 && memIndex < 0) || dispHigh !== dispLow >> 31) return undefined;
    const base = memBase < 0 ? undefined : this.get(memBase);
    const index = memIndex < 0 ? undefined : this.get(memIndex);
    const disp = dispLow + more + (base?.offset ?? 0) + (index === undefined ? 0 : index.offset * 2 ** memScale);
    if (Math.abs(disp) >= mostOffset) return undefined;
    return { key: `${base?.id ?? ''} ${index === undefined ? '' : `${index.id}*${memScale}`}`, disp };
  }

  /** The place that a register points to, at +`more`. */
  at(register: number, more: number): Place {
    const { id, offset } = this.get(register);
    return { key: `${id} `, disp: offset + more };
  }
}
