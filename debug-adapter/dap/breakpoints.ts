/** Requests on breakpoints of every kind. */
import { type DebugProtocol } from '@vscode/debugprotocol';
import { type BreakpointOptions, type BreakpointStatus } from '../control/api';
import { type Adapter } from './adapter';
import { formatAddress, parseAddress } from './format';
import { type Handlers } from './handler';

/** What the client shows while functions are looked for. */
export const searchTitle = 'Searching for functions';

/** A breakpoint as the client sees it. */
export function toProtocolBreakpoint(adapter: Adapter, status: BreakpointStatus): DebugProtocol.Breakpoint {
  const { location } = status;
  return {
    id: status.id,
    verified: status.verified,
    ...(status.message === undefined ? {} : { message: status.message }),
    ...(status.address === undefined ? {} : { instructionReference: formatAddress(status.address) }),
    ...(location === undefined
      ? {}
      : {
          source: adapter.source(location.path),
          line: adapter.lineToClient(location.line),
          ...(location.column > 0 ? { column: adapter.columnToClient(location.column) } : {}),
        }),
  };
}

const options = (from: BreakpointOptions): BreakpointOptions => ({
  ...(from.condition === undefined ? {} : { condition: from.condition }),
  ...(from.hitCondition === undefined ? {} : { hitCondition: from.hitCondition }),
  ...(from.logMessage === undefined ? {} : { logMessage: from.logMessage }),
  ...(from.mode === undefined ? {} : { mode: from.mode }),
});

const all = (adapter: Adapter, statuses: readonly BreakpointStatus[]): { breakpoints: DebugProtocol.Breakpoint[] } => ({
  breakpoints: statuses.map((status) => toProtocolBreakpoint(adapter, status)),
});

export const breakpointHandlers: Pick<
  Handlers,
  | 'setBreakpoints'
  | 'setFunctionBreakpoints'
  | 'setInstructionBreakpoints'
  | 'setExceptionBreakpoints'
  | 'dataBreakpointInfo'
  | 'setDataBreakpoints'
  | 'breakpointLocations'
> = {
  setBreakpoints: async (adapter, { source, breakpoints = [] }) => {
    const requests = breakpoints.map((each) => ({
      line: adapter.lineFromClient(each.line),
      ...(each.column === undefined ? {} : { column: adapter.columnFromClient(each.column) }),
      ...options(each),
    }));
    return all(adapter, await adapter.debugger.setSourceBreakpoints(source.path ?? '', requests));
  },

  setFunctionBreakpoints: async (adapter, { breakpoints }) => {
    const remote = adapter.debugger;
    const end = adapter.progress.begin(searchTitle, () => void remote.cancelSearch().catch(() => undefined));
    try {
      return all(adapter, await remote.setFunctionBreakpoints(breakpoints.map((each) => ({ name: each.name, ...options(each) }))));
    } finally {
      end();
    }
  },

  setInstructionBreakpoints: async (adapter, { breakpoints }) =>
    all(
      adapter,
      await adapter.debugger.setInstructionBreakpoints(
        breakpoints.map((each) => ({ address: parseAddress(each.instructionReference, each.offset), ...options(each) })),
      ),
    ),

  setExceptionBreakpoints: async (adapter, { filters, filterOptions = [] }) => {
    const wanted = [
      ...filters.map((filter) => ({ filter })),
      ...filterOptions.map(({ filterId, condition }) => ({ filter: filterId, ...(condition === undefined ? {} : { condition }) })),
    ];
    const statuses = await adapter.debugger.setExceptionFilters(wanted);
    return { breakpoints: statuses.map(({ verified, message }) => ({ verified, ...(message === undefined ? {} : { message }) })) };
  },

  dataBreakpointInfo: async (adapter, { name, variablesReference, frameId, bytes, asAddress }) => {
    const accessTypes: DebugProtocol.DataBreakpointAccessType[] = ['read', 'write', 'readWrite'];
    if (asAddress === true) {
      const address = parseAddress(name);
      return {
        dataId: dataId(address, bytes ?? 1),
        description: `${bytes ?? 1} bytes at ${formatAddress(address)}`,
        accessTypes,
        canPersist: true,
      };
    }
    const place = await adapter.debugger.dataPlace(name, variablesReference, frameId);
    if (place === undefined) return { dataId: null, description: `${name} does not lie in memory, so it cannot be watched.` };
    if ('register' in place)
      return { dataId: `$${place.register}`, description: `Changes of $${place.register}`, accessTypes: ['write'], canPersist: true };
    const length = bytes ?? place.length;
    return {
      dataId: dataId(place.address, length),
      description: `${name} (${length} bytes at ${formatAddress(place.address)})`,
      accessTypes,
      canPersist: false,
    };
  },

  setDataBreakpoints: async (adapter, { breakpoints }) =>
    all(
      adapter,
      await adapter.debugger.setDataBreakpoints(
        breakpoints.map((each) => {
          const [address = '', length = '1'] = each.dataId.split(':');
          const place = address.startsWith('$')
            ? { register: address.slice(1) }
            : { address: parseAddress(address), length: Number(length) };
          return { place, access: each.accessType ?? 'write', ...options(each) };
        }),
      ),
    ),

  breakpointLocations: async (adapter, { source, line, column, endLine, endColumn }) => {
    const first = { line: adapter.lineFromClient(line), column: column === undefined ? 0 : adapter.columnFromClient(column) };
    const last = {
      line: adapter.lineFromClient(endLine ?? line),
      column: endColumn === undefined ? Infinity : adapter.columnFromClient(endColumn),
    };
    const locations = await adapter.debugger.breakpointLocations(source.path ?? '', first.line, last.line);
    const inside = locations.filter(
      (each) => (each.line !== first.line || each.column >= first.column) && (each.line !== last.line || each.column <= last.column),
    );
    return {
      breakpoints: inside.map((each) => ({
        line: adapter.lineToClient(each.line),
        ...(each.column > 0 ? { column: adapter.columnToClient(each.column) } : {}),
      })),
    };
  },
};

const dataId = (address: bigint, length: number): string => `${formatAddress(address)}:${length}`;
