/** Random small C programs that use what a linker has to get right: every run prints the same, whoever links it. */

/** The texts of a program's files, and flags for each. */
export interface RandomProgram {
  readonly files: readonly { readonly name: string; readonly text: string; readonly flags: readonly string[] }[];
  readonly options: { readonly pie: boolean; readonly gcSections: boolean; readonly mergeStrings: boolean };
  /** What GNU ld's driver is given for the same. */
  readonly driver: readonly string[];
  /** Files that go into an archive, by their place in the list. */
  readonly archived: readonly number[];
}

const WORDS = ['alpha', 'beta', 'gamma', 'delta', 'tail of delta', 'delta', '', 'a longer string that may be merged', 'x'];

/** Makes a program of two to five files. */
export function randomProgram(random: (below: number) => number): RandomProgram {
  const pick = <T>(list: readonly T[]): T => list[random(list.length)]!;
  const count = 2 + random(4);
  const pie = random(3) === 0;
  const gcSections = random(2) === 0;
  const files = Array.from({ length: count }, (_, k) => ({ name: `f${k}.c`, text: unit(k, count, random), flags: flagsFor(pie, pick) }));
  files.push({ name: 'main.c', text: mainUnit(count), flags: flagsFor(pie, pick) });
  return {
    files,
    options: { pie, gcSections, mergeStrings: random(4) !== 0 },
    archived: files.flatMap((_, i) => (i < count && random(3) === 0 ? [i] : [])),
    driver: [pie ? '-static-pie' : '-static', ...(pie ? [] : ['-no-pie']), ...(gcSections ? ['-Wl,--gc-sections'] : [])],
  };
}

function flagsFor(pie: boolean, pick: <T>(list: readonly T[]) => T): string[] {
  const code = pie ? pick(['-fPIE', '-fPIC']) : pick(['-fno-pic', '-fPIE', '-fPIC', '-fno-pic -mcmodel=medium']);
  return [
    ...code.split(' '),
    pick(['-O0', '-O1', '-O2', '-Os', '-O3']),
    pick(['-fcommon', '-fno-common']),
    ...pick([
      [],
      [],
      ['-ftls-model=global-dynamic'],
      ['-ftls-model=local-dynamic'],
      ['-ftls-model=initial-exec'],
      ['-ftls-model=local-exec'],
    ]),
    ...pick([
      [],
      ['-ffunction-sections', '-fdata-sections'],
      ['-g'],
      ['-fno-plt'],
      ['-mtls-dialect=gnu2'],
      ['-fno-asynchronous-unwind-tables'],
      ['-g3', '-gdwarf-5'],
    ]),
  ];
}

/** A file defines things under its own number and uses those of the next one. */
function unit(k: number, count: number, random: (below: number) => number): string {
  const next = (k + 1) % count;
  const defines = random(2) === 0;
  const n = (below: number): number => random(below);
  const strings = Array.from({ length: 1 + n(4) }, () => JSON.stringify(WORDS[n(WORDS.length)]));
  return `
#include <stdio.h>
#include <string.h>
extern int printf(const char *, ...);
int shared_common __attribute__((common));
${k === 0 && defines ? 'int other_common = 7;' : 'int other_common __attribute__((common));'}
int common_${k}[${1 + n(6)}];
__thread int tls_${k} = ${n(1000)};
__thread long tls_zero_${k}[${1 + n(5)}];
static __thread char tls_local = ${1 + n(90)};
extern __thread int tls_${next};
static const char *const words[] = { ${strings.join(', ')} };
const char *const *exported_${k} = words;
extern const char *const *exported_${next};
int value_${k} = ${n(100000)};
extern int value_${next};
int *pointer_${k} = &value_${next};
char *inside_${k} = (char *)&value_${k} + ${n(4)};
static int order;
__attribute__((constructor(${200 + n(5) * 10 + k}))) static void early(void) { extern int trail; trail = trail * 7 + ${k}; }
__attribute__((constructor)) static void later(void) { order = 1; }
int maybe_${k}(int) __attribute__((weak));
${n(2) ? `int maybe_${k}(int x) { return x + ${k}; }` : ''}
__attribute__((weak)) int overridden(void) { return ${k}; }
__attribute__((destructor(${200 + n(5) * 10 + k}))) static void late(void) { printf("late ${k}\\n"); }
int aliased_${k}(int x) __attribute__((alias("target_${k}"))); int weakly_${k}(int x) __attribute__((weak, alias("target_${k}")));
int target_${k}(int x) { return x + ${n(99)}; }
static __thread struct { int a[${1 + n(4)}]; } __attribute__((aligned(${1 << (2 + n(5))}))) tls_aligned = {{${n(50)}}};
__attribute__((aligned(${1 << n(8)}))) static char padded[${1 + n(30)}] = {${n(100)}};
const char *tail_${k} = "tail of delta" + ${n(9)};
__attribute__((visibility("protected"))) int guarded_${k} = ${n(500)};
extern int aliased_${next}(int), weakly_${next}(int);
__attribute__((visibility("hidden"))) int hidden_${k}(int x) { return x ^ ${n(256)}; }
extern int fn_${next}(int, int);
static int s0(int x) { return x + ${n(50)}; }
static int s1(int x) { return x * ${1 + n(9)}; }
static int s2(int x) { return x - tls_local; }
static int (*const table[])(int) = { s0, s1, s2, hidden_${k} };
static int sw(int x) {
  switch (x & 15) { ${Array.from({ length: 12 }, (_, i) => `case ${i}: return ${n(1000)};`).join(' ')} default: return x; }
}
__attribute__((section("my_records"), used)) static const int record_${k} = ${n(1000)};
int unused_${k}(int x) { return unused_${k}(x - 1) + fn_${next}(x, 0); }
double scale_${k} = ${n(100)}.25;
int fn_${k}(int x, int depth) {
  int r = x;
  for (unsigned i = 0; i < sizeof(table) / sizeof(*table); i++) r = (r * 31 + table[i](r)) & 0xffffff;
  r += sw(r) + *pointer_${k} + tls_${k}++ + tls_${next} + (int)tls_zero_${k}[0] + (int)strlen(exported_${next}[0]);
  tls_zero_${k}[0] += 3;
  r += aliased_${next}(x) + weakly_${next}(x) + tls_aligned.a[0]++ + padded[0] + tail_${k}[0] + guarded_${k}++;
  r += ((unsigned long)&tls_aligned & (_Alignof(tls_aligned) - 1)) != 0 ? 1000000 : 0;
  shared_common += r & 7; other_common += r & 3;
  common_${k}[0] ^= r;
  if (maybe_${next} && maybe_${k}) r += maybe_${k}(1);
  r += (int)(scale_${k} * 4) + (inside_${k} - (char *)&value_${k}) + common_${k}[0] + order;
  return depth > 0 ? fn_${next}(r & 0xffff, depth - 1) : r;
}
int maybe_${next}(int) __attribute__((weak));
`.replace(`  if (maybe_${next} &&`, `  extern int maybe_${next}(int) __attribute__((weak));\n  if (maybe_${next} &&`);
}

function mainUnit(count: number): string {
  const each = (text: (k: number) => string): string => Array.from({ length: count }, (_, k) => text(k)).join('\n');
  return `
#include <stdio.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
int trail = 1;
int shared_common __attribute__((common)), other_common __attribute__((common));
int overridden(void) { return 99; }
extern const int __start_my_records[], __stop_my_records[];
${each((k) => `extern int fn_${k}(int, int); extern __thread int tls_${k}; extern const char *const *exported_${k}; extern int maybe_${k}(int) __attribute__((weak));`)}
int main(int argc, char **argv) {
  printf("argc %d argv1 %s trail %d overridden %d\\n", argc, argv[1], trail, overridden());
${each((k) => `  printf("${k}: %d tls %d '%s' weak %d\\n", fn_${k}(${k * 17}, 3), tls_${k}, exported_${k}[0], maybe_${k} ? maybe_${k}(5) : -1);`)}
  int sum = 0;
  for (const int *r = __start_my_records; r < __stop_my_records; r++) sum += *r;
  errno = argc;
  printf("records %d of %d, common %d %d, errno %d, %.3f\\n", sum, (int)(__stop_my_records - __start_my_records), shared_common, other_common, errno, sqrt(argc));
  return sum & 63;
}
`;
}
