/** The lazy arithmetic flags: how each flag and condition follows from (kind, a, b, c), as generated code. */

import { type Code } from '../wasm/code';
import { Flag } from './definition';
import { type FlagOp, type Size } from './gen';

const ops: readonly (FlagOp | 'explicit')[] = ['explicit', 'add', 'sub', 'logic', 'inc', 'dec', 'adc', 'sbb', 'result'];

/** `State.flagKind` values: 4 * rule + log2(size). Kind 0..3: `flagA` holds the RFLAGS bits themselves. */
export const FLAG_KINDS = ops.length * 4;

export function flagKind(op: FlagOp | 'explicit', size: Size): number {
  return op === 'explicit' ? 0 : ops.indexOf(op) * 4 + Math.log2(size);
}

export function flagKindParts(kind: number): { op: FlagOp | 'explicit'; size: Size } {
  return { op: ops[kind >> 2]!, size: (1 << (kind & 3)) as Size };
}

/** Where the operands of the last flag-setting operation are: each pushes an i64. */
export interface FlagSource {
  readonly op: FlagOp | 'explicit';
  readonly size: Size;
  readonly a: () => void;
  readonly b: () => void;
  readonly c: () => void;
}

/** Cuts the i64 on the stack to `size` bytes, zero-extended. */
export function zeroExtend(c: Code, size: number): void {
  if (c.widths.top <= size * 8) return;
  if (size === 1) c.i64(0xff).op('i64.and');
  else if (size === 2) c.i64(0xffff).op('i64.and');
  else if (size === 4) c.op('i32.wrap_i64', 'i64.extend_i32_u');
}

/** Sign-extends the i64 on the stack from `size` bytes. */
export function signExtend(c: Code, size: number): void {
  if (size === 1) c.op('i64.extend8_s');
  else if (size === 2) c.op('i64.extend16_s');
  else if (size === 4) c.op('i64.extend32_s');
}

/** Pushes the result, cut to the size. */
function result(c: Code, f: FlagSource): void {
  f.a();
  switch (f.op) {
    case 'add':
      f.b();
      c.op('i64.add');
      break;
    case 'adc':
      f.b();
      c.op('i64.add');
      f.c();
      c.op('i64.add');
      break;
    case 'sub':
      f.b();
      c.op('i64.sub');
      break;
    case 'sbb':
      f.b();
      c.op('i64.sub');
      f.c();
      c.op('i64.sub');
      break;
    case 'logic':
    case 'inc':
    case 'dec':
    case 'result':
    case 'explicit':
      return;
  }
  zeroExtend(c, f.size);
}

/** Pushes i32 0/1: bit `bit` of the i64 on the stack. */
function bit(c: Code, position: number): void {
  if (position > 0) c.i64(position).op('i64.shr_u');
  c.op('i32.wrap_i64').i32(1).op('i32.and');
}

/** Pushes CF as i32 0/1. */
export function emitCarry(c: Code, f: FlagSource): void {
  const msb = f.size * 8 - 1;
  switch (f.op) {
    case 'explicit':
      f.a();
      bit(c, 0);
      return;
    case 'add':
      result(c, f);
      f.a();
      c.op('i64.lt_u');
      return;
    case 'sub':
      f.a();
      f.b();
      c.op('i64.lt_u');
      return;
    case 'logic':
      c.i32(0);
      return;
    case 'inc':
    case 'dec':
    case 'result':
      f.b();
      bit(c, 0);
      return;
    case 'adc':
      // (a & b) | ((a | b) & ~r)
      f.a();
      f.b();
      c.op('i64.and');
      f.a();
      f.b();
      c.op('i64.or');
      result(c, f);
      c.i64(-1).op('i64.xor', 'i64.and', 'i64.or');
      bit(c, msb);
      return;
    case 'sbb':
      // (~a & b) | ((~a | b) & r)
      f.a();
      c.i64(-1).op('i64.xor');
      f.b();
      c.op('i64.and');
      f.a();
      c.i64(-1).op('i64.xor');
      f.b();
      c.op('i64.or');
      result(c, f);
      c.op('i64.and', 'i64.or');
      bit(c, msb);
      return;
  }
}

function emitOverflow(c: Code, f: FlagSource): void {
  const msb = f.size * 8 - 1;
  switch (f.op) {
    case 'explicit':
      f.a();
      bit(c, 11);
      return;
    case 'add':
    case 'adc':
      f.a();
      result(c, f);
      c.op('i64.xor');
      f.b();
      result(c, f);
      c.op('i64.xor', 'i64.and');
      bit(c, msb);
      return;
    case 'sub':
    case 'sbb':
      f.a();
      f.b();
      c.op('i64.xor');
      f.a();
      result(c, f);
      c.op('i64.xor', 'i64.and');
      bit(c, msb);
      return;
    case 'logic':
      c.i32(0);
      return;
    case 'inc':
      f.a();
      c.i64(1n << BigInt(msb)).op('i64.eq');
      return;
    case 'dec':
      f.a();
      c.i64((1n << BigInt(msb)) - 1n).op('i64.eq');
      return;
    case 'result':
      f.b();
      bit(c, 11);
      return;
  }
}

function emitAdjust(c: Code, f: FlagSource): void {
  switch (f.op) {
    case 'explicit':
      f.a();
      bit(c, 4);
      return;
    case 'add':
    case 'adc':
    case 'sub':
    case 'sbb':
      f.a();
      f.b();
      c.op('i64.xor');
      result(c, f);
      c.op('i64.xor');
      bit(c, 4);
      return;
    case 'logic':
      c.i32(0);
      return;
    case 'inc':
      f.a();
      c.i64(15).op('i64.and', 'i64.eqz');
      return;
    case 'dec':
      f.a();
      c.i64(15).op('i64.and').i64(15).op('i64.eq');
      return;
    case 'result':
      f.b();
      bit(c, 4);
      return;
  }
}

function emitZero(c: Code, f: FlagSource): void {
  if (f.op === 'explicit') {
    f.a();
    bit(c, 6);
  } else if (f.op === 'sub') {
    f.a();
    f.b();
    c.op('i64.eq');
  } else {
    result(c, f);
    c.op('i64.eqz');
  }
}

function emitSign(c: Code, f: FlagSource): void {
  if (f.op === 'explicit') {
    f.a();
    bit(c, 7);
  } else {
    result(c, f);
    bit(c, f.size * 8 - 1);
  }
}

/** PF: even parity of the result's low byte. */
function emitParity(c: Code, f: FlagSource): void {
  if (f.op === 'explicit') {
    f.a();
    bit(c, 2);
    return;
  }
  result(c, f);
  c.op('i32.wrap_i64').i32(0xff).op('i32.and', 'i32.popcnt').i32(1).op('i32.and').op('i32.eqz');
}

/** Pushes i32 0/1 for a condition code 0..15. */
export function emitCondition(c: Code, cc: number, f: FlagSource): void {
  const negate = (cc & 1) !== 0;
  const compare = (
    whenTrue: 'i64.lt_u' | 'i64.eq' | 'i64.le_u' | 'i64.lt_s' | 'i64.le_s',
    whenFalse: 'i64.ge_u' | 'i64.ne' | 'i64.gt_u' | 'i64.ge_s' | 'i64.gt_s',
    signed: boolean,
  ): void => {
    f.a();
    if (signed) signExtend(c, f.size);
    if (f.op === 'sub') {
      f.b();
      if (signed) signExtend(c, f.size);
    } else {
      c.i64(0);
    }
    c.op(negate ? whenFalse : whenTrue);
  };
  if (f.op === 'sub' || f.op === 'logic') {
    switch (cc >> 1) {
      case 1:
        if (f.op === 'sub') return compare('i64.lt_u', 'i64.ge_u', false);
        break;
      case 2:
        return compare('i64.eq', 'i64.ne', false);
      case 3:
        return f.op === 'sub' ? compare('i64.le_u', 'i64.gt_u', false) : compare('i64.eq', 'i64.ne', false);
      case 4:
        if (f.op === 'logic') return compare('i64.lt_s', 'i64.ge_s', true);
        break;
      case 6:
        return compare('i64.lt_s', 'i64.ge_s', true);
      case 7:
        return compare('i64.le_s', 'i64.gt_s', true);
    }
  }
  switch (cc >> 1) {
    case 0:
      emitOverflow(c, f);
      break;
    case 1:
      emitCarry(c, f);
      break;
    case 2:
      emitZero(c, f);
      break;
    case 3:
      emitCarry(c, f);
      emitZero(c, f);
      c.op('i32.or');
      break;
    case 4:
      emitSign(c, f);
      break;
    case 5:
      emitParity(c, f);
      break;
    case 6:
      emitSign(c, f);
      emitOverflow(c, f);
      c.op('i32.ne');
      break;
    default:
      emitSign(c, f);
      emitOverflow(c, f);
      c.op('i32.ne');
      emitZero(c, f);
      c.op('i32.or');
      break;
  }
  if (negate) c.op('i32.eqz');
}

/** Pushes i64: the six arithmetic flags as RFLAGS bits. */
export function emitArithmetic(c: Code, f: FlagSource): void {
  if (f.op === 'explicit') {
    f.a();
    c.i64(Flag.CF | Flag.PF | Flag.AF | Flag.ZF | Flag.SF | Flag.OF).op('i64.and');
    return;
  }
  emitCarry(c, f);
  for (const [emit, shift] of [
    [emitParity, 2],
    [emitAdjust, 4],
    [emitZero, 6],
    [emitSign, 7],
    [emitOverflow, 11],
  ] as const) {
    emit(c, f);
    c.i32(shift).op('i32.shl', 'i32.or');
  }
  c.op('i64.extend_i32_u');
}

/** The same in TypeScript, for helpers and the debugger. Operands are unsigned. */
export function arithmeticFlags(kind: number, a: bigint, b: bigint, carryIn: bigint): number {
  const { op, size } = flagKindParts(kind);
  if (op === 'explicit') return Number(a & 0x8d5n);
  const bits = BigInt(size * 8);
  const mask = (1n << bits) - 1n;
  const msb = bits - 1n;
  let r = a;
  let cf: bigint;
  let of: bigint;
  let af: bigint;
  if (op === 'add' || op === 'adc') {
    const sum = a + b + (op === 'adc' ? carryIn : 0n);
    r = sum & mask;
    cf = (sum >> bits) & 1n;
    of = (((a ^ r) & (b ^ r)) >> msb) & 1n;
    af = ((a ^ b ^ r) >> 4n) & 1n;
  } else if (op === 'sub' || op === 'sbb') {
    const difference = a - b - (op === 'sbb' ? carryIn : 0n);
    r = difference & mask;
    cf = difference < 0n ? 1n : 0n;
    of = (((a ^ b) & (a ^ r)) >> msb) & 1n;
    af = ((a ^ b ^ r) >> 4n) & 1n;
  } else if (op === 'logic') {
    cf = of = af = 0n;
  } else if (op === 'inc') {
    cf = b & 1n;
    of = r === 1n << msb ? 1n : 0n;
    af = (r & 15n) === 0n ? 1n : 0n;
  } else if (op === 'dec') {
    cf = b & 1n;
    of = r === (1n << msb) - 1n ? 1n : 0n;
    af = (r & 15n) === 15n ? 1n : 0n;
  } else {
    cf = b & 1n;
    of = (b >> 11n) & 1n;
    af = (b >> 4n) & 1n;
  }
  let parity = Number(r & 0xffn);
  parity ^= parity >> 4;
  parity ^= parity >> 2;
  parity ^= parity >> 1;
  return (
    Number(cf) |
    (parity & 1 ? 0 : Flag.PF) |
    (af ? Flag.AF : 0) |
    (r === 0n ? Flag.ZF : 0) |
    ((r >> msb) & 1n ? Flag.SF : 0) |
    (of ? Flag.OF : 0)
  );
}
