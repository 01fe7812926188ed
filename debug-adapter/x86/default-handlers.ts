/** The interpreter's handlers for processors that are not given any: prebuilt ones where somebody has handed them over, else built once in a process. */

import { buildHandlers } from './handlers';
import { opcodeTable } from './isa/all';

let module: WebAssembly.Module | undefined;

export function defaultHandlers(): WebAssembly.Module {
  module ??= new WebAssembly.Module(buildHandlers(opcodeTable));
  return module;
}

/** Takes the prebuilt ones for every later processor of this process. */
export function useHandlers(handlers: WebAssembly.Module): void {
  module = handlers;
}
