/** Thread-local blocks of a dynamic program and its libraries: the linker numbers the modules that have one, and each thread's vector finds them. */
import { type SymbolFile } from '../symbols/api';

/** Entries of the dynamic thread vector: glibc keeps a pointer and what to free, musl a pointer. */
const vectorStride = { glibc: 16n, musl: 8n } as const;
/** The thread control block of both begins with its own address and the vector's (x86-64 TLS ABI, variant II). */
const vectorOffset = 8n;
/** What glibc has in the vector for a block that the thread did not touch yet. */
const unallocated = 2n ** 64n - 1n;

export class TlsModules {
  readonly #numbers = new Map<SymbolFile, bigint>();

  constructor(
    private readonly linker: keyof typeof vectorStride,
    private readonly read: (address: bigint) => bigint | undefined,
  ) {}

  /** Numbers the objects of the linker's list, in its order; an unknown object (undefined) makes those after it unknown. */
  assign(objects: readonly (SymbolFile | undefined)[]): void {
    this.#numbers.clear();
    for (const object of objects) {
      if (object === undefined) return;
      if (object.tls() !== undefined) this.#numbers.set(object, BigInt(this.#numbers.size + 1));
    }
  }

  has(file: SymbolFile): boolean {
    return this.#numbers.has(file);
  }

  /** Address of a module's block in the thread whose thread pointer this is; undefined while the thread has none. */
  blockOf(file: SymbolFile, threadPointer: bigint): bigint | undefined {
    const number = this.#numbers.get(file);
    const vector = this.read(threadPointer + vectorOffset);
    if (number === undefined || vector === undefined || vector === 0n) return undefined;
    const block = this.read(vector + number * vectorStride[this.linker]);
    return block === undefined || block === 0n || block === unallocated ? undefined : block;
  }
}
