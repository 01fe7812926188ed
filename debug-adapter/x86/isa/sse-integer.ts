/** Integer SIMD of MMX and SSE2: one row for the operation, with its MMX form (64 bits) and its SSE2 form (128 bits). */

import { type Definition, type Feature } from './definition';
import {
  andNot,
  interleave,
  mmx,
  mmxBinary,
  mmxPack,
  multiplyEven,
  multiplyHigh,
  np,
  p66,
  plain,
  sse,
  sumOfDifferences,
  xmmBinary,
  type LaneOp,
} from './sse-lanes';

/** Opcode in map 0F, mnemonic, operation, the feature of the MMX form. */
type Row = readonly [opcode: number, mnemonic: string, op: LaneOp, mmxFeature?: Feature];

/** Lane-wise rows: the MMX result is the low half of the same operation. */
const lanewise: readonly Row[] = [
  [0x60, 'PUNPCKLBW', interleave(1, false)],
  [0x61, 'PUNPCKLWD', interleave(2, false)],
  [0x62, 'PUNPCKLDQ', interleave(4, false)],
  [0x64, 'PCMPGTB', plain('i8x16.gt_s')],
  [0x65, 'PCMPGTW', plain('i16x8.gt_s')],
  [0x66, 'PCMPGTD', plain('i32x4.gt_s')],
  [0x74, 'PCMPEQB', plain('i8x16.eq')],
  [0x75, 'PCMPEQW', plain('i16x8.eq')],
  [0x76, 'PCMPEQD', plain('i32x4.eq')],
  [0xd4, 'PADDQ', plain('i64x2.add'), 'sse2'],
  [0xd5, 'PMULLW', plain('i16x8.mul')],
  [0xd8, 'PSUBUSB', plain('i8x16.sub_sat_u')],
  [0xd9, 'PSUBUSW', plain('i16x8.sub_sat_u')],
  [0xda, 'PMINUB', plain('i8x16.min_u'), 'sse'],
  [0xdb, 'PAND', plain('v128.and')],
  [0xdc, 'PADDUSB', plain('i8x16.add_sat_u')],
  [0xdd, 'PADDUSW', plain('i16x8.add_sat_u')],
  [0xde, 'PMAXUB', plain('i8x16.max_u'), 'sse'],
  [0xdf, 'PANDN', andNot],
  [0xe0, 'PAVGB', plain('i8x16.avgr_u'), 'sse'],
  [0xe3, 'PAVGW', plain('i16x8.avgr_u'), 'sse'],
  [0xe4, 'PMULHUW', multiplyHigh(false), 'sse'],
  [0xe5, 'PMULHW', multiplyHigh(true)],
  [0xe8, 'PSUBSB', plain('i8x16.sub_sat_s')],
  [0xe9, 'PSUBSW', plain('i16x8.sub_sat_s')],
  [0xea, 'PMINSW', plain('i16x8.min_s'), 'sse'],
  [0xeb, 'POR', plain('v128.or')],
  [0xec, 'PADDSB', plain('i8x16.add_sat_s')],
  [0xed, 'PADDSW', plain('i16x8.add_sat_s')],
  [0xee, 'PMAXSW', plain('i16x8.max_s'), 'sse'],
  [0xef, 'PXOR', plain('v128.xor')],
  [0xf4, 'PMULUDQ', multiplyEven(false), 'sse2'],
  [0xf5, 'PMADDWD', plain('i32x4.dot_i16x8_s')],
  [0xf6, 'PSADBW', sumOfDifferences, 'sse'],
  [0xf8, 'PSUBB', plain('i8x16.sub')],
  [0xf9, 'PSUBW', plain('i16x8.sub')],
  [0xfa, 'PSUBD', plain('i32x4.sub')],
  [0xfb, 'PSUBQ', plain('i64x2.sub'), 'sse2'],
  [0xfc, 'PADDB', plain('i8x16.add')],
  [0xfd, 'PADDW', plain('i16x8.add')],
  [0xfe, 'PADDD', plain('i32x4.add')],
];

/** High interleaves: of MMX's four elements a side the upper two are the upper half of the *low* interleave. */
const highInterleaves: readonly (readonly [number, string, 1 | 2 | 4])[] = [
  [0x68, 'PUNPCKHBW', 1],
  [0x69, 'PUNPCKHWD', 2],
  [0x6a, 'PUNPCKHDQ', 4],
];

const packs: readonly Row[] = [
  [0x63, 'PACKSSWB', plain('i8x16.narrow_i16x8_s')],
  [0x67, 'PACKUSWB', plain('i8x16.narrow_i16x8_u')],
  [0x6b, 'PACKSSDW', plain('i16x8.narrow_i32x4_s')],
];

/** The low interleaves of MMX read only 4 bytes of a memory operand. */
const lowInterleave = (opcode: number): boolean => opcode >= 0x60 && opcode <= 0x62;

export const sseInteger: readonly Definition[] = [
  ...lanewise.flatMap(([opcode, mnemonic, op, feature = 'mmx']) => [
    mmx(feature, mnemonic, np(1, opcode, ['Pq', lowInterleave(opcode) ? 'Qd' : 'Qq']), mmxBinary(op)),
    sse('sse2', mnemonic, p66(1, opcode, ['Vdq', 'Wdq']), xmmBinary(op)),
  ]),
  ...highInterleaves.flatMap(([opcode, mnemonic, size]) => [
    mmx('mmx', mnemonic, np(1, opcode, ['Pq', 'Qq']), mmxBinary(interleave(size, false), 1)),
    sse('sse2', mnemonic, p66(1, opcode, ['Vdq', 'Wdq']), xmmBinary(interleave(size, true))),
  ]),
  ...packs.flatMap(([opcode, mnemonic, op]) => [
    mmx('mmx', mnemonic, np(1, opcode, ['Pq', 'Qq']), mmxPack(op)),
    sse('sse2', mnemonic, p66(1, opcode, ['Vdq', 'Wdq']), xmmBinary(op)),
  ]),
  sse('sse2', 'PUNPCKLQDQ', p66(1, 0x6c, ['Vdq', 'Wdq']), xmmBinary(interleave(8, false))),
  sse('sse2', 'PUNPCKHQDQ', p66(1, 0x6d, ['Vdq', 'Wdq']), xmmBinary(interleave(8, true))),
];
