/** What editors ask of the engine: live text, references, previews, proofs, fragments and checks. */
import assert from 'node:assert/strict';
import { KconfigService } from '../../../src/kconfig/service';
import { MemoryFiles } from './memory-files';

const text = [
  'mainmenu "Test"',
  'config A',
  '\tbool "a"',
  'config B',
  '\tbool "b"',
  '\tdepends on A',
  '\tselect C',
  'config C',
  '\tbool',
  '\tdepends on D',
  'config D',
  '\tbool "d"',
  'config N',
  '\tint "n"',
  '\trange 1 10',
  '\tdefault 5',
  '',
].join('\n');

function service(source = text, files: Readonly<Record<string, string>> = {}): KconfigService {
  return new KconfigService({ files: new MemoryFiles({ '/w/Config.uk': source, ...files }), cwd: '/w', root: 'Config.uk' });
}

describe('the service', function () {
  it('reads an open document instead of its file, and keeps the values set', () => {
    const open = service();
    const configuration = open.openConfiguration('CONFIG_A=y\nCONFIG_N=7\n');
    open.tree.setDocument('/w/Config.uk', text.replace('\tdepends on A', '\tdepends on A && !A'));
    assert.equal(configuration.values.text(configuration.symbol('N')!), '7');
    assert.equal(configuration.values.visibility(configuration.symbol('B')!), 0);
    open.tree.setDocument('/w/Config.uk', undefined);
    assert.equal(configuration.values.visibility(configuration.symbol('B')!), 2);
  });

  it('finds all places of a name', () => {
    const open = service();
    const symbol = open.tree.model.byName.get('A')!;
    const places = open.tree.queries.references(symbol).map(({ role, start, end }) => [role, text.slice(start, end)]);
    assert.deepEqual(places, [
      ['definition', 'A'],
      ['depends', 'A'],
    ]);
    assert.equal(open.tree.queries.referenceAt('Config.uk', text.indexOf('depends on A') + 11)?.symbol, symbol);
    assert.deepEqual(
      open.tree.queries.usersOf(symbol).map(({ label }) => label),
      ['B', 'C'],
    );
    assert.equal(open.tree.queries.statementAt('Config.uk', text.indexOf('range') + 2)?.kind, 'range');
  });

  it('shows what a change would change, with its warnings, and changes nothing', () => {
    const configuration = service().openConfiguration('CONFIG_A=y\n');
    const { accepted, changes, warnings } = configuration.preview(configuration.symbol('B')!, 'y');
    assert.ok(accepted);
    assert.deepEqual(
      changes.map((change) => change.symbol.label),
      ['B', 'C'],
    );
    assert.deepEqual(
      warnings.map(({ code }) => code),
      ['unmet-dependency'],
    );
    assert.equal(configuration.values.text(configuration.symbol('B')!), 'n');
  });

  it('proves values', () => {
    const configuration = service().openConfiguration('CONFIG_A=y\nCONFIG_B=y\nCONFIG_N=7\n', 'my.config');
    const reason = (name: string): unknown => {
      const { kind, text: said, file, line } = configuration.why(configuration.symbol(name)!).reason;
      return [kind, said, file, line];
    };
    assert.deepEqual(reason('C'), ['select', 'selected by B', 'Config.uk', 7]);
    assert.deepEqual(reason('N'), ['user', 'set to 7', 'my.config', 3]);
    assert.deepEqual(reason('D'), ['empty', 'no rule gives D a value', undefined, undefined]);
    const clause = configuration.why(configuration.symbol('B')!).rules.find((rule) => rule.kind === 'depends')?.condition;
    assert.deepEqual([clause?.text, clause?.value], ['A', 2]);
  });

  it('merges fragments and says which line lost, and why', () => {
    const merged = service().merge([
      { name: 'base', text: 'CONFIG_A=y\nCONFIG_N=3\nCONFIG_GONE=y\n' },
      { name: 'more', text: 'CONFIG_N=30\nCONFIG_C=y\n# CONFIG_D is not set\n' },
    ]);
    assert.deepEqual(
      merged.lost.map(({ name, file, line, because, actual }) => [name, file, line, because, actual]),
      [
        ['N', 'base', 2, 'overridden', '10'],
        ['N', 'more', 1, 'not-possible', '10'],
        ['GONE', 'base', 3, 'unknown', undefined],
        ['C', 'more', 2, 'not-possible', 'n'],
      ],
    );
    assert.deepEqual(
      [...merged.origins].map(([symbol, { file }]) => [symbol.label, file]),
      [
        ['A', 'base'],
        ['N', 'more'],
        ['C', 'more'],
        ['D', 'more'],
      ],
    );
  });

  it('brings every edit back when the value is taken away', () => {
    const configuration = service().openConfiguration('');
    const before = configuration.dotConfig();
    configuration.set(configuration.symbol('A')!, 'y');
    configuration.set(configuration.symbol('B')!, 'y');
    assert.notEqual(configuration.dotConfig(), before);
    configuration.reset(configuration.symbol('B')!);
    configuration.reset(configuration.symbol('A')!);
    assert.equal(configuration.dotConfig(), before);
  });
});

describe('checks of Config.uk', function () {
  const found = (source: string, files: Readonly<Record<string, string>> = {}): string[] =>
    service(source, files)
      .diagnostics({ provider: (name) => (name === 'LIBMIMALLOC' ? 'mimalloc' : undefined) })
      .map(({ code, line, suggestion }) => `${code}:${line}${suggestion === undefined ? '' : `:${suggestion}`}`);
  const cases: readonly (readonly [string, string, readonly string[]])[] = [
    ['a misspelt name', 'config LIBUKALLOC\n\tbool "a"\nconfig B\n\tbool "b"\n\tselect LIBKUALLOC\n', ['undefined-symbol:5:LIBUKALLOC']],
    ['a prefix', 'config PAGING\n\tbool "p"\nconfig B\n\tbool "b"\n\tdefault y if CONFIG_PAGING\n', ['prefix-in-kconfig:5:PAGING']],
    ['yes and no', 'config A\n\tbool "a"\n\tdefault no\n', ['default-yes-no:3:n']],
    ['a library that is not there', 'config A\n\tbool "a"\n\tselect LIBMIMALLOC\n', ['symbol-of-absent-library:3']],
    ['a default never reached', 'config A\n\tbool "a"\n\tdefault y\n\tdefault n\n', ['unreachable-default:4']],
    [
      'a default outside the range beside it',
      'config A\n\tbool "a"\nconfig N\n\tint "n"\n\tdepends on A\n\trange 1 4\n\tdefault 9\n',
      ['default-out-of-range:7'],
    ],
    ['a default outside its range', 'config N\n\tint "n"\n\trange 1 4\n\tdefault 9\n', ['default-out-of-range:4']],
    ['a number without a default', 'config N\n\tint "n"\n', ['number-without-default:1']],
    ['an empty menu', 'menu "m"\nendmenu\n', ['empty-menu:1']],
    ['a condition never true', 'config A\n\tbool "a"\nconfig B\n\tbool "b" if A && !A\n', ['condition-never-true:4']],
    ['a condition always true', 'config A\n\tbool "a"\nconfig B\n\tbool "b" if A || !A\n', ['condition-always-true:4']],
    [
      'a select of a member',
      'choice\n\tprompt "c"\nconfig A\n\tbool "a"\nconfig B\n\tbool "b"\nendchoice\nconfig C\n\tbool "c"\n\tselect B\n',
      ['select-of-choice-member:10'],
    ],
    [
      'a select past dependencies',
      'config D\n\tbool "d"\nconfig A\n\tbool "a"\n\tselect B\nconfig B\n\tbool "b"\n\tdepends on D\n',
      ['select-of-dependent:5'],
    ],
    ['help that swallows', 'config A\n\tbool "a"\n\thelp\nconfig B\n\tbool "b"\n', ['help-swallows:3']],
    ['nothing in a sound file', 'config A\n\tbool "a"\n\tdefault y\n\thelp\n\t  Text.\n', []],
  ];
  for (const [what, source, wanted] of cases) it(`tell of ${what}`, () => assert.deepEqual(found(source), wanted));

  it('tell of files read twice and of relative paths', () => {
    const codes = found('source "/w/x"\nsource "/w/x"\nsource "x"\n', { '/w/x': 'config X\n\tbool "x"\n' });
    assert.deepEqual(codes, ['relative-source:3', 'duplicate-source:2', 'duplicate-source:3']);
  });
});
