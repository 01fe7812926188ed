import assert from 'node:assert/strict';
import { Telling } from '../../../debug-adapter/x86/event-log';
import { ProbeSet } from '../../../debug-adapter/x86/probe-set';
import { Random } from '../../lockstep/random';

describe('probe set', () => {
  it('knows whether a probe is among some bytes, whatever was set and taken away', () => {
    const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000_000);
    console.log(`      probes: SEED=${seed}`);
    const random = new Random(seed);
    const probes = new ProbeSet();
    const there = new Set<bigint>();
    // Around the ends of the lower and the upper half, and where the low half of an address overflows.
    const bases = [0x10_0000n, 0xffff_fff0n, 0x7fff_ffff_ff00n, 0xffff_8000_0000_0000n, 0xffff_ffff_8000_0000n];
    const halves = (address: bigint): readonly [number, number] => [Number(address & 0xffff_ffffn) | 0, Number(address >> 32n) | 0];
    for (let round = 0; round < 20_000; round++) {
      const address = random.pick(bases) + BigInt(random.below(200));
      const [low, high] = halves(address);
      if (random.oneIn(3)) {
        const gone = random.oneIn(2);
        probes.set(low, high, gone ? undefined : () => undefined, random.oneIn(2), Telling.atOnce);
        if (gone) there.delete(address);
        else there.add(address);
      }
      const length = random.below(40);
      const expected = [...there].some((probe) => probe >= address && probe < address + BigInt(length));
      assert.equal(probes.within(low, high, length), expected, `${length} bytes from 0x${address.toString(16)} on`);
    }
  });
});
