/** Starts the thread that compiles regions under Node, from the bundle beside the running one. */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { type CompilerThread } from './x86/default-compiler';

/**
 * @param folder where the bundles are. Throws where there is one core only, which a second thread would take from the machine; what fails later is told to the
 * listener: a source tree, for one, has no bundle.
 */
export function startCompiler(folder: string): CompilerThread {
  if (availableParallelism() < 2) throw new Error('one core only');
  const worker = new Worker(join(folder, 'compiler.js'), { execArgv: [] });
  return {
    post: (task) => worker.postMessage(task),
    listen: (answered, failed) => {
      worker.on('message', answered);
      worker.on('error', failed);
      worker.on('exit', () => failed(new Error('the thread that compiles has ended')));
      // Whoever wants to end does not wait for it; listening to it would have them wait.
      worker.unref();
    },
    hold: (on) => {
      if (on) worker.ref();
      else worker.unref();
    },
  };
}
