/** A machine around one device, for tests of devices alone. */
import { type DeviceHost, type MachineExit } from '../../../debug-adapter/machine/api';
import { VirtualClock } from '../../../debug-adapter/machine/clock';

export class TestHost implements DeviceHost {
  readonly ram: Uint8Array;
  /** Virtual time is advanced by the test: 2 a nanosecond. */
  ticks = 0;
  readonly clock = new VirtualClock(() => this.ticks);
  replaying = false;
  /** Levels of interrupt lines, and every change. */
  readonly irqs = new Map<number, boolean>();
  readonly irqLog: (readonly [line: number, level: boolean])[] = [];
  requested = false;
  exit: MachineExit | undefined;
  polls = 0;
  readonly written: (readonly [number, number])[] = [];

  constructor(ramBytes = 1 << 20) {
    this.ram = new Uint8Array(ramBytes);
  }

  setIrq(line: number, level: boolean): void {
    this.irqs.set(line, level);
    this.irqLog.push([line, level]);
  }

  setInterruptRequest(level: boolean): void {
    this.requested = level;
  }

  ramChanges(physical: number, length: number): void {
    this.written.push([physical, length]);
  }

  stop(reason: MachineExit): void {
    this.exit ??= reason;
  }

  polling(): void {
    this.polls++;
  }

  /** Lets so many nanoseconds pass, running timers on their way. */
  pass(nanoseconds: number): void {
    const end = this.clock.now() + nanoseconds;
    for (;;) {
      const next = this.clock.nextAt();
      if (next === undefined || next > end) break;
      this.clock.advanceTo(next);
      this.clock.runDue();
    }
    this.clock.advanceTo(end);
  }
}
