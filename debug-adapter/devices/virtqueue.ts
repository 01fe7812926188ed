/** One virtqueue in its legacy layout (Virtio 1.2, sections 2.7 and 2.7.2): walks what the guest offers and trusts none of it. */

/** Descriptor flags (section 2.7.5). */
const Flag = { next: 1, write: 2, indirect: 4 } as const;
const descriptorBytes = 16;
/** Bytes that one chain may describe; longer ones are an attack on the host's time. */
const chainLimit = 1 << 24;
const noInterrupt = 1;
/** Alignment of the used ring in the legacy layout. */
const alignment = 4096;

export interface Buffer {
  /** Physical address, within RAM. */
  readonly address: number;
  readonly length: number;
}

/** A request: first what the device reads, then what it writes. */
export interface Chain {
  readonly head: number;
  readonly readable: readonly Buffer[];
  readonly writable: readonly Buffer[];
}

/** What a queue keeps between requests. */
export interface QueueState {
  /** Page number of the rings, 0 where there are none. */
  page: number;
  /** Next entry of the available ring to take. */
  taken: number;
  /** The used index as published. */
  used: number;
  /** The used index at the last interrupt (with event index). */
  signalled: number;
}

export class Virtqueue {
  state: QueueState = { page: 0, taken: 0, used: 0, signalled: 0 };
  private readonly view: DataView;

  /**
   * @param size descriptors, a power of two.
   * @param broken called where the guest's rings make no sense; the device then ignores it until it is reset.
   * @param changes called before RAM is written.
   */
  constructor(
    private readonly ram: Uint8Array,
    readonly size: number,
    private readonly broken: () => void,
    private readonly changes: (physical: number, length: number) => void,
  ) {
    this.view = new DataView(ram.buffer, ram.byteOffset, ram.byteLength);
  }

  reset(): void {
    this.state = { page: 0, taken: 0, used: 0, signalled: 0 };
  }

  setPage(page: number): void {
    this.state = { page, taken: 0, used: 0, signalled: 0 };
    if (page !== 0 && this.usedRing + 6 + this.size * 8 > this.ram.length) {
      this.state.page = 0;
      this.broken();
    }
  }

  get ready(): boolean {
    return this.state.page !== 0;
  }

  private get descriptors(): number {
    return this.state.page * 4096;
  }

  private get available(): number {
    return this.descriptors + this.size * descriptorBytes;
  }

  private get usedRing(): number {
    return Math.ceil((this.available + 6 + this.size * 2) / alignment) * alignment;
  }

  /** Whether a request waits. */
  get pending(): boolean {
    return this.ready && this.view.getUint16(this.available + 2, true) !== this.state.taken;
  }

  /** Takes the next request, or undefined where there is none or it is malformed (then the device is told that it is broken). */
  take(indirect: boolean): Chain | undefined {
    if (!this.pending) return undefined;
    const ahead = (this.view.getUint16(this.available + 2, true) - this.state.taken) & 0xffff;
    if (ahead > this.size) return this.fail();
    const head = this.view.getUint16(this.available + 4 + (this.state.taken % this.size) * 2, true);
    if (head >= this.size) return this.fail();
    const chain = this.walk(head, indirect);
    if (chain === undefined) return this.fail();
    this.state.taken = (this.state.taken + 1) & 0xffff;
    return chain;
  }

  private fail(): undefined {
    this.state.page = 0;
    this.broken();
    return undefined;
  }

  private walk(head: number, indirect: boolean): Chain | undefined {
    const readable: Buffer[] = [];
    const writable: Buffer[] = [];
    let table = this.descriptors;
    let entries = this.size;
    let index = head;
    let total = 0;
    let nested = false;
    // More steps than entries mean a loop.
    for (let steps = 0; steps <= entries; steps++) {
      if (index >= entries) return undefined;
      const at = table + index * descriptorBytes;
      const address = Number(this.view.getBigUint64(at, true));
      const length = this.view.getUint32(at + 8, true);
      const flags = this.view.getUint16(at + 12, true);
      if (address + length > this.ram.length) return undefined;
      if ((flags & Flag.indirect) !== 0) {
        if (!indirect || nested || (flags & Flag.next) !== 0 || length === 0 || length % descriptorBytes !== 0) return undefined;
        nested = true;
        table = address;
        entries = length / descriptorBytes;
        if (entries > this.size) return undefined;
        index = 0;
        steps = -1;
        continue;
      }
      total += length;
      if (total > chainLimit) return undefined;
      if ((flags & Flag.write) !== 0) writable.push({ address, length });
      else {
        // What the device reads comes first (section 2.7.4.2).
        if (writable.length > 0) return undefined;
        readable.push({ address, length });
      }
      if ((flags & Flag.next) === 0) return { head, readable, writable };
      index = this.view.getUint16(at + 14, true);
    }
    return undefined;
  }

  /** Gives a request back, with the number of bytes written into it. */
  finish(chain: Chain, bytesWritten: number): void {
    if (!this.ready) return;
    const at = this.usedRing + 4 + (this.state.used % this.size) * 8;
    this.changes(at, 8);
    this.changes(this.usedRing, 4);
    this.view.setUint32(at, chain.head, true);
    this.view.setUint32(at + 4, bytesWritten, true);
    this.state.used = (this.state.used + 1) & 0xffff;
    this.view.setUint16(this.usedRing + 2, this.state.used, true);
  }

  /** Whether the guest wants an interrupt for what was finished since the last time (section 2.7.7). */
  wantsInterrupt(eventIndex: boolean): boolean {
    if (!this.ready || this.state.used === this.state.signalled) return false;
    const before = this.state.signalled;
    this.state.signalled = this.state.used;
    if (!eventIndex) return (this.view.getUint16(this.available, true) & noInterrupt) === 0;
    const event = this.view.getUint16(this.available + 4 + this.size * 2, true);
    return ((this.state.used - event - 1) & 0xffff) < ((this.state.used - before) & 0xffff);
  }

  /** Asks (with event index) for a notification of the next request. */
  wantNotification(): void {
    if (!this.ready) return;
    const at = this.usedRing + 4 + this.size * 8;
    if (at + 2 > this.ram.length) return;
    this.changes(at, 2);
    this.view.setUint16(at, this.state.taken, true);
  }
}

/** Copies what the device reads of a chain, from byte `skip` on, at most `limit` bytes. */
export function gather(ram: Uint8Array, buffers: readonly Buffer[], skip = 0, limit = chainLimit): Uint8Array {
  const total = Math.min(limit, Math.max(0, buffers.reduce((sum, buffer) => sum + buffer.length, 0) - skip));
  const out = new Uint8Array(total);
  let position = -skip;
  for (const { address, length } of buffers) {
    const from = Math.max(0, -position);
    const count = Math.min(length - from, total - (position + from));
    if (count > 0) out.set(ram.subarray(address + from, address + from + count), position + from);
    position += length;
  }
  return out;
}

/** Writes bytes into a chain's buffers; `changes` is called before each. Answers how many fitted. */
export function scatter(
  ram: Uint8Array,
  buffers: readonly Buffer[],
  bytes: Uint8Array,
  changes: (physical: number, length: number) => void,
): number {
  let done = 0;
  for (const { address, length } of buffers) {
    const count = Math.min(length, bytes.length - done);
    if (count <= 0) break;
    changes(address, count);
    ram.set(bytes.subarray(done, done + count), address);
    done += count;
  }
  return done;
}
