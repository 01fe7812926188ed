/** Whatever is in the files, reading and evaluating them neither throws nor hangs. */
import assert from 'node:assert/strict';
import { dialectNames } from '../../../src/kconfig/dialect';
import { modelOf, valuesOf } from './helpers';
import { tryHostileInput } from './hostile';
import { randomOf, runSeed } from './random-tree';

describe('hostile input', function () {
  this.timeout(120_000);
  const seed = runSeed();
  const rounds = Number(process.env['FUZZ_ROUNDS'] ?? 600);

  for (const dialect of dialectNames) {
    it(`neither throws nor hangs (${dialect}, ${rounds} inputs)`, () => {
      const random = randomOf(seed);
      for (let round = 0; round < rounds; round++) tryHostileInput(random, dialect, []);
    });
  }

  it('tells of a file that includes itself', () => {
    const model = modelOf('source "a"\n', { a: 'source "b"\n', b: 'config X\n\tbool "x"\nsource "a"\n' });
    assert.ok(model.refused);
    assert.deepEqual(
      model.diagnostics.map((diagnostic) => diagnostic.printed),
      ['Recursive inclusion detected.\nInclusion path:\n  current file : a\n  included from: b:3\n  included from: a:1\n'],
    );
  });

  it('bears a huge file, a long chain of dependencies and deep nesting', () => {
    const chain = Array.from(
      { length: 20_000 },
      (_, at) => `config C${at}\n\tbool "c"\n${at > 0 ? `\tdepends on C${at - 1}\n` : ''}\tdefault y\n`,
    ).join('');
    const model = modelOf(chain);
    const values = valuesOf(model);
    assert.equal(values.text(model.byName.get('C19999')!), 'y');
    assert.equal(values.set(model.byName.get('C0')!, 'n')!.length, 20_000);
    assert.equal(values.text(model.byName.get('C19999')!), 'n');
    assert.ok(modelOf(`config A\n\tbool "a"\n\tdepends on ${'('.repeat(100_000)}A\n`).refused);
    assert.ok(modelOf(`${'if y\n'.repeat(5000)}config A\n\tbool "a"\n`).refused);
    assert.equal(modelOf('# comment\n'.repeat(2_000_000)).refused, false);
  });

  it('leaves out a file of 100 MB, and says so', () => {
    const huge = 'x'.repeat(100 << 20);
    const [first] = modelOf(huge).diagnostics;
    assert.match(first?.message ?? '', /Kconfig has 100 MB/);
    const model = modelOf('source "huge"\nconfig A\n\tbool "a"\n', { huge });
    assert.ok(model.refused);
    assert.deepEqual(
      model.diagnostics.map(({ code, file, line }) => [code, file, line]),
      [['file-too-large', 'Kconfig', 1]],
    );
    assert.ok(model.byName.get('A')?.isDefined);
  });

  it('tells of a loop of dependencies', () => {
    const model = modelOf('config A\n\tbool "a"\n\tdepends on B\nconfig B\n\tbool "b"\n\tdepends on A\n');
    assert.ok(model.refused);
    assert.match(model.diagnostics[0]?.message ?? '', /recursive dependency: symbol B depends on A; symbol A depends on B/);
  });

  it('ends a macro that doubles or calls itself', () => {
    const doubling = `${Array.from({ length: 64 }, (_, at) => `X${at + 1} = $(X${at})$(X${at})\n`).join('')}X0 := ab\nconfig S\n\tstring\n\tdefault "$(X64)"\n`;
    assert.ok(modelOf(doubling).refused);
    assert.ok(
      modelOf('X = $(X)\nconfig S\n\tstring\n\tdefault "$(X)"\n').diagnostics.some((one) => one.message.startsWith('Recursive variable')),
    );
    assert.ok(modelOf('F = $(F,$(1))\nconfig S\n\tstring\n\tdefault "$(F,a)"\n').refused);
  });
});
