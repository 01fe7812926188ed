/** The machine as its users see it (debugger, command line), and the contracts that devices, boot loaders and networks are written against. */
import { type Cpu, type CpuModel } from '../x86/api';

/** What devices may do to the machine around them. */
export interface DeviceHost {
  /** Guest RAM, physical address 0 at index 0. The view is replaced by nothing: RAM never grows. */
  readonly ram: Uint8Array;
  readonly clock: Clock;
  /** Raises or lowers an interrupt request line 0..15. */
  setIrq(line: number, level: boolean): void;
  /** Tells that a device wrote guest RAM (DMA), so that code decoded from it is dropped. */
  ramWritten(physical: number, length: number): void;
  /** Ends the run after the current instruction. */
  stop(reason: MachineExit): void;
}

/** Virtual time: instructions executed plus what devices charged. Never the host's. */
export interface Clock {
  /** Nanoseconds of virtual time since reset, an integer-valued number below 2^53. */
  now(): number;
  /** Adds time for something that costs time on hardware, nanoseconds. */
  charge(nanoseconds: number): void;
  /** Calls back at virtual time `at` (nanoseconds), once. Returns a handle. The callback runs at an exact instruction count. */
  schedule(at: number, callback: () => void): TimerHandle;
  cancel(handle: TimerHandle): void;
}

export interface TimerHandle {
  readonly at: number;
}

/** One device. State that a snapshot needs goes through save and restore as plain structured-cloneable data. */
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
  | { readonly kind: 'exit'; readonly exit: MachineExit }
  | Exclude<ReturnType<Cpu['run']>, { kind: 'budget' | 'halted' | 'stop' }>;

/** What to boot. */
export interface BootOptions {
  readonly image: Uint8Array;
  /** Name for messages and for the first word of a multiboot command line. */
  readonly imageName: string;
  readonly commandLine: string;
  readonly initrd?: Uint8Array;
  /** Bytes of RAM, a multiple of 1 MiB. */
  readonly memory: number;
  readonly cpuModel: CpuModel;
  /** Unix time in seconds that the RTC shows at reset; fixed unless told, so that runs repeat. */
  readonly startTime?: number;
}

/** The PC. One instance boots once; everything in it is deterministic for the same options and inputs. */
export interface Machine {
  readonly cpu: Cpu;
  readonly clock: Clock;
  readonly ram: Uint8Array;
  readonly devices: readonly Device[];
  /** Runs until `limit` instructions in all have retired, or something else ends it. */
  run(limit: bigint): StopReason;
  /** Jumps virtual time forward to the next timer while idle. */
  skipIdle(): void;
  /** Bytes for the guest's console, journalled at the current instruction count. */
  consoleInput(bytes: Uint8Array): void;
  /** Called with bytes that the guest wrote to COM1. */
  onConsoleOutput: ((bytes: Uint8Array) => void) | undefined;
}
