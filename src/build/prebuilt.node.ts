/** The pack of objects that come compiled with the product: where their bytes are. */

import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { type Toolchain } from './toolchain';

/** How debug information of prebuilt objects names the pool and the build folder; the linker puts the real ones in. */
export const PREBUILT_POOL = '/@pool';
export const PREBUILT_BUILD = '/@build';

/** File name of all objects, one after the other. */
export const PREBUILT_PACK = 'objects.pack';

/** What lies in the folder of prebuilt objects as index.json; the objects themselves are in objects.pack. */
export interface PrebuiltIndex {
  readonly version: typeof PREBUILT_VERSION;
  readonly toolchain: Pick<Toolchain, 'kind' | 'version'>;
  /** Where each object lies in the pack: offset and size, by its name, a hash of its content. */
  readonly places: Record<string, readonly [number, number]>;
  /** The object with the tables that the others share; it comes first in a link. */
  readonly first: string;
}

export const PREBUILT_VERSION = 4;

/** The folders that objects know by other names. */
export interface PrebuiltFolders {
  readonly pool: string;
  readonly build: string;
}

/** A folder of prebuilt objects. */
export class Prebuilt {
  private pack: number | undefined;

  private constructor(
    readonly folder: string,
    private readonly index: PrebuiltIndex,
  ) {}

  /** Opens a folder; undefined where there is none, or it was made by another version. */
  static open(folder: string): Prebuilt | undefined {
    try {
      const index = JSON.parse(readFileSync(`${folder}/index.json`, 'utf8')) as Partial<PrebuiltIndex>;
      if (index.version === PREBUILT_VERSION) return new Prebuilt(folder, index as PrebuiltIndex);
    } catch {
      // None there, or cut off.
    }
    return undefined;
  }

  /** A toolchain to plan with: the one that made the objects, without a program. */
  get toolchain(): Toolchain {
    return prebuiltToolchain(this.index.toolchain);
  }

  /** Name of the object that comes first in a link. */
  get first(): string {
    return this.index.first;
  }

  /** An object's bytes. @throws Error where the pack cannot be read, or is shorter than its index says. */
  read(name: string): Uint8Array {
    this.pack ??= openSync(`${this.folder}/${PREBUILT_PACK}`, 'r');
    const [offset, size] = this.index.places[name]!;
    const bytes = new Uint8Array(size);
    if (readSync(this.pack, bytes, 0, size, offset) === size) return bytes;
    throw new Error(`${this.folder}/${PREBUILT_PACK} is cut off; install the extension again, or make it anew with npm run build.`);
  }

  /** Files that decide over what is linked. */
  get files(): readonly string[] {
    return [`${this.folder}/index.json`, `${this.folder}/${PREBUILT_PACK}`];
  }

  /** Closes the pack. */
  close(): void {
    if (this.pack !== undefined) closeSync(this.pack);
    this.pack = undefined;
  }
}

/** The compiler that made the objects, as a plan names it. */
export function prebuiltToolchain(made: PrebuiltIndex['toolchain']): Toolchain {
  return { ...made, path: made.kind, includeDir: '', targetArgs: [] };
}

/** A path as prebuilt objects name it. */
export function toPortable(path: string, { pool, build }: PrebuiltFolders): string {
  if (path.startsWith(`${build}/`)) return PREBUILT_BUILD + path.slice(build.length);
  return path.startsWith(`${pool}/`) ? PREBUILT_POOL + path.slice(pool.length) : path;
}
