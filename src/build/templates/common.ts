/** Parts that several templates have. */

import { type TemplateFile, type TemplateInput } from './templates';

/** Lines joined, with an end. */
export function lines(...text: readonly string[]): string {
  return `${text.join('\n')}\n`;
}

/** What a build leaves behind. */
export const GITIGNORE: TemplateFile = {
  path: '.gitignore',
  data: lines('# Builds, and what kraft and make fetch.', '/build/', '/.unikraft/', '/.config.old', '/.config.*_*'),
};

/** Start of a Kraftfile. */
export function kraftHead(input: TemplateInput): string[] {
  const head = ['spec: v0.6', '', `name: ${input.name}`, ''];
  return [...head, ...(input.core === undefined ? ['unikraft: stable'] : ['unikraft:', `  source: ${JSON.stringify(input.core)}`])];
}

/** A Makefile that calls upstream's with the project's folders; `app` and `libs` are make expressions. */
export function wrapperMakefile(input: TemplateInput, app: string, libs: string, note: readonly string[] = []): TemplateFile {
  const root = input.core ?? '$(CURDIR)/.unikraft/unikraft';
  const call = '$(MAKE) -C $(UK_ROOT) A=$(UK_APP) L=$(UK_LIBS) O=$(UK_BUILD) C=$(CURDIR)/.config UK_DEFCONFIG=$(UK_DEFCONFIG)';
  return {
    path: 'Makefile',
    data: lines(
      '# Builds with a Unikraft tree by hand: make defconfig all',
      ...note,
      `UK_ROOT ?= ${root}`,
      `UK_LIBS ?= ${libs}`,
      `UK_APP ?= ${app}`,
      'UK_BUILD ?= $(CURDIR)/build',
      'UK_DEFCONFIG ?= $(CURDIR)/defconfig',
      '',
      '# There is a file defconfig, too.',
      '.PHONY: all $(MAKECMDGOALS)',
      'all: $(filter defconfig,$(MAKECMDGOALS))',
      `\t@${call}`,
      '',
      '# Any other target is upstream’s.',
      '$(filter-out all,$(MAKECMDGOALS)):',
      `\t@${call} $@`,
    ),
  };
}

/** Options that upstream's make needs to build for QEMU. */
export function upstreamDefconfig(input: TemplateInput, more: readonly string[] = []): TemplateFile {
  return {
    path: 'defconfig',
    data: lines(
      'CONFIG_PLAT_KVM=y',
      'CONFIG_KVM_VMM_QEMU=y',
      `CONFIG_UK_NAME="${input.name}"`,
      'CONFIG_OPTIMIZE_PERF=y',
      'CONFIG_DEBUG_SYMBOLS_LVL3=y',
      ...more,
    ),
  };
}
