/** V8's code cache of a bundle: functions that a run calls come compiled from a file beside it, which takes a third off the start of a process. */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire, Module } from 'node:module';
import { dirname } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { Script } from 'node:vm';
import { makeLinearMemory, usualRam } from '../../debug-adapter/machine/memory';
import { compileHandlers } from './handlers.node';
import { nodeIo } from './io.node';
import { type RunIo } from './io';

type BundleWrapper = (exports: unknown, require: NodeJS.Require, module: NodeJS.Module, filename: string, directory: string) => void;

/** As Node wraps a CommonJS module; on one line, so that places in stack traces stay true. */
const wrap = (source: string): string => `(function (exports, require, module, __filename, __dirname) { ${source}\n})`;

const cacheOf = (bundle: string): string => bundle.replace(/\.js$/, '.cache');

/** Runs the compiled bundle as a module, which later `require`s of the file find. */
function install(script: Script, bundle: string): NodeJS.Module {
  const require = createRequire(bundle);
  const module = new Module(bundle);
  module.filename = bundle;
  (script.runInThisContext() as BundleWrapper)(module.exports, require, module, bundle, dirname(bundle));
  module.loaded = true;
  require.cache[bundle] = module;
  return module;
}

/**
 * Loads a bundle with its cache, so that `require` gives it at once. Does nothing where there is no cache, as in a source tree, or where it was made by another
 * version of V8.
 * @param bundle absolute path.
 */
export function loadCompiled(bundle: string): void {
  let cachedData: Buffer;
  try {
    cachedData = readFileSync(cacheOf(bundle));
  } catch {
    return;
  }
  const script = new Script(wrap(readFileSync(bundle, 'utf8')), { filename: bundle, cachedData });
  if (script.cachedDataRejected === false) install(script, bundle);
}

/**
 * At build time: runs a command from its bundles, once for each command line, and leaves the code that this needed in their caches. `name` is the command's
 * function in the first of them; the others are what that loads.
 */
export async function writeCodeCache(
  bundles: readonly [string, ...string[]],
  name: string,
  commandLines: readonly (readonly string[])[],
): Promise<void> {
  // What has not run for a while is dropped otherwise, such as all that runs only while a bundle loads.
  setFlagsFromString('--no-flush-bytecode');
  const scripts = bundles.map((bundle) => new Script(wrap(readFileSync(bundle, 'utf8')), { filename: bundle }));
  const [first] = scripts.map((script, i) => install(script, bundles[i]!));
  const command = (first!.exports as Readonly<Record<string, (argv: readonly string[], io: RunIo) => number | Promise<number>>>)[name]!;
  for (const argv of commandLines) {
    let errors = '';
    const quiet = (): void => undefined;
    const io = {
      ...nodeIo({ memory: makeLinearMemory(usualRam), handlers: compileHandlers(dirname(bundles[0])) }),
      writeConsole: quiet,
      stdout: quiet,
      stderr: (text: string) => void (errors += text),
      // It would set a flag.
      takesLonger: () => Promise.resolve(),
    };
    const status = await command(argv, io);
    if (status !== 0) throw new Error(`the run for the code cache ended with status ${status}: ${errors}`);
  }
  // A cache is taken only by a process with the same flags.
  setFlagsFromString('--flush-bytecode');
  scripts.forEach((script, i) => writeFileSync(cacheOf(bundles[i]!), script.createCachedData()));
}
