/** Who compiles regions beside the machine: a thread that the entry files know how to start, shared by all processors of this one, or nobody. */

import { type CompileAnswer, type CompileOrder } from './jit/order';

/** Compiles regions on another thread. */
export interface CompileService {
  /** Starts the thread, which takes a while, ahead of the first order. */
  prepare?(): void;
  /** Rejects where the thread cannot be had or has ended; it is not asked again then. */
  compile(order: CompileOrder): Promise<CompileAnswer>;
}

/** What an order and its answer carry beside themselves. */
export interface Numbered<T> {
  readonly id: number;
  readonly content: T;
}

/** The way to a thread that has been started. */
export interface CompilerThread {
  readonly post: (order: Numbered<CompileOrder>) => void;
  /** Called once. */
  listen(answered: (answer: Numbered<CompileAnswer>) => void, failed: (error: Error) => void): void;
}

let start: (() => CompilerThread | Promise<CompilerThread>) | undefined;
let service: CompileService | undefined;

/** Takes what starts the thread, once the first order comes. */
export function useCompiler(starter: () => CompilerThread | Promise<CompilerThread>): void {
  start = starter;
}

/** The thread's service; undefined where none can be started. */
export function defaultCompiler(): CompileService | undefined {
  if (service === undefined && start !== undefined) service = serviceOf(start);
  return service;
}

function serviceOf(starter: () => CompilerThread | Promise<CompilerThread>): CompileService {
  const waiting = new Map<number, { resolve: (answer: CompileAnswer) => void; reject: (error: Error) => void }>();
  let thread: Promise<CompilerThread> | undefined;
  let failure: Error | undefined;
  let last = 0;
  const fail = (error: Error): void => {
    failure = error;
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  const started = async (): Promise<CompilerThread> => {
    const begun = await starter();
    begun.listen(({ id, content }) => {
      waiting.get(id)?.resolve(content);
      waiting.delete(id);
    }, fail);
    return begun;
  };
  return {
    prepare: () => {
      thread ??= started();
      // The first order hears of what went wrong.
      thread.catch(() => undefined);
    },
    compile: async (order) => {
      thread ??= started();
      const { post } = await thread;
      if (failure !== undefined) throw failure;
      return new Promise((resolve, reject) => {
        const id = ++last;
        waiting.set(id, { resolve, reject });
        post({ id, content: order });
      });
    },
  };
}
