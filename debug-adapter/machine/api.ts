/** The machine as its users see it (debugger, command line), and the contracts that devices, boot loaders and networks are written against. */
import { type Cpu, type CpuModel, type KeptRegions } from '../x86/api';

/** What devices may do to the machine around them. */
export interface DeviceHost {
  /** Guest RAM, physical address 0 at index 0. The view is replaced by nothing: RAM never grows. */
  readonly ram: Uint8Array;
  readonly clock: Clock;
  /** True while recorded inputs are being replayed: what leaves the machine then has left it before, and must not leave again. */
  readonly replaying: boolean;
  /** Raises or lowers an interrupt request line 0..15. */
  setIrq(line: number, level: boolean): void;
  /** Level of the request that the interrupt controller makes of the processor. */
  setInterruptRequest(level: boolean): void;
  /** Tells that a device is about to write guest RAM (DMA): code decoded from it is dropped, and whoever keeps what was there can. */
  ramChanges(physical: number, length: number): void;
  /** Ends the run after the current instruction. */
  stop(reason: MachineExit): void;
  /** Tells that the guest does nothing but ask a device for input; the run comes back as idle after the current instruction. */
  polling(): void;
}

/** Random numbers that repeat from run to run. */
export interface Randomness {
  fill(bytes: Uint8Array): void;
}

/** Virtual time: instructions executed plus what devices charged. Never the host's. */
export interface Clock {
  /** Nanoseconds of virtual time since reset, an integer-valued number below 2^53. */
  now(): number;
  /** Adds time for something that costs time on hardware, nanoseconds. */
  charge(nanoseconds: number): void;
  /**
   * Makes a timer, disarmed; devices make theirs when they are constructed. Armed timers are part of the clock's saved state, found again by the order of
   * their creation, which also breaks ties between timers of the same moment.
   */
  createTimer(callback: () => void): Timer;
}

export interface Timer {
  /** Virtual time in nanoseconds at which it will call back, or undefined. */
  readonly at: number | undefined;
  /** Calls back once at virtual time `at`, at an exact instruction count; in the past: before the next instruction. Replaces an earlier time. */
  arm(at: number): void;
  disarm(): void;
}

/** One device. State that a snapshot needs goes through save and restore as plain structured-cloneable data; timers save themselves. */
export interface Device {
  readonly name: string;
  /** I/O ports it answers: inclusive ranges. */
  readonly ports?: readonly (readonly [first: number, last: number])[];
  /** Physical memory it answers: inclusive ranges outside RAM. */
  readonly memory?: readonly (readonly [first: number, last: number])[];
  portRead?(port: number, size: number): number;
  portWrite?(port: number, size: number, value: number): void;
  memoryRead?(address: number, size: number): bigint;
  memoryWrite?(address: number, size: number, value: bigint): void;
  /** Bytes from outside (a keystroke, a network frame), at a journalled instruction count. */
  input?(bytes: Uint8Array): void;
  reset(): void;
  save(): unknown;
  restore(state: unknown): void;
}

/** How a guest ended its run. */
export type MachineExit =
  /** Power-off by ACPI PM1a or an emulator's shutdown port. */
  | { readonly kind: 'powerOff' }
  /** isa-debug-exit: the value written; a process exit status is (value << 1) | 1. */
  | { readonly kind: 'exitPort'; readonly value: number }
  | { readonly kind: 'reset' };

/** Why `Machine.run` came back. */
export type StopReason =
  | { readonly kind: 'limit' }
  /** Halted, or polling the console, with nothing to do before virtual time `until` (nanoseconds; undefined: only input can wake it). */
  | { readonly kind: 'idle'; readonly until: number | undefined }
  /** Halted with interrupts off: nothing but a reset can wake it. */
  | { readonly kind: 'dead' }
  | { readonly kind: 'exit'; readonly exit: MachineExit }
  | Exclude<ReturnType<Cpu['run']>, { kind: 'budget' | 'halted' | 'stop' }>;

// What is put into the guest's memory.

/** A file that has not been read yet. */
export interface FileContents {
  /** Bytes. */
  readonly length: number;
  /** Fills `target`, which has so many bytes. Throws an Error with a message for people where the file cannot be read. */
  readInto(target: Uint8Array): void;
}

export type Contents = Uint8Array | FileContents;

/** Puts contents at `at`. There must be room. */
export function putContents(contents: Contents, memory: Uint8Array, at: number): void {
  if (contents instanceof Uint8Array) memory.set(contents, at);
  else contents.readInto(memory.subarray(at, at + contents.length));
}

/** The bytes themselves. */
export function bytesOf(contents: Contents): Uint8Array {
  if (contents instanceof Uint8Array) return contents;
  const bytes = new Uint8Array(contents.length);
  contents.readInto(bytes);
  return bytes;
}

/** What to boot. */
export interface BootOptions {
  readonly image: Uint8Array;
  /** Name for messages and for the first word of a multiboot command line. */
  readonly imageName: string;
  readonly commandLine: string;
  readonly initrd?: Contents;
  /** Bytes of RAM, a multiple of 1 MiB. */
  readonly memory: number;
  readonly cpuModel: CpuModel;
  /** Unix time in seconds that the RTC shows at reset; fixed unless told, so that runs repeat. */
  readonly startTime?: number;
  /** Seed of RDRAND and RDSEED; fixed unless told, so that runs repeat. */
  readonly randomSeed?: bigint;
  /** Offer the TSC's frequency in CPUID leaf 0x40000010, so that the guest need not measure it (default true). */
  readonly tscLeaf?: boolean;
  /** Translate hot code (default true). Never changes what the guest sees. */
  readonly jit?: boolean | 'eager';
  /** Where what is translated is kept for later runs of the same image. Never changes what the guest sees. */
  readonly kept?: KeptRegions | undefined;
  /** Makes devices beyond the PC's own (see extra-devices.ts): called once, before the processor starts. */
  readonly extraDevices?: (host: DeviceHost, pci: PciBus, random: Randomness) => readonly Device[];
}

/** One function on PCI bus 0, as configuration mechanism 1 shows it (PCI Local Bus Specification 3.0, chapter 6). */
export interface PciFunction {
  readonly vendorId: number;
  readonly deviceId: number;
  /** Class, subclass, programming interface: 24 bits. */
  readonly classCode: number;
  readonly revision: number;
  readonly subsystemVendorId: number;
  readonly subsystemId: number;
  /** I/O ports wanted behind BAR0: a power of two of at least 4, or 0 for none. */
  readonly ioSize: number;
}

/** Where a PCI function ended up, decided as firmware would. */
export interface PciSlot {
  /** Device number on bus 0. */
  readonly device: number;
  /** First I/O port of BAR0, 0 where none was wanted. */
  readonly ioBase: number;
  /** ISA interrupt line that INTA# is routed to. */
  readonly irq: number;
}

export interface PciBus {
  /** Plugs a function in at the next free device number. */
  plug(fn: PciFunction): PciSlot;
  /** Asserts or releases INTA# of a plugged function; lines are shared. */
  setInterrupt(slot: PciSlot, level: boolean): void;
}

/** A segment register as a boot protocol wants it, with its hidden part (SDM vol. 3A, 3.4.3). */
export interface EntrySegment {
  readonly selector: number;
  readonly base: number;
  readonly limit: number;
  /** Descriptor bits 8..23: type, S, DPL, P, AVL, L, D/B, G. */
  readonly attributes: number;
}

/** The processor's state in which a boot protocol enters an image. Registers not named are 0. */
export interface EntryState {
  readonly protocol: 'multiboot' | 'linux64';
  readonly registers: Readonly<Record<string, bigint>>;
  readonly code: EntrySegment;
  readonly data: EntrySegment;
  readonly gdt?: { readonly base: number; readonly limit: number };
}

/** Something that reached the machine from outside, at an exact instruction count. Replaying them reproduces a run. */
export type JournalEntry = { readonly at: bigint } & (
  | { readonly kind: 'input'; readonly device: string; readonly bytes: Uint8Array }
  /** Virtual time moved to `to` (nanoseconds) while the guest idled. */
  | { readonly kind: 'advance'; readonly to: number }
  /** A debugger's edits. */
  | { readonly kind: 'memory'; readonly physical: number; readonly bytes: Uint8Array }
  | { readonly kind: 'register'; readonly name: string; readonly value: bigint }
  /** An x87 or vector register: 10 bytes, or as many as the processor's vectors have. */
  | { readonly kind: 'wideRegister'; readonly name: string; readonly bytes: Uint8Array }
);

/** The text screen: what a VGA monitor would show. */
export interface TextScreen {
  readonly columns: number;
  readonly rows: number;
  /** Code page 437 characters and attributes, two bytes a cell, row by row. */
  readonly cells: Uint8Array;
  /** Cell of the cursor, or -1 while it is hidden. */
  readonly cursor: number;
}

/** The PC. One instance boots once; everything in it is deterministic for the same options and inputs. */
export interface Machine {
  readonly cpu: Cpu;
  readonly clock: Clock;
  readonly ram: Uint8Array;
  readonly devices: readonly Device[];
  /** Runs until `limit` instructions in all have retired, or something else ends it. Replays journal entries that lie ahead as it reaches them. */
  run(limit: bigint): StopReason;
  /** Makes a run that is under way come back with 'limit', or as a hook's stop, after the current instruction: called by what the run itself calls. */
  yieldSoon(as?: 'limit' | 'hook'): void;
  /** Jumps virtual time forward to the next timer while idle (to `until` of the last idle stop). */
  skipIdle(): void;
  /** Moves virtual time forward to `to` (nanoseconds) while idle, but never past a timer; journalled. */
  advance(to: number): void;
  /** Bytes for the guest's console, journalled at the current instruction count. */
  consoleInput(bytes: Uint8Array): void;
  /** Bytes for the device of this name, journalled at the current instruction count. */
  input(device: string, bytes: Uint8Array): void;
  /** Writes guest RAM or a register for a debugger, journalled, so that going back and forth keeps it. Returns false where it was refused. */
  edit(
    edit:
      | { readonly kind: 'memory'; readonly physical: number; readonly bytes: Uint8Array }
      | { readonly kind: 'register'; readonly name: string; readonly value: bigint }
      | { readonly kind: 'wideRegister'; readonly name: string; readonly bytes: Uint8Array },
  ): boolean;
  /** Called with bytes that the guest wrote to COM1. Not called while replaying. */
  onConsoleOutput: ((bytes: Uint8Array) => void) | undefined;
  /** Hands over at once what the guest wrote to COM1 so far; otherwise that happens when a run comes back. Allowed in hooks and probes. */
  flushConsole(): void;
  /** Everything that reached the machine so far, oldest first. */
  readonly journal: readonly JournalEntry[];
  /** Whether the machine is behind a point that it has been at before. */
  readonly replaying: boolean;
  /** The same of a moment of the run that is under way, in retired instructions. */
  isReplay(retired: number): boolean;
  /** Drops the recorded future: the machine goes on from here as if it had never been further. */
  forgetFuture(): void;
  /** The whole state in a versioned byte format (not the journal). */
  save(): Uint8Array;
  /** Goes back, or forward, to a saved state of this machine, or of one booted with the same options. Throws MachineError for anything else. */
  restore(snapshot: Uint8Array): void;
  /** 64-bit hash of the whole state that the guest can see. */
  hash(): bigint;
  /** The VGA text screen. */
  screen(): TextScreen;
}

export { MachineError, type MachineErrorCode, machineErrors } from './errors';
