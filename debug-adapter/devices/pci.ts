/** PCI bus 0 behind configuration mechanism 1 (PCI Local Bus Specification 3.0, 3.2.2.3.2), with a 440FX host bridge and the functions plugged into it. */
import { type Device, type DeviceHost, type PciBus, type PciFunction, type PciSlot } from '../machine/api';

const configAddress = 0xcf8;
const configData = 0xcfc;
/** I/O space that firmware hands out. */
const ioFirst = 0xc000;
const ioLast = 0xfeff;
/** INTA# of device n is routed as QEMU's PC routes it: to lines that are level triggered and shared. */
const interruptLines = [10, 11] as const;
const configBytes = 256;
const deviceLimit = 32;

const Config = {
  vendor: 0x00,
  device: 0x02,
  command: 0x04,
  revision: 0x08,
  class: 0x09,
  bar0: 0x10,
  subVendor: 0x2c,
  sub: 0x2e,
  line: 0x3c,
  pin: 0x3d,
} as const;

/** Command register bits that can be written: I/O, memory, bus master, interrupt disable. */
const commandMask = 0x0407;

interface Plugged {
  readonly fn: PciFunction;
  readonly slot: PciSlot;
  readonly config: Uint8Array;
}

function makeConfig(fn: PciFunction, slot: PciSlot): Uint8Array {
  const config = new Uint8Array(configBytes);
  const view = new DataView(config.buffer);
  view.setUint16(Config.vendor, fn.vendorId, true);
  view.setUint16(Config.device, fn.deviceId, true);
  view.setUint16(Config.command, fn.ioSize > 0 ? 0x0103 : 0x0006, true);
  view.setUint8(Config.revision, fn.revision);
  view.setUint8(Config.class, fn.classCode & 0xff);
  view.setUint16(Config.class + 1, fn.classCode >> 8, true);
  view.setUint16(Config.subVendor, fn.subsystemVendorId, true);
  view.setUint16(Config.sub, fn.subsystemId, true);
  if (fn.ioSize > 0) {
    view.setUint32(Config.bar0, slot.ioBase | 1, true);
    view.setUint8(Config.line, slot.irq);
    view.setUint8(Config.pin, 1);
  }
  return config;
}

export class PciHost implements Device, PciBus {
  readonly name = 'pci';
  readonly ports = [[configAddress, configAddress + 7]] as const;
  private address = 0;
  private readonly functions: Plugged[] = [];
  private nextIo = ioFirst;
  /** For each interrupt line, the devices that assert it, a bit each. */
  private readonly asserted = new Map<number, number>();

  constructor(private readonly host: DeviceHost) {
    this.plug({
      vendorId: 0x8086,
      deviceId: 0x1237,
      classCode: 0x06_00_00,
      revision: 2,
      subsystemVendorId: 0x1af4,
      subsystemId: 0x1100,
      ioSize: 0,
    });
  }

  plug(fn: PciFunction): PciSlot {
    const device = this.functions.length;
    if (device >= deviceLimit) throw new RangeError('PCI bus 0 is full.');
    let ioBase = 0;
    if (fn.ioSize > 0) {
      ioBase = (this.nextIo + fn.ioSize - 1) & ~(fn.ioSize - 1);
      if (ioBase + fn.ioSize - 1 > ioLast) throw new RangeError('PCI I/O space is full.');
      this.nextIo = ioBase + fn.ioSize;
    }
    const slot = { device, ioBase, irq: interruptLines[device & 1]! };
    this.functions.push({ fn, slot, config: makeConfig(fn, slot) });
    return slot;
  }

  setInterrupt(slot: PciSlot, level: boolean): void {
    const bit = 1 << slot.device;
    const before = this.asserted.get(slot.irq) ?? 0;
    const after = level ? before | bit : before & ~bit;
    if (after === before) return;
    this.asserted.set(slot.irq, after);
    this.host.setIrq(slot.irq, after !== 0);
  }

  /** The function that the address register selects, where there is one: bus 0, function 0. */
  private selected(): Plugged | undefined {
    if ((this.address & 0x8000_0000) === 0 || (this.address & 0x00ff_0700) !== 0) return undefined;
    return this.functions[(this.address >>> 11) & 31];
  }

  portRead(port: number, size: number): number {
    if (port < configData) return port === configAddress && size === 4 ? this.address : 0xffff_ffff;
    const target = this.selected();
    if (target === undefined) return 0xffff_ffff;
    const register = (this.address & 0xfc) | (port & 3);
    let value = 0;
    for (let i = size - 1; i >= 0; i--) value = ((value << 8) | (target.config[register + i] ?? 0xff)) >>> 0;
    return value;
  }

  portWrite(port: number, size: number, value: number): void {
    if (port < configData) {
      if (port === configAddress && size === 4) this.address = value & 0x80ff_fffc;
      return;
    }
    const target = this.selected();
    if (target === undefined) return;
    const register = (this.address & 0xfc) | (port & 3);
    for (let i = 0; i < size; i++) this.writeByte(target, register + i, (value >>> (8 * i)) & 0xff);
  }

  /**
   * Firmware's assignment of BAR0 is fixed: writing it changes only what reads back (the size, for a probe that writes all ones), as no guest of this PC moves a BAR.
   */
  private writeByte(target: Plugged, register: number, value: number): void {
    const { config, fn } = target;
    if (register >= Config.command && register < Config.command + 2) {
      const mask = (commandMask >> (8 * (register - Config.command))) & 0xff;
      config[register] = (config[register]! & ~mask) | (value & mask);
    } else if (register >= Config.bar0 && register < Config.bar0 + 4 && fn.ioSize > 0) {
      const mask = (~(fn.ioSize - 1) >>> (8 * (register - Config.bar0))) & 0xff;
      config[register] = register === Config.bar0 ? (value & mask) | 1 : value & mask;
    } else if (register === Config.line) config[register] = value;
  }

  reset(): void {
    this.address = 0;
    this.asserted.clear();
    for (const { fn, slot, config } of this.functions) config.set(makeConfig(fn, slot));
  }

  save(): unknown {
    return { address: this.address, config: this.functions.map((f) => f.config.slice()), asserted: [...this.asserted] };
  }

  restore(state: unknown): void {
    const saved = state as { address: number; config: Uint8Array[]; asserted: [number, number][] };
    this.asserted.clear();
    for (const [line, devices] of saved.asserted) this.asserted.set(line, devices);
    this.address = saved.address;
    this.functions.forEach((f, index) => f.config.set(saved.config[index]!));
  }
}
