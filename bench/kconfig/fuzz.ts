/**
 * Feeds the Kconfig engine hostile input for as long as asked: noise, words without sense, wounded trees, and wounded files of UK_ROOT.
 *
 *   [UK_ROOT=…/unikraft] [SEED=N] npx tsx bench/kconfig/fuzz.ts [INPUTS, a million]
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { dialectNames } from '../../src/kconfig/dialect';
import { tryHostileInput } from '../../test/unit/kconfig/hostile';
import { randomOf, runSeed } from '../../test/unit/kconfig/random-tree';

const inputs = Number(process.argv[2] ?? 1_000_000);
const root = process.env['UK_ROOT'];
const real = root
  ? readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter((name) => path.basename(name) === 'Config.uk')
      .map((name) => readFileSync(path.join(root, name), 'utf8'))
      .filter((text) => text.length < 8000)
  : [];
const random = randomOf(runSeed());
const started = process.cpuUsage();
for (let done = 1; done <= inputs; done++) {
  tryHostileInput(random, dialectNames[done % dialectNames.length]!, real);
  if (done % 10_000 === 0) console.log(`${done} inputs, ${(process.cpuUsage(started).user / 1e6).toFixed(0)} s of CPU`);
}
console.log(`${inputs} inputs, ${real.length} real files among what was wounded: none threw, none hung`);
