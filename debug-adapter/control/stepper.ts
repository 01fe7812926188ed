/** Steps by instruction and by line, as plans that ask for one instruction or for a run to an address at a time. */
import { type AddressRange } from '../symbols/api';
import { type Granularity } from './api';
import { type Disassembler, type FlowInfo, maximumLength } from './disassembler';
import { errors } from './errors';
import { codeBits } from './instructions';
import { type Target } from './target';
import { walkStack } from './unwind';

/** What a step asks of the machine next. */
export type StepDemand =
  | { readonly kind: 'instruction' }
  /** Run until execution reaches `address` while `when` holds. */
  | { readonly kind: 'until'; readonly address: bigint; when(): boolean };

/** Tells whether an interrupt or exception was delivered since it was last asked, and where it came from. */
export interface DeliveryWatch {
  take(): { readonly rip: bigint; readonly rsp: bigint } | undefined;
}

export type StepProgram = Generator<StepDemand, void, void>;

export class Stepper {
  constructor(
    private readonly target: Target,
    private readonly disassembler: Disassembler,
    private readonly deliveries: DeliveryWatch,
  ) {}

  /** The program of one step. Throws a CodedError where there is nothing to step to. */
  program(kind: 'over' | 'in' | 'out', granularity: Granularity): StepProgram {
    if (kind === 'out') return this.#out();
    if (granularity === 'instruction') return kind === 'in' ? this.#instruction() : this.#overInstruction();
    return this.#line(kind);
  }

  /** Runs to the call at `site`, which is of the current line, and goes in there; where the line is left before, the step ends. */
  *intoCall(site: bigint): StepProgram {
    // Optimised code of other lines stands between.
    const hull = this.#extent().reduce(
      ({ low, high }, range) => ({ low: range.low < low ? range.low : low, high: range.high > high ? range.high : high }),
      { low: this.target.pc, high: this.target.pc + 1n },
    );
    while (contains([hull], this.target.pc)) {
      if (this.target.pc !== site) {
        yield* this.#overInstruction();
        continue;
      }
      yield* this.#instruction();
      const { pc } = this.target;
      const body = this.target.symbolsAt(pc)?.prologueEnd(pc) ?? pc;
      if (body !== pc) yield { kind: 'until', address: body, when: () => true };
      return;
    }
  }

  /** One instruction; handlers of interrupts and faults that come up meanwhile run to their end unseen. */
  *#instruction(): StepProgram {
    this.deliveries.take();
    for (;;) {
      yield { kind: 'instruction' };
      const delivered = this.deliveries.take();
      if (delivered === undefined) return;
      yield this.#until(delivered.rip, delivered.rsp);
      this.deliveries.take();
    }
  }

  /** One instruction, with what it calls. */
  *#overInstruction(): StepProgram {
    const flow = this.#flow();
    if (flow?.kind === 'call' || flow?.kind === 'syscall')
      yield this.#until(this.target.pc + BigInt(flow.length), this.target.register('rsp'));
    else yield* this.#instruction();
  }

  *#out(): StepProgram {
    const frames = walkStack(this.target, 64);
    const [current] = frames;
    if (current?.origin === 'inlined' && current.symbolic !== undefined) return yield* this.#leave(current.symbolic.ranges);
    const index = frames.findIndex((frame) => frame.origin !== 'tail-call' && (frame.pc !== current?.pc || frame.cfa !== current.cfa));
    const caller = frames[index];
    if (current?.cfa === undefined || caller === undefined) throw errors.noCaller();
    yield this.#until(caller.pc, current.cfa);
  }

  *#leave(ranges: readonly AddressRange[]): StepProgram {
    while (contains(ranges, this.target.pc)) yield* this.#overInstruction();
  }

  *#line(kind: 'over' | 'in'): StepProgram {
    let ranges = this.#extent();
    const start = this.#inlining();
    for (;;) {
      const flow = this.#flow();
      if (kind === 'in' && flow?.kind === 'call') {
        if (yield* this.#into(flow)) return;
      } else {
        yield* this.#overInstruction();
      }
      const { pc } = this.target;
      if (contains(ranges, pc)) continue;
      const row = this.target.symbolsAt(pc)?.lineAt(pc);
      const hasLine = row !== undefined && row.line > 0;
      const isInlinedCall = kind === 'over' && flow?.kind !== 'return' && extendsPath(this.#inlining(), start);
      if (hasLine && !isInlinedCall && (flow?.kind === 'return' || (row.low === pc && row.isStmt))) return;
      if (!hasLine && flow?.kind === 'return') return;
      if (!hasLine && ranges.length > 0) {
        // A jump into code without lines, such as a tail call of assembly: come back where it returns to.
        const returnTo = this.target.readInteger(this.target.register('rsp'), 8);
        if (returnTo !== undefined && this.target.location(returnTo) !== undefined) {
          yield this.#until(returnTo, this.target.register('rsp') + 8n);
          return;
        }
      }
      // In the middle of another line by a jump, or in a function that was inlined into this one: go on to where a line begins.
      ranges = this.#extent();
    }
  }

  /** Steps into a call. True when the callee has lines and stands past its prologue; otherwise the callee has run to its return. */
  *#into(flow: FlowInfo): Generator<StepDemand, boolean, void> {
    const returnTo = this.target.pc + BigInt(flow.length);
    const rsp = this.target.register('rsp');
    yield* this.#instruction();
    const { pc } = this.target;
    if (this.target.location(pc) === undefined) {
      yield this.#until(returnTo, rsp);
      return false;
    }
    const body = this.target.symbolsAt(pc)?.prologueEnd(pc) ?? pc;
    if (body !== pc) yield { kind: 'until', address: body, when: () => true };
    return true;
  }

  #until(address: bigint, rsp: bigint): StepDemand {
    // The same address in another thread or a deeper call has another stack pointer.
    return { kind: 'until', address, when: () => this.target.register('rsp') === rsp };
  }

  #extent(): readonly AddressRange[] {
    const { pc } = this.target;
    return this.target.symbolsAt(pc)?.lineExtent(pc) ?? [];
  }

  /** The function that runs and what of others is inlined there, outermost first; without what one macro defines together with its caller, as Unikraft's do for system calls. */
  #inlining(): readonly string[] {
    const { pc } = this.target;
    const all = this.target.symbolsAt(pc)?.framesAt(pc) ?? [];
    const frames = all.filter(({ function: { declaration }, callSite }) => callSite === undefined || callSite.line !== declaration?.line);
    return frames.map(({ function: fn, ranges }) => `${fn.id}:${ranges[0]?.low ?? 0n}`).reverse();
  }

  #flow(): FlowInfo | undefined {
    return this.disassembler.flow(this.target.machine.cpu.readMemory(this.target.pc, maximumLength), codeBits(this.target));
  }
}

/** Is it the shorter path with something more behind it? */
const extendsPath = (path: readonly string[], shorter: readonly string[]): boolean =>
  shorter.length > 0 && path.length > shorter.length && shorter.every((each, i) => path[i] === each);

const contains = (ranges: readonly AddressRange[], address: bigint): boolean =>
  ranges.some(({ low, high }) => address >= low && address < high);
