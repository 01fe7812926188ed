/** Regions as they are sent to another thread to be compiled there: plain data, with the bytes of their code, and what is made of them there. */

import { type CpuModel } from '../api';
import { featuresOf } from '../cpuid';
import { DecodeResult, type Decoder, Insn } from '../decoder';
import { type Row } from '../isa/table';
import { type CompiledRegion, compileRegion, type RegionCode } from './compile';
import { type BlockEnd, highOf, lowOf, type Region, type RegionBlock } from './discover';
import { type Precision } from './float';
import { isDoneInPlace } from './in-place';
import { keyOfInsn, type MemoryUse } from './region-abi';

interface BlockOrder {
  readonly key: number;
  readonly code: Uint8Array;
  readonly end: BlockEnd;
  readonly observed: number;
  readonly returnTold: number;
}

/** A region that reaches memory by the TLB. */
export interface RegionOrder {
  readonly mode: number;
  readonly blocks: readonly BlockOrder[];
  readonly entries: readonly number[];
  readonly open: ReadonlySet<number>;
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
  /** Place in the table of the first of them. */
  readonly first: number;
  readonly regions: readonly RegionOrder[];
}

export interface CompileAnswer {
  /** Absent where there is nothing to enter, or the engine refused. */
  readonly module: WebAssembly.Module | undefined;
  /** In the order asked; those that there are follow each other in the module. */
  readonly regions: readonly (RegionCode | undefined)[];
}

/** What an order takes from the processor around it. */
export interface OrderSource {
  /** Copies the code of an instruction, which may lie in two pages. */
  copyCode(insn: Insn, to: Uint8Array, at: number): void;
  /** Makes the record of an instruction that is done in place, of whose block so many instructions remain; answers 0 where it cannot. */
  recordOf(insn: Insn, remaining: number): number;
}

export function orderOf(
  { blocks, entries, open }: Region,
  { mode, precision, unordinary, alone }: Pick<RegionOrder, 'mode' | 'precision' | 'unordinary' | 'alone'>,
  source: OrderSource,
): RegionOrder {
  const records = new Map<number, number>();
  const keys = blocks.flatMap(({ insns }) => insns.map(keyOfInsn));
  const ofRegion = (all: ReadonlySet<number>): ReadonlySet<number> => new Set(all.size === 0 ? [] : keys.filter((key) => all.has(key)));
  const ordered = blocks.map(({ key, insns, end, observed, returnTold }) => {
    const code = new Uint8Array(insns.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    insns.forEach((insn, i) => {
      source.copyCode(insn, code, at);
      at += insn.length;
      if (isDoneInPlace(insn, mode)) records.set(keyOfInsn(insn), source.recordOf(insn, insns.length - i));
    });
    return { key, code, end, observed, returnTold };
  });
  return { mode, blocks: ordered, entries, open, precision, unordinary: ofRegion(unordinary), alone: ofRegion(alone), records };
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
