/** Types of mangled C++ names as they are put together, and how they are spelled around what they declare. */

/** A part of a name's meaning. A pack stands for several where an argument list has room for them. */
export type Node =
  | { readonly kind: 'name'; readonly text: string }
  | { readonly kind: 'pointer'; readonly mark: '*' | '&' | '&&'; readonly to: Node }
  | { readonly kind: 'qualified'; readonly qualifiers: string; readonly of: Node }
  | { readonly kind: 'function'; readonly returns: Node | undefined; readonly parameters: readonly Node[]; readonly suffix: string }
  | { readonly kind: 'array'; readonly size: string; readonly of: Node }
  | { readonly kind: 'member'; readonly of: string; readonly to: Node }
  | { readonly kind: 'pack'; readonly items: readonly Node[] };

export const named = (text: string): Node => ({ kind: 'name', text });

/** What is made of a pack is made of each of its parts. */
function each(node: Node, make: (one: Node) => Node): Node {
  return node.kind === 'pack' ? { kind: 'pack', items: node.items.map(make) } : make(node);
}

export const pointer = (mark: '*' | '&' | '&&', to: Node): Node =>
  each(to, (one) => {
    // References to references collapse.
    if (mark !== '*' && one.kind === 'pointer' && one.mark !== '*') return mark === '&' ? { ...one, mark: '&' } : one;
    return { kind: 'pointer', mark, to: one };
  });

export const qualified = (qualifiers: string, of: Node): Node =>
  each(of, (one) => {
    if (one.kind === 'function') return { ...one, suffix: qualifiers + one.suffix };
    if (one.kind === 'array') return { ...one, of: qualified(qualifiers, one.of) };
    if (one.kind === 'qualified' && one.qualifiers.includes(qualifiers)) return one;
    return { kind: 'qualified', qualifiers, of: one };
  });

/** A type around the declarator `inner`, as in `int (*)(char)` around `*`. */
export function spell(node: Node, inner = ''): string {
  switch (node.kind) {
    case 'name':
      return node.text + inner;
    case 'pointer':
      return spell(node.to, node.mark + inner);
    case 'qualified':
      return spell(node.of, node.qualifiers + inner);
    case 'function': {
      const declared = `${inner === '' ? '' : `(${inner.trimStart()})`}(${spellList(node.parameters)})${node.suffix}`;
      return node.returns === undefined ? declared : spell(node.returns, ` ${declared}`);
    }
    case 'array':
      // Further dimensions follow the first.
      if (inner.endsWith(']')) return spell(node.of, `${inner}[${node.size}]`);
      return spell(node.of, `${inner === '' ? '' : ` (${inner.trimStart()})`} [${node.size}]`);
    case 'member':
      return spell(node.to, `${node.to.kind === 'function' ? '' : ' '}${node.of}::*${inner}`);
    case 'pack':
      return spellList(node.items);
  }
}

export function spellList(nodes: readonly Node[]): string {
  return nodes
    .flatMap((node) => (node.kind === 'pack' ? node.items : [node]))
    .map((node) => spell(node))
    .filter((text) => text !== '')
    .join(', ');
}

/** Template arguments in their brackets; `>>` is kept apart. */
export function spellArguments(nodes: readonly Node[]): string {
  const list = spellList(nodes);
  const last = nodes.at(-1);
  // binutils does not see what comes before a pack that is empty.
  return `<${list}${list.endsWith('>') && !(last?.kind === 'pack' && spell(last) === '') ? ' ' : ''}>`;
}

/** A name as far as it has been read. */
export interface Name {
  readonly text: string;
  /** What a constructor of it is called. */
  readonly last: string;
  /** It ends in template arguments: its function has its return type mangled, unless it is a constructor, destructor or conversion. */
  readonly isTemplate: boolean;
  readonly returnsItself: boolean;
  /** Qualifiers of the member function. */
  readonly suffix: string;
}

export const plain = (text: string, last = text): Name => ({ text, last, isTemplate: false, returnsItself: false, suffix: '' });

/** What a constructor of the class is called: its last name without template arguments. */
export function lastOf(name: string): string {
  let depth = 0;
  let end = name.length;
  for (let i = name.length - 1; i >= 0; i--) {
    const c = name[i]!;
    if (c === '>') {
      if (depth++ === 0) end = i + 1;
    } else if (c === '<') {
      if (--depth === 0) end = i;
    } else if (c === ':' && depth === 0) return name.slice(i + 1, end);
  }
  return name.slice(0, end);
}
