/** Finds the interpreter's handlers that the build left beside the bundle. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Begins to compile them in the background: the start of a process has more to do meanwhile. Undefined in a source tree, which has none: there the processor
 * makes its own at the first start, which takes a while.
 * @param directory where the bundles are.
 */
export function compileHandlers(directory: string): Promise<WebAssembly.Module> | undefined {
  try {
    return WebAssembly.compile(readFileSync(join(directory, 'handlers.wasm')));
  } catch (error) {
    if ((error as { readonly code?: string }).code !== 'ENOENT') throw error;
    return undefined;
  }
}
