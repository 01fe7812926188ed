/** The count of blocks that run often, against one kept beside it. */

import assert from 'node:assert/strict';
import { countRun, HotBlocks, hotRuns } from '../../../debug-adapter/x86/hot-blocks';
import { Rec } from '../../../debug-adapter/x86/shape';
import { Code } from '../../../debug-adapter/x86/wasm/code';
import { ModuleBuilder } from '../../../debug-adapter/x86/wasm/module';
import { Random, seedOf } from '../../lockstep/random';

const memory = new WebAssembly.Memory({ initial: 0x400 });
const i32 = new Int32Array(memory.buffer);

/** Counts so many runs of the block of a header. */
const run = ((): ((header: number, times: number) => void) => {
  const module = new ModuleBuilder();
  module.importMemory('env', 'memory', 1);
  const c = new Code(['i32', 'i32']);
  const runs = c.local('i32');
  const again = c.loop();
  countRun(c, 0, runs);
  c.get(1).i32(1).op('i32.sub').tee(1).brIf(again);
  c.end();
  module.exportFunction('run', module.func(module.type(['i32', 'i32'], []), c));
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.build()), { env: { memory } });
  return exports['run'] as (header: number, times: number) => void;
})();

const headers = Array.from({ length: 40 }, (_, i) => 0x1_0000 + i * 10 * Rec.size);
const runsOf = (header: number): number => i32[(header + Rec.runs) >> 2]!;

describe('blocks that run often', () => {
  beforeEach(() => {
    for (const header of headers) i32[(header + Rec.runs) >> 2] = 0;
  });

  it('are told in their order, each time that they have run so often again', () => {
    const r = new Random(seedOf('hot blocks'));
    const hot = new HotBlocks(i32);
    for (let round = 0; round < 300; round++) {
      const expected: number[] = [];
      for (let step = r.below(20); step > 0; step--) {
        const header = headers[r.below(headers.length)]!;
        const times = 1 + r.below(r.oneIn(3) ? 5 * hotRuns : 40);
        const before = runsOf(header);
        run(header, times);
        assert.equal(runsOf(header), before + times);
        for (let more = Math.floor((before + times) / hotRuns) - Math.floor(before / hotRuns); more > 0; more--) expected.push(header);
      }
      assert.deepEqual(hot.take(), expected);
    }
  });

  it('are the last ones where too many were noted, and none where they were forgotten', () => {
    const hot = new HotBlocks(i32);
    const [first, last] = [headers[0]!, headers[1]!];
    run(first, 3000 * hotRuns);
    run(last, 5 * hotRuns);
    const told = hot.take();
    assert.ok(told.length >= 1000 && told.length < 3000, `${told.length}`);
    assert.deepEqual([...new Set(told.slice(0, -5))], [first]);
    assert.deepEqual([...new Set(told.slice(-5))], [last]);
    run(last, hotRuns);
    hot.forget();
    assert.deepEqual(hot.take(), []);
    run(first, hotRuns);
    assert.deepEqual(hot.take(), [first]);
  });
});
