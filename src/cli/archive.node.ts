/** Packs a directory into the archive that a kernel takes as its initial RAM disk: apart, so that only who needs it loads it. */
import { packFolder } from '../build/cpio.node';

/** Rejects with an Error for people where the directory cannot be read. */
export function archiveDirectory(directory: string): Promise<Uint8Array> {
  return Promise.resolve().then(() => packFolder(directory));
}
