/** Goes back for the client: to the instruction before, or to the last breakpoint or watched access before now. */
import { type History, type Journey } from '../control/history/history';
import { type StopReason } from '../machine/api';
import { type TravellingTarget } from '../control/history/probes';

/** Where a way back ends, and what is told there; undefined where history begins before anything else. */
export interface Arrival<T> {
  readonly at: number;
  readonly what: T;
}

/** IRET and IRETQ (SDM vol. 2A). */
const isInterruptReturn = (code: Uint8Array): boolean => code[0] === 0xcf || (code[0] === 0x48 && code[1] === 0xcf);
/** Instructions of a handler that a step back looks through for the place that it interrupted. */
const longestHandler = 20_000;

/**
 * The moment of the instruction before. Handlers of interrupts that ran in between are passed, as they are forwards: from behind one that is not too
 * long, the step leads to before the interrupted instruction's own predecessor.
 */
export function* instructionBefore(history: History, target: TravellingTarget): Journey<number | undefined> {
  const from = history.position;
  if (from === 0) return undefined;
  const pc = target.pc;
  const stackPointer = target.register('rsp');
  yield* history.seek(from - 1);
  if (!isInterruptReturn(target.machine.cpu.readMemory(target.pc, 2))) return from - 1;
  const start = Math.max(0, from - longestHandler);
  yield* history.seek(start);
  let interrupted: number | undefined;
  for (let at = start; at < from - 1; at++) {
    if (target.pc === pc && target.register('rsp') === stackPointer) interrupted = at;
    yield* history.replay(at + 1);
  }
  if (interrupted === undefined) return from - 1;
  yield* history.seek(interrupted);
  return yield* instructionBefore(history, target);
}

/**
 * The last stop before now. `judge` tells what a stop of the machine means to the client, or undefined for nothing; an access is told at the moment
 * before its instruction, where it is undone, and a breakpoint at its own.
 */
export function* stopBefore<T>(
  history: History,
  target: TravellingTarget,
  judge: (reason: StopReason) => T | undefined,
): Journey<Arrival<T> | undefined> {
  const from = history.position;
  // Whatever was passed over at an earlier stop is not passed over now: only the present moment is.
  target.probes.passCurrent();
  for (let bound = from; bound > 0;) {
    const index = history.checkpoints.indexBefore(bound - 1);
    const start = history.checkpoints.list[index]!.at;
    let last: Arrival<T> | undefined;
    yield* history.rerun(index, bound, (reason) => {
      const now = history.position;
      const at = reason.kind === 'watch' ? now - 1 : now;
      const what = at < from ? judge(reason) : undefined;
      if (what !== undefined) last = { at, what };
      if (reason.kind === 'probe') target.probes.passCurrent();
    });
    if (last !== undefined) return last;
    if (start === 0) return undefined;
    bound = start;
  }
  return undefined;
}
