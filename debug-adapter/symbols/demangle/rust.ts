/** Names of Rust as rustc mangles them: the older way, which borrows C++'s, and the way of RFC 2603 ("v0"). */

/** `_ZN`, path elements, and a hash as the last of them. */
const legacy = /^_ZN(.+)17h[0-9a-f]{16}E((?:\.[\w.]+)?)$/;

/** What stands for characters that symbols cannot have. */
const escapes: Readonly<Record<string, string>> = { SP: '@', BP: '*', RF: '&', LT: '<', GT: '>', LP: '(', RP: ')', C: ',' };

/** The path of a name mangled the older way, without its hash; undefined where it is not one. */
export function demangleLegacyRust(name: string): string | undefined {
  const [, elements, suffix] = legacy.exec(name) ?? [];
  if (elements === undefined) return undefined;
  const path: string[] = [];
  for (let at = 0; at < elements.length;) {
    const digits = /^\d+/.exec(elements.slice(at))?.[0];
    const length = Number(digits ?? 0);
    if (digits === undefined || length === 0 || at + digits.length + length > elements.length) return undefined;
    at += digits.length;
    path.push(unescaped(elements.slice(at, at + length)));
    at += length;
  }
  return path.join('::') + (suffix === undefined || suffix === '' || suffix.startsWith('.llvm.') ? '' : ` [clone ${suffix}]`);
}

function unescaped(element: string): string {
  // An underscore makes an identifier of what begins with an escape.
  return element
    .replace(/^_(?=\$)/, '')
    .replaceAll('..', '::')
    .replaceAll(/\$(u[0-9a-f]{1,6}|[A-Z]+)\$/g, (whole, code: string) =>
      code.startsWith('u') ? String.fromCodePoint(Math.min(parseInt(code.slice(1), 16), 0x10_ffff)) : (escapes[code] ?? whole),
    );
}

const basicTypes: Readonly<Record<string, string>> = {
  a: 'i8',
  b: 'bool',
  c: 'char',
  d: 'f64',
  e: 'str',
  f: 'f32',
  h: 'u8',
  i: 'isize',
  j: 'usize',
  l: 'i32',
  m: 'u32',
  n: 'i128',
  o: 'u128',
  p: '_',
  s: 'i16',
  t: 'u16',
  u: '()',
  v: '...',
  x: 'i64',
  y: 'u64',
  z: '!',
};

const mostDepth = 150;
const mostCharacters = 20_000;

class Malformed extends Error {}

class Parser {
  #at = 0;
  #depth = 0;
  /** Lifetimes that are bound around here. */
  #bound = 0;

  constructor(private readonly text: string) {}

  whole(): string {
    const path = this.#path(true);
    // The crate that the code was made in says nothing to people.
    if (this.#at < this.text.length) this.#path(true);
    if (this.#at < this.text.length) throw new Malformed();
    return path;
  }

  #take(text: string): boolean {
    if (!this.text.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }

  #char(): string {
    const c = this.text[this.#at++];
    if (c === undefined) throw new Malformed();
    return c;
  }

  #until(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.text)?.[0];
    if (found === undefined) throw new Malformed();
    this.#at += found.length;
    return found;
  }

  /** `_` is 0, `0_` is 1, and so on. */
  #base62(): number {
    if (this.#take('_')) return 0;
    let value = 0;
    for (const digit of this.#until(/[0-9a-zA-Z]+/y)) {
      const code = digit.charCodeAt(0);
      value = value * 62 + (code < 58 ? code - 48 : code > 96 ? code - 87 : code - 29);
    }
    if (!this.#take('_')) throw new Malformed();
    return value + 1;
  }

  #disambiguator(): number {
    return this.#take('s') ? this.#base62() + 1 : 0;
  }

  #identifier(): string {
    const isUnicode = this.#take('u');
    // A number has no zero in front: what follows one is another.
    const length = Number(this.#until(/0|[1-9]\d*/y));
    this.#take('_');
    const text = this.text.slice(this.#at, this.#at + length);
    if (text.length < length) throw new Malformed();
    this.#at += length;
    return isUnicode ? fromPunycode(text) : text;
  }

  /** Goes back to where something was written out before, for what `read` reads. */
  #back<T>(read: () => T): T {
    const start = this.#at - 1;
    const place = this.#base62();
    if (place >= start) throw new Malformed();
    const after = this.#at;
    this.#at = place;
    const result = read();
    this.#at = after;
    return result;
  }

  #within(read: () => string): string {
    if (++this.#depth > mostDepth) throw new Malformed();
    const text = read();
    this.#depth--;
    if (text.length > mostCharacters) throw new Malformed();
    return text;
  }

  /** @param isValue generic arguments follow `::`, as in expressions */
  #path(isValue: boolean): string {
    return this.#within(() => {
      const tag = this.#char();
      switch (tag) {
        case 'C':
          this.#disambiguator();
          return this.#identifier();
        case 'N': {
          const space = this.#char();
          const outer = this.#path(isValue);
          const number = this.#disambiguator();
          const name = this.#identifier();
          if (space >= 'a' && space <= 'z') return name === '' ? outer : `${outer}::${name}`;
          const kind = space === 'C' ? 'closure' : space === 'S' ? 'shim' : space;
          return `${outer}::{${kind}${name === '' ? '' : `:${name}`}#${number}}`;
        }
        case 'M':
        case 'X': {
          this.#disambiguator();
          this.#path(false);
          const type = this.#type();
          return tag === 'M' ? `<${type}>` : `<${type} as ${this.#path(false)}>`;
        }
        case 'Y': {
          const type = this.#type();
          return `<${type} as ${this.#path(false)}>`;
        }
        case 'I': {
          const outer = this.#path(isValue);
          return `${outer}${isValue ? '::' : ''}<${this.#list(() => this.#argument())}>`;
        }
        case 'B':
          return this.#back(() => this.#path(isValue));
        default:
          throw new Malformed();
      }
    });
  }

  #list(read: () => string): string {
    const list: string[] = [];
    while (!this.#take('E')) list.push(read());
    return list.join(', ');
  }

  #argument(): string {
    if (this.#take('L')) return this.#lifetime();
    return this.#take('K') ? this.#constant() : this.#type();
  }

  #lifetime(): string {
    const index = this.#base62();
    if (index === 0) return "'_";
    if (index > this.#bound) throw new Malformed();
    return nameOfLifetime(this.#bound - index);
  }

  /** Lifetimes bound for what `read` reads, as `for<'a> `. */
  #binder(read: (bound: string) => string): string {
    const count = this.#take('G') ? this.#base62() + 1 : 0;
    if (count > 100) throw new Malformed();
    const names = Array.from({ length: count }, (_, i) => nameOfLifetime(this.#bound + i));
    this.#bound += count;
    const text = read(count === 0 ? '' : `for<${names.join(', ')}> `);
    this.#bound -= count;
    return text;
  }

  #type(): string {
    return this.#within(() => {
      const tag = this.#char();
      const basic = basicTypes[tag];
      if (basic !== undefined) return basic;
      switch (tag) {
        case 'A': {
          const element = this.#type();
          return `[${element}; ${this.#constant()}]`;
        }
        case 'S':
          return `[${this.#type()}]`;
        case 'T': {
          const from = this.#at;
          const list = this.#list(() => this.#type());
          return this.#isSingle(from) ? `(${list},)` : `(${list})`;
        }
        case 'R':
        case 'Q': {
          const lifetime = this.#take('L') ? this.#lifetime() : "'_";
          return `&${lifetime === "'_" ? '' : `${lifetime} `}${tag === 'Q' ? 'mut ' : ''}${this.#type()}`;
        }
        case 'P':
          return `*const ${this.#type()}`;
        case 'O':
          return `*mut ${this.#type()}`;
        case 'F':
          return this.#binder((bound) => this.#function(bound));
        case 'D': {
          const bounds = this.#binder((bound) => {
            const list: string[] = [];
            while (!this.#take('E')) list.push(this.#bounds());
            return `dyn ${bound}${list.join(' + ')}`;
          });
          if (!this.#take('L')) throw new Malformed();
          const lifetime = this.#lifetime();
          return lifetime === "'_" ? bounds : `${bounds} + ${lifetime}`;
        }
        case 'B':
          return this.#back(() => this.#type());
        default:
          this.#at--;
          return this.#path(false);
      }
    });
  }

  /** Is the list that was just read from `from` on one of one type? */
  #isSingle(from: number): boolean {
    const end = this.#at;
    this.#at = from;
    const isEmpty = this.#take('E');
    if (!isEmpty) this.#type();
    const isSingle = !isEmpty && this.#at === end - 1;
    this.#at = end;
    return isSingle;
  }

  #function(bound: string): string {
    const unsafe = this.#take('U') ? 'unsafe ' : '';
    const abi = this.#take('K') ? `extern "${this.#take('C') ? 'C' : this.#identifier().replaceAll('_', '-')}" ` : '';
    const parameters = this.#list(() => this.#type());
    const returns = this.#type();
    return `${bound}${unsafe}${abi}fn(${parameters})${returns === '()' ? '' : ` -> ${returns}`}`;
  }

  /** A trait of `dyn`, with what its associated types are. */
  #bounds(): string {
    let path = this.#path(false);
    const types: string[] = [];
    while (this.#take('p')) {
      const name = this.#identifier();
      types.push(`${name} = ${this.#type()}`);
    }
    if (types.length > 0) path = path.endsWith('>') ? `${path.slice(0, -1)}, ${types.join(', ')}>` : `${path}<${types.join(', ')}>`;
    return path;
  }

  #constant(): string {
    const type = this.#char();
    if (type === 'p') return '_';
    if (type === 'B') return this.#back(() => this.#constant());
    if (!'abchijlmnostxy'.includes(type)) throw new Malformed();
    const sign = this.#take('n') ? '-' : '';
    const value = BigInt(`0x0${this.#until(/[0-9a-f]*/y)}`);
    if (!this.#take('_')) throw new Malformed();
    if (type === 'b') return value === 0n ? 'false' : 'true';
    if (type !== 'c') return sign + value.toString();
    if (value > 0x10_ffffn) throw new Malformed();
    return `'${String.fromCodePoint(Number(value))}'`;
  }
}

const nameOfLifetime = (index: number): string => (index < 26 ? `'${String.fromCharCode(97 + index)}` : `'_${index}`);

/** Bootstring of RFC 3492, with an underscore for its hyphen. */
function fromPunycode(text: string): string {
  const cut = text.lastIndexOf('_');
  const out = cut < 0 ? [] : [...text.slice(0, cut)];
  let code = 128;
  let bias = 72;
  let i = 0;
  let isFirst = true;
  for (let at = cut + 1; at < text.length; isFirst = false) {
    const before = i;
    for (let weight = 1, k = 36; ; k += 36) {
      const c = text.charCodeAt(at++);
      const digit = c >= 97 && c <= 122 ? c - 97 : c >= 48 && c <= 57 ? c - 22 : -1;
      if (digit < 0) throw new Malformed();
      i += digit * weight;
      const threshold = Math.min(Math.max(k - bias, 1), 26);
      if (digit < threshold) break;
      weight *= 36 - threshold;
      if (weight > 2 ** 40) throw new Malformed();
    }
    const count = out.length + 1;
    let delta = Math.floor((i - before) / (isFirst ? 700 : 2));
    delta += Math.floor(delta / count);
    let k = 0;
    for (; delta > 455; k += 36) delta = Math.floor(delta / 35);
    bias = k + Math.floor((36 * delta) / (delta + 38));
    code += Math.floor(i / count);
    i %= count;
    if (code > 0x10_ffff) throw new Malformed();
    out.splice(i++, 0, String.fromCodePoint(code));
  }
  return out.join('');
}

/** The path of a name of RFC 2603; undefined where it is not one. */
export function demangleRust(name: string): string | undefined {
  const [, text] = /^_R([A-Z]\w*)(?:\.[\w.]+)?$/.exec(name) ?? [];
  if (text === undefined) return undefined;
  try {
    return new Parser(text).whole();
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
}
