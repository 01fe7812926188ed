/** Draws batches of cases, has both sides run them, and collects what differs, for the test and for the long run. */

import { Code, Decoder, DecoderOptions, Formatter, FormatterSyntax } from 'iced-x86';
import { definitions } from '../../debug-adapter/x86/isa/all';
import { type Subject, decodeCase } from './compare';
import { type Form, drawBytes, drawCase, formsOf, mayRun } from './generate';
import { Area, Image, type Oracle, Run } from './native';
import { Random } from './random';
import { States } from './states';

const batchSize = 1024;
/** So many cases in a row share an instruction and have states of their own: encoding, decoding and moving code about cost several times what a state does. */
const statesOfAnInstruction = 8;
/** Of one kind of difference, so many are kept. */
const keptOfAKind = 2;

/** A case that differs. */
export interface Failure {
  /** Instruction, input and differences, for people. */
  readonly text: string;
  readonly note: string;
  readonly image: Buffer;
}

/** A run from one seed; handlers that the subject has made serve later runs. `only` restricts it to mnemonics or features that match. */
export class LockStep {
  readonly forms: readonly Form[];
  readonly failures: Failure[] = [];
  /** Differences by mnemonic and place. */
  readonly kinds = new Map<string, number>();
  cases = 0;
  faults = 0;
  readonly #oracle: Oracle;
  readonly #random: Random;
  readonly #subject: Subject;
  readonly #arbitrary: boolean;
  readonly #states: States;
  /** One that runs and one that is drawn. */
  readonly #batches = [Buffer.alloc(batchSize * Image.size), Buffer.alloc(batchSize * Image.size)] as const;
  #next: Buffer | undefined;

  constructor(oracle: Oracle, subject: Subject, seed: number, only?: RegExp) {
    this.#subject = subject;
    this.#oracle = oracle;
    this.#random = new Random(seed);
    this.#arbitrary = only === undefined;
    this.#states = new States(this.#random);
    this.forms = formsOf(definitions, only);
  }

  #draw(): Buffer {
    const random = this.#random;
    const batch = this.#next === this.#batches[0] ? this.#batches[1] : this.#batches[0];
    let keep = 0;
    for (let at = 0; at < batch.length; at += Image.size) {
      if (at % (statesOfAnInstruction * Image.size) !== 0) {
        this.#states.vary(batch, at - Image.size, at, keep);
        continue;
      }
      if (this.#arbitrary && random.oneIn(10)) {
        do drawBytes(random, batch, at);
        while (!comparable(batch, at));
      } else {
        do drawCase(random, random.pick(this.forms), batch, at);
        while (!comparable(batch, at));
      }
      keep = addressRegisters(batch, at);
    }
    this.#states.refresh();
    this.#oracle.fit(batch);
    return batch;
  }

  /** One batch. The next one is drawn while the oracle runs this. */
  async step(): Promise<void> {
    const batch = this.#next ?? this.#draw();
    this.#next = batch;
    const answer = this.#oracle.run(batch);
    this.#next = this.#draw();
    const expected = await answer;
    const differing: number[] = [];
    for (let at = 0; at < batch.length; at += Image.size) {
      const trap = expected.readUInt32LE(at + Image.trap);
      if (trap !== 1 && trap !== 3) this.faults++;
      if (this.#subject.check(batch, at, expected).length > 0) differing.push(at);
    }
    for (const at of differing) {
      const one = Buffer.from(batch.subarray(at, at + Image.size));
      const differences = await this.#oracle.always(one, (result) => this.#subject.check(one, 0, result));
      if (differences.length > 0) this.#note(batch, at, [...differences, `the run ended with ${this.#subject.exit}`]);
    }
    this.cases += batchSize;
  }

  #note(batch: Buffer, at: number, differences: readonly string[]): void {
    const mnemonic = decodeCase(batch, at)?.row.definition.mnemonic ?? '(none)';
    const kind = `${mnemonic} ${differences[0]!.split(':')[0]!.replace(/\d+$/, '')}`;
    const count = (this.kinds.get(kind) ?? 0) + 1;
    this.kinds.set(kind, count);
    if (count > keptOfAKind) return;
    const note = disassemble(batch, at);
    const text = `${note}\n        ${describeInput(batch, at)}\n        ${differences.join('\n        ')}`;
    this.failures.push({ text, note, image: Buffer.from(batch.subarray(at, at + Image.size)) });
  }
}

/** Registers whose value a new state must keep for the instruction to reach what it was made to reach, a bit each: those of its address, and RCX, RSI and RDI of strings. */
function addressRegisters(batch: Buffer, at: number): number {
  const stack = 1 << 4;
  const decoded = decodeCase(batch, at);
  if (decoded === undefined) return 0xffff;
  let keep = stack;
  if (decoded.hasMemory) {
    if (decoded.memBase >= 0) keep |= 1 << decoded.memBase;
    if (decoded.memIndex >= 0) keep |= 1 << decoded.memIndex;
  }
  const { definition, encoding } = decoded.row;
  if (definition.rep !== undefined) keep |= 1 << 1;
  if (encoding.operands.some((operand) => /^[XY]/.test(operand)) || definition.mnemonic.startsWith('MASKMOV')) keep |= (1 << 6) | (1 << 7);
  return keep;
}

/** Text of a case's instruction. */
export function disassemble(batch: Buffer, at: number): string {
  const code = batch.subarray(at + Image.code, at + Image.code + batch[at + Image.codeLength]!);
  const decoder = new Decoder(64, code, DecoderOptions.None);
  decoder.ip = BigInt(Area.code + batch.readUInt16LE(at + Image.codeOffset));
  const formatter = new Formatter(FormatterSyntax.Intel);
  const instruction = decoder.decode();
  const text = formatter.format(instruction);
  instruction.free();
  formatter.free();
  decoder.free();
  return `${code.toString('hex')}  ${text}`;
}

/** Input of a case on one line: what the instruction may have read. */
function describeInput(batch: Buffer, at: number): string {
  const names = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15'];
  const registers = names.map((name, i) => `${name}=${batch.readBigUInt64LE(at + Image.gpr + 8 * i).toString(16)}`).join(' ');
  const decoded = decodeCase(batch, at);
  const vectors = Array.from(
    { length: 16 },
    (_, i) => `xmm${i}=${batch.subarray(at + Image.xmm + 16 * i, at + Image.xmm + 16 * i + 16).toString('hex')}`,
  ).join(' ');
  const unit = decoded?.row.definition.unit;
  const rip = Area.code + batch.readUInt16LE(at + Image.codeOffset);
  const parts = [`rip=${rip.toString(16)} flags=${batch.readBigUInt64LE(at + Image.rflags).toString(16)} ${registers}`];
  if (unit === 'sse') parts.push(`mxcsr=${batch.readUInt32LE(at + Image.mxcsr).toString(16)} ${vectors}`);
  if (unit === 'x87' || unit === 'x87nowait' || unit === 'mmx') {
    const st = Array.from({ length: 8 }, (_, i) =>
      batch.subarray(at + Image.st + 16 * i, at + Image.st + 16 * i + 10).toString('hex'),
    ).join(' ');
    parts.push(
      `fcw=${batch.readUInt16LE(at + Image.fx).toString(16)} fsw=${batch.readUInt16LE(at + Image.fx + 2).toString(16)} tags=${batch[at + Image.fx + 4]!.toString(16)} st=${st}`,
    );
  }
  if (decoded?.hasMemory === true || decoded === undefined)
    parts.push(`window=${batch.subarray(at + Image.window, at + Image.window + 256).toString('hex')}`);
  return parts.join('\n        ');
}

/** Arbitrary bytes run only where both sides mean the same instruction, and it is one that may run in the harness. */
function comparable(batch: Buffer, at: number): boolean {
  const code = batch.subarray(at + Image.code, at + Image.code + batch[at + Image.codeLength]!);
  const decoded = decodeCase(batch, at);
  if (decoded !== undefined && !mayRun(decoded.row, code.subarray(0, decoded.length).includes(0x66))) return false;
  if (decoded !== undefined && /^PUSHF/.test(decoded.row.definition.mnemonic)) batch[at + Image.run] = Run.toEnd;
  // What the product does not know must be unknown to everybody, or be cut off by the end of the code.
  if (decoded === undefined || (batch[at + Image.run]! & Run.toEnd) !== 0) {
    const decoder = new Decoder(64, code, DecoderOptions.AMD);
    const instruction = decoder.decode();
    const known = instruction.code !== Code.INVALID;
    const length = instruction.length;
    instruction.free();
    decoder.free();
    if (decoded === undefined) return !known && !hostsOwn(code);
    if ((batch[at + Image.run]! & Run.toEnd) === 0) return true;
    // Runs that end at a breakpoint must end at the one behind the code, so there must be room for it.
    batch[at + Image.codeLength] = length;
    return known && batch.readUInt16LE(at + Image.codeOffset) + length < Area.codeSize;
  }
  return true;
}

/**
 * Group 7 with a register operand: protection keys, which a processor that has them takes with prefixes that the manuals call undefined, and virtualisation,
 * where a hypervisor under the host may answer with a fault of its own.
 */
function hostsOwn(code: Uint8Array): boolean {
  const opcode = code.indexOf(0x0f);
  return opcode >= 0 && code[opcode + 1] === 0x01 && code[opcode + 2]! >= 0xc0;
}
