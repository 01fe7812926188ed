/** Completion in Kconfig files: what is offered where, in which order. */
import assert from 'node:assert/strict';
import { completeKconfig } from '../../../../src/kconfig/features/complete';
import { type Item } from '../../../../src/kconfig/features/view';
import { open, type OpenOptions } from './cursor';

const tree = [
  'config A',
  '\tbool "a"',
  'config T',
  '\ttristate "t"',
  'config N',
  '\tint "n"',
  '\trange 1 10',
  '\tdefault 5',
  'config S',
  '\tstring "s"',
  '\tdefault "abc"',
  'choice',
  '\tprompt "c"',
  'config C1',
  '\tbool "c1"',
  'config C2',
  '\tbool "c2"',
  'endchoice',
  '',
].join('\n');

function items(source: string, options: OpenOptions = {}): Item[] {
  const { view, syntax, offset, files } = open(tree + source, options);
  return completeKconfig({ view, syntax, offset, files, cwd: '/w' });
}

/** Labels, best first, without the documentation's words. */
function labels(source: string, options?: OpenOptions): string[] {
  return items(source, options)
    .sort((a, b) => a.rank - b.rank || (a.label < b.label ? -1 : 1))
    .map(({ label }) => label);
}

function has(source: string, wanted: readonly string[], unwanted: readonly string[] = [], options?: OpenOptions): void {
  const found = labels(source, options);
  for (const label of wanted) assert.ok(found.includes(label), `${label} is missing in ${found.join(' ')}`);
  for (const label of unwanted) assert.ok(!found.includes(label), `${label} should not be in ${found.join(' ')}`);
}

describe('completion in Kconfig files', () => {
  it('offers the options of an entry on an indented line, statements first in the first column', () => {
    assert.equal(labels('config X\n\t$0')[0], 'bool');
    has('config X\n\t$0', ['bool', 'int', 'depends', 'select', 'help', 'config'], ['endmenu', 'on', 'visible']);
    const first = labels('config X\n\tbool "x"\n$0');
    assert.ok(first.indexOf('config') < first.indexOf('depends'));
  });

  it('offers what fits the type and is not there yet', () => {
    has('config X\n\tint "x"\n\t$0', ['range', 'default'], ['select', 'imply', 'int', 'bool', 'prompt']);
    has('config X\n\tbool "x"\n\t$0\n\thelp\n\t  Text.\n', ['select'], ['range', 'help']);
    has('config X\n\tdef_bool y\n\t$0', ['select', 'prompt'], ['def_bool', 'int']);
  });

  it('knows what menus, comments and choices take', () => {
    has('menu "m"\n\t$0', ['depends', 'visible'], ['bool', 'default', 'help', 'select']);
    has('comment "c"\n\t$0', ['depends'], ['visible', 'bool']);
    has('choice\n\t$0', ['prompt', 'default', 'optional'], ['select', 'range']);
    has('choice\n\tprompt "x"\n\t$0', ['optional'], ['prompt'], {});
    has('choice\n\t$0', ['prompt'], ['optional', 'tristate'], { dialect: 'linux-6.12' });
  });

  it('offers the end of the innermost block only', () => {
    has('menu "m"\nif A\n$0', ['endif'], ['endmenu', 'endchoice']);
    has('menu "m"\nif A\nendif\n$0', ['endmenu'], ['endif']);
    has('choice\n\tprompt "p"\nconfig Y\n\tbool "y"\n$0', ['endchoice', 'config'], ['menu', 'endmenu']);
    has('$0', ['config', 'source'], ['endmenu', 'endif', 'endchoice', 'mainmenu']);
  });

  it('offers nothing in help texts, comments, prompts and names of menus', () => {
    for (const source of [
      'config X\n\tbool "x"\n\thelp\n\t  Some $0text.\n',
      'config X\n\tbool "x"\n\thelp\n\t  $0',
      'config X\n\tbool "x"\n\thelp\n\t  Text.\n\t  $0',
      '# comm$0ent\n',
      'config X\n\tbool "x $0"\n',
      'menu "$0"\nendmenu\n',
    ])
      assert.deepEqual(labels(source), [], source);
    has('config X\n\tbool "x"\n\thelp\n\t  Text.\n\n$0', ['config']);
  });

  it('offers symbols in conditions, logical ones first, and not the one itself', () => {
    const found = labels('config X\n\tbool "x"\n\tdepends on $0');
    assert.ok(found.indexOf('A') >= 0 && found.indexOf('A') < found.indexOf('N'));
    assert.ok(!found.includes('X'));
    has('config X\n\tbool "x" if $0', ['A', 'C1']);
    has('config X\n\tbool "x"\n\tdepends on A && $0', ['T', '!']);
    has('config X\n\tbool "x"\n\tdepends on (A || !T$0', ['T']);
    has('if $0', ['A']);
    has('menu "m"\n\tvisible if $0', ['A']);
  });

  it('offers words and operators behind a whole operand', () => {
    assert.deepEqual(labels('config X\n\tdepends $0'), ['on']);
    has('config X\n\tdepends on A $0', ['&&', '||', '=', '!='], ['if', 'A']);
    has('config X\n\tdefault A $0', ['if', '&&']);
    assert.deepEqual(labels('config X\n\tselect A $0'), ['if']);
    assert.deepEqual(labels('config X\n\tbool "x" $0'), ['if']);
    assert.deepEqual(labels('menu "m"\n\tvisible $0'), ['if']);
  });

  it('offers for select and imply only what they can raise', () => {
    has('config X\n\tbool "x"\n\tselect $0', ['A', 'T'], ['N', 'S', 'C1', 'X', 'y']);
    has('config X\n\tbool "x"\n\timply $0', ['A'], ['C2']);
  });

  it('offers the values that are legal behind a comparison', () => {
    has('config X\n\tdepends on A = $0', ['y', 'n'], ['m', 'N']);
    has('config X\n\tdepends on T != $0', ['y', 'm', 'n']);
    const text = items('config X\n\tdepends on S = $0').find((item) => item.label === 'abc');
    assert.equal(text?.insert, '"abc"');
    has('config X\n\tdepends on S = "$0"', ['abc'], ['A']);
    has('config X\n\tdepends on N > $0', ['5', '1', '10'], ['A']);
  });

  it('offers defaults of the type', () => {
    has('config X\n\tbool "x"\n\tdefault $0', ['y', 'n', 'A'], ['m', 'S']);
    has('config X\n\tint "x"\n\trange 3 7\n\tdefault $0', ['3', '7', 'N'], ['y', 'A', 'S']);
    has('config X\n\tstring "x"\n\tdefault $0', ['""', 'S'], ['y', 'A']);
    has('config X\n\tdef_tristate $0', ['y', 'm', 'n', 'T']);
    has('choice\n\tprompt "p"\n\tdefault $0\nconfig P\n\tbool "p"\nconfig Q\n\tbool "q"\nendchoice\n', ['P', 'Q'], ['A', 'y']);
    has('config X\n\tint "x"\n\trange 1 $0', ['N'], ['A', 'S']);
  });

  it('offers macros, functions and the environment', () => {
    has('VAR := $(A)\nfn = $(1)\nsource "$($0', ['VAR', 'fn', 'shell', 'UK_BASE'], ['A'], { environment: { UK_BASE: '/uk' } });
    assert.equal(items('fn = $(1)$(2)\nX := $(f$0').find((item) => item.label === 'fn')?.insert, 'fn,');
    assert.deepEqual(labels('X := $(shell,echo $0'), []);
  });

  it('offers paths', () => {
    const files = { '/w/lib/a/Config.uk': '', '/w/lib/a/x.c': '', '/w/other.uk': '' };
    has('source "$0"', ['lib', 'other.uk'], [], { files });
    has('source "lib/a/$0"', ['Config.uk'], ['x.c'], { files });
    has('source "$(UK_BASE)/lib/$0"', ['a'], ['UK_BASE'], { files, environment: { UK_BASE: '/w' } });
  });

  it('offers names that are used but defined nowhere', () => {
    const found = items('config X\n\tbool "x"\n\tselect MISSING\nconfig $0');
    assert.equal(found.sort((a, b) => a.rank - b.rank)[0]?.label, 'MISSING');
  });

  it('replaces the whole word', () => {
    const { offset } = open(`${tree}config X\n\tdepends on AB$0CD\n`);
    const [item] = items('config X\n\tdepends on AB$0CD\n');
    assert.deepEqual([item?.start, item?.end], [offset - 2, offset + 2]);
  });

  it('goes on over lines joined by a backslash', () => has('config X\n\tdepends on A && \\\n\t\t$0', ['T'], ['config']));
});
