/** Reads a folder of the host for packing. */

import { readdirSync, readFileSync, readlinkSync, statSync, lstatSync } from 'node:fs';
import { type CpioEntry, writeCpio } from './cpio';

/**
 * Everything below a folder; links stay links, devices and sockets are left out. `times`: with the times of files, which equal folders need not have alike.
 * @throws Error where the folder or something in it cannot be read.
 */
export function readTree(root: string, times = false): CpioEntry[] {
  if (!statSync(root).isDirectory()) throw new Error(`${root} is not a folder.`);
  const entries: CpioEntry[] = [];
  const walk = (dir: string, prefix: string): void => {
    for (const name of readdirSync(dir).sort()) {
      const full = `${dir}/${name}`;
      const path = prefix + name;
      const stat = lstatSync(full);
      const mode = stat.mode & 0o7777;
      const mtime = times ? { mtime: Math.max(0, Math.floor(stat.mtimeMs / 1000)) } : {};
      if (stat.isSymbolicLink())
        entries.push({ path, kind: 'symlink', data: new TextEncoder().encode(readlinkSync(full)), mode, ...mtime });
      else if (stat.isDirectory()) {
        entries.push({ path, kind: 'directory', data: new Uint8Array(0), mode, ...mtime });
        walk(full, `${path}/`);
      } else if (stat.isFile()) entries.push({ path, kind: 'file', data: readFileSync(full), mode, ...mtime });
    }
  };
  walk(root, '');
  return entries;
}

/** A folder as a cpio archive. @throws Error as readTree() and writeCpio() do. */
export function packFolder(root: string): Uint8Array {
  return writeCpio(readTree(root));
}
