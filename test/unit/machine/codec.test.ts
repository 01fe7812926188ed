import assert from 'node:assert/strict';
import { ByteReader, ByteWriter, decode, encode } from '../../../debug-adapter/machine/codec';
import { MachineError } from '../../../debug-adapter/machine/api';

function bytesOf(value: unknown): Uint8Array {
  const out = new ByteWriter();
  encode(out, value);
  return out.finish();
}

describe('codec', () => {
  it('brings every kind of value back', () => {
    const value = {
      a: [1, -1, 1.5, 0xffff_ffff, 2 ** 40, NaN, -0, true, false, null, undefined],
      text: 'käse',
      big: [0n, -5n, 1n << 70n],
      bytes: Uint8Array.of(1, 2, 3),
      nested: { x: {} },
    };
    assert.deepEqual(decode(new ByteReader(bytesOf(value))), value);
  });

  it('writes equal data as equal bytes whatever the order of keys', () => {
    assert.deepEqual(bytesOf({ a: 1, b: 2 }), bytesOf({ b: 2, a: 1 }));
  });

  it('refuses every truncation and unknown tags', () => {
    const whole = bytesOf({ list: [1, 'two', 3n, Uint8Array.of(4)] });
    for (let length = 0; length < whole.length; length++)
      assert.throws(() => decode(new ByteReader(whole.subarray(0, length))), MachineError);
    assert.throws(() => decode(new ByteReader(Uint8Array.of(99))), MachineError);
    const deep = Uint8Array.from({ length: 5000 }, (_, i) => (i % 5 === 0 ? 9 : i % 5 === 1 ? 1 : 0));
    assert.throws(() => decode(new ByteReader(deep)), MachineError);
  });
});
