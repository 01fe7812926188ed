/** Helpers of SSE3 and SSE4: alternating, horizontal and dot-product arithmetic, rounding, and the integer instructions without a vector counterpart. */

import { type Helper, type HelperTable } from '../context';
import { add, multiply, subtract } from './arithmetic';
import { toIntegral } from './convert';
import { eachLane, shapeOf } from './instructions';
import { sseText } from './text';
import { beginSse, endSse, getLane, immediateOf, readVector, setLane, writeVector } from './vectors';

const sseAddSub: Helper = (cpu, insn) => {
  const shape = shapeOf(insn.mnemonic);
  eachLane(cpu, insn, shape, (c, a, b, i) => (i & 1 ? add : subtract)(c, shape.format, a, b));
};

const sseHorizontal: Helper = (cpu, insn) => {
  const { format, lanes } = shapeOf(insn.mnemonic);
  const op = insn.mnemonic.startsWith('HADD') ? add : subtract;
  const source = readVector(cpu, insn, 1, 16);
  const target = readVector(cpu, insn, 0, 16);
  const result = new DataView(new ArrayBuffer(16));
  const c = beginSse(cpu);
  for (let i = 0; i < lanes; i++) {
    const from = i < lanes / 2 ? target : source;
    const pair = (2 * i) % lanes;
    setLane(result, format, i, op(c, format, getLane(from, format, pair), getLane(from, format, pair + 1)));
  }
  endSse(cpu, c);
  writeVector(cpu, insn, 0, result);
};

const sseRound: Helper = (cpu, insn) => {
  const shape = shapeOf(insn.mnemonic);
  const control = immediateOf(insn, 2);
  const quietly = (control & 8) !== 0;
  eachLane(cpu, insn, shape, (c, _a, b) => toIntegral(c, shape.format, b, (control & 4) !== 0 ? c.rounding : control & 3, quietly));
};

/** Each product and each of the sums, (0 + 1) + (2 + 3), is rounded and raises its flags (SDM vol. 2A, DPPS). */
const sseDotProduct: Helper = (cpu, insn) => {
  const { format, lanes } = shapeOf(insn.mnemonic);
  const control = immediateOf(insn, 2);
  const source = readVector(cpu, insn, 1, 16);
  const target = readVector(cpu, insn, 0, 16);
  const c = beginSse(cpu);
  const products = Array.from({ length: lanes }, (_, i) =>
    (control >>> (4 + i)) & 1 ? multiply(c, format, getLane(target, format, i), getLane(source, format, i)) : 0n,
  );
  endSse(cpu, c);
  const stage = (x: bigint, y: bigint): bigint => add(c, format, x, y);
  let sum = stage(products[0]!, products[1]!);
  if (lanes === 4) sum = stage(sum, stage(products[2]!, products[3]!));
  endSse(cpu, c);
  for (let i = 0; i < lanes; i++) setLane(target, format, i, (control >>> i) & 1 ? sum : 0n);
  writeVector(cpu, insn, 0, target);
};

/** PHMINPOSUW: the least word and the first place where it stands. */
const ssePosition: Helper = (cpu, insn) => {
  const source = readVector(cpu, insn, 1, 16);
  let least = 0x1_0000;
  let place = 0;
  for (let i = 0; i < 8; i++) {
    const word = source.getUint16(2 * i, true);
    if (word < least) {
      least = word;
      place = i;
    }
  }
  const result = new DataView(new ArrayBuffer(16));
  result.setUint16(0, least, true);
  result.setUint16(2, place, true);
  writeVector(cpu, insn, 0, result);
};

/** MPSADBW: one group of four source bytes against eight groups of the destination, each a byte further. */
const sseDifferences: Helper = (cpu, insn) => {
  const control = immediateOf(insn, 2);
  const source = readVector(cpu, insn, 1, 16);
  const target = readVector(cpu, insn, 0, 16);
  const result = new DataView(new ArrayBuffer(16));
  const block = 4 * (control & 3);
  const start = control & 4;
  for (let i = 0; i < 8; i++) {
    let sum = 0;
    for (let k = 0; k < 4; k++) sum += Math.abs(target.getUint8(start + i + k) - source.getUint8(block + k));
    result.setUint16(2 * i, sum, true);
  }
  writeVector(cpu, insn, 0, result);
};

export const extensionHelpers: HelperTable = {
  sseAddSub,
  sseHorizontal,
  sseRound,
  sseDotProduct,
  ssePosition,
  sseDifferences,
  sseText,
};
