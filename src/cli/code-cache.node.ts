/** V8's code cache of a bundle: functions that a run calls come compiled from a file beside it, which takes a third off the start of a process. */
import { readFileSync, writeFileSync } from 'node:fs';
import Module, { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { Script } from 'node:vm';
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

/** At build time: runs `unikernel run` once from the bundle and leaves the code that it needed in the cache. */
export async function writeCodeCache(bundle: string, argv: readonly string[]): Promise<void> {
  const script = new Script(wrap(readFileSync(bundle, 'utf8')), { filename: bundle });
  const { runCommand } = install(script, bundle).exports as {
    readonly runCommand: (argv: readonly string[], io: RunIo) => Promise<number>;
  };
  let errors = '';
  const io = { ...nodeIo(), writeConsole: () => undefined, stderr: (text: string) => void (errors += text) };
  const status = await runCommand(argv, io);
  if (status !== 0) throw new Error(`the run for the code cache ended with status ${status}: ${errors}`);
  writeFileSync(cacheOf(bundle), script.createCachedData());
}
