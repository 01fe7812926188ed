/** The scanner, the parser, macros, wildcards and Unikraft's generated menus. */
import assert from 'node:assert/strict';
import { answerNatively, shellWords } from '../../../src/kconfig/submenu';
import { glob } from '../../../src/kconfig/glob';
import { dialectNames, dialectOf } from '../../../src/kconfig/dialect';
import { parseFile, parseLine, tokensOf } from '../../../src/kconfig/parser';
import { Scanner } from '../../../src/kconfig/scanner';
import { unikraftService } from '../../../src/kconfig/service';
import { modelOf, named, valuesOf } from './helpers';
import { hostileText } from './hostile';
import { MemoryFiles } from './memory-files';
import { randomOf, randomTree, runSeed } from './random-tree';

const uk = dialectOf('uk-5.2');

describe('syntax', function () {
  it('knows where every part stands', () => {
    const text = '# top\nconfig A\n\tbool "a \\"b\\"" if B && !C # why\n\tdefault y\n';
    const { statements, comments } = parseFile(text, uk);
    assert.deepEqual(
      statements.map(({ kind, line }) => [kind, line]),
      [
        ['config', 2],
        ['type', 3],
        ['default', 4],
      ],
    );
    const [, type] = statements;
    assert.ok(type?.kind === 'type' && type.prompt && type.condition);
    assert.equal(type.prompt.text, 'a "b"');
    assert.equal(text.slice(type.prompt.start, type.prompt.end), '"a \\"b\\""');
    assert.equal(text.slice(type.condition.start, type.condition.end), 'B && !C');
    assert.deepEqual(
      comments.map(({ start, end }) => text.slice(start, end)),
      ['# top', '# why'],
    );
  });

  it('covers a text completely: what lies between tokens is blanks and comments', () => {
    const random = randomOf(runSeed());
    for (let round = 0; round < 50; round++) {
      const text = randomTree(random, { symbols: 10, tristates: true, numbers: true, choices: true });
      const syntax = parseFile(text, uk);
      const { statements, comments } = syntax;
      const covered = [...statements.flatMap((statement) => tokensOf(statement, syntax)), ...comments].sort((a, b) => a.start - b.start);
      let at = 0;
      for (const { start, end } of covered) {
        assert.match(text.slice(at, start), /^\s*$/);
        at = end;
      }
      assert.match(text.slice(at), /^\s*$/);
    }
  });

  it('reads with one pattern what it reads token by token', () => {
    const random = randomOf(runSeed());
    const plain = [
      'config A',
      'bool "a" if !B',
      'default y if C',
      'depends on\tX',
      'select on',
      'if y',
      'help',
      'menu "m"',
      'choice',
      'comment "c" if A',
    ];
    const between = ['', '', '\n', '\n\n', '# comment\n', '\n# one\n\n# two\n', ' \n'];
    const line = (): string =>
      `${between[random(between.length)]}${random(2) ? '\t' : ''}${plain[random(plain.length)]}${random(4) ? '' : ' '}\n`;
    const lines = (): string => Array.from({ length: 8 }, line).join('');
    const rounds = Number(process.env['PLAIN_ROUNDS'] ?? 2000);
    for (let round = 0; round < rounds; round++) {
      const dialect = dialectOf(dialectNames[random(dialectNames.length)]!);
      const text = hostileText(random, [lines()]);
      const syntax = parseFile(text, dialect);
      for (const statement of syntax.statements) {
        assert.equal(statement.line, text.slice(0, statement.start).split('\n').length, JSON.stringify(text));
        const scanned = new Scanner(text, dialect, statement.start, statement.line).nextLine()!;
        const again = parseLine(scanned, dialect);
        if (statement.kind === 'help') assert.deepEqual(tokensOf(statement, syntax), scanned.tokens);
        else
          assert.deepEqual(
            { ...statement, scanned: undefined, problems: again.problems },
            { ...again, scanned: undefined },
            JSON.stringify(text),
          );
      }
    }
  });

  it('keeps the end of a line after half of a character', () => {
    const { statements } = parseFile('config A\ud856\nconfig B\n', dialectOf('uk-5.2'));
    assert.deepEqual(
      statements.map(({ kind, line }) => [kind, line]),
      [
        ['config', 1],
        ['config', 2],
      ],
    );
  });

  it('keeps a broken line to itself', () => {
    const model = modelOf('config A\n\tbool "a"\n\tdefault y if\n\tdepends on B\nconfig B\n\tbool "b"\n\tdefault y\n');
    assert.ok(model.refused);
    assert.equal(named(model, 'A').type, 'bool');
    assert.equal(valuesOf(model).visibility(named(model, 'A')), 2);
    assert.equal(named(model, 'A').nodes[0]?.dependency?.kind, 'symbol');
  });

  it('continues lines, and measures help by its first line', () => {
    const model = modelOf('config A\n\tbool \\\n\t\t"a"\n\thelp\n\t  one\n\t    two\n\n\t  three\nconfig B\n\tbool\n');
    assert.equal(named(model, 'A').nodes[0]?.help, 'one\n  two\n\nthree');
    assert.equal(named(model, 'A').nodes[0]?.prompt?.text, 'a');
  });
});

describe('macros', function () {
  const value = (text: string, environment: Record<string, string> = {}): string => {
    const model = modelOf(`${text}\nconfig S\n\tstring\n\tdefault "$(V)"\n`, {}, 'uk-5.2', environment);
    return valuesOf(model).text(named(model, 'S'));
  };
  const cases: readonly (readonly [string, string, string])[] = [
    ['an immediate value is fixed', 'X = a\nV := $(X)\nX = b', 'a'],
    ['a recursive one is not', 'X = a\nV = $(X)\nX = b', 'b'],
    ['+= keeps the flavour', 'X = 1\nV := $(X)\nX = 2\nV += $(X)', '1 2'],
    ['functions take arguments', 'F = <$(2)|$(1)>\nV = $(F,a, b)', '< b|a>'],
    ['references nest', 'A = B\nBC = deep\nV = $($(A)C)', 'deep'],
    ['what is unknown is empty', 'V = [$(nothing)]', '[]'],
    ['the file and the line are known', 'V := $(filename):$(lineno)', 'Kconfig:1'],
    ['a comparison is answered without a shell', 'V := $(shell,test /a = /b && echo y || echo n)', 'n'],
  ];
  for (const [what, text, wanted] of cases) it(what, () => assert.equal(value(text), wanted));

  it('records what it reads of the environment', () => {
    const model = modelOf('V := $(HOME_OF_X)\n', {}, 'uk-5.2', { HOME_OF_X: '/x', OTHER: '1' });
    assert.deepEqual([...model.environment], [['HOME_OF_X', '/x']]);
  });

  it('runs nothing on its own', () => {
    const model = modelOf('config S\n\tstring\n\tdefault "$(shell,rm -rf x)"\n');
    assert.deepEqual(
      model.diagnostics.map(({ code }) => code),
      ['shell-off'],
    );
  });

  it('takes no for the answer of a probe that may not run, and leaves out what hangs on any other answer', () => {
    const probe = (command: string, yes: string, no: string): string =>
      `$(shell,{ ${command}; } >/dev/null 2>&1 && echo "${yes}" || echo "${no}")`;
    const model = modelOf(
      `config A\n\tdef_bool ${probe('gcc -v', 'y', 'n')}\nconfig B\n\tdef_bool ${probe('ld -v', 'n', 'y')}\n` +
        'config V\n\tint\n\tdefault $(shell,cc-version) if A\n\tdefault 3\nX := $(shell,cc-name)\nconfig W\n\tdef_bool $(X)\n',
    );
    const values = valuesOf(model);
    assert.deepEqual(
      ['A', 'B', 'V', 'W'].map((name) => values.text(model.byName.get(name)!)),
      ['n', 'n', '3', 'n'],
    );
    assert.deepEqual([...new Set(model.diagnostics.map(({ code }) => code))], ['shell-off']);
    assert.equal(model.refused, false);
  });
});

describe('paths', function () {
  const files = new MemoryFiles({ '/t/b/Config.uk': '', '/t/a/Config.uk': '', '/t/.h/Config.uk': '', '/t/c/x': '', '/t/file': '' });

  it('match wildcards in the order of code units, without hidden names', () => {
    assert.deepEqual(glob(files, '/t', '*/Config.uk'), ['a/Config.uk', 'b/Config.uk']);
    assert.deepEqual(glob(files, '/', '/t/[!a]/Config.u?'), ['/t/b/Config.uk']);
    assert.deepEqual(glob(files, '/t', 'none'), []);
    assert.deepEqual(glob(files, '/t', '[ab]*'), ['a', 'b']);
  });

  it('make the menus that config-submenu.sh makes', () => {
    const command = "/uk/support/build/config-submenu.sh -q -o '/o/libs.uk' -t \"My Libs\" -r '/t' -l '/t/c' -c '/t/a:' -e '/t/b'";
    const answer = answerNatively(command, files, '/');
    assert.equal(answer?.output, '/o/libs.uk\n');
    assert.equal(
      answer?.writes?.text,
      '# Auto generated file. DO NOT EDIT\n# Skipped excluded "/t/b"\nmenu "My Libs"\nsource "/t/a/Config.uk"\nsource "/t/a/Config.uk"\nendmenu\n',
    );
  });

  it('leave what needs a shell to a shell', () => {
    for (const command of ['echo $HOME', 'a | b', 'a > b', 'echo `x`', '(a)', "echo 'x"])
      assert.equal(shellWords(command), undefined, command);
    assert.deepEqual(shellWords('a "b c"\'d\' && e'), ['a', 'b cd', '&&', 'e']);
  });

  it('make a whole project', () => {
    const script = '$(UK_BASE)/support/build/config-submenu.sh -q -o';
    const project = new MemoryFiles({
      '/uk/Config.uk': `mainmenu "P $(UK_NAME)"\nmenu "Libs"\n\tsource "$(shell,${script} '$(KCONFIG_DIR)/libs.uk' -r '$(KCONFIG_LIB_BASE)' -c '$(KCONFIG_ELIB_DIRS)' -e '$(KCONFIG_EXCLUDEDIRS)')"\nendmenu\n`,
      '/uk/lib/one/Config.uk': 'config ONE\n\tbool "one"\n',
      '/uk/lib/two/Config.uk': 'config TWO\n\tbool "two"\n',
      '/ext/three/Config.uk': 'config THREE\n\tbool "three"\n\tdefault y\n',
    });
    const service = unikraftService(
      { files: project, cwd: '/app' },
      { base: '/uk', app: '/app', libs: ['/ext/three'], excluded: ['/uk/lib/two'] },
    );
    const heading = '#\n# Automatically generated file; DO NOT EDIT.\n# P app\n#\n';
    assert.equal(
      service.openConfiguration('').dotConfig(),
      `${heading}\n#\n# Libs\n#\n# CONFIG_ONE is not set\nCONFIG_THREE=y\n# end of Libs\n`,
    );
    assert.equal(service.tree.model.byName.has('TWO'), false);
  });
});
