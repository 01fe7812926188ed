/** The recorded past of a machine: takes checkpoints while it runs, and brings it to any earlier moment by replaying from the one before. */
import { type StopReason } from '../../machine/api';
import { type PcMachine } from '../../machine/machine';
import { type Checkpoint, Checkpoints, hasEnded } from './checkpoints';
import { type ConsoleLine, ConsoleMarks, watchConsole } from './console-marks';
import { historyErrors } from './errors';
import { type FindTouchedPages } from './page-hash';
import { leastUseful, Schedule } from './schedule';

export interface HistoryOptions {
  /** Most bytes of checkpoints and journal; the state at the start is kept even where it alone takes more. */
  readonly budget?: number;
  /** Milliseconds, monotonic. */
  now(): number;
  readonly touchedPages?: FindTouchedPages | undefined;
}

/** What is recorded, for people. Counts are of retired instructions. */
export interface HistoryInfo {
  readonly start: number;
  readonly end: number;
  readonly position: number;
  readonly checkpoints: readonly number[];
  /** Bytes of checkpoints and journal, and the most that they may be. */
  readonly memory: number;
  readonly budget: number;
  /** Bytes of console output so far. */
  readonly consoleBytes: number;
  readonly journalEntries: number;
}

/** Work that takes long hands control back between its parts; whoever drives it may leave off there. */
export type Journey<T> = Generator<void, T, void>;

const defaultBudget = 256 * 2 ** 20;
/** Share of the budget that the journal may take: what a busy network sends is kept for minutes, while checkpoints make it quick to go there. */
const journalShare = 0.5;
/** What is left of that when the oldest part is forgotten, so that it is not done all the time. */
const journalLeft = 0.75;
/** Milliseconds of replay between a moment looked at and the checkpoint made before it, so that the moments just before are near at hand. */
const nearMilliseconds = 2;
/** A longer replay leaves a checkpoint on the way too, so that going further back does not take as long again. */
const farMilliseconds = 60;
/** The same distance in instructions is never outside of these. */
const nearest = 2000;
const farthest = 200_000;
/** Instructions that run again at once, even where none of the code has run for long. */
const closeBy = 4000;
/** Instructions in one go of a replay at first; adapted to take some milliseconds. */
const firstPart = 1_000_000;
const assumedSpeed = 10_000;
const mostPart = 400_000_000;
const partMilliseconds = 8;
/** What the guest waits for the first store to a page since the last checkpoint, about. */
const storeMilliseconds = 0.0015;

export class History {
  readonly checkpoints: Checkpoints;
  readonly budget: number;
  readonly #schedule: Schedule;
  readonly #console = new ConsoleMarks();
  readonly #now: () => number;
  #end = 0;
  #part = firstPart;
  /** Instructions that a replay does in a millisecond, as seen lately. */
  #speed = assumedSpeed;

  /**
   * @param machine has not run yet: history begins where it stands.
   * @param options.touchedPages see `Checkpoints`.
   */
  constructor(
    readonly machine: PcMachine,
    options: HistoryOptions,
  ) {
    this.budget = options.budget ?? defaultBudget;
    this.#now = options.now;
    this.#schedule = new Schedule();
    this.checkpoints = new Checkpoints(machine, options.touchedPages);
    this.#end = this.position;
    this.#schedule.restarted(this.#now());
  }

  get position(): number {
    return Number(this.machine.cpu.retired);
  }

  /** The first instruction that can be gone back to: 0, but where history could not be repeated, or its oldest part took too much memory. */
  get start(): number {
    return this.checkpoints.list[0]?.at ?? 0;
  }

  /** The furthest instruction that the machine has been at. */
  get end(): number {
    return this.#end;
  }

  get inPast(): boolean {
    return this.machine.replaying;
  }

  get info(): HistoryInfo {
    const { list, bytes } = this.checkpoints;
    return {
      start: this.start,
      end: this.#end,
      position: this.position,
      checkpoints: list.map(({ at }) => at),
      memory: bytes + this.machine.journalled.bytes,
      budget: this.budget,
      consoleBytes: this.#console.written,
      journalEntries: this.machine.journal.length,
    };
  }

  /** Bytes of console output were handed over. */
  wrote(bytes: Uint8Array): void {
    this.#console.add(bytes, this.position);
  }

  /** The machine ran on and came back for `reason`: takes a checkpoint where one is due. */
  ran(reason: StopReason): void {
    const { position } = this;
    if (position > this.#end) this.#end = position;
    // A hook may have stopped the processor between taking an interrupt and delivering it, which no saved state tells.
    // An ended guest is no state to go on from: its last instruction is run again.
    if (reason.kind === 'hook' || reason.kind === 'exit') return;
    const { list } = this.checkpoints;
    const before = list[this.checkpoints.indexBefore(position)];
    // One of the moment that the guest may stay at is of no use for going back from there, and makes that dearer: it has pages of its own.
    const maySlip = reason.kind !== 'limit' && reason.kind !== 'idle';
    if (this.#schedule.due(this.#now(), position - (before?.at ?? 0), maySlip)) this.take();
  }

  /** The machine begins to run from where it stands. */
  starts(): void {
    this.#schedule.restarted(this.#now());
  }

  /** Takes a checkpoint here and now, and makes room for it. */
  take(): Checkpoint {
    const started = this.#now();
    const made = this.checkpoints.take();
    const ended = this.#now();
    this.#schedule.taken(ended, ended - started + this.checkpoints.takeWork() * storeMilliseconds);
    this.#thin();
    return made;
  }

  /** The machine was put into a state that history does not lead to: it begins here. */
  restart(): void {
    this.machine.forgetFuture();
    this.checkpoints.restart();
    this.#end = this.position;
    this.#console.dropAfter(0);
  }

  /** Tells whether an edit or an input in the past made the machine forget its future; forgets it here, too. */
  futureDropped(): boolean {
    const { machine, position } = this;
    if (machine.replaying || position >= this.#end) return false;
    this.#end = position;
    this.#console.dropAfter(position);
    this.checkpoints.dropAfter(position, machine.cursor);
    return true;
  }

  /**
   * Brings the machine to `count` instructions exactly, as it was there last: with everything applied that reached it at that moment.
   * Rejects with a CodedError where history does not reach that far.
   */
  *seek(count: number): Journey<void> {
    this.check(count);
    if (count === this.position) return;
    const at = this.#approach(count);
    if (count - at > farMilliseconds * this.#speed) {
      yield* this.replay(count - Math.floor((count - at) / 8));
      this.take();
    }
    const near = this.#near;
    if (count - this.position > 2 * near) {
      yield* this.replay(count - near);
      this.take();
    }
    yield* this.replay(count);
  }

  /** Sees to it that a checkpoint is close before the machine's present, and comes back to that: the first step back is as quick as the next ones. */
  *prepare(): Journey<void> {
    const { position } = this;
    const near = this.#near;
    const before = this.checkpoints.list[this.checkpoints.indexBefore(position - 1)];
    if (before === undefined) return;
    if (position - before.at <= 2 * near) return;
    const ended = hasEnded(this.machine);
    if (!ended) this.take();
    try {
      yield* this.seek(position - near);
      this.take();
    } finally {
      // Also where the driver leaves off: the present is a checkpoint now, but for an end, which comes anew.
      this.checkpoints.restore(this.checkpoints.indexBefore(position));
      complete(this.replay(position));
    }
  }

  /** Sees to it that a checkpoint is so close before `count` that going there takes no time; leaves the machine where it is, or anywhere. */
  *bringClose(count: number): Journey<void> {
    const before = this.checkpoints.list[this.checkpoints.indexBefore(count)]?.at;
    if (before === undefined || count - before <= closeBy) return;
    yield* this.seek(count - closeBy / 2);
    this.take();
  }

  /** Puts the machine at the newest checkpoint at or before `count`, unless it stands nearer already; answers where it is then. */
  #approach(count: number): number {
    const { position } = this;
    const index = this.checkpoints.indexBefore(count);
    if (position > count || this.checkpoints.list[index]!.at > position) this.checkpoints.restore(index);
    this.#schedule.restarted(this.#now());
    return this.position;
  }

  /** Runs forward to `count`; `onStop` is told of everything that stops the machine on the way. */
  *replay(count: number, onStop?: (reason: StopReason) => void): Journey<void> {
    const { machine } = this;
    let standstill = 0;
    for (;;) {
      const from = this.position;
      const limit = Math.min(count, from + this.#part);
      const started = this.#now();
      const reason = machine.run(BigInt(limit));
      const reached = this.position;
      if (reason.kind !== 'limit') onStop?.(reason);
      if (reached >= count && (reason.kind === 'limit' || reason.kind === 'exit')) return;
      if (reached > from) standstill = 0;
      // A stop makes no way; what comes up next at the same moment is passed in turns, but never for ever.
      else if (++standstill > 100 || reason.kind === 'exit' || reason.kind === 'dead') throw historyErrors.diverged(count);
      const took = this.#now() - started;
      if (took > 1) this.#speed = 0.7 * this.#speed + (0.3 * (reached - from)) / took;
      if (reason.kind === 'limit' && reached === limit && limit < count) this.#adapt(took);
      if (took > 1) yield;
    }
  }

  /** Runs a few instructions forward to `count`, at once; false where something stopped the machine on the way, from where `replay` goes on. */
  advance(count: number): boolean {
    const { machine } = this;
    return machine.run(BigInt(count)).kind === 'limit' && machine.cpu.retiredCount >= count;
  }

  /** Runs the part of history from checkpoint `index` to the next one or to `before`, and tells what stopped it. */
  *rerun(index: number, before: number, onStop: (reason: StopReason) => void): Journey<void> {
    const next = this.checkpoints.list[index + 1];
    this.checkpoints.restore(index);
    yield* this.replay(Math.min(before, next?.at ?? before), onStop);
  }

  /** The newest `limit` lines of the console's output that have `search` in them. */
  consoleLines(search: string, limit: number): readonly ConsoleLine[] {
    return this.#console.lines(search, limit);
  }

  /** The instruction that wrote byte `offset` of the console's output. Rejects with a CodedError where it is not in history. */
  *findOutput(offset: number): Journey<number> {
    const { machine } = this;
    const mark = this.#console.find(offset);
    const device = machine.devices.find(({ name }) => name === 'com1');
    if (mark === undefined || device === undefined) throw historyErrors.noOutput(offset, this.#console.written);
    yield* this.seek(mark.since);
    let left = offset - mark.from;
    let found: number | undefined;
    const unwatch = watchConsole(device, () => {
      if (left-- !== 0) return;
      found = this.position;
      machine.yieldSoon();
    });
    try {
      while (found === undefined && this.position < mark.until) {
        const { position } = this;
        yield* this.replay(Math.min(mark.until, position + this.#part));
      }
    } finally {
      unwatch();
    }
    if (found === undefined) throw historyErrors.noOutput(offset, this.#console.written);
    return found;
  }

  /** Throws a CodedError where history does not hold `count`. */
  check(count: number): void {
    if (count < this.start || !Number.isSafeInteger(count)) throw historyErrors.before(this.start);
    if (count > this.#end) throw historyErrors.ahead(count, this.#end);
  }

  get #near(): number {
    return Math.round(Math.min(farthest, Math.max(nearest, nearMilliseconds * this.#speed)));
  }

  #adapt(milliseconds: number): void {
    const ideal = (this.#part * partMilliseconds) / Math.max(0.25, milliseconds);
    this.#part = Math.round(Math.min(mostPart, Math.max(10_000, Math.min(ideal, this.#part * 4))));
  }

  /** Has history begin later where its journal takes too much; nothing before the machine's own moment is needed for where it stands. */
  #forgetOldest(): void {
    const { checkpoints, position } = this;
    const { journalled } = this.machine;
    const most = this.budget * journalShare;
    if (journalled.bytes <= most) return;
    const { list } = checkpoints;
    let left = journalled.bytes;
    let index = 0;
    while (left > most * journalLeft && index + 1 < list.length && list[index + 1]!.at <= position) {
      left -= journalled.bytesBetween(list[index]!.cursor, list[index + 1]!.cursor);
      index++;
    }
    checkpoints.beginAt(index);
    journalled.forgetBefore(list[0]!.cursor);
    this.#console.dropBefore(this.start);
  }

  #thin(): void {
    this.#forgetOldest();
    const { checkpoints } = this;
    for (;;) {
      const bytes = checkpoints.bytes + this.machine.journalled.bytes;
      const index = leastUseful(checkpoints.list, bytes, this.budget, this.position);
      if (index === undefined) return;
      checkpoints.remove(index);
    }
  }
}

/** Runs a journey to its end at once. */
export function complete<T>(journey: Journey<T>): T {
  for (;;) {
    const part = journey.next();
    if (part.done === true) return part.value;
  }
}
