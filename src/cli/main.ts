/** Entry of the `unikernel` command: finds the sub-command and loads only what that needs. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeLinearMemory, usualRam } from '../../debug-adapter/machine/memory';
import { loadCompiled } from '../../debug-adapter/compiled-bundle.node';
import { compileHandlers } from './handlers.node';
import { nodeIo } from './io.node';

const help = `Usage: unikernel COMMAND [arguments]

  run IMAGE        boot a unikernel image, console on standard input and output
  strace IMAGE     the same, with its system calls as strace prints them
  exec ELF [ARGS]  run a Linux program as a unikernel
  new TEMPLATE DIR a project from a template
  build [DIR]      build a project
  config MODE      read, change and explain a Unikraft configuration
  size IMAGE       what an image is made of, and what changed between two builds
  pool             look into the library pool
  gdb IMAGE        boot an image under a server of GDB's remote protocol, on --port N
  dap              debug adapter on standard input and output, or --server PORT

'unikernel COMMAND --help' tells more about one, 'unikernel --version' which one this is.
`;

/** Commands that run a machine in this process. */
const machineCommands: readonly string[] = ['run', 'strace', 'exec', 'gdb'];

const dapHelp = `Usage: unikernel dap [--server PORT]

The debug adapter (Debug Adapter Protocol) on standard input and output, for editors other than VS Code; --server PORT has it
listen on this machine instead, for one client after another.
`;

/** The build writes it beside the bundles. */
function version(): string {
  return (JSON.parse(readFileSync(join(__dirname, 'package.json'), 'utf8')) as { version: string }).version;
}

/** Resolves to the exit status, or to undefined where the process goes on serving. */
async function dispatch(argv: readonly string[]): Promise<number | undefined> {
  const [command, ...rest] = argv;
  const runsMachine = command !== undefined && machineCommands.includes(command);
  // The memory first: it brings about a garbage collection, which costs the less the less there is yet.
  const io = nodeIo(runsMachine ? { memory: makeLinearMemory(usualRam), handlers: compileHandlers(__dirname) } : {});
  switch (command) {
    case 'run':
      loadCompiled(join(__dirname, 'cli-run.js'));
      if (rest.includes('--trace')) loadCompiled(join(__dirname, 'cli-trace.js'));
      return (await import('./run')).runCommand(rest, io);
    case 'strace':
      loadCompiled(join(__dirname, 'cli-run.js'));
      loadCompiled(join(__dirname, 'cli-trace.js'));
      return (await import('./strace')).straceCommand(rest, io);
    case 'exec':
      loadCompiled(join(__dirname, 'cli-run.js'));
      return (await import('./exec')).execCommand(rest, io);
    case 'gdb':
      return (await import('./gdb')).gdbCommand(rest, io);
    case 'build':
      loadCompiled(join(__dirname, 'cli-build.js'));
      return (await import('./build')).buildCommand(rest, io);
    case 'new':
      return (await import('./new')).newCommand(rest, io);
    case 'size':
      return (await import('./size')).sizeCommand(rest, io);
    case 'config':
      loadCompiled(join(__dirname, 'cli-config.js'));
      // Only now: a code cache is taken by a process that has the flags with which it was made.
      (await import('../shared/short-run.node')).compileLate();
      return (await import('./config')).configCommand(rest, io);
    case 'pool':
      return (await import('./pool')).poolCommand(rest, io);
    case 'dap':
      if (rest.includes('--help') || rest.includes('-h')) {
        io.stdout(dapHelp);
        return 0;
      }
      await (await import('../../debug-adapter/main')).runDapServer(rest);
      return undefined;
    case 'version':
    case '--version':
    case '-V':
      io.stdout(`unikernel ${version()}\n`);
      return 0;
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

dispatch(process.argv.slice(2)).then(
  (status) => {
    if (status !== undefined) process.exit(status);
  },
  (error: unknown) => {
    process.stderr.write(`unikernel: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
