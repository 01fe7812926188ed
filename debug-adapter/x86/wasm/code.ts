/** Writes the body of one WebAssembly function: instructions in order, labels by handle, locals by type. */

import { laneOpcodes, memoryOpcodes, opcodes, valueTypes, type LaneOp, type MemoryOp, type PlainOp, type ValueType } from './opcodes';
import { Widths } from './widths';

/** A growing byte buffer with the LEB128 encodings of the binary format. */
export class Bytes {
  #data = new Uint8Array(1024);
  length = 0;

  byte(value: number): void {
    if (this.length === this.#data.length) this.#grow(1);
    this.#data[this.length++] = value;
  }

  #grow(more: number): void {
    const next = new Uint8Array(Math.max(this.#data.length * 2, this.length + more));
    next.set(this.#data.subarray(0, this.length));
    this.#data = next;
  }

  /** Unsigned LEB128 of a value below 2^32. */
  u32(value: number): void {
    let rest = value >>> 0;
    while (rest >= 0x80) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.byte(rest);
  }

  /** Signed LEB128 of a 32-bit value. */
  s32(value: number): void {
    let rest = value | 0;
    for (;;) {
      const low = rest & 0x7f;
      rest >>= 7;
      if ((rest === 0 && !(low & 0x40)) || (rest === -1 && low & 0x40)) {
        this.byte(low);
        return;
      }
      this.byte(low | 0x80);
    }
  }

  /** Signed LEB128 of a 64-bit value. */
  s64(value: bigint): void {
    let rest = BigInt.asIntN(64, value);
    if (rest >= -0x40000000n && rest < 0x40000000n) {
      this.s32(Number(rest));
      return;
    }
    for (;;) {
      const low = Number(rest & 0x7fn);
      rest >>= 7n;
      if ((rest === 0n && !(low & 0x40)) || (rest === -1n && low & 0x40)) {
        this.byte(low);
        return;
      }
      this.byte(low | 0x80);
    }
  }

  /** Signed LEB128 of a whole number that a double holds exactly. */
  sInteger(value: number): void {
    let rest = value;
    while (rest < -0x40000000 || rest >= 0x40000000) {
      const next = Math.floor(rest / 128);
      this.byte((rest - next * 128) | 0x80);
      rest = next;
    }
    this.s32(rest);
  }

  /** LEB128 of so many bytes at a place that was kept for it; negative values in their two's complement. */
  patch(at: number, bytes: number, value: number): void {
    let rest = value;
    for (let i = 0; i < bytes; i++) {
      this.#data[at + i] = (rest & 0x7f) | (i < bytes - 1 ? 0x80 : 0);
      rest >>= 7;
    }
  }

  append(bytes: Uint8Array): void {
    if (this.length + bytes.length > this.#data.length) this.#grow(bytes.length);
    this.#data.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** The bytes written so far; a view that the next write may replace. */
  view(): Uint8Array {
    return this.#data.subarray(0, this.length);
  }
}

/** A block, loop or if that is open: what `br` names. */
export type Label = number & { readonly label: unique symbol };

/** Whether a branch is taken nearly always, or hardly ever: an engine that is told keeps what is done for the other case out of the way. */
export type Odds = 'likely' | 'unlikely';

/** A constant or an offset that is told when more of the function is known: where it stands, and the bytes kept for it. */
export interface Late {
  readonly at: number;
  readonly bytes: number;
}

/** Writes one function body. Parameters are locals 0 .. params.length-1. */
export class Code {
  readonly bytes = new Bytes();
  readonly #params: readonly ValueType[];
  readonly #locals: ValueType[] = [];
  #depth = 0;
  readonly widths = new Widths();
  /** Of the branches of which it is known: twice where they stand, ascending, and 1 where they are likely to be taken. */
  #hints: number[] = [];
  /** Bytes of what was put in front. */
  #prepended = 0;

  constructor(params: readonly ValueType[]) {
    this.#params = params;
  }

  /** Number of blocks, loops and ifs that are open. */
  get depth(): number {
    return this.#depth;
  }

  /** A new local, zero at the start of the function. */
  local(type: ValueType): number {
    this.#locals.push(type);
    return this.#params.length + this.#locals.length - 1;
  }

  localType(index: number): ValueType {
    return this.#params[index] ?? this.#locals[index - this.#params.length]!;
  }

  #opcode(code: number): void {
    if (code > 0xff) {
      this.bytes.byte(code >>> 8);
      this.bytes.u32(code & 0xff);
    } else {
      this.bytes.byte(code);
    }
  }

  /** Appends instructions without immediates, in order. Not an array of them: most calls have one, and none would be made for it. */
  op(first: PlainOp, second?: PlainOp, third?: PlainOp, fourth?: PlainOp, fifth?: PlainOp, sixth?: PlainOp, seventh?: PlainOp): this {
    this.#plain(first);
    if (second === undefined) return this;
    this.#plain(second);
    if (third === undefined) return this;
    this.#plain(third);
    if (fourth !== undefined) this.#plain(fourth);
    if (fifth !== undefined) this.#plain(fifth);
    if (sixth !== undefined) this.#plain(sixth);
    if (seventh !== undefined) this.#plain(seventh);
    return this;
  }

  #plain(name: PlainOp): void {
    this.#opcode(opcodes[name]);
    this.widths.op(name);
  }

  get(local: number): this {
    this.bytes.byte(0x20);
    this.bytes.u32(local);
    this.widths.get(local);
    return this;
  }

  set(local: number): this {
    this.bytes.byte(0x21);
    this.bytes.u32(local);
    this.widths.set(local);
    return this;
  }

  tee(local: number): this {
    this.bytes.byte(0x22);
    this.bytes.u32(local);
    this.widths.tee(local);
    return this;
  }

  i32(value: number): this {
    this.bytes.byte(0x41);
    this.bytes.s32(value);
    this.widths.push(64);
    return this;
  }

  /** @param value a number only where it is whole and exact */
  i64(value: bigint | number): this {
    this.bytes.byte(0x42);
    if (typeof value === 'number') {
      this.bytes.sInteger(value);
      this.widths.push(value < 0 || value >= 0x1_0000_0000 ? 64 : 32 - Math.clz32(value));
    } else {
      this.bytes.s64(value);
      this.widths.push(value >= 0n && value < 1n << 32n ? 32 - Math.clz32(Number(value)) : 64);
    }
    return this;
  }

  f32(value: number): this {
    this.widths.push(64);
    this.bytes.byte(0x43);
    this.bytes.append(new Uint8Array(new Float32Array([value]).buffer));
    return this;
  }

  f64(value: number): this {
    this.widths.push(64);
    this.bytes.byte(0x44);
    this.bytes.append(new Uint8Array(new Float64Array([value]).buffer));
    return this;
  }

  /** A v128 constant from its 16 bytes, or from two 64-bit halves (low first). */
  v128(value: Uint8Array | readonly [bigint, bigint]): this {
    this.widths.push(64);
    this.#opcode(0xfd0c);
    this.bytes.append(
      value instanceof Uint8Array ? value : new Uint8Array(BigUint64Array.from(value, (half) => BigInt.asUintN(64, half)).buffer),
    );
    return this;
  }

  /** A load or store at the address on the stack plus a static offset. */
  mem(name: MemoryOp, offset = 0): this {
    this.#opcode(memoryOpcodes[name]);
    this.bytes.byte(0);
    this.bytes.u32(offset);
    this.widths.memory(name);
    return this;
  }

  /** A constant of at most this many bits with its sign, that `settle` tells before anything is put in front of this code. */
  late(type: 'i32' | 'i64', bits: number): Late {
    this.bytes.byte(type === 'i32' ? 0x41 : 0x42);
    this.widths.push(64);
    return this.#keep(Math.ceil(bits / 7));
  }

  /** A load or store whose static offset, below 2^28, `settle` tells. */
  memLate(name: MemoryOp): Late {
    this.#opcode(memoryOpcodes[name]);
    this.bytes.byte(0);
    this.widths.memory(name);
    return this.#keep(4);
  }

  #keep(bytes: number): Late {
    const { length } = this.bytes;
    for (let i = 0; i < bytes; i++) this.bytes.byte(0);
    return { at: length, bytes };
  }

  settle({ at, bytes }: Late, value: number): void {
    this.bytes.patch(at, bytes, value);
  }

  /** `v128.loadN_lane` / `v128.storeN_lane`; size in bytes. */
  memLane(kind: 'load' | 'store', size: 1 | 2 | 4 | 8, lane: number, offset = 0): this {
    this.widths.drop();
    this.#opcode((kind === 'load' ? 0xfd54 : 0xfd58) + Math.log2(size));
    this.bytes.byte(0);
    this.bytes.u32(offset);
    this.bytes.byte(lane);
    return this;
  }

  lane(name: LaneOp, lane: number): this {
    this.widths.drop();
    this.#opcode(laneOpcodes[name]);
    this.bytes.byte(lane);
    return this;
  }

  /** `i8x16.shuffle`: 16 lane numbers, 0..15 of the first operand and 16..31 of the second. */
  shuffle(lanes: readonly number[]): this {
    this.widths.drop();
    this.#opcode(0xfd0d);
    for (let i = 0; i < 16; i++) this.bytes.byte(lanes[i]!);
    return this;
  }

  #open(opcode: number, type: ValueType | undefined): Label {
    this.bytes.byte(opcode);
    this.bytes.byte(type === undefined ? 0x40 : valueTypes[type]);
    // What comes around again is not known yet.
    if (opcode === 0x03) this.widths.forget();
    else this.widths.drop();
    return ++this.#depth as Label;
  }

  block(type?: ValueType): Label {
    return this.#open(0x02, type);
  }

  loop(type?: ValueType): Label {
    return this.#open(0x03, type);
  }

  if(type?: ValueType, odds?: Odds): Label {
    this.#hint(odds);
    return this.#open(0x04, type);
  }

  else(): this {
    this.bytes.byte(0x05);
    this.widths.forget();
    return this;
  }

  end(): this {
    this.bytes.byte(0x0b);
    this.#depth--;
    this.widths.forget();
    return this;
  }

  #hint(odds: Odds | undefined): void {
    if (odds !== undefined) this.#hints.push(this.bytes.length * 2 + (odds === 'likely' ? 1 : 0));
  }

  br(label: Label): this {
    this.widths.drop();
    this.bytes.byte(0x0c);
    this.bytes.u32(this.#depth - label);
    return this;
  }

  brIf(label: Label, odds?: Odds): this {
    this.widths.drop();
    this.#hint(odds);
    this.bytes.byte(0x0d);
    this.bytes.u32(this.#depth - label);
    return this;
  }

  brTable(labels: readonly Label[], otherwise: Label): this {
    this.widths.drop();
    this.bytes.byte(0x0e);
    this.bytes.u32(labels.length);
    for (const label of labels) this.bytes.u32(this.#depth - label);
    this.bytes.u32(this.#depth - otherwise);
    return this;
  }

  call(functionIndex: number): this {
    this.widths.drop();
    this.bytes.byte(0x10);
    this.bytes.u32(functionIndex);
    return this;
  }

  callIndirect(typeIndex: number, table = 0): this {
    this.widths.drop();
    this.bytes.byte(0x11);
    this.bytes.u32(typeIndex);
    this.bytes.u32(table);
    return this;
  }

  returnCall(functionIndex: number): this {
    this.widths.drop();
    this.bytes.byte(0x12);
    this.bytes.u32(functionIndex);
    return this;
  }

  returnCallIndirect(typeIndex: number, table = 0): this {
    this.widths.drop();
    this.bytes.byte(0x13);
    this.bytes.u32(typeIndex);
    this.bytes.u32(table);
    return this;
  }

  memoryCopy(): this {
    this.widths.drop();
    this.bytes.byte(0xfc);
    this.bytes.u32(10);
    this.bytes.byte(0);
    this.bytes.byte(0);
    return this;
  }

  memoryFill(): this {
    this.widths.drop();
    this.bytes.byte(0xfc);
    this.bytes.u32(11);
    this.bytes.byte(0);
    return this;
  }

  /** Puts instructions before those written so far: they may use the locals of this body, and open no label. */
  prepend(first: Code): void {
    const rest = this.bytes.view().slice();
    this.#prepended += first.bytes.length;
    this.bytes.length = 0;
    this.bytes.append(first.bytes.view());
    this.bytes.append(rest);
    this.#hints = [...first.#hints, ...this.#hints.map((hint) => hint + first.bytes.length * 2)];
  }

  /** The function body as the code section has it, without its size. */
  body(): Uint8Array {
    const out = this.#declarations();
    out.append(this.bytes.view());
    out.byte(0x0b);
    return out.view();
  }

  /** Where in the body a late constant lies, once all is written. */
  placeOf({ at }: Late): number {
    return this.#declarations().length + this.#prepended + at;
  }

  /** What is known of the body's branches: twice where in it they stand, ascending, and 1 where they are likely to be taken. */
  hints(): Uint32Array {
    const { length } = this.#declarations();
    return Uint32Array.from(this.#hints, (hint) => hint + length * 2);
  }

  #declarations(): Bytes {
    const out = new Bytes();
    const runs: { type: ValueType; count: number }[] = [];
    for (const type of this.#locals) {
      const last = runs.at(-1);
      if (last?.type === type) last.count++;
      else runs.push({ type, count: 1 });
    }
    out.u32(runs.length);
    for (const run of runs) {
      out.u32(run.count);
      out.byte(valueTypes[run.type]);
    }
    return out;
  }
}
