/** Entry of the `unikernel` command: finds the sub-command and loads only what that needs. */
import { nodeIo } from './io.node';

const help = `Usage: unikernel COMMAND [arguments]

  run IMAGE        boot a unikernel image, console on standard input and output
  build [DIR]      build a project
  config MODE      read, change and explain a Unikraft configuration
  dap              debug adapter on standard input and output, or --server PORT

'unikernel COMMAND --help' tells more about one.
`;

async function dispatch(argv: readonly string[]): Promise<number> {
  const io = nodeIo();
  const [command, ...rest] = argv;
  switch (command) {
    case 'run':
      return (await import('./run')).runCommand(rest, io);
    case undefined:
    case 'help':
    case '--help':
    case '-h':
      io.stdout(help);
      return command === undefined ? 2 : 0;
    default:
      io.stderr(`unikernel: unknown command ${command}.\n${help}`);
      return 2;
  }
}

void dispatch(process.argv.slice(2)).then((status) => process.exit(status));
