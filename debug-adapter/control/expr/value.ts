/** A typed value with the place that it was found in: what expressions are computed on and rows are made from. */
import { dwarfRegisterName, type Location, readLocation, sliceLocation, stripType, type Type, typeName } from '../../symbols/api';
import { type Target } from '../target';
import { evaluationContext, type StackFrame } from '../unwind';
import { exprErrors } from './errors';
import { isFloat, isInteger, isSigned } from './types';

export interface Value {
  readonly type: Type;
  readonly location: Location;
  /** The frame whose registers the location means. */
  readonly frame?: StackFrame;
  /** Bits within the first byte of the location, for bitfields. */
  readonly bits?: { readonly offset: number; readonly size: number };
}

export const fromBytes = (type: Type, bytes: Uint8Array): Value => ({ type, location: { kind: 'value', bytes } });

export const inMemory = (type: Type, address: bigint): Value => ({
  type,
  location: { kind: 'memory', address: BigInt.asUintN(64, address) },
});

export const fromInteger = (type: Type, value: bigint): Value => fromBytes(type, integerBytes(value, type.byteSize ?? 8));

export function fromNumber(type: Type, value: number): Value {
  const bytes = new Uint8Array(type.byteSize ?? 8);
  const view = new DataView(bytes.buffer);
  if (bytes.length === 4) view.setFloat32(0, value, true);
  else view.setFloat64(0, value, true);
  return fromBytes(type, bytes);
}

/** Size in bytes. Throws where the type is incomplete. */
export function sizeOf(type: Type): number {
  const size = type.byteSize ?? stripType(type).byteSize;
  if (size === undefined) throw exprErrors.incomplete(typeName(type));
  return size;
}

const storedSize = (value: Value): number =>
  value.bits === undefined ? sizeOf(value.type) : Math.ceil((value.bits.offset + value.bits.size) / 8);

/** Objects beyond it are looked at in parts. */
const mostBytes = 1 << 20;

/** The value's bytes, little-endian. Throws a CodedError where they cannot be had. */
export function readBytes(target: Target, value: Value, size = storedSize(value)): Uint8Array {
  const { location, frame } = value;
  if (size > mostBytes) throw exprErrors.tooLarge(size);
  const bytes = readLocation(location, size, frame === undefined ? memoryContext(target) : evaluationContext(target, frame));
  if (bytes !== undefined) return bytes;
  switch (location.kind) {
    case 'memory':
      throw exprErrors.unreadable(location.address);
    case 'register':
      throw exprErrors.unavailable(
        `Register ${dwarfRegisterName(location.register) ?? location.register} was not saved by the called functions.`,
      );
    case 'error':
      throw exprErrors.unavailable(location.message);
    default:
      throw exprErrors.unavailable('Optimised away here.');
  }
}

const memoryContext = (target: Target): Parameters<typeof readLocation>[2] => ({
  pc: 0n,
  readMemory: (address, length) => {
    const bytes = target.machine.cpu.readMemory(address, length);
    return bytes.length === length ? bytes : undefined;
  },
  register: () => undefined,
});

function integerBytes(value: bigint, size: number): Uint8Array {
  return Uint8Array.from({ length: size }, (_, index) => Number((value >> BigInt(8 * index)) & 0xffn));
}

export const toInteger = (bytes: Uint8Array): bigint => bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);

/** The value as an integer, sign-extended by its type: integers, enums, pointers, booleans; floats are cut. */
export function asInteger(target: Target, value: Value): bigint {
  const type = stripType(value.type);
  if (isFloat(type)) {
    const number = Math.trunc(asNumber(target, value));
    // What CVTTSD2SI gives for what no integer can hold (SDM vol. 2A).
    return Number.isFinite(number) ? BigInt(number) : -(1n << 63n);
  }
  if (type.kind === 'array' || type.kind === 'function') return addressOf(value);
  if (!isInteger(type) && type.kind !== 'pointer') throw exprErrors.notNumber(typeName(value.type));
  let bits = toInteger(readBytes(target, value));
  let width = sizeOf(type) * 8;
  if (value.bits !== undefined) {
    bits = (bits >> BigInt(value.bits.offset)) & ((1n << BigInt(value.bits.size)) - 1n);
    width = value.bits.size;
  }
  return isSigned(type) ? BigInt.asIntN(width, bits) : bits;
}

export function asNumber(target: Target, value: Value): number {
  const type = stripType(value.type);
  if (!isFloat(type)) return Number(asInteger(target, value));
  const bytes = readBytes(target, value);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length === 4) return view.getFloat32(0, true);
  if (bytes.length === 8) return view.getFloat64(0, true);
  // x87 extended precision (SDM vol. 1, 4.2.2), to the precision of a double.
  const exponent = view.getUint16(8, true);
  // Unnormals, whose integer bit is clear, are invalid operands.
  if ((exponent & 0x7fff) !== 0 && bytes[7]! < 0x80) return NaN;
  const magnitude = (Number(view.getBigUint64(0, true)) / 2 ** 63) * 2 ** ((exponent & 0x7fff) - 16383);
  if ((exponent & 0x7fff) === 0x7fff)
    return (view.getBigUint64(0, true) & 0x7fff_ffff_ffff_ffffn) === 0n ? (exponent > 0x7fff ? -Infinity : Infinity) : NaN;
  return exponent > 0x7fff ? -magnitude : magnitude;
}

/** Where the object begins. Throws for what does not lie in memory. */
export function addressOf(value: Value): bigint {
  if (value.location.kind !== 'memory' || value.bits !== undefined) throw exprErrors.notLvalue();
  return value.location.address;
}

/** A part of an object: a member or an element, at `offset` bytes. */
export function part(whole: Value, type: Type, offset: number, bits?: Value['bits']): Value {
  const size = bits === undefined ? (type.byteSize ?? stripType(type).byteSize ?? 0) : Math.ceil((bits.offset + bits.size) / 8);
  return {
    type,
    location: sliceLocation(whole.location, offset, size),
    ...(whole.frame === undefined ? {} : { frame: whole.frame }),
    ...(bits === undefined ? {} : { bits }),
  };
}

/** Stores little-endian bytes where the value lies. */
export function writeBytes(target: Target, value: Value, bytes: Uint8Array, name: string): void {
  const { location, bits } = value;
  if (bits !== undefined) {
    const mask = ((1n << BigInt(bits.size)) - 1n) << BigInt(bits.offset);
    const merged = (toInteger(readBytes(target, value)) & ~mask) | ((toInteger(bytes) << BigInt(bits.offset)) & mask);
    const { bits: _bits, ...whole } = value;
    return writeBytes(target, whole, integerBytes(merged, storedSize(value)), name);
  }
  if (location.kind === 'memory') {
    const written = target.writeMemory(location.address, bytes);
    if (written < bytes.length) throw exprErrors.unreadable(location.address + BigInt(written));
    return;
  }
  if (location.kind !== 'register' || value.frame === undefined) throw exprErrors.notAssignable(name);
  const old = value.frame.registers.get(location.register) ?? 0n;
  const mask = (1n << BigInt(8 * bytes.length)) - 1n;
  const next = BigInt.asUintN(64, (old & ~mask) | (toInteger(bytes) & mask));
  // The frame's own view of its registers, so that the value reads back as it was written.
  (value.frame.registers as Map<number, bigint>).set(location.register, next);
  const saved = value.frame.savedAt.get(location.register);
  if (saved !== undefined) target.writeMemory(saved, integerBytes(next, 8));
  else if (!target.machine.edit({ kind: 'register', name: dwarfRegisterName(location.register) ?? '', value: next }))
    throw exprErrors.notAssignable(name);
}
