/** Types that expressions need beside the program's own: C's arithmetic types, pointers and arrays made on the way. */
import { type ArrayType, type BaseType, type EnumType, type PointerType, type Type } from '../../symbols/api';

/** Ids below any DIE's, so that made types are never taken for the file's. */
const madeType = -2;

const base = (name: string, byteSize: number, encoding: BaseType['encoding']): BaseType => ({
  kind: 'base',
  id: madeType,
  name,
  byteSize,
  encoding,
  bigEndian: false,
  language: 'c',
});

export const builtin = {
  int: base('int', 4, 'signed'),
  unsignedInt: base('unsigned int', 4, 'unsigned'),
  long: base('long', 8, 'signed'),
  unsignedLong: base('unsigned long', 8, 'unsigned'),
  char: base('char', 1, 'signed-char'),
  float: base('float', 4, 'float'),
  double: base('double', 8, 'float'),
  bool: base('_Bool', 1, 'boolean'),
} as const;

const named: ReadonlyMap<string, BaseType> = new Map(
  [
    ...Object.values(builtin),
    base('signed char', 1, 'signed-char'),
    base('unsigned char', 1, 'unsigned-char'),
    base('short', 2, 'signed'),
    base('unsigned short', 2, 'unsigned'),
    base('__int128', 16, 'signed'),
    base('unsigned __int128', 16, 'unsigned'),
    base('long double', 16, 'float'),
    base('bool', 1, 'boolean'),
    ...[8, 16, 32, 64].flatMap((bits) => [
      ...[`int${bits}_t`, `s${bits}`, `__s${bits}`, `i${bits}`].map((name) => base(name, bits / 8, 'signed')),
      ...[`uint${bits}_t`, `u${bits}`, `__u${bits}`].map((name) => base(name, bits / 8, 'unsigned')),
    ]),
    ...['size_t', 'uintptr_t', '__uptr', '__sz'].map((name) => base(name, 8, 'unsigned')),
    ...['ssize_t', 'intptr_t', 'ptrdiff_t'].map((name) => base(name, 8, 'signed')),
  ].map((type) => [type.name ?? '', type]),
);

export const voidType: Type = { kind: 'void', id: -1, language: 'c' };

/** C lets the words of an arithmetic type stand in any order. */
const canonicalWords: readonly (readonly [pattern: string, name: string])[] = [
  ['char', 'char'],
  ['char signed', 'signed char'],
  ['char unsigned', 'unsigned char'],
  ['int', 'int'],
  ['signed', 'int'],
  ['int signed', 'int'],
  ['unsigned', 'unsigned int'],
  ['int unsigned', 'unsigned int'],
  ['short', 'short'],
  ['int short', 'short'],
  ['short unsigned', 'unsigned short'],
  ['int short unsigned', 'unsigned short'],
  ['long', 'long'],
  ['int long', 'long'],
  ['long long', 'long'],
  ['int long long', 'long'],
  ['long signed', 'long'],
  ['long unsigned', 'unsigned long'],
  ['int long unsigned', 'unsigned long'],
  ['long long unsigned', 'unsigned long'],
  ['int long long unsigned', 'unsigned long'],
  ['double', 'double'],
  ['double long', 'long double'],
  ['float', 'float'],
];

/** An arithmetic type or a well-known typedef that the program itself need not have. */
export function builtinType(name: string): Type | undefined {
  if (name === 'void') return voidType;
  const words = name.split(' ').sort().join(' ');
  return named.get(canonicalWords.find(([pattern]) => pattern === words)?.[1] ?? name);
}

export const pointerTo = (target: Type): PointerType => ({
  kind: 'pointer',
  id: madeType,
  byteSize: 8,
  reference: 'none',
  target,
  language: 'c',
});

export function arrayOf(element: Type, count: bigint): ArrayType {
  const size = element.byteSize;
  return {
    kind: 'array',
    id: madeType,
    element,
    dimensions: [{ lower: 0n, count }],
    vector: false,
    language: 'c',
    ...(size === undefined ? {} : { byteSize: size * Number(count) }),
  };
}

/** The unsigned integer type of so many bytes. */
export const unsignedOf = (bytes: number): BaseType =>
  base(
    bytes === 8
      ? 'unsigned long'
      : bytes === 4
        ? 'unsigned int'
        : bytes === 2
          ? 'unsigned short'
          : bytes === 1
            ? 'unsigned char'
            : 'unsigned __int128',
    bytes,
    'unsigned',
  );

export const isInteger = (type: Type): boolean =>
  (type.kind === 'base' && type.encoding !== 'float' && type.encoding !== 'complex') || type.kind === 'enum' || type.kind === 'subrange';
export const isFloat = (type: Type): boolean => type.kind === 'base' && type.encoding === 'float';
export const isSigned = (type: Type): boolean =>
  type.kind === 'base' ? type.encoding === 'signed' || type.encoding === 'signed-char' : type.kind === 'enum' && isSignedEnum(type);

const isSignedEnum = (type: EnumType): boolean => type.signed || type.enumerators.some(({ value }) => value < 0n);
