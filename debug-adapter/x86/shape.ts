/** Shapes: what one wasm handler of the interpreter is made for. Instructions that differ only in registers, displacements and immediates share one. */

import { type ShapeOperand } from './isa/gen';
import { type Row } from './isa/table';
import { Kind, type Insn } from './decoder';
import { Mode, Seg, SegField, State } from './state';

/** How the memory operand's address is formed. */
export type MemoryForm =
  /** No memory operand. */
  | 'none'
  /** base + disp, flat, address size 64 (RIP-relative and absolute too). */
  | 'base'
  /** base + index * scale + disp, flat, address size 64. */
  | 'index'
  /** The same, cut to the address size, plus a segment base without limit. */
  | 'segment'
  /** The same, with the segment's limit and type checked by a call. */
  | 'checked';

export interface Shape {
  readonly row: Row;
  readonly operands: readonly ShapeOperand[];
  readonly operandSize: 2 | 4 | 8;
  readonly addressSize: 2 | 4 | 8;
  readonly memory: MemoryForm;
  /** Bits of `shapeMode`. */
  readonly mode: number;
  readonly rep: 'none' | 'rep' | 'repne';
  readonly cc: number;
  /** Some arithmetic flag that the instruction writes is read later. */
  readonly live: boolean;
  /** Static flag kind at entry, or -1. */
  readonly flagIn: number;
  readonly staticImmediate: number;
}

/** The part of `State.mode` that generated code depends on. */
export function shapeMode(mode: number): number {
  return mode & Mode.long ? Mode.long : mode & (Mode.stack32 | Mode.flat | Mode.code32);
}

/** Byte offsets of the fields of a predecoded record. One record stands for one instruction, or for a fused pair. */
export const Rec = {
  /** i32: table index of the handler */ handler: 0,
  /** i32: instructions of the block from this one on; in a header: of the whole block */ remaining: 4,
  /** u64; in a header: where the block begins */ rip: 8,
  /** u64: address of the next instruction */ next: 16,
  /** i32, in a header: times that the block ran, modulo 2^32 */ runs: 24,
  /** i32, in a header */ mode: 28,
  /** i32 each, not in a header: state offsets of register operands in order */ slot: 24,
  /** i32: state offsets */ base: 36,
  index: 40,
  /** i32 */ scale: 44,
  /** i64 */ disp: 48,
  imm: 56,
  /** i32: state offset of the segment register */ segment: 64,
  /** i32: header of the block at the branch target, or the stub */ chain: 68,
  /** i32: header of the block at the next instruction, or the stub */ chainNext: 72,
  /** i32: 1 + index of the instruction in the helpers' list, or 0 */ helper: 76,
  /** u64: branch target */ target: 80,
  /** i32: second immediate */ imm2: 88,
  size: 96,
} as const;

/** Keys of a row's shapes are below this; the row's index stands above. */
export const KEY_SPAN = 0x100_0000_0000;
/** Keys of fused pairs begin here: first one's handler slot (made for live flags of unknown history) * 16 + condition. */
export const FUSED_KEYS = KEY_SPAN * 0x1000;

/** Numeric key of the shape within its row; equal keys have equal shapes. Fits 40 bits. */
export function shapeKey(insn: Insn, mode: number, live: boolean, flagIn: number): number {
  let kinds = 0;
  for (let i = 0; i < insn.count; i++) if (insn.kinds[i] === Kind.mem) kinds |= 1 << i;
  const size = insn.operandSize >> 2;
  const address = insn.addressSize >> 2;
  const memory = insn.hasMemory ? memoryFormNumber(insn, mode) : 0;
  const rep = insn.rep === 'none' ? 0 : insn.rep === 'rep' ? 1 : 2;
  const cc = insn.row.encoding.plusCc ? insn.opcode & 15 : 0;
  const low =
    kinds |
    (size << 4) |
    (address << 6) |
    (memory << 8) |
    (rep << 11) |
    (cc << 13) |
    ((live ? 1 : 0) << 17) |
    ((flagIn + 1) << 18) |
    (shapeMode(mode) << 24);
  return insn.row.definition.staticImmediate ? low + (insn.immLow & 0xff) * 0x4000_0000 : low;
}

function memoryFormNumber(insn: Insn, mode: number): number {
  if (mode & Mode.long) {
    if (insn.addressSize !== 8 || insn.segment === Seg.FS || insn.segment === Seg.GS) return 3;
    return insn.memIndex >= 0 ? 2 : 1;
  }
  // FS and GS are not part of the flat promise.
  return mode & Mode.flat && insn.segment < Seg.FS ? 3 : 4;
}

const forms: readonly MemoryForm[] = ['none', 'base', 'index', 'segment', 'checked'];

const shapeKinds: readonly ShapeOperand['kind'][] = [
  'reg',
  'mem',
  'imm',
  'other',
  'other',
  'sreg',
  'other',
  'other',
  'xmm',
  'mmx',
  'other',
];

export function makeShape(insn: Insn, mode: number, live: boolean, flagIn: number): Shape {
  const operands: ShapeOperand[] = [];
  for (let i = 0; i < insn.count; i++) operands.push({ kind: shapeKinds[insn.kinds[i]!]!, size: insn.sizes[i]! });
  return {
    row: insn.row,
    operands,
    operandSize: insn.operandSize,
    addressSize: insn.addressSize,
    memory: insn.hasMemory ? forms[memoryFormNumber(insn, mode)]! : 'none',
    mode: shapeMode(mode),
    rep: insn.rep,
    cc: insn.row.encoding.plusCc ? insn.opcode & 15 : 0,
    live,
    flagIn,
    staticImmediate: insn.row.definition.staticImmediate ? insn.immLow & 0xff : -1,
  };
}

/** Text that is equal where handlers can be shared: rows of one definition with the same operand forms fall together. */
export function shapeText(shape: Shape, definitionIndex: number): string {
  const operands = shape.operands.map((operand) => `${operand.kind[0]}${operand.size}`).join('');
  const address = shape.memory === 'none' || shape.memory === 'base' || shape.memory === 'index' ? '' : shape.addressSize;
  return `${definitionIndex}/${shape.operandSize}/${shape.mode}/${operands}/${shape.memory[0]!}${address}/${shape.rep}/${shape.cc}/${shape.live ? 1 : 0}/${shape.flagIn}/${shape.staticImmediate}`;
}

/** State offset of a register operand as the record holds it. */
export function registerOffset(kind: number, register: number): number {
  switch (kind) {
    case Kind.reg:
      return register >= 16 ? State.gpr + (register - 16) * 8 + 1 : State.gpr + register * 8;
    case Kind.xmm:
      return State.xmm + register * 32;
    case Kind.mmx:
      return State.x87 + register * 16;
    case Kind.sreg:
      return State.seg + register * SegField.size + SegField.selector;
    default:
      return State.zero;
  }
}

/** Arithmetic flags that an instruction surely replaces, whatever its operands. */
export const killedFlags = (row: Row): number => row.killedFlags;

/** Arithmetic flags that it may change. */
export const changedFlags = (row: Row): number => row.changedFlags;
