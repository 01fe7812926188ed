/** Prints the fingerprints of a seed on Node: `node determinism-node.cjs SEED`. */

import { fingerprints, variants } from './guest';

const seed = Number(process.argv[2]);
for (const variant of variants) console.log(JSON.stringify({ name: variant.name, hashes: fingerprints(seed, variant) }));
