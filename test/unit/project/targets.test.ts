/** Targets of a project in every layout, what a fresh configuration starts from, and what an application's Makefile hands to make. */
import assert from 'node:assert/strict';
import { readApplicationMakefile } from '../../../src/pool/application';
import { configuredFor, startOf, targetsOf, type BuildTarget } from '../../../src/project/targets';
import { MemoryFiles } from '../kconfig/memory-files';

const targets = (files: Readonly<Record<string, string>>, kraftfile?: string): readonly BuildTarget[] =>
  targetsOf({ files: new MemoryFiles(files), folder: '/w', configFile: '/w/.config', kraftfile });
const names = (found: readonly BuildTarget[]): string[] => found.map(({ name, configFile }) => `${name} ${configFile}`);

const qemu = 'CONFIG_PLAT_KVM=y\nCONFIG_KVM_VMM_QEMU=y\nCONFIG_ARCH_X86_64=y\n';

describe('the targets of a project', () => {
  it('are those of catalog-core’s scripts, what the PC can boot first', () => {
    const files = {
      '/w/.scripts/defconfig/fc.arm64': '',
      '/w/.scripts/defconfig/qemu.x86_64': qemu,
      '/w/.scripts/defconfig/fc.x86_64': '',
      '/w/.scripts/defconfig/README.md': '',
    };
    const found = targets(files);
    assert.deepEqual(names(found), ['qemu-x86_64 /w/.config', 'fc-x86_64 /w/.config.fc-x86_64', 'fc-arm64 /w/.config.fc-arm64']);
    assert.equal(found[0]?.seed?.text, qemu);
    assert.equal(found[0]?.seed?.lineOf('ARCH_X86_64'), 3);
  });

  it('are variants of defconfigs by their full names', () =>
    assert.deepEqual(names(targets({ '/w/defconfigs/qemu-aarch64-9pfs': '', '/w/defconfigs/qemu-x86_64-initrd': '' })), [
      ...['qemu-x86_64-initrd /w/.config', 'qemu-arm64-9pfs /w/.config.qemu-arm64-9pfs'],
    ]));

  it('are the Kraftfile’s, with kraft’s names of files and its layers of options', () => {
    const text =
      'spec: v0.6\nname: hello\nunikraft:\n  version: stable\n  kconfig:\n    CONFIG_A: y\ntargets:\n- qemu/x86_64\n- plat: fc\n  arch: x86_64\n  kconfig:\n    B: 3\n';
    const found = targets({ '/w/Kraftfile': text }, '/w/Kraftfile');
    assert.deepEqual(names(found), ['qemu-x86_64 /w/.config.hello_qemu-x86_64', 'fc-x86_64 /w/.config.hello_fc-x86_64']);
    assert.match(found[1]?.seed?.text ?? '', /^CONFIG_A=y$[\s\S]*^CONFIG_KVM_VMM_FIRECRACKER=y$[\s\S]*^CONFIG_B=3$/m);
    assert.deepEqual([found[1]?.seed?.lineOf('A'), found[1]?.seed?.lineOf('B')], [6, 12]);
  });

  it('begin with the one that the .config is for', () => {
    const files = { '/w/.config': qemu, '/w/defconfigs/fc-x86_64': '', '/w/defconfigs/qemu-x86_64': '' };
    assert.deepEqual(names(targets(files)), ['qemu-x86_64 /w/.config', 'fc-x86_64 /w/.config.fc-x86_64']);
    const other = { ...files, '/w/.config': qemu.replace('KVM_VMM_QEMU', 'X').replace('PLAT_KVM', 'PLAT_XEN') };
    assert.deepEqual(names(targets(other))[0], 'as configured /w/.config');
    assert.deepEqual(configuredFor(other['/w/.config']), { platform: 'xen', architecture: 'x86_64' });
  });

  it('say what a configuration is made from, before the defconfig of the folder', () => {
    const files = { '/w/defconfig': 'CONFIG_A=y\n', '/w/defconfigs/qemu-x86_64': qemu };
    const start = (target: BuildTarget | undefined) => startOf(new MemoryFiles(files), { folder: '/w', target })?.text;
    assert.equal(start(targets(files)[0]), qemu);
    assert.equal(start(undefined), 'CONFIG_A=y\n');
    assert.equal(startOf(new MemoryFiles({}), { folder: '/w', target: undefined }), undefined);
  });

  it('are one where nothing is said', () => assert.deepEqual(names(targets({})), ['as configured /w/.config']));
});

describe('an application’s Makefile', () => {
  const read = (text: string) => readApplicationMakefile(new MemoryFiles({ '/w/Makefile': text }), '/w');

  it('is read as make would, conditional libraries and all', () => {
    const text =
      'WITH_LWIP ?= y\nWITH_MUSL ?= n\nUK_ROOT ?= $(PWD)/workdir/unikraft\nUK_LIBS ?= $(PWD)/workdir/libs\nUK_BUILD ?= $(PWD)/workdir/build\n' +
      'LIBS-y := $(UK_LIBS)/libelf\nLIBS-$(WITH_LWIP) := $(LIBS-y):$(UK_LIBS)/lwip\nLIBS-$(WITH_MUSL) := $(LIBS-y):$(UK_LIBS)/musl\n\n' +
      'all:\n\t@$(MAKE) -C $(UK_ROOT) A=$(PWD) L=$(LIBS-y) O=$(UK_BUILD) P=\n';
    assert.deepEqual(read(text), {
      ...{ root: '/w/workdir/unikraft', libraries: ['/w/workdir/libs/libelf', '/w/workdir/libs/lwip'], build: '/w/workdir/build' },
    });
  });

  it('may name another application', () =>
    assert.deepEqual(
      read(
        'UK_APP ?= $(PWD)/../elfloader\nUK_ROOT = ../uk\nall:\n\t$(MAKE) -C $(UK_ROOT) \\\n\t\tL=$(PWD) A=$(UK_APP) C=$(PWD)/.config N=x\n',
      ),
      { root: '/uk', app: '/elfloader', libraries: ['/w'], config: '/w/.config', name: 'x' },
    ));

  it('is nothing where it calls no core', () => {
    assert.equal(read('all:\n\tcc -o a a.c\n'), undefined);
    assert.equal(readApplicationMakefile(new MemoryFiles({}), '/w'), undefined);
  });
});
