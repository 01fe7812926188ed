/** V8's code caches of bundles, which take a third off the start of a process: made at build time, from runs of what they hold. */
import { writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { type Script } from 'node:vm';
import { cacheOf, install, scriptOf } from '../../debug-adapter/compiled-bundle.node';
import { makeLinearMemory, usualRam } from '../../debug-adapter/machine/memory';
import { optimiseAsUsual, waitWithOptimising } from '../../debug-adapter/optimising.node';
import type * as regionCompiler from '../../debug-adapter/region-compiler';
import { type Answer, type CompilerThread, type Numbered } from '../../debug-adapter/x86/default-compiler';
import { type Task } from '../../debug-adapter/x86/jit/compiler-thread';
import { compileHandlers } from './handlers.node';
import { nodeIo } from './io.node';
import { type RunIo } from './io';
import type * as runModule from './run';

/** Leaves the code that the bundles have needed so far in their caches, which only a process with the same flags takes. */
function write(scripts: readonly Script[], bundles: readonly string[]): void {
  setFlagsFromString('--flush-bytecode');
  scripts.forEach((script, i) => writeFileSync(cacheOf(bundles[i]!), script.createCachedData()));
}

/** What has not run for a while is dropped otherwise, such as all that runs only while a bundle loads. */
const keepCode = (): void => setFlagsFromString('--no-flush-bytecode');

/** Runs a command with nothing shown; throws where it fails. */
async function run(
  command: (argv: readonly string[], io: RunIo) => number | Promise<number>,
  argv: readonly string[],
  bundle: string,
  startCompiler: (() => Promise<CompilerThread>) | undefined,
): Promise<void> {
  let errors = '';
  const quiet = (): void => undefined;
  const {
    startCompiler: _,
    keptOf: __,
    ...usual
  } = nodeIo({ memory: makeLinearMemory(usualRam), handlers: compileHandlers(dirname(bundle)) });
  const io: RunIo = {
    ...usual,
    writeConsole: quiet,
    stdout: quiet,
    stderr: (text: string) => void (errors += text),
    // It would set a flag.
    takesLonger: () => Promise.resolve(),
    ...(startCompiler && { startCompiler }),
  };
  const status = await command(argv, io);
  if (status !== 0) throw new Error(`the run for the code cache ended with status ${status}: ${errors}`);
}

/**
 * At build time: runs a command from its bundles, once for each command line. `name` is the command's function in the first of them; the others are what that
 * loads.
 */
export async function writeCodeCache(
  bundles: readonly [string, ...string[]],
  name: string,
  commandLines: readonly (readonly string[])[],
): Promise<void> {
  keepCode();
  const scripts = bundles.map((bundle) => scriptOf(bundle));
  const [first] = scripts.map((script, i) => install(script, bundles[i]!));
  const command = (first!.exports as Readonly<Record<string, (argv: readonly string[], io: RunIo) => number | Promise<number>>>)[name]!;
  for (const argv of commandLines) await run(command, argv, bundles[0], undefined);
  write(scripts, bundles);
}

/**
 * At build time: has the bundle of the thread that compiles translate all of an image's code, with the flags that a process has by the time it starts that
 * thread.
 */
export async function writeCompilerCache(bundle: string, runBundle: string, image: string): Promise<void> {
  keepCode();
  const script = scriptOf(bundle);
  const { RegionCompiler } = install(script, bundle).exports as typeof regionCompiler;
  const compiler = new RegionCompiler();
  const { runCommand } = install(scriptOf(runBundle), runBundle).exports as typeof runModule;
  let regions = 0;
  const startCompiler = (): Promise<CompilerThread> => {
    let answered: ((answer: Answer) => void) | undefined;
    return Promise.resolve({
      post: ({ id, content }: Numbered<Task>) => {
        if (content.kind === 'compile') regions += content.order.regions.length;
        setImmediate(() => answered?.({ id, content: compiler.do(content) }));
      },
      listen: (listener) => (answered = listener),
    });
  };
  await run(runCommand, [image, '--jit', 'eager'], bundle, startCompiler);
  if (regions === 0) throw new Error('the run for the code cache translated nothing');
  await waitWithOptimising();
  await optimiseAsUsual();
  write([script], [bundle]);
}
