/** Symbol resolution: which definition each name stands for, which archive members are needed, which COMDAT groups are kept. */

import { type Archive } from './archive';
import { SHN, STB, STT, STV } from './elf';
import { type LinkProblems } from './errors';
import { bindingOf, type Group, type InputObject, type InputSection, isGlobal, LinkSymbol, parseObject, type RawSymbol } from './object';

/** Objects that share names not seen outside. */
export interface Scope {
  /** Names seen by others; undefined: all. */
  readonly exports?: ReadonlySet<string>;
}

/** All symbols and objects of a link. */
export class SymbolTable {
  readonly objects: InputObject[] = [];
  readonly globals = new Map<string, LinkSymbol>();
  /** Names that stay inside a scope, by scope. */
  readonly scoped: (Map<string, LinkSymbol> | undefined)[] = [];
  private readonly archives: Archive[] = [];
  private readonly loaded = new Set<string>();
  private readonly groups = new Map<string, { readonly object: InputObject; readonly group: Group }>();
  private readonly scopes: (Scope | undefined)[] = [];
  /** Names that wait for an archive member. */
  private readonly queue: string[] = [];
  commons = 0;

  constructor(readonly problems: LinkProblems) {}

  /** Adds a scope; its number is what objects name it by. */
  addScope(scope: Scope, definitions: Iterable<string>): number {
    this.scopes.push(scope);
    const own = new Map<string, LinkSymbol>();
    const { exports } = scope;
    if (exports)
      for (const name of definitions) if (!exports.has(name)) own.set(name, Object.assign(new LinkSymbol(name), { local: true }));
    this.scoped.push(exports ? own : undefined);
    return this.scopes.length - 1;
  }

  addArchive(archive: Archive): void {
    this.archives.push(archive);
  }

  /** The symbol that a name means in a scope; made where there is none. */
  lookup(name: string, scope: number): LinkSymbol {
    const own = this.scoped[scope]?.get(name);
    if (own) return own;
    let symbol = this.globals.get(name);
    if (!symbol) this.globals.set(name, (symbol = new LinkSymbol(name)));
    return symbol;
  }

  /** Adds an object and resolves its symbols against all that is known. */
  addObject(object: InputObject): void {
    this.objects.push(object);
    this.dropGroups(object);
    const { rawSymbols, sections, symbols } = object;
    for (let i = 0; i < rawSymbols.length; i++) {
      const raw = rawSymbols[i]!;
      if (isGlobal(raw)) {
        const symbol = this.lookup(raw.name, object.scope);
        symbols.push(symbol);
        this.resolve(symbol, raw, object);
      } else {
        const symbol = new LinkSymbol(raw.name);
        symbol.local = true;
        symbol.object = object;
        symbol.type = raw.info & 15;
        symbol.size = raw.size;
        symbol.value = raw.value;
        if (raw.shndx === SHN.ABS) symbol.state = 'absolute';
        else if (raw.shndx !== SHN.UNDEF) {
          symbol.section = sections[raw.shndx];
          symbol.state = symbol.section && !symbol.section.discarded ? 'defined' : 'discarded';
        }
        symbols.push(symbol);
      }
    }
    object.rawSymbols = rawSymbols;
  }

  /** Of the COMDAT groups with one signature the first stays; the sections of the others point to it. */
  private dropGroups(object: InputObject): void {
    for (const group of object.groups) {
      const first = this.groups.get(group.signature);
      if (!first) {
        this.groups.set(group.signature, { object, group });
        continue;
      }
      for (const index of group.members) {
        const section = object.sections[index];
        if (!section) continue;
        section.discarded = true;
        section.kept = first.group.members
          .map((m) => first.object.sections[m])
          .find((s): s is InputSection => s?.name === section.name && s.size === section.size);
      }
    }
  }

  private resolve(symbol: LinkSymbol, raw: RawSymbol, object: InputObject): void {
    const weak = bindingOf(raw) === STB.WEAK;
    const visibility = raw.other & 3;
    if (visibility !== STV.DEFAULT && (symbol.visibility === STV.DEFAULT || visibility < symbol.visibility)) symbol.visibility = visibility;
    const section = raw.shndx === SHN.ABS || raw.shndx === SHN.COMMON ? undefined : object.sections[raw.shndx];
    const defined = raw.shndx === SHN.ABS || (section !== undefined && !section.discarded);
    if (raw.shndx === SHN.COMMON) return this.common(symbol, raw, object);
    if (!defined) {
      if (raw.shndx !== SHN.UNDEF && section === undefined) symbol.type ||= raw.info & 15;
      if (symbol.state === 'undefined') {
        symbol.object ??= object;
        if (!weak && !symbol.wanted) {
          symbol.wanted = true;
          symbol.object = object;
          this.queue.push(symbol.name);
        }
        if (symbol.type === STT.NOTYPE) symbol.type = raw.info & 15;
      }
      return;
    }
    if (symbol.state === 'defined' || symbol.state === 'absolute') {
      if (weak) return;
      if (!symbol.weak) {
        this.problems.duplicate(symbol, object, section, raw.value);
        return;
      }
    }
    if (symbol.state === 'common') {
      if (weak) return;
      this.commons--;
    }
    symbol.state = raw.shndx === SHN.ABS ? 'absolute' : 'defined';
    symbol.section = section;
    symbol.value = raw.value;
    symbol.size = raw.size;
    symbol.type = raw.info & 15;
    symbol.weak = weak;
    symbol.object = object;
  }

  private common(symbol: LinkSymbol, raw: RawSymbol, object: InputObject): void {
    if ((symbol.state === 'defined' || symbol.state === 'absolute') && !symbol.weak) return;
    if (symbol.state === 'common') {
      symbol.value = Math.max(symbol.value, raw.value);
      symbol.size = Math.max(symbol.size, raw.size);
      return;
    }
    symbol.state = 'common';
    symbol.section = undefined;
    symbol.value = Math.max(1, raw.value);
    symbol.size = raw.size;
    symbol.type = (raw.info & 15) === STT.TLS ? STT.TLS : STT.OBJECT;
    symbol.weak = false;
    symbol.object = object;
    this.commons++;
  }

  /** Asks for a name, as `-u` does. */
  want(name: string): void {
    const symbol = this.lookup(name, -1);
    if (symbol.state !== 'undefined') return;
    symbol.wanted = true;
    this.queue.push(name);
  }

  /** Loads members of archives as long as they define what is wanted. Archives are searched in order, again and again. */
  loadArchives(scope: number): void {
    for (let name = this.queue.pop(); name !== undefined; name = this.queue.pop()) {
      const symbol = this.globals.get(name);
      if (symbol?.state !== 'undefined') continue;
      for (const archive of this.archives) {
        const offset = archive.index.get(name);
        if (offset === undefined) continue;
        const key = `${archive.path}\0${offset}`;
        if (this.loaded.has(key)) continue;
        this.loaded.add(key);
        const member = archive.member(offset);
        // `buffer` offsets of DataViews need not be aligned, so a member is read where it lies.
        const object = parseObject(member.data, `${archive.path}(${member.name})`);
        object.scope = scope;
        this.addObject(object);
        break;
      }
    }
  }
}
