/** Where breakpoints on functions go, against gdb's, for random names of programs in C, C++ and Rust; and the search of large files against that of small ones. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AT, TAG } from '../../../debug-adapter/symbols/constants';
import { Core } from '../../../debug-adapter/symbols/core';
import { Die } from '../../../debug-adapter/symbols/die';
import { parseElf } from '../../../debug-adapter/symbols/elf';
import { nameOf, qualifiedNameOf } from '../../../debug-adapter/symbols/entities';
import { entryOf } from '../../../debug-adapter/symbols/functions';
import { rangesOf } from '../../../debug-adapter/symbols/ranges';
import { SymbolFile } from '../../../debug-adapter/symbols/api';
import { haveTools, Random, seedFromEnvironment, suiteImages, Workshop } from './support';

const fixtures = join(import.meta.dirname, '../../fixtures/values');
/** Names of each program: few in a run of all tests, more when asked for. */
const wanted = Number(process.env['NAMES'] ?? 30);
/** A file to compare beside the built ones. */
const extra = process.env['SYMBOLS'];

/** Addresses in hexadecimal at which gdb puts a breakpoint on each name. */
function gdbAddresses(program: string, names: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const script = `
import json
out = {}
for name in json.loads(${JSON.stringify(JSON.stringify(names))}):
    try:
        b = gdb.Breakpoint(name)
        out[name] = sorted(set(hex(l.address) for l in b.locations if l.address is not None))
        b.delete()
    except gdb.error as e: out[name] = []
print('@@' + json.dumps(out))`;
  const run = spawnSync('gdb', ['-nx', '-q', '-batch', '-ex', 'set breakpoint pending off', '-ex', `python ${script}`, program], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  const answer = run.stdout.split('\n').find((line) => line.startsWith('@@'));
  assert.ok(answer !== undefined, run.stderr);
  return new Map(Object.entries(JSON.parse(answer.slice(2)) as Record<string, string[]>));
}

/** Of blocks that are entered elsewhere than at the start of their first range: where, by that start. */
function entriesByStart(core: Core): ReadonlyMap<string, readonly string[]> {
  const entries = new Map<string, string[]>();
  const text = (address: number): string => `0x${address.toString(16)}`;
  for (const unit of core.dwarf.units) {
    const { abbrevs, count } = unit.tree();
    for (let i = 0; i < count; i++) {
      if (abbrevs[i]!.tag !== TAG.inlined_subroutine) continue;
      const die = new Die(unit, i);
      const ranges = rangesOf(die);
      const entry = ranges.length > 0 ? entryOf(die, ranges) : undefined;
      if (entry === undefined || entry === ranges[0]!.low || ranges.every(({ low, high }) => entry < low || entry >= high)) continue;
      const start = text(ranges[0]!.low);
      entries.set(start, [...(entries.get(start) ?? []), text(entry)]);
    }
  }
  return entries;
}

function ownAddresses(file: SymbolFile, name: string): readonly string[] {
  const steps = file.functionAddresses({ name });
  for (;;) {
    const step = steps.next();
    if (step.done !== true) continue;
    // Aliases have no name but their symbol's.
    const symbols = file.symbolsNamed(name).filter(({ kind }) => kind === 'function');
    const all = [...step.value, ...symbols.map(({ address }) => file.prologueEnd(address))];
    return [...new Set(all.map((address) => `0x${address.toString(16)}`))].sort();
  }
}

describe('symbols: where breakpoints on functions go', function () {
  this.timeout(3_600_000);
  const workshop = new Workshop();
  after(() => workshop.dispose());

  const programs: readonly { readonly name: string; readonly make: () => string | undefined }[] = [
    { name: 'C++', make: () => built('g++', 'values.cpp', '-std=c++17', '-g', '-O0', '-no-pie') },
    { name: 'C++, optimised', make: () => built('g++', 'values.cpp', '-std=c++17', '-g', '-O2', '-no-pie') },
    { name: 'C++, large', make: large },
    { name: 'C++, with DWARF that two files share', make: shared },
    { name: 'Rust', make: () => built('rustc', 'values.rs', '--edition', '2021', '-g', '-C', 'opt-level=0') },
    { name: 'Rust, optimised', make: () => built('rustc', 'values.rs', '--edition', '2021', '-g', '-C', 'opt-level=2') },
    ...['hello-test', 'nginx', 'sqlite'].map((name) => ({ name: `C, ${name}`, make: () => image(name) })),
    ...(extra === undefined ? [] : [{ name: extra, make: () => extra }]),
  ];

  function built(compiler: string, source: string, ...options: string[]): string | undefined {
    if (!haveTools(`function breakpoints against gdb: ${source}`, compiler)) return undefined;
    const output = join(workshop.folder, `program-${programs.length}-${options.length}${options.join('')}`.replaceAll(/[^\w-]/g, ''));
    execFileSync(compiler, [...options, '-o', output, join(fixtures, source)], { cwd: workshop.folder, stdio: 'ignore' });
    return output;
  }

  /** The same unit again and again: enough that names are looked for by where they are spelled. */
  function large(): string | undefined {
    if (!haveTools('function breakpoints against gdb: values.cpp', 'g++')) return undefined;
    const [object, output] = ['unit.o', 'program-large'].map((each) => join(workshop.folder, each));
    const run = (...options: string[]): void => void execFileSync('g++', options, { cwd: workshop.folder, stdio: 'ignore' });
    run('-std=c++17', '-g', '-O1', '-c', '-o', object!, join(fixtures, 'values.cpp'));
    run('-no-pie', '-Wl,-z,muldefs', '-o', output!, ...Array.from({ length: 60 }, () => object!));
    assert.ok(new Core(parseElf(readFileSync(output!))).dwarf.info.length > 4 << 20);
    return output;
  }

  /** Two programs, and beside them the file that they share. */
  function shared(): string | undefined {
    if (!haveTools('function breakpoints against gdb: DWARF that files share', 'g++', 'dwz')) return undefined;
    const [first, second] = ['-O1', '-O2'].map((level) => built('g++', 'values.cpp', '-std=c++17', '-g', level, '-no-pie'));
    if (first === undefined || second === undefined) return undefined;
    execFileSync('dwz', ['-m', sharedBy(first), first, second], { cwd: workshop.folder, stdio: 'ignore' });
    assert.ok(existsSync(sharedBy(first)));
    return first;
  }

  const sharedBy = (program: string): string => `${program}.shared`;

  function image(name: string): string | undefined {
    const path = join(suiteImages() ?? '', `${name}.dbg`);
    return existsSync(path) ? path : undefined;
  }

  for (const { name, make } of programs) {
    it(name, function () {
      if (!haveTools('function breakpoints against gdb', 'gdb')) return this.skip();
      const program = make();
      if (program === undefined) return this.skip();
      const bytes = readFileSync(program);
      const supplement = existsSync(sharedBy(program)) ? { supplement: { bytes: readFileSync(sharedBy(program)), places: [] } } : {};
      const core = new Core(parseElf(bytes), supplement.supplement);
      assert.equal(core.dwarf.supplement !== undefined, supplement.supplement !== undefined);
      const file = SymbolFile.open(bytes, { name: program, ...supplement });
      const random = new Random(seedFromEnvironment());
      const all = core.names.all('function');
      const chosen = new Set<string>();
      /** Without its arguments gdb finds a template of C++ only. */
      const generic = new Set([...core.names.search(/</, 'function')].map(({ name: each }) => each.slice(0, each.indexOf('<'))));
      const isGeneric = (each: string): boolean => each.includes('::') && generic.has(each.slice(each.lastIndexOf(':') + 1));
      for (let tries = 0; chosen.size < wanted && tries < 100 * wanted; tries++) {
        const die = core.dwarf.dieAt(all[random.below(all.length)]!)!;
        // gdb finds a name of Rust by its whole path only.
        const name = die.unit.language === 'rust' ? qualifiedNameOf(die) : nameOf(die);
        // gdb does not find all constructors of a class template by the name of the class.
        const isConstructor =
          die.unit.language === 'c++' && nameOf(die) === (die.origins().at(-1)!.parent?.string(AT.name) ?? '').replace(/<.*/, '');
        if (/^(\w+::)*\w+$/.test(name) && !isGeneric(name) && !isConstructor) chosen.add(name);
      }
      // Some within a method are found by gdb by the method's name.
      const isLambda = (address: string): boolean =>
        file.framesAt(BigInt(address)).some(({ function: { name: of } }) => of.startsWith('operator()'));
      const entries = entriesByStart(core);
      const theirs = gdbAddresses(program, [...chosen]);
      const differences = [...chosen].flatMap((each) => {
        const own = ownAddresses(file, each);
        // What the linker made for calls into other files is nobody's code.
        const their = theirs.get(each)!.filter((address) => file.sectionAt(BigInt(address))?.startsWith('.plt') !== true);
        if (own.join() === their.join()) return [];
        // Of a symbol alone gdb reads the code for the prologue's end.
        if (own.length === 1 && their.length === 1 && file.symbolsNamed(each).some(({ address }) => `0x${address.toString(16)}` === own[0]))
          return [];
        // gdb 13 begins a block at its first range, wherever DWARF says that it is entered.
        const missing = their.filter(
          (address) => !own.includes(address) && !isLambda(address) && !(entries.get(address) ?? []).some((entry) => own.includes(entry)),
        );
        const more = own.filter((address) => !their.includes(address) && !their.some((low) => entries.get(low)?.includes(address)));
        // And it goes on from there to the next line, which may be another function's.
        const last = each.slice(each.lastIndexOf(':') + 1);
        const isWithin = (address: string): boolean =>
          file.framesAt(BigInt(address)).some(({ function: { name: of } }) => of.includes(last));
        if (missing.length === more.length && !missing.some(isWithin) && more.every(isWithin)) return [];
        return [`${each}: of gdb's ${their.length} without ${missing.slice(0, 6).join(' ')}; more: ${more.slice(0, 6).join(' ')}`];
      });
      const places = [...chosen].reduce((sum, each) => sum + theirs.get(each)!.length, 0);
      console.log(`      ${chosen.size} names, ${places} places`);
      assert.deepEqual(differences, []);
    });
  }

  it('finds by an expression what it matches of all qualified names', function () {
    const program = built('g++', 'values.cpp', '-std=c++17', '-g', '-O1', '-no-pie');
    if (program === undefined) return this.skip();
    const file = SymbolFile.open(readFileSync(program), { name: program });
    const all = file.functions({ name: /(?:)/, limit: 100_000 });
    for (const expression of [
      /shapes::.*area$/,
      /::optional$/,
      /std::vector<.*>::/,
      /::_M_p?/,
      /^std::(pair|tuple)<.*::/,
      /value::|::Area/i,
    ]) {
      const expected = all.filter(({ name, qualifiedName }) => expression.test(name) || expression.test(qualifiedName));
      const found = file.functions({ name: expression, limit: 100_000 });
      const ids = (list: typeof all): number[] => list.map(({ id }) => id).sort((a, b) => a - b);
      assert.deepEqual(ids(found), ids(expected), String(expression));
    }
  });
});
