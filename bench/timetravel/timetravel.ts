/**
 * Times time travel on the nine workloads: recording on and off side by side in one run, random seeks checked by hash, steps back, reverse-continue.
 * `npx tsx bench/timetravel/timetravel.ts [KERNEL] [--instructions N] [--seeks N] [--memory MiB] [--json]`; SEED picks the moments. Without KERNEL it is built with gcc
 * from the workloads' sources in ../shared/bench/machine (or the folder that WORKLOADS names).
 */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { complete, History } from '../../debug-adapter/control/history/history';
import { type PcMachine } from '../../debug-adapter/machine/machine';
import { createMachine } from '../../debug-adapter/machine/pc';

const root = path.resolve(__dirname, '../..');
const part = 20_000_000;

const option = (name: string, fallback: number): number => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
};
const instructions = option('instructions', 4_000_000_000);
const seeks = option('seeks', 100);
const memory = option('memory', 128) * 2 ** 20;
const json = process.argv.includes('--json');
const seed = Number(process.env['SEED'] ?? 1);

/** Milliseconds of processor time, of all threads: other programs on the host do not count. */
function cpuTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function kernel(): Uint8Array {
  const [, , given] = process.argv;
  if (given !== undefined && !given.startsWith('--')) return new Uint8Array(readFileSync(given));
  const sources = process.env['WORKLOADS'] ?? path.join(root, '../shared/bench/machine');
  if (!existsSync(path.join(sources, 'bench.c'))) {
    console.error(`No workloads in ${sources}: name a kernel, or their folder in WORKLOADS.`);
    process.exit(2);
  }
  const folder = mkdtempSync(path.join(tmpdir(), 'timetravel-'));
  try {
    const flags =
      '-O2 -DB64 -ffreestanding -fno-pic -fno-pie -no-pie -nostdlib -static -mno-red-zone -fno-stack-protector -fcf-protection=none -fno-math-errno -Wl,--build-id=none';
    const inputs = ['boot.S', 'bare.c', 'bench.c'].map((name) => path.join(sources, name));
    execFileSync('gcc', [...flags.split(' '), `-Wl,-T,${path.join(sources, 'link.ld')}`, '-o', path.join(folder, 'k.elf'), ...inputs]);
    return new Uint8Array(readFileSync(path.join(folder, 'k.elf')));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function random(): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const sorted = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);
const median = (values: readonly number[]): number => sorted(values)[values.length >> 1] ?? NaN;
const round = (value: number): number => Math.round(value * 10) / 10;

const image = kernel();
const make = (): PcMachine => createMachine({ image, imageName: 'k', commandLine: '', memory, cpuModel: 'default' }).machine;
const recorded = (machine: PcMachine, now = (): number => performance.now()): History => new History(machine, { now, pristine: make });

/** Both machines in turns, so that the host's moods meet both. */
function ratio(): { on: number; off: number; inside: number } {
  const [plain, watched] = [make(), make()];
  // Checkpoints come by the time that the recorded machine ran: that of the other one is none of it.
  let elsewhere = 0;
  const history = recorded(watched, () => performance.now() - elsewhere);
  history.starts();
  const time = { on: 0, off: 0, inside: 0 };
  const turn = (machine: PcMachine, to: number, ran: (reason: ReturnType<PcMachine['run']>) => void): number => {
    const start = cpuTime();
    // As the debugger slices it: some milliseconds at a time.
    while (machine.cpu.retired < to) {
      const reason = machine.run(BigInt(Math.min(to, Number(machine.cpu.retired) + 5_000_000)));
      ran(reason);
      if (reason.kind !== 'limit') break;
    }
    return cpuTime() - start;
  };
  const turnOff = (to: number): void => {
    const start = performance.now();
    time.off += turn(plain, to, () => undefined);
    elsewhere += performance.now() - start;
  };
  for (let to = part; to <= instructions; to += part) {
    const flip = (to / part) % 2 === 0;
    if (flip) turnOff(to);
    time.on += turn(watched, to, (reason) => {
      const start = cpuTime();
      history.ran(reason);
      time.inside += cpuTime() - start;
    });
    if (!flip) turnOff(to);
  }
  return time;
}

function seeking(): Record<string, number> {
  const machine = make();
  const history = recorded(machine);
  const next = random();
  const moments = sorted(Array.from({ length: seeks }, () => Math.floor(next() * instructions)));
  const hashes = new Map<number, bigint>();
  history.starts();
  for (const moment of [...moments, instructions]) {
    while (history.position < moment) {
      const reason = machine.run(BigInt(Math.min(moment, history.position + part)));
      history.ran(reason);
      if (reason.kind !== 'limit') throw new Error(`the workloads ended at instruction ${history.position}`);
    }
    hashes.set(moment, machine.hash());
  }
  const { memory: bytes, checkpoints } = history.info;

  complete(history.prepare());
  const stepBacks: number[] = [];
  const measure = (times: number[], work: () => void): void => {
    const start = cpuTime();
    work();
    times.push(cpuTime() - start);
  };
  for (let i = 0; i < 20; i++) measure(stepBacks, () => complete(history.seek(history.position - 1)));

  complete(history.seek(instructions));
  const start = cpuTime();
  // What reverse-continue does until it finds a stop a hundred million instructions back, and then the way there.
  const goal = Math.max(0, instructions - 100_000_000);
  for (let bound = instructions; bound > goal;) {
    const index = history.checkpoints.indexBefore(bound - 1);
    const { at } = history.checkpoints.list[index]!;
    complete(history.rerun(index, bound, () => undefined));
    bound = at;
  }
  complete(history.seek(goal));
  const reverse = cpuTime() - start;

  const times: number[] = [];
  let wrong = 0;
  for (const moment of [...moments].sort(() => next() - 0.5)) {
    measure(times, () => complete(history.seek(moment)));
    if (machine.hash() !== hashes.get(moment)) wrong++;
  }
  return {
    checkpoints: checkpoints.length,
    checkpointMiB: round(bytes / 2 ** 20),
    stepBackFirstMs: round(stepBacks[0]!),
    stepBackMedianMs: round(median(stepBacks)),
    stepBackWorstMs: round(Math.max(...stepBacks)),
    reverseContinueMs: round(reverse),
    seeks: times.length,
    seekMedianMs: round(median(times)),
    seekWorstMs: round(Math.max(...times)),
    wrongHashes: wrong,
  };
}

const { on, off, inside } = ratio();
const result = {
  instructions,
  memoryMiB: memory / 2 ** 20,
  seed,
  offMs: round(off),
  onMs: round(on),
  ratio: Math.round((on / off) * 1000) / 1000,
  insideMs: round(inside),
  ...seeking(),
};
if (json) console.log(JSON.stringify(result));
else for (const [name, value] of Object.entries(result)) console.log(`${name.padEnd(18)} ${value}`);
