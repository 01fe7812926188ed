/** Strings and lists of the standard libraries of C++, Rust and Go, told by their type's name and found by their members' names: what they hold is shown instead of how. */
import { stripType, type Type } from '../../symbols/api';
import { CodedError } from '../channel';
import { type Target } from '../target';
import { findMember, structureOf } from './members';
import { asInteger, readBytes, type Value } from './value';

/** What a container holds: `count` elements one behind the other from `address` on, or the bytes of a text. */
export type Contents =
  | { readonly kind: 'text'; readonly bytes: Uint8Array; readonly cut: boolean }
  | { readonly kind: 'list'; readonly address: bigint; readonly element: Type; readonly count: number };

const longestText = 200;
/** More elements than this are those of a container that was not made yet, or is no more. */
const mostElements = 2 ** 31 - 1;

interface Layout {
  readonly name: RegExp;
  readonly kind: Contents['kind'];
  /** Way to the pointer to the first element. */
  readonly first: string;
  /** Way to the count, or to the pointer behind the last element. */
  readonly count?: string;
  readonly end?: string;
}

const layouts: readonly Layout[] = [
  { name: /^(std::)?(__cxx11::)?basic_string<char[ ,>]/, kind: 'text', first: '_M_dataplus._M_p', count: '_M_string_length' },
  { name: /^basic_string_view<char[ ,>]/, kind: 'text', first: '_M_str', count: '_M_len' },
  { name: /^vector<(?!bool[ ,>])/, kind: 'list', first: '_M_impl._M_start', end: '_M_impl._M_finish' },
  { name: /^initializer_list</, kind: 'list', first: '_M_array', count: '_M_len' },
  { name: /^&(mut )?str$/, kind: 'text', first: 'data_ptr', count: 'length' },
  { name: /^String$/, kind: 'text', first: 'vec.buf.inner.ptr.pointer.pointer', count: 'vec.len' },
  { name: /^Vec<u8, /, kind: 'list', first: 'buf.inner.ptr.pointer.pointer', count: 'len' },
  { name: /^Vec</, kind: 'list', first: 'buf.inner.ptr.pointer.pointer', count: 'len' },
  { name: /^&(mut )?\[.*\]$/, kind: 'list', first: 'data_ptr', count: 'length' },
  { name: /^string$/, kind: 'text', first: 'str', count: 'len' },
  { name: /^\[\]/, kind: 'list', first: 'array', count: 'len' },
];

/** What the value holds where it is such a container and can be read; undefined otherwise. */
export function contentsOf(target: Target, value: Value): Contents | undefined {
  const type = structureOf(target, value.type);
  if (type?.name === undefined || type.language === 'c') return undefined;
  const layout = layouts.find(({ name }) => name.test(type.name!));
  if (layout === undefined) return undefined;
  try {
    return read(target, value, layout, type.name);
  } catch (error) {
    // Not as this library lays it out, or not to be read: the members are shown as they are.
    if (error instanceof CodedError) return undefined;
    throw error;
  }
}

function read(target: Target, value: Value, layout: Layout, name: string): Contents | undefined {
  const first = follow(target, value, layout.first);
  const last = follow(target, value, layout.end ?? layout.count!);
  if (first === undefined || last === undefined) return undefined;
  const address = asInteger(target, first);
  const element = elementType(target, first, value, name);
  if (layout.kind === 'text') {
    const length = asInteger(target, last);
    if (length < 0n || length > BigInt(mostElements)) return undefined;
    const wanted = Math.min(Number(length), longestText);
    const bytes = wanted === 0 ? new Uint8Array(0) : target.machine.cpu.readMemory(address, wanted);
    return bytes.length < wanted ? undefined : { kind: 'text', bytes, cut: BigInt(wanted) < length };
  }
  const size = element === undefined ? undefined : (element.byteSize ?? stripType(element).byteSize);
  if (element === undefined || size === undefined || size === 0) return undefined;
  const count = layout.end === undefined ? Number(asInteger(target, last)) : Number(asInteger(target, last) - address) / size;
  return Number.isInteger(count) && count >= 0 && count <= mostElements ? { kind: 'list', address, element, count } : undefined;
}

/** What the pointer points to; Rust's vectors keep one to bytes, and the element in their template's argument. */
function elementType(target: Target, first: Value, whole: Value, name: string): Type | undefined {
  const type = structureOf(target, whole.type)!;
  if (name.startsWith('Vec<')) return type.templateArguments[0]?.type;
  const pointer = stripType(first.type);
  return pointer.kind === 'pointer' ? pointer.target : undefined;
}

function follow(target: Target, value: Value, path: string): Value | undefined {
  let found: Value | undefined = value;
  for (const name of path.split('.')) found = found && findMember({ target }, found, name);
  // Unread, an optimised-away part would fail later and elsewhere.
  if (found !== undefined) readBytes(target, found);
  return found;
}
