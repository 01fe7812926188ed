/** Pages through a session's event ring for whoever looks: filtered events, the open call of a thread, counts, and whole traces in other tools' formats. */
import { formatCall, formatEvent } from '../trace/decode';
import { toChrome } from '../trace/export/chrome';
import { toStrace, type TraceThread } from '../trace/export/strace';
import { type EventFilter, parseFilter } from '../trace/filter';
import { type EventRing, type TraceEvent } from '../trace/ring';
import { type SyscallSummary, summarize } from '../trace/summary';

/** A part of the ring. */
export interface TracePage {
  readonly events: readonly { readonly event: TraceEvent; readonly text: string; readonly thread: TraceThread }[];
  readonly next: number;
  readonly oldest: number;
  readonly total: number;
}

const mostEvents = 5000;
/** Events looked at, newest first, to find a thread's open call. */
const openSearch = 512;

export class TraceLog {
  constructor(
    readonly ring: EventRing,
    private readonly threadOf: (address: bigint) => TraceThread,
  ) {}

  /** Events from sequence number `from` on, or the newest `limit` ones that the filter lets through. */
  page(from: number | undefined, limit: number, filter: string): TracePage {
    const { ring } = this;
    const accepts = this.#filter(filter);
    const wanted = Math.min(Math.max(Math.floor(limit), 1), mostEvents);
    const found: TraceEvent[] = [];
    let next = ring.head;
    if (from === undefined) {
      for (let sequence = ring.head - 1; sequence >= ring.tail && found.length < wanted; sequence--) {
        const event = ring.read(sequence);
        if (event !== undefined && accepts(event)) found.unshift(event);
      }
    } else {
      let sequence = Math.max(Math.floor(from), ring.tail);
      for (; sequence < ring.head && found.length < wanted; sequence++) {
        const event = ring.read(sequence);
        if (event !== undefined && accepts(event)) found.push(event);
      }
      next = sequence;
    }
    const events = found.map((event) => ({ event, text: formatEvent(event), thread: this.threadOf(event.thread) }));
    return { events, next, oldest: ring.tail, total: ring.head };
  }

  summary(filter: string): readonly SyscallSummary[] {
    return summarize(this.#events(filter));
  }

  /** The system call that a thread is in, without its result; undefined where it is in none. */
  openCall(thread: bigint): string | undefined {
    const { ring } = this;
    for (let sequence = ring.head - 1; sequence >= Math.max(ring.tail, ring.head - openSearch); sequence--) {
      const event = ring.read(sequence);
      if (event?.kind !== 'syscall' || event.thread !== thread) continue;
      return event.result === undefined ? formatCall(event) : undefined;
    }
    return undefined;
  }

  /** Address of the code that made a recorded call, or at which another event happened; undefined where the event is gone. */
  place(sequence: number): bigint | undefined {
    const event = this.ring.read(sequence);
    if (event === undefined) return undefined;
    return event.kind === 'syscall' && event.path === 'compiled-in' && event.caller !== 0n ? event.caller - 1n : event.rip;
  }

  /** Everything kept, as text. `image` names the process in Chrome's format. */
  export(format: 'strace' | 'chrome', filter: string, image: string): string {
    return format === 'chrome' ? toChrome(this.#events(filter), this.threadOf, image) : toStrace(this.#events(filter), this.threadOf);
  }

  *#events(filter: string): Generator<TraceEvent> {
    const accepts = this.#filter(filter);
    for (let sequence = this.ring.tail; sequence < this.ring.head; sequence++) {
      const event = this.ring.read(sequence);
      if (event !== undefined && accepts(event)) yield event;
    }
  }

  #filter(text: string): (event: TraceEvent) => boolean {
    const filter: EventFilter = parseFilter(text);
    return text.trim() === '' ? () => true : (event) => filter(event, this.threadOf(event.thread).name);
  }
}
