/** What a stop of the machine means to the user: a breakpoint, a watched access, an exception, or the end of the guest. */
import { type StopReason } from '../machine/api';
import { type ExceptionDetails } from './api';
import { type BreakpointManager } from './breakpoints/manager';
import { type Catcher } from './catch/catcher';
import { type Arrival } from './history/travel';
import { type Target } from './target';

export class StopJudge {
  constructor(
    private readonly target: Target,
    private readonly breakpoints: BreakpointManager,
    private readonly catcher: Catcher,
  ) {}

  /** Undefined where the stop means nothing to the user and the guest is to run on. */
  judge(reason: StopReason): Arrival | undefined {
    switch (reason.kind) {
      // Both may be of a filter, a hook also of a watched register.
      case 'hook':
      case 'probe': {
        const stop = this.breakpoints.takeStop();
        const caught = reason.kind === 'hook' && stop === undefined ? this.catcher.explain(reason) : this.catcher.take();
        if (stop === undefined) return caught === undefined ? undefined : exceptional(caught);
        return { reason: stop.kind, breakpoints: stop.ids, ...(stop.note === undefined ? {} : { text: stop.note }) };
      }
      case 'watch':
        return this.#watched(reason.hits);
      case 'tripleFault':
      case 'unsupported':
        return exceptional(this.catcher.explain(reason));
      default:
        return undefined;
    }
  }

  #watched(hits: Extract<StopReason, { kind: 'watch' }>['hits']): Arrival | undefined {
    for (const hit of hits) {
      const stop = this.breakpoints.dataHit(hit.id);
      if (stop === undefined) continue;
      const text = `${hit.write ? 'Written' : 'Read'}: ${hit.size} bytes at 0x${hit.address.toString(16)} by ${this.target.describe(hit.rip)}`;
      return { reason: 'data breakpoint', breakpoints: stop.ids, text };
    }
    return undefined;
  }
}

const exceptional = (exception: ExceptionDetails): Arrival => ({
  reason: 'exception',
  breakpoints: [],
  text: exception.description,
  exception,
});

/** How the end of the run is told. */
export function describeEnd(reason: Extract<StopReason, { kind: 'exit' | 'dead' | 'tripleFault' }>): { code: number; description: string } {
  if (reason.kind === 'dead') return { code: 0, description: 'The guest halted with interrupts off.' };
  if (reason.kind === 'tripleFault') return { code: 0, description: 'Triple fault: the processor shut down, which resets a PC.' };
  switch (reason.exit.kind) {
    case 'powerOff':
      return { code: 0, description: 'The guest powered off.' };
    case 'reset':
      return { code: 0, description: 'The guest asked for a reset.' };
    case 'exitPort':
      return { code: (reason.exit.value << 1) | 1, description: `The guest wrote ${reason.exit.value} to the debug exit port.` };
  }
}
