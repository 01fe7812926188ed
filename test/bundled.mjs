// Runs one test file bundled, as what ships is: `FUZZ=100000 node test/bundled.mjs test/dap/fuzz.test.ts`. For long random runs: from separate modules each use of an imported
// constant is a call of a getter, and the processor's TypeScript takes several times as long.
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';

const [entry, ...args] = process.argv.slice(2);
if (entry === undefined) {
  console.error('usage: node test/bundled.mjs TEST.ts [OPTIONS OF MOCHA]');
  process.exit(2);
}
const root = path.resolve(import.meta.dirname, '..');
const folder = path.join(root, 'out', 'bundled');
const outfile = path.join(folder, `${path.basename(entry, '.ts')}.${process.pid}.cjs`);
mkdirSync(folder, { recursive: true });
/** Tests find their fixtures beside their source. */
const ownFolders = {
  name: 'own folders',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, ({ path: file }) => ({
      contents: readFileSync(file, 'utf8').replaceAll(/\b__dirname\b/g, JSON.stringify(path.dirname(file))),
      loader: 'ts',
    }));
  },
};
try {
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    logLevel: 'warning',
    plugins: [ownFolders],
  });
  const { status } = spawnSync('npx', ['mocha', '--no-config', '--no-package', ...args, outfile], { stdio: 'inherit', cwd: root });
  process.exitCode = status ?? 1;
} finally {
  rmSync(outfile, { force: true });
}
