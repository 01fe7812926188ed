/** A processor without instructions, for tests of the machine around it: each "instruction" is a step of a script. */
import { type Cpu, type CpuBus, type CpuExit, type CpuHooks } from '../../../debug-adapter/x86/api';
import { State } from '../../../debug-adapter/x86/state';

/** One instruction: does something, and may halt. */
export type Step = ((cpu: FakeCpu) => void) | 'hlt';

/** Runs `script` over and over from its beginning; `nop` steps fill what it lacks. */
export class FakeCpu implements Cpu {
  readonly lives = 0;
  readonly model = 'default';
  readonly hooks: CpuHooks = {};
  retired = 0n;
  get retiredCount(): number {
    return Number(this.retired);
  }
  readonly generalRegisters = new BigUint64Array(17);
  interruptsEnabled = true;
  readonly registers = new Map<string, bigint>();
  /** Vectors delivered, with the instruction count. */
  readonly delivered: { readonly vector: number; readonly at: bigint }[] = [];
  private line = false;
  private halted = false;
  private stopRequested = false;
  private left = 0;
  private position = 0;

  constructor(
    readonly bus: CpuBus,
    private readonly memory: WebAssembly.Memory,
    readonly script: readonly Step[],
    shorten = true,
  ) {
    if (shorten) this.shortenBudget = (n) => (this.left = Math.min(this.left, n));
  }

  shortenBudget?: (instructions: number) => number;

  run(budget: number): CpuExit {
    this.left = budget;
    for (;;) {
      if (this.line && this.interruptsEnabled) {
        this.halted = false;
        const vector = this.bus.acknowledgeInterrupt();
        this.delivered.push({ vector, at: this.retired });
        // The handler: end of interrupt at both controllers.
        this.interruptsEnabled = false;
        this.bus.portWrite(0xa0, 1, 0x20);
        this.bus.portWrite(0x20, 1, 0x20);
        this.interruptsEnabled = true;
      }
      if (this.halted) return { kind: 'halted', interruptible: this.interruptsEnabled };
      if (this.left <= 0) return { kind: 'budget' };
      this.left--;
      const step = this.script[this.position];
      this.position = (this.position + 1) % Math.max(1, this.script.length);
      if (step === 'hlt') this.halted = true;
      else step?.(this);
      this.retired++;
      if (this.stopRequested) {
        this.stopRequested = false;
        return { kind: 'stop' };
      }
    }
  }

  setInterruptLine(level: boolean): void {
    this.line = level;
  }

  requestStop(): void {
    this.stopRequested = true;
  }

  reset(): void {
    this.retired = 0n;
  }

  /** The state block is the truth after a restore: the count and the script's position are kept there. */
  invalidate(): void {
    const view = new DataView(this.memory.buffer);
    this.retired = view.getBigUint64(State.retired, true);
    this.position = view.getUint32(State.gpr, true);
    this.halted = view.getInt32(State.halted, true) !== 0;
  }

  stateReplaced(): void {
    this.invalidate();
  }

  followStores(): boolean {
    return false;
  }

  /** Writes what `invalidate` reads. */
  settle(): void {
    const view = new DataView(this.memory.buffer);
    view.setBigUint64(State.retired, this.retired, true);
    view.setUint32(State.gpr, this.position, true);
    view.setInt32(State.halted, this.halted ? 1 : 0, true);
  }

  readonly dropped: (readonly [number, number])[] = [];
  invalidateCode(physical: number, length: number): void {
    this.dropped.push([physical, length]);
  }

  setProbe(): void {
    // No instructions, no probes.
  }

  setWatchpoints(): void {
    // No memory accesses of its own.
  }

  readPointer(): undefined {
    return undefined;
  }

  getRegister(name: string): bigint | undefined {
    return this.registers.get(name) ?? 0n;
  }

  setRegister(name: string, value: bigint): boolean {
    this.registers.set(name, value);
    return true;
  }

  getWideRegister(): undefined {
    return undefined;
  }

  setWideRegister(): boolean {
    return false;
  }

  translate(): undefined {
    return undefined;
  }

  readMemory(): Uint8Array {
    return new Uint8Array(0);
  }

  writeMemory(): number {
    return 0;
  }
}
