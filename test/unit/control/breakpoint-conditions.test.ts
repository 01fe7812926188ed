/** Hit conditions and log messages of breakpoints. */
import assert from 'node:assert/strict';
import { Breakpoint } from '../../../debug-adapter/control/breakpoints/breakpoint';
import { parseHitCondition } from '../../../debug-adapter/control/breakpoints/hit-condition';
import { parseLogMessage } from '../../../debug-adapter/control/breakpoints/log-message';

const hitsThatCount = (text: string): number[] => {
  const condition = parseHitCondition(text);
  return [1, 2, 3, 4, 5, 6].filter((hits) => condition(hits));
};

describe('hit conditions', () => {
  const cases: readonly (readonly [string, readonly number[]])[] = [
    ['3', [3, 4, 5, 6]],
    ['>= 3', [3, 4, 5, 6]],
    ['> 3', [4, 5, 6]],
    ['= 3', [3]],
    ['==3', [3]],
    ['<3', [1, 2]],
    ['<= 3', [1, 2, 3]],
    ['% 2', [2, 4, 6]],
    ['% 0', []],
  ];
  for (const [text, counted] of cases)
    it(`"${text}" counts ${counted.join(' ') || 'nothing'}`, () => assert.deepEqual(hitsThatCount(text), counted));

  for (const text of ['', 'x', '3 4', '!= 3', '-1', '>']) {
    it(`refuses "${text}" and says what to write`, () =>
      assert.throws(() => parseHitCondition(text), { code: 'hit-condition', message: /Write a number/ }));
  }
});

describe('log messages', () => {
  it('split into text and expressions', () => {
    assert.deepEqual(parseLogMessage('n = {n}, twice {n * 2}!'), [
      { text: 'n = ' },
      { expression: 'n' },
      { text: ', twice ' },
      { expression: 'n * 2' },
      { text: '!' },
    ]);
  });
  it('keep escaped and unclosed braces as text', () => {
    assert.deepEqual(parseLogMessage('\\{x\\} {open'), [{ text: '{x} {open' }]);
  });
  it('let braces nest', () => {
    assert.deepEqual(parseLogMessage('{a {b} c}'), [{ expression: 'a {b} c' }]);
  });
});

describe('a breakpoint', () => {
  const evaluator = (values: Readonly<Record<string, boolean | string>>) => ({
    isTrue: (expression: string) => {
      if (!(expression in values)) throw new Error(`no ${expression}`);
      return values[expression] === true;
    },
    text: (expression: string) => {
      if (!(expression in values)) throw new Error(`no ${expression}`);
      return String(values[expression]);
    },
  });
  const site = [{ address: 0x1000n }];

  it('stops on each hit without options', () => {
    assert.deepEqual(new Breakpoint(1, 'breakpoint', {}, site, undefined).hit(evaluator({}), 1), { kind: 'stop' });
  });
  it('passes where its condition is false, and does not count that hit', () => {
    const breakpoint = new Breakpoint(1, 'breakpoint', { condition: 'c', hitCondition: '= 1' }, site, undefined);
    assert.equal(breakpoint.hit(evaluator({ c: false }), 1).kind, 'pass');
    assert.equal(breakpoint.hit(evaluator({ c: true }), 1).kind, 'stop');
    assert.equal(breakpoint.hit(evaluator({ c: true }), 2).kind, 'pass');
    assert.equal(breakpoint.hit(evaluator({ c: true }), 1).kind, 'stop', 'the first hit, when the past runs again');
    breakpoint.forgetAfter(0);
    assert.equal(breakpoint.hit(evaluator({ c: true }), 3).kind, 'stop', 'the first hit of another future');
  });
  it('stops with a note where its condition cannot be evaluated', () => {
    const outcome = new Breakpoint(1, 'breakpoint', { condition: 'gone' }, site, undefined).hit(evaluator({}), 1);
    assert.ok(outcome.kind === 'stop' && outcome.note?.includes('no gone'));
  });
  it('logs instead of stopping, with what an expression lacks in its place', () => {
    const outcome = new Breakpoint(1, 'breakpoint', { logMessage: 'a={a} b={b}' }, site, undefined).hit(evaluator({ a: '1' }), 1);
    assert.ok(outcome.kind === 'log');
    assert.equal(outcome.text(), 'a=1 b=<no b>');
  });
  it('is not verified with a bad hit condition', () => {
    const { status } = new Breakpoint(7, 'breakpoint', { hitCondition: 'often' }, site, undefined);
    assert.equal(status.verified, false);
    assert.match(status.message ?? '', /not a hit condition/);
  });
});
