/**
 * What tracing and breakpoints cost: one guest in several machines, side by side in one run, part by part in turn, so that the host's load falls on all alike.
 * `npx tsx bench/hooks/hooks.ts [--rounds N] [--part INSTRUCTIONS] [--json]`. The guest is the built example with its shim: a loop of `getpid` by the syscall instruction, then
 * a loop of arithmetic alone. Ratios are of processor time; 1 is no cost.
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type TraceKind } from '../../debug-adapter/control/api';
import { BreakpointManager } from '../../debug-adapter/control/breakpoints/manager';
import { TravellingTarget } from '../../debug-adapter/control/history/probes';
import { attachTracers } from '../../debug-adapter/control/tracers';
import { createMachine } from '../../debug-adapter/machine/pc';
import { SourcePathMap, SymbolFile } from '../../debug-adapter/symbols/api';

const option = (name: string, fallback: number): number => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
};
const rounds = option('rounds', 40);
const part = BigInt(option('part', 200_000));
/** Instructions before anything is timed: hot code is translated by then. */
const warmUp = 30_000_000n;

const image = path.resolve(__dirname, '../../dist/examples/hello/hello_qemu-x86_64');
if (!existsSync(image)) {
  console.error('The example is not built: npm run build, with a C compiler installed.');
  process.exit(2);
}
const bytes = new Uint8Array(readFileSync(image));
const symbols = SymbolFile.open(new Uint8Array(readFileSync(`${image}.dbg`)), { name: image });

/** mov eax, 39; syscall; jmp back. */
const callLoop = Uint8Array.of(0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xeb, 0xf7);
/** inc rcx; imul rdx, rcx; xor rdx, rcx; jmp back. */
const computeLoop = Uint8Array.of(0x48, 0xff, 0xc1, 0x48, 0x0f, 0xaf, 0xd1, 0x48, 0x31, 0xca, 0xeb, 0xf4);

interface Subject {
  readonly name: string;
  run(): void;
}

/** The example, stopped in main, where `loop` takes the place of its code. */
function subject(name: string, loop: Uint8Array, kinds: readonly TraceKind[], prepare?: (target: TravellingTarget) => void): Subject {
  const { machine } = createMachine({ image: bytes, imageName: image, commandLine: '', memory: 64 << 20, cpuModel: 'default' });
  const target = new TravellingTarget(machine, new SourcePathMap([]), '');
  target.addSymbols(symbols);
  const main = symbols.symbolsNamed('main')[0]!.address;
  const probe = target.probes.add(main, () => 'stop');
  while (machine.run(machine.cpu.retired + 10_000_000n).kind !== 'probe');
  probe.remove();
  target.writeMemory(main, loop);
  // Lines for the console are written as far as they can be read; a flood of calls is beyond that.
  attachTracers(
    target,
    kinds,
    () => undefined,
    () => false,
  );
  prepare?.(target);
  machine.run(machine.cpu.retired + warmUp);
  return { name, run: () => void machine.run(machine.cpu.retired + part) };
}

/** A breakpoint on every function of the image that the loop does not run, conditions included. */
function breakpointsNotHit(target: TravellingTarget): void {
  const manager = new BreakpointManager(target, { isTrue: () => true, text: () => '' }, () => undefined);
  const names = symbols
    .searchSymbols(/./, 5000)
    .filter(({ kind, name }) => kind === 'function' && !/syscall|getpid|sysctx|ectx|tls|auxsp|main|lcpu|current/i.test(name))
    .map(({ name }) => ({ name, condition: '1' }));
  const set = manager.setFunctions(names).filter(({ verified }) => verified).length;
  console.log(`  ${set} breakpoints, none of which is hit`);
}

const cpuTime = (): number => {
  const { user, system } = process.cpuUsage();
  return user + system;
};

/** Median over the rounds of each subject's time by the first one's in the same round. */
function compare(title: string, subjects: readonly Subject[]): Readonly<Record<string, number>> {
  const times = subjects.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    // Whoever goes first in a round may find the caches cold.
    for (let turn = 0; turn < subjects.length; turn++) {
      const index = (turn + round) % subjects.length;
      const before = cpuTime();
      subjects[index]!.run();
      times[index]!.push(cpuTime() - before);
    }
  }
  const result: Record<string, number> = {};
  for (const [index, { name }] of subjects.entries()) {
    const ratios = times[index]!.map((time, round) => time / times[0]![round]!).sort((a, b) => a - b);
    const median = ratios[ratios.length >> 1]!;
    const total = times[index]!.reduce((sum, time) => sum + time, 0);
    result[name] = median;
    const speed = (Number(part) * rounds) / total;
    console.log(`  ${title}: ${name.padEnd(28)} ratio ${median.toFixed(3)}   (${speed.toFixed(0)} million instructions a second)`);
  }
  return result;
}

const results = {
  calls: compare('system calls', [
    subject('nothing', callLoop, []),
    subject('trace of system calls', callLoop, ['syscalls']),
    subject('trace of calls and TLS', callLoop, ['syscalls', 'tls']),
    subject('breakpoints not hit', callLoop, [], breakpointsNotHit),
  ]),
  arithmetic: compare('arithmetic', [
    subject('nothing', computeLoop, []),
    subject('trace of everything', computeLoop, ['syscalls', 'tls', 'extendedState', 'interrupts']),
    subject('breakpoints not hit', computeLoop, [], breakpointsNotHit),
  ]),
};
if (process.argv.includes('--json')) console.log(JSON.stringify(results));
