/** Computes the value of an expression tree in a frame, by C's rules of conversion; never runs the guest. */
import { stripType, type Type, typeName } from '../../symbols/api';
import { type Target } from '../target';
import { evaluationContext, type StackFrame } from '../unwind';
import { registerWidths } from '../registers';
import { contentsOf } from './containers';
import { exprErrors } from './errors';
import { findMember, isReference } from './members';
import { resolveName, resolveType } from './names';
import { type Node } from './parser';
import { arrayOf, builtin, isFloat, isInteger, isSigned, pointerTo, unsignedOf } from './types';
import {
  addressOf,
  asInteger,
  asNumber,
  fromBytes,
  fromInteger,
  fromNumber,
  inMemory,
  part,
  readBytes,
  sizeOf,
  type Value,
  writeBytes,
} from './value';

/** Where an expression is evaluated. */
export interface Scope {
  readonly target: Target;
  readonly frame: StackFrame;
  /** Nothing may be assigned to: the expression is evaluated whenever execution comes by, replayed execution too. */
  readonly lookOnly?: boolean;
}

/** The value of an expression. A reference is what it refers to. */
export function evaluateNode(scope: Scope, node: Node): Value {
  const value = nodeValue(scope, node);
  return isReference(value.type) ? dereference(scope.target, value) : value;
}

function nodeValue(scope: Scope, node: Node): Value {
  const { target } = scope;
  switch (node.kind) {
    case 'integer':
      return fromInteger(literalType(node), node.value);
    case 'float':
      return fromNumber(node.single ? builtin.float : builtin.double, node.value);
    case 'character':
      return fromInteger(builtin.char, BigInt(node.value));
    case 'string':
      return fromBytes(arrayOf(builtin.char, BigInt(node.value.length + 1)), new TextEncoder().encode(`${node.value}\0`));
    case 'name':
      return resolveName(scope, node.name);
    case 'register':
      return registerValue(scope, node.name);
    case 'unary':
      return unary(scope, node);
    case 'binary':
      return binary(scope, node);
    case 'conditional':
      return evaluateNode(scope, isTrue(target, evaluateNode(scope, node.condition)) ? node.yes : node.no);
    case 'assign':
      return assignNode(scope, node);
    case 'cast':
      return convert(target, evaluateNode(scope, node.operand), resolveType(scope, node.type));
    case 'sizeofType':
      return fromInteger(builtin.unsignedLong, BigInt(sizeOf(resolveType(scope, node.type))));
    case 'sizeof':
      return fromInteger(builtin.unsignedLong, BigInt(sizeOf(evaluateNode(scope, node.operand).type)));
    case 'member':
      return member(scope, node);
    case 'index':
      return index(scope, evaluateNode(scope, node.object), asInteger(target, evaluateNode(scope, node.index)));
    case 'call':
      throw exprErrors.call(node.callee.kind === 'name' ? node.callee.name : 'A function');
  }
}

/** C's truth: not zero. */
export function isTrue(target: Target, value: Value): boolean {
  return isFloat(stripType(value.type)) ? asNumber(target, value) !== 0 : asInteger(target, value) !== 0n;
}

/** The value as another type, as an assignment or a cast converts it. */
export function convert(target: Target, value: Value, type: Type): Value {
  const to = stripType(type);
  const from = stripType(value.type);
  if (isFloat(to)) return fromNumber(to.byteSize === 16 ? builtin.double : type, asNumber(target, value));
  if (to.kind === 'base' && to.encoding === 'boolean') return fromInteger(type, isTrue(target, value) ? 1n : 0n);
  if (isInteger(to) || to.kind === 'pointer') return { ...fromInteger(to, asInteger(target, value)), type };
  // A cast between structs or arrays looks at the same bytes with other eyes, as debuggers allow.
  if (from.kind === 'pointer' || isInteger(from)) return inMemory(type, asInteger(target, value));
  return { ...value, type };
}

/** Stores `source`, converted, where `destination` lies. */
export function store(target: Target, destination: Value, source: Value, name: string): Value {
  const type = stripType(destination.type);
  const scalar = isInteger(type) || isFloat(type) || type.kind === 'pointer';
  if (!scalar && stripType(source.type).kind !== type.kind) throw exprErrors.notScalar(typeName(destination.type));
  const converted = scalar ? convert(target, source, destination.type) : source;
  writeBytes(target, destination, readBytes(target, converted, sizeOf(destination.type)), name);
  return destination;
}

function literalType(node: Extract<Node, { kind: 'integer' }>): Type {
  const unsigned = node.suffix.includes('u');
  const long = node.suffix.includes('l');
  if (!long && !unsigned && node.value < 1n << 31n) return builtin.int;
  if (!long && node.value < 1n << 32n && (unsigned || !node.decimal)) return builtin.unsignedInt;
  return unsigned || node.value >= 1n << 63n ? builtin.unsignedLong : builtin.long;
}

function registerValue({ target, frame }: Scope, name: string): Value {
  const lower = name === 'pc' ? 'rip' : name === 'sp' ? 'rsp' : name === 'fp' ? 'rbp' : name.toLowerCase();
  const callers = dwarfGeneral.get(lower);
  // In callers' frames the registers are theirs, as far as they were saved.
  const saved = callers === undefined ? undefined : frame.registers.get(callers);
  if (callers !== undefined && frame.origin !== 'pc' && saved !== undefined)
    return { type: builtin.unsignedLong, location: { kind: 'register', register: callers }, frame };
  const wide = target.machine.cpu.getWideRegister(lower);
  if (wide !== undefined)
    return lower.startsWith('st')
      ? fromBytes({ ...builtin.double, name: 'long double', byteSize: 16 }, pad(wide, 16))
      : fromBytes(unsignedOf(16), wide.slice(0, 16));
  const value = target.machine.cpu.getRegister(lower);
  if (value === undefined) throw exprErrors.unknownRegister(name);
  return fromInteger(unsignedOf((registerWidths.get(lower) ?? 64) / 8), value);
}

const dwarfGeneral: ReadonlyMap<string, number> = new Map(
  ['rax', 'rdx', 'rcx', 'rbx', 'rsi', 'rdi', 'rbp', 'rsp', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15', 'rip'].map(
    (name, number) => [name, number],
  ),
);

function pad(bytes: Uint8Array, size: number): Uint8Array {
  const result = new Uint8Array(size);
  result.set(bytes.subarray(0, size));
  return result;
}

function unary(scope: Scope, node: Extract<Node, { kind: 'unary' }>): Value {
  const { target } = scope;
  const operand = evaluateNode(scope, node.operand);
  switch (node.operator) {
    case '*':
      return dereference(target, operand);
    case '&':
      return fromInteger(pointerTo(operand.type), addressOf(operand));
    case '!':
      return fromInteger(builtin.int, isTrue(target, operand) ? 0n : 1n);
    case '+':
    case '-':
    case '~': {
      const type = promoted(stripType(operand.type));
      if (isFloat(type)) return fromNumber(type, node.operator === '-' ? -asNumber(target, operand) : asNumber(target, operand));
      const value = asInteger(target, operand);
      return fromInteger(type, node.operator === '-' ? -value : node.operator === '~' ? ~value : value);
    }
  }
}

/** What a pointer points to, or an array's first element. */
export function dereference(target: Target, value: Value): Value {
  const type = stripType(value.type);
  if (type.kind === 'array') return index({ target }, value, 0n);
  if (type.kind === 'function') return value;
  if (type.kind !== 'pointer') throw exprErrors.notPointer(typeName(value.type));
  const { frame } = value;
  return (
    syntheticPointee(target, value, type.target) ?? {
      ...inMemory(type.target, asInteger(target, value)),
      ...(frame === undefined ? {} : { frame }),
    }
  );
}

/** What a pointer that was optimised away points to, where its variable is still known (DW_OP_implicit_pointer). */
function syntheticPointee(target: Target, { location, frame }: Value, type: Type): Value | undefined {
  if (location.kind !== 'implicit-pointer' || location.target === undefined || frame?.symbols === undefined) return undefined;
  const whole: Value = {
    type: location.target.type,
    location: frame.symbols.locate(location.target, evaluationContext(target, frame)),
    frame,
  };
  return part(whole, type, location.offset);
}

function index({ target }: Pick<Scope, 'target'>, value: Value, position: bigint): Value {
  const type = stripType(value.type);
  if (type.kind === 'array') {
    const [outer, ...inner] = type.dimensions;
    const element: Type = inner.length === 0 ? type.element : { ...type, dimensions: inner, ...innerSize(type.element, inner) };
    return part(value, element, Number(position - (outer?.lower ?? 0n)) * sizeOf(element));
  }
  const contents = contentsOf(target, value);
  if (contents?.kind === 'list') return inMemory(contents.element, contents.address + position * BigInt(sizeOf(contents.element)));
  if (type.kind !== 'pointer') throw exprErrors.notPointer(typeName(value.type));
  return inMemory(type.target, asInteger(target, value) + position * BigInt(sizeOf(type.target)));
}

const innerSize = (element: Type, dimensions: readonly { readonly count?: bigint }[]): { byteSize?: number } => {
  const count = dimensions.reduce<bigint | undefined>(
    (product, { count: each }) => (product === undefined || each === undefined ? undefined : product * each),
    1n,
  );
  const size = stripType(element).byteSize;
  return count === undefined || size === undefined ? {} : { byteSize: Number(count) * size };
};

function member(scope: Scope, node: Extract<Node, { kind: 'member' }>): Value {
  const { target } = scope;
  const object = evaluateNode(scope, node.object);
  // `.` on a pointer means what the user meant.
  const whole = stripType(object.type).kind === 'pointer' ? dereference(target, object) : object;
  const found = findMember(scope, whole, node.member);
  if (found === undefined) throw exprErrors.noMember(typeName(whole.type), node.member);
  return found;
}

function binary(scope: Scope, node: Extract<Node, { kind: 'binary' }>): Value {
  const { target } = scope;
  const left = evaluateNode(scope, node.left);
  if (node.operator === '&&' || node.operator === '||') {
    const first = isTrue(target, left);
    const decided = node.operator === '&&' ? !first : first;
    return fromInteger(builtin.int, (decided ? first : isTrue(target, evaluateNode(scope, node.right))) ? 1n : 0n);
  }
  return arithmetic(target, node.operator, left, evaluateNode(scope, node.right));
}

/** One of C's binary operators on two values. */
function arithmetic(target: Target, operator: string, left: Value, right: Value): Value {
  const a = decayed(left.type);
  const b = decayed(right.type);
  if (a.kind === 'pointer' || b.kind === 'pointer') {
    const result = pointerArithmetic(target, operator, left, right, a, b);
    if (result !== undefined) return result;
  }
  const type = operator === '<<' || operator === '>>' ? promoted(a) : common(a, b);
  if (isFloat(type)) return floatArithmetic(type, operator, asNumber(target, left), asNumber(target, right));
  const width = sizeOf(type) * 8;
  const cut = (value: bigint): bigint => (isSigned(type) ? BigInt.asIntN(width, value) : BigInt.asUintN(width, value));
  const x = cut(asInteger(target, left));
  const y = operator === '<<' || operator === '>>' ? asInteger(target, right) & BigInt(width - 1) : cut(asInteger(target, right));
  const compared = compare(operator, x, y);
  if (compared !== undefined) return fromInteger(builtin.int, compared ? 1n : 0n);
  return fromInteger(type, integerArithmetic(operator, x, y));
}

function pointerArithmetic(target: Target, operator: string, left: Value, right: Value, a: Type, b: Type): Value | undefined {
  const x = asInteger(target, left);
  const y = asInteger(target, right);
  const compared = compare(operator, x, y);
  if (compared !== undefined) return fromInteger(builtin.int, compared ? 1n : 0n);
  const step = (type: Type): bigint => (type.kind === 'pointer' ? BigInt(Math.max(stripType(type.target).byteSize ?? 1, 1)) : 1n);
  if (operator === '-' && a.kind === 'pointer' && b.kind === 'pointer') return fromInteger(builtin.long, (x - y) / step(a));
  if (operator === '-' && a.kind === 'pointer') return fromInteger(a, x - y * step(a));
  if (operator === '+') return a.kind === 'pointer' ? fromInteger(a, x + y * step(a)) : fromInteger(b, y + x * step(b));
  return undefined;
}

function floatArithmetic(type: Type, operator: string, x: number, y: number): Value {
  const compared = compare(operator, x, y);
  if (compared !== undefined) return fromInteger(builtin.int, compared ? 1n : 0n);
  const result: Readonly<Record<string, number>> = { '+': x + y, '-': x - y, '*': x * y, '/': x / y, '%': x % y };
  const value = result[operator];
  if (value === undefined) throw exprErrors.notNumber(typeName(type));
  return fromNumber(type.byteSize === 16 ? builtin.double : type, value);
}

function compare<T extends bigint | number>(operator: string, x: T, y: T): boolean | undefined {
  switch (operator) {
    case '==':
      return x === y;
    case '!=':
      return x !== y;
    case '<':
      return x < y;
    case '>':
      return x > y;
    case '<=':
      return x <= y;
    case '>=':
      return x >= y;
    default:
      return undefined;
  }
}

function integerArithmetic(operator: string, x: bigint, y: bigint): bigint {
  switch (operator) {
    case '+':
      return x + y;
    case '-':
      return x - y;
    case '*':
      return x * y;
    case '/':
    case '%':
      if (y === 0n) throw exprErrors.divideByZero();
      return operator === '/' ? x / y : x % y;
    case '&':
      return x & y;
    case '|':
      return x | y;
    case '^':
      return x ^ y;
    case '<<':
      return x << y;
    default:
      return x >> y;
  }
}

/** Arrays and functions become pointers in arithmetic. */
function decayed(type: Type): Type {
  const bare = stripType(type);
  if (bare.kind === 'array') return pointerTo(bare.element);
  return bare.kind === 'function' ? pointerTo(bare) : bare;
}

/** Integer promotion (C17 6.3.1.1). */
function promoted(type: Type): Type {
  if (isFloat(type)) return type;
  if (type.kind === 'pointer') return builtin.unsignedLong;
  if (!isInteger(type)) throw exprErrors.notNumber(typeName(type));
  return sizeOf(type) < 4 ? builtin.int : type.kind === 'enum' ? (isSigned(type) ? builtin.int : builtin.unsignedInt) : type;
}

/** The usual arithmetic conversions (C17 6.3.1.8). */
function common(a: Type, b: Type): Type {
  const x = promoted(a);
  const y = promoted(b);
  if (isFloat(x) || isFloat(y)) return isFloat(x) && (!isFloat(y) || sizeOf(x) >= sizeOf(y)) ? x : y;
  if (sizeOf(x) !== sizeOf(y)) return sizeOf(x) > sizeOf(y) ? x : y;
  return isSigned(x) ? y : x;
}

function assignNode(scope: Scope, node: Extract<Node, { kind: 'assign' }>): Value {
  if (scope.lookOnly === true) throw exprErrors.lookOnly();
  const { target } = scope;
  const value = evaluateNode(scope, node.value);
  if (node.target.kind === 'register') {
    const old = registerValue(scope, node.target.name);
    const next = node.operator === '' ? value : arithmetic(target, node.operator, old, value);
    if (old.location.kind === 'register') return store(target, old, next, `$${node.target.name}`);
    const width = sizeOf(old.type) * 8;
    const accepted = target.machine.edit({
      kind: 'register',
      name: node.target.name.toLowerCase(),
      value: BigInt.asUintN(width, asInteger(target, next)),
    });
    if (!accepted) throw exprErrors.notAssignable(`$${node.target.name}`);
    return registerValue(scope, node.target.name);
  }
  const destination = evaluateNode(scope, node.target);
  return store(target, destination, node.operator === '' ? value : arithmetic(target, node.operator, destination, value), 'The left side');
}
