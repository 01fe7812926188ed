/** Files and the machine's worker under Node. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { packagedDebugFolders } from '../symbols/api';
import { type AdapterHost, type WorkerHandle } from './host';

/** Finds worker.js beside the running bundle. */
export const nodeHost: AdapterHost = {
  readFile: async (path) => {
    const data = await readFile(path);
    // A copy with a buffer of its own: small files share Node's pool.
    return new Uint8Array(data);
  },
  exists: (path) =>
    stat(path).then(
      (found) => found.isFile(),
      () => false,
    ),
  debugFolders: packagedDebugFolders(process.platform),
  startWorker: (onFailure) => startWorker(join(__dirname, 'worker.js'), onFailure),
};

/** Starts `script` as a worker thread and wraps its message port. */
export function startWorker(script: string, onFailure: (reason: string) => void): WorkerHandle {
  const worker = new Worker(script);
  let ending = false;
  worker.on('error', (error) => onFailure(error.message));
  worker.on('exit', (code) => {
    if (!ending) onFailure(`it ended with code ${code}`);
  });
  return {
    channel: {
      post: (message, transfer = []) => worker.postMessage(message, [...transfer]),
      onMessage: (listener) => void worker.on('message', listener),
      close: () => void worker.terminate(),
    },
    terminate: async () => {
      ending = true;
      await worker.terminate();
    },
  };
}
