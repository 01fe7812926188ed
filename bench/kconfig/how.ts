/**
 * Times the search for plans, in CPU time: every option of a real tree, towards every value it does not have.
 *
 *   UK_ROOT=…/unikraft [UK_APP=DIR] [UK_LIBS=DIR:DIR] [LINUX_ROOT=…] npx tsx bench/kconfig/how.ts [unikraft|linux] [EVERY_NTH]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { mainThreadCpu, percentile } from './clock';
import { benchTrees, openBenchTree } from './trees';

const scratch = mkdtempSync(path.join(tmpdir(), 'kconfig-how-'));
const wantedTree = process.argv[2] ?? 'unikraft';
const every = Number(process.argv[3] ?? 1);
const tree = benchTrees(scratch).find(({ name }) => name === wantedTree);
if (!tree) {
  console.error('UK_ROOT (or LINUX_ROOT) is not set: it names the tree to measure on');
  process.exit(1);
}
const service = openBenchTree(tree);
const configuration = service.openConfiguration('');
const { values } = configuration;

interface Case {
  readonly name: string;
  readonly cpuMs: number;
  readonly plans: number;
  readonly complete: boolean;
}

const cases: Case[] = [];
let count = 0;
for (const symbol of service.tree.model.byName.values()) {
  if (!symbol.isDefined || symbol.type === 'unknown') continue;
  const goals = symbol.isBoolean ? ['n', 'm', 'y'] : ['1', '0x1000', 'other'];
  for (const wanted of goals) {
    if (wanted === 'm' && symbol.type === 'bool') continue;
    if (symbol.type === 'int' && wanted !== '1') continue;
    if (symbol.type === 'hex' && wanted !== '0x1000') continue;
    if (symbol.type === 'string' && wanted !== 'other') continue;
    if (values.text(symbol) === wanted || count++ % every !== 0) continue;
    const cpu = mainThreadCpu();
    const answer = configuration.how(symbol, wanted);
    cases.push({
      name: `${symbol.label}=${wanted}`,
      cpuMs: mainThreadCpu() - cpu,
      plans: answer.plans.length,
      complete: answer.complete,
    });
  }
}
rmSync(scratch, { recursive: true });
const times = cases.map(({ cpuMs }) => cpuMs);
const rounded = (value: number): number => Number(value.toFixed(2));
console.log(
  JSON.stringify(
    {
      tree: tree.name,
      goals: cases.length,
      withPlan: cases.filter(({ plans }) => plans > 0).length,
      impossible: cases.filter(({ plans, complete }) => plans === 0 && complete).length,
      undecided: cases.filter(({ plans, complete }) => plans === 0 && !complete).length,
      p50Ms: rounded(percentile(times, 0.5)),
      p95Ms: rounded(percentile(times, 0.95)),
      p99Ms: rounded(percentile(times, 0.99)),
      maxMs: rounded(Math.max(...times)),
      slowest: [...cases]
        .sort((a, b) => b.cpuMs - a.cpuMs)
        .slice(0, 12)
        .map(({ name, cpuMs, plans, complete }) => `${name} ${rounded(cpuMs)} ms, ${plans} plans${complete ? '' : ', cut'}`),
    },
    undefined,
    2,
  ),
);
