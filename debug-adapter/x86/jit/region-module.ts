/** The WebAssembly modules that hold the functions of regions. */

import { namedHelpers } from '../interp-abi';
import { Code } from '../wasm/code';
import { ModuleBuilder } from '../wasm/module';
import { type ValueType } from '../wasm/opcodes';
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

/** Parameters and results of each, in the same order. */
const runtimeTypes: readonly (readonly [readonly ValueType[], readonly ValueType[]])[] = runtimeNames.map((name, i) => {
  if (i < 8 || name === 'observe') return [[], ['i32']];
  if (name === 'arithmetic') return [[], ['i64']];
  if (name === 'enter') return [['i32'], []];
  if (name === 'tell') return [['i32'], ['i32']];
  if (name === 'noteBytes') return [['i32', 'i32'], ['i32']];
  return [['i64', 'i64'], ['i64']];
});

/** A module of functions of the same names and types that do nothing: V8 makes nothing for a module's imports where these are WebAssembly's, too. */
export function assembleNothing(): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  for (const [i, name] of runtimeNames.entries()) {
    const [parameters, results] = runtimeTypes[i]!;
    const c = new Code([...parameters]);
    for (const result of results) {
      if (result === 'i32') c.i32(0);
      else c.i64(0);
    }
    module.exportFunction(name, module.func(module.type([...parameters], [...results]), c));
  }
  return module.build();
}

/**
 * The module of several regions, which it exports by their numbers: V8 takes as long for the smallest module as for some hundred instructions, and to go on
 * from one region to another within a module costs a fraction of what it costs from one to the next.
 * @param first index of the first of them in the table of all regions, where the others follow.
 */
export function assembleRegions(bodies: readonly RegionBody[], first: number): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  module.importMemory('env', 'memory', 1);
  for (const [i, name] of runtimeNames.entries()) {
    const [parameters, results] = runtimeTypes[i]!;
    module.importFunction('runtime', name, [...parameters], [...results]);
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
