/** What the TypeScript side of the processor (helpers, exceptions, paging, x87) works with: the state block as typed views, guest memory with faults, and the decoded instruction. */

import { type CpuBus, type CpuHooks, type CpuModel } from './api';

/** A fault (or trap raised by a helper) on its way to delivery; thrown by `raise`, caught by the loop. RIP then is the faulting instruction's. */
export class GuestFault {
  constructor(
    readonly vector: number,
    readonly errorCode: number | undefined,
  ) {}
}

/** Thrown for what a real processor has and this one lacks: `run` returns CpuExit 'unsupported'. */
export class Unsupported {
  constructor(readonly reason: string) {}
}

/** Thrown where a hook stops the processor before the instruction: `run` returns CpuExit 'hook'. */
export class StoppedByHook {}

/** Throws a StoppedByHook. */
export function stopBefore(): never {
  // eslint-disable-next-line @typescript-eslint/only-throw-error
  throw new StoppedByHook();
}

/** Throws a GuestFault. It is no Error on purpose: faults are ordinary events, and a stack trace for each would cost more than their delivery. */
export function fault(vector: number, errorCode?: number): never {
  // eslint-disable-next-line @typescript-eslint/only-throw-error
  throw new GuestFault(vector, errorCode);
}

/** Throws Unsupported. */
export function lacking(reason: string): never {
  // eslint-disable-next-line @typescript-eslint/only-throw-error
  throw new Unsupported(reason);
}

/** Exception vectors (SDM vol. 3A, table 6-1). */
export const Vector = {
  DE: 0,
  DB: 1,
  NMI: 2,
  BP: 3,
  OF: 4,
  BR: 5,
  UD: 6,
  NM: 7,
  DF: 8,
  TS: 10,
  NP: 11,
  SS: 12,
  GP: 13,
  PF: 14,
  MF: 16,
  AC: 17,
  MC: 18,
  XM: 19,
} as const;

/** One operand of a decoded instruction. Sizes in bytes. */
export type Operand =
  /** General register 0..15; `high`: AH CH DH BH (register 0..3). */
  | { readonly kind: 'reg'; readonly register: number; readonly size: number; readonly high: boolean }
  | { readonly kind: 'mem'; readonly size: number }
  /** Sign-extended to 64 bits and cut to the operand size; branch displacements come as 'rel' with the target address. */
  | { readonly kind: 'imm'; readonly value: bigint; readonly size: number }
  | { readonly kind: 'rel'; readonly target: bigint; readonly size: number }
  | { readonly kind: 'far'; readonly selector: number; readonly offset: bigint; readonly size: number }
  | { readonly kind: 'sreg' | 'creg' | 'dreg' | 'xmm' | 'mmx' | 'st'; readonly register: number; readonly size: number };

/** The memory operand's address parts: register numbers, -1 where absent. RIP-relative addresses have their sum in `disp` and no base. */
export interface MemoryOperand {
  readonly base: number;
  readonly index: number;
  /** 1, 2, 4, 8 */
  readonly scale: number;
  readonly disp: bigint;
  /** A `Seg` number after overrides and defaults. */
  readonly segment: number;
}

/** One decoded instruction. */
export interface DecodedInsn {
  readonly mnemonic: string;
  /** Address (RIP or EIP value) of the instruction, and of the next one. */
  readonly rip: bigint;
  readonly next: bigint;
  readonly length: number;
  readonly opcode: number;
  readonly map: number;
  /** ModRM byte, or -1. */
  readonly modrm: number;
  readonly operandSize: 2 | 4 | 8;
  readonly addressSize: 2 | 4 | 8;
  readonly rexW: boolean;
  readonly lock: boolean;
  /** F3 / F2 as repeat prefixes. */
  readonly rep: 'none' | 'rep' | 'repne';
  readonly operands: readonly Operand[];
  readonly memory: MemoryOperand | undefined;
  /** The segment override prefix, for instructions with an implicit memory operand. */
  readonly segmentOverride: number | undefined;
}

/**
 * A helper: one TypeScript function for one instruction (or a family, by `insn.mnemonic`).
 *
 * What it may assume, and must keep:
 * - `cpu.rip` (State.rip) already is `insn.next`. To branch, assign `cpu.rip`. When it throws GuestFault the loop puts RIP back to `insn.rip`;
 *   it must then not have changed registers (do what can fault first). Traps (INT3, INT n, INTO) go through `deliver` of exceptions.ts with RIP = next.
 * - The instruction is not yet counted: `cpu.retired` counts those before it. It is counted when the helper returns (also with a trap delivered), not when it throws.
 * - Arithmetic flags are lazy: read RFLAGS by `cpu.getFlags()`, write by `cpu.setFlags(value)`, which materialise. Never use State.flags directly.
 * - Registers are read and written by the methods, or straight on the views: generated code keeps nothing elsewhere while a helper runs.
 * - Checks of `privileged` and `unit` of the definition have been done.
 * - After changing CR0, CR3, CR4, EFER, segment registers, CPL, TF: call `modeChanged()` (cheap); after changing translations: `flushTlb()` / `flushPage()`.
 *   Such definitions carry `endsBlock`.
 */
export type Helper = (cpu: CpuContext, insn: DecodedInsn) => void;
export type HelperTable = Readonly<Record<string, Helper>>;

export interface CpuContext {
  readonly model: CpuModel;
  readonly bus: CpuBus;
  readonly hooks: CpuHooks;
  /** Asks the hook of SYSCALL, unless a region has asked it about this very instruction. */
  askSyscallHook(): 'stop' | undefined;
  /** Tells whoever looks on of FS.base, or has it noted. */
  fsBaseChanged(before: bigint, after: bigint): void;
  /** TSC frequency that CPUID leaf 0x40000010 tells; 0: no such leaf. */
  readonly tscKilohertz: number;
  /** Views over the whole linear memory: state block at 0, RAM at Layout.ramBase. Little endian. */
  readonly view: DataView;
  readonly u8: Uint8Array;
  readonly u32: Uint32Array;
  readonly u64: BigUint64Array;
  /** Bytes of guest RAM (physical addresses 0 .. ramSize-1). */
  readonly ramSize: number;

  /** State.rip as an unsigned 64-bit integer. */
  rip: bigint;
  readonly cpl: number;
  /** Instructions retired before the current one. */
  readonly retired: bigint;
  /** True in 64-bit code. */
  readonly long: boolean;
  /** Size of the stack pointer: 8 in 64-bit code, else by SS.B. */
  readonly stackSize: 2 | 4 | 8;

  /** General register by number and size (zero-extended bigint; a 4-byte write clears the upper half). */
  getReg(register: number, size: number): bigint;
  setReg(register: number, size: number, value: bigint): void;
  /** RFLAGS in full, with the arithmetic flags materialised. */
  getFlags(): bigint;
  /** The same as a number, and back. */
  flagsWord(): number;
  setFlagsWord(value: number): void;
  /** All of RFLAGS, reserved bits fixed up (bit 1 set, 3 5 15 and above 21 clear); calls modeChanged when TF changed. */
  setFlags(value: bigint): void;
  /** Only the arithmetic flags: RFLAGS bits, others ignored. */
  setArithmeticFlags(value: number): void;

  /** Throws GuestFault. For #PF set `cr2`. */
  raise(vector: number, errorCode?: number, cr2?: bigint): never;
  /** Throws Unsupported with a sentence. */
  unsupported(reason: string): never;

  /** Value of operand i, zero-extended (memory is read with faults, the segment applied). */
  readOperand(insn: DecodedInsn, i: number): bigint;
  /** Writes operand i (general register or memory). */
  writeOperand(insn: DecodedInsn, i: number, value: bigint): void;
  /** Effective address of the memory operand, cut to the address size, without the segment base. */
  effectiveAddress(insn: DecodedInsn): bigint;
  /** Linear address of the memory operand, with limit and canonical checks for an access of `size` bytes (#GP or #SS). */
  linearAddress(insn: DecodedInsn, size: number, access: 'read' | 'write', displacement?: number): bigint;
  /** The same for any segment and offset. */
  segmentLinear(segment: number, offset: bigint, size: number, access: 'read' | 'write'): bigint;

  /** Reads 1, 2, 4 or 8 bytes at a linear address with the current privilege; page faults as the processor raises them. */
  readVirtual(linear: bigint, size: number): bigint;
  writeVirtual(linear: bigint, size: number, value: bigint): void;
  /** As supervisor whatever the CPL: descriptor tables, TSS, interrupt stacks (SDM vol. 3A, 4.6.1, implicit supervisor accesses). */
  readSystem(linear: bigint, size: number): bigint;
  writeSystem(linear: bigint, size: number, value: bigint): void;
  /** Checks that `length` bytes can be read or written before a multi-part access; faults otherwise. */
  probe(linear: bigint, length: number, access: 'read' | 'write'): void;
  readBytes(linear: bigint, length: number): Uint8Array;
  writeBytes(linear: bigint, bytes: Uint8Array): void;
  /** Physical memory (RAM, or the bus outside of it): page tables. Size 4 or 8. */
  readPhysical(physical: number, size: number): bigint;
  writePhysical(physical: number, size: number, value: bigint): void;

  /** Fills the legacy region of an area of extended state at a host address, all of it RAM that may be written straight away; see `Moved`. */
  saveArea(host: number, what: number): void;
  /** Takes such a one over. */
  restoreArea(host: number, what: number): void;

  /**
   * The frequent way into a handler, with RIP as the return address and these flags to be pushed (see `enterFunction`); an error code of -1 stands for none. False where
   * that takes more; nothing has changed then.
   */
  enterHandler(vector: number, errorCode: number, flags: number): boolean;
  /** The same of IRETQ. */
  leaveHandler(): boolean;

  /** Pushes and pops with the current stack size and segment; rSP changes only when no fault. */
  push(size: number, value: bigint): void;
  pop(size: number): bigint;

  /** Recomputes State.cpl, State.mode and what is derived from control registers and segments. */
  modeChanged(): void;
  /** Drops all TLB entries (global pages too where `global`). */
  flushTlb(global: boolean): void;
  flushPage(linear: bigint): void;
  /** Interrupts and debug traps stay off until after the next instruction (STI, MOV SS, POP SS). */
  inhibitInterrupts(): void;
  /** HLT: `run` returns 'halted' after this instruction. */
  halt(): void;
}

/**
 * What paging (mmu.ts) gives: the page walk. `walk` either answers or throws the #PF by `cpu.raise(14, code, linear)`; it sets accessed and dirty bits.
 * The TLBs, RAM views, device memory and page crossing are the loop's own business.
 */
export interface WalkResult {
  /** Physical address of the byte asked for. */
  physical: number;
  /** Bytes of the page: 4096, 2 MiB, 4 MiB, 1 GiB. */
  pageSize: number;
  /** May be written without a walk (W set where needed and D set). */
  writable: boolean;
  executable: boolean;
  user: boolean;
  global: boolean;
}

/** `walk(cpu, linear, access, user)`: `user` is the privilege of the access (CPL 3 explicit accesses), not of the page. With paging off it answers linear = physical (32 bits). */
export type Walk = (cpu: CpuContext, linear: bigint, access: 'read' | 'write' | 'execute', user: boolean) => WalkResult;

/** `peek(cpu, linear)`: the same translation without faults or side effects; undefined where unmapped. */
export type Peek = (cpu: CpuContext, linear: bigint) => WalkResult | undefined;

/**
 * What exceptions.ts gives: `deliver(cpu, vector, errorCode, source)` pushes the frame with the current `cpu.rip` and loads the handler.
 * source: 'fault' | 'trap' (exceptions), 'external' (interrupts), 'software' (INT n, INT3, INTO: gate DPL checked).
 * Nested faults are combined in it (#DF); it answers false on a triple fault, and throws GuestFault only where the source is 'software' or 'external'... never:
 * all nesting is resolved inside. Hooks `exception`/`interrupt` are called by the loop, not by it.
 */
export type Deliver = (
  cpu: CpuContext,
  vector: number,
  errorCode: number | undefined,
  source: 'fault' | 'trap' | 'external' | 'software',
) => boolean;
