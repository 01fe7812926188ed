/** `unikernel gdb`: boots an image under a server of the GDB remote protocol, on a port of this machine alone. */
import { createServer, type Server, type Socket } from 'node:net';
import { type Host } from '../../debug-adapter/control/runner';
import { GdbServer } from '../../debug-adapter/gdb/server';
import { MachineError } from '../../debug-adapter/machine/api';
import { type PcMachine } from '../../debug-adapter/machine/machine';
import { offerMemory } from '../../debug-adapter/machine/memory';
import { createMachine } from '../../debug-adapter/machine/pc';
import { useCompiler } from '../../debug-adapter/x86/default-compiler';
import { useHandlers } from '../../debug-adapter/x86/default-handlers';
import { type RunIo } from './io';
import { type NetworkLink } from './peripherals';
import { hasPeripherals, parseRunOptions, type RunOptions } from './run-options';
import { foreignToGdb, optionLines, runOptionHelp } from './run-option-table';
import { openSymbolFile } from './symbols';

const ExitStatus = { usage: 2, failure: 125, interrupted: 130 } as const;

export const gdbHelp = `Usage: unikernel gdb IMAGE --port N [options]

Boots a unikernel image and serves GDB's remote protocol on 127.0.0.1. The serial console is standard input and output.

${optionLines('--port N', ['port to listen on; 0 takes a free one, which is told on standard error'])}${optionLines('--wait', ['hold the guest before its first instruction until a debugger connects'])}${runOptionHelp('gdb')}
In gdb, with the image's .dbg file loaded: target remote :N
"info threads" lists the guest's threads; those that do not run show the registers that were saved of them.
"detach" lets the guest run on, "kill" and "monitor exit" end it, "monitor help" lists the server's own commands.
At a terminal, Ctrl-A X ends the run. Exit status: the guest's own, 0 when killed, 125 where the image or the emulator fails.
`;

export interface GdbOptions {
  readonly run: RunOptions;
  readonly port: number;
  readonly wait: boolean;
}

/** Reads the arguments: those of `run` that say what to boot, and the server's own. */
export function parseGdbOptions(argv: readonly string[]): GdbOptions | 'help' | { readonly error: string } {
  const others: string[] = [];
  let port: string | undefined;
  let wait = false;
  for (let i = 0; i < argv.length; i++) {
    const argument = argv[i]!;
    if (argument === '--') {
      others.push(...argv.slice(i));
      break;
    }
    if (argument === '--wait') wait = true;
    else if (argument === '--port') {
      if (i + 1 >= argv.length) return { error: '--port needs a value.' };
      port = argv[++i];
    } else if (argument.startsWith('--port=')) port = argument.slice('--port='.length);
    else others.push(argument);
  }
  const run = parseRunOptions(others, foreignToGdb);
  if (run === 'help' || 'error' in run) return run;
  if (port === undefined) return { error: 'No port is given (--port N).' };
  const number = /^\d{1,5}$/.test(port) ? Number(port) : -1;
  if (number < 0 || number > 65535) return { error: `--port takes a number from 0 to 65535, not ${port}.` };
  return { run, port: number, wait };
}

/** Serves until the guest or the debugger ends it. Resolves to the process's exit status; never throws for what the user or the guest did. */
export async function gdbCommand(argv: readonly string[], io: RunIo): Promise<number> {
  const options = parseGdbOptions(argv);
  if (options === 'help') {
    io.stdout(gdbHelp);
    return 0;
  }
  if ('error' in options) {
    io.stderr(`unikernel gdb: ${options.error}\nTry 'unikernel gdb --help'.\n`);
    return ExitStatus.usage;
  }
  try {
    const handlers = await io.handlers;
    if (handlers !== undefined) useHandlers(handlers);
    if (io.memory !== undefined) offerMemory(io.memory);
    if (io.startCompiler !== undefined) useCompiler(io.startCompiler);
    return await serve(options, io);
  } catch (error) {
    const { code, message, stack } = error as NodeJS.ErrnoException;
    // MachineError and the errors of reading files carry messages for people; anything else is a defect here and shows its place.
    const expected = error instanceof MachineError || (error instanceof Error && error.constructor === Error);
    const text =
      code === 'EADDRINUSE' ? `Port ${options.port} is taken by another program.` : expected ? message : (stack ?? String(error));
    io.stderr(`unikernel gdb: ${text}\n`);
    return ExitStatus.failure;
  } finally {
    io.close();
  }
}

async function serve({ run, port, wait }: GdbOptions, io: RunIo): Promise<number> {
  const image = io.readFile(run.image);
  const initrd =
    run.initrd === undefined ? undefined : io.fileKind(run.initrd) === 'directory' ? await io.archive(run.initrd) : io.readFile(run.initrd);
  const dbg = run.symbols ?? `${run.image}.dbg`;
  const symbols = run.symbols !== undefined || io.fileKind(dbg) === 'file' ? openSymbolFile(io, dbg) : undefined;
  const spec = run.net;
  const peripherals = hasPeripherals(run) ? await import('./peripherals') : undefined;
  const disks = peripherals?.readDisks(run, io) ?? [];
  let net: NetworkLink | undefined;

  return new Promise((resolve, reject) => {
    const make = (): PcMachine =>
      createMachine({
        image,
        imageName: run.image.slice(run.image.lastIndexOf('/') + 1),
        commandLine: run.append,
        ...(initrd === undefined ? {} : { initrd }),
        memory: run.memory * (1 << 20),
        cpuModel: run.cpu,
        jit: run.jit,
        ...(run.keep && { kept: io.keptOf?.([run.image, run.initrd ?? '']) }),
        tscLeaf: !run.calibrate,
        ...(peripherals === undefined
          ? {}
          : { extraDevices: peripherals.extraDevices({ network: spec !== undefined, disks, devices: run.devices }) }),
      }).machine;
    const boot = (): PcMachine => {
      net?.close();
      net = spec === undefined ? undefined : peripherals!.openNetwork(spec, io);
      const machine = make();
      machine.onConsoleOutput = (bytes) => io.writeConsole(bytes);
      net?.connect(
        machine,
        () => server.wake(),
        (message) => io.stderr(`unikernel gdb: ${message}\n`),
      );
      return machine;
    };
    let typed: Uint8Array[] = [];
    const give = (): void => {
      net?.pump();
      for (const bytes of typed) server.debuggee.machine.consoleInput(bytes);
      typed = [];
    };
    // What waits for the guest goes in before each slice.
    const host: Host = {
      now: () => io.elapsed(),
      later: (milliseconds, callback) => {
        const slice = (): void => {
          if (server.takesInput) give();
          callback();
        };
        if (milliseconds <= 0) {
          const immediate = setImmediate(slice);
          return () => clearImmediate(immediate);
        }
        const timer = setTimeout(slice, milliseconds);
        return () => clearTimeout(timer);
      },
    };
    const end = (status: number): void => {
      net?.close();
      listener.close();
      // Replies under way reach the debugger before the process ends.
      setImmediate(() => resolve(status));
    };
    const server = new GdbServer({
      boot,
      host,
      clock: run.clock === 'skip' ? 'skip' : 'real',
      ...(symbols === undefined ? {} : { symbols }),
      onEnd: end,
      log: (line) => io.stderr(`unikernel gdb: ${line}\n`),
    });
    const listener: Server = createServer((socket) => accept(server, socket));
    listener.once('error', reject);
    // The protocol has no authentication: it is served to this machine alone.
    listener.listen(port, '127.0.0.1', () => {
      const address = listener.address();
      const bound = typeof address === 'object' && address !== null ? address.port : port;
      io.stderr(`unikernel gdb: Listening on 127.0.0.1:${bound}. In gdb: target remote :${bound}\n`);
      if (!wait) server.start();
    });
    io.openConsole(
      (bytes) => {
        typed.push(bytes);
        server.wake();
      },
      () => end(ExitStatus.interrupted),
    );
  });
}

function accept(server: GdbServer, socket: Socket): void {
  socket.setNoDelay(true);
  // A peer that vanishes is one that closed.
  socket.on('error', () => socket.destroy());
  const connection = server.connect({
    send: (bytes) => void (socket.destroyed || socket.write(bytes)),
    close: () => socket.end(),
  });
  if (connection === undefined) {
    socket.destroy();
    return;
  }
  socket.on('data', (bytes) => connection.receive(bytes));
  socket.on('close', () => connection.closed());
}
