/**
 * The translator against the interpreter: random programs with all code translated and with none, stopped at the same random budgets. JIT_PROGRAMS sets the
 * number, SEED repeats a run.
 */

import assert from 'node:assert/strict';
import { type KeptRegions } from '../../debug-adapter/x86/api';
import { drawHandlers } from './jit-handlers';
import { HeldCompiler, Place, JitSubject } from './jit-rig';
import { drawLoop, drawProgram } from './jit-programs';
import { Random, seedOf } from './random';

/** Seeds of programs that once differed. */
const once: readonly { readonly name: string; readonly seed: number }[] = [];

/** Programs that one pair of processors runs: the translator keeps what it learnt of addresses, though other code stands there. */
const programsOfPair = 6;
/** Compiles for the next pairs, where not the processor itself does. */
let beside: HeldCompiler | undefined;
/** Where it keeps what it compiles for the next pairs. */
let kept: KeptRegions | undefined;
let translated = new JitSubject('eager');
let interpreted = new JitSubject(false);
let programsLeft = programsOfPair;
let regionsRun = 0;
let compiledBeside = 0;
let broadened = 0;
let gathered = 0;

/** Adds what the processor that translates says it did. */
function count(): void {
  const statistics = translated.cpu.jitStatistics!;
  regionsRun += statistics.runs;
  compiledBeside += statistics.beside;
  broadened += statistics.broadened;
  gathered += statistics.gathered;
}

/** The pair to run the next program on, translated and interpreted. */
function nextPair(): readonly [JitSubject, JitSubject] {
  if (programsLeft-- === 0) {
    programsLeft = programsOfPair - 1;
    count();
    translated = new JitSubject('eager', beside, kept);
    interpreted = new JitSubject(false);
  }
  return [translated, interpreted];
}

/** Runs one program on both; answers what differs, if anything does. */
async function runProgram(seed: number): Promise<string | undefined> {
  const r = new Random(seed);
  const program = drawProgram(r);
  const { code, gates } = drawHandlers(r);
  const subjects = nextPair();
  // The way by all the rules is what the frequent ones are held against, which the interpreter has as well.
  interpreted.byTheRules(r.oneIn(2));
  for (const subject of subjects) subject.load(program, code, gates);
  const limit = 3000 + r.below(20_000);
  for (let step = 0; Number(translated.cpu.retired) < limit && step < 200; step++) {
    const budget = r.oneIn(4) ? 1 + r.below(20) : r.oneIn(3) ? 1 + r.below(8000) : 1 + r.below(1200);
    const event = r.below(24);
    const where = BigInt(Place.code + r.below(program.length));
    if (r.oneIn(3)) await beside?.release();
    const exits = subjects.map((subject) => {
      const { cpu } = subject;
      switch (event) {
        case 0:
          cpu.setInterruptLine(true);
          break;
        case 1:
          cpu.setProbe(where, () => {
            subject.log.push(`probe @${cpu.retired}`);
            return (Number(cpu.retired) & 3) === 0 ? 'stop' : undefined;
          });
          break;
        case 2:
          cpu.setProbe(where, undefined);
          break;
        case 3:
          cpu.setWatchpoints([{ id: 1, address: BigInt(Place.data + (Number(where) & 0x3f8)), length: 8, access: 'write' }]);
          break;
        case 4:
          cpu.setWatchpoints([]);
          break;
        case 5:
          cpu.writeMemory(where, Uint8Array.of(0x90));
          break;
        case 6: {
          let told = -1;
          const look = (): undefined => {
            // It may be told of one instruction again.
            if (told === cpu.retiredCount) return;
            told = cpu.retiredCount;
            subject.log.push(`observed @${told} ${cpu.getRegister('rip')} ${cpu.generalRegisters.join()} ${cpu.getRegister('rflags')}`);
          };
          cpu.setProbe(where, look, true);
          break;
        }
        default:
          break;
      }
      const exit = cpu.run(budget);
      return exit.kind;
    });
    if (exits[0] !== exits[1]) return `exit ${exits.join(' ')} at ${translated.cpu.retired} ${interpreted.cpu.retired}`;
    const difference = translated.differs(interpreted);
    if (difference !== undefined) return `step ${step}, after ${budget}: ${difference}`;
    if (exits[0] === 'hook' || exits[0] === 'unsupported' || exits[0] === 'tripleFault') {
      if (exits[0] !== 'hook') break;
      // Past the fault, as a handler would: at the start again, with other data.
      for (const subject of subjects) {
        subject.fault = undefined;
        subject.cpu.setRegister('rip', BigInt(Place.code));
      }
    }
    if (exits[0] === 'halted') break;
  }
  return undefined;
}

/** The same for a program of one loop, run for some time without anything happening. */
function runLoop(seed: number): string | undefined {
  const r = new Random(seed);
  const program = drawLoop(r);
  const { code, gates } = drawHandlers(r);
  const subjects = nextPair();
  for (const subject of subjects) subject.load(program, code, gates);
  for (let step = 0; step < 8; step++) {
    const budget = 200 + r.below(1000);
    const exits = subjects.map((subject) => subject.cpu.run(budget).kind);
    const difference = subjects[0].differs(subjects[1]);
    if (difference !== undefined || exits.some((exit) => exit !== 'budget')) return `step ${step}: ${exits.join(' ')} ${difference}`;
  }
  return undefined;
}

describe('translated programs', () => {
  for (const { name, seed } of once) it(name, async () => assert.equal(await runProgram(seed), undefined));

  /** So many programs by seed. */
  async function runPrograms(title: string, programs: number): Promise<void> {
    const first = seedOf(title);
    console.log(`      ${programs} programs`);
    programsLeft = 0;
    regionsRun = 0;
    compiledBeside = 0;
    broadened = 0;
    gathered = 0;
    const failed: string[] = [];
    for (let i = 0; i < programs && failed.length < 5; i++) {
      const difference = await runProgram(first + i);
      if (difference !== undefined) failed.push(`seed ${first + i}: ${difference}`);
    }
    assert.deepEqual(failed, []);
    count();
    assert.ok(regionsRun > programs, `regions ran ${regionsRun} times`);
    assert.ok(broadened > 0, 'no region was entered often');
    assert.equal(translated.cpu.jitStatistics!.failed, 0);
  }

  it('do what interpreted ones do', async function () {
    const programs = Number(process.env['JIT_PROGRAMS'] ?? 150);
    this.timeout(180_000 + programs * 2000);
    await runPrograms('translated programs', programs);
  });

  it('do so where another thread compiles them, whenever it answers', async function () {
    const programs = Math.ceil(Number(process.env['JIT_PROGRAMS'] ?? 150) / 3);
    this.timeout(180_000 + programs * 2000);
    beside = new HeldCompiler();
    try {
      await runPrograms('programs translated beside', programs);
      console.log(`      ${gathered} regions were gathered`);
      assert.ok(compiledBeside > programs && beside.answered > programs / 2, `${compiledBeside} regions, ${beside.answered} answers`);
      assert.ok(gathered > programs / 4, `${gathered} regions were gathered`);
    } finally {
      beside = undefined;
    }
  });

  it('do so where earlier runs have kept them, of the same program or of another one', async function () {
    const count = Math.ceil(Number(process.env['JIT_PROGRAMS'] ?? 150) / 10);
    this.timeout(180_000 + count * 6000);
    const first = seedOf('kept programs');
    console.log(`      ${count} programs`);
    beside = new HeldCompiler();
    let recalled = 0;
    try {
      for (let seed = first; seed < first + count; seed++) {
        for (const [run, program] of [seed, seed, seed + 1].entries()) {
          beside.restart();
          kept = { name: `${seed}`, isThere: run > 0 };
          programsLeft = 0;
          assert.equal(await runProgram(program), undefined, `seed ${program}, run ${run}`);
          if (run === 1) recalled += translated.cpu.jitStatistics!.recalled;
          if (run === 0) await translated.cpu.keepTranslations();
        }
      }
    } finally {
      beside = undefined;
      kept = undefined;
    }
    console.log(`      ${recalled} regions of the same programs came back`);
    assert.ok(recalled > count, `${recalled} regions of the same program`);
  });

  it('loop as interpreted ones do', function () {
    const count = 4 * Number(process.env['JIT_PROGRAMS'] ?? 150);
    this.timeout(60_000 + count * 250);
    const first = seedOf('translated loops');
    // Programs leave probes behind.
    programsLeft = 0;
    const failed: string[] = [];
    for (let i = 0; i < count && failed.length < 5; i++) {
      const difference = runLoop(first + i);
      if (difference !== undefined) failed.push(`seed ${first + i}: ${difference}`);
    }
    assert.deepEqual(failed, []);
  });
});
