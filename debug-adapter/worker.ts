/** Entry of the machine's worker under Node: the debugger and its machine on a thread of their own, served over the message port. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort } from 'node:worker_threads';
import { type DebuggerEvent } from './control/api';
import { type Channel, serve } from './control/channel';
import { Debugger } from './control/debugger';
import { type Host } from './control/runner';
import { createMachine } from './machine/pc';
import { useHandlers } from './x86/default-handlers';

/** Lets messages in between slices: setImmediate runs after the event loop polled them. */
const host: Host = {
  now: () => performance.now(),
  later: (milliseconds, callback) => {
    if (milliseconds <= 0) {
      const immediate = setImmediate(callback);
      return () => clearImmediate(immediate);
    }
    const timer = setTimeout(callback, milliseconds);
    return () => clearTimeout(timer);
  },
};

/** Made by the build, beside the bundle; without them the processor makes its own at the first start. */
const handlers = join(__dirname, 'handlers.wasm');
if (existsSync(handlers)) useHandlers(new Uint8Array(readFileSync(handlers)));

const port = parentPort;
if (port !== null) {
  const channel: Channel = {
    post: (message, transfer = []) => port.postMessage(message, [...transfer]),
    onMessage: (listener) => void port.on('message', listener),
    close: () => port.close(),
  };
  const events: { emit?: (event: DebuggerEvent) => void } = {};
  const machineDebugger = new Debugger(
    (options) =>
      createMachine({
        image: options.image,
        imageName: options.imageName,
        commandLine: options.commandLine,
        ...(options.initrd === undefined ? {} : { initrd: options.initrd }),
        memory: options.memory,
        cpuModel: options.cpuModel,
      }).machine,
    host,
    (event) => events.emit?.(event),
  );
  events.emit = serve<DebuggerEvent>(channel, machineDebugger);
}
