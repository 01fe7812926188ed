/** Turns what happens in the debugger into events of the protocol. */
import { type DebuggerEvent } from '../control/api';
import { type Adapter } from './adapter';
import { toProtocolBreakpoint } from './breakpoints';

const categories = { trace: 'console', log: 'console', warning: 'important', error: 'important' } as const;

export class EventTranslator {
  /** Characters may be cut at the end of a chunk of console bytes. */
  readonly #decoder = new TextDecoder();

  constructor(private readonly adapter: Adapter) {}

  translate(event: DebuggerEvent): void {
    const { adapter } = this;
    switch (event.kind) {
      case 'stopped':
        adapter.send('stopped', {
          reason: event.reason,
          threadId: event.threadId,
          allThreadsStopped: true,
          ...(event.description === undefined ? {} : { description: event.description }),
          ...(event.text === undefined ? {} : { text: event.text }),
          ...(event.breakpoints.length === 0 ? {} : { hitBreakpointIds: event.breakpoints }),
        });
        break;
      case 'continued':
        adapter.send('continued', { threadId: event.threadId, allThreadsContinued: true });
        break;
      case 'console':
        adapter.send('output', { category: 'stdout', output: this.#decoder.decode(event.bytes, { stream: true }) });
        break;
      case 'message': {
        const place = event.location;
        adapter.send('output', {
          category: categories[event.category],
          output: `${event.text}\n`,
          ...(place === undefined
            ? {}
            : { source: adapter.source(place.path), line: adapter.lineToClient(place.line), column: adapter.columnToClient(place.column) }),
        });
        break;
      }
      case 'breakpoint':
        adapter.send('breakpoint', { reason: 'changed', breakpoint: toProtocolBreakpoint(adapter, event.status) });
        break;
      case 'symbols':
        adapter.send('module', {
          reason: 'new',
          module: {
            id: event.name,
            name: event.name.slice(event.name.lastIndexOf('/') + 1),
            path: event.name,
            symbolStatus: event.hasDwarf ? 'Symbols loaded' : 'No debug information',
          },
        });
        break;
      case 'exited':
        adapter.send('output', { category: 'console', output: `${event.description}\n` });
        adapter.send('exited', { exitCode: event.code });
        adapter.send('terminated', {});
        break;
    }
  }
}
