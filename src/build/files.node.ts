/** The host's file system as `Files`. */

import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { type Files } from '../shared/files';

function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}

/** Reads from the disk at every call. */
export const nodeFiles: Files = {
  read: (path) => attempt(() => readFileSync(path)),
  readText: (path) => attempt(() => readFileSync(path, 'utf8')),
  kind: (path) => {
    const stat = attempt(() => statSync(path, { throwIfNoEntry: false }));
    return stat?.isDirectory() ? 'directory' : stat?.isFile() ? 'file' : undefined;
  },
  list: (path) => attempt(() => readdirSync(path).sort()) ?? [],
  realPath: (path) => attempt(() => realpathSync(path)) ?? path,
};
