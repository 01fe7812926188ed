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

/** A window of the rows that a filter lets through; row 0 is the oldest that is kept. */
export interface TraceRows {
  readonly start: number;
  readonly events: TracePage['events'];
  readonly total: number;
  /** Rows that matched and are no longer kept. */
  readonly dropped: number;
  readonly recorded: number;
  readonly lost: number;
  /** The search is not at its end yet. */
  readonly partial: boolean;
}

/** Sequence numbers that one filter let through, as far as it looked. */
interface FilterIndex {
  readonly filter: string;
  matches: number[];
  /** Matches before the first of `matches`. */
  dropped: number;
  next: number;
  /** Calls that were open when they were looked at: the filter may think otherwise of them now. */
  readonly epoch: number;
}

const mostEvents = 5000;
/** Milliseconds that a search may keep the guest waiting. */
const searchMilliseconds = 12;
/** Events looked at between two looks at the clock. */
const searchTurn = 256;
/** Events looked at, newest first, to find a thread's open call. */
const openSearch = 512;

export class TraceLog {
  constructor(
    readonly ring: EventRing,
    private readonly threadOf: (address: bigint) => TraceThread,
    /** Milliseconds, monotonic. */
    private readonly now: () => number = () => 0,
  ) {}

  #index: FilterIndex | undefined;
  #epoch = 0;

  /** Events that were found may be gone: history took another way. */
  changed(): void {
    this.#epoch++;
  }

  /** Rows `start` to `start + count` of those that the filter lets through; a `start` beyond them all asks for the last ones. */
  rows(filter: string, start: number, count: number): TraceRows {
    const { ring } = this;
    const wanted = Math.min(Math.max(Math.floor(count), 1), mostEvents);
    // Of all events there is nothing to be found out.
    if (filter.trim() === '' && ring.isWhole) return this.#allRows(start, wanted);
    const index = this.#search(filter);
    const total = index.matches.length;
    const from = Math.max(0, Math.min(Math.floor(start), total - wanted));
    const events = index.matches.slice(from, from + wanted).flatMap((sequence) => {
      const event = ring.read(sequence);
      return event === undefined ? [] : [this.#present(event)];
    });
    return { start: from, events, total, dropped: index.dropped, recorded: ring.head, lost: ring.tail, partial: index.next < ring.head };
  }

  #allRows(start: number, wanted: number): TraceRows {
    const { ring } = this;
    const { head, tail } = ring;
    const total = head - tail;
    const from = Math.max(0, Math.min(Math.floor(start), total - wanted));
    const events = Array.from({ length: Math.min(wanted, total) }, (_, i) => this.#present(ring.read(tail + from + i)!));
    return { start: from, events, total, dropped: tail, recorded: head, lost: tail, partial: false };
  }

  /** Goes on with the search for what a filter lets through, for some milliseconds. */
  #search(filter: string): FilterIndex {
    const { ring } = this;
    let index = this.#index;
    if (index?.filter !== filter || index.epoch !== this.#epoch)
      this.#index = index = { filter, matches: [], dropped: 0, next: 0, epoch: this.#epoch };
    const accepts = this.#acceptsAt(filter);
    const deadline = this.now() + searchMilliseconds;
    index.next = Math.max(index.next, ring.tail);
    for (let turn = 1; index.next < ring.head; index.next++, turn++) {
      if (accepts(index.next)) index.matches.push(index.next);
      if (turn % searchTurn === 0 && this.now() > deadline) break;
    }
    const { matches } = index;
    let gone = 0;
    while (gone < matches.length && matches[gone]! < ring.tail) gone++;
    if (gone > 0) {
      index.matches = matches.slice(gone);
      index.dropped += gone;
    }
    return index;
  }

  #present(event: TraceEvent): TracePage['events'][number] {
    return { event, text: formatEvent(event), thread: this.threadOf(event.thread) };
  }

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
    const events = found.map((event) => this.#present(event));
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

  /** The same by sequence number; events that are gone are let through by none. */
  #acceptsAt(text: string): (sequence: number) => boolean {
    const { ring } = this;
    if (text.trim() === '') return (sequence) => ring.has(sequence);
    const accepts = this.#filter(text);
    return (sequence) => {
      const event = ring.read(sequence);
      return event !== undefined && accepts(event);
    };
  }

  #filter(text: string): (event: TraceEvent) => boolean {
    const filter: EventFilter = parseFilter(text);
    return text.trim() === '' ? () => true : (event) => filter(event, this.threadOf(event.thread).name);
  }
}
