/** Entry of the thread that compiles regions under Node. */
import { join } from 'node:path';
import { parentPort } from 'node:worker_threads';
import { loadCompiled } from './compiled-bundle.node';
import { keptFiles } from './kept-files.node';
import { type Answer, type Numbered } from './x86/default-compiler';
import { type Task } from './x86/jit/compiler-thread';

const bundle = join(__dirname, 'region-compiler.js');
loadCompiled(bundle);

const port = parentPort;
if (port !== null) {
  void import('./region-compiler.js').then(({ RegionCompiler }) => {
    const compiler = new RegionCompiler(keptFiles(bundle));
    port.on('message', ({ id, content }: Numbered<Task>) => {
      const answer: Answer = { id, content: compiler.do(content) };
      port.postMessage(answer);
    });
  });
}
