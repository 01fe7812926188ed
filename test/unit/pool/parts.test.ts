/** The catalogue's parts by themselves: conditions, Library.uk, manifests, recipes, names of system calls. */
import assert from 'node:assert/strict';
import { conditionOf, ConditionStack, conjunction, negated, suffixCondition, symbolsOf } from '../../../src/pool/conditions';
import { readCatalogue } from '../../../src/pool/catalogue';
import { readLibraryUk } from '../../../src/pool/library-uk';
import { kraftIndexPaths, parseManifest, readManifests, relativeTo } from '../../../src/pool/manifest';
import { takeAllBranches, withoutRecipes } from '../../../src/pool/make-tree';
import { configuredSyscalls, readSyscall, syscallNames } from '../../../src/pool/syscalls';
import { MemoryFiles } from '../kconfig/memory-files';
import { treeWith } from './trees';

describe('conditions of makefiles', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['ifeq ($(CONFIG_A),y)', 'A'],
    ['ifneq ($(CONFIG_A),y)', '!A'],
    ['ifeq (y,$(CONFIG_A))', 'A'],
    ['ifeq ($(CONFIG_A),)', '!A'],
    ['ifneq ($(CONFIG_A),)', 'A'],
    ['ifeq ("$(CONFIG_A)","y")', 'A'],
    ['ifdef CONFIG_A', 'A'],
    ['ifndef CONFIG_A', '!A'],
    ['ifeq ($(CONFIG_A),x86)', 'A = "x86"'],
    ['ifneq ($(filter y,$(CONFIG_A) $(CONFIG_B)),)', 'A || B'],
    ['ifeq ($(call have_gcc),y)', '$(call have_gcc) = y'],
    ['ifeq broken', 'ifeq broken'],
  ];
  for (const [text, expected] of cases) it(text, () => assert.equal(conditionOf(text), expected));

  it('of the ends of names', () => {
    assert.deepEqual(
      ['A_SRCS-y', 'A_SRCS', 'A_SRCS-', 'A_SRCS-n', 'APP-X_SRCS-$(CONFIG_B)', 'A-${CONFIG_C}', 'X-$(call have_gcc)'].map(suffixCondition),
      ['', '', 'n', 'n', 'B', 'C', '$(call have_gcc)'],
    );
  });

  it('joined and negated', () => {
    assert.equal(conjunction(['A', '', 'B || C', 'A']), 'A && (B || C)');
    assert.equal(conjunction(['A', 'n']), 'n');
    assert.equal(negated('A || B'), '!(A || B)');
    assert.equal(negated(negated('A')), 'A');
    assert.deepEqual(symbolsOf('A && !B_2 && X = "C" && $(call have_gcc) = y'), ['A', 'B_2', 'X']);
  });

  it('through else and nesting', () => {
    const stack = new ConditionStack();
    stack.begin('ifeq ($(CONFIG_A),y)', 1);
    stack.otherwise('ifeq ($(CONFIG_B),y)');
    assert.equal(stack.current, '!A && B');
    stack.otherwise('');
    stack.begin('ifdef CONFIG_C', 5);
    assert.deepEqual(stack.left, [1, 5]);
    assert.equal(stack.current, '!A && !B && C');
    stack.end();
    stack.end();
    stack.end();
    assert.equal(stack.current, '');
  });
});

describe('Library.uk', () => {
  it('gives the fields and every version', () => {
    const sum = 'a'.repeat(64);
    const facts = readLibraryUk(
      `# about\nname        := "net"\ndescription := "Packets, \\"fast\\"."\nlicense:= BSD\nversion := 1.0 sha256:${sum} https://example.org/1.0.tar.gz\nversion += 1.1 \\\n  https://example.org/1.1.tar.gz\nnoise\n`,
    );
    assert.deepEqual([facts.name, facts.description, facts.license, facts.homepage], ['net', 'Packets, "fast".', 'BSD', '']);
    assert.deepEqual(facts.versions, [
      { version: '1.0', from: 'Library.uk', sha256: sum, url: 'https://example.org/1.0.tar.gz' },
      { version: '1.1', from: 'Library.uk', url: 'https://example.org/1.1.tar.gz' },
    ]);
  });

  it('is read from an external library', () => {
    const files = treeWith({
      '/libs/net/Makefile.uk':
        'LIBNET2_VERSION=1.1\nLIBNET2_URL=https://example.org/x.tgz\n$(eval $(call addlib_s,libnet2,$(CONFIG_LIBNET2)))\n',
      '/libs/net/Config.uk': 'config LIBNET2\n\tbool "net2"\n',
      '/libs/net/Library.uk': 'name := "net2"\ndescription := "Second."\nversion := 1.0\n',
      '/uk/Config.uk': 'config HAVE_CLOCK\n\tbool\nsource "/libs/net/Config.uk"\n',
    });
    const library = readCatalogue({ files, tree: { base: '/uk', libraries: ['/libs/net'] } }).find('net2')!;
    assert.equal(library.description, 'Second.');
    assert.equal(library.origin, '/libs/net');
    assert.deepEqual(
      library.versions.map(({ version, from }) => [version, from]),
      [
        ['1.0', 'Library.uk'],
        ['1.1', 'Makefile.uk'],
      ],
    );
  });
});

describe('manifests', () => {
  const index =
    'name: index\nlast_updated: 2026-01-01T00:00:00Z\nmanifests:\n  - name: lib-net\n    type: lib\n    manifest: libs/net.yaml\n' +
    '  - name: unikraft\n    type: core\n    versions:\n      - version: 0.17.0\n        resource: https://example.org/uk.tar.gz\n';
  const net =
    `name: net\ntype: lib\ndescription: Packets.\norigin: https://example.org/lib-net.git\nprovider: github\n` +
    'channels:\n  - name: staging\n    latest: 1.1\n    resource: https://example.org/s.tar.gz\n  - name: stable\n    default: true\n' +
    `versions:\n  - version: 1.0\n    unikraft: ">=0.16"\n    resource: https://example.org/1.tar.gz\n    sha256: ${'B'.repeat(64)}\n  - version: 1.1\n`;
  const texts: Readonly<Record<string, string>> = { '/m/index.yaml': index, '/m/libs/net.yaml': net };

  it('are followed from the index', () => {
    const { entries, problems } = readManifests('/m/index.yaml', (address) => texts[address]);
    assert.deepEqual(problems, []);
    const entry = entries.find((each) => each.title === 'net')!;
    assert.deepEqual(entry.channels, ['stable', 'staging']);
    assert.deepEqual(entry.versions, [
      { version: '1.0', from: 'manifest', url: 'https://example.org/1.tar.gz', core: '>=0.16', sha256: 'b'.repeat(64) },
      { version: '1.1', from: 'manifest' },
    ]);
    assert.equal(entries.find((each) => each.kind === 'core')!.title, 'unikraft');
  });

  it('add what could be fetched to a catalogue', () => {
    const { entries } = readManifests('/m/index.yaml', (address) => texts[address]);
    const none = readCatalogue({ files: new MemoryFiles({}), tree: { base: '/none', libraries: [] }, manifests: entries });
    assert.deepEqual(
      none.libraries.map(({ name, state, origin }) => [name, state, origin]),
      [['libnet', 'available', 'https://example.org/lib-net.git']],
    );
    // A library that is here keeps its files and learns its channels.
    const here = readCatalogue({ files: treeWith(), tree: { base: '/uk', libraries: [] }, manifests: entries });
    const library = here.find('libnet')!;
    assert.deepEqual([library.state, library.description], ['local', 'Network card']);
    assert.deepEqual(library.channels, ['stable', 'staging']);
  });

  it('that are broken say so', () => {
    assert.equal(parseManifest('a: [', 'x').problems[0]!.code, 'pool-manifest');
    assert.match(parseManifest('- 1', 'x').problems[0]!.message, /no manifest/);
    assert.match(parseManifest('manifests: [{name: a, type: book}, 3, {type: lib}]', 'x').problems[0]!.message, /type “book”/);
    assert.equal(parseManifest('manifests: [{name: a, type: book}, 3, {type: lib}]', 'x').problems.length, 3);
    const lost = readManifests('/m/index.yaml', (address) => (address === '/m/index.yaml' ? index : undefined));
    assert.match(lost.problems[0]!.message, /\/m\/libs\/net\.yaml is not there/);
    const loop = readManifests('/a', () => 'name: a\ntype: lib\nmanifest: a\n');
    assert.deepEqual(loop.entries, []);
    const bomb = `a: &a [x, x, x, x, x, x, x, x, x]\n${'bcdefghi'
      .split('')
      .map((name, at) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[at]!}`).join(', ')}]\n`)
      .join('')}`;
    assert.equal(parseManifest(bomb, 'x').entries.length, 0);
  });

  it('lie where kraft keeps them', () => {
    assert.deepEqual(kraftIndexPaths({ HOME: '/h' }), ['/h/.local/share/kraftkit/manifests/index.yaml']);
    assert.equal(kraftIndexPaths({ KRAFTKIT_PATHS_MANIFESTS: '/k', HOME: '/h' })[0], '/k/index.yaml');
    assert.equal(relativeTo('https://a.org/x/index.yaml', 'libs/b.yaml'), 'https://a.org/x/libs/b.yaml');
    assert.equal(relativeTo('/m/index.yaml', '../c.yaml'), '/c.yaml');
    assert.equal(relativeTo('index.yaml', 'libs/b.yaml'), 'libs/b.yaml');
    assert.equal(relativeTo('/m/index.yaml', 'https://b.org/y'), 'https://b.org/y');
  });
});

describe('texts of makefiles', () => {
  it('lose their recipes, line for line', () => {
    const text = 'a: b \\\n\tc\n\techo $@ \\\n\t  more\n\nA = 1\n\tB = 2\ndefine x\ny: z\n\tcommand\nendef\n$(C:%.c=%.o): d\n\trun\n';
    assert.equal(withoutRecipes(text), 'a: b \\\n\tc\n\n\n\nA = 1\n\tB = 2\ndefine x\ny: z\n\tcommand\nendef\n$(C:%.c=%.o): d\n\n');
  });

  it('turn their conditions into marks, line for line', () => {
    const text = 'ifeq ($(A),y)\nB = 1\nelse ifeq ($(C),y)\nelse\nendif # A\n\tifeq\nD = a \\\nifeq\n';
    const taken = takeAllBranches(text).split('\n');
    assert.equal(taken.length, text.split('\n').length);
    assert.deepEqual(taken.slice(0, 5), [
      '__POOL_IF = ifeq ($(A),y)',
      'B = 1',
      '__POOL_ELSE = ifeq ($(C),y)',
      '__POOL_ELSE = ',
      '__POOL_END =',
    ]);
    assert.equal(taken[7], 'ifeq');
  });
});

describe('system calls', () => {
  it('are read with arity and context', () => {
    assert.deepEqual(readSyscall('arch_prctl-3e'), { name: 'arch_prctl', arity: 3, context: 'e' });
    assert.deepEqual(readSyscall('clone-5u')?.context, 'u');
    for (const word of ['open', 'open-7', 'open-3x', '-3', 'Open-3', '']) assert.equal(readSyscall(word), undefined, word);
    assert.equal(configuredSyscalls(['a-1', 'a-2', 'bad']).get('a')!.arity, 1);
  });

  it('go by many names', () => {
    for (const name of ['SYS_mmap', '__NR_mmap', 'uk_syscall_r_mmap', 'uk_syscall_e_mmap', 'uk_syscall_mmap', 'mmap(2)'])
      assert.deepEqual(syscallNames(name), ['mmap'], name);
    assert.deepEqual(syscallNames('fstatat'), ['fstatat', 'newfstatat']);
    assert.deepEqual(syscallNames('constructor'), ['constructor']);
  });
});
