/** Entry of the thread that compiles regions in a browser. */
import { type Numbered } from './x86/default-compiler';
import { RegionCompiler } from './x86/jit/compiler-thread';
import { type CompileAnswer, type CompileOrder } from './x86/jit/order';

const compiler = new RegionCompiler();

self.onmessage = ({ data: { id, content } }: MessageEvent<Numbered<CompileOrder>>) => {
  const answer: Numbered<CompileAnswer> = { id, content: compiler.compile(content) };
  self.postMessage(answer);
};
