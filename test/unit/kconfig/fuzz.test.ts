/** Whatever is in the files, reading and evaluating them neither throws nor hangs. */
import assert from 'node:assert/strict';
import { buildModel } from '../../../src/kconfig/build';
import { runConf } from '../../../src/kconfig/conf';
import { dialectNames, dialectOf } from '../../../src/kconfig/dialect';
import { lint } from '../../../src/kconfig/lint';
import { modelOf, valuesOf } from './helpers';
import { MemoryFiles } from './memory-files';
import { randomOf, randomTree, runSeed, type Random } from './random-tree';

const words = [
  'config',
  'menuconfig',
  'choice',
  'endchoice',
  'menu',
  'endmenu',
  'if',
  'endif',
  'comment',
  'source',
  'bool',
  'tristate',
  'int',
  'hex',
  'string',
  'default',
  'def_bool',
  'depends on',
  'select',
  'imply',
  'range',
  'visible if',
  'help',
  '---help---',
  'option modules',
  'modules',
  'optional',
  'prompt',
  'mainmenu',
  'A',
  'B',
  'C',
  'y',
  'n',
  'm',
  '"x"',
  '"y',
  "'q'",
  '$(X)',
  '$(shell,echo)',
  '$(',
  ')',
  '(',
  '!',
  '&&',
  '||',
  '=',
  '!=',
  '<',
  '>=',
  ':=',
  '+=',
  '\\\n',
  '#',
  '\t',
  '\n',
  '\n\t',
  '\n\n',
  '\r',
  '\0',
  'é',
  '0x10',
  '-5',
  '$(Y,$(1))',
  'Kconfig',
  '*',
  'inc',
];

function mutated(random: Random, text: string): string {
  let out = text;
  for (let count = 1 + random(6); count > 0; count--) {
    const at = random(out.length + 1);
    const kind = random(4);
    const word = words[random(words.length)]!;
    if (kind === 0) out = out.slice(0, at) + out.slice(at + random(20));
    else if (kind === 1) out = `${out.slice(0, at)}${word}${out.slice(at)}`;
    else if (kind === 2) out = `${out.slice(0, at)} ${word} ${out.slice(at + random(8))}`;
    else {
      const from = random(out.length + 1);
      out = out.slice(0, at) + out.slice(from, from + random(60)) + out.slice(at);
    }
  }
  return out;
}

function soup(random: Random): string {
  return Array.from({ length: random(80) }, () => words[random(words.length)]! + (random(3) ? ' ' : '\n')).join('');
}

function noise(random: Random): string {
  return String.fromCharCode(...Array.from({ length: random(200) }, () => (random(4) ? random(128) : random(65536))));
}

describe('hostile input', function () {
  this.timeout(120_000);
  const seed = runSeed();
  const rounds = Number(process.env['FUZZ_ROUNDS'] ?? 600);

  for (const dialect of dialectNames) {
    it(`neither throws nor hangs (${dialect}, ${rounds} inputs)`, () => {
      const random = randomOf(seed);
      for (let round = 0; round < rounds; round++) {
        const kind = random(3);
        const text =
          kind === 0
            ? noise(random)
            : kind === 1
              ? soup(random)
              : mutated(random, randomTree(random, { symbols: 6, tristates: true, numbers: true, choices: true }));
        const files = new MemoryFiles({ '/w/Kconfig': text, '/w/inc': soup(random) });
        const config = random(2) ? soup(random) : 'CONFIG_A=y\nCONFIG_S1=m\n# CONFIG_S2 is not set\nCONFIG_S3=9\n';
        const started = performance.now();
        const model = buildModel({ files, cwd: '/w', root: 'Kconfig', dialect: dialectOf(dialect), environment: { X: 'y' } });
        lint(model);
        for (const mode of ['olddefconfig', 'allyesconfig', 'savedefconfig'] as const) {
          runConf(model, { mode, environment: {}, read: (name) => (name === '.config' ? config : undefined) });
        }
        const values = valuesOf(model);
        for (const symbol of model.symbols) if (!symbol.isConstant) values.set(symbol, ['y', 'n', '5', 'text'][random(4)]!);
        const took = performance.now() - started;
        assert.ok(took < 5000, `${took} ms for ${JSON.stringify(text)}`);
      }
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

  it('ends a macro that doubles or calls itself', () => {
    const doubling = `${Array.from({ length: 64 }, (_, at) => `X${at + 1} = $(X${at})$(X${at})\n`).join('')}X0 := ab\nconfig S\n\tstring\n\tdefault "$(X64)"\n`;
    assert.ok(modelOf(doubling).refused);
    assert.ok(
      modelOf('X = $(X)\nconfig S\n\tstring\n\tdefault "$(X)"\n').diagnostics.some((one) => one.message.startsWith('Recursive variable')),
    );
    assert.ok(modelOf('F = $(F,$(1))\nconfig S\n\tstring\n\tdefault "$(F,a)"\n').refused);
  });
});
