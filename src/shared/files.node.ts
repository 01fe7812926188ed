/** The file system of Node behind the Files interface; for entry files and tests. */
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { type FileKind, type Files } from './files';

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
    // Most files that are asked for in vain are not there, and making an error of that costs more than reading a file.
    if (!existsSync(path)) return undefined;
    try {
      return readFileSync(path, 'utf8');
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
