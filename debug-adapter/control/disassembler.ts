/** Disassembly for people and for stepping, on iced-x86; loaded when first asked for. */
import type * as Iced from 'iced-x86';

export type Syntax = 'intel' | 'att';

export interface Instruction {
  readonly address: bigint;
  readonly length: number;
  readonly text: string;
  readonly valid: boolean;
}

/** What a step must know of the instruction at the pc. */
export interface FlowInfo {
  readonly length: number;
  readonly kind: 'call' | 'return' | 'syscall' | 'jump' | 'other';
  /** Of a direct call, where the instruction's own address was given. */
  readonly target?: bigint;
}

/** Longest instruction (SDM vol. 2A, 2.3.11). */
export const maximumLength = 15;

export class Disassembler {
  readonly #iced: typeof Iced;
  readonly #formatter: Iced.Formatter;

  private constructor(iced: typeof Iced, syntax: Syntax) {
    this.#iced = iced;
    this.#formatter = new iced.Formatter(syntax === 'att' ? iced.FormatterSyntax.Gas : iced.FormatterSyntax.Intel);
    this.#formatter.hexPrefix = '0x';
    this.#formatter.hexSuffix = '';
    this.#formatter.spaceAfterOperandSeparator = true;
    this.#formatter.ripRelativeAddresses = false;
    this.#formatter.smallHexNumbersInDecimal = false;
    this.#formatter.uppercaseHex = false;
    this.#formatter.branchLeadingZeros = false;
  }

  static async load(syntax: Syntax): Promise<Disassembler> {
    const module = await import('iced-x86');
    return new Disassembler('Formatter' in module ? module : (module as { default: typeof Iced }).default, syntax);
  }

  /** Decodes up to `count` instructions of `bytes`, which lie at `address`. An undecodable byte is one entry of length 1. */
  decode(bytes: Uint8Array, address: bigint, bitness: 16 | 32 | 64, count: number): readonly Instruction[] {
    const decoder = new this.#iced.Decoder(bitness, bytes, this.#iced.DecoderOptions.None);
    const instruction = new this.#iced.Instruction();
    const result: Instruction[] = [];
    try {
      decoder.ip = address;
      let at = 0;
      while (result.length < count && at < bytes.length) {
        decoder.position = at;
        decoder.ip = address + BigInt(at);
        decoder.decodeOut(instruction);
        const valid = instruction.code !== this.#iced.Code.INVALID;
        const length = valid ? instruction.length : 1;
        const text = valid ? this.#formatter.format(instruction) : `(bad) 0x${bytes[at]!.toString(16).padStart(2, '0')}`;
        result.push({ address: address + BigInt(at), length, text, valid });
        at += length;
      }
    } finally {
      instruction.free();
      decoder.free();
    }
    return result;
  }

  /** What the instruction at the start of `bytes`, which lie at `address`, does to the flow of control; undefined where it cannot be decoded. */
  flow(bytes: Uint8Array, bitness: 16 | 32 | 64, address = 0n): FlowInfo | undefined {
    const { FlowControl, Code, Mnemonic } = this.#iced;
    const decoder = new this.#iced.Decoder(bitness, bytes, this.#iced.DecoderOptions.None);
    const instruction = new this.#iced.Instruction();
    try {
      decoder.ip = address;
      decoder.decodeOut(instruction);
      if (instruction.code === Code.INVALID) return undefined;
      const { length, flowControl } = instruction;
      const is = (...kinds: readonly Iced.FlowControl[]): boolean => kinds.includes(flowControl);
      if (instruction.mnemonic === Mnemonic.Syscall || instruction.mnemonic === Mnemonic.Sysenter) return { length, kind: 'syscall' };
      if (is(FlowControl.Call)) return { length, kind: 'call', target: instruction.nearBranchTarget };
      if (is(FlowControl.IndirectCall, FlowControl.Interrupt)) return { length, kind: 'call' };
      if (is(FlowControl.Return)) return { length, kind: 'return' };
      if (is(FlowControl.UnconditionalBranch, FlowControl.IndirectBranch, FlowControl.ConditionalBranch)) return { length, kind: 'jump' };
      return { length, kind: 'other' };
    } finally {
      instruction.free();
      decoder.free();
    }
  }
}
