// Runs a benchmark as what ships runs: bundled into one file first. `node bench/run.mjs bench/hooks/hooks.ts [ARGS…]`. Run from separate modules (tsx), each use of an
// imported constant is a call of a getter, and the TypeScript parts of the processor take several times as long.
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const [entry, ...args] = process.argv.slice(2);
if (entry === undefined) {
  console.error('usage: node bench/run.mjs BENCHMARK.ts [ARGUMENTS]');
  process.exit(2);
}
const folder = mkdtempSync(path.join(tmpdir(), 'bench-'));
try {
  const outfile = path.join(folder, 'bench.cjs');
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    logLevel: 'warning',
    // Benchmarks find their inputs beside their source.
    define: { __dirname: JSON.stringify(path.resolve(path.dirname(entry))) },
  });
  const { status } = spawnSync(process.execPath, [...process.execArgv, outfile, ...args], { stdio: 'inherit' });
  process.exitCode = status ?? 1;
} finally {
  rmSync(folder, { recursive: true });
}
