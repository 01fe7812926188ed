/** Time travel as the debugger drives it: journeys into the past in slices between which messages are read, where they arrive, and preparing for the next one. */
import { type StopReason } from '../../machine/api';
import { type PcMachine } from '../../machine/machine';
import { type ExceptionDetails, type Granularity, type HistoryStatus, type SeekPlace, type StopKind } from '../api';
import { type Watchpoint } from '../../x86/api';
import { CodedError } from '../channel';
import { type Disassembler } from '../disassembler';
import { type Host } from '../runner';
import { historyErrors } from './errors';
import { complete, History, type Journey } from './history';
import { type TravellingTarget } from './probes';
import { type ReverseKind, ReverseSteps } from './reverse-steps';
import { lastBefore, type Occurrence } from './search';
import { type Turn } from '../turn';
import { decodeSession, differences, encodeSession, repeatSession, type SessionLaunch } from './session-file';

/** Where and why the guest stands after a journey, or at a stop that is looked for. */
export interface Arrival {
  readonly reason: StopKind;
  readonly breakpoints: readonly number[];
  readonly text?: string;
  readonly exception?: ExceptionDetails;
}

export interface TravelParts {
  readonly machine: PcMachine;
  readonly target: TravellingTarget;
  readonly disassembler: Disassembler;
  readonly host: Host;
  /** The time of what runs, forward or on a journey. */
  readonly turn: Turn;
  /** Bytes of checkpoints. */
  readonly budget?: number;
  /** Sets one watchpoint beside those of the user's breakpoints, or takes it away. */
  watchAlso(watchpoint: Watchpoint | undefined): void;
  /** What a stop of the machine means to the user: undefined where it is not one. */
  judge(reason: StopReason): Arrival | undefined;
  arrived(arrival: Arrival): void;
  /** The guest goes another way from instruction count `moment` on. */
  futureDropped(moment: number): void;
  /** Something that the user should know happened. */
  message(text: string): void;
}

/** Milliseconds that a stopped session is left alone before the way back is prepared. */
const quiet = 250;

const beginning = 'History begins here.';
/** Id of the watchpoint that looks for a write: beyond all breakpoints' (negative ones are the guest's own debug registers). */
const writeWatch = 0x7fff_ffff;
/** Bytes shown of what was written. */
const mostShown = 8;
const hexByte = (byte: number): string => byte.toString(16).padStart(2, '0');

export class TimeTravel {
  readonly history: History;
  readonly #steps: ReverseSteps;
  #cancelTimer: (() => void) | undefined;
  #journey: Journey<unknown> | undefined;
  /** The journey is one that the user asked for, not the preparation of one. */
  #asked = false;
  #stopAsked = false;
  /** The processor may hold what no checkpoint has. */
  #atHook = false;

  constructor(private readonly parts: TravelParts) {
    const { machine, host, budget } = parts;
    this.history = new History(machine, {
      now: () => host.now(),
      touchedPages: host.touchedPages,
      ...(budget === undefined ? {} : { budget }),
    });
    this.#steps = new ReverseSteps(this.history, parts.target, parts.disassembler);
  }

  /** A journey that the user asked for is under way. */
  get travelling(): boolean {
    return this.#asked;
  }

  get status(): HistoryStatus {
    const { info } = this.history;
    return { ...info, inPast: this.history.inPast };
  }

  /** For the stop that is shown; undefined in the present. */
  get description(): string | undefined {
    // Clients write it beside the thread's name, which it must leave room for: how far back is in the status.
    return this.history.inPast ? 'in the past' : undefined;
  }

  /** The machine came back from a run. */
  ran(reason: StopReason): void {
    this.#atHook = reason.kind === 'hook';
    this.history.ran(reason);
  }

  /** The guest begins to run forward. */
  starts(): void {
    this.#drop();
    this.history.starts();
  }

  /** The guest stands: unless something is asked of it soon, the way back is prepared. */
  rested(): void {
    this.#drop();
    if (this.#atHook) return;
    this.#cancelTimer = this.parts.host.later(quiet, () => {
      this.#drive(this.#silently(this.#preparation()), () => undefined);
    });
  }

  *#preparation(): Journey<void> {
    const { history } = this;
    const { position } = history;
    yield* history.prepare();
    try {
      yield* this.#steps.prepare();
    } finally {
      // Also where the driver leaves off.
      complete(history.seek(position));
    }
  }

  /** The guest's state is asked for: gives up a preparation that is under way. */
  settle(): void {
    if (this.#asked || this.#cancelTimer === undefined) return;
    this.rested();
  }

  /** To be called after anything that may have changed the guest's state: tells where that ended the recorded future. */
  noteEdits(): void {
    this.#steps.forget();
    if (!this.history.futureDropped()) return;
    const { position } = this.history;
    this.parts.futureDropped(position);
    this.parts.message(
      `What had happened after instruction ${position.toLocaleString('en-US')} is dropped: the guest goes another way from here.`,
    );
  }

  reverse(kind: ReverseKind, granularity: Granularity): void {
    const { history } = this;
    const steps = this.#steps;
    this.#begin(
      this.#silently(
        (function* (): Journey<Arrival> {
          const at = yield* steps.destination(kind, granularity);
          yield* history.seek(at ?? history.start);
          return at === undefined ? { reason: 'entry', breakpoints: [], text: beginning } : { reason: 'step', breakpoints: [] };
        })(),
      ),
    );
  }

  reverseContinue(): void {
    this.#begin(this.#lastStop());
  }

  /** Goes to a place in history. Throws a CodedError where it is known at once that there is none such. */
  seek(place: SeekPlace): void {
    const { history } = this;
    if ('instruction' in place) history.check(place.instruction);
    this.#begin(
      this.#silently(
        (function* (): Journey<Arrival> {
          yield* history.seek('instruction' in place ? place.instruction : yield* history.findOutput(place.consoleOffset));
          return { reason: 'goto', breakpoints: [] };
        })(),
      ),
    );
  }

  /** Goes back to the last instruction that wrote any of `length` bytes at a linear address; the guest stands before it then. */
  seekWrite(address: bigint, length: number): void {
    const { history } = this;
    const { machine, target, watchAlso } = this.parts;
    const text = (bytes: Uint8Array): string => (bytes.length === 0 ? 'nothing mapped' : [...bytes].map(hexByte).join(' '));
    const after = machine.cpu.readMemory(address, Math.min(length, mostShown));
    this.#begin(
      this.#silently(
        (function* (): Journey<Arrival> {
          watchAlso({ id: writeWatch, address, length, access: 'write' });
          let found: Occurrence<bigint> | undefined;
          try {
            found = yield* lastBefore(history, history.position, (reason) =>
              reason.kind === 'watch' ? reason.hits.find(({ id }) => id === writeWatch)?.rip : undefined,
            );
          } finally {
            watchAlso(undefined);
          }
          if (found === undefined) throw historyErrors.neverWritten(address, length, history.start);
          yield* history.seek(found.at);
          const before = machine.cpu.readMemory(address, Math.min(length, mostShown));
          const change = `${text(before)} becomes ${text(after)}${length > mostShown ? ' …' : ''}`;
          return {
            reason: 'data breakpoint',
            breakpoints: [],
            text: `Here ${target.describe(found.what)} writes 0x${address.toString(16)} for the last time: ${change}.`,
          };
        })(),
      ),
    );
  }

  /** Back to the last moment at which the function at `entry` was entered with the stack pointer `rsp`: the beginning of a frame. */
  restartFrame(entry: bigint, rsp: bigint, name: string): void {
    const { history } = this;
    const { target, judge } = this.parts;
    const arrival: Arrival = { reason: 'restart', breakpoints: [], text: `${name} begins again.` };
    if (target.pc === entry && target.register('rsp') === rsp) return this.parts.arrived(arrival);
    let met = false;
    const probe = target.probes.add(entry, () => {
      met = target.register('rsp') === rsp;
      return met ? 'stop' : undefined;
    });
    const journey = (function* (silently: (inner: Journey<void>) => Journey<void>): Journey<Arrival> {
      try {
        const found = yield* lastBefore(history, history.position, (reason) => {
          // What else would stop here is not asked for; its hits are taken out of the way.
          judge(reason);
          const here = reason.kind === 'probe' && met;
          met = false;
          target.probes.passCurrent();
          return here ? true : undefined;
        });
        if (found === undefined) throw historyErrors.noEntry(name);
        yield* silently(history.seek(found.at));
        return arrival;
      } finally {
        probe.remove();
      }
    })((inner) => this.#silently(inner));
    this.#begin(journey);
  }

  /** Breaks off a journey; the guest is back where it set out. */
  pause(): void {
    this.#stopAsked = true;
  }

  /** Ends everything without a word. */
  close(): void {
    this.#drop();
    this.#asked = false;
  }

  /** The session as bytes that another machine, launched alike, can take up. Goes to the end of history for a moment. */
  save(launch: SessionLaunch): Uint8Array {
    const { history } = this;
    const { machine } = this.parts;
    const { position, end } = history;
    complete(this.#silently(history.seek(end)));
    const saved = encodeSession({
      launch,
      journal: machine.journal,
      ...(machine.journalled.start === 0 ? {} : { start: history.start }),
      end,
      position,
      hash: machine.hash(),
      state: machine.save(),
    });
    complete(this.#silently(history.seek(position)));
    return saved;
  }

  /**
   * Lets a saved session happen again; to be called before the guest ran. Arrives where its user stood. Throws a CodedError for what is not a session of
   * this launch.
   */
  open(bytes: Uint8Array, launch: SessionLaunch): void {
    const session = decodeSession(bytes);
    const others = differences(session.launch, launch);
    if (others.length > 0) throw historyErrors.otherLaunch(others);
    const { history, parts } = this;
    this.#begin(
      this.#silently(
        (function* (): Journey<Arrival> {
          const same = yield* repeatSession(parts.machine, session, launch, () => history.ran({ kind: 'limit' }));
          if (same) yield* history.seek(session.position);
          else {
            history.restart();
            const why =
              session.start === undefined
                ? 'The session was recorded by another version of the emulator'
                : 'What reached this session was more than the memory for its history holds';
            parts.message(`${why}: its last state is here, what came before it is not.`);
          }
          return { reason: 'goto', breakpoints: [], text: `A session of ${session.launch.imageName}, as it was saved.` };
        })(),
      ),
    );
  }

  *#lastStop(): Journey<Arrival> {
    const { history } = this;
    const { judge } = this.parts;
    const { probes } = this.parts.target;
    this.#forgetException();
    const found = yield* lastBefore(history, history.position, (reason) => {
      const arrival = judge(reason);
      probes.passCurrent();
      return arrival;
    });
    if (found === undefined) {
      yield* this.#silently(history.seek(history.start));
      return { reason: 'entry', breakpoints: [], text: `${beginning} No breakpoint was hit before.` };
    }
    yield* this.#silently(history.seek(found.at));
    if (found.what.reason === 'exception') yield* this.#meetException(found.at);
    return found.what;
  }

  /** Stops at the exception as a run forward does, so that going on delivers it. */
  *#meetException(at: number): Journey<void> {
    const { machine } = this.parts;
    this.#forgetException();
    if (machine.run(BigInt(at) + 1n).kind === 'hook') this.#atHook = true;
    else yield* this.history.seek(at);
  }

  /** Who lets an exception pass that the guest was stopped at must not take the same moment, come to again, for that. No vector has this number. */
  #forgetException(): void {
    this.parts.machine.cpu.hooks.exception?.(-1, undefined);
  }

  *#silently<T>(journey: Journey<T>): Journey<T> {
    const { probes } = this.parts.target;
    for (;;) {
      probes.silent = true;
      let part: IteratorResult<void, T>;
      try {
        part = journey.next();
      } finally {
        probes.silent = false;
      }
      if (part.done === true) return part.value;
      try {
        yield;
      } finally {
        // Left off here: the inner journey puts things right.
        if (this.#leaving) journey.return(undefined as T);
      }
    }
  }

  #leaving = false;

  #begin(journey: Journey<Arrival>): void {
    this.#drop();
    this.#asked = true;
    this.#stopAsked = false;
    this.#atHook = false;
    const { history } = this;
    const origin = history.position;
    const arrive = (arrival: Arrival): void => {
      this.#asked = false;
      this.#forgetUnlessMet();
      this.parts.arrived(arrival);
    };
    const comeBack = (): void => {
      try {
        complete(this.#silently(history.seek(Math.min(origin, history.end))));
      } catch (error) {
        // The moment is gone with the history that led to it: the guest stays where it is.
        this.parts.message(
          `The guest could not be brought back to where it set out: ${error instanceof Error ? error.message : String(error)}`,
        );
      }
    };
    this.#drive(journey, arrive, {
      stopped: () => {
        comeBack();
        arrive({ reason: 'pause', breakpoints: [], text: 'The way back was broken off.' });
      },
      failed: (error) => {
        comeBack();
        const text = error instanceof CodedError ? error.message : `Going back failed: ${String(error)}`;
        this.parts.message(text);
        arrive({ reason: 'pause', breakpoints: [], text });
      },
    });
  }

  #forgetUnlessMet(): void {
    if (!this.#atHook) this.#forgetException();
  }

  #drive<T>(journey: Journey<T>, done: (value: T) => void, otherwise?: { stopped(): void; failed(error: unknown): void }): void {
    const { host, turn } = this.parts;
    this.#journey = journey;
    const slice = (): void => {
      try {
        turn.begin();
        do {
          if (this.#stopAsked && otherwise !== undefined) {
            this.#drop();
            return otherwise.stopped();
          }
          const part = journey.next();
          if (part.done === true) {
            this.#journey = undefined;
            this.#cancelTimer = undefined;
            return done(part.value);
          }
        } while (!turn.over);
      } catch (error) {
        this.#journey = undefined;
        this.#cancelTimer = undefined;
        if (otherwise === undefined) return this.parts.message(`Preparing the way back failed: ${String(error)}`);
        return otherwise.failed(error);
      } finally {
        turn.end();
      }
      this.#cancelTimer = host.later(0, slice);
    };
    this.#cancelTimer = host.later(0, slice);
  }

  /** Leaves off whatever is under way or waits to be. */
  #drop(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const journey = this.#journey;
    this.#journey = undefined;
    if (journey === undefined) return;
    this.#leaving = true;
    try {
      journey.return(undefined);
    } finally {
      this.#leaving = false;
    }
  }
}
