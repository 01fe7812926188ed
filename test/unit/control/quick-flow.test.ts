/** Flow of control told by opcodes alone, against the disassembler, for random 64-bit instructions. SEED repeats a run, CASES sets how many. */
import assert from 'node:assert/strict';
import { Disassembler } from '../../../debug-adapter/control/disassembler';
import { quickFlow } from '../../../debug-adapter/control/quick-flow';
import { Random, seedOf } from '../../lockstep/random';

const cases = Number(process.env['CASES'] ?? 60_000);
const prefixes = [0x2e, 0x3e, 0x41, 0x48, 0x4f, 0x64, 0x66, 0x67, 0xf2, 0xf3];
const opcodes = [0x0f, 0x70, 0x7f, 0xc2, 0xc3, 0xca, 0xcb, 0xcc, 0xcd, 0xcf, 0xe0, 0xe3, 0xe8, 0xe9, 0xeb, 0xf1, 0xff, 0xc7, 0xc4, 0xc5];

describe('flow of control by opcodes', () => {
  it('is as the disassembler has it', async () => {
    const seed = seedOf('flow');
    const r = new Random(seed);
    const disassembler = await Disassembler.load('intel');
    const seen = new Map<string, number>();
    let untold = 0;
    for (let i = 0; i < cases; i++) {
      const bytes = Uint8Array.from({ length: 15 }, () => r.below(256));
      let at = 0;
      while (r.oneIn(3) && at < 3) bytes[at++] = r.pick(prefixes);
      if (r.oneIn(2)) bytes[at] = r.pick(opcodes);
      const told = disassembler.flow(bytes, 64);
      // What cannot be decoded does not run.
      if (told === undefined) continue;
      const quick = quickFlow(bytes);
      if (quick === undefined) {
        untold++;
        continue;
      }
      const text = Buffer.from(bytes).toString('hex');
      assert.equal(quick.kind, told.kind, `SEED=${seed}: ${text}`);
      if (quick.kind === 'call' || quick.kind === 'syscall') assert.equal(quick.length, told.length, `SEED=${seed}: ${text}`);
      seen.set(quick.kind, (seen.get(quick.kind) ?? 0) + 1);
    }
    assert.deepEqual([...seen.keys()].sort(), ['call', 'jump', 'other', 'return', 'syscall']);
    assert.ok(untold < cases / 20, `${untold} untold`);
  }).timeout(60_000);
});
