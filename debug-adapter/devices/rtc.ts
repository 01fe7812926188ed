/** The MC146818 real-time clock and its CMOS memory: wall time at reset plus virtual time. */
import { type Device, type DeviceHost, type Timer } from '../machine/api';

/** Registers of the clock (MC146818 data sheet); the century byte is where the PC convention has it. */
const Register = {
  seconds: 0,
  minutes: 2,
  hours: 4,
  weekday: 6,
  day: 7,
  month: 8,
  year: 9,
  a: 0x0a,
  b: 0x0b,
  c: 0x0c,
  d: 0x0d,
  century: 0x32,
} as const;

const irqLine = 8;

export class RealTimeClock implements Device {
  readonly name = 'rtc';
  readonly ports = [[0x70, 0x71]] as const;
  private readonly cmos = new Uint8Array(128);
  private readonly periodic: Timer;
  private index = 0;
  /** Seconds that the guest has set the clock ahead. */
  private offset = 0;

  /** @param startTime Unix time in seconds at reset. */
  constructor(
    private readonly host: DeviceHost,
    private readonly startTime: number,
    private readonly ramBytes: number,
  ) {
    this.periodic = host.clock.createTimer(() => this.tick());
    this.reset();
  }

  portRead(port: number): number {
    if (port === 0x70) return 0xff;
    return this.readRegister(this.index);
  }

  portWrite(port: number, _size: number, value: number): void {
    if (port === 0x70) this.index = value & 0x7f;
    else this.writeRegister(this.index, value & 0xff);
  }

  private now(): Date {
    const nanoseconds = this.host.clock.now();
    return new Date((this.startTime + this.offset + Math.floor(nanoseconds / 1e9)) * 1000);
  }

  private encode(value: number): number {
    return (this.cmos[Register.b]! & 4) !== 0 ? value : ((Math.floor(value / 10) % 10) << 4) | (value % 10);
  }

  private decode(value: number): number {
    return (this.cmos[Register.b]! & 4) !== 0 ? value : (value >> 4) * 10 + (value & 15);
  }

  private readRegister(index: number): number {
    const date = this.now();
    switch (index) {
      case Register.seconds:
        return this.encode(date.getUTCSeconds());
      case Register.minutes:
        return this.encode(date.getUTCMinutes());
      case Register.hours: {
        const hours = date.getUTCHours();
        if ((this.cmos[Register.b]! & 2) !== 0) return this.encode(hours);
        return this.encode(hours % 12 === 0 ? 12 : hours % 12) | (hours >= 12 ? 0x80 : 0);
      }
      case Register.weekday:
        return this.encode(date.getUTCDay() + 1);
      case Register.day:
        return this.encode(date.getUTCDate());
      case Register.month:
        return this.encode(date.getUTCMonth() + 1);
      case Register.year:
        return this.encode(date.getUTCFullYear() % 100);
      case Register.century:
        return this.encode(Math.floor(date.getUTCFullYear() / 100));
      case Register.a: {
        // Update in progress for the last 244 microseconds of each second (data sheet, "Update Cycle").
        const updating = this.host.clock.now() % 1e9 >= 1e9 - 244_000;
        return (this.cmos[Register.a]! & 0x7f) | (updating ? 0x80 : 0);
      }
      case Register.c: {
        const flags = this.cmos[Register.c]!;
        this.cmos[Register.c] = 0;
        this.host.setIrq(irqLine, false);
        return flags;
      }
      case Register.d:
        return 0x80;
      default:
        return this.cmos[index]!;
    }
  }

  private writeRegister(index: number, value: number): void {
    const date = this.now();
    switch (index) {
      case Register.seconds:
        date.setUTCSeconds(this.decode(value));
        break;
      case Register.minutes:
        date.setUTCMinutes(this.decode(value));
        break;
      case Register.hours: {
        const twelve = (this.cmos[Register.b]! & 2) === 0;
        date.setUTCHours(twelve ? (this.decode(value & 0x7f) % 12) + ((value & 0x80) !== 0 ? 12 : 0) : this.decode(value));
        break;
      }
      case Register.day:
        date.setUTCDate(this.decode(value));
        break;
      case Register.month:
        date.setUTCMonth(this.decode(value) - 1);
        break;
      case Register.year:
        date.setUTCFullYear(Math.floor(date.getUTCFullYear() / 100) * 100 + this.decode(value));
        break;
      case Register.century:
        date.setUTCFullYear(this.decode(value) * 100 + (date.getUTCFullYear() % 100));
        break;
      case Register.weekday:
      case Register.c:
      case Register.d:
        return;
      default:
        this.cmos[index] = value;
        if (index === Register.a || index === Register.b) this.rearm();
        return;
    }
    this.offset += Math.floor((date.getTime() - this.now().getTime()) / 1000);
  }

  /** Nanoseconds of the periodic interrupt by rate select bits (data sheet, table 5), or undefined. */
  private period(): number | undefined {
    const rate = this.cmos[Register.a]! & 15;
    if ((this.cmos[Register.b]! & 0x40) === 0 || rate === 0) return undefined;
    return Math.round(1e9 / (32_768 >> ((rate <= 2 ? rate + 7 : rate) - 1)));
  }

  private rearm(): void {
    const period = this.period();
    if (period === undefined) this.periodic.disarm();
    else this.periodic.arm((Math.floor(this.host.clock.now() / period) + 1) * period);
  }

  private tick(): void {
    this.cmos[Register.c] = 0xc0;
    this.host.setIrq(irqLine, true);
    this.rearm();
  }

  reset(): void {
    this.cmos.fill(0);
    this.cmos[Register.a] = 0x26;
    this.cmos[Register.b] = 0x02;
    // Memory sizes as firmware leaves them: kilobytes below 1 MiB, above 1 MiB, and 64 KiB units above 16 MiB.
    const extended = Math.min(0xffff, Math.max(0, (this.ramBytes >> 10) - 1024));
    const high = Math.min(0xffff, Math.max(0, Math.floor((this.ramBytes - 0x100_0000) / 0x1_0000)));
    this.put16(0x15, 640);
    this.put16(0x17, extended);
    this.put16(0x30, extended);
    this.put16(0x34, high);
    this.index = 0;
    this.offset = 0;
  }

  private put16(index: number, value: number): void {
    this.cmos[index] = value & 0xff;
    this.cmos[index + 1] = value >> 8;
  }

  save(): unknown {
    return { cmos: this.cmos.slice(), index: this.index, offset: this.offset };
  }

  restore(state: unknown): void {
    const saved = state as { cmos: Uint8Array; index: number; offset: number };
    this.cmos.set(saved.cmos);
    this.index = saved.index;
    this.offset = saved.offset;
  }
}
