/** virtio-blk (Virtio 1.2, section 5.2): a disk over bytes in the host's memory; what the guest writes stays in the machine. */
import { type DeviceHost, type PciBus } from '../machine/api';
import { Feature, VirtioDevice } from './virtio-pci';
import { type Chain, gather, scatter } from './virtqueue';

export const sectorBytes = 512;
/** Request types and status bytes (section 5.2.6). */
const Request = { read: 0, write: 1, flush: 4, identify: 8 } as const;
const Status = { ok: 0, error: 1, unsupported: 2 } as const;
const headerBytes = 16;
const identityBytes = 20;
const blkFeatures = { flush: 1 << 9, readOnly: 1 << 5 } as const;
/** Unit in which changed contents are kept. */
const blockBytes = 4096;

export class VirtioBlk extends VirtioDevice {
  /** Blocks that were written, by number. */
  private changed = new Map<number, Uint8Array>();

  /** @param disk whole sectors; never written to. */
  constructor(
    host: DeviceHost,
    pci: PciBus,
    private readonly disk: Uint8Array,
    private readonly readOnly = false,
    name = 'virtio-blk',
  ) {
    super(host, pci, {
      name,
      type: 2,
      classCode: 0x01_00_00,
      features: blkFeatures.flush | (readOnly ? blkFeatures.readOnly : 0) | Feature.indirect | Feature.eventIndex,
      queueSizes: [256],
    });
  }

  private get sectors(): number {
    return Math.floor(this.disk.length / sectorBytes);
  }

  protected config(): Uint8Array {
    const bytes = new Uint8Array(24);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(0, BigInt(this.sectors), true);
    view.setUint32(20, sectorBytes, true);
    return bytes;
  }

  protected notified(queue: number): void {
    this.serve(queue, (chain) => this.handle(chain));
  }

  /** One request; its status is the last byte that the device may write. */
  private handle(chain: Chain): number {
    const { ram } = this.host;
    const room = chain.writable.reduce((sum, buffer) => sum + buffer.length, 0);
    const header = gather(ram, chain.readable, 0, headerBytes);
    if (room < 1) return 0;
    let status: number = Status.error;
    let data = new Uint8Array(room - 1);
    if (header.length === headerBytes) {
      const view = new DataView(header.buffer);
      const sector = Number(view.getBigUint64(8, true));
      switch (view.getUint32(0, true)) {
        case Request.read:
          status = this.inRange(sector, data.length) ? Status.ok : Status.error;
          if (status === Status.ok) this.read(sector * sectorBytes, data);
          break;
        case Request.write: {
          const payload = gather(ram, chain.readable, headerBytes);
          status = !this.readOnly && this.inRange(sector, payload.length) ? Status.ok : Status.error;
          if (status === Status.ok) this.write(sector * sectorBytes, payload);
          break;
        }
        case Request.flush:
          status = Status.ok;
          break;
        case Request.identify:
          data = data.slice(0, identityBytes);
          data.set(new TextEncoder().encode(this.name).subarray(0, data.length));
          status = Status.ok;
          break;
        default:
          status = Status.unsupported;
      }
    }
    const answer = new Uint8Array(room);
    answer.set(data);
    answer[room - 1] = status;
    return scatter(ram, chain.writable, answer, (physical, length) => this.host.ramChanges(physical, length));
  }

  private inRange(sector: number, length: number): boolean {
    return length % sectorBytes === 0 && sector + length / sectorBytes <= this.sectors;
  }

  private block(number: number): Uint8Array {
    return this.changed.get(number) ?? this.disk.subarray(number * blockBytes, (number + 1) * blockBytes);
  }

  private read(offset: number, into: Uint8Array): void {
    for (let done = 0; done < into.length;) {
      const at = offset + done;
      const within = at % blockBytes;
      const piece = this.block(Math.floor(at / blockBytes)).subarray(within, within + into.length - done);
      into.set(piece, done);
      done += piece.length;
    }
  }

  private write(offset: number, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length;) {
      const at = offset + done;
      const number = Math.floor(at / blockBytes);
      const within = at % blockBytes;
      const block = this.changed.get(number) ?? this.block(number).slice();
      this.changed.set(number, block);
      const count = Math.min(block.length - within, bytes.length - done);
      block.set(bytes.subarray(done, done + count), within);
      done += count;
    }
  }

  protected override saveOwn(): unknown {
    return [...this.changed].sort(([a], [b]) => a - b).map(([number, block]) => [number, block.slice()]);
  }

  protected override restoreOwn(state: unknown): void {
    this.changed = new Map((state as [number, Uint8Array][]).map(([number, block]) => [number, block.slice()]));
  }
}
