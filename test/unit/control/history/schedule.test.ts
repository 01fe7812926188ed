/** When the checkpoints of a running machine are due. */
import assert from 'node:assert/strict';
import { Schedule } from '../../../../debug-adapter/control/history/schedule';

const many = 1_000_000_000;

describe('the schedule of checkpoints', () => {
  for (const [knowsTouched, first] of [
    [true, 1000],
    [false, 2000],
  ] as const)
    it(`has the first one after ${first} ms where untouched memory is ${knowsTouched ? '' : 'not '}known`, () => {
      const schedule = new Schedule(knowsTouched);
      schedule.restarted(0);
      assert.equal(schedule.due(first - 1, many), false);
      assert.equal(schedule.due(first, many), true);
    });

  it('gives checkpoints one and a half per cent of the time, by what the last two took', () => {
    const schedule = new Schedule(true);
    for (const cost of [50, 3, 6]) schedule.taken(0, cost);
    assert.equal(schedule.due(299, many), false);
    assert.equal(schedule.due(301, many), true);
    assert.equal(schedule.due(301, 1000), false);
  });
});
