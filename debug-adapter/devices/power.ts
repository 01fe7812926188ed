/** The ports by which a guest ends its run: ACPI power-off, debug exits, and the several ways to reset a PC. */
import { type Device, type DeviceHost, type MachineExit } from '../machine/api';

/** PM1a control of the PIIX4's power management, where firmware puts it. */
const pm1aControl = 0x604;
/** SLP_EN, with the sleep type of S5 (0) in bits 12:10 on this chip set. */
const sleepEnable = 0x2000;

export class PowerControl implements Device {
  readonly name = 'power';
  readonly ports = [
    [0x80, 0x80],
    [0x92, 0x92],
    [0xf4, 0xf4],
    [0x501, 0x502],
    [0x505, 0x505],
    [0x600, 0x605],
    [0xcf9, 0xcf9],
  ] as const;
  /** Last power-on self-test code. */
  private post = 0;
  private control = 0;

  constructor(private readonly host: DeviceHost) {}

  portRead(port: number, size: number): number {
    switch (port) {
      case 0x80:
        return this.post;
      case 0x92:
        // The A20 gate is open, and stays so.
        return 0x02;
      case pm1aControl:
        return this.control;
      case 0x600:
      case 0x602:
        return 0;
      default:
        return size === 1 ? 0xff : 0xffff;
    }
  }

  portWrite(port: number, size: number, value: number): void {
    switch (port) {
      case 0x80:
        this.post = value & 0xff;
        break;
      case 0x92:
        if ((value & 1) !== 0) this.end({ kind: 'reset' });
        break;
      case 0xf4:
      case 0x501:
        this.end({ kind: 'exitPort', value });
        break;
      // A paravirtual panic notifier; the exit port tells it as well.
      case 0x505:
        break;
      case pm1aControl:
        this.control = value & 0x1c01;
        if (size > 1 && (value & sleepEnable) !== 0) this.end({ kind: 'powerOff' });
        break;
      case pm1aControl + 1:
        if (((value << 8) & sleepEnable) !== 0) this.end({ kind: 'powerOff' });
        break;
      case 0xcf9:
        if ((value & 4) !== 0) this.end({ kind: 'reset' });
        break;
      default:
    }
  }

  private end(exit: MachineExit): void {
    this.host.stop(exit);
  }

  reset(): void {
    this.post = 0;
    this.control = 0;
  }

  save(): unknown {
    return { post: this.post, control: this.control };
  }

  restore(state: unknown): void {
    const saved = state as { post: number; control: number };
    this.post = saved.post;
    this.control = saved.control;
  }
}
