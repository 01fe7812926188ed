/**
 * Holds the product's instruction definitions against the instruction-information vectors of iced: arithmetic flags read, written, cleared, set and left
 * undefined, and for instructions that generated code does, how each operand is accessed, as their emitters say when they run.
 */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { featuresOf } from '../../debug-adapter/x86/cpuid';
import { DecodeResult, Decoder, Insn, Kind } from '../../debug-adapter/x86/decoder';
import { InterpGen } from '../../debug-adapter/x86/interp-gen';
import { opcodeTable } from '../../debug-adapter/x86/isa/all';
import { ARITHMETIC, Flag } from '../../debug-adapter/x86/isa/definition';
import { type Access, type Size } from '../../debug-adapter/x86/isa/gen';
import { type Row } from '../../debug-adapter/x86/isa/table';
import { makeShape } from '../../debug-adapter/x86/shape';
import { Mode } from '../../debug-adapter/x86/state';
import { Code } from '../../debug-adapter/x86/wasm/code';
import { explanation } from './instruction-info-differences';
import { type ConformanceResult, type Tally } from './result';

const files = [
  ['64', Mode.long | Mode.protected | Mode.flat],
  ['32', Mode.protected | Mode.flat | Mode.code32 | Mode.stack32],
  ['16', Mode.protected | Mode.flat],
] as const;

/** One line of the suite. */
interface Vector {
  readonly bytes: Uint8Array;
  /** iced's name of the form. */
  readonly code: string;
  readonly encoding: string;
  readonly extensions: readonly string[];
  readonly values: ReadonlyMap<string, string>;
}

function parse(line: string): Vector | undefined {
  if (line === '' || line.startsWith('#')) return undefined;
  const [hex, code, encoding, extensions, rest = ''] = line.split(',').map((part) => part.trim());
  if (hex === undefined || code === undefined || encoding === undefined || extensions === undefined) return undefined;
  // Of a key that comes more than once (registers, memory) only the last stays; flags and operands come once.
  const values = new Map(rest.split(' ').flatMap((pair) => (pair.includes('=') ? [pair.split('=') as [string, string]] : [])));
  return { bytes: Uint8Array.from(Buffer.from(hex.replace(/ /g, ''), 'hex')), code, encoding, extensions: extensions.split(';'), values };
}

const letters: Readonly<Record<string, number>> = { o: Flag.OF, s: Flag.SF, z: Flag.ZF, a: Flag.AF, c: Flag.CF, p: Flag.PF };
const maskOf = (text = ''): number => [...text].reduce((mask, letter) => mask | (letters[letter] ?? 0), 0);
const textOf = (mask: number): string =>
  Object.entries(letters)
    .filter(([, bit]) => mask & bit)
    .map(([letter]) => letter)
    .join('') || '-';

const features = featuresOf('xsave');
const available = (row: Row): boolean => row.definition.feature === undefined || features.has(row.definition.feature);

/** What differs in the arithmetic flags, as `reads: iced's, ours`. */
function flagsOf(vector: Vector, insn: Insn): string[] {
  const { definition } = insn.row;
  const ours = definition.flags ?? {};
  // The count of a shift is an operand's value: iced's forms are by 1, by an immediate, or by CL.
  const last = insn.count - 1;
  const byImmediate = insn.kinds[last] === Kind.imm;
  // Rotation through CF has one place more than the operand.
  const places = /^RC[LR]$/.test(definition.mnemonic) && insn.sizes[0]! < 4 ? insn.sizes[0]! * 8 + 1 : 64;
  const count = byImmediate ? (insn.immLow & (insn.sizes[0] === 8 ? 63 : 31)) % places : /_1$/.test(vector.code) ? 1 : 2;
  if (definition.conditionalFlags === true && byImmediate && count === 0) {
    return vector.values.has('fw') ? ['a count of 0 leaves the flags alone'] : [];
  }
  const more = definition.undefinedFor?.({ count, size: insn.sizes[0]! }) ?? 0;
  const undefinedMask = (ours.undefined ?? 0) | more;
  const rows = [
    ['reads', vector.values.get('fr'), ours.reads ?? 0],
    ['writes', vector.values.get('fw'), (ours.writes ?? 0) & ~undefinedMask],
    ['clears', vector.values.get('fc'), (ours.cleared ?? 0) & ~undefinedMask],
    ['sets', vector.values.get('fs'), ours.set ?? 0],
    ['leaves undefined', vector.values.get('fu'), undefinedMask],
  ] as const;
  return rows.flatMap(([name, theirs, mine]) => {
    const wanted = maskOf(theirs);
    // Of a row for all sixteen conditions the definition says what any of them may read.
    if (name === 'reads' && insn.row.encoding.plusCc === true && (wanted & ~mine) === 0) return [];
    return wanted === (mine & ARITHMETIC) ? [] : [`${name} ${textOf(mine & ARITHMETIC)}, not ${textOf(wanted)}`];
  });
}

/** An interpreter's generator that notes what is done to operands. */
class Recorder extends InterpGen {
  readonly reads = new Set<number>();
  readonly writes = new Set<number>();
  bailed = false;
  readonly #insn: Insn;
  /** The memory operand whose linear address was pushed last. */
  #addressed = -1;

  constructor(insn: Insn) {
    super(new Code(['i32']), undefined);
    this.#insn = insn;
  }
  /** The operand that is a general register by number, as AL, CL or rAX are in their rows. */
  #fixed(register: number): number {
    return this.#insn.kinds
      .slice(0, this.#insn.count)
      .findIndex((kind, i) => kind === Kind.reg && this.#insn.row.operands[i]!.register === register);
  }
  override reg(register: number, size: Size): void {
    this.reads.add(this.#fixed(register));
    super.reg(register, size);
  }
  override setReg(register: number, size: Size, value: () => void): void {
    this.writes.add(this.#fixed(register));
    super.setReg(register, size, value);
  }
  override stringAddress(which: 'source' | 'destination', size: number, access: Access): void {
    this.#access(
      this.#insn.row.operands.findIndex(({ method }) => method === (which === 'source' ? 'X' : 'Y')),
      access,
    );
    super.stringAddress(which, size, access);
  }
  override linear(i: number, disp?: number): void {
    this.#addressed = i;
    super.linear(i, disp);
  }
  override hostAt(linear: number, access: Access, size: number): number {
    this.#access(this.#addressed, access);
    return super.hostAt(linear, access, size);
  }

  #access(i: number, access: Access): void {
    if (access !== 'write') this.reads.add(i);
    if (access !== 'read') this.writes.add(i);
  }
  override rd(i: number): void {
    this.reads.add(i);
    super.rd(i);
  }
  override rdSigned(i: number): void {
    this.reads.add(i);
    super.rdSigned(i);
  }
  override wr(i: number, value: () => void): void {
    this.writes.add(i);
    super.wr(i, value);
  }
  override rmw(i: number, next: (old: number) => void): void {
    this.#access(i, 'readWrite');
    super.rmw(i, next);
  }
  override immediate(i: number): bigint | undefined {
    this.reads.add(i);
    return super.immediate(i);
  }
  override host(i: number, access: Access, size: number, disp?: number, align?: number): number {
    this.#access(i, access);
    return super.host(i, access, size, disp, align);
  }
  override vrd(i: number): void {
    this.reads.add(i);
    super.vrd(i);
  }
  override vwr(i: number, value: () => void): void {
    this.writes.add(i);
    super.vwr(i, value);
  }
  override vrdLow(i: number, size: 4 | 8): void {
    this.reads.add(i);
    super.vrdLow(i, size);
  }
  override vwrLow(i: number, size: 4 | 8, value: () => void): void {
    this.#partial(i);
    super.vwrLow(i, size, value);
  }
  override frd(i: number, size: 4 | 8): void {
    this.reads.add(i);
    super.frd(i, size);
  }
  override fwr(i: number, size: 4 | 8, value: () => void): void {
    this.#partial(i);
    super.fwr(i, size, value);
  }
  override mrd(i: number): void {
    this.reads.add(i);
    super.mrd(i);
  }
  override mwr(i: number, value: () => void): void {
    this.writes.add(i);
    super.mwr(i, value);
  }
  override jumpTo(i: number): void {
    this.reads.add(i);
    super.jumpTo(i);
  }
  override branch(i: number, condition: () => void): void {
    this.reads.add(i);
    super.branch(i, condition);
  }
  override bail(): void {
    this.bailed = true;
    super.bail();
  }
  /** An xmm register keeps the part that is not written. */
  #partial(i: number): void {
    this.writes.add(i);
    if (this.operands[i]!.kind === 'xmm') this.reads.add(i);
  }
}

/** Which access means the same as iced's word for it: conditional reads and writes are made either way. */
const accessWords: Readonly<Record<string, readonly string[]>> = {
  r: ['r'],
  w: ['w'],
  rw: ['rw'],
  cr: ['r'],
  cw: ['w', 'rw'],
  rcw: ['rw', 'r'],
  n: ['n'],
  nma: ['n'],
};

/** What differs in the access of explicit operands; undefined where a helper does the work, or part of it. */
function accessesOf(vector: Vector, insn: Insn, mode: number): string[] | undefined {
  if (insn.row.definition.emit === undefined) return undefined;
  const recorder = new Recorder(insn);
  recorder.run(makeShape(insn, mode, true, -1), true);
  if (recorder.bailed && recorder.writes.size === 0) return undefined;
  const out: string[] = [];
  // The row of LODS names its memory operand alone, which iced counts second.
  const first = insn.row.definition.mnemonic === 'LODS' ? 1 : 0;
  for (let i = 0; i < insn.count; i++) {
    const theirs = vector.values.get(`op${i + first}`);
    if (theirs === undefined) continue;
    const ours = `${recorder.reads.has(i) ? 'r' : ''}${recorder.writes.has(i) ? 'w' : ''}` || 'n';
    // Immediates and branch targets are read by whoever needs them, some when the code is made.
    const plain = insn.kinds[i] === Kind.imm || insn.kinds[i] === Kind.rel;
    if (!plain && !(accessWords[theirs] ?? []).includes(ours)) out.push(`operand ${i} is ${ours}, not ${theirs}`);
  }
  return out;
}

/** Whether the product ought to have an instruction: iced's names of extensions that it models. */
const modelled = new Set(
  (
    'INTEL8086 INTEL186 INTEL286 INTEL386 INTEL486 X64 CPUID CMOV FPU FPU287 FPU387 CX8 CMPXCHG16B MMX SSE SSE2 ' +
    'SSE3 SSSE3 SSE4_1 SSE4_2 POPCNT MOVBE LZCNT BMI1 BMI2 ADX RDRAND RDSEED RDTSCP RDPID FSGSBASE FXSR CLFSH CLFLUSHOPT CLWB PCLMULQDQ SYSCALL SEP TSC MSR ' +
    'INVPCID SMAP XSAVE XSAVEOPT XSAVEC PREFETCHW PAUSE MULTIBYTENOP RDPMC'
  ).split(' '),
);

/** Data in the guise of instructions; UD0, which the product takes for an undefined opcode; FWAIT with what follows it, which the processor takes for two. */
const notInstructions = /^(INVALID|Declare|Zero_bytes|Ud0$|Fst(env|cw|sw)_|Fsave_|F(clex|init|eni|disi|setpm)$)/;

/** Runs the vectors whose form matches. */
export function runInstructionInfo(pattern = /./): ConformanceResult {
  const groups = new Map<string, Tally>();
  const failures: string[] = [];
  const skipped: string[] = [];
  const suites = process.env['UNIKERNEL_SUITES'];
  const folder = suites && join(suites, 'iced/src/UnitTests/Intel/InstructionInfo');
  if (folder === undefined || !existsSync(folder)) {
    return { missing: 'no iced/src/UnitTests/Intel/InstructionInfo below UNIKERNEL_SUITES', groups, failures, skipped };
  }
  const decoder = new Decoder(opcodeTable);
  const insn = new Insn();
  for (const [bits, mode] of files) {
    const tallies = { flags: `flags, ${bits}-bit code`, access: `operands, ${bits}-bit code` };
    for (const name of Object.values(tallies)) groups.set(name, { passed: 0, failed: 0, skipped: 0 });
    for (const line of readFileSync(join(folder, `InstructionInfoTest_${bits}.txt`), 'utf8').split('\n')) {
      const vector = parse(line);
      if (vector === undefined || notInstructions.test(vector.code) || !pattern.test(vector.code)) continue;
      const name = `${bits} ${vector.code} ${Buffer.from(vector.bytes).toString('hex')}`;
      const count = (kind: keyof typeof tallies, result: keyof Tally): void => void groups.get(tallies[kind])![result]++;
      const absent = vector.encoding !== 'Legacy' ? `${vector.encoding} encoding` : vector.extensions.find((e) => !modelled.has(e));
      const result = decoder.decode(vector.bytes, 0, vector.bytes.length, mode, 0x1000, 0, available, insn);
      const decoded = result === DecodeResult.ok && insn.length === vector.bytes.length;
      if (!decoded || (absent !== undefined && vector.encoding === 'Legacy')) {
        count('flags', absent === undefined ? 'failed' : 'skipped');
        if (absent === undefined) failures.push(`${name}: is not decoded`);
        else skipped.push(`${name}: ${absent}`);
        continue;
      }
      const { mnemonic } = insn.row.definition;
      const judge = (kind: keyof typeof tallies, differences: readonly string[]): void => {
        const reason = differences.length === 0 ? undefined : explanation(insn, differences.join('; '));
        count(kind, differences.length === 0 ? 'passed' : reason === undefined ? 'failed' : 'skipped');
        if (reason !== undefined) skipped.push(`${name}: ${mnemonic} ${kind}: ${reason}`);
        else if (differences.length > 0) failures.push(`${name}: ${mnemonic} ${differences.join('; ')}`);
      };
      judge('flags', flagsOf(vector, insn));
      const accesses = accessesOf(vector, insn, mode);
      if (accesses !== undefined) judge('access', accesses);
    }
  }
  return { groups, failures, skipped };
}
