/** Gives programs that the guest loads at run time their symbols, at their real addresses, from their files in the initial RAM disk. */
import { type GuestAccess } from '../guest/access';
import { CpioArchive } from '../guest/cpio';
import { type LoadedProgram, programReadyFunction, ProgramReader } from '../guest/programs';
import { SymbolFile } from '../symbols/api';
import { type LaunchOptions, type ProgramSymbols } from './api';
import { type Target } from './target';
import { TlsModules } from './tls-modules';

/** Objects looked at in the dynamic linker's list; it may be damaged. */
const mostObjects = 256;

/** What became of a loaded program. */
export interface ProgramNotice {
  readonly path: string;
  readonly bias?: bigint;
  /** A sentence for people. */
  readonly text: string;
  readonly found: boolean;
  readonly hasDwarf: boolean;
}

/** Watches for programs. `notice` is called on the machine's thread with the guest standing before the program's first instruction. */
export function watchPrograms(
  target: Target,
  { initrd, programSymbols = [] }: Pick<LaunchOptions, 'initrd' | 'programSymbols'>,
  notice: (notice: ProgramNotice) => void,
): void {
  const [kernel] = target.symbolFiles;
  if (kernel === undefined) return;
  const access: GuestAccess = {
    kernel,
    readMemory: (address, length) => target.machine.cpu.readMemory(address, length),
    register: (name) => target.register(name),
  };
  const reader = ProgramReader.of(access);
  if (reader === undefined) return;
  const files = new ProgramFiles(initrd, programSymbols);
  const missing = new Set<string>();
  const known = new Map<string, SymbolFile>();
  /** Gives a file's symbols to the target, once; undefined where they cannot be had. */
  const add = (path: string, biasOf: (file: SymbolFile) => bigint): SymbolFile | undefined => {
    // Opening a file again is cheap, but what was read of it is kept.
    const here = [...known.values()].find((file) => file.name === path && file.bias === biasOf(file.at(0n)));
    if (here !== undefined) return here;
    const bytes = files.read(path);
    if (bytes === undefined) {
      if (missing.has(path)) return undefined;
      missing.add(path);
      notice({
        path,
        found: false,
        hasDwarf: false,
        text: `The guest runs ${path}, which the initial RAM disk does not hold: no symbols for it.`,
      });
      return undefined;
    }
    const own = SymbolFile.open(bytes, { name: path });
    const beside = files.beside(path, own, bytes);
    if (beside?.stale === true)
      notice({
        path,
        found: false,
        hasDwarf: false,
        text: `${beside.name} is not of the ${path} that runs (their build IDs differ): its symbols are not used.`,
      });
    const file = beside?.file ?? own;
    const bias = biasOf(file);
    const placed = file.at(bias);
    known.set(`${path}@${bias}`, placed);
    target.addSymbols(placed);
    const place = `0x${bias.toString(16)}`;
    const from = beside?.file === undefined || beside.name === path ? '' : ` from ${beside.name}`;
    const text = file.hasDwarf
      ? `Symbols of ${path} loaded${from}, at ${place}.`
      : `${path} runs at ${place}; it holds no debug information (-g).`;
    const shared = missingSupplement(file);
    notice({ path, bias, found: true, hasDwarf: file.hasDwarf, text: shared === undefined ? text : `${text} ${shared}` });
    return placed;
  };
  const load = (program: LoadedProgram): SymbolFile | undefined => {
    return add(program.path, (file) => BigInt.asUintN(64, program.entry - file.elf.entry));
  };
  const watched = new Set<SymbolFile>();
  for (const { address } of kernel.symbolsNamed(programReadyFunction)) {
    target.probes.add(address, () => {
      const [program, linker] = reader.read(target.register('rsi')).map((each) => ({ ...each, file: load(each) }));
      // A replayed load is the same load.
      if (linker?.file === undefined || watched.has(linker.file)) return undefined;
      watched.add(linker.file);
      watchObjects(target, program?.file, linker.file, (path, bias) => add(path, () => bias));
      return undefined;
    });
  }
}

/** What is to be said of a file that shares DWARF with others, where the file with that is not there. */
export function missingSupplement(file: SymbolFile): string | undefined {
  return file.diagnostics().find(({ code }) => code === 'dwarf-supplementary')?.message;
}

/** The dynamic linker calls this function whenever its list of objects is consistent (the SVR4 debugger interface, link.h). */
const objectsChangedFunction = '_dl_debug_state';

function watchObjects(
  target: Target,
  program: SymbolFile | undefined,
  linker: SymbolFile,
  add: (path: string, bias: bigint) => SymbolFile | undefined,
): void {
  const [debug] = linker.symbolsNamed('_r_debug');
  if (debug === undefined) return;
  // glibc's linker exports its own state under this name; musl's is its C library.
  const modules = new TlsModules(linker.symbolsNamed('_rtld_global').length > 0 ? 'glibc' : 'musl', (at) => target.readInteger(at, 8));
  for (const { address } of linker.symbolsNamed(objectsChangedFunction)) {
    target.probes.add(address, () => {
      const objects: (SymbolFile | undefined)[] = [];
      // struct r_debug: version, then the head; struct link_map: address, name, dynamic section, next.
      let object = target.readInteger(debug.address + 8n, 8) ?? 0n;
      for (let count = 0; object !== 0n && count < mostObjects; count++) {
        const bias = target.readInteger(object, 8);
        const name = target.readInteger(object + 8n, 8);
        const path = name === undefined ? '' : readPath(target, name);
        // The first one is the program itself, without a name; an object without a path of a file is the kernel's own, without variables.
        if (count === 0) objects.push(program);
        else if (bias === linker.bias) objects.push(linker);
        else if (bias !== undefined && path.startsWith('/')) objects.push(add(path, bias));
        object = target.readInteger(object + 24n, 8) ?? 0n;
      }
      modules.assign(objects);
      target.tlsModules = modules;
      return undefined;
    });
  }
}

function readPath(target: Target, address: bigint): string {
  const bytes = target.machine.cpu.readMemory(address, 512);
  const end = bytes.indexOf(0);
  return end < 0 ? '' : new TextDecoder().decode(bytes.subarray(0, end));
}

/** Files that programs may come from: the archive's, or the RAM disk itself where it is one program. */
class ProgramFiles {
  #archive: CpioArchive | undefined;

  constructor(
    private readonly initrd: Uint8Array | undefined,
    private readonly symbols: readonly ProgramSymbols[],
  ) {}

  /** The symbols that lie apart from a program; `stale` where they are of another build of it. */
  beside(
    path: string,
    own: SymbolFile,
    stripped: Uint8Array,
  ): { readonly name: string; readonly file?: SymbolFile; readonly stale: boolean } | undefined {
    const { initrd } = this;
    const inArchive = initrd !== undefined && isElf(initrd) ? '' : path.replace(/^\/+/, '');
    const found = this.symbols.find((each) => each.path === inArchive);
    if (found === undefined) return undefined;
    const { bytes, supplement } = found;
    const shared = supplement === undefined ? {} : { supplement };
    if (bytes === undefined) return { name: path, file: SymbolFile.open(stripped, { name: path, ...shared }), stale: false };
    const file = SymbolFile.open(bytes, { name: path, stripped, ...shared });
    const stale = own.buildId !== undefined && file.buildId !== undefined && own.buildId !== file.buildId;
    return stale ? { name: found.name, stale } : { name: found.name, file, stale };
  }

  read(path: string): Uint8Array | undefined {
    const { initrd } = this;
    if (initrd === undefined) return undefined;
    if (isElf(initrd)) return initrd;
    this.#archive ??= new CpioArchive(initrd);
    const bytes = this.#archive.read(path);
    return bytes !== undefined && isElf(bytes) ? bytes : undefined;
  }
}

const isElf = (bytes: Uint8Array): boolean => bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46;
