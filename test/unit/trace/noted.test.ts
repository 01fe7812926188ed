/** The records that translated code writes are those that the trace reads. */
import assert from 'node:assert/strict';
import { Random, seedOf } from '../../lockstep/random';
import { LogKind, LogRecord, Telling } from '../../../debug-adapter/x86/event-log';
import { type NotedCalls, NotedEvents, type NotedLog } from '../../../debug-adapter/trace/noted-events';
import { EventKind, EventRing, notedAfter, notedBefore, RecordField, recordBytes, wholeCall } from '../../../debug-adapter/trace/ring';

describe('records of translated code', () => {
  it('lie as the ring has them', () => {
    const { startInstruction: start, endInstruction: end, thread: sample, stack: rsp, flags, ...same } = RecordField;
    assert.deepEqual({ start, end, sample, rsp, size: recordBytes, ...same }, { ...LogRecord });
    // Within the word of the kind.
    assert.equal(flags, 2);
    assert.deepEqual([LogKind.before, LogKind.after], [notedBefore, notedAfter]);
    assert.deepEqual([LogKind.wholeCall, LogKind.base, LogKind.openCall], [wholeCall, EventKind.segmentBase, EventKind.syscall]);
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
    const r = new Random(seedOf('records that nobody follows'));
    for (let round = 0; round < 50; round++) {
      const count = 1 + r.below(60);
      const memory = new ArrayBuffer(count * recordBytes);
      const halves = new Int32Array(memory);
      const floats = new Float64Array(memory);
      const log: NotedLog = { halves, bytes: new Uint8Array(memory), firstBytes: 0, reader: undefined, drain: () => undefined };
      const ring = new EventRing(1000);
      const earlier = r.below(20);
      if (earlier > 0) ring.append(new Int32Array((earlier * recordBytes) / 4), 0, earlier);
      const expected: string[] = [];
      let thread: number | undefined;
      let last = -1;
      const flushed = (): void => {
        if (last >= 0) expected.push(`reached ${last}`);
        thread = undefined;
        last = -1;
      };
      for (let i = 0; i < count; i++) {
        const at = i * recordBytes;
        const kind = r.below(8);
        halves[at / 4] = kind === 0 ? LogKind.pass : kind === 1 ? LogKind.openCall : kind < 4 ? LogKind.base : wholeCall;
        const number = r.below(6);
        halves[(at + RecordField.number) / 4] = number;
        floats[(at + RecordField.thread) / 8] = r.below(3);
        floats[(at + RecordField.startInstruction) / 8] = i * 10;
        floats[(at + RecordField.endInstruction) / 8] = i * 10 + 5;
        if (kind < 2) {
          flushed();
          expected.push(kind === 0 ? `pass ${at}` : `call ${at}`);
        } else if (kind >= 4) {
          if (floats[(at + RecordField.thread) / 8] !== thread)
            expected.push(`returned ${(thread = floats[(at + RecordField.thread) / 8])}`);
          // What is not a call of the ring's has no place there.
          const sequence = earlier + [...Array(i).keys()].filter((k) => !isApart(halves[(k * recordBytes) / 4]!)).length;
          if (number >= 3) expected.push(`ended ${at} ${sequence}`);
          last = at;
        }
      }
      flushed();
      const told: string[] = [];
      const calls: NotedCalls = {
        marked: Uint8Array.of(0, 0, 0, 1, 1, 1),
        call: (at) => told.push(`call ${at}`),
        wholeCalls: () => told.push('whole calls'),
        ended: (at, sequence) => told.push(`ended ${at} ${sequence}`),
        pass: (at) => told.push(`pass ${at}`),
        isSingle: () => false,
        returned: (of) => told.push(`returned ${of}`),
        reached: (at) => told.push(`reached ${at}`),
      };
      const events = new NotedEvents(log, ring, () => false);
      events.calls = calls;
      events.isFollowed = () => false;
      log.reader!(0, count * recordBytes, 0);
      assert.deepEqual(told, expected);
    }
  });
});

/** Is this the first word of a record that the reader hands on instead of keeping it? */
const isApart = (word: number): boolean => word === LogKind.pass || word === LogKind.openCall;
