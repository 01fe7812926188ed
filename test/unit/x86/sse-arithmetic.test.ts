/** The exact SSE arithmetic on values whose results the manual and the standard fix; the lock-step tests hold it against a real processor at length. */

import assert from 'node:assert/strict';
import {
  add,
  compare,
  divide,
  integerSquareRoot,
  maximum,
  minimum,
  multiply,
  order,
  squareRoot,
  subtract,
} from '../../../debug-adapter/x86/fp/arithmetic';
import { fromInteger, narrow, toInteger, toIntegral, widen } from '../../../debug-adapter/x86/fp/convert';
import { Mxcsr, Rounding, SseControl, bitLength, double, single } from '../../../debug-adapter/x86/fp/format';

const scratch = new DataView(new ArrayBuffer(8));
const bits = (value: number): bigint => {
  scratch.setFloat64(0, value);
  return scratch.getBigUint64(0);
};
const bits32 = (value: number): bigint => {
  scratch.setFloat32(0, value);
  return BigInt(scratch.getUint32(0));
};

/** A control with everything masked, rounding to nearest unless told otherwise. */
function control(rounding: number = Rounding.nearest, more = 0): SseControl {
  const c = new SseControl();
  c.load(Mxcsr.reset | (rounding << Mxcsr.roundingShift) | more);
  return c;
}

const { invalid, denormal, zeroDivide, overflow, underflow, precision } = Mxcsr;
const inf = bits(Infinity);
const leastDenormal = 1n;
const leastNormal = 1n << 52n;

describe('SSE arithmetic', () => {
  it('agrees with the host in rounding to nearest', () => {
    const values = [0.1, 0.2, 3, -7.25, 1e300, -1e-300, 1 / 3, 2 ** 53 + 2, -0];
    const c = control();
    for (const a of values) {
      for (const b of values) {
        assert.equal(add(c, double, bits(a), bits(b)), bits(a + b), `${a} + ${b}`);
        assert.equal(subtract(c, double, bits(a), bits(b)), bits(a - b), `${a} - ${b}`);
        assert.equal(multiply(c, double, bits(a), bits(b)), bits(a * b), `${a} * ${b}`);
        if (b !== 0) assert.equal(divide(c, double, bits(a), bits(b)), bits(a / b), `${a} / ${b}`);
        assert.equal(add(c, single, bits32(a), bits32(b)), bits32(Math.fround(Math.fround(a) + Math.fround(b))), `${a} + ${b} in single`);
      }
      if (a >= 0) assert.equal(squareRoot(c, double, 0n, bits(a)), bits(Math.sqrt(a)), `root of ${a}`);
    }
  });

  it('raises PE for what is rounded and nothing for what is exact', () => {
    const c = control();
    add(c, double, bits(1), bits(2));
    multiply(c, double, bits(3), bits(5));
    divide(c, double, bits(6), bits(3));
    squareRoot(c, double, 0n, bits(9));
    assert.equal(c.flags, 0);
    divide(c, double, bits(1), bits(3));
    assert.equal(c.flags, precision);
  });

  it('rounds as MXCSR.RC says', () => {
    const third = (mode: number, sign: number): bigint => divide(control(mode), double, bits(sign), bits(3));
    assert.equal(third(Rounding.up, 1), third(Rounding.down, 1) + 1n);
    assert.equal(third(Rounding.chop, 1), third(Rounding.down, 1));
    assert.equal(third(Rounding.down, -1), third(Rounding.up, -1) + 1n);
    assert.equal(subtract(control(Rounding.down), double, bits(1), bits(1)), bits(-0));
    assert.equal(subtract(control(), double, bits(1), bits(1)), bits(0));
  });

  it('gives infinities and greatest numbers on overflow by the rounding mode', () => {
    const greatest = inf - 1n;
    for (const [mode, result] of [
      [Rounding.nearest, inf],
      [Rounding.up, inf],
      [Rounding.down, greatest],
      [Rounding.chop, greatest],
    ] as const) {
      const c = control(mode);
      assert.equal(multiply(c, double, greatest, bits(2)), result);
      assert.equal(c.flags, overflow | precision);
    }
  });

  it('keeps denormals, or flushes them under FTZ and DAZ', () => {
    const half = bits(0.5);
    let c = control();
    assert.equal(multiply(c, double, leastNormal, half), leastNormal >> 1n);
    assert.equal(c.flags, 0, 'an exact denormal result is no underflow while it is masked');
    assert.equal(multiply(c, double, leastDenormal, half), 0n);
    assert.equal(c.flags, denormal | underflow | precision);
    c = control(Rounding.nearest, Mxcsr.flushToZero);
    assert.equal(multiply(c, double, leastNormal, half), 0n);
    assert.equal(c.flags, underflow | precision);
    c = control(Rounding.nearest, Mxcsr.denormalsAreZero);
    assert.equal(add(c, double, leastDenormal, leastDenormal), 0n);
    assert.equal(c.flags, 0);
  });

  it('passes the first NaN on, quieted, and makes the indefinite one for invalid operations', () => {
    const signaling = 0x7ff4_0000_0000_0001n;
    const quiet = 0xfff8_0000_0000_0002n;
    let c = control();
    assert.equal(add(c, double, signaling, quiet), signaling | double.quiet);
    assert.equal(c.flags, invalid);
    c = control();
    assert.equal(add(c, double, bits(1), quiet), quiet);
    assert.equal(c.flags, 0);
    for (const [name, result] of [
      ['inf - inf', subtract(control(), double, inf, inf)],
      ['0 * inf', multiply(control(), double, 0n, inf)],
      ['0 / 0', divide(control(), double, 0n, 0n)],
      ['root of -1', squareRoot(control(), double, 0n, bits(-1))],
    ] as const) {
      assert.equal(result, double.indefinite, name);
    }
  });

  it('raises ZE for a number divided by zero', () => {
    const c = control();
    assert.equal(divide(c, double, bits(-1), 0n), inf | double.signBit);
    assert.equal(c.flags, zeroDivide);
  });

  it('drops OE, UE and PE where an exception was found before computing and is not masked', () => {
    const c = new SseControl();
    c.load(Mxcsr.reset & ~(denormal << Mxcsr.maskShift));
    multiply(c, double, leastDenormal, bits(0.5));
    assert.equal(c.finish(), denormal);
  });

  it('takes the second operand of MIN and MAX where there is no less and no greater', () => {
    const nan = 0x7ff8_0000_0000_0001n;
    const c = control();
    assert.equal(minimum(c, double, bits(0), bits(-0)), bits(-0));
    assert.equal(maximum(c, double, bits(-0), bits(0)), bits(0));
    assert.equal(minimum(c, double, nan, bits(1)), bits(1));
    assert.equal(maximum(c, double, bits(1), nan), nan);
    assert.equal(c.flags, invalid);
    assert.equal(minimum(c, double, bits(-2), bits(1)), bits(-2));
  });

  it('compares by all eight predicates', () => {
    const nan = 0x7ff8_0000_0000_0000n;
    const truth = (a: bigint, b: bigint): string =>
      [0, 1, 2, 3, 4, 5, 6, 7].map((p) => (compare(control(), double, a, b, p) === 0n ? '0' : '1')).join('');
    assert.equal(truth(bits(1), bits(1)), '10100101');
    assert.equal(truth(bits(1), bits(2)), '01101001');
    assert.equal(truth(bits(2), bits(1)), '00001111');
    assert.equal(truth(bits(0), nan), '00011110');
    const c = control();
    assert.equal(order(c, double, nan, bits(0), false), undefined);
    assert.equal(c.flags, 0);
    order(c, double, nan, bits(0), true);
    assert.equal(c.flags, invalid);
    assert.equal(order(c, double, bits(-0), bits(0), false), 0);
  });
});

describe('SSE conversions', () => {
  it('rounds to integers by mode and gives the indefinite integer for what does not fit', () => {
    const to32 = (value: number, mode: number): bigint => BigInt.asIntN(32, toInteger(control(), double, bits(value), 32, mode));
    assert.deepEqual(
      [2.5, 3.5, -2.5, -0.5].map((x) => to32(x, Rounding.nearest)),
      [2n, 4n, -2n, 0n],
    );
    assert.deepEqual(
      [2.5, -2.5].map((x) => to32(x, Rounding.down)),
      [2n, -3n],
    );
    assert.deepEqual(
      [2.5, -2.5].map((x) => to32(x, Rounding.up)),
      [3n, -2n],
    );
    assert.deepEqual(
      [2.9, -2.9].map((x) => to32(x, Rounding.chop)),
      [2n, -2n],
    );
    const c = control();
    for (const value of [2 ** 31, -(2 ** 31) - 1, Infinity, NaN, 1e300]) {
      assert.equal(toInteger(c, double, bits(value), 32, Rounding.nearest), 0x8000_0000n, `${value}`);
    }
    assert.equal(c.flags, invalid);
    assert.equal(toInteger(control(), double, bits(-(2 ** 31)), 32, Rounding.nearest), 0x8000_0000n);
    assert.equal(toInteger(control(), double, bits(-(2 ** 63)), 64, Rounding.nearest), 1n << 63n);
  });

  it('converts integers with one rounding', () => {
    assert.equal(fromInteger(control(), single, 16_777_217n), bits32(16_777_216));
    assert.equal(fromInteger(control(Rounding.up), single, 16_777_217n), bits32(16_777_218));
    assert.equal(fromInteger(control(), double, -(1n << 63n)), bits(-(2 ** 63)));
    assert.equal(fromInteger(control(), double, 0n), 0n);
  });

  it('changes formats, NaN payloads included', () => {
    assert.equal(widen(control(), bits32(0.1)), bits(Math.fround(0.1)));
    assert.equal(narrow(control(), bits(0.1)), bits32(0.1));
    assert.equal(widen(control(), 0x7f80_0001n), 0x7ff8_0000_2000_0000n);
    assert.equal(narrow(control(), 0xfff4_0000_2000_0000n), 0xffe0_0001n);
    const c = control();
    assert.equal(narrow(c, bits(1e300)), bits32(Infinity));
    assert.equal(c.flags, overflow | precision);
  });

  it('rounds to integral values with their signs', () => {
    const round = (value: number, mode: number): bigint => toIntegral(control(), double, bits(value), mode, false);
    assert.equal(round(-0.25, Rounding.nearest), bits(-0));
    assert.equal(round(-0.25, Rounding.down), bits(-1));
    assert.equal(round(0.25, Rounding.up), bits(1));
    assert.equal(round(1e18, Rounding.down), bits(1e18));
    assert.equal(round(2.5, Rounding.nearest), bits(2));
    const c = control();
    toIntegral(c, double, bits(0.5), Rounding.chop, true);
    assert.equal(c.flags, 0);
  });
});

describe('exact integers', () => {
  it('measures and roots', () => {
    assert.equal(bitLength(1n), 1);
    assert.equal(bitLength((1n << 53n) - 1n), 53);
    assert.equal(bitLength(1n << 200n), 201);
    for (const root of [0n, 1n, 94906265n, (1n << 56n) - 1n, (1n << 60n) + 12345n]) {
      assert.equal(integerSquareRoot(root * root), root);
      assert.equal(integerSquareRoot(root * root + root), root);
    }
  });
});
