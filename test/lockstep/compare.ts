/** Runs one case on the product's processor and says where its result differs from the oracle's. */

import { type CpuExit } from '../../debug-adapter/x86/api';
import { featuresOf } from '../../debug-adapter/x86/cpuid';
import { DecodeResult, Decoder, Insn, Kind } from '../../debug-adapter/x86/decoder';
import { opcodeTable } from '../../debug-adapter/x86/isa/all';
import { type Definition } from '../../debug-adapter/x86/isa/definition';
import { Layout, Mode, Reg, Seg, SegField, State } from '../../debug-adapter/x86/state';
import { BareCpu, Page } from './bare';
import { Area, Image, Run, patternByte } from './native';

/** The imported layout in constants of this module: they are used for every byte. */
const { window: windowStart, windowSize, dataWritable } = Area;
const windowEnd = windowStart + windowSize;
const pageSize = 0x1000;

const names = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15'];
const hex = (value: bigint | number): string => `0x${value.toString(16)}`;
const hexBytes = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** The end of what a Linux process can map. */
const userEnd = 0x7fff_ffff_f000n;
const canonicalEnd = 0x8000_0000_0000n;
const misalignedMode = 0x2_0000;
const vectorDebug = 1;
const vectorBreakpoint = 3;
const vectorUndefined = 6;
const vectorStack = 12;
const vectorProtection = 13;
const vectorPageFault = 14;
const addressFaults: ReadonlySet<number> = new Set([vectorStack, vectorProtection, vectorPageFault]);
/** RFLAGS that both sides hold for the program: the arithmetic ones, DF, NT, AC, ID. */
const comparedFlags = 0x24_4cd5n;

const features = featuresOf('default');
const decoder = new Decoder(opcodeTable);
const insn = new Insn();

const available = (row: { readonly definition: Definition }): boolean =>
  row.definition.feature === undefined || features.has(row.definition.feature);

/** Decodes a case's instruction by the product's own tables; undefined where they have none. The result is good until the next call. */
export function decodeCase(batch: Buffer, at: number): Insn | undefined {
  const code = batch.subarray(at + Image.code, at + Image.code + 15);
  const rip = Area.code + batch.readUInt16LE(at + Image.codeOffset);
  const result = decoder.decode(code, 0, 15, Mode.long | Mode.protected | Mode.user, rip, 0, available, insn);
  return result === DecodeResult.ok ? insn : undefined;
}

/** Flags that the definition says are undefined for this case. */
function undefinedFlags(batch: Buffer, at: number): bigint {
  const decoded = decodeCase(batch, at);
  if (decoded === undefined) return 0n;
  const { definition } = decoded.row;
  let mask = definition.flags?.undefined ?? 0;
  if (definition.undefinedFor !== undefined) {
    const last = decoded.count - 1;
    const spec = decoded.row.encoding.operands[last];
    const size = decoded.sizes[0]!;
    let count = 0;
    if (spec === 'CL') count = Number(batch.readBigUInt64LE(at + Image.gpr + 8 * Reg.RCX) & 0xffn);
    else if (decoded.kinds[last] === Kind.imm) count = decoded.immLow & 0xff;
    mask |= definition.undefinedFor({ count: count & (size === 8 ? 63 : 31), size });
  }
  return BigInt(mask);
}

/** Two different faults of addresses: which comes first where an operand breaks several rules is the processor's own. */
const eitherAddressFault = (trap: number, ours: number | undefined): boolean =>
  trap !== ours && addressFaults.has(trap) && ours !== undefined && addressFaults.has(ours);

/** FS or GS stands before the opcode. */
function segmentPrefixed(batch: Buffer, at: number): boolean {
  const decoded = decodeCase(batch, at);
  return decoded !== undefined && decoded.hasMemory && decoded.segment >= Seg.FS;
}

/**
 * What the manual leaves open beside flags, so that processors differ: which of two faults of one instruction comes first, the result of a
 * double shift of 16 bits by more than 16, 0F 0D with a register, and LOOPcc under F2 or F3, whose condition some processors take from the prefix.
 */
function tolerated(batch: Buffer, at: number, trap: number, ours: number | undefined): boolean {
  const decoded = decodeCase(batch, at);
  if (decoded === undefined) return false;
  const { mnemonic } = decoded.row.definition;
  switch (mnemonic) {
    case 'CALL':
      return (trap === vectorPageFault || trap === vectorStack) && ours === vectorProtection;
    case 'CMPS':
    case 'MASKMOVDQU':
    case 'MASKMOVQ':
      return addressFaults.has(trap) && ours !== undefined && addressFaults.has(ours);
    case 'LOOPE':
    case 'LOOPNE':
      return (
        decoded.rep !== 'none' ||
        [...batch.subarray(at + Image.code, at + Image.code + decoded.length - 2)].some((byte) => byte === 0xf2 || byte === 0xf3)
      );
    case 'NOP':
      return trap === vectorUndefined && decoded.opcode === 0x0d;
    case 'SHLD':
    case 'SHRD': {
      const count = decoded.kinds[2] === Kind.imm ? decoded.immLow : Number(batch.readBigUInt64LE(at + Image.gpr + 8 * Reg.RCX) & 31n);
      return decoded.sizes[0] === 2 && (count & 31) > 16;
    }
    default:
      return false;
  }
}

/** Budget beyond a sequence's end, for regions want to have some left. */
const beyond = 64;

/** A case of several instructions, all of which run. */
export interface Sequence {
  /** Instructions. */
  readonly count: number;
  /** Arithmetic flags that are undefined behind the last one. */
  readonly undefinedFlags: number;
  /** Those that are undefined behind any of them: a fault may come there. */
  readonly onceUndefined: number;
}

/** The product's side: the oracle's pages, and what loads and compares states. */
export class Subject {
  readonly bare: BareCpu;
  /** How the last run ended, for people. */
  exit = '';
  readonly #i32: Int32Array;
  readonly #data: readonly number[];
  readonly #code: readonly number[];
  /** The code that lies in the pages now. */
  readonly #written = { offset: 0, length: 0, code: new Uint8Array(Image.maxCode) };
  /** The last case ended with a fault. */
  #faulted = false;
  #batch: Buffer | undefined;
  #words: Int32Array = new Int32Array(0);
  #expected: Buffer | undefined;
  #expectedWords: Int32Array = new Int32Array(0);

  constructor(jit: boolean | 'eager' = true) {
    this.bare = new BareCpu({ jit });
    this.#i32 = new Int32Array(this.bare.memory.buffer);
    const rw = Page.writable | Page.user | Page.dirty | Page.noExecute;
    this.#data = [0, 0x1000].map((offset) => this.bare.map(BigInt(Area.data + offset), rw));
    const readOnly = this.bare.map(BigInt(Area.data + Area.dataWritable), Page.user | Page.noExecute);
    this.#code = [0, 0x1000].map((offset) => this.bare.map(BigInt(Area.code + offset), Page.user));
    for (let i = 0; i < 0x1000; i++) {
      for (const [page, base] of this.#data.entries()) this.bare.bytes[base + i] = patternByte(page * 0x1000 + i);
      this.bare.bytes[readOnly + i] = patternByte(Area.dataWritable + i);
      for (const base of this.#code) this.bare.bytes[base + i] = 0xcc;
    }
    this.bare.reset();
  }

  #dataAt(offset: number): number {
    return this.#data[offset >>> 12]! + (offset & 0xfff);
  }

  #fillCode(offset: number, bytes: Uint8Array | number, length: number): void {
    for (let i = 0; i < length; i++) {
      const at = this.#code[(offset + i) >>> 12]! + ((offset + i) & 0xfff);
      this.bare.bytes[at] = typeof bytes === 'number' ? bytes : bytes[i]!;
    }
    const first = offset >>> 12;
    const last = (offset + length - 1) >>> 12;
    this.bare.cpu.invalidateCode(this.#code[first]! - Layout.ramBase, pageSize);
    if (last !== first) this.bare.cpu.invalidateCode(this.#code[last]! - Layout.ramBase, pageSize);
  }

  /** Puts a case's code in place of the last one's; of cases that share it, only the first has work here. */
  #writeCode(batch: Buffer, at: number): void {
    const length = batch[at + Image.codeLength]!;
    const offset = batch.readUInt16LE(at + Image.codeOffset);
    const { code, offset: lastOffset, length: lastLength } = this.#written;
    if (offset === lastOffset && length === lastLength) {
      let i = 0;
      while (i < length && code[i] === batch[at + Image.code + i]) i++;
      if (i === length) return;
    }
    if (lastLength > 0) this.#fillCode(lastOffset, 0xcc, lastLength);
    code.set(batch.subarray(at + Image.code, at + Image.code + length));
    this.#fillCode(offset, code, length);
    this.#written.offset = offset;
    this.#written.length = length;
  }

  #load(batch: Buffer, words: Int32Array, at: number): void {
    const { cpu } = this.bare;
    const i32 = this.#i32;
    const word = at >> 2;
    const copy = (to: number, from: number, count: number): void => {
      for (let i = 0; i < count; i++) i32[(to >> 2) + i] = words[word + (from >> 2) + i]!;
    };
    copy(State.gpr, Image.gpr, 32);
    for (let i = 0; i < 16; i++) copy(State.xmm + 32 * i, Image.xmm + 16 * i, 4);
    copy(State.mxcsr, Image.mxcsr, 1);
    const control = words[word + (Image.fx >> 2)]!;
    const status = control >>> 16;
    const top = (status >>> 11) & 7;
    const valid = batch[at + Image.fx + 4]!;
    let tags = 0;
    for (let i = 0; i < 8; i++) {
      const physical = (i + top) & 7;
      const source = word + ((Image.st + 16 * i) >> 2);
      const target = (State.x87 + 16 * physical) >> 2;
      const low = words[source]!;
      const high = words[source + 1]!;
      const sign = words[source + 2]! & 0xffff;
      i32[target] = low;
      i32[target + 1] = high;
      i32[target + 2] = (i32[target + 2]! & ~0xffff) | sign;
      let tag = 3;
      if ((valid >>> physical) & 1) {
        const exponent = sign & 0x7fff;
        tag = exponent === 0 && (low | high) === 0 ? 1 : exponent === 0 || exponent === 0x7fff || high >= 0 ? 2 : 0;
      }
      tags |= tag << (2 * physical);
    }
    // Control and status word stand in one word here as there.
    i32[State.fcw >> 2] = control;
    i32[State.ftw >> 2] = (i32[State.ftw >> 2]! & ~0xffff) | tags;
    copy(segmentBase(Seg.FS), Image.fsBase, 2);
    copy(segmentBase(Seg.GS), Image.gsBase, 2);
    const split = pageSize - windowStart;
    copy(this.#data[0]! + windowStart, Image.window, split >> 2);
    copy(this.#data[1]!, Image.window + split, (windowSize - split) >> 2);
    i32[State.rip >> 2] = Area.code + batch.readUInt16LE(at + Image.codeOffset);
    i32[(State.rip + 4) >> 2] = 0;
    cpu.setFlags(BigInt(words[word + (Image.rflags >> 2)]! >>> 0));
    this.#writeCode(batch, at);
  }

  /** Runs one case, of one instruction or of a sequence; the answer lists the differences and is empty where there are none. */
  check(batch: Buffer, at: number, expected: Buffer, sequence?: Sequence): string[] {
    const { bare } = this;
    const { cpu, view } = bare;
    if (batch !== this.#batch) {
      this.#batch = batch;
      this.#words = wordsOf(batch);
    }
    if (expected !== this.#expected) {
      this.#expected = expected;
      this.#expectedWords = wordsOf(expected);
    }
    if (this.#faulted) {
      cpu.setFlags(2n);
      bare.nudge();
    }
    this.#load(batch, this.#words, at);
    bare.fault = undefined;
    const start = BigInt(Area.code + batch.readUInt16LE(at + Image.codeOffset));
    const length = batch[at + Image.codeLength]!;
    const toEnd = (batch[at + Image.run]! & Run.toEnd) !== 0;
    let exit: CpuExit;
    try {
      exit = cpu.run(sequence === undefined ? 1 : sequence.count + beyond);
      this.#faulted = bare.fault !== undefined;
      // A sequence ends at the breakpoint behind it, which has nowhere to go.
      if (sequence !== undefined && view.getBigUint64(State.rip, true) === start + BigInt(length)) bare.fault = undefined;
      // A repeated string instruction may come back between two elements.
      for (
        let i = 0;
        toEnd &&
        sequence === undefined &&
        i < 20_000 &&
        exit.kind === 'budget' &&
        view.getBigUint64(State.rip, true) !== start + BigInt(length);
        i++
      )
        exit = cpu.run(1);
      if (sequence === undefined) this.#faulted = bare.fault !== undefined;
    } catch (error) {
      exit = { kind: 'unsupported', address: start, bytes: new Uint8Array(), reason: `thrown: ${(error as Error).stack ?? String(error)}` };
    }
    this.exit = exit.kind === 'unsupported' ? `${exit.kind} (${exit.reason})` : exit.kind;
    // What the product has no row for, and says so, is no difference: it stops there by design.
    const absent = exit.kind === 'unsupported' && decodeCase(batch, at) === undefined;
    const differences = absent
      ? []
      : exit.kind === 'unsupported'
        ? [`unsupported: ${exit.reason}`]
        : !toEnd && this.#same(at)
          ? []
          : this.#compare(batch, at, expected, toEnd, length, sequence);
    this.#restore();
    return differences;
  }

  /** Whether a case has exactly the oracle's state and fault: what almost all have, told without a look at the instruction. */
  #same(at: number): boolean {
    const i32 = this.#i32;
    const words = this.#expectedWords;
    const word = at >> 2;
    const { fault } = this.bare;
    const trap = words[word + (Image.trap >> 2)];
    if (trap !== (fault === undefined ? vectorDebug : fault.vector)) return false;
    if (fault !== undefined && words[word + (Image.error >> 2)] !== fault.errorCode) return false;
    const equal = (ours: number, theirs: number, count: number): boolean => {
      for (let i = 0; i < count; i++) if (i32[(ours >> 2) + i] !== words[word + (theirs >> 2) + i]) return false;
      return true;
    };
    if (trap === vectorPageFault && !equal(State.cr2, Image.cr2, 2)) return false;
    if (!equal(State.gpr, Image.gpr, 32) || !equal(State.rip, Image.rip, 2) || !equal(State.mxcsr, Image.mxcsr, 1)) return false;
    for (let i = 0; i < 16; i++) if (!equal(State.xmm + 32 * i, Image.xmm + 16 * i, 4)) return false;
    if (!equal(State.fcw, Image.fx, 1)) return false;
    const top = (i32[State.fcw >> 2]! >>> 27) & 7;
    const tags = i32[State.ftw >> 2]!;
    const valid = words[word + ((Image.fx + 4) >> 2)]!;
    for (let i = 0; i < 8; i++) {
      if ((((tags >>> (2 * i)) & 3) !== 3) !== ((valid >>> i) & 1) > 0) return false;
      const ours = State.x87 + 16 * ((i + top) & 7);
      if (!equal(ours, Image.st + 16 * i, 2)) return false;
      if (((i32[(ours + 8) >> 2]! ^ words[word + ((Image.st + 16 * i + 8) >> 2)]!) & 0xffff) !== 0) return false;
    }
    if (!equal(segmentBase(Seg.FS), Image.fsBase, 2) || !equal(segmentBase(Seg.GS), Image.gsBase, 2)) return false;
    const split = pageSize - windowStart;
    if (!equal(this.#data[0]! + windowStart, Image.window, split >> 2)) return false;
    if (!equal(this.#data[1]!, Image.window + split, (windowSize - split) >> 2)) return false;
    if (words[word + (Image.stray >> 2)] !== 0 || !this.#clean()) return false;
    return ((words[word + (Image.rflags >> 2)]! ^ Number(this.bare.cpu.getFlags())) & Number(comparedFlags)) === 0;
  }

  /** Nothing but the window differs from the pattern. */
  #clean(): boolean {
    const { bytes } = this.bare;
    const [first, second] = patternPages as [Uint8Array, Uint8Array];
    const low = bytes.subarray(this.#data[0], this.#data[0]! + windowStart);
    const high = bytes.subarray(this.#data[1]! + windowEnd - pageSize, this.#data[1]! + pageSize);
    return Buffer.compare(low, first.subarray(0, windowStart)) === 0 && Buffer.compare(high, second.subarray(windowEnd - pageSize)) === 0;
  }

  #compare(batch: Buffer, at: number, expected: Buffer, toEnd: boolean, length: number, sequence?: Sequence): string[] {
    const { view, bytes, cpu, fault } = this.bare;
    const out: string[] = [];
    // Misaligned SSE mode is AMD's alone (AMD APM vol. 2, 11.4.2).
    if ((expected.readUInt32LE(at + Image.mxcsr) & misalignedMode) !== 0) return out;
    const trap = expected.readUInt32LE(at + Image.trap);
    // Which bytes an instruction that does not exist would have is the processor's own affair: it may want to fetch more of them first.
    const fetch = (expected.readUInt32LE(at + Image.error) & 0x10) !== 0;
    if (trap === vectorPageFault && fetch && fault?.vector === vectorUndefined && decodeCase(batch, at) === undefined) return out;
    if (sequence === undefined ? tolerated(batch, at, trap, fault?.vector) : eitherAddressFault(trap, fault?.vector)) return out;
    // Of an operand across the end of the canonical addresses, some processors fault on the part before it first.
    const reachedAddress = expected.readBigUInt64LE(at + Image.cr2);
    const across = trap === vectorPageFault && reachedAddress < canonicalEnd && reachedAddress + 0x80n >= canonicalEnd;
    if (across && (fault?.vector === vectorProtection || fault?.vector === vectorStack)) return out;
    // An address that FS or GS carries over the gap of non-canonical ones: some processors look at it before the base is added.
    const based = segmentPrefixed(batch, at) && trap === vectorProtection && fault?.vector === vectorPageFault;
    if (based && view.getBigUint64(State.cr2, true) >= userEnd) return out;
    const done = toEnd ? trap === vectorBreakpoint : trap === vectorDebug;
    if (done ? fault !== undefined : fault?.vector !== trap) {
      out.push(`exception: expected ${done ? 'none' : trap}, got ${fault === undefined ? 'none' : fault.vector}`);
      return out;
    }
    if (!done) {
      const reached = expected.readBigUInt64LE(at + Image.cr2);
      let code = expected.readUInt32LE(at + Image.error);
      let ours = fault!.errorCode;
      if (trap === vectorPageFault) {
        // The host's own half is mapped for the host, and reported as if all of it were.
        if (reached >= userEnd) {
          code |= 1;
          ours |= 1;
        }
        const cr2 = view.getBigUint64(State.cr2, true);
        // Of a long operand the manual does not say which part is accessed first.
        const long = /^(FLDENV|FRSTOR)$/.test(decodeCase(batch, at)?.row.definition.mnemonic ?? '');
        if (long ? cr2 >> 12n !== reached >> 12n : cr2 !== reached) out.push(`cr2: expected ${hex(reached)}, got ${hex(cr2)}`);
      }
      if (code !== ours) out.push(`error code: expected ${hex(code)}, got ${hex(ours)}`);
    }
    for (let i = 0; i < 16; i++) {
      const want = expected.readBigUInt64LE(at + Image.gpr + 8 * i);
      const got = view.getBigUint64(State.gpr + 8 * i, true);
      if (want !== got) out.push(`${names[i]}: expected ${hex(want)}, got ${hex(got)}`);
      const vector = expected.subarray(at + Image.xmm + 16 * i, at + Image.xmm + 16 * i + 16);
      const mine = bytes.subarray(State.xmm + 32 * i, State.xmm + 32 * i + 16);
      if (vector.compare(mine) !== 0) out.push(`xmm${i}: expected ${hexBytes(vector)}, got ${hexBytes(mine)}`);
    }
    const rip = expected.readBigUInt64LE(at + Image.rip) - (toEnd && done ? 1n : 0n);
    const ourRip = view.getBigUint64(State.rip, true);
    if (rip !== ourRip) out.push(`rip: expected ${hex(rip)}, got ${hex(ourRip)} (code of ${length} bytes)`);
    const mask =
      comparedFlags &
      ~(sequence === undefined ? undefinedFlags(batch, at) : BigInt(done ? sequence.undefinedFlags : sequence.onceUndefined));
    const flags = expected.readBigUInt64LE(at + Image.rflags) & mask;
    const ourFlags = cpu.getRegister('rflags')! & mask;
    if (flags !== ourFlags) out.push(`flags: expected ${hex(flags)}, got ${hex(ourFlags)}, mask ${hex(mask)}`);
    const mxcsr = expected.readUInt32LE(at + Image.mxcsr);
    if (mxcsr !== view.getUint32(State.mxcsr, true))
      out.push(`mxcsr: expected ${hex(mxcsr)}, got ${hex(view.getUint32(State.mxcsr, true))}`);
    // MASKMOVQ that faults: whether the x87 unit is in MMX state by then differs between processors.
    if (done || decodeCase(batch, at)?.row.definition.mnemonic !== 'MASKMOVQ') this.#compareX87(expected, at, out);
    for (const [name, segment, offset] of [
      ['fs', Seg.FS, Image.fsBase],
      ['gs', Seg.GS, Image.gsBase],
    ] as const) {
      const want = expected.readBigUInt64LE(at + offset);
      if (want !== this.bare.segmentBase(segment))
        out.push(`${name} base: expected ${hex(want)}, got ${hex(this.bare.segmentBase(segment))}`);
    }
    this.#compareMemory(expected, at, out);
    return out;
  }

  #compareX87(expected: Buffer, at: number, out: string[]): void {
    const { view, bytes } = this.bare;
    for (const [name, offset, ours] of [
      ['fcw', Image.fx, State.fcw],
      ['fsw', Image.fx + 2, State.fsw],
    ] as const) {
      const want = expected.readUInt16LE(at + offset);
      const got = view.getUint16(ours, true);
      if (want !== got) out.push(`${name}: expected ${hex(want)}, got ${hex(got)}`);
    }
    const top = (expected.readUInt16LE(at + Image.fx + 2) >>> 11) & 7;
    const tags = view.getUint16(State.ftw, true);
    let valid = 0;
    for (let i = 0; i < 8; i++) {
      if (((tags >>> (2 * i)) & 3) !== 3) valid |= 1 << i;
      const want = expected.subarray(at + Image.st + 16 * i, at + Image.st + 16 * i + 10);
      const physical = State.x87 + 16 * ((i + top) & 7);
      const got = bytes.subarray(physical, physical + 10);
      if (want.compare(got) !== 0) out.push(`st${i}: expected ${hexBytes(want)}, got ${hexBytes(got)}`);
    }
    if (valid !== expected[at + Image.fx + 4]!) out.push(`tags: expected ${hex(expected[at + Image.fx + 4]!)}, got ${hex(valid)}`);
  }

  #compareMemory(expected: Buffer, at: number, out: string[]): void {
    const { bytes } = this.bare;
    let count = 0;
    let place = 0;
    const clean = this.#clean();
    for (const [page, base] of this.#data.entries()) {
      const from = Math.max(windowStart, page * pageSize);
      const to = Math.min(windowEnd, (page + 1) * pageSize);
      const want = expected.subarray(at + Image.window + from - windowStart, at + Image.window + to - windowStart);
      const got = bytes.subarray(base + (from & 0xfff), base + (from & 0xfff) + to - from);
      if (want.compare(got) !== 0) {
        const first = want.findIndex((byte, i) => byte !== got[i]);
        const address = hex(Area.data + from + first);
        out.push(
          `memory ${address}: expected ${hexBytes(want.subarray(first, first + 16))}, got ${hexBytes(got.subarray(first, first + 16))}`,
        );
      }
      if (clean) continue;
      const pattern = patternPages[page]!;
      for (let i = 0; i < pageSize; i++) {
        if (bytes[base + i] === pattern[i]) continue;
        const offset = page * pageSize + i;
        if (offset >= windowStart && offset < windowEnd) continue;
        if (count++ === 0) place = offset;
      }
    }
    const stray = expected.readUInt32LE(at + Image.stray);
    if (count !== stray) {
      out.push(`bytes written outside of the window: expected ${stray}, got ${count}`);
    } else if (count > 0) {
      const wanted = expected.readUInt32LE(at + Image.strayOffset);
      if (place !== wanted) out.push(`writing outside of the window begins: expected ${hex(wanted)}, got ${hex(place)}`);
      for (let i = 0; i < 24 && wanted + i < dataWritable; i++) {
        const byte = bytes[this.#dataAt(wanted + i)]!;
        const inWindow = wanted + i >= windowStart && wanted + i < windowEnd;
        if (!inWindow && byte !== expected[at + Image.strayBytes + i]) {
          out.push(`memory ${hex(Area.data + wanted + i)}: expected ${hex(expected[at + Image.strayBytes + i]!)}, got ${hex(byte)}`);
          break;
        }
      }
    }
  }

  /** Puts the pattern back where the case wrote. */
  #restore(): void {
    for (let page = 0; page < 2; page++) this.bare.bytes.set(patternPages[page]!, this.#data[page]);
  }
}

const segmentBase = (number: number): number => State.seg + number * SegField.size + SegField.base;

/** A batch as 32-bit words, in place where it lies aligned. */
function wordsOf(batch: Buffer): Int32Array {
  const bytes = batch.byteOffset % 4 === 0 ? batch : Uint8Array.from(batch);
  return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
}

const patternPages = [0, 1].map((page) => Uint8Array.from({ length: 0x1000 }, (_, i) => patternByte(page * 0x1000 + i)));
