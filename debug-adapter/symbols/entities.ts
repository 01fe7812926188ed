/** Turns DIEs into the units, functions and variables of the API, placed at a view's bias. */
import {
  type AddressRange,
  type CompilationUnit,
  type Expression,
  type FunctionInfo,
  type Language,
  type SourcePosition,
  type Type,
  type Variable,
  type VariableLocation,
} from './api';
import { AT, CC, FORM, OP, TAG } from './constants';
import { type Core } from './core';
import { type Die } from './die';
import { declaredIn, entryOf } from './functions';
import { locationList } from './location-lists';
import { type Range, rangesOf } from './ranges';
import { TypeFactory } from './types';
import { type Unit } from './unit';

/** Places and caches the entities of one file at one bias. */
export class Entities {
  readonly types: TypeFactory;
  private readonly units = new Map<Unit, UnitEntity>();
  private readonly functions = new Map<number, FunctionEntity>();

  constructor(
    readonly core: Core,
    readonly bias: bigint,
  ) {
    this.types = new TypeFactory(this);
  }

  address(internal: number): bigint {
    return BigInt.asUintN(64, this.core.sections.toLink(internal) + this.bias);
  }

  internal(address: bigint): number {
    return this.core.sections.toInternal(address - this.bias);
  }

  range(range: Range): AddressRange {
    return { low: this.address(range.low), high: this.address(range.high) };
  }

  unit(unit: Unit): UnitEntity {
    let entity = this.units.get(unit);
    if (!entity) {
      entity = new UnitEntity(this, unit);
      this.units.set(unit, entity);
    }
    return entity;
  }

  function(die: Die): FunctionEntity {
    let entity = this.functions.get(die.offset);
    if (!entity) {
      entity = new FunctionEntity(this, die);
      this.functions.set(die.offset, entity);
    }
    return entity;
  }

  variable(die: Die, frame: Die | undefined): VariableEntity {
    return new VariableEntity(this, die, frame);
  }

  /** Position from the decl_ or call_ attributes of a DIE or of one that it completes. */
  position(die: Die, file: number, line: number, column: number): SourcePosition | undefined {
    const holder = die.inherited(line);
    // Each unit numbers files in its own way.
    const named = holder?.inherited(file);
    const source = named && this.core.fileOf(named.unit, named.number(file) ?? -1);
    if (!holder || !source) return undefined;
    return { file: source, line: holder.number(line) ?? 0, column: holder.number(column) ?? 0 };
  }

  declaration(die: Die): SourcePosition | undefined {
    return this.position(die, AT.decl_file, AT.decl_line, AT.decl_column);
  }
}

/** DW_AT_name of the DIE or of one that it completes. */
export function nameOf(die: Die): string {
  return die.inherited(AT.name)?.string(AT.name) ?? '';
}

/** Is its name a part of the qualified names of what it holds? */
export function opensScope(tag: number): boolean {
  switch (tag) {
    case TAG.namespace:
    case TAG.structure_type:
    case TAG.class_type:
    case TAG.union_type:
    case TAG.enumeration_type:
    case TAG.interface_type:
    case TAG.module:
      return true;
    default:
      return false;
  }
}

/** The name of such a DIE in the qualified names of what it holds. */
export function nameOfScope(die: Die): string {
  return die.string(AT.name) ?? (die.tag === TAG.namespace ? '(anonymous namespace)' : '(anonymous)');
}

/** The name with the namespaces, modules and classes around it. */
export function qualifiedNameOf(die: Die): string {
  const name = nameOf(die);
  if (die.unit.language === 'c') return name;
  const chain = die.origins();
  const parts = [name];
  // The declaration inside the class or namespace says where the name lives.
  let parent = chain[chain.length - 1]!.parent;
  for (let depth = 0; parent && depth < 64; depth++, parent = parent.parent) {
    if (parent.tag === TAG.subprogram) parts.unshift(nameOf(parent));
    else if (opensScope(parent.tag)) parts.unshift(nameOfScope(parent));
  }
  return parts.filter((part) => part !== '').join(die.unit.language === 'go' ? '.' : '::');
}

export function linkageNameOf(die: Die): string | undefined {
  return die.inherited(AT.linkage_name)?.string(AT.linkage_name) ?? die.inherited(AT.MIPS_linkage_name)?.string(AT.MIPS_linkage_name);
}

export class UnitEntity implements CompilationUnit {
  private rangeCache: readonly AddressRange[] | undefined;
  readonly index: number;

  constructor(
    private readonly entities: Entities,
    readonly dwarfUnit: Unit,
  ) {
    this.index = dwarfUnit.index;
  }

  get name(): string {
    return this.dwarfUnit.name;
  }
  get directory(): string {
    return this.dwarfUnit.directory;
  }
  get path(): string {
    return this.dwarfUnit.path;
  }
  get producer(): string {
    return this.dwarfUnit.root.string(AT.producer) ?? '';
  }
  get languageCode(): number {
    return this.dwarfUnit.languageCode;
  }
  get language(): Language {
    return this.dwarfUnit.language;
  }
  get version(): number {
    return this.dwarfUnit.version;
  }
  get library(): string {
    return this.dwarfUnit.library;
  }
  get ranges(): readonly AddressRange[] {
    return (this.rangeCache ??= this.entities.core.unitMap.rangesOf(this.dwarfUnit).map((range) => this.entities.range(range)));
  }
}

export class FunctionEntity implements FunctionInfo {
  readonly id: number;
  readonly internalRanges: readonly Range[];
  private rangeCache: readonly AddressRange[] | undefined;
  private parameterCache: readonly Variable[] | undefined;
  private nameCache: string | undefined;

  constructor(
    private readonly entities: Entities,
    readonly die: Die,
  ) {
    this.id = die.offset;
    this.internalRanges = die.tag === TAG.subprogram ? rangesOf(die).filter((range) => entities.core.sections.isCode(range.low)) : [];
  }

  get name(): string {
    return (this.nameCache ??= nameOf(this.die));
  }
  get qualifiedName(): string {
    return qualifiedNameOf(this.die);
  }
  get linkageName(): string {
    return linkageNameOf(this.die) ?? this.name;
  }
  get unit(): UnitEntity {
    return this.entities.unit(this.die.unit.user);
  }
  get ranges(): readonly AddressRange[] {
    return (this.rangeCache ??= this.internalRanges.map((range) => this.entities.range(range)));
  }
  /** Internal entry address. */
  get entryPoint(): number | undefined {
    return this.internalRanges.length > 0 ? entryOf(this.die, this.internalRanges) : undefined;
  }
  get entry(): bigint | undefined {
    const entry = this.entryPoint;
    return entry === undefined ? undefined : this.entities.address(entry);
  }
  get declaration(): SourcePosition | undefined {
    return this.entities.declaration(this.die);
  }
  get external(): boolean {
    return this.die.inherited(AT.external)?.flag(AT.external) ?? false;
  }
  get noreturn(): boolean {
    return this.die.inherited(AT.noreturn)?.flag(AT.noreturn) ?? false;
  }
  get returnType(): Type {
    return this.entities.types.typeOf(this.die);
  }
  get parameters(): readonly Variable[] {
    return (this.parameterCache ??= declaredIn(this.die, (tag) => tag === TAG.formal_parameter).map((die) =>
      this.entities.variable(die, this.die),
    ));
  }
  get ownConvention(): boolean {
    return this.die.number(AT.calling_convention) === CC.nocall;
  }

  get variadic(): boolean {
    return declaredIn(this.die, (tag) => tag === TAG.unspecified_parameters).length > 0;
  }
}

export class VariableEntity implements Variable {
  readonly id: number;
  private locationCache: VariableLocation | undefined;

  constructor(
    private readonly entities: Entities,
    readonly die: Die,
    private readonly frame: Die | undefined,
  ) {
    this.id = die.offset;
  }

  get name(): string {
    return nameOf(this.die);
  }
  get qualifiedName(): string {
    return qualifiedNameOf(this.die);
  }
  get linkageName(): string {
    return linkageNameOf(this.die) ?? this.name;
  }
  get kind(): Variable['kind'] {
    if (this.die.tag === TAG.formal_parameter) return 'parameter';
    if (!this.frame) return 'global';
    const { location } = this;
    if (this.external) return 'global';
    const isStatic =
      location.kind === 'expression' &&
      (location.expression.bytes[0] === OP.addr || location.expression.bytes[0] === OP.addrx || this.threadLocal);
    return isStatic ? 'static' : 'local';
  }
  get type(): Type {
    return this.entities.types.typeOf(this.die);
  }
  get declaration(): SourcePosition | undefined {
    return this.entities.declaration(this.die);
  }
  get external(): boolean {
    return this.die.inherited(AT.external)?.flag(AT.external) ?? false;
  }
  get artificial(): boolean {
    return this.die.inherited(AT.artificial)?.flag(AT.artificial) ?? false;
  }
  get isDeclaration(): boolean {
    return this.die.flag(AT.declaration);
  }
  get threadLocal(): boolean {
    const { location } = this;
    if (location.kind !== 'expression') return false;
    const last = location.expression.bytes[location.expression.bytes.length - 1];
    return last === OP.form_tls_address || last === OP.GNU_push_tls_address;
  }
  get unit(): UnitEntity {
    return this.entities.unit(this.die.unit.user);
  }
  get location(): VariableLocation {
    return (this.locationCache ??= this.readLocation());
  }

  private readLocation(): VariableLocation {
    // The concrete DIE knows where the variable is; constants and statics may be in the abstract one.
    for (const die of this.die.origins()) {
      if (die.has(AT.location)) return locationOf(this.entities, die, AT.location, this.frame);
      if (die.has(AT.const_value)) return this.constant(die);
    }
    return { kind: 'none' };
  }

  private constant(die: Die): VariableLocation {
    const block = die.block(AT.const_value);
    if (block && die.form(AT.const_value) !== FORM.data16) return { kind: 'constant', bytes: block };
    const size = this.type.byteSize ?? 8;
    const text = die.string(AT.const_value);
    if (text !== undefined) return { kind: 'constant', bytes: new TextEncoder().encode(`${text}\0`) };
    const value = die.big(AT.const_value, false);
    if (value === undefined || size > 64) return { kind: 'none' };
    const bytes = new Uint8Array(size);
    for (let i = 0, rest = BigInt.asUintN(size * 8, value); i < size; i++, rest >>= 8n) bytes[i] = Number(rest & 0xffn);
    return { kind: 'constant', bytes };
  }
}

/** A location attribute: one expression, or a list of them by pc (DWARF 5, section 2.6). */
export function locationOf(entities: Entities, die: Die, at: number, frame: Die | undefined): VariableLocation {
  const bytes = die.block(at);
  if (bytes) return bytes.length === 0 ? { kind: 'none' } : { kind: 'expression', expression: expressionOf(die.unit, bytes, frame) };
  const { unit } = die;
  let entries: ReturnType<typeof locationList> | undefined;
  return {
    kind: 'list',
    get entries() {
      entries ??= locationList(die, at);
      return entries.map(({ low, high, bytes: operations }) => ({
        isDefault: low === undefined,
        ...(low !== undefined && high !== undefined && { low: entities.address(low), high: entities.address(high) }),
        expression: expressionOf(unit, operations, frame),
      }));
    },
  };
}

export function expressionOf(unit: Unit, bytes: Uint8Array, frame: Die | undefined): Expression {
  return { bytes, unitOffset: unit.offset, ...(frame && { frame: frame.offset }) };
}
