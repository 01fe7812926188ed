/** Finds where options are named in all the files of a tree that are not Kconfig: read once, then kept up to date. */
import { mentionsIn, type Mention } from '../kconfig/features/mentions';
import { type Place } from '../kconfig/features/view';
import { type Files } from '../shared/files';
import { languageOf } from './kinds';

/** Larger files are made by machines. */
const largestFile = 2 << 20;
/** Beyond this many files the search gives what it has. */
const mostFiles = 40_000;
const longestSlice = 15;

/** True where nobody waits for the answer any more. */
export type IsCancelled = () => boolean;

/** The mentions in some folders. */
export class MentionIndex {
  private readonly byFile = new Map<string, readonly Mention[]>();
  private readonly stale = new Set<string>();
  private built: Promise<void> | undefined;

  constructor(
    private readonly files: Files,
    private readonly folders: readonly string[],
    private readonly excluded: ReadonlySet<string>,
    private readonly prefix: string,
  ) {}

  /** Places that name an option with its prefix. `open` gives the text of documents that are open. */
  async find(name: string, open: ReadonlyMap<string, string>, isCancelled: IsCancelled = () => false): Promise<Place[]> {
    this.built ??= this.build();
    await this.built;
    if (isCancelled()) return [];
    for (const path of this.stale) this.readFile(path);
    this.stale.clear();
    const places: Place[] = [];
    for (const [path, mentions] of this.byFile) {
      if (open.has(path)) continue;
      for (const { start, end, name: found } of mentions) if (found === name) places.push({ path, start, end });
    }
    for (const [path, text] of open) {
      if (!this.covers(path)) continue;
      for (const { start, end } of mentionsIn(text, this.prefix, name)) places.push({ path, start, end });
    }
    return places;
  }

  /** A file has changed, come or gone. */
  changed(path: string): void {
    if (this.covers(path)) this.stale.add(path);
  }

  private covers(path: string): boolean {
    return isSearched(path) && this.folders.some((folder) => path.startsWith(`${folder}/`));
  }

  private readFile(path: string): void {
    const text = this.files.kind(path) === 'file' ? this.files.readText(path) : undefined;
    const mentions = text === undefined || text.length > largestFile ? [] : mentionsIn(text, this.prefix);
    if (mentions.length > 0) this.byFile.set(path, mentions);
    else this.byFile.delete(path);
  }

  private async build(): Promise<void> {
    const seen = new Set<string>();
    const queue = [...this.folders];
    let count = 0;
    let started = performance.now();
    for (let folder = queue.pop(); folder !== undefined; folder = queue.pop()) {
      const real = this.files.realPath(folder);
      if (seen.has(real) || this.excluded.has(folder)) continue;
      seen.add(real);
      for (const name of this.files.list(folder)) {
        if (name === '.git' || name === 'node_modules') continue;
        const path = `${folder}/${name}`;
        if (isSearched(path)) {
          if (this.files.kind(path) === 'file') {
            if (++count > mostFiles) return;
            this.readFile(path);
          } else if (this.files.kind(path) === 'directory') queue.push(path);
          // A dot and a digit are a version in the name of a folder.
        } else if (!/\.[A-Za-z]\w{0,4}$/.test(name) && this.files.kind(path) === 'directory') queue.push(path);
        if (performance.now() - started < longestSlice) continue;
        // Other requests get their turn.
        await new Promise((resolve) => setTimeout(resolve, 0));
        started = performance.now();
      }
    }
  }
}

function isSearched(path: string): boolean {
  // What conf keeps of the last configuration is nobody's to change.
  if (/\/\.config(?:\.[^/]*)?\.old$/.test(path)) return false;
  const language = languageOf(path);
  return language !== 'other' && language !== 'kconfig';
}
