/** Finds the last moment before now at which something happened, by running history again from checkpoint to checkpoint, newest first. */
import { type StopReason } from '../../machine/api';
import { type History, type Journey } from './history';

/** Something that happened, at an instruction count. */
export interface Occurrence<T> {
  readonly at: number;
  readonly what: T;
}

/**
 * The last occurrence before instruction `before`. `judge` is asked at every stop of the machine, which stands there, and answers undefined for what
 * does not count. Leaves the machine anywhere.
 */
export function* lastBefore<T>(
  history: History,
  before: number,
  judge: (reason: StopReason) => T | undefined,
): Journey<Occurrence<T> | undefined> {
  for (let bound = before; bound > history.start;) {
    const index = history.checkpoints.indexBefore(bound - 1);
    const start = history.checkpoints.list[index]!.at;
    let last: Occurrence<T> | undefined;
    yield* history.rerun(index, bound, (reason) => {
      // A watched access is found when it is over; backwards, the guest stands before it.
      const at = reason.kind === 'watch' ? history.position - 1 : history.position;
      const what = at < before ? judge(reason) : undefined;
      if (what !== undefined) last = { at, what };
    });
    if (last !== undefined) return last;
    bound = start;
  }
  return undefined;
}
