/** What is being debugged: the machine, its probes, and every symbol file that describes code in it. */
import { type Machine } from '../machine/api';
import { ProbeTable } from '../machine/probes';
import { type SourcePosition, type SourcePathMap, type SymbolFile } from '../symbols/api';
import { demangled } from '../symbols/demangle/index';
import { type SourceLocation } from './api';
import { type TlsModules } from './tls-modules';

const pageBytes = 4096;

const isAbsolute = (path: string): boolean => /^([A-Za-z]:)?[\\/]/.test(path);

/** A machine with its symbols. Symbol files are asked in order; the first that covers an address answers for it. */
export class Target {
  readonly probes: ProbeTable;
  /** Thread pointer by which a file's thread-local variables of the running thread are found; FS base where unset or undefined. */
  threadPointerOf: ((file: SymbolFile) => bigint | undefined) | undefined;
  /** TLS module numbers of the files that a dynamic linker loaded; see `TlsModules`. */
  tlsModules: TlsModules | undefined;
  readonly #files: SymbolFile[] = [];

  constructor(
    readonly machine: Machine,
    readonly sourceMap: SourcePathMap,
    /** Folder of the symbol file: paths that the DWARF records as relative begin there. */
    private readonly folder: string,
  ) {
    this.probes = new ProbeTable(machine.cpu);
  }

  get symbolFiles(): readonly SymbolFile[] {
    return this.#files;
  }

  addSymbols(file: SymbolFile): void {
    this.#files.push(file);
  }

  symbolsAt(address: bigint): SymbolFile | undefined {
    return this.#files.find((file) => file.covers(address));
  }

  /** Start of a file's block of thread-local variables, for a thread pointer; undefined where it has none, or none yet. */
  tlsBlockBase(file: SymbolFile, threadPointer: bigint): bigint | undefined {
    return this.tlsModules?.has(file) === true ? this.tlsModules.blockOf(file, threadPointer) : file.tlsBlockBase(threadPointer);
  }

  register(name: string): bigint {
    return this.machine.cpu.getRegister(name) ?? 0n;
  }

  get pc(): bigint {
    return this.register('rip');
  }

  /** A little-endian integer of guest memory by linear address, or undefined where it is not all mapped. */
  readInteger(address: bigint, bytes: number): bigint | undefined {
    const data = this.machine.cpu.readMemory(address, bytes);
    if (data.length < bytes) return undefined;
    return data.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
  }

  /** Writes guest memory by linear address through the machine's journal, page by page. Returns the bytes written before an unmapped page. */
  writeMemory(address: bigint, bytes: Uint8Array): number {
    let done = 0;
    while (done < bytes.length) {
      const at = address + BigInt(done);
      const mapping = this.machine.cpu.translate(at);
      if (mapping === undefined) break;
      const part = bytes.subarray(done, done + Math.min(bytes.length - done, pageBytes - Number(at & BigInt(pageBytes - 1))));
      if (!this.machine.edit({ kind: 'memory', physical: mapping.physical, bytes: part.slice() })) break;
      done += part.length;
    }
    return done;
  }

  /** The function or symbol at an address with the offset in it, e.g. `schedcoop_schedule+0x12`. */
  describe(address: bigint): string {
    const file = this.symbolsAt(address);
    const symbol = file?.symbolAt(address);
    const name = file?.functionAt(address)?.name ?? (symbol && demangled(symbol.name));
    if (name === undefined) return `0x${address.toString(16)}`;
    const start = symbol?.address ?? address;
    return address === start ? name : `${name}+0x${(address - start).toString(16)}`;
  }

  location(address: bigint): SourceLocation | undefined {
    const row = this.symbolsAt(address)?.lineAt(address);
    return row === undefined || row.line === 0 ? undefined : this.present(row);
  }

  /** A position of the DWARF as the user's file system has it. */
  present(position: SourcePosition): SourceLocation {
    return { path: this.localPath(position.file.path), line: position.line, column: position.column };
  }

  /** A recorded path as the user's file system has it. */
  localPath(recorded: string): string {
    const path = this.sourceMap.toLocal(recorded);
    return isAbsolute(path) ? path : `${this.folder}/${path}`;
  }

  /** What the build may have called a path of the user's file system, likeliest first. */
  recorded(path: string): readonly string[] {
    const candidates = this.sourceMap.toRecorded(path);
    const inside = path.startsWith(`${this.folder}/`) ? [path.slice(this.folder.length + 1)] : [];
    return [...candidates, ...inside];
  }
}
