/** Who compiles regions beside the machine: a thread that the entry files know how to start, shared by all processors of this one, or nobody. */

import { type Task, type TaskAnswer } from './jit/compiler-thread';
import {
  type CompileAnswer,
  type CompileOrder,
  type GatherAnswer,
  type GatherOrder,
  type KeepOrder,
  type KnownAnswer,
  type KnownOrder,
  type RecallAnswer,
  type RecallOrder,
} from './jit/order';

/** Compiles regions on another thread. All reject where the thread cannot be had or has ended; it is not asked again then. */
export interface CompileService {
  /** Starts the thread, which takes a while, ahead of the first order. */
  prepare?(): void;
  compile(order: CompileOrder): Promise<CompileAnswer>;
  /** What there is of earlier runs; from then on `recall` begins with the first of it. */
  known?(order: KnownOrder): Promise<KnownAnswer>;
  /** Regions of an earlier run. */
  recall?(order: RecallOrder): Promise<RecallAnswer>;
  /** Regions that have been compiled or recalled, once more. */
  gather?(order: GatherOrder): Promise<GatherAnswer>;
  /** Has what was compiled written for later runs. */
  keep?(order: KeepOrder): Promise<undefined>;
}

/** What an order and its answer carry beside themselves. */
export interface Numbered<T> {
  readonly id: number;
  readonly content: T;
}

/** What the thread answers. */
export type Answer = Numbered<TaskAnswer<Task['kind']>>;

/** The way to a thread that has been started. */
export interface CompilerThread {
  readonly post: (task: Numbered<Task>) => void;
  /** Called once. */
  listen(answered: (answer: Answer) => void, failed: (error: Error) => void): void;
  /** Whether the process waits for the thread, which it does not by itself. */
  hold?(on: boolean): void;
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

/** The service of a thread that is started when the first order comes, or before. */
export function serviceOf(starter: () => CompilerThread | Promise<CompilerThread>): CompileService {
  const waiting = new Map<number, { resolve: (answer: Answer['content']) => void; reject: (error: Error) => void }>();
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
  const ask = async <K extends Task['kind']>(task: Extract<Task, { kind: K }>): Promise<TaskAnswer<K>> => {
    thread ??= started();
    const { post } = await thread;
    if (failure !== undefined) throw failure;
    return new Promise((resolve, reject) => {
      const id = ++last;
      // The thread answers each task with what belongs to it.
      waiting.set(id, { resolve: resolve as (answer: Answer['content']) => void, reject });
      post({ id, content: task });
    });
  };
  let held = 0;
  // A process that has nothing else to do would end before the answer.
  const keep = async (order: KeepOrder): Promise<undefined> => {
    const begun = await thread;
    if (begun === undefined) return undefined;
    if (held++ === 0) begun.hold?.(true);
    try {
      return await ask<'keep'>({ kind: 'keep', order });
    } finally {
      if (--held === 0) begun.hold?.(false);
    }
  };
  return {
    prepare: () => {
      thread ??= started();
      // The first order hears of what went wrong.
      thread.catch(() => undefined);
    },
    compile: (order) => ask<'compile'>({ kind: 'compile', order }),
    known: (order) => ask<'known'>({ kind: 'known', order }),
    recall: (order) => ask<'recall'>({ kind: 'recall', order }),
    gather: (order) => ask<'gather'>({ kind: 'gather', order }),
    keep,
  };
}
