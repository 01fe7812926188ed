/** .config files, defconfigs and fragments: completion, findings, fixes, outline. */
import assert from 'node:assert/strict';
import { completeDotConfig, hintsDotConfig, outlineDotConfig, tokensDotConfig } from '../../../../src/kconfig/features/dotconfig';
import { checkDotConfig, fixDotConfig, refactorDotConfig, removeAllRedundant } from '../../../../src/kconfig/features/dotconfig-check';
import { type Finding, type KconfigView } from '../../../../src/kconfig/features/view';
import { edited, lines, marked, open } from './cursor';

const tree = [
  'config NET',
  '\tbool "Network"',
  'config LWIP',
  '\tbool "lwip"',
  '\tdepends on NET',
  'config HIDDEN',
  '\tbool',
  'config USER',
  '\tbool "user"',
  '\tselect HIDDEN',
  'config N',
  '\tint "number"',
  '\trange 1 10',
  '\tdefault 5',
  'config H',
  '\thex "hex"',
  '\tdefault 0x10',
  'config S',
  '\tstring "text"',
  '\tdefault "abc"',
  'choice',
  '\tprompt "which"',
  'config C1',
  '\tbool "one"',
  'config C2',
  '\tbool "two"',
  'endchoice',
  '',
].join('\n');

function viewOf(config: string): KconfigView {
  return open(tree, { config }).view;
}

function check(config: string, whole = false): Finding[] {
  return checkDotConfig(viewOf(config), config, { whole, provider: (name) => (name === 'LIBMIMALLOC' ? 'mimalloc' : undefined) });
}

const codes = (config: string, whole?: boolean): string[] => check(config, whole).map((one) => one.code);

/** The text after a fix of the first finding with a code. */
function fixed(config: string, code: string, index = 0): string {
  const finding = check(config).find((one) => one.code === code);
  assert.ok(finding, `no ${code} in ${codes(config).join(' ')}`);
  const fix = fixDotConfig(viewOf(config), config, finding)[index];
  assert.ok(fix, `no fix for ${code}`);
  return edited(config, fix.edits);
}

describe('completion in .config', () => {
  const items = (source: string): { insert: string; label: string }[] => {
    const { text, offset } = marked(source);
    return completeDotConfig(viewOf(text), text, offset).items;
  };

  it('offers options with a value that changes something, and none that is there', () => {
    const found = items('CONFIG_NET=y\nCONFIG_$0');
    assert.ok(!found.some((item) => item.label === 'CONFIG_NET' || item.label === 'CONFIG_HIDDEN'));
    assert.equal(found.find((item) => item.label === 'CONFIG_LWIP')?.insert, 'CONFIG_LWIP=y');
    assert.equal(found.find((item) => item.label === 'CONFIG_N')?.insert, 'CONFIG_N=5');
    assert.equal(found.find((item) => item.label === 'CONFIG_S')?.insert, 'CONFIG_S="abc"');
    assert.equal(found.find((item) => item.label === 'CONFIG_C1')?.insert, '# CONFIG_C1 is not set');
  });

  it('offers the form for “not set” behind a number sign', () => {
    const found = items('# $0');
    assert.ok(found.some((item) => item.insert === '# CONFIG_NET is not set'));
    assert.ok(!found.some((item) => item.label.includes('CONFIG_N ')));
  });

  it('offers legal values', () => {
    assert.deepEqual(
      items('CONFIG_NET=$0').map((item) => item.label),
      ['y', 'n'],
    );
    assert.deepEqual(
      items('CONFIG_N=$0').map((item) => item.label),
      ['5', '1', '10'],
    );
    assert.deepEqual(
      items('CONFIG_S=$0').map((item) => item.label),
      ['"abc"', '""'],
    );
    assert.deepEqual(items('CONFIG_GONE=$0'), []);
  });
});

describe('findings in .config', () => {
  it('use the words of the C engine where it has some', () => {
    assert.deepEqual(
      check('CONFIG_N=abc\nstray\nCONFIG_NET=y\nCONFIG_NET=y\n').map((one) => one.message.split(':')[0]),
      ["symbol value 'abc' invalid for N", 'unexpected data', 'override'],
    );
  });

  it('tell unknown names, what may be meant, and which library has them', () => {
    const [typo, absent] = check('CONFIG_LWPI=y\nCONFIG_LIBMIMALLOC=y\n');
    assert.equal(typo?.suggestion, 'CONFIG_LWIP');
    assert.match(absent!.message, /library mimalloc/);
    assert.deepEqual(codes('CONFIG_UK_NAME="x"\n'), []);
  });

  it('tell which clause keeps a value from being taken', () => {
    const [found] = check('CONFIG_LWIP=y\n');
    assert.equal(found?.code, 'config-not-taken');
    assert.match(found.message, /LWIP is y here, but comes to n: NET is n/);
    assert.deepEqual(found.wanted, { symbol: 'LWIP', value: 'y' });
  });

  it('tell options without a prompt, and ranges', () => {
    assert.deepEqual(codes('CONFIG_HIDDEN=y\n'), ['config-without-prompt']);
    assert.match(check('CONFIG_N=30\n')[0]!.message, /outside the range 1 to 10, so the value is 5/);
  });

  it('leave alone what only repeats how make was called', () => {
    const { view } = open('config UK_BASE\n\tstring\n\tdefault "$(UK_BASE)"\nconfig OWN\n\tstring\n\tdefault "x"\n');
    const text = 'CONFIG_UK_BASE="/elsewhere"\nCONFIG_OWN="y"\n';
    view.configuration.load(text);
    assert.deepEqual(
      checkDotConfig(view, text, { whole: true }).map(({ code, message }) => `${code} ${message.split(' ')[0]}`),
      ['config-without-prompt OWN'],
    );
    assert.deepEqual(
      hintsDotConfig(view, text, 0, text.length).map(({ symbol }) => symbol),
      ['OWN'],
    );
  });

  it('say what the engine takes silently', () => assert.deepEqual(codes('CONFIG_NET=yes\n'), ['config-trailing']));

  it('take lines for redundant only where not every option has one', () => {
    assert.deepEqual(codes('CONFIG_N=5\nCONFIG_USER=y\n'), ['config-redundant']);
    assert.deepEqual(codes('CONFIG_N=5\nCONFIG_USER=y\n', true), []);
    assert.deepEqual(codes('# CONFIG_NET is not set\n'), ['config-redundant']);
  });

  it('tell unmet dependencies in the C engine’s words', () => {
    const { view, text } = open('config D\n\tbool "d"\nconfig B\n\tbool\n\tdepends on D\nconfig A\n\tbool "a"\n\tselect B\n', {
      config: 'CONFIG_A=y\n',
    });
    const found = checkDotConfig(view, 'CONFIG_A=y\n', { whole: true });
    assert.ok(text);
    assert.match(
      found[0]!.message,
      /unmet direct dependencies detected for B\n {2}Depends on \[n\]: D \[=n\]\n {2}Selected by \[y\]:\n {2}- A \[=y\]/,
    );
    assert.equal(found[0]!.start, 0);
  });

  it('say nothing of a sound file', () =>
    assert.deepEqual(codes('CONFIG_NET=y\nCONFIG_LWIP=y\nCONFIG_N=7\nCONFIG_S="x\\"y"\nCONFIG_C2=y\n'), []));
});

describe('quick fixes in .config', () => {
  it('set what is missing, and the plan holds', () => {
    const text = fixed('CONFIG_LWIP=y\n', 'config-not-taken');
    assert.deepEqual(lines(text).sort(), ['LWIP=y', 'NET=y']);
    assert.deepEqual(codes(text), []);
  });

  it('switch on what selects an option without a prompt', () => {
    const text = fixed('CONFIG_HIDDEN=y\n', 'config-without-prompt');
    assert.ok(lines(text).includes('USER=y'));
    assert.equal(viewOf(text).configuration.values.text(viewOf(text).configuration.symbol('HIDDEN')!), 'y');
  });

  it('change a line that says otherwise instead of adding one', () => {
    assert.equal(fixed('# CONFIG_NET is not set\nCONFIG_LWIP=y\n', 'config-not-taken'), 'CONFIG_NET=y\nCONFIG_LWIP=y\n');
  });

  it('mend names, numbers and forms', () => {
    assert.equal(fixed('CONFIG_LWPI=y\n', 'config-unknown-symbol'), 'CONFIG_LWIP=y\n');
    assert.equal(fixed('CONFIG_N=30\n', 'config-out-of-range'), 'CONFIG_N=10\n');
    assert.equal(fixed('NET = y\n', 'config-unexpected'), 'CONFIG_NET=y\n');
    assert.equal(fixed('CONFIG_NET=yes\n', 'config-trailing'), 'CONFIG_NET=y\n');
    assert.equal(fixed('CONFIG_N=7\nCONFIG_N=8\n', 'config-reassigned'), 'CONFIG_N=8\n');
    assert.equal(fixed('CONFIG_USER=y\nCONFIG_N=5\n', 'config-redundant'), 'CONFIG_USER=y\n');
  });

  it('remove all redundant lines at once, with the same result', () => {
    const text = 'CONFIG_N=5\nCONFIG_NET=y\n# CONFIG_USER is not set\nCONFIG_H=0x10\n';
    const after = edited(text, removeAllRedundant(text, check(text))!.edits);
    assert.equal(after, 'CONFIG_NET=y\n');
    assert.equal(viewOf(after).configuration.dotConfig(), viewOf(text).configuration.dotConfig());
  });

  it('say once that a value is none', () => {
    assert.deepEqual(codes('CONFIG_USER=y\nCONFIG_NET=m\n'), ['config-invalid-value']);
  });

  it('switch a line, and write “is not set”', () => {
    const titles = (text: string): string[] =>
      refactorDotConfig(viewOf(text), text, 3).map((fix) => `${fix.title} > ${edited(text, fix.edits).trim()}`);
    assert.deepEqual(titles('CONFIG_NET=y\n'), ['Disable NET > # CONFIG_NET is not set']);
    assert.deepEqual(titles('CONFIG_NET=n\n'), ['Enable NET > CONFIG_NET=y', 'Write “# CONFIG_NET is not set” > # CONFIG_NET is not set']);
    assert.deepEqual(titles('# CONFIG_NET is not set\n'), ['Enable NET > CONFIG_NET=y']);
    assert.deepEqual(titles('CONFIG_LWIP=y\n'), ['Disable LWIP > # CONFIG_LWIP is not set']);
    assert.deepEqual(titles('# CONFIG_LWIP is not set\n'), ['Enable LWIP with NET=y > CONFIG_LWIP=y\nCONFIG_NET=y']);
    // Nothing but what selects it decides on it.
    assert.deepEqual(titles('CONFIG_HIDDEN=y\nCONFIG_USER=y\n'), [
      'Disable HIDDEN with USER=n > CONFIG_HIDDEN=y\n# CONFIG_USER is not set',
    ]);
  });
});

describe('the look of .config', () => {
  const written = viewOf('').configuration.dotConfig();

  it('hints where the value is another', () => {
    const text = 'CONFIG_LWIP=y\nCONFIG_N=7\nCONFIG_N2=1\n';
    assert.deepEqual(
      hintsDotConfig(viewOf(text), text, 0, text.length).map(({ at, label }) => [at, label]),
      [[13, '→ n']],
    );
    assert.deepEqual(hintsDotConfig(viewOf(written), written, 0, written.length), []);
  });

  it('has sections and folds', () => {
    const text =
      '#\n# Automatically generated file; DO NOT EDIT.\n# Test\n#\nCONFIG_A=y\n\n#\n# Menu\n#\nCONFIG_B=y\n\n#\n# Inner\n#\nCONFIG_C=y\n# end of Inner\n# end of Menu\n\nCONFIG_D=y\n';
    const { entries, folds } = outlineDotConfig(text, 'CONFIG_');
    assert.deepEqual(
      entries.map((entry) => [entry.name, entry.children.map((child) => [child.name, child.children.map((inner) => inner.name)])]),
      [
        ['A', []],
        [
          'Menu',
          [
            ['B', []],
            ['Inner', ['C']],
          ],
        ],
        ['D', []],
      ],
    );
    assert.deepEqual(
      folds.map(({ startLine, endLine }) => [startLine, endLine]).sort((a, b) => a[0]! - b[0]!),
      [
        [7, 16],
        [12, 15],
      ],
    );
  });

  it('colours names by what they are', () => {
    const text = 'CONFIG_NET=y\nCONFIG_GONE=y\n# CONFIG_C2 is not set\n';
    assert.deepEqual(
      tokensDotConfig(viewOf(text), text).map(({ start, end, modifiers }) => [text.slice(start, end), ...modifiers]),
      [['CONFIG_NET', 'enabled'], ['y'], ['CONFIG_GONE', 'undefined'], ['y'], ['CONFIG_C2', 'choiceMember', 'disabled']],
    );
  });
});
