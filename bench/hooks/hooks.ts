/**
 * What tracing and breakpoints cost: one guest in several machines, side by side in one run, part by part in turn, so that the host's load falls on all alike.
 * Each machine has a thread of its own, as in a session: in one thread the host's compiler would see calls of several where a session has one.
 * `node bench/run.mjs bench/hooks/hooks.ts [--rounds N] [--part INSTRUCTIONS] [--warm INSTRUCTIONS] [--only GROUP] [--json]`. The guest is the built example with its shim: a loop of `getpid` by the syscall
 * instruction, loops of `write`, `openat` and `clock_gettime`, whose pointers the trace follows, and a loop of arithmetic alone. Ratios are of processor time; 1 is no cost.
 * Groups `program: …` have the same calls made by an unmodified Linux program (program.c) on a real kernel: Unikraft's ELF loader of UNIKERNEL_SUITES/images, or else the starter pool's.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type MessagePort, parentPort, Worker, workerData } from 'node:worker_threads';
import { type TraceKind } from '../../debug-adapter/control/api';
import { BreakpointManager } from '../../debug-adapter/control/breakpoints/manager';
import { whole } from '../../debug-adapter/control/search';
import { TravellingTarget } from '../../debug-adapter/control/history/probes';
import { attachTracers } from '../../debug-adapter/control/tracers';
import { createMachine } from '../../debug-adapter/machine/pc';
import { optimiseAsUsual, waitWithOptimising } from '../../debug-adapter/optimising.node';
import { writeCpio } from '../../src/build/cpio';
import { loops } from './loops';
import { SourcePathMap, SymbolFile } from '../../debug-adapter/symbols/api';

const option = (name: string, fallback: number): number => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
};
const rounds = option('rounds', 40);
const onlyAt = process.argv.indexOf('--only');
/** The one group that is wanted. */
const only = onlyAt < 0 ? undefined : process.argv[onlyAt + 1];
/** As many as a session's slice of some milliseconds has. */
const part = BigInt(option('part', 1_000_000));
/** Instructions before anything is timed: hot code is translated by then. */
const warmUp = BigInt(option('warm', 60_000_000));

const image = path.resolve(__dirname, '../../dist/examples/hello/hello_qemu-x86_64');
if (!existsSync(image)) {
  console.error('The example is not built: npm run build, with a C compiler installed.');
  process.exit(2);
}
const bytes = new Uint8Array(readFileSync(image));
const symbols = SymbolFile.open(new Uint8Array(readFileSync(`${image}.dbg`)), { name: image });

/** inc rcx; imul rdx, rcx; xor rdx, rcx; jmp back. */
const computeLoop = Uint8Array.of(0x48, 0xff, 0xc1, 0x48, 0x0f, 0xaf, 0xd1, 0x48, 0x31, 0xca, 0xeb, 0xf4);

/** Kernels that run Linux programs, and what they are started with. */
const loaders = [
  {
    image: path.join(process.env['UNIKERNEL_SUITES'] ?? '', 'images/elfloader-norand'),
    parameters: 'vfs.fstab=[ "initrd0:/:extract::ramfs=1:" ] --',
  },
  { image: path.resolve(__dirname, '../../dist/elfloader/elfloader_qemu-x86_64'), parameters: '--' },
];
const loader = loaders.find(({ image: file }) => existsSync(file));
/** Instructions after which such a program has long begun. */
const programRuns = 60_000_000n;

interface Subject {
  readonly name: string;
  /** What takes the place of `main`, or the argument of the program. */
  readonly loop: Uint8Array | string;
  readonly kinds: readonly TraceKind[];
  readonly prepare?: (target: TravellingTarget) => void;
}

/** A guest that runs what the subject says; answers what runs a part of it. */
function boot({ loop, kinds, prepare }: Subject, program: string): () => void {
  const target = typeof loop === 'string' ? bootProgram(loop, program) : bootExample(loop);
  const { machine } = target;
  // Lines for the console are written as far as they can be read; a flood of calls is beyond that.
  attachTracers(
    target,
    kinds,
    () => undefined,
    () => false,
  );
  prepare?.(target);
  machine.run(machine.cpu.retired + warmUp);
  return () => void machine.run(machine.cpu.retired + part);
}

/** The program, as it makes its calls. */
function bootProgram(call: string, program: string): TravellingTarget {
  const { image: file, parameters } = loader!;
  const initrd = writeCpio([{ path: 'program', kind: 'file', data: readFileSync(program), mode: 0o755 }]);
  const { machine } = createMachine({
    image: readFileSync(file),
    imageName: path.basename(file),
    commandLine: `${parameters} /program ${call}`,
    initrd,
    memory: 64 << 20,
    cpuModel: 'default',
  });
  const target = new TravellingTarget(machine, new SourcePathMap([]), '');
  target.addSymbols(SymbolFile.open(new Uint8Array(readFileSync(`${file}.dbg`)), { name: file }));
  machine.run(programRuns);
  return target;
}

/** The example, stopped in main, where `loop` takes the place of its code. */
function bootExample(loop: Uint8Array): TravellingTarget {
  const { machine } = createMachine({ image: bytes, imageName: image, commandLine: '', memory: 64 << 20, cpuModel: 'default' });
  const target = new TravellingTarget(machine, new SourcePathMap([]), '');
  target.addSymbols(symbols);
  const main = symbols.symbolsNamed('main')[0]!.address;
  const probe = target.probes.add(main, () => 'stop');
  while (machine.run(machine.cpu.retired + 10_000_000n).kind !== 'probe');
  probe.remove();
  target.writeMemory(main, loop);
  return target;
}

/** A breakpoint on every function of the image that the loop does not run, conditions included. */
function breakpointsNotHit(target: TravellingTarget): void {
  const manager = new BreakpointManager(target, { isTrue: () => true, text: () => '' }, () => undefined);
  const names = symbols
    .searchSymbols(/./, 5000)
    .filter(({ kind, name }) => kind === 'function' && !/syscall|getpid|sysctx|ectx|tls|auxsp|main|lcpu|current/i.test(name))
    .map(({ name }) => ({ name, condition: '1' }));
  const set = whole(manager.setFunctions(names, { cancelled: false })).filter(({ verified }) => verified).length;
  if (set === 0) throw new Error('no breakpoint could be set');
}

const groups: Readonly<Record<string, readonly Subject[]>> = {
  'system calls': [
    { name: 'nothing', loop: loops.getpid, kinds: [] },
    { name: 'trace of system calls', loop: loops.getpid, kinds: ['syscalls'] },
    { name: 'trace of calls and TLS', loop: loops.getpid, kinds: ['syscalls', 'tls'] },
    { name: 'breakpoints not hit', loop: loops.getpid, kinds: [], prepare: breakpointsNotHit },
  ],
  ...Object.fromEntries(
    (['write', 'openat', 'clock_gettime'] as const).map((name) => [
      name,
      [
        { name: 'nothing', loop: loops[name], kinds: [] },
        { name: 'trace of system calls', loop: loops[name], kinds: ['syscalls'] },
        { name: 'trace of calls and TLS', loop: loops[name], kinds: ['syscalls', 'tls'] },
      ] satisfies readonly Subject[],
    ]),
  ),
  ...Object.fromEntries(
    ['getppid', 'write', 'openat', 'clock_gettime'].map((name) => [
      `program: ${name}`,
      [
        { name: 'nothing', loop: name, kinds: [] },
        { name: 'trace of system calls', loop: name, kinds: ['syscalls'] },
        { name: 'trace of calls and TLS', loop: name, kinds: ['syscalls', 'tls'] },
      ] satisfies readonly Subject[],
    ]),
  ),
  arithmetic: [
    { name: 'nothing', loop: computeLoop, kinds: [] },
    { name: 'trace of everything', loop: computeLoop, kinds: ['syscalls', 'tls', 'extendedState', 'interrupts'] },
    { name: 'breakpoints not hit', loop: computeLoop, kinds: [], prepare: breakpointsNotHit },
  ],
};

interface Place {
  readonly group: string;
  readonly index: number;
  /** The Linux program, built. */
  readonly program: string;
}

/** Microseconds of processor time of the whole process: while one thread works, the others wait. */
const cpuTime = (): number => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

class Runner {
  readonly #worker: Worker;
  #heard: () => void = () => undefined;

  constructor(place: Place) {
    this.#worker = new Worker(__filename, { workerData: place, argv: process.argv.slice(2) });
    this.#worker.on('message', () => this.#heard());
  }

  /** Waits for the thread's next word. */
  done(): Promise<void> {
    return new Promise((resolve) => (this.#heard = resolve));
  }

  async run(): Promise<number> {
    const before = cpuTime();
    const done = this.done();
    this.#worker.postMessage('run');
    await done;
    return cpuTime() - before;
  }

  end(): Promise<number> {
    return this.#worker.terminate();
  }
}

/** Median over the rounds of each subject's time by the first one's in the same round. */
async function compare(group: string, program: string): Promise<Readonly<Record<string, number>>> {
  const subjects = groups[group]!;
  const runners: Runner[] = [];
  for (const index of subjects.keys()) {
    const runner = new Runner({ group, index, program });
    await runner.done();
    runners.push(runner);
  }
  const times = subjects.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    // Whoever goes first in a round may find the caches cold.
    for (let turn = 0; turn < subjects.length; turn++) {
      const index = (turn + round) % subjects.length;
      times[index]!.push(await runners[index]!.run());
    }
  }
  await Promise.all(runners.map((runner) => runner.end()));
  const result: Record<string, number> = {};
  for (const [index, { name }] of subjects.entries()) {
    const ratios = times[index]!.map((time, round) => time / times[0]![round]!).sort((a, b) => a - b);
    const median = ratios[ratios.length >> 1]!;
    const total = times[index]!.reduce((sum, time) => sum + time, 0);
    result[name] = median;
    const speed = (Number(part) * rounds) / total;
    console.log(`  ${group}: ${name.padEnd(28)} ratio ${median.toFixed(3)}   (${speed.toFixed(0)} million instructions a second)`);
  }
  return result;
}

async function main(): Promise<void> {
  const results: Record<string, unknown> = {};
  const folder = mkdtempSync(path.join(tmpdir(), 'hooks-'));
  try {
    const program = path.join(folder, 'program');
    if (loader !== undefined) execFileSync('gcc', ['-O2', '-static-pie', '-o', program, path.join(__dirname, 'program.c')]);
    for (const group of Object.keys(groups).filter((name) => only === undefined || name.startsWith(only))) {
      if (group.startsWith('program') && loader === undefined) console.log(`  ${group}: SKIPPED, no ELF loader is built`);
      else results[group] = await compare(group, program);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  if (process.argv.includes('--json')) console.log(JSON.stringify(results));
}

/** A thread with one machine, where V8 does what it does in a session that has run for a while. */
async function beSubject({ group, index, program }: Place, port: MessagePort): Promise<void> {
  await waitWithOptimising();
  await optimiseAsUsual();
  const run = boot(groups[group]![index]!, program);
  port.on('message', () => {
    run();
    port.postMessage('done');
  });
  port.postMessage('ready');
}

if (parentPort === null) void main();
else void beSubject(workerData as Place, parentPort);
