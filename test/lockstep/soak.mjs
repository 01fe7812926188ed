// Bundles soak.ts and runs it: `nice -n 15 node test/lockstep/soak.mjs`, with CASES, SECONDS, SEED and REPORT (a file) in the environment.
import { build } from 'esbuild';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const here = import.meta.dirname;
const outfile = path.resolve(here, '../../dist/lockstep-soak.mjs');
await build({
  entryPoints: [path.join(here, 'soak.ts')],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  packages: 'external',
  logLevel: 'error',
  // The oracle's source is found beside its module.
  define: { 'import.meta.dirname': JSON.stringify(here) },
});
await import(pathToFileURL(outfile).href);
