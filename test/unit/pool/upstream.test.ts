/**
 * The catalogue against a real tree: enabled sets and system call tables are compared with what make prints and builds.
 * UK_ROOT is the core, with libraries (lib-*) and builds (build/NAME) beside it; UNIKERNEL_SUITES holds images/NAME.config.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readCatalogue } from '../../../src/pool/catalogue';
import { configurePool } from '../../../src/pool/configuration';
import { type PoolTree } from '../../../src/pool/tree';
import { NodeFiles } from '../../../src/shared/files.node';

const { UK_ROOT: root, UNIKERNEL_SUITES: suites } = process.env;
const files = new NodeFiles();

interface Configuration {
  readonly name: string;
  readonly file: string;
  readonly tree: PoolTree;
  readonly build: string;
}

/** Configurations made for this core of which the application is there. */
function configurations(): Configuration[] {
  if (root === undefined || suites === undefined) return [];
  const images = path.join(suites, 'images');
  return (existsSync(images) ? readdirSync(images) : [])
    .filter((name) => name.endsWith('.config'))
    .flatMap((file) => {
      const name = file.slice(0, -'.config'.length);
      const text = readFileSync(path.join(images, file), 'utf8');
      const value = (symbol: string): string => new RegExp(`^CONFIG_${symbol}="(.*)"$`, 'm').exec(text)?.[1] ?? '';
      const build = path.join(path.dirname(root), 'build', name);
      const menus = path.join(build, 'kconfig/libs.uk');
      if (value('UK_BASE') !== root || !existsSync(value('UK_APP')) || !existsSync(menus)) return [];
      const libraries = [...readFileSync(menus, 'utf8').matchAll(/source "(.*)\/Config\.uk"/g)]
        .map((match) => match[1]!)
        .filter((each) => !each.startsWith(`${root}/`));
      return [{ name, file: path.join(images, file), tree: { base: root, libraries, app: value('UK_APP') }, build }];
    });
}

const found = configurations();

describe('the catalogue of a real tree', function () {
  this.timeout(1_200_000);
  before(function () {
    if (found.length > 0) return;
    console.log('      skipped: set UK_ROOT to a Unikraft core and UNIKERNEL_SUITES to a folder with images/*.config made for it');
    this.skip();
  });

  it('has the enabled set of make print-libs, in its order, for up to ten configurations', () => {
    const scratch = mkdtempSync(path.join(tmpdir(), 'pool-'));
    // Different ones first: names that begin alike are variants.
    const chosen = [
      ...new Map([...found].reverse().map((each) => [`${each.tree.app}${each.name.slice(0, 9)}`, each])).values(),
      ...found,
    ].slice(0, 10);
    try {
      for (const { name, file, tree } of new Set(chosen)) {
        const output = path.join(scratch, name);
        const config = `${output}.config`;
        mkdirSync(output);
        copyFileSync(file, config);
        const variables = [`A=${tree.app!}`, `O=${output}`, `C=${config}`, `L=${tree.libraries.join(':')}`];
        const make = (goal: string) =>
          spawnSync('make', ['-s', '-C', tree.base, ...variables, goal], {
            encoding: 'utf8',
            timeout: 300_000,
            stdio: ['ignore', 'pipe', 'pipe'],
          });
        // A configuration of another day would have Kconfig ask questions.
        assert.equal(make('olddefconfig').status, 0, name);
        const run = make('print-libs');
        assert.equal(run.status, 0, run.stderr);
        const printed = run.stdout
          .split('\n')
          .filter((line) => /^(lib|app)\w/.test(line))
          .join(' ')
          .trim()
          .split(/\s+/);
        assert.ok(printed.length > 10, run.stdout);
        assert.deepEqual(configurePool(files, tree, readFileSync(config, 'utf8')).enabled, printed, name);
      }
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  });

  it('has the system calls of the generated syscall_provided.h', () => {
    let compared = 0;
    for (const { name, file, tree, build } of found) {
      const header = path.join(build, 'libsyscall_shim/include/uk/bits/syscall_provided.h');
      if (!existsSync(header)) continue;
      // A call that sees its caller's context has a second prototype, with a name of its own.
      const prototypes = [
        ...readFileSync(header, 'utf8').matchAll(/^#define HAVE_uk_syscall_(?!e_)\w+ t\n(?:.*\n)?UK_SYSCALL_R_PROTO\((\d), (\w+)\);/gm),
      ];
      const expected = prototypes.map((match) => `${match[2]!}-${match[1]!}`);
      const withContext = [...readFileSync(header, 'utf8').matchAll(/^#define HAVE_uk_syscall_e_(\w+) /gm)].map((match) => match[1]!);
      const { syscalls } = configurePool(files, tree, readFileSync(file, 'utf8'));
      const table = [...syscalls.values()];
      assert.deepEqual([...new Set(table.map((call) => `${call.name}-${call.arity}`))].sort(), [...new Set(expected)].sort(), name);
      assert.deepEqual(
        table
          .filter((call) => call.context === 'e')
          .map((call) => call.name)
          .sort(),
        [...new Set(withContext)].sort(),
        name,
      );
      compared++;
    }
    assert.ok(compared > 0, 'no build has the shim');
  });

  it('lists every library that any configuration enables, and every folder of the Config.uk tree that registers one', () => {
    // Of variants of one library, which are for different builds, one.
    const byName = new Map(found.flatMap((each) => each.tree.libraries).map((folder) => [path.basename(folder), folder]));
    const libraries = [...byName.values()];
    for (const app of new Set(found.map((each) => each.tree.app!))) {
      const catalogue = readCatalogue({ files, tree: { base: root!, libraries, app } });
      assert.deepEqual(
        catalogue.problems.filter((problem) => problem.severity === 'error' || problem.code === 'pool-makefile'),
        [],
      );
      const names = new Set(catalogue.libraries.map((library) => library.name));
      for (const { tree, file } of found.filter((each) => each.tree.app === app)) {
        for (const name of configurePool(files, tree, readFileSync(file, 'utf8')).enabled) assert.ok(names.has(name), name);
      }
      // Every folder with a Config.uk and a Makefile.uk that registers something is a library of the catalogue.
      const folders = new Set(catalogue.libraries.map((library) => library.folder));
      for (const { path: config } of catalogue.model!.files.values()) {
        const folder = path.dirname(config);
        const makefile = files.readText(`${folder}/Makefile.uk`);
        // The other architecture's folders are not read.
        if (makefile !== undefined && !folder.startsWith(`${root!}/arch/`) && /addlib|addplatlib/.test(makefile))
          assert.ok(folders.has(folder), folder);
      }
    }
  });

  it('lists the sources that make compiles', () => {
    const catalogue = readCatalogue({ files, tree: found[0]!.tree });
    const missing = catalogue.libraries.flatMap((library) =>
      library.sources.filter(({ file }) => file.startsWith(`${root!}/`) && files.kind(file) === undefined && !/\bbuild\b/.test(file)),
    );
    assert.deepEqual(
      missing.map((source) => `${source.path}:${source.line}: ${source.file}`).filter((each) => !each.includes('>')),
      [],
    );
  });
});
