/** A 16550A UART (National Semiconductor PC16550D data sheet): COM1, the guest's console. */
import { type Device, type DeviceHost, type Timer } from '../machine/api';

/** Register offsets; some share one by DLAB and direction. */
const Register = {
  data: 0,
  interruptEnable: 1,
  interruptId: 2,
  lineControl: 3,
  modemControl: 4,
  lineStatus: 5,
  modemStatus: 6,
  scratch: 7,
} as const;

const dataReady = 0x01;
const transmitterEmpty = 0x60;
const fifoSize = 16;
/** Input kept for a guest that does not read; beyond it the host must wait. */
const queueLimit = 1 << 16;
/** Line-status reads in a row without anything else that mean the guest is waiting for a key. */
const pollsUntilIdle = 32;

interface UartState {
  ier: number;
  lcr: number;
  mcr: number;
  scratch: number;
  divisor: number;
  fifoEnabled: boolean;
  /** Bytes waiting in the receiver that trigger its interrupt. */
  trigger: number;
  /** The transmitter-empty interrupt is pending. */
  thrEmpty: boolean;
  /** Received bytes below the trigger level have waited long enough. */
  timedOut: boolean;
  polls: number;
}

export class Uart implements Device {
  readonly name: string;
  readonly ports: readonly (readonly [number, number])[];
  private state: UartState = Uart.initial();
  private received: number[] = [];
  private transmitted: number[] = [];
  private readonly receiveTimeout: Timer;
  /** What the interrupt controller was told last; undefined where it may have forgotten. */
  private irqLevel: boolean | undefined;
  /** Takes what the guest wrote, when `flush` is called. */
  onOutput: ((bytes: Uint8Array) => void) | undefined;

  constructor(
    private readonly host: DeviceHost,
    name: string,
    private readonly base: number,
    private readonly irq: number,
  ) {
    this.name = name;
    this.ports = [[base, base + 7]];
    this.receiveTimeout = host.clock.createTimer(() => {
      this.state.timedOut = this.received.length > 0;
      this.update();
    });
  }

  private static initial(): UartState {
    return {
      ier: 0,
      lcr: 0,
      mcr: 0,
      scratch: 0,
      divisor: 12,
      fifoEnabled: false,
      trigger: 1,
      thrEmpty: false,
      timedOut: false,
      polls: 0,
    };
  }

  /** Hands over what was written since the last time. */
  flush(): void {
    if (this.transmitted.length === 0) return;
    const bytes = Uint8Array.from(this.transmitted);
    this.transmitted = [];
    this.onOutput?.(bytes);
  }

  /** Bytes of input that may be given now without loss. */
  room(): number {
    return queueLimit - this.received.length;
  }

  input(bytes: Uint8Array): void {
    for (const byte of bytes.subarray(0, this.room())) this.received.push(byte);
    this.receiverChanged();
  }

  private receiverChanged(): void {
    const s = this.state;
    s.polls = 0;
    s.timedOut = false;
    // Four character times (data sheet, 8.4.2), at the 115200 baud that a divisor of 1 stands for.
    if (s.fifoEnabled && this.received.length > 0) this.receiveTimeout.arm(this.host.clock.now() + 4 * 86_806 * Math.max(1, s.divisor));
    else this.receiveTimeout.disarm();
    this.update();
  }

  /** Interrupt identification without the FIFO bits: 1 where none is pending (data sheet, table IV). */
  private identify(): number {
    const s = this.state;
    if ((s.ier & 1) !== 0 && this.received.length >= s.trigger) return 0x04;
    if ((s.ier & 1) !== 0 && s.timedOut) return 0x0c;
    if ((s.ier & 2) !== 0 && s.thrEmpty) return 0x02;
    return 0x01;
  }

  private update(): void {
    // OUT2 gates the interrupt on a PC.
    const level = (this.state.mcr & 0x08) !== 0 && this.identify() !== 1;
    if (level === this.irqLevel) return;
    this.irqLevel = level;
    this.host.setIrq(this.irq, level);
  }

  portRead(port: number): number {
    const s = this.state;
    const register = port - this.base;
    if (register !== Register.lineStatus) s.polls = 0;
    switch (register) {
      case Register.data:
        if ((s.lcr & 0x80) !== 0) return s.divisor & 0xff;
        return this.receive();
      case Register.interruptEnable:
        return (s.lcr & 0x80) !== 0 ? s.divisor >> 8 : s.ier;
      case Register.interruptId: {
        const id = this.identify();
        if (id === 0x02) {
          s.thrEmpty = false;
          this.update();
        }
        return id | (s.fifoEnabled ? 0xc0 : 0);
      }
      case Register.lineControl:
        return s.lcr;
      case Register.modemControl:
        return s.mcr;
      case Register.lineStatus:
        if (this.received.length > 0) return transmitterEmpty | dataReady;
        if (++s.polls >= pollsUntilIdle) {
          s.polls = 0;
          this.host.polling();
        }
        return transmitterEmpty;
      case Register.modemStatus:
        // Loopback shows the outputs; otherwise carrier, data set ready, clear to send.
        return (s.mcr & 0x10) !== 0 ? ((s.mcr & 2) << 3) | ((s.mcr & 1) << 5) | ((s.mcr & 0x0c) << 4) : 0xb0;
      default:
        return s.scratch;
    }
  }

  private receive(): number {
    const byte = this.received.shift() ?? 0;
    this.receiverChanged();
    return byte;
  }

  portWrite(port: number, _size: number, value: number): void {
    const s = this.state;
    value &= 0xff;
    s.polls = 0;
    switch (port - this.base) {
      case Register.data:
        if ((s.lcr & 0x80) !== 0) s.divisor = (s.divisor & 0xff00) | value;
        else this.transmit(value);
        break;
      case Register.interruptEnable:
        if ((s.lcr & 0x80) !== 0) s.divisor = (s.divisor & 0xff) | (value << 8);
        else {
          // Enabling the transmitter's interrupt while it is empty raises it.
          if ((value & 2) !== 0 && (s.ier & 2) === 0) s.thrEmpty = true;
          s.ier = value & 0x0f;
        }
        break;
      case Register.interruptId:
        s.fifoEnabled = (value & 1) !== 0;
        s.trigger = s.fifoEnabled ? [1, 4, 8, 14][value >> 6]! : 1;
        if ((value & 2) !== 0) {
          this.received = [];
          this.receiverChanged();
        }
        break;
      case Register.lineControl:
        s.lcr = value;
        break;
      case Register.modemControl:
        s.mcr = value & 0x1f;
        break;
      case Register.scratch:
        s.scratch = value;
        break;
      default:
    }
    this.update();
  }

  private transmit(value: number): void {
    const s = this.state;
    if ((s.mcr & 0x10) !== 0) {
      if (this.received.length < fifoSize) this.input(Uint8Array.of(value));
    } else if (!this.host.replaying) {
      this.transmitted.push(value);
      // A full host buffer's worth is handed over at once, so that a long run without a pause keeps memory flat.
      if (this.transmitted.length >= 4096) this.flush();
    }
    s.thrEmpty = true;
  }

  reset(): void {
    this.state = Uart.initial();
    this.received = [];
    this.receiveTimeout.disarm();
    this.irqLevel = undefined;
    this.update();
  }

  save(): unknown {
    return { ...this.state, received: Uint8Array.from(this.received) };
  }

  restore(state: unknown): void {
    const { received, ...rest } = state as UartState & { received: Uint8Array };
    this.state = { ...rest };
    this.received = [...received];
    this.transmitted = [];
    this.irqLevel = undefined;
    this.update();
  }
}
