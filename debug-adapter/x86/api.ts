/** What the processor asks of the rest of the machine, and what it gives: the seam between x86/ and machine/. */

/** The world outside the processor. Physical addresses are integers below 2^52; sizes are 1, 2, 4 or 8 bytes. */
export interface CpuBus {
  /** Reads an I/O port (size 1, 2 or 4); absent ports read all ones. Charges virtual time. */
  portRead(port: number, size: number): number;
  portWrite(port: number, size: number, value: number): void;
  /** Reads physical memory that is not RAM. Absent memory reads all ones. */
  mmioRead(address: number, size: number): bigint;
  mmioWrite(address: number, size: number, value: bigint): void;
  /** The interrupt controller's acknowledge cycle: the vector 0..255, or -1 when the request went away. */
  acknowledgeInterrupt(): number;
  /** The time-stamp counter before IA32_TSC_ADJUST, in ticks, at `retired` instructions. */
  timeStampCounter(retired: bigint): bigint;
  /** An instruction has read it: charges virtual time. */
  timeStampRead?(): void;
  /** 64 deterministic random bits (RDRAND, RDSEED). */
  random(): bigint;
}

/**
 * A CPU model: what CPUID says, and so which instructions exist. 'xsave' is the default with the XSAVE family, which a guest that looks for AVX to use it
 * must not see alone: Unikraft would then not switch the SSE state.
 */
export type CpuModel = 'min' | 'default' | 'xsave';

/** Debug hooks: undefined members cost nothing. All run synchronously on the machine's thread, between two instructions, at an exact count. */
export interface CpuHooks {
  /** A `syscall` instruction is about to transfer control; registers are as before it. Answer 'stop' to stop before it; the hook is called again then. */
  syscall?(): 'stop' | undefined;
  /** FS.base changed (WRFSBASE, WRMSR, a load of FS). */
  fsBase?(from: bigint, to: bigint): void;
  /** GS.base changed (WRGSBASE, WRMSR, SWAPGS, a load of GS). */
  gsBase?(from: bigint, to: bigint): void;
  /** An instruction ran that is not compiled: all that write control, debug and model-specific registers are among them. */
  systemInstruction?(): void;
  /** An exception is about to be delivered. Answer 'stop' to stop before its delivery. */
  exception?(vector: number, errorCode: number | undefined): 'stop' | undefined;
  /** An external interrupt is about to be delivered. */
  interrupt?(vector: number): 'stop' | undefined;
  /** An interrupt or exception handler returned (IRET). */
  interruptReturn?(): void;
  /** FXSAVE, XSAVE, XSAVEOPT, FXRSTOR, XRSTOR ran on the area at this linear address. */
  extendedState?(kind: 'save' | 'restore', address: bigint): void;
}

/**
 * What translated code notes by itself instead of telling a hook or an observer at once, for those who allow it and need no more than is noted: many times cheaper than a call out of it. Records
 * are read, in their order, by `drain`: when there is no more room, when a run ends, and before whoever writes down events of several kinds writes one that is told at once.
 */
export interface EventLog {
  /** The memory that records lie in. */
  readonly halves: Int32Array;
  /** The same. */
  readonly bytes: Uint8Array;
  /** Where the bytes that the first record's call points to are, if it has any; those of others follow (see `Bytes` of event-log.ts). */
  readonly firstBytes: number;
  /** Where records may be unpacked: room for 128 bytes each. */
  readonly unpackedAt: number;
  reader: ((log: DrainedLog) => void) | undefined;
  /** Has the 64-bit word at this linear address noted with each record; without one that is 0. */
  sample(linear: number | undefined): void;
  /**
   * The hook of system calls, while it is just this one, may be told later of calls whose return has a slot and for whose number `follow` says what to copy. Where a page is not known to be there, or a
   * string is long, it is told at once all the same.
   */
  noteCalls(hook: CpuHooks['syscall'], follow: (number: number) => FollowedCall | undefined): void;
  /** What `Cpu.readMemory` answers; copies of what calls point to may be made from these pages from now on. */
  readMemory(linear: bigint, length: number): Uint8Array;
  /** The hook of FS.base, while it is just this one, may be told later. */
  noteBases(hook: CpuHooks['fsBase']): void;
  /** A number for an observer of `Cpu.setProbe` that may be told later. */
  slot(): number;
  /** Whether the observer of a slot waits for its address to be passed, and is to be told at once; for the return of calls that were noted nobody has to wait. */
  setAwaited(slot: number, awaited: boolean, atOnce: boolean): void;
  /** Observers that are set with `Telling.unlessInside` need not be told while the sampled word is this: noted calls and returns go on from there. */
  settleInside(sample: number): void;
  settleOutside(): void;
  /** The word at `linear` (undefined: 0) tells whose block a new FS.base is while the sampled word is `sample`; with another, changes are told at once. */
  setBeside(sample: number, linear: number | undefined): void;
  /** Virtual time that was not instructions', nanoseconds. `apart`: it passed without anything that somebody may write down behind what was noted before. */
  setCharged(nanoseconds: number, apart: boolean): void;
  drain(): void;
}

/** Records that are read; places are addresses in bytes. */
export interface DrainedLog {
  /** The first record, and the end of the last (see event-log.ts). */
  readonly from: number;
  readonly to: number;
  /** Where their blocks of bytes end. */
  readonly bytesTo: number;
  /** How many of them are events. */
  readonly count: number;
  /** All of these are of bases and of calls that are over. */
  readonly isWhole: boolean;
  /** The calls are of one sampled word, and no end of one is of interest. */
  readonly isPlain: boolean;
  /** The newest call, or 0. */
  readonly lastCall: number;
  /** What their counts are differences to: retired instructions, and nanoseconds that were not instructions'. */
  readonly bases: { readonly instructions: number; readonly charged: number };
}

/** What is copied of the memory behind an argument of a system call; nothing where that is 0. */
export interface FollowedArgument {
  /** Number of the argument, 0 to 5. */
  readonly index: number;
  /** A string up to its zero; bytes; or an I/O vector: at most `most` elements of two words, of each at most `scale` bytes. */
  readonly kind: 'string' | 'bytes' | 'vector';
  /** Which argument says how much there is, modulo 2^31. */
  readonly count: number | undefined;
  /** There is no more than the call's result. */
  readonly byResult: boolean;
  /** Bytes of each that is counted; without a count, of all. */
  readonly scale: number;
  /** Bytes that are kept at most: of a string, with one that says that there is more. */
  readonly most: number;
}

/** What is copied when a call is made and when it returns. */
export interface FollowedCall {
  readonly before: readonly FollowedArgument[];
  readonly after: readonly FollowedArgument[];
  /** How many arguments are noted, 0 to 6. */
  readonly arguments: number;
  /** The end is of interest where the call has not failed (see `DrainedLog.isPlain`). */
  readonly isMarked: boolean;
}

/** Is told of pages of RAM before something is stored to them for the first time, whoever does it. */
export interface StoreFollower {
  /** @param page its physical number; one that is named need not change. */
  firstStore(page: number): void;
  /** From now on any page may be stored to without a word. */
  lost(): void;
}

/** A function run when execution reaches an address, before its instruction. Answer 'stop' to stop there. */
export type Probe = () => 'stop' | undefined;

/** A range of linear addresses that is watched. */
export interface Watchpoint {
  readonly id: number;
  readonly address: bigint;
  /** Bytes, at least 1. */
  readonly length: number;
  readonly access: 'read' | 'write' | 'readWrite';
}

/** Why `Cpu.run` came back. */
export type CpuExit =
  /** The budget is used up, exactly. */
  | { readonly kind: 'budget' }
  /** HLT: nothing to do until an interrupt. */
  | { readonly kind: 'halted'; readonly interruptible: boolean }
  /** A probe answered 'stop', before the instruction at RIP. */
  | { readonly kind: 'probe'; readonly address: bigint }
  /** A watched range was accessed by the instruction before RIP (after it completed). */
  | {
      readonly kind: 'watch';
      readonly hits: readonly {
        readonly id: number;
        readonly address: bigint;
        readonly size: number;
        readonly write: boolean;
        readonly rip: bigint;
      }[];
    }
  /** A hook answered 'stop'. */
  | { readonly kind: 'hook' }
  /** `requestStop` was called (by a device: power-off, reset, exit port). */
  | { readonly kind: 'stop' }
  /** A fault while delivering a double fault: the processor shuts down (SDM vol. 3A, 6.15). */
  | { readonly kind: 'tripleFault'; readonly vector: number }
  /** An instruction, MSR or mode that a real processor has and this one lacks: bytes and address, in a sentence. */
  | { readonly kind: 'unsupported'; readonly address: bigint; readonly bytes: Uint8Array; readonly reason: string };

/** Where what was translated is kept, so that later runs of the same guest need not translate it again. */
export interface KeptRegions {
  /** What the guest is told apart from others by, for whoever keeps them. */
  readonly name: string;
  /** Is there something from an earlier run? */
  readonly isThere: boolean;
}

/** What the processor is made of. */
export interface CpuParts {
  /** Pages for `Layout.ramBase` (state.ts) and `ramBytes`; never grown afterwards. */
  readonly memory: WebAssembly.Memory;
  readonly ramBytes: number;
  readonly bus: CpuBus;
  readonly model: CpuModel;
  /** What CPUID leaf 0x40000010 says, or 0 for no such leaf. */
  readonly tscKilohertz: number;
}

/** The processor as the machine and the debugger see it. Linear addresses and 64-bit registers are bigint, always unsigned. */
export interface Cpu {
  readonly model: CpuModel;
  /** Instructions retired since reset (exact whenever `run` is not on the stack, and inside bus, hook and probe calls). */
  readonly retired: bigint;
  /** The same as a number, for those that ask often. */
  readonly retiredCount: number;
  /** How often the state was replaced (`invalidate`): the same count of instructions may be reached again after that. */
  readonly lives: number;
  /** RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8 .. R15, RIP as they stand between instructions and inside hook and probe calls: a view for reading. */
  readonly generalRegisters: BigUint64Array;
  readonly hooks: CpuHooks;
  /** Absent where nothing is ever told later. */
  readonly log?: EventLog;
  /** Runs at most `budget` instructions (1 .. 2^31-1). */
  run(budget: number): CpuExit;
  /** Has what was translated written for later runs, where it is kept. */
  keepTranslations?(): Promise<void>;
  /** Level of the INTR line; sampled before every block and after STI, POPF, IRET. */
  setInterruptLine(level: boolean): void;
  /** Makes `run` return with 'stop' after the current instruction. */
  requestStop(): void;
  /** Power-on state (SDM vol. 3A, 9.1.1); a boot loader then sets what its protocol asks for. */
  reset(): void;
  /** After the state block or guest RAM was written from outside: drops derived state (TLBs, blocks, mode). */
  invalidate(): void;
  /** After the state block alone was written from outside, between two runs: what was decoded and translated stays where the same code is mapped, as after a change of page tables. */
  stateReplaced(): void;
  /**
   * Has the first store to each page told of from now on, between two runs; those that were told of before are told of again. What is found to run often stores without being seen (`lost`).
   * @returns false where that is so already
   */
  followStores(follower: StoreFollower): boolean;
  /** Before bytes of guest RAM change from outside (DMA, debugger), or after they did (loader): drops code decoded from them. */
  invalidateCode(physical: number, length: number): void;
  /**
   * Sets the one probe of a linear address, or takes it away. `observes`: it neither stops nor changes anything of the guest, which makes it cheap; it may be told
   * of one instruction more than once. `telling`: how (see `Telling`); by default at once.
   */
  setProbe(address: bigint, probe: Probe | undefined, observes?: boolean, telling?: number): void;
  setWatchpoints(list: readonly Watchpoint[]): void;

  /** Registers by name: rax..r15, eax.., rip, rflags, cs..gs, fs_base, gs_base, cr0.., dr0.., efer, star, lstar, kernel_gs_base, mxcsr, fcw, fsw, ftw. */
  getRegister(name: string): bigint | undefined;
  /** Returns false where the name or the value is not acceptable; never leaves the processor in a state that hardware cannot have. */
  setRegister(name: string, value: bigint): boolean;
  /** The 16 or 32 bytes of a vector register, or the 10 of an x87 register (st0..st7 as the stack has them). */
  getWideRegister(name: string): Uint8Array | undefined;
  setWideRegister(name: string, bytes: Uint8Array): boolean;
  /** Physical address of a linear one by the current page tables, without side effects (no A/D bits, no fault), or undefined where unmapped. */
  translate(
    linear: bigint,
    access?: 'read' | 'write' | 'execute',
  ):
    | {
        readonly physical: number;
        readonly writable: boolean;
        readonly executable: boolean;
        readonly user: boolean;
        readonly pageSize: number;
      }
    | undefined;
  /**
   * The 64-bit word at a linear address, for those that look at one often: undefined where that is not mapped to RAM. Both are numbers with the sign of their
   * upper half, which are exact for canonical addresses.
   */
  readPointer(linear: number): number | undefined;
  /** Copies memory by linear address; shorter than asked where a page is unmapped. Device memory is not touched and ends the copy. */
  readMemory(linear: bigint, length: number): Uint8Array;
  /** Bytes written (ignoring write protection), stopping at an unmapped page. */
  writeMemory(linear: bigint, bytes: Uint8Array): number;
}
