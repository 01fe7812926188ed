/** Positions in history as the status bar writes them and the user may type them. */
import assert from 'node:assert/strict';
import { instructionOf, positionText, shortCount } from '../../../src/features/travel-text';

const history = { start: '0', end: '1000000', position: '250000', inPast: true };

describe('positions in history', () => {
  it('are written short and in full', () => {
    assert.equal(shortCount(999n), '999');
    assert.equal(shortCount(1_234_567n), '1.23 M');
    assert.equal(positionText(history).short, '750 k back · 25.0 %');
    assert.equal(positionText({ ...history, position: '999999' }).short, '1 back · 99.9 %');
    assert.equal(positionText({ ...history, position: '1000000', inPast: false }).short, 'live · 1.00 M');
    assert.match(positionText(history).long, /^instruction 250,000 of 1,000,000, 750,000 back/);
  });

  it('are read as counts, percentages and steps', () => {
    for (const [text, count] of [
      ['1234', 1234n],
      ['1,234', 1234n],
      ['0.5M', 500_000n],
      ['50%', 500_000n],
      ['99.5 %', 995_000n],
      ['-1000', 249_000n],
      ['+2k', 252_000n],
      ['-10%', 150_000n],
    ] as const)
      assert.equal(instructionOf(text, history), count, text);
    assert.match(String(instructionOf('2M', history)), /has not run yet: history ends at 1,000,000/);
    assert.match(String(instructionOf('-1M', history)), /begins at instruction 0/);
    assert.match(String(instructionOf('1.5', history)), /halves/);
    assert.match(String(instructionOf('soon', history)), /Write a number/);
  });
});
