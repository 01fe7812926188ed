/** A target whose probes can be silenced as a whole, so that going to a moment of the past neither stops at them nor counts their hits. */
import { ProbeTable, type ProbeHandler, type ProbeRegistration } from '../../machine/probes';
import { Target } from '../target';

export class SilenceableProbes extends ProbeTable {
  silent = false;

  override get quiet(): boolean {
    return this.silent;
  }

  override add(address: bigint, handler: ProbeHandler): ProbeRegistration {
    return super.add(address, () => (this.silent ? undefined : handler()));
  }

  /** Adds a probe that silence does not reach. */
  addAlways(address: bigint, handler: ProbeHandler): ProbeRegistration {
    return super.add(address, handler);
  }
}

/** What a debugger that travels in time debugs. */
export class TravellingTarget extends Target {
  override readonly probes: SilenceableProbes = new SilenceableProbes(this.machine.cpu);
}
