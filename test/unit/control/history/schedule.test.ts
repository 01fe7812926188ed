/** When the checkpoints of a running machine are due. */
import assert from 'node:assert/strict';
import { Schedule } from '../../../../debug-adapter/control/history/schedule';

const many = 1_000_000_000;

describe('the schedule of checkpoints', () => {
  /** Runs for so many milliseconds with checkpoints that cost so many each; answers when they were taken. */
  function run(schedule: Schedule, from: number, milliseconds: number, cost: number): number[] {
    const times: number[] = [];
    schedule.restarted(from);
    for (let now = from; now < from + milliseconds; now++) {
      if (!schedule.due(now, many)) continue;
      times.push(now);
      schedule.taken(now, cost);
    }
    return times;
  }

  it('has the first ones as soon as a replay would be felt', () => {
    assert.deepEqual(run(new Schedule(), 0, 101, 2), [20, 40, 60, 80, 100]);
  });

  it('has none for a few instructions', () => {
    const schedule = new Schedule();
    schedule.restarted(0);
    assert.equal(schedule.due(5000, 1000), false);
  });

  it('lets an occasion slip that would make a step back dearer, but not all of them', () => {
    const schedule = new Schedule();
    schedule.restarted(0);
    assert.equal(schedule.due(199, many), true);
    assert.equal(schedule.due(199, many, true), false);
    assert.equal(schedule.due(200, many, true), true);
  });

  it('gives checkpoints one and a quarter per cent of the time', () => {
    for (const cost of [0.5, 3, 9, 60]) {
      const schedule = new Schedule();
      run(schedule, 0, 3000, cost);
      const { length } = run(schedule, 3000, 100_000, cost);
      assert.ok(Math.abs(length * cost - 1250) <= 60 + cost, `${length} of ${cost} ms`);
    }
  });

  it('has some again soon after the guest stood', () => {
    const schedule = new Schedule();
    run(schedule, 0, 10_000, 3);
    assert.equal(run(schedule, 10_000, 50, 3).length, 2);
  });
});
