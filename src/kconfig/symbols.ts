/** The table of all names of a tree, and the order in which `conf` walks it. */
import { type Dialect } from './dialect';
import { KSymbol } from './model';

/** Makes and finds symbols, constants and choices. */
export class SymbolTable {
  readonly all: KSymbol[] = [];
  readonly byName = new Map<string, KSymbol>();
  private readonly constants = new Map<string, KSymbol>();
  private readonly choices = new Map<string, KSymbol>();
  readonly no = this.logical('n', 'tristate');
  readonly mod = this.logical('m', 'tristate');
  readonly yes = this.logical('y', 'tristate');

  /** The symbol of a name; y, m and n are constants however they are written. */
  symbol(name: string): KSymbol {
    return this.byName.get(name) ?? this.logicalOf(name) ?? this.make(name, this.byName, false, false);
  }

  /** The constant of a quoted text. */
  constant(text: string): KSymbol {
    return this.logicalOf(text) ?? this.constants.get(text) ?? this.make(text, this.constants, true, false);
  }

  /** A choice; those without a name are all different. */
  choice(name: string | undefined): KSymbol {
    if (name === undefined) {
      const choice = new KSymbol(this.all.length, undefined, false, true);
      this.all.push(choice);
      return choice;
    }
    return this.choices.get(name) ?? this.make(name, this.choices, false, true);
  }

  /** The order of the engine's hash table: by bucket, in each the newest first; by definition where there is none. */
  inHashOrder(dialect: Dialect): readonly KSymbol[] {
    const entries = this.all.slice(3);
    if (dialect.hashBuckets === 0) {
      return [...entries].sort(
        (a, b) => (a.nodes[0]?.id ?? Number.MAX_SAFE_INTEGER) - (b.nodes[0]?.id ?? Number.MAX_SAFE_INTEGER) || a.id - b.id,
      );
    }
    // Bucket and age as one number: those sort without a call for each pair.
    const count = this.all.length;
    const keys = new Float64Array(entries.length);
    for (let at = 0; at < keys.length; at++) {
      const { id, name } = entries[at]!;
      keys[at] = (name === undefined ? 0 : hashOf(name) % dialect.hashBuckets) * count + (count - 1 - id);
    }
    keys.sort();
    for (let at = 0; at < keys.length; at++) entries[at] = this.all[count - 1 - (keys[at]! % count)]!;
    return entries;
  }

  private logicalOf(name: string): KSymbol | undefined {
    if (name.length !== 1) return undefined;
    return name === 'y' ? this.yes : name === 'n' ? this.no : name === 'm' ? this.mod : undefined;
  }

  private logical(name: string, type: 'tristate'): KSymbol {
    const symbol = new KSymbol(this.all.length, name, true, false);
    symbol.type = type;
    this.all.push(symbol);
    return symbol;
  }

  private make(name: string, into: Map<string, KSymbol>, constant: boolean, choice: boolean): KSymbol {
    const symbol = new KSymbol(this.all.length, name, constant, choice);
    this.all.push(symbol);
    into.set(name, symbol);
    return symbol;
  }
}

/** 32-bit FNV-1a of a name, as the C engine hashes it (characters are signed). */
export function hashOf(name: string): number {
  let hash = 2166136261;
  for (let at = 0; at < name.length; at++) {
    const code = name.charCodeAt(at);
    hash = Math.imul(hash ^ (code > 127 && code < 256 ? code | 0xffffff00 : code), 0x01000193);
  }
  return hash >>> 0;
}
