/** The debug adapter as a server: the protocol on stdin and stdout, or on a loopback port with --server=PORT. */
import { createServer } from 'node:net';
import { Adapter } from './dap/adapter';
import { nodeHost } from './dap/host.node';
import { parseLaunchArguments } from './dap/launch-arguments';
import { launch } from './dap/lifecycle';
import { UnikernelDebugSession } from './session';

/** The server's machine: booted from the command line, debugged by whoever attaches. Its console is standard output. */
async function bootShared(args: readonly string[]): Promise<Adapter | undefined> {
  const options = sharedOptions(args);
  if (options === undefined) return undefined;
  const owner = new Adapter(nodeHost, (event, body) => {
    if (event === 'output') {
      const { category, output } = body as { readonly category: string; readonly output: string };
      (category === 'stdout' ? process.stdout : process.stderr).write(output);
    } else if (event === 'terminated') process.exitCode ??= 0;
  });
  await launch(owner, parseLaunchArguments(options));
  await owner.debugger.start();
  return owner;
}

/** Options of the machine by the launch fields that they set. */
const launchFields: Readonly<Record<string, string>> = {
  '--symbols': 'symbols',
  '--initrd': 'initrd',
  '--append': 'cmdline',
  '--memory': 'memory',
  '--clock': 'clock',
};

/** `IMAGE [--append S] …` as launch fields; undefined without an image. Throws for what is none of these. */
function sharedOptions(args: readonly string[]): Readonly<Record<string, unknown>> | undefined {
  const fields: Record<string, unknown> = {};
  for (let i = 0; i < args.length; i++) {
    const argument = args[i]!;
    const [option = '', inline] = argument.split(/=(.*)/s);
    if (/^--(server|port)$/.test(option)) {
      if (inline === undefined) i++;
      continue;
    }
    const field = launchFields[option];
    if (field !== undefined) {
      const value = inline ?? args[++i];
      if (value === undefined) throw new Error(`${option} needs a value.`);
      fields[field] = field === 'memory' ? Number(value) : value;
    } else if (argument.startsWith('-') || fields['image'] !== undefined) throw new Error(`There is no option ${argument}.`);
    else fields['image'] = argument;
  }
  if (fields['image'] !== undefined) return { trace: [], ...fields };
  if (Object.keys(fields).length > 0) throw new Error('Name the image to boot.');
  return undefined;
}

/** Serves until the client goes (stdio) or the process is ended (server). Rejects where the port cannot be had. */
export async function runDapServer(argv: readonly string[]): Promise<void> {
  const port = portOption(argv);
  const owner = await bootShared(argv);
  if (port === undefined && owner !== undefined) throw new Error('A machine that is to be attached to needs --server PORT.');
  if (port === undefined) {
    const session = new UnikernelDebugSession(nodeHost);
    process.on('SIGTERM', () => session.shutdown());
    session.start(process.stdin, process.stdout);
    return;
  }
  await new Promise<void>((resolve, reject) => {
    const server = createServer((socket) => {
      const session = new UnikernelDebugSession(nodeHost, owner);
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
