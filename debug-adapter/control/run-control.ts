/** Run control of one session: what lets the guest go, on and back, what stops it, and what the user is told of that. */
import { type StopReason } from '../machine/api';
import { type DebuggerEvent, type ExceptionDetails, type StopKind } from './api';
import { errors } from './errors';
import { historyErrors } from './history/errors';
import { type Arrival, type TimeTravel } from './history/travel';
import { type RunPlan } from './runner';
import { type Parts } from './session-parts';
import { aloneInThread } from './single-thread';
import { describeEnd } from './stops';

export class RunControl {
  #ended = false;
  /** Instruction count of the end that the user was shown: to go on from there ends the session. */
  #endShown: bigint | undefined;
  /** How the guest ended, where it did by itself. */
  #end: DebuggerEvent | undefined;
  #exception: ExceptionDetails | undefined;

  constructor(
    private readonly parts: Parts,
    private readonly emit: (event: DebuggerEvent) => void,
  ) {}

  /** The guest will not run again. */
  get ended(): boolean {
    return this.#ended;
  }

  /** What the guest stopped with, where that was an exception. */
  get exception(): ExceptionDetails | undefined {
    return this.#exception;
  }

  get travelling(): boolean {
    return this.parts.travel?.travelling === true;
  }

  /** The guest stands still, in the present or in the past. */
  get halted(): boolean {
    return !this.parts.runner.running && !this.travelling;
  }

  /** Tells again where the guest stands, to somebody new. */
  report(): void {
    if (this.#end !== undefined) this.emit(this.#end);
    else if (this.halted) this.stopped('pause');
  }

  /** Lets the guest run on; with `alone` only that thread. */
  resume(alone?: number): void {
    this.begin({ onStop: (reason) => this.onStop(reason) }, alone);
  }

  pause(): void {
    const { travel, runner } = this.parts;
    if (travel?.travelling === true) travel.pause();
    else runner.pause();
  }

  /** Nobody watches any longer: the guest stands where it is, or goes on. */
  detach(resume: boolean): void {
    const { breakpoints, catcher, runner, travel } = this.parts;
    breakpoints.clear();
    catcher.setFilters([]);
    if (travel?.travelling === true) travel.pause();
    if (!resume) runner.pause();
    else if (this.halted && !this.#ended) this.resume();
  }

  terminate(): void {
    const { runner, travel, network, tracers } = this.parts;
    runner.halt();
    travel?.close();
    network?.close();
    tracers.close();
    this.#ended = true;
  }

  /** The recorded past. Throws a CodedError where there is none. */
  past(): TimeTravel {
    const { travel } = this.parts;
    if (travel === undefined) throw historyErrors.none();
    return travel;
  }

  /** Sends the guest on a journey; it arrives by `arrived`. */
  setOut(journey: (travel: TimeTravel) => void): void {
    const { guest } = this.parts;
    if (this.#ended) throw errors.exited();
    const travel = this.past();
    const threadId = guest.currentId();
    journey(travel);
    this.forgetState();
    this.emit({ kind: 'continued', threadId });
  }

  arrived({ reason, breakpoints, text, exception }: Arrival): void {
    this.forgetState();
    this.#endShown = undefined;
    this.#exception = exception;
    this.stopped(reason, breakpoints, text);
  }

  /** What was shown of the guest's state is old. */
  forgetState(): void {
    this.parts.inspector.forget();
    this.parts.jumps.forget();
    this.#exception = undefined;
  }

  /** Runs a plan; with `alone` only that thread, which must be the running one. */
  begin(asked: RunPlan, alone?: number): void {
    const { target, runner, guest, travel, breakpoints } = this.parts;
    const refusal = this.#ended
      ? errors.exited()
      : alone !== undefined && alone !== guest.currentId()
        ? errors.notTheRunningThread(alone)
        : undefined;
    if (refusal !== undefined) {
      asked.abandon?.();
      throw refusal;
    }
    this.forgetState();
    travel?.starts();
    target.probes.passCurrent();
    breakpoints.registers.restart();
    const plan = breakpoints.registers.mustStep ? this.#watchingRegisters(asked) : asked;
    runner.start(alone === undefined ? plan : aloneInThread(target, guest, plan, (text) => this.stopped('pause', [], text)));
    this.emit({ kind: 'continued', threadId: guest.currentId(), ...(alone === undefined ? {} : { alone: true }) });
  }

  /** A plan that comes back after every instruction, to look at registers that only then can be seen to change. */
  #watchingRegisters(plan: RunPlan): RunPlan {
    const { target, breakpoints } = this.parts;
    const { cpu } = target.machine;
    return {
      limit: () => cpu.retired + 1n,
      onStop: (reason) => {
        if (breakpoints.registers.check()) {
          const outcome = this.onStop({ kind: 'hook' });
          if (outcome === 'end') plan.abandon?.();
          return outcome;
        }
        const own = plan.limit?.();
        return reason.kind === 'limit' && (own === undefined || cpu.retired < own) ? 'resume' : plan.onStop(reason);
      },
      abandon: () => plan.abandon?.(),
    };
  }

  onStop(reason: StopReason): 'resume' | 'end' {
    switch (reason.kind) {
      case 'limit':
      case 'idle':
        return 'resume';
      case 'exit':
      case 'dead':
        return this.#exited(reason);
      case 'probe':
      case 'watch':
      case 'tripleFault':
      case 'unsupported':
      case 'hook': {
        if (reason.kind === 'tripleFault' && this.parts.catcher.stopsAtTripleFault === false) return this.#exited(reason);
        const stop = this.parts.judge.judge(reason);
        if (stop === undefined) return 'resume';
        this.#exception = stop.exception;
        this.stopped(stop.reason, stop.breakpoints, stop.text);
        return 'end';
      }
    }
  }

  #exited(reason: Parameters<typeof describeEnd>[0]): 'end' {
    const end = describeEnd(reason);
    if (this.#staysAt(reason.kind === 'dead' || end.code !== 0)) {
      const text = `${end.description} Step back to see how it came to that; to go on ends the session.`;
      this.stopped('exit', [], text, end.description.replace(/\.$/, ''));
    } else {
      this.#ended = true;
      this.#end = { kind: 'exited', ...end };
      this.emit(this.#end);
    }
    return 'end';
  }

  /** Whether the guest's end is a stop to the user, who has not been shown it yet. */
  #staysAt(failed: boolean): boolean {
    const { options, target, travel } = this.parts;
    if (travel === undefined || options.stopAtEnd === 'never' || (options.stopAtEnd === 'failure' && !failed)) return false;
    const { retired } = target.machine.cpu;
    if (this.#endShown === retired) return false;
    this.#endShown = retired;
    return true;
  }

  stopped(reason: StopKind, breakpoints: readonly number[] = [], text?: string, what?: string): void {
    const { runner, target, guest, travel } = this.parts;
    runner.halt();
    target.probes.passCurrent();
    const threadId = guest.currentId();
    const description = what ?? travel?.description ?? (reason === 'goto' ? 'back in the present' : undefined);
    travel?.rested();
    for (const status of this.parts.breakpoints.afterStop(breakpoints)) this.emit({ kind: 'breakpoint', status, gone: true });
    this.emit({
      kind: 'stopped',
      reason,
      threadId,
      breakpoints,
      ...(description === undefined ? {} : { description }),
      ...(text === undefined ? {} : { text }),
    });
  }
}
