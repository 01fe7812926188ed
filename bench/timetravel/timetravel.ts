/**
 * Times time travel on the nine workloads: recording on and off side by side in one run, random seeks checked by hash, steps back, reverse-continue.
 * Recording on and off are processes of their own that run in turns: within one, whoever comes first to some code would translate it for both.
 * `node bench/run.mjs bench/timetravel/timetravel.ts [KERNEL] [--instructions N] [--seeks N] [--memory MiB] [--json]`; SEED picks the moments. Without KERNEL it is built with gcc
 * from the workloads' sources in ../shared/bench/machine (or the folder that WORKLOADS names).
 */

import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { complete, History } from '../../debug-adapter/control/history/history';
import { type PcMachine } from '../../debug-adapter/machine/machine';
import { createMachine } from '../../debug-adapter/machine/pc';
import { touchedPagesOf } from '../../debug-adapter/touched-pages.node';

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
const recorded = (machine: PcMachine, now = (): number => performance.now()): History =>
  new History(machine, { now, touchedPages: touchedPagesOf });

/** What a runner says after its turn: milliseconds of processor time since it began, and of these (by the clock) those that recording took. */
interface Spent {
  readonly all: number;
  readonly inside: number;
}

/** One machine in a process of its own: runs to the instruction that it is told. */
function beRunner(recording: boolean): void {
  const machine = make();
  // Checkpoints come by the time that the machine ran: waiting for its turn is none of it.
  let waited = 0;
  let since = performance.now();
  const history = recording ? recorded(machine, () => performance.now() - waited) : undefined;
  history?.starts();
  let inside = 0;
  const begun = cpuTime();
  process.on('message', (to: number) => {
    waited += performance.now() - since;
    // As the debugger slices it: some milliseconds at a time.
    while (machine.cpu.retired < to) {
      const reason = machine.run(BigInt(Math.min(to, Number(machine.cpu.retired) + 5_000_000)));
      const start = performance.now();
      history?.ran(reason);
      inside += performance.now() - start;
      if (reason.kind !== 'limit') break;
    }
    since = performance.now();
    process.send!({ all: cpuTime() - begun, inside } satisfies Spent);
  });
}

/** Both machines in turns, so that the host's moods meet both. */
async function ratio(): Promise<{ on: number; off: number; inside: number }> {
  const folder = mkdtempSync(path.join(tmpdir(), 'timetravel-'));
  const file = path.join(folder, 'kernel');
  writeFileSync(file, image);
  const runners = ['on', 'off'].map((role) => fork(process.argv[1]!, [file, '--memory', `${memory / 2 ** 20}`, '--runner', role]));
  const turn = (runner: ChildProcess, to: number): Promise<Spent> =>
    new Promise((resolve) => {
      runner.once('message', (message) => resolve(message as Spent));
      runner.send(to);
    });
  const spent: Spent[] = [];
  for (let to = part; to <= instructions; to += part) {
    const first = (to / part) % 2;
    for (const index of [first, 1 - first]) spent[index] = await turn(runners[index]!, to);
  }
  for (const runner of runners) runner.kill();
  rmSync(folder, { recursive: true });
  const [on, off] = spent;
  return { on: on!.all, off: off!.all, inside: on!.inside };
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

async function main(): Promise<void> {
  const { on, off, inside } = await ratio();
  const result = {
    instructions,
    memoryMiB: memory / 2 ** 20,
    seed,
    offMs: round(off),
    onMs: round(on),
    ratio: Math.round((on / off) * 1000) / 1000,
    insideMs: round(inside),
    ...(seeks > 0 ? seeking() : {}),
  };
  if (json) console.log(JSON.stringify(result));
  else for (const [name, value] of Object.entries(result)) console.log(`${name.padEnd(18)} ${value}`);
}

const role = process.argv.indexOf('--runner');
if (role >= 0) beRunner(process.argv[role + 1] === 'on');
else void main();
