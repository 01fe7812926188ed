/** The reader against GNU readelf, addr2line and gdb, on programs compiled here and on real images where there are any. */
import assert from 'node:assert/strict';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { SymbolFile } from '../../../debug-adapter/symbols/api';
import { AT, TAG } from '../../../debug-adapter/symbols/constants';
import { type Core } from '../../../debug-adapter/symbols/core';
import { Die } from '../../../debug-adapter/symbols/die';
import { nameOf } from '../../../debug-adapter/symbols/entities';
import { rangesOf } from '../../../debug-adapter/symbols/ranges';
import { type Comparison, compareDies, compareFrameRows, compareLineRows, compareLists, coreOf } from './oracle';
import { PROGRAM, Random, Workshop, debugPackages, haveTools, seedFromEnvironment, suiteImages } from './support';

function agree(what: string, { compared, differences }: Comparison, atLeast: number): void {
  assert.deepEqual(differences, [], what);
  assert.ok(compared >= atLeast, `${what}: only ${compared} compared`);
}

const CPP = `#include <string>
#include <vector>
#include <cstdio>
namespace shapes {
struct Base { virtual ~Base() = default; virtual double area() const = 0; int id = 7; };
template <typename T, int N> struct Grid final : Base {
  T cells[N]; static int made;
  explicit Grid(T v) { for (auto &c : cells) c = v; made++; }
  double area() const override { double s = 0; for (auto c : cells) s += c; return s; }
};
template <typename T, int N> int Grid<T, N>::made = 0;
enum class Mode : unsigned char { Off, On = 200 };
}
int run(const std::vector<std::string> &names, shapes::Mode &&mode) {
  shapes::Grid<float, 4> grid(1.5f); int total = 0;
  for (const auto &n : names) { try { total += static_cast<int>(n.at(2)); } catch (const std::exception &e) { total--; } }
  auto lambda = [&total](int by) { return total += by; };
  return lambda(static_cast<int>(grid.area())) + static_cast<int>(mode);
}
int main(int argc, char **argv) { return run({argv, argv + argc}, shapes::Mode::On); }
`;

describe('symbols: agreement with readelf', () => {
  const workshop = new Workshop();
  after(() => workshop.dispose());

  const variants: [name: string, source: 'a.c' | 'b.cpp', ...options: string[]][] = [
    ['C, -O2, DWARF 5', 'a.c', '-O2', '-g3', '-gdwarf-5'],
    ['C, -O2, DWARF 4', 'a.c', '-O2', '-g3', '-gdwarf-4'],
    ['C, -O0, DWARF 3', 'a.c', '-O0', '-g', '-gdwarf-3', '-gstrict-dwarf'],
    ['C, CFI in .debug_frame', 'a.c', '-O2', '-g', '-fno-asynchronous-unwind-tables', '-fno-omit-frame-pointer'],
    ['C, sections of functions', 'a.c', '-O2', '-g', '-ffunction-sections', '-Wl,--gc-sections'],
    ['C, type units', 'a.c', '-O2', '-g', '-gdwarf-5', '-fdebug-types-section'],
    ['C, type units of DWARF 4', 'a.c', '-O2', '-g', '-gdwarf-4', '-fdebug-types-section'],
    ['C, link-time optimisation', 'a.c', '-O2', '-g', '-flto'],
    ['C, compressed sections', 'a.c', '-O2', '-g3', '-gz=zlib'],
    ['C, compressed sections in GNU form', 'a.c', '-O2', '-g3', '-gz=zlib-gnu', '-fno-asynchronous-unwind-tables'],
    ['C, 64-bit DWARF', 'a.c', '-O2', '-g', '-gdwarf64'],
    ['C++, -O2, DWARF 5', 'b.cpp', '-O2', '-g', '-gdwarf-5'],
    ['C++, -O1, DWARF 4', 'b.cpp', '-O1', '-g', '-gdwarf-4'],
  ];
  for (const [name, source, ...options] of variants) {
    it(`reads every line row, frame row, DIE and list: ${name}`, async function () {
      if (!haveTools('comparison with readelf', source === 'a.c' ? 'gcc' : 'g++', 'readelf')) return this.skip();
      const text = workshop.write(source, source === 'a.c' ? PROGRAM : CPP);
      const program = workshop.compile(text, name.replaceAll(/\W/g, ''), ...options);
      const core = coreOf(readFileSync(program));
      agree('line rows', await compareLineRows(core, program), 40);
      agree('frame rows', await compareFrameRows(core, program), 10);
      agree('DIEs', await compareDies(core, program), 80);
      agree('location lists', await compareLists(core, program, 'loc'), options.includes('-O0') ? 0 : 15);
      agree('range lists', await compareLists(core, program, 'Ranges'), 0);
      assert.deepEqual(core.diagnostics.all, []);
    });
  }

  it('reads .debug_rnglists as it reads .debug_ranges', function () {
    if (!haveTools('comparison of range lists', 'gcc')) return this.skip();
    // readelf prints only some of a version 5 table, so the older form, which it prints in full, is the measure.
    const source = workshop.write('a.c', PROGRAM);
    const read = (version: number): string[] => {
      const core = coreOf(readFileSync(workshop.compile(source, `ranges${version}`, '-O2', '-g', `-gdwarf-${version}`)));
      return core.dwarf.units.flatMap((unit) => withRanges(core, unit.index));
    };
    const four = read(4);
    assert.ok(four.length > 5);
    assert.deepEqual(read(5), four);
  });

  function withRanges(core: Core, index: number): string[] {
    const unit = core.dwarf.units[index]!;
    const found: string[] = [];
    for (let i = 0; i < unit.tree().count; i++) {
      const die = new Die(unit, i);
      if (die.tag === TAG.inlined_subroutine || die.has(AT.ranges)) found.push(`${nameOf(die)} ${JSON.stringify(rangesOf(die))}`);
    }
    return found.sort();
  }

  it('reads the call frame information of the tools themselves', async function () {
    if (!haveTools('comparison of .eh_frame', 'readelf')) return this.skip();
    const files = ['/usr/bin/readelf', '/bin/ls', '/bin/bash'].filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile());
    for (const file of files) agree(file, await compareFrameRows(coreOf(readFileSync(file)), file), 50);
  });
});

describe('symbols: agreement with addr2line and gdb', () => {
  const workshop = new Workshop();
  after(() => workshop.dispose());

  function sampleAddresses(file: SymbolFile, count: number, random: Random): bigint[] {
    const functions = [...file.symbols()].filter((symbol) => symbol.kind === 'function' && symbol.size > 0 && file.unitAt(symbol.address));
    return Array.from({ length: count }, () => {
      const fn = functions[random.below(functions.length)]!;
      return fn.address + BigInt(random.below(fn.size));
    });
  }

  const hex = (address: bigint): string => `0x${address.toString(16)}`;
  const base = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

  /** Function names and call lines of the chain; the innermost line is gdb's matter, whose choice among rows is the better one. */
  function compareChains(file: SymbolFile, path: string, addresses: readonly bigint[]): number {
    const lines = workshop.run('addr2line', '-e', path, '-a', '-f', '-i', ...addresses.map(hex)).split('\n');
    let at = 0;
    let inlined = 0;
    for (const address of addresses) {
      assert.equal(BigInt(lines[at]!), address);
      at++;
      const expected: string[] = [];
      for (; at < lines.length && lines[at] !== '' && !lines[at]!.startsWith('0x'); at += 2) {
        const position = base(lines[at + 1]!.replace(/ \(discriminator.*/, ''));
        expected.push(expected.length === 0 ? lines[at]! : `${lines[at]} ${position}`);
      }
      const actual = file.framesAt(address).map((frame, i) => {
        const name = frame.function.linkageName ?? frame.function.name;
        return i === 0 ? name : `${name} ${base(frame.position?.file.path ?? '??')}:${frame.position?.line ?? '?'}`;
      });
      // Functions written in assembly have a symbol and lines, but no DIE; of several names for one address any will do.
      if (actual.length === 0) {
        const symbol = file.symbolAt(address);
        assert.ok(expected.length === 1 && file.symbolsNamed(expected[0]!).some((s) => s.address === symbol?.address), hex(address));
        continue;
      }
      const plain = (text: string): string => text.replace(/\.(part|isra|constprop|cold)(\.\d+)?/g, '');
      assert.deepEqual(actual.map(plain), expected.map(plain), hex(address));
      if (actual.length > 1) inlined++;
    }
    return inlined;
  }

  function compareLines(file: SymbolFile, path: string, addresses: readonly bigint[]): void {
    const script = workshop.write(
      'lines.gdb',
      `set width 0\n${addresses.map((address) => `echo @@\\n\ninfo line *${hex(address)}\n`).join('')}`,
    );
    const answers = workshop.run('gdb', '-nx', '-batch', '-x', script, path).split('@@\n').slice(1);
    addresses.forEach((address, i) => {
      const match = /^Line (\d+) of "([^"]*)"/.exec(answers[i]!);
      const row = file.lineAt(address);
      assert.equal(
        row && `${base(row.file.path)}:${row.line}`,
        match ? `${base(match[2]!)}:${match[1]}` : undefined,
        `${hex(address)}: ${answers[i]}`,
      );
    });
  }

  it('names functions, inlined chains and lines at random addresses', function () {
    if (!haveTools('comparison with addr2line and gdb', 'gcc', 'addr2line', 'gdb')) return this.skip();
    const random = new Random(seedFromEnvironment());
    for (const version of [4, 5]) {
      const path = workshop.compile(workshop.write('a.c', PROGRAM), `a${version}`, '-O2', '-g3', `-gdwarf-${version}`);
      const file = SymbolFile.open(readFileSync(path), { name: path });
      const addresses = sampleAddresses(file, 300, random);
      assert.ok(compareChains(file, path, addresses) > 10);
      compareLines(file, path, addresses);
    }
  });

  it('agrees on debug packages of a distribution', async function () {
    const files = debugPackages();
    if (files.length === 0 || !haveTools('comparison on debug packages', 'readelf')) return this.skip();
    this.timeout(1_800_000);
    for (const path of files) {
      const core = coreOf(readFileSync(path));
      agree(`${path}: line rows`, await compareLineRows(core, path), 50);
      agree(`${path}: DIEs`, await compareDies(core, path), 50);
      agree(`${path}: location lists`, await compareLists(core, path, 'loc'), 0);
      agree(`${path}: range lists`, await compareLists(core, path, 'Ranges'), 0);
      // What dwz moved elsewhere is said, and nothing else is missing.
      assert.deepEqual(new Set(core.diagnostics.all.map(({ code }) => code).filter((code) => code !== 'dwarf-supplementary')), new Set());
    }
  });

  it('agrees on real images', async function () {
    const folder = suiteImages();
    if (folder === undefined || !haveTools('comparison on real images', 'readelf', 'addr2line', 'gdb')) return this.skip();
    this.timeout(900_000);
    const random = new Random(seedFromEnvironment());
    const images = readdirSync(folder).filter((name) => name.endsWith('.dbg'));
    if (images.length === 0) console.log(`SKIPPED: symbols of real images: no .dbg files in ${folder}`);
    for (const name of images) {
      const path = join(folder, name);
      const core = coreOf(readFileSync(path));
      agree(`${name}: line rows`, await compareLineRows(core, path), 50);
      agree(`${name}: frame rows`, await compareFrameRows(core, path), 50);
      agree(`${name}: DIEs`, await compareDies(core, path), 50);
      agree(`${name}: location lists`, await compareLists(core, path, 'loc'), 0);
      agree(`${name}: range lists`, await compareLists(core, path, 'Ranges'), 0);
      assert.deepEqual(core.diagnostics.all, [], name);
      const file = SymbolFile.open(readFileSync(path), { name: path });
      const addresses = sampleAddresses(file, 300, random);
      compareChains(file, path, addresses);
      compareLines(file, path, addresses);
    }
  });
});
