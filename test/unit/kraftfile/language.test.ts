/** Completion, hover, the layers of a configuration, and the drift between a Kraftfile and a .config. */
import assert from 'node:assert/strict';
import { complete, cursorPlace } from '../../../src/kraftfile/complete';
import { guessedSymbol, type KraftContext } from '../../../src/kraftfile/context';
import { configure, drift, kconfigBlock, minimalKconfig } from '../../../src/kraftfile/drift';
import { hover, optionAt } from '../../../src/kraftfile/hover';
import { configLine, defconfigText, effective, existingConfigName, explain, layersOf } from '../../../src/kraftfile/layers';
import { readKraftfile } from '../../../src/kraftfile/model';
import { validate } from '../../../src/kraftfile/validate';
import { full, libraries, model } from './samples';

const context: KraftContext = { model, libraries };

/** The text with the cursor at `|`. */
function at(marked: string): readonly [string, number] {
  const offset = marked.indexOf('|');
  return [marked.slice(0, offset) + marked.slice(offset + 1), offset];
}

const labels = (marked: string): string[] => complete(...at(marked), context).map((item) => item.label);

describe('the cursor in a Kraftfile', () => {
  const cases: readonly (readonly [string, readonly (string | number)[], 'key' | 'value', string])[] = [
    ['na|', [], 'key', 'na'],
    ['name: we|b', ['name'], 'value', 'we'],
    ['unikraft:\n  ver|', ['unikraft'], 'key', 'ver'],
    ['unikraft:\n  kconfig:\n    # x\n\n    CONFIG_|', ['unikraft', 'kconfig'], 'key', 'CONFIG_'],
    ['unikraft:\n  kconfig:\n    A: y\n  |', ['unikraft'], 'key', ''],
    ['libraries:\n  lwip:\n    version: |', ['libraries', 'lwip', 'version'], 'value', ''],
    ['targets:\n- |', ['targets', 0], 'value', ''],
    ['targets:\n  - a/b\n  - arch: |', ['targets', 1, 'arch'], 'value', ''],
    ['targets:\n- name: x\n  pl|', ['targets', 0], 'key', 'pl'],
    ['targets:\n- name: x\n  kconfig:\n    CONFIG_A|', ['targets', 0, 'kconfig'], 'key', 'CONFIG_A'],
    ['targets:\n- a/b\n- name: x\n  kconfig:\n  - CONFIG_A=|', ['targets', 1, 'kconfig', 0], 'value', 'CONFIG_A='],
    ['unikraft: {ver|}', ['unikraft'], 'key', 'ver'],
    ['unikraft: {version: st|}', ['unikraft', 'version'], 'value', 'st'],
    ['targets: [a/b, q|]', ['targets', 1], 'value', 'q'],
  ];
  for (const [marked, path, side, word] of cases) {
    it(JSON.stringify(marked), () => {
      const cursor = cursorPlace(...at(marked));
      assert.deepEqual([cursor?.path, cursor?.side, cursor?.word], [path, side, word]);
    });
  }
  it('is nowhere in a comment', () => assert.equal(cursorPlace(...at('name: a # b|')), undefined));
});

describe('completion', () => {
  it('offers the keys of the place that are missing', () => {
    const root = labels('spec: v0.6\nname: a\n|');
    assert.ok(
      root.includes('unikraft') &&
        root.includes('rootfs') &&
        !root.includes('name') &&
        !root.includes('spec') &&
        !root.includes('specification'),
    );
    assert.ok(!labels("specification: '0.5'\n|").includes('rootfs'));
    assert.deepEqual(labels('unikraft:\n  version: stable\n  |'), ['source', 'kconfig']);
    assert.deepEqual(labels('targets:\n- platform: fc\n  a|'), ['name', 'architecture', 'arch', 'kernel', 'kconfig']);
  });

  it('offers targets, platforms, architectures, libraries and versions', () => {
    assert.equal(labels('targets:\n- |')[0], 'qemu/x86_64');
    assert.deepEqual(labels('targets:\n- arch: |'), ['x86_64', 'arm64', 'arm']);
    assert.deepEqual(labels('targets:\n- plat: |'), ['qemu', 'fc', 'xen', 'kraftcloud']);
    assert.deepEqual(labels('libraries:\n  lwip: stable\n  |'), ['musl', 'compiler-rt']);
    assert.deepEqual(labels('libraries:\n  lwip: |'), ['stable', 'staging', '2.1.2', '2.1.x']);
    assert.deepEqual(labels('unikraft:\n  version: |'), ['stable', 'staging']);
  });

  it('offers options and their values', () => {
    assert.deepEqual(labels('unikraft:\n  kconfig:\n    CONFIG_LIB|').slice(0, 3), ['CONFIG_LIBELF', 'CONFIG_LIBLWIP', 'CONFIG_LIBNET']);
    assert.ok(!labels('unikraft:\n  kconfig:\n    CONFIG_|').includes('CONFIG_HIDDEN'));
    assert.deepEqual(labels('unikraft:\n  kconfig:\n    CONFIG_FAST: |'), ['y', 'n']);
    assert.deepEqual(labels('unikraft:\n  kconfig:\n  - CONFIG_FA|'), ['CONFIG_FAST']);
    assert.deepEqual(labels('unikraft:\n  kconfig:\n  - CONFIG_FAST=|'), ['y', 'n']);
    const [item] = complete(...at('unikraft:\n  kconfig:\n    CONFIG_FA|'), context);
    assert.deepEqual([item!.insert, item!.start, item!.end], ['CONFIG_FAST: ', 25, 34]);
  });
});

describe('hover', () => {
  const file = readKraftfile(full);
  const over = (word: string): string => hover(file, full.indexOf(word) + 1, context)?.markdown ?? '';
  it('explains keys, options, libraries, platforms', () => {
    assert.match(over('unikraft:'), /\*\*unikraft\*\*.*The core/s);
    assert.match(over('CONFIG_LIBNET'), /bool\) Network.*Packets in and out.*Config\.uk:\d+/s);
    assert.match(over('lwip'), /TCP\/IP.*CONFIG_LIBLWIP.*2\.1\.2/s);
    assert.match(over('qemu/'), /Platform `qemu`.*CONFIG_KVM_VMM_QEMU=y/s);
    assert.match(over('CONFIG_NAME'), /unikraft: `a name` → library musl: `other` \(counts\)/);
    assert.equal(over('# A web'), '');
    assert.equal(optionAt(file, full.indexOf('CONFIG_FAST'))?.symbol, 'FAST');
  });
});

describe('layers', () => {
  const file = readKraftfile(full);
  const [qemu, small] = file.targets;

  it('go from the core to the target, and an existing .config over all', () => {
    const layers = layersOf(file, small, {
      name: existingConfigName(file, small!)!,
      text: 'CONFIG_COUNT=9\n# CONFIG_LIBNET is not set\nCONFIG_NAME="kept"\n',
    });
    assert.deepEqual(
      layers.map((layer) => layer.title),
      ['unikraft', 'library lwip', 'library musl', 'architecture x86_64', 'platform fc', 'target small', '.config.small_fc-x86_64'],
    );
    const { steps, value } = explain(layers, 'COUNT');
    assert.deepEqual(
      [value, steps.map((step) => [step.layer.kind, step.value.value, step.counts])],
      [
        '9',
        [
          ['core', '4', false],
          ['target', '8', false],
          ['config', '9', true],
        ],
      ],
    );
    assert.equal(effective(layers).get('LIBLWIP')!.value, 'y');
    assert.equal(effective(layers).get('NAME')!.value, 'kept');
    assert.equal(explain(layers, 'NONE').value, undefined);
    assert.deepEqual([guessedSymbol('lwip'), guessedSymbol('libelf')], ['LIBLWIP', 'LIBELF']);
  });

  it('give the text for make defconfig', () => {
    const text = defconfigText(layersOf(file, qemu, undefined, context), model);
    assert.match(text, /^CONFIG_COUNT=4$/m);
    assert.match(text, /^CONFIG_NAME="other"$/m);
    assert.match(text, /^CONFIG_KVM_VMM_QEMU=y$/m);
    assert.equal(configLine('A', 'n', undefined), '# CONFIG_A is not set');
    assert.equal(configLine('A', 'x "y"', undefined), 'CONFIG_A="x \\"y\\""');
  });
});

describe('drift', () => {
  const file = readKraftfile(full);
  const [qemu] = file.targets;
  const { text: config } = configure(model, defconfigText(layersOf(file, qemu, undefined, context), model));

  it('is none for the configuration that the Kraftfile gives', () => {
    assert.match(config, /CONFIG_FAST=y/);
    assert.deepEqual(drift(file, qemu, config, context), []);
  });

  it('names what changed, what was added, and what was dropped', () => {
    const changed = config
      .replace('CONFIG_COUNT=4', 'CONFIG_COUNT=5')
      .replace('# CONFIG_LIBELF is not set', 'CONFIG_LIBELF=y')
      .replace('CONFIG_FAST=y\n', '');
    assert.deepEqual(
      drift(file, qemu, changed, context).map(({ symbol, kind, wanted, actual, layer }) => [symbol, kind, wanted, actual, layer?.title]),
      [
        ['COUNT', 'changed', '4', '5', 'unikraft'],
        ['LIBELF', 'added', 'n', 'y', undefined],
        ['FAST', 'dropped', 'y', undefined, 'library musl'],
      ],
    );
  });

  it('has a least block of options that gives the same configuration', () => {
    const least = minimalKconfig(model, config, qemu, file);
    assert.deepEqual([...least.keys()].sort(), ['COUNT', 'FAST', 'LIBLWIP', 'NAME']);
    const again = readKraftfile(`spec: v0.6\nname: web\nunikraft:\n  version: stable\n${kconfigBlock(least, 2)}targets:\n- qemu/x86_64\n`);
    assert.equal(configure(model, defconfigText(layersOf(again, again.targets[0], undefined, context), model)).text, config);
  });
});

describe('the whole of it', () => {
  it('never throws on prefixes and mutations of a file', () => {
    for (let cut = 0; cut <= full.length; cut += 3) {
      for (const text of [full.slice(0, cut), full.slice(cut), `${full.slice(0, cut)}\n  - {${full.slice(cut)}`]) {
        const file = readKraftfile(text);
        const offset = Math.min(cut, text.length);
        for (const diagnostic of validate(file, context)) assert.ok(diagnostic.start <= diagnostic.end && diagnostic.end <= text.length);
        complete(text, offset, context);
        hover(file, offset, context);
        assert.ok(Array.isArray(layersOf(file, file.targets[0])));
      }
    }
    assert.match(validate(readKraftfile('a: b\n'.repeat(1_000_000)))[0]!.message, /too large/);
    const deep = '['.repeat(5000);
    assert.equal(validate(readKraftfile(deep))[0]!.code, 'kraftfile-yaml');
    assert.ok(validate(readKraftfile(`a:\n${Array.from({ length: 300 }, (_, at) => `${' '.repeat(at + 1)}a:\n`).join('')}`)).length > 0);
    const bomb = `a: &a [x]\n${Array.from(
      { length: 30 },
      (_, at) =>
        `b${at}: &b${at} [${Array(9)
          .fill(`*${at === 0 ? 'a' : `b${at - 1}`}`)
          .join(', ')}]\n`,
    ).join('')}libraries: *b29\n`;
    validate(readKraftfile(bomb), context);
    const loop = 'libraries: &l\n  a: *l\ntargets: &t [*t]\n';
    validate(readKraftfile(loop), context);
  });
});
