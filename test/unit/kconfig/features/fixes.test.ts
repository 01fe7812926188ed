/** Findings in Kconfig files with their places, and what the quick fixes make of the text. */
import assert from 'node:assert/strict';
import { checkKconfig } from '../../../../src/kconfig/features/check';
import { fixKconfig } from '../../../../src/kconfig/features/fixes';
import { type Finding } from '../../../../src/kconfig/features/view';
import { edited, open, rootPath, type Opened, type OpenOptions } from './cursor';

function findings(source: string, options?: OpenOptions): { opened: Opened; found: Finding[] } {
  const opened = open(source, options);
  return { opened, found: checkKconfig(opened.view, rootPath, opened.view.service.diagnostics()) };
}

function codes(source: string, options?: OpenOptions): string[] {
  const { opened, found } = findings(source, options);
  return found.map(({ code, start, end }) => `${code}: ${opened.text.slice(start, end)}`);
}

/** The text after the first fix of the first finding with a code. */
function fixed(source: string, code: string, index = 0): string {
  const { opened, found } = findings(source);
  const finding = found.find((one) => one.code === code);
  assert.ok(finding, `no ${code} in ${found.map((one) => one.code).join(' ')}`);
  const fixes = fixKconfig(opened.view, rootPath, opened.syntax, finding);
  assert.ok(fixes[index], `no fix for ${code}`);
  return edited(opened.text, fixes[index].edits);
}

describe('findings in Kconfig files', () => {
  it('stand at the words they are about', () => {
    assert.deepEqual(codes('config A\n\tbool "a"\n\tselect GONE\n'), ['undefined-symbol: GONE']);
    assert.deepEqual(codes('config A\n\tbool " a"\n'), ['leading-whitespace: " a"']);
    assert.deepEqual(codes('config N\n\tint "n"\n'), ['number-without-default: config N']);
    assert.deepEqual(codes('config A\n\tbool "a"'), ['no-final-newline: "']);
  });

  it('say what the engine says of broken lines', () => {
    const { found } = findings('config A\n\tbool "a"\n\tdepends A\n');
    assert.equal(found.length, 1);
    assert.equal(found[0]?.severity, 'error');
    assert.equal(found[0].message, 'invalid statement');
  });

  it('judge no names of a tree that is not whole', () => {
    assert.deepEqual(codes('config A\n\tbool "a"\n\tselect GONE\n', { partial: true }), []);
  });

  it('are given once for a file that is read twice', () => {
    const files = { '/w/x.uk': 'config A\n\tbool "a"\n\tselect GONE\n' };
    const { view } = open('source "/w/x.uk"\nsource "/w/x.uk"\n', { files });
    const found = checkKconfig(view, '/w/x.uk', view.service.diagnostics());
    assert.deepEqual(
      found.filter((one) => one.code === 'undefined-symbol').map(({ start }) => start),
      [files['/w/x.uk'].indexOf('GONE')],
    );
  });

  it('never throw on damaged files', () => {
    for (const text of [
      'menu',
      'if\nendmenu\nconfig',
      'config A\n\thelp',
      'source "$(',
      'choice\nchoice\nchoice',
      '\0\u{1f600}',
      'config A\n\tdefault "\\',
    ])
      findings(text);
  });
});

describe('quick fixes in Kconfig files', () => {
  it('take the name that was meant', () => {
    assert.equal(
      fixed('config LIBUKALLOC\n\tbool "x"\nconfig A\n\tbool "a"\n\tselect LIBKUALLOC\n', 'undefined-symbol').split('\n')[4],
      '\tselect LIBUKALLOC',
    );
    assert.equal(fixed('config P\n\tbool "p"\nconfig A\n\tbool "a" if CONFIG_P\n', 'prefix-in-kconfig').split('\n')[3], '\tbool "a" if P');
    assert.equal(fixed('config A\n\tbool "a"\n\tdefault no\n', 'default-yes-no').split('\n')[2], '\tdefault n');
  });

  it('remove lines without effect', () => {
    assert.equal(fixed('config A\n\tbool "a"\n\tdefault y\n\tdefault n\n', 'unreachable-default'), 'config A\n\tbool "a"\n\tdefault y\n');
    assert.equal(
      fixed('config A\n\tbool "a"\n\thelp\nconfig B\n\tbool "b"\n', 'help-swallows'),
      'config A\n\tbool "a"\nconfig B\n\tbool "b"\n',
    );
  });

  it('mend what scanning stumbled over', () => {
    assert.equal(fixed('config A\n\tbool "a"', 'no-final-newline'), 'config A\n\tbool "a"\n');
    assert.equal(fixed('config A @\n\tbool "a"\n', 'unsupported-character'), 'config A \n\tbool "a"\n');
    assert.equal(fixed('config A\n\tbool "  a"\n', 'leading-whitespace'), 'config A\n\tbool "a"\n');
  });

  it('give numbers a default', () => {
    assert.equal(
      fixed('config H\n\thex "h"\n\thelp\n\t  t\n', 'number-without-default'),
      'config H\n\thex "h"\n\tdefault 0x0\n\thelp\n\t  t\n',
    );
  });

  it('make sure of what a selected option depends on', () => {
    const text = 'config D\n\tbool "d"\nconfig B\n\tbool "b"\n\tdepends on D\nconfig A\n\tbool "a"\n\tselect B\n';
    assert.equal(fixed(text, 'select-of-dependent', 0).split('\n')[7], '\tselect B if D');
    const second = fixed(text, 'select-of-dependent', 1);
    assert.equal(second.split('\n')[7], '\tdepends on D');
    assert.deepEqual(codes(second), []);
    assert.deepEqual(codes(fixed(text, 'select-of-dependent', 0)), []);
  });
});
