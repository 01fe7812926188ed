/** Texts of registers and their parts. */
import assert from 'node:assert/strict';
import { describeBits, laneKinds, parseInteger, readLanes, rflagsBits, writeLane, x87Text } from '../../../debug-adapter/control/registers';

describe('register texts', () => {
  it('name the set flags', () => assert.equal(describeBits(0x3246n, rflagsBits), 'PF ZF IF IOPL=3'));

  const integers: readonly (readonly [string, number, bigint | undefined])[] = [
    ['10', 8, 10n],
    ['0xff', 8, 0xffn],
    ['0b101', 8, 5n],
    ['-1', 16, 0xffffn],
    ['-128', 8, 0x80n],
    ['-129', 8, undefined],
    ['256', 8, undefined],
    ['0x', 8, undefined],
    ['ten', 64, undefined],
    ['18446744073709551615', 64, 0xffff_ffff_ffff_ffffn],
  ];
  for (const [text, bits, value] of integers) it(`reads "${text}" as ${bits} bits`, () => assert.equal(parseInteger(text, bits), value));

  it('round-trips every lane kind', () => {
    for (const kind of laneKinds) {
      const bytes = new Uint8Array(16);
      const last = 16 / kind.bytes - 1;
      assert.ok(writeLane(bytes, kind, last, kind.float ? '-2.5' : '-3'), kind.name);
      const lanes = readLanes(bytes, kind, false);
      assert.equal(lanes[last], kind.float ? '-2.5' : '-3', kind.name);
      assert.equal(lanes[0], last === 0 ? lanes[last] : '0', kind.name);
      assert.ok(!writeLane(bytes, kind, last + 1, '1'), kind.name);
      assert.ok(!writeLane(bytes, kind, 0, 'word'), kind.name);
    }
  });

  const x87 = (signExponent: number, significand: bigint): string => {
    const bytes = new Uint8Array(10);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(0, significand, true);
    view.setUint16(8, signExponent, true);
    return x87Text(bytes);
  };
  it('reads x87 values', () => {
    assert.equal(x87(0x3fff, 1n << 63n), '1');
    assert.equal(x87(0xc000, 3n << 62n), '-3');
    assert.equal(x87(0x8000, 0n), '-0');
    assert.equal(x87(0x7fff, 1n << 63n), 'Infinity');
    assert.equal(x87(0x7fff, 3n << 62n), 'NaN');
  });
});
