/** Plans: wherever trying everything finds a way, a plan is found; every plan leads to its goal when its steps are taken. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Evaluation } from '../../../src/kconfig/evaluate';
import { how } from '../../../src/kconfig/how';
import { menuSymbols, modelOf, named, valuesOf } from './helpers';
import { randomOf, randomTree, runSeed } from './random-tree';

/** Every `symbol=value` that some sequence of menu edits reaches, or undefined where there are too many configurations to try. */
function reachable(start: Evaluation): Set<string> | undefined {
  const symbols = menuSymbols(start.model);
  const goals = new Set<string>();
  const seen = new Set([start.userKey()]);
  const queue = [start];
  for (const values of queue) {
    if (queue.length > 1500) return undefined;
    for (const symbol of symbols) goals.add(`${symbol.label}=${values.text(symbol)}`);
    for (const symbol of symbols) {
      for (const value of ['y', 'm', 'n']) {
        if (values.text(symbol) === value || !values.accepts(symbol, value)) continue;
        const next = values.fork();
        next.set(symbol, value);
        const key = next.userKey();
        if (seen.has(key)) continue;
        seen.add(key);
        queue.push(next);
      }
    }
  }
  return goals;
}

describe('plans', function () {
  const seed = runSeed();

  it('are found wherever exhaustive search finds a way, and nowhere else', function () {
    this.timeout(120_000 + 10_000 * Number(process.env['HOW_ROUNDS'] ?? 0));
    let compared = 0;
    let withPlan = 0;
    fc.assert(
      fc.property(fc.nat(), (number) => {
        const random = randomOf(number);
        const model = modelOf(randomTree(random, { symbols: 5, tristates: random(4) === 0, choices: true }));
        const start = valuesOf(model);
        const goals = reachable(start);
        if (!goals) return;
        for (const symbol of menuSymbols(model)) {
          for (const wanted of symbol.type === 'tristate' ? ['y', 'm', 'n'] : ['y', 'n']) {
            const answer = how(start, symbol, wanted, { tries: 20_000, steps: 12 });
            const possible = goals.has(`${symbol.label}=${wanted}`);
            compared++;
            if (possible) withPlan++;
            assert.equal(answer.plans.length > 0, possible, `${symbol.label}=${wanted}`);
            for (const plan of answer.plans) {
              const values = start.fork();
              for (const step of plan.steps)
                assert.ok(values.set(step.symbol, step.value), `${step.symbol.label}=${step.value} is refused`);
              assert.equal(values.text(symbol), wanted);
            }
          }
        }
      }),
      { seed, numRuns: Number(process.env['HOW_ROUNDS'] ?? 60) },
    );
    console.log(`    ${compared} goals, ${withPlan} of them possible`);
  });

  it('put the fewest and least far-reaching changes first', function () {
    const model = modelOf(
      'config A\n\tbool "a"\nconfig B\n\tbool "b"\nconfig C\n\tbool "c"\n\tdepends on A || B && A\nconfig D\n\tbool "d"\n\tselect C\n\tdepends on B\n',
    );
    const [best, second] = how(valuesOf(model), named(model, 'C'), 'y').plans;
    assert.deepEqual(
      best?.steps.map(({ symbol, value }) => `${symbol.label}=${value}`),
      ['A=y', 'C=y'],
    );
    assert.deepEqual(
      second?.steps.map(({ symbol, value }) => `${symbol.label}=${value}`),
      ['B=y', 'D=y'],
    );
    assert.deepEqual(
      best?.changes.map(({ symbol, before, after }) => `${symbol.label}:${before}${after}`),
      ['A:ny', 'C:ny'],
    );
  });

  it('say what stands in the way where there is none', function () {
    const model = modelOf('config A\n\tbool\nconfig B\n\tbool "b"\n\tdepends on A\n');
    const answer = how(valuesOf(model), named(model, 'B'), 'y');
    assert.deepEqual([answer.plans, answer.obstacles.map((clause) => clause.text), answer.complete], [[], ['A'], true]);
  });

  it('find numbers and strings', function () {
    const model = modelOf(
      'config N\n\tint "n"\n\trange 1 9\n\tdefault 2\nconfig B\n\tbool "b"\n\tdepends on N > 5\nconfig S\n\tstring\n\tdefault "big" if B\n\tdefault "small"\n',
    );
    const answer = how(valuesOf(model), named(model, 'S'), 'big');
    assert.deepEqual(
      answer.plans[0]?.steps.map(({ symbol, value }) => `${symbol.label}=${value}`),
      ['N=6', 'B=y'],
    );
  });
});
