/** Writes root file systems as cpio archives in the "new ASCII" format, which Linux and Unikraft unpack (cpio(5), "New ASCII Format"). */

/** A file, folder or link of the archive. */
export interface CpioEntry {
  /** Path without a leading slash, `/`-separated; `.` is the root itself. */
  readonly path: string;
  readonly kind: 'file' | 'directory' | 'symlink';
  /** A file's bytes, or as UTF-8 what a link points to; empty for folders. */
  readonly data: Uint8Array;
  /** Permission bits (0o7777 at most). Default: 0o755 for folders, 0o644 for files, 0o777 for links. */
  readonly mode?: number;
  /** Seconds since 1970. Default: 0, so that equal trees make equal archives. */
  readonly mtime?: number;
}

const TYPES = { file: 0o100000, directory: 0o040000, symlink: 0o120000 } as const;
const MODES = { file: 0o644, directory: 0o755, symlink: 0o777 } as const;
const HEADER = 110;
const TRAILER = 'TRAILER!!!';

function padded(n: number): number {
  return (n + 3) & ~3;
}

/** What is wrong with a path as the name of an entry, or undefined. */
export function cpioPathFault(path: string): string | undefined {
  if (path === '') return 'it is empty';
  if (path.startsWith('/')) return 'it starts with a slash';
  if (path.includes('\0')) return 'it contains a NUL';
  if (path.split('/').includes('..')) return 'it leads out of the root';
  return path === TRAILER ? 'it is the name that ends an archive' : undefined;
}

/**
 * Makes an archive. Entries are sorted by path, so that folders come before what they hold; folders that are missing are added.
 * @throws Error for a path that cannot be a name in an archive, for a path given twice, and for a file of 4 GiB or more.
 */
export function writeCpio(entries: readonly CpioEntry[]): Uint8Array {
  const all = new Map<string, CpioEntry>();
  for (const entry of entries) {
    const fault = cpioPathFault(entry.path);
    if (fault) throw new Error(`“${entry.path}” cannot be packed: ${fault}.`);
    if (all.has(entry.path)) throw new Error(`“${entry.path}” is packed twice.`);
    if (entry.data.length > 0xffffffff) throw new Error(`“${entry.path}” is too large for a cpio archive, which holds files below 4 GiB.`);
    all.set(entry.path, entry);
  }
  for (const path of [...all.keys()]) {
    for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
      const parent = path.slice(0, slash);
      if (!all.has(parent)) all.set(parent, { path: parent, kind: 'directory', data: new Uint8Array(0) });
    }
  }
  // Component by component, so that `a` and all below it come before `a-b`.
  const sorted = [...all.values()]
    .map((entry) => ({ entry, key: entry.path.split('/').join('\0') }))
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  const encoder = new TextEncoder();
  const names = sorted.map(({ entry }) => encoder.encode(entry.path));
  let size = padded(HEADER + TRAILER.length + 1);
  sorted.forEach(({ entry }, i) => (size += padded(HEADER + names[i]!.length + 1) + padded(entry.data.length)));
  // Unpackers read whole blocks of 512 bytes.
  const out = new Uint8Array(Math.ceil(size / 512) * 512);

  let at = 0;
  const write = (name: Uint8Array, data: Uint8Array, inode: number, mode: number, links: number, mtime: number): void => {
    const fields = [inode, mode, 0, 0, links, mtime, data.length, 0, 0, 0, 0, name.length + 1, 0];
    const header = `070701${fields.map((f) => (f >>> 0).toString(16).toUpperCase().padStart(8, '0')).join('')}`;
    for (let i = 0; i < HEADER; i++) out[at + i] = header.charCodeAt(i);
    out.set(name, at + HEADER);
    at += padded(HEADER + name.length + 1);
    out.set(data, at);
    at += padded(data.length);
  };
  sorted.forEach(({ entry }, i) => {
    const mode = TYPES[entry.kind] | ((entry.mode ?? MODES[entry.kind]) & 0o7777);
    const data = entry.kind === 'directory' ? new Uint8Array(0) : entry.data;
    write(names[i]!, data, i + 1, mode, entry.kind === 'directory' ? 2 : 1, entry.mtime ?? 0);
  });
  write(encoder.encode(TRAILER), new Uint8Array(0), 0, 0, 1, 0);
  return out;
}
