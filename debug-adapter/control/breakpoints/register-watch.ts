/**
 * Watches registers for changes. Control, debug and model-specific registers change only in instructions that the processor tells of, so watching them costs
 * nothing; for the others the guest is stepped.
 */
import { type Machine } from '../../machine/api';

/** Integer registers that ordinary instructions do not write. */
const systemRegisters =
  /^(cr[0-8]|dr[0-7]|efer|[fg]s_base|kernel_gs_base|star|lstar|cstar|sfmask|tsc_aux|pat|sysenter_(cs|esp|eip)|gdtr_.*|idtr_.*|xcr0|[c-gs]s|tr|ldtr)$/;

export interface RegisterChange {
  readonly name: string;
  readonly from: bigint;
  readonly to: bigint;
}

/** A register's value; wide ones as one number. Undefined where the processor has none of the name. */
export function registerValue(machine: Machine, name: string): bigint | undefined {
  return machine.cpu.getRegister(name) ?? machine.cpu.getWideRegister(name)?.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}

export class RegisterWatch {
  readonly #values = new Map<string, bigint>();
  #stepped = false;
  readonly #hook: (() => void) | undefined;

  /** @param changed is told of changes right after the instruction that made them; answers whether the guest is to stop. */
  constructor(
    private readonly machine: Machine,
    private readonly changed: (change: RegisterChange) => boolean,
  ) {
    this.#hook = machine.cpu.hooks.systemInstruction?.bind(machine.cpu.hooks);
  }

  /** Replaces the watched registers. */
  set(names: readonly string[]): void {
    this.#values.clear();
    for (const name of names) this.#values.set(name, registerValue(this.machine, name) ?? 0n);
    this.#stepped = names.some((name) => !systemRegisters.test(name));
    const { hooks } = this.machine.cpu;
    if (names.length === 0) {
      if (this.#hook === undefined) delete hooks.systemInstruction;
      else hooks.systemInstruction = this.#hook;
      return;
    }
    hooks.systemInstruction = () => {
      this.#hook?.();
      if (this.check()) this.machine.yieldSoon('hook');
    };
  }

  /** Some watched register can only be watched instruction by instruction. */
  get mustStep(): boolean {
    return this.#stepped;
  }

  /** The guest begins to run: what it stands at now is what changes are told against. */
  restart(): void {
    for (const name of this.#values.keys()) this.#values.set(name, registerValue(this.machine, name) ?? 0n);
  }

  /** Looks for changes; true where one is to stop the guest. */
  check(): boolean {
    let stop = false;
    for (const [name, from] of this.#values) {
      const to = registerValue(this.machine, name) ?? 0n;
      if (to === from) continue;
      this.#values.set(name, to);
      if (this.changed({ name, from, to })) stop = true;
    }
    return stop;
  }
}
