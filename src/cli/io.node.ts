/** The process as sub-commands see it, on Node. */
import { closeSync, openSync, readFileSync, readSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { keptRegionsOf } from '../../debug-adapter/kept-place.node';
import { type RunIo } from './io';
import { optimiseAsUsual, waitWithOptimising } from '../../debug-adapter/optimising.node';

/** Ctrl-A, the prefix of commands to the emulator in raw mode, and what ends the run after it. */
const prefixKey = 0x01;
const quitKeys = [0x78, 0x58];

function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(descriptor, bytes, at);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // A non-blocking pipe that is full: the guest waits as it would for a slow terminal.
      if (code === 'EAGAIN') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
      // Nobody reads any more: as with any filter, the rest is dropped.
      else if (code === 'EPIPE') return;
      else throw error;
    }
  }
}

function readAll(path: string, target: Uint8Array): void {
  const descriptor = openSync(path, 'r');
  try {
    for (let at = 0; at < target.length;) {
      const read = readSync(descriptor, target, at, target.length - at, at);
      if (read === 0) throw new Error(`it has become shorter.`);
      at += read;
    }
  } finally {
    closeSync(descriptor);
  }
}

function explain(path: string, error: unknown): Error {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return new Error(`${path} does not exist.`);
  if (code === 'EACCES') return new Error(`${path} cannot be read: permission denied.`);
  if (code === 'EISDIR') return new Error(`${path} is a directory, not a file.`);
  return new Error(`${path} cannot be read: ${message}`);
}

/** @param machine what `RunIo` has of the same names, for the commands that run a machine. */
export function nodeIo(machine: Partial<Pick<RunIo, 'handlers' | 'memory'>> = {}): RunIo {
  let restore: (() => void) | undefined;
  const text = new TextEncoder();
  return {
    stdout: (line) => writeAll(1, text.encode(line)),
    stderr: (line) => writeAll(2, text.encode(line)),
    cwd: process.cwd(),
    env: process.env,
    readFile(path) {
      try {
        return readFileSync(path);
      } catch (error) {
        throw explain(path, error);
      }
    },
    openFile(path) {
      const attempt = <T>(what: () => T): T => {
        try {
          return what();
        } catch (error) {
          throw explain(path, error);
        }
      };
      return {
        length: attempt(() => statSync(path).size),
        readInto: (target) => {
          attempt(() => {
            readAll(path, target);
          });
        },
      };
    },
    fileKind(path) {
      const stat = statSync(path, { throwIfNoEntry: false });
      return stat === undefined ? undefined : stat.isDirectory() ? 'directory' : 'file';
    },
    writeFile: (path, bytes) => writeFileSync(path, bytes),
    archive: async (directory) => (await import('./archive.node')).archiveDirectory(directory),
    writeConsole: (bytes) => writeAll(1, bytes),
    get interactive() {
      return process.stdin.isTTY;
    },
    openConsole(onInput, onInterrupt, onEnd = () => undefined) {
      if (restore !== undefined) return;
      const { stdin } = process;
      const raw = stdin.isTTY;
      if (raw) stdin.setRawMode(true);
      let prefixed = false;
      const onData = (chunk: Buffer): void => {
        if (!raw) {
          onInput(chunk);
          return;
        }
        const keys: number[] = [];
        for (const key of chunk) {
          if (prefixed) {
            prefixed = false;
            if (quitKeys.includes(key)) onInterrupt();
            else keys.push(key);
          } else if (key === prefixKey) prefixed = true;
          else keys.push(key);
        }
        if (keys.length > 0) onInput(Uint8Array.from(keys));
      };
      stdin.on('data', onData);
      stdin.on('end', onEnd);
      // A closed or unreadable standard input is a console without a keyboard.
      stdin.on('error', onEnd);
      process.on('SIGINT', onInterrupt);
      process.on('SIGTERM', onInterrupt);
      restore = () => {
        stdin.off('data', onData);
        stdin.off('end', onEnd);
        process.off('SIGINT', onInterrupt);
        process.off('SIGTERM', onInterrupt);
        if (raw) stdin.setRawMode(false);
        stdin.pause();
      };
    },
    close() {
      restore?.();
      restore = undefined;
    },
    handlers: machine.handlers,
    memory: machine.memory,
    takesLonger: waitWithOptimising,
    startCompiler: async () => {
      // Whoever gets here runs for long enough that V8 had better optimise as it usually does; what it is told of branches is to be heeded all the same.
      await waitWithOptimising();
      await optimiseAsUsual();
      return (await import('../../debug-adapter/compiler-thread.node')).startCompiler(__dirname);
    },
    keptOf: keptRegionsOf,
    // Not `performance.now`, which takes two milliseconds to load.
    elapsed: () => process.uptime() * 1000,
    sleep(milliseconds) {
      let wake = (): void => undefined;
      const done = new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, milliseconds);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      return { done, wake: () => wake() };
    },
    breathe: () => new Promise((resolve) => setImmediate(resolve)),
  };
}
