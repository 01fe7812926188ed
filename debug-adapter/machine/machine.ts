/** The run loop: the processor in slices between timers and recorded inputs, idle detection, the journal. */
import { type Cpu } from '../x86/api';
import {
  type Clock,
  type Device,
  type DeviceHost,
  type JournalEntry,
  type Machine,
  type MachineExit,
  type StopReason,
  type TextScreen,
} from './api';
import { type VirtualClock } from './clock';
import { Journal } from './journal';
import { type RandomSource } from './random';
import { hashState, restoreSnapshot, saveSnapshot } from './snapshot';

/** Most instructions in one go of the processor. */
const mostBudget = 1 << 30;
/** How long a guest that polls the console is left asleep, nanoseconds: doubled from the first to the last while it does nothing else. */
const pollSleepFirst = 1_000_000;
const pollSleepLast = 16_000_000;

/** A device that carries a console. */
interface ConsoleLike extends Device {
  onOutput: ((bytes: Uint8Array) => void) | undefined;
  /** False while the guest would not read from it. */
  readonly listening?: boolean;
}

/** The one that every machine has. */
export interface ConsoleDevice extends ConsoleLike {
  flush(): void;
}

/** A processor that can be told, inside a bus access, that the next timer has come nearer. */
interface ShortenableCpu extends Cpu {
  shortenBudget?(instructions: number): number;
  /** Counts of what the translating tier did, for whoever measures. */
  readonly jitStatistics?: Readonly<Record<string, number>> | undefined;
}

export interface MachineParts {
  readonly memory: WebAssembly.Memory;
  readonly ram: Uint8Array;
  readonly clock: VirtualClock;
  readonly random: RandomSource;
}

/** What the assembly of the machine plugs in once it is made. */
export interface MachineDevices {
  readonly cpu: Cpu;
  readonly devices: readonly Device[];
  readonly console: ConsoleDevice;
  readonly setIrq: (line: number, level: boolean) => void;
  readonly screen: () => TextScreen;
}

type Edit = Parameters<Machine['edit']>[0];
type Recorded = JournalEntry extends infer E ? (E extends JournalEntry ? Omit<E, 'at'> : never) : never;

export class PcMachine implements Machine, DeviceHost {
  readonly memory: WebAssembly.Memory;
  readonly ram: Uint8Array;
  readonly random: RandomSource;
  private readonly virtualClock: VirtualClock;
  private parts: MachineDevices | undefined;
  readonly journalled = new Journal();
  /** Number of the first journal entry that lies ahead; kept in snapshots. */
  cursor = 0;
  /** The furthest instruction count reached. */
  private frontier = 0;
  private ended: MachineExit | undefined;
  private running = false;
  private pollRequested = false;
  private yieldRequested: 'limit' | 'hook' | undefined;
  private pollSleep = pollSleepFirst;
  private idleUntil: number | undefined;

  constructor(parts: MachineParts) {
    this.memory = parts.memory;
    this.ram = parts.ram;
    this.random = parts.random;
    this.virtualClock = parts.clock;
    parts.clock.onChange = () => this.deadlineMoved();
  }

  /** Completes the machine: devices need their host before they exist, and the processor its bus. */
  connect(devices: MachineDevices): void {
    this.parts = devices;
    this.virtualClock.told = devices.cpu.log;
    for (const each of this.consoles)
      each.onOutput = (bytes) => {
        this.onConsoleOutput?.(bytes);
      };
  }

  onConsoleOutput: ((bytes: Uint8Array) => void) | undefined;

  private get made(): MachineDevices {
    if (this.parts === undefined) throw new Error('The machine is not connected yet.');
    return this.parts;
  }

  /** COM1, and what else carries a console. */
  private get consoles(): readonly ConsoleLike[] {
    return this.devices.filter((device) => 'onOutput' in device) as readonly ConsoleLike[];
  }

  get cpu(): ShortenableCpu {
    return this.made.cpu;
  }

  get clock(): Clock & VirtualClock {
    return this.virtualClock;
  }

  get devices(): readonly Device[] {
    return this.made.devices;
  }

  /** Off where nobody will ask for the past: what comes from outside is then not kept, and takes no memory. */
  keepsJournal = true;

  get journal(): readonly JournalEntry[] {
    return this.journalled.entries;
  }

  get replaying(): boolean {
    return this.isReplay(this.cpu.retiredCount);
  }

  isReplay(retired: number): boolean {
    return this.cursor < this.journalled.end || retired < this.frontier;
  }

  run(limit: bigint): StopReason {
    // Who only wanted this to come back soon has got that by what came first.
    if (this.yieldRequested === 'limit') this.yieldRequested = undefined;
    const reason = this.runSlices(limit);
    this.made.console.flush();
    return reason;
  }

  flushConsole(): void {
    this.made.console.flush();
  }

  private runSlices(limit: bigint): StopReason {
    const { cpu } = this;
    for (;;) {
      if (this.ended !== undefined) return { kind: 'exit', exit: this.ended };
      this.replayDue();
      this.virtualClock.runDue();
      const { retired } = cpu;
      if (retired >= limit) return { kind: 'limit' };
      const budget = Math.min(
        Number(limit - retired),
        mostBudget,
        this.virtualClock.instructionsToNext(),
        this.instructionsToEntry(retired),
      );
      this.running = true;
      this.virtualClock.expectRun(Math.max(1, budget));
      const exit = cpu.run(Math.max(1, budget));
      this.running = false;
      if (cpu.retiredCount > this.frontier) this.frontier = cpu.retiredCount;
      switch (exit.kind) {
        case 'budget':
          break;
        case 'stop':
          if (this.yieldRequested !== undefined && this.ended === undefined) {
            const kind = this.yieldRequested;
            this.yieldRequested = undefined;
            return { kind };
          }
          if (this.pollRequested && this.ended === undefined) {
            this.pollRequested = false;
            if (!this.entryIsDue()) return this.idlePolling();
          }
          break;
        case 'halted':
          if (this.entryIsDue() || this.virtualClock.instructionsToNext() === 0) break;
          if (!exit.interruptible) return { kind: 'dead' };
          this.idleUntil = this.virtualClock.nextAt();
          return { kind: 'idle', until: this.idleUntil };
        default:
          return exit;
      }
    }
  }

  /** The guest polls for input: as good as halted, for a while that grows while it keeps to that. */
  private idlePolling(): StopReason {
    const now = this.virtualClock.now();
    this.idleUntil = Math.min(this.virtualClock.nextAt() ?? Infinity, now + this.pollSleep);
    this.pollSleep = Math.min(this.pollSleep * 2, pollSleepLast);
    return { kind: 'idle', until: this.idleUntil };
  }

  private instructionsToEntry(retired: bigint): number {
    const entry = this.journalled.at(this.cursor);
    return entry === undefined ? Infinity : Number(entry.at - retired);
  }

  private entryIsDue(): boolean {
    const entry = this.journalled.at(this.cursor);
    return entry !== undefined && entry.at <= this.cpu.retired;
  }

  private replayDue(): void {
    while (this.entryIsDue()) this.apply(this.journalled.at(this.cursor++)!);
  }

  /** Timers that are due come before what arrives at the same count, live and replayed alike. */
  private apply(entry: Recorded): boolean {
    this.virtualClock.runDue();
    switch (entry.kind) {
      case 'input':
        this.devices.find((device) => device.name === entry.device)?.input?.(entry.bytes);
        return true;
      case 'advance':
        this.virtualClock.advanceTo(entry.to);
        return true;
      case 'memory':
        if (entry.physical < 0 || entry.physical + entry.bytes.length > this.ram.length) return false;
        this.ramChanges(entry.physical, entry.bytes.length);
        this.ram.set(entry.bytes, entry.physical);
        return true;
      case 'register':
        return this.cpu.setRegister(entry.name, entry.value);
      case 'wideRegister':
        return this.cpu.setWideRegister(entry.name, entry.bytes);
    }
  }

  private record(entry: Recorded): void {
    if (!this.keepsJournal) return;
    this.journalled.add({ ...entry, at: this.cpu.retired });
    this.cursor = this.journalled.end;
  }

  /** Makes a run that is under way come back (as if at its limit) after the current instruction; no effect between runs. */
  yieldSoon(as: 'limit' | 'hook' = 'limit'): void {
    if (!this.running) return;
    // A stop for the user outweighs a look at the clock.
    if (this.yieldRequested !== 'hook') this.yieldRequested = as;
    this.cpu.requestStop();
  }

  skipIdle(): void {
    if (this.idleUntil !== undefined) this.advance(this.idleUntil);
  }

  advance(to: number): void {
    if (this.replaying) return;
    const bounded = Math.floor(Math.min(to, this.virtualClock.nextAt() ?? Infinity));
    if (bounded <= this.virtualClock.now()) return;
    this.apply({ kind: 'advance', to: bounded });
    this.record({ kind: 'advance', to: bounded });
  }

  consoleInput(bytes: Uint8Array): void {
    this.pollSleep = pollSleepFirst;
    // One that the guest has set up for itself is what it reads.
    const reader = this.consoles.findLast((each) => each.listening !== false) ?? this.made.console;
    this.input(reader.name, bytes);
  }

  input(device: string, bytes: Uint8Array): void {
    this.forgetFuture();
    this.apply({ kind: 'input', device, bytes });
    this.record({ kind: 'input', device, bytes: bytes.slice() });
  }

  edit(edit: Edit): boolean {
    // What is refused changes nothing, not even where the guest goes from here.
    if (!this.apply(edit)) return false;
    this.forgetFuture();
    this.record(edit.kind === 'register' ? edit : { ...edit, bytes: edit.bytes.slice() });
    return true;
  }

  forgetFuture(): void {
    this.journalled.forgetFrom(this.cursor);
    this.frontier = this.cpu.retiredCount;
  }

  save(): Uint8Array {
    return saveSnapshot(this);
  }

  restore(snapshot: Uint8Array): void {
    restoreSnapshot(this, snapshot);
    this.revive();
    this.cursor = Math.min(this.cursor, this.journalled.end);
  }

  /** Lets a machine that has ended go on, once the state of a moment before that has been put back. */
  revive(): void {
    this.ended = undefined;
    this.pollRequested = false;
    this.yieldRequested = undefined;
    this.idleUntil = undefined;
  }

  hash(): bigint {
    return hashState(this);
  }

  screen(): TextScreen {
    return this.made.screen();
  }

  // What devices ask of the machine.

  setIrq(line: number, level: boolean): void {
    this.parts?.setIrq(line, level);
  }

  setInterruptRequest(level: boolean): void {
    this.parts?.cpu.setInterruptLine(level);
  }

  ramChanges(physical: number, length: number): void {
    this.cpu.invalidateCode(physical, length);
  }

  stop(reason: MachineExit): void {
    this.ended ??= reason;
    this.cpu.requestStop();
  }

  polling(): void {
    this.pollRequested = true;
    this.cpu.requestStop();
  }

  /** Virtual time was charged, or a timer set, inside a bus access: the processor must come back in time for the next one. */
  private deadlineMoved(): void {
    if (!this.running) return;
    const left = this.virtualClock.instructionsToNext();
    if (left === Infinity) return;
    if (this.cpu.shortenBudget !== undefined) this.virtualClock.expectRun(this.cpu.shortenBudget(Math.max(0, left - 1)) + 1);
    else this.cpu.requestStop();
  }
}
