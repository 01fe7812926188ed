/** Entry of the machine's worker under Node: the debugger and its machine on a thread of their own, served over the message port. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort } from 'node:worker_threads';
import { startCompiler } from './compiler-thread.node';
import { type DebuggerEvent } from './control/api';
import { type Channel, serve } from './control/channel';
import { Debugger } from './control/debugger';
import { launchedMachine } from './control/launched-machine';
import { keptRegionsOf } from './kept-place.node';
import { runnerHost } from './runner-host.node';
import { optimiseAsUsual, waitWithOptimising } from './optimising.node';
import { useInflate } from './symbols/compression';
import { fastInflate } from './symbols/inflate.node';
import { useCompiler } from './x86/default-compiler';
import { useHandlers } from './x86/default-handlers';

/** Made by the build, beside the bundle; without them the processor makes its own at the first start. */
const handlers = join(__dirname, 'handlers.wasm');
if (existsSync(handlers)) useHandlers(new WebAssembly.Module(readFileSync(handlers)));

useInflate(fastInflate);

void waitWithOptimising();
useCompiler(async () => {
  // Whoever gets here runs for long enough that V8 had better optimise as it usually does.
  await optimiseAsUsual();
  return startCompiler(__dirname);
});

const port = parentPort;
if (port !== null) {
  const channel: Channel = {
    post: (message, transfer = []) => port.postMessage(message, [...transfer]),
    onMessage: (listener) => void port.on('message', listener),
    close: () => port.close(),
  };
  const events: { emit?: (event: DebuggerEvent) => void } = {};
  const machineDebugger = new Debugger(
    (options) => launchedMachine(options, keptRegionsOf([options.imageName, options.initrdName ?? ''])),
    runnerHost,
    (event) => events.emit?.(event),
  );
  events.emit = serve<DebuggerEvent>(channel, machineDebugger);
}
