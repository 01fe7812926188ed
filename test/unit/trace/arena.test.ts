/** The memory of what system calls pointed to against a plain list of it: random blocks, records that end, and few pages. SEED repeats a run. */
import assert from 'node:assert/strict';
import { Arena, type ArgumentCapture, type Capture, captureLimit } from '../../../debug-adapter/trace/arena';
import { PackedCall } from '../../../debug-adapter/trace/packed';
import { notedAfter, notedBefore, recordBytes, wholeCall } from '../../../debug-adapter/trace/records';
import { EventRing } from '../../../debug-adapter/trace/ring';
import { Random, seedOf } from '../../lockstep/random';

/** What the arena puts its blocks in. */
const pageBytes = 262_144;
/** The largest block: headers, and six arguments. */
const mostBlock = 4 + 6 * (4 + captureLimit);

interface Kept {
  readonly sequence: number;
  readonly place: number;
  readonly list: readonly ArgumentCapture[];
  /** Bytes of the block, and of all that were put before it, at most. */
  readonly length: number;
  readonly before: number;
}

const noise = Uint8Array.from({ length: 4 * captureLimit }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 24);

/** Some of the noise. */
function randomBytes(r: Random, length: number): Uint8Array {
  const from = r.below(noise.length - length);
  return noise.subarray(from, from + length);
}

function randomList(r: Random, longest: number): ArgumentCapture[] {
  const indices = [0, 1, 2, 3, 4, 5].filter(() => r.oneIn(3));
  if (indices.length === 0) indices.push(r.below(6));
  return indices.map((index) => ({ index, bytes: randomBytes(r, r.below(longest)), truncated: r.oneIn(4) }));
}

/** The block of a list as the processor would write it. */
function blockOf(list: readonly ArgumentCapture[]): Int32Array {
  const sizes = list.map(({ bytes }) => 4 + ((bytes.length + 3) & ~3));
  const length = sizes.reduce((sum, size) => sum + size, 4);
  const words = new Int32Array(length / 4);
  const all = new Uint8Array(words.buffer);
  words[0] = length;
  let at = 4;
  for (const [i, { index, bytes, truncated }] of list.entries()) {
    words[at / 4] = (PackedCall.args + index * 8) | (truncated ? 0x100 : 0) | (bytes.length << 16);
    all.set(bytes, at + 4);
    at += sizes[i]!;
  }
  return words;
}

const capturesOf = (list: readonly ArgumentCapture[]): (Capture | undefined)[] => {
  const captures = new Array<Capture | undefined>(6).fill(undefined);
  for (const { index, bytes, truncated } of list) captures[index] = { bytes, truncated };
  return captures;
};

describe('memory of captures', () => {
  it('keeps those of living records, in few pages', function () {
    this.timeout(60_000);
    const seed = seedOf('arena');
    const r = new Random(seed);
    for (let round = 0; round < 12; round++) {
      const pages = 2 + r.below(12);
      const records = r.pick([1, 20, 300, 2000]);
      const longest = r.pick([8, 100, 1000, captureLimit]);
      const arena = new Arena(pages * pageBytes, records);
      const where = `SEED=${seed}, round ${round}: ${pages} pages, ${records} records, up to ${longest} bytes`;
      let living: Kept[] = [];
      let put = 0;
      let mostLiving = 0;
      let lost = 0;
      let sequence = 0;
      for (let i = 0; i < 3000; i++) {
        sequence += r.below(3);
        // What a call's arguments point to when it returns may come after many later calls.
        const of = r.oneIn(10) ? Math.max(0, sequence - r.below(records)) : sequence;
        const list = randomList(r, longest);
        const words = blockOf(list);
        const length = words.byteLength;
        const place = r.oneIn(2) ? arena.write(list, of) : arena.copy(words, 0, length, of);
        put += length;
        living = living.filter((kept) => kept.sequence > sequence - records);
        living.push({ sequence: of, place, list, length, before: put - length });
        mostLiving = Math.max(mostLiving, put - living[0]!.before);
        const kept = r.oneIn(3) ? living[0]! : r.pick(living);
        const captures = new Array<Capture | undefined>(6).fill(undefined);
        arena.read(kept.place, captures);
        if (captures.every((capture) => capture === undefined)) {
          lost++;
          // Only for want of pages, each of which may have been left with no room for one more block.
          assert.ok(put - kept.before > (pages - 1) * (pageBytes - mostBlock), `${where}: block ${i} is gone`);
        } else assert.deepEqual(captures, capturesOf(kept.list), where);
      }
      const needed = Math.ceil(mostLiving / (pageBytes - mostBlock)) + 2;
      assert.ok(arena.size <= Math.min(pages, needed) * pageBytes, `${where}: ${arena.size} bytes for ${mostLiving}`);
      if (needed <= pages) assert.equal(lost, 0, where);
    }
  });

  it('is that of the records the ring has', () => {
    const seed = seedOf('arena of a ring');
    const r = new Random(seed);
    const capacity = 1500;
    const ring = new EventRing(capacity);
    const lists: (readonly ArgumentCapture[])[] = [];
    for (let round = 0; round < 60; round++) {
      const count = 1 + r.below(500);
      const words = new Int32Array((recordBytes / 4) * count);
      const blocks: number[] = [];
      for (let i = 0; i < count; i++) {
        const list = r.oneIn(3) ? [] : randomList(r, 200);
        lists.push(list);
        // What goes in, what comes out, or both.
        const split = r.below(list.length + 1);
        const [before, after] = [list.slice(0, split), list.slice(split)];
        words[(i * recordBytes) / 4] = wholeCall | (before.length > 0 ? notedBefore : 0) | (after.length > 0 ? notedAfter : 0);
        for (const part of [before, after]) if (part.length > 0) blocks.push(...blockOf(part));
      }
      const first = ring.append(words, 0, count);
      const source = Int32Array.from(blocks);
      assert.equal(ring.appendBlocks(first, count, source, 0, source.byteLength), source.byteLength);
      for (let i = 0; i < 20; i++) {
        const sequence = ring.tail + r.below(ring.head - ring.tail);
        const event = ring.read(sequence);
        assert.ok(event?.kind === 'syscall');
        assert.deepEqual(event.captures, capturesOf(lists[sequence]!), `SEED=${seed}: record ${sequence} of ${ring.head}`);
      }
    }
  });
});
