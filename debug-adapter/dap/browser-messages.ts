/** What passes between the extension and a debug adapter that runs in a web worker beside it: the protocol, and the files that the adapter may not read itself. */

/** The first message to the machine's worker. */
export interface WorkerStart {
  /** The interpreter's prebuilt handlers. */
  readonly handlers: Uint8Array<ArrayBuffer>;
  /** The program of the thread that compiles the guest's code. */
  readonly compiler: Blob;
  /** Further files of the package, by name. */
  readonly files: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
}

/** The first message to the adapter's worker. */
export interface AdapterStart extends WorkerStart {
  /** The program of the machine's worker. */
  readonly machine: Blob;
}

export type ToAdapter =
  { readonly kind: 'start'; readonly start: AdapterStart } | { readonly kind: 'protocol'; readonly message: unknown } | FileAnswer;

/** The answer to `read` and `stat`. */
export interface FileAnswer {
  readonly kind: 'file';
  readonly id: number;
  readonly exists: boolean;
  /** Of a file that was read. */
  readonly bytes?: Uint8Array<ArrayBuffer>;
  /** Why it could not be. */
  readonly error?: string;
}

export type FromAdapter =
  | { readonly kind: 'protocol'; readonly message: unknown }
  | { readonly kind: 'read'; readonly id: number; readonly path: string }
  | { readonly kind: 'stat'; readonly id: number; readonly path: string };
