/** The template of an unmodified Linux program: a root file system with the program in it, and the ELF loader as the unikernel. */

import { GITIGNORE, kraftHead, lines, upstreamDefconfig, wrapperMakefile } from './common';
import { helloProgram } from './hello-program';
import { projectNames, type TemplateFile, type TemplateInput } from './templates';

export function binaryFiles(input: TemplateInput): TemplateFile[] {
  const program = input.program ?? { name: 'hello', bytes: helloProgram() };
  const own = input.base === 'pool' ? poolFiles(input, program.name) : upstreamFiles(input, program.name);
  return [{ path: `rootfs/${program.name}`, data: program.bytes, executable: true }, ...own, GITIGNORE];
}

function poolFiles(input: TemplateInput, program: string): TemplateFile[] {
  const { library, symbol } = projectNames(input.name, 'app');
  return [
    {
      path: 'Kraftfile',
      data: lines(
        ...kraftHead(input),
        '',
        '# Files that the program sees, packed at each build.',
        'rootfs: ./rootfs',
        '',
        '# The program and its arguments.',
        `cmd: ["/${program}"]`,
        '',
        'targets:',
        '- qemu/x86_64',
      ),
    },
    {
      path: 'Config.uk',
      data: lines(`config ${symbol}`, '\tbool', '\tdefault y', '\tselect LIBELFLOADER', '\tselect LIBELFLOADER_MAIN'),
    },
    {
      path: 'Makefile.uk',
      data: lines('# Nothing to compile: the program comes from the root file system.', `$(eval $(call addlib,${library}))`),
    },
  ];
}

/** Options of upstream's elfloader: files from a cpio archive, memory management, processes. */
const ELFLOADER_OPTIONS = [
  'PAGING',
  'LIBUKVMEM',
  'APPELFLOADER_BRK',
  'APPELFLOADER_CUSTOMAPPNAME',
  'APPELFLOADER_ARCH_PRCTL',
  'LIBVFSCORE',
  'LIBVFSCORE_AUTOMOUNT_UP',
  'LIBRAMFS',
  'LIBUKCPIO',
  'LIBUKLIBPARAM',
  'LIBDEVFS',
  'LIBDEVFS_AUTOMOUNT',
  'LIBPOSIX_ENVIRON',
  'LIBPOSIX_FUTEX',
  'LIBPOSIX_MMAP',
  'LIBPOSIX_PROCESS',
  'LIBPOSIX_PROCESS_PIDS',
  'LIBPOSIX_PROCESS_INIT_PIDS',
  'LIBPOSIX_PROCESS_CLONE',
  'LIBPOSIX_SYSINFO',
  'LIBPOSIX_USER',
  'LIBUKBOOT_MAINTHREAD',
] as const;

function upstreamFiles(input: TemplateInput, program: string): TemplateFile[] {
  const fstab = `vfs.fstab=[ "initrd0:/:extract::ramfs=1:" ] -- /${program}`;
  return [
    {
      path: 'Kraftfile',
      data: lines(
        ...kraftHead(input),
        '',
        'template:',
        '  source: https://github.com/unikraft/app-elfloader.git',
        '  version: staging',
        '',
        'libraries:',
        '  libelf: staging',
        '',
        'rootfs: ./rootfs',
        '',
        `cmd: ["/${program}"]`,
        '',
        'targets:',
        '- name: elfloader',
        '  plat: qemu',
        '  arch: x86_64',
        '  kconfig:',
        ...ELFLOADER_OPTIONS.map((o) => `    CONFIG_${o}: 'y'`),
      ),
    },
    upstreamDefconfig(
      input,
      ELFLOADER_OPTIONS.map((o) => `CONFIG_${o}=y`),
    ),
    wrapperMakefile(input, '$(CURDIR)/.unikraft/apps/elfloader', '$(CURDIR)/.unikraft/libs/libelf', [
      '# The unikernel is upstream’s elfloader; say where it and libelf lie with UK_APP and UK_LIBS.',
      `# To run: --initrd rootfs --append '${fstab}'`,
    ]),
  ];
}
