/** The only way by which the pure parts (kconfig, kraftfile, pool, build) reach files: given to them, never imported. */

/** What kind of thing a path names. */
export type FileKind = 'file' | 'directory';

/** A file system seen through absolute, `/`-separated paths. No method throws for a missing file. */
export interface Files {
  /** The file's bytes, or undefined where there is no such file. */
  read(path: string): Uint8Array | undefined;
  /** The file's text as UTF-8, or undefined where there is no such file. */
  readText(path: string): string | undefined;
  /** What stands at `path` after following links, or undefined. */
  kind(path: string): FileKind | undefined;
  /** Names in a directory, sorted by code unit; empty where there is no such directory. */
  list(path: string): readonly string[];
  /** The path with links resolved, or the path itself where nothing stands there. */
  realPath(path: string): string;
}
