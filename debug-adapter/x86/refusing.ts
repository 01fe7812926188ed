/** Functions in generated code that do what is frequent of an instruction, or refuse before anything has changed, for TypeScript to do it by all the rules. */

import { Code, type Label } from './wasm/code';

/** A function `(i64, i64) -> i64` that answers 1 where it has done its work, and 0 where it refused. */
export class Refusing {
  readonly c = new Code(['i64', 'i64']);
  readonly #refuse: Label;
  readonly #entry: number;

  constructor() {
    this.#entry = this.c.local('i32');
    this.#refuse = this.c.block();
  }

  /** The function, where all that it does has been emitted. */
  get done(): Code {
    const { c } = this;
    c.i64(1).op('return');
    c.end();
    c.i64(0);
    return c;
  }

  /** Refuses where the i32 on the stack is not 0. */
  refuse(): void {
    this.c.brIf(this.#refuse, 'unlikely');
  }

  /** Pushes the 64-bit word at an offset in the state block. */
  load(at: number): Code {
    return this.c.i32(0).mem('i64.load', at);
  }

  /** Pushes the host address of the bytes from one linear address (i64 local) to the one that is pushed, the last, which have to lie in one page that the TLB holds. */
  host(tlb: number, linear: number, pushLast: () => void): void {
    const { c } = this;
    c.get(linear).i64(8).op('i64.shr_u', 'i32.wrap_i64').i32(0xffff0).op('i32.and').tee(this.#entry).mem('i64.load', tlb);
    pushLast();
    c.i64(-4096).op('i64.and', 'i64.ne');
    this.refuse();
    c.get(linear)
      .op('i32.wrap_i64')
      .get(this.#entry)
      .mem('i32.load', tlb + 8)
      .op('i32.add');
  }
}
