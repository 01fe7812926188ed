/**
 * Every instruction form against the processor underneath: random encodings, random states, page boundaries and faults. LOCKSTEP_CASES sets the number,
 * LOCKSTEP_SEED repeats a run, LOCKSTEP_ONLY restricts it to mnemonics or features that match a pattern. Failures become cases of regressions.json, which run first.
 */

import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { Subject } from './compare';
import { Image, Oracle, oracleMissing } from './native';
import { seedOf } from './random';
import { LockStep, disassemble } from './rig';

const regressionFile = join(import.meta.dirname, 'regressions.json');

/** A kept case: the image compressed, and a line for people. */
interface Regression {
  readonly note: string;
  readonly image: string;
}

function regressions(): Regression[] {
  return existsSync(regressionFile) ? (JSON.parse(readFileSync(regressionFile, 'utf8')) as Regression[]) : [];
}

describe('instructions against this CPU', () => {
  let oracle: Oracle | undefined;
  before(async function () {
    const missing = oracleMissing();
    if (missing !== undefined) {
      console.log(`      skipped: ${missing}`);
      this.skip();
    }
    oracle = await new Oracle().begin();
  });
  after(() => oracle?.close());

  it('holds the cases that failed once', async function () {
    const kept = regressions();
    if (kept.length === 0) return;
    this.timeout(60_000);
    const batch = Buffer.concat(kept.map((entry) => gunzipSync(Buffer.from(entry.image, 'base64'))));
    oracle!.fit(batch);
    const subject = new Subject();
    const wrong: string[] = [];
    for (let from = 0; from < batch.length; from += 4096 * Image.size) {
      const part = batch.subarray(from, from + 4096 * Image.size);
      const expected = await oracle!.run(part);
      const differing: Buffer[] = [];
      for (let at = 0; at < part.length; at += Image.size)
        if (subject.check(part, at, expected).length > 0) differing.push(Buffer.from(part.subarray(at, at + Image.size)));
      for (const one of differing) {
        const differences = await oracle!.always(one, (result) => subject.check(one, 0, result));
        if (differences.length > 0) wrong.push(`${disassemble(one, 0)}: ${differences.join('; ')}`);
      }
    }
    assert.deepEqual(wrong, []);
  });

  it('does as the processor does', async function () {
    const total = Number(process.env['LOCKSTEP_CASES'] ?? 200_000);
    this.timeout(60_000 + total * 10);
    const seed = seedOf('lock-step', 'LOCKSTEP_SEED');
    const only = process.env['LOCKSTEP_ONLY'];
    const run = new LockStep(oracle!, new Subject(), seed, only === undefined ? undefined : new RegExp(only));
    const limit = Number(process.env['LOCKSTEP_FAILURES'] ?? 20);
    const began = Date.now();
    while (run.cases < total && run.kinds.size < limit) await run.step();
    console.log(
      `      ${run.cases} cases, ${run.faults} of them faults, ${run.forms.length} forms, ${((Date.now() - began) / 1000).toFixed(1)} s`,
    );
    for (const failure of run.failures.slice(0, 2 * limit)) console.log(`      ${failure.text}`);
    if (run.failures.length > 0) console.log([...run.kinds].map(([name, count]) => `      ${name}: ${count}`).join('\n'));
    if (run.failures.length > 0 && process.env['LOCKSTEP_KEEP'] !== undefined) {
      const kept = [...regressions(), ...run.failures.map(({ note, image }) => ({ note, image: gzipSync(image).toString('base64') }))];
      writeFileSync(regressionFile, `${JSON.stringify(kept, undefined, 2)}\n`);
    }
    assert.equal(run.failures.length, 0, `cases that differ, from LOCKSTEP_SEED=${seed}`);
  });
});
