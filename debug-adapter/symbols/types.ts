/** Turns type DIEs into the API's types; members and targets are read when they are looked at (DWARF 5, chapter 5). */
import { type ArrayDimension, type BaseType, type Language, type Member, type StructType, type Type, type VariantPart } from './api';
import { AT, ATE, CC, FORM, OP, TAG } from './constants';
import { type Die } from './die';
import { type Entities, expressionOf, qualifiedNameOf } from './entities';
import { fixedConstantSize } from './forms';
import { Reader } from './reader';

/** Longer chains of typedefs, qualifiers and arrays are cycles. */
const MAX_DEPTH = 64;

const QUALIFIERS = new Map<number, 'const' | 'volatile' | 'restrict' | 'atomic' | 'immutable' | 'shared' | 'packed'>([
  [TAG.const_type, 'const'],
  [TAG.volatile_type, 'volatile'],
  [TAG.restrict_type, 'restrict'],
  [TAG.atomic_type, 'atomic'],
  [TAG.immutable_type, 'immutable'],
  [TAG.shared_type, 'shared'],
  [TAG.packed_type, 'packed'],
]);

export class TypeFactory {
  private readonly cache = new Map<number, Type>();
  private readonly voids = new Map<Language, Type>();

  constructor(private readonly entities: Entities) {}

  /** The type that a DIE's DW_AT_type (or another reference) names, `void` where it has none. */
  typeOf(die: Die, at: number = AT.type): Type {
    const holder = die.inherited(at);
    if (!holder) return this.void(die.unit.language);
    const target = holder.ref(at);
    return target ? this.of(target) : { kind: 'unknown', id: -1, name: '<unreadable type>', language: die.unit.language };
  }

  /** The type that a type DIE defines. */
  of(die: Die): Type {
    let type = this.cache.get(die.offset);
    if (!type) {
      // The declaration is looked up late: it reads the unit's line table.
      type = lazy(this.make(die), { declaration: () => this.entities.declaration(die) });
      this.cache.set(die.offset, type);
    }
    return type;
  }

  private void(language: Language): Type {
    let type = this.voids.get(language);
    if (!type) {
      type = { kind: 'void', id: -1, name: 'void', language };
      this.voids.set(language, type);
    }
    return type;
  }

  private make(die: Die): Type {
    const common: CommonFields = {
      id: die.offset,
      language: die.unit.language,
      ...optional('name', die.string(AT.name)),
      ...optional('byteSize', byteSizeOf(die, 0)),
    };
    const target = (): Type => this.typeOf(die);
    const qualifier = QUALIFIERS.get(die.tag);
    if (qualifier) return lazy({ ...common, kind: 'qualified', qualifier }, { target });
    switch (die.tag) {
      case TAG.base_type:
        return {
          ...common,
          kind: 'base',
          byteSize: common.byteSize ?? 0,
          encoding: encodingOf(die),
          bigEndian: die.number(AT.endianity) === 1,
        };
      case TAG.pointer_type:
      case TAG.reference_type:
      case TAG.rvalue_reference_type: {
        const reference = die.tag === TAG.pointer_type ? 'none' : die.tag === TAG.reference_type ? 'lvalue' : 'rvalue';
        return lazy({ ...common, kind: 'pointer', byteSize: common.byteSize ?? die.unit.addressSize, reference }, { target });
      }
      case TAG.structure_type:
      case TAG.class_type:
      case TAG.interface_type:
      case TAG.union_type:
        return this.struct(die, common);
      case TAG.array_type:
        return lazy(
          { ...common, kind: 'array', vector: die.flag(AT.GNU_vector) },
          { element: target, dimensions: () => this.dimensions(die) },
        );
      case TAG.enumeration_type: {
        const qualified = common.name !== undefined && die.unit.language !== 'c' ? { qualifiedName: qualifiedNameOf(die) } : {};
        const underlying = die.has(AT.type) ? { underlying: target } : {};
        return lazy(
          { ...common, ...qualified, kind: 'enum', signed: isSignedEnum(die), incomplete: die.flag(AT.declaration) },
          { ...underlying, enumerators: () => this.enumerators(die) },
        );
      }
      case TAG.typedef:
      case TAG.template_alias:
        return lazy({ ...common, kind: 'typedef' }, { target });
      case TAG.subroutine_type:
      case TAG.subprogram: {
        const children = (): Die[] => [...die.children()];
        return lazy(
          { ...common, kind: 'function' },
          {
            returns: target,
            parameters: () =>
              children()
                .filter((child) => child.tag === TAG.formal_parameter)
                .map((child) => this.typeOf(child)),
            variadic: () => children().some((child) => child.tag === TAG.unspecified_parameters),
          },
        );
      }
      case TAG.ptr_to_member_type:
        return lazy({ ...common, kind: 'pointer-to-member' }, { target, container: () => this.typeOf(die, 0x1d) });
      case TAG.subrange_type: {
        const underlying = die.has(AT.type) ? { underlying: target } : {};
        const bounds = { ...optional('lower', die.big(AT.lower_bound, true)), ...optional('upper', die.big(AT.upper_bound, true)) };
        return lazy({ ...common, kind: 'subrange', ...bounds }, underlying);
      }
      case TAG.unspecified_type:
        return { ...common, kind: 'unspecified' };
      default:
        return { ...common, kind: 'unknown' };
    }
  }

  private struct(die: Die, common: CommonFields): StructType {
    const kind = die.tag === TAG.union_type ? 'union' : die.tag === TAG.structure_type ? 'struct' : 'class';
    const qualifiedName = common.name !== undefined && die.unit.language !== 'c' ? qualifiedNameOf(die) : undefined;
    // A declaration may be completed by a type unit (DWARF 5, section 3.1.4).
    const defined = die.has(AT.signature) ? (die.ref(AT.signature) ?? die) : die;
    const children = (tag: number): Die[] => [...defined.children()].filter((child) => child.tag === tag);
    const variantPart = (): VariantPart | undefined => {
      const part = children(TAG.variant_part)[0];
      return part && this.variants(part);
    };
    const hasVariants = defined.abbrev.hasChildren && children(TAG.variant_part).length > 0;
    const size = common.byteSize ?? byteSizeOf(defined, 0);
    return lazy(
      {
        ...common,
        ...optional('byteSize', size),
        ...optional('qualifiedName', qualifiedName),
        kind,
        incomplete: die.flag(AT.declaration) && defined === die,
      },
      {
        members: () =>
          children(TAG.member)
            .filter((child) => !isStatic(child))
            .map((child) => this.member(child)),
        bases: () => children(TAG.inheritance).map((child) => this.member(child)),
        statics: () =>
          [...children(TAG.member).filter(isStatic), ...children(TAG.variable)].map((child) => this.entities.variable(child, undefined)),
        templateArguments: () =>
          [...defined.children()]
            .filter((child) => child.tag === TAG.template_type_parameter || child.tag === TAG.template_value_parameter)
            .map((child) => ({
              name: child.string(AT.name) ?? '',
              ...(child.has(AT.type) && { type: this.typeOf(child) }),
              ...optional('value', child.big(AT.const_value, true)),
            })),
        ...(hasVariants && { variantPart }),
        ...(die.unit.language === 'c++' && { passedByReference: () => isPassedByReference(defined) }),
      },
    );
  }

  private variants(part: Die): VariantPart {
    const discriminant = part.ref(AT.discr);
    const variants = [...part.children()]
      .filter((child) => child.tag === TAG.variant)
      .map((variant) =>
        lazy(
          { values: discriminantValues(variant) },
          { members: () => [...variant.children()].filter((child) => child.tag === TAG.member).map((child) => this.member(child)) },
        ),
      );
    return { ...(discriminant && { discriminant: this.member(discriminant) }), variants };
  }

  private member(die: Die): Member {
    const bitSize = die.number(AT.bit_size);
    const location = memberOffset(die);
    let offset = typeof location === 'number' ? location : 0;
    let bitOffset: number | undefined;
    if (bitSize !== undefined) {
      const bits = die.number(AT.data_bit_offset);
      const fromTop = die.number(AT.bit_offset);
      if (bits !== undefined) bitOffset = bits;
      else if (fromTop !== undefined) {
        // DWARF 2 and 3 count from the most significant bit of the storage unit.
        const target = die.ref(AT.type);
        const storage = die.number(AT.byte_size) ?? (target ? byteSizeOf(target, 0) : undefined) ?? 4;
        bitOffset = storage * 8 - (die.big(AT.bit_offset, true) !== undefined ? Number(die.big(AT.bit_offset, true)) : fromTop) - bitSize;
      } else bitOffset = 0;
      offset += Math.floor(bitOffset / 8);
      bitOffset -= Math.floor(bitOffset / 8) * 8;
    }
    return lazy(
      {
        name: die.string(AT.name) ?? '',
        offset,
        ...optional('bitSize', bitSize),
        ...optional('bitOffset', bitOffset),
        ...(typeof location === 'object' && { dynamicOffset: expressionOf(die.unit, location, undefined) }),
        artificial: die.flag(AT.artificial),
      },
      { type: () => this.typeOf(die) },
    );
  }

  private dimensions(die: Die): ArrayDimension[] {
    const list: ArrayDimension[] = [];
    for (const child of die.children()) {
      if (child.tag !== TAG.subrange_type && child.tag !== TAG.enumeration_type && child.tag !== TAG.generic_subrange) continue;
      list.push(this.dimension(child));
    }
    return list;
  }

  private dimension(die: Die): ArrayDimension {
    const lower = die.big(AT.lower_bound, true) ?? 0n;
    const at = die.has(AT.count) ? AT.count : AT.upper_bound;
    const isUpperBound = at === AT.upper_bound;
    const bound = boundOf(die, at);
    if (bound !== undefined) {
      const count = isUpperBound ? bound - lower + 1n : bound;
      return { lower, count: count < 0n ? 0n : count };
    }
    const bytes = die.block(at);
    if (bytes) return { lower, dynamicCount: { isUpperBound, expression: expressionOf(die.unit, bytes, enclosingFunction(die)) } };
    const variable = die.ref(at);
    if (variable) return { lower, dynamicCount: { isUpperBound, variable: this.entities.variable(variable, enclosingFunction(die)) } };
    return { lower };
  }

  private enumerators(die: Die): { name: string; value: bigint }[] {
    const bits = (byteSizeOf(die, 0) ?? 8) * 8;
    const signed = isSignedEnum(die);
    const list: { name: string; value: bigint }[] = [];
    for (const child of die.children()) {
      if (child.tag !== TAG.enumerator) continue;
      const value = child.big(AT.const_value, false) ?? 0n;
      list.push({ name: child.string(AT.name) ?? '', value: signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value) });
    }
    return list;
  }
}

interface CommonFields {
  readonly id: number;
  readonly language: Language;
  readonly name?: string;
  readonly byteSize?: number;
}

function optional<K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } {
  return (value === undefined ? {} : { [key]: value }) as { [P in K]?: V };
}

/** Adds properties that are computed when first read, then kept. */
function lazy<T extends object, L extends Record<string, () => unknown>>(
  base: T,
  getters: L,
): T & { readonly [K in keyof L]: ReturnType<L[K]> } {
  for (const [key, compute] of Object.entries(getters)) {
    Object.defineProperty(base, key, {
      configurable: true,
      enumerable: true,
      get() {
        const value = compute();
        Object.defineProperty(base, key, { value, enumerable: true });
        return value;
      },
    });
  }
  return base as T & { readonly [K in keyof L]: ReturnType<L[K]> };
}

/** Stated size, or what arrays, typedefs, qualifiers and pointers imply. */
export function byteSizeOf(die: Die, depth: number): number | undefined {
  const stated = die.number(AT.byte_size);
  if (stated !== undefined) return stated;
  const bits = die.number(AT.bit_size);
  if (bits !== undefined) return Math.ceil(bits / 8);
  if (depth > MAX_DEPTH) return undefined;
  const target = (): number | undefined => {
    const next = die.ref(AT.type);
    return next && byteSizeOf(next, depth + 1);
  };
  switch (die.tag) {
    case TAG.pointer_type:
    case TAG.reference_type:
    case TAG.rvalue_reference_type:
      return die.unit.addressSize;
    case TAG.ptr_to_member_type: {
      // Itanium C++ ABI, section 2.3: two words for member functions.
      const next = die.ref(AT.type);
      return die.unit.addressSize * (next?.tag === TAG.subroutine_type ? 2 : 1);
    }
    case TAG.array_type: {
      let size = target();
      for (const child of die.children()) {
        if (child.tag !== TAG.subrange_type) continue;
        const count = boundOf(child, AT.count);
        const upper = boundOf(child, AT.upper_bound);
        const elements = count ?? (upper === undefined ? undefined : upper - (child.big(AT.lower_bound, true) ?? 0n) + 1n);
        size = size === undefined || elements === undefined ? undefined : size * Number(elements);
      }
      return size;
    }
    case TAG.typedef:
    case TAG.template_alias:
    case TAG.enumeration_type:
    case TAG.subrange_type:
      return target();
    default:
      return QUALIFIERS.has(die.tag) ? target() : undefined;
  }
}

/** A constant bound. All ones in the form's width is -1: an array of no elements. */
function boundOf(die: Die, at: number): bigint | undefined {
  const size = fixedConstantSize(die.form(at));
  const value = die.big(at, false);
  if (value !== undefined && size >= 4 && value === (1n << BigInt(size * 8)) - 1n) return -1n;
  return value;
}

function enclosingFunction(die: Die): Die | undefined {
  let parent = die.parent;
  for (let depth = 0; parent && depth < MAX_DEPTH; depth++, parent = parent.parent) if (parent.tag === TAG.subprogram) return parent;
  return undefined;
}

function isStatic(die: Die): boolean {
  return die.flag(AT.external) || die.flag(AT.declaration);
}

/** Bytes from the start of the object, or the expression that computes the member's address. */
function memberOffset(die: Die): number | Uint8Array {
  const bytes = die.block(AT.data_member_location);
  if (!bytes) return die.number(AT.data_member_location) ?? 0;
  // DWARF 2 wrote constant offsets as an addition.
  const r = new Reader(bytes);
  if (r.u8() === OP.plus_uconst) {
    const offset = r.uleb();
    if (!r.more && !r.failed) return offset;
  }
  return bytes;
}

function encodingOf(die: Die): BaseType['encoding'] {
  switch (die.number(AT.encoding)) {
    case ATE.address:
      return 'address';
    case ATE.boolean:
      return 'boolean';
    case ATE.complex_float:
      return 'complex';
    case ATE.float:
      return 'float';
    case ATE.signed:
      return 'signed';
    case ATE.signed_char:
      return 'signed-char';
    case ATE.unsigned:
      return 'unsigned';
    case ATE.unsigned_char:
      return 'unsigned-char';
    case ATE.decimal_float:
      return 'decimal';
    case ATE.UTF:
      return 'utf';
    default:
      return 'other';
  }
}

/** From the underlying type or its encoding; without either, from whether some enumerator is negative. */
function isSignedEnum(die: Die): boolean {
  let base: Die | undefined = die;
  for (let depth = 0; base && depth < MAX_DEPTH; depth++, base = base.ref(AT.type)) {
    const encoding = base.number(AT.encoding);
    if (encoding !== undefined) return encoding === ATE.signed || encoding === ATE.signed_char;
  }
  for (const child of die.children())
    if (child.form(AT.const_value) === FORM.sdata && (child.big(AT.const_value, true) ?? 0n) < 0n) return true;
  return false;
}

const DSC_RANGE = 1;

/**
 * Whether objects of a C++ class are copied by its own code, so that they are passed in memory (Itanium C++ ABI, 3.1.1): DWARF 5 has a word for it, which GCC does not
 * use; then a class that has virtual functions or bases, or a destructor, copy or move constructor that the compiler did not write.
 */
function isPassedByReference(die: Die): boolean {
  const convention = die.number(AT.calling_convention);
  if (convention === CC.pass_by_reference || convention === CC.pass_by_value) return convention === CC.pass_by_reference;
  const name = die.string(AT.name) ?? '';
  return [...die.children()].some((child) => {
    if (child.tag === TAG.inheritance) return typeof memberOffset(child) === 'object';
    if (child.tag === TAG.member) return child.flag(AT.artificial) && child.string(AT.name)?.startsWith('_vptr') === true;
    if (child.tag !== TAG.subprogram || child.flag(AT.artificial) || child.has(AT.defaulted) || child.flag(AT.deleted)) return false;
    const own = child.string(AT.name) ?? '';
    if (own === `~${name.replace(/<.*/, '')}`) return true;
    if (own !== name.replace(/<.*/, '')) return false;
    const parameters = [...child.children()].filter((each) => each.tag === TAG.formal_parameter && !each.flag(AT.artificial));
    const first = parameters.length === 1 ? parameters[0]!.ref(AT.type) : undefined;
    if (first?.tag !== TAG.reference_type && first?.tag !== TAG.rvalue_reference_type) return false;
    let referred = first.ref(AT.type);
    while (referred?.tag === TAG.const_type || referred?.tag === TAG.volatile_type) referred = referred.ref(AT.type);
    return referred?.offset === die.offset;
  });
}

function discriminantValues(variant: Die): { low: bigint; high: bigint }[] {
  const value = variant.big(AT.discr_value, false);
  if (value !== undefined) return [{ low: value, high: value }];
  const list = variant.block(AT.discr_list);
  const values: { low: bigint; high: bigint }[] = [];
  const r = new Reader(list ?? new Uint8Array(0));
  while (r.more) {
    const kind = r.u8();
    const low = r.ulebBig();
    values.push({ low, high: kind === DSC_RANGE ? r.ulebBig() : low });
  }
  return values;
}
