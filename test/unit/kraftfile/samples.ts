/** Kraftfiles and a small tree of options for tests. */
import { buildModel } from '../../../src/kconfig/build';
import { dialectOf } from '../../../src/kconfig/dialect';
import { type LibraryInfo } from '../../../src/kraftfile/context';
import { MemoryFiles } from '../kconfig/memory-files';

export const full = `# A web server.
spec: v0.6   # the format

name: web
unikraft:
  version: stable
  kconfig:
    # Networking first.
    CONFIG_LIBNET: 'y'
    CONFIG_COUNT: 4   # four of them

    CONFIG_NAME: "a name"
    #CONFIG_OLD: 'y'
libraries:
  # The stack.
  lwip: stable   # kept
  musl:
    version: 1.2.3
    kconfig:
    - CONFIG_FAST=y
    - "CONFIG_NAME=other"

targets:
- qemu/x86_64
- name: small
  platform: fc
  architecture: x86_64
  kconfig:
    CONFIG_COUNT: 8

x-note: {who: me}
# the end
`;

export const options = `config ARCH_X86_64
	bool "x86"
	default y
config PLAT_KVM
	bool "KVM"
config KVM_VMM_QEMU
	bool "QEMU"
	depends on PLAT_KVM
config LIBNET
	bool "Network"
	help
	  Packets in and out.
config LIBLWIP
	bool "lwip"
	select LIBNET
config COUNT
	int "How many"
	default 2
config SIZE
	hex "How large"
	default 0x100
config NAME
	string "Name"
	default "none"
config FAST
	bool "Fast"
	depends on LIBNET
config HIDDEN
	bool
	default LIBNET
config LIBELF
	bool "elf"
`;

export const model = buildModel({
  files: new MemoryFiles({ '/Config.uk': options }),
  cwd: '/',
  root: 'Config.uk',
  dialect: dialectOf('uk-5.2'),
  environment: { CONFIG_: 'CONFIG_' },
});

export const libraries: readonly LibraryInfo[] = [
  {
    title: 'lwip',
    description: 'TCP/IP',
    symbol: 'LIBLWIP',
    versions: [{ version: '2.1.2' }, { version: '2.1.x', core: '>=0.16' }],
    channels: ['stable', 'staging'],
  },
  { title: 'musl', description: 'C library', versions: [{ version: '1.2.3' }], channels: ['stable'] },
  { title: 'compiler-rt', description: 'Run time', symbol: 'LIBCOMPILER_RT', versions: [], channels: [] },
];
