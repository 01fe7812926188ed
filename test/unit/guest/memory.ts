/** A guest of bytes for tests: sparse memory and a symbol file of hand-made types. */
import { type GuestAccess } from '../../../debug-adapter/guest/access';
import { type Member, type NamedSymbol, type StructType, type SymbolFile, type Type } from '../../../debug-adapter/symbols/api';

export class Memory {
  readonly #bytes = new Map<bigint, number>();

  write(address: bigint, ...bytes: readonly number[]): this {
    bytes.forEach((byte, index) => this.#bytes.set(address + BigInt(index), byte));
    return this;
  }

  word(address: bigint, value: bigint, size = 8): this {
    for (let index = 0; index < size; index++) this.#bytes.set(address + BigInt(index), Number((value >> BigInt(8 * index)) & 0xffn));
    return this;
  }

  text(address: bigint, text: string): this {
    return this.write(address, ...new TextEncoder().encode(`${text}\0`));
  }

  /** As the machine reads: up to the first byte that is not mapped; mapped is what was written, and zeros up to the end of its page. */
  read(address: bigint, length: number): Uint8Array {
    const pages = new Set([...this.#bytes.keys()].map((each) => each >> 12n));
    const result: number[] = [];
    for (let index = 0n; index < BigInt(length); index++) {
      if (!pages.has((address + index) >> 12n)) break;
      result.push(this.#bytes.get(address + index) ?? 0);
    }
    return Uint8Array.from(result);
  }
}

const common = { id: 0, language: 'c' } as const;
export const unsigned = (byteSize: number): Type => ({ ...common, kind: 'base', byteSize, encoding: 'unsigned', bigEndian: false });
export const signed = (byteSize: number): Type => ({ ...common, kind: 'base', byteSize, encoding: 'signed', bigEndian: false });

/** A structure of members at the offsets given; a name of `''` is an anonymous one. */
export function struct(
  name: string,
  byteSize: number,
  members: readonly (readonly [name: string, offset: number, type: Type])[],
): StructType {
  return {
    ...common,
    kind: 'struct',
    name,
    byteSize,
    incomplete: false,
    members: members.map(([member, offset, type]): Member => ({ name: member, offset, type, artificial: false })),
    bases: [],
    statics: [],
    templateArguments: [],
  };
}

/** What the guest folder asks of symbols, from tables. */
export function guestOf(memory: Memory, types: readonly StructType[], symbols: Readonly<Record<string, bigint>>): GuestAccess {
  const named = (name: string): NamedSymbol[] =>
    symbols[name] === undefined ? [] : [{ name, kind: 'data', address: symbols[name], size: 8, binding: 'global', section: '.data' }];
  const kernel: Partial<SymbolFile> = {
    symbolsNamed: named,
    symbolAt: (address) =>
      Object.keys(symbols)
        .filter((name) => symbols[name] === address)
        .flatMap(named)[0],
    typesNamed: (name) => types.filter((type) => type.name === name),
    completeType: (type) => type,
    units: () => [],
  };
  return { kernel: kernel as SymbolFile, readMemory: (address, length) => memory.read(address, length), register: () => 0n };
}
