/** Random programs as we link them beside GNU ld's: symbols by readelf, lines by addr2line, a session of gdb; C++ and indirect functions. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { findProgram } from '../../../../src/build/toolchain.node';
import { debuggerSays, describeLines, describeSymbols } from './elf-tools';
import { gcc, gccFile, musl, muslGcc, native, need, random, Workshop } from './host';
import { randomCpp } from './random-cpp';
import { randomProgram } from './random-program';

/** Names that the random programs define. */
const OWN =
  /^(fn|tls|tls_zero|value|common|exported|pointer|inside|maybe|hidden|scale|record|target|aliased|weakly|guarded|tail)_\d+$|^(main|overridden|table|words|sw|s[012]|early|later|late|shared_common|other_common|trail)$/;

describe('linked programs, by the tools', function () {
  this.timeout(600_000);
  let shop: Workshop;
  const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
  const rounds = Number(process.env['ROUNDS'] ?? 3);
  before(function () {
    need(this, 'x86-64 Linux host', native);
    need(this, 'gcc', gcc !== undefined);
    need(
      this,
      'readelf and addr2line',
      ['readelf', 'addr2line'].every((t) => findProgram(t, process.env) !== undefined),
    );
    shop = new Workshop();
    console.log(`      seed ${seed} (SEED=${seed} repeats it; ROUNDS sets how many, now ${rounds})`);
  });
  after(() => shop?.remove());

  it('have the symbols and lines that GNU ld gives them, and debug alike', function () {
    need(this, 'musl-gcc and static musl', muslGcc !== undefined && musl !== undefined);
    const gdb = findProgram('gdb', process.env) !== undefined;
    if (!gdb) console.log('      without gdb: there is none on this machine');
    const below = random(seed);
    for (let round = 0; round < rounds; round++) {
      const program = randomProgram(below);
      const what = `seed ${seed}, round ${round}: ${JSON.stringify(program.options)} ${program.files.map((f) => f.flags.join(' ')).join(' | ')}`;
      const compiled = program.files.map((f) => shop.compile(muslGcc!, f.name, f.text, ['-g', ...f.flags]));
      const objects = shop.archive('some.a', compiled, program.archived);
      const result = shop.linkMusl(objects, program.options);
      assert.ok(result.bytes, `${what}\n${result.problems.map((p) => p.message).join('\n')}`);
      const [ours, theirs] = [shop.file('ours'), shop.file('theirs')];
      writeFileSync(ours, result.bytes, { mode: 0o755 });
      execFileSync(muslGcc!, [...program.driver, '-o', theirs, ...objects], { stdio: ['ignore', 'ignore', 'inherit'] });
      const own = (name: string): boolean => OWN.test(name);
      assert.deepEqual(describeSymbols(ours, own), describeSymbols(theirs, own), what);
      assert.deepEqual(describeLines(ours, own), describeLines(theirs, own), what);
      if (!gdb || round % 3 !== 0) continue;
      const session = [
        'set pagination off',
        'break fn_0',
        'run',
        'bt 3',
        'info args',
        'print value_1',
        'print *pointer_0',
        'print words',
        'finish',
        'continue',
        'kill',
      ];
      const said = debuggerSays(ours, session);
      assert.match(said, /fn_0 \(x=/, what);
      assert.equal(said, debuggerSays(theirs, session), what);
    }
  });

  it('run as those that GNU ld links, for random C++ with templates, exceptions and indirect functions', function () {
    const gxx = findProgram('g++', process.env);
    const library = gccFile('libstdc++.a');
    need(this, 'g++ with static libstdc++ and glibc', gxx !== undefined && library !== undefined && gccFile('libc.a') !== undefined);
    const below = random(seed ^ 0x5bd1e995);
    for (let round = 0; round < Math.ceil(rounds / 3); round++) {
      const program = randomCpp(below);
      const what = `seed ${seed}, round ${round}: ${JSON.stringify(program.options)} ${program.files.map((f) => f.flags.join(' ')).join(' | ')}`;
      const objects = program.files.map((f) => shop.compile(gxx!, f.name, f.text, f.flags));
      const result = shop.linkGlibc([...objects, library!], program.options);
      assert.ok(result.bytes, `${what}\n${result.problems.map((p) => p.message).join('\n')}`);
      const theirs = shop.file('theirs');
      execFileSync(gxx!, [...program.driver, '-o', theirs, ...objects], { stdio: ['ignore', 'ignore', 'inherit'] });
      const expected = shop.runFile(theirs);
      assert.equal(expected.signal, null, `${what}: the reference crashed`);
      assert.deepEqual(shop.run(result.bytes, 'ours'), expected, what);
    }
  });
});
