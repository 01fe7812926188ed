// The same guest on this Node, on the Nodes that NODES names (paths, separated by colons) and in a worker of headless Chromium: all state hashes must be equal.
// `node test/determinism/run.mjs [SEEDS]`; SEED in the environment repeats a run.
import { build } from 'esbuild';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { chromium } from 'playwright-core';

const here = import.meta.dirname;
const folder = mkdtempSync(path.join(tmpdir(), 'determinism-'));
const first = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 30));
const seeds = Array.from({ length: Number(process.argv[2] ?? 1) }, (_, i) => first + i);

const common = { bundle: true, target: 'es2022', logLevel: 'error' };
const forNode = path.join(folder, 'node.cjs');
const scripts = { '/worker.js': path.join(folder, 'worker.js'), '/compiler.js': path.join(folder, 'compiler-browser.js') };
const adapter = path.join(here, '../../debug-adapter');
for (const [entry, outfile] of [
  [path.join(here, 'node.ts'), forNode],
  [path.join(adapter, 'compiler.node.ts'), path.join(folder, 'compiler.js')],
])
  await build({ ...common, entryPoints: [entry], outfile, platform: 'node', format: 'cjs' });
for (const [entry, outfile] of [
  [path.join(here, 'worker.ts'), scripts['/worker.js']],
  [path.join(adapter, 'compiler.browser.ts'), scripts['/compiler.js']],
])
  await build({ ...common, entryPoints: [entry], outfile, platform: 'browser', format: 'iife' });

function onNode(program, seed) {
  const lines = execFileSync(program, [forNode, String(seed)], { encoding: 'utf8' })
    .trim()
    .split('\n');
  return lines.map((line) => JSON.parse(line));
}

/** Every page is this one; the workers' scripts are beside it. */
const server = createServer((request, response) => {
  const script = scripts[request.url];
  response.setHeader('content-type', script ? 'text/javascript' : 'text/html');
  response.end(script ? readFileSync(script) : '<!doctype html><title>determinism</title>');
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));

async function inBrowser(seed) {
  const executablePath = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
    (candidate) => candidate && existsSync(candidate),
  );
  if (!executablePath) return undefined;
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${server.address().port}/`);
    const answer = await page.evaluate(
      (value) =>
        new Promise((resolve, reject) => {
          const worker = new Worker('/worker.js');
          worker.onmessage = (event) => resolve(event.data);
          worker.onerror = (event) => reject(new Error(event.message));
          worker.postMessage(value);
        }),
      seed,
    );
    if (!Array.isArray(answer)) throw new Error(answer.error);
    return answer;
  } finally {
    await browser.close();
  }
}

let failed = 0;
try {
  for (const seed of seeds) {
    const runs = [[`Node ${process.version}`, onNode(process.execPath, seed)]];
    for (const program of (process.env.NODES ?? '').split(':').filter(Boolean)) {
      const version = execFileSync(program, ['--version'], { encoding: 'utf8' }).trim();
      runs.push([`Node ${version}`, onNode(program, seed)]);
    }
    const browser = await inBrowser(seed);
    if (browser === undefined) console.log('Chromium is left out: it is not installed (or name it in CHROMIUM)');
    else runs.push(['Chromium', browser]);
    const expected = JSON.stringify(runs[0][1][0].hashes);
    console.log(`SEED=${seed}: ${runs[0][1][0].hashes.join(' ')}`);
    for (const [host, results] of runs) {
      for (const { name, hashes } of results) {
        const same = JSON.stringify(hashes) === expected;
        if (!same) failed++;
        console.log(`  ${host}, ${name}: ${same ? 'equal' : `DIFFERENT ${hashes.join(' ')}`}`);
      }
    }
  }
} finally {
  server.close();
  rmSync(folder, { recursive: true, force: true });
}
process.exitCode = failed === 0 ? 0 : 1;
