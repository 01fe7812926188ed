/** Spells types as their language declares them. */
import { type QualifiedType, type Type } from './api';

const MAX_DEPTH = 48;

/** The type without typedefs and qualifiers on top. */
export function stripType(type: Type): Type {
  let bare = type;
  for (let depth = 0; depth < MAX_DEPTH && (bare.kind === 'typedef' || bare.kind === 'qualified'); depth++) bare = bare.target;
  return bare;
}

/** `const struct uk_thread *`, `char [16]`, `int (*)(void *, unsigned long)`; for C++, Rust and Go qualified names. */
export function typeName(type: Type): string {
  return declare(type, '', 0);
}

/** C's declarator syntax grows around the name: pointers to the left, arrays and parameters to the right. */
function declare(type: Type, inner: string, depth: number): string {
  if (depth > MAX_DEPTH) return join('…', inner);
  switch (type.kind) {
    case 'pointer': {
      // Rust and Go name their pointer types themselves.
      if (type.name !== undefined && type.language !== 'c' && type.language !== 'c++') return join(type.name, inner);
      const mark = type.reference === 'none' ? '*' : type.reference === 'lvalue' ? '&' : '&&';
      const needsParentheses = type.target.kind === 'array' || type.target.kind === 'function';
      return declare(type.target, needsParentheses ? `(${mark}${inner})` : `${mark}${inner}`, depth + 1);
    }
    case 'array': {
      const extent = type.vector
        ? ` __attribute__((vector_size(${type.byteSize ?? '?'})))`
        : type.dimensions.map(({ count }) => `[${count ?? ''}]`).join('') || '[]';
      return declare(type.element, inner === '' ? extent.replace(/^\[/, ' [').trimStart() : `${inner}${extent}`, depth + 1);
    }
    case 'function': {
      const parameters = type.parameters.map((parameter) => declare(parameter, '', depth + 1));
      if (type.variadic) parameters.push('...');
      return declare(type.returns, `${inner}(${parameters.join(', ') || 'void'})`, depth + 1);
    }
    case 'qualified': {
      const { words, target } = qualifiers(type);
      // On a pointer the qualifiers stand right of the star.
      if (target.kind === 'pointer') return declare(target, join(words, inner), depth + 1);
      return `${words} ${declare(target, inner, depth + 1)}`;
    }
    case 'pointer-to-member':
      return declare(type.target, `(${declare(type.container, '', depth + 1)}::*${inner})`, depth + 1);
    case 'struct':
    case 'class':
    case 'union': {
      const name = type.qualifiedName ?? type.name ?? '{…}';
      return join(type.language === 'c' || type.name === undefined ? `${type.kind} ${name}` : name, inner);
    }
    case 'enum':
      return join(
        type.language === 'c' || type.name === undefined ? `enum ${type.name ?? '{…}'}` : (type.qualifiedName ?? type.name),
        inner,
      );
    case 'base':
    case 'typedef':
    case 'subrange':
    case 'void':
    case 'unspecified':
    case 'unknown':
      return join(type.name ?? `<${type.kind}>`, inner);
  }
}

const ORDER = ['const', 'volatile', 'restrict', 'atomic', 'immutable', 'shared', 'packed'] as const;

/** Neighbouring qualifiers mean the same in any order; they are written in the usual one. */
function qualifiers(type: QualifiedType): { words: string; target: Type } {
  const found = new Set<string>();
  let target: Type = type;
  for (let depth = 0; depth < MAX_DEPTH && target.kind === 'qualified'; depth++) {
    found.add(target.qualifier);
    target = target.target;
  }
  const words = ORDER.filter((word) => found.has(word)).map((word) => (word === 'atomic' ? '_Atomic' : word));
  return { words: words.join(' '), target };
}

function join(left: string, right: string): string {
  if (right === '') return left;
  return /^[*&(\w[]/.test(right) ? `${left} ${right}` : left + right;
}
