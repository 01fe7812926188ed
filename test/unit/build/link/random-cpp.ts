/** Random small C++ programs: COMDAT groups of every kind, exceptions through several objects, constructors in order, indirect functions, vague linkage. */

import { type RandomProgram } from './random-program';

/** Makes a program of two to four files that share one header's templates. */
export function randomCpp(random: (below: number) => number): Omit<RandomProgram, 'archived'> {
  const pick = <T>(list: readonly T[]): T => list[random(list.length)]!;
  const count = 2 + random(3);
  const pie = random(2) === 0;
  const gcSections = random(2) === 0;
  const flags = (): string[] => [
    pie ? pick(['-fPIE', '-fPIC']) : pick(['-fno-pic', '-fPIC']),
    pick(['-O0', '-O1', '-O2', '-Os']),
    ...pick([[], ['-g'], ['-ffunction-sections', '-fdata-sections'], ['-fno-plt'], ['-mtls-dialect=gnu2'], ['-fno-inline']]),
  ];
  const files = Array.from({ length: count }, (_, k) => ({
    name: `c${k}.cc`,
    text: header(random) + unit(k, count, random),
    flags: flags(),
  }));
  files.push({ name: 'main.cc', text: header(() => 0) + mainUnit(count), flags: flags() });
  return {
    files,
    options: { pie, gcSections, mergeStrings: true },
    driver: [pie ? '-static-pie' : '-static', ...(pie ? [] : ['-no-pie']), ...(gcSections ? ['-Wl,--gc-sections'] : [])],
  };
}

/** What all files have in common; a file may use more or less of it. */
function header(random: (below: number) => number): string {
  return `
#include <cstdio>
#include <stdexcept>
#include <string>
#include <typeinfo>
struct Base { virtual ~Base() {} virtual int f(int x) { return x; } static int made; Base() { made++; } };
template <int N> struct Node : Base { int f(int x) override { return x * N + Base::f(x); } static int count; Node() { count++; } };
template <int N> int Node<N>::count = N;
inline int &shared() { static int value = [] { std::printf("made once\\n"); return 5; }(); return value; }
inline int shared_inline = 11;
template <class T> thread_local T per_thread = T(3);
template <class T> inline T twice(T x) { static thread_local int calls; return x + x + ++calls; }
${random(2) ? 'struct Order { int k; Order(int k) : k(k) { std::printf("order %d\\n", k); } ~Order() { std::printf("gone %d\\n", k); } };' : 'struct Order { int k; Order(int k) : k(k) {} };'}
`;
}

function unit(k: number, count: number, random: (below: number) => number): string {
  const next = (k + 1) % count;
  const n = (below: number): number => random(below);
  return `
namespace { Order order __attribute__((init_priority(${1000 + n(100) * 10 + k})))(${k}); }
extern "C" int plain_${k}_a(int x) { return x + ${n(50)}; }
extern "C" int plain_${k}_b(int x) { return x * ${1 + n(9)}; }
extern "C" int (*resolve_${k}(void))(int) { return ${n(2)} ? plain_${k}_a : plain_${k}_b; }
extern "C" int chosen_${k}(int x) __attribute__((ifunc("resolve_${k}")));
extern "C" int chosen_${next}(int);
int (*address_${k})(int) = chosen_${k};
extern int (*address_${next})(int);
int down_${next}(int, int);
int down_${k}(int x, int depth) {
  Node<${n(4)}> node; Base *b = &node;
  std::string text = "depth ${k} " + std::to_string(depth);
  per_thread<int> += x; shared() += ${n(5)}; shared_inline ^= ${n(64)};
  struct Local { int *p; ~Local() { *p += 1; } } local{&x};
  if (depth == 0) throw std::${n(2) ? 'runtime_error' : 'logic_error'}(text);
  try { return down_${next}(b->f(x) + chosen_${k}(x) + address_${next}(x) + twice(depth), depth - 1); }
  catch (const std::${n(2) ? 'runtime_error' : 'logic_error'} &e) { std::printf("%s caught in ${k}, %d\\n", e.what(), x); return x + per_thread<int>; }
}
`;
}

function mainUnit(count: number): string {
  const each = (text: (k: number) => string): string => Array.from({ length: count }, (_, k) => text(k)).join('\n');
  return `
int Base::made;
${each((k) => `int down_${k}(int, int); extern int (*address_${k})(int); extern "C" int chosen_${k}(int);`)}
int main() {
${each((k) => `  try { std::printf("${k}: %d\\n", down_${k}(${k + 2}, ${k + 1})); } catch (std::exception &e) { std::printf("main: %s %s\\n", typeid(e).name(), e.what()); }\n  std::printf("%d %d\\n", chosen_${k}(9), address_${k}(9));`)}
  std::printf("%d %d %d %d %d\\n", Base::made, Node<1>::count, Node<2>::count, shared(), shared_inline);
  return per_thread<int> & 63;
}
`;
}
