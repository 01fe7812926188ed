/** SSE and SSE2 floating-point arithmetic, comparisons and logic: native WebAssembly behind the guards, exact helpers otherwise. */

import { Flag, type Definition, type Emitter, type Encoding } from './definition';
import { type Gen } from './gen';
import { Guard, floatOp, inexactIsSilent, pd, ps, roundsToNearest, sd, ss, unless, type LaneKind } from './sse-guard';
import { andNot, np, p66, pF2, pF3, plain, sse, xmmBinary } from './sse-lanes';

/** Pushes operand i as one value of the kind. */
function read(g: Gen, kind: LaneKind, i: number): void {
  if (kind.type === 'v128') g.vrd(i);
  else g.frd(i, kind.element);
}

function write(g: Gen, kind: LaneKind, local: number): void {
  if (kind.type === 'v128') g.vwr(0, () => void g.c.get(local));
  else g.fwr(0, kind.element, () => void g.c.get(local));
}

export type Arithmetic = 'add' | 'sub' | 'mul' | 'div';

/** Pushes the condition (a mask of the kind) under which the native result of a clean operation is the processor's, zeros included. */
export function carefully(guard: Guard, op: Arithmetic, a: number, b: number, r: number): void {
  guard.finite(r).clean(a).and();
  if (op === 'div') guard.normal(b).and();
  else guard.clean(b).and();
  guard.aboveTiny(r);
  if (op === 'add' || op === 'sub') guard.zero(r).or();
  else guard.zero(a).or();
  if (op === 'mul') guard.zero(b).or();
  guard.and().all();
}

/** Pushes a condition under which r is a op b without any rounding; what it misses is sorted out by the helper. */
export function exactly(guard: Guard, op: Arithmetic, a: number, b: number, r: number): void {
  const { c } = guard.g;
  switch (op) {
    case 'add':
    case 'sub':
      guard.exactSum(a, b, r, op === 'sub');
      break;
    case 'mul':
      guard.short(a, b);
      break;
    case 'div':
      guard.short(r, b);
      c.get(r).get(b).op(floatOp(guard.kind, 'mul')).get(a).op(floatOp(guard.kind, 'eq'));
      guard.and();
      break;
  }
  guard.all();
}

/** r = a op b for locals, with the guard: first the cheap condition that nearly always holds, then the one that allows zeros. */
export function guardedArithmetic(g: Gen, kind: LaneKind, op: Arithmetic, a: number, b: number): number {
  const own = g.guardedFloat?.(kind, op, a, b);
  if (own !== undefined) return own;
  const c = g.c;
  const guard = new Guard(g, kind);
  const r = g.temp(kind.type);
  c.get(a).get(b).op(floatOp(kind, op)).set(r);
  const done = c.block();
  const slow = c.block();
  inexactIsSilent(g);
  c.op('i32.eqz');
  c.if();
  roundsToNearest(g);
  exactly(guard, op, a, b, r);
  c.op('i32.and', 'i32.eqz').brIf(slow);
  c.end();
  guard.normal(a).normal(b).and().aboveTiny(r).and().finite(r).and().all();
  c.brIf(done);
  carefully(guard, op, a, b, r);
  c.brIf(done);
  c.end();
  g.bail();
  c.end();
  return r;
}

function arithmetic(op: Arithmetic, kind: LaneKind): Emitter {
  return (g) => {
    const a = g.temp(kind.type);
    const b = g.temp(kind.type);
    read(g, kind, 1);
    g.c.set(b);
    read(g, kind, 0);
    g.c.set(a);
    write(g, kind, guardedArithmetic(g, kind, op, a, b));
  };
}

/** Square roots of clean, not negative numbers are normal or zero. */
function squareRoot(kind: LaneKind): Emitter {
  return (g) => {
    const b = g.temp(kind.type);
    read(g, kind, 1);
    g.c.set(b);
    const own = g.guardedRoot?.(kind, b);
    if (own !== undefined) {
      write(g, kind, own);
      return;
    }
    const r = g.temp(kind.type);
    g.c.get(b).op(floatOp(kind, 'sqrt')).set(r);
    unless(g, () => {
      // A negative operand gives a NaN, which is not finite.
      const guard = new Guard(g, kind);
      guard.clean(b).finite(r).and().all();
      if (g.inexactIsSilent === true) return;
      inexactIsSilent(g);
      roundsToNearest(g);
      guard.short(r, r);
      g.c.get(r).get(r).op(floatOp(kind, 'mul')).get(b).op(floatOp(kind, 'eq'));
      guard.and().all();
      g.c.op('i32.and', 'i32.or', 'i32.and');
    });
    write(g, kind, r);
  };
}

/** MIN and MAX pass the second operand on unless the first is strictly less or greater: WebAssembly's pseudo-minimum with operands exchanged. */
function extreme(which: 'min' | 'max', kind: LaneKind): Emitter {
  return (g) => {
    const a = g.temp(kind.type);
    const b = g.temp(kind.type);
    read(g, kind, 1);
    g.c.set(b);
    read(g, kind, 0);
    g.c.set(a);
    unless(g, () => new Guard(g, kind).clean(a).clean(b).and().all());
    const r = g.temp(kind.type);
    g.c
      .get(a)
      .get(b)
      .get(a)
      .get(b)
      .op(floatOp(kind, which === 'min' ? 'lt' : 'gt'));
    if (kind.type === 'v128') g.c.op('v128.bitselect');
    else g.c.op('select');
    g.c.set(r);
    write(g, kind, r);
  };
}

/** What the eight predicates come to where no operand is a NaN; undefined: always false (3) or always true (7). */
const orderedPredicate = ['eq', 'lt', 'le', undefined, 'ne', 'ge', 'gt', undefined] as const;

function compare(kind: LaneKind): Emitter {
  return (g) => {
    const c = g.c;
    const a = g.temp(kind.type);
    const b = g.temp(kind.type);
    const predicate = Number((g.immediate(2) ?? 0n) & 7n);
    const op = orderedPredicate[predicate];
    read(g, kind, 1);
    c.set(b);
    read(g, kind, 0);
    c.set(a);
    unless(g, () => new Guard(g, kind).clean(a).clean(b).and().all());
    const constant: readonly [bigint, bigint] = predicate === 7 ? [-1n, -1n] : [0n, 0n];
    if (kind.type === 'v128') {
      g.vwr(0, () => {
        if (op === undefined) c.v128(constant);
        else c.get(a).get(b).op(floatOp(kind, op));
      });
      return;
    }
    g.vwrLow(0, kind.element, () => {
      if (op === undefined) {
        c.v128(constant);
        return;
      }
      c.i32(0).get(a).get(b).op(floatOp(kind, op), 'i32.sub', 'i64.extend_i32_s', 'i64x2.splat');
    });
  };
}

/** COMISx and UCOMISx differ only for NaNs, which the helper sees to. */
function compareToFlags(kind: LaneKind): Emitter {
  return (g) => {
    const c = g.c;
    const a = g.temp(kind.type);
    const b = g.temp(kind.type);
    read(g, kind, 1);
    c.set(b);
    read(g, kind, 0);
    c.set(a);
    unless(g, () => new Guard(g, kind).clean(a).clean(b).and().all());
    g.setArithmetic(() => {
      c.get(a).get(b).op(floatOp(kind, 'lt'), 'i64.extend_i32_u');
      c.get(a).get(b).op(floatOp(kind, 'eq'), 'i64.extend_i32_u').i64(6).op('i64.shl', 'i64.or');
    });
  };
}

/** The four forms of an opcode: packed and scalar, single and double. */
function four(
  opcode: number,
  stem: string,
  emit: (kind: LaneKind) => Emitter,
  helper: string,
  tail: readonly string[] = [],
  more: Partial<Definition> = {},
): readonly Definition[] {
  return [
    sse('sse', `${stem}PS`, np(1, opcode, ['Vps', 'Wps', ...tail]), emit(ps), { helper, ...more }),
    sse('sse2', `${stem}PD`, p66(1, opcode, ['Vpd', 'Wpd', ...tail]), emit(pd), { helper, ...more }),
    sse('sse', `${stem}SS`, pF3(1, opcode, ['Vss', 'Wss', ...tail]), emit(ss), { helper, ...more }),
    sse('sse2', `${stem}SD`, pF2(1, opcode, ['Vsd', 'Wsd', ...tail]), emit(sd), { helper, ...more }),
  ];
}

function logic(opcode: number, stem: string, emit: Emitter): readonly Definition[] {
  return [sse('sse', `${stem}PS`, np(1, opcode, ['Vps', 'Wps']), emit), sse('sse2', `${stem}PD`, p66(1, opcode, ['Vpd', 'Wpd']), emit)];
}

function flagComparison(mnemonic: string, feature: 'sse' | 'sse2', encoding: Encoding, kind: LaneKind): Definition {
  const flags = { writes: Flag.CF | Flag.PF | Flag.ZF, cleared: Flag.OF | Flag.SF | Flag.AF };
  return sse(feature, mnemonic, encoding, compareToFlags(kind), { flags, helper: 'sseCompareToFlags' });
}

export const sseFloat: readonly Definition[] = [
  ...four(0x51, 'SQRT', squareRoot, 'sseUnary'),
  ...four(0x58, 'ADD', (kind) => arithmetic('add', kind), 'sseBinary'),
  ...four(0x59, 'MUL', (kind) => arithmetic('mul', kind), 'sseBinary'),
  ...four(0x5c, 'SUB', (kind) => arithmetic('sub', kind), 'sseBinary'),
  ...four(0x5d, 'MIN', (kind) => extreme('min', kind), 'sseBinary'),
  ...four(0x5e, 'DIV', (kind) => arithmetic('div', kind), 'sseBinary'),
  ...four(0x5f, 'MAX', (kind) => extreme('max', kind), 'sseBinary'),
  ...four(0xc2, 'CMP', compare, 'sseCompare', ['Ib'], { staticImmediate: true }),
  ...logic(0x54, 'AND', xmmBinary(plain('v128.and'))),
  ...logic(0x55, 'ANDN', xmmBinary(andNot)),
  ...logic(0x56, 'OR', xmmBinary(plain('v128.or'))),
  ...logic(0x57, 'XOR', xmmBinary(plain('v128.xor'))),
  flagComparison('UCOMISS', 'sse', np(1, 0x2e, ['Vss', 'Wss']), ss),
  flagComparison('UCOMISD', 'sse2', p66(1, 0x2e, ['Vsd', 'Wsd']), sd),
  flagComparison('COMISS', 'sse', np(1, 0x2f, ['Vss', 'Wss']), ss),
  flagComparison('COMISD', 'sse2', p66(1, 0x2f, ['Vsd', 'Wsd']), sd),
  sse('sse', 'RSQRTPS', np(1, 0x52, ['Vps', 'Wps']), undefined, { helper: 'sseEstimate' }),
  sse('sse', 'RSQRTSS', pF3(1, 0x52, ['Vss', 'Wss']), undefined, { helper: 'sseEstimate' }),
  sse('sse', 'RCPPS', np(1, 0x53, ['Vps', 'Wps']), undefined, { helper: 'sseEstimate' }),
  sse('sse', 'RCPSS', pF3(1, 0x53, ['Vss', 'Wss']), undefined, { helper: 'sseEstimate' }),
];
