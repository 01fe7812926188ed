/** Programs in C++ and Rust on the ELF loader, stopped at random in the midst of their work: what is shown of their values, and of what their functions return, is what gdb shows. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { localVariables, variableValue } from '../../../debug-adapter/control/expr/names';
import { rowOf } from '../../../debug-adapter/control/expr/rows';
import { GuestModel } from '../../../debug-adapter/control/guest';
import { watchPrograms } from '../../../debug-adapter/control/programs';
import { functionLeft, returned } from '../../../debug-adapter/control/return-value';
import { type PcMachine } from '../../../debug-adapter/machine/machine';
import { createMachine } from '../../../debug-adapter/machine/pc';
import { SymbolFile } from '../../../debug-adapter/symbols/api';
import { writeCpio } from '../../../src/build/cpio';
import { haveTools, Random, seedFromEnvironment } from '../symbols/support';
import { GdbPeer } from './gdb-peer';
import { compareReturned, compareStop, type Difference } from './stop-comparison';

interface Language {
  readonly name: string;
  readonly source: string;
  readonly compiler: string;
  readonly options: readonly string[];
  /** The function that is called again and again, as the symbol table has it, and how many instructions a call takes at most. */
  readonly start: RegExp;
  readonly gap: number;
  /** Functions whose return values are compared. */
  readonly returning: RegExp;
  /** A function at whose entry the caller's variables, by name, are shown so. */
  readonly called: RegExp;
  readonly shown: Readonly<Record<string, RegExp>>;
}

const cpp = {
  source: 'values.cpp',
  compiler: 'g++',
  start: /^_Z6localsi$/,
  called: /^_Z10references/,
  shown: {
    shortText: /^"short"$/,
    longText: /^"x+\d+"$/,
    numbers: /^\[3\] \{\d+, \d+, \d+\}$/,
    points: /^\[2\] \{\{x = 1, y = 2\}, \{x = 3, y = \d+\}\}$/,
    null: /^nullptr$/,
  },
  returning:
    /^_Z(5point|4wide|6floats|5mixed|5small|4bits|6either|7derived|9withEmpty|10notTrivial|6colour|3odd|4byte|6single|5twice|7longest|4text|9reference|6string|4pair|5array|8optional|5owned|6locals|6values|10references|NK6shapes6Square4area)[^.]*$/,
} as const;
const rust = {
  source: 'values.rs',
  compiler: 'rustc',
  start: /^_ZN6values6locals/,
  called: /^_ZN6values8borrowed17/,
  shown: {
    name: /^"name"$/,
    fixed: /^"fixed"$/,
    list: /^\[3\] \{1, 2, 3\}$/,
    part: /^\[\d\] \{(1(, \d)*)?\}$/,
    unit: /^\(\)$/,
    niche: /^(Off|Text \{__0 = "niche"\})$/,
    option: /^(None|Some \{__0 = \d+\})$/,
    form: /^(Nothing|Circle \{__0 = .*\}|Rectangle \{width = \d+, height = 2\}|Named \{__0 = "shape \d+"\}|Nested \{__0 = (None|Some .*)\})$/,
  },
  returning: /^_ZN6values(6colour|5slice|4text|8borrowed|6locals)17/,
} as const;
const rustOptions = ['--edition', '2021', '-g', '-C', 'target-feature=+crt-static'];
const languages: readonly Language[] = [
  { ...cpp, name: 'C++', options: ['-std=c++17', '-g', '-O0', '-static-pie'], gap: 60_000 },
  { ...cpp, name: 'C++, optimised', options: ['-std=c++17', '-g', '-O2', '-static-pie'], gap: 20_000 },
  { ...rust, name: 'Rust', options: [...rustOptions, '-C', 'opt-level=0'], gap: 60_000 },
  { ...rust, name: 'Rust, optimised', options: [...rustOptions, '-C', 'opt-level=2'], gap: 20_000 },
];

const mostFrames = 30;
const suites = process.env['UNIKERNEL_SUITES'];
/** Stops of each program: few in a run of all tests, a thousand when asked for. */
const stops = Number(process.env['STOPS'] ?? 4);
const only = process.env['LANGUAGE'];
const fixtures = join(import.meta.dirname, '../../fixtures/values');

describe('control: values of other languages as gdb sees them', function () {
  this.timeout(3_600_000);
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), 'languages-'))));
  after(() => rmSync(folder, { recursive: true, force: true }));

  for (const language of languages) {
    it(language.name, async function () {
      const symbols = join(suites ?? '', 'images', 'elfloader.dbg');
      if (suites === undefined || !existsSync(symbols) || !haveTools(`values of ${language.name} against gdb`, 'gdb', language.compiler)) {
        console.log(`SKIPPED: values of ${language.name}: set UNIKERNEL_SUITES to a folder with images/elfloader.dbg`);
        return this.skip();
      }
      if (only !== undefined && only !== language.name) return this.skip();
      const program = join(folder, 'program');
      execFileSync(language.compiler, [...language.options, '-o', program, join(fixtures, language.source)], {
        cwd: folder,
        stdio: 'ignore',
      });
      const session = await Session.start(language, symbols, program);
      try {
        await session.compareStops();
        await session.compareReturns();
        if (!language.name.includes('optimised')) session.checkTexts();
      } finally {
        session.close();
      }
      session.report();
    });
  }
});

class Session {
  readonly #random = new Random(seedFromEnvironment());
  readonly #differences: Difference[] = [];
  readonly #explained = new Map<string, number>();
  readonly #guest: GuestModel;
  #frames = 0;
  #values = 0;
  #returns = 0;

  private constructor(
    private readonly language: Language,
    private readonly machine: PcMachine,
    private readonly peer: GdbPeer,
    private readonly program: SymbolFile,
  ) {
    this.#guest = new GuestModel(peer.server.debuggee.target);
  }

  /** The program loaded, stopped at its function. */
  static async start(language: Language, symbols: string, path: string): Promise<Session> {
    const bytes = readFileSync(path);
    const initrd = writeCpio([{ path: 'program', kind: 'file', mode: 0o755, data: bytes }]);
    const { machine } = createMachine({
      image: readFileSync(symbols.replace(/\.dbg$/, '')),
      imageName: 'elfloader',
      commandLine: 'vfs.fstab=[ "initrd0:/:extract::ramfs=1:" ] -- /program',
      memory: 256 << 20,
      cpuModel: 'default',
      initrd,
    });
    machine.onConsoleOutput = () => undefined;
    const peer = await GdbPeer.attach(() => machine, symbols, mostFrames);
    const { target } = peer.server.debuggee;
    target.addSymbols(SymbolFile.open(readFileSync(symbols), { name: symbols }));
    const loaded: bigint[] = [];
    watchPrograms(target, { initrd }, ({ bias }) => bias !== undefined && loaded.push(bias));
    for (let turns = 0; loaded.length === 0; turns++) {
      machine.run(machine.cpu.retired + 200_000n);
      machine.skipIdle();
      assert.ok(turns < 1000, 'the program is not loaded');
    }
    await peer.addSymbols(path, loaded[0]!);
    const program = target.symbolFiles.find(({ name }) => name.endsWith('program'));
    assert.ok(program, 'the program has no symbols');
    return new Session(language, machine, peer, program);
  }

  close(): void {
    this.peer.close();
  }

  /** Runs to one of the program's functions that a pattern names, or to one at random. */
  #runToFunction(pattern: RegExp): void {
    const { machine } = this;
    const { target } = this.peer.server.debuggee;
    const found = this.program.searchSymbols(pattern, 100).filter(({ kind }) => kind === 'function');
    assert.ok(found.length > 0, `no function ${pattern.source}`);
    const { address } = found[this.#random.below(found.length)]!;
    const probe = target.probes.add(address, () => 'stop');
    try {
      for (let turns = 0; turns < 400; turns++) {
        target.probes.passCurrent();
        const { kind } = machine.run(machine.cpu.retired + 5_000_000n);
        if (target.pc === address) return;
        if (kind === 'idle') machine.skipIdle();
        // A breakpoint of gdb's may be there still.
        else assert.ok(kind === 'limit' || kind === 'probe', kind);
      }
      assert.fail('the function is not called again');
    } finally {
      probe.remove();
    }
  }

  #note(explained: readonly string[], differences: readonly Difference[]): void {
    for (const text of explained) this.#explained.set(text, (this.#explained.get(text) ?? 0) + 1);
    this.#differences.push(...differences);
  }

  async compareStops(): Promise<void> {
    const { target } = this.peer.server.debuggee;
    for (let stop = 0; stop < stops; stop++) {
      this.#runToFunction(this.language.start);
      target.probes.passCurrent();
      this.machine.run(this.machine.cpu.retired + BigInt(this.#random.below(this.language.gap)));
      const frames = this.#guest
        .frames(this.#guest.currentId(), mostFrames + 10)
        .filter(({ origin }) => origin !== 'syscall' && origin !== 'interrupt');
      const result = compareStop(target, frames.slice(0, mostFrames), await this.peer.stop());
      this.#frames += result.frames;
      this.#values += result.values;
      this.#note(result.explained, result.differences);
    }
  }

  async compareReturns(): Promise<void> {
    const { target } = this.peer.server.debuggee;
    for (let stop = 0; stop < 2 * stops; stop++) {
      this.#runToFunction(this.language.returning);
      const leaving = functionLeft(target);
      if (leaving === undefined) continue;
      const theirs = await this.peer.finish();
      const ours = returned(target, leaving);
      this.#returns++;
      this.#note([], compareReturned(target, this.#guest.frames(this.#guest.currentId(), 1)[0]!, leaving.name, ours?.value, theirs));
    }
  }

  /** Strings, lists and tagged unions as people read them; what lies beneath has been compared with gdb. */
  checkTexts(): void {
    const { target } = this.peer.server.debuggee;
    for (let turn = 0; turn < 6; turn++) {
      this.#runToFunction(this.language.called);
      const frame = this.#guest.frames(this.#guest.currentId(), 4).find(({ name }) => name.includes('locals'));
      assert.ok(frame, 'the caller is not there');
      for (const [name, text] of Object.entries(this.language.shown)) {
        const variable = localVariables(frame).find((each) => each.name === name);
        assert.ok(variable, name);
        const row = rowOf({ target, frame }, name, variableValue({ target, frame }, variable, frame.symbols!), name, { hex: false });
        assert.match(row.text, text, name);
        if (row.indexed !== undefined) assert.equal(row.children!(0, 2).length, Math.min(2, row.indexed), name);
      }
    }
  }

  report(): void {
    const differences = this.#differences;
    console.log(
      `      ${stops} stops, ${this.#frames} frames, ${this.#values} values, ${this.#returns} returns, ${differences.length} differences`,
    );
    for (const [text, times] of this.#explained) console.log(`      explained, ${times} times: ${text}`);
    const shown = [...new Set(differences.map(({ kind, text }) => `${kind}: ${text}`))];
    assert.equal(differences.length, 0, `${shown.length} different differences\n    ${shown.slice(0, 60).join('\n    ')}`);
  }
}
