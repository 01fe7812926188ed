/** Prints the fingerprints of a seed on Node: `node determinism-node.cjs SEED`, with compiler.js beside it. */

import { startCompiler } from '../../debug-adapter/compiler-thread.node';
import { fingerprints, type Host, variants } from './guest';

const host: Host = {
  breathe: () => new Promise((resolve) => setTimeout(resolve, 1)),
  startCompiler: () => startCompiler(__dirname),
};

async function main(seed: number): Promise<void> {
  for (const variant of variants) console.log(JSON.stringify({ name: variant.name, hashes: await fingerprints(seed, variant, host) }));
}

void main(Number(process.argv[2]));
