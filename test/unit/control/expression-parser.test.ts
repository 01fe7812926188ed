/** The expression parser: precedence, casts, suffixes, and errors at their columns. */
import assert from 'node:assert/strict';
import { type Node, parse } from '../../../debug-adapter/control/expr/parser';

const types = new Set(['size_t', 'u64']);

/** A tree as text with all its brackets. */
function show(node: Node): string {
  switch (node.kind) {
    case 'integer':
    case 'float':
    case 'character':
      return String(node.value);
    case 'string':
      return JSON.stringify(node.value);
    case 'name':
      return node.name;
    case 'register':
      return `$${node.name}`;
    case 'unary':
      return `(${node.operator}${show(node.operand)})`;
    case 'binary':
      return `(${show(node.left)} ${node.operator} ${show(node.right)})`;
    case 'conditional':
      return `(${show(node.condition)} ? ${show(node.yes)} : ${show(node.no)})`;
    case 'assign':
      return `(${show(node.target)} ${node.operator}= ${show(node.value)})`;
    case 'cast':
      return `(<${node.type.base}${'*'.repeat(node.type.pointers)}${node.type.arrays.map((n) => `[${n}]`).join('')}>${show(node.operand)})`;
    case 'sizeofType':
      return `sizeof<${node.type.base}${'*'.repeat(node.type.pointers)}>`;
    case 'sizeof':
      return `sizeof(${show(node.operand)})`;
    case 'member':
      return `${show(node.object)}${node.arrow ? '->' : '.'}${node.member}`;
    case 'index':
      return `${show(node.object)}[${show(node.index)}]`;
    case 'call':
      return `${show(node.callee)}()`;
  }
}

const tree = (text: string): string => show(parse(text, (name) => types.has(name)).node);

describe('expressions', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['1 + 2 * 3', '(1 + (2 * 3))'],
    ['a - b - c', '((a - b) - c)'],
    ['a = b = c', '(a = (b = c))'],
    ['a += 1', '(a += 1)'],
    ['!x && y || z', '(((!x) && y) || z)'],
    ['a & 0xff == 0', '(a & (255 == 0))'],
    ['c ? a : d ? b : e', '(c ? a : (d ? b : e))'],
    ['*p->next[2].name', '(*p->next[2].name)'],
    ['(size_t) x + 1', '((<size_t>x) + 1)'],
    ['(x) + 1', '(x + 1)'],
    ['(unsigned long *) $rsp', '(<unsigned long*>$rsp)'],
    ['*(struct uk_thread *)0x1000', '(*(<struct uk_thread*>4096))'],
    ['(const char *) s', '(<char*>s)'],
    ['(u64[4]) buffer', '(<u64[4]>buffer)'],
    ['sizeof(struct lcpu)', 'sizeof<struct lcpu>'],
    ['sizeof x', 'sizeof(x)'],
    ["'\\n' + '\\x41'", '(10 + 65)'],
    ['"a\\tb"', '"a\\tb"'],
    ['010 + 0b11', '(8 + 3)'],
    ['1.5e3', '1500'],
    ['core::fmt::N', 'core::fmt::N'],
    ['-~x', '(-(~x))'],
  ];
  for (const [text, expected] of cases) it(`reads ${text}`, () => assert.equal(tree(text), expected));

  it('splits the format off', () => {
    assert.deepEqual(
      [parse('x,x', () => false).format, parse('p, [8]', () => false).elements, parse('p,8', () => false).elements],
      ['x', 8, 8],
    );
  });

  const wrong: readonly (readonly [string, RegExp])[] = [
    ['1 +', /Expected a value at column 4/],
    ['(1', /Expected "\)" at column 3/],
    ['a b', /Expected the end of the expression at column 3/],
    ['x,q', /"q" is not a format/],
    ['a # b', /"#" at column 3/],
    ['"open', /never closed/],
    ["'ab'", /must hold one character/],
    ['p->', /Expected a member/],
    ['', /Expected a value at column 1/],
    [`${'('.repeat(5000)}1`, /nested too deeply/],
  ];
  for (const [text, message] of wrong) it(`refuses ${text.slice(0, 20)}`, () => assert.throws(() => tree(text), message));
});
