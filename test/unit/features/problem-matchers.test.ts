/** Holds the problem matchers of package.json against what gcc, as, ld, make and Kconfig really print. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';

interface Pattern {
  readonly kind?: string;
  readonly regexp: string;
  readonly file: number;
  readonly line?: number;
  readonly column?: number;
  readonly severity?: number;
  readonly message: number;
}

interface Matcher {
  readonly name: string;
  readonly severity?: string;
  readonly pattern: Pattern;
}

const { contributes } = JSON.parse(readFileSync(path.resolve(__dirname, '../../../package.json'), 'utf8')) as {
  contributes: { problemMatchers: readonly Matcher[] };
};
const matchers = contributes.problemMatchers.filter(({ name }) => name.startsWith('unikernel-'));

/** `matcher file:line:column severity message` of every matcher that takes the line. */
function read(line: string): string[] {
  return matchers.flatMap(({ name, severity: usual, pattern }) => {
    const match = new RegExp(pattern.regexp).exec(line);
    if (!match) return [];
    const group = (index: number | undefined): string => (index === undefined ? '' : (match[index] ?? ''));
    const place = [group(pattern.file), group(pattern.line), group(pattern.column)].filter((part) => part !== '').join(':');
    return [
      `${name.replace('unikernel-', '')} ${place} ${(group(pattern.severity) || (usual ?? '')).toLowerCase()} ${group(pattern.message)}`,
    ];
  });
}

/** Lines of real output, and how they are read: once, or not at all. */
const cases: readonly (readonly [line: string, read: string | undefined])[] = [
  // gcc 12
  ['a.c: In function ‘f’:', undefined],
  [
    'a.c:1:22: warning: implicit declaration of function ‘undeclared’ [-Wimplicit-function-declaration]',
    'gcc a.c:1:22 warning implicit declaration of function ‘undeclared’ [-Wimplicit-function-declaration]',
  ],
  [
    '/w/lib/a.c:1:43: error: ‘y’ undeclared (first use in this function)',
    'gcc /w/lib/a.c:1:43 error ‘y’ undeclared (first use in this function)',
  ],
  ['a.c:2:10: fatal error: none.h: No such file or directory', 'gcc a.c:2:10 error none.h: No such file or directory'],
  [
    'a.c:1:43: note: each undeclared identifier is reported only once',
    'gcc a.c:1:43 note each undeclared identifier is reported only once',
  ],
  ['    1 | int f(void) { int x; undeclared(); return y; }', undefined],
  ['compilation terminated.', undefined],
  ['C:\\w\\a.c:3:1: error: expected ‘;’', 'gcc C:\\w\\a.c:3:1 error expected ‘;’'],
  // GNU as
  ['s.S: Assembler messages:', undefined],
  ["s.S:1: Error: no such instruction: `foo bar'", "gcc s.S:1 error no such instruction: `foo bar'"],
  // GNU ld, with and without line information
  ["/usr/bin/ld: b.o: in function `main':", undefined],
  ["/w/b.c:3: undefined reference to `foo'", "ld /w/b.c:3 error undefined reference to `foo'"],
  ["/usr/bin/ld: /w/b.c:3: undefined reference to `g'", "ld /w/b.c:3 error undefined reference to `g'"],
  ["b.c:(.text+0xa): undefined reference to `foo'", "ld-object b.c error undefined reference to `foo'"],
  ["/usr/bin/ld: b.c:(.text+0x11): undefined reference to `g'", "ld-object b.c error undefined reference to `g'"],
  [
    "b.c:(.text+0x0): multiple definition of `main'; b.o:b.c:(.text+0x0): first defined here",
    "ld-object b.c error multiple definition of `main'; b.o:b.c:(.text+0x0): first defined here",
  ],
  ['ld:x.ld:2: syntax error', 'ld x.ld:2 error syntax error'],
  ['collect2: error: ld returned 1 exit status', undefined],
  // GNU make 4.3
  ['m2.mk:2: *** missing separator.  Stop.', 'make m2.mk:2 error missing separator.'],
  ['m4.mk:2: *** stop here.  Stop.', 'make m4.mk:2 error stop here.'],
  ['/w/app/Makefile.uk:12: *** missing separator.  Stop.', 'make /w/app/Makefile.uk:12 error missing separator.'],
  ["m5.mk:5: warning: overriding recipe for target 'x'", "gcc m5.mk:5 warning overriding recipe for target 'x'"],
  ['make: *** [Makefile:2: all] Error 1', undefined],
  ["make: *** No rule to make target 'q', needed by 'all'.  Stop.", undefined],
  ["make[1]: Entering directory '/w/uk'", undefined],
  // Kconfig's conf
  ['/w/lib/ukalloc/Config.uk:12: syntax error', 'kconfig /w/lib/ukalloc/Config.uk:12 error syntax error'],
  ['Config.uk:3:warning: config symbol defined without type', 'kconfig Config.uk:3 warning config symbol defined without type'],
  ['Config.uk:7:error: recursive dependency detected!', 'kconfig Config.uk:7 error recursive dependency detected!'],
  ['Config.uk:7:\tsymbol A depends on B', undefined],
  ["/w/app/.config:31:warning: symbol value 'x' invalid for LIBX", "kconfig /w/app/.config:31 warning symbol value 'x' invalid for LIBX"],
  // Our builder, which writes as compilers do
  [
    '/w/app/Config.uk:3:1: warning: config symbol defined without type',
    'gcc /w/app/Config.uk:3:1 warning config symbol defined without type',
  ],
  ['/w/app/Makefile.uk:1:1: error: There is no file main.c.', 'gcc /w/app/Makefile.uk:1:1 error There is no file main.c.'],
  ['  CC    libnolibc: string.c', undefined],
  ['Built in 2263 ms.', undefined],
];

describe('the problem matchers', () => {
  it('are those that the tasks name', () => {
    assert.deepEqual(
      matchers.map(({ name }) => name),
      ['unikernel-gcc', 'unikernel-ld', 'unikernel-ld-object', 'unikernel-make', 'unikernel-kconfig'],
    );
  });

  for (const [line, expected] of cases)
    it(`${expected === undefined ? 'leave' : 'read'} ${line.trim()}`, () =>
      assert.deepEqual(read(line), expected === undefined ? [] : [expected]));
});
