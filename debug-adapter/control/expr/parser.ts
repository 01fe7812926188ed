/** C expressions to trees, by precedence climbing; the format suffix after the last comma is split off. */
import { exprErrors } from './errors';
import { type Token, tokenize } from './lexer';

/** A type as written: specifiers, then pointers and array bounds from the inside out. */
export interface TypeName {
  /** `unsigned long`, `struct uk_thread`, `size_t`; qualifiers dropped. */
  readonly base: string;
  readonly pointers: number;
  readonly arrays: readonly bigint[];
}

export type Node =
  | { readonly kind: 'integer'; readonly value: bigint; readonly suffix: string; readonly decimal: boolean }
  | { readonly kind: 'float'; readonly value: number; readonly single: boolean }
  | { readonly kind: 'character'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'register'; readonly name: string }
  | { readonly kind: 'unary'; readonly operator: '+' | '-' | '!' | '~' | '*' | '&'; readonly operand: Node }
  | { readonly kind: 'binary'; readonly operator: string; readonly left: Node; readonly right: Node }
  | { readonly kind: 'conditional'; readonly condition: Node; readonly yes: Node; readonly no: Node }
  | { readonly kind: 'assign'; readonly target: Node; readonly operator: string; readonly value: Node }
  | { readonly kind: 'cast'; readonly type: TypeName; readonly operand: Node }
  | { readonly kind: 'sizeofType'; readonly type: TypeName }
  | { readonly kind: 'sizeof'; readonly operand: Node }
  | { readonly kind: 'member'; readonly object: Node; readonly member: string; readonly arrow: boolean }
  | { readonly kind: 'index'; readonly object: Node; readonly index: Node }
  | { readonly kind: 'call'; readonly callee: Node };

/** A parsed expression with how to show its value. */
export interface Parsed {
  readonly node: Node;
  readonly format: string | undefined;
  /** Show so many elements from a pointer. */
  readonly elements: number | undefined;
}

const binaryPrecedence: Readonly<Record<string, number>> = {
  '||': 1,
  '&&': 2,
  '|': 3,
  '^': 4,
  '&': 5,
  '==': 6,
  '!=': 6,
  '<': 7,
  '>': 7,
  '<=': 7,
  '>=': 7,
  '<<': 8,
  '>>': 8,
  '+': 9,
  '-': 9,
  '*': 10,
  '/': 10,
  '%': 10,
};
const unaryOperators: readonly string[] = ['+', '-', '!', '~', '*', '&'];
const assignments = ['=', '+=', '-=', '*=', '/=', '%=', '&=', '|=', '^=', '<<=', '>>='];
const specifiers = new Set(['unsigned', 'signed', 'int', 'char', 'short', 'long', 'float', 'double', 'void', '_Bool', 'bool', '__int128']);
const tags = new Set(['struct', 'union', 'enum', 'class']);
const qualifiers = new Set(['const', 'volatile', 'restrict', '_Atomic']);
const deepest = 200;

/** Parses `expression[,format]`. `isType` tells whether an identifier names a type, which decides what `(a) b` means. Throws a CodedError. */
export function parse(text: string, isType: (name: string) => boolean): Parsed {
  const { expression, format, elements } = splitFormat(text);
  const parser = new Parser(tokenize(expression), isType);
  return { node: parser.whole(), format, elements };
}

function splitFormat(text: string): { expression: string; format: string | undefined; elements: number | undefined } {
  const match = /^(.*),\s*(?:([xduobcsa])|\[?(\d+)\]?)\s*$/s.exec(text);
  if (match !== null) return { expression: match[1]!, format: match[2], elements: match[3] === undefined ? undefined : Number(match[3]) };
  const wrong = /,\s*([^\s()[\]]*)\s*$/.exec(text);
  if (wrong !== null && !text.includes('(')) throw exprErrors.suffix(wrong[1]!);
  return { expression: text, format: undefined, elements: undefined };
}

class Parser {
  #at = 0;
  #depth = 0;

  constructor(
    private readonly tokens: readonly Token[],
    private readonly isType: (name: string) => boolean,
  ) {}

  whole(): Node {
    const node = this.#assignment();
    if (this.#token.kind !== 'end') throw exprErrors.expected('the end of the expression', this.#token.at);
    return node;
  }

  get #token(): Token {
    return this.tokens[this.#at]!;
  }

  #isOperator(...texts: readonly string[]): boolean {
    return this.#token.kind === 'operator' && texts.includes(this.#token.text);
  }

  #take(text: string): boolean {
    if (!this.#isOperator(text)) return false;
    this.#at++;
    return true;
  }

  #expect(text: string): void {
    if (!this.#take(text)) throw exprErrors.expected(`"${text}"`, this.#token.at);
  }

  #nested<T>(work: () => T): T {
    if (++this.#depth > deepest) throw exprErrors.tooDeep();
    const result = work();
    this.#depth--;
    return result;
  }

  #assignment(): Node {
    return this.#nested(() => {
      const target = this.#conditional();
      const token = this.#token;
      if (token.kind !== 'operator' || !assignments.includes(token.text)) return target;
      this.#at++;
      return { kind: 'assign', target, operator: token.text.slice(0, -1), value: this.#assignment() };
    });
  }

  #conditional(): Node {
    const condition = this.#binary(1);
    if (!this.#take('?')) return condition;
    const yes = this.#assignment();
    this.#expect(':');
    return { kind: 'conditional', condition, yes, no: this.#nested(() => this.#conditional()) };
  }

  #binary(lowest: number): Node {
    let left = this.#unary();
    for (;;) {
      const token = this.#token;
      const precedence = token.kind === 'operator' ? (binaryPrecedence[token.text] ?? 0) : 0;
      if (token.kind !== 'operator' || precedence < lowest) return left;
      this.#at++;
      left = { kind: 'binary', operator: token.text, left, right: this.#nested(() => this.#binary(precedence + 1)) };
    }
  }

  #unary(): Node {
    return this.#nested((): Node => {
      const token = this.#token;
      if (token.kind === 'operator' && unaryOperators.includes(token.text)) {
        this.#at++;
        return { kind: 'unary', operator: token.text as '+', operand: this.#unary() };
      }
      if (token.kind === 'identifier' && token.name === 'sizeof') {
        this.#at++;
        if (this.#isOperator('(') && this.#startsType(this.#at + 1)) return { kind: 'sizeofType', type: this.#parenthesisedType() };
        return { kind: 'sizeof', operand: this.#unary() };
      }
      if (this.#isOperator('(') && this.#startsType(this.#at + 1))
        return { kind: 'cast', type: this.#parenthesisedType(), operand: this.#unary() };
      return this.#postfix(this.#primary());
    });
  }

  /** Calls are refused when they are evaluated, so their arguments are only passed over. */
  #skipArguments(): void {
    let depth = 0;
    do {
      if (this.#token.kind === 'end') throw exprErrors.expected('")"', this.#token.at);
      if (this.#isOperator('(')) depth++;
      else if (this.#isOperator(')')) depth--;
      this.#at++;
    } while (depth > 0);
  }

  #startsType(at: number): boolean {
    const token = this.tokens[at];
    if (token?.kind !== 'identifier') return false;
    return specifiers.has(token.name) || tags.has(token.name) || qualifiers.has(token.name) || this.isType(token.name);
  }

  #parenthesisedType(): TypeName {
    this.#expect('(');
    const words: string[] = [];
    while (this.#token.kind === 'identifier') {
      const { name } = this.#token;
      this.#at++;
      if (qualifiers.has(name)) continue;
      words.push(name);
      const more = this.#token.kind === 'identifier' && (specifiers.has(this.#token.name) || qualifiers.has(this.#token.name));
      if (!tags.has(name) && !more) break;
    }
    if (words.length === 0) throw exprErrors.expected('a type', this.#token.at);
    let pointers = 0;
    const arrays: bigint[] = [];
    for (;;) {
      if (this.#take('*')) pointers++;
      else if (this.#token.kind === 'identifier' && qualifiers.has(this.#token.name)) this.#at++;
      else if (this.#take('[')) {
        const bound = this.#token;
        if (bound.kind !== 'integer') throw exprErrors.expected('a number of elements', bound.at);
        this.#at++;
        this.#expect(']');
        arrays.push(bound.value);
      } else break;
    }
    this.#expect(')');
    return { base: words.join(' '), pointers, arrays };
  }

  #primary(): Node {
    const token = this.#token;
    this.#at++;
    switch (token.kind) {
      case 'integer':
        return { kind: 'integer', value: token.value, suffix: token.suffix, decimal: token.decimal };
      case 'float':
        return { kind: 'float', value: token.value, single: token.suffix === 'f' };
      case 'character':
        return { kind: 'character', value: token.value };
      case 'string':
        return { kind: 'string', value: token.value };
      case 'register':
        return { kind: 'register', name: token.name };
      case 'identifier':
        return { kind: 'name', name: this.#qualified(token.name) };
      case 'operator':
        if (token.text === '(') {
          const inner = this.#assignment();
          this.#expect(')');
          return inner;
        }
        break;
      case 'end':
        break;
    }
    throw exprErrors.expected('a value', token.at);
  }

  /** `core::fmt::write` is one name. */
  #qualified(first: string): string {
    let name = first;
    while (this.#isOperator('::') && this.tokens[this.#at + 1]?.kind === 'identifier') {
      this.#at++;
      const part = this.#token;
      this.#at++;
      if (part.kind === 'identifier') name += `::${part.name}`;
    }
    return name;
  }

  #postfix(first: Node): Node {
    let node = first;
    for (;;) {
      if (this.#take('[')) {
        const index = this.#assignment();
        this.#expect(']');
        node = { kind: 'index', object: node, index };
      } else if (this.#isOperator('.', '->')) {
        const arrow = this.#isOperator('->');
        this.#at++;
        const member = this.#token;
        if (member.kind !== 'identifier') throw exprErrors.expected('a member', member.at);
        this.#at++;
        node = { kind: 'member', object: node, member: member.name, arrow };
      } else if (this.#isOperator('(')) {
        this.#skipArguments();
        node = { kind: 'call', callee: node };
      } else return node;
    }
  }
}
