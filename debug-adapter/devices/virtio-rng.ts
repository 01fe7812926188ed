/** virtio-rng (Virtio 1.2, section 5.4): random bytes, from the machine's own reproducible source. */
import { type DeviceHost, type PciBus } from '../machine/api';
import { Feature, VirtioDevice } from './virtio-pci';
import { scatter } from './virtqueue';

/** Bytes given for one request at most. */
const most = 65_536;

export class VirtioRng extends VirtioDevice {
  /** @param fill puts random bytes into an array. */
  constructor(
    host: DeviceHost,
    pci: PciBus,
    private readonly fill: (bytes: Uint8Array) => void,
  ) {
    super(host, pci, {
      name: 'virtio-rng',
      type: 4,
      classCode: 0x00_ff_00,
      features: Feature.indirect | Feature.eventIndex,
      queueSizes: [8],
    });
  }

  protected config(): Uint8Array {
    return new Uint8Array(0);
  }

  protected notified(queue: number): void {
    this.serve(queue, (chain) => {
      const bytes = new Uint8Array(
        Math.min(
          most,
          chain.writable.reduce((sum, buffer) => sum + buffer.length, 0),
        ),
      );
      this.fill(bytes);
      return scatter(this.host.ram, chain.writable, bytes, (physical, length) => this.host.ramChanges(physical, length));
    });
  }
}
