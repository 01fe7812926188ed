/** A client of the language server as a process: starts it, speaks the protocol over its standard streams, ends it. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { createMessageConnection, StreamMessageReader, StreamMessageWriter, type MessageConnection } from 'vscode-jsonrpc/node';

export interface PublishedDiagnostics {
  readonly uri: string;
  readonly version?: number;
  readonly diagnostics: readonly { readonly code: string; readonly message: string; readonly range: unknown }[];
}

export interface ServerProcess {
  readonly connection: MessageConnection;
  /** The newest diagnostics of each document. */
  readonly published: ReadonlyMap<string, PublishedDiagnostics>;
  /** What the server wrote to its log. */
  readonly log: string[];
  diagnosticsOf(uri: string, until?: (found: PublishedDiagnostics) => boolean): Promise<PublishedDiagnostics>;
  stop(): Promise<number | null>;
}

/** Starts the server from its sources. */
export function startServerProcess(): ServerProcess {
  const entry = path.resolve(__dirname, '../../../src/language-server/main.ts');
  const child = spawn(process.execPath, ['--import', 'tsx', entry, '--stdio'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    cwd: path.resolve(__dirname, '../../..'),
  });
  const ended = new Promise<number | null>((resolve) => child.on('exit', resolve));
  const connection = createMessageConnection(new StreamMessageReader(child.stdout), new StreamMessageWriter(child.stdin));
  const published = new Map<string, PublishedDiagnostics>();
  const log: string[] = [];
  const waiting = new Set<() => void>();
  connection.onNotification('textDocument/publishDiagnostics', (found: PublishedDiagnostics) => {
    published.set(found.uri, found);
    for (const wake of waiting) wake();
  });
  connection.onNotification('window/logMessage', ({ message }: { message: string }) => void log.push(message));
  connection.listen();
  return {
    connection,
    published,
    log,
    async diagnosticsOf(uri, until = () => true) {
      for (;;) {
        const found = published.get(uri);
        if (found && until(found)) return found;
        await new Promise<void>((resolve) => {
          const wake = (): void => {
            waiting.delete(wake);
            resolve();
          };
          waiting.add(wake);
        });
      }
    },
    async stop() {
      await connection.sendRequest('shutdown');
      await connection.sendNotification('exit');
      const status = await ended;
      connection.dispose();
      return status;
    },
  };
}
