/** The legacy virtio PCI transport (Virtio 1.2, section 4.1.4.10): registers in I/O space, INTA#, and the queues of one device. */
import { type Device, type DeviceHost, type PciBus, type PciSlot } from '../machine/api';
import { type QueueState, Virtqueue } from './virtqueue';

/** Register offsets in BAR0. */
const Register = {
  hostFeatures: 0,
  guestFeatures: 4,
  queuePage: 8,
  queueSize: 12,
  queueSelect: 14,
  queueNotify: 16,
  status: 18,
  isr: 19,
  config: 20,
} as const;
const vendor = 0x1af4;
/** PCI device ids of the legacy interface, by device type (section 4.1.2.1): not in the types' order. */
const deviceIds: Readonly<Record<VirtioKind['type'], number>> = { 1: 0x1000, 2: 0x1001, 3: 0x1003, 4: 0x1005 };
const driverOk = 4;
const ioBytes = 64;
const queueInterrupt = 1;
const configInterrupt = 2;
/** Feature bits of the transport. */
export const Feature = { indirect: 1 << 28, eventIndex: 1 << 29 } as const;

/** What makes a virtio device out of the transport. */
export interface VirtioKind {
  readonly name: string;
  /** Device type (section 5); the PCI subsystem id in the legacy interface. */
  readonly type: 1 | 2 | 3 | 4;
  /** PCI class code, 24 bits. */
  readonly classCode: number;
  readonly features: number;
  readonly queueSizes: readonly number[];
}

/** A virtio device: subclasses answer `notified` and give the configuration. */
export abstract class VirtioDevice implements Device {
  readonly name: string;
  readonly ports: readonly (readonly [number, number])[];
  protected readonly queues: readonly Virtqueue[];
  private readonly slot: PciSlot;
  private guestFeatures = 0;
  private select = 0;
  private status = 0;
  private isr = 0;
  private isBroken = false;

  constructor(
    protected readonly host: DeviceHost,
    private readonly pci: PciBus,
    private readonly kind: VirtioKind,
  ) {
    this.name = kind.name;
    this.slot = pci.plug({
      vendorId: vendor,
      deviceId: deviceIds[kind.type],
      classCode: kind.classCode,
      revision: 0,
      subsystemVendorId: vendor,
      subsystemId: kind.type,
      ioSize: ioBytes,
    });
    this.ports = [[this.slot.ioBase, this.slot.ioBase + ioBytes - 1]];
    this.queues = kind.queueSizes.map(
      (size) =>
        new Virtqueue(
          host.ram,
          size,
          () => (this.isBroken = true),
          (physical, length) => host.ramChanges(physical, length),
        ),
    );
  }

  /** The device's configuration space. */
  protected abstract config(): Uint8Array;
  /** The guest rang for a queue, or a queue became usable. */
  protected abstract notified(queue: number): void;
  protected writeConfig(_offset: number, _value: number): void {
    // Read only unless a device says otherwise.
  }

  protected has(feature: number): boolean {
    return (this.guestFeatures & feature) !== 0;
  }

  /** The guest's driver has said that it is ready. */
  protected get driven(): boolean {
    return (this.status & driverOk) !== 0;
  }

  protected get usable(): boolean {
    return !this.isBroken;
  }

  /** Takes requests of a queue one by one until `handle` answers undefined (keep for later) or none is left; then interrupts as the guest wants it. */
  protected serve(index: number, handle: (chain: NonNullable<ReturnType<Virtqueue['take']>>) => number): void {
    const queue = this.queues[index]!;
    // As many turns as the ring holds: a guest that refills it meanwhile is served at its next notification.
    for (let turns = 0; turns < queue.size && this.usable; turns++) {
      const chain = queue.take(this.has(Feature.indirect));
      if (chain === undefined) break;
      queue.finish(chain, handle(chain));
    }
    if (this.has(Feature.eventIndex)) queue.wantNotification();
    this.signal(queue);
  }

  protected signal(queue: Virtqueue): void {
    if (queue.wantsInterrupt(this.has(Feature.eventIndex))) this.raise(queueInterrupt);
  }

  protected configChanged(): void {
    this.raise(configInterrupt);
  }

  private raise(bits: number): void {
    this.isr |= bits;
    this.pci.setInterrupt(this.slot, true);
  }

  portRead(port: number, size: number): number {
    const offset = port - this.slot.ioBase;
    switch (offset) {
      case Register.hostFeatures:
        return this.kind.features >>> 0;
      case Register.guestFeatures:
        return this.guestFeatures >>> 0;
      case Register.queuePage:
        return this.queues[this.select]?.state.page ?? 0;
      case Register.queueSize:
        return this.queues[this.select]?.size ?? 0;
      case Register.queueSelect:
        return this.select;
      case Register.queueNotify:
        return 0;
      case Register.status:
        return this.status;
      case Register.isr: {
        const { isr } = this;
        this.isr = 0;
        this.pci.setInterrupt(this.slot, false);
        return isr;
      }
      default: {
        const bytes = this.config();
        let value = 0;
        for (let i = size - 1; i >= 0; i--) value = ((value << 8) | (bytes[offset - Register.config + i] ?? 0)) >>> 0;
        return value;
      }
    }
  }

  portWrite(port: number, size: number, value: number): void {
    const offset = port - this.slot.ioBase;
    switch (offset) {
      case Register.guestFeatures:
        this.guestFeatures = value & this.kind.features;
        break;
      case Register.queuePage:
        this.queues[this.select]?.setPage(value);
        break;
      case Register.queueSelect:
        this.select = value & 0xffff;
        break;
      case Register.queueNotify:
        if (this.usable && this.queues[value & 0xffff]?.ready) this.notified(value & 0xffff);
        break;
      case Register.status:
        if ((value & 0xff) === 0) this.reset();
        else this.status = value & 0xff;
        break;
      default:
        for (let i = 0; i < size; i++) this.writeConfig(offset - Register.config + i, (value >>> (8 * i)) & 0xff);
    }
  }

  reset(): void {
    this.guestFeatures = 0;
    this.select = 0;
    this.status = 0;
    this.isr = 0;
    this.isBroken = false;
    for (const queue of this.queues) queue.reset();
    this.pci.setInterrupt(this.slot, false);
  }

  save(): unknown {
    const { guestFeatures, select, status, isr, isBroken } = this;
    return { guestFeatures, select, status, isr, isBroken, queues: this.queues.map((queue) => ({ ...queue.state })), own: this.saveOwn() };
  }

  restore(state: unknown): void {
    const saved = state as {
      guestFeatures: number;
      select: number;
      status: number;
      isr: number;
      isBroken: boolean;
      queues: QueueState[];
      own: unknown;
    };
    this.guestFeatures = saved.guestFeatures;
    this.select = saved.select;
    this.status = saved.status;
    this.isr = saved.isr;
    this.isBroken = saved.isBroken;
    saved.queues.forEach((queue, index) => (this.queues[index]!.state = { ...queue }));
    this.restoreOwn(saved.own);
  }

  protected saveOwn(): unknown {
    return undefined;
  }

  protected restoreOwn(_state: unknown): void {
    // Nothing beyond the transport's unless a device says otherwise.
  }
}
