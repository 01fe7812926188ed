/** The fields of a launch configuration: defaults, limits, and the sentences for what is wrong. */
import assert from 'node:assert/strict';
import { ProtocolError } from '../../../debug-adapter/dap/errors';
import { memoryLimits, parseLaunchArguments } from '../../../debug-adapter/dap/launch-arguments';

const refusal = (fields: Readonly<Record<string, unknown>>): ProtocolError => {
  try {
    parseLaunchArguments(fields);
  } catch (error) {
    if (error instanceof ProtocolError) return error;
    throw error;
  }
  return assert.fail(`${JSON.stringify(fields)} was accepted`);
};

describe('a launch configuration', () => {
  it('needs an image only', () => {
    const parsed = parseLaunchArguments({ image: '/k' } as object);
    assert.equal(parsed.memory, 128);
    assert.equal(parsed.clock, 'real');
    assert.deepEqual(parsed.trace, ['syscalls', 'tls']);
    assert.equal(parsed.stopOnEntry, false);
  });

  it('may hold what the editor adds', () => {
    parseLaunchArguments({ image: '/k', type: 'unikernel', request: 'launch', name: 'x', preLaunchTask: 'b', __sessionId: '1' } as object);
  });

  it('keeps memory within what the machine takes', () => {
    for (const memory of [memoryLimits.least, memoryLimits.most]) parseLaunchArguments({ image: '/k', memory } as object);
    for (const memory of [memoryLimits.least - 1, memoryLimits.most + 1, 3.5, '64', Infinity])
      assert.match(refusal({ image: '/k', memory }).message, /"memory" must be a whole number of MiB from 2 to 3072/);
  });

  it('suggests the name that was meant, and lists them all where none is near', () => {
    assert.match(refusal({ image: '/k', memry: 64 }).message, /no setting "memry"; did you mean "memory"\?/);
    assert.match(refusal({ image: '/k', STOPONENTRY: true }).message, /did you mean "stopOnEntry"\?/);
    assert.match(refusal({ image: '/k', colour: 'red' }).message, /no setting "colour"\. There are image, symbols/);
  });

  it('shows every refusal to the user', () => {
    for (const fields of [
      {},
      { image: '' },
      { image: 5 },
      { image: '/k', cpu: 'fast' },
      { image: '/k', disks: 'a' },
      { image: '/k', disks: [1] },
      { image: '/k', devices: ['floppy'] },
      { image: '/k', sourceMap: { a: 1 } },
    ])
      assert.ok(refusal(fields).showUser, JSON.stringify(fields));
  });
});
