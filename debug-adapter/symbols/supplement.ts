/** The file that DWARF of several files is shared in, as `dwz -m` makes it: where it may be, and whether a file is the one. */
import { type DiagnosticSink } from './diagnostics';
import { type ElfFile, type SupplementLink, parseElf } from './elf';
import { joinPath } from './paths';

/** What was found of the file that a symbol file shares DWARF in. */
export interface Supplement {
  /** Undefined where none of the places holds it. */
  readonly bytes?: Uint8Array;
  /** Where it was looked for. */
  readonly places: readonly string[];
  /** Places that hold another file, as one of another build. */
  readonly others?: readonly string[];
}

/** Folders in which packages put debug information. @param platform as Node names it */
export const packagedDebugFolders = (platform: string): readonly string[] => (platform === 'linux' ? ['/usr/lib/debug'] : []);

/** Longer paths are damage: systems have none. */
const longestPath = 4096;

/**
 * Paths at which the file that a symbol file names may be, the likeliest first: as it is named, from the symbol file's folder; beside that; in `.dwz` of folders with
 * debug information, where packages have it; and there by its build ID. What a file names is not trusted: places where reading need not end are left out.
 */
function placesOf({ name, id }: SupplementLink, path: string, debugFolders: readonly string[]): readonly string[] {
  const places: string[] = [];
  if (name !== '' && name.length <= longestPath) {
    const folder = path.slice(0, Math.max(0, path.lastIndexOf('/'))) || (path.startsWith('/') ? '/' : '.');
    places.push(joinPath(folder, name), joinPath(folder, name.slice(name.lastIndexOf('/') + 1)));
    const shared = /(?:^|\/)(\.dwz\/.+)$/.exec(name)?.[1];
    if (shared !== undefined) places.push(...debugFolders.map((each) => joinPath(each, shared)));
  }
  if (id.length > 2) places.push(...debugFolders.map((each) => `${each}/.build-id/${id.slice(0, 2)}/${id.slice(2)}.debug`));
  return [...new Set(places)].filter((place) => !/^\/(?:proc|sys|dev)\//.test(place));
}

/**
 * Looks for the file that a symbol file at a path shares DWARF in: yields each place that it may be at, and wants the bytes that are there. Undefined where the symbol file
 * names none.
 */
export function* findSupplement(
  symbols: Uint8Array,
  paths: readonly string[],
  debugFolders: readonly string[],
): Generator<string, Supplement | undefined, Uint8Array | undefined> {
  const link = parseElf(symbols).supplementLink;
  if (link === undefined) return undefined;
  const places = [...new Set(paths.flatMap((path) => placesOf(link, path, debugFolders)))];
  const others: string[] = [];
  for (const place of places) {
    const bytes = yield place;
    if (bytes === undefined) continue;
    if (isSupplement(link, bytes)) return { bytes, places };
    others.push(place);
  }
  return { places, others };
}

/** Is it the file that is named? */
function isSupplement({ id }: SupplementLink, bytes: Uint8Array): boolean {
  const elf = parseElf(bytes);
  return elf.valid && id !== '' && elf.supplementId === id;
}

/** The file that a symbol file names; undefined where it names none, or with a complaint, where there is none that it names. */
export function openSupplement(elf: ElfFile, supplement: Supplement | undefined, diagnostics: DiagnosticSink): ElfFile | undefined {
  const link = elf.supplementLink;
  if (link === undefined) return undefined;
  const { bytes, places = [], others = [] } = supplement ?? {};
  if (bytes !== undefined && isSupplement(link, bytes)) return parseElf(bytes);
  const wanted = `${link.name || 'a file without a name'} (build ID ${link.id || 'missing'})`;
  const found = bytes === undefined ? 'it was not found' : 'what was found is another file';
  const where = places.length === 0 ? '' : ` (looked for: ${places.join(', ')})`;
  const stale = others.length === 0 ? '' : `; of another build: ${others.join(', ')}`;
  const message = `Part of the DWARF was moved to a shared file (${link.section}, made by dwz), ${wanted}; ${found}${where}${stale}. Names and types there are missing.`;
  diagnostics.add('dwarf-supplementary', message, link.section);
  return undefined;
}
