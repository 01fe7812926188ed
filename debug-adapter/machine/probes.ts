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

/** What is registered at an address. The lists are replaced, never changed: who goes through one is not disturbed by what it does. */
interface Place {
  handlers: readonly ProbeHandler[];
  observers: readonly Observer[];
  readonly probe: ProbeHandler;
  /** What the processor knows of it. */
  set: 'stops' | 'observes' | undefined;
  telling: number | undefined;
}

interface Observer {
  tell(): void;
  readonly telling: number | undefined;
}

/** All probes of one processor. */
export class ProbeTable {
  readonly #cpu: Cpu;
  readonly #places = new Map<bigint, Place>();
  /** Instruction count at which stopping probes are passed over: where the machine stands stopped. */
  #passAt = -1;
  /** Instruction count at which observers were last told, and in which of the processor's lives: it may be there again after a journey. */
  #observedAt = -1;
  #observedIn = -1;
  /** Called after handlers let the guest go on, which took longer than any instruction. */
  onAnswered: (() => void) | undefined;

  constructor(cpu: Cpu) {
    this.#cpu = cpu;
  }

  /** Adds a probe. Handlers of one address all run, in the order in which they were added. */
  add(address: bigint, handler: ProbeHandler): ProbeRegistration {
    const place = this.#placeAt(address);
    // A wrapper of its own, so that one function may be registered twice.
    const entry: ProbeHandler = () => handler();
    place.handlers = [...place.handlers, entry];
    this.#settle(address, place);
    return {
      address,
      remove: () => {
        place.handlers = place.handlers.filter((each) => each !== entry);
        this.#settle(address, place);
      },
    };
  }

  /**
   * Adds a probe that only looks on: it is told once of an instruction that is about to run, also where the machine stood stopped before it.
   * @param telling that it need not be told at once while nobody else looks on (see `EventLog`).
   */
  observe(address: bigint, observer: () => void, telling?: number): ProbeRegistration {
    const place = this.#placeAt(address);
    const entry: Observer = { tell: observer, telling };
    place.observers = [...place.observers, entry];
    this.#settle(address, place);
    return {
      address,
      remove: () => {
        place.observers = place.observers.filter((each) => each !== entry);
        this.#settle(address, place);
      },
    };
  }

  /** Tells that the machine stands stopped here: the next run leaves this instruction without hitting its probes. */
  passCurrent(): void {
    this.#passAt = this.#cpu.retiredCount;
  }

  /** The machine is about to run the instruction that it stood stopped before: what stopped it there must not stop it again. */
  get passing(): boolean {
    return this.#cpu.retiredCount === this.#passAt;
  }

  /** Nothing may stop the machine: it is on its way to a moment. */
  get quiet(): boolean {
    return false;
  }

  #placeAt(address: bigint): Place {
    const known = this.#places.get(address);
    if (known !== undefined) return known;
    const place: Place = { handlers: [], observers: [], probe: () => this.#hit(place), set: undefined, telling: undefined };
    this.#places.set(address, place);
    return place;
  }

  /** The processor has to know whether anybody could stop at an address, or only looks on, or is gone. */
  #settle(address: bigint, place: Place): void {
    if (this.#places.get(address) !== place) return;
    const wanted = place.handlers.length > 0 ? 'stops' : place.observers.length > 0 ? 'observes' : undefined;
    if (wanted === undefined) this.#places.delete(address);
    const telling = wanted === 'observes' && place.observers.length === 1 ? place.observers[0]!.telling : undefined;
    if (wanted === place.set && telling === place.telling) return;
    place.set = wanted;
    place.telling = telling;
    this.#cpu.setProbe(address, wanted === undefined ? undefined : place.probe, wanted === 'observes', telling);
  }

  #hit(place: Place): ProbeVerdict {
    const { observers } = place;
    if (observers.length > 0) {
      const { retiredCount, lives } = this.#cpu;
      if (this.#observedAt !== retiredCount || this.#observedIn !== lives) {
        this.#observedAt = retiredCount;
        this.#observedIn = lives;
        for (const observer of observers) observer.tell();
      }
    }
    const { handlers } = place;
    if (handlers.length === 0 || this.passing) return undefined;
    let verdict: ProbeVerdict;
    for (const handler of handlers) if (handler() === 'stop') verdict = 'stop';
    if (verdict === undefined && !this.quiet) this.onAnswered?.();
    return verdict;
  }
}
