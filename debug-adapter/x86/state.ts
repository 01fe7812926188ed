/**
 * The processor's state as byte offsets in the machine's one linear memory: canonical for the interpreter, the JIT, snapshots and the debugger.
 * Everything is little endian. Offsets are relative to the memory's start, so generated code uses them as static offsets.
 */

/** Register numbers as the instruction encodings have them (SDM vol. 2A, 3.1.1.1). */
export const Reg = {
  RAX: 0,
  RCX: 1,
  RDX: 2,
  RBX: 3,
  RSP: 4,
  RBP: 5,
  RSI: 6,
  RDI: 7,
  R8: 8,
  R9: 9,
  R10: 10,
  R11: 11,
  R12: 12,
  R13: 13,
  R14: 14,
  R15: 15,
} as const;

/** Segment registers as `mov sreg` numbers them, then the two system segments. */
export const Seg = { ES: 0, CS: 1, SS: 2, DS: 3, FS: 4, GS: 5, LDTR: 6, TR: 7 } as const;

/** Of the x87 status word: an exception that is not masked waits to be reported. */
export const FSW_PENDING = 0x80;

/** What hooks of the processor look at, as generated code has to know it: see `CpuHooks`. */
export const Hooked = {
  systemInstruction: 1,
  syscall: 2,
  fsBase: 4,
  gsBase: 8,
  /** May be told later, by the log: */ laterSyscall: 16,
  laterFsBase: 32,
  interruptReturn: 64,
  extendedState: 128,
} as const;

/** Byte offsets of the state block. Widths are in the comments. */
export const State = {
  /** 16 general registers, u64 each. */
  gpr: 0x000,
  /** u64; canonical between blocks, and at every exit from generated code. */
  rip: 0x080,
  /** u64 that is always 0: the base or index of an address without one. */
  zero: 0x088,
  /** u64: RFLAGS without the six arithmetic flags (CF PF AF ZF SF OF), which the lazy flags hold; bit 1 is set. */
  flags: 0x090,
  /** i32: what made the arithmetic flags last (a `FlagKind` of isa/flags), then u64 operands. */
  flagKind: 0x098,
  flagA: 0x0a0,
  flagB: 0x0a8,
  /** u64: the third operand where a kind needs one (result, or carry in). */
  flagC: 0x0b0,
  /** i64: instructions that may still run before the loop must return; generated code counts it down. */
  budget: 0x0b8,
  /** u64: instructions retired up to the last time that the loop settled the budget. */
  retired: 0x0c0,
  /** i32: why generated code returned to the loop (an `Exit` of interpreter). */
  exit: 0x0c8,
  /** i32: address of the predecoded record that was running at the exit. */
  exitRecord: 0x0cc,
  /** i32: interrupts are inhibited for one instruction (STI, MOV SS). */
  shadow: 0x0d0,
  /** i32: 1 while halted. */
  halted: 0x0d4,
  /** i32: current privilege level 0..3. */
  cpl: 0x0d8,
  /** i32: bits of `Mode`; a block is decoded for one value of it. */
  mode: 0x0dc,
  /** i32: 1 + vector of an interrupt that was acknowledged but not delivered, where a hook stopped the processor in between; else 0. */
  acknowledged: 0x0e0,
  /** 8 segment registers in the order of `Seg`, 32 bytes each: see `SegField`. */
  seg: 0x100,
  /** u64 base, u32 limit. */
  gdtr: 0x200,
  idtr: 0x210,
  /** u64 each. */
  cr0: 0x220,
  cr2: 0x228,
  cr3: 0x230,
  cr4: 0x238,
  cr8: 0x240,
  xcr0: 0x248,
  efer: 0x250,
  /** u64 model-specific registers. */
  star: 0x258,
  lstar: 0x260,
  cstar: 0x268,
  sfmask: 0x270,
  kernelGsBase: 0x278,
  tscAux: 0x280,
  sysenterCs: 0x288,
  sysenterEsp: 0x290,
  sysenterEip: 0x298,
  pat: 0x2a0,
  /** i64 added to the clock's TSC by writes to IA32_TIME_STAMP_COUNTER. */
  tscOffset: 0x2a8,
  apicBase: 0x2b0,
  miscEnable: 0x2b8,
  /** DR0..DR7, u64 each. */
  dr: 0x2c0,
  /** 16 vector registers, 32 bytes each (XMM in the low 16). */
  xmm: 0x400,
  /** 8 x87 registers in *physical* order, 16 bytes each: u64 significand, u16 sign and exponent. */
  x87: 0x600,
  /** u16 each: control, status (TOP in bits 13:11 kept current), tag (full two-bit form), opcode. */
  fcw: 0x680,
  fsw: 0x682,
  ftw: 0x684,
  fop: 0x686,
  /** u64 instruction and data pointers. */
  fip: 0x688,
  fdp: 0x690,
  /** u16 selectors that go with them. */
  fcs: 0x698,
  fds: 0x69a,
  /** u32. */
  mxcsr: 0x6a0,
  /** 64 bytes through which an access goes that is not plain RAM in one page (device memory, page crossing). */
  bounce: 0x6c0,
  /** i32: 1 when the bounce buffer holds a store still to be done; u64 linear address; i32 size. */
  bouncePending: 0x700,
  bounceAddress: 0x708,
  bounceSize: 0x710,
  /** i32: vector, u32: error code, of a fault that a slow path found. */
  faultVector: 0x714,
  faultCode: 0x718,
  /** u32: 1 + index of a debug-register or host watchpoint that an access hit. */
  watchHit: 0x71c,
  /** i32, bits of `Hooked`: of what somebody is told. */
  hooked: 0x720,
  /** u64: the segment base before the change that is told of. */
  replacedBase: 0x728,
  /** Free for the interpreter and JIT to 0x1000. */
  scratch: 0x740,
  /** End of the block. */
  end: 0x1000,
} as const;

/** Byte offsets within one segment register of the state block. */
export const SegField = {
  /** u64 */ base: 0,
  /** u32, already scaled by G */ limit: 8,
  /** u32: bits 8..23 of the descriptor's second dword, shifted right by 8 (type, S, DPL, P, AVL, L, D/B, G) */ attributes: 12,
  /** u16 */ selector: 16,
  /** Size of one register. */ size: 32,
} as const;

/** Bits of `State.mode`. */
export const Mode = {
  /** CS.L with EFER.LMA: 64-bit code. */
  long: 1,
  /** CS.D: 32-bit default operand and address size (outside 64-bit code). */
  code32: 2,
  /** SS.B: 32-bit stack pointer (outside 64-bit code). */
  stack32: 4,
  /** CS, DS, ES, SS all with base 0 and limit 4 GiB: no segment arithmetic needed. */
  flat: 8,
  /** CPL 3. */
  user: 16,
  /** CR0.PE. */
  protected: 32,
  /** RFLAGS.TF or debug registers armed: one instruction a block. */
  step: 64,
  /** CR0.TS or CR0.EM, or CR4.OSFXSR clear: floating-point instructions must be checked. */
  fpuTrap: 128,
} as const;

/** The memory map below the guest's RAM, in bytes. RAM starts at `ramBase`, physical address 0 there. */
export const Layout = {
  state: 0x0,
  /** Read, write and execute-fetch TLBs: `tlbEntries` entries of 16 bytes: i64 tag, i32 addend, i32 spare (see mmu). */
  tlbRead: 0x10_0000,
  tlbWrite: 0x20_0000,
  tlbEntries: 0x1_0000,
  /** Cache from linear RIP to a block: `ripCacheEntries` sets, owned by the interpreter and JIT. */
  ripCache: 0x30_0000,
  ripCacheEnd: 0x50_0000,
  /** Predecoded records. */
  records: 0x80_0000,
  recordsEnd: 0x300_0000,
  /** One byte for each 4 KiB physical page of RAM: 1 = code was decoded from it. */
  codeMap: 0x300_0000,
  codeMapEnd: 0x310_0000,
  /** Tables and scratch space of the predecoder (predecode/area.ts). */
  predecoder: 0x320_0000,
  predecoderEnd: 0x330_0000,
  /** Memory that noted system calls point to (event-log.ts). */
  logBytes: 0x340_0000,
  logBytesEnd: 0x342_0000,
  /** Room for what was noted as whoever reads it unpacks it. */
  logUnpacked: 0x342_0000,
  logUnpackedEnd: 0x350_0000,
  ramBase: 0x400_0000,
} as const;
