/** Recorded events as Chrome's trace event format in JSON, which chrome://tracing and ui.perfetto.dev open: lanes for threads, the scheduler, TLS, and interrupts. */
import { formatCall, formatEvent, formatResult } from '../decode';
import { type OtherEvent, type SyscallEvent, type TraceEvent } from '../ring';
import { syscallByNumber } from '../syscalls/table';
import { type TraceThread } from './strace';

/** One entry of `traceEvents`; times in microseconds. */
interface ChromeEvent {
  readonly ph: 'B' | 'E' | 'i' | 'M';
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
  readonly to: number;
  readonly name: string;
  readonly cat: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/** Lanes beside the threads', far from threads' own numbers. */
const lane = { scheduler: 1_000_001, tls: 1_000_002, extendedState: 1_000_003, interrupts: 1_000_004 } as const;
const laneNames: Readonly<Record<number, string>> = {
  [lane.scheduler]: 'Running thread',
  [lane.tls]: 'TLS (FS base)',
  [lane.extendedState]: 'Extended registers',
  [lane.interrupts]: 'Interrupts and exceptions',
};

const hex = (value: bigint): string => `0x${value.toString(16)}`;

/**
 * The document's text. System calls are slices on their thread's lane, as long as the guest's clock says; one that never returned lasts until the end of
 * the trace. What the processor was busy with is slices too: the running thread, the thread-local block in use, handlers of interrupts. Slices of a lane nest.
 * `image` names the process.
 */
export function toChrome(events: Iterable<TraceEvent>, threadOf: (address: bigint) => TraceThread, image: string): string {
  const list = [...events];
  const end = list.reduce((latest, event) => Math.max(latest, event.kind === 'syscall' ? (event.endTime ?? event.time) : event.time), 0);
  const threads = new Map<number, string>();
  const slices: Slice[] = [];
  const instants: ChromeEvent[] = [];
  for (const event of list) {
    if (event.kind === 'syscall') {
      const thread = threadOf(event.thread);
      threads.set(thread.id, thread.name);
      slices.push(callSlice(event, thread.id, end));
    } else if (event.kind === 'extendedState') instants.push(instant(event, threadOf));
  }
  const others = list.filter((event): event is OtherEvent => event.kind !== 'syscall');
  slices.push(...stretches(others, 'threadSwitch', lane.scheduler, end, (event) => threadOf(event.value).name));
  slices.push(...stretches(others, 'segmentBase', lane.tls, end, (event) => blockName(event, threadOf)));
  slices.push(...handlers(others, end));
  const used = new Set([...slices, ...instants].map(({ tid }) => tid).filter((tid) => tid in laneNames));
  const named = (name: string, tid: number, args: Readonly<Record<string, unknown>>): ChromeEvent => ({ ph: 'M', name, pid: 1, tid, args });
  const header = [
    named('process_name', 0, { name: image }),
    ...[...threads].map(([id, name]) => named('thread_name', id, { name })),
    ...[...used].map((id) => named('thread_name', id, { name: laneNames[id] })),
    ...[...used].map((id) => named('thread_sort_index', id, { sort_index: id })),
  ];
  const lines = [...header, ...nested(slices), ...instants].map((entry) => JSON.stringify(entry));
  return `{"displayTimeUnit":"ns","traceEvents":[\n${lines.join(',\n')}\n]}\n`;
}

function callSlice(event: SyscallEvent, tid: number, end: number): Slice {
  const row = syscallByNumber(event.number);
  const failed = event.result !== undefined && event.result < 0n && event.result >= -4095n;
  return {
    tid,
    from: event.time,
    to: Math.max(event.time, event.endTime ?? end),
    name: row?.name ?? `syscall_${event.number}`,
    cat: [...(row?.classes ?? ['unknown']), event.path, ...(failed ? ['failed'] : [])].join(','),
    args: {
      call: formatCall(event),
      result: formatResult(event),
      path: event.path,
      instruction: String(event.start),
      ...(event.end === undefined ? {} : { instructions: Number(event.end - event.start) }),
      from: hex(event.path === 'binary' ? event.rip : event.caller),
    },
  };
}

/** What began with one event of a kind lasts until the next. */
function stretches(
  events: readonly OtherEvent[],
  kind: OtherEvent['kind'],
  tid: number,
  end: number,
  name: (event: OtherEvent) => string,
): Slice[] {
  const own = events.filter((event) => event.kind === kind && (kind !== 'segmentBase' || event.number === 4));
  return own.map((event, index) => ({
    tid,
    from: event.time,
    to: own[index + 1]?.time ?? end,
    name: name(event),
    cat: event.owner === undefined ? kind : `${kind},${event.owner}`,
    args: { event: formatEvent(event), instruction: String(event.start) },
  }));
}

function blockName(event: OtherEvent, threadOf: (address: bigint) => TraceThread): string {
  const thread = event.thread === 0n ? '' : ` of ${threadOf(event.thread).name}`;
  return event.owner === undefined ? hex(event.value) : `${event.owner === 'kernel' ? 'Unikraft' : 'program'} TLS${thread}`;
}

/** Handlers from delivery to their return; one that never came back lasts until the end. */
function handlers(events: readonly OtherEvent[], end: number): Slice[] {
  const open: OtherEvent[] = [];
  const slices: Slice[] = [];
  const close = (event: OtherEvent, to: number): void => {
    const interrupt = event.kind === 'interrupt';
    slices.push({
      tid: lane.interrupts,
      from: event.time,
      to,
      name: interrupt ? `interrupt ${hex(BigInt(event.number))}` : `exception ${event.number}`,
      cat: event.kind,
      args: { event: formatEvent(event), instruction: String(event.start) },
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
  for (const event of open) close(event, end);
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

/** Begins and ends in the order of time, lane by lane; a slice ends no later than the one that it began in, as viewers demand. */
function nested(slices: readonly Slice[]): ChromeEvent[] {
  const out: ChromeEvent[] = [];
  for (const tid of new Set(slices.map((slice) => slice.tid))) {
    const open: number[] = [];
    const endUntil = (time: number): void => {
      for (let last = open.at(-1); last !== undefined && last <= time; last = open.at(-1)) {
        out.push({ ph: 'E', pid: 1, tid, ts: last / 1000 });
        open.pop();
      }
    };
    const own = slices.filter((slice) => slice.tid === tid).sort((a, b) => a.from - b.from || b.to - a.to);
    for (const { from, to, name, cat, args } of own) {
      endUntil(from);
      out.push({ ph: 'B', name, cat, pid: 1, tid, ts: from / 1000, args });
      open.push(Math.min(to, open.at(-1) ?? Infinity));
    }
    endUntil(Infinity);
  }
  return out;
}
