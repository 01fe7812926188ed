/** Where numbers and texts stand among bytes, against looking at every place. */
import assert from 'node:assert/strict';
import { Mentions } from '../../../debug-adapter/symbols/mentions';
import { Random, seedFromEnvironment } from './support';

describe('symbols: mentions', () => {
  it('finds each number and text at any alignment, within the part alone', () => {
    const random = new Random(seedFromEnvironment());
    for (let round = 0; round < 400; round++) {
      // Few different bytes make many near misses.
      const letters = 2 + random.below(6);
      // Now and then longer than what is looked at together.
      const size = random.below(20) === 0 ? 140_000 : random.below(2) === 0 ? 3000 : 400;
      const bytes = Uint8Array.from({ length: random.below(size) }, () => random.below(letters));
      const number = (): number => [0, 1, 2, 3].reduce((sum, i) => sum + random.below(letters) * 256 ** i, 0);
      const numbers = Array.from({ length: random.below(random.below(4) === 0 ? 200 : 20) }, number);
      const isWanted = new Set(numbers);
      const text = Uint8Array.from({ length: random.below(5) }, () => random.below(letters));
      const start = random.below(bytes.length + 1);
      const end = start + random.below(bytes.length - start + 1);
      const expected: number[] = [];
      const view = new DataView(bytes.buffer);
      for (let at = start; at < end; at++) {
        const isNumber = at + 4 <= end && isWanted.has(view.getUint32(at, true));
        const isText = text.length > 1 && at + text.length <= end && text.every((byte, i) => bytes[at + i] === byte);
        if (isNumber || isText) expected.push(at);
      }
      assert.deepEqual(new Mentions(bytes, numbers, text).within({ start, end }), expected, `round ${round}`);
    }
  });
});
