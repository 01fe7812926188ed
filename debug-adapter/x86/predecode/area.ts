/** Where the tables and the scratch space of the predecoder lie in the machine's memory, and what their fields are. */

import { MAX_INSTRUCTIONS } from '../block-rules';
import { type Feature } from '../isa/definition';
import { Layout } from '../state';

/** Addresses. */
export const Area = {
  /** u64: a bit for each of `numberedFeatures` that the processor has; bit 0 is set */ features: Layout.predecoder,
  /** Of the block built last: i32 address after its last record, u64 target of the direct branch at its end */ end: Layout.predecoder + 8,
  target: Layout.predecoder + 16,
  /** What was found of each instruction of the block: see `Draft` */ drafts: Layout.predecoder + 64,
  /** One byte for each first byte: a `Prefix` */ prefixes: Layout.predecoder + 0x2000,
  /** i32 for each opcode of maps 0 to 3: address of its candidates, plus 1 where one of them has a ModRM byte; 0 for none */
  opcodes: Layout.predecoder + 0x2100,
  /** Candidates, then rows: their places are up to the table. */ rows: Layout.predecoder + 0x3100,
  /** From shape keys to handlers: keys as f64, then i32 values (see key-table.ts) */ shapes: Layout.predecoder + 0x4_0000,
} as const;

/** What a first byte may be, besides an opcode. */
export const Prefix = {
  none: 0,
  rex: 1,
  operandSize: 2,
  addressSize: 3,
  lock: 4,
  repeat: 5,
  segmentIgnored: 6,
  segment: 7,
  /** Left to the other decoder: VEX and EVEX. */ foreign: 8,
} as const;

/** Fields of a candidate: u16 mask and value of `Fact`s, i32 address of the row or 0. The last one of a list has mask and row 0. */
export const Candidate = { mask: 0, value: 2, row: 4, size: 8 } as const;

/** Bits that a row asks for; the low six are ModRM.reg and ModRM.rm. */
export const Fact = { rm: 0, digit: 3, register: 6, rexB: 7, rexW: 8, prefix: 9 } as const;
/** Values of the two bits at `Fact.prefix`. */
export const MandatoryPrefix = { none: 0, '66': 1, F3: 2, F2: 3 } as const;

/** Byte offsets of a row's fields, i32 each; flags in the order of `Row`. */
export const RowField = {
  index: 0,
  traits: 4,
  changedFlags: 8,
  killedFlags: 12,
  readFlags: 16,
  /** Index in `numberedFeatures` */ feature: 20,
  /** Number of operands, then up to four */ count: 24,
  operands: 28,
  size: 48,
} as const;

/** Bits of a row's traits. */
export const Trait = {
  modrm: 1,
  /** REX.W or not, the operand size is 8, or 8 unless 66 makes it 2 */ always64: 2,
  default64: 4,
  /** F2 and F3 repeat it */ repeats: 8,
  lockable: 0x10,
  endsBlock: 0x20,
  privileged: 0x40,
  port: 0x80,
  /** Has a handler of its own; without, a helper does it */ emits: 0x100,
  staticImmediate: 0x200,
  condition: 0x400,
  jcc: 0x800,
  fusibleRegister: 0x1000,
  fusibleMemory: 0x2000,
  call: 0x4000,
  /** Two bits: `Purity` */ purity: 16,
  /** Three bits: `unitNumber`, or 0 */ unit: 20,
} as const;

/** Low byte of an operand. */
export const Way = {
  /** Nothing that a record holds (x87 registers) */ nothing: 0,
  /** General register or memory, by ModRM.rm */ rm: 1,
  /** General registers in ModRM.reg and in the opcode, and one that is fixed */ reg: 2,
  opcode: 3,
  fixed: 4,
  /** XMM: ModRM.reg, ModRM.rm, register 0 */ xmmReg: 5,
  xmmRm: 6,
  xmm0: 7,
  /** MMX: ModRM.reg, ModRM.rm */ mmxReg: 8,
  mmxRm: 9,
  /** Segment registers: ModRM.reg, fixed */ segmentReg: 10,
  segmentFixed: 11,
  /** The immediate 1; an immediate; a sign-extended byte */ one: 12,
  immediate: 13,
  signedByte: 14,
  branch: 15,
  /** Memory at an address in the instruction, at RSI, at RDI, and the second of two string operands */ offset: 16,
  source: 17,
  destination: 18,
  second: 19,
  count: 20,
} as const;

/** The other bits of an operand. */
export const OperandBit = {
  /** A byte register */ byte: 0x100,
  /** Only a register, only memory will do */ registerOnly: 0x200,
  memoryOnly: 0x400,
  /** Four bits: bytes of an immediate or branch displacement; 0 as the operand size says, 15 the same but at most four */ width: 12,
  /** Five bits: number of a fixed register */ register: 16,
} as const;
/** Width of an immediate that follows the operand size up to four bytes. */
export const widthZ = 15;

/** Byte offsets in what is noted of an instruction: its record without handler and count, then these. */
export const Draft = {
  /** i32 each: address of the row */ row: 96,
  opcode: 100,
  /** 1 for a memory operand */ memory: 104,
  operandSize: 108,
  /** 1 where flags that it changes are read later */ live: 112,
  /** 1 where it branches to `Rec.target` */ branch: 116,
  /** i64: shape key with the row's index, without what `KeyBit` names */ key: 120,
  size: 128,
} as const;

/** Bits of a shape key that depend on what stands around the instruction. */
export const KeyBit = { live: 17, flagIn: 18 } as const;

/** What the predecoder answers: 0 where it leaves a block to the builder in TypeScript, else the number of instructions in the low byte and these. */
export const Built = {
  /** Twelve bits: bytes */ length: 8,
  /** The last instruction ends the block */ ended: 1 << 20,
  /** with a direct call */ calls: 1 << 21,
} as const;

/** Features by the number that rows have. */
export const numberedFeatures: readonly Feature[] = [
  'base', 'fpu', 'tsc', 'msr', 'cx8', 'sep', 'cmov', 'clfsh', 'mmx', 'fxsr', 'sse', 'sse2', 'sse3', 'ssse3', 'sse4_1', 'sse4_2', 'popcnt', 'pclmul', 'aes',
  'sha', 'cx16', 'movbe', 'xsave', 'xsaveopt', 'rdrand', 'rdseed', 'fsgsbase', 'bmi1', 'bmi2', 'adx', 'lzcnt', 'lahf64', 'syscall', 'rdtscp', 'rdpid',
  'invpcid', 'smap', 'clflushopt', 'clwb', 'prefetchw', 'avx', 'avx2', 'fma', 'f16c',
]; // prettier-ignore

if (Area.drafts + (MAX_INSTRUCTIONS + 1) * Draft.size > Area.prefixes) throw new Error('no room for the drafts');

/** Tells the predecoder what the processor has. */
export function writeFeatures(view: DataView, has: (feature: Feature) => boolean): void {
  let low = 1;
  let high = 0;
  numberedFeatures.forEach((feature, i) => {
    if (!has(feature)) return;
    if (i < 32) low |= 1 << i;
    else high |= 1 << (i - 32);
  });
  view.setInt32(Area.features, low, true);
  view.setInt32(Area.features + 4, high, true);
}
