/** One TCP connection between the guest and a socket of the host (RFC 9293, over a wire that loses only what the guest has no buffer for). */
import { type ConnectionEvents, type HostConnection } from './host';
import { TcpFlag, type TcpSegment } from './packet';

/** What each side may have on its way. */
const ownWindow = 0xffff;
const defaultMss = 536;
const ethernetMss = 1460;
/** Bytes from the host kept for the guest before the host's socket is paused. */
const highWater = 1 << 18;
const resendAfter = 300;
const mostResends = 12;
/** Segments of the guest that are acknowledged together, and milliseconds for which the first of them waits for another, or for data to go along with (RFC 9293, 3.8.6.3). */
const mostHeld = 2;
const holdFor = 1;

export interface TcpPorts {
  /** Sends a segment to the guest; ports are filled in by the owner. */
  send(segment: Omit<TcpSegment, 'sourcePort' | 'destinationPort'>): void;
  timer(milliseconds: number, callback: () => void): () => void;
  /** The connection is over: forget it. */
  closed(): void;
}

type Phase = 'connecting' | 'synReceived' | 'synSent' | 'open' | 'closed';

/** a - b in sequence space. */
function distance(a: number, b: number): number {
  return (a - b) | 0;
}

export class TcpConnection implements ConnectionEvents {
  private phase: Phase;
  private host: HostConnection | undefined;
  /** Next byte expected of the guest. */
  private expected = 0;
  /** Oldest byte that the guest has not acknowledged, and the next to send. */
  private unacknowledged: number;
  private next: number;
  private guestWindow = 0;
  private mss = defaultMss;
  /** Bytes from `unacknowledged` on; SYN and FIN are not in it. */
  private pending: Uint8Array[] = [];
  private pendingBytes = 0;
  private hostEnded = false;
  private finSent = false;
  private guestEnded = false;
  private paused = false;
  private cancelResend: (() => void) | undefined;
  private resends = 0;
  /** Segments of the guest that were taken and not acknowledged yet. */
  private held = 0;
  private cancelHold: (() => void) | undefined;

  private constructor(
    private readonly ports: TcpPorts,
    phase: Phase,
    initialSequence: number,
  ) {
    this.phase = phase;
    this.unacknowledged = initialSequence >>> 0;
    this.next = this.unacknowledged;
  }

  /** A connection that the guest opens by `syn`; `connect` opens the host's side. */
  static fromGuest(
    ports: TcpPorts,
    syn: TcpSegment,
    sequence: number,
    connect: (events: ConnectionEvents) => HostConnection,
  ): TcpConnection {
    const connection = new TcpConnection(ports, 'connecting', sequence);
    connection.takeSyn(syn);
    connection.host = connect(connection);
    return connection;
  }

  /** A connection that came to the host and goes on to the guest. */
  static toGuest(ports: TcpPorts, host: HostConnection, sequence: number): TcpConnection {
    const connection = new TcpConnection(ports, 'synSent', sequence);
    connection.host = host;
    connection.sendSyn();
    return connection;
  }

  private takeSyn(syn: TcpSegment): void {
    this.expected = (syn.sequence + 1) >>> 0;
    this.mss = Math.max(64, Math.min(syn.mss ?? defaultMss, ethernetMss));
    this.guestWindow = syn.window;
  }

  private sendSyn(): void {
    const answer = this.phase === 'synReceived';
    this.next = (this.unacknowledged + 1) >>> 0;
    this.transmit(TcpFlag.syn | (answer ? TcpFlag.ack : 0), this.unacknowledged, new Uint8Array(0), ethernetMss);
    this.armResend();
  }

  private transmit(flags: number, sequence: number, payload: Uint8Array = new Uint8Array(0), mss?: number): void {
    const room = Math.max(0, Math.min(ownWindow, ownWindow - (this.host?.backlog ?? 0)));
    this.held = 0;
    this.ports.send({ sequence, acknowledgment: (flags & TcpFlag.ack) !== 0 ? this.expected : 0, flags, window: room, mss, payload });
  }

  // The host's side.

  connected(): void {
    if (this.phase !== 'connecting') return;
    this.phase = 'synReceived';
    this.sendSyn();
  }

  data(bytes: Uint8Array): void {
    if (this.phase === 'closed' || bytes.length === 0) return;
    this.pending.push(bytes);
    this.pendingBytes += bytes.length;
    if (this.pendingBytes > highWater && !this.paused) {
      this.paused = true;
      this.host?.pause();
    }
    this.push();
  }

  ended(): void {
    this.hostEnded = true;
    this.push();
  }

  /** The host's socket took what was written: the guest may send more. */
  drained(): void {
    if (this.phase === 'open') this.transmit(TcpFlag.ack, this.next);
  }

  /** The host's socket is gone, by an error where the stream had not ended. */
  closed(): void {
    if (this.phase === 'closed' || (this.hostEnded && this.phase === 'open')) return;
    this.abort();
  }

  // The guest's side.

  /** A segment of the guest. */
  receive(segment: TcpSegment): void {
    if (this.phase === 'closed') return;
    if ((segment.flags & TcpFlag.rst) !== 0) {
      this.finish();
      return;
    }
    if (this.phase === 'connecting') return;
    if (this.phase === 'synSent') {
      if ((segment.flags & (TcpFlag.syn | TcpFlag.ack)) !== (TcpFlag.syn | TcpFlag.ack) || segment.acknowledgment !== this.next) return;
      this.takeSyn(segment);
      this.unacknowledged = this.next;
      this.establish();
      this.transmit(TcpFlag.ack, this.next);
      this.push();
      return;
    }
    if ((segment.flags & TcpFlag.syn) !== 0) {
      // Our SYN and ACK was lost, or this is an echo of the first segment.
      if (this.phase === 'synReceived') this.sendSyn();
      else this.transmit(TcpFlag.ack, this.next);
      return;
    }
    if ((segment.flags & TcpFlag.ack) !== 0) this.acknowledge(segment);
    if (this.stillOpen()) this.accept(segment);
    if (this.stillOpen()) this.push();
  }

  private stillOpen(): boolean {
    return this.phase !== 'closed';
  }

  private establish(): void {
    this.phase = 'open';
    this.disarmResend();
  }

  private acknowledge(segment: TcpSegment): void {
    this.guestWindow = segment.window;
    const advance = distance(segment.acknowledgment, this.unacknowledged);
    if (advance <= 0 || distance(segment.acknowledgment, this.next) > 0) return;
    let bytes = advance;
    if (this.phase === 'synReceived') {
      bytes--;
      this.establish();
    }
    this.unacknowledged = segment.acknowledgment;
    this.drop(Math.min(bytes, this.pendingBytes));
    this.disarmResend();
    if (this.unacknowledged !== this.next) this.armResend();
    if (this.paused && this.pendingBytes < highWater / 2) {
      this.paused = false;
      this.host?.resume();
    }
    if (this.finSent && this.unacknowledged === this.next && this.guestEnded) this.finish();
  }

  private drop(count: number): void {
    this.pendingBytes -= count;
    while (count > 0) {
      const first = this.pending[0]!;
      if (first.length > count) {
        this.pending[0] = first.subarray(count);
        return;
      }
      count -= first.length;
      this.pending.shift();
    }
  }

  private accept(segment: TcpSegment): void {
    const offset = distance(this.expected, segment.sequence);
    const fin = (segment.flags & TcpFlag.fin) !== 0;
    const length = segment.payload.length + (fin ? 1 : 0);
    if (length === 0) return;
    // Out of order or seen before: say what is expected; the guest sends it again.
    if (offset < 0 || offset >= length) {
      this.transmit(TcpFlag.ack, this.next);
      return;
    }
    const payload = segment.payload.subarray(offset);
    if (payload.length > 0 && !this.guestEnded) this.host?.write(payload.slice());
    this.expected = (this.expected + length - offset) >>> 0;
    if (fin && !this.guestEnded) {
      this.guestEnded = true;
      this.host?.end();
    }
    if (fin || this.held + 1 >= mostHeld) this.transmit(TcpFlag.ack, this.next);
    else this.hold();
    if (this.finSent && this.unacknowledged === this.next && this.guestEnded) this.finish();
  }

  /**
   * Acknowledges a segment a little later: where the host answers at once, the answer says so, and the guest has one packet less to look at. The timer is not
   * stopped then, as the next segment mostly comes before it is over.
   */
  private hold(): void {
    this.held++;
    this.cancelHold ??= this.ports.timer(holdFor, () => {
      // What the host's sockets have got meanwhile is seen before another timer.
      this.cancelHold = this.ports.timer(0, () => {
        this.cancelHold = undefined;
        if (this.held > 0 && this.phase === 'open') this.transmit(TcpFlag.ack, this.next);
      });
    });
  }

  /** Sends what the guest's window has room for. */
  private push(): void {
    if (this.phase !== 'open' || this.finSent) return;
    for (;;) {
      const sent = distance(this.next, this.unacknowledged);
      const left = this.pendingBytes - sent;
      const room = this.guestWindow - sent;
      if (left <= 0) break;
      const count = Math.min(left, room, this.mss);
      if (count <= 0) break;
      this.transmit(TcpFlag.ack | (count === left ? TcpFlag.psh : 0), this.next, this.slice(sent, count));
      this.next = (this.next + count) >>> 0;
      this.armResend();
    }
    if (this.hostEnded && distance(this.next, this.unacknowledged) === this.pendingBytes) {
      this.transmit(TcpFlag.fin | TcpFlag.ack, this.next);
      this.next = (this.next + 1) >>> 0;
      this.finSent = true;
      this.armResend();
    }
    // A closed window is asked again.
    if (this.pendingBytes > 0) this.armResend();
  }

  private slice(from: number, count: number): Uint8Array {
    const out = new Uint8Array(count);
    let at = -from;
    for (const piece of this.pending) {
      if (at >= count) break;
      if (at + piece.length > 0) {
        const skip = Math.max(0, -at);
        out.set(piece.subarray(skip, skip + count - Math.max(at, 0)), Math.max(at, 0));
      }
      at += piece.length;
    }
    return out;
  }

  private armResend(): void {
    if (this.cancelResend !== undefined) return;
    this.cancelResend = this.ports.timer(resendAfter * Math.min(8, 1 + this.resends), () => {
      this.cancelResend = undefined;
      this.resend();
    });
  }

  private disarmResend(): void {
    this.cancelResend?.();
    this.cancelResend = undefined;
    this.resends = 0;
  }

  private resend(): void {
    if (this.phase === 'closed') return;
    if (++this.resends > mostResends) {
      this.abort();
      return;
    }
    if (this.phase !== 'open') {
      this.sendSyn();
      return;
    }
    const count = Math.min(this.pendingBytes, this.mss, Math.max(1, this.guestWindow));
    if (count > 0) {
      this.transmit(TcpFlag.ack | TcpFlag.psh, this.unacknowledged, this.slice(0, count));
      if (distance(this.next, this.unacknowledged) < count) this.next = (this.unacknowledged + count) >>> 0;
    } else if (this.finSent) this.transmit(TcpFlag.fin | TcpFlag.ack, this.unacknowledged);
    else return;
    this.armResend();
  }

  /** Resets the guest's side and drops the host's. */
  abort(): void {
    if (this.phase === 'closed') return;
    if (this.phase === 'connecting') this.transmit(TcpFlag.rst | TcpFlag.ack, 0);
    else this.transmit(TcpFlag.rst | TcpFlag.ack, this.next);
    this.finish();
  }

  private finish(): void {
    this.disarmResend();
    this.cancelHold?.();
    this.phase = 'closed';
    if (this.guestEnded && this.hostEnded) this.host?.end();
    else this.host?.destroy();
    this.ports.closed();
  }
}
