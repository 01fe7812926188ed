/** Which tree a file belongs to, in the arrangements that people have. */
import assert from 'node:assert/strict';
import { defaultSettings, type Settings } from '../../../src/language-server/settings';
import { languageOf } from '../../../src/language-server/kinds';
import { treeFor, type TreePlan } from '../../../src/language-server/trees';
import { folderOf, pathOfUri, resolvePath, uriOfPath } from '../../../src/language-server/uri';
import { MemoryFiles } from '../kconfig/memory-files';

function core(base: string): Record<string, string> {
  return {
    [`${base}/Config.uk`]: 'mainmenu "x"\n',
    [`${base}/Makefile`]: 'all:\n',
    [`${base}/version.mk`]: 'UK_VERSION = 0\nUK_SUBVERSION = 17\nUK_EXTRAVERSION = 0\n',
    [`${base}/lib/ukalloc/Config.uk`]: '',
    [`${base}/lib/ukalloc/Makefile.uk`]: '$(eval $(call addlib_s,libukalloc,y))\n',
  };
}

function plan(
  path: string,
  texts: Readonly<Record<string, string>>,
  options: { folders?: string[]; settings?: Partial<Settings>; pool?: string } = {},
): TreePlan {
  return treeFor(path, {
    files: new MemoryFiles({ [path]: '', ...texts }),
    folders: options.folders ?? ['/w'],
    settings: { ...defaultSettings, ...options.settings },
    pool: options.pool,
  });
}

const short = ({ root, environment, partial }: TreePlan): unknown =>
  partial ? 'partial' : [root, environment['UK_APP'], environment['KCONFIG_ELIB_DIRS']];

describe('the tree of a file', () => {
  it('is that of the Makefile around an application, where one hands it to make', () => {
    const files = {
      ...core('/w/workdir/unikraft'),
      '/w/Makefile':
        'UK_ROOT ?= $(PWD)/workdir/unikraft\nUK_APP ?= $(PWD)/workdir/apps/loader\n\nall:\n\t@$(MAKE) -C $(UK_ROOT) L=$(PWD):$(PWD)/workdir/libs/libelf A=$(UK_APP)\n',
      '/w/Config.uk': '',
      '/w/workdir/libs/libelf/Config.uk': '',
      '/w/workdir/apps/loader/Makefile': 'UK_ROOT ?= $(PWD)/workdir/unikraft\nall:\n\t@$(MAKE) -C $(UK_ROOT) A=$(PWD)\n',
      '/w/workdir/apps/loader/Makefile.uk': '$(eval $(call addlib,apploader))\n',
    };
    const wanted = ['/w/workdir/unikraft/Config.uk', '/w/workdir/apps/loader', '/w:/w/workdir/libs/libelf'];
    for (const path of ['/w/Config.uk', '/w/workdir/apps/loader/.config', '/w/workdir/apps/loader/Makefile.uk'])
      assert.deepEqual(short(plan(path, files)), wanted, path);
  });

  it('is kraft’s arrangement, with the libraries that the Kraftfile names', () => {
    const files = {
      ...core('/w/.unikraft/unikraft'),
      '/w/Kraftfile': 'spec: v0.6\nlibraries:\n  lwip: stable\n',
      '/w/.unikraft/libs/lwip/Config.uk': '',
      '/w/.unikraft/libs/musl/Config.uk': '',
    };
    const wanted = ['/w/.unikraft/unikraft/Config.uk', '/w', '/w/.unikraft/libs/lwip'];
    for (const path of [
      '/w/Kraftfile',
      '/w/Config.uk',
      '/w/.config',
      '/w/src/main.c',
      '/w/.unikraft/unikraft/lib/ukalloc/Config.uk',
      '/w/.unikraft/libs/lwip/Config.uk',
    ])
      assert.deepEqual(short(plan(path, files)), wanted, path);
    // A library that is there, but not asked for, is read when it is being edited.
    assert.deepEqual(short(plan('/w/.unikraft/libs/musl/Config.uk', files)), [
      wanted[0],
      '/w',
      '/w/.unikraft/libs/lwip:/w/.unikraft/libs/musl',
    ]);
  });

  it('is the core’s for all that lies within it, and takes in the libraries that are open beside it', () => {
    const files = {
      ...core('/w/unikraft'),
      '/w/unikraft/Makefile.uk': 'UK = y\n',
      '/w/unikraft/drivers/Config.uk': '',
      '/w/unikraft/drivers/Makefile.uk': '$(eval $(call import_lib,$(X)))\n',
      '/w/unikraft/drivers/virtio/Config.uk': '',
      '/l/lib-musl/Config.uk': '',
      '/l/lib-musl/Makefile.uk': '$(eval $(call addlib_s,libmusl,$(CONFIG_LIBMUSL)))\n',
    };
    const wanted = ['/w/unikraft/Config.uk', '/w/unikraft'];
    const within = ['Config.uk', 'drivers/Config.uk', 'drivers/virtio/Config.uk', 'lib/ukalloc/Config.uk'].map(
      (name) => `/w/unikraft/${name}`,
    );
    for (const path of within) assert.deepEqual(short(plan(path, files)), [...wanted, ''], path);
    for (const path of [...within, '/l/lib-musl/Config.uk'])
      assert.deepEqual(short(plan(path, files, { folders: ['/l/lib-musl', '/w/unikraft'] })), [...wanted, '/l/lib-musl'], path);
  });

  it('has the open libraries that an application’s Kraftfile asks for', () => {
    const files = {
      ...core('/uk'),
      '/w/Kraftfile': 'spec: v0.6\nlibraries:\n  lwip: stable\n',
      '/l/lib-lwip/Config.uk': '',
      '/l/lib-lwip/Makefile.uk': '$(eval $(call addlib_s,liblwip,y))\n',
      '/l/lib-musl/Config.uk': '',
      '/l/lib-musl/Makefile.uk': '$(eval $(call addlib_s,libmusl,y))\n',
    };
    const options = { folders: ['/w', '/uk', '/l/lib-lwip', '/l/lib-musl'], settings: { root: '/uk' } };
    for (const path of ['/w/Kraftfile', '/w/Config.uk', '/uk/lib/ukalloc/Config.uk', '/l/lib-lwip/Config.uk'])
      assert.deepEqual(short(plan(path, files, options)), ['/uk/Config.uk', '/w', '/l/lib-lwip'], path);
  });

  it('is what the application’s Makefile says', () => {
    const files = {
      ...core('/elsewhere/uk'),
      '/w/Makefile':
        'UK_ROOT ?= $(PWD)/../elsewhere/uk\nUK_LIBS ?= $(PWD)/../l\nLIBS := $(UK_LIBS)/lib-a:$(UK_LIBS)/lib-b\nall:\n\tmake -C $(UK_ROOT)\n',
      '/l/lib-a/Config.uk': '',
      '/l/lib-b/Config.uk': '',
    };
    assert.deepEqual(short(plan('/w/Makefile.uk', files)), ['/elsewhere/uk/Config.uk', '/w', '/l/lib-a:/l/lib-b']);
  });

  it('is catalog-core’s arrangement', () => {
    const files = { ...core('/w/repos/unikraft'), '/w/nginx/Kraftfile': 'spec: v0.6\n', '/w/repos/libs/lwip/Config.uk': '' };
    assert.deepEqual(short(plan('/w/nginx/.config', files)), ['/w/repos/unikraft/Config.uk', '/w/nginx', '/w/repos/libs/lwip']);
  });

  it('is the core by itself, or with the application of the workspace', () => {
    assert.deepEqual(short(plan('/uk/lib/ukalloc/Config.uk', core('/uk'), { folders: ['/uk'] })), ['/uk/Config.uk', '/uk', '']);
    const files = { ...core('/w/unikraft'), '/w/Makefile': 'UK_ROOT ?= unikraft\n', '/w/Makefile.uk': '$(eval $(call addlib,appx))\n' };
    assert.deepEqual(short(plan('/w/unikraft/lib/ukalloc/Config.uk', files)), ['/w/unikraft/Config.uk', '/w', '']);
  });

  it('is a library with the core beside it', () => {
    const files = {
      ...core('/r/unikraft'),
      '/r/lib-musl/Makefile.uk': '$(eval $(call addlib_s,libmusl,y))\n',
      '/r/lib-musl/Config.uk': '',
    };
    assert.deepEqual(short(plan('/r/lib-musl/Config.uk', files, { folders: ['/r/lib-musl'] })), [
      '/r/unikraft/Config.uk',
      '/r/unikraft',
      '/r/lib-musl',
    ]);
  });

  it('is the starter pool for its applications, wherever they lie', () => {
    const files = { ...core('/pool'), '/w/Makefile.uk': '$(eval $(call addlib,apphello))\n', '/w/Config.uk': '' };
    assert.deepEqual(short(plan('/w/Config.uk', files, { pool: '/pool' })), ['/pool/Config.uk', '/w', '']);
    assert.deepEqual(
      short(
        plan(
          '/pool/app/hello/Config.uk',
          { ...files, '/pool/app/hello/Makefile.uk': '$(eval $(call addlib,apphello))\n' },
          { pool: '/pool' },
        ),
      ),
      ['/pool/Config.uk', '/pool/app/hello', ''],
    );
  });

  it('is what the settings say', () => {
    const files = { ...core('/mine'), '/w/Makefile.uk': '', '/w/Config.uk': '', '/x/lib-z/Config.uk': '' };
    assert.deepEqual(short(plan('/w/Config.uk', files, { settings: { root: '/mine', libraries: ['/x/lib-z', '/gone'] } })), [
      '/mine/Config.uk',
      '/w',
      '/x/lib-z',
    ]);
    assert.equal(plan('/w/Config.uk', files, { settings: { dialect: 'kconfiglib' } }).dialect, 'kconfiglib');
  });

  it('is the topmost Kconfig for trees of Linux’s form', () => {
    const files = { '/w/Kconfig': '', '/w/fs/Kconfig': '', '/w/Makefile': 'VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 1\n' };
    const found = plan('/w/fs/Kconfig', files);
    assert.deepEqual([found.root, found.dialect, found.environment['srctree']], ['/w/Kconfig', 'linux-6.12', '/w']);
    assert.equal(plan('/w/fs/Kconfig', { ...files, '/w/Makefile': 'VERSION = 6\nPATCHLEVEL = 1\n' }).dialect, 'linux-6.1');
  });

  it('is the file alone where there is nothing around it', () => {
    assert.equal(short(plan('/w/Config.uk', {})), 'partial');
    assert.equal(short(plan('/w/some.config', {})), 'partial');
    assert.equal(plan('/w/defconfig', { '/w/Config.uk': '' }).root, '/w/Config.uk');
  });
});

describe('paths and languages', () => {
  it('come from addresses and go back', () => {
    for (const path of ['/a/b c/ä#?%.uk', '/c:/x/Config.uk', '//server/share/x']) assert.equal(pathOfUri(uriOfPath(path)), path);
    assert.equal(pathOfUri('file:///C%3A/x'), '/c:/x');
    assert.equal(pathOfUri('untitled:Untitled-1'), '/untitled:/Untitled-1');
    assert.equal(pathOfUri('file:///a%ZZ'), '/a%ZZ');
    assert.equal(resolvePath('/a/b', '../c/./d'), '/a/c/d');
    assert.equal(folderOf('/a'), '/');
  });

  it('are known by name', () => {
    const cases: Readonly<Record<string, string>> = {
      'Config.uk': 'kconfig',
      'Kconfig.debug': 'kconfig',
      '.config': 'dotconfig',
      '.config.app_qemu-x86_64': 'dotconfig',
      x86_64_defconfig: 'dotconfig',
      'defconfigs/qemu-x86_64-debug': 'dotconfig',
      'net.config': 'dotconfig',
      Kraftfile: 'kraftfile',
      'kraft.yaml': 'kraftfile',
      'Makefile.uk': 'makefile',
      'x.c': 'code',
      'link.lds.S': 'code',
      'exportsyms.uk': 'code',
      'README.md': 'other',
    };
    for (const [name, language] of Object.entries(cases)) assert.equal(languageOf(`/w/${name}`), language, name);
    assert.equal(languageOf('/w/x', 'kconfig'), 'kconfig');
  });
});
