/** One breakpoint: where its probes are, and whether a hit stops, counts or logs. */
import { type ProbeRegistration } from '../../machine/probes';
import { breakpointModes, type BreakpointOptions, type BreakpointStatus, type SourceLocation } from '../api';
import { CodedError } from '../channel';
import { errors } from '../errors';
import { type HitCondition, parseHitCondition } from './hit-condition';
import { HitCount } from './hit-count';
import { type LogPart, parseLogMessage } from './log-message';

export type BreakpointKind = 'breakpoint' | 'function breakpoint' | 'instruction breakpoint' | 'data breakpoint';

/** Evaluates in the state of the guest at a hit. */
export interface HitEvaluator {
  /** True, false, or a CodedError where the expression cannot be evaluated. */
  isTrue(expression: string): boolean;
  text(expression: string): string;
}

/** What a hit leads to. A log point's text is made where it is wanted: in a tight loop most are not. */
export type HitOutcome =
  { readonly kind: 'stop'; readonly note?: string } | { readonly kind: 'log'; text(): string } | { readonly kind: 'pass' };

/** Addresses that a breakpoint stands at. */
type Sites = readonly { readonly address: bigint; readonly location?: SourceLocation }[];

export class Breakpoint {
  readonly #hits = new HitCount();
  #probes: ProbeRegistration[] = [];
  readonly #hitCondition: HitCondition | undefined;
  readonly #log: readonly LogPart[] | undefined;
  readonly #condition: string | undefined;
  /** What is wrong with the request itself, whatever code there is. */
  #fault: string | undefined;
  #message: string | undefined;
  #sites: Sites;

  constructor(
    readonly id: number,
    readonly kind: BreakpointKind,
    readonly options: BreakpointOptions,
    sites: Sites,
    message: string | undefined,
  ) {
    this.#sites = sites;
    this.#message = message;
    this.#condition = options.condition?.trim() === '' ? undefined : options.condition;
    this.#log = options.logMessage === undefined || options.logMessage === '' ? undefined : parseLogMessage(options.logMessage);
    const modes = kind === 'data breakpoint' ? Object.values(breakpointModes) : [breakpointModes.once];
    if (options.mode !== undefined && options.mode !== '' && !modes.some((each) => each === options.mode))
      this.#fault = errors.badMode(options.mode, modes).message;
    try {
      if (options.hitCondition !== undefined && options.hitCondition.trim() !== '')
        this.#hitCondition = parseHitCondition(options.hitCondition);
    } catch (error) {
      this.#fault = error instanceof CodedError ? error.message : String(error);
    }
  }

  get sites(): Sites {
    return this.#sites;
  }

  /** Why it has no place. */
  get unplaced(): string | undefined {
    return this.#message;
  }

  get message(): string | undefined {
    return this.#fault ?? this.#message;
  }

  /** Other code is there now. Returns whether that changes anything; the caller arms it again then. */
  move(sites: Sites, message: string | undefined): boolean {
    const same = sites.length === this.#sites.length && sites.every(({ address }, index) => address === this.#sites[index]!.address);
    if (same && message === this.#message) return false;
    this.#sites = sites;
    this.#message = message;
    return true;
  }

  get verified(): boolean {
    return this.sites.length > 0 && this.message === undefined;
  }

  get status(): BreakpointStatus {
    const [first] = this.sites;
    return {
      id: this.id,
      verified: this.verified,
      ...(this.message === undefined ? {} : { message: this.message }),
      ...(first?.location === undefined ? {} : { location: first.location }),
      // A watched address is no instruction.
      ...(first === undefined || this.kind === 'data breakpoint' ? {} : { address: first.address }),
    };
  }

  arm(add: (address: bigint) => ProbeRegistration): void {
    this.disarm();
    if (this.verified) this.#probes = this.sites.map(({ address }) => add(address));
  }

  disarm(): void {
    for (const probe of this.#probes) probe.remove();
    this.#probes = [];
  }

  /** The guest goes another way from `moment` on: hits after it never were. */
  forgetAfter(moment: number): void {
    this.#hits.forgetAfter(moment);
  }

  /**
   * Called at a hit, with the guest standing before the instruction, `moment` instructions after reset. A condition that cannot be evaluated stops and says
   * so.
   */
  hit(evaluator: HitEvaluator, moment: number): HitOutcome {
    const { holds, note } = conditionHolds(evaluator, this.#condition);
    if (!holds) return { kind: 'pass' };
    if (note !== undefined) return { kind: 'stop', note };
    if (this.#hitCondition?.(this.#hits.note(moment)) === false) return { kind: 'pass' };
    const parts = this.#log;
    if (parts === undefined) return { kind: 'stop' };
    return {
      kind: 'log',
      text: () => parts.map((part) => ('text' in part ? part.text : evaluateOrExplain(evaluator, part.expression))).join(''),
    };
  }
}

/** Whether a condition lets a hit count. One that cannot be evaluated does, with a note that says so. */
export function conditionHolds(
  evaluator: HitEvaluator,
  condition: string | undefined,
): { readonly holds: boolean; readonly note?: string } {
  if (condition === undefined || condition.trim() === '') return { holds: true };
  try {
    return { holds: evaluator.isTrue(condition) };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { holds: true, note: `The condition "${condition}" could not be evaluated: ${why}` };
  }
}

function evaluateOrExplain(evaluator: HitEvaluator, expression: string): string {
  try {
    return evaluator.text(expression);
  } catch (error) {
    return `<${error instanceof Error ? error.message : String(error)}>`;
  }
}
