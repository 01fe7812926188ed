/** Programs that the image loads at run time: what the ELF loader's own structure says of them. */
import { type GuestAccess } from './access';
import { Layout, Structure } from './structure';

/** A program in memory, or the dynamic linker of one. */
export interface LoadedProgram {
  /** Path in the guest's file system; the loader's name for it where there is none. */
  readonly path: string;
  /** Address of its first instruction. */
  readonly entry: bigint;
  /** Lowest address of its image. */
  readonly base: bigint;
  readonly interpreter: boolean;
}

/** The loader's function that prepares a loaded program's thread; its second argument is the program. */
export const programReadyFunction = 'elf_ctx_init';
const structureName = 'elf_prog';

/** Reads `struct elf_prog`; undefined where the image has no such loader. */
export class ProgramReader {
  private constructor(
    private readonly guest: GuestAccess,
    private readonly layout: Layout,
  ) {}

  static of(guest: GuestAccess): ProgramReader | undefined {
    const layout = guest.kernel.symbolsNamed(programReadyFunction).length === 0 ? undefined : Layout.of(guest.kernel, structureName);
    return layout?.has('entry') === true ? new ProgramReader(guest, layout) : undefined;
  }

  /** The program at an address and its dynamic linker, if it has one. */
  read(address: bigint): readonly LoadedProgram[] {
    const own = this.#one(address, false);
    if (own === undefined) return [];
    const interpreter = new Structure(this.guest, this.layout, address).integer('interp.prog') ?? 0n;
    const linker = interpreter === 0n || interpreter === address ? undefined : this.#one(interpreter, true);
    return linker === undefined ? [own] : [own, linker];
  }

  #one(address: bigint, interpreter: boolean): LoadedProgram | undefined {
    const program = new Structure(this.guest, this.layout, address);
    const entry = program.integer('entry');
    const path = program.text('path') ?? program.text('name');
    if (entry === undefined || entry === 0n || path === undefined) return undefined;
    return { path, entry, base: program.integer('vabase') ?? 0n, interpreter };
  }
}
