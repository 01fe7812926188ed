/** The formatter: what it changes, what it leaves, and that it changes nothing twice. */
import assert from 'node:assert/strict';
import { dialectOf } from '../../../../src/kconfig/dialect';
import { applyEdits, formatKconfig } from '../../../../src/kconfig/features/format';
import { parseFile, tokensOf } from '../../../../src/kconfig/parser';

const dialect = dialectOf('uk-5.2');

function format(text: string, first?: number, last?: number): string {
  const lines = first === undefined ? undefined : { first, last: last ?? first };
  return applyEdits(text, formatKconfig(parseFile(text, dialect), dialect, lines));
}

describe('the formatter of Kconfig files', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['indents options with a tab', 'config A\n    bool  "a"\n  default   y\n', 'config A\n\tbool "a"\n\tdefault y\n'],
    ['puts statements into the first column', 'menu "m"\n  config A\n    bool "a"\nendmenu\n', 'menu "m"\nconfig A\n\tbool "a"\nendmenu\n'],
    ['spaces expressions', 'config A\n\tbool "a"\n\tdepends on B&&( C||! D )\n', 'config A\n\tbool "a"\n\tdepends on B && (C || !D)\n'],
    ['keeps strings', 'config A\n\tbool   "a   b"   if B="x  y"\n', 'config A\n\tbool "a   b" if B = "x  y"\n'],
    [
      'sets help two blanks in, its own shape kept',
      'config A\n\tbool "a"\n\thelp\n\t\tOne\n\t\t    two\n\n\t\tthree\n',
      'config A\n\tbool "a"\n\thelp\n\t  One\n\t      two\n\n\t  three\n',
    ],
    [
      'takes blanks at line ends and doubled empty lines away',
      'config A  \n\tbool "a"\t\n\n\n\nconfig B\n\tbool "b"\n\n\n',
      'config A\n\tbool "a"\n\nconfig B\n\tbool "b"\n',
    ],
    ['ends the file with a line feed', 'config A\n\tbool "a"', 'config A\n\tbool "a"\n'],
    [
      'keeps comments, and indents them with what follows',
      '# head\nconfig A\n   # about the type\n\tbool "a"   # tail\n',
      '# head\nconfig A\n\t# about the type\n\tbool "a" # tail\n',
    ],
    [
      'indents continued lines once more',
      'config A\n\tbool "a"\n\tdepends on B && \\\n C\n',
      'config A\n\tbool "a"\n\tdepends on B && \\\n\t\tC\n',
    ],
    ['leaves assignments as they are', 'X := a   b  c\n', 'X := a   b  c\n'],
    ['leaves broken lines as they are', 'config A\n\tbool "a"\n\t  wrong  (  line\n', 'config A\n\tbool "a"\n\t  wrong  (  line\n'],
    ['keeps carriage returns', 'config A\r\n  bool   "a"\r\n\r\n\r\nif A\r\nendif', 'config A\r\n\tbool "a"\r\n\r\nif A\r\nendif\r\n'],
    ['leaves mixed line ends alone', 'config A\r\n  bool "a"\n', 'config A\r\n  bool "a"\n'],
    [
      'leaves a help that swallows',
      'config A\n\tbool "a"\n\thelp\nconfig B\n\tbool "b"\n',
      'config A\n\tbool "a"\n\thelp\nconfig B\n\tbool "b"\n',
    ],
    ['has nothing to do in an empty file', '', ''],
  ];
  for (const [what, before, after] of cases) {
    it(what, () => {
      assert.equal(format(before), after);
      assert.equal(format(after), after, 'a second time');
    });
  }

  it('formats a range of lines and no other', () => {
    assert.equal(format('config A\n  bool "a"\nconfig B\n  bool "b"\n', 3), 'config A\n  bool "a"\nconfig B\n\tbool "b"\n');
  });

  it('keeps the meaning of random texts, and settles at once', () => {
    const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
    let state = seed;
    const next = (below: number): number => {
      state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
      return (state >> 8) % below;
    };
    const pieces = [
      'config A',
      'bool "a"',
      'help',
      '  text',
      '\t\ttext',
      '',
      '\n',
      ' ',
      'menu "m"',
      'endmenu',
      'depends on A&&B',
      '# note',
      'if A',
      'endif',
      '\\',
      'default y',
      '"open',
      'source "x"',
      '$(',
      'X = 1',
      '\r',
    ];
    const words = (text: string): unknown => {
      const syntax = parseFile(text, dialect);
      return syntax.statements.map((one) => [
        one.kind,
        tokensOf(one, syntax).map((token) => token.text.trim()),
        one.kind === 'help' ? one.help.text.trimEnd() : '',
      ]);
    };
    for (let round = 0; round < 1500; round++) {
      let text = '';
      for (let count = next(14); count >= 0; count--)
        text += ['', '\t', '  ', '\t  '][next(4)]! + pieces[next(pieces.length)]! + (next(5) === 0 ? '' : '\n');
      const once = format(text);
      const about = `seed ${seed}: ${JSON.stringify(text)}`;
      assert.equal(format(once), once, about);
      if (once !== text)
        assert.deepEqual(
          JSON.parse(JSON.stringify(words(once)).replaceAll('\\r', '')),
          JSON.parse(JSON.stringify(words(text)).replaceAll('\\r', '')),
          about,
        );
    }
  });
});
