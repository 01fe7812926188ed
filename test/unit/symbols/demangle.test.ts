/** Mangled names are spelled as binutils spells them: all those of this machine's C++ libraries and of Rust programs built here, and damaged ones end. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { demangled } from '../../../debug-adapter/symbols/demangle/index';
import { haveTools, Random, seedFromEnvironment } from './support';

/** Libraries of C++ that may be here; more in DEMANGLE, separated by colons. */
const libraries = [
  '/usr/lib/x86_64-linux-gnu/libstdc++.so.6',
  process.execPath,
  ...(process.env['DEMANGLE'] ?? '').split(':').filter((file) => file !== ''),
];
const fixtures = path.join(import.meta.dirname, '../../fixtures/values');
const large = { maxBuffer: 1 << 28, encoding: 'utf8' } as const;

function namesOf(file: string, options: readonly string[], wanted: RegExp): string[] {
  const lines = execFileSync('nm', ['-P', ...options, file], large).split('\n');
  return [...new Set(lines.map((line) => line.split(' ')[0]!.replace(/@.*/, '')).filter((name) => wanted.test(name)))];
}

const filtered = (names: readonly string[]): string[] => execFileSync('c++filt', [], { ...large, input: names.join('\n') }).split('\n');

/** @param most names that may be spelled otherwise: binutils has oddities of its own, as the versions of binutils differ from each other */
function compare(names: readonly string[], expected: readonly string[], most = 0): void {
  const wrong = names.flatMap((name, i) => {
    const ours = demangled(name);
    // Where binutils gives up there is nothing to compare with.
    return ours === expected[i] || name === expected[i] ? [] : [`${name}\n  ours ${ours}\n  theirs ${expected[i]}`];
  });
  console.log(`      ${names.length} names, ${wrong.length} spelled otherwise`);
  if (wrong.length > most) assert.deepEqual(wrong.slice(0, 5), [], `${wrong.length} of ${names.length}`);
}

describe('demangled names', function () {
  this.timeout(300_000);

  it('leave what is not mangled', () => {
    for (const name of ['main', '', '_Z', '_R', '_ZN', '_Zebra', '_Rust', '_ZN3fooE3', 'uk_syscall_r_write', '__Z3foov'])
      assert.equal(demangled(name), name);
  });

  it('are C++’s, Rust’s older and newer ones', () => {
    const expected: Readonly<Record<string, string>> = {
      _ZN6shapes6SquareC1Eii: 'shapes::Square::Square(int, int)',
      _ZNK6shapes6Square4areaEv: 'shapes::Square::area() const',
      _ZTV5Shape: 'vtable for Shape',
      '_ZN3FooILi3EE3barEPFivE.cold': 'Foo<3>::bar(int (*)()) [clone .cold]',
      _Z3addIiET_S0_S0_: 'int add<int>(int, int)',
      _ZZ4mainENKUliE_clEi: 'main::{lambda(int)#1}::operator()(int) const',
      _ZN6values6locals17h0123456789abcdefE: 'values::locals',
      '_ZN49_$LT$values..Form$u20$as$u20$core..fmt..Debug$GT$3fmt17h0123456789abcdefE': '<values::Form as core::fmt::Debug>::fmt',
      _RNvCs1234_7mycrate3foo: 'mycrate::foo',
      _RNvMCs1234_7mycrateNtB2_3Bar3new: '<mycrate::Bar>::new',
      _RINvCs1234_7mycrate3fooRjE: 'mycrate::foo::<&usize>',
    };
    for (const [name, text] of Object.entries(expected)) assert.equal(demangled(name), text);
  });

  for (const file of libraries) {
    it(`are those of binutils: C++, ${path.basename(file)}`, function () {
      if (!existsSync(file) || !haveTools('demangled names', 'nm', 'c++filt')) return this.skip();
      const names = namesOf(file, ['-D'], /^_Z(?!N.*17h[0-9a-f]{16}E)/);
      compare(names, filtered(names), names.length / 5000);
    });
  }

  for (const version of ['legacy', 'v0']) {
    it(`are those of binutils: Rust, ${version}`, function () {
      if (!haveTools('demangled names of Rust', 'rustc', 'nm', 'c++filt')) return this.skip();
      const folder = mkdtempSync(path.join(tmpdir(), 'demangle-'));
      try {
        const program = path.join(folder, 'program');
        const unstable = { ...process.env, RUSTC_BOOTSTRAP: '1' };
        const options = ['--edition', '2021', '-g', '-C', `symbol-mangling-version=${version}`, '-Z', 'unstable-options'];
        execFileSync('rustc', [...options, '-o', program, path.join(fixtures, 'values.rs')], {
          cwd: folder,
          stdio: 'ignore',
          env: unstable,
        });
        const names = namesOf(program, [], /^_R|^_ZN.*17h[0-9a-f]{16}E/);
        assert.ok(names.length > 50);
        // Hashes and types of constants are left out here.
        const superfluous = /::h[0-9a-f]{16}$|(?<=\w)\[[0-9a-f]{1,16}\]|(?<=[\w'])(: (?:[iu](?:8|16|32|64|128|size)|bool|char))(?=[,>\]])/g;
        compare(
          names,
          filtered(names).map((name) => name.replaceAll(superfluous, '')),
        );
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  }

  it('end where they are damaged', () => {
    const seed = seedFromEnvironment();
    const random = new Random(seed);
    const names = [
      '_ZNSt8__detail9_ExecutorIN9__gnu_cxx17__normal_iteratorIPKcNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEEEELb0EE6_M_dfsENS_11_Match_modeEl',
      '_ZN4llvm26parseAnalysisUtilityPassesIN5polly12ScopAnalysisENS_8FunctionENS_15AnalysisManagerIS3_JEEEJEEEbNS_9StringRefES6_RNS_11PassManagerIT0_T1_JDpT2_EEE',
      '_RINvMNtCsgEmfK2I1SDS_4core6optionINtB3_6OptionReE11map_or_elseNtNtCslNYArtu3iFV_5alloc6string6StringNCNvNtB12_3fmt6format0NvYeNtNtB12_6borrow7ToOwned8to_ownedECs6dJjb8yiNt5_6values',
    ];
    const start = performance.now();
    for (let i = 0; i < 30_000; i++) {
      let name = names[random.below(names.length)]!;
      for (let cuts = 1 + random.below(4); cuts > 0; cuts--) {
        const at = 2 + random.below(name.length - 2);
        const piece = name.slice(random.below(name.length), random.below(name.length));
        name = name.slice(0, at) + (random.below(2) === 0 ? piece : 'SIJTNBE_0PK'[random.below(11)]!) + name.slice(at + random.below(4));
      }
      assert.ok(demangled(name).length <= 200_000, `SEED=${seed}: ${name}`);
    }
    assert.ok(performance.now() - start < 120_000, `SEED=${seed}: damaged names take too long`);
  });
});
