/** Files with what is open in the editor laid over them, and answers kept until something is said to have changed. */
import { type FileKind, type Files } from './files';

/** Open documents over a disk whose structure is asked for once. */
export class LayeredFiles implements Files {
  private readonly texts = new Map<string, string>();
  private readonly kinds = new Map<string, FileKind | undefined>();
  private readonly lists = new Map<string, readonly string[]>();
  private readonly realPaths = new Map<string, string>();

  constructor(private readonly disk: Files) {}

  /** The text of an open document, or undefined. */
  document(path: string): string | undefined {
    return this.texts.get(path);
  }

  /** An open document's text; undefined when it is closed. */
  setDocument(path: string, text: string | undefined): void {
    if (text === undefined) this.texts.delete(path);
    else this.texts.set(path, text);
  }

  /** Something on disk has changed. */
  changed(): void {
    this.kinds.clear();
    this.lists.clear();
    this.realPaths.clear();
  }

  read(path: string): Uint8Array | undefined {
    const text = this.texts.get(path);
    return text === undefined ? this.disk.read(path) : new TextEncoder().encode(text);
  }

  readText(path: string): string | undefined {
    return this.texts.get(path) ?? this.disk.readText(path);
  }

  kind(path: string): FileKind | undefined {
    if (this.texts.has(path)) return 'file';
    if (!this.kinds.has(path)) this.kinds.set(path, this.disk.kind(path));
    return this.kinds.get(path);
  }

  list(path: string): readonly string[] {
    let names = this.lists.get(path);
    if (!names) this.lists.set(path, (names = this.disk.list(path)));
    return names;
  }

  realPath(path: string): string {
    let real = this.realPaths.get(path);
    if (real === undefined) this.realPaths.set(path, (real = this.disk.realPath(path)));
    return real;
  }
}
