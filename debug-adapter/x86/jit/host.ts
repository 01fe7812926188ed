/** What the translating tier asks of the processor around it. */

import { type CpuModel, type KeptRegions } from '../api';
import { type Decoder } from '../decoder';
import { type CompileService } from '../default-compiler';
import { type Row } from '../isa/table';

export interface JitHost {
  readonly memory: WebAssembly.Memory;
  readonly view: DataView;
  readonly u8: Uint8Array;
  readonly u32: Uint32Array;
  readonly i32: Int32Array;
  readonly ramSize: number;
  readonly decoder: Decoder;
  /** The interpreter's runtime functions, by name. */
  readonly runtime: WebAssembly.Exports;
  available(row: Row): boolean;
  /** Is there a probe, and is it to be asked by the loop, or does it only look on? */
  probeAt(key: number): 'stops' | 'observes' | undefined;
  /** How one that looks on is told: a `Telling`. */
  tellingAt(key: number): number;
  /** Tells the observer of the address in RIP; answers 1 where the loop has to look at things again, else 0. */
  readonly observe: () => number;
  /** Tells the hook of this bit of `Hooked`: before SYSCALL runs, after a base has changed. Answers 1 where the loop has to go on from there, else 0. */
  readonly tell: (what: number) => number;
  /** Times that the interpreter ran a block which begins at this address. */
  runsOf(mode: number, key: number): number;
  /** Where blocks of a mode begin that ran often, or often again, since this was last asked. */
  hotBlocks(mode: number): number[];
  /** Physical pages of which the interpreter holds code. */
  codePages(): Iterable<number>;
  /** Linear addresses of the pages that the TLB holds for reads or writes. */
  reached(access: 'read' | 'write'): readonly number[];
  /** Is there a probe at one of so many bytes from an address on? */
  probedWithin(key: number, length: number): boolean;
  /** Stores to this physical page must be seen from now on. */
  protect(page: number): void;
  /** Writes the records of the instruction of a key at an address (see `BlockCache.single`); answers the one to enter. */
  placeRecord(key: number, mode: number, remaining: number, at: number): number;
  /** All records that were placed are given up. */
  recordsCleared(): void;
  /** A region is about to be there that stores through a window. */
  windowUsed(): void;
  /** The interpreter must not run through this address without asking. */
  claim(mode: number, key: number): void;
  readonly model: CpuModel;
  /** Another thread that compiles, where there is one. */
  readonly compiler: CompileService | undefined;
  /** Where regions are kept for later runs of the same guest; undefined where they are not. */
  readonly kept: KeptRegions | undefined;
  /** Compile what is seen once: for tests. */
  readonly eager: boolean;
}
