/** The instructions that ran just before a moment, one by one: where each was and the stack pointer it had. */
import { type Disassembler } from '../disassembler';
import { flowOf } from '../instructions';
import { type QuickFlow } from '../quick-flow';
import { type Target } from '../target';
import { type History, type Journey } from './history';

/** Places in `Cpu.generalRegisters`. */
const stackPointer = 4;
const instructionPointer = 16;
/** Steps between two looks at whether control must be handed back. */
const turn = 2000;

/** States before the instructions `from` to `to`, both inside; that of `to` is the moment itself. */
export class Trail {
  readonly #pcs: BigUint64Array;
  readonly #stackPointers: BigUint64Array;
  readonly #flows = new Map<bigint, QuickFlow | undefined>();

  private constructor(
    private readonly target: Target,
    private readonly disassembler: Disassembler,
    readonly from: number,
    readonly to: number,
  ) {
    this.#pcs = new BigUint64Array(to - from + 1);
    this.#stackPointers = new BigUint64Array(to - from + 1);
  }

  /** Records the `length` instructions before `to`, or what there is of them. Leaves the machine at `to`. */
  static *record(history: History, target: Target, disassembler: Disassembler, to: number, length: number): Journey<Trail> {
    const from = Math.max(history.start, to - length);
    const trail = new Trail(target, disassembler, from, to);
    yield* history.seek(from);
    trail.#note(from);
    for (let count = from + 1; count <= to; count++) {
      if (!history.advance(count)) yield* history.replay(count);
      trail.#note(count);
      if (count % turn === 0) yield;
    }
    return trail;
  }

  pc(count: number): bigint {
    return this.#pcs[count - this.from]!;
  }

  stackPointer(count: number): bigint {
    return this.#stackPointers[count - this.from]!;
  }

  holds(count: number): boolean {
    return count >= this.from && count <= this.to;
  }

  /** What the instruction that ran at `count` does to the flow of control. */
  flow(count: number): QuickFlow | undefined {
    return this.flowAt(this.pc(count));
  }

  /** The same by address; read once, as code seldom changes. */
  flowAt(pc: bigint): QuickFlow | undefined {
    if (!this.#flows.has(pc)) this.#flows.set(pc, flowOf(this.target, this.disassembler, pc));
    return this.#flows.get(pc);
  }

  #note(count: number): void {
    const { generalRegisters } = this.target.machine.cpu;
    this.#pcs[count - this.from] = generalRegisters[instructionPointer]!;
    this.#stackPointers[count - this.from] = generalRegisters[stackPointer]!;
  }
}
