/** How regions reach memory: straight to guest RAM through the window, by the TLB, or out of the region. */

import { zeroExtend } from '../isa/flags';
import { type Access } from '../isa/gen';
import { Layout, Seg, SegField, State } from '../state';
import { type MemoryOp } from '../wasm/opcodes';
import { type FloatUse } from './float';
import { keyOfInsn, type MemoryUse, type WindowMapping } from './region-abi';
import { type Place } from './origins';
import { RegionFrame } from './region-frame';
import { type Reach, TlbGroups } from './tlb-groups';

export const loadOf = (size: number, signed: boolean): MemoryOp =>
  size === 8
    ? 'i64.load'
    : size === 4
      ? signed
        ? 'i64.load32_s'
        : 'i64.load32_u'
      : size === 2
        ? signed
          ? 'i64.load16_s'
          : 'i64.load16_u'
        : signed
          ? 'i64.load8_s'
          : 'i64.load8_u';
export const storeOf = (size: number): MemoryOp =>
  size === 8 ? 'i64.store' : size === 4 ? 'i64.store32' : size === 2 ? 'i64.store16' : 'i64.store8';

/** An address that was seen to lie in the window with some room around it. */
interface Seen extends Reach {
  readonly disp: number;
  /** It may be written. */
  readonly writable: boolean;
}

/** A register, as its i64 local, and what is added to it. */
interface Base {
  readonly local: number;
  readonly disp: number;
}

/** Can all of a window's addresses be reached by registers `disp` below and one offset, with neither sum nor register beyond 32 bits? */
function isWithin(start: bigint, length: bigint, disp: number, delta: number): boolean {
  const below = BigInt(disp);
  const end = start + length;
  const most = 1n << 32n;
  return start >= below && end - below < most && end + BigInt(delta) < most && delta + disp >= room;
}

/** Bytes of room that a look at an address leaves on both sides for others nearby. */
const room = 256;

export class RegionMemory extends RegionFrame {
  /** Addresses of the current block by the key of their place. */
  readonly #seen = new Map<string, Seen[]>();
  readonly #seenLocals: number[] = [];
  /** Displacements of places in the current block that were seen to be aligned, and to what, by their key. */
  readonly #aligned = new Map<string, { readonly disp: number; readonly align: number }[]>();
  #seenCount = 0;
  readonly #groups: TlbGroups;
  /** The window of accesses that do not go by the TLB. */
  readonly #window: WindowMapping | undefined;
  /** Whatever may be written may be read. */
  readonly #readsCoverWrites: boolean;
  /** Linear addresses of the current instruction's operand by displacement: their locals. */
  protected readonly addresses = new Map<number, number>();

  constructor(
    floats: FloatUse | undefined,
    private readonly memory: MemoryUse,
  ) {
    super(floats);
    this.#groups = new TlbGroups({
      c: this.c,
      leaveLate: (condition) => this.leaveLate(condition),
      settleExit: (exit, why) => {
        this.settleExit(exit, why);
      },
    });
    const { window } = memory;
    this.#window = window;
    this.#readsCoverWrites =
      window !== undefined &&
      window.readStart <= window.writeStart &&
      window.writeStart + window.writeLength <= window.readStart + window.readLength;
  }

  /** Nothing is known of addresses: a block begins. */
  forgetAddresses(): void {
    this.#groups.finish();
    this.origins.clear();
    this.#seen.clear();
    this.#aligned.clear();
    this.#seenCount = 0;
  }

  get addressSize(): 2 | 4 | 8 {
    return this.insn.addressSize;
  }

  #offset(): void {
    const { c } = this;
    const insn = this.insn;
    const { dispLow, dispHigh } = insn;
    let parts = 0;
    if (insn.memBase >= 0) {
      c.get(this.register(insn.memBase));
      parts++;
    }
    if (insn.memIndex >= 0) {
      c.get(this.register(insn.memIndex));
      if (insn.memScale > 0) c.i64(insn.memScale).op('i64.shl');
      if (parts++ > 0) c.op('i64.add');
    }
    if (dispLow !== 0 || dispHigh !== 0 || parts === 0) {
      if (dispHigh === dispLow >> 31) c.i64(dispLow);
      else c.i64((BigInt(dispHigh) << 32n) | BigInt(dispLow >>> 0));
      if (parts > 0) c.op('i64.add');
    }
  }

  ea(_i: number): void {
    this.#offset();
    zeroExtend(this.c, this.addressSize);
  }

  #linearLocal(disp: number): number {
    const { c } = this;
    const known = this.addresses.get(disp);
    if (known !== undefined) return known;
    const local = this.temp('i64');
    this.#offset();
    if (disp !== 0) c.i64(disp).op('i64.add');
    if (this.addressSize !== 8) zeroExtend(c, this.addressSize);
    const { segment } = this.insn;
    if (segment === Seg.FS || segment === Seg.GS)
      c.i32(0)
        .mem('i64.load', State.seg + segment * SegField.size)
        .op('i64.add');
    c.set(local);
    if (c.depth === this.baseDepth) this.addresses.set(disp, local);
    return local;
  }

  /** Nesting in which the current block stands: addresses computed deeper are not known on every path. */
  baseDepth = 0;

  linear(_i: number, disp = 0): void {
    this.c.get(this.#linearLocal(disp));
  }

  stringAddress(which: 'source' | 'destination', _size: number, _access: Access): void {
    this.reg(which === 'source' ? 6 : 7, this.addressSize);
    const { segment } = this.insn;
    if (which === 'source' && (segment === Seg.FS || segment === Seg.GS))
      this.c
        .i32(0)
        .mem('i64.load', State.seg + segment * SegField.size)
        .op('i64.add');
  }

  host(_i: number, access: Access, size: number, disp = 0, align?: number): number {
    return this.#hostOf(this.#reachDisplaced(access, size, disp, align));
  }

  #checkAlignment(linear: number, align: number, place: Place | undefined): void {
    const { c } = this;
    this.leaveIf(() =>
      c
        .get(linear)
        .op('i32.wrap_i64')
        .i32(align - 1)
        .op('i32.and'),
    );
    if (place === undefined || c.depth !== this.baseDepth) return;
    const others = this.#aligned.get(place.key);
    const aligned = { disp: place.disp, align };
    if (others === undefined) this.#aligned.set(place.key, [aligned]);
    else others.push(aligned);
  }

  /** Is a place known to be a multiple of `align`, as one was that lies multiples of it away? */
  #isAligned(place: Place, align: number): boolean {
    return this.#aligned.get(place.key)?.some((other) => other.align >= align && (place.disp - other.disp) % align === 0) === true;
  }

  hostAt(linear: number, access: Access, size: number): number {
    return this.#hostOf(this.reach(linear, access, size));
  }

  #hostOf({ index, offset }: Reach): number {
    if (offset === 0) return index;
    const host = this.temp('i32');
    this.c.get(index).i32(offset).op('i32.add').set(host);
    return host;
  }

  /** The host address of the memory operand, as a local and a static offset. */
  protected reachOperand(access: Access, size: number, align?: number): Reach {
    return this.#reachDisplaced(access, size, 0, align);
  }

  #reachDisplaced(access: Access, size: number, disp: number, align: number | undefined): Reach {
    const place = this.#isSegmented ? undefined : this.origins.place(this.insn, disp);
    const seen = place && this.reachSeen(place, access, size);
    const unaligned = align !== undefined && (place === undefined || !this.#isAligned(place, align)) ? align : undefined;
    if (seen !== undefined && unaligned === undefined) return seen;
    const base = this.#baseOf(disp);
    const linear = this.#linearLocal(disp);
    if (unaligned !== undefined) this.#checkAlignment(linear, unaligned, place);
    return seen ?? this.reach(linear, access, size, place, base);
  }

  /** The host address of a place near one that was looked at before; undefined where there was none. */
  protected reachSeen(place: Place, access: Access, size: number): Reach | undefined {
    if (this.#isAlone()) return undefined;
    if (this.#window === undefined) return this.#groups.join(place, access, size);
    for (const { index, offset, disp, writable } of this.#seen.get(place.key) ?? []) {
      const more = place.disp - disp;
      if (Math.abs(more) > room || offset + more < 0) continue;
      if (access === 'read' ? !writable || this.#readsCoverWrites : writable) return { index, offset: offset + more };
    }
    return undefined;
  }

  /**
   * The host address of the linear one in a local, or leaves.
   * @param place the same address, for others nearby.
   * @param base what it is computed from.
   */
  protected reach(linear: number, access: Access, size: number, place?: Place, base?: Base): Reach {
    const { c } = this;
    const window = this.#window;
    const read = access === 'read';
    if (window === undefined || this.#isAlone()) {
      if (window === undefined && place !== undefined && c.depth === this.baseDepth) {
        if (this.#isAlone()) this.#groups.keepApart(place.key);
        else if (this.#groups.mayJoin(place.key)) return this.#beginGroup(linear, access, size, place);
      }
      const index = this.temp('i32');
      this.#tlbHost(linear, read, size);
      c.set(index);
      return { index, offset: 0 };
    }
    let start = read ? window.readStart : window.writeStart;
    let length = read ? window.readLength : window.writeLength;
    const isKept = place !== undefined && c.depth === this.baseDepth && length > 16 * room;
    if (isKept) {
      start += BigInt(room);
      length -= BigInt(2 * room);
    }
    let distance = linear;
    if (start !== 0n) {
      distance = this.temp('i64');
      c.get(linear).i64(start).op('i64.sub').set(distance);
    }
    this.leaveIf(() => c.get(distance).i64(length).op('i64.ge_u'), 'reach');
    // One that is made of a register and a constant comes straight from the register, the sooner for it; others have their distance made in the same step.
    const delta = window.delta >>> 0;
    const straight = base !== undefined && isWithin(start, length, base.disp, delta) ? base : undefined;
    const reach = {
      index: isKept ? this.#seenLocal() : this.temp('i32'),
      offset: straight === undefined ? (Number(BigInt.asUintN(32, start)) + delta) >>> 0 : delta + straight.disp,
    };
    c.get(straight?.local ?? distance)
      .op('i32.wrap_i64')
      .set(reach.index);
    if (isKept) {
      const seen = { ...reach, disp: place.disp, writable: !read };
      const others = this.#seen.get(place.key);
      if (others === undefined) this.#seen.set(place.key, [seen]);
      else others.push(seen);
    }
    return reach;
  }

  /** Was the current instruction seen to reach elsewhere than the window, or others in its block? */
  #isAlone(): boolean {
    return this.memory.isAlone(keyOfInsn(this.insn));
  }

  #beginGroup(linear: number, access: Access, size: number, place: Place): Reach {
    const locals = { linear, index: this.#seenLocal(), start: this.temp('i64'), entry: this.temp('i32') };
    return this.#groups.begin(place, access, size, locals);
  }

  /** A local that keeps its value to the end of the block. */
  #seenLocal(): number {
    if (this.#seenCount === this.#seenLocals.length) this.#seenLocals.push(this.c.local('i32'));
    return this.#seenLocals[this.#seenCount++]!;
  }

  get #isSegmented(): boolean {
    return this.insn.segment === Seg.FS || this.insn.segment === Seg.GS;
  }

  /** What the memory operand's address, and `more`, is computed from, where that is one register that is not known to have changed since. */
  #baseOf(more: number): Base | undefined {
    const { hasMemory, memBase, memIndex, dispLow, dispHigh } = this.insn;
    const isBased = hasMemory && memBase >= 0 && memIndex < 0 && dispHigh === dispLow >> 31 && this.addressSize === 8 && !this.#isSegmented;
    return isBased && !this.addresses.has(more) ? { local: this.register(memBase), disp: dispLow + more } : undefined;
  }

  /** Pushes what the memory operand holds. */
  protected load(op: MemoryOp, size: number, align?: number): void {
    const { index, offset } = this.reachOperand('read', size, align);
    this.c.get(index).mem(op, offset);
  }

  protected store(op: MemoryOp, size: number, value: () => void, align?: number): void {
    const { index, offset } = this.reachOperand('write', size, align);
    this.c.get(index);
    value();
    this.c.mem(op, offset);
  }

  /** Pushes the host address by the TLB, or leaves. */
  #tlbHost(linear: number, read: boolean, size: number): void {
    const { c } = this;
    const tlb = read ? Layout.tlbRead : Layout.tlbWrite;
    const entry = this.temp('i32');
    this.leaveIf(() => {
      c.get(linear).i64(8).op('i64.shr_u', 'i32.wrap_i64').i32(0xffff0).op('i32.and').tee(entry).mem('i64.load', tlb);
      c.get(linear);
      if (size > 1) c.i64(size - 1).op('i64.add');
      c.i64(-4096).op('i64.and', 'i64.ne');
    });
    c.get(linear)
      .op('i32.wrap_i64')
      .get(entry)
      .mem('i32.load', tlb + 8)
      .op('i32.add');
  }

  /** Stores here are done at once: what would not be plain RAM has left the region. */
  commit(_host: number): void {
    // Nothing is ever put aside.
  }

  readonly flatStrings = false;

  hostPage(_linear: number, _access: 'read' | 'write'): number {
    throw new Error("repeated string instructions are the interpreter's");
  }
}
