/** The shape of one instruction's definition: the only place where encoding, operands, flags, CPUID feature and meaning of it are said. */

import { type Gen } from './gen';

/** RFLAGS bits of the arithmetic flags (SDM vol. 1, 3.4.3.1) and the others that instructions touch. */
export const Flag = {
  CF: 0x1,
  PF: 0x4,
  AF: 0x10,
  ZF: 0x40,
  SF: 0x80,
  TF: 0x100,
  IF: 0x200,
  DF: 0x400,
  OF: 0x800,
  IOPL: 0x3000,
  NT: 0x4000,
  RF: 0x10000,
  VM: 0x20000,
  AC: 0x40000,
  VIF: 0x80000,
  VIP: 0x100000,
  ID: 0x200000,
} as const;

/** All six arithmetic flags. */
export const ARITHMETIC = 0x8d5;

/**
 * Operand kinds in the notation of the SDM's opcode maps (vol. 2D, appendix A.2): a letter for the addressing method, then the size.
 *
 * Methods: E general register or memory (ModRM.rm), G general register (ModRM.reg), M memory only, R general register only (ModRM.rm),
 * Z general register in the opcode's low three bits, B general register in VEX.vvvv, S segment register, C control register, D debug register,
 * V xmm (ModRM.reg), W xmm or memory, U xmm only (ModRM.rm), H xmm in VEX.vvvv, P mmx (ModRM.reg), Q mmx or memory, N mmx only (ModRM.rm),
 * I immediate, J branch displacement, A far pointer immediate, O memory at an immediate offset, X DS:rSI, Y ES:rDI.
 * Sizes in bytes: b 1, w 2, d 4, q 8, t 10, dq 16, v the operand size (2, 4, 8), z the operand size but at most 4, y 4 or 8 (REX.W),
 * s 2 sign-extended (not used), p far pointer in memory (operand size + 2), ps pd x 16, ss 4, sd 8; none: the instruction says (LEA, FXSAVE).
 * `Ibs`: an 8-bit immediate sign-extended to the operand size.
 * `Ed/q`-like pairs do not exist: write the size that memory has; a register operand is read with the same size.
 * `Rd_Mb`, `Rd_Mw`: a 32-bit register or an 8/16-bit memory operand (PEXTRB, MOV r, Sreg); likewise `Rv_Mw`, `Ry_Mb`.
 * Fixed: AL AX eAX rAX (rAX: operand size) CL DX rDX 1 ES CS SS DS FS GS ST0 STi XMM0.
 */
export type OperandSpec = string;

/** One row of the opcode map. */
export interface Encoding {
  /** 0 one-byte opcodes, 1 = 0F, 2 = 0F 38, 3 = 0F 3A. */
  readonly map: 0 | 1 | 2 | 3;
  readonly opcode: number;
  /**
   * Mandatory prefix. Absent: any of 66, F2, F3 may stand before it with their ordinary meaning (operand size, REP).
   * 'none': the row is for no mandatory prefix (SSE "NP" rows); '66', 'F3', 'F2': exactly that one. F2/F3 win over 66 where both stand.
   */
  readonly prefix?: 'none' | '66' | 'F3' | 'F2';
  /** /digit: ModRM.reg must be this. */
  readonly digit?: number;
  /** Restricts ModRM.mod. */
  readonly mod?: 'reg' | 'mem';
  /** With mod 'reg': ModRM.rm must be this (e.g. 0F 01 D0). */
  readonly rm?: number;
  /** ModRM follows although no operand spec uses it (NOP Ev, x87 rows). Derived from operands and digit otherwise. */
  readonly modrm?: boolean;
  /** The opcode's low 3 bits are a register: the row covers opcode..opcode+7. */
  readonly plusR?: boolean;
  /** The opcode's low 4 bits are a condition: the row covers opcode..opcode+15. */
  readonly plusCc?: boolean;
  /** REX.B must be clear (NOP is XCHG rAX,rAX without it). */
  readonly rexB?: 0;
  /** Required REX.W / VEX.W. */
  readonly w?: 0 | 1;
  /** Only in 64-bit code, or only outside of it. */
  readonly mode?: '64' | 'legacy';
  /** VEX-encoded: the vector length bit that it must have ('ig': either; integer VEX instructions have 0). */
  readonly vex?: 0 | 1 | 'ig';
  readonly operands: readonly OperandSpec[];
}

/** Arithmetic flags as data: masks of `Flag` bits. A flag in none of the masks is left alone. */
export interface FlagEffects {
  readonly reads?: number;
  /** Not part of the meaning, but the emitter or helper copies them: where only some of the six change, or all of them are stored. */
  readonly keeps?: number;
  /** Written with a defined value. */
  readonly writes?: number;
  /** Left in a state that the manual does not define. */
  readonly undefined?: number;
  readonly cleared?: number;
  readonly set?: number;
}

/** CPUID features that make an instruction exist (SDM vol. 2A, CPUID). 'base': always. */
export type Feature =
  | 'base'
  | 'fpu'
  | 'tsc'
  | 'msr'
  | 'cx8'
  | 'sep'
  | 'cmov'
  | 'clfsh'
  | 'mmx'
  | 'fxsr'
  | 'sse'
  | 'sse2'
  | 'sse3'
  | 'ssse3'
  | 'sse4_1'
  | 'sse4_2'
  | 'popcnt'
  | 'pclmul'
  | 'aes'
  | 'sha'
  | 'cx16'
  | 'movbe'
  | 'xsave'
  | 'xsaveopt'
  | 'rdrand'
  | 'rdseed'
  | 'fsgsbase'
  | 'bmi1'
  | 'bmi2'
  | 'adx'
  | 'lzcnt'
  | 'lahf64'
  | 'syscall'
  | 'rdtscp'
  | 'rdpid'
  | 'invpcid'
  | 'smap'
  | 'clflushopt'
  | 'clwb'
  | 'prefetchw'
  | 'avx'
  | 'avx2'
  | 'fma'
  | 'f16c';

/** Emits the meaning of one decoded instruction. Both tiers run the same closure. */
export type Emitter = (g: Gen) => void;

export interface Definition {
  /** Upper case, as the SDM writes it. Conditional ones end in cc (`Jcc`, `SETcc`, `CMOVcc`). */
  readonly mnemonic: string;
  readonly encodings: readonly Encoding[];
  /** Default operand size in 64-bit code: 'd64' 64 bits, 66 makes it 16 (PUSH, POP, LEAVE); 'f64' always 64 (near branches). */
  readonly size64?: 'd64' | 'f64';
  readonly flags?: FlagEffects;
  /** Flags may stay as they are for some operands (shift counts of 0). */
  readonly conditionalFlags?: boolean;
  /** Flags that are left undefined for some operands: a sentence of data for the oracle, e.g. OF of a shift by more than 1. Mask by masked count. */
  readonly undefinedFor?: (operands: { readonly count: number; readonly size: number }) => number;
  readonly feature?: Feature;
  /** LOCK is legal with a memory destination. */
  readonly lock?: boolean;
  /** String instruction: REP (F3/F2) repeats it. 'repe': F3 and F2 differ (CMPS, SCAS). */
  readonly rep?: 'rep' | 'repe';
  /** CPL must be 0, else #GP(0) before anything else; checked by the caller of helpers and emitters. */
  readonly privileged?: boolean;
  /** Ends the predecoded block: it changes RIP, the mode, the address space or the interrupt state. */
  readonly endsBlock?: boolean;
  /** Can raise an exception without touching memory (DIV). Helpers, stack and string instructions are known to. */
  readonly mayFault?: boolean;
  /** #NM / #UD checks of the SSE or x87 or MMX unit come before it (CR0.TS, CR0.EM, CR4.OSFXSR; pending x87 exception for 'x87wait'). */
  readonly unit?: 'sse' | 'x87' | 'x87nowait' | 'mmx';
  /** The memory operand must be naturally aligned (#GP(0)): the legacy SSE rule for 16-byte operands. Default for 16-byte W/M operands true; set false for MOVUPS etc. */
  readonly aligned?: boolean;
  /**
   * The immediate is part of the shape: `g.immediate(i)` is known in the interpreter too (shuffles). Otherwise it is a value from the record.
   * Say so only where a constant makes a real difference: each value costs one handler.
   */
  readonly staticImmediate?: boolean;
  /** The meaning, for instructions whose work generated code does. */
  readonly emit?: Emitter;
  /** Name of the TypeScript helper that does the work instead (`HelperTable`). */
  readonly helper?: string;
}

/** Shorthand: `enc(0, 0x01, ['Ev', 'Gv'])`. */
export function enc(map: 0 | 1 | 2 | 3, opcode: number, operands: readonly OperandSpec[] = [], more: Partial<Encoding> = {}): Encoding {
  return { map, opcode, operands, ...more };
}
