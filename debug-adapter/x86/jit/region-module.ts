/** The WebAssembly modules that hold the functions of regions. */

import { namedHelpers } from '../interp-abi';
import { ModuleBuilder } from '../wasm/module';
import { type RegionBody } from './compile';
import { onward } from './onward';

/** Names of the runtime functions in the order of `RegionImports`. */
export const runtimeNames: readonly string[] = [
  ...Array.from({ length: 8 }, (_, i) => `condition${i}`),
  'arithmetic',
  ...namedHelpers,
  'enter',
  'observe',
  'tell',
  'noteBytes',
];

/**
 * The module of several regions, which it exports by their numbers: V8 takes as long for the smallest module as for some hundred instructions, and to go on
 * from one region to another within a module costs a fraction of what it costs from one to the next.
 * @param first index of the first of them in the table of all regions, where the others follow.
 */
export function assembleRegions(bodies: readonly RegionBody[], first: number): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  module.importMemory('env', 'memory', 1);
  for (const [i, name] of runtimeNames.entries()) {
    if (i < 8) module.importFunction('runtime', name, [], ['i32']);
    else if (name === 'enter') module.importFunction('runtime', name, ['i32'], []);
    else if (name === 'observe') module.importFunction('runtime', name, [], ['i32']);
    else if (name === 'tell') module.importFunction('runtime', name, ['i32'], ['i32']);
    else if (name === 'noteBytes') module.importFunction('runtime', name, ['i32', 'i32'], ['i32']);
    else if (name === 'arithmetic') module.importFunction('runtime', name, [], ['i64']);
    else module.importFunction('runtime', name, ['i64', 'i64'], ['i64']);
  }
  const type = module.type(['i32'], ['i32']);
  module.func(type, onward(first, bodies.length, type));
  const functions = bodies.map(({ body, hints }, number) => {
    const index = module.func(type, body, hints);
    module.exportFunction(`${number}`, index);
    return index;
  });
  module.table(functions.length);
  module.elements(0, functions);
  return module.build();
}
