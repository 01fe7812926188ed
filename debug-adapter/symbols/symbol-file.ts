/** The facade over one ELF file: `SymbolFile` of the API, put together from the parts. */
import {
  type AddressRange,
  type BreakpointSite,
  type CallSite,
  type CompilationUnit,
  type Diagnostic,
  type DynamicValue,
  type EnumType,
  type EvaluationContext,
  type Expression,
  type FunctionInfo,
  type FunctionQuery,
  type LineRow,
  type Location,
  type Macro,
  type NamedSymbol,
  type OpenOptions,
  type Scope,
  type SourceFile,
  type SourcePosition,
  type SymbolFile,
  type SymbolicFrame,
  type TlsTemplate,
  type Type,
  type UnwindRow,
  type UnwoundFrame,
  type Variable,
} from './api';
import { BreakpointFinder } from './breakpoints';
import { CallSites } from './call-sites';
import { AT, TAG } from './constants';
import { Core } from './core';
import { Die } from './die';
import { type ElfFile, PT, STB, parseElf } from './elf';
import { Entities, FunctionEntity, UnitEntity, VariableEntity, nameOf, qualifiedNameOf } from './entities';
import { Evaluator, locateVariable } from './expression';
import { framesAt, scopesAt } from './frames';
import { FunctionSearch } from './function-search';
import { lineAt, lineExtent, lineRows } from './lines';
import { type MacroEvent, macrosInForce, parseMacro } from './macros';
import { type NameKind } from './name-index';
import { anyInstance, lastComponent, lastPart, matchesQualified } from './qualified-names';
import { readLocation } from './read-location';
import { Reader } from './reader';
import { type TableSymbol } from './symbol-table';
import { findTypes } from './type-search';
import { type Unit } from './unit';
import { unwindFrame, unwindRow } from './unwind';

const DEFAULT_LIMIT = 1000;
/** Units whose macro tables are kept. */
const MACRO_CACHE = 4;

export function openSymbolFile(bytes: Uint8Array, options: OpenOptions): SymbolFile {
  return new View(new Core(parseElf(bytes, options.stripped), options.supplement), options.name, BigInt.asUintN(64, options.bias ?? 0n));
}

class View implements SymbolFile {
  readonly elf: ElfFile;
  private readonly entities: Entities;
  private readonly breakpoints: BreakpointFinder;
  private readonly sites: CallSites;
  private readonly search: FunctionSearch;
  private unitCache: readonly CompilationUnit[] | undefined;
  private readonly macroCache = new Map<Unit, Map<string, MacroEvent>>();

  constructor(
    private readonly core: Core,
    readonly name: string,
    readonly bias: bigint,
  ) {
    this.elf = core.elf;
    this.entities = new Entities(core, bias);
    this.breakpoints = new BreakpointFinder(core, this.entities);
    this.sites = new CallSites(core, this.entities);
    this.search = new FunctionSearch(core, this.breakpoints);
  }

  get buildId(): string | undefined {
    return this.elf.buildId;
  }

  get hasDwarf(): boolean {
    return this.core.sections.get('.debug_info').length > 0;
  }

  diagnostics(): readonly Diagnostic[] {
    return this.core.diagnostics.all;
  }

  at(bias: bigint): SymbolFile {
    return bias === this.bias ? this : new View(this.core, this.name, BigInt.asUintN(64, bias));
  }

  covers(address: bigint): boolean {
    const link = BigInt.asUintN(64, address - this.bias);
    return this.elf.segments.some((s) => s.type === PT.LOAD && link >= s.virtualAddress && link < s.virtualAddress + BigInt(s.memorySize));
  }

  readImage(address: bigint, length: number): Uint8Array | undefined {
    const link = BigInt.asUintN(64, address - this.bias);
    const segment = this.elf.segments.find(
      (s) => s.type === PT.LOAD && link >= s.virtualAddress && link < s.virtualAddress + BigInt(s.fileSize),
    );
    if (!segment) return undefined;
    const start = Number(link - segment.virtualAddress);
    return this.elf.segmentBytes(segment).subarray(start, start + Math.max(0, length));
  }

  sectionAt(address: bigint): string | undefined {
    const link = BigInt.asUintN(64, address - this.bias);
    return this.elf.sections.find((s) => (s.flags & 2) !== 0 && link >= s.address && link < s.address + BigInt(s.size))?.name;
  }

  isCode(address: bigint): boolean {
    return this.core.sections.isCode(this.entities.internal(address));
  }

  // --- symbols

  *symbols(): Generator<NamedSymbol> {
    for (const symbol of this.core.symbols.all) yield this.symbol(symbol);
  }

  symbolAt(address: bigint): NamedSymbol | undefined {
    const symbol = this.core.symbols.at(this.entities.internal(address));
    return symbol && this.symbol(symbol);
  }

  symbolsNamed(name: string): readonly NamedSymbol[] {
    return this.core.symbols.named(name).map((symbol) => this.symbol(symbol));
  }

  searchSymbols(pattern: RegExp, limit = DEFAULT_LIMIT): readonly NamedSymbol[] {
    const test = stateless(pattern);
    const found: NamedSymbol[] = [];
    for (const symbol of this.core.symbols.all) {
      if (found.length >= limit) break;
      if (test.test(symbol.elf.name)) found.push(this.symbol(symbol));
    }
    return found;
  }

  private symbol(symbol: TableSymbol): NamedSymbol {
    const { elf, kind, section, file } = symbol;
    const binding = elf.binding === STB.LOCAL ? 'local' : elf.binding === STB.WEAK ? 'weak' : 'global';
    const address = kind === 'tls' ? elf.value : this.entities.address(symbol.address);
    return { name: elf.name, kind, address, size: elf.size, binding, section, ...(file !== undefined && { file }) };
  }

  // --- units, sources, lines

  units(): readonly CompilationUnit[] {
    return (this.unitCache ??= this.core.dwarf.units
      .filter((unit) => unit.isOwn && !unit.isTypeUnit && !unit.isPartial)
      .map((unit) => this.entities.unit(unit)));
  }

  unitAt(address: bigint): CompilationUnit | undefined {
    const unit = this.unitOf(address);
    return unit && this.entities.unit(unit);
  }

  private unitOf(address: bigint): Unit | undefined {
    return this.core.unitMap.find(this.entities.internal(address));
  }

  sources(): readonly SourceFile[] {
    return this.core.sources.files;
  }

  sourcesNamed(path: string): readonly SourceFile[] {
    return this.core.sources.named(path);
  }

  lineAt(address: bigint): LineRow | undefined {
    return lineAt(this.core, this.entities, this.entities.internal(address));
  }

  lineRows(unit: CompilationUnit): readonly LineRow[] {
    return unit instanceof UnitEntity ? lineRows(this.core, this.entities, unit.dwarfUnit) : [];
  }

  lineExtent(address: bigint): readonly AddressRange[] {
    return lineExtent(this.core, this.entities.internal(address)).map((range) => this.entities.range(range));
  }

  breakpointSites(path: string, line: number, column?: number): readonly BreakpointSite[] {
    return this.breakpoints.sites(path, line, column);
  }

  breakpointLocations(path: string, fromLine: number, toLine: number): readonly SourcePosition[] {
    return this.breakpoints.locations(path, fromLine, toLine);
  }

  // --- functions, frames, scopes

  functionAt(address: bigint): FunctionInfo | undefined {
    const internal = this.entities.internal(address);
    const unit = this.core.unitMap.find(internal);
    const found = unit && this.core.functions(unit).concrete.find(internal);
    return unit && found && this.entities.function(new Die(unit, found.value));
  }

  functions(query: FunctionQuery): readonly FunctionInfo[] {
    const limit = query.limit ?? DEFAULT_LIMIT;
    const found = new Map<number, FunctionInfo>();
    const name = (typeof query.name === 'string' ? anyInstance(query.name) : undefined) ?? query.name;
    for (const offset of this.functionOffsets(name)) {
      if (found.size >= limit) break;
      if (offset === undefined) continue;
      const die = this.core.dwarf.dieAt(offset);
      if (!die || (query.library !== undefined && die.unit.library !== query.library)) continue;
      if (typeof name === 'string' && !answersTo(die, name)) continue;
      for (const fn of this.instancesOf(die)) found.set(fn.id, fn);
    }
    return [...found.values()].slice(0, limit);
  }

  /** Offsets of DIEs that may be meant; undefined after each that is not, where all have to be looked at. */
  private *functionOffsets(name: string | RegExp): Generator<number | undefined> {
    const { names } = this.core;
    if (typeof name === 'string') {
      // The index holds plain and linkage names; a qualified name is looked up by its last part.
      const component = lastComponent(name);
      // Go's names have dots, and C's have none.
      const last = component === name ? name.slice(name.lastIndexOf('.') + 1) : component;
      yield* names.find(name, 'function');
      if (last !== name) yield* names.find(last, 'function');
      return;
    }
    for (const { offsets } of names.search(name, 'function')) yield* offsets;
    const test = stateless(name);
    // Expressions that name a namespace match qualified names only.
    if (!/::|\\\.|:/.test(name.source)) return;
    const tail = lastPart(name);
    const candidates = tail === undefined ? names.all('function') : [...names.search(tail, 'function')].flatMap(({ offsets }) => offsets);
    for (const offset of candidates) {
      const die = this.core.dwarf.dieAt(offset);
      yield die && die.unit.language !== 'c' && test.test(qualifiedNameOf(die)) ? offset : undefined;
    }
  }

  /** The function's code where it has some, all of its clones; the abstract function where it is only inlined; nothing for a mere declaration. */
  private *instancesOf(die: Die): Generator<FunctionEntity> {
    const own = this.entities.function(die);
    if (own.internalRanges.length > 0) yield own;
    const around = this.core.functionsAround(die.unit);
    const abstracts = [die.offset];
    let any = own.internalRanges.length > 0;
    for (let i = 0; i < abstracts.length && i < 64; i++) {
      for (const functions of around) {
        for (const index of functions.instances.get(abstracts[i]!) ?? []) {
          any = true;
          yield this.entities.function(new Die(functions.unit, index));
        }
        // A member's out-of-class definition may itself be abstract.
        for (const child of functions.abstractDefinitions(abstracts[i]!)) abstracts.push(child);
      }
    }
    if (!any && around.some(({ inlined }) => abstracts.some((offset) => inlined.has(offset)))) yield own;
  }

  *functionAddresses(query: FunctionQuery): Generator<number, readonly bigint[]> {
    const { name: wanted } = query;
    const name = (typeof wanted === 'string' ? anyInstance(wanted) : undefined) ?? wanted;
    let addresses: number[];
    if (typeof name === 'string') addresses = yield* this.search.named(name, query);
    else {
      for (const share of this.core.names.build()) {
        yield share / 2;
        if (query.search?.cancelled === true) return [];
      }
      const offsets: number[] = [];
      for (const offset of this.functionOffsets(name)) {
        if (offset !== undefined) offsets.push(offset);
        yield 0.5;
        if (query.search?.cancelled === true) break;
      }
      addresses = yield* this.search.of(offsets, undefined, query);
    }
    return addresses.map((address) => this.entities.address(address));
  }

  functionSites(fn: FunctionInfo): readonly BreakpointSite[] {
    return fn instanceof FunctionEntity ? this.breakpoints.functionSites(fn) : [];
  }

  prologueEnd(entry: bigint): bigint {
    return this.entities.address(this.breakpoints.prologueEnd(this.entities.internal(entry)));
  }

  framesAt(pc: bigint): readonly SymbolicFrame[] {
    return framesAt(this.core, this.entities, this.entities.internal(pc));
  }

  scopesAt(pc: bigint, frameIndex = 0): readonly Scope[] {
    return scopesAt(this.core, this.entities, this.entities.internal(pc), frameIndex);
  }

  callSiteAt(returnAddress: bigint): CallSite | undefined {
    // The call ends where the return address begins; a call that never returns may be the last of its function.
    return this.callSites(returnAddress - 1n).find((site) => site.returnAddress === returnAddress);
  }

  callSites(address: bigint): readonly CallSite[] {
    return this.sites.of(this.entities.internal(address));
  }

  // --- data

  globals(unit: CompilationUnit): readonly Variable[] {
    if (!(unit instanceof UnitEntity)) return [];
    const found: Variable[] = [];
    const visit = (parent: Die, depth: number): void => {
      for (const die of parent.children()) {
        if (die.tag === TAG.variable) {
          const variable = this.entities.variable(die, undefined);
          if (variable.location.kind !== 'none') found.push(variable);
        } else if ((die.tag === TAG.namespace || die.tag === TAG.module) && depth < 32) visit(die, depth + 1);
      }
    };
    for (const { root } of this.core.dwarf.imports.shared(unit.dwarfUnit)) visit(root, 0);
    return found;
  }

  globalsNamed(name: string, unit?: CompilationUnit): readonly Variable[] {
    return this.ordered(this.variablesNamed(name), ({ die }) => die.unit, unit).filter((variable) => variable.location.kind !== 'none');
  }

  private variablesNamed(name: string): VariableEntity[] {
    const last = lastComponent(name);
    const found = this.dies(last, 'variable').map((die) => this.entities.variable(die, undefined));
    return last === name ? found : found.filter((variable) => matchesQualified(variable.qualifiedName, name));
  }

  threadLocals(): readonly Variable[] {
    return this.core.names
      .all('variable')
      .map((offset) => this.core.dwarf.dieAt(offset))
      .filter((die) => die !== undefined)
      .map((die) => this.entities.variable(die, undefined))
      .filter((variable) => variable.threadLocal);
  }

  tls(): TlsTemplate | undefined {
    const segment = this.elf.segments.find((s) => s.type === PT.TLS);
    if (!segment) return undefined;
    const low = BigInt.asUintN(64, segment.virtualAddress + this.bias);
    return { image: { low, high: low + BigInt(segment.fileSize) }, size: segment.memorySize, alignment: Math.max(1, segment.alignment) };
  }

  tlsBlockBase(threadPointer: bigint): bigint | undefined {
    const template = this.tls();
    if (!template) return undefined;
    const size = Math.ceil(template.size / template.alignment) * template.alignment;
    return BigInt.asUintN(64, threadPointer - BigInt(size));
  }

  typesNamed(name: string, unit?: CompilationUnit): readonly Type[] {
    return findTypes(this.core, this.entities, name, unit instanceof UnitEntity ? unit.dwarfUnit : undefined);
  }

  typeNames(prefix: string, limit: number): readonly string[] {
    const names: string[] = [];
    const literal = prefix.replace(/[^\w]/g, '\\$&');
    for (const { name } of this.core.names.search(new RegExp(`^${literal}`), 'type')) {
      if (names.length >= limit) break;
      names.push(name);
    }
    return names;
  }

  completeType(type: Type): Type {
    const incomplete =
      (type.kind === 'struct' || type.kind === 'class' || type.kind === 'union' || type.kind === 'enum') && type.incomplete;
    if (!incomplete || type.name === undefined) return type;
    const name = ('qualifiedName' in type ? type.qualifiedName : undefined) ?? type.name;
    const unit = this.core.dwarf.unitAt(type.id);
    return findTypes(this.core, this.entities, name, unit).find((candidate) => candidate.kind === type.kind) ?? type;
  }

  typeById(id: number): Type | undefined {
    const die = this.core.dwarf.dieAt(id);
    return die && this.entities.types.of(die);
  }

  goRuntimeType(address: bigint): Type | undefined {
    const die = this.core.goTypes.at(this.entities.internal(address));
    return die && this.entities.types.of(die);
  }

  enumeratorsNamed(name: string, unit?: CompilationUnit): readonly { readonly type: EnumType; readonly value: bigint }[] {
    const found: { type: EnumType; value: bigint; unit: Unit }[] = [];
    for (const die of this.dies(name, 'enumerator')) {
      const type = die.parent && this.entities.types.of(die.parent);
      const value = type?.kind === 'enum' ? type.enumerators.find((enumerator) => enumerator.name === name)?.value : undefined;
      if (type?.kind === 'enum' && value !== undefined) found.push({ type, value, unit: die.unit });
    }
    return this.ordered(found, (entry) => entry.unit, unit);
  }

  private dies(name: string, kind: NameKind): Die[] {
    return this.core.names
      .find(name, kind)
      .map((offset) => this.core.dwarf.dieAt(offset))
      .filter((die) => die !== undefined);
  }

  /** What belongs to the unit first, otherwise in order of the file. */
  private ordered<T>(found: readonly T[], unitOf: (entry: T) => Unit, unit: CompilationUnit | undefined): T[] {
    if (!(unit instanceof UnitEntity)) return [...found];
    const isOwn = (entry: T): boolean => this.core.dwarf.imports.isWithin(unitOf(entry), unit.dwarfUnit);
    return [...found.filter(isOwn), ...found.filter((entry) => !isOwn(entry))];
  }

  locate(variable: Variable, context: EvaluationContext): Location {
    return variable instanceof VariableEntity
      ? locateVariable(this.entities, variable, context)
      : new Evaluator(this.entities, context).locate(variable.location);
  }

  evaluate(expression: Expression, context: EvaluationContext, initial?: readonly bigint[]): Location {
    return new Evaluator(this.entities, context).evaluate(expression, initial);
  }

  evaluateCount(value: DynamicValue, context: EvaluationContext): bigint | undefined {
    let bound: bigint | undefined;
    if (value.expression) {
      const result = new Evaluator(this.entities, context).value(value.expression);
      bound = typeof result === 'bigint' ? BigInt.asIntN(64, result) : undefined;
    } else if (value.variable) {
      const size = Math.min(value.variable.type.byteSize ?? 8, 8);
      const bytes = readLocation(this.locate(value.variable, context), size, context);
      bound = bytes && BigInt.asIntN(size * 8, new Reader(bytes).unsignedBig(size));
    }
    if (bound === undefined) return undefined;
    const count = value.isUpperBound ? bound + 1n : bound;
    return count < 0n ? 0n : count;
  }

  // --- unwinding

  unwindRule(pc: bigint): UnwindRow | undefined {
    return unwindRow(this.core, this.entities, this.entities.internal(pc));
  }

  unwind(row: UnwindRow, context: EvaluationContext): UnwoundFrame | undefined {
    return unwindFrame(this.entities, row, context);
  }

  // --- macros

  macroNamed(name: string, unit: CompilationUnit): Macro | undefined {
    const event = this.macroTable(unit)?.get(name);
    return event && parseMacro(event);
  }

  *macros(unit: CompilationUnit): Generator<Macro> {
    for (const event of this.macroTable(unit)?.values() ?? []) yield parseMacro(event);
  }

  private macroTable(unit: CompilationUnit): Map<string, MacroEvent> | undefined {
    if (!(unit instanceof UnitEntity)) return undefined;
    const key = unit.dwarfUnit;
    let table = this.macroCache.get(key);
    if (!table) {
      table = macrosInForce(this.core, key);
      this.macroCache.set(key, table);
      const [oldest] = this.macroCache.keys();
      if (this.macroCache.size > MACRO_CACHE && oldest) this.macroCache.delete(oldest);
    }
    return table;
  }

  *warm(): Generator<number, void> {
    yield* this.core.names.build();
  }
}

function stateless(pattern: RegExp): RegExp {
  return new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, ''));
}

function answersTo(die: Die, name: string): boolean {
  if (nameOf(die) === name || die.string(AT.linkage_name) === name) return true;
  return matchesQualified(qualifiedNameOf(die), name);
}
