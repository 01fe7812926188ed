/** The file system of Node behind the Files interface; for entry files and tests. */
import { readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { type FileKind, type Files } from './files';

/** Node makes such an object anew at each call that names the encoding alone. */
const asText = { encoding: 'utf8', flag: 'r' } as const;

/** Files on disk. */
export class NodeFiles implements Files {
  read(path: string): Uint8Array | undefined {
    try {
      return readFileSync(path);
    } catch {
      return undefined;
    }
  }

  readText(path: string): string | undefined {
    try {
      return readFileSync(path, asText);
    } catch {
      return undefined;
    }
  }

  kind(path: string): FileKind | undefined {
    try {
      const stat = statSync(path, { throwIfNoEntry: false });
      return stat?.isDirectory() ? 'directory' : stat?.isFile() ? 'file' : undefined;
    } catch {
      return undefined;
    }
  }

  list(path: string): readonly string[] {
    try {
      return readdirSync(path).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    } catch {
      return [];
    }
  }

  realPath(path: string): string {
    try {
      return realpathSync.native(path);
    } catch {
      return path;
    }
  }
}
