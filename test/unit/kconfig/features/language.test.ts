/** Hovers, navigation, outline, folding, colours, hints and signatures of Kconfig files. */
import assert from 'node:assert/strict';
import { hoverKconfig, symbolMarkdown } from '../../../../src/kconfig/features/hover';
import { mentionAt, mentionsIn } from '../../../../src/kconfig/features/mentions';
import { definitionKconfig, referencesOf, refuseName, sourceLinks } from '../../../../src/kconfig/features/navigate';
import { foldsOf, outlineOf, type OutlineEntry } from '../../../../src/kconfig/features/outline';
import { signatureAt } from '../../../../src/kconfig/features/macros';
import { encodeTokens, tokensKconfig } from '../../../../src/kconfig/features/tokens';
import { hintsKconfig, lensesKconfig } from '../../../../src/kconfig/features/values';
import { keywordsOf } from '../../../../src/kconfig/scanner';
import { open, rootPath, type OpenOptions } from './cursor';

function hover(source: string, options?: OpenOptions): string {
  const { view, syntax, offset } = open(source, options);
  return hoverKconfig(view, rootPath, syntax, offset, (path, line) => `${path}#${line}`)?.markdown ?? '';
}

const net = [
  'config NET',
  '\tbool "Network"',
  'config LWIP',
  '\tbool "lwip"',
  '\tdepends on NET && !RAW',
  'config RAW',
  '\tbool "raw"',
  'config APP',
  '\tbool "app"',
  '\tselect LWIP',
  '',
].join('\n');

describe('hovers', () => {
  it('give type, value and the reason for it', () => {
    assert.match(
      hover('config N\n\tint "number"\n\trange 1 10\n\tdefault 5\nconfig X\n\tbool "x"\n\tdepends on N$0 > 3\n'),
      /`int`, now `5`: default 5 .*Config\.uk:4.*Range 1 to 10/s,
    );
    assert.match(hover(net.replace('config LWIP', 'config LW$0IP'), { config: 'CONFIG_APP=y\n' }), /now `y`: selected by APP/);
    assert.match(hover('config N$0\n\tint "n"\n\tdefault 5\n', { config: 'CONFIG_N=7\n' }), /now `7`: set to 7 .*\.config:1/);
  });

  it('name the clause that hides an option', () => {
    const text = hover(net.replace('config LWIP', 'config LW$0IP'), { config: '# CONFIG_NET is not set\n' });
    assert.match(text, /Not visible:\n- `NET` is n\n/);
    assert.doesNotMatch(text, /`!RAW` is n/);
  });

  it('show help, defining places and choices', () => {
    const text = hover('choice\n\tprompt "Which"\nconfig A$0\n\tbool "a"\n\thelp\n\t  Takes *a*.\nconfig B\n\tbool "b"\nendchoice\n');
    assert.match(text, /the choice “Which” has picked it|the choice "Which" has picked it/);
    assert.match(text, /Takes \\\*a\\\*\./);
    assert.match(text, /Defined at \[w\/Config\.uk:3\]\(\/w\/Config\.uk#3\)/);
  });

  it('say of unknown names that nothing defines them, unless the tree is not whole', () => {
    assert.match(hover('config A\n\tbool "a"\n\tdepends on MIS$0SING\n'), /Nothing defines it/);
    assert.match(hover('config A\n\tbool "a"\n\tdepends on MIS$0SING\n', { partial: true }), /known here/);
  });

  it('explain keywords and macros', () => {
    assert.match(hover('config A\n\tbool "a"\n\tsel$0ect B\n'), /\*\*select\*\*: Raises/);
    assert.match(hover('VAR = text\nconfig A\n\tbool "$(VA$0R)"\n'), /VAR = text/);
    assert.match(hover('source "$(UK_$0BASE)/x"\n', { environment: { UK_BASE: '/uk' } }), /`\/uk`/);
    assert.equal(hover('config A\n\tbool "some pro$0mpt"\n'), '');
  });

  it('keep what people wrote from being Markdown', () => {
    const { view } = open('config A\n\tbool "a [link](command:evil) <b>"\n\thelp\n\t  # head\n\t  - item\n');
    const text = symbolMarkdown(view, view.configuration.symbol('A')!);
    assert.ok(!text.includes('[link](command'));
    assert.ok(!text.includes('<b>') && text.includes('\\# head') && text.includes('\\- item'));
  });
});

describe('navigation', () => {
  const places = (source: string, options?: OpenOptions): string[] => {
    const { view, syntax, offset, files } = open(source, options);
    return definitionKconfig(view, rootPath, syntax, offset).map(
      ({ path, start, end }) => `${path}:${start}:${(files.readText(path) ?? '').slice(start, end)}`,
    );
  };

  it('goes to every definition of an option', () => {
    assert.deepEqual(places('config A\n\tbool "a"\nconfig A\n\tdefault y\nif A$0\nendif\n'), ['/w/Config.uk:7:A', '/w/Config.uk:26:A']);
  });

  it('goes to macros, and to the files of source, with wildcards', () => {
    assert.deepEqual(places('V := 1\nconfig A\n\tdefault $(V$0)\n'), ['/w/Config.uk:0:V']);
    assert.deepEqual(places('source "/w/l*/Config$0.uk"\n', { files: { '/w/l1/Config.uk': '', '/w/l2/Config.uk': '' } }), [
      '/w/l1/Config.uk:0:',
      '/w/l2/Config.uk:0:',
    ]);
  });

  it('goes through generated menus to the files on disk', () => {
    const files = { '/uk/lib/a/Config.uk': 'config A\n\tbool "a"\n', '/uk/lib/b/Config.uk': 'config B\n\tbool "b"\n' };
    const call = `source "$(shell,/uk/support/build/config-submenu.sh -q -o '/w/libs.uk' -r '/uk/lib')$0"\n`;
    assert.deepEqual(places(call, { files }), ['/uk/lib/a/Config.uk:0:', '/uk/lib/b/Config.uk:0:']);
    const { view, syntax } = open(call, { files });
    assert.deepEqual(sourceLinks(view, rootPath, syntax)[0]?.files, [{ path: '/w/libs.uk', generated: true }]);
  });

  it('finds all uses: every role, every type', () => {
    const { view, text } = open(
      'config N\n\tint "n"\n\tdefault 1\nconfig M\n\tint "m" if N > 0\n\trange 0 N\n\tdefault N if N != 2\nmenu "x"\n\tvisible if N\n\tdepends on N\nendmenu\ncomment "c"\n\tdepends on N\nif N\nendif\n',
    );
    const found = referencesOf(view, view.configuration.symbol('N')!, true);
    assert.equal(found.length, 9);
    assert.ok(found.every(({ start, end }) => text.slice(start, end) === 'N'));
    assert.equal(referencesOf(view, view.configuration.symbol('N')!, false).length, 8);
  });

  it('leaves out names that macros made', () => {
    const { view } = open('V := A\nconfig A\n\tbool "a"\nconfig B\n\tbool "b"\n\tdepends on $(V)\n');
    assert.equal(referencesOf(view, view.configuration.symbol('A')!, true).length, 1);
  });

  it('refuses names that mean something else', () => {
    const { view } = open('config A\n\tbool "a"\nconfig B\n\tbool "b"\n');
    const refuse = (name: string): boolean =>
      refuseName(view, view.configuration.symbol('A')!, name, keywordsOf(view.service.tree.dialect)) !== undefined;
    assert.deepEqual(['B', 'config', '7', 'y', 'A-B', '', 'NEW', 'A'].map(refuse), [true, true, true, true, true, true, false, false]);
  });

  it('finds options by full name in other texts', () => {
    const text = '#if CONFIG_A && defined(CONFIG_AB) /* XCONFIG_A */\nobj-$(CONFIG_A)';
    assert.deepEqual(
      mentionsIn(text, 'CONFIG_', 'A').map(({ start }) => start),
      [4, text.lastIndexOf('CONFIG_A')],
    );
    assert.deepEqual(
      mentionsIn(text, 'CONFIG_').map(({ name }) => name),
      ['A', 'AB', 'A'],
    );
    assert.equal(mentionAt(text, 30, 'CONFIG_')?.name, 'AB');
    assert.equal(mentionAt(text, 0, 'CONFIG_'), undefined);
  });
});

describe('outline and folding', () => {
  const shape = (entries: readonly OutlineEntry[]): unknown[] =>
    entries.map((entry) => [entry.name, entry.kind, ...(entry.children.length > 0 ? [shape(entry.children)] : [])]);

  it('nest as the blocks do', () => {
    const { syntax } = open(
      'menu "M"\nif A\nconfig A\n\tbool "a"\nendif\nchoice\n\tprompt "Which"\nconfig N\n\tint "n"\nendchoice\nendmenu\ncomment "end"\n',
    );
    assert.deepEqual(shape(outlineOf(syntax)), [
      [
        'M',
        'menu',
        [
          ['if A', 'if', [['A', 'bool']]],
          ['Which', 'choice', [['N', 'number']]],
        ],
      ],
      ['end', 'comment'],
    ]);
  });

  it('hold children within parents, also in broken files', () => {
    for (const text of [
      'menu "a"\nconfig X\n\tbool "x"\n\thelp\n\t  t\n',
      'endmenu\nmenu "a"\nif\nmenu "b"\nendif\n',
      'menu "a"\nchoice\nendmenu\nendchoice\n',
    ]) {
      const check = (entries: readonly OutlineEntry[], end: number): void => {
        for (const entry of entries) {
          assert.ok(entry.start <= entry.nameStart && entry.nameEnd <= entry.end && entry.end <= end, text);
          check(entry.children, entry.end);
        }
      };
      check(outlineOf(open(text).syntax), text.length);
    }
  });

  it('fold menus, entries, help and comments', () => {
    const { syntax } = open('# one\n# two\nmenu "m"\nconfig A\n\tbool "a"\n\thelp\n\t  Line.\n\t  Line.\nendmenu\n');
    assert.deepEqual(
      foldsOf(syntax)
        .map(({ startLine, endLine }) => `${startLine}-${endLine}`)
        .sort(),
      ['0-1', '2-8', '3-7', '5-7'],
    );
  });
});

describe('colours, hints and lenses', () => {
  it('tell values and missing definitions', () => {
    const { view, syntax, text } = open('config A\n\tbool "a"\n\tdefault y\nconfig B\n\tbool "b"\n\tdepends on A && GONE\n\tdefault n\n');
    const found = tokensKconfig(view, rootPath, syntax).map(({ start, end, modifiers }) => [text.slice(start, end), ...modifiers]);
    assert.deepEqual(found, [
      ['A', 'definition', 'enabled'],
      ['y'],
      ['B', 'definition', 'disabled', 'invisible'],
      ['A', 'enabled'],
      ['GONE', 'undefined'],
      ['n'],
    ]);
  });

  it('are numbered relative to one another', () => {
    const { view, syntax } = open('config A\n\tbool "a"\nif A\nendif\n');
    const data = encodeTokens(tokensKconfig(view, rootPath, syntax), (offset) => syntax.source.positionAt(offset));
    assert.deepEqual(
      data.filter((_, index) => index % 5 < 3),
      [0, 7, 1, 2, 3, 1],
    );
  });

  it('show values behind names and conditions', () => {
    const { view, syntax, text } = open(
      'config A\n\tbool "a" if B\n\tdefault y\n\tdepends on !B\nconfig B\n\tbool "b"\nif A || B\nconfig N\n\tint "n"\n\tdefault 3\nendif\n',
    );
    const hints = hintsKconfig(view, rootPath, syntax, 0, text.length).map(
      ({ at, label }) => `${text.slice(0, at).split('\n').at(-1)!.trim()} ${label}`,
    );
    assert.deepEqual(hints, ['config A = y', 'bool "a" if B = n', 'depends on !B = y', 'config B = n', 'if A || B = y', 'config N = 3']);
  });

  it('give each option its lens', () => {
    const { view, syntax } = open('config A\n\tbool "a"\n\tdefault y\n');
    assert.deepEqual(
      lensesKconfig(view, rootPath, syntax).map(({ title, kind }) => [kind, title]),
      [
        ['value', 'y: default y (y)'],
        ['references', ''],
      ],
    );
  });
});

describe('signatures', () => {
  const signature = (source: string): unknown => {
    const { view, syntax, offset } = open(source);
    const found = signatureAt(view, syntax, offset);
    return found && [found.label, found.active, found.parameters.map(({ start, end }) => found.label.slice(start, end))];
  };

  it('know built-in functions and macros of the files', () => {
    assert.deepEqual(signature('X := $(warning-if,y,$0)\n'), ['$(warning-if,condition,text)', 1, ['condition', 'text']]);
    assert.deepEqual(signature('cc = $(shell,$(1) $(2))\nX := $(cc,$0)\n'), ['$(cc,arg1,arg2)', 0, ['arg1', 'arg2']]);
    assert.deepEqual(signature('X := $(warning-if,$(filename),$0)\n'), ['$(warning-if,condition,text)', 1, ['condition', 'text']]);
    assert.equal(signature('X := $(warn$0)\n'), undefined);
    assert.equal(signature('X := $(unknown,$0)\n'), undefined);
  });
});
