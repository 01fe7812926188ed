/** The parts of a structure as its language means them: members and bases, also those whose place has to be computed, and the variant that a tagged union holds. */
import { type Member, type StructType, type Type, stripType, typeName } from '../../symbols/api';
import { CodedError } from '../channel';
import { type Target } from '../target';
import { evaluationContext } from '../unwind';
import { exprErrors } from './errors';
import { addressOf, asInteger, inMemory, part, sizeOf, type Value } from './value';

/** A part with the name it is shown under. */
export interface Field {
  readonly name: string;
  /** It is a base class, an anonymous member, or the whole variant: what it holds counts as the outer one's. */
  readonly nested: boolean;
  readonly member: Member;
}

/** The part of `whole` that a member is. Throws a CodedError where its place cannot be computed. */
export function memberValue(target: Target, whole: Value, member: Member): Value {
  if (member.dynamicOffset !== undefined) return computedPart(target, whole, member);
  const bits = member.bitSize === undefined ? undefined : { offset: member.bitOffset ?? 0, size: member.bitSize };
  return part(whole, member.type, member.offset, bits);
}

/** A virtual base: where it lies is told by the object (DWARF 5, section 5.7.3). */
function computedPart(target: Target, whole: Value, member: Member): Value {
  const { frame } = whole;
  if (frame?.symbols === undefined) throw exprErrors.unavailable(`Where ${typeName(member.type)} lies is known in a frame only.`);
  const context = { ...evaluationContext(target, frame), objectAddress: addressOf(whole) };
  const location = frame.symbols.evaluate(member.dynamicOffset!, context, [addressOf(whole)]);
  if (location.kind !== 'memory') throw exprErrors.unavailable(`Where ${typeName(member.type)} lies cannot be computed.`);
  return { ...inMemory(member.type, location.address), frame };
}

/** Bases, then members; of a tagged union the variant that is held, where its tag can be read. */
export function fieldsOf(target: Target, whole: Value, type: StructType): readonly Field[] {
  const variant = readable(() => heldVariant(target, whole, type));
  return [
    ...type.bases.map((member) => ({ name: typeName(member.type), nested: true, member })),
    ...type.members.map((member) => ({ name: member.name, nested: member.name === '', member })),
    ...(variant === undefined ? [] : [{ name: variant.name, nested: true, member: variant }]),
  ];
}

/** What is read, or undefined where that cannot be. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof CodedError) return undefined;
    throw error;
  }
}

/** The member that stands for the variant which a tagged union holds; undefined for other types, and where the tag is none of the variants'. */
export function heldVariant(target: Target, whole: Value, type: StructType): Member | undefined {
  const parts = type.variantPart;
  if (parts === undefined) return undefined;
  const { discriminant, variants } = parts;
  const fallback = variants.find(({ values }) => values.length === 0);
  // An enumeration of one variant has no tag.
  if (discriminant === undefined) return (fallback ?? variants[0])?.members[0];
  const value = memberValue(target, whole, discriminant);
  const bits = sizeOf(value.type) * 8;
  const tag = BigInt.asUintN(bits, asInteger(target, value));
  const within = ({ low, high }: { readonly low: bigint; readonly high: bigint }): boolean =>
    tag >= BigInt.asUintN(bits, low) && tag <= BigInt.asUintN(bits, high);
  return (variants.find(({ values }) => values.some(within)) ?? fallback)?.members[0];
}

/** The type without typedefs and qualifiers, a declaration replaced by its definition. */
export function completed(target: Target, type: Type): Type {
  const bare = stripType(type);
  const incomplete = (bare.kind === 'struct' || bare.kind === 'union' || bare.kind === 'class') && bare.incomplete;
  if (!incomplete) return bare;
  for (const file of target.symbolFiles) {
    const whole = stripType(file.completeType(bare));
    if (whole !== bare) return whole;
  }
  return bare;
}

/** A structure's type, or undefined for other types. */
export function structureOf(target: Target, type: Type): StructType | undefined {
  const bare = completed(target, type);
  return bare.kind === 'struct' || bare.kind === 'class' || bare.kind === 'union' ? bare : undefined;
}

/** A member by name, in bases, anonymous members and the variant that is held too; undefined where there is none. */
export function findMember({ target }: { readonly target: Target }, whole: Value, name: string): Value | undefined {
  const type = structureOf(target, whole.type);
  if (type === undefined) throw exprErrors.notStruct(typeName(whole.type));
  const fields = fieldsOf(target, whole, type);
  const own = fields.find((field) => field.name === name && (!field.nested || type.variantPart !== undefined));
  if (own !== undefined) return memberValue(target, whole, own.member);
  for (const { member } of fields.filter(({ nested }) => nested)) {
    if (structureOf(target, member.type) === undefined) continue;
    const found = findMember({ target }, memberValue(target, whole, member), name);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A pointer that stands for what it refers to: C++'s references. */
export function isReference(type: Type): boolean {
  const bare = stripType(type);
  return bare.kind === 'pointer' && bare.reference !== 'none';
}
