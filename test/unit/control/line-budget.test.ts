/** A burst of lines in full, a flood in part, and what is said of the rest. */
import assert from 'node:assert/strict';
import { LineBudget } from '../../../debug-adapter/control/line-budget';

describe('control: lines as they happen', () => {
  it('come in full in a burst, and in part in a flood, which is told once it is over', () => {
    const told: number[] = [];
    const budget = new LineBudget((skipped) => told.push(skipped));
    const taken = (count: number): number => Array.from({ length: count }, () => budget.take()).filter(Boolean).length;
    assert.equal(taken(1000), 1000);
    assert.equal(taken(100_000), 0);
    budget.refill();
    const slice = taken(100_000);
    assert.ok(slice > 0 && slice < 100, `${slice} lines of a slice`);
    assert.deepEqual(told, []);
    for (let quiet = 0; quiet < 10; quiet++) budget.refill();
    assert.deepEqual(told, [200_000 - slice]);
    assert.ok(taken(50) === 50, 'lines come again');
  });
});
