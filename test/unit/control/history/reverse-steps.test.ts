/**
 * Steps back whose way was prepared, from random moments of real images, against steps that nothing was prepared for, in a history of its own that reads all memory. STEPS sets the number, SEED repeats a run.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type Granularity } from '../../../../debug-adapter/control/api';
import { CodedError } from '../../../../debug-adapter/control/channel';
import { Disassembler } from '../../../../debug-adapter/control/disassembler';
import { complete, History } from '../../../../debug-adapter/control/history/history';
import { type FindTouchedPages } from '../../../../debug-adapter/control/history/page-hash';
import { TravellingTarget } from '../../../../debug-adapter/control/history/probes';
import { type ReverseKind, ReverseSteps } from '../../../../debug-adapter/control/history/reverse-steps';
import { type PcMachine } from '../../../../debug-adapter/machine/machine';
import { createMachine } from '../../../../debug-adapter/machine/pc';
import { SourcePathMap, SymbolFile } from '../../../../debug-adapter/symbols/api';
import { touchedPagesOf } from '../../../../debug-adapter/touched-pages.node';
import { image as example } from '../../../dap/golden';
import { Random, seedOf } from '../../../lockstep/random';

const steps = Number(process.env['STEPS'] ?? 60);
const suites = process.env['UNIKERNEL_SUITES'];
/** Images, and how many of their instructions are gone back to. */
const images: readonly (readonly [file: string, end: number])[] = [
  [example, 300_000],
  ...(suites === undefined ? [] : [[path.join(suites, 'images/hello-qemu'), 60_000] as const]),
];

const kinds: readonly (readonly [ReverseKind, Granularity])[] = [
  ['back', 'instruction'],
  ['over', 'instruction'],
  ['back', 'line'],
  ['over', 'statement'],
  ['in', 'line'],
  ['out', 'statement'],
];

class Side {
  readonly history: History;
  readonly target: TravellingTarget;

  constructor(
    make: () => PcMachine,
    file: string,
    private readonly disassembler: Disassembler,
    touchedPages?: FindTouchedPages,
  ) {
    const machine = make();
    this.target = new TravellingTarget(machine, new SourcePathMap([]), '');
    this.target.addSymbols(SymbolFile.open(new Uint8Array(readFileSync(`${file}.dbg`)), { name: file }));
    this.history = new History(machine, { now: () => performance.now(), touchedPages });
    this.target.probes.silent = true;
  }

  /** Runs to the end; answers where that is. */
  run(end: number): number {
    const { machine } = this.history;
    while (this.history.position < end) {
      const reason = machine.run(BigInt(end));
      this.history.ran(reason);
      if (reason.kind === 'idle') machine.skipIdle();
      else if (reason.kind === 'exit' || reason.kind === 'dead') return this.history.position - 1;
    }
    return end;
  }

  newSteps(): ReverseSteps {
    return new ReverseSteps(this.history, this.target, this.disassembler);
  }

  /** Where a step leads, or the code of the error that says why it leads nowhere. */
  destination(reverse: ReverseSteps, [kind, granularity]: (typeof kinds)[number]): number | string | undefined {
    try {
      return complete(reverse.destination(kind, granularity));
    } catch (error) {
      if (error instanceof CodedError) return error.code;
      throw error;
    }
  }
}

/** Prepares all, or leaves off somewhere, and comes back to where it was. */
function prepare(r: Random, { history }: Side, reverse: ReverseSteps): void {
  const { position } = history;
  let left = r.oneIn(3) ? r.below(12) : Infinity;
  for (const journey of [history.prepare(), reverse.prepare()]) {
    while (left > 0 && journey.next().done !== true) left--;
    journey.return();
  }
  complete(history.seek(position));
}

describe('a step out of a function with nothing prepared', () => {
  it('runs what came before once, not for the search and again for the way', async function () {
    this.timeout(60_000);
    if (!existsSync(example)) {
      console.log(`    skipped: ${example} is not built`);
      this.skip();
    }
    const seed = seedOf('one replay');
    const r = new Random(seed);
    const bytes = new Uint8Array(readFileSync(example));
    const make = (): PcMachine =>
      createMachine({ image: bytes, imageName: example, commandLine: '', memory: 32 << 20, cpuModel: 'default' }).machine;
    const disassembler = await Disassembler.load('intel');
    let seen = 0;
    for (let i = 0; i < 60 && seen < 4; i++) {
      const side = new Side(make, example, disassembler);
      const moment = side.run(9000 + r.below(4000));
      const { history } = side;
      const { machine } = history;
      const run = machine.run.bind(machine);
      let replayed = 0;
      machine.run = (limit) => {
        const { position } = history;
        const reason = run(limit);
        replayed += history.position - position;
        return reason;
      };
      const out = side.destination(side.newSteps(), ['out', 'statement']);
      // Calls from far back are looked for in all that came before.
      if (typeof out !== 'number' || moment - out > 400) continue;
      complete(history.seek(out));
      seen++;
      assert.ok(replayed < moment * 1.5, `SEED=${seed}: ${replayed} instructions run again for a step out at ${moment}`);
    }
    assert.ok(seen > 0, `SEED=${seed}: no step out of a short call`);
  });
});

describe('steps back that were prepared', () => {
  for (const [file, most] of images) {
    it(`lead where others lead: ${path.basename(file)}`, async function () {
      this.timeout(300_000);
      if (!existsSync(file)) {
        console.log(`    skipped: ${file} is not built`);
        this.skip();
      }
      const seed = seedOf('steps back');
      const r = new Random(seed);
      const image = new Uint8Array(readFileSync(file));
      const make = (): PcMachine =>
        createMachine({ image, imageName: file, commandLine: '', memory: 32 << 20, cpuModel: 'default' }).machine;
      const disassembler = await Disassembler.load('intel');
      const plain = new Side(make, file, disassembler);
      const prepared = new Side(make, file, disassembler, touchedPagesOf);
      const end = plain.run(most);
      assert.equal(prepared.run(most), end);
      const reverse = prepared.newSteps();
      let moment = end;
      for (let i = 0; i < steps; i++) {
        // Often on from where the last step led.
        if (!r.oneIn(3)) moment = 1 + r.below(end);
        complete(prepared.history.seek(moment));
        complete(plain.history.seek(moment));
        if (!r.oneIn(4)) prepare(r, prepared, reverse);
        const kind = r.pick(kinds);
        const where = `SEED=${seed}, step ${i}: ${kind.join(' by ')} from ${moment}`;
        const expected = plain.destination(plain.newSteps(), kind);
        assert.equal(prepared.destination(reverse, kind), expected, where);
        if (typeof expected !== 'number') continue;
        complete(prepared.history.seek(expected));
        complete(plain.history.seek(expected));
        for (const register of ['rip', 'rsp', 'rax'])
          assert.equal(prepared.target.register(register), plain.target.register(register), where);
        moment = Math.max(1, expected);
      }
      // Reads all memory.
      assert.equal(prepared.history.machine.hash(), plain.history.machine.hash(), `SEED=${seed}`);
    });
  }
});
