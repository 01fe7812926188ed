/** Values that Go's runtime lays out: maps, channels, interfaces and functions, told by the names that its compiler gives their types and read by the names of their members. */
import { stripType, type Type, typeName } from '../../symbols/api';
import { CodedError } from '../channel';
import { type Target } from '../target';
import { exprErrors } from './errors';
import { completed, findMember, structureOf } from './members';
import { asInteger, inMemory, part, readBytes, sizeOf, toInteger, type Value } from './value';

/** A key with its value. */
export interface Entry {
  readonly key: Value;
  readonly value: Value;
}

/** What the value holds; `count` is what the runtime keeps of it. */
export type GoContents =
  | { readonly kind: 'nil' }
  | { readonly kind: 'map'; readonly count: number; entries(start: number, wanted: number): readonly Entry[] }
  | {
      readonly kind: 'channel';
      readonly count: number;
      readonly capacity: number;
      readonly closed: boolean;
      elements(start: number, wanted: number): readonly Value[];
    }
  | { readonly kind: 'interface'; readonly dynamic: Value }
  | { readonly kind: 'function'; readonly code: bigint };

/** The runtime's `hmap.B` is a logarithm; memory ends long before this. */
const mostBucketBits = 32;
/** Buckets that are looked at for the entries of one answer: more are those of a map that is damaged, or not made yet. */
const mostBuckets = 1 << 18;
/** `tophash` of a cell: below it are the marks for empty cells and for such as were moved to the new buckets (runtime/map.go). */
const leastTopHash = 5;
const movedMarks: readonly number[] = [2, 3, 4];
const growsInPlace = 8n;
/** In a type's kind: the interface's word is the value itself, which has the form of a pointer (internal/abi/type.go). */
const directInterface = 32n;

/** What the value of a Go type holds where it is one of these kinds and can be read; undefined otherwise. */
export function goContentsOf(target: Target, value: Value): GoContents | undefined {
  if (value.type.language !== 'go') return undefined;
  const type = completed(target, value.type);
  try {
    if (type.kind === 'function') return functionOf(target, value);
    if (type.kind === 'struct') return interfaceOf(target, value, type.name);
    if (type.kind !== 'pointer') return undefined;
    const name = structureOf(target, type.target)?.name ?? '';
    const read = name.startsWith('hash<') ? mapOf : name.startsWith('hchan<') ? channelOf : undefined;
    if (read === undefined) return undefined;
    const address = asInteger(target, value);
    return address === 0n ? { kind: 'nil' } : read(target, inMemory(type.target, address));
  } catch (error) {
    // Not as this version of the runtime lays it out, or not to be read: it is shown as its parts.
    if (error instanceof CodedError) return undefined;
    throw error;
  }
}

/** A variable of a function type is a pointer to a closure, whose first word is the code's address. */
function functionOf(target: Target, value: Value): GoContents | undefined {
  const closure = toInteger(readBytes(target, value, 8));
  if (closure === 0n) return { kind: 'nil' };
  const code = target.readInteger(closure, 8);
  return code === undefined ? undefined : { kind: 'function', code };
}

function interfaceOf(target: Target, value: Value, name: string | undefined): GoContents | undefined {
  if (name !== 'runtime.iface' && name !== 'runtime.eface') return undefined;
  const word = integerAt(target, value, name === 'runtime.iface' ? 'tab' : '_type');
  if (word === 0n) return { kind: 'nil' };
  const about = member(target, value, name === 'runtime.iface' ? 'tab' : '_type');
  const table = pointee(target, about);
  const described = name === 'runtime.eface' ? table : pointee(target, anyMember(target, table, 'Type', '_type'));
  if (described.location.kind !== 'memory') return undefined;
  const { address } = described.location;
  const type = target.symbolsAt(address)?.goRuntimeType(address);
  if (type === undefined) return undefined;
  const kind = asInteger(target, anyMember(target, described, 'Kind_', 'kind'));
  const data = member(target, value, 'data');
  const frame = value.frame === undefined ? {} : { frame: value.frame };
  if ((kind & directInterface) !== 0n) return { kind: 'interface', dynamic: { type, location: data.location, ...frame } };
  return { kind: 'interface', dynamic: { ...inMemory(type, asInteger(target, data)), ...frame } };
}

function channelOf(target: Target, channel: Value): GoContents | undefined {
  const [count, capacity, first] = ['qcount', 'dataqsiz', 'recvx'].map((name) => Number(integerAt(target, channel, name)));
  // Who waits for the channel's elements has a pointer to one.
  const waiting = stripType(member(target, member(target, channel, 'recvq'), 'first').type);
  const sudog = waiting.kind === 'pointer' ? structureOf(target, waiting.target) : undefined;
  const pointer = stripType(sudog?.members.find(({ name }) => name === 'elem')?.type ?? channel.type);
  const buffer = integerAt(target, channel, 'buf');
  const element = pointer.kind === 'pointer' ? pointer.target : undefined;
  if (element === undefined || count! > capacity! || (capacity! > 0 && first! >= capacity!)) return undefined;
  const size = BigInt(sizeOf(completed(target, element)));
  return {
    kind: 'channel',
    count: count!,
    capacity: capacity!,
    closed: integerAt(target, channel, 'closed') !== 0n,
    elements: (start, wanted) =>
      Array.from({ length: Math.max(0, Math.min(wanted, count! - start)) }, (_, offset) =>
        inMemory(element, buffer + BigInt((first! + start + offset) % capacity!) * size),
      ),
  };
}

function mapOf(target: Target, map: Value): GoContents | undefined {
  const count = Number(integerAt(target, map, 'count'));
  const bits = Number(integerAt(target, map, 'B'));
  const isCalm = count >= 0 && bits <= mostBucketBits && Number.isSafeInteger(count);
  return isCalm ? { kind: 'map', count, entries: (start, wanted) => entriesOf(target, map, bits, start, wanted) } : undefined;
}

/** The entries in the order of their buckets, which is the runtime's own; while a map grows, some are still in the buckets that it had before. */
function entriesOf(target: Target, map: Value, bits: number, start: number, wanted: number): readonly Entry[] {
  const found: Entry[] = [];
  let passed = 0;
  let looked = 0;
  const inPlace = (integerAt(target, map, 'flags') & growsInPlace) !== 0n;
  const tables = [
    { name: 'buckets', count: 2 ** bits, isOld: false },
    { name: 'oldbuckets', count: inPlace ? 2 ** bits : 2 ** (bits - 1), isOld: true },
  ];
  for (const { name, count, isOld } of tables) {
    const first = member(target, map, name);
    const type = stripType(first.type);
    const base = asInteger(target, first);
    if (type.kind !== 'pointer' || base === 0n) continue;
    const size = BigInt(sizeOf(completed(target, type.target)));
    for (let i = 0; i < count; i++) {
      let address = base + BigInt(i) * size;
      for (let isFirst = true; address !== 0n; isFirst = false) {
        if (found.length >= wanted || ++looked > mostBuckets) return found;
        const bucket = inMemory(type.target, address);
        const marks = readBytes(target, member(target, bucket, 'tophash'));
        if (isOld && isFirst && movedMarks.includes(marks[0]!)) break;
        const [keys, values] = [member(target, bucket, 'keys'), member(target, bucket, 'values')];
        for (let slot = 0; slot < marks.length && found.length < wanted; slot++)
          if (marks[slot]! >= leastTopHash && passed++ >= start)
            found.push({ key: elementAt(target, keys, slot), value: elementAt(target, values, slot) });
        address = integerAt(target, bucket, 'overflow');
      }
    }
  }
  return found;
}

function elementAt(target: Target, array: Value, index: number): Value {
  const type = stripType(array.type);
  const element: Type = type.kind === 'array' ? type.element : type;
  return part(array, element, index * (element.byteSize ?? completed(target, element).byteSize ?? 0));
}

function pointee(target: Target, pointer: Value): Value {
  const type = stripType(pointer.type);
  return inMemory(type.kind === 'pointer' ? type.target : type, asInteger(target, pointer));
}

const member = (target: Target, whole: Value, name: string): Value => anyMember(target, whole, name);
const integerAt = (target: Target, whole: Value, name: string): bigint => asInteger(target, member(target, whole, name));

/** The member with the first of the names that the type has; versions of the runtime spell some differently. Throws a CodedError where it has none. */
function anyMember(target: Target, whole: Value, ...names: readonly string[]): Value {
  for (const name of names) {
    const found = findMember({ target }, whole, name);
    if (found !== undefined) return found;
  }
  throw exprErrors.noMember(typeName(whole.type), names[0]!);
}
