/** The template of an empty micro-library, with an application that uses it, so that it can be built and run at once. */

import { GITIGNORE, kraftHead, lines, upstreamDefconfig, wrapperMakefile } from './common';
import { projectNames, type ProjectNames, type TemplateFile, type TemplateInput } from './templates';

export function libraryFiles(input: TemplateInput): TemplateFile[] {
  const names = projectNames(input.name, 'lib');
  const { library, symbol } = names;
  const plain = library.slice('lib'.length);
  return [
    {
      path: 'Library.uk',
      data: lines(
        `name        := ${JSON.stringify(library)}`,
        `description := "What ${library} does, in a sentence"`,
        'license     := "BSD-3-Clause"',
      ),
    },
    {
      path: 'Config.uk',
      data: lines(
        `menuconfig ${symbol}`,
        `\tbool "${plain}: What the library does, in a few words"`,
        '\tselect LIBNOLIBC if !HAVE_LIBC',
        '\tdefault n',
        '\thelp',
        '\t  What a program gains by it, and what it costs.',
        '',
        `if ${symbol}`,
        '',
        `config ${symbol}_LIMIT`,
        '\tint "Largest number that it counts to"',
        '\tdefault 3',
        '\trange 1 1000',
        '',
        'endif',
      ),
    },
    {
      path: 'Makefile.uk',
      data: lines(
        `$(eval $(call addlib_s,${library},$(CONFIG_${symbol})))`,
        '',
        '# For all who use it.',
        `CINCLUDES-$(CONFIG_${symbol}) += -I$(${symbol}_BASE)/include`,
        '',
        `${symbol}_SRCS-y += $(${symbol}_BASE)/${plain}.c`,
      ),
    },
    { path: 'exportsyms.uk', data: lines('# Functions and variables that others may use, one a line.', `${plain}_count`) },
    {
      path: `include/${plain}.h`,
      data: lines(
        `/* What ${library} offers. */`,
        `#ifndef ${plain.toUpperCase()}_H`,
        `#define ${plain.toUpperCase()}_H`,
        '',
        '/* The next number, from 1 on; 0 after the largest one. */',
        `unsigned int ${plain}_count(void);`,
        '',
        `#endif /* ${plain.toUpperCase()}_H */`,
      ),
    },
    {
      path: `${plain}.c`,
      data: lines(
        '/* Counts up to a limit that the configuration sets. */',
        '#include <uk/config.h>',
        `#include <${plain}.h>`,
        '',
        'static unsigned int last;',
        '',
        `unsigned int ${plain}_count(void)`,
        '{',
        `\tif (last == CONFIG_${symbol}_LIMIT)`,
        '\t\tlast = 0;',
        '\telse',
        '\t\tlast++;',
        '\treturn last;',
        '}',
      ),
    },
    {
      path: 'README.md',
      data: lines(
        `# ${library}`,
        '',
        'What it is for, who provides what it needs, and how to enable it:',
        '',
        `    CONFIG_${symbol}=y`,
        '',
        '`example/` is an application that uses it.',
      ),
    },
    GITIGNORE,
    ...example(input, names, plain),
  ];
}

function example(input: TemplateInput, { library, symbol }: ProjectNames, plain: string): TemplateFile[] {
  const app = projectNames(`${plain}example`, 'app');
  const kraftfile = [
    ...kraftHead({ ...input, name: `${input.name}-example` }),
    '',
    'libraries:',
    `  ${plain}:`,
    '    source: ..',
    '    kconfig:',
  ];
  const files: TemplateFile[] = [
    { path: 'Kraftfile', data: lines(...kraftfile, `      CONFIG_${symbol}: 'y'`, '', 'targets:', '- qemu/x86_64') },
    {
      path: 'Config.uk',
      data: lines(`config ${app.symbol}`, '\tbool', '\tdefault y', '\tselect LIBNOLIBC if !HAVE_LIBC', `\tselect ${symbol}`),
    },
    {
      path: 'Makefile.uk',
      data: lines(`$(eval $(call addlib,${app.library}))`, '', `${app.symbol}_SRCS-y += $(${app.symbol}_BASE)/main.c`),
    },
    {
      path: 'main.c',
      data: lines(
        `/* Shows ${library} at work. */`,
        '#include <stdio.h>',
        `#include <${plain}.h>`,
        '',
        'int main(void)',
        '{',
        '\tunsigned int n;',
        '',
        `\twhile ((n = ${plain}_count()))`,
        '\t\tprintf("%u\\n", n);',
        '\treturn 0;',
        '}',
      ),
    },
    GITIGNORE,
    ...(input.base === 'upstream'
      ? [upstreamDefconfig({ ...input, name: `${input.name}-example` }), wrapperMakefile(input, '$(CURDIR)', '$(abspath $(CURDIR)/..)')]
      : []),
  ];
  return files.map((f) => ({ ...f, path: `example/${f.path}` }));
}
