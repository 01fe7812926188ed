/** Names of C++ as compilers mangle them (Itanium C++ ABI, 5.1), in the spelling that binutils and gdb have. */
import { lastOf, type Name, named, type Node, plain, pointer, qualified, spell, spellArguments, spellList } from './itanium-types';
import { abbreviations, builtinTypes, literalSuffixes, operators, specialNames } from './itanium-words';

/** Nesting and characters of a result beyond which a name is hostile. */
const mostDepth = 200;
const mostCharacters = 20_000;

/** The name is not what it began as. */
class Malformed extends Error {}

class Parser {
  #at = 0;
  #depth = 0;
  /** Substitutions: what was read, or the number of a template parameter, which means what it means where it stands. */
  readonly #known: (Node | number)[] = [];
  /** Innermost arguments of the template that is named. */
  #arguments: readonly Node[] = [];
  /** Inside of the types of a lambda's parameters, template parameters are its own. */
  #inLambda = 0;

  constructor(private readonly text: string) {}

  whole(): string {
    const name = this.#encoding();
    let clones = '';
    const rest = this.text.slice(this.#at);
    if (rest !== '') {
      if (!/^(\.[\w.]+|@.*)$/.test(rest)) throw new Malformed();
      clones = rest.startsWith('@')
        ? rest
        : [...rest.matchAll(/\.(?:[A-Za-z_]\w*(?:\.\d+)*|\d+(?:\.\d+)*)/g)].map(([clone]) => ` [clone ${clone}]`).join('');
    }
    return name + clones;
  }

  #is(text: string): boolean {
    return this.text.startsWith(text, this.#at);
  }

  #take(text: string): boolean {
    if (!this.#is(text)) return false;
    this.#at += text.length;
    return true;
  }

  #expect(text: string): void {
    if (!this.#take(text)) throw new Malformed();
  }

  get #next(): string {
    return this.text[this.#at] ?? '';
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  /** Goes one level deeper for what `read` reads. */
  #within<T>(read: () => T): T {
    if (++this.#depth > mostDepth) throw new Malformed();
    const result = read();
    this.#depth--;
    return result;
  }

  /** @param isScope of something local, which goes by the function's name without its return type */
  #encoding(isScope = false, isNameOnly = false): string {
    return this.#within(() => {
      const special = this.#special();
      if (special !== undefined) return special;
      const name = this.#name();
      if (this.#next === '' || this.#next === 'E' || this.#next === '.' || this.#next === '@') return name.text;
      const returns = name.isTemplate && !name.returnsItself ? this.#type() : undefined;
      const parameters = spellList(this.#parameters());
      if (isNameOnly && !name.isTemplate) return name.text;
      const declared = `${name.text}(${parameters})${name.suffix}`;
      if (declared.length > mostCharacters) throw new Malformed();
      return returns === undefined || isScope ? declared : spell(returns, ` ${declared}`);
    });
  }

  #special(): string | undefined {
    const word = this.text.slice(this.#at, this.#at + 2);
    if (word === 'TW' || word === 'TH' || word === 'GV') {
      this.#at += 2;
      return specialNames[word]! + this.#name().text;
    }
    const meaning = specialNames[word];
    if (meaning !== undefined) {
      this.#at += 2;
      return meaning + spell(this.#type());
    }
    if (this.#take('Th')) {
      this.#offset('h');
      return `non-virtual thunk to ${this.#encoding()}`;
    }
    if (this.#take('Tv')) {
      this.#offset('v');
      return `virtual thunk to ${this.#encoding()}`;
    }
    if (this.#take('Tc')) {
      for (let i = 0; i < 2; i++) this.#offset(this.#take('h') ? 'h' : (this.#expect('v'), 'v'));
      return `covariant return thunk to ${this.#encoding()}`;
    }
    if (this.#take('TC')) {
      const derived = spell(this.#type());
      this.#match(/\d+/y);
      this.#expect('_');
      return `construction vtable for ${spell(this.#type())}-in-${derived}`;
    }
    if (this.#take('GR')) {
      const name = this.#name().text;
      const number = this.#match(/[0-9A-Z]+/y);
      this.#expect('_');
      return `reference temporary #${number === undefined ? 0 : parseInt(number, 36) + 1} for ${name}`;
    }
    if (this.#take('GTt')) return `transaction clone for ${this.#encoding()}`;
    return undefined;
  }

  #offset(kind: 'h' | 'v'): void {
    this.#match(/n?\d+/y);
    this.#expect('_');
    if (kind === 'v') {
      this.#match(/n?\d+/y);
      this.#expect('_');
    }
  }

  #parameters(): Node[] {
    const list: Node[] = [];
    while (this.#next !== '' && !'E.@'.includes(this.#next) && !this.#is('RE') && !this.#is('OE')) list.push(this.#type());
    if (list.length === 0) throw new Malformed();
    const [only] = list;
    return list.length === 1 && only?.kind === 'name' && only.text === 'void' ? [] : list;
  }

  // Names.

  #name(): Name {
    return this.#within(() => {
      if (this.#next === 'N') return this.#nested();
      if (this.#next === 'Z') return this.#local();
      if (this.#next === 'S' && !this.#is('St')) {
        const name = this.#substitution();
        if (!this.#is('I')) return plain(spell(name));
        return this.#withArguments(plain(spell(name)));
      }
      const isStd = this.#take('St');
      const own = this.#unqualified(undefined);
      const name = isStd ? { ...own, text: `std::${own.text}` } : own;
      if (this.#next !== 'I') return name;
      this.#known.push(named(name.text));
      return this.#withArguments(name);
    });
  }

  #withArguments(name: Name): Name {
    const list = this.#templateArguments();
    this.#arguments = list;
    return { ...name, text: `${name.text}${name.text.endsWith('<') ? ' ' : ''}${spellArguments(list)}`, isTemplate: true };
  }

  #nested(): Name {
    this.#expect('N');
    const qualifiers = this.#qualifiers();
    const reference = this.#take('R') ? ' &' : this.#take('O') ? ' &&' : '';
    let name: Name | undefined;
    let pushed = false;
    while (!this.#take('E')) {
      pushed = true;
      if (name !== undefined && this.#next === 'I') {
        name = this.#withArguments(name);
      } else if (name === undefined && this.#next === 'S') {
        const code = this.text[this.#at + 1] ?? '';
        const text = spell(this.#substitution());
        name = plain(text, abbreviations[code]?.[1] ?? lastOf(text));
        pushed = false;
      } else if (name === undefined && this.#next === 'T') {
        const text = spell(this.#templateParameter());
        name = plain(text, lastOf(text));
      } else if (name === undefined && (this.#is('Dt') || this.#is('DT'))) {
        name = plain(this.#decltype());
      } else {
        const own = this.#unqualified(name);
        name = name === undefined ? own : { ...own, text: `${name.text}::${own.text}` };
      }
      if (name.text.length > mostCharacters) throw new Malformed();
      if (pushed) this.#known.push(named(name.text));
      this.#take('M');
    }
    // The whole is no prefix.
    if (pushed) this.#known.pop();
    if (name === undefined) throw new Malformed();
    return { ...name, suffix: qualifiers + reference };
  }

  #local(): Name {
    this.#expect('Z');
    const outer = this.#encoding(true);
    this.#expect('E');
    if (this.#take('s')) {
      this.#discriminator();
      return plain(`${outer}::string literal`);
    }
    if (this.#take('d')) {
      const number = this.#match(/\d+/y);
      this.#expect('_');
      const name = this.#name();
      return { ...name, text: `${outer}::{default arg#${number === undefined ? 1 : Number(number) + 2}}::${name.text}` };
    }
    const name = this.#name();
    this.#discriminator();
    return { ...name, text: `${outer}::${name.text}` };
  }

  #discriminator(): void {
    if (this.#match(/__\d+_/y) === undefined) this.#match(/_\d/y);
  }

  #unqualified(scope: Name | undefined): Name {
    this.#take('L');
    const c = this.#next;
    let name: Name;
    if (c >= '0' && c <= '9') name = plain(this.#source());
    else if (this.#is('Ut') || this.#is('Ul')) {
      const text = this.#unnamed();
      name = plain(text, scope?.last ?? text);
    } else if (scope !== undefined && (c === 'C' || this.#match(/(?=D[0-5])/y) !== undefined)) {
      const inherits = this.#match(/CI[12]/y);
      if (inherits !== undefined) this.#type();
      else this.#at += 2;
      name = { ...plain(`${c === 'D' ? '~' : ''}${scope.last}`), last: scope.last, returnsItself: true };
    } else name = this.#operator();
    for (; this.#take('B');) name = { ...name, text: `${name.text}[abi:${this.#source()}]` };
    return name;
  }

  #source(): string {
    const length = Number(this.#match(/\d+/y) ?? 0);
    const text = this.text.slice(this.#at, this.#at + length);
    if (length === 0 || text.length < length) throw new Malformed();
    this.#at += length;
    return text.startsWith('_GLOBAL__N') ? '(anonymous namespace)' : text;
  }

  #unnamed(): string {
    const isLambda = this.#is('Ul');
    this.#at += 2;
    let parameters = '';
    if (isLambda) {
      this.#inLambda++;
      parameters = spellList(this.#parameters());
      this.#inLambda--;
      this.#expect('E');
    }
    const number = this.#match(/\d+/y);
    this.#expect('_');
    const text = `#${number === undefined ? 1 : Number(number) + 2}`;
    const name = isLambda ? `{lambda(${parameters})${text}}` : `{unnamed type${text}}`;
    return name;
  }

  #operator(): Name {
    if (this.#take('cv')) return { ...plain(`operator ${spell(this.#type())}`), returnsItself: true };
    if (this.#take('li')) return plain(`operator"" ${this.#source()}`);
    const word = this.text.slice(this.#at, this.#at + 2);
    const operator = operators[word];
    if (operator === undefined) throw new Malformed();
    this.#at += 2;
    return plain(`operator${/^[a-z]/.test(operator[0]) ? ' ' : ''}${operator[0]}`);
  }

  // Types.

  #qualifiers(): string {
    const codes = this.#match(/[rVK]+/y) ?? '';
    // As they are applied, the innermost first.
    return [...codes]
      .reverse()
      .map((code) => (code === 'K' ? ' const' : code === 'V' ? ' volatile' : ' __restrict'))
      .join('');
  }

  #remember(node: Node): Node {
    this.#known.push(node);
    return node;
  }

  #type(): Node {
    return this.#within(() => {
      const c = this.#next;
      if ('rVK'.includes(c) && c !== '') {
        const qualifiers = this.#qualifiers();
        // A qualified function type is one thing.
        return this.#remember(qualified(qualifiers, this.#next === 'F' ? this.#function() : this.#type()));
      }
      if (this.#take('P')) return this.#remember(pointer('*', this.#type()));
      if (this.#take('R')) return this.#remember(pointer('&', this.#type()));
      if (this.#take('O')) return this.#remember(pointer('&&', this.#type()));
      if (this.#take('C')) return this.#remember(qualified(' _Complex', this.#type()));
      if (this.#take('G')) return this.#remember(qualified(' _Imaginary', this.#type()));
      if (c === 'F' || this.#is('DoF') || this.#is('DOF')) return this.#remember(this.#function());
      if (this.#take('A')) return this.#remember(this.#array());
      if (this.#take('M')) return this.#remember(this.#member());
      if (c === 'T' && !/T[sue]/y.test(this.text.slice(this.#at, this.#at + 2))) {
        const index = this.#parameterIndex();
        const parameter = this.#parameter(index);
        this.#known.push(this.#inLambda > 0 ? parameter : index);
        if (this.#next !== 'I') return parameter;
        return this.#remember(named(spell(parameter) + spellArguments(this.#templateArguments())));
      }
      if (c === 'S' && !this.#is('St')) return this.#substituted();
      if (c === 'D') return this.#longType();
      if (this.#take('u')) return this.#remember(named(this.#source()));
      const builtin = builtinTypes[c];
      if (builtin !== undefined) {
        this.#at++;
        return named(builtin);
      }
      this.#match(/T[sue]/y);
      // A name's arguments are those of the template that is named only where that is the function itself.
      const outer = this.#arguments;
      const { text } = this.#name();
      this.#arguments = outer;
      return this.#remember(named(text));
    });
  }

  #substituted(): Node {
    const node = this.#substitution();
    if (this.#next !== 'I') return node;
    return this.#remember(named(spell(node) + spellArguments(this.#templateArguments())));
  }

  #longType(): Node {
    if (this.#is('Dt') || this.#is('DT')) return this.#remember(named(this.#decltype()));
    if (this.#take('Dp')) return this.#remember(this.#expanded(this.#type()));
    if (this.#take('Dv')) {
      const size = this.#match(/\d+/y) ?? spell(this.#expression());
      this.#expect('_');
      return this.#remember(named(`${spell(this.#type())} __vector(${size})`));
    }
    if (this.#take('DF')) {
      const bits = this.#match(/\d+x?/y) ?? '';
      this.#expect('_');
      return named(`_Float${bits}`);
    }
    const builtin = builtinTypes[this.text.slice(this.#at, this.#at + 2)];
    if (builtin === undefined) throw new Malformed();
    this.#at += 2;
    return named(builtin);
  }

  #expanded(node: Node): Node {
    return node.kind === 'pack' ? node : named(`${spell(node)}...`);
  }

  #function(): Node {
    const suffix = this.#take('Do') ? ' noexcept' : this.#take('DO') ? ` noexcept(${spell(this.#closed())})` : '';
    this.#expect('F');
    this.#take('Y');
    const returns = this.#type();
    const parameters = this.#parameters();
    const reference = this.#take('R') ? ' &' : this.#take('O') ? ' &&' : '';
    this.#expect('E');
    return { kind: 'function', returns, parameters, suffix: reference + suffix };
  }

  #closed(): Node {
    const node = this.#expression();
    this.#expect('E');
    return node;
  }

  #array(): Node {
    const size = this.#match(/\d+/y) ?? (this.#next === '_' ? '' : spell(this.#expression()));
    this.#expect('_');
    return { kind: 'array', size, of: this.#type() };
  }

  #member(): Node {
    const of = spell(this.#type());
    return { kind: 'member', of, to: this.#type() };
  }

  #decltype(): string {
    this.#at += 2;
    return `decltype (${spell(this.#closed())})`;
  }

  #templateParameter(): Node {
    return this.#parameter(this.#parameterIndex());
  }

  #parameterIndex(): number {
    this.#expect('T');
    const number = this.#match(/\d+/y);
    this.#expect('_');
    return number === undefined ? 0 : Number(number) + 1;
  }

  #parameter(index: number): Node {
    if (this.#inLambda > 0) return named(`auto:${index + 1}`);
    const found = this.#arguments[index];
    if (found === undefined) throw new Malformed();
    return found;
  }

  #templateArguments(): Node[] {
    return this.#within(() => {
      this.#expect('I');
      const outer = this.#arguments;
      const list: Node[] = [];
      while (!this.#take('E')) list.push(this.#templateArgument());
      this.#arguments = outer;
      return list;
    });
  }

  #templateArgument(): Node {
    if (this.#take('J')) {
      const items: Node[] = [];
      while (!this.#take('E')) items.push(this.#templateArgument());
      return { kind: 'pack', items };
    }
    if (this.#take('X')) return this.#closed();
    return this.#next === 'L' ? this.#literal() : this.#type();
  }

  #substitution(): Node {
    this.#expect('S');
    const abbreviation = abbreviations[this.#next];
    if (abbreviation !== undefined) {
      this.#at++;
      let [text] = abbreviation;
      for (; this.#is('B');) {
        this.#at++;
        text += `[abi:${this.#source()}]`;
      }
      return named(text);
    }
    const number = this.#match(/[0-9A-Z]+/y);
    this.#expect('_');
    const known = this.#known[number === undefined ? 0 : parseInt(number, 36) + 1];
    const found = typeof known === 'number' ? this.#arguments[known] : known;
    if (found === undefined) throw new Malformed();
    return found;
  }

  // Expressions.

  /** @param isNameOnly of a function whose address is taken */
  #literal(isNameOnly = false): Node {
    this.#expect('L');
    if (this.#take('_Z') || this.#take('Z')) {
      const name = this.#encoding(false, isNameOnly);
      this.#expect('E');
      return named(name);
    }
    const code = this.#next;
    const type = this.#type();
    const negative = this.#take('n');
    const value = this.#match(/[0-9a-z_]*/y) ?? '';
    this.#expect('E');
    const text = `${negative ? '-' : ''}${value}`;
    if (code === 'b') return named(value === '1' ? 'true' : 'false');
    const suffix = literalSuffixes[code];
    if (suffix !== undefined) return named(text + suffix);
    return named(`(${spell(type)})${code === 'f' || code === 'd' || code === 'e' ? `[${value}]` : text}`);
  }

  #expression(): Node {
    return this.#within(() => named(this.#expressionText()));
  }

  #operand(): string {
    const isScoped = this.#is('sr');
    const text = this.#expressionText();
    return isScoped || /^[\w:<>]+$/.test(text) ? text : `(${text})`;
  }

  #expressionText(): string {
    if (this.#next === 'L') return spell(this.#literal());
    if (this.#next === 'T') return spell(this.#templateParameter());
    if (this.#match(/fL\d+p[rVK]*/y) !== undefined || this.#match(/fp[rVK]*/y) !== undefined) {
      const number = this.#match(/\d+/y);
      this.#expect('_');
      return `{parm#${number === undefined ? 1 : Number(number) + 2}}`;
    }
    if (this.#take('fpT')) return 'this';
    if (this.#is('adL_Z') || this.#is('adLZ')) {
      this.#at += 2;
      const name = spell(this.#literal(true));
      return name.endsWith(')') ? `&(${name})` : `&${name}`;
    }
    if (this.#take('sp')) return spell(this.#expanded(this.#expression()));
    if (this.#take('sr')) return `${this.#scope()}::${this.#withOwnArguments(this.#unqualified(undefined).text)}`;
    if (this.#take('cl')) {
      const called = this.#operand();
      const list: string[] = [];
      while (!this.#take('E')) list.push(this.#expressionText());
      return `${called}(${list.join(', ')})`;
    }
    if (this.#take('cv')) {
      const type = spell(this.#type());
      if (!this.#take('_')) return `(${type})${this.#operand()}`;
      const list: string[] = [];
      while (!this.#take('E')) list.push(this.#expressionText());
      return `(${type})(${list.join(', ')})`;
    }
    if (this.#take('st')) return `sizeof (${spell(this.#type())})`;
    if (this.#take('at')) return `alignof (${spell(this.#type())})`;
    if (this.#take('sZ')) {
      const pack = this.#templateParameter();
      return pack.kind === 'pack' ? `${pack.items.length}` : `sizeof...(${spell(pack)})`;
    }
    if (this.#take('nx')) return `noexcept(${this.#expressionText()})`;
    if (this.#take('dt')) return `${this.#operand()}.${this.#memberName()}`;
    if (this.#take('pt')) return `${this.#operand()}->${this.#memberName()}`;
    if (this.#take('ix')) return `${this.#operand()}[${this.#expressionText()}]`;
    if (this.#take('qu')) return `${this.#operand()}?${this.#operand()} : ${this.#operand()}`;
    if (this.#next >= '0' && this.#next <= '9') return this.#sourceWithArguments();
    if (this.#take('on')) return this.#withOwnArguments(this.#operator().text);
    const operator = operators[this.text.slice(this.#at, this.#at + 2)];
    if (operator === undefined || operator[1] > 2) throw new Malformed();
    this.#at += 2;
    if (operator[1] === 1) return `${operator[0]}${this.#operand()}`;
    const left = this.#operand();
    const right = this.#operand();
    return operator[0] === '>' ? `(${left}>${right})` : `${left}${operator[0]}${right}`;
  }

  #withOwnArguments(name: string): string {
    return this.#is('I') ? name + spellArguments(this.#templateArguments()) : name;
  }

  /** What a name of an expression is looked up in: names one in the other up to an E, as Clang has them, or a type. */
  #scope(): string {
    const [at, known] = [this.#at, this.#known.length];
    if (/\d/.test(this.#next)) {
      const names: string[] = [];
      try {
        while (!this.#take('E')) names.push(this.#withOwnArguments(this.#source()));
        return names.join('::');
      } catch (error) {
        if (!(error instanceof Malformed)) throw error;
        this.#at = at;
        this.#known.length = known;
      }
    }
    return spell(this.#type());
  }

  #memberName(): string {
    return this.#next >= '0' && this.#next <= '9' ? this.#sourceWithArguments() : this.#expressionText();
  }

  #sourceWithArguments(): string {
    return this.#withOwnArguments(this.#source());
  }
}

/** The name in C++'s spelling; undefined where it is not one, or beyond what is understood. @param name from `_Z` on */
export function demangleItanium(name: string): string | undefined {
  if (!name.startsWith('_Z')) return undefined;
  try {
    return new Parser(name.slice(2)).whole();
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
}
