/** Routes port and device-memory accesses to the devices that answer them. */
import { type Device } from './api';
import { type VirtualClock } from './clock';

/** What an access to the ISA bus costs, nanoseconds. */
const accessCost = 1000;

/** One access, for a trace. */
export interface BusAccess {
  readonly space: 'port' | 'memory';
  readonly write: boolean;
  readonly address: number;
  readonly size: number;
  readonly value: bigint;
  /** Undefined where nothing answers. */
  readonly device: string | undefined;
}

const ones = [0, 0xff, 0xffff, 0xff_ffff, 0xffff_ffff] as const;

export class Bus {
  /** For each port, 1 + index of the device that answers. */
  private readonly portOwner = new Uint8Array(0x1_0000);
  private readonly devices: Device[] = [];
  private readonly regions: { readonly first: number; readonly last: number; readonly device: Device }[] = [];
  /** Called after every access while set. */
  trace: ((access: BusAccess) => void) | undefined;

  constructor(private readonly clock: VirtualClock) {}

  /** Adds a device. Ports that another one has answered so far go over to it. */
  add(device: Device): void {
    this.devices.push(device);
    for (const [first, last] of device.ports ?? []) this.portOwner.fill(this.devices.length, first, last + 1);
    for (const [first, last] of device.memory ?? []) this.regions.push({ first, last, device });
  }

  /** Reads a port; one that is absent, or an access beyond a device's widths, reads all ones. */
  portRead(port: number, size: number): number {
    this.clock.charge(accessCost);
    const device = this.devices[this.portOwner[port]! - 1];
    const value = (device?.portRead?.(port, size) ?? ones[size] ?? 0xffff_ffff) >>> 0;
    this.trace?.({ space: 'port', write: false, address: port, size, value: BigInt(value), device: device?.name });
    return value;
  }

  portWrite(port: number, size: number, value: number): void {
    this.clock.charge(accessCost);
    const device = this.devices[this.portOwner[port]! - 1];
    device?.portWrite?.(port, size, (value & ones[size as 1 | 2 | 4]) >>> 0);
    this.trace?.({
      space: 'port',
      write: true,
      address: port,
      size,
      value: BigInt((value & ones[size as 1 | 2 | 4]) >>> 0),
      device: device?.name,
    });
  }

  memoryRead(address: number, size: number): bigint {
    this.clock.charge(accessCost);
    const device = this.deviceAt(address);
    const value = device?.memoryRead?.(address, size) ?? (1n << BigInt(size * 8)) - 1n;
    this.trace?.({ space: 'memory', write: false, address, size, value, device: device?.name });
    return value;
  }

  memoryWrite(address: number, size: number, value: bigint): void {
    this.clock.charge(accessCost);
    const device = this.deviceAt(address);
    device?.memoryWrite?.(address, size, value);
    this.trace?.({ space: 'memory', write: true, address, size, value, device: device?.name });
  }

  private deviceAt(address: number): Device | undefined {
    return this.regions.find((region) => address >= region.first && address <= region.last)?.device;
  }
}
