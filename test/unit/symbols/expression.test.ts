/** Location expressions operation by operation, and locations taken apart and read. */
import assert from 'node:assert/strict';
import { type EvaluationContext, type Location, SymbolFile, readLocation, sliceLocation } from '../../../debug-adapter/symbols/api';
import { OP } from '../../../debug-adapter/symbols/constants';
import { floatBits, floatFrom } from '../../../debug-adapter/symbols/stack-value';

/** An evaluator needs a file for what expressions refer to; these refer to nothing. */
const file = SymbolFile.open(new Uint8Array(0), { name: 'none', bias: 0x1000n });

const memory = new Uint8Array(256).map((_, i) => i);
const context: EvaluationContext = {
  pc: 0n,
  readMemory: (address, length) =>
    address >= 0x100n && address < 0x200n ? memory.subarray(Number(address) - 0x100, Number(address) - 0x100 + length) : undefined,
  register: (number) => (number === 40 ? undefined : number === 17 ? (0x1111n << 64n) | 0x2222n : BigInt(number) * 0x100n),
  cfa: () => 0x7000n,
  frameBase: () => 0x5000n,
  tlsBase: () => 0x9000n,
  entryValue: (operations) => (operations[0] === OP.reg0 + 5 ? 77n : undefined),
};

function evaluate(...bytes: number[]): Location {
  return file.evaluate({ bytes: Uint8Array.from(bytes), unitOffset: -1 }, context);
}

function address(...bytes: number[]): bigint {
  const location = evaluate(...bytes);
  assert.equal(
    location.kind,
    'memory',
    JSON.stringify(location, (_, v: unknown) => (typeof v === 'bigint' ? String(v) : v)),
  );
  return location.kind === 'memory' ? location.address : -1n;
}

function message(...bytes: number[]): string {
  const location = evaluate(...bytes);
  return location.kind === 'error' ? location.message : `no error but ${location.kind}`;
}

const lit = (n: number): number => OP.lit0 + n;
const ALL_ONES = (1n << 64n) - 1n;

describe('symbols: location expressions', () => {
  it('pushes constants of every form', () => {
    assert.equal(address(lit(31)), 31n);
    assert.equal(address(OP.const1u, 0xff), 0xffn);
    assert.equal(address(OP.const1s, 0xff), ALL_ONES);
    assert.equal(address(OP.const2u, 0x34, 0x12), 0x1234n);
    assert.equal(address(OP.const2s, 0xfe, 0xff), ALL_ONES - 1n);
    assert.equal(address(OP.const4u, 0, 0, 0, 0x80), 0x8000_0000n);
    assert.equal(address(OP.const4s, 0, 0, 0, 0x80), 0xffff_ffff_8000_0000n);
    assert.equal(address(OP.const8u, 1, 2, 3, 4, 5, 6, 7, 0x88), 0x8807_0605_0403_0201n);
    assert.equal(address(OP.constu, 0x80, 0x01), 128n);
    assert.equal(address(OP.consts, 0x7f), ALL_ONES);
    assert.equal(address(OP.addr, 0, 0x20, 0, 0, 0, 0, 0, 0), 0x3000n, 'addresses move with the bias');
  });

  it('moves values about the stack', () => {
    assert.equal(address(lit(5), lit(7), OP.swap, OP.minus), 2n);
    assert.equal(address(lit(5), OP.dup, OP.mul), 25n);
    assert.equal(address(lit(5), lit(7), OP.over, OP.plus, OP.plus), 17n);
    assert.equal(address(lit(1), lit(2), lit(3), OP.pick, 2), 1n);
    assert.equal(address(lit(1), lit(2), lit(3), OP.rot, OP.drop, OP.drop), 3n);
    assert.equal(address(lit(1), lit(2), OP.drop), 1n);
  });

  it('computes as DWARF says: division and order signed, shifts by their kind', () => {
    assert.equal(address(OP.consts, 0x79, lit(2), OP.div), BigInt.asUintN(64, -3n));
    assert.equal(address(lit(7), lit(4), OP.mod), 3n);
    assert.equal(address(OP.const1s, 0xf8, lit(1), OP.shra), BigInt.asUintN(64, -4n));
    assert.equal(address(OP.const1s, 0xf8, lit(1), OP.shr), 0x7fff_ffff_ffff_fffcn);
    assert.equal(address(lit(1), OP.const1u, 64, OP.shl), 0n);
    assert.equal(address(OP.const1s, 0xff, lit(0), OP.lt), 1n);
    assert.equal(address(lit(3), lit(3), OP.ge), 1n);
    assert.equal(address(lit(6), OP.neg, OP.abs), 6n);
    assert.equal(address(lit(0), OP.not), ALL_ONES);
    assert.equal(address(lit(12), lit(10), OP.xor), 6n);
    assert.equal(address(lit(4), OP.plus_uconst, 0x80, 0x01), 132n);
    assert.match(message(lit(1), lit(0), OP.div), /divides by zero/);
  });

  it('reads registers, memory, frame base, CFA and TLS', () => {
    assert.equal(address(OP.breg0 + 7, 0x78), 0x700n - 8n);
    assert.equal(address(OP.bregx, 9, 4), 0x904n);
    assert.equal(address(OP.fbreg, 0x70), 0x5000n - 16n);
    assert.equal(address(OP.call_frame_cfa), 0x7000n);
    assert.equal(address(lit(8), OP.form_tls_address), 0x9008n);
    assert.equal(address(lit(8), OP.GNU_push_tls_address), 0x9008n);
    assert.equal(address(OP.const2u, 0x10, 1, OP.deref), 0x1716_1514_1312_1110n);
    assert.equal(address(OP.const2u, 0x10, 1, OP.deref_size, 2), 0x1110n);
    assert.match(message(lit(0), OP.deref), /cannot be read/);
    assert.match(message(OP.breg0 + 31 - 0, 0, OP.bregx, 40, 0), /Register st7|Register 40/);
  });

  it('branches, but not for ever', () => {
    assert.equal(address(lit(5), lit(1), OP.bra, 1, 0, lit(9)), 5n);
    assert.equal(address(lit(0), OP.bra, 1, 0, lit(9), lit(8)), 8n);
    assert.equal(address(lit(3), OP.skip, 1, 0, lit(9)), 3n);
    assert.match(message(OP.skip, 0xfd, 0xff), /does not end/);
    assert.match(message(OP.skip, 0x10, 0), /branches outside/);
    assert.match(message(lit(1), OP.dup, OP.skip, 0xfc, 0xff), /overflows|does not end/);
  });

  it('describes registers, values and pieces', () => {
    assert.deepEqual(evaluate(OP.reg0 + 3), { kind: 'register', register: 3 });
    assert.deepEqual(evaluate(OP.regx, 33), { kind: 'register', register: 33 });
    assert.deepEqual(evaluate(lit(5), OP.stack_value), { kind: 'value', bytes: Uint8Array.of(5, 0, 0, 0, 0, 0, 0, 0) });
    assert.deepEqual(evaluate(OP.implicit_value, 2, 0xaa, 0xbb), { kind: 'value', bytes: Uint8Array.of(0xaa, 0xbb) });
    assert.deepEqual(evaluate(OP.reg0 + 1, OP.piece, 4, OP.piece, 2, OP.const2u, 0x10, 1, OP.piece, 2), {
      kind: 'pieces',
      pieces: [
        { location: { kind: 'register', register: 1 }, bitSize: 32, bitOffset: 0 },
        { location: { kind: 'optimized-out' }, bitSize: 16, bitOffset: 0 },
        { location: { kind: 'memory', address: 0x110n }, bitSize: 16, bitOffset: 0 },
      ],
    });
    const bits = evaluate(OP.reg0 + 1, OP.bit_piece, 4, 8, OP.const2u, 0x12, 1, OP.piece, 1);
    assert.deepEqual(readLocation(bits, 1, context), Uint8Array.of(0x21));
  });

  it('takes entry values from the caller, or gives the variable up', () => {
    assert.equal(address(OP.entry_value, 1, OP.reg0 + 5), 77n);
    assert.equal(address(OP.GNU_entry_value, 1, OP.reg0 + 5, lit(3), OP.plus), 80n);
    assert.deepEqual(evaluate(OP.entry_value, 1, OP.reg0 + 4, OP.stack_value), { kind: 'optimized-out' });
  });

  it('names what it cannot do', () => {
    assert.match(message(), /nothing on its stack/);
    assert.match(message(OP.plus), /too little/);
    assert.match(message(0xe9), /Unknown operation DW_OP_0xe9/);
    assert.match(message(OP.const4u, 1), /cut off/);
    assert.match(message(OP.push_object_address), /address of an object/);
  });

  it('reads and slices objects in registers and pieces', () => {
    const vector: Location = { kind: 'register', register: 17 };
    assert.deepEqual(readLocation(vector, 8, context), Uint8Array.of(0x22, 0x22, 0, 0, 0, 0, 0, 0));
    assert.deepEqual(readLocation(sliceLocation(vector, 8, 8), 8, context), Uint8Array.of(0x11, 0x11, 0, 0, 0, 0, 0, 0));
    const pieces = evaluate(OP.reg0 + 1, OP.piece, 8, OP.const2u, 0x10, 1, OP.piece, 8);
    assert.deepEqual(readLocation(pieces, 16, context), Uint8Array.of(0, 1, 0, 0, 0, 0, 0, 0, 16, 17, 18, 19, 20, 21, 22, 23));
    assert.deepEqual(sliceLocation(pieces, 0, 8), { kind: 'register', register: 1 });
    assert.deepEqual(sliceLocation(pieces, 12, 4), { kind: 'memory', address: 0x114n });
    assert.deepEqual(readLocation(sliceLocation(pieces, 6, 4), 4, context), Uint8Array.of(0, 0, 16, 17));
    assert.equal(readLocation(evaluate(OP.reg0 + 1, OP.piece, 4, OP.piece, 4), 8, context), undefined);
    assert.deepEqual(sliceLocation(evaluate(OP.piece, 4, OP.reg0, OP.piece, 4), 0, 4), { kind: 'optimized-out' });
  });

  it('converts floating point formats', () => {
    for (const value of [0, 1, -1.5, 3.25e100, -1e-300, Infinity, -Infinity]) {
      for (const size of [8, 10, 16]) assert.equal(floatFrom(floatBits(value, size), size), value, `${value} in ${size} bytes`);
    }
    assert.equal(floatFrom(floatBits(0.5, 4), 4), 0.5);
    assert.ok(Number.isNaN(floatFrom(floatBits(NaN, 10), 10)));
    assert.equal(floatBits(1, 10), 0x3fff_8000_0000_0000_0000n);
  });
});
