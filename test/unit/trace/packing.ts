/** Writes packed records as the processor's translated code does, and says what they are. */
import { type NotedPart } from '../../../debug-adapter/trace/noted-events';
import {
  argumentsOf,
  numberShift,
  PackedBase,
  PackedCall,
  PackedContext,
  PackedKind,
  PackedPass,
} from '../../../debug-adapter/trace/packed';
import { EventKind, Flag, notedAfter, notedBefore, wholeCall } from '../../../debug-adapter/trace/records';
import { type ArgumentCapture } from '../../../debug-adapter/trace/arena';

/** Bytes of a log and of its blocks. */
const logBytes = 0x1_0000;
const blockBytes = 0x2_0000;

export interface PackedEvent {
  readonly thread: bigint;
  readonly rip: bigint;
  /** Retired instructions, and nanoseconds that were not instructions'. */
  readonly start: number;
  readonly charged: number;
}

export interface PackedSyscall extends PackedEvent {
  readonly number: number;
  readonly args: readonly bigint[];
  readonly stack: bigint;
  /** Undefined: it is open. */
  readonly over: { readonly end: number; readonly charged: number; readonly result: bigint } | undefined;
  readonly before: readonly ArgumentCapture[];
  readonly after: readonly ArgumentCapture[];
}

const highOf = (value: bigint): number => Number(BigInt.asIntN(32, value >> 32n));

export class Packer {
  readonly memory = new ArrayBuffer(logBytes + blockBytes + 128 * 4096);
  readonly halves = new Int32Array(this.memory);
  readonly bytes = new Uint8Array(this.memory);
  readonly firstBytes = logBytes;
  readonly unpackedAt = logBytes + blockBytes;
  readonly #view = new DataView(this.memory);
  #at = 0;
  #bytesAt = logBytes;
  #count = 0;
  #contexts = 0;
  #marked = 0;
  #lastCall = 0;
  #isWhole = true;
  #context: { readonly thread: bigint; readonly rip: number; readonly stack: number } | undefined;
  #pair: { readonly value: bigint; readonly from: bigint } | undefined;

  constructor(
    private readonly bases: NotedPart['bases'],
    private readonly isMarked: (number: number) => boolean = () => false,
    /** Records begin here: place 0 names no call. */
    private readonly start = 64,
  ) {
    this.#at = start;
  }

  /** Is there room for one more event? */
  get hasRoom(): boolean {
    return this.#at < logBytes - 256 && this.#bytesAt < this.unpackedAt - 0x8000;
  }

  get part(): NotedPart {
    const { bases } = this;
    return {
      from: this.start,
      to: this.#at,
      bytesTo: this.#bytesAt,
      count: this.#count,
      isWhole: this.#isWhole,
      isPlain: this.#contexts <= 1 && this.#marked === 0,
      lastCall: this.#lastCall,
      bases,
    };
  }

  /** Writes a call; answers where it is. */
  call({ thread, rip, start, charged, number, args, stack, over, before, after }: PackedSyscall): number {
    this.#settle(thread, highOf(rip), highOf(stack));
    const at = this.#at;
    const flags = (before.length > 0 ? notedBefore : 0) | (after.length > 0 ? notedAfter : 0);
    this.#word(0, (over === undefined ? EventKind.syscall : wholeCall) | flags | (number << numberShift));
    this.#moment(start, charged);
    if (over !== undefined) {
      this.#word(PackedCall.end, over.end - this.bases.instructions);
      this.#word(PackedCall.endCharged, over.charged - this.bases.charged);
      this.#view.setBigInt64(at + PackedCall.result, over.result, true);
      if (over.result >= 0n && this.isMarked(number)) this.#marked++;
    } else this.#isWhole = false;
    this.#word(PackedCall.rip, Number(BigInt.asIntN(32, rip)));
    this.#word(PackedCall.stack, Number(BigInt.asIntN(32, stack)));
    const count = argumentsOf(number);
    args.slice(0, count).forEach((value, i) => {
      this.#view.setBigUint64(at + PackedCall.args + i * 8, value, true);
    });
    for (const list of [before, after]) if (list.length > 0) this.#block(list);
    this.#lastCall = at;
    this.#end(PackedCall.args + count * 8);
    return at;
  }

  base({ thread, rip, start, charged }: PackedEvent, value: bigint, from: bigint, owner: 'kernel' | 'application' | undefined): void {
    const known = this.#context;
    this.#settle(thread, known?.rip ?? 0, known?.stack ?? 0);
    const at = this.#at;
    const pair = this.#pair;
    const isSame = pair?.value === value && pair.from === from;
    const isSwapped = pair?.value === from && pair.from === value;
    const kind = isSame ? PackedKind.sameBase : isSwapped ? PackedKind.swappedBase : EventKind.segmentBase;
    this.#word(0, kind | (owner === undefined ? 0 : Flag[owner] << 16));
    this.#moment(start, charged);
    this.#view.setBigInt64(at + PackedBase.rip, BigInt.asIntN(64, rip), true);
    if (kind === EventKind.segmentBase) {
      this.#pair = { value, from };
      this.#view.setBigUint64(at + PackedBase.value, value, true);
      this.#view.setBigUint64(at + PackedBase.from, from, true);
    }
    this.#end(kind === EventKind.segmentBase ? PackedBase.size : PackedBase.short);
  }

  pass(start: number, charged: number, slot: number): void {
    this.#word(0, PackedKind.pass);
    this.#moment(start, charged);
    this.#word(PackedPass.slot, slot);
    this.#isWhole = false;
    this.#end(PackedPass.size);
  }

  #settle(thread: bigint, rip: number, stack: number): void {
    const known = this.#context;
    if (known?.thread === thread && known.rip === rip && known.stack === stack) return;
    this.#context = { thread, rip, stack };
    this.#word(0, PackedKind.context);
    this.#word(PackedContext.ripHigh, rip);
    this.#word(PackedContext.stackHigh, stack);
    this.#view.setBigInt64(this.#at + PackedContext.thread, BigInt.asIntN(64, thread), true);
    this.#at += PackedContext.size;
    this.#contexts++;
  }

  #block(list: readonly ArgumentCapture[]): void {
    const first = this.#bytesAt;
    let at = first + 4;
    for (const { index, bytes, truncated } of list) {
      this.#view.setInt32(at, (PackedCall.args + index * 8) | (truncated ? 0x100 : 0) | (bytes.length << 16), true);
      this.bytes.set(bytes, at + 4);
      at += 4 + ((bytes.length + 3) & ~3);
    }
    this.#view.setInt32(first, at - first, true);
    this.#bytesAt = at;
  }

  #moment(start: number, charged: number): void {
    this.#word(PackedCall.start, start - this.bases.instructions);
    this.#word(PackedCall.startCharged, charged - this.bases.charged);
  }

  #word(field: number, value: number): void {
    this.#view.setInt32(this.#at + field, value, true);
  }

  #end(length: number): void {
    this.#at += length;
    this.#count++;
  }
}
