/** Memory of whole records, each in the place of the one that came `capacity` records before it. */
import { recordBytes } from './records';

/** Records are allocated in pieces as they are needed. */
const recordsPerChunk = 1024;

/** Some records in one buffer, as its readers and writers take them. */
export class Chunk {
  readonly view: DataView;
  /** Words of registers go from one array to the other in halves, as they are: no big integers are made. */
  readonly halves: Int32Array;
  readonly floats: Float64Array;
  readonly words: BigUint64Array;
  #places: Float64Array | undefined;

  /** Places in the arena, two a record: of what arguments pointed to before the call, and after it. Made when the first of its calls has any. */
  get places(): Float64Array {
    return (this.#places ??= new Float64Array(this.records * 2));
  }

  constructor(readonly records: number) {
    const buffer = new ArrayBuffer(records * recordBytes);
    this.view = new DataView(buffer);
    this.halves = new Int32Array(buffer);
    this.floats = new Float64Array(buffer);
    this.words = new BigUint64Array(buffer);
  }
}

/** Records are numbered from 0 in the order in which they are put here. */
export class RecordStore {
  readonly #chunks: (Chunk | undefined)[] = [];
  /** Number of the next one. */
  next = 0;

  constructor(private readonly capacity: number) {}

  chunk(index: number): Chunk {
    return (this.#chunks[Math.floor((index % this.capacity) / recordsPerChunk)] ??= new Chunk(Math.min(recordsPerChunk, this.capacity)));
  }

  /** Which one of its chunk's records it is. */
  placeIn(index: number): number {
    return (index % this.capacity) % recordsPerChunk;
  }

  /** How many of `count` records from `index` on lie one behind the other. */
  runLength(index: number, count: number): number {
    const place = index % this.capacity;
    return Math.min(count, recordsPerChunk - (place % recordsPerChunk), this.capacity - place);
  }

  /** Puts whole records here, `count` from word `from` of `words` on. */
  copy(words: Int32Array, from: number, count: number): void {
    for (let done = 0; done < count;) {
      const run = this.runLength(this.next, count - done);
      const { halves } = this.chunk(this.next);
      const source = from + done * (recordBytes / 4);
      const to = this.placeIn(this.next) * (recordBytes / 4);
      const length = run * (recordBytes / 4);
      if (run > 2) halves.set(words.subarray(source, source + length), to);
      else for (let i = 0; i < length; i++) halves[to + i] = words[source + i]!;
      this.next += run;
      done += run;
    }
  }
}
