/** The event ring against a plain list of events: packed logs and single records in turns, over the end of the ring and with histories that take another way. RING_ROUNDS sets the number, SEED repeats a run. */
import assert from 'node:assert/strict';
import { type ArgumentCapture, type Capture } from '../../../debug-adapter/trace/arena';
import { argumentsOf, nothingBefore, PackedBase } from '../../../debug-adapter/trace/packed';
import { EventKind, fsNumber } from '../../../debug-adapter/trace/records';
import { EventRing, type SyscallEvent, type TraceEvent } from '../../../debug-adapter/trace/ring';
import { Random, seedOf } from '../../lockstep/random';
import { Packer } from './packing';

const canonical = (r: Random): bigint => {
  const low = BigInt(r.below(0x7fff_ffff)) * 2n;
  return r.pick([
    low,
    low,
    0x10_0000_0000n + low,
    0x7fff_0000_0000n + low,
    0xffff_ffff_8000_0000n + (low >> 2n),
    0xffff_8000_0000_0000n + low,
  ]);
};
const captures = (r: Random): ArgumentCapture[] =>
  [0, 1, 2, 3, 4, 5]
    .filter(() => r.oneIn(12))
    .map((index) => ({
      index,
      bytes: Uint8Array.from({ length: r.below(r.oneIn(300) ? 3000 : 40) }, () => r.below(256)),
      truncated: r.oneIn(4),
    }));

/** An event as it should be, and whether it never was. */
interface Expected {
  event: TraceEvent;
  gone: boolean;
  /** Of a call: what was captured when it was made. */
  readonly before: readonly ArgumentCapture[];
}

class Model {
  readonly list: Expected[] = [];
  readonly ring: EventRing;
  time = 5000;
  charged = 70;
  #bases: readonly bigint[];
  #threads: readonly bigint[];

  constructor(
    private readonly r: Random,
    capacity: number,
  ) {
    this.ring = new EventRing(capacity);
    this.#bases = [canonical(r), canonical(r), canonical(r)];
    this.#threads = [canonical(r), 0n, canonical(r)].slice(0, 1 + r.below(3));
  }

  #moment(): { thread: bigint; rip: bigint; start: number; charged: number } {
    const { r } = this;
    this.time += 1 + r.below(100);
    if (r.oneIn(5)) this.charged += r.below(1000);
    return { thread: r.pick(this.#threads), rip: canonical(r), start: this.time, charged: this.charged };
  }

  #push(event: TraceEvent, before: readonly ArgumentCapture[] = []): void {
    this.list.push({ event, gone: false, before });
  }

  #call(isPacked: boolean, number: number, isOver: boolean): Parameters<Packer['call']>[0] {
    const { r } = this;
    const moment = this.#moment();
    const args = Array.from({ length: 6 }, () => r.integer());
    const before = captures(r);
    const after = isOver ? captures(r) : [];
    this.time += r.below(50);
    if (r.oneIn(5)) this.charged += r.below(1000);
    const over = isOver ? { end: this.time, charged: this.charged, result: BigInt.asIntN(64, r.integer()) } : undefined;
    const stack = canonical(r);
    const kept: (Capture | undefined)[] = new Array<Capture | undefined>(6).fill(undefined);
    for (const { index, bytes, truncated } of [...before, ...after]) kept[index] = { bytes, truncated };
    this.#push(
      {
        kind: 'syscall',
        sequence: this.list.length,
        path: 'binary',
        number,
        args: args.map((value, i) => (i < argumentsOf(number) ? BigInt.asUintN(64, value) : 0n)),
        result: over?.result,
        captures: kept,
        start: BigInt(moment.start),
        end: over && BigInt(over.end),
        time: moment.start + moment.charged,
        endTime: over && over.end + over.charged,
        thread: moment.thread,
        rip: moment.rip,
        caller: isPacked ? BigInt.asUintN(64, moment.rip + 2n) : 0n,
        stack: isPacked ? stack : 0n,
      },
      before,
    );
    return { ...moment, number, args, stack, over, before, after };
  }

  /** A log of so many events. */
  log(count: number): void {
    const { r, ring } = this;
    const packer = new Packer({ instructions: this.time - r.below(1000), charged: this.charged - r.below(50) });
    let written = 0;
    for (; written < count && packer.hasRoom; written++) {
      if (r.oneIn(3)) {
        const moment = this.#moment();
        const [value, from] = [r.pick(this.#bases), r.pick(this.#bases)];
        const owner = r.pick(['kernel', 'application', undefined] as const);
        packer.base(moment, value, from, owner);
        this.#other('segmentBase', fsNumber, value, from, moment, owner);
      } else packer.call(this.#call(true, r.pick([0, 1, 39, 228, 257, 511]), true));
    }
    const { from, to, bytesTo, bases, lastCall } = packer.part;
    const blocks = packer.firstBytes;
    const kept = ring.keep({ words: packer.halves, from, to, blocksFrom: blocks, blocksTo: bytesTo, count: written, bases });
    assert.equal(ring.appendRun(kept, { from, to, blocks, count: written, lastCall, ...nothingBefore }), this.list.length - written);
  }

  #other(
    kind: 'segmentBase' | 'interrupt',
    number: number,
    value: bigint,
    from: bigint,
    { thread, rip, start, charged }: ReturnType<Model['single']> & object,
    owner: 'kernel' | 'application' | undefined,
  ): void {
    const sequence = this.list.length;
    const time = start + charged;
    this.#push({ kind, sequence, number, value, from, start: BigInt(start), time, thread, rip, ...(owner === undefined ? {} : { owner }) });
  }

  /** An event that is recorded by itself. */
  single(): { thread: bigint; rip: bigint; start: number; charged: number } | undefined {
    const { r, ring } = this;
    if (r.oneIn(2)) {
      const moment = this.#moment();
      ring.add(EventKind.interrupt, 32, 1n, 2n, moment.start, moment.start + moment.charged, moment.rip, moment.thread);
      this.#other('interrupt', 32, 1n, 2n, moment, undefined);
      return moment;
    }
    const { thread, rip, start, charged, number, args, over, before, after } = this.#call(false, 1, r.oneIn(2));
    const registers = new Int32Array(BigUint64Array.from(args.map((value) => BigInt.asUintN(64, value))).buffer);
    const [address, of] = [rip, thread].map((value) => Number(BigInt.asIntN(64, value)));
    const sequence = ring.beginSyscall('binary', number, registers, [0, 1, 2, 3, 4, 5], start, start + charged, address!, of!);
    ring.capture(sequence, 'before', before);
    if (over === undefined) return undefined;
    ring.endSyscall(sequence, new Int32Array(BigInt64Array.of(over.result).buffer), over.end, over.end + over.charged);
    ring.capture(sequence, 'after', after);
    return undefined;
  }

  /** Back to a moment that the ring may or may not have. */
  forget(): void {
    const { r, ring, list } = this;
    const moment = Math.max(0, this.time - r.below(r.pick([100, 3000, 100_000])));
    ring.forgetAfter(moment);
    for (const one of list.slice(ring.tail)) {
      const { event } = one;
      if (event.start >= BigInt(moment)) one.gone = true;
      else if (event.kind === 'syscall' && event.end !== undefined && event.end > BigInt(moment)) one.event = reopened(event, one.before);
    }
    this.time = moment;
  }

  check(where: string): void {
    const { r, ring, list } = this;
    assert.equal(ring.head, list.length, where);
    const all = r.oneIn(4);
    const here = Array.from({ length: ring.head - ring.tail }, (_, i) => ring.tail + i);
    assert.equal(
      ring.isWhole,
      here.every((sequence) => !list[sequence]!.gone),
      where,
    );
    const looked = all ? here : Array.from({ length: Math.min(20, here.length) }, () => r.pick(here));
    for (const sequence of looked) {
      const { event, gone } = list[sequence]!;
      assert.equal(ring.has(sequence), !gone, `${where}, event ${sequence}`);
      assert.deepEqual(ring.read(sequence), gone ? undefined : event, `${where}, event ${sequence}`);
    }
    for (const sequence of [ring.tail - 1, ring.head]) assert.equal(ring.read(sequence), undefined, where);
    if (here.length > 0) assert.ok(ring.oldestStart <= Number(list[ring.tail]!.event.start), where);
  }
}

/** The call as it was before it returned. */
function reopened(event: SyscallEvent, before: readonly ArgumentCapture[]): SyscallEvent {
  const captures: (Capture | undefined)[] = new Array<Capture | undefined>(6).fill(undefined);
  for (const { index, bytes, truncated } of before) captures[index] = { bytes, truncated };
  return { ...event, result: undefined, end: undefined, endTime: undefined, captures };
}

describe('the event ring', () => {
  it('has what was put into it, packed or not', function () {
    this.timeout(60_000);
    const first = seedOf('event ring');
    const rounds = Number(process.env['RING_ROUNDS'] ?? 12);
    for (let seed = first; seed < first + rounds; seed++) {
      const r = new Random(seed);
      const capacity = r.pick([3, 50, 1024, 1500, 4000]);
      const model = new Model(r, capacity);
      for (let step = 0; step < 60; step++) {
        const what = r.below(20);
        if (what === 0) model.forget();
        else if (what < 10) model.log(1 + r.below(r.pick([3, 60, 700])));
        else for (let i = r.below(r.pick([3, 200])); i >= 0; i--) model.single();
        model.check(`SEED=${seed}, capacity ${capacity}, step ${step}`);
      }
    }
  });

  it('opens a call again in the midst of which bases changed', () => {
    const packer = new Packer({ instructions: 0, charged: 0 });
    const event = { thread: 1n, rip: 0x1000n, charged: 0 };
    const over = { end: 500, charged: 0, result: 1n };
    packer.call({ ...event, start: 100, number: 39, args: [], stack: 0x2000n, over, before: [], after: [] });
    const { from, to: middle, lastCall, bytesTo: blocks } = packer.part;
    packer.base({ ...event, start: 200 }, 1n, 2n, undefined);
    packer.base({ ...event, start: 600 }, 2n, 1n, undefined);
    const { to, bases, count } = packer.part;
    const ring = new EventRing();
    const kept = ring.keep({ words: packer.halves, from, to, blocksFrom: blocks, blocksTo: blocks, count, bases });
    // The context is the first record.
    const before = { context: from, pair: -1 };
    ring.appendRun(kept, { from, to: middle, blocks, count: 1, lastCall, ...nothingBefore });
    ring.appendRun(kept, { from: middle, to: to - PackedBase.short, blocks, count: 1, lastCall: 0, ...before });
    ring.forgetAfter(450);
    const events = [0, 1].map((sequence) => ring.read(sequence)!);
    assert.deepEqual(
      events.map(({ kind, start, thread }) => [kind, start, thread]),
      [
        ['syscall', 100n, 1n],
        ['segmentBase', 200n, 1n],
      ],
    );
    assert.equal((events[0] as SyscallEvent).end, undefined);
  });
});
