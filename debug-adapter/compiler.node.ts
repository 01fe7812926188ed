/** Entry of the thread that compiles regions under Node. */
import { parentPort } from 'node:worker_threads';
import { type Numbered } from './x86/default-compiler';
import { RegionCompiler } from './x86/jit/compiler-thread';
import { type CompileAnswer, type CompileOrder } from './x86/jit/order';

const compiler = new RegionCompiler();

parentPort?.on('message', ({ id, content }: Numbered<CompileOrder>) => {
  const answer: Numbered<CompileAnswer> = { id, content: compiler.compile(content) };
  parentPort?.postMessage(answer);
});
