/** Vector, floating-point and MMX operands of the interpreter's handlers. */

import { Vector } from './context';
import { InterpMemory } from './interp-memory';
import { Rec } from './shape';
import { FSW_PENDING, State } from './state';

export class InterpVectors extends InterpMemory {
  /** By operand, the number of its register's slot in the record; -1 where it is no register. */
  protected slots: readonly number[] = [];

  protected slotAddress(i: number): void {
    this.c.get(0).mem('i32.load', Rec.slot + 4 * this.slots[i]!);
  }

  #align(): number | undefined {
    return this.shape.row.definition.aligned === false ? undefined : 16;
  }

  vrd(i: number): void {
    const operand = this.operands[i]!;
    if (operand.kind === 'mem') this.c.get(this.host(i, 'read', 16, 0, this.#align())).mem('v128.load');
    else {
      this.slotAddress(i);
      this.c.mem('v128.load');
    }
  }

  vwr(i: number, value: () => void): void {
    if (this.operands[i]!.kind === 'mem') {
      const host = this.host(i, 'write', 16, 0, this.#align());
      this.c.get(host);
      value();
      this.c.mem('v128.store');
      this.commit(host);
      return;
    }
    this.slotAddress(i);
    value();
    this.c.mem('v128.store');
  }

  vrdLow(i: number, size: 4 | 8): void {
    if (this.operands[i]!.kind === 'mem') this.c.get(this.host(i, 'read', size));
    else this.slotAddress(i);
    this.c.mem(size === 4 ? 'v128.load32_zero' : 'v128.load64_zero');
  }

  vwrLow(i: number, size: 4 | 8, value: () => void): void {
    if (this.operands[i]!.kind === 'mem') {
      const host = this.host(i, 'write', size);
      this.c.get(host);
      value();
      this.c.memLane('store', size, 0);
      this.commit(host);
      return;
    }
    this.slotAddress(i);
    value();
    this.c.memLane('store', size, 0);
  }

  frd(i: number, size: 4 | 8): void {
    if (this.operands[i]!.kind === 'mem') this.c.get(this.host(i, 'read', size));
    else this.slotAddress(i);
    this.c.mem(size === 4 ? 'f32.load' : 'f64.load');
  }

  fwr(i: number, size: 4 | 8, value: () => void): void {
    if (this.operands[i]!.kind === 'mem') {
      const host = this.host(i, 'write', size);
      this.c.get(host);
      value();
      this.c.mem(size === 4 ? 'f32.store' : 'f64.store');
      this.commit(host);
      return;
    }
    this.slotAddress(i);
    value();
    this.c.mem(size === 4 ? 'f32.store' : 'f64.store');
  }

  mrd(i: number): void {
    if (this.operands[i]!.kind === 'mem') this.c.get(this.host(i, 'read', 8));
    else this.slotAddress(i);
    this.c.mem('i64.load');
  }

  mwr(i: number, value: () => void): void {
    if (this.operands[i]!.kind === 'mem') {
      const host = this.host(i, 'write', 8);
      this.c.get(host);
      value();
      this.c.mem('i64.store');
      this.commit(host);
      return;
    }
    // Bits 79:64 become all ones (SDM vol. 1, 9.5.1).
    const address = this.temp('i32');
    this.slotAddress(i);
    this.c.tee(address);
    value();
    this.c.mem('i64.store');
    this.c.get(address).i32(0xffff).mem('i32.store16', 8);
  }

  xmm(register: number): void {
    this.c.i32(0).mem('v128.load', State.xmm + register * 32);
  }

  setXmm(register: number, value: () => void): void {
    this.c.i32(0);
    value();
    this.c.mem('v128.store', State.xmm + register * 32);
  }

  /** #MF where an x87 exception waits: MMX instructions report it before anything else (SDM vol. 1, 8.7 and vol. 3A, 13.3). */
  protected checkPending(): void {
    this.c.i32(0).mem('i32.load16_u', State.fsw).i32(FSW_PENDING).op('i32.and').if();
    this.raise(Vector.MF);
    this.c.end();
  }

  protected enterMmx(): void {
    // Every MMX instruction but EMMS makes TOP 0 and all tags valid (SDM vol. 1, 9.5.1).
    const { c } = this;
    c.i32(0).i32(0).mem('i32.load16_u', State.fsw).i32(0xc7ff).op('i32.and').mem('i32.store16', State.fsw);
    c.i32(0).i32(0).mem('i32.store16', State.ftw);
  }
}
