/** Symbols of the programs in an initial RAM disk from files apart from it: there, to be small, programs are stripped as a rule. */
import { type ProgramSymbols } from '../control/api';
import { CpioArchive } from '../guest/cpio';
import { type Supplement, findSupplement } from '../symbols/api';
import { type ElfFile, parseElf } from '../symbols/elf';
import { type AdapterHost } from './host';

const suffixes = ['.dbg', '.debug'] as const;
/** Programs that are looked for: what is found is read whole. */
export const mostPrograms = 200;

/** Where files with symbols may be. */
export interface SymbolPlaces {
  /** Folders that may hold `NAME.dbg` or `NAME.debug` for a program NAME, or the file that its `.gnu_debuglink` names; looked at in this order, and first. */
  readonly folders: readonly string[];
  /** Folders as gdb's `debug-file-directory`: `.build-id/ab/cdef….debug` by the program's build ID, or its path with the name of its `.gnu_debuglink`. */
  readonly debugFolders: readonly string[];
}

/** What was found for the programs of a RAM disk. */
export interface FoundSymbols {
  readonly symbols: readonly ProgramSymbols[];
  /** Programs that nothing was looked for. */
  readonly leftOut: number;
}

/** A file with symbols for each ELF file of the RAM disk, or the one that it is, where there is one. One that cannot be read is none. */
export async function findProgramSymbols(host: AdapterHost, initrd: Uint8Array, places: SymbolPlaces): Promise<FoundSymbols> {
  const symbols: ProgramSymbols[] = [];
  const programs = programsOf(initrd);
  for (const { path, bytes } of programs.slice(0, mostPrograms)) {
    const found = await findFor(host, path, bytes, places);
    if (found !== undefined) symbols.push(found);
  }
  return { symbols, leftOut: Math.max(0, programs.length - mostPrograms) };
}

async function findFor(host: AdapterHost, path: string, program: Uint8Array, places: SymbolPlaces): Promise<ProgramSymbols | undefined> {
  const { folders, debugFolders } = places;
  for (const candidate of candidatesFor(path, parseElf(program), places)) {
    const bytes = await readIfThere(host, candidate);
    if (bytes === undefined) continue;
    const supplement = await readSupplement(host, bytes, [candidate], debugFolders);
    return { path, name: candidate, bytes, ...(supplement !== undefined && { supplement }) };
  }
  const cut = path.lastIndexOf('/') + 1;
  const beside = folders.map((folder) => `${folder}/${path.slice(cut)}`);
  const supplement = await readSupplement(host, program, beside, debugFolders);
  return supplement && { path, name: path, supplement };
}

async function readIfThere(host: AdapterHost, path: string): Promise<Uint8Array | undefined> {
  return (await host.exists(path)) ? host.readFile(path).catch(() => undefined) : undefined;
}

/** The file that symbols at one of the paths share DWARF in with others; undefined where they name none. */
export async function readSupplement(
  host: AdapterHost,
  symbols: Uint8Array,
  paths: readonly string[],
  debugFolders: readonly string[],
): Promise<Supplement | undefined> {
  const search = findSupplement(symbols, paths, debugFolders);
  let step = search.next();
  while (step.done !== true) step = search.next(await readIfThere(host, step.value));
  return step.value;
}

function programsOf(initrd: Uint8Array): readonly { readonly path: string; readonly bytes: Uint8Array }[] {
  if (isElf(initrd)) return [{ path: '', bytes: initrd }];
  const archive = new CpioArchive(initrd);
  const files = archive.paths.map((path) => ({ path, bytes: archive.read(path) }));
  return files.filter((file): file is { path: string; bytes: Uint8Array } => isElf(file.bytes));
}

function candidatesFor(path: string, elf: ElfFile, { folders, debugFolders }: SymbolPlaces): readonly string[] {
  const cut = path.lastIndexOf('/') + 1;
  const link = elf.debugLink;
  const names = [...(path === '' ? [] : suffixes.map((suffix) => path.slice(cut) + suffix)), ...(link === undefined ? [] : [link])];
  const beside = [...new Set(folders)].flatMap((folder) => names.map((name) => `${folder}/${name}`));
  // What lies in folders for everything is not of use to a program that has its own.
  if (elf.section('.debug_info') !== undefined) return beside;
  const id = elf.buildId;
  const byId = id === undefined || id.length < 3 ? [] : [`.build-id/${id.slice(0, 2)}/${id.slice(2)}.debug`];
  const apart = [...byId, ...(link === undefined ? [] : [`${path.slice(0, cut)}${link}`])];
  return [...beside, ...debugFolders.flatMap((folder) => apart.map((name) => `${folder}/${name}`))];
}

const isElf = (bytes: Uint8Array | undefined): boolean =>
  bytes?.[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
