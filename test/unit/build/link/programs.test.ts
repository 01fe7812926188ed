/** Programs linked by us and by GNU ld must do the same. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { findProgram } from '../../../../src/build/toolchain.node';
import { gcc, gccFile, musl, muslGcc, native, need, random, Workshop } from './host';
import { randomProgram } from './random-program';

describe('linked programs', function () {
  this.timeout(120_000);
  let shop: Workshop;
  before(function () {
    need(this, 'x86-64 Linux host', native);
    need(this, 'gcc', gcc !== undefined);
    need(this, 'musl-gcc and static musl', muslGcc !== undefined && musl !== undefined);
    shop = new Workshop();
  });
  after(() => shop?.remove());

  it('run as those that GNU ld links, for random programs', () => {
    const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
    const rounds = Number(process.env['ROUNDS'] ?? 4);
    console.log(`      seed ${seed} (SEED=${seed} repeats it; ROUNDS sets how many, now ${rounds})`);
    const below = random(seed);
    for (let round = 0; round < rounds; round++) {
      const program = randomProgram(below);
      const compiled = program.files.map((f) => shop.compile(muslGcc!, f.name, f.text, f.flags));
      const objects = shop.archive('some.a', compiled, program.archived);
      const result = shop.linkMusl(objects, program.options);
      const what = `seed ${seed}, round ${round}: ${JSON.stringify(program.options)} ${program.files.map((f) => f.flags.join(' ')).join(' | ')}`;
      assert.ok(result.bytes, `${what}\n${result.problems.map((p) => p.message).join('\n')}`);
      const theirs = shop.file('theirs');
      execFileSync(muslGcc!, [...program.driver, '-o', theirs, ...objects], { stdio: ['ignore', 'ignore', 'inherit'] });
      const expected = shop.runFile(theirs);
      assert.equal(expected.signal, null, `${what}: the reference crashed`);
      assert.deepEqual(shop.run(result.bytes, 'ours'), expected, what);
    }
  });

  it('find their strings in a table of pointers, static-PIE with merged strings', () => {
    const text = `
#include <stdio.h>
static const char *volatile words[] = { "first", "second", "", "first", "second" };
int main(void) { for (int i = 0; i < 5; i++) printf("%s;", words[i]); return 0; }`;
    const objects = ['a.c', 'b.c'].map((name, i) =>
      shop.compile(muslGcc!, name, i === 0 ? text : 'const char *other(void) { return "zeroth"; }', ['-fPIE', '-Os']),
    );
    const result = shop.linkMusl(objects.reverse(), { pie: true });
    assert.ok(result.bytes);
    assert.equal(shop.run(result.bytes, 'words').stdout, 'first;second;;first;second;');
  });

  it('unwind through our .eh_frame_hdr, with glibc', function () {
    need(this, 'static glibc', gccFile('libc.a') !== undefined);
    const text = `
#include <stdio.h>
#include <unwind.h>
static void clean(int *p) { printf("cleanup %d\\n", *p); }
static _Unwind_Reason_Code step(struct _Unwind_Context *c, void *n) { ++*(int *)n; return _URC_NO_REASON; }
static _Unwind_Reason_Code stop(int v, _Unwind_Action a, _Unwind_Exception_Class k, struct _Unwind_Exception *e, struct _Unwind_Context *c, void *p)
{ if (a & _UA_END_OF_STACK) { printf("end of stack\\n"); fflush(stdout); _Exit(5); } return _URC_NO_REASON; }
extern void _Exit(int);
static struct _Unwind_Exception e;
__attribute__((noinline)) void inner(void) { int n = 0; _Unwind_Backtrace(step, &n); printf("frames %s\\n", n >= 3 ? "enough" : "too few"); _Unwind_ForcedUnwind(&e, stop, 0); }
__attribute__((noinline)) void outer(void) { __attribute__((cleanup(clean))) int v = 42; inner(); printf("never\\n"); }
int main(void) { outer(); return 0; }`;
    for (const pie of [false, true]) {
      const object = shop.compile(gcc!, 'unwind.c', text, ['-fexceptions', '-O1', pie ? '-fPIE' : '-fno-pic']);
      const result = shop.linkGlibc([object], { pie });
      assert.ok(result.bytes, result.problems.map((p) => p.message).join('\n'));
      assert.deepEqual(shop.run(result.bytes, 'unwind'), { stdout: 'frames enough\ncleanup 42\nend of stack\n', status: 5, signal: null });
    }
  });

  it('throw and catch C++ exceptions, with static libstdc++', function () {
    const gxx = findProgram('g++', process.env);
    const library = gccFile('libstdc++.a');
    need(this, 'g++ with static libstdc++ and glibc', gxx !== undefined && library !== undefined && gccFile('libc.a') !== undefined);
    const text = `
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <typeinfo>
struct Base { virtual ~Base() {} virtual int f() { return 1; } };
struct Derived : Base { int f() override { throw std::runtime_error("thrown"); } };
template <class T> T twice(T x) { static thread_local int calls; calls++; return x + x + calls; }
int main() {
  std::map<std::string, int> m{{"a", 1}, {"b", 2}};
  Base *b = new Derived;
  try { b->f(); } catch (std::exception &e) { std::cout << e.what() << " " << typeid(*b).name() << " " << twice(20) << twice(20) << " " << m["b"] << std::endl; }
  try { std::string().at(3); } catch (std::out_of_range &) { std::cout << "range" << std::endl; }
  return 3;
}`;
    for (const options of [{ gcSections: true }, { pie: true }] as { gcSections?: boolean; pie?: boolean }[]) {
      const object = shop.compile(gxx!, 'throw.cc', text, ['-O1', options.pie ? '-fPIE' : '-fno-pic']);
      const result = shop.linkGlibc([object, library!], options);
      assert.ok(result.bytes, result.problems.map((p) => p.message).join('\n'));
      assert.deepEqual(shop.run(result.bytes, 'throw'), { stdout: 'thrown 7Derived 4142 2\nrange\n', status: 3, signal: null });
    }
  });

  it('drops what nothing refers to, and only that', () => {
    const text =
      'int keep(void) { return 3; } int drop(void) { return 4; } int dropped_data[1000] = {1}; int main(void) { return keep(); }';
    const object = shop.compile(muslGcc!, 'gc.c', text, ['-O0', '-ffunction-sections', '-fdata-sections', '-fno-pic']);
    const all = shop.linkMusl([object]);
    const some = shop.linkMusl([object], { gcSections: true });
    const names = (pieces: { section: string; object: string }[]): string[] =>
      pieces.filter((p) => p.object === object).map((p) => p.section);
    assert.ok(names(all.pieces()).includes('.text.drop'));
    assert.deepEqual(
      names(some.pieces()).filter((n) => n.startsWith('.text.') || n.startsWith('.data.')),
      ['.text.keep', '.text.main'],
    );
    assert.equal(shop.run(some.bytes!, 'gc').status, 3);
  });
});
