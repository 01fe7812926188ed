/** Entry of the debug adapter in a browser: a web worker that speaks the protocol with the extension by messages, asks it for files, and keeps the machine in a worker of its own. */
import { type DebugProtocol } from '@vscode/debugprotocol';
import { type AdapterStart, type FileAnswer, type FromAdapter, type ToAdapter, type WorkerStart } from './dap/browser-messages';
import { type AdapterHost, type WorkerHandle } from './dap/host';
import { UnikernelDebugSession } from './session';

const asked = new Map<number, (answer: FileAnswer) => void>();
let lastAsked = 0;

function send(message: FromAdapter): void {
  self.postMessage(message);
}

function ask(kind: 'read' | 'stat', path: string): Promise<FileAnswer> {
  const id = ++lastAsked;
  return new Promise((resolve) => {
    asked.set(id, resolve);
    send({ kind, id, path });
  });
}

function startMachine({ machine, ...start }: AdapterStart, onFailure: (reason: string) => void): WorkerHandle {
  const address = URL.createObjectURL(machine);
  const worker = new Worker(address);
  worker.onerror = (event) => onFailure(event.message);
  worker.postMessage(start satisfies WorkerStart);
  return {
    channel: {
      post: (message, transfer = []) => worker.postMessage(message, [...transfer]),
      onMessage: (listener) => worker.addEventListener('message', (event: MessageEvent<unknown>) => listener(event.data)),
      close: () => worker.terminate(),
    },
    terminate: () => {
      worker.terminate();
      URL.revokeObjectURL(address);
      return Promise.resolve();
    },
  };
}

function browserHost(start: AdapterStart): AdapterHost {
  return {
    readFile: async (path) => {
      const { bytes, error = 'there is no such file' } = await ask('read', path);
      if (bytes === undefined) throw new Error(error);
      return bytes;
    },
    exists: async (path) => (await ask('stat', path)).exists,
    debugFolders: [],
    startWorker: (onFailure) => startMachine(start, onFailure),
  };
}

let session: UnikernelDebugSession | undefined;

self.onmessage = ({ data }: MessageEvent<ToAdapter>) => {
  switch (data.kind) {
    case 'start':
      session = new UnikernelDebugSession(browserHost(data.start));
      session.onDidSendMessage((message) => send({ kind: 'protocol', message }));
      break;
    case 'protocol':
      session?.handleMessage(data.message as DebugProtocol.ProtocolMessage);
      break;
    case 'file':
      asked.get(data.id)?.(data);
      asked.delete(data.id);
  }
};
