/** The catalogue over small pools in memory, and over the starter pool. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { readCatalogue } from '../../../src/pool/catalogue';
import { completeConfig, configurePool, missingLibraries, stateOf } from '../../../src/pool/configuration';
import { closure, dependencyGraph, toDot } from '../../../src/pool/graph';
import { searchPool } from '../../../src/pool/search';
import { findTree } from '../../../src/pool/tree';
import { NodeFiles } from '../../../src/shared/files.node';
import { MemoryFiles } from '../kconfig/memory-files';
import { smallTree, treeWith } from './trees';

const tree = { base: '/uk', libraries: [] };
const all = readCatalogue({ files: treeWith(), tree });

describe('the catalogue of a small tree', () => {
  it('lists every library with its kind and the option that enables it', () => {
    assert.deepEqual(all.problems, []);
    assert.deepEqual(
      all.libraries.map(({ name, title, kind, symbol }) => [name, title, kind, symbol]),
      [
        ['libone', 'one', 'library', 'LIBONE'],
        ['libtwo', 'two', 'library', 'LIBTWO'],
        ['libtwo_extra', 'two-extra', 'library', 'LIBTWO'],
        ['libcontext', 'context', 'architecture', undefined],
        ['libnet', 'net', 'driver', 'LIBNET'],
        ['libpcplat', 'pcplat', 'platform', 'PLAT_PC'],
        ['libempty', 'empty', 'platform', 'PLAT_PC'],
      ],
    );
    assert.deepEqual(all.core, { full: '1.2.3', codename: 'Test' });
  });

  it('knows sources of all branches with their conditions', () => {
    const sources = all.find('one')!.sources.map(({ file, variant, condition, line }) => [file, variant, condition, line]);
    assert.deepEqual(sources, [
      ['/uk/lib/one/a.c', 'isr', '', 4],
      ['/uk/lib/one/fast.c', undefined, 'LIBONE_FAST', 6],
      ['/uk/lib/one/slow.c', undefined, '!LIBONE_FAST', 8],
    ]);
  });

  it('knows headers, exported symbols, options and the description', () => {
    const one = all.find('libone')!;
    assert.deepEqual(one.headerFolders, [{ folder: '/uk/lib/one/include', condition: 'LIBONE', headers: ['one.h', 'sub/deep.h'] }]);
    assert.deepEqual(one.exports, ['one_start', 'one_stop']);
    assert.deepEqual(one.options, ['LIBONE', 'LIBONE_FAST']);
    assert.equal(one.description, 'The first library');
    assert.equal(all.find('two')!.exports, undefined);
  });

  it('finds a library by each of its names', () => {
    for (const name of ['libone', 'one', 'lib-one', 'LIBONE', 'CONFIG_LIBONE', 'CONFIG_LIBONE_FAST'])
      assert.equal(all.find(name)?.name, 'libone', name);
    assert.equal(all.find('constructor'), undefined);
  });

  it('knows who provides a system call and when', () => {
    assert.deepEqual(
      all.providersOf('SYS_read').map(({ library, call }) => [library.name, call.arity, call.condition]),
      [
        ['libone', 3, 'LIBONE'],
        ['libtwo', 3, 'LIBTWO'],
      ],
    );
    const [clone] = all.providersOf('clone');
    assert.deepEqual([clone!.call.context, clone!.call.condition, clone!.call.line], ['e', 'LIBONE_FAST', 14]);
    assert.deepEqual(all.providersOf('fork'), []);
  });

  it('knows selects, dependencies, features, and both directions', () => {
    const needs = all.find('one')!.needs;
    assert.deepEqual(
      needs.map(({ to, reason, by, condition }) => [to, reason, by, condition]),
      [['libtwo', 'selects', 'LIBONE', 'LIBONE_FAST']],
    );
    const two = all.find('two')!;
    // libtwo depends on a feature that libone provides by selecting it.
    assert.deepEqual(
      two.needs.map(({ to, reason, feature }) => [to, reason, feature]),
      [['libone', 'depends', 'HAVE_CLOCK']],
    );
    assert.deepEqual([...new Set(two.neededBy.map((edge) => edge.from))], ['libone']);
    assert.deepEqual(
      closure(all, 'one').map((library) => library.name),
      ['libtwo'],
    );
    assert.deepEqual(
      all.find('libtwo_extra')!.needs.map(({ to, reason, symbol }) => [to, reason, symbol]),
      [['libone', 'uses', 'LIBONE']],
    );
  });

  it('searches, the best first', () => {
    const found = (text: string): string[] => searchPool(all, text).map((match) => match.library.name);
    assert.deepEqual(found('read'), ['libone', 'libtwo']);
    assert.equal(found('two')[0], 'libtwo');
    assert.deepEqual(found('one_start'), ['libone']);
    assert.deepEqual(found('first library'), ['libone']);
    assert.deepEqual(found('nothing of the kind'), []);
    assert.deepEqual(found('  '), []);
  });
});

describe('a configuration of a small tree', () => {
  const files = treeWith();
  const config = completeConfig(files, tree, 'CONFIG_LIBONE=y\n', all.model);
  const pool = configurePool(files, tree, config.text);

  it('builds what print-libs would print: platform libraries with sources, then the rest', () => {
    assert.deepEqual(pool.enabled, ['libnet', 'libpcplat', 'libone', 'libtwo', 'libtwo_extra', 'libcontext']);
    assert.equal(stateOf(all.find('libone')!, pool), 'enabled');
    assert.equal(stateOf(all.find('libempty')!, pool), 'disabled');
  });

  it('has the system calls of the enabled libraries', () => {
    assert.deepEqual([...pool.syscalls.keys()].sort(), ['clone', 'read', 'write']);
    const slow = configurePool(files, tree, 'CONFIG_LIBTWO=y\n# CONFIG_LIBONE is not set\n');
    assert.deepEqual(slow.enabled, ['libtwo', 'libtwo_extra', 'libcontext']);
    assert.deepEqual([...slow.syscalls.keys()], ['read']);
  });

  it('draws only what works in it', () => {
    const graph = dependencyGraph(all, { enabled: new Set(pool.enabled), values: config.values });
    assert.deepEqual(
      graph.edges.map(({ from, to, reason }) => `${from} ${reason} ${to}`),
      ['libone selects libtwo', 'libtwo depends libone', 'libtwo_extra uses libone'],
    );
    const slow = completeConfig(files, tree, 'CONFIG_LIBONE=y\n# CONFIG_LIBONE_FAST is not set\nCONFIG_LIBTWO=y\n', all.model);
    const without = dependencyGraph(all, { enabled: new Set(configurePool(files, tree, slow.text).enabled), values: slow.values });
    assert.ok(!without.edges.some((edge) => edge.reason === 'selects'));
    const near = dependencyGraph(all, { focus: 'libtwo_extra', depth: 1 });
    assert.deepEqual(
      near.nodes.map((node) => node.name),
      ['libone', 'libtwo_extra'],
    );
  });

  it('writes DOT with quoted names', () => {
    const dot = toDot({ nodes: [{ name: 'a"b', title: 'a', kind: 'library', description: 'x\ny' }], edges: [] });
    assert.match(dot, /"a\\"b" \[label="a", shape=box, tooltip="x\\ny"\];/);
  });
});

describe('what is wrong with a pool', () => {
  const problemsOf = (changes: Readonly<Record<string, string | undefined>>, libraries: readonly string[] = []): string[] =>
    readCatalogue({ files: treeWith(changes), tree: { base: '/uk', libraries } }).problems.map(
      ({ code, path: file, line }) => `${code} ${file}:${line}`,
    );

  it('a missing tree, and a folder that is none', () => {
    const missing = readCatalogue({ files: new MemoryFiles({}), tree: { base: '/none', libraries: [] } });
    assert.deepEqual([missing.libraries.length, missing.problems.map((problem) => problem.code)], [0, ['pool-missing-tree']]);
    const wrong = readCatalogue({ files: new MemoryFiles({ '/dir/a.c': '' }), tree: { base: '/dir', libraries: [] } });
    assert.deepEqual(
      wrong.problems.map((problem) => problem.code),
      ['pool-not-a-tree'],
    );
  });

  it('a missing external library', () => {
    assert.ok(problemsOf({}, ['/libs/gone']).includes('pool-missing-folder /libs/gone:1'));
  });

  it('a makefile that cannot be read, with file and line', () => {
    const makefile = `${smallTree['/uk/lib/two/Makefile.uk']!}\nthis is no makefile\nLIBTWO_SRCS-y += $(LIBTWO_BASE)/later.c\n`;
    assert.deepEqual(problemsOf({ '/uk/lib/two/Makefile.uk': makefile }), ['pool-makefile /uk/lib/two/Makefile.uk:7']);
    const open = `ifdef CONFIG_LIBONE\n${smallTree['/uk/lib/two/Makefile.uk']!}`;
    assert.deepEqual(problemsOf({ '/uk/lib/two/Makefile.uk': open }), ['pool-makefile /uk/lib/two/Makefile.uk:1']);
    const stray = `${smallTree['/uk/lib/two/Makefile.uk']!}endif\n`;
    assert.deepEqual(problemsOf({ '/uk/lib/two/Makefile.uk': stray }), ['pool-makefile /uk/lib/two/Makefile.uk:6']);
    const after = readCatalogue({ files: treeWith({ '/uk/lib/two/Makefile.uk': makefile }), tree });
    assert.equal(after.find('two')!.sources.at(-1)!.file, '/uk/lib/two/later.c');
  });

  it('a library without Config.uk, and one whose option nobody defines', () => {
    const lonely = { '/libs/lone/Makefile.uk': '$(eval $(call addlib_s,liblone,$(CONFIG_LIBLONE)))\n' };
    assert.deepEqual(problemsOf(lonely, ['/libs/lone']), ['pool-no-config /libs/lone/Makefile.uk:1']);
    const config = { ...lonely, '/libs/lone/Config.uk': 'config OTHER\n\tbool\n' };
    assert.deepEqual(problemsOf(config, ['/libs/lone']), ['pool-no-symbol /libs/lone/Makefile.uk:1']);
  });

  it('a name that is there twice', () => {
    const twice = { '/libs/one/Makefile.uk': '$(eval $(call addlib_s,libone,$(CONFIG_LIBONE)))\n', '/libs/one/Config.uk': '' };
    assert.deepEqual(problemsOf(twice, ['/libs/one']), ['pool-duplicate /libs/one/Makefile.uk:1']);
  });

  it('a library that nothing imports, and a system call of no form', () => {
    assert.deepEqual(problemsOf({ '/uk/lib/lost/Makefile.uk': '' }), ['pool-not-imported /uk/lib/lost/Makefile.uk:1']);
    assert.deepEqual(
      problemsOf({ '/uk/lib/two/Makefile.uk': `${smallTree['/uk/lib/two/Makefile.uk']!}UK_PROVIDED_SYSCALLS-y += open-9\n` }),
      ['pool-syscall /uk/lib/two/Makefile.uk:6'],
    );
  });

  it('endless recursion and unclosed conditions end', () => {
    const loop =
      'define again\n$(eval $(call again))\nendef\n$(eval $(call again))\nA = $(A)\nB := $(A)\nifeq (x,y\ninclude /uk/lib/two/Makefile.uk\n';
    assert.ok(problemsOf({ '/uk/lib/two/Makefile.uk': loop }).length > 0);
  });
});

describe('finding a pool', () => {
  it('knows the arrangements of kraft, catalog-core and plain projects', () => {
    const at = (prefix: string, to: string): Record<string, string> =>
      Object.fromEntries(Object.entries(smallTree).map(([file, text]) => [file.replace('/uk', `${prefix}/${to}`), text]));
    const kraft = new MemoryFiles({
      ...at('/p', '.unikraft/unikraft'),
      '/p/.unikraft/libs/musl/Makefile.uk': '',
      '/p/.unikraft/libs/.git/Makefile.uk': '',
    });
    assert.deepEqual(findTree(kraft, '/p'), { base: '/p/.unikraft/unikraft', libraries: ['/p/.unikraft/libs/musl'] });
    const catalog = new MemoryFiles({ ...at('/p', 'repos/unikraft'), '/p/repos/libs/lwip/Config.uk': '' });
    assert.deepEqual(findTree(catalog, '/p'), { base: '/p/repos/unikraft', libraries: ['/p/repos/libs/lwip'] });
    const example = new MemoryFiles({ ...at('/p', 'workdir/unikraft'), '/p/workdir/libs/lwip/Config.uk': '' });
    assert.deepEqual(findTree(example, '/p')?.base, '/p/workdir/unikraft');
    assert.deepEqual(findTree(treeWith(), '/uk'), { base: '/uk', libraries: [] });
    assert.equal(findTree(new MemoryFiles({}), '/p'), undefined);
  });
});

describe('the catalogue of the starter pool', () => {
  const base = path.resolve(__dirname, '../../../library-pool');
  const starter = readCatalogue({ files: new NodeFiles(), tree: { base, libraries: [], app: `${base}/app/hello` } });

  it('has no faults, and every folder of lib/', () => {
    assert.deepEqual(starter.problems, []);
    const folders = new NodeFiles().list(`${base}/lib`).filter((name) => name !== 'Makefile.uk' && name !== 'Config.uk');
    for (const folder of folders)
      assert.ok(
        starter.libraries.some((library) => library.folder === `${base}/lib/${folder}`),
        folder,
      );
    for (const library of starter.libraries) if (library.kind !== 'application') assert.notEqual(library.description, '', library.name);
  });

  it('lists sources that exist', () => {
    const files = new NodeFiles();
    for (const library of starter.libraries) {
      for (const source of library.sources)
        if (!source.file.startsWith('/build/')) assert.equal(files.kind(source.file), 'file', source.file);
      assert.ok(library.sources.length > 0, library.name);
    }
  });

  it('knows who provides write, and what is missing', () => {
    assert.deepEqual(
      starter.providersOf('write').map((provider) => provider.library.title),
      ['posix-fdio'],
    );
    assert.deepEqual(missingLibraries(starter, ['ukalloc', 'lwip']), ['lwip']);
  });
});

describe('damaged pools', () => {
  const seed = Number(process.env['SEED'] ?? 20_260_101);
  it(`are read without end or exception (seed ${seed})`, () => {
    let state = seed >>> 0;
    const next = (below: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    const pieces = [
      '$(',
      ')',
      '$(eval ',
      '$(call addlib_s,',
      '\\\n',
      '\t',
      ':',
      '=',
      '+=',
      'ifeq (',
      'endif\n',
      'define x\n',
      'endef\n',
      '-$(CONFIG_LIBONE)',
      ',',
      '#',
      '\n',
      '\0',
      '$(call import_lib,/uk/lib/one)',
      '|',
    ];
    const names = Object.keys(smallTree);
    for (let round = 0; round < 150; round++) {
      const changes: Record<string, string> = {};
      for (let count = 1 + next(3); count > 0; count--) {
        const name = names[next(names.length)]!;
        const text = changes[name] ?? smallTree[name]!;
        const at = next(text.length + 1);
        const piece = Array.from({ length: next(6) }, () => pieces[next(pieces.length)]!).join('');
        changes[name] = text.slice(0, at) + piece + text.slice(at + next(12));
      }
      const files = treeWith(changes);
      const catalogue = readCatalogue({ files, tree });
      for (const library of catalogue.libraries) closure(catalogue, library.name);
      configurePool(files, tree, 'CONFIG_LIBONE=y\nCONFIG_PLAT_PC=y\n');
      dependencyGraph(catalogue);
    }
  });
});
