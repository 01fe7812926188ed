/** A change carried only where it matters must give what computing everything anew gives. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { dialectNames } from '../../../src/kconfig/dialect';
import { type Change } from '../../../src/kconfig/evaluate';
import { differences } from '../../../src/kconfig/how';
import { KconfigService } from '../../../src/kconfig/service';
import { menuSymbols, modelOf, stateText, valuesOf } from './helpers';
import { MemoryFiles } from './memory-files';
import { randomOf, randomTree, runSeed } from './random-tree';

const told = (changes: readonly Change[]): string[] =>
  changes.map((each) => `${each.symbol.label} ${each.before} ${each.after} ${each.visibleBefore} ${each.visibleAfter}`);

describe('incremental evaluation', function () {
  const seed = runSeed();
  for (const dialect of dialectNames) {
    it(`equals a whole evaluation after every edit (${dialect})`, function () {
      fc.assert(
        fc.property(fc.nat(), (number) => {
          const random = randomOf(number);
          const tristates = random(2) === 0 && (dialect === 'uk-5.2' || dialect === 'kconfiglib');
          const model = modelOf(randomTree(random, { symbols: 12, tristates, numbers: true, choices: true }), {}, dialect);
          const values = valuesOf(model);
          const symbols = menuSymbols(model);
          for (let edit = 0; edit < 25; edit++) {
            const symbol = symbols[random(symbols.length)]!;
            values.set(symbol, symbol.isBoolean ? 'nmy'[random(3)]! : String(random(7)));
            const settled = stateText(values);
            const fresh = values.fork();
            fresh.invalidateAll();
            fresh.computeAll();
            assert.equal(settled, stateText(fresh), `after setting ${symbol.label}`);
          }
        }),
        { seed, numRuns: 120 },
      );
    });
  }

  it('previews exactly the values that a change changes', function () {
    fc.assert(
      fc.property(fc.nat(), (number) => {
        const random = randomOf(number);
        const text = randomTree(random, { symbols: 12, tristates: random(2) === 0, numbers: true, choices: true });
        const service = new KconfigService({ files: new MemoryFiles({ '/w/Kconfig': text }), cwd: '/w', root: 'Kconfig' });
        const configuration = service.openConfiguration('');
        const symbols = menuSymbols(service.tree.model);
        for (let edit = 0; edit < 25; edit++) {
          const symbol = symbols[random(symbols.length)]!;
          const value = symbol.isBoolean ? 'nmy'[random(3)]! : String(random(7));
          const { accepted, changes } = configuration.preview(symbol, value);
          const before = configuration.values.fork();
          assert.equal(configuration.set(symbol, value) !== undefined, accepted);
          if (accepted)
            assert.deepEqual(
              told(changes),
              told(differences(before, configuration.values)),
              `after setting ${symbol.label} to ${value}\n${text}`,
            );
        }
      }),
      { seed, numRuns: 120 },
    );
  });

  it('computes nothing that does not depend on the change', function () {
    const model = modelOf(
      'config A\n\tbool "a"\nconfig B\n\tbool "b"\n\tdepends on A\nconfig C\n\tbool "c"\n\tdepends on B\nconfig D\n\tbool "d"\n',
    );
    const values = valuesOf(model);
    const changes = values.set(model.byName.get('A')!, 'y')!;
    assert.deepEqual(
      changes.map(({ symbol, before, after, visibleBefore, visibleAfter }) => [symbol.label, before, after, visibleBefore, visibleAfter]),
      [
        ['A', 'n', 'y', 2, 2],
        ['B', 'n', 'n', 0, 2],
      ],
    );
  });
});
