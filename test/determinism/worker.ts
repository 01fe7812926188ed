/** The same in a worker of a browser: a message with the seed is answered with all fingerprints. */

import { startCompiler } from '../../debug-adapter/compiler-thread.browser';
import { fingerprints, type Host, variants } from './guest';

const host: Host = {
  breathe: () => new Promise((resolve) => setTimeout(resolve, 1)),
  startCompiler: () => startCompiler('/compiler.js'),
};

async function answer(seed: number): Promise<unknown> {
  try {
    const all: unknown[] = [];
    for (const variant of variants) all.push({ name: variant.name, hashes: await fingerprints(seed, variant, host) });
    return all;
  } catch (error) {
    return { error: error instanceof Error ? (error.stack ?? error.message) : 'unknown' };
  }
}

self.onmessage = ({ data: seed }: MessageEvent<number>) => void answer(seed).then((message) => self.postMessage(message));
