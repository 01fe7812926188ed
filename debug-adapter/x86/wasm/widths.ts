/** What is known at each point of a function about how many low bits of an integer can be set, so that nobody cuts a value that fits already. */

import { type MemoryOp, type PlainOp } from './opcodes';

/** Nothing is known. */
const unknown = 64;

const comparisons = /^(i32|i64|f32|f64)\.(eq|ne|lt|le|gt|ge)(_[su])?$/;
const loadBits: Partial<Record<MemoryOp, number>> = {
  'i32.load': 32,
  'i32.load8_u': 8,
  'i32.load16_u': 16,
  'i64.load8_u': 8,
  'i64.load16_u': 16,
  'i64.load32_u': 32,
};

/** Bits of the result of an operator, from those of its operands; the number of operands is that of the function. */
const rules = new Map<PlainOp, readonly [operands: number, rule: (a: number, b: number, c: number) => number]>([
  ['i64.and', [2, Math.min]],
  ['i32.and', [2, Math.min]],
  ['i64.or', [2, Math.max]],
  ['i64.xor', [2, Math.max]],
  ['i32.or', [2, Math.max]],
  ['i32.xor', [2, Math.max]],
  ['i64.shr_u', [2, (a) => a]],
  ['i32.shr_u', [2, (a) => a]],
  ['i64.extend_i32_u', [1, (a) => Math.min(a, 32)]],
  ['i32.wrap_i64', [1, (a) => Math.min(a, 32)]],
  ['i64.eqz', [1, () => 1]],
  ['i32.eqz', [1, () => 1]],
  ['select', [3, (a, b) => Math.max(a, b)]],
]);
for (const name of ['add', 'sub', 'mul', 'shl', 'shr_s', 'rotl', 'rotr'] as const) {
  rules.set(`i64.${name}`, [2, () => unknown]);
  rules.set(`i32.${name}`, [2, () => 32]);
}

const ruleOf = (name: PlainOp): readonly [number, (a: number, b: number, c: number) => number] | undefined => {
  const known = rules.get(name);
  if (known !== undefined || !comparisons.test(name)) return known;
  const rule = [2, () => 1] as const;
  rules.set(name, rule);
  return rule;
};

/** Follows one function body as it is written. */
export class Widths {
  /** Of the values on the stack, as far down as is known. */
  #stack: number[] = [];
  readonly #locals = new Map<number, number>();

  /** Bits of the value on top of the stack: its value is below 2^top. */
  get top(): number {
    return this.#stack.at(-1) ?? unknown;
  }

  /** The same of a local. */
  local(index: number): number {
    return this.#locals.get(index) ?? unknown;
  }

  /** Somebody knows better, from outside of what was followed. */
  assume(local: number, bits: number): void {
    this.#locals.set(local, bits);
  }

  push(bits: number): void {
    this.#stack.push(bits);
  }

  pop(): number {
    return this.#stack.pop() ?? unknown;
  }

  constant(value: bigint | number): void {
    this.push(value < 0 ? unknown : value.toString(2).length);
  }

  set(local: number): void {
    this.#locals.set(local, this.pop());
  }

  tee(local: number): void {
    this.#locals.set(local, this.top);
  }

  op(name: PlainOp): void {
    const known = ruleOf(name);
    if (known === undefined) {
      this.#stack.length = 0;
      return;
    }
    const [operands, rule] = known;
    const c = operands > 2 ? this.pop() : 0;
    const b = operands > 1 ? this.pop() : 0;
    this.push(rule(this.pop(), b, c));
  }

  load(name: MemoryOp): void {
    if (name.includes('store')) {
      this.pop();
      this.pop();
      return;
    }
    this.pop();
    this.push(loadBits[name] ?? unknown);
  }

  /** Something that is not followed: the values on the stack are unknown from here on. */
  forgetStack(): void {
    this.#stack.length = 0;
  }

  /** Control may come from elsewhere. */
  merge(): void {
    this.#stack.length = 0;
    this.#locals.clear();
  }
}
