/** Which processor exceptions stop the guest, and how they are explained. */
import { type StopReason } from '../../machine/api';
import { type BreakpointStatus, type ExceptionDetails, type ExceptionFilter } from '../api';
import { conditionHolds, type HitEvaluator } from '../breakpoints/breakpoint';
import { errors } from '../errors';
import { type GuestModel } from '../guest';
import { hex } from '../registers';
import { type DeliveryWatch } from '../stepper';
import { type Target } from '../target';
import { explainPageFault } from './page-fault';

/** Vectors of the exceptions (SDM vol. 3A, table 6-1). */
export const exceptionNames: readonly (readonly [vector: number, mnemonic: string, name: string])[] = [
  [0, '#DE', 'Divide Error'],
  [1, '#DB', 'Debug'],
  [2, 'NMI', 'Non-maskable Interrupt'],
  [3, '#BP', 'Breakpoint'],
  [4, '#OF', 'Overflow'],
  [5, '#BR', 'BOUND Range Exceeded'],
  [6, '#UD', 'Invalid Opcode'],
  [7, '#NM', 'Device Not Available'],
  [8, '#DF', 'Double Fault'],
  [10, '#TS', 'Invalid TSS'],
  [11, '#NP', 'Segment Not Present'],
  [12, '#SS', 'Stack-Segment Fault'],
  [13, '#GP', 'General Protection'],
  [14, '#PF', 'Page Fault'],
  [16, '#MF', 'x87 Floating-Point Error'],
  [17, '#AC', 'Alignment Check'],
  [18, '#MC', 'Machine Check'],
  [19, '#XM', 'SIMD Floating-Point'],
];

/** Filter ids of the protocol: the mnemonic in lower case without its mark, e.g. `gp`. */
export const filterOf = (mnemonic: string): string => mnemonic.replace('#', '').toLowerCase();

const pageFault = 14;

export class ExceptionCatcher {
  /** Vectors that stop, with their conditions. */
  readonly #vectors = new Map<number, string | undefined>();
  #last: { vector: number; errorCode: number | undefined; rip: bigint } | undefined;
  #delivered: { rip: bigint; rsp: bigint } | undefined;
  #watching = false;

  /** Conditions need `evaluator`; without `guest` a fault's thread is not told. */
  constructor(
    private readonly target: Target,
    private readonly evaluator?: HitEvaluator,
    private readonly guest?: GuestModel,
  ) {
    const { hooks } = target.machine.cpu;
    const { exception, interrupt } = hooks;
    hooks.exception = (vector, errorCode) => this.#onException(vector, errorCode) ?? exception?.(vector, errorCode);
    hooks.interrupt = (vector) => {
      this.#noteDelivery();
      return interrupt?.(vector);
    };
  }

  setFilters(filters: readonly ExceptionFilter[]): readonly BreakpointStatus[] {
    this.#vectors.clear();
    return filters.map(({ filter, condition }, index) => {
      const row = exceptionNames.find(([, mnemonic]) => filterOf(mnemonic) === filter);
      if (row !== undefined) this.#vectors.set(row[0], condition);
      return {
        id: -1 - index,
        verified: row !== undefined,
        ...(row === undefined ? { message: errors.unknownFilter(filter).message } : {}),
      };
    });
  }

  /** From now on deliveries of interrupts and exceptions are noted, for a step to run their handlers unseen. */
  watchDeliveries(): DeliveryWatch {
    this.#watching = true;
    this.#delivered = undefined;
    return {
      take: () => {
        const delivered = this.#delivered;
        this.#delivered = undefined;
        return delivered;
      },
    };
  }

  unwatchDeliveries(): void {
    this.#watching = false;
  }

  /** A sentence or two on why the guest stopped. */
  explain(reason: Extract<StopReason, { kind: 'tripleFault' | 'unsupported' | 'hook' }>): ExceptionDetails {
    const where = this.target.describe(this.target.pc);
    switch (reason.kind) {
      case 'tripleFault':
        return {
          id: 'triple-fault',
          description: `Triple fault in ${where}: the processor shut down while it delivered exception ${this.#name(reason.vector)}.`,
          details:
            this.#last === undefined
              ? ''
              : `The first fault was ${this.#name(this.#last.vector)} at ${this.target.describe(this.#last.rip)}.`,
        };
      case 'unsupported': {
        const bytes = [...reason.bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
        return {
          id: 'unsupported',
          description: `${reason.reason} (${bytes} at ${hex(reason.address)}, ${where})`,
          details: 'A real processor has this; the emulated one does not.',
        };
      }
      case 'hook': {
        const { vector, errorCode } = this.#last ?? { vector: 0, errorCode: undefined };
        const code = errorCode === undefined ? '' : ` with error code 0x${errorCode.toString(16)}`;
        return {
          id: filterOf(this.#name(vector).split(' ')[0]!),
          description: `${this.#name(vector)}${code} in ${where}`,
          details: vector === pageFault ? explainPageFault(this.target, this.guest, errorCode ?? 0) : '',
        };
      }
    }
  }

  #onException(vector: number, errorCode: number | undefined): 'stop' | undefined {
    const { pc: rip } = this.target;
    if (this.#vectors.has(vector) && this.#conditionHolds(this.#vectors.get(vector))) {
      // The guest stands before the delivery; when it runs on, the same fault comes up again and is let through.
      const again = this.#last?.vector === vector && this.#last.rip === rip && this.#stoppedAt === this.target.machine.cpu.retired;
      this.#last = { vector, errorCode, rip };
      this.#stoppedAt = this.target.machine.cpu.retired;
      if (!again) return 'stop';
    }
    this.#last = { vector, errorCode, rip };
    this.#noteDelivery();
    return undefined;
  }

  #stoppedAt = -1n;

  /** A condition that cannot be evaluated stops, as a breakpoint's does. */
  #conditionHolds(condition: string | undefined): boolean {
    return this.evaluator === undefined || conditionHolds(this.evaluator, condition).holds;
  }

  #noteDelivery(): void {
    if (this.#watching && this.#delivered === undefined) this.#delivered = { rip: this.target.pc, rsp: this.target.register('rsp') };
  }

  #name(vector: number): string {
    const row = exceptionNames.find(([number]) => number === vector);
    return row === undefined ? `vector ${vector}` : `${row[1]} (${row[2]})`;
  }
}
