/** Which prebuilt object stands for a step of a plan: for each source, what it was compiled to for each configuration that makes a difference to it. */

import { readFileSync } from 'node:fs';
import { type Files } from '../shared/files';
import { type Configuration, configurationLine } from './configuration';
import { type CompileStep } from './plan';
import { PREBUILT_BUILD, PREBUILT_POOL, type PrebuiltFolders, toPortable } from './prebuilt.node';
import { hashOf } from './state.node';

/** What a source was compiled to. */
export interface PrebuiltUnit {
  /** Options that its text and its headers name, without `CONFIG_`. */
  readonly symbols: readonly string[];
  /** Files that it is made from; below `/@pool` and `/@build`. */
  readonly files: readonly string[];
  /** The object's name by the hash of flags, options and files. */
  readonly objects: Record<string, string>;
}

/** One build. */
export interface PrebuiltPlaces extends PrebuiltFolders {
  readonly files: Files;
  readonly config: Configuration;
}

/** A step's unit and object. */
export interface FoundObject {
  readonly unit: PrebuiltUnit;
  readonly name: string;
}

/** Units by library, source and variant. */
export class PrebuiltUnits {
  private readonly hashes = new Map<string, string | undefined>();

  constructor(readonly units: Record<string, PrebuiltUnit[]>) {}

  /** Those of a folder of prebuilt objects. @throws Error where they cannot be read. */
  static open(folder: string): PrebuiltUnits {
    return new PrebuiltUnits(JSON.parse(readFileSync(unitsPath(folder), 'utf8')) as Record<string, PrebuiltUnit[]>);
  }

  /** The object for a step, undefined where none was compiled for this configuration. */
  find(step: CompileStep, places: PrebuiltPlaces): FoundObject | undefined {
    for (const unit of this.units[unitId(step, places)] ?? []) {
      const name = unit.objects[this.key(step, unit, places)];
      if (name !== undefined && !shadows(step, unit, places)) return { unit, name };
    }
    return undefined;
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
export function unitId(step: CompileStep, places: PrebuiltFolders): string {
  return `${step.library} ${toPortable(step.source, places)} ${/\.([a-z]+)\.o$/.exec(step.object)?.[1] ?? ''}`;
}

/** The file that prebuilt objects name. */
export function toReal(path: string, { pool, build }: PrebuiltFolders): string {
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

/** Where the units of a folder of prebuilt objects are. */
export function unitsPath(folder: string): string {
  return `${folder}/units.json`;
}
