/** Names of threads in packets, and the list where there are no symbols. */
import assert from 'node:assert/strict';
import { parseThread } from '../../../debug-adapter/gdb/threads';

describe('gdb: threads', () => {
  const cases: readonly (readonly [string, ReturnType<typeof parseThread>])[] = [
    ['1', 1],
    ['1f', 31],
    ['0', 'any'],
    ['-1', 'all'],
    ['p1.2', 2],
    ['p1.-1', 'all'],
    ['p0.0', 'any'],
    ['p-1.-1', 'all'],
    ['p1', 'all'],
    ['p2.1', undefined],
    ['p1.', undefined],
    ['', undefined],
    ['x', undefined],
    ['1 ', undefined],
    ['123456789', undefined],
  ];
  for (const [text, name] of cases) it(`"${text}" is ${name ?? 'no thread'}`, () => assert.equal(parseThread(text), name));
});
