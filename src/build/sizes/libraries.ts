/** Which library a symbol or a source belongs to, read from the build folder of an upstream build: `O/<lib>.o`, `O/<lib>/…/*.o.cmd`. */

import { parseElf, SHN, STB } from '../../../debug-adapter/symbols/elf';
import { type Files } from '../../shared/files';

/** Answers from a build folder. */
export interface LibraryIndex {
  /** Library whose object defines a global symbol. */
  ofGlobal(name: string): string | undefined;
  /** Library that compiles a source file. */
  ofSource(path: string): string | undefined;
}

/** Folders below a library's that are looked into for `.o.cmd` files. */
const DEEPEST = 12;

/** Reads a build folder; undefined where it holds no libraries as an upstream build leaves them. */
export function readLibraryIndex(files: Files, build: string): LibraryIndex | undefined {
  const names = files.list(build);
  const libraries = names.filter((n) => names.includes(`${n}.o`) && files.kind(`${build}/${n}`) === 'directory');
  if (libraries.length === 0) return undefined;
  const globals = new Map<string, string>();
  const sources = new Map<string, string>();
  for (const library of libraries) {
    const bytes = files.read(`${build}/${library}.o`);
    if (bytes)
      for (const s of parseElf(bytes).symbols)
        if (s.binding !== STB.LOCAL && s.section !== SHN.UNDEF && !globals.has(s.name)) globals.set(s.name, library);
    readSources(files, `${build}/${library}`, library, sources, 0);
  }
  return { ofGlobal: (name) => globals.get(name), ofSource: (path) => sources.get(path) };
}

function readSources(files: Files, folder: string, library: string, sources: Map<string, string>, depth: number): void {
  if (depth > DEEPEST) return;
  for (const name of files.list(folder)) {
    const path = `${folder}/${name}`;
    if (name.endsWith('.o.cmd')) {
      const source = /\s-c\s+(\S+)/.exec(files.readText(path) ?? '')?.[1];
      // The identification of libraries is compiled into each of them from one source.
      if (source !== undefined && !sources.has(source) && !name.endsWith('.libuklibid.o.cmd')) sources.set(source, library);
    } else if (!name.includes('.') && files.kind(path) === 'directory') readSources(files, path, library, sources, depth + 1);
  }
}
