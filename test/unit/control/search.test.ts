/** A search in turns: others come between its steps, a newer one ends it, and cancelled it answers with what it has. */
import assert from 'node:assert/strict';
import { Search, type SearchState, whole } from '../../../debug-adapter/control/search';

/** Each look at the clock takes a millisecond of it; what is to come later comes when the test says so. */
class Clock {
  #now = 0;
  readonly waiting: (() => void)[] = [];
  now = (): number => this.#now++;
  later = (_milliseconds: number, callback: () => void): (() => void) => {
    this.waiting.push(callback);
    return () => undefined;
  };
  /** Lets what waits go on until nothing does. */
  async run(turns = Infinity): Promise<void> {
    await settled();
    for (let turn = 0; turn < turns && this.waiting.length > 0; turn++) {
      this.waiting.shift()!();
      await settled();
    }
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function* counting(to: number, state: SearchState): Generator<number, number> {
  for (let i = 0; i < to; i++) {
    if (state.cancelled) return i;
    yield i / to;
  }
  return to;
}

describe('control: searches', () => {
  it('lets others in between its steps, and tells how far it is', async () => {
    const clock = new Clock();
    const shares: number[] = [];
    const search = new Search(clock, (share) => shares.push(share));
    const result = search.run((state) => counting(2000, state));
    await clock.run(3);
    assert.equal(clock.waiting.length, 1);
    await clock.run();
    assert.equal(await result, 2000);
    assert.ok(shares.length > 2 && shares.every((share, i) => share < 1 && share > (shares[i - 1] ?? 0)), shares.join());
  });

  it('ends with what it has when it is cancelled', async () => {
    const clock = new Clock();
    const search = new Search(clock, () => undefined);
    const result = search.run((state) => counting(1_000_000, state));
    await clock.run(5);
    search.cancel();
    await clock.run();
    const found = await result;
    assert.ok(found > 0 && found < 1000, String(found));
  });

  it('begins another only when the one before has ended', async () => {
    const clock = new Clock();
    const order: string[] = [];
    const search = new Search(clock, () => undefined);
    const first = search.run((state) => counting(1_000_000, state)).then(() => order.push('first'));
    await clock.run(2);
    const second = search.run((state) => {
      order.push('second begins');
      return counting(3, state);
    });
    await clock.run();
    assert.equal(await second, 3);
    await first;
    assert.deepEqual(order, ['first', 'second begins']);
  });

  it('goes on after one that failed', async () => {
    const search = new Search(new Clock(), () => undefined);
    await assert.rejects(
      search.run(() => {
        throw new Error('no symbols');
      }),
      /no symbols/,
    );
    assert.equal(await search.run((state) => counting(3, state)), 3);
  });

  it('is done at once where nobody waits', () => {
    assert.equal(whole(counting(5, { cancelled: false })), 5);
  });
});
