/** Makes rows of the Variables view from typed values: a line of text, and children read when they are opened. */
import { type EnumType, stripType, type StructType, type Type, typeName } from '../../symbols/api';
import { CodedError } from '../channel';
import { type Target } from '../target';
import { type Formatting, type ValueNode } from '../value-node';
import { type Contents, contentsOf } from './containers';
import { dereference, evaluateNode, type Scope, store } from './evaluate';
import { type GoContents, goContentsOf } from './go-values';
import { completed, fieldsOf, heldVariant, isReference, memberValue } from './members';
import { isTypeName } from './names';
import { parse } from './parser';
import { isFloat, isInteger } from './types';
import { addressOf, asInteger, asNumber, inMemory, part, readBytes, sizeOf, toInteger, type Value } from './value';

/** How a row is to be shown beyond the view's own hex setting. */
export interface RowOptions extends Formatting {
  /** Format letter of an expression: x, d, u, o, b, c, s, a. */
  readonly letter?: string;
  /** Containers are shown as they are laid out. */
  readonly raw?: boolean;
}

const longestString = 200;
const previewMembers = 4;
/** Rows of one answer, for clients that do not page; elements that a 32-bit count can tell. */
const mostRows = 10_000;
const mostElements = 2 ** 31 - 1;
const charEncodings: readonly string[] = ['signed-char', 'unsigned-char'];

/** The row of a value. `expression` gives it again when evaluated in the same frame. */
export function rowOf(scope: Scope, name: string, value: Value, expression: string | undefined, options: RowOptions): ValueNode {
  const { target } = scope;
  if (isReference(value.type)) return referenceRow(scope, name, value, expression, options);
  const row: ValueNode = {
    name,
    text: textOf(target, value, options, 0),
    type: typeName(value.type),
    ...(expression === undefined ? {} : { evaluateName: expression }),
    ...(memoryOf(value) === undefined ? {} : { memory: memoryOf(value)! }),
    ...codeOf(target, value),
    ...childrenOf(scope, value, expression, options),
  };
  return isAssignable(value) ? { ...row, assign: (text) => assignText(scope, name, value, expression, options, text) } : row;
}

/** A reference is shown as what it refers to, under its own type. */
function referenceRow(scope: Scope, name: string, value: Value, expression: string | undefined, options: RowOptions): ValueNode {
  const { target } = scope;
  const type = typeName(value.type);
  try {
    return { ...rowOf(scope, name, dereference(target, value), expression, options), type };
  } catch (error) {
    if (error instanceof CodedError) return { name, text: textOf(target, value, options, 0), type };
    throw error;
  }
}

/** The source of the code that a function or a pointer to one stands for. */
function codeOf(target: Target, value: Value): Pick<ValueNode, 'pointsTo'> {
  const type = stripType(value.type);
  const isCode = type.kind === 'function' || (type.kind === 'pointer' && stripType(type.target).kind === 'function');
  if (!isCode) return {};
  const address = type.kind === 'function' ? memoryOf(value) : safeInteger(target, value);
  const pointsTo = address === undefined || address === 0n ? undefined : target.location(address);
  return pointsTo === undefined ? {} : { pointsTo };
}

/** One line for a value; what cannot be read is said in angle brackets. */
export function textOf(target: Target, value: Value, options: RowOptions, depth: number): string {
  try {
    return describe(target, value, options, depth);
  } catch (error) {
    if (error instanceof CodedError) return `<${error.message.replace(/\.$/, '')}>`;
    throw error;
  }
}

function describe(target: Target, value: Value, options: RowOptions, depth: number): string {
  const go = options.raw === true ? undefined : goContentsOf(target, value);
  if (go !== undefined) return goText(target, go, options, depth);
  const type = completed(target, value.type);
  switch (type.kind) {
    case 'base':
    case 'subrange':
      return scalarText(target, value, type, options);
    case 'enum':
      return enumText(type, asInteger(target, value), options);
    case 'pointer':
      if (type.reference !== 'none') return textOf(target, dereference(target, value), options, depth);
      return pointerText(target, value, type.target, options);
    case 'pointer-to-member':
      return memberPointerText(target, value, type.target);
    case 'unspecified':
      return type.name === 'decltype(nullptr)' ? 'nullptr' : `<${typeName(value.type)}>`;
    case 'function':
      return `{${typeName(value.type)}} 0x${addressOf(value).toString(16)} <${target.describe(addressOf(value))}>`;
    case 'array':
      return arrayText(target, value, type, options, depth);
    case 'struct':
    case 'class':
    case 'union':
      return depth > 1 ? '{…}' : structText(target, value, type, options, depth);
    default:
      return `<${typeName(value.type)}>`;
  }
}

function scalarText(target: Target, value: Value, type: Type, options: RowOptions): string {
  // Rust's unit.
  if (type.byteSize === 0) return '()';
  if (type.kind === 'base' && type.encoding === 'complex') return complexText(target, value, type);
  if (isFloat(type) && options.letter !== 'x') return floatText(asNumber(target, value));
  const integer = asInteger(target, value);
  const bits = value.bits?.size ?? sizeOf(type) * 8;
  const unsigned = BigInt.asUintN(bits, integer);
  switch (options.letter) {
    case 'x':
      return `0x${unsigned.toString(16)}`;
    case 'o':
      return `0${unsigned.toString(8)}`;
    case 'b':
      return `0b${unsigned.toString(2)}`;
    case 'u':
      return String(unsigned);
    case 'd':
      return String(BigInt.asIntN(bits, integer));
    case 'c':
      return `${String(integer)} ${characterText(integer)}`;
    case 'a':
      return `0x${unsigned.toString(16)} <${target.describe(unsigned)}>`;
    default:
      break;
  }
  if (type.kind === 'base' && type.encoding === 'boolean') return integer === 0n ? 'false' : 'true';
  const text = options.hex ? `0x${unsigned.toString(16)}` : String(integer);
  return type.kind === 'base' && charEncodings.includes(type.encoding) && type.byteSize === 1 ? `${text} ${characterText(integer)}` : text;
}

/** The real part, then the imaginary one. */
function complexText(target: Target, value: Value, type: Extract<Type, { kind: 'base' }>): string {
  const half: Type = { ...type, encoding: 'float', byteSize: sizeOf(type) / 2 };
  const [real, imaginary] = [0, 1].map((index) => asNumber(target, part(value, half, index * (sizeOf(type) / 2))));
  const isNegative = imaginary! < 0 || Object.is(imaginary, -0);
  return `${floatText(real!)} ${isNegative ? '-' : '+'} ${floatText(Math.abs(imaginary!))}i`;
}

function floatText(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 1e21 ? value.toFixed(1).replace(/\.0$/, '') : String(value);
}

const characterText = (value: bigint): string => {
  const code = Number(BigInt.asUintN(8, value));
  const named: Readonly<Record<number, string>> = { 0: '\\0', 9: '\\t', 10: '\\n', 13: '\\r', 27: '\\e', 39: "\\'", 92: '\\\\' };
  return `'${named[code] ?? (code >= 32 && code < 127 ? String.fromCharCode(code) : `\\x${code.toString(16).padStart(2, '0')}`)}'`;
};

/** An enumerator's name, or the flags that make up the value. */
function enumText(type: EnumType, value: bigint, options: RowOptions): string {
  const number = options.hex || options.letter === 'x' ? `0x${BigInt.asUintN(64, value).toString(16)}` : String(value);
  const exact = type.enumerators.find((each) => each.value === value);
  if (exact !== undefined) return `${exact.name} (${number})`;
  const flags = type.enumerators.filter(
    (each) => each.value !== 0n && (each.value & (each.value - 1n)) === 0n && (value & each.value) === each.value,
  );
  const rest = flags.reduce((left, each) => left & ~each.value, value);
  return flags.length > 0 && rest === 0n ? `${flags.map((each) => each.name).join(' | ')} (${number})` : number;
}

function pointerText(target: Target, value: Value, pointee: Type, options: RowOptions): string {
  if (value.location.kind === 'implicit-pointer') return '<synthetic pointer>';
  const address = asInteger(target, value);
  const text = `0x${address.toString(16)}`;
  if (address === 0n) return text;
  const bare = stripType(pointee);
  if (options.letter === 's' || (bare.kind === 'base' && charEncodings.includes(bare.encoding) && bare.byteSize === 1)) {
    const string = stringAt(target, address);
    return string === undefined ? `${text} <not mapped>` : `${text} ${string}`;
  }
  if (bare.kind === 'function' || options.letter === 'a') return `${text} <${target.describe(address)}>`;
  const symbol = target.symbolsAt(address)?.symbolAt(address);
  return symbol?.kind === 'data' ? `${text} <${target.describe(address)}>` : text;
}

function arrayText(target: Target, value: Value, type: Extract<Type, { kind: 'array' }>, options: RowOptions, depth: number): string {
  const bare = stripType(type.element);
  const count = type.dimensions[0]?.count;
  if (type.dimensions.length === 1 && bare.kind === 'base' && charEncodings.includes(bare.encoding)) {
    const bytes = readBytes(target, value, Number(count !== undefined && count < BigInt(longestString) ? count : BigInt(longestString)));
    return quote(bytes, count === undefined || count > BigInt(longestString));
  }
  if (depth > 0 || count === undefined) return `[${count ?? ''}]`;
  const shown = indexed({ target }, value, 0, Math.min(Number(count), previewMembers)).map((element) =>
    textOf(target, element, options, depth + 1),
  );
  return `[${count}] {${[...shown, ...(count > BigInt(previewMembers) ? ['…'] : [])].join(', ')}}`;
}

function structText(target: Target, value: Value, type: StructType, options: RowOptions, depth: number): string {
  const contents = contentsOf(target, value);
  if (contents !== undefined) return contentsText(target, contents, options, depth);
  const variant = heldVariant(target, value, type);
  if (variant !== undefined) {
    const held = memberValue(target, value, variant);
    const inner = completed(target, held.type);
    const isEmpty = (inner.kind === 'struct' || inner.kind === 'class') && inner.members.length === 0;
    return isEmpty ? variant.name : `${variant.name} ${textOf(target, held, options, depth)}`;
  }
  const shown = type.members
    .slice(0, previewMembers)
    .map(
      (member) => `${member.name === '' ? '{…}' : member.name} = ${textOf(target, memberValue(target, value, member), options, depth + 1)}`,
    );
  return `{${[...shown, ...(type.members.length > previewMembers ? ['…'] : [])].join(', ')}}`;
}

function contentsText(target: Target, contents: Contents, options: RowOptions, depth: number): string {
  if (contents.kind === 'text') return quote(contents.bytes, contents.cut, contents.bytes.length);
  const shown = depth > 0 ? [] : elementsOf(contents, 0, previewMembers).map((element) => textOf(target, element, options, depth + 1));
  return `[${contents.count}]${depth > 0 ? '' : ` {${[...shown, ...(contents.count > previewMembers ? ['…'] : [])].join(', ')}}`}`;
}

/** `nil`, `[2] {"one": 1, "two": 2}`, `[1 of 4] {7}`, `main.Square {side = 2}`, `0x1234 <main.main.func1>`. */
function goText(target: Target, contents: GoContents, options: RowOptions, depth: number): string {
  const braces = (texts: readonly string[], count: number): string =>
    depth > 0 ? '' : ` {${[...texts, ...(count > previewMembers ? ['…'] : [])].join(', ')}}`;
  const text = (value: Value): string => textOf(target, value, options, depth + 1);
  const shown = depth > 0 ? 0 : previewMembers;
  switch (contents.kind) {
    case 'nil':
      return 'nil';
    case 'map': {
      const entries = contents.entries(0, shown).map(({ key, value }) => `${text(key)}: ${text(value)}`);
      return `[${contents.count}]${braces(entries, contents.count)}`;
    }
    case 'channel': {
      const state = `[${contents.count} of ${contents.capacity}${contents.closed ? ', closed' : ''}]`;
      return `${state}${braces(contents.elements(0, shown).map(text), contents.count)}`;
    }
    case 'interface':
      return `${typeName(contents.dynamic.type)} ${textOf(target, contents.dynamic, options, depth)}`;
    case 'function':
      return `0x${contents.code.toString(16)} <${target.describe(contents.code)}>`;
  }
}

function goChildren(
  scope: Scope,
  contents: GoContents,
  value: Value,
  expression: string | undefined,
  options: RowOptions,
): Pick<ValueNode, 'children' | 'indexed' | 'named'> {
  const row = (name: string, part: Value): ValueNode => rowOf(scope, name, part, undefined, options);
  switch (contents.kind) {
    case 'map': {
      const name = (key: Value): string => `[${textOf(scope.target, key, options, 1)}]`;
      const rows = (start: number, wanted: number): ValueNode[] =>
        contents.entries(start, Math.min(wanted, mostRows)).map((entry) => row(name(entry.key), entry.value));
      return pagedChildren(scope, contents.count, rows, value, expression, options);
    }
    case 'channel': {
      const rows = (start: number, wanted: number): ValueNode[] =>
        contents.elements(start, Math.min(wanted, mostRows)).map((element, offset) => row(`[${start + offset}]`, element));
      return pagedChildren(scope, contents.count, rows, value, expression, options);
    }
    case 'interface':
      return { named: 2, children: () => [row('data', contents.dynamic), asKept(scope, value, expression, options)] };
    default:
      return {};
  }
}

/** Elements of a list, as many as there are of those wanted. */
function elementsOf({ address, element, count }: Extract<Contents, { kind: 'list' }>, start: number, wanted: number): Value[] {
  const size = sizeOf(element);
  const present = Math.max(0, Math.min(wanted, mostRows, count - start));
  return Array.from({ length: present }, (_, offset) => inMemory(element, address + BigInt((start + offset) * size)));
}

/** To data: the offset within an object; to a function: its address, or 1 more than the offset in the table of virtual functions (Itanium C++ ABI, 2.3). */
function memberPointerText(target: Target, value: Value, pointee: Type): string {
  const pointer = toInteger(readBytes(target, value).subarray(0, 8));
  if (stripType(pointee).kind !== 'function') return String(BigInt.asIntN(64, pointer));
  return (pointer & 1n) === 1n ? `virtual, at offset ${pointer - 1n}` : `0x${pointer.toString(16)} <${target.describe(pointer)}>`;
}

function stringAt(target: Target, address: bigint): string | undefined {
  const bytes = target.machine.cpu.readMemory(address, longestString);
  return bytes.length === 0 ? undefined : quote(bytes, true);
}

/** Bytes up to the first zero as a C string, or up to `end`; `cut` tells that more may follow. */
function quote(bytes: Uint8Array, cut: boolean, end = bytes.indexOf(0)): string {
  const content = end < 0 ? bytes : bytes.subarray(0, end);
  const text = new TextDecoder()
    .decode(content)
    .replace(/[\\"\n\r\t]/g, (character) => ({ '\\': '\\\\', '"': '\\"', '\n': '\\n', '\r': '\\r', '\t': '\\t' })[character] ?? character);

  const isWhole = end >= 0 && end < bytes.length;
  return `"${text.replace(/[\x00-\x1f\x7f]/g, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`)}"${!isWhole && cut ? '…' : ''}`;
}

function memoryOf(value: Value): bigint | undefined {
  return value.location.kind === 'memory' && value.bits === undefined ? value.location.address : undefined;
}

function isAssignable(value: Value): boolean {
  const type = stripType(value.type);
  const scalar = isInteger(type) || isFloat(type) || type.kind === 'pointer';
  return scalar && (value.location.kind === 'memory' || (value.location.kind === 'register' && value.frame !== undefined));
}

function assignText(
  scope: Scope,
  name: string,
  value: Value,
  expression: string | undefined,
  options: RowOptions,
  text: string,
): ValueNode {
  const parsed = parse(text, (word) => isTypeName(scope, word));
  store(scope.target, value, evaluateNode(scope, parsed.node), name);
  return rowOf(scope, name, value, expression, options);
}

/** Elements `start` to `start + count` of an array or behind a pointer. */
function indexed({ target }: Pick<Scope, 'target'>, value: Value, start: number, count: number): Value[] {
  const type = stripType(value.type);
  if (type.kind !== 'array') return [];
  const inner = type.dimensions.slice(1);
  const innerCount = inner.reduce((product, { count: each }) => product * (each ?? 0n), 1n);
  const size = sizeOf(completed(target, type.element)) * Number(innerCount);
  const element: Type = inner.length === 0 ? type.element : { ...type, dimensions: inner, byteSize: size };
  return Array.from({ length: count }, (_, offset) => part(value, element, (start + offset) * size));
}

function childrenOf(
  scope: Scope,
  value: Value,
  expression: string | undefined,
  options: RowOptions,
): Pick<ValueNode, 'children' | 'indexed' | 'named'> {
  const { target } = scope;
  const go = options.raw === true ? undefined : goContentsOf(target, value);
  if (go !== undefined) return goChildren(scope, go, value, expression, options);
  const type = completed(target, value.type);
  const path = (suffix: string): string | undefined => (expression === undefined ? undefined : `${parenthesised(expression)}${suffix}`);
  switch (type.kind) {
    case 'struct':
    case 'class':
    case 'union': {
      const contents = contentsOf(target, value);
      if (contents?.kind === 'list' && options.raw !== true) return listChildren(scope, contents, value, expression, options);
      return {
        // A tag that cannot be read is told by the row itself.
        named: type.bases.length + type.members.length + (type.variantPart === undefined ? 0 : 1),
        children: () =>
          fieldsOf(target, value, type).map(({ name, nested, member }) => {
            const label = name === '' ? `<anonymous ${stripType(member.type).kind}>` : name;
            const inner = nested ? (name === '' ? expression : undefined) : path(`.${name}`);
            return partRow(scope, label, () => memberValue(target, value, member), member.type, inner, options);
          }),
      };
    }
    case 'array': {
      const count = Math.min(Number(type.dimensions[0]?.count ?? 0n), mostElements);
      const lower = Number(type.dimensions[0]?.lower ?? 0n);
      if (count === 0) return {};
      return {
        indexed: count,
        children: (start = 0, wanted = mostRows) =>
          indexed(scope, value, start, Math.max(0, Math.min(wanted, mostRows, count - start))).map((element, offset) =>
            rowOf(scope, `[${lower + start + offset}]`, element, path(`[${lower + start + offset}]`), options),
          ),
      };
    }
    case 'pointer': {
      const bare = completed(target, type.target);
      if (bare.kind === 'function' || bare.kind === 'void' || bare.kind === 'unknown') return {};
      if (value.location.kind !== 'implicit-pointer' && safeInteger(target, value) === 0n) return {};
      const pointee = (): Value => dereference(target, value);
      // A pointer to a struct opens straight to the members.
      if (bare.kind === 'struct' || bare.kind === 'class' || bare.kind === 'union') {
        return {
          named: bare.members.length + bare.bases.length,
          children: () =>
            childrenOf(scope, pointee(), expression === undefined ? undefined : `*${parenthesised(expression)}`, options).children?.() ??
            [],
        };
      }
      const inner = expression === undefined ? undefined : `*${parenthesised(expression)}`;
      return { named: 1, children: () => [rowOf(scope, inner ?? '*', pointee(), inner, options)] };
    }
    default:
      return {};
  }
}

/** The elements of a list of some library, and how that library keeps them. */
function listChildren(
  scope: Scope,
  contents: Extract<Contents, { kind: 'list' }>,
  value: Value,
  expression: string | undefined,
  options: RowOptions,
): Pick<ValueNode, 'children' | 'indexed' | 'named'> {
  const rows = (start: number, wanted: number): ValueNode[] =>
    elementsOf(contents, start, wanted).map((element, offset) => {
      const name = `[${start + offset}]`;
      return rowOf(scope, name, element, expression === undefined ? undefined : parenthesised(expression) + name, options);
    });
  return pagedChildren(scope, contents.count, rows, value, expression, options);
}

/** Rows of elements that are read as they are wanted, and behind them how they are kept. */
function pagedChildren(
  scope: Scope,
  count: number,
  rows: (start: number, wanted: number) => ValueNode[],
  value: Value,
  expression: string | undefined,
  options: RowOptions,
): Pick<ValueNode, 'children' | 'indexed' | 'named'> {
  return {
    indexed: count,
    named: 1,
    children: (start, wanted) => {
      const elements = rows(start ?? 0, wanted ?? mostRows);
      return start === undefined ? [...elements, asKept(scope, value, expression, options)] : elements;
    },
  };
}

function asKept(scope: Scope, value: Value, expression: string | undefined, options: RowOptions): ValueNode {
  return { ...rowOf(scope, '<as it is kept>', value, expression, { ...options, raw: true }), text: '' };
}

/** A part's row; where its place cannot be computed, the row says why. */
function partRow(
  scope: Scope,
  name: string,
  value: () => Value,
  type: Type,
  expression: string | undefined,
  options: RowOptions,
): ValueNode {
  try {
    return rowOf(scope, name, value(), expression, options);
  } catch (error) {
    if (error instanceof CodedError) return { name, text: `<${error.message.replace(/\.$/, '')}>`, type: typeName(type) };
    throw error;
  }
}

function safeInteger(target: Target, value: Value): bigint {
  try {
    return asInteger(target, value);
  } catch (error) {
    if (error instanceof CodedError) return 0n;
    throw error;
  }
}

const parenthesised = (expression: string): string =>
  /^[\w$.[\]>-]+$/.test(expression) && !expression.startsWith('-') ? expression : `(${expression})`;
