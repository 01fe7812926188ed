/** Custom requests on what the guest is: its threads, their TLS, its recorded system calls. */
import { type SourceLocation } from '../control/api';
import { type GuestThreadDetails, type GuestTlsBlock } from '../control/guest';
import { type TracePage } from '../control/trace-log';
import { formatResult } from '../trace/decode';
import { syscallByNumber } from '../trace/syscalls/table';
import { type Allocator } from '../guest/allocators';
import {
  type AllocatorDetails,
  type CustomRequests,
  type EventDetails,
  type SourcePlace,
  type ThreadDetails,
  type TlsBlock,
} from './custom';
import { formatAddress } from './format';
import { type Handlers } from './handler';

const defaultPage = 200;

export const guestHandlers: Pick<Handlers, keyof CustomRequests> = {
  'unikernel/threads': async (adapter) => {
    const { threads, notes, queues } = await adapter.debugger.guestThreads();
    return { threads: threads.map((each) => threadDetails(each)), notes, queues, scheduler: threads.length > 0 };
  },

  'unikernel/allocators': async (adapter) => {
    const { allocators, counted } = await adapter.debugger.guestAllocators();
    return { counted, allocators: allocators.map(allocatorDetails) };
  },

  'unikernel/tests': async (adapter) => ({
    suites: (await adapter.debugger.guestTests()).map(({ name, state, cases }) => ({
      name,
      state,
      cases: cases.map(({ location, description, address: _address, file: _file, ...rest }) => ({
        ...rest,
        ...(description === undefined ? {} : { description }),
        ...(location === undefined ? {} : { place: place(location) }),
      })),
    })),
  }),

  'unikernel/tls': async (adapter, args) => {
    const blocks = await adapter.debugger.guestTls(args?.threadId);
    return {
      blocks: blocks.map(({ variables, ...block }) => ({
        ...tlsBlock(block),
        variables: variables.map((each) => ({ ...each, address: formatAddress(each.address) })),
      })),
    };
  },

  'unikernel/syscalls': async (adapter, args) => {
    const { from, limit = defaultPage, filter = '' } = args ?? {};
    const { events, ...rest } = await adapter.debugger.traceEvents(from, limit, filter);
    return { ...rest, events: events.map(eventDetails) };
  },

  'unikernel/traceRows': async (adapter, { filter = '', start, count }) => {
    const { events, ...rest } = await adapter.debugger.traceRows(filter, start, count);
    return { ...rest, events: events.map(eventDetails) };
  },

  'unikernel/syscallSummary': async (adapter, args) => ({ rows: await adapter.debugger.traceSummary(args?.filter ?? '') }),

  'unikernel/eventPlace': async (adapter, args) => {
    const { location, ...rest } = await adapter.debugger.tracePlace(args.sequence);
    return { ...rest, ...(location === undefined ? {} : { place: place(location) }) };
  },

  'unikernel/exportTrace': async (adapter, args) => {
    return { text: await adapter.debugger.exportTrace(args.format, args.filter ?? '') };
  },
};

/** Lines and columns of custom requests count from 1 for every client. */
const place = ({ path, line, column }: SourceLocation): SourcePlace => ({ path, line, column: Math.max(column, 1) });

function threadDetails({ id, thread, pc, sp, where, location, syscall, waitsFor, extended, tls }: GuestThreadDetails): ThreadDetails {
  const used = extended.filter(({ bytes }) => bytes.some((byte) => byte !== 0));
  return {
    id,
    name: thread.name,
    state: thread.state,
    current: thread.current,
    address: formatAddress(thread.address),
    flags: thread.flags,
    executed: Number(thread.executed),
    pc: formatAddress(pc),
    sp: formatAddress(sp),
    tls: tls.map(tlsBlock),
    ...(where === undefined ? {} : { where }),
    ...(location === undefined ? {} : { place: place(location) }),
    ...(syscall === undefined ? {} : { syscall }),
    ...(thread.wakeup === undefined ? {} : { wakeup: Number(thread.wakeup) }),
    ...(thread.stack === 0n ? {} : { stack: formatAddress(thread.stack) }),
    ...(thread.auxStack === 0n ? {} : { auxStack: formatAddress(thread.auxStack) }),
    ...(thread.ectx === 0n ? {} : { extendedState: formatAddress(thread.ectx) }),
    ...(waitsFor === undefined ? {} : { waitsFor }),
    ...(used.length === 0
      ? {}
      : {
          extendedRegisters: used.map(({ name, bytes }) => ({
            name,
            value: `0x${[...bytes]
              .reverse()
              .map((byte) => byte.toString(16).padStart(2, '0'))
              .join('')}`,
          })),
        }),
  };
}

const allocatorDetails = ({ address, kind, isDefault, total, free, statistics }: Allocator): AllocatorDetails => ({
  address: formatAddress(address),
  kind,
  isDefault,
  ...(total === undefined ? {} : { total: Number(total) }),
  ...(free === undefined ? {} : { free: Number(free) }),
  ...(statistics === undefined
    ? {}
    : {
        statistics: {
          allocations: Number(statistics.allocations),
          frees: Number(statistics.frees),
          live: Number(statistics.live),
          used: Number(statistics.used),
          mostUsed: Number(statistics.mostUsed),
          failures: Number(statistics.failures),
        },
      }),
});

const tlsBlock = ({ owner, pointer, active, base, size }: GuestTlsBlock): TlsBlock => ({
  owner,
  pointer: formatAddress(pointer),
  active,
  ...(base === undefined ? {} : { base: formatAddress(base) }),
  ...(size === undefined ? {} : { size }),
});

function eventDetails({ event, text, thread }: TracePage['events'][number]): EventDetails {
  const base = {
    sequence: event.sequence,
    kind: event.kind,
    text,
    time: event.time,
    instruction: String(event.start),
    thread: { id: thread.id, name: thread.name },
    address: formatAddress(event.rip),
  };
  if (event.kind !== 'syscall') return base;
  const row = syscallByNumber(event.number);
  return {
    ...base,
    name: row?.name ?? `syscall_${event.number}`,
    classes: row?.classes ?? [],
    path: event.path,
    result: formatResult(event),
    failed: event.result !== undefined && event.result < 0n && event.result >= -4095n,
    ...(event.endTime === undefined ? {} : { duration: event.endTime - event.time }),
  };
}
