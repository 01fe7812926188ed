/** Files as somebody has told of them, for hosts that have no file system to ask. */
import { type FileKind, type Files } from './files';

/** Texts by path; folders are there because files are below them. */
export class SnapshotFiles implements Files {
  private readonly texts = new Map<string, string>();
  private readonly folders = new Map<string, Set<string>>();

  /** A file with its text, new or changed. */
  put(path: string, text: string): void {
    this.texts.set(path, text);
    for (let child = path; child !== '';) {
      const slash = child.lastIndexOf('/');
      const folder = child.slice(0, slash);
      const names = this.folders.get(folder);
      if (names) {
        names.add(child.slice(slash + 1));
        return;
      }
      this.folders.set(folder, new Set([child.slice(slash + 1)]));
      child = folder;
    }
  }

  /** A file that is there no more; folders without files go as well. */
  remove(path: string): void {
    if (!this.texts.delete(path)) return;
    for (let child = path; child !== '';) {
      const slash = child.lastIndexOf('/');
      const folder = child.slice(0, slash);
      const names = this.folders.get(folder);
      names?.delete(child.slice(slash + 1));
      if (!names || names.size > 0) return;
      this.folders.delete(folder);
      child = folder;
    }
  }

  read(path: string): Uint8Array | undefined {
    const text = this.texts.get(path);
    return text === undefined ? undefined : new TextEncoder().encode(text);
  }

  readText(path: string): string | undefined {
    return this.texts.get(path);
  }

  kind(path: string): FileKind | undefined {
    if (this.texts.has(path)) return 'file';
    return this.folders.has(path === '/' ? '' : path.replace(/\/+$/, '')) ? 'directory' : undefined;
  }

  list(path: string): readonly string[] {
    const names = this.folders.get(path === '/' ? '' : path.replace(/\/+$/, ''));
    return names ? [...names].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)) : [];
  }

  realPath(path: string): string {
    return path;
  }
}
