/** Regions as they are sent to another thread to be compiled there: plain data, with the bytes of their code, and what is made of them there. */

import { type CpuModel } from '../api';
import { featuresOf } from '../cpuid';
import { DecodeResult, type Decoder, Insn } from '../decoder';
import { type Row } from '../isa/table';
import { type CodeRange, rangeOf } from './code-map';
import { type CompiledRegion, compileRegion, type RegionCode } from './compile';
import { type BlockEnd, highOf, lowOf, type Region, type RegionBlock } from './discover';
import { type Precision } from './float';
import { isDoneInPlace } from './in-place';
import { type KeptCode } from './kept';
import { keyOfInsn, type MemoryUse } from './region-abi';

/** A block as it is sent, and kept. */
export interface BlockOrder {
  readonly key: number;
  readonly code: Uint8Array;
  /** Key of its last instruction. */
  readonly last: number;
  readonly end: BlockEnd;
  readonly observed: number;
  readonly returnTold: number;
}

/** A region that reaches memory by the TLB. */
export interface RegionOrder {
  /** The address that it is made for. */
  readonly key: number;
  readonly mode: number;
  readonly blocks: readonly BlockOrder[];
  readonly entries: readonly number[];
  readonly open: ReadonlySet<number>;
  /** See `Wanted`. */
  readonly broad: boolean;
  /** What MXCSR says, where the region may rely on it. */
  readonly precision: Precision | undefined;
  /** Instructions that compute with numbers out of the ordinary. */
  readonly unordinary: ReadonlySet<number>;
  /** Instructions whose accesses go by the TLB by themselves. */
  readonly alone: ReadonlySet<number>;
  /** Addresses of the interpreter's records for instructions done in place, by instruction. */
  readonly records: ReadonlyMap<number, number>;
}

/** Regions for one module. */
export interface CompileOrder {
  readonly model: CpuModel;
  /** See `RegionStore.owner`. */
  readonly owner: number;
  /** Place in the table of the first of them. */
  readonly first: number;
  readonly regions: readonly RegionOrder[];
  /** What they are kept by for later runs; undefined where they are not. */
  readonly keptAs: string | undefined;
}

export interface CompileAnswer {
  /** Absent where there is nothing to enter, or the engine refused. */
  readonly module: WebAssembly.Module | undefined;
  /** In the order asked; those that there are follow each other in the module. */
  readonly regions: readonly (RegionCode | undefined)[];
}

/** Asks what is kept of a guest, of which the first is recalled next. */
export interface KnownOrder {
  readonly keptAs: string;
  readonly model: CpuModel;
}

export interface KnownAnswer {
  /** Addresses that regions were made for, and at which they are entered. */
  readonly entries: Float64Array;
}

/** Asks for regions of several modules in one. */
export interface GatherOrder {
  readonly owner: number;
  /** Where they are in the table. */
  readonly places: Int32Array;
  /** Place in the table of the first function of the module. */
  readonly first: number;
}

export interface GatherAnswer {
  /** Absent where the code of none is known, or the engine refused. */
  readonly module: WebAssembly.Module | undefined;
  /** The number in the module of the function of each place asked for; -1 where its code is not known. */
  readonly numbers: Int32Array;
}

/** Asks for some more of the regions that are kept of a guest. */
export interface RecallOrder {
  readonly owner: number;
  readonly keptAs: string;
  readonly model: CpuModel;
  /** Place in the table of the first of them, and how many there may be. */
  readonly first: number;
  readonly most: number;
}

export interface RecallAnswer {
  readonly module: WebAssembly.Module | undefined;
  /** In the order of the module's functions. */
  readonly regions: readonly KeptCode[];
  /** There are no more. */
  readonly isLast: boolean;
}

/** Which of a guest's regions for a model. */
export type KeptKey = Pick<KeptCode, 'key' | 'mode'>;

/** Asks that what is kept of a guest is written. */
export interface KeepOrder {
  readonly keptAs: string;
  readonly model: CpuModel;
  /** Regions that others took the place of. */
  readonly superseded: readonly KeptKey[];
  /** Regions in which there is no more to be had. */
  readonly settled: readonly KeptKey[];
}

/** What an order takes from the processor around it. */
export interface OrderSource {
  /** A copy of code. */
  copyCode(range: CodeRange): Uint8Array;
  /** Makes the record of an instruction that is done in place, of whose block so many instructions remain; answers 0 where it cannot. */
  recordOf(insn: Insn, remaining: number): number;
}

export function orderOf(
  { blocks, entries, open }: Region,
  { key, mode, broad, precision, unordinary, alone }: Pick<RegionOrder, 'key' | 'mode' | 'broad' | 'precision' | 'unordinary' | 'alone'>,
  source: OrderSource,
): RegionOrder {
  const records = new Map<number, number>();
  const keys = blocks.flatMap(({ insns }) => insns.map(keyOfInsn));
  const ofRegion = (all: ReadonlySet<number>): ReadonlySet<number> => new Set(all.size === 0 ? [] : keys.filter((at) => all.has(at)));
  const ordered = blocks.map((block) => {
    const { insns, end, observed, returnTold } = block;
    insns.forEach((insn, i) => {
      if (isDoneInPlace(insn, mode)) records.set(keyOfInsn(insn), source.recordOf(insn, insns.length - i));
    });
    const last = insns.at(-1);
    return { key: block.key, code: source.copyCode(rangeOf(block)), last: last ? keyOfInsn(last) : block.key, end, observed, returnTold };
  });
  return { key, mode, broad, blocks: ordered, entries, open, precision, unordinary: ofRegion(unordinary), alone: ofRegion(alone), records };
}

/** Compiles a region that was sent; undefined where that cannot be done. */
export function fulfil(order: RegionOrder, model: CpuModel, decoder: Decoder): CompiledRegion | undefined {
  const { mode, entries, open, precision, unordinary, alone, records } = order;
  const features = featuresOf(model);
  const available = (row: Row): boolean => row.definition.feature === undefined || features.has(row.definition.feature);
  try {
    const blocks = order.blocks.map((block) => decodeBlock(block, mode, decoder, available));
    const region: Region = { blocks, entries, pages: new Set(), open };
    const floats = precision && { precision, isUnordinary: (at: number) => unordinary.has(at) };
    const memory: MemoryUse = { window: undefined, isAlone: (at) => alone.has(at) };
    return compileRegion(region, mode, memory, floats, (insn) => records.get(keyOfInsn(insn)) ?? 0);
  } catch {
    // Whatever the guest's code does to the compiler, the interpreter can run it.
    return undefined;
  }
}

function decodeBlock(
  { key, code, end, observed, returnTold }: BlockOrder,
  mode: number,
  decoder: Decoder,
  available: (row: Row) => boolean,
): RegionBlock {
  const insns: Insn[] = [];
  for (let at = 0; at < code.length;) {
    const insn = new Insn();
    const rip = key + at;
    if (decoder.decode(code, at, code.length, mode, lowOf(rip), highOf(rip), available, insn) !== DecodeResult.ok)
      throw new Error('code that was decoded before');
    insns.push(insn);
    at += insn.length;
  }
  return { key, insns, end, count: insns.length, observed, returnTold };
}
