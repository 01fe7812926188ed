/**
 * What a function that has just returned gave back: its value, found where the System V ABI has it (x86-64 psABI, 3.2.3 "Returning of Values"), or where the Rust
 * compiler puts it, which promises nothing.
 */
import { stripType, type Type } from '../symbols/api';
import { completed } from './expr/members';
import { isFloat } from './expr/types';
import { fromBytes, inMemory, type Value } from './expr/value';
import { type Target } from './target';
import { type StackFrame, walkStack } from './unwind';

export interface Returned {
  /** Name of the function. */
  readonly name: string;
  readonly value: Value;
}

/** A function that is about to be left. */
export interface Leaving {
  readonly name: string;
  readonly type: Type;
}

/** Longest object that is returned in registers. */
const registerBytes = 16;
const eightbyte = 8;

/** The function whose activation stands innermost; undefined where that is none that returns a value as others do, or is inlined into another. */
export function functionLeft(target: Target): Leaving | undefined {
  const frame: StackFrame | undefined = walkStack(target, 1)[0];
  const called = frame?.symbolic?.function;
  if (called === undefined || frame?.origin === 'inlined' || called.ownConvention || stripType(called.returnType).kind === 'void')
    return undefined;
  return { name: called.name, type: called.returnType };
}

/** The value, with the guest standing where `leaving` returned to. Undefined for types whose place the ABI does not tell from their layout. */
export function returned(target: Target, { name, type }: Leaving): Returned | undefined {
  const value = valueOf(target, type);
  return value && { name, value };
}

function valueOf(target: Target, type: Type): Value | undefined {
  const whole = completed(target, type);
  const size = whole.byteSize;
  if (size === undefined || size === 0) return undefined;
  const kinds = new Array<'integer' | 'sse' | undefined>(Math.ceil(size / eightbyte)).fill(undefined);
  if (isFloat(whole) && size > eightbyte) {
    // long double: 10 bytes of ST(0) in an object of 16.
    const bytes = new Uint8Array(size);
    bytes.set((target.machine.cpu.getWideRegister('st0') ?? new Uint8Array(0)).subarray(0, size));
    return fromBytes(type, bytes);
  }
  // The caller's place for an object that does not fit comes back in RAX.
  if (size > registerBytes) return inMemory(type, target.register('rax'));
  if (whole.language === 'rust') return rustValue(target, type, size);
  if (!classify(target, whole, 0, kinds, 0)) return inMemory(type, target.register('rax'));
  const integers = ['rax', 'rdx'];
  const vectors = ['xmm0', 'xmm1'];
  const bytes = new Uint8Array(kinds.length * eightbyte);
  for (const [index, kind] of kinds.entries()) {
    const at = index * eightbyte;
    if (kind === 'sse')
      bytes.set((target.machine.cpu.getWideRegister(vectors.shift()!) ?? new Uint8Array(eightbyte)).subarray(0, eightbyte), at);
    else new DataView(bytes.buffer).setBigUint64(at, target.register(integers.shift()!), true);
  }
  return fromBytes(type, bytes.subarray(0, size));
}

interface Scalar {
  readonly offset: number;
  readonly size: number;
  readonly float: boolean;
}

/**
 * As rustc 1.95 does it: a value that is one scalar or two has each in a register of its own, others of up to 16 bytes are packed into RAX and RDX. Undefined for tagged
 * unions, of which DWARF does not tell which of these they are.
 */
function rustValue(target: Target, type: Type, size: number): Value | undefined {
  const scalars = scalarsOf(target, type, 0, 0);
  if (scalars === undefined) return undefined;
  const bytes = new Uint8Array(registerBytes + eightbyte);
  const view = new DataView(bytes.buffer);
  const wide = scalars.some((scalar) => scalar.size > eightbyte);
  if (scalars.length > 2 || wide) {
    view.setBigUint64(0, target.register('rax'), true);
    view.setBigUint64(eightbyte, target.register('rdx'), true);
    return fromBytes(type, bytes.slice(0, size));
  }
  const integers = ['rax', 'rdx'];
  const vectors = ['xmm0', 'xmm1'];
  const whole = new Uint8Array(size);
  for (const scalar of scalars) {
    if (scalar.float) bytes.set((target.machine.cpu.getWideRegister(vectors.shift()!) ?? new Uint8Array(0)).subarray(0, eightbyte));
    else view.setBigUint64(0, target.register(integers.shift()!), true);
    whole.set(bytes.subarray(0, scalar.size), scalar.offset);
  }
  return fromBytes(type, whole);
}

/** The scalars that a value is made of, in the order of their places; undefined where a tag says which. */
function scalarsOf(target: Target, type: Type, offset: number, depth: number): readonly Scalar[] | undefined {
  const whole = completed(target, type);
  const size = whole.byteSize ?? 0;
  if (depth > 16) return undefined;
  switch (whole.kind) {
    case 'union':
      return undefined;
    case 'struct':
    case 'class': {
      if (whole.variantPart !== undefined) return undefined;
      const parts = whole.members.map((member) => scalarsOf(target, member.type, offset + member.offset, depth + 1));
      if (parts.includes(undefined)) return undefined;
      return parts.flatMap((part) => part ?? []).sort((a, b) => a.offset - b.offset);
    }
    case 'array': {
      const element = completed(target, whole.element).byteSize ?? 0;
      const count = element === 0 ? 0 : size / element;
      // Arrays are packed, however few their elements.
      return Array.from({ length: Math.max(count, count === 0 ? 0 : 3) }, () => ({ offset, size: 0, float: false }));
    }
    default:
      return size === 0 ? [] : [{ offset, size, float: isFloat(whole) }];
  }
}

/** Notes the class of each eightbyte that a part of an object reaches; false where the object is returned in memory. */
function classify(target: Target, type: Type, offset: number, kinds: ('integer' | 'sse' | undefined)[], depth: number): boolean {
  const whole = completed(target, type);
  const size = whole.byteSize ?? 0;
  if (depth > 8 || offset + size > kinds.length * eightbyte) return false;
  switch (whole.kind) {
    case 'struct':
    case 'class':
    case 'union':
      if (whole.passedByReference === true) return false;
      return [...whole.bases, ...whole.members].every((member) => classify(target, member.type, offset + member.offset, kinds, depth + 1));
    case 'array': {
      const element = completed(target, whole.element).byteSize ?? 0;
      if (element === 0) return size === 0;
      for (let at = 0; at < size; at += element) if (!classify(target, whole.element, offset + at, kinds, depth + 1)) return false;
      return true;
    }
    default: {
      // Of x87 registers, and what is not aligned, goes to memory.
      if ((isFloat(whole) && size > eightbyte) || (size > 0 && offset % Math.min(size, eightbyte) !== 0)) return false;
      for (let index = Math.floor(offset / eightbyte); index * eightbyte < offset + size; index++)
        kinds[index] = isFloat(whole) && kinds[index] !== 'integer' ? 'sse' : 'integer';
      return true;
    }
  }
}
