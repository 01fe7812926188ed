/** Starts the thread that compiles regions in a browser. */
import { type Answer, type CompilerThread } from './x86/default-compiler';

/** @param address of its program. Throws where there is one core only, which a second thread would take from the machine; what fails later is told to the listener. */
export function startCompiler(address: string): CompilerThread {
  if (navigator.hardwareConcurrency < 2) throw new Error('one core only');
  const worker = new Worker(address);
  return {
    post: (task) => worker.postMessage(task),
    listen: (answered, failed) => {
      worker.onmessage = ({ data }: MessageEvent<Answer>) => answered(data);
      worker.onerror = ({ message }) => failed(new Error(message));
      worker.onmessageerror = () => failed(new Error('a message of the thread that compiles could not be read'));
    },
  };
}
