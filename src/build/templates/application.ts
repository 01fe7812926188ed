/** The template of a C application; its sources build with the starter pool and with upstream Unikraft alike. */

import { GITIGNORE, kraftHead, lines, upstreamDefconfig, wrapperMakefile } from './common';
import { projectNames, type TemplateFile, type TemplateInput } from './templates';

export function applicationFiles(input: TemplateInput): TemplateFile[] {
  const { library, symbol } = projectNames(input.name, 'app');
  return [
    { path: 'Kraftfile', data: lines(...kraftHead(input), '', 'targets:', '- qemu/x86_64', '- fc/x86_64') },
    {
      path: 'Config.uk',
      data: lines(
        '# Always in: what the application cannot do without.',
        `config ${symbol}`,
        '\tbool',
        '\tdefault y',
        '\tselect LIBNOLIBC if !HAVE_LIBC',
        '',
        `config ${symbol}_GREETED`,
        '\tstring "Whom to greet"',
        '\tdefault "world"',
        '\thelp',
        '\t  The name in the first line that the program prints.',
      ),
    },
    {
      path: 'Makefile.uk',
      data: lines(`$(eval $(call addlib,${library}))`, '', `${symbol}_SRCS-y += $(${symbol}_BASE)/main.c`),
    },
    {
      path: 'main.c',
      data: lines(
        `/* The program of ${input.name}. */`,
        '#include <stdio.h>',
        '#include <uk/config.h>',
        '',
        'int main(int argc, char *argv[])',
        '{',
        '\tint i;',
        '',
        `\tprintf("Hello, %s!\\n", CONFIG_${symbol}_GREETED);`,
        '\tfor (i = 1; i < argc; i++)',
        '\t\tprintf("argument %d: %s\\n", i, argv[i]);',
        '\treturn 0;',
        '}',
      ),
    },
    GITIGNORE,
    ...(input.base === 'upstream' ? [upstreamDefconfig(input), wrapperMakefile(input, '$(CURDIR)', '')] : []),
  ];
}
