/** The pool of a project without an editor: finding of projects in every layout, states of libraries, filters, plans, the page. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { libraryHtml, type PageLinks } from '../../../src/features/library-html';
import { optionCost } from '../../../src/features/sizes-model';
import { planText, PoolModel } from '../../../src/features/pool-model';
import { makeArguments } from '../../../src/build/make/command';
import { findProjects, imagesOf, makeProject, type Project } from '../../../src/project/projects';
import { NodeFiles } from '../../../src/shared/files.node';

const pool = path.resolve(__dirname, '../../../library-pool');
const files = new NodeFiles();
const links: PageLinks = {
  show: (name) => `show:${name}`,
  open: (file, line) => `open:${file}:${line}`,
  enable: (name) => `enable:${name}`,
  disable: (name) => `disable:${name}`,
  addToKraftfile: (name) => `add:${name}`,
  removeFromKraftfile: (name) => `remove:${name}`,
  fetch: (name) => `fetch:${name}`,
  graph: (name) => `graph:${name}`,
  sizes: () => 'sizes:',
};

describe('the pool model', () => {
  let scratch = '';
  const write = (name: string, text: string): string => {
    const file = path.join(scratch, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
    return file;
  };
  const find = (folder: string, candidates: readonly string[], root = '', folders = [folder]): Project[] =>
    findProjects({ files, folders, candidates, root, starterPool: pool });

  beforeEach(() => {
    scratch = mkdtempSync(path.join(tmpdir(), 'unikernel-pool-'));
    cpSync(pool, path.join(scratch, 'library-pool'), { recursive: true, filter: (source) => path.basename(source) !== 'build' });
  });
  afterEach(() => rmSync(scratch, { recursive: true, force: true }));

  const hello = (): Project => {
    const app = path.join(scratch, 'library-pool/app/hello');
    const [project] = find(scratch, [app]);
    assert.ok(project);
    return project;
  };

  /** An upstream-like core: enough of one for its layout to be known. */
  const core = (name: string): string => {
    write(`${name}/Config.uk`, 'config UK_ALWAYS\n\tbool\n\tdefault y\n');
    write(`${name}/lib/Makefile.uk`, '');
    write(`${name}/Makefile`, '');
    write(`${name}/version.mk`, 'UK_VERSION = 0\nUK_SUBVERSION = 17\n');
    return path.join(scratch, name);
  };

  it('finds applications within the starter pool, and neither its libraries nor its root', () => {
    const base = path.join(scratch, 'library-pool');
    const apps = ['echo', 'hello', 'threads'].map((name) => path.join(base, 'app', name));
    const projects = find(scratch, [base, `${base}/lib`, `${base}/lib/ukalloc`, `${base}/arch`, ...apps]);
    assert.deepEqual(
      projects.map(({ folder, builder, tree }) => [folder, builder, tree.base]),
      apps.map((app) => [app, 'pool', base]),
    );
  });

  it('takes the starter pool for an application by itself', () => {
    const app = path.dirname(write('alone/Makefile.uk', '$(eval $(call addlib,appalone))\n'));
    write('alone/Config.uk', '');
    rmSync(path.join(scratch, 'library-pool'), { recursive: true });
    const [project] = find(app, [app]);
    assert.equal(project?.tree.base, pool);
    assert.equal(project.builder, 'pool');
  });

  for (const [layout, place, libs] of [
    ['kraft', 'app/.unikraft/unikraft', 'app/.unikraft/libs'],
    ['catalog-core', 'app/workdir/unikraft', 'app/workdir/libs'],
  ] as const)
    it(`finds the core and the libraries of ${layout}'s layout, and the command line of make`, () => {
      const base = core(place);
      write(`${libs}/musl/Makefile.uk`, '$(eval $(call addlib_s,libmusl,$(CONFIG_LIBMUSL)))\n');
      const app = path.dirname(write('app/Kraftfile', 'spec: v0.6\nunikraft: stable\nlibraries:\n  musl: stable\n'));
      const [project] = find(app, [app]);
      assert.equal(project?.tree.base, base);
      assert.equal(project.builder, 'make');
      const build = layout === 'kraft' ? `${app}/.unikraft/build` : `${app}/build`;
      assert.deepEqual(makeArguments(makeProject(project), ['clean']), [
        ...['-C', base, `A=${app}`, `O=${build}`, `C=${app}/.config`],
        ...[`L=${scratch}/${libs}/musl`, 'clean'],
      ]);
    });

  it('follows the setting to a core elsewhere, absolute or relative', () => {
    const base = core('elsewhere/unikraft');
    const app = path.dirname(write('apps/one/Kraftfile', 'spec: v0.6\n'));
    for (const root of [base, '../elsewhere/unikraft', path.join(scratch, 'elsewhere')])
      assert.equal(find(path.join(scratch, 'apps'), [app], root)[0]?.tree.base, base, root);
  });

  it('knows what is enabled before a build, and what is in the image after one', () => {
    const project = hello();
    const model = new PoolModel(files, project);
    const status = (name: string): string => model.statusOf(model.catalogue.find(name)!);
    assert.equal(status('ukalloc'), 'enabled');
    assert.equal(status('uksched'), 'disabled');
    assert.equal(model.isStale, false);
    write('library-pool/app/hello/.config.hello_qemu-x86_64', 'as kraft names a configuration');
    assert.deepEqual(imagesOf(files, project), []);
    write('library-pool/app/hello/build/hello_qemu-x86_64', 'image');
    write('library-pool/app/hello/build/config', model.configText);
    model.reload();
    assert.equal(status('ukalloc'), 'image');
    assert.deepEqual(
      imagesOf(files, project).map(({ target }) => target),
      ['qemu-x86_64'],
    );
    const plan = model.plans(model.catalogue.find('uksched')!, 'y')?.plans[0];
    assert.ok(plan);
    assert.match(planText(plan).label, /^LIBUKSCHED=y$/);
    assert.match(planText(plan).detail, /LIBUKSCHED_STACK_SIZE=65536/);
    assert.ok(model.apply(plan));
    assert.equal(status('uksched'), 'enabled');
    assert.equal(model.isStale, true);
    write('library-pool/app/hello/build/config', model.configText);
    model.reload();
    // What was not written to .config is gone with the reload.
    assert.equal(status('uksched'), 'leaving');
  });

  it('reads a .config that an editor holds, with either line ending', () => {
    const project = hello();
    const model = new PoolModel(files, project, (file) =>
      file === project.configFile ? 'CONFIG_LIBUKSCHED=y\r\nCONFIG_LIBUKSCHED_STACK_SIZE=16384\r\n' : undefined,
    );
    assert.equal(model.value('LIBUKSCHED'), 'y');
    assert.equal(model.value('LIBUKSCHED_STACK_SIZE'), '16384');
    assert.equal(model.value('NO_SUCH_OPTION'), undefined);
  });

  it('shows what a Kraftfile asks for and nobody has', () => {
    write('library-pool/app/hello/Kraftfile', 'spec: v0.6\nlibraries:\n  ukalloc: stable\n  lwip: stable\n');
    const model = new PoolModel(files, hello());
    const missing = [...model.entries('@missing').values()].flat();
    assert.deepEqual(
      missing.map(({ title, status, library }) => [title, status, library]),
      [['lwip', 'missing', undefined]],
    );
  });

  it('tells what an option adds: the libraries that are there only for it, at their size in the image', () => {
    const project = hello();
    const before = new PoolModel(files, project);
    write('library-pool/app/hello/.config', before.configText.replace('# CONFIG_LIBUKSCHED is not set', 'CONFIG_LIBUKSCHED=y'));
    const model = new PoolModel(files, project);
    const sizes = new Map([
      ['libuksched', 1700],
      ['libposix_fdio', 900],
      ['libnolibc', 3000],
    ]);
    assert.equal(model.value('LIBUKSCHED'), 'y');
    const cost = optionCost(files, model, sizes, 'LIBUKSCHED');
    assert.deepEqual(
      cost?.libraries.map(({ library, bytes }) => [library.name, bytes]),
      [['libuksched', 1700]],
    );
    assert.equal(cost.bytes, 1700);
    // Without a build nothing is known, and what another option selects would stay.
    assert.equal(optionCost(files, model, new Map(), 'LIBUKSCHED'), undefined);
    assert.equal(optionCost(files, model, sizes, 'LIBPOSIX_FDIO'), undefined);
    assert.equal(optionCost(files, model, sizes, 'LIBNONE'), undefined);
  });

  it('offers to take out what the Kraftfile asks for, to put in what it could ask for, and nothing of the core', () => {
    const base = core('app/.unikraft/unikraft');
    for (const name of ['one', 'two']) {
      write(`app/.unikraft/libs/${name}/Config.uk`, `config LIB${name.toUpperCase()}\n\tbool "${name}"\n`);
      write(`app/.unikraft/libs/${name}/Makefile.uk`, `$(eval $(call addlib_s,lib${name},$(CONFIG_LIB${name.toUpperCase()})))\n`);
    }
    const text = 'spec: v0.6\nunikraft: stable\nlibraries:\n  one: stable\n  two: stable\n';
    const app = path.dirname(write('app/Kraftfile', text));
    const [project] = find(app, [app]);
    assert.equal(project?.tree.base, base);
    const model = new PoolModel(files, project);
    const page = (name: string): string => libraryHtml(model, model.catalogue.find(name)!, links, undefined);
    assert.match(page('one'), /remove:libone[^>]*>Remove from Kraftfile/);
    write('app/Kraftfile', text.replace('  one: stable\n', ''));
    model.reload();
    assert.match(page('one'), /add:libone[^>]*>Add to Kraftfile/);
    assert.match(page('two'), /remove:libtwo/);
    for (const library of model.catalogue.libraries.filter(({ origin }) => origin === 'core'))
      assert.equal(model.kraftfileUse(library), undefined, library.name);
  });

  it('offers what lies beside the libraries of the project, and tells what the configuration becomes with it', () => {
    const base = core('app/.unikraft/unikraft');
    // The tree's options come by the list of folders, as upstream's do.
    write(
      'app/.unikraft/unikraft/Config.uk',
      'config UK_ALWAYS\n\tbool\n\tdefault y\n\nconfig ROOM\n\tbool\n\nsource "$(shell,$(UK_BASE)/support/build/config-submenu.sh -q -o $(KCONFIG_DIR)/libs.uk -r $(KCONFIG_LIB_BASE) -c $(KCONFIG_ELIB_DIRS))"\n',
    );
    for (const name of ['one', 'two']) {
      const option = `LIB${name.toUpperCase()}`;
      write(`app/.unikraft/libs/${name}/Config.uk`, `config ${option}\n\tbool "${name}"\n\tselect ROOM\n`);
      write(
        `app/.unikraft/libs/${name}/Makefile.uk`,
        `$(eval $(call addlib_s,lib${name},$(CONFIG_${option})))\nUK_PROVIDED_SYSCALLS-$(CONFIG_${option}) += ${name}-1\n`,
      );
    }
    const app = path.dirname(write('app/Kraftfile', 'spec: v0.6\nunikraft: stable\nlibraries:\n  two: stable\n'));
    const [project] = find(app, [app]);
    assert.deepEqual(
      [project?.tree.base, project?.tree.libraries, project?.tree.beside],
      [base, [`${app}/.unikraft/libs/two`], [`${app}/.unikraft/libs/one`]],
    );
    const model = new PoolModel(files, project!);
    const one = model.catalogue.find('one')!;
    assert.deepEqual([model.statusOf(one), model.kraftfileUse(one), model.value('LIBONE')], ['beside', 'possible', undefined]);
    assert.deepEqual(
      model.catalogue.providersOf('one').map(({ library }) => library.title),
      ['one'],
    );
    assert.match(libraryHtml(model, one, links, undefined), /add:libone[^>]*>Add to Kraftfile…/);
    const addition = model.addition(one);
    assert.match(planText(addition!.answer.plans[0]!).detail, /ROOM=y/);
    addition!.configuration.apply(addition!.answer.plans[0]!.steps);
    assert.match(addition!.configuration.dotConfig(), /^CONFIG_LIBONE=y$/m);
    // Nothing of it is in the project until the Kraftfile asks for it.
    assert.doesNotMatch(model.configText, /LIBONE/);
    assert.equal(model.addition(model.catalogue.find('two')!), undefined);
    write('app/Kraftfile', 'spec: v0.6\nunikraft: stable\nlibraries:\n  two: stable\n  one: stable\n');
    const again = new PoolModel(files, find(app, [app])[0]!);
    assert.equal(again.project.tree.beside, undefined);
    assert.equal(again.statusOf(again.catalogue.find('one')!), 'disabled');
  });

  it('filters by words and by state', () => {
    const model = new PoolModel(files, hello());
    const titles = (filter: string): string[] => [...model.entries(filter).values()].flat().map(({ title }) => title);
    assert.ok(titles('').length > 14);
    assert.ok(titles('sched_yield').includes('uksched'));
    assert.ok(titles('alloc @enabled').includes('ukalloc'));
    assert.ok(!titles('@enabled').includes('uksched'));
    assert.ok(titles('@disabled').includes('uksched'));
    assert.deepEqual(titles('nothing-has-this-name'), []);
  });

  it('makes a page with live values, system calls and both directions, and escapes what it shows', () => {
    const model = new PoolModel(files, hello());
    const page = (name: string, readme?: string): string => libraryHtml(model, model.catalogue.find(name)!, links, readme);
    assert.match(page('uksched'), /enable:libuksched/);
    assert.match(page('uksched'), /sched_yield/);
    assert.match(page('uksched'), /show:libukalloc/);
    assert.match(page('ukalloc'), /disable:libukalloc/);
    assert.match(page('ukalloc'), /show:libuksched/);
    assert.match(page('ukalloc'), /alloc\.c/);
    assert.match(page('ukalloc', '<h1>Read me</h1>'), /<div class="readme"><h1>Read me/);
    const odd = { ...model.catalogue.find('ukalloc')!, title: '<b>&"', description: "<script>alert('x')</script>" };
    const html = libraryHtml(model, odd, links, undefined);
    assert.ok(!html.includes('<script>') && !html.includes('<b>'), html.slice(0, 300));
  });
});
