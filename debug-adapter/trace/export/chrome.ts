/** Recorded events as Chrome's trace event format in JSON, which chrome://tracing and ui.perfetto.dev open: lanes for threads, the scheduler, TLS, and interrupts. */
import { formatCall, formatEvent, formatResult } from '../decode';
import { type OtherEvent, type SyscallEvent, type TraceEvent } from '../ring';
import { syscallByNumber } from '../syscalls/table';
import { type TraceThread } from './strace';

/** One entry of `traceEvents`; times in microseconds. */
interface ChromeEvent {
  readonly ph: 'i' | 'M';
  readonly name?: string;
  readonly pid: 1;
  readonly tid: number;
  readonly ts?: number;
  readonly s?: 't';
  readonly cat?: string;
  readonly args?: Readonly<Record<string, unknown>>;
}

/** A stretch of a lane, in nanoseconds. */
interface Slice {
  readonly tid: number;
  readonly from: number;
  /** Undefined where it lasts until the end of the trace. */
  readonly to: number | undefined;
  /** The rest as JSON: name and categories, and what is told of it. */
  readonly title: string;
  readonly args: string;
}

/** Of these there are few: they are written again and again. */
const quoted = new Map<string, string>();
const titleOf = (name: string, cat: string): string => {
  const key = `${name}\n${cat}`;
  let title = quoted.get(key);
  if (title === undefined) quoted.set(key, (title = `"name":${JSON.stringify(name)},"cat":${JSON.stringify(cat)}`));
  return title;
};

/** Lanes beside the threads', far from threads' own numbers. */
const lane = { scheduler: 1_000_001, tls: 1_000_002, extendedState: 1_000_003, interrupts: 1_000_004 } as const;
const laneNames: Readonly<Record<number, string>> = {
  [lane.scheduler]: 'Running thread',
  [lane.tls]: 'TLS (FS base)',
  [lane.extendedState]: 'Extended registers',
  [lane.interrupts]: 'Interrupts and exceptions',
};

const hex = (value: bigint): string => `0x${value.toString(16)}`;

/** Collects events as they come, as the text that they become; those that last until another one, until then. */
export class ChromeWriter {
  readonly #threads = new Map<number, string>();
  readonly #slices: Slice[] = [];
  readonly #instants: ChromeEvent[] = [];
  readonly #others: OtherEvent[] = [];
  #end = 0;

  constructor(private readonly threadOf: (address: bigint) => TraceThread) {}

  add(event: TraceEvent): void {
    const latest = event.kind === 'syscall' ? (event.endTime ?? event.time) : event.time;
    if (latest > this.#end) this.#end = latest;
    if (event.kind === 'syscall') {
      const thread = this.threadOf(event.thread);
      this.#threads.set(thread.id, thread.name);
      this.#slices.push(callSlice(event, thread.id));
      return;
    }
    if (event.kind === 'extendedState') this.#instants.push(instant(event, this.threadOf));
    this.#others.push(event);
  }

  /**
   * The document's text. System calls are slices on their thread's lane, as long as the guest's clock says; one that never returned lasts until the end of
   * the trace. What the processor was busy with is slices too: the running thread, the thread-local block in use, handlers of interrupts. Slices of a lane nest.
   * `image` names the process.
   */
  finish(image: string): string {
    const { threadOf } = this;
    const others = this.#others;
    const slices = [
      ...this.#slices,
      ...stretches(others, 'threadSwitch', lane.scheduler, (event) => threadOf(event.value).name),
      ...stretches(others, 'segmentBase', lane.tls, (event) => blockName(event, threadOf)),
      ...handlers(others),
    ];
    const used = new Set<number>();
    for (const { tid } of slices) if (tid in laneNames) used.add(tid);
    if (this.#instants.length > 0) used.add(lane.extendedState);
    const named = (name: string, tid: number, args: Readonly<Record<string, unknown>>): ChromeEvent => ({
      ph: 'M',
      name,
      pid: 1,
      tid,
      args,
    });
    const header = [
      named('process_name', 0, { name: image }),
      ...[...this.#threads].map(([id, name]) => named('thread_name', id, { name })),
      ...[...used].map((id) => named('thread_name', id, { name: laneNames[id] })),
      ...[...used].map((id) => named('thread_sort_index', id, { sort_index: id })),
    ];
    const text = (entry: ChromeEvent): string => JSON.stringify(entry);
    const lines = [header.map(text), nested(slices, this.#end), this.#instants.map(text)].flat();
    return `{"displayTimeUnit":"ns","traceEvents":[\n${lines.join(',\n')}\n]}\n`;
  }
}

/** The whole document at once; see `ChromeWriter.finish`. */
export function toChrome(events: Iterable<TraceEvent>, threadOf: (address: bigint) => TraceThread, image: string): string {
  const writer = new ChromeWriter(threadOf);
  for (const event of events) writer.add(event);
  return writer.finish(image);
}

function callSlice(event: SyscallEvent, tid: number): Slice {
  const row = syscallByNumber(event.number);
  const { path, start, end, result } = event;
  const failed = result !== undefined && result < 0n && result >= -4095n ? ',failed' : '';
  const length = end === undefined ? '' : `,"instructions":${end - start}`;
  const call = `"call":${JSON.stringify(formatCall(event))},"result":${JSON.stringify(formatResult(event))}`;
  const from = hex(path === 'binary' ? event.rip : event.caller);
  return {
    tid,
    from: event.time,
    to: event.endTime === undefined ? undefined : Math.max(event.time, event.endTime),
    title: titleOf(row?.name ?? `syscall_${event.number}`, `${row?.classes.join(',') ?? 'unknown'},${path}${failed}`),
    args: `{${call},"path":"${path}","instruction":"${start}"${length},"from":"${from}"}`,
  };
}

/** What is told of an event of another kind. */
const argsOf = (event: OtherEvent): string => JSON.stringify({ event: formatEvent(event), instruction: String(event.start) });

/** What began with one event of a kind lasts until the next. */
function stretches(events: readonly OtherEvent[], kind: OtherEvent['kind'], tid: number, name: (event: OtherEvent) => string): Slice[] {
  const own = events.filter((event) => event.kind === kind && (kind !== 'segmentBase' || event.number === 4));
  return own.map((event, index) => ({
    tid,
    from: event.time,
    to: own[index + 1]?.time,
    title: titleOf(name(event), event.owner === undefined ? kind : `${kind},${event.owner}`),
    args: argsOf(event),
  }));
}

function blockName(event: OtherEvent, threadOf: (address: bigint) => TraceThread): string {
  const thread = event.thread === 0n ? '' : ` of ${threadOf(event.thread).name}`;
  return event.owner === undefined ? hex(event.value) : `${event.owner === 'kernel' ? 'Unikraft' : 'program'} TLS${thread}`;
}

/** Handlers from delivery to their return; one that never came back lasts until the end. */
function handlers(events: readonly OtherEvent[]): Slice[] {
  const open: OtherEvent[] = [];
  const slices: Slice[] = [];
  const close = (event: OtherEvent, to: number | undefined): void => {
    const interrupt = event.kind === 'interrupt';
    slices.push({
      tid: lane.interrupts,
      from: event.time,
      to,
      title: titleOf(interrupt ? `interrupt ${hex(BigInt(event.number))}` : `exception ${event.number}`, event.kind),
      args: argsOf(event),
    });
  };
  const hasReturns = events.some(({ kind }) => kind === 'interruptReturn');
  for (const event of events) {
    if (event.kind === 'interruptReturn') {
      const begun = open.pop();
      if (begun !== undefined) close(begun, event.time);
    } else if (event.kind === 'interrupt' || event.kind === 'exception') {
      // Without recorded returns nobody knows how long it took.
      if (hasReturns) open.push(event);
      else close(event, event.time);
    }
  }
  for (const event of open) close(event, undefined);
  return slices;
}

function instant(event: OtherEvent, threadOf: (address: bigint) => TraceThread): ChromeEvent {
  const about = event.thread === 0n ? {} : { thread: threadOf(event.thread).name };
  return {
    ph: 'i',
    s: 't',
    name: `${event.number === 0 ? 'save' : 'restore'}${event.owner === undefined ? '' : ` (${event.owner})`}`,
    cat: event.kind,
    pid: 1,
    tid: lane.extendedState,
    ts: event.time / 1000,
    args: { event: formatEvent(event), instruction: String(event.start), ...about },
  };
}

/** Begins and ends in the order of time, lane by lane, as JSON; a slice ends no later than the one that it began in, as viewers demand. `end` is the end of the trace. */
function nested(slices: readonly Slice[], end: number): string[] {
  const lanes = new Map<number, Slice[]>();
  for (const slice of slices) {
    const own = lanes.get(slice.tid);
    if (own === undefined) lanes.set(slice.tid, [slice]);
    else own.push(slice);
  }
  const out: string[] = [];
  for (const [tid, own] of lanes) {
    const open: number[] = [];
    const endUntil = (time: number): void => {
      for (let last = open.at(-1); last !== undefined && last <= time; last = open.at(-1)) {
        out.push(`{"ph":"E","pid":1,"tid":${tid},"ts":${last / 1000}}`);
        open.pop();
      }
    };
    const endOf = ({ from, to = end }: Slice): number => Math.max(from, to);
    own.sort((a, b) => a.from - b.from || endOf(b) - endOf(a));
    for (const slice of own) {
      const { from, title, args } = slice;
      endUntil(from);
      out.push(`{"ph":"B",${title},"pid":1,"tid":${tid},"ts":${from / 1000},"args":${args}}`);
      open.push(Math.min(endOf(slice), open.at(-1) ?? Infinity));
    }
    endUntil(Infinity);
  }
  return out;
}
