/** The pair of 8259A interrupt controllers (Intel 8259A data sheet), with the edge/level registers of the PIIX. */
import { type Device, type DeviceHost } from '../machine/api';

interface ChipState {
  irr: number;
  isr: number;
  imr: number;
  /** Levels of the request inputs. */
  lines: number;
  elcr: number;
  /** Vector of input 0. */
  base: number;
  /** Which initialisation word comes next: 0 none, 2..4. */
  expects: number;
  needsIcw4: boolean;
  single: boolean;
  autoEoi: boolean;
  rotateOnAutoEoi: boolean;
  specialMask: boolean;
  /** Input with the highest priority. */
  top: number;
  readIsr: boolean;
  poll: boolean;
}

/** One 8259A. */
class Chip {
  state: ChipState;

  constructor(private readonly resetMask: number) {
    this.state = this.initial();
  }

  private initial(): ChipState {
    return {
      irr: 0,
      isr: 0,
      imr: this.resetMask,
      lines: 0,
      elcr: 0,
      base: 0,
      expects: 0,
      needsIcw4: false,
      single: false,
      autoEoi: false,
      rotateOnAutoEoi: false,
      specialMask: false,
      top: 0,
      readIsr: false,
      poll: false,
    };
  }

  reset(): void {
    this.state = this.initial();
  }

  setLine(input: number, level: boolean): void {
    const s = this.state;
    const bit = 1 << input;
    if (level) {
      if ((s.elcr & bit) !== 0 || (s.lines & bit) === 0) s.irr |= bit;
      s.lines |= bit;
    } else {
      if ((s.elcr & bit) !== 0) s.irr &= ~bit;
      s.lines &= ~bit;
    }
  }

  /** Priority 0 (highest) .. 7 of the most important set bit, or 8. */
  private priority(bits: number): number {
    for (let p = 0; p < 8; p++) if ((bits & (1 << ((p + this.state.top) & 7))) !== 0) return p;
    return 8;
  }

  /** The input that requests service now, or -1. */
  pending(): number {
    const s = this.state;
    const request = this.priority(s.irr & ~s.imr);
    if (request === 8) return -1;
    const inService = s.specialMask ? s.isr & ~s.imr : s.isr;
    return request < this.priority(inService) ? (request + s.top) & 7 : -1;
  }

  /** Takes a request into service; an edge is used up, a level stays. */
  acknowledge(input: number): void {
    const s = this.state;
    const bit = 1 << input;
    if (s.autoEoi) {
      if (s.rotateOnAutoEoi) s.top = (input + 1) & 7;
    } else s.isr |= bit;
    if ((s.elcr & bit) === 0) s.irr &= ~bit;
  }

  /** Reads the command (false) or data (true) port. */
  read(data: boolean): number {
    const s = this.state;
    if (s.poll) {
      s.poll = false;
      const input = this.pending();
      if (input < 0) return 0;
      this.acknowledge(input);
      return 0x80 | input;
    }
    if (data) return s.imr;
    return s.readIsr ? s.isr : s.irr;
  }

  writeCommand(value: number): void {
    const s = this.state;
    if ((value & 0x10) !== 0) {
      // ICW1: edges seen so far are forgotten, levels that are still there are not.
      s.irr = s.lines & s.elcr;
      s.isr = 0;
      s.imr = 0;
      s.top = 0;
      s.specialMask = false;
      s.readIsr = false;
      s.poll = false;
      s.autoEoi = false;
      s.rotateOnAutoEoi = false;
      s.needsIcw4 = (value & 1) !== 0;
      s.single = (value & 2) !== 0;
      s.expects = 2;
    } else if ((value & 0x08) !== 0) {
      // OCW3.
      if ((value & 0x04) !== 0) s.poll = true;
      if ((value & 0x02) !== 0) s.readIsr = (value & 1) !== 0;
      if ((value & 0x40) !== 0) s.specialMask = (value & 0x20) !== 0;
    } else this.writeEndOfInterrupt(value);
  }

  /** OCW2: bits 7:5 are rotate, specific, end of interrupt. */
  private writeEndOfInterrupt(value: number): void {
    const s = this.state;
    const level = value & 7;
    switch (value >> 5) {
      case 0:
      case 4:
        s.rotateOnAutoEoi = value >> 5 === 4;
        break;
      case 1:
      case 5: {
        const p = this.priority(s.isr);
        if (p === 8) break;
        const input = (p + s.top) & 7;
        s.isr &= ~(1 << input);
        if (value >> 5 === 5) s.top = (input + 1) & 7;
        break;
      }
      case 3:
      case 7:
        s.isr &= ~(1 << level);
        if (value >> 5 === 7) s.top = (level + 1) & 7;
        break;
      case 6:
        s.top = (level + 1) & 7;
        break;
      default:
    }
  }

  writeData(value: number): void {
    const s = this.state;
    switch (s.expects) {
      case 2:
        s.base = value & 0xf8;
        s.expects = s.single ? (s.needsIcw4 ? 4 : 0) : 3;
        break;
      case 3:
        s.expects = s.needsIcw4 ? 4 : 0;
        break;
      case 4:
        s.autoEoi = (value & 2) !== 0;
        s.expects = 0;
        break;
      default:
        s.imr = value;
    }
  }
}

/** Input of the master that the slave hangs on. */
const cascade = 2;
/** Inputs that the edge/level registers cannot turn to level: timer, keyboard, cascade; RTC and coprocessor. */
const fixedEdges = [0x07, 0x21] as const;

export class InterruptController implements Device {
  readonly name = 'pic';
  readonly ports = [
    [0x20, 0x21],
    [0xa0, 0xa1],
    [0x4d0, 0x4d1],
  ] as const;
  // As firmware leaves them: the cascade open, and timer and keyboard. Unikraft never opens the cascade by itself.
  private readonly master = new Chip(0xb8);
  private readonly slave = new Chip(0x8e);

  constructor(private readonly host: DeviceHost) {
    this.reset();
  }

  setLine(line: number, level: boolean): void {
    if (line >= 8) this.slave.setLine(line - 8, level);
    else if (line !== cascade) this.master.setLine(line, level);
    this.update();
  }

  /** The processor's acknowledge cycle: a vector, the spurious one (input 7) where the request is gone. */
  acknowledge(): number {
    const input = this.master.pending();
    let vector: number;
    if (input < 0) vector = this.master.state.base + 7;
    else {
      this.master.acknowledge(input);
      if (input === cascade) {
        const second = this.slave.pending();
        if (second >= 0) this.slave.acknowledge(second);
        vector = this.slave.state.base + (second < 0 ? 7 : second);
      } else vector = this.master.state.base + input;
    }
    this.update();
    return vector;
  }

  private update(): void {
    const request = this.slave.pending() >= 0;
    this.master.setLine(cascade, request);
    // The slave's output is no edge to be remembered: when its request goes, so does the master's.
    if (!request) this.master.state.irr &= ~(1 << cascade);
    this.host.setInterruptRequest(this.master.pending() >= 0);
  }

  portRead(port: number): number {
    if (port >= 0x4d0) return (port === 0x4d0 ? this.master : this.slave).state.elcr;
    const value = (port < 0xa0 ? this.master : this.slave).read((port & 1) !== 0);
    this.update();
    return value;
  }

  portWrite(port: number, _size: number, value: number): void {
    const chip = port === 0x4d0 || port < 0xa0 ? this.master : this.slave;
    value &= 0xff;
    if (port >= 0x4d0) chip.state.elcr = value & ~fixedEdges[port === 0x4d0 ? 0 : 1];
    else if ((port & 1) !== 0) chip.writeData(value);
    else chip.writeCommand(value);
    this.update();
  }

  reset(): void {
    this.master.reset();
    this.slave.reset();
    // PCI interrupts go to 10 and 11, which are level triggered.
    this.slave.state.elcr = 0x0c;
    this.update();
  }

  save(): unknown {
    return [{ ...this.master.state }, { ...this.slave.state }];
  }

  restore(state: unknown): void {
    const [master, slave] = state as [ChipState, ChipState];
    this.master.state = { ...master };
    this.slave.state = { ...slave };
    this.update();
  }
}
