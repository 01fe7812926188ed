/** Takes the interpreter's handlers that the build left beside the bundle. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { useHandlers } from '../../debug-adapter/x86/default-handlers';

/** In a source tree there are none, and the processor makes its own at the first start, which takes a while. */
export function usePrebuiltHandlers(): void {
  try {
    useHandlers(new Uint8Array(readFileSync(join(__dirname, 'handlers.wasm'))));
  } catch (error) {
    if ((error as { readonly code?: string }).code !== 'ENOENT') throw error;
  }
}
