/** Reading and judging Kraftfiles. */
import assert from 'node:assert/strict';
import { applyEdits, type KraftContext } from '../../../src/kraftfile/context';
import { configFileName, kraftVersion, readKraftfile, shortForm, targetSuffix } from '../../../src/kraftfile/model';
import { editDistance, nearest } from '../../../src/kraftfile/near';
import { kraftfileNames, placeAt } from '../../../src/kraftfile/schema';
import { validate } from '../../../src/kraftfile/validate';
import { full, libraries, model } from './samples';

describe('a Kraftfile', () => {
  const file = readKraftfile(full);

  it('gives core, libraries, targets and options with their places', () => {
    assert.deepEqual([file.spec!.value, file.version, file.name!.value], ['v0.6', '0.6', 'web']);
    assert.deepEqual([file.unikraft!.version!.value, file.unikraft!.isShort], ['stable', false]);
    assert.deepEqual(
      file.unikraft!.kconfig.map(({ symbol, value, form }) => [symbol, value!.value, form]),
      [
        ['LIBNET', 'y', 'map'],
        ['COUNT', '4', 'map'],
        ['NAME', 'a name', 'map'],
      ],
    );
    assert.deepEqual(
      file.libraries.map(({ name, component }) => [
        name.value,
        component.version!.value,
        component.isShort,
        component.kconfig.map((each) => `${each.symbol}=${each.value!.value}`),
      ]),
      [
        ['lwip', 'stable', true, []],
        ['musl', '1.2.3', false, ['FAST=y', 'NAME=other']],
      ],
    );
    assert.deepEqual(file.targets.map(targetSuffix), ['qemu-x86_64', 'fc-x86_64']);
    assert.deepEqual(
      file.targets.map((target) => configFileName(file, target)),
      ['.config.web_qemu-x86_64', '.config.small_fc-x86_64'],
    );
    assert.deepEqual(file.extensions, ['x-note']);
    const words = [file.spec!, file.name!, ...file.unikraft!.kconfig.map((each) => each.name), ...file.libraries.map((each) => each.name)];
    for (const word of words) assert.equal(full.slice(word.start, word.end), word.value);
    const listed = file.libraries[1]!.component.kconfig;
    for (const { name, value } of listed)
      assert.deepEqual([full.slice(name.start, name.end), full.slice(value!.start, value!.end)], [name.value, value!.value]);
    const [qemu] = file.targets;
    assert.deepEqual(
      [full.slice(qemu!.platform!.start, qemu!.platform!.end), full.slice(qemu!.architecture!.start, qemu!.architecture!.end)],
      ['qemu', 'x86_64'],
    );
  });

  it('takes switches, numbers and versions as kraft does', () => {
    const { unikraft, libraries: uses } = readKraftfile(
      'unikraft:\n  version: 0.17\n  kconfig: {CONFIG_A: true, CONFIG_B: no, CONFIG_C: 0x10, CONFIG_D: ~, CONFIG_E:}\nlibraries: {a: 1.10.0, b: 0.5}\n',
    );
    assert.deepEqual(
      unikraft!.kconfig.map(({ symbol, value, isRadix }) => [symbol, value?.value, isRadix]),
      [
        ['A', 'y', false],
        ['B', 'no', false],
        ['C', '16', true],
        ['D', undefined, false],
        ['E', undefined, false],
      ],
    );
    assert.deepEqual([unikraft!.version!.value, ...uses.map((each) => each.component.version!.value)], ['0.17', '1.10.0', '0.5']);
  });

  it('knows the short forms', () => {
    assert.deepEqual(shortForm('stable'), { version: 'stable' });
    assert.deepEqual(shortForm('./here'), { source: './here' });
    assert.deepEqual(
      shortForm('here', (path) => path === 'here'),
      { source: 'here' },
    );
    assert.deepEqual(shortForm('https://github.com/unikraft/lib-lwip?branch=staging'), {
      source: 'https://github.com/unikraft/lib-lwip?branch=staging',
      version: 'staging',
    });
    assert.deepEqual(shortForm('https://a.org/x.git'), { source: 'https://a.org/x.git' });
    const short = readKraftfile(
      'targets:\n- plat: kvm/amd64\n- {plat: fc, arch: arm64, kernel: k}\nvolumes: ["./a:/b", {source: c}]\nenv: [A=1, B]\ncmd: /run -x\nrootfs: ./fs\nruntime: base:latest\n',
    );
    assert.deepEqual(short.targets.map(targetSuffix), ['qemu-x86_64', 'fc-arm64']);
    assert.deepEqual(
      short.volumes.map((each) => [each.source!.value, each.destination?.value]),
      [
        ['./a', '/b'],
        ['c', undefined],
      ],
    );
    assert.deepEqual(
      short.env.map(({ name, value }) => [name.value, value?.value]),
      [
        ['A', '1'],
        ['B', undefined],
      ],
    );
    assert.deepEqual(
      short.command.map((word) => word.value),
      ['/run', '-x'],
    );
    assert.equal(short.runtime!.version!.value, 'base:latest');
  });

  it('has known names, versions and places', () => {
    assert.equal(kraftfileNames[0], 'kraft.yaml');
    assert.deepEqual(['v0.6', '0.5', '0.6.0', 'v0.7', 'x'].map(kraftVersion), ['0.6', '0.5', '0.6', undefined, undefined]);
    assert.deepEqual(
      [[], ['libraries', 'a', 'kconfig'], ['targets', 0, 'arch'], ['volumes', 1, 'source'], ['nothing', 'x'], ['targets', 'x']].map(
        (path) => placeAt(path),
      ),
      ['root', 'kconfig', 'architecture', 'path', undefined, undefined],
    );
  });
});

describe('the judge of Kraftfiles', () => {
  const context: KraftContext = { model, libraries };
  /** `code@text` of each diagnostic. */
  const codes = (text: string, with_: KraftContext = {}): string[] =>
    validate(readKraftfile(text), with_).map((each) => `${each.code.replace('kraftfile-', '')}@${text.slice(each.start, each.end)}`);
  const good = 'spec: v0.6\nname: a\nunikraft: stable\ntargets:\n- qemu/x86_64\n';

  it('is content with a good one', () => {
    assert.deepEqual(codes(good), []);
    assert.deepEqual(codes(good, context), []);
    assert.deepEqual(codes(full), []);
    assert.deepEqual(
      codes("specification: '0.5'\nname: a\nunikraft:\n  version: stable\ntargets:\n  - architecture: arm64\n    platform: firecracker\n"),
      [],
    );
  });

  const cases: readonly (readonly [string, string, readonly string[], KraftContext?])[] = [
    ['no text', '', ['empty@']],
    ['comments alone', '# nothing\n', ['empty@']],
    ['no map', '- a\n', ['form@- a\n']],
    ['no spec', good.replace('spec: v0.6\n', ''), ['no-spec@name']],
    ['a spec that is no version', good.replace('v0.6', 'latest'), ['spec@latest']],
    ['a spec of the future', good.replace('v0.6', 'v9.9'), ['spec@v9.9']],
    ['a misspelt key', good.replace('unikraft:', 'unikrafft:'), ['no-core@spec', 'unknown-key@unikrafft']],
    ['a misspelt key of a component', `${good}libraries:\n  a:\n    versoin: 1\n`, ['unknown-key@versoin', 'no-version@versoin: 1'].sort()],
    ['no core', good.replace('unikraft: stable\n', ''), ['no-core@spec']],
    ['no targets', good.replace(/targets.*/s, ''), ['no-targets@spec']],
    ['half a target', good.replace('qemu/x86_64', 'qemu'), ['target@qemu']],
    ['a target without architecture', good.replace('qemu/x86_64', 'plat: qemu'), ['target@plat: qemu']],
    ['an unknown architecture', good.replace('x86_64', 'riscv'), ['architecture@riscv']],
    ['an unknown platform', good.replace('qemu', 'foo'), ['platform@foo']],
    ['the same target twice', `${good}- kvm/amd64\n`, ['same-target@kvm/amd64']],
    ['a wrong form', good.replace('- qemu/x86_64', '  a: b'), ['no-targets@targets', 'form@a: b']],
    ['a key twice', `${good}name: b\n`, ['repeated@name']],
    ['both spellings', `${good}specification: v0.6\n`, ['repeated@specification']],
    ['a new key in an old file', `${good.replace('v0.6', 'v0.5')}rootfs: ./fs\n`, ['too-new@rootfs']],
    ['outdir, which becomes the name', `${good}outdir: out\n`, ['outdir@out']],
    [
      'an option without a value',
      good.replace('unikraft: stable', 'unikraft:\n  version: stable\n  kconfig:\n    CONFIG_A:\n'),
      ['kconfig@CONFIG_A'],
    ],
    [
      'an option of a list without a value',
      good.replace('unikraft: stable', 'unikraft:\n  version: stable\n  kconfig:\n  - CONFIG_A\n  - CONFIG_B=\n'),
      ['kconfig@CONFIG_A', 'kconfig@CONFIG_B'],
    ],
    [
      'an option without prefix',
      good.replace('unikraft: stable', 'unikraft:\n  version: stable\n  kconfig: {FAST: y}'),
      ['prefix@FAST'],
      context,
    ],
    [
      'a misspelt option',
      good.replace('unikraft: stable', 'unikraft:\n  version: stable\n  kconfig: {CONFIG_FSAT: y}'),
      ['unknown-option@CONFIG_FSAT'],
      context,
    ],
    [
      'a wrong value',
      good.replace('unikraft: stable', 'unikraft:\n  version: stable\n  kconfig: {CONFIG_COUNT: many, CONFIG_FAST: maybe}'),
      ['value@many', 'value@maybe'],
      context,
    ],
    [
      'a hexadecimal number that becomes decimal',
      good.replace('unikraft: stable', 'unikraft:\n  version: stable\n  kconfig: {CONFIG_SIZE: 0x10}'),
      ['radix@0x10'],
      context,
    ],
    [
      'an option without prompt',
      good.replace('unikraft: stable', 'unikraft:\n  version: stable\n  kconfig: {CONFIG_HIDDEN: "y"}'),
      ['no-prompt@CONFIG_HIDDEN'],
      context,
    ],
    ['an unknown library', `${good}libraries:\n  lwpi: stable\n`, ['unknown-library@lwpi'], context],
    ['an unknown version', `${good}libraries:\n  lwip: 9.9.9\n`, ['unknown-version@9.9.9'], context],
    ['a library whose option kraft does not guess', `${good}libraries:\n  compiler-rt: stable\n`, ['guess@compiler-rt'], context],
    ['a volume without source', `${good}volumes:\n- destination: /b\n`, ['volume@destination: /b']],
    ['a wrong name in env', `${good}env:\n  9A: 1\n`, ['env@9A']],
    ['broken YAML', `${good}env: [a\nb: c\n`, []],
  ];
  for (const [title, text, expected, with_] of cases) {
    it(title, () => {
      const found = codes(text, with_);
      if (title === 'broken YAML')
        assert.ok(
          found.some((each) => each.startsWith('yaml@')),
          String(found),
        );
      else assert.deepEqual([...found].sort(), [...expected].sort());
    });
  }

  it('offers changes that mend', () => {
    for (const text of [
      good.replace('unikraft:', 'unikrafft:'),
      good.replace('v0.6', 'latest'),
      good.replace('spec: v0.6\n', ''),
      good.replace('x86_64', 'x86-64'),
      good.replace('stable', '\n  version: stable\n  kconfig: {FAST: y}'),
    ]) {
      const fixes = validate(readKraftfile(text), context).flatMap((each) => each.fix?.edits ?? []);
      assert.ok(fixes.length > 0, text);
      assert.deepEqual(codes(applyEdits(text, fixes), context), [], text);
    }
  });

  it('finds what was meant', () => {
    assert.equal(nearest('LIBLWPI', ['LIBLWIP', 'LIBELF']), 'LIBLWIP');
    assert.equal(nearest('zzz', ['LIBLWIP']), undefined);
    assert.equal(editDistance('abcd', 'acbd'), 1);
    assert.equal(editDistance('', 'abc'), 3);
  });
});
