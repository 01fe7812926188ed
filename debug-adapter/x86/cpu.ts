/** The processor: the run loop around the interpreter's generated code, events between instructions, and what helpers and the debugger reach it by. */

import { type Cpu, type CpuBus, type CpuExit, type CpuHooks, type CpuModel, type Probe, type Watchpoint } from './api';
import { type Block, BlockCache, PortRecord } from './blocks';
import {
  type CpuContext,
  type DecodedInsn,
  GuestFault,
  type Helper,
  type HelperTable,
  type Operand,
  Unsupported,
  Vector,
  fault,
  lacking,
} from './context';
import { Cr0, Cr4, isCanonical, readCr0, readCr4 } from './control-bits';
import { featuresOf } from './cpuid';
import { armedBreakpoints, noteBreakpoints, noteSingleStep, resetDebugRegisters } from './debug-registers';
import { Decoder, DecodeResult, describe, Insn } from './decoder';
import { deliver } from './exceptions';
import { sseHelpers } from './fp/index';
import { buildHandlers, HandlerSet } from './handlers';
import { integerHelpers, portStringHelpers } from './integer-helpers';
import { Exit, Scratch, STACK_ACCESS, WHOLE_PAGE } from './interp-gen';
import { longestPath } from './jit/discover';
import { Jit } from './jit/jit';
import { opcodeTable } from './isa/all';
import { type Row } from './isa/table';
import { MemoryAccess, type WatchHit } from './memory-access';
import { peek } from './mmu';
import { readRegister, wideRegister, writeRegister } from './registers';
import { deriveMode } from './segments';
import { Rec } from './shape';
import { Layout, Mode, Seg, SegField, State } from './state';
import { systemHelpers } from './system';
import { x87Helpers } from './x87/index';

export interface CpuOptions {
  /** Pages for Layout.ramBase + ramBytes; never grown afterwards. */
  readonly memory: WebAssembly.Memory;
  readonly ramBytes: number;
  readonly bus: CpuBus;
  readonly model: CpuModel;
  /** What CPUID leaf 0x40000010 says, or 0 for no such leaf. */
  readonly tscKilohertz: number;
  /** Handlers built ahead of time by `buildHandlers`; made at start where absent. */
  readonly handlers?: WebAssembly.Module;
  /** Translate hot code (default true); 'eager': all code, at once. Never changes what the guest sees. */
  readonly jit?: boolean | 'eager';
}

const helpers: HelperTable = { ...integerHelpers, ...portStringHelpers, ...systemHelpers, ...x87Helpers, ...sseHelpers };
const RFLAGS_IF = 0x200;
const RFLAGS_TF = 0x100;
const RFLAGS_RF = 0x1_0000;
/** Flags that exist; bit 1 is always set. */
const RFLAGS_DEFINED = 0x3f_7fd5;
const ARITHMETIC_MASK = 0x8d5;

/** Instructions between two looks at where the interpreter is. */
const samplePeriod = 20_000;
/** The same where all code is translated. */
const eagerPeriod = 40;
/** The same while regions run: V8 optimises a function only between its calls. */
const regionSlice = 400_000;
/** A budget below which more is taken from what was kept back: no block is longer. */
const refillBelow = longestPath;
/** TLB fills after which a larger window may have come up. */
const windowFills = 256;

const lowHalf = (key: number): number => key | 0;
const highHalf = (key: number): number => Math.floor(key / 0x1_0000_0000);

let defaultHandlers: WebAssembly.Module | undefined;

/** The handlers for processors that are not given any: built once in a process. */
function builtHandlers(): WebAssembly.Module {
  defaultHandlers ??= new WebAssembly.Module(buildHandlers(opcodeTable));
  return defaultHandlers;
}

/** Takes the prebuilt binary for every later processor of this process. */
export function useHandlers(binary: Uint8Array<ArrayBuffer>): void {
  defaultHandlers = new WebAssembly.Module(binary);
}

export class X86Cpu implements Cpu, CpuContext {
  readonly model: CpuModel;
  readonly bus: CpuBus;
  readonly hooks: CpuHooks = {};
  readonly tscKilohertz: number;
  readonly view: DataView;
  readonly u8: Uint8Array;
  readonly u32: Uint32Array;
  readonly u64: BigUint64Array;
  readonly ramSize: number;
  readonly #i32: Int32Array;
  readonly #access: MemoryAccess;
  readonly #blocks: BlockCache;
  readonly #handlers: HandlerSet;
  readonly #decoder: Decoder;
  readonly #available: (row: Row) => boolean;
  readonly #probes = new Map<bigint, Probe>();
  /** Numbers of probe addresses, for the block builder: see `key`. */
  readonly #probeKeys = new Set<number>();
  readonly #helperInsns: (DecodedInsn | undefined)[] = [undefined];
  readonly #helperFunctions: (Helper | undefined)[] = [undefined];
  #helperGeneration = 0;
  readonly #scratchInsn = new Insn();
  #watchpoints: readonly Watchpoint[] = [];

  /** Retired up to the start of the run that is on the stack (or now). */
  #retiredBase = 0;
  /** Budget given to generated code and not taken back: all of it when the run began, less what `shortenBudget` took. */
  #granted = 0;
  /** Part of the budget put aside so that generated code stops at the next block. */
  #stash = 0;
  /** Part of the budget kept back so that the loop sees now and then where the interpreter is. */
  #reserve = 0;
  readonly #jit: Jit | undefined;
  readonly #samplePeriod: number;
  /** TLB fills when the JIT last looked for its window. */
  #fillsSeen = 0;
  /** Record whose handler was replaced to stop before it, or 0. */
  #patched = 0;
  #patchedHandler = 0;
  #breaking = false;
  /** Record of the instruction that called out of generated code, or 0. */
  #record = 0;
  #line = false;
  #stopRequested = false;
  #pending: GuestFault | undefined;
  #unsupportedReason: string | undefined;
  #watchHits: (WatchHit & { rip: bigint })[] = [];
  #debugHits = 0;
  /** An interrupt that was acknowledged when a hook stopped the processor. */
  #acknowledged = -1;
  /** `retired` at which the exception hook has been asked already. */
  #hookAsked = -1;
  #armed = false;

  constructor(options: CpuOptions) {
    const { memory } = options;
    const buffer = memory.buffer;
    this.model = options.model;
    this.bus = options.bus;
    this.tscKilohertz = options.tscKilohertz;
    this.ramSize = options.ramBytes;
    this.view = new DataView(buffer);
    this.u8 = new Uint8Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.#i32 = new Int32Array(buffer);
    this.u64 = new BigUint64Array(buffer, 0, Math.floor(buffer.byteLength / 8));
    const features = featuresOf(options.model);
    this.#available = (row) => row.definition.feature === undefined || features.has(row.definition.feature);
    this.#decoder = new Decoder(opcodeTable);
    this.#access = new MemoryAccess(this, this.bus, {
      codeWritten: (physical, length) => this.#codeWritten(physical, length),
      watchHit: (hits) => this.#noteWatchHits(hits),
      hasCode: (page) => this.#blocks.hasCode(page) || this.#jit?.hasCode(page) === true,
      codeUnmapped: () => {
        this.#blocks.unlinkAll();
        this.#jit?.translationsChanged();
      },
    });
    this.#handlers = new HandlerSet(opcodeTable, options.handlers ?? builtHandlers(), memory, {
      slow: (linear, description, record) => this.#slow(linear, description, record),
      commit: (record) => this.#commit(record),
      helper: (record) => this.#helper(record),
      raise: (record, vector, errorCode) => {
        this.#fault(record, new GuestFault(vector, errorCode < 0 ? undefined : errorCode));
      },
      segmented: (record, description, offset) => this.#segmented(record, description, offset),
    });
    this.#blocks = new BlockCache(buffer, this.#decoder, this.#handlers, {
      fetchPhysical: (low, high) => this.#access.fetchPhysical(low, high),
      protectCode: (page) => {
        this.#access.protect(page);
        this.#jit?.refreshWindow();
      },
      hasProbe: (low, high) => this.#probeKeys.size > 0 && this.#probeKeys.has(high * 0x1_0000_0000 + (low >>> 0)),
    }, this.#available, opcodeTable.rows.length); // prettier-ignore
    this.#jit =
      options.jit === false
        ? undefined
        : new Jit({
            memory,
            view: this.view,
            u8: this.u8,
            u32: this.u32,
            i32: this.#i32,
            ramSize: this.ramSize,
            decoder: this.#decoder,
            runtime: this.#handlers.runtime,
            available: this.#available,
            hasProbe: (key) => this.#probeKeys.has(key),
            hasCode: (page) => this.#blocks.hasCode(page),
            protect: (page) => this.#access.protect(page),
            claim: (key) => this.#blocks.dropAt(lowHalf(key), highHalf(key)),
            eager: options.jit === 'eager',
          });
    this.#samplePeriod = options.jit === 'eager' ? eagerPeriod : samplePeriod;
    this.reset();
  }

  // State.

  get rip(): bigint {
    return this.u64[State.rip >> 3]!;
  }
  set rip(value: bigint) {
    this.u64[State.rip >> 3] = value;
  }
  get cpl(): number {
    return this.#i32[State.cpl >> 2]!;
  }
  get long(): boolean {
    return (this.#i32[State.mode >> 2]! & Mode.long) !== 0;
  }
  get stackSize(): 2 | 4 | 8 {
    const mode = this.#i32[State.mode >> 2]!;
    return mode & Mode.long ? 8 : mode & Mode.stack32 ? 4 : 2;
  }

  get #retired(): number {
    const left = this.#i32[State.budget >> 2]! + this.#stash + this.#reserve;
    const unfinished = this.#record === 0 ? 0 : this.#i32[(this.#record + Rec.remaining) >> 2]!;
    return this.#retiredBase + this.#granted - left - unfinished;
  }
  /** `retired` as a number, for clocks that ask often. */
  get retiredCount(): number {
    return this.#retired;
  }
  get retired(): bigint {
    return BigInt(this.#retired);
  }

  getReg(register: number, size: number): bigint {
    const value = this.u64[(State.gpr >> 3) + register]!;
    return size === 8 ? value : BigInt.asUintN(size * 8, value);
  }
  setReg(register: number, size: number, value: bigint): void {
    const at = (State.gpr >> 3) + register;
    if (size === 8) this.u64[at] = value;
    else if (size === 4) this.u64[at] = value & 0xffffffffn;
    else if (size === 2) this.view.setUint16(State.gpr + register * 8, Number(value & 0xffffn), true);
    else this.u8[State.gpr + register * 8] = Number(value & 0xffn);
  }

  getFlags(): bigint {
    return BigInt(((this.#i32[State.flags >> 2]! & ~ARITHMETIC_MASK) | Number(this.#handlers.arithmetic()) | 2) >>> 0);
  }
  setFlags(value: bigint): void {
    const wanted = Number(value & 0xffffffffn) & RFLAGS_DEFINED;
    const old = this.#i32[State.flags >> 2]!;
    this.setArithmeticFlags(wanted);
    this.#i32[State.flags >> 2] = (wanted & ~ARITHMETIC_MASK) | 2;
    this.#i32[(State.flags + 4) >> 2] = 0;
    const changed = old ^ wanted;
    if (changed & (RFLAGS_TF | 0x2_0000)) this.modeChanged();
    if (changed & 0x4_0000 && readCr4(this.view) & Cr4.SMAP) this.#access.flush();
  }
  setArithmeticFlags(value: number): void {
    this.#i32[State.flagKind >> 2] = 0;
    this.u64[State.flagA >> 3] = BigInt(value & ARITHMETIC_MASK);
  }

  raise(vector: number, errorCode?: number, cr2?: bigint): never {
    if (cr2 !== undefined) this.u64[State.cr2 >> 3] = cr2;
    fault(vector, errorCode);
  }
  unsupported(reason: string): never {
    lacking(reason);
  }

  // Operands of helpers.

  effectiveAddress(insn: DecodedInsn): bigint {
    const m = insn.memory!;
    let address = m.disp;
    if (m.base >= 0) address += this.getReg(m.base, 8);
    if (m.index >= 0) address += this.getReg(m.index, 8) * BigInt(m.scale);
    return BigInt.asUintN(insn.addressSize * 8, address);
  }
  linearAddress(insn: DecodedInsn, size: number, access: 'read' | 'write', displacement = 0): bigint {
    const offset = BigInt.asUintN(insn.addressSize * 8, this.effectiveAddress(insn) + BigInt(displacement));
    return this.segmentLinear(insn.memory!.segment, offset, size, access);
  }
  segmentLinear(segment: number, offset: bigint, size: number, access: 'read' | 'write'): bigint {
    const at = State.seg + segment * SegField.size;
    const vector = segment === Seg.SS ? Vector.SS : Vector.GP;
    if (this.long) {
      const base = segment >= Seg.FS ? this.u64[at >> 3]! : 0n;
      const linear = BigInt.asUintN(64, base + offset);
      if (!isCanonical(linear) || !isCanonical(BigInt.asUintN(64, linear + BigInt(Math.max(size, 1) - 1)))) this.raise(vector, 0);
      return linear;
    }
    const mode = this.#i32[State.mode >> 2]!;
    if (!(mode & Mode.flat && segment < Seg.FS)) this.#checkSegment(at, offset, size, access, vector);
    return (this.u64[at >> 3]! + offset) & 0xffffffffn;
  }
  /** Limit and type checks outside 64-bit code (SDM vol. 3A, 5.3, 5.4). */
  #checkSegment(at: number, offset: bigint, size: number, access: 'read' | 'write', vector: number): void {
    const limit = BigInt(this.u32[(at + SegField.limit) >> 2]!);
    const attributes = this.u32[(at + SegField.attributes) >> 2]!;
    const last = offset + BigInt(Math.max(size, 1) - 1);
    if (readCr0(this.view) & Cr0.PE) {
      if (!(attributes & 0x80)) this.raise(vector, 0);
      const code = (attributes & 8) !== 0;
      if (access === 'write' ? code || !(attributes & 2) : code && !(attributes & 2)) this.raise(vector, 0);
      if (!code && attributes & 4) {
        // Expand-down: valid offsets lie above the limit.
        const top = attributes & 0x4000 ? 0xffffffffn : 0xffffn;
        if (offset <= limit || last > top) this.raise(vector, 0);
        return;
      }
    }
    if (last > limit) this.raise(vector, 0);
  }
  readOperand(insn: DecodedInsn, i: number): bigint {
    const operand: Operand = insn.operands[i]!;
    switch (operand.kind) {
      case 'reg':
        return operand.high ? (this.getReg(operand.register, 2) >> 8n) & 0xffn : this.getReg(operand.register, operand.size);
      case 'mem':
        return this.readVirtual(this.linearAddress(insn, operand.size, 'read'), operand.size);
      case 'imm':
        return operand.value;
      case 'rel':
        return operand.target;
      case 'far':
        return operand.offset;
      case 'sreg':
        return BigInt(this.view.getUint16(State.seg + operand.register * SegField.size + SegField.selector, true));
      case 'xmm':
        return BigInt.asUintN(Math.min(operand.size, 8) * 8, this.u64[(State.xmm + operand.register * 32) >> 3]!);
      case 'mmx':
        return this.u64[(State.x87 + operand.register * 16) >> 3]!;
      case 'creg':
      case 'dreg':
      case 'st':
        throw new Error(`${insn.mnemonic}: operand ${i} has no plain value`);
    }
  }
  writeOperand(insn: DecodedInsn, i: number, value: bigint): void {
    const operand = insn.operands[i]!;
    if (operand.kind === 'reg') {
      if (operand.high) this.u8[State.gpr + operand.register * 8 + 1] = Number(value & 0xffn);
      else this.setReg(operand.register, operand.size, value);
    } else if (operand.kind === 'mem') {
      this.writeVirtual(this.linearAddress(insn, operand.size, 'write'), operand.size, value);
    } else {
      throw new Error(`${insn.mnemonic}: operand ${i} cannot be written`);
    }
  }

  // Memory of helpers.

  readVirtual(linear: bigint, size: number): bigint {
    return this.#access.read(linear, size, false);
  }
  writeVirtual(linear: bigint, size: number, value: bigint): void {
    this.#access.write(linear, size, value, false);
  }
  readSystem(linear: bigint, size: number): bigint {
    return this.#access.read(linear, size, true);
  }
  writeSystem(linear: bigint, size: number, value: bigint): void {
    this.#access.write(linear, size, value, true);
  }
  probe(linear: bigint, length: number, access: 'read' | 'write'): void {
    this.#access.probe(linear, length, access === 'write');
  }
  readBytes(linear: bigint, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length;) {
      const size = length - i >= 8 ? 8 : 1;
      let value = this.readVirtual(BigInt.asUintN(64, linear + BigInt(i)), size);
      for (let k = 0; k < size; k++, value >>= 8n) bytes[i + k] = Number(value & 0xffn);
      i += size;
    }
    return bytes;
  }
  writeBytes(linear: bigint, bytes: Uint8Array): void {
    if (bytes.length > 0) this.probe(linear, bytes.length, 'write');
    for (let i = 0; i < bytes.length;) {
      const size = bytes.length - i >= 8 ? 8 : 1;
      let value = 0n;
      for (let k = size - 1; k >= 0; k--) value = (value << 8n) | BigInt(bytes[i + k]!);
      this.writeVirtual(BigInt.asUintN(64, linear + BigInt(i)), size, value);
      i += size;
    }
  }
  readPhysical(physical: number, size: number): bigint {
    return this.#access.readPhysicalBytes(physical, size);
  }
  writePhysical(physical: number, size: number, value: bigint): void {
    this.#access.writePhysicalBytes(physical, size, value);
  }
  push(size: number, value: bigint): void {
    const width = this.stackSize;
    const pointer = BigInt.asUintN(width * 8, this.getReg(4, width) - BigInt(size));
    this.writeVirtual(this.segmentLinear(Seg.SS, pointer, size, 'write'), size, value);
    this.setReg(4, width, pointer);
  }
  pop(size: number): bigint {
    const width = this.stackSize;
    const pointer = this.getReg(4, width);
    const value = this.readVirtual(this.segmentLinear(Seg.SS, pointer, size, 'read'), size);
    this.setReg(4, width, BigInt.asUintN(width * 8, pointer + BigInt(size)));
    return value;
  }

  // Changes of mode and translation.

  modeChanged(): void {
    const before = this.#i32[State.mode >> 2]!;
    deriveMode(this);
    const mode = this.#i32[State.mode >> 2]!;
    this.#i32[(Scratch.modeTag + 4) >> 2] = (mode | 0x100) << 16;
    // Permissions depend on the privilege; blocks outside 64-bit code on the base of CS.
    if ((before ^ mode) & Mode.user) this.#access.flush();
    else if (!(mode & Mode.long)) this.#blocks.unlinkAll();
    const armed = (this.u32[(State.dr + 56) >> 2]! & 0xff) !== 0;
    if (armed || this.#armed) {
      this.#armed = armed;
      this.#setWatches();
    }
  }
  flushTlb(_global: boolean): void {
    this.#access.flush();
  }
  flushPage(linear: bigint): void {
    this.#access.flushPage(linear);
    this.#jit?.pageChanged(linear);
  }
  inhibitInterrupts(): void {
    this.#i32[State.shadow >> 2] = 1;
  }
  halt(): void {
    this.#i32[State.halted >> 2] = 1;
  }

  // Calls out of generated code.

  #fault(record: number, error: unknown): void {
    if (error instanceof GuestFault) this.#pending = error;
    else if (error instanceof Unsupported) this.#unsupportedReason = error.reason;
    else throw error;
    this.#i32[State.exitRecord >> 2] = record;
    this.#i32[State.exit >> 2] = Exit.fault;
  }

  #slow(linear: bigint, description: number, record: number): number {
    this.#record = record;
    const segment = description & STACK_ACCESS ? Seg.SS : (this.#i32[(record + Rec.segment) >> 2]! - State.seg) >> 5;
    try {
      return this.#access.slow(
        BigInt.asUintN(64, linear),
        description & 0xff,
        (description >> 8) & 3,
        segment,
        (description & WHOLE_PAGE) !== 0,
      );
    } catch (error) {
      this.#fault(record, error);
      return 0;
    } finally {
      this.#record = 0;
    }
  }

  #commit(record: number): void {
    this.#record = record;
    this.#access.commit();
    this.#record = 0;
  }

  #segmented(record: number, description: number, offset: bigint): bigint {
    try {
      return this.segmentLinear(description & 7, offset, (description >> 8) & 0xff, description >> 16 === 0 ? 'read' : 'write');
    } catch (error) {
      this.#fault(record, error);
      return -1n;
    }
  }

  /** Decodes the instruction of a record again, for its helper; answers its index in the lists. */
  #describe(record: number): number {
    if (this.#helperGeneration !== this.#blocks.generation) {
      this.#helperGeneration = this.#blocks.generation;
      this.#helperInsns.length = 1;
      this.#helperFunctions.length = 1;
    }
    const insn = this.#decodeAt(this.#i32[(record + Rec.rip) >> 2]!, this.#i32[(record + Rec.rip + 4) >> 2]!);
    const definition = insn.row.definition;
    // Records of a block that runs once are not worth an entry: index 0 serves them.
    const stays = this.#blocks.linkable(record);
    const index = stays ? this.#helperInsns.length : 0;
    this.#helperInsns[index] = describe(insn);
    this.#helperFunctions[index] = definition.helper === undefined ? undefined : helpers[definition.helper];
    if (stays) this.#i32[(record + Rec.helper) >> 2] = index;
    return index;
  }

  #decodeAt(low: number, high: number): Insn {
    const mode = this.#i32[State.mode >> 2]!;
    const bytes = this.#instructionBytes(low, high);
    if (this.#decoder.decode(bytes, 0, bytes.length, mode, low, high, this.#available, this.#scratchInsn) !== DecodeResult.ok)
      throw new Error('a decoded instruction no longer decodes');
    return this.#scratchInsn;
  }

  /** Up to 15 bytes at RIP, as far as they can be fetched. */
  #instructionBytes(low: number, high: number): Uint8Array {
    const bytes = new Uint8Array(32);
    const linearLow = this.long ? low : (low + this.#i32[(State.seg + Seg.CS * SegField.size) >> 2]!) | 0;
    const physical = this.#access.fetchPhysical(linearLow, high);
    const here = Math.min(15, 4096 - (physical & 4095));
    bytes.set(this.u8.subarray(Layout.ramBase + physical, Layout.ramBase + physical + here));
    if (here === 15) return bytes.subarray(0, 15);
    try {
      const next = (linearLow + here) | 0;
      const second = this.#access.fetchPhysical(next, next === 0 ? high + 1 : high);
      bytes.set(this.u8.subarray(Layout.ramBase + second, Layout.ramBase + second + 15 - here), here);
      return bytes.subarray(0, 15);
    } catch {
      return bytes.subarray(0, here);
    }
  }

  #helper(record: number): number {
    this.#record = record;
    try {
      let index = this.#i32[(record + Rec.helper) >> 2]!;
      if (index <= PortRecord.in) {
        this.#port(this.#i32[(record + Rec.imm) >> 2]!, this.#i32[(record + Rec.imm2) >> 2]!, index === PortRecord.in);
        return 0;
      }
      if (index < 0) {
        this.#checkUnit(this.#i32[(record + Rec.imm2) >> 2]!);
        return 0;
      }
      if (index === 0) index = this.#describe(record);
      const insn = this.#helperInsns[index]!;
      const helper = this.#helperFunctions[index];
      if (!helper) this.unsupported(`${insn.mnemonic} is not implemented.`);
      this.u64[State.rip >> 3] = insn.next;
      helper(this, insn);
      this.#i32[State.exitRecord >> 2] = record;
      this.#i32[State.exit >> 2] = Exit.helper;
      return 0;
    } catch (error) {
      this.#fault(record, error);
      return 1;
    } finally {
      this.#record = 0;
    }
  }

  /** IN and OUT at CPL 0. @param fixed the port, or -1 for DX. */
  #port(fixed: number, size: number, input: boolean): void {
    const { view } = this;
    const port = fixed < 0 ? view.getUint16(State.gpr + 2 * 8, true) : fixed;
    if (!input) {
      this.bus.portWrite(
        port,
        size,
        size === 1 ? this.u8[State.gpr]! : size === 2 ? view.getUint16(State.gpr, true) : this.u32[State.gpr >> 2]!,
      );
      return;
    }
    const value = this.bus.portRead(port, size);
    if (size === 1) this.u8[State.gpr] = value;
    else if (size === 2) view.setUint16(State.gpr, value, true);
    else {
      this.u32[State.gpr >> 2] = value;
      this.u32[(State.gpr >> 2) + 1] = 0;
    }
  }

  /** #UD and #NM of the floating-point units (SDM vol. 3A, tables 13-1, 12-1; vol. 2A, 2.4). Units as `unitNumber` has them. */
  #checkUnit(unit: number): void {
    const cr0 = readCr0(this.view);
    if (unit === 1) {
      if (cr0 & Cr0.EM || !(readCr4(this.view) & Cr4.OSFXSR)) this.raise(Vector.UD);
    } else if (unit === 4 && cr0 & Cr0.EM) this.raise(Vector.UD);
    else if (unit === 2 && cr0 & Cr0.EM) this.raise(Vector.NM);
    if (cr0 & Cr0.TS) this.raise(Vector.NM);
  }

  // Stopping inside a block.

  /** Stops generated code after the instruction that called out of it. */
  #breakAfterCurrent(): void {
    if (this.#breaking || this.#record === 0) return;
    this.#breaking = true;
    const budget = this.#i32[State.budget >> 2]!;
    this.#stash += budget;
    this.#i32[State.budget >> 2] = 0;
    // The last record of a block is followed by nothing that runs, and leaves for want of budget.
    this.#patched = this.#record + Rec.size;
    this.#patchedHandler = this.#i32[this.#patched >> 2]!;
    this.#i32[this.#patched >> 2] = 0;
  }
  #unbreak(): void {
    if (!this.#breaking) return;
    this.#breaking = false;
    this.#i32[this.#patched >> 2] = this.#patchedHandler;
    this.#i32[State.budget >> 2] = this.#i32[State.budget >> 2]! + this.#stash;
    this.#stash = 0;
  }
  /** Only inside a bus call: at most `n` more instructions after the current one. */
  shortenBudget(n: number): void {
    if (this.#granted === 0) return;
    const record = this.#record;
    const unfinished = record === 0 ? 0 : this.#i32[(record + Rec.remaining) >> 2]! - 1;
    const left = this.#i32[State.budget >> 2]! + this.#stash + this.#reserve + unfinished;
    if (n >= left) return;
    let less = left - n;
    this.#granted -= less;
    // What is kept back goes first.
    const kept = Math.min(less, this.#reserve);
    this.#reserve -= kept;
    less -= kept;
    if (less === 0) return;
    const budget = this.#i32[State.budget >> 2]! - less;
    if (this.#breaking) {
      this.#stash -= less;
    } else {
      this.#i32[State.budget >> 2] = budget;
      if (budget < 0) this.#breakAfterCurrent();
    }
  }

  #codeWritten(physical: number, length: number): void {
    this.#jit?.invalidate(physical, length);
    if (this.#blocks.invalidate(physical, length, this.#record)) this.#breakAfterCurrent();
  }

  #noteWatchHits(hits: readonly WatchHit[]): void {
    const rip = this.#record === 0 ? this.rip : this.u64[(this.#record + Rec.rip) >> 3]!;
    for (const hit of hits) {
      if (hit.id < 0) this.#debugHits |= 1 << (-1 - hit.id);
      else this.#watchHits.push({ ...hit, rip });
    }
    this.#breakAfterCurrent();
  }

  // The Cpu interface.

  setInterruptLine(level: boolean): void {
    this.#line = level;
    this.#i32[Scratch.line >> 2] = level ? 1 : 0;
    if (level && this.#i32[State.flags >> 2]! & RFLAGS_IF) this.#breakAfterCurrent();
  }
  requestStop(): void {
    this.#stopRequested = true;
    this.#breakAfterCurrent();
  }

  reset(): void {
    const { view } = this;
    this.u8.fill(0, 0, State.end);
    view.setBigUint64(State.rip, 0xfff0n, true);
    view.setBigUint64(State.flags, 2n, true);
    view.setBigUint64(State.gpr + 16, 0x306d4n, true);
    view.setBigUint64(State.cr0, 0x60000010n, true);
    view.setBigUint64(State.xcr0, 1n, true);
    view.setBigUint64(State.pat, 0x0007040600070406n, true);
    view.setBigUint64(State.apicBase, 0xfee00900n, true);
    view.setBigUint64(State.miscEnable, 1n, true);
    for (let i = 0; i < 8; i++) {
      const at = State.seg + i * SegField.size;
      view.setUint32(at + SegField.limit, 0xffff, true);
      view.setUint32(at + SegField.attributes, i === Seg.CS ? 0x9b : i === Seg.LDTR ? 0x82 : i === Seg.TR ? 0x8b : 0x93, true);
    }
    view.setBigUint64(State.seg + Seg.CS * SegField.size, 0xffff0000n, true);
    view.setUint16(State.seg + Seg.CS * SegField.size + SegField.selector, 0xf000, true);
    view.setUint32(State.gdtr + 8, 0xffff, true);
    view.setUint32(State.idtr + 8, 0xffff, true);
    resetDebugRegisters(view);
    view.setUint16(State.fcw, 0x37f, true);
    view.setUint16(State.ftw, 0xffff, true);
    view.setUint32(State.mxcsr, 0x1f80, true);
    this.#retiredBase = 0;
    this.#granted = 0;
    this.#stash = 0;
    this.setInterruptLine(false);
    this.#stopRequested = false;
    this.#acknowledged = -1;
    this.#hookAsked = -1;
    this.#watchHits = [];
    this.#debugHits = 0;
    this.invalidate();
  }

  invalidate(): void {
    if (this.#granted === 0) this.#retiredBase = Number(this.u64[State.retired >> 3]!);
    this.#pending = undefined;
    this.#acknowledged = -1;
    this.#blocks.flush();
    this.#jit?.flush();
    this.#helperInsns.length = 1;
    this.#helperFunctions.length = 1;
    this.modeChanged();
    this.#access.flush();
  }
  invalidateCode(physical: number, length: number): void {
    if (length > 0) this.#codeWritten(physical, length);
  }

  setProbe(address: bigint, probe: Probe | undefined): void {
    const low = Number(address & 0xffffffffn) | 0;
    const high = Number(address >> 32n) | 0;
    const known = this.#probes.has(address);
    if (probe) {
      this.#probes.set(address, probe);
      this.#probeKeys.add(high * 0x1_0000_0000 + (low >>> 0));
    } else {
      this.#probes.delete(address);
      this.#probeKeys.delete(high * 0x1_0000_0000 + (low >>> 0));
    }
    if (known !== (probe !== undefined)) {
      this.#blocks.dropAt(low, high);
      this.#jit?.dropAt(high * 0x1_0000_0000 + (low >>> 0));
    }
    this.#breakAfterCurrent();
  }

  setWatchpoints(list: readonly Watchpoint[]): void {
    this.#watchpoints = list;
    this.#setWatches();
    this.#breakAfterCurrent();
  }
  #setWatches(): void {
    const armed: Watchpoint[] = this.#armed
      ? armedBreakpoints(this)
          .filter((point) => point.kind === 'write' || point.kind === 'readWrite')
          .map((point) => ({
            id: -1 - point.index,
            address: point.address,
            length: point.length,
            access: point.kind === 'write' ? 'write' : 'readWrite',
          }))
      : [];
    const all = [...this.#watchpoints, ...armed];
    this.#access.setWatches(all);
    if (this.#jit !== undefined) this.#jit.windowOff = all.length > 0;
    const fuse = all.length === 0;
    if (fuse !== this.#blocks.fuse) {
      this.#blocks.fuse = fuse;
      // Blocks that were built the other way go as soon as none of them runs.
      this.#refuse = true;
    }
  }
  #refuse = false;

  /** Budget, interrupts, traps and probes between blocks. */
  run(budget: number): CpuExit {
    this.#retiredBase += this.#granted - this.#i32[State.budget >> 2]!;
    this.#granted = budget;
    const slice = this.#jit === undefined ? budget : Math.min(budget, this.#samplePeriod);
    this.#reserve = budget - slice;
    this.#i32[State.budget >> 2] = slice;
    this.#i32[(State.budget + 4) >> 2] = 0;
    this.#i32[Scratch.shadowLeft >> 2] = -1;
    try {
      return this.#loop();
    } finally {
      if (this.#i32[Scratch.shadowLeft >> 2] === this.#i32[State.budget >> 2]) this.#i32[State.shadow >> 2] = 1;
      this.#retiredBase += this.#granted - this.#reserve - this.#i32[State.budget >> 2]!;
      this.#granted = 0;
      this.#reserve = 0;
      this.#i32[State.budget >> 2] = 0;
      this.u64[State.retired >> 3] = BigInt(this.#retiredBase);
    }
  }

  /** More budget for generated code; by the way, the JIT is told where the interpreter is. */
  #refill(): void {
    const jit = this.#jit!;
    const key = this.#i32[(State.rip + 4) >> 2]! * 0x1_0000_0000 + (this.#i32[State.rip >> 2]! >>> 0);
    const slice = Math.min(this.#reserve, jit.has(key) ? regionSlice : this.#samplePeriod);
    this.#reserve -= slice;
    this.#i32[State.budget >> 2] = this.#i32[State.budget >> 2]! + slice;
    jit.sample();
    if (this.#access.fills - this.#fillsSeen > windowFills) {
      this.#fillsSeen = this.#access.fills;
      jit.refreshWindow();
    }
  }

  #loop(): CpuExit {
    const i32 = this.#i32;
    const blocks = this.#blocks;
    let site = 0;
    /** The interpreter must do the next instruction: a region has just left before it. */
    let interpret = false;
    for (;;) {
      if (this.#stopRequested) {
        this.#stopRequested = false;
        return { kind: 'stop' };
      }
      if (this.#refuse) {
        this.#refuse = false;
        site = 0;
        blocks.flush();
      }
      if (this.#acknowledged >= 0) {
        const vector = this.#acknowledged;
        this.#acknowledged = -1;
        if (!deliver(this, vector, undefined, 'external')) return { kind: 'tripleFault', vector };
        site = 0;
      }
      if (i32[Scratch.shadowLeft >> 2] === i32[State.budget >> 2]) {
        i32[State.shadow >> 2] = 1;
        i32[Scratch.shadowLeft >> 2] = -1;
      }
      const flags = i32[State.flags >> 2]!;
      if (this.#line && flags & RFLAGS_IF && i32[State.shadow >> 2] === 0) {
        const vector = this.bus.acknowledgeInterrupt();
        if (vector >= 0) {
          i32[State.halted >> 2] = 0;
          if (this.hooks.interrupt?.(vector) === 'stop') {
            this.#acknowledged = vector;
            return { kind: 'hook' };
          }
          if (!deliver(this, vector, undefined, 'external')) return { kind: 'tripleFault', vector };
          site = 0;
          continue;
        }
      }
      if (i32[State.halted >> 2] !== 0) return { kind: 'halted', interruptible: (flags & RFLAGS_IF) !== 0 };
      if (this.#reserve > 0 && i32[State.budget >> 2]! < refillBelow) this.#refill();
      const left = i32[State.budget >> 2]!;
      if (left <= 0) return { kind: 'budget' };
      if (this.#probes.size > 0) {
        const rip = this.rip;
        const probe = this.#probes.get(rip);
        if (probe) {
          site = 0;
          if (probe() === 'stop') return { kind: 'probe', address: rip };
          if (this.rip !== rip || this.#refuse) continue;
        }
      }
      const low = i32[State.rip >> 2]!;
      const high = i32[(State.rip + 4) >> 2]!;
      const mode = i32[State.mode >> 2]!;
      const single = (mode & Mode.step) !== 0;
      const shadow = i32[State.shadow >> 2] !== 0;
      if (this.#jit !== undefined && !interpret && !single && !shadow && (flags & RFLAGS_RF) === 0) {
        const outcome = this.#jit.run();
        if (outcome !== 'miss') {
          site = 0;
          interpret = outcome === 'interpret';
          // A budget that does not suffice is either filled up or used to its end by the interpreter.
          if (outcome === 'budget') interpret = this.#reserve === 0;
          continue;
        }
      }
      interpret = false;
      let block: Block;
      if (single && this.#executeBreakpoint()) {
        const exit = this.#deliverFault(new GuestFault(Vector.DB, undefined));
        if (exit) return exit;
        continue;
      }
      try {
        const csBase = i32[(State.seg + Seg.CS * SegField.size) >> 2]!;
        const most = single || (shadow && this.#line) ? 1 : left;
        if (most === 1) {
          block = blocks.once(mode, low, high, csBase, 1);
        } else {
          block = blocks.lookup(mode, low, high, csBase);
          if (block.count > most) {
            block = blocks.once(mode, low, high, csBase, most);
          } else if ((this.#probeKeys.size === 0 || !this.#probeKeys.has(block.key)) && this.#jit?.has(block.key) !== true) {
            if (site !== 0 && blocks.linkable(site)) blocks.link(site, block);
            else if (site === 0) blocks.cacheRip(block);
          }
        }
      } catch (error) {
        site = 0;
        if (error instanceof GuestFault) {
          const exit = this.#deliverFault(error);
          if (exit) return exit;
          continue;
        }
        if (error instanceof Unsupported) return this.#unsupportedExit(error.reason);
        throw error;
      }
      if (shadow) {
        i32[State.shadow >> 2] = 0;
        i32[Scratch.shadowLeft >> 2] = -1;
      }
      if (flags & RFLAGS_RF) i32[State.flags >> 2] = flags & ~RFLAGS_RF;
      const traps = single && (flags & RFLAGS_TF) !== 0 && !shadow;
      i32[State.budget >> 2] = left - block.count;
      i32[State.exit >> 2] = 0;
      this.#handlers.enter(block.header + Rec.size);
      this.#unbreak();
      const record = i32[State.exitRecord >> 2]!;
      site = 0;
      switch (i32[State.exit >> 2]) {
        case Exit.lookup:
          site = record;
          break;
        case Exit.leave:
          this.#comeBack(record, i32[(record + Rec.remaining) >> 2]!);
          break;
        case Exit.helper:
          // The instruction was the block's last.
          break;
        case Exit.restart:
          this.#comeBack(record, i32[(record + Rec.remaining) >> 2]! - 1);
          break;
        case Exit.fault: {
          this.#comeBack(record, i32[(record + Rec.remaining) >> 2]!);
          if (this.#unsupportedReason !== undefined) {
            const reason = this.#unsupportedReason;
            this.#unsupportedReason = undefined;
            return this.#unsupportedExit(reason);
          }
          const fault = this.#pending!;
          this.#pending = undefined;
          this.#debugHits = 0;
          const exit = this.#deliverFault(fault);
          if (exit) return exit;
          continue;
        }
        default:
          throw new Error(`generated code left with ${i32[State.exit >> 2]}`);
      }
      if (traps || this.#debugHits !== 0) {
        if (this.#debugHits !== 0) noteBreakpoints(this, this.#debugHits);
        if (traps) noteSingleStep(this);
        this.#debugHits = 0;
        site = 0;
        if (this.hooks.exception?.(Vector.DB, undefined) === 'stop') return { kind: 'hook' };
        if (!deliver(this, Vector.DB, undefined, 'trap')) return { kind: 'tripleFault', vector: Vector.DB };
      }
      if (this.#watchHits.length > 0) {
        const hits = this.#watchHits;
        this.#watchHits = [];
        return { kind: 'watch', hits };
      }
    }
  }

  /** RIP and budget back to a record of which `uncharged` instructions did not run. */
  #comeBack(record: number, uncharged: number): void {
    const i32 = this.#i32;
    i32[State.rip >> 2] = i32[(record + Rec.rip) >> 2]!;
    i32[(State.rip + 4) >> 2] = i32[(record + Rec.rip + 4) >> 2]!;
    i32[State.budget >> 2] = i32[State.budget >> 2]! + uncharged;
  }

  #deliverFault(fault: GuestFault): CpuExit | undefined {
    if (this.hooks.exception) {
      // The fault comes again when the run goes on after a stop: it is asked about once.
      const at = this.#retired;
      if (this.#hookAsked !== at && this.hooks.exception(fault.vector, fault.errorCode) === 'stop') {
        this.#hookAsked = at;
        return { kind: 'hook' };
      }
      this.#hookAsked = -1;
    }
    this.#i32[State.shadow >> 2] = 0;
    if (!deliver(this, fault.vector, fault.errorCode, 'fault')) return { kind: 'tripleFault', vector: fault.vector };
    return undefined;
  }

  #unsupportedExit(reason: string): CpuExit {
    let bytes = new Uint8Array(0);
    try {
      bytes = this.#instructionBytes(this.#i32[State.rip >> 2]!, this.#i32[(State.rip + 4) >> 2]!).slice();
    } catch {
      // Not fetchable: the reason says enough.
    }
    return { kind: 'unsupported', address: this.rip, bytes, reason };
  }

  /** An enabled instruction breakpoint at RIP that RF does not hide: notes it in DR6. */
  #executeBreakpoint(): boolean {
    if (!this.#armed || this.#i32[State.flags >> 2]! & RFLAGS_RF) return false;
    let mask = 0;
    for (const point of armedBreakpoints(this)) if (point.kind === 'execute' && point.address === this.rip) mask |= 1 << point.index;
    if (mask === 0) return false;
    noteBreakpoints(this, mask);
    return true;
  }

  /** What the translating tier did so far; undefined where it is off. */
  get jitStatistics(): Jit['statistics'] | undefined {
    return this.#jit?.statistics;
  }

  // The debugger's view.

  getRegister(name: string): bigint | undefined {
    return readRegister(this, name);
  }
  setRegister(name: string, value: bigint): boolean {
    return writeRegister(this, name, value);
  }
  getWideRegister(name: string): Uint8Array | undefined {
    const place = wideRegister(this, name);
    return place && this.u8.slice(place.offset, place.offset + place.length);
  }
  setWideRegister(name: string, bytes: Uint8Array): boolean {
    const place = wideRegister(this, name);
    if (!place || bytes.length !== place.length) return false;
    this.u8.set(bytes, place.offset);
    return true;
  }
  translate(linear: bigint, access?: 'read' | 'write' | 'execute'): ReturnType<Cpu['translate']> {
    const found = peek(this, BigInt.asUintN(this.#inLongMode ? 64 : 32, linear));
    if (!found) return undefined;
    if ((access === 'write' && !found.writable) || (access === 'execute' && !found.executable)) return undefined;
    return { physical: found.physical, writable: found.writable, executable: found.executable, user: found.user, pageSize: found.pageSize };
  }
  get #inLongMode(): boolean {
    return (this.u32[State.efer >> 2]! & 0x400) !== 0;
  }
  readMemory(linear: bigint, length: number): Uint8Array {
    const out = new Uint8Array(length);
    const done = this.#eachPage(linear, length, (physical, at, size) =>
      out.set(this.u8.subarray(Layout.ramBase + physical, Layout.ramBase + physical + size), at),
    );
    return out.subarray(0, done);
  }
  writeMemory(linear: bigint, bytes: Uint8Array): number {
    return this.#eachPage(linear, bytes.length, (physical, at, size) => {
      this.invalidateCode(physical, size);
      this.u8.set(bytes.subarray(at, at + size), Layout.ramBase + physical);
    });
  }
  #eachPage(linear: bigint, length: number, action: (physical: number, at: number, size: number) => void): number {
    let done = 0;
    while (done < length) {
      const found = this.translate(BigInt.asUintN(64, linear + BigInt(done)));
      if (!found) break;
      const size = Math.min(length - done, 4096 - (found.physical & 4095));
      if (found.physical + size > this.ramSize) break;
      action(found.physical, done, size);
      done += size;
    }
    return done;
  }
}
