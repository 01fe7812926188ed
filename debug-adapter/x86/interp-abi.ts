/** What the interpreter's handlers, the regions and the loops around them agree on: indices of functions, how handlers leave, and bytes of the state block beyond its named fields. */

import { type Access } from './isa/gen';
import { State } from './state';

/** Function indices of what handlers call; the same in every handler module. */
export const Imports = {
  /** (linear i64, size | access << 8, record) -> host address, 0 = fault pending. */ slow: 0,
  /** (record): the store in the bounce buffer is to be done, or watched memory was touched. */ commit: 1,
  /** (record) -> 0: go on, 1: return. */ helper: 2,
  /** (record, vector, errorCode or -1). */ raise: 3,
  /** (record, segment | size << 8 | access << 16, offset i64) -> linear i64, -1 = fault pending. */ segmented: 4,
  count: 5,
} as const;

/** Functions of the runtime part, which follow the imports. */
export const Runtime = {
  /** 8 functions: condition cc = 2 * n by the flags in the state -> i32. */ condition: Imports.count,
  /** -> i64 */ arithmetic: Imports.count + 8,
  /** named pure helpers (a i64, b i64) -> i64 */ named: Imports.count + 9,
  /** What handlers call instead of `Imports.slow`, which it calls where it has to. */
  get reach(): number {
    return Imports.count + 9 + namedHelpers.length;
  },
  /** (area, what): behind it, in the prebuilt module alone. */
  get saveArea(): number {
    return Runtime.reach + 1;
  },
  get restoreArea(): number {
    return Runtime.reach + 2;
  },
  /** (record): only in modules made at run time, after all others */
  get enter(): number {
    return Imports.count + 10 + namedHelpers.length;
  },
} as const;

export const accessNumber: Readonly<Record<Access, number>> = { read: 0, write: 1, readWrite: 2 };

/** `State.exit` values. */
export const Exit = {
  /** RIP is set; `exitRecord` = address of the chain slot to fill, or 0: look the block up. */ lookup: 1,
  /** Stopped before the record `exitRecord`. */ leave: 2,
  /** A fault is pending for the record `exitRecord`. */ fault: 3,
  /** The helper of the record `exitRecord` ended its block. */ helper: 4,
  /** The record `exitRecord` is done and counted; RIP stays at it. */ restart: 5,
} as const;

/** Table slots of handlers that stand for no instruction. */
export const Special = {
  /** Leaves before this record. */ leave: 0,
  /** Goes on at `next`: the end of a block that a limit cut. */ goto: 1,
  /** Raises the fault (imm2 = vector, imm = error code, -1 for none). */ raise: 2,
  /** Calls the helper (a floating-point unit that may be off, an instruction that TypeScript does), then goes on. */ helper: 3,
  /** Calls the helper and leaves: the instruction ends its block. */ helperEnds: 4,
  count: 5,
} as const;

/** Bytes above the state's named fields that the interpreter uses. */
export const Scratch = {
  /** u64: xor of this and RIP is the RIP cache's tag */ modeTag: State.scratch,
  /** i32: level of the interrupt line */
  line: State.scratch + 8,
  /** i32: budget left when the interrupt shadow began: it lasts while just that is left */
  shadowLeft: State.scratch + 12,
  /** i32: bits of `Attention`: nothing may run before the loop in TypeScript has seen to something */
  attention: State.scratch + 16,
} as const;

/** Bits of `Scratch.attention`. */
export const Attention = {
  /** The budget is put aside, so that generated code stops. */ broken: 1,
  /** Translations changed: what regions take for granted has to be looked at again. */ stale: 2,
  /** All blocks have to be built anew. */ refuse: 4,
} as const;

export const RIP_CACHE_ENTRIES = 0x2_0000;

/**
 * TLB entries that are filled: `entries` i32 for the read TLB, and as many for the write TLB behind them, each the address of an entry in words, so many as `counts`
 * says; more, where that has come to its end. `off`, i32: TypeScript fills them all. `ram`, u64: bytes of RAM, where that is set.
 */
export const TlbJournals = { counts: 0x3a0_0000, off: 0x3a0_0008, ram: 0x3a0_0010, read: 0x3b0_0000, entries: 0x1_0000 } as const;

/** Chain slots that lead to blocks: i32 how many there are, i32 addresses of the slots. They lead nowhere again when translations change. */
export const LinkJournal = { count: 0x350_0000, address: 0x350_0010, entries: 0x2_0000 } as const;

/** `(i64, i64) -> i64`: arithmetic, and what works on the state block: the frequent ways into handlers and back (kernel-transfers.ts), and of extended state (extended-transfers.ts). */
export const namedHelpers: readonly string[] = [
  ...['umulh', 'smulh', 'crc32b', 'pdep', 'pext', 'clmull', 'clmulh'],
  ...['enterHandler', 'leaveHandler'],
  ...['fxsave', 'fxrstor', 'xsave', 'xrstor'],
];

/** Bits of the description that `slow` gets: the caller goes on to the page's end; the access is a push or pop. */
export const WHOLE_PAGE = 0x1_0000;
export const STACK_ACCESS = 0x2_0000;
