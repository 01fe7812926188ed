/** virtio-console (Virtio 1.2, section 5.3): one port, a stream of bytes each way. */
import { type DeviceHost, type PciBus } from '../machine/api';
import { Feature, VirtioDevice } from './virtio-pci';
import { gather, scatter } from './virtqueue';

const receiveQueue = 0;
const transmitQueue = 1;
const inputLimit = 1 << 16;

export class VirtioConsole extends VirtioDevice {
  private waiting: number[] = [];
  /** Takes what the guest writes; not called while replaying. */
  onOutput: ((bytes: Uint8Array) => void) | undefined;

  constructor(host: DeviceHost, pci: PciBus) {
    super(host, pci, {
      name: 'virtio-console',
      type: 3,
      classCode: 0x07_80_00,
      features: Feature.indirect | Feature.eventIndex,
      queueSizes: [128, 128],
    });
  }

  get listening(): boolean {
    return this.usable && this.driven;
  }

  protected config(): Uint8Array {
    // Columns, rows, ports.
    return Uint8Array.of(80, 0, 25, 0, 1, 0, 0, 0);
  }

  input(bytes: Uint8Array): void {
    for (const byte of bytes.subarray(0, inputLimit - this.waiting.length)) this.waiting.push(byte);
    this.deliver();
  }

  private deliver(): void {
    const queue = this.queues[receiveQueue]!;
    while (this.waiting.length > 0 && this.usable) {
      const chain = queue.take(this.has(Feature.indirect));
      if (chain === undefined) break;
      const written = scatter(this.host.ram, chain.writable, Uint8Array.from(this.waiting), (physical, length) =>
        this.host.ramChanges(physical, length),
      );
      this.waiting.splice(0, written);
      queue.finish(chain, written);
    }
    if (this.has(Feature.eventIndex)) queue.wantNotification();
    this.signal(queue);
  }

  protected notified(queue: number): void {
    if (queue === receiveQueue) this.deliver();
    else {
      this.serve(transmitQueue, (chain) => {
        const bytes = gather(this.host.ram, chain.readable);
        if (bytes.length > 0 && !this.host.replaying) this.onOutput?.(bytes);
        return 0;
      });
    }
  }

  override reset(): void {
    super.reset();
    this.waiting = [];
  }

  protected override saveOwn(): unknown {
    return Uint8Array.from(this.waiting);
  }

  protected override restoreOwn(state: unknown): void {
    this.waiting = [...(state as Uint8Array)];
  }
}
