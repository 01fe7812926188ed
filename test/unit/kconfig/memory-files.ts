/** A file system in memory, for tests. */
import { type FileKind, type Files } from '../../../src/shared/files';

/** Files given as path -> text; directories follow from the paths. */
export class MemoryFiles implements Files {
  private readonly texts: Map<string, string>;
  private readonly directories = new Map<string, Set<string>>();

  constructor(texts: Readonly<Record<string, string>>) {
    this.texts = new Map(Object.entries(texts));
    for (const path of this.texts.keys()) this.addDirectories(path);
  }

  write(path: string, text: string): void {
    this.texts.set(path, text);
    this.addDirectories(path);
  }

  read(path: string): Uint8Array | undefined {
    const text = this.readText(path);
    return text === undefined ? undefined : new TextEncoder().encode(text);
  }

  readText(path: string): string | undefined {
    return this.texts.get(normal(path));
  }

  kind(path: string): FileKind | undefined {
    const clean = normal(path);
    if (this.texts.has(clean)) return 'file';
    return this.directories.has(clean) ? 'directory' : undefined;
  }

  list(path: string): readonly string[] {
    return [...(this.directories.get(normal(path)) ?? [])].sort();
  }

  realPath(path: string): string {
    return normal(path);
  }

  private addDirectories(path: string): void {
    for (let at = path.lastIndexOf('/'), child = path; at >= 0; at = child.lastIndexOf('/')) {
      const parent = child.slice(0, at) || '/';
      const names = this.directories.get(parent) ?? new Set<string>();
      names.add(child.slice(at + 1));
      this.directories.set(parent, names);
      if (parent === '/') break;
      child = parent;
    }
  }
}

/** The path without `.` and `..` segments. */
function normal(path: string): string {
  const out: string[] = [];
  for (const piece of path.split('/')) {
    if (piece === '' || piece === '.') continue;
    if (piece === '..') out.pop();
    else out.push(piece);
  }
  return `/${out.join('/')}`;
}
