/** Loads a bundle with V8's code cache of it: functions that it is sure to call come compiled from a file beside it. */
import { readFileSync } from 'node:fs';
import { createRequire, Module } from 'node:module';
import { dirname } from 'node:path';
import { debuglog } from 'node:util';
import { Script } from 'node:vm';

type BundleWrapper = (exports: unknown, require: NodeJS.Require, module: NodeJS.Module, filename: string, directory: string) => void;

/** As Node wraps a CommonJS module; on one line, so that places in stack traces stay true. */
const wrap = (source: string): string => `(function (exports, require, module, __filename, __dirname) { ${source}\n})`;

/** Where the cache of a bundle is. */
export const cacheOf = (bundle: string): string => bundle.replace(/\.js$/, '.cache');

/** The bundle as a script that defines its module, by the cache where one is given. */
export const scriptOf = (bundle: string, cachedData?: Buffer): Script =>
  new Script(wrap(readFileSync(bundle, 'utf8')), { filename: bundle, ...(cachedData && { cachedData }) });

/** Runs the compiled bundle as a module, which later `require`s of the file find. */
export function install(script: Script, bundle: string): NodeJS.Module {
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
 * version of V8 or with other flags, which NODE_DEBUG=unikernel tells.
 * @param bundle absolute path.
 */
export function loadCompiled(bundle: string): void {
  let cachedData: Buffer;
  try {
    cachedData = readFileSync(cacheOf(bundle));
  } catch {
    return;
  }
  const script = scriptOf(bundle, cachedData);
  if (script.cachedDataRejected === false) install(script, bundle);
  else debuglog('unikernel')('%s is of another version of V8, or of other flags: not used', cacheOf(bundle));
}
