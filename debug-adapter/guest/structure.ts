/** C structures of the guest, read member by member through their DWARF types: versions of Unikraft lay them out differently. */
import { stripType, type Member, type StructType, type SymbolFile, type Type } from '../symbols/api';
import { type GuestAccess, readText, readUnsigned } from './access';

/** Where a member lies in its structure. */
interface Place {
  readonly offset: number;
  readonly type: Type;
}

const isStructure = (type: Type): type is StructType => type.kind === 'struct' || type.kind === 'union' || type.kind === 'class';

/** A structure type with its members looked up by path, e.g. `_mem.stack`. */
export class Layout {
  readonly #places = new Map<string, Place | undefined>();

  private constructor(
    private readonly symbols: SymbolFile,
    private readonly type: StructType,
  ) {}

  /** The complete structure of this name, or undefined where the image's DWARF has none. */
  static of(symbols: SymbolFile, name: string): Layout | undefined {
    const type = symbols
      .typesNamed(name)
      .map((each) => stripType(each))
      .find((each): each is StructType => isStructure(each) && !each.incomplete);
    return type === undefined ? undefined : new Layout(symbols, type);
  }

  /** Bytes, 0 where the DWARF does not say. */
  get size(): number {
    return this.type.byteSize ?? 0;
  }

  has(path: string): boolean {
    return this.place(path) !== undefined;
  }

  /** Bytes from the structure's start to a member, or undefined where there is no such member. */
  offsetOf(path: string): number | undefined {
    return this.place(path)?.offset;
  }

  place(path: string): Place | undefined {
    if (!this.#places.has(path)) this.#places.set(path, this.#find(path));
    return this.#places.get(path);
  }

  #find(path: string): Place | undefined {
    let place: Place = { offset: 0, type: this.type };
    for (const name of path.split('.')) {
      const type = this.#complete(place.type);
      const member = isStructure(type) ? this.#member(type, name) : undefined;
      if (member === undefined) return undefined;
      place = { offset: place.offset + member.offset, type: member.type };
    }
    return place;
  }

  /** A member by name, in anonymous structures and unions too. */
  #member(type: StructType, name: string): Place | undefined {
    for (const each of type.members) if (each.name === name) return each;
    for (const each of type.members.filter((member: Member) => member.name === '')) {
      const inner = this.#complete(each.type);
      const found = isStructure(inner) ? this.#member(inner, name) : undefined;
      if (found !== undefined) return { offset: each.offset + found.offset, type: found.type };
    }
    return undefined;
  }

  #complete(type: Type): Type {
    const bare = stripType(type);
    return isStructure(bare) && bare.incomplete ? stripType(this.symbols.completeType(bare)) : bare;
  }
}

/** One structure in guest memory. Every member that is not there, or not mapped, reads as undefined. */
export class Structure {
  constructor(
    private readonly guest: Pick<GuestAccess, 'readMemory'>,
    readonly layout: Layout,
    readonly address: bigint,
  ) {}

  /** Address of a member. */
  at(path: string): bigint | undefined {
    const offset = this.layout.offsetOf(path);
    return offset === undefined ? undefined : BigInt.asUintN(64, this.address + BigInt(offset));
  }

  /** An integer, enumeration or pointer, sign-extended by its type. */
  integer(path: string): bigint | undefined {
    const place = this.layout.place(path);
    if (place === undefined) return undefined;
    const type = stripType(place.type);
    const size = type.byteSize ?? 0;
    if (size < 1 || size > 8) return undefined;
    const value = readUnsigned(this.guest, this.address + BigInt(place.offset), size);
    const signed = type.kind === 'base' && (type.encoding === 'signed' || type.encoding === 'signed-char');
    return value === undefined || !signed ? value : BigInt.asIntN(size * 8, value);
  }

  /** What a `char *` member points to. */
  text(path: string): string | undefined {
    const address = this.integer(path);
    return address === undefined ? undefined : readText(this.guest, address);
  }
}
