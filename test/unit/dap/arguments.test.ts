/** The boundary check of requests' arguments: what passes, what is cleaned, and what is refused with the field's name. */
import assert from 'node:assert/strict';
import { checkArguments } from '../../../debug-adapter/dap/arguments';
import { ProtocolError } from '../../../debug-adapter/dap/errors';
import { type Command } from '../../../debug-adapter/dap/handler';

const refused: readonly (readonly [command: Command, args: unknown, sentence: RegExp])[] = [
  ['setBreakpoints', undefined, /"arguments" must be an object, and is missing/],
  ['setBreakpoints', [], /"arguments" must be an object/],
  ['setBreakpoints', { source: 'main.c' }, /"source" must be an object/],
  ['setBreakpoints', { source: { path: 5 } }, /"source.path" must be a string/],
  ['setBreakpoints', { source: {}, breakpoints: [{ line: 1 }, {}] }, /"breakpoints\[1\].line" must be a whole number.*, and is missing/],
  ['setBreakpoints', { source: {}, breakpoints: [{ line: 1.5 }] }, /"breakpoints\[0\].line"/],
  ['setBreakpoints', { source: {}, breakpoints: [null] }, /"breakpoints\[0\]" must be an object/],
  ['setFunctionBreakpoints', {}, /"breakpoints" must be a list, and is missing/],
  ['setDataBreakpoints', { breakpoints: [{ dataId: '0x10:0' }] }, /dataId/],
  ['setDataBreakpoints', { breakpoints: [{ dataId: '0x10:8', accessType: 'execute' }] }, /one of "read", "write", "readWrite"/],
  ['dataBreakpointInfo', { name: 'x', bytes: 0 }, /"bytes" must be a whole number from 1/],
  ['variables', { variablesReference: 2 ** 31 }, /"variablesReference"/],
  ['variables', { variablesReference: 1, format: { hex: 'yes' } }, /"format.hex" must be true or false/],
  ['evaluate', { expression: {} }, /"expression" must be a string/],
  ['disassemble', { memoryReference: '0x0', instructionCount: 10_001 }, /"instructionCount"/],
  ['disassemble', { memoryReference: '0x0', instructionCount: 1, instructionOffset: -1e9 }, /"instructionOffset"/],
  ['readMemory', { memoryReference: '0x0', count: -1 }, /"count"/],
  ['stepIn', { threadId: '1' }, /"threadId"/],
  ['unikernel/consoleInput', {}, /"text" must be a string, and is missing/],
];

describe('arguments of requests', () => {
  for (const [command, args, sentence] of refused)
    it(`refuse ${command} ${JSON.stringify(args)}`, () => {
      assert.throws(
        () => checkArguments(command, args),
        (error) => error instanceof ProtocolError && error.id === 1002 && sentence.test(error.message) && error.message.includes(command),
      );
    });

  it('pass as they are, fields that are not ours too', () => {
    const args = { source: { path: '/a.c', adapterData: [1] }, breakpoints: [{ line: 3, condition: 'x', mode: 'hardware' }], lines: [3] };
    assert.deepEqual(checkArguments('setBreakpoints', args), args);
  });

  it('take null for a field that is not there', () => {
    assert.deepEqual(checkArguments('stackTrace', { threadId: 1, startFrame: null, levels: 2 }), { threadId: 1, levels: 2 });
    assert.equal(checkArguments('threads', null), undefined);
  });

  it('are not needed where the protocol has none', () => {
    for (const command of ['configurationDone', 'disconnect', 'restart', 'terminate', 'modules', 'continue', 'pause'] as const)
      assert.equal(checkArguments(command, undefined), undefined, command);
  });
});
