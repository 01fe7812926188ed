/** Entry of the machine's worker in a browser: the debugger and its machine, served to the adapter over the worker's own channel. Its first message is its port and its files. */
import { type DebuggerEvent } from './control/api';
import { type Channel, serve } from './control/channel';
import { Debugger } from './control/debugger';
import { launchedMachine } from './control/launched-machine';
import { startCompiler } from './compiler-thread.browser';
import { type Host } from './control/runner';
import { type WorkerStart } from './dap/browser-messages';
import { useCompiler } from './x86/default-compiler';
import { useHandlers } from './x86/default-handlers';

/** A message to oneself: it comes after those that wait already, and is not held back as short timers are. */
const turn = new MessageChannel();
const waiting = new Map<number, () => void>();
let turns = 0;
turn.port1.onmessage = ({ data }: MessageEvent<number>) => {
  const callback = waiting.get(data);
  waiting.delete(data);
  callback?.();
};

const host: Host = {
  now: () => performance.now(),
  later: (milliseconds, callback) => {
    if (milliseconds > 0) {
      const timer = setTimeout(callback, milliseconds);
      return () => clearTimeout(timer);
    }
    const id = ++turns;
    waiting.set(id, callback);
    turn.port2.postMessage(id);
    return () => void waiting.delete(id);
  },
};

self.onmessage = ({ data }: MessageEvent<WorkerStart>) => {
  self.onmessage = null;
  // iced-x86's loader asks for its file by name, through what stands in for Node's fs here.
  Object.assign(globalThis, { bundledFiles: data.files });
  useHandlers(new WebAssembly.Module(data.handlers));
  useCompiler(() => startCompiler(URL.createObjectURL(data.compiler)));
  const channel: Channel = {
    post: (message, transfer = []) => self.postMessage(message, { transfer: [...transfer] }),
    onMessage: (listener) => self.addEventListener('message', (event: MessageEvent<unknown>) => listener(event.data)),
    close: () => self.close(),
  };
  const events: { emit?: (event: DebuggerEvent) => void } = {};
  const machineDebugger = new Debugger(launchedMachine, host, (event) => events.emit?.(event));
  events.emit = serve<DebuggerEvent>(channel, machineDebugger);
};
