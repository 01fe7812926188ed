/** Calls out of generated code: accesses that no TLB entry serves, helpers, faults. What is thrown here is kept for the run loop, which generated code then leaves to. */

import { type Allowance } from './allowance';
import { type CpuContext, GuestFault, StoppedByHook, Unsupported } from './context';
import { type HandlerImports } from './handlers';
import { Exit, STACK_ACCESS, WHOLE_PAGE } from './interp-abi';
import { type MemoryAccess } from './memory-access';
import { segmentLinear } from './operands';
import { Rec } from './shape';
import { Seg, State } from './state';

/** What leaves generated code by being thrown. */
export type Thrown = GuestFault | Unsupported | StoppedByHook;

/** Its own enumerable members are what handlers import. */
export class Callouts implements HandlerImports {
  readonly #cpu: CpuContext;
  readonly #i32: Int32Array;
  readonly #access: MemoryAccess;
  readonly #allowance: Allowance;
  readonly #callHelper: (record: number) => void;
  #thrown: Thrown | undefined;

  constructor(cpu: CpuContext, access: MemoryAccess, allowance: Allowance, callHelper: (record: number) => void) {
    this.#cpu = cpu;
    this.#i32 = new Int32Array(cpu.view.buffer);
    this.#access = access;
    this.#allowance = allowance;
    this.#callHelper = callHelper;
  }

  /** What ended generated code with `Exit.fault`. */
  take(): Thrown {
    const thrown = this.#thrown!;
    this.#thrown = undefined;
    return thrown;
  }

  clear(): void {
    this.#thrown = undefined;
  }

  #fault(record: number, error: unknown): void {
    if (!(error instanceof GuestFault || error instanceof Unsupported || error instanceof StoppedByHook)) throw error;
    this.#thrown = error;
    this.#i32[State.exitRecord >> 2] = record;
    this.#i32[State.exit >> 2] = Exit.fault;
  }

  readonly slow = (linear: bigint, description: number, record: number): number => {
    this.#allowance.record = record;
    const segment = description & STACK_ACCESS ? Seg.SS : (this.#i32[(record + Rec.segment) >> 2]! - State.seg) >> 5;
    const wholePage = (description & WHOLE_PAGE) !== 0;
    try {
      return this.#access.slow(BigInt.asUintN(64, linear), description & 0xff, (description >> 8) & 3, segment, wholePage);
    } catch (error) {
      this.#fault(record, error);
      return 0;
    } finally {
      this.#allowance.record = 0;
    }
  };

  readonly commit = (record: number): void => {
    this.#allowance.record = record;
    this.#access.commit();
    this.#allowance.record = 0;
  };

  readonly helper = (record: number): number => {
    this.#allowance.record = record;
    try {
      this.#callHelper(record);
      return 0;
    } catch (error) {
      this.#fault(record, error);
      return 1;
    } finally {
      this.#allowance.record = 0;
    }
  };

  readonly raise = (record: number, vector: number, errorCode: number): void => {
    this.#fault(record, new GuestFault(vector, errorCode < 0 ? undefined : errorCode));
  };

  readonly segmented = (record: number, description: number, offset: bigint): bigint => {
    const access = description >> 16 === 0 ? 'read' : 'write';
    try {
      return segmentLinear(this.#cpu, description & 7, offset, (description >> 8) & 0xff, access);
    } catch (error) {
      this.#fault(record, error);
      return -1n;
    }
  };
}
