/** Arithmetic on the DWARF expression stack, generic and typed (DWARF 5, sections 2.5.1.3, 2.5.1.4 and 2.5.1.6). */
import { type BaseType } from './api';
import { OP, dwarfName } from './constants';

export interface ScalarType {
  readonly encoding: BaseType['encoding'];
  /** Bytes. */
  readonly size: number;
}

/** Without a type it is of the generic type: an integer of address size and unspecified sign. */
export interface StackValue {
  readonly bits: bigint;
  readonly type?: ScalarType;
}

const OPERATIONS = new Set<number>([
  OP.dup,
  OP.drop,
  OP.over,
  OP.swap,
  OP.rot,
  OP.abs,
  OP.and,
  OP.div,
  OP.minus,
  OP.mod,
  OP.mul,
  OP.neg,
  OP.not,
  OP.or,
  OP.plus,
  OP.shl,
  OP.shr,
  OP.shra,
  OP.xor,
  OP.eq,
  OP.ge,
  OP.gt,
  OP.le,
  OP.lt,
  OP.ne,
]);

/** Operations without operands in the byte stream, which `Arithmetic.apply` does. */
export function isArithmetic(op: number): boolean {
  return OPERATIONS.has(op);
}

export class Arithmetic {
  private readonly bits: number;

  constructor(readonly addressSize: number) {
    this.bits = addressSize * 8;
  }

  wrap(bits: bigint): bigint {
    return BigInt.asUintN(this.bits, bits);
  }

  fit(bits: bigint, type: ScalarType | undefined): bigint {
    return BigInt.asUintN(type ? type.size * 8 : this.bits, bits);
  }

  /** Little-endian, of the type's size. */
  bytes(value: StackValue): Uint8Array {
    const size = value.type?.size ?? this.addressSize;
    return Uint8Array.from({ length: size }, (_, i) => Number((value.bits >> BigInt(8 * i)) & 0xffn));
  }

  private isSigned(type: ScalarType | undefined): boolean {
    return type !== undefined && (type.encoding === 'signed' || type.encoding === 'signed-char');
  }

  private signed(value: StackValue): bigint {
    return BigInt.asIntN(value.type ? value.type.size * 8 : this.bits, value.bits);
  }

  /** As the type reads it; generic values are taken as signed where the sign matters, but for modulo. */
  private integer(value: StackValue): bigint {
    return value.type && !this.isSigned(value.type) ? value.bits : this.signed(value);
  }

  /** Applies an operation to the stack; a message when it cannot be done. */
  apply(op: number, stack: StackValue[]): string | undefined {
    const needed = op === OP.dup || op === OP.drop || op === OP.abs || op === OP.neg || op === OP.not ? 1 : op === OP.rot ? 3 : 2;
    const n = stack.length;
    if (n < needed) return `${dwarfName('OP', op)} finds too little on the stack.`;
    const top = stack[n - 1]!;
    switch (op) {
      case OP.dup:
        stack.push(top);
        return undefined;
      case OP.drop:
        stack.pop();
        return undefined;
      case OP.over:
        stack.push(stack[n - 2]!);
        return undefined;
      case OP.swap:
        stack[n - 1] = stack[n - 2]!;
        stack[n - 2] = top;
        return undefined;
      case OP.rot:
        stack[n - 1] = stack[n - 2]!;
        stack[n - 2] = stack[n - 3]!;
        stack[n - 3] = top;
        return undefined;
      default:
    }
    stack.pop();
    if (needed === 1) {
      const result = this.unary(op, top);
      stack.push(result);
      return undefined;
    }
    const left = stack.pop()!;
    const result =
      top.type?.encoding === 'float' && left.type?.encoding === 'float' ? this.floatBinary(op, left, top) : this.binary(op, left, top);
    if (typeof result === 'string') return result;
    stack.push(result);
    return undefined;
  }

  private unary(op: number, value: StackValue): StackValue {
    const { type } = value;
    if (type?.encoding === 'float') {
      const number = floatFrom(value.bits, type.size);
      return { bits: floatBits(op === OP.abs ? Math.abs(number) : -number, type.size), type };
    }
    const number = this.signed(value);
    const result = op === OP.abs ? (number < 0n ? -number : number) : op === OP.neg ? -number : ~number;
    return { ...value, bits: this.fit(result, type) };
  }

  private binary(op: number, left: StackValue, right: StackValue): StackValue | string {
    const { type } = left;
    const make = (bits: bigint): StackValue => (type ? { bits: this.fit(bits, type), type } : { bits: this.wrap(bits) });
    const truth = (condition: boolean): StackValue => ({ bits: condition ? 1n : 0n });
    const a = this.integer(left);
    const b = this.integer(right);
    const width = BigInt(type ? type.size * 8 : this.bits);
    switch (op) {
      case OP.and:
        return make(left.bits & right.bits);
      case OP.or:
        return make(left.bits | right.bits);
      case OP.xor:
        return make(left.bits ^ right.bits);
      case OP.plus:
        return make(left.bits + right.bits);
      case OP.minus:
        return make(left.bits - right.bits);
      case OP.mul:
        return make(left.bits * right.bits);
      case OP.div:
        return b === 0n ? 'The expression divides by zero.' : make(a / b);
      case OP.mod:
        if (right.bits === 0n) return 'The expression divides by zero.';
        return type ? make(a % b) : make(left.bits % right.bits);
      case OP.shl:
        return make(right.bits >= width ? 0n : left.bits << right.bits);
      case OP.shr:
        return make(right.bits >= width ? 0n : left.bits >> right.bits);
      case OP.shra:
        return make(this.signed(left) >> (right.bits >= width ? width : right.bits));
      case OP.eq:
        return truth(left.bits === right.bits);
      case OP.ne:
        return truth(left.bits !== right.bits);
      case OP.ge:
        return truth(a >= b);
      case OP.gt:
        return truth(a > b);
      case OP.le:
        return truth(a <= b);
      default:
        return truth(a < b);
    }
  }

  private floatBinary(op: number, left: StackValue, right: StackValue): StackValue | string {
    const type = left.type!;
    const a = floatFrom(left.bits, type.size);
    const b = floatFrom(right.bits, right.type!.size);
    const make = (value: number): StackValue => ({ bits: floatBits(value, type.size), type });
    const truth = (condition: boolean): StackValue => ({ bits: condition ? 1n : 0n });
    switch (op) {
      case OP.plus:
        return make(a + b);
      case OP.minus:
        return make(a - b);
      case OP.mul:
        return make(a * b);
      case OP.div:
        return make(a / b);
      case OP.eq:
        return truth(a === b);
      case OP.ne:
        return truth(a !== b);
      case OP.ge:
        return truth(a >= b);
      case OP.gt:
        return truth(a > b);
      case OP.le:
        return truth(a <= b);
      case OP.lt:
        return truth(a < b);
      default:
        return `${dwarfName('OP', op)} is not defined for floating point.`;
    }
  }

  /** DW_OP_convert: the same number in another type; `undefined` is the generic type. */
  convert(value: StackValue, type: ScalarType | undefined): StackValue {
    const from = value.type;
    const toFloat = type?.encoding === 'float';
    if (from?.encoding === 'float') {
      const number = floatFrom(value.bits, from.size);
      if (toFloat) return { bits: floatBits(number, type.size), type };
      return this.typed(Number.isFinite(number) ? BigInt(Math.trunc(number)) : 0n, type);
    }
    const integer = from && this.isSigned(from) ? this.signed(value) : value.bits;
    return toFloat ? { bits: floatBits(Number(integer), type.size), type } : this.typed(integer, type);
  }

  /** DW_OP_reinterpret: the same bits under another type. */
  reinterpret(value: StackValue, type: ScalarType | undefined): StackValue {
    return this.typed(value.bits, type);
  }

  private typed(bits: bigint, type: ScalarType | undefined): StackValue {
    return type ? { bits: this.fit(bits, type), type } : { bits: this.wrap(bits) };
  }
}

const view = new DataView(new ArrayBuffer(8));

/** IEEE 754 binary32 and binary64, and the 80-bit extended format in 10, 12 or 16 bytes, the last rounded to a double. */
export function floatFrom(bits: bigint, size: number): number {
  if (size === 4) {
    view.setUint32(0, Number(BigInt.asUintN(32, bits)), true);
    return view.getFloat32(0, true);
  }
  if (size === 8) {
    view.setBigUint64(0, BigInt.asUintN(64, bits), true);
    return view.getFloat64(0, true);
  }
  const mantissa = BigInt.asUintN(64, bits);
  const exponent = Number((bits >> 64n) & 0x7fffn);
  const sign = (bits >> 79n) & 1n ? -1 : 1;
  if (exponent === 0x7fff) return BigInt.asUintN(63, mantissa) === 0n ? sign * Infinity : NaN;
  return sign * Number(mantissa) * 2 ** Math.max(-1074, exponent - 16383 - 63);
}

export function floatBits(value: number, size: number): bigint {
  if (size === 4) {
    view.setFloat32(0, value, true);
    return BigInt(view.getUint32(0, true));
  }
  view.setFloat64(0, value, true);
  const bits = view.getBigUint64(0, true);
  if (size === 8) return bits;
  const sign = bits >> 63n;
  const exponent = Number((bits >> 52n) & 0x7ffn);
  const fraction = BigInt.asUintN(52, bits);
  if (exponent === 0x7ff) return (sign << 79n) | (0x7fffn << 64n) | (1n << 63n) | (fraction << 11n);
  // Subnormal doubles are below what expressions compute with.
  if (exponent === 0) return sign << 79n;
  return (sign << 79n) | (BigInt(exponent - 1023 + 16383) << 64n) | (1n << 63n) | (fraction << 11n);
}
