/** The same in a worker of a browser: a message with the seed is answered with all fingerprints. */

import { fingerprints, variants } from './guest';

/** What of a worker's global is used: the project's types are Node's. */
interface WorkerScope {
  onmessage: ((event: { readonly data: number }) => void) | null;
  postMessage(message: unknown): void;
}
const scope = globalThis as unknown as WorkerScope;

scope.onmessage = ({ data: seed }) => {
  try {
    scope.postMessage(variants.map((variant) => ({ name: variant.name, hashes: fingerprints(seed, variant) })));
  } catch (error) {
    scope.postMessage({ error: error instanceof Error ? (error.stack ?? error.message) : 'unknown' });
  }
};
