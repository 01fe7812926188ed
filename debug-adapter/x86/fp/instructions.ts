/** The exact helpers of the SSE families: what generated code hands over where native arithmetic could differ from the processor. */

import { type CpuContext, type DecodedInsn, type Helper, type HelperTable } from '../context';
import { Reg, Seg, State } from '../state';
import { add, compare, divide, maximum, minimum, multiply, order, squareRoot, subtract, type Binary } from './arithmetic';
import { fromInteger, narrow, toInteger, widen } from './convert';
import { reciprocal, reciprocalRoot } from './estimate';
import { Rounding, double, single, type Format, type SseControl } from './format';
import { beginSse, checkPending, endSse, enterMmx, getLane, immediateOf, readVector, setLane, writeVector } from './vectors';

/** Format and number of elements, from the last two letters of a mnemonic. */
export interface Shape {
  readonly format: Format;
  readonly lanes: number;
  /** Bytes of the operands. */
  readonly size: number;
}

const shapes: Readonly<Record<string, Shape>> = {
  PS: { format: single, lanes: 4, size: 16 },
  PD: { format: double, lanes: 2, size: 16 },
  SS: { format: single, lanes: 1, size: 4 },
  SD: { format: double, lanes: 1, size: 8 },
};

export const shapeOf = (mnemonic: string): Shape => shapes[mnemonic.slice(-2)]!;

/** Runs `lane` for every element of a destination and a source, then settles MXCSR and writes the destination. */
export function eachLane(
  cpu: CpuContext,
  insn: DecodedInsn,
  shape: Shape,
  lane: (c: SseControl, a: bigint, b: bigint, index: number) => bigint,
): void {
  const source = readVector(cpu, insn, 1, shape.size);
  const target = readVector(cpu, insn, 0, shape.size);
  const c = beginSse(cpu);
  for (let i = 0; i < shape.lanes; i++) {
    setLane(target, shape.format, i, lane(c, getLane(target, shape.format, i), getLane(source, shape.format, i), i));
  }
  endSse(cpu, c);
  writeVector(cpu, insn, 0, target);
}

const binaryOps: Readonly<Record<string, Binary>> = {
  ADD: add,
  SUB: subtract,
  MUL: multiply,
  DIV: divide,
  MIN: minimum,
  MAX: maximum,
  SQRT: squareRoot,
};

const sseBinary: Helper = (cpu, insn) => {
  const shape = shapeOf(insn.mnemonic);
  const op = binaryOps[insn.mnemonic.slice(0, -2)]!;
  eachLane(cpu, insn, shape, (c, a, b) => op(c, shape.format, a, b));
};

const sseCompare: Helper = (cpu, insn) => {
  const shape = shapeOf(insn.mnemonic);
  const predicate = immediateOf(insn, 2) & 7;
  eachLane(cpu, insn, shape, (c, a, b) => compare(c, shape.format, a, b, predicate));
};

const sseCompareToFlags: Helper = (cpu, insn) => {
  const { format, size } = shapeOf(insn.mnemonic);
  const source = readVector(cpu, insn, 1, size);
  const target = readVector(cpu, insn, 0, size);
  const c = beginSse(cpu);
  const result = order(c, format, getLane(target, format, 0), getLane(source, format, 0), insn.mnemonic.startsWith('C'));
  endSse(cpu, c);
  cpu.setArithmeticFlags(result === undefined ? 0x45 : result < 0 ? 0x01 : result === 0 ? 0x40 : 0);
};

const sseEstimate: Helper = (cpu, insn) => {
  const lane = insn.mnemonic.startsWith('RSQRT') ? reciprocalRoot : reciprocal;
  eachLane(cpu, insn, shapeOf(insn.mnemonic), (_c, _a, b) => lane(b));
};

/** One conversion: the formats and counts of both sides; `int` elements are signed, of 4 bytes (8 where a general register has them). */
interface Conversion {
  readonly from: Format | 'int';
  readonly to: Format | 'int';
  readonly lanes: number;
  readonly truncate?: boolean;
  /** Bytes written; more than the lanes need are zeros. */
  readonly bytes: number;
}

const conversions: Readonly<Record<string, Conversion>> = {
  CVTSS2SD: { from: single, to: double, lanes: 1, bytes: 8 },
  CVTSD2SS: { from: double, to: single, lanes: 1, bytes: 4 },
  CVTPS2PD: { from: single, to: double, lanes: 2, bytes: 16 },
  CVTPD2PS: { from: double, to: single, lanes: 2, bytes: 16 },
  CVTDQ2PS: { from: 'int', to: single, lanes: 4, bytes: 16 },
  CVTDQ2PD: { from: 'int', to: double, lanes: 2, bytes: 16 },
  CVTPS2DQ: { from: single, to: 'int', lanes: 4, bytes: 16 },
  CVTTPS2DQ: { from: single, to: 'int', lanes: 4, bytes: 16, truncate: true },
  CVTPD2DQ: { from: double, to: 'int', lanes: 2, bytes: 16 },
  CVTTPD2DQ: { from: double, to: 'int', lanes: 2, bytes: 16, truncate: true },
  CVTPI2PS: { from: 'int', to: single, lanes: 2, bytes: 8 },
  CVTPI2PD: { from: 'int', to: double, lanes: 2, bytes: 16 },
  CVTPS2PI: { from: single, to: 'int', lanes: 2, bytes: 8 },
  CVTTPS2PI: { from: single, to: 'int', lanes: 2, bytes: 8, truncate: true },
  CVTPD2PI: { from: double, to: 'int', lanes: 2, bytes: 8 },
  CVTTPD2PI: { from: double, to: 'int', lanes: 2, bytes: 8, truncate: true },
};

function convertLane(c: SseControl, conversion: Conversion, source: DataView, target: DataView, i: number): void {
  const { from, to, truncate } = conversion;
  if (from === 'int') {
    const format = to as Format;
    setLane(target, format, i, fromInteger(c, format, BigInt(source.getInt32(4 * i, true))));
    return;
  }
  const bits = getLane(source, from, i);
  if (to === 'int') {
    target.setUint32(4 * i, Number(toInteger(c, from, bits, 32, truncate === true ? Rounding.chop : c.rounding)), true);
  } else {
    setLane(target, to, i, from === single ? widen(c, bits) : narrow(c, bits));
  }
}

const sseConvert: Helper = (cpu, insn) => {
  const { mnemonic } = insn;
  const operand = insn.operands[0]!;
  if (mnemonic.endsWith('2SI')) {
    const format = mnemonic.endsWith('SS2SI') ? single : double;
    const source = readVector(cpu, insn, 1, format === single ? 4 : 8);
    const c = beginSse(cpu);
    const mode = mnemonic.startsWith('CVTT') ? Rounding.chop : c.rounding;
    const value = toInteger(c, format, getLane(source, format, 0), 8 * operand.size, mode);
    endSse(cpu, c);
    cpu.writeOperand(insn, 0, value);
    return;
  }
  if (mnemonic.startsWith('CVTSI2')) {
    const format = mnemonic.endsWith('SS') ? single : double;
    const value = BigInt.asIntN(8 * insn.operands[1]!.size, cpu.readOperand(insn, 1));
    const c = beginSse(cpu);
    const result = new DataView(new ArrayBuffer(format === single ? 4 : 8));
    setLane(result, format, 0, fromInteger(c, format, value));
    endSse(cpu, c);
    writeVector(cpu, insn, 0, result);
    return;
  }
  const conversion = conversions[mnemonic]!;
  const mmx = operand.kind === 'mmx' || insn.operands[1]!.kind === 'mmx';
  if (mmx) checkPending(cpu);
  const width = (format: Format | 'int'): number => (format === double ? 8 : 4);
  const source = readVector(cpu, insn, 1, width(conversion.from) * conversion.lanes);
  const target = new DataView(new ArrayBuffer(conversion.bytes));
  // The x87 unit is in MMX state by the time that a SIMD exception is found.
  if (mmx) enterMmx(cpu);
  const c = beginSse(cpu);
  for (let i = 0; i < conversion.lanes; i++) convertLane(c, conversion, source, target, i);
  endSse(cpu, c);
  writeVector(cpu, insn, 0, target);
};

/**
 * MASKMOVDQU and MASKMOVQ: the bytes whose mask has its top bit set, to DS:rDI. All the operand's bytes must be writable, also where the mask leaves
 * them alone: the manual lets processors differ there, and this is what the usual ones do.
 */
const sseMaskedStore: Helper = (cpu, insn) => {
  const size = insn.mnemonic === 'MASKMOVQ' ? 8 : 16;
  if (size === 8) checkPending(cpu);
  const data = readVector(cpu, insn, 0, size);
  const mask = readVector(cpu, insn, 1, size);
  const segment = insn.segmentOverride ?? Seg.DS;
  const linear = cpu.segmentLinear(segment, cpu.getReg(Reg.RDI, insn.addressSize), size, 'write');
  const chosen = Array.from({ length: size }, (_, i) => i).filter((i) => (mask.getUint8(i) & 0x80) !== 0);
  cpu.probe(linear, size, 'write');
  if (size === 8) enterMmx(cpu);
  for (const i of chosen) cpu.writeVirtual(linear + BigInt(i), 1, BigInt(data.getUint8(i)));
};

/** EMMS: all x87 registers are empty (SDM vol. 2A, EMMS). */
const mmxEmpty: Helper = (cpu) => {
  checkPending(cpu);
  enterMmx(cpu);
  cpu.view.setUint16(State.ftw, 0xffff, true);
};

export const sse2Helpers: HelperTable = {
  sseBinary,
  sseUnary: sseBinary,
  sseCompare,
  sseCompareToFlags,
  sseEstimate,
  sseConvert,
  sseMaskedStore,
  mmxEmpty,
};
