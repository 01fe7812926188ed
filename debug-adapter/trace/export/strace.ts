/** Recorded system calls as the text that strace writes (strace(1)): a line a call in the order of their beginnings, split where another thread's comes between. */
import { formatCall, formatResult, splitCall, withResult } from '../decode';
import { type SyscallEvent, type TraceEvent } from '../ring';
import { syscallByNumber } from '../syscalls/table';

/** How the exporters call a thread, by the address of its control block. */
export interface TraceThread {
  readonly id: number;
  readonly name: string;
}

/** What of strace's options changes its lines. */
export interface StraceOptions {
  /** `-f`: each line begins with the thread's number. */
  readonly threads: boolean;
  /** `-t`, `-tt`, `-ttt`, `-r`: time of day in seconds, with microseconds, Unix time, or since the line before. */
  readonly times: 'none' | 'seconds' | 'micro' | 'unix' | 'relative';
  /** `-T`: the time that each call took. */
  readonly durations: boolean;
  /** `-y`: paths behind descriptors. */
  readonly paths: boolean;
  /** Time at reset in nanoseconds of Unix time. */
  readonly start: number;
}

/** What `strace -f -tt` does. */
export const usualStrace: StraceOptions = { threads: true, times: 'micro', durations: false, paths: false, start: 0 };

const nanosecondsPerDay = 86_400_000_000_000;
const digits = (value: number, length: number): string => String(value).padStart(length, '0');

/** `000` to `999`. */
const threeDigits = Array.from({ length: 1000 }, (_, value) => digits(value, 3));
/** The second that was written last. */
const lastSecond = { second: -1, text: '' };

/** `12:34:56.123456` of a time of day in nanoseconds. */
export function timeOfDay(nanoseconds: number): string {
  const micro = Math.floor((nanoseconds % nanosecondsPerDay) / 1000);
  const second = Math.floor(micro / 1e6);
  if (lastSecond.second !== second) Object.assign(lastSecond, { second, text: `${secondsOfDay(nanoseconds)}.` });
  const rest = micro - second * 1e6;
  const milli = Math.floor(rest / 1000);
  return lastSecond.text + threeDigits[milli]! + threeDigits[rest - milli * 1000]!;
}

function secondsOfDay(nanoseconds: number): string {
  const seconds = Math.floor((nanoseconds % nanosecondsPerDay) / 1e9);
  return `${digits(Math.floor(seconds / 3600), 2)}:${digits(Math.floor(seconds / 60) % 60, 2)}:${digits(seconds % 60, 2)}`;
}

/** Seconds with six decimals. */
const decimal = (nanoseconds: number): string => `${Math.floor(nanoseconds / 1e9)}.${digits(Math.floor((nanoseconds % 1e9) / 1000), 6)}`;

/** Turns calls into lines as they come. A call is handed over once when it begins and, unless it never returns, once when it is over. */
export class StraceWriter {
  readonly #options: StraceOptions;
  #last: number | undefined;
  /** The call whose line is not finished: its text so far, and its sequence number. */
  #open: { readonly sequence: number; readonly event: SyscallEvent; readonly thread: TraceThread } | undefined;
  /** Of the newest line. */
  #newest: { readonly address: bigint; readonly thread: TraceThread } | undefined;
  /** Calls that were left unfinished for another's line. */
  readonly #split = new Set<number>();

  constructor(
    private readonly threadOf: (address: bigint) => TraceThread,
    private readonly write: (line: string) => void,
    options: Partial<StraceOptions> = {},
  ) {
    this.#options = { ...usualStrace, ...options };
  }

  begin(event: SyscallEvent): void {
    this.#interrupt();
    this.#open = { sequence: event.sequence, event, thread: this.threadOf(event.thread) };
    if (syscallByNumber(event.number)?.result === 'never') this.#never(event);
  }

  /** A call that was over before anything else was: `begin` and `end` in one. */
  whole(event: SyscallEvent): void {
    this.#interrupt();
    const { paths } = this.#options;
    this.#line(this.#threadOf(event), event.time, formatCall(event, paths), formatResult(event, paths) + this.#took(event));
  }

  #threadOf(event: SyscallEvent): TraceThread {
    const newest = this.#newest;
    if (newest?.address === event.thread) return newest.thread;
    return (this.#newest = { address: event.thread, thread: this.threadOf(event.thread) }).thread;
  }

  #took({ time, endTime }: SyscallEvent): string {
    return this.#options.durations && endTime !== undefined ? ` <${decimal(endTime - time)}>` : '';
  }

  end(event: SyscallEvent): void {
    if (this.#open?.sequence === event.sequence) {
      this.#open = undefined;
      this.whole(event);
      return;
    }
    const thread = this.#threadOf(event);
    const took = this.#took(event);
    if (!this.#split.delete(event.sequence)) return;
    this.#interrupt();
    const name = syscallByNumber(event.number)?.name ?? `syscall_${event.number}`;
    const rest = splitCall(event, this.#options.paths)[1];
    this.#line(thread, event.endTime ?? event.time, `<... ${name} resumed>${rest}`, `${formatResult(event, this.#options.paths)}${took}`);
  }

  /** The trace is over: calls that never returned have no result. */
  close(): void {
    const open = this.#open;
    this.#open = undefined;
    if (open !== undefined) this.#plain(open.thread, open.event.time, `${splitCall(open.event, this.#options.paths)[0]} <unfinished ...>`);
  }

  /** exit and exit_group end the thread's lines. */
  #never(event: SyscallEvent): void {
    const thread = this.threadOf(event.thread);
    this.#open = undefined;
    this.#line(thread, event.time, formatCall(event, this.#options.paths), '?');
    this.#plain(thread, event.time, `+++ exited with ${Number((event.args[0] ?? 0n) & 0xffn)} +++`);
  }

  /** Another line comes: the open call's is left unfinished. */
  #interrupt(): void {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    this.#split.add(open.sequence);
    this.#plain(open.thread, open.event.time, `${splitCall(open.event, this.#options.paths)[0]} <unfinished ...>`);
  }

  #line(thread: TraceThread, time: number, call: string, result: string): void {
    this.write(withResult(this.#prefix(thread, time) + call, result));
  }

  #plain(thread: TraceThread, time: number, text: string): void {
    this.write(`${this.#prefix(thread, time)}${text}`);
  }

  #prefix({ id }: TraceThread, time: number): string {
    const { threads, times, start } = this.#options;
    const now = start + time;
    const since = this.#last === undefined ? 0 : Math.max(0, now - this.#last);
    this.#last = now;
    const pid = threads ? `${String(id).padEnd(5)} ` : '';
    switch (times) {
      case 'none':
        return pid;
      case 'seconds':
        return `${pid}${secondsOfDay(now)} `;
      case 'micro':
        return `${pid}${timeOfDay(now)} `;
      case 'unix':
        return `${pid}${decimal(now)} `;
      case 'relative':
        return `${pid}${decimal(since).padStart(13)} `;
    }
  }
}

/** The whole trace. Events other than system calls have no line in this format. */
export function toStrace(
  events: Iterable<TraceEvent>,
  threadOf: (address: bigint) => TraceThread,
  options: Partial<StraceOptions> = {},
): string {
  const lines: string[] = [];
  const writer = new StraceWriter(threadOf, (line) => lines.push(line), options);
  const moments = [...events].flatMap((event) => {
    if (event.kind !== 'syscall') return [];
    const begin = { at: event.start, order: event.sequence, event, over: false };
    return event.end === undefined ? [begin] : [begin, { at: event.end, order: -1, event, over: true }];
  });
  // What returns at the same instruction count that another call begins at was over before.
  moments.sort((a, b) => (a.at === b.at ? a.order - b.order : a.at < b.at ? -1 : 1));
  for (const { event, over } of moments) {
    if (over) writer.end(event);
    else writer.begin({ ...event, result: undefined });
  }
  writer.close();
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}
