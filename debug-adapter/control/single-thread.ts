/** Lets one guest thread run alone: the guest is stopped where its scheduler would switch to another one. */
import { type StopReason } from '../machine/api';
import { type GuestModel } from './guest';
import { type RunPlan } from './runner';
import { type Target } from './target';

/** Where every switch between threads goes through, with the two contexts as arguments. */
const switchFunction = 'ukarch_ctx_switch';

/**
 * Wraps a plan so that only the running thread runs. Interrupts are served meanwhile, as they are on its stack. `gaveWay` is told when another thread
 * would run; the guest stands before the switch then.
 */
export function aloneInThread(target: Target, guest: GuestModel, plan: RunPlan, gaveWay: (text: string) => void): RunPlan {
  const id = guest.currentId();
  const name = guest.infos().find((each) => each.id === id)?.name ?? `thread ${id}`;
  const probes: { remove(): void }[] = [];
  let left = false;
  for (const file of target.symbolFiles)
    for (const { address } of file.symbolsNamed(switchFunction))
      probes.push(
        target.probes.add(address, () => {
          left = true;
          return 'stop';
        }),
      );
  const end = (): void => {
    for (const probe of probes) probe.remove();
    plan.abandon?.();
  };
  return {
    limit: () => plan.limit?.(),
    onStop: (reason: StopReason) => {
      if (reason.kind === 'probe' && left) {
        end();
        gaveWay(`Thread ${name} gives way to another here; it was to run alone.`);
        return 'end';
      }
      const outcome = plan.onStop(reason);
      if (outcome === 'end') end();
      return outcome;
    },
    abandon: end,
  };
}
