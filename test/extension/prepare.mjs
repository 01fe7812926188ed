// What both ways of running the suite need: its bundle for the extension host, and a folder to open.
import { build } from 'esbuild';
import { cp, mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { root } from './host.mjs';

/** Bundles the suite for the extension host. Returns the path of the module whose `run` it calls. */
export async function bundleSuite() {
  const suite = path.join(root, 'test', 'extension', 'suite');
  const out = path.join(root, 'out', 'test', 'extension');
  const files = (await readdir(suite)).filter((name) => name.endsWith('.ts'));
  await build({
    entryPoints: files.map((name) => path.join(suite, name)),
    outdir: out,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'es2022',
    external: ['vscode', 'mocha'],
    logLevel: 'warning',
  });
  return path.join(out, 'index.js');
}

/** A copy of the example, which tests may change. */
export async function exampleFolder() {
  const folder = await mkdtemp(path.join(tmpdir(), 'unikernel-example-'));
  await cp(path.join(root, 'dist', 'examples', 'hello'), folder, { recursive: true });
  return folder;
}
