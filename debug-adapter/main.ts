/** The debug adapter as a server: the protocol on stdin and stdout, or on a loopback port with --server=PORT. */
import { createServer } from 'node:net';
import { nodeHost } from './dap/host.node';
import { UnikernelDebugSession } from './session';

/** Serves until the client goes (stdio) or the process is ended (server). Rejects where the port cannot be had. */
export async function runDapServer(argv: readonly string[]): Promise<void> {
  const port = portOption(argv);
  if (port === undefined) {
    const session = new UnikernelDebugSession(nodeHost);
    process.on('SIGTERM', () => session.shutdown());
    session.start(process.stdin, process.stdout);
    return;
  }
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

/** The port of --server=PORT or --server PORT (0: any free one); undefined where the option is not there. Throws for what is no port. */
function portOption(argv: readonly string[]): number | undefined {
  const index = argv.findIndex((argument) => /^--(?:server|port)(?:=|$)/.test(argument));
  if (index < 0) return undefined;
  const [option, value = argv[index + 1] ?? ''] = argv[index]!.split('=', 2);
  if (!/^\d+$/.test(value) || Number(value) > 65535) throw new Error(`${option} takes a port from 0 to 65535, not "${value}".`);
  return Number(value);
}
