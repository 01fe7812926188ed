/** Turns what happens in the debugger into events of the protocol. */
import { type DebuggerEvent } from '../control/api';
import { type Adapter } from './adapter';
import { searchTitle, toProtocolBreakpoint } from './breakpoints';
import { type ConsolePiece, KernelLog } from './kernel-log';

const categories = { trace: 'console', log: 'console', warning: 'important', error: 'important' } as const;

export class EventTranslator {
  /** Characters may be cut at the end of a chunk of console bytes. */
  readonly #decoder = new TextDecoder();
  readonly #log: KernelLog;

  constructor(private readonly adapter: Adapter) {
    this.#log = new KernelLog(adapter.client.ansi);
  }

  translate(event: DebuggerEvent): void {
    const { adapter } = this;
    switch (event.kind) {
      case 'stopped':
        adapter.stopped();
        this.#console(this.#log.flush());
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
        adapter.continued();
        adapter.send('continued', { threadId: event.threadId, allThreadsContinued: event.alone !== true });
        break;
      case 'console':
        this.#console(this.#log.feed(this.#decoder.decode(event.bytes, { stream: true })));
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
        adapter.send('breakpoint', {
          reason: event.gone === true ? 'removed' : 'changed',
          breakpoint: toProtocolBreakpoint(adapter, event.status),
        });
        break;
      case 'edited':
        adapter.stateChanged(event.memory);
        break;
      case 'search':
        adapter.progress.update(searchTitle, `${Math.floor(event.share * 100)} % of the debug information`, Math.floor(event.share * 100));
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
        adapter.stopped();
        this.#console(this.#log.flush());
        adapter.send('output', { category: 'console', output: `${event.description}\n` });
        adapter.send('exited', { exitCode: event.code });
        adapter.send('terminated', {});
        break;
    }
  }

  #console(pieces: readonly ConsolePiece[]): void {
    for (const piece of pieces)
      this.adapter.send('output', {
        category: piece.category,
        output: piece.text,
        ...(piece.group === undefined ? {} : { group: piece.group }),
        ...(piece.source === undefined ? {} : this.#linked(piece.source)),
      });
  }

  /** The place that a log line names, where its file is one of the image's. */
  #linked({ file, library, line }: NonNullable<ConsolePiece['source']>): object {
    const path = this.adapter.sourceOf(file, library);
    return path === undefined ? {} : { source: this.adapter.source(path), line: this.adapter.lineToClient(line) };
  }
}
