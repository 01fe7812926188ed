/** Drives a step's program: asks it for one demand after the other, and lets the runner carry them out. */
import { type StopReason } from '../machine/api';
import { type ExceptionCatcher } from './catch/exceptions';
import { type RunPlan } from './runner';
import { type StepDemand, type StepProgram } from './stepper';
import { type Target } from './target';

/** What becomes of a step. */
export interface StepEnds {
  /** The program is through. */
  done(): void;
  /** The machine stopped for something else; answers whether that ends the step. */
  other(reason: StopReason): 'resume' | 'end';
}

/** The plan of a step, or undefined where there is nothing to do. Deliveries must be watched by `catcher` already. */
export function stepPlan(target: Target, catcher: ExceptionCatcher, program: StepProgram, ends: StepEnds): RunPlan | undefined {
  let demand: StepDemand | undefined;
  let limit: bigint | undefined;
  let reached = false;
  let probe: { remove(): void } | undefined;
  const clear = (): void => {
    probe?.remove();
    probe = undefined;
  };
  /** Asks the program what comes next; false when the step is done. */
  const advance = (): boolean => {
    clear();
    const next = program.next();
    if (next.done === true) return false;
    demand = next.value;
    reached = false;
    target.probes.passCurrent();
    limit = demand.kind === 'instruction' ? target.machine.cpu.retired + 1n : undefined;
    if (demand.kind === 'until') {
      const { address, when } = demand;
      probe = target.probes.add(address, () => {
        reached = when();
        return reached ? 'stop' : undefined;
      });
    }
    return true;
  };
  const end = (): 'end' => {
    clear();
    catcher.unwatchDeliveries();
    return 'end';
  };
  if (!advance()) return undefined;
  return {
    limit: () => limit,
    onStop: (reason) => {
      if (reason.kind === 'limit' || (reason.kind === 'probe' && reached)) {
        if (advance()) return 'resume';
        ends.done();
        return end();
      }
      return ends.other(reason) === 'resume' ? 'resume' : end();
    },
    abandon: () => void end(),
  };
}
