/** Where translated code is kept between runs: one file for each guest in the user's folder for caches. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { deserialize, serialize } from 'node:v8';
import { type KeptStorage } from './x86/jit/kept';

/** Guests of which something is kept: those that ran last. */
const mostGuests = 40;
/** Bytes of the digest that a file begins with. */
const digestBytes = 32;

/**
 * @param bundle the program that translates: what another version of it wrote is not read.
 * What cannot be read or written, for whatever reason, is as if it were not there: it is only there to save time.
 */
export function keptFiles(bundle: string): KeptStorage {
  let version: Buffer | undefined;
  const digest = (content: Uint8Array): Buffer => {
    version ??= createHash('sha256').update(readFileSync(bundle)).update(process.versions.v8).digest();
    return createHash('sha256').update(version).update(content).digest();
  };
  return {
    read(file) {
      try {
        const bytes = readFileSync(file);
        const content = bytes.subarray(digestBytes);
        return digest(content).equals(bytes.subarray(0, digestBytes)) ? (deserialize(content) as unknown) : undefined;
      } catch {
        return undefined;
      }
    },
    write(file, value) {
      try {
        const content = serialize(value);
        makeFolder(dirname(file));
        const part = `${file}.${process.pid}`;
        writeFileSync(part, Buffer.concat([digest(content), content]), { mode: 0o600 });
        renameSync(part, file);
        removeOldest(dirname(file));
      } catch {
        // A disk that is full or a folder that is read-only: the next run translates anew.
      }
    },
  };
}

/** Makes a folder, and up to two above it. Not `recursive`, which never ends where a system such as /proc has no folder made. */
function makeFolder(folder: string, above = 2): void {
  if (existsSync(folder)) return;
  if (above > 0) makeFolder(dirname(folder), above - 1);
  mkdirSync(folder, { mode: 0o700 });
}

function removeOldest(folder: string): void {
  const files = readdirSync(folder).map((name) => join(folder, name));
  if (files.length <= mostGuests) return;
  const byAge = files.map((file) => ({ file, time: statSync(file).mtimeMs })).sort((one, other) => other.time - one.time);
  for (const { file } of byAge.slice(mostGuests)) unlinkSync(file);
}
