/** The interpreter's binder of the instruction emitters: operands come from the fields of a predecoded record, registers and flags live in the state block. */

import { countRun } from './hot-blocks';
import { Exit, Imports, namedHelpers, RIP_CACHE_ENTRIES, Runtime, Scratch } from './interp-abi';
import { InterpFlags } from './interp-flags';
import { loadOf, storeOf } from './interp-memory';
import { signExtend } from './isa/flags';
import { type Gen } from './isa/gen';
import { Rec, type Shape } from './shape';
import { Layout, Seg, SegField, State } from './state';
import { type Code } from './wasm/code';

export class InterpGen extends InterpFlags implements Gen {
  readonly #handlerType: number | undefined;
  #last = true;
  /** The block goes on elsewhere: no fall-through to the next record. */
  #ended = false;
  #bailed = false;

  /**
   * @param handlerType type index of handlers, in the module with the table; undefined in modules made at run time: importing the table costs each of
   * them time in proportion to its size, so they go through the imported `enter`.
   */
  constructor(c: Code, handlerType: number | undefined) {
    super(c);
    this.#handlerType = handlerType;
  }

  /** Emits one instruction; `last` is false for the first of a fused pair. */
  run(shape: Shape, last: boolean): void {
    this.shape = shape;
    this.#last = last;
    this.addresses.clear();
    let slot = 0;
    this.slots = shape.operands.map(({ kind }) => (kind === 'reg' || kind === 'xmm' || kind === 'mmx' || kind === 'sreg' ? slot++ : -1));
    if (!this.known && shape.flagIn >= 0) this.outKind = -2;
    const definition = shape.row.definition;
    if (definition.emit) {
      if (definition.unit === 'mmx') this.checkPending();
      definition.emit(this);
      // Once nothing can fault any more; registers are physical, so the order does not matter.
      if (definition.unit === 'mmx' && definition.mnemonic !== 'EMMS') this.enterMmx();
      if (definition.flags && shape.live && this.outKind === -2 && !this.known) {
        const f = definition.flags;
        if (((f.writes ?? 0) | (f.undefined ?? 0) | (f.cleared ?? 0) | (f.set ?? 0)) & 0x8d5) this.outKind = -1;
      }
    } else {
      this.bail();
      this.outKind = -1;
    }
    if (this.#bailed) this.outKind = -1;
    if (last && !this.#ended) this.#next();
  }

  /** Goes to the following record. */
  #next(): void {
    this.#dispatch(0);
  }

  /** Goes to the record after the one in a local. */
  #dispatch(record: number): void {
    const { c } = this;
    c.get(record).i32(Rec.size).op('i32.add');
    if (this.#handlerType === undefined) c.returnCall(Runtime.enter);
    else c.get(record).mem('i32.load', Rec.size).returnCallIndirect(this.#handlerType);
  }

  #read(i: number, signed: boolean): void {
    const { c } = this;
    const operand = this.operands[i]!;
    const size = operand.size;
    switch (operand.kind) {
      case 'reg':
      case 'xmm':
      case 'mmx':
      case 'sreg':
        this.slotAddress(i);
        c.mem(loadOf(size, signed));
        return;
      case 'mem':
        c.get(this.host(i, 'read', size));
        c.mem(loadOf(size, signed));
        return;
      case 'imm':
        c.get(0).mem(size === 8 || signed ? 'i64.load' : loadOf(size, false), Rec.imm);
        if (signed) signExtend(c, size);
        return;
      case 'other':
        throw new Error(`${this.shape.row.definition.mnemonic}: operand ${i} cannot be read`);
    }
  }

  rd(i: number): void {
    this.#read(i, false);
  }

  rdSigned(i: number): void {
    this.#read(i, true);
  }

  wr(i: number, value: () => void): void {
    const { c } = this;
    const operand = this.operands[i]!;
    if (operand.kind === 'mem') {
      const host = this.host(i, 'write', operand.size);
      c.get(host);
      value();
      c.mem(storeOf(operand.size));
      this.commit(host);
      return;
    }
    this.slotAddress(i);
    value();
    this.storeRegister(operand.size, 0);
  }

  rmw(i: number, next: (old: number) => void): void {
    const { c } = this;
    const operand = this.operands[i]!;
    const old = this.temp('i64');
    if (operand.kind === 'mem') {
      const host = this.host(i, 'readWrite', operand.size);
      c.get(host).mem(loadOf(operand.size, false)).set(old);
      const value = this.temp('i64');
      next(old);
      c.set(value);
      c.get(host).get(value).mem(storeOf(operand.size));
      this.commit(host);
      return;
    }
    const address = this.temp('i32');
    this.slotAddress(i);
    c.tee(address).mem(loadOf(operand.size, false)).set(old);
    const value = this.temp('i64');
    next(old);
    c.set(value);
    c.get(address).get(value);
    this.storeRegister(operand.size, 0);
  }

  immediate(_i: number): bigint | undefined {
    return this.shape.staticImmediate >= 0 ? BigInt(this.shape.staticImmediate) : undefined;
  }

  nextRip(): void {
    this.c.get(0).mem('i64.load', Rec.next);
  }

  /** Goes to the block in the chain slot, or leaves for the loop to find it. */
  #enter(slot: number, rip: number): void {
    const { c } = this;
    const target = this.temp('i32');
    const budget = this.temp('i64');
    c.i32(0).mem('i64.load', State.budget);
    c.get(0).mem('i32.load', slot).tee(target).mem('i64.load32_u', Rec.remaining);
    c.op('i64.sub').tee(budget).i64(0).op('i64.lt_s');
    c.if();
    c.i32(0).get(0).mem('i64.load', rip).mem('i64.store', State.rip);
    c.i32(0).get(0).i32(slot).op('i32.add').mem('i32.store', State.exitRecord);
    c.i32(0).i32(Exit.lookup).mem('i32.store', State.exit);
    c.op('return');
    c.end();
    c.i32(0).get(budget).mem('i64.store', State.budget);
    countRun(c, target, this.temp('i32'));
    this.#dispatch(target);
  }

  jumpTo(_i: number): void {
    this.#enter(Rec.chain, Rec.target);
    this.#ended = true;
  }

  branch(_i: number, condition: () => void): void {
    condition();
    this.c.if();
    this.#enter(Rec.chain, Rec.target);
    this.c.end();
    this.#enter(Rec.chainNext, Rec.next);
    this.#ended = true;
  }

  /** The end of a block that a limit cut: goes to the next instruction's block. */
  fallThrough(): void {
    this.#enter(Rec.chainNext, Rec.next);
    this.#ended = true;
  }

  interruptLine(): void {
    this.c.i32(0).mem('i32.load', Scratch.line);
  }

  startShadow(): void {
    const { c } = this;
    c.i32(0)
      .i32(0)
      .mem('i32.load', State.budget)
      .get(0)
      .mem('i32.load', Rec.remaining)
      .op('i32.add')
      .i32(1)
      .op('i32.sub')
      .mem('i32.store', Scratch.shadowLeft);
  }

  checkTarget(target: number): void {
    const { c } = this;
    if (this.long) {
      c.get(target).i64(16).op('i64.shl').i64(16).op('i64.shr_s').get(target).op('i64.ne');
    } else {
      c.get(target);
      this.loadState('i32.load', State.seg + Seg.CS * SegField.size + SegField.limit);
      c.op('i64.extend_i32_u', 'i64.gt_u');
    }
    c.if();
    this.raise(13, 0);
    c.end();
  }

  jumpInd(target: () => void): void {
    const { c } = this;
    const rip = this.temp('i64');
    const entry = this.temp('i32');
    const header = this.temp('i32');
    const budget = this.temp('i64');
    target();
    c.tee(rip).op('i32.wrap_i64').tee(entry).get(entry).i32(15).op('i32.shr_u', 'i32.xor');
    c.i32(RIP_CACHE_ENTRIES - 1)
      .op('i32.and')
      .i32(4)
      .op('i32.shl')
      .tee(entry)
      .mem('i64.load', Layout.ripCache);
    c.get(rip);
    this.loadState('i64.load', Scratch.modeTag);
    c.op('i64.xor', 'i64.eq');
    c.if();
    c.i32(0).mem('i64.load', State.budget);
    c.get(entry)
      .mem('i32.load', Layout.ripCache + 8)
      .tee(header)
      .mem('i64.load32_u', Rec.remaining);
    c.op('i64.sub').tee(budget).i64(0).op('i64.ge_s');
    c.if();
    c.i32(0).get(budget).mem('i64.store', State.budget);
    countRun(c, header, entry);
    this.#dispatch(header);
    c.end();
    c.end();
    c.i32(0).get(rip).mem('i64.store', State.rip);
    c.i32(0).i32(0).mem('i32.store', State.exitRecord);
    c.i32(0).i32(Exit.lookup).mem('i32.store', State.exit);
    c.op('return');
    this.#ended = true;
  }

  restart(): void {
    const { c } = this;
    c.i32(0).get(0).mem('i32.store', State.exitRecord);
    c.i32(0).i32(Exit.restart).mem('i32.store', State.exit);
    c.op('return');
  }

  bail(): void {
    const { c } = this;
    this.#bailed = true;
    this.known = undefined;
    if (this.shape.row.definition.endsBlock) {
      c.get(0).call(Imports.helper).op('drop', 'return');
      if (c.depth === 0) this.#ended = true;
      return;
    }
    c.get(0).call(Imports.helper);
    c.if();
    c.op('return');
    c.end();
    if (c.depth > 0) {
      if (!this.#last) throw new Error('bail in the first of a fused pair');
      this.#next();
    }
  }

  /** They lie there. */
  storeVectors(): void {}
  loadVectors(): void {}

  call(name: string): void {
    const index = namedHelpers.indexOf(name);
    if (index < 0) throw new Error(`no runtime function ${name}`);
    this.c.call(Runtime.named + index);
  }
}
