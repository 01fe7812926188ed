/** The records that translated code writes are those that the trace reads. */
import assert from 'node:assert/strict';
import { LogKind, LogRecord, Telling } from '../../../debug-adapter/x86/event-log';
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
});
