/** The long run of the lock-step tests: batches until CASES are done or SECONDS are over, a new seed every million. Started by soak.mjs. */

import { appendFileSync } from 'node:fs';
import { Subject } from './compare';
import { Oracle, oracleMissing } from './native';
import { LockStep } from './rig';

/** Cases of one seed: long enough that generated handlers pay, short enough to repeat. */
const casesOfASeed = 1_000_000;

async function soak(): Promise<number> {
  const missing = oracleMissing();
  if (missing !== undefined) {
    console.log(`skipped: ${missing}`);
    return 0;
  }
  const wanted = Number(process.env['CASES'] ?? 100_000_000);
  const until = Date.now() + Number(process.env['SECONDS'] ?? Infinity) * 1000;
  const report = process.env['REPORT'];
  const say = (text: string): void => {
    console.log(text);
    if (report !== undefined) appendFileSync(report, `${text}\n`);
  };
  let seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
  let done = 0;
  let failures = 0;
  const oracle = await new Oracle().begin();
  const subject = new Subject();
  while (done < wanted && Date.now() < until) {
    const run = new LockStep(oracle, subject, seed);
    const used = process.cpuUsage();
    while (run.cases < Math.min(casesOfASeed, wanted - done) && Date.now() < until) await run.step();
    done += run.cases;
    failures += run.failures.length;
    const { user, system } = process.cpuUsage(used);
    say(
      `seed ${seed}: ${run.cases} cases, ${run.faults} faults, ${[...run.kinds.values()].reduce((a, b) => a + b, 0)} differences; ` +
        `${((user + system) / 1e6).toFixed(0)} s of CPU; ${done} cases so far`,
    );
    for (const failure of run.failures) say(`  ${failure.text}`);
    seed = (seed + 1) % 2 ** 31;
  }
  oracle.close();
  return failures === 0 ? 0 : 1;
}

void soak().then((status) => (process.exitCode = status));
