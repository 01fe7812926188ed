/**
 * Sequences of instructions against the processor underneath, in both tiers: flags, registers and memory go from one instruction to the next, and faults come
 * in the middle. LOCKSTEP_SEQUENCES sets the number, SEED repeats a run.
 */

import assert from 'node:assert/strict';
import { Code, Decoder, DecoderOptions, Formatter, FormatterSyntax } from 'iced-x86';
import { definitions } from '../../debug-adapter/x86/isa/all';
import { Subject, type Sequence } from './compare';
import { Area, Image, Oracle, oracleMissing } from './native';
import { Random, seedOf } from './random';
import { drawSequence, sequenceForms } from './sequences';
import { States } from './states';

const batchSize = 1024;
const statesOfASequence = 4;

/** The listing of a case, for people. */
function listing(batch: Buffer, at: number): string {
  const code = batch.subarray(at + Image.code, at + Image.code + batch[at + Image.codeLength]!);
  const decoder = new Decoder(64, code, DecoderOptions.None);
  decoder.ip = BigInt(Area.code + batch.readUInt16LE(at + Image.codeOffset));
  const formatter = new Formatter(FormatterSyntax.Intel);
  const lines: string[] = [];
  while (decoder.canDecode) {
    const instruction = decoder.decode();
    lines.push(instruction.code === Code.INVALID ? '(bad)' : `${instruction.ip.toString(16)} ${formatter.format(instruction)}`);
    instruction.free();
  }
  formatter.free();
  decoder.free();
  return lines.join('; ');
}

describe('sequences against this CPU', () => {
  it('leave what they leave on the processor', async function () {
    const missing = oracleMissing();
    if (missing !== undefined) {
      console.log(`      skipped: ${missing}`);
      this.skip();
    }
    const total = Number(process.env['LOCKSTEP_SEQUENCES'] ?? 4_000);
    this.timeout(60_000 + total * 10);
    const random = new Random(seedOf('sequences'));
    const forms = sequenceForms(definitions);
    const states = new States(random);
    const oracle = await new Oracle().begin();
    const tiers = [
      ['interpreter', new Subject(false)],
      ['translator', new Subject('eager')],
    ] as const;
    const batch = Buffer.alloc(batchSize * Image.size);
    const failures: string[] = [];
    let instructions = 0;
    for (let done = 0; done < total && failures.length < 5; done += batchSize) {
      const sequences: Sequence[] = [];
      for (let i = 0; i < batchSize; i++) {
        const at = i * Image.size;
        if (i % statesOfASequence === 0) {
          do sequences[i] = drawSequence(random, forms, 2 + random.below(9), batch, at);
          while (sequences[i]!.count === 0);
        } else {
          states.vary(batch, at - Image.size, at, 0xffff);
          sequences[i] = sequences[i - 1]!;
        }
        instructions += sequences[i]!.count;
      }
      states.refresh();
      oracle.fit(batch);
      const expected = await oracle.run(batch);
      const differing: [string, Subject, number][] = [];
      for (const [name, subject] of tiers) {
        for (let i = 0; i < batchSize; i++)
          if (subject.check(batch, i * Image.size, expected, sequences[i]).length > 0) differing.push([name, subject, i]);
      }
      for (const [name, subject, i] of differing.slice(0, 5)) {
        const one = Buffer.from(batch.subarray(i * Image.size, (i + 1) * Image.size));
        const differences = await oracle.always(one, (result) => subject.check(one, 0, result, sequences[i]));
        if (differences.length > 0) failures.push(`${name}: ${listing(one, 0)}: ${differences.join('; ')}`);
      }
    }
    oracle.close();
    console.log(`      ${total} sequences, ${instructions} instructions`);
    assert.deepEqual(failures, []);
    assert.ok((tiers[1][1].bare.cpu.jitStatistics?.runs ?? 0) > total / 10, 'hardly anything was translated');
  });
});
