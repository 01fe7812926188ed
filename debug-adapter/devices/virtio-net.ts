/** virtio-net (Virtio 1.2, section 5.1): Ethernet frames to and from a network outside the machine. */
import { type DeviceHost, type PciBus } from '../machine/api';
import { Feature, VirtioDevice } from './virtio-pci';
import { gather, scatter } from './virtqueue';

const receiveQueue = 0;
const transmitQueue = 1;
/** The header before each frame, without mergeable buffers. */
const headerBytes = 10;
const mostFrame = 65_550;
/** Frames kept for a guest that has no buffers for them; more are lost, as on a wire. */
const queueLimit = 512;
const netFeatures = { mac: 1 << 5, status: 1 << 16 } as const;

export class VirtioNet extends VirtioDevice {
  private waiting: Uint8Array[] = [];
  /** Takes the frames that the guest sends; not called while replaying. */
  onFrame: ((frame: Uint8Array) => void) | undefined;

  /** @param mac 6 bytes. */
  constructor(
    host: DeviceHost,
    pci: PciBus,
    readonly mac: Uint8Array,
  ) {
    super(host, pci, {
      name: 'virtio-net',
      type: 1,
      classCode: 0x02_00_00,
      features: netFeatures.mac | netFeatures.status | Feature.indirect | Feature.eventIndex,
      queueSizes: [256, 256],
    });
  }

  protected config(): Uint8Array {
    // MAC, then status: link is up.
    return Uint8Array.of(...this.mac, 1, 0);
  }

  /** A frame from the network. */
  input(frame: Uint8Array): void {
    if (this.waiting.length < queueLimit) this.waiting.push(frame.slice());
    this.deliver();
  }

  private deliver(): void {
    const queue = this.queues[receiveQueue]!;
    while (this.waiting.length > 0 && this.usable) {
      const chain = queue.take(this.has(Feature.indirect));
      if (chain === undefined) break;
      const frame = this.waiting.shift()!;
      const packet = new Uint8Array(headerBytes + frame.length);
      packet.set(frame, headerBytes);
      queue.finish(
        chain,
        scatter(this.host.ram, chain.writable, packet, (physical, length) => this.host.ramChanges(physical, length)),
      );
    }
    if (this.has(Feature.eventIndex)) queue.wantNotification();
    this.signal(queue);
  }

  protected notified(queue: number): void {
    if (queue === receiveQueue) this.deliver();
    else if (queue === transmitQueue) {
      this.serve(transmitQueue, (chain) => {
        const frame = gather(this.host.ram, chain.readable, headerBytes, mostFrame);
        if (frame.length > 0 && !this.host.replaying) this.onFrame?.(frame);
        return 0;
      });
    }
  }

  override reset(): void {
    super.reset();
    this.waiting = [];
  }

  protected override saveOwn(): unknown {
    return this.waiting.map((frame) => frame.slice());
  }

  protected override restoreOwn(state: unknown): void {
    this.waiting = (state as Uint8Array[]).map((frame) => frame.slice());
  }
}
