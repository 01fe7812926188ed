/**
 * How long the extension takes to load and to activate, in processes of their own: `npm run build && npx tsx bench/extension/activation.ts [--rounds N]`. The editor's API is a stand-in that
 * answers everything with itself, so what is measured is the extension's own work; the aim is 100 ms for both together. The peer is the start of Node with nothing to do, in turns with it.
 */
import { spawnSync } from 'node:child_process';
import path from 'node:path';

const extension = path.resolve(__dirname, '../../dist/extension.js');
const at = process.argv.indexOf('--rounds');
const rounds = at < 0 ? 20 : Number(process.argv[at + 1]);

/** Runs in the process that is measured, as text. Prints milliseconds: to load, to activate. */
const script = `
  const Module = require('node:module');
  const stand = new Proxy(class {}, {
    get: (_, name) => (name === Symbol.toPrimitive ? () => '' : name === Symbol.iterator ? [][Symbol.iterator] : name === 'then' ? undefined : stand),
    apply: () => stand,
    construct: () => stand,
    // A bundle takes a module's prototype over, and its own members alone.
    getPrototypeOf: () => stand,
    set: () => true,
  });
  const load = Module._load;
  Module._load = (name, ...rest) => (name === 'vscode' ? stand : load(name, ...rest));
  const from = performance.now();
  const { activate } = require(${JSON.stringify(extension)});
  const loaded = performance.now();
  activate({
    subscriptions: [], extensionUri: stand, extensionPath: ${JSON.stringify(path.dirname(path.dirname(extension)))}, extensionMode: 1,
    asAbsolutePath: (file) => file, globalState: stand, workspaceState: stand, globalStorageUri: stand, secrets: stand, extension: stand,
  });
  process.stdout.write(JSON.stringify([loaded - from, performance.now() - loaded]));
  process.exit(0);
`;

const run = (text: string): { readonly out: string; readonly milliseconds: number } => {
  const from = performance.now();
  const { stdout, stderr, status } = spawnSync(process.execPath, ['-e', text], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return { out: stdout, milliseconds: performance.now() - from };
};

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN;

const loads: number[] = [];
const activations: number[] = [];
const starts: number[] = [];
for (let i = 0; i < rounds; i++) {
  const [load, activation] = JSON.parse(run(script).out) as [number, number];
  loads.push(load);
  activations.push(activation);
  starts.push(run('').milliseconds);
}
const both = loads.map((load, i) => load + activations[i]!);
console.log(`load       ${median(loads).toFixed(1)} ms`);
console.log(`activate   ${median(activations).toFixed(1)} ms`);
console.log(`both       ${median(both).toFixed(1)} ms (aim: 100), slowest ${Math.max(...both).toFixed(1)} ms`);
console.log(`node alone ${median(starts).toFixed(1)} ms; both are ${(median(both) / median(starts)).toFixed(2)} of it`);
