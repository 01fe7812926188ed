/** Functions that many handlers share: conditions and flags of a kind unknown until run time, wide and carry-less products, CRC-32C, PDEP and PEXT. */

import { Code } from './wasm/code';
import { type ModuleBuilder } from './wasm/module';
import { emitArithmetic, emitCondition, FLAG_KINDS, flagKindParts, type FlagSource } from './isa/flags';
import { State } from './state';
import { restoreFunction, saveFunction } from './extended-area';
import { fxrstorFunction, fxsaveFunction, xrstorFunction, xsaveFunction } from './extended-transfers';
import { enterFunction, leaveFunction } from './kernel-transfers';
import { tlbFill } from './tlb-fill';

/** The flags in the state block, for one kind. */
function stateSource(c: Code, kind: number): FlagSource {
  return {
    ...flagKindParts(kind),
    a: () => c.i32(0).mem('i64.load', State.flagA),
    b: () => c.i32(0).mem('i64.load', State.flagB),
    c: () => c.i32(0).mem('i64.load', State.flagC),
  };
}

/** A function that branches on `State.flagKind` and does `emit` for the kind found. */
function byKind(emit: (c: Code, source: FlagSource) => void): Code {
  const c = new Code([]);
  const labels = Array.from({ length: FLAG_KINDS }, () => c.block());
  c.i32(0).mem('i32.load', State.flagKind);
  const order = [...labels].reverse();
  c.brTable(order.slice(0, -1), order.at(-1)!);
  for (let kind = 0; kind < FLAG_KINDS; kind++) {
    c.end();
    emit(c, stateSource(c, kind));
    c.op('return');
  }
  c.op('unreachable');
  return c;
}

/** High 64 bits of the product of locals 0 and 1. */
function highProduct(signed: boolean): Code {
  const c = new Code(['i64', 'i64']);
  const low = c.local('i64');
  const middle = c.local('i64');
  const part = (local: number, high: boolean): void => {
    c.get(local);
    if (high) c.i64(32).op('i64.shr_u');
    else c.i64(0xffffffffn).op('i64.and');
  };
  // (aH*2^32 + aL) * (bH*2^32 + bL), schoolbook with the carries kept.
  part(0, false);
  part(1, false);
  c.op('i64.mul').set(low);
  part(0, true);
  part(1, false);
  c.op('i64.mul').get(low).i64(32).op('i64.shr_u', 'i64.add').set(middle);
  part(0, true);
  part(1, true);
  c.op('i64.mul').get(middle).i64(32).op('i64.shr_u', 'i64.add');
  part(0, false);
  part(1, true);
  c.op('i64.mul').get(middle).i64(0xffffffffn).op('i64.and', 'i64.add').i64(32).op('i64.shr_u', 'i64.add');
  if (signed) {
    // Each negative factor took the other one too often.
    c.get(0).i64(63).op('i64.shr_s').get(1).op('i64.and', 'i64.sub');
    c.get(1).i64(63).op('i64.shr_s').get(0).op('i64.and', 'i64.sub');
  }
  return c;
}

/** CRC-32C of one byte: local 0 the CRC, local 1 the byte (reflected polynomial 0x82F63B78). */
function crcByte(): Code {
  const c = new Code(['i64', 'i64']);
  const crc = c.local('i32');
  const count = c.local('i32');
  c.get(0).get(1).i64(0xff).op('i64.and', 'i64.xor', 'i32.wrap_i64').set(crc);
  c.i32(8).set(count);
  const loop = c.loop();
  c.get(crc).i32(1).op('i32.shr_u').i32(0).get(crc).i32(1).op('i32.and', 'i32.sub').i32(0x82f63b78).op('i32.and', 'i32.xor').set(crc);
  c.get(count).i32(1).op('i32.sub').tee(count).brIf(loop);
  c.end();
  c.get(crc).op('i64.extend_i32_u');
  return c;
}

/** PDEP or PEXT: local 0 the source, local 1 the mask; one step for each set bit of the mask. */
function bitScatter(deposit: boolean): Code {
  const c = new Code(['i64', 'i64']);
  const result = c.local('i64');
  const bit = c.local('i64');
  const lowest = c.local('i64');
  c.i64(1).set(bit);
  const done = c.block();
  const loop = c.loop();
  c.get(1).op('i64.eqz').brIf(done);
  c.get(1).i64(0).get(1).op('i64.sub', 'i64.and').set(lowest);
  c.get(result);
  c.get(deposit ? lowest : bit).i64(0);
  c.get(0)
    .get(deposit ? bit : lowest)
    .op('i64.and', 'i64.eqz', 'i32.eqz', 'select');
  c.op('i64.or').set(result);
  c.get(bit).i64(1).op('i64.shl').set(bit);
  c.get(1).get(lowest).op('i64.xor').set(1);
  c.br(loop);
  c.end();
  c.end();
  c.get(result);
  return c;
}

/** A half of the carry-less product of locals 0 and 1 (polynomials over GF(2)): one step for each set bit of the second. */
function carrylessProduct(high: boolean): Code {
  const c = new Code(['i64', 'i64']);
  const result = c.local('i64');
  const place = c.local('i64');
  const done = c.block();
  const loop = c.loop();
  c.get(1).op('i64.eqz').brIf(done);
  c.get(1).op('i64.ctz').set(place);
  c.get(result).get(0);
  // By 64 - place, in two steps: a shift by 64 would be one by 0.
  if (high) c.i64(1).op('i64.shr_u').i64(63).get(place).op('i64.sub', 'i64.shr_u');
  else c.get(place).op('i64.shl');
  c.op('i64.xor').set(result);
  c.get(1).get(1).i64(1).op('i64.sub', 'i64.and').set(1);
  c.br(loop);
  c.end();
  c.end();
  c.get(result);
  return c;
}

/** Adds the runtime functions in the order of `Runtime`; the names are those of `namedHelpers`. */
export function addRuntimeFunctions(module: ModuleBuilder): number[] {
  const condition = module.type([], ['i32']);
  const flags = module.type([], ['i64']);
  const pure = module.type(['i64', 'i64'], ['i64']);
  const indices: number[] = [];
  for (let cc = 0; cc < 16; cc += 2)
    indices.push(
      module.func(
        condition,
        byKind((c, source) => emitCondition(c, cc, source)),
      ),
    );
  indices.push(module.func(flags, byKind(emitArithmetic)));
  for (const code of [
    highProduct(false),
    highProduct(true),
    crcByte(),
    bitScatter(true),
    bitScatter(false),
    carrylessProduct(false),
    carrylessProduct(true),
    enterFunction(),
    leaveFunction(),
    fxsaveFunction(),
    fxrstorFunction(),
    xsaveFunction(),
    xrstorFunction(),
  ])
    indices.push(module.func(pure, code));
  indices.push(module.func(module.type(['i64', 'i32', 'i32'], ['i32']), tlbFill()));
  const moving = module.type(['i32', 'i32'], []);
  for (const code of [saveFunction(), restoreFunction()]) indices.push(module.func(moving, code));
  return indices;
}
