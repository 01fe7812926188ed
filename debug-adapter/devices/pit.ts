/** The 8254 interval timer (Intel 8254 data sheet): channel 0 on IRQ 0, channel 2 behind port 0x61. */
import { type Device, type DeviceHost, type Timer } from '../machine/api';

/** Input clock, Hz. */
export const pitFrequency = 1_193_182;

/**
 * What a read takes beyond the access itself, and a command that readies one, nanoseconds. Under a hypervisor, which is where these guests live, each leaves the
 * guest for a device model in a process of the host's; and who reads the timer waits for time to pass, so that the longer it takes, the fewer rounds the wait has.
 */
const readCost = 7000;

/** Clock ticks in a span of nanoseconds, exact beyond the 53 bits of the product. */
export function pitTicks(nanoseconds: number): number {
  const seconds = Math.floor(nanoseconds / 1e9);
  return seconds * pitFrequency + Math.floor(((nanoseconds - seconds * 1e9) * pitFrequency) / 1e9);
}

/** Nanoseconds after which so many ticks are complete. */
export function pitNanoseconds(ticks: number): number {
  const seconds = Math.floor(ticks / pitFrequency);
  return seconds * 1e9 + Math.ceil(((ticks - seconds * pitFrequency) * 1e9) / pitFrequency);
}

interface ChannelState {
  /** 0..5. */
  mode: number;
  bcd: boolean;
  /** 1 low byte, 2 high byte, 3 low then high. */
  access: number;
  /** Reload value, 1..65536. */
  reload: number;
  /** Whether a count was written since the control word. */
  loaded: boolean;
  /** Virtual time of the load, nanoseconds. */
  start: number;
  /** Low byte of a count of which the high byte is still to come. */
  partial: number | undefined;
  /** The next read gives the high byte. */
  readHigh: boolean;
  latched: number | undefined;
  latchedStatus: number | undefined;
  gate: boolean;
}

class Channel {
  state: ChannelState = Channel.initial();

  constructor(private readonly now: () => number) {}

  static initial(): ChannelState {
    return {
      mode: 3,
      bcd: false,
      access: 3,
      reload: 0x1_0000,
      loaded: true,
      start: 0,
      partial: undefined,
      readHigh: false,
      latched: undefined,
      latchedStatus: undefined,
      gate: true,
    };
  }

  elapsed(): number {
    return pitTicks(this.now() - this.state.start);
  }

  /** The counting element's value, 0..0xffff. */
  count(): number {
    const s = this.state;
    const full = s.bcd ? 10_000 : 0x1_0000;
    if (!s.loaded) return s.reload % full;
    const t = this.elapsed();
    let value: number;
    if (s.mode === 2) value = s.reload - (t % s.reload);
    else if (s.mode === 3) {
      // Counts by twos, twice a period.
      const half = (2 * t) % (2 * s.reload);
      value = s.reload - (half % s.reload);
      value &= ~1;
    } else value = (((s.reload - t) % full) + full) % full;
    return value % full;
  }

  /** Level of the output pin. */
  output(): boolean {
    const s = this.state;
    if (!s.loaded) return s.mode !== 0;
    const t = this.elapsed();
    switch (s.mode) {
      case 0:
      case 1:
        return t >= s.reload;
      case 2:
        return t % s.reload !== s.reload - 1;
      case 3:
        return t % s.reload < (s.reload + 1) >> 1;
      default:
        return t !== s.reload;
    }
  }

  /** Virtual time of the next rising edge of the output after `after`, or undefined. */
  nextRise(after: number): number | undefined {
    const s = this.state;
    if (!s.loaded || !s.gate) return undefined;
    let rise: number;
    switch (s.mode) {
      case 2:
      case 3:
        rise = (Math.floor(pitTicks(after - s.start) / s.reload) + 1) * s.reload;
        break;
      case 0:
        rise = s.reload;
        break;
      case 4:
        rise = s.reload + 1;
        break;
      default:
        return undefined;
    }
    const at = s.start + pitNanoseconds(rise);
    return at > after ? at : undefined;
  }

  load(value: number): void {
    const s = this.state;
    const full = s.bcd ? 10_000 : 0x1_0000;
    const binary = s.bcd ? fromBcd(value) : value;
    s.reload = binary === 0 ? full : binary;
    s.loaded = true;
    s.start = this.now();
  }

  write(value: number): boolean {
    const s = this.state;
    if (s.access === 3) {
      if (s.partial === undefined) {
        s.partial = value;
        // In mode 0 the first byte stops the count.
        if (s.mode === 0) s.loaded = false;
        return s.mode === 0;
      }
      this.load(s.partial | (value << 8));
      s.partial = undefined;
    } else this.load(s.access === 2 ? value << 8 : value);
    return true;
  }

  read(): number {
    const s = this.state;
    if (s.latchedStatus !== undefined) {
      const status = s.latchedStatus;
      s.latchedStatus = undefined;
      return status;
    }
    const raw = s.latched ?? this.encoded();
    if (s.access === 3) {
      s.readHigh = !s.readHigh;
      if (s.readHigh) return raw & 0xff;
      s.latched = undefined;
      return raw >> 8;
    }
    s.latched = undefined;
    return s.access === 2 ? raw >> 8 : raw & 0xff;
  }

  private encoded(): number {
    return this.state.bcd ? toBcd(this.count()) : this.count();
  }

  latchCount(): void {
    this.state.latched ??= this.encoded();
  }

  latchStatus(): void {
    const s = this.state;
    s.latchedStatus ??= (this.output() ? 0x80 : 0) | (s.loaded ? 0 : 0x40) | (s.access << 4) | (s.mode << 1) | (s.bcd ? 1 : 0);
  }

  control(value: number): void {
    const s = this.state;
    s.access = (value >> 4) & 3;
    const mode = (value >> 1) & 7;
    s.mode = mode > 5 ? mode - 4 : mode;
    s.bcd = (value & 1) !== 0;
    s.loaded = false;
    s.partial = undefined;
    s.readHigh = false;
    s.latched = undefined;
    s.latchedStatus = undefined;
  }

  setGate(level: boolean): void {
    const s = this.state;
    // A rising gate restarts every mode but 0 and 4, which it merely lets count.
    if (level && !s.gate && s.mode !== 0 && s.mode !== 4) s.start = this.now();
    s.gate = level;
  }
}

function fromBcd(value: number): number {
  return (value & 15) + ((value >> 4) & 15) * 10 + ((value >> 8) & 15) * 100 + ((value >> 12) & 15) * 1000;
}

function toBcd(value: number): number {
  return (
    (value % 10) | ((Math.floor(value / 10) % 10) << 4) | ((Math.floor(value / 100) % 10) << 8) | ((Math.floor(value / 1000) % 10) << 12)
  );
}

export class IntervalTimer implements Device {
  readonly name = 'pit';
  readonly ports = [
    [0x40, 0x43],
    [0x61, 0x61],
  ] as const;
  private readonly channels: readonly [Channel, Channel, Channel];
  private readonly timer: Timer;
  /** Bits 0 (gate of channel 2) and 1 (speaker) of port 0x61. */
  private portB = 0;

  constructor(private readonly host: DeviceHost) {
    const now = (): number => host.clock.now();
    this.channels = [new Channel(now), new Channel(now), new Channel(now)];
    this.timer = host.clock.createTimer(() => this.tick());
  }

  private tick(): void {
    this.host.setIrq(0, false);
    this.host.setIrq(0, true);
    this.rearm();
  }

  private rearm(): void {
    const at = this.channels[0].nextRise(this.host.clock.now());
    if (at === undefined) this.timer.disarm();
    else this.timer.arm(at);
  }

  portRead(port: number): number {
    this.host.clock.charge(readCost);
    if (port === 0x61) {
      // Bit 4 toggles with each refresh request, about every 15 microseconds.
      const refresh = Math.floor(this.host.clock.now() / 15_085) & 1;
      return this.portB | (refresh << 4) | (this.channels[2].output() ? 0x20 : 0);
    }
    return port === 0x43 ? 0xff : this.channels[(port & 3) as 0 | 1 | 2].read();
  }

  portWrite(port: number, _size: number, value: number): void {
    value &= 0xff;
    if (port === 0x61) {
      this.portB = value & 3;
      this.channels[2].setGate((value & 1) !== 0);
    } else if (port === 0x43) this.control(value);
    else if (this.channels[(port & 3) as 0 | 1 | 2].write(value) && port === 0x40) {
      // Mode 0 holds the line low until its count is done.
      if (this.channels[0].state.mode === 0) this.host.setIrq(0, false);
      this.rearm();
    }
  }

  private control(value: number): void {
    const select = value >> 6;
    if (select === 3 || (value & 0x30) === 0) {
      this.latch(select, value);
      this.host.clock.charge(readCost);
      return;
    }
    const channel = this.channels[select as 0 | 1 | 2];
    channel.control(value);
    if (select === 0) {
      if (channel.state.mode === 0) this.host.setIrq(0, false);
      this.rearm();
    }
  }

  private latch(select: number, value: number): void {
    if (select < 3) {
      this.channels[select as 0 | 1 | 2].latchCount();
      return;
    }
    // Read-back: bits 5 and 4 are active low, bits 3..1 choose channels.
    for (let i = 0; i < 3; i++) {
      if ((value & (2 << i)) === 0) continue;
      if ((value & 0x20) === 0) this.channels[i as 0 | 1 | 2].latchCount();
      if ((value & 0x10) === 0) this.channels[i as 0 | 1 | 2].latchStatus();
    }
  }

  reset(): void {
    for (const channel of this.channels) channel.state = Channel.initial();
    this.channels[2].state.gate = false;
    this.portB = 0;
    // Firmware leaves channel 0 free running at 18.2 Hz.
    this.rearm();
  }

  save(): unknown {
    return { channels: this.channels.map((channel) => ({ ...channel.state })), portB: this.portB };
  }

  restore(state: unknown): void {
    const saved = state as { channels: ChannelState[]; portB: number };
    saved.channels.forEach((channel, index) => (this.channels[index as 0 | 1 | 2].state = { ...channel }));
    this.portB = saved.portB;
  }
}
