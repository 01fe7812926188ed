/** Entry of the debug adapter as a process: the protocol on stdin and stdout, or on a loopback port with --server=PORT. */
import { createServer } from 'node:net';
import { nodeHost } from './dap/host.node';
import { UnikernelDebugSession } from './session';

/** Serves until the client goes (stdio) or the process is ended (server). Rejects where the port cannot be had. */
export async function runDapServer(argv: readonly string[]): Promise<void> {
  const option = argv
    .map(
      (argument, index) =>
        /^--(?:server|port)(?:=(\d+))?$/.exec(argument)?.[1] ?? (/^--(?:server|port)$/.test(argument) ? argv[index + 1] : undefined),
    )
    .find((port) => port !== undefined);
  if (option === undefined) {
    const session = new UnikernelDebugSession(nodeHost);
    process.on('SIGTERM', () => session.shutdown());
    session.start(process.stdin, process.stdout);
    return;
  }
  const port = Number(option);
  await new Promise<void>((resolve, reject) => {
    const server = createServer((socket) => {
      const session = new UnikernelDebugSession(nodeHost);
      session.setRunAsServer(true);
      socket.on('close', () => session.shutdown());
      session.start(socket, socket);
    });
    server.on('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      process.stderr.write(`waiting for debug protocol on port ${typeof address === 'object' && address !== null ? address.port : port}\n`);
    });
    server.on('close', resolve);
  });
}

// As a program of its own (dist/adapter.js); the command line imports the function instead.
if (require.main === module) {
  runDapServer(process.argv.slice(2)).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
}
