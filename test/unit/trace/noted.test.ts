/** The records that translated code writes are those that the trace reads. */
import assert from 'node:assert/strict';
import { Random, seedOf } from '../../lockstep/random';
import {
  LogArea,
  LogBase,
  LogCall,
  LogContext,
  LogKind,
  LogPass,
  numberShift as logNumberShift,
  Telling,
} from '../../../debug-adapter/x86/event-log';
import { Layout } from '../../../debug-adapter/x86/state';
import { type NotedCalls, NotedEvents, type NotedLog } from '../../../debug-adapter/trace/noted-events';
import { mostNoted, numberShift, PackedBase, PackedCall, PackedContext, PackedKind, PackedPass } from '../../../debug-adapter/trace/packed';
import { EventKind, Flag, notedAfter, notedBefore, RecordField, recordBytes, wholeCall } from '../../../debug-adapter/trace/records';
import { EventRing, type OtherEvent } from '../../../debug-adapter/trace/ring';
import { Packer } from './packing';

describe('records of translated code', () => {
  it('lie as the trace reads them', () => {
    assert.deepEqual(
      [PackedCall, PackedContext, PackedBase, PackedPass],
      [LogCall, LogContext, LogBase, LogPass].map((one) => ({ ...one })),
    );
    const { context, pass, sameBase, swappedBase, base, ofKernel, ofApplication } = LogKind;
    assert.deepEqual(PackedKind, { context, pass, sameBase, swappedBase });
    assert.deepEqual([numberShift, mostNoted], [logNumberShift, LogArea.mostCalls]);
    assert.deepEqual([LogKind.before, LogKind.after], [notedBefore, notedAfter]);
    assert.deepEqual([LogKind.wholeCall, base, LogKind.openCall], [wholeCall, EventKind.segmentBase, EventKind.syscall]);
    assert.deepEqual([ofKernel, ofApplication], [Flag.kernel << 16, Flag.application << 16]);
    // The shortest records are those of bases.
    assert.ok(((LogArea.end - LogArea.start) / PackedBase.short) * recordBytes <= Layout.logUnpackedEnd - Layout.logUnpacked);
    assert.equal(Telling.unlessInside, 2);
  });

  it('are taken over over the ends of chunks and of the ring', () => {
    for (const capacity of [5, 1024, 1500]) {
      const ring = new EventRing(capacity);
      const words = new Int32Array((recordBytes / 4) * 2100);
      const floats = new Float64Array(words.buffer);
      for (let i = 0; i < 2100; i++) {
        words[(i * recordBytes) / 4] = wholeCall;
        words[(i * recordBytes + RecordField.number) / 4] = i;
        floats[(i * recordBytes + RecordField.startInstruction) / 8] = 10 * i;
        floats[(i * recordBytes + RecordField.endInstruction) / 8] = 10 * i + 1;
      }
      let done = 0;
      for (const count of [1, 2, 3, 700, 1, 1393]) {
        assert.equal(ring.append(words, (done * recordBytes) / 4, count), done);
        done += count;
      }
      for (let i = ring.tail; i < ring.head; i++) {
        const event = ring.read(i);
        assert.ok(
          event?.kind === 'syscall' && event.number === i && event.start === BigInt(10 * i) && event.end === BigInt(10 * i + 1),
          `${i} of ${capacity}`,
        );
      }
      assert.equal(ring.head, 2100);
    }
  });

  it('are taken over the same with nobody who follows them, but for what later ones depend on', () => {
    const seed = seedOf('records that nobody follows');
    const r = new Random(seed);
    // close, dup, open: of interest where they have not failed.
    const marked = new Uint8Array(mostNoted);
    for (const number of [3, 32, 2]) marked[number] = 1;
    for (let round = 0; round < 300; round++) {
      const count = 1 + r.below(r.pick([60, 400]));
      // What is kept packed are long runs between others.
      const breaks = r.pick([8, 50, 150]);
      const packer = new Packer({ instructions: 1000, charged: 0 }, (number) => marked[number] === 1);
      const log: NotedLog = {
        halves: packer.halves,
        bytes: packer.bytes,
        firstBytes: packer.firstBytes,
        unpackedAt: packer.unpackedAt,
        reader: undefined,
        drain: () => undefined,
      };
      const ring = new EventRing(1000);
      const earlier = r.below(20);
      if (earlier > 0) ring.append(new Int32Array((earlier * recordBytes) / 4), 0, earlier);
      const expected: string[] = [];
      const inRing: string[] = [];
      let thread: bigint | undefined;
      let last = -1;
      let kept = earlier;
      const flushed = (): void => {
        if (last >= 0) expected.push(`reached ${last} ${last + 5}`);
        thread = undefined;
        last = -1;
      };
      const allWhole = r.oneIn(2);
      const threads = r.pick([1, 3]);
      for (let i = 0; i < count; i++) {
        const event = { thread: BigInt(r.below(threads)), rip: 0x1000n, start: 1000 + i * 10, charged: 0 };
        const number = r.pick([0, 1, 39, 3, 32, 2]);
        const result = r.oneIn(2) ? 3n : -2n;
        const isOpen = !allWhole && r.oneIn(breaks);
        const over = isOpen ? undefined : { end: event.start + 5, charged: 0, result };
        if (!allWhole && r.oneIn(breaks)) {
          packer.pass(event.start, 0, 7);
          flushed();
          expected.push(`pass ${event.start}`);
        } else if (r.oneIn(4)) {
          const value = BigInt(r.below(r.pick([1, 3])));
          packer.base(event, value, 5n, undefined);
          inRing.push(`${event.start} ${event.thread}: ${value}`);
          kept++;
        } else {
          const [before, after] = [0, 0].map(() =>
            r.oneIn(3) ? [{ index: 1, bytes: Uint8Array.of(i, r.below(256)), truncated: false }] : [],
          );
          packer.call({
            ...event,
            number,
            args: [1n, 2n, 3n, 4n, 5n, 6n],
            stack: 0x2000n,
            over,
            before: before!,
            after: isOpen ? [] : after!,
          });
          if (isOpen) {
            flushed();
            expected.push(`call ${event.start}`);
            continue;
          }
          if (event.thread !== thread) expected.push(`returned ${(thread = event.thread)}`);
          if (marked[number] === 1 && result >= 0n) expected.push(`ended ${event.start} ${number} ${kept}`);
          last = event.start;
          const shown = [...before!, ...after!].at(-1)?.bytes ?? [];
          inRing.push(`${event.start} ${event.thread}: ${number} = ${result}, [${[...shown].join()}]`);
          kept++;
        }
      }
      flushed();
      const told: string[] = [];
      const calls: NotedCalls = {
        marked,
        call: (at) => told.push(`call ${events.number(at, RecordField.startInstruction)}`),
        wholeCalls: () => told.push('whole calls'),
        ended: (at, sequence) =>
          told.push(`ended ${events.number(at, RecordField.startInstruction)} ${packer.halves[(at + RecordField.number) / 4]} ${sequence}`),
        pass: (at) => told.push(`pass ${events.number(at, RecordField.startInstruction)}`),
        isSingle: () => false,
        returned: (of) => told.push(`returned ${of}`),
        reached: (start, rip, end) => {
          assert.equal(rip, 0x1000);
          told.push(`reached ${start} ${end}`);
        },
      };
      const events = new NotedEvents(log, ring, () => false);
      events.calls = calls;
      events.isFollowed = () => false;
      // What was noted while others were open may be over by now.
      log.reader!(r.oneIn(4) ? { ...packer.part, isWhole: false } : packer.part);
      assert.deepEqual(told, expected, `SEED=${seed}, round ${round}`);
      assert.equal(ring.head, kept);
      const read = Array.from(inRing, (_, i) => {
        const event = ring.read(earlier + i);
        const { start, thread: own } = event!;
        if (event?.kind !== 'syscall') return `${start} ${own}: ${(event as OtherEvent).value}`;
        return `${start} ${own}: ${event.number} = ${event.result}, [${[...(event.captures[1]?.bytes ?? [])].join()}]`;
      });
      assert.deepEqual(read, inRing, `SEED=${seed}, round ${round}`);
    }
  });
});
