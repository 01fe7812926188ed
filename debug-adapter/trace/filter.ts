/** The filter that the views and exporters share: words, each of which an event must satisfy; strace's names of classes, and a few of its own. */
import { formatSyscall } from './decode';
import { type TraceEvent } from './ring';
import { errnoOf } from './syscalls/errno';
import { syscallByNumber } from './syscalls/table';

/** Tests one event; `thread` is the name of its thread. */
export type EventFilter = (event: TraceEvent, thread: string) => boolean;

const kinds: Readonly<Record<string, readonly TraceEvent['kind'][]>> = {
  syscall: ['syscall'],
  syscalls: ['syscall'],
  tls: ['segmentBase'],
  switch: ['threadSwitch'],
  ectx: ['extendedState'],
  irq: ['interrupt', 'interruptReturn'],
  exception: ['exception'],
};

/**
 * Understands: a call's name (`write`, `open*`), a class (`%file`), an error (`-ENOENT`), `failed`, `binary`, `native`, `thread:NAME`, kinds of other
 * events (`tls`, `ectx`, `irq`, `exception`), several of these with commas between (any of them), `!` before a word (not). Other words are looked for in the line.
 */
export function parseFilter(text: string): EventFilter {
  const words = text.trim().split(/\s+/).filter(Boolean).map(parseWord);
  return (event, thread) => words.every((word) => word(event, thread));
}

function parseWord(word: string): EventFilter {
  if (word.startsWith('!') && word.length > 1) {
    const inner = parseWord(word.slice(1));
    return (event, thread) => !inner(event, thread);
  }
  if (word.includes(',')) {
    const any = word.split(',').filter(Boolean).map(parseWord);
    return (event, thread) => any.some((each) => each(event, thread));
  }
  const lower = word.toLowerCase();
  const wanted = Object.hasOwn(kinds, lower) ? kinds[lower]! : undefined;
  if (wanted !== undefined) return (event) => wanted.includes(event.kind);
  if (lower.startsWith('thread:')) return (_event, thread) => thread.toLowerCase().includes(lower.slice('thread:'.length));
  if (lower.startsWith('%')) {
    return (event) => event.kind === 'syscall' && (syscallByNumber(event.number)?.classes.some((each) => each === lower.slice(1)) ?? false);
  }
  if (lower === 'failed') return (event) => errorOf(event) !== undefined;
  if (/^-e[a-z0-9]+$/.test(lower)) return (event) => errnoOf(errorOf(event) ?? 0)?.name.toLowerCase() === lower.slice(1);
  if (lower === 'binary') return (event) => event.kind === 'syscall' && event.path === 'binary';
  if (lower === 'native') return (event) => event.kind === 'syscall' && event.path === 'compiled-in';
  const name = new RegExp(`^${lower.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`);
  return (event) => {
    if (event.kind !== 'syscall') return false;
    const row = syscallByNumber(event.number);
    return (row !== undefined && name.test(row.name)) || formatSyscall(event).toLowerCase().includes(lower);
  };
}

/** The error number of a call that failed. */
function errorOf(event: TraceEvent): number | undefined {
  if (event.kind !== 'syscall' || event.result === undefined) return undefined;
  return event.result < 0n && event.result >= -4095n ? Number(-event.result) : undefined;
}
