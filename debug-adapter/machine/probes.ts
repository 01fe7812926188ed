/** Shares the processor's one probe an address between breakpoints, steps and tracers, and keeps a stopped probe from stopping again at once. */
import { type Cpu } from '../x86/api';

/** What a probe answers: stop before the instruction, or go on. */
export type ProbeVerdict = 'stop' | undefined;

/** A function called before the instruction at its address runs. */
export type ProbeHandler = () => ProbeVerdict;

export interface ProbeRegistration {
  readonly address: bigint;
  remove(): void;
}

/** All probes of one processor. */
export class ProbeTable {
  readonly #cpu: Cpu;
  readonly #handlers = new Map<bigint, Set<ProbeHandler>>();
  readonly #observers = new Map<bigint, Set<() => void>>();
  /** Instruction count at which stopping probes are passed over: where the machine stands stopped. */
  #passAt = -1n;
  /** Instruction count at which observers were last told. */
  #observedAt = -1n;

  constructor(cpu: Cpu) {
    this.#cpu = cpu;
  }

  /** Adds a probe. Handlers of one address all run, in the order in which they were added. */
  add(address: bigint, handler: ProbeHandler): ProbeRegistration {
    let handlers = this.#handlers.get(address);
    if (handlers === undefined) {
      handlers = new Set();
      this.#handlers.set(address, handlers);
      this.#place(address);
    }
    // A wrapper of its own, so that one function may be registered twice.
    const entry: ProbeHandler = () => handler();
    handlers.add(entry);
    return {
      address,
      remove: () => {
        const set = this.#handlers.get(address);
        if (set?.delete(entry) !== true || set.size > 0) return;
        this.#handlers.delete(address);
        this.#clear(address);
      },
    };
  }

  /** Adds a probe that only looks on: it is told once of an instruction that is about to run, also where the machine stood stopped before it. */
  observe(address: bigint, observer: () => void): ProbeRegistration {
    let observers = this.#observers.get(address);
    if (observers === undefined) {
      observers = new Set();
      this.#observers.set(address, observers);
      this.#place(address);
    }
    const entry = (): void => observer();
    observers.add(entry);
    return {
      address,
      remove: () => {
        const set = this.#observers.get(address);
        if (set?.delete(entry) !== true || set.size > 0) return;
        this.#observers.delete(address);
        this.#clear(address);
      },
    };
  }

  /** Tells that the machine stands stopped here: the next run leaves this instruction without hitting its probes. */
  passCurrent(): void {
    this.#passAt = this.#cpu.retired;
  }

  /** The machine is about to run the instruction that it stood stopped before: what stopped it there must not stop it again. */
  get passing(): boolean {
    return this.#cpu.retired === this.#passAt;
  }

  /** Nothing may stop the machine: it is on its way to a moment. */
  get quiet(): boolean {
    return false;
  }

  #place(address: bigint): void {
    this.#cpu.setProbe(address, () => this.#hit(address));
  }

  #clear(address: bigint): void {
    if (!this.#handlers.has(address) && !this.#observers.has(address)) this.#cpu.setProbe(address, undefined);
  }

  #hit(address: bigint): ProbeVerdict {
    const { retired } = this.#cpu;
    const observers = this.#observers.get(address);
    if (observers !== undefined && this.#observedAt !== retired) {
      this.#observedAt = retired;
      for (const observer of [...observers]) observer();
    }
    if (this.passing) return undefined;
    let verdict: ProbeVerdict;
    for (const handler of [...(this.#handlers.get(address) ?? [])]) if (handler() === 'stop') verdict = 'stop';
    return verdict;
  }
}
