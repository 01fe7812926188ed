/** Objects that come compiled with the product: which of them stands for a step of a plan, and where its bytes are. */

import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { type Files } from '../shared/files';
import { type Configuration, configurationLine } from './configuration';
import { type CompileStep } from './plan';
import { hashOf } from './state.node';
import { type Toolchain } from './toolchain';

/** How debug information of prebuilt objects names the pool and the build folder; the linker puts the real ones in. */
export const PREBUILT_POOL = '/@pool';
export const PREBUILT_BUILD = '/@build';

/** File name of all objects, one after the other. */
export const PREBUILT_PACK = 'objects.pack';

/** What a source was compiled to, for each configuration that makes a difference to it. */
export interface PrebuiltUnit {
  /** Options that its text and its headers name, without `CONFIG_`. */
  readonly symbols: readonly string[];
  /** Files that it is made from; below `/@pool` and `/@build`. */
  readonly files: readonly string[];
  /** The object's name, a hash of its content, by the hash of flags, options and files. */
  readonly objects: Record<string, string>;
}

/** What lies in the folder of prebuilt objects as index.json; the objects themselves are in objects.pack. */
export interface PrebuiltIndex {
  readonly version: typeof PREBUILT_VERSION;
  readonly toolchain: Pick<Toolchain, 'kind' | 'version'>;
  /** By library, source and variant. */
  readonly units: Record<string, readonly PrebuiltUnit[]>;
  /** Where each object lies in the pack: offset and size. */
  readonly places: Record<string, readonly [number, number]>;
  /** The object with the tables that the others share; it comes first in a link. */
  readonly first: string;
}

export const PREBUILT_VERSION = 3;

/** The folders of one build. */
export interface PrebuiltPlaces {
  readonly files: Files;
  readonly pool: string;
  readonly build: string;
  readonly config: Configuration;
}

/** A folder of prebuilt objects. */
export class Prebuilt {
  private readonly hashes = new Map<string, string | undefined>();
  private pack: number | undefined;

  constructor(
    readonly folder: string,
    readonly index: PrebuiltIndex,
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
    return { ...this.index.toolchain, path: this.index.toolchain.kind, includeDir: '', targetArgs: [] };
  }

  /** Name of the object for a step, undefined where none was compiled for this configuration. */
  find(step: CompileStep, places: PrebuiltPlaces): string | undefined {
    for (const unit of this.index.units[unitId(step, places)] ?? []) {
      const name = unit.objects[this.key(step, unit, places)];
      if (name !== undefined && !shadows(step, unit, places)) return name;
    }
    return undefined;
  }

  /** An object's bytes. @throws Error where the pack cannot be read, or is shorter than its index says. */
  read(name: string): Uint8Array {
    this.pack ??= openSync(this.packPath, 'r');
    const [offset, size] = this.index.places[name]!;
    const bytes = new Uint8Array(size);
    if (readSync(this.pack, bytes, 0, size, offset) === size) return bytes;
    throw new Error(`${this.packPath} is cut off; install the extension again, or make it anew with npm run build.`);
  }

  /** The file that the objects are read from. */
  get packPath(): string {
    return `${this.folder}/${PREBUILT_PACK}`;
  }

  /** Closes the pack. */
  close(): void {
    if (this.pack !== undefined) closeSync(this.pack);
    this.pack = undefined;
  }

  /** Hash of all that an object depends on. */
  key(step: CompileStep, unit: Pick<PrebuiltUnit, 'symbols' | 'files'>, places: PrebuiltPlaces): string {
    const options = unit.symbols.map((s) => configurationLine(places.config, s) ?? `/* ${s} */`);
    const files = unit.files.map((f) => this.hash(toReal(f, places)) ?? 'none');
    return hashOf([...flagsOf(step), ...options, ...files].join('\0'));
  }

  /** Forgets what is known of files that have changed. */
  forget(): void {
    this.hashes.clear();
  }

  /** Files that were compared, and so decide over which objects are taken. */
  get compared(): Iterable<string> {
    return this.hashes.keys();
  }

  private hash(path: string): string | undefined {
    if (!this.hashes.has(path)) {
      let hash: string | undefined;
      try {
        hash = hashOf(readFileSync(path));
      } catch {
        // It is not there: no object can match.
      }
      this.hashes.set(path, hash);
    }
    return this.hashes.get(path);
  }
}

/** Names a step without folders of the machine; sources outside of pool and build keep theirs, and so are never found. */
export function unitId(step: CompileStep, places: Pick<PrebuiltPlaces, 'pool' | 'build'>): string {
  return `${step.library} ${toPortable(step.source, places)} ${/\.([a-z]+)\.o$/.exec(step.object)?.[1] ?? ''}`;
}

/** A path as prebuilt objects name it. */
export function toPortable(path: string, { pool, build }: Pick<PrebuiltPlaces, 'pool' | 'build'>): string {
  if (path.startsWith(`${build}/`)) return PREBUILT_BUILD + path.slice(build.length);
  return path.startsWith(`${pool}/`) ? PREBUILT_POOL + path.slice(pool.length) : path;
}

function toReal(path: string, { pool, build }: PrebuiltPlaces): string {
  if (path.startsWith(`${PREBUILT_BUILD}/`)) return build + path.slice(PREBUILT_BUILD.length);
  return path.startsWith(`${PREBUILT_POOL}/`) ? pool + path.slice(PREBUILT_POOL.length) : path;
}

/** Arguments that change what is compiled. Folders of headers do not: the files found there are compared themselves. */
function flagsOf(step: CompileStep): string[] {
  const flags: string[] = [];
  for (let i = 1; i < step.argv.length; i++) {
    const a = step.argv[i]!;
    if (['-isystem', '-MF', '-o', '-c'].includes(a)) i++;
    else if (!/^(-I|-ffile-prefix-map=|-MMD$|--target=)/.test(a)) flags.push(a);
  }
  return flags;
}

/** Whether a header that the object was compiled with could be another one now: its folder is not searched, or one outside the pool has its name. */
function shadows(step: CompileStep, unit: PrebuiltUnit, places: PrebuiltPlaces): boolean {
  const folders = step.argv.filter((a) => a.startsWith('-I')).map((a) => a.slice(2));
  const strange = folders.filter((d) => !d.startsWith(`${places.pool}/`) && !d.startsWith(`${places.build}/`));
  for (const file of unit.files) {
    const real = toReal(file, places);
    const folder = folders.find((d) => real.startsWith(`${d}/`));
    if (folder === undefined) {
      if (/\/include\//.test(real)) return true;
      continue;
    }
    const name = real.slice(folder.length + 1);
    if (strange.some((d) => places.files.kind(`${d}/${name}`) === 'file')) return true;
  }
  return false;
}
