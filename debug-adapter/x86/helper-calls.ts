/** Calls of helpers out of generated code: which TypeScript function a record stands for, with its instruction decoded again; port accesses; unit checks. */

import { OwnRecord } from './block-rules';
import { type BlockCache } from './blocks';
import { type CpuContext, type DecodedInsn, type Helper, type HelperTable, Vector } from './context';
import { Cr0, Cr4, readCr0, readCr4 } from './control-bits';
import { type Decoder, DecodeResult, describe, Insn } from './decoder';
import { sseHelpers } from './fp/index';
import { integerHelpers, portStringHelpers } from './integer-helpers';
import { Exit } from './interp-abi';
import { isOfRegion } from './jit/in-place';
import { type Row } from './isa/table';
import { type MemoryAccess } from './memory-access';
import { Rec } from './shape';
import { Layout, Seg, SegField, State } from './state';
import { systemHelpers } from './system';
import { x87Helpers } from './x87/index';

const helpers: HelperTable = { ...integerHelpers, ...portStringHelpers, ...systemHelpers, ...x87Helpers, ...sseHelpers };

/** Bytes of the longest instruction. */
const longest = 15;

export class HelperCalls {
  readonly #cpu: CpuContext;
  readonly #i32: Int32Array;
  readonly #access: MemoryAccess;
  readonly #blocks: BlockCache;
  readonly #decoder: Decoder;
  readonly #available: (row: Row) => boolean;
  /** By `Rec.helper`; index 0 serves records that are not worth an entry. */
  readonly #insns: (DecodedInsn | undefined)[] = [undefined];
  readonly #functions: (Helper | undefined)[] = [undefined];
  #generation = 0;
  /** The same by record, of instructions that regions have done in place. */
  readonly #inRegions = new Map<number, readonly [DecodedInsn, Helper | undefined]>();
  readonly #scratch = new Insn();

  /** @param observe tells the probe that looks on at an address (halves). */
  constructor(
    cpu: CpuContext,
    access: MemoryAccess,
    blocks: BlockCache,
    decoder: Decoder,
    available: (row: Row) => boolean,
    private readonly observe: (low: number, high: number) => void,
  ) {
    this.#cpu = cpu;
    this.#i32 = new Int32Array(cpu.view.buffer);
    this.#access = access;
    this.#blocks = blocks;
    this.#decoder = decoder;
    this.#available = available;
  }

  /** Forgets all records. */
  clear(): void {
    this.#insns.length = 1;
    this.#functions.length = 1;
  }

  /** Forgets the records of regions. */
  clearRegions(): void {
    this.#inRegions.clear();
  }

  /** Does what a record's handler left to TypeScript. Throws GuestFault and Unsupported. */
  call(record: number): void {
    let index = this.#i32[(record + Rec.helper) >> 2]!;
    if (index === OwnRecord.observe) {
      this.#cpu.u64[State.rip >> 3] = this.#cpu.u64[(record + Rec.rip) >> 3]!;
      this.observe(this.#i32[(record + Rec.rip) >> 2]!, this.#i32[(record + Rec.rip + 4) >> 2]!);
      return;
    }
    if (index <= OwnRecord.in) {
      this.#port(this.#i32[(record + Rec.imm) >> 2]!, this.#i32[(record + Rec.imm2) >> 2]!, index === OwnRecord.in);
      return;
    }
    if (index < 0) {
      this.#checkUnit(this.#i32[(record + Rec.imm2) >> 2]!);
      return;
    }
    let known = index === 0 ? this.#inRegions.get(record) : undefined;
    if (known === undefined) {
      if (index === 0) index = this.#describe(record);
      known = [this.#insns[index]!, this.#functions[index]];
      if (isOfRegion(record)) this.#inRegions.set(record, known);
    }
    const [insn, helper] = known;
    const cpu: CpuContext = this.#cpu;
    if (!helper) cpu.unsupported(`${insn.mnemonic} is not implemented.`);
    cpu.u64[State.rip >> 3] = insn.next;
    helper(cpu, insn);
    cpu.hooks.systemInstruction?.();
    this.#i32[State.exitRecord >> 2] = record;
    this.#i32[State.exit >> 2] = Exit.helper;
  }

  /** Decodes the instruction of a record again, for its helper; answers its index in the lists. */
  #describe(record: number): number {
    if (this.#generation !== this.#blocks.generation) {
      this.#generation = this.#blocks.generation;
      this.clear();
    }
    const insn = this.#decodeAt(this.#i32[(record + Rec.rip) >> 2]!, this.#i32[(record + Rec.rip + 4) >> 2]!);
    const definition = insn.row.definition;
    const stays = this.#blocks.linkable(record);
    const index = stays ? this.#insns.length : 0;
    this.#insns[index] = describe(insn);
    this.#functions[index] = definition.helper === undefined ? undefined : helpers[definition.helper];
    if (stays) this.#i32[(record + Rec.helper) >> 2] = index;
    return index;
  }

  #decodeAt(low: number, high: number): Insn {
    const mode = this.#i32[State.mode >> 2]!;
    const bytes = this.instructionBytes(low, high);
    if (this.#decoder.decode(bytes, 0, bytes.length, mode, low, high, this.#available, this.#scratch) !== DecodeResult.ok)
      throw new Error('a decoded instruction no longer decodes');
    return this.#scratch;
  }

  /** Up to 15 bytes at a RIP in halves, as far as they can be fetched. Throws GuestFault where the first cannot. */
  instructionBytes(low: number, high: number): Uint8Array {
    const { u8 } = this.#cpu;
    const bytes = new Uint8Array(2 * longest);
    const linearLow = this.#cpu.long ? low : (low + this.#i32[(State.seg + Seg.CS * SegField.size) >> 2]!) | 0;
    const physical = this.#access.fetchPhysical(linearLow, high);
    const here = Math.min(longest, 4096 - (physical & 4095));
    bytes.set(u8.subarray(Layout.ramBase + physical, Layout.ramBase + physical + here));
    if (here === longest) return bytes.subarray(0, longest);
    try {
      const next = (linearLow + here) | 0;
      const second = this.#access.fetchPhysical(next, next === 0 ? high + 1 : high);
      bytes.set(u8.subarray(Layout.ramBase + second, Layout.ramBase + second + longest - here), here);
      return bytes.subarray(0, longest);
    } catch {
      return bytes.subarray(0, here);
    }
  }

  /** IN and OUT at CPL 0. @param fixed the port, or -1 for DX. */
  #port(fixed: number, size: number, input: boolean): void {
    const { view, u8, u32, bus } = this.#cpu;
    const port = fixed < 0 ? view.getUint16(State.gpr + 2 * 8, true) : fixed;
    if (!input) {
      bus.portWrite(port, size, size === 1 ? u8[State.gpr]! : size === 2 ? view.getUint16(State.gpr, true) : u32[State.gpr >> 2]!);
      return;
    }
    const value = bus.portRead(port, size);
    if (size === 1) u8[State.gpr] = value;
    else if (size === 2) view.setUint16(State.gpr, value, true);
    else {
      u32[State.gpr >> 2] = value;
      u32[(State.gpr >> 2) + 1] = 0;
    }
  }

  /** #UD and #NM of the floating-point units (SDM vol. 3A, tables 13-1, 12-1; vol. 2A, 2.4). Units as `unitNumber` has them. */
  #checkUnit(unit: number): void {
    const cpu = this.#cpu;
    const cr0 = readCr0(cpu.view);
    if (unit === 1) {
      if (cr0 & Cr0.EM || !(readCr4(cpu.view) & Cr4.OSFXSR)) cpu.raise(Vector.UD);
    } else if (unit === 4 && cr0 & Cr0.EM) cpu.raise(Vector.UD);
    else if (unit === 2 && cr0 & Cr0.EM) cpu.raise(Vector.NM);
    if (cr0 & Cr0.TS) cpu.raise(Vector.NM);
  }
}
