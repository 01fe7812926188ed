/** Run by the build: the interpreter's handlers as a binary for dist/, so that no start has to make them. */
import { buildHandlers } from './handlers';
import { opcodeTable } from './isa/all';

/** The bytes of dist/handlers.wasm. */
export const prebuiltHandlers = (): Uint8Array<ArrayBuffer> => buildHandlers(opcodeTable);
