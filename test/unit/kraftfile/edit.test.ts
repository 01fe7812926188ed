/** Changes of Kraftfiles: exact texts for each style, and a property test that everything else stays byte for byte. */
import assert from 'node:assert/strict';
import { applyEdits } from '../../../src/kraftfile/context';
import {
  addLibrary,
  addTarget,
  type EditResult,
  type KconfigOwner,
  removeLibrary,
  setCoreVersion,
  setKconfig,
  unsetKconfig,
} from '../../../src/kraftfile/edit';
import { readKraftfile } from '../../../src/kraftfile/model';
import { full } from './samples';

function apply(text: string, result: EditResult): string {
  assert.ok('edits' in result, 'refused' in result ? result.refused : '');
  return applyEdits(text, result.edits);
}

const core: KconfigOwner = { kind: 'unikraft' };

describe('changes of a Kraftfile', () => {
  it('add a library after the last one', () => {
    assert.equal(
      apply(full, addLibrary(full, { name: 'nginx' })),
      full.replace('    - "CONFIG_NAME=other"\n', '    - "CONFIG_NAME=other"\n  nginx:\n    version: stable\n'),
    );
    assert.equal(
      apply('libraries:\n  a: stable # x\n', addLibrary('libraries:\n  a: stable # x\n', { name: 'b', version: '1.0' })),
      'libraries:\n  a: stable # x\n  b: "1.0"\n',
    );
    assert.equal(apply(full, addLibrary(full, { name: 'lwip' })), full);
    const source = apply(
      'libraries:\n    a: stable',
      addLibrary('libraries:\n    a: stable', { name: 'b', source: 'https://x.org/b.git' }),
    );
    assert.equal(source, 'libraries:\n    a: stable\n    b:\n        source: https://x.org/b.git\n        version: stable');
  });

  it('make the list of libraries in every form', () => {
    const cases: readonly (readonly [string, string])[] = [
      ['', 'libraries:\n  b: stable\n'],
      ['name: a', 'name: a\nlibraries:\n  b: stable'],
      ['name: a\n# end\n', 'name: a\nlibraries:\n  b: stable\n# end\n'],
      ['libraries:\nname: a\n', 'libraries:\n  b: stable\nname: a\n'],
      ['libraries: # none yet\n\nname: a\n', 'libraries: # none yet\n  b: stable\n\nname: a\n'],
      ['libraries: {}\n', 'libraries: { b: stable }\n'],
      ['libraries: {a: stable}\n', 'libraries: {a: stable, b: stable}\n'],
      ['libraries: { a: stable, }\n', 'libraries: { a: stable, b: stable }\n'],
      ['name: a\r\nlibraries:\r\n  a: stable\r\n', 'name: a\r\nlibraries:\r\n  a: stable\r\n  b: stable\r\n'],
    ];
    for (const [before, after] of cases) {
      const result = apply(before, addLibrary(before, { name: 'b' }));
      if (before.includes(', }'))
        assert.deepEqual(
          readKraftfile(result).libraries.map((each) => each.name.value),
          ['a', 'b'],
        );
      else assert.equal(result, after);
    }
  });

  it('take a library out with its lines and no others', () => {
    assert.equal(apply(full, removeLibrary(full, 'lwip')), full.replace('  lwip: stable   # kept\n', ''));
    assert.equal(apply(full, removeLibrary(full, 'musl')), full.replace(/ {2}musl:\n(?: {4}.*\n)+/, ''));
    assert.equal(apply(full, removeLibrary(full, 'none')), full);
    for (const [before, after] of [
      ['name: a\nlibraries:\n  b: stable\nx: 1\n', 'name: a\nx: 1\n'],
      ['name: a\nlibraries:\n  # about b\n  b: stable\nx: 1\n', 'name: a\nlibraries: {}\n  # about b\nx: 1\n'],
      ['libraries: {a: 1, b: 2}\n', 'libraries: {a: 1}\n'],
      ['libraries: {b: 2, a: 1}\n', 'libraries: {a: 1}\n'],
      ['name: a\nlibraries:\n  a: 1\n  b: 2', 'name: a\nlibraries:\n  a: 1'],
    ] as const) {
      assert.equal(apply(before, removeLibrary(before, 'b')), after);
    }
  });

  it('set options where they are, and add them where they are not', () => {
    assert.equal(apply(full, setKconfig(full, core, 'CONFIG_COUNT', '16')), full.replace('COUNT: 4 ', 'COUNT: 16 '));
    assert.equal(apply(full, setKconfig(full, core, 'LIBNET', 'n')), full.replace("LIBNET: 'y'", "LIBNET: 'n'"));
    assert.equal(apply(full, setKconfig(full, core, 'FAST', 'y')), full.replace('"a name"\n', '"a name"\n    CONFIG_FAST: \'y\'\n'));
    assert.equal(
      apply(full, setKconfig(full, { kind: 'library', name: 'musl' }, 'NAME', 'x y')),
      full.replace('"CONFIG_NAME=other"', '"CONFIG_NAME=x y"'),
    );
    assert.equal(
      apply(full, setKconfig(full, { kind: 'library', name: 'musl' }, 'COUNT', '3')),
      full.replace('CONFIG_NAME=other"\n', 'CONFIG_NAME=other"\n    - "CONFIG_COUNT=3"\n'),
    );
    assert.equal(
      apply(full, setKconfig(full, { kind: 'target', index: 1 }, 'FAST', 'y')),
      full.replace('COUNT: 8\n', "COUNT: 8\n    CONFIG_FAST: 'y'\n"),
    );
  });

  it('turn short forms into long ones', () => {
    assert.equal(
      apply(full, setKconfig(full, { kind: 'library', name: 'lwip' }, 'FAST', 'y')),
      full.replace('lwip: stable   # kept\n', "lwip:   # kept\n    version: stable\n    kconfig:\n      CONFIG_FAST: 'y'\n"),
    );
    assert.equal(
      apply(full, setKconfig(full, { kind: 'target', index: 0 }, 'FAST', 'y')),
      full.replace('- qemu/x86_64\n', "- platform: qemu\n  architecture: x86_64\n  kconfig:\n    CONFIG_FAST: 'y'\n"),
    );
    assert.equal(
      apply('unikraft: ./uk\n', setKconfig('unikraft: ./uk\n', core, 'A', '0x10')),
      'unikraft:\n  source: ./uk\n  kconfig:\n    CONFIG_A: "0x10"\n',
    );
    assert.equal(
      apply('unikraft:\n  version: stable\n', setKconfig('unikraft:\n  version: stable\n', core, 'A', 'y')),
      'unikraft:\n  version: stable\n  kconfig:\n    CONFIG_A: "y"\n',
    );
    assert.equal(
      apply('name: a\n', setKconfig('name: a\n', core, 'A', 'y')),
      'name: a\nunikraft:\n  version: stable\n  kconfig:\n    CONFIG_A: "y"\n',
    );
    assert.equal(
      apply('unikraft: {version: stable}\n', setKconfig('unikraft: {version: stable}\n', core, 'A', 'y')),
      'unikraft: {version: stable, kconfig: { CONFIG_A: "y" }}\n',
    );
  });

  it('unset options', () => {
    assert.equal(apply(full, unsetKconfig(full, core, 'COUNT')), full.replace(/ {4}CONFIG_COUNT: 4.*\n/, ''));
    assert.equal(apply(full, unsetKconfig(full, { kind: 'library', name: 'musl' }, 'FAST')), full.replace('    - CONFIG_FAST=y\n', ''));
    assert.equal(
      apply(full, unsetKconfig(full, { kind: 'target', index: 1 }, 'COUNT')),
      full.replace('  kconfig:\n    CONFIG_COUNT: 8\n', ''),
    );
  });

  it('add targets in the file’s style, and set the core’s version', () => {
    const arm = { platform: 'qemu', architecture: 'arm64' };
    assert.equal(apply(full, addTarget(full, arm)), full.replace('COUNT: 8\n', 'COUNT: 8\n- platform: qemu\n  architecture: arm64\n'));
    assert.equal(
      apply('targets:\n  - fc/x86_64\n', addTarget('targets:\n  - fc/x86_64\n', arm)),
      'targets:\n  - fc/x86_64\n  - qemu/arm64\n',
    );
    assert.equal(apply('targets: []\n', addTarget('targets: []\n', arm)), 'targets: [qemu/arm64]\n');
    assert.equal(apply('targets: [fc/x86_64]\n', addTarget('targets: [fc/x86_64]\n', arm)), 'targets: [fc/x86_64, qemu/arm64]\n');
    assert.equal(apply('name: a\n', addTarget('name: a\n', arm)), 'name: a\ntargets:\n  - qemu/arm64\n');
    assert.equal(
      apply(full, setCoreVersion(full, '0.17.0')),
      full.replace('unikraft:\n  version: stable', 'unikraft:\n  version: "0.17.0"'),
    );
  });

  it('are refused where they would be wrong', () => {
    for (const result of [
      addLibrary('a: [\n', { name: 'b' }),
      addLibrary('- a\n', { name: 'b' }),
      addLibrary('libraries: stable\n', { name: 'b' }),
      addLibrary('libraries: &x {a: 1}\nother: *x\n', { name: 'b: c' }),
      addLibrary('base: &x {a: 1}\nlibraries: *x\n', { name: 'b' }),
      setKconfig(full, core, 'A', ''),
      setKconfig(full, core, 'A B', 'y'),
      setKconfig(full, core, 'A', 'two\nlines'),
      setKconfig(full, { kind: 'library', name: 'none' }, 'A', 'y'),
      addTarget(full, { platform: 'a b', architecture: 'c' }),
    ]) {
      assert.ok('refused' in result && result.refused.length > 10);
    }
  });
});

/** Small, seeded random numbers. */
function random(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

describe('random changes', () => {
  const seed = Number(process.env['SEED'] ?? 20_260_101);
  const rounds = Number(process.env['ROUNDS'] ?? 80);

  it(`do what they say and nothing else (seed ${seed})`, () => {
    const next = random(seed);
    const of = <T>(list: readonly T[]): T => list[next(list.length)]!;
    for (let round = 0; round < rounds; round++) {
      let text = of([
        full,
        full.replace(/\n/g, '\r\n'),
        full.trimEnd(),
        '',
        'name: a\n',
        'libraries: {a: 1}\ntargets: [qemu/x86_64]\n',
        'unikraft:\n    version: stable\nlibraries:\n    a:\n        version: 1\n',
      ]);
      for (let step = 0; step < 8; step++) {
        const before = readKraftfile(text);
        const name = of(['a', 'b', 'lwip', 'musl', 'nginx', 'compiler-rt']);
        const symbol = of(['LIBNET', 'COUNT', 'NAME', 'FAST', 'A_1']);
        const value = of(['y', 'n', '1', '0x10', 'a b', 'x: y', '"q"', '#', '-', '1.0', 'null', '[', "it's"]);
        const owners: KconfigOwner[] = [
          core,
          ...before.libraries.map((each) => ({ kind: 'library', name: each.name.value }) as const),
          ...before.targets.map((_, index) => ({ kind: 'target', index }) as const),
        ];
        const owner = of(owners);
        const optionsOf = (file: typeof before): Map<string, string | undefined> => {
          const entries =
            owner.kind === 'unikraft'
              ? file.unikraft?.kconfig
              : owner.kind === 'target'
                ? file.targets[owner.index]?.kconfig
                : file.libraries.find((each) => each.name.value === owner.name)?.component.kconfig;
          return new Map((entries ?? []).map((each) => [each.symbol, each.value?.value]));
        };
        const names = (file: typeof before): string[] => file.libraries.map((each) => each.name.value);
        const kind = next(5);
        const result = [
          () => addLibrary(text, { name }),
          () => removeLibrary(text, name),
          () => setKconfig(text, owner, symbol, value),
          () => unsetKconfig(text, owner, symbol),
          () => addTarget(text, { platform: 'xen', architecture: 'arm64' }),
        ][kind]!();
        if ('refused' in result) continue;
        const after = applyEdits(text, result.edits);
        const file = readKraftfile(after);
        const where = `round ${round} step ${step} kind ${kind} ${name} ${symbol}=${value}\n--- before\n${text}\n--- after\n${after}`;
        assert.deepEqual(file.document.faults, [], where);
        if (kind === 0) assert.deepEqual(names(file), [...new Set([...names(before), name])], where);
        if (kind === 1)
          assert.deepEqual(
            names(file),
            names(before).filter((each) => each !== name),
            where,
          );
        if (kind === 2) assert.deepEqual(optionsOf(file), new Map([...optionsOf(before), [symbol, value]]), where);
        if (kind === 3)
          assert.deepEqual(
            [...optionsOf(file).keys()],
            [...optionsOf(before).keys()].filter((each) => each !== symbol),
            where,
          );
        if (kind === 4) assert.equal(file.targets.length, before.targets.length + 1, where);
        // Every comment that was there is there still, but those on lines that were taken out.
        const comments = (each: string): string[] => each.match(/# (?!kept|four)[\w .]+/g) ?? [];
        if (kind !== 1 && kind !== 3) assert.deepEqual(comments(after), comments(text), where);
        text = after;
      }
    }
  });

  it(`of random bytes never throw (seed ${seed})`, () => {
    const next = random(seed + 1);
    const alphabet = [
      '\n',
      ' ',
      '  ',
      '\t',
      ':',
      ': ',
      '- ',
      '#',
      '"',
      "'",
      '{',
      '}',
      '[',
      ']',
      ',',
      '&a',
      '*a',
      '!',
      '|',
      '>',
      '%',
      '@',
      '`',
      '?',
      '\r',
      '\0',
      'é',
      '\uFEFF',
      '\uD800',
      'a',
      'y',
      '0x1',
      'kconfig',
      'libraries',
      'targets',
      'unikraft',
      'CONFIG_A',
      '---',
      '...',
      '<<: ',
    ];
    for (let round = 0; round < rounds * 3; round++) {
      let text = round % 2 === 0 ? full : '';
      const cuts = 1 + next(6);
      for (let cut = 0; cut < cuts; cut++) {
        const at = next(text.length + 1);
        const piece = Array.from({ length: next(8) }, () => alphabet[next(alphabet.length)]!).join('');
        text = text.slice(0, at) + piece + text.slice(Math.min(text.length, at + next(20)));
      }
      for (const result of [
        addLibrary(text, { name: 'zz' }),
        removeLibrary(text, 'musl'),
        setKconfig(text, core, 'ZZ', 'y'),
        unsetKconfig(text, core, 'COUNT'),
        addTarget(text, { platform: 'xen', architecture: 'arm' }),
      ]) {
        if ('edits' in result) {
          for (const { start, end } of result.edits) assert.ok(start >= 0 && start <= end && end <= text.length);
          readKraftfile(applyEdits(text, result.edits));
        }
      }
    }
  });
});
