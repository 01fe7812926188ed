/** Where functions begin, as calls tell. */

import assert from 'node:assert/strict';
import { FunctionStarts } from '../../../debug-adapter/x86/jit/function-starts';

describe('starts of functions', () => {
  it('are the nearest call targets at or below an address', () => {
    const starts = new FunctionStarts();
    for (const key of [0x1000, 0x1400, 0x2ff0, 0x1400]) starts.note(key);
    assert.equal(starts.of(0x1400), 0x1400);
    assert.equal(starts.of(0x13ff), 0x1000);
    assert.equal(starts.of(0x2010), 0x1400, 'a function may go on in the next page');
    assert.equal(starts.of(0x3100), 0x2ff0);
  });

  it('are not looked for far away, nor above', () => {
    const starts = new FunctionStarts();
    starts.note(0x10_0000);
    assert.equal(starts.of(0x0f_ffff), undefined);
    assert.equal(starts.of(0x10_2001), undefined);
    assert.equal(starts.of(-0x1000), undefined);
    starts.clear();
    assert.equal(starts.of(0x10_0000), undefined);
  });
});
