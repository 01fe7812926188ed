/** What the linker says about bad input: the place, and never a crash. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readSections } from '../../../../src/build/link/elf';
import { linuxLayout, PC_LAYOUT } from '../../../../src/build/link/layout';
import { link, type LinkResult, type LinkUnit } from '../../../../src/build/link/link';
import { withSources } from '../../../../src/build/link/sources';
import { findProgram } from '../../../../src/build/toolchain.node';
import { gcc, input, need, random, Workshop } from './host';

describe('the linker on bad input', function () {
  this.timeout(60_000);
  let shop: Workshop;
  before(function () {
    need(this, 'gcc', gcc !== undefined);
    shop = new Workshop();
  });
  after(() => shop?.remove());

  const flags = ['-O1', '-ffreestanding', '-fno-pic', '-fno-asynchronous-unwind-tables'];
  const object = (name: string, text: string, more: readonly string[] = []): string => shop.compile(gcc!, name, text, [...flags, ...more]);
  const run = (units: readonly LinkUnit[], entry = '_start'): LinkResult => link(units, { layout: PC_LAYOUT, entry });
  const all = (...files: string[]): LinkUnit[] => [{ name: 'all', inputs: files.map(input) }];
  const messages = (r: LinkResult): string[] => r.problems.map((p) => p.message);

  it('names the first place that refers to a symbol nobody defines', () => {
    const a = object('a.c', 'void gone(void); int other; void caller(void) { other++; gone(); gone(); } void _start(void) { caller(); }');
    const r = run(all(a));
    assert.equal(r.bytes, undefined);
    assert.equal(r.problems.length, 1);
    assert.match(messages(r)[0]!, /^Nothing defines gone, which .*a\.c\.o: section \.text\+0x[0-9a-f]+, in (caller|_start) refers to\.$/);
  });

  it('names both places of a double definition', () => {
    const r = run(all(object('a.c', 'int twice; void _start(void) {}', ['-fno-common']), object('b.c', 'int twice = 2;')));
    assert.match(messages(r)[0]!, /^twice is defined twice: in .*a\.c\.o \(section \.bss\) and in .*b\.c\.o \(section \.data\)/);
  });

  it('gives the source lines of faults where the objects tell of them', () => {
    const debug = ['-g', '-O0', '-fno-common', '-ffunction-sections'];
    const caller = object(
      'a.c',
      '\nvoid gone(void); int filler(void) { return 1; }\nvoid _start(void) {\n  filler();\n  gone();\n}\n',
      debug,
    );
    const [missing] = withSources(run(all(caller)).problems);
    assert.deepEqual([missing!.path, missing!.line, missing!.severity], [shop.file('a.c'), 5, 'error']);

    const twice = (name: string, first: string, second: string): (string | number)[][] => {
      const start = '\nextern int other; void _start(void) { other++; } int other;\n';
      const files = [object('s.c', start, debug), object('x.c', first, debug), object('y.c', second, debug)];
      const found = withSources(run(all(...files)).problems);
      assert.match(found[0]!.message, new RegExp(`^${name} is defined twice: in .*x\\.c\\.o .*and in .*y\\.c\\.o`));
      return found.map((p) => [p.path, p.line, p.severity]);
    };
    const [x, y] = ['x.c', 'y.c'].map((f) => shop.file(f));
    assert.deepEqual(twice('both', 'extern int both;\nint both = 1;', '\n\nint both = 2;'), [
      [y, 3, 'error'],
      [x, 2, 'note'],
    ]);
    assert.deepEqual(twice('f', 'int f(void);\nint g(void) { return 1; }\nint f(void)\n{ return 1; }', '\n\n\nint f(void) { return 2; }'), [
      [y, 4, 'error'],
      [x, 3, 'note'],
    ]);
    // Without debug information the object is named.
    const plain = object('p.c', 'void gone(void); void _start(void) { gone(); }');
    assert.equal(withSources(run(all(plain)).problems)[0]!.path, plain);
    const folders = [[shop.dir, '/elsewhere']] as const;
    assert.equal(withSources(run(all(caller)).problems, folders)[0]!.path, '/elsewhere/a.c');
  });

  it('keeps names inside of a library that does not export them', () => {
    const lib = (k: number): string =>
      object(`lib${k}.c`, `int helper(void) { return ${k}; } int api${k}(void) { return helper(); }`, ['-fno-inline']);
    const main = object('m.c', 'int api1(void), api2(void); void _start(void) { api1(); api2(); }');
    const units = (exports: readonly string[]): LinkUnit[] => [
      { name: 'l1', inputs: [input(lib(1))], exports: ['api1', ...exports] },
      { name: 'l2', inputs: [input(lib(2))], exports: ['api2', ...exports] },
      { name: 'app', inputs: [input(main)] },
    ];
    assert.ok(run(units([])).bytes);
    assert.match(messages(run(units(['helper'])))[0]!, /helper is defined twice/);
    const hidden = object('h.c', 'int helper(void); void _start(void) { helper(); }');
    assert.match(messages(run([...units([]).slice(0, 2), { name: 'app', inputs: [input(hidden)] }]))[0]!, /Nothing defines helper/);
  });

  it('says that the entry point is missing', () => {
    assert.match(messages(run(all(object('a.c', 'int x = 1;'))))[0]!, /entry point _start/);
  });

  it('takes weak symbols that nobody defines as 0, and an archive only for what is wanted', () => {
    const main = object(
      'm.c',
      'int weak(void) __attribute__((weak)); int wanted(void); int r; void _start(void) { r = (weak ? 1 : 0) + wanted(); }',
    );
    const members = [object('w.c', 'int wanted(void) { return 1; }'), object('u.c', 'int weak(void) { return 1; } int unwanted = 3;')];
    const ar = findProgram('ar', process.env);
    assert.ok(ar, 'ar comes with gcc');
    const archive = shop.file('lib.a');
    execFileSync(ar, ['rcs', archive, ...members]);
    const r = run(all(main, archive));
    assert.ok(r.bytes, messages(r).join('\n'));
    assert.deepEqual(
      [...new Set(r.pieces().map((p) => p.object))].filter((o) => o.includes('(')).map((o) => o.replace(/.*\(/, '(')),
      ['(w.c.o)'],
    );
  });

  it('says where a value does not fit', () => {
    const user = object('f.c', 'extern char far[]; int get(void) { return (int)(unsigned long)far; } void _start(void) { get(); }');
    const r = run(all(user, object('g.c', '__asm__(".globl far\\nfar = 0x200000000");')));
    assert.match(messages(r)[0]!, /R_X86_64_32S? against far at .*f\.c\.o: section \.text\+0x.* does not fit: the value is 0x200000000/);
  });

  it('refuses an image that no disk has room for', () => {
    const file = input(object('big.c', 'int big[16] = {1}; void _start(void) { big[0]++; }'));
    const bytes = Uint8Array.from(file.bytes);
    const view = new DataView(bytes.buffer);
    const data = readSections(bytes, view, file.name).findIndex((s) => s.name === '.data');
    view.setUint32(Number(view.getBigUint64(40, true)) + data * 64 + 48, 0x80000000, true);
    assert.match(messages(run([{ name: 'x', inputs: [{ name: file.name, bytes }] }]))[0]!, /file would take \d{10} bytes/);
  });

  it('refuses position-dependent code in a static-PIE', () => {
    const a = object('a.c', 'int x; int *p(void) { return &x; } void _start(void) { p(); }');
    const r = link(all(a), { layout: linuxLayout(true), entry: '_start', pie: true });
    assert.match(messages(r)[0]!, /R_X86_64_32.*compile with -fPIE/);
  });

  it('refuses files that are something else, by name', () => {
    const of = (name: string, bytes: Uint8Array): string => messages(run([{ name: 'x', inputs: [{ name, bytes }] }]))[0]!;
    assert.match(of('empty.o', new Uint8Array(0)), /empty\.o is not an ELF file/);
    assert.match(of('text.o', new TextEncoder().encode('hello')), /text\.o is not an ELF file/);
    assert.match(
      of('bad.a', new TextEncoder().encode('!<arch>\nnothing that looks like a member at all, but long enough to be one')),
      /bad\.a/,
    );
    assert.match(of('program', readFileSync(process.execPath).subarray(0, 4096)), /program/);
  });

  it('survives damage anywhere', () => {
    const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
    console.log(`      seed ${seed}`);
    const below = random(seed);
    const file = object(
      'd.c',
      'static const char *t[] = {"a","b"}; __thread int n = 1; int f(int x) { n++; return t[x & 1][0]; } void _start(void) { f(1); }',
      ['-g', '-fasynchronous-unwind-tables'],
    );
    const good = Uint8Array.from(readFileSync(file));
    assert.ok(run([{ name: 'x', inputs: [{ name: 'good', bytes: good }] }]).bytes);
    for (let i = 0; i < 400; i++) {
      let bytes = good.slice();
      if (i % 4 === 0) bytes = bytes.subarray(0, below(bytes.length));
      else
        for (let k = 0; k <= below(8); k++)
          bytes[i % 4 === 1 ? below(64) : i % 4 === 2 ? bytes.length - 1 - below(Math.min(bytes.length, 2500)) : below(bytes.length)] =
            below(256);
      for (const layout of [PC_LAYOUT, linuxLayout(true)]) {
        const r = link([{ name: 'x', inputs: [{ name: 'damaged', bytes }] }], {
          layout,
          entry: '_start',
          pie: layout !== PC_LAYOUT,
          gcSections: i % 2 === 0,
        });
        assert.ok(r.bytes !== undefined || r.problems.length > 0, `seed ${seed}, round ${i}: no image and no reason`);
      }
    }
  });
});
