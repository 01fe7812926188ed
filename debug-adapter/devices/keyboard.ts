/** The 8042 keyboard controller as far as guests ask for it: status, self-test, reset line, and scan codes on IRQ 1. */
import { type Device, type DeviceHost } from '../machine/api';

const outputFull = 0x01;
const systemFlag = 0x04;
const isCommand = 0x08;
const unlocked = 0x10;
const queueLimit = 256;

interface KeyboardState {
  /** The controller's command byte; bit 0 enables IRQ 1. */
  commandByte: number;
  /** Command whose data byte is awaited, or 0. */
  awaits: number;
  lastWasCommand: boolean;
}

const initial: KeyboardState = { commandByte: 0x41, awaits: 0, lastWasCommand: false };

export class KeyboardController implements Device {
  readonly name = 'keyboard';
  readonly ports = [
    [0x60, 0x60],
    [0x64, 0x64],
  ] as const;
  private state: KeyboardState = { ...initial };
  private queue: number[] = [];

  constructor(private readonly host: DeviceHost) {}

  /** Scan codes as a set 1 keyboard sends them. */
  input(bytes: Uint8Array): void {
    for (const byte of bytes) this.push(byte);
  }

  private push(byte: number): void {
    if (this.queue.length < queueLimit) this.queue.push(byte);
    this.update();
  }

  private update(): void {
    this.host.setIrq(1, this.queue.length > 0 && (this.state.commandByte & 1) !== 0);
  }

  portRead(port: number): number {
    if (port === 0x64)
      return unlocked | systemFlag | (this.state.lastWasCommand ? isCommand : 0) | (this.queue.length > 0 ? outputFull : 0);
    const byte = this.queue.shift() ?? 0;
    // The line falls and rises again for the next byte: the controller is edge triggered.
    this.host.setIrq(1, false);
    this.update();
    return byte;
  }

  portWrite(port: number, _size: number, value: number): void {
    const s = this.state;
    value &= 0xff;
    s.lastWasCommand = port === 0x64;
    if (port === 0x64) this.command(value);
    else if (s.awaits !== 0) {
      if (s.awaits === 0x60) s.commandByte = value;
      // Output port: bit 0 clear pulls the reset line.
      else if (s.awaits === 0xd1 && (value & 1) === 0) this.host.stop({ kind: 'reset' });
      s.awaits = 0;
      this.update();
    } else {
      // A command to the keyboard itself: acknowledged; reset also reports its self-test.
      this.push(0xfa);
      if (value === 0xff) this.push(0xaa);
    }
  }

  private command(value: number): void {
    switch (value) {
      case 0x20:
        this.push(this.state.commandByte);
        break;
      case 0x60:
      case 0xd1:
      case 0xd4:
        this.state.awaits = value;
        break;
      case 0xaa:
        this.push(0x55);
        break;
      case 0xab:
        this.push(0x00);
        break;
      case 0xd0:
        this.push(0x03);
        break;
      default:
        // 0xF0..0xFF pulse output lines whose bits are clear; line 0 is the reset.
        if (value >= 0xf0 && (value & 1) === 0) this.host.stop({ kind: 'reset' });
    }
  }

  reset(): void {
    this.state = { ...initial };
    this.queue = [];
    this.update();
  }

  save(): unknown {
    return { ...this.state, queue: Uint8Array.from(this.queue) };
  }

  restore(state: unknown): void {
    const { queue, ...rest } = state as KeyboardState & { queue: Uint8Array };
    this.state = { ...rest };
    this.queue = [...queue];
    this.update();
  }
}
