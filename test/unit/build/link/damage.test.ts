/** Real objects and archives with damage where it hurts most: an image or a reason, soon, and never an exception. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { linuxLayout, PC_LAYOUT } from '../../../../src/build/link/layout';
import { link } from '../../../../src/build/link/link';
import { withSources } from '../../../../src/build/link/sources';
import { findProgram } from '../../../../src/build/toolchain.node';
import { gcc, musl, need, random, Workshop } from './host';

/** How long one link may take, in milliseconds: far more than it does, far less than for ever. */
const PATIENCE = 20_000;

const INTERESTING = [0, 1, 2, 0x7f, 0x80, 0xff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff];

describe('the linker on damaged files', function () {
  this.timeout(600_000);
  const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
  const rounds = Number(process.env['ROUNDS'] ?? 150);
  let shop: Workshop;
  before(function () {
    need(this, 'gcc', gcc !== undefined);
    shop = new Workshop();
    console.log(`      seed ${seed} (SEED=${seed} repeats it; ROUNDS sets how many, now ${rounds})`);
  });
  after(() => shop?.remove());

  /** Changes some bytes: anywhere, or a field of a header or table, to numbers that are apt to be taken wrongly. */
  function damage(good: Uint8Array, below: (n: number) => number): Uint8Array {
    const bytes = Uint8Array.from(good);
    const view = new DataView(bytes.buffer);
    if (below(6) === 0) return bytes.subarray(0, below(bytes.length));
    for (let k = 0; k <= below(4); k++) {
      const value = INTERESTING[below(INTERESTING.length)]!;
      const isElf = bytes.length > 64 && view.getUint32(0, true) === 0x464c457f;
      const headers = isElf ? Number(view.getBigUint64(40, true) & 0x7fffffffn) : 0;
      const count = isElf ? view.getUint16(60, true) : 0;
      const section = headers + below(Math.max(1, count)) * 64;
      let at = below(bytes.length - 4);
      if (isElf && below(3) === 0) at = below(15) * 4;
      else if (isElf && count > 0 && below(2) === 0) at = section + below(16) * 4;
      else if (isElf && section + 64 <= bytes.length) {
        // A word of the section's content: symbols and relocations are where the sharp edges are.
        const [offset, size] = [view.getUint32(section + 24, true), view.getUint32(section + 32, true)];
        if (size >= 4 && offset + size <= bytes.length) at = offset + below(size >> 2) * 4;
      }
      if (at + 4 > bytes.length) continue;
      if (below(4) === 0) bytes[at] = below(256);
      else view.setUint32(at, value, true);
    }
    return bytes;
  }

  function check(name: string, good: readonly { name: string; bytes: Uint8Array }[], target: number, entry: string): void {
    const below = random(seed ^ name.length);
    for (let i = 0; i < rounds; i++) {
      const inputs = good.map((input, k) => (k === target ? { ...input, bytes: damage(input.bytes, below) } : input));
      const pie = i % 3 === 0;
      const started = performance.now();
      const what = `seed ${seed}, ${name}, round ${i}`;
      try {
        const r = link([{ name: 'x', inputs }], {
          layout: i % 3 === 1 ? PC_LAYOUT : linuxLayout(pie),
          entry,
          pie,
          gcSections: i % 2 === 0,
          mergeStrings: i % 5 !== 0,
        });
        assert.ok(
          r.bytes !== undefined || withSources(r.problems).some((p) => p.severity === 'error' && p.message !== ''),
          'no image and no reason',
        );
        if (r.bytes) r.pieces();
      } catch (error) {
        assert.fail(`${what}: ${error instanceof Error ? error.stack : String(error)}`);
      }
      const time = performance.now() - started;
      assert.ok(time < PATIENCE, `${what}: ${time.toFixed(0)} ms`);
    }
  }

  const read = (file: string): { name: string; bytes: Uint8Array } => ({ name: file, bytes: Uint8Array.from(readFileSync(file)) });

  it('takes objects of C with debug information, threads and merged strings', () => {
    const text = `
static const char *t[] = {"a", "b", "a longer one"}; __thread int n = 1; int common __attribute__((common));
extern int other(int); __attribute__((constructor)) static void c(void) { n++; }
int f(int x) { n++; switch (x) { case 1: return 7; case 2: return 9; case 3: return other(x); case 4: return 3; default: return t[x & 1][0] + common; } }
void _start(void) { f(1); }`;
    const objects = [
      shop.compile(gcc!, 'd.c', text, ['-g3', '-O1', '-fPIE', '-ffunction-sections']),
      shop.compile(gcc!, 'o.c', 'int other(int x) { return x; } int common __attribute__((common));', ['-g', '-fPIE']),
    ].map(read);
    check('c', objects, 0, '_start');
  });

  it('takes objects of C++ with groups and exceptions', function () {
    const gxx = findProgram('g++', process.env);
    need(this, 'g++', gxx !== undefined);
    const text = `
template <class T> T twice(T x) { static T calls; return x + x + ++calls; } struct A { virtual ~A() {} virtual int f() { return 1; } };
inline int shared() { static int v = twice(2); return v; } extern "C" void _start() { A a; try { throw a.f() + shared(); } catch (int) { } }`;
    const objects = ['a.cc', 'b.cc'].map((n, i) =>
      read(shop.compile(gxx!, n, i === 0 ? text : text.replace('_start', 'other'), ['-g', '-fPIE', '-O0'])),
    );
    check('c++', objects, 1, '_start');
  });

  it('takes archives', function () {
    const ar = findProgram('ar', process.env);
    need(this, 'ar', ar !== undefined);
    const members = Array.from({ length: 4 }, (_, i) =>
      shop.compile(gcc!, `a_member_with_a_long_name_${i}.c`, `int m${i + 1}(void); int m${i}(void) { return m${i + 1}() + ${i}; }`, [
        '-fPIE',
      ]),
    );
    const last = shop.compile(gcc!, 'last.c', 'int m4(void) { return 4; }', ['-fPIE']);
    execFileSync(ar!, ['rcs', shop.file('lib.a'), ...members, last]);
    const main = read(shop.compile(gcc!, 'main.c', 'int m0(void); void _start(void) { m0(); }', ['-fPIE']));
    check('archive', [main, read(shop.file('lib.a'))], 1, '_start');
  });

  it('takes a member of a C library', function () {
    need(this, 'static musl', musl !== undefined);
    const good = [`${musl!}/crt1.o`, `${musl!}/crti.o`, `${musl!}/crtn.o`].map(read);
    const main = read(shop.compile(gcc!, 'user.c', 'int printf(const char *, ...); int main(void) { return printf("%d", 1); }', []));
    check('libc', [main, read(`${musl!}/libc.a`), ...good], 1, '_start');
  });
});
