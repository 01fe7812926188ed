/** Entry of the thread that compiles regions in a browser. */
import { type Answer, type Numbered } from './x86/default-compiler';
import { RegionCompiler, type Task } from './x86/jit/compiler-thread';

const compiler = new RegionCompiler();

self.onmessage = ({ data: { id, content } }: MessageEvent<Numbered<Task>>) => {
  const answer: Answer = { id, content: compiler.do(content) };
  self.postMessage(answer);
};
