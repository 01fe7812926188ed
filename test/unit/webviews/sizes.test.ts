/** The page of sizes without a page: treemaps fill their space exactly, two builds lie over each other, numbers read well. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { overlay } from '../../../src/features/sizes-model';
import { sizeText } from '../../../src/shared/size-text';
import { changeText, partText } from '../../../src/webviews/sizes/format';
import { squarify, type Box } from '../../../src/webviews/sizes/treemap';

describe('a treemap', () => {
  const space: Box = { x: 3, y: 5, width: 640, height: 360 };

  it('gives each size its area, within the space and without overlaps', () => {
    const seed = Number(process.env['SEED'] ?? Date.now() & 0x7fffffff);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 1_000_000 }), { minLength: 1, maxLength: 60 }), (given) => {
        const sizes = given.sort((a, b) => b - a);
        const total = sizes.reduce((sum, size) => sum + size, 0);
        const boxes = squarify(sizes, space);
        if (total === 0) return boxes.every((box) => box === undefined);
        boxes.forEach((box, at) => {
          assert.equal(box === undefined, sizes[at] === 0);
          if (!box) return;
          const area = (sizes[at]! / total) * space.width * space.height;
          assert.ok(Math.abs(box.width * box.height - area) < 1e-3 * Math.max(area, 1), `area of ${sizes[at]}`);
          assert.ok(box.x >= space.x - 1e-6 && box.y >= space.y - 1e-6);
          assert.ok(box.x + box.width <= space.x + space.width + 1e-6 && box.y + box.height <= space.y + space.height + 1e-6);
        });
        const placed = boxes.filter((box) => box !== undefined);
        for (const [at, a] of placed.entries())
          for (const b of placed.slice(at + 1)) {
            const wide = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
            const high = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
            assert.ok(wide < 1e-6 || high < 1e-6, 'two boxes overlap');
          }
        return true;
      }),
      { seed, numRuns: 300 },
    );
  });

  it('makes boxes that are nearly square', () => {
    const boxes = squarify([6, 6, 4, 3, 2, 2, 1], { x: 0, y: 0, width: 6, height: 4 });
    for (const box of boxes) assert.ok(box && Math.max(box.width / box.height, box.height / box.width) <= 3);
  });
});

describe('sizes of two builds', () => {
  it('lie over each other, what is gone and what is new with them', () => {
    const leaf = (name: string, size: number) => ({ name, size, children: [] });
    const before = { name: 'a', size: 30, children: [leaf('x', 20), leaf('old', 10)] };
    const after = { name: 'b', size: 29, children: [leaf('x', 24), leaf('new', 5)] };
    assert.deepEqual(overlay(before, after), {
      name: 'b',
      size: 29,
      before: 30,
      children: [
        { name: 'x', size: 24, before: 20, children: [] },
        { name: 'new', size: 5, before: 0, children: [] },
        { name: 'old', size: 0, before: 10, children: [] },
      ],
    });
  });

  it('meet where one names objects and the other sources', () => {
    const leaf = (name: string, size: number) => ({ name, size, children: [] });
    const before = { name: 'a', size: 50, children: [leaf('plat/pc/traps.c', 20), leaf('plat/pc/start64.S', 20), leaf('handler.c', 10)] };
    const after = { name: 'b', size: 56, children: [leaf('traps.c.isr.o', 24), leaf('start64.S.o', 20), leaf('(no symbol)', 12)] };
    assert.deepEqual(
      overlay(before, after).children.map(({ name, size, before: was }) => [name, size, was]),
      [
        ['traps.c.isr.o', 24, 20],
        ['start64.S.o', 20, 20],
        ['(no symbol)', 12, 0],
        ['handler.c', 0, 10],
      ],
    );
  });

  it('are written for people', () => {
    assert.deepEqual([0, 1023, 1024, 150_000, 5_000_000].map(sizeText), ['0 B', '1023 B', '1.0 KiB', '146 KiB', '4.77 MiB']);
    assert.deepEqual([0, 10, -2048].map(changeText), ['±0', '+10 B', '−2.0 KiB']);
    assert.deepEqual([partText(1, 8), partText(1, 0)], ['12.5 %', '']);
  });
});
