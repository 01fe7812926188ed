/** Where a step backwards ends: one instruction, one line, over what was called, or before the call of the function. */
import { type AddressRange } from '../../symbols/api';
import { type Granularity } from '../api';
import { CodedError } from '../channel';
import { type Disassembler } from '../disassembler';
import { errors } from '../errors';
import { quickFlow } from '../quick-flow';
import { type StackFrame, walkStack } from '../unwind';
import { type History, type Journey } from './history';
import { type TravellingTarget } from './probes';
import { Trail } from './trail';

/** Instructions recorded at first: the calls of most returns are among them, those of others are looked for with probes. */
const firstTrail = 250;
/** A step that goes on from one trail to the one before it looks at more of them at a time. */
const mostTrail = 65_536;
/** A line that ran more instructions than this without a call is stopped in. */
const longestLine = 500_000;
/** The same of code that has no lines, after which lines are no longer looked for. */
const longestWithoutLines = 50_000;
/** A function without lines that ran for more instructions is not left for its caller at once. */
const longestCallee = 2_000_000;
/** Longest call instruction that is not padded with prefixes. */
const longestCall = 8;

/** Where control left some code that it came back to. */
interface Departure {
  /** Instructions retired. */
  readonly at: number;
  readonly pc: bigint;
}

/** Parts of a journey that are spent on finding out where a step would lead that nobody has asked for. */
const preparedParts = 60;

/** Steps that lead to different places. */
type Step = 'instruction' | 'over' | 'line' | 'into' | 'out';
/** Those that most people take. */
const usualSteps: readonly Step[] = ['line', 'over', 'out'];

export type ReverseKind = 'back' | 'over' | 'in' | 'out';

/** Computes where steps lead; the machine is left anywhere. Probes must be silent. What one step looked at serves the next. */
export class ReverseSteps {
  #trail: Trail | undefined;
  #length = firstTrail;
  /** Where steps from moment `#preparedAt` lead by the symbols of so many files, as far as it is known. */
  readonly #prepared = new Map<Step, number | undefined>();
  #preparedAt = -1;
  #preparedBy = 0;

  constructor(
    private readonly history: History,
    private readonly target: TravellingTarget,
    private readonly disassembler: Disassembler,
  ) {}

  /** The instruction count at which a step back from the machine's moment ends; undefined where history begins before that. */
  *destination(kind: ReverseKind, granularity: Granularity): Journey<number | undefined> {
    const from = this.history.position;
    const step = stepOf(kind, granularity);
    const isPrepared = this.#preparedAt === from && this.#preparedBy === this.target.symbolFiles.length && this.#prepared.has(step);
    return isPrepared ? this.#prepared.get(step) : yield* this.#find(step, from);
  }

  *#find(step: Step, from: number): Journey<number | undefined> {
    switch (step) {
      case 'instruction':
        return yield* this.#instruction(from);
      case 'over':
        return yield* this.#over(from);
      case 'out':
        return yield* this.#out(from);
      default:
        return yield* this.#line(from, step === 'into');
    }
  }

  /** Looks at the instructions before the machine's moment, and finds out where the usual steps from there lead; leaves the machine anywhere. */
  *prepare(): Journey<void> {
    const { history } = this;
    const { position } = history;
    if (position <= history.start) return;
    yield* history.bringClose(Math.max(history.start, position - firstTrail));
    yield* history.seek(position);
    yield* this.#at(position, firstTrail);
    this.#prepared.clear();
    this.#preparedAt = position;
    this.#preparedBy = this.target.symbolFiles.length;
    for (const step of usualSteps) {
      yield* history.seek(position);
      const found = yield* within(preparedParts, this.#find(step, position));
      if (found === undefined) continue;
      this.#prepared.set(step, found.value);
      if (found.value !== undefined) yield* history.bringClose(found.value);
    }
  }

  /** What was looked at may not have been so. */
  forget(): void {
    this.#trail = undefined;
    this.#preparedAt = -1;
  }

  /** One instruction; handlers of interrupts and faults that ran in between are passed, as they are forwards. */
  *#instruction(from: number): Journey<number | undefined> {
    if (from <= this.history.start) return undefined;
    yield* this.history.seek(from - 1);
    if (!isInterruptReturn(this.target)) return from - 1;
    const resumed = yield* this.#matching(from);
    return resumed !== undefined && resumed.pc === (yield* this.#at(from)).pc(from) ? yield* this.#instruction(resumed.at) : from - 1;
  }

  /** The instruction before in the same function, or the call that led into it. */
  *#over(at: number): Journey<number | undefined> {
    for (let moment = at; moment > this.history.start;) {
      const trail = yield* this.#at(moment);
      const kind = trail.flow(moment - 1)?.kind;
      if (kind !== 'return' && !(kind === 'jump' && this.#followsSyscall(trail.pc(moment)))) return moment - 1;
      const match = yield* this.#matching(moment);
      if (match === undefined) return moment - 1;
      if (match.pc !== (yield* this.#at(moment)).pc(moment)) return match.at;
      // The interrupted instruction itself: the same place, earlier.
      moment = match.at;
    }
    return undefined;
  }

  /** To the beginning of the line that ran before, or of the current one from its middle. */
  *#line(from: number, into: boolean): Journey<number | undefined> {
    let at = yield* this.#previous(from, into);
    if (at === undefined) return undefined;
    let ranges = this.#extent((yield* this.#at(at)).pc(at));
    // Functions without lines are left at once for where they were called.
    while (ranges.length === 0 && !into) {
      const call: number | undefined = yield* this.#callOfCurrent(at);
      if (call === undefined) break;
      at = call;
      ranges = this.#extent((yield* this.#at(at)).pc(at));
    }
    const begun = at;
    for (;;) {
      const before: number | undefined = yield* this.#previous(at, into);
      if (before === undefined) return this.history.start;
      if (begun - before > (ranges.length === 0 ? longestWithoutLines : longestLine)) return at;
      const trail = yield* this.#at(at);
      const next = trail.pc(at);
      const pc = (yield* this.#at(before)).pc(before);
      const flow = trail.flowAt(pc);
      const entered = flow?.kind === 'call' && pc + BigInt(flow.length) !== next && before === at - 1;
      const hasLine = this.#hasLine(pc);
      if (ranges.length === 0) {
        // On to where there are some.
        if (hasLine) ranges = this.#extent(pc);
      } else if (into && hasLine && flow?.kind === 'return' && before === at - 1) {
        ranges = this.#extent(pc);
      } else if (entered || !contains(ranges, pc)) return at;
      at = before;
    }
  }

  *#previous(at: number, into: boolean): Journey<number | undefined> {
    if (at <= this.history.start) return undefined;
    if (into) {
      const trail = yield* this.#at(at);
      if (trail.flow(at - 1)?.kind === 'return' && this.#hasLine(trail.pc(at - 1))) return at - 1;
    }
    return yield* this.#over(at);
  }

  /** Before the call of the function that runs. */
  *#out(from: number): Journey<number | undefined> {
    const frames = walkStack(this.target, 64);
    const [current] = frames;
    if (current?.origin === 'inlined' && current.symbolic !== undefined) {
      const { ranges } = current.symbolic;
      let at: number | undefined = from;
      while (at !== undefined && at > this.history.start && contains(ranges, (yield* this.#at(at)).pc(at))) at = yield* this.#over(at);
      return at;
    }
    const caller = callerIn(frames);
    if (current?.cfa === undefined || caller === undefined) throw errors.noCaller();
    // One replay from far away serves the search for the call and going there.
    yield* this.history.bringClose(Math.max(this.history.start, from - firstTrail));
    return (yield* this.#departure(caller.pc, current.cfa, from, false))?.at;
  }

  /** The call of the function that runs at `at`, where its frame is told for sure. */
  *#callOfCurrent(at: number): Journey<number | undefined> {
    yield* this.history.seek(at);
    const frames = walkStack(this.target, 3);
    const caller = callerIn(frames);
    const cfa = frames[0]?.cfa;
    return caller?.origin === 'cfi' && cfa !== undefined
      ? (yield* this.#departure(caller.pc, cfa, at, false, longestCallee))?.at
      : undefined;
  }

  /** The moment that control left the code to which it came back at `at`: a call, a system call, or an interrupted instruction, by the stack pointer. */
  *#matching(at: number): Journey<Departure | undefined> {
    const trail = yield* this.#at(at, firstTrail);
    const pc = trail.pc(at);
    const stackPointer = trail.stackPointer(at);
    for (let count = at - 2; count >= trail.from; count--) {
      if (trail.stackPointer(count) !== stackPointer) continue;
      const candidate = trail.pc(count);
      if (candidate === pc) return { at: count, pc };
      if (candidate >= pc || pc - candidate > longestCall) continue;
      const flow = trail.flow(count);
      if ((flow?.kind === 'call' || flow?.kind === 'syscall') && candidate + BigInt(flow.length) === pc)
        return { at: count, pc: candidate };
    }
    if (trail.from <= this.history.start) return undefined;
    return yield* this.#departure(pc, stackPointer, at - 1, true);
  }

  /**
   * The last time before `before` that a call which returns to `returnTo` was made with this stack pointer, or, with `interrupted`, that the instruction there was come to with it.
   * Run at full speed with probes: what was called may have run for long. Given up where more than `most` instructions have to be run.
   */
  *#departure(
    returnTo: bigint,
    stackPointer: bigint,
    before: number,
    interrupted: boolean,
    most = Infinity,
  ): Journey<Departure | undefined> {
    const { probes } = this.target;
    const registrations: { remove(): void }[] = [];
    const code = this.target.machine.cpu.readMemory(returnTo - BigInt(longestCall), longestCall);
    const noted: { last: Departure | undefined } = { last: undefined };
    const look = (pc: bigint): undefined => {
      const { position } = this.history;
      if (position < before && this.target.register('rsp') === stackPointer) noted.last = { at: position, pc };
      return undefined;
    };
    const note = (pc: bigint): void => void registrations.push(probes.addAlways(pc, () => look(pc)));
    if (interrupted) {
      // One that a fault interrupts is come to before; one that an interrupt comes in front of is not.
      note(returnTo);
      registrations.push(this.#watchInterrupts(() => this.target.pc === returnTo && look(returnTo)));
    }
    for (let length = 2; length <= longestCall && code.length === longestCall; length++) {
      const bytes = code.subarray(longestCall - length);
      const flow = quickFlow(bytes) ?? this.disassembler.flow(bytes, 64);
      if (flow?.length === length && (flow.kind === 'call' || flow.kind === 'syscall')) note(returnTo - BigInt(length));
    }
    try {
      // Found by probes that note and never stop; part by part, until one part has it.
      for (let bound = before; bound > this.history.start && noted.last === undefined;) {
        const index = this.history.checkpoints.indexBefore(bound - 1);
        const start = this.history.checkpoints.list[index]!.at;
        if (before - start > most) break;
        yield* this.history.rerun(index, bound, () => undefined);
        bound = start;
      }
    } finally {
      for (const registration of registrations) registration.remove();
    }
    return noted.last;
  }

  /** Calls `told` before each interrupt is delivered. */
  #watchInterrupts(told: () => void): { remove(): void } {
    const { hooks } = this.target.machine.cpu;
    const { interrupt } = hooks;
    hooks.interrupt = (vector) => {
      told();
      return interrupt?.(vector);
    };
    return {
      remove: () => {
        if (interrupt === undefined) delete hooks.interrupt;
        else hooks.interrupt = interrupt;
      },
    };
  }

  /** The trail that ends at or after `at` and reaches `length` instructions before it, or to the start. */
  *#at(at: number, length = 1): Journey<Trail> {
    const known = this.#trail;
    if (known?.holds(at) === true && (known.from <= this.history.start || at - known.from >= length)) return known;
    const goesOn = known !== undefined && at <= known.to && known.from - at < firstTrail;
    this.#length = goesOn ? Math.min(this.#length * 2, mostTrail) : firstTrail;
    yield* this.history.bringClose(Math.max(this.history.start, at - Math.max(length, this.#length)));
    this.#trail = yield* Trail.record(this.history, this.target, this.disassembler, at, Math.max(length, this.#length));
    return this.#trail;
  }

  #followsSyscall(pc: bigint): boolean {
    const [first, second] = this.target.machine.cpu.readMemory(pc - 2n, 2);
    return first === 0x0f && second === 0x05;
  }

  #extent(pc: bigint): readonly AddressRange[] {
    return this.target.symbolsAt(pc)?.lineExtent(pc) ?? [];
  }

  #hasLine(pc: bigint): boolean {
    const row = this.target.symbolsAt(pc)?.lineAt(pc);
    return row !== undefined && row.line > 0;
  }
}

function stepOf(kind: ReverseKind, granularity: Granularity): Step {
  if (kind === 'out') return 'out';
  if (granularity !== 'instruction') return kind === 'in' ? 'into' : 'line';
  return kind === 'over' ? 'over' : 'instruction';
}

/** Lets a journey go on for so many parts; undefined where that is not enough, or where it leads nowhere. */
function* within<T>(parts: number, journey: Journey<T>): Journey<{ readonly value: T } | undefined> {
  try {
    for (let left = parts; left > 0; left--) {
      const part = journey.next();
      if (part.done === true) return { value: part.value };
      yield;
    }
    return undefined;
  } catch (error) {
    if (error instanceof CodedError) return undefined;
    throw error;
  } finally {
    journey.return(undefined as T);
  }
}

/** The frame that called the first one. */
function callerIn(frames: readonly StackFrame[]): StackFrame | undefined {
  const [current] = frames;
  return frames.find((frame) => frame.origin !== 'tail-call' && (frame.pc !== current?.pc || frame.cfa !== current.cfa));
}

/** IRET and IRETQ stand at the pc (SDM vol. 2A). */
function isInterruptReturn(target: TravellingTarget): boolean {
  const [first, second] = target.machine.cpu.readMemory(target.pc, 2);
  return first === 0xcf || (first === 0x48 && second === 0xcf);
}

const contains = (ranges: readonly AddressRange[], address: bigint): boolean =>
  ranges.some(({ low, high }) => address >= low && address < high);
