/**
 * Runs one kernel on our machine and prints a line of JSON for each workload: `tsx ours.ts KERNEL jit|beside|interpreter`, where `beside` translates on a second
 * thread, whose CPU time counts as well. A process of its own, so that CPU time is its own.
 */

import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { startCompiler } from '../../debug-adapter/compiler-thread.node';
import { createMachine } from '../../debug-adapter/machine/pc';
import { firstSlice, nextSlice } from '../../debug-adapter/machine/slice';
import { waitWithOptimising } from '../../debug-adapter/optimising.node';
import { useCompiler } from '../../debug-adapter/x86/default-compiler';
import { useHandlers } from '../../debug-adapter/x86/default-handlers';

const [file, tier] = process.argv.slice(2);
const handlers = path.join(__dirname, 'handlers.wasm');
if (existsSync(handlers)) useHandlers(new WebAssembly.Module(readFileSync(handlers)));
if (tier === 'beside') useCompiler(() => startCompiler(__dirname));
const { machine, bus } = createMachine({
  image: new Uint8Array(readFileSync(file!)),
  imageName: 'kernel',
  commandLine: '',
  memory: 128 << 20,
  cpuModel: 'default',
  jit: tier !== 'interpreter',
});
let line = '';
let started = { cpu: 0, retired: 0n };

/** Microseconds of all threads. */
function cpuTime(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

const com1 = 0x3f8;
// Marks are read as they are written, not when the console is, at a slice's end.
bus.trace = ({ write, address, value }) => {
  if (!write || address !== com1) return;
  if (value !== 10n) {
    line += String.fromCharCode(Number(value));
    return;
  }
  const [mark, name, checksum] = line.split(' ');
  if (mark === 'S') started = { cpu: cpuTime(), retired: machine.cpu.retired };
  if (mark === 'E') {
    const milliseconds = (cpuTime() - started.cpu) / 1000;
    console.log(JSON.stringify({ name, checksum, milliseconds, instructions: Number(machine.cpu.retired - started.retired) }));
  }
  line = '';
};
/** Milliseconds: a worker's, and the command line's, are about as long. */
const goal = 8;
let length = firstSlice;
/** Runs a slice, and lets the event loop have a turn, in which finished translations come in. */
function slice(): void {
  const { retired } = machine.cpu;
  const began = performance.now();
  if (machine.run(retired + length).kind !== 'limit') return;
  length = nextSlice(length, machine.cpu.retired - retired, performance.now() - began, goal);
  setImmediate(slice);
}
// As where a machine starts for a user.
void waitWithOptimising().then(slice);
