/** Times the builder and the linker on the pool's hello, GNU ld beside ours in the same run: `npx tsx bench/link/link.ts [--json]`. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build as esbuild } from 'esbuild';
import { ldScript } from '../../src/build/link/layout';
import { type LinkStep } from '../../src/build/plan';
import { buildPool, type PoolBuildResult } from '../../src/build/pool-build.node';
import { formatProblem } from '../../src/build/problems';
import { linkStep } from '../../src/build/link-step';
import { findProgram } from '../../src/build/toolchain.node';

const ROUNDS = 20;
const root = path.resolve(__dirname, '../..');

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1]!;
}

function time(run: () => void): number {
  const start = performance.now();
  run();
  return performance.now() - start;
}

interface PrebuiltTimes {
  readonly prebuiltProcessMs: number;
  readonly prebuiltLeastMs: number;
  readonly nodeMs: number;
  readonly prebuiltFirstMs: number;
  readonly prebuiltWarmMs: number;
}

/** From configuration to written image without a compiler, by what `npm run build` has made: the command as a process in a new folder, and the builder itself. */
async function timePrebuilt(app: string, build: string): Promise<PrebuiltTimes> {
  const program = `${build}/prebuilt.js`;
  const entry = path.join(__dirname, 'prebuilt.ts');
  await esbuild({ entryPoints: [entry], outfile: program, bundle: true, platform: 'node', format: 'cjs', target: 'es2022' });
  const run = (...args: string[]): string =>
    execFileSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const command: number[] = [];
  const node: number[] = [];
  const inside: { first: number; warm: number }[] = [];
  for (let i = 0; i < ROUNDS; i++) {
    command.push(time(() => void run(`${root}/dist/cli.js`, 'build', app, '--prebuilt', '--quiet', '--output', `${build}/prebuilt-${i}`)));
    node.push(time(() => void run('-e', '0')));
    if (i < 5) inside.push(JSON.parse(run(program, app, `${root}/dist/prebuilt`, `${build}/inside`)) as { first: number; warm: number });
  }
  return {
    prebuiltProcessMs: median(command),
    prebuiltLeastMs: Math.min(...command),
    nodeMs: median(node),
    prebuiltFirstMs: median(inside.map((t) => t.first)),
    prebuiltWarmMs: median(inside.map((t) => t.warm)),
  };
}

async function main(): Promise<void> {
  const build = mkdtempSync(path.join(tmpdir(), 'bench-link-'));
  try {
    const app = `${root}/library-pool/app/hello`;
    const once = async (): Promise<{ ms: number; result: PoolBuildResult }> => {
      const start = performance.now();
      const result = await buildPool({ app, build, env: process.env });
      if (!result.ok) throw new Error(result.problems.map(formatProblem).join('\n'));
      return { ms: performance.now() - start, result };
    };
    const clean = await once();
    const unchanged: number[] = [];
    for (let i = 0; i < 5; i++) unchanged.push((await once()).ms);

    const step = clean.result.plan!.steps.find((s): s is LinkStep => s.kind === 'link')!;
    const cache = new Map(step.groups.flatMap((g) => g.objects).map((p) => [p, readFileSync(p)]));
    const first = time(() => void linkStep(step, { read: (p) => readFileSync(p) }));
    const program = `${build}/process.js`;
    const entry = path.join(__dirname, 'process.ts');
    await esbuild({ entryPoints: [entry], outfile: program, bundle: true, platform: 'node', format: 'cjs', target: 'es2022' });
    writeFileSync(`${build}/step.json`, JSON.stringify(step));
    const ld = findProgram('ld', process.env);
    const script = `${build}/bench.lds`;
    writeFileSync(script, ldScript(step.layout));
    const options = ['-nostdlib', '-static', '--build-id=none', '--no-warn-rwx-segments', '-e', step.entries[0]!, '-T', script];
    const ours: number[] = [];
    const memory: number[] = [];
    const whole: number[] = [];
    const theirs: number[] = [];
    // In turn, so that what else the machine does falls on all alike.
    for (let i = 0; i < ROUNDS; i++) {
      ours.push(time(() => writeFileSync(`${build}/ours.elf`, linkStep(step, { read: (p) => readFileSync(p) }).bytes!)));
      memory.push(time(() => void linkStep(step, { read: (p) => cache.get(p)! })));
      if (ld) theirs.push(time(() => void execFileSync(ld, [...options, '-o', `${build}/ld.elf`, ...cache.keys()])));
      whole.push(time(() => void execFileSync(process.execPath, [program, `${build}/step.json`, `${build}/whole.elf`])));
    }
    const prebuilt = await timePrebuilt(app, build);
    const report = {
      objects: cache.size,
      cleanBuildMs: clean.ms,
      unchangedBuildMs: median(unchanged),
      linkFirstMs: first,
      linkMs: median(ours),
      linkFromMemoryMs: median(memory),
      linkProcessMs: median(whole),
      ldMs: ld ? median(theirs) : undefined,
      ...prebuilt,
    };
    if (process.argv.includes('--json')) return void console.log(JSON.stringify(report));
    const ms = (v: number | undefined): string => (v === undefined ? 'not on this machine' : `${v.toFixed(1)} ms`);
    console.log(`hello, ${report.objects} objects, ${ROUNDS} rounds, medians`);
    console.log(`  clean build          ${ms(report.cleanBuildMs)}`);
    console.log(`  unchanged build      ${ms(report.unchangedBuildMs)}`);
    console.log(`  our linker           ${ms(report.linkMs)}   first in a process ${ms(report.linkFirstMs)}`);
    console.log(`  our linker, memory   ${ms(report.linkFromMemoryMs)}`);
    console.log(`  our linker, process  ${ms(report.linkProcessMs)}   start of Node included`);
    console.log(`  GNU ld               ${ms(report.ldMs)}`);
    console.log(
      `  prebuilt, process    ${ms(report.prebuiltProcessMs)}   least ${ms(report.prebuiltLeastMs)}, Node alone ${ms(report.nodeMs)}`,
    );
    console.log(`  prebuilt, in process ${ms(report.prebuiltWarmMs)}   first in a process ${ms(report.prebuiltFirstMs)}`);
  } finally {
    rmSync(build, { recursive: true, force: true });
  }
}

void main();
