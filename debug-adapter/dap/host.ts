/** What the adapter needs of the program around it: files and a worker. Node's is in host.node.ts. */
import { type Channel } from '../control/channel';

export interface AdapterHost {
  /** The file's bytes, in a buffer of its own. Rejects with the system's reason. */
  readFile(path: string): Promise<Uint8Array>;
  /** Is there a file to read? Not so for folders, pipes and devices. */
  exists(path: string): Promise<boolean>;
  /** Folders that hold debug information of what is installed here, unless a launch names others. */
  readonly debugFolders: readonly string[];
  /** Starts a worker that serves a Debugger. `onFailure` is called when it dies by itself. */
  startWorker(onFailure: (reason: string) => void): WorkerHandle;
}

export interface WorkerHandle {
  readonly channel: Channel;
  terminate(): Promise<void>;
}
