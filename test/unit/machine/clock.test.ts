import assert from 'node:assert/strict';
import { VirtualClock } from '../../../debug-adapter/machine/clock';

describe('virtual clock', () => {
  let retired = 0;
  const make = (): VirtualClock => {
    retired = 0;
    return new VirtualClock(() => retired);
  };

  it('counts a nanosecond an instruction, and what is charged', () => {
    const clock = make();
    retired = 1001;
    assert.equal(clock.now(), 1001);
    clock.charge(1000);
    assert.equal(clock.now(), 2001);
    assert.equal(clock.ticksAt(1001n), 4002n);
  });

  it('runs timers in order of time, then of creation', () => {
    const clock = make();
    const order: string[] = [];
    const a = clock.createTimer(() => order.push('a'));
    const b = clock.createTimer(() => order.push('b'));
    const c = clock.createTimer(() => order.push('c'));
    c.arm(10);
    b.arm(20);
    a.arm(20);
    assert.equal(clock.instructionsToNext(), 10);
    retired = 100;
    clock.runDue();
    assert.deepEqual(order, ['c', 'a', 'b']);
    assert.equal(clock.instructionsToNext(), Infinity);
  });

  it('survives a timer that is always due', () => {
    const clock = make();
    let calls = 0;
    const timer = clock.createTimer(() => {
      calls++;
      timer.arm(0);
    });
    timer.arm(0);
    clock.runDue();
    assert.ok(calls >= 1 && calls < 10_000);
  });

  it('restores armed timers', () => {
    const clock = make();
    let fired = 0;
    const timer = clock.createTimer(() => fired++);
    timer.arm(50);
    clock.charge(7);
    const saved = clock.save();
    timer.disarm();
    clock.charge(1000);
    clock.restore(saved);
    assert.equal(clock.now(), 7);
    clock.advanceTo(50);
    clock.runDue();
    assert.equal(fired, 1);
  });
});
