/** Recorded events as Chrome's trace event format in JSON, which chrome://tracing and ui.perfetto.dev open: a lane for each thread, one for TLS, one for interrupts. */
import { formatCall, formatEvent, formatResult } from '../decode';
import { type SyscallEvent, type TraceEvent } from '../ring';
import { syscallByNumber } from '../syscalls/table';
import { type TraceThread } from './strace';

/** One entry of `traceEvents`; times and durations in microseconds. */
interface ChromeEvent {
  readonly ph: 'X' | 'i' | 'M' | 'B' | 'E';
  readonly name: string;
  readonly pid: 1;
  readonly tid: number;
  readonly ts?: number;
  readonly dur?: number;
  readonly s?: 't';
  readonly cat?: string;
  readonly args?: Readonly<Record<string, unknown>>;
}

/** Lanes beside the threads', far from threads' own numbers. */
const lane = { tls: 1_000_001, extendedState: 1_000_002, interrupts: 1_000_003 } as const;
const laneNames: Readonly<Record<number, string>> = {
  [lane.tls]: 'TLS (FS and GS base)',
  [lane.extendedState]: 'Extended registers',
  [lane.interrupts]: 'Interrupts and exceptions',
};

const hex = (value: bigint): string => `0x${value.toString(16)}`;

/**
 * The document's text. System calls are complete slices on their thread's lane, as long as the guest's clock says; one that never returned lasts until the
 * end of the trace. Everything else is an instant. `image` names the process.
 */
export function toChrome(events: Iterable<TraceEvent>, threadOf: (address: bigint) => TraceThread, image: string): string {
  const list = [...events];
  const end = list.reduce((latest, event) => Math.max(latest, event.kind === 'syscall' ? (event.endTime ?? event.time) : event.time), 0);
  const threads = new Map<number, string>();
  const used = new Set<number>();
  const entries: ChromeEvent[] = [];
  for (const event of list) {
    if (event.kind === 'syscall') {
      const thread = threadOf(event.thread);
      threads.set(thread.id, thread.name);
      entries.push(slice(event, thread.id, end));
    } else {
      const tid = laneOf(event.kind);
      used.add(tid);
      const about = event.thread === 0n ? {} : { thread: threadOf(event.thread).name };
      entries.push({
        ph: 'i',
        s: 't',
        name: shortName(event),
        cat: event.kind,
        pid: 1,
        tid,
        ts: event.time / 1000,
        args: { event: formatEvent(event), instruction: String(event.start), ...about },
      });
    }
  }
  const named = (name: string, tid: number, args: Readonly<Record<string, unknown>>): ChromeEvent => ({ ph: 'M', name, pid: 1, tid, args });
  const header = [
    named('process_name', 0, { name: image }),
    ...[...threads].map(([id, name]) => named('thread_name', id, { name })),
    ...[...used].map((id) => named('thread_name', id, { name: laneNames[id] })),
    ...[...used].map((id) => named('thread_sort_index', id, { sort_index: id })),
  ];
  const lines = [...header, ...entries].map((entry) => JSON.stringify(entry));
  return `{"displayTimeUnit":"ns","traceEvents":[\n${lines.join(',\n')}\n]}\n`;
}

function slice(event: SyscallEvent, tid: number, end: number): ChromeEvent {
  const row = syscallByNumber(event.number);
  const failed = event.result !== undefined && event.result < 0n && event.result >= -4095n;
  return {
    ph: 'X',
    name: row?.name ?? `syscall_${event.number}`,
    cat: [...(row?.classes ?? ['unknown']), event.path, ...(failed ? ['failed'] : [])].join(','),
    pid: 1,
    tid,
    ts: event.time / 1000,
    dur: Math.max(0, (event.endTime ?? end) - event.time) / 1000,
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

const laneOf = (kind: Exclude<TraceEvent, SyscallEvent>['kind']): number =>
  kind === 'segmentBase' ? lane.tls : kind === 'extendedState' ? lane.extendedState : lane.interrupts;

function shortName(event: Exclude<TraceEvent, SyscallEvent>): string {
  switch (event.kind) {
    case 'segmentBase':
      return `${event.number === 4 ? 'fs' : 'gs'} = ${hex(event.value)}`;
    case 'extendedState':
      return event.number === 0 ? 'save' : 'restore';
    case 'interrupt':
      return `interrupt ${hex(BigInt(event.number))}`;
    case 'exception':
      return `exception ${event.number}`;
    case 'interruptReturn':
      return 'iret';
  }
}
