/** What a sub-command sees of the process that it runs in, so that it can be tested without one. */

import { type FileContents } from '../../debug-adapter/machine/api';
import { type KeptRegions } from '../../debug-adapter/x86/api';
import { type CompilerThread } from '../../debug-adapter/x86/default-compiler';

export interface CliIo {
  stdout(text: string): void;
  stderr(text: string): void;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What `run` needs beyond that: files, the console, and the host's time. */
export interface RunIo extends CliIo {
  /** The file's bytes. Throws an Error with a message for people. */
  readFile(path: string): Uint8Array;
  /** The same, read when it is wanted; absent where files are not the system's. */
  openFile?(path: string): FileContents;
  /** Undefined where nothing stands at the path. */
  fileKind(path: string): 'file' | 'directory' | undefined;
  writeFile(path: string, bytes: Uint8Array): void;
  /** A newc archive of the directory's contents. */
  archive(directory: string): Promise<Uint8Array>;
  /** Bytes for the console, written before this returns. */
  writeConsole(bytes: Uint8Array): void;
  /** Whether a person sits at the console. */
  readonly interactive: boolean;
  /** Starts to deliver console input; a terminal is put into raw mode until `close`. `onEnd` is told when there will be no more. */
  openConsole(onInput: (bytes: Uint8Array) => void, onInterrupt: () => void, onEnd?: () => void): void;
  /** Gives the terminal back as it was. */
  close(): void;
  /** The interpreter's prebuilt handlers, which are being compiled; undefined where there are none. */
  readonly handlers: Promise<WebAssembly.Module> | undefined;
  /** A memory for the first machine, if its RAM has the usual size. */
  readonly memory?: WebAssembly.Memory | undefined;
  /** Told of a run that will take a while, before most of it. */
  readonly takesLonger?: () => Promise<void>;
  /** Starts a thread that compiles the guest's code beside the machine; rejects where there can be none. Absent where none is wanted. */
  readonly startCompiler?: () => Promise<CompilerThread>;
  /** Where translated code of the guest that these files make is kept; undefined where there is no place. */
  readonly keptOf?: (files: readonly string[]) => KeptRegions | undefined;
  /** Milliseconds since the process started. */
  elapsed(): number;
  /** Waits, at most so long (milliseconds), or until `wake` is called. */
  sleep(milliseconds: number): { readonly done: Promise<void>; wake(): void };
  /** Lets pending input and signals in. */
  breathe(): Promise<void>;
}
