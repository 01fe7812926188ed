/** Packs a directory into the archive that a kernel takes as its initial RAM disk. */
import { archiveTree } from '../build/cpio';
export async function archiveDirectory(directory: string): Promise<Uint8Array> { return archiveTree(directory); }
