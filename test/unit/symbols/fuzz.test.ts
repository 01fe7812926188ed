/** Damaged files: whatever is changed in an ELF file with DWARF, the reader answers in time and never throws. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { readLocation, SymbolFile } from '../../../debug-adapter/symbols/api';
import { PROGRAM, Random, Workshop, exercise, haveTools, plainContext, seedFromEnvironment } from './support';

/** Mutants of one round; a longer run is a matter of FUZZ_ROUNDS. */
const MUTANTS = 500;
const SLOWEST = 3000;
/** Places of a real file that its mutants are asked about. */
const mostAddresses = 40;
/** Files of other compilers' and linkers' making, under the folder of the suites. */
const realFiles: readonly string[] = ['images/hello-qemu.dbg', 'images/elfloader.dbg', 'programs/hello'];

describe('symbols: damaged files', () => {
  const workshop = new Workshop();
  after(() => workshop.dispose());

  type Area = { readonly offset: number; readonly size: number };

  /** Some mutants have damaged headers, which hide most else; the others damage only what lies behind them. */
  function mutate(random: Random, original: Uint8Array, sections: readonly Area[], headers: readonly Area[]): Uint8Array {
    // A Buffer's slice would share its memory.
    const bytes = new Uint8Array(original);
    const targets = random.below(8) === 0 ? headers : sections;
    const changes = targets === headers ? 1 + random.below(3) : 1 + random.below(24);
    for (let i = 0; i < changes; i++) {
      const target = targets[random.below(targets.length)]!;
      const at = target.offset + random.below(target.size);
      const kind = random.below(5);
      if (kind === 0) bytes[at] = 0xff;
      else if (kind === 1) bytes[at] = 0;
      else if (kind === 2) bytes[at]! ^= 1 << random.below(8);
      else if (kind === 3) bytes[at] = random.below(256);
      else bytes.copyWithin(at, target.offset + random.below(target.size), target.offset + random.below(target.size));
    }
    return random.below(20) === 0 ? bytes.subarray(0, random.below(bytes.length)) : bytes;
  }

  /** Damages a file again and again, and asks what is left at most so many places for everything. */
  function survives(original: Uint8Array, mutants: number, most: number): void {
    const clean = SymbolFile.open(original, { name: 'clean' });
    const functions = [...clean.symbols()].filter((symbol) => symbol.kind === 'function' && symbol.size > 0);
    const stride = Math.max(1, Math.ceil(functions.length / most));
    const chosen = functions.filter((_, index) => index % stride === 0);
    const addresses = chosen.flatMap(({ address, size }) => [address, address + BigInt(size >> 1)]);
    const expected = exercise(clean, addresses);
    assert.ok(expected > 200, `only ${expected} answers`);
    assert.deepEqual(clean.diagnostics(), []);
    const sections = clean.elf.sections.filter(
      (s) => s.size > 0 && s.type !== 8 && /debug|eh_frame|symtab|strtab/.test(s.name) && s.name !== '.debug_str',
    );
    const headers = [
      { offset: 0, size: 64 },
      { offset: original.length - 64 * clean.elf.sections.length, size: 64 * clean.elf.sections.length },
    ];
    const seed = seedFromEnvironment();
    const rounds = Number(process.env['FUZZ_ROUNDS'] ?? 1);
    let slowest = 0;
    let answers = 0;
    for (let i = 0; i < mutants * rounds; i++) {
      const random = new Random(seed + i);
      const bytes = mutate(random, original, sections, headers);
      const start = process.cpuUsage();
      try {
        answers += exercise(SymbolFile.open(bytes, { name: `mutant ${i}` }), addresses);
      } catch (error) {
        assert.fail(`mutant ${i} of seed ${seed} (SEED=${seed + i} alone): ${error instanceof Error ? error.stack : String(error)}`);
      }
      // Time of this process alone: other work on the machine must not count.
      const { user, system } = process.cpuUsage(start);
      const time = (user + system) / 1000;
      slowest = Math.max(slowest, time);
      assert.ok(time < SLOWEST, `mutant ${i} of seed ${seed} took ${time.toFixed(0)} ms`);
    }
    assert.ok(answers > mutants * rounds, 'mutants should still answer something');
    console.log(
      `      ${mutants * rounds} mutants, ${Math.round(answers / (mutants * rounds))} of ${expected} answers on average, slowest ${slowest.toFixed(0)} ms`,
    );
  }

  for (const version of [4, 5]) {
    it(`survives changes in every section, DWARF ${version}`, function () {
      if (!haveTools('fuzzing of ELF and DWARF', 'gcc')) return this.skip();
      this.timeout(600_000);
      const program = workshop.compile(workshop.write('a.c', PROGRAM), `a${version}`, '-O2', '-g3', `-gdwarf-${version}`);
      survives(workshop.read(program), MUTANTS, Infinity);
    });
  }

  it('has no bytes of an object whose type claims an impossible size', () => {
    for (const size of [-58, 2 ** 40]) {
      assert.equal(readLocation({ kind: 'register', register: 0 }, size, plainContext(0n)), undefined);
      assert.equal(readLocation({ kind: 'value', bytes: Uint8Array.of(1) }, size, plainContext(0n)), undefined);
      assert.equal(readLocation({ kind: 'pieces', pieces: [] }, size, plainContext(0n)), undefined);
    }
  });

  const suites = process.env['UNIKERNEL_SUITES'];
  for (const name of realFiles) {
    it(`survives changes of ${name}`, function () {
      const file = path.join(suites ?? '', name);
      if (suites === undefined || !existsSync(file)) {
        console.log(`      skipped: UNIKERNEL_SUITES names no folder with ${name}`);
        return this.skip();
      }
      this.timeout(600_000);
      survives(new Uint8Array(readFileSync(file)), MUTANTS / 50, mostAddresses);
    });
  }
});
