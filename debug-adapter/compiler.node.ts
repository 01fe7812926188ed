/** Entry of the thread that compiles regions under Node. */
import { join } from 'node:path';
import { parentPort } from 'node:worker_threads';
import { loadCompiled } from './compiled-bundle.node';
import { type Numbered } from './x86/default-compiler';
import { type CompileAnswer, type CompileOrder } from './x86/jit/order';

loadCompiled(join(__dirname, 'region-compiler.js'));

const port = parentPort;
if (port !== null) {
  void import('./region-compiler.js').then(({ RegionCompiler }) => {
    const compiler = new RegionCompiler();
    port.on('message', ({ id, content }: Numbered<CompileOrder>) => {
      const answer: Numbered<CompileAnswer> = { id, content: compiler.compile(content) };
      port.postMessage(answer);
    });
  });
}
