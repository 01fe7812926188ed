/** What regions, the dispatcher and the manager agree on: what a region imports and answers, where its locals lie, and how it reaches memory. */

import { type Insn } from '../decoder';
import { namedHelpers, Scratch } from '../interp-abi';
import { highOf, keyOf, lowOf } from './discover';

/** Functions that regions import, in order: 8 conditions, the arithmetic flags, the named helpers, what runs the interpreter's record, what tells an observer, what tells a hook, and what copies the memory that a noted call points to. */
export const RegionImports = {
  condition: 0,
  arithmetic: 8,
  named: 9,
  enter: 9 + namedHelpers.length,
  observe: 10 + namedHelpers.length,
  tell: 11 + namedHelpers.length,
  noteBytes: 12 + namedHelpers.length,
  /** Not imported: the first function of the module itself (onward.ts). */ onward: 13 + namedHelpers.length,
} as const;

/** What a region function answers. From `sites` on: the exit site of this number, whose RIP is not set. */
export const RegionExit = {
  /** RIP is set: look for the next region. */ next: 0,
  /** RIP is set, and the budget does not suffice for the block there. */ budget: 1,
  /** RIP is set, after an indirect jump of the region. */ indirect: 2,
  /** Nothing ran: MXCSR is not as the region wants it. */ precision: 3,
  /** The interpreter, called for an instruction in place, has to be heard: the state is as it left it. */ interpreter: 4,
  sites: 16,
  /** From here on: RIP is set, the interpreter must do the instruction there, and so many instructions of its block did not run as this is above. */ leave: 0x100_0000,
} as const;

/** Why a region was left, where that is counted: an access went beyond the window or the page of others, or numbers were out of the ordinary. */
export type ExitReason = 'reach' | 'unordinary';

/** Where the interpreter must go on after an exit in the middle of a block. */
export interface ExitSite {
  readonly key: number;
  /** Instructions of the block that did not run. */
  readonly remaining: number;
  readonly why: ExitReason;
}

/** Locals with fixed numbers: parameter 0 is the entry's number. */
export const Local = {
  entry: 0,
  gpr: 1,
  xmm: 17,
  flagA: 33,
  flagB: 34,
  flagC: 35,
  flagKind: 36,
  budget: 37,
  status: 38,
  exitRip: 39,
  target: 40,
} as const;

/** A linear mapping of RAM that accesses may use without the TLB. */
export interface WindowMapping {
  /** Host address minus linear address, modulo 2^32. */
  readonly delta: number;
  /**
   * First linear address that may be read, and how many, short of the end by the longest access; the same of those that may be written. They are
   * constants of the code, which is dropped where they no longer hold.
   */
  readonly readStart: bigint;
  readonly readLength: bigint;
  readonly writeStart: bigint;
  readonly writeLength: bigint;
}

/** How a region reaches memory. */
export interface MemoryUse {
  /** Undefined where all accesses go by the TLB. */
  readonly window: WindowMapping | undefined;
  /** The instruction at this address was seen to go beyond the window, or to a page where others near it do not lie: it goes by the TLB, and by itself. */
  isAlone(key: number): boolean;
}

/** Branches of the current block, given by whoever lays out the region. */
export interface Flow {
  /** Emits the way to a block of the region or out of it. */
  goTo(key: number): void;
  /** @param otherwise where it goes on if the condition does not hold, if that is known */
  branchTo(key: number, condition: () => void, otherwise?: number): void;
  indirect(target: number): void;
}

/** Where a region has the interpreter do an instruction in place. */
export interface RecordUse {
  /** Byte of the function's body at which the address of the record stands: a LEB128 of `recordBits`. */
  readonly at: number;
  /** The instruction. */
  readonly key: number;
  /** Instructions of its block from it on. */
  readonly remaining: number;
}

/** What an emission found out that the next one of the same region goes by. */
export interface RegisterUse {
  readonly registers: ReadonlySet<number>;
  readonly written: ReadonlySet<number>;
  readonly vectors: ReadonlySet<number>;
  readonly writtenVectors: ReadonlySet<number>;
  /** What the region does depends on MXCSR. */
  readonly mxcsr: boolean;
}

/** Fields above the interpreter's in the state block. */
export const RegionState = {
  /** u64: address of the indirect jump that left its region. */
  indirectSite: Scratch.modeTag + 0x60,
} as const;

/** A key as the 64-bit address that it stands for. */
export const addressOf = (key: number): bigint => (BigInt(highOf(key)) << 32n) | BigInt(lowOf(key) >>> 0);

/** Key of an instruction. */
export const keyOfInsn = (insn: Insn): number => keyOf(insn.ripLow, insn.ripHigh);
