/** What an instruction's emitter may use: operands, memory, flags and control transfer, bound by the interpreter to record fields and by the JIT to constants and locals. */

import { type Code } from '../wasm/code';
import { type ValueType } from '../wasm/opcodes';
import { type LaneKind } from './sse-guard';

/** Integer widths in bytes. */
export type Size = 1 | 2 | 4 | 8;

/** How memory will be used: decides the permission checked, and whether the old bytes must be present. */
export type Access = 'read' | 'write' | 'readWrite';

/**
 * Lazy flag rules. Operand values are i64, zero-extended from `size`.
 * add: a + b. sub: a - b (also CMP, NEG as 0 - b). adc, sbb: with carry c (0 or 1).
 * logic: result a; CF = OF = AF = 0. inc, dec: result a, CF = b (0 or 1).
 * result: ZF SF PF from the result a, and CF, OF, AF as RFLAGS bits in b.
 */
export type FlagOp = 'add' | 'sub' | 'adc' | 'sbb' | 'logic' | 'inc' | 'dec' | 'result';

/** What an emitter may know about the operands without binding itself to one tier. */
export interface ShapeOperand {
  readonly kind: 'reg' | 'mem' | 'imm' | 'xmm' | 'mmx' | 'sreg' | 'other';
  /** Bytes. 0 for a memory operand without a size. */
  readonly size: number;
}

/**
 * Order of work, to be kept by every emitter: everything that can fault (memory reads, `host`, `push`) first, register and flag writes after.
 * `wr`, `rmw`, `push` do their store at once and fault without having changed anything; after them nothing may fault.
 * Values on the wasm stack are lost where an access faults (the handler returns): that is wanted.
 * `value` callbacks leave exactly one value on the wasm stack.
 */
export interface Gen {
  /** The function body being written; all raw wasm goes through it. */
  readonly c: Code;
  readonly operands: readonly ShapeOperand[];
  /** Operand size attribute in bytes (2, 4, 8), after prefixes and mode. 1 never: byte forms say so in their operands. */
  readonly operandSize: 2 | 4 | 8;
  readonly addressSize: 2 | 4 | 8;
  /** True in 64-bit code. */
  readonly long: boolean;
  /** Size of the stack pointer: 8 in 64-bit code, else by SS.B. */
  readonly stackSize: 2 | 4 | 8;
  /** Low 4 bits of the opcode of a `plusCc` row. */
  readonly cc: number;
  /** REP prefix of a string instruction. */
  readonly rep: 'none' | 'rep' | 'repne';

  /** A fresh local for this instruction. */
  temp(type: ValueType): number;

  // General operands: i64, zero-extended from the operand's size.
  /** Pushes operand i: register, memory, immediate (sign-extended to the operand size, then cut to it), or the low bytes of an xmm. */
  rd(i: number): void;
  /** Pushes operand i sign-extended from its size to 64 bits. */
  rdSigned(i: number): void;
  /** Writes operand i. Bits above its size are ignored; a 32-bit register write clears the upper half, 8 and 16 bits keep the rest. */
  wr(i: number, value: () => void): void;
  /** Reads operand i into a local, runs `next` with it, stores what `next` leaves: one address computation, write permission checked first. */
  rmw(i: number, next: (old: number) => void): void;
  /** The immediate's value where the tier knows it (always in the JIT). */
  immediate(i: number): bigint | undefined;

  /** Pushes a general register by number, zero-extended. `high` is not offered: AH..BH come only as operands. */
  reg(register: number, size: Size): void;
  setReg(register: number, size: Size, value: () => void): void;

  // Memory.
  /** Pushes the offset of memory operand i cut to the address size, without segment base (LEA). */
  ea(i: number): void;
  /** Pushes the linear address of memory operand i (+ `disp`). */
  linear(i: number, disp?: number): void;
  /** Pushes the linear address DS:rSI (after overrides) or ES:rDI of a string instruction, for an access of the element's size. */
  stringAddress(which: 'source' | 'destination', size: number, access: Access): void;
  /**
   * Host address (i32 local) of memory operand i, checked for `access` of `size` bytes (1..64) at +`disp`.
   * After stores through it call `commit(local)`. Before stores nothing is committed; a fault leaves the handler.
   * `align`: #GP(0) where the linear address is not a multiple of it.
   */
  host(i: number, access: Access, size: number, disp?: number, align?: number): number;
  /** The same for a linear address in an i64 local. */
  hostAt(linear: number, access: Access, size: number): number;
  commit(host: number): void;
  /**
   * Host address (i32 local) of one byte from which accesses may go on to the end of its 4 KiB page, or a value below `Layout.ramBase` where memory there
   * must be accessed element by element (devices, watched pages). Faults as `hostAt` does.
   */
  hostPage(linear: number, access: 'read' | 'write'): number;
  /** The segments of a string instruction need no limit check, so that `hostPage` may be used. */
  readonly flatStrings: boolean;

  // Vector operands. xmm registers as v128; memory operands by explicit size.
  /** Pushes v128 of operand i: xmm register, or 16 bytes of memory (aligned as the definition says). */
  vrd(i: number): void;
  /** Writes all 16 bytes of operand i: xmm register or memory. */
  vwr(i: number, value: () => void): void;
  /** Pushes v128 with the low `size` bytes of operand i (xmm register or memory) and zeros above. */
  vrdLow(i: number, size: 4 | 8): void;
  /** Writes the low `size` bytes of operand i from a v128: an xmm register keeps the rest, memory gets just these. */
  vwrLow(i: number, size: 4 | 8, value: () => void): void;
  /** Pushes f32 or f64: the low lane of an xmm register, or 4/8 bytes of memory. */
  frd(i: number, size: 4 | 8): void;
  /** Writes f32 or f64 into the low lane of operand i; an xmm register keeps the rest. */
  fwr(i: number, size: 4 | 8, value: () => void): void;
  /** MMX registers as i64 (they alias the x87 significands; the tier does the TOP/tag duty of every MMX instruction). */
  mrd(i: number): void;
  mwr(i: number, value: () => void): void;
  /** Pushes v128 of an xmm register by number (XMM0 of BLENDV etc.). */
  xmm(register: number): void;
  setXmm(register: number, value: () => void): void;

  // The state block by offset, for what has no operand (MXCSR, segment bases, flags).
  loadState(op: 'i32.load' | 'i64.load' | 'i32.load8_u' | 'i32.load16_u' | 'v128.load', offset: number): void;
  storeState(op: 'i32.store' | 'i64.store' | 'i32.store8' | 'i32.store16' | 'v128.store', offset: number, value: () => void): void;

  // Flags.
  /** True where a later reader may see any of these arithmetic flags: emitters skip costly work when false. */
  flagsNeeded(mask: number): boolean;
  /** Sets the lazy flags. Operands are i64 locals. A no-op where they are dead. */
  flags(op: FlagOp, size: Size, a: number, b?: number, c?: number): void;
  /** Sets all six arithmetic flags explicitly: i64 with RFLAGS bits (others ignored). */
  setArithmetic(value: () => void): void;
  /** Pushes i64 with the six arithmetic flags as RFLAGS bits. */
  arithmetic(): void;
  /** Pushes i32 0/1 for a condition code 0..15 (SDM vol. 1, appendix B). */
  cond(cc: number): void;
  /** Pushes i64 0/1: CF. */
  carry(): void;

  // Stack, control.
  /** Pushes the value (i64) of a local on the guest's stack; rSP changes after the store. */
  push(size: 2 | 4 | 8, value: number): void;
  /** Pops into a new i64 local: the load may fault, rSP changes after it. */
  pop(size: 2 | 4 | 8): number;
  /** The same without moving rSP: for what must check the value first (RET). `adjustStack(size)` then moves it. */
  popPeek(size: 2 | 4 | 8): number;
  adjustStack(delta: number): void;
  /** Linear address of the next instruction, as i64 constant or record value. */
  nextRip(): void;
  /** Ends the block: goes to branch operand i. */
  jumpTo(i: number): void;
  /** Ends the block: goes to branch operand i where the i32 condition that `condition` pushes is not 0, else to the next instruction. */
  branch(i: number, condition: () => void): void;
  /** Raises #GP(0) where the i64 local is no legal RIP (not canonical, or beyond the CS limit). Before the registers of a branch change. */
  checkTarget(target: number): void;
  /** Ends the block: goes to the address (RIP/EIP value, i64) that `target` pushes; it has passed `checkTarget`. */
  jumpInd(target: () => void): void;
  /** Ends the block: goes to the next instruction. */
  fallThrough(): void;
  /** Pushes i32: the interrupt request line, not 0 while a request waits. */
  interruptLine(): void;
  /** Starts the one-instruction shadow in which interrupts stay off; the next instruction must start a block. */
  startShadow(): void;
  /** Ends the block with RIP at this same instruction, counted: a long REP that comes back for the rest. */
  restart(): void;
  /** Raises a fault with RIP at this instruction; nothing after it runs. May stand inside an `if`. */
  raise(vector: number, errorCode?: number): void;
  /** Does this instruction by its TypeScript helper, here (conditionally inside an `if`, too; then the rest of the emitter is skipped). */
  bail(): void;
  /**
   * The tier's own way to tell the hook of a bit of `Hooked`, where there is one, before or after this instruction, without its helper. `prepare` emits what the hook's
   * caller wants to find in the state block. Absent where a tier has to bail for that.
   */
  tell?(what: number, when: 'before' | 'after', prepare?: () => void): void;
  /** Known when generated: rounding is to nearest and an inexact result changes nothing. */
  readonly inexactIsSilent?: boolean;
  /** The tier's own way to r = a op b with exact MXCSR, for locals that hold operands 0 and 1; answers the local of r, or undefined: the general way. */
  guardedFloat?(kind: LaneKind, op: 'add' | 'sub' | 'mul' | 'div', a: number, b: number): number | undefined;
  /** The same for the square root of a local. */
  guardedRoot?(kind: LaneKind, operand: number): number | undefined;
  /** Makes the vector registers of the state block those of this place, for a runtime function that works on them there; `loadVectors` takes over what it has left, MXCSR included. */
  storeVectors(): void;
  loadVectors(): void;
  /** Calls a helper `(a: i64, b: i64) -> i64` of the runtime by name (CRC32 table steps and the like). */
  call(name: string): void;
}
